//! What all windows are made of: blocks of power-of-two lengths that end at every value, level by level.
//!
//! Not what a block holds. Contract: a window of N is the same tree of blocks everywhere — by N's binary digits, the longest
//! block at its end — so that its value is a function of its contents alone. Levels are kept only as far back as the longest
//! window reaches: a series of a million values needs no more room than a short one.

/// Fewest values between two times that room is made for more.
const STRIDE: usize = 4096;

/// The blocks a window ends with: (power of two, how many values of the window are newer), the newest and longest first.
pub fn parts(window: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut rest = window;
    let mut newer = 0;
    std::iter::from_fn(move || {
        let power = rest.checked_ilog2()? as usize;
        rest -= 1 << power;
        let part = (power, newer);
        newer += 1 << power;
        Some(part)
    })
}

/// How many levels above single values windows up to this length need.
pub fn levels(longest: usize) -> usize {
    longest.checked_ilog2().unwrap_or(0) as usize
}

/// A stretch of the series that is worked on at a time: some values that were there before, then new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Place of the chunk's first value in the series.
    pub start: usize,
    /// How many of its values were there before.
    pub carried: usize,
    /// Carried and new values.
    pub len: usize,
    /// Whether no chunk follows.
    pub is_last: bool,
}

impl Chunk {
    /// Chunks of a series for windows up to a length.
    pub fn all(len: usize, longest: usize) -> impl Iterator<Item = Self> {
        Self::with_stride(len, longest, STRIDE.max(longest))
    }

    /// Chunks with so many new values each.
    pub fn with_stride(len: usize, longest: usize, stride: usize) -> impl Iterator<Item = Self> {
        let mut done = 0;
        std::iter::from_fn(move || {
            let new = stride.min(len - done);
            if new == 0 {
                return None;
            }
            let carried = longest.min(done);
            let chunk = Self { start: done - carried, carried, len: carried + new, is_last: done + new == len };
            done += new;
            Some(chunk)
        })
    }

    /// Its tiles of new values: from a place to a place of the chunk.
    pub fn tiles(self, tile: usize) -> impl Iterator<Item = (usize, usize)> {
        (self.carried..self.len).step_by(tile).map(move |from| (from, (from + tile).min(self.len)))
    }

    /// The first place of the chunk, from a place on, at which a window of this length ends.
    pub fn first_end(self, window: usize, from: usize) -> usize {
        from.max(window.saturating_sub(1).saturating_sub(self.start))
    }

    /// Makes a level's blocks those of the next chunk's carried values.
    pub fn carry(self, longest: usize, level: &mut [f64]) {
        let kept = self.len.saturating_sub(longest);
        if !self.is_last && kept > 0 && self.len <= level.len() {
            level.copy_within(kept..self.len, 0);
        }
    }
}

/// Makes a column long enough.
pub fn make_room(column: &mut Vec<f64>, len: usize) {
    if column.len() < len {
        column.resize(len, 0.0);
    }
}
