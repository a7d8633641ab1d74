//! Counts lookups per tier without touching the disk; the counts are handed to the catalog from time to time.

use super::catalog::LookupCount;
use super::entry::{Dataset, EntryKey};
use crate::market::SECOND_US;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Where a lookup was answered, in the order they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, strum::EnumIter)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The process's own memory.
    Memory,
    /// The cached files.
    Disk,
    /// A shared cache on the network.
    Shared,
    /// Nowhere: the source has to be asked.
    Miss,
}

impl Tier {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Shared => "shared",
            Self::Miss => "miss",
        }
    }

    /// The tier of this word; unknown words count as misses.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "memory" => Self::Memory,
            "disk" => Self::Disk,
            "shared" => Self::Shared,
            _ => Self::Miss,
        }
    }
}

/// Lookups by tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HitCounts {
    /// Answered from memory.
    pub memory: u64,
    /// Answered from files.
    pub disk: u64,
    /// Answered from the shared tier.
    pub shared: u64,
    /// Not answered.
    pub miss: u64,
}

impl HitCounts {
    /// Adds lookups of one tier.
    pub fn add(&mut self, tier: Tier, count: u64) {
        match tier {
            Tier::Memory => self.memory += count,
            Tier::Disk => self.disk += count,
            Tier::Shared => self.shared += count,
            Tier::Miss => self.miss += count,
        }
    }

    /// Lookups of one tier.
    #[must_use]
    pub fn of(&self, tier: Tier) -> u64 {
        match tier {
            Tier::Memory => self.memory,
            Tier::Disk => self.disk,
            Tier::Shared => self.shared,
            Tier::Miss => self.miss,
        }
    }

    /// All lookups.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.memory + self.disk + self.shared + self.miss
    }

    /// Share of lookups that a tier answered, 0…1; `None` when there were none.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| (total - self.miss) as f64 / total as f64)
    }
}

/// Lookups not yet handed to the catalog.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    lookups: BTreeMap<(i64, Tier, &'static str), u64>,
    hits: HashMap<EntryKey, (u64, i64)>,
}

/// One minute, the width of a bucket.
const BUCKET_US: i64 = 60 * SECOND_US;

impl Counters {
    pub(super) fn count(&self, key: &EntryKey, tier: Tier, now_us: i64) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let dataset = if matches!(key.dataset, Dataset::Bars) { "bars" } else { "features" };
        let bucket_us = now_us - now_us.rem_euclid(BUCKET_US);
        *pending.lookups.entry((bucket_us, tier, dataset)).or_default() += 1;
        if tier != Tier::Miss {
            if let Some((count, used_us)) = pending.hits.get_mut(key) {
                *count += 1;
                *used_us = now_us;
            } else {
                pending.hits.insert(key.clone(), (1, now_us));
            }
        }
    }

    /// Takes everything counted so far.
    pub(super) fn take(&self) -> (Vec<LookupCount>, Vec<(EntryKey, u64, i64)>) {
        let pending = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let lookups = pending
            .lookups
            .into_iter()
            .map(|((bucket_us, tier, dataset), count)| LookupCount { bucket_us, tier, dataset: dataset.to_owned(), count })
            .collect();
        let mut hits: Vec<_> = pending.hits.into_iter().map(|(key, (count, used_us))| (key, count, used_us)).collect();
        hits.sort();
        (lookups, hits)
    }
}
