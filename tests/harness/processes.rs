//! Four processes at once on one cache: one preheats, one reads, one clears and restores, one evicts.

use super::market::{self, Market, today};
use super::process::{Ended, Place, number};
use super::{runs, seed};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::cache::{Cache, CacheError, CacheOptions, EntryKey, Folders, Judge, Limits};
use samovar::market::SystemClock;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SYMBOLS: usize = 100;

/// Where the process that evicts finds its cache, and how long it does.
const EVICT_IN: &str = "SAMOVAR_FAULT_EVICT_AGAIN_IN";
const SECONDS: &str = "SAMOVAR_FAULT_EVICT_SECONDS";

fn open(folder: &Path) -> Cache {
    Cache::open(CacheOptions::new(Folders::new(folder), 2_000_000, Arc::new(SystemClock))).expect("cache").0
}

/// Does something only in the process that the test below starts for it.
#[test]
fn evictions_in_a_process_of_its_own() {
    let (Ok(folder), Ok(seconds)) = (std::env::var(EVICT_IN), std::env::var(SECONDS)) else { return };
    let cache = open(Path::new(&folder));
    let end = Instant::now() + Duration::from_secs(seconds.parse().expect("seconds"));
    let mut evicted = 0;
    while Instant::now() < end {
        let used = cache.budget_status().expect("status").used_bytes;
        cache.set_limits(Limits { disk_budget_bytes: (used * 9 / 10).max(1), free_reserve_bytes: 0 });
        evicted += cache.make_room(0, &|_| false).expect("room").evicted.len();
        std::thread::sleep(Duration::from_millis(120));
    }
    println!("evicted {evicted}");
}

/// What the processes share.
struct Stress {
    place: Place,
    market: Mutex<Market>,
    url: String,
    is_over: AtomicBool,
    troubles: Mutex<Vec<String>>,
}

impl Stress {
    fn trouble(&self, what: String) {
        self.troubles.lock().expect("lock").push(what);
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.place.run(&[&["--source", self.url.as_str()], arguments].concat())
    }

    /// Changes the source again and again, in the middle of preheats, too.
    fn change(&self, mut random: StdRng) {
        while self.goes_on() {
            let numbers: Vec<usize> = (0..SYMBOLS).filter(|_| random.random_bool(0.3)).collect();
            let mut others = StdRng::seed_from_u64(random.random());
            {
                let mut market = self.market.lock().expect("lock");
                if random.random_bool(0.6) {
                    market.change(&numbers, market::append(&mut others));
                } else {
                    market.change(&numbers, market::rewrite(&mut others));
                }
            }
            std::thread::sleep(Duration::from_millis(random.random_range(50..600)));
        }
    }

    /// Preheats again and again. Returns how often, and how many symbols lost their lease.
    fn preheat(&self) -> (usize, usize) {
        let (mut rounds, mut lost) = (0, 0);
        while self.goes_on() {
            let ended = self.run(&["preheat", "--check", "--json"]);
            match ended.code {
                Some(0) => {}
                Some(2) => {
                    let report = ended.json();
                    for failure in report["failures"].as_array().expect("failures") {
                        let reason = failure["error"].as_str().expect("a reason");
                        let is_explained =
                            ["was cleared while", "was restored from the trash while", "has taken over", "were cleared while"];
                        if !is_explained.iter().any(|words| reason.contains(words)) {
                            self.trouble(format!("{failure}"));
                        }
                        lost += 1;
                    }
                }
                _ => self.trouble(format!("a preheat did not end well: {ended:#?}")),
            }
            rounds += 1;
        }
        (rounds, lost)
    }

    fn clear(&self, mut random: StdRng) -> usize {
        let mut rounds = 0;
        while self.goes_on() {
            let names: Vec<String> = (0..SYMBOLS).filter(|_| random.random_bool(0.1)).map(|number| format!("S{number:03}")).collect();
            let mut arguments = vec!["clear", "--json"];
            if random.random_bool(0.3) {
                arguments.push("--undo");
            } else {
                arguments.extend(names.iter().map(String::as_str));
            }
            let ended = self.run(&arguments);
            let is_explained = ended.code == Some(0)
                || ended.code == Some(1) && (ended.err.contains("nothing to restore") || ended.err.contains("is not cached"));
            if !is_explained {
                self.trouble(format!("a clear did not end well: {ended:#?}"));
            }
            rounds += 1;
        }
        rounds
    }

    /// Reads at random. Returns hits and misses.
    fn read(&self, mut random: StdRng) -> (usize, usize) {
        let cache = open(&self.place.cache);
        let (mut hits, mut misses) = (0, 0);
        let id = self.market.lock().expect("lock").id();
        while self.goes_on() {
            let number = random.random_range(0..SYMBOLS);
            let symbol = samovar::market::Symbol::new(format!("S{number:03}"));
            let features = random.random_bool(0.5);
            let key = if features { EntryKey::features(&id, &symbol, "classic") } else { EntryKey::bars(&id, &symbol) };
            match cache.read(&key, &Judge::default()) {
                Ok(found) => {
                    hits += 1;
                    let market = self.market.lock().expect("lock");
                    if market.state_of(number, &found.served.content).is_none() {
                        let what = market.describe(number, &found.served.content);
                        self.trouble(format!("{symbol} {} is a mix: {what}", if features { "features" } else { "bars" }));
                    }
                }
                Err(CacheError::NotCached { .. }) => misses += 1,
                Err(error) => self.trouble(format!("reading {symbol}: {error}")),
            }
            if random.random_bool(0.05) {
                // As whoever watches the catalog does.
                if let Err(error) = cache.forget_replaced() {
                    self.trouble(format!("watching: {error}"));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        (hits, misses)
    }
}

#[test]
fn four_processes_on_one_cache_never_serve_what_is_wrong() {
    let seconds = runs(6).min(60) as u64;
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    let market = Market::new(place.path("market.db"), &mut random, SYMBOLS, 60, today() - 100);
    let url = market.url();
    let stress = Stress { place, market: Mutex::new(market), url, is_over: AtomicBool::new(false), troubles: Mutex::default() };
    assert_eq!(stress.run(&["preheat", "--json"]).code, Some(0));

    let mut next = || StdRng::seed_from_u64(random.random());
    let (changes, clears, reads) = (next(), next(), next());
    let mut evicting = std::process::Command::new(std::env::current_exe().expect("this test"));
    evicting.args(["processes::evictions_in_a_process_of_its_own", "--exact", "--nocapture", "--test-threads=1"]);
    evicting.env(EVICT_IN, &stress.place.cache).env(SECONDS, seconds.to_string());
    let evicting = stress.place.start(evicting);
    let (preheated, cleared, read) = std::thread::scope(|scope| {
        let threads = (scope.spawn(|| stress.preheat()), scope.spawn(|| stress.clear(clears)), scope.spawn(|| stress.read(reads)));
        scope.spawn(|| stress.change(changes));
        let began = Instant::now();
        while stress.goes_on() && began.elapsed() < Duration::from_secs(seconds) {
            std::thread::sleep(Duration::from_millis(20));
        }
        stress.is_over.store(true, Ordering::SeqCst);
        (threads.0.join().expect("preheats"), threads.1.join().expect("clears"), threads.2.join().expect("reads"))
    });
    let evicted = evicting.wait();
    let troubles = stress.troubles.lock().expect("lock").clone();
    assert!(troubles.is_empty(), "seed {seed}: {}", troubles.join("\n"));
    assert_eq!(evicted.code, Some(0), "seed {seed}: {evicted:#?}");
    eprintln!(
        "{preheated:?} preheats and lost leases, {cleared} clears, {read:?} hits and misses, {}",
        evicted.out.lines().find(|line| line.contains("evicted")).unwrap_or_default()
    );
    assert!(preheated.0 > 0 && cleared > 0 && read.0 > 0, "seed {seed}: nothing was done");

    // Nobody writes any more: everything is given back, and everything is in order or put in order by a preheat.
    assert_leases_are_free(&stress.place.cache.join("catalog.sqlite"));
    let verified = stress.run(&["verify", "--json"]);
    assert_eq!(verified.code, Some(0), "seed {seed}: {verified:#?}");
    let report = stress.run(&["preheat", "--check", "--json"]).json();
    assert_eq!(number(&report, "/symbols/failed"), 0, "seed {seed}: {report:#}");
    let market = stress.market.lock().expect("lock");
    let cache = open(&stress.place.cache);
    let mut states: BTreeMap<bool, usize> = BTreeMap::new();
    for number in 0..SYMBOLS {
        for features in [false, true] {
            let symbol = market.symbol(number);
            let key = if features { EntryKey::features(&market.id(), &symbol, "classic") } else { EntryKey::bars(&market.id(), &symbol) };
            let found = cache.read(&key, &Judge::default()).expect("everything is there");
            *states.entry(market.state_of(number, &found.served.content) == Some(market.newest(number))).or_default() += 1;
        }
    }
    assert_eq!(states, BTreeMap::from([(true, 2 * SYMBOLS)]), "seed {seed}: all is of the newest state");
    drop(cache);
    let verified = stress.run(&["verify", "--json"]);
    assert_eq!(verified.code, Some(0), "seed {seed}: {verified:#?}");
}

fn assert_leases_are_free(catalog: &Path) {
    let database = rusqlite::Connection::open(catalog).expect("catalog");
    let held: i64 = database.query_row("SELECT count(*) FROM leases WHERE expires_us > 0", [], |row| row.get(0)).expect("count");
    assert_eq!(held, 0, "leases are held though nobody writes");
}
