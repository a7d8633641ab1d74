//! The whole numbers in a formula, to be turned like knobs: `TA_RSI($close, 14)` has one, 14.
//!
//! Goes by the text alone, so that it works while a formula has mistakes. Contract: everything but the digits of the number
//! that is changed stays as it was written; windows of the same length in one formula are one knob, because they are one
//! parameter written twice (the 14 of a strength of rises over a strength of all changes).

use std::ops::Range;

/// Longest window that can be turned to.
pub const MOST: u32 = 100_000;

/// A number of a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Of which functions it is an argument; empty where it stands in arithmetic.
    pub functions: Vec<String>,
    /// Which argument it is of the first of them, counted from 1.
    pub argument: usize,
    /// The number.
    pub value: u32,
    /// Where it stands in the formula, in bytes; in more than one place where windows are equal.
    pub spans: Vec<Range<usize>>,
}

impl Parameter {
    /// Whether it is an argument of a function by itself, as windows are.
    #[must_use]
    pub fn is_window(&self) -> bool {
        !self.functions.is_empty()
    }

    /// The least that makes sense.
    #[must_use]
    pub fn least(&self) -> u32 {
        u32::from(self.is_window())
    }
}

/// One call that is open at a place of the text.
struct Call<'a> {
    function: &'a str,
    argument: usize,
}

/// The whole numbers of a formula, in the order they are written.
#[must_use]
pub fn parameters_of(text: &str) -> Vec<Parameter> {
    let bytes = text.as_bytes();
    let mut found: Vec<Parameter> = Vec::new();
    let mut calls: Vec<Call<'_>> = Vec::new();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
    let mut word: &str = "";
    let mut place = 0;
    while let Some(byte) = bytes.get(place).copied() {
        let start = place;
        if byte.is_ascii_digit() || (byte == b'.' && bytes.get(place + 1).is_some_and(u8::is_ascii_digit)) {
            place = end_of_number(bytes, place);
            let digits = text.get(start..place).unwrap_or_default();
            if let Ok(value) = digits.parse::<u32>() {
                note(&mut found, text, start..place, value, calls.last());
            }
            word = "";
            continue;
        }
        if is_word(byte) {
            while bytes.get(place).copied().is_some_and(is_word) {
                place += 1;
            }
            word = text.get(start..place).unwrap_or_default();
            continue;
        }
        place += 1;
        match byte {
            b'(' => calls.push(Call { function: word, argument: 1 }),
            b')' => {
                calls.pop();
            }
            b',' => {
                if let Some(call) = calls.last_mut() {
                    call.argument += 1;
                }
            }
            b'#' => {
                // A comment goes to the end of its line.
                while bytes.get(place).is_some_and(|byte| *byte != b'\n') {
                    place += 1;
                }
            }
            _ if byte.is_ascii_whitespace() => continue,
            _ => {}
        }
        word = "";
    }
    found
}

fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let mut place = start;
    while let Some(byte) = bytes.get(place) {
        let is_sign = matches!(byte, b'+' | b'-') && bytes.get(place.wrapping_sub(1)).is_some_and(|before| matches!(before, b'e' | b'E'));
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || (is_sign && place > start)) {
            break;
        }
        place += 1;
    }
    place
}

fn note(found: &mut Vec<Parameter>, text: &str, span: Range<usize>, value: u32, call: Option<&Call<'_>>) {
    let before = text.get(..span.start).unwrap_or_default().trim_end();
    let after = text.get(span.end..).unwrap_or_default().trim_start();
    let stands_alone = before.ends_with(',') && (after.starts_with(',') || after.starts_with(')'));
    let of = call.filter(|call| stands_alone && !call.function.is_empty());
    let functions: Vec<String> = of.map(|call| call.function.to_owned()).into_iter().collect();
    let same = found.iter_mut().find(|known| of.is_some() && known.is_window() && known.value == value && value > 1);
    match same {
        Some(known) => {
            known.spans.push(span);
            for function in functions {
                if !known.functions.contains(&function) {
                    known.functions.push(function);
                }
            }
        }
        None => found.push(Parameter { functions, argument: of.map_or(0, |call| call.argument), value, spans: vec![span] }),
    }
}

/// The formula with another number in the places of one.
#[must_use]
pub fn with_value(text: &str, parameter: &Parameter, value: u32) -> String {
    let mut changed = text.to_owned();
    // From the end, so that the places before stay where they are.
    for span in parameter.spans.iter().rev() {
        if changed.get(span.clone()).is_some() {
            changed.replace_range(span.clone(), &value.to_string());
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(u32, Vec<String>, usize)> {
        parameters_of(text).into_iter().map(|known| (known.value, known.functions, known.spans.len())).collect()
    }

    fn of(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn windows_are_found_with_their_function() {
        assert_eq!(values("TA_RSI($close, 14)"), [(14, of(&["TA_RSI"]), 1)]);
        assert_eq!(
            values("TA_MACD($close, 12, 26, 9).hist"),
            [(12, of(&["TA_MACD"]), 1), (26, of(&["TA_MACD"]), 1), (9, of(&["TA_MACD"]), 1)]
        );
        assert_eq!(values("100 * ($close / Mean($close, 6) - 1)"), [(100, Vec::new(), 1), (6, of(&["Mean"]), 1), (1, Vec::new(), 1)]);
        assert_eq!(values("ma20 + 2.5 * 1e-12 + $close5 + Ref($close, 3 + 4)"), [(3, Vec::new(), 1), (4, Vec::new(), 1)]);
        assert_eq!(values("Mean($close, 99999999999)"), [], "beyond any window");
    }

    #[test]
    fn equal_windows_are_one_knob_and_the_rest_stays_as_it_was_written() {
        let text = "100 * SMA(Greater(Delta($close,1), 0), 14, 1) / SMA(Abs(Delta($close, 1)), 14 , 1)";
        let found = parameters_of(text);
        let window = found.iter().find(|known| known.value == 14).expect("14");
        assert_eq!((window.spans.len(), window.argument), (2, 2));
        assert_eq!(with_value(text, window, 6), "100 * SMA(Greater(Delta($close,1), 0), 6, 1) / SMA(Abs(Delta($close, 1)), 6 , 1)");
        assert_eq!(with_value("Mean($close, 5)", &parameters_of("Mean($close, 5)")[0], 250), "Mean($close, 250)");
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["", "((((", "1,,2))", "Mean($close, 5", "涨跌(5, 10)", "# 5, 6", "1e", "1e+", ".5", "Quantile($close, 20, 0.8)"] {
            let found = parameters_of(text);
            for known in &found {
                assert!(with_value(text, known, 7).contains('7'), "{text}");
            }
        }
        assert!(parameters_of("# Mean($close, 5)").is_empty());
    }
}
