//! A symbol's feature sets brought up to its bars, each in the cheapest way that gives the same bits: left as they are, taken back
//! from an older version, continued, or computed.
//!
//! Contract: what is staged equals what computing everything from the first bar would give.

use super::plan::{FeatureTask, PlanItem};
use super::reuse::Reuse;
use super::run::{Finished, Shared, add_since};
use super::working::{BarsFacts, failed_in_cache, settled_rows};
use crate::cache::{Appendable, CacheError, ColumnFrom, Content, Entry, EntryKey, Footer, Provenance, Staged, Touched, rounding_of};
use crate::feature::{self, FeatureSet, FeatureState, FeatureTable, Precision};
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
    /// Largest relative error of a value that was stored rounded, where values are.
    pub rounding: Option<f64>,
}

/// One symbol's features of one set, about to be brought up to its bars.
struct Work<'a> {
    shared: &'a Shared,
    set: &'a FeatureSet,
    bars: &'a Arc<Bars>,
    facts: &'a BarsFacts,
    /// What is cached and was made by the present definition: the entry, or an older version that is the present one again.
    own: Option<&'a Entry>,
    /// What is cached and was made by another definition.
    other: Option<&'a Entry>,
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
            precision: set.precision(),
            rounding: None,
            years: None,
        };
        let other = task.previous.as_deref().filter(|_| own.is_none());
        let work = Work { shared, set, bars, facts, own, other, footer };
        let done = match current {
            Some(older) => Ok(work.take_back(older)),
            None if shared.request.force => work.computed(),
            None => work.continued().or_else(|| work.reused(task.set)).unwrap_or_else(|| work.computed()),
        };
        match done {
            Ok(Done { mut staged, rows, rounding }) => {
                // Features of pinned bars are pinned with them.
                staged.entry.pinned |= facts.pinned;
                finished.staged.push(staged);
                finished.used.push(SetUse { set: task.set, rows: rows as u64, rounding });
            }
            Err(error) => {
                finished.failure = failed_in_cache(shared, &item.symbol, key, &error).failure;
                return;
            }
        }
    }
}

/// What was staged.
struct Done {
    staged: Staged,
    /// Rows that were computed for it.
    rows: usize,
    /// Largest relative error of a value in it, where values are rounded.
    rounding: Option<f64>,
}

type Outcome = Result<Done, CacheError>;

impl Work<'_> {
    /// Makes an older version the present one again: the definition is what it was, and so are the bars.
    fn take_back(&self, older: &Entry) -> Done {
        add(&self.shared.counted.columns_restored, self.set.definitions().len());
        Done { staged: self.shared.cache.stage_older(older, &self.footer), rows: 0, rounding: None }
    }

    /// The largest relative error of these values and those that were written `before`, where values are rounded.
    fn rounding(&self, table: &FeatureTable, before: Option<f64>) -> Option<f64> {
        (self.set.precision() == Precision::F32).then(|| rounding_of(&table.columns).max(before.unwrap_or(0.0)))
    }

    /// Computes everything.
    fn computed(&self) -> Outcome {
        let Self { shared, set, bars, facts, .. } = self;
        let computing = Instant::now();
        let (table, state) = feature::compute_with_state(set, bars, settled_rows(bars, facts.provisional_from_us));
        let rows = table.len();
        self.count_computed(rows, table.columns.len());
        add(&shared.counted.columns_computed, table.columns.len());
        let cost_us = u64::try_from(computing.elapsed().as_micros()).unwrap_or(u64::MAX);
        let rounding = self.rounding(&table, None);
        let footer = Footer { cost_us, state: Some(state.to_text()), rounding, ..self.footer.clone() };
        add_since(&shared.busy.compute_ns, computing);
        let table = Arc::new(table);
        let content = Content::Features { bars: Arc::clone(bars), table: Arc::clone(&table) };
        let staged = self.write(|| shared.cache.stage(&content, footer.clone()))?;
        drop(content);
        // The next symbol's columns take the room of these.
        if let Some(table) = Arc::into_inner(table) {
            feature::recycle(table);
        }
        Ok(Done { staged, rows, rounding })
    }

    /// Takes the columns that mean what they did from the file of another definition, and computes the others; `None` where that
    /// cannot be done.
    fn reused(&self, place: usize) -> Option<Outcome> {
        let Self { shared, set, bars, facts, .. } = self;
        let entry = self.other.filter(|entry| entry.file.is_some())?;
        let made = entry.provenance.filter(|made| made.inputs == facts.fingerprint)?;
        let reuse = shared.reuses.of(&shared.cache, place, set, made.definition)?;
        let computing = Instant::now();
        let open =
            shared.cache.open_for_append(entry).inspect_err(|error| tracing::warn!(%error, "an older version cannot be used")).ok()?;
        let before = FeatureState::from_text(open.footer().state.as_deref()?).ok()?;
        let (table, state) = feature::compute_some(set, &reuse.computed, bars, before.rows());
        let state = FeatureState::assembled(set, &[&before, &state])?;
        let footer = Footer { cost_us: entry.cost_us, state: Some(state.to_text()), ..self.footer.clone() };
        add_since(&shared.busy.compute_ns, computing);
        let mut rounding = None;
        let staged = self.write(|| {
            let (staged, largest) = self.stage_reused(&open, &reuse, &table, footer.clone())?;
            rounding = largest;
            Ok(staged)
        });
        let rows = if reuse.computed.is_empty() { 0 } else { bars.len() };
        self.count_computed(rows, reuse.computed.len());
        add(&shared.counted.columns_computed, reuse.computed.len());
        add(&shared.counted.columns_reused, reuse.reused());
        add(&shared.counted.values_reused, reuse.reused() * bars.len());
        Some(staged.map(|staged| Done { staged, rows, rounding }))
    }

    /// As the columns are encoded, where they are encoded alike; else decoded and encoded again. Also the largest error of rounding.
    fn stage_reused(
        &self,
        open: &Appendable,
        reuse: &Reuse,
        computed: &FeatureTable,
        footer: Footer,
    ) -> Result<(Staged, Option<f64>), CacheError> {
        let mut next_computed = 0..;
        let names = self.set.definitions().iter().map(|definition| Arc::clone(&definition.name));
        let from = reuse.columns.iter().map(|known| match known {
            Some(known) => ColumnFrom::Present(known),
            None => ColumnFrom::Computed(next_computed.next().unwrap_or_default()),
        });
        let features: Vec<(Arc<str>, ColumnFrom<'_>)> = names.zip(from).collect();
        if reuse.is_encoded_alike {
            let rounding = self.rounding(computed, open.footer().rounding);
            let footer = Footer { rounding, ..footer.clone() };
            if let Some(staged) = self.shared.cache.stage_with(open, &features, computed, footer)? {
                return Ok((staged, rounding));
            }
        }
        let Content::Features { table: present, .. } = open.content()? else { return Err(open.without_features()) };
        let column = |from: &ColumnFrom<'_>| match from {
            ColumnFrom::Present(known) => present.column(known).map(<[f64]>::to_vec),
            ColumnFrom::Computed(place) => computed.columns.get(*place).cloned(),
        };
        let columns: Option<Vec<Vec<f64>>> = features.iter().map(|(_, from)| column(from)).collect();
        let columns = columns.ok_or_else(|| open.without_features())?;
        let names = features.into_iter().map(|(name, _)| name).collect();
        let table = FeatureTable { names, columns, time_us: self.bars.time_us.clone(), resolution: self.bars.resolution };
        let rounding = self.rounding(&table, open.footer().rounding);
        let content = Content::Features { bars: Arc::clone(self.bars), table: Arc::new(table) };
        Ok((self.shared.cache.stage(&content, Footer { rounding, ..footer })?, rounding))
    }

    /// Goes on from the state of the cached features; `None` where that cannot be done and everything has to be computed.
    fn continued(&self) -> Option<Outcome> {
        let Self { shared, set, bars, facts, .. } = self;
        let (before, from_row) = facts.before?;
        let entry = self.own?;
        if from_row == 0 || from_row > bars.len() || entry.provenance.is_none_or(|made| made.inputs != before) {
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
        let rounding = self.rounding(&tail, open.footer().rounding);
        let footer = Footer { cost_us, state: Some(state.to_text()), rounding, ..self.footer.clone() };
        let mut open = Some(open);
        let staged = self.write(|| {
            let open = match open.take() {
                Some(open) => open,
                // A second attempt opens the file anew.
                None => shared.cache.open_for_append(entry)?,
            };
            shared.cache.stage_append(open, bars, from_row, Some(&tail), footer.clone())
        });
        Some(staged.map(|staged| Done { staged, rows, rounding }))
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
