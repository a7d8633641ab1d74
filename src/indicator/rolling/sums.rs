//! Sums and means of windows.
//!
//! Not distances from a mean (`moments`). Contract: bit for bit those of [`Blocks`](crate::indicator::window::Blocks).

use super::blocks::{Chunk, levels, make_room, parts};
use super::engine::{Engine, Group, Sink, Tile};
use super::known::{Known, Odd};
use super::lanes::{TILE, map2, part, part_mut, update1};
use super::statistic::{Statistic, WarmUp};
use crate::indicator::finite_or_nan;
use pulp::Simd;

/// Sums of blocks of 2, 4, 8 … values, by their last value.
#[derive(Debug, Default)]
pub struct Sums {
    levels: Vec<Vec<f64>>,
    longest: usize,
}

/// The statistics this module knows.
pub fn knows(statistic: Statistic) -> bool {
    matches!(statistic, Statistic::Sum | Statistic::Mean)
}

impl Sums {
    /// For windows up to a length.
    pub fn prepare(&mut self, longest: usize) {
        self.longest = longest;
        let levels = levels(longest);
        if self.levels.len() < levels {
            self.levels.resize_with(levels, Vec::new);
        }
    }

    /// Sums of 2^power values that end at some places of a chunk.
    #[inline(always)]
    fn level<'a>(&'a self, values: &'a [f64], power: usize, from: usize, to: usize) -> &'a [f64] {
        match power.checked_sub(1) {
            None => part(values, from, to),
            Some(level) => self.levels.get(level).map_or(&[], |level| part(level, from, to)),
        }
    }
}

#[inline(always)]
fn values<'a>(known: &Known<'a>, chunk: Chunk) -> &'a [f64] {
    part(known.values, chunk.start, chunk.start + chunk.len)
}

impl Engine for Sums {
    type Said = Statistic;

    #[inline(always)]
    fn begin(&mut self, chunk: Chunk) {
        for level in self.levels.iter_mut().take(levels(self.longest)) {
            make_room(level, chunk.len);
        }
    }

    #[inline(always)]
    fn build(&mut self, known: &Known<'_>, chunk: Chunk, tile: Tile) {
        let values = values(known, chunk);
        for power in 1..=levels(self.longest) {
            let half = 1 << (power - 1);
            let from = chunk.first_end(2 * half, tile.from);
            let (below, own) = self.levels.split_at_mut(power - 1);
            let below = below.last().map_or(values, Vec::as_slice);
            if let Some(own) = own.first_mut().filter(|_| from < tile.to) {
                let pairs = [part(below, from - half, tile.to - half), part(below, from, tile.to)];
                map2(part_mut(own, from, tile.to), pairs, |older, newer| older + newer);
            }
        }
    }

    #[inline(always)]
    fn full<Lanes: Simd>(&mut self, _simd: Lanes, known: &Known<'_>, chunk: Chunk, tile: Tile, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = values(known, chunk);
        let Tile { from, to } = tile;
        let mut room = [0.0; TILE];
        let sums = part_mut(&mut room, 0, to - from);
        let mut parts = parts(group.window);
        let part = |(power, newer): (usize, usize)| self.level(values, power, from - newer, to - newer);
        match (parts.next(), parts.next()) {
            (Some(newest), Some(older)) => map2(sums, [part(newest), part(older)], |newest, older| newest + older),
            (Some(newest), None) => update1(sums, part(newest), |_, newest| newest),
            _ => {}
        }
        for older in parts {
            update1(sums, part(older), |sum, older| sum + older);
        }
        let length = group.window as f64;
        for ask in group.asks {
            let out = sink.full(ask.output, chunk, tile);
            match ask.statistic {
                Statistic::Mean => update1(out, sums, |_, sum| finite_or_nan(sum / length)),
                _ => update1(out, sums, |_, sum| finite_or_nan(sum)),
            }
        }
    }

    #[inline(always)]
    fn odd(&self, known: &Known<'_>, chunk: Chunk, odd: &Odd, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = values(known, chunk);
        let end = odd.end - chunk.start;
        let part =
            |(power, newer): (usize, usize)| self.level(values, power, end - newer, end + 1 - newer).first().copied().unwrap_or(f64::NAN);
        let sum = parts(odd.count).map(part).reduce(|sum, older| sum + older).unwrap_or(f64::NAN);
        for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
            let value = if ask.statistic == Statistic::Mean { sum / odd.count as f64 } else { sum };
            sink.odd(ask.output, odd.row, finite_or_nan(value));
        }
    }

    #[inline(always)]
    fn end(&mut self, chunk: Chunk) {
        for level in self.levels.iter_mut().take(levels(self.longest)) {
            chunk.carry(self.longest, level);
        }
    }
}
