//! `samovar sets show`: the features of a set with their formulas, the text of its file, and its versions.

use crate::cache::{VERSION_MARK, VersionFacts};
use crate::cli::arguments::ShowOptions;
use crate::cli::console::counted;
use crate::cli::failure::{Code, Outcome};
use crate::cli::session::Session;
use crate::cli::table::{Side, lay_out};
use crate::feature::{DefinitionHash, FeatureSet};
use crate::format;
use anyhow::anyhow;
use chrono::{DateTime, SecondsFormat};

pub(super) fn run(session: &Session<'_>, options: &ShowOptions) -> Outcome {
    if options.versions {
        return versions(session, &options.name);
    }
    let set = match options.name.split_once(VERSION_MARK) {
        None => session.library.need(&options.name)?,
        Some((name, definition)) => version(session, name, definition, options.toml)?,
    };
    if options.toml {
        session.console.print(set.source_text())?;
        return Ok(Code::AllWell);
    }
    features(session, &set)
}

/// The set as it once was.
fn version(session: &Session<'_>, name: &str, definition: &str, text_only: bool) -> anyhow::Result<FeatureSet> {
    let facts = known_versions(session, name)?;
    let definition = session.version_named(&facts, name, definition)?;
    if let Some(now) = session.library.get(name).filter(|set| set.definition_hash() == definition) {
        return Ok(now.clone());
    }
    let found = facts.into_iter().find(|facts| facts.record.version.definition == definition);
    let text = found.map(|facts| facts.record.version.text).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| anyhow!("the text of {name}{VERSION_MARK}{definition} is not known any more; only its values are"))?;
    FeatureSet::from_toml(&text).map_err(|mistakes| {
        let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
        let hint =
            if text_only { String::new() } else { format!("; `samovar sets show {name}{VERSION_MARK}{definition} --toml` prints it") };
        anyhow!("this Samovar does not read the text of that version any more: {first}{hint}")
    })
}

fn features(session: &Session<'_>, set: &FeatureSet) -> Outcome {
    let hash = |place: usize| set.feature_hash(place).map(|hash| DefinitionHash::from(hash).to_string()).unwrap_or_default();
    if session.console.is_json() {
        let features: Vec<_> = (set.definitions().iter().enumerate())
            .map(|(place, feature)| {
                serde_json::json!({
                    "name": &*feature.name,
                    "group": feature.group.label(),
                    "description": feature.description,
                    "formula": feature.formula,
                    "pane": feature.placement.key(),
                    "first_value": set.first_value(place),
                    "hash": set.feature_hash(place).map(|hash| format!("{hash:032x}")),
                })
            })
            .collect();
        let helpers: Vec<_> =
            set.parts().helpers.iter().map(|helper| serde_json::json!({ "name": helper.name, "formula": helper.formula })).collect();
        session.console.json(&serde_json::json!({
            "name": set.name(),
            "title": set.parts().title,
            "description": set.parts().description,
            "definition_hash": set.definition_hash().to_string(),
            "precision": set.precision().key(),
            "warmup": set.warm_up().to_string(),
            "file": session.library.entry(set.name()).and_then(|entry| entry.file()),
            "helpers": helpers,
            "features": features,
        }))?;
        return Ok(Code::AllWell);
    }
    let mut rows = vec![["feature", "group", "first bar", "hash", "formula", "description"].map(str::to_owned).to_vec()];
    rows.extend(set.definitions().iter().enumerate().map(|(place, feature)| {
        let first = set.first_value(place).map_or_else(|| format::NONE.to_owned(), |first| first.to_string());
        vec![
            feature.name.to_string(),
            feature.group.label().to_owned(),
            first,
            hash(place),
            feature.formula.clone(),
            feature.description.clone(),
        ]
    }));
    let mut head = format!(
        "{}: {}, definition {}, {}, warm-up {}\n",
        set.name(),
        counted(set.definitions().len(), "feature", "features"),
        set.definition_hash(),
        set.precision().key(),
        set.warm_up(),
    );
    for line in [&set.parts().title, &set.parts().description].into_iter().flatten() {
        head.push_str(&format!("{line}\n"));
    }
    if !set.parts().helpers.is_empty() {
        head.push_str("\nhelpers:\n");
        let helpers: Vec<Vec<String>> =
            set.parts().helpers.iter().map(|helper| vec![format!("  {}", helper.name), helper.formula.clone()]).collect();
        head.push_str(&lay_out(&[Side::Left, Side::Left], &helpers));
    }
    head.push('\n');
    use Side::{Left, Right};
    session.console.print(&(head + &lay_out(&[Left, Left, Right, Left, Left, Left], &rows)))?;
    Ok(Code::AllWell)
}

/// Every version of a set that something was computed with; none where there is no cache.
fn known_versions(session: &Session<'_>, name: &str) -> anyhow::Result<Vec<VersionFacts>> {
    let Some(cache) = session.cache_if_any()? else { return Ok(Vec::new()) };
    Ok(cache.set_versions()?.into_iter().filter(|facts| *facts.record.version.set == *name).collect())
}

fn versions(session: &Session<'_>, name: &str) -> Outcome {
    let found = known_versions(session, name)?;
    // A set that was removed still has versions.
    if found.is_empty() {
        session.library.need(name)?;
    }
    let now = session.library.get(name).map(FeatureSet::definition_hash);
    let instant = |at_us: i64| DateTime::from_timestamp_micros(at_us).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
    if session.console.is_json() {
        let versions: Vec<_> = (found.iter())
            .map(|VersionFacts { record, entries, size_bytes, rows }| {
                serde_json::json!({
                    "definition_hash": record.version.definition.to_string(),
                    "present": now == Some(record.version.definition),
                    "first_used": instant(record.first_used_us),
                    "last_used": instant(record.last_used_us),
                    "computed": { "entries": record.entries_computed, "rows": record.rows_computed },
                    "entries": entries,
                    "bytes": size_bytes,
                    "rows": rows,
                    "features": record.version.features.len(),
                    "precision": record.version.precision.key(),
                    "rounding": record.rounding,
                    "engine_version": record.version.engine_version,
                    "toml": record.version.text,
                })
            })
            .collect();
        session.console.json(&serde_json::json!({ "name": name, "versions": versions }))?;
        return Ok(Code::AllWell);
    }
    if found.is_empty() {
        session.console.print(&format!("nothing was computed with {name} yet\n"))?;
        return Ok(Code::AllWell);
    }
    let head = ["version", "", "first used", "last used", "computed", "rows", "cached", "size", "precision", "largest error"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(found.iter().map(|VersionFacts { record, entries, size_bytes, .. }| {
        let definition = record.version.definition;
        let time = |at_us| instant(at_us).unwrap_or_default();
        vec![
            format!("{name}{VERSION_MARK}{definition}"),
            if now == Some(definition) { "present" } else { "" }.to_owned(),
            time(record.first_used_us),
            time(record.last_used_us),
            format::count(record.entries_computed),
            format::count(record.rows_computed),
            format::count(*entries),
            format::bytes(*size_bytes),
            record.version.precision.key().to_owned(),
            record.rounding.map_or_else(|| format::NONE.to_owned(), |largest| format!("{largest:.1e}")),
        ]
    }));
    use Side::{Left, Right};
    session.console.print(&lay_out(&[Left, Left, Left, Left, Right, Right, Right, Right, Left, Right], &rows))?;
    session.console.note(&format!("note: `samovar get SYMBOL --set {name}{VERSION_MARK}…` reads what is cached of a version"));
    Ok(Code::AllWell)
}
