//! What a file with many symbols had, beyond those that were asked for: its rows are read once for all portions of its symbols.
//!
//! Not a cache: every symbol is given out once, and nothing outlives a change of the file. Contract: what is given out is what reading
//! the file again for the same days would give.

use super::{DigestOnTheWay, FetchRequest, Fetched};
use crate::market::{DateRange, Symbol};
use std::collections::HashMap;
use std::sync::Arc;

/// Whoever asks for fewer symbols is not likely to ask for the others.
pub(super) const FEWEST_SYMBOLS: usize = 8;
/// Most rows that are kept, some 250 MB.
pub(super) const MOST_ROWS: u64 = 3_500_000;

/// Symbols of one file that nobody asked for yet.
pub(super) struct Ahead<File> {
    file: Arc<File>,
    range: DateRange,
    digest: Option<DigestOnTheWay>,
    left: HashMap<Symbol, Fetched>,
}

impl<File> Ahead<File> {
    /// Keeps what was fetched of a file.
    pub(super) fn new(file: Arc<File>, request: &FetchRequest, fetched: Vec<Fetched>) -> Self {
        let left = fetched.into_iter().map(|one| (one.symbol.clone(), one)).collect();
        Self { file, range: request.range, digest: request.digest.clone(), left }
    }

    /// Whether these symbols of the same file and days are all here.
    pub(super) fn has(&self, file: &Arc<File>, request: &FetchRequest, symbols: &[Symbol]) -> bool {
        Arc::ptr_eq(&self.file, file)
            && (self.range, &self.digest) == (request.range, &request.digest)
            && symbols.iter().all(|symbol| self.left.contains_key(symbol))
    }

    /// Gives symbols out.
    pub(super) fn take(&mut self, symbols: &[Symbol]) -> Vec<Fetched> {
        symbols.iter().filter_map(|symbol| self.left.remove(symbol)).collect()
    }

    /// Whether everything was given out.
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }
}
