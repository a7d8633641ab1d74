//! Everything but preheats: each job is started at once, beside the others.

use super::dossier::{Dossier, InspectRequest};
use super::event::{Job, JobEvent, Notice, NoticeLevel};
use super::loading;
use super::preheating;
use super::queue::Queue;
use super::service::{NO_SOURCE, Service};
use super::survey::{Survey, SurveyRequest};
use super::{bench, chart_export, diagnostics, export, lists, own_sets, preview, profile, sparks, workspace};
use crate::cache::{Cache, CacheError, EntryKey};
use crate::market::Symbol;
use crate::source::{SourceUrl, test_source};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Starts a job.
pub(super) fn start(service: &Arc<Service>, queue: &Queue, job: Job) {
    match job {
        Job::Preheat { id, order } => queue.add(id, *order),
        Job::Control { id, state } => queue.control(id, state),
        Job::Load(request) => {
            service.newest_load.fetch_max(request.generation, Ordering::AcqRel);
            spawn_blocking(service, move |service| loading::load(service, request));
        }
        Job::CopyChart(request) => spawn_blocking(service, move |service| chart_export::copy(service, &request)),
        Job::SavePicture { path, picture } => {
            spawn_blocking(service, move |service| chart_export::save_picture(service, &path, &picture));
        }
        Job::Turn { id, turn } => queue.turn(id, turn),
        Job::RunSchedule(name) => service.run_now.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(name),
        Job::Inspect(request) => spawn_blocking(service, move |service| inspect(service, request)),
        Job::Survey(request) => spawn_blocking(service, move |service| survey(service, request)),
        Job::ListVersions => spawn_blocking(service, |service| list_versions(service)),
        Job::ProfileSource(request) => {
            let service = Arc::clone(service);
            tokio::spawn(async move { profile::run(&service, request).await });
        }
        Job::Bench(request) => bench::start(service, request),
        Job::StopBench => bench::stop(service),
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
        Job::SaveDiagnostics { path, told } => spawn_blocking(service, move |service| {
            let result = diagnostics::save(service, &path, &told);
            service.reporter.send_blocking(JobEvent::DiagnosticsSaved { path, result });
        }),
        Job::Sparks(request) => spawn_blocking(service, move |service| sparks::read(service, &request)),
        Job::CopyTable(table) => spawn_blocking(service, move |service| export::copy(service, &table)),
        Job::ExportTable { table, path, format } => {
            spawn_blocking(service, move |service| export::table(service, &table, &path, format));
        }
        Job::ExportSymbols(order) => spawn_blocking(service, move |service| export::symbols(service, &order)),
        Job::StopExport => export::stop(service),
        Job::SaveLists(changed) => {
            lists::take(service, *changed);
            spawn_blocking(service, |service| lists::save(service));
        }
        Job::LookForFolder(path) => spawn_blocking(service, move |service| {
            let is_folder = path.is_dir();
            service.reporter.send_blocking(JobEvent::LookedForFolder { path, is_folder });
        }),
        Job::KeepWorkspace(text) => {
            workspace::take(service, text);
            spawn_blocking(service, |service| workspace::save(service));
        }
        Job::ReadList(path) => spawn_blocking(service, move |service| lists::read(service, &path)),
        Job::Reveal(path) => {
            // A file manager may run as long as its window is open, which must not hold up the end of this program.
            let service = Arc::clone(service);
            let thread = std::thread::Builder::new().name("samovar-reveal".to_owned());
            if let Err(error) = thread.spawn(move || export::reveal(&service, &path)) {
                tracing::error!(%error, "no thread for a file manager");
            }
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
        Job::PlanFree(wanted_bytes) => spawn_blocking(service, move |service| {
            let plan = service.cache().and_then(|cache| cache.plan_free(wanted_bytes).map_err(|error| error.to_string()));
            service.reporter.send_blocking(plan.map_or_else(JobEvent::ActionFailed, |plan| JobEvent::FreePlanned(Box::new(plan))));
        }),
        Job::Free(wanted_bytes) => {
            spawn_blocking(service, move |service| {
                let freed = service.cache().and_then(|cache| cache.free(wanted_bytes).map_err(|error| error.to_string()));
                service.mark_dirty();
                service.reporter.send_blocking(freed.map_or_else(JobEvent::FreeFailed, |room| JobEvent::Freed(Box::new(room))));
            });
        }
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

/// Tells of the versions of sets. Nothing is changed by it: no new snapshot.
fn list_versions(service: &Service) {
    let found = service.cache().and_then(|cache| cache.set_versions().map_err(|error| error.to_string()));
    let event = found.map_or_else(JobEvent::ActionFailed, |versions| JobEvent::Versions(Arc::new(versions)));
    service.reporter.send_blocking(event);
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
        let exchange = configuration.judge.rules.rule_of(&source, &request.symbol).exchange;
        let days = service.days.need(service, &cache, &source, exchange).map_err(|error| error.to_string())?;
        Dossier::make(&cache, &source, &request, &configuration.judge, &days).map_err(|error| error.to_string())
    });
    let dossier = dossier.inspect_err(|message| tracing::warn!(%message, symbol = %request.symbol, "a symbol could not be looked into"));
    service.reporter.send_blocking(JobEvent::Inspected { request, dossier: dossier.ok().map(Arc::new) });
}

/// Works out the overview's numbers.
fn survey(service: &Arc<Service>, request: SurveyRequest) {
    let source = service.configuration().source_id();
    let survey = service.cache().and_then(|cache| Survey::make(&cache, source.as_ref(), request.span).map_err(|error| error.to_string()));
    let survey = survey.inspect_err(|message| tracing::warn!(%message, "the overview's numbers could not be worked out"));
    service.reporter.send_blocking(JobEvent::Surveyed { request, survey: survey.ok().map(Arc::new) });
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
