//! `samovar bench`: the user's own symbols straight from the source against the cache.
//!
//! Opens no cache of the user's: what is measured lies in a folder of its own, which goes with the end of the command.

use super::arguments::BenchOptions;
use super::failure::{Code, Outcome, usage};
use super::interrupt::{self, Wake};
use super::progress::ProgressView;
use super::session::Session;
use super::table::{Side, lay_out};
use crate::feature::FeatureSet;
use crate::format;
use crate::market::Symbol;
use crate::preheat::Control;
use crate::worker::{BenchError, BenchInput, BenchReport, Spread, StageResult, run_bench};
use anyhow::{Context, anyhow};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// Least room for the memory tier of a measurement, so that a small budget does not measure the disk.
const LEAST_MEMORY_BYTES: u64 = 1 << 30;

pub(super) fn run(session: &Session<'_>, options: &BenchOptions) -> Outcome {
    let input = input_of(session, options)?;
    let report = measure(session, input)?;
    let console = session.console;
    if console.is_json() {
        console.json(&report_json(&report))?;
    } else {
        console.print(&report_text(&report))?;
        for note in report.notes() {
            console.note(&note);
        }
    }
    Ok(if report.failed.is_empty() { Code::AllWell } else { Code::SomeFailed })
}

fn input_of(session: &Session<'_>, options: &BenchOptions) -> anyhow::Result<BenchInput> {
    let symbols: Vec<Symbol> = options.symbols.iter().filter(|name| !name.is_empty()).map(Symbol::new).collect();
    if symbols.is_empty() && !options.symbols.is_empty() {
        return Err(usage("--symbols names no symbol; write names with commas between"));
    }
    let settings = &session.context.settings;
    let names = if options.set.is_empty() { &settings.sets } else { &options.set };
    let mut sets: Vec<FeatureSet> = Vec::new();
    for name in names {
        let set = session.library.need(name)?;
        if !sets.iter().any(|known| known.name() == set.name()) {
            sets.push(set);
        }
    }
    if sets.is_empty() {
        sets.push(FeatureSet::classic());
    }
    Ok(BenchInput {
        url: session.source_with_password()?,
        options: session.source_options(),
        symbols: (!symbols.is_empty()).then_some(symbols),
        limit: usize::try_from(options.limit).unwrap_or(usize::MAX),
        runs: usize::try_from(options.runs).unwrap_or(1),
        sets,
        judge: Arc::clone(&session.judge),
        cache_dir: session.cache_dir(),
        memory_budget_bytes: settings.memory_budget_bytes.max(LEAST_MEMORY_BYTES),
        clock: Arc::clone(&session.context.clock),
    })
}

/// Measures on threads of its own, with progress on the terminal; the first Ctrl-C stops it and takes everything away again.
fn measure(session: &Session<'_>, input: BenchInput) -> anyhow::Result<BenchReport> {
    let (wake, wakes) = channel();
    interrupt::listen(wake.clone()).context("signals cannot be watched")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no background threads")?;
    let control = Arc::new(Control::default());
    let (steps, arriving) = channel();
    let (ending, end) = channel();
    let own = Arc::clone(&control);
    let wake_at_end = wake.clone();
    runtime.spawn(async move {
        let told = std::sync::Mutex::new(steps);
        let observe = |progress| {
            let sent = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(progress).is_ok();
            if !sent || wake.send(Wake::Event).is_err() {
                tracing::trace!("nobody looks at the progress any more");
            }
        };
        let measured = run_bench(input, own, observe).await;
        if ending.send(measured).is_err() || wake_at_end.send(Wake::Event).is_err() {
            tracing::trace!("nobody waits for the measurement any more");
        }
    });
    let mut view = ProgressView::new(session.console);
    let measured = wait(&wakes, &control, &mut view, || (arriving.try_iter().last(), end.try_recv().ok()));
    view.finish();
    runtime.shutdown_background();
    measured
}

/// Waits for the end, and shows how far it is.
fn wait(
    wakes: &Receiver<Wake>,
    control: &Control,
    view: &mut ProgressView,
    mut news: impl FnMut() -> (Option<crate::worker::BenchProgress>, Option<Result<BenchReport, BenchError>>),
) -> anyhow::Result<BenchReport> {
    loop {
        match wakes.recv() {
            Ok(Wake::Event) => {}
            Ok(Wake::Interrupt) => {
                view.warn("cancelling: what was written is removed first; once more ends at once");
                control.cancel();
            }
            Err(_) => return Err(anyhow!("the measurement stopped unexpectedly")),
        }
        let (progress, end) = news();
        if let Some(progress) = progress {
            view.measures(progress.done, progress.total, progress.stage.label());
        }
        if let Some(measured) = end {
            return measured.map_err(anyhow::Error::new);
        }
    }
}

fn stage_json(result: &StageResult) -> Value {
    json!({
        "stage": result.stage,
        "label": result.stage.label(),
        "rows": result.rows,
        "seconds": result.seconds,
        "rows_per_second": result.rows_per_second(),
        "ratio": result.ratio,
    })
}

fn report_json(report: &BenchReport) -> Value {
    json!({
        "source": report.url,
        "table": report.table,
        "symbols": report.symbols,
        "one_symbol": report.one_symbol,
        "rows": report.rows,
        "sets": report.sets,
        "features": report.features,
        "runs": report.runs,
        "threads": report.threads,
        "bytes": { "bars": report.bytes.0, "features": report.bytes.1 },
        "page_cache": if report.pages_dropped { "dropped" } else { "warm" },
        "fits_memory": report.fits_memory,
        "no_data": report.no_data,
        "failures": report.failed.iter().map(|(symbol, error)| json!({ "symbol": symbol, "error": error })).collect::<Vec<_>>(),
        "stages": report.stages.iter().map(stage_json).collect::<Vec<_>>(),
    })
}

fn report_text(report: &BenchReport) -> String {
    let head = ["", "time", "min", "max", "rows/s", "against the source"].map(str::to_owned).to_vec();
    let mut rows = vec![head];
    for result in &report.stages {
        let time = |seconds: f64| format::short_time(seconds * 1e6);
        let Spread { median, min, max } = result.seconds;
        rows.push(vec![
            result.stage.label().to_owned(),
            time(median),
            time(min),
            time(max),
            format::count(result.rows_per_second().round() as u64),
            result.ratio_text().unwrap_or_else(|| "1 ×".to_owned()),
        ]);
    }
    lay_out(&[Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right], &rows)
}
