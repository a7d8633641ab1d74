//! The graph a set compiles to: nodes whose inputs come before them, equal parts only once.
//!
//! Not the formulas' text (`formula`) and not their values (`evaluate`). Contract: a node's hash is made of its operator, its
//! inputs' hashes and the engine's version, never of names or spelling; nodes are in an order in which every input stands
//! before what uses it; a graph never shrinks.

mod first_value;
mod operator;

pub use operator::{Binary, Comparison, Field, Finite, Operator, PairStatistic, Reach, Recursion, Statistic, Unary, WarmUp};

use super::hash::ENGINE_VERSION;
use std::collections::HashMap;
use std::fmt::Write;
use xxhash_rust::xxh3::xxh3_128;

/// A node's place in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// Index into [`Graph::nodes`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What is done.
    pub operator: Operator,
    /// To what, in the operator's order.
    pub inputs: Vec<NodeId>,
    /// Hash of the meaning: the same in every graph, set and spelling.
    pub hash: u128,
    /// Whether its values are truths. An `If` and a `Coalesce` of two truths are, and a truth of bars ago is.
    pub is_truth: bool,
}

/// Nodes, each meaning once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Node>,
    places: HashMap<u128, NodeId>,
}

/// Most nodes a graph may have.
pub const MOST_NODES: usize = 20_000;

/// A graph that grew beyond [`MOST_NODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the formulas of one set may have {MOST_NODES} different parts at most; split the set into several")]
pub struct GraphFull;

impl Graph {
    /// The nodes; every input stands before what uses it.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The places of all nodes, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// The node at this place.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    /// The node of this operator over these inputs: the one there is, or a new one.
    ///
    /// # Errors
    ///
    /// When there are too many nodes.
    pub fn add(&mut self, operator: Operator, inputs: &[NodeId]) -> Result<NodeId, GraphFull> {
        let mut inputs = inputs.to_vec();
        let hash_of = |id: &NodeId| self.node(*id).map_or(0, |node| node.hash);
        if operator.is_commutative() {
            inputs.sort_by_key(hash_of);
        }
        let mut text = format!("v{ENGINE_VERSION};{operator}");
        for input in &inputs {
            // Writing to a String cannot fail.
            write!(text, ";{:032x}", hash_of(input)).unwrap_or_default();
        }
        let hash = xxh3_128(text.as_bytes());
        if let Some(known) = self.places.get(&hash) {
            return Ok(*known);
        }
        if self.nodes.len() >= MOST_NODES {
            return Err(GraphFull);
        }
        let truth = |place: usize| inputs.get(place).and_then(|id| self.node(*id)).is_some_and(|node| node.is_truth);
        let is_truth = match operator {
            Operator::Select => truth(1) && truth(2),
            Operator::Binary(Binary::Coalesce) => truth(0) && truth(1),
            Operator::Shift { .. } => truth(0),
            _ => operator.is_truth(),
        };
        let id = NodeId(u32::try_from(self.nodes.len()).map_err(|_| GraphFull)?);
        self.nodes.push(Node { operator, inputs, hash, is_truth });
        self.places.insert(hash, id);
        Ok(id)
    }
}
