//! Times the cache's files, written and read, and prints JSON: our side of "Files beside polars and pandas" in `benches/README.md`.
//!
//! `cargo bench --bench files -- CACHE_DIR SCRATCH_DIR [--repetitions N]`. CACHE_DIR is a cache that a preheat has filled; what it holds
//! is written again into new caches below SCRATCH_DIR, one at a time, and stays there for the last time.
//!
//! `cargo bench --bench files -- CACHE_DIR --memory ROWS`: what the process grows by when it keeps so many rows of bars in memory, and
//! then their features; a process of its own, so that nothing else has grown it before.

// It is a program, whose result goes to stdout and which has nobody to hand an error to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, Result, bail};
use samovar::cache::{
    Cache, CacheOptions, Content, DatasetFilter, Entry, FileLayer, FileStatus, Folders, Footer, Judge, OpenFile, SystemFiles,
};
use samovar::market::SystemClock;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str = "usage: cargo bench --bench files -- CACHE_DIR SCRATCH_DIR [--repetitions N]
       cargo bench --bench files -- CACHE_DIR --memory ROWS";

/// The system's files, with the time that creating, writing, synchronising and renaming them takes.
#[derive(Debug, Default)]
struct Timed {
    write: AtomicU64,
    sync: AtomicU64,
    other: AtomicU64,
}

fn timed<T>(counter: &AtomicU64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    counter.fetch_add(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    result
}

#[derive(Debug)]
struct TimedFile {
    file: Box<dyn OpenFile>,
    of: Arc<Timed>,
}

#[derive(Debug, Clone)]
struct TimedFiles(Arc<Timed>);

impl FileLayer for TimedFiles {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        timed(&self.0.other, || SystemFiles.create_folder(folder))
    }
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = timed(&self.0.other, || SystemFiles.create_file(path))?;
        Ok(Box::new(TimedFile { file, of: Arc::clone(&self.0) }))
    }
    fn open_file(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        SystemFiles.open_file(path)
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
        timed(&self.0.other, || SystemFiles.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemFiles.remove(path)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        timed(&self.0.sync, || SystemFiles.sync_folder(folder))
    }
}

impl OpenFile for TimedFile {
    fn try_lock(&self) -> bool {
        self.file.try_lock()
    }
    fn read(&mut self, at_most: u64) -> io::Result<Vec<u8>> {
        self.file.read(at_most)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        timed(&self.of.write, || self.file.write_at(offset, bytes))
    }
    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        self.file.truncate(size_bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        timed(&self.of.sync, || self.file.sync())
    }
    fn status(&self) -> io::Result<FileStatus> {
        self.file.status()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn nanoseconds(counter: &AtomicU64) -> f64 {
    milliseconds(Duration::from_nanos(counter.load(Ordering::Relaxed)))
}

fn open(folder: &Path, files: Arc<dyn FileLayer>) -> Result<Cache> {
    let options = CacheOptions { files, ..CacheOptions::new(Folders::new(folder), 4 << 30, Arc::new(SystemClock)) };
    Ok(Cache::open(options)?.0)
}

/// Reads all of them over all cores, and says how long the best of some tries took.
fn read_all(cache: &Cache, entries: &[Entry], wanted: Option<&[&str]>, repetitions: usize) -> Result<f64> {
    let mut best = Duration::MAX;
    for _ in 0..repetitions {
        let started = Instant::now();
        let found = cache.read_many(entries, wanted);
        best = best.min(started.elapsed());
        found.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(milliseconds(best))
}

/// How long one lookup takes, the middle of all, in microseconds.
fn middle(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e6
}

/// One symbol's bars, and its features: from disk (checked and decoded), from disk as a lookup that is counted and kept in memory, and
/// from memory. Every file has been read once before, so that the system has it in memory.
fn lookups(cache: &Cache, entries: &[Entry]) -> Result<serde_json::Value> {
    let judge = Judge::default();
    let mut found = serde_json::Map::new();
    for (name, filter) in [("bars", DatasetFilter::Bars), ("features", DatasetFilter::Features)] {
        let of_kind = || entries.iter().filter(|entry| filter.matches(&entry.key.dataset));
        let (mut from_disk, mut kept, mut from_memory) = (Vec::new(), Vec::new(), Vec::new());
        for entry in of_kind() {
            drop(cache.read_from_disk(&entry.key)?);
            let started = Instant::now();
            drop(black_box(cache.read_from_disk(&entry.key)?));
            from_disk.push(started.elapsed());
        }
        for times in [&mut kept, &mut from_memory] {
            for entry in of_kind() {
                let started = Instant::now();
                black_box(cache.read(&entry.key, &judge)?);
                times.push(started.elapsed());
            }
        }
        let rows = of_kind().map(Entry::rows).sum::<u64>() / from_disk.len().max(1) as u64;
        let row = serde_json::json!({
            "rows": rows, "disk": middle(from_disk), "disk_counted_and_kept": middle(kept), "memory": middle(from_memory),
        });
        found.insert(name.to_owned(), row);
    }
    Ok(found.into())
}

/// Resident memory of this process, as the system counts it.
fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("only Linux tells a process's memory this way")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no resident memory is told")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

fn memory(cache_dir: &Path, rows: u64) -> Result<()> {
    let cache = open(cache_dir, Arc::new(SystemFiles))?;
    let (judge, entries) = (Judge::default(), cache.catalog().entries(None)?);
    let mut result = serde_json::Map::new();
    for (name, filter) in [("bars", DatasetFilter::Bars), ("features", DatasetFilter::Features)] {
        let mut of_kind = entries.iter().filter(|entry| entry.file.is_some() && filter.matches(&entry.key.dataset));
        // What is needed once whatever is kept: threads, buffers, the catalog's pages.
        let first = of_kind.next().context("nothing of this kind is cached")?;
        drop(cache.read_from_disk(&first.key)?);
        let (before, accounted) = (resident_bytes()?, cache.usage()?.memory_bytes);
        let mut kept = 0;
        for entry in of_kind.by_ref() {
            if kept >= rows {
                break;
            }
            kept += cache.read(&entry.key, &judge)?.served.entry.rows();
        }
        let row = serde_json::json!({
            "rows": kept,
            "resident_mb": (resident_bytes()? - before) as f64 / 1e6,
            "accounted_mb": (cache.usage()?.memory_bytes - accounted) as f64 / 1e6,
        });
        result.insert(name.to_owned(), row);
    }
    println!("{:#}", serde_json::Value::from(result));
    Ok(())
}

fn write_all(folder: &Path, contents: &[(Content, Footer)], at_once: bool) -> Result<serde_json::Value> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let times = Arc::new(Timed::default());
    let cache = open(folder, Arc::new(TimedFiles(Arc::clone(&times))))?;
    let contents = contents.to_vec();
    for counter in [&times.write, &times.sync, &times.other] {
        counter.store(0, Ordering::Relaxed);
    }
    let started = Instant::now();
    let staged = if at_once {
        cache.stage_many(contents).into_iter().collect::<Result<Vec<_>, _>>()?
    } else {
        contents.iter().map(|(content, footer)| cache.stage(content, footer.clone())).collect::<Result<Vec<_>, _>>()?
    };
    let staging = started.elapsed();
    cache.commit(&staged)?;
    let bytes = |is_bars: bool| -> u64 {
        staged.iter().filter(|one| one.entry.key.dataset.is_bars() == is_bars).map(samovar::cache::Staged::bytes_written).sum()
    };
    let files = nanoseconds(&times.write) + nanoseconds(&times.sync) + nanoseconds(&times.other);
    Ok(serde_json::json!({
        "stage_ms": milliseconds(staging),
        "commit_ms": milliseconds(started.elapsed() - staging),
        "write_ms": nanoseconds(&times.write),
        "sync_ms": nanoseconds(&times.sync),
        "create_and_rename_ms": nanoseconds(&times.other),
        // Side by side the files' times overlap, so the rest says nothing.
        "encode_ms": (!at_once).then(|| milliseconds(staging) - files),
        "bytes": { "bars": bytes(true), "features": bytes(false) },
    }))
}

fn run(cache_dir: &Path, scratch: &Path, repetitions: usize) -> Result<()> {
    let cache = open(cache_dir, Arc::new(SystemFiles))?;
    let entries: Vec<Entry> = cache.catalog().entries(None)?.into_iter().filter(|entry| entry.file.is_some()).collect();
    let features: Vec<Entry> = entries.iter().filter(|entry| DatasetFilter::Features.matches(&entry.key.dataset)).cloned().collect();
    let (lookups_us, mut contents) = (lookups(&cache, &entries)?, Vec::new());
    for entry in &entries {
        let served = cache.read_from_disk(&entry.key)?;
        let footer = cache.footer_of(entry).context("a file has no footer")?;
        contents.push((served.content.clone(), footer));
    }
    // The tables of bars that a preheat has in memory are one, in the file of the bars and in that of the features.
    contents.sort_by_key(|(content, footer)| (footer.key.symbol.to_string(), content.features().is_some()));
    let mut last = None;
    for (content, _) in &mut contents {
        match content {
            Content::Bars(bars) => last = Some(Arc::clone(bars)),
            Content::Features { bars, .. } => {
                if let Some(last) = last.as_ref().filter(|last| ***last == **bars) {
                    *bars = Arc::clone(last);
                }
            }
        }
    }
    let rows: u64 = features.iter().map(Entry::rows).sum();
    let decoded: usize = contents.iter().filter(|(content, _)| content.features().is_some()).map(|(content, _)| content.size_bytes()).sum();
    let all_ms = read_all(&cache, &features, None, repetitions)?;
    let four = ["ma20", "rsi14", "macd_dif", "atr14"];
    let four_ms = read_all(&cache, &features, Some(&four), repetitions)?;
    let (mut one_by_one, mut at_once) = (Vec::new(), Vec::new());
    for _ in 0..repetitions {
        one_by_one.push(write_all(&scratch.join("one-by-one"), &contents, false)?);
        at_once.push(write_all(&scratch.join("at-once"), &contents, true)?);
    }
    let result = serde_json::json!({
        "files": entries.len(),
        "feature_rows": rows,
        "decoded_bytes": decoded,
        "read": { "all_features_ms": all_ms, "four_features_ms": four_ms, "gigabytes_per_second": decoded as f64 / all_ms / 1e6 },
        "lookup_us": lookups_us,
        "write": { "one_by_one": one_by_one, "at_once": at_once },
    });
    println!("{result:#}");
    Ok(())
}

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            eprintln!("{USAGE}");
            Ok(())
        }
        [cache, "--memory", rows] => match rows.parse() {
            Ok(rows) => memory(Path::new(cache), rows),
            Err(_) => Err(anyhow::anyhow!("{USAGE}")),
        },
        [cache, scratch] => run(Path::new(cache), Path::new(scratch), 3),
        [cache, scratch, "--repetitions", count] => match count.parse() {
            Ok(count) => run(Path::new(cache), Path::new(scratch), count),
            Err(_) => Err(anyhow::anyhow!("{USAGE}")),
        },
        _ => (|| bail!("{USAGE}"))(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
