//! Quality over all symbols: how many have gaps, halts, impossible prices or outliers, and how far symbols are behind.

use super::{group_ui, note_ui};
use crate::app::{Action, AppState};
use crate::market::quality::FindingKind;
use crate::ui::format;
use crate::ui::theme::Theme;
use crate::ui::widgets::meter_ui;
use crate::ui::window::Outbox;
use crate::worker::SymbolRow;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Layout, Ui, vec2};
use strum::IntoEnumIterator;

/// The whole group; every line leads to its symbols.
pub fn quality_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    group_ui(ui, tr!("Quality of the bars"));
    let rows = &state.snapshot.rows;
    let cached = rows.iter().filter(|row| row.rows > 0).count();
    let examined = rows.iter().filter(|row| row.findings.is_some()).count();
    if cached == 0 {
        note_ui(ui, tr!("Nothing is cached, so there is nothing to look at"));
        return;
    }
    let mut any = false;
    for kind in FindingKind::iter() {
        let has = |row: &&SymbolRow| row.findings.is_some_and(|found| found.of_kind(kind) > 0);
        any |= line_ui(ui, kind.word(), (rows, cached), has, out);
    }
    any |= line_ui(ui, tr!("rows left out or mended"), (rows, cached), |row| !row.quality.is_clean(), out);
    any |= line_ui(ui, tr!("behind their market"), (rows, cached), |row| row.sessions_behind.is_some_and(|behind| behind > 0), out);
    if examined < cached {
        let left = cached.saturating_sub(examined) as u64;
        note_ui(ui, &tr_n!(left, "{count} symbol is still to be looked at", "{count} symbols are still to be looked at"));
    } else if !any {
        note_ui(ui, tr!("No findings in any symbol"));
    }
}

/// One kind: its word, how many symbols have it, and a bar. Nothing where there are none.
fn line_ui(ui: &mut Ui, word: &str, (rows, all): (&[SymbolRow], usize), has: impl Fn(&&SymbolRow) -> bool, out: &mut Outbox) -> bool {
    let theme = Theme::of(ui);
    let count = rows.iter().filter(&has).count();
    if count == 0 {
        return false;
    }
    ui.horizontal(|ui| {
        ui.allocate_ui_with_layout(vec2(150.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(150.0);
            ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
            if ui.add(egui::Link::new(word)).on_hover_text(tr!("Show these symbols")).clicked() {
                let symbols = rows.iter().filter(&has).map(|row| row.symbol.clone()).collect();
                out.act(Action::ShowSymbols { title: word.to_owned(), symbols });
            }
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.allocate_ui_with_layout(vec2(56.0, 20.0), Layout::right_to_left(Align::Center), |ui| {
                ui.set_min_width(56.0);
                ui.label(format::count(count as u64));
            });
            meter_ui(ui, ui.available_width(), count as f32 / all.max(1) as f32, theme.warning);
        });
    });
    true
}
