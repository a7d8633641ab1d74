//! Passes of the scrub in the catalog: when, how far, and what was found.

use super::Catalog;
use super::rows::{ENTRY_COLUMNS, RowReader, signed, unsigned_at};
use crate::cache::entry::{Entry, EntryKey};
use crate::cache::error::CacheError;
use crate::cache::scrub::{ScrubCounts, ScrubPass};
use rusqlite::{OptionalExtension, Row, params};

/// Passes remembered.
const PASSES_KEPT: i64 = 100;
/// What [`pass_of`] reads.
const PASS_COLUMNS: &str = "id, started_us, finished_us, files, size_bytes, damaged, missing";

/// A pass under way and the entry it has come to: source, symbol and dataset, all empty at its beginning.
pub(in crate::cache) type OpenPass = (ScrubPass, [String; 3]);

fn pass_of(row: &Row<'_>) -> rusqlite::Result<ScrubPass> {
    let counts = ScrubCounts {
        files: unsigned_at(row, 3)?,
        size_bytes: unsigned_at(row, 4)?,
        damaged: unsigned_at(row, 5)?,
        missing: unsigned_at(row, 6)?,
    };
    Ok(ScrubPass { id: row.get(0)?, started_us: row.get(1)?, finished_us: row.get(2)?, counts })
}

impl Catalog {
    /// The pass under way and how far it has come.
    pub(in crate::cache) fn open_scrub(&self) -> Result<Option<OpenPass>, CacheError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {PASS_COLUMNS}, at_source, at_symbol, at_dataset FROM scrubs WHERE finished_us IS NULL ORDER BY id DESC LIMIT 1"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row([], |row| Ok((pass_of(row)?, [row.get(7)?, row.get(8)?, row.get(9)?]))).optional()
        })
    }

    /// The newest finished pass.
    pub(in crate::cache) fn finished_scrub(&self) -> Result<Option<ScrubPass>, CacheError> {
        self.read(|connection| {
            let sql = format!("SELECT {PASS_COLUMNS} FROM scrubs WHERE finished_us IS NOT NULL ORDER BY id DESC LIMIT 1");
            connection.prepare_cached(&sql)?.query_row([], pass_of).optional()
        })
    }

    /// Begins a pass, if none is under way.
    pub(in crate::cache) fn begin_scrub(&self, now_us: i64) -> Result<(), CacheError> {
        self.write(move |transaction| {
            transaction.execute(
                "INSERT INTO scrubs (started_us) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM scrubs WHERE finished_us IS NULL)",
                params![now_us],
            )?;
            transaction.execute("DELETE FROM scrubs WHERE id <= (SELECT max(id) FROM scrubs) - ?1", params![PASSES_KEPT])?;
            Ok(())
        })
    }

    /// The next entries with a file after a place in the order of source, symbol and dataset.
    pub(in crate::cache) fn entries_after(&self, place: &[String; 3], limit: usize) -> Result<Vec<Entry>, CacheError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let sql = format!(
                "SELECT {ENTRY_COLUMNS} FROM entries WHERE (source, symbol, dataset) > (?1, ?2, ?3) AND path IS NOT NULL
                 ORDER BY source, symbol, dataset LIMIT ?4"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let [source, symbol, dataset] = place;
            let mut reader = RowReader::default();
            let found: rusqlite::Result<Vec<Option<Entry>>> =
                statement.query_map(params![source, symbol, dataset, limit], |row| reader.sealed_entry(row))?.collect();
            Ok(found?.into_iter().flatten().collect())
        })
    }

    /// Records what a step of a pass found and how far it came; without `to`, that the pass is over. Nothing is recorded when
    /// another process has moved the pass on meanwhile.
    pub(in crate::cache) fn advance_scrub(
        &self,
        (pass, from): &OpenPass,
        to: Option<&EntryKey>,
        found: ScrubCounts,
        now_us: i64,
    ) -> Result<(), CacheError> {
        let (id, [source, symbol, dataset]) = (pass.id, from.clone());
        let to = to.map(|key| [key.source.as_str(), key.symbol.as_str(), key.dataset.name()].map(str::to_owned));
        let finished_us = to.is_none().then_some(now_us);
        let [to_source, to_symbol, to_dataset] = to.unwrap_or_else(|| from.clone());
        let ScrubCounts { files, size_bytes, damaged, missing } = found;
        let [files, size_bytes, damaged, missing] = [files, size_bytes, damaged, missing].map(signed);
        self.write(move |transaction| {
            transaction.execute(
                "UPDATE scrubs SET files = files + ?5, size_bytes = size_bytes + ?6, damaged = damaged + ?7, missing = missing + ?8,
                        finished_us = ?9, at_source = ?10, at_symbol = ?11, at_dataset = ?12
                 WHERE id = ?1 AND at_source = ?2 AND at_symbol = ?3 AND at_dataset = ?4 AND finished_us IS NULL",
                params![id, source, symbol, dataset, files, size_bytes, damaged, missing, finished_us, to_source, to_symbol, to_dataset],
            )?;
            Ok(())
        })
    }
}
