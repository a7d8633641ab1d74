//! The feature sets themselves: files, versions, what is cached of them, and files that cannot be used.

use super::FeaturesView;
use crate::app::{Action, AppState, FeatureAction, said};
use crate::cache::VersionFacts;
use crate::feature::{LibrarySet, SetProblem};
use crate::ui::symbols::now_us;
use crate::ui::theme::{Theme, size, space};
use crate::ui::widgets::check_ui;
use crate::ui::window::{Outbox, ViewState};
use crate::ui::{format, icons};
use crate::worker::Snapshot;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Button, Label, Layout, Margin, Response, RichText, ScrollArea, Ui};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Entries, symbols and bytes by set: counted once for each snapshot.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    snapshot: usize,
    by_set: HashMap<String, (u64, u64)>,
}

impl Usage {
    fn update(&mut self, snapshot: &Arc<Snapshot>) {
        let number = Arc::as_ptr(snapshot) as usize;
        if self.snapshot == number {
            return;
        }
        self.snapshot = number;
        self.by_set.clear();
        for facts in snapshot.rows.iter().flat_map(|row| &row.datasets).filter(|facts| !facts.entry.key.dataset.is_bars()) {
            let used = self.by_set.entry(facts.entry.key.dataset.name().to_owned()).or_default();
            used.0 += u64::from(facts.entry.file.is_some());
            used.1 += facts.entry.size_bytes();
        }
    }

    fn of(&self, set: &str) -> (u64, u64) {
        self.by_set.get(set).copied().unwrap_or_default()
    }
}

/// Own sets first, with what is wrong in their files; then those that are built in.
pub fn set_list_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    views.panel.usage.update(&state.snapshot);
    let FeaturesView { usage, open_versions, .. } = &mut views.panel;
    ScrollArea::vertical().id_salt("set-list").auto_shrink([false, false]).show(ui, |ui| {
        egui::Frame::NONE.inner_margin(Margin { left: 0, right: 12, top: 8, bottom: 16 }).show(ui, |ui| {
            let (own, built_in): (Vec<&LibrarySet>, Vec<&LibrarySet>) = state.sets.sets().iter().partition(|entry| !entry.is_built_in());
            head_ui(ui, state, out);
            if own.is_empty() && state.sets.problems().is_empty() {
                let text = if state.sets.folder().is_some() {
                    tr!("None yet: a formula of your own begins one, and so does a file in the folder above")
                } else {
                    tr!("None yet: a formula of your own begins one")
                };
                note_ui(ui, text);
            }
            for problem in state.sets.problems() {
                problem_ui(ui, problem, out);
                ui.add_space(space::L);
            }
            for entry in own {
                set_ui(ui, state, (usage, open_versions), entry, out);
                ui.add_space(space::L);
            }
            ui.add_space(space::S);
            section_ui(ui, tr!("Built in"));
            for entry in built_in {
                set_ui(ui, state, (usage, open_versions), entry, out);
                ui.add_space(space::L);
            }
        });
    });
}

fn section_ui(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.label(RichText::new(text).small().color(theme.text_weak));
    ui.add_space(space::XS);
}

fn note_ui(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.add(Label::new(RichText::new(text).color(theme.text_weak)).wrap());
    ui.add_space(space::L);
}

fn head_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    section_ui(ui, tr!("Own sets"));
    if let Some(folder) = state.sets.folder() {
        path_ui(ui, folder, tr!("Copy the path of the folder of own sets"), out);
        ui.add_space(space::S);
    }
}

/// A path cut where it does not fit, whole under the pointer, with a button that copies it.
fn path_ui(ui: &mut Ui, path: &Path, name: &str, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let whole = path.display().to_string();
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icons::icon_button_ui(ui, icons::COPY, name).clicked() {
                out.act(Action::Copy(whole.clone()));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(&whole).small().color(theme.text_weak)).truncate()).on_hover_text(&whole);
            });
        });
    });
}

fn set_ui(ui: &mut Ui, state: &AppState, (usage, open): (&Usage, &mut BTreeSet<String>), entry: &LibrarySet, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let set = &entry.set;
    let name = set.name();
    let mut act = |action: FeatureAction| out.act(Action::Features(action));
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).color(theme.text));
        let hash = set.definition_hash().full();
        let short = hash.get(..8).unwrap_or(&hash).to_owned();
        let count = tr_n!(set.definitions().len() as u64, "{count} feature", "{count} features");
        ui.label(RichText::new(count).color(theme.text_weak));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(short).monospace().color(theme.text_weak)).on_hover_text(tr!("Version {hash}", hash = hash));
        });
    });
    let (entries, bytes) = usage.of(name);
    let cached = if entries == 0 {
        tr!("Nothing cached").to_owned()
    } else {
        tr_n!(entries, "{count} entry cached · {size}", "{count} entries cached · {size}", size = format::bytes(bytes))
    };
    ui.label(RichText::new(cached).small().color(theme.text_weak));
    if entry.is_last_good {
        ui.label(RichText::new(tr!("Its file has mistakes; its last good version is used")).small().color(theme.warning));
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().button_padding.x = 2.0;
        ui.spacing_mut().item_spacing.x = space::XS;
        let enabled = state.has_source() && !state.snapshot.rows.is_empty();
        if button_ui(ui, enabled, icons::PREHEAT, tr!("Preheat"), name).clicked() {
            act(FeatureAction::PreheatSet(name.to_owned()));
        }
        if !entry.is_built_in() && button_ui(ui, true, icons::CLEAR, tr!("Delete"), name).clicked() {
            act(FeatureAction::DeleteSet(name.to_owned()));
        }
        ui.add_space(space::XS);
        let mut warm = state.settings.sets.iter().any(|set| set == name);
        let check = check_ui(ui, &mut warm, tr!("Keep warm"));
        check.widget_info(|| egui::WidgetInfo::selected(egui::accesskit::Role::CheckBox, true, warm, tr!("Keep {name} warm", name = name)));
        if check.on_hover_text(tr!("Computed with every preheat")).changed() {
            act(FeatureAction::KeepWarm(name.to_owned()));
        }
    });
    if let Some(file) = entry.file() {
        path_ui(ui, file, &tr!("Copy the path of {name}", name = name), out);
    }
    versions_ui(ui, state, entry, open, out);
}

/// The versions that something was computed with; those of before can be brought back.
fn versions_ui(ui: &mut Ui, state: &AppState, entry: &LibrarySet, open: &mut BTreeSet<String>, out: &mut Outbox) {
    let name = entry.set.name();
    let versions: Vec<&VersionFacts> = state.features.versions.iter().filter(|facts| *facts.record.version.set == *name).collect();
    if versions.len() < 2 {
        return;
    }
    let is_open = open.contains(name);
    let text = if is_open {
        tr!("Hide the versions of {name}", name = name)
    } else {
        tr_n!(versions.len() as u64, "Show {count} version of {name}", "Show {count} versions of {name}", name = name)
    };
    if ui.add(egui::Link::new(RichText::new(text).small())).clicked() && !open.remove(name) {
        open.insert(name.to_owned());
    }
    if is_open {
        for facts in versions {
            version_ui(ui, state, entry, facts, out);
        }
    }
}

fn version_ui(ui: &mut Ui, state: &AppState, entry: &LibrarySet, facts: &VersionFacts, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let version = &facts.record.version;
    let hash = version.definition.full();
    let short = hash.get(..8).unwrap_or(&hash);
    let is_present = version.definition == entry.set.definition_hash();
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL);
        ui.label(RichText::new(short).monospace().color(theme.text)).on_hover_text(format!("{}@{hash}", version.set));
        let used = format::relative(facts.record.last_used_us, now_us(state));
        let cached = if facts.entries == 0 {
            tr!("nothing cached").to_owned()
        } else {
            tr_n!(facts.entries, "{count} entry · {size}", "{count} entries · {size}", size = format::bytes(facts.size_bytes))
        };
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if is_present {
                ui.label(RichText::new(tr!("present")).small().color(theme.text_weak));
            } else if !entry.is_built_in() && !version.text.is_empty() {
                let button = ui.add(Button::new(RichText::new(tr!("Bring back")).small()).frame_when_inactive(false));
                button.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, tr!("Bring back {short}", short = short))
                });
                if button.on_hover_text(tr!("Save the set as it was in this version; can be undone")).clicked() {
                    let (name, text) = (version.set.to_string(), version.text.to_string());
                    out.act(Action::Features(FeatureAction::PutSet { name, text }));
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = tr!("used {used} · {cached}", used = used, cached = cached);
                ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).truncate());
            });
        });
    });
}

fn button_ui(ui: &mut Ui, enabled: bool, glyph: &str, text: &str, name: &str) -> Response {
    let theme = Theme::of(ui);
    let color = if enabled { theme.text_weak } else { theme.text_disabled };
    let words = (icons::icon(glyph).color(color), RichText::new(text).small());
    let response = ui.add_enabled(enabled, Button::new(words).frame_when_inactive(false));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, enabled, format!("{text} {name}")));
    response
}

/// A file that is no set, and where in it the mistakes are.
fn problem_ui(ui: &mut Ui, problem: &SetProblem, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let file = problem.path.file_name().map_or_else(|| problem.path.display().to_string(), |name| name.to_string_lossy().into_owned());
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        ui.label(icons::icon(icons::ERROR).color(theme.error));
        ui.label(RichText::new(&file).color(theme.text));
        ui.label(RichText::new(tr!("cannot be used")).color(theme.text_weak));
    });
    let told = |ui: &mut Ui, text: String| {
        ui.add(Label::new(RichText::new(text).small().color(theme.error)).selectable(true).wrap());
    };
    if let Some(reason) = &problem.reason {
        told(ui, said(reason).into_owned());
    }
    /// Mistakes that are shown of one file: the first are mended first.
    const SHOWN: usize = 5;
    for mistake in problem.mistakes.iter().take(SHOWN) {
        let meant = mistake.suggestion.as_ref().map(|meant| tr!("; did you mean {meant}?", meant = meant)).unwrap_or_default();
        let place = tr!("Line {line}, column {column}", line = mistake.line, column = mistake.column);
        told(ui, format!("{place}: {}{meant}", said(&mistake.message)));
    }
    if problem.mistakes.len() > SHOWN {
        ui.label(RichText::new(tr!("and {count} more", count = problem.mistakes.len() - SHOWN)).small().color(theme.text_weak));
    }
    if let Some(last) = &problem.last_good {
        ui.label(RichText::new(tr!("The last good version of {last} is used", last = last)).small().color(theme.text_weak));
    }
    path_ui(ui, &problem.path, &tr!("Copy the path of {file}", file = file), out);
}
