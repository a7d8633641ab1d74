//! The same loops for the processor that is there: four values at once where it can, two otherwise.
//!
//! Not other arithmetic: no operation is merged with another or done in another order, so that the bits are the same on every
//! processor. Contract: what is run here is inlined into the call (`#[inline(always)]` all the way down), or it gains nothing.

use pulp::{Arch, WithSimd};

/// How many rows are worked on at a time, so that all that belongs to them stays in the nearest cache.
pub const TILE: usize = 256;

/// Zeros for a tile: what a block of a single value has of everything that is measured from its last value.
pub static ZEROS: [f64; TILE] = [0.0; TILE];

/// Runs loops with the widest instructions there are.
#[inline]
pub fn widest<Work: WithSimd>(work: Work) -> Work::Output {
    #[cfg(test)]
    if PLAINLY.get() {
        return work.with_simd(pulp::Scalar);
    }
    Arch::new().dispatch(work)
}

#[cfg(test)]
thread_local! {
    static PLAINLY: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs something as on a processor that has only what every processor has.
#[cfg(test)]
pub fn plainly<Out>(work: impl FnOnce() -> Out) -> Out {
    PLAINLY.set(true);
    let out = work();
    PLAINLY.set(false);
    out
}

/// Some of the values; none where the range does not lie within them.
#[inline(always)]
pub fn part<Value>(values: &[Value], from: usize, to: usize) -> &[Value] {
    values.get(from..to).unwrap_or_default()
}

/// Some of the values, to be written.
#[inline(always)]
pub fn part_mut<Value>(values: &mut [Value], from: usize, to: usize) -> &mut [Value] {
    values.get_mut(from..to).unwrap_or_default()
}

/// Writes a function of two slices.
#[inline(always)]
pub fn map2(out: &mut [f64], [a, b]: [&[f64]; 2], of: impl Fn(f64, f64) -> f64) {
    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
        *out = of(*a, *b);
    }
}

/// Writes a function of three slices.
#[inline(always)]
pub fn map3(out: &mut [f64], [a, b, c]: [&[f64]; 3], of: impl Fn(f64, f64, f64) -> f64) {
    for (out, ((a, b), c)) in out.iter_mut().zip(a.iter().zip(b).zip(c)) {
        *out = of(*a, *b, *c);
    }
}

/// Writes a function of what is there and of a slice.
#[inline(always)]
pub fn update1(own: &mut [f64], a: &[f64], of: impl Fn(f64, f64) -> f64) {
    for (own, a) in own.iter_mut().zip(a) {
        *own = of(*own, *a);
    }
}
