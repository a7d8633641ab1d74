//! Making a wanted amount of room: what would go, told before, and then done.
//!
//! Who goes is the budget's to say ([`super::EVICTION_RULE`]); this only asks for an amount instead of waiting until there is too little.
//! Contract: the trash goes before any entry does; what is pinned, and what somebody writes at the moment, stays.

use super::Cache;
use super::budget::{DatasetCost, Room, plan_evictions};
use super::entry::EntryKey;
use super::error::CacheError;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::PoisonError;

/// What would go for an amount of room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreePlan {
    /// The amount that was asked for.
    pub wanted_bytes: u64,
    /// Bytes of the trash that would be removed; the oldest go first.
    pub trash_bytes: u64,
    /// Entries that would go, by `bars` and sets.
    pub datasets: BTreeMap<String, DatasetCost>,
    /// Symbols that would lose something.
    pub symbols: usize,
    /// Bytes that can be freed at most: everything but what is pinned.
    pub most_bytes: u64,
    /// Bytes that stay because they are pinned.
    pub pinned_bytes: u64,
}

impl FreePlan {
    /// Entries that would go.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.datasets.values().map(|cost| cost.entries).sum()
    }

    /// Bytes that would be free then.
    #[must_use]
    pub fn freed_bytes(&self) -> u64 {
        self.trash_bytes + self.datasets.values().map(|cost| cost.size_bytes).sum::<u64>()
    }

    /// What it takes to bring it all back, measured or estimated, in microseconds.
    #[must_use]
    pub fn cost_us(&self) -> u64 {
        self.datasets.values().map(|cost| cost.cost_us).sum()
    }
}

impl Cache {
    /// What would go so that at least `wanted_bytes` are freed. Nothing is changed by it.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn plan_free(&self, wanted_bytes: u64) -> Result<FreePlan, CacheError> {
        let in_trash: u64 = self.catalog.trash_batches()?.iter().map(|batch| batch.size_bytes).sum();
        let entries = self.catalog.entries(None)?;
        let movable: u64 = entries.iter().filter(|entry| !entry.pinned).map(super::entry::Entry::size_bytes).sum();
        let pinned_bytes: u64 = entries.iter().filter(|entry| entry.pinned).map(super::entry::Entry::size_bytes).sum();
        let trash_bytes = in_trash.min(wanted_bytes);
        let mut plan = FreePlan { wanted_bytes, trash_bytes, most_bytes: in_trash + movable, pinned_bytes, ..FreePlan::default() };
        let going = plan_evictions(&entries, wanted_bytes - trash_bytes, self.now_us(), &|_| false);
        let rows: HashMap<&EntryKey, u64> = entries.iter().map(|entry| (&entry.key, entry.rows())).collect();
        let mut symbols = HashSet::new();
        for eviction in &going {
            let cost = plan.datasets.entry(eviction.key.dataset.name().to_owned()).or_default();
            cost.entries += 1;
            cost.rows += rows.get(&eviction.key).copied().unwrap_or_default();
            cost.size_bytes += eviction.size_bytes;
            cost.cost_us += eviction.cost_us;
            symbols.insert((&eviction.key.source, &eviction.key.symbol));
        }
        plan.symbols = symbols.len();
        Ok(plan)
    }

    /// Frees at least `wanted_bytes`, for good: first the trash goes, oldest first, then the least valuable entries. Where there is not
    /// so much, all of it goes and [`Room::missing_bytes`] says what was missing.
    ///
    /// # Errors
    /// When the catalog cannot be read or written; what was removed until then stays removed.
    pub fn free(&self, wanted_bytes: u64) -> Result<Room, CacheError> {
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = Room { shortfall_bytes: wanted_bytes, trash_bytes: self.remove_trash(wanted_bytes)?, ..Room::default() };
        // So that what was read last is known to have been.
        self.flush_counters()?;
        room.missing_bytes = wanted_bytes.saturating_sub(room.trash_bytes);
        if room.missing_bytes > 0 {
            // In the place of what somebody is writing nothing goes that was not told of before.
            let (evicted, _refused) = self.evict_some(room.missing_bytes, &|_| false)?;
            let freed: u64 = evicted.iter().map(|eviction| eviction.size_bytes).sum();
            room.missing_bytes = room.missing_bytes.saturating_sub(freed);
            room.evicted.extend(evicted);
        }
        room.enough = room.missing_bytes == 0;
        Ok(room)
    }
}

#[cfg(test)]
mod tests {
    use crate::cache::entry::Selection;
    use crate::cache::test_cache::{TestCache, bars_of};
    use crate::market::{HOUR_US, Symbol};

    #[test]
    fn what_goes_is_what_was_planned_and_what_is_pinned_stays() {
        let test = TestCache::new();
        for symbol in ["D", "C", "B", "A"] {
            test.put_bars(symbol, 200, 1.0, 1_000);
            test.clock.advance(HOUR_US);
        }
        test.cache.set_pinned(&[bars_of("D")], true).expect("pinned");
        let selection = Selection { symbols: Some(vec![Symbol::new("A")]), ..Selection::default() };
        let cleared = test.cache.clear(&selection, &test.judge).expect("cleared");
        let wanted = cleared.size_bytes + 1;
        let plan = test.cache.plan_free(wanted).expect("a plan");
        assert_eq!((plan.trash_bytes, plan.entries(), plan.symbols), (cleared.size_bytes, 1, 1));
        assert!(
            plan.freed_bytes() > wanted
                && plan.freed_bytes() < plan.most_bytes
                && plan.pinned_bytes > 0
                && plan.datasets.contains_key("bars")
        );
        let room = test.cache.free(wanted).expect("room");
        assert_eq!((room.enough, room.trash_bytes, room.missing_bytes), (true, plan.trash_bytes, 0));
        assert_eq!(room.evicted.iter().map(|eviction| eviction.key.symbol.as_str()).collect::<Vec<_>>(), ["C"]);
        // More than there is: all but what is pinned.
        let room = test.cache.free(u64::MAX).expect("room");
        assert_eq!((room.enough, room.evicted.len()), (false, 1));
        test.read(&bars_of("D")).expect("pinned");
        assert_eq!(test.cache.plan_free(1).expect("a plan").freed_bytes(), 0);
        assert!(test.cache.verify(false, &|_done, _of| {}).expect("verified").is_clean());
    }
}
