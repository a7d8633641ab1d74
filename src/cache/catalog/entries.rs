//! Rows of entries. Every change reads the whole row, checks its seal, changes it and writes the whole row with a new seal, so
//! that damage never gets a valid seal.

use super::rows::{RowReader, RowWriter};
use super::{Catalog, rows};
use crate::cache::entry::{Dataset, Entry, EntryKey, Failure, Provenance, Synced};
use crate::cache::error::CacheError;
use crate::market::{DateRange, Quality, Symbol};
use crate::source::SourceId;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

/// An entry that was fetched again with unchanged content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Which entry.
    pub key: EntryKey,
    /// When it was fetched.
    pub fetched_at_us: i64,
    /// The days that were asked for.
    pub range: DateRange,
    /// What was noticed in the rows.
    pub quality: Quality,
    /// For bars: what the source said it has; what was known stays when it was not asked.
    pub synced: Option<Synced>,
    /// Time of the first provisional bar.
    pub provisional_from_us: Option<i64>,
}

impl Touched {
    /// Changes an entry's row: it was just found to be as it should be.
    pub(super) fn apply(&self, entry: &mut Entry) {
        entry.fetched_at_us = self.fetched_at_us;
        entry.range = self.range;
        entry.quality = self.quality;
        entry.provisional_from_us = self.provisional_from_us;
        if self.synced.is_some() {
            entry.synced.clone_from(&self.synced);
        }
        (entry.invalidated_at_us, entry.failure) = (None, None);
    }
}

/// Reads and writes single entries within a transaction.
pub(super) struct Editor<'c> {
    select: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    upsert: CachedStatement<'c>,
    delete: CachedStatement<'c>,
    reader: RowReader,
    writer: RowWriter,
    /// Bars that had other files before, with what took their place.
    pub(super) superseded: Vec<(Entry, Entry)>,
}

impl<'c> Editor<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let condition = "FROM entries WHERE source = ?1 AND symbol = ?2 AND dataset = ?3";
        Ok(Self {
            select: connection.prepare_cached(&format!("SELECT {} {condition}", rows::ENTRY_COLUMNS))?,
            insert: connection.prepare_cached(rows::INSERT_ENTRY)?,
            upsert: connection.prepare_cached(rows::UPSERT_ENTRY)?,
            delete: connection.prepare_cached(&format!("DELETE {condition}"))?,
            reader: RowReader::default(),
            writer: RowWriter::default(),
            superseded: Vec::new(),
        })
    }

    /// The entry, if its row is there and whole.
    pub(super) fn get(&mut self, key: &EntryKey) -> rusqlite::Result<Option<Entry>> {
        let names = params![key.source.as_str(), key.symbol.as_str(), key.dataset.name()];
        Ok(self.select.query_row(names, |row| self.reader.sealed_entry(row)).optional()?.flatten())
    }

    /// Writes a row as it is given, but for hits and last use of one that is there.
    pub(super) fn put(&mut self, entry: &Entry) -> rusqlite::Result<()> {
        self.writer.write(&mut self.upsert, entry).map(|_rows| ())
    }

    /// Writes what was fetched or computed; the pin of a row that is there stays. Where another definition computed what was
    /// there, that is returned as the older version it is now: its file lies where it did, and its row is still to be written.
    pub(super) fn put_content(&mut self, entry: &Entry) -> rusqlite::Result<Option<Entry>> {
        // Most of what comes in great numbers is new: one statement then says so and writes it.
        let is_new = self.writer.write(&mut self.insert, entry)? > 0;
        let now = if is_new { None } else { self.get(&entry.key)? };
        match now.as_ref().map(|now| now.pinned) {
            _ if is_new => {}
            Some(pinned) if pinned != entry.pinned => self.put(&Entry { pinned, ..entry.clone() })?,
            _ => self.put(entry)?,
        }
        if let (Dataset::Features(_), Some(Provenance { definition, .. })) = (&entry.key.dataset, entry.provenance)
            && let Some(older) = entry.key.older(definition)
        {
            // What this definition made before has come back to its place.
            self.delete(&older)?;
        }
        if let Some(now) = now.as_ref().filter(|now| leaves_files(now, entry)) {
            self.superseded.push((now.clone(), entry.clone()));
        }
        Ok(now.and_then(|now| older_version(now, entry)))
    }

    pub(super) fn delete(&mut self, key: &EntryKey) -> rusqlite::Result<()> {
        self.delete.execute(params![key.source.as_str(), key.symbol.as_str(), key.dataset.name()])?;
        Ok(())
    }
}

/// What an entry's row becomes when `next` takes its place: a version of its own, if it is one and has another file.
fn older_version(now: Entry, next: &Entry) -> Option<Entry> {
    let (file, made) = (now.file.as_ref()?, now.provenance?);
    if !matches!(now.key.dataset, Dataset::Features(_)) || next.file.as_ref().is_none_or(|next| next.path == file.path) {
        return None;
    }
    let key = now.key.older(made.definition)?;
    Some(Entry { key, invalidated_at_us: None, failure: None, damaged_at_us: None, pinned: false, ..now })
}

/// Whether bars that are kept by years, or are so no longer, leave files behind that `next` does not have.
fn leaves_files(now: &Entry, next: &Entry) -> bool {
    let path_of = |entry: &Entry| entry.file.as_ref().map(|file| file.path.clone());
    let has_years = now.file.as_ref().is_some_and(|file| !file.years.is_empty()) || !now.kept_years.is_empty();
    now.key.dataset.is_bars() && (has_years || (now.file.is_some() && path_of(now) != path_of(next)))
}

impl Catalog {
    /// Changes those of the entries that are there, in one transaction. Returns the keys of those that are not, or that `change`
    /// refused by returning false.
    fn change_entries<C: Send + 'static>(
        &self,
        changes: Vec<(EntryKey, C)>,
        change: impl Fn(&mut Entry, &C) -> bool + Send + 'static,
    ) -> Result<Vec<EntryKey>, CacheError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            let mut refused = Vec::new();
            for (key, with) in changes {
                let mut found = editor.get(&key)?;
                let agreed = found.as_mut().is_some_and(|entry| change(entry, &with));
                match found.filter(|_| agreed) {
                    // Nothing brings an older version back, so without its file there is nothing left of it.
                    Some(entry) if entry.key.dataset.is_older() && entry.file.is_none() => editor.delete(&entry.key)?,
                    Some(entry) => editor.put(&entry)?,
                    None => refused.push(key),
                }
            }
            Ok(refused)
        })
    }

    /// Writes entries (new or replaced) in one transaction. Hits and pins of replaced entries are kept.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of them is.
    pub fn put_entries(&self, entries: &[Entry]) -> Result<(), CacheError> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries = entries.to_vec();
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            for entry in &entries {
                if let Some(older) = editor.put_content(entry)? {
                    editor.put(&older)?;
                }
            }
            Ok(())
        })
    }

    /// Marks entries as fetched again with unchanged content. Returns those that have no file any more (cleared meanwhile).
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn touch_entries(&self, touched: &[Touched]) -> Result<Vec<EntryKey>, CacheError> {
        let touched = touched.iter().map(|one| (one.key.clone(), one.clone())).collect();
        self.change_entries(touched, |entry, touched| {
            touched.apply(entry);
            entry.file.is_some()
        })
    }

    /// Forgets failed attempts: the source answered, and has nothing.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn forget_failures(&self, keys: &[EntryKey]) -> Result<(), CacheError> {
        self.change_entries(with(keys, ()), |entry, ()| entry.failure.take().is_some())?;
        Ok(())
    }

    /// Records failed attempts; what was cached stays and is still served.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn put_failures(&self, failures: &[(EntryKey, Failure)]) -> Result<(), CacheError> {
        let failures = failures.to_vec();
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            for (key, failure) in failures {
                let mut entry = editor.get(&key)?.unwrap_or_else(|| Entry::without_file(key));
                entry.failure = Some(failure);
                editor.put(&entry)?;
            }
            Ok(())
        })
    }

    /// Marks entries as not fresh from now on.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn invalidate(&self, keys: &[EntryKey], now_us: i64) -> Result<(), CacheError> {
        self.change_entries(with(keys, now_us), |entry, now_us| {
            entry.invalidated_at_us = Some(*now_us);
            true
        })?;
        Ok(())
    }

    /// Marks an entry as damaged; its file is no longer served. Nothing happens when the entry has another file by now.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn mark_damaged(&self, entry: &Entry, now_us: i64) -> Result<(), CacheError> {
        self.drop_files(std::slice::from_ref(entry), Some(now_us))
    }

    /// Forgets the files of entries whose files are gone. Entries that have another file by now keep it.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn forget_files(&self, entries: &[Entry]) -> Result<(), CacheError> {
        self.drop_files(entries, None)
    }

    /// Forgets the files of some years of an entry, which is then without a file until they are fetched again; the files of the
    /// other years stay its own. Nothing happens when the entry has other files by now.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn lose_years(&self, entry: &Entry, lost: &[i32], damaged_at_us: Option<i64>) -> Result<(), CacheError> {
        let Some(checksum) = entry.file.as_ref().map(|file| file.checksum) else { return Ok(()) };
        let lost = lost.to_vec();
        self.change_entries(vec![(entry.key.clone(), checksum)], move |entry, checksum| {
            let Some(file) = entry.file.take_if(|file| file.checksum == *checksum) else { return false };
            entry.kept_years = file.years.into_iter().filter(|file| !lost.contains(&file.year)).collect();
            entry.damaged_at_us = damaged_at_us.or(entry.damaged_at_us);
            true
        })?;
        Ok(())
    }

    fn drop_files(&self, entries: &[Entry], damaged_at_us: Option<i64>) -> Result<(), CacheError> {
        let dropped = entries.iter().filter_map(|entry| Some((entry.key.clone(), entry.file.as_ref()?.checksum))).collect();
        self.change_entries(dropped, move |entry, checksum| {
            let same = entry.file.take_if(|file| file.checksum == *checksum).is_some();
            entry.damaged_at_us = damaged_at_us.or(entry.damaged_at_us);
            same
        })?;
        Ok(())
    }

    /// Pins or unpins entries.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn set_pinned(&self, keys: &[EntryKey], pinned: bool) -> Result<(), CacheError> {
        self.change_entries(with(keys, pinned), |entry, pinned| {
            entry.pinned = *pinned;
            true
        })?;
        self.note_user_made();
        Ok(())
    }

    /// Removes entries from the table for good.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn delete_entries(&self, keys: &[EntryKey]) -> Result<(), CacheError> {
        if keys.is_empty() {
            return Ok(());
        }
        let keys = keys.to_vec();
        self.write(move |transaction| {
            let mut editor = Editor::new(transaction)?;
            keys.iter().try_for_each(|key| editor.delete(key))
        })
    }

    /// One entry. A row that fails its seal is none.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entry(&self, key: &EntryKey) -> Result<Option<Entry>, CacheError> {
        let found = self.read(|connection| {
            let sql = format!("SELECT {} FROM entries WHERE source = ?1 AND symbol = ?2 AND dataset = ?3", rows::ENTRY_COLUMNS);
            let mut statement = connection.prepare_cached(&sql)?;
            let names = params![key.source.as_str(), key.symbol.as_str(), key.dataset.name()];
            statement.query_row(names, |row| RowReader::default().sealed_entry(row)).optional()
        })?;
        if matches!(found, Some(None)) {
            self.suspect();
        }
        Ok(found.flatten())
    }

    /// Each of these entries, all as of one moment, in the order of the keys. A row that fails its seal is none.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entries_of(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, CacheError> {
        let found: Vec<Option<Option<Entry>>> = self.read(|connection| {
            // One transaction: beginning one takes about as long as reading a row.
            let transaction = connection.unchecked_transaction()?;
            let sql = format!("SELECT {} FROM entries WHERE source = ?1 AND symbol = ?2 AND dataset = ?3", rows::ENTRY_COLUMNS);
            let mut statement = transaction.prepare_cached(&sql)?;
            let mut reader = RowReader::default();
            let mut read = |key: &EntryKey| {
                let names = params![key.source.as_str(), key.symbol.as_str(), key.dataset.name()];
                statement.query_row(names, |row| reader.sealed_entry(row)).optional()
            };
            keys.iter().map(&mut read).collect()
        })?;
        if found.iter().any(|found| matches!(found, Some(None))) {
            self.suspect();
        }
        Ok(found.into_iter().map(Option::flatten).collect())
    }

    /// Every entry (of one source, if given), by source, symbol and dataset. Rows that fail their seal are left out.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entries(&self, source: Option<&SourceId>) -> Result<Vec<Entry>, CacheError> {
        let condition = if source.is_some() { "source = ?1" } else { "?1 IS NULL" };
        self.sealed_entries(condition, source.map(SourceId::as_str), "source, symbol, dataset")
    }

    /// Every present entry of a feature set, of all sources. Rows that fail their seal are left out.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entries_of_set(&self, set: &str) -> Result<Vec<Entry>, CacheError> {
        self.sealed_entries("dataset = ?1", Some(set), "source, symbol")
    }

    fn sealed_entries(&self, condition: &str, value: Option<&str>, order: &str) -> Result<Vec<Entry>, CacheError> {
        let (found, all_whole) = self.read(|connection| {
            // Room for all of them at once: what a growing list leaves behind stays in the process's memory.
            let mut count = connection.prepare_cached(&format!("SELECT count(*) FROM entries WHERE {condition}"))?;
            let count = count.query_row(params![value], |row| rows::unsigned_at(row, 0))?;
            let (mut found, mut all_whole) = (Vec::with_capacity(usize::try_from(count).unwrap_or(0)), true);
            let columns = rows::ENTRY_COLUMNS;
            let mut statement = connection.prepare_cached(&format!("SELECT {columns} FROM entries WHERE {condition} ORDER BY {order}"))?;
            let (mut reader, mut rows) = (RowReader::default(), statement.query(params![value])?);
            while let Some(row) = rows.next()? {
                match reader.sealed_entry(row)? {
                    Some(entry) => found.push(entry),
                    None => all_whole = false,
                }
            }
            Ok((found, all_whole))
        })?;
        if !all_whole {
            self.suspect();
        }
        Ok(found)
    }

    /// Bytes of all cached bars, and of all cached features.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn bytes(&self) -> Result<(u64, u64), CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT ifnull(sum(size_bytes) FILTER (WHERE dataset = 'bars'), 0), ifnull(sum(size_bytes) FILTER (WHERE dataset <> 'bars'), 0)
                 FROM entries",
            )?;
            statement.query_row([], |row| Ok((rows::unsigned_at(row, 0)?, rows::unsigned_at(row, 1)?)))
        })
    }

    /// The sources from which a symbol was cached.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn sources_of(&self, symbol: &Symbol) -> Result<Vec<SourceId>, CacheError> {
        self.read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT DISTINCT source FROM entries WHERE symbol = ?1 AND path IS NOT NULL ORDER BY source")?;
            let found = statement.query_map(params![symbol.as_str()], |row| row.get::<_, String>(0))?;
            found.map(|name| name.map(|name| SourceId::new(&name))).collect()
        })
    }
}

fn with<C: Copy>(keys: &[EntryKey], value: C) -> Vec<(EntryKey, C)> {
    keys.iter().map(|key| (key.clone(), value)).collect()
}
