//! Lines and bands of features, tessellated once and kept as meshes.
//!
//! Contract: NaN breaks a line; at most one point or one column per physical pixel, whatever the number of bars.

use super::geometry::{YScale, buckets};
use super::x_scale::XScale;
use crate::market::pyramid::Extent;
use crate::worker::series::Series;
use eframe::egui;
use egui::epaint::{TessellationOptions, Tessellator};
use egui::{Color32, Mesh, Pos2, Shape, Stroke, pos2};

/// Width of the price's band where it is flat, in points.
const BAND_POINTS: f32 = 1.4;
/// Share of an area's colour that fills it.
const FILL: f32 = 0.18;

/// From how many bars per pixel on lines get as wide as bands.
pub(super) const MANY_ROWS: usize = 4;

/// Turns shapes into meshes, with the window's own settings, so that they are not tessellated again in every frame.
pub(super) struct Pen {
    tessellator: Tessellator,
    /// Width of the soft edge of bands, in points.
    feather: f32,
}

/// What a line is drawn with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stylus {
    pub(super) color: Color32,
    /// In points.
    pub(super) width: f32,
    /// Physical pixels per point.
    pub(super) per_point: f32,
}

/// One column of a band: x, and its upper and lower edge.
type Column = (f32, f32, f32);

impl Pen {
    pub(super) fn new(pixels_per_point: f32, options: TessellationOptions) -> Self {
        // No text is drawn with it and lines take the white pixel, so the font texture does not matter.
        let feather = if options.feathering { options.feathering_size_in_pixels / pixels_per_point } else { 0.0 };
        Self { tessellator: Tessellator::new(pixels_per_point, options, [1, 1], Vec::new()), feather }
    }

    fn mesh(&mut self, shapes: impl IntoIterator<Item = Shape>) -> Vec<Shape> {
        let mut mesh = Mesh::default();
        for shape in shapes {
            self.tessellator.tessellate_shape(shape, &mut mesh);
        }
        if mesh.is_empty() { Vec::new() } else { vec![Shape::mesh(mesh)] }
    }

    /// A feature as a line, or as a band where several bars share a pixel.
    pub(super) fn line(&mut self, series: Series<'_>, x: &XScale, y: &YScale, stylus: Stylus) -> Vec<Shape> {
        if let Some(columns) = columns(series, x, stylus.per_point) {
            return self.shared(columns, x, y, stylus);
        }
        let points = shown_rows(x, series).map(|row| series.at(row).map(|value| pos2(x.middle(row), y.y(value))));
        self.strokes(runs(points), stylus)
    }

    /// The same, level from a bar to the next.
    pub(super) fn step(&mut self, series: Series<'_>, x: &XScale, y: &YScale, stylus: Stylus) -> Vec<Shape> {
        if let Some(columns) = columns(series, x, stylus.per_point) {
            return self.shared(columns, x, y, stylus);
        }
        let level = |row: usize| series.at(row).map(|value| [pos2(x.x(row as f64), y.y(value)), pos2(x.x(row as f64 + 1.0), y.y(value))]);
        let levels = runs(shown_rows(x, series).map(level));
        self.strokes(levels.into_iter().map(|run| run.into_iter().flatten().collect()).collect(), stylus)
    }

    /// The room between a line and zero, or the edge of the pane where zero is not in view.
    pub(super) fn fill(&mut self, series: Series<'_>, x: &XScale, y: &YScale, [top, bottom]: [f32; 2], stylus: Stylus) -> Vec<Shape> {
        let zero = y.y(0.0);
        let foot = if zero < y.top {
            top
        } else if zero > y.bottom {
            bottom
        } else {
            zero
        };
        let between = |value: f32| (value.min(foot), value.max(foot));
        let fill: Vec<Option<Column>> = match columns(series, x, stylus.per_point) {
            Some(columns) => columns
                .into_iter()
                .map(|(x, extent)| extent.map(|extent| (x, y.y(extent.max).min(foot), y.y(extent.min).max(foot))))
                .collect(),
            None => shown_rows(x, series)
                .map(|row| {
                    series.at(row).map(|value| {
                        let (top, bottom) = between(y.y(value));
                        (x.middle(row), top, bottom)
                    })
                })
                .collect(),
        };
        self.strips(fill, stylus.width, stylus.color.gamma_multiply(FILL))
    }

    /// A dot per value, or a band where several bars share a pixel.
    pub(super) fn dots(&mut self, series: Series<'_>, x: &XScale, y: &YScale, stylus: Stylus) -> Vec<Shape> {
        if let Some(columns) = columns(series, x, stylus.per_point) {
            return self.shared(columns, x, y, stylus);
        }
        // Dots of neighbours do not melt together while there is room.
        let radius = (stylus.width + 0.4).min(x.bar_points() as f32 * 0.45).max(0.6);
        let dot = |row: usize| series.at(row).map(|value| Shape::circle_filled(pos2(x.middle(row), y.y(value)), radius, stylus.color));
        self.mesh(shown_rows(x, series).filter_map(dot).collect::<Vec<_>>())
    }

    /// Small filled polygons as one mesh.
    pub(super) fn polygons(&mut self, polygons: Vec<Vec<Pos2>>, color: Color32) -> Vec<Shape> {
        self.mesh(polygons.into_iter().map(|points| Shape::convex_polygon(points, color, Stroke::NONE)))
    }

    fn strokes(&mut self, runs: Vec<Vec<Pos2>>, stylus: Stylus) -> Vec<Shape> {
        let stroke = Stroke::new(stylus.width, stylus.color);
        self.mesh(runs.into_iter().map(|run| match run.as_slice() {
            [lone] => Shape::circle_filled(*lone, stylus.width, stylus.color),
            _ => Shape::line(run, stroke),
        }))
    }

    /// Columns of a line of which several bars share a pixel.
    fn shared(&self, columns: Vec<(f32, Option<Extent>)>, x: &XScale, y: &YScale, stylus: Stylus) -> Vec<Shape> {
        // Where many bars share a pixel, bands get wide and lie on each other: let each be seen through.
        let is_wide = x.bucket_rows(stylus.per_point) > MANY_ROWS;
        let color = if is_wide { stylus.color.gamma_multiply(0.55) } else { stylus.color };
        self.band_of(columns, y, stylus.width, color)
    }

    /// Columns from lowest to highest, as thick as a line where they are flat.
    pub(super) fn band(&self, columns: Vec<(f32, Option<Extent>)>, y: &YScale, color: Color32) -> Vec<Shape> {
        self.band_of(columns, y, BAND_POINTS, color)
    }

    fn band_of(&self, columns: Vec<(f32, Option<Extent>)>, y: &YScale, width: f32, color: Color32) -> Vec<Shape> {
        let half = width * 0.5;
        let points = columns.into_iter().map(|(x, extent)| extent.map(|extent| (x, y.y(extent.max) - half, y.y(extent.min) + half)));
        self.strips(points, width, color)
    }

    /// Bands as one mesh. Columns are joined to their neighbours, and both edges fade over a pixel; cheaper than outlines,
    /// which is what many columns ask for.
    fn strips(&self, points: impl IntoIterator<Item = Option<Column>>, width: f32, color: Color32) -> Vec<Shape> {
        let mut mesh = Mesh::default();
        let soft = self.feather * 0.5;
        for mut run in runs(points) {
            if let [(x, top, bottom)] = run.as_slice() {
                run = vec![(x - width * 0.5, *top, *bottom), (x + width * 0.5, *top, *bottom)];
            }
            mesh.reserve_vertices(run.len() * 4);
            mesh.reserve_triangles(run.len() * 6);
            for (position, (x, top, bottom)) in run.into_iter().enumerate() {
                let here = mesh.vertices.len() as u32;
                mesh.colored_vertex(pos2(x, top - soft), Color32::TRANSPARENT);
                mesh.colored_vertex(pos2(x, top + soft), color);
                mesh.colored_vertex(pos2(x, bottom - soft), color);
                mesh.colored_vertex(pos2(x, bottom + soft), Color32::TRANSPARENT);
                if position > 0 {
                    for edge in here..here + 3 {
                        mesh.add_triangle(edge - 4, edge - 3, edge);
                        mesh.add_triangle(edge - 3, edge, edge + 1);
                    }
                }
            }
        }
        if mesh.is_empty() { Vec::new() } else { vec![Shape::mesh(mesh)] }
    }

    /// The room between two lines, filled.
    pub(super) fn between(
        &self,
        [upper, lower]: [Series<'_>; 2],
        x: &XScale,
        y: &YScale,
        pixels_per_point: f32,
        color: Color32,
    ) -> Vec<Shape> {
        let bars = upper.values.len();
        let bucket = x.bucket_rows(pixels_per_point);
        let points = buckets(x.range.rows(bars), bucket, bars).map(|run| {
            let middle = x.middle_of(&run);
            let (upper, lower) = (upper.extent(run.clone())?, lower.extent(run)?);
            let (top, bottom) = (y.y(upper.max), y.y(lower.min));
            Some((middle, top.min(bottom), bottom.max(top)))
        });
        self.strips(points, BAND_POINTS, color)
    }
}

/// The rows in view and one more on each side, so that lines go on to the edges.
fn shown_rows(x: &XScale, series: Series<'_>) -> std::ops::Range<usize> {
    let rows = x.range.rows(series.values.len());
    rows.start.saturating_sub(1)..(rows.end + 1).min(series.values.len())
}

/// Columns of several bars each; `None` while every bar has a pixel of its own.
fn columns(series: Series<'_>, x: &XScale, per_point: f32) -> Option<Vec<(f32, Option<Extent>)>> {
    let bars = series.values.len();
    let bucket = x.bucket_rows(per_point);
    if bucket == 1 {
        return None;
    }
    let mut before = None;
    let columns = buckets(x.range.rows(bars), bucket, bars).map(|run| {
        let (first, last) = (series.at(run.start), series.at(run.end.saturating_sub(1)));
        // A line goes on from the column before where there is no gap between the two.
        let joined = before.filter(|_| first.is_some()).unwrap_or(f64::NAN);
        before = last;
        let middle = x.middle_of(&run);
        (middle, series.extent(run).map(|extent| extent.including(joined)))
    });
    Some(columns.collect())
}

/// Runs of values without a gap.
fn runs<T>(values: impl IntoIterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for value in values {
        match (value, runs.last_mut()) {
            (Some(value), Some(run)) => run.push(value),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// A short dash pattern as a shape: guides and the last price.
pub(super) fn dashes(from: Pos2, to: Pos2, width: f32, color: Color32) -> Vec<Shape> {
    Shape::dashed_line(&[from, to], Stroke::new(width, color), 3.0, 3.0)
}

#[cfg(test)]
mod tests {
    use super::super::geometry::IndexRange;
    use super::*;
    use crate::market::pyramid::Pyramid;

    fn vertices(values: &[f64], range: IndexRange) -> [usize; 4] {
        let pyramid = Pyramid::of_series(values);
        let x = XScale::even(0.0, 1_000.0, range);
        let y = YScale::fitting(Extent { min: -1.0, max: 1.0 }, false, 0.0, 100.0);
        let series = Series { values, pyramid: &pyramid };
        let stylus = Stylus { color: Color32::WHITE, width: 1.4, per_point: 1.0 };
        let mut pen = Pen::new(1.0, TessellationOptions::default());
        let shapes = [
            pen.line(series, &x, &y, stylus),
            pen.step(series, &x, &y, stylus),
            pen.fill(series, &x, &y, [0.0, 100.0], stylus),
            pen.dots(series, &x, &y, stylus),
        ];
        let count = |shape: &Shape| if let Shape::Mesh(mesh) = shape { mesh.vertices.len() } else { 0 };
        shapes.map(|shapes| shapes.iter().map(count).sum())
    }

    #[test]
    fn gaps_break_lines() {
        assert_eq!(runs([None, Some(1), Some(2), None, None, Some(3)]), [vec![1, 2], vec![3]]);
        assert!(runs([None::<u8>, None]).is_empty());
    }

    #[test]
    fn a_million_values_make_no_more_vertices_than_the_width_asks_for() {
        let values: Vec<f64> = (0..1_000_000).map(|row| f64::from(row).sin()).collect();
        let few = vertices(&values[..1_000], IndexRange { start: 0.0, end: 1_000.0 });
        let many = vertices(&values, IndexRange { start: 0.0, end: 1_000_000.0 });
        for (few, many) in few.into_iter().zip(many) {
            assert!(few > 0 && many <= few * 2, "{many} for a million, {few} for a thousand");
        }
    }
}
