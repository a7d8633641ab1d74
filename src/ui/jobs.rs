//! Jobs: what runs, how far it is, and what became of those before, with every failure and its reason.

use super::commands::command_button_ui;
use super::symbols::{local_time, now_us};
use super::theme::{Theme, space};
use super::widgets::{heading_ui, meter_ui};
use super::window::{Outbox, ViewState};
use super::{format, icons};
use crate::app::{Action, AppState, Command, JobStage, JobView};
use crate::market::Symbol;
use crate::preheat::{RunState, Waiting};
use crate::worker::{PastJob, WorkFacts};
use eframe::egui;
use egui::{Frame, Label, Margin, RichText, ScrollArea, Ui, vec2};
use std::collections::HashSet;

/// Failures listed at first.
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
                let live: Vec<&JobView> = state.jobs.iter().filter(|job| !job.stage.is_over()).collect();
                heading_ui(ui, "Now");
                if live.is_empty() {
                    ui.label(RichText::new("Nothing is running").color(theme.text_weak));
                }
                for job in live {
                    running_ui(ui, state, job, out);
                }
                ui.add_space(space::XL);
                past_ui(ui, state, views, out);
            });
        });
    });
}

fn running_ui(ui: &mut Ui, state: &AppState, job: &JobView, out: &mut Outbox) {
    let theme = Theme::of(ui);
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        ui.label(RichText::new(&job.title).color(theme.text));
        ui.label(RichText::new(job.stage.word()).small().color(theme.text_weak));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if job.stage != JobStage::Cancelling && ui.button("Cancel").on_hover_text("Finished symbols stay").clicked() {
                out.act(Action::ControlJob(job.id, RunState::Cancelled));
            }
            if job.stage == JobStage::Running && ui.button("Pause").clicked() {
                out.act(Action::ControlJob(job.id, RunState::Paused));
            }
            if job.stage == JobStage::Paused && ui.button("Resume").clicked() {
                out.act(Action::ControlJob(job.id, RunState::Running));
            }
        });
    });
    if matches!(job.stage, JobStage::Queued | JobStage::Planning) {
        return;
    }
    let progress = &job.progress;
    meter_ui(ui, ui.available_width(), progress.fraction(), theme.accent);
    let mut facts = vec![
        format!(
            "{} of {}",
            format::count(progress.symbols_done as u64),
            format::counted(progress.symbols_total as u64, "symbol", "symbols")
        ),
        format::counted(progress.rows, "row", "rows"),
        format::rows_per_second(progress.rows_per_sec()),
    ];
    if let Some(secs) = progress.secs_left().filter(|_| job.stage == JobStage::Running) {
        facts.push(format!("{} left", format::duration(secs)));
    }
    if job.skipped_fresh > 0 {
        facts.push(format!("{} fresh already", format::count(job.skipped_fresh as u64)));
    }
    if !job.failures.is_empty() {
        facts.push(format!("{} failed", format::count(job.failures.len() as u64)));
    }
    ui.label(RichText::new(facts.join(" · ")).small().color(theme.text_weak));
    if let Some(waiting) = &progress.waiting {
        waiting_ui(ui, state, waiting);
    }
    failures_ui(ui, &job.failures, ("live", job.id), out);
    ui.add_space(space::M);
}

/// What a job waits for, how often it tried, and when it tries again.
fn waiting_ui(ui: &mut Ui, state: &AppState, waiting: &Waiting) {
    let theme = Theme::of(ui);
    let attempts = format::counted(u64::from(waiting.attempts), "attempt", "attempts");
    let next = format::relative(waiting.next_attempt_us, now_us(state));
    ui.label(RichText::new(format!("Waiting: {}", waiting.reason)).color(theme.warning));
    ui.label(RichText::new(format!("{attempts} so far, the next {next}")).small().color(theme.text_weak));
}

/// Jobs of this session that are over and not yet in the history, then the history.
fn past_ui(ui: &mut Ui, state: &AppState, views: &mut ViewState, out: &mut Outbox) {
    let theme = Theme::of(ui);
    heading_ui(ui, "Before");
    let live: HashSet<i64> = state.jobs.iter().filter(|job| !job.stage.is_over()).filter_map(|job| job.record_id).collect();
    let recorded: HashSet<i64> = state.snapshot.jobs.iter().map(|job| job.record_id).collect();
    let unrecorded =
        state.jobs.iter().filter(|job| job.stage == JobStage::Failed && job.record_id.is_none_or(|id| !recorded.contains(&id)));
    for job in unrecorded.filter(|job| job.record_id.is_some() || state.snapshot.jobs.is_empty()) {
        ui.label(format!("{} · {}", job.title, job.error.as_deref().unwrap_or_default()));
    }
    let past: Vec<&PastJob> = state.snapshot.jobs.iter().filter(|job| !live.contains(&job.record_id)).collect();
    if past.is_empty() {
        ui.label(RichText::new("No job has run yet").color(theme.text_weak));
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
            ui.add(Label::new(RichText::new(&job.title).color(theme.text)).truncate());
        });
        let when = format!("{} · {}", local_time(job.started_at_us), format::relative(job.started_at_us, now_us(state)));
        ui.allocate_ui(vec2(230.0, 20.0), |ui| {
            ui.set_min_width(230.0);
            ui.label(RichText::new(when).small().color(theme.text_weak));
        });
        ui.add(Label::new(RichText::new(summary(job)).small().color(theme.text_weak)).truncate());
        if more {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let (glyph, name) = match (open, trouble) {
                    (true, true) => (icons::COLLAPSE, "Hide reasons"),
                    (true, false) => (icons::COLLAPSE, "Hide details"),
                    (false, true) => (icons::EXPAND, "Show reasons"),
                    (false, false) => (icons::EXPAND, "Show details"),
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
                ui.add(Label::new(RichText::new(error).color(theme.error)).selectable(true).wrap());
            }
            changed_ui(ui, &job.changed, out);
            if let Some(text) = work_text(&job.work) {
                ui.add(Label::new(RichText::new(text).small().color(theme.text_weak)).wrap());
            }
            failures_ui(ui, &job.failures, ("past", job.record_id.unsigned_abs()), out);
        });
    }
}

fn summary(job: &PastJob) -> String {
    if job.interrupted {
        return "interrupted; what it had finished is safe".to_owned();
    }
    if job.finished_at_us.is_none() {
        return "running in another process".to_owned();
    }
    let mut parts = Vec::new();
    let mut part = |count: u64, word: &str| {
        if count > 0 {
            parts.push(format!("{} {word}", format::count(count)));
        }
    };
    part(job.ok, "ok");
    part(job.skipped_fresh, "fresh already");
    part(job.unchanged, "unchanged");
    part(job.appended, "with new bars");
    part(job.changed.len() as u64, "changed at the source");
    part(job.no_data, "no data");
    part(job.failures.len() as u64, "failed");
    if job.cancelled {
        parts.push("cancelled".to_owned());
    }
    if job.error.is_some() {
        parts.push("stopped".to_owned());
    }
    if job.rows > 0 {
        parts.push(format!("{} · {}", format::counted(job.rows, "row", "rows"), format::bytes(job.size_bytes)));
        parts.push(format::duration(job.seconds));
    }
    parts.join(" · ")
}

/// The symbols that changed at the source, each a way to what changed.
fn changed_ui(ui: &mut Ui, changed: &[Symbol], out: &mut Outbox) {
    if changed.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Changed at the source:").small().color(theme.text_weak));
        for symbol in changed.iter().take(CHANGED_SHOWN) {
            let link = ui.add(egui::Link::new(RichText::new(symbol.as_str()).small()));
            if link.on_hover_text("Show what changed").clicked() {
                out.act(Action::Inspect(symbol.clone()));
            }
        }
        if changed.len() > CHANGED_SHOWN {
            let more = format!("and {} more", format::count((changed.len() - CHANGED_SHOWN) as u64));
            ui.label(RichText::new(more).small().color(theme.text_weak));
        }
    });
}

/// What a job did, counted; `None` where nothing was counted.
fn work_text(work: &WorkFacts) -> Option<String> {
    let rows = |count: u64| format::counted(count, "row", "rows");
    let mut parts = Vec::new();
    if work.digest_rows > 0 {
        parts.push(format!("compared {}", format::counted(work.digest_rows, "digest", "digests")));
    }
    if work.rows_fetched > 0 {
        parts.push(format!("read {} at the source", rows(work.rows_fetched)));
    }
    if work.rows_computed > 0 {
        parts.push(format!("computed features of {}", rows(work.rows_computed)));
    }
    if work.written_bytes > 0 {
        parts.push(format!("wrote {}", format::bytes(work.written_bytes)));
    }
    if parts.is_empty() {
        return None;
    }
    let text = parts.join(", ");
    Some(text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect())
}

fn failures_ui(ui: &mut Ui, failures: &[(Symbol, String)], key: (&str, u64), out: &mut Outbox) {
    if failures.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    egui::Grid::new(("failures", key)).num_columns(2).spacing(vec2(space::L, space::XS)).show(ui, |ui| {
        for (symbol, reason) in failures.iter().take(FAILURES_SHOWN) {
            ui.label(RichText::new(symbol.as_str()).color(theme.text));
            ui.add(Label::new(RichText::new(reason).small().color(theme.error)).selectable(true).wrap());
            ui.end_row();
        }
    });
    if failures.len() > FAILURES_SHOWN {
        ui.label(RichText::new(format!("and {} more", format::count((failures.len() - FAILURES_SHOWN) as u64))).small());
    }
    let again = format!("Retry {}", format::counted(failures.len() as u64, "symbol", "symbols"));
    if ui.button(again).clicked() {
        out.act(Action::Retry(failures.iter().map(|(symbol, _)| symbol.clone()).collect()));
    }
}

/// What can be done with jobs, for the help sheet.
pub(super) fn gestures() -> Vec<super::help::Gesture> {
    use super::help::Gesture;
    use crate::tr;
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
