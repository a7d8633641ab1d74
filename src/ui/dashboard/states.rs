//! Symbols by state, and when what is fresh will not be any more.

use super::group_ui;
use super::plot::{PlotColumn, columns_ui};
use crate::app::{Action, AppState, ListAction, StateFilter, View};
use crate::cache::EntryState;
use crate::ui::format;
use crate::ui::theme::{StateMark, Theme, mark_ui};
use crate::ui::widgets::meter_ui;
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Align, Layout, Ui, vec2};
use std::collections::BTreeMap;

/// Symbols by state; a click narrows the list to it.
pub fn states_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    group_ui(ui, "Symbols by state");
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
                if ui.add_enabled(count > 0, egui::Link::new(mark.word())).on_hover_text("Show these symbols").clicked() {
                    out.act(Action::Show(View::Symbols));
                    for chip in state.list.states() {
                        out.act(Action::List(ListAction::ToggleState(*chip)));
                    }
                    out.act(Action::List(ListAction::ToggleState(StateFilter::State(entry_state))));
                }
            });
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.allocate_ui_with_layout(vec2(56.0, 20.0), Layout::right_to_left(Align::Center), |ui| {
                    ui.set_min_width(56.0);
                    ui.label(format::count(count as u64));
                });
                meter_ui(ui, ui.available_width(), count as f32 / all as f32, mark.color(theme));
            });
        });
    }
}

/// When fresh entries stop being fresh, by hour over the next day, and later.
pub fn expiry_ui(ui: &mut Ui, state: &AppState) {
    let theme = Theme::of(ui);
    group_ui(ui, "Fresh entries by the hour they expire");
    let hours = &state.snapshot.expiring_hours;
    if hours.is_empty() {
        super::note_ui(ui, "Nothing is fresh, so nothing will expire");
        return;
    }
    let span = hours.keys().next_back().copied().unwrap_or(0).clamp(23, 24 * 14 - 1);
    // At most 48 bars: hours become groups of hours for longer times to live.
    let per_bar = (span / 48) + 1;
    let mut bars: BTreeMap<i64, usize> = BTreeMap::new();
    for (hour, count) in hours {
        *bars.entry(((*hour).clamp(0, span)) / per_bar).or_default() += count;
    }
    let columns: Vec<PlotColumn> = (0..=span / per_bar)
        .map(|bar| {
            let count = bars.get(&bar).copied().unwrap_or(0);
            let color = if bar * per_bar < 3 { theme.cooling } else { theme.fresh };
            let text = format!("in {} to {} h: {}", bar * per_bar, (bar + 1) * per_bar, format::counted(count as u64, "entry", "entries"));
            PlotColumn { parts: vec![(count as f32, color)], below: None, text }
        })
        .collect();
    let all = hours.values().sum::<usize>() as u64;
    let spoken = format!("{} expire within {} hours", format::counted(all, "fresh entry", "fresh entries"), span + 1);
    columns_ui(ui, &columns, &["now".to_owned(), format!("in {} h", span.div_euclid(2) + 1), format!("in {} h", span + 1)], &spoken);
}
