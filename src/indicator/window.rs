//! Moving sums, means, extremes and deviations, made of doubling blocks.
//!
//! Not running sums: nothing is ever added to and later taken away. S₁ = x, S₂ = S₁ + S₁ one later, S₄ = S₂ + S₂ two
//! later …; a window of N is the same tree of such blocks everywhere, so that its value is a function of its contents
//! alone, never drifts, and costs log₂ N passes that the compiler vectorises.
//!
//! Contract: results of this module are **warm only**: entry j belongs to the window that starts at bar j and ends at bar
//! j + N − 1, and there are max(0, len − N + 1) of them. No window, no entry: `window` 0 gives nothing.

use super::from;

/// Blocks of power-of-two lengths over one column.
#[derive(Debug)]
pub struct Blocks<'a> {
    column: &'a [f64],
    /// Level k has blocks of 2^(k+1) values, by their first bar.
    levels: Vec<Vec<f64>>,
    kind: Kind,
}

/// What a block holds of its values.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Sum,
    Largest,
    Smallest,
}

// Plain comparisons: f64::max would look for NaN, which is never there, and is slower for it.
fn larger(a: &f64, b: &f64) -> f64 {
    if a > b { *a } else { *b }
}

fn smaller(a: &f64, b: &f64) -> f64 {
    if a < b { *a } else { *b }
}

impl<'a> Blocks<'a> {
    /// Sums of all blocks up to the longest window that will be asked for.
    #[must_use]
    pub fn sums(column: &'a [f64], longest: usize) -> Self {
        Self::build(column, longest, Kind::Sum)
    }

    /// Largest values.
    #[must_use]
    pub fn maxima(column: &'a [f64], longest: usize) -> Self {
        Self::build(column, longest, Kind::Largest)
    }

    /// Smallest values.
    #[must_use]
    pub fn minima(column: &'a [f64], longest: usize) -> Self {
        Self::build(column, longest, Kind::Smallest)
    }

    fn build(column: &'a [f64], longest: usize, kind: Kind) -> Self {
        let longest = longest.min(column.len());
        let mut levels: Vec<Vec<f64>> = Vec::new();
        let mut length = 1;
        while length * 2 <= longest {
            let below = levels.last().map_or(column, Vec::as_slice);
            let pairs = below.iter().zip(from(below, length));
            levels.push(match kind {
                Kind::Sum => pairs.map(|(older, newer)| older + newer).collect(),
                Kind::Largest => pairs.map(|(older, newer)| larger(older, newer)).collect(),
                Kind::Smallest => pairs.map(|(older, newer)| smaller(older, newer)).collect(),
            });
            length *= 2;
        }
        Self { column, levels, kind }
    }

    /// Blocks of 2^power values.
    fn level(&self, power: u32) -> &[f64] {
        match power {
            0 => self.column,
            _ => self.levels.get(power as usize - 1).map_or(&[], Vec::as_slice),
        }
    }

    fn windows(&self, window: usize) -> usize {
        if window == 0 { 0 } else { (self.column.len() + 1).saturating_sub(window) }
    }

    /// The largest or smallest value of every window, from two overlapping blocks; nothing for blocks of sums.
    #[must_use]
    pub fn extremes(&self, window: usize) -> Vec<f64> {
        let Some(power) = window.checked_ilog2() else { return Vec::new() };
        let blocks = self.level(power);
        let second = from(blocks, window - (1 << power));
        let pairs = blocks.iter().zip(second).take(self.windows(window));
        match self.kind {
            Kind::Sum => Vec::new(),
            Kind::Largest => pairs.map(|(older, newer)| larger(older, newer)).collect(),
            Kind::Smallest => pairs.map(|(older, newer)| smaller(older, newer)).collect(),
        }
    }

    /// The sum of every window: blocks by the window's binary digits, the longest block at its end; nothing for extremes.
    #[must_use]
    pub fn sum(&self, window: usize) -> Vec<f64> {
        if !matches!(self.kind, Kind::Sum) {
            return Vec::new();
        }
        let count = self.windows(window);
        let mut parts = block_starts(window).map(|(power, start)| from(self.level(power), start));
        let mut total: Vec<f64> = match (parts.next(), parts.next()) {
            (Some(newest), Some(older)) => newest.iter().zip(older).take(count).map(|(newest, older)| newest + older).collect(),
            (Some(all), None) => all.iter().take(count).copied().collect(),
            _ => Vec::new(),
        };
        for part in parts {
            for (total, part) in total.iter_mut().zip(part) {
                *total += part;
            }
        }
        total
    }

    /// The mean of every window: its sum over N.
    #[must_use]
    pub fn mean(&self, window: usize) -> Vec<f64> {
        let mut mean = self.sum(window);
        let length = window as f64;
        for value in &mut mean {
            *value /= length;
        }
        mean
    }
}

/// The blocks a window is made of: (power of two, first bar within the window), the newest and longest first.
fn block_starts(window: usize) -> impl Iterator<Item = (u32, usize)> {
    let mut rest = window;
    std::iter::from_fn(move || {
        let power = rest.checked_ilog2()?;
        rest -= 1 << power;
        Some((power, rest))
    })
}

/// Mean and spread of every window, both measured from the window's last value.
///
/// Everything is kept relative to a value inside the window, so that rounding is of the size of the window's range, not of
/// its level: prices around 10 000 that move by a thousandth keep all their digits, and a window of equal values has a
/// deviation of exactly 0. Blocks are merged by the formula of Chan, Golub and LeVeque (1979), *Updating formulae and a
/// pairwise algorithm for computing sample variances*.
#[derive(Debug, Default)]
pub struct Spread {
    /// Mean of the window minus its last value.
    pub mean_from_last: Vec<f64>,
    /// Sum of squared distances from the mean; empty if it was not asked for.
    pub squares: Vec<f64>,
}

/// Sum and squares of a block relative to its last value.
struct Block {
    sum: Vec<f64>,
    squares: Vec<f64>,
}

/// Sum of two neighbouring blocks, relative to the newer one's last value. Pairs are (older, newer), `gap` is the older
/// block's last value minus the newer one's, and `older` is how many values the older one has.
#[inline]
fn merged_sum(sums: (f64, f64), gap: f64, older: f64) -> f64 {
    sums.1 + (sums.0 + older * gap)
}

/// What merging needs to know of two blocks' lengths, without dividing again and again.
#[derive(Clone, Copy)]
struct Lengths {
    /// 1/older and 1/newer.
    shares: (f64, f64),
    /// older·newer/(older + newer).
    weight: f64,
}

impl Lengths {
    fn of(older: usize, newer: usize) -> Self {
        let (older, newer) = (older as f64, newer as f64);
        Self { shares: (1.0 / older, 1.0 / newer), weight: older * newer / (older + newer) }
    }
}

/// Squares of two neighbouring blocks together: both, and the distance of their means.
#[inline]
fn merged_squares(squares: (f64, f64), sums: (f64, f64), gap: f64, lengths: Lengths) -> f64 {
    let between = gap + sums.0 * lengths.shares.0 - sums.1 * lengths.shares.1;
    squares.1 + squares.0 + between * between * lengths.weight
}

impl Spread {
    /// Mean and squares of every window.
    #[must_use]
    pub fn of(values: &[f64], window: usize) -> Self {
        Self::compute(values, window, true)
    }

    /// Only the mean of every window, relative to its last value.
    #[must_use]
    pub fn means(values: &[f64], window: usize) -> Self {
        Self::compute(values, window, false)
    }

    fn compute(values: &[f64], window: usize, with_squares: bool) -> Self {
        if window == 0 || values.len() < window {
            return Self::default();
        }
        let levels = Self::levels(values, window, with_squares);
        let level = |power: u32| levels.get(power as usize);
        let mut parts = block_starts(window);
        let Some((power, start)) = parts.next() else { return Self::default() };
        let mut covered = 1_usize << power;
        let take = |column: &[f64], start: usize| from(column, start).to_vec();
        let (mut sum, mut squares) =
            level(power).map_or_else(Default::default, |block| (take(&block.sum, start), take(&block.squares, start)));
        let last = from(values, window - 1);
        for (power, start) in parts {
            let Some(block) = level(power) else { continue };
            let older_length = 1_usize << power;
            let lengths = Lengths::of(older_length, covered);
            let gaps = from(values, start + older_length - 1).iter().zip(last).map(|(older, newer)| older - newer);
            let older_sums = from(&block.sum, start);
            if with_squares {
                let terms = from(&block.squares, start).iter().zip(older_sums).zip(gaps.clone()).zip(&sum);
                for (total, (((older, older_sum), gap), newer_sum)) in squares.iter_mut().zip(terms) {
                    *total = merged_squares((*older, *total), (*older_sum, *newer_sum), gap, lengths);
                }
            }
            for (total, (older_sum, gap)) in sum.iter_mut().zip(older_sums.iter().zip(gaps)) {
                *total = merged_sum((*older_sum, *total), gap, older_length as f64);
            }
            covered += older_length;
        }
        let length = window as f64;
        for value in &mut sum {
            *value /= length;
        }
        Self { mean_from_last: sum, squares }
    }

    /// Blocks of 1, 2, 4 … values up to the window.
    fn levels(values: &[f64], window: usize, with_squares: bool) -> Vec<Block> {
        let zeros = vec![0.0; values.len()];
        let mut levels = vec![Block { squares: if with_squares { zeros.clone() } else { Vec::new() }, sum: zeros }];
        let mut length = 1_usize;
        while length * 2 <= window {
            let Some(below) = levels.last() else { break };
            let gaps = from(values, length - 1).iter().zip(from(values, 2 * length - 1)).map(|(older, newer)| older - newer);
            let pairs = below.sum.iter().zip(from(&below.sum, length));
            let size = length as f64;
            let lengths = Lengths::of(length, length);
            let sum = pairs.clone().zip(gaps.clone()).map(|((older, newer), gap)| merged_sum((*older, *newer), gap, size)).collect();
            let squares = if with_squares {
                let below = below.squares.iter().zip(from(&below.squares, length));
                below
                    .zip(pairs.zip(gaps))
                    .map(|((older, newer), ((older_sum, newer_sum), gap))| {
                        merged_squares((*older, *newer), (*older_sum, *newer_sum), gap, lengths)
                    })
                    .collect()
            } else {
                Vec::new()
            };
            levels.push(Block { sum, squares });
            length *= 2;
        }
        levels
    }

    /// √(squares/N): the deviation of the window as a whole population.
    #[must_use]
    pub fn population_deviation(&self, window: usize) -> Vec<f64> {
        let length = window as f64;
        self.squares.iter().map(|squares| (squares / length).sqrt()).collect()
    }

    /// √(squares/(N − 1)): the deviation of the window as a sample; for N below 2 there is none.
    #[must_use]
    pub fn sample_deviation(&self, window: usize) -> Vec<f64> {
        if window < 2 {
            return Vec::new();
        }
        let freedom = (window - 1) as f64;
        self.squares.iter().map(|squares| (squares / freedom).sqrt()).collect()
    }
}

/// Mean absolute distance of every window's values from its mean, given the means of [`Spread`]. Costs N passes.
#[must_use]
pub fn mean_absolute_deviation(values: &[f64], mean_from_last: &[f64], window: usize) -> Vec<f64> {
    let mut total = vec![0.0; mean_from_last.len()];
    if total.is_empty() {
        return total;
    }
    let last = from(values, window.saturating_sub(1));
    for place in 0..window {
        let terms = from(values, place).iter().zip(last).zip(mean_from_last);
        for (total, ((value, last), mean)) in total.iter_mut().zip(terms) {
            *total += ((value - last) - mean).abs();
        }
    }
    let length = window as f64;
    for value in &mut total {
        *value /= length;
    }
    total
}
