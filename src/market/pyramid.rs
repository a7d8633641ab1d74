//! Level of detail: the extent of any run of rows without touching every row.
//!
//! A [`Pyramid`] keeps the minimum and maximum of blocks of 8^level rows, from blocks of 64 up, so that it adds 4 % to the
//! memory of its series, and answers "lowest, highest, first and last of rows a to b" for any a and b in about a hundred
//! steps. Charts draw a million bars with it as cheaply as a thousand.
//!
//! Contract: NaN is a gap: it never takes part in an extent, and a run of nothing but NaN has none. The caller hands in the
//! same slices it built from; the pyramid does not keep them. Building is one pass over the series and belongs on a worker.

use std::ops::Range;

/// Rows in a block of the lowest level that is kept.
pub const BASE: usize = 64;
/// Blocks of one level in a block of the next.
const FACTOR: usize = 8;

/// What a run of rows covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
}

impl Extent {
    /// Covers nothing yet.
    const NOTHING: Self = Self { min: f64::INFINITY, max: f64::NEG_INFINITY };

    /// The smallest extent that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// The smallest extent that covers this one and a value; NaN changes nothing.
    #[must_use]
    pub fn including(self, value: f64) -> Self {
        // f64::min and f64::max ignore NaN.
        Self { min: self.min.min(value), max: self.max.max(value) }
    }

    /// The same as [`Self::union`] for extents without NaN, as those of blocks are, in fewer steps.
    fn of_blocks(self, other: Self) -> Self {
        Self { min: if other.min < self.min { other.min } else { self.min }, max: if other.max > self.max { other.max } else { self.max } }
    }

    fn some(self) -> Option<Self> {
        (self.min <= self.max).then_some(self)
    }
}

/// Extents of blocks of rows, by level.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pyramid {
    /// Blocks of 64, 512, 4,096 … rows; empty for series too short to need any.
    levels: Vec<Vec<Extent>>,
}

impl Pyramid {
    /// The pyramid of one series, in which NaN is a gap.
    #[must_use]
    pub fn of_series(values: &[f64]) -> Self {
        Self::of_ranges(values, values)
    }

    /// The pyramid of a series whose rows are themselves ranges: the lows and highs of bars.
    #[must_use]
    pub fn of_ranges(lows: &[f64], highs: &[f64]) -> Self {
        let mut levels: Vec<Vec<Extent>> = Vec::new();
        if lows.len() <= BASE * FACTOR {
            return Self { levels };
        }
        let mut level: Vec<Extent> = lows.chunks(BASE).zip(highs.chunks(BASE)).map(|(lows, highs)| scan(lows, highs)).collect();
        while level.len() > FACTOR {
            let next = level.chunks(FACTOR).map(|blocks| blocks.iter().copied().fold(Extent::NOTHING, Extent::union)).collect();
            levels.push(std::mem::replace(&mut level, next));
        }
        levels.push(level);
        Self { levels }
    }

    /// Lowest and highest of `rows`; `None` where there is nothing but gaps.
    #[must_use]
    pub fn extent(&self, values: &[f64], rows: Range<usize>) -> Option<Extent> {
        self.extent_of_ranges(values, values, rows)
    }

    /// Lowest low and highest high of `rows`; `None` where there is nothing but gaps.
    #[must_use]
    pub fn extent_of_ranges(&self, lows: &[f64], highs: &[f64], rows: Range<usize>) -> Option<Extent> {
        let end = rows.end.min(lows.len()).min(highs.len());
        let raw = |run: Range<usize>| scan(lows.get(run.clone()).unwrap_or_default(), highs.get(run).unwrap_or_default());
        let (mut first, mut last) = (rows.start.div_ceil(BASE), end / BASE);
        if self.levels.is_empty() || rows.start >= end || first >= last {
            return raw(rows.start.min(end)..end).some();
        }
        let mut sum = raw(rows.start..first * BASE).union(raw(last * BASE..end));
        // Blocks first..last of a level are whole: take the ragged ends here and hand the middle to the level above.
        for (height, blocks) in self.levels.iter().enumerate() {
            let fold = |run: Range<usize>| blocks.get(run).unwrap_or_default().iter().copied().fold(Extent::NOTHING, Extent::of_blocks);
            let (inner_first, inner_last) = (first.div_ceil(FACTOR), last / FACTOR);
            if inner_first >= inner_last || height + 1 == self.levels.len() {
                return sum.union(fold(first..last)).some();
            }
            sum = sum.union(fold(first..inner_first * FACTOR)).union(fold(inner_last * FACTOR..last));
            (first, last) = (inner_first, inner_last);
        }
        sum.some()
    }

    /// Bytes the levels take in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.levels.iter().map(|level| level.len() * size_of::<Extent>()).sum::<usize>() + size_of::<Self>()
    }
}

/// The extent of a run of raw rows: four at a time, so that the processor does not wait for one comparison to begin the next.
fn scan(lows: &[f64], highs: &[f64]) -> Extent {
    let lower = |a: f64, b: f64| if b < a { b } else { a };
    let higher = |a: f64, b: f64| if b > a { b } else { a };
    fn fold(values: &[f64], start: f64, choose: impl Fn(f64, f64) -> f64) -> f64 {
        let (fours, rest) = values.as_chunks::<4>();
        let lanes =
            fours.iter().fold([start; 4], |[a, b, c, d], [e, f, g, h]| [choose(a, *e), choose(b, *f), choose(c, *g), choose(d, *h)]);
        lanes.iter().chain(rest).fold(start, |best, value| choose(best, *value))
    }
    Extent { min: fold(lows, f64::INFINITY, lower), max: fold(highs, f64::NEG_INFINITY, higher) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(values: &[f64], rows: Range<usize>) -> Option<Extent> {
        let rows = rows.start.min(values.len())..rows.end.min(values.len());
        let finite = values.get(rows)?.iter().copied().filter(|value| !value.is_nan());
        finite.fold(None, |sum: Option<Extent>, value| Some(sum.unwrap_or(Extent::NOTHING).including(value)))
    }

    #[test]
    fn every_run_of_a_long_series_has_the_extent_of_its_rows() {
        let values: Vec<f64> = (0..70_000_u32).map(|row| f64::from(row.wrapping_mul(2_654_435_761) % 10_007)).collect();
        let pyramid = Pyramid::of_series(&values);
        for (start, end) in [(0, 70_000), (0, 64), (63, 65), (64, 128), (1, 69_999), (511, 513), (4_000, 40_123), (5, 5), (69_999, 80_000)]
        {
            assert_eq!(pyramid.extent(&values, start..end), naive(&values, start..end), "{start}..{end}");
        }
        assert!(pyramid.size_bytes() < values.len() * 8 / 20);
    }

    #[test]
    fn a_run_of_gaps_has_no_extent_and_gaps_never_count() {
        let mut values = vec![f64::NAN; 5_000];
        let pyramid = Pyramid::of_series(&values);
        assert_eq!(pyramid.extent(&values, 0..5_000), None);
        values[4_321] = -7.0;
        let pyramid = Pyramid::of_series(&values);
        assert_eq!(pyramid.extent(&values, 10..4_990), Some(Extent { min: -7.0, max: -7.0 }));
        assert_eq!(pyramid.extent(&values, 0..4_321), None);
    }

    #[test]
    fn bars_take_the_low_of_their_lows_and_the_high_of_their_highs() {
        let lows: Vec<f64> = (0..2_000).map(f64::from).collect();
        let highs: Vec<f64> = lows.iter().map(|low| low + 10.0).collect();
        let pyramid = Pyramid::of_ranges(&lows, &highs);
        assert_eq!(pyramid.extent_of_ranges(&lows, &highs, 100..1_500), Some(Extent { min: 100.0, max: 1_509.0 }));
        assert_eq!(Pyramid::of_series(&[]).extent(&[], 0..10), None);
    }

    proptest! {
        #[test]
        fn the_pyramid_agrees_with_looking_at_every_row(
            values in prop::collection::vec(prop_oneof![4 => -1e6..1e6_f64, 1 => Just(f64::NAN)], 0..3_000),
            start in 0..3_000_usize,
            length in 0..3_000_usize,
        ) {
            let pyramid = Pyramid::of_series(&values);
            prop_assert_eq!(pyramid.extent(&values, start..start + length), naive(&values, start..start + length));
        }
    }
}
