//! Which Samovar this is: version, licence, and where it keeps things.
//!
//! Contract: reads the state; what is shown here can be copied as text, for a report.

use super::theme::{Theme, space};
use super::widgets::fact_label_ui;
use super::window::Outbox;
use crate::app::{Action, AppState, Command, Dialog};
use crate::tr;
use eframe::egui;
use egui::{Grid, Id, Label, Modal, RichText, Ui, vec2};

/// Words on the left, values on the right.
fn facts(state: &AppState) -> Vec<(&'static str, String)> {
    let [cache, bars, features] = &state.snapshot.folders;
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    vec![
        (tr!("Version"), env!("CARGO_PKG_VERSION").to_owned()),
        (tr!("System"), system),
        (tr!("Licence"), env!("CARGO_PKG_LICENSE").to_owned()),
        (tr!("Settings file"), state.snapshot.settings_file.display().to_string()),
        (tr!("Cache folder"), cache.display().to_string()),
        (tr!("Bars folder"), bars.display().to_string()),
        (tr!("Features folder"), features.display().to_string()),
    ]
}

/// Draws the dialog while it is open.
pub fn about_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::About) = &state.dialog else { return };
    let theme = Theme::of(ui);
    let response = Modal::new(Id::unique("about")).frame(super::dialogs::dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(520.0);
        ui.horizontal(|ui| {
            super::logo::logo_ui(ui);
            ui.label(RichText::new(tr!("About Samovar")).heading());
        });
        ui.label(RichText::new(tr!("Samovar keeps market data hot")).color(theme.text_weak));
        ui.add_space(space::L);
        let facts: Vec<(&str, String)> = facts(state).into_iter().filter(|(_, value)| !value.is_empty()).collect();
        Grid::new("about").num_columns(2).spacing(vec2(space::XL, space::XS)).show(ui, |ui| {
            for (word, value) in &facts {
                fact_label_ui(ui, word);
                ui.add(Label::new(RichText::new(value).color(theme.text)).selectable(true).truncate());
                ui.end_row();
            }
        });
        super::dialogs::foot_ui(ui, |ui| {
            if ui.button(tr!("Close")).clicked() {
                out.act(Action::CloseDialog);
            }
            if ui.button(Command::SaveDiagnostics.text()).clicked() {
                out.act(Action::CloseDialog);
                out.act(Action::Run(Command::SaveDiagnostics));
            }
            if ui.button(tr!("Copy")).clicked() {
                out.act(Action::Copy(facts.iter().map(|(word, value)| format!("{word}\t{value}\n")).collect()));
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}
