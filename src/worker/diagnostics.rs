//! The diagnostics bundle: what helps whoever looks for a fault, in one ZIP file, without secrets.
//!
//! Versions, folders, settings, what the user was told, the newest log lines, past jobs and the cache in figures. Nothing of
//! the bars themselves. Contract: every text goes through [`Redactor`], which knows the passwords that are in use.

use super::service::Service;
use crate::cache::Cache;
use crate::log::recent_lines;
use crate::source::SourceUrl;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Most jobs of the history that are told of.
const JOBS: usize = 200;
/// What stands for what was taken out.
const TAKEN_OUT: &str = "…";
/// Words before a value that is a secret.
const SECRET_KEYS: [&str; 8] = ["password", "passwd", "pwd", "token", "secret", "api_key", "apikey", "authorization"];

/// Takes secrets out of texts, and shortens the user's home to `~`.
#[derive(Debug, Default)]
struct Redactor {
    secrets: Vec<String>,
    home: Option<String>,
}

impl Redactor {
    fn of(service: &Service) -> Self {
        let configuration = service.configuration();
        let kept = configuration.settings.sources.iter().filter_map(|source| {
            let url = SourceUrl::parse(&source.url).ok()?;
            service.context.secrets.get(url.id().as_str())
        });
        let in_use = configuration.source.as_ref().and_then(|url| url.password().map(str::to_owned));
        let of_environment = std::env::var("SAMOVAR_SOURCE_PASSWORD").ok();
        let mut secrets: Vec<String> = kept.chain(in_use).chain(of_environment).filter(|secret| !secret.is_empty()).collect();
        // Longest first, so that one that is part of another leaves nothing of it behind.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let home = directories::UserDirs::new().map(|user| user.home_dir().display().to_string()).filter(|home| home.len() > 1);
        Self { secrets, home }
    }

    fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), TAKEN_OUT);
        }
        if let Some(home) = &self.home {
            text = text.replace(home.as_str(), "~");
        }
        without_values(&without_logins(&text))
    }
}

/// `mysql://user:password@host` without its login: who the user is, is nobody's business either.
fn without_logins(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let end = after.find(|char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '`' | '<' | '>')).unwrap_or(after.len());
        let (url, behind) = after.split_at(end);
        // A password may hold a slash or another @: everything up to the last @ before the query is the login.
        let place = url.split('?').next().unwrap_or(url);
        match place.rfind('@') {
            Some(at) => {
                clean.push_str(TAKEN_OUT);
                clean.push_str(url.get(at..).unwrap_or_default());
            }
            None => clean.push_str(url),
        }
        rest = behind;
    }
    clean.push_str(rest);
    clean
}

/// `password = "…"`, `token: …` and their like without their values.
fn without_values(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let lower = line.to_ascii_lowercase();
        let places = SECRET_KEYS.iter().flat_map(|key| lower.match_indices(key).map(|(at, key)| at + key.len()));
        let found = places.filter(|at| {
            let behind = lower.get(*at..).unwrap_or_default().trim_start_matches(['"', '\'', ' ']);
            behind.starts_with(['=', ':'])
        });
        match found.min() {
            Some(at) => format!("{}{TAKEN_OUT}", line.get(..at).unwrap_or_default()),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes the bundle; returns its bytes.
pub(super) fn save(service: &Service, path: &Path, told: &[String]) -> Result<u64, String> {
    let redactor = Redactor::of(service);
    let fail = |error: &dyn std::fmt::Display| format!("{} cannot be written: {error}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| fail(&error))?;
    let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fail(&error))?;
    write(file.as_file(), &parts(service, told), &redactor).map_err(|error| fail(&error))?;
    file.as_file().sync_all().map_err(|error| fail(&error))?;
    let written = file.persist(path).map_err(|error| fail(&error.error))?;
    written.metadata().map(|facts| facts.len()).map_err(|error| fail(&error))
}

fn write(file: &File, parts: &[(&str, String)], redactor: &Redactor) -> Result<(), zip::result::ZipError> {
    let mut bundle = ZipWriter::new(file);
    for (name, text) in parts {
        bundle.start_file(*name, SimpleFileOptions::default())?;
        bundle.write_all(redactor.clean(text).as_bytes())?;
    }
    bundle.finish().map(|_file| ())
}

/// The files of the bundle, before secrets are taken out.
fn parts(service: &Service, told: &[String]) -> Vec<(&'static str, String)> {
    let settings = service.configuration().settings;
    let settings = toml::to_string_pretty(&settings).unwrap_or_else(|error| error.to_string());
    let (jobs, cache) = match service.cache() {
        Ok(cache) => (jobs(&cache), figures(service, &cache)),
        Err(message) => (Value::Null, json!({ "error": message })),
    };
    vec![
        ("about.txt", about(service)),
        ("settings.toml", settings),
        ("messages.txt", told.join("\n")),
        ("log.txt", recent_lines().join("\n")),
        ("jobs.json", pretty(&jobs)),
        ("cache.json", pretty(&cache)),
    ]
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| error.to_string())
}

fn about(service: &Service) -> String {
    let folders = service.folders();
    let [bars, features] = folders.trees();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let session = std::env::var("XDG_SESSION_TYPE").unwrap_or_default();
    let locale = ["LC_ALL", "LANG"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let source = service.configuration().source.map_or_else(|| "none".to_owned(), |url| format!("{} ({})", url.kind().label(), url.id()));
    format!(
        "Samovar {} ({build})\nSystem: {} {}, {cores} cores, session {session:?}, locale {locale:?}\nSource: {source}\n\
         Settings file: {}\nCache: {}\nBars: {}\nFeatures: {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        service.context.places.settings_file.display(),
        folders.cache_dir.display(),
        bars.display(),
        features.display(),
    )
}

fn jobs(cache: &Cache) -> Value {
    match cache.catalog().jobs() {
        Ok(jobs) => jobs
            .iter()
            .take(JOBS)
            .map(|job| {
                let report: Value = job.report.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
                json!({ "title": job.title, "started_at_us": job.started_at_us, "finished_at_us": job.finished_at_us, "report": report })
            })
            .collect(),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// The cache counted: entries and bytes by dataset and state, of every source.
fn figures(service: &Service, cache: &Cache) -> Value {
    let judge = service.configuration().judge;
    let states = match cache.states(None, &judge) {
        Ok(states) => states,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let mut by_dataset: BTreeMap<String, BTreeMap<String, [u64; 2]>> = BTreeMap::new();
    for (entry, state) in &states {
        let counted = by_dataset.entry(entry.key.dataset.name().to_owned()).or_default().entry(state.to_string()).or_default();
        counted[0] += 1;
        counted[1] += entry.size_bytes();
    }
    let entries: BTreeMap<_, BTreeMap<_, _>> = by_dataset
        .into_iter()
        .map(|(dataset, states)| {
            let counted = states.into_iter().map(|(state, [entries, bytes])| (state, json!({ "entries": entries, "bytes": bytes })));
            (dataset, counted.collect())
        })
        .collect();
    let usage = cache.usage().ok().map(|usage| {
        json!({
            "bars_bytes": usage.bars_bytes,
            "features_bytes": usage.features_bytes,
            "memory_bytes": usage.memory_bytes,
            "memory_budget_bytes": usage.memory_budget_bytes,
            "trash_bytes": usage.trash_bytes,
            "free_disk_bytes": usage.free_disk_bytes,
        })
    });
    json!({ "usage": usage, "entries": entries })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_values_and_known_secrets_are_taken_out() {
        let redactor = Redactor { secrets: vec!["kettle".to_owned()], home: Some("/home/anna".to_owned()) };
        for (text, clean) in [
            (
                "mysql://anna:pa/ss@w@db.example.com:3306/market?table=bars and more",
                "mysql://…@db.example.com:3306/market?table=bars and more",
            ),
            ("url = \"postgres://anna@db/market\"", "url = \"postgres://…@db/market\""),
            ("see https://example.com/a", "see https://example.com/a"),
            ("the kettle is on", "the … is on"),
            ("token: abc def", "token…"),
            ("a\nPassword = \"abc\"\nb", "a\nPassword…\nb"),
            ("no password was given", "no password was given"),
            ("the password is wrong, password=abc", "the password is wrong, password…"),
            ("/home/anna/market.sqlite", "~/market.sqlite"),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
    }
}
