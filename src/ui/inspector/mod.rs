//! The inspector: everything that is known of one symbol, beside its chart.
//!
//! Answers, from top to bottom: why it is in its state, since when and until when, what changed at the source, what was noticed
//! in its rows, where its files lie and how they are built, who reads it. Every section can be closed, every value copied. It
//! draws a dossier and decides nothing.

mod facts;
mod history;
mod layout;
mod parts;
mod quality;

pub use history::change_ui;
pub use quality::quality_lines;

use super::icons;
use super::symbols::now_us;
use super::theme::{Theme, space};
use super::window::{Outbox, ViewState};
use crate::app::{Action, AppState, Command};
use crate::tr;
use eframe::egui;
use egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, ScrollArea, Ui};

/// Its usual width, in points.
pub const WIDTH: f32 = 336.0;
/// Its least width, in points.
pub const LEAST_WIDTH: f32 = 280.0;

/// The panel at the right of the chart, if it is shown.
pub fn inspector_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    if !state.inspector.open {
        return;
    }
    let theme = Theme::of(ui);
    let frame = Frame::NONE.fill(theme.panel).inner_margin(Margin { left: 12, right: 0, top: 0, bottom: 0 });
    Panel::right("inspector").resizable(true).default_size(WIDTH).min_size(LEAST_WIDTH).max_size(560.0).frame(frame).show(ui, |ui| {
        head_ui(ui, state, out);
        ScrollArea::vertical().id_salt("inspector").auto_shrink([false, false]).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin { left: 0, right: 12, top: 0, bottom: 16 }).show(ui, |ui| body_ui(ui, state, views, out));
        });
    });
}

fn head_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(space::S);
            if icons::icon_button_ui(ui, icons::CLOSE, tr!("Hide inspector")).clicked() {
                out.act(Action::Run(Command::ShowInspector));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                // Whose facts these are, not whose are on their way: the panel never mixes two symbols.
                let name = state.inspector.dossier.as_ref().map_or(tr!("Inspector"), |dossier| dossier.symbol.as_str());
                ui.add(Label::new(RichText::new(name).heading().color(theme.text)).truncate());
            });
        });
    });
}

fn body_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let Some(dossier) = &state.inspector.dossier else {
        ui.add_space(space::S);
        let text =
            if state.list.focus().is_none() { tr!("Choose a symbol to see what is known of it") } else { tr!("Looking into the catalog") };
        ui.label(RichText::new(text).color(theme.text_weak));
        return;
    };
    let now_us = now_us(state);
    facts::state_ui(ui, state, dossier, now_us, out);
    history::changes_ui(ui, dossier, views, now_us);
    facts::times_ui(ui, dossier, now_us);
    facts::source_ui(ui, state, dossier);
    quality::quality_ui(ui, dossier, views, now_us);
    facts::files_ui(ui, dossier, out);
    history::lookups_ui(ui, dossier, views, now_us);
}

/// What can be done with the inspector, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    use crate::tr;
    vec![
        Gesture::new(tr!("Click on a path or a fingerprint"), tr!("Select it to copy it")),
        Gesture::new(tr!("Drag its edge"), tr!("Make it wider")),
    ]
}
