//! Calls of TA-Lib's functions: series before parameters, prices left out, averages by name, one of several outputs.
//!
//! Not TA-Lib's ranges (`talib`). Contract: a call either gives every series or leaves out the prices altogether; parameters
//! that are left out have TA-Lib's defaults.

use super::calls::count_of;
use super::compile::{Compiler, Value, plain, short};
use super::expression::{Argument, Expression, Kind, Name};
use crate::feature::functions::{self, Function, LeftOut, Parameter, ParameterKind};
use crate::feature::graph::Operator;
use crate::feature::talib::{TalibArgument, TalibCall, TalibFunction, moving_average_names, moving_average_number};
use std::ops::Range;
use std::sync::Arc;

/// A value of a call, before it is known which of the function's it is.
#[derive(Debug, Clone, Copy)]
enum Written<'e> {
    /// A series.
    Series(Value, &'e Expression),
    /// A number.
    Number(f64, &'e Expression),
    /// The name of a moving average.
    Word(&'e str, &'e Expression),
}

impl<'e> Written<'e> {
    fn expression(self) -> &'e Expression {
        match self {
            Self::Series(_, expression) | Self::Number(_, expression) | Self::Word(_, expression) => expression,
        }
    }
}

/// Which value is which, by the place of the function's parameter.
type Bound<'e> = Vec<Option<Written<'e>>>;

impl Compiler<'_> {
    pub(super) fn talib_call(
        &mut self,
        (function, talib): (&Function, &'static TalibFunction),
        name: &Name,
        arguments: &[Argument],
        output: Option<&Name>,
        span: &Range<usize>,
    ) -> Value {
        let Some(written) = self.written(function, arguments) else { return Value::Unknown };
        let output = self.talib_output(function, talib, name, output);
        let Some(bound) = self.bind_talib(function, arguments, &written, span) else { return Value::Unknown };
        let Some(inputs) = self.talib_inputs(function, &bound, span) else { return Value::Unknown };
        let settings = bound.get(talib.inputs.len()..).unwrap_or_default();
        let values: Vec<TalibArgument<'_>> = settings
            .iter()
            .map(|setting| match setting {
                None | Some(Written::Series(..)) => TalibArgument::Default,
                Some(Written::Number(number, _)) => TalibArgument::Number(*number),
                Some(Written::Word(word, _)) => TalibArgument::Name(word),
            })
            .collect();
        let call = match TalibCall::new(talib, &values) {
            Ok(call) => call,
            Err(error) => {
                let wrong = error.parameter().and_then(|place| settings.get(place).copied().flatten());
                let place = wrong.map_or(span, |wrong| &wrong.expression().span);
                return self.mistake(place, error.to_string());
            }
        };
        let Some(output) = output else { return Value::Unknown };
        self.add(Operator::Talib { call: Arc::new(call), output }, &inputs, span)
    }

    /// What each argument is; nothing when one of them has a mistake.
    fn written<'e>(&mut self, function: &Function, arguments: &'e [Argument]) -> Option<Vec<Written<'e>>> {
        let has_words = function.parameters.iter().any(|parameter| parameter.kind == ParameterKind::MovingAverage);
        let mut all = Some(Vec::with_capacity(arguments.len()));
        let inputs = function.parameters.iter().take_while(|parameter| parameter.is_series()).count();
        for (place, argument) in arguments.iter().enumerate() {
            let expression = &argument.value;
            let is_setting = place >= inputs || argument.name.is_some();
            let written = match &expression.kind {
                Kind::Name(word)
                    if has_words
                        && is_setting
                        && functions::function(word).is_none()
                        && !self.names.contains(word.as_str())
                        && moving_average_number(word).is_none() =>
                {
                    let near = self.near(word, moving_average_names());
                    self.mistake_near(&expression.span, format!("there is no moving average {word}"), near);
                    None
                }
                Kind::Name(word) if has_words && moving_average_number(word).is_some() && !self.names.contains(word.as_str()) => {
                    Some(Written::Word(word, expression))
                }
                _ => match self.value(expression) {
                    Value::Unknown => None,
                    Value::Number(number) => Some(Written::Number(number.get(), expression)),
                    value if value.is_constant() => {
                        let message =
                            format!("{} needs something that changes from bar to bar; {expression} is always the same", function.name);
                        self.mistake(&expression.span, short(message));
                        None
                    }
                    value => Some(Written::Series(value, expression)),
                },
            };
            all = all.zip(written).map(|(mut all, written)| {
                all.push(written);
                all
            });
        }
        all
    }

    /// The place of the selected output.
    fn talib_output(&mut self, function: &Function, talib: &TalibFunction, name: &Name, output: Option<&Name>) -> Option<usize> {
        let all = || talib.outputs.iter().map(|output| format!(".{}", output.name)).collect::<Vec<_>>().join(", ");
        match output {
            None if talib.outputs.len() == 1 => Some(0),
            None => {
                self.mistake(&name.span, format!("{} has several outputs; write one of {} behind its brackets", function.name, all()));
                None
            }
            Some(output) => {
                let place = talib.output(&output.text.to_ascii_lowercase());
                if place.is_none() && talib.outputs.len() == 1 {
                    self.mistake(&output.span, format!("{} has one output; leave .{} out", function.name, output.text));
                } else if place.is_none() {
                    let near = self.near(&output.text, talib.outputs.iter().map(|output| &*output.name));
                    self.mistake_near(&output.span, format!("{} has no output {}; it has {}", function.name, output.text, all()), near);
                }
                place
            }
        }
    }

    /// Which value is which parameter: leading series are inputs, what follows are parameters, names say it themselves.
    fn bind_talib<'e>(
        &mut self,
        function: &Function,
        arguments: &'e [Argument],
        written: &[Written<'e>],
        span: &Range<usize>,
    ) -> Option<Bound<'e>> {
        let mut bound: Bound<'e> = vec![None; function.parameters.len()];
        let inputs: Vec<&Parameter> = function.parameters.iter().take_while(|parameter| parameter.is_series()).collect();
        let is_positional = |argument: &Argument| argument.name.is_none();
        let positional = arguments.iter().take_while(|argument| is_positional(argument)).count();
        if let Some(argument) = arguments.iter().skip(positional).find(|argument| is_positional(argument)) {
            self.mistake(&argument.value.span, "values without a name stand before those with one");
            return None;
        }
        let series = written.iter().take(positional).take_while(|written| matches!(written, Written::Series(..))).count();
        // Prices may be left out together: then the series given are the others, in their order.
        let others = |parameter: &Parameter| !matches!(parameter.default, Some(LeftOut::Field(field)) if *field.name() == *parameter.name);
        let free: Vec<usize> = inputs.iter().enumerate().filter(|(_, input)| others(input)).map(|(place, _)| place).collect();
        let places: Vec<usize> = if series == free.len() { free } else { (0..inputs.len()).collect() };
        for (place, written) in places.iter().zip(written.iter().take(series)) {
            if let Some(slot) = bound.get_mut(*place) {
                *slot = Some(*written);
            }
        }
        let are_inputs_named =
            arguments.iter().filter_map(|argument| argument.name.as_ref()).any(|name| inputs.iter().any(|input| *input.name == *name.text));
        let are_too_few = series < places.len() && series > 0 && !are_inputs_named;
        if series > places.len() || are_too_few {
            let names: Vec<String> = inputs.iter().map(|input| shown(input)).collect();
            let left_out = if inputs.iter().all(|input| input.default.is_some()) { ", or none of them" } else { "" };
            let next = written.get(series).filter(|_| are_too_few && series < positional).map(|next| {
                let text = match next {
                    Written::Number(number, _) => plain(*number),
                    next => next.expression().to_string(),
                };
                (next.expression(), format!(", and {text} is none"))
            });
            let extra = written.get(inputs.len()).filter(|_| !are_too_few);
            let place = next.as_ref().map(|(expression, _)| *expression).or(extra.map(|extra| extra.expression()));
            let place = place.map_or(span, |expression| &expression.span);
            let count = count_of(inputs.len(), "series", "series");
            let hint = next.as_ref().map_or("", |(_, hint)| hint);
            self.mistake(place, short(format!("{} is computed from {count}: {}{left_out}{hint}", function.name, names.join(", "))));
            return None;
        }
        let is_without = |place: usize| inputs.get(place).is_some_and(|input| input.default.is_none()) && !are_inputs_named;
        if let Some(place) = (series..inputs.len()).find(|place| is_without(*place)) {
            let input = inputs.get(place).map_or("", |input| &input.name);
            self.mistake(span, format!("{} needs its {input} first, such as $close", function.signature));
            return None;
        }
        for (number, written) in written.iter().enumerate().take(positional).skip(series) {
            let place = inputs.len() + number - series;
            let Some(slot) = bound.get_mut(place) else {
                let count = count_of(function.parameters.len() - inputs.len(), "parameter", "parameters");
                self.mistake(&written.expression().span, format!("{} takes {count} at most", function.signature));
                return None;
            };
            *slot = Some(*written);
        }
        for (argument, written) in arguments.iter().zip(written).skip(positional) {
            let Some(named) = &argument.name else { continue };
            let place = match alias(function, &named.text) {
                Some(place) => place,
                None => self.parameter_place(function, named)?,
            };
            match bound.get_mut(place) {
                Some(slot @ None) => *slot = Some(*written),
                _ => {
                    self.mistake(&named.span, format!("{} is given twice", named.text));
                    return None;
                }
            }
        }
        Some(bound)
    }

    /// The series a call is computed from, and whether each parameter got what it takes.
    fn talib_inputs(&mut self, function: &Function, bound: &Bound<'_>, span: &Range<usize>) -> Option<Vec<Value>> {
        let mut inputs = Vec::new();
        let mut is_right = true;
        for (parameter, written) in function.parameters.iter().zip(bound) {
            match (parameter.is_series(), written) {
                (true, Some(Written::Series(value, _))) => inputs.push(*value),
                (true, Some(written)) => {
                    let expression = written.expression();
                    let message =
                        format!("{} of {} must change from bar to bar; {expression} does not", parameter.name, function.signature);
                    self.mistake(&expression.span, short(message));
                    is_right = false;
                }
                (true, None) => match parameter.default {
                    Some(LeftOut::Field(field)) => inputs.push(self.add(Operator::Field(field), &[], span)),
                    _ => {
                        self.mistake(span, format!("{} needs its {} too, such as $close", function.signature, parameter.name));
                        is_right = false;
                    }
                },
                (false, Some(Written::Series(_, expression))) => {
                    let message = format!("{} of {} must be a number, and stand behind the series", parameter.name, function.signature);
                    self.mistake(&expression.span, message);
                    is_right = false;
                }
                (false, Some(Written::Word(word, expression))) if parameter.kind != ParameterKind::MovingAverage => {
                    self.mistake(&expression.span, format!("{} of {} must be a number, not {word}", parameter.name, function.signature));
                    is_right = false;
                }
                (false, _) => {}
            }
        }
        is_right.then_some(inputs)
    }
}

/// An input's name, as it would be written.
fn shown(parameter: &Parameter) -> String {
    match parameter.default {
        Some(LeftOut::Field(field)) => format!("${}", field.name()),
        _ => parameter.name.to_string(),
    }
}

/// The parameter of a short name: `fast` is `fastperiod`, `period` and `n` are `timeperiod`.
pub(super) fn alias(function: &Function, name: &str) -> Option<usize> {
    let exact = function.parameters.iter().position(|parameter| *parameter.name == *name);
    let short = || {
        function.parameters.iter().position(|parameter| {
            let short = parameter.name.strip_suffix("period").unwrap_or(&parameter.name).trim_end_matches('_');
            !short.is_empty() && short == name || parameter.name == "timeperiod" && matches!(name, "n" | "period")
        })
    };
    exact.or_else(short)
}
