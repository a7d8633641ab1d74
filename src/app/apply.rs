//! The one place where the worker's events are applied to the state.

use super::action::Action;
use super::connect::TestState;
use super::jobs::{JobStage, JobView};
use super::said::said;
use super::state::{AppState, Dialog, OpenState, Verified, View};
use super::visits::Coming;
use crate::cache::{Cleared, VerifyReport};
use crate::format;
use crate::market::Symbol;
use crate::preheat::{PreheatReport, RunState, SymbolOutcome};
use crate::worker::{Job, JobEvent, JobId, JobOutcome, Notice, NoticeLevel, PreheatOrder, Snapshot};
use crate::{tr, tr_n};
use std::sync::Arc;

impl AppState {
    /// Applies one event; returns jobs that follow from it.
    #[must_use]
    pub fn apply(&mut self, event: JobEvent) -> Vec<Job> {
        let mut jobs = self.take_in(event);
        self.note_visit(Coming::Settled);
        jobs.extend(self.look_closer());
        jobs.extend(self.load_new_lines());
        jobs.extend(self.ask_for_closes());
        jobs
    }

    fn take_in(&mut self, event: JobEvent) -> Vec<Job> {
        match event {
            JobEvent::Opened => {
                self.sparks.forget();
                if matches!(self.open, OpenState::Failed(_)) {
                    self.open = OpenState::Opening;
                }
            }
            JobEvent::OpenFailed(message) => self.open = OpenState::Failed(message),
            JobEvent::Snapshot(snapshot) => return self.apply_snapshot(snapshot),
            JobEvent::Queued { id, title } => {
                if self.job(id).is_none() {
                    self.jobs.insert(0, JobView::new(id, title));
                    self.waiting.push(id);
                }
            }
            JobEvent::Waiting(order) => {
                // What was queued meanwhile comes behind what was told of.
                let newer: Vec<JobId> = self.waiting.iter().copied().filter(|id| !order.contains(id)).collect();
                let waits = |id: &JobId| self.jobs.iter().any(|job| job.id == *id && job.stage == JobStage::Queued);
                self.waiting = order.into_iter().chain(newer).filter(waits).collect();
            }
            JobEvent::Schedules(schedules) => self.apply_schedules(schedules),
            JobEvent::Planning { id } => {
                self.waiting.retain(|waiting| *waiting != id);
                if let Some(job) = self.job(id) {
                    job.stage = JobStage::Planning;
                }
            }
            JobEvent::Started { id, record_id, symbols, requested, skipped_fresh } => {
                self.apply_started(id, record_id, &symbols, requested, skipped_fresh);
                return self.load_focus_if_new();
            }
            JobEvent::Progress { id, progress, finished } => {
                if let Some(job) = self.job(id) {
                    job.progress = progress;
                    job.begun.extend(job.progress.begun.drain(..));
                    for (symbol, outcome) in finished {
                        job.pending.remove(&symbol);
                        job.begun.remove(&symbol);
                        job.finished.insert(symbol.clone(), outcome.clone());
                        match outcome {
                            SymbolOutcome::Ok => job.ok.push(symbol),
                            SymbolOutcome::NoData => job.no_data.push(symbol),
                            SymbolOutcome::Failed(message) => job.failures.push((symbol, message)),
                        }
                    }
                }
            }
            JobEvent::StateChanged { id, state } => {
                if let Some(job) = self.job(id)
                    && !job.stage.is_over()
                {
                    job.stage = match state {
                        RunState::Running => JobStage::Running,
                        RunState::Paused => JobStage::Paused,
                        RunState::Cancelled => JobStage::Cancelling,
                    };
                }
            }
            JobEvent::Finished { id, outcome } => self.apply_finished(id, outcome),
            JobEvent::Invalidated { entries, size_bytes: _ } => {
                let text = tr!("Invalidated {entries}; the files stay until they are fetched again", entries = entries_text(entries));
                self.notices.tell(NoticeLevel::Success, text);
            }
            JobEvent::Cleared(cleared) => self.apply_cleared(&cleared),
            JobEvent::Restored(cleared) => {
                if let Some(batch) = cleared.batch {
                    self.notices.withdraw_undo(batch);
                }
                let size = format::bytes(cleared.size_bytes);
                let text = tr!("Restored {entries} · {size}", entries = entries_text(cleared.entries), size = size);
                self.notices.tell(NoticeLevel::Success, text);
            }
            JobEvent::VerifyProgress { done, total } => self.verifying = Some((done, total)),
            JobEvent::Verified(report) => return self.apply_verified(&report),
            JobEvent::Loaded { request, result } => self.apply_loaded(&request, result),
            JobEvent::Inspected { request, dossier } => self.apply_inspected(&request, dossier),
            JobEvent::Surveyed { request, survey } => self.apply_surveyed(request, survey),
            JobEvent::ChartCopied { text, rows, left_out } => self.apply_copied(text, rows, left_out),
            JobEvent::Sets(sets) => {
                self.apply_sets(sets);
                return self.read_chart_again();
            }
            JobEvent::Sparks(sparks) => self.apply_sparks(sparks),
            JobEvent::TableText { rows, text } => self.apply_table_text(rows, text.to_string()),
            JobEvent::Exported(exported) => self.apply_exported(exported),
            JobEvent::ExportProgress { done, total } => self.apply_export_progress(done, total),
            JobEvent::ExportFailed(message) => self.apply_export_failed(message),
            JobEvent::Lists(lists) => self.apply_lists(*lists),
            JobEvent::LookedForFolder { path, is_folder } => return self.apply_looked_for_folder(&path, is_folder),
            JobEvent::ListRead { name, text } => self.apply_list_read(name, text),
            JobEvent::Versions(versions) => self.features.versions = versions,
            JobEvent::SetSaved(change) => self.apply_set_saved(change),
            JobEvent::SetDeleted(change) => self.apply_set_deleted(change),
            JobEvent::SetRefused { name, refusal } => self.apply_set_refused(&name, &refusal),
            JobEvent::Previewed { request, result } => self.apply_previewed(request, result),
            JobEvent::OutdateKnown { request, result } => return self.apply_outdate_known(&request, result),
            JobEvent::BenchProgress { generation, progress } => self.apply_bench_progress(generation, progress),
            JobEvent::BenchFinished { generation, outcome } => self.apply_bench_finished(generation, outcome),
            JobEvent::Contact(contact) => self.contact = Some(contact),
            JobEvent::DiagnosticsSaved { path, result } => self.apply_diagnostics(&path, result),
            JobEvent::Profiled(result) => self.apply_profiled(result),
            JobEvent::TestStage { generation, stage } => {
                if let Some(Dialog::Connect(form)) = &mut self.dialog
                    && let TestState::Running { generation: wanted, stages } = &mut form.test
                    && *wanted == generation
                {
                    stages.push(stage);
                }
            }
            JobEvent::TestFinished { generation, report } => {
                if let Some(Dialog::Connect(form)) = &mut self.dialog
                    && matches!(form.test, TestState::Running { generation: wanted, .. } if wanted == generation)
                {
                    let passed = report.passed();
                    form.test = TestState::Done(report);
                    if std::mem::take(&mut form.connects) && passed {
                        return self.connect_source();
                    }
                }
            }
            JobEvent::FreePlanned(plan) => self.apply_free_plan(*plan),
            JobEvent::Freed(room) => self.apply_freed(&room),
            JobEvent::FreeFailed(message) => return self.apply_free_failed(message),
            JobEvent::ActionFailed(message) => {
                self.verifying = None;
                self.notices.tell(NoticeLevel::Error, message);
            }
            JobEvent::Notice(notice) => self.notices.add(notice),
            JobEvent::Ended => {}
        }
        Vec::new()
    }

    pub(super) fn job(&mut self, id: JobId) -> Option<&mut JobView> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    fn apply_snapshot(&mut self, snapshot: Arc<Snapshot>) -> Vec<Job> {
        let before = std::mem::replace(&mut self.snapshot, snapshot);
        self.notices.tell_time(self.snapshot.made_at_us);
        if self.open == OpenState::Opening {
            self.open = OpenState::Ready;
        }
        // Only now: a symbol is "working" until the snapshot shows what became of it.
        self.update_working();
        self.refresh_list(&before);
        self.load_focus_if_new()
    }

    fn update_working(&mut self) {
        // What became of these is in the snapshot now.
        for job in &mut self.jobs {
            job.finished.clear();
        }
        self.working = self
            .jobs
            .iter()
            .filter(|job| matches!(job.stage, JobStage::Running | JobStage::Paused | JobStage::Cancelling))
            .flat_map(|job| job.pending.iter().cloned())
            .collect();
    }

    fn apply_started(&mut self, id: JobId, record_id: i64, symbols: &[Symbol], requested: usize, skipped_fresh: usize) {
        if let Some(job) = self.job(id) {
            job.record_id = Some(record_id);
            job.stage = JobStage::Running;
            job.requested = requested;
            job.skipped_fresh = skipped_fresh;
            job.pending = symbols.iter().cloned().collect();
            job.progress.symbols_total = symbols.len();
        }
        if std::mem::take(&mut self.greet)
            && let Some(first) = symbols.first()
        {
            self.list.focus_on(first.clone());
        }
        self.update_working();
        self.refresh_list(&Arc::clone(&self.snapshot));
    }

    fn apply_finished(&mut self, id: JobId, outcome: JobOutcome) {
        self.waiting.retain(|waiting| *waiting != id);
        let Some(job) = self.job(id) else { return };
        job.pending.clear();
        job.begun.clear();
        let title = job.title.clone();
        match outcome {
            JobOutcome::Preheated(report) => {
                let (level, text) = finished_text(&title, &report);
                job.stage = JobStage::Done;
                job.failures.clone_from(&report.failed);
                job.no_data.clone_from(&report.no_data);
                let failed: Vec<Symbol> = report.failed.iter().map(|(symbol, _)| symbol.clone()).collect();
                job.report = Some(*report);
                if failed.is_empty() {
                    self.notices.suggest(level, text, tr!("Show jobs"), Action::Show(View::Jobs));
                } else {
                    let title = tr_n!(failed.len() as u64, "{count} failed", "{count} failed");
                    let label = tr!("Show {what}", what = title);
                    // One reason is told at once; of several, the list tells them.
                    let text = match job.failures.as_slice() {
                        [(symbol, reason)] => format!("{text}\n{symbol}: {}", said(reason)),
                        _ => text,
                    };
                    self.notices.suggest(level, text, label, Action::ShowSymbols { title, symbols: failed });
                }
            }
            JobOutcome::Failed(message) => {
                job.stage = JobStage::Failed;
                job.error = Some(message.clone());
                let text = tr!("{job} failed: {reason}", job = title, reason = said(&message));
                self.notices.suggest(NoticeLevel::Error, text, tr!("Show jobs"), Action::Show(View::Jobs));
            }
        }
    }

    fn apply_cleared(&mut self, cleared: &Cleared) {
        let size = format::bytes(cleared.size_bytes);
        let text = tr!("Cleared {entries} · {size}", entries = entries_text(cleared.entries), size = size);
        self.notices.add(Notice { level: NoticeLevel::Success, text, undo_batch: cleared.batch });
    }

    fn apply_verified(&mut self, report: &VerifyReport) -> Vec<Job> {
        self.verifying = None;
        let (checked, damaged, missing) = (report.checked, report.damaged.len(), report.missing.len());
        self.verified = Some(Verified { at_us: self.snapshot.made_at_us, checked, damaged, missing });
        let checked = tr_n!(report.checked as u64, "{count} file", "{count} files");
        if report.is_clean() {
            self.notices.tell(NoticeLevel::Success, tr!("Verified {files}: every one is as it was written", files = checked));
            return Vec::new();
        }
        let damaged = tr_n!(damaged as u64, "{count} damaged", "{count} damaged");
        let missing = tr_n!(missing as u64, "{count} missing", "{count} missing");
        let unknown = tr_n!(report.orphans.len() as u64, "{count} unknown", "{count} unknown");
        let found = [(report.damaged.len(), damaged), (report.missing.len(), missing), (report.orphans.len(), unknown)];
        let found: Vec<String> = found.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
        self.notices.tell(NoticeLevel::Warning, tr!("Verified {files}: {found}", files = checked, found = found.join(", ")));
        let mut symbols: Vec<Symbol> = report.to_restore.iter().map(|key| key.symbol.clone()).collect();
        symbols.sort();
        symbols.dedup();
        if !report.repaired || symbols.is_empty() || !self.has_source() {
            return Vec::new();
        }
        let title = tr_n!(symbols.len() as u64, "Restore {count} symbol", "Restore {count} symbols");
        vec![self.preheat(PreheatOrder { title, symbols: Some(symbols), ..PreheatOrder::default() })]
    }

    /// A job for the worker, with the next number.
    pub(super) fn preheat(&mut self, order: PreheatOrder) -> Job {
        self.next_job += 1;
        Job::Preheat { id: self.next_job, order: Box::new(order) }
    }
}

fn entries_text(entries: usize) -> String {
    tr_n!(entries as u64, "{count} entry", "{count} entries")
}

/// How a job ended, in one sentence.
fn finished_text(title: &str, report: &PreheatReport) -> (NoticeLevel, String) {
    let mut parts = vec![tr_n!(report.ok as u64, "{count} ok", "{count} ok")];
    let mut part = |count: usize, words: fn(u64) -> String| {
        if count > 0 {
            parts.push(words(count as u64));
        }
    };
    part(report.changed.len(), |count| tr_n!(count, "{count} changed at the source", "{count} changed at the source"));
    part(report.skipped_fresh, |count| tr_n!(count, "{count} fresh already", "{count} fresh already"));
    part(report.no_data.len(), |count| tr_n!(count, "{count} no data", "{count} no data"));
    part(report.failed.len(), |count| tr_n!(count, "{count} failed", "{count} failed"));
    part(report.not_reached, |count| tr_n!(count, "{count} not reached", "{count} not reached"));
    let parts = parts.join(" · ");
    if let Some(reason) = &report.stopped_by {
        (NoticeLevel::Error, tr!("{job} stopped: {reason}", job = title, reason = reason))
    } else if report.cancelled {
        (NoticeLevel::Info, tr!("{job} cancelled: {result}", job = title, result = parts))
    } else {
        let level = if report.failed.is_empty() { NoticeLevel::Success } else { NoticeLevel::Warning };
        (level, tr!("{job} finished: {result}", job = title, result = parts))
    }
}
