//! The menus of rows, of heads, and of all columns.

use crate::app::{Action, AppState, ChartAction, Column, Command, ListAction, ListsAction};
use crate::market::Symbol;
use crate::tr;
use crate::ui::commands::{icon_of, name_item};
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::widgets::check_ui;
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Button, RichText, Ui, vec2};

/// Menus are as wide as what stands in them needs, not as wide as they may be.
fn width(ui: &mut Ui, points: f32) {
    ui.set_min_width(points);
    ui.set_max_width(points);
}

/// An item of a menu with its icon and keys; returns whether it was pressed.
fn item_ui(ui: &mut Ui, state: &AppState, symbol: &Symbol, command: Command) -> bool {
    let theme = Theme::of(ui);
    // What needs a selection gets it from the row, which is chosen first.
    let enabled = match command {
        Command::RevealFile | Command::CopyPaths if state.bars_path(symbol).is_none() => Err(tr!("nothing is cached of it")),
        Command::ExportRows => command.enabled(state),
        _ => Ok(()),
    };
    let is_enabled = enabled.is_ok();
    let keys = command.shortcut().map(|keys| keys.to_string()).unwrap_or_default();
    let glyph = icon_of(command).unwrap_or(" ");
    let words = (icons::icon(glyph).color(theme.text_weak), RichText::new(command.text()));
    let button = Button::new(words).shortcut_text(RichText::new(&keys).color(theme.text_weak)).frame_when_inactive(false);
    let response = ui.add_enabled(is_enabled, button.min_size(vec2(ui.available_width(), size::CONTROL)));
    name_item(&response, command.text(), &keys);
    response.on_hover_text(command.tooltip()).on_disabled_hover_text(enabled.err().unwrap_or_default()).clicked()
}

/// The menu of a row: about the selection where the row is part of it, else about the row.
pub(super) fn row_menu_ui(ui: &mut Ui, state: &AppState, symbol: &Symbol, out: &mut Outbox) {
    width(ui, 250.0);
    let in_selection = state.list.selected().contains(symbol);
    let choose = |out: &mut Outbox| {
        if !in_selection {
            out.act(Action::List(ListAction::SelectOnly(symbol.clone())));
        }
    };
    let work =
        [Command::PreheatSelected, Command::RefreshSelected, Command::InvalidateSelected, Command::PinSelected, Command::ClearSelected];
    let copy = [Command::CopySymbols, Command::CopyRows, Command::CopyPaths, Command::RevealFile, Command::ExportRows];
    for (place, group) in [work.as_slice(), copy.as_slice()].into_iter().enumerate() {
        if place > 0 {
            ui.add_space(space::XS);
            if plain_item_ui(ui, icons::INFO, tr!("Inspect")) {
                out.act(Action::Inspect(symbol.clone()));
                ui.close();
            }
            let is_shown = state.list.focus() == Some(symbol);
            if (in_selection || !is_shown) && plain_item_ui(ui, icons::COMPARE, Command::CompareSelected.text()) {
                // A row by itself goes beside what is on the chart; a selection is compared with itself.
                out.act(if in_selection {
                    Action::Run(Command::CompareSelected)
                } else {
                    Action::Chart(ChartAction::Compare(vec![symbol.clone()]))
                });
                ui.close();
            }
            let symbols = || if in_selection { state.list.targets() } else { vec![symbol.clone()] };
            let words = (icons::icon(icons::STAR).color(Theme::of(ui).text_weak), RichText::new(tr!("Add to list")));
            let submenu = ui.menu_button(words, |ui| add_to_list_ui(ui, state, &symbols, out));
            name_item(&submenu.response, tr!("Add to list"), "");
            if let Some(list) = state.chosen_list()
                && plain_item_ui(ui, icons::CLOSE, &tr!("Take from {list}", list = list.name))
            {
                out.act(Action::Lists(ListsAction::Take { list: list.name.clone(), symbols: symbols() }));
                ui.close();
            }
            ui.add_space(space::XS);
        }
        for command in group {
            if item_ui(ui, state, symbol, *command) {
                choose(out);
                out.act(Action::Run(*command));
                ui.close();
            }
        }
    }
}

fn plain_item_ui(ui: &mut Ui, glyph: &str, text: &str) -> bool {
    let theme = Theme::of(ui);
    let button = Button::new((icons::icon(glyph).color(theme.text_weak), RichText::new(text))).frame_when_inactive(false);
    let response = ui.add(button.min_size(vec2(ui.available_width(), size::CONTROL)));
    name_item(&response, text, "");
    response.clicked()
}

/// The lists symbols can be added to, and a new one.
pub(super) fn add_to_list_ui(ui: &mut Ui, state: &AppState, symbols: &dyn Fn() -> Vec<Symbol>, out: &mut Outbox) {
    width(ui, 200.0);
    for list in state.lists.lists() {
        if plain_item_ui(ui, icons::SYMBOLS, &list.name) {
            out.act(Action::Lists(ListsAction::Add { list: list.name.clone(), symbols: symbols() }));
            ui.close();
        }
    }
    if plain_item_ui(ui, icons::ADD, Command::NewList.text()) {
        out.act(Action::Lists(ListsAction::New(symbols())));
        ui.close();
    }
}

/// The menu of a head.
pub(super) fn head_menu_ui(ui: &mut Ui, state: &AppState, column: Column, out: &mut Outbox) {
    width(ui, 200.0);
    let sorted = state.list.sort().place_of(column);
    let others = !state.list.sort().keys().is_empty() && sorted.is_none();
    let mut act = |ui: &Ui, action: ListAction| {
        out.act(Action::List(action));
        ui.close();
    };
    for (descending, glyph, text) in [(false, icons::SORT_UP, tr!("Sort ascending")), (true, icons::SORT_DOWN, tr!("Sort descending"))] {
        if plain_item_ui(ui, glyph, text) {
            act(ui, ListAction::SetSort { column, descending: Some(descending), add: false });
        }
    }
    if others && plain_item_ui(ui, icons::ADD, tr!("Sort by this, too")) {
        act(ui, ListAction::SetSort { column, descending: Some(false), add: true });
    }
    if sorted.is_some() && plain_item_ui(ui, icons::CLOSE, tr!("Do not sort by this")) {
        act(ui, ListAction::SetSort { column, descending: None, add: true });
    }
    if column != Column::Symbol {
        ui.add_space(space::XS);
        if plain_item_ui(ui, icons::CHEVRON_LEFT, tr!("Move left")) {
            act(ui, ListAction::StepColumn { column, to_right: false });
        }
        if plain_item_ui(ui, icons::CHEVRON_RIGHT, tr!("Move right")) {
            act(ui, ListAction::StepColumn { column, to_right: true });
        }
        if plain_item_ui(ui, icons::HIDDEN, tr!("Hide column")) {
            act(ui, ListAction::ToggleColumn(column));
        }
    }
    ui.add_space(space::XS);
    let words = (icons::icon(icons::TUNE).color(Theme::of(ui).text_weak), RichText::new(tr!("Columns")));
    let submenu = ui.menu_button(words, |ui| columns_menu_ui(ui, state, out));
    name_item(&submenu.response, tr!("Columns"), "");
}

/// Every column, to be shown or hidden.
pub(super) fn columns_menu_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    width(ui, 220.0);
    ui.label(RichText::new(tr!("Columns")).small().color(theme.text_weak));
    for place in state.list.columns().places() {
        let column = place.column;
        let mut shown = place.shown;
        let is_fixed = column == Column::Symbol;
        let response = ui.add_enabled_ui(!is_fixed, |ui| check_ui(ui, &mut shown, column.text())).inner;
        if response.on_hover_text(column.explanation()).on_disabled_hover_text(tr!("The symbol is always shown")).changed() {
            out.act(Action::List(ListAction::ToggleColumn(column)));
        }
    }
    ui.add_space(space::XS);
    let hint = RichText::new(tr!("Drag a head to move its column")).small().color(theme.text_weak);
    // Menus stretch lines to their width, and letters with them where a line is broken.
    ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| ui.add(egui::Label::new(hint).selectable(false)));
    if plain_item_ui(ui, icons::RETRY, tr!("Reset columns")) {
        out.act(Action::List(ListAction::UsualColumns));
        ui.close();
    }
}
