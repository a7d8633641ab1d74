//! Order statistics of windows: quantiles, medians, ranks.
//!
//! Not extremes, which need no order (`extremes`). Contract: exact; values are compared once, when a chunk of the series is
//! put in order, and windows are sets of ranks from then on.

use super::blocks::Chunk;
use super::engine::{Ask, Group, Sink, Tile};
use super::known::{Known, Odd};
use super::lanes::part;
use super::ranks::Ranks;
use super::seats::{self, Counts, Stretches};
use super::statistic::{Statistic, WarmUp};
use super::tree::{Count, Tree};
use crate::indicator::finite_or_nan;
use pulp::Simd;

/// Values of a chunk at most, unless windows are long: more would need a tree with more levels.
const CHUNK: usize = 4096;

/// Longest window whose values are counted one by one.
const LONGEST_COUNTED: usize = 256;

/// Fewest values for which it pays to work on stretches side by side, each of which has to be led up to.
const FEWEST_SIDE_BY_SIDE: usize = 256;

/// Longest window whose counts fit into the smaller numbers.
const LONGEST_SMALL: usize = 30_000;

/// Room for order statistics.
#[derive(Debug, Default)]
pub struct Order {
    ranks: Ranks,
    stretches: Stretches,
    counts: Counts,
    small: Tree<i16>,
    large: Tree<i32>,
}

/// The statistics this module knows.
pub fn knows(statistic: Statistic) -> bool {
    matches!(statistic, Statistic::Quantile(_) | Statistic::Med | Statistic::Rank)
}

/// Between which order statistics a quantile lies.
#[derive(Debug, Clone, Copy)]
struct Between {
    /// How many values are below the lower one.
    below: usize,
    /// How far the quantile is from the lower to the upper one; 0 means that the upper one is not needed.
    share: f64,
}

impl Between {
    /// Of a statistic of so many values; none for ranks.
    #[inline(always)]
    fn of(statistic: Statistic, count: usize) -> Option<Self> {
        let share = match statistic {
            Statistic::Quantile(share) => share.get().clamp(0.0, 1.0),
            Statistic::Med => 0.5,
            _ => return None,
        };
        let place = share * count.saturating_sub(1) as f64;
        let below = place.floor();
        Some(Self { below: below as usize, share: place - below })
    }

    #[inline(always)]
    fn above(self) -> usize {
        if self.share > 0.0 { self.below + 1 } else { self.below }
    }

    #[inline(always)]
    fn value(self, low: f64, high: f64) -> f64 {
        finite_or_nan(if self.share > 0.0 { low + (high - low) * self.share } else { low })
    }
}

/// The place of the last value in the order, ties averaged, over the number of values. `below` is how many are below it, plus
/// how many are below it or older and equal.
#[inline(always)]
fn rank(below: usize, count: usize) -> f64 {
    (below as f64 + 2.0) / 2.0 / count as f64
}

impl Order {
    /// Walks through a series.
    #[inline(always)]
    pub fn run<Own: Simd>(&mut self, simd: Own, known: &Known<'_>, longest: usize, groups: &[Group<'_>], sink: &mut Sink<'_>) {
        let stride = if longest <= CHUNK / 2 { CHUNK - longest } else { longest };
        let is_wide = known.values.len() >= FEWEST_SIDE_BY_SIDE && Own::I16_LANES >= seats::LEAST_LANES && longest <= CHUNK / 2;
        for chunk in Chunk::with_stride(known.values.len(), longest, stride) {
            self.ranks.assign(part(known.values, chunk.start, chunk.start + chunk.len));
            if is_wide {
                self.count(simd, chunk, groups, sink);
                self.select(simd, chunk, groups, sink);
            }
            for group in groups {
                if group.window <= LONGEST_SMALL {
                    walk(&self.ranks, &mut self.small, chunk, group, is_wide, sink);
                } else {
                    walk(&self.ranks, &mut self.large, chunk, group, is_wide, sink);
                }
            }
        }
    }

    /// Ranks of short windows.
    #[inline(always)]
    fn count<Own: Simd>(&mut self, simd: Own, chunk: Chunk, groups: &[Group<'_>], sink: &mut Sink<'_>) {
        let is_wanted =
            |group: &&Group<'_>| group.window <= LONGEST_COUNTED && group.asks.iter().any(|ask| ask.statistic == Statistic::Rank);
        let wanted = || groups.iter().filter(is_wanted);
        let Some(longest) = wanted().map(|group| group.window).max() else { return };
        self.counts.take(&self.ranks.ranks, &self.ranks.firsts, longest);
        self.counts.count(simd, chunk.carried, chunk.len, &wanted().map(|group| group.window));
        let all = wanted().count();
        for (place, group) in wanted().enumerate() {
            let from = chunk.first_end(group.window, chunk.carried);
            let counts = self.counts.counted(place, all).get(from - chunk.carried..).unwrap_or_default();
            for ask in group.asks.iter().filter(|ask| ask.statistic == Statistic::Rank) {
                let out = sink.full(ask.output, chunk, Tile { from: from.min(chunk.len), to: chunk.len });
                for (out, below) in out.iter_mut().zip(counts) {
                    *out = rank(*below as usize, group.window);
                }
            }
        }
    }

    /// Quantiles of short windows.
    #[inline(always)]
    fn select<Own: Simd>(&mut self, simd: Own, chunk: Chunk, groups: &[Group<'_>], sink: &mut Sink<'_>) {
        let wanted = || {
            groups.iter().filter(|group| group.window <= seats::LONGEST && group.asks.iter().any(|ask| ask.statistic != Statistic::Rank))
        };
        let Some(longest) = wanted().map(|group| group.window).max() else { return };
        self.stretches.cut::<Own>(&self.ranks.ranks, chunk.carried, longest);
        for group in wanted() {
            let mut quantiles = group.asks.iter().filter_map(|ask| Some((ask, Between::of(ask.statistic, group.window)?)));
            while let Some((ask, between)) = quantiles.next() {
                match quantiles.next() {
                    Some((other, other_between)) => {
                        let below = [between.below, between.above(), other_between.below, other_between.above()];
                        self.stretches.select(simd, group.window, below);
                        self.put(chunk, ask, between, (0, 1, 4), sink);
                        self.put(chunk, other, other_between, (2, 3, 4), sink);
                    }
                    None => {
                        self.stretches.select(simd, group.window, [between.below, between.above()]);
                        self.put(chunk, ask, between, (0, 1, 2), sink);
                    }
                }
            }
        }
    }

    /// Puts what was selected for a quantile where it belongs; `(low, high, of)` is which of those that were selected it is.
    #[inline(always)]
    fn put(&self, chunk: Chunk, ask: &Ask, between: Between, (low, high, of): (usize, usize, usize), sink: &mut Sink<'_>) {
        let out = sink.full(ask.output, chunk, Tile { from: chunk.carried, to: chunk.len });
        for (lane, out) in out.chunks_mut(self.stretches.rows().max(1)).enumerate() {
            for (out, (low, high)) in out.iter_mut().zip(self.stretches.selected(lane, low, high, of)) {
                *out = between.value(self.ranks.value(low), self.ranks.value(high));
            }
        }
    }
}

#[inline(always)]
fn at(ranks: &[u32], place: usize) -> usize {
    ranks.get(place).map_or(0, |rank| *rank as usize)
}

/// A statistic of the ranks that are present, so many, of which the last is that of the value at a place.
#[inline(always)]
fn said<Number: Count>(ranks: &Ranks, tree: &Tree<Number>, end: usize, count: usize, statistic: Statistic) -> f64 {
    match Between::of(statistic, count) {
        None => {
            let (own, first) = (at(&ranks.ranks, end), at(&ranks.firsts, end));
            let below = tree.below(own);
            rank(below + if own == first { below } else { tree.below(first) }, count)
        }
        Some(between) => {
            let (low, high) = if between.share > 0.0 { tree.select_two(between.below) } else { (tree.select(between.below), 0) };
            between.value(ranks.value(low), ranks.value(high))
        }
    }
}

/// Computes by a tree what is not done otherwise: long windows, and windows that hold fewer values than they are long.
#[inline(always)]
fn walk<Number: Count>(ranks: &Ranks, tree: &mut Tree<Number>, chunk: Chunk, group: &Group<'_>, is_wide: bool, sink: &mut Sink<'_>) {
    let is_done = |ask: &Ask| is_wide && group.window <= if ask.statistic == Statistic::Rank { LONGEST_COUNTED } else { seats::LONGEST };
    let from = chunk.first_end(group.window, chunk.carried);
    if from < chunk.len && !group.asks.iter().all(is_done) {
        tree.clear(chunk.len);
        for place in from + 1 - group.window..from {
            tree.insert(at(&ranks.ranks, place));
        }
        for end in from..chunk.len {
            let own = at(&ranks.ranks, end);
            match end.checked_sub(group.window).filter(|_| end > from) {
                Some(gone) => tree.replace(own, at(&ranks.ranks, gone)),
                None => tree.insert(own),
            }
            for ask in group.asks.iter().filter(|ask| !is_done(ask)) {
                if let Some(out) = sink.full(ask.output, chunk, Tile { from: end, to: end + 1 }).first_mut() {
                    *out = said(ranks, tree, end, group.window, ask.statistic);
                }
            }
        }
    }
    let odd = group.odd_in(chunk);
    let Some(first) = odd.first() else { return };
    tree.clear(chunk.len);
    // Present are the values from `start` to before `past`; both only ever grow.
    let mut start = first.end + 1 - first.count - chunk.start;
    let mut past = start;
    for Odd { row, end, count, after, .. } in odd {
        let end = end - chunk.start;
        let oldest = end + 1 - count;
        while past <= end {
            tree.insert(at(&ranks.ranks, past));
            past += 1;
        }
        while start < oldest {
            tree.remove(at(&ranks.ranks, start));
            start += 1;
        }
        for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
            let is_null = ask.statistic == Statistic::Rank && *after > 0;
            sink.odd(ask.output, *row, if is_null { f64::NAN } else { said(ranks, tree, end, *count, ask.statistic) });
        }
    }
}
