//! Staging years, and what follows the commit: what waits takes its place, and what is not listed any more goes.

use super::super::append::{Appendable, is_worth_it, same_rows};
use super::super::entry::{Entry, FileFacts, YearFile};
use super::super::error::CacheError;
use super::super::file_layer::OpenFile;
use super::super::parquet_file::{self, Content, Footer, Outline, YearList};
use super::super::store::{Staged, entry_of, facts_of, unknown};
use super::super::{Cache, Folders};
use super::{facts_of_years, files_of, has_years, name_of, next_name_of, rows_of, years_of};
use crate::fault::kill_point;
use crate::market::Bars;
use rayon::prelude::*;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Years that are written side by side: most of a writer's time is the disk's.
const WRITERS: usize = 4;

/// A year's file of an entry that is opened to be added to.
#[derive(Debug)]
pub(in super::super) struct OpenYear {
    /// What the row says of it.
    pub file: YearFile,
    /// Its bytes, checked against their checksum.
    pub bytes: bytes::Bytes,
}

/// A year's file that waits to take its place.
#[derive(Debug, Clone)]
pub(in super::super) struct Waiting {
    pub(super) next: PathBuf,
    home: PathBuf,
    year: i32,
    checksum: u128,
}

/// One year of what is to be staged.
struct Year {
    year: i32,
    rows: Range<usize>,
    fingerprint: u128,
}

impl Cache {
    /// Writes intraday bars: of what is opened to be added to, the files of years that have the same values stay, and rows are added
    /// behind the last one where that is worth it; the files of all other years are written beside them. Until [`Cache::commit`] the
    /// cache has the old version.
    ///
    /// # Errors
    /// As [`Cache::stage`].
    pub(in super::super) fn stage_years(&self, bars: &Arc<Bars>, footer: Footer, open: Option<Appendable>) -> Result<Staged, CacheError> {
        // Without the lock somebody else may be about to replace them.
        let mut open = open.filter(|open| open.file.is_some() && !open.years.is_empty());
        let slices = years_of(&bars.time_us);
        let years: Vec<Year> = slices
            .into_par_iter()
            .map(|(year, rows)| {
                let fingerprint = Content::Bars(Arc::new(rows_of(bars, &rows))).fingerprint();
                Year { year, rows, fingerprint }
            })
            .collect();
        let all: Vec<(i32, u128)> = years.iter().map(|year| (year.year, year.fingerprint)).collect();
        let footer_of = |year: i32| Footer { years: Some(YearList { year, all: all.clone() }), ..footer.clone() };
        let known = open.as_ref().map(|open| open.years.as_slice()).unwrap_or_default();
        let unchanged = |year: &Year| known.iter().find(|open| open.file.year == year.year && open.file.fingerprint == year.fingerprint);
        let mut files: Vec<Option<YearFile>> = years.iter().map(|year| unchanged(year).map(|open| open.file.clone())).collect();
        if files.iter().all(Option::is_some)
            && let Some(last) = files.last_mut()
        {
            // Some file has to tell of which years the entry consists now.
            *last = None;
        }
        let folder = self.folder_of(&footer.key);
        let mut bytes_written = 0;
        let mut lock = None;
        if let Some(open) = &mut open {
            lock = open.file.take();
            if let Some((year, slot)) = years.iter().zip(&mut files).find(|(year, slot)| slot.is_none() && is_last(open, year.year))
                && let Some(locked) = lock.as_deref_mut()
                && let Some((file, written)) = self.append_year(open, locked, bars, year, &footer_of(year.year))?
            {
                *slot = Some(file);
                bytes_written += written;
            }
        }
        let missing: Vec<usize> = (0..files.len()).filter(|place| files.get(*place).is_some_and(Option::is_none)).collect();
        let write = |place: usize| {
            let Some(year) = years.get(place) else { return Err(CacheError::file("writing", &folder, &std::io::ErrorKind::Other.into())) };
            self.write_year(&folder, bars, year, &footer_of(year.year))
        };
        let mut waiting = Vec::new();
        let mut failed = None;
        for (place, written) in side_by_side(&missing, &write) {
            match written {
                Ok(file) => {
                    bytes_written += file.size_bytes;
                    let (year, checksum) = (file.year, file.checksum);
                    waiting.push(Waiting {
                        next: folder.join(next_name_of(year, checksum)),
                        home: folder.join(name_of(year)),
                        year,
                        checksum,
                    });
                    if let Some(slot) = files.get_mut(place) {
                        *slot = Some(file);
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        let path = folder;
        let Some(files) = files.into_iter().collect::<Option<Vec<YearFile>>>().filter(|_| failed.is_none()) else {
            for one in &waiting {
                self.files.remove(&one.next)?;
            }
            return Err(failed.unwrap_or_else(|| CacheError::file("writing", path, &std::io::ErrorKind::Other.into())));
        };
        let fingerprint = Content::Bars(Arc::clone(bars)).fingerprint();
        let facts = facts_of_years(Folders::years_path(&footer.key), files, fingerprint, bars);
        Ok(Staged { entry: entry_of(footer, facts), path, bytes_written, appended: lock, waiting })
    }

    /// Writes the file of a year beside its place.
    fn write_year(&self, folder: &Path, bars: &Bars, year: &Year, footer: &Footer) -> Result<YearFile, CacheError> {
        let slice = Arc::new(rows_of(bars, &year.rows));
        let (encoded, _) = parquet_file::encode_beside(&Content::Bars(Arc::clone(&slice)), footer, None)
            .map_err(|reason| CacheError::Parquet { action: "written", path: folder.join(name_of(year.year)), reason })?;
        let next = folder.join(next_name_of(year.year, encoded.checksum));
        let modified_us = self.files.write_atomically(&next, &encoded.bytes)?;
        Ok(year_file(year, &slice, encoded.bytes.len() as u64, modified_us, encoded.checksum))
    }

    /// Adds rows behind the locked file of the last year; `None` when it is better written anew. Also how many bytes were written.
    fn append_year(
        &self,
        open: &Appendable,
        file: &mut dyn OpenFile,
        bars: &Bars,
        year: &Year,
        footer: &Footer,
    ) -> Result<Option<(YearFile, u64)>, CacheError> {
        let Some(present) = open.years.last() else { return Ok(None) };
        let outline: &Outline = &open.outline;
        let slice = rows_of(bars, &year.rows);
        let base_rows = outline.base_rows;
        let cached = open.content()?.bars();
        let from = cached.time_us.partition_point(|time| *time < present.file.first_us);
        // A base of rows that changed, or are gone, cannot stay.
        if slice.len() <= base_rows || !same_rows(&rows_of(cached, &(from..from + base_rows)), &slice, base_rows) {
            return Ok(None);
        }
        let tail = Content::Bars(Arc::new(parquet_file::bars_from(&slice, base_rows)));
        let encoded = parquet_file::encode_addition((&open.hashed.0, present.bytes.len()), outline, &tail, footer, year.fingerprint);
        let path = self.folder_of(&footer.key).join(name_of(year.year));
        let encoded = encoded.map_err(|reason| CacheError::Parquet { action: "written", path: path.clone(), reason })?;
        let Some(addition) = encoded.filter(is_worth_it) else { return Ok(None) };
        match self.add_behind(file, &path, &open.entry, present.bytes.len() as u64, &addition) {
            Ok(modified_us) => {
                let file = year_file(year, &slice, addition.size_bytes, modified_us, addition.checksum);
                Ok(Some((file, addition.bytes.len() as u64)))
            }
            Err(full @ CacheError::DiskFull { .. }) => Err(full),
            // What could not be made durable is not tried again in the same file: a new one is written.
            Err(error) => {
                tracing::warn!(%error, "rows could not be added to the file of a year; it is written anew");
                Ok(None)
            }
        }
    }

    /// Gives committed files that wait their places. Where that fails they are read where they are.
    pub(in super::super) fn take_places(&self, staged: &Staged) {
        for one in &staged.waiting {
            kill_point("years_before_place");
            if let Err(error) = self.files.move_file(&one.next, &one.home)
                && self.files.exists(&one.next)
            {
                tracing::warn!(path = %one.home.display(), %error, "the file of a year keeps its other name for now");
            }
            kill_point("years_after_place");
        }
    }

    /// Gives an entry's files their places that still wait, because whoever committed them was stopped. The symbol must be held.
    pub(in super::super) fn settle_years(&self, entry: &Entry) -> Result<(), CacheError> {
        let folder = self.folder_of(&entry.key);
        for file in files_of(entry) {
            let next = folder.join(next_name_of(file.year, file.checksum));
            if self.files.exists(&next) {
                self.files.move_file(&next, &folder.join(name_of(file.year)))?;
            }
        }
        Ok(())
    }

    /// Removes the files of staged years that are not committed, unless the row has them by now.
    pub(in super::super) fn withdraw_years(&self, staged: &Staged) -> Result<(), CacheError> {
        let now = self.catalog.entry(&staged.entry.key)?;
        let known = now.as_ref().map(files_of).unwrap_or_default();
        for one in &staged.waiting {
            if !known.iter().any(|file| (file.year, file.checksum) == (one.year, one.checksum)) {
                self.files.remove(&one.next)?;
            }
        }
        self.leave_folder(&staged.entry);
        Ok(())
    }

    /// Removes the files that an entry had before and does not have any more: years that are gone, or those of another layout.
    pub(in super::super) fn remove_superseded(&self, old: &Entry, now: &Entry) -> Result<(), CacheError> {
        let folder = self.folder_of(&old.key);
        let present = files_of(now);
        for file in files_of(old) {
            let same = present.iter().find(|other| other.year == file.year);
            if same.is_none() {
                self.files.remove(&folder.join(name_of(file.year)))?;
            }
            let next = folder.join(next_name_of(file.year, file.checksum));
            if same.is_none_or(|other| other.checksum != file.checksum) && self.files.exists(&next) {
                self.files.remove(&next)?;
            }
        }
        let single = old.file.as_ref().filter(|facts| facts.years.is_empty());
        if single.is_some_and(|facts| now.file.as_ref().is_some_and(|now| now.path != facts.path)) {
            self.files.remove(&self.path_of(old))?;
        }
        if !has_years(now) {
            self.leave_folder(old);
        }
        Ok(())
    }
}

fn is_last(open: &Appendable, year: i32) -> bool {
    open.years.last().is_some_and(|last| last.file.year == year)
}

fn year_file(year: &Year, bars: &Bars, size_bytes: u64, modified_us: i64, checksum: u128) -> YearFile {
    let FileFacts { rows, first_us, last_us, .. } = facts_of(bars, unknown());
    YearFile { year: year.year, size_bytes, modified_us, checksum, fingerprint: year.fingerprint, rows, first_us, last_us }
}

/// Does something for each of these places in a few threads. The results are in the same order.
fn side_by_side<T: Send>(places: &[usize], work: &(dyn Fn(usize) -> T + Sync)) -> Vec<(usize, T)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let run = || {
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = work(*place);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((*place, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..WRITERS.min(places.len()) {
            scope.spawn(run);
        }
        run();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done
}
