//! Formulas: text to an expression, an expression to nodes of a graph, and help while writing one.
//!
//! Not sets of formulas (`set`) and not values (`evaluate`). Contract: any text gives an answer or a mistake that says where
//! it stands, in time and stack that its length bounds; whatever is refused is refused before anything is computed.

mod calls;
mod compile;
mod complete;
mod expression;
mod highlight;
mod lexer;
mod nearest;
mod parser;
mod talib_calls;

#[cfg(test)]
mod tests;

pub use complete::{CallAt, Candidate, CandidateKind, Completion, call_at, complete};
pub use expression::{Argument, Expression, Infix, Kind, Name, Prefix};
pub use highlight::{TokenKind, tokens};
pub use nearest::nearest;
pub use parser::{DEEPEST_NESTING, LONGEST_TEXT, TALLEST_EXPRESSION, parse};

pub(super) use compile::{Compiler, Value};
pub(super) use expression::Plain;
pub(super) use lexer::{continues_name, starts_name};

use std::fmt;
use std::ops::Range;

/// Where a formula is wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the formula, on character boundaries; empty at the end of a formula that ends too early.
    pub span: Range<usize>,
    /// What is wrong or was expected, without a full stop.
    pub message: String,
    /// What to write in the place of the span: the nearest known name, or the right sign.
    pub suggestion: Option<String>,
}

impl Mistake {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), suggestion: None }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        self.suggestion.as_ref().map_or(Ok(()), |suggestion| write!(formatter, "; did you mean {suggestion}?"))
    }
}

impl std::error::Error for Mistake {}
