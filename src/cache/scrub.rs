//! The scrub: a slow pass over every cached file that reads it whole and compares it with its checksum, so that damage is found
//! before somebody needs the file.
//!
//! It is done in small steps, called by whoever has time; how far a pass has come is kept in the catalog and outlives a restart.
//! Contract: what is damaged is in quarantine when a step returns, and named, so that it can be fetched or computed again.

use super::Cache;
use super::catalog::OpenPass;
use super::entry::{Entry, EntryKey};
use super::error::CacheError;
use super::store::Examined;
use crate::market::DAY_US;
use serde::Serialize;
use std::time::Duration;

/// How long after the end of a pass the next one begins.
pub const SCRUB_INTERVAL_US: i64 = 7 * DAY_US;
/// How fast files are read at most, in bytes per second; a disk hardly notices.
pub const SCRUB_BYTES_PER_SECOND: u64 = 20_000_000;

/// Most entries asked of the catalog at once.
const ENTRIES_AT_ONCE: usize = 64;

/// How long to wait after reading so many bytes, so that no more than [`SCRUB_BYTES_PER_SECOND`] are read.
#[must_use]
pub fn scrub_pause(size_bytes: u64) -> Duration {
    Duration::from_secs_f64(size_bytes as f64 / SCRUB_BYTES_PER_SECOND as f64)
}

/// What was read and found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ScrubCounts {
    /// Files looked at.
    pub files: u64,
    /// Bytes read.
    pub size_bytes: u64,
    /// Files that failed their checksum, now in quarantine.
    pub damaged: u64,
    /// Files that were gone.
    pub missing: u64,
}

/// One pass over everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ScrubPass {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub started_us: i64,
    /// When it ended; `None` while it is under way.
    pub finished_us: Option<i64>,
    /// What it read and found so far.
    pub counts: ScrubCounts,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScrubProgress {
    /// What this step read and found.
    pub counts: ScrubCounts,
    /// Entries whose file failed its checksum and is in quarantine now; to be fetched or computed again.
    pub damaged: Vec<EntryKey>,
    /// Entries whose file was gone; to be fetched or computed again.
    pub missing: Vec<EntryKey>,
    /// Entries whose file could not be read, and what the system said; they are left as they are.
    pub unreadable: Vec<(EntryKey, String)>,
    /// When there is something to do again; `None` while the pass goes on.
    pub next_due_us: Option<i64>,
}

impl Cache {
    /// Goes on with the pass under way, or begins one when it is due: reads files whole until `max_bytes` are read, at least
    /// one. Does nothing while no pass is due.
    ///
    /// # Errors
    /// When the catalog cannot be read or written, or a damaged file cannot be moved to quarantine.
    pub fn scrub_step(&self, max_bytes: u64) -> Result<ScrubProgress, CacheError> {
        let now_us = self.now_us();
        if self.catalog.open_scrub()?.is_none() {
            let last = self.catalog.finished_scrub()?.and_then(|pass| pass.finished_us);
            // A pass that ended in the future was timed by a clock that was wrong.
            let due_us = last.filter(|finished_us| *finished_us <= now_us).map(|finished_us| finished_us.saturating_add(SCRUB_INTERVAL_US));
            if let Some(due_us) = due_us.filter(|due_us| now_us < *due_us) {
                return Ok(ScrubProgress { next_due_us: Some(due_us), ..ScrubProgress::default() });
            }
            self.catalog.begin_scrub(now_us)?;
        }
        match self.catalog.open_scrub()? {
            Some(open) => self.scrub_on(&open, max_bytes),
            None => Ok(ScrubProgress::default()),
        }
    }

    fn scrub_on(&self, open: &OpenPass, max_bytes: u64) -> Result<ScrubProgress, CacheError> {
        let mut progress = ScrubProgress::default();
        let entries = self.catalog.entries_after(&open.1, ENTRIES_AT_ONCE)?;
        let mut done: Option<&EntryKey> = None;
        for entry in &entries {
            if done.is_some() && progress.counts.size_bytes.saturating_add(entry.size_bytes()) > max_bytes {
                break;
            }
            self.scrub_entry(entry, &mut progress)?;
            done = Some(&entry.key);
        }
        let now_us = self.now_us();
        if done.is_none() {
            progress.next_due_us = Some(now_us.saturating_add(SCRUB_INTERVAL_US));
        }
        self.catalog.advance_scrub(open, done, progress.counts, now_us)?;
        Ok(progress)
    }

    fn scrub_entry(&self, entry: &Entry, progress: &mut ScrubProgress) -> Result<(), CacheError> {
        progress.counts.files += 1;
        progress.counts.size_bytes += entry.size_bytes();
        let examined = match self.examine(entry) {
            Ok(examined) => examined,
            Err(error) => {
                tracing::warn!(%error, "a cached file cannot be read");
                progress.unreadable.push((entry.key.clone(), error.to_string()));
                return Ok(());
            }
        };
        let changed = || self.catalog.entry(&entry.key).map(|now| now.is_none_or(|now| now.file != entry.file));
        match examined {
            Examined::Sound { .. } => {}
            Examined::Newer(found) => {
                // Only while the catalog has what was compared: its writer may have committed it since, and more.
                self.catalog.adopt(vec![(found.0, entry.file.as_ref().map(|file| file.checksum))])?;
            }
            // Replaced, cleared or evicted since the row was read: whoever did that has taken care of the file.
            Examined::Damaged(_) | Examined::Gone if changed()? => {}
            Examined::Damaged(reason) => {
                self.quarantine(entry, &reason)?;
                progress.counts.damaged += 1;
                progress.damaged.extend(entry.restorable());
            }
            Examined::Gone => {
                self.forget_lost(std::slice::from_ref(entry))?;
                self.memory.invalidate(&entry.key);
                progress.counts.missing += 1;
                progress.missing.extend(entry.restorable());
            }
        }
        Ok(())
    }

    /// The newest finished pass and the one under way, if there are any.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn last_scrub(&self) -> Result<(Option<ScrubPass>, Option<ScrubPass>), CacheError> {
        Ok((self.catalog.finished_scrub()?, self.catalog.open_scrub()?.map(|(pass, _place)| pass)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::test_cache::{NOW, TestCache, bars_of, features_of};

    /// Steps until the pass is over; returns the steps.
    fn pass(test: &TestCache, max_bytes: u64) -> Vec<ScrubProgress> {
        let mut steps = Vec::new();
        while steps.last().is_none_or(|step: &ScrubProgress| step.next_due_us.is_none()) {
            steps.push(test.cache.scrub_step(max_bytes).expect("a step"));
        }
        steps
    }

    fn with_symbols(count: usize) -> TestCache {
        let test = TestCache::new();
        for number in 0..count {
            test.put_bars(&format!("S{number:03}"), 50, 1.0, 0);
        }
        test
    }

    #[test]
    fn a_pass_reads_every_file_once_in_steps_of_the_size_that_was_asked_for() {
        let test = with_symbols(150);
        test.put_features("S000", 50, 1.0, 0);
        let (bars_bytes, features_bytes) = test.cache.catalog().bytes().expect("bytes");
        let largest = test.cache.catalog().entries(None).expect("entries").iter().map(Entry::size_bytes).max().expect("entries");
        let steps = pass(&test, 10 * largest);
        assert!(steps.iter().all(|step| step.counts.size_bytes <= 10 * largest) && steps.len() > 10);
        let (finished, open) = test.cache.last_scrub().expect("passes");
        let counts = finished.expect("finished").counts;
        assert_eq!(counts, ScrubCounts { files: 151, size_bytes: bars_bytes + features_bytes, damaged: 0, missing: 0 });
        assert_eq!(open, None);
    }

    #[test]
    fn a_step_reads_at_least_one_file() {
        let test = with_symbols(3);
        assert_eq!(pass(&test, 0).iter().map(|step| step.counts.files).collect::<Vec<_>>(), [1, 1, 1, 0]);
    }

    #[test]
    fn damaged_and_lost_files_are_named_and_not_served_again() {
        let test = with_symbols(5);
        test.put_features("S001", 50, 1.0, 0);
        test.read(&bars_of("S003")).expect("now in memory");
        let path = test.file_of(&features_of("S001"));
        let mut bytes = std::fs::read(&path).expect("file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("one bit flipped");
        std::fs::remove_file(test.file_of(&bars_of("S003"))).expect("lost");
        let steps = pass(&test, u64::MAX);
        assert_eq!(steps[0].damaged, [features_of("S001")]);
        assert_eq!(steps[0].missing, [bars_of("S003")]);
        assert!(!path.exists());
        test.read(&features_of("S001")).expect_err("in quarantine");
        test.read(&bars_of("S003")).expect_err("gone");
        test.read(&bars_of("S004")).expect("sound");
        let counts = test.cache.last_scrub().expect("passes").0.expect("finished").counts;
        assert_eq!((counts.files, counts.damaged, counts.missing), (6, 1, 1));
    }

    #[test]
    fn a_pass_goes_on_where_it_was_after_a_restart_and_in_another_process() {
        let test = with_symbols(4);
        test.cache.scrub_step(0).expect("a step");
        let other = test.another();
        other.scrub_step(0).expect("a step elsewhere");
        let open = test.cache.last_scrub().expect("passes").1.expect("under way");
        assert_eq!((open.started_us, open.counts.files), (NOW, 2));
        assert_eq!(pass(&test, 0).len(), 3);
        assert_eq!(other.last_scrub().expect("passes").0.expect("finished").counts.files, 4);
    }

    #[test]
    fn the_next_pass_is_due_after_a_week() {
        let test = with_symbols(1);
        pass(&test, u64::MAX);
        let idle = test.cache.scrub_step(u64::MAX).expect("idle");
        assert_eq!(idle, ScrubProgress { next_due_us: Some(NOW + SCRUB_INTERVAL_US), ..ScrubProgress::default() });
        test.clock.advance(SCRUB_INTERVAL_US - 1);
        assert_eq!(test.cache.scrub_step(u64::MAX).expect("idle").counts.files, 0);
        test.clock.advance(1);
        assert_eq!(test.cache.scrub_step(u64::MAX).expect("due").counts.files, 1);
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_put_the_next_pass_off() {
        let test = with_symbols(1);
        test.clock.advance(1_000 * DAY_US);
        pass(&test, u64::MAX);
        test.clock.advance(-1_000 * DAY_US);
        assert_eq!(test.cache.scrub_step(u64::MAX).expect("due").counts.files, 1);
    }

    #[test]
    fn what_is_replaced_meanwhile_is_no_damage() {
        let test = with_symbols(1);
        let old = test.cache.catalog().entry(&bars_of("S000")).expect("catalog").expect("entry");
        test.put_bars("S000", 60, 2.0, 0);
        let mut progress = ScrubProgress::default();
        test.cache.scrub_entry(&old, &mut progress).expect("looked at");
        assert!(progress.damaged.is_empty() && progress.missing.is_empty());
        assert_eq!(test.read(&bars_of("S000")).expect("the new one").served.content.bars().len(), 60);
    }
}
