//! What `samovar status SYMBOL` tells of the quality of a symbol's bars: the same findings as the window's inspector.

use crate::cache::{Cache, CacheError, Entry, Judge, peers_of};
use crate::format;
use crate::market::format_time;
use crate::market::quality::{Finding, FindingCounts, MarketDays};
use serde::Serialize;
use std::collections::BTreeMap;

/// Findings shown of each symbol; `--json` has all.
const SHOWN: usize = 20;

/// What was found in one symbol's bars.
#[derive(Serialize)]
pub(super) struct FindingsJson {
    symbol: String,
    source: String,
    counts: FindingCounts,
    /// Sessions of its market that have closed since its last bar; null where the market's days are not known.
    sessions_behind: Option<usize>,
    /// Sessions of the calendar on which no symbol has a bar.
    market_holes: Vec<String>,
    findings: Vec<FindingJson>,
}

#[derive(Serialize)]
struct FindingJson {
    from: String,
    to: String,
    /// The same in words.
    text: String,
    #[serde(flatten)]
    finding: Finding,
}

/// Looks at the bars of these symbols; those that are not cached or cannot be read are left out.
pub(super) fn findings_of(cache: &Cache, judge: &Judge, entries: &[Entry], names: &[String]) -> Result<Vec<FindingsJson>, CacheError> {
    let mut days: BTreeMap<(String, String), MarketDays> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in entries {
        let Some(file) = entry.file.as_ref().filter(|_| entry.key.dataset.is_bars()) else { continue };
        if !names.iter().any(|name| name == entry.key.symbol.as_str()) {
            continue;
        }
        let exchange = judge.rule_of(&entry.key).exchange;
        let source = entry.key.source.to_string();
        let days = days.entry((source.clone(), exchange.code().to_owned())).or_insert_with(|| {
            let of_source: Vec<Entry> = entries.iter().filter(|other| other.key.source == entry.key.source).cloned().collect();
            cache.market_days(exchange, &peers_of(&of_source, judge, exchange))
        });
        let Some(findings) = cache.findings(entry, days)? else { continue };
        let day = |time_us: i64| time_us.div_euclid(crate::market::DAY_US);
        let behind = || days.sessions_behind(file.last_us, exchange.settled_before(cache.now_us()));
        found.push(FindingsJson {
            symbol: entry.key.symbol.to_string(),
            source,
            counts: FindingCounts::of(&findings),
            sessions_behind: days.is_known().then(behind),
            market_holes: days.holes(day(file.first_us), day(file.last_us) + 1).iter().map(ToString::to_string).collect(),
            findings: findings.into_iter().map(json_of).collect(),
        });
    }
    Ok(found)
}

fn json_of(finding: Finding) -> FindingJson {
    FindingJson { from: format_time(finding.from_us), to: format_time(finding.to_us), text: finding.words(), finding }
}

/// The same for people, newest first.
pub(super) fn findings_text(symbols: &[FindingsJson]) -> String {
    let mut text = String::new();
    for found in symbols {
        let behind = match found.sessions_behind {
            Some(0) | None => String::new(),
            Some(behind) => format!(", last bar {} behind its market", format::counted(behind as u64, "session", "sessions")),
        };
        if found.findings.is_empty() {
            text += &format!("\n{} bars: nothing to note{behind}\n", found.symbol);
            continue;
        }
        let count = format::counted(found.findings.len() as u64, "finding", "findings");
        text += &format!("\n{} bars: {count}{behind}, newest first\n", found.symbol);
        for finding in found.findings.iter().rev().take(SHOWN) {
            let dates = if finding.from == finding.to { finding.from.clone() } else { format!("{} – {}", finding.from, finding.to) };
            text += &format!("  {dates}  {}\n", finding.text);
        }
        if found.findings.len() > SHOWN {
            text += &format!("  and {} more; --json lists all\n", format::count((found.findings.len() - SHOWN) as u64));
        }
    }
    text
}
