//! What the inspector is set from: sections, pairs of word and value, sentences.

use crate::app::Action;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::widgets::heading_ui;
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Align, Color32, Label, Layout, Response, RichText, Ui, vec2};

/// The head of a section, with the room above it.
pub fn section_ui(ui: &mut Ui, title: &str) {
    ui.add_space(space::XL);
    heading_ui(ui, title);
}

/// A word on the left, its value on the right; what does not fit is cut and told whole under the pointer.
pub fn fact_ui(ui: &mut Ui, word: &str, value: &str) -> Response {
    let theme = Theme::of(ui);
    fact_with_ui(ui, word, |ui| ui.add(Label::new(RichText::new(value).color(theme.text)).truncate()))
}

/// A word on the left, anything on the right, filled from the right edge on.
pub fn fact_with_ui<Inner>(ui: &mut Ui, word: &str, value: impl FnOnce(&mut Ui) -> Inner) -> Inner {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(20.0);
        ui.label(RichText::new(word).color(theme.text_weak));
        ui.with_layout(Layout::right_to_left(Align::Center), value).inner
    })
    .inner
}

/// A quiet sentence that wraps.
pub fn note_ui(ui: &mut Ui, text: &str) -> Response {
    let theme = Theme::of(ui);
    sentence_ui(ui, text, theme.text_weak)
}

/// A sentence that wraps, in a colour.
pub fn sentence_ui(ui: &mut Ui, text: &str, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).color(color)).selectable(true).wrap())
}

/// Something set in by the width of a mark, below a line that begins with one.
pub fn below_mark_ui<Inner>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> Inner) -> Inner {
    ui.horizontal_top(|ui| {
        ui.add_space(size::MARK + space::XS + ui.spacing().item_spacing.x - space::XS);
        ui.vertical(content).inner
    })
    .inner
}

/// A long number as its ends, with a button that copies all of it.
pub fn code_ui(ui: &mut Ui, word: &str, code: &str, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let short = match (code.get(..6), code.get(code.len().saturating_sub(4)..)) {
        (Some(start), Some(end)) if code.len() > 12 => format!("{start}…{end}"),
        _ => code.to_owned(),
    };
    fact_with_ui(ui, word, |ui| {
        copy_ui(ui, &format!("Copy the {}", word.to_lowercase()), code, out);
        ui.label(RichText::new(short).monospace().color(theme.text)).on_hover_text(code);
    });
}

/// A button that copies a text.
pub fn copy_ui(ui: &mut Ui, name: &str, text: &str, out: &mut Outbox) {
    ui.scope(|ui| {
        ui.spacing_mut().interact_size = vec2(20.0, 20.0);
        if icons::icon_button_ui(ui, icons::COPY, name).clicked() {
            out.act(Action::Copy(text.to_owned()));
        }
    });
}
