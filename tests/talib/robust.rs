//! No input and no parameter makes a function panic, hang or return a number that is none.

use samovar::feature::talib::{TalibArgument, TalibCall, TalibFunction, TalibKind, functions};
use std::time::Instant;

/// Inputs that are hard on arithmetic: the value of one series at one bar.
const SERIES: [(&str, fn(usize, usize) -> f64); 12] = [
    ("zero", |_, _| 0.0),
    ("constant", |_, _| 17.25),
    ("per series", |series, _| 10.0 + series as f64),
    ("negative", |_, bar| -5.0 - (bar % 7) as f64),
    ("huge", |_, bar| 1e300 * (1.0 + (bar % 3) as f64)),
    ("largest", |series, bar| if (series + bar) % 2 == 0 { f64::MAX } else { f64::MIN }),
    ("tiny", |_, bar| f64::MIN_POSITIVE * (bar % 5) as f64),
    ("jumps", |series, bar| if (bar / 3 + series) % 4 == 0 { 1e12 } else { 1e-12 }),
    ("rising", |series, bar| 1.0 + (bar * 4 + series) as f64),
    ("falling", |series, bar| 1000.0 - (bar * 4 + series) as f64),
    ("wild", |series, bar| ((bar * 7919 + series * 104_729) % 1009) as f64 - 504.0),
    ("broken bars", |series, bar| ((bar * 31 + series * 17) % 23) as f64 * if (bar + series) % 2 == 0 { -0.0 } else { 1.5 }),
];

/// Defaults, all smallest, all largest, and single ones at either end.
fn calls(function: &TalibFunction) -> Vec<TalibCall> {
    let ends = |kind: &TalibKind| match *kind {
        TalibKind::Integer { least, most } => vec![f64::from(least), f64::from(most), f64::from(least) + 1.0, 20.0],
        TalibKind::Real { least, most } => vec![least, most, 0.5, 1.0],
        TalibKind::MovingAverage => (0..16).map(f64::from).collect(),
    };
    let mut lists: Vec<Vec<TalibArgument<'_>>> = vec![Vec::new()];
    for place in 0..4 {
        let at = |kind: &TalibKind| ends(kind).get(place).copied().map_or(TalibArgument::Default, TalibArgument::Number);
        lists.push(function.parameters.iter().map(|parameter| at(&parameter.kind)).collect());
    }
    for (place, parameter) in function.parameters.iter().enumerate() {
        for end in ends(&parameter.kind) {
            let mut list = vec![TalibArgument::Default; place];
            list.push(TalibArgument::Number(end));
            lists.push(list);
        }
    }
    lists.iter().filter_map(|list| TalibCall::new(function, list).ok()).collect()
}

#[test]
fn nothing_panics() {
    for function in functions() {
        let began = Instant::now();
        let mut count = 0;
        for call in calls(function) {
            for (name, value) in SERIES {
                let series: Vec<Vec<f64>> =
                    (0..function.inputs.len()).map(|place| (0..200).map(|bar| value(place, bar)).collect()).collect();
                for bars in 0..=200 {
                    let inputs: Vec<&[f64]> = series.iter().map(|values| &values[..bars]).collect();
                    count += 1;
                    let result = std::panic::catch_unwind(|| call.compute(&inputs));
                    match result {
                        Err(_) => {
                            eprintln!("PANIC {call} {name} {bars}");
                            break;
                        }
                        Ok(Err(e)) => {
                            eprintln!("ERROR {call} {name} {bars} {e}");
                            break;
                        }
                        Ok(Ok(outputs)) => {
                            for output in outputs {
                                assert_eq!(output.len(), bars);
                                assert!(output.iter().all(|v| !v.is_infinite()));
                                assert!(output.iter().take(call.look_back()).all(|v| v.is_nan()));
                            }
                        }
                    }
                }
            }
        }
        eprintln!("{} {count} {:?}", function.name, began.elapsed());
    }
}
