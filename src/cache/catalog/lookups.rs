//! Lookups in the catalog: per minute, per symbol and hour, how long they took, and the newest ones singly.
//!
//! Everything is kept for 30 days. What is older goes into the bucket 0, so that sums over all time stay right; hours of
//! symbols become days after two days.

use super::Catalog;
use super::rows::{key_at, signed, unsigned_at};
use crate::cache::counters::{Counted, EntryLookups, HitCounts, LOG_KEPT, LoggedLookup, LookupReason, LookupTotals, Tier};
use crate::cache::entry::{Dataset, EntryKey};
use crate::cache::error::CacheError;
use crate::cache::latency::Histogram;
use crate::market::{DAY_US, Symbol};
use crate::source::SourceId;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long lookups are kept.
pub(in crate::cache) const KEPT_US: i64 = 30 * DAY_US;
/// After how long a symbol's hours become days.
const HOURS_KEPT_US: i64 = 2 * DAY_US;

/// Lookups of one bucket of time, tier and dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupCount {
    /// Start of the bucket.
    pub bucket_us: i64,
    /// Where they were answered.
    pub tier: Tier,
    /// `bars`, or the set's name.
    pub dataset: String,
    /// Their sums.
    pub totals: LookupTotals,
}

/// Lookups of one entry, over some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLookups {
    /// What was asked for.
    pub key: EntryKey,
    /// Their sums.
    pub lookups: EntryLookups,
}

impl Catalog {
    /// Adds what was counted, and drops what is older than 30 days.
    pub(in crate::cache) fn add_lookups(&self, counted: &Arc<Counted>, now_us: i64) -> Result<(), CacheError> {
        let counted = Arc::clone(counted);
        self.write(move |transaction| {
            add_minutes(transaction, &counted)?;
            add_entries(transaction, &counted)?;
            add_latencies(transaction, &counted)?;
            add_log(transaction, &counted)?;
            prune(transaction, now_us)
        })
    }

    /// Lookups since a time in buckets of this width, oldest first. Time 0 stands for everything older than 30 days.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn lookups_since(&self, since_us: i64, width_us: i64) -> Result<Vec<LookupCount>, CacheError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT bucket_us - bucket_us % ?2 AS start, tier, dataset, sum(count), sum(stale), sum(size_bytes), sum(elapsed_us),
                        sum(saved_us)
                 FROM lookups WHERE bucket_us >= ?1 GROUP BY start, tier, dataset ORDER BY start, tier, dataset",
            )?;
            let found = statement.query_map(params![since_us, width_us.max(1)], |row| {
                Ok(LookupCount {
                    bucket_us: row.get(0)?,
                    tier: Tier::from_word(&row.get::<_, String>(1)?),
                    dataset: row.get(2)?,
                    totals: LookupTotals {
                        count: unsigned_at(row, 3)?,
                        stale: unsigned_at(row, 4)?,
                        size_bytes: unsigned_at(row, 5)?,
                        elapsed_us: unsigned_at(row, 6)?,
                        saved_us: unsigned_at(row, 7)?,
                    },
                })
            })?;
            found.collect()
        })
    }

    /// How long lookups took since a time, by tier.
    pub(in crate::cache) fn latencies_since(&self, since_us: i64) -> Result<BTreeMap<Tier, Histogram>, CacheError> {
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT tier, class, sum(count) FROM latencies WHERE bucket_us >= ?1 GROUP BY tier, class")?;
            let mut rows = statement.query(params![since_us])?;
            let mut histograms: BTreeMap<Tier, Histogram> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let class = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                histograms.entry(Tier::from_word(&row.get::<_, String>(0)?)).or_default().add(class, unsigned_at(row, 2)?);
            }
            Ok(histograms)
        })
    }

    /// The entries looked up most since a time, most first; of one source or all, of one symbol or all. What is older than two
    /// days is kept by days and counts when its day began since then.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entry_lookups_since(
        &self,
        since_us: i64,
        source: Option<&SourceId>,
        symbol: Option<&Symbol>,
        limit: usize,
    ) -> Result<Vec<KeyLookups>, CacheError> {
        let source = source.map(|source| source.as_str().to_owned());
        let symbol = symbol.map(|symbol| symbol.as_str().to_owned());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // The buckets that there are, each found by one step in the index: a source's symbol is then looked up once per bucket.
        const BUCKETS: &str = "WITH RECURSIVE buckets (start) AS (
                SELECT min(bucket_us) FROM symbol_lookups WHERE bucket_us >= ?1
                UNION ALL SELECT (SELECT min(bucket_us) FROM symbol_lookups WHERE bucket_us > start) FROM buckets WHERE start IS NOT NULL)";
        const SUMS: &str = "SELECT source, symbol, dataset, sum(memory), sum(disk), sum(shared), sum(miss), sum(stale), sum(size_bytes),
                sum(saved_us), sum(memory + disk + shared + miss) AS total";
        let order = "GROUP BY source, symbol, dataset ORDER BY total DESC, source, symbol, dataset LIMIT ?4";
        let sql = if source.is_some() && symbol.is_some() {
            format!(
                "{BUCKETS} {SUMS} FROM symbol_lookups
                 WHERE bucket_us IN (SELECT start FROM buckets WHERE start IS NOT NULL) AND source = ?2 AND symbol = ?3 {order}"
            )
        } else {
            format!(
                "{SUMS} FROM symbol_lookups WHERE bucket_us >= ?1 AND (?2 IS NULL OR source = ?2) AND (?3 IS NULL OR symbol = ?3) {order}"
            )
        };
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query_map(params![since_us, source, symbol, limit], |row| {
                let counts = HitCounts {
                    memory: unsigned_at(row, 3)?,
                    disk: unsigned_at(row, 4)?,
                    shared: unsigned_at(row, 5)?,
                    miss: unsigned_at(row, 6)?,
                };
                let (stale, size_bytes, saved_us) = (unsigned_at(row, 7)?, unsigned_at(row, 8)?, unsigned_at(row, 9)?);
                Ok(KeyLookups { key: key_at(row, 0)?, lookups: EntryLookups { counts, stale, size_bytes, saved_us } })
            })?;
            found.collect()
        })
    }

    /// The newest single lookups, newest first; of one symbol or all.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn logged_lookups(&self, symbol: Option<&Symbol>, limit: usize) -> Result<Vec<LoggedLookup>, CacheError> {
        let symbol = symbol.map(|symbol| symbol.as_str().to_owned());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT source, symbol, dataset, at_us, tier, reason, elapsed_us, size_bytes FROM lookup_log
                 WHERE ?1 IS NULL OR symbol = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            let found = statement.query_map(params![symbol, limit], |row| {
                Ok(LoggedLookup {
                    key: key_at(row, 0)?,
                    at_us: row.get(3)?,
                    tier: Tier::from_word(&row.get::<_, String>(4)?),
                    reason: LookupReason::from_word(&row.get::<_, String>(5)?),
                    elapsed_us: unsigned_at(row, 6)?,
                    size_bytes: unsigned_at(row, 7)?,
                })
            })?;
            found.collect()
        })
    }

    /// What bringing entries to fresh took per row, in microseconds: of each entry of this source and dataset where it is known.
    pub(in crate::cache) fn costs_per_row(&self, source: &SourceId, dataset: &Dataset) -> Result<Vec<f64>, CacheError> {
        let (source, dataset) = (source.as_str().to_owned(), dataset.name().to_owned());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT cast(cost_us AS REAL) / rows FROM entries WHERE source = ?1 AND dataset = ?2 AND cost_us > 0 AND rows > 0",
            )?;
            let found = statement.query_map(params![source, dataset], |row| row.get(0))?;
            found.collect()
        })
    }
}

fn add_minutes(transaction: &Connection, counted: &Counted) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO lookups (bucket_us, tier, dataset, count, stale, size_bytes, elapsed_us, saved_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (bucket_us, tier, dataset) DO UPDATE SET count = count + excluded.count, stale = stale + excluded.stale,
            size_bytes = size_bytes + excluded.size_bytes, elapsed_us = elapsed_us + excluded.elapsed_us,
            saved_us = saved_us + excluded.saved_us",
    )?;
    for ((bucket_us, tier, dataset), totals) in &counted.minutes {
        let LookupTotals { count, stale, size_bytes, elapsed_us, saved_us } = *totals;
        let [count, stale, size_bytes, elapsed_us, saved_us] = [count, stale, size_bytes, elapsed_us, saved_us].map(signed);
        statement.execute(params![bucket_us, tier.word(), dataset.name(), count, stale, size_bytes, elapsed_us, saved_us])?;
    }
    Ok(())
}

/// How lookups of an entry are added to those of its bucket.
const ADD_ENTRY_LOOKUPS: &str = "ON CONFLICT (bucket_us, source, symbol, dataset) DO UPDATE SET memory = memory + excluded.memory,
    disk = disk + excluded.disk, shared = shared + excluded.shared, miss = miss + excluded.miss, stale = stale + excluded.stale,
    size_bytes = size_bytes + excluded.size_bytes, saved_us = saved_us + excluded.saved_us";

fn add_entries(transaction: &Connection, counted: &Counted) -> rusqlite::Result<()> {
    let mut lookups = transaction.prepare_cached(&format!(
        "INSERT INTO symbol_lookups (bucket_us, source, symbol, dataset, memory, disk, shared, miss, stale, size_bytes, saved_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) {ADD_ENTRY_LOOKUPS}"
    ))?;
    let mut hits = transaction.prepare_cached(
        "UPDATE entries SET hits = hits + ?4, last_used_us = max(ifnull(last_used_us, 0), ?5)
         WHERE source = ?1 AND symbol = ?2 AND dataset = ?3",
    )?;
    for (key, of_entry) in counted.entries() {
        let (source, symbol, dataset) = (key.source.as_str(), key.symbol.as_str(), key.dataset.name());
        for (hour_us, EntryLookups { counts, stale, size_bytes, saved_us }) in &of_entry.hours {
            let HitCounts { memory, disk, shared, miss } = *counts;
            let [memory, disk, shared, miss] = [memory, disk, shared, miss].map(signed);
            let [stale, size_bytes, saved_us] = [*stale, *size_bytes, *saved_us].map(signed);
            lookups.execute(params![hour_us, source, symbol, dataset, memory, disk, shared, miss, stale, size_bytes, saved_us])?;
        }
        if let Some(used_us) = of_entry.used_us {
            hits.execute(params![source, symbol, dataset, signed(of_entry.hits), used_us])?;
        }
    }
    Ok(())
}

fn add_latencies(transaction: &Connection, counted: &Counted) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO latencies (bucket_us, tier, class, count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (bucket_us, tier, class) DO UPDATE SET count = count + excluded.count",
    )?;
    for ((hour_us, tier), histogram) in &counted.latencies {
        for (class, count) in histogram.classes() {
            statement.execute(params![hour_us, tier.word(), i64::try_from(class).unwrap_or(0), signed(count)])?;
        }
    }
    Ok(())
}

fn add_log(transaction: &Connection, counted: &Counted) -> rusqlite::Result<()> {
    if counted.log.is_empty() {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO lookup_log (at_us, source, symbol, dataset, tier, reason, elapsed_us, size_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for LoggedLookup { at_us, key, tier, reason, elapsed_us, size_bytes } in &counted.log {
        let (source, symbol, dataset) = (key.source.as_str(), key.symbol.as_str(), key.dataset.name());
        let [elapsed_us, size_bytes] = [*elapsed_us, *size_bytes].map(signed);
        statement.execute(params![at_us, source, symbol, dataset, tier.word(), reason.word(), elapsed_us, size_bytes])?;
    }
    let kept = i64::try_from(LOG_KEPT).unwrap_or(i64::MAX);
    transaction.execute("DELETE FROM lookup_log WHERE id <= (SELECT max(id) FROM lookup_log) - ?1", params![kept])?;
    Ok(())
}

/// Drops what is too old. Minutes are summed up in the bucket 0, symbols' hours in the bucket of their day.
fn prune(transaction: &Connection, now_us: i64) -> rusqlite::Result<()> {
    let oldest_us = now_us.saturating_sub(KEPT_US);
    let moved = transaction
        .prepare_cached(
            "INSERT INTO lookups (bucket_us, tier, dataset, count, stale, size_bytes, elapsed_us, saved_us)
             SELECT 0, tier, dataset, sum(count), sum(stale), sum(size_bytes), sum(elapsed_us), sum(saved_us)
             FROM lookups WHERE bucket_us > 0 AND bucket_us < ?1 GROUP BY tier, dataset
             ON CONFLICT (bucket_us, tier, dataset) DO UPDATE SET count = count + excluded.count, stale = stale + excluded.stale,
                size_bytes = size_bytes + excluded.size_bytes, elapsed_us = elapsed_us + excluded.elapsed_us,
                saved_us = saved_us + excluded.saved_us",
        )?
        .execute(params![oldest_us])?;
    if moved > 0 {
        transaction.execute("DELETE FROM lookups WHERE bucket_us > 0 AND bucket_us < ?1", params![oldest_us])?;
    }
    transaction.prepare_cached("DELETE FROM latencies WHERE bucket_us < ?1")?.execute(params![oldest_us])?;
    transaction.prepare_cached("DELETE FROM symbol_lookups WHERE bucket_us < ?1")?.execute(params![oldest_us.saturating_sub(DAY_US)])?;
    // Only whole days that are over, and only the oldest one at a time: later ones follow with the next hand-over.
    let before_us = now_us.saturating_sub(HOURS_KEPT_US);
    let before_us = before_us - before_us.rem_euclid(DAY_US);
    let hour: Option<i64> = transaction
        .prepare_cached("SELECT min(bucket_us) FROM symbol_lookups WHERE bucket_us < ?1 AND bucket_us % ?2 <> 0")?
        .query_row(params![before_us, DAY_US], |row| row.get(0))?;
    let Some(hour_us) = hour else { return Ok(()) };
    let day_us = hour_us - hour_us.rem_euclid(DAY_US);
    transaction
        .prepare_cached(&format!(
            "INSERT INTO symbol_lookups (bucket_us, source, symbol, dataset, memory, disk, shared, miss, stale, size_bytes, saved_us)
             SELECT ?1, source, symbol, dataset, sum(memory), sum(disk), sum(shared), sum(miss), sum(stale), sum(size_bytes), sum(saved_us)
             FROM symbol_lookups WHERE bucket_us > ?1 AND bucket_us < ?2 GROUP BY source, symbol, dataset {ADD_ENTRY_LOOKUPS}"
        ))?
        .execute(params![day_us, day_us + DAY_US])?;
    transaction.execute("DELETE FROM symbol_lookups WHERE bucket_us > ?1 AND bucket_us < ?2", params![day_us, day_us + DAY_US])?;
    Ok(())
}
