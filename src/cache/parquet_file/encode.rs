//! Content as Parquet bytes: row groups encoded apart, put behind each other, and one footer listing them.

use super::{Content, Footer, ROW_GROUP_ROWS, fingerprint_of, footer, raw_columns, seal};
use crate::feature::{ENGINE_VERSION, Precision};
use crate::market::{Bars, DAY_US, Resolution};
use arrow::array::{ArrayRef, Date32Array, Float32Array, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// What every Parquet file begins and ends with.
pub(super) const MAGIC: &[u8; 4] = b"PAR1";
/// Below this many rows a compressed page is longer than a plain one.
const COMPRESSED_FROM_ROWS: usize = 16;

/// A whole file.
#[derive(Debug)]
pub struct Encoded {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// xxh3-128 of the bytes.
    pub checksum: u128,
    /// What the catalog compares, see [`fingerprint_of`].
    pub fingerprint: u128,
}

/// Encodes content and its facts. Rows from the first provisional one on get a row group of their own, so that an append can
/// replace them.
///
/// # Errors
/// What the Parquet library says, as text.
pub fn encode(content: &Content, footer: &Footer) -> Result<Encoded, String> {
    let batch = batch_in(content, footer.precision).map_err(|error| error.to_string())?;
    let base_rows = base_rows(content.bars(), footer.provisional_from_us);
    let base = encode_groups(&batch.slice(0, base_rows)).map_err(|error| error.to_string())?;
    let (mut bytes, mut groups) = (base.bytes, base.groups);
    if base_rows < batch.num_rows() {
        let tail = encode_groups(&batch.slice(base_rows, batch.num_rows() - base_rows)).map_err(|error| error.to_string())?;
        groups.extend(moved(tail.groups, bytes.len() - MAGIC.len(), groups.len()).map_err(|error| error.to_string())?);
        bytes.extend_from_slice(tail.bytes.get(MAGIC.len()..).unwrap_or_default());
    }
    let behind = |pairs| metadata_bytes(&base.file, groups, pairs).map_err(|error| error.to_string());
    sealed_file(bytes, footer, fingerprint_of(content, footer), content.bars().resolution, behind)
}

/// A whole file: these bytes, and behind them what `behind` makes of the footer's pairs, with the seal filled in.
pub(super) fn sealed_file(
    mut bytes: Vec<u8>,
    footer: &Footer,
    fingerprint: u128,
    resolution: Resolution,
    behind: impl FnOnce(Vec<KeyValue>) -> Result<Vec<u8>, String>,
) -> Result<Encoded, String> {
    let mut before = Xxh3::new();
    before.update(&bytes);
    let mut behind = behind(footer::pairs(footer, fingerprint, resolution))?;
    let checksum = seal::apply(&before, &mut behind).ok_or_else(|| "the footer has no room for its seal".to_owned())?;
    bytes.append(&mut behind);
    Ok(Encoded { bytes, checksum, fingerprint })
}

/// How many rows come before the first provisional one; all, if none or every one is.
fn base_rows(bars: &Bars, provisional_from_us: Option<i64>) -> usize {
    let settled = provisional_from_us.map_or(bars.len(), |from_us| bars.time_us.partition_point(|time_us| *time_us < from_us));
    if settled == 0 { bars.len() } else { settled }
}

/// Row groups as they lie behind [`MAGIC`] in a file of their own.
pub(super) struct Groups {
    /// [`MAGIC`] and the column chunks.
    pub bytes: Vec<u8>,
    /// Where they are in `bytes`.
    pub groups: Vec<RowGroupMetaData>,
    /// Schema and the like.
    pub file: FileMetaData,
}

/// Encodes the rows of a batch without a footer.
pub(super) fn encode_groups(batch: &RecordBatch) -> Result<Groups, ParquetError> {
    let time_column = if batch.schema_ref().column_with_name("time").is_some() { "time" } else { "date" };
    let compression =
        if batch.num_rows() < COMPRESSED_FROM_ROWS { Compression::UNCOMPRESSED } else { Compression::ZSTD(ZstdLevel::try_new(1)?) };
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(format!("samovar {ENGINE_VERSION}"))
        .set_compression(compression)
        // Prices hardly repeat: a dictionary costs time and wins nothing.
        .set_dictionary_enabled(false)
        .set_column_encoding(ColumnPath::from(time_column), Encoding::DELTA_BINARY_PACKED)
        // Readers look for days, never for prices; the footer is written again by every append and should be short.
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from(time_column), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut bytes = Vec::with_capacity(batch.num_rows() * batch.num_columns() * 6 + 4096);
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, batch.schema(), options)?;
    writer.write(batch)?;
    let metadata = writer.close()?;
    let end = metadata
        .row_groups()
        .iter()
        .flat_map(RowGroupMetaData::columns)
        .map(ColumnChunkMetaData::byte_range)
        .map(|(start, length)| start + length)
        .max();
    bytes.truncate(end.and_then(|end| usize::try_from(end).ok()).unwrap_or(MAGIC.len()));
    Ok(Groups { bytes, groups: moved(metadata.row_groups().to_vec(), 0, 0)?, file: metadata.file_metadata().clone() })
}

/// The same row groups `shift` bytes further behind, counted from `first` on, without what no reader needs.
pub(super) fn moved(groups: Vec<RowGroupMetaData>, shift: usize, first: usize) -> Result<Vec<RowGroupMetaData>, ParquetError> {
    let shift = i64::try_from(shift).unwrap_or(i64::MAX);
    let mut moved = Vec::with_capacity(groups.len());
    for (number, group) in groups.into_iter().enumerate() {
        let file_offset = group.file_offset().map_or(0, |offset| offset.saturating_add(shift));
        let mut builder = group.into_builder();
        let columns = builder.take_columns().into_iter().map(|column| {
            let data = column.data_page_offset().saturating_add(shift);
            let dictionary = column.dictionary_page_offset().map(|offset| offset.saturating_add(shift));
            column
                .into_builder()
                .set_data_page_offset(data)
                .set_dictionary_page_offset(dictionary)
                .clear_page_encoding_stats()
                .set_offset_index_offset(None)
                .set_offset_index_length(None)
                .set_column_index_offset(None)
                .set_column_index_length(None)
                .build()
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let ordinal = i32::try_from(first + number).unwrap_or(i32::MAX);
        moved.push(builder.set_column_metadata(columns).set_file_offset(file_offset).set_ordinal(ordinal).build()?);
    }
    Ok(moved)
}

/// The end of a file: the footer listing these row groups, its length, and [`MAGIC`].
pub(super) fn metadata_bytes(file: &FileMetaData, groups: Vec<RowGroupMetaData>, pairs: Vec<KeyValue>) -> Result<Vec<u8>, ParquetError> {
    let rows = groups.iter().map(RowGroupMetaData::num_rows).sum();
    let created_by = format!("samovar {ENGINE_VERSION}");
    let orders = file.column_orders().cloned();
    let file = FileMetaData::new(file.version(), rows, Some(created_by), Some(pairs), file.schema_descr_ptr(), orders);
    let metadata = ParquetMetaData::new(file, groups);
    let mut bytes = Vec::with_capacity(16 * 1024);
    ParquetMetaDataWriter::new(&mut bytes, &metadata).finish()?;
    Ok(bytes)
}

/// Content as one Arrow batch of Float64, nulls for NaN; also what exports write.
///
/// # Errors
/// When columns differ in length.
pub fn batch_of(content: &Content) -> Result<RecordBatch, arrow::error::ArrowError> {
    batch_in(content, Precision::F64)
}

/// The same with features in this precision; columns of the bars stay as they are.
///
/// # Errors
/// When columns differ in length.
pub fn batch_in(content: &Content, precision: Precision) -> Result<RecordBatch, arrow::error::ArrowError> {
    let bars = content.bars();
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    match bars.resolution {
        Resolution::Daily => {
            let days = bars.time_us.iter().map(|time| i32::try_from(time.div_euclid(DAY_US)).unwrap_or(i32::MAX)).collect::<Vec<_>>();
            fields.push(Field::new("date", DataType::Date32, false));
            arrays.push(Arc::new(Date32Array::from(days)));
        }
        Resolution::Intraday => {
            fields.push(Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, None), false));
            arrays.push(Arc::new(TimestampMicrosecondArray::from(bars.time_us.clone())));
        }
    }
    for (name, column) in raw_columns(bars) {
        fields.push(Field::new(name, DataType::Float64, matches!(name, "amount" | "turnover")));
        arrays.push(Arc::new(float_array(column)));
    }
    if let Content::Features { table, .. } = content {
        for (name, column) in table.names.iter().zip(&table.columns) {
            fields.push(feature_field(name, precision));
            arrays.push(feature_array(column, precision));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// How a feature's column is described.
pub(super) fn feature_field(name: &str, precision: Precision) -> Field {
    let kind = match precision {
        Precision::F64 => DataType::Float64,
        Precision::F32 => DataType::Float32,
    };
    Field::new(name, kind, true)
}

/// A feature's values, nulls for NaN.
pub(super) fn feature_array(values: &[f64], precision: Precision) -> ArrayRef {
    match precision {
        Precision::F64 => Arc::new(float_array(values)),
        Precision::F32 => Arc::new(values.iter().map(|value| narrowed(*value)).collect::<Float32Array>()),
    }
}

/// A value as Float32; null for null, and for what no Float32 can hold.
fn narrowed(value: f64) -> Option<f32> {
    // Rounding is what is asked for.
    let narrow = value as f32;
    narrow.is_finite().then_some(narrow)
}

/// The largest relative error of these values as Float32; 1 where one is lost. Nulls have none.
#[must_use]
pub fn rounding_of<'column>(columns: impl IntoIterator<Item = &'column Vec<f64>>) -> f64 {
    let error = |value: &f64| match narrowed(*value) {
        Some(narrow) if *value != 0.0 => ((f64::from(narrow) - value) / value).abs().min(1.0),
        None if !value.is_nan() => 1.0,
        _ => 0.0,
    };
    columns.into_iter().flat_map(|column| column.iter().map(error)).fold(0.0, f64::max)
}

fn float_array(column: &[f64]) -> Float64Array {
    let nulls = column.iter().any(|value| value.is_nan()).then(|| NullBuffer::from_iter(column.iter().map(|value| !value.is_nan())));
    Float64Array::new(ScalarBuffer::from(column.to_vec()), nulls)
}
