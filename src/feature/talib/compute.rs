//! What calls give: values at every bar, null where there are none.
//!
//! Not the functions' arithmetic (the `ta-lib` crate). Contract: every output is as long as the inputs; no value is ever
//! infinite, and NaN stands for null; values at a bar are the same bits whatever bars follow.

use super::call::TalibCall;
use super::function::{TalibFunction, of};
use ta_lib::abstract_api::{InputType, ParamHolder};
use ta_lib::{Core, OutRange, RetCode};

/// Most series that a function is computed from.
const MOST_INPUTS: usize = 6;

/// Inputs that do not fit the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TalibComputeError {
    /// Too many or too few inputs.
    #[error("the function is computed from {expected} series, and {given} were given")]
    InputCount {
        /// The function's.
        expected: usize,
        /// What was given.
        given: usize,
    },
    /// Inputs of different bars.
    #[error("the function's inputs differ in length")]
    InputLengths,
    /// More bars than TA-Lib's positions can count.
    #[error("a series may have {most} bars at most", most = Core::INDEX_MAX)]
    TooManyBars,
    /// TA-Lib did not compute it, though every parameter was right.
    #[error("TA-Lib refused to compute: {0:?}")]
    Refused(RetCode),
}

impl TalibCall {
    /// All outputs over inputs that hold numbers only: each as long as the inputs, NaN before its first value.
    ///
    /// # Errors
    ///
    /// Inputs of the wrong number or of unequal lengths.
    pub fn compute(&self, inputs: &[&[f64]]) -> Result<Vec<Vec<f64>>, TalibComputeError> {
        let mut outputs = Vec::new();
        self.compute_into(inputs, &mut outputs)?;
        Ok(outputs)
    }

    /// As [`compute`](Self::compute), into buffers that are kept between calls; what they held before does not matter.
    ///
    /// # Errors
    ///
    /// Inputs of the wrong number or of unequal lengths.
    pub fn compute_into(&self, inputs: &[&[f64]], outputs: &mut Vec<Vec<f64>>) -> Result<(), TalibComputeError> {
        let (function, bars) = self.check(inputs)?;
        outputs.resize_with(function.outputs.len(), Vec::new);
        for output in outputs.iter_mut() {
            output.resize(bars, f64::NAN);
        }
        let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.run(function, inputs, &mut slices, 0)
    }

    /// All outputs over inputs that may hold nulls: null where any input is, and every unbroken run of bars without nulls is
    /// computed on its own, from its first bar. Positions still count from the first bar of all.
    ///
    /// # Errors
    ///
    /// Inputs of the wrong number or of unequal lengths.
    pub fn compute_with_nulls(&self, inputs: &[&[f64]]) -> Result<Vec<Vec<f64>>, TalibComputeError> {
        let (function, bars) = self.check(inputs)?;
        if inputs.iter().all(|series| is_all_finite(series)) {
            return self.compute(inputs);
        }
        let mut outputs = vec![vec![f64::NAN; bars]; function.outputs.len()];
        let mut start = 0;
        while start < bars {
            let is_null = |bar: &usize| inputs.iter().any(|series| series.get(*bar).is_none_or(|value| !value.is_finite()));
            let end = (start..bars).find(is_null).unwrap_or(bars);
            if end - start > self.look_back {
                let run: Vec<&[f64]> = inputs.iter().map(|series| series.get(start..end).unwrap_or_default()).collect();
                let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(|output| output.get_mut(start..end).unwrap_or_default()).collect();
                self.run(function, &run, &mut slices, start)?;
            }
            start = end + 1;
        }
        Ok(outputs)
    }

    /// The function, and how many bars there are.
    fn check(&self, inputs: &[&[f64]]) -> Result<(&'static TalibFunction, usize), TalibComputeError> {
        let function = of(self.function).ok_or(TalibComputeError::Refused(RetCode::FuncNotFound))?;
        let expected = function.inputs.len();
        if inputs.len() != expected || expected > MOST_INPUTS {
            return Err(TalibComputeError::InputCount { expected, given: inputs.len() });
        }
        let bars = inputs.first().map_or(0, |series| series.len());
        if inputs.iter().any(|series| series.len() != bars) {
            return Err(TalibComputeError::InputLengths);
        }
        if bars > Core::INDEX_MAX {
            return Err(TalibComputeError::TooManyBars);
        }
        Ok((function, bars))
    }

    /// One unbroken run of bars, the first of which is bar `first_bar` of all. Every value of the outputs is written.
    fn run(
        &self,
        function: &TalibFunction,
        inputs: &[&[f64]],
        outputs: &mut [&mut [f64]],
        first_bar: usize,
    ) -> Result<(), TalibComputeError> {
        let bars = inputs.first().map_or(0, |series| series.len());
        let warm_up = self.look_back.min(bars);
        for output in outputs.iter_mut() {
            output.get_mut(..warm_up).unwrap_or_default().fill(f64::NAN);
        }
        if bars <= self.look_back {
            return Ok(());
        }
        let mut whole = vec![Vec::new(); outputs.len()];
        let range = {
            let mut holder = self.bind().ok_or(TalibComputeError::Refused(RetCode::BadParam))?;
            set_inputs(&mut holder, inputs).map_err(TalibComputeError::Refused)?;
            let parts = function.outputs.iter().zip(outputs.iter_mut()).zip(whole.iter_mut()).enumerate();
            for (place, ((output, values), integers)) in parts {
                // TA-Lib writes its first value to the buffer's start: where the first value belongs.
                let values = values.get_mut(self.look_back..).unwrap_or_default();
                let bound = if output.is_whole {
                    integers.resize(values.len(), 0);
                    holder.set_int_output(place, integers).map(|_| ())
                } else {
                    holder.set_output(place, values).map(|_| ())
                };
                bound.map_err(TalibComputeError::Refused)?;
            }
            holder.call(0, bars - 1).map_err(TalibComputeError::Refused)?
        };
        for ((output, values), integers) in function.outputs.iter().zip(outputs.iter_mut()).zip(&whole) {
            let values = values.get_mut(self.look_back..).unwrap_or_default();
            if output.is_whole {
                // Negative positions say that there is none.
                let offset = if output.is_position { first_bar as f64 } else { 0.0 };
                for (value, integer) in values.iter_mut().zip(integers) {
                    let is_position = output.is_position && *integer >= 0;
                    *value = f64::from(*integer) + if is_position { offset } else { 0.0 };
                }
            }
            place(values, range, self.look_back);
        }
        Ok(())
    }
}

/// Moves values that start later than promised to their bars, and makes nulls of what is no number.
fn place(values: &mut [f64], range: OutRange, look_back: usize) {
    let bars = values.len();
    let late = range.beg_idx.saturating_sub(look_back).min(bars);
    let count = range.count.min(bars - late);
    if late > 0 {
        values.copy_within(..count, late);
        values.get_mut(..late).unwrap_or_default().fill(f64::NAN);
    }
    values.get_mut(late + count..).unwrap_or_default().fill(f64::NAN);
    for values in values.chunks_mut(CHUNK) {
        if !is_all_finite(values) {
            values.iter_mut().filter(|value| value.is_infinite()).for_each(|value| *value = f64::NAN);
        }
    }
}

/// Values that are looked at together, without a branch for each of them.
const CHUNK: usize = 64;

fn is_all_finite(values: &[f64]) -> bool {
    values.chunks(CHUNK).all(|chunk| chunk.iter().fold(true, |finite, value| finite & value.is_finite()))
}

/// Hands the inputs over: price inputs take several series, the others one each.
fn set_inputs<'a>(holder: &mut ParamHolder<'a>, inputs: &[&'a [f64]]) -> Result<(), RetCode> {
    let mut rest = inputs.iter().copied();
    for (slot, input) in holder.info().inputs.iter().enumerate() {
        if input.kind == InputType::Real {
            holder.set_input(slot, rest.next().ok_or(RetCode::BadParam)?)?;
            continue;
        }
        let mut fields: [Option<&'a [f64]>; MOST_INPUTS] = [None; MOST_INPUTS];
        for (bit, field) in fields.iter_mut().enumerate() {
            if input.flags.bits() & (1 << bit) != 0 {
                *field = Some(rest.next().ok_or(RetCode::BadParam)?);
            }
        }
        let [open, high, low, close, volume, open_interest] = fields;
        holder.set_price_input(slot, open, high, low, close, volume, open_interest)?;
    }
    Ok(())
}
