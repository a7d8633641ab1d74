//! How fast prices move and where they stand in their range: RSI, KDJ, Williams %R, CCI, bias, psychological line.
//!
//! Not changes from bar to bar (`price`). Contract: outputs are as long as their inputs, NaN where not defined.

use super::smooth::{self, Smoothing};
use super::window::{Blocks, Spread, mean_absolute_deviation};
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

/// Relative strength over any number of windows, computed four beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeStrengths {
    windows: Vec<usize>,
    last: Option<f64>,
    /// Smoothed rises and smoothed moves of every window.
    values: Vec<[f64; 2]>,
    seeded: bool,
}

impl RelativeStrengths {
    /// Before the first bar.
    #[must_use]
    pub fn new(windows: &[usize]) -> Self {
        Self { windows: windows.to_vec(), last: None, values: vec![[0.0; 2]; windows.len()], seeded: false }
    }

    /// The same strengths after one bar, which has no change yet, or after several that left these [`values`](Self::values).
    #[must_use]
    pub fn continued(mut self, last_close: f64, values: Option<&[[f64; 2]]>) -> Self {
        self.last = Some(last_close);
        self.seeded = values.is_some();
        for (own, values) in self.values.iter_mut().zip(values.unwrap_or_default()) {
            *own = *values;
        }
        self
    }

    /// Smoothed rises and smoothed moves in the order of the windows; zeros before the first change.
    #[must_use]
    pub fn values(&self) -> &[[f64; 2]] {
        &self.values
    }

    /// Takes more closes and gives their values, one column per window; the very first close has none.
    pub fn extend(&mut self, close: &[f64]) -> Vec<Vec<f64>> {
        let mut columns = Vec::with_capacity(self.windows.len());
        let before = (self.last, self.seeded);
        for (windows, values) in self.windows.chunks(4).zip(self.values.chunks_mut(4)) {
            match windows.len() {
                4 => lanes::<4>(windows, values, before, close, &mut columns),
                3 => lanes::<3>(windows, values, before, close, &mut columns),
                2 => lanes::<2>(windows, values, before, close, &mut columns),
                _ => lanes::<1>(windows, values, before, close, &mut columns),
            }
        }
        self.seeded |= close.len() > usize::from(self.last.is_none());
        self.last = close.last().copied().or(self.last);
        columns
    }
}

/// Carries K strengths on and adds their columns; `before` is the last close and whether there was a change.
fn lanes<const K: usize>(
    windows: &[usize],
    values: &mut [[f64; 2]],
    before: (Option<f64>, bool),
    close: &[f64],
    columns: &mut Vec<Vec<f64>>,
) {
    let Some(mut state) = windows.first_chunk::<K>().map(|windows| Rsi::new(*windows)) else { return };
    let Some(values) = values.first_chunk_mut::<K>() else { return };
    let (last, seeded) = before;
    state.last = last;
    if seeded {
        state.rises = state.rises.continued(values.map(|[rises, _]| rises));
        state.moves = state.moves.continued(values.map(|[_, moves]| moves));
    }
    columns.extend(state.extend(close));
    for (values, (rises, moves)) in values.iter_mut().zip(state.rises.values().into_iter().zip(state.moves.values())) {
        *values = [rises, moves];
    }
}

/// Relative strength over several windows, one column each, in the order of the windows.
#[must_use]
pub fn relative_strengths(close: &[f64], windows: &[usize]) -> Vec<Vec<f64>> {
    RelativeStrengths::new(windows).extend(close)
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
    /// After raw stochastic values that left these [`values`](Self::values).
    #[must_use]
    pub fn continued([k, d]: [f64; 2]) -> Self {
        Self { k, d }
    }

    /// The last k and d.
    #[must_use]
    pub fn values(&self) -> [f64; 2] {
        [self.k, self.d]
    }

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

/// Donald Lambert's commodity channel index of the typical price tp = (high + low + close)/3:
/// (tp − mean)/(0.015·mean absolute deviation), 0 where the deviation is 0.
///
/// The typical price is rounded to an f64 before anything else, and that is meant: bars of 45.99, 45.99, 45.99 and of 46.00,
/// 45.98, 45.99 then have the same one, as they have on paper, and not a deviation of a billionth of a cent between them.
///
/// Not TA-Lib's CCI, which has the same definition but adds up a circular buffer in the buffer's order, so that the last
/// digits depend on where the series started.
#[must_use]
pub fn commodity_channel(high: &[f64], low: &[f64], close: &[f64], window: usize) -> Vec<f64> {
    let typical: Vec<f64> = high.iter().zip(low).zip(close).map(|((high, low), close)| (high + low + close) / 3.0).collect();
    let means = Spread::means(&typical, window).mean_from_last;
    let deviations = mean_absolute_deviation(&typical, &means, window);
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
