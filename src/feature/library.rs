//! The feature sets there are: the built-in ones, and the user's own out of a folder of TOML files.
//!
//! Not the sets themselves (`set`), and not who watches the folder. Contract: immutable; each file is read on its own, and one
//! with mistakes is a problem that is told, never a failure of the others. Where a file had a good version before, that
//! version stays in force until the file is mended or removed.

use super::{FeatureSet, SetMistake};
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

    /// The names of all sets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().map(|entry| entry.set.name())
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
}

/// A library as those share it who only read it.
pub type SharedLibrary = Arc<SetLibrary>;
