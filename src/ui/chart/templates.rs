//! Chart templates as a menu over the chart, and the question for a template's name.
//!
//! Contract: draws and returns what was wanted; changes nothing itself.

use crate::app::chart::{ChartAction, ChartLayout, Templates, shown_name};
use crate::app::{Action, AppState, Command, Dialog};
use crate::tr;
use crate::ui::dialogs::dialog_frame;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Align, Button, Id, Layout, Modal, Popup, PopupCloseBehavior, Response, RichText, Role, TextEdit, Ui, WidgetInfo, vec2};

/// Width of the menu, in points.
const MENU_POINTS: f32 = 320.0;

/// The button that opens the menu, and the menu; `is_wide` where there is room for the name of the template.
pub(super) fn templates_button_ui(ui: &mut Ui, templates: &Templates, layout: &ChartLayout, is_wide: bool, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    let current = templates.current(layout);
    let glyph = icons::icon(icons::TEMPLATE).color(theme.text_weak);
    let words = match current {
        Some((name, true)) => short(shown_name(name)),
        // As editors mark a text that was changed.
        Some((name, false)) => format!("{} *", short(shown_name(name))),
        None => tr!("Template").to_owned(),
    };
    let button = if is_wide { Button::new((glyph, words.as_str())) } else { Button::new(glyph) };
    let response = ui.add(button.frame_when_inactive(false));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, tr!("Chart templates")));
    let hint = match current {
        Some((name, true)) => tr!("Chart templates: {name} is on the chart", name = shown_name(name)),
        Some((name, false)) => tr!("Chart templates: {name} is on the chart, and was changed since", name = shown_name(name)),
        None => tr!("Chart templates").to_owned(),
    };
    let response = response.on_hover_text(hint);
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClick).width(MENU_POINTS).show(|ui| {
        ui.set_width(MENU_POINTS);
        for (name, is_own) in templates.names() {
            let state = current.filter(|(current, _)| *current == name).map(|(_, is_same)| is_same);
            template_ui(ui, &name, is_own, state, templates.default_name() == Some(&name), actions);
        }
        ui.separator();
        for command in [Command::SaveTemplate, Command::ResetChart] {
            let glyph = crate::ui::commands::icon_of(command).unwrap_or(icons::TEMPLATE);
            let keys = command.shortcut().map(|keys| keys.to_string()).unwrap_or_default();
            let button = Button::new((icons::icon(glyph).color(theme.text_weak), command.text()))
                .shortcut_text(RichText::new(&keys).color(theme.text_weak))
                .frame_when_inactive(false);
            let response = ui.add(button.min_size(vec2(ui.available_width(), size::CONTROL)));
            crate::ui::commands::name_item(&response, command.text(), &keys);
            if response.on_hover_text(command.tooltip()).clicked() {
                actions.push(Action::Run(command));
            }
        }
    });
}

fn short(words: &str) -> String {
    const LETTERS: usize = 20;
    if words.chars().count() <= LETTERS { words.to_owned() } else { words.chars().take(LETTERS - 1).chain(['…']).collect() }
}

/// One template: a click applies it; the user's own can be renamed and deleted. `is_same` is left out where it is not on the chart.
fn template_ui(ui: &mut Ui, name: &str, is_own: bool, is_same: Option<bool>, is_default: bool, actions: &mut Vec<Action>) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(size::ROW);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            if is_own {
                if icons::icon_button_ui(ui, icons::CLEAR, &tr!("Delete template {name}", name = name)).clicked() {
                    actions.push(Action::Chart(ChartAction::DeleteTemplate(name.to_owned())));
                }
                if icons::icon_button_ui(ui, icons::EDIT, &tr!("Rename template {name}", name = name)).clicked() {
                    actions.push(Action::Chart(ChartAction::NameTemplate(Some(name.to_owned()))));
                }
            }
            if star_ui(ui, name, is_default).clicked() {
                let wanted = (!is_default).then(|| name.to_owned());
                actions.push(Action::Chart(ChartAction::DefaultTemplate(wanted)));
            }
            if is_own
                && is_same == Some(false)
                && icons::icon_button_ui(ui, icons::SAVE, &tr!("Save changes to {name}", name = name)).clicked()
            {
                actions.push(Action::Chart(ChartAction::SaveTemplate(name.to_owned())));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let note = match is_same {
                    Some(false) => tr!("changed"),
                    _ if is_default => tr!("default"),
                    _ => "",
                };
                // The mark has its room whether it is there or not, so that names share one edge, with each other and with what is below.
                let color = if is_same == Some(true) { theme.accent } else { egui::Color32::TRANSPARENT };
                let button = Button::new((icons::icon(icons::CHECK).color(color), shown_name(name)))
                    .shortcut_text(RichText::new(note).small().color(theme.text_weak))
                    .frame_when_inactive(false);
                let response = ui.add(button.min_size(vec2(ui.available_width(), size::CONTROL)));
                let is_on = is_same.is_some();
                response
                    .widget_info(|| WidgetInfo::selected(Role::Button, true, is_on, tr!("Apply template {name}", name = shown_name(name))));
                if response.clicked() {
                    actions.push(Action::Chart(ChartAction::ApplyTemplate(name.to_owned())));
                }
            });
        });
    });
}

/// Filled where the template is the default.
fn star_ui(ui: &mut Ui, name: &str, is_default: bool) -> Response {
    let theme = Theme::of(ui);
    let color = if is_default { theme.accent } else { theme.text_disabled };
    let button = Button::new(icons::icon(icons::STAR).color(color)).frame_when_inactive(false).min_size(vec2(size::CONTROL, size::CONTROL));
    let response = ui.add(button);
    let name = shown_name(name);
    let words =
        if is_default { tr!("{name} is the default template", name = name) } else { tr!("Make {name} the default template", name = name) };
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_default, &words));
    response.on_hover_text(words)
}

/// Asks what a template is called.
pub fn name_template_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::NameTemplate(form)) = &state.dialog else { return };
    let theme = Theme::of(ui);
    let problem = form.check(&state.chart.templates).err();
    let replaces = form.renames.is_none() && state.chart.templates.is_own(form.name.trim());
    let response = Modal::new(Id::unique("name-template")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(380.0);
        let title = if form.renames.is_some() { tr!("Rename the template") } else { tr!("Save the chart as a template") };
        ui.label(RichText::new(title).heading());
        ui.add_space(space::S);
        let mut name = form.name.clone();
        let label = ui.label(RichText::new(tr!("Name")).color(theme.text_weak));
        let field =
            ui.add(TextEdit::singleline(&mut name).desired_width(f32::INFINITY).hint_text(tr!("Swing trading"))).labelled_by(label.id);
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if !field.has_focus() && !enter && ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        if field.changed() {
            out.act(Action::Chart(ChartAction::TemplateName(name)));
        }
        let hint = match &problem {
            Some(problem) if !form.name.trim().is_empty() => problem.to_string(),
            _ if replaces => tr!("Saved over the template {name}", name = form.name.trim()),
            _ if form.renames.is_some() => String::new(),
            _ => tr!("Lines, panes, colours and levels are kept; the stretch of time is not").to_owned(),
        };
        let color = if problem.is_some() && !form.name.trim().is_empty() { theme.error } else { theme.text_weak };
        ui.label(RichText::new(hint).small().color(color));
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let word = if form.renames.is_some() { tr!("Rename") } else { tr!("Save") };
            let button = if problem.is_none() {
                Button::new(RichText::new(word).color(theme.on_accent)).fill(theme.accent)
            } else {
                Button::new(word)
            };
            if ui.add_enabled(problem.is_none(), button).clicked() || (enter && problem.is_none()) {
                out.act(Action::Chart(ChartAction::TemplateNamed));
            }
            if ui.button(tr!("Cancel")).clicked() {
                out.act(Action::CloseDialog);
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}
