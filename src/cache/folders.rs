//! Where things lie on disk. Paths only; nothing is read or written here.

use super::entry::{Dataset, EntryKey, VERSION_MARK};
use crate::feature::DefinitionHash;
use crate::source::SourceId;
use std::path::{Path, PathBuf};

/// The layout's version of the bars tree; a new format gets a new folder.
pub const BARS_TREE: &str = "bars-v1";
/// The layout's version of the features tree.
pub const FEATURES_TREE: &str = "features-v1";

/// The file in a version's folder that holds the set's text. No symbol's file has such an ending.
const VERSION_TEXT: &str = "set.toml";

/// The folders of one cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The cache folder: catalog, trash, quarantine, and both trees unless they were moved.
    pub cache_dir: PathBuf,
    bars_parent: PathBuf,
    features_parent: PathBuf,
}

impl Folders {
    /// Everything below one folder.
    #[must_use]
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        let cache_dir = cache_dir.into();
        Self { bars_parent: cache_dir.clone(), features_parent: cache_dir.clone(), cache_dir }
    }

    /// Moves the bars tree, the features tree, or both, to other folders.
    #[must_use]
    pub fn with_trees(mut self, bars: Option<PathBuf>, features: Option<PathBuf>) -> Self {
        self.bars_parent = bars.unwrap_or(self.bars_parent);
        self.features_parent = features.unwrap_or(self.features_parent);
        self
    }

    /// The catalog database.
    #[must_use]
    pub fn catalog(&self) -> PathBuf {
        self.cache_dir.join("catalog.sqlite")
    }

    /// Where cleared files wait for 24 hours.
    #[must_use]
    pub fn trash(&self) -> PathBuf {
        self.cache_dir.join("trash")
    }

    /// Where damaged files are kept for inspection.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.cache_dir.join("quarantine")
    }

    /// The root of a dataset's tree.
    #[must_use]
    pub fn tree(&self, dataset: &Dataset) -> PathBuf {
        match dataset {
            Dataset::Bars => self.bars_parent.join(BARS_TREE),
            Dataset::Features(_) | Dataset::Older(_) => self.features_parent.join(FEATURES_TREE),
        }
    }

    /// Both trees' roots.
    #[must_use]
    pub fn trees(&self) -> [PathBuf; 2] {
        [self.bars_parent.join(BARS_TREE), self.features_parent.join(FEATURES_TREE)]
    }

    /// Where an entry's file goes, below the root of its tree. Features lie in a folder per definition.
    #[must_use]
    pub fn relative_path(key: &EntryKey, definition: Option<DefinitionHash>) -> PathBuf {
        let mut path = PathBuf::from(key.source.as_str());
        if let Some(set) = key.dataset.set() {
            path.push(definition.map_or_else(|| set.to_owned(), |hash| format!("{set}{VERSION_MARK}{hash}")));
        }
        path.push(format!("{}.parquet", key.symbol.file_stem()));
        path
    }

    /// Where the files of a symbol's years go, below the root of the bars' tree: a folder beside the files of others.
    #[must_use]
    pub fn years_path(key: &EntryKey) -> PathBuf {
        let mut name = key.symbol.file_stem();
        if name.to_ascii_lowercase().ends_with(".parquet") {
            // Else it would be the name of another symbol's file.
            name.push('~');
        }
        [key.source.as_str(), &name].iter().collect()
    }

    /// Where the text of a set's version goes, below the root of the features tree: into the folder of its files.
    #[must_use]
    pub fn version_text_path(source: &SourceId, set: &str, definition: DefinitionHash) -> PathBuf {
        [source.as_str(), &format!("{set}{VERSION_MARK}{definition}"), VERSION_TEXT].iter().collect()
    }

    /// Whether a file in a tree is the text of a set's version.
    #[must_use]
    pub fn is_version_text(path: &Path) -> bool {
        path.file_name().is_some_and(|name| name == VERSION_TEXT)
    }

    /// The full path of a file of a dataset.
    #[must_use]
    pub fn absolute(&self, dataset: &Dataset, relative: &Path) -> PathBuf {
        self.tree(dataset).join(relative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Symbol;
    use crate::source::SourceId;

    #[test]
    fn bars_and_features_lie_where_the_layout_says() {
        let folders = Folders::new("/cache").with_trees(None, Some("/fast".into()));
        let source = SourceId::new("sample");
        let bars = EntryKey::bars(&source, &Symbol::new("BRK/B"));
        let relative = Folders::relative_path(&bars, None);
        assert_eq!(folders.absolute(&bars.dataset, &relative), Path::new("/cache/bars-v1/sample/BRK%2FB.parquet"));
        let features = EntryKey::features(&source, &Symbol::new("000001"), "classic");
        let hash = DefinitionHash::from(0xabcd << 64);
        let relative = Folders::relative_path(&features, Some(hash));
        let expected = format!("/fast/features-v1/sample/classic@{hash}/000001.parquet");
        assert_eq!(folders.absolute(&features.dataset, &relative), Path::new(&expected));
    }
}
