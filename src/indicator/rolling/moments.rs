//! How values lie around their mean and along their positions: deviation, skewness, kurtosis, regression, weighted mean.
//!
//! Not sums (`sums`) and not what two inputs have in common (`pairs`). Contract: everything is kept relative to a value inside
//! the block, so that rounding is of the size of the window's range, not of its level. Blocks are merged by the formulas of
//! Chan, Golub and LeVeque (1979) and Pébay (2008). Means and squares are bit for bit those of
//! [`Spread`](crate::indicator::window::Spread).

use super::blocks::{Chunk, levels, make_room, parts};
use super::engine::{Engine, Group, Sink, Tile};
use super::formulas::{Constants, Found, Lengths};
use super::known::{Known, Odd};
use super::lanes::{TILE, ZEROS, map2, map3, part, part_mut, update1};
use super::loops;
use super::statistic::{Statistic, WarmUp};
use crate::indicator::finite_or_nan;
use pulp::Simd;

/// What is needed besides the sums.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Needs {
    squares: bool,
    trend: bool,
    shape: bool,
}

/// What a block holds of its values, relative to its last one.
#[derive(Debug, Default)]
struct Level {
    /// Σ(x − last).
    sum: Vec<f64>,
    /// Σ(x − mean)².
    squares: Vec<f64>,
    /// Σ(position − mean position)·(x − mean).
    trend: Vec<f64>,
    /// Σ(x − mean)³.
    cubes: Vec<f64>,
    /// Σ(x − mean)⁴.
    fourths: Vec<f64>,
}

impl Level {
    fn columns(&mut self, needs: Needs) -> impl Iterator<Item = &mut Vec<f64>> {
        let Self { sum, squares, trend, cubes, fourths } = self;
        let columns = [(sum, true), (squares, needs.squares), (trend, needs.trend), (cubes, needs.shape), (fourths, needs.shape)];
        columns.into_iter().filter(|(_, is_needed)| *is_needed).map(|(column, _)| column)
    }
}

/// Some blocks of a level.
#[derive(Clone, Copy)]
struct View<'a> {
    sum: &'a [f64],
    squares: &'a [f64],
    trend: &'a [f64],
    cubes: &'a [f64],
    fourths: &'a [f64],
}

/// Blocks of 2, 4, 8 … values, by their last value.
#[derive(Debug, Default)]
pub struct Moments {
    levels: Vec<Level>,
    longest: usize,
    /// How many levels are needed.
    depth: usize,
    needs: Needs,
    tiles: Tiles,
}

/// Moments of a tile's windows.
#[derive(Debug)]
struct Tiles {
    sum: [f64; TILE],
    squares: [f64; TILE],
    trend: [f64; TILE],
    cubes: [f64; TILE],
    fourths: [f64; TILE],
    between: [f64; TILE],
}

impl Default for Tiles {
    fn default() -> Self {
        let zeros = [0.0; TILE];
        Self { sum: zeros, squares: zeros, trend: zeros, cubes: zeros, fourths: zeros, between: zeros }
    }
}

/// The statistics this module knows.
pub fn knows(statistic: Statistic) -> bool {
    use Statistic::{Demean, Kurt, Resi, Rsquare, Skew, Slope, Std, Stdp, Var, Wma};
    matches!(statistic, Std | Stdp | Var | Skew | Kurt | Slope | Rsquare | Resi | Wma | Demean)
}

#[inline(always)]
fn values<'a>(known: &Known<'a>, chunk: Chunk) -> &'a [f64] {
    part(known.values, chunk.start, chunk.start + chunk.len)
}

#[inline(always)]
fn view(level: Option<&Level>, from: usize, to: usize) -> View<'_> {
    match level {
        None => {
            let zeros = part(&ZEROS, 0, to - from);
            View { sum: zeros, squares: zeros, trend: zeros, cubes: zeros, fourths: zeros }
        }
        Some(level) => View {
            sum: part(&level.sum, from, to),
            squares: part(&level.squares, from, to),
            trend: part(&level.trend, from, to),
            cubes: part(&level.cubes, from, to),
            fourths: part(&level.fourths, from, to),
        },
    }
}

impl Moments {
    /// For windows up to a length, and what is asked of them.
    pub fn prepare(&mut self, longest: usize, statistics: impl Iterator<Item = Statistic>) {
        use Statistic::{Kurt, Resi, Rsquare, Skew, Slope, Std, Stdp, Var, Wma};
        self.longest = longest;
        self.needs = Needs::default();
        for statistic in statistics {
            // Trends go with squares: that costs little, and saves loops for the one without the other.
            self.needs.squares |= matches!(statistic, Std | Stdp | Var | Skew | Kurt | Slope | Rsquare | Resi | Wma);
            self.needs.trend |= matches!(statistic, Slope | Rsquare | Resi | Wma);
            self.needs.shape |= matches!(statistic, Skew | Kurt);
        }
        self.depth = levels(longest);
        if self.levels.len() < self.depth {
            self.levels.resize_with(self.depth, Level::default);
        }
    }

    /// Leaves out what only windows longer than this need.
    pub fn limit(&mut self, longest: usize) {
        self.depth = self.depth.min(levels(longest));
    }

    #[inline(always)]
    fn level(&self, power: usize) -> Option<&Level> {
        power.checked_sub(1).and_then(|level| self.levels.get(level))
    }

    /// Moments of all windows that end in a tile, into the engine's own tiles.
    #[inline(always)]
    fn merge(&mut self, values: &[f64], window: usize, Tile { from, to }: Tile) {
        let Self { levels, tiles, needs, .. } = self;
        let level = |power: usize, newer: usize| view(power.checked_sub(1).and_then(|level| levels.get(level)), from - newer, to - newer);
        let Tiles { sum, squares, trend, cubes, fourths, between } = tiles;
        let [sum, squares, trend, cubes, fourths, between] =
            [sum, squares, trend, cubes, fourths, between].map(|tile| part_mut(tile, 0, to - from));
        let last = part(values, from, to);
        let mut parts = parts(window);
        let Some((power, _)) = parts.next() else { return };
        let newest = level(power, 0);
        update1(sum, newest.sum, |_, newest| newest);
        if needs.squares {
            update1(squares, newest.squares, |_, newest| newest);
        }
        if needs.trend {
            update1(trend, newest.trend, |_, newest| newest);
        }
        if needs.shape {
            update1(cubes, newest.cubes, |_, newest| newest);
            update1(fourths, newest.fourths, |_, newest| newest);
        }
        for (power, newer) in parts {
            let lengths = Lengths::of(1 << power, newer);
            let older = level(power, newer);
            let old = part(values, from - newer, to - newer);
            if needs.shape {
                loops::betweens_onto(between, sum, older.sum, old, last, &lengths);
                loops::shapes_onto(cubes, fourths, squares, between, older.squares, older.cubes, older.fourths, &lengths);
                loops::from_between_onto(squares, older.squares, between, |between, older, newer| lengths.squares(between, older, newer));
                if needs.trend {
                    loops::from_between_onto(trend, older.trend, between, |between, older, newer| lengths.trend(between, older, newer));
                }
            } else if needs.trend {
                loops::trends_onto(sum, squares, trend, older.sum, older.squares, older.trend, old, last, &lengths);
            } else if needs.squares {
                loops::squares_onto(sum, squares, older.sum, older.squares, old, last, &lengths);
            } else {
                loops::sums_onto(sum, older.sum, old, last, &lengths);
            }
        }
    }

    /// Means of all windows that end in a tile, minus their last values.
    #[inline(always)]
    pub fn means(&mut self, values: &[f64], window: usize, tile: Tile, means: &mut [f64]) {
        self.merge(values, window, tile);
        let count = window as f64;
        update1(means, &self.tiles.sum, |_, sum| sum / count);
    }

    /// Σ(x − last) of one window.
    pub fn sum_from_last(&self, values: &[f64], end: usize, count: usize) -> f64 {
        self.single(values, end, count).sum
    }

    /// Moments of one window: so many values up to a place of the chunk.
    #[inline(always)]
    fn single(&self, values: &[f64], end: usize, count: usize) -> Found {
        let at = |column: &[f64], place: usize| column.get(place).copied().unwrap_or(0.0);
        let block = |power: usize, place: usize| {
            let last = at(values, place);
            let Some(level) = self.level(power) else {
                return Found { last, sum: 0.0, squares: 0.0, trend: 0.0, cubes: 0.0, fourths: 0.0 };
            };
            Found {
                last,
                sum: at(&level.sum, place),
                squares: at(&level.squares, place),
                trend: at(&level.trend, place),
                cubes: at(&level.cubes, place),
                fourths: at(&level.fourths, place),
            }
        };
        let mut parts = parts(count);
        let mut found = block(parts.next().map_or(0, |(power, _)| power), end);
        for (power, newer) in parts {
            let lengths = Lengths::of(1 << power, newer);
            let older = block(power, end - newer);
            let gap = older.last - found.last;
            let between = lengths.between(gap, older.sum, found.sum);
            let (squares, cubes) = ((older.squares, found.squares), (older.cubes, found.cubes));
            found = Found {
                last: found.last,
                sum: lengths.sum(gap, older.sum, found.sum),
                squares: lengths.squares(between, older.squares, found.squares),
                trend: lengths.trend(between, older.trend, found.trend),
                cubes: lengths.cubes(between, squares, cubes),
                fourths: lengths.fourths(between, squares, cubes, (older.fourths, found.fourths)),
            };
        }
        found
    }
}

impl Engine for Moments {
    type Said = Statistic;

    #[inline(always)]
    fn begin(&mut self, chunk: Chunk) {
        for level in self.levels.iter_mut().take(self.depth) {
            level.columns(self.needs).for_each(|column| make_room(column, chunk.len));
        }
    }

    #[inline(always)]
    fn build(&mut self, known: &Known<'_>, chunk: Chunk, tile: Tile) {
        let values = values(known, chunk);
        let needs = self.needs;
        for power in 1..=self.depth {
            let half = 1 << (power - 1);
            let (from, to) = (chunk.first_end(2 * half, tile.from), tile.to);
            let (below, own) = self.levels.split_at_mut(power - 1);
            let Some(own) = own.first_mut().filter(|_| from < to) else { continue };
            let (older, newer) = (view(below.last(), from - half, to - half), view(below.last(), from, to));
            let lengths = Lengths::of(half, half);
            let (old, new) = (part(values, from - half, to - half), part(values, from, to));
            let [sum, squares, trend, cubes, fourths] =
                [&mut own.sum, &mut own.squares, &mut own.trend, &mut own.cubes, &mut own.fourths].map(|column| part_mut(column, from, to));
            if needs.shape {
                let between = part_mut(&mut self.tiles.between, 0, to - from);
                loops::betweens(between, sum, older.sum, newer.sum, old, new, &lengths);
                loops::shapes(
                    cubes,
                    fourths,
                    between,
                    older.squares,
                    newer.squares,
                    older.cubes,
                    newer.cubes,
                    older.fourths,
                    newer.fourths,
                    &lengths,
                );
                let of_squares = |between, older, newer| lengths.squares(between, older, newer);
                loops::from_between(squares, older.squares, newer.squares, between, of_squares);
                let of_trends = |between, older, newer| lengths.trend(between, older, newer);
                loops::from_between(trend, older.trend, newer.trend, between, of_trends);
            } else if needs.trend {
                loops::trends(
                    sum,
                    squares,
                    trend,
                    older.sum,
                    newer.sum,
                    older.squares,
                    newer.squares,
                    older.trend,
                    newer.trend,
                    old,
                    new,
                    &lengths,
                );
            } else if needs.squares {
                loops::squares(sum, squares, older.sum, newer.sum, older.squares, newer.squares, old, new, &lengths);
            } else {
                loops::sums(sum, older.sum, newer.sum, old, new, &lengths);
            }
        }
    }

    #[inline(always)]
    fn full<Lanes: Simd>(&mut self, _simd: Lanes, known: &Known<'_>, chunk: Chunk, tile: Tile, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = values(known, chunk);
        let len = tile.to - tile.from;
        self.merge(values, group.window, tile);
        let tiles = &self.tiles;
        let [sum, squares, trend, cubes, fourths] =
            [&tiles.sum, &tiles.squares, &tiles.trend, &tiles.cubes, &tiles.fourths].map(|tile| part(tile, 0, len));
        let last = part(values, tile.from, tile.to);
        let of = Constants::of(group.window, 0);
        for ask in group.asks {
            let out = sink.full(ask.output, chunk, tile);
            match ask.statistic {
                Statistic::Std => update1(out, squares, |_, squares| finite_or_nan(of.sample(squares).sqrt())),
                Statistic::Stdp => update1(out, squares, |_, squares| finite_or_nan((squares / of.count).sqrt())),
                Statistic::Var => update1(out, squares, |_, squares| finite_or_nan(of.sample(squares))),
                Statistic::Demean => update1(out, sum, |_, sum| finite_or_nan(-(sum / of.count))),
                Statistic::Slope => update1(out, trend, |_, trend| finite_or_nan(of.slope(trend))),
                Statistic::Rsquare => map2(out, [squares, trend], |squares, trend| finite_or_nan(of.r_squared(squares, trend))),
                Statistic::Resi => map2(out, [sum, trend], |sum, trend| finite_or_nan(of.residual(sum, trend))),
                Statistic::Wma => map3(out, [last, sum, trend], |last, sum, trend| finite_or_nan(of.weighted_mean(last, sum, trend))),
                Statistic::Skew => map2(out, [squares, cubes], |squares, cubes| finite_or_nan(of.skewness(squares, cubes))),
                Statistic::Kurt => map2(out, [squares, fourths], |squares, fourths| finite_or_nan(of.kurtosis(squares, fourths))),
                _ => {}
            }
        }
    }

    #[inline(always)]
    fn odd(&self, known: &Known<'_>, chunk: Chunk, odd: &Odd, group: &Group<'_>, sink: &mut Sink<'_>) {
        let found = self.single(values(known, chunk), odd.end - chunk.start, odd.count);
        let of = Constants::of(odd.count, odd.before);
        for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
            if !(odd.is_broken && along_positions(ask.statistic)) {
                sink.odd(ask.output, odd.row, of.said(ask.statistic, &found, odd.after > 0));
            }
        }
    }

    #[inline(always)]
    fn end(&mut self, chunk: Chunk) {
        let (longest, needs) = (self.longest, self.needs);
        for level in self.levels.iter_mut().take(self.depth) {
            level.columns(needs).for_each(|column| chunk.carry(longest, column));
        }
    }
}

/// Whether a statistic is one of values at positions: where there are nulls between them, `pairs` computes it.
pub fn along_positions(statistic: Statistic) -> bool {
    matches!(statistic, Statistic::Slope | Statistic::Rsquare | Statistic::Resi | Statistic::Wma)
}
