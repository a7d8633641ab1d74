//! The list of functions a formula may use, by group.

use super::list::list_ui;
use super::rows::{FUNCTION_POINTS, HEADING_POINTS, function_ui, heading_ui};
use crate::app::{Action, AppState, FeatureAction, Row};
use crate::feature::functions::functions;
use crate::tr;
use crate::ui::theme::{Theme, space};
use crate::ui::window::{Outbox, ViewState};
use eframe::egui;
use egui::{RichText, Ui};

/// The lines; a press puts the function into the formula, or begins one with it.
pub fn function_list_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let rows = state.features.function_rows();
    if rows.is_empty() {
        let theme = Theme::of(ui);
        ui.add_space(space::XL);
        ui.label(RichText::new(tr!("No function answers “{search}”", search = state.features.search.trim())).color(theme.text));
        return;
    }
    let editing = state.features.editor.is_some();
    let walkable = |line: usize| matches!(rows.get(line), Some(Row::Item { .. }));
    let view = &mut views.panel;
    if super::leaves_search(ui)
        && let Some(first) = (0..rows.len()).find(|line| walkable(*line))
    {
        view.functions.go_to(first);
    }
    let height = |line: usize| if walkable(line) { FUNCTION_POINTS } else { HEADING_POINTS };
    let cursor = view.functions.clone();
    list_ui(ui, "function-list", rows.len(), &cursor, height, |ui, line| match rows.get(line) {
        Some(Row::Heading { text, count }) => heading_ui(ui, text, *count),
        Some(Row::Item { place, .. }) => {
            let Some(function) = functions().get(*place) else { return FUNCTION_POINTS };
            let response = function_ui(ui, function, editing);
            view.functions.follow(ui, line, &response, &walkable, rows.len());
            if response.clicked() {
                let call = format!("{}(", function.name);
                if editing {
                    view.insert = Some(call);
                } else {
                    out.act(Action::Features(FeatureAction::New { formula: call }));
                }
            }
            FUNCTION_POINTS
        }
        None => 0.0,
    });
}
