//! Jobs: what runs, how far it is, what runs by itself, what was deleted, and what became of jobs before, with every failure.

mod live;
mod schedules;

use super::commands::command_button_ui;
use super::dashboard::trash_ui;
use super::symbols::{local_time, now_us};
use super::theme::{Theme, space};
use super::widgets::{figure_link_ui, heading_ui};
use super::window::{Outbox, ViewState};
use super::{format, icons};
use crate::app::{Action, AppState, Command, JobStage, SettingsAction, SourceAction};
use crate::market::Symbol;
use crate::worker::{PastJob, WorkFacts};
use crate::{tr, tr_n};
use eframe::egui;
use egui::{Align, Color32, ComboBox, Frame, Label, Layout, Margin, RichText, ScrollArea, Ui, vec2};
use std::borrow::Cow;
use std::collections::HashSet;

/// Rows per second that can be chosen; 0 is no limit.
const PACES: [u64; 5] = [0, 200_000, 50_000, 10_000, 2_000];

/// Failures listed at first.
const FAILURES_AT_FIRST: usize = 6;
/// Failures listed at most; all are in the list of symbols.
const FAILURES_SHOWN: usize = 200;
/// Changed symbols listed.
const CHANGED_SHOWN: usize = 40;

/// The whole view.
pub fn jobs_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    Frame::NONE.fill(theme.background).show(ui, |ui| {
        ui.set_min_size(ui.available_size());
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(32, 24)).show(ui, |ui| {
                ui.set_max_width(1000.0);
                ui.horizontal(|ui| {
                    command_button_ui(ui, state, Command::PreheatAll, out);
                    command_button_ui(ui, state, Command::RetryFailed, out);
                    command_button_ui(ui, state, Command::Verify, out);
                    command_button_ui(ui, state, Command::Repair, out);
                });
                ui.add_space(space::XL);
                ui.horizontal(|ui| {
                    heading_ui(ui, tr!("Now"));
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| pace_ui(ui, state, out));
                });
                live::live_ui(ui, state, views, out);
                ui.add_space(space::XL);
                schedules::schedules_ui(ui, state, out);
                trash_ui(ui, state, views, out);
                ui.add_space(space::XL);
                past_ui(ui, state, views, out);
            });
        });
    });
}

fn pace_words(rows_per_sec: u64) -> String {
    match rows_per_sec {
        0 => tr!("no speed limit").to_owned(),
        limit => tr!("at most {rate}", rate = format::rows_per_second(limit as f64)),
    }
}

/// How fast rows may be taken from the source; followed by the job that runs, too.
fn pace_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    let now = state.settings.rows_per_sec;
    let mut chosen = now;
    let list = ComboBox::from_id_salt("pace").selected_text(pace_words(now)).width(210.0).show_ui(ui, |ui| {
        for pace in PACES {
            ui.selectable_value(&mut chosen, pace, pace_words(pace));
        }
    });
    let name = tr!("Pace");
    list.response.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, name));
    list.response.on_hover_text(tr!("Spares a source that others work with; jobs that run follow at once"));
    ui.label(RichText::new(tr!("Pace")).color(theme.text_weak));
    if chosen != now {
        let mut settings = state.settings.clone();
        settings.rows_per_sec = chosen;
        out.act(Action::Settings(SettingsAction::Save(Box::new(settings))));
    }
}

/// What a job of before is called: it may have been run in another language, or by the command line.
fn job_title(title: &str) -> Cow<'_, str> {
    let known = crate::language::translate("", title);
    match title.split_once(' ') {
        Some((what, source)) if known == title && matches!(what, "Preheat") => Cow::Owned(tr!("Preheat {source}", source = source)),
        _ => Cow::Borrowed(known),
    }
}

/// Jobs of this session that are over and not yet in the history, then the history.
fn past_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    heading_ui(ui, tr!("History"));
    let live: HashSet<i64> = state.jobs.iter().filter(|job| !job.stage.is_over()).filter_map(|job| job.record_id).collect();
    let recorded: HashSet<i64> = state.snapshot.jobs.iter().map(|job| job.record_id).collect();
    let unrecorded =
        state.jobs.iter().filter(|job| job.stage == JobStage::Failed && job.record_id.is_none_or(|id| !recorded.contains(&id)));
    for job in unrecorded.filter(|job| job.record_id.is_some() || state.snapshot.jobs.is_empty()) {
        ui.label(format!("{} · {}", job.title, crate::app::said(job.error.as_deref().unwrap_or_default())));
    }
    let past: Vec<&PastJob> = state.snapshot.jobs.iter().filter(|job| !live.contains(&job.record_id)).collect();
    if past.is_empty() {
        ui.label(RichText::new(tr!("No job has run yet")).color(theme.text_weak));
    }
    for (place, job) in past.into_iter().take(60).enumerate() {
        past_job_ui(ui, state, views, (job, place == 0), out);
    }
}

fn past_job_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, (job, newest): (&PastJob, bool), out: &mut Outbox) {
    let theme = Theme::of(ui);
    // The newest job shows its reasons unless they were hidden, older ones only when asked.
    let key = (newest, job.record_id);
    let open = views.open_jobs.contains(&key) != newest;
    let trouble = !job.failures.is_empty() || job.error.is_some();
    let more = trouble || !job.changed.is_empty() || job.work != WorkFacts::default();
    let (glyph, color) = if job.error.is_some() {
        (icons::ERROR, theme.error)
    } else if !job.failures.is_empty() {
        (icons::WARNING, theme.warning)
    } else if job.cancelled || job.interrupted || job.finished_at_us.is_none() {
        (icons::INFO, theme.text_weak)
    } else {
        (icons::CHECK, theme.success)
    };
    ui.horizontal(|ui| {
        ui.label(icons::icon(glyph).color(color));
        ui.allocate_ui(vec2(260.0, 20.0), |ui| {
            ui.set_min_width(260.0);
            ui.add(Label::new(RichText::new(job_title(&job.title)).color(theme.text)).truncate());
        });
        let when = format!("{} · {}", local_time(job.started_at_us), format::relative(job.started_at_us, now_us(state)));
        ui.allocate_ui(vec2(230.0, 20.0), |ui| {
            ui.set_min_width(230.0);
            ui.label(RichText::new(when).small().color(theme.text_weak));
        });
        // Of jobs of this session it is known which went well.
        let ok = state.jobs.iter().find(|live| live.record_id == Some(job.record_id)).map_or(&[][..], |live| &live.ok);
        summary_ui(ui, job, ok, out);
        if more {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let (glyph, name) = match (open, trouble) {
                    (true, true) => (icons::COLLAPSE, tr!("Hide reasons")),
                    (true, false) => (icons::COLLAPSE, tr!("Hide details")),
                    (false, true) => (icons::EXPAND, tr!("Show reasons")),
                    (false, false) => (icons::EXPAND, tr!("Show details")),
                };
                if icons::icon_button_ui(ui, glyph, name).clicked() && !views.open_jobs.remove(&key) {
                    views.open_jobs.insert(key);
                }
            });
        }
    });
    if open && more {
        egui::Frame::NONE.inner_margin(Margin { left: 24, right: 0, top: 0, bottom: 8 }).show(ui, |ui| {
            if let Some(error) = &job.error {
                ui.add(Label::new(RichText::new(crate::app::said(error)).color(theme.error)).selectable(true).wrap());
                if newest {
                    ways_on_ui(ui, state, out);
                }
            }
            changed_ui(ui, &job.changed, out);
            if let Some(text) = work_text(&job.work) {
                ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).wrap());
            }
            failures_ui(ui, &job.failures, ("past", job.record_id.unsigned_abs()), views, out);
        });
    }
}

/// What to do after a job that could not be done at all.
fn ways_on_ui(ui: &mut Ui, state: &AppState, out: &mut Outbox) {
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        let again = ui.add_enabled(Command::PreheatAll.enabled(state).is_ok(), egui::Button::new(tr!("Try again")));
        if again.on_hover_text(Command::PreheatAll.tooltip()).clicked() {
            out.act(Action::Run(Command::PreheatAll));
        }
        if let Some(source) = state.settings.source.as_ref().filter(|_| !state.fixed_source)
            && ui.button(tr!("Edit the connection…")).clicked()
        {
            out.act(Action::Source(SourceAction::Edit(Some(source.clone()))));
        }
    });
}

/// What became of a job's symbols, each count that is known by name a way to just these.
fn summary_ui(ui: &mut Ui, job: &PastJob, ok: &[Symbol], out: &mut Outbox) {
    let theme = Theme::of(ui);
    let weak = |ui: &mut Ui, text: &str| ui.label(RichText::new(text).small().color(theme.text_weak));
    if job.interrupted {
        weak(ui, tr!("interrupted; what it had finished is safe"));
        return;
    }
    if job.finished_at_us.is_none() {
        weak(ui, tr!("running in another process"));
        return;
    }
    let failed: Vec<Symbol> = job.failures.iter().map(|(symbol, _)| symbol.clone()).collect();
    let parts: [(u64, String, &[Symbol], Color32); 7] = [
        (job.ok, tr_n!(job.ok, "{count} ok", "{count} ok"), ok, theme.text),
        (job.skipped_fresh, tr_n!(job.skipped_fresh, "{count} fresh already", "{count} fresh already"), &[], theme.text_weak),
        (job.unchanged, tr_n!(job.unchanged, "{count} unchanged", "{count} unchanged"), &[], theme.text_weak),
        (job.appended, tr_n!(job.appended, "{count} with new bars", "{count} with new bars"), &[], theme.text_weak),
        (
            job.changed.len() as u64,
            tr_n!(job.changed.len() as u64, "{count} changed at the source", "{count} changed at the source"),
            &job.changed,
            theme.text,
        ),
        (job.no_data, tr_n!(job.no_data, "{count} no data", "{count} no data"), &job.no_data_symbols, theme.text),
        (failed.len() as u64, tr_n!(failed.len() as u64, "{count} failed", "{count} failed"), &failed, theme.error),
    ];
    let mut first = true;
    ui.spacing_mut().item_spacing.x = space::XS;
    let dot = |ui: &mut Ui, first: &mut bool| {
        if !std::mem::take(first) {
            weak(ui, "·");
        }
    };
    for (_, text, symbols, color) in parts.iter().filter(|(count, ..)| *count > 0) {
        dot(ui, &mut first);
        if symbols.is_empty() {
            weak(ui, text);
        } else if figure_link_ui(ui, text, *color).clicked() {
            let title = format!("{}: {text}", job.title);
            out.act(Action::ShowSymbols { title, symbols: symbols.to_vec() });
        }
    }
    let mut rest = Vec::new();
    if job.cancelled {
        rest.push(tr!("cancelled").to_owned());
    }
    if job.error.is_some() {
        rest.push(tr!("failed").to_owned());
    }
    if job.rows > 0 {
        rest.push(tr_n!(job.rows, "{count} row", "{count} rows"));
        rest.push(format::bytes(job.size_bytes));
        rest.push(format::duration(job.seconds));
    }
    if !rest.is_empty() {
        dot(ui, &mut first);
        ui.add(Label::new(RichText::new(rest.join(" · ")).small().color(theme.text_weak)).truncate());
    }
}

/// The symbols that changed at the source, each a way to what changed.
fn changed_ui(ui: &mut Ui, changed: &[Symbol], out: &mut Outbox) {
    if changed.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(tr!("Changed at the source:")).small().color(theme.text_weak));
        for symbol in changed.iter().take(CHANGED_SHOWN) {
            let link = ui.add(egui::Link::new(RichText::new(symbol.as_str()).small()));
            if link.on_hover_text(tr!("Show what changed")).clicked() {
                out.act(Action::Inspect(symbol.clone()));
            }
        }
        if changed.len() > CHANGED_SHOWN {
            let more = tr!("and {count} more", count = format::count((changed.len() - CHANGED_SHOWN) as u64));
            ui.label(RichText::new(more).small().color(theme.text_weak));
        }
    });
}

/// What a job did, counted; `None` where nothing was counted.
fn work_text(work: &WorkFacts) -> Option<String> {
    let mut parts = Vec::new();
    if work.digest_rows > 0 {
        parts.push(tr_n!(work.digest_rows, "compared {count} digest", "compared {count} digests"));
    }
    if work.rows_fetched > 0 {
        parts.push(tr_n!(work.rows_fetched, "read {count} row at the source", "read {count} rows at the source"));
    }
    if work.rows_computed > 0 {
        parts.push(tr_n!(work.rows_computed, "computed features of {count} row", "computed features of {count} rows"));
    }
    if work.written_bytes > 0 {
        parts.push(tr!("wrote {bytes}", bytes = format::bytes(work.written_bytes)));
    }
    if parts.is_empty() {
        return None;
    }
    let text = parts.join(", ");
    Some(text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect())
}

fn failures_ui(ui: &mut Ui, failures: &[(Symbol, String)], key: (&'static str, u64), views: &mut ViewState, out: &mut Outbox) {
    if failures.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    let all = views.all_failures.contains(&key);
    let shown = if all { FAILURES_SHOWN } else { FAILURES_AT_FIRST };
    for (symbol, reason) in failures.iter().take(shown) {
        ui.horizontal_top(|ui| {
            ui.allocate_ui_with_layout(vec2(110.0, 20.0), Layout::left_to_right(Align::Min), |ui| {
                ui.set_min_width(110.0);
                ui.set_max_width(110.0);
                ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
                let link = ui.add(egui::Link::new(RichText::new(symbol.as_str())));
                if link.on_hover_text(tr!("Show the symbol with the inspector")).clicked() {
                    out.act(Action::Inspect(symbol.clone()));
                }
            });
            if failures.len() > 1 && icons::icon_button_ui(ui, icons::RETRY, &tr!("Retry {symbol}", symbol = symbol)).clicked() {
                out.act(Action::Retry(vec![symbol.clone()]));
            }
            ui.add(Label::new(RichText::new(crate::app::said(reason)).small().color(theme.error)).selectable(true).wrap());
        });
    }
    if failures.len() > FAILURES_AT_FIRST {
        let text = if all {
            tr!("Show fewer reasons").to_owned()
        } else {
            tr!("Show all {count} reasons", count = format::count(failures.len() as u64))
        };
        if ui.add(egui::Link::new(text)).clicked() && !views.all_failures.remove(&key) {
            views.all_failures.insert(key);
        }
    }
    if all && failures.len() > FAILURES_SHOWN {
        let text = tr!("and {count} more", count = format::count((failures.len() - FAILURES_SHOWN) as u64));
        ui.label(RichText::new(text).small());
    }
    let symbols = || failures.iter().map(|(symbol, _)| symbol.clone()).collect();
    ui.horizontal(|ui| {
        let again = tr_n!(failures.len() as u64, "Retry {count} symbol", "Retry {count} symbols");
        if ui.button(again).clicked() {
            out.act(Action::Retry(symbols()));
        }
        if ui.button(tr!("Copy reasons")).on_hover_text(tr!("A line per symbol, with tabs, for a spreadsheet or a report")).clicked() {
            out.act(Action::Copy(failures.iter().map(|(symbol, reason)| format!("{symbol}\t{reason}\n")).collect()));
        }
    });
}

/// What can be done with jobs, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    vec![Gesture::new(tr!("Click on a count of failures"), tr!("Which symbols, and why"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_told_in_one_sentence_of_what_was_done() {
        assert_eq!(work_text(&WorkFacts::default()), None);
        let work = WorkFacts { digest_rows: 12, rows_fetched: 1, rows_computed: 3_400, written_bytes: 1_200_000 };
        let expected = "Compared 12 digests, read 1 row at the source, computed features of 3,400 rows, wrote 1.2 MB";
        assert_eq!(work_text(&work).as_deref(), Some(expected));
        assert_eq!(work_text(&WorkFacts { rows_fetched: 5, ..WorkFacts::default() }).as_deref(), Some("Read 5 rows at the source"));
    }
}
