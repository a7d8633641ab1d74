//! Times reading rows from a source into columns, and prints JSON: our side of the comparison in `benches/README.md`.
//!
//! `cargo bench --bench rows -- URL [--symbols N] [--connections N] [--repetitions N] [--digest 1]`. The best repetition counts, and
//! all of them are shown; with `--digest 1` rows are counted and hashed on their way.

// It is a program, whose result goes to stdout and which has nobody to hand an error to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, Result, bail};
use samovar::market::{DateRange, Symbol};
use samovar::source::{DigestOnTheWay, FetchRequest, Fetched, Source, SourceOptions, SourceUrl};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: cargo bench --bench rows -- URL [--symbols N] [--connections N] [--repetitions N] [--digest 1]";

struct Options {
    url: String,
    symbols: usize,
    connections: usize,
    repetitions: usize,
    digest: usize,
}

impl Options {
    /// `None` where nothing was asked for, as when all benches are run.
    fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let mut options = Self { url: String::new(), symbols: usize::MAX, connections: cores, repetitions: 5, digest: 0 };
        // Cargo adds `--bench`.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let target = match argument.as_str() {
                "--symbols" => &mut options.symbols,
                "--connections" => &mut options.connections,
                "--repetitions" => &mut options.repetitions,
                "--digest" => &mut options.digest,
                _ if argument.starts_with('-') => bail!("{argument} is unknown; {USAGE}"),
                _ => {
                    options.url = argument;
                    continue;
                }
            };
            *target = arguments.next().and_then(|text| text.parse().ok()).context("a number is missing")?;
        }
        Ok(Some(options).filter(|options| !options.url.is_empty()))
    }
}

/// Fetches everything once; rows, rows with a digest, and seconds.
async fn once(source: &Source, symbols: &[Symbol], digest: bool) -> Result<(usize, usize, Duration)> {
    let (out, arriving) = async_channel::bounded::<Fetched>(2);
    let digest = digest.then(DigestOnTheWay::default);
    let request = FetchRequest { symbols: symbols.to_vec(), range: DateRange::ALL, digest };
    let started = Instant::now();
    let count = async {
        let (mut rows, mut counted) = (0, 0);
        while let Ok(fetched) = arriving.recv().await {
            let bars = fetched.result?;
            rows += bars.len();
            counted += fetched.digest.map_or(0, |digest| usize::try_from(digest.rows()).unwrap_or_default());
        }
        anyhow::Ok((rows, counted))
    };
    let fetch = async {
        let result = source.fetch(&request, &out).await;
        out.close();
        result
    };
    let (fetched, counted) = tokio::join!(fetch, count);
    fetched?;
    let (rows, counted) = counted?;
    Ok((rows, counted, started.elapsed()))
}

fn run() -> Result<()> {
    let Some(options) = Options::read(std::env::args().skip(1))? else {
        eprintln!("{USAGE}");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let settings = SourceOptions { connections: options.connections, ..SourceOptions::default() };
        let source = Source::connect(&SourceUrl::parse(&options.url)?, &settings).await?;
        let listed = source.symbols().await?;
        let symbols: Vec<Symbol> = listed.into_iter().map(|info| info.symbol).take(options.symbols).collect();
        let mut times = Vec::new();
        let mut rows = (0, 0);
        for _ in 0..options.repetitions.max(1) {
            let (all, counted, took) = once(&source, &symbols, options.digest > 0).await?;
            rows = (all, counted);
            times.push(took.as_secs_f64());
        }
        source.close().await;
        let best = times.iter().copied().fold(f64::INFINITY, f64::min);
        let report = serde_json::json!({
            "symbols": symbols.len(), "rows": rows.0, "rows_with_digest": rows.1, "connections": options.connections,
            "seconds": times, "best_rows_per_second": (rows.0 as f64 / best).round(),
        });
        println!("{report}");
        Ok(())
    })
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
