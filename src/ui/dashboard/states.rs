//! Symbols by state, and when what is fresh will not be any more.

use super::group_ui;
use super::plot::{PlotColumn, columns_ui};
use crate::app::{Action, AppState, ListAction, StateFilter, View};
use crate::cache::EntryState;
use crate::market::{HOUR_US, Symbol};
use crate::ui::format;
use crate::ui::theme::{StateMark, Theme, mark_ui};
use crate::ui::widgets::meter_ui;
use crate::ui::window::Outbox;
use crate::worker::DatasetFacts;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Layout, RichText, Ui, vec2};
use std::collections::BTreeMap;

/// Symbols by state; a click narrows the list to it.
pub fn states_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    group_ui(ui, tr!("Symbols by state"));
    let all = state.snapshot.rows.len().max(1);
    for (entry_state, mark) in [
        (EntryState::Fresh, StateMark::Fresh),
        (EntryState::Stale, StateMark::Stale),
        (EntryState::Outdated, StateMark::Outdated),
        (EntryState::Missing, StateMark::Missing),
        (EntryState::Failed, StateMark::Failed),
        (EntryState::Damaged, StateMark::Damaged),
    ] {
        let count = state.snapshot.rows.iter().filter(|row| row.state == entry_state).count();
        ui.horizontal(|ui| {
            mark_ui(ui, mark);
            ui.allocate_ui(vec2(84.0, 20.0), |ui| {
                ui.set_min_width(84.0);
                if count == 0 {
                    ui.label(RichText::new(mark.word()).color(theme.text_weak));
                    return;
                }
                let link = ui.add(egui::Link::new(mark.word()));
                if link.on_hover_text(tr!("Show these symbols")).clicked() {
                    out.act(Action::Show(View::Symbols));
                    out.act(Action::List(ListAction::ShowAll));
                    out.act(Action::List(ListAction::ToggleState(StateFilter::State(entry_state))));
                }
            });
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.allocate_ui_with_layout(vec2(56.0, 20.0), Layout::right_to_left(Align::Center), |ui| {
                    ui.set_min_width(56.0);
                    let color = if count == 0 { theme.text_weak } else { theme.text };
                    ui.label(RichText::new(format::count(count as u64)).color(color));
                });
                meter_ui(ui, ui.available_width(), count as f32 / all as f32, mark.color(theme));
            });
        });
    }
}

/// When fresh entries stop being fresh, by hour over the next day, and later; a click shows whose.
pub fn expiry_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    group_ui(ui, tr!("Fresh entries by the hour they expire"));
    let now_us = state.snapshot.made_at_us;
    let fresh = || state.snapshot.rows.iter().flat_map(|row| row.datasets.iter().map(move |facts| (row, facts)));
    let hour_of = |facts: &DatasetFacts| {
        let at_us = facts.expires_at_us.filter(|_| facts.state == EntryState::Fresh)?;
        Some((at_us - now_us).div_euclid(HOUR_US))
    };
    let mut hours: BTreeMap<i64, usize> = BTreeMap::new();
    for hour in fresh().filter_map(|(_, facts)| hour_of(facts)) {
        *hours.entry(hour).or_default() += 1;
    }
    if hours.is_empty() {
        super::note_ui(ui, tr!("Nothing is fresh, so nothing will expire"));
        return;
    }
    let span = hours.keys().next_back().copied().unwrap_or(0).clamp(23, 24 * 14 - 1);
    // At most 48 bars: hours become groups of hours for longer times to live.
    let per_bar = (span / 48) + 1;
    let bar_of = |hour: i64| hour.clamp(0, span) / per_bar;
    let mut bars: BTreeMap<i64, usize> = BTreeMap::new();
    for (hour, count) in &hours {
        *bars.entry(bar_of(*hour)).or_default() += count;
    }
    let span_of = |bar: i64| tr!("in {from} to {to} h", from = bar * per_bar, to = (bar + 1) * per_bar);
    let columns: Vec<PlotColumn> = (0..=span / per_bar)
        .map(|bar| {
            let count = bars.get(&bar).copied().unwrap_or(0);
            let color = if bar * per_bar < 3 { theme.cooling } else { theme.fresh };
            let text = format!("{}: {}", span_of(bar), tr_n!(count as u64, "{count} entry", "{count} entries"));
            PlotColumn { parts: vec![(count as f32, color)], below: None, text }
        })
        .collect();
    let all = hours.values().sum::<usize>() as u64;
    let spoken = tr_n!(
        all,
        "{count} fresh entry expires within {hours} hours",
        "{count} fresh entries expire within {hours} hours",
        hours = span + 1
    );
    let words = [tr!("now").to_owned(), tr!("in {hours} h", hours = span.div_euclid(2) + 1), tr!("in {hours} h", hours = span + 1)];
    let Some(pressed) = columns_ui(ui, &columns, &words, &spoken).and_then(|place| i64::try_from(place).ok()) else { return };
    let mut symbols: Vec<Symbol> =
        fresh().filter(|(_, facts)| hour_of(facts).map(bar_of) == Some(pressed)).map(|(row, _)| row.symbol.clone()).collect();
    symbols.dedup();
    if !symbols.is_empty() {
        out.act(Action::ShowSymbols { title: tr!("expire {when}", when = span_of(pressed)), symbols });
    }
}
