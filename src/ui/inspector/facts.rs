//! What is so at the moment: states with their reasons, times, source, files.

use super::layout::layout_ui;
use super::parts::{below_mark_ui, code_ui, copy_ui, fact_ui, fact_with_ui, note_ui, section_ui, sentence_ui};
use crate::app::{Action, AppState};
use crate::cache::{EntryState, FileFacts, provisional_sentence, rule_words};
use crate::here::Here;
use crate::ui::format;
use crate::ui::icons;
use crate::ui::symbols::local_time;
use crate::ui::theme::{StateMark, Theme, mark_ui, space};
use crate::ui::widgets::{mark_of, meter_ui};
use crate::ui::window::Outbox;
use crate::worker::{Dossier, EntryDossier};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Label, Layout, RichText, Ui};

/// Each entry's state and what decided on it.
pub fn state_ui(ui: &mut Ui, state: &AppState, dossier: &Dossier, now_us: i64, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::S);
    if dossier.entries.is_empty() {
        ui.horizontal(|ui| {
            mark_ui(ui, StateMark::Missing);
            ui.label(RichText::new(tr!("Missing: nothing is cached")).color(theme.text));
        });
    }
    let working = state.working.contains(&dossier.symbol);
    for (place, entry) in dossier.entries.iter().enumerate() {
        if place > 0 {
            ui.add_space(space::S);
        }
        entry_ui(ui, dossier, entry, (working, now_us));
    }
    let is_whole = !dossier.entries.is_empty() && dossier.entries.iter().all(|entry| entry.state == EntryState::Fresh);
    if !is_whole && !working {
        ui.add_space(space::S);
        if ui.button(tr!("Preheat this symbol now")).clicked() {
            out.act(Action::Preheat(dossier.symbol.clone()));
        }
    }
}

fn entry_ui(ui: &mut Ui, dossier: &Dossier, dossed: &EntryDossier, (working, now_us): (bool, i64)) {
    let theme = Theme::of(ui);
    let entry = &dossed.entry;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let cools_at_us = dossed.expires_at_us.map(|at_us| at_us - at_us.saturating_sub(entry.fetched_at_us) / 10);
        mark_ui(ui, mark_of(dossed.state, cools_at_us, now_us));
        ui.label(RichText::new(entry.key.dataset.name()).color(theme.text));
        if entry.pinned {
            ui.label(icons::icon(icons::PIN).size(12.0).color(theme.pinned)).on_hover_text(tr!("Pinned: never expires, never evicted"));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let left_us = dossed.expires_at_us.filter(|at_us| dossed.state == EntryState::Fresh && *at_us > now_us);
            if working {
                ui.label(RichText::new(StateMark::Working.word()).color(theme.working));
            } else if let Some(at_us) = left_us {
                let left = format::duration((at_us - now_us) as f64 / crate::market::SECOND_US as f64);
                ui.label(RichText::new(tr!("{time} left", time = left)).color(theme.text_weak)).on_hover_text(local_time(at_us));
            }
        });
    });
    below_mark_ui(ui, |ui| {
        let color = match dossed.state {
            EntryState::Damaged | EntryState::Failed => theme.error,
            EntryState::Fresh => theme.text_weak,
            _ => theme.text,
        };
        sentence_ui(ui, &dossed.why.sentence(now_us, &Here), color);
        if let Some(sentence) = provisional_sentence(entry, dossier.rule, now_us, &Here).filter(|_| entry.key.dataset.is_bars()) {
            note_ui(ui, &sentence);
        }
    });
}

/// When it was fetched, computed, read, and when it expires.
pub fn times_ui(ui: &mut Ui, dossier: &Dossier, now_us: i64) {
    let with_file = || dossier.entries.iter().filter(|entry| entry.entry.file.is_some());
    if with_file().next().is_none() {
        return;
    }
    section_ui(ui, tr!("Times"), |ui| times_body_ui(ui, dossier, now_us));
}

fn times_body_ui(ui: &mut Ui, dossier: &Dossier, now_us: i64) {
    let with_file = || dossier.entries.iter().filter(|entry| entry.entry.file.is_some());
    let when = |ui: &mut Ui, word: &str, time_us: Option<i64>, none: &str| {
        let text = time_us.map_or_else(|| none.to_owned(), |time_us| format::relative(time_us, now_us));
        let response = fact_ui(ui, word, &text);
        if let Some(time_us) = time_us {
            response.on_hover_text(local_time(time_us));
        }
    };
    if let Some(bars) = dossier.bars().filter(|bars| bars.entry.file.is_some()) {
        when(ui, tr!("Fetched or checked"), Some(bars.entry.fetched_at_us), format::NONE);
        when(ui, tr!("History verified"), bars.entry.verified_us(), tr!("never: the source cannot say what it has"));
    }
    for entry in with_file() {
        // By the file system's clock, which may be ahead.
        let written_us = entry.entry.file.as_ref().map(|file| file.modified_us.min(now_us));
        let word = if entry.entry.key.dataset.is_bars() { tr!("Bars written") } else { tr!("Computed") };
        let sets = dossier.entries.iter().filter(|entry| !entry.entry.key.dataset.is_bars()).count();
        if sets > 1 && !entry.entry.key.dataset.is_bars() {
            when(ui, &format!("{word}: {}", entry.entry.key.dataset.name()), written_us, format::NONE);
        } else {
            when(ui, word, written_us, format::NONE);
        }
    }
    let expires_us = with_file().filter_map(|entry| entry.expires_at_us).min();
    let word = if expires_us.is_some_and(|at_us| at_us <= now_us) { tr!("Expired") } else { tr!("Expires") };
    when(ui, word, expires_us, tr!("never: pinned"));
    when(ui, tr!("Last read"), dossier.entries.iter().filter_map(|entry| entry.entry.last_used_us).max(), tr!("never"));
}

/// Where it comes from, and what holds for it.
pub fn source_ui(ui: &mut Ui, state: &AppState, dossier: &Dossier) {
    section_ui(ui, tr!("Source"), |ui| source_body_ui(ui, state, dossier));
}

fn source_body_ui(ui: &mut Ui, state: &AppState, dossier: &Dossier) {
    let url = state.snapshot.source.as_ref().map_or(dossier.source.as_str(), |source| source.url.as_str());
    fact_ui(ui, tr!("From"), url);
    fact_ui(ui, tr!("Time to live"), &rule_words(dossier.rule));
    let exchange = dossier.rule.exchange;
    let text =
        if exchange.name() == exchange.code() { exchange.name().to_owned() } else { format!("{} ({})", exchange.name(), exchange.code()) };
    fact_ui(ui, tr!("Market"), &text);
    if let Some(row) = state.row(&dossier.symbol).filter(|row| row.source_rows.is_some()) {
        fact_ui(ui, tr!("In the source"), &tr_n!(row.source_rows.unwrap_or(0), "{count} bar", "{count} bars"));
    }
    let Some(bars) = dossier.bars().filter(|bars| bars.entry.file.is_some()) else { return };
    match &bars.entry.synced {
        None => {
            fact_ui(ui, tr!("Checked by year"), tr!("not asked")).on_hover_text(tr!(
                "The source was not asked for counts and checksums by year yet; a change in its history is noticed from the next preheat on"
            ));
        }
        Some(synced) => {
            let years = years_text(&synced.years.iter().map(|year| year.year).filter(|year| *year != 0).collect::<Vec<i32>>());
            let rows = tr_n!(synced.years.iter().map(|year| year.rows).sum(), "{count} row", "{count} rows");
            let text = if years.is_empty() { rows } else { format!("{years}, {rows}") };
            fact_ui(ui, tr!("Checked by year"), &text).on_hover_text(tr!(
                "Counts and checksums by year, as the source gave them; compared when its history is verified, in between only the newest days"
            ));
        }
    }
}

/// `2021 – 2024`, or each year where there are gaps.
pub fn years_text(years: &[i32]) -> String {
    let (Some(first), Some(last)) = (years.first(), years.last()) else { return String::new() };
    let without_gaps = usize::try_from(last - first).is_ok_and(|span| span + 1 == years.len());
    if first == last {
        first.to_string()
    } else if without_gaps {
        format!("{first} – {last}")
    } else {
        years.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ")
    }
}

/// Where the files lie and what is in them; bytes by year.
pub fn files_ui(ui: &mut Ui, dossier: &Dossier, out: &mut Outbox) {
    let files: Vec<_> = dossier.entries.iter().filter_map(|entry| Some((entry, entry.entry.file.as_ref()?))).collect();
    if files.is_empty() {
        return;
    }
    section_ui(ui, tr!("Files"), |ui| {
        for (place, (entry, file)) in files.iter().enumerate() {
            if place > 0 {
                ui.add_space(space::M);
            }
            file_ui(ui, entry, file, out);
        }
        if dossier.years.len() > 1 {
            ui.add_space(space::M);
            ui.label(RichText::new(tr!("Size by year")).small().color(Theme::of(ui).text_weak));
            years_ui(ui, &dossier.years);
        }
    });
}

/// One file: where it lies, what proves it, how it is built.
fn file_ui(ui: &mut Ui, entry: &EntryDossier, file: &FileFacts, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let name = entry.entry.key.dataset.name();
    let size = format!("{} · {}", tr_n!(file.rows, "{count} row", "{count} rows"), format::bytes(file.size_bytes));
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).color(theme.text));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(size).color(theme.text)));
    });
    if let Some(path) = &entry.path {
        let whole = path.display().to_string();
        fact_with_ui(ui, tr!("Path"), |ui| {
            copy_ui(ui, &tr!("Copy the path of {dataset}", dataset = name), &whole, out);
            // Its end tells most: the beginning is the same for every file.
            let short = path.file_name().map_or_else(|| whole.clone(), |name| name.to_string_lossy().into_owned());
            let short = match file.years.len() {
                0 => short,
                years => format!("{short} · {}", tr_n!(years as u64, "{count} yearly file", "{count} yearly files")),
            };
            ui.add(Label::new(RichText::new(short).color(theme.text)).truncate()).on_hover_text(whole.as_str());
        });
    }
    code_ui(ui, tr!("Checksum"), &format!("{:032x}", file.checksum), out);
    code_ui(ui, tr!("Fingerprint"), &format!("{:032x}", file.fingerprint), out);
    if let Some(provenance) = &entry.entry.provenance {
        code_ui(ui, tr!("Definition"), &format!("{:032x}", provenance.definition.value()), out);
    }
    if let Some(layout) = &entry.layout {
        layout_ui(ui, name, layout);
    }
}

/// Bytes by year as bars.
pub fn years_ui(ui: &mut Ui, years: &[(i32, u64)]) {
    let theme = Theme::of(ui);
    let most = years.iter().map(|(_year, bytes)| *bytes).max().unwrap_or(1).max(1);
    for (year, bytes) in years.iter().rev() {
        fact_with_ui(ui, &year.to_string(), |ui| {
            ui.allocate_ui(egui::vec2(64.0, 16.0), |ui| {
                ui.set_min_width(64.0);
                ui.label(RichText::new(format::bytes(*bytes)).color(theme.text));
            });
            meter_ui(ui, (ui.available_width() - space::S).max(10.0), *bytes as f32 / most as f32, theme.volume)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::years_text;

    #[test]
    fn years_are_told_as_a_span_where_there_are_no_gaps() {
        assert_eq!([&[][..], &[2024], &[2021, 2022, 2023], &[2019, 2023]].map(years_text), ["", "2024", "2021 – 2023", "2019, 2023"]);
    }
}
