//! Adding rows to a cached file where it lies, instead of writing all of it anew.
//!
//! Contract: what the catalog calls the file does not change. New bytes go behind it, are synchronised, and count once the
//! catalog says so; whatever happens before, readers see the file as it was. While rows are added the file is locked, so that
//! two writers never write to the same place. Where that cannot be had, the file is written anew and replaced as ever. Bars that are
//! kept by years are opened here, and staged by [`super::years`].

use super::Cache;
use super::entry::{Dataset, Entry, FileFacts};
use super::error::CacheError;
use super::file_layer::OpenFile;
use super::folders::Folders;
use super::parquet_file::{self, Addition, ColumnFrom, Content, Footer, Outline};
use super::store::{Staged, entry_of, facts_of, unknown};
use super::years::{self, OpenYear, decode_years};
use crate::fault::{is_armed, kill_point};
use crate::feature::FeatureTable;
use crate::market::{Bars, Resolution};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use xxhash_rust::xxh3::Xxh3;

/// A file is written anew when more of it would be dead than this share of it, …
const DEAD_SHARE: f64 = 0.5;
/// … and more than this many bytes: below, writing anew saves nothing worth having.
const DEAD_BYTES_ALLOWED: u64 = 16 * 1024;

/// A cached file opened to be added to: its bytes, checked against their checksum, and its footer.
#[derive(Debug)]
pub struct Appendable {
    pub(super) entry: Entry,
    bytes: bytes::Bytes,
    /// All of them as the checksum takes them in, so that what is added can be hashed without them.
    pub(super) hashed: Hashed,
    pub(super) outline: Outline,
    content: OnceLock<Content>,
    /// The file, locked; `None` when it can be read but not added to.
    pub(super) file: Option<Box<dyn OpenFile>>,
    /// Of an entry that is kept by years, all of them; then bytes, outline and lock are those of the last one.
    pub(super) years: Vec<OpenYear>,
}

/// A checksum that can be gone on with.
pub(super) struct Hashed(pub(super) Xxh3);

impl std::fmt::Debug for Hashed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:032x}", self.0.digest128())
    }
}

impl Appendable {
    /// The catalog's row.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The facts in the file.
    #[must_use]
    pub fn footer(&self) -> &Footer {
        &self.outline.footer
    }

    /// Rows in the file.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self.years.split_last() {
            Some((_, before)) => before.iter().map(|year| usize::try_from(year.file.rows).unwrap_or(0)).sum::<usize>() + self.outline.rows,
            None => self.outline.rows,
        }
    }

    /// Rows that stay where they are: only rows behind them can be replaced without writing the file anew.
    #[must_use]
    pub fn base_rows(&self) -> usize {
        self.rows() - (self.outline.rows - self.outline.base_rows)
    }

    /// The columns; decoded once.
    ///
    /// # Errors
    /// When the file cannot be decoded.
    pub fn content(&self) -> Result<&Content, CacheError> {
        if let Some(content) = self.content.get() {
            return Ok(content);
        }
        let decoded = if self.years.is_empty() {
            parquet_file::decode(&self.bytes).map(|(content, _footer)| content)
        } else {
            let files: Vec<&bytes::Bytes> = self.years.iter().map(|year| &year.bytes).collect();
            decode_years(&files, self.rows() as u64)
        };
        let content = decoded.map_err(|reason| self.parquet_error("read", reason))?;
        Ok(self.content.get_or_init(|| content))
    }

    /// The features of the file from row `from` up to `from_row`, with `tail` behind them.
    fn table_rows(&self, from: usize, from_row: usize, tail: &FeatureTable) -> Result<FeatureTable, CacheError> {
        if from == from_row {
            return Ok(tail.clone());
        }
        if let Some(present) = (from == self.base_rows()).then(|| parquet_file::tail_features(&self.bytes, &self.outline)).flatten()
            && let Some(joined) = parquet_file::joined(&present, 0..from_row - from, tail)
        {
            // What is before the tail is not decoded.
            return Ok(joined);
        }
        let joined = match self.content()? {
            Content::Features { table, .. } => parquet_file::joined(table, from..from_row, tail),
            Content::Bars(_) => None,
        };
        joined.ok_or_else(|| self.parquet_error("written", "the columns to add are not the file's".to_owned()))
    }

    /// The error of a file that does not have the features it should.
    #[must_use]
    pub fn without_features(&self) -> CacheError {
        self.parquet_error("read", "it does not have the features that it should have".to_owned())
    }

    fn parquet_error(&self, action: &'static str, reason: String) -> CacheError {
        let path = self.entry.file.as_ref().map(|facts| facts.path.clone()).unwrap_or_default();
        CacheError::Parquet { action, path, reason }
    }
}

impl Cache {
    /// Opens an entry's file to add to it. It stays locked until what is staged from it is committed or given up.
    ///
    /// # Errors
    /// [`CacheError::NotCached`] without a file, [`CacheError::Changed`] when the entry is not the catalog's any more,
    /// [`CacheError::Damaged`] when the file failed its checksum (it is then in quarantine), others when reading failed.
    pub fn open_for_append(&self, entry: &Entry) -> Result<Appendable, CacheError> {
        if !years::files_of(entry).is_empty() {
            return self.open_years(entry);
        }
        let Some(facts) = &entry.file else { return Err(Self::not_cached(&entry.key)) };
        let path = self.folders.absolute(&entry.key.dataset, &facts.path);
        let opened = match self.files.open(&path) {
            Ok(file) => file.try_lock().then_some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.trouble_with(entry)),
            // It may still be read, and a new one put in its place.
            Err(_not_writable) => None,
        };
        // Asked under the lock: who added to the file before has committed it by now.
        if self.catalog.entry(&entry.key)?.is_none_or(|now| now.file != entry.file) {
            return Err(Self::changed(entry));
        }
        let (file, read) = match opened {
            Some(mut file) => {
                let read = file.read(facts.size_bytes);
                (Some(file), read)
            }
            None => (None, self.files.read(&path, facts.size_bytes)),
        };
        let bytes = read.map_err(|error| CacheError::file("reading", &path, &error))?;
        let mut hashed = Hashed(Xxh3::new());
        hashed.0.update(&bytes);
        if bytes.len() as u64 != facts.size_bytes || hashed.0.digest128() != facts.checksum {
            return Err(self.trouble_with(entry));
        }
        let outline = parquet_file::outline(&bytes).map_err(|reason| CacheError::Parquet { action: "read", path, reason })?;
        Ok(Appendable { entry: entry.clone(), bytes: bytes.into(), hashed, outline, content: OnceLock::new(), file, years: Vec::new() })
    }

    /// The same for an entry that is kept by years, or has some of them left: they are read, the last one is locked.
    fn open_years(&self, entry: &Entry) -> Result<Appendable, CacheError> {
        self.settle_years(entry)?;
        let files = years::files_of(entry);
        let file = match files.last().map(|last| self.files.open(&self.home_of_year(entry, last))) {
            Some(Ok(file)) => file.try_lock().then_some(file),
            _ => None,
        };
        // Asked under the lock: who added to the file before has committed it by now.
        if self.catalog.entry(&entry.key)?.is_none_or(|now| (&now.file, &now.kept_years) != (&entry.file, &entry.kept_years)) {
            return Err(Self::changed(entry));
        }
        let Some(years) = self.read_years(entry, files)? else { return Err(self.trouble_with(entry)) };
        let Some(bytes) = years.last().map(|year| year.bytes.clone()) else { return Err(Self::not_cached(&entry.key)) };
        let path = self.path_of(entry);
        let mut hashed = Hashed(Xxh3::new());
        hashed.0.update(&bytes);
        let outline = parquet_file::outline(&bytes).map_err(|reason| CacheError::Parquet { action: "read", path, reason })?;
        Ok(Appendable { entry: entry.clone(), bytes, hashed, outline, content: OnceLock::new(), file, years })
    }

    /// Why a file cannot be added to, found out (and set right) as a read would.
    fn trouble_with(&self, entry: &Entry) -> CacheError {
        if entry.file.is_none() {
            // What is left of it is not left any more.
            return Self::not_cached(&entry.key);
        }
        match self.read_from_disk(&entry.key) {
            Ok(_newer) => Self::changed(entry),
            Err(error) => error,
        }
    }

    fn changed(entry: &Entry) -> CacheError {
        CacheError::Changed { symbol: entry.key.symbol.to_string(), dataset: entry.key.dataset.to_string() }
    }

    /// Adds rows to a file, or replaces its last ones: `bars` are all bars, old and new; rows from `from_row` on are new or
    /// replaced, those before are as in the file. For features, `tail` has the rows from `from_row` on. Rows are written
    /// behind the file where that is possible and worth it; else the file is written anew. Until [`Cache::commit`] the cache
    /// has the old version.
    ///
    /// # Errors
    /// As [`Cache::stage`]; also when `from_row` or `tail` do not fit the file.
    pub fn stage_append(
        &self,
        open: Appendable,
        bars: &Arc<Bars>,
        from_row: usize,
        tail: Option<&FeatureTable>,
        footer: Footer,
    ) -> Result<Staged, CacheError> {
        let is_bars = open.entry.key.dataset == Dataset::Bars;
        let new_rows = bars.len().checked_sub(from_row).filter(|_| from_row <= open.rows());
        let fits = new_rows.is_some_and(|rows| is_bars || tail.is_some_and(|tail| tail.len() == rows));
        if !fits || footer.key != open.entry.key.as_written() {
            let reason = format!("rows from {from_row} on do not fit a file of {} rows", open.rows());
            return Err(open.parquet_error("written", reason));
        }
        if is_bars && bars.resolution == Resolution::Intraday {
            // Which years stand is found out from their values.
            return self.stage_years(bars, footer, Some(open));
        }
        if is_bars && (!open.years.is_empty() || !same_rows(open.content()?.bars(), bars, from_row)) {
            // Not what was promised; what the source has counts.
            return self.stage(&Content::Bars(Arc::clone(bars)), footer);
        }
        let mut open = open;
        if let Some(file) = open.file.take()
            && let Some((addition, fingerprint)) = self.addition(&open, bars, from_row, tail, &footer)?
        {
            match self.add_to(file, &open, &addition) {
                Ok((file, modified_us)) => return Ok(self.staged_append(&open, bars, footer, &addition, fingerprint, file, modified_us)),
                Err(full @ CacheError::DiskFull { .. }) => return Err(full),
                // What could not be made durable is not tried again in the same file: a new one is written.
                Err(error) => tracing::warn!(%error, "rows could not be added to a cached file; it is written anew"),
            }
        }
        let content = match tail.filter(|_| !is_bars) {
            Some(tail) => {
                let table = open.table_rows(0, from_row, tail)?;
                Content::Features { bars: Arc::clone(bars), table: Arc::new(table) }
            }
            None => Content::Bars(Arc::clone(bars)),
        };
        self.stage(&content, footer)
    }

    /// Writes a file for other features of the same bars: columns of `open` as they are encoded there, and computed ones with as
    /// many rows. Until [`Cache::commit`] the cache has the old version, and afterwards as well, as an older one. `None` where
    /// `open` does not have the columns in the type that `footer` asks for.
    ///
    /// # Errors
    /// As [`Cache::stage`]; also when the computed rows do not fit the file.
    pub fn stage_with(
        &self,
        open: &Appendable,
        features: &[(Arc<str>, ColumnFrom<'_>)],
        computed: &FeatureTable,
        footer: Footer,
    ) -> Result<Option<Staged>, CacheError> {
        let Some(present) = &open.entry.file else { return Err(Self::not_cached(&open.entry.key)) };
        let encoded = parquet_file::encode_with(&open.bytes, &open.outline, features, computed, &footer);
        let Some(encoded) = encoded.map_err(|reason| open.parquet_error("written", reason))? else { return Ok(None) };
        self.stage_encoded(&encoded, footer, present).map(Some)
    }

    /// What to write behind the file, with the fingerprint of the whole; `None` when it is better written anew.
    fn addition(
        &self,
        open: &Appendable,
        bars: &Arc<Bars>,
        from_row: usize,
        tail: Option<&FeatureTable>,
        footer: &Footer,
    ) -> Result<Option<(Addition, u128)>, CacheError> {
        let base_rows = open.base_rows();
        let path = Folders::relative_path(&footer.key, footer.provenance.map(|provenance| provenance.definition));
        if from_row < base_rows || open.entry.file.as_ref().is_none_or(|facts| facts.path != path) {
            return Ok(None);
        }
        let tail_bars = Arc::new(parquet_file::bars_from(bars, base_rows));
        let (content, fingerprint) = match tail.filter(|_| !footer.key.dataset.is_bars()) {
            Some(tail) => {
                let table = Arc::new(open.table_rows(base_rows, from_row, tail)?);
                let content = Content::Features { bars: tail_bars, table };
                let fingerprint = parquet_file::fingerprint_of(&content, footer);
                (content, fingerprint)
            }
            None => (Content::Bars(tail_bars), Content::Bars(Arc::clone(bars)).fingerprint()),
        };
        let encoded = parquet_file::encode_addition((&open.hashed.0, open.bytes.len()), &open.outline, &content, footer, fingerprint);
        let addition = encoded.map_err(|reason| open.parquet_error("written", reason))?;
        Ok(addition.filter(is_worth_it).map(|addition| (addition, fingerprint)))
    }

    /// Writes behind the committed bytes of a locked file and makes it durable. Returns the file and when it was written.
    fn add_to(&self, mut file: Box<dyn OpenFile>, open: &Appendable, addition: &Addition) -> Result<(Box<dyn OpenFile>, i64), CacheError> {
        let path = self.path_of(&open.entry);
        let modified_us = self.add_behind(file.as_mut(), &path, &open.entry, open.bytes.len() as u64, addition)?;
        Ok((file, modified_us))
    }

    /// Writes behind the committed bytes of the locked file at `path` and makes it durable. Returns when it was written.
    pub(super) fn add_behind(
        &self,
        file: &mut dyn OpenFile,
        path: &Path,
        entry: &Entry,
        committed_bytes: u64,
        addition: &Addition,
    ) -> Result<i64, CacheError> {
        let failed = |error: &io::Error| CacheError::writing(path, addition.bytes.len() as u64, error);
        let (named, opened) = (self.files.status(path).map_err(|error| failed(&error))?, file.status().map_err(|error| failed(&error))?);
        if named.identity != opened.identity {
            return Err(Self::changed(entry));
        }
        let written = write_behind(file, opened.size_bytes, committed_bytes, &addition.bytes);
        match written.and_then(|()| file.status()) {
            Ok(status) => Ok(status.modified_us),
            Err(error) => {
                // Readers do not mind what lies behind; other programs, which know no catalog, would.
                if let Err(leftover) = file.truncate(committed_bytes) {
                    tracing::debug!(path = %path.display(), %leftover, "a cut-off addition stays behind a file");
                }
                Err(failed(&error))
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the pieces of one value, put together in one place")]
    fn staged_append(
        &self,
        open: &Appendable,
        bars: &Bars,
        footer: Footer,
        addition: &Addition,
        fingerprint: u128,
        file: Box<dyn OpenFile>,
        modified_us: i64,
    ) -> Staged {
        let path = open.entry.file.as_ref().map(|facts| facts.path.clone()).unwrap_or_default();
        let Addition { size_bytes, checksum, .. } = *addition;
        let facts = facts_of(bars, FileFacts { path, size_bytes, modified_us, checksum, fingerprint, ..unknown() });
        let bytes_written = addition.bytes.len() as u64;
        Staged { entry: entry_of(footer, facts), path: self.path_of(&open.entry), bytes_written, appended: Some(file), waiting: Vec::new() }
    }
}

pub(super) fn is_worth_it(addition: &Addition) -> bool {
    let share = addition.dead_bytes as f64 / addition.size_bytes.max(1) as f64;
    share <= DEAD_SHARE || addition.dead_bytes <= DEAD_BYTES_ALLOWED
}

fn write_behind(file: &mut dyn OpenFile, size_bytes: u64, committed_bytes: u64, bytes: &[u8]) -> io::Result<()> {
    kill_point("append_before_write");
    if size_bytes > committed_bytes {
        // An earlier addition that was never committed.
        file.truncate(committed_bytes)?;
    }
    if is_armed("append_mid_write") {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        file.write_at(committed_bytes, first)?;
        kill_point("append_mid_write");
        file.write_at(committed_bytes + first.len() as u64, second)?;
    } else {
        file.write_at(committed_bytes, bytes)?;
    }
    kill_point("append_before_sync");
    file.sync()?;
    kill_point("append_after_sync");
    Ok(())
}

/// Whether the first `rows` of both are the same, bit for bit but for the kind of NaN.
pub(super) fn same_rows(left: &Bars, right: &Bars, rows: usize) -> bool {
    left.resolution == right.resolution && left.has_same_rows(0..rows, right, 0)
}
