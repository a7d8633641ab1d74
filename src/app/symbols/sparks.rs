//! The closes of rows in view: asked for as rows come into view, a few at a time; of all rows where a column is made of closes.
//!
//! Contract: one question is under way at a time. What is known of bars that have changed since is asked for again, and shown until then.

use super::SymbolList;
use crate::app::state::{AppState, OpenState, View};
use crate::worker::{Column, Job, Snapshot, Spark, SparkRequest, Sparks, SymbolRow};
use std::ops::Range;
use std::sync::Arc;

/// Rows beyond the view that are asked for, too.
const MARGIN: usize = 24;
/// Symbols of one question.
const CHUNK: usize = 96;

/// What is known of closes.
#[derive(Debug, Clone, Default)]
pub struct SparkState {
    known: Arc<Sparks>,
    /// Rows in view.
    seen: Range<usize>,
    is_waiting: bool,
    /// The snapshot of which everything is known.
    complete: Option<usize>,
}

impl SparkState {
    /// The closes of a row, of its present bars or of those before.
    #[must_use]
    pub fn of(&self, row: &SymbolRow) -> Option<&Spark> {
        row.bars_fingerprint?;
        self.known.get(&row.symbol).map(|spark| &**spark)
    }

    /// Everything that is known.
    #[must_use]
    pub fn known(&self) -> &Arc<Sparks> {
        &self.known
    }

    /// The rows in view, as last told.
    #[must_use]
    pub fn seen(&self) -> &Range<usize> {
        &self.seen
    }

    /// Other columns may want closes of rows that were of no use before.
    pub(super) fn forget_completeness(&mut self) {
        self.complete = None;
    }

    /// The cache was opened anew: what could not be read may be read now.
    pub(in crate::app) fn forget(&mut self) {
        *self = Self { seen: self.seen.clone(), ..Self::default() };
    }

    fn lacks(&self, row: &SymbolRow) -> bool {
        row.bars_fingerprint.is_some_and(|bars| self.known.get(&row.symbol).is_none_or(|spark| spark.fingerprint != Some(bars)))
    }
}

impl AppState {
    /// Other rows came into view.
    pub(super) fn see_rows(&mut self, rows: Range<usize>) {
        self.sparks.seen = rows;
    }

    /// Asks for closes that are in view and not known.
    pub(in crate::app) fn ask_for_closes(&mut self) -> Option<Job> {
        if self.sparks.is_waiting || self.open != OpenState::Ready || self.view != View::Symbols {
            return None;
        }
        let entries = wanted(&self.sparks, &self.list, &self.snapshot);
        let Some(entries) = entries else {
            self.sparks.complete = Some(Arc::as_ptr(&self.snapshot) as usize);
            return None;
        };
        self.sparks.is_waiting = true;
        Some(Job::Sparks(SparkRequest { entries }))
    }

    pub(in crate::app) fn apply_sparks(&mut self, sparks: Vec<(crate::market::Symbol, Arc<Spark>)>) {
        self.sparks.is_waiting = false;
        Arc::make_mut(&mut self.sparks.known).extend(sparks);
        // An order by closes is worked out once, when the last of them are here.
        let by_closes = self.list.sort().keys().iter().any(|key| key.column.needs_closes() || key.column == Column::Trend);
        if by_closes && wanted(&self.sparks, &self.list, &self.snapshot).is_none() {
            self.update_list();
        }
    }
}

/// Entries of bars whose closes are wanted next; `None` when all are known.
fn wanted(state: &SparkState, list: &SymbolList, snapshot: &Arc<Snapshot>) -> Option<Vec<crate::cache::Entry>> {
    let by_closes = list.sort().keys().iter().any(|key| key.column.needs_closes() || key.column == Column::Trend);
    let all = by_closes || list.columns().shown().any(Column::needs_closes);
    if !all && !list.columns().is_shown(Column::Trend) {
        return None;
    }
    let visible = list.visible();
    let first = state.seen.start.saturating_sub(MARGIN).min(visible.len());
    let end = state.seen.end.saturating_add(MARGIN).min(visible.len());
    let in_view = visible.get(first..end).unwrap_or_default().iter().filter_map(|place| snapshot.rows.get(*place));
    let bars_of = |row: &SymbolRow| {
        let bars = row.datasets.iter().find(|facts| facts.entry.key.dataset.is_bars() && facts.entry.file.is_some());
        bars.map(|facts| facts.entry.clone())
    };
    let mut entries: Vec<crate::cache::Entry> = in_view.filter(|row| state.lacks(row)).take(CHUNK).filter_map(bars_of).collect();
    if entries.is_empty() && all && state.complete != Some(Arc::as_ptr(snapshot) as usize) {
        entries = snapshot.rows.iter().filter(|row| state.lacks(row)).take(CHUNK * 4).filter_map(bars_of).collect();
    }
    (!entries.is_empty()).then_some(entries)
}
