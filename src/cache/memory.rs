//! The memory tier: decoded content with what its state depends on, weighed in bytes. It never asks the catalog.
//!
//! Contract: a copy is dropped when its entry is, and features are dropped with their bars, because whether they are outdated
//! depends on these. What other processes change reaches it through [`super::Cache::forget_replaced`].

use super::Cache;
use super::catalog::Touched;
use super::entry::{Dataset, Entry, EntryKey, Failure};
use super::error::CacheError;
use super::lookups::{fingerprint_of, is_same_row};
use super::store::Served;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

/// Weights are counted in these, because a weight has 32 bits and content can be larger than 4 GB.
const WEIGHT_UNIT_BYTES: u64 = 1_024;
/// What keeping a copy takes besides its content and its texts: the row, the tier's own bookkeeping.
const OVERHEAD_BYTES: usize = size_of::<Served>() + size_of::<Held>() + 256;

/// One copy in memory.
#[derive(Debug)]
pub(super) struct Held {
    /// Content and row.
    pub served: Arc<Served>,
    /// For features: the fingerprint of the bars cached now; `None` when there are none.
    pub bars_fingerprint: Option<u128>,
    /// What the source would take for it, in microseconds; 0 where nothing is known.
    pub source_cost_us: u64,
}

/// Copies by their entry.
#[derive(Debug)]
pub(super) struct MemoryTier {
    copies: moka::sync::Cache<EntryKey, Arc<Held>>,
    /// Every set that was ever kept, to find the features of a symbol.
    sets: RwLock<BTreeSet<Arc<str>>>,
    budget_bytes: u64,
}

/// Bytes a copy takes.
fn size_of_copy(served: &Served) -> usize {
    let Entry { key, file, synced, failure, .. } = &served.entry;
    let texts = key.source.as_str().len()
        + key.symbol.as_str().len()
        + key.dataset.name().len()
        + file.as_ref().map_or(0, |file| file.path.as_os_str().len())
        + failure.as_ref().map_or(0, |failure| failure.message.len());
    let years = synced.as_ref().map_or(0, |synced| size_of_val(synced.years.as_slice()));
    served.content.size_bytes() + texts + years + OVERHEAD_BYTES
}

/// Bytes as a weight, rounded up, so that the tier never holds more than it says.
fn weight_of(size_bytes: usize) -> u32 {
    u32::try_from((size_bytes as u64).div_ceil(WEIGHT_UNIT_BYTES)).unwrap_or(u32::MAX)
}

impl MemoryTier {
    pub(super) fn new(budget_bytes: u64) -> Self {
        let copies = moka::sync::Cache::builder()
            .max_capacity(budget_bytes / WEIGHT_UNIT_BYTES)
            .weigher(|_key, held: &Arc<Held>| weight_of(size_of_copy(&held.served)))
            .build();
        Self { copies, sets: RwLock::default(), budget_bytes }
    }

    pub(super) fn get(&self, key: &EntryKey) -> Option<Arc<Held>> {
        self.copies.get(key)
    }

    pub(super) fn insert(&self, held: Arc<Held>) {
        let key = held.served.entry.key.clone();
        if let Dataset::Features(set) = &key.dataset {
            let known = self.sets.read().unwrap_or_else(PoisonError::into_inner).contains(set);
            if !known {
                self.sets.write().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(set));
            }
        }
        self.copies.insert(key, held);
    }

    /// Drops the copy of an entry; with bars, also the features computed from them.
    pub(super) fn invalidate(&self, key: &EntryKey) {
        self.copies.invalidate(key);
        if key.dataset.is_bars() {
            for set in self.sets.read().unwrap_or_else(PoisonError::into_inner).iter() {
                self.copies.invalidate(&EntryKey { dataset: Dataset::Features(Arc::clone(set)), ..key.clone() });
            }
        }
    }

    /// Every copy there is.
    pub(super) fn copies(&self) -> Vec<Arc<Held>> {
        self.copies.iter().map(|(_key, held)| held).collect()
    }

    /// Most bytes it may hold.
    pub(super) fn budget_bytes(&self) -> u64 {
        self.budget_bytes
    }

    /// Bytes it holds now.
    pub(super) fn size_bytes(&self) -> u64 {
        self.copies.run_pending_tasks();
        self.copies.weighted_size().saturating_mul(WEIGHT_UNIT_BYTES)
    }
}

impl Cache {
    /// Makes copies in memory say what the catalog says of their entries now; those of other content are dropped.
    fn renew_in_memory<'keys>(&self, keys: impl IntoIterator<Item = &'keys EntryKey>) -> Result<(), CacheError> {
        for key in keys {
            let Some(held) = self.memory.get(key) else { continue };
            let now = self.catalog.entry(key)?;
            let bars_fingerprint = fingerprint_of(self.bars_of(key)?.as_ref());
            let then = &held.served.entry;
            match now {
                Some(now) if is_same_row(&now, then) && bars_fingerprint == held.bars_fingerprint => {}
                Some(now) if now.file.is_some() && checksum_of(&now) == checksum_of(then) => {
                    let served = Arc::new(Served { content: held.served.content.clone(), entry: now });
                    self.memory.insert(Arc::new(Held { served, bars_fingerprint, source_cost_us: held.source_cost_us }));
                }
                _ => self.memory.invalidate(key),
            }
        }
        Ok(())
    }

    /// Compares the memory tier with the catalog after other processes changed it: replaced copies are dropped, states made right.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn forget_replaced(&self) -> Result<(), CacheError> {
        let copies = self.memory.copies();
        self.renew_in_memory(copies.iter().map(|held| &held.served.entry.key))
    }

    /// Marks entries as fetched again with unchanged content. Returns those that have no file any more (cleared meanwhile).
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn touch_entries(&self, touched: &[Touched]) -> Result<Vec<EntryKey>, CacheError> {
        let lost = self.catalog.touch_entries(touched)?;
        self.renew_in_memory(touched.iter().map(|one| &one.key))?;
        Ok(lost)
    }

    /// Records failed attempts; what was cached stays and is still served.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn put_failures(&self, failures: &[(EntryKey, Failure)]) -> Result<(), CacheError> {
        self.catalog.put_failures(failures)?;
        self.renew_in_memory(failures.iter().map(|(key, _failure)| key))
    }

    /// Forgets failed attempts: the source answered, and has nothing.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn forget_failures(&self, keys: &[EntryKey]) -> Result<(), CacheError> {
        self.catalog.forget_failures(keys)?;
        self.renew_in_memory(keys)
    }

    /// Pins or unpins entries.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn set_pinned(&self, keys: &[EntryKey], pinned: bool) -> Result<(), CacheError> {
        self.catalog.set_pinned(keys, pinned)?;
        self.renew_in_memory(keys)
    }
}

fn checksum_of(entry: &Entry) -> Option<u128> {
    entry.file.as_ref().map(|file| file.checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_content_is_never_counted_for_less() {
        assert_eq!(weight_of(0), 0);
        assert_eq!(weight_of(1), 1);
        assert_eq!(weight_of(1_024), 1);
        let five_gigabytes = 5 * (1_usize << 30) + 1;
        assert!(u64::from(weight_of(five_gigabytes)) * WEIGHT_UNIT_BYTES >= five_gigabytes as u64);
    }
}
