//! Content as Parquet bytes: row groups encoded apart, put behind each other, and one footer listing them.

use super::column::{self, Chunk, Values, narrowed};
use super::{Content, Footer, ROW_GROUP_ROWS, fingerprint_of, footer, raw_columns, seal};
use crate::feature::{ENGINE_VERSION, Precision};
use crate::market::{Bars, Resolution};
use arrow::array::{ArrayRef, Date32Array, Float32Array, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// What every Parquet file begins and ends with.
pub(super) const MAGIC: &[u8; 4] = b"PAR1";
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

/// The columns of some bars as they were encoded, for files that hold the same bars beside features of them.
#[derive(Debug)]
pub struct EncodedBars {
    bytes: Vec<u8>,
    groups: Vec<RowGroupMetaData>,
}

impl EncodedBars {
    /// Bytes it takes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The row group of so many rows at this place.
    fn group(&self, place: usize, rows: usize) -> Option<(&[u8], &RowGroupMetaData)> {
        let group = self.groups.get(place)?;
        (usize::try_from(group.num_rows()) == Ok(rows)).then_some((self.bytes.as_slice(), group))
    }
}

/// Encodes content and its facts. Rows from the first provisional one on get a row group of their own, so that an append can
/// replace them. `bars` are the same bars, if they were encoded before; of bars, what was encoded comes back.
///
/// # Errors
/// What the Parquet library says, as text.
pub fn encode_beside(content: &Content, footer: &Footer, bars: Option<&EncodedBars>) -> Result<(Encoded, Option<EncodedBars>), String> {
    let text = |error: ParquetError| error.to_string();
    let columns = columns_of(content, footer.precision);
    let file = file_of(columns.iter().map(|column| column.field.clone())).map_err(text)?;
    let rows = content.bars().len();
    let base_rows = base_rows(content.bars(), footer.provisional_from_us);
    let mut bytes = Vec::with_capacity(rows * columns.len() * 8 + columns.len() * 256 + 4096);
    bytes.extend_from_slice(MAGIC);
    let mut groups = put_groups(&mut bytes, &file, &columns, 0..base_rows, 0, bars).map_err(text)?;
    if base_rows < rows {
        groups.extend(put_groups(&mut bytes, &file, &columns, base_rows..rows, groups.len(), bars).map_err(text)?);
    }
    let is_bars = matches!(content, Content::Bars(_));
    let encoded_bars = is_bars.then(|| EncodedBars { bytes: bytes.clone(), groups: groups.clone() });
    let behind = |pairs| metadata_bytes(&file, groups, pairs).map_err(text);
    let encoded = sealed_file(bytes, footer, fingerprint_of(content, footer), content.bars().resolution, behind)?;
    Ok((encoded, encoded_bars))
}

/// Encodes content and its facts.
///
/// # Errors
/// As [`encode_beside`].
#[cfg(test)]
pub fn encode(content: &Content, footer: &Footer) -> Result<Encoded, String> {
    encode_beside(content, footer, None).map(|(encoded, _bars)| encoded)
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

/// A column to be written.
pub(super) struct Column<'a> {
    /// How it is described.
    pub field: Field,
    /// Its values.
    pub values: Values<'a>,
}

/// The columns of a file.
pub(super) fn columns_of(content: &Content, precision: Precision) -> Vec<Column<'_>> {
    let bars = content.bars();
    let times = match bars.resolution {
        Resolution::Daily => Values::Days(&bars.time_us),
        Resolution::Intraday => Values::Times(&bars.time_us),
    };
    let mut columns = vec![Column { field: time_field(bars.resolution), values: times }];
    for (name, values) in raw_columns(bars) {
        let field = raw_field(name);
        let values = if field.is_nullable() { Values::Double(values) } else { Values::Whole(values) };
        columns.push(Column { field, values });
    }
    if let Content::Features { table, .. } = content {
        for (name, values) in table.names.iter().zip(&table.columns) {
            columns.push(Column { field: feature_field(name, precision), values: feature_values(values, precision) });
        }
    }
    columns
}

/// A feature's values as they are kept.
pub(super) fn feature_values(values: &[f64], precision: Precision) -> Values<'_> {
    match precision {
        Precision::F64 => Values::Double(values),
        Precision::F32 => Values::Float(values),
    }
}

/// What a file with these columns says of itself.
pub(super) fn file_of(fields: impl Iterator<Item = Field>) -> Result<FileMetaData, ParquetError> {
    let fields: Vec<Field> = fields.collect();
    let known = |schemas: &Schemas| schemas.iter().find(|(known, _)| *known == fields).map(|(_, schema)| Arc::clone(schema));
    let schema = match SCHEMAS.with_borrow(known) {
        Some(schema) => schema,
        None => {
            let schema: SchemaDescPtr = Arc::new(ArrowSchemaConverter::new().convert(&Schema::new(fields.clone()))?);
            SCHEMAS.with_borrow_mut(|schemas| {
                schemas.truncate(MOST_SCHEMAS - 1);
                schemas.insert(0, (fields, Arc::clone(&schema)));
            });
            schema
        }
    };
    Ok(FileMetaData::new(1, 0, None, None, schema, None))
}

/// How many schemas are remembered: bars and some sets.
const MOST_SCHEMAS: usize = 6;

/// Columns, and what a file with them says of itself.
type Schemas = Vec<(Vec<Field>, SchemaDescPtr)>;

thread_local! {
    /// A run writes thousands of files with the same columns; making a schema takes as long as encoding a new row of them.
    static SCHEMAS: RefCell<Schemas> = const { RefCell::new(Vec::new()) };
}

/// Appends some rows of all columns, and says where they are. `first` is how many row groups come before, `known` the first columns.
pub(super) fn put_groups(
    bytes: &mut Vec<u8>,
    file: &FileMetaData,
    columns: &[Column<'_>],
    rows: Range<usize>,
    first: usize,
    known: Option<&EncodedBars>,
) -> Result<Vec<RowGroupMetaData>, ParquetError> {
    let mut groups = Vec::new();
    let mut from = rows.start;
    while from < rows.end {
        let until = rows.end.min(from + ROW_GROUP_ROWS);
        let start = bytes.len();
        let mut chunks = Vec::with_capacity(columns.len());
        let known = known.and_then(|known| known.group(first + groups.len(), until - from));
        for (place, (column, descr)) in columns.iter().zip(file.schema_descr().columns()).enumerate() {
            if let Some((from, chunk)) = known.and_then(|(from, group)| Some((from, group.columns().get(place)?))) {
                chunks.push(put_copy(bytes, Arc::clone(descr), from, chunk)?);
                continue;
            }
            let values = column.values.rows(from..until).ok_or_else(|| ParquetError::General("columns differ in length".to_owned()))?;
            chunks.push(chunk_of(Arc::clone(descr), column::put(bytes, values)?, values)?);
        }
        groups.push(group_of(&file.schema_descr_ptr(), until - from, chunks, start, first + groups.len())?);
        from = until;
    }
    Ok(groups)
}

/// A row group of these chunks, the first of which lies at `start`.
pub(super) fn group_of(
    schema: &SchemaDescPtr,
    rows: usize,
    chunks: Vec<ColumnChunkMetaData>,
    start: usize,
    ordinal: usize,
) -> Result<RowGroupMetaData, ParquetError> {
    RowGroupMetaData::builder(Arc::clone(schema))
        .set_num_rows(as_i64(rows))
        .set_total_byte_size(chunks.iter().map(ColumnChunkMetaData::uncompressed_size).sum())
        .set_column_metadata(chunks)
        .set_file_offset(as_i64(start))
        .set_ordinal(i32::try_from(ordinal).unwrap_or(i32::MAX))
        .build()
}

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Appends a column chunk as it is in other bytes.
pub(super) fn put_copy(
    out: &mut Vec<u8>,
    descr: ColumnDescPtr,
    from: &[u8],
    chunk: &ColumnChunkMetaData,
) -> Result<ColumnChunkMetaData, ParquetError> {
    let (start, length) = chunk.byte_range();
    let range = usize::try_from(start).ok().zip(usize::try_from(length).ok()).map(|(start, length)| start..start + length);
    let bytes = range.and_then(|range| from.get(range)).ok_or_else(|| ParquetError::General("a column chunk is cut off".to_owned()))?;
    let shift = i64::try_from(out.len()).unwrap_or(i64::MAX) - i64::try_from(start).unwrap_or(0);
    out.extend_from_slice(bytes);
    let mut builder = ColumnChunkMetaData::builder(descr)
        .set_encodings_mask(*chunk.encodings_mask())
        .set_num_values(chunk.num_values())
        .set_compression_codec(chunk.compression_codec())
        .set_total_compressed_size(chunk.compressed_size())
        .set_total_uncompressed_size(chunk.uncompressed_size())
        .set_data_page_offset(chunk.data_page_offset().saturating_add(shift))
        .set_dictionary_page_offset(chunk.dictionary_page_offset().map(|offset| offset.saturating_add(shift)));
    if let Some(statistics) = chunk.statistics() {
        builder = builder.set_statistics(statistics.clone());
    }
    builder.build()
}

/// What the footer says of a chunk. Readers look for days, never for prices; the footer is written again by every append and should be
/// short: so only times have statistics.
fn chunk_of(descr: ColumnDescPtr, chunk: Chunk, values: Values<'_>) -> Result<ColumnChunkMetaData, ParquetError> {
    let ends = |times: &[i64]| times.first().copied().zip(times.last().copied()).unzip();
    let statistics = match values {
        Values::Days(times) => {
            let (first, last) = ends(times);
            let day = |time| column::days_of(&[time]).first().and_then(|day| i32::try_from(*day).ok());
            Some(Statistics::int32(first.and_then(day), last.and_then(day), None, Some(0), false))
        }
        Values::Times(times) => {
            let (first, last) = ends(times);
            Some(Statistics::int64(first, last, None, Some(0), false))
        }
        _ => None,
    };
    let mut builder = ColumnChunkMetaData::builder(descr)
        .set_encodings(chunk.encodings)
        .set_num_values(as_i64(chunk.values))
        .set_compression(chunk.codec)
        .set_total_compressed_size(as_i64(chunk.stored_bytes))
        .set_total_uncompressed_size(as_i64(chunk.plain_bytes))
        .set_data_page_offset(as_i64(chunk.data_at))
        .set_dictionary_page_offset(chunk.dictionary_at.map(as_i64));
    if let Some(statistics) = statistics {
        builder = builder.set_statistics(statistics);
    }
    builder.build()
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
    let columns = columns_of(content, precision);
    let arrays = columns.iter().map(|column| array_of(column.values)).collect();
    let fields: Vec<Field> = columns.into_iter().map(|column| column.field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn array_of(values: Values<'_>) -> ArrayRef {
    match values {
        Values::Days(times) => {
            let days = column::days_of(times).into_iter().map(|day| i32::try_from(day).unwrap_or(i32::MAX));
            Arc::new(Date32Array::from_iter_values(days))
        }
        Values::Times(times) => Arc::new(TimestampMicrosecondArray::from(times.to_vec())),
        Values::Whole(values) | Values::Double(values) => Arc::new(float_array(values)),
        Values::Float(values) => Arc::new(values.iter().map(|value| narrowed(*value)).collect::<Float32Array>()),
    }
}

fn time_field(resolution: Resolution) -> Field {
    match resolution {
        Resolution::Daily => Field::new("date", DataType::Date32, false),
        Resolution::Intraday => Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, None), false),
    }
}

fn raw_field(name: &str) -> Field {
    Field::new(name, DataType::Float64, matches!(name, "amount" | "turnover"))
}

/// How a feature's column is described.
pub(super) fn feature_field(name: &str, precision: Precision) -> Field {
    let kind = match precision {
        Precision::F64 => DataType::Float64,
        Precision::F32 => DataType::Float32,
    };
    Field::new(name, kind, true)
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
