//! What is to be done again and again, and when: as it is written in the settings, and the times that follow from it.
//!
//! Not the running of it (the worker's). Contract: due times are a pure function of a rhythm and a time; a rhythm that is
//! written wrongly is refused with the reason and kept in the file as it was.

use crate::market::{DAY_US, Exchange, SECOND_US};
use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

/// Longest distance between two sessions that is looked for, in days.
const LONGEST_CLOSURE_DAYS: u64 = 60;
/// Longest distance between two runs of a schedule that goes by minutes: a week.
const MOST_MINUTES: u32 = 7 * 24 * 60;

/// What a schedule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduledTask {
    /// Bring everything that is not fresh to fresh.
    #[default]
    Preheat,
    /// Ask the source what changed, about fresh symbols too.
    Check,
}

/// When a schedule is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Every so many minutes, counted from midnight UTC on 1970-01-01, so that all computers mean the same times.
    Minutes(u32),
    /// On every day an exchange trades, at a time of its own clock.
    Sessions(Exchange, NaiveTime),
}

impl Rhythm {
    /// Reads `every 15 min`, or `16:05 XNYS` (every trading day of that exchange).
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["every", number, "min" | "minutes"] => {
                let minutes: u32 = number.parse().map_err(|_error| format!("{number} is no number of minutes"))?;
                if (1..=MOST_MINUTES).contains(&minutes) {
                    Ok(Self::Minutes(minutes))
                } else {
                    Err(format!("minutes go from 1 to {MOST_MINUTES}, which is a week"))
                }
            }
            [time, exchange @ ..] if !exchange.is_empty() => {
                let time = NaiveTime::parse_from_str(time, "%H:%M").map_err(|_error| format!("{time} is no time of day such as 16:05"))?;
                let name = exchange.join(" ");
                let exchange = Exchange::parse(&name).ok_or_else(|| format!("{name} is no known exchange such as XNYS"))?;
                Ok(Self::Sessions(exchange, time))
            }
            _ => Err(format!("{text:?} is neither \"every 15 min\" nor a time of day and an exchange, such as \"16:05 XNYS\"")),
        }
    }

    /// The first time strictly after `after_us` at which it is due; `None` where there is none in sight.
    #[must_use]
    pub fn next_us(self, after_us: i64) -> Option<i64> {
        match self {
            Self::Minutes(minutes) => {
                let step = i64::from(minutes.max(1)) * 60 * SECOND_US;
                Some((after_us.div_euclid(step) + 1) * step)
            }
            Self::Sessions(exchange, time) => {
                // A day before: the exchange's clock may be behind that of UTC.
                let first = crate::market::date_of(after_us - DAY_US);
                let days = first.iter_days().take(usize::try_from(LONGEST_CLOSURE_DAYS).unwrap_or(usize::MAX));
                let due = days.filter(|day| exchange.is_session(*day)).map(|day| exchange.instant_us(day, time));
                due.into_iter().find(|at_us| *at_us > after_us)
            }
        }
    }

    /// The last time at or before `now_us` and after `after_us` at which it was due.
    #[must_use]
    pub fn last_due_us(self, after_us: i64, now_us: i64) -> Option<i64> {
        let mut found = None;
        let mut at_us = match self {
            // Straight to the last step: a program that was closed for a year missed many.
            Self::Minutes(minutes) => {
                let step = i64::from(minutes.max(1)) * 60 * SECOND_US;
                after_us.max(now_us - step)
            }
            Self::Sessions(..) => after_us.max(now_us - i64::try_from(LONGEST_CLOSURE_DAYS).unwrap_or(0) * DAY_US),
        };
        while let Some(next_us) = self.next_us(at_us).filter(|next_us| *next_us <= now_us) {
            found = Some(next_us);
            at_us = next_us;
        }
        found
    }
}

impl std::fmt::Display for Rhythm {
    /// As it is written in the settings.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Minutes(minutes) => write!(formatter, "every {minutes} min"),
            Self::Sessions(exchange, time) => write!(formatter, "{} {}", time.format("%H:%M"), exchange.code()),
        }
    }
}

/// One schedule of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// What it is called; no two have the same name.
    pub name: String,
    /// What it does.
    pub task: ScheduledTask,
    /// When, as [`Rhythm::parse`] reads it. Kept as it is written, so that one that cannot be read is explained and not lost.
    pub when: String,
    /// Whether it rests until it is told to go on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(text: &str) -> i64 {
        chrono::DateTime::parse_from_rfc3339(text).expect("a time").timestamp_micros()
    }

    #[test]
    fn rhythms_are_read_and_written_the_same() {
        for text in ["every 15 min", "16:05 XNYS", "09:00 24/7"] {
            assert_eq!(Rhythm::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(Rhythm::parse("16:05 new york"), Rhythm::parse("16:05 XNYS"));
        for wrong in ["", "every", "every 0 min", "every x min", "25:00 XNYS", "16:05", "16:05 XXXX", "every 99999 min"] {
            assert!(Rhythm::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn minutes_are_counted_alike_everywhere() {
        let every = Rhythm::Minutes(15);
        assert_eq!(every.next_us(us("2024-05-06T12:00:00Z")), Some(us("2024-05-06T12:15:00Z")));
        assert_eq!(every.next_us(us("2024-05-06T12:14:59Z")), Some(us("2024-05-06T12:15:00Z")));
    }

    #[test]
    fn trading_days_go_by_the_exchange_s_own_clock_and_calendar() {
        let close = Rhythm::parse("16:05 XNYS").expect("a rhythm");
        // Summer time: 16:05 in New York is 20:05 UTC.
        assert_eq!(close.next_us(us("2024-05-06T12:00:00Z")), Some(us("2024-05-06T20:05:00Z")));
        // Friday evening to Monday; then winter time.
        assert_eq!(close.next_us(us("2024-05-10T20:05:00Z")), Some(us("2024-05-13T20:05:00Z")));
        assert_eq!(close.next_us(us("2024-01-12T22:00:00Z")), Some(us("2024-01-16T21:05:00Z")), "over a holiday");
        let shanghai = Rhythm::parse("15:05 XSHG").expect("a rhythm");
        assert_eq!(shanghai.next_us(us("2024-05-06T12:00:00Z")), Some(us("2024-05-07T07:05:00Z")));
    }

    #[test]
    fn of_missed_times_the_last_counts() {
        let every = Rhythm::Minutes(60);
        let (before, now) = (us("2020-01-01T00:00:00Z"), us("2024-05-06T12:30:00Z"));
        assert_eq!(every.last_due_us(before, now), Some(us("2024-05-06T12:00:00Z")));
        assert_eq!(every.last_due_us(us("2024-05-06T12:10:00Z"), now), None);
        let close = Rhythm::parse("16:05 XNYS").expect("a rhythm");
        assert_eq!(close.last_due_us(us("2024-05-01T00:00:00Z"), now), Some(us("2024-05-03T20:05:00Z")));
    }
}
