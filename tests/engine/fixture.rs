//! A cache, a market and a clock of one's own.

use super::market;
use samovar::cache::{Cache, CacheOptions, Definitions, EntryState, Folders, Judge};
use samovar::config::{Places, Secrets, Settings};
use samovar::feature::FeatureSet;
use samovar::market::{ManualClock, Symbol};
use samovar::preheat::{Control, PreheatReport, PreheatRequest, Progress, SymbolOutcome, make_plan, run_plan};
use samovar::source::{Source, SourceId, SourceOptions, SourceUrl};
use samovar::worker::WorkerContext;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// 2024-01-02 03:04:05 UTC.
pub const NOW_US: i64 = 1_704_164_645_000_000;

pub struct Fixture {
    pub folder: TempDir,
    pub clock: Arc<ManualClock>,
    pub cache: Arc<Cache>,
    pub url: SourceUrl,
}

impl Fixture {
    pub fn new(symbols: usize, bars: usize) -> Self {
        let folder = TempDir::new().expect("folder");
        let names = market::names(symbols);
        market::make(&folder.path().join("market.db"), &names.iter().map(String::as_str).collect::<Vec<_>>(), bars);
        let url = SourceUrl::parse(&format!("sqlite:{}", folder.path().join("market.db").display())).expect("url");
        let clock = Arc::new(ManualClock::at(NOW_US));
        let cache = open(&folder.path().join("cache"), &clock);
        Self { folder, clock, cache, url }
    }

    pub fn market(&self) -> PathBuf {
        self.folder.path().join("market.db")
    }

    pub fn id(&self) -> SourceId {
        self.url.id()
    }

    /// Preheats to the end.
    pub fn preheat(&self, request: &PreheatRequest) -> PreheatReport {
        self.preheat_watched(request, &Arc::new(Control::default()), |_, _| {})
    }

    /// Preheats; `observe` hears of every commit.
    pub fn preheat_watched(
        &self,
        request: &PreheatRequest,
        control: &Arc<Control>,
        observe: impl FnMut(&Progress, &[(Symbol, SymbolOutcome)]) + Send + 'static,
    ) -> PreheatReport {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        runtime.block_on(async {
            let source = Source::connect(&self.url, &SourceOptions::new(self.folder.path())).await.expect("connect");
            let symbols = source.symbols().await.expect("symbols");
            let plan = make_plan(&self.cache, &self.id(), &symbols, request).expect("plan");
            run_plan(Arc::clone(&self.cache), Some(source), &self.id(), plan, request, Arc::clone(control), observe).await.expect("run")
        })
    }

    /// How many entries are in a state, with the time to live of a request.
    pub fn count(&self, state: EntryState, request: &PreheatRequest) -> usize {
        let definitions: Definitions = request.sets.iter().map(|set| (Arc::from(set.name()), set.definition_hash())).collect();
        let states = self.cache.states(None, &Judge::new(request.judge.rules.clone(), definitions)).expect("states");
        states.iter().filter(|(_, found)| *found == state).count()
    }

    /// Every file of a tree with its bytes and its time of writing.
    pub fn files(&self, tree: &str) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
        let mut open = vec![self.folder.path().join("cache").join(tree)];
        let mut found = Vec::new();
        while let Some(folder) = open.pop() {
            for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if item.path().is_dir() {
                    open.push(item.path());
                } else {
                    let written = item.metadata().and_then(|metadata| metadata.modified()).expect("time");
                    found.push((item.path(), std::fs::read(item.path()).expect("file"), written));
                }
            }
        }
        found.sort();
        found
    }

    /// What a worker on this cache and market is given.
    pub fn context(&self) -> WorkerContext {
        let settings_file = self.folder.path().join("settings.toml");
        WorkerContext {
            overrides: samovar::worker::Overrides::default(),
            settings: Settings::default(),
            secrets: Secrets::beside(&settings_file).without_keyring(),
            places: Places {
                settings_file,
                cache_dir: self.folder.path().join("cache"),
                data_dir: self.folder.path().join("data"),
                documents_dir: self.folder.path().join("documents"),
            },
            cache_dir: None,
            source: Some(self.url.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn samovar::market::Clock>,
            files: Arc::new(samovar::cache::SystemFiles),
            snapshots: false,
        }
    }
}

pub fn open(folder: &std::path::Path, clock: &Arc<ManualClock>) -> Arc<Cache> {
    let options = CacheOptions::new(Folders::new(folder), 50_000_000, Arc::clone(clock) as Arc<dyn samovar::market::Clock>);
    Arc::new(Cache::open(options).expect("cache").0)
}

/// A set with the first so many features of the classic one, under one name.
pub fn set_of(features: usize) -> FeatureSet {
    let classic = FeatureSet::classic();
    classic.part("mine", |definition| classic.place(&definition.name).is_some_and(|place| place < features))
}
