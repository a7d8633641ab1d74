//! What the program logs: to standard error as the command line asks, and the newest lines in memory for the diagnostics.
//!
//! Secrets never get here (types that hold them do not print them); what leaves the machine is cleaned once more all the same.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// How many lines are kept in memory.
const KEPT: usize = 2_000;

static NEWEST: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// The newest lines, oldest first.
#[must_use]
pub fn recent_lines() -> Vec<String> {
    NEWEST.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

/// Begins to log; once per process.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (verbose, quiet) {
        (0, true) => "error",
        // A slow query of a busy server is nothing to warn of.
        (0, false) => "warn,sqlx=error",
        (1, _) => "warn,samovar=info",
        (2, _) => "info,samovar=debug",
        _ => "debug,samovar=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_not_set| EnvFilter::new(level));
    let told =
        fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_target(verbose > 0).with_filter(filter);
    let kept = fmt::layer().with_writer(Newest).with_ansi(false).with_filter(EnvFilter::new("warn,samovar=debug"));
    tracing_subscriber::registry().with(told).with(kept).init();
}

/// Keeps what is written to it, line by line.
#[derive(Debug, Clone, Copy)]
struct Newest;

impl Write for Newest {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        newest.extend(text.lines().map(str::to_owned));
        let over = newest.len().saturating_sub(KEPT);
        newest.drain(..over);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Newest {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_lines_are_kept() {
        for number in 0..KEPT + 10 {
            // As the subscriber does it: a line at a time.
            Newest.write_all(format!("line {number}\n").as_bytes()).expect("written");
        }
        let lines = recent_lines();
        assert_eq!(lines.len(), KEPT);
        assert_eq!(lines.last().map(String::as_str), Some(format!("line {}", KEPT + 9).as_str()));
    }
}
