//! Recursive averages: each value is made of the one before and the new bar, by one formula y = y' + w·(x − y').
//!
//! Not moving averages over a window. Contract: a state is everything there is to know, so keeping it and continuing gives
//! bit for bit what one run gives; several windows run beside each other in lanes that do not influence one another. The
//! formula is kept as it is written (no y = w·x + (1−w)·y'), so that a constant input gives exactly that constant.

use super::finite_or_nan;

/// Rows that are computed before they are sorted into columns.
const ROWS: usize = 64;

/// K averages of one input, seeded with its first value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing<const K: usize> {
    weights: [f64; K],
    values: [f64; K],
    seeded: bool,
}

impl<const K: usize> Smoothing<K> {
    /// Exponential averages: w = 2/(N+1).
    #[must_use]
    pub fn exponential(windows: [usize; K]) -> Self {
        Self::new(windows.map(|window| 2.0 / (window as f64 + 1.0)))
    }

    /// Averages of the Chinese `SMA(x, N, 1)` and of Wilder: w = 1/N.
    #[must_use]
    pub fn wilder(windows: [usize; K]) -> Self {
        Self::new(windows.map(|window| 1.0 / window as f64))
    }

    fn new(weights: [f64; K]) -> Self {
        Self { weights, values: [0.0; K], seeded: false }
    }

    /// The same averages after input whose last averages were these.
    #[must_use]
    pub fn continued(self, values: [f64; K]) -> Self {
        Self { values, seeded: true, ..self }
    }

    /// The last averages, infinite or NaN if they are; zeros before the first input.
    #[must_use]
    pub fn values(&self) -> [f64; K] {
        self.values
    }

    /// Takes the next value and gives the averages.
    #[inline]
    pub fn step(&mut self, x: f64) -> [f64; K] {
        if !self.seeded {
            self.seeded = true;
            self.values = [x; K];
        }
        for (value, weight) in self.values.iter_mut().zip(self.weights) {
            *value += weight * (x - *value);
        }
        self.values
    }

    /// Takes more input and gives its averages, one column per window.
    pub fn extend(&mut self, input: &[f64]) -> [Vec<f64>; K] {
        let mut state = *self;
        let columns = run(input.iter(), input.len(), |x| state.step(*x));
        *self = state;
        columns
    }
}

/// Runs a step over an input and sorts what it gives into columns, finite or NaN.
pub(super) fn run<X, const K: usize>(input: impl Iterator<Item = X>, len: usize, mut step: impl FnMut(X) -> [f64; K]) -> [Vec<f64>; K] {
    let mut columns = [(); K].map(|()| Vec::with_capacity(len));
    let mut rows = [[0.0; K]; ROWS];
    let mut input = input.fuse();
    loop {
        let mut filled = 0;
        // The rows come first: `zip` must not take a bar for which there is no row left.
        for (row, x) in rows.iter_mut().zip(input.by_ref()) {
            *row = step(x);
            filled += 1;
        }
        for (lane, column) in columns.iter_mut().enumerate() {
            column.extend(rows.iter().take(filled).map(|row| row.get(lane).map_or(f64::NAN, |value| finite_or_nan(*value))));
        }
        if filled < ROWS {
            return columns;
        }
    }
}

/// An average seeded with the mean of its first N values (Wilder's own way): undefined before them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeededSmoothing {
    window: usize,
    seen: usize,
    value: f64,
}

impl SeededSmoothing {
    /// y = y' + (x − y')/N after a first value that is the mean of x₁…x_N.
    #[must_use]
    pub fn wilder(window: usize) -> Self {
        Self { window, seen: 0, value: 0.0 }
    }

    /// The same average after `seen` values (more than N count as N) that left this [`value`](Self::value).
    #[must_use]
    pub fn continued(self, seen: usize, value: f64) -> Self {
        Self { seen: seen.min(self.window), value, ..self }
    }

    /// The last average; the sum so far while there were fewer than N values.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Takes more input and gives its averages.
    pub fn extend(&mut self, input: &[f64]) -> Vec<f64> {
        let length = self.window as f64;
        let weight = 1.0 / length;
        let mut out = Vec::with_capacity(input.len());
        let mut rest = input.iter();
        while self.seen < self.window {
            let Some(x) = rest.next() else { return out };
            self.value += x;
            self.seen += 1;
            if self.seen == self.window {
                self.value /= length;
                out.push(finite_or_nan(self.value));
            } else {
                out.push(f64::NAN);
            }
        }
        let mut value = self.value;
        out.extend(rest.map(|x| {
            value += weight * (x - value);
            finite_or_nan(value)
        }));
        self.value = value;
        out
    }
}

/// Exponential averages of one input over any number of windows, computed four beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct ExponentialAverages {
    windows: Vec<usize>,
    values: Vec<f64>,
    seeded: bool,
}

impl ExponentialAverages {
    /// Before the first value.
    #[must_use]
    pub fn new(windows: &[usize]) -> Self {
        Self { windows: windows.to_vec(), values: vec![0.0; windows.len()], seeded: false }
    }

    /// The same averages after input whose last averages were these, in the order of the windows.
    #[must_use]
    pub fn continued(mut self, values: &[f64]) -> Self {
        for (own, value) in self.values.iter_mut().zip(values) {
            *own = *value;
        }
        self.seeded = true;
        self
    }

    /// The last averages in the order of the windows, infinite or NaN if they are; zeros before the first input.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Takes more input and gives its averages, one column per window.
    pub fn extend(&mut self, input: &[f64]) -> Vec<Vec<f64>> {
        let mut columns = Vec::with_capacity(self.windows.len());
        for (windows, values) in self.windows.chunks(4).zip(self.values.chunks_mut(4)) {
            match windows.len() {
                4 => lanes::<4>(windows, values, self.seeded, input, &mut columns),
                3 => lanes::<3>(windows, values, self.seeded, input, &mut columns),
                2 => lanes::<2>(windows, values, self.seeded, input, &mut columns),
                _ => lanes::<1>(windows, values, self.seeded, input, &mut columns),
            }
        }
        self.seeded |= !input.is_empty();
        columns
    }
}

/// Carries K averages on and adds their columns.
fn lanes<const K: usize>(windows: &[usize], values: &mut [f64], seeded: bool, input: &[f64], columns: &mut Vec<Vec<f64>>) {
    let Some(mut state) = windows.first_chunk::<K>().map(|windows| Smoothing::exponential(*windows)) else { return };
    let Some(values) = values.first_chunk_mut::<K>() else { return };
    if seeded {
        state = state.continued(*values);
    }
    columns.extend(state.extend(input));
    *values = state.values();
}

/// Exponential averages over several windows at once, one column each, in the order of the windows.
#[must_use]
pub fn exponential_averages(input: &[f64], windows: &[usize]) -> Vec<Vec<f64>> {
    ExponentialAverages::new(windows).extend(input)
}

/// Difference of two averages, its own average, and twice the distance of the two: MACD of the Chinese market.
#[derive(Debug, Clone, PartialEq)]
pub struct Macd {
    /// fast − slow.
    pub dif: Vec<f64>,
    /// Average of `dif`, seeded with its first value.
    pub dea: Vec<f64>,
    /// 2·(dif − dea).
    pub histogram: Vec<f64>,
}

impl Macd {
    /// From the two averages and the state of the third, which it carries on.
    #[must_use]
    pub fn of(fast: &[f64], slow: &[f64], signal: &mut Smoothing<1>) -> Self {
        let dif: Vec<f64> = fast.iter().zip(slow).map(|(fast, slow)| finite_or_nan(fast - slow)).collect();
        let [dea] = signal.extend(&dif);
        let histogram = dif.iter().zip(&dea).map(|(dif, dea)| finite_or_nan(2.0 * (dif - dea))).collect();
        Self { dif, dea, histogram }
    }
}
