//! What a preheat tells while it runs and when it ends.

use super::patience::Waiting;
use crate::market::Symbol;
use serde::Serialize;
use std::sync::Arc;

/// How far a preheat is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// Symbols finished, whatever became of them.
    pub symbols_done: usize,
    /// Symbols to work on.
    pub symbols_total: usize,
    /// Symbols that failed so far.
    pub failed: usize,
    /// Rows that went through so far.
    pub rows: u64,
    /// Seconds of work, pauses left out.
    pub elapsed_secs: f64,
    /// Symbols that were taken up since this was told last: asked for at the source, or handed to a working thread.
    pub begun: Vec<Symbol>,
    /// What the run waits for at the moment, if it does.
    pub waiting: Option<Arc<Waiting>>,
}

impl Progress {
    /// Share done, 0…1.
    #[must_use]
    pub fn fraction(&self) -> f32 {
        if self.symbols_total == 0 { 1.0 } else { self.symbols_done as f32 / self.symbols_total as f32 }
    }

    /// Rows per second so far.
    #[must_use]
    pub fn rows_per_sec(&self) -> f64 {
        if self.elapsed_secs > 0.0 { self.rows as f64 / self.elapsed_secs } else { 0.0 }
    }

    /// Seconds left if the rest goes as what is done; `None` before anything is done.
    #[must_use]
    pub fn secs_left(&self) -> Option<f64> {
        let left = self.symbols_total.saturating_sub(self.symbols_done) as f64;
        (self.symbols_done > 0).then(|| self.elapsed_secs / self.symbols_done as f64 * left)
    }
}

/// What became of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SymbolOutcome {
    /// Everything asked for is fresh.
    Ok,
    /// The source has no bars of it in the range.
    NoData,
    /// It failed, and why.
    Failed(String),
}

/// Seconds by stage: `total` is wall-clock, the others are busy seconds summed over threads.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct StageSeconds {
    /// From start to end.
    pub total: f64,
    /// Waiting for and receiving rows.
    pub fetch: f64,
    /// Checking bars and computing features.
    pub compute: f64,
    /// Encoding, writing and committing.
    pub write: f64,
}

/// What a preheat did, counted: what the source read and sent, what was computed and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counted {
    /// Lines of digests that came from the source, one per symbol and year.
    pub digest_rows: u64,
    /// Rows of bars that came from the source.
    pub rows_fetched: u64,
    /// Rows of feature tables that were computed.
    pub rows_computed: u64,
    /// Bytes written into cached files.
    pub bytes_written: u64,
}

/// How columns of features came about, counted: one per symbol and feature.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct FeatureCounts {
    /// Columns that were computed from the first bar on.
    pub computed: u64,
    /// Columns of which only the newest rows were computed.
    pub continued: u64,
    /// Columns that mean what they meant when their set had another definition, and were taken from there as they were.
    pub reused: u64,
    /// Columns of older versions that are the present ones again; nothing was read or written.
    pub restored: u64,
    /// Values that were computed, nulls included.
    pub values_computed: u64,
    /// Values that were taken from older versions, nulls included.
    pub values_reused: u64,
    /// Entries that became older versions.
    pub kept_older: u64,
    /// Largest relative error of a value that was stored rounded; `None` when none was.
    pub rounding: Option<f64>,
}

/// How a preheat ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PreheatReport {
    /// Symbols asked for.
    pub requested: usize,
    /// Symbols brought to fresh.
    pub ok: usize,
    /// Symbols that were fresh already.
    pub skipped_fresh: usize,
    /// Symbols among those brought to fresh of which the source has exactly what was cached.
    pub unchanged: usize,
    /// Symbols whose cached bars stand and got more behind them.
    pub appended: usize,
    /// Symbols whose history is not what was cached.
    pub changed: Vec<Symbol>,
    /// Symbols the source has no bars of.
    pub no_data: Vec<Symbol>,
    /// Symbols that failed, and why.
    pub failed: Vec<(Symbol, String)>,
    /// Symbols not reached, because the job was cancelled or had to stop.
    pub not_reached: usize,
    /// Rows that came from the source (or, where only features were computed, out of the cache).
    pub rows: u64,
    /// Rows among them that are no bars: without a price, or with a time that comes again.
    pub rows_dropped: u64,
    /// Bytes of bars written.
    pub bars_bytes: u64,
    /// Bytes of features written.
    pub features_bytes: u64,
    /// What was done, counted.
    pub counted: Counted,
    /// How the columns of features came about.
    pub features: FeatureCounts,
    /// Seconds by stage.
    pub seconds: StageSeconds,
    /// Whether the user stopped it.
    pub cancelled: bool,
    /// What forced it to stop before its end, if something did.
    pub stopped_by: Option<String>,
}

/// The report's fixed JSON form.
#[derive(Serialize)]
struct ReportJson<'report> {
    symbols: SymbolsJson,
    rows: u64,
    rows_dropped: u64,
    bytes: BytesJson,
    counted: Counted,
    features: FeatureCounts,
    changed: &'report [Symbol],
    seconds: StageSeconds,
    failures: Vec<FailureJson<'report>>,
    no_data: &'report [Symbol],
    cancelled: bool,
    stopped_by: Option<&'report str>,
}

#[derive(Serialize)]
struct SymbolsJson {
    requested: usize,
    ok: usize,
    skipped_fresh: usize,
    no_data: usize,
    failed: usize,
    not_reached: usize,
    unchanged: usize,
    appended: usize,
    changed: usize,
}

#[derive(Serialize)]
struct BytesJson {
    bars: u64,
    features: u64,
}

#[derive(Serialize)]
struct FailureJson<'report> {
    symbol: &'report Symbol,
    error: &'report str,
}

impl Serialize for PreheatReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ReportJson {
            symbols: SymbolsJson {
                requested: self.requested,
                ok: self.ok,
                skipped_fresh: self.skipped_fresh,
                no_data: self.no_data.len(),
                failed: self.failed.len(),
                not_reached: self.not_reached,
                unchanged: self.unchanged,
                appended: self.appended,
                changed: self.changed.len(),
            },
            rows: self.rows,
            rows_dropped: self.rows_dropped,
            bytes: BytesJson { bars: self.bars_bytes, features: self.features_bytes },
            counted: self.counted,
            features: self.features,
            changed: &self.changed,
            seconds: self.seconds,
            failures: self.failed.iter().map(|(symbol, error)| FailureJson { symbol, error }).collect(),
            no_data: &self.no_data,
            cancelled: self.cancelled,
            stopped_by: self.stopped_by.as_deref(),
        }
        .serialize(serializer)
    }
}
