//! Indicators as people type them: a name and its numbers, such as `rsi 9`, `EMA(21)` or `macd 8 21 5`.
//!
//! The name is that of a family of features (`rsi6`, `rsi12` … are `rsi`), of features that belong together (`macd_dif`, `macd_dea` …), or
//! of a function of TA-Lib. Contract: what a set has under this very name and number is not made anew; the same text always means the same.

use super::layout::Placement;
use super::parameters::{Parameter, formula_of, parameters_of, with_value};
use crate::feature::functions::{Function, LeftOut, ParameterKind, function};
use crate::feature::{Definition, FeatureSet, SetLibrary};
use crate::worker::series::SeriesSource;

/// A line of an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedLine {
    /// What it is computed from.
    pub source: SeriesSource,
    /// What it is called.
    pub label: String,
    /// Where it is drawn.
    pub placement: Placement,
}

/// An indicator with the numbers that were typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedIndicator {
    /// What it is called: `rsi(9)`.
    pub name: String,
    /// The set or the function it comes from.
    pub origin: String,
    /// Its lines.
    pub lines: Vec<TypedLine>,
}

/// A name and the numbers behind it, in any spelling; `None` where a text is something else.
#[must_use]
pub fn name_and_numbers(text: &str) -> Option<(String, Vec<u32>)> {
    let text = text.trim();
    let end = text.find(|letter: char| !(letter.is_alphabetic() || letter == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let is_between = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | ';' | '/');
    let numbers: Option<Vec<u32>> = rest.split(is_between).filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| !numbers.is_empty() && numbers.iter().all(|number| *number > 0))?;
    (!name.is_empty()).then(|| (name.trim_end_matches('_').to_lowercase(), numbers))
}

/// What a typed text means: of the sets first, then of TA-Lib.
#[must_use]
pub fn typed_indicators(text: &str, library: &SetLibrary) -> Vec<TypedIndicator> {
    let Some((name, numbers)) = name_and_numbers(text) else { return Vec::new() };
    let mut found: Vec<TypedIndicator> = library.sets().iter().filter_map(|entry| of_set(&entry.set, &name, &numbers)).collect();
    let of_function = function(&format!("TA_{}", name.to_uppercase())).and_then(|known| of_function(known, &numbers));
    let formulas = |indicator: &TypedIndicator| indicator.lines.iter().map(|line| line.source.label().to_owned()).collect::<Vec<_>>();
    // A set may say just the same.
    found.extend(of_function.filter(|new| !found.iter().any(|known| formulas(known) == formulas(new))));
    found
}

fn of_set(set: &FeatureSet, name: &str, numbers: &[u32]) -> Option<TypedIndicator> {
    let rest_of = |definition: &Definition| definition.name.to_lowercase().strip_prefix(name).map(str::to_owned);
    let is_number = |rest: &String| !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_digit());
    let families = set.definitions().iter().filter(|definition| rest_of(definition).as_ref().is_some_and(is_number));
    let is_part = |rest: String| rest.is_empty() || rest.starts_with('_');
    let mut together = set.definitions().iter().filter(|definition| rest_of(definition).is_some_and(is_part)).peekable();
    let definitions: Vec<&Definition> = match families.clone().next() {
        Some(first) => {
            // There already: it is found by its name.
            if let [number] = numbers
                && families.clone().any(|definition| rest_of(definition) == Some(number.to_string()))
            {
                return None;
            }
            vec![first]
        }
        None => {
            let place = Placement::of_definition(together.peek()?);
            together.filter(|definition| Placement::of_definition(definition) == place).collect()
        }
    };
    let is_group = definitions.len() > 1;
    let shown: Vec<String> = numbers.iter().map(u32::to_string).collect();
    let name = format!("{name}({})", shown.join(", "));
    let mut most = 0;
    let mut lines = Vec::new();
    for definition in definitions {
        let written = formula_of(set, &definition.name)?;
        let windows = windows_of(&written);
        most = most.max(windows.len());
        let text = with_numbers(&written, &windows, numbers)?;
        let label = if is_group { format!("{}({})", definition.name, shown.join(", ")) } else { name.clone() };
        let source = SeriesSource::Formula { text, warm_up: set.warm_up() };
        lines.push(TypedLine { source, label, placement: Placement::of_definition(definition) });
    }
    (numbers.len() <= most).then(|| TypedIndicator { name, origin: set.name().to_owned(), lines })
}

/// The windows of a formula, in the order they are written: what a person means by its numbers.
fn windows_of(formula: &str) -> Vec<Parameter> {
    parameters_of(formula).into_iter().filter(|parameter| parameter.is_main() && parameter.is_length()).collect()
}

/// The formula with its first windows as long as was typed; `None` where one cannot be so long.
fn with_numbers(formula: &str, windows: &[Parameter], numbers: &[u32]) -> Option<String> {
    let mut changes: Vec<(&Parameter, u32)> = windows.iter().zip(numbers.iter().copied()).collect();
    if changes.iter().any(|(window, number)| !(window.bounds().0..=window.bounds().1).contains(number)) {
        return None;
    }
    let mut text = formula.to_owned();
    // Each place at once, from the end: places of one window stand between those of another.
    let mut places: Vec<(std::ops::Range<usize>, u32)> =
        changes.drain(..).flat_map(|(window, number)| window.spans.iter().map(move |span| (span.clone(), number))).collect();
    places.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, number) in places {
        let one = Parameter { functions: Vec::new(), argument: 0, name: None, value: 0, spans: vec![span] };
        text = with_value(&text, &one, number);
    }
    Some(text)
}

/// A function of TA-Lib over the bars, with every output it has.
fn of_function(known: &Function, numbers: &[u32]) -> Option<TypedIndicator> {
    let mut arguments = Vec::new();
    let mut left = numbers.iter();
    for parameter in &known.parameters {
        if parameter.is_series() {
            let field = match parameter.default {
                Some(LeftOut::Field(field)) => field.name(),
                _ => "close",
            };
            arguments.push(format!("${field}"));
        } else if let ParameterKind::Whole { least, most } = parameter.kind
            && let Some(number) = left.next()
        {
            if !(least..=most).contains(&i64::from(*number)) {
                return None;
            }
            arguments.push(number.to_string());
        } else {
            break;
        }
    }
    if left.next().is_some() {
        return None;
    }
    let call = format!("{}({})", known.name, arguments.join(", "));
    let shown: Vec<String> = numbers.iter().map(u32::to_string).collect();
    let name = format!("{}({})", known.name.trim_start_matches("TA_"), shown.join(", "));
    let line = |output: Option<&str>| {
        let source = SeriesSource::formula(output.map_or_else(|| call.clone(), |output| format!("{call}.{output}")));
        let placement = Placement::of_source(&source);
        let label = output.map_or_else(|| name.clone(), |output| format!("{name} {output}"));
        TypedLine { source, label, placement }
    };
    let lines: Vec<TypedLine> =
        if known.outputs.is_empty() { vec![line(None)] } else { known.outputs.iter().map(|output| line(Some(output))).collect() };
    Some(TypedIndicator { name, origin: "TA-Lib".to_owned(), lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Vec<(String, String, Vec<String>)> {
        let library = SetLibrary::built_in();
        let lines = |indicator: &TypedIndicator| indicator.lines.iter().map(|line| line.source.label().to_owned()).collect();
        typed_indicators(text, &library).iter().map(|found| (found.name.clone(), found.origin.clone(), lines(found))).collect()
    }

    #[test]
    fn a_name_with_numbers_is_read_in_any_spelling() {
        for text in ["rsi 9", "RSI(9)", "rsi9", " Rsi_9 ", "rsi,9"] {
            assert_eq!(name_and_numbers(text), Some(("rsi".to_owned(), vec![9])), "{text}");
        }
        assert_eq!(name_and_numbers("macd 8/21/5"), Some(("macd".to_owned(), vec![8, 21, 5])));
        for text in ["rsi", "9", "", "rsi 9x", "rsi 0", "$close > 3"] {
            assert_eq!(name_and_numbers(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_set_has_is_not_made_anew() {
        assert!(typed("rsi 6").iter().all(|(_, origin, _)| origin != "classic"), "{:?}", typed("rsi 6"));
        let found = typed("rsi 9");
        assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("rsi(9)", "classic"));
        assert!(found[0].2[0].contains(", 9, 1)") && !found[0].2[0].contains(", 6, 1)"), "{found:?}");
        assert_eq!(found.last().map(|found| found.2.clone()), Some(vec!["TA_RSI($close, 9)".to_owned()]));
    }

    #[test]
    fn several_numbers_go_to_their_windows() {
        let found = typed("macd 8 21 5");
        let classic = &found[0];
        assert_eq!((classic.1.as_str(), classic.2.len()), ("classic", 3));
        assert_eq!(classic.2[0], "EMA($close, 8) - EMA($close, 21)");
        assert!(classic.2[1].ends_with(", 5)"), "{classic:?}");
        assert_eq!(found.last().map(|found| found.2.len()), Some(3), "each output of TA-Lib's");
        // Where windows change places, each is changed once.
        assert_eq!(typed("macd 26 12")[0].2[0], "EMA($close, 26) - EMA($close, 12)");
        assert!(typed("rsi 6 7 8 9").is_empty());
        assert_eq!(typed("atr 9").last().map(|found| found.2.clone()), Some(vec!["TA_ATR($high, $low, $close, 9)".to_owned()]));
    }
}
