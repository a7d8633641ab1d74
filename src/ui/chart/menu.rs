//! The tools over a chart: range buttons, scale, templates, and the list of indicators.
//!
//! Contract: draws and reports what was pressed; changes nothing but the layout and the text that is searched for.

use super::data::ChartData;
use super::indicators::{LIST_POINTS, indicators_ui};
use super::templates::templates_button_ui;
use super::view::ChartOffer;
use crate::app::Action;
use crate::app::chart::{ChartLayout, RangeChoice};
use crate::ui::icons;
use crate::ui::theme::{Theme, space};
use eframe::egui;
use egui::{Align, Button, Layout, Popup, PopupCloseBehavior, Role, Ui, WidgetInfo};

/// Width below which buttons are icons alone, in points.
const NARROW_POINTS: f32 = 640.0;

/// Draws the tools.
pub(super) fn toolbar_ui(
    ui: &mut Ui,
    layout: &mut ChartLayout,
    offer: &ChartOffer<'_>,
    search: &mut String,
    data: Option<&ChartData>,
    actions: &mut Vec<Action>,
) {
    let enabled = data.is_some();
    let log_possible = data.is_none_or(|data| data.price_extent(0..data.bars.len()).is_some_and(|extent| extent.min > 0.0));
    let is_wide = ui.available_width() >= NARROW_POINTS;
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
        let glyph = icons::icon(icons::INDICATORS).color(theme.text_weak);
        let button = if is_wide { Button::new((glyph, "Indicators")) } else { Button::new(glyph) };
        let response = ui.add_enabled(!offer.features.is_empty(), button.frame_when_inactive(false));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, !offer.features.is_empty(), "Indicators"));
        let response = response.on_hover_text("Choose what is drawn").on_disabled_hover_text("No features are defined");
        Popup::menu(&response)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .width(LIST_POINTS)
            .show(|ui| indicators_ui(ui, layout, offer.features, search));
        templates_button_ui(ui, offer.templates, layout, is_wide, actions);

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
