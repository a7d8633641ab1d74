//! What is asked of the worker about feature sets, and what comes back: saving and deleting a user's set, trying formulas on a
//! symbol, and telling what a change would make outdated.
//!
//! The types only. Everything a front end has to show is in the answers; spans are bytes of the text that was sent.

use super::chart_data::ChartData;
use crate::cache::Tier;
use crate::feature::graph::WarmUp;
use crate::feature::{ColumnStats, SetMistake};
use crate::market::Symbol;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Formulas to be tried on a symbol, while they are typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRequest {
    /// Counts up. A newer request ends the work on an older one; the answer to an older one may be missing.
    pub generation: u64,
    /// On which symbol's cached bars.
    pub symbol: Symbol,
    /// Columns to be computed: name and formula. Formulas may use each other by name.
    pub formulas: Vec<(String, String)>,
    /// What formulas may use without being shown: helpers and other features of the set that is edited.
    pub helpers: Vec<(String, String)>,
    /// What windows give before they are full.
    pub warm_up: WarmUp,
}

/// A mistake in one of the formulas of a [`PreviewRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewMistake {
    /// The name of the formula.
    pub formula: String,
    /// Whether it is one of the helpers.
    pub is_helper: bool,
    /// Where in the formula, in bytes.
    pub span: Range<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    /// The nearest known name.
    pub suggestion: Option<String>,
}

/// What formulas give for a symbol. Formulas with mistakes have no column; the others do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The symbol's bars with the columns as features, and their levels of detail; ready to be drawn.
    pub data: Arc<ChartData>,
    /// Figures of each column, in the order of the columns.
    pub figures: Vec<ColumnStats>,
    /// What is wrong with the formulas that have no column.
    pub mistakes: Vec<PreviewMistake>,
    /// Which tier the bars came from.
    pub tier: Tier,
    /// Seconds it took.
    pub seconds: f64,
}

/// Why there is no preview at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreviewError {
    /// No bars of the symbol are cached.
    NotCached,
    /// It would take too long: what takes so long, in words.
    TooLong(String),
    /// Something failed.
    Failed(String),
}

/// A set's text about to be saved: what would that change?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdateRequest {
    /// Counts up; the answer to an older request than the last is to be dropped.
    pub generation: u64,
    /// The name of the set; one that does not exist yet changes nothing.
    pub name: String,
    /// Its text, as it would be saved.
    pub text: String,
}

/// What saving a set's text would change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outdate {
    /// Features the set does not have now.
    pub added: Vec<String>,
    /// Features that mean something else than now.
    pub changed: Vec<String>,
    /// Features the set would not have any more.
    pub removed: Vec<String>,
    /// Features whose values stay as they are, and are not computed again.
    pub unchanged: usize,
    /// Cached entries that would become outdated, of all sources.
    pub entries: usize,
    /// Symbols they belong to.
    pub symbols: usize,
    /// Bytes of their files.
    pub size_bytes: u64,
    /// Rows they have.
    pub rows: u64,
    /// Seconds of computing that bringing them up to date would take, as measured before; `None` when nothing was.
    pub seconds: Option<f64>,
    /// What is wrong with the text: it cannot be saved, and nothing else is known then.
    pub mistakes: Vec<SetMistake>,
}

impl Outdate {
    /// Whether saving would make nothing outdated.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.entries == 0 && self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty() && self.mistakes.is_empty()
    }
}

/// Why a set was not saved or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetRefusal {
    /// Its text has mistakes.
    Mistakes(Vec<SetMistake>),
    /// Something else: the name is a built-in set's, or the file cannot be written.
    Failed(String),
}

/// A user's set that was saved or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetFileChange {
    /// The name of the set.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What the file held before, if there was one: saving this text again undoes the change.
    pub before: Option<Arc<str>>,
    /// Where a copy of what it held before is kept.
    pub copy: Option<PathBuf>,
}
