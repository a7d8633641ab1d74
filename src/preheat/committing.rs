//! The committing thread: takes whatever is finished, makes it durable in one transaction, and tells about it.

use super::patience::{Waiting, next_attempt_us};
use super::report::{Progress, SymbolOutcome};
use super::run::{Finished, News, Shared, add_since};
use crate::cache::{Batch, CacheError, Change, ChangeKind, Entry, EntryKey, Failure, QualityFinding, VersionUse};
use crate::market::Symbol;
use async_channel::Receiver;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Files that were added to and wait for their commit; they stay open until then.
const MOST_OPEN_FILES: usize = 96;
/// Most symbols in one catalog transaction. Files that were added to stay open until then, and systems allow few hundred.
pub(super) const COMMIT_BATCH: usize = 64;

/// What the commits add up to.
#[derive(Default)]
pub(super) struct Committed {
    pub done: usize,
    pub ok: usize,
    pub unchanged: usize,
    pub no_data: Vec<Symbol>,
    pub failed: Vec<(Symbol, String)>,
    pub appended: usize,
    pub changed: Vec<Symbol>,
    pub rows: u64,
    pub rows_dropped: u64,
    pub bars_bytes: u64,
    pub features_bytes: u64,
    pub bytes_written: u64,
    pub kept_older: usize,
    pub rounding: Option<f64>,
}

/// Takes finished symbols until there are no more; `observe` hears of every commit and of every wait.
pub(super) fn commit_all(
    shared: &Shared,
    news_in: &Receiver<News>,
    mut progress: Progress,
    started: Instant,
    mut observe: impl FnMut(&Progress, &[(Symbol, SymbolOutcome)]),
) -> Committed {
    let mut committed = Committed::default();
    observe(&progress, &[]);
    while let Ok(first) = news_in.recv_blocking() {
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(news) = next.take() {
            match news {
                News::Finished(finished) => batch.push(*finished),
                News::Waiting(waiting) => {
                    progress.waiting = waiting;
                    observe(&progress, &[]);
                }
                News::Begun(symbols) => {
                    progress.begun = symbols;
                    observe(&progress, &[]);
                    progress.begun.clear();
                }
            }
            let open_files: usize = batch.iter().map(|finished: &Finished| finished.open_files()).sum();
            if batch.len() < COMMIT_BATCH && open_files < MOST_OPEN_FILES {
                next = news_in.try_recv().ok();
            }
        }
        if batch.is_empty() {
            continue;
        }
        let symbols = batch.len();
        let writing = Instant::now();
        let tell = |waiting: Option<Waiting>| {
            progress.waiting = waiting.map(Arc::new);
            observe(&progress, &[]);
        };
        let outcomes = match commit_batch(shared, batch, &mut committed, tell) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // What is not committed does not count; what was stays, and the report says so.
                shared.stop(&error.to_string());
                give_up_the_rest(shared, news_in);
                return committed;
            }
        };
        add_since(&shared.busy.write_ns, writing);
        shared.queue.done(symbols);
        progress.symbols_done = committed.done;
        progress.failed += outcomes.iter().filter(|(_, outcome)| matches!(outcome, SymbolOutcome::Failed(_))).count();
        progress.rows = committed.rows;
        progress.elapsed_secs = started.elapsed().saturating_sub(shared.control.paused()).as_secs_f64();
        observe(&progress, &outcomes);
    }
    committed
}

fn commit_batch(
    shared: &Shared,
    finished: Vec<Finished>,
    committed: &mut Committed,
    tell: impl FnMut(Option<Waiting>),
) -> Result<Vec<(Symbol, SymbolOutcome)>, CacheError> {
    let now_us = shared.cache.now_us();
    let mut batch = Batch { forget_older: shared.request.kept_versions == 0, ..Batch::default() };
    let mut used: BTreeMap<usize, VersionUse> = BTreeMap::new();
    let mut outcomes: Vec<(Symbol, SymbolOutcome)> = Vec::new();
    let mut place_of: HashMap<Symbol, usize> = HashMap::new();
    for finished in finished {
        let Some(symbol) = finished.symbol else { continue };
        if let Some(lease) = finished.lease
            && !batch.leases.iter().any(|known| Arc::ptr_eq(known, &lease))
        {
            batch.leases.push(lease);
        }
        for one in &finished.staged {
            let bytes = one.bytes_written();
            if one.entry.key.dataset.is_bars() {
                committed.bars_bytes += bytes;
            } else {
                committed.features_bytes += bytes;
            }
            committed.bytes_written += bytes;
        }
        batch.staged.extend(finished.staged);
        for one in finished.used {
            let Some(version) = shared.versions.get(one.set) else { continue };
            let of_set =
                used.entry(one.set).or_insert_with(|| VersionUse { version: Arc::clone(version), entries: 0, rows: 0, rounding: None });
            of_set.entries += 1;
            of_set.rows += one.rows;
            of_set.rounding = larger(of_set.rounding, one.rounding);
            committed.rounding = larger(committed.rounding, one.rounding);
        }
        batch.touched.extend(finished.touched);
        match finished.changes.first().map(|change| change.kind) {
            Some(ChangeKind::Appended) => committed.appended += 1,
            Some(ChangeKind::Rewritten) => committed.changed.push(symbol.clone()),
            Some(ChangeKind::Removed) | None => {}
        }
        batch.changes.extend(finished.changes);
        let key = EntryKey::bars(&shared.source_id, &symbol);
        let finding = |quality| QualityFinding { source: shared.source_id.clone(), symbol: symbol.clone(), at_us: now_us, quality };
        batch.quality.extend(finished.quality.map(finding));
        committed.rows += finished.rows;
        committed.rows_dropped += finished.rows_dropped;
        committed.unchanged += usize::from(finished.unchanged);
        if finished.vanished {
            batch.changes.push(vanished(&key, now_us));
        }
        let outcome = match (finished.failure, finished.no_data) {
            (Some((failed_key, message)), no_data) => {
                let attempts = shared.attempts.get(&symbol).copied().unwrap_or(0).saturating_add(1);
                let next_attempt_us = Some(next_attempt_us(now_us, attempts, shared.jitter()));
                batch.failures.push((failed_key, Failure { at_us: now_us, message: message.clone(), attempts, next_attempt_us }));
                if no_data { SymbolOutcome::NoData } else { SymbolOutcome::Failed(message) }
            }
            (None, true) => {
                batch.answered.push(key);
                SymbolOutcome::NoData
            }
            (None, false) => SymbolOutcome::Ok,
        };
        place_of.insert(symbol.clone(), outcomes.len());
        outcomes.push((symbol, outcome));
    }
    batch.versions = used.into_values().collect();
    let written = shared.retry_when_full(tell, || {
        match make_room(shared, &batch) {
            // There is room for one version only.
            Err(CacheError::BudgetFull { .. }) if !batch.forget_older => {
                batch.forget_older = true;
                make_room(shared, &batch)?;
            }
            other => other?,
        }
        shared.cache.commit_batch(&batch)
    });
    let written = written.inspect_err(|_| shared.cache.give_up(&batch.staged))?;
    committed.kept_older += written.kept_older;
    for lost in written.lost {
        if let Some((_, outcome)) = place_of.get(&lost.key.symbol).and_then(|place| outcomes.get_mut(*place)) {
            *outcome = SymbolOutcome::Failed(lost.reason);
        }
    }
    for (symbol, outcome) in &outcomes {
        committed.done += 1;
        match outcome {
            SymbolOutcome::Ok => committed.ok += 1,
            SymbolOutcome::NoData => committed.no_data.push(symbol.clone()),
            SymbolOutcome::Failed(message) => committed.failed.push((symbol.clone(), message.clone())),
        }
    }
    Ok(outcomes)
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::max)
}

/// Takes what is still finished after the run was stopped, and removes its files: they are not committed any more.
fn give_up_the_rest(shared: &Shared, news_in: &Receiver<News>) {
    while let Ok(news) = news_in.recv_blocking() {
        if let News::Finished(finished) = news {
            shared.cache.give_up(&finished.staged);
        }
    }
}

/// Makes room for what a batch adds, where budget or disk are at their end: the least valuable entries of other symbols go.
fn make_room(shared: &Shared, batch: &Batch) -> Result<(), CacheError> {
    let mut needed_bytes = 0;
    for one in &batch.staged {
        if one.was_appended() {
            // It grew by what was written behind it.
            needed_bytes += one.bytes_written();
            continue;
        }
        let mut known_bytes = 0;
        // What is replaced is known to take its room already, and what is kept as an older version goes on taking it.
        let path_of = |entry: &Entry| entry.file.as_ref().map(|file| file.path.clone());
        let is_replaced = |known: &Entry| batch.forget_older || path_of(known) == path_of(&one.entry);
        let older = one.entry.provenance.and_then(|made| one.entry.key.older(made.definition));
        for key in older.into_iter().chain([one.entry.key.clone()]) {
            let known = shared.cache.catalog().entry(&key)?.filter(is_replaced);
            known_bytes += known.map_or(0, |known| known.size_bytes());
        }
        needed_bytes += one.entry.size_bytes().saturating_sub(known_bytes);
    }
    if needed_bytes == 0 {
        return Ok(());
    }
    let is_protected = |key: &EntryKey| key.source == shared.source_id && shared.symbols.contains(&key.symbol) && !key.dataset.is_older();
    let room = shared.cache.make_room(needed_bytes, &is_protected)?;
    // What is to stay free on the disk is a wish; the budget is a limit.
    if room.over_budget_bytes == 0 {
        return Ok(());
    }
    let (folder, budget_bytes) = (shared.cache.folders().cache_dir.clone(), shared.cache.limits().disk_budget_bytes);
    Err(CacheError::BudgetFull { folder, needed_bytes: room.over_budget_bytes, budget_bytes })
}

fn vanished(key: &EntryKey, noticed_us: i64) -> Change {
    Change {
        source: key.source.clone(),
        symbol: key.symbol.clone(),
        noticed_us,
        kind: ChangeKind::Removed,
        years: Vec::new(),
        first_us: None,
        inserted: 0,
        removed: 0,
        altered: 0,
        detail: "the source has no bars of it any more; the last good version is kept".to_owned(),
    }
}
