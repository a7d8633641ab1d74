//! The pipeline: fetch → check → write bars → compute → write features → commit, all at once over all cores.
//!
//! Memory is bounded: between the stages lie channels for a few symbols each, and a stage that is ahead waits. Nothing counts
//! before its catalog commit; commits are made in batches by one thread, so that their cost is shared.

use super::control::Control;
use super::plan::{BarsTask, FeatureTask, Plan, PlanItem, Plenty, PreheatRequest};
use super::report::{PreheatReport, Progress, StageSeconds, SymbolOutcome};
use crate::cache::{Cache, CacheError, Content, Entry, EntryKey, Failure, Footer, Provenance, Staged, Touched};
use crate::feature;
use crate::market::{Bars, DateRange, Quality, RawBars, Symbol};
use crate::source::{FetchRequest, Fetched, Source, SourceError, SourceId};
use async_channel::{Receiver, Sender, bounded};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Requests that may fail in a row for want of a connection before the rest is given up.
const GIVE_UP_AFTER: usize = 3;
/// Most working threads of one preheat.
const MOST_THREADS: usize = 256;
/// How long to wait before asking a source again that could not be reached.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Most entries in one catalog transaction.
const COMMIT_BATCH: usize = 128;

/// Why a preheat ended without a report.
#[derive(Debug, thiserror::Error)]
pub enum PreheatError {
    /// The source cannot be used at all.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The cache cannot be used at all.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A thread of the pipeline ended by a panic: a bug.
    #[error("a working thread stopped unexpectedly; what was committed is safe, please report this")]
    Panic,
}

/// A symbol with its rows, on its way to a working thread.
enum Work {
    Fetched(Box<PlanItem>, Box<Result<RawBars, SourceError>>),
    Cached(Box<PlanItem>),
}

/// A symbol that is worked off, on its way to the catalog.
#[derive(Default)]
struct Finished {
    symbol: Option<Symbol>,
    staged: Vec<Staged>,
    touched: Vec<Touched>,
    failure: Option<(EntryKey, String)>,
    no_data: bool,
    rows: u64,
    rows_dropped: u64,
}

#[derive(Default)]
struct Busy {
    fetch_ns: AtomicU64,
    compute_ns: AtomicU64,
    write_ns: AtomicU64,
}

fn add_since(counter: &AtomicU64, since: Instant) {
    counter.fetch_add(u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Symbols that are fetched together, with their range; taken by whichever connection is free.
type Requests = Arc<Mutex<VecDeque<(DateRange, Vec<PlanItem>)>>>;

/// What all threads of one run share.
struct Shared {
    cache: Arc<Cache>,
    source_id: SourceId,
    request: PreheatRequest,
    control: Arc<Control>,
    busy: Busy,
    /// Set once something makes going on pointless (disk full, source gone): the reason.
    stopped_by: Mutex<Option<String>>,
}

impl Shared {
    fn stop(&self, reason: &str) {
        let mut stopped = self.stopped_by.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert_with(|| reason.to_owned());
        drop(stopped);
        self.control.cancel();
    }
}

/// Works a plan off. `source` is needed when [`Plan::needs_source`]. `observe` is called from one thread after each commit,
/// with the symbols it finished.
///
/// # Errors
/// Only when nothing can be said about single symbols; everything else is in the report.
pub async fn run_plan(
    cache: Arc<Cache>,
    source: Option<Source>,
    source_id: &SourceId,
    plan: Plan,
    request: &PreheatRequest,
    control: Arc<Control>,
    observe: impl FnMut(&Progress, &[(Symbol, SymbolOutcome)]) + Send + 'static,
) -> Result<PreheatReport, PreheatError> {
    let started = Instant::now();
    let threads = match request.jobs {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        // More would take every thread the runtime has for blocking work and leave none for the commits.
        jobs => jobs.min(MOST_THREADS),
    };
    let mut report =
        PreheatReport { requested: plan.requested, skipped_fresh: plan.skipped_fresh, failed: plan.refused, ..PreheatReport::default() };
    let total = plan.items.len();
    let shared = Arc::new(Shared {
        cache,
        source_id: source_id.clone(),
        request: request.clone(),
        control: Arc::clone(&control),
        busy: Busy::default(),
        stopped_by: Mutex::new(None),
    });
    let (work_out, work_in) = bounded::<Work>(threads * 2 + 2);
    let (done_out, done_in) = bounded::<Finished>(threads * 4 + COMMIT_BATCH);

    let mut workers = Vec::new();
    for _ in 0..threads {
        let (shared, work_in, done_out) = (Arc::clone(&shared), work_in.clone(), done_out.clone());
        workers.push(tokio::task::spawn_blocking(move || work(&shared, &work_in, &done_out)));
    }
    drop((work_in, done_out));
    let committer = {
        let shared = Arc::clone(&shared);
        let progress = Progress { symbols_total: total, failed: report.failed.len(), ..Progress::default() };
        tokio::task::spawn_blocking(move || commit_all(&shared, &done_in, progress, started, observe))
    };

    let (to_fetch, cached): (Vec<PlanItem>, Vec<PlanItem>) =
        plan.items.into_iter().partition(|item| matches!(item.bars, BarsTask::Fetch { .. }));
    let feeder = tokio::spawn(feed_cached(Arc::clone(&shared), cached, work_out.clone()));
    let mut fetchers = Vec::new();
    if let Some(source) = source {
        let requests = Arc::new(Mutex::new(batch(to_fetch, Plenty::default())));
        let lost = Arc::new(AtomicU64::new(0));
        for _ in 0..threads.clamp(1, 4) {
            let fetching = fetch_all(Arc::clone(&shared), source.clone(), Arc::clone(&requests), work_out.clone(), Arc::clone(&lost));
            fetchers.push(tokio::spawn(fetching));
        }
    }
    drop(work_out);
    for fetcher in fetchers {
        fetcher.await.map_err(|_panic| PreheatError::Panic)?;
    }
    feeder.await.map_err(|_panic| PreheatError::Panic)?;
    for worker in workers {
        worker.await.map_err(|_panic| PreheatError::Panic)?;
    }
    let committed = committer.await.map_err(|_panic| PreheatError::Panic)?;
    report.ok = committed.ok;
    report.no_data = committed.no_data;
    report.failed.extend(committed.failed);
    report.failed.sort();
    report.no_data.sort();
    report.rows = committed.rows;
    report.rows_dropped = committed.rows_dropped;
    report.bars_bytes = committed.bars_bytes;
    report.features_bytes = committed.features_bytes;
    report.not_reached = total.saturating_sub(committed.done);
    report.stopped_by = shared.stopped_by.lock().unwrap_or_else(PoisonError::into_inner).clone();
    report.cancelled = control.is_cancelled() && report.stopped_by.is_none() && report.not_reached > 0;
    let seconds = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64 / 1e9;
    report.seconds = StageSeconds {
        total: started.elapsed().as_secs_f64(),
        fetch: seconds(&shared.busy.fetch_ns),
        compute: seconds(&shared.busy.compute_ns),
        write: seconds(&shared.busy.write_ns),
    };
    Ok(report)
}

/// Puts symbols of one range together until their rows are plenty.
fn batch(items: Vec<PlanItem>, plenty: Plenty) -> VecDeque<(DateRange, Vec<PlanItem>)> {
    let mut batches: VecDeque<(DateRange, Vec<PlanItem>)> = VecDeque::new();
    let mut rows = 0;
    for item in items {
        let BarsTask::Fetch { range, .. } = &item.bars else { continue };
        let range = *range;
        match batches.back_mut() {
            Some((open_range, open)) if *open_range == range && open.len() < plenty.symbols && rows + item.expected_rows <= plenty.rows => {
                rows += item.expected_rows;
                open.push(item);
            }
            _ => {
                rows = item.expected_rows;
                batches.push_back((range, vec![item]));
            }
        }
    }
    batches
}

/// Sends symbols whose bars are cached already to the working threads.
async fn feed_cached(shared: Arc<Shared>, items: Vec<PlanItem>, work: Sender<Work>) {
    for item in items {
        if shared.control.is_cancelled() || work.send(Work::Cached(Box::new(item))).await.is_err() {
            return;
        }
    }
}

/// Waits while the job is paused without holding up the runtime. Returns whether to go on.
async fn proceed(control: &Arc<Control>) -> bool {
    let control = Arc::clone(control);
    tokio::task::spawn_blocking(move || control.proceed()).await.unwrap_or(false)
}

/// Takes request after request and sends what comes to the working threads.
async fn fetch_all(shared: Arc<Shared>, source: Source, requests: Requests, work: Sender<Work>, lost: Arc<AtomicU64>) {
    loop {
        if !proceed(&shared.control).await {
            return;
        }
        let next = requests.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((range, items)) = next else { return };
        let alone = items.len() == 1;
        let Some((left, error)) = fetch_batch(&shared, &source, range, items, &work).await else {
            lost.store(0, Ordering::Relaxed);
            continue;
        };
        let unreachable = error.is_transient();
        if unreachable && lost.fetch_add(1, Ordering::Relaxed) + 1 >= GIVE_UP_AFTER as u64 {
            shared.stop(&error.to_string());
            return;
        }
        if unreachable {
            // A server that restarts needs a moment.
            tokio::select! {
                () = tokio::time::sleep(RETRY_AFTER) => {}
                () = shared.control.cancelled() => return,
            }
        }
        if alone {
            send_failures(left, &error, &work).await;
        } else {
            // One bad symbol must not take its batch with it: each of the rest is tried alone.
            let mut queue = requests.lock().unwrap_or_else(PoisonError::into_inner);
            for item in left.into_iter().rev() {
                queue.push_front((range, vec![item]));
            }
        }
    }
}

async fn send_failures(items: Vec<PlanItem>, error: &SourceError, work: &Sender<Work>) {
    for item in items {
        if work.send(Work::Fetched(Box::new(item), Box::new(Err(error.clone())))).await.is_err() {
            return;
        }
    }
}

/// Fetches one batch. Returns the symbols that did not come and the reason, or `None` when all came (or nobody wants them
/// any more).
async fn fetch_batch(
    shared: &Shared,
    source: &Source,
    range: DateRange,
    items: Vec<PlanItem>,
    work: &Sender<Work>,
) -> Option<(Vec<PlanItem>, SourceError)> {
    let started = Instant::now();
    let symbols: Vec<Symbol> = items.iter().map(|item| item.symbol.clone()).collect();
    let mut waiting: HashMap<Symbol, PlanItem> = items.into_iter().map(|item| (item.symbol.clone(), item)).collect();
    let (rows_out, rows_in) = bounded::<Fetched>(2);
    let request = FetchRequest { symbols: symbols.clone(), range };
    let mut blocked_ns = 0_u64;
    let receive = async {
        while let Ok(fetched) = rows_in.recv().await {
            if shared.control.is_cancelled() {
                break;
            }
            let Some(item) = waiting.remove(&fetched.symbol) else { continue };
            let handing_over = Instant::now();
            if work.send(Work::Fetched(Box::new(item), Box::new(fetched.result))).await.is_err() {
                break;
            }
            blocked_ns += u64::try_from(handing_over.elapsed().as_nanos()).unwrap_or(0);
        }
        rows_in.close();
    };
    let fetch = async {
        let result = source.fetch(&request, &rows_out).await;
        rows_out.close();
        result
    };
    let both = async { tokio::join!(fetch, receive).0 };
    let result = tokio::select! {
        result = both => result,
        // A query that gives no rows for minutes must not hold a cancel up.
        () = shared.control.cancelled() => Ok(()),
    };
    let elapsed_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    shared.busy.fetch_ns.fetch_add(elapsed_ns.saturating_sub(blocked_ns), Ordering::Relaxed);
    let error = result.err()?;
    let left = symbols.iter().filter_map(|symbol| waiting.remove(symbol)).collect();
    Some((left, error))
}

/// One working thread: checks, computes and writes symbol after symbol.
fn work(shared: &Shared, work_in: &Receiver<Work>, done_out: &Sender<Finished>) {
    while let Ok(next) = work_in.recv_blocking() {
        if !shared.control.proceed() {
            // Cancelled: what is still in the channel was not begun.
            continue;
        }
        let symbol = match &next {
            Work::Fetched(item, _) | Work::Cached(item) => item.symbol.clone(),
        };
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work_on(shared, next)));
        let finished = worked.unwrap_or_else(|_panic| {
            let key = EntryKey::bars(&shared.source_id, &symbol);
            failed(shared, &symbol, key, "computing it stopped unexpectedly; please report this")
        });
        if done_out.send_blocking(finished).is_err() {
            return;
        }
    }
}

fn work_on(shared: &Shared, next: Work) -> Finished {
    match next {
        Work::Fetched(item, result) => match *result {
            Ok(raw) => work_on_fetched(shared, &item, raw),
            Err(error) => {
                let key = EntryKey::bars(&shared.source_id, &item.symbol);
                failed(shared, &item.symbol, key, &error.to_string())
            }
        },
        Work::Cached(item) => work_on_cached(shared, &item),
    }
}

fn failed(shared: &Shared, symbol: &Symbol, key: EntryKey, message: &str) -> Finished {
    tracing::debug!(%symbol, message, source = %shared.source_id.as_str(), "a symbol failed");
    Finished { symbol: Some(symbol.clone()), failure: Some((key, message.to_owned())), ..Finished::default() }
}

/// An error of the cache: of this symbol alone, or the end of the run.
fn failed_in_cache(shared: &Shared, symbol: &Symbol, key: EntryKey, error: &CacheError) -> Finished {
    if matches!(
        error,
        CacheError::File { .. } | CacheError::DiskFull { .. } | CacheError::FolderNotWritable { .. } | CacheError::Catalog { .. }
    ) {
        // A full disk or a folder that cannot be written will not be better for the next symbol.
        shared.stop(&error.to_string());
    }
    failed(shared, symbol, key, &error.to_string())
}

fn work_on_fetched(shared: &Shared, item: &PlanItem, raw: RawBars) -> Finished {
    let BarsTask::Fetch { range, previous } = &item.bars else { return Finished::default() };
    let key = EntryKey::bars(&shared.source_id, &item.symbol);
    let computing = Instant::now();
    let delivered = raw.len();
    let (bars, quality) = Bars::normalise(raw);
    add_since(&shared.busy.compute_ns, computing);
    if bars.is_empty() {
        if delivered > 0 {
            let message = format!("none of its {delivered} rows has a usable price (open, high, low and close must be numbers)");
            return failed(shared, &item.symbol, key, &message);
        }
        return Finished { symbol: Some(item.symbol.clone()), no_data: true, ..Finished::default() };
    }
    let fetched_at_us = shared.cache.now_us();
    let bars = Arc::new(bars);
    let content = Content::Bars(Arc::clone(&bars));
    let computing = Instant::now();
    let fingerprint = content.fingerprint();
    add_since(&shared.busy.compute_ns, computing);
    let rows_dropped = quality.dropped() as u64;
    let mut finished =
        Finished { symbol: Some(item.symbol.clone()), rows: bars.len() as u64 + rows_dropped, rows_dropped, ..Finished::default() };
    let previous_file = previous.as_deref().and_then(|entry| entry.file.as_ref());
    if !shared.request.force && previous_file.is_some_and(|file| file.fingerprint == fingerprint) {
        finished.touched.push(Touched { key, fetched_at_us, range: *range, quality });
    } else {
        let footer = Footer {
            key: key.clone(),
            provenance: None,
            range: *range,
            fetched_at_us,
            quality,
            synced: None,
            provisional_from_us: None,
            cost_us: 0,
            state: None,
        };
        let writing = Instant::now();
        let staged = shared.cache.stage(&content, footer, previous.as_deref());
        add_since(&shared.busy.write_ns, writing);
        match staged {
            Ok(staged) => finished.staged.push(staged),
            Err(error) => return failed_in_cache(shared, &item.symbol, key, &error),
        }
    }
    let pinned = previous.as_deref().is_some_and(|entry| entry.pinned);
    let bars_facts = BarsFacts { fingerprint, fetched_at_us, range: *range, quality, pinned };
    compute_features(shared, item, &bars, &bars_facts, &mut finished);
    finished
}

fn work_on_cached(shared: &Shared, item: &PlanItem) -> Finished {
    let BarsTask::Cached(entry) = &item.bars else { return Finished::default() };
    let reading = Instant::now();
    let read = shared.cache.read_from_disk(&entry.key);
    add_since(&shared.busy.fetch_ns, reading);
    let served = match read {
        Ok(served) => served,
        // A file that cannot be read is this symbol's trouble alone.
        Err(error) => return failed(shared, &item.symbol, entry.key.clone(), &error.to_string()),
    };
    let bars = Arc::clone(served.content.bars());
    let Some(file) = &served.entry.file else { return Finished::default() };
    let facts = BarsFacts {
        fingerprint: file.fingerprint,
        fetched_at_us: served.entry.fetched_at_us,
        range: served.entry.range,
        quality: served.entry.quality,
        pinned: served.entry.pinned,
    };
    let mut finished = Finished { symbol: Some(item.symbol.clone()), rows: bars.len() as u64, ..Finished::default() };
    compute_features(shared, item, &bars, &facts, &mut finished);
    finished
}

/// What features have to know of the bars they are computed from.
struct BarsFacts {
    fingerprint: u128,
    fetched_at_us: i64,
    range: DateRange,
    quality: Quality,
    pinned: bool,
}

fn compute_features(shared: &Shared, item: &PlanItem, bars: &Arc<Bars>, facts: &BarsFacts, finished: &mut Finished) {
    for FeatureTask { set, previous } in &item.features {
        let Some(set) = shared.request.sets.get(*set) else { continue };
        let key = EntryKey::features(&shared.source_id, &item.symbol, set.name());
        let provenance = Provenance { definition: set.definition_hash(), inputs: facts.fingerprint };
        let unchanged = previous.as_deref().is_some_and(|entry: &Entry| entry.file.is_some() && entry.provenance == Some(provenance));
        if unchanged && !shared.request.force {
            finished.touched.push(Touched { key, fetched_at_us: facts.fetched_at_us, range: facts.range, quality: facts.quality });
            continue;
        }
        let computing = Instant::now();
        let table = feature::compute(set, bars);
        add_since(&shared.busy.compute_ns, computing);
        let content = Content::Features { bars: Arc::clone(bars), table: Arc::new(table) };
        let footer = Footer {
            key: key.clone(),
            provenance: Some(provenance),
            range: facts.range,
            fetched_at_us: facts.fetched_at_us,
            quality: facts.quality,
            synced: None,
            provisional_from_us: None,
            cost_us: 0,
            state: None,
        };
        let writing = Instant::now();
        let staged = shared.cache.stage(&content, footer, previous.as_deref());
        add_since(&shared.busy.write_ns, writing);
        match staged {
            Ok(mut staged) => {
                // Features of pinned bars are pinned with them.
                staged.entry.pinned |= facts.pinned;
                finished.staged.push(staged);
            }
            Err(error) => {
                let failure = failed_in_cache(shared, &item.symbol, key, &error);
                finished.failure = failure.failure;
                return;
            }
        }
    }
}

/// What the commits add up to.
#[derive(Default)]
struct Committed {
    done: usize,
    ok: usize,
    no_data: Vec<Symbol>,
    failed: Vec<(Symbol, String)>,
    rows: u64,
    rows_dropped: u64,
    bars_bytes: u64,
    features_bytes: u64,
}

/// The committing thread: takes whatever is finished, makes it durable in one transaction, and tells about it.
fn commit_all(
    shared: &Shared,
    done_in: &Receiver<Finished>,
    mut progress: Progress,
    started: Instant,
    mut observe: impl FnMut(&Progress, &[(Symbol, SymbolOutcome)]),
) -> Committed {
    let mut committed = Committed::default();
    observe(&progress, &[]);
    while let Ok(first) = done_in.recv_blocking() {
        let mut batch = vec![first];
        while batch.len() < COMMIT_BATCH
            && let Ok(next) = done_in.try_recv()
        {
            batch.push(next);
        }
        let writing = Instant::now();
        let outcomes = match commit_batch(shared, batch, &mut committed) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // What is not committed does not count; what was stays, and the report says so.
                shared.stop(&error.to_string());
                return committed;
            }
        };
        add_since(&shared.busy.write_ns, writing);
        progress.symbols_done = committed.done;
        progress.failed += outcomes.iter().filter(|(_, outcome)| matches!(outcome, SymbolOutcome::Failed(_))).count();
        progress.rows = committed.rows;
        progress.elapsed_secs = started.elapsed().saturating_sub(shared.control.paused()).as_secs_f64();
        observe(&progress, &outcomes);
    }
    committed
}

fn commit_batch(shared: &Shared, batch: Vec<Finished>, committed: &mut Committed) -> Result<Vec<(Symbol, SymbolOutcome)>, CacheError> {
    let cache = &shared.cache;
    let mut staged = Vec::new();
    let mut touched: Vec<Touched> = Vec::new();
    let mut without_data = Vec::new();
    let mut failures = Vec::new();
    let mut outcomes = Vec::new();
    for finished in batch {
        let Some(symbol) = finished.symbol else { continue };
        for one in &finished.staged {
            let bytes = one.entry.size_bytes();
            if one.entry.key.dataset.is_bars() { committed.bars_bytes += bytes } else { committed.features_bytes += bytes }
        }
        staged.extend(finished.staged);
        touched.extend(finished.touched);
        committed.rows += finished.rows;
        committed.rows_dropped += finished.rows_dropped;
        let outcome = if let Some((key, message)) = finished.failure {
            failures.push((key, Failure { at_us: cache.now_us(), message: message.clone(), ..Failure::default() }));
            SymbolOutcome::Failed(message)
        } else if finished.no_data {
            without_data.push(EntryKey::bars(&shared.source_id, &symbol));
            SymbolOutcome::NoData
        } else {
            SymbolOutcome::Ok
        };
        outcomes.push((symbol, outcome));
    }
    cache.commit(&staged)?;
    if !touched.is_empty() {
        for key in cache.catalog().touch_entries(&touched)? {
            let message = "its files were cleared while it was being checked; preheat it again".to_owned();
            if let Some((_, outcome)) = outcomes.iter_mut().find(|(symbol, _)| *symbol == key.symbol) {
                *outcome = SymbolOutcome::Failed(message);
            }
        }
    }
    if !without_data.is_empty() {
        cache.catalog().forget_failures(&without_data)?;
    }
    if !failures.is_empty() {
        cache.catalog().put_failures(&failures)?;
    }
    let mut seen = HashSet::new();
    for (symbol, outcome) in &outcomes {
        if !seen.insert(symbol.clone()) {
            continue;
        }
        committed.done += 1;
        match outcome {
            SymbolOutcome::Ok => committed.ok += 1,
            SymbolOutcome::NoData => committed.no_data.push(symbol.clone()),
            SymbolOutcome::Failed(message) => committed.failed.push((symbol.clone(), message.clone())),
        }
    }
    Ok(outcomes)
}
