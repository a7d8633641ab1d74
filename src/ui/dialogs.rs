//! What stands in front of a view or in its place: the first start, a cache that cannot be opened, questions, the shortcut sheet.

use super::commands::primary_button_ui;
use super::theme::{Theme, space};
use super::window::{Outbox, PathPurpose};
use super::{commands, format};
use crate::app::{Action, AppState, Command, CommandGroup, Dialog, OpenState, View};
use eframe::egui;
use egui::{Frame, Id, Label, Margin, Modal, RichText, Ui, vec2};
use strum::IntoEnumIterator;

/// The first start: the sample market or a connection.
pub fn welcome_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ui.add_space((ui.available_height() * 0.28).max(space::XL));
        ui.vertical_centered(|ui| {
            ui.set_max_width(560.0);
            ui.label(RichText::new("Samovar keeps market data hot").text_style(super::theme::display()).color(theme.text));
            ui.add_space(space::S);
            let text = "Bars from your database, in plain Parquet files on this machine, with indicators computed and charts at hand";
            ui.label(RichText::new(text).color(theme.text_weak));
            ui.add_space(space::XL);
            if state.open == OpenState::Opening {
                ui.label(RichText::new("Opening the cache").color(theme.text_weak));
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
            ui.label(RichText::new("The cache cannot be opened").heading().color(theme.text));
            ui.add_space(space::S);
            ui.add(Label::new(RichText::new(message).color(theme.text_weak)).selectable(true).wrap());
            ui.add_space(space::L);
            if ui.button("Choose another cache folder…").clicked() {
                out.pick.push(PathPurpose::CacheDir);
            }
            if ui.button("Open settings").clicked() {
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
        ui.label(RichText::new("Clear cached files?").heading());
        ui.add_space(space::S);
        let amount = format!("{} · {}", format::counted(*entries as u64, "entry", "entries"), format::bytes(*size_bytes));
        ui.label(format!("{what}: {amount}"));
        ui.label(RichText::new("The files go to the trash and can be restored for 24 hours").small().color(theme.text_weak));
        ui.add_space(space::L);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let clear = egui::Button::new(RichText::new("Clear").color(theme.on_accent)).fill(theme.accent);
            if ui.add_enabled(*entries > 0, clear).clicked() {
                out.act(Action::Confirm);
            }
            if ui.button("Keep").clicked() {
                out.act(Action::CloseDialog);
            }
        });
    });
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}

/// Every shortcut, made from the commands, and the gestures of the chart.
pub fn help_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let Some(Dialog::Help) = &state.dialog else { return };
    let theme = Theme::of(ui);
    let gestures = [
        ("Up, Down, Page Up, Page Down, Home, End", "Walk the list; the chart follows"),
        ("Ctrl+click, Shift+click", "Select several symbols"),
        ("Ctrl+Space, Ctrl+. in a formula", "What could stand there; take the suggestion"),
    ];
    let response = Modal::new(Id::unique("help")).frame(dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(680.0);
        ui.label(RichText::new("Keyboard shortcuts").heading());
        ui.add_space(space::S);
        let line = |ui: &mut Ui, keys: &str, text: &str| {
            ui.label(RichText::new(keys).color(theme.text));
            ui.label(RichText::new(text).color(theme.text_weak));
            ui.end_row();
        };
        // The sheet is longer than a small window is high.
        let room = (ui.content_rect().height() - 180.0).max(120.0);
        egui::ScrollArea::vertical().max_height(room).min_scrolled_height(room).auto_shrink([false, true]).show(ui, |ui| {
            ui.columns(2, |columns| {
                if let [left, right] = columns {
                    for (ui, groups) in [
                        (left, vec![CommandGroup::Cache, CommandGroup::Jobs, CommandGroup::Chart]),
                        (right, vec![CommandGroup::Symbols, CommandGroup::View]),
                    ] {
                        for group in groups {
                            super::widgets::heading_ui(ui, group.text());
                            egui::Grid::new(("help", group.text())).num_columns(2).spacing(vec2(space::L, space::XS)).show(ui, |ui| {
                                for command in group.commands() {
                                    if let Some(keys) = command.shortcut() {
                                        line(ui, &keys.to_string(), command.text());
                                    }
                                }
                            });
                            ui.add_space(space::S);
                        }
                    }
                }
            });
            super::widgets::heading_ui(ui, "Gestures");
            egui::Grid::new("help-gestures").num_columns(2).spacing(vec2(space::L, space::XS)).show(ui, |ui| {
                for (keys, text) in gestures.into_iter().chain(super::chart::gestures().into_iter().flat_map(|(_, gestures)| gestures)) {
                    line(ui, keys, text);
                }
            });
        });
        ui.add_space(space::S);
        if ui.button("Close").clicked() {
            out.act(Action::CloseDialog);
        }
    });
    debug_assert!(CommandGroup::iter().count() > 0);
    if response.should_close() {
        out.act(Action::CloseDialog);
    }
}
