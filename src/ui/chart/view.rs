//! The chart as a widget: what the pointer and the keys do, and what came of it.

use super::data::ChartData;
use super::layout::{ChartLayout, FeatureChoice};
use eframe::egui;

/// What stands in place of a chart that has nothing to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartNotice {
    /// One line: `Loading 000001`, `000001 is not in the cache`.
    pub title: String,
    /// What it means or what to do; may be empty.
    pub detail: String,
    /// What stands on a button below, if there is one.
    pub action: Option<String>,
}

/// Passing state: visible range, pointer, what was built.
#[derive(Debug, Default)]
pub struct ChartView {
    /// Shown while there is no data; a friendly default where this is `None`.
    pub notice: Option<ChartNotice>,
}

/// What happened in a frame.
#[derive(Debug, Clone, Default)]
pub struct ChartResponse {
    /// The bar under the pointer.
    pub hovered_bar: Option<usize>,
    /// Whether the user changed the layout (indicators, panes, scale or range), so that it should be saved.
    pub layout_changed: bool,
    /// Whether the notice's button was pressed.
    pub action_clicked: bool,
}

/// Draws the chart into all the room there is.
pub fn chart_ui(
    _ui: &mut egui::Ui,
    _view: &mut ChartView,
    _layout: &mut ChartLayout,
    _data: Option<&ChartData>,
    _catalog: &[FeatureChoice],
) -> ChartResponse {
    ChartResponse::default()
}
