//! Keys of the list while nothing else has the keyboard: what is typed goes to the filter, the space bar selects, Enter opens, Ctrl+C copies.

use super::filter_id;
use crate::app::{Action, AppState, Command, ListAction};
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Event, Key, Modifiers, Ui};

/// Does what keys ask for.
pub(super) fn keys(ui: &Ui, state: &AppState, out: &mut Outbox) {
    let is_elsewhere = ui.memory(|memory| memory.focused().is_some()) || egui::Popup::is_any_open(ui);
    if state.dialog.is_some() || is_elsewhere {
        return;
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Space)) {
        out.act(Action::List(ListAction::CheckFocus));
        return;
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
        && let Some(symbol) = state.list.focus()
    {
        out.act(Action::Inspect(symbol.clone()));
    }
    // A text that was marked with the pointer is what is meant.
    let is_text_marked = ui.plugin::<egui::text_selection::LabelSelectionState>().lock().has_selection();
    let copies = ui.input(|input| input.events.iter().any(|event| matches!(event, Event::Copy)));
    if copies && !is_text_marked && Command::CopyRows.enabled(state).is_ok() {
        out.act(Action::Run(Command::CopyRows));
    }
    let typed = ui.input(|input| {
        let plain = !input.modifiers.ctrl && !input.modifiers.alt && !input.modifiers.command;
        let texts = input.events.iter().filter_map(|event| if let Event::Text(text) = event { Some(text.as_str()) } else { None });
        let letters: String = texts.filter(|text| text.chars().all(char::is_alphabetic)).collect();
        if plain { letters } else { String::new() }
    });
    if !typed.is_empty() {
        // The field takes what follows; this much came before it had the keyboard.
        out.act(Action::List(ListAction::Filter(format!("{}{typed}", state.list.filter()))));
        ui.memory_mut(|memory| memory.request_focus(filter_id()));
        let end = state.list.filter().chars().count() + typed.chars().count();
        let mut field = egui::TextEdit::load_state(ui, filter_id()).unwrap_or_default();
        field.cursor.set_char_range(Some(egui::text::CCursorRange::one(egui::text::CCursor::new(end))));
        field.store(ui, filter_id());
    }
}
