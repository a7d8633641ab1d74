//! Rows of many symbols sorted into columns per symbol, each handed on as soon as no more of its rows can come.
//!
//! Knows no database. A database may order by a collation in which different symbols are equal (`abc` and `ABC`), so rows
//! of such symbols come mixed; and it may return symbols nobody asked for, whose rows are dropped.

use super::Fetched;
use super::columns::{ColumnMap, ColumnRole};
use super::error::{SourceError, SourceErrorKind};
use super::tally::Tally;
use crate::market::{DateRange, RawBars, Symbol};
use std::cmp::Ordering;
use std::collections::HashMap;

/// A time that is none: the value as the source shows it.
pub(super) struct NoTime(pub(super) String);

/// Values of one row, in the order of [`ColumnRole::NUMBERS`].
pub(super) type Numbers = [f64; 8];

struct Slot {
    symbol: Symbol,
    key: String,
    bars: RawBars,
    error: Option<SourceError>,
    is_sent: bool,
}

/// Gathers the rows of one query.
pub(super) struct Collector {
    slots: Vec<Slot>,
    by_name: HashMap<Symbol, usize>,
    start_us: i64,
    end_us: i64,
    has_amount: bool,
    has_turnover: bool,
    has_float_shares: bool,
    has_volume: bool,
    date_column: String,
    /// The symbol of the last row, wanted or not.
    last: Option<(String, Option<usize>)>,
    /// The key of the last symbol whose place in every collation is known.
    anchor: String,
    /// Symbols seen up to the anchor's last row.
    open: Vec<usize>,
    /// Symbols seen since.
    since: Vec<usize>,
    ready: Vec<Fetched>,
    is_sorted: bool,
    tally: Option<Tally>,
}

impl Collector {
    pub(super) fn new(symbols: &[Symbol], columns: &ColumnMap, range: DateRange) -> Self {
        let has = |role| columns.get(role).is_some();
        let mut by_name = HashMap::with_capacity(symbols.len());
        let mut slots = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            by_name.entry(symbol.clone()).or_insert_with(|| {
                slots.push(Slot {
                    symbol: symbol.clone(),
                    key: collation_key(symbol.as_str()),
                    bars: RawBars::default(),
                    error: None,
                    is_sent: false,
                });
                slots.len() - 1
            });
        }
        Self {
            slots,
            by_name,
            start_us: range.start_us().unwrap_or(i64::MIN),
            end_us: range.end_us_exclusive().unwrap_or(i64::MAX),
            has_amount: has(ColumnRole::Amount),
            has_turnover: has(ColumnRole::Turnover),
            has_float_shares: has(ColumnRole::FloatShares),
            has_volume: has(ColumnRole::Volume),
            date_column: columns.get(ColumnRole::Date).unwrap_or("date").to_owned(),
            last: None,
            anchor: String::new(),
            open: Vec::new(),
            since: Vec::new(),
            ready: Vec::new(),
            is_sorted: true,
            tally: None,
        }
    }

    /// Hands each symbol on with what was counted of it, where rows are counted. The tally's symbols must be the same.
    pub(super) fn counting(self, tally: Option<Tally>) -> Self {
        Self { tally, ..self }
    }

    /// Where rows are counted, if they are; its slots are these slots.
    #[inline]
    pub(super) fn tally(&mut self) -> Option<&mut Tally> {
        self.tally.as_mut()
    }

    /// A collector for rows in any order, which hands on nothing before the end.
    pub(super) fn unsorted(symbols: &[Symbol], columns: &ColumnMap, range: DateRange) -> Self {
        Self { is_sorted: false, ..Self::new(symbols, columns, range) }
    }

    /// Where rows of this symbol go; `None` if nobody asked for it. Rows must come in the order of the symbols.
    pub(super) fn slot(&mut self, symbol: &str) -> Option<usize> {
        if let Some((last, slot)) = &self.last
            && last == symbol
        {
            return *slot;
        }
        let slot = self.by_name.get(symbol).copied();
        if let Some(slot) = slot.filter(|_| self.is_sorted) {
            self.symbol_begins(slot);
        }
        self.last = Some((symbol.to_owned(), slot));
        slot
    }

    /// A wanted symbol follows another: hands on those that are over.
    ///
    /// When the keys of two symbols differ they are different in every collation, so with sorted rows nothing up to the
    /// last row of the first can come again.
    fn symbol_begins(&mut self, slot: usize) {
        let key = self.slots.get(slot).map(|slot| slot.key.clone()).unwrap_or_default();
        if !key.is_empty() {
            if key == self.anchor {
                self.open.append(&mut self.since);
            } else {
                for over in std::mem::take(&mut self.open) {
                    self.hand_on(over);
                }
                self.open.append(&mut self.since);
                self.anchor = key;
            }
            if !self.open.contains(&slot) {
                self.open.push(slot);
            }
        } else if !self.open.contains(&slot) && !self.since.contains(&slot) {
            self.since.push(slot);
        }
    }

    fn hand_on(&mut self, number: usize) {
        if let Some(slot) = self.slots.get_mut(number)
            && !slot.is_sent
        {
            slot.is_sent = true;
            let bars = std::mem::take(&mut slot.bars);
            let result = slot.error.take().map_or(Ok(bars), Err);
            let digest = self.tally.as_mut().and_then(|tally| tally.take(number));
            self.ready.push(Fetched { symbol: slot.symbol.clone(), result, digest });
        }
    }

    /// One row of a slot.
    #[inline]
    pub(super) fn push(&mut self, slot: usize, time: Result<i64, NoTime>, numbers: &Numbers) {
        let Some(slot) = self.slots.get_mut(slot) else { return };
        let time = match time {
            Ok(time) => time,
            Err(NoTime(value)) => {
                slot.error.get_or_insert_with(|| bad_time(&slot.symbol, &self.date_column, &value));
                return;
            }
        };
        if time < self.start_us || time >= self.end_us {
            return;
        }
        let [open, high, low, close, volume, amount, turnover, float_shares] = *numbers;
        let bars = &mut slot.bars;
        bars.time_us.push(time);
        bars.open.push(open);
        bars.high.push(high);
        bars.low.push(low);
        bars.close.push(close);
        bars.volume.push(if self.has_volume { volume } else { 0.0 });
        if self.has_amount {
            bars.amount.push(amount);
        }
        if self.has_turnover {
            bars.turnover.push(turnover);
        }
        if self.has_float_shares {
            bars.float_shares.push(float_shares);
        }
        if self.is_sorted {
            order_last_by_values(bars);
        }
    }

    /// Symbols that are over.
    pub(super) fn take_ready(&mut self) -> Vec<Fetched> {
        std::mem::take(&mut self.ready)
    }

    /// Whether [`Self::take_ready`] has any.
    #[inline]
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// No more rows come: everything that was not handed on yet.
    pub(super) fn finish(mut self) -> Vec<Fetched> {
        for slot in 0..self.slots.len() {
            self.hand_on(slot);
        }
        self.ready
    }
}

/// Puts the last row where its values say among those of the same time. A database gives such rows in any order, another one for
/// every statement; which of them counts must not depend on it.
#[inline]
fn order_last_by_values(bars: &mut RawBars) {
    let mut row = bars.len().saturating_sub(1);
    while row > 0 && bars.time_us.get(row) == bars.time_us.get(row - 1) {
        let mut columns = [
            &mut bars.open,
            &mut bars.high,
            &mut bars.low,
            &mut bars.close,
            &mut bars.volume,
            &mut bars.amount,
            &mut bars.turnover,
            &mut bars.float_shares,
        ];
        let order = columns.iter().find_map(|column| match (column.get(row - 1), column.get(row)) {
            (Some(before), Some(last)) => Some(before.total_cmp(last)).filter(|order| order.is_ne()),
            _ => None,
        });
        if order != Some(Ordering::Greater) {
            return;
        }
        for column in &mut columns {
            if row < column.len() {
                column.swap(row - 1, row);
            }
        }
        row -= 1;
    }
}

/// The error of a row whose time cannot be read.
pub(super) fn bad_time(symbol: &Symbol, column: &str, value: &str) -> SourceError {
    let shown: String = value.chars().take(40).collect();
    SourceError::new(
        SourceErrorKind::BadValue,
        format!("{symbol} has a row whose {column} is no date: \"{shown}\""),
        "dates are read as 2024-03-01, 20240301, 2024-03-01 09:31:00 or seconds since 1970; mend the row, or choose another column with &date=COLUMN",
    )
}

/// A key that is equal for all symbols any collation might call equal; empty where that is not known.
///
/// Only ASCII letters and digits count, without case, and letters that some collations take for one are one.
fn collation_key(symbol: &str) -> String {
    if !symbol.is_ascii() {
        return String::new();
    }
    symbol
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| match letter.to_ascii_lowercase() {
            'j' | 'y' => 'i',
            'v' | 'w' => 'u',
            letter => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collector(symbols: &[&str]) -> Collector {
        let symbols: Vec<Symbol> = symbols.iter().map(Symbol::new).collect();
        Collector::new(&symbols, &ColumnMap::default(), DateRange::ALL)
    }

    fn row(collector: &mut Collector, symbol: &str, time: i64) {
        if let Some(slot) = collector.slot(symbol) {
            collector.push(slot, Ok(time), &[1.0; 8]);
        }
    }

    fn sent(fetched: &[Fetched]) -> Vec<(String, usize)> {
        let mut sent: Vec<_> = fetched.iter().map(|one| (one.symbol.to_string(), one.result.as_ref().map_or(0, RawBars::len))).collect();
        sent.sort();
        sent
    }

    #[test]
    fn a_symbol_is_handed_on_when_the_next_one_begins() {
        let mut collector = collector(&["A", "B", "Z"]);
        row(&mut collector, "A", 1);
        row(&mut collector, "A", 2);
        assert!(!collector.has_ready());
        row(&mut collector, "B", 1);
        assert_eq!(sent(&collector.take_ready()), [("A".to_owned(), 2)]);
        assert_eq!(sent(&collector.finish()), [("B".to_owned(), 1), ("Z".to_owned(), 0)]);
    }

    #[test]
    fn rows_of_one_time_come_in_one_order() {
        let orders = [[3.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 1.0]];
        for order in orders {
            let mut collector = collector(&["A"]);
            let slot = collector.slot("A").unwrap();
            for (time, close) in std::iter::once((1, 9.0)).chain(order.map(|close| (2, close))).chain([(3, 0.5)]) {
                collector.push(slot, Ok(time), &[1.0, 1.0, 1.0, close, close, 1.0, 1.0, 1.0]);
            }
            let bars = collector.finish().remove(0).result.expect("bars");
            assert_eq!((bars.time_us, bars.close), (vec![1, 2, 2, 2, 3], vec![9.0, 1.0, 2.0, 3.0, 0.5]));
        }
    }

    #[test]
    fn symbols_a_collation_mixes_are_kept_apart() {
        let mut collector = collector(&["abc", "ABC", "Äbc", "b"]);
        for (time, symbol) in ["abc", "ABC", "aBC", "Äbc", "abc", "Äbc", "ABC"].iter().enumerate() {
            row(&mut collector, symbol, i64::try_from(time).unwrap());
        }
        assert!(!collector.has_ready());
        row(&mut collector, "b", 9);
        let over = sent(&collector.take_ready());
        assert_eq!(over, [("ABC".to_owned(), 2), ("abc".to_owned(), 2), ("Äbc".to_owned(), 2)]);
    }

    #[test]
    fn a_foreign_letter_after_the_last_row_waits_for_the_next_symbol() {
        let mut collector = collector(&["ab", "ß", "st", "t"]);
        for (time, symbol) in ["ab", "ß", "st", "ß", "st"].iter().enumerate() {
            row(&mut collector, symbol, i64::try_from(time).unwrap());
        }
        assert_eq!(sent(&collector.take_ready()), [("ab".to_owned(), 1)]);
        row(&mut collector, "t", 9);
        assert_eq!(sent(&collector.take_ready()), [("st".to_owned(), 2), ("ß".to_owned(), 2)]);
    }

    #[test]
    fn a_bad_date_fails_its_symbol_only() {
        let mut collector = collector(&["A", "B"]);
        row(&mut collector, "A", 1);
        let slot = collector.slot("A").unwrap();
        collector.push(slot, Err(NoTime("soon".to_owned())), &[1.0; 8]);
        row(&mut collector, "B", 1);
        let fetched = collector.finish();
        let error = fetched[0].result.as_ref().expect_err("bad date");
        assert!(error.to_string().contains("soon"), "{error}");
        assert!(fetched[1].result.is_ok());
    }
}
