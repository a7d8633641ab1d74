//! Columns over time, drawn small.

use crate::ui::theme::Theme;
use eframe::egui;
use egui::{Color32, Pos2, Rect, Response, Sense, Ui, pos2, vec2};

/// Height of the columns, in points.
const TALL: f32 = 96.0;
/// Height of what hangs below the line, in points.
const BELOW: f32 = 16.0;

/// One column.
#[derive(Debug, Clone, Default)]
pub struct PlotColumn {
    /// The parts it is made of, from below.
    pub parts: Vec<(f32, Color32)>,
    /// What hangs below the line, on the same scale, and its colour.
    pub below: Option<(f32, Color32)>,
    /// What it says under the pointer.
    pub text: String,
}

/// Columns with three words below: left, middle, right. `spoken` says in a sentence what is to be seen. Returns which column was
/// pressed.
pub fn columns_ui(ui: &mut Ui, columns: &[PlotColumn], words: &[String; 3], spoken: &str) -> Option<usize> {
    let theme = Theme::of(ui);
    let width = ui.available_width();
    let hangs = columns.iter().any(|column| column.below.is_some_and(|(value, _)| value > 0.0));
    let depth = if hangs { BELOW } else { 0.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(width, TALL + depth + 18.0), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Image, true, spoken));
    let plot = Rect::from_min_size(rect.min, vec2(width, TALL));
    let total = |column: &PlotColumn| column.parts.iter().map(|(value, _)| *value).sum::<f32>();
    let most = columns.iter().map(total).fold(0.0_f32, f32::max).max(1.0);
    let step = plot.width() / columns.len().max(1) as f32;
    let painter = ui.painter();
    let hovered = response.hover_pos().map(|pos: Pos2| ((pos.x - plot.left()) / step).floor() as usize);
    for (place, column) in columns.iter().enumerate() {
        let left = plot.left() + step * place as f32;
        if hovered == Some(place) {
            let behind = Rect::from_min_max(pos2(left, plot.top()), pos2(left + step, plot.bottom() + depth));
            painter.rect_filled(behind, 0.0, theme.hover);
        }
        let (from, to) = (left + 1.0, left + (step - 1.0).max(2.0));
        let mut bottom = plot.bottom();
        for (value, color) in column.parts.iter().filter(|(value, _)| *value > 0.0) {
            let tall = (value / most * (TALL - 4.0)).max(2.0);
            painter.rect_filled(Rect::from_min_max(pos2(from, bottom - tall), pos2(to, bottom)), 1.0, *color);
            bottom -= tall;
        }
        if let Some((value, color)) = column.below.filter(|(value, _)| *value > 0.0) {
            let deep = (value / most * (TALL - 4.0)).clamp(2.0, BELOW - 2.0);
            painter.rect_filled(Rect::from_min_max(pos2(from, plot.bottom() + 2.0), pos2(to, plot.bottom() + 2.0 + deep)), 1.0, color);
        }
    }
    painter.hline(plot.x_range(), plot.bottom(), (1.0, theme.line_strong));
    let font = egui::TextStyle::Small.resolve(ui.style());
    let [first, middle, last] = words;
    for (x, align, word) in [
        (plot.left(), egui::Align2::LEFT_TOP, first),
        (plot.center().x, egui::Align2::CENTER_TOP, middle),
        (plot.right(), egui::Align2::RIGHT_TOP, last),
    ] {
        painter.text(pos2(x, plot.bottom() + depth + 3.0), align, word, font.clone(), theme.text_weak);
    }
    let column = hovered.and_then(|place| columns.get(place))?;
    response.on_hover_text_at_pointer(column.text.as_str()).clicked().then_some(hovered).flatten()
}

/// A line through values of 0…1, drawn very small; values that are not known leave a gap.
pub fn sparkline_ui(ui: &mut Ui, values: &[Option<f32>], color: Color32, spoken: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(88.0, 22.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Image, true, spoken));
    let theme = Theme::of(ui);
    ui.painter().hline(rect.x_range(), rect.bottom(), (1.0, theme.line));
    let step = rect.width() / values.len().saturating_sub(1).max(1) as f32;
    let point = |place: usize, value: f32| {
        pos2(rect.left() + step * place as f32, rect.bottom() - 1.0 - value.clamp(0.0, 1.0) * (rect.height() - 3.0))
    };
    let mut run: Vec<Pos2> = Vec::new();
    let draw = |run: &mut Vec<Pos2>| {
        match run.as_slice() {
            [] => {}
            [only] => {
                ui.painter().circle_filled(*only, 1.5, color);
            }
            line => {
                ui.painter().line(line.to_vec(), (1.5, color));
            }
        }
        run.clear();
    };
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(value) => run.push(point(place, *value)),
            None => draw(&mut run),
        }
    }
    draw(&mut run);
    response.on_hover_text(spoken)
}
