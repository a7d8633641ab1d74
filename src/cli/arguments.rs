//! What can be written behind `samovar`, and how it is explained.

use crate::cache::TimeToLive;
use crate::feature::graph::WarmUp;
use crate::market::{DateRange, Symbol, parse_date};
use crate::worker::{BENCH_RUNS, BENCH_SYMBOLS, MOST_BENCH_RUNS};
use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::failure::{self, usage};

const AFTER_HELP: &str = "\
Source URLs:
  mysql://user@host:3306/database?table=stock_kline_data   (MariaDB too)
  postgres://user@host:5432/database?table=…
  sqlite:market.db?table=…
  files:FOLDER_OR_FILE                                     (CSV or Parquet)
  sample:                                                  (the built-in sample market)
Table and columns are recognised by name, or told: &symbol=code&date=day&close=px_last …

Environment:
  SAMOVAR_CACHE_DIR        as --cache-dir
  SAMOVAR_CONFIG           as --config
  SAMOVAR_SOURCE_PASSWORD  the source's password, where its URL has none; keeps it out of the list of processes
  RUST_LOG                 which messages to log, such as samovar=debug

Exit codes: 0 all well, 1 the command failed, 2 some symbols failed, 64 wrong usage.";

/// Keeps market data hot: price bars from a database in a local Parquet cache, with indicators computed from them.
///
/// Without a command it opens the window; without a display it preheats the configured source (the sample market when none is
/// configured) and prints the report.
#[derive(Debug, Parser)]
#[command(name = "samovar", version, after_help = AFTER_HELP, max_term_width = 110)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct GlobalOptions {
    /// Cache folder
    #[arg(long, global = true, value_name = "DIR", env = "SAMOVAR_CACHE_DIR", hide_env = true)]
    pub cache_dir: Option<PathBuf>,
    /// Folder of the bars tree, if not the cache folder
    #[arg(long, global = true, value_name = "DIR", alias = "kline-cache-dir", hide_short_help = true)]
    pub bars_cache_dir: Option<PathBuf>,
    /// Folder of the features tree, if not the cache folder
    #[arg(long, global = true, value_name = "DIR", alias = "feature-cache-dir", hide_short_help = true)]
    pub features_cache_dir: Option<PathBuf>,
    /// Settings file
    #[arg(long, global = true, value_name = "FILE", env = "SAMOVAR_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Where bars come from, instead of the source in the settings
    #[arg(long, global = true, value_name = "URL")]
    pub source: Option<String>,
    /// How long bars stay fresh: 90s, 30m, 24h, 7d, market-close, instead of the times in the settings
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_ttl)]
    pub ttl: Option<TimeToLive>,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no notes; errors are still shown
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring what is not fresh to fresh
    Preheat(PreheatOptions),
    /// Show what is cached
    Status(StatusOptions),
    /// Print a symbol's rows, fetching what is missing when a source is known
    Get(GetOptions),
    /// Mark as not fresh; the files stay and are still served
    Invalidate(Which),
    /// Fetch and compute again, whatever the state
    Refresh(Which),
    /// Move to the trash; can be undone for 24 hours
    Clear(ClearOptions),
    /// Check every file against its checksum and the catalog; exits with 2 when something is wrong
    Verify(VerifyOptions),
    /// Measure your symbols straight from the source against the cache; writes nothing to the cache
    Bench(BenchOptions),
    /// Feature sets
    #[command(subcommand)]
    Sets(SetsCommand),
    /// Test a source, or list its symbols
    #[command(subcommand)]
    Source(SourceCommand),
    /// Put Samovar into the desktop's menu, with its icon, or take it out again
    #[command(subcommand)]
    Desktop(DesktopCommand),
    /// Print completions for a shell
    Completions(CompletionsOptions),
}

/// `samovar desktop`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum DesktopCommand {
    /// Write the entry and the icon for this user; the entry starts this very program
    Install,
    /// Remove them
    Remove,
}

/// Days from and to.
#[derive(Debug, Clone, Copy, Args)]
pub struct Days {
    /// First day, such as 2020-01-31
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub start_date: Option<NaiveDate>,
    /// Last day
    #[arg(long, value_name = "DATE", value_parser = parse_day)]
    pub end_date: Option<NaiveDate>,
}

impl Days {
    /// The range meant.
    ///
    /// # Errors
    /// Wrong usage when the start is after the end.
    pub fn range(&self) -> anyhow::Result<DateRange> {
        DateRange::new(self.start_date, self.end_date).map_err(|error| usage(format!("{error}; swap --start-date and --end-date")))
    }
}

/// `samovar preheat`
#[derive(Debug, Args)]
pub struct PreheatOptions {
    /// Symbols, or `all`
    #[arg(long, value_name = "all|A,B,…", value_delimiter = ',', num_args = 1..)]
    pub symbols: Vec<String>,
    /// The symbols of one of your lists
    #[arg(long, value_name = "NAME", conflicts_with = "symbols")]
    pub list: Option<String>,
    /// Only these days
    #[command(flatten)]
    pub days: Days,
    /// Bars only
    #[arg(long, alias = "bars-only", conflicts_with_all = ["features_only", "set"])]
    pub kline_only: bool,
    /// Features of cached bars only; the source is not asked
    #[arg(long)]
    pub features_only: bool,
    /// At most N symbols
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// These feature sets only
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub set: Vec<String>,
    /// Fetch and compute again, whatever the state
    #[arg(long)]
    pub force: bool,
    /// Ask the source about fresh entries too, and compare every symbol's whole history
    #[arg(long)]
    pub check: bool,
    /// Compare a symbol's whole history at least every N days, 0: at every check; in between only its newest days are compared
    /// (`history_check_days` in the settings, 7)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=3650))]
    pub history_check_days: Option<u32>,
    /// Working threads; all cores when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// How long to wait for a source that cannot be reached any more, or for room on a full disk: 30s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = parse_wait)]
    pub wait: Duration,
}

/// `samovar status`
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Show the entries of these symbols
    #[arg(value_name = "SYMBOL")]
    pub symbols: Vec<String>,
    /// Show the newest lookups (of these symbols) with their reasons
    #[arg(long)]
    pub lookups: bool,
}

/// What `get` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for people
    Table,
    /// Comma-separated, nulls empty
    Csv,
    /// An array of objects, one per row
    Json,
    /// Apache Parquet
    Parquet,
    /// Apache Arrow IPC file (Feather 2)
    Arrow,
    /// MessagePack: an array of maps, one per row
    Msgpack,
}

/// `samovar get`
#[derive(Debug, Args)]
pub struct GetOptions {
    /// The symbol
    #[arg(value_name = "SYMBOL")]
    pub symbol: String,
    /// Feature set, or a version of one: classic, classic@0123456789abcdef; classic when left out. With --formula: the set whose
    /// features the formulas may name
    #[arg(long, value_name = "NAME", conflicts_with = "bars")]
    pub set: Option<String>,
    /// Bars without features
    #[arg(long)]
    pub bars: bool,
    /// Compute this formula, or name=formula, from the bars on the spot; may be given several times
    #[arg(long = "formula", value_name = "FORMULA", conflicts_with = "bars")]
    pub formulas: Vec<String>,
    /// What windows of formulas give before they are full
    #[arg(long, value_enum, requires = "formulas")]
    pub warmup: Option<Warmup>,
    /// These columns, in this order
    #[arg(long, value_name = "a,b", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Only these days
    #[command(flatten)]
    pub days: Days,
    /// What to write; told by the ending of --output, else a table
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Refresh first
    #[arg(long)]
    pub force: bool,
}

/// Which entries are meant.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Symbols
    #[arg(value_name = "SYMBOL")]
    pub symbols: Vec<String>,
    /// The symbols of one of your lists
    #[arg(long, value_name = "NAME", conflicts_with_all = ["symbols", "all"])]
    pub list: Option<String>,
    /// Every symbol in the cache
    #[arg(long, conflicts_with = "symbols")]
    pub all: bool,
    /// Bars only
    #[arg(long, conflicts_with = "set")]
    pub bars: bool,
    /// Features only
    #[arg(long)]
    pub features: bool,
    /// These feature sets only, or single versions of them
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub set: Vec<String>,
}

impl Which {
    /// The symbols named, each once, in their order.
    #[must_use]
    pub fn named(&self) -> Vec<Symbol> {
        let mut seen = std::collections::HashSet::new();
        self.symbols.iter().filter(|name| seen.insert(name.as_str())).map(Symbol::new).collect()
    }
}

/// `samovar clear`
#[derive(Debug, Args)]
pub struct ClearOptions {
    /// Which entries
    #[command(flatten)]
    pub which: Which,
    /// Only entries that are not fresh any more; of all symbols when none is named
    #[arg(long)]
    pub expired: bool,
    /// Bring back what the last clear removed
    #[arg(long, conflicts_with_all = ["symbols", "list", "all", "bars", "features", "set", "expired"])]
    pub undo: bool,
    /// Remove for good what lies in the trash, to free its space at once
    #[arg(long, conflicts_with_all = ["symbols", "list", "all", "bars", "features", "set", "expired", "undo"])]
    pub empty_trash: bool,
}

/// `samovar verify`
#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// Quarantine damaged files, take whole unknown ones in, and fetch what is gone again
    #[arg(long)]
    pub repair: bool,
}

/// `samovar sets`
#[derive(Debug, Subcommand)]
pub enum SetsCommand {
    /// List built-in sets and your own, with what is cached of them
    List,
    /// Show the features of a set with their formulas, or its versions
    Show(ShowOptions),
    /// Check a set's file, or formulas: every mistake with its place
    Check(CheckOptions),
    /// List the functions that formulas can call
    Functions(FunctionsOptions),
}

/// `samovar sets show`
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// The set, or a version of it: classic, classic@0123456789abcdef
    #[arg(value_name = "NAME")]
    pub name: String,
    /// List every version that something was computed with
    #[arg(long, conflicts_with = "toml")]
    pub versions: bool,
    /// Print the text of its file
    #[arg(long, conflicts_with = "json")]
    pub toml: bool,
}

/// `samovar sets check`
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// A TOML file: `name = "…"` and a table [features] of column = "formula"
    #[arg(value_name = "FILE", conflicts_with = "formulas")]
    pub file: Option<PathBuf>,
    /// A formula, or name=formula; may be given several times
    #[arg(long = "formula", value_name = "FORMULA")]
    pub formulas: Vec<String>,
    /// What windows give before they are full
    #[arg(long, value_enum, default_value = "strict")]
    pub warmup: Warmup,
}

/// `samovar sets functions`
#[derive(Debug, Args)]
pub struct FunctionsOptions {
    /// Only those with this in their name or description
    #[arg(value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// Only those of this group
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
}

/// What windows give before they are full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Warmup {
    /// Nothing
    #[default]
    Strict,
    /// What there is, as in Qlib
    Partial,
}

impl Warmup {
    /// The same as formulas know it.
    #[must_use]
    pub fn meant(self) -> WarmUp {
        match self {
            Self::Strict => WarmUp::Strict,
            Self::Partial => WarmUp::Partial,
        }
    }
}

/// `samovar source`
#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// Test the connection step by step and show the first rows
    Test {
        /// The source; as --source
        #[arg(value_name = "URL")]
        url: Option<String>,
    },
    /// Time the queries of a small read, slowest first, with the database's plans, and say whether an index is missing
    Profile(ProfileOptions),
    /// List the symbols with their first and last day and number of bars
    Symbols {
        /// The source; as --source
        #[arg(value_name = "URL")]
        url: Option<String>,
    },
}

/// `samovar source profile`
#[derive(Debug, Args)]
pub struct ProfileOptions {
    /// The source; as --source
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// Read these symbols, instead of some that are spread over the list of all
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', num_args = 1.., conflicts_with = "recorded")]
    pub symbols: Vec<String>,
    /// At most N symbols (8 when left out); with --recorded at most N queries (20)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Run queries for their plans, where the database then tells what each step took
    #[arg(long, conflicts_with = "recorded")]
    pub analyze: bool,
    /// Read nothing: list the slowest queries of the last 30 days, as preheats and profiles recorded them
    #[arg(long)]
    pub recorded: bool,
}

/// `samovar bench`
#[derive(Debug, Args)]
pub struct BenchOptions {
    /// These symbols, instead of some that are spread over the list of all
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', num_args = 1..)]
    pub symbols: Vec<String>,
    /// At most N symbols
    #[arg(long, value_name = "N", default_value_t = BENCH_SYMBOLS as u64, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// The features of these sets; those of the settings when left out
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub set: Vec<String>,
    /// How often each stage is measured
    #[arg(long, value_name = "N", default_value_t = BENCH_RUNS as u64, value_parser = clap::value_parser!(u64).range(1..=MOST_BENCH_RUNS as u64))]
    pub runs: u64,
}

/// `samovar completions`
#[derive(Debug, Args)]
pub struct CompletionsOptions {
    /// The shell
    pub shell: clap_complete::Shell,
}

fn parse_wait(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is no time to wait: write a number and a unit, such as 30s, 2m or 1h");
    TimeToLive::parse(text).ok().and_then(TimeToLive::secs).map(Duration::from_secs).ok_or_else(refused)
}

fn parse_ttl(text: &str) -> Result<TimeToLive, String> {
    TimeToLive::parse(text).map_err(|error| error.to_string())
}

fn parse_day(text: &str) -> Result<NaiveDate, String> {
    parse_date(text).ok_or_else(|| "this is no date; write it as 2024-03-01".to_owned())
}

impl Arguments {
    /// Reads the arguments; on wrong usage (or `--help`) explains and gives the exit code.
    ///
    /// # Errors
    /// The exit code, when there is nothing to run.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ExitCode> {
        Self::try_parse_from(arguments).map_err(|error| {
            let text = error.render();
            let colored = if error.use_stderr() { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
            let text = if colored { text.ansi().to_string() } else { text.to_string() };
            failure::end_of_parsing(&text, error.use_stderr())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn older_names_of_options_still_work() {
        let line = ["samovar", "status", "--kline-cache-dir", "/b", "--feature-cache-dir", "/f"].map(OsString::from);
        let arguments = Arguments::read(line).expect("aliases");
        assert_eq!(arguments.global.bars_cache_dir, Some("/b".into()));
        assert_eq!(arguments.global.features_cache_dir, Some("/f".into()));
    }
}
