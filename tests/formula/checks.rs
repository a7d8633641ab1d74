//! What must hold for any text.

use samovar::feature::formula::{LONGEST_TEXT, Mistake, complete, parse, tokens};
use samovar::feature::graph::WarmUp;
use samovar::feature::{FeatureSet, SetMistake};

/// Says which text it was when a check fails.
struct Telling<'text>(&'text str);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the text was {:?}", self.0);
        }
    }
}

fn check_mistake(text: &str, mistake: &Mistake) {
    assert!(text.get(mistake.span.clone()).is_some(), "a place outside of the text: {mistake:?}");
    assert!(!mistake.message.is_empty() && mistake.message.len() < 4_000, "{mistake:?}");
}

fn check_set_mistake(text: &str, mistake: &SetMistake) {
    assert!(text.get(mistake.span.clone()).is_some(), "a place outside of the text: {mistake:?}");
    assert!(!mistake.message.is_empty() && mistake.line >= 1 && mistake.column >= 1, "{mistake:?}");
    let line = text.split('\n').nth(mistake.line - 1).expect("a line of the text");
    assert!(mistake.column <= line.chars().count() + 1, "a column outside of the line: {mistake:?}");
}

/// Everything that is promised of a formula; whether it is one.
pub fn check_formula(text: &str, warm_up: WarmUp) -> bool {
    let _telling = Telling(text);
    let mut end = 0;
    for (span, _) in tokens(text) {
        assert!(span.start >= end && span.end > span.start && text.get(span.clone()).is_some(), "tokens overlap: {span:?}");
        assert!(text.get(end..span.start).expect("a gap").chars().all(char::is_whitespace), "something is left out before {span:?}");
        end = span.end;
    }
    let expression = match parse(text) {
        Ok(expression) => expression,
        Err(mistake) => {
            check_mistake(text, &mistake);
            let mistakes = FeatureSet::of_formulas("m", warm_up, &[("x", text)]).expect_err("no formula, no set");
            assert_eq!((mistakes.len(), &mistakes[0].message), (1, &mistake.message));
            check_set_mistake(text, &mistakes[0]);
            return false;
        }
    };
    let printed = expression.to_string();
    if printed.len() <= LONGEST_TEXT {
        let again = parse(&printed).unwrap_or_else(|mistake| panic!("{printed} does not read back: {mistake}"));
        assert_eq!(again.to_string(), printed, "it prints in another way after reading");
    }
    match FeatureSet::of_formulas("m", warm_up, &[("x", text)]) {
        Ok(set) => {
            if printed.len() <= LONGEST_TEXT {
                let again = FeatureSet::of_formulas("m", warm_up, &[("x", &printed)]).expect("the same formula");
                assert_eq!(again.graph(), set.graph(), "{printed} means something else");
                assert_eq!(again.definition_hash(), set.definition_hash());
            }
            true
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            mistakes.iter().for_each(|mistake| check_set_mistake(text, mistake));
            false
        }
    }
}

/// That completing answers, wherever the cursor is.
pub fn check_completion(text: &str, cursor: usize) {
    let _telling = Telling(text);
    let completion = complete(text, cursor, &["f0", "ma5"]);
    assert!(text.get(completion.range.clone()).is_some() && completion.range.start <= cursor, "{:?}", completion.range);
}

/// Everything that is promised of a set of formulas that may name each other.
pub fn check_set(formulas: &[(String, String)]) -> bool {
    let all: Vec<String> = formulas.iter().map(|(name, formula)| format!("{name} = {formula}")).collect();
    let all = all.join("\n");
    let _telling = Telling(&all);
    let formulas: Vec<(&str, &str)> = formulas.iter().map(|(name, formula)| (name.as_str(), formula.as_str())).collect();
    match FeatureSet::of_formulas("m", WarmUp::Strict, &formulas) {
        Ok(set) => {
            let again = FeatureSet::from_toml(&set.to_toml()).expect("what is written reads back");
            assert_eq!((again.definition_hash(), again.graph()), (set.definition_hash(), set.graph()));
            true
        }
        Err(mistakes) => {
            for mistake in &mistakes {
                let of = mistake.feature.as_deref().expect("a feature");
                let (_, formula) = formulas.iter().find(|(name, _)| *name == of).expect("one of them");
                check_set_mistake(formula, mistake);
            }
            false
        }
    }
}

/// Everything that is promised of a file.
pub fn check_file(text: &str) -> bool {
    let _telling = Telling(text);
    match FeatureSet::from_toml(text) {
        Ok(set) => {
            assert_eq!(set.source_text(), text);
            let again = FeatureSet::from_toml(&set.to_toml()).expect("what is written reads back");
            assert_eq!((again.parts(), again.definition_hash()), (set.parts(), set.definition_hash()));
            assert_eq!(again.graph(), set.graph());
            true
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            mistakes.iter().for_each(|mistake| check_set_mistake(text, mistake));
            false
        }
    }
}
