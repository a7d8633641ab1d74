//! Quality of one symbol's bars: what was left out or mended when they came, what is worth a look among those that are left,
//! and how far they are behind. Every finding leads to its place on the chart.

use super::parts::{fact_ui, note_ui, section_ui, sentence_ui};
use crate::market::Quality;
use crate::market::quality::{Finding, FindingCounts, FindingKind};
use crate::ui::format;
use crate::ui::theme::{Theme, space};
use crate::ui::window::ViewState;
use crate::worker::Dossier;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Label, RichText, Ui};
use strum::IntoEnumIterator;

/// Findings shown before all are asked for.
const SHOWN: usize = 8;
/// Earlier qualities shown.
const BEFORE_SHOWN: usize = 6;

/// What was noticed in rows, in words, one line each; empty when nothing was.
#[must_use]
pub fn quality_lines(quality: &Quality) -> Vec<String> {
    let parts = [
        (
            quality.missing_price,
            tr_n!(
                quality.missing_price as u64,
                "{count} row without a usable price was left out",
                "{count} rows without a usable price were left out"
            ),
        ),
        (
            quality.duplicate_time,
            tr_n!(
                quality.duplicate_time as u64,
                "{count} row with a repeated time was left out",
                "{count} rows with a repeated time were left out"
            ),
        ),
        (
            quality.unsorted,
            tr_n!(quality.unsorted as u64, "{count} row was out of order and was sorted", "{count} rows were out of order and were sorted"),
        ),
        (
            quality.missing_volume,
            tr_n!(quality.missing_volume as u64, "{count} bar has no volume and counts as 0", "{count} bars have no volume and count as 0"),
        ),
        (
            quality.non_positive_price,
            tr_n!(
                quality.non_positive_price as u64,
                "{count} bar has a price of zero or below",
                "{count} bars have a price of zero or below"
            ),
        ),
        (
            quality.broken_range,
            tr_n!(
                quality.broken_range as u64,
                "{count} bar has a high below or a low above its other prices",
                "{count} bars have a high below or a low above their other prices"
            ),
        ),
    ];
    parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect()
}

/// The whole section.
pub fn quality_ui(ui: &mut Ui, dossier: &Dossier, views: &mut ViewState, now_us: i64) {
    let Some(bars) = dossier.bars().filter(|bars| bars.entry.file.is_some()) else { return };
    section_ui(ui, tr!("Quality"), |ui| {
        let theme = Theme::of(ui);
        let lines = quality_lines(&bars.entry.quality);
        let findings = dossier.findings.as_deref().unwrap_or_default();
        if let Some(behind) = dossier.sessions_behind {
            let text = match behind {
                0 => tr!("up to date with its market").to_owned(),
                behind => tr_n!(behind as u64, "{count} session behind its market", "{count} sessions behind its market"),
            };
            fact_ui(ui, tr!("Last bar"), &text).on_hover_text(last_bar_of(dossier));
        }
        if lines.is_empty() && findings.is_empty() {
            note_ui(ui, if dossier.findings.is_some() { tr!("Nothing to note in its rows") } else { tr!("Its bars cannot be read now") });
        }
        for line in lines {
            sentence_ui(ui, &line, theme.text);
        }
        if !findings.is_empty() {
            counts_ui(ui, &FindingCounts::of(findings));
            ui.add_space(space::XS);
            findings_ui(ui, dossier, findings, views);
        }
        if let Some(newest) = dossier.market_holes.last() {
            let text = tr_n!(
                dossier.market_holes.len() as u64,
                "{count} session of the calendar has no bar of any symbol",
                "{count} sessions of the calendar have no bar of any symbol"
            );
            let all: Vec<String> = dossier.market_holes.iter().rev().take(40).map(ToString::to_string).collect();
            note_ui(ui, &format!("{text} · {}", tr!("the last on {date}", date = crate::format::day(*newest))))
                .on_hover_text(all.join(", "));
        }
        // The newest finding is what was just told.
        for before in dossier.quality_history.iter().skip(1).take(BEFORE_SHOWN) {
            let lines = quality_lines(&before.quality);
            let text = if lines.is_empty() { tr!("nothing to note").to_owned() } else { lines.join(", ") };
            fact_ui(ui, &tr!("From {when}", when = format::relative(before.at_us, now_us)), &text);
        }
    });
}

fn last_bar_of(dossier: &Dossier) -> String {
    let file = dossier.bars().and_then(|bars| bars.entry.file.as_ref());
    file.map_or_else(String::new, |file| format::bar_time(file.last_us))
}

/// How much of each kind; the rule under the pointer.
fn counts_ui(ui: &mut Ui, counts: &FindingCounts) {
    let theme = Theme::of(ui);
    for kind in FindingKind::iter().filter(|kind| counts.of_kind(*kind) > 0) {
        let mut text = format::count(u64::from(counts.of_kind(kind)));
        if kind == FindingKind::Gap {
            text += &format!(" · {}", tr_n!(u64::from(counts.missing_sessions), "{count} session", "{count} sessions"));
        }
        let word = kind.word();
        super::parts::fact_with_ui(ui, word, |ui| ui.label(RichText::new(text).color(theme.text))).on_hover_text(kind.rule());
    }
}

/// The findings, newest first: what is wrong now matters more than what was wrong ten years ago.
fn findings_ui(ui: &mut Ui, dossier: &Dossier, findings: &[Finding], views: &mut ViewState) {
    let theme = Theme::of(ui);
    let shown = if views.all_findings { findings.len() } else { SHOWN };
    for finding in findings.iter().rev().take(shown) {
        ui.horizontal(|ui| {
            let date = format::date(finding.from_us);
            let link = ui.add(egui::Link::new(date.as_str()));
            let spoken = tr!("{date}: {what}, show on the chart", date = date, what = finding.words());
            link.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Link, true, &spoken));
            if link.on_hover_text(span_words(finding)).clicked() {
                views.chart.go_to(&dossier.symbol, finding.from_us);
            }
            ui.add(Label::new(RichText::new(finding.words()).color(theme.text)).truncate());
        });
    }
    if findings.len() > SHOWN {
        let text = if views.all_findings {
            tr!("Show fewer findings").to_owned()
        } else {
            tr!("Show all {count} findings", count = format::count(findings.len() as u64))
        };
        if ui.add(egui::Link::new(text)).clicked() {
            views.all_findings = !views.all_findings;
        }
    }
}

/// From when to when a finding goes, and what is done by pressing it.
fn span_words(finding: &Finding) -> String {
    format!("{}\n{}", format::date_span(finding.from_us, finding.to_us), tr!("Show on the chart"))
}
