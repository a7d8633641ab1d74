//! The user's lists of symbols and saved filters: one TOML file beside the settings, made by the window or by hand.
//!
//! Not what is shown: a list may name symbols that no source has. Contract: a file that cannot be read is set aside before another is
//! written, what a file held is kept as a copy before it is replaced, and it is replaced whole or not at all.

use super::copies::Copies;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Symbols under a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NamedList {
    /// What the user calls it.
    pub name: String,
    /// Its symbols, each once, in the user's order.
    #[serde(default)]
    pub symbols: Vec<String>,
}

/// A filter under a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NamedFilter {
    /// What the user calls it.
    pub name: String,
    /// What is typed into the filter.
    #[serde(default)]
    pub text: String,
    /// Which chips are pressed, by their words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chips: Vec<String>,
    /// The list it is about; all symbols when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
}

/// Everything the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SymbolLists {
    /// Lists, in the user's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<NamedList>,
    /// Saved filters, in the user's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<NamedFilter>,
}

/// Why lists could not be read or saved.
#[derive(Debug, thiserror::Error)]
pub enum ListsError {
    /// The file is there and cannot be read.
    #[error("the file of your lists {} cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is no valid file of lists.
    #[error("the file of your lists {} is damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// The file cannot be written.
    #[error("your lists cannot be saved to {}: {reason}. Give yourself write permission there", .path.display())]
    NotSaved {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl SymbolLists {
    /// Reads the file; without one there are no lists.
    ///
    /// # Errors
    /// When the file cannot be read or is no valid file of lists.
    pub fn load(path: &Path) -> Result<Self, ListsError> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map_err(|error| {
                let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
                let reason = line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()));
                ListsError::Damaged { path: path.to_path_buf(), reason }
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ListsError::Unreadable { path: path.to_path_buf(), reason: error.to_string() }),
        }
    }

    /// Reads the file; one that is no good is set aside, and the newest good copy is used. Returns what was wrong, too.
    #[must_use]
    pub fn load_or_set_aside(path: &Path, now_us: i64) -> (Self, Option<String>) {
        match Self::load(path) {
            Ok(lists) => (lists, None),
            Err(error) => {
                let mut aside = path.as_os_str().to_os_string();
                aside.push(format!(".damaged-{now_us}"));
                let aside = PathBuf::from(aside);
                let kept = match std::fs::copy(path, &aside).map(|_bytes| ()).or_else(|_error| std::fs::rename(path, &aside)) {
                    Ok(()) => format!("a copy is kept as {}", aside.display()),
                    Err(copy_error) => format!("it could not be copied aside ({copy_error})"),
                };
                let found = copies_of(path).list().into_iter().find_map(|copy| {
                    let text = String::from_utf8(copy.whole()?).ok()?;
                    toml::from_str::<Self>(&text).ok()
                });
                let used = if found.is_some() { "the lists saved last are used" } else { "there are no lists until it is mended" };
                (found.unwrap_or_default(), Some(format!("{error}; {kept}; {used}")))
            }
        }
    }

    /// Saves the lists: all or nothing. What the file held before, and what it holds now, is kept in the folder of copies beside it.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then untouched.
    pub fn save(&self, path: &Path, now_us: i64) -> Result<(), ListsError> {
        let fail = |reason: String| ListsError::NotSaved { path: path.to_path_buf(), reason };
        let text = toml::to_string_pretty(self).map_err(|error| fail(error.to_string()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))?;
        match std::fs::read(path) {
            Ok(now) if now == text.as_bytes() => return Ok(()),
            // The millisecond before: the copy of what is written now is the newer one.
            Ok(now) => keep_copy(path, &now, now_us - 1_000),
            Err(_none) => {}
        }
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fail(error.to_string()))?;
        file.write_all(text.as_bytes()).map_err(|error| fail(error.to_string()))?;
        file.as_file().sync_all().map_err(|error| fail(error.to_string()))?;
        file.persist(path).map_err(|error| fail(error.error.to_string()))?;
        keep_copy(path, text.as_bytes(), now_us);
        Ok(())
    }

    /// The list of a name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&NamedList> {
        self.lists.iter().find(|list| list.name == name)
    }
}

/// The twenty newest copies, and the last of each of 30 days.
fn copies_of(path: &Path) -> Copies {
    let mut folder = path.as_os_str().to_os_string();
    folder.push(".backups");
    Copies::new(folder.into(), "lists", "toml", 20, 30)
}

/// Keeps a copy. That it cannot is no reason not to save.
fn keep_copy(path: &Path, bytes: &[u8], at_us: i64) {
    if let Err(error) = copies_of(path).keep(bytes, at_us) {
        tracing::warn!(path = %path.display(), %error, "no copy of the lists could be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(names: &[&str]) -> SymbolLists {
        let list = |name: &&str| NamedList { name: (*name).to_owned(), symbols: vec!["000001".to_owned(), "BRK/B".to_owned()] };
        SymbolLists { lists: names.iter().map(list).collect(), filters: Vec::new() }
    }

    #[test]
    fn lists_come_back_as_they_were_saved() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("deep/lists.toml");
        assert_eq!(SymbolLists::load(&path).expect("no file"), SymbolLists::default());
        let mut saved = lists(&["mine", "观察"]);
        let filter = NamedFilter { name: "large".to_owned(), chips: vec!["large".to_owned()], ..NamedFilter::default() };
        saved.filters.push(filter);
        saved.save(&path, 10_000).expect("saved");
        assert_eq!(SymbolLists::load(&path).expect("read"), saved);
        assert_eq!(saved.list("观察").map(|list| list.symbols.len()), Some(2));
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_what_was_saved_last_is_used() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("lists.toml");
        lists(&["one"]).save(&path, 10_000).expect("saved");
        lists(&["one", "two"]).save(&path, 20_000).expect("saved");
        std::fs::write(&path, "[[lists]]\nname = broken\n").expect("damage");
        let (found, problem) = SymbolLists::load_or_set_aside(&path, 7);
        assert_eq!(found, lists(&["one", "two"]));
        let problem = problem.expect("told");
        assert!(problem.contains("line 2") && problem.contains("damaged-7"), "{problem}");
        // Written by hand, and good: the copy of it survives the next save.
        std::fs::write(&path, "[[lists]]\nname = \"by hand\"\nsymbols = [\"A\"]\n").expect("by hand");
        lists(&["three"]).save(&path, 30_000).expect("saved");
        let kept = copies_of(&path).list();
        assert!(kept.iter().any(|copy| copy.whole().is_some_and(|bytes| String::from_utf8_lossy(&bytes).contains("by hand"))));
    }
}
