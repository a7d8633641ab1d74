//! Values of a binary row: what the columns of an answer are, and reading one value after the other.
//!
//! Knows types, not bars. A type that is not listed here is left to the general client.

use super::wire::{Cursor, WireError, cut_short};
use crate::market::{SECOND_US, micros_of_date};
use chrono::NaiveDate;

const UNSIGNED: u16 = 32;
const ZEROFILL: u16 = 64;

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Double,
    Float,
    Tiny {
        is_signed: bool,
    },
    Short {
        is_signed: bool,
    },
    Long {
        is_signed: bool,
    },
    LongLong {
        is_signed: bool,
    },
    Bytes,
    Day,
    Moment,
    /// No value at all, ever.
    Null,
}

/// A column of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) shape: Shape,
    /// Digits of a second.
    pub(super) decimals: u8,
    /// Whether the server writes a number with zeros in front.
    pub(super) is_filled: bool,
}

impl Column {
    /// A column from its definition.
    pub(super) fn read(packet: &[u8]) -> Result<Self, WireError> {
        let mut cursor = Cursor(packet);
        // Catalogue, schema, table and column, each by both of its names.
        for _ in 0..6 {
            cursor.counted()?;
        }
        cursor.length()?;
        cursor.bytes(6)?;
        let kind = cursor.byte()?;
        let flags = cursor.u16()?;
        let decimals = cursor.byte()?;
        let is_signed = flags & UNSIGNED == 0;
        let shape = match kind {
            1 => Shape::Tiny { is_signed },
            2 | 13 => Shape::Short { is_signed },
            3 | 9 => Shape::Long { is_signed },
            8 => Shape::LongLong { is_signed },
            4 => Shape::Float,
            5 => Shape::Double,
            6 => Shape::Null,
            10 | 14 => Shape::Day,
            7 | 12 => Shape::Moment,
            // Decimals, texts, sets, blobs.
            0 | 15 | 16 | 245..=254 => Shape::Bytes,
            _ => return Err(WireError::Unsupported(format!("a column of type {kind}"))),
        };
        Ok(Self { shape, decimals, is_filled: flags & ZEROFILL != 0 })
    }
}

/// A day and perhaps a time, as written: neither need be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moment {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) micros: u32,
}

impl Moment {
    #[inline]
    fn read(cursor: &mut Cursor) -> Result<Self, WireError> {
        let length = cursor.byte()?;
        let mut moment = Self::default();
        if length >= 4 {
            let [low, high, month, day] = cursor.array()?;
            moment = Self { year: u16::from_le_bytes([low, high]), month, day, ..moment };
        }
        if length >= 7 {
            let [hour, minute, second] = cursor.array()?;
            moment = Self { hour, minute, second, ..moment };
        }
        if length >= 11 {
            moment.micros = cursor.u32()?;
        }
        if !matches!(length, 0 | 4 | 7 | 11) {
            return Err(WireError::Protocol("a time of unknown length".to_owned()));
        }
        Ok(moment)
    }

    /// Microseconds since 1970; `None` if no calendar has this day, or no day this time.
    #[inline]
    pub(super) fn micros(&self) -> Option<i64> {
        let day = NaiveDate::from_ymd_opt(i32::from(self.year), u32::from(self.month), u32::from(self.day))?;
        if self.hour > 23 || self.minute > 59 || self.second > 59 || self.micros > 999_999 {
            return None;
        }
        let seconds = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        Some(micros_of_date(day) + seconds * SECOND_US + i64::from(self.micros))
    }
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Double(f64),
    Signed(i64),
    Unsigned(u64),
    Bytes(&'a [u8]),
    Moment(Moment),
}

impl<'a> Value<'a> {
    /// The next value of a row.
    #[inline]
    fn read(shape: Shape, cursor: &mut Cursor<'a>) -> Result<Self, WireError> {
        Ok(match shape {
            Shape::Double => Self::Double(f64::from_le_bytes(cursor.array()?)),
            Shape::Float => Self::Double(f64::from(f32::from_le_bytes(cursor.array()?))),
            Shape::LongLong { is_signed: true } => Self::Signed(i64::from_le_bytes(cursor.array()?)),
            Shape::LongLong { is_signed: false } => Self::Unsigned(u64::from_le_bytes(cursor.array()?)),
            Shape::Long { is_signed: true } => Self::Signed(i64::from(i32::from_le_bytes(cursor.array()?))),
            Shape::Long { is_signed: false } => Self::Unsigned(u64::from(u32::from_le_bytes(cursor.array()?))),
            Shape::Short { is_signed: true } => Self::Signed(i64::from(i16::from_le_bytes(cursor.array()?))),
            Shape::Short { is_signed: false } => Self::Unsigned(u64::from(u16::from_le_bytes(cursor.array()?))),
            Shape::Tiny { is_signed: true } => Self::Signed(i64::from(i8::from_le_bytes(cursor.array()?))),
            Shape::Tiny { is_signed: false } => Self::Unsigned(u64::from(cursor.byte()?)),
            Shape::Bytes => Self::Bytes(cursor.counted()?),
            Shape::Day | Shape::Moment => Self::Moment(Moment::read(cursor)?),
            Shape::Null => Self::Null,
        })
    }
}

/// The values of a row, one after the other; the row's leading zero is taken off.
pub(super) struct Values<'a> {
    nulls: &'a [u8],
    cursor: Cursor<'a>,
    position: usize,
}

impl<'a> Values<'a> {
    #[inline]
    pub(super) fn of(row: &'a [u8], columns: usize) -> Result<Self, WireError> {
        // Two bits in front are not used.
        let (nulls, values) = row.split_at_checked((columns + 9) / 8).ok_or_else(cut_short)?;
        Ok(Self { nulls, cursor: Cursor(values), position: 2 })
    }

    #[inline]
    pub(super) fn next(&mut self, shape: Shape) -> Result<Value<'a>, WireError> {
        let is_null = self.nulls.get(self.position / 8).is_some_and(|bits| bits >> (self.position % 8) & 1 == 1);
        self.position += 1;
        if is_null { Ok(Value::Null) } else { Value::read(shape, &mut self.cursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_gaps_are_read_in_their_order() {
        let shapes = [Shape::Bytes, Shape::Day, Shape::Double, Shape::LongLong { is_signed: true }, Shape::Tiny { is_signed: false }];
        let mut row = vec![0b0000_1000 | 0b0010_0000];
        row.extend(b"\x03abc");
        row.extend(1.5_f64.to_le_bytes());
        row.push(200);
        let mut values = Values::of(&row, shapes.len()).unwrap();
        let read: Vec<Value> = shapes.iter().map(|shape| values.next(*shape).unwrap()).collect();
        assert_eq!(read, [Value::Bytes(b"abc"), Value::Null, Value::Double(1.5), Value::Null, Value::Unsigned(200)]);
        for end in 0..row.len() {
            let cut = Values::of(&row[..end], shapes.len())
                .and_then(|mut values| shapes.iter().try_for_each(|shape| values.next(*shape).map(|_| ())));
            assert!(cut.is_err(), "{end}");
        }
    }

    #[test]
    fn days_no_calendar_has_have_no_time() {
        let moment = |year, month, day, hour| Moment { year, month, day, hour, ..Moment::default() };
        assert_eq!(moment(1970, 1, 2, 1).micros(), Some(90_000_000_000));
        for none in [moment(0, 0, 0, 0), moment(2024, 0, 0, 0), moment(2024, 2, 30, 0), moment(2024, 1, 1, 24)] {
            assert_eq!(none.micros(), None, "{none:?}");
        }
    }
}
