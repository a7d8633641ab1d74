//! One frame of the chart: the scene, its axes and tags, legends, and what is over them.
//!
//! Contract: nothing is computed here that was not decided before; what the user did is returned, not done.

use super::candles::Pixels;
use super::data::ChartData;
use super::head::{PaneAction, pane_buttons_ui, pane_head_ui};
use super::legend::{EntryPlace, Legend, LegendAction, Seen};
use super::panes::{PaneFrame, PaneKind, Scene};
use super::tags;
use super::view::{Shown, edge_id};
use crate::tr;
use crate::ui::format;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::{CursorIcon, Id, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2};

/// Height of the strip in which a pane's edge can be caught.
const EDGE_POINTS: f32 = 8.0;
/// The part of a legend's head that says that the last bars may still change.
pub(super) const PROVISIONAL: &str = "last bar provisional";

/// Everything a frame is painted from.
pub(super) struct Painting<'a> {
    pub(super) id: Id,
    /// The plot and its axes.
    pub(super) rect: Rect,
    pub(super) plot: Rect,
    pub(super) scene: &'a Scene,
    pub(super) shown: &'a Shown,
    pub(super) legends: &'a [(PaneKind, Legend)],
    pub(super) response: &'a Response,
    pub(super) data: &'a ChartData,
    /// Whether a picture is taken of it: without what follows the pointer.
    pub(super) is_pictured: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Painted {
    /// The bar under the pointer.
    pub(super) hovered: Option<usize>,
    /// What was wanted of a line, and where its entry is.
    pub(super) legend_action: Option<(LegendAction, EntryPlace)>,
    /// Whether an entry of a legend has the keyboard.
    pub(super) entry_has_keys: bool,
    /// What was wanted of a pane.
    pub(super) pane_action: Option<PaneAction>,
}

impl Painting<'_> {
    /// Puts the scene on screen and everything over it.
    pub(super) fn show_ui(self, ui: &mut Ui) -> Painted {
        let Self { id, rect, plot, scene, shown, legends, response, data, is_pictured } = self;
        let theme = Theme::of(ui);
        let painter = ui.painter_at(rect);
        let pixels = scene.key.pixels;
        let value_axis = Rect::from_min_max(pos2(plot.right(), plot.top()), pos2(rect.right(), plot.bottom()));
        let time_axis = Rect::from_min_max(pos2(plot.left(), plot.bottom()), pos2(plot.right(), rect.bottom()));
        for pane in &scene.panes {
            painter.with_clip_rect(pane.frame.rect.intersect(painter.clip_rect())).extend(pane.shapes.iter().cloned());
        }
        let hairline = Stroke::new(pixels.hairline() / pixels.per_point, theme.line);
        painter.hline(rect.x_range(), pixels.line(plot.bottom()), hairline);
        painter.vline(pixels.line(plot.right()), plot.y_range(), hairline);

        let bars = data.bars.len();
        let pointer = response.hover_pos().filter(|_| !is_pictured && (response.contains_pointer() || response.dragged()));
        let hovered = pointer.and_then(|pointer| scene.x.row(pointer.x, bars));
        let row = hovered.or_else(|| scene.x.range.rows(bars).end.checked_sub(1));

        let mut covered = Vec::new();
        let price_pane = scene.panes.iter().find(|pane| pane.frame.kind == PaneKind::Price);
        let last = bars.checked_sub(1).map(|last| (value_at(&data.bars.close, last), value_at(&data.bars.close, last.saturating_sub(1))));
        if let Some((pane, (close, _))) = price_pane.zip(last) {
            let y = pane.scale.y(close);
            if pane.frame.rect.y_range().contains(y) {
                covered.push(y);
            }
        }
        let compared = price_pane.zip(last).map_or_else(Vec::new, |(pane, (close, _))| {
            tags::compared_tags(scene, pane, data, pane.scale.y(close), shown.price_decimals, theme)
        });
        covered.extend(compared.iter().map(|(y, ..)| *y));
        covered.extend(pointer.map(|pointer| pointer.y));
        tags::value_labels(&painter, scene, value_axis, &covered, theme);
        if let Some((pane, (close, before))) = price_pane.zip(last) {
            tags::last_price(
                &painter,
                pane,
                value_axis,
                close,
                &tags::tag_value(pane, close, shown.price_decimals),
                close >= before,
                pixels,
            );
            for (y, words, color) in &compared {
                tags::value_tag(&painter, value_axis, *y, words, *color, theme.background);
            }
        }
        let time_words = hovered.map(|row| tags::time_words(data, row)).unwrap_or_default();
        let covered = hovered.map(|row| tags::time_tag_rect(&painter, scene, row, time_axis, &time_words));
        tags::time_labels(&painter, scene, time_axis, covered, theme);
        if let Some((pointer, row)) = pointer.zip(hovered) {
            tags::crosshair(&painter, scene, row, pointer, [value_axis, time_axis], &time_words, shown.price_decimals);
        }

        let mut painted = Painted { hovered, ..Painted::default() };
        let layout = &scene.key.layout;
        for ((kind, legend), pane) in legends.iter().zip(&scene.panes) {
            let pane_id = id.with(kind);
            let maximised = pane_head_ui(ui, pane_id, layout, &pane.frame, *kind);
            let values = |word: &'static str| head_value(data, row, word, shown.price_decimals, theme);
            let seen = Seen { data, row, bases: &scene.price.bases };
            let wanted = legend.show_ui(ui, pane_id, pane.frame.rect, layout, seen, &values);
            painted.entry_has_keys |= legend.has_keys(ui, pane_id);
            let buttons = if is_pictured { None } else { pane_buttons_ui(ui, pane_id, layout, &pane.frame, *kind) };
            painted.legend_action = wanted.or(painted.legend_action);
            painted.pane_action = buttons.or(maximised).or(painted.pane_action);
        }
        if let Some((note, pane)) = scene.price.note.zip(price_pane) {
            note_ui(ui, id, note, pane.frame.rect);
        }
        edge_grips_ui(ui, id, rect, plot, &scene.key.frames, pixels);
        painted
    }
}

/// Why a scale is not the one that was chosen, at the foot of the prices.
fn note_ui(ui: &Ui, id: Id, note: &str, pane: Rect) {
    let theme = Theme::of(ui);
    let font = egui::FontId::proportional(size::TEXT_SMALL);
    let galley = ui.painter().layout_no_wrap(note.to_owned(), font, theme.text_weak);
    let rect = Rect::from_min_size(pos2(pane.left() + space::M, pane.bottom() - space::L - galley.size().y * 0.5), galley.size());
    ui.painter().rect_filled(rect.expand2(egui::vec2(space::XS, 2.0)), size::RADIUS, theme.panel);
    ui.painter().galley(rect.min, galley, theme.text_weak);
    let label = ui.interact(rect, id.with("note"), Sense::empty());
    label.widget_info(|| WidgetInfo::labeled(Role::Label, true, note));
}

fn value_at(column: &[f64], row: usize) -> f64 {
    column.get(row).copied().unwrap_or(f64::NAN)
}

/// A value of a legend's head at a bar, and its colour.
fn head_value(data: &ChartData, row: Option<usize>, word: &str, decimals: usize, theme: &Theme) -> (String, egui::Color32) {
    let Some(row) = row.filter(|_| word != PROVISIONAL) else {
        let text = if word == PROVISIONAL { "" } else { format::NONE };
        return (text.to_owned(), theme.text_weak);
    };
    let bars = &data.bars;
    let before = row.checked_sub(1).map_or_else(|| value_at(&bars.open, row), |before| value_at(&bars.close, before));
    let change = 100.0 * (value_at(&bars.close, row) / before - 1.0);
    let price = |column: &[f64]| (format::fixed(value_at(column, row), decimals), theme.text);
    match word {
        "O" => price(&bars.open),
        "H" => price(&bars.high),
        "L" => price(&bars.low),
        "C" => price(&bars.close),
        "Volume" => (format::volume(value_at(&bars.volume, row)), theme.text),
        _ => (format::change_percent(change), theme.change_color(change)),
    }
}

/// The lines between panes, which can be dragged.
fn edge_grips_ui(ui: &mut Ui, id: Id, rect: Rect, plot: Rect, frames: &[PaneFrame], pixels: Pixels) {
    let theme = Theme::of(ui);
    for (position, frame) in frames.iter().skip(1).enumerate() {
        let y = frame.rect.top();
        let grip = Rect::from_x_y_ranges(plot.x_range(), y - EDGE_POINTS * 0.5..=y + EDGE_POINTS * 0.5);
        let response = ui.interact(grip, edge_id(id, position), Sense::drag()).on_hover_cursor(CursorIcon::ResizeVertical);
        response.widget_info(|| WidgetInfo::labeled(Role::Splitter, true, tr!("Height of pane {number}", number = position + 2)));
        let active = response.hovered() || response.dragged();
        let stroke =
            if active { Stroke::new(2.0, theme.accent) } else { Stroke::new(pixels.hairline() / pixels.per_point, theme.line_strong) };
        ui.painter().hline(rect.x_range(), pixels.line(y), stroke);
    }
}
