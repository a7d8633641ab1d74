//! `samovar invalidate`, `samovar refresh`, `samovar clear`: what changes entries that are cached.

use super::arguments::{ClearOptions, Which};
use super::console::counted;
use super::engine::{PATIENCE, with_engine};
use super::failure::{Code, Outcome, usage};
use super::lists::with_list;
use super::report::code_of;
use super::session::{Session, ambiguous};
use crate::cache::{Cache, DatasetFilter, Entry, Selection};
use crate::format;
use crate::market::Symbol;
use crate::preheat::{PreheatReport, Scope};
use crate::source::SourceId;
use crate::worker::PreheatOrder;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The fixed JSON form.
#[derive(Serialize)]
struct ChangeJson<'change> {
    entries: usize,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    preheat: Option<&'change PreheatReport>,
    errors: &'change [String],
}

pub(super) fn invalidate(session: &Session<'_>, options: &Which) -> Outcome {
    let options = &with_list(session, options)?;
    need_something(options, "invalidate")?;
    let (selection, errors) = select(session, options)?;
    let (entries, bytes) = match selection {
        Some(selection) => with_engine(session, |engine| engine.invalidate(selection))?,
        None => (0, 0),
    };
    tell(session, "invalidated", entries, bytes, None, &errors)?;
    Ok(if errors.is_empty() { Code::AllWell } else { Code::Failed })
}

pub(super) fn clear(session: &Session<'_>, options: &ClearOptions) -> Outcome {
    if options.undo {
        let restored = with_engine(session, super::engine::Engine::undo_clear)?;
        tell(session, "restored", restored.entries, restored.size_bytes, None, &[])?;
        return Ok(Code::AllWell);
    }
    if options.empty_trash {
        let cache = session.open_cache()?;
        let entries: u64 = cache.catalog().trash_batches()?.iter().map(|batch| batch.entries).sum();
        let freed_bytes = cache.empty_trash()?;
        tell(session, "removed for good", usize::try_from(entries).unwrap_or(usize::MAX), freed_bytes, None, &[])?;
        return Ok(Code::AllWell);
    }
    let which = with_list(session, &options.which)?;
    if !options.expired {
        need_something(&which, "clear")?;
    }
    let (selection, errors) = select(session, &which)?;
    let cleared = match selection {
        Some(selection) => {
            let selection = Selection { expired_only: options.expired, ..selection };
            with_engine(session, |engine| engine.clear(selection))?
        }
        None => crate::cache::Cleared::default(),
    };
    tell(session, "cleared", cleared.entries, cleared.size_bytes, None, &errors)?;
    if cleared.entries > 0 {
        session
            .console
            .note("`samovar clear --undo` brings them back within 24 hours; `samovar clear --empty-trash` frees their space now");
    }
    Ok(if errors.is_empty() { Code::AllWell } else { Code::Failed })
}

pub(super) fn refresh(session: &Session<'_>, options: &Which) -> Outcome {
    let options = &with_list(session, options)?;
    need_something(options, "refresh")?;
    for name in &options.set {
        session.library.need(name)?;
    }
    let cache = session.open_cache()?;
    let (targets, mut errors) = targets_of_refresh(session, &cache, options)?;
    let mut total = Refreshed::default();
    let mut code = Code::AllWell;
    for (source, symbols) in targets {
        let run = || -> anyhow::Result<PreheatReport> {
            let session = session.for_source(&cache, &source)?;
            let order = refresh_order(&session, options, symbols);
            with_engine(&session, |engine| engine.preheat(order))
        };
        match run() {
            Ok(report) => {
                if code_of(&report) != Code::AllWell {
                    code = code_of(&report);
                }
                total.add(report, datasets_per_symbol(session, options));
            }
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    if !options.all {
        errors.extend(
            total.report.no_data.iter().map(|symbol| format!("{symbol} is neither cached nor in the source; see `samovar source symbols`")),
        );
    }
    tell(session, "refreshed", total.entries, total.report.bars_bytes + total.report.features_bytes, Some(&total.report), &errors)?;
    for (symbol, reason) in &total.report.failed {
        session.console.warn(&format!("{symbol}: {reason}"));
    }
    if let Some(reason) = &total.report.stopped_by {
        session.console.warn(&format!("it had to stop: {reason}"));
    }
    if total.report.cancelled {
        session.console.warn("cancelled; what was finished is safe");
    }
    Ok(if errors.is_empty() { code } else { Code::Failed })
}

/// The reports of several sources as one.
#[derive(Default)]
struct Refreshed {
    entries: usize,
    report: PreheatReport,
}

impl Refreshed {
    fn add(&mut self, report: PreheatReport, datasets: usize) {
        self.entries += report.ok * datasets;
        let total = &mut self.report;
        total.requested += report.requested;
        total.ok += report.ok;
        total.skipped_fresh += report.skipped_fresh;
        total.no_data.extend(report.no_data);
        total.failed.extend(report.failed);
        total.not_reached += report.not_reached;
        total.rows += report.rows;
        total.rows_dropped += report.rows_dropped;
        total.bars_bytes += report.bars_bytes;
        total.features_bytes += report.features_bytes;
        total.seconds.total += report.seconds.total;
        total.seconds.fetch += report.seconds.fetch;
        total.seconds.compute += report.seconds.compute;
        total.seconds.write += report.seconds.write;
        total.cancelled |= report.cancelled;
        total.stopped_by = total.stopped_by.take().or(report.stopped_by);
    }
}

fn need_something(options: &Which, verb: &str) -> anyhow::Result<()> {
    if options.all || !options.symbols.is_empty() {
        return Ok(());
    }
    Err(usage(format!("name the symbols to {verb}, or write --all for every symbol in the cache")))
}

fn filter_of(options: &Which) -> DatasetFilter {
    match (options.bars, options.features) {
        _ if !options.set.is_empty() => DatasetFilter::Sets(options.set.clone()),
        (true, false) => DatasetFilter::Bars,
        (false, true) => DatasetFilter::Features,
        _ => DatasetFilter::All,
    }
}

/// What is meant, and what could not be found. Nothing is meant when no symbol was found.
fn select(session: &Session<'_>, options: &Which) -> anyhow::Result<(Option<Selection>, Vec<String>)> {
    let source = session.told_source();
    let datasets = filter_of(options);
    if options.symbols.is_empty() {
        return Ok((Some(Selection { source, symbols: None, datasets, expired_only: false }), Vec::new()));
    }
    let cache = session.open_cache()?;
    let known = sources_by_symbol(&cache.catalog().entries(source.as_ref())?);
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for symbol in options.named() {
        match known.get(&symbol).map(|sources| sources.iter().cloned().collect::<Vec<_>>()) {
            None => errors.push(not_cached(&cache, &symbol, &known)),
            Some(sources) if sources.len() > 1 => errors.push(ambiguous(&symbol, &sources).to_string()),
            Some(_) => found.push(symbol),
        }
    }
    let selection = (!found.is_empty()).then_some(Selection { source, symbols: Some(found), datasets, expired_only: false });
    Ok((selection, errors))
}

fn sources_by_symbol(entries: &[Entry]) -> HashMap<Symbol, BTreeSet<SourceId>> {
    let mut known: HashMap<Symbol, BTreeSet<SourceId>> = HashMap::new();
    for entry in entries {
        known.entry(entry.key.symbol.clone()).or_default().insert(entry.key.source.clone());
    }
    known
}

fn not_cached(cache: &Cache, symbol: &Symbol, known: &HashMap<Symbol, BTreeSet<SourceId>>) -> String {
    let names: Vec<&str> = known.keys().map(Symbol::as_str).collect();
    let near = crate::feature::formula::nearest(symbol.as_str(), names).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    format!("{symbol} is not cached in {}{near}", cache.folders().cache_dir.display())
}

/// The symbols to refresh by source.
type Targets = BTreeMap<SourceId, Vec<Symbol>>;

/// What to refresh, and what could not be found. A symbol that is not cached is looked for in the source in use.
fn targets_of_refresh(session: &Session<'_>, cache: &Cache, options: &Which) -> anyhow::Result<(Targets, Vec<String>)> {
    let mut targets = Targets::new();
    let mut errors = Vec::new();
    if options.all {
        for (symbol, sources) in
            sources_by_symbol(&cache.catalog().entries(session.told_source().as_ref())?).into_iter().collect::<BTreeMap<_, _>>()
        {
            for source in sources {
                targets.entry(source).or_default().push(symbol.clone());
            }
        }
        return Ok((targets, errors));
    }
    for symbol in options.named() {
        match session.source_of(cache, &symbol) {
            Ok(Some(source)) => targets.entry(source).or_default().push(symbol),
            Ok(None) => match session.source() {
                Some(url) => targets.entry(url.id()).or_default().push(symbol),
                None => {
                    errors.push(format!("{symbol} is not cached, and no source is configured to fetch it from; name one with --source"));
                }
            },
            Err(error) => errors.push(error.to_string()),
        }
    }
    Ok((targets, errors))
}

fn refresh_order(session: &Session<'_>, options: &Which, symbols: Vec<Symbol>) -> PreheatOrder {
    let scope = match filter_of(options) {
        DatasetFilter::All => Scope::All,
        DatasetFilter::Bars => Scope::BarsOnly,
        DatasetFilter::Features | DatasetFilter::Sets(_) => Scope::FeaturesOnly,
    };
    PreheatOrder {
        title: format!("Refresh {}", counted(symbols.len(), "symbol", "symbols")),
        symbols: Some(symbols),
        scope,
        sets: (!options.set.is_empty()).then(|| options.set.clone()),
        force: true,
        ttl: session.context.overrides.ttl,
        patience: Some(PATIENCE),
        ..PreheatOrder::default()
    }
}

fn datasets_per_symbol(session: &Session<'_>, options: &Which) -> usize {
    let sets = if options.set.is_empty() { session.context.settings.sets.len().max(1) } else { options.set.len() };
    match filter_of(options) {
        DatasetFilter::All => 1 + sets,
        DatasetFilter::Bars => 1,
        DatasetFilter::Features | DatasetFilter::Sets(_) => sets,
    }
}

fn tell(
    session: &Session<'_>,
    verb: &str,
    entries: usize,
    bytes: u64,
    preheat: Option<&PreheatReport>,
    errors: &[String],
) -> anyhow::Result<()> {
    if session.console.is_json() {
        session.console.json(&ChangeJson { entries, bytes, preheat, errors })?;
    } else {
        session.console.print(&format!("{verb} {} ({})\n", counted(entries, "entry", "entries"), format::bytes(bytes)))?;
    }
    for error in errors {
        super::console::complain(&format!("error: {error}"));
    }
    Ok(())
}
