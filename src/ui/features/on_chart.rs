//! What the panel has to know of the chart: whether a feature is on it, in which colour, where, and its figures.

use super::figures::{Figures, histogram_of};
use crate::app::{AppState, FeatureAction, FeatureKey};
use crate::feature::column_stats;
use crate::ui::theme::Theme;
use crate::ui::window::ViewState;
use eframe::egui;
use egui::{Color32, Ui};

/// The colour of a feature's line, if it is on the chart.
#[must_use]
pub fn color_of(_state: &AppState, views: &ViewState, key: &FeatureKey, theme: &Theme) -> Option<Color32> {
    views.layout.contains(key.name()).then(|| theme.series_color(0))
}

/// A feature's figures on the symbol that is shown.
#[must_use]
pub fn figures_of(state: &AppState, key: &FeatureKey) -> Option<Figures> {
    let data = &state.chart.loaded.as_ref()?.data;
    let table = data.features.as_ref()?;
    let stats = column_stats(table).into_iter().find(|stats| &*stats.name == key.name())?;
    let values = table.column(key.name())?;
    let histogram = histogram_of(values, stats.min?, stats.max?);
    Some(Figures { rows: values.len(), nulls: stats.nulls, min: stats.min, max: stats.max, mean: stats.mean, histogram })
}

/// Where it is drawn, to be chosen; nothing while it is not on the chart.
pub fn placement_ui(_ui: &mut Ui, _state: &AppState, _views: &ViewState, _key: &FeatureKey, _act: &mut dyn FnMut(FeatureAction)) {}
