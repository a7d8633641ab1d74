//! What holds for every formula and every set, shown on random ones.

use crate::checks::{check_completion, check_file, check_formula};
use crate::writer::{Writer, mutated, soup};
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use samovar::feature::formula::{Expression, Infix, Kind, parse};
use samovar::feature::graph::WarmUp;
use samovar::feature::{Definition, FeatureSet, Helper, Precision, SetParts};

fn writer_of<Value>(seed: u64, names: &[String], write: impl FnOnce(&mut Writer<'_, '_>) -> Value) -> Value {
    write(&mut Writer { rng: &mut SmallRng::seed_from_u64(seed), names })
}

/// A set with helpers that features use and features that use features.
fn parts(seed: u64) -> SetParts {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut names: Vec<String> = Vec::new();
    let mut formula = |names: &[String]| Writer { rng: &mut rng, names }.series(3);
    let helpers = (0..3)
        .map(|place| {
            let helper = Helper { name: format!("helper{place}"), formula: formula(&names) };
            names.push(helper.name.clone());
            helper
        })
        .collect();
    let features = (0..5)
        .map(|place| {
            let feature = Definition::of_formula(format!("feature{place}"), formula(&names));
            names.push(feature.name.to_string());
            feature
        })
        .collect();
    SetParts { name: "m".to_owned(), helpers, features, ..SetParts::default() }
}

fn made(parts: &SetParts) -> FeatureSet {
    FeatureSet::of_parts(parts.clone()).unwrap_or_else(|mistakes| panic!("{mistakes:#?} in {parts:#?}"))
}

/// Changes every formula of a set.
fn rewritten(mut parts: SetParts, mut write: impl FnMut(&str) -> String) -> SetParts {
    for helper in &mut parts.helpers {
        helper.formula = write(&helper.formula);
    }
    for feature in &mut parts.features {
        feature.formula = write(&feature.formula);
    }
    parts
}

/// Does something to every part of an expression.
fn walk(expression: &mut Expression, work: &mut impl FnMut(&mut Kind)) {
    match &mut expression.kind {
        Kind::Number(_) | Kind::Field(_) | Kind::Name(_) => {}
        Kind::Prefix(_, operand) | Kind::Output(operand, _) => walk(operand, work),
        Kind::Infix(_, _, operands) => operands.iter_mut().for_each(|operand| walk(operand, work)),
        Kind::Call(_, arguments) => arguments.iter_mut().for_each(|argument| walk(&mut argument.value, work)),
    }
    work(&mut expression.kind);
}

fn walked(text: &str, work: &mut impl FnMut(&mut Kind)) -> String {
    let mut expression = parse(text).unwrap();
    walk(&mut expression, work);
    expression.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>(), cursor in 0_usize..200) {
        check_formula(&text, WarmUp::Strict);
        check_completion(&text, cursor);
        check_file(&text);
    }

    #[test]
    fn nearly_right_texts_are_answered(text in "[-+*/()$.,=<>&|~ a-cA-C_0-9é\n\"]{0,80}", cursor in 0_usize..80) {
        check_formula(&text, WarmUp::Partial);
        check_completion(&text, cursor);
    }

    #[test]
    fn soups_and_changed_formulas_are_answered(seed in any::<u64>(), depth in 0_usize..5) {
        let mut rng = SmallRng::seed_from_u64(seed);
        let text = Writer { rng: &mut rng, names: &[] }.series(depth);
        let text = mutated(&mut rng, &text, "TA_MACD($close).hist");
        check_formula(&text, WarmUp::Strict);
        check_formula(&soup(&mut rng), WarmUp::Strict);
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_graph(seed in any::<u64>(), depth in 0_usize..6) {
        let text = writer_of(seed, &[], |writer| writer.series(depth));
        for warm_up in [WarmUp::Strict, WarmUp::Partial] {
            let set = FeatureSet::of_formulas("m", warm_up, &[("x", &text)]).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
            let printed = parse(&text).unwrap().to_string();
            let again = FeatureSet::of_formulas("m", warm_up, &[("x", &printed)]).unwrap();
            prop_assert_eq!(again.graph(), set.graph(), "{} and {}", text, printed);
            prop_assert_eq!(again.outputs(), set.outputs());
            prop_assert!(printed.len() <= text.len() * 2, "no more brackets than were there");
        }
    }

    #[test]
    fn equal_meanings_have_equal_hashes(seed in any::<u64>()) {
        let parts = parts(seed);
        let set = made(&parts);
        let mut rng = SmallRng::seed_from_u64(seed ^ 1);

        let printed = rewritten(parts.clone(), |formula| parse(formula).unwrap().to_string());
        let spaced = rewritten(parts.clone(), |formula| format!(" \n {} ", formula.replace('(', " ( ").replace(')', " ) ")));
        let commuted = rewritten(parts.clone(), |formula| {
            walked(formula, &mut |kind| {
                if let Kind::Infix(Infix::Add | Infix::Multiply | Infix::And | Infix::Or | Infix::Equal | Infix::NotEqual, _, operands) = kind {
                    operands.reverse();
                }
            })
        });
        let mut renamed = rewritten(parts.clone(), |formula| formula.replace("helper", "other"));
        renamed.helpers.iter_mut().for_each(|helper| helper.name = helper.name.replace("helper", "other"));
        let mut shuffled = parts.clone();
        shuffled.features.shuffle(&mut rng);
        shuffled.helpers.shuffle(&mut rng);
        let mut reworded = SetParts { name: "n".to_owned(), title: Some("T".to_owned()), ..parts };
        reworded.features.iter_mut().for_each(|feature| feature.description = "Words".to_owned());

        for other in [printed, spaced, commuted, renamed, shuffled, reworded] {
            let other = made(&other);
            prop_assert_eq!(other.definition_hash(), set.definition_hash(), "{}\n{}", set.to_toml(), other.to_toml());
            prop_assert_eq!(other.graph(), set.graph());
            for (place, definition) in set.definitions().iter().enumerate() {
                prop_assert_eq!(other.feature_hash(other.place(&definition.name).unwrap()), set.feature_hash(place));
            }
        }
        // Comments and blank lines of a file.
        let toml = set.to_toml();
        let is_whole = |line: &str| line.contains(" = ") && line.ends_with('"') && !line.contains("\"\"\"");
        let commented: String = toml.lines().map(|line| if is_whole(line) { format!("\n{line} # why") } else { line.to_owned() } + "\n").collect();
        prop_assert_eq!(FeatureSet::from_toml(&commented).map(|set| set.definition_hash()), Ok(set.definition_hash()), "{}", commented);
    }

    #[test]
    fn every_changed_number_is_another_meaning(seed in any::<u64>(), which in 0_usize..40) {
        let text = writer_of(seed, &[], |writer| format!("Mean({} * 3, 5) + 7", writer.series(3)));
        let mut numbers = 0;
        walked(&text, &mut |kind| numbers += usize::from(matches!(kind, Kind::Number(_))));
        let mut place = 0;
        let changed = walked(&text, &mut |kind| {
            if let Kind::Number(number) = kind {
                if place == which % numbers {
                    // A window grows by an even number, as some need one; 2 more is also another constant, unless that is huge.
                    *number = if number.abs() < 1e12 { *number + 2.0 } else { *number / 2.0 };
                }
                place += 1;
            }
        });
        let hash = |text: &str| FeatureSet::of_formulas("m", WarmUp::Strict, &[("x", text)]).map(|set| set.definition_hash());
        // A number may be out of its range now, which is another answer too.
        prop_assert_ne!(hash(&changed), hash(&text), "{} and {}", text, changed);
    }

    #[test]
    fn every_changed_field_name_or_precision_is_another_meaning(seed in any::<u64>()) {
        let parts = parts(seed);
        let set = made(&parts);
        let mut rng = SmallRng::seed_from_u64(seed ^ 2);
        let precise = SetParts { precision: Precision::F32, ..parts.clone() };
        prop_assert_ne!(made(&precise).definition_hash(), set.definition_hash());
        prop_assert_eq!(made(&precise).feature_hash(0), set.feature_hash(0));
        let mut renamed = parts.clone();
        let last = renamed.features.last_mut().unwrap();
        last.name = "renamed".into();
        prop_assert_ne!(made(&renamed).definition_hash(), set.definition_hash());
        let mut shorter = parts.clone();
        shorter.features.pop();
        prop_assert_ne!(made(&shorter).definition_hash(), set.definition_hash());
        let mut other = parts;
        let place = rng.random_range(0..other.features.len());
        let formula = other.features[place].formula.clone();
        other.features[place].formula = format!("Max({formula}, 77)");
        let changed = made(&other);
        prop_assert_ne!(changed.definition_hash(), set.definition_hash());
        prop_assert_ne!(changed.feature_hash(place), set.feature_hash(place));
        for before in 0..place {
            prop_assert_eq!(changed.feature_hash(before), set.feature_hash(before), "what does not name it is what it was");
        }
    }
}
