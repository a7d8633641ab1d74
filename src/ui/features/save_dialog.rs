//! What saving a formula makes outdated, before it is saved.

use crate::app::{Action, AppState, Dialog, Saving};
use crate::ui::dialogs::dialog_frame;
use crate::ui::format;
use crate::ui::theme::{StateMark, Theme, mark_ui, space};
use crate::ui::window::Outbox;
use crate::worker::Outdate;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Id, Label, Modal, RichText, Ui};

/// Draws the question while it is open.
pub fn save_dialog_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::SaveFormula) = &state.dialog else { return };
    let Some(editor) = &state.features.editor else { return };
    let Saving::Question { outdate, .. } = &editor.saving else { return };
    let theme = Theme::of(ui);
    let response = Modal::new(Id::unique("save-formula")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(440.0);
        let (name, set) = (editor.draft.name.trim(), editor.draft.set.trim());
        ui.label(RichText::new(tr!("Save {name} to {set}?", name = name, set = set)).heading());
        ui.add_space(space::S);
        changes_ui(ui, outdate);
        ui.add_space(space::S);
        if outdate.entries > 0 {
            ui.horizontal(|ui| {
                mark_ui(ui, StateMark::Outdated);
                let text = tr_n!(
                    outdate.entries as u64,
                    "{count} cached entry of {symbols} becomes outdated · {size}",
                    "{count} cached entries of {symbols} become outdated · {size}",
                    symbols = tr_n!(outdate.symbols as u64, "{count} symbol", "{count} symbols"),
                    size = format::bytes(outdate.size_bytes),
                );
                ui.label(RichText::new(text).color(theme.text));
            });
            let kept = (outdate.unchanged > 0)
                .then(|| tr_n!(outdate.unchanged as u64, "{count} column stays as it is", "{count} columns stay as they are"));
            let time = outdate.seconds.map(|seconds| tr!("about {time} to compute again", time = format::duration(seconds)));
            let text = kept.into_iter().chain(time).collect::<Vec<String>>().join("; ");
            let mut letters = text.chars();
            let text: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
            if !text.is_empty() {
                ui.label(RichText::new(text).small().color(theme.text_weak));
            }
        } else {
            ui.label(RichText::new(tr!("Nothing that is cached becomes outdated")).color(theme.text_weak));
        }
        ui.add_space(space::L);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let save = ui.add(egui::Button::new(RichText::new(tr!("Save")).color(theme.on_accent)).fill(theme.accent));
            // Enter says yes, Esc says no, and the keyboard begins at yes.
            if ui.memory(|memory| memory.focused().is_none() || memory.has_focus(super::field_id())) {
                save.request_focus();
            }
            if save.clicked() {
                out.act(Action::Confirm);
            }
            if ui.button(tr!("Keep editing")).clicked() {
                out.act(Action::CloseDialog);
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}

/// Which features are new, another, or gone.
fn changes_ui(ui: &mut Ui, outdate: &Outdate) {
    let theme = Theme::of(ui);
    for (names, word) in [(&outdate.added, tr!("New")), (&outdate.changed, tr!("Changed")), (&outdate.removed, tr!("Gone"))] {
        if names.is_empty() {
            continue;
        }
        ui.horizontal_top(|ui| {
            ui.allocate_ui(egui::vec2(72.0, 20.0), |ui| {
                ui.set_min_width(72.0);
                ui.label(RichText::new(word).color(theme.text_weak));
            });
            ui.add(Label::new(RichText::new(listed(names)).color(theme.text)).wrap());
        });
    }
}

/// Names as far as they can be read, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<&str>>().join(", ");
    if names.len() > SHOWN { tr!("{names} and {count} more", names = shown, count = names.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn long_lists_end_with_how_many_more_there_are() {
        let names: Vec<String> = (0..10).map(|number| format!("x{number}")).collect();
        assert_eq!(listed(&names[..2]), "x0, x1");
        assert!(listed(&names).ends_with("x7 and 2 more"));
    }
}
