//! Adding up digests: groups as servers count them, or rows as they are read here.
//!
//! Knows no database. What is hashed of a row is decided by who reads it; [`RowHash`] only keeps different values different.

use super::DigestOnTheWay;
use super::collect::NoTime;
use super::digest::{DigestRequest, SymbolDigest, YearDigest};
use super::error::SourceError;
use crate::market::{DateRange, Symbol, date_of, micros_of_date};
use chrono::Datelike;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::xxh3_64;

/// Which part of a digest rows belong to; the numbers are what the servers' statements answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Before = 0,
    After = 1,
    Provisional = 2,
}

impl Part {
    /// The part of a statement's number.
    fn of(number: i64) -> Self {
        match number {
            1 => Self::After,
            2 => Self::Provisional,
            _ => Self::Before,
        }
    }
}

/// One row of a server's answer: rows of one symbol, year and part.
pub(super) struct Counted {
    pub(super) symbol: String,
    pub(super) year: i64,
    pub(super) part: i64,
    pub(super) rows: i64,
    /// The exact sum of all hashes, in decimal.
    pub(super) checksum: String,
    pub(super) last_us: Option<i64>,
}

/// Rows and checksum.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    rows: u64,
    checksum: u64,
}

impl Sum {
    fn add(&mut self, rows: u64, checksum: u64) {
        self.rows += rows;
        self.checksum = self.checksum.wrapping_add(checksum);
    }
}

#[derive(Default)]
struct Slot {
    symbol: Option<Symbol>,
    before: BTreeMap<i32, Sum>,
    after: BTreeMap<i32, Sum>,
    provisional_rows: u64,
    last_us: Option<i64>,
    is_doubtful: bool,
    /// Rows from this time on are told apart from those before.
    split_us: Option<i64>,
}

/// Digests of the symbols of one statement.
pub(super) struct Tally {
    slots: Vec<Slot>,
    by_name: HashMap<Symbol, usize>,
    start_us: i64,
    end_us: i64,
    until_us: i64,
    /// The symbol of the last row, wanted or not.
    last: Option<(String, Option<usize>)>,
}

impl Tally {
    /// Nothing counted yet. Of the request's symbols only these are counted.
    pub(super) fn new(symbols: &[Symbol], request: &DigestRequest) -> Self {
        let mut by_name = HashMap::with_capacity(symbols.len());
        let mut slots = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            by_name.entry(symbol.clone()).or_insert_with(|| {
                slots.push(Slot { symbol: Some(symbol.clone()), split_us: request.split.map(micros_of_date), ..Slot::default() });
                slots.len() - 1
            });
        }
        Self {
            slots,
            by_name,
            start_us: request.range.start_us().unwrap_or(i64::MIN),
            end_us: request.range.end_us_exclusive().unwrap_or(i64::MAX),
            until_us: request.until.map_or(i64::MAX, micros_of_date),
            last: None,
        }
    }

    /// Nothing counted yet, for rows that are fetched. The slots are those of a collector of the same symbols.
    pub(super) fn on_the_way(symbols: &[Symbol], range: DateRange, digest: &DigestOnTheWay) -> Self {
        let mut tally = Self::new(symbols, &DigestRequest { symbols: Vec::new(), range, split: None, until: digest.until });
        for slot in &mut tally.slots {
            slot.split_us = slot.symbol.as_ref().and_then(|symbol| digest.splits.get(symbol)).copied().map(micros_of_date);
        }
        tally
    }

    /// Whether a symbol's rows of this time are told apart from those before.
    #[inline]
    pub(super) fn is_after(&self, slot: usize, time_us: i64) -> bool {
        self.slots.get(slot).and_then(|slot| slot.split_us).is_some_and(|split_us| time_us >= split_us)
    }

    /// Where rows of this symbol are counted; `None` if nobody asked for it.
    pub(super) fn slot(&mut self, symbol: &str) -> Option<usize> {
        if let Some((last, slot)) = &self.last
            && last == symbol
        {
            return *slot;
        }
        let slot = self.by_name.get(symbol).copied();
        self.last = Some((symbol.to_owned(), slot));
        slot
    }

    /// Rows a server has counted; those of symbols nobody asked for are left out. The error says what is wrong with the answer.
    pub(super) fn counted(&mut self, counted: &Counted) -> Result<(), &'static str> {
        let Some(slot) = Some(counted.symbol.as_str()).filter(|symbol| !symbol.is_empty()).and_then(|symbol| self.slot(symbol)) else {
            return Ok(());
        };
        let checksum = wrapped(&counted.checksum).ok_or("a checksum is no number")?;
        let year = i32::try_from(counted.year).map_err(|_| "a year is no number")?;
        let rows = u64::try_from(counted.rows).map_err(|_| "a number of rows is none")?;
        self.group(slot, year, Part::of(counted.part), rows, checksum);
        if let Some(last_us) = counted.last_us {
            self.seen(slot, last_us);
        }
        Ok(())
    }

    /// Rows of a slot that were counted elsewhere.
    pub(super) fn group(&mut self, slot: usize, year: i32, part: Part, rows: u64, checksum: u64) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        match part {
            Part::Before => slot.before.entry(year).or_default().add(rows, checksum),
            Part::After => slot.after.entry(year).or_default().add(rows, checksum),
            Part::Provisional => slot.provisional_rows += rows,
        }
    }

    /// A time the symbol has a row at.
    pub(super) fn seen(&mut self, slot: usize, time_us: i64) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.last_us = slot.last_us.max(Some(time_us));
        }
    }

    /// One row that was read here. `is_in_style`: whether limits written in the column's style hold for its date.
    pub(super) fn row(&mut self, slot: usize, time: &Result<i64, NoTime>, is_in_style: bool, hash: u64) {
        let Ok(time) = *time else { return self.group(slot, 0, Part::Before, 1, hash) };
        if time < self.start_us || time >= self.end_us {
            return;
        }
        self.seen(slot, time);
        if !is_in_style {
            return self.group(slot, 0, Part::Before, 1, hash);
        }
        let part = if time >= self.until_us {
            Part::Provisional
        } else if self.is_after(slot, time) {
            Part::After
        } else {
            Part::Before
        };
        self.group(slot, date_of(time).year(), part, 1, hash);
    }

    /// One row of a server that was read here, with the year the server counts it in. Without a time, no row of that year has one.
    #[inline]
    pub(super) fn counted_row(&mut self, slot: usize, year: i32, time: Option<i64>, hash: u64) {
        let part = match time {
            Some(time) if time >= self.until_us => Part::Provisional,
            Some(time) if self.is_after(slot, time) => Part::After,
            _ => Part::Before,
        };
        if let Some(time) = time {
            self.seen(slot, time);
        }
        self.group(slot, year, part, 1, hash);
    }

    /// A row the server may count otherwise than would be done here.
    pub(super) fn doubtful(&mut self, slot: usize) {
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.is_doubtful = true;
        }
    }

    /// What was counted of one symbol, unless there are doubts.
    pub(super) fn take(&mut self, slot: usize) -> Option<SymbolDigest> {
        let slot = std::mem::take(self.slots.get_mut(slot)?);
        if slot.is_doubtful { None } else { slot.digest().map(|(_, digest)| digest) }
    }

    /// What was counted of one symbol by its name.
    pub(super) fn take_of(&mut self, symbol: &Symbol) -> Option<SymbolDigest> {
        let slot = self.by_name.get(symbol).copied()?;
        self.take(slot)
    }

    /// A symbol whose rows cannot be read, which counts as one row: it is not known to have none.
    pub(super) fn unreadable(&mut self, symbol: &Symbol, error: &SourceError) {
        if let Some(slot) = self.by_name.get(symbol).copied() {
            self.group(slot, 0, Part::Before, 1, xxh3_64(error.to_string().as_bytes()));
        }
    }

    /// What was counted, with an entry for every symbol.
    pub(super) fn finish(self) -> Vec<(Symbol, SymbolDigest)> {
        self.slots.into_iter().filter_map(Slot::digest).collect()
    }
}

impl Slot {
    fn digest(self) -> Option<(Symbol, SymbolDigest)> {
        let years = |sums: BTreeMap<i32, Sum>| {
            sums.into_iter().map(|(year, sum)| YearDigest { year, rows: sum.rows, checksum: sum.checksum }).collect()
        };
        let Self { symbol, before, after, provisional_rows, last_us, is_doubtful: _, split_us: _ } = self;
        Some((symbol?, SymbolDigest { before: years(before), after: years(after), provisional_rows, last_us }))
    }
}

/// The low 64 bits of a sum written as a decimal number; `None` if it is none.
///
/// Servers add up exactly, beyond 64 bits; sums of signed hashes can be negative.
fn wrapped(sum: &str) -> Option<u64> {
    let sum: i128 = sum.trim().parse().ok()?;
    u64::try_from(sum.rem_euclid(1_i128 << 64)).ok()
}

/// Values of a row as bytes in which different rows differ: every value has its kind in front, every text its length.
#[derive(Default)]
pub(super) struct RowHash {
    bytes: Vec<u8>,
}

impl RowHash {
    /// Begins a row.
    pub(super) fn begin(&mut self) -> &mut Self {
        self.bytes.clear();
        self
    }

    pub(super) fn missing(&mut self) {
        self.bytes.push(0);
    }

    /// A number; every NaN is the same, both zeros are not.
    pub(super) fn number(&mut self, number: f64) {
        self.bytes.push(1);
        let number = if number.is_nan() { f64::NAN } else { number };
        self.bytes.extend(number.to_bits().to_le_bytes());
    }

    /// A whole number, hashed as the same double if there is one.
    pub(super) fn integer(&mut self, number: i64) {
        let double = number as f64;
        if double as i64 == number {
            self.number(double);
        } else {
            self.bytes.push(2);
            self.bytes.extend(number.to_le_bytes());
        }
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        self.counted(3, text);
    }

    pub(super) fn blob(&mut self, blob: &[u8]) {
        self.counted(4, blob);
    }

    fn counted(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend(bytes.len().to_le_bytes());
        self.bytes.extend(bytes);
    }

    /// The row's hash.
    pub(super) fn end(&self) -> u64 {
        xxh3_64(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    #[test]
    fn sums_are_taken_modulo_two_to_the_sixty_fourth() {
        assert_eq!(wrapped("18446744073709551616"), Some(0));
        assert_eq!(wrapped("36893488147419103237"), Some(5));
        assert_eq!(wrapped("-1"), Some(u64::MAX));
        assert_eq!(wrapped("-18446744073709551617"), Some(u64::MAX));
        assert_eq!(wrapped("7"), Some(7));
        assert_eq!(wrapped("much"), None);
    }

    #[test]
    fn rows_that_differ_anywhere_have_different_hashes() {
        let mut hash = RowHash::default();
        let mut of = |write: &dyn Fn(&mut RowHash)| {
            write(hash.begin());
            hash.end()
        };
        let hashes = [
            of(&|row| row.missing()),
            of(&|row| row.number(0.0)),
            of(&|row| row.number(-0.0)),
            of(&|row| row.number(f64::from_bits(1.5_f64.to_bits() + 1))),
            of(&|row| row.number(1.5)),
            of(&|row| row.text(b"")),
            of(&|row| row.text(b"0")),
            of(&|row| row.blob(b"0")),
            of(&|row| {
                row.missing();
                row.number(1.5);
            }),
            of(&|row| {
                row.number(1.5);
                row.missing();
            }),
            of(&|row| row.integer(i64::MAX)),
            of(&|row| row.integer(i64::MAX - 1)),
        ];
        for (position, hash) in hashes.iter().enumerate() {
            assert!(!hashes[position + 1..].contains(hash), "{position}");
        }
        assert_eq!(of(&|row| row.integer(3)), of(&|row| row.number(3.0)));
        assert_eq!(of(&|row| row.number(f64::NAN)), of(&|row| row.number(-f64::NAN)));
    }

    #[test]
    fn rows_are_counted_in_their_part_and_year() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("date");
        let request = DigestRequest { split: Some(day(2024, 3, 1)), until: Some(day(2024, 6, 3)), ..DigestRequest::default() };
        let mut tally = Tally::new(&["A".into(), "B".into(), "A".into()], &request);
        let slot = tally.slot("A").expect("A");
        assert_eq!(tally.slot("C"), None);
        for (number, date) in [day(2023, 12, 29), day(2024, 2, 29), day(2024, 3, 1), day(2024, 6, 2), day(2024, 6, 3)].iter().enumerate() {
            tally.row(slot, &Ok(micros_of_date(*date)), true, 1 << number);
        }
        tally.row(slot, &Err(NoTime("soon".to_owned())), true, 32);
        let digests = tally.finish();
        assert_eq!(digests.len(), 2);
        let (_, a) = &digests[0];
        let year = |year, rows, checksum| YearDigest { year, rows, checksum };
        assert_eq!(a.before, [year(0, 1, 32), year(2023, 1, 1), year(2024, 1, 2)]);
        assert_eq!(a.after, [year(2024, 2, 12)]);
        assert_eq!(a.settled(), [year(0, 1, 32), year(2023, 1, 1), year(2024, 3, 14)]);
        assert_eq!((a.provisional_rows, a.settled_rows(), a.rows()), (1, 5, 6));
        assert_eq!(a.last_us, Some(micros_of_date(day(2024, 6, 3))));
        assert_eq!(digests[1].1, SymbolDigest::default());
    }
}
