//! Rows of cleared entries, and where their files wait.

use super::entries::Editor;
use super::{Catalog, rows};
use crate::cache::entry::{Entry, EntryKey};
use crate::cache::error::CacheError;
use rusqlite::{OptionalExtension, params};

/// Files that were cleared together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashBatch {
    /// Its number.
    pub batch: i64,
    /// When they were cleared.
    pub trashed_at_us: i64,
    /// How many entries.
    pub entries: u64,
    /// Their bytes.
    pub size_bytes: u64,
}

impl Catalog {
    /// Moves entries from the table to the trash under one batch number; `files` names each entry's file in the trash folder.
    ///
    /// # Errors
    /// When the catalog cannot be written; then nothing is moved.
    pub fn trash_entries(&self, files: &[(EntryKey, String)], now_us: i64) -> Result<i64, CacheError> {
        let files = files.to_vec();
        self.write(move |transaction| {
            // Numbers are never used twice: an undo button of before must not mean another batch.
            let last: i64 = transaction.query_row("SELECT ifnull(max(batch), 0) FROM trash", [], |row| row.get(0))?;
            let batch = now_us.max(last + 1);
            let condition = "WHERE source = ?1 AND symbol = ?2 AND dataset = ?3";
            let columns = rows::ENTRY_COLUMNS;
            let mut seal = transaction.prepare_cached(&format!("SELECT seal FROM entries {condition}"))?;
            let mut insert = transaction.prepare_cached(&format!(
                "INSERT INTO trash ({columns}, batch, trashed_at_us, file_name, trash_seal)
                 SELECT {columns}, ?4, ?5, ?6, ?7 FROM entries {condition}"
            ))?;
            let mut delete = transaction.prepare_cached(&format!("DELETE FROM entries {condition}"))?;
            for (key, file_name) in &files {
                let (source, symbol, dataset) = (key.source.as_str(), key.symbol.as_str(), key.dataset.name());
                let entry_seal: Option<i64> = seal.query_row(params![source, symbol, dataset], |row| row.get(0)).optional()?;
                let Some(entry_seal) = entry_seal else { continue };
                let own_seal = rows::trash_seal(entry_seal, batch, now_us, file_name);
                insert.execute(params![source, symbol, dataset, batch, now_us, file_name, own_seal])?;
                delete.execute(params![source, symbol, dataset])?;
            }
            Ok(batch)
        })
    }

    /// What lies in the trash, newest batch first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn trash_batches(&self) -> Result<Vec<TrashBatch>, CacheError> {
        let mut batches: Vec<TrashBatch> = Vec::new();
        for (entry, batch, trashed_at_us, _file_name) in self.trash_rows(None)? {
            match batches.last_mut().filter(|last| last.batch == batch) {
                Some(last) => {
                    last.entries += 1;
                    last.size_bytes += entry.size_bytes();
                    last.trashed_at_us = last.trashed_at_us.min(trashed_at_us);
                }
                None => batches.push(TrashBatch { batch, trashed_at_us, entries: 1, size_bytes: entry.size_bytes() }),
            }
        }
        Ok(batches)
    }

    /// The entries of a batch with the names of their files in the trash folder.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn trash_of_batch(&self, batch: i64) -> Result<Vec<(Entry, String)>, CacheError> {
        Ok(self.trash_rows(Some(batch))?.into_iter().map(|(entry, _batch, _at_us, file_name)| (entry, file_name)).collect())
    }

    /// Rows that pass their seal: entry, batch, when it was cleared, file name; newest batch first.
    fn trash_rows(&self, batch: Option<i64>) -> Result<Vec<(Entry, i64, i64, String)>, CacheError> {
        let found: Vec<Option<_>> = self.read(|connection| {
            let sql = format!(
                "SELECT {} FROM trash WHERE ?1 IS NULL OR batch = ?1 ORDER BY batch DESC, source, symbol, dataset",
                rows::TRASH_COLUMNS
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut reader = rows::RowReader::default();
            let found = statement.query_map(params![batch], |row| {
                let entry = if rows::is_trash_sealed(row)? { reader.sealed_entry(row)? } else { None };
                entry.map(|entry| Ok((entry, row.get("batch")?, row.get("trashed_at_us")?, row.get("file_name")?))).transpose()
            })?;
            found.collect()
        })?;
        if found.iter().any(Option::is_none) {
            self.suspect();
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Takes entries of a batch out of the trash, by their files' names: `restored` become entries again as they were (pins
    /// included), `dropped` are forgotten.
    ///
    /// # Errors
    /// When the catalog cannot be written; then nothing is moved.
    pub fn untrash(&self, batch: i64, restored: &[(Entry, String)], dropped: &[String]) -> Result<(), CacheError> {
        let (restored, dropped) = (restored.to_vec(), dropped.to_vec());
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            let mut delete = transaction.prepare_cached("DELETE FROM trash WHERE batch = ?1 AND file_name = ?2")?;
            for (entry, file_name) in &restored {
                let pinned = entry.pinned || editor.get(&entry.key)?.is_some_and(|now| now.pinned);
                editor.put(&Entry { pinned, ..entry.clone() })?;
                delete.execute(params![batch, file_name])?;
            }
            for file_name in &dropped {
                delete.execute(params![batch, file_name])?;
            }
            Ok(())
        })
    }

    /// Forgets files of a batch of the trash, by their names.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn forget_trash(&self, batch: i64, file_names: &[String]) -> Result<(), CacheError> {
        self.untrash(batch, &[], file_names)
    }
}
