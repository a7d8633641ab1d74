//! Mean distance from the mean.
//!
//! Not squared distances (`moments`). Contract: of short windows it is bit for bit
//! [`mean_absolute_deviation`](crate::indicator::window::mean_absolute_deviation).

use super::blocks::Chunk;
use super::engine::{Engine, Group, Sink, Tile};
use super::known::{Known, Odd};
use super::lanes::{TILE, part, part_mut, update1};
use super::moments::Moments;
use super::statistic::{Statistic, WarmUp};
use crate::indicator::finite_or_nan;
use pulp::Simd;

/// Mean distances of short windows.
#[derive(Debug, Default)]
pub struct Deviations {
    moments: Moments,
}

/// The statistics this module knows.
pub fn knows(statistic: Statistic) -> bool {
    statistic == Statistic::Mad
}

impl Deviations {
    /// For windows up to a length.
    pub fn prepare(&mut self, longest: usize) {
        self.moments.prepare(longest, std::iter::empty());
    }
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
    fn full<Lanes: Simd>(&mut self, _simd: Lanes, known: &Known<'_>, chunk: Chunk, tile: Tile, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = part(known.values, chunk.start, chunk.start + chunk.len);
        let len = tile.to - tile.from;
        let mut room = [0.0; TILE];
        let means = part_mut(&mut room, 0, len);
        self.moments.means(values, group.window, tile, means);
        let mut room = [0.0; TILE];
        let totals = part_mut(&mut room, 0, len);
        let last = part(values, tile.from, tile.to);
        for lag in (0..group.window).rev() {
            for (((total, value), last), mean) in totals.iter_mut().zip(part(values, tile.from - lag, tile.to - lag)).zip(last).zip(&*means)
            {
                *total += ((value - last) - mean).abs();
            }
        }
        let length = group.window as f64;
        for ask in group.asks {
            update1(sink.full(ask.output, chunk, tile), totals, |_, total| finite_or_nan(total / length));
        }
    }

    #[inline(always)]
    fn odd(&self, known: &Known<'_>, chunk: Chunk, odd: &Odd, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = part(known.values, chunk.start, chunk.start + chunk.len);
        let end = odd.end - chunk.start;
        let count = odd.count as f64;
        let mean = self.moments.sum_from_last(values, end, odd.count) / count;
        let window = part(values, end + 1 - odd.count, end + 1);
        let last = window.last().copied().unwrap_or(f64::NAN);
        let total = window.iter().map(|value| ((value - last) - mean).abs()).fold(0.0, |total, distance| total + distance);
        for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
            sink.odd(ask.output, odd.row, finite_or_nan(total / count));
        }
    }

    #[inline(always)]
    fn end(&mut self, chunk: Chunk) {
        self.moments.end(chunk);
    }
}
