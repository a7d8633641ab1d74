//! What is done to the values of one bar: arithmetic, comparisons, truths.
//!
//! Not windows and not recursions. Contract: an output has as many rows as asked for; null is NaN and comes out wherever it
//! goes in, unless the operator says otherwise; what is not finite comes out as null. Plain loops without branches, so that
//! the compiler vectorises them for the processor that is there; the bits do not depend on how it does.

use super::buffer::Operand;
use crate::feature::graph::{Binary, Comparison, Unary, WarmUp};
use crate::indicator::finite_or_nan;
use crate::indicator::price::log_1p;
use crate::indicator::rolling::widest;
use pulp::{Simd, WithSimd};

/// Applies a function to every row.
fn map(x: Operand<'_>, len: usize, out: &mut Vec<f64>, apply: impl Fn(f64) -> f64) {
    match x {
        Operand::Constant(x) => out.resize(out.len() + len, finite_or_nan(apply(x))),
        Operand::Rows(x) => widest(Loop { out: room(out, x.len()), inputs: [x], apply: |[x]: [f64; 1]| apply(x) }),
    }
}

/// Applies a function to every row of two operands.
fn zip(x: Operand<'_>, y: Operand<'_>, len: usize, out: &mut Vec<f64>, apply: impl Fn(f64, f64) -> f64) {
    match (x, y) {
        (Operand::Rows(x), Operand::Rows(y)) => {
            widest(Loop { out: room(out, x.len().min(y.len())), inputs: [x, y], apply: |[x, y]: [f64; 2]| apply(x, y) });
        }
        (Operand::Rows(x), Operand::Constant(y)) => {
            widest(Loop { out: room(out, x.len()), inputs: [x], apply: |[x]: [f64; 1]| apply(x, y) });
        }
        (Operand::Constant(x), Operand::Rows(y)) => {
            widest(Loop { out: room(out, y.len()), inputs: [y], apply: |[y]: [f64; 1]| apply(x, y) });
        }
        (Operand::Constant(x), Operand::Constant(y)) => out.resize(out.len() + len, finite_or_nan(apply(x, y))),
    }
}

/// Room for more rows behind those that are there.
fn room(out: &mut Vec<f64>, rows: usize) -> &mut [f64] {
    let before = out.len();
    out.resize(before + rows, f64::NAN);
    out.get_mut(before..).unwrap_or_default()
}

/// A function of the same row of one to three inputs, for every row.
struct Loop<'a, const INPUTS: usize, Apply> {
    out: &'a mut [f64],
    inputs: [&'a [f64]; INPUTS],
    apply: Apply,
}

impl<Apply: Fn([f64; 1]) -> f64> WithSimd for Loop<'_, 1, Apply> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { out, inputs: [x], apply } = self;
        for (out, x) in out.iter_mut().zip(x) {
            *out = finite_or_nan(apply([*x]));
        }
    }
}

impl<Apply: Fn([f64; 2]) -> f64> WithSimd for Loop<'_, 2, Apply> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { out, inputs: [x, y], apply } = self;
        for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
            *out = finite_or_nan(apply([*x, *y]));
        }
    }
}

impl<Apply: Fn([f64; 3]) -> f64> WithSimd for Loop<'_, 3, Apply> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { out, inputs: [x, y, z], apply } = self;
        for (out, ((x, y), z)) in out.iter_mut().zip(x.iter().zip(y).zip(z)) {
            *out = finite_or_nan(apply([*x, *y, *z]));
        }
    }
}

/// A truth as a number.
fn truth(is_true: bool) -> f64 {
    if is_true { 1.0 } else { 0.0 }
}

/// The value, or NaN where the witness is null.
fn unless_null(witness: f64, value: f64) -> f64 {
    if witness.is_nan() { f64::NAN } else { value }
}

/// One input.
pub(super) fn unary(unary: Unary, x: Operand<'_>, len: usize, out: &mut Vec<f64>) {
    match unary {
        Unary::Negate => map(x, len, out, |x| -x),
        Unary::Abs => map(x, len, out, f64::abs),
        Unary::Sign => map(x, len, out, |x| unless_null(x, truth(x > 0.0) - truth(x < 0.0))),
        Unary::Log => map(x, len, out, f64::ln),
        Unary::Log1p => map(x, len, out, log_1p),
        Unary::Exp => map(x, len, out, f64::exp),
        Unary::Sqrt => map(x, len, out, f64::sqrt),
        Unary::Not => map(x, len, out, |x| unless_null(x, truth(x == 0.0))),
        Unary::IsNull => map(x, len, out, |x| truth(x.is_nan())),
    }
}

/// Two inputs.
pub(super) fn binary(binary: Binary, x: Operand<'_>, y: Operand<'_>, len: usize, out: &mut Vec<f64>) {
    match binary {
        Binary::Add => zip(x, y, len, out, |x, y| x + y),
        Binary::Subtract => zip(x, y, len, out, |x, y| x - y),
        Binary::Multiply => zip(x, y, len, out, |x, y| x * y),
        Binary::Divide => zip(x, y, len, out, |x, y| x / y),
        // 1 to the power of null is null here, not 1.
        Binary::Power => zip(x, y, len, out, |x, y| if x.is_nan() || y.is_nan() { f64::NAN } else { x.powf(y) }),
        Binary::Greater => zip(x, y, len, out, |x, y| unless_null(x, if x > y { x } else { y })),
        Binary::Less => zip(x, y, len, out, |x, y| unless_null(x, if x < y { x } else { y })),
        Binary::Coalesce => zip(x, y, len, out, |x, y| if x.is_nan() { y } else { x }),
        // Truths are 1, 0 or null: their product and their largest are their conjunction and disjunction.
        Binary::And => zip(x, y, len, out, |x, y| unless_null(x, unless_null(y, truth(x != 0.0 && y != 0.0)))),
        Binary::Or => zip(x, y, len, out, |x, y| unless_null(x, unless_null(y, truth(x != 0.0 || y != 0.0)))),
    }
}

/// Two inputs, a truth.
pub(super) fn compare(comparison: Comparison, warm_up: WarmUp, x: Operand<'_>, y: Operand<'_>, len: usize, out: &mut Vec<f64>) {
    match comparison {
        Comparison::Greater => compare_by(warm_up, x, y, len, out, |x, y| x > y),
        Comparison::GreaterOrEqual => compare_by(warm_up, x, y, len, out, |x, y| x >= y),
        Comparison::Less => compare_by(warm_up, x, y, len, out, |x, y| x < y),
        Comparison::LessOrEqual => compare_by(warm_up, x, y, len, out, |x, y| x <= y),
        Comparison::Equal => compare_by(warm_up, x, y, len, out, |x, y| x == y),
        Comparison::NotEqual => compare_by(warm_up, x, y, len, out, |x, y| x != y),
    }
}

fn compare_by(warm_up: WarmUp, x: Operand<'_>, y: Operand<'_>, len: usize, out: &mut Vec<f64>, holds: impl Fn(f64, f64) -> bool) {
    match warm_up {
        WarmUp::Partial => zip(x, y, len, out, |x, y| truth(holds(x, y))),
        WarmUp::Strict => zip(x, y, len, out, |x, y| unless_null(x, unless_null(y, truth(holds(x, y))))),
    }
}

/// The second where the first is true, the third where it is false, null where the first is null.
pub(super) fn select(condition: Operand<'_>, x: Operand<'_>, y: Operand<'_>, len: usize, out: &mut Vec<f64>) {
    let pick = |condition: f64, x: f64, y: f64| unless_null(condition, if condition != 0.0 { x } else { y });
    match (condition, x, y) {
        (Operand::Constant(condition), x, y) => zip(x, y, len, out, |x, y| pick(condition, x, y)),
        (Operand::Rows(condition), Operand::Constant(x), y) => {
            zip(Operand::Rows(condition), y, len, out, |condition, y| pick(condition, x, y));
        }
        (Operand::Rows(condition), x, Operand::Constant(y)) => {
            zip(Operand::Rows(condition), x, len, out, |condition, x| pick(condition, x, y));
        }
        (Operand::Rows(condition), Operand::Rows(x), Operand::Rows(y)) => {
            let rows = condition.len().min(x.len()).min(y.len());
            widest(Loop { out: room(out, rows), inputs: [condition, x, y], apply: |[condition, x, y]: [f64; 3]| pick(condition, x, y) });
        }
    }
}
