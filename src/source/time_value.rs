//! Times as databases and files write them, read as microseconds on the wall clock, and the limits of a date range
//! written back in the same style.
//!
//! Knows day-first and month-first dates not at all: they cannot be told apart, and a wrong guess would be silent.

use crate::market::{DAY_US, DateRange, SECOND_US, micros_of_date};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// How the values of a date column look; decided once per table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateStyle {
    /// A type of dates without a time.
    Date,
    /// A type of dates with a time.
    DateTime,
    /// A type of instants; shown in UTC.
    Instant,
    /// Text with a separator: `2024-03-01`, `2024/03/01`.
    SeparatedText(char),
    /// Text without: `20240301`.
    CompactText,
    /// Text of a kind that no limit can be written in.
    OtherText,
    /// Numbers like `20240301`.
    DayNumber,
    /// Numbers like `20240301093100`.
    SecondNumber,
    /// Seconds since 1970 times this factor.
    Epoch(i64),
    /// Numbers of which no example was seen.
    OtherNumber,
}

/// A limit of a date range in the style of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bound {
    Date(NaiveDate),
    DateTime(NaiveDateTime),
    Text(String),
    Number(i64),
}

/// The first value inside and the first value behind a range, where the style can say.
pub(super) fn bounds(style: DateStyle, range: &DateRange) -> (Option<Bound>, Option<Bound>) {
    let start = range.start.and_then(|day| bound_of_day(style, day));
    let end = range.end.and_then(|day| day.succ_opt()).and_then(|day| bound_of_day(style, day));
    (start, end)
}

/// The first value from a day on, where there is a day and the style can say.
pub(super) fn day_bound(style: DateStyle, day: Option<NaiveDate>) -> Option<Bound> {
    day.and_then(|day| bound_of_day(style, day))
}

/// The first and last tick of the years 1000 to 9999 (as far as they fit), and the ticks of a day.
pub(super) fn epoch_limits(per_second: i64) -> (i64, i64, i64) {
    const FIRST_SECOND: i64 = -30_610_224_000;
    const LAST_SECOND: i64 = 253_402_300_799;
    const DAY_SECONDS: i64 = 86_400;
    (FIRST_SECOND.saturating_mul(per_second).max(-i64::MAX), LAST_SECOND.saturating_mul(per_second), DAY_SECONDS.saturating_mul(per_second))
}

/// Whether limits in this style hold for a text: it begins as the style does, so that it sorts where its time is.
pub(super) fn is_in_style(style: DateStyle, text: &[u8]) -> bool {
    match style {
        DateStyle::SeparatedText(mark) => text.get(4).is_some_and(|byte| char::from(*byte) == mark),
        DateStyle::CompactText => text.len() >= 8 && text.iter().take(8).all(u8::is_ascii_digit),
        _ => false,
    }
}

fn bound_of_day(style: DateStyle, day: NaiveDate) -> Option<Bound> {
    let day_number = || day.format("%Y%m%d").to_string().parse::<i64>().ok();
    match style {
        DateStyle::Date => Some(Bound::Date(day)),
        DateStyle::DateTime | DateStyle::Instant => Some(Bound::DateTime(day.and_time(NaiveTime::MIN))),
        DateStyle::SeparatedText(mark) => Some(Bound::Text(day.format(&format!("%Y{mark}%m{mark}%d")).to_string())),
        DateStyle::CompactText => Some(Bound::Text(day.format("%Y%m%d").to_string())),
        DateStyle::DayNumber => day_number().map(Bound::Number),
        DateStyle::SecondNumber => day_number().map(|number| Bound::Number(number * 1_000_000)),
        DateStyle::Epoch(per_second) => Some(Bound::Number(micros_of_date(day) / SECOND_US * per_second)),
        DateStyle::OtherText | DateStyle::OtherNumber => None,
    }
}

/// The style of a text, seen from one value of the column.
pub(super) fn style_of_text(example: &str) -> DateStyle {
    let mark = example.chars().nth(4);
    match mark {
        Some(mark @ ('-' | '/' | '.')) if example.len() >= 10 && example.chars().nth(7) == Some(mark) => DateStyle::SeparatedText(mark),
        Some('0'..='9')
            if example.len() >= 8 && example.bytes().take(8).all(|byte| byte.is_ascii_digit()) && micros_of_text(example).is_some() =>
        {
            DateStyle::CompactText
        }
        _ => DateStyle::OtherText,
    }
}

/// The style of a number, seen from one value of the column.
pub(super) fn style_of_number(example: i64) -> DateStyle {
    if day_of_number(example).is_some() {
        DateStyle::DayNumber
    } else if second_of_number(example).is_some() {
        DateStyle::SecondNumber
    } else {
        DateStyle::Epoch(ticks_per_second(example))
    }
}

/// A number of days or ticks as a time: `20240301`, `20240301093100`, or seconds, milli-, micro- or nanoseconds since 1970.
pub(super) fn micros_of_number(number: i64) -> Option<i64> {
    if let Some(day) = day_of_number(number) {
        return Some(micros_of_date(day));
    }
    if let Some(time) = second_of_number(number) {
        return Some(time.and_utc().timestamp_micros());
    }
    match ticks_per_second(number) {
        1_000_000_000 => Some(number.div_euclid(1_000)),
        per_second => number.checked_mul(SECOND_US / per_second),
    }
}

fn day_of_number(number: i64) -> Option<NaiveDate> {
    if !(10_000_101..=99_991_231).contains(&number) {
        return None;
    }
    let part = |value: i64| u32::try_from(value).ok();
    NaiveDate::from_ymd_opt(i32::try_from(number / 10_000).ok()?, part(number / 100 % 100)?, part(number % 100)?)
}

fn second_of_number(number: i64) -> Option<NaiveDateTime> {
    if !(19_000_101_000_000..=20_991_231_235_959).contains(&number) {
        return None;
    }
    let part = |value: i64| u32::try_from(value % 100).ok();
    day_of_number(number / 1_000_000)?.and_hms_opt(part(number / 10_000)?, part(number / 100)?, part(number)?)
}

/// How many ticks a second has, guessed by magnitude: a number this big would lie millennia away in a coarser unit.
fn ticks_per_second(number: i64) -> i64 {
    match number.unsigned_abs() {
        0..100_000_000_000 => 1,
        100_000_000_000..100_000_000_000_000 => 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    }
}

/// A text as a time: year first, then perhaps a time of day. A zone behind it is not applied: the wall clock counts.
pub(super) fn micros_of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (day, rest) = match digits {
        4 => separated_day(bytes)?,
        8 => (day_of_number(number_of(bytes.get(..8)?)?)?, bytes.get(8..)?),
        _ if digits == bytes.len() && digits > 8 => return micros_of_number(number_of(bytes)?),
        _ => return None,
    };
    Some(micros_of_date(day) + time_of_day(rest)?)
}

/// `2024-03-01`, `2024/3/1`, `2024.03.01`, `2024年3月1日`, and what follows.
fn separated_day(bytes: &[u8]) -> Option<(NaiveDate, &[u8])> {
    let year = number_of(bytes.get(..4)?)?;
    let mark = *bytes.get(4)?;
    if mark == 0xE5 {
        // 年 月 日, each three bytes long in UTF-8
        let (month, rest) = leading_number(bytes.get(4..)?.strip_prefix("年".as_bytes())?, 2)?;
        let (day, rest) = leading_number(rest.strip_prefix("月".as_bytes())?, 2)?;
        return Some((ymd(year, month, day)?, rest.strip_prefix("日".as_bytes())?));
    }
    if !matches!(mark, b'-' | b'/' | b'.') {
        return None;
    }
    let (month, rest) = leading_number(bytes.get(5..)?, 2)?;
    let (day, rest) = leading_number(rest.strip_prefix(&[mark])?, 2)?;
    Some((ymd(year, month, day)?, rest))
}

/// Nothing, or ` 09:31`, `T09:31:00.5`, ` 093100`, perhaps with a zone behind.
fn time_of_day(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() {
        return Some(0);
    }
    let rest = bytes.strip_prefix(b"T").or_else(|| bytes.strip_prefix(b" ")).unwrap_or(bytes).trim_ascii_start();
    let (hour, rest) = leading_number(rest, 2)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minute, mut rest) = leading_number(rest, 2)?;
    let mut second = 0;
    let mut micros = 0;
    if let Some((value, behind)) = leading_number(rest.strip_prefix(b":").unwrap_or(rest), 2) {
        (second, rest) = (value, behind);
        if let Some(fraction) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            micros = (0..6).try_fold(0_i64, |sum, place| {
                let digit = fraction.get(place).filter(|_| place < length).map_or(0, |byte| i64::from(byte - b'0'));
                Some(sum * 10 + digit)
            })?;
            rest = fraction.get(length..)?;
        }
    }
    let zone = rest.trim_ascii();
    let zone_is_one = zone.is_empty() || zone == b"Z" || zone == b"UTC" || matches!(zone.first(), Some(b'+' | b'-'));
    if hour > 24 || minute > 59 || second > 60 || !zone_is_one {
        return None;
    }
    let micros_of_day = ((hour * 60 + minute) * 60 + second) * SECOND_US + micros;
    (micros_of_day <= DAY_US).then_some(micros_of_day)
}

fn ymd(year: i64, month: i64, day: i64) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

fn number_of(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

fn leading_number(bytes: &[u8], longest: usize) -> Option<(i64, &[u8])> {
    let length = bytes.iter().take(longest).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at_checked(length)?;
    if digits.is_empty() { None } else { Some((number_of(digits)?, rest)) }
}

/// A number written as text; NaN where it is none.
pub(super) fn number_of_text(text: &str) -> f64 {
    text.trim().parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::format_time;

    fn shown(text: &str) -> Option<String> {
        micros_of_text(text).map(format_time)
    }

    #[test]
    fn dates_are_read_as_people_write_them() {
        for text in [
            "2024-03-01",
            "2024/3/1",
            "2024.03.01",
            "20240301",
            " 2024-03-01 ",
            "2024年3月1日",
            "1709251200",
            "1709251200000",
            "2024-03-01T00:00:00+08:00",
        ] {
            assert_eq!(shown(text).as_deref(), Some("2024-03-01"), "{text}");
        }
        for text in
            ["2024-03-01 09:31", "2024-03-01T09:31:00", "20240301 09:31:00", "20240301093100", "2024-03-01 09:31:00.000Z", "202403010931"]
        {
            if text.len() == 12 {
                // As many digits as a time in milliseconds of the 1970s: not guessed at.
                continue;
            }
            assert_eq!(shown(text).as_deref(), Some("2024-03-01 09:31"), "{text}");
        }
        assert_eq!(micros_of_text("2024-03-01 00:00:00.25"), micros_of_text("2024-03-01").map(|day| day + 250_000));
        for text in ["", "soon", "01/03/2024", "2024-13-01", "2024-03-01 25:00", "2024-03-01 noon", "2024"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_days_or_ticks_by_their_size() {
        let day = micros_of_text("2024-03-01");
        for number in [20_240_301, 1_709_251_200, 1_709_251_200_000, 1_709_251_200_000_000, 1_709_251_200_000_000_000] {
            assert_eq!(micros_of_number(number), day, "{number}");
        }
        assert_eq!(micros_of_number(-86_400), Some(-DAY_US));
        assert_eq!(style_of_number(20_240_301), DateStyle::DayNumber);
        assert_eq!(style_of_number(1_709_251_200_000), DateStyle::Epoch(1_000));
    }

    #[test]
    fn epochs_end_where_years_do() {
        let second = |text: &str| micros_of_text(text).expect(text) / SECOND_US;
        assert_eq!(epoch_limits(1), (second("1000-01-01"), second("9999-12-31 23:59:59"), 86_400));
        let (first, last, per_day) = epoch_limits(1_000_000_000);
        assert_eq!((first, last, per_day), (-i64::MAX, i64::MAX, 86_400_000_000_000));
    }

    #[test]
    fn limits_are_written_in_the_columns_own_style() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29);
        let range = DateRange { start: day, end: day };
        assert_eq!(
            bounds(style_of_text("2020-01-01 09:31:00"), &range),
            (Some(Bound::Text("2024-02-29".into())), Some(Bound::Text("2024-03-01".into())))
        );
        assert_eq!(bounds(DateStyle::DayNumber, &range), (Some(Bound::Number(20_240_229)), Some(Bound::Number(20_240_301))));
        assert_eq!(bounds(style_of_text("2024/3/1"), &range), (None, None));
        assert_eq!(bounds(DateStyle::Date, &DateRange::ALL), (None, None));
    }
}
