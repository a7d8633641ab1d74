//! What the nodes of a graph do: every operator with its parameters, and its canonical text.
//!
//! Not how they are computed (`evaluate`) and not how they are written (`formula`). Contract: two operators with the same
//! canonical text give the same bits for the same inputs; the text is what hashes are made of, so changing it makes cached
//! values outdated.

use crate::feature::talib::TalibCall;
pub use crate::indicator::rolling::{Finite, PairStatistic, Recursion, Statistic, WarmUp};
use std::fmt;
use std::sync::Arc;

/// A column of the bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Opening prices.
    Open,
    /// Highest prices.
    High,
    /// Lowest prices.
    Low,
    /// Closing prices.
    Close,
    /// Volumes.
    Volume,
    /// Average price of the bar: amount/volume where the source has amounts (null where the volume is 0), else
    /// (high + low + close)/3.
    Vwap,
    /// Traded money, null where the source has none.
    Amount,
    /// Turnover rate in percent, null where the source has none.
    Turnover,
}

impl Field {
    /// All fields, in the order they are listed.
    pub const ALL: [Self; 8] = [Self::Open, Self::High, Self::Low, Self::Close, Self::Volume, Self::Vwap, Self::Amount, Self::Turnover];

    /// Its name without the dollar sign.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::Vwap => "vwap",
            Self::Amount => "amount",
            Self::Turnover => "turnover",
        }
    }

    /// One line for people.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Open => "Opening price",
            Self::High => "Highest price",
            Self::Low => "Lowest price",
            Self::Close => "Closing price",
            Self::Volume => "Volume",
            Self::Vwap => "Average price of the bar: amount over volume, or (high + low + close)/3 where there is no amount",
            Self::Amount => "Traded money, where the source has it",
            Self::Turnover => "Turnover rate in percent, where the source has it",
        }
    }
}

/// Of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    /// −x.
    Negate,
    /// |x|.
    Abs,
    /// −1, 0 or 1.
    Sign,
    /// Natural logarithm; null for zero and below.
    Log,
    /// ln(1 + x), keeping the digits of a small x; null for −1 and below.
    Log1p,
    /// eˣ.
    Exp,
    /// Square root; null below zero.
    Sqrt,
    /// 1 where the truth is false; null stays null.
    Not,
    /// True where the value is null.
    IsNull,
}

/// Of two values of the same bar. Null where one of them is, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// x + y.
    Add,
    /// x − y.
    Subtract,
    /// x·y.
    Multiply,
    /// x/y; null where y is 0.
    Divide,
    /// xʸ; null where that is no finite number.
    Power,
    /// The larger of the two.
    Greater,
    /// The smaller of the two.
    Less,
    /// x, or y where x is null.
    Coalesce,
    /// Both true; null where one is null, even if the other is false.
    And,
    /// One true; null where one is null, even if the other is true.
    Or,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// x > y.
    Greater,
    /// x ≥ y.
    GreaterOrEqual,
    /// x < y.
    Less,
    /// x ≤ y.
    LessOrEqual,
    /// x = y.
    Equal,
    /// x ≠ y.
    NotEqual,
}

/// What a node does with its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// A column of the bars; no inputs.
    Field(Field),
    /// The same number on every bar; no inputs.
    Constant(Finite),
    /// One input.
    Unary(Unary),
    /// Two inputs.
    Binary(Binary),
    /// Two inputs; a truth.
    Compare {
        /// How.
        comparison: Comparison,
        /// In a partial set a comparison with null is false, in a strict one null.
        warm_up: WarmUp,
    },
    /// Three inputs: the second where the first is true, the third where it is false; null where the first is null.
    Select,
    /// One input: its value so many bars ago, null before.
    Shift {
        /// At least 1.
        bars: usize,
    },
    /// One input.
    Rolling {
        /// What is said.
        statistic: Statistic,
        /// N, this bar included.
        window: usize,
        /// What incomplete windows give.
        warm_up: WarmUp,
    },
    /// Two inputs.
    Pair {
        /// What is said.
        statistic: PairStatistic,
        /// N, this bar included.
        window: usize,
        /// What incomplete windows give.
        warm_up: WarmUp,
    },
    /// One input.
    Recursive(Recursion),
    /// One output of a TA-Lib function; the inputs are the function's, in its order.
    Talib {
        /// Function and parameters.
        call: Arc<TalibCall>,
        /// Which output.
        output: usize,
    },
}

/// The canonical text of an operator with its parameters, without its inputs.
impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => write!(formatter, "${}", field.name()),
            Self::Constant(value) => write!(formatter, "{value}"),
            Self::Unary(unary) => write!(formatter, "{unary:?}"),
            Self::Binary(binary) => write!(formatter, "{binary:?}"),
            Self::Compare { comparison, warm_up } => write!(formatter, "Compare{comparison:?}:{warm_up}"),
            Self::Select => formatter.write_str("Select"),
            Self::Shift { bars } => write!(formatter, "Shift:{bars}"),
            Self::Rolling { statistic: Statistic::Quantile(q), window, warm_up } => {
                write!(formatter, "Quantile:{q}:{window}:{warm_up}")
            }
            Self::Rolling { statistic, window, warm_up } => write!(formatter, "{statistic:?}:{window}:{warm_up}"),
            Self::Pair { statistic, window, warm_up } => write!(formatter, "{statistic:?}:{window}:{warm_up}"),
            Self::Recursive(recursion) => match recursion {
                Recursion::Ema { window } => write!(formatter, "Ema:{window}"),
                Recursion::EmaAdjusted { window } => write!(formatter, "EmaAdjusted:{window}"),
                Recursion::Sma { window, weight, seed: None } => write!(formatter, "Sma:{window}:{weight}"),
                Recursion::Sma { window, weight, seed: Some(seed) } => write!(formatter, "Sma:{window}:{weight}:{seed}"),
                Recursion::Rma { window } => write!(formatter, "Rma:{window}"),
                Recursion::CumSum => formatter.write_str("CumSum"),
            },
            Self::Talib { call, output } => write!(formatter, "TA:{call}.{output}"),
        }
    }
}

/// How far back a node's value at a bar reaches into its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// So many bars before the bar itself.
    Bars(usize),
    /// This bar, and the state that the bars before left.
    Recursive,
    /// All bars since the first: it has no state that can be kept.
    Everything,
}

impl Operator {
    /// How far back it reaches into its inputs.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self {
            Self::Field(_) | Self::Constant(_) | Self::Unary(_) | Self::Binary(_) | Self::Compare { .. } | Self::Select => Reach::Bars(0),
            Self::Shift { bars } => Reach::Bars(*bars),
            Self::Rolling { window, .. } | Self::Pair { window, .. } => Reach::Bars(window.saturating_sub(1)),
            Self::Recursive(_) => Reach::Recursive,
            Self::Talib { .. } => Reach::Everything,
        }
    }

    /// Whether its values are truths: 1, 0 or null.
    #[must_use]
    pub fn is_truth(&self) -> bool {
        matches!(self, Self::Compare { .. } | Self::Unary(Unary::Not | Unary::IsNull) | Self::Binary(Binary::And | Binary::Or))
    }

    /// Whether its two inputs can be exchanged without changing a bit.
    #[must_use]
    pub fn is_commutative(&self) -> bool {
        matches!(
            self,
            Self::Binary(Binary::Add | Binary::Multiply | Binary::And | Binary::Or)
                | Self::Compare { comparison: Comparison::Equal | Comparison::NotEqual, .. }
        )
    }
}
