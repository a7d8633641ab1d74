//! Bars as columns, and the one place where raw rows become bars that can be trusted.
//!
//! Not a table library: seven columns, no schema. [`RawBars`] is what a source delivers (any order, gaps as NaN);
//! [`Bars`] is what everything above works on.

use super::date_range::DateRange;
use serde::{Deserialize, Serialize};

/// How far apart bars are, as far as the program must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// One bar a day at most; times are midnights.
    #[default]
    Daily,
    /// Bars with a time of day.
    Intraday,
}

impl Resolution {
    /// What bars of these times are.
    #[must_use]
    pub fn of_times(time_us: &[i64]) -> Self {
        if time_us.iter().all(|time| time.rem_euclid(super::time::DAY_US) == 0) { Self::Daily } else { Self::Intraday }
    }
}

/// Columns as a source delivers them: unsorted, possibly with repeated times, missing values as NaN.
///
/// All vectors have the same length; `amount`, `turnover` and `float_shares` are empty where the source has no such column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawBars {
    /// Microseconds since 1970-01-01 on the source's wall clock.
    pub time_us: Vec<i64>,
    /// Opening prices.
    pub open: Vec<f64>,
    /// Highest prices.
    pub high: Vec<f64>,
    /// Lowest prices.
    pub low: Vec<f64>,
    /// Closing prices.
    pub close: Vec<f64>,
    /// Volumes, in the source's unit.
    pub volume: Vec<f64>,
    /// Traded money, if the source has it.
    pub amount: Vec<f64>,
    /// Turnover rate in percent, if the source has it.
    pub turnover: Vec<f64>,
    /// Shares in free float, if the source has them and no turnover.
    pub float_shares: Vec<f64>,
}

impl RawBars {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_us.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_us.is_empty()
    }

    /// The rows from a time on, in their order.
    #[must_use]
    pub fn from_time(&self, from_us: i64) -> Self {
        let chosen: Vec<usize> = (0..self.len()).filter(|row| self.time_us.get(*row).is_some_and(|time| *time >= from_us)).collect();
        self.only(&chosen)
    }

    /// These rows, in this order.
    #[must_use]
    pub fn only(&self, chosen: &[usize]) -> Self {
        let pick = |column: &Vec<f64>| chosen.iter().filter_map(|row| column.get(*row).copied()).collect();
        Self {
            time_us: chosen.iter().filter_map(|row| self.time_us.get(*row).copied()).collect(),
            open: pick(&self.open),
            high: pick(&self.high),
            low: pick(&self.low),
            close: pick(&self.close),
            volume: pick(&self.volume),
            amount: pick(&self.amount),
            turnover: pick(&self.turnover),
            float_shares: pick(&self.float_shares),
        }
    }

    /// Puts the rows of another delivery of the same columns behind these.
    pub fn extend(&mut self, more: Self) {
        if self.is_empty() {
            *self = more;
            return;
        }
        self.time_us.extend(more.time_us);
        self.open.extend(more.open);
        self.high.extend(more.high);
        self.low.extend(more.low);
        self.close.extend(more.close);
        self.volume.extend(more.volume);
        self.amount.extend(more.amount);
        self.turnover.extend(more.turnover);
        self.float_shares.extend(more.float_shares);
    }
}

/// Bars of one symbol: sorted by time, one bar per time, prices and volumes finite.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bars {
    /// Daily, or with a time of day.
    pub resolution: Resolution,
    /// Microseconds since 1970-01-01 on the source's wall clock, strictly increasing.
    pub time_us: Vec<i64>,
    /// Opening prices.
    pub open: Vec<f64>,
    /// Highest prices.
    pub high: Vec<f64>,
    /// Lowest prices.
    pub low: Vec<f64>,
    /// Closing prices.
    pub close: Vec<f64>,
    /// Volumes, in the source's unit.
    pub volume: Vec<f64>,
    /// Traded money where the source has it; NaN is a missing value.
    pub amount: Option<Vec<f64>>,
    /// Turnover rate in percent where the source has it or its float shares; NaN is a missing value.
    pub turnover: Option<Vec<f64>>,
}

/// What was noticed while raw rows became bars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Rows dropped because a price was missing, NaN or infinite.
    pub missing_price: usize,
    /// Rows dropped because a later row had the same time.
    pub duplicate_time: usize,
    /// Rows that came before an earlier time.
    pub unsorted: usize,
    /// Bars whose volume was missing and counts as 0.
    pub missing_volume: usize,
    /// Bars with a price of zero or below.
    pub non_positive_price: usize,
    /// Bars whose high is below, or low above, another of their prices.
    pub broken_range: usize,
}

impl Quality {
    /// Rows the source had that are not among the bars.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.missing_price + self.duplicate_time
    }

    /// What was noticed in other rows of the same symbol added, none of which came before these.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            missing_price: self.missing_price + other.missing_price,
            duplicate_time: self.duplicate_time + other.duplicate_time,
            unsorted: self.unsorted + other.unsorted,
            missing_volume: self.missing_volume + other.missing_volume,
            non_positive_price: self.non_positive_price + other.non_positive_price,
            broken_range: self.broken_range + other.broken_range,
        }
    }

    /// What is left without that of some of the rows; `None` where that cannot be told, because their order was noticed.
    #[must_use]
    pub fn minus(&self, some: &Self) -> Option<Self> {
        Some(Self {
            missing_price: self.missing_price.checked_sub(some.missing_price)?,
            duplicate_time: self.duplicate_time.checked_sub(some.duplicate_time)?,
            unsorted: if self.unsorted == 0 { 0 } else { return None },
            missing_volume: self.missing_volume.checked_sub(some.missing_volume)?,
            non_positive_price: self.non_positive_price.checked_sub(some.non_positive_price)?,
            broken_range: self.broken_range.checked_sub(some.broken_range)?,
        })
    }

    /// Whether nothing was noticed.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl Bars {
    /// Number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_us.len()
    }

    /// Whether there are no bars.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_us.is_empty()
    }

    /// Time of the first bar.
    #[must_use]
    pub fn first_us(&self) -> Option<i64> {
        self.time_us.first().copied()
    }

    /// Time of the last bar.
    #[must_use]
    pub fn last_us(&self) -> Option<i64> {
        self.time_us.last().copied()
    }

    /// Bytes the columns take in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let columns = 6 + usize::from(self.amount.is_some()) + usize::from(self.turnover.is_some());
        self.len() * columns * 8 + size_of::<Self>()
    }

    /// Turns raw rows into bars: drops rows without a usable price, sorts by time, keeps the last of several rows with one
    /// time, takes a missing volume as 0, and counts all of it.
    #[must_use]
    pub fn normalise(raw: RawBars) -> (Self, Quality) {
        let rows = raw.len();
        let mut quality = Quality::default();
        let usable = |row: usize| {
            [&raw.open, &raw.high, &raw.low, &raw.close].iter().all(|column| column.get(row).is_some_and(|price| price.is_finite()))
        };
        let mut order: Vec<usize> = (0..rows).filter(|row| usable(*row)).collect();
        quality.missing_price = rows - order.len();
        let time_of = |row: usize| raw.time_us.get(row).copied().unwrap_or_default();
        quality.unsorted = order.windows(2).filter(|pair| matches!(pair, [a, b] if time_of(*b) < time_of(*a))).count();
        if quality.unsorted > 0 {
            // Stable, so that of rows with one time the last delivered stays last.
            order.sort_by_key(|row| time_of(*row));
        }
        let usable_rows = order.len();
        order.reverse();
        order.dedup_by_key(|row| time_of(*row));
        order.reverse();
        quality.duplicate_time = usable_rows - order.len();

        if order.len() == rows && quality.unsorted == 0 {
            return Self::from_clean(raw, quality);
        }
        let pick = |column: &Vec<f64>| -> Vec<f64> {
            if column.is_empty() { Vec::new() } else { order.iter().map(|row| column.get(*row).copied().unwrap_or(f64::NAN)).collect() }
        };
        let picked = RawBars {
            time_us: order.iter().map(|row| time_of(*row)).collect(),
            open: pick(&raw.open),
            high: pick(&raw.high),
            low: pick(&raw.low),
            close: pick(&raw.close),
            volume: pick(&raw.volume),
            amount: pick(&raw.amount),
            turnover: pick(&raw.turnover),
            float_shares: pick(&raw.float_shares),
        };
        Self::from_clean(picked, quality)
    }

    /// The last step of normalising: rows are sorted, unique and have prices.
    fn from_clean(mut raw: RawBars, mut quality: Quality) -> (Self, Quality) {
        raw.volume.resize(raw.time_us.len(), f64::NAN);
        for volume in &mut raw.volume {
            if !volume.is_finite() {
                *volume = 0.0;
                quality.missing_volume += 1;
            }
        }
        for (((open, high), low), close) in raw.open.iter().zip(&raw.high).zip(&raw.low).zip(&raw.close) {
            let lowest = open.min(*close).min(*high).min(*low);
            quality.non_positive_price += usize::from(lowest <= 0.0);
            quality.broken_range += usize::from(*high < open.max(*close).max(*low) || *low > lowest);
        }
        let finite_or_nan = |value: f64| if value.is_finite() { value } else { f64::NAN };
        let turnover = if !raw.turnover.is_empty() {
            Some(raw.turnover.into_iter().map(finite_or_nan).collect())
        } else if !raw.float_shares.is_empty() {
            Some(raw.volume.iter().zip(&raw.float_shares).map(|(volume, shares)| finite_or_nan(100.0 * volume / shares)).collect())
        } else {
            None
        };
        let amount = (!raw.amount.is_empty()).then(|| raw.amount.into_iter().map(finite_or_nan).collect());
        let bars = Self {
            resolution: Resolution::of_times(&raw.time_us),
            time_us: raw.time_us,
            open: raw.open,
            high: raw.high,
            low: raw.low,
            close: raw.close,
            volume: raw.volume,
            amount,
            turnover,
        };
        (bars, quality)
    }

    /// The bars of a range of days.
    #[must_use]
    pub fn within(&self, range: &DateRange) -> Self {
        let span = self.span_of(range);
        let cut = |column: &Vec<f64>| column.get(span.clone()).unwrap_or_default().to_vec();
        Self {
            resolution: self.resolution,
            time_us: self.time_us.get(span.clone()).unwrap_or_default().to_vec(),
            open: cut(&self.open),
            high: cut(&self.high),
            low: cut(&self.low),
            close: cut(&self.close),
            volume: cut(&self.volume),
            amount: self.amount.as_ref().map(cut),
            turnover: self.turnover.as_ref().map(cut),
        }
    }

    /// Which rows fall into a range of days.
    #[must_use]
    pub fn span_of(&self, range: &DateRange) -> std::ops::Range<usize> {
        let start = range.start_us().map_or(0, |limit| self.time_us.partition_point(|time| *time < limit));
        let end = range.end_us_exclusive().map_or(self.len(), |limit| self.time_us.partition_point(|time| *time < limit));
        start..end.max(start)
    }

    /// Whether these rows are those of `other` from `other_from` on, bit for bit but for the kind of NaN, and none of them is missing.
    #[must_use]
    pub fn has_same_rows(&self, rows: std::ops::Range<usize>, other: &Self, other_from: usize) -> bool {
        let other_rows = other_from..other_from.saturating_add(rows.len());
        let same = |ours: &[f64], others: &[f64]| match (ours.get(rows.clone()), others.get(other_rows.clone())) {
            (Some(ours), Some(others)) => {
                ours.iter().zip(others).all(|(ours, others)| ours.to_bits() == others.to_bits() || (ours.is_nan() && others.is_nan()))
            }
            _ => false,
        };
        let same_optional = |ours: &Option<Vec<f64>>, others: &Option<Vec<f64>>| match (ours, others) {
            (Some(ours), Some(others)) => same(ours, others),
            (ours, others) => ours.is_none() && others.is_none(),
        };
        self.time_us.get(rows.clone()).is_some_and(|times| other.time_us.get(other_rows.clone()) == Some(times))
            && same(&self.open, &other.open)
            && same(&self.high, &other.high)
            && same(&self.low, &other.low)
            && same(&self.close, &other.close)
            && same(&self.volume, &other.volume)
            && same_optional(&self.amount, &other.amount)
            && same_optional(&self.turnover, &other.turnover)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::DAY_US;

    fn raw(days: &[i64], closes: &[f64]) -> RawBars {
        RawBars {
            time_us: days.iter().map(|day| day * DAY_US).collect(),
            open: closes.to_vec(),
            high: closes.to_vec(),
            low: closes.to_vec(),
            close: closes.to_vec(),
            volume: vec![1.0; closes.len()],
            ..RawBars::default()
        }
    }

    #[test]
    fn rows_are_sorted_and_the_last_of_a_time_is_kept() {
        let (bars, quality) = Bars::normalise(raw(&[3, 1, 2, 1], &[30.0, 10.0, 20.0, 11.0]));
        assert_eq!(bars.time_us, [DAY_US, 2 * DAY_US, 3 * DAY_US]);
        assert_eq!(bars.close, [11.0, 20.0, 30.0]);
        assert_eq!((quality.duplicate_time, quality.unsorted), (1, 2));
        assert_eq!(quality.dropped(), 1);
    }

    #[test]
    fn what_is_noticed_in_the_last_rows_can_be_told_apart_while_rows_are_in_order() {
        let mut rows = raw(&[1, 2, 2, 3, 3], &[1.0, f64::NAN, 2.0, 3.0, 4.0]);
        rows.volume[0] = f64::NAN;
        let last = Bars::normalise(rows.from_time(3 * DAY_US)).1;
        assert_eq!((last.duplicate_time, last.dropped()), (1, 1));
        let all = Bars::normalise(rows).1;
        let before = all.minus(&last).expect("in order");
        assert_eq!((before.missing_price, before.duplicate_time, before.missing_volume), (1, 0, 1));
        assert_eq!(before.plus(&last), all);
        let unsorted = Bars::normalise(raw(&[2, 1], &[1.0, 2.0])).1;
        assert_eq!(unsorted.minus(&Quality::default()), None);
        assert_eq!(last.minus(&all), None, "they are not among these");
    }

    #[test]
    fn a_bar_without_a_price_is_dropped_and_counted() {
        let mut rows = raw(&[1, 2, 3, 4], &[1.0, f64::NAN, f64::INFINITY, 4.0]);
        rows.volume[3] = f64::NAN;
        let (bars, quality) = Bars::normalise(rows);
        assert_eq!(bars.close, [1.0, 4.0]);
        assert_eq!(bars.volume, [1.0, 0.0]);
        assert_eq!((quality.missing_price, quality.missing_volume), (2, 1));
    }

    #[test]
    fn float_shares_give_the_turnover_in_percent() {
        let mut rows = raw(&[1, 2], &[1.0, 2.0]);
        rows.volume = vec![50.0, 50.0];
        rows.float_shares = vec![1000.0, 0.0];
        let (bars, _) = Bars::normalise(rows);
        let turnover = bars.turnover.expect("turnover");
        assert_eq!(turnover[0], 5.0);
        assert!(turnover[1].is_nan());
    }

    #[test]
    fn a_time_of_day_makes_bars_intraday_and_a_range_cuts_whole_days() {
        let mut rows = raw(&[1, 2, 3], &[1.0, 2.0, 3.0]);
        rows.time_us[1] += 5;
        let (bars, _) = Bars::normalise(rows);
        assert_eq!(bars.resolution, Resolution::Intraday);
        let day = chrono::NaiveDate::from_ymd_opt(1970, 1, 3);
        assert_eq!(bars.within(&DateRange { start: day, end: day }).close, [2.0]);
    }

    #[test]
    fn prices_that_cannot_be_are_counted_and_kept() {
        let mut rows = raw(&[1, 2], &[-37.63, 5.0]);
        rows.high[1] = 4.0;
        let (bars, quality) = Bars::normalise(rows);
        assert_eq!(bars.len(), 2);
        assert_eq!((quality.non_positive_price, quality.broken_range), (1, 1));
    }
}
