//! What happened: evictions and why, changes at the source, checks of the files, what waits in the trash.

use super::{group_ui, note_ui};
use crate::app::{Action, AppState, Command};
use crate::cache::{EVICTION_RULE, EntryState, ScrubPass};
use crate::ui::commands::command_button_ui;
use crate::ui::format;
use crate::ui::icons;
use crate::ui::inspector::change_ui;
use crate::ui::symbols::{local_time, now_us};
use crate::ui::theme::{StateMark, Theme, mark_ui, space};
use crate::ui::window::{Outbox, ViewState};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Label, Layout, RichText, Ui};

/// Evictions shown before all are asked for.
const SHOWN: usize = 6;

/// What had to go and why; the rule in words.
pub fn evictions_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    group_ui(ui, tr!("Recently evicted"));
    let Some(survey) = &state.overview.survey else {
        note_ui(ui, format::NONE);
        return;
    };
    let now_us = now_us(state);
    if survey.evictions.is_empty() {
        note_ui(ui, tr!("Nothing was evicted"));
    }
    let shown = if views.all_evictions { survey.evictions.len() } else { SHOWN };
    for eviction in survey.evictions.iter().take(shown) {
        let here = state.snapshot.source.as_ref().is_some_and(|source| source.id == eviction.key.source);
        ui.horizontal(|ui| {
            let name = format!("{} {}", eviction.key.symbol, eviction.key.dataset.name());
            let link = ui.add_enabled(here, egui::Link::new(name));
            if link.on_hover_text(tr!("Show the symbol with the inspector")).clicked() {
                out.act(Action::Inspect(eviction.key.symbol.clone()));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let when = RichText::new(format::relative(eviction.at_us, now_us)).color(theme.text_weak);
                ui.label(when).on_hover_text(local_time(eviction.at_us));
                ui.label(RichText::new(format::bytes(eviction.size_bytes)).color(theme.text));
            });
        });
        ui.add(Label::new(RichText::new(crate::app::said(&eviction.reason)).small().color(theme.text_weak)).wrap());
        ui.add_space(space::XS);
    }
    if survey.evictions.len() > SHOWN {
        let text = if views.all_evictions {
            tr!("Show fewer evictions").to_owned()
        } else {
            tr!("Show all {count} evictions", count = format::count(survey.evictions.len() as u64))
        };
        if ui.add(egui::Link::new(text)).clicked() {
            views.all_evictions = !views.all_evictions;
        }
    }
    let text = if views.eviction_rule { tr!("Hide the rule") } else { tr!("What would be evicted first?") };
    if ui.add(egui::Link::new(text)).on_hover_text(crate::app::said(EVICTION_RULE)).clicked() {
        views.eviction_rule = !views.eviction_rule;
    }
    if views.eviction_rule {
        note_ui(ui, &crate::app::said(EVICTION_RULE));
    }
}

/// The newest changes at the source; a click shows the symbol with the inspector.
pub fn changes_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    group_ui(ui, tr!("Changes at the source"));
    let Some(survey) = &state.overview.survey else {
        note_ui(ui, format::NONE);
        return;
    };
    let now_us = now_us(state);
    if survey.changes.is_empty() {
        note_ui(ui, tr!("None noticed. Every preheat compares what is not fresh; a check compares everything"));
    }
    for change in &survey.changes {
        if change_ui(ui, change, Some(change.symbol.as_str()), now_us) {
            if let Some(first_us) = change.first_us {
                views.chart.go_to(&change.symbol, first_us);
            }
            out.act(Action::Inspect(change.symbol.clone()));
        }
    }
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::CheckSource, out);
    });
}

/// Whether the files are as they were written: checks, damage, quarantine.
pub fn integrity_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    group_ui(ui, tr!("Integrity"));
    let line = |ui: &mut Ui, word: &str, value: &str| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(word).color(theme.text_weak));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(value).color(theme.text)));
        });
    };
    let damaged: u64 =
        state.snapshot.rows.iter().flat_map(|row| &row.datasets).filter(|facts| facts.state == EntryState::Damaged).count() as u64;
    ui.horizontal(|ui| {
        if damaged > 0 {
            mark_ui(ui, StateMark::Damaged);
            let text = tr_n!(
                damaged,
                "{count} file is damaged; repairing fetches it again",
                "{count} files are damaged; repairing fetches them again"
            );
            if ui.add(egui::Link::new(RichText::new(text).color(theme.error))).on_hover_text(tr!("Show these symbols")).clicked() {
                let is_damaged = |row: &&crate::worker::SymbolRow| row.datasets.iter().any(|facts| facts.state == EntryState::Damaged);
                let symbols = state.snapshot.rows.iter().filter(is_damaged).map(|row| row.symbol.clone()).collect();
                out.act(Action::ShowSymbols { title: tr!("damaged").to_owned(), symbols });
            }
        } else {
            ui.label(icons::icon(icons::CHECK).color(theme.success));
            ui.label(RichText::new(tr!("Every file that was read is as it was written")).color(theme.text));
        }
    });
    if let Some(verified) = &state.verified {
        let mut text = format!(
            "{} · {}, {}",
            format::relative(verified.at_us, now_us(state)),
            tr_n!(verified.checked as u64, "{count} file", "{count} files"),
            damaged_words(verified.damaged as u64)
        );
        if verified.missing > 0 {
            text += &tr!(", {count} missing", count = format::count(verified.missing as u64));
        }
        line(ui, tr!("Verified"), &text);
    }
    if let Some(survey) = &state.overview.survey {
        let (files, bytes) = survey.quarantine;
        let text = if files == 0 {
            tr!("nothing").to_owned()
        } else {
            format!("{} · {}", tr_n!(files, "{count} file", "{count} files"), format::bytes(bytes))
        };
        line(ui, tr!("In quarantine"), &text);
        let (last, open) = &survey.scrubs;
        let found = |pass: &ScrubPass| {
            format!("{}, {}", tr_n!(pass.counts.files, "{count} file", "{count} files"), damaged_words(pass.counts.damaged))
        };
        let text = last.as_ref().and_then(|pass| Some((pass, pass.finished_us?)));
        let text = text.map_or_else(
            || tr!("not yet").to_owned(),
            |(pass, at_us)| format!("{} · {}", format::relative(at_us.min(now_us(state)), now_us(state)), found(pass)),
        );
        line(ui, tr!("Last check in the background"), &text);
        if let Some(pass) = open {
            line(ui, tr!("Under way"), &found(pass));
        }
    }
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        command_button_ui(ui, state, Command::Verify, out);
        command_button_ui(ui, state, Command::Repair, out);
    });
}

/// How many of some files are damaged, in words.
fn damaged_words(damaged: u64) -> String {
    if damaged == 0 { tr!("none damaged").to_owned() } else { tr_n!(damaged, "{count} damaged", "{count} damaged") }
}

/// Batches shown before all are asked for.
const BATCHES: usize = 5;

/// What was cleared and can be restored, batch by batch; nothing where there is none.
pub fn trash_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let trash = &state.snapshot.trash;
    if trash.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    group_ui(ui, tr!("Deleted"));
    note_ui(ui, tr!("Kept for 24 hours; until then it can be restored as it was"));
    let shown = if views.all_batches { trash.len() } else { BATCHES };
    for batch in trash.iter().take(shown) {
        ui.horizontal(|ui| {
            ui.set_min_height(crate::ui::theme::size::ROW);
            let entries = tr_n!(batch.entries, "{count} entry", "{count} entries");
            ui.label(RichText::new(format!("{entries} · {}", format::bytes(batch.size_bytes))).color(theme.text));
            let when = format::relative(batch.trashed_at_us, now_us(state));
            ui.label(RichText::new(when).small().color(theme.text_weak)).on_hover_text(local_time(batch.trashed_at_us));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button(tr!("Restore")).on_hover_text(tr!("Bring these files back as they were")).clicked() {
                    out.act(Action::Restore(batch.batch));
                }
            });
        });
    }
    if trash.len() > BATCHES {
        let text = if views.all_batches {
            tr!("Show fewer").to_owned()
        } else {
            tr!("Show all {count}", count = format::count(trash.len() as u64))
        };
        if ui.add(egui::Link::new(text)).clicked() {
            views.all_batches = !views.all_batches;
        }
    }
}
