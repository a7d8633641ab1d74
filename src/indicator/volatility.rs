//! How widely prices swing: true range, bands, deviation of changes.
//!
//! Not the windows' arithmetic (`window`). Contract: outputs are as long as their inputs, NaN where not defined.

use super::smooth::SeededSmoothing;
use super::window::Spread;
use super::{column, from};

/// max(high, previous close) − min(low, previous close), for every bar but the first.
///
/// For bars whose high is not below their low this is J. Welles Wilder's true range (*New Concepts in Technical Trading
/// Systems*, 1978), and TA-Lib's; TA-Lib's differs on bars that are broken.
#[must_use]
pub fn true_ranges(high: &[f64], low: &[f64], close: &[f64]) -> Vec<f64> {
    let highest = |high: f64, close: f64| if high > close { high } else { close };
    let lowest = |low: f64, close: f64| if low < close { low } else { close };
    from(high, 1).iter().zip(from(low, 1)).zip(close).map(|((high, low), close)| highest(*high, *close) - lowest(*low, *close)).collect()
}

/// Wilder's average true range: the mean of the first N true ranges at bar N, then (13·y' + TR)/14 for N = 14.
#[must_use]
pub fn average_true_range(high: &[f64], low: &[f64], close: &[f64], window: usize) -> Vec<f64> {
    if window == 0 {
        return vec![f64::NAN; high.len()];
    }
    let averages = SeededSmoothing::wilder(window).extend(&true_ranges(high, low, close));
    column(high.len(), 1, averages.into_iter())
}

/// Bands two population deviations around the mean (John Bollinger's), and where the value lies between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Bollinger {
    /// Mean of the last N values.
    pub middle: Vec<f64>,
    /// middle + 2σ.
    pub upper: Vec<f64>,
    /// middle − 2σ.
    pub lower: Vec<f64>,
    /// (upper − lower)/middle, computed as 4σ/middle, which cancels nothing.
    pub width: Vec<f64>,
    /// (x − lower)/(upper − lower), computed as (x − middle + 2σ)/4σ; NaN where σ is 0.
    pub percent_b: Vec<f64>,
}

impl Bollinger {
    /// From the means of the windows (warm only) and their spread.
    #[must_use]
    pub fn of(len: usize, means: &[f64], spread: &Spread, window: usize) -> Self {
        let deviations = spread.population_deviation(window);
        let lead = window.saturating_sub(1);
        let bands = |factor: f64| column(len, lead, means.iter().zip(&deviations).map(move |(mean, deviation)| mean + factor * deviation));
        Self {
            middle: column(len, lead, means.iter().copied()),
            upper: bands(2.0),
            lower: bands(-2.0),
            width: column(len, lead, means.iter().zip(&deviations).map(|(mean, deviation)| 4.0 * deviation / mean)),
            percent_b: column(
                len,
                lead,
                spread.mean_from_last.iter().zip(&deviations).map(|(mean, deviation)| (2.0 * deviation - mean) / (4.0 * deviation)),
            ),
        }
    }
}

/// Sample standard deviation of the last N changes, a column whose first value is not defined (there is no change yet).
///
/// A change may be NaN where its base was zero; every window that holds such a change has no value.
#[must_use]
pub fn deviation_of_changes(changes: &[f64], window: usize) -> Vec<f64> {
    let known = from(changes, 1);
    if known.iter().all(|change| change.is_finite()) {
        return column(changes.len(), window, Spread::of(known, window).sample_deviation(window).into_iter());
    }
    let filled: Vec<f64> = known.iter().map(|change| if change.is_finite() { *change } else { 0.0 }).collect();
    let mut out = column(changes.len(), window, Spread::of(&filled, window).sample_deviation(window).into_iter());
    for (hole, _) in changes.iter().enumerate().skip(1).filter(|(_, change)| !change.is_finite()) {
        let end = hole.saturating_add(window).min(out.len());
        out.get_mut(hole..end).unwrap_or_default().fill(f64::NAN);
    }
    out
}
