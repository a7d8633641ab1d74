//! The pipeline: check → fetch → merge → write bars → compute → write features → commit, all at once over all cores.
//!
//! Memory is bounded: between the stages lie channels for a few symbols each, and a stage that is ahead waits. Nothing counts
//! before its catalog commit; commits are made in batches by one thread, so that their cost is shared. A source that cannot
//! be reached and a full disk hold a run up, with the reason told, and it goes on by itself once that is over.

use super::committing::{COMMIT_BATCH, commit_all};
use super::control::Control;
use super::features::SetUse;
use super::fetching::{Ways, fetch_all};
use super::leasing::{feed_cached, renew_leases};
use super::patience::{Waiting, wait_before};
use super::plan::{BarsTask, Plan, PlanItem, PreheatRequest};
use super::queue::{Queue, Request, Task};
use super::report::{Counted, FeatureCounts, PreheatReport, Progress, StageSeconds, SymbolOutcome};
use super::requests::first_requests;
use super::reuse::Reuses;
use super::working::work;
use crate::cache::{Cache, CacheError, Change, EntryKey, Lease, SetVersion, Staged, Touched};
use crate::market::{DateRange, Quality, RawBars, Symbol};
use crate::source::{Source, SourceError, SourceId, SymbolDigest};
use async_channel::{Sender, bounded};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Most working threads of one preheat.
const MOST_THREADS: usize = 256;
/// Threads more than there are cores: as a rule some wait for the disk.
const WAITING_THREADS: usize = 4;
/// Threads for symbols of which little is new: each needs the disk longer than the processor, and little memory.
const LIGHT_THREADS: usize = 12;
/// How often a full disk is looked at again.
const LOOK_AT_DISK: Duration = Duration::from_millis(500);

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

/// A symbol on its way to a working thread.
pub(super) enum Work {
    /// All of what was asked for came.
    Fetched(Box<Task>, RawBars),
    /// The rows of these days came, some of which are cached, with what was counted of them.
    Recent(Box<Task>, DateRange, RawBars, SymbolDigest),
    /// The source has what is cached.
    Unchanged(Box<Task>),
    /// The source has nothing.
    NoRows(Box<Task>),
    /// It could not be fetched, and why.
    Failed(Box<Task>, String),
    /// Its bars are cached; only features are missing.
    Cached(Box<Task>),
    /// Another process has brought it to fresh meanwhile.
    Taken(Box<Task>),
}

impl Work {
    pub(super) fn task(&self) -> &Task {
        match self {
            Self::Fetched(task, _)
            | Self::Recent(task, ..)
            | Self::Unchanged(task)
            | Self::NoRows(task)
            | Self::Failed(task, _)
            | Self::Cached(task)
            | Self::Taken(task) => task,
        }
    }

    /// How many rows the symbol may have.
    pub(super) fn rows(&self) -> u64 {
        let came = if let Self::Fetched(_, rows) = self { rows.len() as u64 } else { 0 };
        self.task().item.expected_rows.max(came)
    }
}

/// A symbol that is worked off, on its way to the catalog.
#[derive(Default)]
pub(super) struct Finished {
    pub symbol: Option<Symbol>,
    pub staged: Vec<Staged>,
    pub touched: Vec<Touched>,
    pub changes: Vec<Change>,
    /// What was noticed in the rows, if it is another than before.
    pub quality: Option<Quality>,
    pub failure: Option<(EntryKey, String)>,
    pub no_data: bool,
    /// Whether the source had it before and has it no more.
    pub vanished: bool,
    /// Whether the source has exactly what is cached.
    pub unchanged: bool,
    pub rows: u64,
    pub rows_dropped: u64,
    /// Sets of the request whose features were staged.
    pub used: Vec<SetUse>,
    /// The right under which it was written.
    pub lease: Option<Arc<Lease>>,
}

impl Finished {
    /// Files that were added to, and are open and locked until they are committed.
    pub(super) fn open_files(&self) -> usize {
        self.staged.iter().filter(|one| one.was_appended()).count()
    }
}

/// What the committing thread hears.
pub(super) enum News {
    /// A symbol is worked off.
    Finished(Box<Finished>),
    /// The run waits for something, or does not any more.
    Waiting(Option<Arc<Waiting>>),
    /// These symbols are taken up.
    Begun(Vec<Symbol>),
}

#[derive(Default)]
pub(super) struct Busy {
    pub fetch_ns: AtomicU64,
    pub compute_ns: AtomicU64,
    pub write_ns: AtomicU64,
}

pub(super) fn add_since(counter: &AtomicU64, since: Instant) {
    add_busy(counter, since.elapsed());
}

pub(super) fn add_busy(counter: &AtomicU64, busy: Duration) {
    counter.fetch_add(u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// What was done, counted.
#[derive(Default)]
pub(super) struct Counters {
    pub digest_rows: AtomicU64,
    pub rows_fetched: AtomicU64,
    pub rows_computed: AtomicU64,
    pub columns_computed: AtomicU64,
    pub columns_continued: AtomicU64,
    pub columns_reused: AtomicU64,
    pub columns_restored: AtomicU64,
    pub values_computed: AtomicU64,
    pub values_reused: AtomicU64,
}

/// What all threads of one run share.
pub(super) struct Shared {
    pub cache: Arc<Cache>,
    pub source_id: SourceId,
    pub request: PreheatRequest,
    pub control: Arc<Control>,
    pub busy: Busy,
    pub counted: Counters,
    pub queue: Queue,
    /// Failed attempts in a row of symbols that failed before.
    pub attempts: HashMap<Symbol, u32>,
    /// What sets can take from older versions of them.
    pub reuses: Reuses,
    /// The versions of the request's sets, in its order.
    pub versions: Vec<Arc<SetVersion>>,
    /// The symbols asked for: what is fresh or was just brought is not evicted for the rest.
    pub symbols: HashSet<Symbol>,
    /// Held for reading while the source is asked, for writing while it is waited for.
    pub reachable: tokio::sync::RwLock<()>,
    /// How often the source was waited for.
    pub outages: AtomicU64,
    /// Leases that have to be renewed while anything holds them.
    pub leases: Mutex<Vec<Weak<Lease>>>,
    /// Held while a symbol with very many rows is worked on: one of them at a time, so that they do not fill the memory together.
    pub large: Mutex<()>,
    news: Sender<News>,
    jitter: Mutex<SmallRng>,
    /// Set once something makes going on pointless (folder not writable, source gone for good): the reason.
    stopped_by: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn stop(&self, reason: &str) {
        let mut stopped = self.stopped_by.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert_with(|| reason.to_owned());
        drop(stopped);
        self.control.cancel();
    }

    /// A number in 0…1, another one each time.
    pub(super) fn jitter(&self) -> f64 {
        self.jitter.lock().unwrap_or_else(PoisonError::into_inner).random_range(0.0..1.0)
    }

    /// Tells what the run waits for, or that it goes on.
    pub(super) async fn tell_waiting(&self, waiting: Option<Waiting>) {
        if self.news.send(News::Waiting(waiting.map(Arc::new))).await.is_err() {
            tracing::debug!("nobody listens any more");
        }
    }

    /// Tells which symbols are taken up.
    pub(super) async fn tell_begun(&self, tasks: &[Task]) {
        let symbols: Vec<Symbol> = tasks.iter().map(|task| task.item.symbol.clone()).collect();
        if !symbols.is_empty() && self.news.send(News::Begun(symbols)).await.is_err() {
            tracing::debug!("nobody listens any more");
        }
    }

    /// Runs a write of a thread that may wait; while the disk is full, waits and tries again.
    pub(super) fn with_room<T>(&self, write: impl FnMut() -> Result<T, CacheError>) -> Result<T, CacheError> {
        let tell = |waiting: Option<Waiting>| {
            if self.news.send_blocking(News::Waiting(waiting.map(Arc::new))).is_err() {
                tracing::debug!("nobody listens any more");
            }
        };
        self.retry_when_full(tell, write)
    }

    /// Runs a write again and again while the disk is full, until there is room, patience ends, or the job is cancelled.
    pub(super) fn retry_when_full<T>(
        &self,
        mut tell: impl FnMut(Option<Waiting>),
        mut write: impl FnMut() -> Result<T, CacheError>,
    ) -> Result<T, CacheError> {
        let began = Instant::now();
        let mut attempts = 0;
        loop {
            let error = match write() {
                Err(error @ CacheError::DiskFull { .. }) => error,
                other => {
                    if attempts > 0 {
                        tell(None);
                    }
                    return other;
                }
            };
            attempts += 1;
            let out_of_patience = self.request.patience.is_some_and(|patience| began.elapsed() > patience);
            if out_of_patience || self.control.is_cancelled() {
                return Err(error);
            }
            let wait = wait_before(attempts, self.jitter()).min(LOOK_AT_DISK * 4);
            let next_attempt_us = self.cache.now_us().saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
            tell(Some(Waiting { reason: error.to_string(), for_source: false, attempts, next_attempt_us }));
            self.wait_for_room(&error, wait);
        }
    }

    /// Sleeps until there is room for what was to be written, at least `wait` long, or until the job is cancelled.
    fn wait_for_room(&self, error: &CacheError, wait: Duration) {
        let began = Instant::now();
        while began.elapsed() < wait && !self.control.is_cancelled() {
            std::thread::sleep(LOOK_AT_DISK.min(wait));
            if let CacheError::DiskFull { folder, needed_bytes } = error
                && fs4::available_space(folder).is_ok_and(|free| free > needed_bytes.saturating_mul(2))
            {
                return;
            }
        }
    }
}

/// Stops the run when the part of it that holds this ends without having said that it is done: by a panic.
struct StopUnlessDone {
    shared: Arc<Shared>,
    is_done: bool,
}

impl StopUnlessDone {
    fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), is_done: false }
    }

    /// The part has done what it had to.
    fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for StopUnlessDone {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.stop("a part of the preheat stopped unexpectedly; what was committed is safe, please report this");
        }
    }
}

/// Ends a task of the runtime when it goes out of scope.
struct Ended(tokio::task::JoinHandle<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Works a plan off. `source` is needed when [`Plan::needs_source`]. `observe` is called from one thread after each commit,
/// with the symbols it finished, and whenever the run begins or ceases to wait for something.
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
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get) + WAITING_THREADS,
        // More would take every thread the runtime has for blocking work and leave none for the commits.
        jobs => jobs.min(MOST_THREADS),
    };
    let mut report =
        PreheatReport { requested: plan.requested, skipped_fresh: plan.skipped_fresh, failed: plan.refused, ..PreheatReport::default() };
    let total = plan.items.len();
    let attempts = plan.items.iter().filter_map(|item| Some((item.symbol.clone(), item.failed_attempts()?))).collect();
    let symbols = plan.items.iter().map(|item| item.symbol.clone()).chain(plan.fresh).collect();
    let (work_out, work_in) = bounded::<Work>(threads * 2 + 2);
    let (news_out, news_in) = bounded::<News>(threads * 2 + COMMIT_BATCH / 4);
    let (to_fetch, cached): (Vec<PlanItem>, Vec<PlanItem>) =
        plan.items.into_iter().partition(|item| matches!(item.bars, BarsTask::Fetch { .. }));
    let mut shared = Shared {
        cache,
        source_id: source_id.clone(),
        request: request.clone(),
        control: Arc::clone(&control),
        busy: Busy::default(),
        counted: Counters::default(),
        queue: Queue::default(),
        attempts,
        reuses: Reuses::default(),
        versions: request.sets.iter().map(|set| Arc::new(SetVersion::of(set))).collect(),
        symbols,
        reachable: tokio::sync::RwLock::default(),
        outages: AtomicU64::new(0),
        leases: Mutex::default(),
        large: Mutex::default(),
        news: news_out.clone(),
        jitter: Mutex::new(SmallRng::seed_from_u64(request.jitter_seed)),
        stopped_by: Mutex::new(None),
    };
    let finds_days = source.as_ref().is_some_and(|source| source.finds_days() && source.digests_on_the_way());
    let requests = first_requests(&shared, to_fetch, finds_days);
    let has_recent = requests.iter().any(|request| matches!(request, Request::Recent(..)));
    shared.queue = Queue::new(requests, cached.len());
    let shared = Arc::new(shared);

    let light_threads = if has_recent { LIGHT_THREADS.min(MOST_THREADS - threads) } else { 0 };
    // Where there are no threads for them alone, all symbols go the same way.
    let (light_out, light_in) = if light_threads > 0 { bounded::<Work>(light_threads * 2) } else { (work_out.clone(), work_in.clone()) };
    let mut workers = Vec::new();
    for number in 0..threads + light_threads {
        let work_in = if number < threads { &work_in } else { &light_in };
        let (shared, work_in, news_out) = (Arc::clone(&shared), work_in.clone(), news_out.clone());
        workers.push(tokio::task::spawn_blocking(move || work(&shared, &work_in, &news_out)));
    }
    drop((work_in, light_in, news_out));
    let committer = {
        let shared = Arc::clone(&shared);
        let progress = Progress { symbols_total: total, failed: report.failed.len(), ..Progress::default() };
        tokio::task::spawn_blocking(move || {
            let guard = StopUnlessDone::new(&shared);
            let committed = commit_all(&shared, &news_in, progress, started, observe);
            guard.done();
            // Nobody takes finished symbols any more: whoever waits for them to be taken must not wait for ever.
            news_in.close();
            committed
        })
    };
    let feeder = tokio::spawn(feed_cached(Arc::clone(&shared), cached, work_out.clone()));
    let renewer = Ended(tokio::spawn(renew_leases(Arc::clone(&shared))));
    let mut fetchers = Vec::new();
    if let Some(source) = source {
        for _ in 0..threads.clamp(1, 4) {
            let ways = Ways { work: work_out.clone(), light: light_out.clone() };
            let (guard, fetching) = (StopUnlessDone::new(&shared), fetch_all(Arc::clone(&shared), source.clone(), ways));
            fetchers.push(tokio::spawn(async move {
                fetching.await;
                guard.done();
            }));
        }
    }
    drop((work_out, light_out));
    for fetcher in fetchers {
        fetcher.await.map_err(|_panic| PreheatError::Panic)?;
    }
    feeder.await.map_err(|_panic| PreheatError::Panic)?;
    for worker in workers {
        worker.await.map_err(|_panic| PreheatError::Panic)?;
    }
    shared.news.close();
    drop(renewer);
    let committed = committer.await.map_err(|_panic| PreheatError::Panic)?;
    if committed.kept_older > 0 {
        let (cache, kept) = (Arc::clone(&shared.cache), request.kept_versions);
        let trimmed = tokio::task::spawn_blocking(move || cache.trim_versions(kept)).await.map_err(|_panic| PreheatError::Panic)?;
        // They take room for longer than they should, that is all; the next run tries again.
        if let Err(error) = trimmed {
            tracing::warn!(%error, "older versions of feature sets could not be moved to the trash");
        }
    }
    report.ok = committed.ok;
    report.unchanged = committed.unchanged;
    report.no_data = committed.no_data;
    report.appended = committed.appended;
    report.changed = committed.changed;
    report.failed.extend(committed.failed);
    report.failed.sort();
    report.no_data.sort();
    report.changed.sort();
    report.rows = committed.rows;
    report.rows_dropped = committed.rows_dropped;
    report.bars_bytes = committed.bars_bytes;
    report.features_bytes = committed.features_bytes;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    report.counted = Counted {
        digest_rows: count(&shared.counted.digest_rows),
        rows_fetched: count(&shared.counted.rows_fetched),
        rows_computed: count(&shared.counted.rows_computed),
        bytes_written: committed.bytes_written,
    };
    report.features = FeatureCounts {
        computed: count(&shared.counted.columns_computed),
        continued: count(&shared.counted.columns_continued),
        reused: count(&shared.counted.columns_reused),
        restored: count(&shared.counted.columns_restored),
        values_computed: count(&shared.counted.values_computed),
        values_reused: count(&shared.counted.values_reused),
        kept_older: committed.kept_older as u64,
        rounding: committed.rounding,
    };
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
