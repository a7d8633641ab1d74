//! Times a feature set over bars that are in memory, and prints JSON: our side of the comparisons in `benches/README.md`.
//!
//! `cargo bench --bench peers -- BARS.parquet SET [--threads N] [--repetitions N] [--most N]`. BARS has the columns symbol, open, high,
//! low, close and volume, a symbol's rows together and in their order; SET is a built-in set's name or a set's file.

// It is a program, whose result goes to stdout and which has nobody to hand an error to.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, Result, bail, ensure};
use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use samovar::feature::{FeatureSet, compute};
use samovar::market::{Bars, DAY_US};
use std::fs::File;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: cargo bench --bench peers -- BARS.parquet SET [--threads N] [--repetitions N] [--most N]";

struct Options {
    bars: String,
    set: String,
    threads: usize,
    repetitions: usize,
    most: usize,
}

impl Options {
    /// `None` where nothing was asked for, as when all benches are run.
    fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut options = Self { bars: String::new(), set: String::new(), threads: 1, repetitions: 1, most: usize::MAX };
        let mut plain = Vec::new();
        // Cargo adds `--bench`.
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let target = match argument.as_str() {
                "--threads" => &mut options.threads,
                "--repetitions" => &mut options.repetitions,
                "--most" => &mut options.most,
                _ if argument.starts_with('-') => bail!("{argument} is unknown; {USAGE}"),
                _ => {
                    plain.push(argument);
                    continue;
                }
            };
            *target = arguments.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0).context("a number is missing")?;
        }
        let mut plain = plain.into_iter();
        let (Some(bars), Some(set)) = (plain.next(), plain.next()) else { return Ok(None) };
        ensure!(plain.next().is_none(), USAGE);
        Ok(Some(Self { bars, set, ..options }))
    }
}

/// The bars of every symbol of a file.
fn read_market(path: &str, most: usize) -> Result<Vec<Bars>> {
    let file = File::open(path).with_context(|| format!("cannot open {path}"))?;
    let (mut market, mut current) = (Vec::<Bars>::new(), None::<String>);
    for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
        let batch = batch?;
        let named = |name: &str| batch.column_by_name(name).with_context(|| format!("{path} has no column {name}"));
        let symbols = cast(named("symbol")?, &DataType::Utf8)?;
        let columns = ["open", "high", "low", "close", "volume"].map(|name| -> Result<_> {
            let column = cast(named(name)?, &DataType::Float64)?;
            ensure!(column.null_count() == 0, "{name} has nulls");
            Ok(column)
        });
        let columns: Vec<_> = columns.into_iter().collect::<Result<_>>()?;
        for (row, symbol) in symbols.as_string::<i32>().iter().enumerate() {
            let symbol = symbol.context("a row has no symbol")?;
            if current.as_deref() != Some(symbol) {
                if market.len() == most {
                    return Ok(market);
                }
                current = Some(symbol.to_owned());
                market.push(Bars::default());
            }
            let Some(bars) = market.last_mut() else { continue };
            bars.time_us.push(bars.time_us.len() as i64 * DAY_US);
            let targets = [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume];
            for (target, column) in targets.into_iter().zip(&columns) {
                target.push(column.as_primitive::<Float64Type>().value(row));
            }
        }
    }
    Ok(market)
}

fn read_set(name: &str) -> Result<FeatureSet> {
    if let Some(set) = FeatureSet::by_name(name) {
        return Ok(set);
    }
    let text = std::fs::read_to_string(name).with_context(|| format!("{name} is neither a built-in set nor a file"))?;
    FeatureSet::from_toml(&text).map_err(|mistakes| match mistakes.first() {
        Some(first) => anyhow::anyhow!("{name}: {first}"),
        None => anyhow::anyhow!("{name} is no feature set"),
    })
}

fn run(options: &Options) -> Result<()> {
    let set = read_set(&options.set)?;
    let market = read_market(&options.bars, options.most)?;
    let rows: usize = market.iter().map(Bars::len).sum();
    // As in a program that has read a file before: glibc then keeps freed memory instead of giving every page back at once.
    drop(black_box(vec![1_u8; 32 << 20]));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build()?;
    let one_pass = || market.par_iter().for_each(|bars| drop(black_box(compute(&set, black_box(bars)))));
    let mut seconds = Vec::with_capacity(options.repetitions);
    pool.install(|| {
        one_pass();
        for _ in 0..options.repetitions {
            let started = Instant::now();
            one_pass();
            seconds.push(started.elapsed().as_secs_f64());
        }
    });
    let best = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let result = serde_json::json!({
        "side": "samovar",
        "task": set.name(),
        "symbols": market.len(),
        "rows": rows,
        "columns": set.definitions().len(),
        "threads": options.threads,
        "seconds": seconds,
        "rows_per_second": rows as f64 / best,
        "versions": { "samovar": env!("CARGO_PKG_VERSION") },
    });
    println!("{result}");
    Ok(())
}

fn main() -> ExitCode {
    let outcome = Options::read(std::env::args().skip(1)).and_then(|options| match options {
        Some(options) => run(&options),
        None => {
            eprintln!("{USAGE}");
            Ok(())
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
