//! Legends: which line is which, its value at the pointer, and its buttons.
//!
//! Contract: where an entry stands depends on names and on the widest value of its whole series, never on the value shown,
//! so that nothing jumps while the pointer moves.

use super::data::ChartData;
use super::style::{Mark, color_of, mark_of};
use crate::app::chart::{ChartLayout, SeriesId, SeriesLayout};
use crate::market::pyramid::Extent;
use crate::ui::theme::{Theme, size, space};
use crate::ui::{format, icons};
use crate::worker::series::SeriesSource;
use eframe::egui;
use egui::{Align2, Color32, FontId, Id, Key, PointerButton, Rect, Role, Sense, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2};

/// Height of a row of a legend, in points.
const ROW_POINTS: f32 = 20.0;
/// Room for the line's colour in front of its name.
const SWATCH_POINTS: f32 = 10.0;
/// Side of an entry's buttons.
const BUTTON_POINTS: f32 = 18.0;
/// Between legend and the upper edge of its pane.
const TOP_POINTS: f32 = 4.0;

/// What the user wants of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LegendAction {
    ToggleVisible(SeriesId),
    Remove(SeriesId),
    Settings(SeriesId),
}

/// One entry, placed.
#[derive(Debug, Clone)]
struct Entry {
    id: SeriesId,
    source: SeriesSource,
    name: String,
    mark: Mark,
    color: Color32,
    visible: bool,
    /// Why there are no values.
    problem: Option<String>,
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
        layout: &ChartLayout,
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
        let theme = Theme::of(ui);
        for line in lines {
            let name = layout.name_of(line);
            let name_width = width(ui, &name, &font);
            let everything = data.series(&line.source).and_then(|series| series.extent(0..series.values.len()));
            let decimals = everything.and_then(|extent| price_decimals.or_else(|| decimals_of(extent)));
            let wide_of = |value: f64| width(ui, &value_text(value, decimals), &font);
            let value_width = match everything {
                Some(extent) if decimals.is_none() => width(ui, if extent.min < 0.0 { "−88.8 M" } else { "88.8 M" }, &font),
                Some(extent) => wide_of(extent.min).max(wide_of(extent.max)),
                None => width(ui, format::NONE, &font),
            };
            let wide = SWATCH_POINTS + space::XS + name_width + space::XS + value_width;
            if x + wide > room && x > 0.0 {
                (x, row) = (0.0, row + 1);
            }
            let rect = Rect::from_min_size(pos2(x, row as f32 * ROW_POINTS), vec2(wide, ROW_POINTS));
            x += wide + space::L;
            let mark = mark_of(line, data.figures(&line.source), price_decimals.is_some(), theme);
            entries.push(Entry {
                id: line.id,
                source: line.source.clone(),
                name,
                mark,
                color: color_of(line, theme),
                visible: line.visible,
                problem: data.problem(&line.source).map(str::to_owned),
                name_width,
                value_width,
                decimals,
                rect,
            });
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

        // The entry whose buttons are out, because the pointer or the keyboard is at it: they stand beside it, over the next
        // entry, so nothing has to move.
        let out_id = id.with("out");
        let was_out: Option<SeriesId> = ui.data(|memory| memory.get_temp(out_id));
        let pointer = ui.pointer_hover_pos().filter(|_| ui.rect_contains_pointer(pane));
        let focused = ui.memory(|memory| memory.focused());
        let mut now_out = focused.and_then(|focused| self.entries.iter().find(|entry| entry.ids(id).contains(&focused)));
        if let Some(pointer) = pointer {
            let local = pos2(pointer.x - origin.x, pointer.y - origin.y);
            let kept = self.entries.iter().find(|entry| Some(entry.id) == was_out && entry.wide_rect().contains(local));
            now_out = kept.or_else(|| self.entries.iter().find(|entry| entry.rect.contains(local))).or(now_out);
        }
        if now_out.map(|entry| entry.id) != was_out {
            ui.data_mut(|memory| match now_out {
                Some(entry) => {
                    memory.insert_temp(out_id, entry.id);
                }
                None => {
                    memory.remove_temp::<SeriesId>(out_id);
                }
            });
        }
        let mut action = None;
        for entry in self.entries.iter().filter(|entry| now_out.is_none_or(|out| out.id != entry.id)) {
            action = entry.show_ui(ui, id, origin, theme, data, row).or(action);
        }
        let Some(entry) = now_out else { return action };
        let back = entry.wide_rect().translate(origin.to_vec2()).expand2(vec2(space::XS, -1.0));
        ui.painter().rect_filled(back, size::RADIUS, theme.button);
        entry.show_ui(ui, id, origin, theme, data, row).or_else(|| entry.buttons_ui(ui, id, origin, theme)).or(action)
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
    /// What a click on each of its buttons does, with icon and verb.
    fn buttons(&self) -> [(&'static str, &'static str, LegendAction); 3] {
        let (eye, eye_verb) = if self.visible { (icons::VISIBLE, "Hide") } else { (icons::HIDDEN, "Show") };
        [
            (eye, eye_verb, LegendAction::ToggleVisible(self.id)),
            (icons::TUNE, "Settings of", LegendAction::Settings(self.id)),
            (icons::CLOSE, "Remove", LegendAction::Remove(self.id)),
        ]
    }

    fn own_id(&self, id: Id) -> Id {
        id.with(("entry", self.id))
    }

    fn button_id(&self, id: Id, place: usize) -> Id {
        id.with(("entry button", self.id, place))
    }

    /// Everything of it that can have the keyboard.
    fn ids(&self, id: Id) -> [Id; 4] {
        [self.own_id(id), self.button_id(id, 0), self.button_id(id, 1), self.button_id(id, 2)]
    }

    /// With the room its buttons take.
    fn wide_rect(&self) -> Rect {
        Rect::from_min_max(self.rect.min, self.rect.max + vec2(space::XS + BUTTON_POINTS * 3.0, 0.0))
    }

    fn show_ui(
        &self,
        ui: &mut Ui,
        id: Id,
        origin: egui::Pos2,
        theme: &Theme,
        data: &ChartData,
        row: Option<usize>,
    ) -> Option<LegendAction> {
        let rect = self.rect.translate(origin.to_vec2());
        let font = font(ui);
        let answer = data.answer(&self.source);
        let value = match (answer, row) {
            // It is on its way.
            (None, _) => "…".to_owned(),
            (Some(Ok(column)), Some(row)) => {
                column.series().at(row).map_or_else(|| format::NONE.to_owned(), |value| value_text(value, self.decimals))
            }
            _ => format::NONE.to_owned(),
        };
        let (name_color, value_color) = match (&self.problem, self.visible) {
            (Some(_), _) => (theme.warning, theme.warning),
            (None, true) => (theme.text_weak, theme.text),
            (None, false) => (theme.text_disabled, theme.text_disabled),
        };
        let swatch = Rect::from_min_size(rect.left_top(), vec2(SWATCH_POINTS, rect.height()));
        if self.problem.is_some() {
            let glyph_font = FontId::proportional(size::ICON - 3.0);
            ui.painter().text(swatch.center(), Align2::CENTER_CENTER, icons::WARNING, glyph_font, theme.warning);
        } else {
            swatch_ui(ui, swatch, self.mark, if self.visible { self.color } else { theme.text_disabled }, self.visible);
        }
        let mut x = swatch.right() + space::XS;
        ui.painter().text(pos2(x, rect.center().y), Align2::LEFT_CENTER, &self.name, font.clone(), name_color);
        x += self.name_width + space::XS;
        // Numbers keep their right edge: their last digits stay where they are.
        ui.painter().text(pos2(x + self.value_width, rect.center().y), Align2::RIGHT_CENTER, &value, font, value_color);

        let response = ui.interact(rect, self.own_id(id), Sense::click());
        let spoken = match &self.problem {
            Some(reason) => format!("{} cannot be computed: {reason}", self.name),
            None => format!("{} {value}", self.name),
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
        if response.has_focus() {
            ui.painter().rect_stroke(rect.expand2(vec2(2.0, -1.0)), size::RADIUS, (1.0, theme.accent), egui::StrokeKind::Outside);
        }
        let by_pointer = ui.input(|input| input.pointer.button_released(PointerButton::Primary));
        let wanted = response.double_clicked() || (response.clicked() && !by_pointer);
        let removed = response.has_focus() && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Delete));
        match &self.problem {
            Some(reason) => {
                response.on_hover_text(reason);
            }
            None if self.name != self.source.label() => {
                response.on_hover_text(self.source.label());
            }
            None => {}
        }
        if removed { Some(LegendAction::Remove(self.id)) } else { wanted.then_some(LegendAction::Settings(self.id)) }
    }

    fn buttons_ui(&self, ui: &mut Ui, id: Id, origin: egui::Pos2, theme: &Theme) -> Option<LegendAction> {
        let rect = self.rect.translate(origin.to_vec2());
        let mut action = None;
        let mut x = rect.right() + space::XS;
        for (place, (glyph, verb, wanted)) in self.buttons().into_iter().enumerate() {
            let button = Rect::from_min_size(pos2(x, rect.center().y - BUTTON_POINTS * 0.5), Vec2::splat(BUTTON_POINTS));
            x += BUTTON_POINTS;
            let name = format!("{verb} {}", self.name);
            let response = ui.interact(button, self.button_id(id, place), Sense::click());
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            let color = if response.hovered() || response.has_focus() { theme.accent } else { theme.text_weak };
            ui.painter().text(button.center(), Align2::CENTER_CENTER, glyph, FontId::proportional(size::ICON - 2.0), color);
            if response.on_hover_text(name).clicked() {
                action = Some(wanted);
            }
        }
        action
    }
}

/// What a line looks like, in small.
fn swatch_ui(ui: &Ui, rect: Rect, mark: Mark, color: Color32, is_shown: bool) {
    let painter = ui.painter();
    let middle = rect.center();
    let column = |left: f32, height: f32, color: Color32| {
        let foot = middle.y + 4.0;
        painter.rect_filled(Rect::from_min_max(pos2(left, foot - height), pos2(left + 2.0, foot)), 0.0, color);
    };
    match mark {
        Mark::Line | Mark::Step => {
            painter.rect_filled(Rect::from_center_size(middle, vec2(rect.width(), 2.0)), 1.0, color);
        }
        Mark::Area => {
            painter.rect_filled(Rect::from_center_size(middle, vec2(rect.width(), 8.0)), 1.0, color.gamma_multiply(0.35));
            painter.rect_filled(Rect::from_center_size(middle - vec2(0.0, 3.0), vec2(rect.width(), 2.0)), 1.0, color);
        }
        Mark::Dots => {
            for step in [-3.5, 0.0, 3.5] {
                painter.circle_filled(middle + vec2(step, 0.0), 1.2, color);
            }
        }
        Mark::Columns([above, below]) => {
            let [above, below] = if is_shown { [above, below] } else { [color; 2] };
            for (step, height, color) in [(0.0, 5.0, above), (4.0, 8.0, above), (8.0, 4.0, below)] {
                column(rect.left() + step, height, color);
            }
        }
        Mark::Signs([above, _]) => {
            let color = if is_shown { above } else { color };
            let points = vec![middle - vec2(0.0, 3.0), middle + vec2(3.5, 3.0), middle + vec2(-3.5, 3.0)];
            painter.add(egui::Shape::convex_polygon(points, color, egui::Stroke::NONE));
        }
    }
}
