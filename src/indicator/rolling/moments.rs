//! How values lie around their mean and along their positions: deviation, skewness, kurtosis, regression, weighted mean.
//!
//! Not sums (`sums`) and not what two inputs have in common (`pairs`). Contract: everything is kept relative to a value inside
//! the block, so that rounding is of the size of the window's range, not of its level. Blocks are merged by the formulas of
//! Chan, Golub and LeVeque (1979) and Pébay (2008). Means and squares are bit for bit those of
//! [`Spread`](crate::indicator::window::Spread).

use super::blocks::{Chunk, levels, make_room, parts};
use super::engine::{Engine, Group, Sink, Tile};
use super::known::{Known, Odd};
use super::lanes::{TILE, ZEROS, map2, map3, part, part_mut, update1, update2};
use super::statistic::{Statistic, WarmUp};
use crate::indicator::finite_or_nan;
use pulp::Simd;

/// A sample deviation up to this counts as none at all where a correlation would be made of rounding. Qlib's.
const HARDLY_VARIES: f64 = 2e-5;

/// What merging two neighbouring blocks needs to know of their lengths.
#[derive(Debug, Clone, Copy)]
pub struct Lengths {
    pub older: f64,
    /// 1/older and 1/newer.
    inverse: (f64, f64),
    /// older·newer/(older + newer).
    pub weight: f64,
    /// older·newer/2: the distance of the blocks' mean positions times the weight.
    lever: f64,
    /// older/(older + newer) and newer/(older + newer).
    share: (f64, f64),
    skewed: f64,
    peaked: f64,
}

impl Lengths {
    /// Of an older and a newer block.
    #[inline]
    pub fn of(older: usize, newer: usize) -> Self {
        let (older, newer) = (older as f64, newer as f64);
        let both = older + newer;
        let weight = older * newer / both;
        Self {
            older,
            inverse: (1.0 / older, 1.0 / newer),
            weight,
            lever: older * newer / 2.0,
            share: (older / both, newer / both),
            skewed: weight * (older - newer) / both,
            peaked: weight * (older * older - older * newer + newer * newer) / (both * both),
        }
    }

    /// The older block's mean minus the newer one's; `gap` is what lies between their last values, sums are of the distances
    /// from these.
    #[inline(always)]
    pub fn between(&self, gap: f64, older_sum: f64, newer_sum: f64) -> f64 {
        gap + older_sum * self.inverse.0 - newer_sum * self.inverse.1
    }

    #[inline(always)]
    pub fn sum(&self, gap: f64, older: f64, newer: f64) -> f64 {
        newer + (older + self.older * gap)
    }

    #[inline(always)]
    pub fn squares(&self, between: f64, older: f64, newer: f64) -> f64 {
        newer + older + between * between * self.weight
    }

    #[inline(always)]
    fn trend(&self, between: f64, older: f64, newer: f64) -> f64 {
        newer + older - self.lever * between
    }

    /// Pairs are (older, newer).
    #[inline(always)]
    fn cubes(&self, between: f64, squares: (f64, f64), cubes: (f64, f64)) -> f64 {
        let square = between * between;
        cubes.1 + cubes.0 - between * (square * self.skewed + 3.0 * (self.share.0 * squares.1 - self.share.1 * squares.0))
    }

    #[inline(always)]
    fn fourths(&self, between: f64, squares: (f64, f64), cubes: (f64, f64), fourths: (f64, f64)) -> f64 {
        let square = between * between;
        let (older, newer) = (self.share.1 * self.share.1, self.share.0 * self.share.0);
        fourths.1
            + fourths.0
            + between
                * (between * (square * self.peaked + 6.0 * (newer * squares.1 + older * squares.0))
                    - 4.0 * (self.share.0 * cubes.1 - self.share.1 * cubes.0))
    }
}

/// Constants of a window's length.
#[derive(Debug, Clone, Copy)]
pub struct Constants {
    count: f64,
    /// Degrees of freedom of a sample.
    freedom: f64,
    /// Mean position minus the last one.
    middle: f64,
    /// Σ(position − mean position)².
    position_squares: f64,
    /// Σ of the positions.
    positions: f64,
    skew: f64,
    kurt: (f64, f64),
}

impl Constants {
    /// For so many neighbouring values, with so many nulls before them in the window.
    pub fn of(count: usize, before: usize) -> Self {
        let count = count as f64;
        let middle = -((count - 1.0) / 2.0);
        let last = before as f64 + count;
        Self { middle, position_squares: count * (count * count - 1.0) / 12.0, positions: count * (last + middle), ..Self::of_shape(count) }
    }

    /// For values between which there are nulls, by the mean of their rows minus the last one and by the squares of their rows.
    pub fn of_rows(odd: &Odd, rows_sum: f64, position_squares: f64, span: usize) -> Self {
        let count = odd.count as f64;
        let middle = rows_sum / count;
        let last = (odd.before + span) as f64;
        Self { middle, position_squares, positions: count * (last + middle), ..Self::of_shape(count) }
    }

    fn of_shape(count: f64) -> Self {
        let bias = (count - 2.0) * (count - 3.0);
        let enough = |least: f64, value: f64| if count < least { f64::NAN } else { value };
        Self {
            count,
            freedom: enough(2.0, count - 1.0),
            middle: 0.0,
            position_squares: 0.0,
            positions: 0.0,
            skew: enough(3.0, count * (count - 1.0).sqrt() / (count - 2.0)),
            kurt: (enough(4.0, count * (count + 1.0) * (count - 1.0) / bias), enough(4.0, 3.0 * ((count - 1.0) * (count - 1.0)) / bias)),
        }
    }

    #[inline(always)]
    pub fn hardly_varies(&self, squares: f64) -> bool {
        squares / self.freedom <= HARDLY_VARIES * HARDLY_VARIES
    }

    #[inline(always)]
    pub fn sample(&self, squares: f64) -> f64 {
        squares / self.freedom
    }

    #[inline(always)]
    fn slope(&self, trend: f64) -> f64 {
        trend / self.position_squares
    }

    #[inline(always)]
    fn r_squared(&self, squares: f64, trend: f64) -> f64 {
        let share = trend * trend / self.position_squares / squares;
        let share = if share > 1.0 { 1.0 } else { share };
        if self.hardly_varies(squares) { f64::NAN } else { share }
    }

    #[inline(always)]
    fn residual(&self, sum: f64, trend: f64) -> f64 {
        self.slope(trend) * self.middle - sum / self.count
    }

    #[inline(always)]
    fn weighted_mean(&self, last: f64, sum: f64, trend: f64) -> f64 {
        last + (sum / self.count + trend / self.positions)
    }

    #[inline(always)]
    fn skewness(&self, squares: f64, cubes: f64) -> f64 {
        let skewness = self.skew * (cubes / (squares * squares.sqrt()));
        if squares == 0.0 { 0.0 * self.skew } else { skewness }
    }

    #[inline(always)]
    fn kurtosis(&self, squares: f64, fourths: f64) -> f64 {
        let kurtosis = self.kurt.0 * (fourths / (squares * squares)) - self.kurt.1;
        if squares == 0.0 { 0.0 * self.kurt.0 - 3.0 } else { kurtosis }
    }
}

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
}

/// Moments of a tile's windows.
struct Tiles {
    sum: [f64; TILE],
    squares: [f64; TILE],
    trend: [f64; TILE],
    cubes: [f64; TILE],
    fourths: [f64; TILE],
    between: [f64; TILE],
}

/// Moments of one window.
#[derive(Debug, Clone, Copy)]
struct Found {
    last: f64,
    sum: f64,
    squares: f64,
    trend: f64,
    cubes: f64,
    fourths: f64,
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
            self.needs.squares |= matches!(statistic, Std | Stdp | Var | Skew | Kurt | Rsquare);
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

    /// Moments of all windows that end in a tile.
    #[inline(always)]
    fn merge(&self, values: &[f64], window: usize, Tile { from, to }: Tile, tiles: &mut Tiles) {
        let len = to - from;
        let needs = self.needs;
        let [sum, squares, trend, cubes, fourths, between] =
            [&mut tiles.sum, &mut tiles.squares, &mut tiles.trend, &mut tiles.cubes, &mut tiles.fourths, &mut tiles.between]
                .map(|tile| part_mut(tile, 0, len));
        let last = part(values, from, to);
        let mut parts = parts(window);
        let Some((power, _)) = parts.next() else { return };
        let newest = view(self.level(power), from, to);
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
            let older = view(self.level(power), from - newer, to - newer);
            let older_last = part(values, from - newer, to - newer);
            for (((between, sum), (old, new)), older) in
                between.iter_mut().zip(sum.iter_mut()).zip(older_last.iter().zip(last)).zip(older.sum)
            {
                let gap = old - new;
                *between = lengths.between(gap, *older, *sum);
                *sum = lengths.sum(gap, *older, *sum);
            }
            if needs.shape {
                let all =
                    fourths.iter_mut().zip(&*cubes).zip(&*squares).zip(&*between).zip(older.fourths).zip(older.cubes).zip(older.squares);
                for ((((((fourths, cubes), squares), between), older_fourths), older_cubes), older_squares) in all {
                    *fourths = lengths.fourths(*between, (*older_squares, *squares), (*older_cubes, *cubes), (*older_fourths, *fourths));
                }
                let all = cubes.iter_mut().zip(&*squares).zip(&*between).zip(older.cubes).zip(older.squares);
                for ((((cubes, squares), between), older_cubes), older_squares) in all {
                    *cubes = lengths.cubes(*between, (*older_squares, *squares), (*older_cubes, *cubes));
                }
            }
            if needs.squares {
                update2(squares, [older.squares, between], |squares, older, between| lengths.squares(between, older, squares));
            }
            if needs.trend {
                update2(trend, [older.trend, between], |trend, older, between| lengths.trend(between, older, trend));
            }
        }
    }

    /// Means of all windows that end in a tile, minus their last values.
    #[inline(always)]
    pub fn means(&self, values: &[f64], window: usize, tile: Tile, means: &mut [f64]) {
        let zeros = [0.0; TILE];
        let mut tiles = Tiles { sum: zeros, squares: zeros, trend: zeros, cubes: zeros, fourths: zeros, between: zeros };
        self.merge(values, window, tile, &mut tiles);
        let count = window as f64;
        update1(means, &tiles.sum, |_, sum| sum / count);
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
        let mut room = [0.0; TILE];
        for power in 1..=self.depth {
            let half = 1 << (power - 1);
            let (from, to) = (chunk.first_end(2 * half, tile.from), tile.to);
            let (below, own) = self.levels.split_at_mut(power - 1);
            let Some(own) = own.first_mut().filter(|_| from < to) else { continue };
            let (older, newer) = (view(below.last(), from - half, to - half), view(below.last(), from, to));
            let lengths = Lengths::of(half, half);
            let gaps = part(values, from - half, to - half).iter().zip(part(values, from, to)).map(|(older, newer)| older - newer);
            let between = part_mut(&mut room, 0, to - from);
            let sums = between.iter_mut().zip(part_mut(&mut own.sum, from, to)).zip(older.sum.iter().zip(newer.sum)).zip(gaps);
            for (((between, sum), (older, newer)), gap) in sums {
                *between = lengths.between(gap, *older, *newer);
                *sum = lengths.sum(gap, *older, *newer);
            }
            let between = &*between;
            if needs.squares {
                let inputs = [older.squares, newer.squares, between];
                map3(part_mut(&mut own.squares, from, to), inputs, |older, newer, between| lengths.squares(between, older, newer));
            }
            if needs.trend {
                let inputs = [older.trend, newer.trend, between];
                map3(part_mut(&mut own.trend, from, to), inputs, |older, newer, between| lengths.trend(between, older, newer));
            }
            if needs.shape {
                let squares = || older.squares.iter().zip(newer.squares).map(|(older, newer)| (*older, *newer));
                let cubes = || older.cubes.iter().zip(newer.cubes).map(|(older, newer)| (*older, *newer));
                let fourths = older.fourths.iter().zip(newer.fourths).map(|(older, newer)| (*older, *newer));
                let own_cubes = part_mut(&mut own.cubes, from, to).iter_mut();
                for (((own, squares), cubes), between) in own_cubes.zip(squares()).zip(cubes()).zip(between) {
                    *own = lengths.cubes(*between, squares, cubes);
                }
                let own_fourths = part_mut(&mut own.fourths, from, to).iter_mut();
                for ((((own, squares), cubes), fourths), between) in own_fourths.zip(squares()).zip(cubes()).zip(fourths).zip(between) {
                    *own = lengths.fourths(*between, squares, cubes, fourths);
                }
            }
        }
    }

    #[inline(always)]
    fn full<Lanes: Simd>(&mut self, _simd: Lanes, known: &Known<'_>, chunk: Chunk, tile: Tile, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = values(known, chunk);
        let len = tile.to - tile.from;
        let zeros = [0.0; TILE];
        let mut tiles = Tiles { sum: zeros, squares: zeros, trend: zeros, cubes: zeros, fourths: zeros, between: zeros };
        self.merge(values, group.window, tile, &mut tiles);
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

impl Constants {
    fn said(&self, statistic: Statistic, found: &Found, last_is_null: bool) -> f64 {
        let Found { last, sum, squares, trend, cubes, fourths } = *found;
        finite_or_nan(match statistic {
            Statistic::Std => self.sample(squares).sqrt(),
            Statistic::Stdp => (squares / self.count).sqrt(),
            Statistic::Var => self.sample(squares),
            Statistic::Resi | Statistic::Demean if last_is_null => f64::NAN,
            Statistic::Demean => -(sum / self.count),
            Statistic::Slope => self.slope(trend),
            Statistic::Rsquare => self.r_squared(squares, trend),
            Statistic::Resi => self.residual(sum, trend),
            Statistic::Wma => self.weighted_mean(last, sum, trend),
            Statistic::Skew => self.skewness(squares, cubes),
            Statistic::Kurt => self.kurtosis(squares, fourths),
            _ => f64::NAN,
        })
    }

    /// A statistic along positions, of values that have nulls between them.
    pub fn said_of_rows(&self, statistic: Statistic, last: f64, sum: f64, squares: f64, trend: f64, last_is_null: bool) -> f64 {
        self.said(statistic, &Found { last, sum, squares, trend, cubes: 0.0, fourths: 0.0 }, last_is_null)
    }
}
