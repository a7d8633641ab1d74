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

/// Runs recursions. Those of one kind (averages with a constant weight, adjusted averages) over inputs of the same length go
/// on beside each other, eight taking little longer than one: each has to wait for its own last value, but not for the
/// others'. One whose nulls do not end soon goes alone.
pub fn recur(steps: &mut [Step<'_>]) {
    let mut together: Vec<(Kind, usize, &mut Step<'_>)> = Vec::with_capacity(steps.len());
    for step in steps {
        match step.steady_from().filter(|from| *from <= MOST_ROWS_ALONE) {
            Some(from) if step.kind() != Kind::Sum => together.push((step.kind(), from, step)),
            _ => alone(step),
        }
    }
    together.sort_by_key(|(kind, ..)| *kind);
    for same in together.chunk_by_mut(|one, other| one.0 == other.0) {
        let mut rest = same;
        run::<8>(&mut rest);
        run::<4>(&mut rest);
        run::<3>(&mut rest);
        run::<2>(&mut rest);
        run::<1>(&mut rest);
    }
}

/// Rows that those which go together may each run alone first.
const MOST_ROWS_ALONE: usize = 256;

/// Runs as many steps of one kind as go beside each other, and leaves the others.
fn run<const STEPS: usize>(steps: &mut &mut [(Kind, usize, &mut Step<'_>)]) {
    while let Some((now, _)) = steps.split_first_chunk_mut::<STEPS>() {
        let row = now.iter().map(|(_, from, _)| *from).max().unwrap_or(0);
        let is_adjusted = now.iter().any(|(kind, ..)| matches!(kind, Kind::Adjusted(_)));
        let rest = now.each_mut().map(|(.., step)| step.split(row));
        if is_adjusted {
            adjusted(rest);
        } else {
            lanes(rest);
        }
        *steps = std::mem::take(steps).get_mut(STEPS..).unwrap_or_default();
    }
}

/// What goes on beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// y = y' + w·(x − y') with the same w for ever.
    Steady(usize),
    /// The same, with a w that every row changes.
    Adjusted(usize),
    /// A sum.
    Sum,
}

impl Step<'_> {
    fn len(&self) -> usize {
        self.input.len().min(self.output.len())
    }

    fn kind(&self) -> Kind {
        match self.recursion {
            Recursion::Ema { .. } | Recursion::Sma { .. } | Recursion::Rma { .. } => Kind::Steady(self.len()),
            Recursion::EmaAdjusted { .. } => Kind::Adjusted(self.len()),
            Recursion::CumSum => Kind::Sum,
        }
    }

    /// w, or that of a value's own row where it changes.
    fn weight(&self) -> f64 {
        match self.recursion {
            Recursion::Ema { window } | Recursion::EmaAdjusted { window } => 2.0 / (window as f64 + 1.0),
            Recursion::Sma { window, weight, .. } => weight as f64 / window as f64,
            Recursion::Rma { window } => 1.0 / window as f64,
            Recursion::CumSum => 0.0,
        }
    }

    /// How many values there have to be before it is steady.
    fn seeds(&self) -> usize {
        match self.recursion {
            Recursion::Rma { window } => window,
            _ => 1,
        }
    }

    /// The row from which it is steady and has no nulls, if there is one.
    fn steady_from(&self) -> Option<usize> {
        let Register([_, seen]) = *self.register;
        let mut missing = self.seeds().saturating_sub(seen as usize);
        let mut from = 0;
        while missing > 0 {
            missing -= usize::from(!self.input.get(from)?.is_nan());
            from += 1;
        }
        let rest = self.input.get(from..)?;
        // Mostly there are none, and looking whether there are any takes many values at a time.
        if rest.iter().fold(false, |nulls, x| nulls | x.is_nan()) {
            from += rest.iter().rposition(|x| x.is_nan()).map_or(0, |row| row + 1);
        }
        Some(from)
    }

    /// The rows up to one by themselves, and the step over the others.
    fn split(&mut self, row: usize) -> Step<'_> {
        let row = row.min(self.len());
        let (input, rest) = self.input.split_at(row);
        let (output, more) = self.output.split_at_mut(row);
        alone(&mut Step { recursion: self.recursion, input, register: self.register, output });
        Step { recursion: self.recursion, input: rest, register: self.register, output: more }
    }
}

/// Rows that are worked on before the next ones are looked for.
const ROWS: usize = 64;

/// Runs steps over inputs of the same length, row by row, without nulls.
#[inline(always)]
fn rows<const STEPS: usize>(steps: &mut [Step<'_>; STEPS], mut of: impl FnMut(usize, f64) -> f64) {
    let len = steps.first().map_or(0, Step::len);
    for first in (0..len).step_by(ROWS) {
        let last = (first + ROWS).min(len);
        let mut blocks = steps.each_mut().map(|step| {
            let (input, output) = (step.input.get(first..last).unwrap_or_default(), step.output.get_mut(first..last).unwrap_or_default());
            input.first_chunk::<ROWS>().zip(output.first_chunk_mut::<ROWS>())
        });
        if blocks.iter().all(Option::is_some) {
            for row in 0..ROWS {
                for (lane, block) in blocks.iter_mut().enumerate() {
                    if let Some((input, output)) = block {
                        output[row] = of(lane, input[row]);
                    }
                }
            }
        } else {
            for row in first..last {
                for (lane, step) in steps.iter_mut().enumerate() {
                    if let (Some(x), Some(out)) = (step.input.get(row), step.output.get_mut(row)) {
                        *out = of(lane, *x);
                    }
                }
            }
        }
        for step in &mut *steps {
            for out in step.output.get_mut(first..last).unwrap_or_default() {
                *out = finite_or_nan(*out);
            }
        }
    }
}

/// y = y' + w·(x − y') beside each other, over inputs of the same length without nulls, when all have a y'.
fn lanes<const STEPS: usize>(mut steps: [Step<'_>; STEPS]) {
    let weights = steps.each_ref().map(Step::weight);
    let mut values = steps.each_ref().map(|step| step.register.0[0]);
    rows(&mut steps, |lane, x| {
        values[lane] += weights[lane] * (x - values[lane]);
        values[lane]
    });
    for (step, value) in steps.iter_mut().zip(values) {
        step.register.0[0] = value;
    }
}

/// The same with weights that grow.
fn adjusted<const STEPS: usize>(mut steps: [Step<'_>; STEPS]) {
    let fades = steps.each_ref().map(|step| 1.0 - step.weight());
    let mut states = steps.each_ref().map(|step| step.register.0);
    rows(&mut steps, |lane, x| {
        let [value, seen] = &mut states[lane];
        *seen = aged(*seen, fades[lane]) + 1.0;
        *value += (1.0 / *seen) * (x - *value);
        *value
    });
    for (step, state) in steps.iter_mut().zip(states) {
        step.register.0 = state;
    }
}

/// The weight of all values so far, a row later. However long nothing comes, there is an average.
#[inline(always)]
fn aged(seen: f64, fade: f64) -> f64 {
    let aged = seen * fade;
    if seen > 0.0 && aged < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { aged }
}

/// Runs one recursion over anything.
fn alone(step: &mut Step<'_>) {
    let Register([mut value, mut seen]) = *step.register;
    let weight = step.weight();
    let rows = step.output.iter_mut().zip(step.input);
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
                seen = aged(seen, fade);
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
