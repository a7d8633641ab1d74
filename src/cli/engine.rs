//! Jobs for the worker, one at a time, with their progress on the terminal.

use super::interrupt::{self, Wake};
use super::progress::ProgressView;
use super::session::Session;
use crate::cache::{Cleared, Selection, VerifyReport};
use crate::preheat::{PreheatReport, RunState};
use crate::source::{SourceUrl, StageReport, TestReport};
use crate::worker::{Job, JobEvent, JobOutcome, NoticeLevel, PreheatOrder, ProfileReport, ProfileRequest, Worker};
use anyhow::{Context, anyhow};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a source that cannot be reached any more, or a full disk, is waited for where no option says.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// The same for `get`, which somebody is waiting for.
pub(super) const SHORT_PATIENCE: Duration = Duration::from_secs(5);
/// The number of the only preheat that runs.
const PREHEAT: u64 = 1;

/// A running worker.
pub(super) struct Engine {
    worker: Worker,
    wakes: Receiver<Wake>,
    progress: ProgressView,
    preheating: bool,
    interrupted: bool,
}

/// Runs `work` on a worker and ends the worker whatever happened.
pub(super) fn with_engine<T>(session: &Session<'_>, work: impl FnOnce(&mut Engine) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let (wake, wakes) = channel();
    interrupt::listen(wake.clone()).context("signals cannot be watched")?;
    let notify = move || {
        // Nobody waits any more once the command has its answer.
        if wake.send(Wake::Event).is_err() {
            tracing::trace!("an event came after the end");
        }
    };
    let worker = Worker::spawn(session.context.clone(), notify).context("the background worker could not be started")?;
    let progress = ProgressView::new(session.console);
    let mut engine = Engine { worker, wakes, progress, preheating: false, interrupted: false };
    let result = work(&mut engine);
    engine.progress.finish();
    engine.worker.shut_down();
    result
}

impl Engine {
    /// Waits for the next event that matters to the job; notices and errors of the whole are dealt with here.
    fn next(&mut self) -> anyhow::Result<JobEvent> {
        loop {
            let Some(event) = self.worker.try_next() else {
                match self.wakes.recv() {
                    Ok(Wake::Event) => {}
                    Ok(Wake::Interrupt) if self.preheating => self.cancel(),
                    Ok(Wake::Interrupt) => return Err(anyhow!("cancelled")),
                    Err(_) => return Err(anyhow!("the background worker stopped unexpectedly")),
                }
                continue;
            };
            match event {
                JobEvent::OpenFailed(reason) | JobEvent::ActionFailed(reason) => return Err(anyhow!(reason)),
                JobEvent::Ended => return Err(anyhow!("the background worker stopped unexpectedly")),
                JobEvent::Notice(notice) => match notice.level {
                    NoticeLevel::Success | NoticeLevel::Info => self.progress.note(&format!("note: {}", notice.text)),
                    NoticeLevel::Warning => self.progress.warn(&format!("warning: {}", notice.text)),
                    NoticeLevel::Error => self.progress.warn(&format!("error: {}", notice.text)),
                },
                other => return Ok(other),
            }
        }
    }

    fn cancel(&mut self) {
        self.interrupted = true;
        self.progress.warn("cancelling: what is under way is finished first; once more ends at once");
        self.worker.send(Job::Control { id: PREHEAT, state: RunState::Cancelled });
    }

    /// Runs a preheat to its end.
    pub(super) fn preheat(&mut self, order: PreheatOrder) -> anyhow::Result<PreheatReport> {
        self.preheating = true;
        self.worker.send(Job::Preheat { id: PREHEAT, order: Box::new(order) });
        let outcome = loop {
            match self.next()? {
                JobEvent::Started { symbols, skipped_fresh, .. } => self.progress.begin(symbols.len(), skipped_fresh),
                JobEvent::Progress { progress, .. } => self.progress.show(&progress),
                JobEvent::Finished { outcome, .. } => break outcome,
                _ => {}
            }
        };
        self.preheating = false;
        self.progress.finish();
        match outcome {
            JobOutcome::Preheated(mut report) => {
                // A cancel that came when the last symbol was through has still been one.
                report.cancelled |= self.interrupted && report.not_reached > 0;
                Ok(*report)
            }
            JobOutcome::Failed(_) if self.interrupted => Err(anyhow!("cancelled; what was finished is safe")),
            JobOutcome::Failed(reason) => Err(anyhow!(reason)),
        }
    }

    /// Marks entries as not fresh; returns how many, and their bytes.
    pub(super) fn invalidate(&mut self, selection: Selection) -> anyhow::Result<(usize, u64)> {
        self.worker.send(Job::Invalidate(selection));
        loop {
            if let JobEvent::Invalidated { entries, size_bytes } = self.next()? {
                return Ok((entries, size_bytes));
            }
        }
    }

    /// Moves entries to the trash.
    pub(super) fn clear(&mut self, selection: Selection) -> anyhow::Result<Cleared> {
        self.worker.send(Job::Clear(selection));
        loop {
            if let JobEvent::Cleared(cleared) = self.next()? {
                return Ok(cleared);
            }
        }
    }

    /// Brings the newest cleared batch back.
    pub(super) fn undo_clear(&mut self) -> anyhow::Result<Cleared> {
        self.worker.send(Job::UndoClear(None));
        loop {
            if let JobEvent::Restored(restored) = self.next()? {
                return Ok(restored);
            }
        }
    }

    /// Checks every file.
    pub(super) fn verify(&mut self, repair: bool) -> anyhow::Result<VerifyReport> {
        self.worker.send(Job::Verify { repair });
        loop {
            match self.next()? {
                JobEvent::VerifyProgress { done, total } => self.progress.files(done, total),
                JobEvent::Verified(report) => {
                    self.progress.finish();
                    return Ok(*report);
                }
                _ => {}
            }
        }
    }

    /// Reads a little from the source and tells what that took.
    pub(super) fn profile(&mut self, request: ProfileRequest) -> anyhow::Result<Arc<ProfileReport>> {
        self.worker.send(Job::ProfileSource(request));
        loop {
            if let JobEvent::Profiled(result) = self.next()? {
                return result.map_err(|reason| anyhow!(reason));
            }
        }
    }

    /// Tests a connection; `report` hears of each stage as it ends.
    pub(super) fn test_source(
        &mut self,
        url: SourceUrl,
        mut report: impl FnMut(&StageReport) -> anyhow::Result<()>,
    ) -> anyhow::Result<TestReport> {
        self.worker.send(Job::TestSource { generation: 1, url: Box::new(url) });
        loop {
            match self.next()? {
                JobEvent::TestStage { stage, .. } => report(&stage)?,
                JobEvent::TestFinished { report, .. } => return Ok(*report),
                _ => {}
            }
        }
    }
}
