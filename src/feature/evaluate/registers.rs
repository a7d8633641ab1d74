//! What recursions carry from row to row: their numbers, and the last values that windows above them reach back to.
//!
//! Not the text it is kept as (`state`). Contract: numbers are kept bit for bit, one NaN like another.

use super::kernels;
use super::plan::Plan;
use crate::feature::graph::{Graph, NodeId, Operator};

/// What one recursion carries.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::feature) struct Register {
    /// Which.
    pub id: NodeId,
    /// Hash of its meaning.
    pub hash: u128,
    /// Its numbers.
    pub numbers: [f64; 2],
    /// Its last values, the oldest first.
    pub history: Vec<f64>,
    /// How many last values there are once there are enough rows.
    pub longest_history: usize,
}

/// What all recursions of a plan carry, in the order of the graph.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::feature) struct Registers(Vec<Register>);

impl Registers {
    /// As they are before the first row.
    pub(super) fn before_first_row(graph: &Graph, plan: &Plan) -> Self {
        let register = |(id, longest_history): &(NodeId, usize)| {
            let node = graph.node(*id)?;
            let Operator::Recursive(recursion) = &node.operator else { return None };
            let (numbers, history) = (kernels::start(*recursion), Vec::new());
            Some(Register { id: *id, hash: node.hash, numbers, history, longest_history: *longest_history })
        };
        Self(plan.recursions.iter().filter_map(register).collect())
    }

    pub(in crate::feature) fn all(&self) -> &[Register] {
        &self.0
    }

    pub(in crate::feature) fn all_mut(&mut self) -> &mut [Register] {
        &mut self.0
    }

    fn find(&self, id: NodeId) -> Option<&Register> {
        self.0.binary_search_by_key(&id, |register| register.id).ok().and_then(|place| self.0.get(place))
    }

    pub(super) fn numbers(&self, id: NodeId) -> [f64; 2] {
        self.find(id).map_or([0.0; 2], |register| register.numbers)
    }

    pub(super) fn history(&self, id: NodeId) -> &[f64] {
        self.find(id).map_or(&[], |register| &register.history)
    }

    /// Takes what a recursion has come to: its numbers, and of its values the last so many.
    pub(super) fn carry(&mut self, id: NodeId, numbers: [f64; 2], values: &[f64], history: usize) {
        let place = self.0.binary_search_by_key(&id, |register| register.id).ok();
        let Some(register) = place.and_then(|place| self.0.get_mut(place)) else { return };
        let canonical = |value: &f64| if value.is_nan() { f64::NAN } else { *value };
        register.numbers = numbers.map(|number| canonical(&number));
        register.history = values.get(values.len().saturating_sub(history)..).unwrap_or_default().iter().map(canonical).collect();
    }
}
