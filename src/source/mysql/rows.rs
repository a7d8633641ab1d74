//! Rows of an answer, decoded where they lie in the connection's buffer, straight into columns.
//!
//! Not a row type: a row exists only while it is read.

use super::counting::Counting;
use super::values::{Column, Shape, Value, Values};
use super::wire::WireError;
use crate::market::Symbol;
use crate::source::Fetched;
use crate::source::collect::{Collector, NoTime};
use crate::source::table::{NumberKind, TablePlan};
use crate::source::time_value::{DateStyle, micros_of_number, micros_of_text, number_of_text};

/// What becomes of the numbers of a column: their place in a bar, and how they are sent.
type Place = (usize, NumberKind);

/// Reads the rows of one statement.
pub(super) struct Rows {
    collector: Collector,
    counting: Option<Counting>,
    dates: DateStyle,
    symbol_shape: Shape,
    date_shape: Shape,
    numbers: Vec<(Shape, Place)>,
    columns: usize,
    /// The symbol of the last row, and where its rows go.
    last: Vec<u8>,
    last_symbol: String,
    last_slot: Option<usize>,
}

impl Rows {
    /// Decides how the rows of an answer with these columns are read.
    pub(super) fn new(plan: &TablePlan, columns: &[Column], collector: Collector, counting: Option<Counting>) -> Result<Self, WireError> {
        let odd = || WireError::Unsupported("a column of an unexpected type".to_owned());
        let shape_of = |position: usize| columns.get(position).map(|column| column.shape).ok_or_else(odd);
        let (symbol_shape, date_shape) = (shape_of(0)?, shape_of(1)?);
        let is_whole = |shape| matches!(shape, Shape::Tiny { .. } | Shape::Short { .. } | Shape::Long { .. } | Shape::LongLong { .. });
        let date_fits = match plan.dates {
            DateStyle::Date => date_shape == Shape::Day,
            DateStyle::DateTime | DateStyle::Instant => date_shape == Shape::Moment,
            DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => date_shape == Shape::Bytes,
            DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) | DateStyle::OtherNumber => is_whole(date_shape),
        };
        let mut numbers: Vec<(Shape, Place)> = Vec::with_capacity(plan.numbers.len());
        for (place, number) in plan.numbers.iter().enumerate() {
            let Some((position, kind)) = *number else { continue };
            let shape = shape_of(position)?;
            let fits = match kind {
                NumberKind::Text => shape == Shape::Bytes,
                NumberKind::Double => matches!(shape, Shape::Double | Shape::Float) || is_whole(shape),
            };
            if !(fits || shape == Shape::Null) || position != numbers.len() + 2 {
                return Err(odd());
            }
            numbers.push((shape, (place, kind)));
        }
        if symbol_shape != Shape::Bytes || !date_fits || columns.len() != numbers.len() + 2 {
            return Err(odd());
        }
        Ok(Self {
            collector,
            counting,
            dates: plan.dates,
            symbol_shape,
            date_shape,
            columns: columns.len(),
            numbers,
            last: Vec::new(),
            last_symbol: String::new(),
            last_slot: None,
        })
    }

    /// Reads a row; its leading zero is taken off.
    #[inline]
    pub(super) fn row(&mut self, row: &[u8]) -> Result<(), WireError> {
        let mut values = Values::of(row, self.columns)?;
        let Value::Bytes(symbol) = values.next(self.symbol_shape)? else { return Ok(()) };
        if symbol != self.last {
            self.symbol_begins(symbol)?;
        }
        let Some(slot) = self.last_slot else { return Ok(()) };
        let date = values.next(self.date_shape)?;
        let time = time_of(&date, self.dates)?;
        let mut numbers = [f64::NAN; 8];
        match &mut self.counting {
            None => {
                for (shape, place) in &self.numbers {
                    put_number(&mut numbers, *place, &values.next(*shape)?)?;
                }
            }
            Some(counting) => {
                counting.begin();
                counting.value(0, &date);
                for (position, (shape, place)) in self.numbers.iter().enumerate() {
                    let value = values.next(*shape)?;
                    counting.value(position + 1, &value);
                    put_number(&mut numbers, *place, &value)?;
                }
                counting.end(&self.last_symbol, &date, &time);
            }
        }
        self.collector.push(slot, time, &numbers);
        Ok(())
    }

    fn symbol_begins(&mut self, symbol: &[u8]) -> Result<(), WireError> {
        let name = text(symbol)?;
        self.last_slot = if name.is_empty() { None } else { self.collector.slot(name) };
        name.clone_into(&mut self.last_symbol);
        symbol.clone_into(&mut self.last);
        Ok(())
    }

    /// Whether [`Self::take_ready`] has any.
    #[inline]
    pub(super) fn has_ready(&self) -> bool {
        self.collector.has_ready()
    }

    /// Symbols that are over, with their digests.
    pub(super) fn take_ready(&mut self) -> Vec<Fetched> {
        let ready = self.collector.take_ready();
        with_digests(ready, self.counting.as_mut())
    }

    /// No more rows come.
    pub(super) fn finish(mut self) -> Vec<Fetched> {
        with_digests(self.collector.finish(), self.counting.as_mut())
    }
}

fn with_digests(mut ready: Vec<Fetched>, counting: Option<&mut Counting>) -> Vec<Fetched> {
    if let Some(counting) = counting {
        for fetched in &mut ready {
            let symbol: &Symbol = &fetched.symbol;
            fetched.digest = counting.take(symbol);
        }
    }
    ready
}

fn text(bytes: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(bytes).map_err(|_| WireError::Protocol("a text is not in UTF-8".to_owned()))
}

fn unexpected() -> WireError {
    WireError::Protocol("a value of an unexpected type".to_owned())
}

/// The time of a row. The outer error is the connection's, the inner one the value's.
#[inline]
fn time_of(date: &Value, style: DateStyle) -> Result<Result<i64, NoTime>, WireError> {
    Ok(match date {
        Value::Null => Err(NoTime("NULL".to_owned())),
        Value::Moment(moment) => moment.micros().ok_or_else(|| NoTime("0000-00-00".to_owned())),
        Value::Signed(number) => micros_of_number(*number).ok_or_else(|| NoTime(number.to_string())),
        Value::Bytes(bytes) if !matches!(style, DateStyle::Date | DateStyle::DateTime) => {
            let text = text(bytes)?;
            micros_of_text(text).ok_or_else(|| NoTime(text.to_owned()))
        }
        Value::Unsigned(number) => match i64::try_from(*number) {
            Ok(number) => micros_of_number(number).ok_or_else(|| NoTime(number.to_string())),
            Err(_) => Err(NoTime(number.to_string())),
        },
        Value::Bytes(_) | Value::Double(_) => return Err(unexpected()),
    })
}

#[inline]
fn put_number(numbers: &mut [f64; 8], (place, kind): Place, value: &Value) -> Result<(), WireError> {
    let number = match (value, kind) {
        (Value::Null, _) => return Ok(()),
        (Value::Double(number), _) => *number,
        (Value::Signed(number), _) => *number as f64,
        (Value::Unsigned(number), _) => *number as f64,
        (Value::Bytes(bytes), NumberKind::Text) => number_of_text(text(bytes)?),
        _ => return Err(unexpected()),
    };
    if let Some(slot) = numbers.get_mut(place) {
        *slot = number;
    }
    Ok(())
}
