//! One line about every function, in sentence case.
//!
//! Not the registry (`function`). Contract: no line is empty or ends with a full stop; of a candlestick pattern it says which
//! values there are.

use ta_lib::abstract_api::{FuncFlags, FuncInfo, OutputFlags};

/// Words that keep their capitals wherever they stand: names of people and of things.
const PROPER: [&str; 33] = [
    "Aroon",
    "Arms",
    "Arnaud",
    "Ashi",
    "Bollinger",
    "Butterworth",
    "Chaikin",
    "Chande",
    "Connors",
    "Coppock",
    "Donchian",
    "Elder",
    "Fisher",
    "Gaussian",
    "Heikin",
    "Hilbert",
    "Hull",
    "Hyo",
    "Ichimoku",
    "Kaufman",
    "Keltner",
    "Kinko",
    "Klinger",
    "Kroll",
    "Legoux",
    "McGinley",
    "Pearson",
    "Pring",
    "Rogers",
    "Satchell",
    "Schaff",
    "Wilder",
    "Williams",
];

/// Lines that say more than TA-Lib's hints.
fn better(name: &str) -> Option<&'static str> {
    Some(match name {
        "ADD" => "Sum of two series: first + second",
        "SUB" => "Difference of two series: first − second",
        "MULT" => "Product of two series: first · second",
        "DIV" => "Quotient of two series: first / second",
        "SUM" => "Sum of the last values",
        "MAX" => "Highest of the last values",
        "MIN" => "Lowest of the last values",
        "MAXINDEX" => "Position of the highest of the last values, counted in bars from the first (0)",
        "MININDEX" => "Position of the lowest of the last values, counted in bars from the first (0)",
        "MINMAX" => "Lowest and highest of the last values",
        "MINMAXINDEX" => "Positions of the lowest and the highest of the last values, counted in bars from the first (0)",
        "CUMSUM" => "Sum of all values so far",
        "ACOS" => "Arc cosine",
        "ASIN" => "Arc sine",
        "ATAN" => "Arc tangent",
        "CEIL" => "Smallest whole number not below the value",
        "FLOOR" => "Largest whole number not above the value",
        "COS" => "Cosine",
        "COSH" => "Hyperbolic cosine",
        "EXP" => "Exponential function",
        "LN" => "Natural logarithm",
        "LOG10" => "Logarithm to base 10",
        "SIN" => "Sine",
        "SINH" => "Hyperbolic sine",
        "SQRT" => "Square root",
        "TAN" => "Tangent",
        "TANH" => "Hyperbolic tangent",
        "AD" => "Chaikin accumulation/distribution line",
        "ADOSC" => "Chaikin accumulation/distribution oscillator",
        "BBW" => "Bollinger bands: their width, relative to the middle",
        "PERCENTB" => "Bollinger bands: where the value lies between them (%B)",
        "HT_SINE" => "Hilbert transform: sine wave of the cycle, and its lead",
        "SUPERTREND" => "SuperTrend: a stop that follows the price, and the trend's direction",
        "AROON" => "Aroon: how recent the lowest low and the highest high are, from 0 to 100",
        "STOCHF" => "Fast stochastic",
        "BETA" => "Beta: how much the first series' returns move with the second's",
        "CORREL" => "Pearson's correlation of two series",
        "DPO" => "Detrended price oscillator: the price less a displaced moving average",
        "FRACTAL" => "Williams fractal: 100 on the bar that confirms a swing high or low, else 0",
        "HT_TRENDMODE" => "Hilbert transform: 1 in a trend, 0 in a cycle",
        "MACDEXT" => "Moving average convergence/divergence with averages of any kind",
        "MACDFIX" => "Moving average convergence/divergence, fixed at 12 and 26 bars",
        "KSTEXT" => "Know sure thing with averages of any kind",
        "KDJ" => "KDJ stochastic (TA-Lib's seed: a mean)",
        "MA" => "Moving average of any kind",
        "MAVP" => "Moving average whose period changes from bar to bar",
        "MIDPOINT" => "Middle between the highest and the lowest of the last values",
        "MIDPRICE" => "Middle between the highest high and the lowest low",
        "PERCENTILE" => "Percentile of the last values (nearest rank)",
        "PERCENTRANK" => "Percent of the previous values below this one",
        "ROC" => "Rate of change in percent: 100·(price/previous − 1)",
        "ROCP" => "Rate of change: price/previous − 1",
        "ROCR" => "Ratio of change: price/previous",
        "ROCR100" => "Ratio of change in percent: 100·price/previous",
        "SAREXT" => "Parabolic SAR with its own parameters for long and short",
        "TRIX" => "TRIX: one-bar rate of change of a triple exponential average, in percent",
        "T3" => "T3 moving average (Tillson)",
        "VAR" => "Variance of a population",
        "STDDEV" => "Standard deviation of a population",
        "VORTEX" => "Vortex indicator",
        _ => return None,
    })
}

/// The line about a function.
pub(super) fn describe(info: &FuncInfo) -> String {
    if let Some(text) = better(info.name) {
        return text.to_owned();
    }
    if !info.flags.contains(FuncFlags::CANDLESTICK) {
        return sentence_case(&info.hint.replace(" - ", ": "));
    }
    let values = info.outputs.first().map_or_else(String::new, |output| pattern_values(output.flags));
    let hint = info.hint.trim_end_matches(" Pattern").replace(" - ", ", ").replace(" (", ", ").replace(')', "");
    sentence_case(&format!("Candlestick pattern {hint}")) + &values
}

/// The line about a parameter, from TA-Lib's hint.
pub(super) fn describe_parameter(function: &str, hint: &str) -> String {
    match (function, hint) {
        ("ULTOSC", "Number of bars for 1st period.") => "Number of bars of the first period".to_owned(),
        ("ULTOSC", "Number of bars fro 2nd period") => "Number of bars of the second period".to_owned(),
        ("ULTOSC", "Number of bars for 3rd period") => "Number of bars of the third period".to_owned(),
        (_, "Nb of deviations") => "Number of deviations".to_owned(),
        (_, "Percentage of penetration of a candle within another candle") => {
            "Share of a candle's body that another candle reaches into, from 0".to_owned()
        }
        _ => sentence_case(
            &hint.replace(". Usually", ", usually").replace("limit use", "limit used").replace("optInTimePeriod", "timeperiod"),
        )
        .trim_end_matches('.')
        .to_owned(),
    }
}

/// ` (100, −100 or 0)`, with the weaker and the confirming values that there are.
fn pattern_values(flags: OutputFlags) -> String {
    let mut levels = vec!["100"];
    if flags.contains(OutputFlags::PATTERN_CONFIRM) {
        levels.push("200 when confirmed");
    }
    if flags.contains(OutputFlags::PATTERN_WEAK) {
        levels.push("80 when weak");
    }
    let sign = match (flags.contains(OutputFlags::POSITIVE), flags.contains(OutputFlags::NEGATIVE)) {
        (true, true) => "±",
        (false, true) => "−",
        _ => "",
    };
    let texts: Vec<String> = levels.iter().map(|level| format!("{sign}{level}")).collect();
    format!(" ({}, else 0)", texts.join(", "))
}

/// `Chande Momentum Oscillator` → `Chande momentum oscillator`; words in capitals or with capitals inside stay.
fn sentence_case(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(if length == 0 { first.len_utf8() } else { length });
        let is_title =
            word.len() > 1 && first.is_ascii_uppercase() && word.chars().skip(1).all(|character| !character.is_ascii_uppercase());
        if is_title && !result.is_empty() && !PROPER.contains(&word) {
            result.push_str(&word.to_ascii_lowercase());
        } else {
            result.push_str(word);
        }
        rest = after;
    }
    result
}
