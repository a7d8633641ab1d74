//! The real program in a folder of its own: run to its end, or ended.

use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program; another build of it for a run that outlives this one.
fn program() -> std::ffi::OsString {
    std::env::var_os("SAMOVAR_FAULT_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_samovar").into())
}

/// No command of these tests takes so long, on whatever machine.
const HANGS_AFTER: Duration = Duration::from_secs(180);

/// A home of its own: cache, settings, whatever a test puts there.
pub struct Place {
    pub folder: TempDir,
    pub cache: PathBuf,
    next: AtomicUsize,
}

/// How a process is ended.
#[derive(Debug, Clone)]
pub enum Kill {
    /// At a named point, passed for so many times.
    At(&'static str, u32),
    /// So long after it began.
    After(Duration),
}

/// What a process left behind.
#[derive(Debug)]
#[allow(dead_code, reason = "shown when a test fails")]
pub struct Ended {
    /// What was run.
    pub line: String,
    /// How it ended; `None` when it was ended.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Ended {
    pub fn was_killed(&self) -> bool {
        self.code.is_none()
    }

    /// stdout as the one JSON document it must be.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON document ({error}): {self:#?}"))
    }
}

/// A number out of a document.
pub fn number(json: &Value, pointer: &str) -> u64 {
    json.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number at {pointer}: {json:#}"))
}

/// A process that runs, ended when it is dropped.
pub struct Running {
    child: Child,
    line: String,
    out: PathBuf,
    err: PathBuf,
    began: Instant,
}

impl Running {
    /// What it has said on stderr so far.
    pub fn err(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap_or_default()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("child").is_some()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        // It may have ended by itself meanwhile.
        drop(self.child.kill());
    }

    /// Waits until it has said something on stderr.
    pub fn until_it_says(&mut self, words: &str) {
        let began = Instant::now();
        while !self.err().contains(words) {
            let ended = self.has_ended();
            assert!(!ended || self.err().contains(words), "it ended without saying `{words}`: {}", self.err());
            assert!(began.elapsed() < HANGS_AFTER, "it never said `{words}`: {}", self.err());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("child") {
                break status;
            }
            if self.began.elapsed() > HANGS_AFTER {
                self.kill();
                panic!("`{}` hangs; it said: {}", self.line, self.err());
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).expect("output")).into_owned();
        let (out, err) = (text(&self.out), text(&self.err));
        drop((std::fs::remove_file(&self.out), std::fs::remove_file(&self.err)));
        Ended { line: self.line.clone(), code: status.code(), out, err, took: self.began.elapsed() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.kill();
            drop(self.child.wait());
        }
    }
}

impl Place {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("folder");
        let cache = folder.path().join("cache");
        Self { folder, cache, next: AtomicUsize::new(0) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, ready to run here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "RUST_LOG", "SAMOVAR_SOURCE_PASSWORD", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        let folder = self.folder.path();
        command
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_CACHE_HOME", folder.join("caches"))
            .env("SAMOVAR_CACHE_DIR", &self.cache)
            .env("SAMOVAR_CONFIG", folder.join("settings.toml"))
            .current_dir(folder)
            .args(arguments);
        command
    }

    /// Starts a command.
    pub fn start(&self, mut command: Command) -> Running {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (out, err) = (self.path(&format!("out-{number}")), self.path(&format!("err-{number}")));
        command.stdin(Stdio::null()).stdout(File::create(&out).expect("file")).stderr(File::create(&err).expect("file"));
        let line = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        let began = Instant::now();
        Running { child: command.spawn().expect("the program runs"), line, out, err, began }
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(self.command(arguments)).wait()
    }

    /// Runs a command and ends it, unless it comes to its end before.
    pub fn run_to(&self, mut command: Command, kill: &Kill) -> Ended {
        match kill {
            Kill::At(point, pass) => {
                command.env("SAMOVAR_KILL_AT", format!("{point}:{pass}"));
                self.start(command).wait()
            }
            Kill::After(time) => {
                let mut running = self.start(command);
                while running.began.elapsed() < *time && !running.has_ended() {
                    std::thread::sleep(Duration::from_micros(500).min(*time));
                }
                running.kill();
                running.wait()
            }
        }
    }
}
