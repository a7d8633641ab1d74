//! `samovar sets`: the feature sets there are, their formulas, and a check of a set written in a file.

use super::arguments::SetsCommand;
use super::console::{Console, counted};
use super::failure::{Code, Outcome};
use super::table::{Side, lay_out};
use crate::feature::FeatureSet;
use crate::feature::formula::nearest;
use anyhow::{Context, anyhow};
use serde::Serialize;
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
        let near = nearest(name, known.iter().copied()).map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
        anyhow!("there is no feature set {name}{near} Known sets: {}", known.join(", "))
    })
}

fn show(console: &Console, name: &str) -> Outcome {
    let set = need_set(name)?;
    if console.is_json() {
        let features: Vec<_> = set
            .definitions()
            .iter()
            .enumerate()
            .map(|(place, feature)| {
                serde_json::json!({
                    "name": &*feature.name,
                    "group": feature.group.label(),
                    "description": feature.description,
                    "formula": feature.formula,
                    "first_value": set.first_value(place),
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
        rows.extend(set.definitions().iter().enumerate().map(|(place, feature)| {
            let first = set.first_value(place).map_or_else(String::new, |first| first.to_string());
            let cells = [&*feature.name, feature.group.label(), &first, &feature.formula];
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

fn check(console: &Console, file: &Path) -> Outcome {
    let text = std::fs::read_to_string(file).with_context(|| format!("the file {} cannot be read", file.display()))?;
    let (set, problems) = match FeatureSet::from_toml(&text) {
        Ok(set) => (Some(set), Vec::new()),
        Err(mistakes) => (None, mistakes.iter().map(ToString::to_string).collect()),
    };
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
