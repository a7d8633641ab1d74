//! Rows in PostgreSQL's binary format, out of a COPY or a statement: decoded in place, straight into columns, with a digest if wanted.
//!
//! Knows no connection. Contract: a value of a length its type does not have is an error, never a wrong number; a digest made here is
//! what the server would count and hash of the same rows (see `postgres_digest`), or none.

use super::collect::{Collector, NoTime};
use super::columns::ColumnRole;
use super::postgres_text::{BEFORE_ALL_DAYS, EPOCH_DAYS, INFINITE_DAY, RecordText, year_of_day};
use super::table::{NumberKind, TablePlan};
use super::time_value::{DateStyle, epoch_limits, micros_of_number, micros_of_text, number_of_text, style_of_number};
use crate::market::DAY_US;

/// Symbol, date and eight numbers.
const MOST_FIELDS: usize = 10;

/// The values of a row, as many as are selected.
pub(super) type Fields<'row> = [Option<&'row [u8]>; MOST_FIELDS];

/// Bytes that are not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its rows are not in PostgreSQL's binary format")]
pub(super) struct Malformed;

/// How a number comes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Double,
    /// Whole numbers come as they are: the server need not convert them, and their text can be made here.
    Int2,
    Int4,
    Int8,
    Text,
}

/// Per number of a bar: its column, in the order they are selected.
fn wires(plan: &TablePlan) -> impl Iterator<Item = (usize, ColumnRole, Wire)> {
    ColumnRole::NUMBERS.into_iter().zip(plan.numbers).enumerate().filter_map(|(place, (role, number))| {
        let (_, kind) = number?;
        let type_name = plan.table.column_of(&plan.columns, role).map_or("", |column| column.type_name.as_str());
        let wire = match (kind, type_name) {
            (_, "int2") => Wire::Int2,
            (_, "int4") => Wire::Int4,
            (_, "int8") => Wire::Int8,
            (NumberKind::Text, _) => Wire::Text,
            (NumberKind::Double, _) => Wire::Double,
        };
        Some((place, role, wire))
    })
}

/// What to cast a number to, so that it comes as [`RowReader`] reads it.
pub(super) fn casts(plan: &TablePlan) -> impl Iterator<Item = (ColumnRole, &'static str)> {
    wires(plan).map(|(_, role, wire)| {
        let cast = match wire {
            Wire::Double => "::float8",
            Wire::Int2 => "::int2",
            Wire::Int4 => "::int4",
            Wire::Int8 => "::int8",
            Wire::Text => "::text",
        };
        (role, cast)
    })
}

/// Whether digests of such rows can be made here: only where years, limits and the last time can be told from each row alone.
pub(super) fn has_exact_digests(plan: &TablePlan) -> bool {
    match plan.dates {
        DateStyle::Date | DateStyle::DateTime | DateStyle::Instant | DateStyle::SeparatedText(_) | DateStyle::CompactText => true,
        // A number that has to be rounded is compared with limits as it was before.
        DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) => plan
            .table
            .column_of(&plan.columns, ColumnRole::Date)
            .is_some_and(|column| matches!(column.type_name.as_str(), "int2" | "int4" | "int8")),
        DateStyle::OtherText | DateStyle::OtherNumber => false,
    }
}

/// Where the server counts a row.
enum Place {
    /// In year 0, which has no last time.
    Nowhere,
    Year(i32),
    /// Only all rows of the symbol together would tell.
    Doubtful,
}

/// Reads rows of one statement.
pub(super) struct RowReader {
    dates: DateStyle,
    /// Where a number goes, and how it comes.
    numbers: Vec<(usize, Wire)>,
    record: RecordText,
    /// What stands between day and time in the first text that has both. The greatest of texts with different marks is not the last.
    time_mark: Option<u8>,
}

impl RowReader {
    pub(super) fn new(plan: &TablePlan) -> Self {
        let numbers = wires(plan).map(|(place, _, wire)| (place, wire)).collect();
        Self { dates: plan.dates, numbers, record: RecordText::default(), time_mark: None }
    }

    /// How many values a row has.
    pub(super) fn fields(&self) -> usize {
        2 + self.numbers.len()
    }

    /// Puts a row where it belongs, and counts it where rows are counted.
    #[inline]
    pub(super) fn push(&mut self, fields: &Fields<'_>, collector: &mut Collector) -> Result<(), Malformed> {
        let [symbol, date, values @ ..] = fields;
        let Some(symbol) = symbol.filter(|symbol| !symbol.is_empty()) else { return Ok(()) };
        let symbol = std::str::from_utf8(symbol).map_err(|_| Malformed)?;
        let Some(slot) = collector.slot(symbol) else { return Ok(()) };
        let time = time_of(*date, self.dates)?;
        let mut numbers = [f64::NAN; 8];
        for ((place, wire), value) in self.numbers.iter().zip(values) {
            if let (Some(number), Some(value)) = (numbers.get_mut(*place), value) {
                *number = number_of(value, *wire)?;
            }
        }
        if collector.tally().is_some() {
            let place = self.place(*date, &time);
            let hash = self.hash(*date, values);
            if let Some(tally) = collector.tally() {
                match (place, hash) {
                    (Place::Nowhere, Some(hash)) => tally.counted_row(slot, 0, None, hash),
                    (Place::Year(year), Some(hash)) => tally.counted_row(slot, year, time.as_ref().ok().copied(), hash),
                    _ => tally.doubtful(slot),
                }
            }
        }
        collector.push(slot, time, &numbers);
        Ok(())
    }

    /// The hash of a row as the server makes it; `None` where its text depends on the server's language.
    #[inline]
    fn hash(&mut self, date: Option<&[u8]>, values: &[Option<&[u8]>]) -> Option<u64> {
        let record = &mut self.record;
        record.begin();
        match (date, self.dates) {
            (None, _) => record.missing(),
            (Some(date), DateStyle::Date | DateStyle::DateTime | DateStyle::Instant) => match date.len() {
                4 => record.day(integer_of(date).ok()?),
                _ => record.moment(integer_of(date).ok()?),
            },
            (Some(date), DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText) => {
                record.text(Some(date).filter(|date| date.is_ascii())?);
            }
            (Some(date), _) => record.integer(integer_of(date).ok()?),
        }
        for ((_, wire), value) in self.numbers.iter().zip(values) {
            match (value, wire) {
                (None, _) => record.missing(),
                (Some(value), Wire::Double) => record.double(number_of(value, Wire::Double).ok()?),
                (Some(value), Wire::Text) => record.text(Some(*value).filter(|value| value.is_ascii())?),
                (Some(value), Wire::Int2 | Wire::Int4 | Wire::Int8) => record.integer(integer_of(value).ok()?),
            }
        }
        Some(record.end())
    }

    /// Where the server counts a row with this date.
    ///
    /// It sorts texts by a language's rules and tells years from how a text begins, so only plain dates, written alike, are sure to
    /// be where their time is.
    #[inline]
    fn place(&mut self, date: Option<&[u8]>, time: &Result<i64, NoTime>) -> Place {
        let Some(date) = date else { return Place::Nowhere };
        let year = |time: i64| i32::try_from(year_of_day(time.div_euclid(DAY_US))).map_or(Place::Doubtful, Place::Year);
        match self.dates {
            DateStyle::Date | DateStyle::DateTime | DateStyle::Instant => match time {
                Ok(time) => year(*time),
                Err(_) if is_infinite(date) => Place::Nowhere,
                Err(_) => Place::Doubtful,
            },
            DateStyle::SeparatedText(mark) => {
                let begins = matches!(date, [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', fifth, ..] if char::from(*fifth) == mark);
                self.place_of_text(date, time, begins, 10)
            }
            DateStyle::CompactText => {
                let begins = date.len() >= 8 && date.iter().take(8).all(u8::is_ascii_digit) && !date.starts_with(b"0");
                self.place_of_text(date, time, begins, 8)
            }
            DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) => {
                let (Ok(number), Ok(time)) = (integer_of(date), time) else { return Place::Doubtful };
                let has_year = match self.dates {
                    DateStyle::Epoch(per_second) => {
                        let (first, last, _) = epoch_limits(per_second);
                        (first..=last).contains(&number)
                    }
                    _ => true,
                };
                if has_year && style_of_number(number) == self.dates { year(*time) } else { Place::Doubtful }
            }
            DateStyle::OtherText | DateStyle::OtherNumber => Place::Doubtful,
        }
    }

    /// `begins`: whether the server finds a year in front; `day`: how long a plain day is.
    fn place_of_text(&mut self, date: &[u8], time: &Result<i64, NoTime>, begins: bool, day: usize) -> Place {
        let Ok(time) = *time else { return if begins { Place::Doubtful } else { Place::Nowhere } };
        let Some((day, rest)) = date.split_at_checked(day).filter(|_| begins) else { return Place::Doubtful };
        let mark = rest.first().copied();
        let is_plain = match (self.dates, mark) {
            (_, None) => true,
            (DateStyle::CompactText, _) => rest.len() == 6 && rest.iter().all(u8::is_ascii_digit),
            (_, Some(mark)) => {
                let digits = rest.get(1..).unwrap_or_default();
                let time_mark = *self.time_mark.get_or_insert(mark);
                matches!(mark, b' ' | b'T') && mark == time_mark && is_plain_time(digits)
            }
        };
        let day = std::str::from_utf8(day).ok().filter(|day| is_plain_day(day)).and_then(micros_of_text);
        match day {
            Some(day) if is_plain && (0..DAY_US).contains(&(time - day)) => {
                i32::try_from(year_of_day(day.div_euclid(DAY_US))).map_or(Place::Doubtful, Place::Year)
            }
            _ => Place::Doubtful,
        }
    }
}

/// `2024-03-01` with any mark, or `20240301`: no digit is left out.
fn is_plain_day(day: &str) -> bool {
    let is_digit = |place: &usize| day.as_bytes().get(*place).is_some_and(u8::is_ascii_digit);
    if day.len() == 8 { (0..8).all(|place| is_digit(&place)) } else { [0, 1, 2, 3, 5, 6, 8, 9].iter().all(is_digit) }
}

/// `09:31`, `09:31:00` or `09:31:00.25`.
fn is_plain_time(time: &[u8]) -> bool {
    matches!(time.len(), 5 | 8 | 10..=15)
        && time.iter().enumerate().all(|(place, byte)| match place {
            2 | 5 => *byte == b':',
            8 => *byte == b'.',
            _ => byte.is_ascii_digit(),
        })
}

#[inline]
fn integer_of(value: &[u8]) -> Result<i64, Malformed> {
    match *value {
        [a, b, c, d, e, f, g, h] => Ok(i64::from_be_bytes([a, b, c, d, e, f, g, h])),
        [a, b, c, d] => Ok(i64::from(i32::from_be_bytes([a, b, c, d]))),
        [a, b] => Ok(i64::from(i16::from_be_bytes([a, b]))),
        _ => Err(Malformed),
    }
}

#[inline]
fn number_of(value: &[u8], wire: Wire) -> Result<f64, Malformed> {
    match (wire, value.len()) {
        (Wire::Double, 8) => <[u8; 8]>::try_from(value).map(f64::from_be_bytes).map_err(|_| Malformed),
        (Wire::Int2, 2) | (Wire::Int4, 4) | (Wire::Int8, 8) => integer_of(value).map(|number| number as f64),
        (Wire::Text, _) => std::str::from_utf8(value).map(number_of_text).map_err(|_| Malformed),
        _ => Err(Malformed),
    }
}

/// Whether a date or a timestamp is one of PostgreSQL's two infinities.
fn is_infinite(date: &[u8]) -> bool {
    match integer_of(date) {
        Ok(number) if date.len() == 4 => matches!(number, INFINITE_DAY | BEFORE_ALL_DAYS),
        Ok(number) => matches!(number, i64::MAX | i64::MIN),
        Err(Malformed) => false,
    }
}

/// The time of a row. The outer error is the connection's, the inner one the value's.
#[inline]
pub(super) fn time_of(date: Option<&[u8]>, style: DateStyle) -> Result<Result<i64, NoTime>, Malformed> {
    let Some(date) = date else { return Ok(Err(NoTime("NULL".to_owned()))) };
    match style {
        DateStyle::Date | DateStyle::DateTime | DateStyle::Instant => {
            let number = integer_of(date)?;
            let time = if is_infinite(date) {
                None
            } else if date.len() == 4 {
                (number + EPOCH_DAYS).checked_mul(DAY_US)
            } else {
                number.checked_add(EPOCH_DAYS * DAY_US)
            };
            // What is too late to be counted in microseconds is as good as never.
            Ok(time.ok_or_else(|| NoTime("infinity".to_owned())))
        }
        DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => {
            let text = std::str::from_utf8(date).map_err(|_| Malformed)?;
            Ok(micros_of_text(text).ok_or_else(|| NoTime(text.to_owned())))
        }
        DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) | DateStyle::OtherNumber => {
            let number = integer_of(date)?;
            Ok(micros_of_number(number).ok_or_else(|| NoTime(number.to_string())))
        }
    }
}
