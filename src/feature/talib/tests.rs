//! Names, ranges and texts of the registry; nulls, lengths and runs of calls.

use super::*;
use std::collections::HashSet;

fn call(name: &str, numbers: &[f64]) -> TalibCall {
    let arguments: Vec<_> = numbers.iter().map(|number| TalibArgument::Number(*number)).collect();
    TalibCall::new(find(name).unwrap(), &arguments).unwrap()
}

fn error(name: &str, arguments: &[TalibArgument<'_>]) -> TalibCallError {
    TalibCall::new(find(name).unwrap(), arguments).unwrap_err()
}

fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_lowercase())
        && characters.all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_')
}

#[test]
fn every_function_has_unique_plain_names_and_a_line_of_text() {
    let names: HashSet<_> = functions().iter().map(|function| &function.name).collect();
    assert_eq!(names.len(), functions().len());
    assert!(functions().len() >= 237);
    for function in functions() {
        let name = &function.name;
        assert_eq!(find(name).map(|found| &found.name), Some(name));
        assert!(!function.inputs.is_empty() && !function.outputs.is_empty(), "{name}");
        let inputs: HashSet<_> = function.inputs.iter().map(|input| input.name).collect();
        let parameters: HashSet<_> = function.parameters.iter().map(|parameter| &parameter.name).collect();
        let outputs: HashSet<_> = function.outputs.iter().map(|output| &output.name).collect();
        assert_eq!(inputs.len(), function.inputs.len(), "{name}");
        assert_eq!(parameters.len(), function.parameters.len(), "{name}");
        assert_eq!(outputs.len(), function.outputs.len(), "{name}");
        assert!(parameters.into_iter().chain(outputs).all(|plain| is_plain(plain)), "{name}");
        let lines = function.parameters.iter().map(|parameter| &parameter.description).chain([&function.description]);
        for line in lines {
            assert!(line.len() > 3 && !line.ends_with('.') && !line.contains("  "), "{name}: {line}");
            assert!(!line.starts_with(|first: char| first.is_ascii_lowercase()), "{name}: {line}");
        }
        for (place, output) in function.outputs.iter().enumerate() {
            assert_eq!(function.output(&output.name), Some(place));
            assert_eq!(function.output(&output.long_name), Some(place));
        }
        for (place, parameter) in function.parameters.iter().enumerate() {
            assert_eq!(function.parameter(&parameter.name), Some(place));
        }
        let defaults = TalibCall::new(function, &[]).unwrap();
        assert_eq!(defaults.parameters().len(), function.parameters.len());
        assert_eq!((defaults.input_count(), defaults.output_count()), (function.inputs.len(), function.outputs.len()));
    }
}

#[test]
fn outputs_are_named_as_people_say_them() {
    let outputs = |name: &str| {
        let names: Vec<_> = find(name).unwrap().outputs.iter().map(|output| output.name.as_str()).collect();
        names.join(" ")
    };
    let expected = [
        ("TA_RSI", "value"),
        ("TA_MACD", "macd signal hist"),
        ("TA_MACDEXT", "macd signal hist"),
        ("TA_MACDFIX", "macd signal hist"),
        ("TA_BBANDS", "upper middle lower"),
        ("TA_ACCBANDS", "upper middle lower"),
        ("TA_DONCHIAN", "upper middle lower"),
        ("TA_KC", "upper middle lower"),
        ("TA_STOCH", "slowk slowd"),
        ("TA_STOCHF", "fastk fastd"),
        ("TA_STOCHRSI", "fastk fastd"),
        ("TA_AROON", "down up"),
        ("TA_MAMA", "mama fama"),
        ("TA_HA", "open high low close"),
        ("TA_HT_PHASOR", "inphase quadrature"),
        ("TA_HT_SINE", "sine leadsine"),
        ("TA_MINMAX", "min max"),
        ("TA_MINMAXINDEX", "minidx maxidx"),
        ("TA_KDJ", "k d j"),
        ("TA_KST", "kst signal"),
        ("TA_KSTEXT", "kst signal"),
        ("TA_KVO", "kvo signal"),
        ("TA_SMI", "smi signal"),
        ("TA_VORTEX", "plusvi minusvi"),
        ("TA_ERI", "bullpower bearpower"),
        ("TA_ICHIMOKU", "tenkansen kijunsen senkouspana senkouspanb"),
        ("TA_SUPERTREND", "supertrend trend"),
        ("TA_WAVETREND", "wt1 wt2"),
        ("TA_ZIGZAG", "zigzag trend pivotidx"),
        ("TA_FISHER", "fisher trigger"),
        ("TA_FRACTAL", "swinghigh swinglow"),
        ("TA_SQZMOM", "momentum squeeze"),
        ("TA_CKSP", "highstop lowstop"),
    ];
    for (name, names) in expected {
        assert_eq!(outputs(name), names, "{name}");
    }
    let tested: HashSet<_> = expected.iter().map(|(name, _)| *name).collect();
    for function in functions().iter().filter(|function| !tested.contains(function.name.as_str())) {
        assert_eq!(outputs(&function.name), "value", "{}", function.name);
    }
}

#[test]
fn signatures_read_as_calls() {
    let signature = |name: &str| find(name).unwrap().signature();
    assert_eq!(signature("TA_RSI"), "TA_RSI(series, timeperiod=14)");
    assert_eq!(signature("TA_MACD"), "TA_MACD(series, fastperiod=12, slowperiod=26, signalperiod=9)");
    assert_eq!(signature("TA_BBANDS"), "TA_BBANDS(series, timeperiod=20, nbdevup=2.0, nbdevdn=2.0, matype=sma)");
    assert_eq!(signature("TA_ADOSC"), "TA_ADOSC($high, $low, $close, $volume, fastperiod=3, slowperiod=10)");
    assert_eq!(signature("TA_OBV"), "TA_OBV(series, $volume)");
    assert_eq!(signature("TA_BETA"), "TA_BETA(first, second, timeperiod=5)");
    assert_eq!(signature("TA_MAVP"), "TA_MAVP(series, periods, minperiod=2, maxperiod=30, matype=sma)");
    assert_eq!(signature("TA_BOP"), "TA_BOP($open, $high, $low, $close)");
    assert!(find("RSI").is_none() && find("TA_rsi").is_none() && find("TA_").is_none() && find("").is_none());
}

#[test]
fn descriptions_are_in_sentence_case() {
    let description = |name: &str| find(name).unwrap().description.as_str();
    assert_eq!(description("TA_CMO"), "Chande momentum oscillator");
    assert_eq!(description("TA_WILLR"), "Williams' %R");
    assert_eq!(description("TA_ICHIMOKU"), "Ichimoku Kinko Hyo");
    assert_eq!(description("TA_HT_DCPERIOD"), "Hilbert transform: dominant cycle period");
    assert_eq!(description("TA_CDLHAMMER"), "Candlestick pattern hammer (100, else 0)");
    assert_eq!(description("TA_CDL2CROWS"), "Candlestick pattern two crows (−100, else 0)");
    assert_eq!(description("TA_CDLHIKKAKE"), "Candlestick pattern hikkake (±100, ±200 when confirmed, else 0)");
    assert_eq!(description("TA_CDLENGULFING"), "Candlestick pattern engulfing (±100, ±80 when weak, else 0)");
}

#[test]
fn canonical_texts_name_every_parameter() {
    assert_eq!(call("TA_MACD", &[]).to_string(), "MACD(12,26,9)");
    assert_eq!(call("TA_MACD", &[12.0, 26.0]), call("TA_MACD", &[]));
    assert_eq!(call("TA_BBANDS", &[10.0, 2.5]).to_string(), "BBANDS(10,2.5,2.0,0)");
    assert_eq!(call("TA_BOP", &[]).to_string(), "BOP()");
    assert_eq!(call("TA_SAR", &[-0.0]), call("TA_SAR", &[0.0]));
    let named = TalibCall::new(find("TA_MA").unwrap(), &[TalibArgument::Default, TalibArgument::Name("EMA")]).unwrap();
    assert_eq!(named.to_string(), "MA(30,1)");
    assert_eq!(named, call("TA_MA", &[30.0, 1.0]));
    assert_ne!(named, call("TA_MA", &[30.0, 0.0]));
    let texts: HashSet<_> = functions().iter().map(|function| TalibCall::new(function, &[]).unwrap().to_string()).collect();
    assert_eq!(texts.len(), functions().len());
}

#[test]
fn look_backs_are_the_place_of_the_first_value() {
    assert_eq!(call("TA_SMA", &[20.0]).look_back(), 19);
    assert_eq!(call("TA_RSI", &[14.0]).look_back(), 14);
    assert_eq!(call("TA_MACD", &[]).look_back(), 33);
    assert_eq!(call("TA_OBV", &[]).look_back(), 0);
}

#[test]
fn a_wrong_parameter_is_told_with_what_it_may_be() {
    use TalibArgument::{Name, Number};
    let message = |name: &str, arguments: &[TalibArgument<'_>]| error(name, arguments).to_string();
    assert_eq!(message("TA_RSI", &[Number(1.0)]), "timeperiod of TA_RSI must be a whole number from 2 to 100000; 1 is not");
    assert_eq!(message("TA_RSI", &[Number(14.5)]), "timeperiod of TA_RSI must be a whole number from 2 to 100000; 14.5 is not");
    assert_eq!(message("TA_RSI", &[Number(f64::NAN)]), "timeperiod of TA_RSI must be a whole number from 2 to 100000; NaN is not");
    assert_eq!(message("TA_RSI", &[Number(1e300)]).split(';').next(), Some("timeperiod of TA_RSI must be a whole number from 2 to 100000"));
    assert_eq!(message("TA_RSI", &[Name("ema")]), "timeperiod of TA_RSI must be a whole number from 2 to 100000; \"ema\" is not");
    assert_eq!(message("TA_FRAMA", &[Number(7.0)]), "timeperiod of TA_FRAMA must be an even number from 2 to 100000; 7 is not");
    assert_eq!(message("TA_T3", &[Number(5.0), Number(1.5)]), "vfactor of TA_T3 must be a number from 0 to 1; 1.5 is not");
    assert_eq!(message("TA_SAR", &[Number(-1.0)]), "acceleration of TA_SAR must be a number of 0 or more; -1 is not");
    assert_eq!(message("TA_STDDEV", &[Number(5.0), Number(f64::INFINITY)]), "nbdev of TA_STDDEV must be a number; inf is not");
    assert_eq!(message("TA_BOP", &[Number(1.0)]), "TA_BOP takes no parameters, and 1 were given");
    assert_eq!(message("TA_RSI", &[Number(14.0), Number(3.0)]), "TA_RSI takes one parameter at most, and 2 were given");
    let average = message("TA_MA", &[Number(30.0), Name("smaa")]);
    assert!(average.starts_with("matype of TA_MA must be a moving average (sma ema wma "), "{average}");
    assert!(average.ends_with("alma) or its number; \"smaa\" is not"), "{average}");
    for number in [-1.0, 11.0, 16.0, 0.5] {
        assert_eq!(error("TA_MA", &[Number(30.0), Number(number)]).parameter(), Some(1));
    }
    let together = error("TA_MAVP", &[Number(30.0), Number(2.0)]);
    assert_eq!(together.parameter(), None);
    assert!(together.to_string().contains("minperiod=30, maxperiod=2, matype=sma (minperiod may not be above maxperiod)"), "{together}");
}

#[test]
fn moving_averages_have_names_and_numbers() {
    for name in moving_average_names() {
        assert_eq!(moving_average_number(name).and_then(moving_average_name), Some(name));
    }
    assert_eq!(["sma", "Ema", "T3", "nothing"].map(moving_average_number), [Some(0), Some(1), Some(8), None]);
    assert_eq!(moving_average_name(11), None);
}

#[test]
fn values_stand_at_their_bars() {
    let values = [11.0, 12.0, 13.0, 14.0, 16.0];
    let computed = call("TA_SMA", &[3.0]).compute(&[&values]).unwrap();
    assert!(computed[0][..2].iter().all(|value| value.is_nan()));
    assert_eq!(computed[0][2..], [12.0, 13.0, 43.0 / 3.0]);
}

#[test]
fn short_series_give_nulls() {
    for bars in 0..=14 {
        let computed = call("TA_RSI", &[14.0]).compute(&[&vec![5.0; bars]]).unwrap();
        assert_eq!(computed[0].len(), bars);
        assert!(computed[0].iter().all(|value| value.is_nan()));
    }
    let huge = call("TA_SMA", &[100_000.0]).compute(&[&[1.0; 50]]).unwrap();
    assert!(huge[0].len() == 50 && huge[0].iter().all(|value| value.is_nan()));
}

#[test]
fn every_run_between_nulls_starts_over() {
    let null = f64::NAN;
    let values = [1.0, 2.0, 3.0, null, 4.0, 5.0, null, null, 6.0, 8.0, 10.0, 12.0];
    let computed = call("TA_EMA", &[3.0]).compute_with_nulls(&[&values]).unwrap();
    let alone = call("TA_EMA", &[3.0]).compute(&[&[6.0, 8.0, 10.0, 12.0]]).unwrap();
    assert_eq!(computed[0][2], 2.0);
    assert_eq!(computed[0][10..], alone[0][2..]);
    let nulls: Vec<usize> = (0..12).filter(|bar| computed[0][*bar].is_nan()).collect();
    assert_eq!(nulls, [0, 1, 3, 4, 5, 6, 7, 8, 9]);
    // A null in any of the inputs is one.
    let first = [1.0, 2.0, null, 4.0];
    let second = [1.0, f64::INFINITY, 3.0, 4.0];
    let sum = call("TA_ADD", &[]).compute_with_nulls(&[&first, &second]).unwrap();
    assert!(sum[0][0] == 2.0 && sum[0][1].is_nan() && sum[0][2].is_nan() && sum[0][3] == 8.0);
}

#[test]
fn without_nulls_both_ways_are_the_same() {
    let values: Vec<f64> = (0..80).map(|bar| f64::from(bar * 7919 % 101)).collect();
    for name in ["TA_MACD", "TA_HT_TRENDMODE", "TA_MAXINDEX"] {
        let bits = |outputs: Vec<Vec<f64>>| outputs.concat().into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let call = call(name, &[]);
        assert_eq!(bits(call.compute(&[&values]).unwrap()), bits(call.compute_with_nulls(&[&values]).unwrap()));
    }
}

#[test]
fn positions_count_from_the_first_bar_of_all() {
    let values = [f64::NAN, f64::NAN, 5.0, 9.0, 1.0, 9.0];
    let computed = call("TA_MINMAXINDEX", &[2.0]).compute_with_nulls(&[&values]).unwrap();
    assert_eq!(computed[0][3..], [2.0, 4.0, 4.0]);
    assert_eq!(computed[1][3..], [3.0, 3.0, 5.0]);
    // The newest of equal extremes.
    let equal = call("TA_MAXINDEX", &[3.0]).compute(&[&[7.0; 5]]).unwrap();
    assert_eq!(equal[0][2..], [2.0, 3.0, 4.0]);
}

#[test]
fn what_is_no_number_is_null() {
    let computed = call("TA_LN", &[]).compute(&[&[-1.0, 0.0, 1.0]]).unwrap();
    assert!(computed[0][0].is_nan() && computed[0][1].is_nan());
    assert_eq!(computed[0][2], 0.0);
}

#[test]
fn buffers_are_used_again_whatever_they_hold() {
    let long: Vec<f64> = (0..60).map(f64::from).collect();
    let mut outputs = vec![vec![7.0; 500]; 9];
    let macd = call("TA_MACD", &[]);
    macd.compute_into(&[&long], &mut outputs).unwrap();
    assert_eq!((outputs.len(), outputs[0].len()), (3, 60));
    assert!(outputs[0][..33].iter().all(|value| value.is_nan()) && outputs[0][33..].iter().all(|value| value.is_finite()));
    macd.compute_into(&[&long[..20]], &mut outputs).unwrap();
    assert!(outputs[2].len() == 20 && outputs[2].iter().all(|value| value.is_nan()));
}

#[test]
fn inputs_that_do_not_fit_are_an_error() {
    let add = call("TA_ADD", &[]);
    assert_eq!(add.compute(&[&[1.0]]), Err(TalibComputeError::InputCount { expected: 2, given: 1 }));
    assert_eq!(add.compute(&[&[1.0], &[1.0, 2.0]]), Err(TalibComputeError::InputLengths));
    assert_eq!(add.compute_with_nulls(&[]), Err(TalibComputeError::InputCount { expected: 2, given: 0 }));
    assert_eq!(add.compute(&[&[], &[]]), Ok(vec![vec![]]));
}

#[test]
fn a_relative_strength_without_a_change_is_in_the_middle() {
    let computed = call("TA_RSI", &[5.0]).compute(&[&[3.5; 9]]).unwrap();
    assert_eq!(computed[0][5..], [50.0; 4]);
}
