//! The set `talib`: its columns, and that every formula calls a function as its own parameters allow.

use samovar::feature::talib::{TalibArgument, TalibCall, find};

const COLUMNS: &str = "sma ema wma dema tema trima kama t3 macd macd_signal macd_hist ppo apo rsi14 stoch_k stoch_d stochf_k stochf_d \
     stochrsi_k stochrsi_d adx14 adxr14 dx14 plus_di14 minus_di14 aroon_up aroon_down aroonosc cci14 cmo14 mfi14 mom10 roc10 trix30 \
     ultosc willr14 bop bb_upper bb_middle bb_lower sar atr14 natr14 trange ad adosc obv linearreg14 linearreg_slope14 \
     linearreg_angle14 tsf14 stddev5 var5 beta5 correl30 ht_trendline ht_dcperiod ht_trendmode";

#[test]
fn columns_are_the_usual_ones_and_call_functions_as_they_are() {
    let text = include_str!("../../assets/sets/talib.toml");
    let features = text.split("[features]").nth(1).expect("features");
    let mut names = Vec::new();
    for line in features.lines().filter(|line| line.contains(" = {")) {
        let (name, rest) = line.split_once(" = ").expect("a name");
        let formula = rest.split('"').nth(1).expect("a formula");
        names.push(name);
        let (call, output) = formula.split_once(')').expect("a call");
        let (function, arguments) = call.split_once('(').expect("a call");
        let function = find(function).unwrap_or_else(|| panic!("{name}: {function}"));
        let (inputs, numbers): (Vec<&str>, Vec<&str>) = arguments.split(", ").partition(|argument| argument.starts_with('$'));
        assert_eq!(inputs.len(), function.inputs.len(), "{name}");
        for (input, given) in function.inputs.iter().zip(&inputs) {
            assert!(!input.is_field || given.strip_prefix('$') == Some(input.name), "{name}");
        }
        let numbers: Vec<_> = numbers.iter().map(|number| TalibArgument::Number(number.parse().expect("a number"))).collect();
        TalibCall::new(function, &numbers).unwrap_or_else(|error| panic!("{name}: {error}"));
        match output.strip_prefix('.') {
            Some(output) => assert!(function.outputs.iter().any(|known| known.name == output), "{name}"),
            None => assert_eq!(function.outputs.len(), 1, "{name}"),
        }
    }
    assert_eq!(names, COLUMNS.split_whitespace().collect::<Vec<_>>());
    assert_eq!(names.len(), 58);
}
