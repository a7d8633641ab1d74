//! Reading years: all of an entry, each compared with its checksum and decoded over all cores, or only those of some days.

use super::super::Cache;
use super::super::counters::{Lookup, Tier};
use super::super::entry::{Entry, EntryKey, FileFacts, YearFile};
use super::super::error::CacheError;
use super::super::judge::Judge;
use super::super::lookups::{Found, fingerprint_of};
use super::super::parquet_file::{self, Content};
use super::super::store::{Examined, Served};
use super::{OpenYear, name_of, next_name_of};
use crate::market::{Bars, DateRange};
use rayon::prelude::*;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use xxhash_rust::xxh3::xxh3_128;

/// How often a file is looked for that is just taking its place.
const MOST_LOOKS: usize = 3;

/// What became of the file of a year.
pub(super) enum Year {
    /// As the row says: the bytes that count, and whether the file is longer.
    Sound { bytes: Vec<u8>, is_longer: bool },
    /// Not there.
    Gone,
    /// Another than the row says.
    Damaged(String),
}

impl Cache {
    /// Compares the file of a year with its row, under either name.
    pub(super) fn look_at_year(&self, folder: &Path, file: &YearFile) -> Result<Year, CacheError> {
        let (home, next) = (folder.join(name_of(file.year)), folder.join(next_name_of(file.year, file.checksum)));
        let mut found_bytes = None;
        for _look in 0..MOST_LOOKS {
            for path in [&home, &next] {
                let Some(mut bytes) = self.read_if_there(path)? else { continue };
                let length = bytes.len() as u64;
                let committed = usize::try_from(file.size_bytes).ok().and_then(|size| bytes.get(..size));
                if committed.is_some_and(|committed| xxh3_128(committed) == file.checksum) {
                    bytes.truncate(usize::try_from(file.size_bytes).unwrap_or(usize::MAX));
                    return Ok(Year::Sound { bytes, is_longer: length > file.size_bytes });
                }
                found_bytes = Some(length);
            }
        }
        Ok(match found_bytes {
            None => Year::Gone,
            Some(found) if found >= file.size_bytes => Year::Damaged("its content does not match its checksum".to_owned()),
            Some(found) => Year::Damaged(format!("it has {found} bytes instead of {}", file.size_bytes)),
        })
    }

    fn read_if_there(&self, path: &Path) -> Result<Option<Vec<u8>>, CacheError> {
        match self.files.read(path, u64::MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(CacheError::file("reading", path, &error)),
        }
    }

    /// Compares an entry's years with its row, as [`Cache::examine`] does one file. Nothing is changed.
    pub(in super::super) fn examine_years(&self, entry: &Entry, facts: &FileFacts) -> Result<Examined, CacheError> {
        let folder = self.folder_of(&entry.key);
        let looked: Vec<Year> = facts.years.par_iter().map(|file| self.look_at_year(&folder, file)).collect::<Result<_, _>>()?;
        let (mut sound, mut longer, mut trouble) = (Vec::with_capacity(looked.len()), false, None);
        for (year, file) in looked.into_iter().zip(&facts.years) {
            match year {
                Year::Sound { bytes, is_longer } => {
                    longer |= is_longer;
                    sound.push(bytes);
                }
                Year::Gone => {
                    trouble.get_or_insert(None);
                }
                Year::Damaged(reason) => match &mut trouble {
                    Some(Some(_)) => {}
                    other => *other = Some(Some(format!("{}: {reason}", name_of(file.year)))),
                },
            }
        }
        let Some(trouble) = trouble else { return Ok(Examined::Sound { bytes: sound, is_longer: longer }) };
        drop(sound);
        // The row may be older than the files: it was read before a commit, or comes from a copy of the catalog.
        if let Some((found, content)) = self.assemble(&folder, false)?
            && found.key == entry.key
            && found.fetched_at_us >= entry.fetched_at_us
        {
            return Ok(Examined::Newer(Box::new((found, content))));
        }
        Ok(trouble.map_or(Examined::Gone, Examined::Damaged))
    }

    /// The files of these years of an entry, to be added to; `None` when one is not as its row says.
    pub(in super::super) fn read_years(&self, entry: &Entry, files: &[YearFile]) -> Result<Option<Vec<OpenYear>>, CacheError> {
        let folder = self.folder_of(&entry.key);
        let open = |file: &YearFile| match self.look_at_year(&folder, file)? {
            Year::Sound { bytes, .. } => Ok(Some(OpenYear { file: file.clone(), bytes: bytes.into() })),
            Year::Gone | Year::Damaged(_) => Ok(None),
        };
        files.par_iter().map(open).collect()
    }

    /// Looks up bars of some days: as [`Cache::read`], but of an entry that is kept by years only the files of those years are read,
    /// and what comes has the rows of these years only. Where everything is in memory, or in one file, everything comes.
    ///
    /// # Errors
    /// As [`Cache::read`].
    pub fn read_days(&self, key: &EntryKey, days: &DateRange, judge: &Judge) -> Result<Found, CacheError> {
        let started = Instant::now();
        if self.memory.get(key).is_some() {
            return self.read(key, judge);
        }
        let Some(served) = self.some_years(key, days)? else { return self.read(key, judge) };
        let now_us = self.now_us();
        let bars = self.bars_of(key)?;
        let state = judge.state(Some(&served.entry), key, fingerprint_of(bars.as_ref()), now_us);
        let (all_rows, rows) = (served.entry.rows().max(1), served.content.bars().len() as u64);
        self.counters.count(&Lookup {
            key,
            tier: Tier::Disk,
            reason: state.into(),
            size_bytes: served.content.size_bytes() as u64,
            elapsed: started.elapsed(),
            source_cost_us: served.entry.cost_us.saturating_mul(rows) / all_rows,
            now_us,
        });
        Ok(Found { served, tier: Tier::Disk, state })
    }

    /// The years in which some days lie; `None` where all have to be read, or something is not as it should be.
    fn some_years(&self, key: &EntryKey, days: &DateRange) -> Result<Option<Arc<Served>>, CacheError> {
        let Some(entry) = self.catalog.entry(key)? else { return Ok(None) };
        let all = entry.file.as_ref().map(|facts| facts.years.as_slice()).unwrap_or_default();
        let (start_us, end_us) = (days.start_us().unwrap_or(i64::MIN), days.end_us_exclusive().unwrap_or(i64::MAX));
        let mut wanted: Vec<&YearFile> = all.iter().filter(|file| file.first_us < end_us && file.last_us >= start_us).collect();
        if wanted.len() == all.len() {
            return Ok(None);
        }
        // Even of no rows the columns are told.
        wanted.extend(all.last().filter(|_| wanted.is_empty()));
        let folder = self.folder_of(key);
        let looked: Vec<Year> = wanted.par_iter().map(|file| self.look_at_year(&folder, file)).collect::<Result<_, _>>()?;
        let sound = looked.into_iter().map(|year| if let Year::Sound { bytes, .. } = year { Some(bytes) } else { None });
        let Some(bytes) = sound.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let rows = wanted.iter().map(|file| file.rows).sum();
        Ok(decode_years(&bytes, rows).ok().map(|content| Arc::new(Served { content, entry })))
    }
}

/// The bars of several years as one: decoded over all cores, but not more of them at once than there are, so that what is decoded takes
/// hardly more room than all of it.
///
/// # Errors
/// When one is no such file, or has other columns than the others; the text says in what way.
pub(in super::super) fn decode_years(files: &[impl AsRef<[u8]> + Sync], rows: u64) -> Result<Content, String> {
    let mut all: Option<Bars> = None;
    for some in files.chunks(rayon::current_num_threads().max(1)) {
        let decoded: Vec<Content> =
            some.par_iter().map(|bytes| parquet_file::decode(bytes).map(|(content, _footer)| content)).collect::<Result<_, _>>()?;
        for content in decoded {
            let Content::Bars(year) = content else { return Err("it has features where only bars should be".to_owned()) };
            match &mut all {
                Some(all) => add(all, &year)?,
                None => {
                    let mut first = Arc::unwrap_or_clone(year);
                    reserve(&mut first, usize::try_from(rows).unwrap_or(0));
                    all = Some(first);
                }
            }
        }
    }
    all.map(|bars| Content::Bars(Arc::new(bars))).ok_or_else(|| "it has no years".to_owned())
}

fn columns(bars: &mut Bars) -> impl Iterator<Item = &mut Vec<f64>> {
    let Bars { open, high, low, close, volume, amount, turnover, .. } = bars;
    [open, high, low, close, volume].into_iter().chain(amount.as_mut()).chain(turnover.as_mut())
}

fn reserve(bars: &mut Bars, rows: usize) {
    let more = rows.saturating_sub(bars.len());
    bars.time_us.reserve_exact(more);
    columns(bars).for_each(|column| column.reserve_exact(more));
}

/// Puts the bars of a later year behind others.
fn add(all: &mut Bars, year: &Bars) -> Result<(), String> {
    let is_alike = all.resolution == year.resolution
        && all.amount.is_some() == year.amount.is_some()
        && all.turnover.is_some() == year.turnover.is_some()
        && all.last_us() < year.first_us();
    if !is_alike {
        return Err("its years do not belong together".to_owned());
    }
    all.time_us.extend_from_slice(&year.time_us);
    let later = [&year.open, &year.high, &year.low, &year.close, &year.volume].into_iter().chain(&year.amount).chain(&year.turnover);
    columns(all).zip(later).for_each(|(column, later)| column.extend_from_slice(later));
    Ok(())
}
