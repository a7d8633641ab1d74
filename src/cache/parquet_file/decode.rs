//! Parquet bytes as content, and what can be known of a file from its bytes alone.

use super::footer::{self, Parsed};
use super::read::{Target, read};
use super::{Content, Footer, ROW_GROUP_ROWS, seal};
use crate::cache::entry::Dataset;
use crate::feature::{FeatureTable, RAW_COLUMNS};
use crate::market::{Bars, DAY_US, Resolution};
use arrow::array::{Array, Date32Array, Float32Array, Float64Array, RecordBatch, TimestampMicrosecondArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{LogicalType, TimeUnit, Type};
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What the footer of a file says, its columns not decoded.
#[derive(Debug)]
pub struct Outline {
    /// The facts.
    pub footer: Footer,
    /// Rows in all.
    pub rows: usize,
    /// Rows that an append leaves where they are.
    pub base_rows: usize,
    /// Whether the seal covers the whole file, as it does since format 2.
    pub(super) seals_file: bool,
    /// Where everything lies.
    pub(super) metadata: ParquetMetaData,
}

/// A file that proved whole without the catalog.
#[derive(Debug)]
pub struct SealedFile {
    /// Its columns.
    pub content: Content,
    /// Its facts.
    pub footer: Footer,
    /// The fingerprint in its footer.
    pub fingerprint: u128,
}

/// The Parquet library panics on some damaged pages. Bytes that match their checksum never get there, but a file that the
/// catalog does not know may hold anything.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| Err("its pages are damaged".to_owned()))
}

/// Decodes a cached file's bytes.
///
/// # Errors
/// When the bytes are no such file; the text says in what way.
pub fn decode(bytes: impl AsRef<[u8]>) -> Result<(Content, Footer), String> {
    decode_wanted(bytes, None)
}

/// The same, of features only those `wanted`, where that is said.
///
/// # Errors
/// As [`decode`].
pub fn decode_wanted(bytes: impl AsRef<[u8]>, wanted: Option<&[&str]>) -> Result<(Content, Footer), String> {
    guarded(|| decode_trusting(bytes.as_ref(), wanted)).map(|(content, parsed)| (content, parsed.footer))
}

fn decode_trusting(bytes: &[u8], wanted: Option<&[&str]>) -> Result<(Content, Parsed), String> {
    let metadata = metadata_of(bytes)?;
    let parsed = footer::parse(pairs_of(&metadata))?;
    let rows = count(metadata.file_metadata().num_rows())?;
    let (bars, mut table) = match columns_of(bytes, &metadata, wanted, parsed.resolution, rows) {
        Some(columns) => columns,
        None => columns_by_arrow(bytes::Bytes::copy_from_slice(bytes), parsed.resolution, rows)?,
    };
    let complete = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume].iter().all(|column| column.len() == rows);
    if bars.time_us.len() != rows || !complete || table.columns.iter().any(|column| column.len() != rows) {
        return Err("a column is missing or shorter than the others".to_owned());
    }
    let bars = Arc::new(bars);
    let content = match &parsed.footer.key.dataset {
        Dataset::Bars => Content::Bars(bars),
        Dataset::Features(_) | Dataset::Older(_) => {
            table.time_us.clone_from(&bars.time_us);
            Content::Features { bars, table: Arc::new(table) }
        }
    };
    // What the Parquet library read is all there is.
    let content = match wanted.zip(content.features()) {
        Some((wanted, table)) if !table.names.iter().all(|name| wanted.contains(&&**name)) => content.only(wanted),
        _ => content,
    };
    Ok((content, parsed))
}

fn metadata_of(bytes: &[u8]) -> Result<ParquetMetaData, String> {
    let start = seal::metadata_start(bytes).ok_or_else(|| "it does not end like a Parquet file".to_owned())?;
    let footer = bytes.get(start..bytes.len().saturating_sub(8)).unwrap_or_default();
    ParquetMetaDataReader::decode_metadata(footer).map_err(|error| error.to_string())
}

fn pairs_of(metadata: &ParquetMetaData) -> &[KeyValue] {
    metadata.file_metadata().key_value_metadata().map_or(&[][..], Vec::as_slice)
}

fn count(rows: i64) -> Result<usize, String> {
    usize::try_from(rows).map_err(|_negative| "negative number of rows".to_owned())
}

/// The columns of a file, read without the Parquet library; `None` where that is needed.
pub(super) fn columns_of(
    bytes: &[u8],
    metadata: &ParquetMetaData,
    wanted: Option<&[&str]>,
    resolution: Resolution,
    rows: usize,
) -> Option<(Bars, FeatureTable)> {
    columns_in(bytes, metadata, metadata.row_groups(), wanted, resolution, rows)
}

/// The same of some of a file's row groups, which have so many rows.
fn columns_in(
    bytes: &[u8],
    metadata: &ParquetMetaData,
    groups: &[RowGroupMetaData],
    wanted: Option<&[&str]>,
    resolution: Resolution,
    rows: usize,
) -> Option<(Bars, FeatureTable)> {
    let mut bars = Bars { resolution, ..Bars::default() };
    let mut table = FeatureTable { resolution, ..FeatureTable::default() };
    // More than a row for each bit of the file is not possible, whatever its footer says.
    if rows > bytes.len().saturating_mul(8) {
        return None;
    }
    for (place, descr) in metadata.file_metadata().schema_descr().columns().iter().enumerate() {
        let chunks = groups.iter().map(|group| group.columns().get(place));
        let name = descr.name();
        let is_day = descr.physical_type() == Type::INT32 && descr.logical_type_ref() == Some(&LogicalType::Date);
        let is_time = matches!(descr.logical_type_ref(), Some(LogicalType::Timestamp(of)) if of.unit == TimeUnit::MICROS);
        if is_day || is_time {
            let times = &mut bars.time_us;
            times.reserve_exact(rows);
            for chunk in chunks {
                read(bytes, chunk?, Target::Integers(times, if is_day { 32 } else { 64 }))?;
            }
            if is_day {
                times.iter_mut().for_each(|day| *day *= DAY_US);
            }
            continue;
        }
        let column = match name {
            _ if descr.physical_type() == Type::FLOAT && RAW_COLUMNS.contains(&name) => return None,
            "open" => &mut bars.open,
            "high" => &mut bars.high,
            "low" => &mut bars.low,
            "close" => &mut bars.close,
            "volume" => &mut bars.volume,
            "amount" => bars.amount.get_or_insert_default(),
            "turnover" => bars.turnover.get_or_insert_default(),
            name if wanted.is_some_and(|wanted| !wanted.contains(&name)) => continue,
            name => feature_column(&mut table, name),
        };
        column.reserve_exact(rows);
        for chunk in chunks {
            read(bytes, chunk?, Target::Numbers(column))?;
        }
    }
    Some((bars, table))
}

/// The same by the Parquet library, which knows whatever there is in Parquet.
pub(super) fn columns_by_arrow(bytes: bytes::Bytes, resolution: Resolution, rows: usize) -> Result<(Bars, FeatureTable), String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| error.to_string())?;
    let reader = builder.with_batch_size(rows.clamp(1, ROW_GROUP_ROWS)).build().map_err(|error| error.to_string())?;
    let mut bars = Bars { resolution, ..Bars::default() };
    let mut table = FeatureTable { resolution, ..FeatureTable::default() };
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        append_batch(&batch, &mut bars, &mut table)?;
    }
    Ok((bars, table))
}

/// The features of a file's tail rows; `None` where the Parquet library is needed to read them.
pub fn tail_features(bytes: &[u8], outline: &Outline) -> Option<FeatureTable> {
    let metadata = &outline.metadata;
    let tail_rows = outline.rows.checked_sub(outline.base_rows)?;
    let tail = metadata.row_groups().get(1..)?;
    let (bars, mut table) = guarded(|| {
        columns_in(bytes, metadata, tail, None, Resolution::Daily, tail_rows).ok_or_else(|| "in a way that is not known here".to_owned())
    })
    .ok()?;
    table.time_us = bars.time_us;
    let is_whole = tail.len() <= 1 && table.time_us.len() == tail_rows && table.columns.iter().all(|column| column.len() == tail_rows);
    is_whole.then_some(table)
}

/// Reads a file's footer only.
///
/// # Errors
/// As [`decode`].
pub fn outline(bytes: &[u8]) -> Result<Outline, String> {
    guarded(|| {
        let metadata = metadata_of(bytes)?;
        let Parsed { footer, seals_file, .. } = footer::parse(pairs_of(&metadata))?;
        let rows = count(metadata.file_metadata().num_rows())?;
        let tail_rows = match metadata.row_groups() {
            [] | [_] => 0,
            [.., tail] => count(tail.num_rows())?,
        };
        Ok(Outline { footer, rows, base_rows: rows.saturating_sub(tail_rows), seals_file, metadata })
    })
}

/// The file, if it is whole: every bit is as written. Of a file of format 1, the sealed footer and the fingerprint of its values
/// must do.
pub fn sealed(bytes: &[u8]) -> Option<SealedFile> {
    let whole = seal::is_whole(bytes);
    if !whole && outline(bytes).ok()?.seals_file {
        return None;
    }
    let (content, parsed) = guarded(|| decode_trusting(bytes, None)).ok()?;
    let proven = if parsed.seals_file { whole } else { content.fingerprint() == parsed.fingerprint };
    proven.then_some(SealedFile { content, footer: parsed.footer, fingerprint: parsed.fingerprint })
}

/// The longest beginning of these bytes that is a whole file, with its length: what is left of a file whose last append was
/// cut off.
pub fn longest_sealed(bytes: &[u8]) -> Option<(usize, SealedFile)> {
    seal::possible_ends(bytes).find_map(|end| Some((end, sealed(bytes.get(..end)?)?)))
}

/// Every length at which these bytes could end a file, the longest first.
pub fn possible_ends(bytes: &[u8]) -> Vec<usize> {
    seal::possible_ends(bytes).collect()
}

fn append_batch(batch: &RecordBatch, bars: &mut Bars, table: &mut FeatureTable) -> Result<(), String> {
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        if let Some(days) = array.as_any().downcast_ref::<Date32Array>() {
            bars.time_us.extend(days.values().iter().map(|day| i64::from(*day) * DAY_US));
            continue;
        }
        if let Some(times) = array.as_any().downcast_ref::<TimestampMicrosecondArray>() {
            bars.time_us.extend_from_slice(times.values());
            continue;
        }
        if let Some(values) = array.as_any().downcast_ref::<Float32Array>()
            && !RAW_COLUMNS.contains(&field.name().as_str())
        {
            feature_column(table, field.name()).extend(values.iter().map(|value| value.map_or(f64::NAN, f64::from)));
            continue;
        }
        let Some(values) = array.as_any().downcast_ref::<Float64Array>() else {
            return Err(format!("column {} has the unexpected type {}", field.name(), array.data_type()));
        };
        let column = match field.name().as_str() {
            "open" => &mut bars.open,
            "high" => &mut bars.high,
            "low" => &mut bars.low,
            "close" => &mut bars.close,
            "volume" => &mut bars.volume,
            "amount" => bars.amount.get_or_insert_default(),
            "turnover" => bars.turnover.get_or_insert_default(),
            name => feature_column(table, name),
        };
        if values.null_count() == 0 {
            column.extend_from_slice(values.values());
        } else {
            column.extend(values.iter().map(|value| value.unwrap_or(f64::NAN)));
        }
    }
    Ok(())
}

fn feature_column<'table>(table: &'table mut FeatureTable, name: &str) -> &'table mut Vec<f64> {
    let position = table.names.iter().position(|known| &**known == name).unwrap_or_else(|| {
        table.names.push(Arc::from(name));
        table.columns.push(Vec::new());
        table.names.len() - 1
    });
    // The position was just found or made, so this index exists.
    &mut table.columns[position]
}
