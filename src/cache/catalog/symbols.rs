//! What sources said they have: their lists of symbols.

use super::{Catalog, rows};
use crate::cache::error::CacheError;
use crate::source::{SourceId, SymbolInfo};
use rusqlite::{OptionalExtension, params};

impl Catalog {
    /// Replaces the list of a source's symbols.
    ///
    /// # Errors
    /// When the catalog cannot be written; then the old list stays.
    pub fn put_symbols(&self, source: &SourceId, url: &str, symbols: &[SymbolInfo], now_us: i64) -> Result<(), CacheError> {
        let (source, url, symbols) = (source.clone(), url.to_owned(), symbols.to_vec());
        self.write(move |transaction| {
            transaction.execute("DELETE FROM source_symbols WHERE source = ?1", params![source.as_str()])?;
            let mut statement = transaction.prepare_cached("INSERT OR REPLACE INTO source_symbols VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for info in &symbols {
                let count = i64::try_from(info.bar_count).unwrap_or(i64::MAX);
                statement.execute(params![source.as_str(), info.symbol.as_str(), info.first_us, info.last_us, count])?;
            }
            transaction.execute(
                "INSERT OR REPLACE INTO sources (source, url, listed_at_us, counted_at_us) VALUES (?1, ?2, ?3, ?3)",
                params![source.as_str(), url, now_us],
            )?;
            Ok(())
        })
    }

    /// Writes down that a source's symbols were looked at and are the same as before, with the times they have now; their rows were
    /// not counted.
    ///
    /// # Errors
    /// When the catalog cannot be written; then the old times stay.
    pub fn touch_symbols(&self, source: &SourceId, symbols: &[SymbolInfo], now_us: i64) -> Result<(), CacheError> {
        let (source, symbols) = (source.clone(), symbols.to_vec());
        self.write(move |transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE source_symbols SET first_us = ?3, last_us = ?4
                 WHERE source = ?1 AND symbol = ?2 AND (first_us IS NOT ?3 OR last_us IS NOT ?4)",
            )?;
            for info in &symbols {
                statement.execute(params![source.as_str(), info.symbol.as_str(), info.first_us, info.last_us])?;
            }
            transaction.execute("UPDATE sources SET listed_at_us = ?2 WHERE source = ?1", params![source.as_str(), now_us])?;
            Ok(())
        })
    }

    /// When the rows of a source's symbols were last counted; `None` if they never were.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn symbols_counted_at_us(&self, source: &SourceId) -> Result<Option<i64>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT counted_at_us FROM sources WHERE source = ?1")?;
            statement.query_row(params![source.as_str()], |row| row.get(0)).optional()
        })
    }

    /// Where a source is, without a password; `None` if its symbols were never listed.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn source_url(&self, source: &SourceId) -> Result<Option<String>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT url FROM sources WHERE source = ?1")?;
            statement.query_row(params![source.as_str()], |row| row.get(0)).optional()
        })
    }

    /// A source's symbols as last listed, and when; `None` if they never were.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn symbols(&self, source: &SourceId) -> Result<Option<(i64, Vec<SymbolInfo>)>, CacheError> {
        self.read(|connection| {
            // Both are read from one state of the catalog.
            let transaction = connection.unchecked_transaction()?;
            let listed: Option<i64> = transaction
                .prepare_cached("SELECT listed_at_us FROM sources WHERE source = ?1")?
                .query_row(params![source.as_str()], |row| row.get(0))
                .optional()?;
            let Some(listed_at_us) = listed else { return Ok(None) };
            let mut statement = transaction
                .prepare_cached("SELECT symbol, first_us, last_us, bar_count FROM source_symbols WHERE source = ?1 ORDER BY symbol")?;
            let found = statement.query_map(params![source.as_str()], rows::symbol_from_row)?;
            Ok(Some((listed_at_us, found.collect::<rusqlite::Result<_>>()?)))
        })
    }
}
