//! The working threads: check, merge with what is cached, write bars of one symbol at a time; then its features (`features`).
//!
//! Contract: what is staged equals what a fetch and computation of everything would give; where history stands, only new rows
//! are written and computed.

use super::ask::{Ask, decide};
use super::features::{self, bring_features};
use super::fetching::check_whole;
use super::merge::{Difference, merge};
use super::plan::{BarsTask, FeatureTask, PlanItem, VANISHED};
use super::queue::{Request, Task};
use super::recent;
use super::run::{Finished, News, Shared, Work, add_since};
use crate::cache::{Appendable, CacheError, Content, Entry, EntryKey, Footer, Synced, Touched};
use crate::market::{Bars, DateRange, Quality, RawBars, Resolution, Symbol, micros_of_date};
use crate::source::SymbolDigest;
use async_channel::{Receiver, Sender};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// Symbols with more rows than this are worked on one at a time: their features take hundreds of megabytes.
const LARGE_ROWS: u64 = 300_000;

/// One working thread: works off symbol after symbol.
pub(super) fn work(shared: &Shared, work_in: &Receiver<Work>, done_out: &Sender<News>) {
    while let Ok(next) = work_in.recv_blocking() {
        if !shared.control.proceed() {
            // Cancelled: what is still in the channel was not begun.
            continue;
        }
        let symbol = next.task().item.symbol.clone();
        let lease = next.task().lease.clone();
        let large = next.rows() > LARGE_ROWS;
        let _one_at_a_time = large.then(|| shared.large.lock().unwrap_or_else(PoisonError::into_inner));
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work_on(shared, next)));
        let finished =
            worked.unwrap_or_else(|_panic| Some(failed(shared, &symbol, "computing it stopped unexpectedly; please report this")));
        // What went back into the queue is not finished.
        let Some(finished) = finished else { continue };
        if done_out.send_blocking(News::Finished(Box::new(Finished { lease, ..finished }))).is_err() {
            return;
        }
    }
}

fn work_on(shared: &Shared, next: Work) -> Option<Finished> {
    match next {
        Work::Fetched(task, rows) => work_on_fetched(shared, *task, rows, None),
        Work::Recent(task, days, rows, digest) => work_on_recent(shared, *task, &days, &rows, digest),
        Work::Unchanged(task) => work_on_unchanged(shared, *task, None),
        Work::NoRows(task) => Some(without_rows(shared, &task.item)),
        Work::Failed(task, message) => Some(failed(shared, &task.item.symbol, &message)),
        Work::Cached(task) => work_on_cached(shared, &task.item),
        Work::Taken(task) => Some(Finished { symbol: Some(task.item.symbol), ..Finished::default() }),
    }
}

fn bars_key(shared: &Shared, symbol: &Symbol) -> EntryKey {
    EntryKey::bars(&shared.source_id, symbol)
}

fn failed(shared: &Shared, symbol: &Symbol, message: &str) -> Finished {
    failed_entry(shared, symbol, bars_key(shared, symbol), message)
}

fn failed_entry(shared: &Shared, symbol: &Symbol, key: EntryKey, message: &str) -> Finished {
    tracing::debug!(%symbol, message, source = %shared.source_id.as_str(), "a symbol failed");
    Finished { symbol: Some(symbol.clone()), failure: Some((key, message.to_owned())), ..Finished::default() }
}

/// An error of the cache: of this symbol alone, or the end of the run.
pub(super) fn failed_in_cache(shared: &Shared, symbol: &Symbol, key: EntryKey, error: &CacheError) -> Finished {
    if matches!(
        error,
        CacheError::File { .. } | CacheError::FolderNotWritable { .. } | CacheError::Catalog { .. } | CacheError::DiskFull { .. }
    ) {
        // A folder that cannot be written will not be better for the next symbol.
        shared.stop(&error.to_string());
    }
    failed_entry(shared, symbol, key, &error.to_string())
}

fn without_rows(shared: &Shared, item: &PlanItem) -> Finished {
    let previous = match &item.bars {
        BarsTask::Fetch { previous, .. } => previous.as_deref(),
        BarsTask::Cached(_) => None,
    };
    let mut finished = Finished { symbol: Some(item.symbol.clone()), no_data: true, ..Finished::default() };
    if previous.is_some_and(|entry| entry.file.is_some()) {
        // The source answered, and what it said is kept apart from what was good: nothing cached is taken away.
        finished.failure = Some((bars_key(shared, &item.symbol), VANISHED.to_owned()));
        let told_before = |entry: &Entry| entry.failure.as_ref().is_some_and(|failure| failure.message == VANISHED);
        finished.vanished = !previous.is_some_and(told_before);
    }
    finished
}

/// What was just learnt of a symbol's bars, for their row and for the features made of them.
pub(super) struct BarsFacts {
    pub fingerprint: u128,
    /// Fingerprint of the bars that were cached before, and the first row that may differ from them.
    pub before: Option<(u128, usize)>,
    pub fetched_at_us: i64,
    pub range: DateRange,
    pub quality: Quality,
    pub provisional_from_us: Option<i64>,
    pub pinned: bool,
}

/// Rows before the first provisional bar.
pub(super) fn settled_rows(bars: &Bars, provisional_from_us: Option<i64>) -> usize {
    provisional_from_us.map_or(bars.len(), |from| bars.time_us.partition_point(|time| *time < from))
}

/// Newest days came: if those among them that are cached are what they were, the rest is all that is new.
fn work_on_recent(shared: &Shared, mut task: Task, days: &DateRange, rows: &RawBars, digest: SymbolDigest) -> Option<Finished> {
    let BarsTask::Fetch { range, previous } = &task.item.bars else { return None };
    let opened = previous.as_deref().zip(task.cut.split).and_then(|(entry, split)| {
        let known = entry.synced.as_ref()?;
        let open = open_cached(shared, entry)?;
        let is_same = recent::is_same(&open.1, days, split, rows, entry.settled_quality());
        let asked = is_same.then(|| decide(Some(entry), range, task.cut, &recent::as_digest(known, digest)))?;
        Some((open, asked, micros_of_date(split)))
    });
    let Some((open, asked, split_us)) = opened else {
        check_whole(shared, task);
        return None;
    };
    let ask = asked.ask.clone();
    match ask {
        Ask::Nothing => {
            task.asked = Some(asked);
            // Unlocked before features are brought up.
            let (file, bars) = open;
            drop(file);
            work_on_unchanged(shared, task, Some(bars))
        }
        Ask::Parts(parts) if matches!(parts.as_slice(), [tail] if tail.start_us() == Some(split_us)) => {
            let rows = rows.from_time(split_us);
            if rows.len() as u64 != asked.expected_rows {
                check_whole(shared, task);
                return None;
            }
            task.asked = Some(asked);
            work_on_fetched(shared, task, rows, Some(open))
        }
        _ => {
            check_whole(shared, task);
            None
        }
    }
}

/// When all that is known of a symbol was last compared with the source: now, unless only its newest days were.
fn verified_us(shared: &Shared, task: &Task, previous: Option<&Entry>) -> Option<i64> {
    if task.is_recent { previous.and_then(Entry::verified_us) } else { Some(shared.cache.now_us()) }
}

fn work_on_fetched(shared: &Shared, mut task: Task, rows: RawBars, open: Option<(Appendable, Arc<Bars>)>) -> Option<Finished> {
    let BarsTask::Fetch { range, previous } = &task.item.bars else { return None };
    let (range, previous) = (*range, previous.as_deref().cloned());
    let parts = match task.asked.as_ref().map(|asked| &asked.ask) {
        Some(Ask::Parts(parts)) => Some(parts.clone()),
        _ => None,
    };
    let mut open = match (&parts, &previous) {
        (Some(_), Some(entry)) => match open.or_else(|| open_cached(shared, entry)) {
            Some(open) => Some(open),
            None => {
                // What was to be added to is not there any more, or damaged: all of it is needed.
                fetch_whole(shared, task, range);
                return None;
            }
        },
        _ => None,
    };
    let cached = open.as_ref().map(|(_, bars)| Arc::clone(bars));
    let key = bars_key(shared, &task.item.symbol);
    let computing = Instant::now();
    let came = rows.len() as u64;
    let provisional = Provisional::among(&rows, task.cut.until.map(micros_of_date));
    let (bars, quality, from_row, dropped) = match (cached.as_deref(), parts) {
        (Some(old), Some(parts)) => {
            let merged = merge(old, &parts, rows);
            let before = previous.as_ref().map(Entry::settled_quality).unwrap_or_default();
            (merged.bars, before.plus(&merged.quality), merged.from_row, merged.quality.dropped())
        }
        _ => {
            let (bars, quality) = Bars::normalise(rows);
            (bars, quality, 0, quality.dropped())
        }
    };
    add_since(&shared.busy.compute_ns, computing);
    if bars.is_empty() {
        return Some(if came > 0 {
            let message = format!("none of its {came} rows has a usable price (open, high, low and close must be numbers)");
            failed(shared, &task.item.symbol, &message)
        } else {
            without_rows(shared, &task.item)
        });
    }
    let synced = task.asked.take().map(|asked| (asked.synced, asked.changed_years));
    let (mut synced, changed_years) = synced.map_or((None, Vec::new()), |(synced, years)| (Some(synced), years));
    let provisional_from_us = provisional.as_ref().map(|provisional| provisional.from_us);
    if let Some(synced) = &mut synced {
        synced.verified_us = verified_us(shared, &task, previous.as_ref());
    }
    if let (Some(synced), Some(provisional)) = (&mut synced, provisional) {
        synced.quality = quality.minus(&provisional.quality).filter(|_| !quality.is_clean());
    }
    let bars = Arc::new(bars);
    let content = Content::Bars(Arc::clone(&bars));
    let computing = Instant::now();
    let fingerprint = content.fingerprint();
    add_since(&shared.busy.compute_ns, computing);
    let mut finished = Finished { symbol: Some(task.item.symbol.clone()), rows: came, rows_dropped: dropped as u64, ..Finished::default() };
    let fetched_at_us = shared.cache.now_us();
    let previous_file = previous.as_ref().and_then(|entry| entry.file.as_ref());
    let unchanged = previous_file.is_some_and(|file| file.fingerprint == fingerprint);
    let quality_changed = previous.as_ref().is_none_or(|entry| entry.quality != quality);
    if quality_changed {
        finished.quality = Some(quality);
    }
    if unchanged && !shared.request.force {
        finished.touched.push(Touched { key, fetched_at_us, range, quality, synced, provisional_from_us });
    } else {
        // What is only left of it in parts says nothing of what it was.
        if let Some(entry) = previous.as_ref().filter(|entry| !unchanged && entry.file.is_some()) {
            let old = cached.clone().or_else(|| read_cached(shared, entry));
            let change = old.and_then(|old| {
                Difference::between(&old, &bars, entry.provisional_from_us).into_change(&key, fetched_at_us, changed_years)
            });
            finished.changes.extend(change);
        }
        let cost_us = cost_of(previous.as_ref(), task.fetch_us, came, bars.len());
        let footer = Footer {
            key: key.clone(),
            provenance: None,
            range,
            fetched_at_us,
            quality,
            synced,
            provisional_from_us,
            cost_us,
            state: None,
            precision: crate::feature::Precision::F64,
            rounding: None,
            years: None,
        };
        let writing = Instant::now();
        // Bars that are kept by years can be added to wherever they differ.
        let can_stay = from_row > 0 || bars.resolution == Resolution::Intraday;
        let staged = shared.with_room(|| match (&previous, cached.is_some() && can_stay) {
            (Some(entry), true) => {
                // A second attempt opens the file anew.
                let open = open.take().map_or_else(|| shared.cache.open_for_append(entry), |(open, _bars)| Ok(open))?;
                shared.cache.stage_append(open, &bars, from_row, None, footer.clone())
            }
            _ => shared.cache.stage(&content, footer.clone()),
        });
        add_since(&shared.busy.write_ns, writing);
        match staged {
            Ok(staged) => finished.staged.push(staged),
            Err(error) => return Some(failed_in_cache(shared, &task.item.symbol, key, &error)),
        }
    }
    let before = previous_file.map(|file| (file.fingerprint, if unchanged { bars.len() } else { from_row }));
    let pinned = previous.as_ref().is_some_and(|entry| entry.pinned);
    let facts = BarsFacts { fingerprint, before, fetched_at_us, range, quality, provisional_from_us, pinned };
    bring_features(shared, &task.item, &bars, &facts, &mut finished);
    Some(finished)
}

/// Puts a symbol back into the queue, to be fetched whole.
fn fetch_whole(shared: &Shared, mut task: Task, range: DateRange) {
    task.whole = true;
    task.is_recent = false;
    task.asked = None;
    let cut = super::ask::Cut { split: None, until: task.cut.until };
    task.cut = cut;
    shared.queue.put_last(Request::Check(range, cut, vec![task]));
}

fn read_cached(shared: &Shared, entry: &Entry) -> Option<Arc<Bars>> {
    let reading = Instant::now();
    let read = shared.cache.read_from_disk(&entry.key);
    add_since(&shared.busy.fetch_ns, reading);
    match read {
        Ok(served) if served.entry.file.as_ref().map(|file| file.checksum) == entry.file.as_ref().map(|file| file.checksum) => {
            Some(Arc::clone(served.content.bars()))
        }
        Ok(_another_version) => None,
        Err(error) => {
            tracing::warn!(%error, "what is cached cannot be added to");
            None
        }
    }
}

/// Opens cached bars to be added to; `None` when that cannot be done.
fn open_cached(shared: &Shared, entry: &Entry) -> Option<(Appendable, Arc<Bars>)> {
    let reading = Instant::now();
    let opened = shared.cache.open_for_append(entry).and_then(|open| {
        let bars = Arc::clone(open.content()?.bars());
        Ok((open, bars))
    });
    add_since(&shared.busy.fetch_ns, reading);
    opened.inspect_err(|error| tracing::warn!(%error, "cached bars cannot be added to and are fetched whole")).ok()
}

/// Rows of a session that is not closed, usable or not.
struct Provisional {
    /// Time of the first.
    from_us: i64,
    /// What there is to notice in them.
    quality: Quality,
}

impl Provisional {
    fn among(rows: &RawBars, until_us: Option<i64>) -> Option<Self> {
        let until_us = until_us?;
        let from_us = rows.time_us.iter().copied().filter(|time| *time >= until_us).min()?;
        Some(Self { from_us, quality: Bars::normalise(rows.from_time(until_us)).1 })
    }
}

/// What fetching all bars would take, told from what was fetched now or before.
fn cost_of(previous: Option<&Entry>, fetch_us: u64, rows_came: u64, rows: usize) -> u64 {
    let rows = rows as u64;
    if let Some(damaged) = previous.filter(|entry| entry.file.is_none() && rows_came < rows) {
        return damaged.cost_us.max(fetch_us);
    }
    match previous.and_then(|entry| Some((entry.cost_us, entry.file.as_ref()?.rows))) {
        Some((cost_us, known_rows)) if rows_came < rows && cost_us > 0 && known_rows > 0 => cost_us.saturating_mul(rows) / known_rows,
        _ => fetch_us,
    }
}

fn work_on_unchanged(shared: &Shared, mut task: Task, bars: Option<Arc<Bars>>) -> Option<Finished> {
    let BarsTask::Fetch { range, previous } = &task.item.bars else { return None };
    let range = *range;
    let entry = previous.as_deref().cloned()?;
    let Some(file) = &entry.file else { return None };
    let fetched_at_us = shared.cache.now_us();
    let verified_us = verified_us(shared, &task, Some(&entry));
    let synced: Option<Synced> = task.asked.take().map(|asked| Synced { verified_us, ..asked.synced });
    let mut finished = Finished { symbol: Some(task.item.symbol.clone()), unchanged: true, ..Finished::default() };
    finished.touched.push(Touched {
        key: entry.key.clone(),
        fetched_at_us,
        range,
        quality: entry.quality,
        synced,
        provisional_from_us: entry.provisional_from_us,
    });
    let facts = BarsFacts {
        fingerprint: file.fingerprint,
        before: Some((file.fingerprint, usize::MAX)),
        fetched_at_us,
        range,
        quality: entry.quality,
        provisional_from_us: entry.provisional_from_us,
        pinned: entry.pinned,
    };
    let is_current = |feature: &FeatureTask| features::is_current(shared, feature, file.fingerprint);
    let bars = if task.item.features.iter().all(is_current) {
        // Nothing has to be computed, so nothing is read.
        Arc::new(Bars::default())
    } else {
        match bars.or_else(|| read_cached(shared, &entry)) {
            Some(bars) => bars,
            None => {
                fetch_whole(shared, task, range);
                return None;
            }
        }
    };
    bring_features(shared, &task.item, &bars, &facts, &mut finished);
    Some(finished)
}

fn work_on_cached(shared: &Shared, item: &PlanItem) -> Option<Finished> {
    let BarsTask::Cached(entry) = &item.bars else { return None };
    let reading = Instant::now();
    let read = shared.cache.read_from_disk(&entry.key);
    add_since(&shared.busy.fetch_ns, reading);
    let served = match read {
        Ok(served) => served,
        // A file that cannot be read is this symbol's trouble alone.
        Err(error) => return Some(failed(shared, &item.symbol, &error.to_string())),
    };
    let bars = Arc::clone(served.content.bars());
    let file = served.entry.file.as_ref()?;
    let facts = BarsFacts {
        fingerprint: file.fingerprint,
        before: Some((file.fingerprint, usize::MAX)),
        fetched_at_us: served.entry.fetched_at_us,
        range: served.entry.range,
        quality: served.entry.quality,
        provisional_from_us: served.entry.provisional_from_us,
        pinned: served.entry.pinned,
    };
    let mut finished = Finished { symbol: Some(item.symbol.clone()), rows: bars.len() as u64, ..Finished::default() };
    bring_features(shared, item, &bars, &facts, &mut finished);
    Some(finished)
}
