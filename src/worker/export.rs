//! Tables and bars as files of the user's: the list as it is shown, and the bars and features of symbols, one file each.
//!
//! Not the cache's own files: nothing here is known to the catalog. Contract: a file is written beside its place and renamed, so that
//! there is the whole new file or what was there before; an export that is stopped leaves the files that are finished; one symbol that
//! fails is one failure, not all of them.

use super::event::JobEvent;
use super::service::{NO_SOURCE, Service};
use super::table::Table;
use crate::cache::{Cache, Entry, batch_of};
use crate::market::Symbol;
use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Symbols that are read at a time.
const CHUNK: usize = 16;

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::EnumIter)]
pub enum ExportFormat {
    /// Comma-separated values.
    #[default]
    Csv,
    /// Tab-separated values.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

impl ExportFormat {
    /// How files of it end, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Parquet => "parquet",
        }
    }

    /// The format's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Parquet => "Parquet",
        }
    }
}

/// Bars and features of symbols, to be written into a folder.
#[derive(Debug, Clone)]
pub struct ExportOrder {
    /// Whose.
    pub symbols: Vec<Symbol>,
    /// Features of the sets that are kept warm, too: a file of its own per set, with the bars beside.
    pub features: bool,
    /// As what.
    pub format: ExportFormat,
    /// Where to.
    pub folder: PathBuf,
}

/// What an export came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// Files that were written.
    pub files: usize,
    /// Their bytes.
    pub size_bytes: u64,
    /// The file, or the folder of several.
    pub path: PathBuf,
    /// Symbols that failed, and why.
    pub failures: Vec<(Symbol, String)>,
    /// Symbols of which nothing is cached.
    pub not_cached: Vec<Symbol>,
    /// Whether the user stopped it.
    pub stopped: bool,
}

/// The export that runs, to stop it by.
#[derive(Debug, Default)]
pub(super) struct Exports {
    stop: AtomicBool,
}

/// Tells the export that runs to stop after what is under way.
pub(super) fn stop(service: &Service) {
    service.exports.stop.store(true, Ordering::Relaxed);
}

/// Writes the list.
pub(super) fn table(service: &Service, table: &Table, path: &Path, format: ExportFormat) {
    let written = encode_table(table, format).and_then(|bytes| write_whole(path, &bytes, true));
    let event = match written {
        Ok(size_bytes) => JobEvent::Exported(Exported { files: 1, size_bytes, path: path.to_path_buf(), ..Exported::default() }),
        Err(reason) => JobEvent::ActionFailed(format!("{} cannot be written: {reason}", path.display())),
    };
    service.reporter.send_blocking(event);
}

fn encode_table(table: &Table, format: ExportFormat) -> Result<Vec<u8>, String> {
    match format {
        ExportFormat::Tsv => Ok(table.to_tsv().into_bytes()),
        ExportFormat::Csv | ExportFormat::Parquet => encode(&table.to_batch().map_err(|error| error.to_string())?, format),
    }
}

fn encode(batch: &RecordBatch, format: ExportFormat) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    match format {
        ExportFormat::Csv | ExportFormat::Tsv => {
            let delimiter = if format == ExportFormat::Tsv { b'\t' } else { b',' };
            let builder = WriterBuilder::new().with_header(true).with_delimiter(delimiter);
            let builder = builder.with_timestamp_format("%Y-%m-%d %H:%M:%S%.f".to_owned());
            builder.build(&mut bytes).write(batch).map_err(|error| error.to_string())?;
        }
        ExportFormat::Parquet => {
            let level = ZstdLevel::try_new(3).map_err(|error| error.to_string())?;
            let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).map_err(|error| error.to_string())?;
            writer.write(batch).map_err(|error| error.to_string())?;
            writer.close().map_err(|error| error.to_string())?;
        }
    }
    Ok(bytes)
}

/// Puts bytes in the place of a file: all of them or nothing. Of thousands of files, the disk's answer to each is not waited for: the
/// cache has what they are made of.
fn write_whole(path: &Path, bytes: &[u8], is_durable: bool) -> Result<u64, String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?;
        file.write_all(bytes)?;
        if is_durable {
            file.as_file().sync_all()?;
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| error.to_string())?;
    Ok(bytes.len() as u64)
}

/// Writes bars and features of symbols, one file per symbol and dataset.
pub(super) fn symbols(service: &Service, order: &ExportOrder) {
    service.exports.stop.store(false, Ordering::Relaxed);
    match write_symbols(service, order) {
        Ok(exported) => service.reporter.send_blocking(JobEvent::Exported(exported)),
        Err(reason) => {
            service
                .reporter
                .send_blocking(JobEvent::ExportFailed(format!("Nothing could be exported to {}: {reason}", order.folder.display())));
        }
    }
}

fn write_symbols(service: &Service, order: &ExportOrder) -> Result<Exported, String> {
    let cache = service.cache()?;
    let source = service.configuration().source_id().ok_or_else(|| NO_SOURCE.to_owned())?;
    std::fs::create_dir_all(&order.folder).map_err(|error| error.to_string())?;
    let mut entries: std::collections::BTreeMap<Symbol, Vec<Entry>> = std::collections::BTreeMap::new();
    let wanted: std::collections::HashSet<&Symbol> = order.symbols.iter().collect();
    for entry in cache.catalog().entries(Some(&source)).map_err(|error| error.to_string())? {
        let dataset = &entry.key.dataset;
        if entry.file.is_some() && !dataset.is_older() && (order.features || dataset.is_bars()) && wanted.contains(&entry.key.symbol) {
            entries.entry(entry.key.symbol.clone()).or_default().push(entry);
        }
    }
    let mut exported = Exported { path: order.folder.clone(), ..Exported::default() };
    let total = order.symbols.len();
    for (number, chunk) in order.symbols.chunks(CHUNK).enumerate() {
        if service.exports.stop.load(Ordering::Relaxed) {
            exported.stopped = true;
            break;
        }
        service.reporter.send_blocking(JobEvent::ExportProgress { done: number * CHUNK, total });
        for symbol in chunk {
            match entries.remove(symbol) {
                Some(entries) => write_symbol(&cache, &entries, order, &mut exported),
                None => exported.not_cached.push(symbol.clone()),
            }
        }
    }
    Ok(exported)
}

fn write_symbol(cache: &Cache, entries: &[Entry], order: &ExportOrder, exported: &mut Exported) {
    for (entry, served) in entries.iter().zip(cache.read_many(entries, None)) {
        let written = served.map_err(|error| error.to_string()).and_then(|served| {
            let batch = batch_of(&served.content).map_err(|error| error.to_string())?;
            let path = order.folder.join(file_name(entry, order.format));
            write_whole(&path, &encode(&batch, order.format)?, false)
                .map_err(|reason| format!("{} cannot be written: {reason}", path.display()))
        });
        match written {
            Ok(size_bytes) => {
                exported.files += 1;
                exported.size_bytes += size_bytes;
            }
            Err(reason) => exported.failures.push((entry.key.symbol.clone(), reason)),
        }
    }
}

/// `AAPL.csv` for bars, `AAPL-classic.csv` for features; safe on every system.
fn file_name(entry: &Entry, format: ExportFormat) -> String {
    let stem = entry.key.symbol.file_stem();
    match entry.key.dataset.set() {
        Some(set) => format!("{stem}-{set}.{}", format.extension()),
        None => format!("{stem}.{}", format.extension()),
    }
}

/// Shows a file in the desktop's file manager: its folder, with the file chosen where the desktop can do that.
pub(super) fn reveal(service: &Service, path: &Path) {
    let shown = path.exists();
    let mut command = if cfg!(target_os = "macos") {
        let mut command = std::process::Command::new("open");
        command.arg("-R").arg(path);
        command
    } else if cfg!(windows) {
        let mut command = std::process::Command::new("explorer");
        command.arg(format!("/select,{}", path.display()));
        command
    } else {
        let mut command = std::process::Command::new("xdg-open");
        command.arg(if path.is_dir() { path } else { path.parent().unwrap_or(path) });
        command
    };
    let silent = command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    if !shown {
        service.reporter.send_blocking(JobEvent::ActionFailed(format!("{} is not there any more", path.display())));
        return;
    }
    match silent.spawn() {
        // Its end is waited for, so that nothing is left of it; what it says is the desktop's business.
        Ok(mut child) => match child.wait() {
            Ok(status) if status.success() || cfg!(windows) => {}
            Ok(_) | Err(_) => no_file_manager(service, path),
        },
        Err(_error) => no_file_manager(service, path),
    }
}

fn no_file_manager(service: &Service, path: &Path) {
    let text = format!("This desktop opened no file manager; the file is {}", path.display());
    service.reporter.send_blocking(JobEvent::ActionFailed(text));
}

/// Makes a table into text for the clipboard.
pub(super) fn copy(service: &Service, table: &Table) {
    service.reporter.send_blocking(JobEvent::TableText { rows: table.rows.len(), text: Arc::from(table.to_tsv()) });
}
