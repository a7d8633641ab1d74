//! Samovar's own mark: as the window's icon, and beside the views' names.

use super::theme::Theme;
use crate::tr;
use eframe::egui;
use egui::{Sense, Shape, Stroke, Ui, pos2, vec2};

/// The icon of the window, for the desktop.
#[must_use]
pub fn window_icon() -> egui::IconData {
    eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon-256.png")).unwrap_or_else(|error| {
        tracing::warn!(%error, "the window's icon cannot be read");
        egui::IconData::default()
    })
}

/// A small samovar: body, lid, tap and feet, in the accent colour.
pub fn logo_ui(ui: &mut Ui) {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, 24.0), Sense::hover());
    let at = |x: f32, y: f32| pos2(rect.left() + x, rect.top() + y);
    let painter = ui.painter();
    let body = vec![at(4.0, 8.0), at(16.0, 8.0), at(15.2, 12.5), at(12.5, 17.5), at(7.5, 17.5), at(4.8, 12.5)];
    painter.add(Shape::convex_polygon(body, theme.accent, Stroke::NONE));
    painter.rect_filled(egui::Rect::from_min_max(at(6.5, 4.6), at(13.5, 6.6)), 1.0, theme.accent);
    painter.circle_filled(at(10.0, 3.0), 1.4, theme.accent);
    painter.rect_filled(egui::Rect::from_min_max(at(6.0, 19.0), at(14.0, 21.0)), 1.0, theme.accent);
    painter.line_segment([at(15.5, 12.5), at(18.6, 12.5)], Stroke::new(1.6, theme.accent));
    painter.line_segment([at(18.2, 12.5), at(18.2, 15.2)], Stroke::new(1.6, theme.accent));
    response.on_hover_text(tr!("Samovar keeps market data hot"));
}
