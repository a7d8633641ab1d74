//! Reading a symbol for the chart: its bars, and exactly the lines the chart wants.
//!
//! Not preheating: nothing is fetched and nothing is written. Contract: a column comes from its cached file where that belongs to
//! the cached bars and to the present definition, else it is computed from the bars; a formula is computed; what cannot be had
//! is answered with its reason and takes nothing from the others.

use super::chart_data::{ChartData, SeriesAnswer, aligned};
use super::event::{JobEvent, LoadError, LoadRequest, LoadedSymbol};
use super::series::{SeriesColumn, SeriesOrigin, SeriesSource};
use super::service::Service;
use crate::cache::{Cache, CacheError, Content, Dataset, EntryKey, Found, Tier};
use crate::feature::graph::WarmUp;
use crate::feature::{self, FeatureSet, FeatureTable};
use crate::market::Bars;
use std::sync::Arc;
use std::time::Instant;

/// Answers what came of the lines of one symbol.
type Answers = Vec<(SeriesSource, SeriesAnswer)>;

/// Reads a symbol for the chart.
pub(super) fn load(service: &Arc<Service>, request: LoadRequest) {
    let started = Instant::now();
    let result = service.cache().map_err(LoadError::Failed).and_then(|cache| load_from(service, &cache, &request, started));
    // Hits and the memory tier changed.
    service.mark_dirty();
    service.reporter.send_blocking(JobEvent::Loaded { request, result });
}

fn load_from(service: &Service, cache: &Cache, request: &LoadRequest, started: Instant) -> Result<LoadedSymbol, LoadError> {
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
        match loading.cached(set)? {
            Some(table) => answers.extend(columns(set, &names, &table, SeriesOrigin::Cached)),
            None => uncached.push((set, names)),
        }
    }
    let bars = loading.bars()?;
    for (set, names) in uncached {
        answers.extend(computed(set, &names, &bars));
    }
    for warm_up in [WarmUp::Strict, WarmUp::Partial] {
        let of_this = |source: &&SeriesSource| matches!(source, SeriesSource::Formula { warm_up: wanted, .. } if *wanted == warm_up);
        let wanted: Vec<&SeriesSource> = missing.iter().copied().filter(of_this).collect();
        answers.extend(formulas(&wanted, warm_up, &bars));
    }
    let data = match base {
        Some(base) => base.with_answers(answers),
        None => ChartData::new(request.symbol.clone(), bars).with_provisional(loading.provisional_from_us).with_answers(answers),
    };
    Ok(LoadedSymbol { data: Arc::new(data), tier: loading.tier, seconds: started.elapsed().as_secs_f64() })
}

/// One symbol while it is read.
struct Loading<'a> {
    service: &'a Service,
    cache: &'a Cache,
    request: &'a LoadRequest,
    source: crate::source::SourceId,
    judge: Arc<crate::cache::Judge>,
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
            service,
            cache,
            request,
            source,
            judge: configuration.judge,
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

    /// The slowest tier that was asked is the one that is told of.
    fn note(&mut self, tier: Tier) {
        self.tier = self.tier.max(tier);
    }
}

/// Columns of a table; those it does not have are answered with the reason.
fn columns(set: &str, names: &[&str], table: &Arc<FeatureTable>, origin: SeriesOrigin) -> Answers {
    let answer = |name: &&str| {
        let position = table.names.iter().position(|candidate| **candidate == **name);
        let answer = match position {
            Some(position) => Ok(Arc::new(SeriesColumn::of_table(table, position, origin))),
            None => Err(format!("The set {set} has no feature {name}").into()),
        };
        (SeriesSource::column(set, *name), answer)
    };
    names.iter().map(answer).collect()
}

/// Columns of a set, computed from the bars.
fn computed(set: &str, names: &[&str], bars: &Bars) -> Answers {
    match FeatureSet::by_name(set) {
        Some(definition) => columns(set, names, &Arc::new(feature::compute(&definition, bars)), SeriesOrigin::Computed),
        None => {
            let reason: Arc<str> = format!("There is no feature set {set}").into();
            names.iter().map(|name| (SeriesSource::column(set, *name), Err(Arc::clone(&reason)))).collect()
        }
    }
}

/// Formulas, computed from the bars.
fn formulas(wanted: &[&SeriesSource], _warm_up: WarmUp, _bars: &Bars) -> Answers {
    let reason: Arc<str> = "Formulas cannot be computed yet".into();
    wanted.iter().map(|source| ((*source).clone(), Err(Arc::clone(&reason)))).collect()
}
