//! Marks of what is worth a look: lines where sessions are missing, and ticks where bars cannot be.
//!
//! Contract: at most one mark per physical pixel, found by searching, whatever the number of findings.

use super::candles::Pixels;
use super::data::ChartData;
use super::x_scale::XScale;
use crate::ui::theme::Theme;
use eframe::egui;
use egui::{Mesh, Rect, Shape};

/// Height of a mark at the foot of the pane, in points.
const TICK_POINTS: f32 = 8.0;
/// Dash and room of the line where sessions are missing, in points.
const DASH_POINTS: [f32; 2] = [2.0, 4.0];
/// Least width of a bar whose missing neighbours get a line through the pane, in points: narrower ones get a tick.
const LINE_BAR_POINTS: f64 = 2.0;
/// How much of its colour a hole keeps.
const HOLE_SHARE: f32 = 0.1;

/// The marks in view.
pub(super) fn findings_shape(data: &ChartData, x: &XScale, pane: Rect, pixels: Pixels, theme: &Theme) -> Option<Shape> {
    let findings = data.findings();
    let rows = x.range.rows(data.bars.len());
    let mut place = findings.partition_point(|finding| finding.row < rows.start);
    let half = pixels.hairline() / pixels.per_point * 0.5;
    let mut mesh = Mesh::default();
    while let Some(finding) = findings.get(place).filter(|finding| finding.row < rows.end) {
        let is_missing = finding.finding.is_hole();
        // What is missing is between two bars.
        let at = pixels.line(if is_missing { x.x(finding.row as f64) } else { x.middle(finding.row) });
        let color = if is_missing { theme.warning } else { theme.error };
        let foot = Rect::from_x_y_ranges(at - half * 2.0..=at + half * 2.0, pane.bottom() - TICK_POINTS..=pane.bottom());
        mesh.add_colored_rect(foot, color);
        if is_missing && let Some(hole) = x.hole_before(finding.row) {
            // Where time has its own room, so has what is missing.
            mesh.add_colored_rect(Rect::from_x_y_ranges(hole, pane.y_range()), color.gamma_multiply(HOLE_SHARE));
        }
        if is_missing && x.bar_points() >= LINE_BAR_POINTS {
            let mut top = pane.top();
            while top < foot.top() {
                let dash = Rect::from_x_y_ranges(at - half..=at + half, top..=(top + DASH_POINTS[0]).min(foot.top()));
                mesh.add_colored_rect(dash, color.gamma_multiply(0.55));
                top += DASH_POINTS[0] + DASH_POINTS[1];
            }
        }
        // The next one that falls on another pixel.
        let next_row = (x.index(at + 1.0 / pixels.per_point).ceil().max(0.0) as usize).max(finding.row + 1);
        place = (place + 1).max(findings.partition_point(|finding| finding.row < next_row));
    }
    (!mesh.is_empty()).then(|| Shape::mesh(mesh))
}

#[cfg(test)]
mod tests {
    use super::super::geometry::IndexRange;
    use super::super::x_scale::Clock;
    use super::*;
    use crate::market::quality::MarketDays;
    use crate::market::{Bars, DAY_US, Exchange, Symbol};
    use crate::ui::theme::PriceColors;
    use egui::pos2;
    use std::sync::Arc;

    #[test]
    fn where_time_has_its_room_a_hole_is_tinted_from_bar_to_bar() {
        let times = (0..10).chain(20..30).map(|day| day * DAY_US).collect();
        let data = ChartData::new(Symbol::new("A"), Arc::new(Bars { time_us: times, ..Bars::default() }))
            .with_findings(&MarketDays::new(Exchange::Continuous, []));
        let pane = Rect::from_min_max(pos2(0.0, 0.0), pos2(300.0, 100.0));
        let range = IndexRange { start: 0.0, end: 20.0 };
        let theme = Theme::pick(true, PriceColors::GreenUp);
        let widest = |clock: Option<Clock>| {
            let x = XScale::new(0.0, 300.0, range, clock);
            let Some(Shape::Mesh(mesh)) = findings_shape(&data, &x, pane, Pixels { per_point: 1.0 }, theme) else { panic!("marks") };
            let quads = mesh.vertices.chunks(4).map(|quad| Rect::from_points(&[quad[0].pos, quad[3].pos]));
            quads.max_by(|left, right| left.width().total_cmp(&right.width())).expect("a mark")
        };
        assert!(widest(None).width() < 4.0, "side by side, there is no room for it");
        let hole = widest(Some(Clock::of(&data.bars)));
        let day = hole.width() / 10.0;
        assert!((hole.left() - 10.0 * day).abs() < 0.5 && hole.height() == 100.0, "{hole:?}");
    }

    #[test]
    fn a_million_holes_make_no_more_marks_than_pixels() {
        // Every other day is missing in a market that never closes.
        let count = 200_000;
        let flat = vec![1.0; count];
        let bars = Bars {
            time_us: (0..count as i64).map(|row| row * 2 * DAY_US).collect(),
            open: flat.clone(),
            high: flat.clone(),
            low: flat.clone(),
            close: flat.clone(),
            volume: flat,
            ..Bars::default()
        };
        let data = ChartData::new(Symbol::new("A"), Arc::new(bars)).with_findings(&MarketDays::new(Exchange::Continuous, []));
        assert_eq!(data.findings().len(), count - 1);
        let pane = Rect::from_min_max(pos2(0.0, 0.0), pos2(500.0, 300.0));
        let theme = Theme::pick(true, PriceColors::GreenUp);
        let marks = |start: f64, end: f64| {
            let x = XScale::even(0.0, 500.0, IndexRange { start, end });
            match findings_shape(&data, &x, pane, Pixels { per_point: 1.0 }, theme) {
                Some(Shape::Mesh(mesh)) => mesh.vertices.len() / 4,
                _ => 0,
            }
        };
        let many = marks(0.0, count as f64);
        assert!((400..=501).contains(&many), "{many}");
        assert!(marks(100.0, 110.0) > 10 * 30, "few bars have whole lines");
    }
}
