//! Clearing moves files to the trash, from where they can come back for 24 hours.
//!
//! The catalog goes first, the files follow: a process killed in between leaves whole files that the next start takes back
//! into the cache. Nothing is lost either way.

use super::entry::{Entry, EntryKey, Selection};
use super::error::CacheError;
use super::freshness::TimeToLive;
use super::{Cache, Definitions, files};
use crate::market::DAY_US;
use std::fs;

/// How long cleared files can be restored.
const KEPT_US: i64 = DAY_US;

/// What a clear or an undo moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleared {
    /// The batch, for undoing exactly this clear; `None` when nothing was moved.
    pub batch: Option<i64>,
    /// How many entries.
    pub entries: usize,
    /// Their bytes.
    pub size_bytes: u64,
}

impl Cache {
    /// Moves the files of the selected entries to the trash.
    ///
    /// # Errors
    /// When the catalog cannot be read or written, or a file cannot be moved.
    pub fn clear(&self, selection: &Selection, ttl: TimeToLive, definitions: &Definitions) -> Result<Cleared, CacheError> {
        let chosen = self.select(selection, ttl, definitions)?;
        let (with_file, without_file): (Vec<Entry>, Vec<Entry>) = chosen.into_iter().partition(|entry| entry.file.is_some());
        let empty: Vec<EntryKey> = without_file.into_iter().map(|entry| entry.key).collect();
        if !empty.is_empty() {
            self.catalog.delete_entries(&empty)?;
        }
        if with_file.is_empty() {
            return Ok(Cleared { batch: None, entries: empty.len(), size_bytes: 0 });
        }
        let now_us = self.now_us();
        let trash = self.folders.trash();
        files::make_folder(&trash)?;
        let named: Vec<(EntryKey, String)> = with_file
            .iter()
            .enumerate()
            .map(|(number, entry)| (entry.key.clone(), format!("{now_us}-{}-{number}.parquet", std::process::id())))
            .collect();
        let batch = self.catalog.trash_entries(&named, now_us)?;
        for (entry, (key, file_name)) in with_file.iter().zip(&named) {
            self.memory.invalidate(key);
            if let Some(facts) = &entry.file {
                let path = self.folders.absolute(&key.dataset, &facts.path);
                if path.exists() {
                    files::move_file(&path, &trash.join(file_name))?;
                }
            }
        }
        Ok(Cleared {
            batch: Some(batch),
            entries: with_file.len() + empty.len(),
            size_bytes: with_file.iter().map(Entry::size_bytes).sum(),
        })
    }

    /// Brings a cleared batch back: the given one, or the newest. Entries that were cached anew since stay as they are.
    ///
    /// # Errors
    /// [`CacheError::NothingToUndo`] when there is no such batch; others when files or catalog fail.
    pub fn undo_clear(&self, batch: Option<i64>) -> Result<Cleared, CacheError> {
        self.purge_trash()?;
        let batches = self.catalog.trash_batches()?;
        let found = batches.iter().find(|known| batch.is_none_or(|wanted| wanted == known.batch));
        let batch = found.ok_or(CacheError::NothingToUndo)?.batch;
        let mut restored = Vec::new();
        for (entry, file_name) in self.catalog.trash_of_batch(batch)? {
            let Some(facts) = &entry.file else { continue };
            let waiting = self.folders.trash().join(file_name);
            let home = self.folders.absolute(&entry.key.dataset, &facts.path);
            let newer = self.catalog.entry(&entry.key)?.is_some_and(|now| now.file.is_some());
            if newer || !waiting.exists() {
                continue;
            }
            files::move_file(&waiting, &home)?;
            if let Some(folder) = home.parent() {
                files::sync_folder(folder)?;
            }
            restored.push(entry);
        }
        self.catalog.put_entries(&restored)?;
        let pinned: Vec<EntryKey> = restored.iter().filter(|entry| entry.pinned).map(|entry| entry.key.clone()).collect();
        self.catalog.set_pinned(&pinned, true)?;
        self.catalog.forget_trash(batch)?;
        Ok(Cleared { batch: Some(batch), entries: restored.len(), size_bytes: restored.iter().map(Entry::size_bytes).sum() })
    }

    /// Removes for good what was cleared more than 24 hours ago.
    pub(super) fn purge_trash(&self) -> Result<(), CacheError> {
        let now_us = self.now_us();
        for old in self.catalog.trash_batches()?.iter().filter(|batch| batch.trashed_at_us + KEPT_US <= now_us) {
            for (_entry, file_name) in self.catalog.trash_of_batch(old.batch)? {
                let path = self.folders.trash().join(file_name);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(CacheError::file("removing", path, &error));
                    }
                    _ => {}
                }
            }
            self.catalog.forget_trash(old.batch)?;
        }
        Ok(())
    }
}
