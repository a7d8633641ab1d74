//! Rows of an answer, decoded where they lie in the connection's buffer, straight into columns.
//!
//! Not a row type: a row exists only while it is read.

use super::counting::Counting;
use super::values::{Column, Shape, Value, Values};
use super::wire::WireError;
use crate::market::{RawBars, Symbol};
use crate::source::Fetched;
use crate::source::collect::{Collector, NoTime};
use crate::source::table::{NumberKind, TablePlan};
use crate::source::time_value::{DateStyle, micros_of_number, micros_of_text, number_of_text};
use std::cmp::Ordering;

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
    in_order: bool,
    count: usize,
}

impl Rows {
    /// Decides how the rows of an answer with these columns are read.
    ///
    /// `in_order`: whether they come by symbol and date.
    pub(super) fn new(
        plan: &TablePlan,
        columns: &[Column],
        collector: Collector,
        counting: Option<Counting>,
        in_order: bool,
    ) -> Result<Self, WireError> {
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
            in_order,
            count: 0,
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
        self.count += 1;
        Ok(())
    }

    /// How many rows were read.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.count
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
        let mut ready = self.collector.finish();
        if !self.in_order {
            ready.iter_mut().filter_map(|fetched| fetched.result.as_mut().ok()).for_each(put_in_order);
        }
        with_digests(ready, self.counting.as_mut())
    }
}

/// Sorts rows by their time, and those of one time by their values: which of them counts must not depend on the server's mood.
fn put_in_order(bars: &mut RawBars) {
    if bars.time_us.is_sorted_by(|one, next| one < next) {
        return;
    }
    let mut order: Vec<usize> = (0..bars.len()).collect();
    let values = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume, &bars.amount, &bars.turnover, &bars.float_shares];
    order.sort_by(|one, other| {
        let by_value = |column: &Vec<f64>| match (column.get(*one), column.get(*other)) {
            (Some(one), Some(other)) => Some(one.total_cmp(other)).filter(|order| order.is_ne()),
            _ => None,
        };
        let by_time = bars.time_us.get(*one).cmp(&bars.time_us.get(*other));
        by_time.then_with(|| values.iter().find_map(|column| by_value(column)).unwrap_or(Ordering::Equal))
    });
    bars.time_us = order.iter().filter_map(|row| bars.time_us.get(*row).copied()).collect();
    for column in [
        &mut bars.open,
        &mut bars.high,
        &mut bars.low,
        &mut bars.close,
        &mut bars.volume,
        &mut bars.amount,
        &mut bars.turnover,
        &mut bars.float_shares,
    ] {
        *column = order.iter().filter_map(|row| column.get(*row).copied()).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_put_in_the_order_the_server_would_have_them_in() {
        let closes = vec![2.0, 9.0, 3.0, 1.0];
        let mut bars = RawBars { time_us: vec![2, 1, 2, 2], open: vec![1.0; 4], close: closes, ..RawBars::default() };
        put_in_order(&mut bars);
        assert_eq!((bars.time_us, bars.open, bars.close), (vec![1, 2, 2, 2], vec![1.0; 4], vec![9.0, 1.0, 2.0, 3.0]));
        assert!(bars.amount.is_empty());
    }
}
