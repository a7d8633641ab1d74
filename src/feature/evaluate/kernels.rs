//! From nodes to kernels: what the operators of one step ask of `indicator::rolling`, and room that is used again.
//!
//! Contract: room belongs to a thread and is kept between runs; it never holds values that anybody reads.

use crate::feature::graph::{Operator, Recursion};
use crate::indicator::rolling::{self, PairWant, Register, Want};
use std::borrow::Cow;
use std::cell::RefCell;

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    buffers: Vec<Vec<f64>>,
    rolling: rolling::Scratch,
}

/// Most buffers that are kept.
const MOST_BUFFERS: usize = 512;
/// Largest buffer that is kept, in values.
const LARGEST_BUFFER: usize = 1 << 16;

impl Scratch {
    /// An empty buffer, with room from some earlier use if there is one.
    pub(super) fn take(&mut self) -> Vec<f64> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Takes a buffer whose values nobody needs any more.
    pub(super) fn give_back(&mut self, mut buffer: Vec<f64>) {
        if self.buffers.len() < MOST_BUFFERS && (1..=LARGEST_BUFFER).contains(&buffer.capacity()) {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}

/// Lends this thread's room. A use within a use gets room of its own.
pub(super) fn with_scratch<Out>(work: impl FnOnce(&mut Scratch) -> Out) -> Out {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    let mut scratch = SCRATCH.with(|own| own.try_borrow_mut().map(|mut own| std::mem::take(&mut *own)).unwrap_or_default());
    let out = work(&mut scratch);
    SCRATCH.with(|own| {
        if let Ok(mut own) = own.try_borrow_mut() {
            *own = scratch;
        }
    });
    out
}

/// Statistics of one input; one output each.
pub(super) fn rolling(values: &[f64], at_start: bool, operators: &[&Operator], outputs: &mut [Vec<f64>], scratch: &mut Scratch) {
    let want = |operator: &&Operator| match **operator {
        Operator::Rolling { statistic, window, warm_up } => Some(Want { statistic, window, warm_up }),
        _ => None,
    };
    let wants: Vec<Want> = operators.iter().filter_map(want).collect();
    rolling::family(values, at_start, &wants, outputs, &mut scratch.rolling);
}

/// Statistics of one pair of inputs; one output each.
pub(super) fn pairs(x: &[f64], y: &[f64], at_start: bool, operators: &[&Operator], outputs: &mut [Vec<f64>], scratch: &mut Scratch) {
    let want = |operator: &&Operator| match **operator {
        Operator::Pair { statistic, window, warm_up } => Some(PairWant { statistic, window, warm_up }),
        _ => None,
    };
    let wants: Vec<PairWant> = operators.iter().filter_map(want).collect();
    rolling::pair_family(x, y, at_start, &wants, outputs, &mut scratch.rolling);
}

/// The numbers of a recursion before the first row.
pub(super) fn start(recursion: Recursion) -> [f64; 2] {
    Register::before_first(recursion).0
}

/// Carries recursions over inputs of the same length on; each output is put behind what is in its buffer.
pub(super) fn recursive(recursions: &[(Recursion, Cow<'_, [f64]>)], states: &mut [[f64; 2]], outputs: &mut [Vec<f64>]) {
    let mut registers: Vec<Register> = states.iter().map(|numbers| Register(*numbers)).collect();
    let mut steps: Vec<rolling::Step<'_>> = Vec::with_capacity(recursions.len());
    for (((recursion, input), register), output) in recursions.iter().zip(&mut registers).zip(outputs) {
        let before = output.len();
        output.resize(before + input.len(), f64::NAN);
        let output = output.get_mut(before..).unwrap_or_default();
        steps.push(rolling::Step { recursion: *recursion, input, register, output });
    }
    rolling::recur(&mut steps);
    for (numbers, register) in states.iter_mut().zip(registers) {
        *numbers = register.0;
    }
}
