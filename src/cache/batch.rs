//! What a preheat hands over to become part of the cache at once: all of it in one transaction, or none.

use super::Cache;
use super::catalog::{BatchRows, QualityFinding, Touched, Written};
use super::change::Change;
use super::entry::{EntryKey, Failure};
use super::error::CacheError;
use super::lease::{Fence, Lease, LeaseLost};
use super::store::Staged;
use super::versions::VersionUse;
use crate::fault::kill_point;
use crate::market::Symbol;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// What was committed, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// Entries that were not written, because they were cleared or their lease was lost meanwhile.
    pub lost: Vec<LeaseLost>,
    /// How many entries are older versions now.
    pub kept_older: usize,
}

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
    /// Versions of sets that the features were computed with.
    pub versions: Vec<VersionUse>,
    /// Whether files that another definition had computed are removed, instead of becoming older versions.
    pub forget_older: bool,
    /// The rights under which all of it is written; without any, nobody else may be writing.
    pub leases: Vec<Arc<Lease>>,
}

impl Cache {
    /// Makes a batch part of the cache: folders are synchronised, then everything goes into the catalog in one transaction. The
    /// files of features whose definition is another now stay where they are, as older versions.
    ///
    /// # Errors
    /// When a folder cannot be synchronised or the catalog cannot be written; then none of it counts, and it may be tried again.
    pub fn commit_batch(&self, batch: &Batch) -> Result<Committed, CacheError> {
        let rows = BatchRows {
            entries: batch.staged.iter().map(|one| one.entry.clone()).collect(),
            touched: batch.touched.clone(),
            failures: batch.failures.clone(),
            answered: batch.answered.clone(),
            changes: batch.changes.clone(),
            quality: batch.quality.clone(),
            versions: batch.versions.clone(),
            at_us: self.now_us(),
            forget_older: batch.forget_older,
            granted: granted(&batch.leases),
        };
        let committed = self.commit_rows(&batch.staged, rows)?;
        // Copies in memory have the times and failures of before.
        let failed = batch.failures.iter().map(|(key, _)| key);
        for key in batch.touched.iter().map(|one| &one.key).chain(failed).chain(&batch.answered) {
            self.memory.invalidate(key);
        }
        Ok(committed)
    }

    /// Makes staged files part of the cache.
    ///
    /// # Errors
    /// As [`Cache::commit_batch`].
    pub fn commit(&self, staged: &[Staged]) -> Result<(), CacheError> {
        let entries = staged.iter().map(|one| one.entry.clone()).collect();
        self.commit_rows(staged, BatchRows { entries, ..BatchRows::default() }).map(drop)
    }

    fn commit_rows(&self, staged: &[Staged], rows: BatchRows) -> Result<Committed, CacheError> {
        self.write_version_texts(staged, &rows.versions)?;
        // A file that was added to has its name already.
        let folders: BTreeSet<_> = staged.iter().filter_map(Staged::changed_folder).collect();
        for folder in folders {
            self.files.sync_folder(folder)?;
        }
        kill_point("commit_before_catalog");
        let Written { lost, kept, replaced, superseded } = self.catalog.put_batch(rows)?;
        kill_point("commit_after_catalog");
        for one in staged {
            self.memory.invalidate(&one.entry.key);
            if let Some(older) = one.entry.provenance.and_then(|made| one.entry.key.older(made.definition)) {
                self.memory.invalidate(&older);
            }
            if lost.iter().any(|lost| lost.key == one.entry.key) {
                // What is committed is committed, whatever becomes of this file.
                if let Err(error) = self.withdraw(one) {
                    tracing::warn!(path = %one.path.display(), %error, "a file that was not committed stays");
                }
                continue;
            }
            self.take_places(one);
            if !self.is_all_there(&one.entry) {
                // Cleared between being written and being committed.
                self.forget_lost(std::slice::from_ref(&one.entry))?;
            }
        }
        for (old, now) in &superseded {
            if let Err(error) = self.remove_superseded(old, now) {
                tracing::warn!(symbol = %old.key.symbol, %error, "a file that is not used any more stays until the next check");
            }
        }
        for old in &replaced {
            let path = self.path_of(old);
            if let Err(error) = self.files.remove(&path) {
                tracing::warn!(path = %path.display(), %error, "a replaced file could not be removed");
            }
        }
        Ok(Committed { lost, kept_older: kept.len() })
    }

    /// As [`Cache::commit`], but only those whose symbol's lease is still held when they are committed. Returns the others: what was
    /// cached of them is as it was, or as whoever took the lease has left it.
    ///
    /// # Errors
    /// As [`Cache::commit_batch`].
    pub fn commit_fenced(&self, staged: &[Staged], lease: &Lease) -> Result<Vec<LeaseLost>, CacheError> {
        let entries = staged.iter().map(|one| one.entry.clone()).collect();
        let rows = BatchRows { entries, granted: Some(lease.granted().clone()), ..BatchRows::default() };
        self.commit_rows(staged, rows).map(|committed| committed.lost)
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
        if staged.has_years() {
            return self.withdraw_years(staged);
        }
        let Some(facts) = staged.entry.file.as_ref().filter(|_| !staged.was_appended()) else { return Ok(()) };
        // A row that says the file is there is followed by the file, be it this one: it is whole, and readers take it in.
        let is_known = self.is_claimed(&staged.entry)?;
        let is_ours = || self.files.read(&staged.path, facts.size_bytes + 1).is_ok_and(|bytes| xxh3_128(&bytes) == facts.checksum);
        if !is_known && is_ours() { self.files.remove(&staged.path) } else { Ok(()) }
    }
}

/// The fencing numbers of leases of one source; `None` when there are no leases.
fn granted(leases: &[Arc<Lease>]) -> Option<BTreeMap<Symbol, Fence>> {
    let all = || leases.iter().flat_map(|lease| lease.granted()).map(|(symbol, fence)| (symbol.clone(), *fence)).collect();
    (!leases.is_empty()).then(all)
}
