//! What a statistic of one window is, bit by bit, computed the plain way: value by value, without sharing anything.
//!
//! Not fast: a window costs its length. Contract: this is the definition that the shared computation over whole series is
//! tested against. Nulls are left out before anything is computed, so that a window of five values gives the same bits whether
//! it is short, has nulls before its values or between them; only positions know of the gaps.

use super::deviation::LONGEST_DIRECT;
use super::exact::{Whole, Wide, range};
use super::{PairStatistic, Statistic, WarmUp};
use crate::indicator::finite_or_nan;

/// A sample deviation that counts as none at all, where a correlation would be made of rounding. Qlib's.
const HARDLY_VARIES: f64 = 2e-5;

/// The statistic of a window's values, oldest first, NaN for null; `full` is whether there are as many as the window is long.
pub fn statistic(window: &[f64], full: bool, statistic: Statistic, warm_up: WarmUp) -> f64 {
    let values: Vec<f64> = window.iter().copied().filter(|value| !value.is_nan()).collect();
    if values.is_empty() || (warm_up == WarmUp::Strict && (!full || values.len() < window.len())) {
        return if statistic == Statistic::Count && warm_up == WarmUp::Partial { 0.0 } else { f64::NAN };
    }
    let last_is_null = window.last().is_none_or(|value| value.is_nan());
    let count = values.len() as f64;
    let last = values[values.len() - 1];
    let moments = || Moments::of_window(&values);
    let line = || Line::of_window(window);
    finite_or_nan(match statistic {
        Statistic::Mean => sum(&values) / count,
        Statistic::Sum => sum(&values),
        Statistic::Std if values.len() < 2 => f64::NAN,
        Statistic::Std => (moments().squares / (count - 1.0)).sqrt(),
        Statistic::Stdp => (moments().squares / count).sqrt(),
        Statistic::Var if values.len() < 2 => f64::NAN,
        Statistic::Var => moments().squares / (count - 1.0),
        Statistic::Skew => moments().skewness(),
        Statistic::Kurt => moments().kurtosis(),
        Statistic::Max => values.iter().copied().fold(f64::NEG_INFINITY, |a, b| if a > b { a } else { b }),
        Statistic::Min => values.iter().copied().fold(f64::INFINITY, |a, b| if a < b { a } else { b }),
        Statistic::IdxMax => first_position(window, |value, best| value > best),
        Statistic::IdxMin => first_position(window, |value, best| value < best),
        Statistic::Quantile(share) => quantile(values, share.get()),
        Statistic::Med => quantile(values, 0.5),
        Statistic::Mad if values.len() > LONGEST_DIRECT => exact_deviation(&values),
        Statistic::Mad => {
            let mean = moments().sum / count;
            values.iter().map(|value| ((value - last) - mean).abs()).fold(0.0, |total, distance| total + distance) / count
        }
        Statistic::Count => count,
        Statistic::Rank | Statistic::Resi | Statistic::Demean if last_is_null => f64::NAN,
        Statistic::Rank => {
            let less = values.iter().filter(|value| **value < last).count() as f64;
            let equal = values.iter().filter(|value| **value == last).count() as f64;
            (less + (equal + 1.0) / 2.0) / count
        }
        Statistic::Slope => line().slope(),
        Statistic::Rsquare => line().r_squared(),
        Statistic::Resi => line().residual(),
        Statistic::Wma => line().weighted_mean(),
        Statistic::Demean => -(moments().sum / count),
    })
}

/// From exact sums, as large numbers.
fn exact_deviation(values: &[f64]) -> f64 {
    let (lowest, _) = range(values);
    let count = values.len() as u32;
    let sum = |values: &mut dyn Iterator<Item = Wide>| values.fold(Wide::default(), Whole::plus);
    let wholes: Vec<Wide> = values.iter().map(|value| Wide::of(*value, lowest)).collect();
    let total = sum(&mut wholes.iter().copied());
    let above: Vec<Wide> = wholes.into_iter().filter(|value| value.times(count).is_above(total)).collect();
    let distance = sum(&mut above.iter().copied()).times(count).minus(total.times(above.len() as u32));
    distance.scaled(f64::from(count) * f64::from(count), lowest + 1)
}

/// The statistic of a window's pairs, oldest first.
pub fn pair_statistic(x: &[f64], y: &[f64], full: bool, statistic: PairStatistic, warm_up: WarmUp) -> f64 {
    let pairs: Vec<(f64, f64)> = x.iter().zip(y).map(|(x, y)| (*x, *y)).filter(|(x, y)| !x.is_nan() && !y.is_nan()).collect();
    if pairs.len() < 2 || (warm_up == WarmUp::Strict && (!full || pairs.len() < x.len())) {
        return f64::NAN;
    }
    let count = pairs.len() as f64;
    let Pairs { x, y, products } = Pairs::of_window(&pairs);
    finite_or_nan(match statistic {
        PairStatistic::Cov => products / (count - 1.0),
        PairStatistic::Corr if hardly_varies(x.squares, count) || hardly_varies(y.squares, count) => f64::NAN,
        PairStatistic::Corr => (products / (x.squares.sqrt() * y.squares.sqrt())).clamp(-1.0, 1.0),
    })
}

fn hardly_varies(squares: f64, count: f64) -> bool {
    squares <= HARDLY_VARIES * HARDLY_VARIES * (count - 1.0)
}

/// A block of the window's binary digits, the newest and longest first.
fn blocks<Value>(values: &[Value]) -> impl Iterator<Item = &[Value]> {
    let mut rest = values;
    std::iter::from_fn(move || {
        let length = 1 << rest.len().checked_ilog2()?;
        let (older, newest) = rest.split_at(rest.len() - length);
        rest = older;
        Some(newest)
    })
}

fn block_sum(values: &[f64]) -> f64 {
    match values {
        [value] => *value,
        _ => {
            let (older, newer) = values.split_at(values.len() / 2);
            block_sum(older) + block_sum(newer)
        }
    }
}

fn sum(values: &[f64]) -> f64 {
    blocks(values).map(block_sum).reduce(|total, older| total + older).unwrap_or(0.0)
}

/// Central moments of values, and what they have to do with their positions.
#[derive(Debug, Clone, Copy)]
struct Moments {
    count: f64,
    last: f64,
    /// Of the distances from the last value.
    sum: f64,
    /// Σ(x − mean)², Σ(x − mean)³, Σ(x − mean)⁴.
    squares: f64,
    cubes: f64,
    fourths: f64,
    /// Σ(position − mean position)·(x − mean).
    trend: f64,
}

impl Moments {
    fn of_value(last: f64) -> Self {
        Self { count: 1.0, last, sum: 0.0, squares: 0.0, cubes: 0.0, fourths: 0.0, trend: 0.0 }
    }

    fn of_block(values: &[f64]) -> Self {
        match values {
            [value] => Self::of_value(*value),
            _ => {
                let (older, newer) = values.split_at(values.len() / 2);
                Self::merged(Self::of_block(older), Self::of_block(newer))
            }
        }
    }

    fn of_window(values: &[f64]) -> Self {
        blocks(values).map(Self::of_block).reduce(|newer, older| Self::merged(older, newer)).unwrap_or(Self::of_value(f64::NAN))
    }

    fn merged(older: Self, newer: Self) -> Self {
        let count = older.count + newer.count;
        let weight = older.count * newer.count / count;
        let gap = older.last - newer.last;
        let (share, other) = (older.count / count, newer.count / count);
        // Older mean minus newer mean.
        let between = gap + older.sum * (1.0 / older.count) - newer.sum * (1.0 / newer.count);
        let square = between * between;
        let skewed = weight * (older.count - newer.count) / count;
        let peaked = weight * (older.count * older.count - older.count * newer.count + newer.count * newer.count) / (count * count);
        Self {
            count,
            last: newer.last,
            sum: newer.sum + (older.sum + older.count * gap),
            squares: newer.squares + older.squares + square * weight,
            cubes: newer.cubes + older.cubes - between * (square * skewed + 3.0 * (share * newer.squares - other * older.squares)),
            fourths: newer.fourths
                + older.fourths
                + between
                    * (between * (square * peaked + 6.0 * (share * share * newer.squares + other * other * older.squares))
                        - 4.0 * (share * newer.cubes - other * older.cubes)),
            trend: newer.trend + older.trend - older.count * newer.count / 2.0 * between,
        }
    }

    fn skewness(&self) -> f64 {
        let n = self.count;
        if n < 3.0 {
            f64::NAN
        } else if self.squares == 0.0 {
            0.0
        } else {
            n * (n - 1.0).sqrt() / (n - 2.0) * (self.cubes / (self.squares * self.squares.sqrt()))
        }
    }

    fn kurtosis(&self) -> f64 {
        let n = self.count;
        if n < 4.0 {
            return f64::NAN;
        }
        if self.squares == 0.0 {
            return -3.0;
        }
        let bias = (n - 2.0) * (n - 3.0);
        n * (n + 1.0) * (n - 1.0) / bias * (self.fourths / (self.squares * self.squares)) - 3.0 * ((n - 1.0) * (n - 1.0)) / bias
    }
}

/// Moments of pairs: only `products` is more than the two alone.
struct Pairs {
    x: Moments,
    y: Moments,
    /// Σ(x − mean x)·(y − mean y).
    products: f64,
}

impl Pairs {
    fn of_block(pairs: &[(f64, f64)]) -> Self {
        match pairs {
            [(x, y)] => Self { x: Moments::of_value(*x), y: Moments::of_value(*y), products: 0.0 },
            _ => {
                let (older, newer) = pairs.split_at(pairs.len() / 2);
                Self::merged(&Self::of_block(older), &Self::of_block(newer))
            }
        }
    }

    fn of_window(pairs: &[(f64, f64)]) -> Self {
        blocks(pairs).map(Self::of_block).reduce(|newer, older| Self::merged(&older, &newer)).unwrap_or_else(|| Self {
            x: Moments::of_value(f64::NAN),
            y: Moments::of_value(f64::NAN),
            products: f64::NAN,
        })
    }

    fn merged(older: &Self, newer: &Self) -> Self {
        let between = |older: &Moments, newer: &Moments| {
            (older.last - newer.last) + older.sum * (1.0 / older.count) - newer.sum * (1.0 / newer.count)
        };
        let weight = older.x.count * newer.x.count / (older.x.count + newer.x.count);
        let both = between(&older.x, &newer.x) * between(&older.y, &newer.y);
        Self {
            x: Moments::merged(older.x, newer.x),
            y: Moments::merged(older.y, newer.y),
            products: newer.products + older.products + both * weight,
        }
    }
}

/// The regression of the values on their positions.
struct Line {
    count: f64,
    /// The last value that is not null, and its position.
    last: (f64, f64),
    /// Means of values and positions, minus those.
    mean: (f64, f64),
    /// Σ(x − mean)², Σ(position − mean)², and the products of the two.
    squares: (f64, f64),
    products: f64,
}

impl Line {
    fn of_window(window: &[f64]) -> Self {
        let known: Vec<(f64, f64)> =
            window.iter().enumerate().map(|(place, value)| (*value, place as f64 + 1.0)).filter(|(value, _)| !value.is_nan()).collect();
        let last = known[known.len() - 1];
        let count = known.len() as f64;
        if last.1 - known[0].1 + 1.0 == count {
            let values: Vec<f64> = known.iter().map(|(value, _)| *value).collect();
            let moments = Moments::of_window(&values);
            let position_squares = count * (count * count - 1.0) / 12.0;
            return Self {
                count,
                last,
                mean: (moments.sum / count, -((count - 1.0) / 2.0)),
                squares: (moments.squares, position_squares),
                products: moments.trend,
            };
        }
        let Pairs { x, y, products } = Pairs::of_window(&known);
        Self { count, last, mean: (x.sum / count, y.sum / count), squares: (x.squares, y.squares), products }
    }

    fn slope(&self) -> f64 {
        if self.count < 2.0 { f64::NAN } else { self.products / self.squares.1 }
    }

    fn r_squared(&self) -> f64 {
        if self.count < 2.0 || hardly_varies(self.squares.0, self.count) {
            return f64::NAN;
        }
        (self.products * self.products / (self.squares.1 * self.squares.0)).min(1.0)
    }

    fn residual(&self) -> f64 {
        self.slope() * self.mean.1 - self.mean.0
    }

    fn weighted_mean(&self) -> f64 {
        let positions = self.count * (self.last.1 + self.mean.1);
        self.last.0 + (self.mean.0 + self.products / positions)
    }
}

/// Position of the first value that no other beats.
fn first_position(window: &[f64], beats: fn(f64, f64) -> bool) -> f64 {
    let known = window.iter().enumerate().filter(|(_, value)| !value.is_nan());
    known.reduce(|best, next| if beats(*next.1, *best.1) { next } else { best }).map_or(f64::NAN, |(place, _)| place as f64 + 1.0)
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let below = place.floor();
    let low = values[below as usize];
    match values.get(below as usize + 1) {
        Some(high) if place > below => low + (high - low) * (place - below),
        _ => low,
    }
}
