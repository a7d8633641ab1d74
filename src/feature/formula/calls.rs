//! Calls of functions: which value is which parameter, what is left out, and what comes of it.
//!
//! Not TA-Lib's rules for its inputs (`talib_calls`). Contract: a call is checked against what `functions` lists, number by
//! number, before a node is made.

use super::compile::{Compiler, Value, plain, short};
use super::expression::{Argument, Expression, Name};
use crate::feature::functions::{self, Function, LeftOut, Meaning, Parameter, ParameterKind, functions};
use crate::feature::graph::{Binary, Finite, Operator, Recursion, Statistic, WarmUp};
use std::ops::Range;

/// A parameter's value in a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'e> {
    /// Written, and where.
    Value(Value, &'e Expression),
    /// Left out.
    LeftOut,
}

impl<'set> Compiler<'set> {
    pub(super) fn call(&mut self, name: &Name, arguments: &[Argument], output: Option<&Name>, span: &Range<usize>) -> Value {
        let function = functions::function(&name.text);
        if let Some(function) = function
            && let Meaning::Talib(talib) = function.meaning
        {
            return self.talib_call((function, talib), name, arguments, output, span);
        }
        let values: Vec<Value> = arguments.iter().map(|argument| self.value(&argument.value)).collect();
        let Some(function) = function else { return self.unknown_function(name) };
        if let Some(output) = output {
            return self.mistake(&output.span, format!("{} has one output; leave .{} out", function.name, output.text));
        }
        let Some(given) = self.bind(function, name, arguments, &values, span) else { return Value::Unknown };
        self.own_call(function, name, &given, span)
    }

    fn unknown_function(&mut self, name: &Name) -> Value {
        if self.names.contains(name.text.as_str()) {
            return self.mistake(&name.span, format!("{} is a feature or helper, not a function; leave the brackets out", name.text));
        }
        let near = self.near(&name.text, functions().iter().map(|known| &*known.name));
        self.mistake_near(&name.span, format!("there is no function {}", name.text), near)
    }

    /// Which value is which parameter.
    fn bind<'e>(
        &mut self,
        function: &Function,
        name: &Name,
        arguments: &'e [Argument],
        values: &[Value],
        span: &Range<usize>,
    ) -> Option<Vec<Given<'e>>> {
        let parameters = &function.parameters;
        let mut given = vec![Given::LeftOut; parameters.len()];
        let mut is_named = false;
        for (place, (argument, value)) in arguments.iter().zip(values).enumerate() {
            let place = match &argument.name {
                Some(named) => {
                    is_named = true;
                    self.parameter_place(function, named)?
                }
                None if is_named => {
                    self.mistake(&argument.value.span, "values without a name stand before those with one");
                    return None;
                }
                None => place,
            };
            let Some(slot) = given.get_mut(place) else {
                self.too_many(function, arguments);
                return None;
            };
            if let (Given::Value(..), Some(named)) = (&slot, &argument.name) {
                self.mistake(&named.span, format!("{} is given twice", named.text));
                return None;
            }
            *slot = Given::Value(*value, &argument.value);
        }
        let missing: Vec<&str> = parameters
            .iter()
            .zip(&given)
            .filter(|(parameter, given)| parameter.default.is_none() && matches!(given, Given::LeftOut))
            .map(|(parameter, _)| &*parameter.name)
            .collect();
        if missing.is_empty() {
            return Some(given);
        }
        let hint = if function.meaning == Meaning::Sma { "; for a plain mean write Mean(x, n)" } else { "" };
        let place = if span.is_empty() { &name.span } else { span };
        self.mistake(place, format!("{} needs {} too{hint}", function.signature, missing.join(" and ")));
        None
    }

    /// The place of the parameter of this name.
    pub(super) fn parameter_place(&mut self, function: &Function, named: &Name) -> Option<usize> {
        let place = function.parameters.iter().position(|parameter| *parameter.name == *named.text);
        if place.is_none() {
            let near = self.near(&named.text, function.parameters.iter().map(|parameter| &*parameter.name));
            self.mistake_near(&named.span, format!("{} has no parameter {}", function.signature, named.text), near);
        }
        place
    }

    fn too_many(&mut self, function: &Function, arguments: &[Argument]) {
        let most = function.parameters.len();
        let mut spans = arguments.iter().skip(most).map(|argument| &argument.value.span);
        let (Some(first), Some(last)) = (spans.clone().next(), spans.next_back()) else { return };
        let span = first.start..last.end;
        let count = count_of(most, "value", "values");
        self.mistake(&span, format!("{} takes {count}, not {}", function.signature, arguments.len()));
    }

    fn own_call(&mut self, function: &Function, name: &Name, given: &[Given<'_>], span: &Range<usize>) -> Value {
        let mut inputs = Vec::new();
        let mut numbers = Vec::new();
        let mut is_wrong = false;
        for (parameter, given) in function.parameters.iter().zip(given) {
            match (parameter.is_series(), given) {
                (true, Given::Value(value, expression)) => {
                    let is_right = match parameter.kind {
                        ParameterKind::Truth => self.wants_truth(*value, expression, &function.name),
                        _ => *value != Value::Unknown,
                    };
                    is_wrong |= !is_right;
                    inputs.push((*value, *expression));
                }
                (false, Given::Value(value, expression)) => match self.number(function, parameter, *value, expression) {
                    Some(number) => numbers.push(Some(number)),
                    None => is_wrong = true,
                },
                (_, Given::LeftOut) => numbers.push(match parameter.default {
                    Some(LeftOut::Number(number)) => Some(number),
                    _ => None,
                }),
            }
        }
        if is_wrong || self.is_constant_window(function, &inputs) {
            return Value::Unknown;
        }
        let inputs: Vec<Value> = inputs.into_iter().map(|(value, _)| value).collect();
        self.meaning(function, name, &inputs, &numbers, span)
    }

    /// Whether a function that looks at several bars got something that is the same on all of them; a mistake is noted.
    fn is_constant_window(&mut self, function: &Function, inputs: &[(Value, &Expression)]) -> bool {
        if matches!(function.meaning, Meaning::Unary(_) | Meaning::Binary(_) | Meaning::Compare(_) | Meaning::If) {
            return false;
        }
        let Some((_, expression)) = inputs.iter().find(|(value, _)| value.is_constant()) else { return false };
        let message =
            format!("{} needs something that changes from bar to bar, such as $close; {expression} is always the same", function.name);
        self.mistake(&expression.span, short(message));
        true
    }

    /// A number of a call, checked against its parameter.
    fn number(&mut self, function: &Function, parameter: &Parameter, value: Value, expression: &Expression) -> Option<f64> {
        let span = &expression.span;
        let number = match value {
            Value::Unknown => return None,
            Value::Number(number) => number.get(),
            Value::Series { .. } => {
                let hint = match function.meaning {
                    Meaning::Rolling(Statistic::Max) => "; for the larger of two values write Greater(x, y)",
                    Meaning::Rolling(Statistic::Min) => "; for the smaller of two values write Less(x, y)",
                    _ => "",
                };
                self.mistake(span, format!("{} of {} must be a number{hint}", parameter.name, function.signature));
                return None;
            }
        };
        let called = || format!("{} of {}", parameter.name, function.signature);
        let message = match (&parameter.kind, function.meaning) {
            (ParameterKind::Whole { .. }, Meaning::Ref | Meaning::Delta) if number < 0.0 => format!(
                "{} looks back only: a value that is taken from the future leaks into training, and changes after it was cached",
                function.name
            ),
            (ParameterKind::Whole { .. }, Meaning::Ref) if number == 0.0 => {
                "Ref(x, 0) is x itself here, and the first value in Qlib; look back at least 1 bar".to_owned()
            }
            (ParameterKind::Whole { .. }, Meaning::Delta) if number == 0.0 => {
                "the change since 0 bars ago is nothing; look back at least 1 bar".to_owned()
            }
            (ParameterKind::Whole { .. }, _) if number == 0.0 && parameter.name == "n" => {
                "a window of 0 bars holds nothing; use CumSum for a sum since the first bar".to_owned()
            }
            (ParameterKind::Whole { .. }, _) if number.fract() != 0.0 => {
                format!("{} must be a whole number, not {}", called(), plain(number))
            }
            (ParameterKind::Whole { least, most }, _) if number < *least as f64 || number > *most as f64 => {
                format!("{} must be from {least} to {most}, not {}", called(), plain(number))
            }
            (ParameterKind::Real { least, most }, _) if number < *least || number > *most => {
                format!("{} must be from {} to {}, not {}", called(), plain(*least), plain(*most), plain(number))
            }
            _ => return Some(number),
        };
        self.mistake(span, message);
        None
    }

    fn meaning(&mut self, function: &Function, name: &Name, inputs: &[Value], numbers: &[Option<f64>], span: &Range<usize>) -> Value {
        let whole = |place: usize| numbers.get(place).copied().flatten().map_or(0, |number| number as usize);
        let warm_up = self.warm_up;
        let window = whole(0);
        let operator = match function.meaning {
            Meaning::Unary(unary) => Operator::Unary(unary),
            Meaning::Binary(binary) => Operator::Binary(binary),
            Meaning::Compare(comparison) => Operator::Compare { comparison, warm_up },
            Meaning::If => Operator::Select,
            Meaning::Ref => Operator::Shift { bars: window },
            Meaning::Delta => {
                let before = self.add(Operator::Shift { bars: window }, inputs, span);
                let now = inputs.first().copied().unwrap_or(Value::Unknown);
                return self.add(Operator::Binary(Binary::Subtract), &[now, before], span);
            }
            Meaning::Rolling(statistic) => Operator::Rolling { statistic, window, warm_up },
            Meaning::Count => {
                // How many truths are true is their sum; of numbers, those that are there are counted.
                let is_truth = inputs.first().is_some_and(|input| self.is_truth(*input));
                Operator::Rolling { statistic: if is_truth { Statistic::Sum } else { Statistic::Count }, window, warm_up }
            }
            Meaning::Quantile => {
                let Some(q) = numbers.get(1).copied().flatten().and_then(Finite::new) else { return Value::Unknown };
                Operator::Rolling { statistic: Statistic::Quantile(q), window, warm_up }
            }
            Meaning::Pair(statistic) => Operator::Pair { statistic, window, warm_up },
            Meaning::Ema => Operator::Recursive(match warm_up {
                WarmUp::Strict => Recursion::Ema { window },
                WarmUp::Partial => Recursion::EmaAdjusted { window },
            }),
            Meaning::Sma => {
                let weight = whole(1);
                if weight > window {
                    return self
                        .mistake(span, format!("m of {} must be from 1 to n, that is to {window}, not {weight}", function.signature));
                }
                Operator::Recursive(Recursion::Sma { window, weight, seed: numbers.get(2).copied().flatten().and_then(Finite::new) })
            }
            Meaning::Rma => Operator::Recursive(Recursion::Rma { window }),
            Meaning::CumSum => Operator::Recursive(Recursion::CumSum),
            Meaning::Talib(_) => return self.mistake(&name.span, "this function is not known here"),
        };
        self.add(operator, inputs, span)
    }
}

/// `1 value`, `2 values`.
pub(super) fn count_of(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
