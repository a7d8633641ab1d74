//! Dated copies of what must not be lost, in a folder beside it: named by time and checksum, the older ones thinned out.
//!
//! A copy whose content does not match the checksum in its name is none. Not a history of versions for users to look at.

use chrono::{DateTime, NaiveDateTime};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_128;

/// How the time stands in a name.
const STAMP: &str = "%Y%m%dT%H%M%S%.6fZ";
const DAY_US: i64 = 86_400_000_000;

/// A folder of copies of one thing.
#[derive(Debug, Clone)]
pub struct Copies {
    folder: PathBuf,
    /// What names begin with.
    stem: &'static str,
    /// What names end with, without the dot.
    extension: &'static str,
    /// How many of the newest are kept.
    newest: usize,
    /// Of how many days before the newest the last copy is kept, too.
    days: i64,
}

/// One copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatedCopy {
    /// Of what time its content is, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
    /// Where it lies.
    pub path: PathBuf,
    checksum: u128,
}

impl DatedCopy {
    /// The copy's bytes; `None` when it cannot be read or is not what was written.
    #[must_use]
    pub fn whole(&self) -> Option<Vec<u8>> {
        fs::read(&self.path).ok().filter(|bytes| xxh3_128(bytes) == self.checksum)
    }
}

impl Copies {
    /// Copies in this folder, which need not be there yet.
    #[must_use]
    pub fn new(folder: PathBuf, stem: &'static str, extension: &'static str, newest: usize, days: i64) -> Self {
        Self { folder, stem, extension, newest, days }
    }

    /// Every copy by name, newest first; a folder that cannot be read has none.
    #[must_use]
    pub fn list(&self) -> Vec<DatedCopy> {
        let Ok(listing) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut found: Vec<DatedCopy> = listing.filter_map(|item| self.parse(&item.ok()?.path())).collect();
        found.sort();
        found.reverse();
        found
    }

    fn parse(&self, path: &Path) -> Option<DatedCopy> {
        let name = path.file_name()?.to_str()?;
        let inner = name.strip_prefix(self.stem)?.strip_prefix('-')?.strip_suffix(self.extension)?.strip_suffix('.')?;
        let (stamp, checksum) = inner.split_once('-')?;
        let at_us = NaiveDateTime::parse_from_str(stamp, STAMP).ok()?.and_utc().timestamp_micros();
        Some(DatedCopy { at_us, checksum: u128::from_str_radix(checksum, 16).ok()?, path: path.to_path_buf() })
    }

    /// Where a copy may be put together before it is taken in by [`Copies::adopt`]; the folder is made.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn unfinished(&self) -> std::io::Result<PathBuf> {
        fs::create_dir_all(&self.folder)?;
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(self.folder.join(format!("{}.tmp-{}-{number}", self.stem, std::process::id())))
    }

    /// Keeps bytes as a copy of time `at_us`, unless the newest copy holds the same, and thins out the others.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, bytes: &[u8], at_us: i64) -> std::io::Result<()> {
        let same = self.list().first().is_some_and(|newest| newest.checksum == xxh3_128(bytes) && newest.whole().is_some());
        if same {
            return Ok(());
        }
        let unfinished = self.unfinished()?;
        File::create(&unfinished)?.write_all(bytes)?;
        self.adopt(&unfinished, at_us).map(|_copy| ())
    }

    /// Makes an unfinished file a copy of time `at_us`: synchronised, checked, named, and the others thinned out.
    ///
    /// # Errors
    /// When it cannot be read, synchronised or named.
    pub fn adopt(&self, unfinished: &Path, at_us: i64) -> std::io::Result<PathBuf> {
        File::options().write(true).open(unfinished)?.sync_all()?;
        let checksum = xxh3_128(&fs::read(unfinished)?);
        let stamp = DateTime::from_timestamp_micros(at_us).unwrap_or_default().format(STAMP);
        let path = self.folder.join(format!("{}-{stamp}-{checksum:032x}.{}", self.stem, self.extension));
        fs::rename(unfinished, &path)?;
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        for old in superfluous(self.list(), self.newest, self.days) {
            if let Err(error) = fs::remove_file(&old.path) {
                tracing::debug!(path = %old.path.display(), %error, "an old copy stays");
            }
        }
        Ok(path)
    }
}

/// Which of the copies, newest first, are not worth their room: neither among the newest nor the last of one of the last days.
fn superfluous(copies: Vec<DatedCopy>, newest: usize, days: i64) -> Vec<DatedCopy> {
    let Some(last_day) = copies.first().map(|copy| copy.at_us.div_euclid(DAY_US)) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    copies
        .into_iter()
        .enumerate()
        .filter(|(position, copy)| {
            let day = copy.at_us.div_euclid(DAY_US);
            let last_of_its_day = seen.insert(day) && last_day - day < days;
            *position >= newest && !last_of_its_day
        })
        .map(|(_, copy)| copy)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_dated_checked_and_thinned_out() {
        let folder = tempfile::tempdir().expect("folder");
        let copies = Copies::new(folder.path().join("copies"), "thing", "txt", 3, 4);
        assert!(copies.list().is_empty());
        // Five a day for ten days.
        for number in 0..50_i64 {
            copies.keep(format!("content {number}").as_bytes(), number * DAY_US / 5 + 7).expect("kept");
        }
        copies.keep(b"content 49", 100 * DAY_US).expect("the same once more");
        let kept: Vec<i64> = copies.list().iter().map(|copy| copy.at_us / (DAY_US / 5)).collect();
        assert_eq!(kept, [49, 48, 47, 44, 39, 34], "the three newest, and the last of each of four days");
        let newest = copies.list().remove(0);
        assert_eq!(newest.whole().as_deref(), Some("content 49".as_bytes()));
        fs::write(&newest.path, "content 48").expect("damage");
        assert_eq!(newest.whole(), None);
        copies.keep(b"content 49", newest.at_us + 1).expect("a damaged copy is none");
        assert!(copies.list()[0].whole().is_some());
    }
}
