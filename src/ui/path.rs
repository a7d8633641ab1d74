//! A path that is typed, where the desktop has no file dialogs: a Linux without a portal and without `zenity`.
//!
//! Contract: stands before whatever asked for the path, which stays as it is; whether the path can be used is found out by who
//! asked, as with a path from a file dialog.

use super::theme::{Theme, space};
use super::window::{PathPurpose, ViewState};
use crate::app::AppState;
use crate::tr;
use eframe::egui;
use egui::{Id, Key, Label, Modal, RichText, TextEdit, Ui};
use std::path::PathBuf;

/// The path as typed, and what for.
pub struct PathDraft {
    purpose: PathPurpose,
    text: String,
    just_opened: bool,
}

impl PathDraft {
    /// Begins with what a file dialog would propose.
    #[must_use]
    pub fn new(purpose: PathPurpose, state: &AppState) -> Self {
        let [cache, bars, features] = &state.snapshot.folders;
        let documents = &state.documents_dir;
        let path = match purpose {
            PathPurpose::CacheDir => cache.clone(),
            PathPurpose::BarsDir => bars.clone(),
            PathPurpose::FeaturesDir => features.clone(),
            PathPurpose::ChartPicture => documents.join(state.picture_name()),
            PathPurpose::ExportFile(format) => documents.join(format!("symbols.{}", format.extension())),
            PathPurpose::SourceFile | PathPurpose::SourceFolder | PathPurpose::ListFile | PathPurpose::ExportFolder => documents.clone(),
        };
        Self { purpose, text: path.display().to_string(), just_opened: true }
    }
}

/// What the path is of, as the title says it.
fn title(purpose: PathPurpose) -> &'static str {
    match purpose {
        PathPurpose::SourceFile => tr!("Choose a database file"),
        PathPurpose::ChartPicture => tr!("Save the chart as a picture"),
        PathPurpose::ListFile => tr!("Choose a file with symbols"),
        PathPurpose::ExportFile(_) => tr!("Export the list"),
        PathPurpose::ExportFolder => tr!("Choose a folder for the files"),
        PathPurpose::CacheDir | PathPurpose::BarsDir | PathPurpose::FeaturesDir | PathPurpose::SourceFolder => tr!("Choose a folder"),
    }
}

/// Draws the dialog while a path is to be typed; returns the path once it is.
pub fn path_ui(ui: &mut Ui, views: &mut ViewState) -> Option<(PathPurpose, PathBuf)> {
    let draft = views.path.as_mut()?;
    let theme = Theme::of(ui);
    let (mut done, mut given_up) = (false, ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Escape)));
    Modal::new(Id::unique("path")).frame(super::dialogs::dialog_frame(ui)).show(ui, |ui| {
        ui.set_width(520.0);
        ui.label(RichText::new(title(draft.purpose)).heading());
        ui.add_space(space::S);
        let label = ui.label(RichText::new(tr!("Path")).color(theme.text_weak));
        let field = ui.add(TextEdit::singleline(&mut draft.text).desired_width(f32::INFINITY)).labelled_by(label.id);
        if std::mem::take(&mut draft.just_opened) {
            field.request_focus();
        }
        // Of a path that is not absolute nobody could say where it leads at the next start.
        let usable = meant_path(&draft.text).is_absolute();
        done = usable && field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ui.add_space(space::XS);
        let hint = tr!("This desktop has no file dialog that Samovar could show; with xdg-desktop-portal or zenity it has one");
        ui.add(Label::new(RichText::new(hint).small().color(theme.text_weak)).wrap());
        super::dialogs::foot_ui(ui, |ui| {
            done |= ui.add_enabled(usable, super::dialogs::meant_button(ui, tr!("Use this path"))).clicked();
            given_up |= ui.button(tr!("Cancel")).clicked();
        });
    });
    let chosen = done.then(|| (draft.purpose, meant_path(&draft.text)));
    if done || given_up {
        views.path = None;
    }
    chosen
}

/// The path that a text means: `~` is the user's own folder, as in a shell.
fn meant_path(text: &str) -> PathBuf {
    let text = text.trim();
    let home = text.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    home.unwrap_or_else(|| PathBuf::from(text))
}
