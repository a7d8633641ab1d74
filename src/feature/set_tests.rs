//! Sets and their files: every mistake with its place, and hashes that follow the meaning.

use super::graph::WarmUp;
use super::{FeatureSet, Group, Placement, SetMistake};

#[track_caller]
fn read(text: &str) -> FeatureSet {
    FeatureSet::from_toml(text).unwrap_or_else(|mistakes| panic!("{}", said(&mistakes).join("\n")))
}

fn said(mistakes: &[SetMistake]) -> Vec<String> {
    mistakes.iter().map(ToString::to_string).collect()
}

/// What is said of a file.
fn mistakes(text: &str) -> Vec<String> {
    let mistakes = FeatureSet::from_toml(text).expect_err(text);
    for mistake in &mistakes {
        assert!(text.get(mistake.span.clone()).is_some(), "{mistake:?}");
    }
    said(&mistakes)
}

const MINE: &str = r#"
name = "my-set"
title = "Mine"
warmup = "strict"            # null until the window is full

[helpers]
tr = "Greater($high, Ref($close, 1)) - Less($low, Ref($close, 1))"

[features]
close_to_ma5 = "$close / Mean($close, 5)"
atr14 = { formula = "RMA(tr, 14)", group = "volatility", pane = "atr", description = "Wilder's average true range over 14" }
zscore = "(close_to_ma5 - Mean(close_to_ma5, 60)) / Std(close_to_ma5, 60)"
over = { formula = 'Mean($close, 20)', pane = "price" }
"#;

#[test]
fn a_file_says_everything_about_a_set() {
    let set = read(MINE);
    assert_eq!((set.name(), set.parts().title.as_deref(), set.warm_up()), ("my-set", Some("Mine"), WarmUp::Strict));
    let names: Vec<&str> = set.definitions().iter().map(|definition| &*definition.name).collect();
    assert_eq!(names, ["close_to_ma5", "atr14", "zscore", "over"]);
    let atr = set.definition("atr14").unwrap();
    assert_eq!((atr.group, &atr.placement, &*atr.formula), (Group::Volatility, &Placement::OwnPane("atr".into()), "RMA(tr, 14)"));
    assert_eq!(set.definition("zscore").unwrap().placement, Placement::OwnPane("zscore".into()));
    assert_eq!(set.definition("over").unwrap().placement, Placement::OverPrice);
    assert_eq!(set.source_text(), MINE);
    assert_eq!(set.first_value(2), Some(63));
    let again = read(&set.to_toml());
    assert_eq!((again.parts(), again.definition_hash()), (set.parts(), set.definition_hash()));
}

#[test]
fn mistakes_have_their_line_and_column_through_the_quotes() {
    let text = "name = \"m\"\n\n[features]\na = \"1 + Meen($close, 5)\"\nb = 'Mean($closee, 5)'\nc = { formula = \"\"\"\n$close\n+ nothing\"\"\" }\n\"é\" = \"é2\"\n";
    assert_eq!(
        mistakes(text),
        [
            "line 4, column 10: there is no function Meen; did you mean Mean?",
            "line 5, column 11: there is no field $closee; did you mean $close?",
            "line 8, column 3: there is no feature or helper nothing",
            "line 9, column 8: there is no feature or helper é2; did you mean é?",
        ]
    );
    let found = FeatureSet::from_toml(text).unwrap_err();
    assert_eq!(&text[found[0].span.clone()], "Meen");
    assert_eq!((found[0].feature.as_deref(), found[0].formula_span.clone()), (Some("a"), Some(4..8)));
    // Letters that are written in another way than they read: the whole value is marked.
    let escaped = "name = \"m\"\n[features]\na = \"1 +\\t Meen($close, 5)\"\n";
    let found = FeatureSet::from_toml(escaped).unwrap_err();
    assert_eq!(&escaped[found[0].span.clone()], "\"1 +\\t Meen($close, 5)\"");
    assert_eq!(said(&found), ["line 3, column 5: there is no function Meen; did you mean Mean?"]);
}

#[test]
fn every_mistake_of_a_file_is_told() {
    let text = "nam = \"x\"\nwarmup = \"partal\"\nprecision = 64\n[helper]\n[features]\nclose = \"1\"\nMean = \"$close\"\n\
        a = { formul = \"$close\", group = \"trendy\" }\nb = 5\nbb = \"b + 1\"\nc = \"1 +\"\nd = \"c\"\n2x = \"$close\"\n";
    assert_eq!(
        mistakes(text),
        [
            "line 1, column 1: the set needs a name: name = \"my-set\"",
            "line 1, column 1: a set has no nam; it has name, title, description, warmup, precision, helpers, features; did you mean name?",
            "line 2, column 10: warmup must be \"strict\" or \"partial\", not \"partal\"; did you mean \"partial\"?",
            "line 3, column 13: precision must be a text in quotes, not an integer",
            "line 4, column 2: a set has no helper; it has name, title, description, warmup, precision, helpers, features; did you mean helpers?",
            "line 6, column 1: close is a column of the bars; give the feature another name",
            "line 7, column 1: Mean is a function; give the feature another name",
            "line 8, column 1: a needs a formula: a = { formula = \"…\" }",
            "line 8, column 7: a feature has no formul; it has formula, group, pane, description; did you mean formula?",
            "line 8, column 34: group must be \"trend\", \"momentum\", \"volatility\", \"volume\", \"price\", \"pattern\", \"cycle\", \"statistic\" or \"other\", not \"trendy\"; did you mean \"trend\"?",
            "line 9, column 5: a feature is a formula in quotes, or { formula = \"…\" }, not an integer",
            "line 11, column 9: a value is expected here: the formula ends too early",
            "line 13, column 1: \"2x\" cannot name a feature: a name has letters, digits and _, starts with no digit, and is at most 100 long",
        ]
    );
    assert_eq!(
        mistakes("name = \"m\"\n"),
        ["line 2, column 1: the set needs a table [features] of formulas: close_to_ma5 = \"$close / Mean($close, 5)\""]
    );
    assert_eq!(mistakes("name = \"m\"\n[features]\n"), ["line 2, column 2: the set has no features"]);
    assert_eq!(mistakes("name = \"a@b\"\n[features]\nx = \"$close\"\n").len(), 1);
    assert_eq!(mistakes("name = \"m\"\nfeatures = 3\n"), ["line 2, column 12: features must be a table: [features]"]);
    assert_eq!(mistakes("name = \"m\"\n[features]\nx = \"$close\"\nx = \"$open\"\n"), ["line 4, column 1: duplicate key"]);
    assert_eq!(mistakes("name = \"m\"\n[features]\nx = \"$close\ny = \"$open\"\n").len(), 1);
    assert_eq!(
        mistakes("name = \"m\"\n[helpers]\nx = \"$close\"\n[features]\nx = \"$open\"\n"),
        ["line 5, column 1: there are two formulas named x; give one of them another name"]
    );
}

#[test]
fn circles_are_named_in_full() {
    let circle = |formulas: &[(&str, &str)]| said(&FeatureSet::of_formulas("m", WarmUp::Strict, formulas).unwrap_err());
    assert_eq!(
        circle(&[("a", "b + 1"), ("b", "Mean(c, 5)"), ("c", "1 + a"), ("d", "a + $close"), ("e", "$close")]),
        ["line 1, column 5: these formulas need each other in a circle: a → b → c → a"]
    );
    assert_eq!(circle(&[("a", "a")]), ["line 1, column 1: a needs itself"]);
    assert_eq!(circle(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]).len(), 2);
}

#[test]
fn long_chains_of_features_are_no_circles_and_need_no_stack() {
    let chain: Vec<(String, String)> = (0..super::MOST_FEATURES)
        .map(|place| (format!("f{place}"), if place == 0 { "$close".to_owned() } else { format!("f{} + {place}", place - 1) }))
        .collect();
    let mut formulas: Vec<(&str, &str)> = chain.iter().rev().map(|(name, formula)| (name.as_str(), formula.as_str())).collect();
    let set = FeatureSet::of_formulas("m", WarmUp::Strict, &formulas).unwrap();
    assert_eq!(set.outputs().len(), super::MOST_FEATURES);
    formulas.push(("more", "$close"));
    let found = FeatureSet::of_formulas("m", WarmUp::Strict, &formulas).unwrap_err();
    assert_eq!(said(&found), ["line 1, column 1: a set may have 2000 features at most, and this one has 2001; split it into several"]);
}

#[test]
fn too_many_parts_are_refused_once() {
    let formulas: Vec<(String, String)> = (0..1_000)
        .map(|place| {
            (format!("f{place}"), (0..25).map(|part| format!("Mean($close, {})", place * 25 + part + 1)).collect::<Vec<_>>().join(" + "))
        })
        .collect();
    let formulas: Vec<(&str, &str)> = formulas.iter().map(|(name, formula)| (name.as_str(), formula.as_str())).collect();
    let found = FeatureSet::of_formulas("m", WarmUp::Strict, &formulas).unwrap_err();
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("20000 different parts at most"), "{}", found[0]);
}

#[test]
fn hashes_follow_the_meaning_and_nothing_else() {
    let set = read(MINE);
    let same = [
        // Spaces, comments, brackets, the order of commuting operands.
        MINE.replace("$close / Mean($close, 5)", "( $close )/Mean( $close,5 )  "),
        MINE.replace("[helpers]", "# a comment\n\n[helpers]"),
        // A renamed helper, words for people, the set's own name.
        MINE.replace("tr = ", "range = ").replace("RMA(tr", "RMA(range"),
        MINE.replace("Wilder's", "The").replace("\"Mine\"", "\"Yours\"").replace("volatility", "trend").replace("my-set", "yours"),
        // A helper in its place.
        MINE.replace("RMA(tr, 14)", "RMA(Greater($high, Ref($close, 1)) - Less($low, Ref($close, 1)), 14)"),
        // A helper that nobody needs.
        MINE.replace("[features]", "unused = \"Mean($volume, 99)\"\n[features]"),
    ];
    for text in &same {
        let other = read(text);
        assert_eq!(other.definition_hash(), set.definition_hash(), "{text}");
        assert_eq!(other.graph(), set.graph(), "{text}");
    }
    let mut lines: Vec<&str> = MINE.lines().collect();
    let last = lines.len() - 1;
    lines.swap(last, last - 3);
    let swapped = read(&lines.join("\n"));
    assert_eq!(swapped.definition_hash(), set.definition_hash(), "the order");
    assert_eq!(swapped.graph(), set.graph());
    assert_ne!(swapped.definitions(), set.definitions());
    for text in [
        MINE.replace("Mean($close, 5)", "Mean($close, 6)"),
        MINE.replace("$close / Mean", "$open / Mean"),
        MINE.replace("'Mean($close, 20)'", "'Med($close, 20)'"),
        MINE.replace("strict", "partial"),
        MINE.replace("warmup", "precision = \"f32\"\nwarmup"),
        MINE.replace("over =", "under ="),
        MINE.replace("over = { formula = 'Mean($close, 20)', pane = \"price\" }", ""),
        format!("{MINE}more = \"$close\"\n"),
    ] {
        assert_ne!(read(&text).definition_hash(), set.definition_hash(), "{text}");
    }
}

#[test]
fn a_part_of_a_set_has_the_same_features() {
    let classic = FeatureSet::classic();
    let part = classic.part("some", |definition| definition.group == Group::Momentum);
    assert_eq!(part.name(), "some");
    for definition in part.definitions() {
        let hash = |set: &FeatureSet| set.feature_hash(set.place(&definition.name).unwrap());
        assert_eq!(hash(&part), hash(&classic), "{}", definition.name);
    }
    assert!(part.graph().nodes().len() < classic.graph().nodes().len());
}

#[test]
fn strange_files_are_told_about() {
    for text in [
        "",
        "=",
        "name",
        "\u{feff}name = 1",
        "[[features]]",
        "name = \"m\"\n[features]\n\"a b\" = \"$close\"\n",
        "\0",
        "[features",
        "a.b.c.d = 1",
    ] {
        assert!(!mistakes(text).is_empty(), "{text}");
    }
    let deep = format!("name = \"m\"\nx = {}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(!mistakes(&deep).is_empty());
    let dotted = "name = \"m\"\nfeatures.a = \"$close\"\nfeatures.b.formula = \"a + 1\"\n[helpers]\n";
    assert_eq!(read(dotted).outputs().len(), 2);
    let large = " ".repeat(super::set_file::LARGEST_FILE + 1);
    assert_eq!(mistakes(&large), ["line 1, column 1: the file is larger than 4 MiB"]);
}
