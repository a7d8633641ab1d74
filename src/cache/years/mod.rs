//! Intraday bars, kept in a folder with a file per year: `<symbol>/2024.parquet`.
//!
//! They are one entry with one row in the catalog, which lists the files with their checksums. What is staged lies beside them under
//! names of their own, `2024.parquet.next-<checksum>`, or behind the end of the last year's file; the commit makes the row list it,
//! and then it takes its place. So a commit changes any number of years at once, and the files of years that did not change are never
//! written, renamed or dated anew.
//!
//! Contract: whatever happens between these steps, the files that the row lists are there, under one of their two names. Every file's
//! footer has the fingerprints of all years as they were when it was written, so that without a catalog only years that belong together
//! are taken for an entry. Not for daily bars or features: these are one file.

mod read;
mod rebuild;
mod recover;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::decode_years;
pub(super) use write::{OpenYear, Waiting};

use super::entry::{Entry, EntryKey, FileFacts, YearFile};
use super::error::CacheError;
use super::store::{facts_of, unknown};
use super::{Cache, Folders};
use crate::market::{Bars, date_of, micros_of_date};
use chrono::{Datelike, NaiveDate};
use std::ops::Range;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// What stands between the name of a year's file and the checksum of what is to take its place.
const NEXT_MARK: &str = ".next-";

/// The name of a year's file.
fn name_of(year: i32) -> String {
    format!("{year}.parquet")
}

/// The name of what is to take the place of a year's file.
fn next_name_of(year: i32, checksum: u128) -> String {
    format!("{year}.parquet{NEXT_MARK}{checksum:032x}")
}

/// The year whose file, or whose next file, has this name.
fn year_of_name(path: &Path) -> Option<i32> {
    let name = path.file_name()?.to_str()?;
    let (name, checksum) = name.split_once(NEXT_MARK).map_or((name, None), |(name, checksum)| (name, Some(checksum)));
    let is_ours = checksum.is_none_or(|checksum| checksum.len() == 32 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let year: i32 = name.strip_suffix(".parquet")?.parse().ok()?;
    (is_ours && name_of(year) == name).then_some(year)
}

/// Whether a path below the bars' tree is that of a year's file: source, symbol, file.
pub(super) fn is_year_path(relative: &Path) -> bool {
    relative.components().count() == 3 && year_of_name(relative).is_some()
}

/// The rows of each year, oldest first.
fn years_of(time_us: &[i64]) -> Vec<(i32, Range<usize>)> {
    let mut years = Vec::new();
    let mut from = 0;
    while let Some(first) = time_us.get(from) {
        let year = date_of(*first).year();
        let next_us = NaiveDate::from_ymd_opt(year.saturating_add(1), 1, 1).map_or(i64::MAX, micros_of_date);
        let rows = time_us.get(from..).unwrap_or_default().partition_point(|time| *time < next_us);
        // At least the row that was looked at, whatever the calendar says of it.
        let until = from + rows.max(1);
        years.push((year, from..until));
        from = until;
    }
    years
}

/// Some rows of bars.
fn rows_of(bars: &Bars, rows: &Range<usize>) -> Bars {
    let cut = |column: &Vec<f64>| column.get(rows.clone()).unwrap_or_default().to_vec();
    Bars {
        resolution: bars.resolution,
        time_us: bars.time_us.get(rows.clone()).unwrap_or_default().to_vec(),
        open: cut(&bars.open),
        high: cut(&bars.high),
        low: cut(&bars.low),
        close: cut(&bars.close),
        volume: cut(&bars.volume),
        amount: bars.amount.as_ref().map(cut),
        turnover: bars.turnover.as_ref().map(cut),
    }
}

/// What the catalog says of these years as one.
fn facts_of_years(folder: PathBuf, years: Vec<YearFile>, fingerprint: u128, bars: &Bars) -> FileFacts {
    let mut hasher = Xxh3::new();
    for file in &years {
        hasher.update(&file.year.to_le_bytes());
        hasher.update(&file.size_bytes.to_le_bytes());
        hasher.update(&file.checksum.to_le_bytes());
    }
    let size_bytes = years.iter().map(|file| file.size_bytes).sum();
    let modified_us = years.iter().map(|file| file.modified_us).max().unwrap_or_default();
    let facts = FileFacts { path: folder, size_bytes, modified_us, checksum: hasher.digest128(), fingerprint, ..unknown() };
    FileFacts { years, ..facts_of(bars, facts) }
}

/// The years whose files an entry has, whether it is whole or not.
pub(super) fn files_of(entry: &Entry) -> &[YearFile] {
    entry.file.as_ref().map_or(&entry.kept_years, |file| &file.years)
}

/// Whether an entry is kept by years, or was.
fn has_years(entry: &Entry) -> bool {
    !files_of(entry).is_empty()
}

impl Cache {
    /// The folder of an entry's years.
    fn folder_of(&self, key: &EntryKey) -> PathBuf {
        self.folders.absolute(&key.dataset, &Folders::years_path(key))
    }

    /// Where the file of a year lies once it has its place.
    pub(super) fn home_of_year(&self, entry: &Entry, file: &YearFile) -> PathBuf {
        self.folder_of(&entry.key).join(name_of(file.year))
    }

    /// Where the files of an entry lie when nothing waits to take its place: one, or one of each year. With each comes what its name
    /// is below its name in the trash, empty where it is one.
    pub(super) fn homes_of(&self, entry: &Entry) -> Vec<(PathBuf, PathBuf)> {
        match &entry.file {
            Some(facts) if facts.years.is_empty() => vec![(self.path_of(entry), PathBuf::new())],
            _ => {
                let folder = self.folder_of(&entry.key);
                files_of(entry).iter().map(|file| (folder.join(name_of(file.year)), PathBuf::from(name_of(file.year)))).collect()
            }
        }
    }

    /// Removes the files of an entry that has no row any more, or another one.
    pub(super) fn remove_files(&self, entry: &Entry) -> Result<(), CacheError> {
        for (home, _) in self.homes_of(entry) {
            self.files.remove(&home)?;
        }
        if has_years(entry) {
            // Also what somebody staged who does not hold the symbol any more.
            for path in self.year_files_in(&self.folder_of(&entry.key))? {
                self.files.remove(&path)?;
            }
        }
        self.leave_folder(entry);
        Ok(())
    }

    /// Removes the folder of an entry's years, if nothing is in it any more.
    pub(super) fn leave_folder(&self, entry: &Entry) {
        if has_years(entry) {
            self.files.remove_empty_folder(&self.folder_of(&entry.key));
        }
    }

    /// Where a file of an entry lies in the trash.
    pub(super) fn place_in_trash(&self, file_name: &str, below: &Path) -> PathBuf {
        let place = self.folders.trash().join(file_name);
        if below.as_os_str().is_empty() { place } else { place.join(below) }
    }

    /// Removes an entry's files from the trash.
    pub(super) fn remove_from_trash(&self, entry: &Entry, file_name: &str) -> Result<(), CacheError> {
        for (_, below) in self.homes_of(entry) {
            self.files.remove(&self.place_in_trash(file_name, &below))?;
        }
        if has_years(entry) {
            self.files.remove_empty_folder(&self.folders.trash().join(file_name));
        }
        Ok(())
    }

    /// Whether all of an entry's files lie in the trash.
    pub(super) fn is_in_trash(&self, entry: &Entry, file_name: &str) -> bool {
        self.homes_of(entry).iter().all(|(_, below)| self.files.exists(&self.place_in_trash(file_name, below)))
    }
}
