//! The classic features against golden files that an independent reference made (`tests/golden/make_golden.py`).
//!
//! A value agrees if it is within 1e-9 of the reference, relative to the reference. A value that is the small difference of
//! large numbers (MACD near a crossing) cannot be known better than those numbers are: there 1e-14 of their size is allowed,
//! which is some fifty roundings of them, and `size_of_terms` says which columns those are. Nulls must be in the same places.

// Helpers of tests are tests: a missing golden file has to fail loudly.
#![allow(clippy::unwrap_used, clippy::panic)]

use samovar::feature::{FeatureSet, FeatureTable, column_stats, compute, compute_with_state, continue_from};
use samovar::market::{Bars, DAY_US};
use std::collections::HashMap;
use std::path::PathBuf;

const SERIES: [&str; 9] =
    ["ordinary", "flat", "zero_volume", "penny", "high_price_tiny_moves", "one_bar", "five_bars", "negative", "broken_range"];

/// Columns of a golden file; an empty field is NaN.
fn read(series: &str) -> HashMap<String, Vec<f64>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/classic_{series}.csv"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut columns: HashMap<String, Vec<f64>> = names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), names.len());
        for (name, field) in names.iter().zip(fields) {
            let value = if field.is_empty() { f64::NAN } else { field.parse().unwrap() };
            columns.get_mut(*name).unwrap().push(value);
        }
    }
    columns
}

fn bars_of(columns: &HashMap<String, Vec<f64>>) -> Bars {
    let column = |name: &str| columns[name].clone();
    let len = columns["close"].len() as i64;
    Bars {
        time_us: (0..len).map(|day| day * DAY_US).collect(),
        open: column("open"),
        high: column("high"),
        low: column("low"),
        close: column("close"),
        volume: column("volume"),
        turnover: columns.get("turnover").cloned(),
        ..Bars::default()
    }
}

/// How large the numbers are whose difference this column is; 0 where it is none.
fn size_of_terms(name: &str, bars: &Bars) -> f64 {
    match name {
        "macd_dif" | "macd_dea" | "macd_hist" => bars.close.iter().fold(0.0, |size, close| close.abs().max(size)),
        "kdj_j" | "bias6" => 100.0,
        _ => 0.0,
    }
}

#[test]
fn all_columns_agree_with_the_golden_files() {
    let set = FeatureSet::classic();
    assert_eq!(set.definitions().len(), 45);
    for series in SERIES {
        let golden = read(series);
        let bars = bars_of(&golden);
        let table = compute(&set, &bars);
        assert_eq!((table.names.len(), table.columns.len(), table.len()), (45, 45, bars.len()));
        for (name, column) in table.names.iter().zip(&table.columns) {
            let expected = &golden[&**name];
            assert_eq!(column.len(), expected.len(), "{series}: {name}");
            let floor = 1e-14 * size_of_terms(name, &bars);
            for (row, (value, expected)) in column.iter().zip(expected).enumerate() {
                assert_eq!(value.is_nan(), expected.is_nan(), "{series}: {name}[{row}] is {value}, not {expected}");
                assert!(!value.is_infinite());
                let allowed = (1e-9 * expected.abs()).max(floor);
                assert!(value.is_nan() || (value - expected).abs() <= allowed, "{series}: {name}[{row}] is {value}, not {expected}");
            }
        }
    }
}

#[test]
fn the_worked_example_of_the_definitions() {
    let close = vec![10.0, 11.0, 12.0, 11.0, 13.0, 14.0];
    let table = compute(&FeatureSet::classic(), &closes(&close));
    assert_eq!(table.column("ema7").unwrap(), [10.0, 10.25, 10.6875, 10.765625, 11.32421875, 11.9931640625]);
    let rsi = table.column("rsi6").unwrap();
    assert!(rsi[0].is_nan());
    for (value, expected) in rsi[1..].iter().zip([100.0, 100.0, 83.3333333333, 88.0952380952, 89.8373983740]) {
        assert!((value - expected).abs() < 1e-10, "{value} is not {expected}");
    }
}

fn closes(close: &[f64]) -> Bars {
    Bars {
        time_us: (0..close.len() as i64).map(|day| day * DAY_US).collect(),
        open: close.to_vec(),
        high: close.to_vec(),
        low: close.to_vec(),
        close: close.to_vec(),
        volume: vec![1.0; close.len()],
        ..Bars::default()
    }
}

fn bits(table: &FeatureTable) -> Vec<Vec<u64>> {
    table.columns.iter().map(|column| column.iter().map(|value| value.to_bits()).collect()).collect()
}

/// The first bars.
fn first(bars: &Bars, len: usize) -> Bars {
    let cut = |column: &Vec<f64>| column[..len].to_vec();
    Bars {
        time_us: bars.time_us[..len].to_vec(),
        open: cut(&bars.open),
        high: cut(&bars.high),
        low: cut(&bars.low),
        close: cut(&bars.close),
        volume: cut(&bars.volume),
        turnover: bars.turnover.as_ref().map(cut),
        ..bars.clone()
    }
}

#[test]
fn bars_that_arrive_one_at_a_time_give_the_golden_bits() {
    let set = FeatureSet::classic();
    for series in SERIES {
        let bars = bars_of(&read(series));
        let whole = bits(&compute(&set, &bars));
        for batch in [1, 2, 7, 60] {
            let (mut table, mut state) = compute_with_state(&set, &first(&bars, 0), 0);
            while state.rows() < bars.len() {
                let end = (state.rows() + batch).min(bars.len());
                let (more, next) = continue_from(&set, &first(&bars, end), state.rows(), &state, end).unwrap();
                for (column, more) in table.columns.iter_mut().zip(more.columns) {
                    column.extend(more);
                }
                state = next;
            }
            for (name, (column, whole)) in table.names.iter().zip(bits(&table).iter().zip(&whole)) {
                assert_eq!(column, whole, "{series}: {name} in batches of {batch}");
            }
            assert_eq!(state, compute_with_state(&set, &bars, bars.len()).1, "{series}");
        }
    }
}

#[test]
fn later_bars_never_change_earlier_values() {
    let bars = bars_of(&read("ordinary"));
    let set = FeatureSet::classic();
    let whole = bits(&compute(&set, &bars));
    for len in [0, 1, 2, 13, 64, 65, 128, 399] {
        for (part, whole) in bits(&compute(&set, &first(&bars, len))).iter().zip(&whole) {
            assert_eq!(part[..], whole[..len]);
        }
    }
}

#[test]
fn extreme_bars_give_finite_numbers_or_null() {
    let values = [0.0, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, -1.0, 1.0, 1e300, -1e300];
    let mut seed = 1_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values[(seed >> 33) as usize % values.len()]
    };
    for _ in 0..50 {
        let mut bars = closes(&[0.0; 100]);
        for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume] {
            column.iter_mut().for_each(|value| *value = next());
        }
        let table = compute(&FeatureSet::classic(), &bars);
        for (name, column) in table.names.iter().zip(&table.columns) {
            assert_eq!(column.len(), 100, "{name}");
            assert!(!column.iter().any(|value| value.is_infinite()), "{name}");
        }
        for stats in column_stats(&table) {
            assert!([stats.min, stats.max, stats.mean].iter().flatten().all(|value| value.is_finite()), "{}", stats.name);
        }
    }
}
