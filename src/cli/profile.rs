//! `samovar source profile`: what the queries of a source take, how the database goes about them, and the index that is missing.

use super::arguments::ProfileOptions;
use super::console::counted;
use super::engine::with_engine;
use super::failure::{Code, Outcome, usage};
use super::session::Session;
use super::table::{Side, lay_out};
use crate::format;
use crate::market::{Symbol, format_time};
use crate::source::{IndexFinding, IndexState, QueryPlan, QueryTiming};
use crate::worker::{PROFILED_SYMBOLS, ProfileReport, ProfileRequest};
use serde_json::{Value, json};

/// Queries listed where nobody says how many.
const RECORDED: usize = 20;

pub(super) fn run(session: &Session<'_>, options: &ProfileOptions) -> Outcome {
    let limit = |usual: usize| options.limit.map_or(usual, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if options.recorded {
        return recorded(session, limit(RECORDED));
    }
    let symbols: Vec<Symbol> = options.symbols.iter().filter(|name| !name.is_empty()).map(Symbol::new).collect();
    if symbols.is_empty() && !options.symbols.is_empty() {
        return Err(usage("--symbols names no symbol; write names with commas between"));
    }
    session.need_source()?;
    let named = symbols.len();
    let request =
        ProfileRequest { symbols: (named > 0).then_some(symbols), limit: limit(named.max(PROFILED_SYMBOLS)), analyze: options.analyze };
    let report = with_engine(session, |engine| engine.profile(request))?;
    if session.console.is_json() {
        session.console.json(&report_json(&report))?;
    } else {
        session.console.print(&report_text(&report))?;
    }
    Ok(if report.failed.is_empty() { Code::AllWell } else { Code::SomeFailed })
}

/// Lists what was recorded; asks no source.
fn recorded(session: &Session<'_>, limit: usize) -> Outcome {
    let url = session.need_source()?;
    let id = url.id();
    let (queries, index) = match session.cache_if_any()? {
        Some(cache) => (cache.catalog().slow_queries(&id, limit, cache.now_us())?, cache.catalog().index_finding(&id)?),
        None => (Vec::new(), None),
    };
    if session.console.is_json() {
        let document = json!({
            "source": url.redacted(),
            "queries": queries.iter().map(query_json).collect::<Vec<_>>(),
            "index": index,
        });
        session.console.json(&document)?;
    } else if queries.is_empty() {
        session.console.note("nothing was recorded in the last 30 days: a preheat or `samovar source profile` records what it asks");
    } else {
        session
            .console
            .print(&(queries_text(&queries) + &index.as_ref().map_or_else(String::new, |index| format!("\n{}", advice(index)))))?;
    }
    Ok(Code::AllWell)
}

fn query_json(query: &QueryTiming) -> Value {
    json!({
        "purpose": query.purpose,
        "statement": query.statement,
        "about": query.about,
        "began": format_time(query.began_us),
        "seconds": query.seconds,
        "first_row_seconds": query.first_row_seconds,
        "rows": query.rows,
        "bytes": query.bytes,
        "rows_per_second": query.rows_per_second(),
        "bytes_per_second": query.bytes_per_second(),
        "error": query.error,
    })
}

fn report_json(report: &ProfileReport) -> Value {
    json!({
        "source": report.url,
        "table": report.table,
        "symbols": report.symbols,
        "failures": report.failed.iter().map(|(symbol, error)| json!({ "symbol": symbol, "error": error })).collect::<Vec<_>>(),
        "queries": report.queries.iter().map(query_json).collect::<Vec<_>>(),
        "plans": report.plans,
        "index": report.index,
    })
}

fn report_text(report: &ProfileReport) -> String {
    let mut text = queries_text(&report.queries);
    for plan in &report.plans {
        text += &format!("\n{}, as the database {} it\n", plan.purpose.label(), if plan.analyzed { "ran" } else { "plans" });
        text += &indented(&plan_text(plan));
    }
    if let Some(index) = &report.index {
        text += &format!("\n{}", advice(index));
    }
    if !report.failed.is_empty() {
        text += &format!("\n{} could not be read\n", counted(report.failed.len(), "symbol", "symbols"));
        text += &super::console::first_of(&report.failed, |(symbol, error)| format!("  {symbol}: {error}"));
    }
    text
}

fn queries_text(queries: &[QueryTiming]) -> String {
    let head = ["query", "seconds", "first row", "rows", "rows/s", "bytes/s", "about"].map(str::to_owned).to_vec();
    let lines = queries.iter().map(|query| {
        let rate = |rate: f64| format::count(rate.round() as u64);
        vec![
            query.purpose.label().to_owned(),
            format::fixed(query.seconds, 4),
            query.first_row_seconds.map_or_else(|| format::NONE.to_owned(), |seconds| format::fixed(seconds, 4)),
            format::count(query.rows),
            rate(query.rows_per_second()),
            format!("{}/s", format::bytes(query.bytes_per_second().round() as u64)),
            query.error.as_ref().map_or_else(|| query.about.clone(), |error| format!("failed: {error}")),
        ]
    });
    let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right, Side::Right, Side::Left];
    let mut text = lay_out(&sides, &std::iter::once(head).chain(lines).collect::<Vec<_>>());
    // Each statement once, however often it was sent.
    let mut told: Vec<&str> = Vec::new();
    for query in queries {
        if !told.contains(&query.statement.as_str()) {
            told.push(&query.statement);
            text += &format!("\n{}\n{}", query.purpose.label(), indented(&format!("{}\n", query.statement)));
        }
    }
    text
}

fn plan_text(plan: &QueryPlan) -> String {
    match plan.columns.as_slice() {
        [] => String::new(),
        [_] => plan.rows.iter().flatten().map(|line| format!("{line}\n")).collect(),
        columns => {
            let rows: Vec<Vec<String>> = std::iter::once(columns.to_vec()).chain(plan.rows.iter().cloned()).collect();
            lay_out(&vec![Side::Left; columns.len()], &rows)
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn advice(index: &IndexFinding) -> String {
    let mut text = format!("{}\n", index.words());
    if let IndexState::Missing { create, .. } = &index.state {
        text += &format!("This would make it; Samovar changes nothing at a source, so run it yourself:\n  {create}\n");
    }
    text
}
