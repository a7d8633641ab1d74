//! Sources: where bars come from. MySQL/MariaDB, PostgreSQL, SQLite, folders of CSV or Parquet, and a built-in sample.
//!
//! A source is only ever read, in a read-only session where the database has one. It hands out [`RawBars`] as they are
//! stored (any order, gaps as NaN) and knows nothing of caches. Below it is only `market`.

mod backend;
mod collect;
mod columns;
mod digest;
mod error;
mod files;
mod files_ahead;
mod kind;
mod mysql;
mod mysql_digest;
mod mysql_plan;
mod percent;
mod postgres;
mod postgres_copy;
mod postgres_digest;
mod postgres_plan;
mod postgres_rows;
mod postgres_text;
mod query_plan;
mod sample;
mod server;
mod source_url;
mod sqlite;
mod sqlite_plan;
mod staged_test;
mod table;
mod table_file;
mod tally;
mod time_value;
mod timing;

pub use columns::{ColumnMap, ColumnRole};
pub use digest::{DigestRequest, SymbolDigest, YearDigest};
pub use error::{SourceError, SourceErrorKind};
pub use kind::{SourceId, SourceKind, TlsMode};
pub use query_plan::{IndexFinding, IndexState, QueryPlan};
pub use source_url::SourceUrl;
pub use staged_test::{Stage, StageOutcome, StageReport, TestReport, test_source};
pub use timing::{QueryPurpose, QueryTiming};

use backend::{Content, Store};
use query_plan::Query;
use time_value::day_bound;
use timing::{Meter, Outlet, QueryFacts, QueryLog};

use crate::market::{DateRange, RawBars, Symbol};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One symbol of a source and how much of it there is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SymbolInfo {
    /// The source's own name.
    pub symbol: Symbol,
    /// Time of the first bar, where the source can tell.
    pub first_us: Option<i64>,
    /// Time of the last bar, where the source can tell.
    pub last_us: Option<i64>,
    /// Number of rows.
    pub bar_count: u64,
}

/// Which bars are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    /// These symbols; one that is named twice is fetched once.
    pub symbols: Vec<Symbol>,
    /// Only these days.
    pub range: DateRange,
    /// Where asked for, and where the source [can](Source::digests_on_the_way), rows are counted and hashed as they come.
    pub digest: Option<DigestOnTheWay>,
}

/// A digest of what is fetched, made of the rows on their way: what [`Source::digests`] answers for the same days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DigestOnTheWay {
    /// As [`DigestRequest::until`].
    pub until: Option<NaiveDate>,
    /// As [`DigestRequest::split`], one for each symbol that has one.
    pub splits: Arc<BTreeMap<Symbol, NaiveDate>>,
}

/// What became of one symbol of a [`FetchRequest`]. Empty bars mean that the source has none.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetched {
    /// The symbol asked for.
    pub symbol: Symbol,
    /// Its rows as stored, or why they could not be read.
    pub result: Result<RawBars, SourceError>,
    /// The digest of these rows, where it was asked for and could be made.
    pub digest: Option<SymbolDigest>,
}

/// The first rows of a table as text, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// Column names.
    pub columns: Vec<String>,
    /// Values as text; missing ones are empty.
    pub rows: Vec<Vec<String>>,
}

/// How a source is worked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOptions {
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for an answer to a query, or for its next rows.
    pub query_timeout: Duration,
    /// Most connections at a time.
    pub connections: usize,
    /// Where the sample market is made.
    pub data_dir: PathBuf,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            query_timeout: Duration::from_secs(300),
            connections: std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8),
            data_dir: PathBuf::new(),
        }
    }
}

impl SourceOptions {
    /// The usual options, with the folder for the sample market.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), ..Self::default() }
    }
}

/// A connected source. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    id: SourceId,
    columns: ColumnMap,
    table_name: String,
    connections: usize,
    store: Store,
    content: Content,
    log: QueryLog,
}

/// Most symbols one statement asks for.
const SYMBOLS_PER_STATEMENT: usize = 256;
/// About how many bytes a line of a digest takes: a symbol, three numbers, a checksum and a time.
const DIGEST_BYTES: u64 = 60;
/// Fewest, so that a short list is not taken apart for nothing.
const FEWEST_PER_STATEMENT: usize = 8;

impl Source {
    /// Connects, and finds the table and its columns.
    ///
    /// # Errors
    /// An explained one for every step that can fail.
    pub async fn connect(url: &SourceUrl, options: &SourceOptions) -> Result<Self, SourceError> {
        let store = Store::of(url, options).await?;
        let table = store.table(url).await?;
        let content = store.content(table, url).await?;
        Ok(Self::assemble(url, options, store, content))
    }

    fn assemble(url: &SourceUrl, options: &SourceOptions, store: Store, content: Content) -> Self {
        let (columns, table_name) = match &content {
            Content::Table(plan) => (plan.columns.clone(), plan.table.shown()),
            Content::Files(columns) => (columns.as_ref().clone(), url.path().display().to_string()),
        };
        let inner =
            Inner { id: url.id(), columns, table_name, connections: options.connections.max(1), store, content, log: QueryLog::default() };
        Self { inner: Arc::new(inner) }
    }

    /// The stable identity, the same as its URL's.
    #[must_use]
    pub fn id(&self) -> &SourceId {
        &self.inner.id
    }

    /// Which column plays which role.
    #[must_use]
    pub fn columns(&self) -> &ColumnMap {
        &self.inner.columns
    }

    /// The table (or folder) that is read, for people.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.inner.table_name
    }

    /// All symbols with first and last time and number of rows, sorted by symbol. Empty where there are no rows.
    ///
    /// # Errors
    /// When the query fails or takes too long.
    pub async fn symbols(&self) -> Result<Vec<SymbolInfo>, SourceError> {
        let meter = Meter::start();
        let listed = self.inner.store.symbols(&self.inner.content).await;
        let of_names = |infos: &Vec<SymbolInfo>| infos.iter().map(|info| info.symbol.as_str().len() as u64 + 24).sum();
        meter.rows_came(listed.as_ref().map_or(0, |infos| infos.len() as u64));
        self.inner.record(&meter, Query::Symbols, listed.as_ref().map_or(0, of_names), listed.as_ref().err());
        listed
    }

    /// The same symbols as were `known` with the times they have now, found without going through all rows, which are not counted
    /// again. `None` where the source does not find them so, or where there may be others by now: then it has to be asked for all.
    ///
    /// # Errors
    /// When the query fails or takes too long.
    pub async fn symbols_at_a_glance(&self, known: &[SymbolInfo]) -> Result<Option<Vec<SymbolInfo>>, SourceError> {
        let meter = Meter::start();
        let listed = self.inner.store.symbols_at_a_glance(&self.inner.content).await;
        let Some(found) = listed.as_ref().map_or(Some(&[][..]), |found| found.as_deref()) else { return Ok(None) };
        let bytes = found.iter().map(|info| info.symbol.as_str().len() as u64 + 16).sum();
        meter.rows_came(found.len() as u64);
        self.inner.record(&meter, Query::Glance, bytes, listed.as_ref().err());
        let Some(found) = listed? else { return Ok(None) };
        // A collation may take several symbols for one, and then not all of those that are known are found.
        let is_same = found.len() == known.len() && found.iter().zip(known).all(|(found, known)| found.symbol == known.symbol);
        let counted = |(found, known): (SymbolInfo, &SymbolInfo)| SymbolInfo { bar_count: known.bar_count, ..found };
        Ok(is_same.then(|| found.into_iter().zip(known).map(counted).collect()))
    }

    /// Fetches bars and sends exactly one [`Fetched`] for every symbol asked for, in no particular order.
    ///
    /// Many symbols share a statement, and as many statements run at a time as there are connections. Stops early, without
    /// an error, once `out` is closed; dropping the future stops it as well.
    ///
    /// # Errors
    /// When the query fails or the connection breaks; symbols that were not yet sent were not fetched.
    pub async fn fetch(&self, request: &FetchRequest, out: &async_channel::Sender<Fetched>) -> Result<(), SourceError> {
        let limits = Arc::new(FetchRequest { symbols: Vec::new(), ..request.clone() });
        let statement = |symbols: Vec<Symbol>| {
            let (inner, limits, out) = (Arc::clone(&self.inner), Arc::clone(&limits), out.clone());
            async move {
                let meter = Arc::new(Meter::start());
                let outlet = Outlet::new(out, Arc::clone(&meter));
                let fetched = inner.store.fetch(&inner.content, symbols.clone(), Arc::clone(&limits), &outlet).await;
                let bytes = meter.rows() * inner.row_bytes(&symbols);
                inner.record(&meter, Query::Bars(&symbols, limits.range), bytes, fetched.as_ref().err());
                fetched
            }
        };
        self.in_statements(&request.symbols, || !out.is_closed(), statement, |()| ()).await
    }

    /// Whether a fetch can make the [digests](Self::digests) of its rows on their way, bit for bit as the source would.
    #[must_use]
    pub fn digests_on_the_way(&self) -> bool {
        self.inner.store.digests_on_the_way(&self.inner.content)
    }

    /// Whether a few days are found without going through all rows, so that asking for them costs little. Where a file has to be
    /// read from end to end anyway, or dates are compared here, it does not.
    #[must_use]
    pub fn finds_days(&self) -> bool {
        match &self.inner.content {
            Content::Table(plan) => day_bound(plan.dates, Some(NaiveDate::default())).is_some(),
            Content::Files(_) => false,
        }
    }

    /// What the source has of these symbols, without their rows: an entry for every symbol asked for, empty where it has none.
    ///
    /// Counted and hashed in the database, many symbols a statement, as many statements at a time as there are connections.
    /// A symbol of a file that cannot be read counts one row in year 0, with a checksum of its own; fetching it tells why.
    /// Dropping the future stops it.
    ///
    /// # Errors
    /// When a query fails or takes too long, or the connection breaks.
    pub async fn digests(&self, request: &DigestRequest) -> Result<BTreeMap<Symbol, SymbolDigest>, SourceError> {
        let limits = Arc::new(DigestRequest { symbols: Vec::new(), ..request.clone() });
        let mut digests = BTreeMap::new();
        let statement = |symbols: Vec<Symbol>| {
            let (inner, limits) = (Arc::clone(&self.inner), Arc::clone(&limits));
            async move {
                let meter = Meter::start();
                let counted = inner.store.digests(&inner.content, symbols.clone(), Arc::clone(&limits)).await;
                let lines = |digests: &Vec<(Symbol, SymbolDigest)>| digests.iter().map(|(_, digest)| digest.lines()).sum();
                meter.rows_came(counted.as_ref().map_or(0, lines));
                let bytes = meter.rows() * DIGEST_BYTES;
                inner.record(&meter, Query::Digests(&symbols, &limits), bytes, counted.as_ref().err());
                counted
            }
        };
        self.in_statements(&request.symbols, || true, statement, |some| digests.extend(some)).await?;
        Ok(digests)
    }

    /// Shares symbols out among statements and runs as many of them at a time as there are connections; begins no more once
    /// they are not wanted.
    async fn in_statements<Answer, Running>(
        &self,
        symbols: &[Symbol],
        is_wanted: impl Fn() -> bool,
        statement: impl Fn(Vec<Symbol>) -> Running,
        mut done: impl FnMut(Answer),
    ) -> Result<(), SourceError>
    where
        Answer: Send + 'static,
        Running: Future<Output = Result<Answer, SourceError>> + Send + 'static,
    {
        let mut symbols = symbols.to_vec();
        symbols.sort();
        symbols.dedup();
        let per_statement = if self.inner.store.is_shared() {
            symbols.len().max(1)
        } else {
            symbols.len().div_ceil(self.inner.connections).clamp(FEWEST_PER_STATEMENT, SYMBOLS_PER_STATEMENT)
        };
        let mut waiting = symbols.chunks(per_statement);
        let mut running = tokio::task::JoinSet::new();
        loop {
            while running.len() < self.inner.connections
                && is_wanted()
                && let Some(symbols) = waiting.next()
            {
                running.spawn(statement(symbols.to_vec()));
            }
            // Returning early drops the set, which ends the statements that still run.
            match running.join_next().await {
                None => return Ok(()),
                Some(Ok(result)) => done(result?),
                Some(Err(error)) => {
                    return Err(SourceError::plain(SourceErrorKind::QueryFailed, format!("reading the source was broken off ({error})")));
                }
            }
        }
    }

    /// The first rows as text.
    ///
    /// # Errors
    /// When the query fails or takes too long.
    pub async fn preview(&self, limit: usize) -> Result<Preview, SourceError> {
        let table = match &self.inner.content {
            Content::Table(plan) => Some(&plan.table),
            Content::Files(_) => None,
        };
        let meter = Meter::start();
        let preview = self.inner.store.preview(table, limit).await;
        meter.rows_came(preview.as_ref().map_or(0, |preview| preview.rows.len() as u64));
        let of_texts = |preview: &Preview| preview.rows.iter().flatten().map(|text| text.len() as u64).sum();
        self.inner.record(&meter, Query::Preview(limit), preview.as_ref().map_or(0, of_texts), preview.as_ref().err());
        preview
    }

    /// What the queries of this source and its clones took, oldest first; the quickest of very many are forgotten. `now_us` is the
    /// time of day, which a source does not know.
    #[must_use]
    pub fn queries(&self, now_us: i64) -> Vec<QueryTiming> {
        self.inner.log.all(now_us)
    }

    /// The same, and forgets it.
    #[must_use]
    pub fn take_queries(&self, now_us: i64) -> Vec<QueryTiming> {
        self.inner.log.take(now_us)
    }

    /// The database's plan for what is asked of these symbols; nothing for files. The query is only run with `analyze`, and only
    /// where the database can tell a plan of a query that ran.
    ///
    /// # Errors
    /// When the question fails or takes too long.
    pub async fn query_plan(&self, purpose: QueryPurpose, symbols: &[Symbol], analyze: bool) -> Result<Option<QueryPlan>, SourceError> {
        let request = DigestRequest::default();
        let query = match purpose {
            QueryPurpose::Symbols => Query::Symbols,
            QueryPurpose::Digests => Query::Digests(symbols, &request),
            QueryPurpose::Bars => Query::Bars(symbols, DateRange::ALL),
            QueryPurpose::Preview => Query::Preview(1),
        };
        self.inner.store.query_plan(&self.inner.content, query, analyze).await
    }

    /// Whether an index that begins with symbol and date serves the queries; nothing for files.
    ///
    /// # Errors
    /// When the question fails or takes too long.
    pub async fn index_finding(&self) -> Result<Option<IndexFinding>, SourceError> {
        self.inner.store.index_finding(&self.inner.content).await
    }

    /// Whether the database itself refuses to write in this source's sessions.
    ///
    /// # Errors
    /// When the question fails.
    pub async fn is_read_only(&self) -> Result<bool, SourceError> {
        self.inner.store.login().await.map(|login| login.is_read_only)
    }

    /// The explained error for a source that has no rows at all.
    #[must_use]
    pub fn no_data_error(&self) -> SourceError {
        no_data(self.table())
    }

    /// Closes its connections; clones of it cannot fetch any more either.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }
}

impl Inner {
    /// Puts a query that ended into the log.
    fn record(&self, meter: &Meter, query: Query<'_>, bytes: u64, error: Option<&SourceError>) {
        // First, so that writing its statement down is not part of it.
        let elapsed = meter.elapsed();
        let statement = self.store.statement(&self.content, query);
        let facts = QueryFacts { purpose: query.purpose(), statement, about: query.about(), elapsed, bytes };
        meter.finish(&self.log, facts, error);
    }

    /// About how many bytes a row of these symbols takes: eight for a date or number, and the symbol's own.
    fn row_bytes(&self, symbols: &[Symbol]) -> u64 {
        let name: usize = symbols.iter().map(|symbol| symbol.as_str().len()).sum();
        let columns = self.columns.iter().filter(|(role, _)| *role != ColumnRole::Symbol).count() as u64;
        columns * 8 + name.div_ceil(symbols.len().max(1)) as u64
    }
}

fn no_data(table: &str) -> SourceError {
    SourceError::new(SourceErrorKind::NoData, format!("{table} has no rows"), "load some bars into it, or choose another table")
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Source").field("id", self.id()).finish_non_exhaustive()
    }
}
