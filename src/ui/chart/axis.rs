//! What stands on the axes: round values, and dates from centuries down to seconds.
//!
//! Knows no widgets. Contract: work is bounded by the labels that fit, not by the bars in view; labels never overlap.

use super::geometry::YScale;
use super::x_scale::XScale;
use crate::market::{DAY_US, HOUR_US, SECOND_US, date_of, micros_of_date};
use crate::ui::format;
use chrono::{DateTime, Datelike, NaiveDate};

/// One label of a value axis.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueTick {
    /// Where it is.
    pub y: f32,
    /// The value there.
    pub value: f64,
    /// What stands beside it.
    pub label: String,
}

/// The next of 1, 2, 2.5, 5, 10 … times a power of ten that is at least `least`.
#[must_use]
pub fn nice_step(least: f64) -> f64 {
    if !least.is_normal() || least <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// How many decimals labels need that are `step` apart.
#[must_use]
pub fn decimals_of_step(step: f64) -> usize {
    (0..12).find(|decimals| ((step * 10_f64.powi(*decimals)).fract() - 0.5).abs() > 0.499_999).unwrap_or(12) as usize
}

/// How many times the lowest value the highest may be for one step between labels of a logarithmic scale.
const ONE_STEP_RATIO: f64 = 5.0;

/// Round values for a scale, about `spacing` points apart.
#[must_use]
pub fn value_ticks(scale: &YScale, spacing: f32) -> Vec<ValueTick> {
    let (low, high) = (scale.value(scale.bottom), scale.value(scale.top));
    let height = scale.bottom - scale.top;
    let mut ticks = Vec::new();
    if !scale.log {
        let step = nice_step((high - low) * f64::from(spacing / height.max(1.0)));
        let decimals = decimals_of_step(step);
        let first = (low / step - 1e-9).ceil();
        for position in 0..200_u32 {
            let value = (first + f64::from(position)) * step;
            if value > high + step * 1e-9 {
                break;
            }
            ticks.push(ValueTick { y: scale.y(value), value, label: axis_value(value, step, decimals) });
        }
        return ticks;
    }
    // Over a short stretch of a logarithmic scale one step serves: even numbers are read more easily than even distances.
    if low > 0.0 && high / low <= ONE_STEP_RATIO {
        let step = nice_step(high - scale.value(scale.top + spacing));
        let first = (low / step - 1e-9).ceil();
        let values = (0..200_u32).map(|position| (first + f64::from(position)) * step).take_while(|value| *value <= high);
        let ticks: Vec<ValueTick> =
            values.map(|value| ValueTick { y: scale.y(value), value, label: axis_value(value, step, decimals_of_step(step)) }).collect();
        if ticks.len() >= 2 {
            return ticks;
        }
    }
    // Over a long one the step grows with the value: each label is the next round value far enough above the last.
    let mut y = scale.bottom;
    while y > scale.top && ticks.len() < 200 {
        let here = scale.value(y);
        let step = nice_step(scale.value(y - spacing) - here);
        let from = ticks.last().map_or(here, |_| scale.value(y - spacing));
        let value = (from / step - 1e-9).ceil() * step;
        let at = scale.y(value);
        if at < scale.top {
            break;
        }
        ticks.push(ValueTick { y: at, value, label: axis_value(value, step, decimals_of_step(step)) });
        y = at;
    }
    ticks
}

/// A round value as short as it can be: `104.50`, `2.5 M`.
fn axis_value(value: f64, step: f64, decimals: usize) -> String {
    if value.abs() >= 1_000_000.0 || (step >= 10_000.0 && value != 0.0) {
        format::volume(value)
    } else {
        // A lone decimal reads as a typo next to prices.
        format::fixed(value, if decimals == 1 { 2 } else { decimals })
    }
}

/// One label of the time axis.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeTick {
    /// The bar it stands at.
    pub row: usize,
    /// Middle of that bar.
    pub x: f32,
    /// What stands there.
    pub label: String,
    /// Whether it begins something larger than its neighbours do: a year among months, a month among days.
    pub strong: bool,
}

/// The time axis of a view: labels at bars, and what they have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeTicks {
    /// Labels from left to right.
    pub ticks: Vec<TimeTick>,
}

/// Units of the time axis, each finer than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Years(i32),
    Months(u32),
    Weeks,
    Days,
    Micros(i64),
}

const MINUTE_US: i64 = 60 * SECOND_US;
const UNITS: [Unit; 22] = [
    Unit::Years(1_000),
    Unit::Years(500),
    Unit::Years(200),
    Unit::Years(100),
    Unit::Years(50),
    Unit::Years(20),
    Unit::Years(10),
    Unit::Years(5),
    Unit::Years(2),
    Unit::Years(1),
    Unit::Months(6),
    Unit::Months(3),
    Unit::Months(1),
    Unit::Weeks,
    Unit::Days,
    Unit::Micros(6 * HOUR_US),
    Unit::Micros(2 * HOUR_US),
    Unit::Micros(HOUR_US),
    Unit::Micros(30 * MINUTE_US),
    Unit::Micros(10 * MINUTE_US),
    Unit::Micros(5 * MINUTE_US),
    Unit::Micros(MINUTE_US),
];

impl Unit {
    /// About how long it is.
    fn length_us(self) -> i64 {
        match self {
            Self::Years(years) => i64::from(years) * 365 * DAY_US,
            Self::Months(months) => i64::from(months) * 30 * DAY_US,
            Self::Weeks => 7 * DAY_US,
            Self::Days => DAY_US,
            Self::Micros(length) => length,
        }
    }

    /// The beginning of the unit that `time_us` falls into.
    fn floor(self, time_us: i64) -> i64 {
        let date = date_of(time_us);
        let day_of = |year: i32, month: u32| NaiveDate::from_ymd_opt(year, month, 1).map_or(time_us, micros_of_date);
        match self {
            Self::Years(years) => day_of(date.year().div_euclid(years) * years, 1),
            Self::Months(months) => day_of(date.year(), date.month0() / months * months + 1),
            Self::Weeks => micros_of_date(date) - i64::from(date.weekday().num_days_from_monday()) * DAY_US,
            Self::Days => micros_of_date(date),
            Self::Micros(length) => time_us - time_us.rem_euclid(length),
        }
    }

    /// The beginning of the unit after the one that begins at `start_us`.
    fn next(self, start_us: i64) -> i64 {
        // Half as much again is always inside the next unit, however months and years vary.
        let probe = start_us + self.length_us() + self.length_us() / 2;
        self.floor(probe).max(start_us + 1)
    }

    /// What is said of a bar that begins something: the largest thing that begins there.
    fn label(self, time_us: i64) -> String {
        let date = date_of(time_us);
        match self {
            Self::Years(_) => date.year().to_string(),
            Self::Months(_) => format::month(date).to_owned(),
            Self::Weeks | Self::Days => date.day().to_string(),
            Self::Micros(_) => DateTime::from_timestamp_micros(time_us).map_or_else(String::new, |time| time.format("%H:%M").to_string()),
        }
    }

    /// Least distance between the middles of two of its labels, in points.
    fn label_points(self) -> f32 {
        match self {
            Self::Years(_) => 48.0,
            Self::Months(_) => 44.0,
            Self::Weeks | Self::Days => 32.0,
            Self::Micros(_) => 52.0,
        }
    }

    /// 0 for years, 1 for months, 2 for days, 3 for times.
    fn rank(self) -> u8 {
        match self {
            Self::Years(_) => 0,
            Self::Months(_) => 1,
            Self::Weeks | Self::Days => 2,
            Self::Micros(_) => 3,
        }
    }
}

/// Most labels ever looked at for one unit.
const MAX_CANDIDATES: usize = 600;

/// Labels for the bars in view, coarse units first, each only where there is room.
#[must_use]
pub fn time_ticks(scale: &XScale, time_us: &[i64]) -> TimeTicks {
    let rows = scale.range.rows(time_us.len());
    let Some((first, last)) = edges(scale, time_us) else { return TimeTicks::default() };
    let span_us = (last - first).max(1);
    let points = match (scale.middle_of_time(first), scale.middle_of_time(last)) {
        (Some(left), Some(right)) => right - left,
        _ => scale.x(rows.end as f64) - scale.x(rows.start as f64),
    };
    let mut ticks: Vec<(TimeTick, Unit)> = Vec::new();
    let mut finest = 0;
    for unit in UNITS {
        // How far apart labels of this unit would be, were bars spread evenly over time.
        let apart = points as f64 * unit.length_us() as f64 / span_us as f64;
        // Not all months and weeks are equally long; a unit of which only some would fit is left out as a whole.
        let usual = apart >= f64::from(unit.label_points()) * 1.15;
        if !usual || span_us / unit.length_us() > MAX_CANDIDATES as i64 {
            continue;
        }
        let mut start = unit.floor(first);
        if start < first {
            start = unit.next(start);
        }
        while start <= last {
            let row = time_us.partition_point(|time| *time < start);
            let after = unit.next(start);
            // The first bar of the unit; none where the market was shut all through it. Where time has its own room, its beginning.
            let place = match scale.middle_of_time(start) {
                Some(x) => Some((x, start)),
                None => time_us.get(row).filter(|time| **time < after).map(|time| (scale.middle(row), *time)),
            };
            if let Some((x, time)) = place {
                let apart = |other: Unit| (other.label_points() + unit.label_points()) * 0.45;
                let free = ticks.iter().all(|(tick, other)| (tick.x - x).abs() >= apart(*other));
                // The first bar of all begins nothing, it is only where the data begin.
                if free && row > 0 {
                    finest = finest.max(unit.rank());
                    ticks.push((TimeTick { row, x, label: unit.label(time), strong: false }, unit));
                }
            }
            start = after;
        }
    }
    ticks.sort_by(|(left, _), (right, _)| left.x.total_cmp(&right.x));
    if ticks.is_empty() {
        // Too short a stretch for anything to begin in it: say where it is.
        let row = rows.start + rows.len().saturating_sub(1) / 2;
        let (x, time) = match scale.middle_of_time(first + span_us / 2) {
            Some(x) => (x, Some(first + span_us / 2)),
            None => (scale.middle(row), time_us.get(row).copied()),
        };
        return TimeTicks { ticks: vec![TimeTick { row, x, label: time.map(format::bar_time).unwrap_or_default(), strong: true }] };
    }
    let ticks = ticks.into_iter().map(|(tick, unit)| TimeTick { strong: unit.rank() < finest, ..tick }).collect();
    TimeTicks { ticks }
}

/// The first and last time in view.
fn edges(scale: &XScale, time_us: &[i64]) -> Option<(i64, i64)> {
    let rows = scale.range.rows(time_us.len());
    let of_bars = || Some((*time_us.get(rows.start)?, *time_us.get(rows.end.checked_sub(1)?)?));
    scale.times_in_view().or_else(of_bars)
}

/// What the whole view has in common, for the left end of the axis: the year among months, the month among days.
#[must_use]
pub fn context_label(ticks: &TimeTicks, scale: &XScale, time_us: &[i64]) -> Option<String> {
    let date = date_of(edges(scale, time_us)?.0);
    let any = |is: fn(&str) -> bool| ticks.ticks.iter().any(|tick| is(&tick.label));
    if any(|label| label.contains(':')) {
        Some(format::day_of_year(date))
    } else if any(|label| label.len() <= 2) {
        Some(format::month_of_year(date))
    } else if any(format::is_month) {
        // The year alone would read as its beginning.
        Some(format::month_of_year(date))
    } else {
        None
    }
}

/// A bar's time in full, for the crosshair: `Fri 2024-03-01`, `Fri 2024-03-01 09:31`.
#[must_use]
pub fn full_time(time_us: i64) -> String {
    format!("{} {}", format::weekday(date_of(time_us)), format::bar_time(time_us))
}

#[cfg(test)]
mod tests {
    use super::super::geometry::IndexRange;
    use super::*;
    use crate::market::pyramid::Extent;

    fn labels(scale: &YScale) -> Vec<String> {
        value_ticks(scale, 40.0).into_iter().map(|tick| tick.label).collect()
    }

    fn weekdays(from: &str, count: usize) -> Vec<i64> {
        let first = from.parse::<NaiveDate>().expect("date");
        first.iter_days().filter(|day| day.weekday().num_days_from_monday() < 5).take(count).map(micros_of_date).collect()
    }

    fn axis(times: &[i64], start: f64, end: f64) -> (Vec<String>, Vec<TimeTick>, Option<String>) {
        let scale = XScale::even(0.0, 1_000.0, IndexRange { start, end });
        let found = time_ticks(&scale, times);
        let context = context_label(&found, &scale, times);
        (found.ticks.iter().map(|tick| tick.label.clone()).collect(), found.ticks, context)
    }

    #[test]
    fn values_are_round_and_evenly_spaced() {
        assert_eq!(labels(&YScale::fitting(Extent { min: 97.3, max: 104.2 }, false, 0.0, 200.0)), ["98", "100", "102", "104"]);
        assert_eq!(labels(&YScale::fitting(Extent { min: -1.0, max: 1.0 }, false, 0.0, 200.0)), ["−1.00", "−0.50", "0.00", "0.50", "1.00"]);
        assert_eq!(labels(&YScale::fitting(Extent { min: 0.0, max: 3.1e6 }, false, 0.0, 160.0)), ["0", "1 M", "2 M", "3 M"]);
        assert_eq!([0.03, 0.9, 1.1, 2.2, 700.0].map(nice_step), [0.05, 1.0, 2.0, 2.5, 1_000.0]);
        assert_eq!([1.0, 0.5, 0.25, 0.001, 50.0].map(decimals_of_step), [0, 1, 2, 3, 0]);
    }

    #[test]
    fn logarithmic_values_are_round_and_never_closer_than_asked() {
        let scale = YScale::fitting(Extent { min: 3.0, max: 900.0 }, true, 0.0, 400.0);
        let ticks = value_ticks(&scale, 40.0);
        assert!(ticks.len() >= 5, "{ticks:?}");
        assert!(ticks.windows(2).all(|pair| pair[0].y - pair[1].y >= 39.0), "{ticks:?}");
        assert!(ticks.iter().all(|tick| tick.y >= 0.0 && tick.y <= 400.0));
    }

    #[test]
    fn a_short_logarithmic_scale_has_one_step_without_holes() {
        let scale = YScale::fitting(Extent { min: 205.0, max: 490.0 }, true, 0.0, 400.0);
        let values: Vec<f64> = value_ticks(&scale, 44.0).iter().map(|tick| tick.value).collect();
        assert_eq!(values, [250.0, 300.0, 350.0, 400.0, 450.0]);
    }

    #[test]
    fn a_year_of_days_is_labelled_by_months_and_the_year() {
        let times = weekdays("2022-06-01", 600);
        let (labels, ticks, context) = axis(&times, 100.0, 360.0);
        assert_eq!(labels, ["Nov", "Dec", "2023", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct"]);
        assert_eq!(ticks.iter().filter(|tick| tick.strong).count(), 1);
        assert_eq!(context.as_deref(), Some("Oct 2022"));
        let january = ticks.iter().find(|tick| tick.label == "2023").expect("a year");
        assert_eq!(date_of(times[january.row]).to_string(), "2023-01-02");
    }

    #[test]
    fn a_month_of_days_is_labelled_by_days_and_the_month() {
        let times = weekdays("2023-01-02", 300);
        let (labels, ticks, context) = axis(&times, 33.0, 56.0);
        assert!(labels.contains(&"Mar".to_owned()), "{labels:?}");
        assert!(labels.iter().filter(|label| label.len() <= 2).count() >= 4, "{labels:?}");
        assert!(ticks.windows(2).all(|pair| pair[1].x - pair[0].x >= 28.0));
        assert_eq!(context.as_deref(), Some("Feb 2023"));
    }

    #[test]
    fn minutes_are_labelled_by_times_and_days() {
        let open = micros_of_date("2023-03-01".parse().expect("date")) + 9 * HOUR_US + 30 * MINUTE_US;
        let times: Vec<i64> = (0..3).flat_map(|day| (0..240).map(move |minute| open + day * DAY_US + minute * MINUTE_US)).collect();
        let (labels, ticks, _) = axis(&times, 0.0, 480.0);
        assert!(labels.contains(&"2".to_owned()) && labels.contains(&"12:00".to_owned()), "{labels:?}");
        assert!(ticks.windows(2).all(|pair| pair[1].x - pair[0].x >= 28.0));
    }

    #[test]
    fn decades_and_single_bars_are_labelled_too() {
        let times = weekdays("1962-01-02", 16_000);
        let (labels, ..) = axis(&times, 0.0, 16_000.0);
        assert!(labels.iter().all(|label| label.len() == 4) && labels.len() >= 6, "{labels:?}");
        assert_eq!(axis(&times[..1], -10.0, 1.0).0, ["1962-01-02"]);
        assert!(axis(&[], 0.0, 10.0).0.is_empty());
        assert_eq!(full_time(times[0]), "Tue 1962-01-02");
    }
}
