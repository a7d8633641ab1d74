//! Computing a set over bars: all of them, some of its features, or what new bars add.
//!
//! Not the arithmetic (`indicator`), not the order of the work (`plan`), not the state's text (`state`). Contract: every part
//! of the set's graph that is needed is computed once; a table has a row for every bar; a value that is not defined is NaN,
//! and none is infinite. Rows computed by going on from a state are bit for bit what they are when all rows are computed:
//! windows see all of their rows again, recursions start from their numbers, TA-Lib's functions see every bar again.
//!
//! Long series are worked on piece by piece, going on from each piece to the next, so that what is being worked on stays in
//! the processor's cache.

mod buffer;
mod elementwise;
mod kernels;
mod plan;
mod registers;
mod run;

#[cfg(test)]
mod tests;

pub(in crate::feature) use plan::Plan;
pub(in crate::feature) use registers::Registers;

use super::graph::{Graph, NodeId};
use super::state::FeatureState;
use super::{FeatureSet, FeatureTable};
use crate::market::Bars;
use run::Run;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Rows that are worked on at once, unless windows reach so far back that more pay.
const PIECE_ROWS: usize = 8_192;

/// All features of a set over bars.
///
/// The table has a row for every bar; a value that is not defined is NaN, and none is infinite.
#[must_use]
pub fn compute(set: &FeatureSet, bars: &Bars) -> FeatureTable {
    let wanted = Wanted::all(set);
    let (columns, _) = wanted.rows(bars, 0, bars.len(), wanted.registers());
    table(set, 0..set.outputs().len(), bars, 0, columns)
}

/// Some features of a set over bars, by their places in the set and in the given order; and the state before row `state_at`
/// of those alone.
#[must_use]
pub fn compute_some(set: &FeatureSet, places: &[usize], bars: &Bars, state_at: usize) -> (FeatureTable, FeatureState) {
    let state_at = state_at.min(bars.len());
    let known = |place: &usize| set.outputs().get(*place).map(|output| (*place, *output));
    let (places, outputs): (Vec<usize>, Vec<NodeId>) = places.iter().filter_map(known).unzip();
    let wanted = if outputs == set.outputs() { Wanted::all(set) } else { Wanted::of(set.graph(), &outputs) };
    let (columns, registers) = wanted.rows(bars, 0, state_at, wanted.registers());
    (table(set, places.into_iter(), bars, 0, columns), FeatureState::noted(bars, state_at, &registers))
}

/// All features of a set over bars, and the state before row `state_at` (`bars.len()`, or anything above it, is the end).
#[must_use]
pub fn compute_with_state(set: &FeatureSet, bars: &Bars, state_at: usize) -> (FeatureTable, FeatureState) {
    compute_some(set, &(0..set.outputs().len()).collect::<Vec<_>>(), bars, state_at)
}

/// The rows from `from_row` on of what [`compute`] gives for all these bars, without computing the rows before; and the
/// state before row `state_at` (anything above `bars.len()` is the end).
///
/// Of the bars before `from_row` only the last [`look_back`] are read; that all of them are those the state was made from
/// is the caller's to know. `None` when the state does not have what this set needs, is of another row or of another last
/// bar, or `state_at` is before `from_row`: then everything is to be computed.
#[must_use]
pub fn continue_from(
    set: &FeatureSet,
    bars: &Bars,
    from_row: usize,
    state: &FeatureState,
    state_at: usize,
) -> Option<(FeatureTable, FeatureState)> {
    let state_at = state_at.min(bars.len());
    if state.rows() != from_row || state_at < from_row || !state.is_of(bars) {
        return None;
    }
    let wanted = Wanted::all(set);
    let mut registers = wanted.registers();
    if !state.load(&mut registers) {
        return None;
    }
    let (columns, registers) = wanted.rows(bars, from_row, state_at, registers);
    let table = table(set, 0..set.outputs().len(), bars, from_row, columns);
    Some((table, FeatureState::noted(bars, state_at, &registers)))
}

/// Takes a table whose values nobody needs any more: its columns become the room of this thread's next ones.
pub fn recycle(table: FeatureTable) {
    kernels::with_scratch(|pool| table.columns.into_iter().for_each(|column| pool.give_back(column)));
}

/// How many bars before a row [`continue_from`] reads: at least one, by which a state knows its place, and `usize::MAX`
/// where a function of the set needs every bar since the first.
#[must_use]
pub fn look_back(set: &FeatureSet) -> usize {
    let plan = set.plan();
    if plan.given.is_empty() { plan.look_back.max(1) } else { usize::MAX }
}

/// The registers that a state of all of a set's features has, as before the first row.
pub(in crate::feature) fn registers_of(set: &FeatureSet) -> Registers {
    Wanted::all(set).registers()
}

/// Some outputs of a graph and how they are computed.
struct Wanted<'a> {
    graph: &'a Graph,
    outputs: &'a [NodeId],
    plan: Cow<'a, Plan>,
}

impl<'a> Wanted<'a> {
    fn of(graph: &'a Graph, outputs: &'a [NodeId]) -> Self {
        Self { graph, outputs, plan: Cow::Owned(Plan::new(graph, outputs)) }
    }

    /// All features of a set, by the plan it keeps.
    fn all(set: &'a FeatureSet) -> Self {
        Self { graph: set.graph(), outputs: set.outputs(), plan: Cow::Borrowed(set.plan()) }
    }

    fn registers(&self) -> Registers {
        Registers::before_first_row(self.graph, &self.plan)
    }

    /// The rows from one on, and what the registers hold before row `state_at`.
    fn rows(&self, bars: &Bars, from_row: usize, state_at: usize, mut registers: Registers) -> (Vec<Vec<f64>>, Registers) {
        let given = self.given(bars);
        let run = Run { graph: self.graph, plan: &self.plan, bars, given: &given };
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let rows = bars.len().saturating_sub(from_row);
        for piece in self.pieces(from_row..state_at) {
            extend(&mut columns, run.rows(self.outputs, &piece, &mut registers), rows);
        }
        let noted = registers.clone();
        for piece in self.pieces(state_at..bars.len()) {
            extend(&mut columns, run.rows(self.outputs, &piece, &mut registers), rows);
        }
        columns.resize(self.outputs.len(), Vec::new());
        (columns, noted)
    }

    fn pieces(&self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
        let length = PIECE_ROWS.max(self.plan.look_back.saturating_mul(4));
        let mut next = rows.start;
        std::iter::from_fn(move || {
            // A short rest goes with the piece before it.
            let rest = rows.end.saturating_sub(next);
            let end = if rest > length.saturating_add(length / 2) { next + length } else { rows.end };
            let piece = next..end;
            next = end;
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// What needs every bar since the first.
    fn given(&self, bars: &Bars) -> Vec<(NodeId, Vec<f64>)> {
        if self.plan.given.is_empty() {
            return Vec::new();
        }
        let plan = Plan::for_given(self.graph, &self.plan.given);
        let mut registers = Registers::before_first_row(self.graph, &plan);
        let run = Run { graph: self.graph, plan: &plan, bars, given: &[] };
        let columns = run.rows(&self.plan.given, &(0..bars.len()), &mut registers);
        self.plan.given.iter().copied().zip(columns).collect()
    }
}

/// Puts the rows of a piece behind those before. The first has to make room for all `rows` if it is not the only one.
fn extend(columns: &mut Vec<Vec<f64>>, more: Vec<Vec<f64>>, rows: usize) {
    if columns.is_empty() {
        *columns = more;
        for column in columns.iter_mut() {
            column.reserve_exact(rows.saturating_sub(column.len()));
        }
        return;
    }
    for (column, more) in columns.iter_mut().zip(more) {
        column.extend_from_slice(&more);
    }
}

fn table(set: &FeatureSet, places: impl Iterator<Item = usize>, bars: &Bars, from_row: usize, columns: Vec<Vec<f64>>) -> FeatureTable {
    let names = places.filter_map(|place| set.definitions().get(place)).map(|definition| Arc::clone(&definition.name));
    FeatureTable {
        resolution: bars.resolution,
        time_us: bars.time_us.get(from_row..).unwrap_or_default().to_vec(),
        names: names.collect(),
        columns,
    }
}
