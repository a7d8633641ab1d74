//! The innermost loops over blocks, many windows at a time.
//!
//! Not the formulas (`formulas`). Contract: every slice is a parameter of its own, by which the compiler knows that none of them
//! overlaps what is written, without looking at run time; it would give up on so many.

use super::formulas::Lengths;

/// Some slices that run beside each other.
macro_rules! beside {
    ($one:expr) => { $one.iter() };
    ($one:expr, $($other:expr),+) => { $one.iter().zip(beside!($($other),+)) };
}

/// Means of two neighbouring blocks: the sum of both.
#[inline(always)]
pub fn sums(out: &mut [f64], older: &[f64], newer: &[f64], old: &[f64], new: &[f64], lengths: &Lengths) {
    for (out, (older, (newer, (old, new)))) in out.iter_mut().zip(beside!(older, newer, old, new)) {
        *out = lengths.sum(old - new, *older, *newer);
    }
}

/// The same onto the newer block.
#[inline(always)]
pub fn sums_onto(sum: &mut [f64], older: &[f64], old: &[f64], new: &[f64], lengths: &Lengths) {
    for (sum, (older, (old, new))) in sum.iter_mut().zip(beside!(older, old, new)) {
        *sum = lengths.sum(old - new, *older, *sum);
    }
}

/// Sums, and what lies between the means.
#[inline(always)]
pub fn betweens(out_between: &mut [f64], out_sum: &mut [f64], older: &[f64], newer: &[f64], old: &[f64], new: &[f64], lengths: &Lengths) {
    let outs = out_between.iter_mut().zip(out_sum);
    for ((between, sum), (older, (newer, (old, new)))) in outs.zip(beside!(older, newer, old, new)) {
        *between = lengths.between(old - new, *older, *newer);
        *sum = lengths.sum(old - new, *older, *newer);
    }
}

/// The same onto the newer block.
#[inline(always)]
pub fn betweens_onto(out_between: &mut [f64], sum: &mut [f64], older: &[f64], old: &[f64], new: &[f64], lengths: &Lengths) {
    for ((between, sum), (older, (old, new))) in out_between.iter_mut().zip(sum).zip(beside!(older, old, new)) {
        *between = lengths.between(old - new, *older, *sum);
        *sum = lengths.sum(old - new, *older, *sum);
    }
}

/// Sums and squares.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "see the module's contract")]
pub fn squares(
    out_sum: &mut [f64],
    out_squares: &mut [f64],
    older_sum: &[f64],
    newer_sum: &[f64],
    older_squares: &[f64],
    newer_squares: &[f64],
    old: &[f64],
    new: &[f64],
    lengths: &Lengths,
) {
    let outs = out_sum.iter_mut().zip(out_squares);
    let all = outs.zip(beside!(older_sum, newer_sum, older_squares, newer_squares, old, new));
    for ((out_sum, out_squares), (older_sum, (newer_sum, (older_squares, (newer_squares, (old, new)))))) in all {
        let gap = old - new;
        *out_sum = lengths.sum(gap, *older_sum, *newer_sum);
        *out_squares = lengths.squares(lengths.between(gap, *older_sum, *newer_sum), *older_squares, *newer_squares);
    }
}

/// The same onto the newer block.
#[inline(always)]
pub fn squares_onto(
    sum: &mut [f64],
    squares: &mut [f64],
    older_sum: &[f64],
    older_squares: &[f64],
    old: &[f64],
    new: &[f64],
    lengths: &Lengths,
) {
    for ((sum, squares), (older_sum, (older_squares, (old, new)))) in
        sum.iter_mut().zip(squares).zip(beside!(older_sum, older_squares, old, new))
    {
        let gap = old - new;
        *squares = lengths.squares(lengths.between(gap, *older_sum, *sum), *older_squares, *squares);
        *sum = lengths.sum(gap, *older_sum, *sum);
    }
}

/// Sums, squares and trends.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "see the module's contract")]
pub fn trends(
    out_sum: &mut [f64],
    out_squares: &mut [f64],
    out_trend: &mut [f64],
    older_sum: &[f64],
    newer_sum: &[f64],
    older_squares: &[f64],
    newer_squares: &[f64],
    older_trend: &[f64],
    newer_trend: &[f64],
    old: &[f64],
    new: &[f64],
    lengths: &Lengths,
) {
    let outs = out_sum.iter_mut().zip(out_squares).zip(out_trend);
    let older = beside!(older_sum, older_squares, older_trend);
    let newer = beside!(newer_sum, newer_squares, newer_trend);
    for ((((out_sum, out_squares), out_trend), (older, newer)), (old, new)) in outs.zip(older.zip(newer)).zip(beside!(old, new)) {
        let (older_sum, (older_squares, older_trend)) = older;
        let (newer_sum, (newer_squares, newer_trend)) = newer;
        let gap = old - new;
        let between = lengths.between(gap, *older_sum, *newer_sum);
        *out_sum = lengths.sum(gap, *older_sum, *newer_sum);
        *out_squares = lengths.squares(between, *older_squares, *newer_squares);
        *out_trend = lengths.trend(between, *older_trend, *newer_trend);
    }
}

/// The same onto the newer block.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "see the module's contract")]
pub fn trends_onto(
    sum: &mut [f64],
    squares: &mut [f64],
    trend: &mut [f64],
    older_sum: &[f64],
    older_squares: &[f64],
    older_trend: &[f64],
    old: &[f64],
    new: &[f64],
    lengths: &Lengths,
) {
    let own = sum.iter_mut().zip(squares).zip(trend);
    let all = own.zip(beside!(older_sum, older_squares, older_trend)).zip(beside!(old, new));
    for ((((sum, squares), trend), (older_sum, (older_squares, older_trend))), (old, new)) in all {
        let gap = old - new;
        let between = lengths.between(gap, *older_sum, *sum);
        *sum = lengths.sum(gap, *older_sum, *sum);
        *squares = lengths.squares(between, *older_squares, *squares);
        *trend = lengths.trend(between, *older_trend, *trend);
    }
}

/// Third and fourth powers, onto the newer block; its squares are still its own.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "see the module's contract")]
pub fn shapes_onto(
    cubes: &mut [f64],
    fourths: &mut [f64],
    squares: &[f64],
    between: &[f64],
    older_squares: &[f64],
    older_cubes: &[f64],
    older_fourths: &[f64],
    lengths: &Lengths,
) {
    let all = cubes.iter_mut().zip(fourths).zip(beside!(squares, between)).zip(beside!(older_squares, older_cubes, older_fourths));
    for (((cubes, fourths), (squares, between)), (older_squares, (older_cubes, older_fourths))) in all {
        let (both_squares, both_cubes) = ((*older_squares, *squares), (*older_cubes, *cubes));
        *fourths = lengths.fourths(*between, both_squares, both_cubes, (*older_fourths, *fourths));
        *cubes = lengths.cubes(*between, both_squares, both_cubes);
    }
}

/// Third and fourth powers.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "see the module's contract")]
pub fn shapes(
    out_cubes: &mut [f64],
    out_fourths: &mut [f64],
    between: &[f64],
    older_squares: &[f64],
    newer_squares: &[f64],
    older_cubes: &[f64],
    newer_cubes: &[f64],
    older_fourths: &[f64],
    newer_fourths: &[f64],
    lengths: &Lengths,
) {
    let outs = out_cubes.iter_mut().zip(out_fourths).zip(between);
    let older = beside!(older_squares, older_cubes, older_fourths);
    let newer = beside!(newer_squares, newer_cubes, newer_fourths);
    for (((out_cubes, out_fourths), between), (older, newer)) in outs.zip(older.zip(newer)) {
        let (older_squares, (older_cubes, older_fourths)) = older;
        let (newer_squares, (newer_cubes, newer_fourths)) = newer;
        let (squares, cubes) = ((*older_squares, *newer_squares), (*older_cubes, *newer_cubes));
        *out_fourths = lengths.fourths(*between, squares, cubes, (*older_fourths, *newer_fourths));
        *out_cubes = lengths.cubes(*between, squares, cubes);
    }
}

/// Squares or trends, from what lies between the means.
#[inline(always)]
pub fn from_between(out: &mut [f64], older: &[f64], newer: &[f64], between: &[f64], of: impl Fn(f64, f64, f64) -> f64) {
    for (out, (older, (newer, between))) in out.iter_mut().zip(beside!(older, newer, between)) {
        *out = of(*between, *older, *newer);
    }
}

/// The same onto the newer block.
#[inline(always)]
pub fn from_between_onto(own: &mut [f64], older: &[f64], between: &[f64], of: impl Fn(f64, f64, f64) -> f64) {
    for (own, (older, between)) in own.iter_mut().zip(beside!(older, between)) {
        *own = of(*between, *older, *own);
    }
}

/// Products of two inputs.
#[inline(always)]
pub fn products(out: &mut [f64], older: &[f64], newer: &[f64], x_between: &[f64], y_between: &[f64], lengths: &Lengths) {
    for (out, (older, (newer, (x, y)))) in out.iter_mut().zip(beside!(older, newer, x_between, y_between)) {
        *out = lengths.products((*x, *y), *older, *newer);
    }
}

/// The same onto the newer block.
#[inline(always)]
pub fn products_onto(own: &mut [f64], older: &[f64], x_between: &[f64], y_between: &[f64], lengths: &Lengths) {
    for (own, (older, (x, y))) in own.iter_mut().zip(beside!(older, x_between, y_between)) {
        *own = lengths.products((*x, *y), *older, *own);
    }
}

/// Sums and squares of one of two inputs, and what lies between its means.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "see the module's contract")]
pub fn sides(
    out_between: &mut [f64],
    out_sum: &mut [f64],
    out_squares: &mut [f64],
    older_sum: &[f64],
    newer_sum: &[f64],
    older_squares: &[f64],
    newer_squares: &[f64],
    old: &[f64],
    new: &[f64],
    lengths: &Lengths,
) {
    let outs = out_between.iter_mut().zip(out_sum).zip(out_squares);
    let all = outs.zip(beside!(older_sum, newer_sum, older_squares, newer_squares, old, new));
    for (((out_between, out_sum), out_squares), (older_sum, (newer_sum, (older_squares, (newer_squares, (old, new)))))) in all {
        let gap = old - new;
        let between = lengths.between(gap, *older_sum, *newer_sum);
        *out_between = between;
        *out_sum = lengths.sum(gap, *older_sum, *newer_sum);
        *out_squares = lengths.squares(between, *older_squares, *newer_squares);
    }
}

/// The same onto the newer block.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "see the module's contract")]
pub fn sides_onto(
    out_between: &mut [f64],
    sum: &mut [f64],
    squares: &mut [f64],
    older_sum: &[f64],
    older_squares: &[f64],
    old: &[f64],
    new: &[f64],
    lengths: &Lengths,
) {
    let own = out_between.iter_mut().zip(sum).zip(squares);
    for (((out_between, sum), squares), (older_sum, (older_squares, (old, new)))) in own.zip(beside!(older_sum, older_squares, old, new)) {
        let gap = old - new;
        let between = lengths.between(gap, *older_sum, *sum);
        *out_between = between;
        *squares = lengths.squares(between, *older_squares, *squares);
        *sum = lengths.sum(gap, *older_sum, *sum);
    }
}
