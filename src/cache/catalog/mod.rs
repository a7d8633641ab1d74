//! The catalog: a SQLite database that knows every entry. A file is in the cache only once the catalog says so.
//!
//! One writing connection behind a lock, one reading connection beside it (WAL: readers never wait for the writer). Commits
//! are durable (`synchronous=FULL`), because the catalog is the commit point of every file. Blocking; never call it on the
//! window's thread.

mod evictions;
mod lookups;
mod rows;
mod schema;

use super::entry::{Entry, EntryKey, Failure};
use super::error::CacheError;
use crate::market::Symbol;
use crate::source::{SourceId, SymbolInfo};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) use lookups::KEPT_US as LOOKUPS_KEPT_US;
pub use lookups::{KeyLookups, LookupCount};
pub use rows::{JobRecord, Touched, TrashBatch};

/// Jobs kept in the history.
const JOBS_KEPT: i64 = 200;
/// The oldest SQLite without the WAL-reset corruption bug, 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Jobs that this process has begun and not ended, by catalog. A job with this process's number that is not among them was
/// left by a killed process of the same number, as is usual in containers.
static OWN_JOBS: Mutex<BTreeSet<(PathBuf, i64)>> = Mutex::new(BTreeSet::new());

/// The open catalog.
#[derive(Debug)]
pub struct Catalog {
    path: PathBuf,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

/// A panic in another thread leaves the connection itself usable: its transaction was rolled back by its guard.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Catalog {
    /// Opens the catalog at `path`, making it or bringing it to the newest format.
    ///
    /// # Errors
    /// When the file cannot be opened or made, is damaged, or was written by a newer program.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let fail = |error: rusqlite::Error| CacheError::Catalog { path: path.to_path_buf(), reason: error.to_string() };
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(CacheError::Catalog {
                path: path.to_path_buf(),
                reason: format!("SQLite {} has a bug that can corrupt it; 3.51.3 or newer is needed", rusqlite::version()),
            });
        }
        let mut writer = Connection::open(path).map_err(fail)?;
        let prepared = prepare(&mut writer);
        match prepared {
            Ok(found) if found > schema::newest_format() => {
                return Err(CacheError::CatalogTooNew { path: path.to_path_buf(), found, known: schema::newest_format() });
            }
            Ok(_) => {}
            Err(error) if is_damage(&error) => {
                return Err(CacheError::CatalogDamaged { path: path.to_path_buf(), reason: error.to_string() });
            }
            Err(error) => return Err(fail(error)),
        }
        let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(fail)?;
        reader.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
        reader.pragma_update(None, "cache_size", -16_384).map_err(fail)?;
        Ok(Self { path: path.to_path_buf(), writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }

    fn fail(&self, error: &rusqlite::Error) -> CacheError {
        CacheError::Catalog { path: self.path.clone(), reason: error.to_string() }
    }

    /// Runs `work` in one durable transaction.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, CacheError> {
        let mut connection = lock(&self.writer);
        let run = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run(&mut connection).map_err(|error| self.fail(&error))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, CacheError> {
        work(&lock(&self.reader)).map_err(|error| self.fail(&error))
    }

    /// Writes entries (new or replaced) in one transaction. Hits and pins of replaced entries are kept.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of them is.
    pub fn put_entries(&self, entries: &[Entry]) -> Result<(), CacheError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(rows::UPSERT_ENTRY)?;
            for entry in entries {
                rows::upsert(&mut statement, entry)?;
            }
            Ok(())
        })
    }

    /// Marks entries as fetched again with unchanged content. Returns those that have no file any more (cleared meanwhile).
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn touch_entries(&self, touched: &[Touched]) -> Result<Vec<EntryKey>, CacheError> {
        self.write(|transaction| {
            let mut lost = Vec::new();
            let mut statement = transaction.prepare_cached(
                "UPDATE entries SET fetched_at_us = ?4, range_start = ?5, range_end = ?6, quality = ?7,
                        invalidated_at_us = NULL, failed_at_us = NULL, failure = NULL, attempts = 0, next_attempt_us = NULL
                 WHERE source = ?1 AND symbol = ?2 AND dataset = ?3 AND path IS NOT NULL",
            )?;
            for Touched { key, fetched_at_us, range, quality } in touched {
                let (start, end) = (range.start.map(|day| day.to_string()), range.end.map(|day| day.to_string()));
                let quality = rows::quality_text(quality);
                let names = (key.source.as_str(), key.symbol.as_str(), key.dataset.name());
                let changed = statement.execute(params![names.0, names.1, names.2, fetched_at_us, start, end, quality])?;
                if changed == 0 {
                    lost.push(key.clone());
                }
            }
            Ok(lost)
        })
    }

    /// Forgets failed attempts: the source answered, and has nothing.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn forget_failures(&self, keys: &[EntryKey]) -> Result<(), CacheError> {
        let statement = "UPDATE entries SET failed_at_us = NULL, failure = NULL, attempts = 0, next_attempt_us = NULL
                         WHERE source = ?1 AND symbol = ?2 AND dataset = ?3 AND ?4 = 0";
        self.update_each(keys, statement, 0)
    }

    /// Records failed attempts; what was cached stays and is still served.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn put_failures(&self, failures: &[(EntryKey, Failure)]) -> Result<(), CacheError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO entries (source, symbol, dataset, failed_at_us, failure, attempts, next_attempt_us)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (source, symbol, dataset) DO UPDATE SET failed_at_us = excluded.failed_at_us, failure = excluded.failure,
                    attempts = excluded.attempts, next_attempt_us = excluded.next_attempt_us",
            )?;
            for (key, failure) in failures {
                let names = (key.source.as_str(), key.symbol.as_str(), key.dataset.name());
                let (attempts, next) = (failure.attempts, failure.next_attempt_us);
                statement.execute(params![names.0, names.1, names.2, failure.at_us, failure.message, attempts, next])?;
            }
            Ok(())
        })
    }

    /// Marks entries as not fresh from now on.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn invalidate(&self, keys: &[EntryKey], now_us: i64) -> Result<(), CacheError> {
        self.update_each(keys, "UPDATE entries SET invalidated_at_us = ?4 WHERE source = ?1 AND symbol = ?2 AND dataset = ?3", now_us)
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

    fn drop_files(&self, entries: &[Entry], damaged_at_us: Option<i64>) -> Result<(), CacheError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE entries SET path = NULL, size_bytes = 0, checksum = NULL, fingerprint = NULL, rows = 0,
                        damaged_at_us = ifnull(?5, damaged_at_us)
                 WHERE source = ?1 AND symbol = ?2 AND dataset = ?3 AND checksum = ?4",
            )?;
            for entry in entries {
                let Some(file) = &entry.file else { continue };
                let names = (entry.key.source.as_str(), entry.key.symbol.as_str(), entry.key.dataset.name());
                statement.execute(params![names.0, names.1, names.2, rows::blob(file.checksum), damaged_at_us])?;
            }
            Ok(())
        })
    }

    /// Pins or unpins entries.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn set_pinned(&self, keys: &[EntryKey], pinned: bool) -> Result<(), CacheError> {
        let statement = "UPDATE entries SET pinned = ?4 WHERE source = ?1 AND symbol = ?2 AND dataset = ?3";
        self.update_each(keys, statement, i64::from(pinned))
    }

    fn update_each(&self, keys: &[EntryKey], sql: &str, value: i64) -> Result<(), CacheError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(sql)?;
            for key in keys {
                statement.execute(params![key.source.as_str(), key.symbol.as_str(), key.dataset.name(), value])?;
            }
            Ok(())
        })
    }

    /// One entry.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entry(&self, key: &EntryKey) -> Result<Option<Entry>, CacheError> {
        self.read(|connection| {
            let sql = format!("SELECT {} FROM entries WHERE source = ?1 AND symbol = ?2 AND dataset = ?3", rows::ENTRY_COLUMNS);
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row(params![key.source.as_str(), key.symbol.as_str(), key.dataset.name()], rows::entry_from_row).optional()
        })
    }

    /// Every entry (of one source, if given), by source, symbol and dataset.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entries(&self, source: Option<&SourceId>) -> Result<Vec<Entry>, CacheError> {
        self.read(|connection| {
            let sql =
                format!("SELECT {} FROM entries WHERE ?1 IS NULL OR source = ?1 ORDER BY source, symbol, dataset", rows::ENTRY_COLUMNS);
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query_map(params![source.map(SourceId::as_str)], rows::entry_from_row)?;
            found.collect()
        })
    }

    /// Bytes of all cached bars, and of all cached features.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn bytes(&self) -> Result<(u64, u64), CacheError> {
        self.read(|connection| {
            let sum = |condition: &str| -> rusqlite::Result<u64> {
                let sql = format!("SELECT ifnull(sum(size_bytes), 0) FROM entries WHERE dataset {condition} 'bars'");
                connection.prepare_cached(&sql)?.query_row([], |row| row.get::<_, i64>(0)).map(|bytes| u64::try_from(bytes).unwrap_or(0))
            };
            Ok((sum("=")?, sum("<>")?))
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

    /// Replaces the list of a source's symbols.
    ///
    /// # Errors
    /// When the catalog cannot be written; then the old list stays.
    pub fn put_symbols(&self, source: &SourceId, url: &str, symbols: &[SymbolInfo], now_us: i64) -> Result<(), CacheError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM source_symbols WHERE source = ?1", params![source.as_str()])?;
            let mut statement = transaction.prepare_cached("INSERT OR REPLACE INTO source_symbols VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for info in symbols {
                let count = i64::try_from(info.bar_count).unwrap_or(i64::MAX);
                statement.execute(params![source.as_str(), info.symbol.as_str(), info.first_us, info.last_us, count])?;
            }
            transaction.execute("INSERT OR REPLACE INTO sources VALUES (?1, ?2, ?3)", params![source.as_str(), url, now_us])?;
            Ok(())
        })
    }

    /// Where a source is, without a password; `None` if its symbols were never listed.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn source_url(&self, source: &SourceId) -> Result<Option<String>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT url FROM sources WHERE source = ?1")?;
            statement.query_row(params![source.as_str()], |row| row.get(0)).optional()
        })
    }

    /// A source's symbols as last listed, and when; `None` if they never were.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn symbols(&self, source: &SourceId) -> Result<Option<(i64, Vec<SymbolInfo>)>, CacheError> {
        self.read(|connection| {
            let listed: Option<i64> = connection
                .query_row("SELECT listed_at_us FROM sources WHERE source = ?1", params![source.as_str()], |row| row.get(0))
                .optional()?;
            let Some(listed_at_us) = listed else { return Ok(None) };
            let mut statement = connection
                .prepare_cached("SELECT symbol, first_us, last_us, bar_count FROM source_symbols WHERE source = ?1 ORDER BY symbol")?;
            let found = statement.query_map(params![source.as_str()], rows::symbol_from_row)?;
            Ok(Some((listed_at_us, found.collect::<rusqlite::Result<_>>()?)))
        })
    }

    /// Records that a job began; returns its number.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn begin_job(&self, title: &str, now_us: i64) -> Result<i64, CacheError> {
        let id = self.write(|transaction| {
            transaction.execute("DELETE FROM jobs WHERE id <= (SELECT max(id) FROM jobs) - ?1", params![JOBS_KEPT])?;
            transaction.execute(
                "INSERT INTO jobs (title, started_at_us, process_id) VALUES (?1, ?2, ?3)",
                params![title, now_us, i64::from(std::process::id())],
            )?;
            Ok(transaction.last_insert_rowid())
        })?;
        OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).insert((self.path.clone(), id));
        Ok(id)
    }

    /// Whether the process that began a job still works on it.
    #[must_use]
    pub fn is_alive(&self, job: &JobRecord) -> bool {
        if job.finished_at_us.is_some() {
            return false;
        }
        if job.process_id == std::process::id() {
            return OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).contains(&(self.path.clone(), job.id));
        }
        super::files::process_is_alive(job.process_id)
    }

    /// Records how a job ended.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn finish_job(&self, id: i64, report_json: &str, now_us: i64) -> Result<(), CacheError> {
        self.write(|transaction| {
            transaction.execute("UPDATE jobs SET finished_at_us = ?2, report = ?3 WHERE id = ?1", params![id, now_us, report_json])?;
            Ok(())
        })?;
        OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).remove(&(self.path.clone(), id));
        Ok(())
    }

    /// Past and running jobs, newest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn jobs(&self) -> Result<Vec<JobRecord>, CacheError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, title, started_at_us, finished_at_us, process_id, report FROM jobs ORDER BY id DESC")?;
            let found = statement.query_map([], rows::job_from_row)?;
            found.collect()
        })
    }

    /// Moves entries from the table to the trash under one batch number; `files` names each entry's file in the trash folder.
    ///
    /// # Errors
    /// When the catalog cannot be written; then nothing is moved.
    pub fn trash_entries(&self, files: &[(EntryKey, String)], now_us: i64) -> Result<i64, CacheError> {
        self.write(|transaction| {
            // Numbers are never used twice: an undo button of before must not mean another batch.
            let last: i64 = transaction.query_row("SELECT ifnull(max(batch), 0) FROM trash", [], |row| row.get(0))?;
            let batch = now_us.max(last + 1);
            let condition = "WHERE source = ?1 AND symbol = ?2 AND dataset = ?3";
            let columns = rows::ENTRY_COLUMNS;
            let mut insert = transaction.prepare_cached(&format!(
                "INSERT INTO trash ({columns}, batch, trashed_at_us, file_name) SELECT {columns}, ?4, ?5, ?6 FROM entries {condition}"
            ))?;
            let mut delete = transaction.prepare_cached(&format!("DELETE FROM entries {condition}"))?;
            for (key, file_name) in files {
                let (source, symbol, dataset) = (key.source.as_str(), key.symbol.as_str(), key.dataset.name());
                insert.execute(params![source, symbol, dataset, batch, now_us, file_name])?;
                delete.execute(params![source, symbol, dataset])?;
            }
            Ok(batch)
        })
    }

    /// Removes entries from the table for good.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn delete_entries(&self, keys: &[EntryKey]) -> Result<(), CacheError> {
        self.update_each(keys, "DELETE FROM entries WHERE source = ?1 AND symbol = ?2 AND dataset = ?3 AND ?4 = 0", 0)
    }

    /// What lies in the trash, newest batch first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn trash_batches(&self) -> Result<Vec<TrashBatch>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT batch, min(trashed_at_us), count(*), sum(size_bytes) FROM trash GROUP BY batch ORDER BY batch DESC",
            )?;
            let found = statement.query_map([], rows::batch_from_row)?;
            found.collect()
        })
    }

    /// The entries of a batch with the names of their files in the trash folder.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn trash_of_batch(&self, batch: i64) -> Result<Vec<(Entry, String)>, CacheError> {
        self.read(|connection| {
            let sql = format!("SELECT {}, file_name FROM trash WHERE batch = ?1 ORDER BY source, symbol, dataset", rows::ENTRY_COLUMNS);
            let mut statement = connection.prepare_cached(&sql)?;
            let found = statement.query_map(params![batch], |row| Ok((rows::entry_from_row(row)?, row.get("file_name")?)))?;
            found.collect()
        })
    }

    /// Forgets files of a batch of the trash, by their names.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn forget_trash(&self, batch: i64, file_names: &[String]) -> Result<(), CacheError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached("DELETE FROM trash WHERE batch = ?1 AND file_name = ?2")?;
            for file_name in file_names {
                statement.execute(params![batch, file_name])?;
            }
            Ok(())
        })
    }

    /// A number that changes whenever another connection (of this process or another) has committed.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn data_version(&self) -> Result<i64, CacheError> {
        self.read(|connection| connection.pragma_query_value(None, "data_version", |row| row.get(0)))
    }
}

impl Drop for Catalog {
    fn drop(&mut self) {
        // Statistics for the query planner; losing them costs nothing.
        if let Err(error) = lock(&self.writer).execute_batch("PRAGMA optimize") {
            tracing::debug!(%error, "PRAGMA optimize failed");
        }
    }
}

/// Sets a connection up, checks the file and brings it to the newest format; returns the format found if it is too new.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(Duration::from_secs(5))?;
    let found = schema::format_of(connection)?;
    if found > schema::newest_format() {
        return Ok(found);
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    let health: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if health != "ok" {
        return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(health)));
    }
    schema::migrate(connection)?;
    Ok(found)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// Makes the jobs of this process look like those of a killed one.
#[cfg(test)]
pub(super) fn forget_own_jobs_for_tests() {
    OWN_JOBS.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
