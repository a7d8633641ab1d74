//! Numbers, sizes, durations and times as people read them, in one place.
//!
//! Not for files or `--json`: those write plain numbers. Contract: functions of what is handed in ("now" too) and of the
//! language of the thread, figures and separators only from characters that every bundled font has, and a true minus sign.
//! What differs between languages stands in one table, [`Locale`].

use crate::language::{self, Language};
use crate::market::{DAY_US, HOUR_US, SECOND_US, date_of, format_time};
use crate::tr;
use chrono::{Datelike, NaiveDate, TimeZone};

/// How a language writes numbers, units and the parts of a date.
struct Locale {
    /// Between thousands.
    group: char,
    /// Before decimals.
    point: char,
    /// Between a number and its unit of time.
    space: &'static str,
    /// Between a number and its percent sign.
    percent_space: &'static str,
    bytes: [&'static str; 6],
    /// Large amounts: how much one step is, and the name of each.
    amount_step: f64,
    amounts: &'static [&'static str],
    /// Between an amount and its name.
    amount_space: &'static str,
    micros: &'static str,
    millis: &'static str,
    seconds: &'static str,
    minutes: &'static str,
    hours: &'static str,
    days: &'static str,
    /// From Monday on.
    weekdays: [&'static str; 7],
    months: [&'static str; 12],
    /// Months behind a day.
    months_of_day: [&'static str; 12],
    /// A date as `chrono` has it.
    date: &'static str,
    /// A month of a year as `chrono` has it; `{month}` stands for its name.
    month_of_year: &'static str,
    /// A day of a month of a year.
    day_of_year: &'static str,
}

const ENGLISH_BASE: Locale = Locale {
    group: ',',
    point: '.',
    space: " ",
    percent_space: " ",
    bytes: ["B", "KB", "MB", "GB", "TB", "PB"],
    amount_step: 1e3,
    amounts: &["K", "M", "B", "T", "P"],
    amount_space: " ",
    micros: "µs",
    millis: "ms",
    seconds: "s",
    minutes: "min",
    hours: "h",
    days: "d",
    weekdays: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    months_of_day: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    date: "%Y-%m-%d",
    month_of_year: "{month} %Y",
    day_of_year: "%-d {month} %Y",
};

static ENGLISH: Locale = ENGLISH_BASE;

static CHINESE: Locale = Locale {
    percent_space: "",
    amount_step: 1e4,
    amounts: &["万", "亿", "万亿"],
    amount_space: "",
    micros: "微秒",
    millis: "毫秒",
    seconds: "秒",
    minutes: "分",
    hours: "小时",
    days: "天",
    weekdays: ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
    months: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    months_of_day: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    month_of_year: "%Y年{month}",
    day_of_year: "%Y年{month}%-d日",
    ..ENGLISH_BASE
};

static RUSSIAN: Locale = Locale {
    group: '\u{202f}',
    point: ',',
    bytes: ["Б", "КБ", "МБ", "ГБ", "ТБ", "ПБ"],
    amounts: &["тыс.", "млн", "млрд", "трлн"],
    micros: "мкс",
    millis: "мс",
    seconds: "с",
    minutes: "мин",
    hours: "ч",
    days: "д",
    weekdays: ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
    months: ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
    months_of_day: ["янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
    date: "%d.%m.%Y",
    ..ENGLISH_BASE
};

static KOREAN: Locale = Locale {
    space: "",
    percent_space: "",
    amount_step: 1e4,
    amounts: &["만", "억", "조"],
    amount_space: "",
    seconds: "초",
    minutes: "분",
    hours: "시간",
    days: "일",
    weekdays: ["월", "화", "수", "목", "금", "토", "일"],
    months: ["1월", "2월", "3월", "4월", "5월", "6월", "7월", "8월", "9월", "10월", "11월", "12월"],
    months_of_day: ["1월", "2월", "3월", "4월", "5월", "6월", "7월", "8월", "9월", "10월", "11월", "12월"],
    month_of_year: "%Y년 {month}",
    day_of_year: "%Y년 {month} %-d일",
    ..ENGLISH_BASE
};

fn locale() -> &'static Locale {
    match language::current() {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
        Language::Russian => &RUSSIAN,
        Language::Korean => &KOREAN,
    }
}

/// Shown where there is no value.
pub const NONE: &str = "–";
const MINUS: char = '−';

/// `5,214`.
#[must_use]
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// `5,214 symbols`, `1 symbol`: a count and its English noun. For the command line; the window says `tr_n!`.
#[must_use]
pub fn counted(value: u64, singular: &str, plural: &str) -> String {
    format!("{} {}", count(value), if value == 1 { singular } else { plural })
}

/// `1.2 GB`, `412 MB`, `45 KB`, `12 B`; decimal units, as disks are sold.
#[must_use]
pub fn bytes(value: u64) -> String {
    let [unit, larger @ ..] = &locale().bytes;
    if value < 1_000 {
        return format!("{value} {unit}");
    }
    scaled(value as f64, 1e3, larger, " ")
}

/// Bytes among others in a column: as [`bytes`], but always with a decimal where others of its size have one, so that points stand
/// below each other.
#[must_use]
pub fn bytes_in_column(value: u64) -> String {
    let text = bytes(value);
    let whole = text.trim_end_matches(|char: char| !char.is_ascii_digit());
    let is_short = whole.len() < 3 && whole.bytes().all(|byte| byte.is_ascii_digit());
    if value < 1_000 || !is_short {
        return text;
    }
    let unit = text.get(whole.len()..).unwrap_or_default();
    format!("{whole}{}0{unit}", locale().point)
}

/// Reads `20 GB`, `512MB`, `1.5 г`, or a number of bytes, in any of the languages and whatever [`bytes`] writes.
#[must_use]
pub fn read_bytes(text: &str) -> Option<u64> {
    let text: String = text.trim().to_uppercase().chars().filter(|char| !char.is_whitespace()).collect();
    let number = text.trim_end_matches(char::is_alphabetic);
    let unit = text.get(number.len()..)?;
    let place = [&ENGLISH, &RUSSIAN].into_iter().find_map(|locale| {
        // The unit of bytes may be left away: `20 G`.
        locale
            .bytes
            .iter()
            .position(|known| *known == unit || (known.len() > 1 && known.chars().next().map(String::from).as_deref() == Some(unit)))
    });
    let place = if unit.is_empty() { 0 } else { place? };
    // A comma before anything but three figures is a decimal one.
    let number = match number.split_once(',') {
        Some((whole, fraction)) if fraction.len() != 3 || number.contains('.') => format!("{whole}.{fraction}"),
        _ => number.replace(',', ""),
    };
    let bytes = number.parse::<f64>().ok()? * 1e3_f64.powi(i32::try_from(place).ok()?);
    (bytes.is_finite() && (0.0..1e18).contains(&bytes)).then_some(bytes as u64)
}

/// `1.2 M`, `350 K`, `87`: volumes and other large amounts; by ten thousands where that is how people count.
#[must_use]
pub fn volume(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let locale = locale();
    if value.abs() < locale.amount_step {
        return fixed(value, usize::from(value.fract() != 0.0 && value.abs() < 10.0) * 2);
    }
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", amount(value.abs()))
}

/// `125,400 rows/s`, `1.2 M rows/s`.
#[must_use]
pub fn rows_per_second(rate: f64) -> String {
    if !rate.is_finite() || rate < 0.0 {
        return NONE.to_owned();
    }
    let rate = if rate < 1_000_000.0 { count(rate.round() as u64) } else { amount(rate) };
    tr!("{rate} rows/s", rate = rate)
}

/// A share of one as `93.4 %`; whole percents from 99.95 on and for 0.
#[must_use]
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let value = share * 100.0;
    let decimals = usize::from(value != 0.0 && value.abs() < 99.95);
    format!("{}{}%", fixed(value, decimals), locale().percent_space)
}

/// A change in percent with its sign: `+1.20 %`, `−0.35 %`.
#[must_use]
pub fn change_percent(percent: f64) -> String {
    if !percent.is_finite() {
        return NONE.to_owned();
    }
    let sign = if percent > 0.0 { "+" } else { "" };
    format!("{sign}{}{}%", fixed(percent, 2), locale().percent_space)
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
        text.push(locale().point);
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
    let locale = locale();
    let one = |number: &str, unit: &str| format!("{number}{}{unit}", locale.space);
    let seconds = seconds.max(0.0);
    if seconds < 0.0005 {
        return one("0", locale.seconds);
    }
    if seconds < 0.9995 {
        return one(&(seconds * 1_000.0).round().max(1.0).to_string(), locale.millis);
    }
    if seconds < 9.95 {
        return one(&trimmed(seconds, 1), locale.seconds);
    }
    let seconds = seconds.round() as u64;
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        let large = one(&count(large), large_unit);
        if small == 0 { large } else { format!("{large} {}", one(&small.to_string(), small_unit)) }
    };
    match seconds {
        0..60 => one(&seconds.to_string(), locale.seconds),
        60..3_600 => pair(seconds / 60, locale.minutes, seconds % 60, locale.seconds),
        3_600..86_400 => pair(seconds / 3_600, locale.hours, seconds % 3_600 / 60, locale.minutes),
        _ => pair(seconds / 86_400, locale.days, seconds % 86_400 / 3_600, locale.hours),
    }
}

/// A length of time in one unit, for tight places: `3 h`, `12 min`, `2 d`.
#[must_use]
pub fn duration_short(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NONE.to_owned();
    }
    let locale = locale();
    let seconds = seconds.max(0.0) as u64;
    let (number, unit) = match seconds {
        0..60 => (seconds, locale.seconds),
        60..3_600 => (seconds / 60, locale.minutes),
        3_600..172_800 => (seconds / 3_600, locale.hours),
        _ => (seconds / 86_400, locale.days),
    };
    format!("{}{}{unit}", count(number), locale.space)
}

/// So many whole hours, however many: `24 h`.
#[must_use]
pub fn hours(hours: u64) -> String {
    let locale = locale();
    format!("{}{}{}", count(hours), locale.space, locale.hours)
}

/// How long ago or ahead a time is: `2 d 4 h ago`, `in 3 h`, `now`.
#[must_use]
pub fn relative(time_us: i64, now_us: i64) -> String {
    let distance = time_us.saturating_sub(now_us);
    if distance.abs() < SECOND_US {
        return tr!("now").to_owned();
    }
    // Seconds do not help once minutes are said, nor hours once weeks are.
    let length = distance.unsigned_abs();
    let unit = match length {
        length if length >= 14 * DAY_US.unsigned_abs() => DAY_US,
        length if length >= DAY_US.unsigned_abs() => HOUR_US,
        length if length >= 60 * SECOND_US.unsigned_abs() => 60 * SECOND_US,
        _ => SECOND_US,
    };
    let text = duration((length / unit.unsigned_abs() * unit.unsigned_abs()) as f64 / SECOND_US as f64);
    if distance > 0 { tr!("in {time}", time = text) } else { tr!("{time} ago", time = text) }
}

/// A time on the clock of `zone`, as short as can be: `16:15` on the day of `now_us`, `Mon 16:15` within a week, else with its date.
#[must_use]
pub fn moment<Zone: TimeZone>(time_us: i64, now_us: i64, zone: &Zone) -> String {
    let local = |time_us: i64| zone.timestamp_micros(time_us).earliest().map(|time| time.naive_local());
    let (Some(time), Some(now)) = (local(time_us), local(now_us)) else { return NONE.to_owned() };
    let clock = time.format("%H:%M");
    match (time.date() - now.date()).num_days() {
        0 => clock.to_string(),
        -6..=6 => format!("{} {clock}", weekday(time.date())),
        _ => format!("{} {clock}", day(time.date())),
    }
}

/// A time on the clock of `zone` with its date: `2024-05-13 16:15`.
#[must_use]
pub fn date_and_time<Zone: TimeZone>(time_us: i64, zone: &Zone) -> String {
    let Some(time) = zone.timestamp_micros(time_us).earliest().map(|time| time.naive_local()) else { return NONE.to_owned() };
    format!("{} {}", day(time.date()), time.format("%H:%M"))
}

/// A day as the language writes dates: `2024-05-13`, `13.05.2024`.
#[must_use]
pub fn day(date: NaiveDate) -> String {
    date.format(locale().date).to_string()
}

/// The day a time falls on.
#[must_use]
pub fn date(time_us: i64) -> String {
    day(date_of(time_us))
}

/// A bar's time: its day, and its time of day where that is not midnight.
#[must_use]
pub fn bar_time(time_us: i64) -> String {
    let written = format_time(time_us);
    match written.split_once(' ') {
        Some((_, clock)) => format!("{} {clock}", date(time_us)),
        None => date(time_us),
    }
}

/// A weekday in short: `Mon`.
#[must_use]
pub fn weekday(date: NaiveDate) -> &'static str {
    locale().weekdays.get(date.weekday().num_days_from_monday() as usize).copied().unwrap_or_default()
}

/// A month in short: `May`.
#[must_use]
pub fn month(date: NaiveDate) -> &'static str {
    locale().months.get(date.month0() as usize).copied().unwrap_or_default()
}

/// Whether a text is a month in short.
#[must_use]
pub fn is_month(text: &str) -> bool {
    locale().months.contains(&text)
}

/// A month of a year: `May 2024`.
#[must_use]
pub fn month_of_year(date: NaiveDate) -> String {
    date.format(locale().month_of_year).to_string().replace("{month}", month(date))
}

/// A day with its month's name: `6 May 2024`.
#[must_use]
pub fn day_of_year(date: NaiveDate) -> String {
    let locale = locale();
    let month = locale.months_of_day.get(date.month0() as usize).copied().unwrap_or_default();
    date.format(locale.day_of_year).to_string().replace("{month}", month)
}

/// A time of less than a second or so in the unit that fits: `4.2 µs`, `180 µs`, `12.5 ms`, `1.3 s`.
#[must_use]
pub fn short_time(micros: f64) -> String {
    if !micros.is_finite() {
        return NONE.to_owned();
    }
    let locale = locale();
    let figures = |value: f64| if value < 9.95 { trimmed(value, 1) } else { fixed(value, 0) };
    match micros.max(0.0) {
        micros if micros < 999.5 => format!("{}{}{}", figures(micros), locale.space, locale.micros),
        micros if micros < 999_500.0 => format!("{}{}{}", figures(micros / 1e3), locale.space, locale.millis),
        micros => duration(micros / 1e6),
    }
}

/// `2021-03-01 – 2024-02-29`, one date where both are the same day.
#[must_use]
pub fn date_span(first_us: i64, last_us: i64) -> String {
    let (first, last) = (date(first_us), date(last_us));
    if first == last { first } else { format!("{first} – {last}") }
}

fn grouped(digits: &str) -> String {
    let group = locale().group;
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * group.len_utf8());
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    text
}

/// A large amount with the name of its step.
fn amount(value: f64) -> String {
    let locale = locale();
    let text = scaled(value, locale.amount_step, locale.amounts, locale.amount_space);
    // Within ten thousands Chinese sets no thousands apart.
    if std::ptr::eq(locale, &CHINESE) { text.replace(locale.group, "") } else { text }
}

/// One decimal below a hundred, with the unit of its step; a value is at least one step.
fn scaled(value: f64, step: f64, units: &[&str], space: &str) -> String {
    let mut scaled = value / step;
    let mut names = units.iter();
    let mut unit = names.next().copied().unwrap_or_default();
    // 999.5 and more would be rounded to 1,000 of this unit.
    while scaled >= step - 0.5 {
        let Some(next) = names.next() else { break };
        scaled /= step;
        unit = next;
    }
    if scaled < 99.95 { format!("{}{space}{unit}", trimmed(scaled, 1)) } else { format!("{}{space}{unit}", fixed(scaled, 0)) }
}

/// Fixed decimals without a trailing `.0`.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    match text.split_once(locale().point) {
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
        assert_eq!(relative(-90 * SECOND_US, 0), "1 min ago");
    }

    #[test]
    fn bytes_in_a_column_have_their_points_below_each_other() {
        let shown = [23_000, 23_500, 8_604, 100_000, 999, 2_000_000].map(bytes_in_column);
        assert_eq!(shown, ["23.0 KB", "23.5 KB", "8.6 KB", "100 KB", "999 B", "2.0 MB"]);
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

    /// In each language: English, Chinese, Russian, Korean.
    fn in_all(say: impl Fn() -> String) -> [String; 4] {
        let said = [Language::English, Language::Chinese, Language::Russian, Language::Korean].map(|language| {
            language::speak(language);
            say()
        });
        language::speak(Language::English);
        said
    }

    #[test]
    fn numbers_are_written_as_each_language_has_them() {
        assert_eq!(in_all(|| count(1_234_567)), ["1,234,567", "1,234,567", "1\u{202f}234\u{202f}567", "1,234,567"]);
        assert_eq!(in_all(|| price(-4_512.327)), ["−4,512.33", "−4,512.33", "−4\u{202f}512,33", "−4,512.33"]);
        assert_eq!(in_all(|| percent(0.934)), ["93.4 %", "93.4%", "93,4 %", "93.4%"]);
        assert_eq!(in_all(|| change_percent(1.2)), ["+1.20 %", "+1.20%", "+1,20 %", "+1.20%"]);
        assert_eq!(in_all(|| bytes(1_240_000_000)), ["1.2 GB", "1.2 GB", "1,2 ГБ", "1.2 GB"]);
        assert_eq!(in_all(|| bytes(12)), ["12 B", "12 B", "12 Б", "12 B"]);
    }

    #[test]
    fn amounts_are_counted_as_people_count() {
        assert_eq!(in_all(|| volume(9_500.0)), ["9.5 K", "9,500", "9,5 тыс.", "9,500"]);
        assert_eq!(in_all(|| volume(-12_340_000.0)), ["−12.3 M", "−1234万", "−12,3 млн", "−1,234만"]);
        assert_eq!(in_all(|| volume(99_996_000.0)), ["100 M", "1亿", "100 млн", "1억"]);
        assert_eq!(in_all(|| volume(1.5e12)), ["1.5 T", "1.5万亿", "1,5 трлн", "1.5조"]);
    }

    #[test]
    fn times_are_told_in_the_units_of_each_language() {
        assert_eq!(in_all(|| duration(11_520.0)), ["3 h 12 min", "3 小时 12 分", "3 ч 12 мин", "3시간 12분"]);
        assert_eq!(in_all(|| duration(0.02)), ["20 ms", "20 毫秒", "20 мс", "20ms"]);
        assert_eq!(in_all(|| short_time(4.26)), ["4.3 µs", "4.3 微秒", "4,3 мкс", "4.3µs"]);
        assert_eq!(in_all(|| duration_short(190_000.0)), ["2 d", "2 天", "2 д", "2일"]);
        assert_eq!(in_all(|| relative(0, 3 * HOUR_US)), ["3 h ago", "3 小时前", "3 ч назад", "3시간 전"]);
        assert_eq!(in_all(|| relative(3 * HOUR_US, 0)), ["in 3 h", "3 小时后", "через 3 ч", "3시간 후"]);
        assert_eq!(in_all(|| relative(0, 0)), ["now", "现在", "сейчас", "지금"]);
    }

    #[test]
    fn dates_are_written_as_each_language_has_them() {
        let time = 19_849 * DAY_US + 9 * HOUR_US;
        let date = date_of(time);
        assert_eq!(in_all(|| day(date)), ["2024-05-06", "2024-05-06", "06.05.2024", "2024-05-06"]);
        assert_eq!(in_all(|| bar_time(time)), ["2024-05-06 09:00", "2024-05-06 09:00", "06.05.2024 09:00", "2024-05-06 09:00"]);
        assert_eq!(in_all(|| weekday(date).to_owned()), ["Mon", "周一", "пн", "월"]);
        assert_eq!(in_all(|| month(date).to_owned()), ["May", "5月", "май", "5월"]);
        assert_eq!(in_all(|| month_of_year(date)), ["May 2024", "2024年5月", "май 2024", "2024년 5월"]);
        assert_eq!(in_all(|| day_of_year(date)), ["6 May 2024", "2024年5月6日", "6 мая 2024", "2024년 5월 6일"]);
        assert_eq!(in_all(|| moment(time, time + 2 * DAY_US, &chrono::Utc)), ["Mon 09:00", "周一 09:00", "пн 09:00", "월 09:00"]);
    }

    #[test]
    fn sizes_are_read_back_as_they_are_written() {
        for size in [0, 12, 45_300, 412_000_000, 1_200_000_000, 20_000_000_000, 3_000_000_000_000] {
            let back = in_all(|| read_bytes(&bytes(size)).map_or_else(String::new, |bytes| bytes.to_string()));
            assert_eq!(back, [(); 4].map(|()| size.to_string()));
        }
        assert_eq!(
            [read_bytes("1.5 g"), read_bytes("1,000"), read_bytes("2,5 ГБ")],
            [Some(1_500_000_000), Some(1_000), Some(2_500_000_000)]
        );
        for wrong in ["", "much", "-1 GB", "1 XB", "9e99 GB"] {
            assert_eq!(read_bytes(wrong), None, "{wrong}");
        }
    }
}
