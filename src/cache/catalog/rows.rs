//! Rows of the catalog's tables as the program's own types, and back.

use crate::cache::entry::{Dataset, Entry, EntryKey, Failure, FileFacts, Provenance};
use crate::feature::DefinitionHash;
use crate::market::{DateRange, Quality, Resolution, Symbol, parse_date};
use crate::source::{SourceId, SymbolInfo};
use rusqlite::{Row, Statement, params};

/// An entry that was fetched again with unchanged content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Which entry.
    pub key: EntryKey,
    /// When it was fetched.
    pub fetched_at_us: i64,
    /// The days that were asked for.
    pub range: DateRange,
    /// What was noticed in the rows.
    pub quality: Quality,
}

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

/// Files that were cleared together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashBatch {
    /// Its number.
    pub batch: i64,
    /// When they were cleared.
    pub trashed_at_us: i64,
    /// How many entries.
    pub entries: u64,
    /// Their bytes.
    pub size_bytes: u64,
}

/// The columns [`entry_from_row`] reads, in its order.
pub(super) const ENTRY_COLUMNS: &str = "source, symbol, dataset, path, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us, intraday, \
     definition_hash, inputs_fingerprint, range_start, range_end, fetched_at_us, invalidated_at_us, failed_at_us, failure, \
     damaged_at_us, pinned, quality, hits, last_used_us, synced, provisional_from_us, cost_us, attempts, next_attempt_us";

pub(super) const UPSERT_ENTRY: &str =
    "INSERT INTO entries (source, symbol, dataset, path, size_bytes, modified_us, checksum, fingerprint, rows, first_us, last_us, \
     intraday, definition_hash, inputs_fingerprint, range_start, range_end, fetched_at_us, invalidated_at_us, failed_at_us, failure, \
     damaged_at_us, pinned, quality, hits, last_used_us, synced, provisional_from_us, cost_us, attempts, next_attempt_us)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,
        ?27, ?28, ?29, ?30)
     ON CONFLICT (source, symbol, dataset) DO UPDATE SET path = excluded.path, size_bytes = excluded.size_bytes,
        modified_us = excluded.modified_us, checksum = excluded.checksum, fingerprint = excluded.fingerprint, rows = excluded.rows,
        first_us = excluded.first_us, last_us = excluded.last_us, intraday = excluded.intraday,
        definition_hash = excluded.definition_hash, inputs_fingerprint = excluded.inputs_fingerprint,
        range_start = excluded.range_start, range_end = excluded.range_end, fetched_at_us = excluded.fetched_at_us,
        invalidated_at_us = excluded.invalidated_at_us, failed_at_us = excluded.failed_at_us, failure = excluded.failure,
        damaged_at_us = excluded.damaged_at_us, quality = excluded.quality, synced = excluded.synced,
        provisional_from_us = excluded.provisional_from_us, cost_us = excluded.cost_us, attempts = excluded.attempts,
        next_attempt_us = excluded.next_attempt_us";

pub(super) fn blob(value: u128) -> Vec<u8> {
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

pub(super) fn quality_text(quality: &Quality) -> Option<String> {
    if quality.is_clean() { None } else { serde_json::to_string(quality).ok() }
}

pub(super) fn upsert(statement: &mut Statement<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let file = entry.file.as_ref();
    let quality = quality_text(&entry.quality);
    statement.execute(params![
        entry.key.source.as_str(),
        entry.key.symbol.as_str(),
        entry.key.dataset.name(),
        file.map(|file| file.path.to_string_lossy().into_owned()),
        file.map_or(0, |file| signed(file.size_bytes)),
        file.map_or(0, |file| file.modified_us),
        file.map(|file| blob(file.checksum)),
        file.map(|file| blob(file.fingerprint)),
        file.map_or(0, |file| signed(file.rows)),
        file.map_or(0, |file| file.first_us),
        file.map_or(0, |file| file.last_us),
        file.is_some_and(|file| file.resolution == Resolution::Intraday),
        entry.provenance.map(|provenance| blob(provenance.definition.value())),
        entry.provenance.map(|provenance| blob(provenance.inputs)),
        entry.range.start.map(|day| day.to_string()),
        entry.range.end.map(|day| day.to_string()),
        entry.fetched_at_us,
        entry.invalidated_at_us,
        entry.failure.as_ref().map(|failure| failure.at_us),
        entry.failure.as_ref().map(|failure| &failure.message),
        entry.damaged_at_us,
        entry.pinned,
        quality,
        signed(entry.hits),
        entry.last_used_us,
        entry.synced.as_ref().and_then(|synced| serde_json::to_string(synced).ok()),
        entry.provisional_from_us,
        signed(entry.cost_us),
        entry.failure.as_ref().map_or(0, |failure| i64::from(failure.attempts)),
        entry.failure.as_ref().and_then(|failure| failure.next_attempt_us),
    ])?;
    Ok(())
}

pub(super) fn entry_from_row(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let text = |column: usize| row.get_ref(column).and_then(|value| value.as_str().map(str::to_owned).map_err(Into::into));
    let optional_text = |column: usize| row.get::<_, Option<String>>(column);
    let path = optional_text(3)?;
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

pub(super) fn batch_from_row(row: &Row<'_>) -> rusqlite::Result<TrashBatch> {
    Ok(TrashBatch { batch: row.get(0)?, trashed_at_us: row.get(1)?, entries: unsigned_at(row, 2)?, size_bytes: unsigned_at(row, 3)? })
}
