//! What happened: changes at the source, lookups.

use super::facts::years_text;
use super::parts::{below_mark_ui, note_ui, section_ui, sentence_ui};
use crate::cache::{Change, ChangeKind, LookupReason};
use crate::market::format_date;
use crate::tr;
use crate::ui::format;
use crate::ui::marks::{ChangeMark, change_mark_ui};
use crate::ui::symbols::local_time;
use crate::ui::theme::{StateMark, Theme, space};
use crate::ui::widgets::{stacked_meter_ui, tier_color, tier_legend_ui};
use crate::ui::window::ViewState;
use crate::worker::Dossier;
use eframe::egui;
use egui::{Align, Grid, Layout, RichText, Ui, vec2};
use strum::IntoEnumIterator;

/// Changes and lookups shown before all are asked for.
const SHOWN: usize = 6;

/// What changed at the source, newest first; a click goes there on the chart.
pub fn changes_ui(ui: &mut Ui, dossier: &Dossier, views: &mut ViewState, now_us: i64) {
    section_ui(ui, tr!("Changes at the source"), |ui| changes_body_ui(ui, dossier, views, now_us));
}

fn changes_body_ui(ui: &mut Ui, dossier: &Dossier, views: &mut ViewState, now_us: i64) {
    let asked = dossier.bars().is_some_and(|bars| bars.entry.synced.is_some());
    if dossier.changes.is_empty() {
        note_ui(
            ui,
            if asked {
                tr!("None noticed: its history is as it was first fetched")
            } else {
                tr!("None noticed; the source was not asked for checksums yet")
            },
        );
        return;
    }
    let shown = if views.all_changes { dossier.changes.len() } else { SHOWN };
    for (place, change) in dossier.changes.iter().take(shown).enumerate() {
        if place > 0 {
            ui.add_space(space::S);
        }
        if change_ui(ui, change, None, now_us)
            && let Some(first_us) = change.first_us
        {
            views.chart.go_to(&change.symbol, first_us);
        }
    }
    let (all, fewer) = (dossier.changes.len(), tr!("Show fewer changes"));
    let more = tr!("Show all {count} changes", count = format::count(all as u64));
    more_ui(ui, all > SHOWN, &mut views.all_changes, (fewer, &more));
}

/// One change: kind and time, what it was in words, where. Returns whether its place on the chart was asked for.
pub fn change_ui(ui: &mut Ui, change: &Change, name: Option<&str>, now_us: i64) -> bool {
    let theme = Theme::of(ui);
    let mark = match change.kind {
        ChangeKind::Appended => ChangeMark::Appended,
        ChangeKind::Rewritten => ChangeMark::Rewritten,
        ChangeKind::Removed => ChangeMark::Removed,
    };
    let mut go = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        change_mark_ui(ui, mark);
        if let Some(name) = name {
            let link = ui.add(egui::Link::new(RichText::new(name)));
            let spoken = format!("{name}: {}", change.kind.word());
            link.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Link, true, &spoken));
            go |= link.on_hover_text(tr!("Show the symbol with the inspector")).clicked();
        }
        ui.label(RichText::new(change.kind.word()).color(if name.is_some() { theme.text_weak } else { theme.text }));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(format::relative(change.noticed_us, now_us)).color(theme.text_weak))
                .on_hover_text(local_time(change.noticed_us));
        });
    });
    below_mark_ui(ui, |ui| {
        sentence_ui(ui, &change.detail, if name.is_some() { theme.text_weak } else { theme.text });
        let years = years_text(&change.years);
        if name.is_none() && (!years.is_empty() || change.first_us.is_some()) {
            ui.horizontal_wrapped(|ui| {
                if !years.is_empty() {
                    ui.label(RichText::new(years).color(theme.text_weak));
                }
                if let Some(first_us) = change.first_us {
                    let link = ui.add(egui::Link::new(tr!("Show {date} on the chart", date = format_date(first_us))));
                    go |= link.clicked();
                }
            });
        }
    });
    go
}

/// Shows the rest of a list, or hides it again.
fn more_ui(ui: &mut Ui, is_more: bool, open: &mut bool, (fewer, more): (&str, &str)) {
    if is_more {
        let text = if *open { fewer } else { more };
        if ui.add(egui::Link::new(text)).clicked() {
            *open = !*open;
        }
    }
}

/// Hits by tier over the last 30 days, and the newest lookups with their reasons.
pub fn lookups_ui(ui: &mut Ui, dossier: &Dossier, views: &mut ViewState, now_us: i64) {
    section_ui(ui, tr!("Lookups, last 30 days"), |ui| lookups_body_ui(ui, dossier, views, now_us));
}

fn lookups_body_ui(ui: &mut Ui, dossier: &Dossier, views: &mut ViewState, now_us: i64) {
    let theme = Theme::of(ui);
    let counts = dossier.lookups();
    if counts.total() == 0 && dossier.log.is_empty() {
        note_ui(ui, tr!("Nobody has looked it up"));
        return;
    }
    if counts.total() > 0 {
        let total = counts.total() as f32;
        let parts: Vec<_> = crate::cache::Tier::iter().map(|tier| (counts.of(tier) as f32 / total, tier_color(theme, tier))).collect();
        stacked_meter_ui(ui, ui.available_width(), 8.0, &parts);
        ui.add_space(space::XS);
        tier_legend_ui(ui, &counts, None);
    }
    if dossier.log.is_empty() {
        return;
    }
    ui.add_space(space::S);
    let shown = if views.all_lookups { dossier.log.len() } else { SHOWN };
    Grid::new("inspector-lookups").num_columns(4).spacing(vec2(space::S, 2.0)).min_col_width(44.0).show(ui, |ui| {
        for lookup in dossier.log.iter().take(shown) {
            let small = |text: String| RichText::new(text).small();
            let when = format::relative(lookup.at_us, now_us);
            ui.label(small(when).color(theme.text_weak)).on_hover_text(local_time(lookup.at_us));
            ui.label(small(lookup.key.dataset.name().to_owned()).color(theme.text_weak));
            let answered = match (lookup.tier, lookup.reason) {
                (crate::cache::Tier::Miss, reason) => tr!("miss: {reason}", reason = reason.word()),
                (tier, LookupReason::Fresh) => tier.word().to_owned(),
                (tier, reason) => format!("{}, {}", tier.word(), reason.word()),
            };
            let color = match lookup.reason {
                LookupReason::Fresh => theme.text,
                LookupReason::Damaged | LookupReason::Failed => StateMark::Failed.color(theme),
                _ => theme.stale,
            };
            ui.label(small(answered).color(color));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(small(format::short_time(lookup.elapsed_us as f64)).color(theme.text));
            });
            ui.end_row();
        }
    });
    let (all, fewer) = (dossier.log.len(), tr!("Show fewer lookups"));
    let more = tr!("Show all {count} lookups", count = format::count(all as u64));
    more_ui(ui, all > SHOWN, &mut views.all_lookups, (fewer, &more));
}
