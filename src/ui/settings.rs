//! Sources and settings: everything that is kept in the settings file, found by typing, each with its usual value and a way back.
//!
//! A row is named by its [`Setting`], by which the palette finds it, too. Sources are laid out by `sources`.

use super::icons;
use super::sources::sources_ui;
use super::theme::{PriceColors, Theme, size, space};
use super::widgets::heading_ui;
use super::window::{Outbox, PathPurpose, ViewState};
use crate::app::{Action, AppState, SettingsAction};
use crate::cache::TimeToLive;
use crate::config::{PriceColorChoice, Settings, ThemeChoice, ZOOM_PERCENTS};
use crate::language::Language;
use crate::tr;
use crate::worker::Snapshot;
use eframe::egui;
use egui::{Frame, Label, Margin, Response, RichText, ScrollArea, TextEdit, Ui, vec2};
use std::collections::HashMap;
use std::path::Path;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Setting {
    /// Where bars come from.
    Sources,
    /// The cache folder.
    CacheDir,
    /// The folder of bars.
    BarsDir,
    /// The folder of features.
    FeaturesDir,
    /// How long entries are fresh.
    TimeToLive,
    /// Other times for some symbols.
    Rules,
    /// Most bytes on disk.
    DiskBudget,
    /// Bytes that stay free.
    FreeReserve,
    /// Most bytes in memory.
    MemoryBudget,
    /// Threads that work.
    Threads,
    /// How often whole histories are compared.
    HistoryCheck,
    /// Feature sets that are kept warm.
    Sets,
    /// Older versions of feature sets.
    KeptVersions,
    /// Whether lookups are logged.
    LogLookups,
    /// Light or dark.
    Theme,
    /// The language of the window.
    Language,
    /// Colours of gains and losses.
    PriceColors,
    /// How large everything is.
    Zoom,
    /// Whether anything flashes.
    ReducedMotion,
}

/// What a setting is called.
#[must_use]
pub fn setting_text(setting: Setting) -> &'static str {
    match setting {
        Setting::Sources => tr!("Sources"),
        Setting::CacheDir => tr!("Cache folder"),
        Setting::BarsDir => tr!("Bars folder"),
        Setting::FeaturesDir => tr!("Features folder"),
        Setting::TimeToLive => tr!("Time to live"),
        Setting::Rules => tr!("Rules by symbol"),
        Setting::DiskBudget => tr!("Disk budget"),
        Setting::FreeReserve => tr!("Kept free on the disk"),
        Setting::MemoryBudget => tr!("Memory budget"),
        Setting::Threads => tr!("Working threads"),
        Setting::HistoryCheck => tr!("Days between history checks"),
        Setting::Sets => tr!("Feature sets kept warm"),
        Setting::KeptVersions => tr!("Older versions of sets"),
        Setting::LogLookups => tr!("Log single lookups"),
        Setting::Theme => tr!("Theme"),
        Setting::Language => tr!("Language"),
        Setting::PriceColors => tr!("Gains and losses"),
        Setting::Zoom => tr!("Zoom"),
        Setting::ReducedMotion => tr!("Reduced motion"),
    }
}

/// Other words under which a setting is looked for.
fn keywords(setting: Setting) -> &'static str {
    match setting {
        Setting::Sources => tr!("database server connection host password"),
        Setting::CacheDir | Setting::BarsDir | Setting::FeaturesDir => tr!("path directory disk"),
        Setting::TimeToLive | Setting::Rules => tr!("ttl fresh stale expire exchange market close"),
        Setting::DiskBudget | Setting::FreeReserve => tr!("size limit space evict"),
        Setting::MemoryBudget => tr!("ram size limit"),
        Setting::Threads => tr!("jobs cores parallel speed"),
        Setting::HistoryCheck => tr!("source compare changes split days"),
        Setting::Sets | Setting::KeptVersions => tr!("features indicators definition"),
        Setting::LogLookups => tr!("hits history privacy"),
        Setting::Theme => tr!("appearance dark light colours"),
        Setting::Language => tr!("appearance translation words English 中文 Русский 한국어"),
        Setting::PriceColors => tr!("appearance up down green red blue orange colour-blind"),
        Setting::Zoom => tr!("appearance zoom scale font text larger smaller"),
        Setting::ReducedMotion => tr!("appearance animation flash accessibility"),
    }
}

/// How far below the top of a control its text begins.
const LABEL_DROP: f32 = 3.0;

/// Texts as typed; taken over once they are valid and the field is left.
#[derive(Debug, Clone, Default)]
pub struct SettingsDraft {
    typed: HashMap<Setting, String>,
    search: String,
    /// The setting the palette led to.
    marked: Option<Setting>,
    scroll: bool,
    /// The source that gets another name, and that name as typed.
    pub(super) renaming: Option<(String, String)>,
}

impl SettingsDraft {
    /// Leads the eye to a setting.
    pub(super) fn look_for(&mut self, setting: Setting) {
        self.search.clear();
        (self.marked, self.scroll) = (Some(setting), true);
    }
}

/// The view as it is drawn: what is narrowed to, what was typed, where changes go.
struct Page<'frame> {
    state: &'frame AppState,
    draft: &'frame mut SettingsDraft,
    out: &'frame mut Outbox,
    words: Vec<String>,
    found: usize,
}

impl Page<'_> {
    fn shows(&self, setting: Setting) -> bool {
        let text = format!("{} {}", setting_text(setting), keywords(setting)).to_lowercase();
        self.words.iter().all(|word| text.contains(word.as_str()))
    }

    fn shows_any(&self, settings: &[Setting]) -> bool {
        settings.iter().any(|setting| self.shows(*setting))
    }

    fn save(&self, change: impl FnOnce(&mut Settings)) -> Action {
        let mut changed = self.state.settings.clone();
        change(&mut changed);
        Action::Settings(SettingsAction::Save(Box::new(changed)))
    }

    /// One setting: its name, its control, and what brings its usual value back, unless it has it.
    fn row(&mut self, ui: &mut Ui, setting: Setting, back: Option<Action>, control: impl FnOnce(&mut Self, &mut Ui, &Response)) {
        if !self.shows(setting) {
            return;
        }
        self.found += 1;
        let theme = Theme::of(ui);
        let marked = self.draft.marked == Some(setting);
        let fill = if marked { theme.accent_weak } else { egui::Color32::TRANSPARENT };
        let frame = Frame::NONE.fill(fill).corner_radius(size::RADIUS).inner_margin(Margin::symmetric(8, 4));
        // The mark reaches beyond the text, which stands in line with the headings.
        let row = frame.outer_margin(Margin::symmetric(-8, 0)).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.set_min_width(ui.available_width());
                let label = ui.allocate_ui(vec2(180.0, size::CONTROL), |ui| {
                    ui.set_min_size(vec2(180.0, size::CONTROL));
                    let label = ui.vertical(|ui| {
                        // On one line with what is typed beside it.
                        ui.add_space(LABEL_DROP);
                        ui.add(Label::new(RichText::new(setting_text(setting)).color(theme.text_weak)).wrap())
                    });
                    label.inner
                });
                let label = label.inner;
                ui.add_space(space::M);
                ui.vertical(|ui| {
                    ui.set_width((ui.available_width() - size::CONTROL - space::L).max(120.0));
                    control(self, ui, &label);
                });
                if let Some(back) = back {
                    let name = tr!("Back to the default: {setting}", setting = setting_text(setting));
                    if icons::icon_button_ui(ui, icons::RESET, &name).clicked() {
                        self.draft.typed.remove(&setting);
                        self.out.act(back);
                    }
                }
            });
        });
        if marked && std::mem::take(&mut self.draft.scroll) {
            row.response.scroll_to_me(Some(egui::Align::Center));
        }
    }

    /// A text that is taken over when its field is left, if it is valid; else it says why not.
    fn field<T>(
        &mut self,
        ui: &mut Ui,
        setting: Setting,
        label: &Response,
        (current, hint, usual): (&str, &str, &str),
        parse: impl Fn(&str) -> Result<T, String>,
        accept: impl FnOnce(&mut Settings, T),
    ) {
        let theme = Theme::of(ui);
        let mut text = self.draft.typed.get(&setting).cloned().unwrap_or_else(|| current.to_owned());
        let field = ui.add(TextEdit::singleline(&mut text).hint_text(hint).desired_width(180.0)).labelled_by(label.id);
        if field.changed() {
            self.draft.typed.insert(setting, text);
        }
        let Some(typed) = self.draft.typed.get(&setting).cloned() else {
            hint_ui(ui, hint, usual);
            return;
        };
        match parse(&typed) {
            Ok(value) => {
                hint_ui(ui, hint, usual);
                if field.lost_focus() {
                    self.draft.typed.remove(&setting);
                    let action = self.save(|settings| accept(settings, value));
                    self.out.act(action);
                }
            }
            Err(problem) => {
                ui.label(RichText::new(problem).small().color(theme.error));
            }
        }
    }

    /// What brings a value back, unless it is the usual one.
    fn back(&self, is_usual: bool, change: impl FnOnce(&mut Settings)) -> Option<Action> {
        if is_usual { None } else { Some(self.save(change)) }
    }
}

/// What a field takes, and what it usually holds.
fn hint_ui(ui: &mut Ui, hint: &str, usual: &str) {
    let theme = Theme::of(ui);
    let usual = if usual.is_empty() { String::new() } else { tr!("default {value}", value = usual) };
    let text = [hint, usual.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    if !text.is_empty() {
        ui.label(RichText::new(text).small().color(theme.text_weak));
    }
}

/// What a choice usually is, where another was made.
fn usual_ui(ui: &mut Ui, is_usual: bool, usual: &str) {
    if !is_usual {
        hint_ui(ui, "", usual);
    }
}

/// The whole view.
pub fn settings_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(32, 24)).show(ui, |ui| {
                ui.set_max_width(860.0);
                search_ui(ui, state, &mut views.settings);
                let words = views.settings.search.to_lowercase().split_whitespace().map(str::to_owned).collect();
                let mut page = Page { state, draft: &mut views.settings, out, words, found: 0 };
                page_ui(ui, &mut page);
            });
        });
    });
}

fn search_ui(ui: &mut Ui, state: &AppState, draft: &mut SettingsDraft) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new(tr!("Settings")).heading());
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let field = ui.add(TextEdit::singleline(&mut draft.search).hint_text(tr!("Search settings")).desired_width(240.0));
            if field.changed() {
                draft.marked = None;
            }
            let wanted = state.dialog.is_none() && ui.input_mut(|input| input.consume_key(egui::Modifiers::COMMAND, egui::Key::F));
            if wanted {
                field.request_focus();
            }
        });
    });
    let file = state.snapshot.settings_file.display().to_string();
    if !file.is_empty() {
        ui.add(Label::new(RichText::new(tr!("Kept in {file}", file = file)).small().color(theme.text_weak)).selectable(true).truncate());
    }
}

/// Draws the rows below a heading.
type Section = fn(&mut Ui, &mut Page<'_>);

fn page_ui(ui: &mut Ui, page: &mut Page<'_>) {
    let sections: [(&str, &[Setting], Section); 4] = [
        (tr!("Sources"), &[Setting::Sources], source_section_ui),
        (
            tr!("Cache"),
            &[
                Setting::CacheDir,
                Setting::BarsDir,
                Setting::FeaturesDir,
                Setting::DiskBudget,
                Setting::FreeReserve,
                Setting::MemoryBudget,
                Setting::LogLookups,
            ],
            cache_section_ui,
        ),
        (
            tr!("Freshness and work"),
            &[Setting::TimeToLive, Setting::Rules, Setting::HistoryCheck, Setting::Sets, Setting::KeptVersions, Setting::Threads],
            work_section_ui,
        ),
        (
            tr!("Appearance"),
            &[Setting::Theme, Setting::Language, Setting::PriceColors, Setting::Zoom, Setting::ReducedMotion],
            appearance_section_ui,
        ),
    ];
    for (heading, settings, section) in sections {
        if page.shows_any(settings) {
            ui.add_space(space::XL);
            heading_ui(ui, heading);
            section(ui, page);
        }
    }
    if page.found == 0 {
        ui.add_space(space::XL);
        ui.label(RichText::new(tr!("No setting of this name")).color(Theme::of(ui).text_weak));
    }
}

fn source_section_ui(ui: &mut Ui, page: &mut Page<'_>) {
    page.found += 1;
    sources_ui(ui, page.state, page.draft, page.out);
}

/// Reads `20 GB`, `512MB` or a number of bytes.
fn parse_bytes(text: &str) -> Result<u64, String> {
    super::format::read_bytes(text).ok_or_else(|| tr!("Write a number with KB, MB, GB or TB").to_owned())
}

/// A number of bytes to be edited.
fn bytes_text(bytes: u64) -> String {
    if bytes == 0 { "0".to_owned() } else { super::format::bytes(bytes) }
}

fn cache_section_ui(ui: &mut Ui, page: &mut Page<'_>) {
    let settings = &page.state.settings;
    let usual = Settings::default();
    let [cache, bars, features] = &page.state.snapshot.folders;
    for (setting, chosen, path, purpose) in [
        (Setting::CacheDir, settings.cache_dir.is_some(), cache, PathPurpose::CacheDir),
        (Setting::BarsDir, settings.bars_cache_dir.is_some(), bars, PathPurpose::BarsDir),
        (Setting::FeaturesDir, settings.features_cache_dir.is_some(), features, PathPurpose::FeaturesDir),
    ] {
        folder_row_ui(ui, page, setting, chosen, path, purpose);
    }
    for (setting, now, usually, hint, change) in [
        (
            Setting::DiskBudget,
            settings.disk_budget_bytes,
            usual.disk_budget_bytes,
            tr!("Such as 20 GB; 0 is no limit"),
            (|settings, bytes| settings.disk_budget_bytes = bytes) as fn(&mut Settings, u64),
        ),
        (
            Setting::FreeReserve,
            settings.free_reserve_bytes,
            usual.free_reserve_bytes,
            tr!("Such as 1 GB, and at least 2 % of the disk; 0 keeps nothing free"),
            |settings, bytes| settings.free_reserve_bytes = bytes,
        ),
        (Setting::MemoryBudget, settings.memory_budget_bytes, usual.memory_budget_bytes, tr!("Such as 256 MB"), |settings, bytes| {
            settings.memory_budget_bytes = bytes;
        }),
    ] {
        let back = page.back(now == usually, |settings| change(settings, usually));
        let text = bytes_text(usually);
        page.row(ui, setting, back, |page, ui, label| {
            page.field(ui, setting, label, (&bytes_text(now), hint, &text), parse_bytes, change);
        });
    }
    let back = page.back(settings.log_lookups == usual.log_lookups, |settings| settings.log_lookups = usual.log_lookups);
    page.row(ui, Setting::LogLookups, back, |page, ui, _label| {
        let mut log = page.state.settings.log_lookups;
        if ui.checkbox(&mut log, tr!("Keep the newest lookups with their reasons, for the inspector")).changed() {
            let action = page.save(|settings| settings.log_lookups = log);
            page.out.act(action);
        }
        hint_ui(ui, "", tr!("on"));
    });
}

fn folder_row_ui(ui: &mut Ui, page: &mut Page<'_>, setting: Setting, chosen: bool, path: &Path, purpose: PathPurpose) {
    let usually = match purpose {
        PathPurpose::BarsDir => SettingsAction::BarsDir(None),
        PathPurpose::FeaturesDir => SettingsAction::FeaturesDir(None),
        _ => SettingsAction::CacheDir(None),
    };
    let back = chosen.then_some(Action::Settings(usually));
    let usual = if setting == Setting::CacheDir { tr!("the folder this desktop has for caches") } else { tr!("in the cache folder") };
    page.row(ui, setting, back, |page, ui, _label| {
        let theme = Theme::of(ui);
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if icons::icon_button_ui(ui, icons::FOLDER, &tr!("Choose: {setting}", setting = setting_text(setting))).clicked() {
                    page.out.pick.push(purpose);
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let color = if chosen { theme.text } else { theme.text_weak };
                    ui.add(Label::new(RichText::new(path.display().to_string()).color(color)).selectable(true).truncate());
                });
            });
        });
        if chosen {
            hint_ui(ui, "", usual);
        }
    });
}

fn work_section_ui(ui: &mut Ui, page: &mut Page<'_>) {
    let settings = &page.state.settings;
    let usual = Settings::default();
    let back = page.back(settings.ttl == usual.ttl, |settings| settings.ttl.clone_from(&usual.ttl));
    page.row(ui, Setting::TimeToLive, back, |page, ui, label| {
        let ttl = page.state.settings.ttl.clone();
        let parse = |text: &str| TimeToLive::parse(text).map_err(|error| error.to_string());
        let hint = tr!("Such as 30m, 24h, 7d or market-close");
        page.field(ui, Setting::TimeToLive, label, (&ttl, hint, &usual.ttl), parse, |settings, ttl| settings.ttl = ttl.to_string());
        let mut by_close = TimeToLive::parse(&ttl) == Ok(TimeToLive::MarketClose);
        if ui.checkbox(&mut by_close, tr!("Until the next market close")).changed() {
            page.draft.typed.remove(&Setting::TimeToLive);
            let ttl = if by_close { TimeToLive::MarketClose } else { TimeToLive::default() };
            let action = page.save(|settings| settings.ttl = ttl.to_string());
            page.out.act(action);
        }
    });
    page.row(ui, Setting::Rules, None, |page, ui, _label| rules_ui(ui, &page.state.snapshot));
    let days = usual.history_check_days;
    let back = page.back(settings.history_check_days == days, |settings| settings.history_check_days = days);
    page.row(ui, Setting::HistoryCheck, back, |page, ui, label| {
        let parse = |text: &str| match text.trim().parse::<u32>() {
            Ok(days) if days <= 3_650 => Ok(days),
            _ => Err(tr!("Write a number of days, at most 3650").to_owned()),
        };
        let now = page.state.settings.history_check_days.to_string();
        let words = (now.as_str(), tr!("0 compares whole histories at every check"), &*days.to_string());
        page.field(ui, Setting::HistoryCheck, label, words, parse, |settings, days| settings.history_check_days = days);
    });
    let back = page.back(settings.sets == usual.sets, |settings| settings.sets.clone_from(&usual.sets));
    page.row(ui, Setting::Sets, back, |page, ui, _label| {
        sets_ui(ui, page);
        hint_ui(ui, tr!("A preheat computes these"), &usual.sets.join(", "));
    });
    let back = page.back(settings.kept_versions == usual.kept_versions, |settings| settings.kept_versions = usual.kept_versions);
    let number = |most: usize| {
        move |text: &str| match text.trim().parse::<usize>() {
            Ok(value) if value <= most => Ok(value),
            _ => Err(tr!("Write a number from 0 to {most}", most = most)),
        }
    };
    page.row(ui, Setting::KeptVersions, back, |page, ui, label| {
        let (now, hint) = (page.state.settings.kept_versions.to_string(), tr!("Stay readable after a definition changed; 0 keeps none"));
        page.field(ui, Setting::KeptVersions, label, (&now, hint, &usual.kept_versions.to_string()), number(100), |settings, kept| {
            settings.kept_versions = kept;
        });
    });
    let back = page.back(settings.jobs == usual.jobs, |settings| settings.jobs = usual.jobs);
    page.row(ui, Setting::Threads, back, |page, ui, label| {
        let (now, hint) = (page.state.settings.jobs.to_string(), tr!("0 uses all cores"));
        page.field(ui, Setting::Threads, label, (&now, hint, "0"), number(256), |settings, jobs| settings.jobs = jobs);
    });
}

/// Which sets a preheat computes.
fn sets_ui(ui: &mut Ui, page: &mut Page<'_>) {
    ui.horizontal_wrapped(|ui| {
        for name in page.state.sets.names() {
            let mut kept = page.state.settings.sets.iter().any(|kept| kept == name);
            if ui.checkbox(&mut kept, name).changed() {
                let action = page.save(|settings| {
                    settings.sets.retain(|known| known != name);
                    if kept {
                        settings.sets.push(name.to_owned());
                    }
                });
                page.out.act(action);
            }
        }
    });
}

/// The rules for times to live: read here, written in the settings file.
fn rules_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let theme = Theme::of(ui);
    // On one line with the label beside it; small letters stand lower still.
    ui.add_space(if snapshot.judge.rules.rules().is_empty() { LABEL_DROP + 2.0 } else { LABEL_DROP });
    for rule in snapshot.judge.rules.rules() {
        ui.label(RichText::new(rule.to_string()).color(theme.text));
    }
    let file = snapshot.settings_file.display();
    let text = if snapshot.judge.rules.rules().is_empty() {
        tr!("None; add them as [[ttl_rules]] in {file}", file = file)
    } else {
        tr!("The first that fits is followed; change them in {file}", file = file)
    };
    ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).selectable(true).wrap());
    for exchange in &snapshot.calendars_over {
        let end = exchange.coverage_end().map(|day| day.to_string()).unwrap_or_default();
        let text = tr!("The holidays of {exchange} are known until {end} only; a newer Samovar knows more", exchange = exchange, end = end);
        ui.label(RichText::new(text).small().color(theme.error));
    }
}

fn appearance_section_ui(ui: &mut Ui, page: &mut Page<'_>) {
    let appearance = page.state.settings.appearance.clone();
    let back = page.back(appearance.theme == ThemeChoice::System, |settings| settings.appearance.theme = ThemeChoice::System);
    page.row(ui, Setting::Theme, back, |page, ui, _label| {
        ui.horizontal(|ui| {
            let choices =
                [(ThemeChoice::System, tr!("As the desktop")), (ThemeChoice::Light, tr!("Light")), (ThemeChoice::Dark, tr!("Dark"))];
            for (theme, text) in choices {
                if ui.selectable_label(appearance.theme == theme, text).clicked() {
                    let action = page.save(|settings| settings.appearance.theme = theme);
                    page.out.act(action);
                }
            }
        });
        usual_ui(ui, appearance.theme == ThemeChoice::System, tr!("As the desktop"));
    });
    let back = page.back(appearance.language.is_none(), |settings| settings.appearance.language = None);
    page.row(ui, Setting::Language, back, |page, ui, _label| {
        let choices = std::iter::once((None, tr!("Language of the desktop"))).chain(languages(ui));
        ui.horizontal_wrapped(|ui| {
            for (language, text) in choices {
                if ui.selectable_label(appearance.language == language, text).clicked() {
                    let action = page.save(|settings| settings.appearance.language = language);
                    page.out.act(action);
                }
            }
        });
        usual_ui(ui, appearance.language.is_none(), tr!("Language of the desktop"));
    });
    let is_usual = appearance.price_colors == PriceColorChoice::GreenUp;
    let back = page.back(is_usual, |settings| settings.appearance.price_colors = PriceColorChoice::GreenUp);
    page.row(ui, Setting::PriceColors, back, |page, ui, _label| {
        ui.horizontal_wrapped(|ui| {
            for (choice, colors) in [
                (PriceColorChoice::GreenUp, PriceColors::GreenUp),
                (PriceColorChoice::RedUp, PriceColors::RedUp),
                (PriceColorChoice::BlueOrange, PriceColors::BlueOrange),
            ] {
                if ui.selectable_label(appearance.price_colors == choice, colors.label()).clicked() {
                    let action = page.save(|settings| settings.appearance.price_colors = choice);
                    page.out.act(action);
                }
            }
        });
        usual_ui(ui, is_usual, PriceColors::GreenUp.label());
    });
    let back = page.back(appearance.zoom_percent == 100, |settings| settings.appearance.zoom_percent = 100);
    page.row(ui, Setting::Zoom, back, |page, ui, label| zoom_ui(ui, page, label));
    let back = page.back(!appearance.reduced_motion, |settings| settings.appearance.reduced_motion = false);
    page.row(ui, Setting::ReducedMotion, back, |page, ui, _label| {
        let mut reduced = appearance.reduced_motion;
        if ui.checkbox(&mut reduced, tr!("Nothing flashes when it changes")).changed() {
            let action = page.save(|settings| settings.appearance.reduced_motion = reduced);
            page.out.act(action);
        }
        usual_ui(ui, !appearance.reduced_motion, tr!("off"));
    });
}

/// Percent to type, and one step down or up.
fn zoom_ui(ui: &mut Ui, page: &mut Page<'_>, label: &Response) {
    use super::commands::command_icon_ui;
    use crate::app::Command;
    let now = format!("{} %", page.state.settings.appearance.zoom_percent);
    let parse = |text: &str| match text.trim().trim_end_matches('%').trim().parse::<u16>() {
        Ok(percent) if ZOOM_PERCENTS.contains(&percent) => Ok(percent),
        _ => Err(tr!("Write a number from 50 to 200").to_owned()),
    };
    let hint = tr!("50 to 200 %; Ctrl with + − 0 does the same");
    ui.horizontal_top(|ui| {
        command_icon_ui(ui, page.state, Command::ZoomOut, page.out);
        command_icon_ui(ui, page.state, Command::ZoomIn, page.out);
        ui.vertical(|ui| {
            page.field(ui, Setting::Zoom, label, (&now, hint, "100 %"), parse, |settings, percent| {
                settings.appearance.zoom_percent = percent;
            });
        });
    });
}

/// Each language by its own name, or in the language that is spoken where no font has the letters of its own.
fn languages(ui: &Ui) -> [(Option<Language>, &'static str); 4] {
    let font = egui::TextStyle::Button.resolve(ui.style());
    let named = [
        (Language::English, tr!("English")),
        (Language::Chinese, tr!("Chinese")),
        (Language::Russian, tr!("Russian")),
        (Language::Korean, tr!("Korean")),
    ];
    named.map(|(language, name)| {
        let own = language.own_name();
        let readable = ui.ctx().fonts_mut(|fonts| fonts.has_glyphs(&font, own));
        (Some(language), if readable { own } else { name })
    })
}

/// What can be done with the settings, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    vec![
        Gesture::new("Ctrl+F", tr!("Search the settings")),
        Gesture::new(tr!("Enter, or leaving a field"), tr!("Take over what was typed")),
        Gesture::new(tr!("Double-click on a source's name"), tr!("Give it another name")),
    ]
}
