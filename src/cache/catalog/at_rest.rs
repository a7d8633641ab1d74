//! The catalog while nobody has it open: a sum of the whole file lies beside it, so that every flipped bit is noticed.
//!
//! The sum is written when the last process closes the catalog and removed (durably) before anybody writes to it again. Who opens
//! the catalog first compares; a catalog that differs is not used. Without a sum (a process was killed) the catalog is checked
//! page by page and row by row instead. Who has it open holds a shared lock on a file beside it; locks end with their process.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// How a catalog was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is none yet.
    New,
    /// Bit by bit as the last process left it.
    AsLeft,
    /// Nobody has it open, and whoever had did not come to close it.
    NotClosed,
    /// Others have it open now.
    InUse,
    /// Not as the last process left it.
    Altered,
}

/// Longest wait for another process that opens or closes the catalog at the same time.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How much of it is read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// Holds the shared lock; sums the catalog up when dropped, if nobody else holds one.
#[derive(Debug)]
pub(super) struct Guard {
    catalog: PathBuf,
    lock: Option<File>,
    suspect: Arc<AtomicBool>,
}

fn beside(catalog: &Path, suffix: &str) -> PathBuf {
    let mut name = catalog.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

fn sum_path(catalog: &Path) -> PathBuf {
    beside(catalog, ".sum")
}

impl Guard {
    /// Takes the lock and compares the catalog with its sum. While `suspect` is set, no sum is written at the end.
    pub(super) fn take(catalog: &Path, suspect: Arc<AtomicBool>) -> std::io::Result<(Self, Condition)> {
        let file = File::options().create(true).truncate(false).write(true).read(true).open(beside(catalog, ".lock"))?;
        let mut guard = Self { catalog: catalog.to_path_buf(), lock: None, suspect };
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    let condition = compare(catalog)?;
                    file.unlock()?;
                    file.lock_shared()?;
                    guard.lock = Some(file);
                    return Ok((guard, condition));
                }
                // A file system without locks: the checks at opening have to do.
                Err(TryLockError::Error(error)) => {
                    tracing::debug!(%error, "the catalog's folder knows no locks");
                    return Ok((guard, Condition::InUse));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if file.try_lock_shared().is_ok() {
                guard.lock = Some(file);
                return Ok((guard, Condition::InUse));
            }
            if begun.elapsed() > LONGEST_WAIT {
                return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "another process opens or closes it and does not finish"));
            }
            // Opening and closing take milliseconds.
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn sum_up(&self) -> std::io::Result<()> {
        let Some(lock) = &self.lock else { return Ok(()) };
        let sum = sum_path(&self.catalog);
        if sum.exists() || self.suspect.load(Ordering::Acquire) {
            return Ok(());
        }
        lock.unlock()?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        // With a log left, the file alone is not the catalog.
        if !has_log(&self.catalog) && !sum.exists() {
            let text = match text_of(&self.catalog) {
                Ok(text) => text,
                // Moved aside, or its folder was removed.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            let temporary = beside(&self.catalog, ".sum-new");
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, &sum)?;
        }
        lock.unlock()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.sum_up() {
            tracing::debug!(%error, "the closed catalog has no sum; it is checked row by row when it is opened");
        }
    }
}

/// Which file was opened: another one in its place (somebody removed the catalog, or it was rebuilt) must not be taken for it, and
/// what is written to one that has no name any more is lost.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    catalog: PathBuf,
    numbers: Option<(u64, u64)>,
}

impl Identity {
    /// The file that is in the catalog's place now.
    pub(super) fn of(catalog: &Path) -> std::io::Result<Self> {
        Ok(Self { catalog: catalog.to_path_buf(), numbers: numbers_of(catalog)? })
    }

    /// Whether the file still is in the catalog's place.
    pub(super) fn is_in_place(&self) -> bool {
        numbers_of(&self.catalog).is_ok_and(|now| now == self.numbers)
    }

    /// Says in words if another file, or none, is in its place; before a transaction also makes sure that there is no sum.
    pub(super) fn check(&self, before: bool) -> Result<(), String> {
        if !self.is_in_place() {
            return Err("it was removed or replaced while it was open. Close Samovar and open it again".to_owned());
        }
        if before { forget_sum(&self.catalog).map_err(|error| error.to_string()) } else { Ok(()) }
    }
}

/// What tells files apart, whatever their names; `None` where the system has no such thing (and no open file can be removed).
fn numbers_of(path: &Path) -> std::io::Result<Option<(u64, u64)>> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(Some((metadata.dev(), metadata.ino())))
    }
    #[cfg(not(unix))]
    Ok(metadata.is_file().then_some((0, 0)))
}

/// Removes the sum durably: from now on the file may change.
pub(super) fn forget_sum(catalog: &Path) -> std::io::Result<()> {
    match fs::remove_file(sum_path(catalog)) {
        Ok(()) => {
            #[cfg(unix)]
            if let Some(folder) = catalog.parent() {
                File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()?;
            }
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The catalog's bytes in words; the last word is for the sum's own flipped bits. Read piece by piece: a large catalog would stay in
/// the process's memory.
fn text_of(catalog: &Path) -> std::io::Result<String> {
    let (mut file, mut piece) = (File::open(catalog)?, vec![0; PIECE_BYTES]);
    let (mut hasher, mut size_bytes) = (Xxh3::new(), 0);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(piece.get(..length).unwrap_or_default());
                size_bytes += length;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let sum = format!("samovar-catalog-sum-1 {size_bytes} {:032x}", hasher.digest128());
    Ok(format!("{sum} {:016x}\n", xxh3_64(sum.as_bytes())))
}

fn is_whole(sum: &str) -> bool {
    sum.strip_suffix('\n')
        .and_then(|line| line.rsplit_once(' '))
        .is_some_and(|(sum, own)| own == format!("{:016x}", xxh3_64(sum.as_bytes())))
}

fn has_log(catalog: &Path) -> bool {
    fs::metadata(beside(catalog, "-wal")).is_ok_and(|metadata| metadata.len() > 0)
}

fn compare(catalog: &Path) -> std::io::Result<Condition> {
    match fs::metadata(catalog) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            forget_sum(catalog)?;
            return Ok(Condition::New);
        }
        Err(error) => return Err(error),
    }
    let sum = match fs::read(sum_path(catalog)) {
        Ok(sum) => sum,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Condition::NotClosed),
        Err(error) => return Err(error),
    };
    match String::from_utf8(sum) {
        Ok(sum) if is_whole(&sum) => Ok(if !has_log(catalog) && sum == text_of(catalog)? { Condition::AsLeft } else { Condition::Altered }),
        // It is the sum that is damaged.
        _ => {
            forget_sum(catalog)?;
            Ok(Condition::NotClosed)
        }
    }
}
