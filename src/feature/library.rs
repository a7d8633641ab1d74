//! The feature sets there are: the built-in ones, and the user's own out of a folder of TOML files.
//!
//! Not the sets themselves (`set`), and not who watches the folder. Contract: immutable; each file is read on its own, and one
//! with mistakes is a problem that is told, never a failure of the others. Where a file had a good version before, that
//! version stays in force until the file is mended or removed.

use super::formula::nearest;
use super::{DefinitionHash, FeatureSet, SetMistake};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a set's file ends with, without the dot.
pub const SET_FILE_EXTENSION: &str = "toml";

/// Where a set comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetOrigin {
    /// It is part of the program.
    BuiltIn,
    /// The user wrote it to this file.
    File(PathBuf),
}

/// One set of a library.
#[derive(Debug, Clone, PartialEq)]
pub struct LibrarySet {
    /// The set.
    pub set: FeatureSet,
    /// Where it comes from.
    pub origin: SetOrigin,
    /// Whether its file has mistakes by now, so that this is the last good version of it.
    pub is_last_good: bool,
}

impl LibrarySet {
    /// Whether it is part of the program.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.origin == SetOrigin::BuiltIn
    }

    /// The user's file.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.origin {
            SetOrigin::BuiltIn => None,
            SetOrigin::File(path) => Some(path),
        }
    }
}

/// A file that is no usable set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetProblem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong in its text; empty when it is not about the text.
    pub mistakes: Vec<SetMistake>,
    /// What is wrong with it as a whole: it cannot be read, or its name is taken.
    pub reason: Option<String>,
    /// The set whose last good version is used instead.
    pub last_good: Option<String>,
}

impl fmt::Display for SetProblem {
    /// `mine.toml, line 4, column 9: …; the last good version of mine is used`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        write!(formatter, "{file}")?;
        if let Some(reason) = &self.reason {
            write!(formatter, ": {reason}")?;
        }
        if let Some(first) = self.mistakes.first() {
            write!(formatter, ", {first}")?;
        }
        match self.mistakes.len().saturating_sub(1) {
            0 => {}
            1 => write!(formatter, " (and one more mistake)")?,
            more => write!(formatter, " (and {more} more mistakes)")?,
        }
        self.last_good.as_ref().map_or(Ok(()), |name| write!(formatter, "; the last good version of {name} is used"))
    }
}

/// What is different in a library from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetChange {
    /// A set that was not there.
    Added(String),
    /// A set that computes something else, or other columns.
    Changed(String),
    /// A set that computes what it did, in other words or another order.
    Reworded(String),
    /// A set that is not there any more.
    Removed(String),
    /// A file that has mistakes, or other ones than before.
    Broken(SetProblem),
}

/// Built-in sets and a user's own. Empty by default, until somebody has loaded it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SetLibrary {
    sets: Vec<LibrarySet>,
    problems: Vec<SetProblem>,
    folder: Option<PathBuf>,
}

impl SetLibrary {
    /// The sets that are part of the program.
    #[must_use]
    pub fn built_in() -> Self {
        let sets = FeatureSet::names().iter().filter_map(|name| FeatureSet::by_name(name));
        let sets = sets.map(|set| LibrarySet { set, origin: SetOrigin::BuiltIn, is_last_good: false });
        Self { sets: sets.collect(), ..Self::default() }
    }

    /// Built-in sets and those of the files in a folder, which need not be there. `before` is what was loaded before, if anything
    /// was; where a file has mistakes and nothing good of it was loaded before, `last_good` is asked for a text. Blocking.
    #[must_use]
    pub fn load(folder: &Path, before: Option<&Self>, last_good: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut library = Self { folder: Some(folder.to_path_buf()), ..Self::built_in() };
        let mut own: Vec<LibrarySet> = Vec::new();
        let paths = set_files(folder).unwrap_or_else(|error| {
            // A folder that cannot be read just now has lost nothing.
            let reason = Some(format!("the folder cannot be read ({error})"));
            library.problems.push(SetProblem { reason, ..SetProblem::of(folder) });
            let kept = before.into_iter().flat_map(|before| &before.sets).filter(|entry| !entry.is_built_in());
            own.extend(kept.map(|entry| LibrarySet { is_last_good: true, ..entry.clone() }));
            Vec::new()
        });
        for path in paths {
            let known = before.and_then(|before| before.sets.iter().find(|entry| entry.file() == Some(&*path)));
            let read = read_set(&path, known);
            let (set, problem) = match read {
                Ok(set) => (Some(set), None),
                Err(problem) => {
                    let kept = known.map(|known| known.set.clone());
                    (kept.or_else(|| FeatureSet::from_toml(&last_good(&path)?).ok()), Some(problem))
                }
            };
            let is_last_good = problem.is_some();
            let taken = set.as_ref().and_then(|set| taken_by(set.name(), &own));
            if let Some(reason) = taken {
                library.problems.push(SetProblem { reason: Some(reason), ..SetProblem::of(&path) });
                continue;
            }
            let last_good = set.as_ref().map(|set| set.name().to_owned());
            library.problems.extend(problem.map(|problem| SetProblem { last_good, ..problem }));
            own.extend(set.map(|set| LibrarySet { set, origin: SetOrigin::File(path), is_last_good }));
        }
        own.sort_by(|one, other| one.set.name().cmp(other.set.name()));
        library.sets.append(&mut own);
        library
    }

    /// Every set: built-in ones first, then the user's by name.
    #[must_use]
    pub fn sets(&self) -> &[LibrarySet] {
        &self.sets
    }

    /// The set of this name, with where it comes from.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&LibrarySet> {
        self.sets.iter().find(|entry| entry.set.name() == name)
    }

    /// The set of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&FeatureSet> {
        self.entry(name).map(|entry| &entry.set)
    }

    /// The set of this name.
    ///
    /// # Errors
    /// That there is none, which is the nearest, and which there are.
    pub fn need(&self, name: &str) -> Result<FeatureSet, UnknownSet> {
        self.get(name).cloned().ok_or_else(|| UnknownSet {
            name: name.to_owned(),
            nearest: nearest(name, self.names()).map(str::to_owned),
            known: self.names().map(str::to_owned).collect(),
        })
    }

    /// The names of all sets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().map(|entry| entry.set.name())
    }

    /// The present definition of every set, by name.
    #[must_use]
    pub fn definitions(&self) -> HashMap<Arc<str>, DefinitionHash> {
        self.sets.iter().map(|entry| (Arc::from(entry.set.name()), entry.set.definition_hash())).collect()
    }

    /// Files that are no usable sets.
    #[must_use]
    pub fn problems(&self) -> &[SetProblem] {
        &self.problems
    }

    /// The folder of the user's sets; `None` where only built-in ones were asked for.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// What is different here from `before`: the user's sets by name, then files with mistakes.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<SetChange> {
        let mut changes = Vec::new();
        for entry in &self.sets {
            let name = entry.set.name().to_owned();
            match before.get(&name) {
                None => changes.push(SetChange::Added(name)),
                Some(known) if known.definition_hash() != entry.set.definition_hash() => changes.push(SetChange::Changed(name)),
                Some(known) if known.source_text() != entry.set.source_text() => changes.push(SetChange::Reworded(name)),
                Some(_same) => {}
            }
        }
        let is_gone = |name: &&str| self.get(name).is_none();
        changes.extend(before.names().filter(is_gone).map(|name| SetChange::Removed(name.to_owned())));
        let is_new = |problem: &&SetProblem| !before.problems.contains(problem);
        changes.extend(self.problems.iter().filter(is_new).cloned().map(SetChange::Broken));
        changes
    }
}

/// There is no set of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no feature set {name}{} Known sets: {}", .nearest.as_ref().map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?")), .known.join(", "))]
pub struct UnknownSet {
    /// What was asked for.
    pub name: String,
    /// The nearest known name.
    pub nearest: Option<String>,
    /// Every known name.
    pub known: Vec<String>,
}

/// Why a user's set may not have this name; `None` when it may. Whether another of the user's sets has it is another question.
#[must_use]
pub fn reserved_name(name: &str) -> Option<String> {
    if FeatureSet::names().contains(&name) {
        return Some(format!("{name} is the name of a built-in set; give this one another name"));
    }
    RESERVED.contains(&name).then(|| format!("{name} means something else already; give the set another name"))
}

/// What stands for something else where sets are named.
const RESERVED: [&str; 2] = ["bars", "all"];

fn taken_by(name: &str, own: &[LibrarySet]) -> Option<String> {
    reserved_name(name).or_else(|| {
        let other = own.iter().find(|entry| entry.set.name() == name)?.file()?.file_name()?.to_string_lossy().into_owned();
        Some(format!("{other} has a set of the name {name} already; give one of them another name"))
    })
}

impl SetProblem {
    fn of(path: &Path) -> Self {
        Self { path: path.to_path_buf(), mistakes: Vec::new(), reason: None, last_good: None }
    }
}

/// The files of sets in a folder, by name. Hidden files are somebody's that are being written.
fn set_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let listing = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let is_set_file = |path: &PathBuf| {
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        !is_hidden && path.extension().is_some_and(|extension| extension == SET_FILE_EXTENSION)
    };
    let mut found: Vec<PathBuf> = listing.filter_map(|item| Some(item.ok()?.path())).filter(is_set_file).collect();
    found.sort();
    Ok(found)
}

/// The set of a file; `known` is what was read from it before, which is not read anew when its text is the same.
fn read_set(path: &Path, known: Option<&LibrarySet>) -> Result<FeatureSet, SetProblem> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::InvalidData => "it is not text (UTF-8)".to_owned(),
            _ => format!("it cannot be read ({error})"),
        };
        SetProblem { reason: Some(reason), ..SetProblem::of(path) }
    })?;
    if let Some(known) = known.filter(|known| known.set.source_text() == text) {
        return Ok(known.set.clone());
    }
    FeatureSet::from_toml(&text).map_err(|mistakes| SetProblem { mistakes, ..SetProblem::of(path) })
}

/// A library as those share it who only read it.
pub type SharedLibrary = Arc<SetLibrary>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const MINE: &str = "name = \"mine\"\n[features]\nratio = \"$close / $open\"\n";

    fn load(folder: &Path, before: Option<&SetLibrary>) -> SetLibrary {
        SetLibrary::load(folder, before, &|_path| None)
    }

    #[test]
    fn built_in_sets_come_first_and_files_follow_by_name() {
        let folder = tempfile::tempdir().expect("folder");
        let none = load(&folder.path().join("missing"), None);
        assert_eq!(none.names().collect::<Vec<_>>(), FeatureSet::names());
        for (file, text) in [
            ("z.toml", MINE.to_owned()),
            ("b.toml", MINE.replace("mine", "another")),
            (".hidden.toml", MINE.replace("mine", "hidden")),
            ("notes.txt", "no set".to_owned()),
        ] {
            fs::write(folder.path().join(file), text).expect("written");
        }
        let library = load(folder.path(), None);
        assert_eq!(library.names().skip(FeatureSet::names().len()).collect::<Vec<_>>(), ["another", "mine"]);
        assert_eq!(library.entry("mine").and_then(LibrarySet::file), Some(&*folder.path().join("z.toml")));
        assert!(library.problems().is_empty() && library.entry("classic").expect("built in").is_built_in());
        assert_eq!(library.definitions().len(), library.sets().len());
        let error = library.need("mien").expect_err("unknown").to_string();
        assert!(error.starts_with("there is no feature set mien; did you mean mine? Known sets: "), "{error}");
    }

    #[test]
    fn a_file_with_mistakes_is_told_and_its_last_good_version_stays() {
        let folder = tempfile::tempdir().expect("folder");
        let (file, other) = (folder.path().join("mine.toml"), folder.path().join("other.toml"));
        fs::write(&file, MINE).expect("written");
        fs::write(&other, MINE.replace("mine", "other")).expect("written");
        let first = load(folder.path(), None);
        fs::write(&file, MINE.replace("$open", "$opne")).expect("broken");
        let second = load(folder.path(), Some(&first));
        assert_eq!(second.get("mine"), first.get("mine"));
        assert!(second.entry("mine").expect("last good").is_last_good && !second.entry("other").expect("good").is_last_good);
        let [problem] = second.problems() else { panic!("{:?}", second.problems()) };
        let told = problem.to_string();
        assert!(told.starts_with("mine.toml, line 3, column ") && told.ends_with("the last good version of mine is used"), "{told}");
        assert_eq!(second.changes_since(&first), [SetChange::Broken(problem.clone())]);
        assert!(load(folder.path(), Some(&second)).changes_since(&second).is_empty(), "told once");
        // In a process that has not seen it, what was kept of it is used.
        let kept = SetLibrary::load(folder.path(), None, &|path| (path == file).then(|| MINE.to_owned()));
        assert_eq!(kept.get("mine"), first.get("mine"));
        assert_eq!(load(folder.path(), None).get("mine"), None);
        fs::write(&file, MINE.replace("$open", "$high")).expect("mended");
        let third = load(folder.path(), Some(&second));
        assert_eq!(third.changes_since(&second), [SetChange::Changed("mine".to_owned())]);
        assert!(third.problems().is_empty());
    }

    #[test]
    fn what_is_different_is_told_by_what_it_means() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("mine.toml");
        let empty = load(folder.path(), None);
        fs::write(&file, MINE).expect("written");
        let first = load(folder.path(), Some(&empty));
        assert_eq!(first.changes_since(&empty), [SetChange::Added("mine".to_owned())]);
        fs::write(&file, format!("# in other words\n{MINE}")).expect("written");
        let second = load(folder.path(), Some(&first));
        assert_eq!(second.changes_since(&first), [SetChange::Reworded("mine".to_owned())]);
        fs::remove_file(&file).expect("removed");
        assert_eq!(load(folder.path(), Some(&second)).changes_since(&second), [SetChange::Removed("mine".to_owned())]);
    }

    #[test]
    fn names_that_are_taken_are_problems() {
        let folder = tempfile::tempdir().expect("folder");
        for (file, name) in [("a.toml", "mine"), ("b.toml", "mine"), ("c.toml", "classic"), ("d.toml", "bars")] {
            fs::write(folder.path().join(file), MINE.replace("mine", name)).expect("written");
        }
        fs::write(folder.path().join("e.toml"), [0xff, 0xfe]).expect("written");
        let library = load(folder.path(), None);
        assert_eq!(library.sets().len(), FeatureSet::names().len() + 1);
        let told: Vec<String> = library.problems().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(
            told[0].contains("a.toml has a set of the name mine") && told[1].contains("built-in") && told[3].contains("not text"),
            "{told:?}"
        );
    }
}
