//! Reads the date that somebody wants to go to: a year, a month, a day, a minute, or so long ago.
//!
//! Contract: a year and a month are the whole of it, a day or a minute is a point; no word of a language but the units of time is
//! needed, and what cannot be read says how it can be written.

use crate::market::{DAY_US, micros_of_date, parse_date};
use crate::tr;
use chrono::{Months, NaiveDate, NaiveDateTime};

/// Where somebody wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedTime {
    /// All from one time to before another.
    Span(i64, i64),
    /// A point.
    Point(i64),
}

/// Reads `2024`, `2024-03`, `2024-03-15`, `2024-03-15 09:31` or `3 months ago`, counted from `now_us`.
///
/// # Errors
/// How it can be written.
pub fn parse_wanted_time(text: &str, now_us: i64) -> Result<WantedTime, &'static str> {
    let text = text.trim();
    let parsed = year_or_month(text).or_else(|| point(text).map(WantedTime::Point)).or_else(|| ago(text, now_us).map(WantedTime::Point));
    parsed.ok_or_else(|| tr!("Write a year, a month or a day, such as 2024, 2024-03 or 2024-03-15"))
}

fn year_or_month(text: &str) -> Option<WantedTime> {
    let number = |text: &str, digits: usize| {
        let is_plain = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse::<u32>().ok())?
    };
    let (year, month) = match text.split_once(['-', '/', '.']) {
        None if text.len() == 4 => (number(text, 4)?, None),
        Some((year, month)) if year.len() == 4 => (number(year, 4)?, Some(number(month, 2)?)),
        _ => return None,
    };
    let first = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year >= 1_000)?, month.unwrap_or(1), 1)?;
    let next = first.checked_add_months(Months::new(if month.is_some() { 1 } else { 12 }))?;
    Some(WantedTime::Span(micros_of_date(first), micros_of_date(next)))
}

fn point(text: &str) -> Option<i64> {
    if let Some(date) = parse_date(text) {
        return Some(micros_of_date(date));
    }
    ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| time.and_utc().timestamp_micros())
}

fn ago(text: &str, now_us: i64) -> Option<i64> {
    let text = text.to_lowercase();
    let rest = text.strip_suffix("ago").unwrap_or(&text).trim();
    let split = rest.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = rest.split_at_checked(split)?;
    let count: u32 = count.parse().ok().filter(|count| *count <= 10_000)?;
    let today = crate::market::date_of(now_us);
    let date = match unit.trim().trim_end_matches('s') {
        "d" | "day" => return Some(micros_of_date(today).saturating_sub(i64::from(count) * DAY_US)),
        "w" | "week" => return Some(micros_of_date(today).saturating_sub(i64::from(count) * 7 * DAY_US)),
        "m" | "month" => today.checked_sub_months(Months::new(count))?,
        "y" | "year" => today.checked_sub_months(Months::new(count.checked_mul(12)?))?,
        _ => return None,
    };
    Some(micros_of_date(date))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{HOUR_US, format_time};

    #[test]
    fn years_months_days_minutes_and_times_ago_are_read() {
        let now_us = micros_of_date(NaiveDate::from_ymd_opt(2024, 5, 31).expect("a date")) + 12 * HOUR_US;
        let told = |text: &str| match parse_wanted_time(text, now_us) {
            Ok(WantedTime::Span(from, to)) => format!("{} to {}", format_time(from), format_time(to)),
            Ok(WantedTime::Point(time)) => format_time(time),
            Err(_) => "?".to_owned(),
        };
        for (text, wanted) in [
            ("2024", "2024-01-01 to 2025-01-01"),
            (" 2023-12 ", "2023-12-01 to 2024-01-01"),
            ("2024/3", "2024-03-01 to 2024-04-01"),
            ("2024-03-15", "2024-03-15"),
            ("20240315", "2024-03-15"),
            ("2024-03-15 09:31", "2024-03-15 09:31"),
            ("3 months ago", "2024-02-29"),
            ("2y", "2022-05-31"),
            ("10 days ago", "2024-05-21"),
            ("", "?"),
            ("2024-13", "?"),
            ("2024-02-30", "?"),
            ("soon", "?"),
            ("99999999999 years ago", "?"),
            ("12", "?"),
        ] {
            assert_eq!(told(text), wanted, "{text:?}");
        }
    }
}
