//! Measuring: how far two places of a pane are apart, in its values, in percent, in bars and in time.
//!
//! Contract: what was measured stays at its bars and values while the chart is moved; another symbol takes it away.

use super::data::ChartData;
use super::panes::{PaneKind, Scene};
use crate::app::chart::PanePlace;
use crate::ui::format;
use crate::ui::theme::{Theme, size, space};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align2, FontId, Id, PointerButton, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

/// One end of what is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
struct End {
    row: usize,
    value: f64,
}

/// Two places of a pane.
#[derive(Debug, Clone, PartialEq)]
struct Measure {
    /// The bars it was measured over.
    bars: usize,
    place: PanePlace,
    from: End,
    to: End,
}

/// What is measured, and whether the pointer does it now.
#[derive(Debug, Default)]
pub(super) struct Measuring {
    /// The next drag measures, with or without Shift.
    armed: bool,
    is_dragged: bool,
    found: Option<Measure>,
}

impl Measuring {
    /// Lets the next drag measure.
    pub(super) fn arm(&mut self) {
        *self = Self { armed: true, ..Self::default() };
    }

    /// Whether there is something that Esc takes away.
    pub(super) fn is_on(&self) -> bool {
        self.armed || self.found.is_some()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Follows the pointer over the plot. Returns whether it measures, so that nothing else moves.
    pub(super) fn drag(&mut self, ui: &Ui, chart: &Response, scene: Option<&Scene>, data: &ChartData) -> bool {
        let Some(scene) = scene else { return false };
        if self.found.as_ref().is_some_and(|found| found.bars != data.bars_identity()) {
            self.clear();
        }
        let (shift, origin) = ui.input(|input| (input.modifiers.shift, input.pointer.press_origin()));
        if chart.drag_started_by(PointerButton::Primary) && (shift || self.armed) {
            let pane = |origin: Pos2| scene.panes.iter().find(|pane| pane.frame.rect.contains(origin));
            if let Some((origin, pane)) = origin.and_then(|origin| Some((origin, pane(origin)?))) {
                let place = pane.frame.kind.place(&scene.key.layout);
                let end = End { row: scene.x.row(origin.x, data.bars.len()).unwrap_or_default(), value: pane.scale.value(origin.y) };
                self.found = Some(Measure { bars: data.bars_identity(), place, from: end, to: end });
                (self.is_dragged, self.armed) = (true, false);
            }
        } else if chart.clicked() && !self.armed {
            self.found = None;
        }
        if !self.is_dragged {
            return false;
        }
        if let Some((found, pointer)) = self.found.as_mut().zip(chart.interact_pointer_pos())
            && let Some(pane) =
                PaneKind::at(&scene.key.layout, &found.place).and_then(|kind| scene.panes.iter().find(|pane| pane.frame.kind == kind))
        {
            let y = pointer.y.clamp(pane.frame.rect.top(), pane.frame.rect.bottom());
            found.to = End { row: scene.x.row(pointer.x, data.bars.len()).unwrap_or_default(), value: pane.scale.value(y) };
        }
        self.is_dragged = chart.dragged();
        true
    }

    /// Draws what was measured.
    pub(super) fn show_ui(&self, ui: &Ui, id: Id, scene: &Scene, data: &ChartData, price_decimals: usize) {
        if self.armed {
            ui.set_cursor_icon(egui::CursorIcon::Crosshair);
        }
        let Some(found) = self.found.as_ref().filter(|found| found.bars == data.bars_identity()) else { return };
        let kind = PaneKind::at(&scene.key.layout, &found.place);
        let Some(pane) = kind.and_then(|kind| scene.panes.iter().find(|pane| pane.frame.kind == kind)) else { return };
        let theme = Theme::of(ui);
        let at = |end: End| pos2(scene.x.middle(end.row), pane.scale.y(end.value));
        let (from, to) = (at(found.from), at(found.to));
        let rises = found.to.value >= found.from.value;
        let color = if rises { theme.gain } else { theme.loss };
        let painter = ui.painter().with_clip_rect(pane.frame.rect);
        let area = Rect::from_two_pos(from, to);
        painter.rect_filled(area, 0.0, color.gamma_multiply(0.14));
        let stroke = Stroke::new(1.0, color);
        for x in [from.x, to.x] {
            painter.vline(x, area.y_range(), Stroke::new(1.0, color.gamma_multiply(0.5)));
        }
        arrow(&painter, pos2(area.center().x, from.y), pos2(area.center().x, to.y), stroke);
        arrow(&painter, pos2(from.x, area.center().y), pos2(to.x, area.center().y), stroke);

        let lines = words(found, data, kind == Some(PaneKind::Price), price_decimals);
        let font = FontId::proportional(size::TEXT_SMALL);
        let galleys: Vec<_> = lines.iter().map(|line| painter.layout_no_wrap(line.clone(), font.clone(), theme.on_tag)).collect();
        let wide = galleys.iter().map(|galley| galley.size().x).fold(0.0, f32::max) + space::S * 2.0;
        let high = galleys.iter().map(|galley| galley.size().y).sum::<f32>() + space::S;
        // Beyond its end, where the pointer is not, and inside the pane.
        let top = if rises { area.top() - high - space::XS } else { area.bottom() + space::XS };
        let room = pane.frame.rect.shrink(space::XS);
        let left = (area.center().x - wide * 0.5).clamp(room.left(), (room.right() - wide).max(room.left()));
        let tag = Rect::from_min_size(pos2(left, top.clamp(room.top(), (room.bottom() - high).max(room.top()))), vec2(wide, high));
        painter.rect_filled(tag, size::RADIUS, theme.tag);
        let mut y = tag.top() + space::XS;
        for galley in galleys {
            let height = galley.size().y;
            painter.galley(pos2(tag.center().x - galley.size().x * 0.5, y), galley, theme.on_tag);
            y += height;
        }
        let label = ui.interact(tag, id.with("measured"), Sense::empty());
        label.widget_info(|| WidgetInfo::labeled(Role::Label, true, tr!("Measured: {values}", values = lines.join(", "))));
    }
}

/// What is told of two places: difference and percent, bars and time.
fn words(found: &Measure, data: &ChartData, is_price: bool, price_decimals: usize) -> Vec<String> {
    let difference = found.to.value - found.from.value;
    let sign = if difference > 0.0 { "+" } else { "" };
    let size = found.to.value.abs().max(found.from.value.abs());
    let decimals = if is_price { price_decimals } else { format::price_decimals(size) };
    let value = if size >= 1_000_000.0 { format::volume(difference) } else { format::fixed(difference, decimals) };
    let percent = 100.0 * difference / found.from.value;
    let change =
        if found.from.value > 0.0 && percent.is_finite() { format!(" ({})", format::change_percent(percent)) } else { String::new() };
    let (first, last) = (found.from.row.min(found.to.row), found.from.row.max(found.to.row));
    let bars = tr_n!((last - first) as u64, "{count} bar", "{count} bars");
    let time = |row: usize| data.bars.time_us.get(row).copied().unwrap_or_default();
    let seconds = (time(last) - time(first)) as f64 / 1e6;
    vec![format!("{sign}{value}{change}"), format!("{bars} · {}", format::duration(seconds))]
}

fn arrow(painter: &egui::Painter, from: Pos2, to: Pos2, stroke: Stroke) {
    painter.line_segment([from, to], stroke);
    let way = to - from;
    if way.length() >= 12.0 {
        let tip = way.normalized() * 6.0;
        for side in [vec2(-tip.y, tip.x), vec2(tip.y, -tip.x)] {
            painter.line_segment([to, to - tip + side * 0.6], stroke);
        }
    }
}

/// What the toolbar shows of a measurement that waits for its drag.
pub(super) fn armed_hint_ui(ui: &Ui, measuring: &Measuring, plot: Rect) {
    if measuring.armed {
        let theme = Theme::of(ui);
        let font = FontId::proportional(size::TEXT_SMALL);
        let galley = ui.painter().layout_no_wrap(tr!("Drag to measure, Esc to stop").to_owned(), font, theme.on_tag);
        let at = pos2(plot.center().x, plot.top() + space::XXL);
        let rect = Rect::from_center_size(at, galley.size() + vec2(space::S * 2.0, space::S));
        ui.painter().rect_filled(rect, size::RADIUS, theme.tag);
        ui.painter().galley(Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min, galley, theme.on_tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Bars, DAY_US, Symbol};
    use std::sync::Arc;

    #[test]
    fn difference_percent_bars_and_time_are_told() {
        let time_us: Vec<i64> = [0, 1, 4, 5].iter().map(|day| day * DAY_US).collect();
        let data = ChartData::new(Symbol::new("A"), Arc::new(Bars { time_us, ..Bars::default() }));
        let end = |row: usize, value: f64| End { row, value };
        let told = |from: End, to: End| words(&Measure { bars: 0, place: PanePlace::Price, from, to }, &data, true, 2);
        assert_eq!(told(end(0, 50.0), end(2, 55.5)), ["+5.50 (+11.00 %)", "2 bars · 4 d"]);
        assert_eq!(told(end(3, 50.0), end(1, 49.0)), ["−1.00 (−2.00 %)", "2 bars · 4 d"]);
        assert_eq!(told(end(1, -2.0), end(1, 2.0)), ["+4.00", "0 bars · 0 s"]);
    }
}
