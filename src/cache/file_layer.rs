//! The operations on files that the cache consists of, behind a trait, so that tests can make any of them fail, tear a write, or
//! lose what was not synchronised. Not a file system: no permissions, no links, no partial reads. Blocking.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What the system says of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStatus {
    /// Length of the file.
    pub size_bytes: u64,
    /// When it was last written, in microseconds since 1970-01-01; 0 where the system does not say.
    pub modified_us: i64,
    /// Device and inode: the same as long as it is the same file, whatever its name. `None` where the system has no such thing.
    pub identity: Option<(u64, u64)>,
    /// Whether it is a folder.
    pub is_folder: bool,
}

impl From<&fs::Metadata> for FileStatus {
    fn from(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let identity = Some((std::os::unix::fs::MetadataExt::dev(metadata), std::os::unix::fs::MetadataExt::ino(metadata)));
        #[cfg(not(unix))]
        let identity = None;
        let since = metadata.modified().ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        Self {
            size_bytes: metadata.len(),
            modified_us: since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
            identity,
            is_folder: metadata.is_dir(),
        }
    }
}

/// Every way in which the cache touches files and folders (its catalog excepted, which is SQLite's).
pub trait FileLayer: Debug + Send + Sync {
    /// Makes one folder; its parent is there.
    ///
    /// # Errors
    /// What the system says; also when it is there already.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// Makes a file that is not there yet, and opens it.
    ///
    /// # Errors
    /// What the system says.
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Opens a file to read it and add to it.
    ///
    /// # Errors
    /// What the system says.
    fn open_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// The first `at_most` bytes of a file.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>>;

    /// The same in place of what `into` holds, in its memory where that is large enough.
    ///
    /// # Errors
    /// What the system says.
    fn read_into(&self, path: &Path, at_most: u64, into: &mut Vec<u8>) -> io::Result<()> {
        *into = self.read(path, at_most)?;
        Ok(())
    }

    /// What is known of a file or folder.
    ///
    /// # Errors
    /// What the system says; `NotFound` when there is none.
    fn status(&self, path: &Path) -> io::Result<FileStatus>;

    /// What lies in a folder, each with whether it is a folder.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>>;

    /// Gives a file another name, replacing what has that name.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder in which nothing lies. An empty one that stays does no harm, so this may do nothing.
    ///
    /// # Errors
    /// What the system says; also when something lies in it.
    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        let _may_stay = folder;
        Ok(())
    }

    /// Makes names in a folder durable: what was created, renamed or removed there. Does nothing where folders cannot be
    /// synchronised (Windows).
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file opened by a [`FileLayer`]. Closing it ends its lock.
pub trait OpenFile: Debug + Send + Sync {
    /// Locks it against other processes and other openers in this one. `false` when another has the lock, or where locks keep
    /// readers out (Windows) or are not supported.
    fn try_lock(&self) -> bool;

    /// The first `at_most` bytes.
    ///
    /// # Errors
    /// What the system says.
    fn read(&mut self, at_most: u64) -> io::Result<Vec<u8>>;

    /// Writes all bytes from `offset` on.
    ///
    /// # Errors
    /// What the system says; then any part of them may be written.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts it to a length.
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&mut self, size_bytes: u64) -> io::Result<()>;

    /// Makes what was written durable. After an error the file must not be trusted, and synchronising it again proves nothing:
    /// the system may have dropped what it could not write.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&mut self) -> io::Result<()>;

    /// What is known of it.
    ///
    /// # Errors
    /// What the system says.
    fn status(&self) -> io::Result<FileStatus>;
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl FileLayer for SystemFiles {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        File::options().read(true).write(true).create_new(true).open(path).map(boxed)
    }

    fn open_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        File::options().read(true).write(true).open(path).map(boxed)
    }

    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
        read_from(&mut File::open(path)?, at_most)
    }

    fn read_into(&self, path: &Path, at_most: u64, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        add_from(&mut File::open(path)?, at_most, into)
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        fs::metadata(path).map(|metadata| FileStatus::from(&metadata))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        fs::read_dir(folder)?.map(|item| item.and_then(|item| Ok((item.path(), item.file_type()?.is_dir())))).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        fs::remove_dir(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        #[cfg(not(unix))]
        let _no_such_operation = folder;
        Ok(())
    }
}

fn boxed(file: File) -> Box<dyn OpenFile> {
    Box::new(file)
}

fn read_from(file: &mut File, at_most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    add_from(file, at_most, &mut bytes)?;
    Ok(bytes)
}

fn add_from(file: &mut File, at_most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let expected = file.metadata()?.len().min(at_most);
    bytes.reserve_exact(usize::try_from(expected).unwrap_or(0));
    file.take(at_most).read_to_end(bytes)?;
    Ok(())
}

impl OpenFile for File {
    fn try_lock(&self) -> bool {
        cfg!(unix) && Self::try_lock(self).is_ok()
    }

    fn read(&mut self, at_most: u64) -> io::Result<Vec<u8>> {
        self.seek(SeekFrom::Start(0))?;
        read_from(self, at_most)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)
    }

    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        self.set_len(size_bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn status(&self) -> io::Result<FileStatus> {
        self.metadata().map(|metadata| FileStatus::from(&metadata))
    }
}
