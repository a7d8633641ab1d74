//! `samovar status`: what is cached, how warm it is, and what it is worth.

use super::arguments::StatusOptions;
use super::console::counted;
use super::failure::{Code, Outcome};
use super::findings::{FindingsJson, findings_of, findings_text};
use super::report::{count_states, states_line};
use super::session::Session;
use super::table::{Side, lay_out};
use crate::cache::{
    BudgetLevel, Cache, Change, Entry, EntryKey, EntryState, HitCounts, Latency, LoggedLookup, LookupReason, LookupSpan, OlderVersions,
    Tier, TimeToLive, YearFile, expires_at_us,
};
use crate::format;
use crate::market::{Quality, SECOND_US, Symbol, format_time};
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The fixed JSON form.
#[derive(Serialize)]
struct StatusJson {
    cache_dir: PathBuf,
    symbols: usize,
    rows: u64,
    rows_dropped: u64,
    bytes: BytesJson,
    states: BTreeMap<&'static str, usize>,
    /// Older versions of feature sets; they are in no state, and their bytes count among those of features.
    older_versions: OlderVersions,
    hits: HitsJson,
    ttl: TimeToLive,
    ttl_secs: Option<u64>,
    sources: Vec<SourceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EntryJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Change>>,
    /// What is worth a look in the bars of the symbols that were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingsJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lookups: Option<Vec<LookupJson>>,
    /// The room taken in words, where a limit is near.
    #[serde(skip)]
    warning: Option<String>,
}

#[derive(Serialize)]
struct BytesJson {
    bars: u64,
    features: u64,
    total: u64,
    budget: u64,
    budget_level: BudgetLevel,
    trash: u64,
    free_disk: Option<u64>,
}

#[derive(Serialize)]
struct HitsJson {
    #[serde(flatten)]
    counts: HitCounts,
    rate: Option<f64>,
    stale: u64,
    bytes: u64,
    /// Since there is a cache.
    saved_secs: f64,
    /// By tier, where there were lookups.
    latency: BTreeMap<Tier, Latency>,
}

#[derive(Serialize)]
struct LookupJson {
    at: Option<String>,
    source: String,
    symbol: String,
    dataset: String,
    tier: Tier,
    reason: LookupReason,
    elapsed_us: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct SourceJson {
    source: String,
    url: Option<String>,
    symbols: usize,
    rows: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct EntryJson {
    symbol: String,
    source: Option<String>,
    dataset: String,
    state: EntryState,
    rows: u64,
    first: Option<String>,
    last: Option<String>,
    bytes: u64,
    fetched_at: Option<String>,
    /// For bars: when their whole history was last compared with the source's.
    history_verified_at: Option<String>,
    expires_at: Option<String>,
    ttl: Option<TimeToLive>,
    exchange: Option<&'static str>,
    ttl_left_secs: Option<i64>,
    /// Its file, or the folder of its years.
    path: Option<PathBuf>,
    /// Of bars that are kept in a file per year.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    years: Vec<YearJson>,
    definition_hash: Option<String>,
    /// Whether it is what another definition computed.
    older_version: bool,
    /// Largest relative error of a value that is stored rounded.
    rounding: Option<f64>,
    /// In one sentence, why it is in its state.
    why: Option<String>,
    failure: Option<String>,
    attempts: u32,
    next_attempt_at: Option<String>,
    /// Time of the first bar of a session that was not closed.
    provisional_from: Option<String>,
    quality: Quality,
    pinned: bool,
    hits: u64,
}

#[derive(Serialize)]
struct YearJson {
    year: i32,
    rows: u64,
    bytes: u64,
}

impl YearJson {
    fn of(file: &YearFile) -> Self {
        Self { year: file.year, rows: file.rows, bytes: file.size_bytes }
    }
}

pub(super) fn run(session: &Session<'_>, options: &StatusOptions) -> Outcome {
    let cache = session.open_cache()?;
    let states = cache.states(session.told_source().as_ref(), &session.judge)?;
    for exchange in session.judge.calendars_over(states.iter().map(|(entry, _)| &entry.key), cache.now_us()) {
        let end = exchange.coverage_end().map(|day| day.to_string()).unwrap_or_default();
        session.console.warn(&format!(
            "the holidays of {exchange} are known until {end} only; a newer Samovar knows more, until then every weekday counts as a session"
        ));
    }
    let mut status = summary(session, &cache, &states)?;
    if !options.symbols.is_empty() {
        let older = cache.older_entries(session.told_source().as_ref())?;
        let older = older.into_iter().map(|entry| (entry, EntryState::Fresh));
        let mut all: Vec<(Entry, EntryState)> = states.iter().cloned().chain(older).collect();
        all.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
        status.entries = Some(entries_of(session, &cache, &all, &options.symbols));
        status.changes = Some(changes_of(&cache, &options.symbols)?);
        let current: Vec<Entry> = states.into_iter().map(|(entry, _state)| entry).collect();
        status.findings = Some(findings_of(&cache, &session.judge, &current, &options.symbols)?);
    }
    if options.lookups {
        status.lookups = Some(lookups_of(&cache, &options.symbols)?);
    }
    if session.console.is_json() {
        session.console.json(&status)?;
    } else {
        session.console.print(&text_of(session, &status))?;
    }
    Ok(Code::AllWell)
}

fn summary(session: &Session<'_>, cache: &Cache, states: &[(Entry, EntryState)]) -> anyhow::Result<StatusJson> {
    let mut by_source: BTreeMap<&str, SourceJson> = BTreeMap::new();
    let (mut bars_bytes, mut features_bytes, mut rows_dropped) = (0, 0, 0);
    for (entry, _state) in states {
        let source = by_source.entry(entry.key.source.as_str()).or_insert_with(|| SourceJson {
            source: entry.key.source.to_string(),
            url: None,
            symbols: 0,
            rows: 0,
            bytes: 0,
        });
        source.bytes += entry.size_bytes();
        if entry.key.dataset.is_bars() {
            bars_bytes += entry.size_bytes();
            if entry.file.is_some() {
                source.symbols += 1;
                source.rows += entry.rows();
                rows_dropped += entry.quality.dropped() as u64;
            }
        } else {
            features_bytes += entry.size_bytes();
        }
    }
    let mut sources: Vec<SourceJson> = by_source.into_values().collect();
    for source in &mut sources {
        source.url = cache.catalog().source_url(&crate::source::SourceId::new(&source.source))?;
    }
    let mut older = OlderVersions::default();
    for entry in cache.older_entries(session.told_source().as_ref())? {
        older.entries += 1;
        older.bytes += entry.size_bytes();
        features_bytes += entry.size_bytes();
        if let Some(source) = sources.iter_mut().find(|source| source.source == entry.key.source.as_str()) {
            source.bytes += entry.size_bytes();
        }
    }
    let usage = cache.usage()?;
    let budget = cache.budget_status()?;
    Ok(StatusJson {
        cache_dir: session.cache_dir(),
        // A symbol that was cached from two sources is counted for each: these are two copies of bars.
        symbols: sources.iter().map(|source| source.symbols).sum(),
        rows: sources.iter().map(|source| source.rows).sum(),
        rows_dropped,
        bytes: BytesJson {
            bars: bars_bytes,
            features: features_bytes,
            total: bars_bytes + features_bytes,
            budget: session.context.settings.disk_budget_bytes,
            budget_level: budget.level,
            trash: usage.trash_bytes,
            free_disk: usage.free_disk_bytes,
        },
        states: count_states(states.iter().map(|(_entry, state)| state)),
        older_versions: older,
        hits: hits_of(cache)?,
        ttl: session.judge.rules.default_ttl(),
        ttl_secs: session.judge.rules.default_ttl().secs(),
        sources,
        entries: None,
        changes: None,
        findings: None,
        lookups: None,
        warning: (budget.level > BudgetLevel::Ok).then_some(budget.text),
    })
}

/// Lookups of 30 days, and the time saved since there is a cache.
fn hits_of(cache: &Cache) -> anyhow::Result<HitsJson> {
    let stats = cache.lookup_stats(LookupSpan::Month)?;
    let saved_us: u64 = cache.lookup_totals()?.values().map(|totals| totals.saved_us).sum();
    let (counts, totals) = (stats.counts(), stats.totals());
    Ok(HitsJson {
        counts,
        rate: counts.rate(),
        stale: totals.stale,
        bytes: totals.size_bytes,
        saved_secs: saved_us as f64 / 1e6,
        latency: stats.tiers.into_iter().filter_map(|(tier, lookups)| Some((tier, lookups.latency?))).collect(),
    })
}

/// Most lookups shown.
const LOOKUPS_SHOWN: usize = 50;

/// The newest lookups of these symbols (of all, when none are named), newest first.
fn lookups_of(cache: &Cache, names: &[String]) -> anyhow::Result<Vec<LookupJson>> {
    let mut logged = Vec::new();
    for name in names {
        logged.extend(cache.logged_lookups(Some(&Symbol::new(name)), LOOKUPS_SHOWN)?);
    }
    if names.is_empty() {
        logged = cache.logged_lookups(None, LOOKUPS_SHOWN)?;
    }
    logged.sort_by_key(|lookup| std::cmp::Reverse(lookup.at_us));
    let shown = logged.into_iter().map(|LoggedLookup { at_us, key, tier, reason, elapsed_us, size_bytes }| LookupJson {
        at: instant(at_us),
        source: key.source.to_string(),
        symbol: key.symbol.to_string(),
        dataset: key.dataset.name().to_owned(),
        tier,
        reason,
        elapsed_us,
        bytes: size_bytes,
    });
    Ok(shown.take(LOOKUPS_SHOWN).collect())
}

/// RFC 3339, as programs like it.
fn instant(time_us: i64) -> Option<String> {
    DateTime::from_timestamp_micros(time_us).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn entries_of(session: &Session<'_>, cache: &Cache, states: &[(Entry, EntryState)], names: &[String]) -> Vec<EntryJson> {
    let mut found = Vec::new();
    for name in names {
        let before = found.len();
        found.extend(
            states
                .iter()
                .filter(|(entry, _)| entry.key.symbol.as_str() == name)
                .map(|(entry, state)| entry_json(session, cache, entry, *state)),
        );
        if found.len() == before {
            found.push(missing(name));
        }
    }
    found
}

fn missing(name: &str) -> EntryJson {
    EntryJson {
        symbol: name.to_owned(),
        source: None,
        dataset: "bars".to_owned(),
        state: EntryState::Missing,
        rows: 0,
        first: None,
        last: None,
        bytes: 0,
        fetched_at: None,
        history_verified_at: None,
        expires_at: None,
        ttl: None,
        exchange: None,
        ttl_left_secs: None,
        path: None,
        years: Vec::new(),
        definition_hash: None,
        older_version: false,
        rounding: None,
        why: None,
        failure: None,
        attempts: 0,
        next_attempt_at: None,
        provisional_from: None,
        quality: Quality::default(),
        pinned: false,
        hits: 0,
    }
}

fn entry_json(session: &Session<'_>, cache: &Cache, entry: &Entry, state: EntryState) -> EntryJson {
    let file = entry.file.as_ref();
    let rule = session.judge.rule_of(&entry.key);
    let expires = expires_at_us(entry, rule);
    EntryJson {
        source: Some(entry.key.source.to_string()),
        dataset: entry.key.dataset.name().to_owned(),
        state,
        rows: entry.rows(),
        first: file.map(|file| format_time(file.first_us)),
        last: file.map(|file| format_time(file.last_us)),
        bytes: entry.size_bytes(),
        fetched_at: file.and_then(|_| instant(entry.fetched_at_us)),
        history_verified_at: entry.verified_us().and_then(instant),
        expires_at: expires.and_then(instant),
        ttl: Some(rule.ttl),
        exchange: Some(rule.exchange.code()),
        ttl_left_secs: expires.map(|at_us| ((at_us - cache.now_us()) / SECOND_US).max(0)).filter(|_| state == EntryState::Fresh),
        path: file.map(|file| cache.folders().absolute(&entry.key.dataset, &file.path)),
        years: file.map_or(&[][..], |file| &file.years).iter().map(YearJson::of).collect(),
        definition_hash: entry.provenance.map(|provenance| provenance.definition.to_string()),
        older_version: entry.key.dataset.is_older(),
        rounding: cache.footer_of(entry).and_then(|footer| footer.rounding),
        why: if entry.key.dataset.is_older() { Some(OLDER.to_owned()) } else { Some(why_of(session, cache, entry)) },
        failure: entry.failure.as_ref().map(|failure| failure.message.clone()),
        attempts: entry.failure.as_ref().map_or(0, |failure| failure.attempts),
        next_attempt_at: entry.failure.as_ref().and_then(|failure| failure.next_attempt_us).and_then(instant),
        provisional_from: entry.provisional_from_us.map(format_time),
        quality: entry.quality,
        pinned: entry.pinned,
        hits: entry.hits,
        ..missing(entry.key.symbol.as_str())
    }
}

/// What is said of an older version instead of why it is in its state.
const OLDER: &str = "What the set computed before its definition changed; it stays as it is";

/// Why an entry is in its state, in one sentence.
fn why_of(session: &Session<'_>, cache: &Cache, entry: &Entry) -> String {
    let now_us = cache.now_us();
    let bars = EntryKey::bars(&entry.key.source, &entry.key.symbol);
    let bars_fingerprint = cache.catalog().entry(&bars).ok().flatten().and_then(|bars| bars.file).map(|file| file.fingerprint);
    session.judge.why(Some(entry), &entry.key, bars_fingerprint, now_us).sentence(now_us, &chrono::Local)
}

/// Most changes shown of each symbol.
const CHANGES_SHOWN: usize = 20;

fn changes_of(cache: &Cache, names: &[String]) -> anyhow::Result<Vec<Change>> {
    let mut changes = Vec::new();
    for name in names {
        changes.extend(cache.catalog().changes(None, Some(&Symbol::new(name)), CHANGES_SHOWN)?);
    }
    Ok(changes)
}

fn changes_text(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let at = instant(change.noticed_us).unwrap_or_default();
        text.push_str(&format!("{} {} {at}: {}\n", change.symbol, change.kind.word(), change.detail));
    }
    text
}

fn text_of(session: &Session<'_>, status: &StatusJson) -> String {
    let bytes = &status.bytes;
    let budget = if bytes.budget > 0 { format!(" of {} allowed", format::bytes(bytes.budget)) } else { String::new() };
    let rate = status.hits.rate.map_or_else(|| "no lookups yet".to_owned(), format::percent);
    let hits = &status.hits.counts;
    let mut rows = vec![
        ("cache", status.cache_dir.display().to_string()),
        ("symbols", format!("{} with {} bars", format::count(status.symbols as u64), format::count(status.rows))),
        (
            "size",
            format!(
                "{}{budget}: {} bars, {} features",
                format::bytes(bytes.total),
                format::bytes(bytes.bars),
                format::bytes(bytes.features)
            ),
        ),
        ("entries", states_line(&status.states)),
        ("hit rate", format!("{rate}: {} memory, {} disk, {} shared, {} missed", hits.memory, hits.disk, hits.shared, hits.miss)),
        ("fresh for", status.ttl.to_string()),
    ];
    for rule in session.judge.rules.rules() {
        rows.push(("rule", rule.to_string()));
    }
    if status.hits.stale > 0 {
        let hits = hits.total() - hits.miss;
        rows.push(("not fresh", format!("{} of {} answers, each marked", format::count(status.hits.stale), format::count(hits))));
    }
    for (tier, latency) in &status.hits.latency {
        if *tier != Tier::Miss {
            let [half, most, nearly_all] = [latency.p50_us, latency.p95_us, latency.p99_us].map(micros);
            rows.push(("answered in", format!("{half} from {}, 95 % within {most}, 99 % within {nearly_all}", tier.word())));
        }
    }
    if status.hits.saved_secs > 0.0 {
        rows.push(("time saved", format!("{} so far, against asking the source each time", format::duration(status.hits.saved_secs))));
    }
    if status.older_versions.entries > 0 {
        let OlderVersions { entries, bytes } = status.older_versions;
        let text = format!("{} of older versions of sets, {}", format::counted(entries, "entry", "entries"), format::bytes(bytes));
        rows.push(("older", text));
    }
    if let Some(warning) = &status.warning {
        rows.push(("room", warning.clone()));
    }
    if bytes.trash > 0 {
        rows.push(("trash", format!("{}; `samovar clear --undo` brings the last back", format::bytes(bytes.trash))));
    }
    for source in &status.sources {
        let url = source.url.as_deref().unwrap_or(&source.source);
        rows.push((
            "source",
            format!(
                "{url}  {}, {} bars, {}",
                counted(source.symbols, "symbol", "symbols"),
                format::count(source.rows),
                format::bytes(source.bytes)
            ),
        ));
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut text = lay_out(&[Side::Left, Side::Left], &rows);
    if let Some(entries) = &status.entries {
        text.push('\n');
        text.push_str(&entries_table(entries));
    }
    if let Some(changes) = status.changes.as_deref().filter(|changes| !changes.is_empty()) {
        text.push_str("\nchanges at the source, newest first:\n");
        text.push_str(&changes_text(changes));
    }
    if let Some(findings) = &status.findings {
        text.push_str(&findings_text(findings));
    }
    if let Some(lookups) = &status.lookups {
        text.push('\n');
        text.push_str(&lookups_table(lookups));
    }
    text
}

/// Microseconds for people: `4 µs`, `1.2 ms`.
fn micros(micros: f64) -> String {
    if micros < 1_000.0 { format!("{micros:.0} µs") } else { format::duration(micros / 1e6) }
}

fn lookups_table(lookups: &[LookupJson]) -> String {
    if lookups.is_empty() {
        return "no lookups were logged\n".to_owned();
    }
    let mut rows = vec![["time", "symbol", "dataset", "tier", "reason", "took", "size", "source"].map(str::to_owned).to_vec()];
    for lookup in lookups {
        rows.push(vec![
            lookup.at.clone().unwrap_or_else(|| format::NONE.to_owned()),
            lookup.symbol.clone(),
            lookup.dataset.clone(),
            lookup.tier.word().to_owned(),
            lookup.reason.word().to_owned(),
            micros(lookup.elapsed_us as f64),
            format::bytes(lookup.bytes),
            lookup.source.clone(),
        ]);
    }
    use Side::{Left, Right};
    lay_out(&[Left, Left, Left, Left, Left, Right, Right, Left], &rows)
}

fn entries_table(entries: &[EntryJson]) -> String {
    let head = ["symbol", "dataset", "state", "rows", "first", "last", "size", "fetched", "fresh for", "source"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| format::NONE.to_owned());
    for entry in entries {
        rows.push(vec![
            entry.symbol.clone(),
            entry.dataset.clone(),
            if entry.older_version { "older version".to_owned() } else { entry.state.to_string() },
            format::count(entry.rows),
            text(&entry.first),
            text(&entry.last),
            format::bytes(entry.bytes),
            text(&entry.fetched_at),
            entry.ttl_left_secs.map_or_else(|| format::NONE.to_owned(), |secs| format::duration(secs as f64)),
            text(&entry.source),
        ]);
    }
    use Side::{Left, Right};
    let mut table = lay_out(&[Left, Left, Left, Right, Left, Left, Right, Left, Right, Left], &rows);
    table.push('\n');
    for entry in entries {
        if let Some(rounding) = entry.rounding {
            let text = format!(
                "{} {}: kept as Float32, its values are off by at most {rounding:.1e} of themselves\n",
                entry.symbol, entry.dataset
            );
            table.push_str(&text);
        }
        if let Some(why) = &entry.why {
            table.push_str(&format!("{} {}: {why}\n", entry.symbol, entry.dataset));
        }
        if let Some(at) = &entry.history_verified_at {
            table.push_str(&format!("{} {}: history verified {at}\n", entry.symbol, entry.dataset));
        }
    }
    table
}
