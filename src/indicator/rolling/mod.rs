//! Statistics of the last N values, row by row, and recursions: everything a formula can ask of more than one bar.
//!
//! Not TA-Lib's functions and not arithmetic of single bars. Contract: NaN is null, on the way in and on the way out; nothing
//! is ever infinite. A windowed value is a function of its window's values alone, bit for bit, whatever stands before them, so
//! that going on from any row with as many rows before it as the longest window reaches back gives what computing everything
//! gives. A window's value also does not depend on what else is asked for in the same call, nor on the processor.
//!
//! Nulls are taken out first (`known`); then every statistic is made of blocks of power-of-two lengths (`blocks`, `engine`:
//! `sums`, `moments`, `extremes`, `deviation`, `pairs`) or of ranks (`order`), so that its cost does not grow with the window.

mod blocks;
mod deviation;
mod engine;
mod exact;
mod extremes;
mod family;
mod formulas;
mod known;
mod lanes;
mod loops;
mod moments;
mod order;
mod pairs;
mod ranks;
mod recursion;
mod seats;
mod statistic;
mod sums;
mod tree;

#[cfg(test)]
mod plain;
#[cfg(test)]
mod tests;

pub use family::{PairWant, Scratch, Want, family, pair_family};
pub use lanes::widest;
pub use recursion::{Register, Step, recur};
pub use statistic::{Finite, PairStatistic, Recursion, Statistic, WarmUp};

/// ln(1 + x) of every value, keeping the digits of a small x; NaN for −1 and below.
pub fn log_1p(values: &[f64], output: &mut Vec<f64>) {
    output.clear();
    output.extend(values.iter().map(|value| super::price::small_log_1p(*value)));
    for (log, value) in output.iter_mut().zip(values).filter(|(log, _)| log.is_nan()) {
        *log = super::price::log_1p(*value);
    }
}
