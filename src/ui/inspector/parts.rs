//! What the inspector is set from: sections, pairs of word and value, sentences.

use crate::app::Action;
use crate::tr;
use crate::ui::icons;
use crate::ui::theme::{Theme, size, space};
use crate::ui::window::Outbox;
use eframe::egui;
use egui::{Align, Color32, Label, Layout, Response, RichText, Ui, vec2};

/// A section with its head, which opens and closes it; what a user closed stays closed, for every symbol.
pub fn section_ui(ui: &mut Ui, title: &str, body: impl FnOnce(&mut Ui)) {
    ui.add_space(space::L);
    collapsing_ui(ui, title, true, body);
}

/// Something that is open or closed by its head.
pub fn collapsing_ui(ui: &mut Ui, title: &str, open: bool, body: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui);
    let id = ui.make_persistent_id(("inspector", title));
    let mut collapsing = egui::collapsing_header::CollapsingState::load_with_default_open(ui, id, open);
    let is_open = collapsing.is_open();
    let glyph = if is_open { icons::EXPAND } else { icons::CHEVRON_RIGHT };
    let words = (icons::icon(glyph).color(theme.text_weak), RichText::new(title).color(theme.text));
    let head = ui
        .scope(|ui| {
            ui.spacing_mut().button_padding.x = 0.0;
            ui.add(egui::Button::new(words).frame_when_inactive(false).frame(false))
        })
        .inner;
    head.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::accesskit::Role::DisclosureTriangle, true, title);
        info.selected = Some(is_open);
        info
    });
    if head.clicked() {
        collapsing.toggle(ui);
    }
    collapsing.store(ui);
    if is_open {
        ui.add_space(space::XS);
        body(ui);
    }
}

/// A word on the left, its value on the right; what does not fit is cut and told whole under the pointer. A click on the value
/// with the right button copies it.
pub fn fact_ui(ui: &mut Ui, word: &str, value: &str) -> Response {
    let theme = Theme::of(ui);
    let shown =
        fact_with_ui(ui, word, |ui| ui.add(Label::new(RichText::new(value).color(theme.text)).truncate().sense(egui::Sense::click())));
    shown.context_menu(|ui| {
        if ui.button(tr!("Copy {what}", what = value)).clicked() {
            ui.copy_text(value.to_owned());
            ui.close();
        }
    });
    shown
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
        copy_ui(ui, &tr!("Copy the {what}", what = word.to_lowercase()), code, out);
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
