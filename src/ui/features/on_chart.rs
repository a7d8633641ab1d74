//! What the panel has to know of the chart: whether a feature is on it, in which colour, where, and its figures.

use crate::app::chart::{ChartAction, PanePlace, Placement};
use crate::app::features::source_of;
use crate::app::{Action, AppState, FeatureKey};
use crate::tr;
use crate::ui::theme::{Theme, size};
use crate::ui::window::Outbox;
use crate::worker::series::SeriesFigures;
use eframe::egui;
use egui::accesskit::Role;
use egui::{Button, Color32, RichText, Ui, WidgetInfo};

/// The colour of a feature's line, if it is on the chart.
#[must_use]
pub fn color_of(state: &AppState, key: &FeatureKey, theme: &Theme) -> Option<Color32> {
    let line = state.chart.layout.line_of(&source_of(key))?;
    Some(match line.custom_color {
        Some([red, green, blue]) => theme.custom_color(red, green, blue),
        None => theme.series_color(line.color),
    })
}

/// What is known of a feature on the symbol that is shown: its figures, or why there are none; nothing while it is read.
#[must_use]
pub fn figures_of<'a>(state: &'a AppState, key: &FeatureKey) -> Option<Result<&'a SeriesFigures, &'a str>> {
    let data = &state.chart.loaded.as_ref()?.data;
    match data.answer(&source_of(key))? {
        Ok(column) => Some(Ok(column.figures())),
        Err(reason) => Some(Err(reason)),
    }
}

/// Whether it is drawn over the price or below, to be chosen; nothing while it is not on the chart.
pub fn placement_ui(ui: &mut Ui, state: &AppState, key: &FeatureKey, out: &mut Outbox) {
    let source = source_of(key);
    let Some(line) = state.chart.layout.line_of(&source) else { return };
    let over = state.chart.layout.place_of(line.id) == Some(PanePlace::Price);
    for (chosen, word, target) in [(over, tr!("Over price"), Placement::Price), (!over, tr!("Own pane"), Placement::Own)] {
        let response = ui.add(Button::selectable(chosen, RichText::new(word).small()).min_size(egui::vec2(0.0, size::CONTROL)));
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, format!("{word}: {key}")));
        if response.clicked() && !chosen {
            out.act(Action::Chart(ChartAction::Move(source.clone(), target)));
        }
    }
}
