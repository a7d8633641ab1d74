//! Order statistics of short windows: every value of a window has a seat and knows how many of the others are below it.
//!
//! Not for long windows, whose every seat would be visited for every row (`tree`). Contract: exact. Sixteen stretches of the
//! series are worked on beside each other, so that a seat of all of them is one register.

use bytemuck::{NoUninit, Pod};
use pulp::Simd;

/// Longest window that this is meant for.
pub const LONGEST: usize = 128;

/// Fewest stretches side by side for which it is worth it.
pub const LEAST_LANES: usize = 8;

/// The rank of what is not there: above all others.
const NONE: i16 = i16::MAX;

/// A count that nothing reaches.
const FAR: i16 = i16::MAX / 2;

/// Ranks of a chunk, cut into stretches that stand beside each other: row by row, one of each stretch.
#[derive(Debug, Default)]
pub struct Stretches {
    ranks: Vec<i16>,
    seats: Vec<i16>,
    selected: Vec<i16>,
    /// Rows that a stretch has before its first.
    before: usize,
    /// Rows of a stretch.
    len: usize,
    lanes: usize,
}

impl Stretches {
    /// Cuts the ranks from a place on into stretches, each with the rows before it that the longest window reaches back to.
    #[inline(always)]
    pub fn cut<Own: Simd>(&mut self, ranks: &[u32], from: usize, longest: usize) {
        self.lanes = Own::I16_LANES;
        self.before = longest.saturating_sub(1);
        self.len = ranks.len().saturating_sub(from).div_ceil(self.lanes);
        self.ranks.clear();
        for row in 0..self.before + self.len {
            // Counted from `before` places ahead of the first rank, so as not to go below zero.
            let places = (0..self.lanes).map(|lane| from + lane * self.len + row);
            self.ranks.extend(
                places.map(|place| place.checked_sub(self.before).and_then(|place| ranks.get(place)).map_or(NONE, |rank| *rank as i16)),
            );
        }
    }

    /// Selects the values of every window that have so many others below them, and leaves their ranks for
    /// [`selected`](Self::selected).
    #[inline(always)]
    pub fn select<Own: Simd, const WANTED: usize>(&mut self, simd: Own, window: usize, below: [usize; WANTED]) {
        let lanes = self.lanes;
        self.seats.clear();
        self.seats.resize(2 * window * lanes, 0);
        self.selected.clear();
        self.selected.resize(WANTED * self.len * lanes, 0);
        let (ranks, _) = Own::as_simd_i16s(&self.ranks);
        let (seats, _) = Own::as_mut_simd_i16s(&mut self.seats).0.as_chunks_mut::<2>();
        let (selected, _) = Own::as_mut_simd_i16s(&mut self.selected).0.as_chunks_mut::<WANTED>();
        let (none, far, zero) = (simd.splat_i16s(NONE), simd.splat_i16s(FAR), simd.splat_i16s(0));
        let below = below.map(|below| simd.splat_i16s(below as i16));
        for seat in seats.iter_mut() {
            *seat = [none, far];
        }
        let (full, warm) = ((self.before + 1).saturating_sub(window), self.before);
        let mut next = 0;
        for (row, new) in ranks.iter().enumerate().skip(full) {
            // Whoever comes takes the seat of who goes, and counts who is below; the others count it.
            if let Some(seat) = seats.get_mut(next) {
                *seat = [*new, far];
            }
            let old = row.checked_sub(window).filter(|old| *old >= full).and_then(|old| ranks.get(old)).copied().unwrap_or(none);
            let mut found = [zero; WANTED];
            let mut count = zero;
            for [rank, below_it] in seats.iter_mut() {
                let come = ones(simd.greater_than_i16s(*rank, *new));
                let go = ones(simd.greater_than_i16s(*rank, old));
                *below_it = simd.add_i16s(simd.sub_i16s(*below_it, come), go);
                count = simd.sub_i16s(count, ones(simd.less_than_i16s(*rank, *new)));
                if row >= warm {
                    for (found, below) in found.iter_mut().zip(below) {
                        *found = simd.or_i16s(*found, simd.and_i16s(*rank, ones(simd.equal_i16s(*below_it, below))));
                    }
                }
            }
            if let Some([_, below_it]) = seats.get_mut(next) {
                *below_it = count;
            }
            next = if next + 1 == window { 0 } else { next + 1 };
            if let Some(selected) = row.checked_sub(warm).and_then(|row| selected.get_mut(row)) {
                for ((selected, found), below) in selected.iter_mut().zip(found).zip(below) {
                    *selected = simd.or_i16s(found, simd.and_i16s(*new, ones(simd.equal_i16s(count, below))));
                }
            }
        }
    }

    /// The stretches, one after the other: how many rows each has.
    pub fn rows(&self) -> usize {
        self.len
    }

    /// The ranks that were selected in a stretch, row by row: the given two of those that were wanted.
    pub fn selected(&self, lane: usize, one: usize, other: usize, wanted: usize) -> impl Iterator<Item = (usize, usize)> {
        let lanes = self.lanes;
        let at = move |row: &[i16], which: usize| row.get(which * lanes + lane).map_or(0, |rank| *rank as usize);
        self.selected.chunks_exact((wanted * lanes).max(1)).map(move |row| (at(row, one), at(row, other)))
    }
}

/// All bits of what is true: minus one as a number. Masks of less than registers are not meant: they are nothing.
#[inline(always)]
fn ones<Mask: NoUninit, Number: Pod>(mask: Mask) -> Number {
    bytemuck::try_cast(mask).unwrap_or(Number::zeroed())
}

/// Counts of how many of the last values are below each one, for short windows.
#[derive(Debug, Default)]
pub struct Counts {
    /// Ranks, and lowest ranks of equal values, with nothing before and after.
    ranks: Vec<i16>,
    firsts: Vec<i16>,
    counts: Vec<i16>,
    before: usize,
}

impl Counts {
    /// Takes ranks, which are preceded by nothing.
    pub fn take(&mut self, ranks: &[u32], firsts: &[u32], longest: usize) {
        self.before = longest;
        for (own, given) in [(&mut self.ranks, ranks), (&mut self.firsts, firsts)] {
            own.clear();
            own.resize(longest, NONE);
            own.extend(given.iter().map(|rank| *rank as i16));
            own.resize(own.len() + 64, NONE);
        }
    }

    /// For every place from one on, and each of the windows, which rise: how many of the window's values are below the last
    /// one, plus how many are below it or older and equal.
    #[inline(always)]
    pub fn count<Own: Simd>(&mut self, simd: Own, from: usize, len: usize, windows: &(impl Iterator<Item = usize> + Clone)) {
        let lanes = Own::I16_LANES;
        let blocks = len.saturating_sub(from).div_ceil(lanes);
        let groups = windows.clone().count();
        self.counts.clear();
        self.counts.resize(groups * blocks * lanes, 0);
        let (counts, _) = Own::as_mut_simd_i16s(&mut self.counts);
        for block in 0..blocks {
            let place = self.before + from + block * lanes;
            let at = |values: &[i16], place: usize| {
                values
                    .get(place..place + lanes)
                    .and_then(|values| Own::as_simd_i16s(values).0.first())
                    .copied()
                    .unwrap_or(simd.splat_i16s(NONE))
            };
            let (own, first) = (at(&self.ranks, place), at(&self.firsts, place));
            let mut count = simd.splat_i16s(0);
            let mut lag = 0;
            for (group, window) in windows.clone().enumerate() {
                for lag in lag..window {
                    let other = at(&self.ranks, place - lag);
                    count = simd.sub_i16s(count, ones(simd.less_than_i16s(other, first)));
                    count = simd.sub_i16s(count, ones(simd.less_than_i16s(other, own)));
                }
                lag = window;
                if let Some(place) = counts.get_mut(group * blocks + block) {
                    *place = count;
                }
            }
        }
    }

    /// The counts for one of the windows, from the first place on.
    pub fn counted(&self, group: usize, groups: usize) -> &[i16] {
        let len = self.counts.len() / groups.max(1);
        self.counts.get(group * len..(group + 1) * len).unwrap_or_default()
    }
}
