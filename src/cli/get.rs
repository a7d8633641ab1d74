//! `samovar get SYMBOL`: a symbol's rows out of the cache, fetched first when they are missing and a source is known.

use super::arguments::{Format, GetOptions};
use super::console::counted;
use super::engine::{SHORT_PATIENCE, with_engine};
use super::failure::{Code, Outcome, usage};
use super::report::code_of;
use super::session::Session;
use super::wanted::Wanted;
use super::{rows, session};
use crate::cache::{Cache, CacheError, EntryKey, EntryState, LookupReason, Served};
use crate::feature::formula::nearest;
use crate::market::{DateRange, Symbol};
use crate::preheat::{PreheatReport, Scope};
use crate::source::{SourceId, SourceUrl};
use crate::worker::PreheatOrder;
use anyhow::{Context, anyhow};
use arrow::array::RecordBatch;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(session: &Session<'_>, options: &GetOptions) -> Outcome {
    let request = Request::new(session, options)?;
    let cache = session.open_cache()?;
    let (served, code) = request.look_up(session, &cache)?;
    warn_if_not_fresh(session, &cache, &served)?;
    let batch = request.cut(&served)?;
    write(session, options, request.format, &batch)?;
    Ok(code)
}

/// What is asked for, checked.
struct Request<'options> {
    symbol: Symbol,
    wanted: Wanted,
    range: DateRange,
    columns: &'options [String],
    format: Format,
    force: bool,
}

impl<'options> Request<'options> {
    fn new(session: &Session<'_>, options: &'options GetOptions) -> anyhow::Result<Self> {
        Ok(Self {
            symbol: Symbol::new(&options.symbol),
            wanted: Wanted::new(session, options, || session.open_cache())?,
            range: options.days.range()?,
            columns: &options.columns,
            format: format_of(session, options)?,
            force: options.force,
        })
    }

    /// Reads through: what is missing (or, with force, everything) is fetched first.
    fn look_up(&self, session: &Session<'_>, cache: &Cache) -> anyhow::Result<(Arc<Served>, Code)> {
        let cached_from = session.source_of(cache, &self.symbol)?;
        let Some(source) = cached_from.or_else(|| session.source().map(SourceUrl::id)) else {
            return Err(anyhow!(
                "{} is not cached, and no source is configured to fetch it from; name one with --source, or preheat it first",
                self.symbol
            ));
        };
        if let Some(key) = self.wanted.version(cache, &source, &self.symbol)? {
            return Ok((cache.read(&key, &session.judge)?.served, Code::AllWell));
        }
        let key = EntryKey { source, symbol: self.symbol.clone(), dataset: self.wanted.dataset() };
        let found = if self.force {
            cache.count_miss(&key, LookupReason::Forced);
            None
        } else if self.covers(cache, &key)? {
            self.read(session, cache, &key)?
        } else {
            cache.count_miss(&key, LookupReason::Missing);
            None
        };
        if let Some(served) = found {
            return Ok((served, Code::AllWell));
        }
        let fetched = self.fetch(session, cache, &key.source);
        // A failed source never takes data away: the last good version is served, with a word about it.
        // The lookup was counted as a miss; what was just fetched for it is no hit.
        match (fetched, cache.read_from_disk(&key)) {
            (Ok(report), Ok(served)) => {
                let code = code_of(&report);
                for (symbol, reason) in &report.failed {
                    session.console.warn(&format!("{symbol} could not be refreshed: {reason}; the last good version is served"));
                }
                Ok((served, code))
            }
            (Err(error), Ok(served)) => {
                session.console.warn(&format!("it could not be refreshed: {error:#}; the last good version is served"));
                Ok((served, Code::SomeFailed))
            }
            (Ok(report), Err(error)) => Err(self.why_nothing(&report, error.into())),
            (Err(error), Err(_)) => Err(error.context(format!("{} is not cached and could not be fetched", self.symbol))),
        }
    }

    /// Reads what is there; `None` when it has to be fetched.
    fn read(&self, session: &Session<'_>, cache: &Cache, key: &EntryKey) -> anyhow::Result<Option<Arc<Served>>> {
        // Formulas look back further than the days that are asked for.
        let read = match self.wanted {
            Wanted::Bars => cache.read_days(key, &self.range, &session.judge),
            _ => cache.read(key, &session.judge),
        };
        match read {
            Ok(found) => Ok(Some(found.served)),
            Err(CacheError::NotCached { .. }) => Ok(None),
            Err(error @ CacheError::Damaged { .. }) => {
                tracing::warn!("{error}");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the days asked for were asked of the source when the entry was made.
    fn covers(&self, cache: &Cache, key: &EntryKey) -> anyhow::Result<bool> {
        let Some(entry) = cache.catalog().entry(key)? else { return Ok(true) };
        let asked = DateRange { start: self.range.start.or(entry.range.start), end: self.range.end.or(entry.range.end) };
        Ok(entry.file.is_none() || entry.range.covers(&asked))
    }

    fn fetch(&self, session: &Session<'_>, cache: &Cache, source: &SourceId) -> anyhow::Result<PreheatReport> {
        let session = session.for_source(cache, source)?;
        let order = PreheatOrder {
            title: format!("Get {}", self.symbol),
            symbols: Some(vec![self.symbol.clone()]),
            range: self.range,
            scope: if self.wanted.set().is_some() { Scope::All } else { Scope::BarsOnly },
            sets: self.wanted.set().map(|set| vec![set.name().to_owned()]),
            force: self.force,
            ttl: session.context.overrides.ttl,
            patience: Some(SHORT_PATIENCE),
            ..PreheatOrder::default()
        };
        with_engine(&session, |engine| engine.preheat(order))
    }

    fn why_nothing(&self, report: &PreheatReport, error: anyhow::Error) -> anyhow::Error {
        if let Some((symbol, reason)) = report.failed.first() {
            return anyhow!("{symbol} could not be fetched: {reason}");
        }
        if !report.no_data.is_empty() {
            return anyhow!("the source has no bars of {}; `samovar source symbols` lists what it has", self.symbol);
        }
        match &report.stopped_by {
            Some(reason) => anyhow!("{} could not be fetched: {reason}", self.symbol),
            None => error,
        }
    }

    /// The columns and days asked for.
    fn cut(&self, served: &Served) -> anyhow::Result<RecordBatch> {
        let batch = self.wanted.batch(&served.content)?;
        let span = served.content.bars().span_of(&self.range);
        let batch = batch.slice(span.start, span.len());
        if self.columns.is_empty() {
            return Ok(batch);
        }
        let schema = batch.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut places = Vec::new();
        for column in self.columns {
            match names.iter().position(|name| name == column) {
                Some(place) if places.contains(&place) => {}
                Some(place) => places.push(place),
                None => {
                    let near =
                        nearest(column, names.iter().copied()).map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
                    return Err(anyhow!("{} has no column {column}{near} Its columns are {}", self.symbol, names.join(", ")));
                }
            }
        }
        Ok(batch.project(&places)?)
    }
}

fn format_of(session: &Session<'_>, options: &GetOptions) -> anyhow::Result<Format> {
    let by_ending = options.output.as_deref().and_then(Path::extension).and_then(|ending| match ending.to_str()? {
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "parquet" => Some(Format::Parquet),
        "arrow" | "feather" | "ipc" => Some(Format::Arrow),
        "msgpack" => Some(Format::Msgpack),
        _ => None,
    });
    let to_stdout = options.output.is_none();
    match options.format {
        Some(format) if session.console.is_json() && to_stdout && format != Format::Json => {
            Err(usage("--json and another --format contradict each other; write the rows to a file with --output"))
        }
        Some(format @ (Format::Parquet | Format::Arrow | Format::Msgpack)) if to_stdout && session.console.is_terminal() => {
            let name = clap::ValueEnum::to_possible_value(&format).map(|value| value.get_name().to_owned()).unwrap_or_default();
            Err(usage(format!("{name} is no text for a terminal; write it to a file with --output FILE, or into a pipe")))
        }
        Some(format) => Ok(format),
        None if session.console.is_json() && to_stdout => Ok(Format::Json),
        None => Ok(by_ending.unwrap_or(Format::Table)),
    }
}

fn write(session: &Session<'_>, options: &GetOptions, format: Format, batch: &RecordBatch) -> anyhow::Result<()> {
    let Some(path) = &options.output else {
        return rows::write(format, batch, &mut *session.console.out());
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("{} cannot be written; choose another file with --output", path.display());
    // All or nothing: whoever reads the file never sees half of it.
    let mut file = tempfile::Builder::new().permissions_of_new_files().tempfile_in(folder).with_context(cannot)?;
    rows::write(format, batch, &mut std::io::BufWriter::new(file.as_file_mut())).with_context(cannot)?;
    file.persist(path).map_err(|error| error.error).with_context(cannot)?;
    if session.console.is_json() {
        let columns: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let document =
            serde_json::json!({ "symbol": options.symbol, "rows": batch.num_rows(), "columns": columns, "output": session::shown(path) });
        session.console.json(&document)?;
    } else {
        session.console.note(&format!("wrote {} to {}", counted(batch.num_rows(), "row", "rows"), session::shown(path)));
    }
    Ok(())
}

/// Temporary files are private to their owner; what a user asks for gets the permissions of any other file.
trait PermissionsOfNewFiles {
    fn permissions_of_new_files(&mut self) -> &mut Self;
}

impl PermissionsOfNewFiles for tempfile::Builder<'_, '_> {
    fn permissions_of_new_files(&mut self) -> &mut Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            self.permissions(std::fs::Permissions::from_mode(0o666));
        }
        self
    }
}

fn warn_if_not_fresh(session: &Session<'_>, cache: &Cache, served: &Served) -> anyhow::Result<()> {
    let key = &served.entry.key;
    let state = cache.state_now(key, &session.judge)?;
    if state != EntryState::Fresh {
        let failure = cache
            .catalog()
            .entry(key)?
            .and_then(|entry| entry.failure)
            .map(|failure| format!(" ({})", failure.message))
            .unwrap_or_default();
        session.console.warn(&format!("{} of {} are {state}{failure}; `samovar refresh` brings them up to date", key.dataset, key.symbol));
    }
    Ok(())
}
