//! The columns of a row group, read straight into the vectors where they belong.
//!
//! Knows what [`super::column`] writes and what earlier versions wrote: flat columns, first data pages, plain values, byte streams,
//! dictionaries and differences, as they are or in zstd frames. Anything else is `None`, and the Parquet library's to read.
//!
//! Contract: whatever the bytes hold, nothing panics; rows are all there, or `None`.

use super::delta;
use super::levels::{self, Nulls, Run};
use super::page::{self, Bytes, Kind, Page, encoding};
use super::split;
use parquet::basic::{Compression, Type};
use parquet::file::metadata::ColumnChunkMetaData;
use std::cell::RefCell;
use zstd::bulk::Decompressor;

/// The number of dictionaries' places in files of the first version.
const OLD_DICTIONARY: i32 = 2;
/// Bytes a page may have beside those of its values: levels, and what a compressor adds.
const PAGE_EXTRA_BYTES: usize = 1 << 20;

/// Where the values of a column go.
#[derive(Debug)]
pub enum Target<'a> {
    /// Whole numbers of so many bits.
    Integers(&'a mut Vec<i64>, u32),
    /// Numbers, NaN for null.
    Numbers(&'a mut Vec<f64>),
}

/// What is used again from column to column.
struct Tools {
    decompressor: Decompressor<'static>,
    page: Vec<u8>,
    values: Vec<f64>,
    dictionary: Vec<f64>,
}

thread_local! {
    static TOOLS: RefCell<Option<Tools>> = const { RefCell::new(None) };
}

/// Appends the values of a column chunk of the file `bytes`.
pub fn read(bytes: &[u8], chunk: &ColumnChunkMetaData, mut target: Target<'_>) -> Option<()> {
    let start = usize::try_from(chunk.byte_range().0).ok()?;
    let length = usize::try_from(chunk.byte_range().1).ok()?;
    let mut bytes = Bytes(bytes.get(start..start.checked_add(length)?)?);
    let rows = usize::try_from(chunk.num_values()).ok()?;
    let descr = chunk.column_descr();
    if descr.max_rep_level() != 0 || descr.max_def_level() > 1 {
        return None;
    }
    let is_compressed = match chunk.compression_codec().into() {
        Compression::UNCOMPRESSED => false,
        Compression::ZSTD(_) => true,
        _ => return None,
    };
    let is_short = chunk.column_type() == Type::FLOAT;
    let fits = match (chunk.column_type(), &target) {
        (Type::INT32, Target::Integers(_, bits)) => *bits == 32,
        (Type::INT64, Target::Integers(_, bits)) => *bits == 64,
        (Type::DOUBLE | Type::FLOAT, Target::Numbers(_)) => true,
        _ => false,
    };
    if !fits {
        return None;
    }
    TOOLS.with_borrow_mut(|tools| {
        let tools = match tools {
            Some(tools) => tools,
            none => {
                none.insert(Tools { decompressor: Decompressor::new().ok()?, page: Vec::new(), values: Vec::new(), dictionary: Vec::new() })
            }
        };
        tools.dictionary.clear();
        let mut found = 0;
        while found < rows {
            let header = page::read(&mut bytes)?;
            let stored = bytes.take(header.stored_bytes)?;
            let kind = Kinds { is_optional: descr.max_def_level() == 1, is_short };
            if header.kind == Kind::Other || header.plain_bytes > header.values.checked_mul(16)?.checked_add(PAGE_EXTRA_BYTES)? {
                return None;
            }
            let Tools { decompressor, page, values, dictionary } = tools;
            let plain = if is_compressed {
                page.clear();
                page.reserve(header.plain_bytes);
                decompressor.decompress_to_buffer(stored, page).ok()?;
                page.as_slice()
            } else {
                stored
            };
            if plain.len() != header.plain_bytes {
                return None;
            }
            if header.kind == Kind::Dictionary {
                plain_values(plain, header.values, is_short, dictionary)?;
                continue;
            }
            found = found.checked_add(header.values).filter(|found| *found <= rows && header.values > 0)?;
            match &mut target {
                Target::Integers(out, bits) => integers(plain, &header, kind, *bits, out)?,
                Target::Numbers(out) => numbers(plain, &header, kind, dictionary, values, out)?,
            }
        }
        Some(())
    })
}

/// How a column is described.
#[derive(Clone, Copy)]
struct Kinds {
    is_optional: bool,
    is_short: bool,
}

fn integers(page: &[u8], header: &Page, kind: Kinds, bits: u32, out: &mut Vec<i64>) -> Option<()> {
    if kind.is_optional {
        return None;
    }
    match header.encoding {
        encoding::DELTA_BINARY_PACKED => delta::read(&mut Bytes(page), header.values, bits, |value| out.push(value)),
        encoding::PLAIN if bits == 32 => {
            let values = page.get(..header.values.checked_mul(4)?)?.as_chunks().0;
            out.extend(values.iter().map(|bytes| i64::from(i32::from_le_bytes(*bytes))));
            Some(())
        }
        encoding::PLAIN => {
            let values = page.get(..header.values.checked_mul(8)?)?.as_chunks().0;
            out.extend(values.iter().map(|bytes| i64::from_le_bytes(*bytes)));
            Some(())
        }
        _ => None,
    }
}

fn numbers(page: &[u8], header: &Page, kind: Kinds, dictionary: &[f64], room: &mut Vec<f64>, out: &mut Vec<f64>) -> Option<()> {
    let mut page = Bytes(page);
    let nulls = match kind.is_optional {
        true if header.levels_encoding != encoding::RLE => return None,
        true => levels::read(&mut page, header.values)?,
        false => Nulls::First(0),
    };
    match nulls {
        Nulls::First(nulls) => {
            out.resize(out.len() + nulls, f64::NAN);
            present(page, header.encoding, header.values - nulls, kind.is_short, dictionary, out)
        }
        Nulls::Mixed(has_value) => {
            room.clear();
            let count = has_value.iter().filter(|has_value| **has_value).count();
            present(page, header.encoding, count, kind.is_short, dictionary, room)?;
            let mut values = room.iter();
            out.extend(has_value.into_iter().map(
                |has_value| {
                    if has_value { values.next().copied().unwrap_or(f64::NAN) } else { f64::NAN }
                },
            ));
            Some(())
        }
    }
}

/// Appends the values of a page that are not null.
fn present(page: Bytes<'_>, of: i32, count: usize, is_short: bool, dictionary: &[f64], out: &mut Vec<f64>) -> Option<()> {
    let start = out.len();
    match of {
        encoding::PLAIN => plain_values(page.0, count, is_short, out)?,
        encoding::BYTE_STREAM_SPLIT if is_short => split::read_short_streams(page.0.get(..count.checked_mul(4)?)?, out),
        encoding::BYTE_STREAM_SPLIT => split::read_streams(page.0.get(..count.checked_mul(8)?)?, out),
        encoding::RLE_DICTIONARY | OLD_DICTIONARY if count > 0 => {
            let mut page = page;
            let width = u32::from(page.byte()?);
            if width > 32 {
                return None;
            }
            let value = |place: u32| dictionary.get(place as usize).copied();
            while out.len() - start < count {
                match levels::next_run(&mut page, width, count - (out.len() - start))? {
                    // A run of nothing would never end.
                    Run::Same(0, _) | Run::Packed(0, _) => return None,
                    Run::Same(length, place) => out.resize(out.len() + length, value(place)?),
                    Run::Packed(length, packed) => {
                        for place in levels::unpacked(packed, width, length) {
                            out.push(value(place)?);
                        }
                    }
                }
            }
        }
        encoding::RLE_DICTIONARY | OLD_DICTIONARY => {}
        _ => return None,
    }
    (out.len() - start == count).then_some(())
}

fn plain_values(bytes: &[u8], count: usize, is_short: bool, out: &mut Vec<f64>) -> Option<()> {
    if is_short {
        let values = bytes.get(..count.checked_mul(4)?)?.as_chunks().0;
        out.extend(values.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))));
    } else {
        let values = bytes.get(..count.checked_mul(8)?)?.as_chunks().0;
        out.extend(values.iter().map(|bytes| f64::from_le_bytes(*bytes)));
    }
    Some(())
}
