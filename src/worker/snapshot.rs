//! The state of everything at one moment, made off the window's thread: the window only draws it.

use crate::cache::{
    Cache, CacheError, Entry, EntryKey, EntryState, ExaminedBars, HitCounts, JobRecord, Judge, LookupCount, LookupSpan, Tier, TrashBatch,
    Usage, Why, states_among,
};
use crate::market::quality::{FindingCounts, MarketDays};
use crate::market::{DAY_US, Exchange, Quality, Symbol};
use crate::source::{SourceId, SymbolInfo};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One entry, as a row of the list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetFacts {
    /// `bars` or the set's name.
    pub dataset: String,
    /// Its state.
    pub state: EntryState,
    /// What decided on it.
    pub why: Why,
    /// When it stops being fresh.
    pub expires_at_us: Option<i64>,
    /// The catalog's row.
    pub entry: Entry,
}

/// One symbol of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolRow {
    /// The symbol.
    pub symbol: Symbol,
    /// The worst state among its entries; missing when there are none.
    pub state: EntryState,
    /// When the first of its entries stops being fresh.
    pub expires_at_us: Option<i64>,
    /// Since when it has been stale, where it is.
    pub stale_since_us: Option<i64>,
    /// When the last tenth of the time to live of the first of its entries begins.
    pub cools_at_us: Option<i64>,
    /// First and last bar: cached, or as the source lists them.
    pub span_us: Option<(i64, i64)>,
    /// Bars cached.
    pub rows: u64,
    /// Bars the source lists.
    pub source_rows: Option<u64>,
    /// Bytes of bars.
    pub bars_bytes: u64,
    /// Bytes of features.
    pub features_bytes: u64,
    /// Reads from the cache.
    pub hits: u64,
    /// Which share of the lookups of 30 days the cache answered; `None` without lookups.
    pub hit_rate: Option<f64>,
    /// When one of its entries was last read.
    pub last_used_us: Option<i64>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// When its bars were fetched.
    pub fetched_at_us: Option<i64>,
    /// Why the last attempt failed, if it did.
    pub failure: Option<String>,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// The market whose calendar it follows.
    pub exchange: Exchange,
    /// Checksum of the cached bars' values: tells whether something made of them is still of them.
    pub bars_fingerprint: Option<u128>,
    /// What was noticed in its rows.
    pub quality: Quality,
    /// How much is worth a look in its bars: gaps, halts, impossible prices, outliers; `None` until they were looked at.
    pub findings: Option<FindingCounts>,
    /// How many sessions of its market have closed since its last bar; `None` where the market's days are not known.
    pub sessions_behind: Option<usize>,
    /// Its entries.
    pub datasets: Vec<DatasetFacts>,
}

/// Lookups of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HitHistory {
    /// Start of the hour.
    pub hour_us: i64,
    /// Lookups by tier.
    pub counts: HitCounts,
}

/// The source in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// Its identity.
    pub id: SourceId,
    /// Its URL without a password.
    pub url: String,
    /// When its symbols were last listed.
    pub listed_at_us: Option<i64>,
}

/// What a job did, counted: what the source read and sent, what was computed and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkFacts {
    /// Lines of digests that came from the source, one per symbol and year.
    pub digest_rows: u64,
    /// Rows of bars that came from the source.
    pub rows_fetched: u64,
    /// Rows of feature tables that were computed.
    pub rows_computed: u64,
    /// Bytes written into cached files.
    pub written_bytes: u64,
}

/// A job of the history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PastJob {
    /// Its row in the history.
    pub record_id: i64,
    /// What it was called.
    pub title: String,
    /// When it began.
    pub started_at_us: i64,
    /// When it ended; `None` while it runs here or in another process.
    pub finished_at_us: Option<i64>,
    /// Symbols brought to fresh.
    pub ok: u64,
    /// Symbols that were fresh already.
    pub skipped_fresh: u64,
    /// Symbols without data.
    pub no_data: u64,
    /// Which these are.
    pub no_data_symbols: Vec<Symbol>,
    /// Symbols of which the source has exactly what was cached.
    pub unchanged: u64,
    /// Symbols that got bars behind those that were cached.
    pub appended: u64,
    /// Symbols whose bars at the source are not what they were.
    pub changed: Vec<Symbol>,
    /// What was done, counted.
    pub work: WorkFacts,
    /// Symbols that failed, and why.
    pub failures: Vec<(Symbol, String)>,
    /// Bars that went through.
    pub rows: u64,
    /// Bytes written.
    pub size_bytes: u64,
    /// Seconds it took.
    pub seconds: f64,
    /// Whether the user stopped it.
    pub cancelled: bool,
    /// Whether its process was killed.
    pub interrupted: bool,
    /// Why it stopped or could not run.
    pub error: Option<String>,
}

impl PastJob {
    fn of(record: &JobRecord) -> Self {
        let report: serde_json::Value =
            record.report.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(serde_json::Value::Null);
        let number = |pointer: &str| report.pointer(pointer).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let text = |pointer: &str| report.pointer(pointer).and_then(serde_json::Value::as_str).map(str::to_owned);
        let flag = |pointer: &str| report.pointer(pointer).and_then(serde_json::Value::as_bool).unwrap_or(false);
        let list = |pointer: &str| report.pointer(pointer).and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let symbols = |pointer: &str| list(pointer).iter().filter_map(|symbol| Some(Symbol::new(symbol.as_str()?))).collect();
        Self {
            record_id: record.id,
            title: record.title.clone(),
            started_at_us: record.started_at_us,
            finished_at_us: record.finished_at_us,
            ok: number("/symbols/ok"),
            skipped_fresh: number("/symbols/skipped_fresh"),
            no_data: number("/symbols/no_data"),
            unchanged: number("/symbols/unchanged"),
            appended: number("/symbols/appended"),
            no_data_symbols: symbols("/no_data"),
            changed: symbols("/changed"),
            work: WorkFacts {
                digest_rows: number("/counted/digest_rows"),
                rows_fetched: number("/counted/rows_fetched"),
                rows_computed: number("/counted/rows_computed"),
                written_bytes: number("/counted/bytes_written"),
            },
            failures: list("/failures")
                .iter()
                .filter_map(|failure| Some((Symbol::new(failure.get("symbol")?.as_str()?), failure.get("error")?.as_str()?.to_owned())))
                .collect(),
            rows: number("/rows"),
            size_bytes: number("/bytes/bars") + number("/bytes/features"),
            seconds: report.pointer("/seconds/total").and_then(serde_json::Value::as_f64).unwrap_or(0.0),
            cancelled: flag("/cancelled"),
            interrupted: flag("/interrupted"),
            error: text("/error").or_else(|| text("/stopped_by")),
        }
    }
}

/// What can be restored.
pub type TrashFacts = TrashBatch;

/// Everything the window shows of the cache.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// When it was made.
    pub made_at_us: i64,
    /// The folders everything lies in: the cache's, the bars tree's and the features tree's.
    pub folders: [PathBuf; 3],
    /// The source in use.
    pub source: Option<SourceFacts>,
    /// Its symbols, by name.
    pub rows: Vec<SymbolRow>,
    /// How many of them have cached bars.
    pub cached_symbols: usize,
    /// Of how many the last attempt failed.
    pub failed_symbols: usize,
    /// Room taken, of all sources.
    pub usage: Usage,
    /// Who says what is fresh.
    pub judge: Arc<Judge>,
    /// Exchanges of entries whose calendar has ended: their holidays are not known any more.
    pub calendars_over: BTreeSet<Exchange>,
    /// Where the settings are kept.
    pub settings_file: PathBuf,
    /// Entries of all symbols by state.
    pub entry_states: BTreeMap<EntryState, usize>,
    /// Fresh entries by the hour they expire in, hours from now.
    pub expiring_hours: BTreeMap<i64, usize>,
    /// Lookups of 30 days.
    pub hits: HitCounts,
    /// Lookups by hour, oldest first, hours without any left out.
    pub hit_history: Vec<HitHistory>,
    /// What can be restored, newest first.
    pub trash: Vec<TrashFacts>,
    /// Jobs of the history, newest first.
    pub jobs: Vec<PastJob>,
    /// When the next entry changes its state by itself.
    pub next_change_us: Option<i64>,
}

/// What a snapshot is made with besides the cache.
pub(super) struct SnapshotInput<'input> {
    pub source: Option<(&'input SourceId, &'input str)>,
    pub judge: &'input Arc<Judge>,
    pub settings_file: &'input Path,
    /// When the source's markets are open, by what was seen of them.
    pub days: HashMap<Exchange, Arc<MarketDays>>,
    pub hit_rates: &'input Mutex<HitRates>,
}

const HOUR_US: i64 = crate::market::HOUR_US;

impl Snapshot {
    /// Reads the catalog and puts it all together. Blocking.
    pub(super) fn make(cache: &Cache, input: &SnapshotInput<'_>) -> Result<Self, CacheError> {
        let now_us = cache.now_us();
        // First, so that the entries already know of their last reads.
        cache.flush_counters()?;
        let (listed_at_us, listed) = match input.source {
            Some((source, _)) => cache.catalog().symbols(source)?.map_or((None, Vec::new()), |(at_us, symbols)| (Some(at_us), symbols)),
            None => (None, Vec::new()),
        };
        let mut entries = match input.source {
            Some((source, _)) => cache.catalog().entries(Some(source))?,
            None => Vec::new(),
        };
        // Older versions are what they were; they are told of where their set is.
        entries.retain(|entry| !entry.key.dataset.is_older());
        let states = states_among(&entries, input.judge, now_us);
        let lookups = cache.catalog().lookups_since(LookupSpan::Month.start_us(now_us), HOUR_US)?;
        let mut snapshot = Self {
            made_at_us: now_us,
            folders: {
                let [bars, features] = cache.folders().trees();
                [cache.folders().cache_dir.clone(), bars, features]
            },
            source: input.source.map(|(id, url)| SourceFacts { id: id.clone(), url: url.to_owned(), listed_at_us }),
            usage: cache.usage()?,
            judge: Arc::clone(input.judge),
            calendars_over: input.judge.calendars_over(entries.iter().map(|entry| &entry.key), now_us),
            settings_file: input.settings_file.to_path_buf(),
            hit_history: history(&lookups),
            trash: cache.catalog().trash_batches()?,
            jobs: cache.catalog().jobs()?.iter().map(PastJob::of).collect(),
            ..Self::default()
        };
        for lookup in &lookups {
            snapshot.hits.add(lookup.tier, lookup.totals.count);
        }
        for (entry, state) in entries.iter().zip(&states) {
            *snapshot.entry_states.entry(*state).or_default() += 1;
            if *state == EntryState::Fresh
                && let Some(expires_at_us) = input.judge.expires_at_us(entry)
            {
                *snapshot.expiring_hours.entry((expires_at_us - now_us).div_euclid(HOUR_US)).or_default() += 1;
                snapshot.next_change_us = earlier(snapshot.next_change_us, Some(expires_at_us));
            }
        }
        snapshot.rows = rows(listed, entries.into_iter().zip(states), input.judge, now_us);
        if let Some((source, _)) = input.source {
            snapshot.add_quality(&cache.catalog().examined(source)?, input);
            give_exchanges(&mut snapshot.rows, source, input.judge);
            let mut known = input.hit_rates.lock().unwrap_or_else(PoisonError::into_inner);
            known.refresh(cache, source)?;
            for row in &mut snapshot.rows {
                row.hit_rate = known.rates.get(&row.symbol).copied();
            }
        }
        snapshot.cached_symbols = snapshot.rows.iter().filter(|row| row.rows > 0).count();
        snapshot.failed_symbols = snapshot.rows.iter().filter(|row| row.failure.is_some()).count();
        Ok(snapshot)
    }
}

impl Snapshot {
    /// What was found in the symbols' bars, and how far each is behind its market.
    fn add_quality(&mut self, examined: &HashMap<Symbol, ExaminedBars>, input: &SnapshotInput<'_>) {
        // Most symbols end on the same few days.
        let mut behind: HashMap<(Exchange, i64), Option<usize>> = HashMap::new();
        let now_us = self.made_at_us;
        for row in &mut self.rows {
            let Some(bars) = row.datasets.iter().find(|facts| facts.entry.key.dataset.is_bars()) else { continue };
            let Some(file) = &bars.entry.file else { continue };
            let exchange = input.judge.rule_of(&bars.entry.key).exchange;
            row.findings = examined.get(&row.symbol).filter(|found| found.is_of(&bars.entry, exchange)).map(|found| found.counts);
            let last_day = file.last_us.div_euclid(DAY_US);
            row.sessions_behind = *behind.entry((exchange, last_day)).or_insert_with(|| {
                let by_calendar = MarketDays::new(exchange, []);
                let days = input.days.get(&exchange).map_or(&by_calendar, |days| &**days);
                days.is_known().then(|| days.sessions_behind(file.last_us, exchange.settled_before(now_us)))
            });
        }
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// One row per symbol: those the source lists, and those that are only cached.
fn rows(listed: Vec<SymbolInfo>, entries: impl IntoIterator<Item = (Entry, EntryState)>, judge: &Judge, now_us: i64) -> Vec<SymbolRow> {
    let mut by_symbol: BTreeMap<Symbol, SymbolRow> = listed
        .into_iter()
        .map(|info| {
            let row = SymbolRow {
                state: EntryState::Missing,
                span_us: info.first_us.zip(info.last_us),
                source_rows: Some(info.bar_count),
                ..SymbolRow::empty(info.symbol.clone())
            };
            (info.symbol, row)
        })
        .collect();
    for (entry, state) in entries {
        let row = by_symbol.entry(entry.key.symbol.clone()).or_insert_with(|| SymbolRow::empty(entry.key.symbol.clone()));
        row.add(entry, state, judge, now_us);
    }
    let mut rows: Vec<SymbolRow> = by_symbol.into_values().collect();
    for row in &mut rows {
        row.give_reasons(judge, now_us);
    }
    rows
}

fn give_exchanges(rows: &mut [SymbolRow], source: &SourceId, judge: &Judge) {
    for row in rows {
        row.exchange = judge.rule_of(&EntryKey::bars(source, &row.symbol)).exchange;
    }
}

/// Which share of its lookups the cache answered, by symbol. Adding up a month of lookups of thousands of entries takes a while: it is
/// done anew once twenty times as long as it took has passed, which for a few is always.
#[derive(Debug, Default)]
pub(super) struct HitRates {
    source: Option<SourceId>,
    worked_out: Option<(Instant, Duration)>,
    rates: BTreeMap<Symbol, f64>,
}

impl HitRates {
    fn refresh(&mut self, cache: &Cache, source: &SourceId) -> Result<(), CacheError> {
        let is_young = self.worked_out.is_some_and(|(at, took)| at.elapsed() < took * 20);
        if is_young && self.source.as_ref() == Some(source) {
            return Ok(());
        }
        let started = Instant::now();
        let mut counts: BTreeMap<Symbol, HitCounts> = BTreeMap::new();
        for found in cache.lookups_by_entry(LookupSpan::Month, Some(source), None, usize::MAX)? {
            let sum = counts.entry(found.key.symbol).or_default();
            for tier in <Tier as strum::IntoEnumIterator>::iter() {
                sum.add(tier, found.lookups.counts.of(tier));
            }
        }
        self.rates = counts.into_iter().filter_map(|(symbol, counts)| Some((symbol, counts.rate()?))).collect();
        self.source = Some(source.clone());
        self.worked_out = Some((started, started.elapsed()));
        Ok(())
    }
}

impl SymbolRow {
    pub(super) fn empty(symbol: Symbol) -> Self {
        Self {
            symbol,
            state: EntryState::Missing,
            expires_at_us: None,
            stale_since_us: None,
            cools_at_us: None,
            span_us: None,
            rows: 0,
            source_rows: None,
            bars_bytes: 0,
            features_bytes: 0,
            hits: 0,
            hit_rate: None,
            last_used_us: None,
            pinned: false,
            fetched_at_us: None,
            failure: None,
            attempts: 0,
            exchange: Exchange::default(),
            bars_fingerprint: None,
            quality: Quality::default(),
            findings: None,
            sessions_behind: None,
            datasets: Vec::new(),
        }
    }

    fn add(&mut self, entry: Entry, state: EntryState, judge: &Judge, now_us: i64) {
        let expires_at_us = if state == EntryState::Fresh { judge.expires_at_us(&entry) } else { None };
        let cools_at_us = expires_at_us.map(|at_us| at_us - at_us.saturating_sub(entry.fetched_at_us) / 10);
        if state == EntryState::Stale {
            // Whoever invalidated it ended its time early.
            let ended_at_us = earlier(judge.expires_at_us(&entry), entry.invalidated_at_us);
            // A clock that was set back makes entries stale whose time is to come.
            let ended_at_us = ended_at_us.filter(|ended_at_us| *ended_at_us <= now_us);
            self.stale_since_us = earlier(self.stale_since_us, ended_at_us);
        }
        let first = self.datasets.is_empty();
        if first || state.severity() > self.state.severity() {
            self.state = state;
        }
        self.expires_at_us = earlier(self.expires_at_us, expires_at_us);
        self.cools_at_us = earlier(self.cools_at_us, cools_at_us);
        self.hits += entry.hits;
        self.last_used_us = self.last_used_us.max(entry.last_used_us);
        self.pinned |= entry.pinned;
        if let Some(failure) = &entry.failure {
            self.attempts = self.attempts.max(failure.attempts);
            self.failure.get_or_insert_with(|| failure.message.clone());
        }
        if entry.key.dataset.is_bars() {
            self.bars_bytes += entry.size_bytes();
            self.rows = entry.rows();
            self.quality = entry.quality;
            if let Some(file) = &entry.file {
                self.span_us = Some((file.first_us, file.last_us));
                self.bars_fingerprint = Some(file.fingerprint);
                self.fetched_at_us = Some(entry.fetched_at_us);
            }
        } else {
            self.features_bytes += entry.size_bytes();
        }
        let dataset = entry.key.dataset.name().to_owned();
        // Thousands of symbols have two each: room for four would be the largest part of the snapshot.
        self.datasets.reserve_exact(1);
        self.datasets.push(DatasetFacts { dataset, state, why: Why::NotCached, expires_at_us, entry });
    }

    /// Says of each entry why it is in its state; once all are there, because features depend on their bars.
    fn give_reasons(&mut self, judge: &Judge, now_us: i64) {
        let bars = self.datasets.iter().find(|facts| facts.entry.key.dataset.is_bars()).and_then(|facts| facts.entry.file.as_ref());
        let bars_fingerprint = bars.map(|file| file.fingerprint);
        for facts in &mut self.datasets {
            facts.why = judge.why(Some(&facts.entry), &facts.entry.key, bars_fingerprint, now_us);
        }
    }

    /// The cached file of its bars, below the root of their tree.
    #[must_use]
    pub fn bars_file(&self) -> Option<&Path> {
        let bars = self.datasets.iter().find(|facts| facts.entry.key.dataset.is_bars())?;
        bars.entry.file.as_ref().map(|file| file.path.as_path())
    }

    /// The entry that gives the row its state, if there is one.
    #[must_use]
    pub fn deciding(&self) -> Option<&DatasetFacts> {
        self.datasets.iter().find(|facts| facts.state == self.state)
    }

    /// Whether sessions are missing among its bars.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.findings.is_some_and(|found| found.gaps > 0)
    }

    /// How many sessions of its market have no bar; `None` before its bars were looked at.
    #[must_use]
    pub fn missing_sessions(&self) -> Option<u64> {
        self.findings.map(|found| u64::from(found.missing_sessions) + u64::from(found.halted_sessions))
    }

    /// Whether anything is worth a look in its bars, or was noticed in its rows.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        !self.quality.is_clean() || self.findings.is_some_and(|found| !found.is_clean())
    }

    /// Bytes of bars and features.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.bars_bytes + self.features_bytes
    }
}

fn history(lookups: &[LookupCount]) -> Vec<HitHistory> {
    let mut hours: BTreeMap<i64, HitCounts> = BTreeMap::new();
    for lookup in lookups {
        hours.entry(lookup.bucket_us).or_default().add(lookup.tier, lookup.totals.count);
    }
    hours.into_iter().map(|(hour_us, counts)| HitHistory { hour_us, counts }).collect()
}
