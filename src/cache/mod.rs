//! The cache: catalog, checksummed Parquet files, a memory tier in front, and a trash behind.
//!
//! Only this room writes cached files, and a file counts once the catalog committed it: temporary → fsync → rename → fsync
//! folder → catalog; or, for rows added to a file, lock → write behind its end → fsync → catalog. What is served was checked against its checksum. Blocking calls, safe from any thread but the window's.

mod append;
mod catalog;
mod change;
mod counters;
mod entry;
mod error;
mod file_layer;
mod files;
mod folders;
mod freshness;
mod judge;
mod parquet_file;
mod recovery;
mod store;
mod trash;
mod verify;

pub use append::Appendable;
pub use catalog::{Catalog, JobRecord, LookupCount, Touched, TrashBatch};
pub use change::{Change, ChangeKind};
pub use counters::{HitCounts, Tier};
pub use entry::{Dataset, DatasetFilter, Entry, EntryKey, Failure, FileFacts, Provenance, Selection, Synced};
pub use error::CacheError;
pub use file_layer::{FileLayer, FileStatus, OpenFile, SystemFiles};
pub use folders::{BARS_TREE, FEATURES_TREE, Folders};
pub use freshness::{EntryState, Policy, Rule, TimeToLive, TimeToLiveError, expires_at_us, state_of};
pub use judge::{Definitions, FreshnessRule, FreshnessRules, Judge, SymbolPattern};
pub use parquet_file::{Content, Footer, batch_of};
pub use recovery::Recovery;
pub use store::{Served, Staged};
pub use trash::Cleared;
pub use verify::VerifyReport;

use crate::market::{Clock, Symbol};
use crate::source::SourceId;
use counters::Counters;
use files::Files;
use std::collections::HashMap;
use std::sync::Arc;

/// How a cache is opened.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// Where everything lies.
    pub folders: Folders,
    /// Most bytes the memory tier may hold.
    pub memory_budget_bytes: u64,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// How files are touched.
    pub files: Arc<dyn FileLayer>,
}

impl CacheOptions {
    /// A cache on the system's own files.
    #[must_use]
    pub fn new(folders: Folders, memory_budget_bytes: u64, clock: Arc<dyn Clock>) -> Self {
        Self { folders, memory_budget_bytes, clock, files: Arc::new(SystemFiles) }
    }
}

/// One open cache. Share it by `Arc`.
#[derive(Debug)]
pub struct Cache {
    folders: Folders,
    files: Files,
    catalog: Catalog,
    memory: moka::sync::Cache<EntryKey, Arc<Served>>,
    counters: Counters,
    clock: Arc<dyn Clock>,
    /// Held while files are moved between their homes and the trash or quarantine.
    moving: std::sync::Mutex<()>,
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
        let path = options.folders.catalog();
        let (catalog, moved_aside) = match Catalog::open(&path) {
            Ok(catalog) => (catalog, None),
            Err(CacheError::CatalogDamaged { reason, .. }) => {
                let aside = recovery::move_catalog_aside(&files, &path, options.clock.now_us())?;
                tracing::warn!(%reason, aside = %aside.display(), "the catalog was damaged and is rebuilt from the cached files");
                (Catalog::open(&path)?, Some(aside))
            }
            Err(CacheError::Catalog { path: _, reason }) if recovery::is_permission(&reason) => {
                return Err(CacheError::FolderNotWritable { path: options.folders.cache_dir, reason });
            }
            Err(error) => return Err(error),
        };
        let memory = moka::sync::Cache::builder()
            .max_capacity(options.memory_budget_bytes)
            .weigher(|_key, served: &Arc<Served>| u32::try_from(served.content.size_bytes()).unwrap_or(u32::MAX))
            .build();
        let cache = Self {
            folders: options.folders,
            files,
            catalog,
            memory,
            counters: Counters::default(),
            clock: options.clock,
            moving: std::sync::Mutex::default(),
        };
        // First, so that files on their way to the trash are not taken for lost ones.
        unless_full(cache.finish_clears())?;
        let recovery = unless_full(cache.recover(moved_aside))?;
        unless_full(cache.purge_trash())?;
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

    /// Every entry (of one source, if given) with its state, by source, symbol and dataset.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn states(&self, source: Option<&SourceId>, judge: &Judge) -> Result<Vec<(Entry, EntryState)>, CacheError> {
        Ok(with_states(self.catalog.entries(source)?, judge, self.now_us()))
    }

    /// Marks entries as not fresh; their files stay and are still served. Returns how many, and their bytes.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn invalidate(&self, selection: &Selection, judge: &Judge) -> Result<(usize, u64), CacheError> {
        let chosen: Vec<Entry> = self.select(selection, judge)?.into_iter().filter(|entry| entry.file.is_some()).collect();
        let keys: Vec<EntryKey> = chosen.iter().map(|entry| entry.key.clone()).collect();
        self.catalog.invalidate(&keys, self.now_us())?;
        self.forget_in_memory(&keys);
        Ok((chosen.len(), chosen.iter().map(Entry::size_bytes).sum()))
    }

    /// The entries a selection means.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn select(&self, selection: &Selection, judge: &Judge) -> Result<Vec<Entry>, CacheError> {
        let wanted: Option<std::collections::HashSet<&Symbol>> = selection.symbols.as_ref().map(|symbols| symbols.iter().collect());
        let chosen = self
            .states(selection.source.as_ref(), judge)?
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
            memory_budget_bytes: self.memory.policy().max_capacity().unwrap_or(0),
            free_disk_bytes: fs4::available_space(&self.folders.cache_dir).ok(),
            ..Usage::default()
        };
        self.memory.run_pending_tasks();
        usage.memory_bytes = self.memory.weighted_size();
        (usage.bars_bytes, usage.features_bytes) = self.catalog.bytes()?;
        usage.trash_bytes = self.catalog.trash_batches()?.iter().map(|batch| batch.size_bytes).sum();
        Ok(usage)
    }

    /// Hands the lookups counted so far to the catalog.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn flush_counters(&self) -> Result<(), CacheError> {
        let (lookups, hits) = self.counters.take();
        if lookups.is_empty() { Ok(()) } else { self.catalog.add_lookups(&lookups, &hits, self.now_us()) }
    }

    /// Lookups by tier over the last 30 days, those not yet handed over included.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn hit_counts(&self) -> Result<HitCounts, CacheError> {
        self.flush_counters()?;
        let mut counts = HitCounts::default();
        for lookup in self.catalog.lookups_since(0)? {
            counts.add(lookup.tier, lookup.count);
        }
        Ok(counts)
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
    }
}

/// Entries with their states; features are compared with the bars among the same entries.
#[must_use]
pub fn with_states(entries: Vec<Entry>, judge: &Judge, now_us: i64) -> Vec<(Entry, EntryState)> {
    let fingerprints: HashMap<(SourceId, Symbol), u128> = entries
        .iter()
        .filter(|entry| entry.key.dataset.is_bars())
        .filter_map(|entry| {
            let file = entry.file.as_ref()?;
            Some(((entry.key.source.clone(), entry.key.symbol.clone()), file.fingerprint))
        })
        .collect();
    entries
        .into_iter()
        .map(|entry| {
            let bars_fingerprint = match &entry.key.dataset {
                Dataset::Bars => None,
                Dataset::Features(_) => fingerprints.get(&(entry.key.source.clone(), entry.key.symbol.clone())).copied(),
            };
            let state = judge.state(Some(&entry), &entry.key, bars_fingerprint, now_us);
            (entry, state)
        })
        .collect()
}
