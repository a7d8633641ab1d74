//! The list of symbols to compare with, found by typing.
//!
//! Contract: what a search finds is worked out when the search or the list changes, not in every frame.

use crate::app::chart::{ChartLayout, MOST_COMPARED};
use crate::app::{Needle, symbols_in};
use crate::market::Symbol;
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::worker::SymbolRow;
use eframe::egui;
use egui::{Button, Key, Modifiers, Popup, PopupCloseBehavior, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};
use std::cmp::Reverse;

/// Width of the list, in points.
const LIST_POINTS: f32 = 300.0;
/// Height of its scrolled part.
const LIST_HEIGHT_POINTS: f32 = 320.0;

/// What is typed and what it finds.
#[derive(Debug, Default)]
pub(super) struct CompareSearch {
    text: String,
    /// Positions in the list of symbols, best first.
    found: Vec<usize>,
    /// What was found for: the text, and where the list was and how long.
    found_for: Option<(String, usize, usize)>,
    /// Where several names are typed: the positions of those there are, and those there are not.
    several: Option<(Vec<usize>, Vec<String>)>,
    chosen: usize,
    wants_keys: bool,
}

/// Several names at once, such as `MSFT, GOOG`: the positions of those there are in the list, and those there are not.
fn several(text: &str, symbols: &[SymbolRow]) -> Option<(Vec<usize>, Vec<String>)> {
    let named = symbols_in(text, symbols);
    if named.known.len() + named.unknown.len() < 2 {
        return None;
    }
    let place_of = |name: &String| symbols.binary_search_by(|row| row.symbol.as_str().cmp(name)).ok();
    Some((named.known.iter().filter_map(place_of).collect(), named.unknown))
}

impl CompareSearch {
    fn update(&mut self, symbols: &[SymbolRow], layout: &ChartLayout) {
        let now = (self.text.clone(), symbols.as_ptr() as usize, symbols.len());
        if self.found_for.as_ref() == Some(&now) {
            return;
        }
        let mut needle = Needle::new(&self.text);
        let ranked = symbols.iter().enumerate().filter_map(|(place, row)| {
            // Without a search, what is on stands first.
            let is_off = needle.is_empty() && !layout.compares(&row.symbol);
            Some(((is_off, Reverse(needle.score(row.symbol.as_str())?), place), place))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_unstable();
        self.found = ranked.into_iter().map(|(_, place)| place).collect();
        // Several names at once are just these symbols.
        self.several = several(&self.text, symbols);
        if let Some((known, _)) = &self.several {
            self.found = known.clone();
        }
        // A list that was read again under the same search leaves the chosen one where it is.
        if self.found_for.as_ref().is_none_or(|(text, ..)| *text != self.text) {
            self.chosen = 0;
        }
        self.found_for = Some(now);
    }
}

/// The button, and the list behind it; `opens` where a command asked for it.
pub(super) fn compare_button_ui(
    ui: &mut Ui,
    search: &mut CompareSearch,
    opens: bool,
    is_wide: bool,
    layout: &mut ChartLayout,
    symbols: &[SymbolRow],
    shown: Option<&Symbol>,
) {
    let theme = Theme::of(ui);
    let enabled = shown.is_some();
    let count = layout.compared().count();
    let glyph = icons::icon(icons::COMPARE).color(if count > 0 { theme.accent } else { theme.text_weak });
    let button = if is_wide { Button::new((glyph, tr!("Compare"))) } else { Button::new(glyph) };
    let response = ui.add_enabled(enabled, button.frame_when_inactive(false));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, tr!("Compare")));
    let response = response.on_hover_text(tr!("Show other symbols as lines beside this one  Alt+C"));
    let popup = Popup::default_response_id(&response);
    if opens && enabled {
        Popup::open_id(ui, popup);
    }
    if response.clicked() || opens {
        *search = CompareSearch { wants_keys: true, ..CompareSearch::default() };
    }
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).width(LIST_POINTS).show(|ui| {
        ui.set_width(LIST_POINTS);
        list_ui(ui, search, layout, symbols, shown);
    });
}

fn list_ui(ui: &mut Ui, search: &mut CompareSearch, layout: &mut ChartLayout, symbols: &[SymbolRow], shown: Option<&Symbol>) {
    let theme = Theme::of(ui);
    ui.spacing_mut().button_padding = vec2(6.0, 2.0);
    let (down, up) =
        ui.input_mut(|input| (input.consume_key(Modifiers::NONE, Key::ArrowDown), input.consume_key(Modifiers::NONE, Key::ArrowUp)));
    let field = TextEdit::singleline(&mut search.text).hint_text(tr!("Search symbols")).desired_width(f32::INFINITY);
    let field = ui.add(field.margin(vec2(space::S, space::XS)));
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, tr!("Search symbols to compare")));
    let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if std::mem::take(&mut search.wants_keys) {
        field.request_focus();
    }
    search.update(symbols, layout);
    let is_marked = !search.text.trim().is_empty() || search.chosen > 0 || down;
    if enter && !is_marked {
        // Nothing was looked for: that is enough.
        ui.close();
        return;
    }
    if down {
        search.chosen = (search.chosen + 1).min(search.found.len().saturating_sub(1));
    }
    if up {
        search.chosen = search.chosen.saturating_sub(1);
    }
    ui.add_space(space::XS);
    let is_full = layout.compared().count() >= MOST_COMPARED;
    let mut toggled: Option<Symbol> = None;
    if let Some((known, unknown)) = &search.several {
        if !unknown.is_empty() {
            ui.label(RichText::new(tr!("No symbol is called “{text}”", text = unknown.join(", "))).color(theme.warning));
        }
        if enter {
            let wanted = known.iter().filter_map(|place| symbols.get(*place)).map(|row| &row.symbol);
            wanted.filter(|symbol| Some(*symbol) != shown).for_each(|symbol| {
                layout.compare(symbol);
            });
            // What is not there stays, to be put right.
            search.text = unknown.join(" ");
            if unknown.is_empty() {
                ui.close();
            } else {
                search.wants_keys = true;
            }
            return;
        }
    } else if search.found.is_empty() {
        ui.label(RichText::new(tr!("No symbol is called “{text}”", text = search.text.trim())).color(theme.text_weak));
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().max_height(LIST_HEIGHT_POINTS).min_scrolled_height(LIST_HEIGHT_POINTS).auto_shrink([false, true]);
    if down || up {
        // The chosen one stays in view.
        area = area.vertical_scroll_offset((search.chosen as f32 * size::ROW - LIST_HEIGHT_POINTS * 0.5).max(0.0));
    }
    area.show_rows(ui, size::ROW, search.found.len(), |ui, rows| {
        for place in rows {
            let Some(row) = search.found.get(place).and_then(|position| symbols.get(*position)) else { continue };
            let symbol = &row.symbol;
            let (is_on, is_this) = (layout.compares(symbol), Some(symbol) == shown);
            let can = is_on || !(is_this || is_full);
            let glyph = if is_on {
                icons::icon(icons::CHECK).color(theme.accent)
            } else {
                icons::icon(icons::CHECK).color(egui::Color32::TRANSPARENT)
            };
            let note = if is_this {
                tr!("on the chart")
            } else if row.rows == 0 {
                tr!("not in the cache")
            } else {
                ""
            };
            let button = Button::new((glyph, symbol.as_str())).shortcut_text(RichText::new(note).small().color(theme.text_weak));
            let is_marked = is_marked && (search.several.is_some() || place == search.chosen);
            let button = button.selected(is_marked).frame_when_inactive(is_marked);
            let response = ui.add_enabled(can, button.min_size(vec2(ui.available_width(), size::ROW)));
            response.widget_info(|| WidgetInfo::selected(Role::CheckBox, can, is_on, tr!("Compare with {symbol}", symbol = symbol)));
            if response.clicked() || (enter && can && place == search.chosen) {
                toggled = Some(symbol.clone());
            }
        }
    });
    if let Some(symbol) = toggled {
        if layout.compares(&symbol) {
            layout.stop_comparing(&symbol);
        } else {
            layout.compare(&symbol);
        }
        if enter {
            ui.close();
        }
    }
    if layout.compared().next().is_some() {
        ui.add_space(space::XS);
        ui.separator();
        let button = Button::new((icons::icon(icons::CLOSE).color(theme.text_weak), tr!("Stop comparing"))).frame_when_inactive(false);
        let response = ui.add(button.min_size(vec2(ui.available_width(), size::ROW)));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, tr!("Stop comparing")));
        if response.clicked() {
            layout.stop_comparing_all();
        }
    }
}
