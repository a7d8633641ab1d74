//! Bars and feature tables as Parquet bytes and back. Bytes only: no path is opened here.
//!
//! Contract: encoding is deterministic, so the same content and facts give the same bytes. A column `date` (Date32, daily) or
//! `time` (Timestamp in microseconds, intraday) comes first, then `open high low close volume`, `amount` and `turnover` where
//! the source has them, then features. Null in the file is NaN in memory. The footer's key-value metadata carries identity,
//! fingerprint and origin, sealed by a hash of its own, so that the catalog can be rebuilt from the files.

use super::entry::{Dataset, EntryKey, Provenance, Synced};
use crate::feature::{DefinitionHash, ENGINE_VERSION, FeatureTable};
use crate::market::{Bars, DAY_US, DateRange, Quality, Resolution, Symbol, parse_date};
use crate::source::SourceId;
use arrow::array::{Array, ArrayRef, Date32Array, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use std::sync::Arc;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Version of what the footer holds.
const FORMAT: &str = "1";
/// Version of how bytes are made of content: raise it with the Parquet or compression library, or with the settings below.
const ENCODER: &str = "parquet 60, zstd 1";
/// Most rows in one row group; a symbol's daily bars are always one.
const ROW_GROUP_ROWS: usize = 1 << 20;

/// Facts that travel in the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// Whose file it is.
    pub key: EntryKey,
    /// For features: with which definitions and from which bars.
    pub provenance: Option<Provenance>,
    /// The days that were asked of the source.
    pub range: DateRange,
    /// When the bars were fetched.
    pub fetched_at_us: i64,
    /// What was noticed in the source's rows.
    pub quality: Quality,
    /// For bars: what the source said it had.
    pub synced: Option<Synced>,
    /// Time of the first bar of a session that was not closed.
    pub provisional_from_us: Option<i64>,
    /// What it took to fetch or compute it, in microseconds.
    pub cost_us: u64,
    /// For features: what the recursive ones need to go on from the first provisional bar (or the end), as
    /// [`crate::feature::FeatureState`] writes it.
    pub state: Option<String>,
}

/// The content of a cached file.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Price bars.
    Bars(Arc<Bars>),
    /// Features beside the bars they were computed from.
    Features {
        /// The raw columns of the file.
        bars: Arc<Bars>,
        /// The computed columns.
        table: Arc<FeatureTable>,
    },
}

impl Content {
    /// The raw columns.
    #[must_use]
    pub fn bars(&self) -> &Arc<Bars> {
        match self {
            Self::Bars(bars) | Self::Features { bars, .. } => bars,
        }
    }

    /// Bytes in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Bars(bars) => bars.size_bytes(),
            Self::Features { bars, table } => bars.size_bytes() + table.size_bytes(),
        }
    }

    /// xxh3-128 over the values of all columns with their names; independent of encoding and compression.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        let mut hasher = Xxh3::new();
        match self {
            Self::Bars(bars) => hash_bars(&mut hasher, bars),
            Self::Features { bars, table } => {
                hash_bars(&mut hasher, bars);
                for (name, column) in table.names.iter().zip(&table.columns) {
                    hash_column(&mut hasher, name, column);
                }
            }
        }
        hasher.digest128()
    }
}

fn hash_bars(hasher: &mut Xxh3, bars: &Bars) {
    hasher.update(bytemuck::cast_slice(&bars.time_us));
    for (name, column) in raw_columns(bars) {
        hash_column(hasher, name, column);
    }
}

/// Hashes a column with every NaN written the same way.
fn hash_column(hasher: &mut Xxh3, name: &str, column: &[f64]) {
    hasher.update(name.as_bytes());
    let mut canonical = [0.0_f64; 256];
    for chunk in column.chunks(canonical.len()) {
        if chunk.iter().any(|value| value.is_nan()) {
            for (slot, value) in canonical.iter_mut().zip(chunk) {
                *slot = if value.is_nan() { f64::NAN } else { *value };
            }
            hasher.update(bytemuck::cast_slice(canonical.get(..chunk.len()).unwrap_or_default()));
        } else {
            hasher.update(bytemuck::cast_slice(chunk));
        }
    }
}

fn raw_columns(bars: &Bars) -> impl Iterator<Item = (&'static str, &Vec<f64>)> {
    [("open", &bars.open), ("high", &bars.high), ("low", &bars.low), ("close", &bars.close), ("volume", &bars.volume)]
        .into_iter()
        .chain(bars.amount.as_ref().map(|column| ("amount", column)))
        .chain(bars.turnover.as_ref().map(|column| ("turnover", column)))
}

/// Encodes content and its facts; returns the file's bytes and the content's fingerprint.
///
/// # Errors
/// What the Parquet library says, as text.
pub fn encode(content: &Content, footer: &Footer) -> Result<(Vec<u8>, u128), String> {
    let fingerprint = content.fingerprint();
    let batch = batch_of(content).map_err(|error| error.to_string())?;
    let metadata = footer_metadata(footer, fingerprint, content.bars().resolution);
    let time_column = time_column_name(content.bars().resolution);
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(format!("samovar {ENGINE_VERSION}"))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(|error| error.to_string())?))
        // Prices hardly repeat: a dictionary costs time and wins nothing.
        .set_dictionary_enabled(false)
        .set_column_encoding(ColumnPath::from(time_column), Encoding::DELTA_BINARY_PACKED)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_key_value_metadata(Some(metadata))
        .build();
    let mut bytes = Vec::with_capacity(batch.get_array_memory_size() / 2 + 4096);
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, batch.schema(), options).map_err(|error| error.to_string())?;
    writer.write(&batch).map_err(|error| error.to_string())?;
    writer.close().map_err(|error| error.to_string())?;
    Ok((bytes, fingerprint))
}

fn time_column_name(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Daily => "date",
        Resolution::Intraday => "time",
    }
}

/// Content as one Arrow batch, nulls for NaN; also what exports write.
///
/// # Errors
/// When columns differ in length.
pub fn batch_of(content: &Content) -> Result<RecordBatch, arrow::error::ArrowError> {
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
    let mut push = |name: &str, column: &Vec<f64>, nullable: bool| {
        fields.push(Field::new(name, DataType::Float64, nullable));
        arrays.push(Arc::new(float_array(column)));
    };
    for (name, column) in raw_columns(bars) {
        push(name, column, matches!(name, "amount" | "turnover"));
    }
    if let Content::Features { table, .. } = content {
        for (name, column) in table.names.iter().zip(&table.columns) {
            push(name, column, true);
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn float_array(column: &[f64]) -> Float64Array {
    let nulls = column.iter().any(|value| value.is_nan()).then(|| NullBuffer::from_iter(column.iter().map(|value| !value.is_nan())));
    Float64Array::new(ScalarBuffer::from(column.to_vec()), nulls)
}

/// Decodes a cached file's bytes.
///
/// # Errors
/// When the bytes are no such file; the text says in what way.
pub fn decode(bytes: Vec<u8>) -> Result<(Content, Footer), String> {
    // The Parquet library panics on some damaged pages. Bytes that match their checksum never get there, but a file that the
    // catalog does not know may hold anything.
    std::panic::catch_unwind(|| decode_trusting(bytes)).unwrap_or_else(|_panic| Err("its pages are damaged".to_owned()))
}

fn decode_trusting(bytes: Vec<u8>) -> Result<(Content, Footer), String> {
    let bytes = bytes::Bytes::from(bytes);
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| error.to_string())?;
    let metadata = builder.metadata().file_metadata();
    let rows = usize::try_from(metadata.num_rows()).map_err(|_negative| "negative number of rows".to_owned())?;
    let (footer, resolution) = parse_footer(metadata.key_value_metadata().map_or(&[][..], Vec::as_slice))?;
    let reader = builder.with_batch_size(rows.clamp(1, ROW_GROUP_ROWS)).build().map_err(|error| error.to_string())?;
    let mut bars = Bars { resolution, ..Bars::default() };
    let mut table = FeatureTable { resolution, ..FeatureTable::default() };
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        append_batch(&batch, &mut bars, &mut table)?;
    }
    let complete = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume].iter().all(|column| column.len() == rows);
    if bars.time_us.len() != rows || !complete || table.columns.iter().any(|column| column.len() != rows) {
        return Err("a column is missing or shorter than the others".to_owned());
    }
    let bars = Arc::new(bars);
    let content = match &footer.key.dataset {
        Dataset::Bars => Content::Bars(bars),
        Dataset::Features(_) => {
            table.time_us.clone_from(&bars.time_us);
            Content::Features { bars, table: Arc::new(table) }
        }
    };
    Ok((content, footer))
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

/// The footer's own key-value pairs, the seal last.
fn footer_metadata(footer: &Footer, fingerprint: u128, resolution: Resolution) -> Vec<KeyValue> {
    let mut pairs = vec![
        ("samovar.format", FORMAT.to_owned()),
        ("samovar.source", footer.key.source.as_str().to_owned()),
        ("samovar.symbol", footer.key.symbol.as_str().to_owned()),
        ("samovar.dataset", footer.key.dataset.name().to_owned()),
        ("samovar.resolution", if resolution == Resolution::Daily { "daily" } else { "intraday" }.to_owned()),
        ("samovar.fingerprint", format!("{fingerprint:032x}")),
        ("samovar.engine_version", ENGINE_VERSION.to_owned()),
        ("samovar.encoder", ENCODER.to_owned()),
        ("samovar.fetched_at_us", footer.fetched_at_us.to_string()),
        ("samovar.quality", serde_json::to_string(&footer.quality).unwrap_or_default()),
    ];
    if let Some(provenance) = &footer.provenance {
        pairs.push(("samovar.definition_hash", format!("{:032x}", provenance.definition.value())));
        pairs.push(("samovar.inputs_fingerprint", format!("{:032x}", provenance.inputs)));
    }
    if let Some(start) = footer.range.start {
        pairs.push(("samovar.range_start", start.to_string()));
    }
    if let Some(end) = footer.range.end {
        pairs.push(("samovar.range_end", end.to_string()));
    }
    if let Some(synced) = footer.synced.as_ref().and_then(|synced| serde_json::to_string(synced).ok()) {
        pairs.push(("samovar.synced", synced));
    }
    if let Some(provisional_from_us) = footer.provisional_from_us {
        pairs.push(("samovar.provisional_from_us", provisional_from_us.to_string()));
    }
    pairs.push(("samovar.cost_us", footer.cost_us.to_string()));
    if let Some(state) = &footer.state {
        pairs.push(("samovar.state", state.clone()));
    }
    let seal = seal_of(pairs.iter().map(|(key, value)| (*key, value.as_str())));
    pairs.push(("samovar.seal", seal));
    pairs.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect()
}

fn seal_of<'pair>(pairs: impl Iterator<Item = (&'pair str, &'pair str)>) -> String {
    let text = pairs.fold(String::new(), |text, (key, value)| text + key + "=" + value + "\n");
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

fn parse_footer(metadata: &[KeyValue]) -> Result<(Footer, Resolution), String> {
    let own: Vec<(&str, &str)> = metadata
        .iter()
        .filter(|pair| pair.key.starts_with("samovar."))
        .map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap_or_default()))
        .collect();
    let find = |key: &str| own.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let need = |key: &str| find(key).ok_or_else(|| format!("the footer has no {key}"));
    if need("samovar.format")? != FORMAT {
        return Err("the footer has an unknown format".to_owned());
    }
    let seal = need("samovar.seal")?;
    if seal != seal_of(own.iter().filter(|(key, _)| *key != "samovar.seal").copied()) {
        return Err("the footer does not match its seal".to_owned());
    }
    let hash = |key: &str| find(key).and_then(|text| u128::from_str_radix(text, 16).ok());
    let provenance = match (hash("samovar.definition_hash"), hash("samovar.inputs_fingerprint")) {
        (Some(definition), Some(inputs)) => Some(Provenance { definition: DefinitionHash::from(definition), inputs }),
        _ => None,
    };
    let footer = Footer {
        key: EntryKey {
            source: SourceId::new(need("samovar.source")?),
            symbol: Symbol::new(need("samovar.symbol")?),
            dataset: Dataset::from_name(need("samovar.dataset")?),
        },
        provenance,
        range: DateRange { start: find("samovar.range_start").and_then(parse_date), end: find("samovar.range_end").and_then(parse_date) },
        fetched_at_us: need("samovar.fetched_at_us")?.parse().map_err(|_error| "the footer's fetch time is no number".to_owned())?,
        quality: find("samovar.quality").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        synced: find("samovar.synced").and_then(|text| serde_json::from_str(text).ok()),
        provisional_from_us: find("samovar.provisional_from_us").and_then(|text| text.parse().ok()),
        cost_us: find("samovar.cost_us").and_then(|text| text.parse().ok()).unwrap_or(0),
        state: find("samovar.state").map(str::to_owned),
    };
    let resolution = if need("samovar.resolution")? == "daily" { Resolution::Daily } else { Resolution::Intraday };
    Ok((footer, resolution))
}

/// Whether a file is whole and exactly what Samovar would write for its content: decoding and encoding again gives the same
/// bytes. Says more than a checksum can when the catalog does not know the file. Of a file that another version wrote, the
/// sealed footer and the fingerprint of its values must do.
pub fn is_self_consistent(bytes: &[u8]) -> Option<(Content, Footer, u128)> {
    let (content, footer) = decode(bytes.to_vec()).ok()?;
    let (again, fingerprint) = encode(&content, &footer).ok()?;
    if again == bytes {
        return Some((content, footer, fingerprint));
    }
    let [written_by, written_fingerprint] = written_facts(bytes)?;
    let by_another = written_by != format!("{ENGINE_VERSION} {ENCODER}");
    (by_another && written_fingerprint == format!("{fingerprint:032x}")).then_some((content, footer, fingerprint))
}

/// Which engine and encoder wrote a file, and the fingerprint in its footer.
fn written_facts(bytes: &[u8]) -> Option<[String; 2]> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::copy_from_slice(bytes)).ok()?;
    let pairs = builder.metadata().file_metadata().key_value_metadata()?.clone();
    let find = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    let encoder = find("samovar.encoder").unwrap_or_default();
    Some([format!("{} {encoder}", find("samovar.engine_version")?), find("samovar.fingerprint")?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::RawBars;

    fn sample(rows: usize) -> (Content, Footer) {
        let wave = |phase: f64| (0..rows).map(|row| 100.0 + (row as f64 * 0.1 + phase).sin()).collect::<Vec<_>>();
        let raw = RawBars {
            time_us: (0..rows as i64).map(|day| day * DAY_US).collect(),
            open: wave(0.0),
            high: wave(0.1).iter().map(|price| price + 2.0).collect(),
            low: wave(0.2).iter().map(|price| price - 2.0).collect(),
            close: wave(0.3),
            volume: wave(0.4),
            ..RawBars::default()
        };
        let (bars, quality) = Bars::normalise(raw);
        let table = FeatureTable {
            resolution: bars.resolution,
            time_us: bars.time_us.clone(),
            names: vec![Arc::from("ma5"), Arc::from("none")],
            columns: vec![(0..rows).map(|row| if row < 4 { f64::NAN } else { row as f64 }).collect(), vec![-f64::NAN; rows]],
        };
        let footer = Footer {
            key: EntryKey::features(&SourceId::new("test"), &Symbol::new("ß/„x"), "classic"),
            provenance: Some(Provenance { definition: DefinitionHash::from(5), inputs: 6 }),
            range: DateRange { start: parse_date("2020-01-01"), end: None },
            fetched_at_us: 1_234_567,
            quality,
            synced: None,
            provisional_from_us: Some(7 * DAY_US),
            cost_us: 1_500,
            state: Some("ema7=1".to_owned()),
        };
        (Content::Features { bars: Arc::new(bars), table: Arc::new(table) }, footer)
    }

    fn same_bits(left: &[f64], right: &[f64]) -> bool {
        left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
    }

    #[test]
    fn content_and_footer_come_back_as_they_went() {
        let (content, footer) = sample(300);
        let (bytes, fingerprint) = encode(&content, &footer).expect("encode");
        let (back, footer_back) = decode(bytes.clone()).expect("decode");
        assert_eq!(footer_back, footer);
        assert_eq!(back.bars(), content.bars());
        assert_eq!(back.fingerprint(), fingerprint, "NaN of any sign is one null");
        let (Content::Features { table, .. }, Content::Features { table: before, .. }) = (&back, &content) else { panic!() };
        assert_eq!(table.names, before.names);
        assert!(table.columns.iter().zip(&before.columns).all(|(left, right)| same_bits(left, right)));
        assert!(is_self_consistent(&bytes).is_some());
    }

    #[test]
    fn every_flipped_bit_is_noticed_without_the_catalog() {
        let (content, footer) = sample(12);
        let (bytes, _) = encode(&content, &footer).expect("encode");
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1 << (position % 8);
            assert!(is_self_consistent(&flipped).is_none(), "bit {} of byte {position} of {}", position % 8, bytes.len());
        }
    }

    #[test]
    fn a_truncated_file_is_an_error_at_every_length() {
        let (content, footer) = sample(12);
        let (bytes, _) = encode(&content, &footer).expect("encode");
        for length in (0..bytes.len()).step_by(7) {
            assert!(decode(bytes[..length].to_vec()).is_err(), "{length}");
        }
    }
}
