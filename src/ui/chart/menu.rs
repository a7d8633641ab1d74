//! The tools over a chart: range buttons, scale, and the list of indicators.
//!
//! Contract: draws and reports what was pressed; changes nothing but the layout and the text that is searched for.

use super::layout::{ChartLayout, FeatureChoice, Placement, RangeChoice};
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use eframe::egui;
use egui::{Align, Button, Checkbox, Layout, Popup, PopupCloseBehavior, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

/// Width of the list of indicators, in points.
const LIST_POINTS: f32 = 500.0;
/// Height of its scrolled part.
const LIST_HEIGHT_POINTS: f32 = 360.0;

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

fn indicators_ui(ui: &mut Ui, layout: &mut ChartLayout, catalog: &[FeatureChoice], search: &mut String) {
    let theme = Theme::of(ui);
    ui.set_width(LIST_POINTS);
    // Menus squeeze their buttons; this is more of a dialog.
    ui.spacing_mut().button_padding = vec2(6.0, 2.0);
    ui.add(TextEdit::singleline(search).hint_text("Search indicators").desired_width(f32::INFINITY).margin(vec2(space::S, space::XS)));
    ui.add_space(space::XS);
    let wanted = search.trim().to_lowercase();
    let found: Vec<&FeatureChoice> = catalog
        .iter()
        .filter(|choice| [&choice.name, &choice.group, &choice.description].iter().any(|text| text.to_lowercase().contains(&wanted)))
        .collect();
    if found.is_empty() {
        ui.add_space(space::S);
        ui.label(RichText::new(format!("No indicator is called “{}”", search.trim())).color(theme.text_weak));
        ui.add_space(space::S);
    }
    let mut groups: Vec<&str> = Vec::new();
    for choice in &found {
        if !groups.contains(&choice.group.as_str()) {
            groups.push(&choice.group);
        }
    }
    ScrollArea::vertical().max_height(LIST_HEIGHT_POINTS).auto_shrink([false, true]).show(ui, |ui| {
        for (position, group) in groups.iter().enumerate() {
            if position > 0 {
                ui.add_space(space::S);
            }
            if !group.is_empty() {
                ui.label(RichText::new(*group).small().color(theme.text_weak));
            }
            for choice in found.iter().filter(|choice| choice.group == *group) {
                choice_ui(ui, layout, choice, theme);
            }
        }
    });
}

fn choice_ui(ui: &mut Ui, layout: &mut ChartLayout, choice: &FeatureChoice, theme: &Theme) {
    ui.horizontal(|ui| {
        ui.set_min_height(size::ROW);
        let mut on = layout.contains(&choice.name);
        let checkbox = Checkbox::new(&mut on, choice.name.as_str());
        let left = ui.cursor().left();
        if ui.add(checkbox).changed() {
            if on {
                layout.add(&choice.name, &choice.placement);
            } else {
                layout.remove(&choice.name);
            }
        }
        // Descriptions share one left edge wherever names end.
        let column = left + 148.0;
        ui.add_space((column - ui.cursor().left()).max(0.0));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(space::S);
            if on && choice.placement != Placement::Volume {
                placement_ui(ui, layout, choice);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = RichText::new(&choice.description).small().color(theme.text_weak);
                ui.add(egui::Label::new(text).truncate().selectable(false));
            });
        });
    });
}

fn placement_ui(ui: &mut Ui, layout: &mut ChartLayout, choice: &FeatureChoice) {
    let over = layout.is_over_price(&choice.name);
    let own = match &choice.placement {
        Placement::Pane(id) => Placement::Pane(id.clone()),
        Placement::Price | Placement::Volume | Placement::Own => Placement::Own,
    };
    ui.spacing_mut().item_spacing.x = 2.0;
    for (chosen, word, target) in [(!over, "Own pane", &own), (over, "Over price", &Placement::Price)] {
        let response = ui.add(Button::selectable(chosen, RichText::new(word).small()));
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, format!("{word}: {}", choice.name)));
        if response.clicked() && !chosen {
            layout.add(&choice.name, target);
        }
    }
}
