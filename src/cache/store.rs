//! Writing and reading cached files by the write protocol, and the memory tier in front of them.

use super::Cache;
use super::entry::{Entry, EntryKey, FileFacts};
use super::error::CacheError;
use super::file_layer::OpenFile;
use super::folders::Folders;
use super::parquet_file::{self, Content, Encoded, FileLayout, Footer, SealedFile};
use super::years::{self, Waiting, decode_years};
use crate::fault::kill_point;
use crate::market::{Bars, Resolution};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// A file that lies in its place but is not yet in the catalog.
#[derive(Debug)]
pub struct Staged {
    /// The row it will become.
    pub entry: Entry,
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What was written for it.
    pub(super) bytes_written: u64,
    /// The file that was added to, still locked: nobody else may add to it before this is committed or given up.
    pub(super) appended: Option<Box<dyn OpenFile>>,
    /// Files of years that take their places once they are committed.
    pub(super) waiting: Vec<Waiting>,
}

impl Staged {
    /// Bytes written for it.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// Whether rows were added to the file that was there, instead of writing all of it anew.
    #[must_use]
    pub fn was_appended(&self) -> bool {
        self.appended.is_some()
    }

    /// Whether it is kept in a file per year.
    #[must_use]
    pub fn has_years(&self) -> bool {
        !years::files_of(&self.entry).is_empty()
    }

    /// The folder whose names have to be durable before it may be committed; `None` where none has changed.
    pub(super) fn changed_folder(&self) -> Option<&Path> {
        if self.has_years() { Some(&self.path) } else { self.path.parent().filter(|_| !self.was_appended()) }
    }
}

/// What a lookup found.
#[derive(Debug, Clone)]
pub struct Served {
    /// The columns.
    pub content: Content,
    /// The catalog's row when the file was read.
    pub entry: Entry,
}

/// What became of a cached file that was looked at.
pub(super) enum Examined {
    /// As the catalog says: the bytes that count, of each of its files. Whether the file is longer, as an append leaves it that was not committed.
    Sound { bytes: Vec<Vec<u8>>, is_longer: bool },
    /// Whole, but newer than the catalog: its writer was stopped before it could say so.
    Newer(Box<(Entry, Content)>),
    /// Not there.
    Gone,
    /// Neither the catalog's nor whole.
    Damaged(String),
}

/// Why a whole file is not the one that was cached.
const OLDER: &str = "it is an older version than the one that was cached";
/// How often a file is looked at whose row changes meanwhile.
const MOST_ATTEMPTS: usize = 8;

impl Cache {
    /// Encodes content, writes its file durably into place, and says what the catalog has to know. Until [`Cache::commit`] the
    /// cache does not have it. Safe from many threads for different entries.
    ///
    /// # Errors
    /// When it cannot be encoded or written; then the old file is untouched.
    pub fn stage(&self, content: &Content, footer: Footer) -> Result<Staged, CacheError> {
        if let Content::Bars(bars) = content
            && bars.resolution == Resolution::Intraday
        {
            return self.stage_years(bars, footer, None);
        }
        let known = content.features().and_then(|_| self.recent_bars.find(content.bars()));
        let (encoded, bars) = parquet_file::encode_beside(content, &footer, known.as_deref()).map_err(|reason| {
            let definition = footer.provenance.map(|provenance| provenance.definition);
            CacheError::Parquet { action: "written", path: Folders::relative_path(&footer.key, definition), reason }
        })?;
        if let Some(bars) = bars {
            self.recent_bars.remember(content.bars(), bars);
        }
        self.stage_encoded(&encoded, footer, &facts_of(content.bars(), unknown()))
    }

    /// Writes an encoded file durably into place; `facts` say what is in its rows.
    pub(super) fn stage_encoded(&self, encoded: &Encoded, footer: Footer, facts: &FileFacts) -> Result<Staged, CacheError> {
        let relative = Folders::relative_path(&footer.key, footer.provenance.map(|provenance| provenance.definition));
        let path = self.folders.absolute(&footer.key.dataset, &relative);
        let modified_us = self.files.write_atomically_unless(&path, &encoded.bytes, || self.has_lost(&footer.key))?;
        let (checksum, fingerprint, size_bytes) = (encoded.checksum, encoded.fingerprint, encoded.bytes.len() as u64);
        let facts = FileFacts { path: relative, size_bytes, modified_us, checksum, fingerprint, ..facts.clone() };
        Ok(Staged { entry: entry_of(footer, facts), path, bytes_written: size_bytes, appended: None, waiting: Vec::new() })
    }

    pub(super) fn not_cached(key: &EntryKey) -> CacheError {
        CacheError::NotCached { symbol: key.symbol.to_string(), dataset: key.dataset.to_string() }
    }

    /// Reads and checks a file without counting a lookup or keeping it in memory; what computing features needs.
    ///
    /// # Errors
    /// As [`Cache::read`].
    pub fn read_from_disk(&self, key: &EntryKey) -> Result<Arc<Served>, CacheError> {
        // A row that changed between reading it and reading its file is no damage: look again.
        for attempt in 1..=MOST_ATTEMPTS {
            let last_try = attempt == MOST_ATTEMPTS;
            let entry = self.catalog.entry(key)?.ok_or_else(|| Self::not_cached(key))?;
            if entry.file.is_none() {
                return Err(Self::not_cached(key));
            }
            let known = entry.file.as_ref().map(|file| file.checksum);
            let trouble = match self.examine(&entry)? {
                Examined::Sound { bytes, .. } => match decoded(&bytes, &entry) {
                    Ok(content) => return Ok(Arc::new(Served { content, entry })),
                    Err(reason) => Some(reason),
                },
                Examined::Newer(found) => {
                    let (entry, content) = *found;
                    match self.catalog.adopt(vec![(entry.clone(), known)]) {
                        Ok(0) if !last_try => continue,
                        // Whoever reads it next takes it in.
                        Err(CacheError::DiskFull { .. }) | Ok(_) => {}
                        Err(error) => return Err(error),
                    }
                    return Ok(Arc::new(Served { content, entry }));
                }
                Examined::Gone => None,
                Examined::Damaged(reason) => Some(reason),
            };
            let unchanged = self.catalog.entry(key)?.is_some_and(|now| now.file == entry.file);
            if !unchanged {
                continue;
            }
            return Err(match trouble {
                // The file that was cached is gone; nothing is damaged, and it is fetched again as whatever else is not there.
                Some(reason) if reason == OLDER => {
                    self.put_older_aside(&entry)?;
                    Self::not_cached(key)
                }
                Some(reason) => match self.quarantine(&entry, &reason) {
                    // Never served, wherever it lies.
                    Err(CacheError::DiskFull { .. }) => {
                        CacheError::Damaged { path: self.path_of(&entry), symbol: key.symbol.to_string(), reason }
                    }
                    quarantined => quarantined?,
                },
                None => {
                    tracing::warn!(symbol = %key.symbol, "a cached file was removed by somebody else");
                    match self.forget_lost(std::slice::from_ref(&entry)) {
                        Ok(_) | Err(CacheError::DiskFull { .. }) => {}
                        Err(error) => return Err(error),
                    }
                    Self::not_cached(key)
                }
            });
        }
        // Others write it all the time; what is damaged stays so, and is found when they are done.
        Err(CacheError::Changed { symbol: key.symbol.to_string(), dataset: key.dataset.to_string() })
    }

    /// The facts in an entry's file, if it is there and readable; not checked against anything, and no lookup is counted.
    #[must_use]
    pub fn footer_of(&self, entry: &Entry) -> Option<Footer> {
        let bytes = self.newest_file_of(entry)?;
        parquet_file::outline(&bytes).ok().map(|outline| outline.footer)
    }

    /// The bytes of an entry's file; of one that is kept by years, of its last.
    fn newest_file_of(&self, entry: &Entry) -> Option<Vec<u8>> {
        let facts = entry.file.as_ref()?;
        match facts.years.last() {
            Some(last) => self.files.read(&self.home_of_year(entry, last), last.size_bytes).ok(),
            None => self.files.read(&self.path_of(entry), facts.size_bytes).ok(),
        }
    }

    /// How an entry's file is built, if it is there and readable; not checked against anything, and no lookup is counted.
    #[must_use]
    pub fn layout_of(&self, entry: &Entry) -> Option<FileLayout> {
        let bytes = self.newest_file_of(entry)?;
        parquet_file::outline(&bytes).ok().map(|outline| parquet_file::layout(&outline, &bytes))
    }

    /// Compares an entry's file with the catalog. Nothing is changed.
    pub(super) fn examine(&self, entry: &Entry) -> Result<Examined, CacheError> {
        let Some(facts) = &entry.file else { return Ok(Examined::Gone) };
        if !facts.years.is_empty() {
            return self.examine_years(entry, facts);
        }
        let path = self.folders.absolute(&entry.key.dataset, &facts.path);
        let mut bytes = match self.files.read(&path, u64::MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Examined::Gone),
            Err(error) => return Err(CacheError::file("reading", path, &error)),
        };
        let found_bytes = bytes.len() as u64;
        let committed = usize::try_from(facts.size_bytes).ok().and_then(|size| bytes.get(..size));
        // Taken every time, not remembered while inode, length and date are unchanged: it is a tenth of what decoding the same
        // bytes takes, and bits rot without touching a date.
        if committed.is_some_and(|committed| xxh3_128(committed) == facts.checksum) {
            // What lies behind was written by an append that is not committed (yet).
            bytes.truncate(usize::try_from(facts.size_bytes).unwrap_or(usize::MAX));
            return Ok(Examined::Sound { bytes: vec![bytes], is_longer: found_bytes > facts.size_bytes });
        }
        // Another thread may have replaced the file since the row was read, or a writer may have been stopped between the
        // rename and the commit. Such a file is whole and says whose it is; anything else is damage. A shorter beginning that
        // is whole does not count: it would be older than what was acknowledged.
        if let Some(found) = parquet_file::sealed(&bytes).and_then(|found| self.adoptable(&entry.key, &facts.path, &bytes, found)) {
            if found.0.fetched_at_us >= entry.fetched_at_us {
                return Ok(Examined::Newer(Box::new(found)));
            }
            // Somebody who had lost the right to has written it, or it was put back from a copy.
            return Ok(Examined::Damaged(OLDER.to_owned()));
        }
        let expected = facts.size_bytes;
        Ok(Examined::Damaged(if found_bytes >= expected {
            "its content does not match its checksum".to_owned()
        } else {
            format!("it has {found_bytes} bytes instead of {expected}")
        }))
    }

    /// The row for a file that the catalog does not know, if it lies where its footer says it should. `bytes` are those that
    /// are sealed.
    pub(super) fn adoptable(&self, key: &EntryKey, relative: &Path, bytes: &[u8], found: SealedFile) -> Option<(Entry, Content)> {
        let SealedFile { content, footer, fingerprint } = found;
        let definition = footer.provenance.map(|provenance| provenance.definition);
        if footer.key != key.as_written() || Folders::relative_path(&footer.key, definition) != relative {
            return None;
        }
        let path = self.folders.absolute(&key.dataset, relative);
        let modified_us = self.files.status(&path).map(|status| status.modified_us).unwrap_or_default();
        let (size_bytes, checksum) = (bytes.len() as u64, xxh3_128(bytes));
        let path = relative.to_path_buf();
        let facts = facts_of(content.bars(), FileFacts { path, size_bytes, modified_us, checksum, fingerprint, ..unknown() });
        Some((Entry { key: key.clone(), ..entry_of(footer, facts) }, content))
    }

    /// Moves a file out of reach that somebody wrote who had lost the right to, so that nobody takes it for the entry's. On a full disk
    /// it stays where it is, and so does the entry: the next read finds the same.
    fn put_older_aside(&self, entry: &Entry) -> Result<(), CacheError> {
        let path = self.path_of(entry);
        let aside = self.place_in_quarantine(entry, &path);
        match self.files.move_file(&path, &aside) {
            Ok(()) => {}
            Err(CacheError::DiskFull { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.memory.invalidate(&entry.key);
        tracing::warn!(path = %path.display(), aside = %aside.display(), "a file was replaced by an older one, which was put aside");
        match self.forget_lost(std::slice::from_ref(entry)) {
            Ok(()) | Err(CacheError::DiskFull { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Where an entry's file goes that must not be served.
    fn place_in_quarantine(&self, entry: &Entry, path: &Path) -> PathBuf {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.folders.quarantine().join(format!("{}-{}-{name}", self.now_us(), entry.key.dataset.name()))
    }

    /// Moves a damaged file out of reach and marks its entry; returns the error to report.
    pub(super) fn quarantine(&self, entry: &Entry, reason: &str) -> Result<CacheError, CacheError> {
        if !years::files_of(entry).is_empty() {
            return self.quarantine_years(entry, reason);
        }
        let path = entry.file.as_ref().map(|facts| self.folders.absolute(&entry.key.dataset, &facts.path)).unwrap_or_default();
        let aside = self.place_in_quarantine(entry, &path);
        kill_point("quarantine_before_move");
        self.files.move_file(&path, &aside)?;
        kill_point("quarantine_before_catalog");
        self.catalog.mark_damaged(entry, self.now_us())?;
        self.memory.invalidate(&entry.key);
        tracing::warn!(path = %path.display(), aside = %aside.display(), reason, "a damaged file was quarantined");
        Ok(CacheError::Damaged { path, symbol: entry.key.symbol.to_string(), reason: reason.to_owned() })
    }

    /// Notices files that were removed or cut short by others: looks at names and lengths only. Returns how many entries
    /// lost their file.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub fn notice_lost_files(&self, entries: &mut [Entry]) -> Result<usize, CacheError> {
        let mut lost = Vec::new();
        // Thousands of files: side by side, this is half the time of a preheat that has nothing to do.
        let statuses: Vec<_> = entries.par_iter().map(|entry| self.files.status(&self.path_of(entry))).collect();
        for (entry, status) in entries.iter_mut().zip(statuses) {
            let Some(facts) = &entry.file else { continue };
            if !facts.years.is_empty() {
                if !self.has_lengths_of(entry, facts) {
                    // What is left of it is told by its row.
                    let read = self.read_from_disk(&entry.key).map(|served| served.entry.clone());
                    *entry = match (read, self.catalog.entry(&entry.key)?) {
                        (Ok(read), _) => read,
                        (Err(_damaged_or_gone), Some(now)) if now.file.is_none() => now,
                        (Err(error), _) => {
                            tracing::warn!(%error, "a cached file cannot be read");
                            Entry { file: None, ..entry.clone() }
                        }
                    };
                }
                continue;
            }
            let path = self.folders.absolute(&entry.key.dataset, &facts.path);
            match status {
                Ok(status) if status.size_bytes == facts.size_bytes => {}
                Ok(_other_length) => {
                    // A full examination decides between a newer whole file and damage.
                    match self.read_from_disk(&entry.key) {
                        Ok(served) => *entry = served.entry.clone(),
                        Err(CacheError::Damaged { .. }) => {
                            entry.damaged_at_us = Some(self.now_us());
                            entry.file = None;
                        }
                        Err(CacheError::NotCached { .. }) => entry.file = None,
                        // Fetching it again is the way out of a file that cannot be read.
                        Err(error) => {
                            tracing::warn!(%error, "a cached file cannot be read");
                            entry.file = None;
                        }
                    }
                }
                Err(error) => {
                    if error.kind() == std::io::ErrorKind::NotFound {
                        lost.push(entry.clone());
                    } else {
                        tracing::warn!(path = %path.display(), %error, "a cached file cannot be looked at");
                    }
                    entry.file = None;
                }
            }
        }
        if !lost.is_empty() {
            self.forget_lost(&lost)?;
            let keys: Vec<EntryKey> = lost.iter().map(|entry| entry.key.clone()).collect();
            self.forget_in_memory(&keys);
        }
        Ok(lost.len())
    }
}

/// The content of an entry's file, or of its files.
pub(super) fn decoded(bytes: &[Vec<u8>], entry: &Entry) -> Result<Content, String> {
    match bytes {
        [bytes] if years::files_of(entry).is_empty() => parquet_file::decode(bytes).map(|(content, _footer)| content),
        years => decode_years(years, entry.rows()),
    }
}

/// Facts with what the rows tell filled in.
pub(super) fn facts_of(bars: &Bars, facts: FileFacts) -> FileFacts {
    FileFacts {
        rows: bars.len() as u64,
        first_us: bars.first_us().unwrap_or_default(),
        last_us: bars.last_us().unwrap_or_default(),
        resolution: bars.resolution,
        ..facts
    }
}

/// Facts of which nothing is known.
pub(super) fn unknown() -> FileFacts {
    FileFacts {
        path: PathBuf::new(),
        size_bytes: 0,
        modified_us: 0,
        checksum: 0,
        fingerprint: 0,
        rows: 0,
        first_us: 0,
        last_us: 0,
        resolution: Resolution::default(),
        years: Vec::new(),
    }
}

pub(super) fn entry_of(footer: Footer, facts: FileFacts) -> Entry {
    Entry {
        key: footer.key,
        file: Some(facts),
        kept_years: Vec::new(),
        provenance: footer.provenance,
        range: footer.range,
        fetched_at_us: footer.fetched_at_us,
        invalidated_at_us: None,
        failure: None,
        damaged_at_us: None,
        pinned: false,
        quality: footer.quality,
        synced: footer.synced,
        provisional_from_us: footer.provisional_from_us,
        cost_us: footer.cost_us,
        hits: 0,
        last_used_us: None,
    }
}
