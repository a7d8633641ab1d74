//! From which bar on a node can have values.
//!
//! Not which bars do have one: prices that stand still have null ratios later too. Contract: before this bar a node is null
//! whatever the bars, as long as every column of them has a value on every bar.

use super::{Binary, Graph, NodeId, Operator, PairStatistic, Recursion, Statistic, Unary, WarmUp};

impl Graph {
    /// By node: the index of the first bar that can have a value.
    #[must_use]
    pub fn first_values(&self) -> Vec<usize> {
        let mut first: Vec<usize> = Vec::with_capacity(self.nodes().len());
        for node in self.nodes() {
            let of = |id: &NodeId| first.get(id.index()).copied().unwrap_or(0);
            let all = node.inputs.iter().map(of).max().unwrap_or(0);
            let any = node.inputs.iter().map(of).min().unwrap_or(0);
            first.push(match &node.operator {
                Operator::Field(_) | Operator::Constant(_) | Operator::Unary(Unary::IsNull) => 0,
                Operator::Compare { warm_up: WarmUp::Partial, .. } => 0,
                Operator::Binary(Binary::Coalesce) => any,
                Operator::Unary(_) | Operator::Binary(_) | Operator::Compare { .. } => all,
                Operator::Select => {
                    let branches = node.inputs.iter().skip(1).map(of).min().unwrap_or(0);
                    node.inputs.first().map_or(0, of).max(branches)
                }
                Operator::Shift { bars } => all.saturating_add(*bars),
                Operator::Rolling { window, warm_up: WarmUp::Strict, .. } | Operator::Pair { window, warm_up: WarmUp::Strict, .. } => {
                    all.saturating_add(window.saturating_sub(1))
                }
                Operator::Rolling { statistic, .. } => all.saturating_add(least_values(*statistic) - 1),
                Operator::Pair { statistic: PairStatistic::Corr | PairStatistic::Cov, .. } => all.saturating_add(1),
                Operator::Recursive(Recursion::Rma { window }) => all.saturating_add(window.saturating_sub(1)),
                Operator::Recursive(_) => all,
                Operator::Talib { call, .. } => all.saturating_add(call.look_back()),
            });
        }
        first
    }
}

/// How many values a statistic needs at least.
fn least_values(statistic: Statistic) -> usize {
    match statistic {
        Statistic::Std | Statistic::Var | Statistic::Slope | Statistic::Rsquare | Statistic::Resi => 2,
        Statistic::Skew => 3,
        Statistic::Kurt => 4,
        _ => 1,
    }
}
