//! One CSV or Parquet file as columns: its header, and batches of the columns that are wanted.
//!
//! Knows nothing of bars. CSV values stay text; what they mean is decided by who asked for them.

use super::error::{SourceError, SourceErrorKind};
use super::time_value::{micros_of_number, micros_of_text, number_of_text};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows of a batch.
const BATCH_ROWS: usize = 16_384;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv { delimiter: u8, begins_at: u64 },
    Parquet,
}

/// A file whose header was read.
#[derive(Debug, Clone)]
pub(super) struct TableFile {
    path: PathBuf,
    format: Format,
    columns: Vec<String>,
}

/// Batches of a file: the wanted columns in the order they were wanted.
pub(super) type Batches = Box<dyn Iterator<Item = Result<Vec<ArrayRef>, SourceError>>>;

impl TableFile {
    /// Whether the name looks like a file this can read.
    pub(super) fn is_one(path: &Path) -> bool {
        extension(path).is_some_and(|extension| matches!(extension.as_str(), "csv" | "tsv" | "txt" | "parquet" | "pq"))
    }

    /// Reads the header.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        if matches!(extension(path).as_deref(), Some("parquet" | "pq")) { Self::open_parquet(path) } else { Self::open_csv(path) }
    }

    fn open_parquet(path: &Path) -> Result<Self, SourceError> {
        let builder = parquet_builder(path)?;
        let columns = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { path: path.to_path_buf(), format: Format::Parquet, columns })
    }

    fn open_csv(path: &Path) -> Result<Self, SourceError> {
        let file = File::open(path).map_err(|error| bad_file(path, &error))?;
        let mut line = Vec::new();
        // A header this long is none; without a limit a file of zeros would be read into memory.
        BufReader::new(file).take(1 << 20).read_until(b'\n', &mut line).map_err(|error| bad_file(path, &error))?;
        let begins_at = if line.starts_with(BOM) { BOM.len() } else { 0 };
        let header = std::str::from_utf8(line.get(begins_at..).unwrap_or_default()).map_err(|_| bad_file(path, &"it is no UTF-8 text"))?;
        if header.trim().is_empty() {
            return Err(bad_file(path, &"it has no header line"));
        }
        let delimiter = [b',', b'\t', b';', b'|']
            .into_iter()
            .max_by_key(|delimiter| (header.bytes().filter(|byte| byte == delimiter).count(), *delimiter == b','))
            .unwrap_or(b',');
        let mut reader = arrow::csv::reader::Format::default().with_delimiter(delimiter).with_header(true);
        reader = reader.with_truncated_rows(true);
        let (schema, _) = reader.infer_schema(header.as_bytes(), Some(1)).map_err(|error| bad_file(path, &error))?;
        let columns = schema.fields().iter().map(|field| field.name().trim().to_owned()).collect();
        let format = Format::Csv { delimiter, begins_at: u64::try_from(begins_at).unwrap_or_default() };
        Ok(Self { path: path.to_path_buf(), format, columns })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Reads these columns, batch by batch.
    pub(super) fn batches(&self, wanted: &[&str], batch_rows: Option<usize>) -> Result<Batches, SourceError> {
        let positions: Vec<usize> = wanted.iter().filter_map(|name| self.columns.iter().position(|column| column == name)).collect();
        let mut projection = positions.clone();
        projection.sort_unstable();
        projection.dedup();
        // Where each wanted column is among those that are read.
        let order: Vec<usize> = positions.iter().filter_map(|position| projection.binary_search(position).ok()).collect();
        let rows = batch_rows.unwrap_or(BATCH_ROWS);
        let path = self.path.clone();
        let pick = move |batch: Result<arrow::record_batch::RecordBatch, arrow::error::ArrowError>| {
            let batch = batch.map_err(|error| bad_file(&path, &error))?;
            Ok(order.iter().filter_map(|position| batch.columns().get(*position).cloned()).collect())
        };
        match self.format {
            Format::Parquet => {
                let builder = parquet_builder(&self.path)?;
                let mask = ProjectionMask::roots(builder.parquet_schema(), projection);
                let reader = builder.with_projection(mask).with_batch_size(rows).build().map_err(|error| bad_file(&self.path, &error))?;
                Ok(Box::new(reader.map(pick)))
            }
            Format::Csv { delimiter, begins_at } => {
                let mut file = File::open(&self.path).map_err(|error| bad_file(&self.path, &error))?;
                file.seek(SeekFrom::Start(begins_at)).map_err(|error| bad_file(&self.path, &error))?;
                let fields: Vec<Field> =
                    (0..self.columns.len()).map(|number| Field::new(format!("c{number}"), DataType::Utf8, true)).collect();
                let reader = arrow::csv::ReaderBuilder::new(Arc::new(Schema::new(fields)))
                    .with_header(true)
                    .with_delimiter(delimiter)
                    .with_truncated_rows(true)
                    .with_batch_size(rows)
                    .with_projection(projection)
                    .build_buffered(BufReader::with_capacity(1 << 18, file))
                    .map_err(|error| bad_file(&self.path, &error))?;
                Ok(Box::new(reader.map(pick)))
            }
        }
    }
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

fn parquet_builder(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, SourceError> {
    let file = File::open(path).map_err(|error| bad_file(path, &error))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| bad_file(path, &error))
}

pub(super) fn bad_file(path: &Path, detail: &dyn std::fmt::Display) -> SourceError {
    SourceError::new(
        SourceErrorKind::BadFile,
        format!("cannot read {} ({detail})", path.display()),
        "write the file again, as CSV in UTF-8 with a header line or as Parquet, or take it out of the folder",
    )
}

/// A column of times.
pub(super) enum Times {
    Micros(arrow::array::PrimitiveArray<TimestampMicrosecondType>),
    Numbers(arrow::array::PrimitiveArray<Int64Type>),
    Texts(arrow::array::StringArray),
}

impl Times {
    pub(super) fn of(column: &ArrayRef) -> Result<Self, arrow::error::ArrowError> {
        match column.data_type() {
            DataType::Date32 | DataType::Date64 => {
                let micros = arrow::compute::cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
                Ok(Self::Micros(micros.as_primitive::<TimestampMicrosecondType>().clone()))
            }
            DataType::Timestamp(_, zone) => {
                // The zone is kept as it is: instants are shown in UTC, wall clocks as they are.
                let micros = arrow::compute::cast(column, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                Ok(Self::Micros(micros.as_primitive::<TimestampMicrosecondType>().clone()))
            }
            kind if kind.is_numeric() => {
                let numbers = arrow::compute::cast(column, &DataType::Int64)?;
                Ok(Self::Numbers(numbers.as_primitive::<Int64Type>().clone()))
            }
            _ => texts_of(column).map(Self::Texts),
        }
    }

    /// The time of a row, or the value that is none.
    pub(super) fn at(&self, row: usize) -> Result<i64, String> {
        let missing = || "NULL".to_owned();
        match self {
            Self::Micros(micros) => (!micros.is_null(row)).then(|| micros.value(row)).ok_or_else(missing),
            Self::Numbers(numbers) if numbers.is_null(row) => Err(missing()),
            Self::Numbers(numbers) => micros_of_number(numbers.value(row)).ok_or_else(|| numbers.value(row).to_string()),
            Self::Texts(texts) if texts.is_null(row) => Err(missing()),
            Self::Texts(texts) => micros_of_text(texts.value(row)).ok_or_else(|| texts.value(row).to_owned()),
        }
    }
}

/// A column as text.
pub(super) fn texts_of(column: &ArrayRef) -> Result<arrow::array::StringArray, arrow::error::ArrowError> {
    arrow::compute::cast(column, &DataType::Utf8).map(|texts| texts.as_string::<i32>().clone())
}

/// A column as numbers; what is none is NaN.
pub(super) fn numbers_of(column: &ArrayRef) -> Result<Vec<f64>, arrow::error::ArrowError> {
    if matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)) {
        let texts = texts_of(column)?;
        return Ok(texts.iter().map(|text| text.map_or(f64::NAN, number_of_text)).collect());
    }
    let numbers = arrow::compute::cast(column, &DataType::Float64)?;
    Ok(numbers.as_primitive::<Float64Type>().iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}
