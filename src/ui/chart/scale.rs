//! What heights mean: what values are read as, what lines are seen against, and heights that were set by hand.
//!
//! Contract: a relative scale changes labels and brings lines of other symbols to the size of the prices; it never changes a value.
//! Heights set by hand belong to the bars and the scale they were set for, and go with them.

use super::data::ChartData;
use super::panes::{PaneFrame, PaneKind, Scene};
use crate::app::chart::{ChartLayout, PanePlace, PriceScale, SeriesId, SeriesLayout};
use crate::tr;
use crate::ui::format;
use crate::worker::series::SeriesSource;
use eframe::egui;
use egui::{CursorIcon, Id, Key, Modifiers, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2};
use std::ops::Range;

/// How much a point of a drag along an axis scales.
const ZOOM_PER_POINT: f64 = 0.006;
/// Factor of one press of a key.
const KEY_ZOOM: f64 = 0.85;

/// What the values of a pane are read as.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Reading {
    /// What they are.
    #[default]
    Value,
    /// Change in percent since this value.
    Percent(f64),
    /// A share of this value, which is 100.
    Indexed(f64),
}

impl Reading {
    /// What a value is read as.
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Value => value,
            Self::Percent(base) => 100.0 * (value / base - 1.0),
            Self::Indexed(base) => 100.0 * value / base,
        }
    }

    /// The same in words, as exact as prices are; `None` for values as they are.
    pub(super) fn words(self, value: f64) -> Option<String> {
        match self {
            Self::Value => None,
            Self::Percent(_) => Some(format::change_percent(self.of(value))),
            Self::Indexed(_) => Some(format::fixed(self.of(value), 2)),
        }
    }
}

/// What prices and the lines of other symbols are seen against: their values at the first bar in view that has one.
#[derive(Debug, Clone, Default)]
pub(super) struct Bases {
    price: Option<(usize, f64)>,
    lines: Vec<(SeriesId, usize, f64)>,
}

impl Bases {
    pub(super) fn of(data: &ChartData, rows: &Range<usize>, lines: &[SeriesLayout]) -> Self {
        let price = data.bars.close.get(rows.start).filter(|_| !rows.is_empty()).map(|close| (rows.start, *close));
        let base = |line: &SeriesLayout| {
            let series = data.series(&line.source).filter(|_| is_compared(line))?;
            let row = series.first_row(rows.clone())?;
            Some((line.id, row, series.at(row)?))
        };
        Self { price, lines: lines.iter().filter_map(base).collect() }
    }

    fn line(&self, id: SeriesId) -> Option<(usize, f64)> {
        self.lines.iter().find(|(known, ..)| *known == id).map(|(_, row, value)| (*row, *value))
    }

    /// How far a value of a compared line is from its first in view, in percent.
    pub(super) fn change(&self, id: SeriesId, value: f64) -> Option<f64> {
        let (_, base) = self.line(id)?;
        Some(100.0 * (value / base - 1.0)).filter(|change| change.is_finite())
    }

    /// The bar a compared line is seen from.
    pub(super) fn row_of(&self, id: SeriesId) -> Option<usize> {
        self.line(id).map(|(row, _)| row)
    }
}

/// Whether a line is of another symbol.
pub(super) fn is_compared(line: &SeriesLayout) -> bool {
    matches!(line.source, SeriesSource::Symbol(_))
}

/// How the prices are scaled in a view.
#[derive(Debug, Clone, Default)]
pub(super) struct PriceView {
    pub(super) reading: Reading,
    pub(super) bases: Bases,
    /// Why the scale is not the one that was chosen.
    pub(super) note: Option<&'static str>,
}

impl PriceView {
    /// What a scale makes of the rows in view.
    pub(super) fn of(scale: PriceScale, data: &ChartData, rows: &Range<usize>, lines: &[SeriesLayout]) -> Self {
        let bases = Bases::of(data, rows, lines);
        let base = bases.price.map(|(_, base)| base);
        let (reading, note) = match (scale, base) {
            (PriceScale::Linear | PriceScale::Log, _) | (_, None) => (Reading::Value, None),
            (PriceScale::Percent, Some(base)) if base > 0.0 => (Reading::Percent(base), None),
            (PriceScale::Indexed, Some(base)) if base > 0.0 => (Reading::Indexed(base), None),
            _ => (Reading::Value, Some(tr!("The first price in view is not above zero, so that this scale is linear"))),
        };
        Self { reading, bases, note }
    }

    /// What the values of a line are multiplied with to stand among the prices.
    pub(super) fn factor(&self, line: &SeriesLayout) -> f64 {
        let (Reading::Percent(price) | Reading::Indexed(price)) = self.reading else { return 1.0 };
        match self.bases.line(line.id) {
            Some((_, base)) if base > 0.0 => price / base,
            _ => 1.0,
        }
    }
}

/// Heights that were set by hand.
#[derive(Debug, Default)]
pub(super) struct Heights {
    /// The bars and the scale they were set for.
    of: Option<(usize, PriceScale)>,
    set: Vec<(PanePlace, (f64, f64))>,
}

impl Heights {
    /// Forgets what was set for other bars or another scale.
    pub(super) fn renew(&mut self, data: &ChartData, layout: &ChartLayout) {
        let now = (data.bars_identity(), layout.price_scale);
        if self.of != Some(now) {
            self.of = Some(now);
            self.set.clear();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Fits everything to what is in view again.
    pub(super) fn fit(&mut self) {
        self.set.clear();
    }

    /// The bounds of a pane, as its scale counts them.
    pub(super) fn at(&self, place: &PanePlace) -> Option<(f64, f64)> {
        self.set.iter().find(|(known, _)| known == place).map(|(_, bounds)| *bounds)
    }

    fn put(&mut self, place: PanePlace, (low, high): (f64, f64)) {
        if !(low.is_finite() && high.is_finite() && high - low > f64::MIN_POSITIVE * 1e6) {
            return;
        }
        self.set.retain(|(known, _)| *known != place);
        self.set.push((place, (low, high)));
    }

    /// More (factor above 1) or fewer values at the same height.
    fn zoom(&mut self, place: PanePlace, (low, high): (f64, f64), factor: f64) {
        // Volumes stand on their zero.
        let middle = if place == PanePlace::Volume { low } else { low / 2.0 + high / 2.0 };
        self.put(place, (middle - (middle - low) * factor, middle + (high - middle) * factor));
    }

    /// Axes that are dragged, and what the keys do to the prices' scale.
    #[expect(clippy::too_many_arguments, reason = "axes are placed beside panes, and read from what was drawn")]
    pub(super) fn axes_ui(
        &mut self,
        ui: &Ui,
        id: Id,
        axis: Rect,
        frames: &[PaneFrame],
        layout: &ChartLayout,
        scene: Option<&Scene>,
        chart: &Response,
    ) {
        let bounds = |kind: PaneKind| scene?.panes.iter().find(|pane| pane.frame.kind == kind).map(|pane| pane.scale.bounds());
        for frame in frames {
            let place = frame.kind.place(layout);
            let rect = Rect::from_min_max(pos2(axis.left(), frame.rect.top()), pos2(axis.right(), frame.rect.bottom()));
            let response = ui.interact(rect.shrink2(egui::vec2(0.0, 4.0)), id.with(("axis", frame.kind)), Sense::click_and_drag());
            let words = tr!("Scale of {pane}", pane = super::head::title_of(layout, &place));
            response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, &words));
            let response = response.on_hover_cursor(CursorIcon::ResizeVertical);
            if response.double_clicked() {
                self.set.retain(|(known, _)| *known != place);
            } else if response.dragged()
                && response.drag_delta().y != 0.0
                && let Some(now) = bounds(frame.kind)
            {
                self.zoom(place.clone(), now, (f64::from(response.drag_delta().y) * ZOOM_PER_POINT).exp());
            }
            // A pane whose scale was set by hand goes with the pointer in both directions.
            let begun_here = ui.input(|input| input.pointer.press_origin()).is_some_and(|origin| frame.rect.contains(origin));
            if chart.dragged()
                && begun_here
                && let Some((low, high)) = self.at(&place)
            {
                let by = f64::from(chart.drag_delta().y / frame.rect.height().max(1.0)) * (high - low);
                let by = if place == PanePlace::Volume { 0.0 } else { by };
                self.put(place, (low + by, high + by));
            }
        }
        if chart.has_focus()
            && let Some(now) = bounds(PaneKind::Price)
        {
            let pressed = |key: Key| ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, key));
            if pressed(Key::ArrowUp) {
                self.zoom(PanePlace::Price, now, KEY_ZOOM);
            }
            if pressed(Key::ArrowDown) {
                self.zoom(PanePlace::Price, now, 1.0 / KEY_ZOOM);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Bars, DAY_US, Symbol};
    use crate::worker::series::{SeriesColumn, SeriesOrigin};
    use std::sync::Arc;

    fn data(close: &[f64], other: &[f64]) -> (ChartData, SeriesLayout) {
        let column = close.to_vec();
        let bars = Bars {
            time_us: (0..close.len() as i64).map(|day| day * DAY_US).collect(),
            open: column.clone(),
            high: column.clone(),
            low: column.clone(),
            volume: column.clone(),
            close: column,
            ..Bars::default()
        };
        let line = SeriesLayout::new(SeriesSource::Symbol(Symbol::new("B")));
        let values = Arc::new(SeriesColumn::new(other.to_vec(), SeriesOrigin::Cached));
        (ChartData::new(Symbol::new("A"), Arc::new(bars)).with_answers(vec![(line.source.clone(), Ok(values))]), line)
    }

    #[test]
    fn lines_are_seen_against_their_own_first_value_in_view() {
        let (data, line) = data(&[50.0, 100.0, 110.0, 120.0], &[f64::NAN, f64::NAN, 4.0, 5.0]);
        let view = PriceView::of(PriceScale::Percent, &data, &(1..4), std::slice::from_ref(&line));
        assert!((view.reading.of(110.0) - 10.0).abs() < 1e-9);
        assert_eq!(view.bases.row_of(line.id), Some(2));
        assert_eq!(view.bases.change(line.id, 5.0), Some(25.0));
        // Five stands where a price does that rose as much.
        assert!((view.reading.of(5.0 * view.factor(&line)) - 25.0).abs() < 1e-9);
        let indexed = PriceView::of(PriceScale::Indexed, &data, &(1..4), std::slice::from_ref(&line));
        assert_eq!(indexed.reading.of(110.0), 110.0);
        let linear = PriceView::of(PriceScale::Linear, &data, &(1..4), std::slice::from_ref(&line));
        assert_eq!((linear.factor(&line), linear.reading), (1.0, Reading::Value));
    }

    #[test]
    fn a_relative_scale_without_a_price_above_zero_says_so() {
        let (data, line) = data(&[-5.0, 3.0], &[1.0, 2.0]);
        let view = PriceView::of(PriceScale::Percent, &data, &(0..2), std::slice::from_ref(&line));
        assert!(view.note.is_some() && view.reading == Reading::Value);
        assert!(PriceView::of(PriceScale::Percent, &data, &(1..2), &[line]).note.is_none());
    }

    #[test]
    fn heights_grow_around_their_middle_and_go_with_the_scale() {
        let (data, _) = data(&[1.0, 2.0], &[1.0, 2.0]);
        let mut layout = ChartLayout::bare();
        let mut heights = Heights::default();
        heights.renew(&data, &layout);
        heights.zoom(PanePlace::Price, (10.0, 20.0), 2.0);
        heights.zoom(PanePlace::Volume, (0.0, 20.0), 0.5);
        assert_eq!((heights.at(&PanePlace::Price), heights.at(&PanePlace::Volume)), (Some((5.0, 25.0)), Some((0.0, 10.0))));
        heights.zoom(PanePlace::Price, (0.0, f64::MAX), 4.0);
        assert_eq!(heights.at(&PanePlace::Price), Some((5.0, 25.0)), "what no scale can be is not taken");
        heights.renew(&data, &layout);
        assert!(!heights.is_empty());
        layout.set_scale(PriceScale::Log);
        heights.renew(&data, &layout);
        assert!(heights.is_empty());
    }
}
