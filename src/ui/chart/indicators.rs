//! The list of what can be put on the chart, found by typing.

use crate::app::chart::{ChartLayout, PanePlace, Placement};
use crate::feature::{Definition, FeatureSet, SetLibrary};
use crate::ui::theme::{Theme, size, space};
use crate::worker::series::SeriesSource;
use eframe::egui;
use egui::{Align, Button, Checkbox, Layout, RichText, Role, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};
use std::sync::Arc;

/// Width of the list, in points.
pub(super) const LIST_POINTS: f32 = 500.0;
/// Height of its scrolled part.
const LIST_HEIGHT_POINTS: f32 = 360.0;

/// A feature that can be put on the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureChoice {
    /// Its column.
    pub source: SeriesSource,
    /// What it is listed under: `Trend`, `Momentum` …
    pub group: String,
    /// What it is, in a few words.
    pub description: String,
    /// Where it is drawn unless the user says otherwise.
    pub placement: Placement,
}

/// Every feature of the sets there are, worked out once for each library.
#[derive(Debug, Default)]
pub struct FeatureChoices {
    /// Kept, so that its address stands for it.
    library: Option<Arc<SetLibrary>>,
    choices: Vec<FeatureChoice>,
}

impl FeatureChoices {
    /// The features of a library.
    pub fn of(&mut self, library: &Arc<SetLibrary>) -> &[FeatureChoice] {
        if !self.library.as_ref().is_some_and(|known| Arc::ptr_eq(known, library)) {
            self.choices = library.sets().iter().flat_map(|entry| choices_of(&entry.set)).collect();
            self.library = Some(Arc::clone(library));
        }
        &self.choices
    }
}

fn choices_of(set: &FeatureSet) -> Vec<FeatureChoice> {
    let choice = |definition: &Definition| FeatureChoice {
        source: SeriesSource::column(set.name(), &*definition.name),
        group: definition.group.label().to_owned(),
        description: definition.description.to_string(),
        placement: Placement::of_definition(definition),
    };
    set.definitions().iter().map(choice).collect()
}

/// The list, with its search.
pub(super) fn indicators_ui(ui: &mut Ui, layout: &mut ChartLayout, catalog: &[FeatureChoice], search: &mut String) {
    let theme = Theme::of(ui);
    ui.set_width(LIST_POINTS);
    // Menus squeeze their buttons; this is more of a dialog.
    ui.spacing_mut().button_padding = vec2(6.0, 2.0);
    ui.add(TextEdit::singleline(search).hint_text("Search indicators").desired_width(f32::INFINITY).margin(vec2(space::S, space::XS)));
    ui.add_space(space::XS);
    let wanted = search.trim().to_lowercase();
    let found: Vec<&FeatureChoice> = catalog
        .iter()
        .filter(|choice| {
            [choice.source.label(), &choice.group, &choice.description].iter().any(|text| text.to_lowercase().contains(&wanted))
        })
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
        let mut on = layout.contains(&choice.source);
        let checkbox = Checkbox::new(&mut on, choice.source.label());
        let left = ui.cursor().left();
        if ui.add(checkbox).changed() {
            if on {
                layout.add(choice.source.clone(), &choice.placement);
            } else {
                layout.remove_source(&choice.source);
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
    let Some(id) = layout.line_of(&choice.source).map(|line| line.id) else { return };
    let over = layout.place_of(id) == Some(PanePlace::Price);
    let own = match &choice.placement {
        Placement::Pane(id) => Placement::Pane(id.clone()),
        Placement::Price | Placement::Volume | Placement::Own => Placement::Own,
    };
    ui.spacing_mut().item_spacing.x = 2.0;
    for (chosen, word, target) in [(!over, "Own pane", &own), (over, "Over price", &Placement::Price)] {
        let response = ui.add(Button::selectable(chosen, RichText::new(word).small()));
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, format!("{word}: {}", choice.source.label())));
        if response.clicked() && !chosen {
            layout.move_to(id, target);
        }
    }
}
