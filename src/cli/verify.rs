//! `samovar verify`: every file against its checksum and the catalog; with `--repair` what is broken is made whole.

use super::arguments::VerifyOptions;
use super::console::{counted, first_of};
use super::engine::{PATIENCE, with_engine};
use super::failure::{Code, Outcome};
use super::session::Session;
use crate::cache::{Cache, Dataset, EntryKey, VerifyReport};
use crate::market::Symbol;
use crate::preheat::Scope;
use crate::source::SourceId;
use crate::worker::PreheatOrder;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

#[derive(Serialize)]
struct VerifyJson<'report> {
    #[serde(flatten)]
    report: &'report VerifyReport,
    repaired: bool,
    restored: usize,
    failures: &'report [String],
}

/// What a repair brought back.
#[derive(Default)]
struct Restored {
    symbols: usize,
    failures: Vec<String>,
}

pub(super) fn run(session: &Session<'_>, options: &VerifyOptions) -> Outcome {
    let report = with_engine(session, |engine| engine.verify(options.repair))?;
    let restored = if options.repair { restore(session, &report.to_restore)? } else { Restored::default() };
    if session.console.is_json() {
        let (failures, symbols) = (&restored.failures, restored.symbols);
        session.console.json(&VerifyJson { report: &report, repaired: options.repair, restored: symbols, failures })?;
    } else {
        session.console.print(&text_of(&report, options.repair, &restored)?)?;
    }
    let whole = report.is_clean() || (options.repair && restored.failures.is_empty());
    if !whole && !options.repair {
        session.console.note("`samovar verify --repair` quarantines what is damaged and fetches it again");
    }
    Ok(if whole { Code::AllWell } else { Code::SomeFailed })
}

/// Fetches or computes again what a check found broken, source by source.
fn restore(session: &Session<'_>, broken: &[EntryKey]) -> anyhow::Result<Restored> {
    let mut restored = Restored::default();
    if broken.is_empty() {
        return Ok(restored);
    }
    let cache = session.open_cache()?;
    let mut by_source: BTreeMap<SourceId, Vec<&EntryKey>> = BTreeMap::new();
    for key in broken {
        by_source.entry(key.source.clone()).or_default().push(key);
    }
    for (source, keys) in by_source {
        let order = order_of(session, &cache, &source, &keys)?;
        let run = || {
            let session = session.for_source(&cache, &source)?;
            with_engine(&session, |engine| engine.preheat(order))
        };
        match run() {
            Ok(report) => {
                restored.symbols += report.ok;
                restored.failures.extend(report.failed.iter().map(|(symbol, reason)| format!("{symbol}: {reason}")));
                restored.failures.extend(report.no_data.iter().map(|symbol| format!("{symbol}: the source has no bars of it any more")));
                restored.failures.extend(report.stopped_by);
                if report.cancelled {
                    restored.failures.push("cancelled before everything was fetched again".to_owned());
                }
            }
            Err(error) => {
                restored.failures.push(format!("{} of {source} could not be restored: {error:#}", counted(keys.len(), "entry", "entries")));
            }
        }
    }
    Ok(restored)
}

/// A preheat that touches only what is broken: bars where bars are, and the sets these symbols had.
fn order_of(session: &Session<'_>, cache: &Cache, source: &SourceId, keys: &[&EntryKey]) -> anyhow::Result<PreheatOrder> {
    let symbols: BTreeSet<Symbol> = keys.iter().map(|key| key.symbol.clone()).collect();
    let entries = cache.catalog().entries(Some(source))?;
    let of_symbols = entries.iter().filter(|entry| symbols.contains(&entry.key.symbol));
    let with_bars: BTreeSet<&Symbol> =
        (of_symbols.clone()).filter(|entry| entry.key.dataset.is_bars() && entry.file.is_some()).map(|entry| &entry.key.symbol).collect();
    // Features can outlive their bars, which may have been evicted: to compute them again takes both.
    let bars_broken = with_bars.len() < symbols.len() || keys.iter().any(|key| key.dataset.is_bars());
    let sets: BTreeSet<String> = of_symbols
        .filter_map(|entry| match &entry.key.dataset {
            Dataset::Features(set) => Some(set.to_string()),
            Dataset::Bars | Dataset::Older(_) => None,
        })
        .collect();
    let scope = match (bars_broken, sets.is_empty()) {
        (true, true) => Scope::BarsOnly,
        (true, false) => Scope::All,
        (false, _) => Scope::FeaturesOnly,
    };
    Ok(PreheatOrder {
        title: format!("Repair {}", counted(symbols.len(), "symbol", "symbols")),
        symbols: Some(symbols.into_iter().collect()),
        scope,
        sets: (!sets.is_empty()).then(|| sets.into_iter().collect()),
        ttl: session.context.overrides.ttl,
        patience: Some(PATIENCE),
        ..PreheatOrder::default()
    })
}

fn text_of(report: &VerifyReport, repaired: bool, restored: &Restored) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "checked {}: {} as they should be", counted(report.checked, "file", "files"), report.ok)?;
    if !report.catalog.is_empty() {
        writeln!(text, "\nthe catalog:")?;
        text.push_str(&first_of(&report.catalog, |found| format!("  {found}")));
    }
    for (name, findings) in [("damaged", &report.damaged), ("missing", &report.missing)] {
        if !findings.is_empty() {
            writeln!(text, "\n{} {name}:", findings.len())?;
            text.push_str(&first_of(findings, |found| {
                format!("  {} {}: {} ({})", found.symbol, found.dataset, found.reason, found.path.display())
            }));
        }
    }
    if !report.orphans.is_empty() {
        writeln!(text, "\n{} unknown to the catalog:", report.orphans.len())?;
        text.push_str(&first_of(&report.orphans, |path| format!("  {}", path.display())));
    }
    if repaired && !report.is_clean() {
        writeln!(text, "\nrepaired; {} fetched or computed again", counted(restored.symbols, "symbol", "symbols"))?;
    }
    if !restored.failures.is_empty() {
        writeln!(text, "\nnot restored:")?;
        text.push_str(&first_of(&restored.failures, |failure| format!("  {failure}")));
    }
    Ok(text)
}
