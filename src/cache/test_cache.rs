//! A cache in a temporary folder with a clock that stands still, for this room's tests.

use super::{
    Cache, CacheError, CacheOptions, Content, Definitions, EntryKey, Folders, Footer, Found, Judge, Provenance, Staged, TimeToLive,
};
use crate::feature::{DefinitionHash, FeatureTable};
use crate::market::{Bars, DAY_US, DateRange, ManualClock, Quality, RawBars, Resolution, SECOND_US, Symbol};
use crate::source::SourceId;
use std::path::PathBuf;
use std::sync::Arc;

/// Midnight of 2023-11-14.
pub(super) const NOW: i64 = 1_699_920_000 * SECOND_US;

/// A cache, its folder and its clock.
pub(super) struct TestCache {
    pub folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub cache: Cache,
    pub judge: Judge,
}

/// Daily bars from 2020-01-01 on.
pub(super) fn bars(rows: usize, close: f64) -> Arc<Bars> {
    let column: Vec<f64> = (0..rows).map(|row| close + row as f64).collect();
    let raw = RawBars {
        time_us: (0..rows).map(|row| (18_262 + row as i64) * DAY_US).collect(),
        open: column.clone(),
        high: column.clone(),
        low: column.clone(),
        close: column,
        volume: vec![1.0; rows],
        ..RawBars::default()
    };
    Arc::new(Bars::normalise(raw).0)
}

pub(super) fn bars_of(symbol: &str) -> EntryKey {
    EntryKey::bars(&SourceId::new("test"), &Symbol::new(symbol))
}

pub(super) fn features_of(symbol: &str) -> EntryKey {
    EntryKey::features(&SourceId::new("test"), &Symbol::new(symbol), "mine")
}

/// A definition's hash: 1 is the present one; every other has a folder of its own.
pub(super) fn definition_of(definition: u64) -> DefinitionHash {
    DefinitionHash::from(u128::from(definition - 1) << 64 | 1)
}

impl TestCache {
    pub(super) fn new() -> Self {
        Self::with(|_options| {})
    }

    /// With other options than the usual ones.
    pub(super) fn with(change: impl FnOnce(&mut CacheOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(NOW));
        let cache = open(&folder.path().join("cache"), &clock, change);
        let definitions = Definitions::from([(Arc::from("mine"), DefinitionHash::from(1))]);
        Self { folder, clock, cache, judge: Judge::new(TimeToLive::hours(24), definitions) }
    }

    /// The same cache, opened by another process.
    pub(super) fn another(&self) -> Cache {
        open(&self.folder.path().join("cache"), &self.clock, |_options| {})
    }

    fn footer(&self, key: EntryKey, cost_us: u64, provenance: Option<Provenance>) -> Footer {
        Footer {
            key,
            provenance,
            range: DateRange::ALL,
            fetched_at_us: self.cache.now_us(),
            quality: Quality::default(),
            synced: None,
            provisional_from_us: None,
            cost_us,
            state: None,
            precision: crate::feature::Precision::F64,
            rounding: None,
            years: None,
        }
    }

    fn put(&self, content: &Content, footer: Footer) -> PathBuf {
        let key = footer.key.clone();
        let staged = self.cache.stage(content, footer).expect("staged");
        self.cache.commit(&[staged]).expect("committed");
        self.file_of(&key)
    }

    /// Caches bars; returns their file.
    pub(super) fn put_bars(&self, symbol: &str, rows: usize, close: f64, cost_us: u64) -> PathBuf {
        self.put(&Content::Bars(bars(rows, close)), self.footer(bars_of(symbol), cost_us, None))
    }

    /// Caches features of the bars with this closing price; returns their file.
    pub(super) fn put_features(&self, symbol: &str, rows: usize, close: f64, cost_us: u64) -> PathBuf {
        let staged = self.stage_features(symbol, rows, close, cost_us, 1);
        self.cache.commit(&[staged]).expect("committed");
        self.file_of(&features_of(symbol))
    }

    /// Writes features that this definition made: so many times the closing prices.
    pub(super) fn stage_features(&self, symbol: &str, rows: usize, close: f64, cost_us: u64, definition: u64) -> Staged {
        let bars = bars(rows, close);
        let inputs = Content::Bars(Arc::clone(&bars)).fingerprint();
        let table = FeatureTable {
            resolution: Resolution::Daily,
            time_us: bars.time_us.clone(),
            names: vec![Arc::from("double")],
            columns: vec![bars.close.iter().map(|price| price * (1 + definition) as f64).collect()],
        };
        let provenance = Provenance { definition: definition_of(definition), inputs };
        let footer = self.footer(features_of(symbol), cost_us, Some(provenance));
        self.cache.stage(&Content::Features { bars, table: Arc::new(table) }, footer).expect("staged")
    }

    pub(super) fn file_of(&self, key: &EntryKey) -> PathBuf {
        let entry = self.cache.catalog().entry(key).expect("catalog").expect("an entry");
        self.cache.folders().absolute(&key.dataset, &entry.file.expect("a file").path)
    }

    pub(super) fn read(&self, key: &EntryKey) -> Result<Found, CacheError> {
        self.cache.read(key, &self.judge)
    }
}

fn open(folder: &std::path::Path, clock: &Arc<ManualClock>, change: impl FnOnce(&mut CacheOptions)) -> Cache {
    let clock = Arc::clone(clock) as Arc<dyn crate::market::Clock>;
    let mut options = CacheOptions::new(Folders::new(folder), 10_000_000, clock);
    change(&mut options);
    Cache::open(options).expect("a cache").0
}
