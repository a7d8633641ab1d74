//! Evictions in the catalog: forgetting the files that had to go, and remembering why.

use super::Catalog;
use super::rows::{blob, key_at, signed, unsigned_at};
use crate::cache::budget::Eviction;
use crate::cache::entry::Entry;
use crate::cache::error::CacheError;
use crate::market::Symbol;
use crate::source::SourceId;
use rusqlite::params;
use std::collections::HashSet;

/// Most evictions remembered.
const EVICTIONS_KEPT: i64 = 5_000;

impl Catalog {
    /// The symbols that somebody works on: who holds a lease may write their files at any moment.
    pub(in crate::cache) fn leased_symbols(&self, now_us: i64) -> Result<HashSet<(SourceId, Symbol)>, CacheError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached("SELECT source, symbol FROM leases WHERE expires_us > ?1")?;
            let found = statement
                .query_map(params![now_us], |row| Ok((SourceId::new(&row.get::<_, String>(0)?), Symbol::from(row.get::<_, String>(1)?))))?;
            found.collect()
        })
    }

    /// Forgets the files of entries and records why, in one transaction. An entry that has another file by now, was pinned
    /// meanwhile, or is being worked on keeps it. Returns those that were evicted.
    pub(in crate::cache) fn evict(&self, chosen: Vec<(Entry, Eviction)>, now_us: i64) -> Result<Vec<(Entry, Eviction)>, CacheError> {
        self.write(move |transaction| {
            let mut forget = transaction.prepare_cached(
                "UPDATE entries SET path = NULL, size_bytes = 0, checksum = NULL, fingerprint = NULL, rows = 0
                 WHERE source = ?1 AND symbol = ?2 AND dataset = ?3 AND checksum = ?4 AND pinned = 0
                    AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.source = ?1 AND leases.symbol = ?2 AND leases.expires_us > ?5)",
            )?;
            let mut record = transaction.prepare_cached(
                "INSERT INTO evictions (source, symbol, dataset, at_us, size_bytes, last_used_us, cost_us, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let mut evicted = Vec::new();
            for (entry, eviction) in chosen {
                let Some(file) = &entry.file else { continue };
                let (source, symbol, dataset) = (entry.key.source.as_str(), entry.key.symbol.as_str(), entry.key.dataset.name());
                if forget.execute(params![source, symbol, dataset, blob(file.checksum), now_us])? == 0 {
                    continue;
                }
                let (size_bytes, cost_us) = (signed(eviction.size_bytes), signed(eviction.cost_us));
                let Eviction { at_us, last_used_us, reason, .. } = &eviction;
                record.execute(params![source, symbol, dataset, at_us, size_bytes, last_used_us, cost_us, reason])?;
                evicted.push((entry, eviction));
            }
            transaction.execute("DELETE FROM evictions WHERE id <= (SELECT max(id) FROM evictions) - ?1", params![EVICTIONS_KEPT])?;
            Ok(evicted)
        })
    }

    /// What was evicted and why, newest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn evictions(&self, limit: usize) -> Result<Vec<Eviction>, CacheError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT source, symbol, dataset, at_us, size_bytes, last_used_us, cost_us, reason FROM evictions ORDER BY id DESC LIMIT ?1",
            )?;
            let found = statement.query_map(params![limit], |row| {
                Ok(Eviction {
                    key: key_at(row, 0)?,
                    at_us: row.get(3)?,
                    size_bytes: unsigned_at(row, 4)?,
                    last_used_us: row.get(5)?,
                    cost_us: unsigned_at(row, 6)?,
                    reason: row.get(7)?,
                })
            })?;
            found.collect()
        })
    }
}
