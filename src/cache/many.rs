//! Work on many entries at once: files written side by side, so that the disk's answer to one does not hold up the others, and files
//! read over all cores. Also what was encoded of bars a moment ago, for the files of features that hold the same bars.
//!
//! Contract: each entry is written and read as it would be alone; one that fails is one failure, not all of them.

use super::Cache;
use super::entry::Entry;
use super::error::CacheError;
use super::parquet_file::{self, Content, EncodedBars, Footer};
use super::store::{Served, Staged};
use crate::market::Bars;
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use xxhash_rust::xxh3::xxh3_128;

/// Bars that are remembered at most, …
const MOST_BARS: usize = 64;
/// … and the bytes they may take, one of them and all.
const MOST_BYTES_EACH: usize = 1 << 20;
const MOST_BYTES: usize = 16 << 20;
/// Writers per core: most of a writer's time is the disk's, which makes the files of all of them durable together.
const WRITERS_PER_CORE: usize = 4;

thread_local! {
    /// The file that is being read: memory that the system need not find and clear anew for every file.
    static FILE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

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
        if let Some(content) = self.content_if_sound(entry, wanted) {
            return Ok(Arc::new(Served { content, entry: entry.clone() }));
        }
        // Whatever is wrong, reading it alone finds out and sets it right.
        let served = self.read_from_disk(&entry.key)?;
        Ok(match wanted {
            Some(wanted) => Arc::new(Served { content: served.content.only(wanted), entry: served.entry.clone() }),
            None => served,
        })
    }

    /// The columns of a file that is as the catalog says.
    fn content_if_sound(&self, entry: &Entry, wanted: Option<&[&str]>) -> Option<Content> {
        let facts = entry.file.as_ref()?;
        FILE.with_borrow_mut(|bytes| {
            self.files.read_into(&self.path_of(entry), facts.size_bytes, bytes).ok()?;
            let is_sound = bytes.len() as u64 == facts.size_bytes && xxh3_128(bytes) == facts.checksum;
            let content = is_sound.then(|| parquet_file::decode_wanted(&*bytes, wanted).ok()).flatten().map(|(content, _footer)| content);
            if bytes.capacity() > MOST_BYTES {
                *bytes = Vec::new();
            }
            content
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parquet_file::Content;
    use super::super::test_cache::{TestCache, bars, bars_of, features_of};
    use super::*;

    #[test]
    fn many_files_are_written_and_read_as_each_alone_would_be() {
        let test = TestCache::new();
        let symbols: Vec<String> = (0..40).map(|number| format!("S{number}")).collect();
        for symbol in &symbols {
            test.put_bars(symbol, 300, 1.0, 0);
        }
        let again = |symbol: &String| {
            let entry = test.cache.catalog().entry(&bars_of(symbol)).expect("catalog").expect("entry");
            (Content::Bars(bars(400, 2.5)), test.cache.footer_of(&entry).expect("footer"))
        };
        let staged = test.cache.stage_many(symbols.iter().map(again).collect());
        let staged: Vec<Staged> = staged.into_iter().collect::<Result<_, _>>().expect("staged");
        assert!(staged.iter().zip(&symbols).all(|(one, symbol)| one.entry.key == bars_of(symbol)), "in their order");
        test.cache.commit(&staged).expect("committed");
        let entries: Vec<Entry> = staged.into_iter().map(|one| one.entry).collect();
        for (served, entry) in test.cache.read_many(&entries, None).into_iter().zip(&entries) {
            let served = served.expect("read");
            assert_eq!((&served.entry.key, served.content.bars().as_ref()), (&entry.key, bars(400, 2.5).as_ref()));
        }
        assert!(test.cache.stage_many(Vec::new()).is_empty());
    }

    #[test]
    fn one_damaged_file_among_many_is_one_failure() {
        let test = TestCache::new();
        test.put_features("A", 50, 3.0, 0);
        test.put_features("B", 50, 3.0, 0);
        let file = test.file_of(&features_of("B"));
        let mut bytes = std::fs::read(&file).expect("file");
        bytes[60] ^= 1;
        std::fs::write(&file, bytes).expect("damaged");
        let entries = test.cache.catalog().entries(None).expect("entries");
        let found = test.cache.read_many(&entries, Some(&["double"]));
        assert_eq!(found.len(), 2);
        for (entry, found) in entries.iter().zip(found) {
            match found {
                Ok(served) => assert_eq!((&*entry.key.symbol.to_string(), served.content.features().expect("table").len()), ("A", 50)),
                Err(error) => assert!(matches!(error, CacheError::Damaged { .. }), "{error}"),
            }
        }
        assert!(!file.exists(), "in quarantine");
        let left = test.cache.read_many(&entries[..1], Some(&["other"]));
        assert!(left[0].as_ref().expect("read").content.features().expect("table").columns.is_empty());
    }

    #[test]
    fn bars_are_found_by_being_the_same_not_equal() {
        let test = TestCache::new();
        let held = bars(30, 1.0);
        test.put_bars("A", 30, 1.0, 0);
        let entry = test.cache.catalog().entry(&bars_of("A")).expect("catalog").expect("entry");
        let footer = test.cache.footer_of(&entry).expect("footer");
        let staged = test.cache.stage(&Content::Bars(Arc::clone(&held)), footer).expect("staged");
        assert!(test.cache.recent_bars.find(&held).is_some());
        assert!(test.cache.recent_bars.find(&bars(30, 1.0)).is_none());
        drop(staged);
    }
}
