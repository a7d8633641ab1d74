//! Lookups: by tier over time, how long they took, what they read.

use super::note_ui;
use super::plot::{PlotColumn, columns_ui};
use crate::app::{Action, AppState};
use crate::cache::{LookupSpan, LookupStats, Tier};
use crate::here::Here;
use crate::ui::format;
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::{legend_ui, tier_color, tier_legend_ui};
use crate::ui::window::Outbox;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Layout, RichText, Ui, vec2};
use strum::IntoEnumIterator;

/// Room for the names of the table's rows.
const NAME_POINTS: f32 = 90.0;

/// What stands on the button of a span.
fn word_of(span: LookupSpan) -> &'static str {
    match span {
        LookupSpan::Hour => tr!("1 h"),
        LookupSpan::Day => tr!("24 h"),
        LookupSpan::Week => tr!("7 d"),
        LookupSpan::Month => tr!("30 d"),
    }
}

/// The whole group.
pub fn lookups_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    ui.add_space(space::XL);
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new(tr!("Lookups by tier")).color(theme.text));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            let spans: Vec<LookupSpan> = LookupSpan::iter().collect();
            for span in spans.into_iter().rev() {
                let chosen = state.overview.span == span;
                let text = RichText::new(word_of(span)).small();
                let response = ui.selectable_label(chosen, text).on_hover_text(tr!("Lookups of {span}", span = span.words()));
                if response.clicked() {
                    out.act(Action::LookBack(span));
                }
            }
        });
    });
    ui.add_space(space::XS);
    let Some(survey) = &state.overview.survey else {
        note_ui(ui, format::NONE);
        return;
    };
    let stats = &survey.lookups;
    let counts = stats.counts();
    if counts.total() == 0 {
        let text = if survey.month.count > 0 {
            tr!("Nothing was looked up in {span}", span = stats.span.words())
        } else {
            tr!("Nothing was looked up yet: open a symbol, or read one with samovar get").to_owned()
        };
        note_ui(ui, &text);
        return;
    }
    series_ui(ui, stats, survey.made_at_us);
    ui.add_space(space::XS);
    tier_legend_ui(ui, &counts, Some(stats.totals().stale));
    ui.add_space(space::M);
    latency_ui(ui, stats);
    if stats.datasets.len() > 1 {
        datasets_ui(ui, stats);
    }
}

fn series_ui(ui: &mut Ui, stats: &LookupStats, now_us: i64) {
    let theme = Theme::of(ui);
    let width_us = stats.span.bucket_us();
    let columns: Vec<PlotColumn> = stats
        .series
        .iter()
        .map(|bucket| {
            let counts = bucket.lookups.counts;
            let parts = Tier::iter().map(|tier| (counts.of(tier) as f32, tier_color(theme, tier))).collect();
            let (from, to) = (format::moment(bucket.start_us, now_us, &Here), format::moment(bucket.start_us + width_us, now_us, &Here));
            let mut told = vec![tr_n!(counts.total(), "{count} lookup", "{count} lookups")];
            told.extend(counts.rate().map(|rate| tr!("hit rate {rate}", rate = format::percent(rate))));
            if bucket.lookups.stale > 0 {
                told.push(tr_n!(bucket.lookups.stale, "{count} stale", "{count} stale"));
            }
            let text = tr!("{from} to {to}: {what}", from = from, to = to, what = told.join(", "));
            PlotColumn { parts, below: Some((bucket.lookups.stale as f32, theme.stale)), text }
        })
        .collect();
    let ago = match stats.span {
        LookupSpan::Hour => [tr!("60 min ago"), tr!("30 min ago")],
        LookupSpan::Day => [tr!("24 h ago"), tr!("12 h ago")],
        LookupSpan::Week => [tr!("7 d ago"), tr!("3.5 d ago")],
        LookupSpan::Month => [tr!("30 d ago"), tr!("15 d ago")],
    };
    let counts = stats.counts();
    let rate = counts.rate().map_or_else(|| format::NONE.to_owned(), format::percent);
    let lookups = tr_n!(counts.total(), "{count} lookup", "{count} lookups");
    let spoken = tr!("{lookups} in {span}, hit rate {rate}", lookups = lookups, span = stats.span.words(), rate = rate);
    let _pressed = columns_ui(ui, &columns, &[ago[0].to_owned(), ago[1].to_owned(), tr!("now").to_owned()], &spoken);
}

/// A row of the table: its name on the left, five numbers on the right of columns of one width.
fn row_ui(ui: &mut Ui, name: impl FnOnce(&mut Ui), values: &[String; 5], strong: bool) {
    let theme = Theme::of(ui);
    let color = if strong { theme.text } else { theme.text_weak };
    ui.horizontal(|ui| {
        let cell = ((ui.available_width() - NAME_POINTS) / 5.0 - space::XS).clamp(44.0, 110.0);
        name(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            for value in values.iter().rev() {
                ui.allocate_ui_with_layout(vec2(cell, 20.0), Layout::right_to_left(Align::Center), |ui| {
                    ui.set_min_width(cell);
                    let text = RichText::new(value.as_str()).color(color);
                    ui.add(egui::Label::new(if strong { text } else { text.small() }).truncate());
                });
            }
        });
    });
}

/// How long lookups took, by tier; what they served, and what they saved.
fn latency_ui(ui: &mut Ui, stats: &LookupStats) {
    let theme = Theme::of(ui);
    let head = |ui: &mut Ui| {
        ui.label(RichText::new(tr!("Answered by")).small().color(theme.text_weak))
            .on_hover_text(tr!("Percentiles of how long lookups took: half took no longer than p50, 99 of 100 no longer than p99"));
    };
    row_ui(ui, head, &["p50", "p95", "p99", tr!("served"), tr!("saved")].map(str::to_owned), false);
    for (tier, lookups) in &stats.tiers {
        let latency = |pick: fn(&crate::cache::Latency) -> f64| {
            lookups.latency.as_ref().map_or_else(|| format::NONE.to_owned(), |latency| format::short_time(pick(latency)))
        };
        let none_if = |none: bool, text: String| if none { format::NONE.to_owned() } else { text };
        let totals = lookups.totals;
        let values = [
            latency(|latency| latency.p50_us),
            latency(|latency| latency.p95_us),
            latency(|latency| latency.p99_us),
            none_if(totals.size_bytes == 0, format::bytes(totals.size_bytes)),
            none_if(totals.saved_us == 0, format::short_time(totals.saved_us as f64)),
        ];
        row_ui(ui, |ui| drop(legend_ui(ui, tier_color(theme, *tier), crate::app::words::tier(*tier))), &values, true);
    }
}

/// Lookups by dataset, in one line each.
fn datasets_ui(ui: &mut Ui, stats: &LookupStats) {
    let theme = Theme::of(ui);
    ui.add_space(space::S);
    for (name, lookups) in &stats.datasets {
        ui.horizontal(|ui| {
            ui.label(RichText::new(name.as_str()).color(theme.text_weak));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let rate = lookups.counts.rate().map_or_else(|| format::NONE.to_owned(), format::percent);
                let count = tr_n!(lookups.counts.total(), "{count} lookup", "{count} lookups");
                let text = tr!("{lookups}, hit rate {rate}", lookups = count, rate = rate);
                ui.label(RichText::new(text).color(theme.text));
            });
        });
    }
}
