//! Evictions in the catalog: forgetting the files that had to go, and remembering why.

use super::Catalog;
use super::entries::Editor;
use super::rows::{key_at, signed, unsigned_at};
use crate::cache::budget::Eviction;
use crate::cache::entry::Entry;
use crate::cache::error::CacheError;
use rusqlite::params;

/// Most evictions remembered.
const EVICTIONS_KEPT: i64 = 5_000;

impl Catalog {
    /// Forgets the files of entries and records why, in one transaction. An entry that has another file by now, or was pinned
    /// meanwhile, keeps it. Whoever calls this holds leases of their symbols. Returns those that were evicted.
    pub(in crate::cache) fn evict(&self, chosen: Vec<(Entry, Eviction)>) -> Result<Vec<(Entry, Eviction)>, CacheError> {
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            let mut record = transaction.prepare_cached(
                "INSERT INTO evictions (source, symbol, dataset, at_us, size_bytes, last_used_us, cost_us, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let mut evicted = Vec::new();
            for (entry, eviction) in chosen {
                let (source, symbol, dataset) = (entry.key.source.as_str(), entry.key.symbol.as_str(), entry.key.dataset.name());
                let Some(now) = editor.get(&entry.key)? else { continue };
                if now.pinned || now.file != entry.file {
                    continue;
                }
                if now.key.dataset.is_older() {
                    editor.delete(&now.key)?;
                } else {
                    editor.put(&Entry { file: None, ..now })?;
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
