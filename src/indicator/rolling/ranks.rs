//! Ranks of a chunk's values: whole numbers in the values' order, which are cheaper to compare than values.
//!
//! Not ranks within a window (`order`). Contract: no two values have the same rank; of equal values the newer one has the
//! higher. Zero and minus zero are equal, and are given back as zero.

/// Values at least for which digits are counted instead of values compared.
const MANY: usize = 512;

/// Bits of a digit, and digits of a number.
const DIGIT: usize = 11;
const DIGITS: usize = 6;

/// A value's bits in the order of values, and its place.
type Key = (u64, u32);

/// Ranks of a chunk's values.
#[derive(Debug, Default)]
pub struct Ranks {
    keys: Vec<Key>,
    spare: Vec<Key>,
    /// For each digit how often it has each value, then where the next key with that value goes.
    counts: Vec<u32>,
    /// The values in their order.
    sorted: Vec<f64>,
    /// The rank of each value.
    pub ranks: Vec<u32>,
    /// The lowest rank of a value that equals it.
    pub firsts: Vec<u32>,
}

#[inline(always)]
fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

#[inline(always)]
fn value(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 0 { !ordered } else { ordered & !(1 << 63) })
}

impl Ranks {
    /// Ranks of these values, fewer than 2³².
    pub fn assign(&mut self, values: &[f64]) {
        self.keys.clear();
        self.keys.extend((0..).zip(values).map(|(place, value)| (ordered(*value), place)));
        if values.len() < MANY {
            self.keys.sort_unstable();
        } else {
            self.sort_by_digits();
        }
        self.sorted.clear();
        self.sorted.extend(self.keys.iter().map(|(key, _)| value(*key)));
        self.ranks.clear();
        self.ranks.resize(values.len(), 0);
        self.firsts.clear();
        self.firsts.resize(values.len(), 0);
        let (mut first, mut last) = (0, None);
        for (rank, (key, place)) in (0_u32..).zip(&self.keys) {
            if last != Some(*key) {
                (first, last) = (rank, Some(*key));
            }
            if let (Some(own), Some(own_first)) = (self.ranks.get_mut(*place as usize), self.firsts.get_mut(*place as usize)) {
                (*own, *own_first) = (rank, first);
            }
        }
    }

    /// The values in their order.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The rank of the value at a place.
    #[inline(always)]
    pub fn rank(&self, place: usize) -> usize {
        self.ranks.get(place).map_or(0, |rank| *rank as usize)
    }

    /// The value of a rank.
    #[inline(always)]
    pub fn value(&self, rank: usize) -> f64 {
        self.sorted.get(rank).copied().unwrap_or(f64::NAN)
    }

    /// Sorts the keys digit by digit, the lowest first; equal ones keep their order.
    fn sort_by_digits(&mut self) {
        const VALUES: usize = 1 << DIGIT;
        let digit_of = |key: u64, digit: usize| (key >> (DIGIT * digit)) as usize % VALUES;
        let len = self.keys.len();
        self.counts.clear();
        self.counts.resize(DIGITS * VALUES, 0);
        let (digits, _) = self.counts.as_chunks_mut::<VALUES>();
        for (key, _) in &self.keys {
            for (digit, counts) in digits.iter_mut().enumerate() {
                if let Some(count) = counts.get_mut(digit_of(*key, digit)) {
                    *count += 1;
                }
            }
        }
        self.spare.clear();
        self.spare.resize(len, (0, 0));
        for (digit, counts) in digits.iter_mut().enumerate() {
            if counts.contains(&(len as u32)) {
                continue;
            }
            let mut before = 0;
            for count in counts.iter_mut() {
                (*count, before) = (before, before + *count);
            }
            for key in &self.keys {
                let Some(next) = counts.get_mut(digit_of(key.0, digit)) else { continue };
                if let Some(place) = self.spare.get_mut(*next as usize) {
                    *place = *key;
                }
                *next += 1;
            }
            std::mem::swap(&mut self.keys, &mut self.spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranks_are_places_in_the_order(values in prop::collection::vec(prop_oneof![-1e3..1e3_f64, (-5..5_i32).prop_map(f64::from), Just(-0.0)], 1..1_500)) {
            let mut ranks = Ranks::default();
            ranks.assign(&values);
            let mut places: Vec<usize> = (0..values.len()).collect();
            places.sort_by(|a, b| values[*a].partial_cmp(&values[*b]).unwrap());
            for (rank, place) in places.iter().enumerate() {
                prop_assert_eq!(ranks.ranks[*place] as usize, rank);
                prop_assert_eq!(ranks.sorted[rank], values[*place]);
                prop_assert_eq!(ranks.firsts[*place] as usize, values.iter().filter(|value| *value < &values[*place]).count());
            }
        }
    }
}
