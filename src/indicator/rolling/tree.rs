//! Which ranks are present: a bit each, with counts above them, so that counting and selecting cost the same however many
//! there are.
//!
//! Not the values themselves (`order`). Contract: exact, so that it does not matter in what order ranks came and went.

use std::ops::{AddAssign, Sub, SubAssign};

/// Children of a node, and bits of a word.
const WIDTH: usize = 64;

/// How many are present below each child.
type Node<Number> = [Number; WIDTH];

/// A whole number that counts are kept in; small ones are faster.
pub trait Count: Copy + Default + PartialOrd + AddAssign + SubAssign + Sub<Output = Self> + 'static {
    /// What is added to a node's counts when something comes below one of its children: ones above it.
    fn steps(child: usize) -> &'static Node<Self>;

    /// From a number that is small enough.
    fn of(number: usize) -> Self;

    /// As a number.
    fn number(self) -> usize;
}

macro_rules! count {
    ($number:ty) => {
        impl Count for $number {
            #[inline(always)]
            fn steps(child: usize) -> &'static Node<Self> {
                static NONE: Node<$number> = [0; WIDTH];
                static STEPS: [$number; 2 * WIDTH] = {
                    let mut steps = [0; 2 * WIDTH];
                    let mut place = WIDTH;
                    while place < 2 * WIDTH {
                        steps[place] = 1;
                        place += 1;
                    }
                    steps
                };
                STEPS.get(WIDTH - 1 - child % WIDTH..).and_then(<[Self]>::first_chunk).unwrap_or(&NONE)
            }

            #[inline(always)]
            fn of(number: usize) -> Self {
                number as Self
            }

            #[inline(always)]
            fn number(self) -> usize {
                self as usize
            }
        }
    };
}

count!(i16);
count!(i32);

/// A set of ranks.
#[derive(Debug, Default)]
pub struct Tree<Number> {
    words: Vec<u64>,
    /// Nodes over words, then nodes over those, until there is one.
    levels: Vec<Vec<Node<Number>>>,
}

impl<Number: Count> Tree<Number> {
    /// Nothing, with room for ranks below a number.
    pub fn clear(&mut self, ranks: usize) {
        let mut nodes = ranks.div_ceil(WIDTH).max(1);
        self.words.clear();
        self.words.resize(nodes, 0);
        let mut depth = 0;
        loop {
            nodes = nodes.div_ceil(WIDTH);
            if self.levels.len() <= depth {
                self.levels.push(Vec::new());
            }
            if let Some(level) = self.levels.get_mut(depth) {
                level.clear();
                level.resize(nodes, [Number::default(); WIDTH]);
            }
            depth += 1;
            if nodes == 1 {
                break;
            }
        }
        self.levels.truncate(depth);
    }

    #[inline(always)]
    fn flip(&mut self, rank: usize) {
        if let Some(word) = self.words.get_mut(rank / WIDTH) {
            *word ^= 1 << (rank % WIDTH);
        }
    }

    /// A rank that is not present comes.
    #[inline(always)]
    pub fn insert(&mut self, rank: usize) {
        self.flip(rank);
        let mut child = rank / WIDTH;
        for level in &mut self.levels {
            if let Some(node) = level.get_mut(child / WIDTH) {
                for (count, step) in node.iter_mut().zip(Number::steps(child)) {
                    *count += *step;
                }
            }
            child /= WIDTH;
        }
    }

    /// A rank that is present goes.
    #[inline(always)]
    pub fn remove(&mut self, rank: usize) {
        self.flip(rank);
        let mut child = rank / WIDTH;
        for level in &mut self.levels {
            if let Some(node) = level.get_mut(child / WIDTH) {
                for (count, step) in node.iter_mut().zip(Number::steps(child)) {
                    *count -= *step;
                }
            }
            child /= WIDTH;
        }
    }

    /// One rank comes and another goes.
    #[inline(always)]
    pub fn replace(&mut self, new: usize, old: usize) {
        if let [level] = &mut *self.levels {
            if let Some(node) = level.first_mut() {
                for ((count, come), go) in node.iter_mut().zip(Number::steps(new / WIDTH)).zip(Number::steps(old / WIDTH)) {
                    *count += *come - *go;
                }
            }
            self.flip(new);
            self.flip(old);
        } else {
            self.insert(new);
            self.remove(old);
        }
    }

    /// How many are present below a rank.
    #[inline(always)]
    pub fn below(&self, rank: usize) -> usize {
        let word = self.words.get(rank / WIDTH).copied().unwrap_or(0);
        let mut count = (word & ((1 << (rank % WIDTH)) - 1)).count_ones() as usize;
        let mut child = rank / WIDTH;
        for level in &self.levels {
            count += level.get(child / WIDTH).and_then(|node| node.get(child % WIDTH)).map_or(0, |count| count.number());
            child /= WIDTH;
        }
        count
    }

    /// The word with the rank that has so many below it, and how many of those are in the word.
    #[inline(always)]
    fn word(&self, below: usize) -> (usize, u64, u32) {
        let mut rest = Number::of(below);
        let mut place = 0;
        for level in self.levels.iter().rev() {
            let Some(node) = level.get(place) else { return (0, 0, 0) };
            let mut reached = Number::default();
            for count in node {
                reached += if *count <= rest { Number::of(1) } else { Number::default() };
            }
            let child = reached.number().saturating_sub(1);
            rest -= node.get(child).copied().unwrap_or_default();
            place = place * WIDTH + child;
        }
        (place * WIDTH, self.words.get(place).copied().unwrap_or(0), rest.number() as u32)
    }

    /// The rank that has so many below it; one with so many has to be there.
    #[inline(always)]
    pub fn select(&self, below: usize) -> usize {
        let (first, word, below) = self.word(below);
        first + bit(word, below)
    }

    /// The rank that has so many below it and the next one; both have to be there.
    #[inline(always)]
    pub fn select_two(&self, below: usize) -> (usize, usize) {
        let (first, word, rest) = self.word(below);
        let low = bit(word, rest);
        // The bits above it, which mostly are some.
        let above = word & (u64::MAX << low << 1);
        (first + low, if above == 0 { self.select(below + 1) } else { first + above.trailing_zeros() as usize })
    }
}

/// The place of the bit that has so many set bits below it.
#[inline(always)]
fn bit(word: u64, mut below: u32) -> usize {
    let mut place = 0;
    for half in [32, 16, 8, 4, 2, 1] {
        let low = (word >> place & ((1 << half) - 1)).count_ones();
        let is_above = below >= low;
        below -= if is_above { low } else { 0 };
        place += if is_above { half } else { 0 };
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn agrees<Number: Count>(ranks: usize, moves: &[usize]) {
        let mut tree = Tree::<Number> { words: Vec::new(), levels: Vec::new() };
        tree.clear(ranks);
        let mut set = BTreeSet::new();
        for rank in moves.iter().map(|rank| rank % ranks) {
            if set.remove(&rank) {
                tree.remove(rank);
            } else {
                set.insert(rank);
                tree.insert(rank);
            }
            let other = (rank * 7 + 3) % ranks;
            if set.contains(&rank) && !set.contains(&other) {
                set.remove(&rank);
                set.insert(other);
                tree.replace(other, rank);
            }
            assert_eq!(tree.below(rank), set.range(..rank).count());
            for (below, rank) in set.iter().enumerate().step_by(1 + set.len() / 8) {
                assert_eq!(tree.select(below), *rank);
                if let Some(next) = set.iter().nth(below + 1) {
                    assert_eq!(tree.select_two(below), (*rank, *next));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn counts_and_selects(ranks in prop_oneof![1_usize..200, 4000..4200_usize, 200_000..300_000_usize], moves in prop::collection::vec(0_usize..1_000_000, 1..80)) {
            agrees::<i16>(ranks, &moves);
            agrees::<i32>(ranks, &moves);
        }
    }
}
