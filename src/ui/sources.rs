//! The sources by name: which is in use, and everything that can be done with one.

use super::commands::command_button_ui;
use super::icons;
use super::settings::SettingsDraft;
use super::theme::{Theme, size, space};
use super::window::Outbox;
use crate::app::{Action, AppState, Command, Connection, SourceAction};
use crate::config::SourceSetting;
use crate::source::SourceUrl;
use crate::tr;
use eframe::egui;
use egui::{Align, Label, Layout, RichText, TextEdit, Ui, vec2};

/// All sources, and the ways to another.
pub(super) fn sources_ui(ui: &mut Ui, state: &AppState, draft: &mut SettingsDraft, out: &mut Outbox) {
    let theme = Theme::of(ui);
    if state.fixed_source {
        ui.label(RichText::new(tr!("The source was named on the command line; these are kept, and not in use")).color(theme.text_weak));
    }
    if state.settings.sources.is_empty() {
        ui.label(RichText::new(tr!("No source yet")).color(theme.text_weak));
    }
    for source in &state.settings.sources {
        source_ui(ui, state, source, draft, out);
    }
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::ConnectSource, out);
        command_button_ui(ui, state, Command::UseSample, out);
    });
    let text =
        tr!("Sources are only ever read. Passwords are kept in the system's keyring, or where there is none in a file only you can read");
    ui.label(RichText::new(text).small().color(theme.text_weak));
}

fn source_ui(ui: &mut Ui, state: &AppState, source: &SourceSetting, draft: &mut SettingsDraft, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let in_use = state.settings.source.as_deref() == Some(&source.name);
    let mut act = |action: SourceAction| out.act(Action::Source(action));
    ui.push_id(&source.name, |ui| {
        ui.horizontal(|ui| {
            ui.set_min_height(size::ROW);
            ui.allocate_ui_with_layout(vec2(240.0, size::ROW), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(240.0);
                if draft.renaming.as_ref().is_some_and(|(from, _)| *from == source.name) {
                    rename_ui(ui, source, draft, &mut act);
                    return;
                }
                let radio = ui.radio(in_use, &source.name).on_hover_text(tr!("Use this source; double-click to rename it"));
                if radio.double_clicked() {
                    draft.renaming = Some((source.name.clone(), source.name.clone()));
                } else if radio.clicked() && !in_use {
                    act(SourceAction::Use(source.name.clone()));
                }
            });
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let name = &source.name;
                if icons::icon_button_ui(ui, icons::CLEAR, &tr!("Forget {name}", name = name)).clicked() {
                    act(SourceAction::Forget(name.clone()));
                }
                if icons::icon_button_ui(ui, icons::COPY, &tr!("Copy {name}", name = name)).clicked() {
                    act(SourceAction::Copy(name.clone()));
                }
                if icons::icon_button_ui(ui, icons::EDIT, &tr!("Edit {name}", name = name)).clicked() {
                    act(SourceAction::Edit(Some(name.clone())));
                }
                if icons::icon_button_ui(ui, icons::RENAME, &tr!("Rename {name}", name = name)).clicked() {
                    draft.renaming = Some((name.clone(), name.clone()));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    if in_use {
                        connection_ui(ui, state);
                    }
                    ui.add(Label::new(RichText::new(shown_url(source)).small().color(theme.text_weak)).selectable(true).truncate());
                });
            });
        });
    });
}

fn rename_ui(ui: &mut Ui, source: &SourceSetting, draft: &mut SettingsDraft, act: &mut impl FnMut(SourceAction)) {
    let Some((from, to)) = &mut draft.renaming else { return };
    let field = ui.add(TextEdit::singleline(to).desired_width(220.0));
    let name = tr!("New name of {name}", name = source.name);
    field.ctx.accesskit_node_builder(field.id, |node| node.set_label(name.as_str()));
    let given_up = ui.input(|input| input.key_pressed(egui::Key::Escape));
    if field.lost_focus() || given_up {
        if !given_up {
            act(SourceAction::Rename { from: from.clone(), to: to.clone() });
        }
        draft.renaming = None;
    } else if !field.has_focus() {
        field.request_focus();
    }
}

/// Where a source is, without the password that somebody may have written into the settings file.
#[must_use]
pub(super) fn shown_url(source: &SourceSetting) -> String {
    // What is no URL could hold a password anywhere.
    SourceUrl::parse(&source.url).map_or_else(|_error| tr!("cannot be used").to_owned(), |url| url.redacted())
}

/// What a connection is called, with its mark.
#[must_use]
pub(super) fn connection_words(connection: Connection<'_>) -> (&'static str, String) {
    match connection {
        Connection::NotAsked => (icons::DATABASE, tr!("not connected yet").to_owned()),
        Connection::Asking => (icons::DATABASE, tr!("connecting").to_owned()),
        Connection::Connected(contact) => {
            let ping = contact.outcome.as_ref().map(|reached| reached.ping.as_secs_f64()).unwrap_or_default();
            (icons::CHECK, tr!("connected, {time}", time = super::format::short_time(ping * 1e6)))
        }
        Connection::Reconnecting { .. } => (icons::RETRY, tr!("reconnecting").to_owned()),
        Connection::Offline { .. } => (icons::OFFLINE, tr!("offline").to_owned()),
    }
}

fn connection_ui(ui: &mut Ui, state: &AppState) {
    let theme = Theme::of(ui);
    let connection = state.connection();
    let (glyph, words) = connection_words(connection);
    let color = connection_color(theme, connection);
    ui.label(RichText::new(glyph).size(size::TEXT_BODY).color(color));
    ui.label(RichText::new(words).small().color(theme.text_weak));
}

/// The colour of a connection's mark.
pub(super) fn connection_color(theme: &Theme, connection: Connection<'_>) -> egui::Color32 {
    match connection {
        Connection::NotAsked | Connection::Asking => theme.text_weak,
        Connection::Connected(_) => theme.success,
        Connection::Reconnecting { .. } => theme.warning,
        Connection::Offline { .. } => theme.error,
    }
}
