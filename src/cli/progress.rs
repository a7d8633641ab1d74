//! Progress on stderr: a bar on a terminal, a few plain lines elsewhere, nothing with `--quiet`.

use super::console::{Console, complain, counted};
use crate::format;
use crate::preheat::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of one job.
pub(super) struct ProgressView {
    quiet: bool,
    terminal: bool,
    bar: Option<ProgressBar>,
    last_line: Instant,
    /// What was said of the wait that is under way.
    told_waiting: Option<String>,
}

impl ProgressView {
    pub(super) fn new(console: &Console) -> Self {
        Self {
            quiet: console.is_quiet(),
            terminal: std::io::stderr().is_terminal(),
            bar: None,
            last_line: Instant::now(),
            told_waiting: None,
        }
    }

    /// A preheat begins to work on symbols.
    pub(super) fn begin(&mut self, symbols: usize, skipped_fresh: usize) {
        if symbols == 0 || self.quiet {
            return;
        }
        self.last_line = Instant::now();
        if self.terminal {
            self.bar = Some(bar(symbols, "{bar:32} {pos}/{len} symbols  {msg}"));
        } else {
            let fresh = if skipped_fresh > 0 { format!(" ({skipped_fresh} more are fresh already)") } else { String::new() };
            complain(&format!("preheating {}{fresh}", counted(symbols, "symbol", "symbols")));
        }
    }

    /// A preheat came further, or waits for something.
    pub(super) fn show(&mut self, progress: &Progress) {
        if let Some(waiting) = &progress.waiting
            && self.told_waiting.as_ref() != Some(&waiting.reason)
        {
            // Once per reason, not per attempt.
            self.warn(&format!("waiting: {}", waiting.reason));
            self.told_waiting = Some(waiting.reason.clone());
        } else if progress.waiting.is_none() && self.told_waiting.take().is_some() {
            self.note("going on");
        }
        let mut facts = vec![format::rows_per_second(progress.rows_per_sec())];
        if let Some(secs_left) = progress.secs_left().filter(|_| progress.symbols_done < progress.symbols_total) {
            facts.push(format!("{} left", format::duration(secs_left)));
        }
        if progress.failed > 0 {
            facts.push(format!("{} failed", progress.failed));
        }
        let facts = facts.join(", ");
        if let Some(bar) = &self.bar {
            bar.set_message(facts);
            bar.set_position(progress.symbols_done as u64);
        } else if !self.quiet && !self.terminal && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            complain(&format!("{} of {} symbols, {facts}", progress.symbols_done, progress.symbols_total));
        }
    }

    /// A check of files came further.
    pub(super) fn files(&mut self, done: usize, total: usize) {
        if self.quiet || !self.terminal {
            return;
        }
        self.bar.get_or_insert_with(|| bar(total, "{bar:32} {pos}/{len} files")).set_position(done as u64);
    }

    /// Something of several measures came further.
    pub(super) fn measures(&mut self, done: usize, total: usize, what: &str) {
        if self.quiet || !self.terminal {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| bar(total, "{bar:32} {pos}/{len}  {msg}"));
        bar.set_message(what.to_owned());
        bar.set_position(done as u64);
    }

    /// A line between, without tearing the bar.
    pub(super) fn warn(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| complain(text)),
            None => complain(text),
        }
    }

    /// As [`warn`](Self::warn), unless only errors are wanted.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(length: usize, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_error| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}
