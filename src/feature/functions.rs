//! The functions of formulas: what they are called, what they take and what they say, for the compiler and for people alike.
//!
//! Not how they are computed. Contract: one list, own functions first; what a function is listed to take is what formulas
//! are checked against.

use super::graph::{Binary, Comparison, Field, PairStatistic, Statistic, Unary};
use super::talib::{self, TalibFunction, TalibInput, TalibKind, TalibParameter, TalibSetting};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

/// Longest window of a function, in bars.
pub const LONGEST_WINDOW: usize = 100_000;

/// What a parameter takes.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterKind {
    /// Something with a value on every bar; truths count as 1 and 0, and numbers as the same on every bar.
    Series,
    /// A truth, such as a comparison.
    Truth,
    /// A whole number within these bounds.
    Whole {
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// A number within these bounds.
    Real {
        /// The smallest.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// The kind of a moving average, by name or by TA-Lib's number.
    MovingAverage,
}

/// One of the things a function takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name, by which it can be given: `fast=12`.
    pub name: Cow<'static, str>,
    /// What it takes.
    pub kind: ParameterKind,
    /// What it is when it is left out; `None` where it must be given.
    pub default: Option<LeftOut>,
    /// One line for people.
    pub description: Cow<'static, str>,
}

/// What a parameter is when it is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LeftOut {
    /// This number.
    Number(f64),
    /// This column of the bars.
    Field(Field),
    /// Nothing at all: the function does without.
    Nothing,
}

/// A function of formulas.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Heading it is listed under.
    pub group: &'static str,
    /// How it is called, such as `Mean(x, n)`.
    pub signature: String,
    /// One line for people.
    pub description: Cow<'static, str>,
    /// What it takes, in order.
    pub parameters: Vec<Parameter>,
    /// Names of its outputs; empty where there is only one, which needs no name.
    pub outputs: Vec<Cow<'static, str>>,
    pub(super) meaning: Meaning,
}

/// What a function compiles to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Unary(Unary),
    Binary(Binary),
    Compare(Comparison),
    If,
    Ref,
    Delta,
    Rolling(Statistic),
    Quantile,
    Count,
    Pair(PairStatistic),
    Ema,
    Sma,
    Rma,
    CumSum,
    Talib(&'static TalibFunction),
}

/// Every function: own ones first, by group, then TA-Lib's.
#[must_use]
pub fn functions() -> &'static [Function] {
    static ALL: LazyLock<Vec<Function>> = LazyLock::new(|| own().into_iter().chain(talib::functions().iter().map(of_talib)).collect());
    &ALL
}

/// The function of this name.
#[must_use]
pub fn function(name: &str) -> Option<&'static Function> {
    static PLACES: LazyLock<HashMap<&'static str, &'static Function>> =
        LazyLock::new(|| functions().iter().map(|function| (&*function.name, function)).collect());
    PLACES.get(name).copied()
}

impl Function {
    /// A function; its signature follows from its name and parameters.
    pub(super) fn new(
        name: impl Into<Cow<'static, str>>,
        group: &'static str,
        meaning: Meaning,
        parameters: Vec<Parameter>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        let mut signature = format!("{name}(");
        for (place, parameter) in parameters.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            // Writing to a String cannot fail.
            match parameter.default {
                Some(LeftOut::Number(value)) => {
                    write!(signature, "{separator}{}={}", parameter.name, super::formula::Plain(value)).unwrap_or_default();
                }
                Some(LeftOut::Nothing) => write!(signature, "{separator}{}=…", parameter.name).unwrap_or_default(),
                Some(LeftOut::Field(field)) => write!(signature, "{separator}${}", field.name()).unwrap_or_default(),
                None => write!(signature, "{separator}{}", parameter.name).unwrap_or_default(),
            }
        }
        signature.push(')');
        Self { name, group, signature, description: description.into(), parameters, outputs: Vec::new(), meaning }
    }
}

impl Parameter {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, kind: ParameterKind, description: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), kind, default: None, description: description.into() }
    }

    pub(super) fn or(mut self, default: LeftOut) -> Self {
        self.default = Some(default);
        self
    }

    /// Whether it takes something with a value on every bar.
    #[must_use]
    pub fn is_series(&self) -> bool {
        matches!(self.kind, ParameterKind::Series | ParameterKind::Truth)
    }
}

fn series(name: &'static str) -> Parameter {
    Parameter::new(name, ParameterKind::Series, "A value on every bar")
}

fn truth(name: &'static str) -> Parameter {
    Parameter::new(name, ParameterKind::Truth, "A truth on every bar, such as a comparison")
}

/// A window of at least so many bars.
fn window(least: i64) -> Parameter {
    let most = i64::try_from(LONGEST_WINDOW).unwrap_or(i64::MAX);
    Parameter::new("n", ParameterKind::Whole { least, most }, "Bars, this one included")
}

fn own() -> Vec<Function> {
    let mut all = elementwise();
    all.extend(rolling());
    all.extend(carried());
    all
}

/// Functions of values of the same bar.
fn elementwise() -> Vec<Function> {
    const ARITHMETIC: &str = "Arithmetic";
    const LOGIC: &str = "Logic";
    let one = |name, unary, description| Function::new(name, ARITHMETIC, Meaning::Unary(unary), vec![series("x")], description);
    let two =
        |name, binary, description| Function::new(name, ARITHMETIC, Meaning::Binary(binary), vec![series("x"), series("y")], description);
    let compare = |name, comparison, description| {
        Function::new(name, LOGIC, Meaning::Compare(comparison), vec![series("x"), series("y")], description)
    };
    vec![
        one("Abs", Unary::Abs, "Distance from zero"),
        one("Sign", Unary::Sign, "-1, 0 or 1"),
        one("Log", Unary::Log, "Natural logarithm; null for zero and below"),
        one("Log1p", Unary::Log1p, "Natural logarithm of 1 + x, exact for small x"),
        one("Exp", Unary::Exp, "e to the power of x"),
        one("Sqrt", Unary::Sqrt, "Square root; null below zero"),
        two("Power", Binary::Power, "x to the power of y"),
        two("Greater", Binary::Greater, "The larger of two values"),
        two("Less", Binary::Less, "The smaller of two values"),
        two("Add", Binary::Add, "x + y"),
        two("Sub", Binary::Subtract, "x - y"),
        two("Mul", Binary::Multiply, "x * y"),
        two("Div", Binary::Divide, "x / y; null where y is 0"),
        Function::new(
            "If",
            LOGIC,
            Meaning::If,
            vec![truth("condition"), series("x"), series("y")],
            "x where the condition is true, y where it is false",
        ),
        Function::new("And", LOGIC, Meaning::Binary(Binary::And), vec![truth("x"), truth("y")], "Whether both are true"),
        Function::new("Or", LOGIC, Meaning::Binary(Binary::Or), vec![truth("x"), truth("y")], "Whether one is true"),
        Function::new("Not", LOGIC, Meaning::Unary(Unary::Not), vec![truth("x")], "Whether it is false"),
        Function::new("IsNull", LOGIC, Meaning::Unary(Unary::IsNull), vec![series("x")], "Whether there is no value"),
        Function::new("Coalesce", LOGIC, Meaning::Binary(Binary::Coalesce), vec![series("x"), series("y")], "x, or y where x is null"),
        compare("Gt", Comparison::Greater, "x > y"),
        compare("Ge", Comparison::GreaterOrEqual, "x >= y"),
        compare("Lt", Comparison::Less, "x < y"),
        compare("Le", Comparison::LessOrEqual, "x <= y"),
        compare("Eq", Comparison::Equal, "x == y"),
        compare("Ne", Comparison::NotEqual, "x != y"),
    ]
}

/// Functions of bars before, and of the last N of them.
fn rolling() -> Vec<Function> {
    const BEFORE: &str = "Bars before";
    const WINDOW: &str = "Window";
    const REGRESSION: &str = "Regression";
    let most = i64::try_from(LONGEST_WINDOW).unwrap_or(i64::MAX);
    let back = || Parameter::new("n", ParameterKind::Whole { least: 1, most }, "Bars ago");
    let over = |name, group, statistic, least, description| {
        Function::new(name, group, Meaning::Rolling(statistic), vec![series("x"), window(least)], description)
    };
    let pair = |name, statistic, description| {
        Function::new(name, REGRESSION, Meaning::Pair(statistic), vec![series("x"), series("y"), window(2)], description)
    };
    vec![
        Function::new("Ref", BEFORE, Meaning::Ref, vec![series("x"), back()], "The value n bars ago"),
        Function::new("Delta", BEFORE, Meaning::Delta, vec![series("x"), back()], "Change since n bars ago"),
        over("Mean", WINDOW, Statistic::Mean, 1, "Mean of the last n values"),
        over("Sum", WINDOW, Statistic::Sum, 1, "Sum of the last n values"),
        over("Std", WINDOW, Statistic::Std, 2, "Standard deviation of the last n values as a sample"),
        over("StdP", WINDOW, Statistic::Stdp, 1, "Standard deviation of the last n values as a whole population"),
        over("Var", WINDOW, Statistic::Var, 2, "Variance of the last n values as a sample"),
        over("Skew", WINDOW, Statistic::Skew, 3, "Skewness of the last n values, as pandas has it"),
        over("Kurt", WINDOW, Statistic::Kurt, 4, "Excess kurtosis of the last n values, as pandas has it"),
        over("Max", WINDOW, Statistic::Max, 1, "Largest of the last n values"),
        over("Min", WINDOW, Statistic::Min, 1, "Smallest of the last n values"),
        over("IdxMax", WINDOW, Statistic::IdxMax, 1, "Where the largest of the last n values stands, from 1 for the oldest"),
        over("IdxMin", WINDOW, Statistic::IdxMin, 1, "Where the smallest of the last n values stands, from 1 for the oldest"),
        Function::new(
            "Quantile",
            WINDOW,
            Meaning::Quantile,
            vec![
                series("x"),
                window(1),
                Parameter::new("q", ParameterKind::Real { least: 0.0, most: 1.0 }, "Share of values below, from 0 to 1"),
            ],
            "The value below which a share q of the last n values lies",
        ),
        over("Med", WINDOW, Statistic::Med, 1, "Median of the last n values"),
        over("Mad", WINDOW, Statistic::Mad, 1, "Mean distance of the last n values from their mean"),
        over("Rank", WINDOW, Statistic::Rank, 1, "Rank of this value among the last n, as a share from 0 to 1"),
        Function::new(
            "Count",
            WINDOW,
            Meaning::Count,
            vec![series("x"), window(1)],
            "How many of the last n truths are true, or of the last n values not null",
        ),
        over("WMA", WINDOW, Statistic::Wma, 1, "Mean of the last n values, weighted 1 for the oldest to n"),
        over("Demean", WINDOW, Statistic::Demean, 1, "Distance from the mean of the last n values"),
        over("Slope", REGRESSION, Statistic::Slope, 2, "Slope of the straight line through the last n values"),
        over("Rsquare", REGRESSION, Statistic::Rsquare, 2, "How well a straight line fits the last n values, from 0 to 1"),
        over("Resi", REGRESSION, Statistic::Resi, 2, "Distance from the straight line through the last n values"),
        pair("Corr", PairStatistic::Corr, "Correlation of the last n pairs"),
        pair("Cov", PairStatistic::Cov, "Covariance of the last n pairs as a sample"),
    ]
}

/// Functions that carry something from bar to bar.
fn carried() -> Vec<Function> {
    const SMOOTHING: &str = "Since the first bar";
    let most = i64::try_from(LONGEST_WINDOW).unwrap_or(i64::MAX);
    let length = || Parameter::new("n", ParameterKind::Whole { least: 1, most }, "How slowly it follows, in bars");
    vec![
        Function::new(
            "EMA",
            SMOOTHING,
            Meaning::Ema,
            vec![series("x"), length()],
            "Exponential average: y' + 2/(n+1)*(x - y'), from the first value on",
        ),
        Function::new(
            "SMA",
            SMOOTHING,
            Meaning::Sma,
            vec![
                series("x"),
                length(),
                Parameter::new("m", ParameterKind::Whole { least: 1, most }, "Weight of the new value, from 1 to n"),
                Parameter::new("seed", ParameterKind::Real { least: f64::MIN, most: f64::MAX }, "The average before the first value")
                    .or(LeftOut::Nothing),
            ],
            "Average of Chinese chart software: y' + m/n*(x - y'), from the first value or from a seed on",
        ),
        Function::new(
            "RMA",
            SMOOTHING,
            Meaning::Rma,
            vec![series("x"), length()],
            "Wilder's average: the mean of the first n values, then y' + (x - y')/n",
        ),
        Function::new("CumSum", SMOOTHING, Meaning::CumSum, vec![series("x")], "Sum of all values so far"),
    ]
}

/// A function of TA-Lib.
fn of_talib(function: &'static TalibFunction) -> Function {
    let inputs = function.inputs.iter().map(|input| talib_input(function, *input));
    let settings = function.parameters.iter().map(talib_setting);
    let outputs =
        if function.outputs.len() > 1 { function.outputs.iter().map(|output| Cow::Borrowed(&*output.name)).collect() } else { Vec::new() };
    Function {
        name: Cow::Borrowed(&function.name),
        group: function.group,
        signature: function.signature(),
        description: Cow::Borrowed(&function.description),
        parameters: inputs.chain(settings).collect(),
        outputs,
        meaning: Meaning::Talib(function),
    }
}

/// An input; columns of the bars may be left out, and with them a series beside them.
fn talib_input(function: &TalibFunction, input: TalibInput) -> Parameter {
    let parameter = Parameter::new(input.name, ParameterKind::Series, "A value on every bar");
    let field = Field::ALL.into_iter().find(|field| input.is_field && field.name() == input.name);
    match field {
        Some(field) => Parameter { description: Cow::Borrowed(field.description()), ..parameter }.or(LeftOut::Field(field)),
        None if function.inputs.iter().any(|input| input.is_field) => parameter.or(LeftOut::Field(Field::Close)),
        None => parameter,
    }
}

fn talib_setting(setting: &'static TalibSetting) -> Parameter {
    let kind = match setting.kind {
        TalibKind::Integer { least, most } => ParameterKind::Whole { least: least.into(), most: most.into() },
        TalibKind::Real { least, most } => ParameterKind::Real { least, most },
        TalibKind::MovingAverage => ParameterKind::MovingAverage,
    };
    let default = match setting.default {
        TalibParameter::Integer(value) => f64::from(value),
        TalibParameter::Real(value) => value,
    };
    Parameter::new(&*setting.name, kind, &*setting.description).or(LeftOut::Number(default))
}
