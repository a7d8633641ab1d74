//! Copies of the catalog, so that what users made (pins, histories, the trash's list, jobs) outlives a damaged or removed one.
//!
//! What loses least: the newest whole copy is put in the catalog's place, and then files are compared with it, because a file's
//! footer says what the copy is too old to know. Without a copy the catalog is rebuilt from the footers alone. Copies are whole
//! catalogs in `backups/`: the three newest, and the last of each of seven days. Not copies of cached files: those can be fetched.

use super::catalog::Catalog;
use super::entry::Entry;
use super::error::CacheError;
use super::files::Files;
use super::folders::Folders;
use super::recovery::{self, Recovery};
use super::{Cache, CatalogCheck};
use crate::config::Copies;
use crate::market::SECOND_US;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// A catalog that changed is copied this long after the last copy; sooner when a user made something.
const EVERY_US: i64 = 3_600 * SECOND_US;
/// Copies of what users made are this far apart at least, but for the one made at closing.
const SOONEST_US: i64 = 60 * SECOND_US;

/// How a catalog came back.
#[derive(Debug, Default)]
pub(super) struct Reopened {
    /// Where the damaged one was moved.
    pub(super) moved_aside: Option<PathBuf>,
    /// The time of the copy that is in its place now.
    pub(super) copy_of_us: Option<i64>,
}

fn copies_of(folders: &Folders) -> Copies {
    Copies::new(folders.cache_dir.join("backups"), "catalog", "sqlite", 3, 7)
}

/// Opens the catalog; a damaged one is moved aside, and in place of a damaged or missing one comes the newest whole copy.
pub(super) fn open_catalog(files: &Files, folders: &Folders, now_us: i64) -> Result<(Catalog, Reopened), CacheError> {
    let path = folders.catalog();
    if path.exists() {
        match Catalog::open(&path) {
            Err(CacheError::CatalogDamaged { .. }) => {}
            other => return other.map(|catalog| (catalog, Reopened::default())),
        }
    } else if copies_of(folders).list().is_empty() {
        return Ok((Catalog::open(&path)?, Reopened::default()));
    }
    // One process mends, the others find it mended.
    let _alone = lock(&folders.cache_dir.join("catalog.sqlite.mending"));
    let mut reopened = Reopened::default();
    if path.exists() {
        match Catalog::open(&path) {
            Err(CacheError::CatalogDamaged { reason, .. }) => {
                let aside = recovery::move_catalog_aside(files, &path, now_us)?;
                tracing::warn!(%reason, aside = %aside.display(), "the catalog was damaged and is rebuilt");
                reopened.moved_aside = Some(aside);
            }
            other => return other.map(|catalog| (catalog, Reopened::default())),
        }
    }
    for copy in copies_of(folders).list() {
        let Some(bytes) = copy.whole() else {
            tracing::warn!(path = %copy.path.display(), "a copy of the catalog is damaged and is not used");
            continue;
        };
        put_in_place(&path, &bytes).map_err(|error| CacheError::file("writing", &path, &error))?;
        match Catalog::open(&path) {
            Ok(catalog) => {
                reopened.copy_of_us = Some(copy.at_us);
                return Ok((catalog, reopened));
            }
            Err(error) => {
                tracing::warn!(path = %copy.path.display(), %error, "a copy of the catalog cannot be used");
                fs::remove_file(&path).map_err(|error| CacheError::file("removing", &path, &error))?;
            }
        }
    }
    Ok((Catalog::open(&path)?, reopened))
}

/// A lock that ends with its process; `None` on a file system without locks.
fn lock(path: &Path) -> Option<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    file.lock().ok().map(|()| file)
}

fn put_in_place(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_os_string();
    unfinished.push(".restoring");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // Those of the catalog that was here before would be taken for this one's.
    for suffix in ["-wal", "-shm", ".sum"] {
        let mut name = path.as_os_str().to_os_string();
        name.push(suffix);
        match fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(&unfinished, path)
}

impl Cache {
    /// Copies the catalog if it is time: an hour after the last copy when anything was written since, a minute after it when a user
    /// made something. Call it from time to time; it costs nothing when there is nothing to do. Returns whether a copy was made.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub fn back_up_user_data(&self) -> Result<bool, CacheError> {
        self.back_up_after(SOONEST_US)
    }

    /// As [`Cache::back_up_user_data`], but what a user made is copied at once.
    pub(super) fn back_up_at_closing(&self) -> Result<bool, CacheError> {
        self.back_up_after(0)
    }

    fn back_up_after(&self, soonest_us: i64) -> Result<bool, CacheError> {
        let (written, user_made) = self.catalog.uncopied();
        if self.catalog.is_suspect() || !(written || user_made) {
            return Ok(false);
        }
        let (copies, now_us) = (copies_of(&self.folders), self.now_us());
        let wait_us = if user_made { soonest_us } else { EVERY_US };
        // One from the future was made before the clock was set back.
        let is_recent = copies.list().first().is_some_and(|newest| (0..wait_us).contains(&(now_us - newest.at_us)));
        if is_recent {
            return Ok(false);
        }
        let fail = |error: std::io::Error| CacheError::file("writing", self.folders.cache_dir.join("backups"), &error);
        let unfinished = copies.unfinished().map_err(fail)?;
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        self.catalog.copy_to(&unfinished)?;
        copies.adopt(&unfinished, now_us).map_err(fail)?;
        Ok(true)
    }

    /// Brings what a copy of the catalog says into line with the files, which may be older or newer: entries whose file is gone lose
    /// it, and what is not in the trash any more is forgotten. Returns how many entries are pinned.
    pub(super) fn align_copy(&self) -> Result<usize, CacheError> {
        for batch in self.catalog.trash_batches()? {
            let gone: Vec<String> = self
                .catalog
                .trash_of_batch(batch.batch)?
                .into_iter()
                .filter(|(entry, file_name)| !self.is_in_trash(entry, file_name))
                .map(|(_, file_name)| file_name)
                .collect();
            self.catalog.forget_trash(batch.batch, &gone)?;
        }
        let entries = self.catalog.entries(None)?;
        let is_gone = |entry: &&Entry| entry.file.is_some() && !self.is_all_there(entry);
        let gone: Vec<Entry> = entries.iter().filter(is_gone).cloned().collect();
        self.forget_lost(&gone)?;
        Ok(entries.iter().filter(|entry| entry.pinned).count())
    }

    /// Keeps what was wrong with the catalog for the next check to tell.
    pub(super) fn note_mended(&self, recovery: &Recovery) {
        if recovery.catalog_moved_to.is_some() {
            *self.mended.lock().unwrap_or_else(PoisonError::into_inner) = recovery.of_catalog();
        }
    }

    /// What is wrong with the catalog, or was when it was opened, in words; see [`Cache::verify_catalog`].
    pub(super) fn catalog_findings(&self, repair: bool) -> Result<Vec<String>, CacheError> {
        let at_opening = self.mended.lock().unwrap_or_else(PoisonError::into_inner).take();
        let found = self.verify_catalog(repair)?;
        let rows = found.rows.into_iter().map(|row| format!("{row} fails its seal"));
        Ok(at_opening.into_iter().chain(found.structure).chain(rows).collect())
    }

    /// Checks the catalog itself: structure and seals. With `repair`, rows that fail their seal are removed, and the files of such
    /// entries are taken in again by what their footers say.
    ///
    /// # Errors
    /// When the catalog cannot be read, or is damaged in more than rows and indexes while it is open.
    pub fn verify_catalog(&self, repair: bool) -> Result<CatalogCheck, CacheError> {
        let found = self.catalog.check()?;
        if repair && !found.is_clean() {
            self.catalog.remove_broken_rows()?;
            self.reconcile()?;
        }
        Ok(found)
    }
}

impl Recovery {
    /// What happened to the catalog, as a sentence without its full stop; `None` when it was found as it should be.
    #[must_use]
    pub fn of_catalog(&self) -> Option<String> {
        let what = match (&self.catalog_moved_to, self.catalog_copy_us) {
            (None, None) => return None,
            (Some(_), _) => "the catalog was damaged",
            (None, Some(_)) => "the catalog was missing",
        };
        let how = match self.catalog_copy_us.and_then(chrono::DateTime::from_timestamp_micros) {
            Some(at) => format!(
                "its copy of {} UTC took its place ({} pinned entries), and {} newer cached files were taken in",
                at.format("%Y-%m-%d %H:%M"),
                self.restored_pins,
                self.adopted
            ),
            None => format!("has been rebuilt from {} cached files", self.adopted),
        };
        let joint = if self.catalog_copy_us.is_some() { "; " } else { " and " };
        let kept = self.catalog_moved_to.as_ref().map(|aside| format!("; the damaged one is kept as {}", aside.display()));
        Some(format!("{what}{joint}{how}{}", kept.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{CacheOptions, Change, ChangeKind, Content, EntryKey, Footer, QualityFinding};
    use crate::market::{Bars, DateRange, ManualClock, Quality, RawBars, Symbol};
    use crate::source::SourceId;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use std::sync::Arc;

    const START_US: i64 = 1_700_000_000_000_000;

    fn open(folder: &Path, clock: &Arc<ManualClock>) -> (Cache, Recovery) {
        let clock = Arc::clone(clock);
        Cache::open(CacheOptions::new(Folders::new(folder), 1_000_000, clock)).expect("a cache")
    }

    fn key(symbol: &str) -> EntryKey {
        EntryKey::bars(&SourceId::new("test"), &Symbol::new(symbol))
    }

    fn put(cache: &Cache, symbol: &str, close: f64) {
        let raw = RawBars {
            time_us: vec![0],
            open: vec![close],
            high: vec![close],
            low: vec![close],
            close: vec![close],
            volume: vec![1.0],
            ..RawBars::default()
        };
        let footer = Footer {
            key: key(symbol),
            provenance: None,
            range: DateRange::ALL,
            fetched_at_us: cache.now_us(),
            quality: Quality::default(),
            synced: None,
            provisional_from_us: None,
            cost_us: 0,
            state: None,
            precision: crate::feature::Precision::F64,
            rounding: None,
            years: None,
        };
        let staged = cache.stage(&Content::Bars(Arc::new(Bars::normalise(raw).0)), footer).expect("stage");
        cache.commit(&[staged]).expect("commit");
    }

    fn close_of(cache: &Cache, symbol: &str) -> Option<f64> {
        cache.read_from_disk(&key(symbol)).ok().map(|served| served.content.bars().close[0])
    }

    fn finding() -> QualityFinding {
        let quality = Quality { missing_price: 2, ..Quality::default() };
        QualityFinding { source: SourceId::new("test"), symbol: Symbol::new("A"), at_us: 5, quality }
    }

    fn change() -> Change {
        Change {
            source: SourceId::new("test"),
            symbol: Symbol::new("A"),
            noticed_us: 9,
            kind: ChangeKind::Rewritten,
            years: vec![2020],
            first_us: None,
            inserted: 0,
            removed: 0,
            altered: 4,
            detail: "a split".to_owned(),
        }
    }

    /// A cache with a pin, histories, and a copy of its catalog; then a symbol newer than the copy, one cleared since, one undone.
    fn made(folder: &Path, clock: &Arc<ManualClock>) {
        let (cache, _) = open(folder, clock);
        for symbol in ["A", "B", "C"] {
            put(&cache, symbol, 1.0);
        }
        cache.catalog().set_pinned(&[key("A")], true).expect("pin");
        cache.catalog().add_changes(vec![change()]).expect("change");
        cache.catalog().add_quality(vec![finding()]).expect("quality");
        assert!(cache.back_up_user_data().expect("copied"));
        assert!(!cache.back_up_user_data().expect("nothing new"));
        put(&cache, "B", 2.0);
        put(&cache, "D", 1.0);
        let gone = crate::cache::Selection { symbols: Some(vec![Symbol::new("C")]), ..Default::default() };
        cache.clear(&gone, &crate::cache::Judge::default()).expect("clear");
        assert!(!cache.back_up_user_data().expect("within the hour"));
    }

    fn is_back(cache: &Cache, recovery: &Recovery) {
        assert_eq!((recovery.restored_pins, recovery.adopted), (1, 2), "{recovery:?}");
        let found: Vec<_> = ["A", "B", "C", "D"].map(|symbol| close_of(cache, symbol)).to_vec();
        assert_eq!(found, [Some(1.0), Some(2.0), None, Some(1.0)]);
        assert!(cache.catalog().entry(&key("A")).expect("read").expect("there").pinned);
        assert_eq!(cache.catalog().changes(None, None, 9).expect("read"), [change()]);
        assert_eq!(cache.catalog().quality_history(&SourceId::new("test"), &Symbol::new("A")).expect("read"), [finding()]);
        assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
    }

    #[test]
    fn pins_and_histories_outlive_a_damaged_catalog() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        made(folder.path(), &clock);
        let path = folder.path().join("catalog.sqlite");
        let mut bytes = fs::read(&path).expect("read");
        bytes[5_000] ^= 16;
        fs::write(&path, bytes).expect("write");
        let (cache, recovery) = open(folder.path(), &clock);
        let verified = |cache: &Cache| cache.verify(true, &|_, _| {}).expect("verify").catalog;
        let told = recovery.of_catalog().expect("told");
        assert!(told.starts_with("the catalog was damaged; its copy of 2023-11-14 22:13 UTC took its place"), "{told}");
        assert_eq!(verified(&cache), [told]);
        is_back(&cache, &recovery);
        assert!(recovery.catalog_moved_to.expect("moved aside").exists());
        drop(cache);
        assert_eq!(open(folder.path(), &clock).1.of_catalog(), None);
    }

    #[test]
    fn pins_and_histories_outlive_a_removed_catalog() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        made(folder.path(), &clock);
        fs::remove_file(folder.path().join("catalog.sqlite")).expect("remove");
        let (cache, recovery) = open(folder.path(), &clock);
        is_back(&cache, &recovery);
        assert!(recovery.of_catalog().expect("told").starts_with("the catalog was missing; its copy"));
    }

    #[test]
    fn a_damaged_copy_is_not_used() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        made(folder.path(), &clock);
        for copy in copies_of(&Folders::new(folder.path())).list() {
            let mut bytes = fs::read(&copy.path).expect("read");
            bytes[9_000] ^= 1;
            fs::write(&copy.path, bytes).expect("write");
        }
        fs::write(folder.path().join("catalog.sqlite"), "no database").expect("write");
        let (cache, recovery) = open(folder.path(), &clock);
        assert_eq!((recovery.adopted, recovery.restored_pins, recovery.catalog_copy_us), (3, 0, None));
        assert_eq!(close_of(&cache, "B"), Some(2.0));
        assert!(recovery.of_catalog().expect("told").contains("rebuilt from 3 cached files"));
    }

    #[test]
    fn a_pin_is_copied_at_closing_and_anything_after_an_hour() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let count = || copies_of(&Folders::new(folder.path())).list().len();
        let (cache, _) = open(folder.path(), &clock);
        put(&cache, "A", 1.0);
        assert!(cache.back_up_user_data().expect("the first"));
        clock.advance(EVERY_US - 1);
        put(&cache, "B", 1.0);
        assert!(!cache.back_up_user_data().expect("too soon"));
        clock.advance(1);
        assert!(cache.back_up_user_data().expect("an hour later"));
        clock.advance(1);
        cache.catalog().set_pinned(&[key("A")], true).expect("pin");
        assert!(!cache.back_up_user_data().expect("not at once"));
        drop(cache);
        assert_eq!(count(), 3);
        let (cache, _) = open(folder.path(), &clock);
        put(&cache, "C", 1.0);
        drop(cache);
        assert_eq!(count(), 3, "what can be fetched again waits for its hour");
    }

    /// Flips anywhere in a closed catalog, its copies and its sum: nothing is lost, nothing needs a hand.
    #[test]
    fn after_any_flipped_bit_in_the_catalog_everything_is_back() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        made(folder.path(), &clock);
        let good = fs::read(folder.path().join("catalog.sqlite")).expect("read");
        let mut random = StdRng::seed_from_u64(11);
        for turn in 0..60 {
            let path = folder.path().join("catalog.sqlite");
            let mut bytes = fs::read(&path).expect("read");
            let place = random.random_range(0..bytes.len());
            bytes[place] ^= 1 << random.random_range(0..8);
            fs::write(&path, &bytes).expect("write");
            let (cache, recovery) = open(folder.path(), &clock);
            assert!(recovery.catalog_moved_to.is_some(), "turn {turn}, byte {place}");
            assert_eq!(close_of(&cache, "B"), Some(2.0), "turn {turn}, byte {place}");
            assert!(cache.catalog().entry(&key("A")).expect("read").expect("there").pinned, "turn {turn}, byte {place}");
            drop(cache);
            fs::remove_file(recovery.catalog_moved_to.unwrap_or_default()).expect("room for the next");
        }
        assert!(!good.is_empty());
    }
}
