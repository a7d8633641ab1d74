//! What can go wrong in the cache, each with the thing it happened to and what to do.

use std::path::PathBuf;

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

/// Advice for the two system errors a user can mend himself.
fn advice(reason: &str) -> &'static str {
    let reason = reason.to_ascii_lowercase();
    if reason.contains("no space left") || reason.contains("disk is full") || reason.contains("disk full") {
        ". The disk is full: clear cached data or free some space, then try again; nothing that was cached is lost"
    } else if reason.contains("permission denied") || reason.contains("read-only") || reason.contains("readonly") {
        ". Give yourself write permission there, or choose another folder with --cache-dir"
    } else {
        ""
    }
}

impl CacheError {
    /// An input or output error on a file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::File { action, path: path.into(), reason: error.to_string() }
    }
}
