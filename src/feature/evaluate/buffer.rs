//! The values of one node over some rows, wherever they lie.
//!
//! Contract: rows are those of the whole series; a buffer holds a run of them up to the run's end, and answers for rows it
//! does not hold with nothing. NaN is null.

use std::ops::Range;

/// The values of a node.
#[derive(Debug, Clone, Default)]
pub(super) enum Buffer<'a> {
    /// Not computed, or not needed any more.
    #[default]
    Nothing,
    /// The same number on every row.
    Constant(f64),
    /// A column of the bars, from their first row on, or values that were given.
    Borrowed(&'a [f64]),
    /// Computed: the row of the first value, and the values.
    Owned(usize, Vec<f64>),
}

/// What an operator reads of an input: a number, or some rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operand<'a> {
    /// The same on every row.
    Constant(f64),
    /// Row by row.
    Rows(&'a [f64]),
}

impl Buffer<'_> {
    /// The values of some rows; fewer, or none, where they are not all there. A constant has no rows.
    pub(super) fn rows(&self, rows: Range<usize>) -> &[f64] {
        let (first, values) = match self {
            Self::Nothing | Self::Constant(_) => return &[],
            Self::Borrowed(values) => (0, *values),
            Self::Owned(first, values) => (*first, values.as_slice()),
        };
        let from = rows.start.saturating_sub(first);
        let to = rows.end.saturating_sub(first).min(values.len());
        if rows.start < first { &[] } else { values.get(from..to).unwrap_or_default() }
    }

    /// The same as an operand.
    pub(super) fn operand(&self, rows: Range<usize>) -> Operand<'_> {
        match self {
            Self::Constant(value) => Operand::Constant(*value),
            _ => Operand::Rows(self.rows(rows)),
        }
    }
}
