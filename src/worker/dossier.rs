//! Everything that is known of one symbol, put together off the window's thread: the inspector only draws it.
//!
//! Not the list's row (that is in the snapshot, for every symbol). Contract: reading it counts no lookup and changes nothing;
//! times are absolute, so that sentences about them can be told anew at any time.

use crate::cache::{
    Cache, CacheError, Change, Dataset, Entry, EntryKey, EntryLookups, EntryState, FileLayout, HitCounts, Judge, LoggedLookup, LookupSpan,
    QualityFinding, Rule, Why, costs_of,
};
use crate::market::quality::{Finding, MarketDays};
use crate::market::{DAY_US, Symbol};
use crate::source::SourceId;
use std::path::PathBuf;

/// Most changes told.
const CHANGES: usize = 200;
/// Most single lookups told.
const LOOKUPS: usize = 60;

/// A symbol to be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectRequest {
    /// Counts up; an answer to an older request than the last is dropped by the front end.
    pub generation: u64,
    /// Which symbol.
    pub symbol: Symbol,
    /// What is known to be cached of it.
    pub datasets: Vec<Dataset>,
}

/// One entry of the symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryDossier {
    /// The catalog's row.
    pub entry: Entry,
    /// Its state.
    pub state: EntryState,
    /// What decided on it.
    pub why: Why,
    /// When it stops being fresh, if nothing else happens.
    pub expires_at_us: Option<i64>,
    /// Where its file lies.
    pub path: Option<PathBuf>,
    /// How its file is built; `None` when it cannot be read.
    pub layout: Option<FileLayout>,
    /// Its lookups of the last 30 days.
    pub lookups: EntryLookups,
}

/// Everything that is known of one symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// The source.
    pub source: SourceId,
    /// The symbol.
    pub symbol: Symbol,
    /// When it was put together.
    pub made_at_us: i64,
    /// What holds for its entries: time to live and market.
    pub rule: Rule,
    /// Its entries: bars first.
    pub entries: Vec<EntryDossier>,
    /// What changed at the source, newest first.
    pub changes: Vec<Change>,
    /// What was noticed in its rows, whenever it changed, newest first.
    pub quality_history: Vec<QualityFinding>,
    /// What is worth a look in its bars, in the order of time; `None` when there are none that can be read.
    pub findings: Option<Vec<Finding>>,
    /// Sessions of its market that have closed since its last bar; `None` where the market's days are not known.
    pub sessions_behind: Option<usize>,
    /// Sessions of its market's calendar, from its first to its last bar, on which no symbol has a bar.
    pub market_holes: Vec<chrono::NaiveDate>,
    /// Bytes by year, oldest first; every dataset's bytes are shared out by its rows.
    pub years: Vec<(i32, u64)>,
    /// The newest lookups, newest first.
    pub log: Vec<LoggedLookup>,
}

impl Dossier {
    /// Reads the catalog and puts it all together. Blocking.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub(super) fn make(
        cache: &Cache,
        source: &SourceId,
        request: &InspectRequest,
        judge: &Judge,
        days: &MarketDays,
    ) -> Result<Self, CacheError> {
        let now_us = cache.now_us();
        let symbol = &request.symbol;
        let mut entries: Vec<Entry> = Vec::with_capacity(request.datasets.len());
        for dataset in &request.datasets {
            let key = EntryKey { source: source.clone(), symbol: symbol.clone(), dataset: dataset.clone() };
            entries.extend(cache.catalog().entry(&key)?);
        }
        entries.sort_by(|left, right| {
            (!left.key.dataset.is_bars(), left.key.dataset.name()).cmp(&(!right.key.dataset.is_bars(), right.key.dataset.name()))
        });
        let bars = entries.iter().find(|entry| entry.key.dataset.is_bars());
        let bars_fingerprint = bars.and_then(|entry| entry.file.as_ref()).map(|file| file.fingerprint);
        let by_entry = cache.lookups_by_entry(LookupSpan::Month, Some(source), Some(symbol), 64)?;
        let lookups_of = |key: &EntryKey| by_entry.iter().find(|found| found.key == *key).map(|found| found.lookups).unwrap_or_default();
        let findings = match bars {
            // The rest can be told even of a file that cannot be read, and reading it for the chart tells why.
            Some(bars) => cache.findings(bars, days).unwrap_or_default(),
            None => None,
        };
        let settled_before = days.exchange().settled_before(now_us);
        let last_us = bars.and_then(|entry| entry.file.as_ref()).map(|file| file.last_us);
        let sessions_behind = last_us.filter(|_| days.is_known()).map(|last_us| days.sessions_behind(last_us, settled_before));
        let span =
            bars.and_then(|entry| entry.file.as_ref()).map(|file| (file.first_us.div_euclid(DAY_US), file.last_us.div_euclid(DAY_US)));
        let market_holes = span.map(|(first, last)| days.holes(first, last + 1)).unwrap_or_default();
        let [bars_tree, features_tree] = cache.folders().trees();
        let years = costs_of(&entries).years.into_iter().collect();
        let entries = entries
            .into_iter()
            .map(|entry| {
                let why = judge.why(Some(&entry), &entry.key, bars_fingerprint, now_us);
                let tree = if entry.key.dataset.is_bars() { &bars_tree } else { &features_tree };
                EntryDossier {
                    state: why.state(),
                    expires_at_us: judge.expires_at_us(&entry),
                    path: entry.file.as_ref().map(|file| tree.join(&file.path)),
                    layout: cache.layout_of(&entry),
                    lookups: lookups_of(&entry.key),
                    why,
                    entry,
                }
            })
            .collect();
        let log = cache.logged_lookups(Some(symbol), LOOKUPS)?.into_iter().filter(|lookup| lookup.key.source == *source).collect();
        Ok(Self {
            source: source.clone(),
            symbol: symbol.clone(),
            made_at_us: now_us,
            rule: judge.rules.rule_of(source, symbol),
            entries,
            changes: cache.catalog().changes(Some(source), Some(symbol), CHANGES)?,
            quality_history: cache.catalog().quality_history(source, symbol)?,
            findings,
            sessions_behind,
            market_holes,
            years,
            log,
        })
    }

    /// The bars' entry.
    #[must_use]
    pub fn bars(&self) -> Option<&EntryDossier> {
        self.entries.iter().find(|dossier| dossier.entry.key.dataset.is_bars())
    }

    /// Lookups of all entries together.
    #[must_use]
    pub fn lookups(&self) -> HitCounts {
        use strum::IntoEnumIterator;
        let mut counts = HitCounts::default();
        for dossier in &self.entries {
            for tier in crate::cache::Tier::iter() {
                counts.add(tier, dossier.lookups.counts.of(tier));
            }
        }
        counts
    }
}
