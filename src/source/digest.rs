//! What a source says it has, without its rows: count, last time and a checksum per symbol and year, computed where the rows are.
//!
//! Not a hash of the cached bars: a digest is only ever compared with another digest of the same source. Contract: any changed,
//! inserted or deleted row changes the digest of its year; equal rows give equal digests, in whatever order they are stored.

use crate::market::{DateRange, Symbol};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

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
