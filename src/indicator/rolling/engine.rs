//! How a series is walked through: chunk by chunk, tile by tile, blocks first and then the windows made of them.
//!
//! Not what is computed. Contract: an engine sees every full window once in a tile, and every window that holds fewer values
//! once by itself; where the results go is not its business.

use super::blocks::Chunk;
use super::known::{Known, Odd};
use super::lanes::{TILE, part_mut};
use super::statistic::{Statistic, WarmUp};
use pulp::{Simd, WithSimd};

/// One output that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<Said = Statistic> {
    /// N.
    pub window: usize,
    /// What is said.
    pub statistic: Said,
    /// What incomplete windows give.
    pub warm_up: WarmUp,
    /// Where it goes.
    pub output: usize,
}

/// Asks of the same window.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a, Said = Statistic> {
    /// N.
    pub window: usize,
    /// What is asked of it.
    pub asks: &'a [Ask<Said>],
    /// Its windows that hold fewer values, if anybody asks for those.
    pub odd: &'a [Odd],
}

impl<'a, Said> Group<'a, Said> {
    /// The odd windows that end among a chunk's new values.
    pub fn odd_in(&self, chunk: Chunk) -> &'a [Odd] {
        // Odd windows are in the order of their ends.
        let before = |place: usize| self.odd.partition_point(|odd| odd.end < chunk.start + place);
        self.odd.get(before(chunk.carried)..before(chunk.len)).unwrap_or_default()
    }
}

/// A tile: places of a chunk, from the first to before the last.
#[derive(Debug, Clone, Copy)]
pub struct Tile {
    /// First place.
    pub from: usize,
    /// Place after the last.
    pub to: usize,
}

/// Where values go: outputs by the windows' last rows, odd ones later, when the others stand where they belong.
#[derive(Debug)]
pub struct Sink<'a> {
    outputs: &'a mut [Vec<f64>],
    lead: usize,
    late: &'a mut Vec<Late>,
}

/// The value of an odd window.
#[derive(Debug, Clone, Copy)]
pub struct Late {
    output: usize,
    row: usize,
    value: f64,
}

impl<'a> Sink<'a> {
    /// Outputs that are as long as the series.
    pub fn new(outputs: &'a mut [Vec<f64>], lead: usize, late: &'a mut Vec<Late>) -> Self {
        Self { outputs, lead, late }
    }

    /// The values of the windows that end in these places of a chunk.
    #[inline(always)]
    pub fn full(&mut self, output: usize, chunk: Chunk, tile: Tile) -> &mut [f64] {
        let first = self.lead + chunk.start;
        self.outputs.get_mut(output).map_or(&mut [], |output| part_mut(output, first + tile.from, first + tile.to))
    }

    /// The value of an odd window.
    #[inline]
    pub fn odd(&mut self, output: usize, row: usize, value: f64) {
        self.late.push(Late { output, row, value });
    }
}

/// Puts the values of odd windows where they belong.
pub fn settle(late: &mut Vec<Late>, outputs: &mut [Vec<f64>]) {
    for Late { output, row, value } in late.drain(..) {
        if let Some(place) = outputs.get_mut(output).and_then(|output| output.get_mut(row)) {
            *place = value;
        }
    }
}

/// What is computed of blocks and windows.
pub trait Engine {
    /// What it can be asked.
    type Said: Copy;

    /// Makes room for a chunk.
    fn begin(&mut self, chunk: Chunk);

    /// Makes the blocks that end in a tile.
    fn build(&mut self, known: &Known<'_>, chunk: Chunk, tile: Tile);

    /// Computes the full windows that end in a tile.
    fn full<Lanes: Simd>(
        &mut self,
        simd: Lanes,
        known: &Known<'_>,
        chunk: Chunk,
        tile: Tile,
        group: &Group<'_, Self::Said>,
        sink: &mut Sink<'_>,
    );

    /// Computes one window that holds fewer values, for those who ask for such.
    fn odd(&self, known: &Known<'_>, chunk: Chunk, odd: &Odd, group: &Group<'_, Self::Said>, sink: &mut Sink<'_>);

    /// Keeps what the next chunk needs.
    fn end(&mut self, chunk: Chunk);
}

/// An engine's walk through a series.
pub struct Walk<'a, 'b, Own: Engine> {
    /// The engine.
    pub engine: &'a mut Own,
    /// The series.
    pub known: &'a Known<'a>,
    /// The longest window.
    pub longest: usize,
    /// What is asked for.
    pub groups: &'a [Group<'a, Own::Said>],
    /// Where it goes.
    pub sink: &'a mut Sink<'b>,
}

impl<Own: Engine> WithSimd for Walk<'_, '_, Own> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Lanes: Simd>(self, simd: Lanes) {
        let Self { engine, known, longest, groups, sink } = self;
        for chunk in Chunk::all(known.values.len(), longest) {
            engine.begin(chunk);
            for (from, to) in chunk.tiles(TILE) {
                engine.build(known, chunk, Tile { from, to });
                for group in groups {
                    let from = chunk.first_end(group.window, from);
                    if from < to {
                        engine.full(simd, known, chunk, Tile { from, to }, group, sink);
                    }
                }
            }
            for group in groups {
                for odd in group.odd_in(chunk) {
                    engine.odd(known, chunk, odd, group, sink);
                }
            }
            engine.end(chunk);
        }
    }
}
