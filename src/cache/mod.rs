//! The cache: catalog, checksummed Parquet files, a memory tier in front, and a trash behind.
//!
//! Only this room writes cached files, and a file counts once the catalog committed it: temporary → fsync → rename → fsync
//! folder → catalog; or, for rows added to a file, lock → write behind its end → fsync → catalog. Intraday bars have a file per year
//! ([`years`]), everything else is one file. What is served was checked against its checksum. Blocking calls, safe from any thread but the window's.

mod append;
mod backup;
mod batch;
mod budget;
mod catalog;
mod change;
mod counters;
mod entry;
mod error;
mod examine;
mod file_layer;
mod files;
mod folders;
mod free;
mod freshness;
mod judge;
mod latency;
mod lease;
mod lookups;
mod many;
mod memory;
mod parquet_file;
mod recovery;
mod scrub;
mod store;
#[cfg(test)]
mod test_cache;
mod trash;
mod verify;
mod versions;
mod why;
mod years;

pub use append::Appendable;
pub use batch::{Batch, Committed};
pub use budget::{
    BudgetLevel, BudgetStatus, CacheCosts, DatasetCost, DiskSpace, EVICTION_RULE, Eviction, Limits, Room, SymbolCost, costs_of,
    plan_evictions, value_of,
};
pub use catalog::{Catalog, CatalogCheck, ExaminedBars, JobRecord, KeyLookups, LookupCount, QualityFinding, Touched, TrashBatch};
pub use change::{Change, ChangeKind};
pub use counters::{EntryLookups, HitCounts, LoggedLookup, LookupReason, LookupTotals, Tier};
pub use entry::{Dataset, DatasetFilter, Entry, EntryKey, Failure, FileFacts, Provenance, Selection, Synced, VERSION_MARK, YearFile};
pub use error::CacheError;
pub use examine::{examination_rules, peers_of, peers_stamp};
pub use file_layer::{FileLayer, FileStatus, OpenFile, SystemFiles};
pub use folders::{BARS_TREE, FEATURES_TREE, Folders};
pub use free::FreePlan;
pub use freshness::{EntryState, Policy, Rule, TimeToLive, TimeToLiveError, expires_at_us, state_of};
pub use judge::{Definitions, FreshnessRule, FreshnessRules, Judge, SymbolPattern};
pub use latency::Latency;
pub use lease::{Fence, Holder, Lease, LeaseLost};
pub use lookups::{Found, LookupBucket, LookupSpan, LookupStats, TierLookups};
pub use parquet_file::{ColumnFrom, ColumnLayout, Content, FileLayout, Footer, GroupLayout, YearList, batch_in, batch_of, rounding_of};
pub use recovery::Recovery;
pub use scrub::{SCRUB_BYTES_PER_SECOND, SCRUB_INTERVAL_US, ScrubCounts, ScrubPass, ScrubProgress, scrub_pause};
pub use store::{Served, Staged};
pub use trash::Cleared;
pub use verify::VerifyReport;
pub use versions::{OlderVersions, SetVersion, VersionFacts, VersionRecord, VersionUse};
pub use why::{End, Why, provisional_sentence, rule_words};

use crate::market::{Clock, Symbol};
use crate::source::SourceId;
use counters::Counters;
use files::Files;
use lookups::CostEstimates;
use memory::MemoryTier;
use std::collections::HashMap;
use std::sync::Arc;

/// How a cache is opened.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// Where everything lies.
    pub folders: Folders,
    /// Most bytes the memory tier may hold.
    pub memory_budget_bytes: u64,
    /// Whether single lookups are logged with their reasons.
    pub log_lookups: bool,
    /// How much room its files may take.
    pub limits: Limits,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// How files are touched.
    pub files: Arc<dyn FileLayer>,
}

impl CacheOptions {
    /// A cache on the system's own files that logs its lookups.
    #[must_use]
    pub fn new(folders: Folders, memory_budget_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        Self { folders, memory_budget_bytes, log_lookups: true, limits: Limits::default(), clock, files: Arc::new(SystemFiles) }
    }
}

/// One open cache. Share it by `Arc`.
#[derive(Debug)]
pub struct Cache {
    folders: Folders,
    files: Files,
    catalog: Arc<Catalog>,
    memory: MemoryTier,
    recent_bars: many::RecentBars,
    counters: Counters,
    costs: CostEstimates,
    limits: std::sync::RwLock<Limits>,
    clock: Arc<dyn Clock>,
    /// What was wrong with the catalog when it was opened, until a check has told it.
    mended: std::sync::Mutex<Option<String>>,
    /// Held while files are moved between their homes and the trash or quarantine.
    moving: std::sync::Mutex<()>,
    held: lease::Held,
}

/// How much room the cache takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes of cached bars.
    pub bars_bytes: u64,
    /// Bytes of cached features.
    pub features_bytes: u64,
    /// Bytes in the memory tier.
    pub memory_bytes: u64,
    /// Most bytes the memory tier may hold.
    pub memory_budget_bytes: u64,
    /// Bytes waiting in the trash.
    pub trash_bytes: u64,
    /// Free bytes on the disk of the cache folder, where the system says.
    pub free_disk_bytes: Option<u64>,
}

impl Cache {
    /// Opens a cache, making its folders and catalog where needed, and sets right what a killed process left behind.
    ///
    /// # Errors
    /// When the folder cannot be written, or the catalog cannot be opened.
    pub fn open(options: CacheOptions) -> Result<(Self, Recovery), CacheError> {
        let files = Files::new(options.files);
        files.make_folder(&options.folders.cache_dir)?;
        let (catalog, reopened) = match backup::open_catalog(&files, &options.folders, options.clock.now_us()) {
            Err(CacheError::Catalog { path: _, reason }) if recovery::is_permission(&reason) => {
                return Err(CacheError::FolderNotWritable { path: options.folders.cache_dir, reason });
            }
            other => other?,
        };
        let cache = Self {
            folders: options.folders,
            files,
            catalog: Arc::new(catalog),
            memory: MemoryTier::new(options.memory_budget_bytes),
            recent_bars: many::RecentBars::default(),
            counters: Counters::new(options.log_lookups),
            costs: CostEstimates::default(),
            limits: std::sync::RwLock::new(options.limits),
            clock: options.clock,
            mended: std::sync::Mutex::default(),
            moving: std::sync::Mutex::default(),
            held: lease::Held::default(),
        };
        // A copy of the catalog is older than the files.
        let restored_pins = if reopened.copy_of_us.is_some() { cache.align_copy()? } else { 0 };
        // First, so that files on their way to the trash are not taken for lost ones.
        unless_full(cache.finish_clears())?;
        let recovery = unless_full(cache.recover(reopened, restored_pins))?;
        unless_full(cache.purge_trash())?;
        cache.note_mended(&recovery);
        Ok((cache, recovery))
    }

    /// Where everything lies.
    #[must_use]
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Now, by the cache's clock.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// Every entry (of one source, if given) with its state, by source, symbol and dataset. Older versions are none of them: they
    /// are what they were, see [`Cache::older_entries`].
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn states(&self, source: Option<&SourceId>, judge: &Judge) -> Result<Vec<(Entry, EntryState)>, CacheError> {
        let entries = self.catalog.entries(source)?.into_iter().filter(|entry| !entry.key.dataset.is_older());
        Ok(with_states(entries.collect(), judge, self.now_us()))
    }

    /// Marks entries as not fresh; their files stay and are still served. Returns how many, and their bytes.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn invalidate(&self, selection: &Selection, judge: &Judge) -> Result<(usize, u64), CacheError> {
        let may_be = |entry: &Entry| entry.file.is_some() && !entry.key.dataset.is_older();
        let chosen: Vec<Entry> = self.select(selection, judge)?.into_iter().filter(may_be).collect();
        let keys: Vec<EntryKey> = chosen.iter().map(|entry| entry.key.clone()).collect();
        self.catalog.invalidate(&keys, self.now_us())?;
        self.forget_in_memory(&keys);
        Ok((chosen.len(), chosen.iter().map(Entry::size_bytes).sum()))
    }

    /// The entries a selection means, older versions among them.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn select(&self, selection: &Selection, judge: &Judge) -> Result<Vec<Entry>, CacheError> {
        let wanted: Option<std::collections::HashSet<&Symbol>> = selection.symbols.as_ref().map(|symbols| symbols.iter().collect());
        let entries = self.catalog.entries(selection.source.as_ref())?;
        let chosen = with_states(entries, judge, self.now_us())
            .into_iter()
            .filter(|(entry, state)| {
                wanted.as_ref().is_none_or(|wanted| wanted.contains(&entry.key.symbol))
                    && selection.datasets.matches(&entry.key.dataset)
                    && (!selection.expired_only || matches!(state, EntryState::Stale | EntryState::Outdated))
            })
            .map(|(entry, _state)| entry)
            .collect();
        Ok(chosen)
    }

    /// How much room the cache takes.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn usage(&self) -> Result<Usage, CacheError> {
        let mut usage = Usage {
            memory_budget_bytes: self.memory.budget_bytes(),
            memory_bytes: self.memory.size_bytes(),
            free_disk_bytes: fs4::available_space(&self.folders.cache_dir).ok(),
            ..Usage::default()
        };
        (usage.bars_bytes, usage.features_bytes) = self.catalog.bytes()?;
        usage.trash_bytes = self.catalog.trash_batches()?.iter().map(|batch| batch.size_bytes).sum();
        Ok(usage)
    }

    fn forget_in_memory(&self, keys: &[EntryKey]) {
        for key in keys {
            self.memory.invalidate(key);
        }
    }
}

/// On a full disk what is cached can still be read, and clearing makes room: what could not be set right is left for the next start.
fn unless_full<T: Default>(result: Result<T, CacheError>) -> Result<T, CacheError> {
    match result {
        Err(error @ CacheError::DiskFull { .. }) => {
            tracing::warn!(%error, "what an earlier process left behind is set right at the next start");
            Ok(T::default())
        }
        other => other,
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        if let Err(error) = self.flush_counters() {
            tracing::warn!(%error, "the last lookups were not counted");
        }
        if let Err(error) = self.back_up_at_closing() {
            tracing::warn!(%error, "no copy of the catalog could be made");
        }
    }
}

/// Entries with their states; features are compared with the bars among the same entries.
#[must_use]
pub fn with_states(entries: Vec<Entry>, judge: &Judge, now_us: i64) -> Vec<(Entry, EntryState)> {
    let states = states_among(&entries, judge, now_us);
    entries.into_iter().zip(states).collect()
}

/// The states of entries, in their order; features are compared with the bars among the same entries.
#[must_use]
pub fn states_among(entries: &[Entry], judge: &Judge, now_us: i64) -> Vec<EntryState> {
    fn whose(entry: &Entry) -> (&SourceId, &Symbol) {
        (&entry.key.source, &entry.key.symbol)
    }
    let fingerprints: HashMap<(&SourceId, &Symbol), u128> = entries
        .iter()
        .filter(|entry| entry.key.dataset.is_bars())
        .filter_map(|entry| Some((whose(entry), entry.file.as_ref()?.fingerprint)))
        .collect();
    let state = |entry: &Entry| {
        let bars_fingerprint = match &entry.key.dataset {
            Dataset::Bars | Dataset::Older(_) => None,
            Dataset::Features(_) => fingerprints.get(&whose(entry)).copied(),
        };
        judge.state(Some(entry), &entry.key, bars_fingerprint, now_us)
    };
    entries.iter().map(state).collect()
}
