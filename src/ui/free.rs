//! The dialog that frees an amount of room: how much, what would go for it, and what bringing that back takes.

use super::dialogs::dialog_frame;
use super::format;
use super::theme::{Theme, space};
use super::window::{Outbox, ViewState};
use crate::app::{Action, AppState, Dialog, FreeForm};
use crate::cache::FreePlan;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Button, Grid, Id, Label, Layout, Modal, RichText, TextEdit, Ui, vec2};

/// Room for what would go, so that the buttons stay where they are while one types.
const PLAN_POINTS: f32 = 148.0;

/// Draws the dialog while it is open.
pub fn free_dialog_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let Some(Dialog::Free(form)) = &state.dialog else {
        views.free_is_open = false;
        return;
    };
    let is_new = !std::mem::replace(&mut views.free_is_open, true);
    let theme = Theme::of(ui);
    let response = Modal::new(Id::unique("free-space")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(440.0);
        ui.label(RichText::new(tr!("Free space")).heading());
        ui.add_space(space::M);
        let enter = amount_ui(ui, form, is_new, out);
        ui.add_space(space::M);
        ui.allocate_ui(vec2(ui.available_width(), PLAN_POINTS), |ui| {
            ui.set_min_height(PLAN_POINTS);
            plan_ui(ui, form);
        });
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let freed = form.known_plan().map_or(0, FreePlan::freed_bytes);
            let words = if freed > 0 { tr!("Free {size}", size = format::bytes(freed)) } else { tr!("Free space").to_owned() };
            let button = if form.is_ready() {
                Button::new(RichText::new(words).color(theme.on_accent)).fill(theme.accent)
            } else {
                Button::new(words)
            };
            if ui.add_enabled(form.is_ready(), button).clicked() || (enter && form.is_ready()) {
                out.act(Action::Confirm);
            }
            // What is under way is not stopped: it is done in a moment, and told.
            let away = if form.is_freeing { tr!("Close") } else { tr!("Cancel") };
            if ui.button(away).clicked() {
                out.act(Action::CloseDialog);
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}

/// The field for the amount; returns whether Enter was pressed in it.
fn amount_ui(ui: &mut Ui, form: &FreeForm, is_new: bool, out: &mut Outbox) -> bool {
    let theme = Theme::of(ui);
    let mut enter = false;
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new(tr!("How much")).color(theme.text_weak));
        let mut text = form.text.clone();
        let mut shown = TextEdit::singleline(&mut text).desired_width(120.0).show(ui);
        if is_new {
            // What is typed first takes the place of what is offered.
            let all = egui::text::CCursorRange::two(egui::text::CCursor::new(0), egui::text::CCursor::new(form.text.chars().count()));
            shown.state.cursor.set_char_range(Some(all));
            shown.state.store(ui, shown.response.id);
            shown.response.request_focus();
        }
        let field = shown.response.response.clone().labelled_by(label.id);
        enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if enter {
            field.request_focus();
        }
        if field.changed() {
            out.act(Action::AmountToFree(text));
        }
        if form.wanted_bytes().is_none() {
            ui.label(RichText::new(tr!("Write a number with KB, MB, GB or TB")).small().color(theme.error));
        }
    });
    enter
}

/// What would go.
fn plan_ui(ui: &mut Ui, form: &FreeForm) {
    let theme = Theme::of(ui);
    if form.is_freeing {
        ui.label(RichText::new(tr!("Removing files")).color(theme.text_weak));
        return;
    }
    let Some(plan) = form.known_plan() else {
        if form.wanted_bytes().is_some() {
            ui.label(RichText::new(tr!("Looking what is worth least")).color(theme.text_weak));
        }
        return;
    };
    if plan.freed_bytes() == 0 {
        ui.label(RichText::new(tr!("Nothing can be freed: what is cached is pinned")).color(theme.text_weak));
        return;
    }
    let freed = plan.freed_bytes();
    if freed < plan.wanted_bytes {
        let size = format::bytes(plan.most_bytes);
        let text = if plan.pinned_bytes > 0 {
            tr!("Only {size} can be freed; the rest is pinned", size = size)
        } else {
            tr!("Only {size} can be freed: more is not cached", size = size)
        };
        ui.label(RichText::new(text).color(theme.warning));
    }
    let row_ui = |ui: &mut Ui, name: &str, entries: String, size_bytes: u64| {
        ui.label(name);
        ui.label(RichText::new(entries).color(theme.text_weak));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(format::bytes(size_bytes)));
        ui.end_row();
    };
    Grid::new("free-plan").num_columns(3).spacing(vec2(space::XL, space::XS)).min_col_width(72.0).show(ui, |ui| {
        if plan.trash_bytes > 0 {
            row_ui(ui, tr!("From the trash"), String::new(), plan.trash_bytes);
        }
        for (name, cost) in &plan.datasets {
            row_ui(ui, name, tr_n!(cost.entries, "{count} entry", "{count} entries"), cost.size_bytes);
        }
    });
    ui.add_space(space::S);
    let time = format::duration(plan.cost_us() as f64 / 1e6);
    let text = if plan.entries() > 0 {
        let symbols = tr_n!(plan.symbols as u64, "{count} symbol", "{count} symbols");
        tr!(
            "The least valuable of {symbols} go for good: long unused, large, and quickly brought back, all of it in about {time}",
            symbols = symbols,
            time = time
        )
    } else {
        tr!("Only what was cleared already goes; it cannot be restored then").to_owned()
    };
    ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).wrap());
}
