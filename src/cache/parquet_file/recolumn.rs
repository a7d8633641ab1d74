//! A file with some columns of another one, taken from there as they are encoded, and others computed anew.
//!
//! Contract: both files are about the same bars, and the rows lie in the same row groups; a column that is taken has the same
//! bytes in both. Nothing is decoded, so this costs what encoding the new columns does, and copying.

use super::encode::{
    self, Encoded, MAGIC, feature_field, feature_values, file_of, group_of, metadata_bytes, put_copy, put_groups, sealed_file,
};
use super::{Footer, Outline};
use crate::feature::{FeatureTable, RAW_COLUMNS};
use arrow::datatypes::Field;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::schema::types::SchemaDescPtr;
use std::sync::Arc;

/// Where a feature's column of the new file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFrom<'a> {
    /// The column of this name of the present file.
    Present(&'a str),
    /// This column of the computed table.
    Computed(usize),
}

/// One column of the new file: its name, the present file's place of it, or the place among the computed ones.
struct Column {
    field: Field,
    from: Result<usize, usize>,
}

/// Encodes a file of the same bars with these features, in this order. `None` where the present file does not have a column, or
/// has it in another type: then all of it is to be encoded.
///
/// # Errors
/// What the Parquet library says, as text.
pub fn encode_with(
    present: &[u8],
    outline: &Outline,
    features: &[(Arc<str>, ColumnFrom<'_>)],
    computed: &FeatureTable,
    footer: &Footer,
) -> Result<Option<Encoded>, String> {
    let text = |error: ParquetError| error.to_string();
    let Some(columns) = columns_of(outline, features, footer).map_err(text)? else { return Ok(None) };
    if computed.columns.iter().any(|column| column.len() != outline.rows) {
        return Err("the computed columns have other rows than the file".to_owned());
    }
    let file = file_of(columns.iter().map(|column| column.field.clone())).map_err(text)?;
    let mut copier = Copier { bytes: MAGIC.to_vec(), schema: file.schema_descr_ptr() };
    copier.bytes.reserve(present.len());
    let (mut groups, mut from_row) = (Vec::new(), 0);
    for group in outline.metadata.row_groups() {
        let rows = usize::try_from(group.num_rows()).map_err(|_negative| "negative number of rows".to_owned())?;
        let new = encode_computed(&columns, computed, from_row, rows, footer)?;
        groups.push(copier.group(groups.len(), &columns, (present, group), new.as_ref()).map_err(text)?);
        from_row += rows;
    }
    let made = footer.provenance.ok_or("features have a definition and inputs")?;
    let behind = |pairs| metadata_bytes(&file, groups, pairs).map_err(text);
    sealed_file(copier.bytes, footer, super::features_fingerprint(made), computed.resolution, behind).map(Some)
}

/// The columns of the new file: those of the bars as they are, then the features.
fn columns_of(outline: &Outline, features: &[(Arc<str>, ColumnFrom<'_>)], footer: &Footer) -> Result<Option<Vec<Column>>, ParquetError> {
    let file = outline.metadata.file_metadata();
    let present = parquet_to_arrow_schema(file.schema_descr(), None)?;
    let raw = present.fields().iter().enumerate().filter(|(_, field)| RAW_COLUMNS.contains(&field.name().as_str()));
    let mut columns: Vec<Column> = raw.map(|(place, field)| Column { field: Field::clone(field), from: Ok(place) }).collect();
    for (name, from) in features {
        let field = feature_field(name, footer.precision);
        let from = match from {
            ColumnFrom::Computed(place) => Err(*place),
            ColumnFrom::Present(known) => match present.column_with_name(known) {
                Some((place, found)) if found.data_type() == field.data_type() => Ok(place),
                _ => return Ok(None),
            },
        };
        columns.push(Column { field, from });
    }
    Ok(Some(columns))
}

/// Some rows of the computed columns.
struct Computed {
    bytes: Vec<u8>,
    group: RowGroupMetaData,
}

/// The computed columns of some rows, encoded; `None` when there are none.
fn encode_computed(
    columns: &[Column],
    computed: &FeatureTable,
    from_row: usize,
    rows: usize,
    footer: &Footer,
) -> Result<Option<Computed>, String> {
    let mut new = Vec::new();
    for column in columns {
        let Err(place) = column.from else { continue };
        let values = computed.columns.get(place).ok_or("a computed column is missing")?;
        new.push(encode::Column { field: column.field.clone(), values: feature_values(values, footer.precision) });
    }
    if new.is_empty() || rows == 0 {
        return Ok(None);
    }
    let text = |error: ParquetError| error.to_string();
    let file = file_of(new.iter().map(|column| column.field.clone())).map_err(text)?;
    let mut bytes = Vec::new();
    let groups = put_groups(&mut bytes, &file, &new, from_row..from_row + rows, 0, None).map_err(text)?;
    // A row group of the present file fits into one.
    Ok(groups.into_iter().next().map(|group| Computed { bytes, group }))
}

/// Puts column chunks behind each other.
struct Copier {
    bytes: Vec<u8>,
    schema: SchemaDescPtr,
}

impl Copier {
    /// A row group of chunks of the present file's group and of newly encoded ones.
    fn group(
        &mut self,
        number: usize,
        columns: &[Column],
        (present, group): (&[u8], &RowGroupMetaData),
        new: Option<&Computed>,
    ) -> Result<RowGroupMetaData, ParquetError> {
        let missing = || ParquetError::General("a column chunk is missing".to_owned());
        let mut chunks = Vec::with_capacity(columns.len());
        let mut next_new = 0;
        let start = self.bytes.len();
        for (place, column) in columns.iter().enumerate() {
            let (bytes, chunk) = match column.from {
                Ok(place) => (present, group.columns().get(place).ok_or_else(missing)?),
                Err(_) => {
                    let new = new.ok_or_else(missing)?;
                    let chunk = new.group.columns().get(next_new).ok_or_else(missing)?;
                    next_new += 1;
                    (&*new.bytes, chunk)
                }
            };
            chunks.push(put_copy(&mut self.bytes, self.schema.column(place), bytes, chunk)?);
        }
        group_of(&self.schema, usize::try_from(group.num_rows()).unwrap_or(0), chunks, start, number)
    }
}
