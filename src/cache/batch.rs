//! What a preheat hands over to become part of the cache at once: all of it in one transaction, or none.

use super::Cache;
use super::catalog::{BatchRows, QualityFinding, Touched};
use super::change::Change;
use super::entry::{EntryKey, Failure};
use super::error::CacheError;
use super::lease::{Fence, Lease, LeaseLost};
use super::store::Staged;
use crate::fault::kill_point;
use crate::market::Symbol;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// Everything that became of some symbols.
#[derive(Debug, Default)]
pub struct Batch {
    /// Files that lie in their places.
    pub staged: Vec<Staged>,
    /// Entries that are what they were, and are known to be.
    pub touched: Vec<Touched>,
    /// Entries that failed, and why.
    pub failures: Vec<(EntryKey, Failure)>,
    /// Entries of which the source answered that it has nothing; earlier failures are forgotten.
    pub answered: Vec<EntryKey>,
    /// What was noticed to have changed at the source.
    pub changes: Vec<Change>,
    /// What was noticed in the rows of bars, where it is another than before.
    pub quality: Vec<QualityFinding>,
    /// The rights under which all of it is written; without any, nobody else may be writing.
    pub leases: Vec<Arc<Lease>>,
}

impl Cache {
    /// Makes a batch part of the cache: folders are synchronised, then everything goes into the catalog in one transaction.
    /// Returns the entries that were not written, because they were cleared or their lease was lost meanwhile.
    ///
    /// # Errors
    /// When a folder cannot be synchronised or the catalog cannot be written; then none of it counts, and it may be tried again.
    pub fn commit_batch(&self, batch: &Batch) -> Result<Vec<LeaseLost>, CacheError> {
        let rows = BatchRows {
            entries: batch.staged.iter().map(|one| one.entry.clone()).collect(),
            touched: batch.touched.clone(),
            failures: batch.failures.clone(),
            answered: batch.answered.clone(),
            changes: batch.changes.clone(),
            quality: batch.quality.clone(),
            granted: granted(&batch.leases),
        };
        let lost = self.commit_rows(&batch.staged, rows)?;
        // Copies in memory have the times and failures of before.
        let failed = batch.failures.iter().map(|(key, _)| key);
        for key in batch.touched.iter().map(|one| &one.key).chain(failed).chain(&batch.answered) {
            self.memory.invalidate(key);
        }
        Ok(lost)
    }

    /// Makes staged files part of the cache.
    ///
    /// # Errors
    /// As [`Cache::commit_batch`].
    pub fn commit(&self, staged: &[Staged]) -> Result<(), CacheError> {
        let entries = staged.iter().map(|one| one.entry.clone()).collect();
        self.commit_rows(staged, BatchRows { entries, ..BatchRows::default() }).map(|_lost| ())
    }

    fn commit_rows(&self, staged: &[Staged], rows: BatchRows) -> Result<Vec<LeaseLost>, CacheError> {
        // A file that was added to has its name already.
        let folders: BTreeSet<_> = staged.iter().filter(|one| !one.was_appended()).filter_map(|one| one.path.parent()).collect();
        for folder in folders {
            self.files.sync_folder(folder)?;
        }
        kill_point("commit_before_catalog");
        let lost = self.catalog.put_batch(rows)?;
        kill_point("commit_after_catalog");
        for one in staged {
            self.memory.invalidate(&one.entry.key);
            if lost.iter().any(|lost| lost.key == one.entry.key) {
                // What is committed is committed, whatever becomes of this file.
                if let Err(error) = self.withdraw(one) {
                    tracing::warn!(path = %one.path.display(), %error, "a file that was not committed stays");
                }
                continue;
            }
            if !self.files.exists(&one.path) {
                // Cleared between being written and being committed.
                self.catalog.forget_files(std::slice::from_ref(&one.entry))?;
                continue;
            }
            if let Some(old) = &one.replaces
                && let Err(error) = self.files.remove(old)
            {
                tracing::warn!(path = %old.display(), %error, "a replaced file could not be removed");
            }
        }
        Ok(lost)
    }

    /// As [`Cache::commit`], but only those whose symbol's lease is still held when they are committed. Returns the others: what was
    /// cached of them is as it was, or as whoever took the lease has left it.
    ///
    /// # Errors
    /// As [`Cache::commit_batch`].
    pub fn commit_fenced(&self, staged: &[Staged], lease: &Lease) -> Result<Vec<LeaseLost>, CacheError> {
        let entries = staged.iter().map(|one| one.entry.clone()).collect();
        self.commit_rows(staged, BatchRows { entries, granted: Some(lease.granted().clone()), ..BatchRows::default() })
    }

    /// Removes staged files that will not be committed, because the catalog could not be written or may take no more: as files
    /// that no row knows they would only take room. A new version of a file that is cached stays; it is whole, and taken in.
    pub fn give_up(&self, staged: &[Staged]) {
        for one in staged {
            if let Err(error) = self.withdraw(one) {
                tracing::warn!(path = %one.path.display(), %error, "a file that is not committed stays until the next check");
            }
        }
    }

    /// Removes a staged file that is not to be committed, unless it is somebody else's by now.
    fn withdraw(&self, staged: &Staged) -> Result<(), CacheError> {
        let Some(facts) = staged.entry.file.as_ref().filter(|_| !staged.was_appended()) else { return Ok(()) };
        // A row that says the file is there is followed by the file, be it this one: it is whole, and readers take it in.
        let is_known = self.catalog.entry(&staged.entry.key)?.and_then(|now| now.file).is_some_and(|now| now.path == facts.path);
        let is_ours = || self.files.read(&staged.path, facts.size_bytes + 1).is_ok_and(|bytes| xxh3_128(&bytes) == facts.checksum);
        if !is_known && is_ours() { self.files.remove(&staged.path) } else { Ok(()) }
    }
}

/// The fencing numbers of leases of one source; `None` when there are no leases.
fn granted(leases: &[Arc<Lease>]) -> Option<BTreeMap<Symbol, Fence>> {
    let all = || leases.iter().flat_map(|lease| lease.granted()).map(|(symbol, fence)| (symbol.clone(), *fence)).collect();
    (!leases.is_empty()).then(all)
}
