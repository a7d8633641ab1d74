//! Setting right what a killed process or a damaged catalog left: half-written files go, whole files come in.

use super::backup::Reopened;
use super::entry::{Dataset, Entry, EntryKey};
use super::error::CacheError;
use super::files::Files;
use super::store::Examined;
use super::{Cache, Folders, files, parquet_file, years};
use crate::fault::kill_point;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// What was set right when the cache was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Jobs that a killed process had left open.
    pub interrupted_jobs: Vec<String>,
    /// Whole files that the catalog did not know, now in it.
    pub adopted: usize,
    /// Half-written files, removed.
    pub temporary_removed: usize,
    /// Where a damaged catalog was moved, if it was.
    pub catalog_moved_to: Option<PathBuf>,
    /// Of what time the copy is that took the place of a damaged or missing catalog, in microseconds since 1970-01-01 UTC.
    pub catalog_copy_us: Option<i64>,
    /// How many pinned entries that copy had.
    pub restored_pins: usize,
}

impl Recovery {
    /// Whether there was anything to set right.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether SQLite's message means that the file may not be written.
pub(super) fn is_permission(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["unable to open", "readonly", "read-only", "permission"].iter().any(|sign| reason.contains(sign))
}

/// Moves a damaged catalog (with its log) aside.
pub(super) fn move_catalog_aside(files: &Files, path: &Path, now_us: i64) -> Result<PathBuf, CacheError> {
    let aside = |suffix: &str| {
        let mut name = path.as_os_str().to_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    for suffix in ["-wal", "-shm"] {
        let log = aside(suffix);
        if files.exists(&log) {
            files.move_file(&log, &aside(&format!(".damaged-{now_us}{suffix}")))?;
        }
    }
    let target = aside(&format!(".damaged-{now_us}"));
    files.move_file(path, &target)?;
    Ok(target)
}

impl Cache {
    /// Looks for jobs that a killed process left open and, if there are any (or the catalog is new beside files), compares the
    /// trees with the catalog.
    pub(super) fn recover(&self, reopened: Reopened, restored_pins: usize) -> Result<Recovery, CacheError> {
        let open_jobs: Vec<_> =
            self.catalog.jobs()?.into_iter().filter(|job| job.finished_at_us.is_none() && !self.catalog.is_alive(job)).collect();
        let mut recovery =
            Recovery { catalog_moved_to: reopened.moved_aside, catalog_copy_us: reopened.copy_of_us, restored_pins, ..Recovery::default() };
        // Not closed in good order: a process was killed, or the log lost its end, and files may be newer than their rows.
        let was_lost = !self.catalog.was_closed_well() || recovery.of_catalog().is_some();
        if open_jobs.is_empty() && !was_lost && !self.is_new_beside_files()? {
            return Ok(recovery);
        }
        (recovery.adopted, recovery.temporary_removed) = self.reconcile()?;
        for job in open_jobs {
            self.catalog.finish_job(job.id, r#"{"interrupted":true}"#, self.now_us())?;
            recovery.interrupted_jobs.push(job.title);
        }
        Ok(recovery)
    }

    /// Whether the catalog is empty while a tree is not: somebody removed the catalog.
    fn is_new_beside_files(&self) -> Result<bool, CacheError> {
        let some_tree = self.folders.trees().iter().any(|tree| self.files.has_items(tree));
        Ok(some_tree && self.catalog.jobs()?.is_empty() && self.catalog.entries(None)?.is_empty())
    }

    /// Takes whole files that the catalog does not know into it, and removes half-written files of dead processes. Returns
    /// how many of each.
    pub(super) fn reconcile(&self) -> Result<(usize, usize), CacheError> {
        let known: HashMap<PathBuf, Entry> = self.known_files()?;
        let (mut found, mut settled, mut removed) = (Vec::new(), 0, 0);
        let mut folders_of_years = BTreeSet::new();
        for tree in self.folders.trees() {
            for path in self.files.files_below(&tree)? {
                if let Some(owner) = files::temporary_owner(&path) {
                    if !files::process_is_alive(owner) && self.files.remove(&path).is_ok() {
                        removed += 1;
                    }
                    continue;
                }
                if Folders::is_version_text(&path) {
                    continue;
                }
                if tree == self.folders.tree(&Dataset::Bars) && path.strip_prefix(&tree).is_ok_and(years::is_year_path) {
                    folders_of_years.extend(path.parent().map(Path::to_path_buf));
                    continue;
                }
                // Another process may set the same things right at the same time.
                let Ok(status) = self.files.status(&path) else { continue };
                if let Some(entry) = known.get(&path)
                    && let Some(facts) = &entry.file
                {
                    if facts.size_bytes == status.size_bytes && facts.modified_us == status.modified_us {
                        continue;
                    }
                    if let Examined::Sound { is_longer, .. } = self.examine(entry)? {
                        if is_longer && self.settle_longer_file(entry)? {
                            settled += 1;
                        }
                        continue;
                    }
                }
                found.extend(self.adopt_file(&tree, &path)?);
            }
        }
        let by_folder: HashMap<&Path, &Entry> = known.iter().filter_map(|(path, entry)| Some((path.parent()?, entry))).collect();
        for folder in folders_of_years {
            let known = by_folder.get(folder.as_path()).copied();
            let (lost, taken_in) = self.reconcile_years(&folder, known)?;
            found.extend(lost);
            settled += taken_in;
        }
        let found = self.places_of_found(found)?;
        kill_point("recovery_before_catalog");
        let adopted = self.catalog.adopt(found)?;
        self.complete_versions()?;
        Ok((adopted + settled, removed))
    }

    /// Under which names files are taken in that the catalog does not know, with the checksums of those that it knows under them. Of
    /// several files of one entry, made by different definitions, the one fetched last is the present one; the others, and those
    /// beside a file that the catalog knows, are older versions. Should the present definition be one of these, it is found again by
    /// the next preheat.
    pub(super) fn places_of_found(&self, mut found: Vec<Entry>) -> Result<Vec<(Entry, Option<u128>)>, CacheError> {
        let written_us = |entry: &Entry| entry.file.as_ref().map_or(0, |file| file.modified_us);
        found.sort_by_key(|entry| (entry.fetched_at_us, written_us(entry)));
        let mut present: BTreeMap<EntryKey, (Entry, Option<u128>)> = BTreeMap::new();
        let mut older = Vec::new();
        for entry in found {
            let known = self.catalog.entry(&entry.key)?.filter(|now| now.file.is_some());
            let is_elsewhere = known.as_ref().is_some_and(|known| {
                let home = self.path_of(known);
                home != self.path_of(&entry) && self.is_all_there(known)
            });
            if is_elsewhere {
                if entry.key.dataset.is_bars() && known.is_some_and(|known| known.fetched_at_us >= entry.fetched_at_us) {
                    // What bars had before they were kept by years, or when they were: its writer was stopped before it could go.
                    self.remove_files(&entry)?;
                    continue;
                }
                older.extend(self.as_older(entry)?);
                continue;
            }
            let is_gone = known.as_ref().is_some_and(|known| self.path_of(known) != self.path_of(&entry));
            if let Some(gone) = known.as_ref().filter(|_| is_gone) {
                // Else its row would become an older version without a file.
                self.catalog.forget_files(std::slice::from_ref(gone))?;
            }
            let checksum = known.filter(|_| !is_gone).and_then(|known| known.file).map(|file| file.checksum);
            if let Some((before, _)) = present.insert(entry.key.clone(), (entry, checksum)) {
                older.extend(self.as_older(before)?);
            }
        }
        Ok(present.into_values().chain(older).collect())
    }

    /// A found file as an older version of its set, with the checksum of the one that the catalog has; `None` for what cannot be one.
    fn as_older(&self, entry: Entry) -> Result<Option<(Entry, Option<u128>)>, CacheError> {
        let Some(key) = entry.provenance.and_then(|made| entry.key.older(made.definition)) else { return Ok(None) };
        let known = self.catalog.entry(&key)?.and_then(|now| now.file).map(|file| file.checksum);
        Ok(Some((Entry { key, ..entry }, known)))
    }

    /// Every file the catalog knows, by its full path.
    pub(super) fn known_files(&self) -> Result<HashMap<PathBuf, Entry>, CacheError> {
        let entries = self.catalog.entries(None)?;
        Ok(entries
            .into_iter()
            .flat_map(|entry| {
                let paths = self.names_or_home_of(&entry);
                paths.into_iter().map(move |path| (path, entry.clone()))
            })
            .collect())
    }

    /// The row for a file in a tree, if the file is whole and lies where it belongs.
    pub(super) fn adopt_file(&self, tree: &Path, path: &Path) -> Result<Option<Entry>, CacheError> {
        let Ok(relative) = path.strip_prefix(tree) else { return Ok(None) };
        let bytes = match self.files.read(path, u64::MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CacheError::file("reading", path, &error)),
        };
        let Some((end, found)) = parquet_file::longest_sealed(&bytes) else { return Ok(None) };
        let key = found.footer.key.clone();
        let named = !key.source.as_str().is_empty() && key.dataset.set() != Some("") && !key.dataset.is_older();
        if !named || self.folders.tree(&key.dataset) != *tree {
            return Ok(None);
        }
        let sealed = bytes.get(..end).unwrap_or_default();
        Ok(self.adoptable(&key, relative, sealed, found).map(|(entry, _content)| entry))
    }

    /// What to do with a sound file that is longer than the catalog says: an append that is whole is taken in, one that was cut
    /// off is cut away. Nothing is done while somebody has the file. Returns whether it was taken in.
    pub(super) fn settle_longer_file(&self, entry: &Entry) -> Result<bool, CacheError> {
        let Some(facts) = &entry.file else { return Ok(false) };
        if !facts.years.is_empty() {
            return self.settle_longer_years(entry);
        }
        let path = self.folders.absolute(&entry.key.dataset, &facts.path);
        let Ok(mut file) = self.files.open(&path) else { return Ok(false) };
        let unchanged = || Ok(self.catalog.entry(&entry.key)?.is_some_and(|now| now.file == entry.file));
        if !file.try_lock() || !unchanged()? {
            return Ok(false);
        }
        let bytes = file.read(u64::MAX).map_err(|error| CacheError::file("reading", &path, &error))?;
        if let Some((end, found)) = parquet_file::longest_sealed(&bytes)
            && end as u64 > facts.size_bytes
            && let Some((newer, _content)) = self.adoptable(&entry.key, &facts.path, bytes.get(..end).unwrap_or_default(), found)
        {
            // Still under the lock: nobody adds to the file before the catalog knows this.
            return Ok(self.catalog.adopt(vec![(newer, Some(facts.checksum))])? > 0);
        }
        file.truncate(facts.size_bytes).map_err(|error| CacheError::file("cutting", &path, &error))?;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{CacheOptions, Content, Folders, Footer};
    use crate::market::{Bars, DateRange, ManualClock, Quality, RawBars, Symbol};
    use crate::source::SourceId;
    use std::fs;
    use std::sync::Arc;

    fn open(folder: &Path) -> (Cache, Recovery) {
        let clock = Arc::new(ManualClock::at(1_700_000_000_000_000));
        let options = CacheOptions::new(Folders::new(folder), 1_000_000, clock);
        Cache::open(options).expect("a cache")
    }

    fn bars(close: f64) -> Content {
        let raw = RawBars {
            time_us: vec![0],
            open: vec![close],
            high: vec![close],
            low: vec![close],
            close: vec![close],
            volume: vec![1.0],
            ..RawBars::default()
        };
        Content::Bars(Arc::new(Bars::normalise(raw).0))
    }

    fn footer(symbol: &str) -> Footer {
        let key = EntryKey::bars(&SourceId::new("test"), &Symbol::new(symbol));
        Footer {
            key,
            provenance: None,
            range: DateRange::ALL,
            fetched_at_us: 1_700_000_000_000_000,
            quality: Quality::default(),
            synced: None,
            provisional_from_us: None,
            cost_us: 0,
            state: None,
            precision: crate::feature::Precision::F64,
            rounding: None,
            years: None,
        }
    }

    #[test]
    fn what_was_renamed_but_not_committed_is_taken_in_after_a_kill() {
        let folder = tempfile::tempdir().expect("folder");
        {
            let (cache, _) = open(folder.path());
            // A job row of another, dead process, as a kill leaves it.
            cache.catalog.begin_job("Preheat", 0).expect("job");
            let staged = cache.stage(&bars(1.0), footer("OLD")).expect("stage");
            cache.commit(&[staged]).expect("commit");
            cache.stage(&bars(2.0), footer("OLD")).expect("a new version of a committed file, not committed");
            cache.stage(&bars(3.0), footer("NEW")).expect("a new file, not committed");
        }
        super::super::catalog::forget_own_jobs_for_tests();
        let (cache, recovery) = open(folder.path());
        assert_eq!(recovery.interrupted_jobs, ["Preheat"]);
        assert_eq!(recovery.adopted, 2);
        for (symbol, close) in [("OLD", 2.0), ("NEW", 3.0)] {
            let served = cache.read_from_disk(&footer(symbol).key).expect(symbol);
            assert_eq!(served.content.bars().close, [close]);
        }
        assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
    }

    #[test]
    fn a_clear_that_was_killed_in_the_middle_is_finished_and_can_be_undone() {
        let folder = tempfile::tempdir().expect("folder");
        let (cache, _) = open(folder.path());
        for symbol in ["A", "B"] {
            let staged = cache.stage(&bars(1.0), footer(symbol)).expect("stage");
            cache.commit(&[staged]).expect("commit");
        }
        // The catalog went first; the files had no time to follow.
        let named: Vec<_> = ["A", "B"].map(|symbol| (footer(symbol).key, format!("{symbol}.trash"))).to_vec();
        cache.catalog.trash_entries(&named, cache.now_us()).expect("trash");
        drop(cache);
        let (cache, _) = open(folder.path());
        assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
        assert_eq!(cache.undo_clear(None).expect("undo").entries, 2);
        assert_eq!(cache.read_from_disk(&footer("A").key).expect("back").content.bars().close, [1.0]);
        assert!(matches!(cache.undo_clear(None), Err(CacheError::NothingToUndo)));
    }

    #[test]
    fn a_catalog_that_is_no_database_is_set_aside_and_rebuilt_from_the_files() {
        let folder = tempfile::tempdir().expect("folder");
        {
            let (cache, _) = open(folder.path());
            let staged = cache.stage(&bars(1.0), footer("A")).expect("stage");
            cache.commit(&[staged]).expect("commit");
        }
        for suffix in ["-wal", "-shm"] {
            let log = folder.path().join(format!("catalog.sqlite{suffix}"));
            if log.exists() {
                fs::remove_file(log).expect("remove the log");
            }
        }
        // With a copy, that would take its place.
        fs::remove_dir_all(folder.path().join("backups")).expect("no copies");
        fs::write(folder.path().join("catalog.sqlite"), "this is no database, whatever its name says".repeat(100)).expect("damage");
        let (cache, recovery) = open(folder.path());
        assert_eq!(recovery.adopted, 1);
        assert!(recovery.catalog_moved_to.expect("moved aside").exists());
        assert_eq!(cache.read_from_disk(&footer("A").key).expect("still there").content.bars().close, [1.0]);
    }
}
