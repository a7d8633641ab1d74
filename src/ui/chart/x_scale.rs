//! Index ↔ x: bars side by side, or each at its own time.
//!
//! Whatever the axis, a stretch of it is told by the indexes of bars at its edges ([`IndexRange`]), so that turning from one to the
//! other keeps what is in view. *Places* are what is equally far apart on the screen: bars side by side, or steps of time of a bar's
//! length. Contract: pure arithmetic; places grow with indexes and lead back to them.

use super::geometry::{IndexRange, bucket_rows, index_of, time_at};
use crate::market::{Bars, DAY_US};
use eframe::egui::Rangef;
use std::ops::Range;
use std::sync::Arc;

/// How many distances between neighbours are looked at to tell how long a bar is.
const SAMPLES: usize = 63;

/// Times of bars, and how long one is.
#[derive(Debug, Clone)]
pub struct Clock {
    bars: Arc<Bars>,
    step_us: f64,
}

impl Clock {
    /// The clock of some bars.
    #[must_use]
    pub fn of(bars: &Arc<Bars>) -> Self {
        let times = &bars.time_us;
        let pairs = times.len().saturating_sub(1);
        let at = |sample: usize| sample * pairs / SAMPLES.min(pairs).max(1);
        let distance = |row: usize| Some(times.get(row + 1)? - times.get(row)?);
        let mut distances: Vec<i64> = (0..SAMPLES.min(pairs)).filter_map(|sample| distance(at(sample))).collect();
        distances.sort_unstable();
        // Most neighbours are one bar apart; nights, weekends and holes are fewer.
        let usual = distances.get(distances.len() / 2).copied().filter(|distance| *distance > 0);
        Self { bars: Arc::clone(bars), step_us: usual.unwrap_or(DAY_US) as f64 }
    }

    fn first_us(&self) -> i64 {
        self.bars.first_us().unwrap_or_default()
    }

    fn place_of_time(&self, time_us: i64) -> f64 {
        (time_us - self.first_us()) as f64 / self.step_us
    }

    fn place(&self, index: f64) -> f64 {
        self.place_of_time(time_at(&self.bars.time_us, index))
    }

    fn time_at_place(&self, place: f64) -> i64 {
        self.first_us() + (place * self.step_us).round() as i64
    }

    fn index(&self, place: f64) -> f64 {
        index_of(&self.bars.time_us, self.time_at_place(place))
    }
}

/// Index ↔ x.
#[derive(Debug, Clone)]
pub struct XScale {
    /// x of the left edge.
    pub left: f32,
    /// Width in points.
    pub width: f32,
    /// What is shown.
    pub range: IndexRange,
    /// Times, where bars stand at theirs.
    clock: Option<Clock>,
    /// What is shown, as places.
    places: IndexRange,
}

impl XScale {
    /// A scale over a stretch of bars; over their times with a clock.
    #[must_use]
    pub fn new(left: f32, width: f32, range: IndexRange, clock: Option<Clock>) -> Self {
        let places = clock.as_ref().map_or(range, |clock| IndexRange { start: clock.place(range.start), end: clock.place(range.end) });
        Self { left, width, range, clock, places }
    }

    /// Bars side by side.
    #[cfg(test)]
    pub fn even(left: f32, width: f32, range: IndexRange) -> Self {
        Self::new(left, width, range, None)
    }

    /// What is shown, as places.
    #[must_use]
    pub fn places(&self) -> IndexRange {
        self.places
    }

    /// The stretch of bars at a stretch of places.
    #[must_use]
    pub fn range_of(&self, places: IndexRange) -> IndexRange {
        self.clock.as_ref().map_or(places, |clock| IndexRange { start: clock.index(places.start), end: clock.index(places.end) })
    }

    /// Places that all bars take together.
    #[must_use]
    pub fn count(&self, bars: usize) -> usize {
        match &self.clock {
            Some(clock) => clock.bars.last_us().map_or(0, |last_us| clock.place_of_time(last_us) as usize + 1),
            None => bars,
        }
    }

    /// Points per bar.
    #[must_use]
    pub fn bar_points(&self) -> f64 {
        f64::from(self.width) / self.places.span().max(f64::MIN_POSITIVE)
    }

    fn x_of_place(&self, place: f64) -> f32 {
        self.left + ((place - self.places.start) * self.bar_points()) as f32
    }

    /// x of an index.
    #[must_use]
    pub fn x(&self, index: f64) -> f32 {
        self.x_of_place(self.clock.as_ref().map_or(index, |clock| clock.place(index)))
    }

    /// x of a bar's middle.
    #[must_use]
    pub fn middle(&self, row: usize) -> f32 {
        let first = self.clock.as_ref().map_or(row as f64, |clock| clock.place(row as f64));
        self.x_of_place(first + 0.5)
    }

    /// x of the middle of bars that are drawn as one.
    #[must_use]
    pub fn middle_of(&self, run: &Range<usize>) -> f32 {
        (self.middle(run.start) + self.middle(run.end.saturating_sub(1).max(run.start))) * 0.5
    }

    /// The place at an x.
    #[must_use]
    pub fn place(&self, x: f32) -> f64 {
        self.places.start + f64::from(x - self.left) / self.bar_points()
    }

    /// Index at an x.
    #[must_use]
    pub fn index(&self, x: f32) -> f64 {
        let place = self.place(x);
        self.clock.as_ref().map_or(place, |clock| clock.index(place))
    }

    /// The bar at an x, the nearest one where there is none.
    #[must_use]
    pub fn row(&self, x: f32, bars: usize) -> Option<usize> {
        let last = bars.checked_sub(1)?;
        let index = self.index(x);
        let row = if index <= 0.0 { 0 } else { (index as usize).min(last) };
        let is_nearer = self.clock.is_some() && row < last && (self.middle(row + 1) - x).abs() < (self.middle(row) - x).abs();
        Some(if is_nearer { row + 1 } else { row })
    }

    /// How many bars share one drawn column: 1 while there are no more of them than physical pixels.
    #[must_use]
    pub fn bucket_rows(&self, per_point: f32) -> usize {
        let Some(clock) = &self.clock else { return bucket_rows(self.bar_points() * f64::from(per_point)) };
        // Their number per pixel of the whole view says it: how far apart they are is another from place to place. Powers of two,
        // so that it seldom changes while one pans.
        let rows = self.range.rows(clock.bars.len()).len() as f64 / f64::from(self.width * per_point).max(1.0);
        bucket_rows(1.0 / (rows.ceil().max(1.0) as usize).next_power_of_two() as f64)
    }

    /// The first and last time in view between the first bar and the last, where bars stand at their times.
    #[must_use]
    pub fn times_in_view(&self) -> Option<(i64, i64)> {
        let clock = self.clock.as_ref()?;
        let (first_us, last_us) = (clock.bars.first_us()?, clock.bars.last_us()?);
        let [start_us, end_us] = [self.places.start, self.places.end].map(|place| clock.time_at_place(place));
        Some((start_us.clamp(first_us, last_us), end_us.clamp(first_us, last_us)))
    }

    /// x of the middle of a bar that begins at a time, whether there is one or not, where bars stand at their times.
    #[must_use]
    pub fn middle_of_time(&self, time_us: i64) -> Option<f32> {
        self.clock.as_ref().map(|clock| self.x_of_place(clock.place_of_time(time_us) + 0.5))
    }

    /// The room before a bar that has none of its own, where bars stand at their times.
    #[must_use]
    pub fn hole_before(&self, row: usize) -> Option<Rangef> {
        let clock = self.clock.as_ref()?;
        let before = clock.place(row.checked_sub(1)? as f64) + 1.0;
        Some(Rangef::new(self.x_of_place(before), self.x(row as f64))).filter(|hole| hole.span() > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::HOUR_US;

    /// Bars of these times.
    fn bars(time_us: Vec<i64>) -> Arc<Bars> {
        Arc::new(Bars { time_us, ..Bars::default() })
    }

    /// Five days, two days' rest, over and over.
    fn weekdays(count: i64) -> Arc<Bars> {
        bars((0..count).map(|day| (day / 5 * 7 + day % 5) * DAY_US).collect())
    }

    fn scale(bars: &Arc<Bars>, start: f64, end: f64) -> XScale {
        XScale::new(0.0, 700.0, IndexRange { start, end }, Some(Clock::of(bars)))
    }

    #[test]
    fn a_week_takes_the_room_of_seven_days() {
        let bars = weekdays(10);
        let x = scale(&bars, 0.0, 5.0);
        assert!((x.bar_points() - 100.0).abs() < 1e-6);
        assert_eq!([0, 1, 4, 5].map(|row| x.middle(row)), [50.0, 150.0, 450.0, 750.0]);
        assert_eq!(x.hole_before(5), Some(Rangef::new(500.0, 700.0)));
        assert_eq!((x.hole_before(4), x.hole_before(0)), (None, None));
        // In the hole, whoever is nearer.
        assert_eq!([10.0, 480.0, 590.0, 620.0].map(|at| x.row(at, 10)), [Some(0), Some(4), Some(4), Some(5)]);
        assert_eq!(x.count(10), 12);
    }

    #[test]
    fn places_lead_back_to_bars() {
        let bars = weekdays(1_000);
        let x = scale(&bars, 100.25, 300.5);
        let back = x.range_of(x.places());
        assert!((back.start - 100.25).abs() < 1e-6 && (back.end - 300.5).abs() < 1e-6, "{back:?}");
        for at in [0.0, 33.0, 512.0] {
            assert!((x.x(x.index(at)) - at).abs() < 1e-2);
        }
        assert!((x.middle_of_time(bars.time_us[150]).expect("a clock") - x.middle(150)).abs() < 1e-3);
        assert_eq!(XScale::even(0.0, 700.0, x.range).places(), x.range);
    }

    #[test]
    fn a_bar_is_as_long_as_most_are() {
        let minute = HOUR_US / 60;
        let sessions = bars((0..4).flat_map(|day| (0..240).map(move |at| day * DAY_US + at * minute)).collect());
        assert_eq!(Clock::of(&sessions).step_us, minute as f64);
        assert_eq!(Clock::of(&weekdays(30)).step_us, DAY_US as f64);
        assert_eq!([Clock::of(&bars(vec![])), Clock::of(&bars(vec![7]))].map(|clock| clock.step_us), [DAY_US as f64; 2]);
    }

    #[test]
    fn no_more_columns_than_pixels_are_drawn_however_bars_are_spread() {
        let crowd = (0..100_000).map(|at| at * 1_000).chain([3_650 * DAY_US]);
        let bars = bars(crowd.collect());
        let x = scale(&bars, 0.0, 100_001.0);
        assert!(100_001 / x.bucket_rows(1.0) <= 700, "{}", x.bucket_rows(1.0));
        assert_eq!(scale(&bars, 0.0, 300.0).bucket_rows(1.0), 1);
    }
}
