//! One column of a row group as pages, each column kept in the way that costs least for what it holds.
//!
//! What there is to choose from, by a sample of the column's values (`benches/README.md` has the figures):
//! few different values: a dictionary; whole numbers: byte streams without their zero bytes; prices, whose low bytes repeat
//! because they are a number of cents: zstd over the values as they are; anything else, computed values mostly: byte streams of
//! which only the high ones are compressed, the others being noise. What is too short to gain anything is left as it is.
//!
//! Contract: depends on the values alone, so the same values give the same bytes.

use super::delta;
use super::levels;
use super::page::{self, Kind, Page, encoding};
use super::sample::{Way, dictionary_of, streams_of, way_of};
use super::split::{self, Layout};
use crate::market::DAY_US;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use std::cell::RefCell;
use std::io;
use zstd::bulk::Compressor;

/// zstd's level for what is worth compressing: repetitions are found, and no time is spent on single bytes.
const LEVEL: i32 = -1;
/// Most rows of a page.
const PAGE_ROWS: usize = 1 << 16;
/// What a page must shrink to, in percent, for looking for repetitions in it to be worth it.
const WORTH_PERCENT: usize = 85;

/// The values of a column.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// Days since 1970-01-01, from microseconds.
    Days(&'a [i64]),
    /// Microseconds.
    Times(&'a [i64]),
    /// Numbers that are never null.
    Whole(&'a [f64]),
    /// Numbers, null where NaN.
    Double(&'a [f64]),
    /// Numbers kept as Float32, null where that has none.
    Float(&'a [f64]),
}

impl<'a> Values<'a> {
    /// Some of the rows.
    pub fn rows(self, rows: std::ops::Range<usize>) -> Option<Self> {
        Some(match self {
            Self::Days(values) => Self::Days(values.get(rows)?),
            Self::Times(values) => Self::Times(values.get(rows)?),
            Self::Whole(values) => Self::Whole(values.get(rows)?),
            Self::Double(values) => Self::Double(values.get(rows)?),
            Self::Float(values) => Self::Float(values.get(rows)?),
        })
    }

    /// How many.
    pub fn len(self) -> usize {
        match self {
            Self::Days(values) | Self::Times(values) => values.len(),
            Self::Whole(values) | Self::Double(values) | Self::Float(values) => values.len(),
        }
    }
}

/// Where a column chunk lies, and what a footer says of it.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// How its pages are compressed.
    pub codec: Compression,
    /// How its values and levels are written.
    pub encodings: Vec<Encoding>,
    /// Where its dictionary begins, from the first byte of all.
    pub dictionary_at: Option<usize>,
    /// Where its first page of values begins.
    pub data_at: usize,
    /// Values, nulls among them.
    pub values: usize,
    /// Bytes with the headers of its pages.
    pub stored_bytes: usize,
    /// The same if nothing were compressed.
    pub plain_bytes: usize,
}

/// What is used again from column to column.
struct Tools {
    compressor: Compressor<'static>,
    /// A page before it is compressed.
    page: Vec<u8>,
    frame: Vec<u8>,
    scratch: Vec<u8>,
    present: Vec<f64>,
    short: Vec<f32>,
}

impl Tools {
    fn new() -> io::Result<Self> {
        Ok(Self {
            compressor: Compressor::new(LEVEL)?,
            page: Vec::new(),
            frame: Vec::new(),
            scratch: Vec::new(),
            present: Vec::new(),
            short: Vec::new(),
        })
    }
}

thread_local! {
    static TOOLS: RefCell<Option<Tools>> = const { RefCell::new(None) };
}

/// The days of times; beyond what Parquet's days can hold, the last of these.
pub fn days_of(time_us: &[i64]) -> Vec<i64> {
    time_us.iter().map(|time| time.div_euclid(DAY_US).clamp(i64::from(i32::MIN), i64::from(i32::MAX))).collect()
}

/// The value that Float32 keeps; null for null, and for what no Float32 can hold.
pub fn narrowed(value: f64) -> Option<f32> {
    // Rounding is what is asked for.
    let narrow = value as f32;
    narrow.is_finite().then_some(narrow)
}

/// Appends the pages of a column.
///
/// # Errors
/// What the compressor says.
pub fn put(out: &mut Vec<u8>, values: Values<'_>) -> io::Result<Chunk> {
    TOOLS.with_borrow_mut(|tools| {
        let tools = match tools {
            Some(tools) => tools,
            none => none.insert(Tools::new()?),
        };
        let data_at = out.len();
        let chunk = Chunk {
            codec: Compression::UNCOMPRESSED,
            encodings: Vec::new(),
            dictionary_at: None,
            data_at,
            values: values.len(),
            stored_bytes: 0,
            plain_bytes: 0,
        };
        let mut writer = Writer { out, tools, chunk };
        match values {
            Values::Days(values) => writer.times(&days_of(values), 32),
            Values::Times(values) => writer.times(values, 64),
            Values::Whole(values) => writer.numbers(values, Numbers { is_optional: false, is_short: false })?,
            Values::Double(values) => writer.numbers(values, Numbers { is_optional: true, is_short: false })?,
            Values::Float(values) => writer.numbers(values, Numbers { is_optional: true, is_short: true })?,
        }
        Ok(writer.chunk)
    })
}

/// How numbers are described.
#[derive(Clone, Copy)]
struct Numbers {
    is_optional: bool,
    is_short: bool,
}

impl Numbers {
    fn is_null(self, value: f64) -> bool {
        self.is_optional && if self.is_short { narrowed(value).is_none() } else { value.is_nan() }
    }

    /// The bits that are kept.
    fn bits(self, value: f64) -> u64 {
        if self.is_short { u64::from((value as f32).to_bits()) } else { value.to_bits() }
    }

    fn width(self) -> usize {
        if self.is_short { 4 } else { 8 }
    }
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    tools: &'a mut Tools,
    chunk: Chunk,
}

impl Writer<'_> {
    fn times(&mut self, times: &[i64], bits: u32) {
        for times in times.chunks(PAGE_ROWS) {
            self.tools.page.clear();
            delta::put(&mut self.tools.page, times, bits);
            self.stored_page(Kind::Data, times.len(), encoding::DELTA_BINARY_PACKED);
        }
        self.chunk.encodings = vec![Encoding::DELTA_BINARY_PACKED];
    }

    fn numbers(&mut self, values: &[f64], numbers: Numbers) -> io::Result<()> {
        let bits = |value: f64| (!numbers.is_null(value)).then(|| numbers.bits(value));
        let mut way = way_of(values, numbers.width(), bits);
        if way == Way::Dictionary {
            if self.with_dictionary(values, numbers) {
                return Ok(());
            }
            way = if numbers.is_short { Way::Split } else { Way::Matched };
        }
        for (number, rows) in values.chunks(PAGE_ROWS).enumerate() {
            self.tools.fill(rows, numbers, way)?;
            if number == 0 && way == Way::Matched && self.tools.frame.len() * 100 > self.tools.page.len() * WORTH_PERCENT {
                // Not what the sample promised.
                way = Way::Split;
                self.tools.fill(rows, numbers, way)?;
            }
            let encoding = if way == Way::Split { encoding::BYTE_STREAM_SPLIT } else { encoding::PLAIN };
            if way == Way::Stored {
                self.stored_page(Kind::Data, rows.len(), encoding);
            } else {
                self.page(Kind::Data, rows.len(), encoding, true);
            }
        }
        let encoding = if way == Way::Split { Encoding::BYTE_STREAM_SPLIT } else { Encoding::PLAIN };
        self.chunk.encodings = vec![encoding, Encoding::RLE];
        if way != Way::Stored {
            self.chunk.codec = Compression::ZSTD(ZstdLevel::try_new(1).map_err(io::Error::other)?);
        }
        Ok(())
    }

    /// Writes a dictionary and places in it; `false` when there are too many different values.
    fn with_dictionary(&mut self, values: &[f64], numbers: Numbers) -> bool {
        let bits = |value: f64| (!numbers.is_null(value)).then(|| numbers.bits(value));
        let Some((dictionary, places)) = dictionary_of(values, bits).filter(|_| values.len() <= PAGE_ROWS) else { return false };
        self.chunk.dictionary_at = Some(self.out.len());
        self.tools.page.clear();
        for value in &dictionary {
            self.tools.page.extend_from_slice(value.to_le_bytes().get(..numbers.width()).unwrap_or_default());
        }
        self.stored_page(Kind::Dictionary, dictionary.len(), encoding::PLAIN);
        self.chunk.data_at = self.out.len();
        self.tools.page.clear();
        if numbers.is_optional {
            levels::put(&mut self.tools.page, values, |value| numbers.is_null(value));
        }
        let width = (usize::BITS - dictionary.len().saturating_sub(1).leading_zeros()).max(1);
        self.tools.page.push(width as u8);
        levels::put_places(&mut self.tools.page, &places, width);
        self.stored_page(Kind::Data, values.len(), encoding::RLE_DICTIONARY);
        self.chunk.encodings = vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY];
        true
    }

    /// Appends the page that was prepared, as it is.
    fn stored_page(&mut self, kind: Kind, values: usize, encoding: i32) {
        self.page(kind, values, encoding, false);
    }

    fn page(&mut self, kind: Kind, values: usize, encoding: i32, is_compressed: bool) {
        let plain = &self.tools.page;
        let stored = if is_compressed { &self.tools.frame } else { plain };
        let start = self.out.len();
        let (plain_bytes, stored_bytes) = (plain.len(), stored.len());
        page::put(self.out, &Page { kind, plain_bytes, stored_bytes, values, encoding, levels_encoding: encoding::RLE });
        let header = self.out.len() - start;
        self.out.extend_from_slice(stored);
        self.chunk.stored_bytes += header + stored_bytes;
        self.chunk.plain_bytes += header + plain_bytes;
    }
}

impl Tools {
    /// Prepares a page of numbers, and its frame unless it is stored as it is.
    fn fill(&mut self, rows: &[f64], numbers: Numbers, way: Way) -> io::Result<()> {
        let Self { compressor, page, frame, scratch, present, short } = self;
        page.clear();
        if numbers.is_optional {
            levels::put(page, rows, |value| numbers.is_null(value));
        }
        let head = page.len();
        let present = present_of(rows, numbers, present);
        let is_split = way == Way::Split;
        if numbers.is_short {
            short.clear();
            short.extend(present.iter().map(|value| *value as f32));
            if is_split { split::put_short_streams(page, short) } else { page.extend_from_slice(bytemuck::cast_slice(short)) }
        } else if is_split {
            split::put_streams(page, present);
        } else {
            page.extend_from_slice(bytemuck::cast_slice(present));
        }
        frame.clear();
        let layout = match way {
            Way::Stored | Way::Dictionary => return Ok(()),
            Way::Matched => Layout { head: 0, zeros: 0, noise: 0 },
            Way::Split => {
                let (zeros, noise) = streams_of(present, numbers.width(), |value| numbers.bits(value));
                Layout { head, zeros: zeros * present.len(), noise: noise * present.len() }
            }
        };
        split::put_frame(frame, page, layout, compressor, scratch)
    }
}

/// The values that are not null, in `room` unless they lie together as they are.
fn present_of<'a>(rows: &'a [f64], numbers: Numbers, room: &'a mut Vec<f64>) -> &'a [f64] {
    if !numbers.is_optional {
        return rows;
    }
    let nulls = rows.iter().take_while(|value| numbers.is_null(**value)).count();
    let rows = rows.get(nulls..).unwrap_or_default();
    if rows.iter().fold(false, |any, value| any | numbers.is_null(*value)) {
        room.clear();
        room.extend(rows.iter().copied().filter(|value| !numbers.is_null(*value)));
        return room;
    }
    rows
}
