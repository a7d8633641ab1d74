//! What every command starts from: settings with the options laid over them, the source, and the cache.

use super::arguments::GlobalOptions;
use super::console::Console;
use super::failure::usage;
use crate::cache::{Cache, CacheOptions, Folders, FreshnessRules, Judge, SystemFiles, TimeToLive, VersionFacts};
use crate::config::{Places, Secrets, SetAside, Settings};
use crate::feature::{DefinitionHash, FeatureSet, SetLibrary};
use crate::market::{Symbol, SystemClock};
use crate::source::{SourceId, SourceOptions, SourceUrl};
use crate::worker::{Overrides, WorkerContext, limits, load_library};
use anyhow::{Context, anyhow};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The environment variable for a source's password.
const PASSWORD_VARIABLE: &str = "SAMOVAR_SOURCE_PASSWORD";

/// What the window is opened with.
#[derive(Debug)]
pub struct WindowStart {
    /// Settings, folders and overrides.
    pub context: WorkerContext,
    /// What was wrong with the arguments, to be told in the window.
    pub problems: Vec<String>,
    /// The settings file that could not be read, and what became of it.
    pub set_aside: Option<SetAside>,
}

impl WindowStart {
    /// Never fails: what cannot be used is left out and told.
    pub(super) fn new(global: &GlobalOptions) -> Self {
        let places = places(global);
        let (settings, set_aside) = Settings::load_or_set_aside(&places.settings_file, chrono::Utc::now().timestamp_micros());
        let mut problems = Vec::new();
        // The source of the settings can be changed in the window; one of the command line stands.
        let source =
            global.source.as_deref().and_then(|text| source_of_argument(text).map_err(|error| problems.push(format!("{error:#}"))).ok());
        let mut context = context(&settings, &places, global, source);
        context.snapshots = true;
        Self { context, problems, set_aside }
    }

    /// What tells this window from others: one with other settings, another cache or another source is another window.
    #[must_use]
    pub fn identity(&self) -> String {
        let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_error| path.to_path_buf());
        let source = self.context.source.as_ref().map(|url| url.id().to_string()).unwrap_or_default();
        let cache_dir = self.context.cache_dir.as_deref().map(whole).unwrap_or_default();
        format!("{}|{}|{source}", whole(&self.context.places.settings_file).display(), cache_dir.display())
    }
}

/// Whether a window can be opened here.
pub(super) fn has_display() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(all(unix, not(target_os = "macos"))) { is_set("WAYLAND_DISPLAY") || is_set("DISPLAY") } else { true }
}

/// The folders of this user, with the settings file that was named.
pub(super) fn places(global: &GlobalOptions) -> Places {
    let places = Places::of_user();
    Places { settings_file: global.config.clone().unwrap_or(places.settings_file), ..places }
}

fn override_settings(settings: &mut Settings, global: &GlobalOptions) {
    if let Some(ttl) = global.ttl {
        settings.ttl = ttl.to_string();
    }
    if let Some(folder) = &global.bars_cache_dir {
        settings.bars_cache_dir = Some(folder.clone());
    }
    if let Some(folder) = &global.features_cache_dir {
        settings.features_cache_dir = Some(folder.clone());
    }
}

/// The source of `--source`, else of the settings, with the password of the environment where it has none.
fn chosen_source(settings: &Settings, global: &GlobalOptions) -> anyhow::Result<Option<SourceUrl>> {
    let url = match (&global.source, settings.source_url()) {
        (Some(text), _) => parse_source(text)?,
        (None, Some(text)) => {
            SourceUrl::parse(text).context("the source in the settings cannot be used; correct it there, or name one with --source")?
        }
        (None, None) => match &settings.source {
            Some(name) => {
                return Err(anyhow!(
                    "the settings use the source {name}, but list none of this name; correct them, or name one with --source"
                ));
            }
            None => return Ok(None),
        },
    };
    Ok(Some(with_password_of_environment(url)))
}

/// A source URL given as an argument, with the password of the environment where it has none.
pub(super) fn source_of_argument(text: &str) -> anyhow::Result<SourceUrl> {
    parse_source(text).map(with_password_of_environment)
}

fn parse_source(text: &str) -> anyhow::Result<SourceUrl> {
    SourceUrl::parse(text).map_err(|error| usage(error.to_string()))
}

fn with_password_of_environment(url: SourceUrl) -> SourceUrl {
    if url.password().is_some() || !url.kind().is_server() {
        return url;
    }
    url.with_password(std::env::var(PASSWORD_VARIABLE).ok())
}

fn context(settings: &Settings, places: &Places, global: &GlobalOptions, source: Option<SourceUrl>) -> WorkerContext {
    WorkerContext {
        settings: settings.clone(),
        secrets: Secrets::beside(&places.settings_file),
        places: places.clone(),
        cache_dir: global.cache_dir.clone(),
        overrides: Overrides {
            ttl: global.ttl,
            bars_cache_dir: global.bars_cache_dir.clone(),
            features_cache_dir: global.features_cache_dir.clone(),
        },
        source,
        clock: Arc::new(SystemClock),
        files: Arc::new(SystemFiles),
        snapshots: false,
    }
}

/// Settings, source and folders of one run of a command.
#[derive(Debug)]
pub(super) struct Session<'console> {
    pub console: &'console Console,
    pub context: WorkerContext,
    /// Who says what is fresh.
    pub judge: Arc<Judge>,
    /// Every feature set there is.
    pub library: Arc<SetLibrary>,
    /// Whether the source was named by `--source`.
    source_is_told: bool,
}

impl<'console> Session<'console> {
    /// Reads the settings and lays the options over them.
    pub(super) fn open(console: &'console Console, global: &GlobalOptions) -> anyhow::Result<Self> {
        let places = places(global);
        let mut settings = Settings::load(&places.settings_file)?;
        override_settings(&mut settings, global);
        let ttl = TimeToLive::parse(&settings.ttl)
            .with_context(|| format!("the time to live in {} cannot be used", places.settings_file.display()))?;
        let source = chosen_source(&settings, global)?;
        let context = context(&settings, &places, global, source);
        let (mut rules, problems) = FreshnessRules::of_settings(ttl, &settings);
        for problem in problems {
            console.warn(&format!("{problem}; correct it in {}", places.settings_file.display()));
        }
        if let Some(ttl) = global.ttl {
            rules = rules.with_ttl(ttl);
        }
        let library = Arc::new(load_library(&context.places, None));
        for problem in library.problems() {
            console.warn(&format!("a feature set's file cannot be used: {problem}"));
        }
        let judge = Arc::new(Judge::new(rules, library.definitions()));
        Ok(Self { console, context, judge, library, source_is_told: global.source.is_some() })
    }

    /// The same with another source.
    pub(super) fn with_source(&self, url: SourceUrl) -> Self {
        let context = WorkerContext { source: Some(url), ..self.context.clone() };
        let (judge, library) = (Arc::clone(&self.judge), Arc::clone(&self.library));
        Self { console: self.console, context, judge, library, source_is_told: true }
    }

    /// The source in use, if there is one.
    pub(super) fn source(&self) -> Option<&SourceUrl> {
        self.context.source.as_ref()
    }

    /// The source in use.
    pub(super) fn need_source(&self) -> anyhow::Result<&SourceUrl> {
        self.source().ok_or_else(|| {
            anyhow!("no source is configured; name one with --source, such as `--source mysql://user@host/database`, or `--source sample:` for the built-in sample market")
        })
    }

    /// The source in use with its password, asking the keyring where the URL has none.
    pub(super) fn source_with_password(&self) -> anyhow::Result<SourceUrl> {
        let url = self.need_source()?.clone();
        if url.password().is_some() || !url.kind().is_server() {
            return Ok(url);
        }
        let password = self.context.secrets.get(url.id().as_str());
        Ok(url.with_password(password))
    }

    /// The identity of the source named by `--source`, if one was.
    pub(super) fn told_source(&self) -> Option<SourceId> {
        if self.source_is_told { self.source().map(SourceUrl::id) } else { None }
    }

    pub(super) fn source_options(&self) -> SourceOptions {
        SourceOptions::new(&self.context.places.data_dir)
    }

    /// The cache folder.
    pub(super) fn cache_dir(&self) -> PathBuf {
        let dir = self.context.cache_dir.as_ref().or(self.context.settings.cache_dir.as_ref()).unwrap_or(&self.context.places.cache_dir);
        std::path::absolute(dir).unwrap_or_else(|_error| dir.clone())
    }

    /// Opens the cache.
    pub(super) fn open_cache(&self) -> anyhow::Result<Cache> {
        let settings = &self.context.settings;
        let folders = Folders::new(self.cache_dir()).with_trees(settings.bars_cache_dir.clone(), settings.features_cache_dir.clone());
        let options = CacheOptions {
            log_lookups: settings.log_lookups,
            limits: limits(settings),
            ..CacheOptions::new(folders, settings.memory_budget_bytes, Arc::clone(&self.context.clock))
        };
        let (cache, recovery) = Cache::open(options)?;
        if let Some(told) = recovery.of_catalog() {
            self.console.warn(&told);
        } else if !recovery.interrupted_jobs.is_empty() {
            self.console.note(&format!(
                "note: a job was interrupted last time ({}); everything it had finished is safe",
                recovery.interrupted_jobs.join(", ")
            ));
        } else if recovery.adopted > 0 {
            self.console.note(&format!("note: {} cached files were found without a catalog and taken in", recovery.adopted));
        }
        Ok(cache)
    }

    /// The cache, if there is one: what only tells of it makes none.
    pub(super) fn cache_if_any(&self) -> anyhow::Result<Option<Cache>> {
        if Folders::new(self.cache_dir()).catalog().exists() { self.open_cache().map(Some) } else { Ok(None) }
    }

    /// The version of a set whose definition begins with these digits, among those that are known.
    pub(super) fn version_named(&self, known: &[VersionFacts], set: &str, digits: &str) -> anyhow::Result<DefinitionHash> {
        let is_hash = digits.len() >= 4 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash {
            return Err(usage(format!(
                "{set}@{digits} names no version: write at least four of the 16 digits that `samovar sets show {set} --versions` shows"
            )));
        }
        let of_set = known.iter().map(|facts| &facts.record.version).filter(|version| *version.set == *set);
        let now = self.library.get(set).map(FeatureSet::definition_hash);
        let mut found: Vec<DefinitionHash> = of_set.map(|version| version.definition).chain(now).collect();
        found.retain(|definition| definition.full().starts_with(digits));
        found.sort();
        found.dedup();
        match found.as_slice() {
            [only] => Ok(*only),
            [] => Err(anyhow!("there is no version {digits} of {set}; `samovar sets show {set} --versions` lists them")),
            _ => Err(anyhow!("several versions of {set} begin with {digits}; write more digits")),
        }
    }

    /// From which source a symbol's cached copy is meant; `None` when it is not cached.
    ///
    /// The one named by `--source`; else the configured one, if the symbol was cached from it; else the only one.
    pub(super) fn source_of(&self, cache: &Cache, symbol: &Symbol) -> anyhow::Result<Option<SourceId>> {
        if let Some(told) = self.told_source() {
            return Ok(Some(told));
        }
        let cached = cache.catalog().sources_of(symbol)?;
        let configured = self.source().map(SourceUrl::id).filter(|id| cached.contains(id));
        match (configured, cached.as_slice()) {
            (Some(configured), _) => Ok(Some(configured)),
            (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, several) => Err(ambiguous(symbol, several)),
        }
    }

    /// A session whose source is the one of this identity: the one in use, or one the cache remembers.
    pub(super) fn for_source(&self, cache: &Cache, id: &SourceId) -> anyhow::Result<Self> {
        if let Some(url) = self.source().filter(|url| url.id() == *id) {
            return Ok(self.with_source(url.clone()));
        }
        let known = self.context.settings.sources.iter().map(|source| source.url.clone());
        known
            .chain(cache.catalog().source_url(id)?)
            .chain((id.as_str() == "sample").then(|| "sample:".to_owned()))
            .filter_map(|text| SourceUrl::parse(&text).ok())
            .find(|url| url.id() == *id)
            .map(|url| self.with_source(url))
            .ok_or_else(|| anyhow!("it is not known where the source {id} is; name it with --source"))
    }
}

/// The explained error for a symbol that was cached from several sources.
pub(super) fn ambiguous(symbol: &Symbol, sources: &[SourceId]) -> anyhow::Error {
    let names: BTreeSet<&str> = sources.iter().map(SourceId::as_str).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    anyhow!("{symbol} was cached from several sources ({names}); say which one with --source URL")
}

/// A path for people and scripts: always whole.
pub(super) fn shown(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_error| path.to_path_buf()).display().to_string()
}
