//! Looking entries up: memory, then disk, each lookup counted with its tier, reason, bytes and time; and what the counts say.
//!
//! Contract: a lookup answered from memory asks neither the catalog nor the disk. What is served is marked with its state at
//! the time. Time saved is what the source would have taken, from measured costs, less what the lookup took.

use super::Cache;
use super::catalog::{KeyLookups, LOOKUPS_KEPT_US};
use super::counters::{EntryLookups, HitCounts, LoggedLookup, Lookup, LookupReason, LookupTotals, Tier, bucket_of};
use super::entry::{Dataset, Entry, EntryKey};
use super::error::CacheError;
use super::freshness::EntryState;
use super::judge::Judge;
use super::latency::Latency;
use super::memory::Held;
use super::store::Served;
use crate::market::{DAY_US, HOUR_US, SECOND_US, Symbol};
use crate::source::SourceId;
use crate::tr;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a lookup found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Content and row.
    pub served: Arc<Served>,
    /// Where it was found.
    pub tier: Tier,
    /// Its state when it was served: fresh, stale, outdated or failed.
    pub state: EntryState,
}

/// How far back statistics look, by the user's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "lowercase")]
pub enum LookupSpan {
    /// The last hour.
    Hour,
    /// The last 24 hours.
    #[default]
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days, all that is kept.
    Month,
}

impl LookupSpan {
    /// Its length.
    #[must_use]
    pub fn length_us(self) -> i64 {
        match self {
            Self::Hour => HOUR_US,
            Self::Day => DAY_US,
            Self::Week => 7 * DAY_US,
            Self::Month => LOOKUPS_KEPT_US,
        }
    }

    /// The width of a bucket of its series: 60 to 96 of them make up the span.
    #[must_use]
    pub fn bucket_us(self) -> i64 {
        match self {
            Self::Hour => 60 * SECOND_US,
            Self::Day => HOUR_US / 4,
            Self::Week => 2 * HOUR_US,
            Self::Month => 12 * HOUR_US,
        }
    }

    /// The start of its first bucket; its last is the one that `now_us` lies in.
    #[must_use]
    pub fn start_us(self, now_us: i64) -> i64 {
        bucket_of(now_us, self.bucket_us()).saturating_sub(self.length_us() - self.bucket_us())
    }

    /// The words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Hour => tr!("the last hour"),
            Self::Day => tr!("the last 24 hours"),
            Self::Week => tr!("the last 7 days"),
            Self::Month => tr!("the last 30 days"),
        }
    }
}

/// Lookups that one tier answered.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct TierLookups {
    /// Their sums.
    #[serde(flatten)]
    pub totals: LookupTotals,
    /// How long they took, by whole hours; `None` when there were none.
    pub latency: Option<Latency>,
}

/// One bucket of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LookupBucket {
    /// Where it begins.
    pub start_us: i64,
    /// Its lookups.
    #[serde(flatten)]
    pub lookups: EntryLookups,
}

/// What the lookups of some time say.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LookupStats {
    /// Which time.
    pub span: LookupSpan,
    /// By the tier that answered; misses are a tier of their own.
    pub tiers: BTreeMap<Tier, TierLookups>,
    /// By dataset: `bars`, or the set's name.
    pub datasets: BTreeMap<String, EntryLookups>,
    /// By time, oldest first, without gaps, [`LookupSpan::bucket_us`] apart.
    pub series: Vec<LookupBucket>,
}

impl LookupStats {
    /// Lookups by tier.
    #[must_use]
    pub fn counts(&self) -> HitCounts {
        let mut counts = HitCounts::default();
        for (tier, lookups) in &self.tiers {
            counts.add(*tier, lookups.totals.count);
        }
        counts
    }

    /// Sums over all tiers.
    #[must_use]
    pub fn totals(&self) -> LookupTotals {
        let mut totals = LookupTotals::default();
        for lookups in self.tiers.values() {
            totals.add(&lookups.totals);
        }
        totals
    }

    /// Share of lookups that a tier answered, 0…1; `None` when there were none.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.counts().rate()
    }
}

/// How long a median of costs is good enough.
const ESTIMATE_KEPT_US: i64 = 600 * SECOND_US;

/// What a row costs at the source, where entries' own costs are not known: medians by source and dataset, and when they were taken.
#[derive(Debug, Default)]
pub(super) struct CostEstimates(Mutex<HashMap<(SourceId, Dataset), Estimate>>);

/// When it was taken, and the microseconds a row takes; `None` when no entry's cost is known.
type Estimate = (i64, Option<f64>);

/// The middle one of some numbers; the lower of two.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

impl Cache {
    /// Looks an entry up: memory, then disk. The lookup is counted with the tier that answered, or why none did.
    ///
    /// # Errors
    /// [`CacheError::NotCached`] when nothing is there, [`CacheError::Damaged`] when the file failed its checksum (it is then in
    /// quarantine), others when reading failed.
    pub fn read(&self, key: &EntryKey, judge: &Judge) -> Result<Found, CacheError> {
        let started = Instant::now();
        let now_us = self.now_us();
        let found = match self.memory.get(key) {
            Some(held) => Ok((held, Tier::Memory)),
            None => self.read_from_disk(key).and_then(|served| self.keep_in_memory(served)).map(|held| (held, Tier::Disk)),
        };
        let (held, tier) = match found {
            Ok(found) => found,
            Err(error) => {
                self.count_failed_lookup(key, self.reason_of(key, judge, &error), started.elapsed());
                return Err(error);
            }
        };
        let state = judge.state(Some(&held.served.entry), key, held.bars_fingerprint, now_us);
        self.counters.count(&Lookup {
            key,
            tier,
            reason: state.into(),
            size_bytes: held.served.content.size_bytes() as u64,
            elapsed: started.elapsed(),
            source_cost_us: held.source_cost_us,
            now_us,
        });
        Ok(Found { served: Arc::clone(&held.served), tier, state })
    }

    /// Counts a lookup that did not use what is cached, because the caller was told not to, or it did not hold what was asked for.
    pub fn count_miss(&self, key: &EntryKey, reason: LookupReason) {
        self.count_failed_lookup(key, reason, Duration::ZERO);
    }

    fn count_failed_lookup(&self, key: &EntryKey, reason: LookupReason, elapsed: Duration) {
        self.counters.count(&Lookup { key, tier: Tier::Miss, reason, size_bytes: 0, elapsed, source_cost_us: 0, now_us: self.now_us() });
    }

    /// Why a lookup found nothing to serve.
    fn reason_of(&self, key: &EntryKey, judge: &Judge, error: &CacheError) -> LookupReason {
        match error {
            CacheError::Damaged { .. } => LookupReason::Damaged,
            CacheError::NotCached { .. } => match self.catalog.entry(key) {
                Ok(entry) => judge.state(entry.as_ref().filter(|entry| entry.file.is_none()), key, None, self.now_us()).into(),
                Err(_) => LookupReason::Missing,
            },
            _ => LookupReason::Failed,
        }
    }

    /// The state of what was read without counting it.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn state_now(&self, key: &EntryKey, judge: &Judge) -> Result<EntryState, CacheError> {
        let entry = self.catalog.entry(key)?;
        let bars = self.bars_of(key)?;
        let bars_fingerprint = bars.and_then(|bars| bars.file).map(|file| file.fingerprint);
        Ok(judge.state(entry.as_ref(), key, bars_fingerprint, self.now_us()))
    }

    /// For features, the row of the bars they belong to.
    pub(super) fn bars_of(&self, key: &EntryKey) -> Result<Option<Entry>, CacheError> {
        if key.dataset.is_bars() { Ok(None) } else { self.catalog.entry(&EntryKey::bars(&key.source, &key.symbol)) }
    }

    /// Keeps in memory what was read from disk.
    fn keep_in_memory(&self, served: Arc<Served>) -> Result<Arc<Held>, CacheError> {
        let bars = self.bars_of(&served.entry.key)?;
        let source_cost_us = self.source_cost_us(&served.entry, bars.as_ref())?;
        let held = Arc::new(Held { served, bars_fingerprint: fingerprint_of(bars.as_ref()), source_cost_us });
        self.memory.insert(Arc::clone(&held));
        // Had a row changed between reading and keeping it, the copy would be served for ever, or with a wrong state.
        let key = &held.served.entry.key;
        let unchanged = self.catalog.entry(key)?.is_some_and(|now| is_same_row(&now, &held.served.entry))
            && fingerprint_of(self.bars_of(key)?.as_ref()) == held.bars_fingerprint;
        if !unchanged {
            self.memory.invalidate(key);
        }
        Ok(held)
    }

    /// What the source would take for an entry, in microseconds: fetching bars; for features, fetching their bars and computing.
    fn source_cost_us(&self, entry: &Entry, bars: Option<&Entry>) -> Result<u64, CacheError> {
        let own = self.cost_or_estimate(&entry.key, entry.cost_us, entry.rows())?;
        if entry.key.dataset.is_bars() {
            return Ok(own);
        }
        let (cost_us, rows) = bars.map_or((0, 0), |bars| (bars.cost_us, bars.rows()));
        let rows = if rows > 0 { rows } else { entry.rows() };
        let fetching = self.cost_or_estimate(&EntryKey::bars(&entry.key.source, &entry.key.symbol), cost_us, rows)?;
        Ok(own.saturating_add(fetching))
    }

    fn cost_or_estimate(&self, key: &EntryKey, cost_us: u64, rows: u64) -> Result<u64, CacheError> {
        if cost_us > 0 {
            return Ok(cost_us);
        }
        let now_us = self.now_us();
        let place = (key.source.clone(), key.dataset.clone());
        let known = self.costs.0.lock().unwrap_or_else(PoisonError::into_inner).get(&place).copied();
        let per_row_us = match known {
            Some((taken_us, per_row_us)) if now_us.abs_diff(taken_us) < ESTIMATE_KEPT_US.unsigned_abs() => per_row_us,
            _ => {
                let per_row_us = median(self.catalog.costs_per_row(&key.source, &key.dataset)?);
                self.costs.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, (now_us, per_row_us));
                per_row_us
            }
        };
        Ok(per_row_us.map_or(0, |per_row_us| (per_row_us * rows as f64) as u64))
    }

    /// Hands the lookups counted so far to the catalog.
    ///
    /// # Errors
    /// When the catalog cannot be written; they are then handed over the next time.
    pub fn flush_counters(&self) -> Result<(), CacheError> {
        let Some(counted) = self.counters.take() else { return Ok(()) };
        let counted = Arc::new(counted);
        self.catalog.add_lookups(&counted, self.now_us()).inspect_err(|_error| self.counters.give_back(&counted))
    }

    /// Lookups by tier over the last 30 days, those not yet handed over included.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn hit_counts(&self) -> Result<HitCounts, CacheError> {
        Ok(self.lookup_stats(LookupSpan::Month)?.counts())
    }

    /// What the lookups of some time say, those not yet handed over included.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn lookup_stats(&self, span: LookupSpan) -> Result<LookupStats, CacheError> {
        self.flush_counters()?;
        let (start_us, width_us) = (span.start_us(self.now_us()), span.bucket_us());
        let mut series: Vec<LookupBucket> = (0..span.length_us() / width_us)
            .map(|number| LookupBucket { start_us: start_us + number * width_us, ..LookupBucket::default() })
            .collect();
        let mut stats = LookupStats { span, ..LookupStats::default() };
        let last = series.len().saturating_sub(1);
        for counted in self.catalog.lookups_since(start_us, width_us)? {
            let totals = counted.totals;
            stats.tiers.entry(counted.tier).or_default().totals.add(&totals);
            let LookupTotals { count, stale, size_bytes, saved_us, elapsed_us: _ } = totals;
            let mut lookups = EntryLookups { stale, size_bytes, saved_us, ..EntryLookups::default() };
            lookups.counts.add(counted.tier, count);
            stats.datasets.entry(counted.dataset).or_default().add(&lookups);
            // A clock that was set back leaves buckets in the future: they count as now.
            let place = usize::try_from((counted.bucket_us - start_us) / width_us).unwrap_or(0).min(last);
            if let Some(bucket) = series.get_mut(place) {
                bucket.lookups.add(&lookups);
            }
        }
        for (tier, histogram) in self.catalog.latencies_since(bucket_of(start_us, HOUR_US))? {
            stats.tiers.entry(tier).or_default().latency = histogram.latency();
        }
        stats.series = series;
        Ok(stats)
    }

    /// Sums over every lookup since there is a cache, by tier: time saved so far.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn lookup_totals(&self) -> Result<BTreeMap<Tier, LookupTotals>, CacheError> {
        self.flush_counters()?;
        let mut totals: BTreeMap<Tier, LookupTotals> = BTreeMap::new();
        for counted in self.catalog.lookups_since(0, i64::MAX)? {
            totals.entry(counted.tier).or_default().add(&counted.totals);
        }
        Ok(totals)
    }

    /// The entries looked up most in some time, most first; of one source or all, of one symbol or all.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn lookups_by_entry(
        &self,
        span: LookupSpan,
        source: Option<&SourceId>,
        symbol: Option<&Symbol>,
        limit: usize,
    ) -> Result<Vec<KeyLookups>, CacheError> {
        self.flush_counters()?;
        // Older lookups are kept by days: the day in which the span begins counts as a whole.
        let start_us = span.start_us(self.now_us());
        let start_us = if span == LookupSpan::Hour || span == LookupSpan::Day { start_us } else { bucket_of(start_us, DAY_US) };
        self.catalog.entry_lookups_since(bucket_of(start_us, HOUR_US), source, symbol, limit)
    }

    /// The newest single lookups with their reasons, newest first; of one symbol or all. At most 2,000 are kept.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn logged_lookups(&self, symbol: Option<&Symbol>, limit: usize) -> Result<Vec<LoggedLookup>, CacheError> {
        self.flush_counters()?;
        self.catalog.logged_lookups(symbol, limit)
    }
}

pub(super) fn fingerprint_of(bars: Option<&Entry>) -> Option<u128> {
    bars.and_then(|bars| bars.file.as_ref()).map(|file| file.fingerprint)
}

/// Whether two rows of an entry say the same, apart from how often it was used.
pub(super) fn is_same_row(now: &Entry, then: &Entry) -> bool {
    Entry { hits: then.hits, last_used_us: then.last_used_us, ..now.clone() } == *then
}

#[cfg(test)]
#[path = "lookups_tests.rs"]
mod tests;
