//! `samovar sets list`: built-in sets and the user's own, and what is cached of them.

use crate::cache::Cache;
use crate::cli::failure::{Code, Outcome};
use crate::cli::session::Session;
use crate::cli::table::{Side, lay_out};
use crate::feature::{FeatureSet, LibrarySet};
use crate::format;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Serialize)]
struct SetJson<'set> {
    name: &'set str,
    title: Option<&'set str>,
    description: Option<&'set str>,
    features: usize,
    definition_hash: String,
    precision: &'static str,
    warmup: String,
    built_in: bool,
    file: Option<PathBuf>,
    /// Whether the file has mistakes by now and this is its last good version.
    last_good: bool,
    entries: u64,
    bytes: u64,
    older: Cached,
}

/// What is cached.
#[derive(Clone, Copy, Default, Serialize)]
struct Cached {
    entries: u64,
    bytes: u64,
}

pub(super) fn run(session: &Session<'_>) -> Outcome {
    let cached = match session.cache_if_any()? {
        Some(cache) => cached_by_set(&cache)?,
        None => BTreeMap::new(),
    };
    let sets: Vec<SetJson<'_>> = session.library.sets().iter().map(|entry| set_json(entry, &cached)).collect();
    if session.console.is_json() {
        session.console.json(&sets)?;
    } else {
        let mut rows = vec![["name", "features", "definition", "cached", "size", "older", "where"].map(str::to_owned).to_vec()];
        rows.extend(sets.iter().map(row_of));
        use Side::{Left, Right};
        session.console.print(&lay_out(&[Left, Right, Left, Right, Right, Right, Left], &rows))?;
        if let Some(folder) = session.library.folder() {
            session.console.note(&format!("note: your own sets are the files in {}", folder.display()));
        }
    }
    Ok(Code::AllWell)
}

fn row_of(set: &SetJson<'_>) -> Vec<String> {
    let place = match &set.file {
        None => "built in".to_owned(),
        Some(file) if set.last_good => format!("{} (has mistakes; the last good version is used)", file.display()),
        Some(file) => file.display().to_string(),
    };
    vec![
        set.name.to_owned(),
        set.features.to_string(),
        set.definition_hash.clone(),
        format::count(set.entries),
        format::bytes(set.bytes),
        if set.older.entries == 0 { format::NONE.to_owned() } else { format::bytes(set.older.bytes) },
        place,
    ]
}

/// What is cached of each set's present entries, and of its older versions.
fn cached_by_set(cache: &Cache) -> anyhow::Result<BTreeMap<String, (Cached, Cached)>> {
    let mut found: BTreeMap<String, (Cached, Cached)> = BTreeMap::new();
    for entry in cache.catalog().entries(None)? {
        let (Some(set), Some(file)) = (entry.key.dataset.set(), &entry.file) else { continue };
        let (present, older) = found.entry(set.to_owned()).or_default();
        let of_set = if entry.key.dataset.is_older() { older } else { present };
        of_set.entries += 1;
        of_set.bytes += file.size_bytes;
    }
    Ok(found)
}

fn set_json<'set>(entry: &'set LibrarySet, cached: &BTreeMap<String, (Cached, Cached)>) -> SetJson<'set> {
    let set: &FeatureSet = &entry.set;
    let (present, older) = cached.get(set.name()).copied().unwrap_or_default();
    SetJson {
        name: set.name(),
        title: set.parts().title.as_deref(),
        description: set.parts().description.as_deref(),
        features: set.definitions().len(),
        definition_hash: set.definition_hash().to_string(),
        precision: set.precision().key(),
        warmup: set.warm_up().to_string(),
        built_in: entry.is_built_in(),
        file: entry.file().map(PathBuf::from),
        last_good: entry.is_last_good,
        entries: present.entries,
        bytes: present.bytes,
        older,
    }
}
