//! A cache over a market, with a clock that is moved; and everything a cache holds, to be compared bit by bit.

use samovar::cache::{Cache, CacheOptions, Content, Definitions, Entry, EntryKey, Folders, Judge, Synced, TimeToLive};
use samovar::feature::FeatureSet;
use samovar::market::{Bars, Clock, ManualClock, Symbol};
use samovar::preheat::{Control, PreheatReport, PreheatRequest, make_plan, run_plan};
use samovar::source::{QueryPurpose, QueryTiming, Source, SourceId, SourceOptions, SourceUrl};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// A folder in memory where there is one: what is tested here is not the disk.
pub fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime"))
}

pub fn open(folder: &Path, clock: &Arc<ManualClock>) -> Arc<Cache> {
    let options = CacheOptions::new(Folders::new(folder), 20_000_000, Arc::clone(clock) as Arc<dyn Clock>);
    Arc::new(Cache::open(options).expect("cache").0)
}

/// Every built-in set, and one that is kept rounded.
pub fn every_set() -> Vec<FeatureSet> {
    let text = FeatureSet::built_in_text("classic").expect("built in");
    let rounded = text.replace("name = \"classic\"", "name = \"rounded\"").replace("precision = \"f64\"", "precision = \"f32\"");
    let built_in = FeatureSet::names().iter().map(|name| FeatureSet::by_name(name).expect("a set"));
    built_in.chain([FeatureSet::from_toml(&rounded).expect("a set")]).collect()
}

/// A check of everything.
pub fn check() -> PreheatRequest {
    PreheatRequest { check: true, ..over_after(TimeToLive::hours(24)) }
}

/// A preheat of what is not fresh.
pub fn over_after(ttl: TimeToLive) -> PreheatRequest {
    PreheatRequest {
        sets: vec![FeatureSet::classic()],
        judge: Arc::new(Judge::new(ttl, Definitions::default())),
        ..PreheatRequest::default()
    }
}

pub struct Lab {
    /// Goes with everything in it.
    _folder: TempDir,
    pub clock: Arc<ManualClock>,
    pub cache: Arc<Cache>,
    pub url: SourceUrl,
}

impl Lab {
    pub fn new(url: &str, now_us: i64) -> Self {
        let folder = scratch();
        let clock = Arc::new(ManualClock::at(now_us));
        let cache = open(folder.path(), &clock);
        Self { _folder: folder, clock, cache, url: SourceUrl::parse(url).expect("url") }
    }

    pub fn id(&self) -> SourceId {
        self.url.id()
    }

    /// Preheats to the end; nothing may stop it.
    pub fn preheat(&self, request: &PreheatRequest) -> PreheatReport {
        let report = preheat(&self.cache, &self.url, request);
        assert!(report.stopped_by.is_none() && !report.cancelled && report.not_reached == 0, "{report:?}");
        report
    }

    /// What a new cache has at the same time.
    pub fn fresh(&self, request: &PreheatRequest) -> Held {
        let folder = scratch();
        let cache = open(folder.path(), &self.clock);
        preheat(&cache, &self.url, &PreheatRequest { check: false, ..request.clone() });
        held(&cache, &self.id())
    }

    pub fn held(&self) -> Held {
        held(&self.cache, &self.id())
    }

    pub fn entry(&self, symbol: &str) -> Option<Entry> {
        self.cache.catalog().entry(&EntryKey::bars(&self.id(), &Symbol::new(symbol))).expect("catalog")
    }
}

pub fn preheat(cache: &Arc<Cache>, url: &SourceUrl, request: &PreheatRequest) -> PreheatReport {
    preheat_from(cache, url, request, SourceOptions::default().connections).0
}

/// The same over so many connections, with what the source was asked once its symbols were known.
pub fn preheat_from(
    cache: &Arc<Cache>,
    url: &SourceUrl,
    request: &PreheatRequest,
    connections: usize,
) -> (PreheatReport, Vec<QueryTiming>) {
    runtime().block_on(async {
        let source = Source::connect(url, &SourceOptions { connections, ..SourceOptions::default() }).await.expect("connect");
        let symbols = source.symbols().await.expect("symbols");
        let plan = make_plan(cache, &url.id(), &symbols, request).expect("plan");
        let report = run_plan(Arc::clone(cache), Some(source.clone()), &url.id(), plan, request, Arc::new(Control::default()), |_, _| {})
            .await
            .expect("run");
        let queries = source.queries(0).into_iter().filter(|query| query.purpose != QueryPurpose::Symbols).collect();
        source.close().await;
        (report, queries)
    })
}

/// Everything a cache has: rows of the catalog and contents of files.
pub type Held = BTreeMap<EntryKey, (Entry, Content)>;

pub fn held(cache: &Cache, source: &SourceId) -> Held {
    let entries = cache.catalog().entries(Some(source)).expect("entries");
    let present = entries.into_iter().filter(|entry| entry.file.is_some());
    present.map(|entry| (entry.key.clone(), (entry.clone(), cache.read_from_disk(&entry.key).expect("read").content.clone()))).collect()
}

/// Fails unless both are the same: every bit of every column, and what the catalog says of it.
#[track_caller]
pub fn assert_same(context: &str, found: &Held, expected: &Held) {
    let keys = |held: &Held| held.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(found), keys(expected), "{context}: other entries");
    for (key, expected) in expected {
        assert_same_entry(&format!("{context}: {} of {}", key.dataset, key.symbol), &found[key], expected);
    }
}

#[track_caller]
pub fn assert_same_entry(context: &str, (found, found_content): &(Entry, Content), (expected, expected_content): &(Entry, Content)) {
    assert_same_content(context, found_content, expected_content);
    let facts = |entry: &Entry| entry.file.clone().map(|file| (file.fingerprint, file.rows, file.first_us, file.last_us, file.resolution));
    assert_eq!(facts(found), facts(expected), "{context}: facts");
    assert_eq!(found.quality, expected.quality, "{context}: quality");
    assert_eq!(found.range, expected.range, "{context}: range");
    assert_eq!(found.provenance, expected.provenance, "{context}: provenance");
    assert_eq!(found.provisional_from_us, expected.provisional_from_us, "{context}: provisional from");
    // When that was compared differs, and is no part of it.
    let synced = |entry: &Entry| entry.synced.clone().map(|synced| Synced { verified_us: None, ..synced });
    assert_eq!(synced(found), synced(expected), "{context}: what the source has");
    assert!(found.failure.is_none() && found.damaged_at_us.is_none(), "{context}: {found:?}");
}

#[track_caller]
pub fn assert_same_content(context: &str, found: &Content, expected: &Content) {
    assert_same_bars(context, found.bars(), expected.bars());
    match (found, expected) {
        (Content::Bars(_), Content::Bars(_)) => {}
        (Content::Features { table: found, .. }, Content::Features { table: expected, .. }) => {
            assert_eq!((&found.names, found.resolution), (&expected.names, expected.resolution), "{context}: columns");
            assert_eq!(found.time_us, expected.time_us, "{context}: times of features");
            for (name, (found, expected)) in found.names.iter().zip(found.columns.iter().zip(&expected.columns)) {
                assert_same_bits(context, name, found, expected);
            }
        }
        _ => panic!("{context}: bars and features"),
    }
}

#[track_caller]
fn assert_same_bars(context: &str, found: &Bars, expected: &Bars) {
    assert_eq!(found.resolution, expected.resolution, "{context}: resolution");
    assert_eq!(found.time_us, expected.time_us, "{context}: times");
    let columns = |bars: &Bars| {
        let optional = [("amount", bars.amount.clone()), ("turnover", bars.turnover.clone())];
        let mut columns = vec![
            ("open", bars.open.clone()),
            ("high", bars.high.clone()),
            ("low", bars.low.clone()),
            ("close", bars.close.clone()),
            ("volume", bars.volume.clone()),
        ];
        columns.extend(optional.into_iter().filter_map(|(name, column)| Some((name, column?))));
        columns
    };
    let (found, expected) = (columns(found), columns(expected));
    assert_eq!(found.len(), expected.len(), "{context}: number of columns");
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        assert_same_bits(context, name, found, expected);
    }
}

#[track_caller]
fn assert_same_bits(context: &str, name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{context}: rows of {name}");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(found.to_bits() == expected.to_bits(), "{context}: {name} of row {row} is {found:?} instead of {expected:?}");
    }
}
