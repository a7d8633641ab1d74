//! What stands over the panes: axis labels, the last price, the crosshair and its tags.
//!
//! Drawn anew in every frame, unlike the scene: it is little, it follows the pointer, and it is text.

use super::axis::{decimals_of_step, full_time, nice_step};
use super::candles::Pixels;
use super::data::ChartData;
use super::line::dashes;
use super::panes::{PaneKind, PaneScene, Scene};
use super::scale::is_compared;
use super::style::color_of;
use crate::tr;
use crate::ui::format;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Stroke, pos2, vec2};

/// How far back the last value of a compared line is looked for.
const LAST_ROWS: usize = 64;
/// Height of a tag on an axis.
const TAG_POINTS: f32 = 18.0;

fn font() -> FontId {
    FontId::proportional(size::TEXT_SMALL)
}

/// How wide the value axis must be for its labels, in steps so that it does not twitch while panning.
pub(super) fn axis_width(painter: &Painter, scene: &Scene, tags: &[String]) -> f32 {
    let labels = scene.panes.iter().flat_map(|pane| pane.ticks.iter().map(|tick| &tick.label)).chain(tags);
    let widest = labels.map(|label| painter.layout_no_wrap(label.clone(), font(), Color32::PLACEHOLDER).size().x).fold(0.0, f32::max);
    ((widest + space::S * 2.0) / space::S).ceil() * space::S
}

/// The widest tags that prices can have in this view.
pub(super) fn widest_price_tags(scene: &Scene, highest: f64, price_decimals: usize) -> Vec<String> {
    let mut widest = vec![format::fixed(highest, price_decimals)];
    if let Some(pane) = scene.panes.iter().find(|pane| pane.frame.kind == PaneKind::Price) {
        widest.extend([pane.scale.top, pane.scale.bottom].iter().filter_map(|y| pane.reading.words(pane.scale.value(*y))));
    }
    widest
}

/// A value as an axis tag says it: as exact as a pixel is.
pub(super) fn tag_value(pane: &PaneScene, value: f64, price_decimals: usize) -> String {
    if let Some(words) = pane.reading.words(value) {
        return words;
    }
    match pane.frame.kind {
        PaneKind::Price => format::fixed(value, price_decimals),
        PaneKind::Volume => format::volume(value),
        PaneKind::Feature(_) => {
            let pixel = (pane.scale.value(pane.scale.top) - pane.scale.value(pane.scale.bottom)).abs()
                / f64::from(pane.scale.bottom - pane.scale.top).max(1.0);
            if value.abs() >= 1_000_000.0 { format::volume(value) } else { format::fixed(value, decimals_of_step(nice_step(pixel)).min(6)) }
        }
    }
}

/// Labels of the value axes, without those a tag would cover.
pub(super) fn value_labels(painter: &Painter, scene: &Scene, axis: Rect, covered: &[f32], theme: &Theme) {
    for pane in &scene.panes {
        for tick in &pane.ticks {
            let inside = tick.y - pane.frame.rect.top() >= 7.0 && pane.frame.rect.bottom() - tick.y >= 7.0;
            if inside && covered.iter().all(|y| (y - tick.y).abs() >= TAG_POINTS * 0.9) {
                painter.text(pos2(axis.right() - space::S, tick.y), Align2::RIGHT_CENTER, &tick.label, font(), theme.text_weak);
            }
        }
    }
}

/// Labels of the time axis, without those that would be cut off, or meet the label of the whole or the crosshair's tag.
pub(super) fn time_labels(painter: &Painter, scene: &Scene, axis: Rect, covered: Option<Rect>, theme: &Theme) {
    let y = axis.center().y;
    let mut free_from = axis.left();
    if let Some(context) = &scene.context {
        let galley = painter.layout_no_wrap(context.clone(), font(), theme.text);
        let rect = Rect::from_min_size(pos2(axis.left() + space::M, y - galley.size().y * 0.5), galley.size());
        free_from = rect.right() + space::S;
        if covered.is_none_or(|tag| !tag.intersects(rect)) {
            painter.galley(rect.min, galley, theme.text);
        }
    }
    for tick in &scene.time.ticks {
        let color = if tick.strong { theme.text } else { theme.text_weak };
        let galley = painter.layout_no_wrap(tick.label.clone(), font(), color);
        let left = tick.x - galley.size().x * 0.5;
        let rect = Rect::from_min_size(pos2(left, y - galley.size().y * 0.5), galley.size());
        let free = left >= free_from && rect.right() <= axis.right();
        if free && covered.is_none_or(|tag| !tag.expand(space::XS).intersects(rect)) {
            free_from = rect.right() + space::M;
            painter.galley(rect.min, galley, color);
        }
    }
}

/// A tag on the value axis.
pub(super) fn value_tag(painter: &Painter, axis: Rect, y: f32, text: &str, face: Color32, ink: Color32) {
    let rect = Rect::from_min_size(pos2(axis.left() + 2.0, y - TAG_POINTS * 0.5), vec2(axis.width() - 4.0, TAG_POINTS));
    painter.rect_filled(rect, 3.0, face);
    painter.text(pos2(axis.right() - space::S, y), Align2::RIGHT_CENTER, text, font(), ink);
}

/// The last price: a dashed line and its tag.
pub(super) fn last_price(painter: &Painter, pane: &PaneScene, axis: Rect, price: f64, text: &str, rising: bool, pixels: Pixels) {
    let theme = Theme::of(painter.ctx());
    let color = if rising { theme.gain } else { theme.loss };
    let y = pane.scale.y(price);
    if y < pane.frame.rect.top() || y > pane.frame.rect.bottom() {
        return;
    }
    let line = pixels.line(y);
    let faint = color.gamma_multiply(0.7);
    let width = pixels.hairline() / pixels.per_point;
    painter.extend(dashes(pos2(pane.frame.rect.left(), line), pos2(pane.frame.rect.right(), line), width, faint));
    value_tag(painter, axis, y, text, color, theme.background);
}

/// A bar as the crosshair names it: its time, and what has to be known of it.
pub(super) fn time_words(data: &ChartData, row: usize) -> String {
    let time_us = data.bars.time_us.get(row).copied().unwrap_or_default();
    let mut words = full_time(time_us);
    if data.is_provisional(row) {
        words = format!("{words} · {}", tr!("provisional"));
    }
    for finding in data.findings_at(row) {
        words = format!("{words} · {}", finding.finding.words());
    }
    words
}

/// Tags of compared lines at their last values in view: heights, words and colours, as far apart as they can be read.
pub(super) fn compared_tags(
    scene: &Scene,
    pane: &PaneScene,
    data: &ChartData,
    last_y: f32,
    price_decimals: usize,
    theme: &Theme,
) -> Vec<(f32, String, Color32)> {
    let rows = scene.x.range.rows(data.bars.len());
    let mut tags: Vec<(f32, String, Color32)> = Vec::new();
    for line in scene.key.layout.overlays.iter().filter(|line| line.visible && is_compared(line)) {
        let Some(series) = data.series(&line.source) else { continue };
        let Some(value) = rows.clone().rev().take(LAST_ROWS).find_map(|row| series.at(row)) else { continue };
        let at = value * scene.price.factor(line);
        let y = pane.scale.y(at);
        let is_free = tags.iter().map(|(other, ..)| *other).chain([last_y]).all(|other| (other - y).abs() >= TAG_POINTS);
        if is_free && pane.frame.rect.y_range().contains(y) {
            tags.push((y, tag_value(pane, at, price_decimals), color_of(line, theme)));
        }
    }
    tags
}

/// The crosshair: a line through the bar in all panes, one through the pointer in its own, and a tag on either axis.
pub(super) fn crosshair(
    painter: &Painter,
    scene: &Scene,
    row: usize,
    pointer: Pos2,
    [value_axis, time_axis]: [Rect; 2],
    time_words: &str,
    price_decimals: usize,
) {
    let theme = Theme::of(painter.ctx());
    let pixels = scene.key.pixels;
    let width = pixels.hairline() / pixels.per_point;
    let stroke = Stroke::new(width, theme.crosshair);
    let x = pixels.line(scene.x.middle(row));
    for pane in &scene.panes {
        painter.vline(x, pane.frame.rect.y_range(), stroke);
    }
    // Over a legend there is no value to point at.
    let values = |pane: &&PaneScene| (pane.frame.rect.top() + pane.frame.legend_height..pane.frame.rect.bottom()).contains(&pointer.y);
    if let Some(pane) = scene.panes.iter().find(values) {
        painter.hline(pane.frame.rect.x_range(), pixels.line(pointer.y), stroke);
        let text = tag_value(pane, pane.scale.value(pointer.y), price_decimals);
        value_tag(painter, value_axis, pointer.y, &text, theme.tag, theme.on_tag);
    }
    let galley = painter.layout_no_wrap(time_words.to_owned(), font(), theme.on_tag);
    let rect = time_tag_rect(painter, scene, row, time_axis, time_words);
    painter.rect_filled(rect, 3.0, theme.tag);
    painter.galley(pos2(rect.left() + space::S, rect.center().y - galley.size().y * 0.5), galley, theme.on_tag);
}

/// Where the crosshair's tag on the time axis is.
pub(super) fn time_tag_rect(painter: &Painter, scene: &Scene, row: usize, axis: Rect, time_words: &str) -> Rect {
    let wide = painter.layout_no_wrap(time_words.to_owned(), font(), Color32::PLACEHOLDER).size().x + space::S * 2.0;
    let left = (scene.x.middle(row) - wide * 0.5).clamp(axis.left(), (axis.right() - wide).max(axis.left()));
    Rect::from_min_size(pos2(left, axis.center().y - TAG_POINTS * 0.5), vec2(wide, TAG_POINTS))
}
