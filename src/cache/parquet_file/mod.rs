//! Bars and feature tables as Parquet bytes and back. Bytes only: no path is opened here.
//!
//! Contract: encoding is deterministic, so the same content and facts give the same bytes. A column `date` (Date32, daily) or
//! `time` (Timestamp in microseconds, intraday) comes first, then `open high low close volume`, `amount` and `turnover` where
//! the source has them, then features. Null in the file is NaN in memory. The footer's key-value metadata carries identity,
//! fingerprint and origin, and a seal over the whole file, so that the catalog can be rebuilt from the files.
//!
//! A file has base rows and, behind them, at most one row group of tail rows, which an append replaces: see [`append`].

mod append;
mod column;
#[cfg(test)]
mod column_tests;
mod decode;
mod delta;
mod encode;
mod footer;
mod layout;
mod levels;
mod page;
mod read;
mod recolumn;
mod sample;
mod seal;
mod split;
#[cfg(test)]
mod tests;

pub(super) use append::{Addition, bars_from, encode_addition, joined};
pub(super) use decode::{Outline, SealedFile, decode, decode_wanted, longest_sealed, outline, possible_ends, sealed, tail_features};
#[cfg(test)]
use encode::encode;
pub(super) use encode::{Encoded, EncodedBars, encode_beside};
pub use encode::{batch_in, batch_of, rounding_of};
pub(super) use layout::layout;
pub use layout::{ColumnLayout, FileLayout, GroupLayout};
pub use recolumn::ColumnFrom;
pub(super) use recolumn::encode_with;

use super::entry::{EntryKey, Provenance, Synced};
use crate::feature::{FeatureTable, Precision};
use crate::market::{Bars, DateRange, Quality};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Version of what the footer holds. Format 1 sealed only the footer's pairs; such files are still read and adopted.
const FORMAT: &str = "2";
/// Version of how bytes are made of content: raise it with the compression library, or with how columns are kept.
const ENCODER: &str = "pages 1, zstd -1, two groups";
/// Most rows in one row group; a symbol's daily base rows are always one.
const ROW_GROUP_ROWS: usize = 1 << 20;

/// Facts that travel in the footer.
#[derive(Debug, Clone, PartialEq)]
pub struct Footer {
    /// Whose file it is.
    pub key: EntryKey,
    /// For features: with which definitions and from which bars.
    pub provenance: Option<Provenance>,
    /// The days that were asked of the source.
    pub range: DateRange,
    /// When the bars were fetched.
    pub fetched_at_us: i64,
    /// What was noticed in the source's rows.
    pub quality: Quality,
    /// For bars: what the source said it had.
    pub synced: Option<Synced>,
    /// Time of the first bar of a session that was not closed.
    pub provisional_from_us: Option<i64>,
    /// What it took to fetch or compute it, in microseconds.
    pub cost_us: u64,
    /// For features: what the recursive ones need to go on from the first provisional bar (or the end), as
    /// [`crate::feature::FeatureState`] writes it.
    pub state: Option<String>,
    /// For features: how exactly they are kept.
    pub precision: Precision,
    /// For features that are kept rounded: the largest relative error of a value.
    pub rounding: Option<f64>,
    /// For a file that holds one year of an entry: which year, and all years of it. Whoever stages an entry leaves it out.
    pub years: Option<YearList>,
}

/// Which year a file holds, and of which years its entry consisted when the file was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearList {
    /// The year of this file.
    pub year: i32,
    /// Every year of the entry with the fingerprint of its values, oldest first.
    pub all: Vec<(i32, u128)>,
}

/// The content of a cached file.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Price bars.
    Bars(Arc<Bars>),
    /// Features beside the bars they were computed from.
    Features {
        /// The raw columns of the file.
        bars: Arc<Bars>,
        /// The computed columns.
        table: Arc<FeatureTable>,
    },
}

impl Content {
    /// The raw columns.
    #[must_use]
    pub fn bars(&self) -> &Arc<Bars> {
        match self {
            Self::Bars(bars) | Self::Features { bars, .. } => bars,
        }
    }

    /// The computed columns, where it has some.
    #[must_use]
    pub fn features(&self) -> Option<&Arc<FeatureTable>> {
        match self {
            Self::Bars(_) => None,
            Self::Features { table, .. } => Some(table),
        }
    }

    /// The same with these features only.
    #[must_use]
    pub fn only(&self, wanted: &[&str]) -> Self {
        match self {
            Self::Bars(_) => self.clone(),
            Self::Features { bars, table } => {
                let columns = table.names.iter().zip(&table.columns).filter(|(name, _)| wanted.contains(&&***name));
                let (names, columns) = columns.map(|(name, column)| (Arc::clone(name), column.clone())).unzip();
                let table = FeatureTable { resolution: table.resolution, time_us: table.time_us.clone(), names, columns };
                Self::Features { bars: Arc::clone(bars), table: Arc::new(table) }
            }
        }
    }

    /// Bytes in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Bars(bars) => bars.size_bytes(),
            Self::Features { bars, table } => bars.size_bytes() + table.size_bytes(),
        }
    }

    /// xxh3-128 over the values of all columns with their names; independent of encoding and compression.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        let mut hasher = Xxh3::new();
        match self {
            Self::Bars(bars) => hash_bars(&mut hasher, bars),
            Self::Features { bars, table } => {
                hash_bars(&mut hasher, bars);
                for (name, column) in table.names.iter().zip(&table.columns) {
                    hash_column(&mut hasher, name, column);
                }
            }
        }
        hasher.digest128()
    }
}

/// What the catalog compares: for bars the hash of their values, for features the hash of definition and inputs, which
/// determine their values.
pub(super) fn fingerprint_of(content: &Content, footer: &Footer) -> u128 {
    match (content, footer.provenance) {
        (Content::Features { .. }, Some(made)) => features_fingerprint(made),
        _ => content.fingerprint(),
    }
}

/// The hash of definition and inputs.
fn features_fingerprint(Provenance { definition, inputs }: Provenance) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(&definition.value().to_le_bytes());
    hasher.update(&inputs.to_le_bytes());
    hasher.digest128()
}

fn hash_bars(hasher: &mut Xxh3, bars: &Bars) {
    hasher.update(bytemuck::cast_slice(&bars.time_us));
    for (name, column) in raw_columns(bars) {
        hash_column(hasher, name, column);
    }
}

/// Hashes a column with every NaN written the same way.
fn hash_column(hasher: &mut Xxh3, name: &str, column: &[f64]) {
    hasher.update(name.as_bytes());
    let mut canonical = [0.0_f64; 256];
    for chunk in column.chunks(canonical.len()) {
        if chunk.iter().any(|value| value.is_nan()) {
            for (slot, value) in canonical.iter_mut().zip(chunk) {
                *slot = if value.is_nan() { f64::NAN } else { *value };
            }
            hasher.update(bytemuck::cast_slice(canonical.get(..chunk.len()).unwrap_or_default()));
        } else {
            hasher.update(bytemuck::cast_slice(chunk));
        }
    }
}

fn raw_columns(bars: &Bars) -> impl Iterator<Item = (&'static str, &Vec<f64>)> {
    [("open", &bars.open), ("high", &bars.high), ("low", &bars.low), ("close", &bars.close), ("volume", &bars.volume)]
        .into_iter()
        .chain(bars.amount.as_ref().map(|column| ("amount", column)))
        .chain(bars.turnover.as_ref().map(|column| ("turnover", column)))
}
