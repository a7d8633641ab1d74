//! Everything but preheats: each job is started at once, beside the others.

use super::chart_data::ChartData;
use super::dossier::{Dossier, InspectRequest};
use super::event::{Job, JobEvent, LoadError, LoadRequest, LoadedSymbol, Notice, NoticeLevel};
use super::preheating::{self, Queue};
use super::service::{NO_SOURCE, Service};
use super::survey::{Survey, SurveyRequest};
use super::{own_sets, preview};
use crate::cache::{Cache, CacheError, Content, Dataset, EntryKey, Found, Tier};
use crate::feature::{self, FeatureTable};
use crate::market::{Bars, Symbol};
use crate::source::{SourceUrl, test_source};
use std::sync::Arc;
use std::time::Instant;

/// Starts a job.
pub(super) fn start(service: &Arc<Service>, queue: &Queue, job: Job) {
    match job {
        Job::Preheat { id, order } => queue.add(id, *order),
        Job::Control { id, state } => queue.control(id, state),
        Job::Load(request) => spawn_blocking(service, move |service| load(service, request)),
        Job::Inspect(request) => spawn_blocking(service, move |service| inspect(service, request)),
        Job::Survey(request) => spawn_blocking(service, move |service| survey(service, request)),
        Job::TestSource { generation, url } => {
            let service = Arc::clone(service);
            tokio::spawn(async move { test(&service, generation, *url).await });
        }
        Job::ListSymbols => {
            let service = Arc::clone(service);
            tokio::spawn(async move {
                if let Err(message) = preheating::list_symbols(&service).await {
                    service.reporter.send(JobEvent::ActionFailed(message)).await;
                }
            });
        }
        Job::Configure { settings, password } => {
            // In force before the next job is looked at; saved beside it.
            let (problems, reopen) = service.configure(&settings, password.as_ref());
            spawn_blocking(service, move |service| save(service, problems, reopen, password));
        }
        Job::Refresh => service.mark_dirty(),
        Job::SaveSet { name, text } => spawn_blocking(service, move |service| {
            let event = own_sets::save(service, &name, &text);
            service.reporter.send_blocking(event);
        }),
        Job::DeleteSet { name } => spawn_blocking(service, move |service| {
            let event = own_sets::delete(service, &name);
            service.reporter.send_blocking(event);
        }),
        Job::Preview(request) => preview::start(service, request),
        Job::Outdate(request) => spawn_blocking(service, move |service| {
            let result = own_sets::outdate(service, &request);
            service.reporter.send_blocking(JobEvent::OutdateKnown { request, result });
        }),
        Job::Invalidate(selection) => with_cache(service, move |service, cache| {
            let (entries, size_bytes) = cache.invalidate(&selection, &service.configuration().judge)?;
            Ok(JobEvent::Invalidated { entries, size_bytes })
        }),
        Job::Clear(selection) => {
            with_cache(service, move |service, cache| cache.clear(&selection, &service.configuration().judge).map(JobEvent::Cleared));
        }
        Job::UndoClear(batch) => with_cache(service, move |_service, cache| cache.undo_clear(batch).map(JobEvent::Restored)),
        Job::Pin { symbols, pinned } => with_cache(service, move |service, cache| pin(service, cache, &symbols, pinned)),
        Job::Verify { repair } => with_cache(service, move |service, cache| {
            let progress = |done: usize, total: usize| {
                if done.is_multiple_of(64) || done == total {
                    service.reporter.send_blocking(JobEvent::VerifyProgress { done, total });
                }
            };
            cache.verify(repair, &progress).map(|report| JobEvent::Verified(Box::new(report)))
        }),
        // The loop that calls this ends before it gets here.
        Job::Shutdown => {}
    }
}

fn spawn_blocking(service: &Arc<Service>, work: impl FnOnce(&Arc<Service>) + Send + 'static) {
    let service = Arc::clone(service);
    tokio::task::spawn_blocking(move || work(&service));
}

/// Runs an action on the open cache and reports what came of it.
fn with_cache(service: &Arc<Service>, work: impl FnOnce(&Service, &Cache) -> Result<JobEvent, CacheError> + Send + 'static) {
    spawn_blocking(service, move |service| {
        let result = service.cache().and_then(|cache| work(service, &cache).map_err(|error| error.to_string()));
        service.mark_dirty();
        service.reporter.send_blocking(result.unwrap_or_else(JobEvent::ActionFailed));
    });
}

fn pin(service: &Service, cache: &Cache, symbols: &[Symbol], pinned: bool) -> Result<JobEvent, CacheError> {
    let source = service.configuration().source_id();
    let entries = cache.catalog().entries(source.as_ref())?;
    let wanted: std::collections::HashSet<&Symbol> = symbols.iter().collect();
    let keys: Vec<EntryKey> = entries.into_iter().map(|entry| entry.key).filter(|key| wanted.contains(&key.symbol)).collect();
    cache.set_pinned(&keys, pinned)?;
    let (verb, count) = (if pinned { "Pinned" } else { "Unpinned" }, symbols.len());
    let noun = if count == 1 { "symbol" } else { "symbols" };
    Ok(JobEvent::Notice(Notice { level: NoticeLevel::Success, text: format!("{verb} {count} {noun}"), undo_batch: None }))
}

/// Saves the settings in force, opens the cache anew where they moved it, and keeps a password.
fn save(service: &Arc<Service>, problems: Vec<String>, reopen: bool, password: Option<(String, crate::config::Password)>) {
    if reopen {
        service.open_cache();
    }
    service.mark_dirty();
    for problem in problems {
        service.reporter.notice(NoticeLevel::Warning, problem);
    }
    {
        let _alone = service.saving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The newest settings, whichever call this is.
        if let Err(error) = service.configuration().settings.save(&service.context.places.settings_file) {
            service.reporter.notice(NoticeLevel::Error, error.to_string());
        }
    }
    let Some((source, password)) = password else { return };
    match service.context.secrets.set(&source, password.reveal()) {
        Ok(crate::config::SecretPlace::Keyring) => {}
        Ok(crate::config::SecretPlace::PrivateFile) => service
            .reporter
            .notice(NoticeLevel::Info, "This system has no keyring: the password is kept in a file that only you can read".to_owned()),
        Err(error) => service.reporter.notice(NoticeLevel::Error, error.to_string()),
    }
}

/// Tells everything about a symbol. Nothing changes by it, so no new snapshot follows.
fn inspect(service: &Arc<Service>, request: InspectRequest) {
    let configuration = service.configuration();
    let dossier = service.cache().and_then(|cache| {
        let source = configuration.source_id().ok_or_else(|| NO_SOURCE.to_owned())?;
        Dossier::make(&cache, &source, &request, &configuration.judge).map_err(|error| error.to_string())
    });
    let dossier = dossier.inspect_err(|message| tracing::warn!(%message, symbol = %request.symbol, "a symbol could not be looked into"));
    service.reporter.send_blocking(JobEvent::Inspected { request, dossier: dossier.ok().map(Arc::new) });
}

/// Works out the overview's numbers.
fn survey(service: &Arc<Service>, request: SurveyRequest) {
    let source = service.configuration().source_id();
    let survey = service.cache().and_then(|cache| Survey::make(&cache, source.as_ref(), request.span).map_err(|error| error.to_string()));
    match survey {
        Ok(survey) => service.reporter.send_blocking(JobEvent::Surveyed { request, survey: Arc::new(survey) }),
        Err(message) => tracing::warn!(%message, "the overview's numbers could not be worked out"),
    }
}

async fn test(service: &Arc<Service>, generation: u64, url: SourceUrl) {
    let asking = Arc::clone(service);
    // An edited source comes without the password that is kept for it.
    let Some(url) = service.blocking(move || asking.with_password(url)).await else { return };
    let reporter = service.reporter.clone();
    let mut report_stage = |stage| reporter.send_blocking(JobEvent::TestStage { generation, stage });
    let report = test_source(&url, &service.source_options(), &mut report_stage).await;
    service.reporter.send(JobEvent::TestFinished { generation, report: Box::new(report) }).await;
}

/// Reads a symbol for the chart: features (which hold the bars too), else bars with features computed on the spot.
fn load(service: &Arc<Service>, request: LoadRequest) {
    let started = Instant::now();
    let result = service.cache().map_err(LoadError::Failed).and_then(|cache| load_from(service, &cache, &request, started));
    // Hits and the memory tier changed.
    service.mark_dirty();
    service.reporter.send_blocking(JobEvent::Loaded { request, result });
}

fn load_from(service: &Service, cache: &Cache, request: &LoadRequest, started: Instant) -> Result<LoadedSymbol, LoadError> {
    let source = service.configuration().source_id().ok_or(LoadError::NotCached)?;
    let key = |dataset| EntryKey { source: source.clone(), symbol: request.symbol.clone(), dataset };
    let failed = |error: &CacheError| match error {
        CacheError::NotCached { .. } => LoadError::NotCached,
        other => LoadError::Failed(other.to_string()),
    };
    let judge = service.configuration().judge;
    // One look-up per view: of the features where they belong to the cached bars and the present definition, else of the bars.
    let features = key(Dataset::features(&request.set));
    let entry_of = |key: &EntryKey| cache.catalog().entry(key).map_err(|error| failed(&error));
    let bars_entry = entry_of(&key(Dataset::Bars))?;
    let provisional_from_us = bars_entry.as_ref().and_then(|entry| entry.provisional_from_us);
    let bars_file = bars_entry.and_then(|entry| entry.file);
    let finish = |bars: Arc<Bars>, features: Option<Arc<FeatureTable>>, tier: Tier, features_computed: bool| LoadedSymbol {
        data: Arc::new(ChartData::new(request.symbol.clone(), bars, features).with_provisional(provisional_from_us)),
        tier,
        features_computed,
        seconds: started.elapsed().as_secs_f64(),
    };
    let current = entry_of(&features)?.filter(|entry| entry.file.is_some()).and_then(|entry| entry.provenance).is_some_and(|made| {
        let of_these_bars = bars_file.as_ref().is_none_or(|bars| bars.fingerprint == made.inputs);
        let of_this_definition = judge.definitions.get(request.set.as_str()).is_none_or(|now| *now == made.definition);
        of_these_bars && of_this_definition
    });
    if current {
        match cache.read(&features, &judge) {
            Ok(found) => {
                if let Content::Features { bars, table } = &found.served.content {
                    return Ok(finish(Arc::clone(bars), Some(Arc::clone(table)), found.tier, false));
                }
            }
            Err(CacheError::NotCached { .. } | CacheError::Damaged { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    let Found { served, tier, .. } = cache.read(&key(Dataset::Bars), &judge).map_err(|error| failed(&error))?;
    let bars = Arc::clone(served.content.bars());
    let set = service.configuration().library.get(&request.set).cloned();
    let table = set.map(|set| Arc::new(feature::compute(&set, &bars)));
    Ok(finish(bars, table, tier, true))
}
