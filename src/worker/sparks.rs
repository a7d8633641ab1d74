//! The last closes of symbols, small enough to be drawn in a row of the list.
//!
//! Contract: read off the window's thread, for what is in view; no lookup is counted, and nothing is fetched. A symbol whose bars cannot
//! be read is answered too, without closes, so that it is not asked for again.

use super::event::JobEvent;
use super::service::Service;
use crate::cache::Entry;
use crate::market::Symbol;
use std::sync::Arc;

/// How many closes a small line has at most.
pub const SPARK_BARS: usize = 60;

/// The last closes of a symbol.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spark {
    /// Checksum of the bars it is of.
    pub fingerprint: Option<u128>,
    /// At most [`SPARK_BARS`] closes, oldest first.
    pub closes: Vec<f64>,
}

impl Spark {
    fn of(entry: &Entry, closes: &[f64]) -> Self {
        let from = closes.len().saturating_sub(SPARK_BARS);
        Self { fingerprint: entry.file.as_ref().map(|file| file.fingerprint), closes: closes.get(from..).unwrap_or_default().to_vec() }
    }

    /// The last close.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.closes.last().copied()
    }

    /// By how many percent the last close is another than the one before.
    #[must_use]
    pub fn change_percent(&self) -> Option<f64> {
        let [.., before, last] = self.closes.as_slice() else { return None };
        (*before != 0.0).then(|| (last / before - 1.0) * 100.0)
    }
}

/// Closes that are wanted.
#[derive(Debug, Clone)]
pub struct SparkRequest {
    /// The entries of the bars.
    pub entries: Vec<Entry>,
}

/// Reads closes.
pub(super) fn read(service: &Service, request: &SparkRequest) {
    let found = match service.cache() {
        Ok(cache) => cache.read_many(&request.entries, None),
        Err(_closed) => Vec::new(),
    };
    let mut found = found.into_iter();
    let sparks: Vec<(Symbol, Arc<Spark>)> = request
        .entries
        .iter()
        .map(|entry| {
            let spark = match found.next() {
                Some(Ok(served)) => Spark::of(entry, &served.content.bars().close),
                Some(Err(error)) => {
                    tracing::debug!(%error, symbol = %entry.key.symbol, "no closes for the list");
                    Spark::of(entry, &[])
                }
                None => Spark::of(entry, &[]),
            };
            (entry.key.symbol.clone(), Arc::new(spark))
        })
        .collect();
    service.reporter.send_blocking(JobEvent::Sparks(sparks));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_two_closes_and_something_to_compare_with() {
        let spark = |closes: &[f64]| Spark { fingerprint: None, closes: closes.to_vec() };
        assert_eq!(spark(&[]).change_percent(), None);
        assert_eq!(spark(&[5.0]).change_percent(), None);
        assert_eq!(spark(&[0.0, 5.0]).change_percent(), None);
        assert_eq!(spark(&[7.0, 4.0, 5.0]).change_percent(), Some(25.0));
        assert_eq!(spark(&[7.0, 4.0, 5.0]).last(), Some(5.0));
    }
}
