//! What the queries of a source took: a bounded log in memory that clones of the source share.
//!
//! Not a log of the program and never on disk by itself: whoever owns the source hands the slowest to the catalog. Contract: a
//! query that was broken off leaves no entry; statements are told as they are sent, with places instead of values, so that no
//! password can be among them; seconds are those of the source, without the time it had to wait for whoever takes the rows.

use super::Fetched;
use super::error::SourceError;
use crate::tr;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most queries remembered; beyond that the quickest are forgotten first.
const MOST_QUERIES: usize = 1_024;
/// From how many places in a row on a list of them is shortened.
const SHOWN_PLACES: usize = 4;

/// What a query was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryPurpose {
    /// Listing the symbols.
    Symbols,
    /// Counting and hashing rows.
    Digests,
    /// Reading bars.
    Bars,
    /// Reading the first rows.
    Preview,
}

impl QueryPurpose {
    /// All of them, in the order in which they are usually asked.
    pub const ALL: [Self; 4] = [Self::Symbols, Self::Digests, Self::Bars, Self::Preview];

    /// Its name in catalogs and JSON.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Symbols => "symbols",
            Self::Digests => "digests",
            Self::Bars => "bars",
            Self::Preview => "preview",
        }
    }

    /// The purpose of a name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.key() == key)
    }

    /// What it does, for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Symbols => tr!("List symbols"),
            Self::Digests => tr!("Compare"),
            Self::Bars => tr!("Read bars"),
            Self::Preview => tr!("First rows"),
        }
    }
}

/// One query and what it took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueryTiming {
    /// What for.
    pub purpose: QueryPurpose,
    /// The statement, with places instead of values; for files, what is read. Long lists of places are shortened.
    pub statement: String,
    /// Whose rows, in words: a symbol, or the first and the last of several; empty where it is about all of them.
    pub about: String,
    /// When it began, by the clock of whoever asked.
    pub began_us: i64,
    /// Seconds the source took.
    pub seconds: f64,
    /// Seconds until its first row came; until the first symbol was complete where rows are not seen singly.
    pub first_row_seconds: Option<f64>,
    /// Rows that came.
    pub rows: u64,
    /// Bytes of these rows, estimated from their columns.
    pub bytes: u64,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

impl QueryTiming {
    /// Rows per second.
    #[must_use]
    pub fn rows_per_second(&self) -> f64 {
        per_second(self.rows, self.seconds)
    }

    /// Bytes per second.
    #[must_use]
    pub fn bytes_per_second(&self) -> f64 {
        per_second(self.bytes, self.seconds)
    }
}

fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

/// A query as the log keeps it: without a time of day, because a source has no clock.
struct Logged {
    began: Instant,
    timing: QueryTiming,
}

/// The queries of a source and its clones.
#[derive(Default)]
pub(super) struct QueryLog {
    queries: Mutex<VecDeque<Logged>>,
}

impl QueryLog {
    fn add(&self, began: Instant, timing: QueryTiming) {
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        if queries.len() >= MOST_QUERIES {
            let seconds = |place: &usize| queries.get(*place).map_or(0.0, |logged| logged.timing.seconds);
            let quickest = (0..queries.len()).min_by(|one, other| seconds(one).total_cmp(&seconds(other)));
            if let Some(quickest) = quickest {
                queries.remove(quickest);
            }
        }
        queries.push_back(Logged { began, timing });
    }

    /// What was recorded, oldest first.
    pub(super) fn all(&self, now_us: i64) -> Vec<QueryTiming> {
        let queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        queries.iter().map(|logged| dated(logged.began, logged.timing.clone(), now_us)).collect()
    }

    /// The same, and forgets it.
    pub(super) fn take(&self, now_us: i64) -> Vec<QueryTiming> {
        let queries = std::mem::take(&mut *self.queries.lock().unwrap_or_else(PoisonError::into_inner));
        queries.into_iter().map(|logged| dated(logged.began, logged.timing, now_us)).collect()
    }
}

fn dated(began: Instant, timing: QueryTiming, now_us: i64) -> QueryTiming {
    let ago_us = i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX);
    QueryTiming { began_us: now_us.saturating_sub(ago_us), ..timing }
}

/// Measures one query while it runs.
pub(super) struct Meter {
    began: Instant,
    /// Nanoseconds until the first row; 0 before it came.
    first_row_ns: AtomicU64,
    waited_ns: AtomicU64,
    rows: AtomicU64,
}

impl Meter {
    pub(super) fn start() -> Self {
        Self { began: Instant::now(), first_row_ns: AtomicU64::new(0), waited_ns: AtomicU64::new(0), rows: AtomicU64::new(0) }
    }

    /// A row came.
    #[inline]
    fn row_came(&self) {
        if self.first_row_ns.load(Ordering::Relaxed) == 0 {
            self.first_row_ns.store(nanos(self.began.elapsed()).max(1), Ordering::Relaxed);
        }
    }

    /// So many rows came and are on their way to whoever asked.
    pub(super) fn rows_came(&self, rows: u64) {
        if rows > 0 {
            self.row_came();
            self.rows.fetch_add(rows, Ordering::Relaxed);
        }
    }

    /// How many rows came.
    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Puts what was measured into the log.
    pub(super) fn finish(&self, log: &QueryLog, query: QueryFacts, error: Option<&SourceError>) {
        let waited = Duration::from_nanos(self.waited_ns.load(Ordering::Relaxed));
        let first_row_ns = self.first_row_ns.load(Ordering::Relaxed);
        let timing = QueryTiming {
            purpose: query.purpose,
            statement: shortened_places(&query.statement),
            about: query.about,
            began_us: 0,
            seconds: query.elapsed.saturating_sub(waited).as_secs_f64(),
            first_row_seconds: (first_row_ns > 0).then(|| Duration::from_nanos(first_row_ns).as_secs_f64()),
            rows: self.rows(),
            bytes: query.bytes,
            error: error.map(ToString::to_string),
        };
        log.add(self.began, timing);
    }

    /// How long it has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// What is known of a query besides its measures.
pub(super) struct QueryFacts {
    pub(super) purpose: QueryPurpose,
    pub(super) statement: String,
    pub(super) about: String,
    pub(super) elapsed: Duration,
    pub(super) bytes: u64,
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Where fetched symbols go: to whoever asked, and counted on their way.
#[derive(Clone)]
pub(super) struct Outlet {
    out: async_channel::Sender<Fetched>,
    meter: Arc<Meter>,
}

/// Nobody listens any more.
#[derive(Debug)]
pub(super) struct Closed;

impl Outlet {
    pub(super) fn new(out: async_channel::Sender<Fetched>, meter: Arc<Meter>) -> Self {
        Self { out, meter }
    }

    /// A row came; to be told of each, or at least of the first.
    #[inline]
    pub(super) fn row_came(&self) {
        self.meter.row_came();
    }

    /// Hands a symbol on, waiting where the one who asked does not keep up.
    pub(super) async fn send(&self, fetched: Fetched) -> Result<(), Closed> {
        self.count(&fetched);
        let fetched = match self.out.try_send(fetched) {
            Ok(()) => return Ok(()),
            Err(async_channel::TrySendError::Closed(_)) => return Err(Closed),
            Err(async_channel::TrySendError::Full(fetched)) => fetched,
        };
        let began = Instant::now();
        let sent = self.out.send(fetched).await;
        self.waited(began);
        sent.map_err(|_| Closed)
    }

    /// The same for a thread that may wait.
    pub(super) fn send_blocking(&self, fetched: Fetched) -> Result<(), Closed> {
        self.count(&fetched);
        let began = Instant::now();
        let sent = self.out.send_blocking(fetched);
        self.waited(began);
        sent.map_err(|_| Closed)
    }

    fn count(&self, fetched: &Fetched) {
        self.meter.rows_came(fetched.result.as_ref().map_or(0, |bars| bars.len() as u64));
    }

    fn waited(&self, since: Instant) {
        self.meter.waited_ns.fetch_add(nanos(since.elapsed()), Ordering::Relaxed);
    }
}

/// A statement whose long lists of places are told by their length: `IN (?, …, 256 in all)`.
fn shortened_places(statement: &str) -> String {
    let mut text = String::with_capacity(statement.len().min(1_024));
    let mut rest = statement;
    while let Some(at) = rest.find("?,?") {
        let (before, list) = rest.split_at(at);
        let length = list.bytes().zip("?,".bytes().cycle()).take_while(|(one, other)| one == other).count();
        let (list, behind) = list.split_at(length);
        let places = list.matches('?').count();
        text.push_str(before);
        if places > SHOWN_PLACES {
            text.push_str(&format!("?, …, {places} in all"));
        } else {
            text.push_str(list);
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(seconds: f64) -> QueryTiming {
        QueryTiming {
            purpose: QueryPurpose::Bars,
            statement: "SELECT 1".to_owned(),
            about: String::new(),
            began_us: 0,
            seconds,
            first_row_seconds: None,
            rows: 10,
            bytes: 100,
            error: None,
        }
    }

    #[test]
    fn a_full_log_forgets_the_quickest() {
        let log = QueryLog::default();
        for number in 0..MOST_QUERIES + 10 {
            // The quick ones are in the middle.
            let seconds = if (100..110).contains(&number) { 0.001 } else { 1.0 + number as f64 };
            log.add(Instant::now(), timing(seconds));
        }
        let all = log.all(5_000_000);
        assert_eq!(all.len(), MOST_QUERIES);
        assert!(all.iter().all(|timing| timing.seconds >= 1.0), "the quickest went first");
        assert!(all.iter().all(|timing| (4_000_000..=5_000_000).contains(&timing.began_us)));
        assert_eq!(log.take(0).len(), MOST_QUERIES);
        assert!(log.all(0).is_empty());
    }

    #[test]
    fn long_lists_of_places_are_told_by_their_length() {
        let sql = |places: usize| format!("SELECT a FROM t WHERE s IN ({}) AND d >= ?", vec!["?"; places].join(","));
        assert_eq!(shortened_places(&sql(3)), sql(3));
        assert_eq!(shortened_places(&sql(256)), "SELECT a FROM t WHERE s IN (?, …, 256 in all) AND d >= ?");
        assert_eq!(shortened_places("SELECT $1 = ANY(?)"), "SELECT $1 = ANY(?)");
    }

    #[test]
    fn the_time_somebody_else_takes_is_not_the_source_s() {
        let (out, arriving) = async_channel::bounded(1);
        let meter = Arc::new(Meter::start());
        let outlet = Outlet::new(out, Arc::clone(&meter));
        let fetched = || Fetched { symbol: "A".into(), result: Ok(crate::market::RawBars::default()), digest: None };
        let slow = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            (arriving.recv_blocking().is_ok(), arriving.recv_blocking().is_ok())
        });
        outlet.send_blocking(fetched()).expect("room");
        outlet.send_blocking(fetched()).expect("taken in the end");
        assert_eq!(slow.join().expect("thread"), (true, true));
        let log = QueryLog::default();
        let facts =
            QueryFacts { purpose: QueryPurpose::Bars, statement: String::new(), about: String::new(), elapsed: meter.elapsed(), bytes: 0 };
        let elapsed = facts.elapsed.as_secs_f64();
        meter.finish(&log, facts, None);
        let recorded = log.all(0).remove(0);
        assert!(elapsed >= 0.05 && recorded.seconds < elapsed - 0.04, "{} of {elapsed}", recorded.seconds);
        assert_eq!((recorded.rows, recorded.first_row_seconds), (0, None), "bars without rows are no rows");
    }
}
