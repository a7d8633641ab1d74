//! The panes of a chart: how high each is, and what is drawn in it.
//!
//! A [`Scene`] is everything that does not depend on the pointer. Contract: it is built from what is in view, kept until
//! its [`SceneKey`] changes, and holds no text (fonts may be rebuilt under it).

use super::axis::{TimeTicks, ValueTick, context_label, time_ticks, value_ticks};
use super::candles::{Pixels, columns_shape, price_shapes, signs_shape, volume_shape};
use super::data::ChartData;
use super::findings::findings_shape;
use super::geometry::{IndexRange, YScale, lines_extent, union_of};
use super::line::{MANY_ROWS, Pen, Stylus, dashes};
use super::scale::{PriceView, Reading};
use super::style::{Mark, color_of, mark_of, points_of};
use super::x_scale::{Clock, XScale};
use crate::app::chart::{ChartLayout, PaneLayout, PanePlace, PriceScale, SeriesLayout, conventions};
use crate::market::pyramid::Extent;
use crate::tr;
use crate::ui::format;
use crate::ui::theme::Theme;
use eframe::egui;
use egui::{Mesh, Rangef, Rect, Shape, pos2};

/// Lowest a pane may be dragged, in points.
const MIN_PANE_POINTS: f32 = 48.0;
/// Part of the height that prices always keep.
const MIN_PRICE_SHARE: f32 = 0.3;
/// Points between labels of a value axis.
const TICK_POINTS: f32 = 44.0;
/// Height below which a pane's labels stand closer, and how close at most, in points.
const LOW_PANE_POINTS: f32 = 120.0;
const LOW_PANE_TICK_POINTS: [f32; 3] = [31.0, 24.0, 18.0];
/// How much of its colour a truth keeps where it stands as a surface.
const TRUTH_SHARE: f32 = 0.45;
/// Room above and below values, in points.
const PADDING_POINTS: f32 = 8.0;

/// Which pane it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PaneKind {
    Price,
    Volume,
    /// The pane of this position in the layout.
    Feature(usize),
}

/// A pane's place: all of it, and where its values may be (below its legend).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PaneFrame {
    pub(super) kind: PaneKind,
    pub(super) rect: Rect,
    pub(super) legend_height: f32,
    /// Bounds of its scale that were set by hand.
    pub(super) fixed: Option<(f64, f64)>,
}

/// Everything a scene depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SceneKey {
    pub(super) identity: u64,
    pub(super) range: IndexRange,
    pub(super) frames: Vec<PaneFrame>,
    pub(super) pixels: Pixels,
    pub(super) theme: usize,
    pub(super) layout: ChartLayout,
    pub(super) price_decimals: usize,
}

/// One pane, drawn.
#[derive(Debug)]
pub(super) struct PaneScene {
    pub(super) frame: PaneFrame,
    pub(super) scale: YScale,
    pub(super) reading: Reading,
    pub(super) ticks: Vec<ValueTick>,
    pub(super) shapes: Vec<Shape>,
}

/// All panes, drawn.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) key: SceneKey,
    pub(super) x: XScale,
    pub(super) time: TimeTicks,
    pub(super) context: Option<String>,
    pub(super) panes: Vec<PaneScene>,
    /// What prices are read as, and what lines are seen against.
    pub(super) price: PriceView,
}

impl PaneKind {
    /// The pane at this place of a layout.
    pub(super) fn at(layout: &ChartLayout, place: &PanePlace) -> Option<Self> {
        match place {
            PanePlace::Price => Some(Self::Price),
            PanePlace::Volume => layout.show_volume.then_some(Self::Volume),
            PanePlace::Pane(id) => layout.panes.iter().position(|pane| pane.id == *id).map(Self::Feature),
        }
    }

    /// Its place in a layout.
    pub(super) fn place(self, layout: &ChartLayout) -> PanePlace {
        match self {
            Self::Price => PanePlace::Price,
            Self::Volume => PanePlace::Volume,
            Self::Feature(position) => PanePlace::Pane(layout.panes.get(position).map(|pane| pane.id.clone()).unwrap_or_default()),
        }
    }
}

/// The panes that are shown, from top to bottom.
pub(super) fn kinds(layout: &ChartLayout) -> Vec<PaneKind> {
    match layout.maximised() {
        Some(place) => PaneKind::at(layout, place).into_iter().collect(),
        None => layout.places().iter().filter_map(|place| PaneKind::at(layout, place)).collect(),
    }
}

/// The panes of a layout with their shares of the height; the prices' share is what the others leave.
fn shares(layout: &ChartLayout, height: f32) -> Vec<(PaneKind, f32)> {
    let kinds = kinds(layout);
    if let [only] = kinds.as_slice() {
        return vec![(*only, 1.0)];
    }
    let share_of = |kind: PaneKind| match kind {
        PaneKind::Price => 0.0,
        PaneKind::Volume => layout.volume_share,
        PaneKind::Feature(position) => layout.panes.get(position).map_or(0.0, |pane| pane.height_share),
    };
    let mut panes: Vec<(PaneKind, f32)> =
        kinds.into_iter().filter(|kind| *kind != PaneKind::Price).map(|kind| (kind, share_of(kind))).collect();
    let least = MIN_PANE_POINTS / height.max(1.0);
    for (_, share) in &mut panes {
        *share = if share.is_finite() { share.max(least) } else { least };
    }
    let sum: f32 = panes.iter().map(|(_, share)| share).sum();
    let most = 1.0 - MIN_PRICE_SHARE;
    if sum > most {
        for (_, share) in &mut panes {
            *share *= most / sum;
        }
    }
    let price = 1.0 - sum.min(most);
    panes.insert(0, (PaneKind::Price, price));
    panes
}

/// Where panes are, from top to bottom; without their legends' heights.
pub(super) fn frames(layout: &ChartLayout, rect: Rect, pixels: Pixels) -> Vec<PaneFrame> {
    let mut top = rect.top();
    let mut below = 0.0;
    let panes = shares(layout, rect.height());
    let last = panes.len();
    let place = |(position, (kind, share)): (usize, (PaneKind, f32))| {
        below += share;
        let bottom = if position + 1 == last { rect.bottom() } else { pixels.snap(rect.top() + rect.height() * below) };
        let pane = Rect::from_x_y_ranges(rect.x_range(), Rangef::new(top, bottom));
        top = bottom;
        PaneFrame { kind, rect: pane, legend_height: 0.0, fixed: None }
    };
    panes.into_iter().enumerate().map(place).collect()
}

/// Moves the edge above the pane of this position (among all but the prices) by so many points.
pub(super) fn drag_edge(layout: &mut ChartLayout, height: f32, position: usize, points: f32) {
    let now = shares(layout, height);
    let least = MIN_PANE_POINTS / height.max(1.0);
    let wish = points / height.max(1.0);
    let (Some((_, above)), Some((_, below))) = (now.get(position), now.get(position + 1)) else { return };
    let least_above = if position == 0 { MIN_PRICE_SHARE } else { least };
    let moved = wish.clamp((least_above - above).min(0.0), (below - least).max(0.0));
    for (place, (kind, share)) in now.iter().enumerate() {
        let share = share + if place == position { moved } else { 0.0 } - if place == position + 1 { moved } else { 0.0 };
        match kind {
            PaneKind::Price => {}
            PaneKind::Volume => layout.volume_share = share,
            PaneKind::Feature(pane) => {
                if let Some(pane) = layout.panes.get_mut(*pane) {
                    pane.height_share = share;
                }
            }
        }
    }
}

/// The lines of a pane.
pub(super) fn lines_of(layout: &ChartLayout, kind: PaneKind) -> &[SeriesLayout] {
    match kind {
        PaneKind::Price => &layout.overlays,
        PaneKind::Volume => &layout.volume,
        PaneKind::Feature(position) => layout.panes.get(position).map(|pane| pane.lines.as_slice()).unwrap_or_default(),
    }
}

impl Scene {
    /// Draws what the key asks for.
    pub(super) fn build(key: SceneKey, data: &ChartData, theme: &Theme, pen: &mut Pen) -> Self {
        let plot = key.frames.first().map_or(Rect::NOTHING, |frame| frame.rect);
        let clock = key.layout.calendar_time.then(|| Clock::of(&data.bars));
        let x = XScale::new(plot.left(), plot.width(), key.range, clock);
        let time = time_ticks(&x, &data.bars.time_us);
        let context = context_label(&time, &x, &data.bars.time_us);
        let rows = x.range.rows(data.bars.len());
        let mut price = PriceView::of(key.layout.price_scale, data, &rows, &key.layout.overlays);
        let mut panes = Vec::with_capacity(key.frames.len());
        for frame in &key.frames {
            panes.push(pane(&key, frame, &x, &time, data, theme, pen, &mut price));
        }
        Self { key, x, time, context, panes, price }
    }
}

#[expect(clippy::too_many_arguments, reason = "a pane is drawn from everything there is")]
fn pane(
    key: &SceneKey,
    frame: &PaneFrame,
    x: &XScale,
    time: &TimeTicks,
    data: &ChartData,
    theme: &Theme,
    pen: &mut Pen,
    price: &mut PriceView,
) -> PaneScene {
    let layout = &key.layout;
    let pixels = key.pixels;
    let rows = x.range.rows(data.bars.len());
    let lines = lines_of(layout, frame.kind);
    let is_price = frame.kind == PaneKind::Price;
    let shown: Vec<(&SeriesLayout, Mark)> =
        lines.iter().filter(|line| line.visible).map(|line| (line, mark_of(line, data.figures(&line.source), is_price, theme))).collect();
    // Signs stand at the bars, whatever their values.
    let scaled = shown.iter().filter(|(_, mark)| !matches!(mark, Mark::Signs(_)));
    // Only among prices are lines of other symbols brought to one size.
    let factor = |line: &SeriesLayout| if is_price { price.factor(line) } else { 1.0 };
    let of_lines = lines_extent(data, scaled.map(|(line, _)| (&line.source, factor(line))), &rows);
    let guides = match frame.kind {
        PaneKind::Feature(position) => layout.panes.get(position).map(PaneLayout::guides).unwrap_or_default(),
        PaneKind::Price | PaneKind::Volume => Vec::new(),
    };
    let zero = Extent { min: 0.0, max: 0.0 };
    let extent = match frame.kind {
        PaneKind::Price => union_of([data.price_extent(rows), of_lines]),
        PaneKind::Volume => union_of([data.volume().extent(rows), of_lines, Some(zero)]),
        PaneKind::Feature(_) => of_lines.map(|extent| {
            let has_columns = shown.iter().any(|(_, mark)| matches!(mark, Mark::Columns(_) | Mark::Truths(_)));
            let extent = if has_columns { extent.including(0.0) } else { extent };
            guides.iter().fold(extent, |extent, guide| extent.including(*guide))
        }),
    };
    let top = frame.rect.top() + frame.legend_height + PADDING_POINTS;
    let bottom = frame.rect.bottom() - if frame.kind == PaneKind::Volume { 0.0 } else { PADDING_POINTS };
    let log = layout.price_scale == PriceScale::Log && is_price;
    let mut scale = YScale::fitting(extent.unwrap_or(Extent { min: 0.0, max: 1.0 }), log, top, bottom);
    let factors: Vec<f64> = shown.iter().map(|(line, _)| factor(line)).collect();
    if log && !scale.log && extent.is_some() {
        price.note = Some(tr!("Not every price in view is above zero, so that this scale is linear"));
    }
    if let Some(bounds) = frame.fixed {
        scale = scale.with_bounds(bounds);
    }
    let reading = if is_price { price.reading } else { Reading::Value };
    let mut ticks = if extent.is_some() { ticks_of(&read_as(scale, reading), frame) } else { Vec::new() };
    if guides.len() > 1 {
        // What the pane is read by says more than round numbers do.
        let tick = |value: &f64| ValueTick { y: scale.y(*value), value: *value, label: guide_label(*value) };
        ticks = guides.iter().map(tick).collect();
    }
    if frame.kind == PaneKind::Price {
        // As exact as the tags between them.
        for tick in ticks.iter_mut().filter(|tick| tick.value.abs() < 100_000.0) {
            match reading {
                Reading::Value => tick.label = format::fixed(tick.value, key.price_decimals),
                Reading::Percent(_) => tick.label.push_str(" %"),
                Reading::Indexed(_) => {}
            }
        }
    }
    if frame.kind == PaneKind::Volume {
        // The zero at the foot of the bars says nothing.
        ticks.retain(|tick| tick.value != 0.0);
    }

    let lined: &[ValueTick] = if guides.len() > 1 { &[] } else { &ticks };
    let mut shapes = vec![grid(frame.rect, lined, time, pixels, theme)];
    let right = frame.rect.right();
    for guide in &guides {
        let y = pixels.line(scale.y(*guide));
        shapes.extend(dashes(pos2(frame.rect.left(), y), pos2(right, y), pixels.hairline() / pixels.per_point, theme.guide));
    }
    if extent.is_some() {
        let banded = x.bucket_rows(pixels.per_point) > MANY_ROWS;
        match frame.kind {
            // Behind the lines, but before them once both are bands.
            PaneKind::Price if !banded => shapes.extend(price_shapes(data, x, &scale, pixels, theme, pen)),
            PaneKind::Price => {}
            PaneKind::Volume => shapes.push(volume_shape(data, x, &scale, pixels, theme)),
            PaneKind::Feature(_) => {}
        }
        for (line, _) in &shown {
            let Some(series) = data.series(&line.source) else { continue };
            let lower = conventions::lower_edge_of(&line.source).filter(|lower| shown.iter().any(|(line, _)| line.source == *lower));
            if let Some(lower) = lower.and_then(|lower| data.series(&lower)) {
                // Behind the prices: the grid is the only thing below it.
                let fill = pen.between([series, lower], x, &scale, pixels.per_point, color_of(line, theme).gamma_multiply(0.08));
                shapes.splice(1..1, fill);
            }
        }
        for ((line, mark), factor) in shown.iter().zip(&factors) {
            let Some(series) = data.series(&line.source) else { continue };
            let scale = scale.times(*factor);
            let stylus = Stylus { color: color_of(line, theme), width: points_of(line.width), per_point: pixels.per_point };
            match mark {
                Mark::Line => shapes.extend(pen.line(series, x, &scale, stylus)),
                Mark::Step => shapes.extend(pen.step(series, x, &scale, stylus)),
                Mark::Area => {
                    // Behind the prices and the lines of the same pane.
                    let edges = [frame.rect.top(), frame.rect.bottom()];
                    shapes.splice(1..1, pen.fill(series, x, &scale, edges, stylus));
                    shapes.extend(pen.line(series, x, &scale, stylus));
                }
                Mark::Dots => shapes.extend(pen.dots(series, x, &scale, stylus)),
                // Behind the lines of the same pane.
                Mark::Columns(colors) => shapes.insert(1, columns_shape(series, x, &scale, pixels, *colors, false)),
                Mark::Truths(color) => {
                    let color = color.gamma_multiply(TRUTH_SHARE);
                    shapes.insert(1, columns_shape(series, x, &scale, pixels, [color; 2], true));
                }
                Mark::Signs(colors) => shapes.extend(signs_shape(data, series, x, &scale, pixels, pen, *colors)),
            }
        }
        if banded && frame.kind == PaneKind::Price {
            shapes.extend(price_shapes(data, x, &scale, pixels, theme, pen));
        }
    }
    if is_price {
        shapes.extend(findings_shape(data, x, frame.rect, pixels, theme));
    }
    PaneScene { frame: *frame, scale, reading, ticks, shapes }
}

/// Labels of a pane's axis; in a low pane closer, until there are two at least that can be read.
fn ticks_of(scale: &YScale, frame: &PaneFrame) -> Vec<ValueTick> {
    if frame.rect.height() >= LOW_PANE_POINTS {
        return value_ticks(scale, TICK_POINTS);
    }
    let is_read = |tick: &&ValueTick| tick.y - frame.rect.top() >= 7.0 && frame.rect.bottom() - tick.y >= 7.0;
    let tries = LOW_PANE_TICK_POINTS.map(|spacing| value_ticks(scale, spacing));
    let enough = tries.iter().position(|ticks| ticks.iter().filter(is_read).count() >= 2);
    tries.into_iter().nth(enough.unwrap_or(LOW_PANE_TICK_POINTS.len() - 1)).unwrap_or_default()
}

/// A scale of what its values are read as.
fn read_as(scale: YScale, reading: Reading) -> YScale {
    if scale.log || reading == Reading::Value {
        return scale;
    }
    let (low, high) = scale.bounds();
    scale.with_bounds((reading.of(low), reading.of(high)))
}

/// A guide's value as short as it can be said.
pub(super) fn guide_label(value: f64) -> String {
    let decimals = (0..4).find(|decimals| (value * 10_f64.powi(*decimals as i32)).fract() == 0.0).unwrap_or(4);
    format::fixed(value, decimals)
}

/// Hairlines at every label of both axes.
fn grid(rect: Rect, ticks: &[ValueTick], time: &TimeTicks, pixels: Pixels, theme: &Theme) -> Shape {
    let mut mesh = Mesh::default();
    let half = pixels.hairline() / pixels.per_point * 0.5;
    for tick in &time.ticks {
        let x = pixels.line(tick.x);
        let color = if tick.strong { theme.line } else { theme.grid };
        mesh.add_colored_rect(Rect::from_x_y_ranges(x - half..=x + half, rect.y_range()), color);
    }
    for tick in ticks {
        let y = pixels.line(tick.y);
        mesh.add_colored_rect(Rect::from_x_y_ranges(rect.x_range(), y - half..=y + half), theme.grid);
    }
    Shape::mesh(mesh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::chart::Placement;
    use crate::worker::series::SeriesSource;

    fn heights(layout: &ChartLayout) -> Vec<f32> {
        let rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(800.0, 600.0));
        frames(layout, rect, Pixels { per_point: 1.0 }).iter().map(|frame| frame.rect.height()).collect()
    }

    #[test]
    fn panes_fill_the_height_and_prices_keep_their_part() {
        let mut layout = ChartLayout::default();
        assert!((heights(&layout).iter().sum::<f32>() - 600.0).abs() < 1e-3);
        for name in ["rsi14", "atr14", "cci14", "obv", "psy12", "wr14"] {
            layout.add(SeriesSource::column("classic", name), &Placement::of_name(name));
        }
        let heights = heights(&layout);
        assert_eq!(heights.len(), 9);
        assert!(heights[0] >= 179.0 && (heights.iter().sum::<f32>() - 600.0).abs() < 1e-3, "{heights:?}");
    }

    #[test]
    fn dragging_an_edge_moves_height_between_its_two_neighbours_only() {
        let mut layout = ChartLayout::default();
        let before = heights(&layout);
        drag_edge(&mut layout, 600.0, 1, 20.0);
        let after = heights(&layout);
        assert!((after[0] - before[0]).abs() < 1.5 && (after[1] - before[1] - 20.0).abs() < 1.5, "{before:?} {after:?}");
        drag_edge(&mut layout, 600.0, 1, 5_000.0);
        assert!(heights(&layout)[2] >= MIN_PANE_POINTS - 1.0);
        drag_edge(&mut layout, 600.0, 0, -5_000.0);
        assert!(heights(&layout)[0] >= 600.0 * MIN_PRICE_SHARE - 1.0);
    }
}
