//! The jobs of this session as the window shows them.

use crate::market::Symbol;
use crate::preheat::{PreheatReport, Progress, SymbolOutcome};
use crate::tr;
use crate::worker::JobId;
use std::collections::{HashMap, HashSet};

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStage {
    /// Waits for the one before it.
    Queued,
    /// Finds out what is to do.
    Planning,
    /// Works.
    Running,
    /// Waits to be resumed.
    Paused,
    /// Was told to stop and finishes what is under way.
    Cancelling,
    /// Ended, with a report.
    Done,
    /// Could not run.
    Failed,
}

impl JobStage {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => tr!("waiting"),
            Self::Planning => tr!("planning"),
            Self::Running => tr!("running"),
            Self::Paused => tr!("paused"),
            Self::Cancelling => tr!("stopping"),
            Self::Done => tr!("done"),
            Self::Failed => tr!("failed"),
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// One job of this session.
#[derive(Debug, Clone)]
pub struct JobView {
    /// Its number.
    pub id: JobId,
    /// Its row in the history, once it has one.
    pub record_id: Option<i64>,
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub stage: JobStage,
    /// How far it is.
    pub progress: Progress,
    /// Symbols asked for.
    pub requested: usize,
    /// Symbols with nothing to do.
    pub skipped_fresh: usize,
    /// Symbols it still has to work on.
    pub pending: HashSet<Symbol>,
    /// Those of them it has taken up.
    pub begun: HashSet<Symbol>,
    /// Symbols brought to fresh so far.
    pub ok: Vec<Symbol>,
    /// Symbols it has finished since the last snapshot, and what became of them.
    pub finished: HashMap<Symbol, SymbolOutcome>,
    /// Symbols that failed so far, and why.
    pub failures: Vec<(Symbol, String)>,
    /// Symbols without data so far.
    pub no_data: Vec<Symbol>,
    /// How it ended.
    pub report: Option<PreheatReport>,
    /// Why it could not run.
    pub error: Option<String>,
}

impl JobView {
    /// Whether a symbol is one it works or worked on.
    #[must_use]
    pub fn touched(&self, symbol: &Symbol) -> bool {
        self.pending.contains(symbol) || self.finished.contains_key(symbol)
    }

    /// What became of a symbol, if it is finished.
    #[must_use]
    pub fn outcome_of(&self, symbol: &Symbol) -> Option<&SymbolOutcome> {
        self.finished.get(symbol)
    }

    pub(super) fn new(id: JobId, title: String) -> Self {
        Self {
            id,
            record_id: None,
            title,
            stage: JobStage::Queued,
            progress: Progress::default(),
            requested: 0,
            skipped_fresh: 0,
            pending: HashSet::new(),
            begun: HashSet::new(),
            ok: Vec::new(),
            finished: HashMap::new(),
            failures: Vec::new(),
            no_data: Vec::new(),
            report: None,
            error: None,
        }
    }
}
