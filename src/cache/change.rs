//! What changed at a source, as it was noticed. A line of history, never an instruction.

use crate::market::Symbol;
use crate::source::SourceId;
use serde::Serialize;

/// In what way a symbol's bars are not what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Bars were added after the last one.
    Appended,
    /// Bars that were cached have other values, are gone, or have new ones between them.
    Rewritten,
    /// The source has no bars of the symbol any more; the last good version is kept.
    Removed,
}

impl ChangeKind {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Appended => "appended",
            Self::Rewritten => "rewritten",
            Self::Removed => "removed",
        }
    }

    /// The kind of this word; unknown words mean that history was rewritten.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "appended" => Self::Appended,
            "removed" => Self::Removed,
            _ => Self::Rewritten,
        }
    }
}

/// A change of one symbol's bars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where.
    pub source: SourceId,
    /// Of which symbol.
    pub symbol: Symbol,
    /// When it was noticed, in microseconds since 1970-01-01 UTC.
    pub noticed_us: i64,
    /// In what way.
    pub kind: ChangeKind,
    /// Settled years whose digest is not what it was.
    pub years: Vec<i32>,
    /// Time of the first bar that differs.
    pub first_us: Option<i64>,
    /// Bars that are new.
    pub inserted: u64,
    /// Bars that are gone.
    pub removed: u64,
    /// Bars with another value.
    pub altered: u64,
    /// The same in words.
    pub detail: String,
}
