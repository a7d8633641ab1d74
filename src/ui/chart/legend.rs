//! Legends: which line is which, its value at the pointer, and its eye and remove buttons.
//!
//! Contract: where an entry stands depends on names and on the widest value of its whole series, never on the value shown,
//! so that nothing jumps while the pointer moves.

use super::data::ChartData;
use super::layout::SeriesLayout;
use super::style::{SeriesKind, kind_of};
use crate::market::pyramid::Extent;
use crate::ui::theme::{Theme, size, space};
use crate::ui::{format, icons};
use eframe::egui;
use egui::{Align2, Color32, FontId, Id, Rect, Role, Sense, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2};

/// Height of a row of a legend, in points.
const ROW_POINTS: f32 = 20.0;
/// Room for the line's colour in front of its name.
const SWATCH_POINTS: f32 = 10.0;
/// Side of the eye and of the cross.
const BUTTON_POINTS: f32 = 18.0;
/// Between legend and the upper edge of its pane.
const TOP_POINTS: f32 = 4.0;

/// What the user wants of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LegendAction {
    ToggleVisible(String),
    Remove(String),
}

/// One entry, placed.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    color: Option<Color32>,
    visible: bool,
    name_width: f32,
    value_width: f32,
    decimals: Option<usize>,
    rect: Rect,
}

/// A pane's legend, placed but not drawn.
#[derive(Debug, Clone, Default)]
pub(super) struct Legend {
    head: Vec<(HeadPart, f32)>,
    entries: Vec<Entry>,
    rows: usize,
}

/// What stands before the lines of a pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeadPart {
    /// A title that never changes: the symbol.
    Title(String),
    /// A word and a value: `O` and the opening price.
    Value(&'static str),
}

/// What a head's value is at a bar, and its colour.
pub(super) type HeadValue<'a> = &'a dyn Fn(&'static str) -> (String, Color32);

fn font(ui: &Ui) -> FontId {
    TextStyle::Small.resolve(ui.style())
}

fn width(ui: &Ui, text: &str, font: &FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x.ceil()
}

fn title_font(ui: &Ui) -> FontId {
    TextStyle::Body.resolve(ui.style())
}

/// Decimals for all values of a series, so that they stay in their columns; `None` where they are better shortened.
fn decimals_of(extent: Extent) -> Option<usize> {
    match extent.min.abs().max(extent.max.abs()) {
        size if size >= 1_000_000.0 => None,
        size if size >= 10.0 => Some(2),
        size if size >= 1.0 => Some(3),
        size => Some(format::price_decimals(size)),
    }
}

fn value_text(value: f64, decimals: Option<usize>) -> String {
    decimals.map_or_else(|| format::volume(value), |decimals| format::fixed(value, decimals))
}

impl Legend {
    /// Places the head's parts (each with its widest text) and the lines, in rows no wider than `room`. Lines over prices begin
    /// a row of their own and have the prices' decimals.
    pub(super) fn place(
        ui: &Ui,
        theme: &Theme,
        data: &ChartData,
        head: &[(HeadPart, String)],
        lines: &[SeriesLayout],
        room: f32,
        price_decimals: Option<usize>,
    ) -> Self {
        let font = font(ui);
        let mut x = 0.0;
        let mut placed_head = Vec::new();
        for (part, widest) in head {
            let wide = match part {
                HeadPart::Title(title) => width(ui, title, &title_font(ui)) + space::L,
                HeadPart::Value(word) => width(ui, word, &font) + space::XS + width(ui, widest, &font) + space::L,
            };
            // What does not fit is left out rather than cut: the price axis and the tags say it too.
            if x + wide <= room || x == 0.0 {
                placed_head.push((part.clone(), x));
                x += wide;
            }
        }
        let mut row = 0;
        if price_decimals.is_some() && !lines.is_empty() && x > 0.0 {
            (x, row) = (0.0, 1);
        }
        let mut entries = Vec::new();
        for line in lines {
            let name_width = width(ui, &line.name, &font);
            let everything = data.series(&line.name).and_then(|series| series.extent(0..series.values.len()));
            let decimals = everything.and_then(|extent| price_decimals.or_else(|| decimals_of(extent)));
            let wide_of = |value: f64| width(ui, &value_text(value, decimals), &font);
            let value_width = match everything {
                Some(extent) if decimals.is_none() => width(ui, if extent.min < 0.0 { "−88.8 M" } else { "88.8 M" }, &font),
                Some(extent) => wide_of(extent.min).max(wide_of(extent.max)),
                None => width(ui, format::NONE, &font),
            };
            let swatch = if kind_of(&line.name) == SeriesKind::Line { SWATCH_POINTS + space::XS } else { 0.0 };
            let wide = swatch + name_width + space::XS + value_width;
            if x + wide > room && x > 0.0 {
                (x, row) = (0.0, row + 1);
            }
            let rect = Rect::from_min_size(pos2(x, row as f32 * ROW_POINTS), vec2(wide, ROW_POINTS));
            x += wide + space::L;
            let color = (swatch > 0.0).then(|| theme.series_color(line.color));
            let name = line.name.clone();
            entries.push(Entry { name, color, visible: line.visible, name_width, value_width, decimals, rect });
        }
        let empty = placed_head.is_empty() && entries.is_empty();
        Self { head: placed_head, entries, rows: if empty { 0 } else { row + 1 } }
    }

    /// How much of the pane's top it takes.
    pub(super) fn height(&self) -> f32 {
        if self.rows == 0 { 0.0 } else { self.rows as f32 * ROW_POINTS + TOP_POINTS }
    }

    /// Draws it, with the values at `row`.
    pub(super) fn show_ui(
        &self,
        ui: &mut Ui,
        id: Id,
        pane: Rect,
        data: &ChartData,
        row: Option<usize>,
        head_value: HeadValue<'_>,
    ) -> Option<LegendAction> {
        let theme = Theme::of(ui);
        let origin = pane.min + vec2(space::M, TOP_POINTS);
        self.head_ui(ui, id, origin, theme, head_value);

        // The entry whose buttons are out: they stand beside it, over the next entry, so nothing has to move.
        let out_id = id.with("out");
        let was_out: Option<String> = ui.data(|memory| memory.get_temp(out_id));
        let pointer = ui.pointer_hover_pos().filter(|_| ui.rect_contains_pointer(pane));
        let mut now_out = None;
        if let Some(pointer) = pointer {
            let local = pos2(pointer.x - origin.x, pointer.y - origin.y);
            let kept = self.entries.iter().find(|entry| Some(&entry.name) == was_out.as_ref() && entry.wide_rect().contains(local));
            now_out = kept.or_else(|| self.entries.iter().find(|entry| entry.rect.contains(local)));
        }
        if now_out.map(|entry| &entry.name) != was_out.as_ref() {
            ui.data_mut(|memory| match now_out {
                Some(entry) => {
                    memory.insert_temp(out_id, entry.name.clone());
                }
                None => {
                    memory.remove_temp::<String>(out_id);
                }
            });
        }
        for entry in self.entries.iter().filter(|entry| now_out.is_none_or(|out| out.name != entry.name)) {
            entry.show_ui(ui, id, origin, theme, data, row);
        }
        let entry = now_out?;
        let back = entry.wide_rect().translate(origin.to_vec2()).expand2(vec2(space::XS, -1.0));
        ui.painter().rect_filled(back, size::RADIUS, theme.button);
        entry.show_ui(ui, id, origin, theme, data, row);
        entry.buttons_ui(ui, id, origin, theme)
    }

    fn head_ui(&self, ui: &mut Ui, id: Id, origin: egui::Pos2, theme: &Theme, head_value: HeadValue<'_>) {
        let font = font(ui);
        let mut spoken = String::new();
        let mut right = origin.x;
        for (part, x) in &self.head {
            let at = pos2(origin.x + x, origin.y + ROW_POINTS * 0.5);
            let painted = match part {
                HeadPart::Title(title) => {
                    spoken.push_str(title);
                    ui.painter().text(at, Align2::LEFT_CENTER, title, title_font(ui), theme.text)
                }
                HeadPart::Value(word) => {
                    let (value, color) = head_value(word);
                    spoken.push_str(&format!(" {word} {value}"));
                    let name = ui.painter().text(at, Align2::LEFT_CENTER, word, font.clone(), theme.text_weak);
                    let gap = if word.is_empty() { 0.0 } else { space::XS };
                    ui.painter().text(pos2(name.right() + gap, at.y), Align2::LEFT_CENTER, value, font.clone(), color)
                }
            };
            right = painted.right();
        }
        if !self.head.is_empty() {
            let rect = Rect::from_min_max(origin, pos2(right, origin.y + ROW_POINTS));
            let label = ui.interact(rect, id.with("head"), Sense::empty());
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, spoken.trim()));
        }
    }
}

impl Entry {
    /// With the room its buttons take.
    fn wide_rect(&self) -> Rect {
        Rect::from_min_max(self.rect.min, self.rect.max + vec2(space::XS + BUTTON_POINTS * 2.0, 0.0))
    }

    fn show_ui(&self, ui: &mut Ui, id: Id, origin: egui::Pos2, theme: &Theme, data: &ChartData, row: Option<usize>) {
        let rect = self.rect.translate(origin.to_vec2());
        let font = font(ui);
        let value = data
            .series(&self.name)
            .and_then(|series| series.at(row?))
            .map_or_else(|| format::NONE.to_owned(), |value| value_text(value, self.decimals));
        let (name_color, value_color) =
            if self.visible { (theme.text_weak, theme.text) } else { (theme.text_disabled, theme.text_disabled) };
        let mut x = rect.left();
        if let Some(color) = self.color {
            let swatch = Rect::from_center_size(pos2(x + SWATCH_POINTS * 0.5, rect.center().y), vec2(SWATCH_POINTS, 2.0));
            ui.painter().rect_filled(swatch, 1.0, if self.visible { color } else { theme.text_disabled });
            x += SWATCH_POINTS + space::XS;
        }
        ui.painter().text(pos2(x, rect.center().y), Align2::LEFT_CENTER, &self.name, font.clone(), name_color);
        x += self.name_width + space::XS;
        // Numbers keep their right edge: their last digits stay where they are.
        ui.painter().text(pos2(x + self.value_width, rect.center().y), Align2::RIGHT_CENTER, &value, font, value_color);
        let label = ui.interact(rect, id.with(("entry", self.name.as_str())), Sense::empty());
        label.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{} {value}", self.name)));
    }

    fn buttons_ui(&self, ui: &mut Ui, id: Id, origin: egui::Pos2, theme: &Theme) -> Option<LegendAction> {
        let rect = self.rect.translate(origin.to_vec2());
        let (eye, eye_name) = if self.visible { (icons::VISIBLE, "Hide") } else { (icons::HIDDEN, "Show") };
        let buttons = [
            (eye, eye_name, LegendAction::ToggleVisible(self.name.clone())),
            (icons::CLOSE, "Remove", LegendAction::Remove(self.name.clone())),
        ];
        let mut action = None;
        let mut x = rect.right() + space::XS;
        for (glyph, verb, wanted) in buttons {
            let place = Rect::from_min_size(pos2(x, rect.center().y - BUTTON_POINTS * 0.5), Vec2::splat(BUTTON_POINTS));
            x += BUTTON_POINTS;
            let name = format!("{verb} {}", self.name);
            let response = ui.interact(place, id.with((verb, self.name.as_str())), Sense::click());
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            let color = if response.hovered() || response.has_focus() { theme.accent } else { theme.text_weak };
            ui.painter().text(place.center(), Align2::CENTER_CENTER, glyph, FontId::proportional(size::ICON - 2.0), color);
            if response.on_hover_text(name).clicked() {
                action = Some(wanted);
            }
        }
        action
    }
}
