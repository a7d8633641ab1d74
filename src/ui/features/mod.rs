//! The features panel: everything that can be drawn or computed, and the editor for formulas of one's own.
//!
//! ```text
//! Features   Functions   Sets           + ✕
//! [ Search                                 ]
//! All  my-set  classic  talib  alpha158
//! Favourites  2
//! ☑ zscore20   Distance from the mean  ★ ⌄
//! ───────────────────────────────────────
//! Edit zscore20                          ✕
//! [ ($close - Mean($close, 20)) / St      ]
//! ```
//!
//! Draws what the state says and returns what was done. Contract: builds only the lines in view; asks for a repaint only while
//! something that was typed waits to be tried.

mod code;
mod details;
mod editor;
mod feature_list;
mod field;
mod figures;
mod function_list;
mod hint;
mod list;
mod on_chart;
mod preview;
mod rows;
mod save_dialog;
mod set_list;

pub use field::field_id;
pub use preview::{lend, take_back};
pub use save_dialog::save_dialog_ui;

use super::icons;
use super::theme::{Theme, size, space};
use super::window::{Outbox, ViewState};
use crate::app::{Action, AppState, Command, FeatureAction, FeatureKey, FeaturesTab};
use crate::tr;
use eframe::egui;
use egui::{Align, Button, Frame, Layout, Margin, Panel, RichText, TextEdit, Ui};
use std::collections::HashMap;
use strum::IntoEnumIterator;

/// Its usual width, in points.
pub const WIDTH: f32 = 400.0;
/// Its least width, in points.
pub const LEAST_WIDTH: f32 = 320.0;

/// Passing state of the panel.
#[derive(Default)]
pub struct FeaturesView {
    features: list::ListCursor,
    functions: list::ListCursor,
    /// How high the details of a feature turned out to be, among the favourites or below.
    heights: HashMap<(FeatureKey, bool), f32>,
    field: field::FieldState,
    /// The version that was typed last, and when.
    typed: Option<(u64, f64)>,
    /// What is to be put where the cursor of the formula is.
    insert: Option<String>,
    /// Sets whose versions are listed.
    open_versions: std::collections::BTreeSet<String>,
    /// Whether the set to save to is being named.
    naming_set: bool,
    /// How wide the panel was drawn last; nothing before it was.
    width: Option<f32>,
    /// Entries and bytes by set, of the snapshot with this number.
    usage: set_list::Usage,
}

impl FeaturesView {
    /// How wide the panel is, or will be.
    #[must_use]
    pub fn width(&self) -> f32 {
        self.width.unwrap_or(WIDTH)
    }

    /// Where the cursor of the formula is, in bytes; for tests.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.field.cursor
    }
}

/// The panel at the right of the chart, if it is shown; no wider than `widest`.
pub fn features_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, widest: f32, out: &mut Outbox) {
    if !state.features.open {
        return;
    }
    let theme = Theme::of(ui);
    let frame = Frame::NONE.fill(theme.panel).inner_margin(Margin { left: 12, right: 0, top: 0, bottom: 0 });
    let widest = widest.clamp(LEAST_WIDTH, 640.0);
    let panel = Panel::right("features").resizable(true).default_size(WIDTH).min_size(LEAST_WIDTH).max_size(widest).frame(frame);
    let shown = panel.show(ui, |ui| {
        head_ui(ui, state, out);
        if state.features.editor.is_some() {
            editor::editor_ui(ui, state, views, out);
        }
        match state.features.tab {
            FeaturesTab::Features => {
                search_ui(ui, state, out, tr!("Search features"));
                feature_list::sets_ui(ui, state, out);
                feature_list::feature_list_ui(ui, state, views, out);
            }
            FeaturesTab::Functions => {
                search_ui(ui, state, out, tr!("Search functions"));
                function_list::function_list_ui(ui, state, views, out);
            }
            FeaturesTab::Sets => set_list::set_list_ui(ui, state, views, out),
        }
    });
    views.panel.width = Some(shown.response.rect.width());
}

fn head_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        ui.set_min_height(size::BAR);
        for tab in FeaturesTab::iter() {
            let chosen = state.features.tab == tab;
            let color = if chosen { theme.accent } else { theme.text_weak };
            // Bare words, so that they begin where everything below does.
            let response = ui.add(Button::new(RichText::new(tab.text()).color(color)).frame(false));
            response.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::Tab, true, chosen, tab.text()));
            if chosen {
                let line = response.rect.expand2(egui::vec2(0.0, 2.0));
                ui.painter().hline(line.x_range(), line.bottom(), (2.0, theme.accent));
            }
            if response.hovered() && !chosen {
                ui.painter().hline(response.rect.x_range(), response.rect.bottom() + 2.0, (2.0, theme.line_strong));
            }
            if response.clicked() {
                out.act(Action::Features(FeatureAction::Tab(tab)));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(space::S);
            if icons::icon_button_ui(ui, icons::CLOSE, tr!("Hide features")).clicked() {
                out.act(Action::Run(Command::ShowFeatures));
            }
            // Words are longer in some languages: where they would run into the tabs, the icon is enough.
            let (plus, words) = (icons::icon(icons::ADD).color(theme.text_weak), Command::NewFormula.text());
            let font = egui::TextStyle::Button.resolve(ui.style());
            let needed = ui.painter().layout_no_wrap(words.to_owned(), font, theme.text).size().x + size::CONTROL + space::L;
            let button = if ui.available_width() < needed { Button::new(plus) } else { Button::new((plus, RichText::new(words))) };
            let button = ui.add(button.frame_when_inactive(false));
            button.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, Command::NewFormula.text()));
            if button.on_hover_text(format!("{}  {}", Command::NewFormula.tooltip(), keys_of(Command::NewFormula))).clicked() {
                out.act(Action::Run(Command::NewFormula));
            }
        });
    });
    ui.add_space(space::XS);
}

fn keys_of(command: Command) -> String {
    command.shortcut().map(|keys| keys.to_string()).unwrap_or_default()
}

fn search_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox, hint: &str) {
    let theme = Theme::of(ui);
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        ui.label(icons::icon(icons::SEARCH).color(theme.text_weak));
        let mut text = state.features.search.clone();
        // The button that clears it keeps its place, so that the field does not jump.
        let room = ui.available_width() - size::CONTROL - space::XS - space::S;
        let field = ui.add(TextEdit::singleline(&mut text).hint_text(hint).desired_width(room).id(search_id()));
        if state.features.focus_search {
            field.request_focus();
        }
        if field.changed() {
            out.act(Action::Features(FeatureAction::Search(text)));
        }
        if !state.features.search.is_empty() && icons::icon_button_ui(ui, icons::CLOSE, tr!("Clear the search")).clicked() {
            out.act(Action::Features(FeatureAction::Search(String::new())));
        }
    });
    ui.add_space(space::XS);
}

fn search_id() -> egui::Id {
    egui::Id::unique("features search")
}

/// Whether the arrow down was pressed in the search: from there straight into the list.
fn leaves_search(ui: &Ui) -> bool {
    ui.memory(|memory| memory.has_focus(search_id()))
        && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::ArrowDown))
}

/// What can be done with features and formulas, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    use crate::tr;
    vec![
        Gesture::new(tr!("Ctrl+Space in a formula"), tr!("What could stand there")),
        Gesture::new(tr!("Ctrl+. in a formula"), tr!("Take the suggestion")),
    ]
}
