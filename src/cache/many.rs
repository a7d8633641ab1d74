//! Work on many entries at once: files written side by side, so that the disk's answer to one does not hold up the others, and files
//! read over all cores. Also what was encoded of bars a moment ago, for the files of features that hold the same bars.
//!
//! Contract: each entry is written and read as it would be alone; one that fails is one failure, not all of them.

use super::Cache;
use super::entry::Entry;
use super::error::CacheError;
use super::parquet_file::{self, Content, EncodedBars, Footer};
use super::store::{Examined, Served, Staged};
use crate::market::Bars;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Bars that are remembered at most, …
const MOST_BARS: usize = 64;
/// … and the bytes they may take, one of them and all.
const MOST_BYTES_EACH: usize = 1 << 20;
const MOST_BYTES: usize = 16 << 20;
/// Writers per core: most of a writer's time is the disk's.
const WRITERS_PER_CORE: usize = 2;

/// Bars that were encoded last, as long as somebody has them.
#[derive(Debug, Default)]
pub(super) struct RecentBars(Mutex<VecDeque<(Weak<Bars>, Arc<EncodedBars>)>>);

impl RecentBars {
    /// Remembers what was encoded of some bars.
    pub(super) fn remember(&self, bars: &Arc<Bars>, encoded: EncodedBars) {
        if encoded.size_bytes() > MOST_BYTES_EACH {
            return;
        }
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|(known, _)| known.strong_count() > 0);
        recent.push_back((Arc::downgrade(bars), Arc::new(encoded)));
        while recent.len() > MOST_BARS || recent.iter().map(|(_, encoded)| encoded.size_bytes()).sum::<usize>() > MOST_BYTES {
            recent.pop_front();
        }
    }

    /// What was encoded of these very bars, not of equal ones.
    pub(super) fn find(&self, bars: &Arc<Bars>) -> Option<Arc<EncodedBars>> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What is remembered keeps its address, so another table of bars cannot have it.
        let found = recent.iter().rev().find(|(known, _)| std::ptr::eq(known.as_ptr(), Arc::as_ptr(bars)));
        found.map(|(_, encoded)| Arc::clone(encoded))
    }
}

impl Cache {
    /// As [`Cache::stage`] for each of them, side by side. The results are in the same order.
    pub fn stage_many(&self, contents: Vec<(Content, Footer)>) -> Vec<Result<Staged, CacheError>> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let writers = (cores * WRITERS_PER_CORE).min(contents.len());
        let contents: Vec<Mutex<Option<(Content, Footer)>>> = contents.into_iter().map(|one| Mutex::new(Some(one))).collect();
        let next = AtomicUsize::new(0);
        let write = || {
            let mut staged = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(one) = contents.get(place) else { return staged };
                let taken = one.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some((content, footer)) = taken {
                    staged.push((place, self.stage(&content, footer)));
                }
            }
        };
        let mut staged = std::thread::scope(|scope| {
            let others: Vec<_> = (1..writers).map(|_| scope.spawn(write)).collect();
            let mut staged = write();
            for other in others {
                staged.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            staged
        });
        staged.sort_by_key(|(place, _)| *place);
        staged.into_iter().map(|(_, staged)| staged).collect()
    }

    /// Reads the files of many entries over all cores, each once and checked against its checksum; no lookup is counted, and nothing
    /// is kept in memory. Of features, only the columns that are `wanted` are decoded, where that is said. The results are in the same
    /// order.
    ///
    /// Each is an error as [`Cache::read`] has it.
    pub fn read_many(&self, entries: &[Entry], wanted: Option<&[&str]>) -> Vec<Result<Arc<Served>, CacheError>> {
        entries.par_iter().map(|entry| self.read_wanted(entry, wanted)).collect()
    }

    fn read_wanted(&self, entry: &Entry, wanted: Option<&[&str]>) -> Result<Arc<Served>, CacheError> {
        if let Ok(Examined::Sound { bytes, .. }) = self.examine(entry)
            && let Ok((content, _footer)) = parquet_file::decode_wanted(bytes, wanted)
        {
            return Ok(Arc::new(Served { content, entry: entry.clone() }));
        }
        // Whatever is wrong, reading it alone finds out and sets it right.
        let served = self.read_from_disk(&entry.key)?;
        Ok(match wanted {
            Some(wanted) => Arc::new(Served { content: served.content.only(wanted), entry: served.entry.clone() }),
            None => served,
        })
    }
}
