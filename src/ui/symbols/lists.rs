//! The button of lists and saved filters, beside the filter.

use crate::app::{Action, AppState, Command, ListFilter, ListsAction};
use crate::tr;
use crate::ui::theme::{Theme, size, space};
use crate::ui::window::{Outbox, PathPurpose};
use crate::ui::{format, icons};
use eframe::egui;
use egui::{Button, RichText, Ui, vec2};

/// Which list is shown, and the way to the others.
pub(super) fn lists_button_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let chosen = state.chosen_list();
    let name = chosen.map_or(tr!("All symbols"), |list| list.name.as_str());
    let color = if chosen.is_some() { theme.accent } else { theme.text };
    let words = (RichText::new(shortened(name)).color(color), icons::icon(icons::EXPAND).color(theme.text_weak));
    let button = Button::new(words).frame_when_inactive(false).min_size(vec2(0.0, size::CONTROL));
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| menu_ui(ui, state, out));
    let label = tr!("List: {name}", name = name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &label));
    response.on_hover_text(tr!("Your lists of symbols and saved filters"));
}

/// How wide the name on the button is, in points.
pub(super) fn lists_name_width(ui: &Ui, state: &AppState) -> f32 {
    let name = state.chosen_list().map_or(tr!("All symbols"), |list| list.name.as_str());
    egui::WidgetText::from(shortened(name)).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Button).size().x
}

/// A name that leaves room for what stands beside it.
fn shortened(name: &str) -> String {
    const LETTERS: usize = 18;
    if name.chars().count() <= LETTERS { name.to_owned() } else { name.chars().take(LETTERS - 1).chain(['…']).collect() }
}

fn item_ui(ui: &mut Ui, glyph: &str, text: &str, count: Option<usize>, chosen: bool) -> bool {
    let theme = Theme::of(ui);
    let color = if chosen { theme.accent } else { theme.text_weak };
    let mut button = Button::new((icons::icon(glyph).color(color), RichText::new(text))).frame_when_inactive(false);
    if let Some(count) = count {
        button = button.shortcut_text(RichText::new(format::count(count as u64)).small().color(theme.text_weak));
    }
    let response = ui.add(button.min_size(vec2(ui.available_width(), size::CONTROL)));
    crate::ui::commands::name_item(&response, text, "");
    if response.clicked() {
        ui.close();
        return true;
    }
    false
}

fn menu_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.set_min_width(250.0);
    ui.set_max_width(250.0);
    let mut act = |action: ListsAction| out.actions.push(Action::Lists(action));
    let narrowed = state.list.narrowed_by();
    let chosen = narrowed.list.as_deref();
    if item_ui(ui, icons::SYMBOLS, tr!("All symbols"), Some(state.snapshot.rows.len()), chosen.is_none()) {
        act(ListsAction::Choose(None));
    }
    for list in state.lists.lists() {
        if item_ui(ui, icons::STAR, &list.name, Some(list.symbols.len()), chosen == Some(&list.name)) {
            act(ListsAction::Choose(Some(list.name.clone())));
        }
    }
    let heading = |ui: &mut Ui, text: &str| {
        ui.add_space(space::XS);
        ui.label(RichText::new(text).small().color(theme.text_weak));
    };
    let mut in_force = None;
    if !state.lists.filters().is_empty() {
        heading(ui, tr!("Saved filters"));
        for filter in state.lists.filters() {
            let is_in_force = ListFilter { text: narrowed.text.trim().to_owned(), ..narrowed.clone() } == ListFilter::from(filter);
            if is_in_force {
                in_force = Some(filter.name.as_str());
            }
            if item_ui(ui, icons::FILTER, &filter.name, None, is_in_force) {
                act(ListsAction::ApplyFilter(filter.name.clone()));
            }
        }
    }
    if let Some(list) = state.chosen_list() {
        heading(ui, &list.name);
        if item_ui(ui, icons::PREHEAT, tr!("Preheat list"), None, false) {
            act(ListsAction::Preheat(list.name.clone()));
        }
        if item_ui(ui, icons::EDIT, tr!("Rename list…"), None, false) {
            act(ListsAction::Rename(list.name.clone()));
        }
        if item_ui(ui, icons::CLEAR, tr!("Delete list"), None, false) {
            act(ListsAction::Delete(list.name.clone()));
        }
    }
    ui.add_space(space::S);
    let has_selection = !state.list.selected().is_empty();
    let words = if has_selection { tr!("New list of the selected…") } else { Command::NewList.text() };
    if item_ui(ui, icons::ADD, words, None, false) {
        act(ListsAction::New(if has_selection { state.list.targets() } else { Vec::new() }));
    }
    if !narrowed.is_empty() && in_force.is_none() && item_ui(ui, icons::SAVE, tr!("Save filter…"), None, false) {
        act(ListsAction::SaveFilter);
    }
    if let Some(name) = in_force
        && item_ui(ui, icons::CLEAR, &tr!("Delete filter {name}", name = name), None, false)
    {
        act(ListsAction::DeleteFilter(name.to_owned()));
    }
    if item_ui(ui, icons::FOLDER, tr!("List from a file…"), None, false) {
        out.pick.push(PathPurpose::ListFile);
    }
}
