//! Writing and reading cached files by the write protocol, and the memory tier in front of them.

use super::Cache;
use super::entry::{Entry, EntryKey, FileFacts};
use super::error::CacheError;
use super::files;
use super::folders::Folders;
use super::parquet_file::{self, Content, Footer};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// A file that lies in its place but is not yet in the catalog.
#[derive(Debug)]
pub struct Staged {
    /// The row it will become.
    pub entry: Entry,
    /// Where it lies.
    path: PathBuf,
    /// A file of the same entry under another name (another definition's), to be removed afterwards.
    replaces: Option<PathBuf>,
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
    /// As the catalog says.
    Sound(Vec<u8>),
    /// Whole, but newer than the catalog: its writer was stopped before it could say so.
    Newer(Box<(Entry, Content)>),
    /// Not there.
    Gone,
    /// Neither the catalog's nor whole.
    Damaged(String),
}

impl Cache {
    /// Encodes content, writes its file durably into place, and says what the catalog has to know. Until [`Cache::commit`] the
    /// cache does not have it. Safe from many threads for different entries.
    ///
    /// # Errors
    /// When it cannot be encoded or written; then the old file is untouched.
    pub fn stage(&self, content: &Content, footer: Footer, previous: Option<&Entry>) -> Result<Staged, CacheError> {
        let definition = footer.provenance.map(|provenance| provenance.definition);
        let relative = Folders::relative_path(&footer.key, definition);
        let path = self.folders.absolute(&footer.key.dataset, &relative);
        let (bytes, fingerprint) = parquet_file::encode(content, &footer).map_err(|reason| CacheError::Parquet {
            action: "written",
            path: path.clone(),
            reason,
        })?;
        let modified_us = files::write_atomically(&path, &bytes)?;
        let replaces = previous
            .and_then(|entry| entry.file.as_ref())
            .filter(|file| file.path != relative)
            .map(|file| self.folders.absolute(&footer.key.dataset, &file.path));
        let facts = facts_of(content, relative, &bytes, modified_us, fingerprint);
        Ok(Staged { entry: entry_of(footer, facts), path, replaces })
    }

    /// Makes staged files part of the cache: folders are synchronised, then all rows go into the catalog in one transaction.
    ///
    /// # Errors
    /// When a folder cannot be synchronised or the catalog cannot be written; then none of them counts.
    pub fn commit(&self, staged: &[Staged]) -> Result<(), CacheError> {
        let folders: BTreeSet<_> = staged.iter().filter_map(|one| one.path.parent()).collect();
        for folder in folders {
            files::sync_folder(folder)?;
        }
        let entries: Vec<Entry> = staged.iter().map(|one| one.entry.clone()).collect();
        self.catalog.put_entries(&entries)?;
        for one in staged {
            self.memory.invalidate(&one.entry.key);
            if !one.path.exists() {
                // Cleared between being written and being committed.
                self.catalog.forget_files(std::slice::from_ref(&one.entry))?;
            }
            if let Some(old) = &one.replaces
                && let Err(error) = fs::remove_file(old)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(path = %old.display(), %error, "a replaced file could not be removed");
            }
        }
        Ok(())
    }

    fn not_cached(key: &EntryKey) -> CacheError {
        CacheError::NotCached { symbol: key.symbol.to_string(), dataset: key.dataset.to_string() }
    }

    /// Reads and checks a file without counting a lookup or keeping it in memory; what computing features needs.
    ///
    /// # Errors
    /// As [`Cache::read`].
    pub fn read_from_disk(&self, key: &EntryKey) -> Result<Arc<Served>, CacheError> {
        // A row that changed between reading it and reading its file is no damage: look again.
        for last_try in [false, true] {
            let entry = self.catalog.entry(key)?.ok_or_else(|| Self::not_cached(key))?;
            if entry.file.is_none() {
                return Err(Self::not_cached(key));
            }
            let trouble = match self.examine(&entry)? {
                Examined::Sound(bytes) => match parquet_file::decode(bytes) {
                    Ok((content, _footer)) => return Ok(Arc::new(Served { content, entry })),
                    Err(reason) => Some(reason),
                },
                Examined::Newer(found) => {
                    let (entry, content) = *found;
                    self.catalog.put_entries(std::slice::from_ref(&entry))?;
                    return Ok(Arc::new(Served { content, entry }));
                }
                Examined::Gone => None,
                Examined::Damaged(reason) => Some(reason),
            };
            let unchanged = self.catalog.entry(key)?.is_some_and(|now| now.file == entry.file);
            if !unchanged && !last_try {
                continue;
            }
            return Err(match trouble {
                Some(reason) => self.quarantine(&entry, &reason)?,
                None => {
                    tracing::warn!(symbol = %key.symbol, "a cached file was removed by somebody else");
                    self.catalog.forget_files(std::slice::from_ref(&entry))?;
                    Self::not_cached(key)
                }
            });
        }
        Err(Self::not_cached(key))
    }

    /// Compares an entry's file with the catalog. Nothing is changed.
    pub(super) fn examine(&self, entry: &Entry) -> Result<Examined, CacheError> {
        let Some(facts) = &entry.file else { return Ok(Examined::Gone) };
        let path = self.folders.absolute(&entry.key.dataset, &facts.path);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Examined::Gone),
            Err(error) => return Err(CacheError::file("reading", path, &error)),
        };
        if xxh3_128(&bytes) == facts.checksum {
            return Ok(Examined::Sound(bytes));
        }
        // Another thread may have replaced the file since the row was read, or a writer may have been stopped between the
        // rename and the commit. Such a file is whole and says whose it is; anything else is damage.
        if let Some(found) = self.adoptable(&entry.key, &facts.path, &bytes) {
            return Ok(Examined::Newer(Box::new(found)));
        }
        let expected = facts.size_bytes;
        Ok(Examined::Damaged(if bytes.len() as u64 == expected {
            "its content does not match its checksum".to_owned()
        } else {
            format!("it has {} bytes instead of {expected}", bytes.len())
        }))
    }

    /// The row for a file that the catalog does not know, if the file is whole and lies where its footer says it should.
    pub(super) fn adoptable(&self, key: &EntryKey, relative: &std::path::Path, bytes: &[u8]) -> Option<(Entry, Content)> {
        let (content, footer, fingerprint) = parquet_file::is_self_consistent(bytes)?;
        let definition = footer.provenance.map(|provenance| provenance.definition);
        if footer.key != *key || Folders::relative_path(&footer.key, definition) != relative {
            return None;
        }
        let path = self.folders.absolute(&key.dataset, relative);
        let modified_us = fs::metadata(path).map(|metadata| files::modified_us(&metadata)).unwrap_or_default();
        let facts = facts_of(&content, relative.to_path_buf(), bytes, modified_us, fingerprint);
        Some((entry_of(footer, facts), content))
    }

    /// Moves a damaged file out of reach and marks its entry; returns the error to report.
    pub(super) fn quarantine(&self, entry: &Entry, reason: &str) -> Result<CacheError, CacheError> {
        let path = entry.file.as_ref().map(|facts| self.folders.absolute(&entry.key.dataset, &facts.path)).unwrap_or_default();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let aside = self.folders.quarantine().join(format!("{}-{}-{name}", self.now_us(), entry.key.dataset.name()));
        files::move_file(&path, &aside)?;
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
        for entry in entries.iter_mut() {
            let Some(facts) = &entry.file else { continue };
            let path = self.folders.absolute(&entry.key.dataset, &facts.path);
            match fs::metadata(&path) {
                Ok(metadata) if metadata.len() == facts.size_bytes => {}
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
            self.catalog.forget_files(&lost)?;
            let keys: Vec<EntryKey> = lost.iter().map(|entry| entry.key.clone()).collect();
            self.forget_in_memory(&keys);
        }
        Ok(lost.len())
    }
}

fn facts_of(content: &Content, path: PathBuf, bytes: &[u8], modified_us: i64, fingerprint: u128) -> FileFacts {
    let bars = content.bars();
    FileFacts {
        path,
        size_bytes: bytes.len() as u64,
        modified_us,
        checksum: xxh3_128(bytes),
        fingerprint,
        rows: bars.len() as u64,
        first_us: bars.first_us().unwrap_or_default(),
        last_us: bars.last_us().unwrap_or_default(),
        resolution: bars.resolution,
    }
}

fn entry_of(footer: Footer, facts: FileFacts) -> Entry {
    Entry {
        key: footer.key,
        file: Some(facts),
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
