//! The daily look: are the newest cached days still what the source has, and what came behind them? One statement answers both for
//! many symbols, so that a new day costs about its own rows.
//!
//! Decides and compares only; asks nobody. What happened further back is not seen here: a symbol whose newest days differ is
//! checked whole at once, and every symbol is checked whole every few days ([`is_history_due`]).

use super::ask::Cut;
use crate::cache::{Entry, Synced};
use crate::market::{Bars, DAY_US, DateRange, Quality, RawBars, Resolution, Symbol, date_of, micros_of_date};
use crate::source::SymbolDigest;
use chrono::{Datelike, Days, NaiveDate};
use xxhash_rust::xxh3::xxh3_64;

/// How many days before the newest settled bar are looked at again: two weeks of daily bars, …
const DAYS_AGAIN: u64 = 14;
/// … and of intraday bars, of which a day has many, the last day and the one before.
const INTRADAY_DAYS_AGAIN: u64 = 1;

/// Whether a symbol's whole history has to be compared with the source's: always when `every_days` is 0, else at least so often.
///
/// Each symbol has its own day in the cycle, so that no day has them all. Days are those of UTC.
pub(super) fn is_history_due(symbol: &Symbol, verified_us: i64, now_us: i64, every_days: u32) -> bool {
    if every_days == 0 || now_us < verified_us {
        return true;
    }
    let every = i64::from(every_days);
    let place = i64::try_from(xxh3_64(symbol.as_str().as_bytes()) % u64::from(every_days)).unwrap_or(0);
    let cycle = |time_us: i64| (time_us.div_euclid(DAY_US) + place).div_euclid(every);
    cycle(now_us) > cycle(verified_us)
}

/// The days to ask for of an entry whose history stands: some that are cached, and all that follow. `None` when that would not do,
/// because too little is known of what is cached.
pub(super) fn days(entry: &Entry, range: &DateRange, cut: Cut) -> Option<DateRange> {
    let (file, synced) = (entry.file.as_ref()?, entry.synced.as_ref()?);
    let split = cut.split.filter(|split| synced.counts_the_same_before(*split))?;
    // Rows without a day are found by no range of days.
    if entry.range != *range || synced.years.is_empty() || synced.years.iter().any(|year| year.year == 0) {
        return None;
    }
    let newest = date_of(file.last_us).min(split.pred_opt()?);
    let again = if file.resolution == Resolution::Intraday { INTRADAY_DAYS_AGAIN } else { DAYS_AGAIN };
    let start = newest.checked_sub_days(Days::new(again))?;
    Some(DateRange { start: range.start.max(Some(start)), end: range.end })
}

/// The same days and some more before them, the same for many symbols that ended on different days of a quarter.
pub(super) fn of_quarter(days: DateRange, range: &DateRange) -> DateRange {
    let first = |day: NaiveDate| NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1);
    DateRange { start: range.start.max(days.start.and_then(first).or(days.start)), ..days }
}

/// Whether rows that came of these days are, up to the split, what is cached of them: bit for bit, none more, none less. Rows that
/// are no bars are compared by the whole check only.
pub(super) fn is_same(cached: &Bars, days: &DateRange, split: NaiveDate, rows: &RawBars, noticed: Quality) -> bool {
    let split_us = micros_of_date(split);
    let settled = DateRange { start: days.start, end: split.pred_opt() };
    let (fresh, quality) = Bars::normalise(before_time(rows, split_us));
    let span = cached.span_of(&settled);
    let is_noticed = quality.dropped() == 0 && (quality.missing_volume == 0 || noticed.missing_volume > 0);
    !span.is_empty() && is_noticed && span.len() == fresh.len() && cached.has_same_rows(span, &fresh, 0)
}

/// What the source has, if it is what it had before the split: told from what it had, and what it has from the split on.
pub(super) fn as_digest(before: &Synced, newest: SymbolDigest) -> SymbolDigest {
    SymbolDigest { before: before.years.clone(), ..newest }
}

fn before_time(rows: &RawBars, time_us: i64) -> RawBars {
    let chosen: Vec<usize> = (0..rows.len()).filter(|row| rows.time_us.get(*row).is_some_and(|time| *time < time_us)).collect();
    rows.only(&chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::parse_date;

    fn day(text: &str) -> NaiveDate {
        parse_date(text).expect("a day")
    }

    #[test]
    fn every_symbol_is_due_once_in_a_cycle_on_its_own_day() {
        let start_us = micros_of_date(day("2024-03-01")) + 7;
        for every in [1, 2, 7, 30] {
            let mut by_day = vec![0; every as usize + 1];
            for number in 0..700 {
                let symbol = Symbol::new(format!("S{number}"));
                let due =
                    |from_us: i64| (0..).find(|days| is_history_due(&symbol, from_us, from_us + days * DAY_US, every)).expect("some day");
                let first = due(start_us);
                assert!((1..=i64::from(every)).contains(&first), "{first} of {every}");
                by_day[first as usize] += 1;
                assert_eq!(due(start_us + first * DAY_US), i64::from(every), "from then on at equal distances");
            }
            let fair = 700 / every;
            assert!(by_day[1..].iter().all(|count| (fair / 3..=fair * 3).contains(count)), "{by_day:?}");
        }
        let symbol = Symbol::new("A");
        assert!(is_history_due(&symbol, start_us, start_us, 0), "at every check");
        assert!(!is_history_due(&symbol, start_us, start_us, 7));
        assert!(is_history_due(&symbol, start_us, start_us - 1, 7), "a clock that was set back proves nothing");
        assert!(is_history_due(&symbol, i64::MIN, i64::MAX, 7));
    }

    #[test]
    fn rare_days_are_asked_for_by_quarter() {
        let days = DateRange { start: Some(day("2019-11-23")), end: None };
        assert_eq!(of_quarter(days, &DateRange::ALL).start, Some(day("2019-10-01")));
        let range = DateRange { start: Some(day("2019-11-01")), end: Some(day("2020-01-01")) };
        assert_eq!(of_quarter(DateRange { end: range.end, ..days }, &range), range, "never before the first day that is wanted");
    }

    fn raw(rows: &[(i64, f64)]) -> RawBars {
        let close: Vec<f64> = rows.iter().map(|row| row.1).collect();
        RawBars {
            time_us: rows.iter().map(|row| row.0 * DAY_US).collect(),
            open: close.clone(),
            high: close.clone(),
            low: close.clone(),
            volume: close.clone(),
            close,
            ..RawBars::default()
        }
    }

    #[test]
    fn days_that_are_cached_are_compared_bit_for_bit() {
        let cached = Bars::normalise(raw(&[(1, 1.0), (2, 2.0), (3, 3.0), (5, 5.0)])).0;
        let days = DateRange { start: Some(date_of(2 * DAY_US)), end: None };
        let split = date_of(6 * DAY_US);
        let same = |rows: &[(i64, f64)]| is_same(&cached, &days, split, &raw(rows), Quality::default());
        assert!(same(&[(2, 2.0), (3, 3.0), (5, 5.0)]));
        assert!(same(&[(2, 2.0), (3, 3.0), (5, 5.0), (6, 9.0)]), "what is new is not compared");
        for (rows, what) in [
            (&[(2, 2.0), (3, 3.0)][..], "the newest is gone"),
            (&[(2, 2.0), (5, 5.0)], "one in between is gone"),
            (&[(2, 2.0), (3, 3.0), (4, 4.0), (5, 5.0)], "one came in between"),
            (&[(2, 2.0), (3, 3.0 + 4e-16), (5, 5.0)], "the last bit"),
            (&[(2, 2.0), (3, 3.0), (3, 3.0), (5, 5.0)], "twice"),
            (&[(2, 2.0), (3, 3.0), (4, f64::NAN), (5, 5.0)], "a row without a price"),
            (&[], "nothing"),
        ] {
            assert!(!same(rows), "{what}");
        }
        let before = DateRange { start: Some(date_of(6 * DAY_US)), end: None };
        assert!(!is_same(&cached, &before, split, &raw(&[]), Quality::default()), "nothing to compare is no proof");
    }
}
