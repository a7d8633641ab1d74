//! Keys of the list while nothing else has the keyboard: the space bar selects, Enter opens, Ctrl+C copies.

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
}
