//! Mean distance from the mean.
//!
//! Not squared distances (`moments`). Contract: of short windows it is bit for bit
//! [`mean_absolute_deviation`](crate::indicator::window::mean_absolute_deviation), which adds up a window value by value; of
//! long ones it is made of exact sums of the values above the mean, kept by rank, so that its cost does not grow with the
//! window and it is still a function of the window's values alone.

use super::blocks::Chunk;
use super::engine::{Engine, Group, Sink, Tile};
use super::exact::{Sums, Whole, Wide, range};
use super::known::{Known, Odd};
use super::lanes::{TILE, part, part_mut, update1};
use super::moments::Moments;
use super::ranks::Ranks;
use super::statistic::{Statistic, WarmUp};
use crate::indicator::finite_or_nan;
use pulp::Simd;

/// Most values that are added up one by one.
pub const LONGEST_DIRECT: usize = 256;

/// Bits that the smaller kind of exact numbers has for sums.
const NARROW_BITS: u32 = 126;

/// The statistics this module knows.
pub fn knows(statistic: Statistic) -> bool {
    statistic == Statistic::Mad
}

/// Mean distances of few values.
#[derive(Debug, Default)]
pub struct Deviations {
    moments: Moments,
}

impl Deviations {
    /// For windows up to a length.
    pub fn prepare(&mut self, longest: usize) {
        self.moments.prepare(longest, std::iter::empty());
        self.moments.limit(LONGEST_DIRECT);
    }
}

/// Registers that are filled at a time.
const REGISTERS: usize = 4;

/// Adds up the distances of each row's window from its mean, the oldest first; `values` are those up to the last row.
#[inline(always)]
fn distances<Lanes: Simd>(simd: Lanes, values: &[f64], means: &[f64], window: usize, totals: &mut [f64]) {
    let rows = totals.len();
    let first = values.len().saturating_sub(rows);
    let step = REGISTERS * Lanes::F64_LANES;
    let mut row = 0;
    while row + step <= rows {
        let at = |values: &[f64], place: usize| -> [Lanes::f64s; REGISTERS] {
            let registers = values.get(place..place + step).and_then(|values| Lanes::as_simd_f64s(values).0.first_chunk().copied());
            registers.unwrap_or([simd.splat_f64s(0.0); REGISTERS])
        };
        let (last, mean) = (at(values, first + row), at(means, row));
        let mut total = [simd.splat_f64s(0.0); REGISTERS];
        for lag in (0..window).rev() {
            let value = at(values, first + row - lag);
            for (((total, value), last), mean) in total.iter_mut().zip(value).zip(last).zip(mean) {
                *total = simd.add_f64s(*total, simd.abs_f64s(simd.sub_f64s(simd.sub_f64s(value, last), mean)));
            }
        }
        if let Some(out) = totals.get_mut(row..row + step) {
            for (out, total) in Lanes::as_mut_simd_f64s(out).0.iter_mut().zip(total) {
                *out = total;
            }
        }
        row += step;
    }
    for ((row, total), mean) in totals.iter_mut().enumerate().skip(row).zip(part(means, row, rows)) {
        *total = direct(part(values, first + row + 1 - window, first + row + 1), *mean);
    }
}

/// The sum of a window's distances from its mean, which is given relative to its last value.
#[inline(always)]
fn direct(window: &[f64], mean: f64) -> f64 {
    let last = window.last().copied().unwrap_or(f64::NAN);
    window.iter().map(|value| ((value - last) - mean).abs()).fold(0.0, |total, distance| total + distance)
}

impl Engine for Deviations {
    type Said = Statistic;

    #[inline(always)]
    fn begin(&mut self, chunk: Chunk) {
        self.moments.begin(chunk);
    }

    #[inline(always)]
    fn build(&mut self, known: &Known<'_>, chunk: Chunk, tile: Tile) {
        self.moments.build(known, chunk, tile);
    }

    #[inline(always)]
    fn full<Lanes: Simd>(&mut self, simd: Lanes, known: &Known<'_>, chunk: Chunk, tile: Tile, group: &Group<'_>, sink: &mut Sink<'_>) {
        if group.window > LONGEST_DIRECT {
            return;
        }
        let values = part(known.values, chunk.start, chunk.start + chunk.len);
        let (mut means, mut totals) = ([0.0; TILE], [0.0; TILE]);
        let means = part_mut(&mut means, 0, tile.to - tile.from);
        let totals = part_mut(&mut totals, 0, tile.to - tile.from);
        self.moments.means(values, group.window, tile, means);
        distances(simd, part(values, 0, tile.to), means, group.window, totals);
        let length = group.window as f64;
        for ask in group.asks {
            update1(sink.full(ask.output, chunk, tile), totals, |_, total| finite_or_nan(total / length));
        }
    }

    #[inline(always)]
    fn odd(&self, known: &Known<'_>, chunk: Chunk, odd: &Odd, group: &Group<'_>, sink: &mut Sink<'_>) {
        if odd.count > LONGEST_DIRECT {
            return;
        }
        let values = part(known.values, chunk.start, chunk.start + chunk.len);
        let end = odd.end - chunk.start;
        let count = odd.count as f64;
        let mean = self.moments.sum_from_last(values, end, odd.count) / count;
        let total = direct(part(values, end + 1 - odd.count, end + 1), mean);
        for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
            sink.odd(ask.output, odd.row, finite_or_nan(total / count));
        }
    }

    #[inline(always)]
    fn end(&mut self, chunk: Chunk) {
        self.moments.end(chunk);
    }
}

/// Mean distances of many values.
#[derive(Debug, Default)]
pub struct LongDeviations {
    ranks: Ranks,
    narrow: Present<i128>,
    wide: Present<Wide>,
}

/// The values of a window, by rank, as exact numbers.
#[derive(Debug, Default)]
struct Present<Number> {
    /// All values of the chunk in their order.
    sorted: Vec<Number>,
    samples: Vec<f64>,
    sums: Sums<Number>,
    total: Number,
    lowest: i32,
}

impl LongDeviations {
    /// Walks through a series.
    pub fn run(&mut self, known: &Known<'_>, longest: usize, groups: &[Group<'_>], sink: &mut Sink<'_>) {
        if longest <= LONGEST_DIRECT {
            return;
        }
        // The sum of as many values as the window has, times how many there are, and a sign.
        let count_bits = 2 * (usize::BITS - longest.leading_zeros()) + 1;
        for chunk in Chunk::all(known.values.len(), longest) {
            let values = part(known.values, chunk.start, chunk.start + chunk.len);
            self.ranks.assign(values);
            let (lowest, bits) = range(values);
            if bits + count_bits <= NARROW_BITS {
                self.narrow.run(&self.ranks, lowest, chunk, groups, sink);
            } else {
                self.wide.run(&self.ranks, lowest, chunk, groups, sink);
            }
        }
    }
}

/// Values of which one stands for all in the first step of a search.
const BLOCK: usize = 64;

/// How many of the sorted values are not above a limit; `samples` is every [`BLOCK`]th of them. The few that are left at the
/// end are all looked at, which is faster than guessing where to go on.
#[inline(always)]
fn not_above(samples: &[f64], sorted: &[f64], limit: f64) -> usize {
    let count = |values: &[f64]| values.iter().fold(0_u64, |count, value| count + u64::from(*value <= limit)) as usize;
    let reached = if samples.len() <= BLOCK { count(samples) } else { samples.partition_point(|value| *value <= limit) };
    let from = reached.saturating_sub(1) * BLOCK;
    from + count(part(sorted, from, (from + BLOCK).min(sorted.len())))
}

impl<Number: Whole> Present<Number> {
    fn run(&mut self, ranks: &Ranks, lowest: i32, chunk: Chunk, groups: &[Group<'_>], sink: &mut Sink<'_>) {
        self.lowest = lowest;
        self.samples.clear();
        self.samples.extend(ranks.sorted().iter().step_by(BLOCK));
        self.sorted.clear();
        self.sorted.extend(ranks.sorted().iter().map(|value| Number::of(*value, lowest)));
        for group in groups {
            let from = chunk.first_end(group.window, chunk.carried);
            if group.window > LONGEST_DIRECT && from < chunk.len {
                self.clear();
                for place in from + 1 - group.window..from {
                    self.insert(ranks.rank(place));
                }
                for end in from..chunk.len {
                    self.insert(ranks.rank(end));
                    if let Some(gone) = end.checked_sub(group.window).filter(|_| end > from) {
                        self.remove(ranks.rank(gone));
                    }
                    let value = self.deviation(group.window, ranks.sorted());
                    for ask in group.asks {
                        if let Some(out) = sink.full(ask.output, chunk, Tile { from: end, to: end + 1 }).first_mut() {
                            *out = value;
                        }
                    }
                }
            }
            let mut odd = group.odd_in(chunk).iter().filter(|odd| odd.count > LONGEST_DIRECT).peekable();
            let Some(first) = odd.peek() else { continue };
            self.clear();
            // Present are the values from `start` to before `past`; both only ever grow.
            let mut start = first.end + 1 - first.count - chunk.start;
            let mut past = start;
            for Odd { row, end, count, .. } in odd {
                let end = end - chunk.start;
                while past <= end {
                    self.insert(ranks.rank(past));
                    past += 1;
                }
                while start < end + 1 - count {
                    self.remove(ranks.rank(start));
                    start += 1;
                }
                let value = self.deviation(*count, ranks.sorted());
                for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
                    sink.odd(ask.output, *row, value);
                }
            }
        }
    }

    fn clear(&mut self) {
        self.sums.clear(self.sorted.len());
        self.total = Number::default();
    }

    fn value(&self, rank: usize) -> Number {
        self.sorted.get(rank).copied().unwrap_or_default()
    }

    fn insert(&mut self, rank: usize) {
        self.sums.insert(rank, self.value(rank));
        self.total = self.total.plus(self.value(rank));
    }

    fn remove(&mut self, rank: usize) {
        self.sums.remove(rank, self.value(rank));
        self.total = self.total.minus(self.value(rank));
    }

    /// Σ|x − mean|/n, which is 2·Σ(x − mean)/n over the values above the mean, or as much below: with n times the sum of those
    /// below, and how many they are times the sum of all, everything is whole.
    fn deviation(&self, window: usize, sorted: &[f64]) -> f64 {
        let window = window as u32;
        let length = f64::from(window);
        // About where the mean is, then exactly.
        let mean = self.total.about(self.lowest) / length;
        let mut not_above = not_above(&self.samples, sorted, mean);
        let is_above = |rank: usize| self.sorted.get(rank).is_some_and(|value| value.times(window).is_above(self.total));
        while not_above > 0 && is_above(not_above - 1) {
            not_above -= 1;
        }
        while not_above < self.sorted.len() && !is_above(not_above) {
            not_above += 1;
        }
        let (sum, count) = self.sums.below(not_above, |rank| self.value(rank));
        finite_or_nan(self.total.times(count).minus(sum.times(window)).scaled(length * length, self.lowest + 1))
    }
}
