//! `samovar source`: the staged connection test, and the symbols of a source. What its queries take is `profile`'s.

use super::arguments::SourceCommand;
use super::engine::with_engine;
use super::failure::{Code, Outcome};
use super::session::{Session, source_of_argument};
use super::table::{Side, lay_out};
use crate::format;
use crate::market::format_time;
use crate::source::{Preview, Source, StageOutcome, StageReport, SymbolInfo, TestReport};
use anyhow::Context;

pub(super) fn run(session: &Session<'_>, command: &SourceCommand) -> Outcome {
    let url = match command {
        SourceCommand::Test { url } | SourceCommand::Symbols { url } => url,
        SourceCommand::Profile(options) => &options.url,
    };
    let named;
    let session = match url {
        Some(url) => {
            named = session.with_source(source_of_argument(url)?);
            &named
        }
        None => session,
    };
    match command {
        SourceCommand::Test { .. } => test(session),
        SourceCommand::Symbols { .. } => symbols(session),
        SourceCommand::Profile(options) => super::profile::run(session, options),
    }
}

fn test(session: &Session<'_>) -> Outcome {
    let url = session.source_with_password()?;
    let shown = url.redacted();
    let console = session.console;
    let marks = console.is_terminal();
    let report = with_engine(session, |engine| {
        engine.test_source(url, |stage| {
            if console.is_json() {
                return Ok(());
            }
            console.print(&stage_line(stage, marks))?;
            console.flush()
        })
    })?;
    if console.is_json() {
        console.json(&report_json(&shown, &report))?;
    } else if let Some(preview) = report.preview.as_ref().filter(|_| report.passed()) {
        console.print("\n")?;
        console.print(&preview_table(preview))?;
    }
    Ok(if report.passed() { Code::AllWell } else { Code::Failed })
}

fn stage_line(stage: &StageReport, marks: bool) -> String {
    let (mark, word, text) = match &stage.outcome {
        StageOutcome::Ok { detail } => ("✓", "ok", detail.clone()),
        StageOutcome::Skipped { why } => ("–", "skipped", why.clone()),
        StageOutcome::Failed { what_happened, what_to_do } => ("✗", "failed", format!("{what_happened}; {what_to_do}")),
    };
    let state = if marks { mark } else { word };
    let state_width = if marks { 1 } else { 7 };
    format!("{state:state_width$}  {:11} {:>8}  {text}\n", stage.stage.label(), format::duration(stage.elapsed.as_secs_f64()))
}

fn report_json(url: &str, report: &TestReport) -> serde_json::Value {
    let stages: Vec<_> = report
        .stages
        .iter()
        .map(|stage| {
            let (outcome, text, to_do) = match &stage.outcome {
                StageOutcome::Ok { detail } => ("ok", detail, None),
                StageOutcome::Skipped { why } => ("skipped", why, None),
                StageOutcome::Failed { what_happened, what_to_do } => ("failed", what_happened, Some(what_to_do)),
            };
            serde_json::json!({
                "stage": stage.stage,
                "outcome": outcome,
                "text": text,
                "what_to_do": to_do,
                "seconds": stage.elapsed.as_secs_f64(),
            })
        })
        .collect();
    let columns: Option<serde_json::Map<String, serde_json::Value>> =
        report.columns.as_ref().map(|columns| columns.iter().map(|(role, column)| (role.key().to_owned(), column.into())).collect());
    serde_json::json!({
        "url": url,
        "passed": report.passed(),
        "stages": stages,
        "table": report.table,
        "columns": columns,
        "preview": report.preview,
    })
}

fn preview_table(preview: &Preview) -> String {
    let mut rows = vec![preview.columns.clone()];
    rows.extend(preview.rows.iter().cloned());
    lay_out(&vec![Side::Left; preview.columns.len()], &rows)
}

fn symbols(session: &Session<'_>) -> Outcome {
    let url = session.source_with_password()?;
    let options = session.source_options();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no background threads")?;
    let listed: Vec<SymbolInfo> = runtime.block_on(async {
        let source = Source::connect(&url, &options).await?;
        let listed = source.symbols().await;
        source.close().await;
        listed
    })?;
    // A connection that does not close at once must not hold the answer up.
    runtime.shutdown_background();
    if session.console.is_json() {
        let rows: Vec<_> = listed
            .iter()
            .map(|info| {
                serde_json::json!({
                    "symbol": info.symbol,
                    "first": info.first_us.map(format_time),
                    "last": info.last_us.map(format_time),
                    "bars": info.bar_count,
                })
            })
            .collect();
        session.console.json(&rows)?;
    } else {
        let day = |time_us: Option<i64>| time_us.map_or_else(|| format::NONE.to_owned(), format_time);
        let mut rows = vec![["symbol", "first", "last", "bars"].map(str::to_owned).to_vec()];
        rows.extend(
            listed.iter().map(|info| vec![info.symbol.to_string(), day(info.first_us), day(info.last_us), format::count(info.bar_count)]),
        );
        session.console.print(&lay_out(&[Side::Left, Side::Left, Side::Left, Side::Right], &rows))?;
        session.console.note(&super::console::counted(listed.len(), "symbol", "symbols"));
    }
    Ok(Code::AllWell)
}
