//! The write protocol, made of the operations of a [`FileLayer`]. Blocking.
//!
//! Contract: a path holds its old content or all of the new, and a file that could not be made durable is never acknowledged.

use super::error::CacheError;
use super::file_layer::{FileLayer, FileStatus, OpenFile};
use crate::fault::kill_point;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Marks a file that is still being written; the writer's process number follows.
const TEMPORARY_MARK: &str = ".tmp-";

/// Numbers temporary files within this process.
static NEXT_TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// The cache's hands on files and folders.
#[derive(Debug, Clone)]
pub(super) struct Files {
    layer: Arc<dyn FileLayer>,
}

impl Files {
    pub(super) fn new(layer: Arc<dyn FileLayer>) -> Self {
        Self { layer }
    }

    /// Writes bytes so that `path` holds either its old content or all of the new: temporary file → fsync → rename. The folder
    /// is made where needed, and must be synchronised by [`Files::sync_folder`] before the file is acknowledged. Returns the
    /// file's modification time in microseconds.
    pub(super) fn write_atomically(&self, path: &Path, bytes: &[u8]) -> Result<i64, CacheError> {
        self.write_atomically_unless(path, bytes, || false)
    }

    /// The same, but what is there stays when, at the last moment, the right to replace it is gone.
    pub(super) fn write_atomically_unless(&self, path: &Path, bytes: &[u8], is_lost: impl FnOnce() -> bool) -> Result<i64, CacheError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let temporary = temporary_path(path);
        let failed = |error: &io::Error| CacheError::writing(path, bytes.len() as u64, error);
        let mut file = match self.layer.create_file(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folder(folder)?;
                self.layer.create_file(&temporary)
            }
            other => other,
        }
        .map_err(|error| failed(&error))?;
        let written = file.write_at(0, bytes).and_then(|()| {
            kill_point("stage_before_sync");
            file.sync()?;
            file.status()
        });
        drop(file);
        let finished = written.and_then(|status| {
            kill_point("stage_before_rename");
            if is_lost() {
                self.layer.remove(&temporary)?;
                return Ok(status.modified_us);
            }
            self.layer.rename(&temporary, path)?;
            kill_point("stage_after_rename");
            Ok(status.modified_us)
        });
        finished.map_err(|error| {
            // The old file is untouched; the half-written one has no use.
            if let Err(leftover) = self.layer.remove(&temporary) {
                tracing::debug!(path = %temporary.display(), %leftover, "a temporary file stays until the next start");
            }
            failed(&error)
        })
    }

    /// Makes the names in a folder durable.
    pub(super) fn sync_folder(&self, folder: &Path) -> Result<(), CacheError> {
        self.layer.sync_folder(folder).map_err(|error| CacheError::synchronising(folder, &error))
    }

    /// Makes a folder and its parents, durably: a file in a folder whose own name was lost would be lost with it.
    pub(super) fn make_folder(&self, folder: &Path) -> Result<(), CacheError> {
        let mut missing = Vec::new();
        let mut at = folder;
        while !at.as_os_str().is_empty() && self.layer.status(at).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            missing.push(at);
            let Some(parent) = at.parent() else { break };
            at = parent;
        }
        for one in missing.into_iter().rev() {
            match self.layer.create_folder(one) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(CacheError::folder(folder, &error)),
                _ => {}
            }
            let parent = one.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match self.layer.sync_folder(parent) {
                // A folder may be written to but not listed: then its system's own habits must do.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                other => other.map_err(|error| CacheError::synchronising(folder, &error))?,
            }
        }
        match self.layer.status(folder) {
            Ok(status) if !status.is_folder => Err(CacheError::folder(folder, &io::ErrorKind::NotADirectory.into())),
            Ok(_) => Ok(()),
            Err(error) => Err(CacheError::folder(folder, &error)),
        }
    }

    /// Moves a file, across file systems if need be.
    pub(super) fn move_file(&self, from: &Path, to: &Path) -> Result<(), CacheError> {
        if let Some(folder) = to.parent() {
            self.make_folder(folder)?;
        }
        match self.layer.rename(from, to) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let bytes = self.read(from, u64::MAX).map_err(|error| CacheError::file("reading", from, &error))?;
                self.write_atomically(to, &bytes)?;
                if let Some(folder) = to.parent() {
                    // Only once the copy is durable may the original go.
                    self.sync_folder(folder)?;
                }
                self.layer.remove(from).map_err(|error| CacheError::file("removing", from, &error))
            }
            Err(error) => Err(CacheError::file("moving", from, &error)),
        }
    }

    /// Opens a file to read it and add to it.
    pub(super) fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.layer.open_file(path)
    }

    /// The first `at_most` bytes of a file.
    pub(super) fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
        self.layer.read(path, at_most)
    }

    /// The same in place of what `into` holds.
    pub(super) fn read_into(&self, path: &Path, at_most: u64, into: &mut Vec<u8>) -> io::Result<()> {
        self.layer.read_into(path, at_most, into)
    }

    /// What is known of a file or folder.
    pub(super) fn status(&self, path: &Path) -> io::Result<FileStatus> {
        self.layer.status(path)
    }

    /// Whether there is a file or folder of this name.
    pub(super) fn exists(&self, path: &Path) -> bool {
        self.layer.status(path).is_ok()
    }

    /// Removes a file; one that is not there is removed already.
    pub(super) fn remove(&self, path: &Path) -> Result<(), CacheError> {
        match self.layer.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CacheError::file("removing", path, &error)),
            _ => Ok(()),
        }
    }

    /// Removes a folder in which nothing lies any more; another stays.
    pub(super) fn remove_empty_folder(&self, folder: &Path) {
        if let Err(error) = self.layer.remove_folder(folder) {
            tracing::trace!(folder = %folder.display(), %error, "a folder stays");
        }
    }

    /// Whether anything lies in a folder.
    pub(super) fn has_items(&self, folder: &Path) -> bool {
        self.layer.list(folder).is_ok_and(|found| !found.is_empty())
    }

    /// Every file below a folder, sorted; a folder that is not there has none.
    pub(super) fn files_below(&self, folder: &Path) -> Result<Vec<PathBuf>, CacheError> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_path_buf()];
        while let Some(folder) = open.pop() {
            let listing = match self.layer.list(&folder) {
                Ok(listing) => listing,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(CacheError::file("reading", &folder, &error)),
            };
            for (path, is_folder) in listing {
                if is_folder { &mut open } else { &mut found }.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
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

/// Whether a process of this number runs. Where that cannot be asked, a process counts as alive.
pub(super) fn process_is_alive(process_id: u32) -> bool {
    if process_id == std::process::id() {
        return true;
    }
    if cfg!(target_os = "linux") { Path::new("/proc").join(process_id.to_string()).exists() } else { true }
}

#[cfg(test)]
mod tests {
    use super::super::file_layer::SystemFiles;
    use super::*;
    use std::fs;

    fn files() -> Files {
        Files::new(Arc::new(SystemFiles))
    }

    #[test]
    fn a_write_replaces_all_or_nothing_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a/b/x.parquet");
        files().write_atomically(&path, b"old").expect("first");
        files().write_atomically(&path, b"new").expect("second");
        assert_eq!(fs::read(&path).expect("read"), b"new");
        assert_eq!(files().files_below(folder.path()).expect("list"), [path]);
    }

    #[test]
    fn a_failed_write_keeps_the_target_and_names_it() {
        let folder = tempfile::tempdir().expect("folder");
        let blocked = folder.path().join("x.parquet");
        fs::create_dir(&blocked).expect("a folder where the file should go");
        fs::write(blocked.join("inside"), b"kept").expect("inside");
        let error = files().write_atomically(&blocked, b"new").expect_err("cannot replace a folder");
        assert!(error.to_string().contains("x.parquet"), "{error}");
        assert_eq!(files().files_below(folder.path()).expect("list").len(), 1);
    }

    #[test]
    fn temporary_files_name_their_writer() {
        let path = temporary_path(Path::new("/x/A.parquet"));
        assert_eq!(temporary_owner(&path), Some(std::process::id()));
        assert_eq!(temporary_owner(Path::new("/x/A.parquet")), None);
        assert!(process_is_alive(std::process::id()));
    }
}
