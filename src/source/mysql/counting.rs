//! Digests of rows on their way: what `mysql_digest`'s statement would answer, made of the values that were read anyway.
//!
//! Bit for bit or not at all. Where the server might decide otherwise (a 30th of February, a text in another character set than it
//! was sent in), the symbol gets no digest, and whoever wants one asks the server.

use super::server_text::{put_day, put_double, put_moment, put_quoted, put_signed, put_unsigned};
use super::values::{Column, Moment, Value};
use crate::market::{DateRange, Symbol};
use crate::source::DigestOnTheWay;
use crate::source::collect::NoTime;
use crate::source::columns::ColumnRole;
use crate::source::digest::SymbolDigest;
use crate::source::table::{ColumnInfo, NumberKind, TablePlan};
use crate::source::tally::{Part, Tally};
use crate::source::time_value::{Bound, DateStyle, day_bound, epoch_limits};
use chrono::{Datelike, NaiveDate};
use sha1::{Digest, Sha1};
use std::collections::HashSet;

/// Whether rows of this table can be counted on their way.
pub(super) fn is_countable(plan: &TablePlan) -> bool {
    let of = |role| plan.table.column_of(&plan.columns, role);
    let date_is_plain = of(ColumnRole::Date).is_some_and(|column| match plan.dates {
        DateStyle::Date | DateStyle::DateTime => true,
        DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => is_plain_text(column),
        DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) | DateStyle::OtherNumber => column.type_name.contains("int"),
        DateStyle::Instant => false,
    });
    let numbers = ColumnRole::NUMBERS.into_iter().zip(plan.numbers);
    date_is_plain
        && numbers.filter_map(|(role, number)| Some((of(role)?, number?.1))).all(|(column, kind)| {
            // A number that is none of these is multiplied by the server, here as there.
            kind == NumberKind::Double || is_plain_text(column)
        })
}

/// Whether ASCII is sent as it is stored.
fn is_plain_text(column: &ColumnInfo) -> bool {
    let wide = ["ucs2", "utf16", "utf32"];
    column.type_name != "json" && column.collation.as_ref().is_none_or(|collation| !wide.iter().any(|one| collation.starts_with(one)))
}

/// Whether all of a text is sent as it is stored.
fn is_sent_as_stored(column: Option<&ColumnInfo>) -> bool {
    column.is_some_and(|column| column.collation.as_ref().is_none_or(|collation| collation.starts_with("utf8") || collation == "binary"))
}

/// How the value of a column is written into the text of a row.
#[derive(Clone, Copy)]
enum Written {
    /// As it is; a gap has a mark.
    Plain,
    /// A time with so many digits of the second.
    Moment(u8),
    /// In quotes.
    Quoted { is_sent_as_stored: bool },
}

/// Counts and hashes the rows of one statement.
pub(super) struct Counting {
    tally: Tally,
    doubtful: HashSet<usize>,
    dates: DateStyle,
    until: Option<Bound>,
    written: Vec<Written>,
    text: Vec<u8>,
    is_doubtful: bool,
}

impl Counting {
    /// `None` where the answer's columns forbid it.
    pub(super) fn new(plan: &TablePlan, symbols: &[Symbol], digest: &DigestOnTheWay, columns: &[Column]) -> Option<Self> {
        let mut written = Vec::with_capacity(columns.len());
        let date = columns.get(1)?;
        written.push(match plan.dates {
            DateStyle::DateTime => Written::Moment(Some(date.decimals).filter(|decimals| *decimals <= 6)?),
            DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => {
                Written::Quoted { is_sent_as_stored: is_sent_as_stored(plan.table.column_of(&plan.columns, ColumnRole::Date)) }
            }
            _ => Written::Plain,
        });
        for (role, number) in ColumnRole::NUMBERS.into_iter().zip(plan.numbers) {
            let Some((position, kind)) = number else { continue };
            if columns.get(position)?.is_filled {
                return None;
            }
            written.push(match kind {
                NumberKind::Double => Written::Plain,
                NumberKind::Text => Written::Quoted { is_sent_as_stored: is_sent_as_stored(plan.table.column_of(&plan.columns, role)) },
            });
        }
        Some(Self {
            tally: Tally::on_the_way(symbols, DateRange::ALL, digest),
            doubtful: HashSet::new(),
            dates: plan.dates,
            until: day_bound(plan.dates, digest.until),
            written,
            text: Vec::with_capacity(256),
            is_doubtful: false,
        })
    }

    /// Begins a row.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.is_doubtful = false;
    }

    /// The next value of the row, the date first; `position` counts from it.
    #[inline]
    pub(super) fn value(&mut self, position: usize, value: &Value) {
        if position > 0 {
            self.text.push(b'|');
        }
        let out = &mut self.text;
        match (self.written.get(position), value) {
            (Some(Written::Quoted { is_sent_as_stored }), Value::Bytes(bytes)) => {
                self.is_doubtful |= !is_sent_as_stored && !bytes.is_ascii();
                put_quoted(out, Some(bytes));
            }
            (Some(Written::Quoted { .. }), Value::Null) => put_quoted(out, None),
            (_, Value::Null) => out.push(b'~'),
            (Some(Written::Moment(decimals)), Value::Moment(moment)) => put_moment(out, moment, *decimals),
            (_, Value::Moment(moment)) => put_day(out, moment),
            (_, Value::Double(number)) => {
                // MariaDB writes the sign of a negative zero, MySQL does not.
                self.is_doubtful |= *number == 0.0 && number.is_sign_negative();
                put_double(out, *number);
            }
            (_, Value::Signed(number)) => put_signed(out, *number),
            (_, Value::Unsigned(number)) => put_unsigned(out, *number),
            (_, Value::Bytes(_)) => self.is_doubtful = true,
        }
    }

    /// All values of a row of this symbol were told. `time` is what was read of its date.
    #[inline]
    pub(super) fn end(&mut self, symbol: &str, date: &Value, time: &Result<i64, NoTime>) {
        let Some(slot) = self.tally.slot(symbol) else { return };
        let [a, b, c, d, e, f, g, h, ..] = Sha1::digest(&self.text).0;
        let hash = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let (year, part) = self.place(slot, date, time);
        self.tally.group(slot, year, part, 1, hash);
        if let Ok(time) = time
            && self.dates != DateStyle::OtherText
        {
            self.tally.seen(slot, *time);
        }
        if self.is_doubtful {
            self.doubtful.insert(slot);
        }
    }

    /// Year and part of a row, as the statement's expressions tell them.
    #[inline]
    fn place(&mut self, slot: usize, date: &Value, time: &Result<i64, NoTime>) -> (i32, Part) {
        let (year, is_provisional) = match (date, self.dates) {
            (Value::Moment(moment), _) => (year_of_moment(moment), self.is_from(moment)),
            (Value::Signed(number), style) => {
                let limit = if let Some(Bound::Number(limit)) = self.until { limit } else { i64::MAX };
                (year_of_number(style, *number), self.until.is_some() && *number >= limit)
            }
            (Value::Bytes(text), style) => {
                let is_provisional = matches!(&self.until, Some(Bound::Text(limit)) if *text >= limit.as_bytes());
                // Some letters sort otherwise than their bytes do.
                self.is_doubtful |=
                    !matches!(style, DateStyle::OtherText) && time.is_ok() && !text.iter().all(|byte| (0x20..0x7F).contains(byte));
                (year_of_text(style, text), is_provisional)
            }
            _ => (0, false),
        };
        // The server looks for the last date before it is read, and the last may be none.
        self.is_doubtful |= match self.dates {
            DateStyle::OtherText | DateStyle::OtherNumber => false,
            DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) => year != 0 && time.is_err(),
            _ => (year == 0) != time.is_err(),
        };
        let part = match time {
            _ if year == 0 => Part::Before,
            _ if is_provisional => Part::Provisional,
            Ok(time) if self.tally.is_after(slot, *time) => Part::After,
            _ => Part::Before,
        };
        (year, part)
    }

    fn is_from(&self, moment: &Moment) -> bool {
        let limit = match &self.until {
            Some(Bound::Date(day)) => *day,
            Some(Bound::DateTime(time)) => time.date(),
            _ => return false,
        };
        (i32::from(moment.year), u32::from(moment.month), u32::from(moment.day)) >= (limit.year(), limit.month(), limit.day())
    }

    /// The digest of a symbol of which no more rows come.
    pub(super) fn take(&mut self, symbol: &Symbol) -> Option<SymbolDigest> {
        let slot = self.tally.slot(symbol.as_str()).filter(|slot| !self.doubtful.contains(slot))?;
        self.tally.take(slot)
    }
}

/// `CASE WHEN MONTH(date) > 0 AND DAYOFMONTH(date) > 0 THEN YEAR(date) ELSE 0 END`
fn year_of_moment(moment: &Moment) -> i32 {
    if moment.month > 0 && moment.day > 0 { i32::from(moment.year) } else { 0 }
}

/// The year of a number by the style of its column.
fn year_of_number(style: DateStyle, number: i64) -> i32 {
    let year = match style {
        DateStyle::DayNumber if (10_000_101..=99_991_231).contains(&number) => number / 10_000,
        DateStyle::SecondNumber if (19_000_101_000_000..=20_991_231_235_959).contains(&number) => number / 10_000_000_000,
        DateStyle::Epoch(per_second) => {
            let (first, last, per_day) = epoch_limits(per_second);
            if !(first..=last).contains(&number) {
                return 0;
            }
            let day = chrono::TimeDelta::try_days(number.div_euclid(per_day));
            return day.and_then(|day| NaiveDate::default().checked_add_signed(day)).map_or(0, |day| day.year());
        }
        _ => 0,
    };
    i32::try_from(year).unwrap_or_default()
}

/// The year of a text by the style of its column.
fn year_of_text(style: DateStyle, text: &[u8]) -> i32 {
    let digits = match style {
        DateStyle::SeparatedText(mark) if text.get(4).is_some_and(|byte| char::from(*byte) == mark) => text.get(..4),
        DateStyle::CompactText => text.get(..8),
        _ => None,
    };
    let Some(digits) = digits.filter(|digits| digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0')) else { return 0 };
    digits.iter().take(4).fold(0, |year, digit| year * 10 + i32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_the_statements() {
        assert_eq!(year_of_text(DateStyle::SeparatedText('-'), b"2024-03-01"), 2024);
        assert_eq!(year_of_text(DateStyle::SeparatedText('-'), b"2024/03/01"), 0);
        assert_eq!(year_of_text(DateStyle::SeparatedText('-'), b"0024-03-01"), 0);
        assert_eq!(year_of_text(DateStyle::CompactText, b"20240301"), 2024);
        assert_eq!(year_of_text(DateStyle::CompactText, b"2024030"), 0);
        assert_eq!(year_of_text(DateStyle::OtherText, b"2024-03-01"), 0);
        assert_eq!(year_of_number(DateStyle::DayNumber, 20_240_301), 2024);
        assert_eq!(year_of_number(DateStyle::Epoch(1), -1), 1969);
        assert_eq!(year_of_number(DateStyle::Epoch(1_000), 0), 1970);
        assert_eq!(year_of_number(DateStyle::Epoch(1), i64::MAX), 0);
    }
}
