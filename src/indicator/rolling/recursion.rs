//! Recursions over one input: averages that are carried on, and the sum of everything so far.
//!
//! Not windows. Contract: a [`Register`] is everything there is to know of the rows before, so that going on from one gives
//! bit for bit what one run gives; recursions that run beside each other do not influence one another.

use super::Recursion;
use crate::indicator::finite_or_nan;

/// What a recursion carries from row to row: two numbers, to be kept bit by bit.
///
/// The first is the average or the sum, infinite or NaN if it overflowed. The second says how far the recursion has come: 0
/// before its first value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Register(pub [f64; 2]);

impl Register {
    /// Before the first row.
    #[must_use]
    pub fn before_first(recursion: Recursion) -> Self {
        match recursion {
            Recursion::Sma { seed: Some(seed), .. } => Self([seed.get(), 1.0]),
            _ => Self([0.0, 0.0]),
        }
    }
}

/// One recursion over more rows of its input.
#[derive(Debug)]
pub struct Step<'a> {
    /// What is done.
    pub recursion: Recursion,
    /// More values; NaN is null.
    pub input: &'a [f64],
    /// What the rows before left; carried on.
    pub register: &'a mut Register,
    /// As long as the input; NaN is null, never infinite.
    pub output: &'a mut [f64],
}

/// Runs recursions beside each other.
pub fn recur(steps: &mut [Step<'_>]) {
    for step in steps {
        alone(step);
    }
}

fn alone(step: &mut Step<'_>) {
    let Register([mut value, mut seen]) = *step.register;
    let rows = step.output.iter_mut().zip(step.input);
    let weight = match step.recursion {
        Recursion::Ema { window } | Recursion::EmaAdjusted { window } => 2.0 / (window as f64 + 1.0),
        Recursion::Sma { window, weight, .. } => weight as f64 / window as f64,
        Recursion::Rma { window } => 1.0 / window as f64,
        Recursion::CumSum => 0.0,
    };
    match step.recursion {
        Recursion::Ema { .. } | Recursion::Sma { .. } => {
            for (out, x) in rows {
                if x.is_nan() {
                    *out = f64::NAN;
                    continue;
                }
                if seen == 0.0 {
                    (value, seen) = (*x, 1.0);
                }
                value += weight * (x - value);
                *out = finite_or_nan(value);
            }
        }
        Recursion::EmaAdjusted { .. } => {
            let fade = 1.0 - weight;
            for (out, x) in rows {
                // However long nothing comes, there is an average.
                seen = if seen > 0.0 { (seen * fade).max(f64::MIN_POSITIVE) } else { 0.0 };
                if !x.is_nan() {
                    // The first value is taken as it is: its weight is all there is.
                    seen += 1.0;
                    value += (1.0 / seen) * (x - value);
                }
                *out = if seen > 0.0 { finite_or_nan(value) } else { f64::NAN };
            }
        }
        Recursion::Rma { window } => {
            let length = window as f64;
            for (out, x) in rows {
                if x.is_nan() {
                    *out = f64::NAN;
                } else if seen < length {
                    value += x;
                    seen += 1.0;
                    if seen == length {
                        value /= length;
                    }
                    *out = if seen == length { finite_or_nan(value) } else { f64::NAN };
                } else {
                    value += weight * (x - value);
                    *out = finite_or_nan(value);
                }
            }
        }
        Recursion::CumSum => {
            for (out, x) in rows {
                if !x.is_nan() {
                    value += x;
                    seen = 1.0;
                }
                *out = if x.is_nan() { f64::NAN } else { finite_or_nan(value) };
            }
        }
    }
    *step.register = Register([value, seen]);
}
