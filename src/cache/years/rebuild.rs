//! Finding out from files alone which years belong together, and letting go of those that do not any more.
//!
//! Contract: an entry is put together only of years that one of its files lists, each with the values that stand there.

use super::super::entry::{Entry, FileFacts, YearFile};
use super::super::error::CacheError;
use super::super::parquet_file::{self, Content, Footer, SealedFile, YearList};
use super::super::store::{entry_of, facts_of, unknown};
use super::super::{Cache, Folders};
use super::read::Year;
use super::{decode_years, facts_of_years, files_of, name_of, next_name_of, year_of_name};
use crate::fault::kill_point;
use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_128;

/// A whole file of a year, and what it says of its entry.
struct Found {
    footer: Footer,
    list: YearList,
    file: YearFile,
    bytes: bytes::Bytes,
    /// Whether it lies there under its other name, and so was written after the one that has its place.
    is_next: bool,
}

impl Cache {
    /// The newest entry that the files in a folder make up, whatever the catalog says. With `beginnings`, files count also as they were
    /// before rows were added to them, where that is needed.
    pub(super) fn assemble(&self, folder: &Path, beginnings: bool) -> Result<Option<(Entry, Content)>, CacheError> {
        for all in if beginnings { &[false, true][..] } else { &[false] } {
            let found = self.found_in(folder, *all)?;
            let mut lists: Vec<&Found> = found.iter().collect();
            lists.sort_by_key(|one| Reverse((one.footer.fetched_at_us, one.is_next, one.file.modified_us)));
            for one in lists {
                if let Some(whole) = put_together(one, &found) {
                    return Ok(Some(whole));
                }
            }
        }
        Ok(None)
    }

    /// The whole files of years in a folder that belong there.
    fn found_in(&self, folder: &Path, beginnings: bool) -> Result<Vec<Found>, CacheError> {
        let mut found = Vec::new();
        for path in self.year_files_in(folder)? {
            let Some(year) = year_of_name(&path) else { continue };
            let bytes: bytes::Bytes = match self.files.read(&path, u64::MAX) {
                Ok(bytes) => bytes.into(),
                // Another process may set the same things right at the same time.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(CacheError::file("reading", path, &error)),
            };
            let modified_us = self.files.status(&path).map(|status| status.modified_us).unwrap_or_default();
            let ends = if beginnings { parquet_file::possible_ends(&bytes) } else { vec![bytes.len()] };
            for end in ends {
                let Some(SealedFile { content, footer, fingerprint }) = bytes.get(..end).and_then(parquet_file::sealed) else { continue };
                let Some(list) = footer.years.clone().filter(|list| list.year == year) else { continue };
                if !footer.key.dataset.is_bars() || self.folder_of(&footer.key) != folder {
                    continue;
                }
                let FileFacts { rows, first_us, last_us, .. } = facts_of(content.bars(), unknown());
                let (size_bytes, checksum) = (end as u64, xxh3_128(bytes.get(..end).unwrap_or_default()));
                let file = YearFile { year, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us };
                let is_next = path.extension().is_none_or(|ending| ending != "parquet");
                found.push(Found { footer, list, file, bytes: bytes.slice(..end), is_next });
            }
        }
        Ok(found)
    }

    /// The paths in a folder that are those of years' files, or of what is to take their places.
    pub(super) fn year_files_in(&self, folder: &Path) -> Result<Vec<PathBuf>, CacheError> {
        let all = self.files.files_below(folder)?;
        Ok(all.into_iter().filter(|path| path.parent() == Some(folder) && year_of_name(path).is_some()).collect())
    }

    /// Moves the files of years that are not as their row says out of reach, and keeps the others for the entry; returns the error to
    /// report.
    pub(in super::super) fn quarantine_years(&self, entry: &Entry, reason: &str) -> Result<CacheError, CacheError> {
        let folder = self.folder_of(&entry.key);
        let (mut lost, mut damaged) = (Vec::new(), Vec::new());
        for file in files_of(entry) {
            match self.look_at_year(&folder, file)? {
                Year::Sound { .. } => continue,
                Year::Gone => {}
                Year::Damaged(_) => damaged.push(file),
            }
            lost.push(file.year);
        }
        if lost.is_empty() {
            // Each is as it was written, and yet they cannot be read together.
            damaged = files_of(entry).iter().collect();
            lost = damaged.iter().map(|file| file.year).collect();
        }
        kill_point("quarantine_before_move");
        let symbol = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut path = folder.clone();
        for file in damaged {
            path = folder.join(name_of(file.year));
            for found in [folder.join(next_name_of(file.year, file.checksum)), path.clone()] {
                if self.files.exists(&found) {
                    let name = format!("{}-{}-{symbol}-{}", self.now_us(), entry.key.dataset.name(), name_of(file.year));
                    self.files.move_file(&found, &self.folders.quarantine().join(name))?;
                }
            }
        }
        kill_point("quarantine_before_catalog");
        self.catalog.lose_years(entry, &lost, Some(self.now_us()))?;
        self.memory.invalidate(&entry.key);
        tracing::warn!(path = %path.display(), reason, "the damaged file of a year was quarantined");
        Ok(CacheError::Damaged { path, symbol: entry.key.symbol.to_string(), reason: reason.to_owned() })
    }

    /// Forgets the files of entries whose files are gone: of years, those that are.
    pub(in super::super) fn forget_lost(&self, entries: &[Entry]) -> Result<(), CacheError> {
        let mut single = Vec::new();
        for entry in entries {
            let Some(facts) = entry.file.as_ref().filter(|facts| !facts.years.is_empty()) else {
                single.push(entry.clone());
                continue;
            };
            let lost: Vec<i32> = facts.years.iter().filter(|file| !self.is_there(entry, file)).map(|file| file.year).collect();
            self.catalog.lose_years(entry, &lost, None)?;
        }
        self.catalog.forget_files(&single)
    }

    /// Whether a year's file lies under one of its names.
    pub(super) fn is_there(&self, entry: &Entry, file: &YearFile) -> bool {
        let folder = self.folder_of(&entry.key);
        self.files.exists(&folder.join(name_of(file.year))) || self.files.exists(&folder.join(next_name_of(file.year, file.checksum)))
    }

    /// Whether all of an entry's files lie where they should; nothing is read.
    pub(in super::super) fn is_all_there(&self, entry: &Entry) -> bool {
        match &entry.file {
            Some(facts) if facts.years.is_empty() => self.files.exists(&self.path_of(entry)),
            _ => files_of(entry).iter().all(|file| self.is_there(entry, file)),
        }
    }

    /// Whether the files of an entry's years have the lengths that its row says.
    pub(in super::super) fn has_lengths_of(&self, entry: &Entry, facts: &FileFacts) -> bool {
        let folder = self.folder_of(&entry.key);
        facts.years.iter().all(|file| {
            let names = [name_of(file.year), next_name_of(file.year, file.checksum)];
            names.iter().any(|name| self.files.status(&folder.join(name)).is_ok_and(|status| status.size_bytes == file.size_bytes))
        })
    }
}

/// The entry that a file tells of, if all of its years are found.
fn put_together(one: &Found, found: &[Found]) -> Option<(Entry, Content)> {
    let chosen = one.list.all.iter().map(|(year, fingerprint)| {
        let is_it = |found: &&Found| found.file.year == *year && found.file.fingerprint == *fingerprint;
        // Of several with the same values, the one that was written together with it.
        found.iter().filter(is_it).max_by_key(|found| (found.list.all == one.list.all, found.is_next))
    });
    let chosen: Vec<&Found> = chosen.collect::<Option<_>>()?;
    let files: Vec<YearFile> = chosen.iter().map(|found| found.file.clone()).collect();
    let bytes: Vec<&bytes::Bytes> = chosen.iter().map(|found| &found.bytes).collect();
    let content = decode_years(&bytes, files.iter().map(|file| file.rows).sum()).ok()?;
    let footer = Footer { years: None, ..one.footer.clone() };
    let facts = facts_of_years(Folders::years_path(&footer.key), files, content.fingerprint(), content.bars());
    Some((entry_of(footer, facts), content))
}
