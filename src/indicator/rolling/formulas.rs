//! The formulas of moments: how those of two neighbouring blocks make those of both, and what statistics are made of them.
//!
//! Not where they come from (`moments`, `pairs`). Contract: every formula stands here once, whether it is run over many windows
//! or for one.

use super::known::Odd;
use super::statistic::Statistic;
use crate::indicator::finite_or_nan;

/// A sample deviation up to this counts as none at all where a correlation would be made of rounding. Qlib's.
const HARDLY_VARIES: f64 = 2e-5;

/// What merging two neighbouring blocks needs to know of their lengths.
#[derive(Debug, Clone, Copy)]
pub struct Lengths {
    pub older: f64,
    /// 1/older and 1/newer.
    inverse: (f64, f64),
    /// older·newer/(older + newer).
    pub weight: f64,
    /// older·newer/2: the distance of the blocks' mean positions times the weight.
    lever: f64,
    /// older/(older + newer) and newer/(older + newer).
    share: (f64, f64),
    skewed: f64,
    peaked: f64,
}

impl Lengths {
    /// Of an older and a newer block.
    #[inline]
    pub fn of(older: usize, newer: usize) -> Self {
        let (older, newer) = (older as f64, newer as f64);
        let both = older + newer;
        let weight = older * newer / both;
        Self {
            older,
            inverse: (1.0 / older, 1.0 / newer),
            weight,
            lever: older * newer / 2.0,
            share: (older / both, newer / both),
            skewed: weight * (older - newer) / both,
            peaked: weight * (older * older - older * newer + newer * newer) / (both * both),
        }
    }

    /// The older block's mean minus the newer one's; `gap` is what lies between their last values, sums are of the distances
    /// from these.
    #[inline(always)]
    pub fn between(&self, gap: f64, older_sum: f64, newer_sum: f64) -> f64 {
        gap + older_sum * self.inverse.0 - newer_sum * self.inverse.1
    }

    #[inline(always)]
    pub fn sum(&self, gap: f64, older: f64, newer: f64) -> f64 {
        newer + (older + self.older * gap)
    }

    #[inline(always)]
    pub fn squares(&self, between: f64, older: f64, newer: f64) -> f64 {
        newer + older + between * between * self.weight
    }

    #[inline(always)]
    pub fn trend(&self, between: f64, older: f64, newer: f64) -> f64 {
        newer + older - self.lever * between
    }

    /// Of two inputs.
    #[inline(always)]
    pub fn products(&self, between: (f64, f64), older: f64, newer: f64) -> f64 {
        newer + older + between.0 * between.1 * self.weight
    }

    /// Pairs are (older, newer).
    #[inline(always)]
    pub fn cubes(&self, between: f64, squares: (f64, f64), cubes: (f64, f64)) -> f64 {
        let square = between * between;
        cubes.1 + cubes.0 - between * (square * self.skewed + 3.0 * (self.share.0 * squares.1 - self.share.1 * squares.0))
    }

    #[inline(always)]
    pub fn fourths(&self, between: f64, squares: (f64, f64), cubes: (f64, f64), fourths: (f64, f64)) -> f64 {
        let square = between * between;
        let (older, newer) = (self.share.1 * self.share.1, self.share.0 * self.share.0);
        fourths.1
            + fourths.0
            + between
                * (between * (square * self.peaked + 6.0 * (newer * squares.1 + older * squares.0))
                    - 4.0 * (self.share.0 * cubes.1 - self.share.1 * cubes.0))
    }
}

/// Constants of a window's length.
#[derive(Debug, Clone, Copy)]
pub struct Constants {
    pub count: f64,
    /// Degrees of freedom of a sample.
    freedom: f64,
    /// Squares of a sample that hardly varies.
    hardly: f64,
    /// Mean position minus the last one.
    middle: f64,
    /// Σ(position − mean position)².
    position_squares: f64,
    /// Σ of the positions.
    positions: f64,
    skew: f64,
    kurt: (f64, f64),
}

impl Constants {
    /// For so many neighbouring values, with so many nulls before them in the window.
    pub fn of(count: usize, before: usize) -> Self {
        let count = count as f64;
        let middle = -((count - 1.0) / 2.0);
        let last = before as f64 + count;
        Self { middle, position_squares: count * (count * count - 1.0) / 12.0, positions: count * (last + middle), ..Self::of_shape(count) }
    }

    /// For values between which there are nulls, by the mean of their rows minus the last one and by the squares of their rows.
    pub fn of_rows(odd: &Odd, rows_sum: f64, position_squares: f64, span: usize) -> Self {
        let count = odd.count as f64;
        let middle = rows_sum / count;
        let last = (odd.before + span) as f64;
        Self { middle, position_squares, positions: count * (last + middle), ..Self::of_shape(count) }
    }

    fn of_shape(count: f64) -> Self {
        let bias = (count - 2.0) * (count - 3.0);
        let enough = |least: f64, value: f64| if count < least { f64::NAN } else { value };
        Self {
            count,
            freedom: enough(2.0, count - 1.0),
            hardly: HARDLY_VARIES * HARDLY_VARIES * enough(2.0, count - 1.0),
            middle: 0.0,
            position_squares: 0.0,
            positions: 0.0,
            skew: enough(3.0, count * (count - 1.0).sqrt() / (count - 2.0)),
            kurt: (enough(4.0, count * (count + 1.0) * (count - 1.0) / bias), enough(4.0, 3.0 * ((count - 1.0) * (count - 1.0)) / bias)),
        }
    }

    #[inline(always)]
    pub fn hardly_varies(&self, squares: f64) -> bool {
        squares <= self.hardly
    }

    #[inline(always)]
    pub fn sample(&self, squares: f64) -> f64 {
        squares / self.freedom
    }

    #[inline(always)]
    pub fn slope(&self, trend: f64) -> f64 {
        trend / self.position_squares
    }

    #[inline(always)]
    pub fn r_squared(&self, squares: f64, trend: f64) -> f64 {
        let share = trend * trend / (self.position_squares * squares);
        let share = if share > 1.0 { 1.0 } else { share };
        if self.hardly_varies(squares) { f64::NAN } else { share }
    }

    #[inline(always)]
    pub fn residual(&self, sum: f64, trend: f64) -> f64 {
        self.slope(trend) * self.middle - sum / self.count
    }

    #[inline(always)]
    pub fn weighted_mean(&self, last: f64, sum: f64, trend: f64) -> f64 {
        last + (sum / self.count + trend / self.positions)
    }

    #[inline(always)]
    pub fn skewness(&self, squares: f64, cubes: f64) -> f64 {
        let skewness = self.skew * (cubes / (squares * squares.sqrt()));
        if squares == 0.0 { 0.0 * self.skew } else { skewness }
    }

    #[inline(always)]
    pub fn kurtosis(&self, squares: f64, fourths: f64) -> f64 {
        let kurtosis = self.kurt.0 * (fourths / (squares * squares)) - self.kurt.1;
        if squares == 0.0 { 0.0 * self.kurt.0 - 3.0 } else { kurtosis }
    }
}

/// Moments of one window.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub last: f64,
    pub sum: f64,
    pub squares: f64,
    pub trend: f64,
    pub cubes: f64,
    pub fourths: f64,
}

impl Constants {
    pub fn said(&self, statistic: Statistic, found: &Found, last_is_null: bool) -> f64 {
        let Found { last, sum, squares, trend, cubes, fourths } = *found;
        finite_or_nan(match statistic {
            Statistic::Std => self.sample(squares).sqrt(),
            Statistic::Stdp => (squares / self.count).sqrt(),
            Statistic::Var => self.sample(squares),
            Statistic::Resi | Statistic::Demean if last_is_null => f64::NAN,
            Statistic::Demean => -(sum / self.count),
            Statistic::Slope => self.slope(trend),
            Statistic::Rsquare => self.r_squared(squares, trend),
            Statistic::Resi => self.residual(sum, trend),
            Statistic::Wma => self.weighted_mean(last, sum, trend),
            Statistic::Skew => self.skewness(squares, cubes),
            Statistic::Kurt => self.kurtosis(squares, fourths),
            _ => f64::NAN,
        })
    }

    /// A statistic along positions, of values that have nulls between them.
    pub fn said_of_rows(&self, statistic: Statistic, last: f64, sum: f64, squares: f64, trend: f64, last_is_null: bool) -> f64 {
        self.said(statistic, &Found { last, sum, squares, trend, cubes: 0.0, fourths: 0.0 }, last_is_null)
    }
}
