//! What two inputs have in common: covariance and correlation, and regressions of values with nulls between them on their rows.
//!
//! Not moments of one input (`moments`), whose merging this shares. Contract: as there, everything is kept relative to a pair
//! inside the block.

use super::blocks::{Chunk, levels, make_room, parts};
use super::engine::{Engine, Group, Sink, Tile};
use super::formulas::{Constants, Lengths};
use super::known::{Known, Odd};
use super::lanes::{TILE, ZEROS, map3, part, part_mut, update1};
use super::loops;
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
    tiles: Tiles,
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
                products: lengths.products((between[0], between[1]), older.products, found.products),
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

/// Moments of a tile's windows, and what lies between means.
#[derive(Debug)]
struct Tiles {
    columns: [[f64; TILE]; COLUMNS],
    x_between: [f64; TILE],
    y_between: [f64; TILE],
}

impl Default for Tiles {
    fn default() -> Self {
        Self { columns: [[0.0; TILE]; COLUMNS], x_between: [0.0; TILE], y_between: [0.0; TILE] }
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
        let [x, y] = inputs(known, chunk);
        for power in 1..=levels(self.longest) {
            let half = 1 << (power - 1);
            let (from, to) = (chunk.first_end(2 * half, tile.from), tile.to);
            let (below, own) = self.levels.split_at_mut(power - 1);
            let Some(own) = own.first_mut().filter(|_| from < to) else { continue };
            let (older, newer) = (view(below.last(), from - half, to - half), view(below.last(), from, to));
            let lengths = Lengths::of(half, half);
            let [x_sum, y_sum, x_squares, y_squares, products] = own.each_mut().map(|column| part_mut(column, from, to));
            let x_between = part_mut(&mut self.tiles.x_between, 0, to - from);
            let y_between = part_mut(&mut self.tiles.y_between, 0, to - from);
            let (old, new) = (part(x, from - half, to - half), part(x, from, to));
            loops::sides(x_between, x_sum, x_squares, older[0], newer[0], older[2], newer[2], old, new, &lengths);
            let (old, new) = (part(y, from - half, to - half), part(y, from, to));
            loops::sides(y_between, y_sum, y_squares, older[1], newer[1], older[3], newer[3], old, new, &lengths);
            loops::products(products, older[4], newer[4], x_between, y_between, &lengths);
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
        let [x, y] = inputs(known, chunk);
        let Tile { from, to } = tile;
        let Self { levels, tiles, .. } = self;
        let level = |power: usize, newer: usize| view(power.checked_sub(1).and_then(|level| levels.get(level)), from - newer, to - newer);
        let [x_sum, y_sum, x_squares, y_squares, both] = tiles.columns.each_mut().map(|tile| part_mut(tile, 0, to - from));
        let x_between = part_mut(&mut tiles.x_between, 0, to - from);
        let y_between = part_mut(&mut tiles.y_between, 0, to - from);
        let mut parts = parts(group.window);
        let Some((power, _)) = parts.next() else { return };
        let newest = level(power, 0);
        for (own, newest) in [&mut *x_sum, &mut *y_sum, &mut *x_squares, &mut *y_squares, &mut *both].into_iter().zip(newest) {
            update1(own, newest, |_, newest| newest);
        }
        for (power, newer) in parts {
            let lengths = Lengths::of(1 << power, newer);
            let older = level(power, newer);
            loops::sides_onto(
                x_between,
                x_sum,
                x_squares,
                older[0],
                older[2],
                part(x, from - newer, to - newer),
                part(x, from, to),
                &lengths,
            );
            loops::sides_onto(
                y_between,
                y_sum,
                y_squares,
                older[1],
                older[3],
                part(y, from - newer, to - newer),
                part(y, from, to),
                &lengths,
            );
            loops::products_onto(both, older[4], x_between, y_between, &lengths);
        }
        let of = Constants::of(group.window, 0);
        for ask in group.asks {
            let out = sink.full(ask.output, chunk, tile);
            match ask.statistic {
                PairStatistic::Cov => {
                    update1(out, both, |_, both| finite_or_nan(of.sample(both)));
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
