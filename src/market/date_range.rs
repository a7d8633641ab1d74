//! An inclusive range of days, open at either end.

use super::time::{DAY_US, micros_of_date};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Days from `start` to `end`, both included; `None` means no limit on that side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Serialize, Deserialize)]
pub struct DateRange {
    /// First day, or no limit.
    pub start: Option<NaiveDate>,
    /// Last day, or no limit.
    pub end: Option<NaiveDate>,
}

/// Why two dates are no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the start date {start} is after the end date {end}")]
pub struct DateRangeError {
    /// First day asked for.
    pub start: NaiveDate,
    /// Last day asked for.
    pub end: NaiveDate,
}

impl DateRange {
    /// Every day there is.
    pub const ALL: Self = Self { start: None, end: None };

    /// A range from its two ends.
    ///
    /// # Errors
    /// When the start is after the end.
    pub fn new(start: Option<NaiveDate>, end: Option<NaiveDate>) -> Result<Self, DateRangeError> {
        match (start, end) {
            (Some(start), Some(end)) if start > end => Err(DateRangeError { start, end }),
            _ => Ok(Self { start, end }),
        }
    }

    /// Whether every day of `other` is in this range.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let start_covered = self.start.is_none_or(|mine| other.start.is_some_and(|theirs| mine <= theirs));
        let end_covered = self.end.is_none_or(|mine| other.end.is_some_and(|theirs| mine >= theirs));
        start_covered && end_covered
    }

    /// The smallest range that covers both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { start: self.start.zip(other.start).map(|(a, b)| a.min(b)), end: self.end.zip(other.end).map(|(a, b)| a.max(b)) }
    }

    /// The first microsecond inside, if there is a limit.
    #[must_use]
    pub fn start_us(&self) -> Option<i64> {
        self.start.map(micros_of_date)
    }

    /// The first microsecond after the range, if there is a limit.
    #[must_use]
    pub fn end_us_exclusive(&self) -> Option<i64> {
        self.end.map(|end| micros_of_date(end) + DAY_US)
    }

    /// Whether a time falls into the range.
    #[must_use]
    pub fn contains_us(&self, time_us: i64) -> bool {
        self.start_us().is_none_or(|start| time_us >= start) && self.end_us_exclusive().is_none_or(|end| time_us < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(2024, 1, day)
    }

    #[test]
    fn an_open_end_covers_everything_and_is_covered_only_by_an_open_end() {
        let january = DateRange { start: day(1), end: day(31) };
        assert!(DateRange::ALL.covers(&january));
        assert!(!january.covers(&DateRange::ALL));
        assert!(january.covers(&DateRange { start: day(2), end: day(31) }));
        assert_eq!(january.union(&DateRange::ALL), DateRange::ALL);
        assert_eq!(january.union(&DateRange { start: day(5), end: None }), DateRange { start: day(1), end: None });
    }

    #[test]
    fn the_last_day_is_inside_until_its_last_microsecond() {
        let first = DateRange { start: day(1), end: day(1) };
        let start = first.start_us().expect("start");
        assert!(first.contains_us(start) && first.contains_us(start + DAY_US - 1));
        assert!(!first.contains_us(start + DAY_US) && !first.contains_us(start - 1));
        assert!(DateRange::new(day(2), day(1)).is_err());
    }
}
