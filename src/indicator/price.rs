//! One bar against another: changes, returns, the day's range.
//!
//! Not what needs a window or a state. Contract: outputs are as long as their inputs; the first bars, which have nothing to
//! be compared with, and bars whose base is zero are NaN. Changes are taken as (a − b)/b, not a/b − 1: the same number,
//! without losing the digits of a small change.

use super::{column, finite_or_nan, from};

/// x − x N bars ago, by TA-Lib's MOM.
#[must_use]
pub fn difference(values: &[f64], window: usize) -> Vec<f64> {
    let mut warm = vec![0.0; values.len().saturating_sub(window)];
    let period = i32::try_from(window).unwrap_or(i32::MAX);
    // TA-Lib refuses what cannot have a value (no bars, a window out of range); that is a column without values here.
    let written = match values.len().checked_sub(1) {
        Some(last) if !warm.is_empty() => ta_lib::Core::new().mom(0, last, values, period, &mut warm).map_or(0, |range| range.count),
        _ => 0,
    };
    warm.truncate(written);
    column(values.len(), window, warm.into_iter())
}

/// 100·(x/x N bars ago − 1).
#[must_use]
pub fn percent_change(values: &[f64], window: usize) -> Vec<f64> {
    let warm = values.iter().zip(from(values, window)).map(|(old, new)| 100.0 * ((new - old) / old));
    column(values.len(), window, warm)
}

/// 100·(x/base − 1), the base being the other column's previous value.
#[must_use]
pub fn percent_of_previous(values: &[f64], base: &[f64]) -> Vec<f64> {
    let warm = base.iter().zip(from(values, 1)).map(|(base, value)| 100.0 * ((value - base) / base));
    column(values.len(), 1, warm)
}

/// 100·(high − low)/previous close.
#[must_use]
pub fn amplitude(high: &[f64], low: &[f64], close: &[f64]) -> Vec<f64> {
    let warm = from(high, 1).iter().zip(from(low, 1)).zip(close).map(|((high, low), previous)| 100.0 * ((high - low) / previous));
    column(high.len(), 1, warm)
}

/// Largest |z| for which the series of [`log_ratio`] is used.
const SERIES_REACH: f64 = 0.1;

/// 2·artanh(z)/z − 2 over z², that is 2/3 + 2/5·z² + 2/7·z⁴ + …, cut where the next term is below 2⁻⁵⁴ at z = 0.1.
#[inline]
fn artanh_series(square: f64) -> f64 {
    const TERMS: [f64; 8] = [2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0];
    let mut sum = 0.0;
    for term in TERMS {
        sum = sum * square + term;
    }
    sum
}

/// ln(1 + x) by the series, NaN where x is not small.
#[inline]
pub(super) fn small_log_1p(x: f64) -> f64 {
    let z = x / (2.0 + x);
    let square = z * z;
    let log = z * (2.0 + square * artanh_series(square));
    if z.abs() <= SERIES_REACH { log } else { f64::NAN }
}

/// ln(1 + x), keeping the digits of a small x: NaN for −1 and below.
///
/// For x up to about a fifth it is the series of [`log_return`], bit for bit.
#[inline]
#[must_use]
pub fn log_1p(x: f64) -> f64 {
    let small = small_log_1p(x);
    if small.is_nan() { finite_or_nan(x.ln_1p()) } else { small }
}

/// ln(x/x'): NaN where the ratio is zero or negative.
///
/// For changes up to about a fifth this is 2·artanh((x − x')/(x + x')), whose series keeps all digits of small returns
/// (ln of a rounded ratio does not), needs no library whose last digit differs from system to system, and vectorises.
#[must_use]
pub fn log_return(values: &[f64]) -> Vec<f64> {
    let series = values.iter().zip(from(values, 1)).map(|(old, new)| small_log_1p((new - old) / old));
    let mut out = column(values.len(), 1, series);
    for (log, (old, new)) in from_mut(&mut out, 1).iter_mut().zip(values.iter().zip(from(values, 1))) {
        if log.is_nan() {
            *log = finite_or_nan((new / old).ln());
        }
    }
    out
}

fn from_mut(values: &mut [f64], position: usize) -> &mut [f64] {
    values.get_mut(position..).unwrap_or_default()
}
