//! The worker's thread and loop: opens the cache, takes jobs, keeps the snapshot up to date.

use super::actions;
use super::bench::Benches;
use super::event::{Job, JobEvent, Notice, NoticeLevel};
use super::examining::{KnownDays, keep_examining};
use super::export::Exports;
use super::lists;
use super::own_sets::load_library;
use super::preview::Previews;
use super::queue::Queue;
use super::schedule::keep_schedules;
use super::snapshot::{HitRates, Snapshot, SnapshotInput};
use super::upkeep::keep_up;
use super::watching::watch_sets;
use super::workspace::Unsaved;
use crate::cache::{Cache, CacheOptions, FileLayer, Folders, FreshnessRules, Judge, Limits, Recovery, TimeToLive};
use crate::config::{Password, Places, Secrets, Settings, SymbolLists};
use crate::feature::{FeatureSet, SetLibrary};
use crate::market::Clock;
use crate::preheat::Pace;
use crate::source::{SourceId, SourceOptions, SourceUrl};
use async_channel::{Receiver, Sender, bounded};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// Most events waiting for the front end; the worker waits when it does not keep up.
const EVENTS: usize = 4_096;
/// Most jobs waiting for the worker.
const JOBS: usize = 1_024;
/// How often the worker looks at the clock and at what other processes did.
const TICK: Duration = Duration::from_millis(500);
/// How often the catalog is asked although its files look as they did.
const LOOK: Duration = Duration::from_secs(10);
/// Times of files closer than this may be told apart or not.
const COARSE: Duration = Duration::from_secs(2);
/// How long the allocator keeps what is free before it gives it back, and a piece that it has to ask the system for.
const MEMORY_REST: Duration = Duration::from_millis(1_500);
const LARGE_PIECE_BYTES: usize = 4 << 20;

/// What is said when a job needs a source and there is none.
pub(super) const NO_SOURCE: &str =
    "no source is configured; connect a database, or name one with --source (`--source sample:` is the built-in sample)";

/// Settings of the command line that stand above the settings file and are never saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Another time to live.
    pub ttl: Option<TimeToLive>,
    /// Another folder for the bars tree.
    pub bars_cache_dir: Option<PathBuf>,
    /// Another folder for the features tree.
    pub features_cache_dir: Option<PathBuf>,
}

/// Everything the worker is given from outside.
#[derive(Debug, Clone)]
pub struct WorkerContext {
    /// The settings to begin with.
    pub settings: Settings,
    /// Where the settings file is and where sample data go.
    pub places: Places,
    /// A cache folder that overrides the settings'.
    pub cache_dir: Option<PathBuf>,
    /// Settings of the command line.
    pub overrides: Overrides,
    /// A source that overrides the settings', with its password if it came with one.
    pub source: Option<SourceUrl>,
    /// Where passwords are kept.
    pub secrets: Secrets,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// How cached files are touched.
    pub files: Arc<dyn FileLayer>,
    /// Whether to make snapshots; the command line needs none.
    pub snapshots: bool,
}

/// The front end's end of the worker.
#[derive(Debug)]
pub struct Worker {
    jobs: Sender<Job>,
    events: Receiver<JobEvent>,
    /// Held until the worker may begin.
    gate: Option<SyncSender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts the worker. `wake` is called after each event.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(context: WorkerContext, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let mut worker = Self::spawn_waiting(context, wake)?;
        worker.begin();
        Ok(worker)
    }

    /// The same, but it does nothing before [`Worker::begin`]; it takes jobs already.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn_waiting(context: WorkerContext, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let (gate, opened) = sync_channel::<()>(1);
        let (jobs_out, jobs_in) = bounded(JOBS);
        let (events_out, events_in) = bounded(EVENTS);
        let reporter = Reporter { events: events_out, wake: Arc::new(wake) };
        let thread = std::thread::Builder::new().name("samovar-worker".to_owned()).spawn(move || {
            // Nothing is ever sent: it opens by being let go.
            if opened.recv().is_ok() {
                tracing::debug!("the worker was told to begin");
            }
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("samovar-io").enable_all().build();
            match runtime {
                Ok(runtime) => {
                    runtime.block_on(Service::run(context, jobs_in, reporter.clone()));
                    // Blocking pieces of cancelled jobs end at their next safe point; they are not waited for for ever.
                    runtime.shutdown_timeout(Duration::from_secs(5));
                }
                Err(error) => reporter.send_blocking(JobEvent::OpenFailed(format!("no background threads could be started: {error}"))),
            }
            reporter.send_blocking(JobEvent::Ended);
        })?;
        Ok(Self { jobs: jobs_out, events: events_in, gate: Some(gate), thread: Some(thread) })
    }

    /// Lets it begin; nothing more happens when it has begun already.
    pub fn begin(&mut self) {
        self.gate = None;
    }

    /// Hands a job over. Never waits; returns whether the worker took it.
    pub fn send(&self, job: Job) -> bool {
        self.jobs.try_send(job).inspect_err(|error| tracing::error!(%error, "the worker takes no more jobs")).is_ok()
    }

    /// The next event, if there is one. Never waits.
    #[must_use]
    pub fn try_next(&self) -> Option<JobEvent> {
        self.events.try_recv().ok()
    }

    /// Waits for the next event; `None` once the worker has ended.
    #[must_use]
    pub fn next(&self) -> Option<JobEvent> {
        self.events.recv_blocking().ok()
    }

    /// Ends the worker and waits until everything is safely on disk.
    pub fn shut_down(mut self) {
        self.begin();
        self.send(Job::Shutdown);
        // Events nobody reads any more must not hold the worker up.
        while let Ok(event) = self.events.recv_blocking() {
            if matches!(event, JobEvent::Ended) {
                break;
            }
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the worker thread ended by a panic");
        }
    }
}

/// Sends events and wakes the front end.
#[derive(Clone)]
pub(super) struct Reporter {
    events: Sender<JobEvent>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Reporter {
    pub(super) async fn send(&self, event: JobEvent) {
        if self.events.send(event).await.is_ok() {
            (self.wake)();
        }
    }

    pub(super) fn send_blocking(&self, event: JobEvent) {
        if self.events.send_blocking(event).is_ok() {
            (self.wake)();
        }
    }

    pub(super) fn notice(&self, level: NoticeLevel, text: String) {
        self.send_blocking(JobEvent::Notice(Notice { level, text, undo_batch: None }));
    }
}

/// What is configured at the moment.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    pub settings: Settings,
    /// The source in use, with its password if known.
    pub source: Option<SourceUrl>,
    /// Who says what is fresh.
    pub judge: Arc<Judge>,
    /// Every set there is.
    pub library: Arc<SetLibrary>,
    /// The sets to keep warm.
    pub sets: Vec<FeatureSet>,
}

impl Configuration {
    fn of(settings: &Settings, context: &WorkerContext, library: &Arc<SetLibrary>) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let source = context.source.clone().or_else(|| {
            let url = settings.source_url()?;
            SourceUrl::parse(url).map_err(|error| problems.push(format!("The source in the settings cannot be used: {error}"))).ok()
        });
        let ttl = TimeToLive::parse(&settings.ttl).unwrap_or_else(|error| {
            problems.push(format!("The time to live in the settings cannot be used: {error}; 24h is used"));
            TimeToLive::default()
        });
        let (mut rules, rule_problems) = FreshnessRules::of_settings(ttl, settings);
        // A command line has told them by itself: not all its commands start a worker.
        if context.snapshots {
            problems.extend(rule_problems);
        }
        if let Some(ttl) = context.overrides.ttl {
            rules = rules.with_ttl(ttl);
        }
        let mut sets = Vec::new();
        for name in &settings.sets {
            match library.get(name) {
                Some(set) => sets.push(set.clone()),
                None => {
                    let known = library.names().collect::<Vec<_>>().join(", ");
                    problems.push(format!("The feature set {name} in the settings is not known ({known} are)"));
                }
            }
        }
        let judge = Arc::new(Judge::new(rules, library.definitions()));
        (Self { settings: settings.clone(), source, judge, library: Arc::clone(library), sets }, problems)
    }

    /// The judge, with another time to live where an order names one.
    pub(super) fn judge_with(&self, ttl: Option<TimeToLive>) -> Arc<Judge> {
        match ttl {
            Some(ttl) => Arc::new(Judge::new(self.judge.rules.clone().with_ttl(ttl), self.judge.definitions.clone())),
            None => Arc::clone(&self.judge),
        }
    }

    pub(super) fn source_id(&self) -> Option<SourceId> {
        self.source.as_ref().map(SourceUrl::id)
    }
}

/// The room that settings allow the cache.
#[must_use]
pub fn limits(settings: &Settings) -> Limits {
    Limits { disk_budget_bytes: settings.disk_budget_bytes, free_reserve_bytes: settings.free_reserve_bytes }
}

/// What the worker's tasks share.
pub(super) struct Service {
    pub context: WorkerContext,
    pub configuration: RwLock<Configuration>,
    cache: Mutex<Option<Arc<Cache>>>,
    pub reporter: Reporter,
    /// Held while settings or sets are saved, so that the newest are the last.
    pub saving: Mutex<()>,
    /// Held while the sets are loaded.
    pub loading: Mutex<()>,
    /// Formulas that are tried.
    pub previews: Previews,
    /// Generation of the newest request for the chart: older ones are given up.
    pub newest_load: AtomicU64,
    /// The measurement that runs.
    pub benches: Benches,
    /// When markets are open, by what was seen of them.
    pub days: KnownDays,
    /// How fast rows may be taken from sources, by all jobs.
    pub pace: Arc<Pace>,
    /// Schedules to be run now, by name.
    pub run_now: Mutex<Vec<String>>,
    /// Told when there are bars nobody has looked at.
    pub unexamined: tokio::sync::Notify,
    /// The export that runs.
    pub exports: Exports,
    /// The user's lists of symbols.
    pub lists: Mutex<SymbolLists>,
    /// What the window remembers, until it is on the disk.
    pub workspace: Unsaved,
    /// What snapshots know of lookups.
    hit_rates: Mutex<HitRates>,
    dirty: AtomicBool,
}

impl Service {
    async fn run(context: WorkerContext, jobs: Receiver<Job>, reporter: Reporter) {
        let library = Arc::new(load_library(&context.places, None));
        let (configuration, problems) = Configuration::of(&context.settings, &context, &library);
        let service = Arc::new(Self {
            configuration: RwLock::new(configuration),
            cache: Mutex::new(None),
            reporter,
            saving: Mutex::default(),
            loading: Mutex::default(),
            previews: Previews::default(),
            newest_load: AtomicU64::new(0),
            benches: Benches::default(),
            days: KnownDays::default(),
            pace: Arc::default(),
            run_now: Mutex::default(),
            unexamined: tokio::sync::Notify::new(),
            exports: Exports::default(),
            lists: Mutex::default(),
            workspace: Unsaved::default(),
            hit_rates: Mutex::default(),
            dirty: AtomicBool::new(true),
            context,
        });
        service.reporter.send(JobEvent::Sets(Arc::clone(&library))).await;
        for problem in problems {
            service.reporter.send(JobEvent::Notice(Notice { level: NoticeLevel::Warning, text: problem, undo_batch: None })).await;
        }
        if service.context.snapshots {
            let loading = Arc::clone(&service);
            service.blocking(move || lists::load(&loading)).await;
        }
        let opening = Arc::clone(&service);
        service.blocking(move || opening.open_cache()).await;
        if service.context.snapshots {
            for problem in library.problems() {
                let text = format!("A feature set's file cannot be used: {problem}");
                service.reporter.send(JobEvent::Notice(Notice { level: NoticeLevel::Warning, text, undo_batch: None })).await;
            }
        }
        let queue = Arc::new(Queue::new(Arc::clone(&service)));
        let keeper = tokio::spawn(Arc::clone(&service).keep_snapshot());
        let watching = service.context.snapshots.then(|| tokio::spawn(watch_sets(Arc::clone(&service))));
        let upkeep = service.context.snapshots.then(|| tokio::spawn(keep_up(Arc::clone(&service), Arc::clone(&queue))));
        service.pace.limit(service.configuration().settings.rows_per_sec);
        let schedules = service.context.snapshots.then(|| tokio::spawn(keep_schedules(Arc::clone(&service), Arc::clone(&queue))));
        let examining = service.context.snapshots.then(|| tokio::spawn(keep_examining(Arc::clone(&service), Arc::clone(&queue))));
        loop {
            match jobs.recv().await {
                Err(_) | Ok(Job::Shutdown) => break,
                Ok(job) => actions::start(&service, &queue, job),
            }
        }
        queue.cancel_all().await;
        service.benches.end().await;
        keeper.abort();
        for task in upkeep.into_iter().chain(watching).chain(examining).chain(schedules) {
            task.abort();
        }
        let closing = service.cache.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(closing);
    }

    /// Runs blocking work on a thread made for it.
    pub(super) async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        tokio::task::spawn_blocking(work).await.inspect_err(|error| tracing::error!(%error, "a background task panicked")).ok()
    }

    /// Where everything lies by the present settings.
    pub(super) fn folders(&self) -> Folders {
        let settings = self.configuration().settings;
        let cache_dir = self.context.cache_dir.clone().or(settings.cache_dir).unwrap_or_else(|| self.context.places.cache_dir.clone());
        Folders::new(cache_dir).with_trees(
            self.context.overrides.bars_cache_dir.clone().or(settings.bars_cache_dir),
            self.context.overrides.features_cache_dir.clone().or(settings.features_cache_dir),
        )
    }

    pub(super) fn open_cache(&self) {
        let settings = self.configuration().settings;
        let options = CacheOptions {
            log_lookups: settings.log_lookups,
            limits: limits(&settings),
            files: Arc::clone(&self.context.files),
            ..CacheOptions::new(self.folders(), settings.memory_budget_bytes, Arc::clone(&self.context.clock))
        };
        match Cache::open(options) {
            Ok((cache, recovery)) => {
                *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(cache));
                self.reporter.send_blocking(JobEvent::Opened);
                self.tell_recovery(&recovery);
            }
            Err(error) => {
                *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = None;
                self.reporter.send_blocking(JobEvent::OpenFailed(error.to_string()));
            }
        }
        self.mark_dirty();
    }

    fn tell_recovery(&self, recovery: &Recovery) {
        if let Some(told) = recovery.of_catalog() {
            let mut letters = told.chars();
            let text = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
            self.reporter.notice(NoticeLevel::Warning, text);
        } else if !recovery.interrupted_jobs.is_empty() {
            let titles = recovery.interrupted_jobs.join(", ");
            self.reporter.notice(
                NoticeLevel::Info,
                format!("A job was interrupted last time ({titles}); everything it had finished is safe. Preheat again to go on"),
            );
        } else if recovery.adopted > 0 {
            self.reporter.notice(NoticeLevel::Info, format!("{} cached files were found without a catalog and taken in", recovery.adopted));
        }
    }

    pub(super) fn configuration(&self) -> Configuration {
        self.configuration.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses other settings from now on; quick, so that the next job already sees them. Returns what cannot be used of them,
    /// and whether the cache has to be opened anew.
    pub(super) fn configure(&self, settings: &Settings, password: Option<&(String, Password)>) -> (Vec<String>, bool) {
        let before = self.configuration();
        let (mut configuration, problems) = Configuration::of(settings, &self.context, &before.library);
        if let (Some(url), Some((source, password))) = (configuration.source.clone(), password)
            && url.id().as_str() == source
        {
            configuration.source = Some(url.with_password(Some(password.reveal().to_owned())));
        }
        *self.configuration.write().unwrap_or_else(PoisonError::into_inner) = configuration;
        self.pace.limit(settings.rows_per_sec);
        let reopen = before.settings.cache_dir != settings.cache_dir
            || before.settings.bars_cache_dir != settings.bars_cache_dir
            || before.settings.features_cache_dir != settings.features_cache_dir
            || before.settings.memory_budget_bytes != settings.memory_budget_bytes
            || before.settings.log_lookups != settings.log_lookups;
        if let Ok(cache) = self.cache() {
            cache.set_limits(limits(settings));
        }
        (problems, reopen)
    }

    /// Uses these sets from now on: what another definition made is outdated at once, and nothing else is.
    pub(super) fn use_library(&self, library: &Arc<SetLibrary>) {
        let mut configuration = self.configuration.write().unwrap_or_else(PoisonError::into_inner);
        let (made, _problems) = Configuration::of(&configuration.settings, &self.context, library);
        // The source's password was not in the settings.
        *configuration = Configuration { source: configuration.source.clone(), ..made };
    }

    /// The open cache.
    pub(super) fn cache(&self) -> Result<Arc<Cache>, String> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner).clone();
        cache.ok_or_else(|| "the cache is not open; choose a cache folder that can be written in the settings".to_owned())
    }

    /// A source with its password, asking the keyring where it came without. Blocking.
    pub(super) fn with_password(&self, url: SourceUrl) -> SourceUrl {
        if url.password().is_some() || !url.kind().is_server() {
            return url;
        }
        let password = self.context.secrets.get(url.id().as_str());
        url.with_password(password)
    }

    pub(super) fn source_options(&self) -> SourceOptions {
        SourceOptions::new(&self.context.places.data_dir)
    }

    /// Something changed: the next tick makes a new snapshot.
    pub(super) fn mark_dirty(&self) {
        self.dirty.store(true, Ordering::Relaxed);
    }

    /// Makes and sends a snapshot; returns when the next entry changes by itself.
    pub(super) fn make_snapshot(&self) -> Option<i64> {
        // A machine that travelled tells other times; the window does not look for it itself.
        crate::here::look_around();
        let cache = self.cache().ok()?;
        let configuration = self.configuration();
        let source = configuration.source.as_ref().map(|url| (url.id(), url.redacted()));
        let input = SnapshotInput {
            source: source.as_ref().map(|(id, url)| (id, url.as_str())),
            judge: &configuration.judge,
            settings_file: &self.context.places.settings_file,
            days: source.as_ref().map(|(id, _)| self.days.of(id)).unwrap_or_default(),
            hit_rates: &self.hit_rates,
        };
        match Snapshot::make(&cache, &input) {
            Ok(snapshot) => {
                let next_change_us = snapshot.next_change_us;
                if snapshot.rows.iter().any(|row| row.rows > 0 && row.findings.is_none()) {
                    self.unexamined.notify_one();
                }
                self.reporter.send_blocking(JobEvent::Snapshot(Arc::new(snapshot)));
                next_change_us
            }
            Err(error) => {
                self.reporter.send_blocking(JobEvent::ActionFailed(error.to_string()));
                None
            }
        }
    }

    /// Makes a new snapshot when something changed here, in another process, or by the clock; and only then.
    async fn keep_snapshot(self: Arc<Self>) {
        if !self.context.snapshots {
            return;
        }
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut watched = Watched::default();
        loop {
            tick.tick().await;
            watched.return_memory();
            if !self.is_worth_a_look(&mut watched) {
                continue;
            }
            let service = Arc::clone(&self);
            let looked = self.blocking(move || service.look(watched)).await;
            match looked {
                Some(next) => watched = next,
                None => return,
            }
        }
    }

    /// Whether there may be something new: with nothing going on, the catalog is not even asked.
    fn is_worth_a_look(&self, watched: &mut Watched) -> bool {
        let Ok(cache) = self.cache() else { return false };
        let written = cache.catalog().last_written();
        // A file system's times are coarse: what was written just now may have been written again since.
        let is_settled = written.is_some() && written == watched.written && watched.looked.is_some_and(|looked| looked.elapsed() < LOOK);
        let by_clock = watched.next_change_us.is_some_and(|at_us| cache.now_us() >= at_us);
        if is_settled && !by_clock && !self.dirty.load(Ordering::Relaxed) {
            return false;
        }
        let is_old = written.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > COARSE);
        watched.written = written.filter(|_| is_old);
        watched.looked = Some(Instant::now());
        true
    }

    fn look(&self, mut watched: Watched) -> Watched {
        let Ok(cache) = self.cache() else { return watched };
        let version = cache.catalog().data_version().unwrap_or(watched.data_version);
        let by_others = version != watched.data_version;
        let by_clock = watched.next_change_us.is_some_and(|at_us| cache.now_us() >= at_us);
        let by_us = self.dirty.swap(false, Ordering::Relaxed);
        if by_others && let Err(error) = cache.forget_replaced() {
            tracing::warn!(%error, "could not compare the memory tier with the catalog");
        }
        if by_us || by_others || by_clock {
            watched.next_change_us = self.make_snapshot();
            watched.snapshot = Some(Instant::now());
            // As it was before the snapshot was made: what others commit meanwhile is news at the next look.
            watched.data_version = version;
        }
        watched
    }
}

/// What the snapshot keeper saw last.
#[derive(Debug, Clone, Copy, Default)]
struct Watched {
    data_version: i64,
    next_change_us: Option<i64>,
    /// When the catalog was written last, if that was long enough ago to be told from another time.
    written: Option<SystemTime>,
    looked: Option<Instant>,
    /// When the last snapshot was made, until the memory it took was given back.
    snapshot: Option<Instant>,
}

impl Watched {
    /// Making a snapshot takes more memory than keeping it. The allocator gives what is free back to the system when a large piece is
    /// freed a second later or more; with nothing going on, nobody would.
    fn return_memory(&mut self) {
        if self.snapshot.take_if(|made| made.elapsed() > MEMORY_REST).is_some() {
            drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE_PIECE_BYTES)));
        }
    }
}
