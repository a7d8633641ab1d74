//! The settings file: TOML, every field optional, unknown fields kept out of the way.

use super::copies::Copies;
use super::schedule::Schedule;
use crate::language::Language;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::RangeInclusive;
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

/// How large everything in the window can be, in percent of the usual size.
pub const ZOOM_PERCENTS: RangeInclusive<u16> = 50..=200;

/// How the window looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    /// Light, dark or system.
    pub theme: ThemeChoice,
    /// Colours of rising and falling prices.
    pub price_colors: PriceColorChoice,
    /// How large everything is, in percent.
    pub zoom_percent: u16,
    /// Whether nothing flashes or moves by itself.
    pub reduced_motion: bool,
    /// The language of the window; the desktop's when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            price_colors: PriceColorChoice::default(),
            zoom_percent: 100,
            reduced_motion: false,
            language: None,
        }
    }
}

/// A source by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceSetting {
    /// The name in lists.
    pub name: String,
    /// Its URL without a password.
    pub url: String,
    /// The exchange of its symbols, where no rule says another, such as `XHKG`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
}

/// A rule for times to live: `source` and `symbols` say for which entries, `ttl` and `exchange` what holds for them.
///
/// Kept as it is written, so that a rule that cannot be used is explained, left out and not lost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TtlRule {
    #[serde(deserialize_with = "any_as_text")]
    fields: BTreeMap<String, String>,
}

impl TtlRule {
    /// The fields a rule can have.
    pub const FIELDS: [&'static str; 4] = ["source", "symbols", "ttl", "exchange"];

    /// A rule of these fields.
    #[must_use]
    pub fn new<'text>(fields: impl IntoIterator<Item = (&'text str, &'text str)>) -> Self {
        Self { fields: fields.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect() }
    }

    /// A field's text.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    /// The first field that no rule can have.
    #[must_use]
    pub fn unknown_field(&self) -> Option<&str> {
        self.fields.keys().map(String::as_str).find(|name| !Self::FIELDS.contains(name))
    }
}

/// Numbers and other values as they are written: `ttl = 24` means what `ttl = "24"` does.
fn any_as_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let values = BTreeMap::<String, toml::Value>::deserialize(deserializer)?;
    let text_of = |value: toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(values.into_iter().map(|(name, value)| (name, text_of(value))).collect())
}

/// Everything a user can set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The name of the source in use.
    pub source: Option<String>,
    /// Time to live: such as `24h` or `7d`, or `market-close`.
    pub ttl: String,
    /// Feature sets to keep warm.
    pub sets: Vec<String>,
    /// How many older versions of each feature set stay readable after its definition changed; none when 0.
    pub kept_versions: usize,
    /// How many days may pass before a symbol's whole history is compared with the source's again; at every check when 0. In between
    /// only its newest days are.
    pub history_check_days: u32,
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
    /// Most rows a second that are taken from a source, by all jobs of the window; as many as come when 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub rows_per_sec: u64,
    /// How the window looks.
    pub appearance: Appearance,
    /// Known sources.
    pub sources: Vec<SourceSetting>,
    /// Other times to live and exchanges, by source and symbols; the first that fits is followed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ttl_rules: Vec<TtlRule>,
    /// What is done again and again while the window is open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: None,
            ttl: "24h".to_owned(),
            sets: vec!["classic".to_owned()],
            kept_versions: 2,
            history_check_days: 7,
            cache_dir: None,
            bars_cache_dir: None,
            features_cache_dir: None,
            disk_budget_bytes: 20_000_000_000,
            free_reserve_bytes: 1_000_000_000,
            memory_budget_bytes: 256_000_000,
            log_lookups: true,
            jobs: 0,
            rows_per_sec: 0,
            appearance: Appearance::default(),
            sources: Vec::new(),
            ttl_rules: Vec::new(),
            schedules: Vec::new(),
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
    #[error("the settings file {} is damaged: {reason}. Fix it, or remove it to start with the default settings", .path.display())]
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

/// What was wrong with a settings file, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// What was wrong, where the copy is, and what is used instead.
    pub message: String,
    /// The copy, if one could be made.
    pub copy: Option<PathBuf>,
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
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

    /// Reads the settings file; a damaged one is copied aside, and what was saved last is used, or the usual settings when nothing
    /// was. Returns what was wrong, with the copy's path and what is used.
    #[must_use]
    pub fn load_or_set_aside(path: &Path, now_us: i64) -> (Self, Option<SetAside>) {
        match Self::load(path) {
            Ok(settings) => (settings, None),
            Err(error) => {
                let mut aside = path.as_os_str().to_os_string();
                aside.push(format!(".damaged-{now_us}"));
                let aside = PathBuf::from(aside);
                // A file that cannot even be read is moved: saving must not write over it.
                let (kept, copy) = match std::fs::copy(path, &aside).map(|_bytes| ()).or_else(|_error| std::fs::rename(path, &aside)) {
                    Ok(()) => (format!("A copy is kept as {}", aside.display()), Some(aside)),
                    Err(copy_error) => (format!("It could not be copied aside ({copy_error})"), None),
                };
                let (settings, used) = match newest_copy(path) {
                    Some((settings, at_us)) => {
                        let at = chrono::DateTime::from_timestamp_micros(at_us).unwrap_or_default();
                        (settings, format!("the settings saved on {} UTC are used", at.format("%Y-%m-%d at %H:%M")))
                    }
                    None => (Self::default(), "the default settings are used".to_owned()),
                };
                (settings, Some(SetAside { message: format!("{error}. {kept}; {used}"), copy }))
            }
        }
    }

    /// Saves the settings: all or nothing. What the file held before, and what it holds now, is kept in the folder of copies
    /// beside it (`settings.toml.backups`).
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then untouched.
    pub fn save(&self, path: &Path) -> Result<(), SettingsError> {
        let fail = |reason: String| SettingsError::NotSaved { path: path.to_path_buf(), reason };
        let text = toml::to_string_pretty(self).map_err(|error| fail(error.to_string()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))?;
        if std::fs::read_to_string(path).is_ok_and(|now| now != text) {
            keep_copy(path);
        }
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fail(error.to_string()))?;
        file.write_all(text.as_bytes()).map_err(|error| fail(error.to_string()))?;
        file.as_file().sync_all().map_err(|error| fail(error.to_string()))?;
        file.persist(path).map_err(|error| fail(error.error.to_string()))?;
        keep_copy(path);
        Ok(())
    }

    /// The URL of the source in use, without a password.
    #[must_use]
    pub fn source_url(&self) -> Option<&str> {
        let name = self.source.as_deref()?;
        self.sources.iter().find(|source| source.name == name).map(|source| source.url.as_str())
    }
}

/// The seven newest copies of a settings file, and the last of each of 14 days.
fn copies_of(path: &Path) -> Copies {
    let mut folder = path.as_os_str().to_os_string();
    folder.push(".backups");
    Copies::new(folder.into(), "settings", "toml", 7, 14)
}

/// Keeps a copy of a settings file that is good, dated by when it was written. That it cannot is no reason not to save.
fn keep_copy(path: &Path) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    if toml::from_str::<Settings>(&text).is_err() {
        return;
    }
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(std::time::UNIX_EPOCH);
    let at_us = written.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(0));
    if let Err(error) = copies_of(path).keep(text.as_bytes(), at_us) {
        tracing::warn!(path = %path.display(), %error, "no copy of the settings could be kept");
    }
}

/// The newest copy that is whole and can be read, and of when it is.
fn newest_copy(path: &Path) -> Option<(Settings, i64)> {
    copies_of(path).list().into_iter().find_map(|copy| {
        let text = String::from_utf8(copy.whole()?).ok()?;
        Some((toml::from_str(&text).ok()?, copy.at_us))
    })
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
            sources: vec![SourceSetting { name: "market".to_owned(), url: "mysql://root@localhost/market".to_owned(), exchange: None }],
            ttl_rules: vec![TtlRule::new([("symbols", "*.HK"), ("ttl", "market-close")])],
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
        assert!(problem.expect("explained").message.contains("damaged-7"));
        let kept = std::fs::read_to_string(folder.path().join("settings.toml.damaged-7")).expect("copy");
        assert!(kept.contains("broken"));
    }

    #[test]
    fn rules_are_kept_as_they_are_written() {
        let text = "[[ttl_rules]]\nsymbols = \"*.HK\"\nttl = 24\n[[ttl_rules]]\nsymbol = \"A\"\n\
                    [[sources]]\nname = \"m\"\nurl = \"sample:\"\nexchange = \"XHKG\"\n";
        let settings: Settings = toml::from_str(text).expect("parse");
        let [first, second] = &settings.ttl_rules[..] else { panic!("{settings:?}") };
        assert_eq!((first.get("symbols"), first.get("ttl"), first.get("source")), (Some("*.HK"), Some("24"), None));
        assert_eq!((first.unknown_field(), second.unknown_field()), (None, Some("symbol")));
        assert_eq!(settings.sources[0].exchange.as_deref(), Some("XHKG"));
        let back: Settings = toml::from_str(&toml::to_string_pretty(&settings).expect("write")).expect("read again");
        assert_eq!(back, settings);
    }

    #[test]
    fn what_was_saved_last_is_used_when_the_file_is_damaged() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("settings.toml");
        for jobs in 1..=9 {
            Settings { jobs, ..Settings::default() }.save(&path).expect("save");
        }
        std::fs::write(&path, "jobs = 10 # by hand, and good\n").expect("write");
        Settings { jobs: 11, ..Settings::default() }.save(&path).expect("save");
        assert_eq!(copies_of(&path).list().len(), 7);
        std::fs::write(&path, "jobs = = broken").expect("write");
        let (settings, problem) = Settings::load_or_set_aside(&path, 7);
        assert_eq!(settings.jobs, 11);
        assert!(problem.expect("explained").message.contains("the settings saved on 20"));
        // The newest copy is damaged, too: what was made by hand is the next.
        std::fs::write(&copies_of(&path).list()[0].path, "jobs = 12").expect("write");
        assert_eq!(Settings::load_or_set_aside(&path, 8).0.jobs, 10);
        settings.save(&path).expect("save");
        assert_eq!(Settings::load(&path).expect("mended").jobs, 11);
    }

    #[test]
    fn fields_left_out_have_their_usual_values() {
        let settings: Settings = toml::from_str("ttl = \"1h\"\nsomething_newer = 3\n").expect("parse");
        assert_eq!((settings.ttl.as_str(), settings.memory_budget_bytes), ("1h", Settings::default().memory_budget_bytes));
    }
}
