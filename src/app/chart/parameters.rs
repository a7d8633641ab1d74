//! The whole numbers in a formula, to be turned like knobs: `TA_RSI($close, 14)` has one, 14.
//!
//! Goes by the text alone, so that it works while a formula has mistakes. Contract: everything but the digits of the number
//! that is changed stays as it was written; windows of the same length in one formula are one knob, because they are one
//! parameter written twice (the 14 of a strength of rises over a strength of all changes).

use crate::feature::FeatureSet;
use crate::feature::formula::{Expression, Kind, parse};
use crate::feature::functions::{self, ParameterKind};
use crate::tr;
use std::ops::Range;

/// Longest window that can be turned to.
pub const MOST: u32 = 100_000;

/// Longest formula that names are written out to, in bytes: what is longer has no numbers that a person would turn.
const LONGEST_EXPANSION: usize = 4_096;

/// The formula of a set's feature with everything it names written out, so that it means the same anywhere. `None` where there is
/// no such feature, or the formula gets too long.
#[must_use]
pub fn formula_of(set: &FeatureSet, feature: &str) -> Option<String> {
    expanded(set, &set.definition(feature)?.formula)
}

/// A formula with every feature and helper of a set that it names written out.
#[must_use]
pub fn expanded(set: &FeatureSet, formula: &str) -> Option<String> {
    let mut expression = parse(formula).ok()?;
    // What a set has names only what comes before it, in some order: as deep as it has formulas, and no deeper.
    let depth = set.definitions().len() + set.parts().helpers.len();
    write_out(set, &mut expression, depth, &mut LONGEST_EXPANSION.clone())?;
    let text = expression.to_string();
    (text.len() <= LONGEST_EXPANSION).then_some(text)
}

fn write_out(set: &FeatureSet, expression: &mut Expression, depth: usize, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(1)?;
    match &mut expression.kind {
        Kind::Number(_) | Kind::Field(_) => {}
        Kind::Name(name) => {
            let helper = set.parts().helpers.iter().find(|helper| helper.name == *name).map(|helper| helper.formula.as_str());
            let formula = helper.or_else(|| set.definition(name).map(|definition| definition.formula.as_str()))?;
            let mut meant = parse(formula).ok()?;
            write_out(set, &mut meant, depth.checked_sub(1)?, left)?;
            *expression = meant;
        }
        Kind::Prefix(_, operand) => write_out(set, operand, depth, left)?,
        Kind::Output(call, _) => write_out(set, call, depth, left)?,
        Kind::Infix(_, _, operands) => {
            for operand in operands.iter_mut() {
                write_out(set, operand, depth, left)?;
            }
        }
        Kind::Call(_, arguments) => {
            for argument in arguments {
                write_out(set, &mut argument.value, depth, left)?;
            }
        }
    }
    Some(())
}

/// A number of a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Of which functions it is an argument; empty where it stands in arithmetic.
    pub functions: Vec<String>,
    /// Which argument it is of the first of them, counted from 1.
    pub argument: usize,
    /// The name it is given by there, as in `fast=12`.
    pub name: Option<String>,
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

    /// Whether it is what a person means by a feature's parameter: a window longer than a bar.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.is_window() && self.value > 1
    }

    /// Whether it says over how many bars: not how heavy the newest of them is, nor where something begins.
    #[must_use]
    pub fn is_length(&self) -> bool {
        let is_own = self.functions.first().is_some_and(|name| !name.starts_with("TA_"));
        self.taken().is_some_and(|known| if is_own { known.name == "n" } else { matches!(known.kind, ParameterKind::Whole { .. }) })
    }

    /// What the first of its functions takes there.
    fn taken(&self) -> Option<&'static functions::Parameter> {
        let parameters = &functions::function(self.functions.first()?)?.parameters;
        match &self.name {
            Some(name) => parameters.iter().find(|known| known.name == *name),
            None => parameters.get(self.argument.checked_sub(1)?),
        }
    }

    /// The least and the most it can be turned to.
    #[must_use]
    pub fn bounds(&self) -> (u32, u32) {
        let whole = |value: i64| u32::try_from(value.max(0)).unwrap_or(MOST).min(MOST);
        match self.taken().map(|known| &known.kind) {
            Some(ParameterKind::Whole { least, most }) => (whole(*least), whole(*most)),
            _ => (u32::from(self.is_window()), MOST),
        }
    }

    /// What it is called: its function, and its name there where the function takes several numbers.
    #[must_use]
    pub fn words(&self) -> String {
        let plain = |name: &String| name.strip_prefix("TA_").unwrap_or(name).to_owned();
        let functions: Vec<String> = self.functions.iter().map(plain).collect();
        let is_number = |known: &&functions::Parameter| !known.is_series();
        let function = self.functions.first().and_then(|name| functions::function(name));
        let has_several = function.is_some_and(|function| function.parameters.iter().filter(is_number).count() > 1);
        match (functions.as_slice(), self.taken().filter(|_| has_several)) {
            ([], _) => tr!("Number").to_owned(),
            ([only], Some(known)) => format!("{only} {}", known.name),
            _ => functions.join(", "),
        }
    }
}

/// A whole number as it is written once.
struct Number {
    span: Range<usize>,
    value: u32,
    function: Option<String>,
    argument: usize,
    name: Option<String>,
}

/// Which of a formula's numbers are one knob. Kept while a knob is turned, so that two of them do not become one when they meet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    groups: Vec<Vec<usize>>,
    numbers: usize,
}

impl Grouping {
    /// The grouping of a formula as it stands.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_numbers(&numbers_of(text))
    }

    fn of_numbers(numbers: &[Number]) -> Self {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (place, number) in numbers.iter().enumerate() {
            let is_same = |group: &&mut Vec<usize>| {
                let first = group.first().and_then(|first| numbers.get(*first));
                first.is_some_and(|first| first.function.is_some() && first.value == number.value)
            };
            let same = groups.iter_mut().find(is_same).filter(|_| number.function.is_some() && number.value > 1);
            match same {
                Some(group) => group.push(place),
                None => groups.push(vec![place]),
            }
        }
        Self { groups, numbers: numbers.len() }
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
    parameters_in(text, &Grouping::of(text))
}

/// The same with numbers grouped as they were before one of them was changed; anew where the formula is another by now.
#[must_use]
pub fn parameters_in(text: &str, grouping: &Grouping) -> Vec<Parameter> {
    let numbers = numbers_of(text);
    let fresh = (grouping.numbers != numbers.len()).then(|| Grouping::of_numbers(&numbers));
    let parameter = |group: &Vec<usize>| {
        let members: Vec<&Number> = group.iter().filter_map(|place| numbers.get(*place)).collect();
        let first = members.first()?;
        let mut functions: Vec<String> = Vec::new();
        for function in members.iter().filter_map(|member| member.function.as_ref()) {
            if !functions.contains(function) {
                functions.push(function.clone());
            }
        }
        let spans = members.iter().map(|member| member.span.clone()).collect();
        Some(Parameter { functions, argument: first.argument, name: first.name.clone(), value: first.value, spans })
    };
    fresh.as_ref().unwrap_or(grouping).groups.iter().filter_map(parameter).collect()
}

fn numbers_of(text: &str) -> Vec<Number> {
    let bytes = text.as_bytes();
    let mut found: Vec<Number> = Vec::new();
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
                found.push(number(text, start..place, value, calls.last()));
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

fn number(text: &str, span: Range<usize>, value: u32, call: Option<&Call<'_>>) -> Number {
    let before = text.get(..span.start).unwrap_or_default().trim_end();
    let after = text.get(span.end..).unwrap_or_default().trim_start();
    let named = before.strip_suffix('=').map(str::trim_end).filter(|before| before.ends_with(|last: char| last.is_alphanumeric()));
    let name = named.map(|before| before.rsplit(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next().unwrap_or_default());
    let stands_alone = (before.ends_with(',') || name.is_some()) && (after.starts_with(',') || after.starts_with(')'));
    let of = call.filter(|call| stands_alone && !call.function.is_empty());
    Number {
        span,
        value,
        function: of.map(|call| call.function.to_owned()),
        argument: of.map_or(0, |call| call.argument),
        name: name.filter(|_| of.is_some()).map(str::to_owned),
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

/// What a line is called after one of its numbers was changed: the number in its name follows, as in `rsi14`; a column whose name
/// has no such number gets its windows behind it. `None` where the name says nothing about the number.
#[must_use]
pub fn renamed(name: &str, is_column: bool, parameters: &[Parameter], changed: &Parameter, value: u32) -> Option<String> {
    let digits = changed.value.to_string();
    let is_digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
    let stands_alone = |place: &usize| {
        let (before, after) = (name.get(..*place), name.get(place + digits.len()..));
        !is_digit(before.and_then(|before| before.chars().next_back())) && !is_digit(after.and_then(|after| after.chars().next()))
    };
    if let Some(place) = name.match_indices(&digits).map(|(place, _)| place).filter(stands_alone).last() {
        let mut renamed = name.to_owned();
        renamed.replace_range(place..place + digits.len(), &value.to_string());
        return Some(renamed);
    }
    let values: Vec<String> = parameters
        .iter()
        .filter(|parameter| parameter.is_main() || *parameter == changed)
        .map(|parameter| if parameter == changed { value } else { parameter.value }.to_string())
        .collect();
    is_column.then(|| format!("{name}({})", values.join(", ")))
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
    fn knobs_that_meet_while_one_is_turned_stay_two() {
        let text = "EMA($close, 12) - EMA($close, 26)";
        let grouping = Grouping::of(text);
        let met = with_value(text, &parameters_in(text, &grouping)[0], 26);
        let knobs = parameters_in(&met, &grouping);
        assert_eq!(knobs.iter().map(|knob| knob.value).collect::<Vec<_>>(), [26, 26]);
        assert_eq!(with_value(&met, &knobs[0], 27), "EMA($close, 27) - EMA($close, 26)");
        assert_eq!(parameters_in("Mean($close, 3)", &grouping).len(), 1, "another formula is grouped anew");
    }

    #[test]
    fn names_follow_their_numbers() {
        let rsi = parameters_of("TA_RSI($close, 14)");
        assert_eq!(renamed("rsi14", true, &rsi, &rsi[0], 9).as_deref(), Some("rsi9"));
        assert_eq!(renamed("my line", false, &rsi, &rsi[0], 9), None);
        let dif = parameters_of("EMA($close, 12) - EMA($close, 126)");
        assert_eq!(renamed("macd_dif", true, &dif, &dif[0], 10).as_deref(), Some("macd_dif(10, 126)"));
        assert_eq!(renamed("macd_dif(12, 126)", false, &dif, &dif[0], 10).as_deref(), Some("macd_dif(10, 126)"));
    }

    #[test]
    fn knobs_are_called_by_what_they_turn_and_stay_within_its_bounds() {
        let words = |text: &str| parameters_of(text).iter().map(Parameter::words).collect::<Vec<_>>();
        assert_eq!(words("Mean($close, 5) * 3"), ["Mean", "Number"]);
        assert_eq!(words("TA_RSI($close, 14)"), ["RSI"]);
        let macd = words("TA_MACD($close, 12, 26, 9).hist");
        assert!(macd.len() == 3 && macd.iter().all(|words| words.starts_with("MACD ")) && macd[0] != macd[1], "{macd:?}");
        let deviation = &parameters_of("Var($close, 20)")[0];
        assert!(deviation.bounds().0 >= 1 && deviation.bounds().1 == MOST);
        let fast = parameters_of("TA_MACD($close, slow=26 , 9)");
        assert_eq!((fast[0].name.as_deref(), fast[0].is_window()), (Some("slow"), true));
        assert!(!parameters_of("If($close == 5, 1, 0)")[0].is_window());
    }

    #[test]
    fn a_features_formula_is_written_out_and_means_the_same() {
        let set = FeatureSet::by_name("classic").expect("a set");
        assert_eq!(formula_of(&set, "ma5").as_deref(), Some("Mean($close, 5)"));
        let dea = formula_of(&set, "macd_dea").expect("a formula");
        assert_eq!(dea, "EMA(EMA($close, 12) - EMA($close, 26), 9)");
        for (place, definition) in set.definitions().iter().enumerate() {
            let text = formula_of(&set, &definition.name).expect("a formula");
            let alone = FeatureSet::of_formulas("alone", set.warm_up(), &[("x", &text)]).expect("no names are left");
            assert_eq!(alone.feature_hash(0), set.feature_hash(place), "{}", definition.name);
        }
        assert_eq!(formula_of(&set, "nothing"), None);
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
