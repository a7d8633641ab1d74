//! What recursive features need to go on from a row, and the text it is kept as.
//!
//! Not the recursions (`indicator`) and not where a state is kept. Contract: a state belongs to one number of rows and one
//! last bar, and is refused for any other. It holds the numbers of recursions by their meaning, bit for bit, so that a set
//! whose formulas have changed can still go on with those that have not.

use super::evaluate::{self, Registers};
use super::set::FeatureSet;
use crate::market::Bars;
use std::fmt::Write;
use std::str::FromStr;
use xxhash_rust::xxh3::xxh3_64;

/// First word of the text; raise it with the text's form or the meaning of its numbers.
const TEXT_VERSION: &str = "2";

/// What recursive features need to go on from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureState {
    rows: usize,
    last_bar: u64,
    /// By recursion, in ascending order of the hashes: bits of f64, so that states are equal exactly when they go on alike.
    recursions: Vec<(u64, Vec<u64>)>,
}

/// A text that is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The kept state of the features cannot be read; compute them from the first bar")]
pub struct FeatureStateError;

impl FeatureState {
    /// How many rows have been consumed: the index of the row to go on with.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether features of this set over these bars can go on from here.
    ///
    /// The last consumed bar is compared, the ones before it are not: that they are the same is the caller's to know.
    #[must_use]
    pub fn fits(&self, set: &FeatureSet, bars: &Bars) -> bool {
        self.is_of(bars) && self.load(&mut evaluate::registers_of(set))
    }

    /// Whether the last consumed bar is one of these, in its place.
    pub(super) fn is_of(&self, bars: &Bars) -> bool {
        last_bar(bars, self.rows) == Some(self.last_bar)
    }

    /// The state of a set whose recursions are found in these states, all of the same row: of a set that was made of parts
    /// of others. `None` where one is missing, or they are not of the same row and bar.
    #[must_use]
    pub fn assembled(set: &FeatureSet, states: &[&Self]) -> Option<Self> {
        let first = *states.first()?;
        if states.iter().any(|state| state.rows != first.rows || state.last_bar != first.last_bar) {
            return None;
        }
        let mut recursions: Vec<(u64, Vec<u64>)> = Vec::new();
        let mut registers = evaluate::registers_of(set);
        for register in registers.all_mut() {
            let hash = short(register.hash);
            let expected = register.numbers.len() + register.longest_history.min(first.rows);
            let known = states.iter().find_map(|state| state.bits(hash).filter(|bits| bits.len() == expected))?;
            recursions.push((hash, known.to_vec()));
        }
        recursions.sort_unstable();
        Some(Self { rows: first.rows, last_bar: first.last_bar, recursions })
    }

    fn bits(&self, hash: u64) -> Option<&[u64]> {
        let place = self.recursions.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        self.recursions.get(place).map(|(_, bits)| bits.as_slice())
    }

    /// Fills registers; false if a recursion is not known, or has more or fewer numbers than needed.
    pub(super) fn load(&self, registers: &mut Registers) -> bool {
        for register in registers.all_mut() {
            let Some(bits) = self.bits(short(register.hash)) else { return false };
            let width = register.numbers.len();
            if bits.len() != width + register.longest_history.min(self.rows) {
                return false;
            }
            let mut values = bits.iter().map(|bits| f64::from_bits(*bits));
            for number in &mut register.numbers {
                *number = values.next().unwrap_or(f64::NAN);
            }
            register.history = values.collect();
        }
        true
    }

    /// The state as text: version, number of rows, mark of the last bar, then each recursion's hash and numbers as bits.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{TEXT_VERSION} {} {:016x}", self.rows, self.last_bar);
        for (hash, bits) in &self.recursions {
            // Writing to a String cannot fail.
            write!(text, " {hash:016x}").unwrap_or_default();
            for bits in bits {
                write!(text, "{bits:016x}").unwrap_or_default();
            }
        }
        text
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    ///
    /// A text of another version or with anything missing or too much.
    pub fn from_text(text: &str) -> Result<Self, FeatureStateError> {
        // Only one text is the text of a state.
        Self::parsed(text).filter(|state| state.to_text() == text).ok_or(FeatureStateError)
    }

    fn parsed(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next()? != TEXT_VERSION {
            return None;
        }
        let rows = words.next()?.parse().ok()?;
        let last_bar = number(words.next()?)?;
        let mut recursions = Vec::new();
        for word in words {
            let mut numbers = word.as_bytes().chunks(16).map(|digits| number(std::str::from_utf8(digits).ok()?));
            let hash = numbers.next()??;
            recursions.push((hash, numbers.collect::<Option<Vec<u64>>>()?));
        }
        recursions.is_sorted_by_key(|(hash, _)| *hash).then_some(Self { rows, last_bar, recursions })
    }

    /// The numbers as they are before row `rows`, of which there must be as many.
    pub(super) fn noted(bars: &Bars, rows: usize, registers: &Registers) -> Self {
        let bits = |value: &f64| value.to_bits();
        let mut recursions: Vec<(u64, Vec<u64>)> = registers
            .all()
            .iter()
            .map(|register| (short(register.hash), register.numbers.iter().chain(&register.history).map(bits).collect()))
            .collect();
        recursions.sort_unstable();
        // Without a last bar the mark is one that no bars have (theirs come from a hash, 0 from no rows): it fits nothing.
        Self { rows, last_bar: last_bar(bars, rows).unwrap_or_default(), recursions }
    }
}

impl FromStr for FeatureState {
    type Err = FeatureStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_text(text)
    }
}

/// Sixteen hex digits.
fn number(digits: &str) -> Option<u64> {
    (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

/// The half of a hash that a state tells recursions apart by.
fn short(hash: u128) -> u64 {
    (hash >> 64) as u64
}

/// A mark of the last of the first `rows` bars; `None` if there are not so many.
fn last_bar(bars: &Bars, rows: usize) -> Option<u64> {
    let Some(row) = rows.checked_sub(1) else { return Some(0) };
    let mut bytes = [0; 48];
    let time = bars.time_us.get(row)?.to_le_bytes();
    let mut fields = bytes.chunks_exact_mut(8);
    fields.next()?.copy_from_slice(&time);
    for (field, column) in fields.zip([&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume]) {
        field.copy_from_slice(&column.get(row)?.to_le_bytes());
    }
    Some(xxh3_64(&bytes))
}
