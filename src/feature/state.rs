//! What recursive features need to go on from a row, and the text it is kept as.
//!
//! Not the recursions (`indicator`) and not where a state is kept. Contract: a state belongs to one set's definitions, one
//! number of rows and one last bar, and is refused for any other. It holds numbers bit for bit, and only those that cannot
//! be read from the bars: how far a warm-up is follows from the number of rows, the last close from the last bar.

use super::definition::Definition;
use super::hash::DefinitionHash;
use super::kernel::Kernel;
use super::set::FeatureSet;
use crate::indicator::momentum::Kdj;
use crate::market::Bars;
use std::fmt::Write;
use std::str::FromStr;
use xxhash_rust::xxh3::xxh3_64;

/// First word of the text; raise it with the text's form or the meaning of its numbers.
const TEXT_VERSION: &str = "1";

/// What recursive features need to go on from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureState {
    hash: DefinitionHash,
    rows: usize,
    last_bar: u64,
    /// Bits of f64, so that states are equal exactly when they go on alike.
    bits: Vec<u64>,
}

/// A text that is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The kept state of the features cannot be read; compute them from the first bar")]
pub struct FeatureStateError;

impl FeatureState {
    /// Hash of the definitions this state belongs to.
    #[must_use]
    pub fn definition_hash(&self) -> DefinitionHash {
        self.hash
    }

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
        self.hash == set.definition_hash() && last_bar(bars, self.rows) == Some(self.last_bar)
    }

    /// The state as text: version, definition hash, number of rows, mark of the last bar, numbers as bits.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{TEXT_VERSION} {} {} {:016x} ", self.hash.full(), self.rows, self.last_bar);
        for bits in &self.bits {
            // Writing to a String cannot fail.
            write!(text, "{bits:016x}").unwrap_or_default();
        }
        text
    }

    /// A state from its text.
    ///
    /// # Errors
    ///
    /// The text is of another version or damaged.
    pub fn from_text(text: &str) -> Result<Self, FeatureStateError> {
        let state = Self::parse(text).ok_or(FeatureStateError)?;
        // Exactly one text is a state's: no signs, capitals, leading zeros or spaces that a parser would let pass.
        if state.to_text() == text { Ok(state) } else { Err(FeatureStateError) }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(5, ' ');
        if words.next()? != TEXT_VERSION {
            return None;
        }
        let hash = words.next()?.parse().ok()?;
        let rows = words.next()?.parse().ok()?;
        let last_bar = u64::from_str_radix(words.next()?, 16).ok()?;
        let digits = words.next()?.as_bytes().chunks(16);
        let bits = digits.map(|digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).collect::<Option<_>>()?;
        Some(Self { hash, rows, last_bar, bits })
    }

    /// The numbers as they are before row `rows`, of which there must be as many.
    pub(super) fn noted(set: &FeatureSet, bars: &Bars, rows: usize, registers: &Registers) -> Self {
        // Without a last bar the mark is one that no bars have (theirs come from a hash, 0 from no rows): it fits nothing.
        Self { hash: set.definition_hash(), rows, last_bar: last_bar(bars, rows).unwrap_or_default(), bits: registers.bits() }
    }

    /// The numbers, if this state has as many as these definitions need.
    pub(super) fn registers(&self, definitions: &[Definition]) -> Option<Registers> {
        let mut registers = Registers::before_first_row(definitions);
        registers.load(&self.bits).then_some(registers)
    }
}

impl FromStr for FeatureState {
    type Err = FeatureStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_text(text)
    }
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

/// One recursion; several features may be made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recursion {
    /// Exponential average of the close.
    Average { window: usize },
    /// MACD's average of the difference.
    Signal { fast: usize, slow: usize, signal: usize },
    /// Smoothed rises and smoothed moves.
    Strength { window: usize },
    /// K and D.
    Stochastic { window: usize },
    /// Average true range, or the sum while it is not there yet.
    TrueRange { window: usize },
    /// On-balance volume.
    OnBalance,
}

impl Recursion {
    /// What a kernel carries from row to row. A new recursive kernel must be listed here, a windowed one must not.
    fn of(kernel: &Kernel) -> Vec<Self> {
        match *kernel {
            Kernel::ExponentialAverage { window } => vec![Self::Average { window }],
            Kernel::Macd { fast, slow, signal, .. } => {
                vec![Self::Average { window: fast }, Self::Average { window: slow }, Self::Signal { fast, slow, signal }]
            }
            Kernel::Rsi { window } => vec![Self::Strength { window }],
            Kernel::Kdj { window, .. } => vec![Self::Stochastic { window }],
            Kernel::AverageTrueRange { window } => vec![Self::TrueRange { window }],
            Kernel::OnBalanceVolume => vec![Self::OnBalance],
            Kernel::Formula
            | Kernel::MovingAverage { .. }
            | Kernel::Bollinger { .. }
            | Kernel::Cci { .. }
            | Kernel::WilliamsR { .. }
            | Kernel::Momentum { .. }
            | Kernel::RateOfChange { .. }
            | Kernel::LogReturn
            | Kernel::Amplitude
            | Kernel::Gap
            | Kernel::Volatility { .. }
            | Kernel::VolumeRatioToPrevious { .. }
            | Kernel::VolumeRatio { .. }
            | Kernel::VolumeChange
            | Kernel::TurnoverRate
            | Kernel::Bias { .. }
            | Kernel::PsychologicalLine { .. } => Vec::new(),
        }
    }

    /// How many numbers it carries.
    fn width(self) -> usize {
        match self {
            Self::Strength { .. } | Self::Stochastic { .. } => 2,
            Self::Average { .. } | Self::Signal { .. } | Self::TrueRange { .. } | Self::OnBalance => 1,
        }
    }
}

/// The numbers of every recursion of a set, in the order the definitions first need them; the second is 0 where one is enough.
#[derive(Debug, Clone)]
pub(super) struct Registers(Vec<(Recursion, [f64; 2])>);

impl Registers {
    /// As they are before the first row.
    pub(super) fn before_first_row(definitions: &[Definition]) -> Self {
        let mut registers: Vec<(Recursion, [f64; 2])> = Vec::new();
        for recursion in definitions.iter().flat_map(|definition| Recursion::of(&definition.kernel)) {
            if !registers.iter().any(|(known, _)| *known == recursion) {
                let start = if matches!(recursion, Recursion::Stochastic { .. }) { Kdj::default().values() } else { [0.0; 2] };
                registers.push((recursion, start));
            }
        }
        Self(registers)
    }

    /// The numbers of a recursion.
    pub(super) fn get(&self, recursion: Recursion) -> [f64; 2] {
        self.0.iter().find(|(known, _)| *known == recursion).map_or([0.0; 2], |(_, numbers)| *numbers)
    }

    /// Notes the numbers of a recursion.
    pub(super) fn set(&mut self, recursion: Recursion, numbers: [f64; 2]) {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == recursion) {
            // One NaN like another: which bits a NaN has is not promised, and a state must not depend on it.
            *known = numbers.map(|number| if number.is_nan() { f64::NAN } else { number });
        }
    }

    fn bits(&self) -> Vec<u64> {
        self.0.iter().flat_map(|(recursion, numbers)| numbers.iter().take(recursion.width()).map(|number| number.to_bits())).collect()
    }

    /// Takes the numbers from bits; false if there are more or fewer than needed.
    fn load(&mut self, bits: &[u64]) -> bool {
        let mut bits = bits.iter();
        for (recursion, numbers) in &mut self.0 {
            for number in numbers.iter_mut().take(recursion.width()) {
                let Some(bits) = bits.next() else { return false };
                *number = f64::from_bits(*bits);
            }
        }
        bits.next().is_none()
    }
}
