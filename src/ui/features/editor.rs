//! The formula editor at the foot of the panel: the formula, what is wrong with it, what it gives, and where it is saved.

use super::field::{field_ui, insert, mended};
use super::figures::{HISTOGRAM_POINTS, figures_ui};
use super::{FeaturesView, hint};
use crate::app::features::FIRST_SET;
use crate::app::{Action, AppState, Command, Draft, Editor, FeatureAction, Pane, PreviewState, Saving, said};
use crate::feature::graph::WarmUp;
use crate::feature::{FeatureSet, Group, Precision};
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::widgets::combo_icon;
use crate::ui::window::{Outbox, ViewState};
use eframe::egui;
use egui::{Align, Button, ComboBox, Frame, Label, Layout, Margin, Panel, RichText, TextEdit, Ui, vec2};

/// How long nothing must be typed before a formula is tried.
const SETTLES_SECS: f64 = 0.15;
/// Width of the words in front of fields.
const WORD_POINTS: f32 = 76.0;
/// Width of the lists at the right edge, and of those beside a name.
const GROUP_POINTS: f32 = 112.0;
const CHOICE_POINTS: f32 = 160.0;
/// Height of a line of the form.
const LINE_POINTS: f32 = 28.0;

/// Draws the editor at the foot of the panel.
pub fn editor_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let Some(editor) = &state.features.editor else { return };
    let theme = Theme::of(ui);
    let frame = Frame::NONE.fill(theme.panel).inner_margin(Margin { left: 0, right: 12, top: 4, bottom: 12 });
    Panel::bottom("formula-editor").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        let mut draft = editor.draft.clone();
        head_ui(ui, editor, out);
        formula_ui(ui, state, editor, &mut views.panel, &mut draft, out);
        ui.add_space(space::S);
        form_ui(ui, state, &mut views.panel, &mut draft);
        ui.add_space(space::S);
        foot_ui(ui, state, editor, out);
        if draft != editor.draft {
            out.act(Action::Features(FeatureAction::Draft(Box::new(draft))));
        }
        settle(ui, editor, &mut views.panel, out);
    });
}

/// Tells when nothing was typed for a moment.
fn settle(ui: &Ui, editor: &Editor, view: &mut FeaturesView, out: &mut Outbox) {
    if editor.is_settled() {
        view.typed = None;
        return;
    }
    let now = ui.input(|input| input.time);
    let since = match view.typed {
        Some((version, since)) if version == editor.version => since,
        _ => {
            view.typed = Some((editor.version, now));
            now
        }
    };
    let left = SETTLES_SECS - (now - since);
    if left <= 0.0 {
        out.act(Action::Features(FeatureAction::Settled(editor.version)));
    } else {
        ui.request_repaint_after(std::time::Duration::from_secs_f64(left));
    }
}

fn head_ui(ui: &mut Ui, editor: &Editor, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_height(LINE_POINTS);
        let title = match &editor.draft.origin {
            Some(key) => tr!("Edit {name}", name = key.name()),
            None => tr!("New formula").to_owned(),
        };
        ui.label(RichText::new(title).color(theme.text));
        if editor.is_unsaved() {
            ui.label(RichText::new(tr!("not saved")).small().color(theme.text_weak));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icons::icon_button_ui(ui, icons::CLOSE, tr!("Close the formula")).clicked() {
                out.act(Action::Features(FeatureAction::Discard));
            }
        });
    });
}

fn formula_ui(ui: &mut Ui, state: &AppState, editor: &Editor, view: &mut FeaturesView, draft: &mut Draft, out: &mut Outbox) {
    if let Some(text) = view.insert.take() {
        insert(ui, &mut view.field, &mut draft.formula, &text);
    }
    if state.features.focus_editor {
        ui.memory_mut(|memory| memory.request_focus(super::field_id()));
    }
    let known = state.known_names();
    let rows = draft.formula.lines().count().clamp(3, 8);
    let done = field_ui(ui, &mut view.field, &mut draft.formula, &known, &editor.mistakes, rows);
    let first = || editor.mistakes.iter().position(|mistake| mistake.suggestion.is_some());
    let pressed = message_ui(ui, editor);
    if let Some(place) = pressed.or_else(|| done.mend.then(first).flatten())
        && let Some(mistake) = editor.mistakes.get(place)
    {
        mended(ui, &mut view.field, &draft.formula, mistake);
        out.act(Action::Features(FeatureAction::Mend(place)));
    }
    hint::hint_ui(ui, &draft.formula, view.field.cursor);
    result_ui(ui, editor);
}

/// The first mistake with its remedy, or how the preview stands. Returns the mistake whose remedy was pressed.
fn message_ui(ui: &mut Ui, editor: &Editor) -> Option<usize> {
    let mut pressed = None;
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_height(size::CONTROL);
        ui.spacing_mut().item_spacing.x = space::XS;
        if let Some((place, mistake)) = editor.mistakes.iter().enumerate().next() {
            ui.label(icons::icon(icons::ERROR).color(theme.error));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(suggestion) = &mistake.suggestion {
                    let words = RichText::new(tr!("Use {suggestion}", suggestion = suggestion)).color(theme.accent);
                    let fix = ui.add(Button::new(words).frame_when_inactive(false));
                    if fix.on_hover_text(tr!("Put it there  Ctrl+.")).clicked() {
                        pressed = Some(place);
                    }
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let meant = mistake.suggestion.as_ref().map(|meant| tr!("; did you mean {meant}?", meant = meant)).unwrap_or_default();
                    told_ui(ui, &format!("{}{meant}", upper_first(&said(&mistake.message))), theme.error);
                });
            });
            return;
        }
        if let Some(problem) = &editor.other_problem {
            ui.label(icons::icon(icons::ERROR).color(theme.error));
            told_ui(ui, &upper_first(&said(problem)), theme.error);
            return;
        }
        match &editor.preview_state {
            PreviewState::TooLong(what) => {
                ui.label(icons::icon(icons::WARNING).color(theme.warning));
                told_ui(ui, &tr!("Not tried while typing: {what}", what = said(what)), theme.warning);
            }
            PreviewState::Failed(what) => {
                ui.label(icons::icon(icons::WARNING).color(theme.error));
                told_ui(ui, &tr!("It could not be tried: {what}", what = said(what)), theme.error);
            }
            PreviewState::NoSymbol => told_ui(ui, tr!("Choose a symbol to see what it gives"), theme.text_weak),
            PreviewState::NotCached => {
                told_ui(ui, tr!("This symbol is not in the cache: preheat it to see what the formula gives"), theme.text_weak);
            }
            PreviewState::None if editor.draft.formula.trim().is_empty() => {
                told_ui(ui, tr!("Ctrl+Space lists columns, functions and features"), theme.text_weak);
            }
            PreviewState::None | PreviewState::Waiting | PreviewState::Ready => {
                if let Some(shown) = &editor.preview {
                    let time = crate::ui::format::short_time(shown.preview.seconds * 1e6);
                    told_ui(ui, &tr!("On {symbol}, computed in {time}", symbol = shown.symbol, time = time), theme.text_weak);
                }
            }
        }
    });
    pressed
}

fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn told_ui(ui: &mut Ui, text: &str, color: egui::Color32) {
    ui.add(Label::new(RichText::new(text).small().color(color)).truncate()).on_hover_text(text);
}

/// Figures of the preview; their room is kept while there are none, so that nothing jumps while typing.
fn result_ui(ui: &mut Ui, editor: &Editor) {
    let figures = editor.preview.as_ref().and_then(|shown| shown.figures());
    ui.add_space(2.0);
    match figures {
        Some(figures) => figures_ui(ui, figures),
        None => {
            ui.allocate_space(vec2(ui.available_width(), HISTOGRAM_POINTS));
        }
    }
}

fn line_ui(ui: &mut Ui, word: &str, content: impl FnOnce(&mut Ui, egui::Id)) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_height(LINE_POINTS);
        let label = ui.allocate_ui(vec2(WORD_POINTS, size::CONTROL), |ui| {
            ui.set_min_width(WORD_POINTS);
            ui.label(RichText::new(word).color(theme.text_weak)).id
        });
        content(ui, label.inner);
    });
}

fn form_ui(ui: &mut Ui, state: &AppState, view: &mut FeaturesView, draft: &mut Draft) {
    ui.spacing_mut().item_spacing.y = 0.0;
    line_ui(ui, tr!("Name"), |ui, label| {
        let width = ui.available_width() - GROUP_POINTS - ui.spacing().item_spacing.x;
        text_ui(ui, &mut draft.name, tr!("Name of the column"), width).labelled_by(label);
        group_ui(ui, draft);
    });
    line_ui(ui, tr!("Description"), |ui, label| {
        let width = ui.available_width();
        text_ui(ui, &mut draft.description, tr!("One line about it"), width).labelled_by(label);
    });
    line_ui(ui, tr!("Drawn"), |ui, _| pane_ui(ui, draft));
    line_ui(ui, tr!("Saved to"), |ui, _| set_ui(ui, state, view, draft));
    line_ui(ui, tr!("Whole set"), |ui, _| whole_set_ui(ui, draft));
}

fn text_ui(ui: &mut Ui, text: &mut String, hint: &str, width: f32) -> egui::Response {
    ui.add_sized([width, size::CONTROL], TextEdit::singleline(text).hint_text(hint).desired_width(width))
}

/// A list to choose from, exactly so wide.
fn combo(ui: &mut Ui, name: &str, shown: &str, width: f32, content: impl FnOnce(&mut Ui)) {
    let list = ComboBox::from_id_salt(name).icon(combo_icon).selected_text(shown).width(width).truncate().show_ui(ui, content);
    ui.ctx().accesskit_node_builder(list.response.id, |node| node.set_label(name));
}

fn group_ui(ui: &mut Ui, draft: &mut Draft) {
    combo(ui, tr!("Group"), draft.group().label(), GROUP_POINTS, |ui| {
        for group in Group::ALL {
            if ui.selectable_label(draft.group() == group, group.label()).clicked() {
                draft.group = group.key().to_owned();
            }
        }
    });
}

fn pane_ui(ui: &mut Ui, draft: &mut Draft) {
    let shown = match &draft.pane {
        Pane::Own => tr!("In a pane of its own"),
        Pane::Price => tr!("Over the price"),
        Pane::Volume => tr!("Over the volume"),
        Pane::Named(_) => tr!("In a shared pane"),
    };
    combo(ui, tr!("Drawn"), shown, CHOICE_POINTS, |ui| {
        for (pane, text) in [
            (Pane::Own, tr!("In a pane of its own")),
            (Pane::Price, tr!("Over the price")),
            (Pane::Volume, tr!("Over the volume")),
            (Pane::Named("shared".to_owned()), tr!("In a shared pane")),
        ] {
            let chosen = std::mem::discriminant(&pane) == std::mem::discriminant(&draft.pane);
            if ui.selectable_label(chosen, text).clicked() && !chosen {
                draft.pane = pane;
            }
        }
    });
    if let Pane::Named(name) = &mut draft.pane {
        let width = ui.available_width();
        text_ui(ui, name, tr!("Name of the pane"), width);
    }
}

fn set_ui(ui: &mut Ui, state: &AppState, view: &mut FeaturesView, draft: &mut Draft) {
    let own: Vec<&str> = state.own_sets().collect();
    let exists = own.contains(&draft.set.as_str());
    if exists {
        view.naming_set = false;
    }
    let shown = if exists { draft.set.as_str() } else { tr!("New set…") };
    let mut chosen = None;
    combo(ui, tr!("Saved to"), shown, CHOICE_POINTS, |ui| {
        for name in &own {
            if ui.selectable_label(draft.set == *name, *name).clicked() {
                chosen = Some((*name).to_owned());
            }
        }
        if ui.selectable_label(!exists, tr!("New set…")).clicked() && exists {
            let taken = |name: &str| own.contains(&name) || FeatureSet::names().contains(&name);
            let numbered = (2..).map(|number| format!("{FIRST_SET}-{number}"));
            chosen = std::iter::once(FIRST_SET.to_owned()).chain(numbered).find(|name| !taken(name));
            view.naming_set = true;
        }
    });
    if let Some(set) = chosen {
        draft.set = set;
    } else if !exists {
        let width = ui.available_width();
        let field = text_ui(ui, &mut draft.set, tr!("Name of the set"), width);
        if std::mem::take(&mut view.naming_set) {
            field.request_focus();
        }
    }
}

fn whole_set_ui(ui: &mut Ui, draft: &mut Draft) {
    let words = |warm_up: WarmUp| match warm_up {
        WarmUp::Strict => tr!("Strict warm-up"),
        WarmUp::Partial => tr!("Partial warm-up"),
    };
    let width = ui.available_width() - GROUP_POINTS - ui.spacing().item_spacing.x;
    combo(ui, tr!("Warm-up of the whole set"), words(draft.warm_up), width, |ui| {
        for warm_up in [WarmUp::Strict, WarmUp::Partial] {
            let means = match warm_up {
                WarmUp::Strict => tr!("Null until the window of a function is full"),
                WarmUp::Partial => tr!("Values from the first bar on, over shorter windows, as in Qlib"),
            };
            if ui.selectable_label(draft.warm_up == warm_up, words(warm_up)).on_hover_text(means).clicked() {
                draft.warm_up = warm_up;
            }
        }
    });
    let words = |precision: Precision| match precision {
        Precision::F64 => tr!("64 bits"),
        Precision::F32 => tr!("32 bits"),
    };
    combo(ui, tr!("Precision of the whole set"), words(draft.precision), GROUP_POINTS, |ui| {
        for precision in [Precision::F64, Precision::F32] {
            let means = match precision {
                Precision::F64 => tr!("About 16 digits"),
                Precision::F32 => tr!("About 7 digits, in half the room"),
            };
            if ui.selectable_label(draft.precision == precision, words(precision)).on_hover_text(means).clicked() {
                draft.precision = precision;
            }
        }
    });
}

fn foot_ui(ui: &mut Ui, state: &AppState, editor: &Editor, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        let missing = state.draft_problem();
        let busy = !matches!(editor.saving, Saving::No);
        let enabled = missing.is_none() && !busy && (editor.is_unsaved() || !editor.is_of_saved());
        let color = if enabled { theme.on_accent } else { theme.text_disabled };
        let mut button =
            Button::new(RichText::new(if busy { tr!("Saving") } else { tr!("Save") }).color(color)).min_size(vec2(72.0, size::CONTROL));
        if enabled {
            button = button.fill(theme.accent);
        }
        let save = ui.add_enabled(enabled, button);
        save.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, enabled, tr!("Save the formula")));
        if save.on_hover_text(format!("{}  Ctrl+S", Command::SaveFormula.tooltip())).clicked() {
            out.act(Action::Run(Command::SaveFormula));
        }
        let text = missing.unwrap_or_else(|| if editor.is_unsaved() { String::new() } else { tr!("Saved").to_owned() });
        ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).truncate());
    });
}
