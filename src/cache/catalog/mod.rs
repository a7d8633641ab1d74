//! The catalog: a SQLite database that knows every entry. A file is in the cache only once the catalog says so.
//!
//! One writing connection in a thread of its own (`queue`), a pool of reading ones beside it (WAL: readers never wait for the
//! writer). Commits are durable (`synchronous=FULL`), because the catalog is the commit point of every file. What is read of
//! entries and trash was compared with its row's seal. Blocking; never call it on the window's thread. One idea is one file here.

mod adopt;
mod at_rest;
mod batch;
mod changes;
mod check;
mod entries;
mod evictions;
mod examined;
mod jobs;
mod leases;
mod lookups;
mod queries;
mod queue;
mod readers;
mod reserve;
mod rows;
mod schema;
mod scrubs;
mod symbols;
#[cfg(test)]
mod tests;
mod trash;
mod versions;

use super::error::{CacheError, LITTLE_BYTES};
use at_rest::{Condition, Guard, Identity};
use queue::{Queue, WriteFailure};
use readers::Readers;
use reserve::Reserve;
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

pub(super) use batch::{BatchRows, Written};
pub use changes::QualityFinding;
pub use check::CatalogCheck;
pub use entries::Touched;
pub use examined::ExaminedBars;
pub use jobs::JobRecord;
#[cfg(test)]
pub(super) use jobs::forget_own_jobs_for_tests;
pub(super) use lookups::KEPT_US as LOOKUPS_KEPT_US;
pub use lookups::{KeyLookups, LookupCount};
pub(super) use scrubs::OpenPass;
pub use trash::TrashBatch;

/// The oldest SQLite without the WAL-reset corruption bug, 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;
/// How long another process may hold the writing lock before a write is given up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait before opening a catalog again that was in use.
const OPEN_AGAIN: Duration = Duration::from_millis(20);

/// The open catalog.
#[derive(Debug)]
pub struct Catalog {
    path: PathBuf,
    file: Identity,
    closed_well: bool,
    suspect: Arc<AtomicBool>,
    /// Whether anything was written since the last copy; and whether that was something only a user can make again.
    written: AtomicBool,
    user_made: AtomicBool,
    // In the order in which they have to be closed.
    readers: Readers,
    queue: Queue,
    _guard: Guard,
}

impl Catalog {
    /// Opens the catalog at `path`, making it or bringing it to the newest format.
    ///
    /// # Errors
    /// When the file cannot be opened or made, is damaged, belongs to another program, or was written by a newer one.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        Self::open_with(path, BUSY_TIMEOUT)
    }

    /// Tries until it is not in use in a way that SQLite does not wait for by itself, such as another process just making it.
    fn open_with(path: &Path, busy_timeout: Duration) -> Result<Self, CacheError> {
        let began = Instant::now();
        loop {
            match Self::open_once(path, busy_timeout) {
                Err(CacheError::CatalogBusy { .. }) if began.elapsed() < busy_timeout => std::thread::sleep(OPEN_AGAIN),
                other => return other,
            }
        }
    }

    fn open_once(path: &Path, busy_timeout: Duration) -> Result<Self, CacheError> {
        let fail = |error: rusqlite::Error| failure_of(path, &error);
        let fail_file = |error: std::io::Error| CacheError::Catalog { path: path.to_path_buf(), reason: error.to_string() };
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(CacheError::Catalog {
                path: path.to_path_buf(),
                reason: format!("SQLite {} has a bug that can corrupt it; 3.51.3 or newer is needed", rusqlite::version()),
            });
        }
        let suspect = Arc::new(AtomicBool::new(true));
        let (guard, condition) = Guard::take(path, Arc::clone(&suspect)).map_err(fail_file)?;
        if condition == Condition::Altered {
            let reason = "it is not as it was left: bits were flipped on the disk, or another program wrote into it".to_owned();
            return Err(CacheError::CatalogDamaged { path: path.to_path_buf(), reason });
        }
        let mut reserve = Reserve::beside(path);
        reserve.lend();
        let mut writer = Connection::open(path).map_err(fail)?;
        writer.busy_timeout(busy_timeout).map_err(fail)?;
        match schema::owner_of(&writer).map_err(fail)? {
            schema::Owner::Ours => {}
            schema::Owner::Foreign => return Err(CacheError::CatalogForeign { path: path.to_path_buf() }),
            schema::Owner::TooNew(found) => {
                return Err(CacheError::CatalogTooNew { path: path.to_path_buf(), found, known: schema::newest_format() });
            }
        }
        let is_new = condition == Condition::New;
        if is_new {
            // Made durable once, when it is whole, instead of at every step of making it.
            writer.pragma_update(None, "synchronous", "OFF").map_err(fail)?;
        }
        set_up(&writer).map_err(fail)?;
        check::at_opening(&writer, condition).map_err(fail)?;
        schema::migrate(&mut writer, path)?;
        if is_new {
            make_durable(&writer, path)?;
        }
        writer.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        let readers = Readers::open(path).map_err(fail)?;
        let file = Identity::of(path).map_err(fail_file)?;
        let opened = file.clone();
        let check = move |before: bool| {
            if before {
                reserve.lend();
            } else {
                reserve.restore();
            }
            opened.check(before)
        };
        let queue = Queue::start(writer, check, close).map_err(fail_file)?;
        suspect.store(false, Ordering::Release);
        let closed_well = matches!(condition, Condition::New | Condition::AsLeft | Condition::InUse);
        let (written, user_made) = (AtomicBool::new(condition == Condition::NotClosed), AtomicBool::new(false));
        Ok(Self { path: path.to_path_buf(), file, closed_well, suspect, written, user_made, readers, queue, _guard: guard })
    }

    /// Whether the catalog was closed in good order before it was opened now; if not, a process was killed and files may be
    /// newer than their rows.
    #[must_use]
    pub fn was_closed_well(&self) -> bool {
        self.closed_well
    }

    /// Runs `work` once, in a transaction that it may share with others, and returns when that is durable. What `work` did is
    /// taken back when it fails. It must not call the catalog itself.
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, CacheError> {
        self.written.store(true, Ordering::Release);
        self.queue.write(work).map_err(|failure| {
            let path = self.path.clone();
            match failure {
                WriteFailure::Busy => CacheError::CatalogBusy { path },
                WriteFailure::Full => CacheError::disk_full(&path, LITTLE_BYTES),
                WriteFailure::Broken(reason) => CacheError::Catalog { path, reason: reason.to_owned() },
                WriteFailure::Database { reason, damage: false } => CacheError::Catalog { path, reason },
                WriteFailure::Database { reason, damage: true } => {
                    self.suspect();
                    CacheError::CatalogDamaged { path, reason }
                }
            }
        })
    }

    /// Runs `work` on a connection of the pool. Several statements see the same state only within a transaction of their own.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, CacheError> {
        self.readers.read(work).map_err(|error| {
            if is_damage(&error) {
                self.suspect();
            }
            failure_of(&self.path, &error)
        })
    }

    /// Whether another file, or none, is in the catalog's place by now: somebody removed it, or another process found it damaged
    /// and put a new one there. Nothing can be written any more; what is read is what was there before. Open the cache again.
    #[must_use]
    pub fn was_replaced(&self) -> bool {
        !self.file.is_in_place()
    }

    /// Whether damage was seen since the catalog was opened.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Acquire)
    }

    /// What this process wrote since the last [`Catalog::copy_to`]: anything, and anything that cannot be fetched again.
    pub(super) fn uncopied(&self) -> (bool, bool) {
        (self.written.load(Ordering::Acquire), self.user_made.load(Ordering::Acquire))
    }

    /// Remembers that a user made something that must not be lost.
    pub(super) fn note_user_made(&self) {
        self.user_made.store(true, Ordering::Release);
    }

    /// Writes the whole catalog, as it is now, to a file that is not there yet. Readers and writers go on meanwhile. The file is not
    /// synchronised.
    pub(super) fn copy_to(&self, target: &Path) -> Result<(), CacheError> {
        self.written.store(false, Ordering::Release);
        self.user_made.store(false, Ordering::Release);
        let target = target.to_string_lossy().into_owned();
        let copied = self.read(|connection| connection.execute("VACUUM INTO ?1", [target]));
        if copied.is_err() {
            self.written.store(true, Ordering::Release);
        }
        copied.map(|_| ())
    }

    /// Remembers that damage was seen: the catalog is then checked thoroughly when it is opened the next time.
    fn suspect(&self) {
        if !self.suspect.swap(true, Ordering::AcqRel) {
            tracing::error!(path = %self.path.display(), "the catalog has damaged places; they are not used");
            if let Err(error) = at_rest::forget_sum(&self.path) {
                tracing::warn!(%error, "the catalog's sum cannot be removed");
            }
        }
    }

    /// When any process last wrote to the catalog, by the file system's clock; `None` where that cannot be told. Asks no database:
    /// who finds it unchanged need not ask either.
    #[must_use]
    pub fn last_written(&self) -> Option<SystemTime> {
        let file = std::fs::metadata(&self.path).and_then(|file| file.modified()).ok()?;
        let mut log = self.path.as_os_str().to_os_string();
        log.push("-wal");
        let log = std::fs::metadata(log).and_then(|log| log.modified()).ok();
        Some(log.map_or(file, |log| log.max(file)))
    }

    /// A number that changes whenever another connection (of this process or another) has committed.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn data_version(&self) -> Result<i64, CacheError> {
        self.readers.data_version().map_err(|error| failure_of(&self.path, &error))
    }
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    // A memory-mapped file turns a failing disk into a killed process.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// Brings what a new catalog has in its log into its file, and the file to the disk.
fn make_durable(connection: &Connection, path: &Path) -> Result<(), CacheError> {
    let fail = |error: std::io::Error| CacheError::file("writing", path, &error);
    let checkpoint = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    checkpoint.map_err(|error| failure_of(path, &error))?;
    File::options().write(true).open(path).and_then(|file| file.sync_all()).map_err(fail)?;
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail),
        _ => Ok(()),
    }
}

/// Ends the writing connection; the last one of all brings the log back into the file.
fn close(connection: Connection, has_written: bool) {
    // Statistics for the query planner; losing them costs nothing.
    if has_written && let Err(error) = connection.execute_batch("PRAGMA optimize") {
        tracing::debug!(%error, "PRAGMA optimize failed");
    }
    if let Err((_connection, error)) = connection.close() {
        tracing::debug!(%error, "the catalog was not closed in good order");
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    // Values that nobody writes there, such as texts that are none.
    let is_nonsense = matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..));
    is_nonsense || matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

/// An error of SQLite as one of the cache.
fn failure_of(path: &Path, error: &rusqlite::Error) -> CacheError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => CacheError::CatalogBusy { path: path.to_path_buf() },
        _ if is_damage(error) => CacheError::CatalogDamaged { path: path.to_path_buf(), reason: error.to_string() },
        _ => CacheError::catalog(path, error),
    }
}
