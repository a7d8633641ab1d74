//! A disk that is full: what was there stays readable, the job says what it needs and waits, and goes on once there is room.
//!
//! In a file system of a few megabytes in memory, where the system lets a test have one; else with a budget in the settings.

use super::market::{Market, rewrite, today};
use super::process::{Ended, Place, number};
use super::{runs, seed};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::cache::{Cache, CacheError, CacheOptions, EntryKey, Folders, Judge};
use samovar::market::SystemClock;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Where the process in the small file system finds it.
const SMALL_DISK: &str = "SAMOVAR_FAULT_SMALL_DISK";
const DISK_BYTES: u64 = 8 << 20;
const SYMBOLS: usize = 30;
/// Symbols that are cached before the disk is full.
const BEFORE: usize = 10;

struct Small {
    place: Place,
    market: Market,
    disk: PathBuf,
}

impl Small {
    fn new(disk: &Path, random: &mut StdRng) -> Self {
        let mut place = Place::new();
        place.cache = disk.join("cache");
        drop(std::fs::remove_dir_all(&place.cache));
        // What is to stay free would take half of so small a disk.
        std::fs::write(place.path("settings.toml"), "free_reserve_bytes = 0\n").expect("settings");
        let market = Market::new(place.path("market.db"), random, SYMBOLS, 150, today() - 100);
        Self { place, market, disk: disk.to_path_buf() }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.place.run(&[&["--source", self.market.url().as_str()], arguments].concat())
    }

    /// Takes all room but so much.
    fn fill(&self, free_bytes: u64) {
        let free = fs4::available_space(&self.disk).expect("space");
        std::fs::write(self.disk.join("ballast"), vec![7; usize::try_from(free.saturating_sub(free_bytes)).expect("size")])
            .expect("ballast");
    }

    fn make_room(&self) {
        std::fs::remove_file(self.disk.join("ballast")).expect("ballast");
    }

    fn open(&self) -> Cache {
        Cache::open(CacheOptions::new(Folders::new(&self.place.cache), 2_000_000, Arc::new(SystemClock)))
            .expect("it opens on a full disk")
            .0
    }

    /// The state of each entry that is served.
    fn read(&self, context: &str) -> Vec<Option<usize>> {
        let cache = self.open();
        let mut found = Vec::new();
        for number in 0..SYMBOLS {
            for features in [false, true] {
                let (id, symbol) = (self.market.id(), self.market.symbol(number));
                let key = if features { EntryKey::features(&id, &symbol, "classic") } else { EntryKey::bars(&id, &symbol) };
                found.push(match cache.read(&key, &Judge::default()) {
                    Ok(read) => {
                        let content = &read.served.content;
                        let state = self.market.state_of(number, content);
                        assert!(state.is_some(), "{context}: {key:?} is a mix: {}", self.market.describe(number, content));
                        state
                    }
                    Err(CacheError::NotCached { .. }) => None,
                    Err(error) => panic!("{context}: {key:?}: {error}"),
                });
            }
        }
        found
    }

    fn assert_newest(&self, context: &str) {
        let newest: Vec<Option<usize>> = (0..SYMBOLS).flat_map(|number| [Some(self.market.newest(number)); 2]).collect();
        assert_eq!(self.read(context), newest, "{context}");
    }
}

/// Does something only in the process that the test below starts for it.
#[test]
fn on_a_small_disk() {
    let Ok(disk) = std::env::var(SMALL_DISK) else { return };
    for round in 0..runs(2).min(40) as u64 {
        let seed = seed() + round;
        let mut random = StdRng::seed_from_u64(seed);
        let mut small = Small::new(Path::new(&disk), &mut random);
        let free = [0, 4_096, 40_000, 150_000, 400_000][random.random_range(0..5)];
        let context = format!("seed {seed}, {free} bytes free");
        it_waits_for_room_and_goes_on(&small, free, &context);
        it_ends_with_a_word_when_nobody_makes_room(&mut small, &mut random, free, &context);
    }
}

fn it_waits_for_room_and_goes_on(small: &Small, free: u64, context: &str) {
    let first = small.run(&["preheat", "--json", "--limit", &BEFORE.to_string()]);
    assert_eq!(first.code, Some(0), "{context}: {first:#?}");
    let before = small.read(context);
    small.fill(free);
    let mut preheat = small.place.start(small.place.command(&["--source", &small.market.url(), "preheat", "--json", "--wait", "2m"]));
    preheat.until_it_says("waiting: ");
    let said = preheat.err();
    assert!(said.contains(&*small.place.cache.to_string_lossy()), "{context}: it names the folder: {said}");
    assert!(
        said.contains("needed") && (said.contains("KB") || said.contains("MB") || said.contains(" B")),
        "{context}: and the bytes: {said}"
    );
    // What was there can be read meanwhile, by whatever.
    let now = small.read(context);
    for (place, state) in before.iter().enumerate().filter(|(_, state)| state.is_some()) {
        assert_eq!(now[place], *state, "{context}: entry {place} was there");
    }
    let read = small.run(&["get", "S003", "--json"]);
    assert_eq!((read.code, read.json().as_array().map(Vec::len)), (Some(0), Some(150)), "{context}: {}", read.err);
    assert!(!preheat.has_ended(), "{context}: it still waits: {}", preheat.err());
    small.make_room();
    let ended = preheat.wait();
    assert_eq!(ended.code, Some(0), "{context}: {ended:#?}");
    assert!(ended.err.contains("going on"), "{context}: {}", ended.err);
    let report = ended.json();
    assert_eq!(number(&report, "/symbols/ok") + number(&report, "/symbols/skipped_fresh"), SYMBOLS as u64, "{context}: {report:#}");
    small.assert_newest(context);
    let verified = small.run(&["verify"]);
    assert_eq!(verified.code, Some(0), "{context}: {verified:#?}");
}

fn it_ends_with_a_word_when_nobody_makes_room(small: &mut Small, random: &mut StdRng, free: u64, context: &str) {
    let numbers: Vec<usize> = (0..SYMBOLS).collect();
    small.market.change(&numbers, rewrite(random));
    // Less than a new version of a file of features needs beside the old one. The room the catalog keeps back would be given up and
    // might be enough for all files, one after the other: it is gone already.
    match std::fs::remove_file(small.place.cache.join("catalog.sqlite.reserve")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
    small.fill(free.min(40_000));
    let ended = small.run(&["preheat", "--check", "--json", "--wait", "1s"]);
    assert!(matches!(ended.code, Some(1 | 2)), "{context}: {ended:#?}");
    let said = format!("{}{}", ended.out, ended.err);
    assert!(said.contains("is full") && said.contains("needed"), "{context}: {said}");
    // Without the room kept back not even the catalog can be opened.
    small.make_room();
    let now = small.read(context);
    assert!(now.iter().all(Option::is_some), "{context}: what was there is there: {now:?}");
    let verified = small.run(&["verify", "--json"]);
    assert_eq!(verified.code, Some(0), "{context}: nothing is left half done: {verified:#?}");
    let again = small.run(&["preheat", "--check", "--json"]);
    assert_eq!(again.code, Some(0), "{context}: {again:#?}");
    small.assert_newest(context);
    let verified = small.run(&["verify"]);
    assert_eq!(verified.code, Some(0), "{context}: {verified:#?}");
}

#[test]
fn a_full_disk_pauses_the_job_until_there_is_room() {
    let folder = tempfile::TempDir::new().expect("folder");
    // A file system of its own, which goes with the process that has it.
    let script =
        format!("mount -t tmpfs -o size={DISK_BYTES} tmpfs \"$1\" || exit 77; exec \"$2\" disk::on_a_small_disk --exact --nocapture");
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    let namespaces = if is_root { "-m" } else { "-rm" };
    let this = std::env::current_exe().expect("this test");
    let mut command = Command::new("unshare");
    command.args([namespaces, "sh", "-c", &script, "small-disk"]).arg(folder.path()).arg(&this).env(SMALL_DISK, folder.path());
    match command.output() {
        Ok(output) if output.status.code() != Some(77) && !String::from_utf8_lossy(&output.stderr).starts_with("unshare:") => {
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
            assert!(output.status.success(), "{text}");
            assert!(text.contains("1 passed"), "it ran: {text}");
            eprintln!("a full disk: in a file system of {DISK_BYTES} bytes in memory");
        }
        refused => {
            eprintln!("a full disk: no file system in memory can be had here ({refused:?}); with a budget instead");
            with_a_budget();
        }
    }
}

#[test]
fn a_budget_that_is_used_up_ends_the_job_with_a_word_and_keeps_what_is_there() {
    with_a_budget();
}

fn with_a_budget() {
    let mut random = StdRng::seed_from_u64(seed());
    let folder = tempfile::TempDir::new().expect("folder");
    let small = Small::new(folder.path(), &mut random);
    assert_eq!(small.run(&["preheat", "--json", "--limit", &BEFORE.to_string()]).code, Some(0));
    let before = small.read("before");
    let used = number(&small.run(&["status", "--json"]).json(), "/bytes/total");
    std::fs::write(small.place.path("settings.toml"), format!("free_reserve_bytes = 0\ndisk_budget_bytes = {used}\n")).expect("settings");
    // More than there is room for, whatever else goes.
    let ended = small.run(&["preheat", "--check", "--json", "--wait", "1s"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let said = format!("{}{}", ended.out, ended.err);
    assert!(said.contains("may take") && said.contains("needed") && said.contains(&*small.place.cache.to_string_lossy()), "{said}");
    let now = small.read("when the budget is used up");
    for (place, state) in before.iter().enumerate().filter(|(_, state)| state.is_some()) {
        assert_eq!(now[place], *state, "entry {place} was there");
    }
    let verified = small.run(&["verify", "--json"]);
    assert_eq!(verified.code, Some(0), "nothing is left half done: {verified:#?}");
    std::fs::write(small.place.path("settings.toml"), "free_reserve_bytes = 0\n").expect("settings");
    assert_eq!(small.run(&["preheat", "--check", "--json"]).code, Some(0));
    small.assert_newest("with another budget");
}
