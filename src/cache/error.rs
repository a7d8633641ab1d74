//! What can go wrong in the cache, each with the thing it happened to and what to do.

use std::path::{Path, PathBuf};

/// An error of the cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The cache folder, or one in it, cannot be made or written.
    #[error("the folder {} cannot be written: {reason}. Give yourself write permission there, or choose another folder with --cache-dir", .path.display())]
    FolderNotWritable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is no room to write.
    #[error("the disk with the folder {} is full: {} more {} needed. Free some space there, or choose another folder with --cache-dir, then try again; nothing that was cached is lost", .folder.display(), crate::format::bytes(*.needed_bytes), if *.needed_bytes == 1 { "is" } else { "are" })]
    DiskFull {
        /// The folder that was written to.
        folder: PathBuf,
        /// Bytes that were to be written.
        needed_bytes: u64,
    },
    /// The cache may not take more room, and what may be evicted was.
    #[error("the cache in {} may take {} and what may be evicted is gone: {} more {} needed. Raise the disk budget in the settings, clear or unpin what is not needed, or free space on the disk", .folder.display(), crate::format::bytes(*.budget_bytes), crate::format::bytes(*.needed_bytes), if *.needed_bytes == 1 { "is" } else { "are" })]
    BudgetFull {
        /// The cache folder.
        folder: PathBuf,
        /// Bytes that are missing.
        needed_bytes: u64,
        /// Bytes the cache may take.
        budget_bytes: u64,
    },
    /// An entry's file was replaced or is being added to by somebody else.
    #[error("{dataset} of {symbol} were changed by another process just now; try again")]
    Changed {
        /// The symbol.
        symbol: String,
        /// The dataset.
        dataset: String,
    },
    /// A file could not be read or written.
    #[error("{action} {} failed: {reason}{}", .path.display(), advice(.reason))]
    File {
        /// What was tried: "writing", "reading", "moving", …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The catalog database failed.
    #[error("the cache catalog {} failed: {reason}{}", .path.display(), advice(.reason))]
    Catalog {
        /// The catalog file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Another process writes to the catalog and does not finish.
    #[error("the cache catalog {} is held by another process, which has not finished writing. Wait for it or close it, then try again", .path.display())]
    CatalogBusy {
        /// The catalog file.
        path: PathBuf,
    },
    /// The file in the catalog's place belongs to another program.
    #[error("{} is another program's database, not a cache catalog. Choose another cache folder with --cache-dir, or move that file away", .path.display())]
    CatalogForeign {
        /// The file.
        path: PathBuf,
    },
    /// The catalog was written by a newer Samovar.
    #[error("the cache catalog {} was written by a newer Samovar (format {found}, this one knows {known}). Update Samovar, or choose another cache folder with --cache-dir", .path.display())]
    CatalogTooNew {
        /// The catalog file.
        path: PathBuf,
        /// The format found.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// The catalog file is no healthy database.
    #[error("the cache catalog {} is damaged: {reason}. Close Samovar everywhere and run `samovar verify --repair`: the catalog is rebuilt from the cached files", .path.display())]
    CatalogDamaged {
        /// The catalog file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Encoding or decoding Parquet failed.
    #[error("the Parquet file {} cannot be {action}: {reason}", .path.display())]
    Parquet {
        /// "written" or "read".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the library said.
        reason: String,
    },
    /// A cached file does not match its checksum; it was quarantined.
    #[error("the cached file {} is damaged ({reason}) and was moved to quarantine; preheat {symbol} to fetch it again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The symbol it belonged to.
        symbol: String,
        /// How it showed.
        reason: String,
    },
    /// There is nothing cached for what was asked.
    #[error("{dataset} of {symbol} are not cached; preheat them first")]
    NotCached {
        /// The symbol asked for.
        symbol: String,
        /// The dataset asked for.
        dataset: String,
    },
    /// There is nothing to undo.
    #[error("there is nothing to restore: nothing was cleared in the last 24 hours")]
    NothingToUndo,
}

/// Advice for a system error a user can mend himself.
fn advice(reason: &str) -> &'static str {
    let reason = reason.to_ascii_lowercase();
    if reason.contains("permission denied") || reason.contains("read-only") || reason.contains("readonly") {
        ". Give yourself write permission there, or choose another folder with --cache-dir"
    } else {
        ""
    }
}

/// What a folder or the catalog needs to write a little: what a file system or SQLite allots at a time.
pub(super) const LITTLE_BYTES: u64 = 1 << 20;

fn is_disk_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// Whether SQLite had no room: for its file or log, or for the memory it shares with other processes by way of a file.
pub(super) fn is_no_room(error: &rusqlite::Error) -> bool {
    /// `SQLITE_IOERR_SHMSIZE`
    const NO_ROOM_FOR_SHARED_MEMORY: i32 = 4_874;
    let extended = error.sqlite_error().map(|error| error.extended_code);
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) || extended == Some(NO_ROOM_FOR_SHARED_MEMORY)
}

impl CacheError {
    /// An input or output error on a file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        let path = path.into();
        if is_disk_full(error) {
            return Self::disk_full(&path, LITTLE_BYTES);
        }
        Self::File { action, path, reason: error.to_string() }
    }

    /// An error while so many bytes were to be written to a file.
    pub(crate) fn writing(path: &Path, needed_bytes: u64, error: &std::io::Error) -> Self {
        if is_disk_full(error) { Self::disk_full(path, needed_bytes) } else { Self::file("writing", path, error) }
    }

    /// An error while a folder was made.
    pub(crate) fn folder(folder: &Path, error: &std::io::Error) -> Self {
        if is_disk_full(error) {
            return Self::DiskFull { folder: folder.to_path_buf(), needed_bytes: LITTLE_BYTES };
        }
        Self::FolderNotWritable { path: folder.to_path_buf(), reason: error.to_string() }
    }

    /// An error while the names in a folder were made durable.
    pub(crate) fn synchronising(folder: &Path, error: &std::io::Error) -> Self {
        if is_disk_full(error) { Self::folder(folder, error) } else { Self::file("synchronising", folder, error) }
    }

    /// No room for a file.
    pub(crate) fn disk_full(path: &Path, needed_bytes: u64) -> Self {
        Self::DiskFull { folder: path.parent().unwrap_or(path).to_path_buf(), needed_bytes }
    }

    /// An error of the catalog.
    pub(crate) fn catalog(path: &Path, error: &rusqlite::Error) -> Self {
        if is_no_room(error) {
            return Self::disk_full(path, LITTLE_BYTES);
        }
        Self::Catalog { path: path.to_path_buf(), reason: error.to_string() }
    }
}
