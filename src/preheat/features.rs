//! A symbol's feature sets brought up to its bars, each in the cheapest way that gives the same bits: left as they are, taken back
//! from an older version, continued, or computed.
//!
//! Contract: what is staged equals what computing everything from the first bar would give.

use super::plan::{FeatureTask, PlanItem};
use super::run::{Finished, Shared, add_since};
use super::working::{BarsFacts, failed_in_cache, settled_rows};
use crate::cache::{CacheError, Content, Entry, EntryKey, Footer, Provenance, Staged, Touched};
use crate::feature::{self, FeatureSet, FeatureState};
use crate::market::Bars;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A set of the request whose features of one symbol were staged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SetUse {
    /// Which of the request's sets.
    pub set: usize,
    /// Rows that were computed.
    pub rows: u64,
}

/// One symbol's features of one set, about to be brought up to its bars.
struct Work<'a> {
    shared: &'a Shared,
    set: &'a FeatureSet,
    bars: &'a Arc<Bars>,
    facts: &'a BarsFacts,
    /// What is cached and was made by the present definition: the entry, or an older version that is the present one again.
    own: Option<&'a Entry>,
    footer: Footer,
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

/// The entry among those of a task that a definition made, if one is.
fn made_by<'task>(set: &FeatureSet, task: &'task FeatureTask) -> Option<&'task Entry> {
    let definition = set.definition_hash();
    let entries = [task.previous.as_deref(), task.older.as_deref()].into_iter().flatten();
    entries.into_iter().find(|entry| entry.file.is_some() && entry.provenance.is_some_and(|made| made.definition == definition))
}

/// Whether features are there that the present definition made of these bars, so that nothing has to be computed.
pub(super) fn is_current(shared: &Shared, task: &FeatureTask, inputs: u128) -> bool {
    let made = shared.request.sets.get(task.set).and_then(|set| made_by(set, task)).and_then(|entry| entry.provenance);
    made.is_some_and(|made| made.inputs == inputs)
}

/// Brings the planned feature sets of a symbol up to its bars.
pub(super) fn bring_features(shared: &Shared, item: &PlanItem, bars: &Arc<Bars>, facts: &BarsFacts, finished: &mut Finished) {
    for task in &item.features {
        let Some(set) = shared.request.sets.get(task.set) else { continue };
        let key = EntryKey::features(&shared.source_id, &item.symbol, set.name());
        let provenance = Provenance { definition: set.definition_hash(), inputs: facts.fingerprint };
        let own = made_by(set, task);
        let current = own.filter(|entry| entry.provenance == Some(provenance) && !shared.request.force);
        if current.is_some_and(|entry| !entry.key.dataset.is_older()) {
            finished.touched.push(Touched {
                key,
                fetched_at_us: facts.fetched_at_us,
                range: facts.range,
                quality: facts.quality,
                synced: None,
                provisional_from_us: facts.provisional_from_us,
            });
            continue;
        }
        let footer = Footer {
            key: key.clone(),
            provenance: Some(provenance),
            range: facts.range,
            fetched_at_us: facts.fetched_at_us,
            quality: facts.quality,
            synced: None,
            provisional_from_us: facts.provisional_from_us,
            cost_us: 0,
            state: None,
            precision: crate::feature::Precision::F64,
            rounding: None,
        };
        let work = Work { shared, set, bars, facts, own, footer };
        let staged = match current {
            Some(older) => Ok((work.take_back(older), 0)),
            None => work.continued().unwrap_or_else(|| work.computed()),
        };
        match staged {
            Ok((mut staged, rows)) => {
                // Features of pinned bars are pinned with them.
                staged.entry.pinned |= facts.pinned;
                finished.staged.push(staged);
                finished.used.push(SetUse { set: task.set, rows });
            }
            Err(error) => {
                finished.failure = failed_in_cache(shared, &item.symbol, key, &error).failure;
                return;
            }
        }
    }
}

/// What was staged, and how many rows were computed for it.
type Outcome = Result<(Staged, u64), CacheError>;

impl Work<'_> {
    /// Makes an older version the present one again: the definition is what it was, and so are the bars.
    fn take_back(&self, older: &Entry) -> Staged {
        add(&self.shared.counted.columns_restored, self.set.definitions().len());
        self.shared.cache.stage_older(older, &self.footer)
    }

    /// Computes everything.
    fn computed(&self) -> Outcome {
        let Self { shared, set, bars, facts, .. } = self;
        let computing = Instant::now();
        let (table, state) = feature::compute_with_state(set, bars, settled_rows(bars, facts.provisional_from_us));
        let rows = table.len();
        self.count_computed(rows, table.columns.len());
        add(&shared.counted.columns_computed, table.columns.len());
        let footer = Footer {
            cost_us: u64::try_from(computing.elapsed().as_micros()).unwrap_or(u64::MAX),
            state: Some(state.to_text()),
            ..self.footer.clone()
        };
        add_since(&shared.busy.compute_ns, computing);
        let content = Content::Features { bars: Arc::clone(bars), table: Arc::new(table) };
        let staged = self.write(|| shared.cache.stage(&content, footer.clone()))?;
        Ok((staged, rows as u64))
    }

    /// Goes on from the state of the cached features; `None` where that cannot be done and everything has to be computed.
    fn continued(&self) -> Option<Outcome> {
        let Self { shared, set, bars, facts, .. } = self;
        let (before, from_row) = facts.before?;
        let entry = self.own?;
        if shared.request.force || from_row == 0 || from_row > bars.len() || entry.provenance.is_none_or(|made| made.inputs != before) {
            return None;
        }
        let computing = Instant::now();
        let open = match shared.cache.open_for_append(entry) {
            Ok(open) => open,
            Err(error) => {
                tracing::warn!(%error, "cached features cannot be continued and are computed whole");
                return None;
            }
        };
        let state = FeatureState::from_text(open.footer().state.as_deref()?).ok()?;
        // The state is as at the first row that was provisional, which may since have been found unchanged.
        let from_row = from_row.min(state.rows());
        let (tail, state) = feature::continue_from(set, bars, from_row, &state, settled_rows(bars, facts.provisional_from_us))?;
        let rows = tail.len();
        self.count_computed(rows, tail.columns.len());
        add(&shared.counted.columns_continued, tail.columns.len());
        add_since(&shared.busy.compute_ns, computing);
        let rows_before = entry.rows().max(1);
        let cost_us = entry.cost_us.saturating_mul(bars.len() as u64) / rows_before;
        let footer = Footer { cost_us, state: Some(state.to_text()), ..self.footer.clone() };
        let mut open = Some(open);
        let staged = self.write(|| {
            let open = match open.take() {
                Some(open) => open,
                // A second attempt opens the file anew.
                None => shared.cache.open_for_append(entry)?,
            };
            shared.cache.stage_append(open, bars, from_row, Some(&tail), footer.clone())
        });
        Some(staged.map(|staged| (staged, rows as u64)))
    }

    fn count_computed(&self, rows: usize, columns: usize) {
        add(&self.shared.counted.rows_computed, rows);
        add(&self.shared.counted.values_computed, rows * columns);
    }

    /// Writes, waiting for room where the disk is full.
    fn write(&self, write: impl FnMut() -> Result<Staged, CacheError>) -> Result<Staged, CacheError> {
        let writing = Instant::now();
        let staged = self.shared.with_room(write);
        add_since(&self.shared.busy.write_ns, writing);
        staged
    }
}
