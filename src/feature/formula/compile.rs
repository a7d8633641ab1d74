//! An expression to nodes of a graph: names, types and constants.
//!
//! Not calls of functions (`calls`). Contract: all mistakes of an expression are noted, each where it stands, and what
//! depends on a mistake is not reported again. Numbers are combined beforehand only where that cannot change a bit.

use super::expression::{Expression, Infix, Kind, Plain, Prefix};
use super::{Mistake, nearest};
use crate::feature::functions::{self, functions};
use crate::feature::graph::{Binary, Comparison, Field, Finite, Graph, NodeId, Operator, Unary, WarmUp};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Most mistakes that are told of one formula.
const MOST_MISTAKES: usize = 20;

/// What an expression stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// Nothing: there is a mistake in it, which is noted.
    Unknown,
    /// The same number on every bar, known now.
    Number(Finite),
    /// A node.
    Series {
        /// Which.
        id: NodeId,
        /// Whether it is the same on every bar all the same.
        is_constant: bool,
    },
}

impl Value {
    pub(super) fn is_constant(self) -> bool {
        matches!(self, Self::Number(_) | Self::Series { is_constant: true, .. })
    }
}

/// Compiles the formulas of one set into one graph.
#[derive(Debug)]
pub(crate) struct Compiler<'set> {
    /// What the formulas compile to.
    pub graph: Graph,
    /// What a name stands for; `None` for one whose formula comes later or is part of a circle.
    pub scope: HashMap<&'set str, Option<Value>>,
    /// Every name of the set, for suggestions.
    pub names: BTreeSet<&'set str>,
    pub(super) warm_up: WarmUp,
    pub(super) mistakes: Vec<Mistake>,
    is_full: bool,
    /// How many names may still be compared with all others.
    comparisons: usize,
}

impl<'set> Compiler<'set> {
    pub(crate) fn new(warm_up: WarmUp) -> Self {
        Self {
            graph: Graph::default(),
            scope: HashMap::new(),
            names: BTreeSet::new(),
            warm_up,
            mistakes: Vec::new(),
            is_full: false,
            comparisons: 500,
        }
    }

    /// What an expression stands for, and the mistakes in it.
    pub(crate) fn compile(&mut self, expression: &Expression) -> (Value, Vec<Mistake>) {
        let value = self.value(expression);
        (value, std::mem::take(&mut self.mistakes))
    }

    /// The node of a value that is a column of its own.
    pub(crate) fn output(&mut self, value: Value, span: &Range<usize>) -> (Option<NodeId>, Vec<Mistake>) {
        let id = self.node(value, span);
        (id, std::mem::take(&mut self.mistakes))
    }

    /// Notes a mistake.
    pub(super) fn mistake(&mut self, span: &Range<usize>, message: impl Into<String>) -> Value {
        self.mistake_near(span, message, None)
    }

    pub(super) fn mistake_near(&mut self, span: &Range<usize>, message: impl Into<String>, suggestion: Option<String>) -> Value {
        if self.mistakes.len() < MOST_MISTAKES {
            self.mistakes.push(Mistake { span: span.clone(), message: message.into(), suggestion });
        }
        Value::Unknown
    }

    /// The nearest of some names, unless there were too many such questions.
    pub(super) fn near<'n>(&mut self, wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
        self.comparisons = self.comparisons.checked_sub(1)?;
        nearest(wrong, names).map(str::to_owned)
    }

    /// Adds a node over these inputs.
    pub(super) fn add(&mut self, operator: Operator, inputs: &[Value], span: &Range<usize>) -> Value {
        let is_constant = !inputs.is_empty() && inputs.iter().all(|input| input.is_constant());
        let mut ids = Vec::with_capacity(inputs.len());
        for input in inputs {
            match self.node(*input, span) {
                Some(id) => ids.push(id),
                None => return Value::Unknown,
            }
        }
        match self.graph.add(operator, &ids) {
            Ok(id) => Value::Series { id, is_constant },
            Err(full) if !self.is_full => {
                self.is_full = true;
                self.mistake(span, full.to_string())
            }
            Err(_) => Value::Unknown,
        }
    }

    /// The node of a value.
    fn node(&mut self, value: Value, span: &Range<usize>) -> Option<NodeId> {
        match value {
            Value::Unknown => None,
            Value::Series { id, .. } => Some(id),
            Value::Number(number) => match self.add(Operator::Constant(number), &[], span) {
                Value::Series { id, .. } => Some(id),
                Value::Unknown | Value::Number(_) => None,
            },
        }
    }

    /// Whether a value's values are truths.
    pub(super) fn is_truth(&self, value: Value) -> bool {
        matches!(value, Value::Series { id, .. } if self.graph.node(id).is_some_and(|node| node.is_truth))
    }

    pub(super) fn value(&mut self, expression: &Expression) -> Value {
        match &expression.kind {
            Kind::Number(number) => match Finite::new(*number) {
                Some(number) => Value::Number(number),
                None => self.mistake(&expression.span, "this is no finite number"),
            },
            Kind::Field(name) => self.field(name, &expression.span),
            Kind::Name(name) => self.name(name, &expression.span),
            Kind::Prefix(prefix, operand) => self.prefix(*prefix, operand, &expression.span),
            Kind::Infix(infix, sign, operands) => self.infix(*infix, sign, operands, &expression.span),
            Kind::Call(name, arguments) => self.call(name, arguments, None, &expression.span),
            Kind::Output(of, output) => match &of.kind {
                Kind::Call(name, arguments) => self.call(name, arguments, Some(output), &expression.span),
                _ => {
                    self.value(of);
                    self.mistake(&output.span, "only functions have outputs; write the dot behind the function's brackets")
                }
            },
        }
    }

    fn field(&mut self, name: &str, span: &Range<usize>) -> Value {
        if let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) {
            return self.add(Operator::Field(field), &[], span);
        }
        let near = self.near(name, Field::ALL.map(Field::name));
        let all = Field::ALL.map(|field| format!("${}", field.name())).join(", ");
        let others = if near.is_some() { String::new() } else { format!("; the fields are {all}") };
        self.mistake_near(span, format!("there is no field ${name}{others}"), near.map(|near| format!("${near}")))
    }

    fn name(&mut self, name: &str, span: &Range<usize>) -> Value {
        match self.scope.get(name) {
            Some(Some(value)) => return *value,
            Some(None) => return Value::Unknown,
            None => {}
        }
        if let Some(function) = functions::function(name) {
            return self.mistake(span, format!("{name} is a function: {}", function.signature));
        }
        if Field::ALL.into_iter().any(|field| field.name() == name) {
            return self.mistake_near(span, format!("fields have a dollar sign, and there is no feature {name}"), Some(format!("${name}")));
        }
        let near = self.nearest_name(name);
        self.mistake_near(span, format!("there is no feature or helper {name}"), near)
    }

    /// The nearest of everything that could stand where a name does.
    fn nearest_name(&mut self, name: &str) -> Option<String> {
        let names: Vec<&str> =
            self.names.iter().copied().chain(Field::ALL.map(Field::name)).chain(functions().iter().map(|known| &*known.name)).collect();
        let near = self.near(name, names)?;
        let is_field = !self.names.contains(near.as_str()) && Field::ALL.into_iter().any(|field| field.name() == near);
        Some(if is_field { format!("${near}") } else { near })
    }

    fn prefix(&mut self, prefix: Prefix, operand: &Expression, span: &Range<usize>) -> Value {
        let value = self.value(operand);
        match (prefix, value) {
            (_, Value::Unknown) => Value::Unknown,
            (Prefix::Negate, Value::Number(number)) => {
                folded(-number.get()).map_or_else(|| self.add(Operator::Unary(Unary::Negate), &[value], span), Value::Number)
            }
            (Prefix::Negate, Value::Series { .. }) => self.add(Operator::Unary(Unary::Negate), &[value], span),
            (Prefix::Not, _) => {
                if self.wants_truth(value, operand, "~") {
                    self.add(Operator::Unary(Unary::Not), &[value], span)
                } else {
                    Value::Unknown
                }
            }
        }
    }

    fn infix(&mut self, infix: Infix, sign: &Range<usize>, operands: &[Expression; 2], span: &Range<usize>) -> Value {
        let [left, right] = operands;
        let values = [self.value(left), self.value(right)];
        if values.contains(&Value::Unknown) {
            return Value::Unknown;
        }
        if let [Value::Number(x), Value::Number(y)] = values {
            let known = match infix {
                Infix::Add => folded(x.get() + y.get()),
                Infix::Subtract => folded(x.get() - y.get()),
                Infix::Multiply => folded(x.get() * y.get()),
                Infix::Divide => folded(x.get() / y.get()),
                _ => None,
            };
            if let Some(known) = known {
                return Value::Number(known);
            }
        }
        let comparison = |comparison| Operator::Compare { comparison, warm_up: self.warm_up };
        let operator = match infix {
            Infix::Add => Operator::Binary(Binary::Add),
            Infix::Subtract => Operator::Binary(Binary::Subtract),
            Infix::Multiply => Operator::Binary(Binary::Multiply),
            Infix::Divide => Operator::Binary(Binary::Divide),
            Infix::Greater => comparison(Comparison::Greater),
            Infix::GreaterOrEqual => comparison(Comparison::GreaterOrEqual),
            Infix::Less => comparison(Comparison::Less),
            Infix::LessOrEqual => comparison(Comparison::LessOrEqual),
            Infix::Equal => comparison(Comparison::Equal),
            Infix::NotEqual => comparison(Comparison::NotEqual),
            Infix::And | Infix::Or => return self.truths(infix, sign, operands, values, span),
        };
        self.add(operator, &values, span)
    }

    /// `x & y`, `x | y`.
    fn truths(&mut self, infix: Infix, sign: &Range<usize>, operands: &[Expression; 2], values: [Value; 2], span: &Range<usize>) -> Value {
        let wrong = operands.iter().zip(values).find(|(_, value)| !self.is_truth(*value));
        if let Some((operand, _)) = wrong {
            let sign_text = infix.sign();
            let message = format!(
                "{sign_text} needs a truth on both sides, and {operand} is a number; put comparisons in brackets: (x < y) {sign_text} (y < z)"
            );
            let place = if operand.span.is_empty() { sign.clone() } else { operand.span.clone() };
            return self.mistake(&place, short(message));
        }
        let binary = if infix == Infix::And { Binary::And } else { Binary::Or };
        self.add(Operator::Binary(binary), &values, span)
    }

    /// Whether a value is a truth; a mistake is noted if it is not.
    pub(super) fn wants_truth(&mut self, value: Value, expression: &Expression, of: &str) -> bool {
        if value == Value::Unknown || self.is_truth(value) {
            return value != Value::Unknown;
        }
        let message = format!("{of} needs a truth such as $close > $open here, and {expression} is a number");
        self.mistake(&expression.span, short(message));
        false
    }
}

/// A number that was computed beforehand; not minus zero, which a constant cannot be.
fn folded(value: f64) -> Option<Finite> {
    if value == 0.0 && value.is_sign_negative() { None } else { Finite::new(value) }
}

/// A message that quotes a formula, cut where that is long.
pub(super) fn short(message: String) -> String {
    const MOST: usize = 240;
    match message.char_indices().nth(MOST) {
        Some((place, _)) => format!("{}…", message.get(..place).unwrap_or_default()),
        None => message,
    }
}

/// A number as people write it.
pub(super) fn plain(value: f64) -> String {
    Plain(value).to_string()
}
