//! What two inputs have in common: covariance and correlation, and regressions of values with nulls between them on their rows.
//!
//! Not moments of one input (`moments`), whose merging this shares. Contract: as there, everything is kept relative to a pair
//! inside the block.

use super::blocks::{Chunk, levels, make_room, parts};
use super::engine::{Engine, Group, Sink, Tile};
use super::known::{Known, Odd};
use super::lanes::{TILE, ZEROS, map3, part, part_mut, update2};
use super::moments::{Constants, Lengths};
use super::statistic::{PairStatistic, WarmUp};
use crate::indicator::finite_or_nan;
use pulp::Simd;

/// Number of columns of a level.
const COLUMNS: usize = 5;

/// Σ(x − last) of both inputs, Σ(x − mean)² of both, Σ(x − mean x)·(y − mean y).
type Columns = [Vec<f64>; COLUMNS];

/// Blocks of 2, 4, 8 … pairs, by their last pair.
#[derive(Debug, Default)]
pub struct Pairs {
    levels: Vec<Columns>,
    longest: usize,
}

/// Moments of one window of pairs.
#[derive(Debug, Clone, Copy)]
pub struct PairFound {
    /// Σ(x − last) of both.
    pub sums: [f64; 2],
    /// Σ(x − mean)² of both.
    pub squares: [f64; 2],
    /// Σ(x − mean x)·(y − mean y).
    pub products: f64,
}

#[inline(always)]
fn inputs<'a>(known: &Known<'a>, chunk: Chunk) -> [&'a [f64]; 2] {
    [known.values, known.others].map(|values| part(values, chunk.start, chunk.start + chunk.len))
}

#[inline(always)]
fn products(lengths: &Lengths, between: (f64, f64), older: f64, newer: f64) -> f64 {
    newer + older + between.0 * between.1 * lengths.weight
}

#[inline(always)]
fn correlation(of: &Constants, squares: [f64; 2], products: f64) -> f64 {
    let correlation = products / (squares[0].sqrt() * squares[1].sqrt());
    let correlation = if correlation > 1.0 { 1.0 } else { correlation };
    let correlation = if correlation < -1.0 { -1.0 } else { correlation };
    if of.hardly_varies(squares[0]) | of.hardly_varies(squares[1]) { f64::NAN } else { correlation }
}

impl Pairs {
    /// For windows up to a length.
    pub fn prepare(&mut self, longest: usize) {
        self.longest = longest;
        let levels = levels(longest);
        if self.levels.len() < levels {
            self.levels.resize_with(levels, Columns::default);
        }
    }

    #[inline(always)]
    fn level(&self, power: usize, from: usize, to: usize) -> [&[f64]; COLUMNS] {
        view(power.checked_sub(1).and_then(|level| self.levels.get(level)), from, to)
    }

    /// Moments of one window: so many pairs up to a place of the chunk.
    pub fn single(&self, known: &Known<'_>, chunk: Chunk, end: usize, count: usize) -> PairFound {
        let values = inputs(known, chunk);
        let block = |power: usize, place: usize| {
            let [x_sum, y_sum, x_squares, y_squares, products] =
                self.level(power, place, place + 1).map(|column| column.first().copied().unwrap_or(f64::NAN));
            PairFound { sums: [x_sum, y_sum], squares: [x_squares, y_squares], products }
        };
        let last = |place: usize| values.map(|values| values.get(place).copied().unwrap_or(f64::NAN));
        let mut parts = parts(count);
        let mut found = block(parts.next().map_or(0, |(power, _)| power), end);
        for (power, newer) in parts {
            let lengths = Lengths::of(1 << power, newer);
            let older = block(power, end - newer);
            let (old, new) = (last(end - newer), last(end));
            let gaps = [old[0] - new[0], old[1] - new[1]];
            let between = [0, 1].map(|input: usize| lengths.between(gaps[input], older.sums[input], found.sums[input]));
            found = PairFound {
                sums: [0, 1].map(|input: usize| lengths.sum(gaps[input], older.sums[input], found.sums[input])),
                squares: [0, 1].map(|input: usize| lengths.squares(between[input], older.squares[input], found.squares[input])),
                products: products(&lengths, (between[0], between[1]), older.products, found.products),
            };
        }
        found
    }
}

#[inline(always)]
fn view(level: Option<&Columns>, from: usize, to: usize) -> [&[f64]; COLUMNS] {
    match level {
        None => [part(&ZEROS, 0, to - from); COLUMNS],
        Some([a, b, c, d, e]) => [a, b, c, d, e].map(|column| part(column, from, to)),
    }
}

/// Between the means of an input's blocks, and the sum of both blocks.
#[inline(always)]
fn sums(between: &mut [f64], out: &mut [f64], lengths: &Lengths, values: [&[f64]; 2], older: &[f64], newer: &[f64]) {
    let gaps = values[0].iter().zip(values[1]).map(|(older, newer)| older - newer);
    for (((between, out), (older, newer)), gap) in between.iter_mut().zip(out).zip(older.iter().zip(newer)).zip(gaps) {
        *between = lengths.between(gap, *older, *newer);
        *out = lengths.sum(gap, *older, *newer);
    }
}

impl Engine for Pairs {
    type Said = PairStatistic;

    #[inline(always)]
    fn begin(&mut self, chunk: Chunk) {
        for column in self.levels.iter_mut().take(levels(self.longest)).flatten() {
            make_room(column, chunk.len);
        }
    }

    #[inline(always)]
    fn build(&mut self, known: &Known<'_>, chunk: Chunk, tile: Tile) {
        let values = inputs(known, chunk);
        let (mut x_room, mut y_room) = ([0.0; TILE], [0.0; TILE]);
        for power in 1..=levels(self.longest) {
            let half = 1 << (power - 1);
            let (from, to) = (chunk.first_end(2 * half, tile.from), tile.to);
            let (below, own) = self.levels.split_at_mut(power - 1);
            let Some(own) = own.first_mut().filter(|_| from < to) else { continue };
            let (older, newer) = (view(below.last(), from - half, to - half), view(below.last(), from, to));
            let lengths = Lengths::of(half, half);
            let [x_sum, y_sum, x_squares, y_squares, both] = own.each_mut().map(|column| part_mut(column, from, to));
            let (x, y) = (part_mut(&mut x_room, 0, to - from), part_mut(&mut y_room, 0, to - from));
            let ends = |input: usize| [part(values[input], from - half, to - half), part(values[input], from, to)];
            sums(x, x_sum, &lengths, ends(0), older[0], newer[0]);
            sums(y, y_sum, &lengths, ends(1), older[1], newer[1]);
            map3(x_squares, [older[2], newer[2], x], |older, newer, between| lengths.squares(between, older, newer));
            map3(y_squares, [older[3], newer[3], y], |older, newer, between| lengths.squares(between, older, newer));
            for ((both, (older, newer)), (x, y)) in both.iter_mut().zip(older[4].iter().zip(newer[4])).zip(x.iter().zip(&*y)) {
                *both = products(&lengths, (*x, *y), *older, *newer);
            }
        }
    }

    #[inline(always)]
    fn full<Lanes: Simd>(
        &mut self,
        _simd: Lanes,
        known: &Known<'_>,
        chunk: Chunk,
        tile: Tile,
        group: &Group<'_, PairStatistic>,
        sink: &mut Sink<'_>,
    ) {
        let values = inputs(known, chunk);
        let Tile { from, to } = tile;
        let len = to - from;
        let mut rooms = [[0.0; TILE]; COLUMNS];
        let (mut x_room, mut y_room) = ([0.0; TILE], [0.0; TILE]);
        let [x_sum, y_sum, x_squares, y_squares, both] = rooms.each_mut().map(|room| part_mut(room, 0, len));
        let mut parts = parts(group.window);
        let Some((power, _)) = parts.next() else { return };
        for (out, newest) in
            [&mut *x_sum, &mut *y_sum, &mut *x_squares, &mut *y_squares, &mut *both].into_iter().zip(self.level(power, from, to))
        {
            for (out, newest) in out.iter_mut().zip(newest) {
                *out = *newest;
            }
        }
        for (power, newer) in parts {
            let lengths = Lengths::of(1 << power, newer);
            let older = self.level(power, from - newer, to - newer);
            let (x, y) = (part_mut(&mut x_room, 0, len), part_mut(&mut y_room, 0, len));
            for (between, (sum, (older_sums, values))) in
                [&mut *x, &mut *y].into_iter().zip([&mut *x_sum, &mut *y_sum].into_iter().zip([older[0], older[1]].into_iter().zip(values)))
            {
                let ends = part(values, from - newer, to - newer).iter().zip(part(values, from, to));
                for (((between, sum), older), (old, new)) in between.iter_mut().zip(sum.iter_mut()).zip(older_sums).zip(ends) {
                    let gap = old - new;
                    *between = lengths.between(gap, *older, *sum);
                    *sum = lengths.sum(gap, *older, *sum);
                }
            }
            update2(x_squares, [older[2], x], |squares, older, between| lengths.squares(between, older, squares));
            update2(y_squares, [older[3], y], |squares, older, between| lengths.squares(between, older, squares));
            for ((both, older), (x, y)) in both.iter_mut().zip(older[4]).zip(x.iter().zip(&*y)) {
                *both = products(&lengths, (*x, *y), *older, *both);
            }
        }
        let of = Constants::of(group.window, 0);
        for ask in group.asks {
            let out = sink.full(ask.output, chunk, tile);
            match ask.statistic {
                PairStatistic::Cov => {
                    for (out, both) in out.iter_mut().zip(&*both) {
                        *out = finite_or_nan(of.sample(*both));
                    }
                }
                PairStatistic::Corr => {
                    map3(out, [x_squares, y_squares, both], |x, y, both| finite_or_nan(correlation(&of, [x, y], both)));
                }
            }
        }
    }

    #[inline(always)]
    fn odd(&self, known: &Known<'_>, chunk: Chunk, odd: &Odd, group: &Group<'_, PairStatistic>, sink: &mut Sink<'_>) {
        let PairFound { squares, products, .. } = self.single(known, chunk, odd.end - chunk.start, odd.count);
        let of = Constants::of(odd.count, odd.before);
        for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
            let value = match ask.statistic {
                PairStatistic::Cov => of.sample(products),
                PairStatistic::Corr => correlation(&of, squares, products),
            };
            sink.odd(ask.output, odd.row, finite_or_nan(value));
        }
    }

    #[inline(always)]
    fn end(&mut self, chunk: Chunk) {
        let longest = self.longest;
        for column in self.levels.iter_mut().take(levels(longest)).flatten() {
            chunk.carry(longest, column);
        }
    }
}
