//! The user's own feature sets: loaded, saved, deleted, watched; and what a change of one makes outdated.
//!
//! Contract: what a file held is kept as a copy before it is replaced or removed, and every good version that is loaded while the
//! window is open is kept as well. A file with mistakes leaves the last good version of its set in force.

use super::event::{JobEvent, NoticeLevel};
use super::service::Service;
use super::sets::{Outdate, OutdateRequest, SetFileChange, SetRefusal};
use crate::cache::{Cache, CacheError, Entry};
use crate::config::{Copies, Places};
use crate::feature::{FeatureSet, SET_FILE_EXTENSION, SetChange, SetLibrary, reserved_name};
use crate::format;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// The newest copies of each set that are kept, and of how many days the last one is.
const COPIES: (usize, i64) = (20, 30);

/// Built-in sets and the user's; of a file with mistakes the version loaded before, else the newest copy. Blocking.
#[must_use]
pub fn load_library(places: &Places, before: Option<&SetLibrary>) -> SetLibrary {
    SetLibrary::load(&places.sets_dir(), before, &|path| {
        let newest = copies_of(places, path)?.list().into_iter();
        newest.filter_map(|copy| String::from_utf8(copy.whole()?).ok()).find(|text| FeatureSet::from_toml(text).is_ok())
    })
}

/// The copies of a set's file.
fn copies_of(places: &Places, file: &Path) -> Option<Copies> {
    let (newest, days) = COPIES;
    Some(Copies::new(places.set_copies_dir().join(file.file_stem()?), "set", SET_FILE_EXTENSION, newest, days))
}

/// Keeps what a file holds as a copy. Returns where that is; `None` for a file that is not there.
fn keep_copy(places: &Places, file: &Path) -> std::io::Result<Option<PathBuf>> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let written = fs::metadata(file).and_then(|metadata| metadata.modified()).unwrap_or(std::time::UNIX_EPOCH);
    let at_us = written.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(0));
    let copies = copies_of(places, file).ok_or_else(|| std::io::Error::other("the file has no name"))?;
    copies.keep(&bytes, at_us)?;
    let kept = copies.list().into_iter().find(|copy| copy.whole().is_some_and(|whole| whole == bytes));
    Ok(kept.map(|copy| copy.path))
}

/// Puts a text in the place of a file: all of it or nothing.
fn write_file(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Hidden, so that nobody takes it for a set while it is written.
    let mut temporary = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).map_err(|error| error.error)?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Saves a set. See [`super::event::Job::SaveSet`].
pub(super) fn save(service: &Service, name: &str, text: &str) -> JobEvent {
    let saved = || -> Result<SetFileChange, SetRefusal> {
        let set = FeatureSet::from_toml(text).map_err(SetRefusal::Mistakes)?;
        if set.name() != name {
            let reason = format!("its text names it {}; save it under that name, or change the name in the text", set.name());
            return Err(SetRefusal::Failed(reason));
        }
        if let Some(reason) = reserved_name(name) {
            return Err(SetRefusal::Failed(reason));
        }
        let _alone = service.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let places = &service.context.places;
        let path = file_for(name, &service.configuration().library, places);
        let failed = |error: std::io::Error| SetRefusal::Failed(format!("{} cannot be written ({error})", path.display()));
        let before = fs::read_to_string(&path).ok().map(Arc::from);
        let copy = keep_copy(places, &path).map_err(failed)?;
        write_file(&path, text).map_err(failed)?;
        Ok(SetFileChange { name: name.to_owned(), path, before, copy })
    };
    match saved() {
        Ok(change) => {
            reload(service, Some(name));
            JobEvent::SetSaved(change)
        }
        Err(refusal) => JobEvent::SetRefused { name: name.to_owned(), refusal },
    }
}

/// The file of a set; of a new one, a name that no other set's file has.
fn file_for(name: &str, library: &SetLibrary, places: &Places) -> PathBuf {
    if let Some(file) = library.entry(name).and_then(|entry| entry.file()) {
        return file.to_path_buf();
    }
    let is_anothers = |path: &Path| library.sets().iter().any(|entry| entry.file() == Some(path));
    let folder = places.sets_dir();
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered).map(|stem| folder.join(format!("{stem}.{SET_FILE_EXTENSION}")));
    names.find(|path| !is_anothers(path)).unwrap_or_default()
}

/// Deletes a set. See [`super::event::Job::DeleteSet`].
pub(super) fn delete(service: &Service, name: &str) -> JobEvent {
    let deleted = || -> Result<SetFileChange, String> {
        let _alone = service.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let library = service.configuration().library;
        let entry = library.entry(name).ok_or_else(|| format!("there is no set {name}"))?;
        let path = entry.file().ok_or_else(|| format!("{name} is a built-in set"))?.to_path_buf();
        let failed = |error: std::io::Error| format!("{} cannot be removed ({error})", path.display());
        let before = fs::read_to_string(&path).ok().map(Arc::from);
        let copy = keep_copy(&service.context.places, &path).map_err(failed)?;
        fs::remove_file(&path).map_err(failed)?;
        path.parent().map_or(Ok(()), sync_folder).map_err(failed)?;
        Ok(SetFileChange { name: name.to_owned(), path, before, copy })
    };
    match deleted() {
        Ok(change) => {
            reload(service, Some(name));
            JobEvent::SetDeleted(change)
        }
        Err(reason) => JobEvent::SetRefused { name: name.to_owned(), refusal: SetRefusal::Failed(reason) },
    }
}

/// Loads the sets anew, and tells what is different; of `quiet`, which was just saved or deleted here, nothing is told.
pub(super) fn reload(service: &Service, quiet: Option<&str>) {
    let _alone = service.loading.lock().unwrap_or_else(PoisonError::into_inner);
    let before = service.configuration().library;
    let now = Arc::new(load_library(&service.context.places, Some(&before)));
    if now == before {
        return;
    }
    let changes = now.changes_since(&before);
    service.use_library(&now);
    keep_good_versions(service, &now);
    service.reporter.send_blocking(JobEvent::Sets(Arc::clone(&now)));
    for change in &changes {
        tell(service, &now, change, quiet);
    }
    service.mark_dirty();
}

/// Keeps a copy of every file that holds a good set.
pub(super) fn keep_good_versions(service: &Service, library: &SetLibrary) {
    let good = library.sets().iter().filter(|entry| !entry.is_last_good).filter_map(|entry| entry.file());
    for file in good {
        if let Err(error) = keep_copy(&service.context.places, file) {
            tracing::warn!(path = %file.display(), %error, "no copy of a feature set could be kept");
        }
    }
}

fn tell(service: &Service, library: &SetLibrary, change: &SetChange, quiet: Option<&str>) {
    let (level, text) = match change {
        SetChange::Added(name) | SetChange::Changed(name) | SetChange::Removed(name) if quiet == Some(name) => return,
        SetChange::Reworded(_) => return,
        SetChange::Added(name) => (NoticeLevel::Info, format!("There is a new feature set: {name}")),
        SetChange::Removed(name) => (NoticeLevel::Info, format!("The feature set {name} was removed; what is cached of it stays readable")),
        SetChange::Changed(name) => {
            let outdated = library.get(name).and_then(|set| outdated_entries(service, set).ok()).map_or(0, |entries| entries.len());
            let what = match outdated {
                0 => "nothing is cached of it".to_owned(),
                count => format!(
                    "{} of it {} outdated",
                    format::counted(count as u64, "entry", "entries"),
                    if count == 1 { "is" } else { "are" }
                ),
            };
            (NoticeLevel::Info, format!("The feature set {name} was changed: {what}"))
        }
        SetChange::Broken(problem) => (NoticeLevel::Warning, format!("A feature set's file cannot be used: {problem}")),
    };
    service.reporter.notice(level, text);
}

/// Cached entries of a set that another definition made than this one.
fn outdated_entries(service: &Service, set: &FeatureSet) -> Result<Vec<Entry>, String> {
    let cache = service.cache()?;
    outdated_in(&cache, set).map_err(|error| error.to_string())
}

fn outdated_in(cache: &Cache, set: &FeatureSet) -> Result<Vec<Entry>, CacheError> {
    let is_outdated = |entry: &Entry| entry.file.is_some() && entry.provenance.is_some_and(|made| made.definition != set.definition_hash());
    Ok(cache.catalog().entries_of_set(set.name())?.into_iter().filter(is_outdated).collect())
}

/// What saving a text would make outdated. See [`super::event::Job::Outdate`].
pub(super) fn outdate(service: &Service, request: &OutdateRequest) -> Result<Outdate, String> {
    let next = match FeatureSet::from_toml(&request.text) {
        Ok(set) => set,
        Err(mistakes) => return Ok(Outdate { mistakes, ..Outdate::default() }),
    };
    let library = service.configuration().library;
    let mut found = difference(library.get(&request.name), &next);
    if next.name() != request.name {
        // It would be another set: nothing that is cached is made by it.
        return Ok(found);
    }
    let entries = outdated_entries(service, &next)?;
    found.entries = entries.len();
    found.symbols = entries.iter().map(|entry| (&entry.key.source, &entry.key.symbol)).collect::<BTreeSet<_>>().len();
    found.size_bytes = entries.iter().map(Entry::size_bytes).sum();
    found.rows = entries.iter().map(Entry::rows).sum();
    let columns = next.definitions().len().max(1);
    let to_compute = columns.saturating_sub(found.unchanged);
    let measured: u64 = entries.iter().map(|entry| entry.cost_us).sum();
    found.seconds = (measured > 0).then(|| measured as f64 / 1e6 * to_compute as f64 / columns as f64);
    Ok(found)
}

/// How the features of two versions of a set differ.
fn difference(before: Option<&FeatureSet>, next: &FeatureSet) -> Outdate {
    let mut found = Outdate::default();
    let hash_of = |set: &FeatureSet, name: &str| set.place(name).and_then(|place| set.feature_hash(place));
    for (place, feature) in next.definitions().iter().enumerate() {
        match before.and_then(|before| hash_of(before, &feature.name)) {
            None => found.added.push(feature.name.to_string()),
            Some(hash) if next.feature_hash(place) == Some(hash) => found.unchanged += 1,
            Some(_other) => found.changed.push(feature.name.to_string()),
        }
    }
    let gone = before.into_iter().flat_map(FeatureSet::definitions).filter(|feature| next.place(&feature.name).is_none());
    found.removed = gone.map(|feature| feature.name.to_string()).collect();
    if before.is_some_and(|before| before.precision() != next.precision()) {
        // Columns of another precision are written anew.
        let kept = next.definitions().iter().map(|feature| feature.name.to_string());
        found.changed = kept.filter(|name| !found.added.contains(name)).collect();
        found.unchanged = 0;
    }
    found
}
