//! Settings: the file a user may edit, the folders everything lies in by default, and where passwords are kept.
//!
//! The settings file never holds a password. A file that cannot be read is never overwritten: it is set aside first.

mod copies;
mod lists;
mod schedule;
mod secrets;
mod settings;

pub use copies::{Copies, DatedCopy};
pub use lists::{ListsError, NamedFilter, NamedList, SymbolLists};
pub use schedule::{Rhythm, Schedule, ScheduledTask};
pub use secrets::{Password, SecretError, SecretPlace, Secrets};
pub use settings::{Appearance, PriceColorChoice, SetAside, Settings, SettingsError, SourceSetting, ThemeChoice, TtlRule, ZOOM_PERCENTS};

use directories::{ProjectDirs, UserDirs};
use std::path::PathBuf;

/// The folders of this user on this system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The settings file.
    pub settings_file: PathBuf,
    /// The cache folder unless the settings name another.
    pub cache_dir: PathBuf,
    /// Where the sample market is made.
    pub data_dir: PathBuf,
    /// Where a user looks for files that a program saved for him.
    pub documents_dir: PathBuf,
}

impl Places {
    /// The folder of the user's feature sets, beside the settings file.
    #[must_use]
    pub fn sets_dir(&self) -> PathBuf {
        self.beside_settings("sets")
    }

    /// The file of the user's lists of symbols, beside the settings file.
    #[must_use]
    pub fn lists_file(&self) -> PathBuf {
        self.beside_settings("lists.toml")
    }

    /// The copy of what the window remembers from one start to the next.
    #[must_use]
    pub fn workspace_file(&self) -> PathBuf {
        self.data_dir.join("workspace.ron")
    }

    /// Where copies of the user's feature sets are kept, each in a folder named as its file.
    #[must_use]
    pub fn set_copies_dir(&self) -> PathBuf {
        self.beside_settings("sets.backups")
    }

    fn beside_settings(&self, name: &str) -> PathBuf {
        let folder = self.settings_file.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
    }

    /// Where this desktop keeps such things; the working folder where the system has no home for us.
    #[must_use]
    pub fn of_user() -> Self {
        let user = UserDirs::new();
        let documents_dir = user.as_ref().map_or_else(PathBuf::new, |user| user.download_dir().unwrap_or(user.home_dir()).to_path_buf());
        match ProjectDirs::from("", "", "samovar") {
            Some(dirs) => Self {
                documents_dir,
                settings_file: dirs.config_dir().join("settings.toml"),
                cache_dir: dirs.cache_dir().to_path_buf(),
                data_dir: dirs.data_local_dir().to_path_buf(),
            },
            None => Self {
                settings_file: "samovar-settings.toml".into(),
                cache_dir: "samovar-cache".into(),
                data_dir: "samovar-data".into(),
                documents_dir,
            },
        }
    }
}
