//! Times how fast a source hands out its bars, and prints JSON: our side of reading rows beside connectorx in `benches/README.md`.
//!
//! `cargo bench --bench rows_pg_sqlite -- URL [--repetitions N] [--connections N] [--digest]`. URL is a source's, as the program takes it;
//! `--digest` has the rows counted and hashed on their way.

// It is a program, whose result goes to stdout and which has nobody to hand an error to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, Result, bail, ensure};
use samovar::market::{DateRange, Symbol};
use samovar::source::{DigestOnTheWay, FetchRequest, Fetched, Source, SourceOptions, SourceUrl};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: cargo bench --bench rows_pg_sqlite -- URL [--repetitions N] [--connections N] [--digest]";

struct Options {
    url: String,
    repetitions: usize,
    connections: Option<usize>,
    has_digest: bool,
}

impl Options {
    /// `None` where nothing was asked for, as when all benches are run.
    fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut options = Self { url: String::new(), repetitions: 5, connections: None, has_digest: false };
        // Cargo adds `--bench`.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let mut number =
                || arguments.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0).context("a number is missing");
            match argument.as_str() {
                "--repetitions" => options.repetitions = number()?,
                "--connections" => options.connections = Some(number()?),
                "--digest" => options.has_digest = true,
                _ if argument.starts_with('-') || !options.url.is_empty() => bail!("{argument} is unknown; {USAGE}"),
                _ => options.url = argument,
            }
        }
        Ok(Some(options).filter(|options| !options.url.is_empty()))
    }
}

/// Fetches all rows once and tells how many there were.
async fn fetch_all(source: &Source, request: &FetchRequest) -> Result<usize> {
    let (out, arriving) = async_channel::bounded::<Fetched>(4);
    let count = async {
        let mut rows = 0;
        while let Ok(fetched) = arriving.recv().await {
            let fetched = black_box(fetched);
            ensure!(fetched.digest.is_some() == request.digest.is_some(), "{} came without a digest", fetched.symbol);
            rows += fetched.result?.len();
        }
        Ok(rows)
    };
    let fetch = async {
        let result = source.fetch(request, &out).await;
        out.close();
        result
    };
    let (fetched, rows) = tokio::join!(fetch, count);
    fetched?;
    rows
}

async fn run(options: &Options) -> Result<()> {
    let mut settings = SourceOptions::default();
    settings.connections = options.connections.unwrap_or(settings.connections);
    let source = Source::connect(&SourceUrl::parse(&options.url)?, &settings).await?;
    let symbols: Vec<Symbol> = source.symbols().await?.into_iter().map(|info| info.symbol).collect();
    let digest = options.has_digest.then(DigestOnTheWay::default);
    ensure!(digest.is_none() || source.digests_on_the_way(), "this source makes no digests on the way");
    let request = FetchRequest { symbols, range: DateRange::ALL, digest };
    let rows = fetch_all(&source, &request).await?;
    let mut seconds = Vec::with_capacity(options.repetitions);
    for _ in 0..options.repetitions {
        let began = Instant::now();
        ensure!(fetch_all(&source, &request).await? == rows, "the rows change while they are read");
        seconds.push(began.elapsed().as_secs_f64());
    }
    let best = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let report = serde_json::json!({
        "rows": rows,
        "symbols": request.symbols.len(),
        "connections": settings.connections,
        "digest": options.has_digest,
        "seconds": seconds,
        "rows_per_second": (rows as f64 / best).round(),
    });
    println!("{report}");
    Ok(())
}

fn main() -> ExitCode {
    let done = Options::read(std::env::args().skip(1)).and_then(|options| {
        let Some(options) = options else {
            eprintln!("{USAGE}");
            return Ok(());
        };
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(&options))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
