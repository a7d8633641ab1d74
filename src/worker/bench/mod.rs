//! Measuring the cache against reading and computing anew, on a user's own source and symbols.
//!
//! Not a test and not part of any job: it writes nothing but a folder of its own beside the cache, which is gone when it ends,
//! however it ends. Contract: what is measured is what the program does, on as many threads as it uses; every stage is measured
//! several times and told as a median with the quickest and the slowest, and what flatters a figure is said ([`BenchReport::notes`]).

mod jobs;
mod measure;
mod pages;
mod place;
mod run;

pub(super) use jobs::{Benches, start, stop};
pub use run::run_bench;

use crate::cache::{CacheError, Judge};
use crate::feature::FeatureSet;
use crate::format;
use crate::market::{Clock, Symbol};
use crate::preheat::PreheatError;
use crate::source::{SourceError, SourceOptions, SourceUrl};
use crate::{tr, tr_n};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Symbols that are measured where nobody says how many.
pub const BENCH_SYMBOLS: usize = 100;
/// Times that each stage is measured where nobody says how often.
pub const BENCH_RUNS: usize = 5;
/// Most times that make sense.
pub const MOST_BENCH_RUNS: usize = 99;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum BenchStage {
    /// The source sends the rows of all symbols.
    SourceRows,
    /// Features are computed from rows that are here.
    Features,
    /// Both, one after the other: what a script without a cache does each time.
    Both,
    /// An empty cache is preheated: rows, features, and all of it durably on the disk.
    Preheat,
    /// Bars and features are read from the files, checked, for the first time.
    Disk,
    /// The same again.
    DiskAgain,
    /// Bars and features are handed out of the memory tier.
    Memory,
    /// Rows of one symbol come from the source and its features are computed.
    OneSource,
    /// One symbol is read from its file.
    OneDisk,
    /// One symbol is handed out of the memory tier.
    OneMemory,
}

impl BenchStage {
    /// Its name in JSON and in what is copied.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::SourceRows => "source_rows",
            Self::Features => "features",
            Self::Both => "both",
            Self::Preheat => "preheat",
            Self::Disk => "disk",
            Self::DiskAgain => "disk_again",
            Self::Memory => "memory",
            Self::OneSource => "one_source",
            Self::OneDisk => "one_disk",
            Self::OneMemory => "one_memory",
        }
    }

    /// What it is called.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SourceRows => tr!("Read rows from the source"),
            Self::Features => tr!("Compute features"),
            Self::Both => tr!("Both, without a cache"),
            Self::Preheat => tr!("Preheat an empty cache"),
            Self::Disk => tr!("Read from disk, first time"),
            Self::DiskAgain => tr!("Read from disk, again"),
            Self::Memory => tr!("Read from memory"),
            Self::OneSource => tr!("One symbol from the source"),
            Self::OneDisk => tr!("One symbol from disk"),
            Self::OneMemory => tr!("One symbol from memory"),
        }
    }

    /// Whether it is about one symbol instead of all.
    #[must_use]
    pub fn is_of_one(self) -> bool {
        matches!(self, Self::OneSource | Self::OneDisk | Self::OneMemory)
    }

    /// Whether it goes without the source.
    #[must_use]
    pub fn is_of_cache(self) -> bool {
        matches!(self, Self::Disk | Self::DiskAgain | Self::Memory | Self::OneDisk | Self::OneMemory)
    }

    /// What it is compared with: the same bars and features, without a cache.
    #[must_use]
    pub fn compared_with(self) -> Self {
        if self.is_of_one() { Self::OneSource } else { Self::Both }
    }
}

/// What to measure, as a front end asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchRequest {
    /// Counts up, so that what is told of an older measurement can be told apart.
    pub generation: u64,
    /// At most so many symbols, spread over the list of all.
    pub limit: usize,
    /// How often each stage is measured.
    pub runs: usize,
}

/// Everything a measurement is given.
#[derive(Debug, Clone)]
pub struct BenchInput {
    /// The source, with its password.
    pub url: SourceUrl,
    /// How it is worked with.
    pub options: SourceOptions,
    /// These symbols; some, spread over the list of all, when left out.
    pub symbols: Option<Vec<Symbol>>,
    /// At most so many symbols.
    pub limit: usize,
    /// How often each stage is measured; at least once.
    pub runs: usize,
    /// Sets whose features are computed; at least one.
    pub sets: Vec<FeatureSet>,
    /// Who says what is fresh.
    pub judge: Arc<Judge>,
    /// The user's cache folder: nothing is written there, but beside it, so that the disk is the same.
    pub cache_dir: PathBuf,
    /// Most bytes the memory tier may hold.
    pub memory_budget_bytes: u64,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
}

/// How far a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BenchProgress {
    /// What is being measured.
    pub stage: BenchStage,
    /// Measures that are taken.
    pub done: usize,
    /// Measures to take.
    pub total: usize,
}

impl BenchProgress {
    /// Share done, 0…1.
    #[must_use]
    pub fn fraction(&self) -> f32 {
        self.done as f32 / self.total.max(1) as f32
    }
}

/// Seconds of several runs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The quickest.
    pub min: f64,
    /// The slowest.
    pub max: f64,
}

impl Spread {
    /// Of these; zero when there are none.
    #[must_use]
    pub fn of(seconds: &[f64]) -> Self {
        let mut sorted = seconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) };
        Self { median, min: at(0), max: at(sorted.len().saturating_sub(1)) }
    }
}

/// One stage, measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageResult {
    /// What was measured.
    pub stage: BenchStage,
    /// Rows that went through it, each time.
    pub rows: u64,
    /// What it took.
    pub seconds: Spread,
    /// How many times quicker it is than the same without a cache; below one when it is slower.
    pub ratio: f64,
}

impl StageResult {
    /// Rows per second.
    #[must_use]
    pub fn rows_per_second(&self) -> f64 {
        if self.seconds.median > 0.0 { self.rows as f64 / self.seconds.median } else { 0.0 }
    }

    /// `35 ×`, `0.84 ×`; nothing for what the others are compared with.
    #[must_use]
    pub fn ratio_text(&self) -> Option<String> {
        if self.stage == self.stage.compared_with() {
            return None;
        }
        let decimals = if self.ratio >= 10.0 { 0 } else { 2 - usize::from(self.ratio >= 1.0) };
        Some(format!("{} ×", format::fixed(self.ratio, decimals)))
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BenchReport {
    /// The source's URL, without its password.
    pub url: String,
    /// The table (or folder) that was read.
    pub table: String,
    /// Symbols that were measured.
    pub symbols: usize,
    /// The symbol of the stages about one: that with the middle number of rows.
    pub one_symbol: String,
    /// Symbols asked for that the source has no rows of.
    pub no_data: Vec<Symbol>,
    /// Symbols that could not be read, and why.
    pub failed: Vec<(Symbol, String)>,
    /// Rows of all symbols.
    pub rows: u64,
    /// Names of the sets.
    pub sets: Vec<String>,
    /// Features of all sets.
    pub features: usize,
    /// How often each stage was measured.
    pub runs: usize,
    /// Threads that compute.
    pub threads: usize,
    /// Bytes of bars and of features on the disk.
    pub bytes: (u64, u64),
    /// Whether the system let go of the files before they were read for the first time; if not, it still had them in memory.
    pub pages_dropped: bool,
    /// Whether everything fitted into the memory tier.
    pub fits_memory: bool,
    /// The stages.
    pub stages: Vec<StageResult>,
}

impl BenchReport {
    /// A stage.
    #[must_use]
    pub fn stage(&self, stage: BenchStage) -> Option<&StageResult> {
        self.stages.iter().find(|result| result.stage == stage)
    }

    /// What has to be known to read the figures, each a sentence without a full stop.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            tr!(
                "{rows} of {symbols}, {features} of {sets}; each stage {times}, the median is shown",
                rows = tr_n!(self.rows, "{count} row", "{count} rows"),
                symbols = tr_n!(self.symbols as u64, "{count} symbol", "{count} symbols"),
                features = tr_n!(self.features as u64, "{count} feature", "{count} features"),
                sets = self.sets.join(", "),
                times = if self.runs == 1 { tr!("once").to_owned() } else { tr_n!(self.runs as u64, "{count} time", "{count} times") }
            ),
            tr_n!(
                self.threads as u64,
                "Features are computed and files read on {count} thread; the memory tier hands out what it holds without a copy",
                "Features are computed and files read on {count} threads; the memory tier hands out what it holds without a copy",
            ),
        ];
        notes.push(if self.pages_dropped {
            tr!("First time: the system was told to let go of the files before, so that they came from the disk itself").to_owned()
        } else {
            tr!("First time after writing: this system cannot be told to let go of files, so it still had them in its own memory")
                .to_owned()
        });
        if !self.fits_memory {
            notes.push(tr!("Not everything fitted into the memory tier; its figures are of what came from the disk as well").to_owned());
        }
        if !self.no_data.is_empty() {
            notes.push(tr_n!(
                self.no_data.len() as u64,
                "The source has no rows of {count} symbol",
                "The source has no rows of {count} symbols"
            ));
        }
        if let Some((symbol, error)) = self.failed.first() {
            notes.push(tr_n!(
                self.failed.len() as u64,
                "{count} symbol could not be read: {symbol}: {error}",
                "{count} symbols could not be read, {symbol} among them: {error}",
                symbol = symbol,
                error = error,
            ));
        }
        notes
    }

    /// The stages as text with tabs, for a spreadsheet.
    #[must_use]
    pub fn as_tsv(&self) -> String {
        let mut text = "stage\tseconds\tseconds_min\tseconds_max\trows\trows_per_second\tratio\n".to_owned();
        for result in &self.stages {
            let Spread { median, min, max } = result.seconds;
            let (stage, rows, rate, ratio) = (result.stage.key(), result.rows, result.rows_per_second(), result.ratio);
            text += &format!("{stage}\t{median}\t{min}\t{max}\t{rows}\t{rate:.1}\t{ratio:.4}\n");
        }
        text
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The source failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The cache that was made for it failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Preheating failed.
    #[error(transparent)]
    Preheat(#[from] PreheatError),
    /// Preheating stopped before its end.
    #[error("preheating stopped: {0}")]
    Stopped(String),
    /// There is no room for a folder of its own.
    #[error("a folder for measuring cannot be made in {}: {reason}; make it writable, or name another cache folder", folder.display())]
    Folder {
        /// Where it was to be.
        folder: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The user stopped it.
    #[error("cancelled; nothing was left behind")]
    Cancelled,
    /// A thread ended by a panic: a bug.
    #[error("a working thread stopped unexpectedly, please report this")]
    Panic,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_a_middle() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of(&[4.0, 1.0]), Spread { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(Spread::of(&[]), Spread::default());
    }

    #[test]
    fn ratios_have_the_decimals_they_need() {
        let ratio = |ratio: f64| StageResult { stage: BenchStage::Disk, rows: 1, seconds: Spread::default(), ratio }.ratio_text();
        assert_eq!([0.842, 1.26, 35.4, 12_345.6].map(ratio), ["0.84 ×", "1.3 ×", "35 ×", "12,346 ×"].map(|text| Some(text.to_owned())));
        let both = StageResult { stage: BenchStage::Both, rows: 1, seconds: Spread::default(), ratio: 1.0 };
        assert_eq!(both.ratio_text(), None);
    }

    #[test]
    fn the_figures_can_be_pasted_into_a_spreadsheet() {
        let seconds = Spread { median: 0.5, min: 0.25, max: 1.0 };
        let stages = vec![StageResult { stage: BenchStage::Memory, rows: 100, seconds, ratio: 40.0 }];
        let report = BenchReport { stages, ..BenchReport::default() };
        assert_eq!(report.as_tsv().lines().nth(1), Some("memory\t0.5\t0.25\t1\t100\t200.0\t40.0000"));
        assert!(report.notes().iter().all(|note| !note.ends_with('.')));
    }
}
