//! How fast prices move and where they stand in their range: RSI, KDJ, Williams %R, CCI, bias, psychological line.
//!
//! Not changes from bar to bar (`price`). Contract: outputs are as long as their inputs, NaN where not defined.

use super::smooth::{self, Smoothing};
use super::window::{Blocks, Spread};
use super::{column, from};

/// Relative strength over K windows: 100·S(max(Δ,0))/S(|Δ|), S being y = y' + (x − y')/N seeded with the first Δ; 50 while
/// nothing has ever moved. The Chinese market's RSI, `SMA(MAX(Δ,0),N,1)/SMA(ABS(Δ),N,1)·100`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rsi<const K: usize> {
    last: Option<f64>,
    rises: Smoothing<K>,
    moves: Smoothing<K>,
}

impl<const K: usize> Rsi<K> {
    /// Before the first bar.
    #[must_use]
    pub fn new(windows: [usize; K]) -> Self {
        Self { last: None, rises: Smoothing::wilder(windows), moves: Smoothing::wilder(windows) }
    }

    /// Takes more closes and gives their values, one column per window; the very first close has none.
    pub fn extend(&mut self, close: &[f64]) -> [Vec<f64>; K] {
        let Some(first) = self.last.or(close.first().copied()) else { return [(); K].map(|()| Vec::new()) };
        let fresh = self.last.is_none();
        let (mut rises, mut moves, mut last) = (self.rises, self.moves, first);
        let changes = from(close, usize::from(fresh));
        let columns = smooth::run(changes.iter(), close.len(), |close| {
            let change = close - last;
            last = *close;
            let rises = rises.step(if change > 0.0 { change } else { 0.0 });
            let mut out = moves.step(change.abs());
            for (out, rises) in out.iter_mut().zip(rises) {
                *out = if *out == 0.0 { 50.0 } else { 100.0 * (rises / *out) };
            }
            out
        });
        *self = Self { last: Some(last), rises, moves };
        if fresh { columns.map(|values| column(close.len(), 1, values.into_iter())) } else { columns }
    }
}

/// Relative strength over several windows, one column each, in the order of the windows.
#[must_use]
pub fn relative_strengths(close: &[f64], windows: &[usize]) -> Vec<Vec<f64>> {
    windows
        .chunks(4)
        .flat_map(|chunk| match *chunk {
            [a, b, c, d] => Rsi::new([a, b, c, d]).extend(close).to_vec(),
            [a, b, c] => Rsi::new([a, b, c]).extend(close).to_vec(),
            [a, b] => Rsi::new([a, b]).extend(close).to_vec(),
            _ => chunk.iter().flat_map(|window| Rsi::new([*window]).extend(close)).collect(),
        })
        .collect()
}

/// K, D and J of the Chinese market (after George Lane's stochastic): k = k' + (rsv − k')/3, d = d' + (k − d')/3,
/// j = 3k − 2d, both 50 before the first rsv.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kdj {
    k: f64,
    d: f64,
}

impl Default for Kdj {
    fn default() -> Self {
        Self { k: 50.0, d: 50.0 }
    }
}

impl Kdj {
    /// Takes more raw stochastic values and gives their k, d and j.
    pub fn extend(&mut self, rsv: &[f64]) -> [Vec<f64>; 3] {
        let Self { mut k, mut d } = *self;
        const THIRD: f64 = 1.0 / 3.0;
        let columns = smooth::run(rsv.iter(), rsv.len(), |rsv| {
            k += (rsv - k) * THIRD;
            d += (k - d) * THIRD;
            [k, d, 3.0 * k - 2.0 * d]
        });
        *self = Self { k, d };
        columns
    }
}

/// Raw stochastic value: 100·(close − lowest)/(highest − lowest), 50 where the range is 0. Takes what [`Blocks`] of the highs
/// and lows give for the window, and is warm only as they are.
#[must_use]
pub fn raw_stochastic(close: &[f64], highest: &[f64], lowest: &[f64], window: usize) -> Vec<f64> {
    let close = from(close, window.saturating_sub(1));
    let value = |((close, highest), lowest): ((&f64, &f64), &f64)| {
        let range = highest - lowest;
        let place = 100.0 * ((close - lowest) / range);
        if range == 0.0 { 50.0 } else { place }
    };
    close.iter().zip(highest).zip(lowest).map(value).collect()
}

/// Williams %R from 0 (at the high) to 100: 100·(highest − close)/(highest − lowest), NaN where the range is 0. Takes what
/// [`Blocks`] of the highs and lows give for the window.
#[must_use]
pub fn williams(close: &[f64], highest: &[f64], lowest: &[f64], window: usize) -> Vec<f64> {
    let lead = window.saturating_sub(1);
    let warm = from(close, lead).iter().zip(highest).zip(lowest);
    column(close.len(), lead, warm.map(|((close, highest), lowest)| 100.0 * ((highest - close) / (highest - lowest))))
}

/// Three times the typical price, high + low + close, without a rounding: the sum and what it lost.
///
/// The two additions are Knuth's error-free TwoSum. The typical price of prices around 10 000 that move by a thousandth
/// would otherwise be wrong in the ninth digit of its movement.
struct TypicalSum {
    sum: Vec<f64>,
    lost: Vec<f64>,
}

#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let from_b = sum - a;
    (sum, (a - (sum - from_b)) + (b - from_b))
}

impl TypicalSum {
    fn of(high: &[f64], low: &[f64], close: &[f64]) -> Self {
        let add = |((high, low), close): ((&f64, &f64), &f64)| {
            let (part, lost_first) = two_sum(*high, *low);
            let (sum, lost_second) = two_sum(part, *close);
            (sum, lost_first + lost_second)
        };
        let (sum, lost) = high.iter().zip(low).zip(close).map(add).unzip();
        Self { sum, lost }
    }

    /// Mean of every window minus its last value.
    fn means_from_last(&self, window: usize) -> Vec<f64> {
        let mut means = Spread::means(&self.sum, window).mean_from_last;
        let lost = Blocks::sums(&self.lost, window).mean(window);
        for (mean, (lost_mean, lost_last)) in means.iter_mut().zip(lost.iter().zip(from(&self.lost, window.saturating_sub(1)))) {
            *mean += lost_mean - lost_last;
        }
        means
    }

    /// Mean absolute distance of every window's values from its mean. Costs N passes.
    fn mean_absolute_deviations(&self, means_from_last: &[f64], window: usize) -> Vec<f64> {
        let mut total = vec![0.0; means_from_last.len()];
        if total.is_empty() {
            return total;
        }
        let last = window.saturating_sub(1);
        // Where the mean lies, measured from the last value without what that lost.
        let places: Vec<f64> = means_from_last.iter().zip(from(&self.lost, last)).map(|(mean, lost)| mean + lost).collect();
        for place in 0..window {
            let terms = from(&self.sum, place).iter().zip(from(&self.lost, place)).zip(from(&self.sum, last)).zip(&places);
            for (total, (((sum, lost), last), mean)) in total.iter_mut().zip(terms) {
                *total += ((sum - last) + (lost - mean)).abs();
            }
        }
        let length = window as f64;
        for value in &mut total {
            *value /= length;
        }
        total
    }
}

/// Donald Lambert's commodity channel index of the typical price tp = (high + low + close)/3:
/// (tp − mean)/(0.015·mean absolute deviation), 0 where the deviation is 0.
///
/// Not TA-Lib's CCI, which has the same definition but adds up a circular buffer in the buffer's order, so that the last
/// digits depend on where the series started.
#[must_use]
pub fn commodity_channel(high: &[f64], low: &[f64], close: &[f64], window: usize) -> Vec<f64> {
    // The factor 3 cancels.
    let typical = TypicalSum::of(high, low, close);
    let means = typical.means_from_last(window);
    let deviations = typical.mean_absolute_deviations(&means, window);
    let value = |(mean, deviation): (&f64, &f64)| if *deviation == 0.0 { 0.0 } else { -mean / (0.015 * deviation) };
    column(close.len(), window.saturating_sub(1), means.iter().zip(&deviations).map(value))
}

/// 100·(x/mean − 1) over the last N values, computed as 100·(x − mean)/mean; NaN where the mean is 0.
#[must_use]
pub fn bias(values: &[f64], sums: &Blocks<'_>, window: usize) -> Vec<f64> {
    let from_last = Spread::means(values, window).mean_from_last;
    let means = sums.mean(window);
    column(values.len(), window.saturating_sub(1), from_last.iter().zip(&means).map(|(from_last, mean)| 100.0 * (-from_last / mean)))
}

/// 100·(rises among the last N changes)/N.
#[must_use]
pub fn psychological_line(close: &[f64], window: usize) -> Vec<f64> {
    let rises: Vec<f64> = close.iter().zip(from(close, 1)).map(|(old, new)| if new > old { 1.0 } else { 0.0 }).collect();
    let counts = Blocks::sums(&rises, window).sum(window);
    let length = window as f64;
    column(close.len(), window, counts.iter().map(|count| 100.0 * count / length))
}
