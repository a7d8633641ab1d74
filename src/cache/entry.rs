//! What the catalog knows of one cached thing: its key, its file, its times. No file and no database is touched here.

use crate::feature::DefinitionHash;
use crate::market::{DateRange, Quality, Resolution, Symbol};
use crate::source::{SourceId, YearDigest};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// What is cached per symbol: its bars, one feature set, or an older version of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dataset {
    /// Price bars.
    Bars,
    /// The feature set of this name.
    Features(Arc<str>),
    /// What was cached of a feature set before its definition changed: name and definition, as in `classic@0123456789abcdef`.
    /// It can be read and does not age; nothing brings it up to date.
    Older(Arc<str>),
}

/// Stands between a set's name and the definition of a version; no set's name has it.
pub const VERSION_MARK: char = '@';

impl Dataset {
    /// The feature set of this name.
    #[must_use]
    pub fn features(set: impl AsRef<str>) -> Self {
        Self::Features(Arc::from(set.as_ref()))
    }

    /// The version of a set that this definition made.
    #[must_use]
    pub fn older(set: &str, definition: DefinitionHash) -> Self {
        Self::Older(Arc::from(format!("{set}{VERSION_MARK}{definition}")))
    }

    /// `bars`, the set's name, or that with the definition of an older version.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Bars => "bars",
            Self::Features(set) | Self::Older(set) => set,
        }
    }

    /// The dataset of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "bars" => Self::Bars,
            name if name.contains(VERSION_MARK) => Self::Older(Arc::from(name)),
            name => Self::features(name),
        }
    }

    /// The name of the set, without the definition of an older version; `None` for bars.
    #[must_use]
    pub fn set(&self) -> Option<&str> {
        match self {
            Self::Bars => None,
            Self::Features(set) => Some(set),
            Self::Older(version) => version.split(VERSION_MARK).next(),
        }
    }

    /// Whether this is an older version of a set.
    #[must_use]
    pub fn is_older(&self) -> bool {
        matches!(self, Self::Older(_))
    }

    /// Whether this is the bars.
    #[must_use]
    pub fn is_bars(&self) -> bool {
        matches!(self, Self::Bars)
    }
}

impl std::fmt::Display for Dataset {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bars => formatter.write_str("bars"),
            Self::Features(set) | Self::Older(set) => write!(formatter, "{set} features"),
        }
    }
}

/// One symbol's copy of one dataset from one source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey {
    /// Where the bars come from.
    pub source: SourceId,
    /// The instrument.
    pub symbol: Symbol,
    /// Bars or a feature set.
    pub dataset: Dataset,
}

impl EntryKey {
    /// A symbol's bars.
    #[must_use]
    pub fn bars(source: &SourceId, symbol: &Symbol) -> Self {
        Self { source: source.clone(), symbol: symbol.clone(), dataset: Dataset::Bars }
    }

    /// The same symbol's older version of its set, made by this definition; `None` for bars.
    #[must_use]
    pub fn older(&self, definition: DefinitionHash) -> Option<Self> {
        let dataset = Dataset::older(self.dataset.set()?, definition);
        Some(Self { source: self.source.clone(), symbol: self.symbol.clone(), dataset })
    }

    /// What this was before it became an older version; itself where it is none. It is the name that stands in the file.
    #[must_use]
    pub fn as_written(&self) -> Self {
        match (&self.dataset, self.dataset.set()) {
            (Dataset::Older(_), Some(set)) => Self::features(&self.source, &self.symbol, set),
            _ => self.clone(),
        }
    }

    /// A symbol's features of one set.
    #[must_use]
    pub fn features(source: &SourceId, symbol: &Symbol, set: &str) -> Self {
        Self { source: source.clone(), symbol: symbol.clone(), dataset: Dataset::features(set) }
    }
}

impl Synced {
    /// Whether the counts are those of the rows before this day: there were none from it up to the end of what was counted.
    #[must_use]
    pub fn counts_the_same_before(&self, day: NaiveDate) -> bool {
        let Some(settled_before) = self.settled_before else { return false };
        day == settled_before || (day < settled_before && self.last_day.is_some_and(|last| last < day))
    }
}

/// A cached file as the catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Path below the root of its tree.
    pub path: PathBuf,
    /// Length of the file.
    pub size_bytes: u64,
    /// When the file was last written, by the file system's clock.
    pub modified_us: i64,
    /// xxh3-128 of the whole file.
    pub checksum: u128,
    /// xxh3-128 of the columns' values, whatever their encoding.
    pub fingerprint: u128,
    /// Number of rows.
    pub rows: u64,
    /// Time of the first row.
    pub first_us: i64,
    /// Time of the last row.
    pub last_us: i64,
    /// Daily, or with a time of day.
    pub resolution: Resolution,
    /// The files of an entry that is kept by years, oldest first; empty where it is one file. With years, the path is that of
    /// their folder, the checksum is one of all of theirs, and size, rows and times are those of all of them.
    pub years: Vec<YearFile>,
}

/// The file of one year of an entry that is kept by years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearFile {
    /// Which year, by the source's wall clock.
    pub year: i32,
    /// Length of the file.
    pub size_bytes: u64,
    /// When the file was last written, by the file system's clock.
    pub modified_us: i64,
    /// xxh3-128 of the whole file.
    pub checksum: u128,
    /// xxh3-128 of the values of its columns.
    pub fingerprint: u128,
    /// Number of rows.
    pub rows: u64,
    /// Time of the first row.
    pub first_us: i64,
    /// Time of the last row.
    pub last_us: i64,
}

/// What features were computed with and from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance {
    /// Hash of the set's definitions.
    pub definition: DefinitionHash,
    /// Fingerprint of the bars they were computed from.
    pub inputs: u128,
}

/// Why the last attempt to bring an entry to fresh failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// When it failed.
    pub at_us: i64,
    /// What happened and what to do.
    pub message: String,
    /// Failed attempts in a row, this one included.
    pub attempts: u32,
    /// When it is tried again without being asked; nothing does before.
    pub next_attempt_us: Option<i64>,
}

/// What the source said it had when an entry's bars were fetched; compared with what it says later to notice every change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Synced {
    /// Only days before this one are counted: their sessions were closed. Later bars are provisional.
    pub settled_before: Option<NaiveDate>,
    /// The day of the last row that is counted, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<NaiveDate>,
    /// Count and checksum of each year, by year.
    pub years: Vec<YearDigest>,
    /// What was noticed in the rows that are counted; `None` where there were no others, or it cannot be told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// When all that is counted was last compared with the source; `None` where every check did that, as earlier versions had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_us: Option<i64>,
}

/// One row of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which entry.
    pub key: EntryKey,
    /// Its file, if there is one to serve.
    pub file: Option<FileFacts>,
    /// Without a file, of an entry that was kept by years: those whose files are as they were. They are not served, but only the
    /// others have to be fetched again.
    pub kept_years: Vec<YearFile>,
    /// For features: what they were computed with and from.
    pub provenance: Option<Provenance>,
    /// The days that were asked of the source.
    pub range: DateRange,
    /// When the bars were fetched (for features: the bars they were computed from).
    pub fetched_at_us: i64,
    /// When it was marked as not fresh, if it was since it was fetched.
    pub invalidated_at_us: Option<i64>,
    /// The last failed attempt, if it came after the last good one.
    pub failure: Option<Failure>,
    /// When its file was found damaged, if it has not been replaced since.
    pub damaged_at_us: Option<i64>,
    /// Whether it never expires and is never evicted.
    pub pinned: bool,
    /// What was noticed in the source's rows.
    pub quality: Quality,
    /// For bars: what the source said it had; `None` when it was not asked.
    pub synced: Option<Synced>,
    /// Time of the first bar of a session that was not closed when it was fetched; it and what follows is fetched again.
    pub provisional_from_us: Option<i64>,
    /// What it took to fetch (bars) or compute (features) it, in microseconds; what it would take to bring it back.
    pub cost_us: u64,
    /// How often it was read from the cache.
    pub hits: u64,
    /// When it was last read.
    pub last_used_us: Option<i64>,
}

impl Entry {
    /// An entry of which nothing is cached.
    #[must_use]
    pub fn without_file(key: EntryKey) -> Self {
        Self {
            key,
            file: None,
            kept_years: Vec::new(),
            provenance: None,
            range: DateRange::ALL,
            fetched_at_us: 0,
            invalidated_at_us: None,
            failure: None,
            damaged_at_us: None,
            pinned: false,
            quality: Quality::default(),
            synced: None,
            provisional_from_us: None,
            cost_us: 0,
            hits: 0,
            last_used_us: None,
        }
    }

    /// For bars: when their whole history was last compared with the source's, or fetched from it; `None` when it could not say.
    #[must_use]
    pub fn verified_us(&self) -> Option<i64> {
        let synced = self.synced.as_ref().filter(|_| self.file.is_some())?;
        Some(synced.verified_us.unwrap_or(self.fetched_at_us))
    }

    /// What was noticed in the rows of closed sessions.
    #[must_use]
    pub fn settled_quality(&self) -> Quality {
        self.synced.as_ref().and_then(|synced| synced.quality).unwrap_or(self.quality)
    }

    /// Its key, if it can be fetched or computed again; an older version cannot.
    #[must_use]
    pub fn restorable(&self) -> Option<EntryKey> {
        (!self.key.dataset.is_older()).then(|| self.key.clone())
    }

    /// Whether files of it are there, be it only those of some years, which are not served.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.file.is_some() || !self.kept_years.is_empty()
    }

    /// Bytes on disk.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.size_bytes)
    }

    /// Number of rows cached.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.rows)
    }
}

/// Which datasets an action is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DatasetFilter {
    /// Bars and all features.
    #[default]
    All,
    /// Bars only.
    Bars,
    /// Every feature set, not the bars.
    Features,
    /// These feature sets with all their versions, or, named as `classic@0123456789abcdef`, single older versions.
    Sets(Vec<String>),
}

impl DatasetFilter {
    /// Whether a dataset is meant.
    #[must_use]
    pub fn matches(&self, dataset: &Dataset) -> bool {
        match (self, dataset) {
            (Self::All, _) | (Self::Bars, Dataset::Bars) | (Self::Features, Dataset::Features(_) | Dataset::Older(_)) => true,
            (Self::Sets(sets), dataset) => dataset.set().is_some_and(|set| sets.iter().any(|name| name == set || name == dataset.name())),
            _ => false,
        }
    }
}

/// Which entries an action is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Entries of this source; of every source when left out.
    pub source: Option<SourceId>,
    /// Entries of these symbols; of every symbol when left out.
    pub symbols: Option<Vec<Symbol>>,
    /// Which datasets.
    pub datasets: DatasetFilter,
    /// Only entries whose time is over or whose inputs changed; what merely failed to be fetched again is kept.
    pub expired_only: bool,
}
