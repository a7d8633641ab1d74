//! Numbers, sizes, durations and times as people read them, in one place.
//!
//! Not for files or `--json`: those write plain numbers. Contract: pure functions, no clock ("now" is handed in), figures
//! and separators only from characters that every bundled font has, and a true minus sign.

use crate::market::{DAY_US, HOUR_US, SECOND_US, format_date};
use chrono::TimeZone;

/// Shown where there is no value.
pub const NONE: &str = "–";
const MINUS: char = '−';

/// `5,214`.
#[must_use]
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// `5,214 symbols`, `1 symbol`: a count and its noun.
#[must_use]
pub fn counted(value: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", count(value), if value == 1 { singular } else { plural })
}

/// `1.2 GB`, `412 MB`, `45 KB`, `12 B`; decimal units, as disks are sold.
#[must_use]
pub fn bytes(value: u64) -> String {
    if value < 1_000 {
        return format!("{value} B");
    }
    scaled(value as f64, &["KB", "MB", "GB", "TB", "PB"])
}

/// `1.2 M`, `350 K`, `87`: volumes and other large amounts.
#[must_use]
pub fn volume(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value.abs() < 1_000.0 {
        return fixed(value, usize::from(value.fract() != 0.0 && value.abs() < 10.0) * 2);
    }
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", scaled(value.abs(), &["K", "M", "B", "T", "P"]))
}

/// `125,400 rows/s`, `1.2 M rows/s`.
#[must_use]
pub fn rows_per_second(rate: f64) -> String {
    if !rate.is_finite() || rate < 0.0 {
        return NONE.to_owned();
    }
    if rate < 1_000_000.0 { format!("{} rows/s", count(rate.round() as u64)) } else { format!("{} rows/s", scaled(rate, &["K", "M", "B"])) }
}

/// A share of one as `93.4 %`; whole percents from 99.95 on and for 0.
#[must_use]
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let value = share * 100.0;
    let decimals = usize::from(value != 0.0 && value.abs() < 99.95);
    format!("{} %", fixed(value, decimals))
}

/// A change in percent with its sign: `+1.20 %`, `−0.35 %`.
#[must_use]
pub fn change_percent(percent: f64) -> String {
    if !percent.is_finite() {
        return NONE.to_owned();
    }
    let sign = if percent > 0.0 { "+" } else { "" };
    format!("{sign}{} %", fixed(percent, 2))
}

/// A price with the decimals its size needs: `4,512.33`, `12.34`, `0.0712`, `0.00001234`.
#[must_use]
pub fn price(value: f64) -> String {
    if value.is_finite() { fixed(value, price_decimals(value)) } else { NONE.to_owned() }
}

/// How many decimals a price of this size is shown with.
#[must_use]
pub fn price_decimals(value: f64) -> usize {
    let size = value.abs();
    if size >= 1.0 || size == 0.0 || !size.is_finite() {
        2
    } else if size >= 0.01 {
        4
    } else {
        // Four significant figures, and no more than a price can sensibly have.
        (3 - size.log10().floor() as i32).clamp(4, 12) as usize
    }
}

/// The value of a feature of unknown size: about five significant figures, large ones shortened.
#[must_use]
pub fn value(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        NONE.to_owned()
    } else if size >= 1_000_000.0 {
        volume(value)
    } else if size >= 1.0 || size == 0.0 {
        fixed(value, 2)
    } else {
        fixed(value, price_decimals(value))
    }
}

/// A number with exactly so many decimals, thousands separated, a true minus sign and never "−0.00".
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let (whole, fraction) = digits.split_once('.').map_or((digits.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut text = String::with_capacity(digits.len() + 4);
    if value < 0.0 && !is_zero {
        text.push(MINUS);
    }
    text.push_str(&grouped(whole));
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A length of time in two units at most: `3 h 12 min`, `2 d 4 h`, `45 s`, `0.3 s`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NONE.to_owned();
    }
    let seconds = seconds.max(0.0);
    if seconds < 0.0005 {
        return "0 s".to_owned();
    }
    if seconds < 0.9995 {
        return format!("{} ms", (seconds * 1_000.0).round().max(1.0));
    }
    if seconds < 9.95 {
        return format!("{} s", trimmed(seconds, 1));
    }
    let seconds = seconds.round() as u64;
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{} {large_unit}", count(large)) } else { format!("{} {large_unit} {small} {small_unit}", count(large)) }
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A length of time in one unit, for tight places: `3 h`, `12 min`, `2 d`.
#[must_use]
pub fn duration_short(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NONE.to_owned();
    }
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", count(seconds / 86_400)),
    }
}

/// How long ago or ahead a time is: `2 d 4 h ago`, `in 3 h`, `now`.
#[must_use]
pub fn relative(time_us: i64, now_us: i64) -> String {
    let distance = time_us.saturating_sub(now_us);
    if distance.abs() < SECOND_US {
        return "now".to_owned();
    }
    // Seconds do not help once hours are said, nor hours once weeks are.
    let length = distance.unsigned_abs();
    let unit = match length {
        length if length >= 14 * DAY_US.unsigned_abs() => DAY_US,
        length if length >= DAY_US.unsigned_abs() => HOUR_US,
        length if length >= 10 * 60 * SECOND_US.unsigned_abs() => 60 * SECOND_US,
        _ => SECOND_US,
    };
    let text = duration((length / unit.unsigned_abs() * unit.unsigned_abs()) as f64 / SECOND_US as f64);
    if distance > 0 { format!("in {text}") } else { format!("{text} ago") }
}

/// A time on the clock of `zone`, as short as can be: `16:15` on the day of `now_us`, `Mon 16:15` within a week, else with its date.
#[must_use]
pub fn moment<Zone: TimeZone>(time_us: i64, now_us: i64, zone: &Zone) -> String {
    let local = |time_us: i64| zone.timestamp_micros(time_us).earliest().map(|time| time.naive_local());
    let (Some(time), Some(now)) = (local(time_us), local(now_us)) else { return NONE.to_owned() };
    let pattern = match (time.date() - now.date()).num_days() {
        0 => "%H:%M",
        -6..=6 => "%a %H:%M",
        _ => "%Y-%m-%d %H:%M",
    };
    time.format(pattern).to_string()
}

/// A time of less than a second or so in the unit that fits: `4.2 µs`, `180 µs`, `12.5 ms`, `1.3 s`.
#[must_use]
pub fn short_time(micros: f64) -> String {
    if !micros.is_finite() {
        return NONE.to_owned();
    }
    let figures = |value: f64| if value < 9.95 { trimmed(value, 1) } else { fixed(value, 0) };
    match micros.max(0.0) {
        micros if micros < 999.5 => format!("{} µs", figures(micros)),
        micros if micros < 999_500.0 => format!("{} ms", figures(micros / 1e3)),
        micros => duration(micros / 1e6),
    }
}

/// `2021-03-01 – 2024-02-29`, one date where both are the same day.
#[must_use]
pub fn date_span(first_us: i64, last_us: i64) -> String {
    let (first, last) = (format_date(first_us), format_date(last_us));
    if first == last { first } else { format!("{first} – {last}") }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant figures at most, with the unit of their thousand; a value is at least one thousand.
fn scaled(value: f64, units: &[&str]) -> String {
    let mut scaled = value / 1_000.0;
    let mut names = units.iter();
    let mut unit = names.next().copied().unwrap_or_default();
    // 999.5 and more would be rounded to 1,000 of this unit.
    while scaled >= 999.5 {
        let Some(next) = names.next() else { break };
        scaled /= 1_000.0;
        unit = next;
    }
    if scaled < 99.95 { format!("{} {unit}", trimmed(scaled, 1)) } else { format!("{} {unit}", fixed(scaled, 0)) }
}

/// Fixed decimals without a trailing `.0`.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte == b'0') => whole.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_thousands_separators() {
        assert_eq!([0, 999, 5_214, 1_000_000].map(count), ["0", "999", "5,214", "1,000,000"]);
        assert_eq!(counted(1, "symbol", "symbols"), "1 symbol");
        assert_eq!(counted(0, "symbol", "symbols"), "0 symbols");
    }

    #[test]
    fn sizes_have_three_figures_and_decimal_units() {
        let sizes = [0, 999, 1_000, 45_300, 412_000_000, 999_949_999, 999_999_999, 1_240_000_000, 3_000_000_000_000];
        assert_eq!(sizes.map(bytes), ["0 B", "999 B", "1 KB", "45.3 KB", "412 MB", "1 GB", "1 GB", "1.2 GB", "3 TB"]);
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let seconds = [0.0, 0.02, 0.9996, 3.16, 10.0, 59.6, 62.0, 11_520.0, 86_400.0, 187_200.0];
        let texts = ["0 s", "20 ms", "1 s", "3.2 s", "10 s", "1 min", "1 min 2 s", "3 h 12 min", "1 d", "2 d 4 h"];
        assert_eq!(seconds.map(duration), texts);
        assert_eq!([59.0, 3_599.0, 90_000.0, 190_000.0].map(duration_short), ["59 s", "59 min", "25 h", "2 d"]);
        assert_eq!(duration(f64::NAN), NONE);
    }

    #[test]
    fn moments_are_as_short_as_they_can_be() {
        let noon = 19_849 * DAY_US + 12 * HOUR_US;
        let told = [0, -3, 24, -6 * 24, 7 * 24].map(|hours| moment(noon + hours * HOUR_US, noon, &chrono::Utc));
        assert_eq!(told, ["12:00", "09:00", "Tue 12:00", "Tue 12:00", "2024-05-13 12:00"]);
        let east = chrono::FixedOffset::east_opt(14 * 3_600).expect("an offset");
        assert_eq!(moment(noon, noon + 12 * HOUR_US, &east), "02:00");
    }

    #[test]
    fn short_times_have_two_figures_and_a_unit() {
        let times = [0.4, 4.26, 180.4, 999.6, 12_490.0, 1_300_000.0, f64::NAN];
        assert_eq!(times.map(short_time), ["0.4 µs", "4.3 µs", "180 µs", "1 ms", "12 ms", "1.3 s", NONE]);
    }

    #[test]
    fn relative_times_look_both_ways() {
        let hours = |hours: i64| hours * HOUR_US;
        assert_eq!(relative(hours(3), 0), "in 3 h");
        assert_eq!(relative(0, hours(52) + 5 * SECOND_US), "2 d 4 h ago");
        assert_eq!(relative(0, hours(24 * 20 + 3)), "20 d ago");
        assert_eq!(relative(5, 0), "now");
        assert_eq!(relative(-90 * SECOND_US, 0), "1 min 30 s ago");
    }

    #[test]
    fn prices_have_the_decimals_their_size_needs() {
        let prices = [4_512.327, 12.34, 0.0712, 0.000_012_34, 0.0, -37.63];
        assert_eq!(prices.map(price), ["4,512.33", "12.34", "0.0712", "0.00001234", "0.00", "−37.63"]);
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(price(f64::NAN), NONE);
        assert_eq!([12.5, -0.123_456, 2_500_000.0, 0.0].map(value), ["12.50", "−0.1235", "2.5 M", "0.00"]);
    }

    #[test]
    fn volumes_shares_and_rates() {
        assert_eq!([87.0, 1.25, 1_240_000.0, 350_000.0, -2_000.0].map(volume), ["87", "1.25", "1.2 M", "350 K", "−2 K"]);
        assert_eq!([0.0, 0.934, 1.0, 0.999_6].map(percent), ["0 %", "93.4 %", "100 %", "100 %"]);
        assert_eq!([1.2, -0.35, 0.0].map(change_percent), ["+1.20 %", "−0.35 %", "0.00 %"]);
        assert_eq!(rows_per_second(125_400.2), "125,400 rows/s");
        assert_eq!(rows_per_second(1_240_000.0), "1.2 M rows/s");
    }

    #[test]
    fn a_span_of_one_day_is_one_date() {
        assert_eq!(date_span(0, DAY_US), "1970-01-01 – 1970-01-02");
        assert_eq!(date_span(0, HOUR_US), "1970-01-01");
    }
}
