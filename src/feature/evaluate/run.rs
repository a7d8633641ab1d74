//! One run over some rows: every node of the plan in turn, from the rows that it needs.
//!
//! Contract: a run over rows a..b after one over the rows before a gives bit for bit what one run over all of them gives,
//! given what recursions carried over in the registers.

use super::buffer::Buffer;
use super::plan::{Plan, Step};
use super::registers::Registers;
use super::{elementwise, kernels};
use crate::feature::graph::{Field, Graph, Node, NodeId, Operator, Reach};
use crate::indicator::finite_or_nan;
use crate::market::Bars;
use std::borrow::Cow;
use std::ops::Range;

/// What runs over the bars of one symbol share.
pub(super) struct Run<'a> {
    pub graph: &'a Graph,
    pub plan: &'a Plan,
    pub bars: &'a Bars,
    /// Nodes that need all bars since the first, computed before: by node, over all bars.
    pub given: &'a [(NodeId, Vec<f64>)],
}

/// The values of one run.
struct Values<'a> {
    buffers: Vec<Buffer<'a>>,
    /// How many steps and outputs still read each.
    readers: Vec<usize>,
    pool: kernels::Scratch,
}

impl<'a> Values<'a> {
    fn get(&self, id: NodeId) -> &Buffer<'a> {
        self.buffers.get(id.index()).unwrap_or(&Buffer::Nothing)
    }

    fn put(&mut self, id: NodeId, buffer: Buffer<'a>) {
        if let Some(place) = self.buffers.get_mut(id.index()) {
            *place = buffer;
        }
    }

    /// One reader less; what nobody reads any more is room for something else. Gives whether somebody still reads it.
    fn release(&mut self, id: NodeId) -> bool {
        let Some(left) = self.readers.get_mut(id.index()) else { return false };
        *left = left.saturating_sub(1);
        *left > 0
    }

    fn recycle(&mut self, id: NodeId) {
        if let Some(buffer) = self.buffers.get_mut(id.index())
            && let Buffer::Owned(_, values) = std::mem::take(buffer)
        {
            self.pool.give_back(values);
        }
    }
}

impl<'a> Run<'a> {
    /// The values of the wanted outputs over some rows, in their order. The registers are those before the rows, and after
    /// them when it returns.
    pub(super) fn rows(&self, outputs: &[NodeId], rows: &Range<usize>, registers: &mut Registers) -> Vec<Vec<f64>> {
        kernels::with_scratch(|pool| {
            let mut values = Values {
                buffers: self.graph.nodes().iter().map(|_| Buffer::Nothing).collect(),
                readers: self.plan.readers.clone(),
                pool: std::mem::take(pool),
            };
            self.start(rows, &mut values);
            for step in &self.plan.steps {
                self.step(step, rows, &mut values, registers);
            }
            let columns = outputs.iter().map(|output| output_rows(*output, rows, &mut values)).collect();
            for buffer in values.buffers {
                if let Buffer::Owned(_, buffer) = buffer {
                    values.pool.give_back(buffer);
                }
            }
            *pool = values.pool;
            columns
        })
    }

    /// Puts in place what is there without computing, or nearly.
    fn start(&self, rows: &Range<usize>, values: &mut Values<'a>) {
        for (id, node) in self.graph.ids().zip(self.graph.nodes()) {
            let Some(before) = self.plan.before_of(id) else { continue };
            let buffer = match &node.operator {
                Operator::Field(field) => self.field(*field, rows.start.saturating_sub(before)..rows.end, &mut values.pool),
                Operator::Constant(value) => Buffer::Constant(value.get()),
                _ => continue,
            };
            values.put(id, buffer);
        }
        for (id, given) in self.given {
            values.put(*id, Buffer::Borrowed(given));
        }
    }

    /// A column of the bars.
    fn field(&self, field: Field, rows: Range<usize>, pool: &mut kernels::Scratch) -> Buffer<'a> {
        let bars = self.bars;
        let mut out = pool.take();
        let sparse = |column: &Option<Vec<f64>>, out: &mut Vec<f64>| match column.as_ref().and_then(|column| column.get(rows.clone())) {
            Some(column) => out.extend(column.iter().map(|value| finite_or_nan(*value))),
            None => out.resize(rows.len(), f64::NAN),
        };
        match field {
            Field::Open => return Buffer::Borrowed(&bars.open),
            Field::High => return Buffer::Borrowed(&bars.high),
            Field::Low => return Buffer::Borrowed(&bars.low),
            Field::Close => return Buffer::Borrowed(&bars.close),
            Field::Volume => return Buffer::Borrowed(&bars.volume),
            Field::Amount => sparse(&bars.amount, &mut out),
            Field::Turnover => sparse(&bars.turnover, &mut out),
            Field::Vwap => match &bars.amount {
                Some(amount) => {
                    let pairs = part(amount, &rows).iter().zip(part(&bars.volume, &rows));
                    out.extend(pairs.map(|(amount, volume)| finite_or_nan(amount / volume)));
                }
                None => {
                    let prices = part(&bars.high, &rows).iter().zip(part(&bars.low, &rows)).zip(part(&bars.close, &rows));
                    out.extend(prices.map(|((high, low), close)| finite_or_nan((high + low + close) / 3.0)));
                }
            },
        }
        Buffer::Owned(rows.start, out)
    }

    fn step(&self, step: &Step, rows: &Range<usize>, values: &mut Values<'a>, registers: &mut Registers) {
        let (ids, inputs): (&[NodeId], &[NodeId]) = match step {
            Step::Single(id) => (std::slice::from_ref(id), self.node(*id).map_or(&[], |node| &node.inputs)),
            Step::Recursive(ids, inputs) => (ids, inputs),
            Step::Rolling(ids) | Step::Pair(ids) | Step::Talib(ids) => {
                (ids, ids.first().and_then(|id| self.node(*id)).map_or(&[], |node| &node.inputs))
            }
        };
        match step {
            Step::Single(id) => self.single(*id, rows, values),
            Step::Rolling(_) | Step::Pair(_) => self.windowed(ids, inputs, rows, values),
            Step::Recursive(..) => self.recursive(ids, rows, values, registers),
            Step::Talib(_) => self.talib(ids, inputs, rows, values),
        }
        for input in inputs {
            if !values.release(*input) {
                values.recycle(*input);
            }
        }
    }

    fn node(&self, id: NodeId) -> Option<&'a Node> {
        self.graph.node(id)
    }

    /// The first row of a node that is needed.
    fn first_row(&self, id: NodeId, rows: &Range<usize>) -> usize {
        rows.start.saturating_sub(self.plan.before_of(id).unwrap_or(0))
    }

    fn single(&self, id: NodeId, rows: &Range<usize>, values: &mut Values<'a>) {
        let Some(node) = self.node(id) else { return };
        let first = self.first_row(id, rows);
        let wanted = first..rows.end;
        let len = wanted.len();
        let mut out = values.pool.take();
        {
            let operand =
                |place: usize| node.inputs.get(place).map_or(&Buffer::Nothing, |input| values.get(*input)).operand(wanted.clone());
            match &node.operator {
                Operator::Unary(unary) => elementwise::unary(*unary, operand(0), len, &mut out),
                Operator::Binary(binary) => elementwise::binary(*binary, operand(0), operand(1), len, &mut out),
                Operator::Compare { comparison, warm_up } => {
                    elementwise::compare(*comparison, *warm_up, operand(0), operand(1), len, &mut out);
                }
                Operator::Select => elementwise::select(operand(0), operand(1), operand(2), len, &mut out),
                Operator::Shift { bars } => {
                    let missing = bars.saturating_sub(first).min(len);
                    out.resize(missing, f64::NAN);
                    let source = (first + missing).saturating_sub(*bars)..rows.end.saturating_sub(*bars);
                    match node.inputs.first().map_or(&Buffer::Nothing, |input| values.get(*input)) {
                        Buffer::Constant(value) => out.resize(len, *value),
                        buffer => out.extend_from_slice(if missing < len { buffer.rows(source) } else { &[] }),
                    }
                }
                // These are steps of their own kind, or not computed at all.
                Operator::Field(_)
                | Operator::Constant(_)
                | Operator::Rolling { .. }
                | Operator::Pair { .. }
                | Operator::Recursive(_)
                | Operator::Talib { .. } => {}
            }
        }
        out.resize(len, f64::NAN);
        values.put(id, Buffer::Owned(first, out));
    }

    fn windowed(&self, ids: &[NodeId], inputs: &[NodeId], rows: &Range<usize>, values: &mut Values<'a>) {
        let reach = |id: &NodeId| match self.node(*id).map(|node| node.operator.reach()) {
            Some(Reach::Bars(bars)) => bars,
            _ => 0,
        };
        // The rows from which the earliest needed window can be seen whole.
        let first = ids.iter().map(|id| self.first_row(*id, rows).saturating_sub(reach(id))).min().unwrap_or(rows.start);
        let seen = first..rows.end;
        let operators: Vec<&Operator> = ids.iter().filter_map(|id| self.node(*id)).map(|node| &node.operator).collect();
        let mut outputs: Vec<Vec<f64>> = ids.iter().map(|_| values.pool.take()).collect();
        let input = |place: usize, pool: &mut kernels::Scratch| match inputs
            .get(place)
            .map_or(&Buffer::Nothing, |input| values_of(&values.buffers, *input))
        {
            Buffer::Constant(value) => {
                let mut rows = pool.take();
                rows.resize(seen.len(), *value);
                Cow::Owned(rows)
            }
            buffer => Cow::Borrowed(buffer.rows(seen.clone())),
        };
        let x = input(0, &mut values.pool);
        if inputs.len() > 1 {
            let y = input(1, &mut values.pool);
            kernels::pairs(&x, &y, first == 0, &operators, &mut outputs, &mut values.pool);
        } else {
            kernels::rolling(&x, first == 0, &operators, &mut outputs, &mut values.pool);
        }
        for (id, output) in ids.iter().zip(outputs) {
            values.put(*id, Buffer::Owned(first, output));
        }
    }

    fn recursive(&self, ids: &[NodeId], rows: &Range<usize>, values: &mut Values<'a>, registers: &mut Registers) {
        let recursions: Vec<_> = ids
            .iter()
            .filter_map(|id| match self.node(*id).map(|node| (&node.operator, node.inputs.first())) {
                Some((Operator::Recursive(recursion), input)) => Some((*recursion, input.copied())),
                _ => None,
            })
            .collect();
        // What they gave before these rows comes first.
        let mut outputs: Vec<Vec<f64>> = ids
            .iter()
            .map(|id| {
                let mut out = values.pool.take();
                out.extend_from_slice(registers.history(*id));
                out
            })
            .collect();
        let mut states: Vec<[f64; 2]> = ids.iter().map(|id| registers.numbers(*id)).collect();
        {
            let of_rows = |(recursion, input): &(_, Option<NodeId>)| {
                let rows = match input.map_or(&Buffer::Nothing, |input| values_of(&values.buffers, input)) {
                    Buffer::Constant(value) => Cow::Owned(vec![*value; rows.len()]),
                    buffer => Cow::Borrowed(buffer.rows(rows.clone())),
                };
                (*recursion, rows)
            };
            let inputs: Vec<(_, Cow<'_, [f64]>)> = recursions.iter().map(of_rows).collect();
            kernels::recursive(&inputs, &mut states, &mut outputs);
        }
        for ((id, mut output), numbers) in ids.iter().zip(outputs).zip(states) {
            let history = registers.history(*id).len();
            output.resize(history + rows.len(), f64::NAN);
            registers.carry(*id, numbers, &output, self.plan.before_of(*id).unwrap_or(0).min(rows.end));
            values.put(*id, Buffer::Owned(rows.start.saturating_sub(history), output));
        }
    }

    fn talib(&self, ids: &[NodeId], inputs: &[NodeId], rows: &Range<usize>, values: &mut Values<'a>) {
        let Some(Operator::Talib { call, .. }) = ids.first().and_then(|id| self.node(*id)).map(|node| &node.operator) else { return };
        let columns: Vec<Cow<'_, [f64]>> = inputs
            .iter()
            .map(|input| match values_of(&values.buffers, *input) {
                Buffer::Constant(value) => Cow::Owned(vec![*value; rows.len()]),
                buffer => Cow::Borrowed(buffer.rows(rows.clone())),
            })
            .collect();
        let slices: Vec<&[f64]> = columns.iter().map(AsRef::as_ref).collect();
        let computed = call.compute_with_nulls(&slices).inspect_err(|error| tracing::error!(%error, %call, "a TA-Lib function failed"));
        let mut outputs: Vec<Option<Vec<f64>>> = computed.unwrap_or_default().into_iter().map(Some).collect();
        drop(slices);
        drop(columns);
        for id in ids {
            let Some(Operator::Talib { output, .. }) = self.node(*id).map(|node| &node.operator) else { continue };
            let mut column = outputs.get_mut(*output).and_then(Option::take).unwrap_or_default();
            column.resize(rows.len(), f64::NAN);
            values.put(*id, Buffer::Owned(rows.start, column));
        }
    }
}

fn values_of<'v, 'a>(buffers: &'v [Buffer<'a>], id: NodeId) -> &'v Buffer<'a> {
    buffers.get(id.index()).unwrap_or(&Buffer::Nothing)
}

fn part<'c>(column: &'c [f64], rows: &Range<usize>) -> &'c [f64] {
    column.get(rows.clone()).unwrap_or_default()
}

/// The rows of an output; the last that wants a buffer takes it.
fn output_rows(id: NodeId, rows: &Range<usize>, values: &mut Values<'_>) -> Vec<f64> {
    let is_read = values.release(id);
    let Some(buffer) = values.buffers.get_mut(id.index()) else { return vec![f64::NAN; rows.len()] };
    let mut column = match buffer {
        Buffer::Constant(value) => vec![*value; rows.len()],
        Buffer::Owned(first, column) if !is_read && *first == rows.start => std::mem::take(column),
        buffer => buffer.rows(rows.clone()).to_vec(),
    };
    column.resize(rows.len(), f64::NAN);
    column
}
