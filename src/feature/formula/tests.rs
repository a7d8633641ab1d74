//! What formulas mean, what they print, and what is said of mistakes.

use super::*;
use crate::feature::graph::{Operator, WarmUp};
use crate::feature::{FeatureSet, SetMistake};

fn set(formulas: &[(&str, &str)]) -> Result<FeatureSet, Vec<SetMistake>> {
    FeatureSet::of_formulas("test", WarmUp::Strict, formulas)
}

/// The hash of what a formula means.
#[track_caller]
fn meaning(formula: &str) -> u128 {
    let set = set(&[("x", formula)]).unwrap_or_else(|mistakes| panic!("{formula}: {mistakes:?}"));
    set.feature_hash(0).unwrap()
}

/// A formula's mistakes: the text that is marked and what is said.
fn mistakes(formula: &str) -> Vec<(String, String)> {
    let mistakes = set(&[("x", formula)]).expect_err(formula);
    mistakes
        .iter()
        .map(|mistake| {
            let said = mistake.to_string();
            (formula[mistake.span.clone()].to_owned(), said.split_once(": ").unwrap().1.to_owned())
        })
        .collect()
}

/// Formulas with the places that are marked, and what is said of each.
const MISTAKES: &[(&str, &[(&str, &str)])] = &[
    ("", &[("", "a formula is expected, such as $close / Mean($close, 5)")]),
    ("(", &[("", "a value is expected here: the formula ends too early")]),
    (")", &[(")", "a value is expected before this )")]),
    ("1 +", &[("", "a value is expected here: the formula ends too early")]),
    ("$close $open", &[("$open", "an operator such as + is expected before $open")]),
    ("$closee", &[("$closee", "there is no field $closee; did you mean $close?")]),
    ("$", &[("$", "a field's name is expected after $, such as $close")]),
    ("mean($close, 5)", &[("mean", "there is no function mean; did you mean Mean?")]),
    ("Meen($close, 5)", &[("Meen", "there is no function Meen; did you mean Mean?")]),
    ("Mean($close)", &[("Mean($close)", "Mean(x, n) needs n too")]),
    ("Mean($close, 0)", &[("0", "a window of 0 bars holds nothing; use CumSum for a sum since the first bar")]),
    ("Mean($close, 5, 6)", &[("6", "Mean(x, n) takes 2 values, not 3")]),
    ("Mean($close, $open)", &[("$open", "n of Mean(x, n) must be a number")]),
    ("Max($close, $open)", &[("$open", "n of Max(x, n) must be a number; for the larger of two values write Greater(x, y)")]),
    (
        "Ref($close, -1)",
        &[("-1", "Ref looks back only: a value that is taken from the future leaks into training, and changes after it was cached")],
    ),
    ("Ref($close, 0)", &[("0", "Ref(x, 0) is x itself here, and the first value in Qlib; look back at least 1 bar")]),
    ("Mean(5, 10)", &[("5", "Mean needs something that changes from bar to bar, such as $close; 5 is always the same")]),
    ("SMA($close, 5)", &[("SMA($close, 5)", "SMA(x, n, m, seed=…) needs m too; for a plain mean write Mean(x, n)")]),
    ("SMA($close, 5, 6)", &[("SMA($close, 5, 6)", "m of SMA(x, n, m, seed=…) must be from 1 to n, that is to 5, not 6")]),
    ("Std($close, 1)", &[("1", "n of Std(x, n) must be from 2 to 100000, not 1")]),
    (
        "And($close, $open)",
        &[
            ("$close", "And needs a truth such as $close > $open here, and $close is a number"),
            ("$open", "And needs a truth such as $close > $open here, and $open is a number"),
        ],
    ),
    ("$close > 1 & $open > 2", &[(">", "& binds tighter than comparisons; put them in brackets: (x < y) & (y < z)")]),
    ("$close < $open < $high", &[("<", "comparisons cannot be chained; write And(x < y, y < z)")]),
    ("$close ** 2", &[("**", "** is no operator; write Power(x, y)")]),
    ("$close = 2", &[("=", "= is no comparison; did you mean ==?")]),
    ("a and b", &[("and", "and is no operator; write And(x, y); did you mean &?")]),
    ("not a", &[("not", "not is no operator; write Not(x); did you mean ~?")]),
    ("If($close, 1, 2)", &[("$close", "If needs a truth such as $close > $open here, and $close is a number")]),
    ("TA_RSl($close, 14)", &[("TA_RSl", "there is no function TA_RSl; did you mean TA_RSI?")]),
    ("TA_RSI(14)", &[("TA_RSI(14)", "TA_RSI(series, timeperiod=14) needs its series first, such as $close")]),
    ("TA_RSI($close, 1)", &[("1", "timeperiod of TA_RSI must be a whole number from 2 to 100000; 1 is not")]),
    ("TA_MACD($close)", &[("TA_MACD", "TA_MACD has several outputs; write one of .macd, .signal, .hist behind its brackets")]),
    ("TA_MACD($close).histo", &[("histo", "TA_MACD has no output histo; it has .macd, .signal, .hist; did you mean hist?")]),
    (
        "TA_MACD($close, 12, 26, 9, 3).hist",
        &[("3", "TA_MACD(series, fastperiod=12, slowperiod=26, signalperiod=9) takes 3 parameters at most")],
    ),
    ("TA_ADX($high, $low, 14)", &[("14", "TA_ADX is computed from 3 series: $high, $low, $close, or none of them, and 14 is none")]),
    ("TA_ADX($high, $low, $close, $open, 14)", &[("$open", "TA_ADX is computed from 3 series: $high, $low, $close, or none of them")]),
    ("TA_BETA($close, 5)", &[("5", "TA_BETA is computed from 2 series: first, second, and 5 is none")]),
    ("TA_RSI($close, timperiod=3)", &[("timperiod", "TA_RSI(series, timeperiod=14) has no parameter timperiod; did you mean timeperiod?")]),
    ("TA_MA($close, 20, emma)", &[("emma", "there is no moving average emma; did you mean ema?")]),
    ("TA_RSI($close, 2.5)", &[("2.5", "timeperiod of TA_RSI must be a whole number from 2 to 100000; 2.5 is not")]),
    ("TA_RSI($close).hist", &[("hist", "TA_RSI has one output; leave .hist out")]),
    ("Mean($close, 5).x", &[("x", "Mean has one output; leave .x out")]),
    ("$close.x", &[("x", "only functions have outputs; write the dot behind the function's brackets")]),
    ("close", &[("close", "fields have a dollar sign, and there is no feature close; did you mean $close?")]),
    ("Mean", &[("Mean", "Mean is a function: Mean(x, n)")]),
    ("x", &[("x", "x needs itself")]),
    ("x + y", &[("x", "x needs itself"), ("y", "there is no feature or helper y")]),
    ("Quantile($close, 5, 2)", &[("2", "q of Quantile(x, n, q) must be from 0 to 1, not 2")]),
    ("Mean(n=5, $close)", &[("$close", "values without a name stand before those with one")]),
    ("Mean($close, n=5, n=6)", &[("n", "n is given twice")]),
    ("Mean($close, 5, n=6)", &[("n", "n is given twice")]),
    ("Mean（$close，5）", &[("（", "（ is a full-width character; did you mean (?")]),
    ("1e999", &[("1e999", "the number 1e999 is too large")]),
    ("1e-999", &[("1e-999", "the number 1e-999 is so small that it would be 0")]),
    ("3x", &[("3x", "3x is neither a number nor a name; names start with a letter or _")]),
    ("$close # a", &[("#", "comments cannot stand within a formula; write them after it, or on a line of their own")]),
    ("Mean(,)", &[(",", "a value is expected before this comma")]),
    ("Mean($close,)", &[(")", "a value is expected after the comma")]),
    ("Mean($close 5)", &[("5", "an operator such as + is expected before 5, or a comma, or )")]),
    ("(1, 2)", &[(",", "a comma can only stand between the values of a function; ) is expected here")]),
    ("!a", &[("!", "! is no operator; write Not(x), or ~ before it; did you mean ~?")]),
    ("%", &[("%", "% is no operator; write a percentage as 0.05, or multiply by 100")]),
    ("é", &[("é", "there is no feature or helper é")]),
    ("Mean($close, 5", &[("(", "this bracket is never closed")]),
    ("~$close", &[("$close", "~ needs a truth such as $close > $open here, and $close is a number")]),
    ("Mean($close, 2.5)", &[("2.5", "n of Mean(x, n) must be a whole number, not 2.5")]),
    ("Mean($close, 100001)", &[("100001", "n of Mean(x, n) must be from 1 to 100000, not 100001")]),
    ("TA_ADD($close, 1)", &[("1", "TA_ADD is computed from 2 series: first, second, and 1 is none")]),
    ("TA_CDLDOJI($close)", &[("TA_CDLDOJI($close)", "TA_CDLDOJI is computed from 4 series: $open, $high, $low, $close, or none of them")]),
    ("Corr($close, 5, 10)", &[("5", "Corr needs something that changes from bar to bar, such as $close; 5 is always the same")]),
    ("Ref(5, 1)", &[("5", "Ref needs something that changes from bar to bar, such as $close; 5 is always the same")]),
    ("TA_SMA(1+1, 4)", &[("TA_SMA(1+1, 4)", "TA_SMA(series, timeperiod=30) needs its series first, such as $close")]),
    ("&", &[("&", "a value is expected before &")]),
    ("Delta($close, 0)", &[("0", "the change since 0 bars ago is nothing; look back at least 1 bar")]),
    (
        "Foo(Bar($x), $y)",
        &[
            ("Foo", "there is no function Foo"),
            ("Bar", "there is no function Bar; did you mean Var?"),
            ("$x", "there is no field $x; the fields are $open, $high, $low, $close, $volume, $vwap, $amount, $turnover"),
            ("$y", "there is no field $y; the fields are $open, $high, $low, $close, $volume, $vwap, $amount, $turnover"),
        ],
    ),
    ("x(3)", &[("x", "x is a feature or helper, not a function; leave the brackets out")]),
    ("**", &[("**", "** is no operator; write Power(x, y)")]),
    ("TA_", &[("TA_", "there is no feature or helper TA_")]),
    (
        "$close > 0 + ($open > 0) & 1",
        &[(
            "0 + ($open > 0",
            "& needs a truth on both sides, and 0 + ($open > 0) is a number; put comparisons in brackets: (x < y) & (y < z)",
        )],
    ),
];

#[test]
fn mistakes_are_shown_where_they_stand_with_what_was_expected() {
    for (formula, expected) in MISTAKES {
        let found = mistakes(formula);
        let found: Vec<(&str, &str)> = found.iter().map(|(marked, said)| (&**marked, &**said)).collect();
        assert_eq!(found, *expected, "{formula}");
    }
}

#[test]
fn equal_meanings_are_one_node() {
    for (one, other) in [
        ("$close+$open", " $open\n + $close\t"),
        ("$close * 2", "2 * $close"),
        ("(($close))", "$close"),
        ("+$close", "$close"),
        ("2 * 3 * $close", "6 * $close"),
        ("$close - -1", "$close - (-1)"),
        ("$close > 1", "Gt($close, 1)"),
        ("($close > 1) & ($open > 1)", "And($open > 1, $close > 1)"),
        ("~($close > 1)", "Not($close > 1)"),
        ("$close / 0.5", "Div($close, 5e-1)"),
        ("Mean($close, 5)", "Mean(n=5, x=$close)"),
        ("Mean($close, 5)", "Mean($close, 10 / 2)"),
        ("Delta($close, 2)", "$close - Ref($close, 2)"),
        ("Count($close > 1, 5)", "Sum($close > 1, 5)"),
        ("TA_RSI($close, 14)", "TA_RSI($close)"),
        ("TA_RSI($close, n=20)", "TA_RSI($close, timeperiod=20)"),
        ("TA_MACD($close, 12, 26, 9).hist", "TA_MACD($close, signal=9, fast=12).macdhist"),
        ("TA_ADX($high, $low, $close, 14)", "TA_ADX(14)"),
        ("TA_ADX()", "TA_ADX(close=$close, n=14)"),
        ("TA_OBV()", "TA_OBV($close, $volume)"),
        ("TA_OBV($open)", "TA_OBV($open, $volume)"),
        ("TA_MA($close, 20, ema)", "TA_MA($close, 20, matype=EMA)"),
        ("TA_MA($close, 20, 1)", "TA_MA($close, matype=ema, n=20)"),
        ("TA_AROON(14).up", "TA_AROON($high, $low).aroonup"),
    ] {
        assert_eq!(meaning(one), meaning(other), "{one} and {other}");
    }
}

#[test]
fn other_meanings_are_other_nodes() {
    for (one, other) in [
        ("$close - $open", "$open - $close"),
        ("$close + ($open + $high)", "($close + $open) + $high"),
        ("Count($close, 5)", "Sum($close, 5)"),
        ("Mean($close, 5)", "Mean($close, 6)"),
        ("Mean($close, 5)", "Mean($open, 5)"),
        ("SMA($close, 5, 1)", "SMA($close, 5, 1, 50)"),
        ("SMA($close, 5, 1, seed=50)", "SMA($close, 5, 1, 51)"),
        ("SMA($close, 5, 1)", "SMA($close, 5, 2)"),
        ("Quantile($close, 5, 0.8)", "Quantile($close, 5, 0.2)"),
        ("TA_MACD($close).hist", "TA_MACD($close).signal"),
        ("TA_RSI($close, 14)", "TA_RSI($close, 15)"),
        ("Greater($close, 0)", "Less($close, 0)"),
        ("$close > $open", "$close >= $open"),
        ("-$close", "$close"),
    ] {
        assert_ne!(meaning(one), meaning(other), "{one} and {other}");
    }
}

#[test]
fn numbers_are_combined_only_where_no_bit_can_change() {
    let nodes = |formula: &str| set(&[("x", formula)]).unwrap().graph().nodes().len();
    assert_eq!(nodes("(1 + 2) * 3 - 4 / 8"), 1);
    assert_eq!(nodes("$close * (2 + 1)"), 3);
    // A quotient that is null, and a zero with a sign, stay as they are written.
    assert_eq!(nodes("1 / 0"), 3);
    assert_eq!(nodes("-0"), 2);
    // Neither are numbers brought together across a series: that would round differently.
    assert_eq!(nodes("$close * 3 * 2"), 5);
}

#[test]
fn everything_prints_in_one_way_and_reads_back_the_same() {
    for (written, printed) in [
        ("(($close))-( $open )", "$close - $open"),
        ("$close-($open-$high)", "$close - ($open - $high)"),
        ("($close-$open)-$high", "$close - $open - $high"),
        ("$close+($open+$high)", "$close + ($open + $high)"),
        ("($close*$open)/$high", "$close * $open / $high"),
        ("-($close+1)", "-($close + 1)"),
        ("(-$close)*2", "-$close * 2"),
        ("-($close*2)", "-($close * 2)"),
        ("--$close", "--$close"),
        ("~~($close>1)", "~~($close > 1)"),
        ("($close>1)==($open>1)", "($close > 1) == ($open > 1)"),
        ("($close>1)&($open>1)|($high>1)", "($close > 1) & ($open > 1) | ($high > 1)"),
        ("($close>1)&(($open>1)|($high>1))", "($close > 1) & (($open > 1) | ($high > 1))"),
        ("$close+1>2", "$close + 1 > 2"),
        ("Mean( $close ,5.0)", "Mean($close, 5)"),
        ("1e-12+.5+1e3+123456789012345678", "1e-12 + 0.5 + 1000 + 1.2345678901234568e17"),
        ("TA_MACD($close,12,26,signal=9) . hist", "TA_MACD($close, 12, 26, signal=9).hist"),
        ("+$close", "$close"),
        ("均线5 + _a", "均线5 + _a"),
    ] {
        let expression = parse(written).unwrap_or_else(|mistake| panic!("{written}: {mistake}"));
        assert_eq!(expression.to_string(), printed, "{written}");
        assert_eq!(parse(printed).unwrap().to_string(), printed);
    }
}

#[test]
fn nesting_length_and_windows_are_limited_before_anything_is_done() {
    let said = |formula: &str| parse(formula).unwrap_err().message;
    for (open, inner, close) in [("(", "1", ")"), ("-", "1", ""), ("~", "1", ""), ("Not(", "1", ")"), ("+", "1", ""), ("Abs(", "1", ")")] {
        assert!(parse(&format!("{}{inner}{}", open.repeat(60), close.repeat(60))).is_ok(), "{open}");
        assert!(said(&open.repeat(15_000)).contains("nested more than 64 deep"), "{open}");
    }
    assert!(parse(&vec!["1"; TALLEST_EXPRESSION].join("+")).is_ok());
    meaning(&vec!["$close"; TALLEST_EXPRESSION].join("-"));
    meaning(&format!("{}$close{}", "-Abs($open + ".repeat(30), ")".repeat(30)));
    assert!(said(&vec!["1"; 30_000].join("+")).contains("more than 256 operations hang together"));
    assert!(said(&" ".repeat(LONGEST_TEXT + 1)).contains("longer than 64 KiB"));
    assert!(said(&"é".repeat(LONGEST_TEXT)).contains("longer than 64 KiB"));
    assert_eq!(said(&" ".repeat(LONGEST_TEXT)), "a formula is expected, such as $close / Mean($close, 5)");
}

#[test]
fn truths_are_told_from_numbers() {
    for formula in [
        "Ref($close > 1, 1) & ($close > 1)",
        "If($close > 1, $open > 1, IsNull($close)) & ($close > 1)",
        "Coalesce($close > 1, $open > 1) | ($close > 1)",
        "Mean($close > $open, 5) + ($close > 1)",
        "Abs($close > 1) - IsNull($volume)",
    ] {
        meaning(formula);
    }
    assert_eq!(mistakes("If($close > 1, $open > 1, 0) & ($close > 1)").len(), 1);
    assert_eq!(mistakes("Not(Mean($close > 1, 5))").len(), 1);
}

#[test]
fn a_partial_set_has_other_windows_comparisons_and_averages_only() {
    let hash = |formula: &str, warm_up| FeatureSet::of_formulas("test", warm_up, &[("x", formula)]).unwrap().definition_hash();
    for (formula, differs) in [
        ("Mean($close, 5)", true),
        ("Corr($close, $open, 5)", true),
        ("$close > 1", true),
        ("EMA($close, 5)", true),
        ("SMA($close, 5, 1)", false),
        ("RMA($close, 5)", false),
        ("Ref($close, 5) / $open", false),
        ("TA_SMA($close, 5)", false),
    ] {
        assert_eq!(hash(formula, WarmUp::Strict) != hash(formula, WarmUp::Partial), differs, "{formula}");
    }
}

#[test]
fn every_listed_function_can_be_called_as_it_is_listed() {
    use crate::feature::functions::{ParameterKind, functions};
    for function in functions() {
        let argument = |kind: &ParameterKind| match kind {
            ParameterKind::Series => "$close".to_owned(),
            ParameterKind::Truth => "$close > $open".to_owned(),
            ParameterKind::Whole { least, .. } => least.max(&4).to_string(),
            ParameterKind::Real { least, most } => {
                if (*least..=*most).contains(&0.5) {
                    "0.5".to_owned()
                } else {
                    least.to_string()
                }
            }
            ParameterKind::MovingAverage => "ema".to_owned(),
        };
        let required: Vec<String> =
            function.parameters.iter().filter(|parameter| parameter.default.is_none()).map(|parameter| argument(&parameter.kind)).collect();
        let outputs = if function.outputs.is_empty() {
            vec![String::new()]
        } else {
            function.outputs.iter().map(|output| format!(".{output}")).collect()
        };
        for output in outputs {
            let formula = format!("{}({}){output}", function.name, required.join(", "));
            let set = set(&[("x", &formula)]).unwrap_or_else(|mistakes| panic!("{formula}: {mistakes:?}"));
            let last = &set.graph().node(set.outputs()[0]).unwrap().operator;
            assert_eq!(matches!(last, Operator::Talib { .. }), function.name.starts_with("TA_"), "{formula}");
        }
        assert!(function.signature.starts_with(&format!("{}(", function.name)) && !function.description.is_empty());
        assert!(!function.description.ends_with('.'), "{}", function.description);
    }
    let names: std::collections::HashSet<&str> = functions().iter().map(|function| &*function.name).collect();
    assert_eq!(names.len(), functions().len());
}
