//! What a column's values are like, seen from a few of them, and how they are best kept. Nothing is written here.

/// Values looked at.
const SAMPLE: usize = 128;
/// Below this many values a page is left as it is.
const COMPRESSED_FROM_ROWS: usize = 16;
/// A dictionary is tried with so many different values among [`SAMPLE`] at most, …
const SAMPLED_DICTIONARY: usize = SAMPLE / 4;
/// … and given up beyond so many among all.
const MOST_DICTIONARY: usize = 64;
/// The low bytes of a value that prices share: a number of cents repeats its last 20 bits again and again.
const TAIL: u64 = (1 << 40) - 1;
/// Whole zero bytes from which on values count as whole numbers.
const ZERO_BYTES: usize = 2;

/// How a column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it is.
    Stored,
    /// As places in a dictionary.
    Dictionary,
    /// With repetitions found.
    Matched,
    /// As byte streams.
    Split,
}

/// How numbers of `width` bytes are kept; `bits` is `None` for null.
pub fn way_of(values: &[f64], width: usize, bits: impl Fn(f64) -> Option<u64>) -> Way {
    let nulls = values.iter().take_while(|value| bits(**value).is_none()).count();
    let values = values.get(nulls..).unwrap_or_default();
    let step = values.len().div_ceil(SAMPLE).max(1);
    let mut sample = [0; SAMPLE];
    let mut count = 0;
    for (place, bits) in sample.iter_mut().zip(values.iter().step_by(step).filter_map(|value| bits(*value))) {
        *place = bits;
        count += 1;
    }
    let sample = sample.get(..count).unwrap_or_default();
    if count < COMPRESSED_FROM_ROWS {
        return Way::Stored;
    }
    if different(sample.iter().copied()) * SAMPLE <= count * SAMPLED_DICTIONARY {
        return Way::Dictionary;
    }
    let all = sample.iter().fold(0, |all, bits| all | bits);
    let tails = different(sample.iter().map(|bits| bits & TAIL));
    let is_whole = all.trailing_zeros() as usize / 8 >= ZERO_BYTES;
    if width == 8 && !is_whole && tails * 5 <= count * 3 { Way::Matched } else { Way::Split }
}

/// How many different values there are.
fn different(values: impl Iterator<Item = u64>) -> usize {
    let mut found = Found::default();
    values.map(|value| usize::from(found.place(value).1)).sum()
}

/// A small set of values.
struct Found {
    values: [u64; Self::SLOTS],
    /// The place of a slot's value, from 1 on; 0 where a slot is free.
    places: [u8; Self::SLOTS],
    count: u8,
}

impl Default for Found {
    fn default() -> Self {
        Self { values: [0; Self::SLOTS], places: [0; Self::SLOTS], count: 0 }
    }
}

impl Found {
    /// Twice as many as are ever put in.
    const SLOTS: usize = 256;

    /// The place of a value, from 0 on in the order of their coming, and whether it is new.
    fn place(&mut self, value: u64) -> (u8, bool) {
        let start = (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize;
        for slot in (start..Self::SLOTS).chain(0..start) {
            let (Some(held), Some(place)) = (self.values.get_mut(slot), self.places.get_mut(slot)) else { break };
            if *place == 0 {
                self.count = self.count.saturating_add(1);
                (*held, *place) = (value, self.count);
                return (self.count - 1, true);
            }
            if *held == value {
                return (*place - 1, false);
            }
        }
        (0, false)
    }
}

/// The different values in the order of their coming, and the place of each value that is not null; `None` when there are more than a
/// dictionary is worth.
pub fn dictionary_of(values: &[f64], bits: impl Fn(f64) -> Option<u64>) -> Option<(Vec<u64>, Vec<u8>)> {
    let mut found = Found::default();
    let mut dictionary = Vec::new();
    let mut places = Vec::with_capacity(values.len());
    let mut last = None;
    for value in values.iter().filter_map(|value| bits(*value)) {
        if let Some((known, place)) = last
            && known == value
        {
            places.push(place);
            continue;
        }
        let (place, is_new) = found.place(value);
        if is_new {
            if dictionary.len() == MOST_DICTIONARY {
                return None;
            }
            dictionary.push(value);
        }
        places.push(place);
        last = Some((value, place));
    }
    Some((dictionary, places))
}

/// Of the byte streams of values: how many low ones are all zeros, and how many after these are not worth compressing.
pub fn streams_of(values: &[f64], width: usize, bits: impl Fn(f64) -> u64) -> (usize, usize) {
    let all = values.iter().fold(0, |all, value| all | bits(*value));
    let zeros = (all.trailing_zeros() as usize / 8).min(width);
    let step = values.len().div_ceil(SAMPLE).max(1);
    let is_whole = |value: &&f64| bits(**value).trailing_zeros() as usize / 8 >= ZERO_BYTES;
    // Means of whole numbers mostly are whole, too: then the low streams are few numbers among zeros.
    if zeros >= ZERO_BYTES || values.iter().step_by(step).filter(is_whole).count() * 4 > values.len().div_ceil(step) * 3 {
        return (zeros, 0);
    }
    let is_noise = |stream: usize| {
        let mut seen = [0_u64; 4];
        let mut count = 0;
        for value in values.iter().step_by(step) {
            let byte = (bits(*value) >> (8 * stream)) as u8;
            if let Some(word) = seen.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
            count += 1;
        }
        let different: u32 = seen.iter().map(|word| word.count_ones()).sum();
        // Of 128 random bytes 101 differ, of 64 there are 57.
        different as usize >= count - count * count / 320
    };
    let until = (zeros..width).rev().find(|stream| is_noise(*stream)).map_or(zeros, |noisy| noisy + 1);
    (zeros, until - zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(values: &[f64]) -> Way {
        way_of(values, 8, |value| (!value.is_nan()).then(|| value.to_bits()))
    }

    fn walk(step: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut state = 7_u64;
        (0..1_200)
            .map(|row| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                step(f64::from(row) + (state >> 40) as f64 / 1e4)
            })
            .collect()
    }

    #[test]
    fn columns_are_kept_by_what_they_hold() {
        assert_eq!(way(&walk(|value| value.round() / 100.0)), Way::Matched);
        assert_eq!(way(&walk(|value| (value * 100.0).round())), Way::Split);
        assert_eq!(way(&walk(f64::sqrt)), Way::Split);
        assert_eq!(way(&walk(|value| (value / 300.0).floor())), Way::Dictionary);
        assert_eq!(way(&[f64::NAN; 90]), Way::Stored);
        assert_eq!(way(&[1.5; 15]), Way::Stored);
    }

    #[test]
    fn noise_and_zeros_are_told_from_the_rest() {
        let streams = |values: &[f64]| streams_of(values, 8, f64::to_bits);
        assert_eq!(streams(&walk(f64::sqrt)), (0, 6));
        let (zeros, noise) = streams(&walk(f64::round));
        assert!(zeros >= 5 && noise == 0);
        assert_eq!(streams(&walk(|value| if value % 9.0 < 1.0 { value } else { value.round() })).1, 0, "mostly zeros");
        assert_eq!(streams(&[]), (8, 0));
    }
}
