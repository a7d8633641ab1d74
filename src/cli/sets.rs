//! `samovar sets`: the feature sets there are, their formulas, and a check of a set written in a file.

use super::arguments::SetsCommand;
use super::console::{Console, counted};
use super::failure::{Code, Outcome};
use super::table::{Side, lay_out};
use crate::feature::{Definition, FeatureSet, RAW_COLUMNS};
use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use std::path::Path;

pub(super) fn run(console: &Console, command: &SetsCommand) -> Outcome {
    match command {
        SetsCommand::List => list(console),
        SetsCommand::Show { name } => show(console, name),
        SetsCommand::Check { file } => check(console, file),
    }
}

#[derive(Serialize)]
struct SetJson {
    name: String,
    features: usize,
    definition_hash: String,
}

fn list(console: &Console) -> Outcome {
    let sets: Vec<SetJson> = FeatureSet::names().iter().filter_map(|name| FeatureSet::by_name(name)).map(|set| set_json(&set)).collect();
    if console.is_json() {
        console.json(&sets)?;
    } else {
        let mut rows = vec![["name", "features", "definition"].map(str::to_owned).to_vec()];
        rows.extend(sets.into_iter().map(|set| vec![set.name, set.features.to_string(), set.definition_hash]));
        console.print(&lay_out(&[Side::Left, Side::Right, Side::Left], &rows))?;
    }
    Ok(Code::AllWell)
}

fn set_json(set: &FeatureSet) -> SetJson {
    SetJson { name: set.name().to_owned(), features: set.definitions().len(), definition_hash: set.definition_hash().to_string() }
}

/// The built-in set of this name.
pub(super) fn need_set(name: &str) -> anyhow::Result<FeatureSet> {
    FeatureSet::by_name(name).ok_or_else(|| {
        let known = FeatureSet::names();
        let near = nearest(name, known).map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
        anyhow!("there is no feature set {name}{near} Known sets: {}", known.join(", "))
    })
}

fn show(console: &Console, name: &str) -> Outcome {
    let set = need_set(name)?;
    if console.is_json() {
        let features: Vec<_> = set
            .definitions()
            .iter()
            .map(|feature| {
                serde_json::json!({
                    "name": &*feature.name,
                    "group": feature.group.label(),
                    "description": feature.description,
                    "formula": feature.formula,
                    "kernel": feature.kernel.to_string(),
                    "first_value": feature.kernel.first_value(),
                })
            })
            .collect();
        console.json(&serde_json::json!({
            "name": set.name(),
            "definition_hash": set.definition_hash().to_string(),
            "features": features,
        }))?;
    } else {
        let mut rows = vec![["feature", "group", "first bar", "formula"].map(str::to_owned).to_vec()];
        rows.extend(set.definitions().iter().map(|feature| {
            let cells = [&*feature.name, feature.group.label(), &feature.kernel.first_value().to_string(), &feature.formula];
            cells.map(str::to_owned).to_vec()
        }));
        let head = format!(
            "{}: {}, definition {}\n\n",
            set.name(),
            counted(set.definitions().len(), "feature", "features"),
            set.definition_hash()
        );
        console.print(&(head + &lay_out(&[Side::Left, Side::Left, Side::Right, Side::Left], &rows)))?;
    }
    Ok(Code::AllWell)
}

/// A feature set as a user writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    name: String,
    features: toml::Table,
}

fn check(console: &Console, file: &Path) -> Outcome {
    let text = std::fs::read_to_string(file).with_context(|| format!("the file {} cannot be read", file.display()))?;
    let (set, problems) = read_set(&text).with_context(|| format!("{} is no feature set", file.display()))?;
    if console.is_json() {
        let set = set.as_ref().map(set_json);
        console.json(&serde_json::json!({ "ok": problems.is_empty(), "set": set, "problems": problems }))?;
    } else if let Some(set) = set.filter(|_| problems.is_empty()) {
        let features = counted(set.definitions().len(), "feature", "features");
        console.print(&format!("{}: {features}, all known; definition {}\n", set.name(), set.definition_hash()))?;
        console.note("note: sets from files cannot be preheated yet, only checked");
    } else {
        console.print(&problems.iter().map(|problem| format!("{}: {problem}\n", file.display())).collect::<String>())?;
    }
    Ok(if problems.is_empty() { Code::AllWell } else { Code::Failed })
}

/// Reads a set; returns it if every feature is known, and what is wrong with it.
fn read_set(text: &str) -> anyhow::Result<(Option<FeatureSet>, Vec<String>)> {
    let file: SetFile = toml::from_str(text).map_err(|error| {
        let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        anyhow!("{place}{}; a set has a name and a table [features] of column = \"built-in feature\"", error.message())
    })?;
    let known = FeatureSet::classic();
    let names: Vec<&str> = known.definitions().iter().map(|feature| &*feature.name).collect();
    let mut problems = Vec::new();
    let mut definitions = Vec::new();
    for (column, value) in &file.features {
        let Some(feature) = value.as_str() else {
            problems.push(format!("{column} must be the name of a built-in feature in quotes, such as \"ma5\""));
            continue;
        };
        match known.definition(feature) {
            Some(definition) => definitions.push(Definition::new(column.as_str(), definition.kernel)),
            None if RAW_COLUMNS.contains(&feature) => {
                problems.push(format!("{column}: {feature} is a column of the bars, which every file has"));
            }
            None => {
                let near = nearest(feature, &names).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                problems.push(format!("{column}: there is no built-in feature {feature}{near}"));
            }
        }
    }
    if file.features.is_empty() {
        problems.push("it has no features".to_owned());
    }
    let set = FeatureSet::with_definitions(file.name, definitions).map_err(|error| problems.push(error.to_string())).ok();
    Ok((set, problems))
}

/// The name nearest to a mistyped one, if one is near.
pub(super) fn nearest<'names>(wrong: &str, names: &[&'names str]) -> Option<&'names str> {
    let wrong = wrong.to_lowercase();
    let most = wrong.chars().count().div_ceil(3).min(3);
    names
        .iter()
        .map(|name| (distance(&wrong, &name.to_lowercase()), *name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// How many letters have to be typed, changed or deleted to make one text the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (position, letter) in left.chars().enumerate() {
        let mut diagonal = position;
        let mut last = position + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let here = (diagonal + usize::from(letter != *other)).min(last + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = here;
            last = here;
        }
        if let Some(first) = row.first_mut() {
            *first = position + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_letters() {
        for (left, right, expected) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ma5", "ma50", 1)] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn a_mistyped_feature_is_explained_with_the_nearest() {
        let (set, problems) = read_set("name = \"mine\"\n[features]\nfast = \"ma5\"\nslow = \"ma66\"\n").expect("readable");
        assert_eq!(set.expect("the known part").definitions().len(), 1);
        assert_eq!(problems, ["slow: there is no built-in feature ma66; did you mean ma60?"]);
        assert!(read_set("name = 3").expect_err("no name").to_string().contains("line 1"));
    }
}
