//! What stands in front of a view or in its place: the first start, a cache that cannot be opened, questions, the shortcut sheet.

use super::commands::primary_button_ui;
use super::theme::{Theme, size, space};
use super::window::{Outbox, PathPurpose, ViewState};
use super::{commands, format, icons};
use crate::app::{Action, AppState, Closing, Command, Dialog, OpenState, View};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align2, Area, Frame, Id, Label, Margin, Modal, Order, RichText, TextEdit, Ui, vec2};

/// The first start: the sample market or a connection.
pub fn welcome_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.add_space((ui.available_height() * 0.28).max(space::XL));
        ui.vertical_centered(|ui| {
            ui.set_max_width(560.0);
            ui.label(RichText::new(tr!("Samovar keeps market data hot")).text_style(super::theme::display()).color(theme.text));
            ui.add_space(space::S);
            let text = tr!("Bars from your database, in plain Parquet files on this machine, with indicators computed and charts at hand");
            // Two lines of about one length, not one with a few words left over.
            ui.scope(|ui| {
                ui.set_max_width(400.0);
                ui.label(RichText::new(text).color(theme.text_weak));
            });
            ui.add_space(space::XL);
            if state.open == OpenState::Opening {
                ui.label(RichText::new(tr!("Opening the cache")).color(theme.text_weak));
                return;
            }
            let width = 260.0;
            for (command, primary) in [(Command::UseSample, true), (Command::ConnectSource, false)] {
                ui.allocate_ui_with_layout(vec2(width, 32.0), egui::Layout::top_down_justified(egui::Align::Center), |ui| {
                    if primary {
                        primary_button_ui(ui, state, command, out);
                    } else {
                        commands::command_button_ui(ui, state, command, out);
                    }
                });
                ui.label(RichText::new(command.tooltip()).small().color(theme.text_weak));
                ui.add_space(space::L);
            }
        });
    });
}

/// The cache folder cannot be used: what happened, and the way to another.
pub fn cannot_open_ui(ui: &mut Ui, message: &str, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.add_space((ui.available_height() * 0.3).max(space::XL));
        ui.vertical_centered(|ui| {
            ui.set_max_width(640.0);
            ui.label(RichText::new(tr!("The cache cannot be opened")).heading().color(theme.text));
            ui.add_space(space::S);
            ui.add(Label::new(RichText::new(crate::app::said(message)).color(theme.text_weak)).selectable(true).wrap());
            ui.add_space(space::L);
            if ui.button(tr!("Choose another cache folder…")).clicked() {
                out.pick.push(PathPurpose::CacheDir);
            }
            if ui.button(tr!("Open settings")).clicked() {
                out.act(Action::Show(View::Settings));
            }
        });
    });
}

/// The frame of every dialog: raised, with room inside.
pub(super) fn dialog_frame(ui: &Ui) -> Frame {
    let theme = Theme::of(ui);
    Frame::window(ui.style()).fill(theme.raised).inner_margin(Margin::same(20))
}

/// Asks before much is cleared.
pub fn confirm_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::ConfirmClear { what, entries, size_bytes, .. }) = &state.dialog else { return };
    let theme = Theme::of(ui);
    let response = Modal::new(Id::unique("confirm-clear")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new(tr!("Clear cached files?")).heading());
        ui.add_space(space::S);
        let amount = format!("{} · {}", tr_n!(*entries as u64, "{count} entry", "{count} entries"), format::bytes(*size_bytes));
        ui.label(format!("{what}: {amount}"));
        ui.label(RichText::new(tr!("The files go to the trash and can be restored for 24 hours")).small().color(theme.text_weak));
        ui.add_space(space::L);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let clear = egui::Button::new(RichText::new(tr!(in "verb", "Clear")).color(theme.on_accent)).fill(theme.accent);
            if ui.add_enabled(*entries > 0, clear).clicked() {
                out.act(Action::Confirm);
            }
            if ui.button(tr!("Keep")).clicked() {
                out.act(Action::CloseDialog);
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}

/// The buttons at the foot of a dialog, from the right: the first is the one that is meant.
pub(super) fn foot_ui(ui: &mut Ui, buttons: impl FnOnce(&mut Ui)) {
    ui.add_space(space::L);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), buttons);
}

/// The button a dialog is about.
pub(super) fn meant_button(ui: &Ui, words: &str) -> egui::Button<'static> {
    let theme = Theme::of(ui);
    egui::Button::new(RichText::new(words).color(theme.on_accent)).fill(theme.accent)
}

/// The window is to close, and a job runs.
pub fn confirm_close_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::ConfirmClose) = &state.dialog else { return };
    let theme = Theme::of(ui);
    let response = Modal::new(Id::unique("confirm-close")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(460.0);
        let over = state.active_job().is_none() && state.verifying.is_none();
        ui.label(RichText::new(if over { tr!("The job has finished") } else { tr!("A job is running") }).heading());
        ui.add_space(space::S);
        if over {
            // It ended while this was on the screen.
            ui.label(RichText::new(tr!("Nothing is running any more; the window can be closed")).color(theme.text_weak));
            foot_ui(ui, |ui| {
                if ui.add(meant_button(ui, tr!("Close the window"))).clicked() {
                    out.act(Action::Close(Closing::Now));
                }
                if ui.button(tr!("Cancel")).clicked() {
                    out.act(Action::CloseDialog);
                }
            });
            return;
        }
        let text = match state.active_job() {
            Some(job) => {
                let (done, total) = (job.progress.symbols_done as u64, job.progress.symbols_total as u64);
                let done = tr!("{done} of {total}", done = format::count(done), total = format::count(total));
                format!("{}: {done}", job.title)
            }
            None => tr!("Files are being verified").to_owned(),
        };
        ui.label(text);
        let hint = tr!("What is finished is safe either way. Kept running, it goes on without a window and ends by itself; starting Samovar again shows it");
        ui.add(Label::new(RichText::new(hint).small().color(theme.text_weak)).wrap());
        foot_ui(ui, |ui| {
            if ui.add(meant_button(ui, tr!("Stop and close"))).clicked() {
                out.act(Action::Close(Closing::Now));
            }
            if ui.button(tr!("Keep running")).clicked() {
                out.act(Action::Close(Closing::WhenDone));
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

/// The settings could not be read: what was wrong, what became of them, and the way to the file.
pub fn set_aside_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::SettingsSetAside(set_aside)) = &state.dialog else { return };
    let response = Modal::new(Id::unique("settings-set-aside")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(520.0);
        ui.label(RichText::new(tr!("The settings could not be read")).heading());
        ui.add_space(space::S);
        ui.add(Label::new(super::symbols::sentence(&crate::app::said(&set_aside.message))).selectable(true).wrap());
        foot_ui(ui, |ui| {
            if ui.add(meant_button(ui, tr!("Continue"))).clicked() {
                out.act(Action::CloseDialog);
            }
            if let Some(copy) = &set_aside.copy
                && ui.button(tr!("Show the file")).clicked()
            {
                out.act(Action::ShowFile(copy.clone()));
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}

/// Where to put the diagnostics, what is in them, and how it went.
pub fn diagnostics_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let Some(Dialog::Diagnostics { path, saved }) = &state.dialog else {
        views.diagnostics_path = None;
        return;
    };
    let theme = Theme::of(ui);
    let typed = views.diagnostics_path.get_or_insert_with(|| path.clone());
    let response = Modal::new(Id::unique("diagnostics")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(560.0);
        ui.label(RichText::new(tr!("Save diagnostics")).heading());
        ui.add_space(space::S);
        let text = tr!("Versions, settings, the newest messages and log lines, past jobs and figures of the cache, for whoever looks for a fault. No prices, no passwords, no user names");
        ui.add(Label::new(RichText::new(text).color(theme.text_weak)).wrap());
        ui.add_space(space::M);
        let label = ui.label(RichText::new(tr!("File")).color(theme.text_weak));
        ui.add(TextEdit::singleline(typed).desired_width(f32::INFINITY)).labelled_by(label.id);
        match saved {
            Some(Ok(bytes)) => {
                ui.horizontal(|ui| {
                    ui.label(icons::icon(icons::CHECK).color(theme.success));
                    ui.label(tr!("Saved, {bytes}", bytes = format::bytes(*bytes)));
                });
            }
            Some(Err(message)) => {
                ui.add(Label::new(RichText::new(crate::app::said(message)).color(theme.error)).selectable(true).wrap());
            }
            None => {}
        }
        let file = std::path::PathBuf::from(typed.trim());
        foot_ui(ui, |ui| {
            let is_saved = matches!(saved, Some(Ok(_))) && *path == *typed;
            if is_saved {
                if ui.add(meant_button(ui, tr!("Done"))).clicked() {
                    out.act(Action::CloseDialog);
                }
                if ui.button(tr!("Show the file")).clicked() {
                    out.act(Action::ShowFile(file));
                }
                return;
            }
            if ui.add_enabled(!typed.trim().is_empty(), meant_button(ui, tr!("Save"))).clicked() {
                out.act(Action::SaveDiagnostics(file));
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

/// What is said while files are held over the window.
pub fn drop_ui(ui: &Ui, state: &AppState) {
    let hovered = ui.input(|input| input.raw.hovered_files.len() as u64);
    if hovered == 0 {
        return;
    }
    let theme = Theme::of(ui);
    let screen = ui.content_rect();
    let painter = ui.ctx().layer_painter(egui::LayerId::new(Order::Foreground, Id::unique("drop-shade")));
    painter.rect_filled(screen, 0.0, theme.shadow);
    painter.rect_stroke(screen.shrink(space::M), 8.0, (2.0, theme.accent), egui::StrokeKind::Inside);
    Area::new(Id::unique("drop")).order(Order::Tooltip).anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0)).show(ui.ctx(), |ui| {
        dialog_frame(ui).show(ui, |ui| {
            ui.vertical_centered(|ui| {
                ui.set_max_width(420.0);
                ui.label(RichText::new(icons::DROP).size(size::TEXT_DISPLAY).color(theme.accent));
                let text = tr_n!(hovered, "Drop {count} file to add it as a source", "Drop {count} files to add them as a source");
                ui.label(RichText::new(text).heading());
                let hint = if state.fixed_source {
                    tr!("The source was named on the command line; start without --source to add files")
                } else {
                    tr!("CSV, Parquet or SQLite; nothing is read before you have seen its first rows")
                };
                ui.label(RichText::new(hint).color(theme.text_weak));
            });
        });
    });
}
