//! The dialog that names a list or a filter, and into which symbols are pasted.

use crate::app::{Action, AppState, Dialog, ListForm, ListPurpose, ListsAction};
use crate::ui::dialogs::dialog_frame;
use crate::ui::format;
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::check_ui;
use crate::ui::window::Outbox;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Id, Key, Modal, RichText, TextEdit, Ui};

/// How many unknown words are named.
const NAMED: usize = 12;

/// Draws the dialog while it is open.
pub fn list_dialog_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::List(form)) = &state.dialog else { return };
    let theme = Theme::of(ui);
    let response = Modal::new(Id::unique("list")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(440.0);
        let (title, done) = match &form.purpose {
            ListPurpose::New => (tr!("New list"), tr!("Create list")),
            ListPurpose::Rename(_) => (tr!("Rename list"), tr!("Rename")),
            ListPurpose::SaveFilter => (tr!("Save filter"), tr!("Save")),
        };
        ui.label(RichText::new(title).heading());
        ui.add_space(space::S);
        let mut name = form.name.clone();
        let label = ui.label(RichText::new(tr!("Name")).small().color(theme.text_weak));
        let id = Id::unique("list name");
        let field = ui.add(TextEdit::singleline(&mut name).id(id).desired_width(f32::INFINITY)).labelled_by(label.id);
        // Asked before the field has the keyboard again, which Enter takes from it.
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        if field.changed() {
            out.act(Action::Lists(ListsAction::Name(name)));
        }
        if form.purpose == ListPurpose::New {
            symbols_ui(ui, form, out);
        }
        ui.add_space(space::L);
        let check = form.check(&state.lists);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let button = egui::Button::new(RichText::new(done).color(if check.is_ok() { theme.on_accent } else { theme.text_weak }));
            let button = if check.is_ok() { button.fill(theme.accent) } else { button };
            let pressed = ui.add_enabled(check.is_ok(), button).on_disabled_hover_text(check.err().unwrap_or_default()).clicked();
            if pressed || (entered && check.is_ok()) {
                out.act(Action::Lists(ListsAction::Done));
            }
            if ui.button(tr!("Cancel")).clicked() {
                out.act(Action::CloseDialog);
            }
            if let Some(reason) = check.err().filter(|_| !form.name.trim().is_empty()) {
                ui.label(RichText::new(reason).small().color(theme.error));
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}

fn symbols_ui(ui: &mut Ui, form: &ListForm, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::S);
    let label = ui.label(RichText::new(tr!("Symbols, separated by spaces, commas or lines")).small().color(theme.text_weak));
    if form.as_text {
        let mut text = form.text.clone();
        egui::ScrollArea::vertical().max_height(180.0).show(ui, |ui| {
            let field = TextEdit::multiline(&mut text).desired_rows(8).desired_width(f32::INFINITY).hint_text(tr!("Type or paste symbols"));
            if ui.add(field).labelled_by(label.id).changed() {
                out.act(Action::Lists(ListsAction::Text(text)));
            }
        });
    } else {
        let all = form.found.known.len() + form.found.unknown.len();
        let named: Vec<&str> = form.found.known.iter().chain(&form.found.unknown).take(NAMED).map(String::as_str).collect();
        let names =
            tr!("{names} and {count} more", names = named.join(", "), count = format::count(all.saturating_sub(named.len()) as u64));
        ui.add(egui::Label::new(RichText::new(names).color(theme.text)).wrap());
        if ui.link(tr!("Edit as text")).clicked() {
            out.act(Action::Lists(ListsAction::EditText));
        }
    }
    ui.add_space(space::XS);
    let (known, unknown) = (form.found.known.len() as u64, form.found.unknown.len() as u64);
    ui.label(RichText::new(tr_n!(known, "{count} symbol of this source", "{count} symbols of this source")).small().color(theme.text));
    if unknown > 0 {
        let named: Vec<&str> = form.found.unknown.iter().take(NAMED).map(String::as_str).collect();
        let more = if form.found.unknown.len() > NAMED { "…" } else { "" };
        let names = format!("{}{more}", named.join(", "));
        let text =
            tr_n!(unknown, "{count} is unknown to this source: {names}", "{count} are unknown to this source: {names}", names = names);
        ui.add(egui::Label::new(RichText::new(text).small().color(theme.warning)).wrap());
        let mut keep = form.keep_unknown;
        if check_ui(ui, &mut keep, tr!("Keep those, too")).changed() {
            out.act(Action::Lists(ListsAction::KeepUnknown(keep)));
        }
    }
}
