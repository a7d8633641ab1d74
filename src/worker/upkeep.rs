//! What the worker does by itself while the window is open: symbols that failed are tried again when their time has come, files
//! are read one after the other and compared with their checksums, damaged ones are fetched again, and the catalog is copied.
//!
//! Not a scheduler of refreshes: nothing that is merely stale is fetched. Everything here waits while a preheat runs.

use super::event::{JobId, NoticeLevel, PreheatOrder};
use super::queue::Queue;
use super::service::Service;
use crate::cache::{Cache, CacheError, Entry, EntryKey, SCRUB_BYTES_PER_SECOND};
use crate::market::Symbol;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often there is something to look after.
const EVERY: Duration = Duration::from_secs(5);
/// How long the window is left alone after it was opened.
const FIRST_REST: Duration = Duration::from_secs(60);
/// How often failed symbols are tried again at most.
const RETRY_EVERY: Duration = Duration::from_secs(60);
/// How seldom they are tried again while nothing comes of it.
const RETRY_AT_LEAST_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// Numbers of jobs that nobody asked for begin here, far from those of the front end.
const FIRST_OWN_JOB: JobId = 1 << 48;
/// Failed symbols that are tried again at once.
const RETRIED_AT_ONCE: usize = 500;

/// Looks after the cache until the worker ends.
pub(super) async fn keep_up(service: Arc<Service>, queue: Arc<Queue>) {
    tokio::time::sleep(FIRST_REST).await;
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut next_job = FIRST_OWN_JOB;
    let (mut retry_from, mut retry_wait) = (Instant::now(), RETRY_EVERY);
    loop {
        tick.tick().await;
        if !queue.is_idle() {
            continue;
        }
        let looking = Arc::clone(&service);
        let may_retry = Instant::now() >= retry_from;
        let Some((orders, retries)) = service.blocking(move || look_after(&looking, may_retry)).await else { return };
        if retries {
            // A source that cannot even be connected to leaves the symbols' next attempts as they are: it is asked less and less.
            retry_from = Instant::now() + retry_wait;
            retry_wait = (retry_wait * 2).min(RETRY_AT_LEAST_EVERY);
        } else if may_retry {
            retry_wait = RETRY_EVERY;
        }
        for order in orders {
            queue.add(next_job, order);
            next_job += 1;
        }
    }
}

/// One look: returns the preheats that it leads to, and whether failed symbols are among them.
fn look_after(service: &Service, may_retry: bool) -> (Vec<PreheatOrder>, bool) {
    let Ok(cache) = service.cache() else { return (Vec::new(), false) };
    let told = |result: Result<Vec<PreheatOrder>, CacheError>| {
        result.unwrap_or_else(|error| {
            tracing::warn!(%error, "upkeep of the cache failed");
            Vec::new()
        })
    };
    if let Err(error) = cache.back_up_user_data() {
        tracing::warn!(%error, "the catalog could not be copied");
    }
    let mut orders = told(scrub(service, &cache));
    let retries = if may_retry { told(retry(service, &cache)) } else { Vec::new() };
    let any = !retries.is_empty();
    orders.extend(retries);
    (orders, any)
}

/// Reads some more files; what is damaged or gone is to be fetched again.
fn scrub(service: &Service, cache: &Cache) -> Result<Vec<PreheatOrder>, CacheError> {
    let step = cache.scrub_step(SCRUB_BYTES_PER_SECOND * EVERY.as_secs())?;
    for (key, reason) in &step.unreadable {
        tracing::warn!(symbol = %key.symbol, reason, "a cached file could not be read");
    }
    let broken: Vec<&EntryKey> = step.damaged.iter().chain(&step.missing).collect();
    if broken.is_empty() {
        return Ok(Vec::new());
    }
    service.mark_dirty();
    let source = service.configuration().source_id();
    let symbols: BTreeSet<Symbol> =
        broken.iter().filter(|key| source.as_ref() == Some(&key.source)).map(|key| key.symbol.clone()).collect();
    let count = broken.len();
    let files = if count == 1 { "file" } else { "files" };
    let fetched = if symbols.is_empty() { "preheat them from their source" } else { "they are fetched again now" };
    let text = format!("Checking the cached files found {count} damaged or missing {files}; nothing of them was served, and {fetched}");
    service.reporter.notice(NoticeLevel::Warning, text);
    let title = format!("Mend {}", crate::format::counted(symbols.len() as u64, "symbol", "symbols"));
    let order = PreheatOrder { title, symbols: Some(symbols.into_iter().collect()), ..PreheatOrder::default() };
    Ok(if order.symbols.as_ref().is_some_and(|symbols| !symbols.is_empty()) { vec![order] } else { Vec::new() })
}

/// Symbols of the source in use whose next attempt is due.
fn retry(service: &Service, cache: &Cache) -> Result<Vec<PreheatOrder>, CacheError> {
    let Some(source) = service.configuration().source_id() else { return Ok(Vec::new()) };
    let now_us = cache.now_us();
    let sets = service.configuration().sets;
    let is_due = |entry: &Entry| {
        // A set that nobody wants any more is not brought up to date, so its failure would stay for ever.
        let is_wanted = entry.key.dataset.is_bars() || sets.iter().any(|set| set.name() == entry.key.dataset.name());
        let failure = entry.failure.as_ref().filter(|_| is_wanted);
        failure.and_then(|failure| failure.next_attempt_us).is_some_and(|next_us| next_us <= now_us)
    };
    let due: BTreeSet<Symbol> = cache.catalog().entries(Some(&source))?.into_iter().filter(is_due).map(|entry| entry.key.symbol).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let symbols: Vec<Symbol> = due.into_iter().take(RETRIED_AT_ONCE).collect();
    let title = format!("Try {} again", crate::format::counted(symbols.len() as u64, "failed symbol", "failed symbols"));
    // Nobody waits for it: when the source is still away, the next attempt is later than this one was.
    let patience = Some(Duration::ZERO);
    Ok(vec![PreheatOrder { title, symbols: Some(symbols), patience, ..PreheatOrder::default() }])
}
