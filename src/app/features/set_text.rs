//! A set's text with one feature more, changed or less; everything else of the file stays as the user wrote it.
//!
//! Not the check of what it says (that is the set's). Contract: comments, order and spaces of the rest survive; a text that is
//! no TOML is refused, never overwritten.

use super::draft::{Draft, Pane};
use crate::feature::Precision;
use crate::feature::graph::WarmUp;
use crate::tr;
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value, value};

/// The text of a set after a change.
///
/// # Errors
/// Why the text is no set that could be changed, in words.
pub fn with_feature(text: Option<&str>, draft: &Draft) -> Result<String, String> {
    let mut document = match text {
        Some(text) => parsed(text)?,
        None => DocumentMut::new(),
    };
    let root = document.as_table_mut();
    if !root.contains_key("name") {
        root.insert("name", value(draft.set.trim()));
    }
    set_word(root, "warmup", &draft.warm_up.to_string(), &WarmUp::default().to_string());
    set_word(root, "precision", draft.precision.key(), Precision::default().key());
    let features = section(root, "features")?;
    let name = draft.name.trim();
    let old = draft.origin.as_ref().filter(|origin| origin.set() == draft.set.trim()).map(|origin| origin.name().to_owned());
    let written = written(draft, old.as_deref().and_then(|old| features.get(old)));
    match old.filter(|old| old != name && features.contains_key(old)) {
        Some(old) => rename(features, &old, name, written),
        None => match features.get_mut(name) {
            Some(item) => replace(item, written),
            None => {
                features.insert(name, Item::Value(written));
            }
        },
    }
    Ok(document.to_string())
}

/// The text of a set without one of its features.
///
/// # Errors
/// Why the text is no set that could be changed, in words.
pub fn without_feature(text: &str, name: &str) -> Result<String, String> {
    let mut document = parsed(text)?;
    section(document.as_table_mut(), "features")?.remove(name);
    Ok(document.to_string())
}

fn parsed(text: &str) -> Result<DocumentMut, String> {
    text.parse::<DocumentMut>().map_err(|error| tr!("the set's file cannot be read: {reason}", reason = error.message()))
}

fn section<'root>(root: &'root mut Table, name: &str) -> Result<&'root mut dyn toml_edit::TableLike, String> {
    let item = root.entry(name).or_insert_with(|| Item::Table(Table::new()));
    item.as_table_like_mut().ok_or_else(|| tr!("the set's file cannot be changed: {name} is no table in it", name = name))
}

/// Writes a word of the set's head where it is not the usual one, or stands there already.
fn set_word(root: &mut Table, key: &str, word: &str, usual: &str) {
    match root.get_mut(key) {
        Some(item) if item.as_str() == Some(word) => {}
        Some(item) => replace(item, word.into()),
        None if word == usual => {}
        None => {
            root.insert(key, value(word));
        }
    }
}

/// Puts another value in the place of one, with the comments around it.
fn replace(item: &mut Item, mut new: Value) {
    if let Some(old) = item.as_value() {
        *new.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(new);
}

/// A feature under another name, in the same place.
fn rename(features: &mut dyn toml_edit::TableLike, old: &str, name: &str, written: Value) {
    let entries: Vec<(toml_edit::Key, Item)> = features
        .iter()
        .map(|(key, _)| key.to_owned())
        .collect::<Vec<String>>()
        .into_iter()
        .filter_map(|key| {
            let kept = features.key(&key)?.clone();
            Some((kept, features.remove(&key)?))
        })
        .collect();
    let mut written = Some(written);
    for (key, mut item) in entries {
        if key.get() == old {
            if let Some(written) = written.take() {
                replace(&mut item, written);
            }
            let fresh = toml_edit::Key::new(name).with_leaf_decor(key.leaf_decor().clone());
            features.entry_format(&fresh).or_insert(item);
        } else if key.get() != name {
            features.entry_format(&key).or_insert(item);
        }
    }
}

/// A feature as it stands in the file: its formula alone, or a table where more is said.
fn written(draft: &Draft, before: Option<&Item>) -> Value {
    let formula = draft.formula.trim();
    let mut words: Vec<(&str, String)> = Vec::new();
    if let Some(group) = draft.group_word() {
        words.push(("group", group));
    }
    match &draft.pane {
        Pane::Own => {}
        Pane::Price => words.push(("pane", "price".to_owned())),
        Pane::Volume => words.push(("pane", "volume".to_owned())),
        Pane::Named(name) => words.push(("pane", name.trim().to_owned())),
    }
    if !draft.description.trim().is_empty() {
        words.push(("description", draft.description.trim().to_owned()));
    }
    // What the file says besides is kept.
    let known = ["formula", "group", "pane", "description"];
    let others: Vec<(String, Value)> = before
        .and_then(Item::as_table_like)
        .map(|table| {
            let others = table.iter().filter(|(key, _)| !known.contains(key));
            others.filter_map(|(key, item)| Some((key.to_owned(), item.as_value()?.clone()))).collect()
        })
        .unwrap_or_default();
    if words.is_empty() && others.is_empty() {
        return formula_value(formula);
    }
    let mut table = InlineTable::new();
    table.insert("formula", formula_value(formula));
    for (key, word) in words {
        table.insert(key, word.into());
    }
    for (key, other) in others {
        table.insert(&key, other);
    }
    Value::InlineTable(table)
}

/// A formula over several lines stays readable in the file.
fn formula_value(formula: &str) -> Value {
    let plain = !formula.contains("'''") && !formula.contains('\r');
    if formula.contains('\n') && plain {
        let text = format!("'''\n{formula}'''");
        if let Ok(value) = text.parse::<Value>() {
            return value;
        }
    }
    formula.into()
}

#[cfg(test)]
mod tests {
    use super::super::draft::FeatureKey;
    use super::*;

    const TEXT: &str = r#"# What I look at.
name = "mine"

[helpers]
tr = "Greater($high, Ref($close, 1)) - Less($low, Ref($close, 1))"

[features]
# The first one.
a = "$close / Mean($close, 5)"   # beside it
b = { formula = "RMA(tr, 14)", group = "volatility", pane = "atr", description = "Wilder's" }
"c.d" = "a - b"
"#;

    fn draft(name: &str, formula: &str) -> Draft {
        Draft { name: name.to_owned(), formula: formula.to_owned(), set: "mine".to_owned(), ..Draft::default() }
    }

    #[test]
    fn a_feature_more_leaves_the_rest_as_it_was() {
        let text = with_feature(Some(TEXT), &draft("z", "$close")).expect("a text");
        assert_eq!(text, format!("{TEXT}z = \"$close\"\n"));
        assert_eq!(without_feature(&text, "z").as_deref(), Ok(TEXT));
    }

    #[test]
    fn a_changed_feature_keeps_its_place_and_comments() {
        let text = with_feature(Some(TEXT), &draft("a", "$close / Mean($close, 6)")).expect("a text");
        assert_eq!(text, TEXT.replace("Mean($close, 5)", "Mean($close, 6)"));
        let renamed = Draft { origin: Some(FeatureKey::new("mine", "a")), ..draft("first", "$open") };
        let text = with_feature(Some(TEXT), &renamed).expect("a text");
        assert_eq!(text, TEXT.replace("a = \"$close / Mean($close, 5)\"", "first = \"$open\""));
    }

    #[test]
    fn a_new_set_says_what_is_not_usual() {
        let text = with_feature(None, &draft("x", "$close")).expect("a text");
        assert_eq!(text, "name = \"mine\"\n\n[features]\nx = \"$close\"\n");
        let all = Draft {
            description: "Mine".to_owned(),
            pane: Pane::Price,
            warm_up: WarmUp::Partial,
            precision: Precision::F32,
            ..draft("x", "Mean(\n  $close,\n  5)")
        };
        let text = with_feature(None, &all).expect("a text");
        let table: toml::Table = text.parse().expect("toml");
        assert_eq!(table["warmup"].as_str(), Some("partial"));
        assert_eq!(table["precision"].as_str(), Some("f32"));
        assert_eq!(table["features"]["x"]["formula"].as_str(), Some("Mean(\n  $close,\n  5)"));
        assert_eq!(table["features"]["x"]["pane"].as_str(), Some("price"));
    }

    #[test]
    fn a_file_that_is_no_toml_is_not_touched() {
        assert!(with_feature(Some("name = "), &draft("x", "$close")).is_err());
        assert!(with_feature(Some("features = 5"), &draft("x", "$close")).is_err());
    }
}
