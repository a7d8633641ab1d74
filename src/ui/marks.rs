//! State marks: one shape, one colour and one word per state of an entry.
//!
//! Painted, not typed: no font has these shapes at these sizes, and shapes stay crisp. Contract: shapes differ without
//! colour, and every mark fits a square of [`size::MARK`] points.

use super::theme::{Theme, size, space};
use crate::tr;
use eframe::egui;
use egui::{Color32, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};
use std::f32::consts::TAU;

/// What the window shows of an entry's state and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StateMark {
    /// Hot: as good as the source. A full disc.
    Fresh,
    /// Fresh, but near the end of its time. A disc that has lost a quarter.
    Cooling,
    /// Its time is over. A ring.
    Stale,
    /// Its inputs or its definition changed. A diamond.
    Outdated,
    /// Fails its checksum. A cross.
    Damaged,
    /// The last attempt failed. A triangle.
    Failed,
    /// Not in the cache. A dotted ring.
    Missing,
    /// A job has it now. An open arc around a point.
    Working,
    /// Never evicted, never expires. A pin.
    Pinned,
}

impl StateMark {
    /// Every mark, hottest first.
    pub const ALL: [Self; 9] =
        [Self::Fresh, Self::Cooling, Self::Stale, Self::Outdated, Self::Damaged, Self::Failed, Self::Missing, Self::Working, Self::Pinned];

    /// The state's word, in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => tr!("fresh"),
            Self::Cooling => tr!("cooling"),
            Self::Stale => tr!("stale"),
            Self::Outdated => tr!("outdated"),
            Self::Damaged => tr!("damaged"),
            Self::Failed => tr!("failed"),
            Self::Missing => tr!("missing"),
            Self::Working => tr!("working"),
            Self::Pinned => tr!("pinned"),
        }
    }

    /// The state's colour.
    #[must_use]
    pub fn color(self, theme: &Theme) -> Color32 {
        match self {
            Self::Fresh => theme.fresh,
            Self::Cooling => theme.cooling,
            Self::Stale => theme.stale,
            Self::Outdated => theme.outdated,
            Self::Damaged | Self::Failed => theme.damaged,
            Self::Missing => theme.missing,
            Self::Working => theme.working,
            Self::Pinned => theme.pinned,
        }
    }
}

/// Paints a mark in the middle of `rect`, in its state's colour.
pub fn paint_mark(painter: &Painter, rect: Rect, mark: StateMark) {
    let color = mark.color(Theme::of(painter.ctx()));
    let side = rect.width().min(rect.height());
    let center = rect.center();
    let radius = side * 0.42;
    let stroke = Stroke::new((side * 0.16).max(1.25), color);
    match mark {
        StateMark::Fresh => {
            painter.circle_filled(center, radius, color);
        }
        StateMark::Cooling => {
            // Two convex halves: the tessellator fills convex shapes only.
            painter.add(pie(center, radius, 0.0, 0.5, color));
            painter.add(pie(center, radius, 0.5, 0.75, color));
        }
        StateMark::Stale => {
            painter.circle_stroke(center, radius - stroke.width * 0.5, stroke);
        }
        StateMark::Outdated => {
            let reach = side * 0.5;
            let corners = vec![center - vec2(0.0, reach), center + vec2(reach, 0.0), center + vec2(0.0, reach), center - vec2(reach, 0.0)];
            painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
        }
        StateMark::Damaged => {
            let reach = side * 0.36;
            let stroke = Stroke::new(side * 0.2, color);
            painter.line_segment([center - vec2(reach, reach), center + vec2(reach, reach)], stroke);
            painter.line_segment([center + vec2(-reach, reach), center + vec2(reach, -reach)], stroke);
        }
        StateMark::Failed => {
            let reach = side * 0.5;
            let corners = vec![center - vec2(0.0, reach * 0.9), center + vec2(reach, reach * 0.8), center + vec2(-reach, reach * 0.8)];
            painter.add(Shape::convex_polygon(corners, color, Stroke::NONE));
        }
        StateMark::Missing => {
            for dot in 0..8_u8 {
                painter.circle_filled(on_circle(center, radius * 0.95, f32::from(dot) / 8.0), side * 0.085, color);
            }
        }
        StateMark::Working => {
            painter.add(Shape::line(arc(center, radius - stroke.width * 0.5, 0.0, 0.72), stroke));
            painter.circle_filled(center, side * 0.13, color);
        }
        StateMark::Pinned => {
            painter.circle_filled(center - vec2(0.0, side * 0.18), side * 0.28, color);
            painter.line_segment([center, center + vec2(0.0, side * 0.5)], stroke);
        }
    }
}

/// A mark as a widget of its own: its size, its word as hover text and as accessible name.
pub fn mark_ui(ui: &mut Ui, mark: StateMark) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(size::MARK + space::XS, size::MARK), Sense::hover());
    if ui.is_rect_visible(rect) {
        paint_mark(ui.painter(), Rect::from_min_size(rect.min, vec2(size::MARK, size::MARK)), mark);
    }
    response.on_hover_text(mark.word())
}

/// In what way a symbol's bars at the source are not what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeMark {
    /// Bars came after the last. A plus.
    Appended,
    /// History is another. Two arrows, to and fro.
    Rewritten,
    /// Nothing is left. A minus in a ring.
    Removed,
}

/// A mark of a change as a widget of its own.
pub fn change_mark_ui(ui: &mut Ui, mark: ChangeMark) -> Response {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(size::MARK + space::XS, size::MARK), Sense::hover());
    let rect = Rect::from_min_size(rect.min, vec2(size::MARK, size::MARK));
    let (painter, center) = (ui.painter(), rect.center());
    let reach = size::MARK * 0.42;
    match mark {
        ChangeMark::Appended => {
            let stroke = Stroke::new(1.75, theme.success);
            painter.line_segment([center - vec2(reach, 0.0), center + vec2(reach, 0.0)], stroke);
            painter.line_segment([center - vec2(0.0, reach), center + vec2(0.0, reach)], stroke);
        }
        ChangeMark::Rewritten => {
            let stroke = Stroke::new(1.75, theme.outdated);
            for (lift, side) in [(-2.5, 1.0), (2.5, -1.0)] {
                let (left, right) = (center + vec2(-reach, lift), center + vec2(reach, lift));
                painter.line_segment([left, right], stroke);
                // Each line is an arrow, to and fro.
                let head = if side > 0.0 { right } else { left };
                painter.line_segment([head, head + vec2(-3.0 * side, -2.5)], stroke);
            }
        }
        ChangeMark::Removed => {
            let stroke = Stroke::new(1.5, theme.damaged);
            painter.circle_stroke(center, reach, stroke);
            painter.line_segment([center - vec2(reach * 0.5, 0.0), center + vec2(reach * 0.5, 0.0)], stroke);
        }
    }
    response
}

/// A point on a circle; `turn` counts clockwise from the top, 1 is all the way round.
fn on_circle(center: Pos2, radius: f32, turn: f32) -> Pos2 {
    let angle = turn * TAU - TAU * 0.25;
    pos2(center.x + radius * angle.cos(), center.y + radius * angle.sin())
}

fn arc(center: Pos2, radius: f32, from_turn: f32, to_turn: f32) -> Vec<Pos2> {
    (0..=16_u8).map(|step| on_circle(center, radius, from_turn + (to_turn - from_turn) * f32::from(step) / 16.0)).collect()
}

fn pie(center: Pos2, radius: f32, from_turn: f32, to_turn: f32, color: Color32) -> Shape {
    let mut points = arc(center, radius, from_turn, to_turn);
    points.push(center);
    Shape::convex_polygon(points, color, Stroke::NONE)
}
