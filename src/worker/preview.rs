//! Formulas tried on a symbol while they are typed.
//!
//! Contract: the newest request is answered, older ones may not be; what takes too long is refused before it is begun. Two previews
//! run at a time at most, beside everything else, so that one that takes long holds nothing else up than the one after the next.

use super::chart_data::ChartData;
use super::event::JobEvent;
use super::service::Service;
use super::sets::{Preview, PreviewError, PreviewMistake, PreviewRequest};
use crate::cache::{CacheError, EntryKey, Found};
use crate::feature::{self, Definition, FeatureSet, FeatureTable, Helper, SetMistake, SetParts, column_stats};
use crate::market::Bars;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Most previews at a time: the newest, and one that has been overtaken and cannot be stopped in the middle of a formula.
const AT_ONCE: usize = 2;
/// Most parts of formulas times bars that are computed for a preview: some seconds of one core.
const MOST_WORK: usize = 1_000_000_000;
/// The name of the set that is never kept.
const NAME: &str = "preview";

/// Which previews run, and which waits.
#[derive(Debug, Default)]
pub(super) struct Previews {
    newest: AtomicU64,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    running: usize,
    waiting: Option<PreviewRequest>,
}

impl Previews {
    fn is_newest(&self, generation: u64) -> bool {
        self.newest.load(Ordering::Acquire) <= generation
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a preview, or lets it wait in the place of an older one.
pub(super) fn start(service: &Arc<Service>, request: PreviewRequest) {
    service.previews.newest.fetch_max(request.generation, Ordering::AcqRel);
    {
        let mut queue = service.previews.lock();
        if queue.running >= AT_ONCE {
            queue.waiting = Some(request);
            return;
        }
        queue.running += 1;
    }
    let service = Arc::clone(service);
    tokio::task::spawn_blocking(move || {
        let mut next = Some(request);
        while let Some(request) = next {
            let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| preview(&service, &request)));
            let result = answered.unwrap_or_else(|_panic| {
                Some(Err(PreviewError::Failed("computing it stopped unexpectedly; please report this".to_owned())))
            });
            if let Some(result) = result {
                service.reporter.send_blocking(JobEvent::Previewed { request, result });
            }
            let mut queue = service.previews.lock();
            next = queue.waiting.take();
            if next.is_none() {
                queue.running -= 1;
            }
        }
    });
}

/// What formulas give; `None` when somebody has asked for something newer meanwhile.
fn preview(service: &Service, request: &PreviewRequest) -> Option<Result<Preview, PreviewError>> {
    let started = Instant::now();
    let is_newest = || service.previews.is_newest(request.generation);
    if !is_newest() {
        return None;
    }
    let (set, mistakes) = compiled(request);
    let Found { served, tier, .. } = match bars_of(service, request) {
        Ok(found) => found,
        Err(error) => return Some(Err(error)),
    };
    let bars = Arc::clone(served.content.bars());
    let table = match &set {
        Some(set) => {
            let work = set.graph().nodes().len().saturating_mul(bars.len());
            if work > MOST_WORK {
                let bars = crate::format::count(bars.len() as u64);
                return Some(Err(PreviewError::TooLong(format!("these formulas over {bars} bars; try them on a symbol with fewer bars"))));
            }
            compute(set, &bars, request)
        }
        None => FeatureTable { resolution: bars.resolution, time_us: bars.time_us.clone(), ..FeatureTable::default() },
    };
    if !is_newest() {
        return None;
    }
    let figures = column_stats(&table);
    let data = ChartData::new(request.symbol.clone(), bars).with_table(NAME, &Arc::new(table));
    let data = Arc::new(data.with_provisional(served.entry.provisional_from_us));
    Some(Ok(Preview { data, figures, mistakes, tier, seconds: started.elapsed().as_secs_f64() }))
}

fn bars_of(service: &Service, request: &PreviewRequest) -> Result<Found, PreviewError> {
    let cache = service.cache().map_err(PreviewError::Failed)?;
    let configuration = service.configuration();
    let source = configuration.source_id().ok_or(PreviewError::NotCached)?;
    cache.read(&EntryKey::bars(&source, &request.symbol), &configuration.judge).map_err(|error| match error {
        CacheError::NotCached { .. } => PreviewError::NotCached,
        other => PreviewError::Failed(other.to_string()),
    })
}

/// The columns asked for, in their order.
fn compute(set: &FeatureSet, bars: &Bars, request: &PreviewRequest) -> FeatureTable {
    let places: Vec<usize> = request.formulas.iter().filter_map(|(name, _)| set.place(name)).collect();
    feature::compute_some(set, &places, bars, 0).0
}

/// The set of those formulas that have no mistakes, and what is wrong with the others.
fn compiled(request: &PreviewRequest) -> (Option<FeatureSet>, Vec<PreviewMistake>) {
    let mut mistakes = Vec::new();
    let mut broken: HashSet<String> = HashSet::new();
    loop {
        let kept = |formulas: &'_ [(String, String)]| {
            formulas.iter().filter(|(name, _)| !broken.contains(name)).cloned().collect::<Vec<(String, String)>>()
        };
        let features = kept(&request.formulas);
        if features.is_empty() {
            return (None, mistakes);
        }
        let parts = SetParts {
            name: NAME.to_owned(),
            warm_up: request.warm_up,
            helpers: kept(&request.helpers).into_iter().map(|(name, formula)| Helper { name, formula }).collect(),
            features: features.into_iter().map(|(name, formula)| Definition::of_formula(name, formula)).collect(),
            ..SetParts::default()
        };
        let found = match FeatureSet::of_parts(parts) {
            Ok(set) => return (Some(set), mistakes),
            Err(found) => found,
        };
        let known = broken.len();
        let is_first = known == 0;
        for mistake in found {
            let Some(name) = mistake.feature.clone() else { continue };
            mistakes.push(told(request, name.clone(), mistake, is_first));
            broken.insert(name);
        }
        if broken.len() == known {
            // Something is wrong with the whole that no formula can be left out for.
            return (None, mistakes);
        }
    }
}

/// A mistake as it is told. Formulas that are found wrong only after others were left out use these.
fn told(request: &PreviewRequest, formula: String, mistake: SetMistake, is_first: bool) -> PreviewMistake {
    let is_helper = !request.formulas.iter().any(|(name, _)| *name == formula);
    let span = mistake.formula_span.unwrap_or_default();
    if is_first {
        return PreviewMistake { formula, is_helper, span, message: mistake.message, suggestion: mistake.suggestion };
    }
    PreviewMistake { formula, is_helper, span, message: "this has a mistake of its own".to_owned(), suggestion: None }
}
