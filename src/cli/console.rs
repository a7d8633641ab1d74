//! Where words go: results to stdout, everything else to stderr. A closed stdout is an error the caller sees.

use super::arguments::GlobalOptions;
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, Stdout, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The terminal, or what stands in for one.
#[derive(Debug)]
pub(super) struct Console {
    out: Mutex<BufWriter<Stdout>>,
    json: bool,
    quiet: bool,
}

/// Writes a line to stderr; when even that fails there is nobody left to tell.
pub(super) fn complain(text: &str) {
    if let Err(error) = writeln!(std::io::stderr(), "{text}") {
        tracing::debug!(%error, "stderr is closed");
    }
}

impl Console {
    pub(super) fn new(global: &GlobalOptions) -> Self {
        Self { out: Mutex::new(BufWriter::with_capacity(1 << 16, std::io::stdout())), json: global.json, quiet: global.quiet }
    }

    /// Whether results are to be JSON.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether only errors are wanted on stderr.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a person looks at stdout.
    pub(super) fn is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// stdout, buffered.
    pub(super) fn out(&self) -> MutexGuard<'_, BufWriter<Stdout>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints text as it is.
    pub(super) fn print(&self, text: &str) -> anyhow::Result<()> {
        Ok(self.out().write_all(text.as_bytes())?)
    }

    /// Prints the one JSON document.
    pub(super) fn json(&self, document: &impl Serialize) -> anyhow::Result<()> {
        let mut out = self.out();
        serde_json::to_writer_pretty(&mut *out, document)?;
        Ok(out.write_all(b"\n")?)
    }

    pub(super) fn flush(&self) -> anyhow::Result<()> {
        Ok(self.out().flush()?)
    }

    /// Something worth knowing, on stderr.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }

    /// Something that needs attention, on stderr.
    pub(super) fn warn(&self, text: &str) {
        complain(&format!("warning: {text}"));
    }
}

/// `one symbol`, `5,214 symbols`.
pub(super) fn counted(count: usize, singular: &str, plural: &str) -> String {
    crate::format::counted(count as u64, singular, plural)
}

/// The first twenty of a list, and how many more there are.
pub(super) fn first_of<T>(items: &[T], mut line: impl FnMut(&T) -> String) -> String {
    const SHOWN: usize = 20;
    let mut text: String = items.iter().take(SHOWN).map(|item| line(item) + "\n").collect();
    if items.len() > SHOWN {
        text.push_str(&format!("  and {} more\n", items.len() - SHOWN));
    }
    text
}
