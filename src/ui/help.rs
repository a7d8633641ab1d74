//! The help sheet: every shortcut, made from the commands, and the gestures of every view, narrowed by typing.
//!
//! What a view can be done with stands in its own module, as a list of [`Gesture`]s; the sheet only lays them out, the view that
//! is in front first.

use super::theme::{Theme, size, space};
use super::window::{Outbox, ViewState};
use super::{chart, dashboard, features, inspector, jobs, settings, symbols};
use crate::app::{Action, AppState, CommandGroup, Dialog, View};
use crate::tr;
use eframe::egui;
use egui::{Id, Label, Modal, RichText, ScrollArea, TextEdit, Ui, vec2};
use strum::IntoEnumIterator;

/// Something that can be done with keys or pointer and is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gesture {
    /// Which keys, or what with the pointer.
    pub how: &'static str,
    /// What it does.
    pub what: &'static str,
}

impl Gesture {
    /// Names a gesture.
    #[must_use]
    pub const fn new(how: &'static str, what: &'static str) -> Self {
        Self { how, what }
    }
}

/// Room for keys.
const KEYS: f32 = 104.0;
/// Room for what is done with the pointer.
const GESTURES: f32 = 220.0;
/// Share of the sheet that commands take.
const COMMANDS: f32 = 0.42;

/// A heading and its lines: keys or gesture, and what it does.
struct Section {
    heading: &'static str,
    lines: Vec<(String, &'static str)>,
}

impl Section {
    fn of_gestures(heading: &'static str, gestures: Vec<Gesture>) -> Self {
        Self { heading, lines: gestures.into_iter().map(|gesture| (gesture.how.to_owned(), gesture.what)).collect() }
    }

    fn of_commands(group: CommandGroup) -> Self {
        let lines = group.commands().filter_map(|command| Some((command.shortcut()?.to_string(), command.text())));
        Self { heading: group.text(), lines: lines.collect() }
    }

    /// Only lines with every word that is searched for.
    fn narrowed(mut self, words: &[String]) -> Option<Self> {
        self.lines.retain(|(how, what)| {
            let text = format!("{} {how} {what}", self.heading).to_lowercase();
            words.iter().all(|word| text.contains(word.as_str()))
        });
        if self.lines.is_empty() { None } else { Some(self) }
    }

    /// Draws it, with so much room for what is pressed: every section of a column has the same.
    fn show(&self, ui: &mut Ui, room: f32) {
        let theme = Theme::of(ui);
        super::widgets::heading_ui(ui, self.heading);
        // Long lines are broken, not let out of the sheet.
        let room = room.min((ui.available_width() - space::L) * 0.55);
        let rest = (ui.available_width() - room - space::L).max(96.0);
        for (how, what) in &self.lines {
            ui.horizontal_top(|ui| {
                for (text, width, color) in [(how.as_str(), room, theme.text), (*what, rest, theme.text_weak)] {
                    ui.allocate_ui(vec2(width, size::ROW - space::XS), |ui| {
                        ui.set_min_size(vec2(width, size::ROW - space::XS));
                        ui.vertical(|ui| ui.add(Label::new(RichText::new(text).color(color)).wrap()));
                    });
                }
            });
        }
        ui.add_space(space::M);
    }
}

/// What works in every view.
fn everywhere() -> Vec<Gesture> {
    vec![
        Gesture::new(tr!("Any letter or digit"), tr!("Go to a symbol")),
        Gesture::new(tr!("Side buttons of the mouse"), tr!("Back and forward")),
        Gesture::new(tr!("Tab, Shift+Tab"), tr!("To the next control, to the one before")),
        Gesture::new(tr!("Space, Enter"), tr!("Press the control that has the keyboard")),
        Gesture::new(tr!("Drop files on the window"), tr!("Add them as a source")),
        Gesture::new("?", tr!("This sheet")),
    ]
}

/// The chart's own, which stand by theme in its own sheet.
fn on_chart() -> Vec<Gesture> {
    chart::gestures().into_iter().flat_map(|(_, lines)| lines).map(|(how, what)| Gesture::new(how, what)).collect()
}

/// The gestures of every view, that in front first.
fn gestures(view: View) -> Vec<Section> {
    let mut sections = vec![
        (View::Symbols, Section::of_gestures(tr!("List"), symbols::gestures())),
        (View::Symbols, Section::of_gestures(tr!("On the chart"), on_chart())),
        (View::Symbols, Section::of_gestures(tr!("Inspector"), inspector::gestures())),
        (View::Symbols, Section::of_gestures(tr!("Features and formulas"), features::gestures())),
        (View::Overview, Section::of_gestures(tr!("On the overview"), dashboard::gestures())),
        (View::Jobs, Section::of_gestures(tr!("On the jobs"), jobs::gestures())),
        (View::Settings, Section::of_gestures(tr!("On the settings"), settings::gestures())),
    ];
    sections.sort_by_key(|(of, _)| *of != view);
    let everywhere = Section::of_gestures(tr!("Everywhere"), everywhere());
    sections.into_iter().map(|(_, section)| section).chain([everywhere]).filter(|section| !section.lines.is_empty()).collect()
}

/// Draws the sheet while it is open.
pub fn help_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let Some(Dialog::Help) = &state.dialog else {
        views.help_search = None;
        return;
    };
    let just_opened = views.help_search.is_none();
    let text = views.help_search.get_or_insert_default();
    let response = Modal::new(Id::unique("help")).frame(super::dialogs::dialog_frame(ui)).show(ui, |ui| {
        let screen = ui.content_rect();
        ui.set_width((screen.width() - 96.0).min(920.0));
        ui.horizontal(|ui| {
            ui.label(RichText::new(tr!("Keyboard shortcuts")).heading());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui.button(tr!("Close")).clicked() {
                    out.act(Action::CloseDialog);
                }
                let field = ui.add(TextEdit::singleline(text).hint_text(tr!("Search this sheet")).desired_width(220.0));
                if just_opened {
                    field.request_focus();
                }
            });
        });
        ui.add_space(space::M);
        let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let commands: Vec<Section> = CommandGroup::iter().map(Section::of_commands).filter_map(|part| part.narrowed(&words)).collect();
        let gestures: Vec<Section> = gestures(state.view).into_iter().filter_map(|part| part.narrowed(&words)).collect();
        if commands.is_empty() && gestures.is_empty() {
            ui.label(RichText::new(tr!("Nothing matches")).color(Theme::of(ui).text_weak));
        }
        // The sheet is longer than a small window is high, and as high as the window whatever is searched.
        let room = (screen.height() - 180.0).clamp(120.0, 640.0);
        ScrollArea::vertical().max_height(room).min_scrolled_height(room).auto_shrink([false, false]).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                let width = ui.available_width() * COMMANDS;
                ui.allocate_ui(vec2(width, 0.0), |ui| {
                    ui.vertical(|ui| {
                        ui.set_width(width);
                        commands.iter().for_each(|section| section.show(ui, KEYS));
                    });
                });
                ui.vertical(|ui| {
                    ui.set_width(ui.available_width() - space::L);
                    gestures.iter().for_each(|section| section.show(ui, GESTURES));
                });
            });
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}
