//! Database servers that die, connections that are cut at any byte, and servers that stop answering.

use super::market::{Market, today};
use super::process::{Place, number};
use super::support::proxy::{Fate, Proxy};
use super::support::servers::{self, Server};
use super::{runs, seed};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::cache::{Cache, CacheError, CacheOptions, EntryKey, Folders, Judge};
use samovar::feature::FeatureSet;
use samovar::market::{Symbol, SystemClock};
use samovar::preheat::{Control, PreheatRequest, make_plan, run_plan};
use samovar::source::{Source, SourceId, SourceOptions, SourceUrl};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A market on a server, seen through a proxy.
struct Served<'server> {
    server: &'server Server,
    place: Place,
    market: Market,
    database: String,
    proxy: Proxy,
    url: String,
}

impl<'server> Served<'server> {
    fn new(server: &'server Server, random: &mut StdRng, symbols: usize, bars: usize) -> Self {
        let place = Place::new();
        let market = Market::new(place.path("market.db"), random, symbols, bars, today() - 100);
        let database = server.new_database();
        server.execute(&database, &market.sql());
        let proxy = Proxy::to(server.port);
        let url = server.url_at(proxy.port(), &database);
        Self { server, place, market, database, proxy, url }
    }

    fn id(&self) -> SourceId {
        SourceUrl::parse(&self.url).expect("url").id()
    }

    fn key(&self, number: usize, features: bool) -> EntryKey {
        let symbol = self.market.symbol(number);
        if features { EntryKey::features(&self.id(), &symbol, "classic") } else { EntryKey::bars(&self.id(), &symbol) }
    }

    /// How many entries are served; each is whole and of a state the source had.
    fn read(&self, cache: &Cache, context: &str) -> usize {
        let mut found = 0;
        for number in 0..self.market.symbols.len() {
            for features in [false, true] {
                let key = self.key(number, features);
                match cache.read(&key, &Judge::default()) {
                    Ok(read) => {
                        let content = &read.served.content;
                        let state = self.market.state_of(number, content);
                        assert!(state.is_some(), "{context}: {key:?} came in part: {}", self.market.describe(number, content));
                        found += 1;
                    }
                    Err(CacheError::NotCached { .. }) => {}
                    Err(error) => panic!("{context}: {key:?}: {error}"),
                }
            }
        }
        found
    }
}

fn open(folder: &Path) -> Cache {
    Cache::open(CacheOptions::new(Folders::new(folder), 2_000_000, Arc::new(SystemClock))).expect("cache").0
}

fn count_files(folder: &Path) -> usize {
    let Ok(listing) = std::fs::read_dir(folder) else { return 0 };
    listing.flatten().map(|item| if item.path().is_dir() { count_files(&item.path()) } else { 1 }).sum()
}

#[test]
fn a_server_that_dies_in_mid_preheat_is_waited_for_and_reads_go_on() {
    const SYMBOLS: usize = 120;
    let Some(server) = servers::own_mariadb() else { return };
    let served = Served::new(&server, &mut StdRng::seed_from_u64(seed()), SYMBOLS, 300);
    let first = served.place.run(&["--source", &served.url, "preheat", "--json", "--limit", "10"]);
    assert_eq!(first.code, Some(0), "{first:#?}");

    served.proxy.set(Fate::Slow { step_bytes: 4_096, delay: Duration::from_millis(25) });
    let bars = served.place.cache.join("bars-v1");
    let mut preheat =
        served.place.start(served.place.command(&["--source", &served.url, "preheat", "--json", "--jobs", "1", "--wait", "2m"]));
    let began = Instant::now();
    while count_files(&bars) < 20 {
        assert!(!preheat.has_ended() && began.elapsed() < Duration::from_secs(120), "it never got so far: {}", preheat.err());
        std::thread::sleep(Duration::from_millis(2));
    }
    served.server.kill();
    // What the server had sent still lies in the system's buffers.
    served.proxy.cut_all();
    preheat.until_it_says("waiting: ");
    let waiting = preheat.err();
    assert!(waiting.contains("127.0.0.1"), "it says for what: {waiting}");
    assert!(count_files(&bars) < SYMBOLS, "the server died in the middle");

    // Reads go on meanwhile: what is fresh as ever, what is not with a word about it.
    let read = served.place.run(&["--source", &served.url, "get", "S003", "--json"]);
    assert_eq!((read.code, read.json().as_array().map(Vec::len)), (Some(0), Some(300)), "{}", read.err);
    let read = served.place.run(&["--source", &served.url, "get", "S003", "--json", "--ttl", "0s"]);
    assert_eq!((read.code, read.json().as_array().map(Vec::len)), (Some(0), Some(300)), "{}", read.err);
    assert!(read.err.contains("stale"), "{}", read.err);
    let cache = open(&served.place.cache);
    assert!(served.read(&cache, "while the server is dead") >= 20);

    served.proxy.set(Fate::Pass);
    std::thread::sleep(Duration::from_secs(2));
    assert!(!preheat.has_ended(), "it still waits: {}", preheat.err());
    served.server.start_again();
    let ended = preheat.wait();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.err.contains("going on"), "{}", ended.err);
    let report = ended.json();
    assert_eq!(number(&report, "/symbols/ok") + number(&report, "/symbols/skipped_fresh"), SYMBOLS as u64, "{report:#}");
    assert_eq!(number(&report, "/symbols/failed"), 0, "{report:#}");
    assert_eq!(served.read(&cache, "in the end"), 2 * SYMBOLS);
    drop(cache);
    assert_eq!(served.place.run(&["verify"]).code, Some(0));
}

#[test]
fn a_server_that_does_not_come_back_ends_the_job_with_the_reason_and_keeps_what_came() {
    let Some(server) = servers::own_mariadb() else { return };
    let served = Served::new(&server, &mut StdRng::seed_from_u64(seed()), 60, 300);
    served.proxy.set(Fate::Slow { step_bytes: 4_096, delay: Duration::from_millis(25) });
    let bars = served.place.cache.join("bars-v1");
    let mut preheat =
        served.place.start(served.place.command(&["--source", &served.url, "preheat", "--json", "--jobs", "1", "--wait", "2s"]));
    while count_files(&bars) < 5 && !preheat.has_ended() {
        std::thread::sleep(Duration::from_millis(2));
    }
    served.server.kill();
    // What the server had sent still lies in the system's buffers.
    served.proxy.cut_all();
    let ended = preheat.wait();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.out.contains("127.0.0.1") || ended.err.contains("127.0.0.1"), "it says why: {ended:#?}");
    let cache = open(&served.place.cache);
    let kept = served.read(&cache, "after the job gave up");
    drop(cache);
    served.server.start_again();
    served.proxy.set(Fate::Pass);
    let again = served.place.run(&["--source", &served.url, "preheat", "--json"]);
    assert_eq!(again.code, Some(0), "{again:#?}");
    assert_eq!(number(&again.json(), "/symbols/skipped_fresh"), kept as u64 / 2, "what came is not fetched again");
}

/// Cuts at random bytes; jobs in several places at once, as most of their time is waiting.
#[test]
fn connections_cut_at_any_byte_never_bring_a_symbol_in_part() {
    const PLACES: usize = 6;
    const CUTS_PER_JOB: usize = 4;
    let Some(server) = servers::mariadb() else { return };
    let wanted = runs(24).min(400);
    let (cuts, jobs, gave_up) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for place in 0..PLACES {
            let (cuts, jobs, gave_up) = (&cuts, &jobs, &gave_up);
            scope.spawn(move || {
                let seed = seed() * 1_000 + place as u64;
                let mut random = StdRng::seed_from_u64(seed);
                let mut served = Served::new(server, &mut random, 20, 120);
                assert_eq!(served.place.run(&["--source", &served.url, "preheat", "--json"]).code, Some(0));
                let longest = served.proxy.take_longest();
                while cuts.load(Ordering::SeqCst) < wanted {
                    // Half of the jobs fill an empty cache, half bring what is there up to date.
                    if random.random_bool(0.5) {
                        std::fs::remove_dir_all(&served.place.cache).expect("an empty cache");
                    } else {
                        let numbers: Vec<usize> = (0..20).filter(|_| random.random_bool(0.5)).collect();
                        let mut others = StdRng::seed_from_u64(random.random());
                        served.market.change(&numbers, super::market::rewrite(&mut others));
                        served.server.execute(&served.database, &format!("DROP TABLE {};{}", super::market::TABLE, served.market.sql()));
                    }
                    let fates: Vec<Fate> = (0..CUTS_PER_JOB).map(|_| Fate::CutAfter(random.random_range(0..longest))).collect();
                    let context = format!("seed {seed}, {fates:?}");
                    served.proxy.set_next(fates);
                    let ended = served.place.run(&["--source", &served.url, "preheat", "--check", "--json", "--wait", "1m"]);
                    let cut = CUTS_PER_JOB - served.proxy.left();
                    served.proxy.set_next([]);
                    let cache = open(&served.place.cache);
                    let found = served.read(&cache, &context);
                    match ended.code {
                        Some(0) => assert_eq!(found, 40, "{context}: {ended:#?}"),
                        // Before the first answer nothing is known of the server: that is told at once.
                        Some(1) if ended.err.contains("error: ") => drop(gave_up.fetch_add(1, Ordering::SeqCst)),
                        _ => panic!("{context}: {ended:#?}"),
                    }
                    drop(cache);
                    let after = served.place.run(&["--source", &served.url, "preheat", "--check", "--json"]);
                    assert_eq!(after.code, Some(0), "{context}: {after:#?}");
                    let cache = open(&served.place.cache);
                    for number in 0..20 {
                        for features in [false, true] {
                            let read = cache.read(&served.key(number, features), &Judge::default()).expect("it is there");
                            let state = served.market.state_of(number, &read.served.content);
                            assert_eq!(state, Some(served.market.newest(number)), "{context}: symbol {number}");
                        }
                    }
                    cuts.fetch_add(cut, Ordering::SeqCst);
                    jobs.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let (cuts, jobs, gave_up) = (cuts.into_inner(), jobs.into_inner(), gave_up.into_inner());
    eprintln!("{cuts} connections cut in {jobs} preheats, {gave_up} of which told so at once, the others went on by themselves");
    assert!(cuts >= wanted && gave_up < jobs, "{gave_up} of {jobs} preheats gave up");
}

#[cfg(unix)]
#[test]
fn a_server_that_stops_answering_does_not_hold_a_cancel_up() {
    let Some(server) = servers::mariadb() else { return };
    let served = Served::new(server, &mut StdRng::seed_from_u64(seed()), 10, 400);
    served.proxy.set(Fate::StallAfter(20_000));
    let mut preheat = served.place.start(served.place.command(&["--source", &served.url, "preheat", "--json", "--jobs", "1"]));
    let began = Instant::now();
    while served.proxy.held() == 0 {
        assert!(!preheat.has_ended() && began.elapsed() < Duration::from_secs(60), "it never stalled: {}", preheat.err());
        std::thread::sleep(Duration::from_millis(5));
    }
    let cancelled = Instant::now();
    let told = std::process::Command::new("kill").args(["-INT", &preheat.id().to_string()]).status().expect("kill");
    assert!(told.success());
    let ended = preheat.wait();
    assert!(cancelled.elapsed() < Duration::from_secs(15), "it took {:?}", cancelled.elapsed());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.err.contains("cancel"), "{ended:#?}");
    served.read(&open(&served.place.cache), "after a cancel");
}

#[test]
fn a_server_that_stops_answering_is_told_of_once_its_time_is_over() {
    let Some(server) = servers::mariadb() else { return };
    let served = Served::new(server, &mut StdRng::seed_from_u64(seed()), 3, 400);
    let cache = Arc::new(open(&served.place.cache));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let waited = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&waited);
    let report = runtime.block_on(async {
        let options = SourceOptions { query_timeout: Duration::from_millis(700), ..SourceOptions::new(served.place.folder.path()) };
        let source = Source::connect(&SourceUrl::parse(&served.url).expect("url"), &options).await.expect("connect");
        let symbols = source.symbols().await.expect("symbols");
        let sets = vec![FeatureSet::classic()];
        let request = PreheatRequest { sets, patience: Some(Duration::from_secs(3)), ..PreheatRequest::default() };
        let plan = make_plan(&cache, &served.id(), &symbols, &request).expect("plan");
        served.proxy.set(Fate::StallAfter(3_000));
        // Connections that were made before have their fate already.
        served.proxy.cut_all();
        let observe = move |progress: &samovar::preheat::Progress, _: &[(Symbol, samovar::preheat::SymbolOutcome)]| {
            heard.fetch_or(progress.waiting.is_some(), Ordering::SeqCst);
        };
        run_plan(Arc::clone(&cache), Some(source), &served.id(), plan, &request, Arc::new(Control::default()), observe).await.expect("run")
    });
    // It answers what is short, so that each symbol fails by itself.
    let told = |reason: &str| reason.contains("did not answer") || reason.contains("in time");
    assert!(report.failed.len() == 3 && report.failed.iter().all(|(_, reason)| told(reason)), "{report:#?}");
    assert!(waited.load(Ordering::SeqCst), "the wait was told");
    assert_eq!(served.read(&cache, "after a stall") / 2, report.ok);
}
