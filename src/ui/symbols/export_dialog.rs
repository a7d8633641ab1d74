//! The dialog that asks what to export and as what; where to is the desktop's question.

use crate::app::{Action, AppState, Dialog, ExportAction, ExportForm, ExportWhat};
use crate::ui::dialogs::dialog_frame;
use crate::ui::theme::{Theme, space};
use crate::ui::window::{Outbox, PathPurpose};
use crate::worker::ExportFormat;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Id, Modal, RichText, Ui};
use strum::IntoEnumIterator;

fn what_words(what: ExportWhat) -> (&'static str, &'static str) {
    match what {
        ExportWhat::Table => (tr!("The list"), tr!("One file with the shown columns, in the shown order")),
        ExportWhat::Bars => (tr!("Bars"), tr!("A file of bars of each symbol, into a folder")),
        ExportWhat::BarsAndFeatures => {
            (tr!("Bars and features"), tr!("Also a file of bars with the features of each set, into the same folder"))
        }
    }
}

/// What the choices below are about.
fn heading(ui: &mut Ui, words: &str) {
    let theme = Theme::of(ui);
    ui.label(RichText::new(words).small().color(theme.text_weak));
}

/// Draws the dialog while it is open; `asks_for_path` while a dialog in front of it asks for a path.
pub fn export_dialog_ui(ui: &mut Ui, state: &AppState, asks_for_path: bool, out: &mut Outbox) {
    let Some(Dialog::Export(form)) = state.dialog else { return };
    let theme = Theme::of(ui);
    let mut changed = form;
    let response = Modal::new(Id::unique("export")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new(tr!("Export")).heading());
        let rows = tr_n!(state.exported_rows(&changed) as u64, "{count} symbol", "{count} symbols");
        ui.label(RichText::new(rows).small().color(theme.text_weak));
        ui.add_space(space::S);
        heading(ui, tr!("Content"));
        for what in ExportWhat::iter() {
            let (words, explanation) = what_words(what);
            ui.radio_value(&mut changed.what, what, words);
            // Close below its choice.
            ui.add_space(-space::XS);
            ui.horizontal(|ui| {
                ui.add_space(space::XL);
                ui.set_height(space::L);
                ui.label(RichText::new(explanation).small().color(theme.text_weak));
            });
            ui.add_space(space::XS);
        }
        ui.add_space(space::S);
        let selected = state.list.selected().len() as u64;
        if selected > 0 {
            heading(ui, tr!("Symbols"));
            let shown = state.list.visible().len() as u64;
            ui.radio_value(
                &mut changed.selected_only,
                true,
                tr_n!(selected, "The {count} selected symbol", "The {count} selected symbols"),
            );
            ui.radio_value(&mut changed.selected_only, false, tr_n!(shown, "The {count} shown symbol", "All {count} shown symbols"));
            ui.add_space(space::S);
        }
        heading(ui, tr!("Format"));
        ui.horizontal(|ui| {
            for format in ExportFormat::iter() {
                ui.selectable_value(&mut changed.format, format, format.name());
            }
        });
        ui.add_space(space::L);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let to_file = changed.what == ExportWhat::Table;
            let words = if to_file { tr!("Choose a file…") } else { tr!("Choose a folder…") };
            let button = egui::Button::new(RichText::new(words).color(theme.on_accent)).fill(theme.accent);
            let can = state.exported_rows(&changed) > 0;
            // A field behind it may still have the keyboard.
            let enter = !asks_for_path
                && (ui.memory(|memory| memory.focused().is_none()) || ui.text_edit_focused())
                && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if ui.add_enabled(can, button).clicked() || (enter && can) {
                out.pick.push(if to_file { PathPurpose::ExportFile(changed.format) } else { PathPurpose::ExportFolder });
            }
            if ui.button(tr!("Cancel")).clicked() {
                out.act(Action::CloseDialog);
            }
        });
    });
    if changed != form {
        let form: ExportForm = changed;
        out.act(Action::Export(ExportAction::Change(form)));
    }
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}
