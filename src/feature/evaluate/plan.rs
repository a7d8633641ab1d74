//! In which order the nodes of a graph are computed, which go together, and how far back each is needed.
//!
//! Not the computing (`run`). Contract: a plan depends on the graph and the wanted outputs only, never on bars; of nodes that
//! nobody needs it knows nothing. Nodes that share their input and their kind of work are one step, so that what they have in
//! common is done once; recursions that do not wait for one another are one step, too.

use crate::feature::graph::{Graph, Node, NodeId, Operator, Reach};
use std::collections::BTreeMap;

/// Some nodes that are computed in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::feature) enum Step {
    /// One node by itself.
    Single(NodeId),
    /// Rolling statistics of one input.
    Rolling(Vec<NodeId>),
    /// Rolling statistics of one pair of inputs.
    Pair(Vec<NodeId>),
    /// Recursions that do not wait for one another, and what they read.
    Recursive(Vec<NodeId>, Vec<NodeId>),
    /// Outputs of one TA-Lib call.
    Talib(Vec<NodeId>),
}

/// How the wanted outputs of a graph are computed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::feature) struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// By node: how many rows before the first wanted one have to be there; `None` for nodes that are not needed.
    pub before: Vec<Option<usize>>,
    /// By node: how many steps and outputs read it.
    pub readers: Vec<usize>,
    /// What carries a state: the node, and how many of its last values belong to the state.
    pub recursions: Vec<(NodeId, usize)>,
    /// Bars before the first wanted row that are read.
    pub look_back: usize,
    /// Nodes that need all bars since the first; they are computed before the others, which find them given.
    pub given: Vec<NodeId>,
}

impl Plan {
    /// The plan for these outputs. TA-Lib's nodes are expected to be given: see [`for_given`](Self::for_given).
    pub(in crate::feature) fn new(graph: &Graph, outputs: &[NodeId]) -> Self {
        let mut plan = Self { before: vec![None; graph.nodes().len()], readers: vec![0; graph.nodes().len()], ..Self::default() };
        for output in outputs {
            plan.need(*output, 0);
            plan.read(*output);
        }
        let needed = |plan: &Self, index: usize| plan.before.get(index).copied().flatten();
        for (index, node) in graph.nodes().iter().enumerate().rev() {
            let Some(before) = needed(&plan, index) else { continue };
            let reach = match node.operator.reach() {
                Reach::Bars(bars) => before.saturating_add(bars),
                // What it gave before the first wanted row is part of its state.
                Reach::Recursive => 0,
                Reach::Everything => continue,
            };
            for input in &node.inputs {
                plan.need(*input, reach);
            }
        }
        plan.look_back = graph
            .nodes()
            .iter()
            .enumerate()
            .filter(|(_, node)| matches!(node.operator, Operator::Field(_)))
            .filter_map(|(index, _)| needed(&plan, index))
            .max()
            .unwrap_or(0);
        for (id, node) in plan.needed_nodes(graph) {
            match node.operator.reach() {
                Reach::Everything => plan.given.push(id),
                Reach::Recursive => plan.recursions.push((id, needed(&plan, id.index()).unwrap_or(0))),
                Reach::Bars(_) => {}
            }
        }
        plan.arrange(graph);
        plan
    }

    /// The plan that computes, over all bars, what [`new`](Self::new) expects to be given; nothing if it expects nothing.
    pub(super) fn for_given(graph: &Graph, given: &[NodeId]) -> Self {
        let mut plan = Self { before: vec![None; graph.nodes().len()], readers: vec![0; graph.nodes().len()], ..Self::default() };
        for id in given {
            plan.need(*id, 0);
            plan.read(*id);
        }
        for index in (0..graph.nodes().len()).rev() {
            if plan.before.get(index).copied().flatten().is_none() {
                continue;
            }
            for input in graph.nodes().get(index).map_or(&[][..], |node| &node.inputs) {
                plan.need(*input, 0);
            }
        }
        plan.arrange(graph);
        plan
    }

    /// How many rows of a node before the first wanted one have to be there; `None` if it is not needed.
    pub(super) fn before_of(&self, id: NodeId) -> Option<usize> {
        self.before.get(id.index()).copied().flatten()
    }

    fn need(&mut self, id: NodeId, before: usize) {
        if let Some(known) = self.before.get_mut(id.index()) {
            *known = Some(known.map_or(before, |known| known.max(before)));
        }
    }

    fn read(&mut self, id: NodeId) {
        if let Some(readers) = self.readers.get_mut(id.index()) {
            *readers += 1;
        }
    }

    fn needed_nodes<'g>(&self, graph: &'g Graph) -> Vec<(NodeId, &'g Node)> {
        graph.ids().zip(graph.nodes()).filter(|(id, _)| self.before.get(id.index()).copied().flatten().is_some()).collect()
    }

    /// Groups the needed nodes into steps.
    ///
    /// Recursions that do not read each other's results go on together: each waits for its own last value, and many wait as
    /// long as one. So all that can be computed before the first recursions comes first, then these, then what follows from them.
    fn arrange(&mut self, graph: &Graph) {
        let mut levels: BTreeMap<usize, Vec<(NodeId, &Node)>> = BTreeMap::new();
        let mut waits: Vec<usize> = vec![0; graph.nodes().len()];
        for (id, node) in self.needed_nodes(graph) {
            if self.given.contains(&id) || matches!(node.operator, Operator::Field(_) | Operator::Constant(_)) {
                continue;
            }
            let after = |input: &NodeId| {
                let is_recursion = graph.node(*input).is_some_and(|node| matches!(node.operator, Operator::Recursive(_)));
                waits.get(input.index()).copied().unwrap_or(0) + usize::from(is_recursion)
            };
            let level = node.inputs.iter().map(after).max().unwrap_or(0);
            if let Some(own) = waits.get_mut(id.index()) {
                *own = level;
            }
            levels.entry(level).or_default().push((id, node));
        }
        for nodes in levels.into_values() {
            self.arrange_level(nodes);
        }
    }

    /// Steps for nodes that wait for equally many recursions; a group stands where its first member does, which is after all it reads.
    fn arrange_level(&mut self, nodes: Vec<(NodeId, &Node)>) {
        let mut groups: BTreeMap<(u8, &[NodeId], String), usize> = BTreeMap::new();
        let (mut recursions, mut carried): (Vec<NodeId>, Vec<NodeId>) = (Vec::new(), Vec::new());
        for (id, node) in nodes {
            let key = match &node.operator {
                Operator::Rolling { .. } => Some((0, node.inputs.as_slice(), String::new())),
                Operator::Pair { .. } => Some((1, node.inputs.as_slice(), String::new())),
                Operator::Talib { call, .. } => Some((2, node.inputs.as_slice(), call.to_string())),
                Operator::Recursive(_) => {
                    recursions.push(id);
                    carried.extend(&node.inputs);
                    continue;
                }
                _ => None,
            };
            if let Some(place) = key.as_ref().and_then(|key| groups.get(key).copied()) {
                if let Some(Step::Rolling(members) | Step::Pair(members) | Step::Talib(members)) = self.steps.get_mut(place) {
                    members.push(id);
                }
                continue;
            }
            for input in &node.inputs {
                self.read(*input);
            }
            let step = match key.as_ref().map(|key| key.0) {
                Some(0) => Step::Rolling(vec![id]),
                Some(1) => Step::Pair(vec![id]),
                Some(_) => Step::Talib(vec![id]),
                None => Step::Single(id),
            };
            if let Some(key) = key {
                groups.insert(key, self.steps.len());
            }
            self.steps.push(step);
        }
        if !recursions.is_empty() {
            carried.sort_unstable();
            carried.dedup();
            for input in &carried {
                self.read(*input);
            }
            self.steps.push(Step::Recursive(recursions, carried));
        }
    }
}
