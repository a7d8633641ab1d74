//! Lines and bands of features, tessellated once and kept as meshes.
//!
//! Contract: NaN breaks a line; at most one point or one column per physical pixel, whatever the number of bars.

use super::data::Series;
use super::geometry::{XScale, YScale, bucket_rows, buckets};
use crate::market::pyramid::Extent;
use eframe::egui;
use egui::epaint::{TessellationOptions, Tessellator};
use egui::{Color32, Mesh, Pos2, Shape, Stroke, pos2};

/// Width of a feature's line, in points.
pub(super) const LINE_POINTS: f32 = 1.4;

/// From how many bars per pixel on lines get as wide as bands.
pub(super) const MANY_ROWS: usize = 4;

/// Turns shapes into meshes, with the window's own settings, so that they are not tessellated again in every frame.
pub(super) struct Pen {
    tessellator: Tessellator,
    /// Width of the soft edge of bands, in points.
    feather: f32,
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
    pub(super) fn line(&mut self, series: Series<'_>, x: &XScale, y: &YScale, pixels_per_point: f32, color: Color32) -> Vec<Shape> {
        let bars = series.values.len();
        let bucket = bucket_rows(x.bar_points() * f64::from(pixels_per_point));
        let rows = x.range.rows(bars);
        if bucket > 1 {
            let mut before = None;
            let columns = buckets(rows, bucket, bars).map(|run| {
                let (first, last) = (series.at(run.start), series.at(run.end.saturating_sub(1)));
                // A line goes on from the column before where there is no gap between the two.
                let joined = before.filter(|_| first.is_some()).unwrap_or(f64::NAN);
                before = last;
                let middle = x.x((run.start + run.end) as f64 * 0.5);
                (middle, series.extent(run).map(|extent| extent.including(joined)))
            });
            // Where many bars share a pixel, bands get wide and lie on each other: let each be seen through.
            let color = if bucket > MANY_ROWS { color.gamma_multiply(0.55) } else { color };
            return self.band(columns.collect(), y, color);
        }
        let stroke = Stroke::new(LINE_POINTS, color);
        let shown = rows.start.saturating_sub(1)..(rows.end + 1).min(bars);
        let points = shown.map(|row| series.at(row).map(|value| pos2(x.middle(row), y.y(value))));
        let runs = runs(points).into_iter().map(|run| match run.as_slice() {
            [lone] => Shape::circle_filled(*lone, LINE_POINTS, color),
            _ => Shape::line(run, stroke),
        });
        self.mesh(runs)
    }

    /// Columns from lowest to highest, as thick as a line where they are flat.
    pub(super) fn band(&self, columns: Vec<(f32, Option<Extent>)>, y: &YScale, color: Color32) -> Vec<Shape> {
        let half = LINE_POINTS * 0.5;
        let points = columns.into_iter().map(|(x, extent)| extent.map(|extent| (x, y.y(extent.max) - half, y.y(extent.min) + half)));
        self.strips(points, color)
    }

    /// Bands as one mesh. Columns are joined to their neighbours, and both edges fade over a pixel; cheaper than outlines,
    /// which is what many columns ask for.
    fn strips(&self, points: impl IntoIterator<Item = Option<Column>>, color: Color32) -> Vec<Shape> {
        let mut mesh = Mesh::default();
        let soft = self.feather * 0.5;
        for mut run in runs(points) {
            if let [(x, top, bottom)] = run.as_slice() {
                run = vec![(x - LINE_POINTS * 0.5, *top, *bottom), (x + LINE_POINTS * 0.5, *top, *bottom)];
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
        let bucket = bucket_rows(x.bar_points() * f64::from(pixels_per_point));
        let points = buckets(x.range.rows(bars), bucket, bars).map(|run| {
            let middle = x.x((run.start + run.end) as f64 * 0.5);
            let (upper, lower) = (upper.extent(run.clone())?, lower.extent(run)?);
            let (top, bottom) = (y.y(upper.max), y.y(lower.min));
            Some((middle, top.min(bottom), bottom.max(top)))
        });
        self.strips(points, color)
    }
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

    fn vertices(values: &[f64], range: IndexRange) -> usize {
        let pyramid = Pyramid::of_series(values);
        let x = XScale { left: 0.0, width: 1_000.0, range };
        let y = YScale::fitting(Extent { min: -1.0, max: 1.0 }, false, 0.0, 100.0);
        let series = Series { values, pyramid: &pyramid };
        let shapes = Pen::new(1.0, TessellationOptions::default()).line(series, &x, &y, 1.0, Color32::WHITE);
        shapes.iter().map(|shape| if let Shape::Mesh(mesh) = shape { mesh.vertices.len() } else { 0 }).sum()
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
        assert!(many <= few * 2, "{many} for a million, {few} for a thousand");
    }
}
