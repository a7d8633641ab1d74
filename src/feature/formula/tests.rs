//! What formulas mean, what they print, and what is said of mistakes.

use super::*;
use crate::feature::graph::WarmUp;
use crate::feature::{FeatureSet, SetMistake};

fn set(formulas: &[(&str, &str)]) -> Result<FeatureSet, Vec<SetMistake>> {
    FeatureSet::of_formulas("test", WarmUp::Strict, formulas)
}

/// The hash of what a formula means.
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

#[track_caller]
fn refused(formula: &str, marked: &str, said: &str) {
    assert_eq!(mistakes(formula), [(marked.to_owned(), said.to_owned())], "{formula}");
}

#[test]
fn probe() {
    for formula in [
        "",
        "(",
        ")",
        "1 +",
        "$close $open",
        "$closee",
        "$",
        "mean($close, 5)",
        "Meen($close, 5)",
        "Mean($close)",
        "Mean($close, 0)",
        "Mean($close, 5, 6)",
        "Mean($close, $open)",
        "Max($close, $open)",
        "Ref($close, -1)",
        "Ref($close, 0)",
        "Mean(5, 10)",
        "SMA($close, 5)",
        "SMA($close, 5, 6)",
        "Std($close, 1)",
        "And($close, $open)",
        "$close > 1 & $open > 2",
        "$close < $open < $high",
        "$close ** 2",
        "$close = 2",
        "a and b",
        "not a",
        "If($close, 1, 2)",
        "TA_RSl($close, 14)",
        "TA_RSI(14)",
        "TA_RSI($close, 1)",
        "TA_MACD($close)",
        "TA_MACD($close).histo",
        "TA_MACD($close, 12, 26, 9, 3).hist",
        "TA_ADX($high, $low, 14)",
        "TA_ADX($high, $low, $close, $open, 14)",
        "TA_BETA($close, 5)",
        "TA_RSI($close, timperiod=3)",
        "TA_MA($close, 20, emma)",
        "TA_RSI($close, 2.5)",
        "TA_RSI($close).hist",
        "Mean($close, 5).x",
        "$close.x",
        "close",
        "Mean",
        "x",
        "x + y",
        "Quantile($close, 5, 2)",
        "Mean(n=5, $close)",
        "Mean($close, n=5, n=6)",
        "Mean($close, 5, n=6)",
        "Mean（$close，5）",
        "1e999",
        "1e-999",
        "3x",
        "$close # a",
        "Mean(,)",
        "Mean($close,)",
        "Mean($close 5)",
        "(1, 2)",
        "!a",
        "%",
        "é",
        "Mean($close, 5",
        "~$close",
        "Mean($close, 2.5)",
        "Mean($close, 100001)",
        "TA_ADD($close, 1)",
        "TA_CDLDOJI($close)",
        "Corr($close, 5, 10)",
        "Ref(5, 1)",
        "TA_SMA(1+1, 4)",
        "&",
        "Delta($close, 0)",
        "Foo(Bar($x), $y)",
        "x(3)",
        "**",
        "TA_",
        "$close > 0 + ($open > 0) & 1",
    ] {
        match set(&[("x", formula)]) {
            Ok(_) => println!("OK   {formula}"),
            Err(_) => {
                for (marked, said) in mistakes(formula) {
                    println!("{formula:40} [{marked}] {said}")
                }
            }
        }
    }
}
