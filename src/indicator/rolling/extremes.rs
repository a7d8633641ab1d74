//! Largest and smallest values of windows, and where the first of them stands.
//!
//! Not order statistics (`order`). Contract: a window is two overlapping blocks, so that its length costs nothing.

use super::blocks::{Chunk, levels, make_room};
use super::engine::{Engine, Group, Sink, Tile};
use super::known::{Known, Odd};
use super::lanes::{map2, part, part_mut};
use super::statistic::{Statistic, WarmUp};
use pulp::Simd;

/// Extremes of blocks of 2, 4, 8 … values, by their last value.
#[derive(Debug, Default)]
pub struct Extremes<const LARGEST: bool> {
    levels: Vec<Level>,
    /// The places of the single values.
    places: Vec<f64>,
    longest: usize,
    needs_places: bool,
}

#[derive(Debug, Default)]
struct Level {
    values: Vec<f64>,
    /// Place of the first value that is the extreme, counted from the series' first.
    places: Vec<f64>,
}

/// The statistics this module knows, by the end of the order they are about.
pub fn knows<const LARGEST: bool>(statistic: Statistic) -> bool {
    match statistic {
        Statistic::Max | Statistic::IdxMax => LARGEST,
        Statistic::Min | Statistic::IdxMin => !LARGEST,
        _ => false,
    }
}

#[inline(always)]
fn values<'a>(known: &Known<'a>, chunk: Chunk) -> &'a [f64] {
    part(known.values, chunk.start, chunk.start + chunk.len)
}

impl<const LARGEST: bool> Extremes<LARGEST> {
    /// For windows up to a length, and what is asked of them.
    pub fn prepare(&mut self, longest: usize, mut statistics: impl Iterator<Item = Statistic>) {
        self.longest = longest;
        self.needs_places = statistics.any(|statistic| matches!(statistic, Statistic::IdxMax | Statistic::IdxMin));
        let levels = levels(longest);
        if self.levels.len() < levels {
            self.levels.resize_with(levels, Level::default);
        }
    }

    #[inline(always)]
    fn beats(a: f64, b: f64) -> bool {
        if LARGEST { a > b } else { a < b }
    }

    /// The older value only if it is beyond the newer one: what the hardware's instruction does.
    #[inline(always)]
    fn extreme(older: f64, newer: f64) -> f64 {
        if Self::beats(older, newer) { older } else { newer }
    }

    /// The place of the older block's extreme unless the newer one's is beyond it.
    #[inline(always)]
    fn place(values: (f64, f64), places: (f64, f64)) -> f64 {
        if Self::beats(values.1, values.0) { places.1 } else { places.0 }
    }

    /// Extremes and places of blocks that end at some places.
    #[inline(always)]
    fn level<'a>(&'a self, values: &'a [f64], power: usize, from: usize, to: usize) -> (&'a [f64], &'a [f64]) {
        match power.checked_sub(1) {
            None => (part(values, from, to), part(&self.places, from, to)),
            Some(level) => {
                self.levels.get(level).map_or((&[], &[]), |level| (part(&level.values, from, to), part(&level.places, from, to)))
            }
        }
    }
}

#[inline(always)]
fn map4(out: &mut [f64], [a, b]: [&[f64]; 2], [c, d]: [&[f64]; 2], of: impl Fn((f64, f64), (f64, f64)) -> f64) {
    for (out, ((a, b), (c, d))) in out.iter_mut().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
        *out = of((*a, *b), (*c, *d));
    }
}

impl<const LARGEST: bool> Engine for Extremes<LARGEST> {
    type Said = Statistic;

    #[inline(always)]
    fn begin(&mut self, chunk: Chunk) {
        for level in self.levels.iter_mut().take(levels(self.longest)) {
            make_room(&mut level.values, chunk.len);
            if self.needs_places {
                make_room(&mut level.places, chunk.len);
            }
        }
        if self.needs_places {
            self.places.clear();
            self.places.extend((chunk.start..chunk.start + chunk.len).map(|place| place as f64));
        }
    }

    #[inline(always)]
    fn build(&mut self, known: &Known<'_>, chunk: Chunk, tile: Tile) {
        let values = values(known, chunk);
        for power in 1..=levels(self.longest) {
            let half = 1 << (power - 1);
            let (from, to) = (chunk.first_end(2 * half, tile.from), tile.to);
            let (below, own) = self.levels.split_at_mut(power - 1);
            let Some(own) = own.first_mut().filter(|_| from < to) else { continue };
            let (below, places) = below.last().map_or((values, &*self.places), |below| (&below.values, &below.places));
            let pairs = [part(below, from - half, to - half), part(below, from, to)];
            map2(part_mut(&mut own.values, from, to), pairs, Self::extreme);
            if self.needs_places {
                let places = [part(places, from - half, to - half), part(places, from, to)];
                map4(part_mut(&mut own.places, from, to), pairs, places, Self::place);
            }
        }
    }

    #[inline(always)]
    fn full<Lanes: Simd>(&mut self, _simd: Lanes, known: &Known<'_>, chunk: Chunk, tile: Tile, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = values(known, chunk);
        let Some(power) = group.window.checked_ilog2() else { return };
        let lag = group.window - (1 << power);
        let (older, older_places) = self.level(values, power as usize, tile.from - lag, tile.to - lag);
        let (newer, newer_places) = self.level(values, power as usize, tile.from, tile.to);
        for ask in group.asks {
            let out = sink.full(ask.output, chunk, tile);
            match ask.statistic {
                Statistic::Max | Statistic::Min => map2(out, [older, newer], Self::extreme),
                _ => {
                    map4(out, [older, newer], [older_places, newer_places], Self::place);
                    // The place before the window's first value.
                    let mut before = (chunk.start + tile.from) as f64 - group.window as f64;
                    for out in out {
                        *out -= before;
                        before += 1.0;
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn odd(&self, known: &Known<'_>, chunk: Chunk, odd: &Odd, group: &Group<'_>, sink: &mut Sink<'_>) {
        let values = values(known, chunk);
        let end = odd.end - chunk.start;
        let Some(power) = odd.count.checked_ilog2() else { return };
        let block = |end: usize| {
            let (values, places) = self.level(values, power as usize, end, end + 1);
            (values.first().copied().unwrap_or(f64::NAN), places.first().copied().unwrap_or(f64::NAN))
        };
        let (older, newer) = (block(end + (1 << power) - odd.count), block(end));
        for ask in group.asks.iter().filter(|ask| ask.warm_up == WarmUp::Partial) {
            let value = match ask.statistic {
                Statistic::Max | Statistic::Min => Self::extreme(older.0, newer.0),
                _ => {
                    let place = Self::place((older.0, newer.0), (older.1, newer.1));
                    known.position(place as usize, odd)
                }
            };
            sink.odd(ask.output, odd.row, value);
        }
    }

    #[inline(always)]
    fn end(&mut self, chunk: Chunk) {
        for level in self.levels.iter_mut().take(levels(self.longest)) {
            chunk.carry(self.longest, &mut level.values);
            if self.needs_places {
                chunk.carry(self.longest, &mut level.places);
            }
        }
    }
}
