//! From bars to points and back: stretches of bars, value ↔ y, zoom, pan, autoscale and the choice of detail.
//!
//! Knows no widgets and no colours. Contract: pure arithmetic, finite in and finite out; bar `i` covers the indexes from
//! `i` to `i + 1`, so its middle is at `i + 0.5`.

use super::data::ChartData;
use crate::app::chart::RangeChoice;
use crate::market::pyramid::{BASE, Extent};
use crate::market::{DAY_US, date_of, micros_of_date};
use crate::worker::series::SeriesSource;
use std::ops::Range;

/// Widest a bar gets when a range is fitted, in points; with fewer bars the chart stays right-aligned.
pub const FIT_BAR_POINTS: f64 = 56.0;
/// Widest a bar gets by zooming in.
pub const MAX_BAR_POINTS: f64 = 80.0;
/// Widest the body of a candle gets, in points.
pub const MAX_BODY_POINTS: f32 = 14.0;
/// Room kept right of the last bar, in points.
pub const RIGHT_MARGIN_POINTS: f64 = 12.0;

/// A stretch of the x axis, in bars, with fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexRange {
    /// Index at the left edge.
    pub start: f64,
    /// Index at the right edge.
    pub end: f64,
}

impl IndexRange {
    /// How many bars wide it is.
    #[must_use]
    pub fn span(&self) -> f64 {
        self.end - self.start
    }

    /// Wider (factor above 1) or narrower around an index that stays where it is.
    #[must_use]
    pub fn zoomed(&self, anchor: f64, factor: f64) -> Self {
        Self { start: anchor - (anchor - self.start) * factor, end: anchor + (self.end - anchor) * factor }
    }

    /// After zooming out: no more room is left empty beside the bars than there was, as long as there are bars to fill it.
    #[must_use]
    pub fn filled(&self, before: &Self, bars: usize) -> Self {
        let count = bars as f64;
        let margin = self.span() * 0.01;
        let over = (self.end - before.end.max(count + margin)).max(0.0);
        let range = self.panned(-over);
        let under = (before.start.min(0.0) - range.start).max(0.0);
        let room = (before.end.max(count + margin) - range.end).max(0.0);
        range.panned(under.min(room))
    }

    /// Moved by so many bars.
    #[must_use]
    pub fn panned(&self, bars: f64) -> Self {
        Self { start: self.start + bars, end: self.end + bars }
    }

    /// The nearest range that can be shown: bars neither wider than allowed nor all bars lost from view.
    #[must_use]
    pub fn clamped(&self, bars: usize, width: f32, anchor: f64) -> Self {
        let width = f64::from(width.max(1.0));
        let count = bars as f64;
        let narrowest = width / MAX_BAR_POINTS;
        let widest = (count * 1.05).max(width / FIT_BAR_POINTS).max(narrowest);
        let mut range = *self;
        let span = range.span();
        if span < narrowest {
            range = range.zoomed(anchor.clamp(range.start, range.end), narrowest / span.max(f64::MIN_POSITIVE));
        } else if span > widest {
            range = range.zoomed(anchor.clamp(range.start, range.end), widest / span);
        }
        // A third of the width, or every bar there is, stays in view.
        let kept = (range.span() / 3.0).min(count);
        let shift = (kept - range.end).max(0.0) + (count - kept - range.start).min(0.0);
        range.panned(shift)
    }

    /// The bars that are at least partly inside.
    #[must_use]
    pub fn rows(&self, bars: usize) -> Range<usize> {
        let index = |value: f64| if value <= 0.0 { 0 } else { (value as usize).min(bars) };
        let end = index(self.end.ceil());
        index(self.start.floor()).min(end)..end
    }
}

/// The range that shows what a choice asks for, `width` points wide.
#[must_use]
pub fn fit(choice: RangeChoice, time_us: &[i64], width: f32) -> IndexRange {
    let count = time_us.len() as f64;
    let width = f64::from(width.max(1.0));
    let last_day = time_us.last().map(|last| date_of(*last));
    let first_row = match choice {
        RangeChoice::Custom { from_us, to_us } => {
            let range = IndexRange { start: index_of(time_us, from_us), end: index_of(time_us, to_us) };
            let seen = range.end.min(count) - range.start.max(0.0);
            if range.span() > 0.0 && seen > 0.0 {
                return range.clamped(time_us.len(), width as f32, range.end);
            }
            // None of those dates is here: show as much, at the end.
            count - range.span().abs().max(1.0)
        }
        choice => {
            let first_us = last_day.and_then(|day| choice.first_day(day)).map(micros_of_date);
            first_us.map_or(0.0, |first| time_us.partition_point(|time| *time < first) as f64)
        }
    };
    let span = (count - first_row.max(0.0)).max(width / FIT_BAR_POINTS);
    let margin = span * RIGHT_MARGIN_POINTS / (width - RIGHT_MARGIN_POINTS).max(1.0);
    IndexRange { start: count - span, end: count + margin.min(span) }
}

/// Mean time between bars.
fn pace_us(time_us: &[i64]) -> f64 {
    match (time_us.first(), time_us.last()) {
        (Some(first), Some(last)) if last > first => (last - first) as f64 / (time_us.len() - 1) as f64,
        _ => DAY_US as f64,
    }
}

/// The time at an index; outside the bars it goes on at their mean pace.
#[must_use]
pub fn time_at(time_us: &[i64], index: f64) -> i64 {
    let (Some(first), Some(last)) = (time_us.first(), time_us.last()) else { return 0 };
    let last_row = (time_us.len() - 1) as f64;
    if index <= 0.0 {
        return first + (index * pace_us(time_us)) as i64;
    }
    if index >= last_row {
        return last + ((index - last_row) * pace_us(time_us)) as i64;
    }
    let row = index as usize;
    let (here, next) = (time_us.get(row).copied().unwrap_or(*last), time_us.get(row + 1).copied().unwrap_or(*last));
    here + ((next - here) as f64 * index.fract()).round() as i64
}

/// The index of a time; the other way round of [`time_at`].
#[must_use]
pub fn index_of(time_us: &[i64], time: i64) -> f64 {
    let (Some(first), Some(last)) = (time_us.first(), time_us.last()) else { return 0.0 };
    if time <= *first {
        return (time - first) as f64 / pace_us(time_us);
    }
    if time >= *last {
        return (time_us.len() - 1) as f64 + (time - last) as f64 / pace_us(time_us);
    }
    let next = time_us.partition_point(|candidate| *candidate <= time);
    let row = next.saturating_sub(1);
    let (here, there) = (time_us.get(row).copied().unwrap_or(*first), time_us.get(next).copied().unwrap_or(*last));
    row as f64 + (time - here) as f64 / (there - here).max(1) as f64
}

/// Value ↔ y, linear or logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct YScale {
    /// y of the highest value.
    pub top: f32,
    /// y of the lowest value.
    pub bottom: f32,
    /// Lowest value (its logarithm on a logarithmic scale).
    low: f64,
    /// Highest value (its logarithm on a logarithmic scale).
    high: f64,
    /// Whether equal ratios have equal heights.
    pub log: bool,
    /// What values are multiplied with first: lines of other symbols are brought to the size of the prices.
    factor: f64,
}

impl YScale {
    /// A scale that shows all of `extent`. A logarithmic one needs values above zero and is linear where there are others.
    #[must_use]
    pub fn fitting(extent: Extent, log: bool, top: f32, bottom: f32) -> Self {
        let log = log && extent.min > 0.0;
        let (mut low, mut high) = if log { (extent.min.ln(), extent.max.ln()) } else { (extent.min, extent.max) };
        if !(high - low).is_normal() || high - low <= high.abs().max(low.abs()) * 1e-9 {
            // One value only: it stands in the middle of something of its own size.
            let room = if log { 0.01 } else { (high.abs() * 0.01).max(1e-9) };
            (low, high) = (low - room, high + room);
        }
        Self { top, bottom: bottom.max(top + 1.0), low, high, log, factor: 1.0 }
    }

    /// The same room with other bounds: logarithms of values on a logarithmic scale.
    #[must_use]
    pub fn with_bounds(self, (low, high): (f64, f64)) -> Self {
        Self { low, high, ..self }
    }

    /// Lowest and highest value; their logarithms on a logarithmic scale.
    #[must_use]
    pub fn bounds(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The same for values that are multiplied first.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { factor: self.factor * factor, ..self }
    }

    /// y of a value; values a logarithmic scale cannot have are at its bottom.
    #[must_use]
    pub fn y(&self, value: f64) -> f32 {
        let value = value * self.factor;
        let value = if !self.log {
            value
        } else if value > 0.0 {
            value.ln()
        } else {
            return self.bottom;
        };
        let share = (value - self.low) / (self.high - self.low);
        self.bottom - (share * f64::from(self.bottom - self.top)) as f32
    }

    /// Value at a y.
    #[must_use]
    pub fn value(&self, y: f32) -> f64 {
        let share = f64::from(self.bottom - y) / f64::from(self.bottom - self.top);
        let value = self.low + share * (self.high - self.low);
        (if self.log { value.exp() } else { value }) / self.factor
    }
}

/// How much of a bar can be seen at a width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Bodies and wicks.
    Candles,
    /// One line from low to high per bar.
    Bars,
    /// Lowest to highest per column of pixels.
    Band,
}

impl Detail {
    /// The detail for bars of this width, in physical pixels.
    #[must_use]
    pub fn of(bar_pixels: f64) -> Self {
        if bar_pixels >= 3.0 {
            Self::Candles
        } else if bar_pixels >= 1.0 {
            Self::Bars
        } else {
            Self::Band
        }
    }
}

/// How many bars share one drawn column: 1 while bars are at least a physical pixel wide.
#[must_use]
pub fn bucket_rows(bar_pixels: f64) -> usize {
    if bar_pixels >= 1.0 {
        return 1;
    }
    let rows = (1.0 / bar_pixels.max(1e-12)).ceil() as usize;
    // Whole blocks of the pyramid, where that makes columns hardly wider: then no single row is looked at.
    if rows < BASE * 4 { rows } else { rows.next_multiple_of(BASE) }
}

/// Runs of `bucket` rows that cover `rows` and one run more on each side. Runs start at multiples of `bucket`, wherever the
/// view starts, so that panning moves the picture and does not change it.
pub fn buckets(rows: Range<usize>, bucket: usize, bars: usize) -> impl Iterator<Item = Range<usize>> {
    let bucket = bucket.max(1);
    let first = (rows.start / bucket).saturating_sub(1);
    let last = (rows.end.div_ceil(bucket) + 1).min(bars.div_ceil(bucket));
    (first..last).map(move |position| position * bucket..((position + 1) * bucket).min(bars))
}

/// The extent of all visible prices and of the lines over them.
#[must_use]
pub fn union_of(extents: impl IntoIterator<Item = Option<Extent>>) -> Option<Extent> {
    extents.into_iter().flatten().reduce(Extent::union)
}

/// Lowest and highest of visible lines, each multiplied with its factor.
pub fn lines_extent<'a>(data: &ChartData, lines: impl IntoIterator<Item = (&'a SeriesSource, f64)>, rows: &Range<usize>) -> Option<Extent> {
    let of_line = |(source, factor): (&SeriesSource, f64)| {
        let extent = data.series(source)?.extent(rows.clone())?;
        Some(Extent { min: extent.min * factor, max: extent.max * factor })
    };
    union_of(lines.into_iter().map(of_line))
}

#[cfg(test)]
mod tests {
    use super::super::x_scale::XScale;
    use super::*;

    fn days(count: i64) -> Vec<i64> {
        (0..count).map(|day| day * DAY_US).collect()
    }

    #[test]
    fn zooming_keeps_the_bar_under_the_pointer() {
        let scale = XScale::even(50.0, 800.0, IndexRange { start: 100.0, end: 300.0 });
        let anchor = scale.index(333.0);
        for factor in [0.5, 0.87, 1.3, 4.0] {
            let zoomed = XScale::even(50.0, 800.0, scale.range.zoomed(anchor, factor));
            assert!((zoomed.x(anchor) - 333.0).abs() < 1e-3);
        }
        assert_eq!(scale.row(scale.middle(123), 1_000), Some(123));
        assert_eq!((scale.row(-1e6, 1_000), scale.row(1e6, 1_000), scale.row(0.0, 0)), (Some(0), Some(999), None));
    }

    #[test]
    fn zooming_out_brings_bars_into_view_not_emptiness() {
        let before = IndexRange { start: 800.0, end: 1_002.0 };
        let out = before.zoomed(850.0, 2.0).filled(&before, 1_000);
        assert!(out.end <= 1_005.0 && (out.span() - 404.0).abs() < 1e-9, "{out:?}");
        let before = IndexRange { start: 0.0, end: 200.0 };
        let out = before.zoomed(150.0, 2.0).filled(&before, 1_000);
        assert!((out.start - 0.0).abs() < 1e-9 && (out.span() - 400.0).abs() < 1e-9, "{out:?}");
        let inner = IndexRange { start: 300.0, end: 400.0 };
        assert_eq!(inner.zoomed(350.0, 2.0).filled(&inner, 1_000), IndexRange { start: 250.0, end: 450.0 });
    }

    #[test]
    fn bars_never_leave_the_view_nor_grow_without_limit() {
        let lost = IndexRange { start: 5_000.0, end: 5_100.0 }.clamped(1_000, 800.0, 5_050.0);
        assert!(lost.start < 1_000.0 && (lost.span() - 100.0).abs() < 1e-9, "{lost:?}");
        let lost = IndexRange { start: -900.0, end: -800.0 }.clamped(1_000, 800.0, 0.0);
        assert!(lost.end > 0.0, "{lost:?}");
        let close = IndexRange { start: 10.0, end: 10.5 }.clamped(1_000, 800.0, 10.2);
        assert!((800.0 / close.span() - MAX_BAR_POINTS).abs() < 1e-6, "{close:?}");
        let far = IndexRange { start: -1e9, end: 1e9 }.clamped(1_000, 800.0, 0.0);
        assert!(far.span() <= 1_050.0 + 1e-6, "{far:?}");
        let few = IndexRange { start: -10.0, end: 10.0 }.clamped(1, 800.0, 0.0);
        assert!(few.rows(1) == (0..1), "{few:?}");
    }

    #[test]
    fn few_bars_stand_at_the_right_and_are_not_wide() {
        let range = fit(RangeChoice::All, &days(10), 1_000.0);
        let scale = XScale::even(0.0, 1_000.0, range);
        assert!(scale.bar_points() <= FIT_BAR_POINTS);
        assert!((1_000.0 - scale.x(10.0) - RIGHT_MARGIN_POINTS as f32).abs() < 0.5, "{}", scale.x(10.0));
        assert_eq!(range.rows(10), 0..10);
        assert_eq!(fit(RangeChoice::All, &[], 1_000.0).rows(0), 0..0);
    }

    #[test]
    fn a_choice_shows_its_days_and_a_custom_range_comes_back_by_its_dates() {
        let times = days(1_000);
        let range = fit(RangeChoice::OneMonth, &times, 800.0);
        let first = date_of(*times.last().expect("last")) - chrono::Months::new(1) + chrono::Days::new(1);
        assert_eq!(range.rows(1_000).start as i64, micros_of_date(first) / DAY_US);

        let shown = IndexRange { start: 400.25, end: 500.75 };
        let custom = RangeChoice::Custom { from_us: time_at(&times, shown.start), to_us: time_at(&times, shown.end) };
        let back = fit(custom, &times, 800.0);
        assert!((back.start - shown.start).abs() < 1e-6 && (back.end - shown.end).abs() < 1e-6, "{back:?}");
        // Another symbol that began later: the same dates are other rows.
        let back = fit(custom, &times[300..], 800.0);
        assert!((back.start - 100.25).abs() < 1e-6, "{back:?}");
        // And one that has none of them still shows something.
        let back = fit(custom, &days(100), 800.0);
        assert_eq!(back.rows(100).end, 100);
    }

    #[test]
    fn values_and_heights_lead_back_to_each_other() {
        let extent = Extent { min: 10.0, max: 1_000.0 };
        for log in [false, true] {
            let scale = YScale::fitting(extent, log, 20.0, 220.0);
            for value in [10.0, 55.5, 1_000.0] {
                assert!((scale.value(scale.y(value)) - value).abs() / value < 1e-5);
            }
            assert!((scale.y(1_000.0) - 20.0).abs() < 1e-3 && (scale.y(10.0) - 220.0).abs() < 1e-3);
        }
        let middle = YScale::fitting(extent, true, 20.0, 220.0).y(100.0);
        assert!((middle - 120.0).abs() < 1e-3, "{middle}");
    }

    #[test]
    fn one_value_is_in_the_middle_and_a_negative_price_turns_logarithms_off() {
        let scale = YScale::fitting(Extent { min: 5.0, max: 5.0 }, false, 0.0, 100.0);
        assert!((scale.y(5.0) - 50.0).abs() < 1e-3);
        assert!(YScale::fitting(Extent { min: 0.0, max: 0.0 }, false, 0.0, 100.0).y(0.0).is_finite());
        assert!(!YScale::fitting(Extent { min: -37.0, max: 5.0 }, true, 0.0, 100.0).log);
    }

    #[test]
    fn detail_follows_the_width_of_bars_and_buckets_stay_put_while_panning() {
        assert_eq!([8.0, 2.0, 0.3].map(Detail::of), [Detail::Candles, Detail::Bars, Detail::Band]);
        assert_eq!([8.0, 1.0, 0.3, 0.001].map(bucket_rows), [1, 1, 4, 1_024]);
        let starts = |rows: Range<usize>| buckets(rows, 10, 95).map(|run| run.start).collect::<Vec<_>>();
        assert_eq!(starts(25..41), [10, 20, 30, 40, 50]);
        assert_eq!(starts(27..44), [10, 20, 30, 40, 50]);
        assert_eq!(buckets(80..95, 10, 95).last(), Some(90..95));
    }
}
