//! TA-Lib's functions by name: what they take, what they give, and how they are called.
//!
//! Not their arithmetic (the `ta-lib` crate), and not how formulas are read (`formula`). Contract: a call exists only with
//! parameters that TA-Lib takes, its canonical text names all of them, defaults included, and computing never fails or
//! panics for inputs of equal length: what a series is too short for is null.

mod call;
mod compute;
mod description;
mod function;
mod moving_average;
#[cfg(test)]
mod tests;

pub use call::{TalibArgument, TalibCall, TalibCallError, TalibParameter};
pub use compute::TalibComputeError;
pub use function::{TalibFunction, TalibInput, TalibKind, TalibOutput, TalibSetting, find, functions};
pub use moving_average::{moving_average_name, moving_average_names, moving_average_number};
