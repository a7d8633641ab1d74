//! Where time goes at the source: a representative read with its timings, the database's plans, and the advice on an index.
//!
//! Not a benchmark of the cache (that is `bench`). Contract: nothing but reading is done at the source, and what its queries took
//! goes into the catalog, after every preheat and after every profile.

use super::contact;
use super::event::JobEvent;
use super::service::{NO_SOURCE, Service};
use crate::cache::Cache;
use crate::market::{DateRange, Symbol};
use crate::source::{DigestRequest, FetchRequest, IndexFinding, QueryPlan, QueryPurpose, QueryTiming, Source, SourceError, SymbolInfo};
use std::sync::Arc;
use std::time::Duration;

/// Symbols that are read where nobody says how many.
pub const PROFILED_SYMBOLS: usize = 8;
/// Rows of the preview.
const PREVIEW_ROWS: usize = 5;
/// Longest wait for what the source says of its indexes after a preheat: it must not hold anything up.
const LOOK_AT_INDEXES: Duration = Duration::from_secs(3);

/// What to read for a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRequest {
    /// These symbols; some, spread over the list of all, when left out.
    pub symbols: Option<Vec<Symbol>>,
    /// At most so many symbols.
    pub limit: usize,
    /// Whether queries are run for their plans, where the database can tell a plan with what it took.
    pub analyze: bool,
}

impl Default for ProfileRequest {
    fn default() -> Self {
        Self { symbols: None, limit: PROFILED_SYMBOLS, analyze: false }
    }
}

/// What a profile found.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileReport {
    /// The source's URL, without its password.
    pub url: String,
    /// The table (or folder) that was read.
    pub table: String,
    /// Symbols that were read.
    pub symbols: Vec<Symbol>,
    /// Symbols that could not be read, and why.
    pub failed: Vec<(Symbol, String)>,
    /// What the queries took, slowest first.
    pub queries: Vec<QueryTiming>,
    /// The database's plans for them; none for files.
    pub plans: Vec<QueryPlan>,
    /// Whether an index serves them; nothing for files.
    pub index: Option<IndexFinding>,
}

/// Some of a list, spread evenly over it: its first names alone may be of one market only.
pub(super) fn spread<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let count = count.min(all.len());
    (0..count).filter_map(|place| all.get(place * all.len() / count.max(1)).cloned()).collect()
}

/// The symbols of a source that have rows, spread over all of them.
pub(super) fn spread_symbols(listed: &[SymbolInfo], count: usize) -> Vec<SymbolInfo> {
    // A file that cannot be read is listed without rows; reading it says why, but not how long reading takes.
    let with_rows: Vec<SymbolInfo> = listed.iter().filter(|info| info.bar_count > 0).cloned().collect();
    spread(&with_rows, count)
}

/// Reads a few symbols as a preheat would, and tells what that took.
async fn profile(source: &Source, url: String, request: &ProfileRequest, now_us: impl Fn() -> i64) -> Result<ProfileReport, SourceError> {
    let symbols = match &request.symbols {
        Some(named) => named.iter().take(request.limit).cloned().collect(),
        None => {
            let listed = source.symbols().await?;
            let chosen: Vec<Symbol> = spread_symbols(&listed, request.limit).into_iter().map(|info| info.symbol).collect();
            if chosen.is_empty() {
                return Err(source.no_data_error());
            }
            chosen
        }
    };
    source.preview(PREVIEW_ROWS).await?;
    source.digests(&DigestRequest { symbols: symbols.clone(), ..DigestRequest::default() }).await?;
    let (out, arriving) = async_channel::bounded(symbols.len().max(1));
    let fetch = FetchRequest { symbols: symbols.clone(), range: DateRange::ALL, digest: None };
    let reading = async {
        let read = source.fetch(&fetch, &out).await;
        out.close();
        read
    };
    let gathering = async {
        let mut failed = Vec::new();
        while let Ok(fetched) = arriving.recv().await {
            if let Err(error) = fetched.result {
                failed.push((fetched.symbol, error.to_string()));
            }
        }
        failed
    };
    let (read, failed) = tokio::join!(reading, gathering);
    read?;
    let mut plans = Vec::new();
    for purpose in [QueryPurpose::Symbols, QueryPurpose::Digests, QueryPurpose::Bars] {
        plans.extend(source.query_plan(purpose, &symbols, request.analyze).await?);
    }
    let index = source.index_finding().await?;
    let mut queries = source.queries(now_us());
    queries.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    Ok(ProfileReport { url, table: source.table().to_owned(), symbols, failed, queries, plans, index })
}

/// Profiles the source in use, and keeps what was found.
pub(super) async fn run(service: &Arc<Service>, request: ProfileRequest) {
    let event = match run_once(service, &request).await {
        Ok(report) => JobEvent::Profiled(Ok(Arc::new(report))),
        Err(message) => JobEvent::Profiled(Err(message)),
    };
    service.mark_dirty();
    service.reporter.send(event).await;
}

async fn run_once(service: &Arc<Service>, request: &ProfileRequest) -> Result<ProfileReport, String> {
    let cache = service.cache()?;
    let url = service.configuration().source.ok_or(NO_SOURCE)?;
    let asking = Arc::clone(service);
    // Asking the keyring may block.
    let url = service.blocking(move || asking.with_password(url)).await.ok_or("the keyring did not answer")?;
    let connected = Source::connect(&url, &service.source_options()).await;
    contact::tell(service, &url, &connected);
    let source = connected.map_err(|error| error.to_string())?;
    let found = profile(&source, url.redacted(), request, || cache.now_us()).await;
    let index = found.as_ref().ok().and_then(|report| report.index.clone());
    keep(service, &cache, &source, index).await;
    source.close().await;
    found.map_err(|error| error.to_string())
}

/// Keeps what the queries of a source took, and, where it is still to be asked, what it says of its indexes now. Whatever fails
/// here is no failure of what it is called after.
pub(super) async fn remember(service: &Service, cache: &Arc<Cache>, source: &Source, may_ask: bool) {
    let index = if may_ask {
        let asked = tokio::time::timeout(LOOK_AT_INDEXES, source.index_finding()).await;
        asked
            .ok()
            .and_then(|told| told.inspect_err(|error| tracing::debug!(%error, "the source does not tell of its indexes")).ok())
            .flatten()
    } else {
        None
    };
    keep(service, cache, source, index).await;
}

async fn keep(service: &Service, cache: &Arc<Cache>, source: &Source, index: Option<IndexFinding>) {
    let (cache, id, now_us) = (Arc::clone(cache), source.id().clone(), cache.now_us());
    let queries = source.take_queries(now_us);
    let keeping = move || {
        let catalog = cache.catalog();
        let kept = if queries.is_empty() { Ok(()) } else { catalog.put_queries(&id, queries, now_us) };
        let known = catalog.index_finding(&id)?;
        match index {
            Some(finding) if known.as_ref() != Some(&finding) => kept.and(catalog.put_index_finding(&id, &finding, now_us)),
            _ => kept,
        }
    };
    if let Some(Err(error)) = service.blocking(keeping).await {
        tracing::warn!(%error, "what the queries of the source took could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_a_list_are_spread_over_all_of_it() {
        let all: Vec<u32> = (0..10).collect();
        assert_eq!(spread(&all, 3), [0, 3, 6]);
        assert_eq!(spread(&all, 10), all);
        assert_eq!(spread(&all, 99), all);
        assert!(spread(&all, 0).is_empty() && spread(&[0_u8; 0], 5).is_empty());
    }
}
