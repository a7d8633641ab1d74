//! The set `talib`: its columns, in which functions' outputs stand as the formulas call them.

use crate::robust::{inputs, plausible};
use samovar::feature::talib::{TalibArgument, TalibCall, TalibFunction, find};
use samovar::feature::{FeatureSet, compute};
use samovar::market::{Bars, RawBars};

const TEXT: &str = include_str!("../../assets/sets/talib.toml");

const COLUMNS: &str = "sma ema wma dema tema trima kama t3 macd macd_signal macd_hist ppo apo rsi14 stoch_k stoch_d stochf_k stochf_d \
     stochrsi_k stochrsi_d adx14 adxr14 dx14 plus_di14 minus_di14 aroon_up aroon_down aroonosc cci14 cmo14 mfi14 mom10 roc10 trix30 \
     ultosc willr14 bop bb_upper bb_middle bb_lower sar atr14 natr14 trange ad adosc obv linearreg14 linearreg_slope14 \
     linearreg_angle14 tsf14 stddev5 var5 beta5 correl30 ht_trendline ht_dcperiod ht_trendmode";

const DAY_US: i64 = 86_400_000_000;

fn set() -> FeatureSet {
    FeatureSet::from_toml(TEXT).unwrap_or_else(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

/// What a formula of the set says: which function, its series as written, the call, and which output.
fn read(formula: &str) -> (&'static TalibFunction, Vec<&str>, TalibCall, usize) {
    let (call, output) = formula.split_once(')').expect("a call");
    let (name, arguments) = call.split_once('(').expect("a call");
    let function = find(name).expect("a function");
    let (series, numbers): (Vec<&str>, Vec<&str>) = arguments.split(", ").partition(|argument| argument.starts_with('$'));
    let numbers: Vec<_> = numbers.iter().map(|number| TalibArgument::Number(number.parse().expect("a number"))).collect();
    let call = TalibCall::new(function, &numbers).expect("parameters as the function takes them");
    let output = output.strip_prefix('.').map_or(Some(0), |name| function.output(name)).expect("an output");
    (function, series, call, output)
}

#[test]
fn columns_are_the_usual_ones() {
    let set = set();
    let names: Vec<&str> = set.definitions().iter().map(|definition| &*definition.name).collect();
    assert_eq!(names, COLUMNS.split_whitespace().collect::<Vec<_>>());
    assert_eq!(names.len(), 58);
    assert_eq!(set.name(), "talib");
    for definition in set.definitions() {
        assert!(!definition.description.is_empty() && !definition.description.ends_with('.'), "{}", definition.name);
        let (function, series, _, _) = read(&definition.formula);
        assert_eq!(series.len(), function.inputs.len(), "{}", definition.name);
        for (input, given) in function.inputs.iter().zip(series) {
            assert!(!input.is_field || given.strip_prefix('$') == Some(input.name), "{}", definition.name);
        }
    }
}

#[test]
fn columns_hold_what_the_functions_give() {
    let rows = plausible(300);
    let column = |place: usize| rows.iter().map(|row| row[place]).collect::<Vec<f64>>();
    let (bars, quality) = Bars::normalise(RawBars {
        time_us: (0..300).map(|day| day * DAY_US).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: column(4),
        ..RawBars::default()
    });
    assert!(quality.is_clean() && bars.len() == 300);
    let set = set();
    let table = compute(&set, &bars);
    for definition in set.definitions() {
        let (function, _, call, output) = read(&definition.formula);
        let series = inputs(function, &rows);
        let series: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
        let wanted = &call.compute(&series).expect("inputs of equal length")[output];
        let values = table.column(&definition.name).expect("a column");
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert!(bits(values) == bits(wanted), "{}", definition.name);
        assert!(wanted.iter().any(|value| !value.is_nan()), "{}", definition.name);
    }
}
