//! Kernels: pure functions over slices of f64. They never see NaN or null and know no bars, files or names.
//!
//! Not features: which kernel makes which column is `feature`'s business. Contract: inputs are finite, oldest first, one
//! value a bar, and columns that belong together are equally long (of unequal ones the shortest counts). An output is as
//! long as its input; where a value is not defined (warm-up, zero denominator, overflow) it is NaN, and it is never
//! infinite. A value is bit for bit the same however much history stands before what it depends on:
//!
//! * A **windowed** kernel is a function of the window's contents alone. It is not a running sum, which would drift and
//!   depend on where it started, but a fixed tree of power-of-two blocks ([`window`]): log₂ N vectorised passes.
//! * A **recursive** kernel is a function of the previous state and the bar. The states ([`smooth`], [`Obv`]) are small
//!   values that can be kept and continued.

pub mod momentum;
pub mod price;
pub mod rolling;
pub mod smooth;
pub mod volatility;
pub mod volume;
pub mod window;

#[cfg(test)]
mod tests;

pub use volume::Obv;

/// The value, or NaN where it is infinite.
#[inline]
#[must_use]
pub fn finite_or_nan(value: f64) -> f64 {
    if value.abs() < f64::INFINITY { value } else { f64::NAN }
}

/// An output column of `len` bars: `lead` undefined values, then the given ones made finite-or-NaN, cut or
/// filled up to the length.
#[must_use]
pub fn column(len: usize, lead: usize, values: impl Iterator<Item = f64>) -> Vec<f64> {
    let lead = lead.min(len);
    let mut out = Vec::with_capacity(len);
    out.resize(lead, f64::NAN);
    out.extend(values.take(len - lead).map(finite_or_nan));
    out.resize(len, f64::NAN);
    out
}

/// The values from a position on; none where the slice is shorter.
fn from(values: &[f64], position: usize) -> &[f64] {
    values.get(position..).unwrap_or_default()
}
