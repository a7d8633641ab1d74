//! Sources and settings: everything that is kept in the settings file.

use super::commands::command_button_ui;
use super::icons;
use super::theme::{PriceColors, Theme, space};
use super::widgets::{fact_label_ui, heading_ui};
use super::window::{Outbox, PathPurpose, ViewState};
use crate::app::{Action, AppState, Command, SettingsAction, SourceAction};
use crate::cache::TimeToLive;
use crate::config::{PriceColorChoice, Settings, ThemeChoice};
use crate::language::Language;
use crate::tr;
use crate::worker::Snapshot;
use eframe::egui;
use egui::{Frame, Grid, Label, Margin, RichText, ScrollArea, TextEdit, Ui, vec2};
use std::path::Path;

/// Texts as typed; taken over once they are valid and the field is left.
#[derive(Debug, Clone, Default)]
pub struct SettingsDraft {
    ttl: Option<String>,
    disk_budget: Option<String>,
    memory_budget: Option<String>,
    jobs: Option<String>,
    history_check_days: Option<String>,
}

/// The whole view.
pub fn settings_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(32, 24)).show(ui, |ui| {
                ui.set_max_width(860.0);
                sources_ui(ui, state, out);
                ui.add_space(space::XL);
                cache_ui(ui, state, views, out);
                ui.add_space(space::XL);
                appearance_ui(ui, state, out);
            });
        });
    });
}

fn sources_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    heading_ui(ui, "Sources");
    if state.settings.sources.is_empty() {
        ui.label(RichText::new("No source yet").color(theme.text_weak));
    }
    for source in &state.settings.sources {
        let in_use = state.settings.source.as_deref() == Some(&source.name);
        ui.horizontal(|ui| {
            if ui.radio(in_use, &source.name).on_hover_text("Use this source").clicked() && !in_use {
                out.act(Action::Source(SourceAction::Use(source.name.clone())));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if icons::icon_button_ui(ui, icons::CLEAR, &format!("Forget {}", source.name)).clicked() {
                    out.act(Action::Source(SourceAction::Forget(source.name.clone())));
                }
                if icons::icon_button_ui(ui, icons::EDIT, &format!("Edit {}", source.name)).clicked() {
                    out.act(Action::Source(SourceAction::Edit(Some(source.name.clone()))));
                }
                ui.add(Label::new(RichText::new(&source.url).small().color(theme.text_weak)).truncate());
            });
        });
    }
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::ConnectSource, out);
        command_button_ui(ui, state, Command::UseSample, out);
    });
    ui.label(RichText::new("Sources are only ever read. Forgetting one keeps what was cached from it").small().color(theme.text_weak));
}

/// A text field that is taken over when it is left, if it is valid; else it says why not.
fn field_ui<T>(
    ui: &mut Ui,
    draft: &mut Option<String>,
    (label, current, hint): (&str, &str, &str),
    parse: impl Fn(&str) -> Result<T, String>,
    accept: impl FnOnce(T),
) {
    let theme = Theme::of(ui);
    let name = fact_label_ui(ui, label);
    ui.vertical(|ui| {
        let mut text = draft.clone().unwrap_or_else(|| current.to_owned());
        let field = ui.add(TextEdit::singleline(&mut text).hint_text(hint).desired_width(140.0)).labelled_by(name.id);
        if field.changed() {
            *draft = Some(text.clone());
        }
        let problem = draft.as_deref().and_then(|typed| parse(typed).err());
        if field.lost_focus()
            && let Some(typed) = draft.as_deref()
            && let Ok(value) = parse(typed)
        {
            accept(value);
            *draft = None;
        }
        if let Some(problem) = problem {
            ui.label(RichText::new(problem).small().color(theme.error));
        } else {
            ui.label(RichText::new(hint).small().color(theme.text_weak));
        }
    });
    ui.end_row();
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    super::format::read_bytes(text).ok_or_else(|| tr!("Write a number with KB, MB, GB or TB").to_owned())
}

fn bytes_text(bytes: u64) -> String {
    super::format::bytes(bytes)
}

fn cache_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    heading_ui(ui, "Cache");
    let settings = &state.settings;
    let save = |change: &dyn Fn(&mut Settings)| {
        let mut changed = settings.clone();
        change(&mut changed);
        Action::Settings(SettingsAction::Save(Box::new(changed)))
    };
    let draft = &mut views.settings;
    let [usual_cache, bars, features] = &state.snapshot.folders;
    Grid::new("settings-cache").num_columns(2).spacing(vec2(space::XL, space::S)).show(ui, |ui| {
        folder_ui(ui, "Cache folder", settings.cache_dir.is_some(), usual_cache, PathPurpose::CacheDir, out);
        folder_ui(ui, "Bars folder", settings.bars_cache_dir.is_some(), bars, PathPurpose::BarsDir, out);
        folder_ui(ui, "Features folder", settings.features_cache_dir.is_some(), features, PathPurpose::FeaturesDir, out);
        let parse_ttl = |text: &str| TimeToLive::parse(text).map_err(|error| error.to_string());
        field_ui(ui, &mut draft.ttl, ("Time to live", &settings.ttl, "Such as 30m, 24h, 7d or market-close"), parse_ttl, |ttl| {
            out.act(save(&|settings| settings.ttl = ttl.to_string()));
        });
        ui.label("");
        let mut by_close = TimeToLive::parse(&settings.ttl) == Ok(TimeToLive::MarketClose);
        if ui.checkbox(&mut by_close, "Until the next market close").changed() {
            draft.ttl = None;
            let ttl = if by_close { TimeToLive::MarketClose } else { TimeToLive::default() };
            out.act(save(&|settings| settings.ttl = ttl.to_string()));
        }
        ui.end_row();
        rules_ui(ui, &state.snapshot);
        let parse_days = |text: &str| match text.trim().parse::<u32>() {
            Ok(days) if days <= 3_650 => Ok(days),
            _ => Err(tr!("Write a number of days, at most 3650").to_owned()),
        };
        let days = settings.history_check_days.to_string();
        let words = (tr!("Days between history checks"), days.as_str(), tr!("0 compares whole histories at every check"));
        field_ui(ui, &mut draft.history_check_days, words, parse_days, |days| {
            out.act(save(&|settings| settings.history_check_days = days));
        });
        let disk = if settings.disk_budget_bytes == 0 { "0".to_owned() } else { bytes_text(settings.disk_budget_bytes) };
        field_ui(ui, &mut draft.disk_budget, ("Disk budget", &disk, "Such as 20 GB; 0 is no limit"), parse_bytes, |bytes| {
            out.act(save(&|settings| settings.disk_budget_bytes = bytes));
        });
        let memory = bytes_text(settings.memory_budget_bytes);
        field_ui(ui, &mut draft.memory_budget, ("Memory budget", &memory, "Such as 256 MB"), parse_bytes, |bytes| {
            out.act(save(&|settings| settings.memory_budget_bytes = bytes));
        });
        let parse_jobs = |text: &str| match text.trim().parse::<usize>() {
            Ok(jobs) if jobs <= 256 => Ok(jobs),
            _ => Err("Write a number from 0 to 256".to_owned()),
        };
        let jobs = settings.jobs.to_string();
        field_ui(ui, &mut draft.jobs, ("Working threads", &jobs, "0 uses all cores"), parse_jobs, |jobs| {
            out.act(save(&|settings| settings.jobs = jobs));
        });
    });
}

/// The rules for times to live: read here, written in the settings file.
fn rules_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let theme = Theme::of(ui);
    fact_label_ui(ui, "Rules by symbol");
    ui.vertical(|ui| {
        for rule in snapshot.judge.rules.rules() {
            ui.label(RichText::new(rule.to_string()).color(theme.text));
        }
        let file = snapshot.settings_file.display();
        let text = if snapshot.judge.rules.rules().is_empty() {
            format!("None; write them as [[ttl_rules]] in {file}")
        } else {
            format!("The first that fits is followed; change them in {file}")
        };
        ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).selectable(true).truncate());
        for exchange in &snapshot.calendars_over {
            let end = exchange.coverage_end().map(|day| day.to_string()).unwrap_or_default();
            let text = format!("The holidays of {exchange} are known until {end} only; a newer Samovar knows more");
            ui.label(RichText::new(text).small().color(theme.error));
        }
    });
    ui.end_row();
}

fn folder_ui(ui: &mut Ui, label: &str, chosen: bool, path: &Path, purpose: PathPurpose, out: &mut Outbox) {
    let theme = Theme::of(ui);
    fact_label_ui(ui, label);
    ui.horizontal(|ui| {
        let text = path.display().to_string();
        let color = if chosen { theme.text } else { theme.text_weak };
        ui.add(Label::new(RichText::new(text).color(color)).selectable(true).truncate());
        if icons::icon_button_ui(ui, icons::FOLDER, &format!("Choose: {label}")).clicked() {
            out.pick.push(purpose);
        }
        if chosen && icons::icon_button_ui(ui, icons::RESET, &format!("Back to the usual: {label}")).clicked() {
            out.act(Action::Settings(match purpose {
                PathPurpose::BarsDir => SettingsAction::BarsDir(None),
                PathPurpose::FeaturesDir => SettingsAction::FeaturesDir(None),
                _ => SettingsAction::CacheDir(None),
            }));
        }
    });
    ui.end_row();
}

fn appearance_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    heading_ui(ui, "Appearance");
    let settings = &state.settings;
    Grid::new("settings-appearance").num_columns(2).spacing(vec2(space::XL, space::S)).show(ui, |ui| {
        fact_label_ui(ui, "Theme");
        ui.horizontal(|ui| {
            for (theme, text) in [(ThemeChoice::System, "As the desktop"), (ThemeChoice::Light, "Light"), (ThemeChoice::Dark, "Dark")] {
                if ui.selectable_label(settings.appearance.theme == theme, text).clicked() {
                    let mut changed = settings.clone();
                    changed.appearance.theme = theme;
                    out.act(Action::Settings(SettingsAction::Save(Box::new(changed))));
                }
            }
        });
        ui.end_row();
        language_ui(ui, state, out);
        fact_label_ui(ui, "Gains and losses");
        ui.horizontal(|ui| {
            for (choice, colors) in [
                (PriceColorChoice::GreenUp, PriceColors::GreenUp),
                (PriceColorChoice::RedUp, PriceColors::RedUp),
                (PriceColorChoice::BlueOrange, PriceColors::BlueOrange),
            ] {
                if ui.selectable_label(settings.appearance.price_colors == choice, colors.label()).clicked() {
                    let mut changed = settings.clone();
                    changed.appearance.price_colors = choice;
                    out.act(Action::Settings(SettingsAction::Save(Box::new(changed))));
                }
            }
        });
        ui.end_row();
    });
}

/// Each language by its own name, whatever is spoken now.
fn language_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    fact_label_ui(ui, tr!("Language"));
    ui.horizontal(|ui| {
        let own = [Language::English, Language::Chinese, Language::Russian, Language::Korean];
        let choices = std::iter::once((None, tr!("As the desktop"))).chain(own.map(|language| (Some(language), language.own_name())));
        for (language, text) in choices {
            if ui.selectable_label(state.settings.appearance.language == language, text).clicked() {
                let mut changed = state.settings.clone();
                changed.appearance.language = language;
                out.act(Action::Settings(SettingsAction::Save(Box::new(changed))));
            }
        }
    });
    ui.end_row();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_with_units_and_without() {
        assert_eq!(parse_bytes("20 GB"), Ok(20_000_000_000));
        assert_eq!(parse_bytes("512mb"), Ok(512_000_000));
        assert_eq!(parse_bytes("1.5 g"), Ok(1_500_000_000));
        assert_eq!(parse_bytes("0"), Ok(0));
        for wrong in ["", "much", "-1 GB", "1 XB", "9e99 GB"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
