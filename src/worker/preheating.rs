//! One preheat, from its symbols to its row in the history. When its turn comes is [`super::queue`]'s to say.

use super::contact;
use super::event::{JobEvent, JobId, JobOutcome, PreheatOrder};
use super::profile;
use super::service::{Configuration, NO_SOURCE, Service};
use crate::cache::{Cache, CacheError};
use crate::feature::FeatureSet;
use crate::market::{DAY_US, Symbol};
use crate::preheat::{Control, Plan, PreheatReport, PreheatRequest, Scope, make_plan, run_plan};
use crate::source::{Source, SourceId, SourceUrl, SymbolInfo};
use std::collections::HashMap;
use std::sync::Arc;

/// Runs one preheat with its row in the history.
pub(super) async fn run(
    service: &Arc<Service>,
    id: JobId,
    order: PreheatOrder,
    url: Option<SourceUrl>,
    control: &Arc<Control>,
) -> JobOutcome {
    let Some(url) = url else { return JobOutcome::Failed(NO_SOURCE.to_owned()) };
    let cache = match service.cache() {
        Ok(cache) => cache,
        Err(message) => return JobOutcome::Failed(message),
    };
    let title = if order.title.is_empty() { "Preheat".to_owned() } else { order.title.clone() };
    let job = match cache.catalog().begin_job(&title, cache.now_us()) {
        Ok(job) => job,
        Err(error) => return JobOutcome::Failed(error.to_string()),
    };
    let result = preheat(Link::new(service, url), &cache, (id, job), order, control).await;
    let (outcome, json) = match result {
        Ok(report) => {
            let json = serde_json::to_string(&report).unwrap_or_default();
            (JobOutcome::Preheated(Box::new(report)), json)
        }
        Err(message) => {
            let json = serde_json::json!({ "error": message }).to_string();
            (JobOutcome::Failed(message), json)
        }
    };
    if let Err(error) = cache.catalog().finish_job(job, &json, cache.now_us()) {
        // What became of the job counts, not that the history cannot tell of it.
        tracing::warn!(%error, "the end of a job could not be written into the history");
    }
    outcome
}

async fn preheat(
    mut link: Link,
    cache: &Arc<Cache>,
    (id, record_id): (JobId, i64),
    order: PreheatOrder,
    control: &Arc<Control>,
) -> Result<PreheatReport, String> {
    let service = Arc::clone(&link.service);
    let configuration = service.configuration();
    let source_id = link.url.id();
    let request = PreheatRequest {
        symbols: order.symbols.clone(),
        range: order.range,
        limit: order.limit,
        scope: order.scope,
        sets: sets_of(order.sets.as_deref(), &configuration)?,
        force: order.force,
        check: order.check,
        judge: configuration.judge_with(order.ttl),
        jobs: order.jobs.unwrap_or(configuration.settings.jobs),
        patience: order.patience,
        kept_versions: configuration.settings.kept_versions,
        history_check_days: order.history_check_days.unwrap_or(configuration.settings.history_check_days),
        // Another one in each process and for each job, so that they do not come back to a lost server all at once.
        jitter_seed: id ^ u64::from(std::process::id()) << 32 ^ cache.now_us().unsigned_abs(),
    };
    let cancelled = || PreheatReport { cancelled: true, ..PreheatReport::default() };
    let symbols = tokio::select! {
        symbols = symbols_to_preheat(&mut link, cache, &source_id, &request) => symbols?,
        () = control.cancelled() => return Ok(cancelled()),
    };
    let (plan_cache, plan_source, plan_request) = (Arc::clone(cache), source_id.clone(), request.clone());
    let plan: Plan = service
        .blocking(move || make_plan(&plan_cache, &plan_source, &symbols, &plan_request))
        .await
        .ok_or("planning stopped unexpectedly")?
        .map_err(|error: CacheError| error.to_string())?;
    let working = Arc::new(plan.items.iter().map(|item| item.symbol.clone()).collect::<Vec<Symbol>>());
    let started = JobEvent::Started { id, record_id, symbols: working, requested: plan.requested, skipped_fresh: plan.skipped_fresh };
    service.reporter.send(started).await;
    let source = if plan.needs_source() {
        tokio::select! {
            source = link.source() => Some(source?),
            () = control.cancelled() => return Ok(PreheatReport { not_reached: plan.items.len(), requested: plan.requested, ..cancelled() }),
        }
    } else {
        None
    };
    let (reporter, observer) = (service.reporter.clone(), Arc::clone(&service));
    let watch = contact::Watch::new(&service, source_id.clone(), source.clone());
    let observe = move |progress: &crate::preheat::Progress, finished: &[(Symbol, crate::preheat::SymbolOutcome)]| {
        observer.mark_dirty();
        watch.look(progress.waiting.as_deref());
        reporter.send_blocking(JobEvent::Progress { id, progress: progress.clone(), finished: finished.to_vec() });
    };
    let report = run_plan(Arc::clone(cache), source.clone(), &source_id, plan, &request, Arc::clone(control), observe)
        .await
        .map_err(|error| error.to_string())?;
    if let Some(source) = &source {
        // One that was cancelled ends at once, and one whose source is gone has nobody to ask.
        let may_ask = !report.cancelled && report.stopped_by.is_none();
        profile::remember(&service, cache, source, may_ask).await;
        source.close().await;
    }
    Ok(report)
}

/// The sets of an order, each once; those of the settings when it names none.
pub(super) fn sets_of(names: Option<&[String]>, configuration: &Configuration) -> Result<Vec<FeatureSet>, String> {
    let mut sets: Vec<FeatureSet> = match names {
        Some(names) => {
            names.iter().map(|name| configuration.library.need(name).map_err(|error| error.to_string())).collect::<Result<_, _>>()?
        }
        None if configuration.sets.is_empty() => vec![FeatureSet::classic()],
        None => configuration.sets.clone(),
    };
    let mut seen = std::collections::HashSet::new();
    sets.retain(|set| seen.insert(set.name().to_owned()));
    Ok(sets)
}

/// A connection that is made when it is first needed.
struct Link {
    service: Arc<Service>,
    url: SourceUrl,
    source: Option<Source>,
}

impl Link {
    fn new(service: &Arc<Service>, url: SourceUrl) -> Self {
        Self { service: Arc::clone(service), url, source: None }
    }

    async fn source(&mut self) -> Result<Source, String> {
        if let Some(source) = &self.source {
            return Ok(source.clone());
        }
        // Asking the keyring may block.
        let (asking, url) = (Arc::clone(&self.service), self.url.clone());
        let url = self.service.blocking(move || asking.with_password(url)).await.ok_or("the keyring did not answer")?;
        let connected = Source::connect(&url, &self.service.source_options()).await;
        contact::tell(&self.service, &url, &connected);
        let source = connected.map_err(|error| error.to_string())?;
        self.source = Some(source.clone());
        Ok(source)
    }
}

/// The symbols meant: those named, or all the source lists. The list itself is cached for the time to live.
async fn symbols_to_preheat(
    link: &mut Link,
    cache: &Arc<Cache>,
    source_id: &SourceId,
    request: &PreheatRequest,
) -> Result<Vec<SymbolInfo>, String> {
    let catalog_error = |error: CacheError| error.to_string();
    let known = cache.catalog().symbols(source_id).map_err(catalog_error)?;
    let mut symbols = match (&request.symbols, known) {
        (Some(named), known) => {
            let counts: HashMap<Symbol, SymbolInfo> =
                known.into_iter().flat_map(|(_, symbols)| symbols).map(|info| (info.symbol.clone(), info)).collect();
            let mut seen = std::collections::HashSet::new();
            named
                .iter()
                .filter(|symbol| seen.insert((*symbol).clone()))
                .map(|symbol| {
                    let unknown = SymbolInfo { symbol: symbol.clone(), first_us: None, last_us: None, bar_count: 2_500 };
                    counts.get(symbol).cloned().unwrap_or(unknown)
                })
                .collect()
        }
        (None, _) if request.scope == Scope::FeaturesOnly => cached_symbols(cache, source_id)?,
        (None, Some((listed_at_us, symbols))) if !request.force && !request.check && is_recent(cache, source_id, listed_at_us, request) => {
            symbols
        }
        (None, Some((_, known))) if may_glance(cache, source_id, request).map_err(catalog_error)? => {
            let source = link.source().await?;
            match source.symbols_at_a_glance(&known).await.map_err(|error| error.to_string())? {
                Some(symbols) => {
                    cache.catalog().touch_symbols(source_id, &symbols, cache.now_us()).map_err(catalog_error)?;
                    link.service.mark_dirty();
                    symbols
                }
                None => list(link, cache, source_id).await?,
            }
        }
        (None, _) => list(link, cache, source_id).await?,
    };
    if let Some(limit) = request.limit {
        symbols.truncate(limit);
    }
    Ok(symbols)
}

fn is_recent(cache: &Cache, source_id: &SourceId, listed_at_us: i64, request: &PreheatRequest) -> bool {
    let expires_at_us = request.judge.rules.rule_of_list(source_id).expires_at_us(listed_at_us, None);
    (listed_at_us..expires_at_us).contains(&cache.now_us())
}

/// Whether it is enough to see that a source has the symbols it had: their rows are counted as often as histories are compared.
fn may_glance(cache: &Cache, source_id: &SourceId, request: &PreheatRequest) -> Result<bool, CacheError> {
    if request.force || request.check {
        return Ok(false);
    }
    let counted_at_us = cache.catalog().symbols_counted_at_us(source_id)?.unwrap_or(0);
    let over_us = counted_at_us.saturating_add(i64::from(request.history_check_days) * DAY_US);
    Ok((counted_at_us..over_us).contains(&cache.now_us()))
}

fn cached_symbols(cache: &Cache, source_id: &SourceId) -> Result<Vec<SymbolInfo>, String> {
    let entries = cache.catalog().entries(Some(source_id)).map_err(|error| error.to_string())?;
    Ok(entries
        .into_iter()
        .filter(|entry| entry.key.dataset.is_bars() && entry.file.is_some())
        .map(|entry| SymbolInfo { bar_count: entry.rows(), symbol: entry.key.symbol, first_us: None, last_us: None })
        .collect())
}

async fn list(link: &mut Link, cache: &Arc<Cache>, source_id: &SourceId) -> Result<Vec<SymbolInfo>, String> {
    let source = link.source().await?;
    let listed = source.symbols().await;
    if let Err(error) = &listed {
        contact::tell_failure(&link.service, &link.url.id(), error.to_string());
    }
    let symbols = listed.map_err(|error| error.to_string())?;
    if symbols.is_empty() {
        return Err(source.no_data_error().to_string());
    }
    cache.catalog().put_symbols(source_id, &link.url.redacted(), &symbols, cache.now_us()).map_err(|error| error.to_string())?;
    link.service.mark_dirty();
    Ok(symbols)
}

/// Asks the source for its symbols and remembers them.
pub(super) async fn list_symbols(service: &Arc<Service>) -> Result<usize, String> {
    let cache = service.cache()?;
    let url = service.configuration().source.ok_or(NO_SOURCE)?;
    let source_id = url.id();
    let mut link = Link::new(service, url);
    let symbols = list(&mut link, &cache, &source_id).await?;
    if let Some(source) = link.source {
        profile::remember(&link.service, &cache, &source, true).await;
        source.close().await;
    }
    Ok(symbols.len())
}
