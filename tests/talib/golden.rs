//! Every function that the TA-Lib C library has, against its values for synthetic bars (`tests/reference/make_talib_golden.py`).
//!
//! With `SAMOVAR_TALIB_GOLDEN` the files are read from another folder, and for every output are printed: values, differing
//! ones, ones that differ by convention, the largest plain relative error, the largest error as it is judged, and where.

use samovar::feature::talib::{TalibArgument, TalibCall, TalibFunction, find};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the values may be apart, relative to the expected one.
const LIMIT: f64 = 1e-9;
/// The same for other bars: over windows of two bars of real prices, the older library's running sums have lost more digits.
const LIMIT_ELSEWHERE: f64 = 1e-8;
/// Below this share of what it is made of, a value's error is measured by that share: such a value is what two much larger
/// numbers left when they cancelled out, and no double has its digits.
const SHARE: f64 = 1e-5;

struct Series {
    name: String,
    /// Open, high, low, close, volume, periods.
    columns: Vec<Vec<f64>>,
}

fn folder() -> PathBuf {
    std::env::var_os("SAMOVAR_TALIB_GOLDEN").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"), PathBuf::from)
}

fn read_bars(folder: &Path) -> Vec<Series> {
    let text = std::fs::read_to_string(folder.join("talib_bars.csv")).expect("the bars");
    let mut all: Vec<Series> = Vec::new();
    for line in text.lines().skip(1) {
        let (name, numbers) = line.split_once(',').expect("a name");
        if all.last().is_none_or(|series| series.name != name) {
            all.push(Series { name: name.to_owned(), columns: vec![Vec::new(); 6] });
        }
        let columns = &mut all.last_mut().expect("a series").columns;
        for (column, number) in columns.iter_mut().zip(numbers.split(',')) {
            column.push(number.parse().expect("a number"));
        }
    }
    all
}

/// The function's inputs as TA-Lib's Python package chooses them.
fn inputs<'a>(function: &TalibFunction, series: &'a Series) -> Vec<&'a [f64]> {
    let column = |name| match name {
        "open" => 0,
        "high" | "first" => 1,
        "low" | "second" => 2,
        "close" | "series" => 3,
        "volume" => 4,
        "periods" => 5,
        _ => panic!("an input named {name}"),
    };
    function.inputs.iter().map(|input| series.columns[column(input.name)].as_slice()).collect()
}

/// Values of one output, from their first place on.
fn take_values(bytes: &mut &[u8], kind: &str, bars: usize) -> Vec<f64> {
    let mut take = |count: usize| {
        let (taken, rest) = bytes.split_at(count);
        *bytes = rest;
        taken
    };
    let first = usize::from(u16::from_le_bytes(take(2).try_into().expect("two bytes")));
    let mut values = vec![f64::NAN; first];
    for _ in first..bars {
        values.push(match kind {
            "f8" => f64::from_le_bytes(take(8).try_into().expect("eight bytes")),
            "i2" => f64::from(i16::from_le_bytes(take(2).try_into().expect("two bytes"))),
            "i1" => 10.0 * f64::from(i8::from_le_bytes([take(1)[0]])),
            other => panic!("values of type {other}"),
        });
    }
    values
}

/// The size of the numbers whose difference a function's values are; of the others, the values' own.
fn terms(function: &str, series: &Series, expected: &[f64]) -> f64 {
    match function {
        "APO" | "ERI" | "MACD" | "MACDEXT" | "MACDFIX" => median_size(&series.columns[3]),
        "PPO" | "TRIX" | "STOCH" | "STOCHF" | "STOCHRSI" | "KDJ" => 100.0,
        "ADOSC" => {
            let line = find("TA_AD").and_then(|line| TalibCall::new(line, &[]).ok()).expect("a call");
            median_size(&line.compute(&[1, 2, 3, 4].map(|place| series.columns[place].as_slice())).expect("a line")[0])
        }
        _ => median_size(expected),
    }
}

fn median_size(values: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = values.iter().filter(|value| !value.is_nan()).map(|value| value.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or_default()
}

/// What TA-Lib changed between the C library that made the files (0.8.1) and the one that is used (0.8.3): where nothing has
/// moved yet, its relative strength index is 50, not 0; among equal extremes, positions are the newest's; in windows without
/// any volume the money flow and the volume oscillator are 0, not what rounding left of the last volumes.
fn is_newer_convention(function: &str, series: &Series, bar: usize, value: f64, wanted: f64) -> bool {
    let closes = &series.columns[3];
    match function {
        "RSI" => value == 50.0 && wanted == 0.0 && closes[..=bar].iter().all(|close| *close == closes[0]),
        "MAXINDEX" | "MININDEX" | "MINMAXINDEX" => value > wanted && closes[value as usize] == closes[wanted as usize],
        "CMF" | "PVO" => value == 0.0 && series.columns[4][..=bar].iter().rev().take(10).all(|volume| *volume == 0.0),
        _ => false,
    }
}

#[derive(Default)]
struct Worst {
    values: usize,
    differing: usize,
    /// Different for a known reason.
    known: usize,
    relative: f64,
    scaled: f64,
    place: String,
}

#[test]
fn golden() {
    let folder = folder();
    let is_elsewhere = std::env::var_os("SAMOVAR_TALIB_GOLDEN").is_some();
    let limit = if is_elsewhere { LIMIT_ELSEWHERE } else { LIMIT };
    let all = read_bars(&folder);
    let calls = std::fs::read_to_string(folder.join("talib_calls.csv")).expect("the calls");
    let values = std::fs::read(folder.join("talib_values.bin")).expect("the values");
    let mut values = values.as_slice();
    let mut worst: BTreeMap<String, Worst> = BTreeMap::new();
    let mut failures = Vec::new();
    for line in calls.lines().skip(1) {
        let [name, parameters, outputs, count] = line.split(',').collect::<Vec<_>>().try_into().expect("four fields");
        let function = find(&format!("TA_{name}")).unwrap_or_else(|| panic!("a function named {name}"));
        let numbers = parameters.split(' ').filter(|text| !text.is_empty());
        let arguments: Vec<_> = numbers.map(|text| TalibArgument::Number(text.parse().expect("a number"))).collect();
        let call = TalibCall::new(function, &arguments).unwrap_or_else(|error| panic!("{error}"));
        for series in &all[..count.parse().expect("a count")] {
            let computed = call.compute(&inputs(function, series)).expect("inputs of equal length");
            for output in outputs.split(' ') {
                let (long_name, kind) = output.split_once(':').expect("name and type");
                let expected = take_values(&mut values, kind, series.columns[0].len());
                let place = function.output(long_name).unwrap_or_else(|| panic!("an output {long_name} of {name}"));
                let entry = worst.entry(format!("{name}.{}", function.outputs[place].name)).or_default();
                let floor = SHARE * terms(name, series, &expected);
                let known = |bar, value, wanted| is_newer_convention(name, series, bar, value, wanted);
                let label = format!("{call} of {}", series.name);
                failures.extend(compare(entry, &computed[place], &expected, (floor, limit), known, &label));
            }
        }
    }
    assert!(values.is_empty(), "{} bytes were not read", values.len());
    if is_elsewhere {
        for (name, entry) in &worst {
            let Worst { values, differing, known, relative, scaled, place } = entry;
            println!("{name},{values},{differing},{known},{relative:e},{scaled:e},{place}");
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures[..failures.len().min(60)].join("\n"));
}

/// Notes the errors; the first that is too large comes back.
fn compare(
    worst: &mut Worst,
    computed: &[f64],
    expected: &[f64],
    (floor, limit): (f64, f64),
    is_known: impl Fn(usize, f64, f64) -> bool,
    label: &str,
) -> Option<String> {
    assert_eq!(computed.len(), expected.len(), "{label}");
    let mut failure = None;
    for (bar, (value, wanted)) in computed.iter().zip(expected).enumerate() {
        if value.is_nan() || wanted.is_nan() {
            if value.is_nan() != wanted.is_nan() {
                failure.get_or_insert_with(|| format!("{label}, bar {bar}: {value}, expected {wanted}"));
            }
            continue;
        }
        worst.values += 1;
        if value == wanted {
            continue;
        }
        if is_known(bar, *value, *wanted) {
            worst.known += 1;
            continue;
        }
        worst.differing += 1;
        let apart = (value - wanted).abs();
        worst.relative = worst.relative.max(apart / wanted.abs());
        let scaled = apart / wanted.abs().max(floor);
        if scaled > worst.scaled {
            worst.scaled = scaled;
            worst.place = format!("{label} bar {bar}: {value} expected {wanted}");
        }

        if scaled > limit {
            failure.get_or_insert_with(|| format!("{label}, bar {bar}: {value}, expected {wanted} ({scaled:e})"));
        }
    }
    failure
}
