//! The tools over a chart: range buttons, scale, and the list of indicators.
//!
//! Contract: draws and reports what was pressed; changes nothing but the layout and the text that is searched for.

use super::indicators::{FeatureChoice, LIST_POINTS, indicators_ui};
use crate::app::chart::{ChartLayout, RangeChoice};
use crate::ui::icons;
use crate::ui::theme::{Theme, space};
use eframe::egui;
use egui::{Align, Button, Layout, Popup, PopupCloseBehavior, Role, Ui, WidgetInfo};

/// Draws the tools; `log_possible` is false where a price is zero or below.
pub(super) fn toolbar_ui(
    ui: &mut Ui,
    layout: &mut ChartLayout,
    catalog: &[FeatureChoice],
    search: &mut String,
    log_possible: bool,
    enabled: bool,
) {
    ui.add_enabled_ui(enabled, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for choice in RangeChoice::BUTTONS {
            let chosen = layout.range == choice;
            if ui.selectable_label(chosen, choice.label()).on_hover_text(choice.description()).clicked() {
                layout.range = choice;
                layout.home = choice;
            }
        }
    });
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let theme = Theme::of(ui);
        let button = Button::new((icons::icon(icons::INDICATORS).color(theme.text_weak), "Indicators")).frame_when_inactive(false);
        let response = ui.add_enabled(!catalog.is_empty(), button);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, !catalog.is_empty(), "Indicators"));
        let response = response.on_hover_text("Choose what is drawn").on_disabled_hover_text("No features are defined");
        Popup::menu(&response)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .width(LIST_POINTS)
            .show(|ui| indicators_ui(ui, layout, catalog, search));

        let log = ui.add_enabled(log_possible && enabled, Button::selectable(layout.log_scale, "Log"));
        let log = log.on_hover_text("Logarithmic price scale").on_disabled_hover_text("Needs prices above zero");
        if log.clicked() {
            layout.log_scale = !layout.log_scale;
        }
        let volume = ui.add_enabled(enabled, Button::selectable(layout.show_volume, "Volume"));
        if volume.on_hover_text("Show volume").clicked() {
            layout.show_volume = !layout.show_volume;
        }
    });
}
