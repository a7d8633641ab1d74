//! Lookups in time buckets.

use super::{Catalog, rows};
use crate::cache::entry::EntryKey;
use crate::cache::error::CacheError;
use crate::market::DAY_US;
use rusqlite::params;

pub use rows::LookupCount;

/// How long lookups are kept.
const LOOKUPS_KEPT_US: i64 = 30 * DAY_US;

impl Catalog {
    /// Adds lookups to their minutes and hits to their entries, and drops minutes older than 30 days.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn add_lookups(&self, counts: &[LookupCount], hits: &[(EntryKey, u64, i64)], now_us: i64) -> Result<(), CacheError> {
        let (counts, hits) = (counts.to_vec(), hits.to_vec());
        self.write(move |transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO lookups (bucket_us, tier, dataset, count) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (bucket_us, tier, dataset) DO UPDATE SET count = count + excluded.count",
            )?;
            for lookup in &counts {
                let count = i64::try_from(lookup.count).unwrap_or(i64::MAX);
                statement.execute(params![lookup.bucket_us, lookup.tier.word(), lookup.dataset, count])?;
            }
            let mut statement = transaction.prepare_cached(
                "UPDATE entries SET hits = hits + ?4, last_used_us = max(ifnull(last_used_us, 0), ?5)
                 WHERE source = ?1 AND symbol = ?2 AND dataset = ?3",
            )?;
            for (key, count, used_us) in &hits {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                statement.execute(params![key.source.as_str(), key.symbol.as_str(), key.dataset.name(), count, used_us])?;
            }
            transaction.execute("DELETE FROM lookups WHERE bucket_us < ?1", params![now_us - LOOKUPS_KEPT_US])?;
            Ok(())
        })
    }

    /// Lookups per minute since a time, oldest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn lookups_since(&self, since_us: i64) -> Result<Vec<LookupCount>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT bucket_us, tier, dataset, count FROM lookups WHERE bucket_us >= ?1 ORDER BY bucket_us, tier, dataset",
            )?;
            let found = statement.query_map(params![since_us], rows::lookup_from_row)?;
            found.collect()
        })
    }
}
