//! Counts lookups without touching the disk; the counts are handed to the catalog from time to time.

use super::entry::{Dataset, EntryKey};
use super::freshness::EntryState;
use super::latency::{Histogram, class_of};
use crate::market::{HOUR_US, SECOND_US};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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

/// Why a lookup was answered as it was: the state of what was served, or what kept it from being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, strum::EnumIter)]
#[serde(rename_all = "lowercase")]
pub enum LookupReason {
    /// It was fresh.
    Fresh,
    /// Nothing is cached.
    Missing,
    /// Its time was over.
    Stale,
    /// Its inputs or its definition had changed.
    Outdated,
    /// Its file failed the checksum; damaged files are never served.
    Damaged,
    /// The last attempt to bring it to fresh had failed, or its file could not be read.
    Failed,
    /// The cache was passed over because that was asked for.
    Forced,
}

impl LookupReason {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Outdated => "outdated",
            Self::Damaged => "damaged",
            Self::Failed => "failed",
            Self::Forced => "forced",
        }
    }

    /// The reason of this word; words that are not known mean that it failed.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        <Self as strum::IntoEnumIterator>::iter().find(|reason| reason.word() == word).unwrap_or(Self::Failed)
    }
}

impl From<EntryState> for LookupReason {
    fn from(state: EntryState) -> Self {
        match state {
            EntryState::Fresh => Self::Fresh,
            EntryState::Stale => Self::Stale,
            EntryState::Outdated => Self::Outdated,
            EntryState::Damaged => Self::Damaged,
            EntryState::Failed => Self::Failed,
            EntryState::Missing => Self::Missing,
        }
    }
}

/// One lookup that was just made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'lookup> {
    pub key: &'lookup EntryKey,
    pub tier: Tier,
    pub reason: LookupReason,
    /// Bytes served, as they lie in memory; 0 for a miss.
    pub size_bytes: u64,
    pub elapsed: Duration,
    /// What asking the source would have taken; 0 for a miss, and where it is not known.
    pub source_cost_us: u64,
    pub now_us: i64,
}

impl Lookup<'_> {
    /// Whether what was served was not fresh.
    fn is_stale(&self) -> bool {
        self.tier != Tier::Miss && self.reason != LookupReason::Fresh
    }
}

/// One lookup of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedLookup {
    /// When.
    pub at_us: i64,
    /// What was asked for.
    pub key: EntryKey,
    /// Where it was answered.
    pub tier: Tier,
    /// Why it was answered so.
    pub reason: LookupReason,
    /// Microseconds it took.
    pub elapsed_us: u64,
    /// Bytes served, as they lie in memory.
    pub size_bytes: u64,
}

/// Sums over lookups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LookupTotals {
    /// How many.
    pub count: u64,
    /// How many of them were answered with something that was not fresh.
    pub stale: u64,
    /// Bytes served, as they lie in memory.
    pub size_bytes: u64,
    /// Microseconds spent answering.
    pub elapsed_us: u64,
    /// Microseconds that the source would have taken longer.
    pub saved_us: u64,
}

impl LookupTotals {
    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.stale += other.stale;
        self.size_bytes += other.size_bytes;
        self.elapsed_us += other.elapsed_us;
        self.saved_us += other.saved_us;
    }
}

/// Lookups of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct EntryLookups {
    /// By tier.
    pub counts: HitCounts,
    /// Answered with something that was not fresh.
    pub stale: u64,
    /// Bytes served, as they lie in memory.
    pub size_bytes: u64,
    /// Microseconds that the source would have taken longer.
    pub saved_us: u64,
}

impl EntryLookups {
    /// Adds other sums.
    pub fn add(&mut self, other: &Self) {
        for tier in <Tier as strum::IntoEnumIterator>::iter() {
            self.counts.add(tier, other.counts.of(tier));
        }
        self.stale += other.stale;
        self.size_bytes += other.size_bytes;
        self.saved_us += other.saved_us;
    }
}

/// What was counted between two hand-overs to the catalog.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// By start of the minute, tier and dataset; times in nanoseconds, because a lookup in memory takes under a microsecond.
    pub minutes: BTreeMap<(i64, Tier, Dataset), LookupTotals>,
    elapsed_ns: BTreeMap<(i64, Tier, Dataset), u64>,
    pub entries: HashMap<EntryKey, EntryCounted>,
    /// By start of the hour and tier.
    pub latencies: BTreeMap<(i64, Tier), Histogram>,
    /// The newest single lookups, oldest first.
    pub log: VecDeque<LoggedLookup>,
}

/// What was counted of one entry.
#[derive(Debug, Default)]
pub(super) struct EntryCounted {
    /// By start of the hour.
    pub hours: BTreeMap<i64, EntryLookups>,
    /// How often it was served.
    pub hits: u64,
    /// When it was last served, if it was.
    pub used_us: Option<i64>,
}

impl EntryCounted {
    fn add(&mut self, hour_us: i64, lookups: &EntryLookups, used_us: Option<i64>) {
        self.hours.entry(hour_us).or_default().add(lookups);
        self.hits += lookups.counts.total() - lookups.counts.miss;
        self.used_us = self.used_us.max(used_us);
    }
}

/// Lookups not yet handed to the catalog.
#[derive(Debug)]
pub(super) struct Counters {
    pending: Mutex<Counted>,
    logs: bool,
}

/// One minute, the width of a bucket.
const MINUTE_US: i64 = 60 * SECOND_US;
/// Most single lookups kept, here and in the catalog.
pub(super) const LOG_KEPT: usize = 2_000;

/// The start of the bucket of this width that a time lies in.
pub(super) fn bucket_of(time_us: i64, width_us: i64) -> i64 {
    time_us.saturating_sub(time_us.rem_euclid(width_us))
}

impl Counters {
    /// Counters that also log single lookups, if wanted.
    pub(super) fn new(logs: bool) -> Self {
        Self { pending: Mutex::default(), logs }
    }

    pub(super) fn count(&self, lookup: &Lookup<'_>) {
        let saved_us = if lookup.tier == Tier::Miss { 0 } else { lookup.source_cost_us.saturating_sub(micros(lookup.elapsed)) };
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.add(lookup, saved_us);
        if self.logs {
            let elapsed_us = micros(lookup.elapsed);
            let Lookup { tier, reason, size_bytes, now_us: at_us, .. } = *lookup;
            pending.log(LoggedLookup { at_us, key: lookup.key.clone(), tier, reason, elapsed_us, size_bytes });
        }
    }

    /// Takes everything counted so far; `None` when nothing was.
    pub(super) fn take(&self) -> Option<Counted> {
        let counted = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        (!counted.minutes.is_empty()).then_some(counted)
    }

    /// Takes back what could not be handed over.
    pub(super) fn give_back(&self, counted: &Counted) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).merge(counted);
    }
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}

impl Counted {
    fn add(&mut self, lookup: &Lookup<'_>, saved_us: u64) {
        let Lookup { key, tier, size_bytes, now_us, .. } = *lookup;
        let stale = u64::from(lookup.is_stale());
        let minute = (bucket_of(now_us, MINUTE_US), tier, key.dataset.clone());
        let elapsed_ns = self.elapsed_ns.entry(minute.clone()).or_default();
        *elapsed_ns = elapsed_ns.saturating_add(u64::try_from(lookup.elapsed.as_nanos()).unwrap_or(u64::MAX));
        let elapsed_us = *elapsed_ns / 1_000;
        let totals = self.minutes.entry(minute).or_default();
        totals.elapsed_us = elapsed_us;
        totals.add(&LookupTotals { count: 1, stale, size_bytes, elapsed_us: 0, saved_us });
        let hour_us = bucket_of(now_us, HOUR_US);
        // What was passed over without being looked up took no time that would mean anything.
        if !lookup.elapsed.is_zero() {
            self.latencies.entry((hour_us, tier)).or_default().add(class_of(lookup.elapsed), 1);
        }
        let mut one = EntryLookups { stale, size_bytes, saved_us, ..EntryLookups::default() };
        one.counts.add(tier, 1);
        let used_us = (tier != Tier::Miss).then_some(now_us);
        if let Some(counted) = self.entries.get_mut(key) {
            counted.add(hour_us, &one, used_us);
        } else {
            self.entries.entry(key.clone()).or_default().add(hour_us, &one, used_us);
        }
    }

    fn log(&mut self, lookup: LoggedLookup) {
        if self.log.len() >= LOG_KEPT {
            self.log.pop_front();
        }
        self.log.push_back(lookup);
    }

    fn merge(&mut self, older: &Self) {
        for (minute, totals) in &older.minutes {
            self.minutes.entry(minute.clone()).or_default().add(totals);
        }
        for (minute, nanos) in &older.elapsed_ns {
            let elapsed_ns = self.elapsed_ns.entry(minute.clone()).or_default();
            *elapsed_ns = elapsed_ns.saturating_add(*nanos);
        }
        for (key, counted) in older.entries() {
            let own = self.entries.entry(key.clone()).or_default();
            for (hour_us, lookups) in &counted.hours {
                own.add(*hour_us, lookups, counted.used_us);
            }
        }
        for (hour, histogram) in &older.latencies {
            let own = self.latencies.entry(*hour).or_default();
            for (class, count) in histogram.classes() {
                own.add(class, count);
            }
        }
        let newer = std::mem::take(&mut self.log);
        for lookup in older.log.iter().cloned().chain(newer) {
            self.log(lookup);
        }
    }

    /// The entries by their keys, so that the same lookups always write the same rows.
    pub(super) fn entries(&self) -> Vec<(&EntryKey, &EntryCounted)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, _counted)| *key);
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Symbol;
    use crate::source::SourceId;

    fn lookup(key: &EntryKey, tier: Tier, reason: LookupReason, now_us: i64) -> Lookup<'_> {
        Lookup { key, tier, reason, size_bytes: 100, elapsed: Duration::from_nanos(600), source_cost_us: 1_000, now_us }
    }

    #[test]
    fn what_could_not_be_handed_over_is_not_lost() {
        let key = EntryKey::bars(&SourceId::new("test"), &Symbol::new("A"));
        let (once, twice) = (Counters::new(true), Counters::new(true));
        for (at_us, tier) in [(0, Tier::Miss), (MINUTE_US, Tier::Disk), (HOUR_US, Tier::Memory)] {
            let reason = if tier == Tier::Miss { LookupReason::Missing } else { LookupReason::Stale };
            for counters in [&once, &twice] {
                counters.count(&lookup(&key, tier, reason, at_us));
            }
            let refused = twice.take().expect("something was counted");
            twice.give_back(&refused);
        }
        let (once, twice) = (once.take().expect("counted"), twice.take().expect("counted"));
        assert_eq!(once.minutes, twice.minutes);
        assert_eq!(once.latencies, twice.latencies);
        assert_eq!(once.log, twice.log);
        let of = |counted: &Counted| counted.entries().first().map(|(_key, one)| (one.hours.clone(), one.hits, one.used_us));
        assert_eq!(of(&once), of(&twice));
        assert_eq!(of(&once).map(|(hours, hits, used)| (hours.len(), hits, used)), Some((2, 2, Some(HOUR_US))));
    }

    #[test]
    fn lookups_of_under_a_microsecond_add_up() {
        let key = EntryKey::bars(&SourceId::new("test"), &Symbol::new("A"));
        let counters = Counters::new(false);
        for _ in 0..10 {
            counters.count(&lookup(&key, Tier::Memory, LookupReason::Fresh, 0));
        }
        let counted = counters.take().expect("counted");
        let totals = counted.minutes.values().copied().collect::<Vec<_>>();
        assert_eq!(totals, [LookupTotals { count: 10, stale: 0, size_bytes: 1_000, elapsed_us: 6, saved_us: 10_000 }]);
        assert!(counted.log.is_empty() && counters.take().is_none());
    }

    #[test]
    fn the_log_keeps_the_newest() {
        let key = EntryKey::bars(&SourceId::new("test"), &Symbol::new("A"));
        let counters = Counters::new(true);
        for number in 0..LOG_KEPT + 5 {
            counters.count(&lookup(&key, Tier::Miss, LookupReason::Damaged, number as i64));
        }
        let log = counters.take().expect("counted").log;
        assert_eq!((log.len(), log.front().map(|first| first.at_us)), (LOG_KEPT, Some(5)));
    }

    #[test]
    fn every_reason_comes_back_from_its_word() {
        for reason in <LookupReason as strum::IntoEnumIterator>::iter() {
            assert_eq!(LookupReason::from_word(reason.word()), reason);
        }
    }
}
