//! Clearing moves files to the trash, from where they can come back for 24 hours.
//!
//! The catalog goes first, the files follow. A process killed in between leaves files at home whose rows lie in the trash
//! already; the next start finishes moving them. Clearing, restoring and purging exclude each other within a process.

use super::Cache;
use super::entry::{Entry, EntryKey, Selection};
use super::error::CacheError;
use super::judge::Judge;
use super::lease::{CLEAR, RESTORE};
use super::years;
use crate::fault::kill_point;
use crate::market::DAY_US;
use std::sync::PoisonError;

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
    pub fn clear(&self, selection: &Selection, judge: &Judge) -> Result<Cleared, CacheError> {
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.seize(self.select(selection, judge)?.iter().map(|entry| &entry.key), CLEAR)?;
        // Looked at again: what others committed until the moment they lost their leases is cleared, too.
        let is_held = |entry: &Entry| held.iter().any(|lease| lease.covers(&entry.key));
        let chosen: Vec<Entry> = self.select(selection, judge)?.into_iter().filter(is_held).collect();
        let (with_file, without_file): (Vec<Entry>, Vec<Entry>) = chosen.into_iter().partition(|entry| entry.file.is_some());
        let left: Vec<Entry> = without_file.iter().filter(|entry| !entry.pinned && !entry.kept_years.is_empty()).cloned().collect();
        let empty: Vec<EntryKey> = without_file.into_iter().filter(|entry| !entry.pinned).map(|entry| entry.key).collect();
        if !empty.is_empty() {
            self.catalog.delete_entries(&empty)?;
            // What was left of years that are damaged serves nobody now.
            left.iter().try_for_each(|entry| self.remove_files(entry))?;
        }
        let moved = self.move_all_to_trash(&with_file)?;
        Ok(Cleared { entries: moved.entries + empty.len(), ..moved })
    }

    /// Moves the files of these entries to the trash as one batch. Whoever calls this holds leases of their symbols.
    pub(super) fn move_all_to_trash(&self, with_file: &[Entry]) -> Result<Cleared, CacheError> {
        if with_file.is_empty() {
            return Ok(Cleared::default());
        }
        let now_us = self.now_us();
        self.files.make_folder(&self.folders.trash())?;
        let named: Vec<(EntryKey, String)> = with_file
            .iter()
            .enumerate()
            .map(|(number, entry)| {
                let ending = if years::files_of(entry).is_empty() { ".parquet" } else { "" };
                (entry.key.clone(), format!("{now_us}-{}-{number}{ending}", std::process::id()))
            })
            .collect();
        let batch = self.catalog.trash_entries(&named, now_us)?;
        kill_point("clear_after_catalog");
        let mut failed = None;
        for (entry, (key, file_name)) in with_file.iter().zip(&named) {
            self.memory.invalidate(key);
            // One file that cannot be moved does not keep the others; it is moved at the next start.
            if let Err(error) = self.move_to_trash(entry, file_name) {
                failed.get_or_insert(error);
            }
            kill_point("clear_between_files");
        }
        if let Some(error) = failed {
            return Err(error);
        }
        Ok(Cleared { batch: Some(batch), entries: with_file.len(), size_bytes: with_file.iter().map(Entry::size_bytes).sum() })
    }

    fn move_to_trash(&self, entry: &Entry, file_name: &str) -> Result<(), CacheError> {
        self.settle_years(entry)?;
        for (home, below) in self.homes_of(entry) {
            match self.files.move_file(&home, &self.place_in_trash(file_name, &below)) {
                Err(_gone) if !self.files.exists(&home) => {}
                other => other?,
            }
        }
        self.leave_folder(entry);
        Ok(())
    }

    /// Whether the catalog has a file where this entry has it (or had it), as the present version or as an older one.
    pub(super) fn is_claimed(&self, entry: &Entry) -> Result<bool, CacheError> {
        let Some(facts) = &entry.file else { return Ok(false) };
        let older = entry.provenance.and_then(|made| entry.key.older(made.definition));
        for key in older.into_iter().chain([entry.key.as_written()]) {
            if self.catalog.entry(&key)?.and_then(|now| now.file).is_some_and(|now| now.path == facts.path) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Under which name a cleared entry may come back: its own, or, where another definition has taken its place since, as an older
    /// version. `None` when it was cached anew.
    fn place_of_cleared(&self, cleared: &Entry) -> Result<Option<EntryKey>, CacheError> {
        if self.is_claimed(cleared)? {
            return Ok(None);
        }
        if self.catalog.entry(&cleared.key)?.is_none_or(|now| now.file.is_none()) {
            return Ok(Some(cleared.key.clone()));
        }
        Ok(cleared.provenance.filter(|_| !cleared.key.dataset.is_older()).and_then(|made| cleared.key.older(made.definition)))
    }

    /// Brings a cleared batch back: the given one, or the newest. Entries that were cached anew since stay as they are.
    ///
    /// # Errors
    /// [`CacheError::NothingToUndo`] when there is no such batch; others when files or catalog fail.
    pub fn undo_clear(&self, batch: Option<i64>) -> Result<Cleared, CacheError> {
        self.purge_trash()?;
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let batches = self.catalog.trash_batches()?;
        let found = batches.iter().find(|known| batch.is_none_or(|wanted| wanted == known.batch));
        let batch = found.ok_or(CacheError::NothingToUndo)?.batch;
        let waiting = self.catalog.trash_of_batch(batch)?;
        // Nobody else may write these files while they are moved home.
        let _held = self.seize(waiting.iter().map(|(entry, _)| &entry.key), RESTORE)?;
        let (mut restored, mut handled) = (Vec::new(), Vec::new());
        for (entry, file_name) in waiting {
            let Some(key) = self.place_of_cleared(&entry)? else {
                // Cached anew since: the old copy has no use any more.
                self.remove_from_trash(&entry, &file_name)?;
                handled.push(file_name);
                continue;
            };
            let pinned = entry.pinned && !key.dataset.is_older();
            let entry = Entry { key, pinned, ..entry };
            if !self.bring_home(&entry, &file_name)? {
                continue;
            }
            restored.push(entry);
            handled.push(file_name);
            kill_point("undo_between_files");
        }
        kill_point("undo_before_catalog");
        self.catalog.put_entries(&restored)?;
        kill_point("undo_after_catalog");
        let pinned: Vec<EntryKey> = restored.iter().filter(|entry| entry.pinned).map(|entry| entry.key.clone()).collect();
        self.catalog.set_pinned(&pinned, true)?;
        self.catalog.forget_trash(batch, &handled)?;
        Ok(Cleared { batch: Some(batch), entries: restored.len(), size_bytes: restored.iter().map(Entry::size_bytes).sum() })
    }

    /// Moves an entry's files out of the trash. Returns whether all of them are at home.
    fn bring_home(&self, entry: &Entry, file_name: &str) -> Result<bool, CacheError> {
        let homes = self.homes_of(entry);
        for (home, below) in &homes {
            let waiting = self.place_in_trash(file_name, below);
            let moved = if self.files.exists(&waiting) { Some(self.files.move_file(&waiting, home)) } else { None };
            match moved {
                Some(Ok(())) => {}
                // It went between the look and the move: room was made of it.
                Some(Err(error)) if self.files.exists(&waiting) => return Err(error),
                // Another process is moving it, or somebody removed it: it stays in the list.
                None | Some(Err(_)) if !self.files.exists(home) => return Ok(false),
                None | Some(Err(_)) => {}
            }
        }
        if let Some(folder) = homes.first().and_then(|(home, _)| home.parent()) {
            self.files.sync_folder(folder)?;
        }
        if !years::files_of(entry).is_empty() {
            self.files.remove_empty_folder(&self.folders.trash().join(file_name));
        }
        Ok(true)
    }

    /// Finishes clears that a killed process had begun: files whose rows are in the trash already follow them.
    pub(super) fn finish_clears(&self) -> Result<usize, CacheError> {
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moved = 0;
        for batch in self.catalog.trash_batches()? {
            for (entry, file_name) in self.catalog.trash_of_batch(batch.batch)? {
                let is_at_home = self.names_or_home_of(&entry).iter().any(|home| self.files.exists(home));
                if !self.is_claimed(&entry)? && !self.is_in_trash(&entry, &file_name) && is_at_home {
                    self.move_to_trash(&entry, &file_name)?;
                    moved += 1;
                }
            }
        }
        Ok(moved)
    }

    /// Removes for good what was cleared more than 24 hours ago.
    pub(super) fn purge_trash(&self) -> Result<(), CacheError> {
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = self.now_us();
        for old in self.catalog.trash_batches()?.iter().filter(|batch| batch.trashed_at_us + KEPT_US <= now_us) {
            let mut removed = Vec::new();
            for (entry, file_name) in self.catalog.trash_of_batch(old.batch)? {
                match self.remove_from_trash(&entry, &file_name) {
                    Ok(()) => removed.push(file_name),
                    // It is tried again next time; a file that cannot be removed must not keep the cache from opening.
                    Err(error) => tracing::warn!(%error, "an old file stays in the trash"),
                }
            }
            self.catalog.forget_trash(old.batch, &removed)?;
        }
        Ok(())
    }
}
