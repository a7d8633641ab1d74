//! What was traded: on-balance volume and volume ratios.
//!
//! Not turnover, which a source delivers. Contract: outputs are as long as their inputs, NaN where not defined.

use super::window::Blocks;
use super::{column, finite_or_nan, from};

/// On-balance volume (Joseph Granville, 1963), by TA-Lib's OBV: starts with the first volume, then adds the volume of a bar
/// that closed higher and takes away that of a bar that closed lower.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Obv {
    /// Last close and last value.
    last: Option<(f64, f64)>,
}

impl Obv {
    /// After bars of which the last closed at this price and left this [`value`](Self::value).
    #[must_use]
    pub fn continued(last_close: f64, last_value: f64) -> Self {
        Self { last: Some((last_close, last_value)) }
    }

    /// The last value, infinite if it is; 0 before the first bar.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.last.map_or(0.0, |(_, value)| value)
    }

    /// Takes more bars and gives their values.
    pub fn extend(&mut self, close: &[f64], volume: &[f64]) -> Vec<f64> {
        let len = close.len().min(volume.len());
        let (close, volume) = (close.get(..len).unwrap_or_default(), volume.get(..len).unwrap_or_default());
        let mut values = match self.last {
            None => on_balance(close, volume),
            // TA-Lib seeds with the first volume: a first bar made of the last close and the last value continues the series.
            Some((last_close, last_value)) => {
                let close: Vec<f64> = std::iter::once(last_close).chain(close.iter().copied()).collect();
                let volume: Vec<f64> = std::iter::once(last_value).chain(volume.iter().copied()).collect();
                let mut values = on_balance(&close, &volume);
                values.drain(..1.min(values.len()));
                values
            }
        };
        if let (Some(close), Some(value)) = (close.last(), values.last()) {
            self.last = Some((*close, *value));
        }
        for value in &mut values {
            *value = finite_or_nan(*value);
        }
        values
    }
}

/// TA-Lib's OBV; it refuses an empty series, which has an empty result here.
fn on_balance(close: &[f64], volume: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; close.len()];
    let written = match close.len().checked_sub(1) {
        Some(last) => ta_lib::Core::new().obv(0, last, close, volume, &mut out).map_or(0, |range| range.count),
        None => 0,
    };
    out.truncate(written);
    out.resize(close.len(), f64::NAN);
    out
}

/// Volume over the mean of the N volumes before it; NaN where that mean is 0. Takes the sums of the volume.
#[must_use]
pub fn ratio_to_previous(volume: &[f64], sums: &Blocks<'_>, window: usize) -> Vec<f64> {
    let means = sums.mean(window);
    column(volume.len(), window, from(volume, window).iter().zip(&means).map(|(volume, mean)| volume / mean))
}

/// Volume over the mean of the last N volumes, its own included; NaN where that mean is 0. Takes the sums of the volume.
#[must_use]
pub fn ratio_to_mean(volume: &[f64], sums: &Blocks<'_>, window: usize) -> Vec<f64> {
    let means = sums.mean(window);
    let lead = window.saturating_sub(1);
    column(volume.len(), lead, from(volume, lead).iter().zip(&means).map(|(volume, mean)| volume / mean))
}
