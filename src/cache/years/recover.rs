//! Setting right what a killed process left of years: what was committed takes its place, what was not is taken in whole or goes.

use super::super::entry::Entry;
use super::super::error::CacheError;
use super::super::store::Examined;
use super::super::{Cache, parquet_file};
use super::{files_of, has_years, name_of, next_name_of};
use std::path::{Path, PathBuf};

impl Cache {
    /// Compares a folder of years with the row of its entry, if there is one. Returns an entry that is made up of files which no row
    /// knows, and how many were taken in already.
    pub(in super::super) fn reconcile_years(&self, folder: &Path, known: Option<&Entry>) -> Result<(Option<Entry>, usize), CacheError> {
        // Read again: another process may have committed since.
        let now = known.map(|known| self.catalog.entry(&known.key)).transpose()?.flatten().filter(has_years);
        let Some(entry) = now else { return Ok((self.assemble(folder, true)?.map(|(entry, _)| entry), 0)) };
        self.settle_years(&entry)?;
        let mut adopted = 0;
        if entry.file.is_some() && !self.is_as_written(&entry) {
            match self.examine(&entry)? {
                Examined::Newer(found) => adopted = self.take_in(&entry, &found.0)?,
                Examined::Sound { is_longer: true, .. } => adopted = usize::from(self.settle_longer_years(&entry)?),
                // What is damaged or gone is found when it is read.
                Examined::Sound { .. } | Examined::Damaged(_) | Examined::Gone => {}
            }
        }
        self.remove_old_years(folder, &entry)?;
        Ok((None, adopted))
    }

    /// Whether the files of an entry have the lengths and dates that its row says.
    fn is_as_written(&self, entry: &Entry) -> bool {
        files_of(entry).iter().all(|file| {
            let status = self.files.status(&self.home_of_year(entry, file));
            status.is_ok_and(|status| (status.size_bytes, status.modified_us) == (file.size_bytes, file.modified_us))
        })
    }

    /// Writes the row of what files were found to be.
    fn take_in(&self, before: &Entry, found: &Entry) -> Result<usize, CacheError> {
        let checksum = before.file.as_ref().map(|file| file.checksum);
        let adopted = self.catalog.adopt(vec![(found.clone(), checksum)])?;
        if adopted > 0 {
            self.settle_years(found)?;
        }
        Ok(adopted)
    }

    /// What to do with a sound file that is longer than its row says, see [`Cache::settle_longer_file`].
    pub(in super::super) fn settle_longer_years(&self, entry: &Entry) -> Result<bool, CacheError> {
        for file in files_of(entry) {
            let home = self.home_of_year(entry, file);
            if self.files.status(&home).map_or(true, |status| status.size_bytes <= file.size_bytes) {
                continue;
            }
            let Ok(mut open) = self.files.open(&home) else { continue };
            if !open.try_lock() || self.catalog.entry(&entry.key)?.is_none_or(|now| now.file != entry.file) {
                continue;
            }
            // Still under the lock: nobody adds to the file before the catalog knows this.
            if let Some((found, _)) = self.assemble(&self.folder_of(&entry.key), false)?
                && found.key == entry.key
                && found.fetched_at_us >= entry.fetched_at_us
                && self.take_in(entry, &found)? > 0
            {
                return Ok(true);
            }
            open.truncate(file.size_bytes).map_err(|error| CacheError::file("cutting", &home, &error))?;
        }
        Ok(false)
    }

    /// Removes files of years that the entry does not have: those of before, and those that were staged and never committed. Files that
    /// may be waiting for their commit stay, and so does what is not known to be older.
    fn remove_old_years(&self, folder: &Path, entry: &Entry) -> Result<(), CacheError> {
        let Some(entry) = self.catalog.entry(&entry.key)?.filter(has_years) else { return Ok(()) };
        let is_written = self.catalog.jobs()?.iter().any(|job| self.catalog.is_alive(job));
        for path in self.year_files_in(folder)? {
            if self.names_of(&entry).contains(&path) || (is_written && self.is_young(&path)) {
                continue;
            }
            let sealed = self.files.read(&path, u64::MAX).ok().and_then(|bytes| parquet_file::longest_sealed(&bytes));
            if sealed.is_some_and(|(_, found)| found.footer.key == entry.key && found.footer.fetched_at_us <= entry.fetched_at_us) {
                self.files.remove(&path)?;
            }
        }
        Ok(())
    }

    /// The paths under which the files of an entry may lie.
    pub(in super::super) fn names_or_home_of(&self, entry: &Entry) -> Vec<PathBuf> {
        if has_years(entry) { self.names_of(entry) } else { self.homes_of(entry).into_iter().map(|(home, _)| home).collect() }
    }

    /// The paths under which the files of an entry's years may lie.
    pub(in super::super) fn names_of(&self, entry: &Entry) -> Vec<PathBuf> {
        let folder = self.folder_of(&entry.key);
        let names = files_of(entry).iter().flat_map(|file| [name_of(file.year), next_name_of(file.year, file.checksum)]);
        names.map(|name| folder.join(name)).collect()
    }

    /// Does what can be done about the file of a year that no row knows. Returns whether a row knows it now, or it is gone.
    pub(in super::super) fn repair_year(&self, path: &Path) -> Result<bool, CacheError> {
        let Some(folder) = path.parent() else { return Ok(false) };
        let entries = self.catalog.entries(None)?;
        let known = entries.into_iter().find(|entry| has_years(entry) && self.folder_of(&entry.key) == folder);
        if let (Some(found), _) = self.reconcile_years(folder, known.as_ref())? {
            let found = self.places_of_found(vec![found])?;
            self.catalog.adopt(found)?;
        }
        if !self.files.exists(path) {
            return Ok(true);
        }
        let known = self.known_files()?;
        Ok(known.contains_key(path))
    }
}
