//! The map of everything that is cached: a field per symbol, as large as what it takes, as warm as it is fresh.
//!
//! States lie side by side, so that hot and cold are seen as areas; inside each, larger symbols come first. Contract: the layout
//! (pure, tested below) is worked out when the snapshot or the room is another, not every frame; ten thousand fields are one mesh.

use super::note_ui;
use crate::app::{Action, AppState};
use crate::cache::EntryState;
use crate::market::Symbol;
use crate::ui::format;
use crate::ui::symbols::now_us;
use crate::ui::theme::{StateMark, Theme, space};
use crate::ui::widgets::{heading_ui, mark_of};
use crate::ui::window::{Outbox, ViewState};
use crate::worker::SymbolRow;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Color32, Mesh, Pos2, Rect, Sense, Shape, Ui, pos2, vec2};
use std::sync::Arc;

/// Height of the map, in points.
const TALL: f32 = 148.0;
/// Which share of its side a field keeps from its neighbours, at most half a point.
const APART_SHARE: f32 = 0.1;

/// States from hot to cold to broken, as they lie on the map.
const ORDER: [EntryState; 5] = [EntryState::Fresh, EntryState::Outdated, EntryState::Stale, EntryState::Failed, EntryState::Damaged];

/// Where each symbol lies.
#[derive(Debug, Default)]
pub struct HeatMap {
    /// The snapshot and the room it was laid out for.
    of: Option<(usize, [u32; 2])>,
    /// Rows of the snapshot, and their fields from the upper left corner of the map.
    fields: Vec<(usize, Rect)>,
}

/// Shares out a rectangle: every weight gets an area in proportion, as near to a square as can be. Weights are positive and
/// sorted, largest first.
///
/// The algorithm of Bruls, Huizing and van Wijk (2000), "Squarified treemaps".
fn squarify(weights: &[f64], room: Rect) -> Vec<Rect> {
    let total: f64 = weights.iter().sum();
    let mut fields = Vec::with_capacity(weights.len());
    if total <= 0.0 || room.width() <= 0.0 || room.height() <= 0.0 {
        return fields;
    }
    let scale = f64::from(room.width()) * f64::from(room.height()) / total;
    let mut left = room;
    let mut rest = weights;
    while !rest.is_empty() {
        let side = f64::from(left.width().min(left.height())).max(1e-6);
        let worst = |largest: f64, smallest: f64, sum: f64| {
            let (side, sum) = (side * side, sum * sum);
            (side * largest / sum).max(sum / (side * smallest))
        };
        let (mut count, mut sum) = (0, 0.0);
        let largest = rest.first().map_or(0.0, |weight| weight * scale);
        for weight in rest {
            let area = weight * scale;
            let before = if count == 0 { f64::INFINITY } else { worst(largest, rest.get(count - 1).map_or(area, |w| w * scale), sum) };
            if worst(largest, area, sum + area) > before {
                break;
            }
            sum += area;
            count += 1;
        }
        let count = count.max(1);
        let (row, behind) = rest.split_at(count.min(rest.len()));
        let sum: f64 = row.iter().sum::<f64>() * scale;
        let beside = left.width() >= left.height();
        let thick = (sum / side) as f32;
        let mut at = 0.0_f32;
        for weight in row {
            let long = (weight * scale / f64::from(thick.max(1e-6))) as f32;
            fields.push(if beside {
                Rect::from_min_size(pos2(left.left(), left.top() + at), vec2(thick, long))
            } else {
                Rect::from_min_size(pos2(left.left() + at, left.top()), vec2(long, thick))
            });
            at += long;
        }
        left = if beside {
            Rect::from_min_max(pos2((left.left() + thick).min(left.right()), left.top()), left.max)
        } else {
            Rect::from_min_max(pos2(left.left(), (left.top() + thick).min(left.bottom())), left.max)
        };
        rest = behind;
    }
    fields
}

impl HeatMap {
    fn lay_out(&mut self, state: &AppState, room: [f32; 2]) {
        let of = (Arc::as_ptr(&state.snapshot) as usize, room.map(|points| points.round() as u32));
        if self.of == Some(of) {
            return;
        }
        self.of = Some(of);
        self.fields.clear();
        let rows = &state.snapshot.rows;
        let total: u64 = rows.iter().map(SymbolRow::size_bytes).sum();
        let mut left = 0.0;
        for wanted in ORDER {
            let mut own: Vec<(usize, u64)> = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.state == wanted && row.size_bytes() > 0)
                .map(|(at, row)| (at, row.size_bytes()))
                .collect();
            own.sort_by_key(|(at, bytes)| (std::cmp::Reverse(*bytes), *at));
            let sum: u64 = own.iter().map(|(_, bytes)| bytes).sum();
            let wide = (sum as f64 / total.max(1) as f64) as f32 * room[0];
            let area = Rect::from_min_size(pos2(left, 0.0), vec2(wide, room[1]));
            left += wide;
            let weights: Vec<f64> = own.iter().map(|(_, bytes)| *bytes as f64).collect();
            self.fields.extend(own.iter().map(|(at, _)| *at).zip(squarify(&weights, area)));
        }
    }

    /// The row of the snapshot at a place.
    fn at(&self, place: Pos2) -> Option<(usize, Rect)> {
        self.fields.iter().find(|(_, field)| field.contains(place)).copied()
    }
}

/// The whole group.
pub fn heat_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let missing = state.snapshot.rows.iter().filter(|row| row.size_bytes() == 0).count();
    ui.horizontal(|ui| {
        heading_ui(ui, tr!("What is hot and what is cold"));
        if missing > 0 && missing < state.snapshot.rows.len() {
            let text = tr_n!(
                missing as u64,
                "{count} symbol with nothing cached is not on the map",
                "{count} symbols with nothing cached are not on the map"
            );
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(egui::RichText::new(text).small().color(theme.text_weak));
            });
        }
    });
    let cached = state.snapshot.rows.iter().filter(|row| row.size_bytes() > 0).count();
    if cached == 0 {
        note_ui(ui, tr!("Nothing is cached yet: preheat to bring bars here"));
        return;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), TALL), Sense::click());
    let spoken = tr!("{count} symbols by size and state", count = format::count(cached as u64));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Image, true, &spoken));
    let map = &mut views.heat;
    map.lay_out(state, [rect.width(), rect.height()]);
    let now_us = now_us(state);
    let hovered = response.hover_pos().and_then(|pos| map.at(pos - rect.min.to_vec2()));
    let mut mesh = Mesh::default();
    for (at, field) in &map.fields {
        let Some(row) = state.snapshot.rows.get(*at) else { continue };
        let field = field.translate(rect.min.to_vec2());
        let side = field.width().min(field.height());
        let field = field.shrink((side * APART_SHARE).min(0.5));
        mesh.add_colored_rect(field, warmth(theme, row, now_us));
    }
    ui.painter().add(Shape::mesh(mesh));
    name_large_fields(ui, state, map, rect);
    let Some((row, field)) = hovered.and_then(|(at, field)| Some((state.snapshot.rows.get(at)?, field))) else { return };
    ui.painter().rect_stroke(field.translate(rect.min.to_vec2()), 0.0, (2.0, theme.text), egui::StrokeKind::Inside);
    let mark = mark_of(row.state, row.cools_at_us, now_us);
    let mut text = format!("{} · {} · {}", row.symbol, mark.word(), format::bytes(row.size_bytes()));
    if let Some(at_us) = row.expires_at_us.filter(|_| matches!(mark, StateMark::Fresh | StateMark::Cooling)) {
        text += &format!(" · {}", tr!("expires {when}", when = format::relative(at_us, now_us)));
    }
    let symbol: Symbol = row.symbol.clone();
    if response.on_hover_text_at_pointer(text).clicked() {
        out.act(Action::Reveal(symbol));
    }
}

/// How warm a field is: what is fresh cools evenly from its fetching to its expiry, the rest has the colour of its state.
fn warmth(theme: &Theme, row: &SymbolRow, now_us: i64) -> Color32 {
    let mark = mark_of(row.state, row.cools_at_us, now_us);
    let color = match (row.state, row.fetched_at_us, row.expires_at_us) {
        (EntryState::Fresh, Some(fetched_us), Some(expires_us)) if expires_us > fetched_us => {
            let left = (expires_us - now_us) as f32 / (expires_us - fetched_us) as f32;
            theme.cooling.lerp_to_gamma(theme.fresh, left.clamp(0.0, 1.0))
        }
        _ => mark.color(theme),
    };
    // Many fields together are louder than one mark.
    theme.background.lerp_to_gamma(color, 0.82)
}

/// Writes names where there is room for them.
fn name_large_fields(ui: &Ui, state: &AppState, map: &HeatMap, rect: Rect) {
    let theme = Theme::of(ui);
    let font = egui::TextStyle::Small.resolve(ui.style());
    for (at, field) in map.fields.iter().filter(|(_, field)| field.width() > 34.0 && field.height() > 15.0) {
        let Some(row) = state.snapshot.rows.get(*at) else { continue };
        let galley = ui.painter().layout_no_wrap(row.symbol.as_str().to_owned(), font.clone(), theme.background);
        if galley.size().x + space::S <= field.width() {
            let place = field.translate(rect.min.to_vec2()).center() - galley.size() * 0.5;
            ui.painter().galley(place, galley, theme.background);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_in_proportion_and_fill_the_room_without_overlap() {
        let room = Rect::from_min_size(pos2(10.0, 20.0), vec2(600.0, 400.0));
        let weights = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0];
        let fields = squarify(&weights, room);
        assert_eq!(fields.len(), weights.len());
        for (field, weight) in fields.iter().zip(weights) {
            assert!((f64::from(field.area()) - weight * 10_000.0).abs() < 1.0, "{field:?}");
            assert!(room.expand(0.01).contains_rect(*field));
            assert!(field.width() / field.height() < 3.0 && field.height() / field.width() < 3.0, "{field:?} is no square");
        }
        for (place, one) in fields.iter().enumerate() {
            for other in &fields[place + 1..] {
                assert!(one.shrink(0.01).intersect(other.shrink(0.01)).area() <= 0.0 || !one.shrink(0.01).intersects(other.shrink(0.01)));
            }
        }
    }

    #[test]
    fn nothing_has_no_fields_and_much_has_many() {
        assert_eq!(squarify(&[], Rect::from_min_size(Pos2::ZERO, vec2(5.0, 5.0))), []);
        assert_eq!(squarify(&[1.0], Rect::from_min_size(Pos2::ZERO, vec2(0.0, 5.0))), []);
        let many = vec![1.0; 10_000];
        assert_eq!(squarify(&many, Rect::from_min_size(Pos2::ZERO, vec2(1_000.0, 150.0))).len(), 10_000);
    }
}
