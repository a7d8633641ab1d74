//! One entry of a legend: a line's swatch, name and value, its buttons, its menu.

use super::data::ChartData;
use super::head::{MENU_POINTS, menu_item_ui};
use super::legend::{LegendAction, ROW_POINTS, Seen, font};
use super::scale::is_compared;
use super::settings::placements;
use super::style::{Mark, color_of, mark_of};
use crate::app::chart::{ChartLayout, SeriesId, SeriesLayout};
use crate::ui::theme::{Theme, size, space};
use crate::ui::{format, icons};
use crate::worker::series::{SeriesFigures, SeriesSource, ValueKind};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align2, Color32, FontId, Id, Key, PointerButton, Pos2, Rect, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

/// Room for the line's colour in front of its name.
pub(super) const SWATCH_POINTS: f32 = 10.0;
/// Side of an entry's buttons.
const BUTTON_POINTS: f32 = 18.0;

/// One entry, placed.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: SeriesId,
    source: SeriesSource,
    pub(super) name: String,
    mark: Mark,
    color: Color32,
    visible: bool,
    /// Why there are no values.
    problem: Option<String>,
    /// Whether there is room to say so: it has its pane for itself.
    tells_problem: bool,
    name_width: f32,
    value_width: f32,
    decimals: Option<usize>,
    pub(super) rect: Rect,
}

/// Decimals for all values of a series, so that they stay in their columns; `None` where they are better shortened.
pub(super) fn decimals_of(figures: &SeriesFigures) -> Option<usize> {
    if figures.kind != ValueKind::Number {
        return Some(0);
    }
    match figures.min.unwrap_or(0.0).abs().max(figures.max.unwrap_or(0.0).abs()) {
        size if size >= 1_000_000.0 => None,
        size if size >= 10.0 => Some(2),
        size if size >= 1.0 => Some(3),
        size => Some(format::price_decimals(size)),
    }
}

fn value_text(value: f64, decimals: Option<usize>) -> String {
    decimals.map_or_else(|| format::volume(value), |decimals| format::fixed(value, decimals))
}

/// As much of a reason as a legend has room for.
fn short_reason(reason: &str) -> String {
    const LETTERS: usize = 80;
    if reason.chars().count() <= LETTERS { reason.to_owned() } else { reason.chars().take(LETTERS - 1).chain(['…']).collect() }
}

fn width(ui: &Ui, text: &str, font: &FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x.ceil()
}

impl Entry {
    /// The entry of a line, without a place; whether it is over prices, and the decimals its pane has in common.
    pub(super) fn of(
        ui: &Ui,
        layout: &ChartLayout,
        data: &ChartData,
        line: &SeriesLayout,
        (is_over_prices, pane_decimals): (bool, Option<usize>),
        is_alone: bool,
    ) -> Self {
        let font = font(ui);
        let name = layout.name_of(line);
        let name_width = width(ui, &name, &font);
        let figures = data.figures(&line.source).filter(|figures| figures.min.is_some());
        let decimals = figures.and_then(|figures| {
            let own = decimals_of(figures);
            pane_decimals.filter(|_| figures.kind == ValueKind::Number && !is_compared(line) && (is_over_prices || own.is_some())).or(own)
        });
        let wide_of = |value: Option<f64>| value.map_or(0.0, |value| width(ui, &value_text(value, decimals), &font));
        let value_width = match figures {
            Some(figures) if decimals.is_none() => {
                let is_below_zero = figures.min.is_some_and(|min| min < 0.0);
                width(ui, if is_below_zero { "−88.8 M" } else { "88.8 M" }, &font)
            }
            Some(figures) => {
                let wide = wide_of(figures.min).max(wide_of(figures.max));
                let change = if is_compared(line) { width(ui, " +888.88 %", &font) } else { 0.0 };
                wide + change
            }
            None => width(ui, format::NONE, &font),
        };
        let problem = data.problem(&line.source).map(|problem| crate::app::said(problem).into_owned());
        let tells_problem = problem.is_some() && is_alone;
        let value_width = match &problem {
            Some(reason) if is_alone => width(ui, &short_reason(reason), &font),
            _ => value_width,
        };
        let wide = SWATCH_POINTS + space::XS + name_width + space::XS + value_width;
        Self {
            id: line.id,
            source: line.source.clone(),
            name,
            mark: mark_of(line, data.figures(&line.source), is_over_prices, Theme::of(ui)),
            color: color_of(line, Theme::of(ui)),
            visible: line.visible,
            problem,
            tells_problem,
            name_width,
            value_width,
            decimals,
            rect: Rect::from_min_size(Pos2::ZERO, vec2(wide, ROW_POINTS)),
        }
    }

    /// Its value at a bar, as it is shown.
    pub(super) fn value(&self, seen: Seen<'_>) -> String {
        let Seen { data, row, bases } = seen;
        if let Some(reason) = self.problem.as_ref().filter(|_| self.tells_problem) {
            return short_reason(reason);
        }
        match (data.answer(&self.source), row) {
            // It is on its way.
            (None, _) => "…".to_owned(),
            (Some(Ok(column)), Some(row)) => {
                let Some(value) = column.series().at(row) else { return format::NONE.to_owned() };
                let text = value_text(value, self.decimals);
                match bases.change(self.id, value).filter(|_| self.is_compared()) {
                    Some(change) => format!("{text} {}", format::change_percent(change)),
                    None => text,
                }
            }
            _ => format::NONE.to_owned(),
        }
    }

    fn is_compared(&self) -> bool {
        matches!(self.source, SeriesSource::Symbol(_))
    }

    /// What is said of it where the pointer rests.
    fn hint(&self, seen: Seen<'_>) -> Option<String> {
        if let Some(reason) = &self.problem {
            return Some(reason.clone());
        }
        if !self.is_compared() {
            return (self.name != self.source.label()).then(|| self.source.label().to_owned());
        }
        let time_us = seen.bases.row_of(self.id).and_then(|row| seen.data.bars.time_us.get(row).copied())?;
        let mut hint = tr!("Change since {date}, the first bar in view", date = crate::format::bar_time(time_us));
        let apart = seen.data.answer(&self.source).and_then(|answer| answer.as_ref().ok()).map_or(0, |column| column.apart());
        if apart > 0 {
            let words = tr_n!(
                apart as u64,
                "{count} bar of {symbol} is at a time without a bar here, and is not drawn",
                "{count} bars of {symbol} are at times without a bar here, and are not drawn",
                symbol = self.name
            );
            hint = format!("{hint}\n{words}");
        }
        Some(hint)
    }

    /// Its colour, or the mark of a line that cannot be computed.
    pub(super) fn swatch_ui(&self, ui: &Ui, rect: Rect, theme: &Theme) {
        if self.problem.is_some() {
            let font = FontId::proportional(size::ICON - 3.0);
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, icons::WARNING, font, theme.warning);
        } else {
            swatch_ui(ui, rect, self.mark, if self.visible { self.color } else { theme.text_disabled }, self.visible);
        }
    }

    /// What a click on each of its buttons does, with icon and verb.
    pub(super) fn buttons(&self) -> [(&'static str, &'static str, LegendAction); 3] {
        let (eye, eye_verb) = if self.visible { (icons::VISIBLE, tr!("Hide")) } else { (icons::HIDDEN, tr!("Show")) };
        [
            (eye, eye_verb, LegendAction::ToggleVisible(self.id)),
            (icons::TUNE, tr!("Settings of"), LegendAction::Settings(self.id)),
            (icons::CLOSE, tr!("Remove"), LegendAction::Remove(self.id)),
        ]
    }

    pub(super) fn own_id(&self, id: Id) -> Id {
        id.with(("entry", self.id))
    }

    fn button_id(&self, id: Id, place: usize) -> Id {
        id.with(("entry button", self.id, place))
    }

    /// Everything of it that can have the keyboard.
    pub(super) fn ids(&self, id: Id) -> [Id; 4] {
        [self.own_id(id), self.button_id(id, 0), self.button_id(id, 1), self.button_id(id, 2)]
    }

    /// With the room its buttons take.
    pub(super) fn wide_rect(&self) -> Rect {
        Rect::from_min_max(self.rect.min, self.rect.max + vec2(space::XS + BUTTON_POINTS * 3.0, 0.0))
    }

    pub(super) fn show_ui(&self, ui: &mut Ui, id: Id, origin: Pos2, layout: &ChartLayout, seen: Seen<'_>) -> Option<LegendAction> {
        let theme = Theme::of(ui);
        let rect = self.rect.translate(origin.to_vec2());
        let font = font(ui);
        let value = self.value(seen);
        let (name_color, value_color) = match (&self.problem, self.visible) {
            (Some(_), _) => (theme.warning, theme.text_weak),
            (None, true) => (theme.text_weak, theme.text),
            (None, false) => (theme.text_disabled, theme.text_disabled),
        };
        let swatch = Rect::from_min_size(rect.left_top(), vec2(SWATCH_POINTS, rect.height()));
        self.swatch_ui(ui, swatch, theme);
        let mut x = swatch.right() + space::XS;
        ui.painter().text(pos2(x, rect.center().y), Align2::LEFT_CENTER, &self.name, font.clone(), name_color);
        x += self.name_width + space::XS;
        // Numbers keep their right edge: their last digits stay where they are.
        ui.painter().text(pos2(x + self.value_width, rect.center().y), Align2::RIGHT_CENTER, &value, font, value_color);

        let response = ui.interact(rect, self.own_id(id), Sense::click());
        let spoken = match &self.problem {
            Some(reason) if self.is_compared() => tr!("{name} cannot be compared: {reason}", name = self.name, reason = reason),
            Some(reason) => tr!("{name} cannot be computed: {reason}", name = self.name, reason = reason),
            None => format!("{} {value}", self.name),
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
        if response.has_focus() {
            ui.painter().rect_stroke(rect.expand2(vec2(2.0, -1.0)), size::RADIUS, (1.0, theme.accent), egui::StrokeKind::Outside);
        }
        let by_pointer = ui.input(|input| input.pointer.button_released(PointerButton::Primary));
        let wanted = response.double_clicked() || (response.clicked() && !by_pointer);
        let removed = response.has_focus() && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Delete));
        let wants_solo = response.clicked() && ui.input(|input| input.modifiers.alt);
        let response =
            if response.hovered() { self.hint(seen).map_or(response.clone(), |hint| response.on_hover_text(hint)) } else { response };
        let mut chosen = None;
        response.context_menu(|ui| chosen = self.menu_ui(ui, layout, theme));
        if wants_solo {
            return Some(LegendAction::Solo(self.id));
        }
        if removed { Some(LegendAction::Remove(self.id)) } else { chosen.or(wanted.then_some(LegendAction::Settings(self.id))) }
    }

    fn menu_ui(&self, ui: &mut Ui, layout: &ChartLayout, theme: &Theme) -> Option<LegendAction> {
        ui.set_width(MENU_POINTS);
        let mut chosen = None;
        let [(eye, verb, toggle), _, (cross, _, remove)] = self.buttons();
        let items = [
            (icons::TUNE, tr!("Settings…"), LegendAction::Settings(self.id)),
            (eye, verb, toggle),
            (icons::SOLO, tr!("Alone in its pane"), LegendAction::Solo(self.id)),
            (icons::COPY, tr!("Duplicate"), LegendAction::Duplicate(self.id)),
            (cross, tr!("Remove"), remove),
        ];
        for (glyph, words, action) in items {
            if menu_item_ui(ui, glyph, words, theme) {
                chosen = Some(action);
            }
        }
        ui.separator();
        if let (Some(line), Some(place)) = (layout.line(self.id), layout.place_of(self.id)) {
            for (words, placement, is_here) in placements(layout, &place, line) {
                let glyph = if is_here { icons::CHECK } else { "" };
                if menu_item_ui(ui, glyph, &words, theme) && !is_here {
                    chosen = Some(LegendAction::Move(self.id, placement));
                }
            }
        }
        chosen
    }

    pub(super) fn buttons_ui(&self, ui: &mut Ui, id: Id, origin: Pos2, theme: &Theme) -> Option<LegendAction> {
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
pub(super) fn swatch_ui(ui: &Ui, rect: Rect, mark: Mark, color: Color32, is_shown: bool) {
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
        Mark::Truths(_) => {
            for step in [0.0, 6.0] {
                painter.rect_filled(
                    Rect::from_min_max(pos2(rect.left() + step, middle.y - 4.0), pos2(rect.left() + step + 4.0, middle.y + 4.0)),
                    0.0,
                    color,
                );
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
