//! Statistics of the last N values, row by row, and recursions: everything a formula can ask of more than one bar.
//!
//! Not TA-Lib's functions and not arithmetic of single bars. Contract: NaN is null, on the way in and on the way out; nothing
//! is ever infinite. A windowed value is a function of its window's values alone, bit for bit, whatever stands before them, so
//! that going on from any row with as many rows before it as the longest window reaches back gives what computing everything
//! gives. A window's value also does not depend on what else is asked for in the same call.

mod plain;
mod recursion;
mod statistic;

#[cfg(test)]
mod tests;

pub use recursion::{Register, Step, recur};
pub use statistic::{Finite, PairStatistic, Recursion, Statistic, WarmUp};

/// A statistic of one input that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Want {
    /// What is said of the window.
    pub statistic: Statistic,
    /// N, this row included; a window of 0 has no value.
    pub window: usize,
    /// What incomplete windows give.
    pub warm_up: WarmUp,
}

/// A statistic of two inputs that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairWant {
    /// What is said of the window.
    pub statistic: PairStatistic,
    /// N, this row included; a window of 0 has no value.
    pub window: usize,
    /// What incomplete windows give.
    pub warm_up: WarmUp,
}

/// Room for intermediate results, to be used again and again: nothing is asked of the system once it has grown.
#[derive(Debug, Default)]
pub struct Scratch {}

/// Computes statistics of one input together, which is cheaper than one after the other: one output each, as long as the
/// input; what they held before does not matter, but their room is used again.
///
/// NaN is null in `values`; none may be infinite. `at_start` says that `values` begins where the series begins: then windows
/// that reach back beyond are short. Otherwise there are values before that are not given, and an output means nothing before
/// its row N − 1.
pub fn family(values: &[f64], at_start: bool, wants: &[Want], outputs: &mut [Vec<f64>], scratch: &mut Scratch) {
    let _ = (at_start, scratch);
    for (want, output) in wants.iter().zip(outputs) {
        output.clear();
        output.extend((0..values.len()).map(|row| {
            let first = (row + 1).saturating_sub(want.window);
            let window = values.get(first..=row).unwrap_or_default();
            plain::statistic(window, window.len() == want.window, want.statistic, want.warm_up)
        }));
    }
}

/// Computes statistics of pairs of values together, as [`family`] does those of single values; a pair with a null counts as
/// null. `y` is as long as `x`.
pub fn pair_family(x: &[f64], y: &[f64], at_start: bool, wants: &[PairWant], outputs: &mut [Vec<f64>], scratch: &mut Scratch) {
    let _ = (at_start, scratch);
    let part = |values: &[f64], first: usize, row: usize| values.get(first..=row).unwrap_or_default().to_vec();
    for (want, output) in wants.iter().zip(outputs) {
        output.clear();
        output.extend((0..x.len().min(y.len())).map(|row| {
            let first = (row + 1).saturating_sub(want.window);
            let (x, y) = (part(x, first, row), part(y, first, row));
            plain::pair_statistic(&x, &y, x.len() == want.window, want.statistic, want.warm_up)
        }));
    }
}

/// ln(1 + x) of every value, keeping the digits of a small x; NaN for −1 and below.
pub fn log_1p(values: &[f64], output: &mut Vec<f64>) {
    output.clear();
    output.extend(values.iter().map(|value| super::price::log_1p(*value)));
}
