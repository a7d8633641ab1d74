//! The few operations on files that the write protocol consists of. Blocking.

use super::error::CacheError;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Marks a file that is still being written; the writer's process number follows.
const TEMPORARY_MARK: &str = ".tmp-";

/// Numbers temporary files within this process.
static NEXT_TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// Writes bytes so that `path` holds either its old content or all of the new: temporary file → fsync → rename. The folder
/// is made where needed, and must be synchronised by [`sync_folder`] before the file is acknowledged. Returns the file's
/// modification time in microseconds.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<i64, CacheError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = temporary_path(path);
    let open = || File::options().write(true).create_new(true).open(&temporary);
    let file = match open() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            make_folder(folder)?;
            open()
        }
        other => other,
    };
    let mut file = file.map_err(|error| CacheError::file("writing", &temporary, &error))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_data()).and_then(|()| file.metadata());
    drop(file);
    let finished = written.and_then(|metadata| fs::rename(&temporary, path).map(|()| modified_us(&metadata)));
    finished.map_err(|error| {
        // The old file is untouched; the half-written one has no use.
        if let Err(leftover) = fs::remove_file(&temporary) {
            tracing::debug!(path = %temporary.display(), %leftover, "a temporary file stays until the next start");
        }
        CacheError::file("writing", path, &error)
    })
}

fn temporary_path(path: &Path) -> PathBuf {
    let number = NEXT_TEMPORARY.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().map(std::ffi::OsStr::to_os_string).unwrap_or_default();
    name.push(format!("{TEMPORARY_MARK}{}-{number}", std::process::id()));
    path.with_file_name(name)
}

/// The process that was writing this temporary file; `None` for other files.
pub(super) fn temporary_owner(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    let (_, owner) = name.rsplit_once(TEMPORARY_MARK)?;
    owner.split('-').next()?.parse().ok()
}

/// Makes the renames in a folder durable. A no-op where folders cannot be synchronised (Windows).
pub(super) fn sync_folder(folder: &Path) -> Result<(), CacheError> {
    #[cfg(unix)]
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(|error| CacheError::file("synchronising", folder, &error))?;
    #[cfg(not(unix))]
    let _no_such_operation = folder;
    Ok(())
}

/// Makes a folder and its parents.
pub(super) fn make_folder(folder: &Path) -> Result<(), CacheError> {
    fs::create_dir_all(folder).map_err(|error| CacheError::FolderNotWritable { path: folder.to_path_buf(), reason: error.to_string() })
}

/// Moves a file, across file systems if need be.
pub(super) fn move_file(from: &Path, to: &Path) -> Result<(), CacheError> {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    match fs::rename(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            let bytes = fs::read(from).map_err(|error| CacheError::file("reading", from, &error))?;
            write_atomically(to, &bytes)?;
            fs::remove_file(from).map_err(|error| CacheError::file("removing", from, &error))
        }
        Err(error) => Err(CacheError::file("moving", from, &error)),
    }
}

/// When a file was last modified, in microseconds since 1970-01-01; 0 where the system does not say.
pub(super) fn modified_us(metadata: &fs::Metadata) -> i64 {
    metadata
        .modified()
        .unwrap_or(SystemTime::UNIX_EPOCH)
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Whether a process of this number runs. Where that cannot be asked, a process counts as alive.
pub(super) fn process_is_alive(process_id: u32) -> bool {
    if process_id == std::process::id() {
        return true;
    }
    if cfg!(target_os = "linux") { Path::new("/proc").join(process_id.to_string()).exists() } else { true }
}

/// Every file below a folder, sorted; a folder that is not there has none.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, CacheError> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let listing = match fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(CacheError::file("reading", &folder, &error)),
        };
        for item in listing {
            let item = item.map_err(|error| CacheError::file("reading", &folder, &error))?;
            let kind = item.file_type().map_err(|error| CacheError::file("reading", item.path(), &error))?;
            if kind.is_dir() {
                open.push(item.path());
            } else {
                found.push(item.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_all_or_nothing_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a/b/x.parquet");
        write_atomically(&path, b"old").expect("first");
        write_atomically(&path, b"new").expect("second");
        assert_eq!(fs::read(&path).expect("read"), b"new");
        assert_eq!(files_below(folder.path()).expect("list"), [path]);
    }

    #[test]
    fn a_failed_write_keeps_the_target_and_names_it() {
        let folder = tempfile::tempdir().expect("folder");
        let blocked = folder.path().join("x.parquet");
        fs::create_dir(&blocked).expect("a folder where the file should go");
        fs::write(blocked.join("inside"), b"kept").expect("inside");
        let error = write_atomically(&blocked, b"new").expect_err("cannot replace a folder");
        assert!(error.to_string().contains("x.parquet"), "{error}");
        assert_eq!(files_below(folder.path()).expect("list").len(), 1);
    }

    #[test]
    fn temporary_files_name_their_writer() {
        let path = temporary_path(Path::new("/x/A.parquet"));
        assert_eq!(temporary_owner(&path), Some(std::process::id()));
        assert_eq!(temporary_owner(Path::new("/x/A.parquet")), None);
        assert!(process_is_alive(std::process::id()));
    }
}
