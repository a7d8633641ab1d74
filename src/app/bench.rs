//! Measuring the speed without its widgets: what is typed, how far it is, and what was measured. Kept until the dialog is closed.

use super::state::{AppState, Dialog};
use crate::tr;
use crate::worker::{BENCH_RUNS, BENCH_SYMBOLS, BenchOutcome, BenchProgress, BenchReport, BenchRequest, Job, MOST_BENCH_RUNS, NoticeLevel};
use std::sync::Arc;

/// What the dialog holds.
#[derive(Debug, Clone)]
pub struct BenchForm {
    /// How many symbols, as typed.
    pub symbols: String,
    /// How often each stage is measured, as typed.
    pub runs: String,
    /// How far it is.
    pub phase: BenchPhase,
}

/// How far a measurement is.
#[derive(Debug, Clone, Default)]
pub enum BenchPhase {
    /// Not begun.
    #[default]
    Idle,
    /// Under way.
    Running {
        /// Which it is.
        generation: u64,
        /// How far, once something is measured.
        progress: Option<BenchProgress>,
        /// Whether it was told to stop.
        stopping: bool,
    },
    /// It was stopped.
    Stopped,
    /// It could not be done.
    Failed(String),
    /// What was measured.
    Done(Arc<BenchReport>),
}

impl Default for BenchForm {
    fn default() -> Self {
        Self { symbols: BENCH_SYMBOLS.to_string(), runs: BENCH_RUNS.to_string(), phase: BenchPhase::Idle }
    }
}

impl BenchForm {
    /// Whether it is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.phase, BenchPhase::Running { .. })
    }

    /// How many symbols and how often.
    ///
    /// # Errors
    /// What is wrong with what was typed.
    pub fn wanted(&self) -> Result<(usize, usize), &'static str> {
        let number = |text: &str| text.trim().replace(',', "").parse::<usize>().ok().filter(|number| *number > 0);
        let symbols = number(&self.symbols).ok_or(tr!("Write how many symbols to measure, such as 100"))?;
        let runs = number(&self.runs).filter(|runs| *runs <= MOST_BENCH_RUNS).ok_or(tr!("Write how often to measure, from 1 to 99"))?;
        Ok((symbols, runs))
    }
}

/// What is done in the dialog.
#[derive(Debug, Clone)]
pub enum BenchAction {
    /// The number of symbols changed.
    Symbols(String),
    /// The number of runs changed.
    Runs(String),
    /// Measure.
    Run,
    /// Stop measuring.
    Stop,
    /// Copy the figures.
    Copy,
}

impl AppState {
    pub(super) fn change_bench(&mut self, action: BenchAction) -> Vec<Job> {
        let next = self.next_bench + 1;
        let Some(Dialog::Bench(form)) = &mut self.dialog else { return Vec::new() };
        match action {
            BenchAction::Symbols(text) => form.symbols = text,
            BenchAction::Runs(text) => form.runs = text,
            BenchAction::Run => {
                let Ok((limit, runs)) = form.wanted() else { return Vec::new() };
                if form.is_running() {
                    return Vec::new();
                }
                form.phase = BenchPhase::Running { generation: next, progress: None, stopping: false };
                self.next_bench = next;
                return vec![Job::Bench(BenchRequest { generation: next, limit, runs })];
            }
            BenchAction::Stop => {
                if let BenchPhase::Running { stopping, .. } = &mut form.phase {
                    *stopping = true;
                    return vec![Job::StopBench];
                }
            }
            BenchAction::Copy => {
                if let BenchPhase::Done(report) = &form.phase {
                    self.clipboard = Some(report.as_tsv());
                    self.notices.tell(NoticeLevel::Success, tr!("Copied the figures").to_owned());
                }
            }
        }
        Vec::new()
    }

    /// The form of the measurement that is told of, if it is still the one that is shown.
    fn running_bench(&mut self, told: u64) -> Option<&mut BenchForm> {
        let Some(Dialog::Bench(form)) = &mut self.dialog else { return None };
        let is_this = matches!(form.phase, BenchPhase::Running { generation, .. } if generation == told);
        is_this.then_some(&mut **form)
    }

    pub(super) fn apply_bench_progress(&mut self, told: u64, now: BenchProgress) {
        if let Some(form) = self.running_bench(told)
            && let BenchPhase::Running { progress, .. } = &mut form.phase
        {
            *progress = Some(now);
        }
    }

    pub(super) fn apply_bench_finished(&mut self, told: u64, outcome: BenchOutcome) {
        if let Some(form) = self.running_bench(told) {
            form.phase = match outcome {
                BenchOutcome::Done(report) => BenchPhase::Done(report),
                BenchOutcome::Stopped => BenchPhase::Stopped,
                BenchOutcome::Failed(message) => BenchPhase::Failed(message),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_number_or_told_to_be_none() {
        let form = |symbols: &str, runs: &str| BenchForm { symbols: symbols.to_owned(), runs: runs.to_owned(), phase: BenchPhase::Idle };
        assert_eq!(BenchForm::default().wanted(), Ok((100, 5)));
        assert_eq!(form(" 1,000 ", "1").wanted(), Ok((1_000, 1)));
        for (symbols, runs) in [("", "5"), ("0", "5"), ("many", "5"), ("10", "0"), ("10", "100"), ("10", "-1")] {
            assert!(form(symbols, runs).wanted().is_err(), "{symbols} {runs}");
        }
    }
}
