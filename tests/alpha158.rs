//! The set `alpha158` against Qlib's own values and against a computation with 50 decimal digits.
//!
//! `tests/golden/alpha158.parquet`, made by `tests/reference/make_alpha158_golden.py`, holds invented bars and for every factor what Qlib
//! gives (Float32) and what is true (50 digits, rounded once to Float64). A value agrees with Qlib if it is within 1e-4 of it, relative
//! to it, with nulls in the same places. Where Qlib itself is off, by more than half of that or with a null where none belongs, it
//! cannot be what decides: there a value has to be nearer to the truth than Qlib's. And everywhere it has to be the true one, up to
//! what Float64 can hold of it.

// Helpers of tests are tests: a missing golden file has to fail loudly.
#![allow(clippy::unwrap_used, clippy::panic)]

use arrow::array::{Array, AsArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use samovar::feature::{FeatureSet, compute};
use samovar::market::{Bars, DAY_US};
use std::fs::File;
use std::path::PathBuf;

const SYMBOLS: [&str; 4] = ["ordinary", "halted", "tiny", "huge"];

/// How far a value may be from Qlib's, relative to Qlib's.
const AGREES: f64 = 1e-4;
/// From where on Qlib's value counts as off, relative to the true one.
const OFF: f64 = 5e-5;
/// How far a value may be from the true one, relative to it …
const TRUE: f64 = 1e-9;
/// … or, where it is the small difference of large numbers, relative to those.
const TRUE_OF_TERMS: f64 = 1e-13;

/// The rows of one symbol; every column as Float64, NaN for null.
struct Golden(RecordBatch);

impl Golden {
    fn all() -> Vec<(&'static str, Self)> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/alpha158.parquet");
        let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let batches: Vec<RecordBatch> =
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect();
        let table = concat_batches(&batches[0].schema(), &batches).unwrap();
        let names = cast(table.column_by_name("symbol").unwrap(), &DataType::Utf8).unwrap();
        let names = names.as_string::<i32>();
        let rows_of = |symbol: &str| {
            let first = names.iter().position(|name| name == Some(symbol)).unwrap();
            let count = names.iter().filter(|name| *name == Some(symbol)).count();
            table.slice(first, count)
        };
        SYMBOLS.into_iter().map(|symbol| (symbol, Self(rows_of(symbol)))).collect()
    }

    fn column(&self, name: &str) -> Vec<f64> {
        let column = self.0.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
        let column = cast(column, &DataType::Float64).unwrap();
        column.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)).collect()
    }

    fn bars(&self) -> Bars {
        let amount = self.0.column_by_name("amount").unwrap();
        Bars {
            time_us: (0..self.0.num_rows() as i64).map(|day| day * DAY_US).collect(),
            open: self.column("open"),
            high: self.column("high"),
            low: self.column("low"),
            close: self.column("close"),
            volume: self.column("volume"),
            amount: (amount.null_count() < amount.len()).then(|| self.column("amount")),
            ..Bars::default()
        }
    }
}

/// How large the numbers are, relative to what the column divides by, whose difference this column is at a row; 0 where it is none.
fn size_of_terms(name: &str, bars: &Bars, row: usize) -> f64 {
    let family = name.trim_end_matches(|char: char| char.is_ascii_digit());
    let window = name.get(family.len()..).and_then(|digits| digits.parse().ok()).unwrap_or(1_usize);
    let seen = |values: &[f64]| values[(row + 1).saturating_sub(window)..=row].iter().fold(0.0_f64, |size, value| value.abs().max(size));
    match family {
        "STD" | "BETA" | "RESI" => seen(&bars.close) / bars.close[row],
        "RSQR" | "CORR" | "CORD" => {
            // A deviation of a millionth of the price leaves ten of sixteen digits.
            let values = &bars.close[(row + 1).saturating_sub(window + 1)..=row];
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (value.min(low), value.max(high)));
            if high > low { high / (high - low) } else { 0.0 }
        }
        "SUMD" | "VSUMD" | "CNTD" | "WVMA" => 1.0,
        "VSTD" => seen(&bars.volume) / (bars.volume[row] + 1e-12),
        _ => 0.0,
    }
}

/// Whether Qlib's own value is further from the true one than float32 explains.
fn is_off(qlib: f64, exact: f64) -> bool {
    qlib.is_nan() != exact.is_nan() || (qlib - exact).abs() > OFF * exact.abs()
}

#[test]
fn the_158_factors_have_the_names_and_the_order_they_have_in_qlib() {
    let set = FeatureSet::by_name("alpha158").unwrap();
    let names: Vec<&str> = set.definitions().iter().map(|definition| &*definition.name).collect();
    let (_, golden) = Golden::all().swap_remove(0);
    let schema = golden.0.schema();
    let columns = schema.fields().iter().map(|field| field.name().as_str());
    let raw = ["symbol", "open", "high", "low", "close", "volume", "amount"];
    let expected: Vec<&str> = columns.filter(|name| !raw.contains(name) && !name.ends_with("_exact")).collect();
    assert_eq!(expected.len(), 158);
    assert_eq!(names, expected);
}

/// The one place where null is meant differently: what a window varies is asked of the pairs that are whole, where Qlib asks
/// each input by itself. At the first bar with a volume after a halt the ratio of volumes is null beside a ratio of prices
/// that alone varies; the window that begins there is null here, and not in Qlib.
fn varies_only_beside_a_null(symbol: &str, name: &str, row: usize) -> bool {
    let window = name.strip_prefix("CORD").and_then(|digits| digits.parse::<usize>().ok());
    symbol == "huge" && window.is_some_and(|window| row == 119 + window)
}

#[test]
fn every_factor_agrees_with_qlib_or_is_nearer_to_the_truth() {
    let set = FeatureSet::by_name("alpha158").unwrap();
    let (mut agreeing, mut nearer, mut wrong) = (0, 0, Vec::new());
    for (symbol, golden) in Golden::all() {
        let bars = golden.bars();
        let table = compute(&set, &bars);
        for (name, column) in table.names.iter().zip(&table.columns) {
            let (qlib, exact) = (golden.column(name), golden.column(&format!("{name}_exact")));
            assert_eq!(column.len(), qlib.len(), "{symbol}: {name}");
            for (row, ((value, qlib), exact)) in column.iter().zip(&qlib).zip(&exact).enumerate() {
                let right = if is_off(*qlib, *exact) {
                    nearer += 1;
                    if value.is_nan() || exact.is_nan() || qlib.is_nan() {
                        value.is_nan() == exact.is_nan()
                    } else {
                        // Where the truth is zero, both may be a rounding away from it.
                        let rounding = if exact.abs() < 1e-40 { 1e-15 * size_of_terms(name, &bars, row).max(1.0) } else { 0.0 };
                        (value - exact).abs() < (qlib - exact).abs() || (value - exact).abs() <= rounding
                    }
                } else {
                    agreeing += 1;
                    // Both are null, or neither; NaN is within nothing.
                    value.is_nan() == qlib.is_nan() && (value.is_nan() || (value - qlib).abs() <= AGREES * qlib.abs())
                };
                if varies_only_beside_a_null(symbol, name, row) {
                    assert!(value.is_nan() && !qlib.is_nan());
                } else if !right {
                    wrong.push(format!("{symbol}: {name}[{row}] is {value:e}, Qlib has {qlib:e}, the truth is {exact:e}"));
                }
            }
        }
    }
    println!("{agreeing} values agree with Qlib, {nearer} are nearer to the truth than Qlib's");
    assert!(wrong.is_empty(), "{} values are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(nearer > 500, "the golden file has lost its hard cases");
}

#[test]
fn every_factor_is_true_to_nine_digits() {
    let set = FeatureSet::by_name("alpha158").unwrap();
    let mut wrong = Vec::new();
    for (symbol, golden) in Golden::all() {
        let bars = golden.bars();
        let table = compute(&set, &bars);
        for (name, column) in table.names.iter().zip(&table.columns) {
            for (row, (value, exact)) in column.iter().zip(golden.column(&format!("{name}_exact"))).enumerate() {
                let allowed = (TRUE * exact.abs()).max(TRUE_OF_TERMS * size_of_terms(name, &bars, row));
                let is_wrong = value.is_nan() != exact.is_nan() || (value - exact).abs() > allowed;
                if is_wrong && !varies_only_beside_a_null(symbol, name, row) {
                    wrong.push(format!("{symbol}: {name}[{row}] is {value:e}, the truth is {exact:e}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} values are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}
