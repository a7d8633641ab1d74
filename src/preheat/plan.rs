//! What is not fresh and what has to be done about it. Reads the catalog; asks no source and writes no file.

use crate::cache::{Cache, CacheError, Entry, EntryKey, EntryState, Judge, Policy, state_of};
use crate::feature::FeatureSet;
use crate::market::{DateRange, Symbol};
use crate::source::{SourceId, SymbolInfo};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// What is told of a symbol that the source does not have any more.
pub(super) const VANISHED: &str = "the source has no bars of it any more; the last good version is kept. Clear it if it is not wanted";

/// Which datasets a preheat is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Bars, then features.
    #[default]
    All,
    /// Bars only (`--kline-only`).
    BarsOnly,
    /// Features of bars that are cached (`--features-only`); the source is not asked.
    FeaturesOnly,
}

/// What a user wants to be fresh.
#[derive(Debug, Clone)]
pub struct PreheatRequest {
    /// These symbols; all of the source's when left out.
    pub symbols: Option<Vec<Symbol>>,
    /// Only these days.
    pub range: DateRange,
    /// At most so many symbols.
    pub limit: Option<usize>,
    /// Bars, features or both.
    pub scope: Scope,
    /// These feature sets.
    pub sets: Vec<FeatureSet>,
    /// Fetch and compute whatever the state (what refresh does).
    pub force: bool,
    /// Ask the source about fresh entries too.
    pub check: bool,
    /// Who says what is fresh.
    pub judge: Arc<Judge>,
    /// Working threads; all cores when 0.
    pub jobs: usize,
    /// How long a source that cannot be reached or a full disk is waited for; for ever when left out.
    pub patience: Option<Duration>,
    /// How many older versions of a set are kept; none are when 0.
    pub kept_versions: usize,
    /// How many days may pass before a symbol's whole history is compared with the source's again; at every check when 0.
    pub history_check_days: u32,
    /// Where the jitter of waits begins.
    pub jitter_seed: u64,
}

/// How many older versions of a set are kept where nobody says.
pub const KEPT_VERSIONS: usize = 2;
/// How often whole histories are compared with the source's where nobody says.
pub const HISTORY_CHECK_DAYS: u32 = 7;

impl Default for PreheatRequest {
    fn default() -> Self {
        Self {
            symbols: None,
            range: DateRange::ALL,
            limit: None,
            scope: Scope::All,
            sets: vec![FeatureSet::classic()],
            force: false,
            check: false,
            judge: Arc::default(),
            jobs: 0,
            patience: Some(Duration::from_secs(120)),
            kept_versions: KEPT_VERSIONS,
            history_check_days: HISTORY_CHECK_DAYS,
            jitter_seed: 0,
        }
    }
}

/// How a symbol's bars are come by.
#[derive(Debug, Clone)]
pub enum BarsTask {
    /// From the source.
    Fetch {
        /// These days: what was asked for, and what the entry has already.
        range: DateRange,
        /// The entry as it is.
        previous: Option<Box<Entry>>,
    },
    /// From the cache.
    Cached(Box<Entry>),
}

/// A feature set to compute for a symbol.
#[derive(Debug, Clone)]
pub struct FeatureTask {
    /// Which of the request's sets.
    pub set: usize,
    /// The entry as it is.
    pub previous: Option<Box<Entry>>,
    /// An older version that the present definition made, where that is what it once was.
    pub older: Option<Box<Entry>>,
}

/// The work for one symbol.
#[derive(Debug, Clone)]
pub struct PlanItem {
    /// Which symbol.
    pub symbol: Symbol,
    /// Where its bars come from.
    pub bars: BarsTask,
    /// What to compute from them.
    pub features: Vec<FeatureTask>,
    /// Bars to expect.
    pub expected_rows: u64,
}

impl PlanItem {
    /// Failed attempts in a row before this one; `None` when the last one did not fail.
    pub(super) fn failed_attempts(&self) -> Option<u32> {
        let bars = match &self.bars {
            BarsTask::Fetch { previous, .. } => previous.as_deref(),
            BarsTask::Cached(entry) => Some(&**entry),
        };
        let features = self.features.iter().filter_map(|feature| feature.previous.as_deref());
        bars.into_iter().chain(features).filter_map(|entry| entry.failure.as_ref()).map(|failure| failure.attempts).max()
    }
}

/// How many rows are plenty for one request, by which symbols are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plenty {
    /// Most rows expected in one request (one symbol may have more).
    pub rows: u64,
    /// Most symbols in one request.
    pub symbols: usize,
}

impl Default for Plenty {
    fn default() -> Self {
        Self { rows: 40_000, symbols: 64 }
    }
}

/// Everything that has to be done.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The symbols to work on.
    pub items: Vec<PlanItem>,
    /// Symbols asked for.
    pub requested: usize,
    /// How many symbols there is nothing to do for.
    pub skipped_fresh: usize,
    /// These symbols: as part of what is wanted they are not evicted for the rest of it.
    pub fresh: Vec<Symbol>,
    /// Symbols that cannot be worked on, and why.
    pub refused: Vec<(Symbol, String)>,
}

impl Plan {
    /// Whether the source has to be asked.
    #[must_use]
    pub fn needs_source(&self) -> bool {
        self.items.iter().any(|item| matches!(item.bars, BarsTask::Fetch { .. }))
    }
}

/// Finds what is not fresh among the symbols of a source. Files that were removed or cut short by others are noticed. When all
/// symbols are meant, cached ones that the source does not list any more are asked about too, until it has said so.
///
/// # Errors
/// When the catalog cannot be read.
pub fn make_plan(cache: &Cache, source: &SourceId, symbols: &[SymbolInfo], request: &PreheatRequest) -> Result<Plan, CacheError> {
    let mut entries = cache.catalog().entries(Some(source))?;
    cache.notice_lost_files(&mut entries)?;
    let by_key: HashMap<EntryKey, Entry> = entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
    let now_us = cache.now_us();
    let unlisted = unlisted(&by_key, symbols, request);
    let mut plan = Plan { requested: symbols.len() + unlisted.len(), ..Plan::default() };
    for info in symbols.iter().chain(&unlisted) {
        let bars_key = EntryKey::bars(source, &info.symbol);
        let bars_entry = by_key.get(&bars_key);
        let bars_file = bars_entry.and_then(|entry| entry.file.as_ref());
        let rule = request.judge.rule_of(&bars_key);
        let bars_state = state_of(bars_entry, &Policy { now_us, rule, definition: None, bars_fingerprint: None });
        let covered = bars_entry.is_some_and(|entry| entry.range.covers(&request.range));
        let fetch = request.scope != Scope::FeaturesOnly && (request.force || request.check || bars_state != EntryState::Fresh || !covered);
        let bars = if fetch {
            let range = match bars_entry {
                // What is cached is never narrowed by a narrower request.
                Some(entry) if entry.has_files() => entry.range.union(&request.range),
                _ => request.range,
            };
            BarsTask::Fetch { range, previous: bars_entry.cloned().map(Box::new) }
        } else if let (Some(entry), true) = (bars_entry, bars_file.is_some()) {
            BarsTask::Cached(Box::new(entry.clone()))
        } else {
            plan.refused.push((info.symbol.clone(), "no bars are cached; preheat without --features-only first".to_owned()));
            continue;
        };
        let mut features = Vec::new();
        if request.scope != Scope::BarsOnly {
            for (set, definitions) in request.sets.iter().enumerate() {
                let key = EntryKey::features(source, &info.symbol, definitions.name());
                let previous = by_key.get(&key);
                let policy = Policy {
                    now_us,
                    rule,
                    definition: Some(definitions.definition_hash()),
                    bars_fingerprint: bars_file.map(|file| file.fingerprint),
                };
                // Features of bars that are fetched again may change with them; the pipeline decides by fingerprint.
                if fetch || request.force || state_of(previous, &policy) != EntryState::Fresh {
                    let older = key.older(definitions.definition_hash()).and_then(|key| by_key.get(&key));
                    let [previous, older] = [previous, older].map(|entry| entry.cloned().map(Box::new));
                    features.push(FeatureTask { set, previous, older });
                }
            }
        }
        if !fetch && features.is_empty() {
            plan.skipped_fresh += 1;
            plan.fresh.push(info.symbol.clone());
            continue;
        }
        plan.items.push(PlanItem { symbol: info.symbol.clone(), bars, features, expected_rows: info.bar_count });
    }
    Ok(plan)
}

/// Cached symbols that are not in the source's list.
fn unlisted(by_key: &HashMap<EntryKey, Entry>, symbols: &[SymbolInfo], request: &PreheatRequest) -> Vec<SymbolInfo> {
    if request.symbols.is_some() || request.limit.is_some() || request.scope == Scope::FeaturesOnly {
        return Vec::new();
    }
    let listed: HashSet<&Symbol> = symbols.iter().map(|info| &info.symbol).collect();
    let is_told = |entry: &Entry| entry.failure.as_ref().is_some_and(|failure| failure.message == VANISHED);
    let mut unlisted: Vec<SymbolInfo> = by_key
        .values()
        .filter(|entry| entry.key.dataset.is_bars() && entry.file.is_some() && !listed.contains(&entry.key.symbol))
        .filter(|entry| request.check || !is_told(entry))
        .map(|entry| SymbolInfo { symbol: entry.key.symbol.clone(), first_us: None, last_us: None, bar_count: entry.rows() })
        .collect();
    unlisted.sort_by(|one, other| one.symbol.cmp(&other.symbol));
    unlisted
}
