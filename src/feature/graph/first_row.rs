//! From which bar on a node can have a value, as its formula says.
//!
//! Not what is computed: zero denominators and missing columns may leave it null for longer.

use super::{Binary, Graph, NodeId, Operator, PairStatistic, Recursion, Statistic, Unary, WarmUp};

impl Graph {
    /// By node: the index of the first bar that can have a value.
    #[must_use]
    pub fn first_rows(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = Vec::with_capacity(self.nodes().len());
        for node in self.nodes() {
            let of = |id: &NodeId| rows.get(id.index()).copied().unwrap_or(0);
            let latest = node.inputs.iter().map(of).max().unwrap_or(0);
            rows.push(first_row(&node.operator, latest, node.inputs.iter().map(of).min().unwrap_or(0)));
        }
        rows
    }
}

/// The first row of an operator whose inputs all have values from `latest` on, and one has them from `earliest` on.
fn first_row(operator: &Operator, latest: usize, earliest: usize) -> usize {
    match operator {
        Operator::Field(_) | Operator::Constant(_) | Operator::Unary(Unary::IsNull) => 0,
        Operator::Compare { warm_up: WarmUp::Partial, .. } => 0,
        Operator::Binary(Binary::Coalesce) => earliest,
        Operator::Unary(_) | Operator::Binary(_) | Operator::Compare { .. } | Operator::Select => latest,
        Operator::Shift { bars } => latest.saturating_add(*bars),
        Operator::Rolling { window, warm_up: WarmUp::Strict, .. } | Operator::Pair { window, warm_up: WarmUp::Strict, .. } => {
            latest.saturating_add(window.saturating_sub(1))
        }
        Operator::Rolling { statistic, window, warm_up: WarmUp::Partial } => {
            let least = match statistic {
                Statistic::Count => return 0,
                Statistic::Std | Statistic::Var | Statistic::Slope | Statistic::Rsquare | Statistic::Resi => 2,
                Statistic::Skew => 3,
                Statistic::Kurt => 4,
                _ => 1,
            };
            latest.saturating_add(least.min((*window).max(1)) - 1)
        }
        Operator::Pair { statistic: PairStatistic::Corr | PairStatistic::Cov, warm_up: WarmUp::Partial, .. } => latest.saturating_add(1),
        Operator::Recursive(Recursion::Rma { window }) => latest.saturating_add(window.saturating_sub(1)),
        Operator::Recursive(_) => latest,
        Operator::Talib { call, .. } => latest.saturating_add(call.look_back()),
    }
}
