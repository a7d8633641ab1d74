//! Calls: a function with a value for every parameter.
//!
//! Not their computation (`compute`). Contract: every value is finite and within TA-Lib's range, and TA-Lib takes the values
//! together; two calls are equal exactly when their canonical texts are.

use super::function::{TalibFunction, TalibKind, TalibSetting, of};
use super::moving_average::{moving_average_name, moving_average_names, moving_average_number};
use std::fmt;
use std::sync::LazyLock;
use ta_lib::Core;
use ta_lib::abstract_api::{FuncId, ParamHolder};

/// A parameter's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TalibParameter {
    /// A whole number: a window, or the kind of a moving average.
    Integer(i32),
    /// Any finite number.
    Real(f64),
}

impl fmt::Display for TalibParameter {
    /// The shortest decimal that reads back as the same value; a real number has a point or an exponent.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(formatter, "{value}"),
            Self::Real(value) => write!(formatter, "{value:?}"),
        }
    }
}

/// A parameter's value as a formula has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TalibArgument<'a> {
    /// Left out.
    Default,
    /// A number.
    Number(f64),
    /// A name: of a moving average.
    Name(&'a str),
}

/// Why a function cannot be called like this.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TalibCallError {
    /// More values than parameters.
    #[error("{function} takes {}, and {given} were given", parameters_text(*.most))]
    TooMany {
        /// The function.
        function: String,
        /// Its parameters.
        most: usize,
        /// The values.
        given: usize,
    },
    /// A value that its parameter does not take.
    #[error("{name} of {function} must be {allowed}; {given} is not")]
    NotAllowed {
        /// The function.
        function: String,
        /// Which parameter, counted from 0 and without the inputs.
        parameter: usize,
        /// Its name.
        name: String,
        /// What it may be.
        allowed: String,
        /// What was given.
        given: String,
    },
    /// Values that are right one by one.
    #[error("{function} does not take these parameters together: {parameters}{}", periods_advice(.parameters))]
    NotTogether {
        /// The function.
        function: String,
        /// Names and values.
        parameters: String,
    },
}

impl TalibCallError {
    /// Which parameter is wrong, if it is one: counted from 0 and without the inputs.
    #[must_use]
    pub fn parameter(&self) -> Option<usize> {
        match self {
            Self::TooMany { most, .. } => Some(*most),
            Self::NotAllowed { parameter, .. } => Some(*parameter),
            Self::NotTogether { .. } => None,
        }
    }
}

fn parameters_text(most: usize) -> String {
    match most {
        0 => "no parameters".to_owned(),
        1 => "one parameter at most".to_owned(),
        _ => format!("{most} parameters at most"),
    }
}

fn periods_advice(parameters: &str) -> &'static str {
    if parameters.contains("minperiod") { " (minperiod may not be above maxperiod)" } else { "" }
}

/// TA-Lib's settings: none but its own, so that a call says everything.
pub(super) static CORE: LazyLock<Core> = LazyLock::new(Core::new);

/// A TA-Lib function with all its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct TalibCall {
    pub(super) function: FuncId,
    parameters: Vec<TalibParameter>,
    pub(super) look_back: usize,
}

// Parameters are finite: equality is reflexive.
impl Eq for TalibCall {}

impl TalibCall {
    /// The function with these parameters; those that are left out, or not given at the end, have their defaults.
    ///
    /// # Errors
    ///
    /// More values than parameters, or a value that is not allowed.
    pub fn new(function: &TalibFunction, arguments: &[TalibArgument<'_>]) -> Result<Self, TalibCallError> {
        if arguments.len() > function.parameters.len() {
            let most = function.parameters.len();
            return Err(TalibCallError::TooMany { function: function.name.clone(), most, given: arguments.len() });
        }
        let left_out = std::iter::repeat(&TalibArgument::Default);
        let mut parameters = Vec::with_capacity(function.parameters.len());
        for (place, (setting, argument)) in function.parameters.iter().zip(arguments.iter().chain(left_out)).enumerate() {
            let value = value_of(setting, *argument).filter(|value| !needs_even(function.id) || is_even(*value));
            parameters.push(value.ok_or_else(|| TalibCallError::NotAllowed {
                function: function.name.clone(),
                parameter: place,
                name: setting.name.clone(),
                allowed: allowed_text(function.id, setting.kind),
                given: given_text(setting, *argument),
            })?);
        }
        let mut call = Self { function: function.id, parameters, look_back: 0 };
        let look_back = call.bind().and_then(|bound| bound.lookback().ok());
        call.look_back = look_back.ok_or_else(|| {
            let named = function.parameters.iter().zip(&call.parameters);
            let texts: Vec<String> = named.map(|(setting, value)| format!("{}={}", setting.name, setting.text(*value))).collect();
            TalibCallError::NotTogether { function: function.name.clone(), parameters: texts.join(", ") }
        })?;
        Ok(call)
    }

    /// The function.
    #[must_use]
    pub fn function(&self) -> Option<&'static TalibFunction> {
        of(self.function)
    }

    /// Every parameter, defaults included.
    #[must_use]
    pub fn parameters(&self) -> &[TalibParameter] {
        &self.parameters
    }

    /// How many bars of an unbroken series have no value: the first value is at this place.
    #[must_use]
    pub fn look_back(&self) -> usize {
        self.look_back
    }

    /// How many series it is computed from.
    #[must_use]
    pub fn input_count(&self) -> usize {
        self.function().map_or(0, |function| function.inputs.len())
    }

    /// How many series it gives.
    #[must_use]
    pub fn output_count(&self) -> usize {
        self.function.info().outputs.len()
    }

    /// TA-Lib's holder with the parameters in it.
    pub(super) fn bind<'a>(&self) -> Option<ParamHolder<'a>> {
        let mut holder = self.function.new_call(&CORE);
        for (place, parameter) in self.parameters.iter().enumerate() {
            match parameter {
                TalibParameter::Integer(value) => holder.set_opt_input(place, *value).ok()?,
                TalibParameter::Real(value) => holder.set_opt_input(place, *value).ok()?,
            };
        }
        Some(holder)
    }
}

fn value_of(setting: &TalibSetting, argument: TalibArgument<'_>) -> Option<TalibParameter> {
    let number = match argument {
        TalibArgument::Default => return Some(setting.default),
        TalibArgument::Name(name) => {
            let number = (setting.kind == TalibKind::MovingAverage).then(|| moving_average_number(name)).flatten();
            return number.map(TalibParameter::Integer);
        }
        TalibArgument::Number(number) => number,
    };
    match setting.kind {
        TalibKind::Integer { least, most } => whole(number).filter(|value| (least..=most).contains(value)).map(TalibParameter::Integer),
        TalibKind::MovingAverage => whole(number).filter(|value| moving_average_name(*value).is_some()).map(TalibParameter::Integer),
        // A minus zero would be another text for the same value.
        TalibKind::Real { least, most } => (least..=most).contains(&number).then_some(TalibParameter::Real(number + 0.0)),
    }
}

fn whole(number: f64) -> Option<i32> {
    let fits = number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within the range")]
    fits.then_some(number as i32)
}

/// The one function that halves its window.
fn needs_even(function: FuncId) -> bool {
    function == FuncId::FRAMA
}

fn is_even(value: TalibParameter) -> bool {
    matches!(value, TalibParameter::Integer(number) if number % 2 == 0)
}

fn allowed_text(function: FuncId, kind: TalibKind) -> String {
    /// TA-Lib's way to say that there is no bound.
    const UNBOUNDED: f64 = 1e37;
    match kind {
        TalibKind::Integer { least, most } => {
            format!("{} number from {least} to {most}", if needs_even(function) { "an even" } else { "a whole" })
        }
        TalibKind::Real { least, most } if least < -UNBOUNDED && most > UNBOUNDED => "a number".to_owned(),
        TalibKind::Real { least, most } if most > UNBOUNDED => format!("a number of {least} or more"),
        TalibKind::Real { least, most } => format!("a number from {least} to {most}"),
        TalibKind::MovingAverage => {
            let names: Vec<&str> = moving_average_names().collect();
            format!("a moving average ({}) or its number", names.join(" "))
        }
    }
}

fn given_text(setting: &TalibSetting, argument: TalibArgument<'_>) -> String {
    match argument {
        TalibArgument::Default => setting.default_text(),
        TalibArgument::Number(number) => format!("{number}"),
        TalibArgument::Name(name) => format!("{name:?}"),
    }
}

/// The canonical text: name and every parameter.
impl fmt::Display for TalibCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}(", self.function)?;
        for (place, parameter) in self.parameters.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            write!(formatter, "{separator}{parameter}")?;
        }
        formatter.write_str(")")
    }
}
