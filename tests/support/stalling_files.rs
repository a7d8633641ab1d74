//! A file layer that stands still while it is told to, as a disk that has to spin up or a network share whose server is gone.
#![allow(dead_code, missing_docs, clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use samovar::cache::{FileLayer, FileStatus, OpenFile, SystemFiles};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

/// Longest that one operation stands still.
const STALL: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    stalled: AtomicUsize,
    /// Threads that touched a file.
    threads: Mutex<Vec<ThreadId>>,
}

impl Gate {
    /// Before every operation, whether it reads or writes.
    fn pass(&self) {
        let thread = std::thread::current().id();
        {
            let mut threads = self.threads.lock().unwrap();
            if !threads.contains(&thread) {
                threads.push(thread);
            }
        }
        let closed = self.closed.lock().unwrap();
        if *closed {
            self.stalled.fetch_add(1, Ordering::SeqCst);
            drop(self.opened.wait_timeout_while(closed, STALL, |closed| *closed).unwrap());
        }
    }
}

/// Real files; every operation waits while the disk stands still, ten seconds at most.
#[derive(Debug, Clone, Default)]
pub struct StallingFiles(Arc<Gate>);

impl StallingFiles {
    /// From now on the disk stands still.
    pub fn stall(&self) {
        *self.0.closed.lock().unwrap() = true;
    }

    /// The disk answers again, also those who wait.
    pub fn go_on(&self) {
        *self.0.closed.lock().unwrap() = false;
        self.0.opened.notify_all();
    }

    /// How many operations have stood still so far.
    pub fn stalled(&self) -> usize {
        self.0.stalled.load(Ordering::SeqCst)
    }

    /// Whether a thread touched a file.
    pub fn was_used_by(&self, thread: ThreadId) -> bool {
        self.0.threads.lock().unwrap().contains(&thread)
    }
}

impl FileLayer for StallingFiles {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.pass();
        SystemFiles.create_folder(folder)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.0.pass();
        let inner = SystemFiles.create_file(path)?;
        Ok(Box::new(StallingFile { gate: Arc::clone(&self.0), inner }))
    }

    fn open_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.0.pass();
        let inner = SystemFiles.open_file(path)?;
        Ok(Box::new(StallingFile { gate: Arc::clone(&self.0), inner }))
    }

    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
        self.0.pass();
        SystemFiles.read(path, at_most)
    }

    fn read_into(&self, path: &Path, at_most: u64, into: &mut Vec<u8>) -> io::Result<()> {
        self.0.pass();
        SystemFiles.read_into(path, at_most, into)
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        self.0.pass();
        SystemFiles.status(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        self.0.pass();
        SystemFiles.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.pass();
        SystemFiles.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.pass();
        SystemFiles.remove(path)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.pass();
        SystemFiles.remove_folder(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.pass();
        SystemFiles.sync_folder(folder)
    }
}

#[derive(Debug)]
struct StallingFile {
    gate: Arc<Gate>,
    inner: Box<dyn OpenFile>,
}

impl OpenFile for StallingFile {
    fn try_lock(&self) -> bool {
        self.gate.pass();
        self.inner.try_lock()
    }

    fn read(&mut self, at_most: u64) -> io::Result<Vec<u8>> {
        self.gate.pass();
        self.inner.read(at_most)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.gate.pass();
        self.inner.write_at(offset, bytes)
    }

    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        self.gate.pass();
        self.inner.truncate(size_bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.gate.pass();
        self.inner.sync()
    }

    fn status(&self) -> io::Result<FileStatus> {
        self.gate.pass();
        self.inner.status()
    }
}
