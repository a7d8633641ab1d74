//! How a cached file is built, out of its footer: row groups, columns, encodings, compression. No value is decoded.

use super::Outline;
use std::collections::BTreeSet;

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ColumnLayout {
    /// Its name.
    pub name: String,
    /// How its values are stored: `DOUBLE`, `FLOAT`, `INT32`, `INT64`.
    pub stored_as: String,
    /// Its encodings, those of all row groups.
    pub encodings: Vec<String>,
    /// Its compression.
    pub compression: String,
    /// Bytes in the file, over all row groups.
    pub stored_bytes: u64,
    /// Bytes before compression.
    pub plain_bytes: u64,
}

/// One row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct GroupLayout {
    /// Its rows.
    pub rows: u64,
    /// Its bytes in the file.
    pub stored_bytes: u64,
}

/// How a cached file is built.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct FileLayout {
    /// Its length.
    pub size_bytes: u64,
    /// Its row groups, in order; the last of several is what an append replaces.
    pub groups: Vec<GroupLayout>,
    /// Its columns, in order.
    pub columns: Vec<ColumnLayout>,
    /// Bytes of the footer.
    pub footer_bytes: u64,
    /// Bytes that nothing refers to any more: what appends replaced.
    pub dead_bytes: u64,
    /// What wrote it, as Parquet names it.
    pub created_by: String,
    /// The version of Parquet.
    pub parquet_version: i32,
    /// Samovar's own key-value pairs that are of interest: what follows `samovar.`, and the value.
    pub written_with: Vec<(String, String)>,
}

/// Pairs that are told.
const TOLD: [&str; 4] = ["format", "engine_version", "encoder", "precision"];
/// The mark at both ends of a file, and the length of the footer before the last.
const ENDS_BYTES: u64 = 12;

/// The layout of a file of so many bytes with this outline.
pub fn layout(outline: &Outline, bytes: &[u8]) -> FileLayout {
    let metadata = &outline.metadata;
    let unsigned = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    let mut columns: Vec<ColumnLayout> = Vec::new();
    let mut groups = Vec::new();
    for group in metadata.row_groups() {
        groups.push(GroupLayout { rows: unsigned(group.num_rows()), stored_bytes: unsigned(group.compressed_size()) });
        for (place, chunk) in group.columns().iter().enumerate() {
            let encodings: BTreeSet<String> = chunk.encodings().map(|encoding| encoding.to_string()).collect();
            if columns.len() <= place {
                columns.push(ColumnLayout {
                    name: chunk.column_descr().name().to_owned(),
                    stored_as: chunk.column_type().to_string(),
                    encodings: Vec::new(),
                    compression: compression_name(&format!("{:?}", chunk.compression_codec())),
                    stored_bytes: 0,
                    plain_bytes: 0,
                });
            }
            let Some(column) = columns.get_mut(place) else { continue };
            column.stored_bytes += unsigned(chunk.compressed_size());
            column.plain_bytes += unsigned(chunk.uncompressed_size());
            column.encodings.extend(encodings);
        }
    }
    for column in &mut columns {
        column.encodings.sort();
        column.encodings.dedup();
    }
    let size_bytes = bytes.len() as u64;
    let footer_bytes = super::seal::metadata_start(bytes).map_or(0, |start| size_bytes.saturating_sub(start as u64 + 8));
    let live = groups.iter().map(|group| group.stored_bytes).sum::<u64>() + footer_bytes + ENDS_BYTES;
    let file = metadata.file_metadata();
    let pairs = file.key_value_metadata().map_or(&[][..], Vec::as_slice);
    let written_with = TOLD.iter().filter_map(|told| {
        let pair = pairs.iter().find(|pair| pair.key.strip_prefix("samovar.") == Some(told))?;
        Some(((*told).to_owned(), pair.value.clone()?))
    });
    FileLayout {
        size_bytes,
        groups,
        columns,
        footer_bytes,
        dead_bytes: size_bytes.saturating_sub(live),
        created_by: file.created_by().unwrap_or_default().to_owned(),
        parquet_version: file.version(),
        written_with: written_with.collect(),
    }
}

/// `ZSTD(ZstdLevel(1))` and the like as one word: the level is not in the file, only what the library takes for it.
fn compression_name(debug: &str) -> String {
    debug.split('(').next().unwrap_or(debug).to_lowercase()
}
