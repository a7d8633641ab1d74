//! What is written behind the present end of a file to add rows to it: a new row group of tail rows, and a footer that lists
//! the base rows where they are and the new tail. The old tail and the old footer stay behind as dead bytes.

use super::encode::{MAGIC, columns_of, file_of, metadata_bytes, moved, put_groups};
use super::{Content, Footer, Outline, footer, seal};
use crate::feature::FeatureTable;
use crate::market::Bars;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use std::ops::Range;
use xxhash_rust::xxh3::Xxh3;

/// Bytes to write behind the present end of a file.
#[derive(Debug)]
pub struct Addition {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Length of the file afterwards.
    pub size_bytes: u64,
    /// xxh3-128 of the whole file afterwards.
    pub checksum: u128,
    /// Bytes of the file afterwards that nothing refers to.
    pub dead_bytes: u64,
}

/// Encodes the rows that follow the base rows of the file whose bytes went into `present`, so many of them. `None` when its columns
/// are others than the tail's.
///
/// # Errors
/// What the Parquet library says, as text.
pub fn encode_addition(
    (present, present_bytes): (&Xxh3, usize),
    outline: &Outline,
    tail: &Content,
    footer: &Footer,
    fingerprint: u128,
) -> Result<Option<Addition>, String> {
    let text = |error: ParquetError| error.to_string();
    let columns = columns_of(tail, footer.precision);
    let file = file_of(columns.iter().map(|column| column.field.clone())).map_err(text)?;
    if file.schema() != outline.metadata.file_metadata().schema() {
        return Ok(None);
    }
    let groups = outline.metadata.row_groups();
    let kept = if groups.len() > 1 { groups.len() - 1 } else { groups.len() };
    let mut groups = moved(groups.get(..kept).unwrap_or_default().to_vec(), 0, 0).map_err(text)?;
    let mut bytes = Vec::new();
    let added = put_groups(&mut bytes, &file, &columns, 0..tail.bars().len(), kept, None).map_err(text)?;
    groups.extend(moved(added, present_bytes, kept).map_err(text)?);
    let live: i64 = groups.iter().map(RowGroupMetaData::compressed_size).sum();
    let mut before = present.clone();
    before.update(&bytes);
    let pairs = footer::pairs(footer, fingerprint, tail.bars().resolution);
    let mut behind = metadata_bytes(&file, groups, pairs).map_err(text)?;
    let checksum = seal::apply(&before, &mut behind).ok_or_else(|| "the footer has no room for its seal".to_owned())?;
    let live = (MAGIC.len() + behind.len()) as u64 + live.unsigned_abs();
    bytes.append(&mut behind);
    let size_bytes = (present_bytes + bytes.len()) as u64;
    Ok(Some(Addition { bytes, size_bytes, checksum, dead_bytes: size_bytes.saturating_sub(live) }))
}

/// The bars from row `from` on.
pub fn bars_from(bars: &Bars, from: usize) -> Bars {
    let cut = |column: &Vec<f64>| column.get(from..).unwrap_or_default().to_vec();
    Bars {
        resolution: bars.resolution,
        time_us: bars.time_us.get(from..).unwrap_or_default().to_vec(),
        open: cut(&bars.open),
        high: cut(&bars.high),
        low: cut(&bars.low),
        close: cut(&bars.close),
        volume: cut(&bars.volume),
        amount: bars.amount.as_ref().map(cut),
        turnover: bars.turnover.as_ref().map(cut),
    }
}

/// Rows `rows` of one table with all rows of another behind them. `None` when their columns differ.
pub fn joined(table: &FeatureTable, rows: Range<usize>, behind: &FeatureTable) -> Option<FeatureTable> {
    if table.names != behind.names {
        return None;
    }
    let mut time_us = table.time_us.get(rows.clone())?.to_vec();
    time_us.extend_from_slice(&behind.time_us);
    let mut columns = Vec::with_capacity(table.columns.len());
    for (column, more) in table.columns.iter().zip(&behind.columns) {
        let mut joined = column.get(rows.clone())?.to_vec();
        joined.extend_from_slice(more);
        columns.push(joined);
    }
    Some(FeatureTable { resolution: behind.resolution, time_us, names: table.names.clone(), columns })
}
