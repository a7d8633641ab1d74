//! File layers that go wrong on purpose: one fails a chosen operation, one knows what a power loss would leave of the disk.
#![allow(dead_code, missing_docs, clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use samovar::cache::{FileLayer, FileStatus, OpenFile, SystemFiles};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No space left on device.
    Full,
    /// Input/output error.
    Broken,
    /// Permission denied.
    Denied,
    /// A write stops half-way with an input/output error; other operations fail whole.
    Torn,
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::Full, Self::Broken, Self::Denied, Self::Torn];

    fn error(self) -> io::Error {
        io::Error::from(match self {
            Self::Full => io::ErrorKind::StorageFull,
            Self::Broken | Self::Torn => return io::Error::other("input/output error"),
            Self::Denied => io::ErrorKind::PermissionDenied,
        })
    }
}

/// Which operation fails, and what was seen.
#[derive(Debug, Default)]
struct Plan {
    passed: AtomicUsize,
    fails: Mutex<Option<(usize, Fault)>>,
    hit: AtomicBool,
    synced_again_after_failure: AtomicBool,
}

impl Plan {
    /// The fault of the operation that is about to be done.
    fn next(&self) -> Option<Fault> {
        let number = self.passed.fetch_add(1, Ordering::SeqCst);
        let fault = self.fails.lock().unwrap().filter(|(wanted, _)| *wanted == number).map(|(_, fault)| fault);
        self.hit.fetch_or(fault.is_some(), Ordering::SeqCst);
        fault
    }

    fn check(&self) -> io::Result<()> {
        self.next().map_or(Ok(()), |fault| Err(fault.error()))
    }
}

/// Real files, of which one changing operation fails.
#[derive(Debug, Default)]
pub struct FailingFiles(Arc<Plan>);

impl FailingFiles {
    /// From now on, the operation after `count` more fails; once.
    pub fn fail_after(&self, count: usize, fault: Fault) {
        self.0.passed.store(0, Ordering::SeqCst);
        self.0.hit.store(false, Ordering::SeqCst);
        *self.0.fails.lock().unwrap() = Some((count, fault));
    }

    /// Once the operation has failed, nothing fails any more. Returns whether it has, since last asked.
    pub fn heal_if_hit(&self) -> bool {
        let hit = self.0.hit.swap(false, Ordering::SeqCst);
        if hit {
            *self.0.fails.lock().unwrap() = None;
        }
        hit
    }

    /// Whether a file was synchronised again after that had failed once.
    pub fn synced_again_after_failure(&self) -> bool {
        self.0.synced_again_after_failure.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct FailingFile {
    plan: Arc<Plan>,
    inner: Box<dyn OpenFile>,
    sync_failed: bool,
}

impl FileLayer for FailingFiles {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.check()?;
        SystemFiles.create_folder(folder)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.0.check()?;
        let inner = SystemFiles.create_file(path)?;
        Ok(Box::new(FailingFile { plan: Arc::clone(&self.0), inner, sync_failed: false }))
    }

    fn open_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let inner = SystemFiles.open_file(path)?;
        Ok(Box::new(FailingFile { plan: Arc::clone(&self.0), inner, sync_failed: false }))
    }

    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
        SystemFiles.read(path, at_most)
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        SystemFiles.status(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        SystemFiles.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.check()?;
        SystemFiles.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.check()?;
        SystemFiles.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.check()?;
        SystemFiles.sync_folder(folder)
    }
}

impl OpenFile for FailingFile {
    fn try_lock(&self) -> bool {
        self.inner.try_lock()
    }

    fn read(&mut self, at_most: u64) -> io::Result<Vec<u8>> {
        self.inner.read(at_most)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self.plan.next() {
            Some(fault @ (Fault::Torn | Fault::Full)) => {
                self.inner.write_at(offset, &bytes[..bytes.len() / 2])?;
                Err(fault.error())
            }
            Some(fault) => Err(fault.error()),
            None => self.inner.write_at(offset, bytes),
        }
    }

    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        self.plan.check()?;
        self.inner.truncate(size_bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.plan.synced_again_after_failure.fetch_or(self.sync_failed, Ordering::SeqCst);
        let checked = self.plan.check();
        self.sync_failed |= checked.is_err();
        checked?;
        self.inner.sync()
    }

    fn status(&self) -> io::Result<FileStatus> {
        self.inner.status()
    }
}

/// One changing operation; paths are below the root, files are numbered.
#[derive(Debug, Clone)]
enum Operation {
    CreateFolder(PathBuf),
    CreateFile(PathBuf, usize),
    Write(usize, usize, Vec<u8>),
    Truncate(usize, usize),
    Sync(usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncFolder(PathBuf),
}

#[derive(Debug, Default)]
struct Journal {
    operations: Vec<Operation>,
    names: BTreeMap<PathBuf, usize>,
    files: usize,
}

/// Real files below a root, with a journal of what was done to them. What a power loss before any operation may leave can be
/// laid out in another folder.
#[derive(Debug, Clone)]
pub struct CrashFiles {
    root: PathBuf,
    journal: Arc<Mutex<Journal>>,
    before_each: Arc<dyn BeforeEach>,
    /// Held during an operation: threads write side by side, and each operation has its own number.
    one_at_a_time: Arc<Mutex<()>>,
}

/// Told before each operation, with the number of operations before it.
pub trait BeforeEach: std::fmt::Debug + Send + Sync {
    fn tell(&self, done: usize);
}

#[derive(Debug)]
struct CrashFile {
    layer: CrashFiles,
    number: usize,
    inner: Box<dyn OpenFile>,
}

impl CrashFiles {
    pub fn below(root: &Path, before_each: Arc<dyn BeforeEach>) -> Self {
        Self { root: root.to_path_buf(), journal: Arc::default(), before_each, one_at_a_time: Arc::default() }
    }

    pub fn operations(&self) -> usize {
        self.journal.lock().unwrap().operations.len()
    }

    fn short(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).expect("below the root").to_path_buf()
    }

    /// Does an operation and notes it if it went well.
    fn note<T>(&self, operation: Operation, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _alone = self.one_at_a_time.lock().unwrap();
        self.before_each.tell(self.operations());
        let value = work()?;
        self.journal.lock().unwrap().operations.push(operation);
        Ok(value)
    }

    /// Lays out below `target` what the first `done` operations and a power loss leave: what was synchronised, and of the rest
    /// what `seed` keeps.
    pub fn lay_out(&self, done: usize, seed: u64, target: &Path) {
        let journal = self.journal.lock().unwrap();
        let operations = &journal.operations[..done];
        let mut chance = Chance(seed ^ 0x9e37_79b9_7f4a_7c15);
        let mut contents: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate() {
            let (Operation::Write(file, ..) | Operation::Truncate(file, _)) = operation else { continue };
            let durable = operations[at..].iter().any(|later| matches!(later, Operation::Sync(synced) if synced == file));
            apply(contents.entry(*file).or_default(), operation, if durable { Kept::All } else { chance.kept() });
        }
        let mut names: BTreeMap<PathBuf, usize> = BTreeMap::new();
        let mut folders: BTreeSet<PathBuf> = BTreeSet::from([PathBuf::new()]);
        for (at, operation) in operations.iter().enumerate() {
            let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_path_buf();
            let parents = match operation {
                Operation::CreateFolder(path) | Operation::CreateFile(path, _) | Operation::Remove(path) => vec![parent(path)],
                Operation::Rename(from, to) => vec![parent(from), parent(to)],
                _ => continue,
            };
            let durable = operations[at..].iter().any(|later| matches!(later, Operation::SyncFolder(synced) if parents.contains(synced)));
            if !durable && chance.next().is_multiple_of(2) {
                continue;
            }
            match operation {
                Operation::CreateFolder(path) if folders.contains(&parent(path)) => drop(folders.insert(path.clone())),
                Operation::CreateFile(path, file) if folders.contains(&parent(path)) => drop(names.insert(path.clone(), *file)),
                Operation::Remove(path) => drop(names.remove(path)),
                Operation::Rename(from, to) if folders.contains(&parent(to)) => {
                    if let Some(file) = names.remove(from) {
                        names.insert(to.clone(), file);
                    }
                }
                _ => {}
            }
        }
        for folder in folders {
            std::fs::create_dir_all(target.join(folder)).expect("folder");
        }
        for (name, file) in names {
            std::fs::write(target.join(name), contents.get(&file).map(Vec::as_slice).unwrap_or_default()).expect("file");
        }
    }
}

/// What is left of a write that was not synchronised.
#[derive(Debug, Clone, Copy)]
enum Kept {
    All,
    Nothing,
    /// The first part only.
    Part(u64),
    /// The length, but not the bytes.
    Zeros,
}

fn apply(content: &mut Vec<u8>, operation: &Operation, kept: Kept) {
    match operation {
        Operation::Write(_, offset, bytes) => {
            let bytes = match kept {
                Kept::All => bytes.clone(),
                Kept::Nothing => return,
                Kept::Part(some) => bytes[..usize::try_from(some).unwrap() % (bytes.len() + 1)].to_vec(),
                Kept::Zeros => vec![0; bytes.len()],
            };
            if content.len() < offset + bytes.len() {
                content.resize(offset + bytes.len(), 0);
            }
            content[*offset..offset + bytes.len()].copy_from_slice(&bytes);
        }
        Operation::Truncate(_, length) if !matches!(kept, Kept::Nothing) => content.truncate(*length),
        _ => {}
    }
}

/// A small generator, the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn kept(&mut self) -> Kept {
        match self.next() % 4 {
            0 => Kept::All,
            1 => Kept::Nothing,
            2 => Kept::Part(self.next() >> 8),
            _ => Kept::Zeros,
        }
    }
}

impl FileLayer for CrashFiles {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.note(Operation::CreateFolder(self.short(folder)), || SystemFiles.create_folder(folder))
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let number = {
            let mut journal = self.journal.lock().unwrap();
            journal.files += 1;
            journal.files
        };
        let inner = self.note(Operation::CreateFile(self.short(path), number), || SystemFiles.create_file(path))?;
        self.journal.lock().unwrap().names.insert(self.short(path), number);
        Ok(Box::new(CrashFile { layer: self.clone(), number, inner }))
    }

    fn open_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let inner = SystemFiles.open_file(path)?;
        let number = *self.journal.lock().unwrap().names.get(&self.short(path)).expect("a file made through this layer");
        Ok(Box::new(CrashFile { layer: self.clone(), number, inner }))
    }

    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
        SystemFiles.read(path, at_most)
    }

    fn status(&self, path: &Path) -> io::Result<FileStatus> {
        SystemFiles.status(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        SystemFiles.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (short_from, short_to) = (self.short(from), self.short(to));
        self.note(Operation::Rename(short_from.clone(), short_to.clone()), || SystemFiles.rename(from, to))?;
        let mut journal = self.journal.lock().unwrap();
        if let Some(number) = journal.names.remove(&short_from) {
            journal.names.insert(short_to, number);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note(Operation::Remove(self.short(path)), || SystemFiles.remove(path))?;
        self.journal.lock().unwrap().names.remove(&self.short(path));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let Ok(short) = folder.strip_prefix(&self.root) else { return SystemFiles.sync_folder(folder) };
        self.note(Operation::SyncFolder(short.to_path_buf()), || SystemFiles.sync_folder(folder))
    }
}

impl OpenFile for CrashFile {
    fn try_lock(&self) -> bool {
        self.inner.try_lock()
    }

    fn read(&mut self, at_most: u64) -> io::Result<Vec<u8>> {
        self.inner.read(at_most)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let operation = Operation::Write(self.number, usize::try_from(offset).unwrap(), bytes.to_vec());
        self.layer.note(operation, || self.inner.write_at(offset, bytes))
    }

    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        let operation = Operation::Truncate(self.number, usize::try_from(size_bytes).unwrap());
        self.layer.note(operation, || self.inner.truncate(size_bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.layer.note(Operation::Sync(self.number), || self.inner.sync())
    }

    fn status(&self) -> io::Result<FileStatus> {
        self.inner.status()
    }
}
