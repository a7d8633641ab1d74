//! No input and no parameter makes a function panic, hang or give a number that is none, and no later bar changes a value.

use proptest::prelude::*;
use samovar::feature::talib::{TalibArgument, TalibCall, TalibFunction, TalibKind, find, functions, moving_average_names};

/// One series' value at one bar.
type Series = fn(usize, usize) -> f64;

/// Inputs that are hard on arithmetic.
const SERIES: [(&str, Series); 13] = [
    ("zero", |_, _| 0.0),
    ("constant", |_, _| 17.25),
    ("one constant each", |series, _| 10.0 + series as f64),
    ("negative", |_, bar| -5.0 - (bar % 7) as f64),
    ("huge", |_, bar| 1e300 * (1.0 + (bar % 3) as f64)),
    ("largest", |series, bar| if (series + bar).is_multiple_of(2) { f64::MAX } else { f64::MIN }),
    ("tiny", |_, bar| f64::MIN_POSITIVE * (bar % 5) as f64),
    ("jumps", |series, bar| if (bar / 3 + series).is_multiple_of(4) { 1e12 } else { 1e-12 }),
    ("rising", |series, bar| 1.0 + (bar * 4 + series) as f64),
    ("falling", |series, bar| 1000.0 - (bar * 4 + series) as f64),
    ("wild", |series, bar| ((bar * 7919 + series * 104_729) % 1009) as f64 - 504.0),
    ("broken bars", |series, bar| ((bar * 31 + series * 17) % 23) as f64 * if (bar + series).is_multiple_of(2) { -0.0 } else { 1.5 }),
    // Not allowed, but no reason to panic.
    ("no numbers", |series, bar| [f64::NAN, 1.0, f64::INFINITY, 2.0, f64::NEG_INFINITY][(bar * 3 + series) % 5]),
];

const MOST_BARS: usize = 200;

fn ends(kind: TalibKind) -> Vec<f64> {
    match kind {
        TalibKind::Integer { least, most } => vec![f64::from(least), f64::from(most), f64::from(least) + 1.0, 20.0],
        TalibKind::Real { least, most } => vec![least, most, 0.5, 1.0],
        TalibKind::MovingAverage => (0..16).map(f64::from).collect(),
    }
}

/// Defaults first; all smallest, all largest and more; single ones at either end.
fn calls(function: &TalibFunction) -> Vec<TalibCall> {
    let mut lists: Vec<Vec<TalibArgument<'_>>> = vec![Vec::new()];
    for place in 0..4 {
        let at = |kind| ends(kind).get(place).copied().map_or(TalibArgument::Default, TalibArgument::Number);
        lists.push(function.parameters.iter().map(|parameter| at(parameter.kind)).collect());
    }
    for (place, parameter) in function.parameters.iter().enumerate() {
        for end in ends(parameter.kind) {
            let mut list = vec![TalibArgument::Default; place];
            list.push(TalibArgument::Number(end));
            lists.push(list);
        }
    }
    lists.iter().filter_map(|list| TalibCall::new(function, list).ok()).collect()
}

fn parts(series: &[Vec<f64>], bars: usize) -> Vec<&[f64]> {
    series.iter().map(|values| &values[..bars]).collect()
}

fn bits(outputs: &[Vec<f64>]) -> Vec<Vec<u64>> {
    outputs.iter().map(|output| output.iter().map(|value| value.to_bits()).collect()).collect()
}

#[test]
fn nothing_panics() {
    for function in functions() {
        for (place, call) in calls(function).iter().enumerate() {
            let first = call.look_back();
            let lengths: Vec<usize> =
                if place == 0 { (0..=MOST_BARS).collect() } else { vec![0, 1, 2, first, first + 1, first + 2, first + 50, MOST_BARS] };
            for (name, value) in SERIES {
                let series: Vec<Vec<f64>> =
                    (0..function.inputs.len()).map(|input| (0..MOST_BARS).map(|bar| value(input, bar)).collect()).collect();
                let mut outputs = Vec::new();
                for bars in lengths.iter().copied().filter(|bars| *bars <= MOST_BARS) {
                    call.compute_into(&parts(&series, bars), &mut outputs).unwrap_or_else(|error| panic!("{call} {name} {bars}: {error}"));
                    assert_eq!(outputs.len(), function.outputs.len());
                    for output in &outputs {
                        assert_eq!(output.len(), bars, "{call} of {name}");
                        assert!(output.iter().all(|value| !value.is_infinite()), "{call} of {name}");
                        assert!(output.iter().take(first).all(|value| value.is_nan()), "{call} of {name}");
                    }
                }
            }
        }
    }
}

/// Bars that could be somebody's, each within its own range.
pub fn plausible(bars: usize) -> Vec<[f64; 6]> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut close = 100.0;
    let mut all = Vec::new();
    for _ in 0..bars {
        let open = close * (1.0 + 0.02 * (next() - 0.5));
        close = open * (1.0 + 0.04 * (next() - 0.5));
        let high = f64::max(open, close) * (1.0 + 0.01 * next());
        let low = f64::min(open, close) * (1.0 - 0.01 * next());
        all.push([open, high, low, close, (1e6 * next()).floor(), (2.0 + 30.0 * next()).floor()]);
    }
    all
}

/// The function's inputs: highs and lows where it takes any two series, closes where it takes one.
pub fn inputs(function: &TalibFunction, bars: &[[f64; 6]]) -> Vec<Vec<f64>> {
    let column = |name| match name {
        "open" => 0,
        "high" | "first" => 1,
        "low" | "second" => 2,
        "volume" => 4,
        "periods" => 5,
        _ => 3,
    };
    function.inputs.iter().map(|input| bars.iter().map(|bar| bar[column(input.name)]).collect()).collect()
}

#[test]
fn later_bars_change_nothing() {
    let bars = plausible(400);
    for function in functions() {
        let series = inputs(function, &bars);
        for numbers in [None, Some(5.0), Some(12.0)] {
            let short = |kind| match kind {
                TalibKind::Integer { most, .. } => {
                    numbers.map_or(TalibArgument::Default, |number| TalibArgument::Number(f64::min(number, f64::from(most))))
                }
                _ => TalibArgument::Default,
            };
            let arguments: Vec<_> = function.parameters.iter().map(|parameter| short(parameter.kind)).collect();
            let Ok(call) = TalibCall::new(function, &arguments) else { continue };
            let whole = call.compute(&parts(&series, 400)).expect("inputs of equal length");
            for length in (0..400).step_by(13).chain([call.look_back(), call.look_back() + 1]) {
                let part = call.compute(&parts(&series, length)).expect("inputs of equal length");
                let kept: Vec<Vec<f64>> = whole.iter().map(|output| output[..length].to_vec()).collect();
                assert_eq!(bits(&part), bits(&kept), "{call} of {length} bars");
            }
            // Nearly all have their first value where they promise it; arc sine and arc cosine of prices have none.
            let first = whole[0].iter().position(|value| !value.is_nan());
            assert!(first == Some(call.look_back()) || ["TA_ACOS", "TA_ASIN"].contains(&function.name.as_str()), "{call}: {first:?}");
        }
    }
}

#[test]
fn a_moving_average_by_its_kind_is_the_function_of_that_name() {
    let bars = plausible(300);
    let any = find("TA_MA").expect("the function");
    let series = inputs(any, &bars);
    let values = |call: TalibCall| bits(&call.compute(&parts(&series, 300)).expect("inputs of equal length"));
    for kind in moving_average_names().filter(|kind| !["disabled", "mama"].contains(kind)) {
        let own = find(&format!("TA_{}", kind.to_uppercase())).expect("the function");
        let by_kind = TalibCall::new(any, &[TalibArgument::Number(21.0), TalibArgument::Name(kind)]).expect("a call");
        // The only one with another window, which is then three quarters of the first.
        let numbers = if kind == "vidya" { vec![21.0, 16.0] } else { vec![21.0] };
        let arguments: Vec<_> = numbers.into_iter().map(TalibArgument::Number).collect();
        let by_name = TalibCall::new(own, &arguments).expect("a call");
        assert!(values(by_kind) == values(by_name), "{kind}");
    }
    let disabled = TalibCall::new(any, &[TalibArgument::Number(21.0), TalibArgument::Name("disabled")]).expect("a call");
    assert!(values(disabled) == bits(&series));
}

fn parameter(kind: TalibKind) -> BoxedStrategy<f64> {
    match kind {
        TalibKind::Integer { least, most } => prop_oneof![4 => least..=most.min(60), 1 => least..=most].prop_map(f64::from).boxed(),
        TalibKind::Real { least, most } => prop_oneof![3 => least.max(0.0)..=most.min(5.0), 1 => Just(least), 1 => Just(most)].boxed(),
        TalibKind::MovingAverage => (0..16_i32).prop_map(f64::from).boxed(),
    }
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![8 => 1.0..200.0_f64, 2 => Just(50.0), 1 => Just(0.0), 1 => -1e9..1e9_f64, 1 => Just(f64::NAN), 1 => any::<f64>()]
}

/// A call, and as many series as it takes.
fn call_with_inputs() -> impl Strategy<Value = (TalibCall, Vec<Vec<f64>>)> {
    (0..functions().len(), 0..150_usize).prop_flat_map(|(place, bars)| {
        let function = &functions()[place];
        let parameters: Vec<_> = function.parameters.iter().map(|setting| parameter(setting.kind)).collect();
        let series = prop::collection::vec(prop::collection::vec(value(), bars), function.inputs.len());
        (parameters, series).prop_filter_map("parameters that go together", move |(numbers, series)| {
            let arguments: Vec<_> = numbers.iter().map(|number| TalibArgument::Number(*number)).collect();
            Some((TalibCall::new(function, &arguments).ok()?, series))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// What is computed over nulls is, in every run between them, what the run alone gives.
    #[test]
    fn runs_between_nulls_stand_alone((call, series) in call_with_inputs()) {
        let bars = series.first().map_or(0, Vec::len);
        let computed = call.compute_with_nulls(&parts(&series, bars)).expect("inputs of equal length");
        let is_null = |bar: usize| series.iter().any(|values| !values[bar].is_finite());
        let positions: Vec<bool> = call.function().expect("a function").outputs.iter().map(|output| output.is_position).collect();
        let mut start = 0;
        for end in 0..=bars {
            if end < bars && !is_null(end) {
                continue;
            }
            let run: Vec<&[f64]> = series.iter().map(|values| &values[start..end]).collect();
            let alone = call.compute(&run).expect("inputs of equal length");
            for ((output, own), is_position) in computed.iter().zip(&alone).zip(&positions) {
                prop_assert_eq!(output.len(), bars);
                prop_assert!(end == bars || output[end].is_nan());
                for (value, wanted) in output[start..end].iter().zip(own) {
                    let shift = if *is_position && *wanted >= 0.0 { start as f64 } else { 0.0 };
                    prop_assert!(!value.is_infinite());
                    prop_assert_eq!(value.to_bits(), if shift > 0.0 { (wanted + shift).to_bits() } else { wanted.to_bits() });
                }
            }
            start = end + 1;
        }
    }
}
