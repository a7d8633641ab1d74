//! Features: named columns computed from bars, and the sets they come in.
//!
//! Not the kernels themselves (`indicator`), not the cache. Contract: a table has as many rows as its bars; a value that is
//! not defined (warm-up, zero denominator) is NaN in memory and null in every file, and no other value is ever NaN or infinite.

mod build;
mod definition;
mod evaluate;
pub mod formula;
pub mod functions;
pub mod graph;
mod hash;
mod library;
mod set;
mod set_file;
#[cfg(test)]
mod set_tests;
mod state;
mod stats;
pub mod talib;

#[cfg(test)]
mod tests;

pub use build::{Helper, LONGEST_NAME, MOST_FEATURES, Precision, SetParts};
pub use definition::{Definition, Group, Placement};
pub use evaluate::{compute, compute_some, compute_with_state, continue_from, look_back, recycle};
pub use functions::LONGEST_WINDOW;
pub use hash::{DefinitionHash, DefinitionHashError, ENGINE_VERSION};
pub use library::{LibrarySet, SET_FILE_EXTENSION, SetChange, SetLibrary, SetOrigin, SetProblem, SharedLibrary, UnknownSet, reserved_name};
pub use set::{FeatureSet, RAW_COLUMNS, SetMistake};
pub use state::{FeatureState, FeatureStateError};
pub use stats::{ColumnStats, column_stats};

use crate::market::Resolution;
use std::sync::Arc;

/// Feature columns of one symbol, row by row beside its bars.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeatureTable {
    /// Daily, or with a time of day.
    pub resolution: Resolution,
    /// Microseconds since 1970-01-01, strictly increasing; the times of the bars.
    pub time_us: Vec<i64>,
    /// Column names, in the order of the set.
    pub names: Vec<Arc<str>>,
    /// One column per name, each as long as `time_us`; NaN is null.
    pub columns: Vec<Vec<f64>>,
}

impl FeatureTable {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_us.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_us.is_empty()
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let position = self.names.iter().position(|candidate| &**candidate == name)?;
        self.columns.get(position).map(Vec::as_slice)
    }

    /// Bytes the columns take in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        (self.columns.len() + 1) * self.len() * 8 + self.names.len() * 32 + size_of::<Self>()
    }
}
