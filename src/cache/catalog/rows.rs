//! Rows of the catalog's tables as the program's own types, and back.

use crate::cache::entry::{Dataset, Entry, EntryKey, Failure, FileFacts, Provenance, YearFile};
use crate::feature::DefinitionHash;
use crate::market::{DateRange, Quality, Resolution, Symbol, parse_date};
use crate::source::{SourceId, SymbolInfo};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, Statement};
use xxhash_rust::xxh3::xxh3_64;

/// A job of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its number.
    pub id: i64,
    /// What it was.
    pub title: String,
    /// When it began.
    pub started_at_us: i64,
    /// When it ended; `None` while it runs, or when its process was killed.
    pub finished_at_us: Option<i64>,
    /// The process that ran it.
    pub process_id: u32,
    /// Its report as JSON.
    pub report: Option<String>,
}

/// The columns of an entry's row, in the order of [`RowReader`] and [`RowWriter`]; the seal comes last.
pub(super) const ENTRY_COLUMNS: &str = "source, symbol, dataset, path, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us, intraday, \
     definition_hash, inputs_fingerprint, range_start, range_end, fetched_at_us, invalidated_at_us, failed_at_us, failure, \
     damaged_at_us, pinned, quality, hits, last_used_us, synced, provisional_from_us, cost_us, attempts, next_attempt_us, years, seal";
/// The columns of a row of the trash: the entry's, and its own.
pub(super) const TRASH_COLUMNS: &str = "source, symbol, dataset, path, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us, intraday, \
     definition_hash, inputs_fingerprint, range_start, range_end, fetched_at_us, invalidated_at_us, failed_at_us, failure, \
     damaged_at_us, pinned, quality, hits, last_used_us, synced, provisional_from_us, cost_us, attempts, next_attempt_us, years, seal, \
     batch, trashed_at_us, file_name, trash_seal";
/// Where the seal stands among the columns.
const SEAL: usize = 31;
/// Where the years stand. Where there are none the seal is that of a row without the column: rows of older formats keep theirs.
const YEARS: usize = 30;
/// Columns the seal does not cover: they change with every lookup and decide nothing that is served.
const UNSEALED: [usize; 2] = [23, 24];
/// Names of datasets that are kept while rows are read: more than anybody has sets and versions on one symbol.
const MOST_DATASETS: usize = 32;

macro_rules! insert_entry {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO entries (source, symbol, dataset, path, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us, \
             intraday, definition_hash, inputs_fingerprint, range_start, range_end, fetched_at_us, invalidated_at_us, failed_at_us, failure, \
             damaged_at_us, pinned, quality, hits, last_used_us, synced, provisional_from_us, cost_us, attempts, next_attempt_us, years, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, \
             ?26, ?27, ?28, ?29, ?30, ?31, ?32) ON CONFLICT (source, symbol, dataset) ",
            $conflict
        )
    };
}

/// Writes a row where there is none, and says by the number of rows whether it did.
pub(super) const INSERT_ENTRY: &str = insert_entry!("DO NOTHING");
/// Writes a whole row; of a row that is there already, hits and last use stay.
pub(super) const UPSERT_ENTRY: &str = insert_entry!(
    "DO UPDATE SET path = excluded.path, size_bytes = excluded.size_bytes,
        modified_us = excluded.modified_us, checksum = excluded.checksum, fingerprint = excluded.fingerprint, rows = excluded.rows,
        first_us = excluded.first_us, last_us = excluded.last_us, intraday = excluded.intraday,
        definition_hash = excluded.definition_hash, inputs_fingerprint = excluded.inputs_fingerprint,
        range_start = excluded.range_start, range_end = excluded.range_end, fetched_at_us = excluded.fetched_at_us,
        invalidated_at_us = excluded.invalidated_at_us, failed_at_us = excluded.failed_at_us, failure = excluded.failure,
        damaged_at_us = excluded.damaged_at_us, pinned = excluded.pinned, quality = excluded.quality, synced = excluded.synced,
        provisional_from_us = excluded.provisional_from_us, cost_us = excluded.cost_us, attempts = excluded.attempts,
        next_attempt_us = excluded.next_attempt_us, years = excluded.years, seal = excluded.seal"
);

/// A checksum of values with their types and lengths. `bytes` is room to put them in.
fn seal_of<'v>(values: impl Iterator<Item = ValueRef<'v>>, bytes: &mut Vec<u8>) -> i64 {
    bytes.clear();
    for value in values {
        match value {
            ValueRef::Null => bytes.push(0),
            ValueRef::Integer(value) => {
                bytes.push(1);
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            ValueRef::Real(value) => {
                bytes.push(2);
                bytes.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            ValueRef::Text(text) => {
                bytes.push(3);
                bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
                bytes.extend_from_slice(text);
            }
            ValueRef::Blob(blob) => {
                bytes.push(4);
                bytes.extend_from_slice(&(blob.len() as u64).to_le_bytes());
                bytes.extend_from_slice(blob);
            }
        }
    }
    xxh3_64(bytes).cast_signed()
}

/// The values of an entry's row without its seal.
type Values<'v> = [ValueRef<'v>; SEAL];

/// The seal that a row of these values should have.
fn seal_of_values(values: &Values<'_>, bytes: &mut Vec<u8>) -> i64 {
    let is_left_out = |column: usize, value: ValueRef<'_>| UNSEALED.contains(&column) || (column == YEARS && value == ValueRef::Null);
    let sealed = values.iter().enumerate().filter(|(column, value)| !is_left_out(*column, **value));
    seal_of(sealed.map(|(_, value)| *value), bytes)
}

fn values_at<'row>(row: &'row Row<'_>) -> rusqlite::Result<Values<'row>> {
    let mut values = [ValueRef::Null; SEAL];
    for (column, value) in values.iter_mut().enumerate() {
        *value = row.get_ref(column)?;
    }
    Ok(values)
}

/// The seal that an entry's row should have.
pub(super) fn seal_of_row(row: &Row<'_>) -> rusqlite::Result<i64> {
    Ok(seal_of_values(&values_at(row)?, &mut Vec::new()))
}

/// Whether a row of [`ENTRY_COLUMNS`] or [`TRASH_COLUMNS`] holds the entry that was written.
pub(super) fn is_sealed(row: &Row<'_>) -> rusqlite::Result<bool> {
    Ok(row.get_ref(SEAL)? == ValueRef::Integer(seal_of_row(row)?))
}

/// The seal of what the trash adds to an entry's row.
pub(super) fn trash_seal(entry_seal: i64, batch: i64, trashed_at_us: i64, file_name: &str) -> i64 {
    let numbers = [entry_seal, batch, trashed_at_us].map(ValueRef::Integer);
    seal_of(numbers.into_iter().chain([ValueRef::Text(file_name.as_bytes())]), &mut Vec::new())
}

/// Whether a row of [`TRASH_COLUMNS`] is as it was written.
pub(super) fn is_trash_sealed(row: &Row<'_>) -> rusqlite::Result<bool> {
    let own = [row.get_ref(SEAL)?, row.get_ref(SEAL + 1)?, row.get_ref(SEAL + 2)?, row.get_ref(SEAL + 3)?];
    let own = seal_of(own.into_iter(), &mut Vec::new());
    Ok(row.get_ref(SEAL + 4)? == ValueRef::Integer(own) && is_sealed(row)?)
}

/// Whose row it seems to be, whatever is left of it.
pub(super) fn label(row: &Row<'_>) -> String {
    let word = |column| row.get_ref(column).ok().and_then(|value| value.as_bytes_or_null().ok().flatten()).map(String::from_utf8_lossy);
    [word(0), word(1), word(2)].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

pub(super) fn unsigned_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0))
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn quality_text(quality: &Quality) -> Option<String> {
    if quality.is_clean() { None } else { serde_json::to_string(quality).ok() }
}

/// Writes entries by a statement of [`INSERT_ENTRY`] or [`UPSERT_ENTRY`]; texts go from the entry to SQLite without a copy of ours in between.
#[derive(Debug, Default)]
pub(super) struct RowWriter {
    bytes: Vec<u8>,
}

impl RowWriter {
    /// Writes an entry. Returns how many rows were written.
    pub(super) fn write(&mut self, statement: &mut Statement<'_>, entry: &Entry) -> rusqlite::Result<usize> {
        let (file, failure) = (entry.file.as_ref(), entry.failure.as_ref());
        let hash = |value: Option<u128>| value.map(u128::to_be_bytes);
        let (checksum, fingerprint) = (hash(file.map(|file| file.checksum)), hash(file.map(|file| file.fingerprint)));
        let definition = hash(entry.provenance.map(|made| made.definition.value()));
        let inputs = hash(entry.provenance.map(|made| made.inputs));
        let path = file.map(|file| file.path.to_string_lossy());
        let [start, end] = [entry.range.start, entry.range.end].map(|day| day.map(|day| day.to_string()));
        let quality = quality_text(&entry.quality);
        let synced = entry.synced.as_ref().and_then(|synced| serde_json::to_string(synced).ok());
        let years = years_text(file.map_or(&entry.kept_years, |file| &file.years));
        let values: Values<'_> = [
            text(entry.key.source.as_str()),
            text(entry.key.symbol.as_str()),
            text(entry.key.dataset.name()),
            optional(path.as_deref(), text),
            ValueRef::Integer(file.map_or(0, |file| signed(file.size_bytes))),
            ValueRef::Integer(file.map_or(0, |file| file.modified_us)),
            optional(checksum.as_ref(), |hash| ValueRef::Blob(hash)),
            optional(fingerprint.as_ref(), |hash| ValueRef::Blob(hash)),
            ValueRef::Integer(file.map_or(0, |file| signed(file.rows))),
            ValueRef::Integer(file.map_or(0, |file| file.first_us)),
            ValueRef::Integer(file.map_or(0, |file| file.last_us)),
            ValueRef::Integer(file.is_some_and(|file| file.resolution == Resolution::Intraday).into()),
            optional(definition.as_ref(), |hash| ValueRef::Blob(hash)),
            optional(inputs.as_ref(), |hash| ValueRef::Blob(hash)),
            optional(start.as_deref(), text),
            optional(end.as_deref(), text),
            ValueRef::Integer(entry.fetched_at_us),
            optional(entry.invalidated_at_us, ValueRef::Integer),
            optional(failure.map(|failure| failure.at_us), ValueRef::Integer),
            optional(failure.map(|failure| failure.message.as_str()), text),
            optional(entry.damaged_at_us, ValueRef::Integer),
            ValueRef::Integer(entry.pinned.into()),
            optional(quality.as_deref(), text),
            ValueRef::Integer(signed(entry.hits)),
            optional(entry.last_used_us, ValueRef::Integer),
            optional(synced.as_deref(), text),
            optional(entry.provisional_from_us, ValueRef::Integer),
            ValueRef::Integer(signed(entry.cost_us)),
            ValueRef::Integer(failure.map_or(0, |failure| failure.attempts.into())),
            optional(failure.and_then(|failure| failure.next_attempt_us), ValueRef::Integer),
            optional(years.as_deref(), text),
        ];
        for (column, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(column + 1, ToSqlOutput::Borrowed(*value))?;
        }
        statement.raw_bind_parameter(SEAL + 1, seal_of_values(&values, &mut self.bytes))?;
        statement.raw_execute()
    }
}

fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

fn optional<'v, T>(value: Option<T>, as_value: impl FnOnce(T) -> ValueRef<'v>) -> ValueRef<'v> {
    value.map_or(ValueRef::Null, as_value)
}

/// Reads entries from rows one after the other. Names that are in the row before as well are kept once.
#[derive(Debug, Default)]
pub(super) struct RowReader {
    bytes: Vec<u8>,
    source: Option<SourceId>,
    symbol: Option<Symbol>,
    datasets: Vec<Dataset>,
}

impl RowReader {
    /// The entry of a row of [`ENTRY_COLUMNS`] or [`TRASH_COLUMNS`]; `None` when the row fails its seal.
    pub(super) fn sealed_entry(&mut self, row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
        let values = values_at(row)?;
        let is_whole = row.get_ref(SEAL)? == ValueRef::Integer(seal_of_values(&values, &mut self.bytes));
        if is_whole { self.entry_of(&values).map(Some) } else { Ok(None) }
    }

    fn entry_of(&mut self, values: &Values<'_>) -> rusqlite::Result<Entry> {
        let [
            source,
            symbol,
            dataset,
            path,
            size_bytes,
            modified_us,
            checksum,
            fingerprint,
            rows,
            first_us,
            last_us,
            intraday,
            definition,
            inputs,
            start,
            end,
            fetched_at_us,
            invalidated_at_us,
            failed_at_us,
            failure,
            damaged_at_us,
            pinned,
            quality,
            hits,
            last_used_us,
            synced,
            provisional_from_us,
            cost_us,
            attempts,
            next_attempt_us,
            years,
        ] = *values;
        let mut years = years.as_str_or_null()?.and_then(years_of).unwrap_or_default();
        let file = match (path.as_str_or_null()?, hash(checksum)?, hash(fingerprint)?) {
            (Some(path), Some(checksum), Some(fingerprint)) => Some(FileFacts {
                path: path.into(),
                size_bytes: unsigned(size_bytes)?,
                modified_us: modified_us.as_i64()?,
                checksum,
                fingerprint,
                rows: unsigned(rows)?,
                first_us: first_us.as_i64()?,
                last_us: last_us.as_i64()?,
                resolution: if intraday.as_i64()? != 0 { Resolution::Intraday } else { Resolution::Daily },
                years: std::mem::take(&mut years),
            }),
            _ => None,
        };
        let provenance = match (hash(definition)?, hash(inputs)?) {
            (Some(definition), Some(inputs)) => Some(Provenance { definition: DefinitionHash::from(definition), inputs }),
            _ => None,
        };
        let failure = match (failed_at_us.as_i64_or_null()?, failure.as_str_or_null()?) {
            (Some(at_us), Some(message)) => Some(Failure {
                at_us,
                message: message.to_owned(),
                attempts: u32::try_from(attempts.as_i64()?).unwrap_or(0),
                next_attempt_us: next_attempt_us.as_i64_or_null()?,
            }),
            _ => None,
        };
        Ok(Entry {
            key: self.key_of(source.as_str()?, symbol.as_str()?, dataset.as_str()?),
            file,
            kept_years: years,
            provenance,
            range: DateRange { start: start.as_str_or_null()?.and_then(parse_date), end: end.as_str_or_null()?.and_then(parse_date) },
            fetched_at_us: fetched_at_us.as_i64()?,
            invalidated_at_us: invalidated_at_us.as_i64_or_null()?,
            failure,
            damaged_at_us: damaged_at_us.as_i64_or_null()?,
            pinned: pinned.as_i64()? != 0,
            quality: quality.as_str_or_null()?.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            hits: unsigned(hits)?,
            last_used_us: last_used_us.as_i64_or_null()?,
            synced: synced.as_str_or_null()?.and_then(|text| serde_json::from_str(text).ok()),
            provisional_from_us: provisional_from_us.as_i64_or_null()?,
            cost_us: unsigned(cost_us)?,
        })
    }

    fn key_of(&mut self, source: &str, symbol: &str, dataset: &str) -> EntryKey {
        if self.source.as_ref().is_none_or(|known| known.as_str() != source) {
            self.source = Some(SourceId::new(source));
        }
        if self.symbol.as_ref().is_none_or(|known| known.as_str() != symbol) {
            self.symbol = Some(Symbol::new(symbol));
        }
        let known = self.datasets.iter().find(|known| known.name() == dataset).cloned();
        let dataset = known.unwrap_or_else(|| {
            let dataset = Dataset::from_name(dataset);
            self.datasets.truncate(MOST_DATASETS - 1);
            self.datasets.push(dataset.clone());
            dataset
        });
        EntryKey {
            source: self.source.clone().unwrap_or_else(|| SourceId::new(source)),
            symbol: self.symbol.clone().unwrap_or_else(|| Symbol::new(symbol)),
            dataset,
        }
    }
}

/// A year's file as it is kept: year, bytes, when it was written, checksum, fingerprint, rows, first and last time.
type YearRow = (i32, u64, i64, String, String, u64, i64, i64);

/// The files of years as JSON; `None` where there are none.
fn years_text(years: &[YearFile]) -> Option<String> {
    let hex = |hash: u128| format!("{hash:032x}");
    let row = |of: &YearFile| -> YearRow {
        (of.year, of.size_bytes, of.modified_us, hex(of.checksum), hex(of.fingerprint), of.rows, of.first_us, of.last_us)
    };
    if years.is_empty() { None } else { serde_json::to_string(&years.iter().map(row).collect::<Vec<_>>()).ok() }
}

fn years_of(text: &str) -> Option<Vec<YearFile>> {
    let hash = |text: &str| u128::from_str_radix(text, 16).ok();
    let file = |(year, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us): YearRow| {
        let (checksum, fingerprint) = (hash(&checksum)?, hash(&fingerprint)?);
        Some(YearFile { year, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us })
    };
    serde_json::from_str::<Vec<YearRow>>(text).ok()?.into_iter().map(file).collect()
}

fn hash(value: ValueRef<'_>) -> rusqlite::Result<Option<u128>> {
    Ok(value.as_blob_or_null()?.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(u128::from_be_bytes))
}

fn unsigned(value: ValueRef<'_>) -> rusqlite::Result<u64> {
    Ok(u64::try_from(value.as_i64()?).unwrap_or(0))
}

pub(super) fn symbol_from_row(row: &Row<'_>) -> rusqlite::Result<SymbolInfo> {
    Ok(SymbolInfo {
        symbol: Symbol::from(row.get::<_, String>(0)?),
        first_us: row.get(1)?,
        last_us: row.get(2)?,
        bar_count: unsigned_at(row, 3)?,
    })
}

/// The key in three columns: source, symbol and dataset.
pub(super) fn key_at(row: &Row<'_>, column: usize) -> rusqlite::Result<EntryKey> {
    let text = |column: usize| row.get_ref(column).and_then(|value| value.as_str().map(str::to_owned).map_err(Into::into));
    Ok(EntryKey {
        source: SourceId::new(&text(column)?),
        symbol: Symbol::from(text(column + 1)?),
        dataset: Dataset::from_name(&text(column + 2)?),
    })
}

pub(super) fn job_from_row(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    Ok(JobRecord {
        id: row.get(0)?,
        title: row.get(1)?,
        started_at_us: row.get(2)?,
        finished_at_us: row.get(3)?,
        process_id: u32::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
        report: row.get(5)?,
    })
}
