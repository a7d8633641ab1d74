//! Rows in every format `get` knows. Nulls are empty in CSV, null in JSON and MessagePack, a dash in tables.

use super::arguments::Format;
use super::table::{Side, lay_out};
use crate::format::NONE;
use crate::market::{DAY_US, format_time};
use arrow::array::{Array, Date32Array, Float32Array, Float64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::csv::WriterBuilder;
use arrow::ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::io::Write;

/// Writes a batch.
pub(super) fn write(format: Format, batch: &RecordBatch, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    match format {
        Format::Table => out.write_all(text_table(batch).as_bytes())?,
        Format::Csv => {
            // Written in memory first: the CSV library hides what the operating system said about a closed pipe.
            let mut text = Vec::new();
            let builder = WriterBuilder::new().with_header(true).with_timestamp_format("%Y-%m-%d %H:%M:%S%.f".to_owned());
            builder.build(&mut text).write(batch)?;
            out.write_all(&text)?;
        }
        Format::Json => write_json(batch, out)?,
        Format::Parquet => write_parquet(batch, out)?,
        Format::Arrow => {
            let mut writer = FileWriter::try_new(&mut *out, &batch.schema()).map_err(io_error)?;
            writer.write(batch).map_err(io_error)?;
            writer.finish().map_err(io_error)?;
        }
        Format::Msgpack => {
            let mut serializer = rmp_serde::Serializer::new(&mut *out);
            Rows(batch).serialize(&mut serializer).map_err(|error| match error {
                rmp_serde::encode::Error::InvalidValueWrite(error) => anyhow::Error::new(std::io::Error::from(error)),
                other => other.into(),
            })?;
        }
    }
    Ok(out.flush()?)
}

/// Arrow wraps what the operating system said; a closed pipe must stay one.
fn io_error(error: arrow::error::ArrowError) -> anyhow::Error {
    match error {
        arrow::error::ArrowError::IoError(_, error) => error.into(),
        other => other.into(),
    }
}

fn write_parquet(batch: &RecordBatch, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).set_dictionary_enabled(false).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(out.write_all(&bytes)?)
}

/// One row per line, so that it can be read and compared line by line.
fn write_json(batch: &RecordBatch, out: &mut impl Write) -> anyhow::Result<()> {
    let columns = columns_of(batch);
    out.write_all(b"[")?;
    for row in 0..batch.num_rows() {
        out.write_all(if row == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &Row { columns: &columns, row })?;
    }
    Ok(out.write_all(if batch.num_rows() == 0 { b"]\n" } else { b"\n]\n" })?)
}

/// A column as its plain values.
enum Column<'batch> {
    Days(&'batch str, &'batch Date32Array),
    Times(&'batch str, &'batch TimestampMicrosecondArray),
    Numbers(&'batch str, &'batch Float64Array),
    Rounded(&'batch str, &'batch Float32Array),
}

fn columns_of(batch: &RecordBatch) -> Vec<Column<'_>> {
    let schema = batch.schema_ref();
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .filter_map(|(field, array)| {
            let (name, array) = (field.name().as_str(), array.as_any());
            array
                .downcast_ref()
                .map(|days| Column::Days(name, days))
                .or_else(|| array.downcast_ref().map(|times| Column::Times(name, times)))
                .or_else(|| array.downcast_ref().map(|numbers| Column::Numbers(name, numbers)))
                .or_else(|| array.downcast_ref().map(|numbers| Column::Rounded(name, numbers)))
        })
        .collect()
}

struct Rows<'batch>(&'batch RecordBatch);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = columns_of(self.0);
        let mut rows = serializer.serialize_seq(Some(self.0.num_rows()))?;
        for row in 0..self.0.num_rows() {
            rows.serialize_element(&Row { columns: &columns, row })?;
        }
        rows.end()
    }
}

struct Row<'row, 'batch> {
    columns: &'row [Column<'batch>],
    row: usize,
}

impl Serialize for Row<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            match column {
                Column::Days(name, days) => map.serialize_entry(name, &format_time(i64::from(days.value(self.row)) * DAY_US))?,
                Column::Times(name, times) => map.serialize_entry(name, &precise(times.value(self.row)))?,
                Column::Numbers(name, numbers) => {
                    map.serialize_entry(name, &(!numbers.is_null(self.row)).then(|| numbers.value(self.row)))?;
                }
                Column::Rounded(name, numbers) => {
                    map.serialize_entry(name, &(!numbers.is_null(self.row)).then(|| numbers.value(self.row)))?;
                }
            }
        }
        map.end()
    }
}

/// A time to the microsecond, without zeros nobody needs.
fn precise(time_us: i64) -> String {
    chrono::DateTime::from_timestamp_micros(time_us).map(|time| time.format("%Y-%m-%d %H:%M:%S%.f").to_string()).unwrap_or_default()
}

fn text_table(batch: &RecordBatch) -> String {
    let columns = columns_of(batch);
    let mut sides = Vec::new();
    let mut rows = vec![Vec::new(); batch.num_rows() + 1];
    for column in &columns {
        let (name, side) = match column {
            Column::Days(name, _) | Column::Times(name, _) => (name, Side::Left),
            Column::Numbers(name, _) | Column::Rounded(name, _) => (name, Side::Right),
        };
        sides.push(side);
        let cells = cells_of(column);
        for (row, cell) in rows.iter_mut().zip(std::iter::once((*name).to_owned()).chain(cells)) {
            row.push(cell);
        }
    }
    lay_out(&sides, &rows)
}

fn cells_of(column: &Column<'_>) -> Vec<String> {
    match column {
        Column::Days(_, days) => days.values().iter().map(|day| format_time(i64::from(*day) * DAY_US)).collect(),
        Column::Times(_, times) => times.values().iter().map(|time| format_time(*time)).collect(),
        Column::Numbers(_, numbers) => cells_of_numbers(&numbers.iter().collect::<Vec<_>>()),
        Column::Rounded(_, numbers) => cells_of_numbers(&numbers.iter().map(|number| number.map(f64::from)).collect::<Vec<_>>()),
    }
}

fn cells_of_numbers(numbers: &[Option<f64>]) -> Vec<String> {
    let decimals = decimals_of(numbers);
    numbers.iter().map(|number| number.map_or_else(|| NONE.to_owned(), |number| format!("{number:.decimals$}"))).collect()
}

/// Decimals for a whole column: none for whole numbers, else about six significant figures of its largest value.
fn decimals_of(numbers: &[Option<f64>]) -> usize {
    let largest = numbers.iter().flatten().map(|number| number.abs()).fold(0.0, f64::max);
    if numbers.iter().flatten().all(|number| number.fract() == 0.0) {
        return 0;
    }
    let before_point = if largest >= 1.0 { largest.log10().floor() as i32 + 1 } else { 0 };
    usize::try_from((6 - before_point).clamp(2, 6)).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{DataType, Field, Schema};
    use std::sync::Arc;

    fn batch() -> RecordBatch {
        let fields = vec![
            Field::new("date", DataType::Date32, false),
            Field::new("close", DataType::Float64, false),
            Field::new("ma5", DataType::Float64, true),
        ];
        let columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(Date32Array::from(vec![18_262, 18_263])),
            Arc::new(Float64Array::from(vec![100.0, 0.1 + 0.2])),
            Arc::new(Float64Array::from(vec![None, Some(-1.5)])),
        ];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("batch")
    }

    fn written(format: Format) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(format, &batch(), &mut bytes).expect("write");
        bytes
    }

    #[test]
    fn numbers_come_out_with_every_digit_and_nulls_as_nulls() {
        let csv = String::from_utf8(written(Format::Csv)).expect("text");
        assert_eq!(csv, "date,close,ma5\n2020-01-01,100.0,\n2020-01-02,0.30000000000000004,-1.5\n");
        let json: serde_json::Value = serde_json::from_slice(&written(Format::Json)).expect("json");
        assert_eq!(json[1]["close"], 0.1 + 0.2);
        assert_eq!(json[0]["ma5"], serde_json::Value::Null);
        let back: serde_json::Value = rmp_serde::from_slice(&written(Format::Msgpack)).expect("msgpack");
        assert_eq!(back, json);
    }

    #[test]
    fn a_table_lines_up() {
        let text = String::from_utf8(written(Format::Table)).expect("text");
        assert_eq!(text, "date          close       ma5\n2020-01-01  100.000         –\n2020-01-02    0.300  -1.50000\n");
    }
}
