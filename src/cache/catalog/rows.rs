//! Rows of the catalog's tables as the program's own types, and back.

use crate::cache::entry::{Dataset, Entry, EntryKey, Failure, FileFacts, Provenance, YearFile};
use crate::feature::DefinitionHash;
use crate::market::{DateRange, Quality, Resolution, Symbol, parse_date};
use crate::source::{SourceId, SymbolInfo};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Row, Statement, params_from_iter};
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

/// The columns of an entry's row, in the order of [`entry_from_row`] and [`values_of`]; the seal comes last.
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

/// Writes a whole row; of a row that is there already, hits and last use stay.
pub(super) const UPSERT_ENTRY: &str =
    "INSERT INTO entries (source, symbol, dataset, path, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us, \
     intraday, definition_hash, inputs_fingerprint, range_start, range_end, fetched_at_us, invalidated_at_us, failed_at_us, failure, \
     damaged_at_us, pinned, quality, hits, last_used_us, synced, provisional_from_us, cost_us, attempts, next_attempt_us, years, seal)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,
        ?27, ?28, ?29, ?30, ?31, ?32)
     ON CONFLICT (source, symbol, dataset) DO UPDATE SET path = excluded.path, size_bytes = excluded.size_bytes,
        modified_us = excluded.modified_us, checksum = excluded.checksum, fingerprint = excluded.fingerprint, rows = excluded.rows,
        first_us = excluded.first_us, last_us = excluded.last_us, intraday = excluded.intraday,
        definition_hash = excluded.definition_hash, inputs_fingerprint = excluded.inputs_fingerprint,
        range_start = excluded.range_start, range_end = excluded.range_end, fetched_at_us = excluded.fetched_at_us,
        invalidated_at_us = excluded.invalidated_at_us, failed_at_us = excluded.failed_at_us, failure = excluded.failure,
        damaged_at_us = excluded.damaged_at_us, pinned = excluded.pinned, quality = excluded.quality, synced = excluded.synced,
        provisional_from_us = excluded.provisional_from_us, cost_us = excluded.cost_us, attempts = excluded.attempts,
        next_attempt_us = excluded.next_attempt_us, years = excluded.years, seal = excluded.seal";

/// A checksum of values with their types and lengths.
fn seal_of<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> i64 {
    let mut bytes = Vec::with_capacity(512);
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
    xxh3_64(&bytes).cast_signed()
}

fn sealed_columns() -> impl Iterator<Item = usize> {
    (0..SEAL).filter(|column| !UNSEALED.contains(column))
}

/// The seal that an entry's row should have.
pub(super) fn seal_of_row(row: &Row<'_>) -> rusqlite::Result<i64> {
    let mut values = [ValueRef::Null; SEAL];
    for (column, value) in values.iter_mut().enumerate() {
        if !UNSEALED.contains(&column) {
            *value = row.get_ref(column)?;
        }
    }
    Ok(seal_of_columns(&values))
}

/// The seal of a row's values.
fn seal_of_columns(values: &[ValueRef<'_>]) -> i64 {
    let has_years = values.get(YEARS).is_some_and(|years| *years != ValueRef::Null);
    seal_of(sealed_columns().filter(|column| *column != YEARS || has_years).filter_map(|column| values.get(column).copied()))
}

/// Whether a row of [`ENTRY_COLUMNS`] or [`TRASH_COLUMNS`] holds the entry that was written.
pub(super) fn is_sealed(row: &Row<'_>) -> rusqlite::Result<bool> {
    Ok(row.get_ref(SEAL)? == ValueRef::Integer(seal_of_row(row)?))
}

/// The seal of what the trash adds to an entry's row.
pub(super) fn trash_seal(entry_seal: i64, batch: i64, trashed_at_us: i64, file_name: &str) -> i64 {
    let numbers = [entry_seal, batch, trashed_at_us].map(ValueRef::Integer);
    seal_of(numbers.into_iter().chain([ValueRef::Text(file_name.as_bytes())]))
}

/// Whether a row of [`TRASH_COLUMNS`] is as it was written.
pub(super) fn is_trash_sealed(row: &Row<'_>) -> rusqlite::Result<bool> {
    let own = seal_of([row.get_ref(SEAL)?, row.get_ref(SEAL + 1)?, row.get_ref(SEAL + 2)?, row.get_ref(SEAL + 3)?].into_iter());
    Ok(row.get_ref(SEAL + 4)? == ValueRef::Integer(own) && is_sealed(row)?)
}

/// Whose row it seems to be, whatever is left of it.
pub(super) fn label(row: &Row<'_>) -> String {
    let word = |column| row.get_ref(column).ok().and_then(|value| value.as_bytes_or_null().ok().flatten()).map(String::from_utf8_lossy);
    [word(0), word(1), word(2)].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn blob(value: u128) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

fn hash_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u128>> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    Ok(bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes.as_slice()).ok()).map(u128::from_be_bytes))
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

/// An entry as the values of its row, the seal last.
fn values_of(entry: &Entry) -> Vec<Value> {
    let file = entry.file.as_ref();
    let failure = entry.failure.as_ref();
    let mut values: Vec<Value> = Vec::with_capacity(SEAL + 1);
    values.extend([
        entry.key.source.as_str().to_owned().into(),
        entry.key.symbol.as_str().to_owned().into(),
        entry.key.dataset.name().to_owned().into(),
        file.map(|file| file.path.to_string_lossy().into_owned()).into(),
        file.map_or(0, |file| signed(file.size_bytes)).into(),
        file.map_or(0, |file| file.modified_us).into(),
        file.map(|file| blob(file.checksum)).into(),
        file.map(|file| blob(file.fingerprint)).into(),
        file.map_or(0, |file| signed(file.rows)).into(),
        file.map_or(0, |file| file.first_us).into(),
        file.map_or(0, |file| file.last_us).into(),
        file.is_some_and(|file| file.resolution == Resolution::Intraday).into(),
        entry.provenance.map(|provenance| blob(provenance.definition.value())).into(),
        entry.provenance.map(|provenance| blob(provenance.inputs)).into(),
        entry.range.start.map(|day| day.to_string()).into(),
        entry.range.end.map(|day| day.to_string()).into(),
        entry.fetched_at_us.into(),
        entry.invalidated_at_us.into(),
        failure.map(|failure| failure.at_us).into(),
        failure.map(|failure| failure.message.clone()).into(),
        entry.damaged_at_us.into(),
        entry.pinned.into(),
        quality_text(&entry.quality).into(),
        signed(entry.hits).into(),
        entry.last_used_us.into(),
        entry.synced.as_ref().and_then(|synced| serde_json::to_string(synced).ok()).into(),
        entry.provisional_from_us.into(),
        signed(entry.cost_us).into(),
        failure.map_or(0, |failure| i64::from(failure.attempts)).into(),
        failure.and_then(|failure| failure.next_attempt_us).into(),
        years_text(file.map_or(&entry.kept_years, |file| &file.years)).into(),
    ]);
    let seal = seal_of_columns(&values.iter().map(ValueRef::from).collect::<Vec<_>>());
    values.push(seal.into());
    values
}

/// Writes an entry by a statement of [`UPSERT_ENTRY`].
pub(super) fn upsert(statement: &mut Statement<'_>, entry: &Entry) -> rusqlite::Result<()> {
    statement.execute(params_from_iter(values_of(entry)))?;
    Ok(())
}

/// The entry of a row of [`ENTRY_COLUMNS`] or [`TRASH_COLUMNS`]; `None` when the row fails its seal.
pub(super) fn sealed_entry(row: &Row<'_>) -> rusqlite::Result<Option<Entry>> {
    if is_sealed(row)? { entry_from_row(row).map(Some) } else { Ok(None) }
}

fn entry_from_row(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let text = |column: usize| row.get_ref(column).and_then(|value| value.as_str().map(str::to_owned).map_err(Into::into));
    let optional_text = |column: usize| row.get::<_, Option<String>>(column);
    let path = optional_text(3)?;
    let mut years = optional_text(YEARS)?.as_deref().and_then(years_of).unwrap_or_default();
    let file = match (path, hash_at(row, 6)?, hash_at(row, 7)?) {
        (Some(path), Some(checksum), Some(fingerprint)) => Some(FileFacts {
            path: path.into(),
            size_bytes: unsigned_at(row, 4)?,
            modified_us: row.get(5)?,
            checksum,
            fingerprint,
            rows: unsigned_at(row, 8)?,
            first_us: row.get(9)?,
            last_us: row.get(10)?,
            resolution: if row.get(11)? { Resolution::Intraday } else { Resolution::Daily },
            years: std::mem::take(&mut years),
        }),
        _ => None,
    };
    let provenance = match (hash_at(row, 12)?, hash_at(row, 13)?) {
        (Some(definition), Some(inputs)) => Some(Provenance { definition: DefinitionHash::from(definition), inputs }),
        _ => None,
    };
    let failure = match (row.get(18)?, optional_text(19)?) {
        (Some(at_us), Some(message)) => {
            let attempts = u32::try_from(row.get::<_, i64>(28)?).unwrap_or(0);
            Some(Failure { at_us, message, attempts, next_attempt_us: row.get(29)? })
        }
        _ => None,
    };
    Ok(Entry {
        key: EntryKey { source: SourceId::new(&text(0)?), symbol: Symbol::from(text(1)?), dataset: Dataset::from_name(&text(2)?) },
        file,
        kept_years: years,
        provenance,
        range: DateRange {
            start: optional_text(14)?.as_deref().and_then(parse_date),
            end: optional_text(15)?.as_deref().and_then(parse_date),
        },
        fetched_at_us: row.get(16)?,
        invalidated_at_us: row.get(17)?,
        failure,
        damaged_at_us: row.get(20)?,
        pinned: row.get(21)?,
        quality: optional_text(22)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        hits: unsigned_at(row, 23)?,
        last_used_us: row.get(24)?,
        synced: optional_text(25)?.and_then(|text| serde_json::from_str(&text).ok()),
        provisional_from_us: row.get(26)?,
        cost_us: unsigned_at(row, 27)?,
    })
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
