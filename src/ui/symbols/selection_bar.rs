//! What is selected and what can be done with it; and the export that runs.

use super::menu::add_to_list_ui;
use crate::app::{Action, AppState, Command, ExportAction, Exporting};
use crate::ui::theme::{Theme, size, space};
use crate::ui::widgets::meter_ui;
use crate::ui::window::Outbox;
use crate::ui::{format, icons};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{RichText, Ui, vec2};

/// The bar below the list while something is selected.
pub(super) fn selection_bar_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let totals = state.list.totals();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::XS, space::XS);
        let count = tr_n!(state.list.selected().len() as u64, "{count} symbol", "{count} symbols");
        let mut text = format!("{count} · {}", format::bytes(totals.size_bytes));
        if totals.hidden > 0 {
            text += " · ";
            text += &tr_n!(totals.hidden as u64, "{count} not shown", "{count} not shown");
        }
        ui.label(RichText::new(text).color(theme.text));
        ui.add_space(space::XS);
        for command in [
            Command::PreheatSelected,
            Command::RefreshSelected,
            Command::InvalidateSelected,
            Command::PinSelected,
            Command::ClearSelected,
            Command::ExportRows,
        ] {
            word_button_ui(ui, state, command, out);
        }
        let words = (RichText::new(tr!("Add to list")), icons::icon(icons::EXPAND).color(theme.text_weak));
        let button = egui::Button::new(words).min_size(vec2(0.0, size::CONTROL));
        let (response, _) =
            egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| add_to_list_ui(ui, state, &|| state.list.targets(), out));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, tr!("Add to list")));
        if icons::icon_button_ui(ui, icons::CLOSE, Command::SelectNone.text()).clicked() {
            out.act(Action::Run(Command::SelectNone));
        }
    });
}

/// A command in words alone: beside so many others there is no room for icons.
fn word_button_ui(ui: &mut Ui, state: &AppState, command: Command, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let enabled = command.enabled(state);
    // All of them are pinned: pressed again, none is.
    let is_unpin = command == Command::PinSelected && state.list.totals().pinned == state.list.selected().len();
    let words = if is_unpin { tr!("Unpin") } else { command.text() };
    let color = if enabled.is_ok() { theme.text } else { theme.text_disabled };
    let response = ui.add_enabled(enabled.is_ok(), egui::Button::new(RichText::new(words).color(color)).min_size(vec2(0.0, size::CONTROL)));
    let keys = command.shortcut().map(|keys| format!("  {keys}")).unwrap_or_default();
    let response = response.on_hover_text(format!("{}{keys}", command.tooltip()));
    if response.on_disabled_hover_text(enabled.err().unwrap_or_default()).clicked() {
        out.act(Action::Run(command));
    }
}

/// The bar below the list while an export runs.
pub(super) fn export_progress_ui(ui: &mut Ui, exporting: Exporting, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        let share = exporting.done as f32 / exporting.total.max(1) as f32;
        meter_ui(ui, 120.0, share, theme.accent);
        let (done, total) = (format::count(exporting.done as u64), exporting.total as u64);
        let text = tr_n!(total, "Exporting {done} of {count} symbol", "Exporting {done} of {count} symbols", done = done);
        ui.label(RichText::new(text).small().color(theme.text));
        let stop = ui.add_enabled(!exporting.stopping, egui::Button::new(RichText::new(tr!("Stop export")).small()));
        if stop.on_hover_text(tr!("Files that are finished stay")).clicked() {
            out.act(Action::Export(ExportAction::Stop));
        }
    });
}
