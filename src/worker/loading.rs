//! Reading a symbol for the chart: its bars, and exactly the lines the chart wants.
//!
//! Not preheating: nothing is fetched and nothing is written. Contract: a column comes from its cached file where that belongs to
//! the cached bars and to the present definition, else it is computed from the bars; a formula is computed; what cannot be had
//! is answered with its reason and takes nothing from the others.

use super::chart_data::{ChartData, SeriesAnswer, aligned, closes_beside};
use super::event::{JobEvent, LoadError, LoadRequest, LoadedSymbol};
use super::series::{SeriesColumn, SeriesOrigin, SeriesSource};
use super::service::Service;
use crate::cache::{Cache, CacheError, Content, Dataset, EntryKey, Found, Tier};
use crate::feature::graph::WarmUp;
use crate::feature::{self, FeatureSet, FeatureTable, SetLibrary, SetMistake};
use crate::market::quality::MarketDays;
use crate::market::{Bars, Symbol};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Answers what came of the lines of one symbol.
type Answers = Vec<(SeriesSource, SeriesAnswer)>;

/// Reads a symbol for the chart.
pub(super) fn load(service: &Arc<Service>, request: LoadRequest) {
    let started = Instant::now();
    let result = service.cache().map_err(LoadError::Failed).and_then(|cache| load_from(service, &cache, &request, started));
    // Hits and the memory tier changed.
    service.mark_dirty();
    // Somebody walked on meanwhile: the newer request answers.
    let Some(result) = result.transpose() else { return };
    service.reporter.send_blocking(JobEvent::Loaded { request, result });
}

fn load_from(service: &Service, cache: &Cache, request: &LoadRequest, started: Instant) -> Result<Option<LoadedSymbol>, LoadError> {
    let is_newest = || service.newest_load.load(Ordering::Acquire) <= request.generation;
    if !is_newest() {
        return Ok(None);
    }
    let mut loading = Loading::new(service, cache, request)?;
    // Lines of a set that is cached are read first: its file has the bars too.
    let base = request.base.as_deref().filter(|base| base.symbol == request.symbol);
    let known = |source: &SeriesSource| base.and_then(|base| base.answer(source)).map(|answer| (source.clone(), answer.clone()));
    let mut answers: Answers = request.series.iter().filter_map(known).collect();
    loading.bars = base.map(|base| Arc::clone(&base.bars));
    let missing: Vec<&SeriesSource> = request.series.iter().filter(|source| known(source).is_none()).collect();
    let mut sets: Vec<(&str, Vec<&str>)> = Vec::new();
    for source in &missing {
        let SeriesSource::Column { set, name } = source else { continue };
        match sets.iter_mut().find(|(known, _)| known == set) {
            Some((_, names)) => names.push(name),
            None => sets.push((set, vec![name])),
        }
    }
    let mut uncached = Vec::new();
    for (set, names) in sets {
        // Whatever is wrong with a set's file, its columns can be computed.
        let cached = loading.cached(set).unwrap_or_else(|error| {
            tracing::warn!(?error, set, symbol = %request.symbol, "cached features could not be read for the chart");
            None
        });
        match cached {
            Some(table) => answers.extend(columns(set, &names, &table, SeriesOrigin::Cached)),
            None => uncached.push((set, names)),
        }
    }
    let bars = loading.bars()?;
    for (set, names) in uncached {
        if !is_newest() {
            return Ok(None);
        }
        answers.extend(computed(loading.library.get(set), set, &names, &bars));
    }
    for warm_up in [WarmUp::Strict, WarmUp::Partial] {
        let of_this = |source: &&SeriesSource| matches!(source, SeriesSource::Formula { warm_up: wanted, .. } if *wanted == warm_up);
        let wanted: Vec<&SeriesSource> = missing.iter().copied().filter(of_this).collect();
        answers.extend(formulas(&wanted, warm_up, &bars));
    }
    for source in &missing {
        let SeriesSource::Symbol(other) = source else { continue };
        if !is_newest() {
            return Ok(None);
        }
        answers.push(((*source).clone(), loading.compared(other, &bars)));
    }
    let data = match base {
        Some(base) => base.with_answers(answers),
        None => {
            let exchange = loading.judge.rule_of(&loading.key(Dataset::Bars)).exchange;
            let data = ChartData::new(request.symbol.clone(), bars).with_provisional(loading.provisional_from_us);
            // Without the days of other symbols, the calendar alone would call a day missing on which nobody has a bar.
            let days = service.days.need(service, cache, &loading.source, exchange).unwrap_or_else(|error| {
                tracing::warn!(%error, "the days of the market could not be worked out; its calendar has to do");
                Arc::new(MarketDays::new(exchange, []))
            });
            data.with_findings(&days).with_answers(answers)
        }
    };
    Ok(Some(LoadedSymbol { data: Arc::new(data), tier: loading.tier, seconds: started.elapsed().as_secs_f64() }))
}

/// One symbol while it is read.
struct Loading<'a> {
    cache: &'a Cache,
    request: &'a LoadRequest,
    source: crate::source::SourceId,
    judge: Arc<crate::cache::Judge>,
    library: Arc<SetLibrary>,
    /// Checksum of the bars' content as the catalog has it.
    bars_fingerprint: Option<u128>,
    provisional_from_us: Option<i64>,
    bars: Option<Arc<Bars>>,
    tier: Tier,
}

fn failed(error: &CacheError) -> LoadError {
    match error {
        CacheError::NotCached { .. } => LoadError::NotCached,
        other => LoadError::Failed(other.to_string()),
    }
}

impl<'a> Loading<'a> {
    fn new(service: &'a Service, cache: &'a Cache, request: &'a LoadRequest) -> Result<Self, LoadError> {
        let configuration = service.configuration();
        let source = configuration.source_id().ok_or(LoadError::NotCached)?;
        let mut loading = Self {
            cache,
            request,
            source,
            judge: configuration.judge,
            library: configuration.library,
            bars_fingerprint: None,
            provisional_from_us: None,
            bars: None,
            tier: Tier::Memory,
        };
        let entry = loading.cache.catalog().entry(&loading.key(Dataset::Bars)).map_err(|error| failed(&error))?;
        if let Some(entry) = entry {
            loading.provisional_from_us = entry.provisional_from_us;
            loading.bars_fingerprint = entry.file.map(|file| file.fingerprint);
        }
        Ok(loading)
    }

    fn key(&self, dataset: Dataset) -> EntryKey {
        EntryKey { source: self.source.clone(), symbol: self.request.symbol.clone(), dataset }
    }

    /// The cached table of a set, if it belongs to the cached bars and to the present definition; the bars with it.
    fn cached(&mut self, set: &str) -> Result<Option<Arc<FeatureTable>>, LoadError> {
        let key = self.key(Dataset::features(set));
        let entry = self.cache.catalog().entry(&key).map_err(|error| failed(&error))?;
        let made = entry.filter(|entry| entry.file.is_some()).and_then(|entry| entry.provenance);
        let is_current = made.is_some_and(|made| {
            let of_these_bars = self.bars_fingerprint.is_none_or(|fingerprint| fingerprint == made.inputs);
            let of_this_definition = self.judge.definitions.get(set).is_none_or(|now| *now == made.definition);
            of_these_bars && of_this_definition
        });
        if !is_current {
            return Ok(None);
        }
        match self.cache.read(&key, &self.judge) {
            Ok(found) => {
                let Content::Features { bars, table } = &found.served.content else { return Ok(None) };
                self.note(found.tier);
                let bars = Arc::clone(self.bars.get_or_insert_with(|| Arc::clone(bars)));
                Ok(Some(aligned(&bars, table)))
            }
            Err(CacheError::NotCached { .. } | CacheError::Damaged { .. }) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The bars, from where they were read already or from their own file.
    fn bars(&mut self) -> Result<Arc<Bars>, LoadError> {
        if let Some(bars) = &self.bars {
            return Ok(Arc::clone(bars));
        }
        let Found { served, tier, .. } = self.cache.read(&self.key(Dataset::Bars), &self.judge).map_err(|error| failed(&error))?;
        self.note(tier);
        Ok(Arc::clone(self.bars.insert(Arc::clone(served.content.bars()))))
    }

    /// The closes of another symbol at the times of these bars.
    fn compared(&self, other: &Symbol, bars: &Bars) -> SeriesAnswer {
        let key = EntryKey { source: self.source.clone(), symbol: other.clone(), dataset: Dataset::Bars };
        let found = self.cache.read(&key, &self.judge).map_err(|error| match error {
            CacheError::NotCached { .. } => Arc::from(format!("{other} is not in the cache; preheat it to compare")),
            error => Arc::from(error.to_string()),
        })?;
        let others = found.served.content.bars();
        let (values, apart) = closes_beside(bars, others);
        if values.iter().all(|value| value.is_nan()) {
            return Err(Arc::from(format!("{other} has no bar at the time of any of these")));
        }
        Ok(Arc::new(SeriesColumn::new(values, SeriesOrigin::Cached).with_apart(apart)))
    }

    /// The slowest tier that was asked is the one that is told of.
    fn note(&mut self, tier: Tier) {
        self.tier = self.tier.max(tier);
    }
}

/// From so many rows on a table is too large to be kept for a few of its columns.
const LONG_TABLE_ROWS: usize = 100_000;

/// Columns of a table; those it does not have are answered with the reason.
fn columns(set: &str, names: &[&str], table: &Arc<FeatureTable>, origin: SeriesOrigin) -> Answers {
    // A few columns of a long table are copied, so that the chart does not keep all the others in memory with them.
    let is_mostly_unused = names.len() * 2 < table.columns.len() && table.time_us.len() > LONG_TABLE_ROWS;
    let answer = |name: &&str| {
        let position = table.names.iter().position(|candidate| **candidate == **name);
        let answer = match position {
            Some(position) if is_mostly_unused => {
                let values = table.columns.get(position).cloned().unwrap_or_default();
                Ok(Arc::new(SeriesColumn::new(values, origin)))
            }
            Some(position) => Ok(Arc::new(SeriesColumn::of_table(table, position, origin))),
            None => Err(format!("The set {set} has no feature {name}").into()),
        };
        (SeriesSource::column(set, *name), answer)
    };
    names.iter().map(answer).collect()
}

/// Columns of a set, computed from the bars: these alone, and what they are made of.
fn computed(definition: Option<&FeatureSet>, set: &str, names: &[&str], bars: &Bars) -> Answers {
    let Some(definition) = definition else {
        let reason: Arc<str> = format!("There is no feature set {set}").into();
        return names.iter().map(|name| (SeriesSource::column(set, *name), Err(Arc::clone(&reason)))).collect();
    };
    let places: Vec<usize> = names.iter().filter_map(|name| definition.place(name)).collect();
    let (table, _) = feature::compute_some(definition, &places, bars, bars.len());
    columns(set, names, &Arc::new(table), SeriesOrigin::Computed)
}

/// The column that a formula is while it is computed.
fn column_of(place: usize) -> String {
    format!("line_{place}")
}

/// Formulas, computed from the bars together, so that what they share is computed once; those with mistakes are answered with
/// the mistake.
fn formulas(wanted: &[&SeriesSource], warm_up: WarmUp, bars: &Bars) -> Answers {
    let mut reasons: Vec<Option<Arc<str>>> = vec![None; wanted.len()];
    // Twice at most: once to find the mistakes, once without them.
    for _ in 0..2 {
        let names: Vec<(usize, String)> =
            reasons.iter().enumerate().filter(|(_, reason)| reason.is_none()).map(|(place, _)| (place, column_of(place))).collect();
        let parts: Vec<(&str, &str)> =
            names.iter().filter_map(|(place, name)| Some((name.as_str(), wanted.get(*place)?.label()))).collect();
        if parts.is_empty() {
            break;
        }
        match FeatureSet::of_formulas("chart", warm_up, &parts) {
            Ok(set) => {
                let (table, _) = feature::compute_some(&set, &(0..parts.len()).collect::<Vec<_>>(), bars, bars.len());
                let table = Arc::new(table);
                let answer = |place: usize, source: &&SeriesSource| {
                    let answer = match reasons.get(place) {
                        Some(Some(reason)) => Err(Arc::clone(reason)),
                        _ => {
                            let column = table.names.iter().position(|name| **name == *column_of(place));
                            column
                                .map(|column| Arc::new(SeriesColumn::of_table(&table, column, SeriesOrigin::Computed)))
                                .ok_or_else(unknown)
                        }
                    };
                    ((*source).clone(), answer)
                };
                return wanted.iter().enumerate().map(|(place, source)| answer(place, source)).collect();
            }
            Err(mistakes) => {
                let of_all: Option<Arc<str>> = mistakes.iter().find(|mistake| mistake.feature.is_none()).map(reason_of);
                for (place, name) in &names {
                    let own = mistakes.iter().find(|mistake| mistake.feature.as_deref() == Some(name)).map(reason_of);
                    if let Some(reason) = reasons.get_mut(*place) {
                        *reason = own.or_else(|| of_all.clone());
                    }
                }
            }
        }
    }
    wanted.iter().zip(reasons).map(|(source, reason)| ((*source).clone(), Err(reason.unwrap_or_else(unknown)))).collect()
}

fn unknown() -> Arc<str> {
    "The formula could not be computed".into()
}

/// A mistake as a sentence.
fn reason_of(mistake: &SetMistake) -> Arc<str> {
    let mut letters = mistake.message.chars();
    let mut text: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if let Some(suggestion) = &mistake.suggestion {
        text += &format!("; did you mean {suggestion}?");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_with_a_mistake_says_so_and_the_others_are_computed() {
        let close: Vec<f64> = (0..10).map(f64::from).collect();
        let bars = Bars {
            time_us: (0..10).collect(),
            open: close.clone(),
            high: close.clone(),
            low: close.clone(),
            volume: close.clone(),
            close,
            ..Bars::default()
        };
        let sources = ["Mean($close, 2)", "Mean($clos, 2)", "$close > 4", "line_0 + 1", "Mean($close, "].map(SeriesSource::formula);
        let wanted: Vec<&SeriesSource> = sources.iter().collect();
        let answers = formulas(&wanted, WarmUp::Strict, &bars);
        let values = |place: usize| answers[place].1.as_ref().map(|column| column.values().to_vec());
        assert_eq!(answers.iter().map(|(source, _)| source).collect::<Vec<_>>(), wanted);
        assert_eq!(values(0).expect("values")[1..3], [0.5, 1.5]);
        assert_eq!(values(2).expect("values")[4..6], [0.0, 1.0]);
        let reason = values(1).expect_err("a mistake");
        assert!(reason.contains("$close") && reason.starts_with(char::is_uppercase), "{reason}");
        assert!(values(4).is_err());
        let only_wrong = formulas(&wanted[1..2], WarmUp::Strict, &bars);
        assert!(only_wrong[0].1.is_err());
        assert!(formulas(&[], WarmUp::Partial, &bars).is_empty());
    }

    #[test]
    fn columns_that_are_not_cached_are_computed_alone() {
        let close: Vec<f64> = (0..30).map(f64::from).collect();
        let bars = Bars {
            time_us: (0..30).collect(),
            open: close.clone(),
            high: close.clone(),
            low: close.clone(),
            volume: close.clone(),
            close,
            ..Bars::default()
        };
        let set = FeatureSet::by_name("classic");
        let answers = computed(set.as_ref(), "classic", &["ma5", "nothing", "ma10"], &bars);
        let last = |place: usize| answers[place].1.as_ref().ok().and_then(|column| column.series().at(29));
        assert_eq!([last(0), last(1), last(2)], [Some(27.0), None, Some(24.5)]);
        assert_eq!(answers[1].1.as_ref().err().map(|reason| &**reason), Some("The set classic has no feature nothing"));
        assert!(computed(None, "mine", &["x"], &bars)[0].1.is_err());
    }
}
