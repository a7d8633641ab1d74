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
    group_ui(ui, "Size");
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
    line_ui(ui, Some(theme.accent), "Bars", &format::bytes(usage.bars_bytes));
    line_ui(ui, Some(theme.outdated), "Features", &format::bytes(usage.features_bytes));
    if usage.trash_bytes > 0 {
        line_ui(ui, Some(theme.missing), "In the trash, restorable for 24 hours", &format::bytes(usage.trash_bytes));
    }
    let against = match allowed {
        Some(allowed) => {
            format!("{} of {} · {}", format::bytes(used), format::bytes(allowed), format::percent(used as f64 / allowed as f64))
        }
        None => format!("{} · no budget set", format::bytes(used)),
    };
    line_ui(ui, None, "Together", &against);
    if let Some(free) = usage.free_disk_bytes {
        let kept = budget.map(|budget| budget.reserve_bytes).filter(|kept| *kept > 0);
        let kept = kept.map_or_else(String::new, |kept| format!(" · {} are kept free", format::bytes(kept)));
        line_ui(ui, None, "Free on the disk", &format!("{}{kept}", format::bytes(free)));
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
    // A full memory tier is as it should be: it is there to be full.
    meter_ui(ui, ui.available_width(), memory as f32, theme.accent);
    let text = format!("{} of {}", format::bytes(usage.memory_bytes), format::bytes(usage.memory_budget_bytes));
    let note = if memory >= WARNING_SHARE { "In memory; what was used least makes room" } else { "In memory" };
    line_ui(ui, None, note, &text);
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::ClearExpired, out);
    });
}

/// What each set, each year and the largest symbols take.
pub fn costs_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    group_ui(ui, "What it takes");
    let Some(survey) = &state.overview.survey else {
        note_ui(ui, format::NONE);
        return;
    };
    let costs = &survey.costs;
    if costs.datasets.is_empty() {
        note_ui(ui, "Nothing is cached");
        return;
    }
    let part_ui = |ui: &mut Ui, word: &str| {
        ui.add_space(space::S);
        ui.label(RichText::new(word).small().color(theme.text_weak));
    };
    ui.label(RichText::new("By set").small().color(theme.text_weak));
    let most = costs.datasets.values().map(|cost| cost.size_bytes).max().unwrap_or(1);
    for (name, cost) in &costs.datasets {
        let back = format::duration(cost.cost_us as f64 / 1e6);
        let hover = format!(
            "{}, {}; bringing them back takes about {back}",
            format::counted(cost.entries, "entry", "entries"),
            format::counted(cost.rows, "row", "rows")
        );
        measure_ui(ui, cost.size_bytes, most, |ui| ui.label(RichText::new(name.as_str()).color(theme.text)).on_hover_text(hover));
    }
    part_ui(ui, "By year");
    let most = costs.years.values().copied().max().unwrap_or(1);
    for (year, bytes) in costs.years.iter().rev().take(YEARS) {
        measure_ui(ui, *bytes, most, |ui| ui.label(RichText::new(year.to_string()).color(theme.text)));
    }
    if costs.years.len() > YEARS {
        let rest: u64 = costs.years.iter().rev().skip(YEARS).map(|(_year, bytes)| *bytes).sum();
        measure_ui(ui, rest, most, |ui| ui.label(RichText::new("before").color(theme.text_weak)));
    }
    part_ui(ui, "Largest symbols");
    let most = costs.symbols.first().map_or(1, |cost| cost.bars_bytes + cost.features_bytes);
    for cost in &costs.symbols {
        let here = state.snapshot.source.as_ref().is_some_and(|source| source.id == cost.source);
        measure_ui(ui, cost.bars_bytes + cost.features_bytes, most, |ui| {
            let link = ui.add_enabled(here, egui::Link::new(RichText::new(cost.symbol.as_str())));
            let hover = format!("Bars {}, features {}", format::bytes(cost.bars_bytes), format::bytes(cost.features_bytes));
            let link = link.on_hover_text(hover).on_disabled_hover_text(format!("From another source: {}", cost.source));
            if link.clicked() {
                out.act(Action::Find(cost.symbol.clone()));
            }
            link
        });
    }
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
