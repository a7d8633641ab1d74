//! What a formula says, as a tree with the places of its parts; `Display` prints it in the canonical way.
//!
//! Not what it means: names may be unknown here. Contract: parsing what is printed gives a tree that prints the same, with
//! as few brackets as that allows.

use std::fmt;
use std::ops::Range;

/// A sign before one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `-x`.
    Negate,
    /// `~x`.
    Not,
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Infix {
    /// `x + y`.
    Add,
    /// `x - y`.
    Subtract,
    /// `x * y`.
    Multiply,
    /// `x / y`.
    Divide,
    /// `x > y`.
    Greater,
    /// `x >= y`.
    GreaterOrEqual,
    /// `x < y`.
    Less,
    /// `x <= y`.
    LessOrEqual,
    /// `x == y`.
    Equal,
    /// `x != y`.
    NotEqual,
    /// `x & y`.
    And,
    /// `x | y`.
    Or,
}

/// How tightly operators bind, as in Python: comparisons loosest, then `|`, `&`, sums, products, signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Comparison,
    Or,
    And,
    Sum,
    Product,
    Prefix,
    Value,
}

impl Binding {
    /// The next tighter.
    pub(super) fn tighter(self) -> Self {
        match self {
            Self::Comparison => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Prefix,
            Self::Prefix | Self::Value => Self::Value,
        }
    }
}

impl Infix {
    pub(super) fn binding(self) -> Binding {
        match self {
            Self::Add | Self::Subtract => Binding::Sum,
            Self::Multiply | Self::Divide => Binding::Product,
            Self::And => Binding::And,
            Self::Or => Binding::Or,
            Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual | Self::Equal | Self::NotEqual => Binding::Comparison,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::And => "&",
            Self::Or => "|",
        }
    }
}

/// A name and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Bytes of the formula.
    pub span: Range<usize>,
}

/// One of the values in a call's brackets.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The parameter's name, where it was given as `fast=12`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expression,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A finite number, not negative.
    Number(f64),
    /// A column of the bars, without the dollar sign.
    Field(String),
    /// A feature or helper.
    Name(String),
    /// `-x`, `~x`.
    Prefix(Prefix, Box<Expression>),
    /// `x + y`; the range is the operator's own.
    Infix(Infix, Range<usize>, Box<[Expression; 2]>),
    /// `Mean(x, 5)`.
    Call(Name, Vec<Argument>),
    /// `TA_MACD(x).hist`.
    Output(Box<Expression>, Name),
}

/// A formula, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes of the formula; brackets around it are not part of it.
    pub span: Range<usize>,
    /// How many parts are nested in each other at most.
    height: usize,
}

impl Expression {
    pub(super) fn new(kind: Kind, span: Range<usize>) -> Self {
        let below = match &kind {
            Kind::Number(_) | Kind::Field(_) | Kind::Name(_) => 0,
            Kind::Prefix(_, operand) => operand.height,
            Kind::Output(call, _) => call.height,
            Kind::Infix(_, _, operands) => operands.iter().map(|operand| operand.height).max().unwrap_or(0),
            Kind::Call(_, arguments) => arguments.iter().map(|argument| argument.value.height).max().unwrap_or(0),
        };
        Self { kind, span, height: below + 1 }
    }

    /// How many parts are nested in each other at most.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    fn binding(&self) -> Binding {
        match &self.kind {
            Kind::Number(_) | Kind::Field(_) | Kind::Name(_) | Kind::Call(..) | Kind::Output(..) => Binding::Value,
            Kind::Prefix(..) => Binding::Prefix,
            Kind::Infix(infix, ..) => infix.binding(),
        }
    }

    /// Prints it where something that binds at least so tightly is wanted.
    fn print(&self, formatter: &mut fmt::Formatter<'_>, wanted: Binding) -> fmt::Result {
        if self.binding() < wanted {
            return write!(formatter, "({self})");
        }
        write!(formatter, "{self}")
    }

    /// Every name of a feature or helper in it, in the order of the text.
    pub(crate) fn names<'e>(&'e self, found: &mut Vec<(&'e str, Range<usize>)>) {
        match &self.kind {
            Kind::Number(_) | Kind::Field(_) => {}
            Kind::Name(name) => found.push((name, self.span.clone())),
            Kind::Prefix(_, operand) => operand.names(found),
            Kind::Output(call, _) => call.names(found),
            Kind::Infix(_, _, operands) => operands.iter().for_each(|operand| operand.names(found)),
            Kind::Call(_, arguments) => arguments.iter().for_each(|argument| argument.value.names(found)),
        }
    }
}

/// A number as people write it: `12`, `0.5`, `1e-12`; it reads back as the same bits.
pub(crate) struct Plain(pub f64);

impl fmt::Display for Plain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.fract() == 0.0 && self.0.abs() < 1e15 { write!(formatter, "{}", self.0) } else { write!(formatter, "{:?}", self.0) }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Number(value) => write!(formatter, "{}", Plain(*value)),
            Kind::Field(name) => write!(formatter, "${name}"),
            Kind::Name(name) => formatter.write_str(name),
            Kind::Prefix(prefix, operand) => {
                formatter.write_str(match prefix {
                    Prefix::Negate => "-",
                    Prefix::Not => "~",
                })?;
                operand.print(formatter, Binding::Prefix)
            }
            Kind::Infix(infix, _, operands) => {
                let [left, right] = &**operands;
                // Comparisons do not chain; everything else is read from the left.
                let binding = infix.binding();
                left.print(formatter, if binding == Binding::Comparison { binding.tighter() } else { binding })?;
                write!(formatter, " {} ", infix.sign())?;
                right.print(formatter, binding.tighter())
            }
            Kind::Call(name, arguments) => {
                write!(formatter, "{}(", name.text)?;
                for (place, argument) in arguments.iter().enumerate() {
                    if place > 0 {
                        formatter.write_str(", ")?;
                    }
                    if let Some(name) = &argument.name {
                        write!(formatter, "{}=", name.text)?;
                    }
                    write!(formatter, "{}", argument.value)?;
                }
                formatter.write_str(")")
            }
            Kind::Output(call, name) => {
                call.print(formatter, Binding::Value)?;
                write!(formatter, ".{}", name.text)
            }
        }
    }
}
