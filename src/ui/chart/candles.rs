//! Prices and volumes as meshes: one for wicks, one for bodies, columns for volumes.
//!
//! Contract: only bars in view are touched (through the pyramid once several share a pixel), and every edge lies on a
//! physical pixel, so that a wick is one sharp pixel on any screen.

use super::data::ChartData;
use super::geometry::{Detail, MAX_BODY_POINTS, YScale, buckets};
use super::line::Pen;
use super::x_scale::XScale;
use crate::ui::theme::Theme;
use crate::worker::series::Series;
use eframe::egui;
use egui::{Color32, Mesh, Rect, Shape, pos2};
use std::ops::Range;

/// Physical pixels: where edges are sharp.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pixels {
    pub(super) per_point: f32,
}

impl Pixels {
    /// The nearest edge between two pixels, in points.
    pub(super) fn snap(self, points: f32) -> f32 {
        (points * self.per_point).round() / self.per_point
    }

    /// One hairline, in physical pixels.
    pub(super) fn hairline(self) -> f32 {
        self.per_point.round().max(1.0)
    }

    /// The middle of the pixel that a hairline at this position fills.
    pub(super) fn line(self, points: f32) -> f32 {
        let width = self.hairline();
        ((points * self.per_point - width * 0.5).round() + width * 0.5) / self.per_point
    }

    /// A column around `middle`, `wide` physical pixels wide, at least one pixel high.
    fn column(self, middle: f32, wide: f32, top: f32, bottom: f32) -> Rect {
        let left = (middle * self.per_point - self.hairline() * 0.5).round() - ((wide - self.hairline()) * 0.5).round();
        let (top, bottom) = ((top * self.per_point).round(), (bottom * self.per_point).round());
        let bottom = bottom.max(top + 1.0);
        Rect::from_min_max(pos2(left / self.per_point, top / self.per_point), pos2((left + wide) / self.per_point, bottom / self.per_point))
    }

    /// Width of a body or column for bars of this width, in physical pixels, so that a wick stands in its middle.
    pub(super) fn body(self, bar_points: f64) -> f32 {
        let bar = bar_points as f32 * self.per_point;
        let hairline = self.hairline();
        let wide = (bar * 0.72).min(MAX_BODY_POINTS * self.per_point).floor().min(bar.floor() - 1.0).max(hairline);
        // As odd or as even as the wick, else one side would be a pixel wider.
        if (wide - hairline) % 2.0 == 0.0 { wide } else { (wide - 1.0).max(hairline) }
    }
}

fn at(column: &[f64], row: usize) -> f64 {
    column.get(row).copied().unwrap_or(f64::NAN)
}

/// Whether a bar rose; one that ended where it began is judged by the bar before it.
fn rose(data: &ChartData, row: usize) -> bool {
    let (open, close) = (at(&data.bars.open, row), at(&data.bars.close, row));
    if close == open { row == 0 || close >= at(&data.bars.close, row - 1) } else { close > open }
}

/// The prices, in the detail that bars of this width allow.
pub(super) fn price_shapes(data: &ChartData, x: &XScale, y: &YScale, pixels: Pixels, theme: &Theme, pen: &Pen) -> Vec<Shape> {
    let bar_pixels = x.bar_points() * f64::from(pixels.per_point);
    let rows = x.range.rows(data.bars.len());
    match Detail::of(bar_pixels) {
        Detail::Candles => candles(data, x, y, rows, pixels, theme),
        Detail::Bars => vec![high_low_bars(data, x, y, rows, pixels, theme)],
        Detail::Band => {
            let mut before = f64::NAN;
            let columns = buckets(rows, x.bucket_rows(pixels.per_point), data.bars.len()).map(|run| {
                let extent = data.price_extent(run.clone()).map(|extent| extent.including(before));
                before = at(&data.bars.close, run.end.saturating_sub(1));
                (x.middle_of(&run), extent)
            });
            pen.band(columns.collect(), y, theme.price)
        }
    }
}

fn candles(data: &ChartData, x: &XScale, y: &YScale, rows: Range<usize>, pixels: Pixels, theme: &Theme) -> Vec<Shape> {
    let (mut wicks, mut bodies) = (Mesh::default(), Mesh::default());
    for mesh in [&mut wicks, &mut bodies] {
        mesh.reserve_vertices(rows.len() * 4);
        mesh.reserve_triangles(rows.len() * 2);
    }
    let (body, hairline) = (pixels.body(x.bar_points()), pixels.hairline());
    for row in rows {
        let (open, close) = (at(&data.bars.open, row), at(&data.bars.close, row));
        let color = if rose(data, row) { theme.gain } else { theme.loss };
        let middle = x.middle(row);
        let (high, low) = (y.y(at(&data.bars.high, row)), y.y(at(&data.bars.low, row)));
        wicks.add_colored_rect(pixels.column(middle, hairline, high, low), color);
        let whole = pixels.column(middle, body, y.y(open.max(close)), y.y(open.min(close)));
        bodies.add_colored_rect(whole, color);
        let inside = whole.shrink(hairline / pixels.per_point);
        // What may still change is hollow.
        if data.is_provisional(row) && inside.is_positive() {
            bodies.add_colored_rect(inside, theme.background);
        }
    }
    vec![Shape::mesh(wicks), Shape::mesh(bodies)]
}

fn high_low_bars(data: &ChartData, x: &XScale, y: &YScale, rows: Range<usize>, pixels: Pixels, theme: &Theme) -> Shape {
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(rows.len() * 4);
    mesh.reserve_triangles(rows.len() * 2);
    for row in rows {
        let color = if rose(data, row) { theme.gain } else { theme.loss };
        let (high, low) = (y.y(at(&data.bars.high, row)), y.y(at(&data.bars.low, row)));
        mesh.add_colored_rect(pixels.column(x.middle(row), 1.0, high, low), color);
    }
    Shape::mesh(mesh)
}

/// Volume columns, coloured by whether their bar rose; in one quiet colour where several bars share a column.
pub(super) fn volume_shape(data: &ChartData, x: &XScale, y: &YScale, pixels: Pixels, theme: &Theme) -> Shape {
    let bar_pixels = x.bar_points() * f64::from(pixels.per_point);
    let rows = x.range.rows(data.bars.len());
    let bucket = x.bucket_rows(pixels.per_point);
    let wide = if bar_pixels >= 3.0 { pixels.body(x.bar_points()) } else { 1.0_f32.max((bar_pixels * bucket as f64).ceil() as f32) };
    let mut mesh = Mesh::default();
    let volume = data.volume();
    for run in buckets(rows, bucket, data.bars.len()) {
        let color = match (bucket, rose(data, run.start)) {
            (1, true) => theme.volume_gain,
            (1, false) => theme.volume_loss,
            _ => theme.volume,
        };
        let middle = x.middle_of(&run);
        if let Some(extent) = volume.extent(run).filter(|extent| extent.max > 0.0) {
            mesh.add_colored_rect(pixels.column(middle, wide, y.y(extent.max), y.bottom), color);
        }
    }
    Shape::mesh(mesh)
}

/// Columns from zero, coloured by sign: the MACD's histogram. `is_closed` leaves no room between them.
pub(super) fn columns_shape(
    series: Series<'_>,
    x: &XScale,
    y: &YScale,
    pixels: Pixels,
    [above, below]: [Color32; 2],
    is_closed: bool,
) -> Shape {
    let bars = series.values.len();
    let bar_pixels = x.bar_points() * f64::from(pixels.per_point);
    let bucket = x.bucket_rows(pixels.per_point);
    let wide = if bar_pixels >= 3.0 { pixels.body(x.bar_points()) } else { 1.0_f32.max((bar_pixels * bucket as f64).ceil() as f32) };
    let mut mesh = Mesh::default();
    let place = |run: &Range<usize>, top: f32, bottom: f32| {
        if is_closed {
            let edges = pixels.snap(x.x(run.start as f64))..=pixels.snap(x.x(run.end as f64));
            Rect::from_x_y_ranges(edges, top..=bottom)
        } else {
            pixels.column(x.middle_of(run), wide, top, bottom)
        }
    };
    for run in buckets(x.range.rows(bars), bucket, bars) {
        let Some(extent) = series.extent(run.clone()) else { continue };
        if extent.max > 0.0 {
            mesh.add_colored_rect(place(&run, y.y(extent.max), y.y(0.0)), above);
        }
        if extent.min < 0.0 {
            mesh.add_colored_rect(place(&run, y.y(0.0), y.y(extent.min)), below);
        }
    }
    Shape::mesh(mesh)
}

/// Distance of a sign from its bar, and its size, in points.
const SIGN_GAP_POINTS: f32 = 4.0;
const SIGN_POINTS: f32 = 4.0;

/// Arrows below bars whose value is above zero, and above bars whose value is below.
pub(super) fn signs_shape(
    data: &ChartData,
    series: Series<'_>,
    x: &XScale,
    y: &YScale,
    pixels: Pixels,
    pen: &mut Pen,
    [above, below]: [Color32; 2],
) -> Vec<Shape> {
    let bars = series.values.len();
    let bucket = x.bucket_rows(pixels.per_point);
    let (mut rising, mut falling) = (Vec::new(), Vec::new());
    for run in buckets(x.range.rows(bars), bucket, bars) {
        let (Some(extent), Some(price)) = (series.extent(run.clone()), data.price_extent(run.clone())) else { continue };
        let middle = x.middle_of(&run);
        let arrow = |tip: f32, foot: f32| vec![pos2(middle, tip), pos2(middle + SIGN_POINTS, foot), pos2(middle - SIGN_POINTS, foot)];
        if extent.max > 0.0 {
            let tip = y.y(price.min) + SIGN_GAP_POINTS;
            rising.push(arrow(tip, tip + SIGN_POINTS * 1.6));
        }
        if extent.min < 0.0 {
            let tip = y.y(price.max) - SIGN_GAP_POINTS;
            falling.push(arrow(tip, tip - SIGN_POINTS * 1.6));
        }
    }
    let mut shapes = pen.polygons(rising, above);
    shapes.extend(pen.polygons(falling, below));
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wicks_stand_in_the_middle_of_bodies_on_every_screen() {
        for per_point in [1.0, 1.25, 1.5, 2.0, 3.0] {
            let pixels = Pixels { per_point };
            for bar_points in [3.0, 4.7, 6.0, 8.3, 20.0, 64.0] {
                let (body, hairline) = (pixels.body(bar_points), pixels.hairline());
                assert!(body >= hairline && (body - hairline) % 2.0 == 0.0, "{per_point} {bar_points}: {body}");
                let wick = pixels.column(101.3, hairline, 10.0, 20.0);
                let whole = pixels.column(101.3, body, 10.0, 20.0);
                assert!((wick.center().x - whole.center().x).abs() < 1e-3, "{per_point} {bar_points}");
                let edge = whole.left() * per_point;
                assert!((edge - edge.round()).abs() < 1e-2);
            }
            assert!(pixels.column(5.0, 1.0, 10.0, 10.0).height() > 0.0, "a doji is still seen");
        }
    }
}
