//! The settings file: TOML, every field optional, unknown fields kept out of the way.

use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Light, dark, or as the desktop has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// As the desktop has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Which colours rising and falling prices have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceColorChoice {
    /// Rising green, falling red.
    #[default]
    GreenUp,
    /// Rising red, falling green.
    RedUp,
    /// Rising blue, falling orange.
    BlueOrange,
}

/// How the window looks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    /// Light, dark or system.
    pub theme: ThemeChoice,
    /// Colours of rising and falling prices.
    pub price_colors: PriceColorChoice,
}

/// A source by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceSetting {
    /// The name in lists.
    pub name: String,
    /// Its URL without a password.
    pub url: String,
}

/// Everything a user can set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The name of the source in use.
    pub source: Option<String>,
    /// Time to live, such as `24h` or `7d`.
    pub ttl: String,
    /// Feature sets to keep warm.
    pub sets: Vec<String>,
    /// The cache folder, if not the usual one.
    pub cache_dir: Option<PathBuf>,
    /// The folder of the bars tree, if not in the cache folder.
    pub bars_cache_dir: Option<PathBuf>,
    /// The folder of the features tree, if not in the cache folder.
    pub features_cache_dir: Option<PathBuf>,
    /// Most bytes of files; 0 is no limit.
    pub disk_budget_bytes: u64,
    /// Bytes of the disk that are kept free, at least 2 % of it; 0 keeps nothing free.
    pub free_reserve_bytes: u64,
    /// Most bytes in the memory tier.
    pub memory_budget_bytes: u64,
    /// Whether the newest lookups are logged singly, with their reasons.
    pub log_lookups: bool,
    /// Working threads; all cores when 0.
    pub jobs: usize,
    /// How the window looks.
    pub appearance: Appearance,
    /// Known sources.
    pub sources: Vec<SourceSetting>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: None,
            ttl: "24h".to_owned(),
            sets: vec!["classic".to_owned()],
            cache_dir: None,
            bars_cache_dir: None,
            features_cache_dir: None,
            disk_budget_bytes: 20_000_000_000,
            free_reserve_bytes: 1_000_000_000,
            memory_budget_bytes: 256_000_000,
            log_lookups: true,
            jobs: 0,
            appearance: Appearance::default(),
            sources: Vec::new(),
        }
    }
}

/// Why settings could not be read or saved.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is there and cannot be read.
    #[error("the settings file {} cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is no valid settings file.
    #[error("the settings file {} is damaged: {reason}. Mend it, or remove it to start with the usual settings", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// The file cannot be written.
    #[error("the settings file {} cannot be saved: {reason}. Give yourself write permission there, or name another file with --config", .path.display())]
    NotSaved {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl Settings {
    /// Reads the settings file; without one, the usual settings.
    ///
    /// # Errors
    /// When the file cannot be read or is no valid settings file.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(SettingsError::Damaged { path: path.to_path_buf(), reason: "it is not text (UTF-8)".to_owned() });
            }
            Err(error) => return Err(SettingsError::Unreadable { path: path.to_path_buf(), reason: error.to_string() }),
        };
        toml::from_str(&text).map_err(|error| {
            let reason = match error.span().and_then(|span| text.get(..span.start)) {
                Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
                None => error.message().to_owned(),
            };
            SettingsError::Damaged { path: path.to_path_buf(), reason }
        })
    }

    /// Reads the settings file; a damaged one is copied aside and the usual settings are used. Returns what was wrong, with the
    /// copy's path.
    #[must_use]
    pub fn load_or_set_aside(path: &Path, now_us: i64) -> (Self, Option<String>) {
        match Self::load(path) {
            Ok(settings) => (settings, None),
            Err(error) => {
                let mut aside = path.as_os_str().to_os_string();
                aside.push(format!(".damaged-{now_us}"));
                let aside = PathBuf::from(aside);
                // A file that cannot even be read is moved: saving must not write over it.
                let kept = match std::fs::copy(path, &aside).map(|_bytes| ()).or_else(|_error| std::fs::rename(path, &aside)) {
                    Ok(()) => format!("A copy is kept as {}", aside.display()),
                    Err(copy_error) => format!("It could not be copied aside ({copy_error})"),
                };
                (Self::default(), Some(format!("{error}. {kept}; the usual settings are used")))
            }
        }
    }

    /// Saves the settings: all or nothing.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then untouched.
    pub fn save(&self, path: &Path) -> Result<(), SettingsError> {
        let fail = |reason: String| SettingsError::NotSaved { path: path.to_path_buf(), reason };
        let text = toml::to_string_pretty(self).map_err(|error| fail(error.to_string()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fail(error.to_string()))?;
        file.write_all(text.as_bytes()).map_err(|error| fail(error.to_string()))?;
        file.as_file().sync_all().map_err(|error| fail(error.to_string()))?;
        file.persist(path).map_err(|error| fail(error.error.to_string()))?;
        Ok(())
    }

    /// The URL of the source in use, without a password.
    #[must_use]
    pub fn source_url(&self) -> Option<&str> {
        let name = self.source.as_deref()?;
        self.sources.iter().find(|source| source.name == name).map(|source| source.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were_saved() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("deep/settings.toml");
        assert_eq!(Settings::load(&path).expect("no file"), Settings::default());
        let settings = Settings {
            source: Some("market".to_owned()),
            ttl: "7d".to_owned(),
            sources: vec![SourceSetting { name: "market".to_owned(), url: "mysql://root@localhost/market".to_owned() }],
            ..Settings::default()
        };
        settings.save(&path).expect("save");
        let back = Settings::load(&path).expect("load");
        assert_eq!(back, settings);
        assert_eq!(back.source_url(), Some("mysql://root@localhost/market"));
    }

    #[test]
    fn a_damaged_file_is_explained_by_line_and_never_lost() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, "ttl = \"24h\"\nsource = [broken\n").expect("write");
        let error = Settings::load(&path).expect_err("damaged").to_string();
        assert!(error.contains("settings.toml") && error.contains("line 2"), "{error}");
        let (settings, problem) = Settings::load_or_set_aside(&path, 7);
        assert_eq!(settings, Settings::default());
        assert!(problem.expect("explained").contains("damaged-7"));
        let kept = std::fs::read_to_string(folder.path().join("settings.toml.damaged-7")).expect("copy");
        assert!(kept.contains("broken"));
    }

    #[test]
    fn fields_left_out_have_their_usual_values() {
        let settings: Settings = toml::from_str("ttl = \"1h\"\nsomething_newer = 3\n").expect("parse");
        assert_eq!((settings.ttl.as_str(), settings.memory_budget_bytes), ("1h", Settings::default().memory_budget_bytes));
    }
}
