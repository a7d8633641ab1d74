//! The command palette: every command and every symbol, found by typing.

use super::commands::{icon_of, name_item};
use super::icons;
use super::theme::{Theme, size, space};
use super::window::{Outbox, ViewState};
use crate::app::{Action, AppState, ChartAction, Command, Dialog, ListAction, View};
use crate::market::Symbol;
use eframe::egui;
use egui::{Id, Modal, Modifiers, RichText, TextEdit, Ui, vec2};
use strum::IntoEnumIterator;

/// Most lines shown.
const LINES: usize = 12;

/// What is typed and chosen.
#[derive(Debug, Clone, Default)]
pub struct PaletteState {
    text: String,
    chosen: usize,
    open: bool,
}

enum Line {
    Command(Command),
    Symbol(Symbol),
    /// A chart template.
    Template(String),
}

/// The letters of `needle` in their order somewhere in `text`; better matches have smaller numbers.
fn rank(text: &str, needle: &str) -> Option<usize> {
    let text = text.to_lowercase();
    if let Some(position) = text.find(needle) {
        return Some(position);
    }
    let mut from = 0;
    let mut gaps = 100;
    for letter in needle.chars() {
        let position = text.get(from..)?.find(letter)?;
        gaps += position;
        from += position + letter.len_utf8();
    }
    Some(gaps)
}

fn template_text(name: &str) -> String {
    format!("Apply template {name}")
}

/// Chart templates that match, best first; their names alone are searched where nothing else is.
fn templates(state: &AppState, needle: &str, alone: bool) -> Vec<(usize, String)> {
    let text = |name: &str| if alone { name.to_owned() } else { template_text(name) };
    let names = state.chart.templates.names().into_iter();
    let mut found: Vec<(usize, String)> = names.filter_map(|(name, _)| Some((rank(&text(&name), needle)?, name))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found
}

fn lines(state: &AppState, text: &str) -> Vec<Line> {
    let needle = text.trim().to_lowercase();
    if matches!(state.dialog, Some(Dialog::Templates)) {
        return templates(state, &needle, true).into_iter().map(|(_, name)| Line::Template(name)).take(LINES).collect();
    }
    let mut commands: Vec<(usize, Line)> = Command::iter()
        .filter(|command| !matches!(command, Command::Palette))
        .filter_map(|command| Some((rank(command.text(), &needle)?, Line::Command(command))))
        .collect();
    if !needle.is_empty() {
        commands.extend(templates(state, &needle, false).into_iter().map(|(rank, name)| (rank, Line::Template(name))));
    }
    commands.sort_by_key(|(rank, _)| *rank);
    let mut symbols: Vec<(usize, &Symbol)> = Vec::new();
    if !needle.is_empty() {
        symbols =
            state.snapshot.rows.iter().filter_map(|row| Some((row.symbol.as_str().to_lowercase().find(&needle)?, &row.symbol))).collect();
        symbols.sort();
    }
    let symbols = symbols.into_iter().take(LINES / 2).map(|(_, symbol)| Line::Symbol(symbol.clone()));
    symbols.chain(commands.into_iter().map(|(_, line)| line)).take(LINES).collect()
}

/// Draws the palette while it is open.
pub fn palette_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let Some(Dialog::Palette | Dialog::Templates) = &state.dialog else {
        views.palette.open = false;
        return;
    };
    let just_opened = !std::mem::replace(&mut views.palette.open, true);
    if just_opened {
        views.palette.text.clear();
        views.palette.chosen = 0;
    }
    let theme = Theme::of(ui);
    let area = Modal::default_area(Id::unique("palette")).anchor(egui::Align2::CENTER_TOP, vec2(0.0, 96.0));
    let response = Modal::new(Id::unique("palette")).area(area).frame(super::dialogs::dialog_frame(ui).inner_margin(12)).show(ui, |ui| {
        ui.set_width(520.0);
        let palette = &mut views.palette;
        let (down, up, enter) = ui.input_mut(|input| {
            (
                input.consume_key(Modifiers::NONE, egui::Key::ArrowDown),
                input.consume_key(Modifiers::NONE, egui::Key::ArrowUp),
                input.consume_key(Modifiers::NONE, egui::Key::Enter),
            )
        });
        let hint = if matches!(state.dialog, Some(Dialog::Templates)) { "Search chart templates" } else { "Search commands and symbols" };
        let field = ui.add(TextEdit::singleline(&mut palette.text).hint_text(hint).desired_width(f32::INFINITY));
        field.request_focus();
        if field.changed() {
            palette.chosen = 0;
        }
        let found = lines(state, &palette.text);
        let last = found.len().saturating_sub(1);
        if down {
            palette.chosen = (palette.chosen + 1).min(last);
        }
        if up {
            palette.chosen = palette.chosen.saturating_sub(1);
        }
        palette.chosen = palette.chosen.min(last);
        ui.add_space(space::XS);
        if found.is_empty() {
            ui.label(RichText::new("Nothing matches").color(theme.text_weak));
        }
        for (place, line) in found.iter().enumerate() {
            let chosen = place == palette.chosen;
            let (glyph, text, keys, enabled) = match line {
                Line::Command(command) => {
                    let keys = command.shortcut().map(|keys| keys.to_string()).unwrap_or_default();
                    (icon_of(*command).unwrap_or(icons::CHEVRON_RIGHT), command.text().to_owned(), keys, command.enabled(state))
                }
                Line::Symbol(symbol) => (icons::CHART, symbol.to_string(), String::new(), Ok(())),
                Line::Template(name) => {
                    let text = if matches!(state.dialog, Some(Dialog::Templates)) { name.clone() } else { template_text(name) };
                    let note = match state.chart.templates.current(&state.chart.layout) {
                        Some((current, true)) if current == name => "on the chart".to_owned(),
                        Some((current, false)) if current == name => "on the chart, changed".to_owned(),
                        _ => String::new(),
                    };
                    (icons::TEMPLATE, text, note, Command::ApplyTemplate.enabled(state))
                }
            };
            let name = enabled.err().map_or_else(|| text.clone(), |reason| format!("{text} ({reason})"));
            let note = enabled.err().unwrap_or(&keys);
            let button = egui::Button::new((icons::icon(glyph).color(theme.text_weak), RichText::new(text)))
                .shortcut_text(RichText::new(note).color(theme.text_weak))
                .selected(chosen)
                .frame_when_inactive(chosen)
                .min_size(vec2(ui.available_width(), size::CONTROL));
            let response = ui.add_enabled(enabled.is_ok(), button);
            if matches!(line, Line::Template(_)) {
                let name = if keys.is_empty() { name } else { format!("{name} ({keys})") };
                name_item(&response, &name, "");
            } else {
                name_item(&response, &name, &keys);
            }
            let clicked = response.clicked();
            if enabled.is_ok() && (clicked || (enter && chosen)) {
                out.act(Action::CloseDialog);
                match line {
                    Line::Command(command) => out.act(Action::Run(*command)),
                    Line::Template(name) => out.act(Action::Chart(ChartAction::ApplyTemplate(name.clone()))),
                    Line::Symbol(symbol) => {
                        out.act(Action::Show(View::Symbols));
                        out.act(Action::List(ListAction::Click { symbol: symbol.clone(), toggle: false, extend: false }));
                    }
                }
            }
        }
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}
