//! Taking files into the catalog that it does not know, or knows an older version of.
//!
//! Contract: only while the catalog has what it had when the file was looked at. Its writer may have committed it since, and
//! added more to it: that must not be forgotten again.

use super::{Catalog, rows};
use crate::cache::entry::Entry;
use crate::cache::error::CacheError;
use rusqlite::{OptionalExtension, params};

impl Catalog {
    /// Writes the rows of found files, each with the checksum that the catalog had for its entry when the file was looked at
    /// (`None` for no file). Returns how many were taken in.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of them is.
    pub(in crate::cache) fn adopt(&self, found: Vec<(Entry, Option<u128>)>) -> Result<usize, CacheError> {
        if found.is_empty() {
            return Ok(0);
        }
        self.write(move |connection| {
            let mut present =
                connection.prepare_cached("SELECT checksum FROM entries WHERE source = ?1 AND symbol = ?2 AND dataset = ?3")?;
            let mut upsert = connection.prepare_cached(rows::UPSERT_ENTRY)?;
            let mut adopted = 0;
            for (entry, expected) in &found {
                let names = params![entry.key.source.as_str(), entry.key.symbol.as_str(), entry.key.dataset.name()];
                let now: Option<Option<Vec<u8>>> = present.query_row(names, |row| row.get(0)).optional()?;
                if now.flatten() == expected.map(rows::blob) {
                    rows::upsert(&mut upsert, entry)?;
                    adopted += 1;
                }
            }
            Ok(adopted)
        })
    }
}
