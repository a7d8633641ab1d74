//! What the overview shows besides the list: lookups, costs, evictions, changes and integrity, put together off the window's thread.
//!
//! Contract: reading it counts no lookup and changes nothing but what the counters still had to hand over.

use crate::cache::{BudgetStatus, Cache, CacheCosts, CacheError, Change, Eviction, LookupSpan, LookupStats, LookupTotals, ScrubPass};
use crate::source::{IndexFinding, QueryTiming, SourceId};
use std::path::Path;

/// Most changes and evictions told.
const NEWEST: usize = 20;
/// Most queries told.
const SLOWEST: usize = 12;
/// Most symbols told by what they take.
const LARGEST: usize = 8;

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
    /// Room taken against room allowed.
    pub budget: BudgetStatus,
    /// What each symbol, set and year takes, over all sources; of the symbols only the largest.
    pub costs: CacheCosts,
    /// What was evicted and why, newest first.
    pub evictions: Vec<Eviction>,
    /// What changed at the source in use, newest first.
    pub changes: Vec<Change>,
    /// The last whole pass of the background check, and the one under way.
    pub scrubs: (Option<ScrubPass>, Option<ScrubPass>),
    /// The slowest queries of the source in use over 30 days, slowest first.
    pub queries: Vec<QueryTiming>,
    /// Whether an index serves the source in use, where that is known.
    pub index: Option<IndexFinding>,
    /// Damaged files that were put aside: how many, and their bytes.
    pub quarantine: (u64, u64),
}

impl Survey {
    /// Reads the catalog and puts it all together. Blocking.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(super) fn make(cache: &Cache, source: Option<&SourceId>, span: LookupSpan) -> Result<Self, CacheError> {
        let lookups = cache.lookup_stats(span)?;
        let month = if span == LookupSpan::Month { lookups.totals() } else { cache.lookup_stats(LookupSpan::Month)?.totals() };
        let mut costs = cache.costs()?;
        costs.symbols.truncate(LARGEST);
        let now_us = cache.now_us();
        let (queries, index) = match source {
            Some(source) => (cache.catalog().slow_queries(source, SLOWEST, now_us)?, cache.catalog().index_finding(source)?),
            None => (Vec::new(), None),
        };
        Ok(Self {
            made_at_us: now_us,
            lookups,
            month,
            budget: cache.budget_status()?,
            costs,
            evictions: cache.evictions(NEWEST)?,
            changes: cache.catalog().changes(source, None, NEWEST)?,
            scrubs: cache.last_scrub()?,
            queries,
            index,
            quarantine: quarantine_of(&cache.folders().quarantine()),
        })
    }
}

/// Files in the quarantine and their bytes; none where there is no such folder yet.
fn quarantine_of(folder: &Path) -> (u64, u64) {
    let Ok(listing) = std::fs::read_dir(folder) else { return (0, 0) };
    let files = listing.filter_map(|file| file.ok()?.metadata().ok()).filter(std::fs::Metadata::is_file);
    files.fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.len()))
}
