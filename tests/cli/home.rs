//! A user's home in a temporary folder, and the real program run in it.

use super::market;
use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A home of its own for a test: cache, settings, sample data, and a SQLite market where one was made.
pub struct Home {
    pub folder: TempDir,
}

/// What a run of the program left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub bytes: Vec<u8>,
    pub err: String,
}

impl Ran {
    /// stdout as the one JSON document it must be.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON document ({error}): {self:?}"))
    }

    /// Fails the test unless the program ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Fails the test unless stderr says all of this.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not said: {self:#?}");
        }
        self
    }
}

impl Home {
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("folder") }
    }

    /// A home with a SQLite market.
    pub fn with_market(symbols: &[&str], bars: usize) -> Self {
        let home = Self::new();
        market::make(&home.market(), symbols, bars);
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn market(&self) -> PathBuf {
        self.path("market.db")
    }

    pub fn source(&self) -> String {
        format!("sqlite:{}", self.market().display())
    }

    /// The program, ready to run in this home.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_samovar"));
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "RUST_LOG", "SAMOVAR_SOURCE_PASSWORD", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        let folder = self.folder.path();
        command
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_CACHE_HOME", folder.join("caches"))
            .env("SAMOVAR_CACHE_DIR", self.cache())
            .env("SAMOVAR_CONFIG", folder.join("settings.toml"))
            .current_dir(folder)
            .args(arguments);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::from_std(self.command(arguments)).timeout(Duration::from_secs(180)).output().expect("the program runs");
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            bytes: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the program with the market as its source.
    pub fn run_on_market(&self, arguments: &[&str]) -> Ran {
        let source = self.source();
        self.run(&[&["--source", source.as_str()], arguments].concat())
    }

    /// Preheats the market, which must go well; returns the report.
    #[track_caller]
    pub fn preheat(&self, arguments: &[&str]) -> Value {
        self.run_on_market(&[&["preheat", "--json"], arguments].concat()).ended(0).json()
    }

    /// What `status --json` says.
    #[track_caller]
    pub fn status(&self, arguments: &[&str]) -> Value {
        self.run(&[&["status", "--json"], arguments].concat()).ended(0).json()
    }

    pub fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// Every Parquet file in a tree of the cache, sorted.
    pub fn files(&self, tree: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.cache().join(tree), &mut found);
        found.retain(|path| path.extension().is_some_and(|ending| ending == "parquet"));
        found.sort();
        found
    }

    /// The cached file of a symbol in a tree.
    #[track_caller]
    pub fn file(&self, tree: &str, stem: &str) -> PathBuf {
        let name = format!("{stem}.parquet");
        let found = self.files(tree).into_iter().find(|path| path.file_name().is_some_and(|file| file == name.as_str()));
        found.unwrap_or_else(|| panic!("no {name} in {tree}"))
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(listing) = std::fs::read_dir(folder) else { return };
    for item in listing.flatten() {
        let path = item.path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// A number out of a document by its path: `number(&json, "/symbols/ok")`.
#[track_caller]
pub fn number(json: &Value, pointer: &str) -> u64 {
    json.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number at {pointer}: {json:#}"))
}
