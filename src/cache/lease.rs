//! The right to write a symbol's entries: one holder at a time, over all threads and processes that share a cache.
//!
//! A lease ends when it is dropped, 30 seconds after it was last renewed, or at once when its process is dead. Whoever holds it
//! commits with its fencing number, which only ever grows per symbol: a commit of somebody who lost the lease meanwhile is refused
//! in the transaction itself. Clearing and restoring always win: they take a lease away from whoever has it. Not a lock on files.

use super::Cache;
use super::catalog::Catalog;
use super::entry::EntryKey;
use super::error::CacheError;
use crate::market::{Clock, SECOND_US, Symbol};
use crate::source::SourceId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// How long a lease lasts without being renewed.
pub const LEASE_US: i64 = 30 * SECOND_US;
/// A lease is renewed when this much of it is left.
const RENEW_BEFORE_US: i64 = 20 * SECOND_US;

/// A number that grows with every new holder of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fence(pub(super) i64);

/// Who holds a lease, or held it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// In words, such as `process 1234 (preheat)`.
    pub owner: String,
    /// When it ends unless it is renewed, in microseconds since 1970-01-01 UTC; 0 when it was given back.
    pub expires_us: i64,
}

/// An entry that was not committed, because its symbol's lease was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseLost {
    /// Which entry.
    pub key: EntryKey,
    /// Why, in words.
    pub reason: String,
}

/// Who asks for a lease: enough to tell, on the same machine, whether it still lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    process: u32,
    /// When the process started, in ticks since the machine did; process numbers are used again.
    started: Option<u64>,
    /// The machine's present run.
    boot: Option<String>,
    /// Process numbers mean something within their namespace (container) only.
    namespace: Option<String>,
    /// Tells the leases of one process apart.
    number: u64,
    /// What for: `preheat`, `clear`, …
    doing: String,
}

/// What every owner in this process has in common.
static THIS_PROCESS: LazyLock<Owner> = LazyLock::new(|| {
    let text = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let process = std::process::id();
    Owner {
        process,
        started: process_started(process),
        boot: text("/proc/sys/kernel/random/boot_id"),
        namespace: std::fs::read_link("/proc/self/ns/pid").ok().map(|link| link.to_string_lossy().into_owned()),
        number: 0,
        doing: String::new(),
    }
});

/// Numbers leases within this process.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// When a running process started, in ticks since boot; `None` if it does not run or the system does not say.
fn process_started(process: u32) -> Option<u64> {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in brackets may hold anything, brackets and blanks included.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let started = fields.nth(18)?.parse().ok()?;
    (!ended).then_some(started)
}

impl Owner {
    pub(super) fn new(doing: &str) -> Self {
        Self { number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed), doing: doing.to_owned(), ..THIS_PROCESS.clone() }
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether it is known that the process is gone. One of another machine, or of a container, may live.
    pub(super) fn is_dead(&self) -> bool {
        let here = &*THIS_PROCESS;
        if self.boot.is_none() || here.boot.is_none() {
            return false;
        }
        if self.boot != here.boot {
            // Another run of this machine, or another machine: a shared folder cannot tell.
            return false;
        }
        self.namespace.is_some()
            && self.namespace == here.namespace
            // Where the system hides other processes, nothing is known of them.
            && Path::new("/proc/1/stat").exists()
            && self.started.is_some()
            && process_started(self.process) != self.started
    }

    pub(super) fn in_words(&self) -> String {
        format!("process {} ({})", self.process, self.doing)
    }

    /// Why somebody else's work was not committed.
    pub(super) fn reason(&self) -> String {
        match self.doing.as_str() {
            CLEAR => "it was cleared while it was being preheated; preheat it again to have it".to_owned(),
            RESTORE => "it was restored from the trash while it was being preheated; preheat it again".to_owned(),
            _ => format!("{} has taken over its preheating", self.in_words()),
        }
    }
}

/// What a clear calls itself.
pub(super) const CLEAR: &str = "clear";
/// What an eviction calls itself.
pub(super) const EVICT: &str = "evict";
/// What trimming older versions calls itself.
pub(super) const TRIM: &str = "trim";
/// What an undo calls itself.
pub(super) const RESTORE: &str = "restore";

/// The numbers this process writes with now, of what it preheats: a file is put in its place only while its number holds.
pub(super) type Held = Arc<Mutex<HashMap<(SourceId, Symbol), Fence>>>;

/// Symbols of one source that nobody else may write now. Given back when dropped.
#[derive(Debug)]
pub struct Lease {
    held: Held,
    catalog: Arc<Catalog>,
    clock: Arc<dyn Clock>,
    source: SourceId,
    granted: BTreeMap<Symbol, Fence>,
    refused: Vec<(Symbol, Holder)>,
    expires_us: AtomicI64,
}

impl Lease {
    /// The source the symbols are of.
    #[must_use]
    pub fn source(&self) -> &SourceId {
        &self.source
    }

    /// The symbols that may be written, with the numbers to commit with.
    #[must_use]
    pub fn granted(&self) -> &BTreeMap<Symbol, Fence> {
        &self.granted
    }

    /// Whether an entry's symbol is among the granted ones.
    #[must_use]
    pub fn covers(&self, key: &EntryKey) -> bool {
        self.source == key.source && self.granted.contains_key(&key.symbol)
    }

    /// The symbols that somebody else writes, and who.
    #[must_use]
    pub fn refused(&self) -> &[(Symbol, Holder)] {
        &self.refused
    }

    /// Makes the lease last 30 seconds from now. Returns the symbols that were lost to others meanwhile.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn renew(&self) -> Result<Vec<Symbol>, CacheError> {
        let expires_us = self.clock.now_us() + LEASE_US;
        let lost = self.catalog.renew_leases(&self.source, &self.granted, expires_us)?;
        self.expires_us.store(expires_us, Ordering::Release);
        Ok(lost)
    }

    /// As [`Lease::renew`], if a third of the time is over; else nothing, at no cost.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn renew_if_due(&self) -> Result<Vec<Symbol>, CacheError> {
        let left_us = self.expires_us.load(Ordering::Acquire).saturating_sub(self.clock.now_us());
        // More left than there can be: the clock was set back.
        if (RENEW_BEFORE_US..=LEASE_US).contains(&left_us) { Ok(Vec::new()) } else { self.renew() }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (symbol, fence) in &self.granted {
            let key = (self.source.clone(), symbol.clone());
            if held.get(&key) == Some(fence) {
                held.remove(&key);
            }
        }
        drop(held);
        if !self.granted.is_empty()
            && let Err(error) = self.catalog.release_leases(&self.source, &self.granted)
        {
            tracing::warn!(%error, "a lease was not given back; it ends by itself");
        }
    }
}

impl Cache {
    /// Whether this process was about to write an entry and somebody else has taken that right since. What it has is refused by
    /// the commit, and must not lie where the other's file is by now.
    pub(super) fn has_lost(&self, key: &EntryKey) -> bool {
        let fence = self.held.lock().unwrap_or_else(PoisonError::into_inner).get(&(key.source.clone(), key.symbol.clone())).copied();
        let Some(fence) = fence else { return false };
        // A catalog that cannot be read refuses nothing here; the commit will tell.
        self.catalog.lost_leases(&key.source, &BTreeMap::from([(key.symbol.clone(), fence)])).is_ok_and(|lost| !lost.is_empty())
    }

    /// Takes the right to write these symbols' entries, those of them that nobody else holds.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn lease(&self, source: &SourceId, symbols: &[Symbol]) -> Result<Lease, CacheError> {
        self.take_lease(source, symbols.iter().cloned().collect(), "preheat", false)
    }

    /// Takes the right to write these entries' symbols away from whoever has it: what they are about to commit is refused. One
    /// lease per source; `doing` is told to those who lose.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub(super) fn seize<'k>(&self, keys: impl IntoIterator<Item = &'k EntryKey>, doing: &str) -> Result<Vec<Lease>, CacheError> {
        let mut by_source: BTreeMap<&SourceId, BTreeSet<Symbol>> = BTreeMap::new();
        for key in keys {
            by_source.entry(&key.source).or_default().insert(key.symbol.clone());
        }
        by_source.into_iter().map(|(source, symbols)| self.take_lease(source, symbols, doing, true)).collect()
    }

    /// Takes the right to write symbols' entries, by force or only of those that nobody else holds; `doing` says what for.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub(super) fn take_lease(
        &self,
        source: &SourceId,
        symbols: BTreeSet<Symbol>,
        doing: &str,
        by_force: bool,
    ) -> Result<Lease, CacheError> {
        let now_us = self.now_us();
        let (granted, refused) = if symbols.is_empty() {
            (BTreeMap::new(), Vec::new())
        } else {
            self.catalog.take_leases(source, symbols, &Owner::new(doing), now_us, by_force)?
        };
        if !by_force {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.extend(granted.iter().map(|(symbol, fence)| ((source.clone(), symbol.clone()), *fence)));
        }
        Ok(Lease {
            held: Arc::clone(&self.held),
            catalog: Arc::clone(&self.catalog),
            clock: Arc::clone(&self.clock),
            source: source.clone(),
            granted,
            refused,
            expires_us: AtomicI64::new(now_us + LEASE_US),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::entry::{Entry, FileFacts};
    use crate::cache::{CacheOptions, Content, Folders, Footer, JobRecord, Judge, Selection};
    use crate::market::{Bars, DateRange, ManualClock, Quality, RawBars, Resolution};
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    const START_US: i64 = 1_700_000_000_000_000;

    fn open(folder: &Path, clock: &Arc<ManualClock>) -> Cache {
        let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
        Cache::open(CacheOptions::new(Folders::new(folder), 1_000_000, clock)).expect("a cache").0
    }

    fn source() -> SourceId {
        SourceId::new("test")
    }

    fn symbols(names: &[&str]) -> Vec<Symbol> {
        names.iter().map(Symbol::new).collect()
    }

    fn entry(symbol: &Symbol, rows: u64) -> Entry {
        let file = FileFacts {
            path: format!("test/{symbol}.parquet").into(),
            size_bytes: rows,
            modified_us: 0,
            checksum: u128::from(rows),
            fingerprint: u128::from(rows),
            rows,
            first_us: 0,
            last_us: 0,
            resolution: Resolution::Daily,
            years: Vec::new(),
        };
        Entry { file: Some(file), ..Entry::without_file(EntryKey::bars(&source(), symbol)) }
    }

    #[test]
    fn a_symbol_has_one_holder_until_it_is_given_back_or_its_time_is_over() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let (one, two) = (open(folder.path(), &clock), open(folder.path(), &clock));
        let first = one.lease(&source(), &symbols(&["A", "B"])).expect("lease");
        let second = two.lease(&source(), &symbols(&["B", "C"])).expect("lease");
        assert_eq!(first.granted().keys().map(Symbol::as_str).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(second.granted().keys().map(Symbol::as_str).collect::<Vec<_>>(), ["C"]);
        let (symbol, holder) = &second.refused()[0];
        assert_eq!((symbol.as_str(), holder.expires_us), ("B", START_US + LEASE_US));
        assert_eq!(holder.owner, format!("process {} (preheat)", std::process::id()));
        assert_eq!(one.lease(&source(), &symbols(&["A"])).expect("the same handle").refused().len(), 1);
        let fence_of_b = first.granted()[&Symbol::new("B")];
        drop(first);
        let third = two.lease(&source(), &symbols(&["B"])).expect("lease");
        assert!(third.granted()[&Symbol::new("B")] > fence_of_b);
        clock.advance(LEASE_US - 1);
        assert_eq!(one.lease(&source(), &symbols(&["B"])).expect("lease").refused().len(), 1, "not yet over");
        clock.advance(1);
        let fourth = one.lease(&source(), &symbols(&["B"])).expect("lease");
        assert_eq!(fourth.granted().len(), 1);
        assert_eq!(third.renew().expect("renew"), symbols(&["B"]), "it was lost");
        drop(third);
        assert_eq!(two.lease(&source(), &symbols(&["B"])).expect("lease").refused().len(), 1, "what was lost is not given back");
    }

    #[test]
    fn a_lease_is_renewed_when_due_and_ends_in_time_though_the_clock_is_set_back() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let cache = open(folder.path(), &clock);
        let lease = cache.lease(&source(), &symbols(&["A"])).expect("lease");
        for _ in 0..10 {
            clock.advance(12 * SECOND_US);
            assert!(lease.renew_if_due().expect("renew").is_empty());
        }
        assert_eq!(cache.lease(&source(), &symbols(&["A"])).expect("lease").refused().len(), 1);
        clock.advance(-86_400 * SECOND_US);
        assert_eq!(cache.lease(&source(), &symbols(&["A"])).expect("lease").refused().len(), 1);
        clock.advance(LEASE_US);
        assert_eq!(cache.lease(&source(), &symbols(&["A"])).expect("lease").granted().len(), 1, "not a day later");
    }

    #[test]
    fn a_lost_lease_cannot_commit_and_says_why() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let (one, two) = (open(folder.path(), &clock), open(folder.path(), &clock));
        let [a, b] = ["A", "B"].map(Symbol::new);
        let lease = one.lease(&source(), &[a.clone(), b.clone()]).expect("lease");
        let staged = [entry(&a, 1), entry(&b, 1)];
        assert!(one.catalog().put_entries_fenced(&staged, lease.granted()).expect("commit").is_empty());
        drop(two.seize([&staged[0].key], CLEAR).expect("seized"));
        let again = [entry(&a, 2), entry(&b, 2)];
        let lost = one.catalog().put_entries_fenced(&again, lease.granted()).expect("commit");
        assert_eq!(lost.len(), 1);
        assert!(lost[0].key == again[0].key && lost[0].reason.contains("cleared while it was being preheated"), "{lost:?}");
        let rows = |symbol: &Symbol| two.catalog().entry(&EntryKey::bars(&source(), symbol)).expect("read").expect("there").rows();
        assert_eq!((rows(&a), rows(&b)), (1, 2));
        let unleased = Symbol::new("C");
        assert_eq!(one.catalog().put_entries_fenced(&[entry(&unleased, 1)], lease.granted()).expect("commit").len(), 1);
    }

    /// One bar with this close, written by a cache and not committed.
    fn staged(cache: &Cache, key: &EntryKey, close: f64, fetched_at_us: i64) -> crate::cache::Staged {
        let raw = RawBars {
            time_us: vec![0],
            open: vec![close],
            high: vec![close],
            low: vec![close],
            close: vec![close],
            volume: vec![1.0],
            ..RawBars::default()
        };
        let footer = Footer {
            key: key.clone(),
            provenance: None,
            range: DateRange::ALL,
            fetched_at_us,
            quality: Quality::default(),
            synced: None,
            provisional_from_us: None,
            cost_us: 0,
            state: None,
            precision: crate::feature::Precision::F64,
            rounding: None,
            years: None,
        };
        cache.stage(&Content::Bars(Arc::new(Bars::normalise(raw).0)), footer).expect("stage")
    }

    #[test]
    fn who_has_lost_a_lease_puts_no_file_over_the_present_holders() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let (one, two) = (open(folder.path(), &clock), open(folder.path(), &clock));
        let symbol = Symbol::new("A");
        let key = EntryKey::bars(&source(), &symbol);
        let lost = one.lease(&source(), std::slice::from_ref(&symbol)).expect("lease");
        drop(two.seize([&key], CLEAR).expect("taken away"));
        let held = two.lease(&source(), std::slice::from_ref(&symbol)).expect("lease");
        assert!(two.commit_fenced(&[staged(&two, &key, 2.0, START_US + 1)], &held).expect("commit").is_empty());
        // It had been fetched before, and was slow to be written.
        let late = staged(&one, &key, 1.0, START_US);
        assert_eq!(one.commit_fenced(&[late], &lost).expect("commit").len(), 1);
        assert_eq!(two.read_from_disk(&key).expect("there").content.bars().close, [2.0]);
        assert!(two.verify(false, &|_, _| {}).expect("verify").is_clean(), "nothing is left beside it");
    }

    #[test]
    fn a_file_that_an_older_one_took_the_place_of_is_gone_and_the_older_one_is_not_taken_for_it() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let cache = open(folder.path(), &clock);
        let symbol = Symbol::new("A");
        let key = EntryKey::bars(&source(), &symbol);
        let commit = |close: f64, fetched_at_us: i64| {
            let lease = cache.lease(&source(), std::slice::from_ref(&symbol)).expect("lease");
            assert!(cache.commit_fenced(&[staged(&cache, &key, close, fetched_at_us)], &lease).expect("commit").is_empty());
            cache.path_of(&cache.catalog().entry(&key).expect("read").expect("there"))
        };
        let older = std::fs::read(commit(1.0, START_US)).expect("a file");
        let path = commit(2.0, START_US + 1);
        std::fs::write(&path, &older).expect("put back");
        for _ in 0..2 {
            let refused = cache.read_from_disk(&key).expect_err("nothing older is served");
            assert!(matches!(refused, CacheError::NotCached { .. }), "{refused}");
        }
        assert!(!path.exists(), "it was put aside");
        assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
        commit(3.0, START_US + 2);
        assert_eq!(cache.read_from_disk(&key).expect("there").content.bars().close, [3.0]);
    }

    #[test]
    fn what_is_cleared_while_it_is_preheated_stays_cleared_and_can_be_restored() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let (one, two) = (open(folder.path(), &clock), open(folder.path(), &clock));
        let symbol = Symbol::new("A");
        let key = EntryKey::bars(&source(), &symbol);
        let stage = |close: f64| staged(&one, &key, close, START_US);
        let closes =
            |cache: &Cache| cache.read(&key, &crate::cache::Judge::default()).map(|found| found.served.content.bars().close.clone());
        let lease = one.lease(&source(), std::slice::from_ref(&symbol)).expect("lease");
        assert!(one.commit_fenced(&[stage(1.0)], &lease).expect("commit").is_empty());
        let cleared = two.clear(&Selection::default(), &Judge::default()).expect("clear");
        assert_eq!(cleared.entries, 1);
        let lost = one.commit_fenced(&[stage(2.0)], &lease).expect("commit");
        assert!(lost[0].reason.contains("cleared"), "{lost:?}");
        assert!(closes(&one).is_err() && closes(&two).is_err(), "it stays cleared");
        assert!(two.verify(false, &|_, _| {}).expect("verify").is_clean(), "nothing is left behind");
        two.undo_clear(None).expect("undo");
        assert_eq!(closes(&two).expect("restored"), [1.0]);
        let lost = one.commit_fenced(&[stage(3.0)], &lease).expect("commit");
        assert!(lost[0].reason.contains("restored"), "{lost:?}");
        assert!(two.verify(false, &|_, _| {}).expect("verify").is_clean());
        drop(lease);
        let lease = one.lease(&source(), &[symbol]).expect("lease");
        assert!(one.commit_fenced(&[stage(4.0)], &lease).expect("commit").is_empty());
        two.forget_replaced().expect("as whoever watches the catalog does");
        assert_eq!(closes(&two).expect("read"), [4.0]);
    }

    #[test]
    fn the_lease_of_a_dead_process_is_taken_over_at_once() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let cache = open(folder.path(), &clock);
        let mut dead = std::process::Command::new("true").spawn().expect("a process");
        let process = dead.id();
        dead.wait().expect("ended");
        let take = |owner: &Owner, symbol: &str| {
            let wanted = [Symbol::new(symbol)].into_iter().collect();
            cache.catalog.take_leases(&source(), wanted, owner, clock.now_us(), false).expect("take").0.len()
        };
        assert_eq!(take(&Owner { process, started: Some(1), ..Owner::new("preheat") }, "A"), 1);
        // A number that is used again, by this process: it started at another time.
        assert_eq!(take(&Owner { started: Some(1), ..Owner::new("preheat") }, "B"), 1);
        // In another container the number means nothing.
        assert_eq!(take(&Owner { process, namespace: Some("pid:[1]".to_owned()), ..Owner::new("preheat") }, "C"), 1);
        let lease = cache.lease(&source(), &symbols(&["A", "B", "C"])).expect("lease");
        let granted: Vec<_> = lease.granted().keys().map(Symbol::as_str).collect();
        if cfg!(target_os = "linux") {
            assert_eq!(granted, ["A", "B"]);
        } else {
            assert!(granted.is_empty());
        }
    }

    /// Eight threads over three handles of one cache take, commit, lose and give back; an oracle outside sees that nobody
    /// commits a symbol that somebody else has taken since.
    #[test]
    fn under_stress_nobody_commits_what_another_holds() {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(ManualClock::at(START_US));
        let handles: Vec<Cache> = (0..3).map(|_| open(folder.path(), &clock)).collect();
        let names: Vec<Symbol> = (0..6).map(|number| Symbol::new(format!("S{number}"))).collect();
        // Every acknowledged commit: symbol, fence, rows.
        let commits: Mutex<Vec<(Symbol, Fence, u64)>> = Mutex::default();
        let (lost, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in 0..8_u64 {
                let (handles, names, commits, lost, refused, clock) = (&handles, &names, &commits, &lost, &refused, &clock);
                let failed = &failed;
                scope.spawn(move || {
                    let mut random = StdRng::seed_from_u64(worker);
                    for turn in 0..40_u64 {
                        let cache = &handles[random.random_range(0..handles.len())];
                        let wanted: Vec<Symbol> = names.iter().filter(|_| random.random_bool(0.4)).cloned().collect();
                        if random.random_bool(0.15) {
                            let keys: Vec<EntryKey> = wanted.iter().map(|symbol| EntryKey::bars(&source(), symbol)).collect();
                            drop(cache.seize(&keys, CLEAR).expect("seize"));
                            continue;
                        }
                        let lease = cache.lease(&source(), &wanted).expect("lease");
                        refused.fetch_add(lease.refused().len() as u64, Ordering::Relaxed);
                        if random.random_bool(0.1) {
                            clock.advance(LEASE_US + 1);
                        }
                        let rows = worker * 1_000 + turn + 1;
                        let staged: Vec<Entry> = lease.granted().keys().map(|symbol| entry(symbol, rows)).collect();
                        let not_committed = cache.catalog().put_entries_fenced(&staged, lease.granted()).expect("commit");
                        lost.fetch_add(not_committed.len() as u64, Ordering::Relaxed);
                        for (symbol, fence) in lease.granted() {
                            if !not_committed.iter().any(|lost| lost.key.symbol == *symbol) {
                                commits.lock().expect("a lock").push((symbol.clone(), *fence, rows));
                                // While the lease holds, nobody else's rows can be there.
                                let now = cache.catalog().entry(&EntryKey::bars(&source(), symbol)).expect("read").expect("there").rows();
                                let still_mine = cache.catalog().lost_leases(&source(), lease.granted()).expect("read");
                                if now != rows && !still_mine.contains(symbol) {
                                    failed.store(true, Ordering::Relaxed);
                                }
                            }
                        }
                    }
                });
            }
        });
        assert!(!failed.load(Ordering::Relaxed), "somebody wrote over a held symbol");
        let commits = commits.into_inner().expect("a lock");
        let (lost, refused) = (lost.into_inner(), refused.into_inner());
        assert!(commits.len() > 50 && refused > 10 && lost > 0, "{} commits, {refused} refused, {lost} lost", commits.len());
        // A fence has one holder, and what stands in the end is what the highest one committed.
        for name in &names {
            let mut of_name: Vec<_> = commits.iter().filter(|(symbol, ..)| symbol == name).collect();
            of_name.sort_by_key(|(_, fence, _)| *fence);
            assert!(of_name.windows(2).all(|pair| pair[0].1 < pair[1].1), "{name}: one fence, two holders");
            let now = handles[0].catalog().entry(&EntryKey::bars(&source(), name)).expect("read").map(|entry| entry.rows());
            assert_eq!(now, of_name.last().map(|(_, _, rows)| *rows), "{name}");
        }
        let jobs: Vec<JobRecord> = handles[0].catalog().jobs().expect("read");
        assert!(jobs.is_empty());
    }
}
