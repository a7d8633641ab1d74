//! Versions of feature sets: what a set's definition was each time something was computed with it, and what is left of that.
//!
//! The catalog keeps every version with its text, and its text lies beside its files, too, so that it outlives the catalog and
//! anybody can read it. Cached files name their version by its hash alone: they are rewritten often and their footers are short.

use super::Cache;
use super::entry::{Dataset, Entry, EntryKey};
use super::error::CacheError;
use super::folders::Folders;
use super::lease::TRIM;
use super::parquet_file::Footer;
use super::store::Staged;
use super::trash::Cleared;
use crate::fault::kill_point;
use crate::feature::{DefinitionHash, ENGINE_VERSION, FeatureSet, Precision};
use crate::market::Symbol;
use crate::source::SourceId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A version of a feature set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVersion {
    /// The set's name.
    pub set: Arc<str>,
    /// Hash of its definitions.
    pub definition: DefinitionHash,
    /// The set as it was written, TOML; empty where only cached files tell of the version.
    pub text: Arc<str>,
    /// The engine's version.
    pub engine_version: String,
    /// How exactly its values are kept.
    pub precision: Precision,
    /// Its columns with the hashes of their features; empty where they are not known.
    pub features: Vec<(Arc<str>, u128)>,
}

/// A version as the catalog keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRecord {
    /// The version.
    pub version: SetVersion,
    /// When something was first computed with it.
    pub first_used_us: i64,
    /// When something was last computed with it.
    pub last_used_us: i64,
    /// Entries that were computed with it, each time counted.
    pub entries_computed: u64,
    /// Rows that were computed with it.
    pub rows_computed: u64,
    /// Largest relative error of a value that was stored rounded; `None` when none was.
    pub rounding: Option<f64>,
}

/// What was computed with a version.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionUse {
    /// The version.
    pub version: Arc<SetVersion>,
    /// Entries.
    pub entries: u64,
    /// Rows.
    pub rows: u64,
    /// Largest relative error of a value that was stored rounded.
    pub rounding: Option<f64>,
}

/// A version, and what is cached of it now.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionFacts {
    /// What the catalog keeps of it.
    pub record: VersionRecord,
    /// Entries cached now.
    pub entries: u64,
    /// Their bytes.
    pub size_bytes: u64,
    /// Their rows.
    pub rows: u64,
}

/// Entries of older versions and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct OlderVersions {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl SetVersion {
    /// The present version of a set.
    #[must_use]
    pub fn of(set: &FeatureSet) -> Self {
        Self {
            set: Arc::from(set.name()),
            definition: set.definition_hash(),
            text: Arc::from(set.source_text()),
            engine_version: ENGINE_VERSION.to_owned(),
            precision: set.precision(),
            features: (set.definitions().iter().enumerate())
                .filter_map(|(place, feature)| Some((Arc::clone(&feature.name), set.feature_hash(place)?)))
                .collect(),
        }
    }
}

impl Cache {
    /// Every version of every set that something was computed with, and what is cached of it now: by set, last used first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn set_versions(&self) -> Result<Vec<VersionFacts>, CacheError> {
        let mut cached: BTreeMap<(String, u128), (u64, u64, u64)> = BTreeMap::new();
        for entry in self.catalog.entries(None)? {
            let (Some(set), Some(made), Some(file)) = (entry.key.dataset.set(), entry.provenance, &entry.file) else { continue };
            let (entries, size_bytes, rows) = cached.entry((set.to_owned(), made.definition.value())).or_default();
            *entries += 1;
            *size_bytes += file.size_bytes;
            *rows += file.rows;
        }
        let found = self.catalog.set_versions()?.into_iter().map(|record| {
            let place = (record.version.set.to_string(), record.version.definition.value());
            let (entries, size_bytes, rows) = cached.get(&place).copied().unwrap_or_default();
            VersionFacts { record, entries, size_bytes, rows }
        });
        Ok(found.collect())
    }

    /// Entries of older versions, of one source or all.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn older_entries(&self, source: Option<&SourceId>) -> Result<Vec<Entry>, CacheError> {
        Ok(self.catalog.entries(source)?.into_iter().filter(|entry| entry.key.dataset.is_older()).collect())
    }

    /// The entry that has what a definition computed for a symbol, whether it is the present version or an older one.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn entry_of_version(
        &self,
        source: &SourceId,
        symbol: &Symbol,
        set: &str,
        definition: DefinitionHash,
    ) -> Result<Option<EntryKey>, CacheError> {
        let present = EntryKey::features(source, symbol, set);
        let is_made_by = |entry: &Entry| entry.provenance.is_some_and(|made| made.definition.same_folder(definition));
        let with_file = |key: &EntryKey| Ok(self.catalog.entry(key)?.filter(|entry| entry.file.is_some()));
        if with_file(&present)?.is_some_and(|entry| is_made_by(&entry)) {
            return Ok(Some(present));
        }
        let older = EntryKey { dataset: Dataset::older(set, definition), ..present };
        Ok(with_file(&older)?.map(|entry| entry.key))
    }

    /// Puts the texts of versions beside their files, where they are not yet. Before the commit of the first entry.
    pub(super) fn write_version_texts(&self, staged: &[Staged], versions: &[VersionUse]) -> Result<(), CacheError> {
        let texts = versions.iter().map(|used| &used.version).filter(|version| !version.text.is_empty());
        let made_with = |version: &SetVersion| {
            let entries = staged.iter().map(|one| &one.entry);
            let is_made_with = |entry: &&Entry| {
                entry.key.dataset.set() == Some(&version.set) && entry.provenance.is_some_and(|made| made.definition == version.definition)
            };
            entries.filter(is_made_with).map(|entry| entry.key.source.clone()).collect::<BTreeSet<SourceId>>()
        };
        for (source, version) in texts.flat_map(|version| made_with(version).into_iter().map(move |source| (source, version))) {
            let relative = Folders::version_text_path(&source, &version.set, version.definition);
            let path = self.folders.absolute(&Dataset::features(&version.set), &relative);
            if self.files.exists(&path) {
                continue;
            }
            kill_point("version_before_text");
            self.files.write_atomically(&path, version.text.as_bytes())?;
            kill_point("version_after_text");
        }
        Ok(())
    }

    /// An older version that is about to be the present one again, as its definition is; nothing is read or written until it is
    /// committed. `footer` says what is known of its bars now.
    #[must_use]
    pub fn stage_older(&self, older: &Entry, footer: &Footer) -> Staged {
        let Footer { key, range, fetched_at_us, quality, provisional_from_us, .. } = footer.clone();
        let entry = Entry { key, range, fetched_at_us, quality, provisional_from_us, pinned: false, ..older.clone() };
        Staged { path: self.path_of(&entry), entry, bytes_written: 0, appended: None, waiting: Vec::new() }
    }

    /// Moves older versions to the trash: of each set, all but the `kept` that were used last. Symbols that somebody else writes at
    /// the moment keep theirs until the next time.
    ///
    /// # Errors
    /// When the catalog cannot be read or written, or a file cannot be moved.
    pub fn trim_versions(&self, kept: usize) -> Result<Cleared, CacheError> {
        let older = self.older_entries(None)?;
        let last_used: BTreeMap<Dataset, i64> = self
            .catalog
            .set_versions()?
            .into_iter()
            .map(|record| (Dataset::older(&record.version.set, record.version.definition), record.last_used_us))
            .collect();
        let mut by_set: BTreeMap<&str, BTreeSet<(i64, &Dataset)>> = BTreeMap::new();
        for entry in &older {
            let used_us = last_used.get(&entry.key.dataset).copied().unwrap_or(entry.fetched_at_us);
            let Some(set) = entry.key.dataset.set() else { continue };
            by_set.entry(set).or_default().insert((used_us, &entry.key.dataset));
        }
        // A version without a row in the table has one time per entry: its newest counts.
        let mut superfluous: BTreeSet<&Dataset> = BTreeSet::new();
        for versions in by_set.values() {
            let mut newest_first: Vec<&Dataset> = Vec::new();
            for (_, version) in versions.iter().rev() {
                if !newest_first.contains(version) {
                    newest_first.push(version);
                }
            }
            superfluous.extend(newest_first.into_iter().skip(kept));
        }
        let chosen: Vec<&Entry> = older.iter().filter(|entry| superfluous.contains(&entry.key.dataset)).collect();
        if chosen.is_empty() {
            return Ok(Cleared::default());
        }
        let mut symbols: BTreeMap<&SourceId, BTreeSet<Symbol>> = BTreeMap::new();
        for entry in &chosen {
            symbols.entry(&entry.key.source).or_default().insert(entry.key.symbol.clone());
        }
        let leases = symbols.into_iter().map(|(source, symbols)| self.take_lease(source, symbols, TRIM, false));
        let leases: Vec<_> = leases.collect::<Result<_, _>>()?;
        let datasets: BTreeSet<&Dataset> = chosen.iter().map(|entry| &entry.key.dataset).collect();
        // Looked at again under the leases.
        let now = self.older_entries(None)?;
        let held = |entry: &Entry| datasets.contains(&entry.key.dataset) && leases.iter().any(|lease| lease.covers(&entry.key));
        self.move_all_to_trash(&now.into_iter().filter(held).collect::<Vec<_>>())
    }

    /// Makes the catalog know every version that its entries were computed with, after it was lost: their texts lie beside the files.
    pub(super) fn complete_versions(&self) -> Result<(), CacheError> {
        let known: BTreeSet<(Arc<str>, u128)> = self
            .catalog
            .set_versions()?
            .into_iter()
            .filter(|record| !record.version.text.is_empty())
            .map(|record| (record.version.set, record.version.definition.value()))
            .collect();
        let mut missing: BTreeMap<(Arc<str>, DefinitionHash), (SourceId, i64, i64)> = BTreeMap::new();
        for entry in self.catalog.entries(None)? {
            let (Some(set), Some(made), Some(_file)) = (entry.key.dataset.set(), entry.provenance, &entry.file) else { continue };
            let place = (Arc::from(set), made.definition);
            if known.contains(&(Arc::clone(&place.0), made.definition.value())) {
                continue;
            }
            let at_us = entry.fetched_at_us;
            let (_, first_us, last_us) = missing.entry(place).or_insert((entry.key.source, at_us, at_us));
            (*first_us, *last_us) = ((*first_us).min(at_us), (*last_us).max(at_us));
        }
        let mut found = Vec::new();
        for ((set, definition), (source, first_us, last_us)) in missing {
            let relative = Folders::version_text_path(&source, &set, definition);
            let path = self.folders.absolute(&Dataset::features(&set), &relative);
            let text = self.files.read(&path, MOST_TEXT_BYTES).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            found.push((version_of_text(set, definition, &text.unwrap_or_default()), first_us, last_us));
        }
        if found.is_empty() { Ok(()) } else { self.catalog.complete_versions(found) }
    }
}

/// A text beside files is read up to here.
const MOST_TEXT_BYTES: u64 = 4 << 20;

/// The version of this hash; what its columns mean is known only where today's engine gives its text the same hash.
fn version_of_text(set: Arc<str>, definition: DefinitionHash, text: &str) -> SetVersion {
    match FeatureSet::from_toml(text) {
        Ok(known) if known.definition_hash() == definition => SetVersion { set, ..SetVersion::of(&known) },
        _ => SetVersion {
            set,
            definition,
            text: Arc::from(text),
            engine_version: String::new(),
            precision: Precision::F64,
            features: Vec::new(),
        },
    }
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;
