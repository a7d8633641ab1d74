//! Room: bytes against what is allowed, and what each set, year and symbol takes.

use super::{group_ui, note_ui};
use crate::app::{Action, AppState, Command};
use crate::cache::BudgetLevel;
use crate::ui::commands::command_button_ui;
use crate::ui::format;
use crate::ui::icons;
use crate::ui::theme::{Theme, space};
use crate::ui::widgets::{legend_ui, meter_ui, stacked_meter_ui};
use crate::ui::window::Outbox;
use crate::worker::SymbolRow;
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Color32, Label, Layout, RichText, Ui, vec2};

/// From which share of a limit on it is warned of.
const WARNING_SHARE: f64 = 0.8;

/// A word on the left, a value on the right.
fn line_ui(ui: &mut Ui, color: Option<Color32>, word: &str, value: &str) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        match color {
            Some(color) => {
                legend_ui(ui, color, "");
                ui.label(RichText::new(word).color(theme.text_weak));
            }
            None => {
                ui.label(RichText::new(word).color(theme.text_weak));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(value).color(theme.text)));
    });
}

/// Bytes of files against the budget and the disk, bytes in memory against theirs.
pub fn size_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let usage = &state.snapshot.usage;
    group_ui(ui, tr!("Size"));
    let budget = state.overview.survey.as_ref().map(|survey| &survey.budget);
    let total = usage.bars_bytes + usage.features_bytes;
    let allowed = budget.and_then(|budget| budget.budget_bytes).or_else(|| Some(state.settings.disk_budget_bytes).filter(|most| *most > 0));
    let used = budget.map_or(total + usage.trash_bytes, |budget| budget.used_bytes);
    let room = allowed.unwrap_or(used + usage.free_disk_bytes.unwrap_or(0)).max(1);
    let share = |bytes: u64| (bytes as f64 / room as f64) as f32;
    let parts =
        [(share(usage.bars_bytes), theme.accent), (share(usage.features_bytes), theme.outdated), (share(usage.trash_bytes), theme.missing)];
    stacked_meter_ui(ui, ui.available_width(), 12.0, &parts);
    ui.add_space(space::S);
    line_ui(ui, Some(theme.accent), tr!("Bars"), &format::bytes(usage.bars_bytes));
    line_ui(ui, Some(theme.outdated), tr!("Features"), &format::bytes(usage.features_bytes));
    if usage.trash_bytes > 0 {
        line_ui(ui, Some(theme.missing), tr!("In the trash, restorable for 24 hours"), &format::bytes(usage.trash_bytes));
    }
    let against = match allowed {
        Some(allowed) => {
            let of = tr!("{used} of {allowed}", used = format::bytes(used), allowed = format::bytes(allowed));
            format!("{of} · {}", format::percent(used as f64 / allowed as f64))
        }
        None => tr!("{used} · no budget set", used = format::bytes(used)),
    };
    line_ui(ui, None, tr!("Total"), &against);
    if let Some(free) = usage.free_disk_bytes {
        let kept = budget.map(|budget| budget.reserve_bytes).filter(|kept| *kept > 0);
        let kept = kept.map_or_else(String::new, |kept| tr!(" · {bytes} are kept free", bytes = format::bytes(kept)));
        line_ui(ui, None, tr!("Free on the disk"), &format!("{}{kept}", format::bytes(free)));
    }
    if let Some(budget) = budget.filter(|budget| budget.level > BudgetLevel::Ok) {
        let color = if budget.level == BudgetLevel::Full { theme.error } else { theme.warning };
        ui.horizontal_top(|ui| {
            ui.label(icons::icon(icons::WARNING).color(color));
            ui.add(Label::new(RichText::new(&budget.text).color(color)).wrap());
        });
    }
    ui.add_space(space::S);
    let memory = usage.memory_bytes as f64 / usage.memory_budget_bytes.max(1) as f64;
    let text = tr!("{used} of {allowed}", used = format::bytes(usage.memory_bytes), allowed = format::bytes(usage.memory_budget_bytes));
    let note = if memory >= WARNING_SHARE { tr!("In memory; what was used least makes room") } else { tr!("In memory") };
    line_ui(ui, None, note, &text);
    // A full memory tier is as it should be: it is there to be full.
    meter_ui(ui, ui.available_width(), memory as f32, theme.accent);
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::FreeSpace, out);
        command_button_ui(ui, state, Command::ClearExpired, out);
    });
}

/// What each set, each year and the largest symbols take.
pub fn costs_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    group_ui(ui, tr!("Space used"));
    let Some(survey) = &state.overview.survey else {
        note_ui(ui, format::NONE);
        return;
    };
    let costs = &survey.costs;
    if costs.datasets.is_empty() {
        note_ui(ui, tr!("Nothing is cached"));
        return;
    }
    let part_ui = |ui: &mut Ui, word: &str| {
        ui.add_space(space::S);
        ui.label(RichText::new(word).small().color(theme.text_weak));
    };
    ui.label(RichText::new(tr!("By set")).small().color(theme.text_weak));
    let most = costs.datasets.values().map(|cost| cost.size_bytes).max().unwrap_or(1);
    for (name, cost) in &costs.datasets {
        let back = format::duration(cost.cost_us as f64 / 1e6);
        let entries = tr_n!(cost.entries, "{count} entry", "{count} entries");
        let rows = tr_n!(cost.rows, "{count} row", "{count} rows");
        let hover = tr!("{entries}, {rows}; bringing them back takes about {time}", entries = entries, rows = rows, time = back);
        let has = |row: &SymbolRow| row.datasets.iter().any(|facts| facts.entry.key.dataset.name() == name && facts.entry.file.is_some());
        let title = tr!("with {dataset}", dataset = name);
        measure_ui(ui, cost.size_bytes, most, |ui| symbols_link_ui(ui, state, (name, &hover), (&title, &has), out));
    }
    part_ui(ui, tr!("By year"));
    let most = costs.years.values().copied().max().unwrap_or(1);
    for (year, bytes) in costs.years.iter().rev().take(YEARS) {
        let has = |row: &SymbolRow| row.rows > 0 && row.span_us.is_some_and(|span| years_of(span).contains(year));
        let title = tr!("with bars of {year}", year = year);
        measure_ui(ui, *bytes, most, |ui| symbols_link_ui(ui, state, (&year.to_string(), ""), (&title, &has), out));
    }
    if costs.years.len() > YEARS {
        let rest: u64 = costs.years.iter().rev().skip(YEARS).map(|(_year, bytes)| *bytes).sum();
        measure_ui(ui, rest, most, |ui| ui.label(RichText::new(tr!("before")).color(theme.text_weak)));
    }
    part_ui(ui, tr!("Largest symbols"));
    let most = costs.symbols.first().map_or(1, |cost| cost.bars_bytes + cost.features_bytes);
    for cost in &costs.symbols {
        let here = state.snapshot.source.as_ref().is_some_and(|source| source.id == cost.source);
        measure_ui(ui, cost.bars_bytes + cost.features_bytes, most, |ui| {
            let link = ui.add_enabled(here, egui::Link::new(RichText::new(cost.symbol.as_str())));
            let (bars, features) = (format::bytes(cost.bars_bytes), format::bytes(cost.features_bytes));
            let link = link.on_hover_text(tr!("Bars {bars}, features {features}", bars = bars, features = features));
            let link = link.on_disabled_hover_text(tr!("From another source: {source}", source = cost.source));
            if link.clicked() {
                out.act(Action::Find(cost.symbol.clone()));
            }
            link
        });
    }
}

/// The years of a span of time.
fn years_of((first_us, last_us): (i64, i64)) -> std::ops::RangeInclusive<i32> {
    let year = |time_us: i64| chrono::Datelike::year(&crate::market::date_of(time_us));
    year(first_us)..=year(last_us)
}

/// A name that leads to the symbols of the source in use that have something in common.
fn symbols_link_ui(
    ui: &mut Ui,
    state: &AppState,
    (name, hover): (&str, &str),
    (title, has): (&str, &dyn Fn(&SymbolRow) -> bool),
    out: &mut Outbox,
) -> egui::Response {
    let link = ui.add(egui::Link::new(name));
    let show = tr!("Show these symbols");
    let link = link.on_hover_text(if hover.is_empty() { show.to_owned() } else { format!("{hover}\n{show}") });
    if link.clicked() {
        let symbols = state.snapshot.rows.iter().filter(|row| has(row)).map(|row| row.symbol.clone()).collect();
        out.act(Action::ShowSymbols { title: title.to_owned(), symbols });
    }
    link
}

/// Years told one by one.
const YEARS: usize = 10;

/// A name, a bar and bytes.
fn measure_ui<Inner>(ui: &mut Ui, bytes: u64, most: u64, name: impl FnOnce(&mut Ui) -> Inner) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.allocate_ui_with_layout(vec2(110.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(110.0);
            ui.set_max_width(110.0);
            ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
            name(ui)
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.allocate_ui_with_layout(vec2(64.0, 20.0), Layout::right_to_left(Align::Center), |ui| {
                ui.set_min_width(64.0);
                ui.label(RichText::new(format::bytes(bytes)).color(theme.text));
            });
            // Quiet: long or short is not good or bad.
            meter_ui(ui, ui.available_width(), bytes as f32 / most.max(1) as f32, theme.volume);
        });
    });
}
