//! What a source says it has, without its rows: count, last time and a checksum per symbol and year, computed where the rows are.
//!
//! Not a hash of the cached bars: a digest is only ever compared with another digest of the same source. Contract: any changed,
//! inserted or deleted row changes the digest of its year; equal rows give equal digests, in whatever order they are stored.
//!
//! A year is told from the column's style (see `time_value`), never by a time zone. Rows whose date is missing or none at all
//! are counted in year 0 of [`SymbolDigest::before`], whatever the split is, so that a change among them is noticed too. In a
//! database, a date no calendar has (a 30th of February as text or number) counts in the year it begins with, because a range
//! finds it there. A server's column whose style is not known (texts like `1 March 2024`, or no example to see) has no years and no
//! limits: all its rows are in year 0 of `before`, whatever range, split and until are. So when year 0 differs, everything may.

use crate::market::{DateRange, Symbol};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What digests are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DigestRequest {
    /// These symbols.
    pub symbols: Vec<Symbol>,
    /// Only these days.
    pub range: DateRange,
    /// Where the days that were counted before end: rows before this day are told apart from later ones.
    pub split: Option<NaiveDate>,
    /// The first day whose session is not closed: rows from it on are counted apart, and only counted.
    pub until: Option<NaiveDate>,
}

/// Rows of one symbol in one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearDigest {
    /// The year; 0 where the source cannot tell years apart.
    pub year: i32,
    /// Number of rows as stored, unusable ones included.
    pub rows: u64,
    /// Sum over the rows of a 64-bit hash of all their values, wrapping.
    pub checksum: u64,
}

/// What a source has of one symbol.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SymbolDigest {
    /// Rows before [`DigestRequest::split`] (all that are settled, when there is no split), by year.
    pub before: Vec<YearDigest>,
    /// Settled rows from the split on, by year.
    pub after: Vec<YearDigest>,
    /// Rows from [`DigestRequest::until`] on.
    pub provisional_rows: u64,
    /// Time of the last row of all, where the source can tell.
    pub last_us: Option<i64>,
}

impl SymbolDigest {
    /// Rows a fetch of the same days must deliver, provisional ones included; a source that delivers fewer lost some on the way.
    ///
    /// More may come: rows written since. A fetch delivers raw rows, so they are to be counted before
    /// [`Bars::normalise`](crate::market::Bars::normalise) drops any. Does not bind a symbol whose fetch is an error.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.settled_rows() + self.provisional_rows
    }

    /// Rows of sessions that are closed, before and after the split.
    #[must_use]
    pub fn settled_rows(&self) -> u64 {
        self.before.iter().chain(&self.after).map(|year| year.rows).sum()
    }

    /// Lines a source answers for it: one per year and part.
    pub(super) fn lines(&self) -> u64 {
        (self.before.len() + self.after.len()) as u64 + u64::from(self.provisional_rows > 0)
    }

    /// All settled rows by year, as if there had been no split.
    #[must_use]
    pub fn settled(&self) -> Vec<YearDigest> {
        let mut years: BTreeMap<i32, YearDigest> = BTreeMap::new();
        for part in self.before.iter().chain(&self.after) {
            let year = years.entry(part.year).or_insert(YearDigest { year: part.year, rows: 0, checksum: 0 });
            year.rows += part.rows;
            year.checksum = year.checksum.wrapping_add(part.checksum);
        }
        years.into_values().collect()
    }
}
