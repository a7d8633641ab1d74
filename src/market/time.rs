//! Time as the whole program counts it: microseconds since 1970-01-01, and a clock that is handed in.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use std::sync::atomic::{AtomicI64, Ordering};

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in an hour.
pub const HOUR_US: i64 = 3_600 * SECOND_US;
/// Microseconds in a day.
pub const DAY_US: i64 = 24 * HOUR_US;

/// Where "now" comes from. Handed down from the edge, so that a time to live can be tested to the second.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Microseconds since 1970-01-01 UTC.
    fn now_us(&self) -> i64;
}

/// The machine's own clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        chrono::Utc::now().timestamp_micros()
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock standing at `now_us`.
    #[must_use]
    pub fn at(now_us: i64) -> Self {
        Self(AtomicI64::new(now_us))
    }

    /// Moves the clock forward (or back, with a negative step).
    pub fn advance(&self, step_us: i64) {
        self.0.fetch_add(step_us, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The calendar day a time falls on; the epoch for times no calendar can hold.
#[must_use]
pub fn date_of(time_us: i64) -> NaiveDate {
    DateTime::from_timestamp_micros(time_us).map_or_else(|| DateTime::UNIX_EPOCH.date_naive(), |time| time.date_naive())
}

/// Midnight at the start of `date`, in microseconds.
#[must_use]
pub fn micros_of_date(date: NaiveDate) -> i64 {
    NaiveDateTime::new(date, NaiveTime::MIN).and_utc().timestamp_micros()
}

/// `2024-03-01`.
#[must_use]
pub fn format_date(time_us: i64) -> String {
    date_of(time_us).format("%Y-%m-%d").to_string()
}

/// `2024-03-01` at midnight, else `2024-03-01 09:31` (with seconds where there are any).
#[must_use]
pub fn format_time(time_us: i64) -> String {
    match DateTime::from_timestamp_micros(time_us) {
        Some(time) if time.num_seconds_from_midnight() == 0 => time.format("%Y-%m-%d").to_string(),
        Some(time) if time.second() == 0 => time.format("%Y-%m-%d %H:%M").to_string(),
        Some(time) => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        None => "–".to_owned(),
    }
}

/// Reads `2024-03-01`, `20240301`, `2024/03/01` or `01.03.2024`.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    ["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d.%m.%Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(text, format).ok())
        .filter(|date| (1000..=9999).contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_four_spellings_and_written_in_one() {
        for text in ["2024-03-01", "20240301", "2024/03/01", "01.03.2024"] {
            let date = parse_date(text).expect(text);
            assert_eq!(format_date(micros_of_date(date)), "2024-03-01");
        }
        assert_eq!(parse_date("tomorrow"), None);
        assert_eq!(parse_date("2024-13-01"), None);
    }

    #[test]
    fn a_time_shows_only_the_part_that_is_there() {
        let midnight = micros_of_date(NaiveDate::from_ymd_opt(2024, 3, 1).expect("date"));
        assert_eq!(format_time(midnight), "2024-03-01");
        assert_eq!(format_time(midnight + 9 * HOUR_US + 31 * 60 * SECOND_US), "2024-03-01 09:31");
        assert_eq!(format_time(midnight + 5 * SECOND_US), "2024-03-01 00:00:05");
    }
}
