//! A column at a glance: how many values are missing, where they lie, and how often.

use super::super::format;
use crate::ui::theme::{Theme, space};
use crate::worker::series::SeriesFigures;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Rect, RichText, Sense, Ui, WidgetInfo, pos2, vec2};

/// Height of the histogram, in points.
pub const HISTOGRAM_POINTS: f32 = 32.0;

/// Words above, values below, and the histogram beside them where there is room.
pub fn figures_ui(ui: &mut Ui, figures: &SeriesFigures) {
    let theme = Theme::of(ui);
    let value = |value: Option<f64>| value.map_or_else(|| format::NONE.to_owned(), format::value);
    // Wide enough for any value ("−0.00123"), and the same for every symbol, so that nothing jumps on a walk.
    let words = [
        (tr!("Nulls"), format::count(figures.nulls as u64), 40.0),
        (tr!("Min"), value(figures.min), 60.0),
        (tr!("Mean"), value(figures.mean), 60.0),
        (tr!("Max"), value(figures.max), 60.0),
    ];
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::S, 0.0);
        for (word, text, width) in words {
            ui.allocate_ui(vec2(width, HISTOGRAM_POINTS), |ui| {
                ui.set_min_width(width);
                ui.vertical(|ui| {
                    ui.label(RichText::new(word).small().color(theme.text_weak));
                    ui.add(egui::Label::new(RichText::new(text).color(theme.text)).truncate());
                });
            });
        }
        let left = ui.available_width();
        if left > 40.0 {
            histogram_ui(ui, figures, left);
        }
    });
}

/// How often values lie where.
fn histogram_ui(ui: &mut Ui, figures: &SeriesFigures, width: f32) {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, HISTOGRAM_POINTS), Sense::hover());
    let most = figures.histogram.iter().copied().max().unwrap_or(0);
    let bins = figures.histogram.len();
    let base = rect.bottom() - 1.0;
    ui.painter().hline(rect.x_range(), base, (1.0, theme.line_strong));
    if most == 0 || bins == 0 {
        return;
    }
    let step = rect.width() / bins as f32;
    let hovered = response.hover_pos().map(|pointer| (((pointer.x - rect.left()) / step) as usize).min(bins - 1));
    for (bin, count) in figures.histogram.iter().enumerate().filter(|(_, count)| **count > 0) {
        let left = rect.left() + bin as f32 * step;
        // What is there at all is seen.
        let height = ((*count as f32 / most as f32) * (rect.height() - 1.0)).max(1.0);
        let bar = Rect::from_min_max(pos2(left, base - height), pos2(left + (step - 1.0).max(1.0), base));
        ui.painter().rect_filled(bar, 0.0, if hovered == Some(bin) { theme.accent } else { theme.volume });
    }
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Image, true, tr!("Histogram")));
    if let (Some(bin), Some(min), Some(max)) = (hovered, figures.min, figures.max) {
        let edge = |bin: usize| format::value(min + (max - min) * bin as f64 / bins as f64);
        let count = figures.histogram.get(bin).copied().unwrap_or(0);
        let text =
            tr_n!(u64::from(count), "{from} to {to}: {count} bar", "{from} to {to}: {count} bars", from = edge(bin), to = edge(bin + 1));
        response.on_hover_text_at_pointer(text);
    }
}
