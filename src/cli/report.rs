//! The report of a preheat, for people.

use super::console::{counted, first_of};
use super::failure::Code;
use super::session::{Session, shown};
use crate::cache::{Cache, EntryState};
use crate::format;
use crate::preheat::{FeatureCounts, PreheatReport};
use std::collections::BTreeMap;
use std::fmt::Write;
use strum::IntoEnumIterator;

/// The exit code of a preheat.
pub(super) fn code_of(report: &PreheatReport) -> Code {
    if report.cancelled || report.stopped_by.is_some() {
        Code::Failed
    } else if report.failed.is_empty() {
        Code::AllWell
    } else {
        Code::SomeFailed
    }
}

/// How many entries are in each state; every state is there.
pub(super) fn count_states<'state>(states: impl Iterator<Item = &'state EntryState>) -> BTreeMap<&'static str, usize> {
    let mut counts: BTreeMap<&'static str, usize> = EntryState::iter().map(|state| (state.word(), 0)).collect();
    for state in states {
        *counts.entry(state.word()).or_default() += 1;
    }
    counts
}

/// `964 fresh, 2 failed`: the states that occur, most urgent last.
pub(super) fn states_line(counts: &BTreeMap<&'static str, usize>) -> String {
    let shown: Vec<String> = EntryState::iter()
        .filter_map(|state| {
            counts.get(state.word()).filter(|count| **count > 0).map(|count| format!("{} {state}", format::count(*count as u64)))
        })
        .collect();
    if shown.is_empty() { "nothing cached".to_owned() } else { shown.join(", ") }
}

/// Tells how a preheat went: on stdout, as text or as the one JSON document.
pub(super) fn tell(session: &Session<'_>, report: &PreheatReport) -> anyhow::Result<Code> {
    if session.console.is_json() {
        session.console.json(report)?;
    } else {
        let cache = session.open_cache()?;
        session.console.print(&text_of(session, &cache, report)?)?;
    }
    if let Some(reason) = &report.stopped_by {
        session.console.warn(&format!("the preheat had to stop: {reason}"));
    }
    if report.cancelled {
        session.console.warn("cancelled; what was finished is safe, run it again to go on");
    }
    Ok(code_of(report))
}

/// How the columns of features came about: `3 computed, 132 taken from the version before`.
fn columns_line(features: &FeatureCounts) -> Option<String> {
    let parts = [
        (features.computed, "computed"),
        (features.continued, "continued"),
        (features.reused, "taken from the version before"),
        (features.restored, "brought back"),
    ];
    let told: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", format::count(*count))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn text_of(session: &Session<'_>, cache: &Cache, report: &PreheatReport) -> anyhow::Result<String> {
    let source = session.source();
    let states = cache.states(source.map(crate::source::SourceUrl::id).as_ref(), &session.judge)?;
    let counts = count_states(states.iter().map(|(_entry, state)| state));
    let name = source.map(crate::source::SourceUrl::redacted).unwrap_or_default();
    let mut text = String::new();
    let seconds = report.seconds;
    let rate = if seconds.total > 0.0 && report.rows > 0 {
        format!(" ({})", format::rows_per_second(report.rows as f64 / seconds.total))
    } else {
        String::new()
    };
    let nothing_to_do = report.skipped_fresh == report.requested && report.requested > 0;
    if nothing_to_do {
        writeln!(text, "Everything is fresh, nothing to do")?;
    } else {
        writeln!(text, "Preheated {} in {}", counted(report.ok, "symbol", "symbols"), format::duration(seconds.total))?;
    }
    writeln!(text, "  source    {name}")?;
    let count = |value: usize| format::count(value as u64);
    writeln!(text, "  symbols   {} requested", count(report.requested))?;
    writeln!(text, "            {} ok", count(report.ok))?;
    let mut among_them = |number: usize, what: &str| {
        if number > 0 { writeln!(text, "            {} of them {what}", count(number)) } else { Ok(()) }
    };
    among_them(report.unchanged, "as they were cached, nothing was transferred")?;
    among_them(report.appended, "got new bars")?;
    among_them(report.changed.len(), "with a rewritten history")?;
    writeln!(text, "            {} skipped, fresh already", count(report.skipped_fresh))?;
    writeln!(text, "            {} without data", count(report.no_data.len()))?;
    writeln!(text, "            {} failed", count(report.failed.len()))?;
    if report.not_reached > 0 {
        writeln!(text, "            {} not reached", count(report.not_reached))?;
    }
    writeln!(text, "  rows      {}{rate}", format::count(report.rows))?;
    if report.rows_dropped > 0 {
        writeln!(
            text,
            "            {} dropped: no price, or a time twice; `samovar status SYMBOL --json` tells of which",
            format::count(report.rows_dropped)
        )?;
    }
    if let Some(columns) = columns_line(&report.features) {
        writeln!(text, "  columns   {columns}")?;
    }
    if let Some(rounding) = report.features.rounding {
        writeln!(text, "            kept as Float32, off by at most {rounding:.1e} of a value")?;
    }
    if report.features.kept_older > 0 {
        let kept = format::counted(report.features.kept_older, "entry", "entries");
        writeln!(
            text,
            "            {kept} of the definition before {} readable (`samovar sets show SET --versions`)",
            if report.features.kept_older == 1 { "stays" } else { "stay" }
        )?;
    }
    writeln!(text, "  written   {} bars, {} features", format::bytes(report.bars_bytes), format::bytes(report.features_bytes))?;
    writeln!(
        text,
        "  seconds   {:.3} in all; busy: {:.3} fetch, {:.3} compute, {:.3} write",
        seconds.total, seconds.fetch, seconds.compute, seconds.write
    )?;
    writeln!(text, "  entries   {}", states_line(&counts))?;
    writeln!(text, "  cache     {}", shown(&session.cache_dir()))?;
    if !report.changed.is_empty() {
        text.push_str("\nhistory rewritten at the source (`samovar status SYMBOL` tells how):\n");
        text.push_str(&first_of(&report.changed, |symbol| format!("  {symbol}")));
    }
    if !report.no_data.is_empty() {
        text.push_str("\nwithout data:\n");
        text.push_str(&first_of(&report.no_data, |symbol| format!("  {symbol}")));
    }
    if !report.failed.is_empty() {
        text.push_str("\nfailed:\n");
        text.push_str(&first_of(&report.failed, |(symbol, reason)| format!("  {symbol}: {reason}")));
    }
    Ok(text)
}
