//! TA-Lib's functions by name: what they take, what they give, and how they are called.
//!
//! Not their arithmetic (the `ta-lib` crate). Contract: a call's canonical text names every parameter, defaults included.

use std::fmt;
use ta_lib::abstract_api::FuncId;

/// A parameter's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TalibParameter {
    /// A whole number: a window, or the kind of a moving average.
    Integer(i32),
    /// Any finite number.
    Real(f64),
}

/// A TA-Lib function with all its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct TalibCall {
    /// Which function.
    pub function: FuncId,
    /// Every parameter, defaults included.
    pub parameters: Vec<TalibParameter>,
}

// Parameters are finite: equality is reflexive.
impl Eq for TalibCall {}

/// The canonical text: name and every parameter.
impl fmt::Display for TalibCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}(", self.function)?;
        for (place, parameter) in self.parameters.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            match parameter {
                TalibParameter::Integer(value) => write!(formatter, "{separator}{value}")?,
                TalibParameter::Real(value) => write!(formatter, "{separator}{value:?}")?,
            }
        }
        formatter.write_str(")")
    }
}

/// Every function of TA-Lib as formulas name it.
pub(in crate::feature) fn functions() -> Vec<super::functions::Function> {
    Vec::new()
}
