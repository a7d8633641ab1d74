//! The door to windowed statistics: sorts out who computes what, and brings the results to their rows.
//!
//! Not the computing. Contract: an output is the same whatever else is asked for beside it.

use super::blocks::Chunk;
use super::deviation::{self, Deviations, LongDeviations};
use super::engine::{Ask, Engine, Group, Late, Sink, Walk, settle};
use super::extremes::{self, Extremes};
use super::formulas::Constants;
use super::known::{Known, KnownRoom, Odd};
use super::lanes::widest;
use super::moments::{self, Moments};
use super::order::{self, Order};
use super::pairs::Pairs;
use super::statistic::{PairStatistic, Statistic, WarmUp};
use super::sums::{self, Sums};
use pulp::{Simd, WithSimd};

/// A statistic of one input that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Want {
    /// What is said of the window.
    pub statistic: Statistic,
    /// N, this row included; a window of 0 has no value.
    pub window: usize,
    /// What incomplete windows give.
    pub warm_up: WarmUp,
}

/// A statistic of two inputs that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairWant {
    /// What is said of the window.
    pub statistic: PairStatistic,
    /// N, this row included; a window of 0 has no value.
    pub window: usize,
    /// What incomplete windows give.
    pub warm_up: WarmUp,
}

/// Longest window whose room is kept: that of longer ones is large.
const LONGEST_KEPT: usize = 20_000;

/// Room for intermediate results, to be used again and again: nothing is asked of the system once it has grown.
#[derive(Debug, Default)]
pub struct Scratch {
    known: KnownRoom,
    asks: Vec<Ask>,
    pair_asks: Vec<Ask<PairStatistic>>,
    odd: Vec<Vec<Odd>>,
    late: Vec<Late>,
    rows: Vec<f64>,
    engines: Engines,
}

#[derive(Debug, Default)]
struct Engines {
    sums: Sums,
    moments: Moments,
    largest: Extremes<true>,
    smallest: Extremes<false>,
    deviations: Deviations,
    long_deviations: LongDeviations,
    order: Order,
    pairs: Pairs,
}

/// Computes statistics of one input together, which is cheaper than one after the other: one output each, as long as the
/// input; what they held before does not matter, but their room is used again.
///
/// NaN is null in `values`; none may be infinite. `at_start` says that `values` begins where the series begins: then windows
/// that reach back beyond are short. Otherwise there are values before that are not given, and an output means nothing before
/// its row N − 1.
pub fn family(values: &[f64], at_start: bool, wants: &[Want], outputs: &mut [Vec<f64>], scratch: &mut Scratch) {
    let Scratch { known, asks, odd, late, engines, rows, .. } = scratch;
    let known = Known::of(values, known);
    size(outputs, wants.len(), known.len());
    let mut of = |knows: fn(Statistic) -> bool, run: &mut dyn FnMut(&[Group<'_>], usize, &mut Sink<'_>)| {
        asks.clear();
        let wanted = wants.iter().enumerate().filter(|(_, want)| want.window > 0 && knows(want.statistic));
        asks.extend(wanted.map(|(output, want)| Ask { window: want.window, statistic: want.statistic, warm_up: want.warm_up, output }));
        if asks.is_empty() {
            return;
        }
        let sink = &mut Sink::new(outputs, known.lead(), late);
        grouped(&known, at_start, asks, odd, |groups, longest| run(groups, longest, sink));
    };
    let Engines { sums, moments, largest, smallest, deviations, long_deviations, order, pairs } = engines;
    of(sums::knows, &mut |groups, longest, sink| {
        sums.prepare(longest);
        widest(Walk { engine: sums, known: &known, longest, groups, sink });
    });
    of(moments::knows, &mut |groups, longest, sink| {
        moments.prepare(longest, statistics(groups));
        widest(Walk { engine: moments, known: &known, longest, groups, sink });
        if known.has_gaps() {
            broken(pairs, &known, rows, longest, groups, sink);
        }
    });
    of(extremes::knows::<true>, &mut |groups, longest, sink| {
        largest.prepare(longest, statistics(groups));
        widest(Walk { engine: largest, known: &known, longest, groups, sink });
    });
    of(extremes::knows::<false>, &mut |groups, longest, sink| {
        smallest.prepare(longest, statistics(groups));
        widest(Walk { engine: smallest, known: &known, longest, groups, sink });
    });
    of(deviation::knows, &mut |groups, longest, sink| {
        deviations.prepare(longest);
        widest(Walk { engine: deviations, known: &known, longest, groups, sink });
        long_deviations.run(&known, longest, groups, sink);
    });
    of(order::knows, &mut |groups, longest, sink| widest(Ordered { order, known: &known, longest, groups, sink }));
    for (want, output) in wants.iter().zip(&mut *outputs) {
        if want.window == 0 {
            output.fill(f64::NAN);
        } else if want.statistic == Statistic::Count {
            count(values, *want, output);
        } else {
            known.spread(want.window, output);
        }
    }
    settle(late, outputs);
    if wants.iter().any(|want| want.window > LONGEST_KEPT) {
        *scratch = Scratch::default();
    }
}

/// Computes statistics of pairs of values together, as [`family`] does those of single values; a pair with a null counts as
/// null. The outputs are as long as the shorter input.
pub fn pair_family(x: &[f64], y: &[f64], at_start: bool, wants: &[PairWant], outputs: &mut [Vec<f64>], scratch: &mut Scratch) {
    let Scratch { known, pair_asks: asks, odd, late, engines, .. } = scratch;
    let known = Known::pairs(x, y, known);
    size(outputs, wants.len(), known.len());
    asks.clear();
    let wanted = wants.iter().enumerate().filter(|(_, want)| want.window > 0);
    asks.extend(wanted.map(|(output, want)| Ask { window: want.window, statistic: want.statistic, warm_up: want.warm_up, output }));
    let sink = &mut Sink::new(outputs, known.lead(), late);
    grouped(&known, at_start, asks, odd, |groups, longest| {
        engines.pairs.prepare(longest);
        widest(Walk { engine: &mut engines.pairs, known: &known, longest, groups, sink });
    });
    for (want, output) in wants.iter().zip(&mut *outputs) {
        if want.window == 0 {
            output.fill(f64::NAN);
        } else {
            known.spread(want.window, output);
        }
    }
    settle(late, outputs);
    if wants.iter().any(|want| want.window > LONGEST_KEPT) {
        *scratch = Scratch::default();
    }
}

/// Makes outputs as long as the series. What they hold is overwritten.
fn size(outputs: &mut [Vec<f64>], wanted: usize, len: usize) {
    for output in outputs.iter_mut().take(wanted) {
        output.resize(len, f64::NAN);
    }
}

/// Puts asks of the same window together, the shortest first, with the odd windows if anybody asks for those.
fn grouped<Said: Copy>(
    known: &Known<'_>,
    at_start: bool,
    asks: &mut [Ask<Said>],
    odd: &mut Vec<Vec<Odd>>,
    run: impl FnOnce(&[Group<'_, Said>], usize),
) {
    asks.sort_by_key(|ask| (ask.window, ask.output));
    let windows = || asks.chunk_by(|one, next| one.window == next.window);
    odd.resize_with(odd.len().max(windows().count()), Vec::new);
    for (asks, odd) in windows().zip(&mut *odd) {
        odd.clear();
        if let Some(ask) = asks.iter().find(|ask| ask.warm_up == WarmUp::Partial) {
            known.odd_windows(ask.window, at_start, odd);
        }
    }
    let groups: Vec<Group<'_, Said>> =
        windows().zip(&*odd).filter_map(|(asks, odd)| Some(Group { window: asks.first()?.window, asks, odd })).collect();
    if let Some(last) = groups.last() {
        // Blocks longer than all there is are not needed.
        run(&groups, last.window.min(known.values.len().max(1)));
    }
}

fn statistics<'a>(groups: &'a [Group<'_>]) -> impl Iterator<Item = Statistic> + 'a {
    groups.iter().flat_map(|group| group.asks).map(|ask| ask.statistic)
}

/// Order statistics of a series.
struct Ordered<'a, 'b> {
    order: &'a mut Order,
    known: &'a Known<'a>,
    longest: usize,
    groups: &'a [Group<'a>],
    sink: &'a mut Sink<'b>,
}

impl WithSimd for Ordered<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Lanes: Simd>(self, simd: Lanes) {
        self.order.run(simd, self.known, self.longest, self.groups, self.sink);
    }
}

/// Regressions of windows with nulls between their values: what the values and their rows have in common.
fn broken(pairs: &mut Pairs, known: &Known<'_>, rows: &mut Vec<f64>, longest: usize, groups: &[Group<'_>], sink: &mut Sink<'_>) {
    let is_wanted = |ask: &&Ask| ask.warm_up == WarmUp::Partial && moments::along_positions(ask.statistic);
    let wanted = || groups.iter().filter(|group| group.asks.iter().any(|ask| is_wanted(&ask)) && group.odd.iter().any(|odd| odd.is_broken));
    if wanted().next().is_none() {
        return;
    }
    known.row_numbers(rows);
    let mut both = *known;
    both.others = rows;
    pairs.prepare(longest);
    for chunk in Chunk::all(known.values.len(), longest) {
        pairs.begin(chunk);
        for (from, to) in chunk.tiles(super::lanes::TILE) {
            pairs.build(&both, chunk, super::engine::Tile { from, to });
        }
        for group in wanted() {
            for odd in group.odd_in(chunk).iter().filter(|odd| odd.is_broken) {
                let end = odd.end - chunk.start;
                let found = pairs.single(&both, chunk, end, odd.count);
                let of = Constants::of_rows(odd, found.sums[1], found.squares[1], known.span(odd));
                let last = known.values.get(odd.end).copied().unwrap_or(f64::NAN);
                for ask in group.asks.iter().filter(is_wanted) {
                    let value = of.said_of_rows(ask.statistic, last, found.sums[0], found.squares[0], found.products, odd.after > 0);
                    sink.odd(ask.output, odd.row, value);
                }
            }
        }
        pairs.end(chunk);
    }
}

/// How many values are not null.
fn count(values: &[f64], want: Want, output: &mut [f64]) {
    let mut known = 0_usize;
    for (row, out) in output.iter_mut().enumerate() {
        let is_known = |row: usize| values.get(row).is_some_and(|value| !value.is_nan());
        known += usize::from(is_known(row));
        known -= usize::from(row.checked_sub(want.window).is_some_and(is_known));
        *out = if want.warm_up == WarmUp::Partial || known == want.window { known as f64 } else { f64::NAN };
    }
}
