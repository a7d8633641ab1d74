//! Flipped bits and cut-off files in a cache that real preheats made, bars, features and catalog alike: never served, found by
//! `verify`, mended by `verify --repair` and a preheat, and then the cache is what a new one would be.

use super::lab::{Held, Lab, assert_same, assert_same_content, check, held, open, over_after, preheat, scratch};
use super::market::{Market, day_of};
use super::rewritten::values;
use super::support::tables::Kind;
use super::{runs, seed};
use chrono::Days;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use samovar::cache::{Cache, CacheError, EntryKey, Judge, TimeToLive};
use samovar::market::{DAY_US, ManualClock, micros_of_date};
use samovar::source::SourceUrl;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

const BARS: u64 = 150;
/// The last one's bars have a time of day, and so a file per year.
const SYMBOLS: [&str; 3] = ["A", "600519.SH", "ß"];

/// A cache as it lies on the disk while nobody has it open, and what it has.
struct Pristine {
    market: Market,
    lab: Lab,
    truth: Held,
    now_us: i64,
}

/// Damage done to a copy of it.
#[derive(Debug)]
struct Damage {
    /// The entry whose file it is; `None` for the catalog.
    entry: Option<EntryKey>,
    cut: bool,
    /// Whether the catalog was left as a killed process leaves it.
    killed: bool,
    /// What was done where.
    told: String,
}

impl Pristine {
    /// Whole files, files that were added to several times, and one that was rewritten.
    fn new() -> Self {
        let mut random = StdRng::seed_from_u64(7);
        let mut market = Market::new(Kind::Sqlite, true, true, true).expect("a market");
        let first = day_of("2022-11-02");
        let time = |symbol: &str, number: u64| {
            let time = if symbol == SYMBOLS[2] { "10:30:00" } else { "00:00:00" };
            format!("{} {time}", first + Days::new(number))
        };
        for symbol in SYMBOLS {
            for number in 0..BARS {
                let row = values(&mut random);
                market.insert(symbol, &time(symbol, number), row);
            }
        }
        market.flush();
        let lab = Lab::new(&market.url(), micros_of_date(first + Days::new(BARS)) + DAY_US / 2);
        let catalog = lab.cache.catalog();
        for number in 0..4 {
            let job = catalog.begin_job(&format!("Preheat everything for the {number}th time"), 0).expect("job");
            catalog.finish_job(job, r#"{"symbols":{"requested":3,"ok":3,"failed":0}}"#, 1).expect("job");
        }
        lab.preheat(&check());
        for number in BARS..BARS + 4 {
            for symbol in &SYMBOLS[1..] {
                let row = values(&mut random);
                market.insert(symbol, &time(symbol, number), row);
            }
            if number == BARS + 1 {
                let row = market.rows_of(SYMBOLS[1])[40].clone();
                let other = values(&mut random);
                market.update(SYMBOLS[1], row.id, other);
            }
            market.flush();
            lab.clock.advance(DAY_US);
            lab.preheat(&check());
        }
        let (truth, now_us) = (lab.held(), samovar::market::Clock::now_us(&*lab.clock));
        assert_same("before any damage", &truth, &lab.fresh(&check()));
        assert_eq!(truth.len(), 2 * SYMBOLS.len());
        Self { market, lab, truth, now_us }
    }

    fn damage(&self, folder: &Path, random: &mut StdRng, cut: bool) -> Damage {
        let keys: Vec<&EntryKey> = self.truth.keys().collect();
        let wanted = random.random_range(0..3);
        let of_kind: Vec<&EntryKey> = keys.into_iter().filter(|key| key.dataset.is_bars() == (wanted == 0)).collect();
        let entry = (wanted < 2).then(|| (*of_kind.choose(random).expect("an entry")).clone());
        let path = entry.as_ref().map_or_else(|| folder.join("catalog.sqlite"), |key| path_of(folder, key, &self.truth, random));
        let killed = entry.is_none() && random.random_bool(0.25);
        if killed {
            fs::remove_file(folder.join("catalog.sqlite.sum")).expect("the sum of a catalog that was closed");
        }
        let mut bytes = fs::read(&path).expect("a file");
        let told = if cut {
            let length = random.random_range(0..bytes.len());
            bytes.truncate(length);
            format!("{} cut to {length}", path.display())
        } else {
            let (byte, bit) = (random.random_range(0..bytes.len()), random.random_range(0..8));
            bytes[byte] ^= 1 << bit;
            format!("{}: bit {bit} of byte {byte} of {}", path.display(), bytes.len())
        };
        fs::write(&path, bytes).expect("damage");
        Damage { entry, cut, killed, told }
    }
}

fn path_of(folder: &Path, key: &EntryKey, truth: &Held, random: &mut StdRng) -> PathBuf {
    let tree = if key.dataset.is_bars() { samovar::cache::BARS_TREE } else { samovar::cache::FEATURES_TREE };
    let facts = truth[key].0.file.as_ref().expect("a file");
    let path = folder.join(tree).join(&facts.path);
    facts.years.choose(random).map_or(path.clone(), |file| path.join(format!("{}.parquet", file.year)))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for item in fs::read_dir(from).expect("folder").flatten() {
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).expect("copy");
        }
    }
}

/// Reads everything: right, or an explained miss of what is damaged. Returns how many were missed.
fn read_all(context: &str, cache: &Cache, truth: &Held, damage: &Damage) -> usize {
    let mut missed = 0;
    for (key, (_, content)) in truth {
        match cache.read(key, &Judge::default()) {
            Ok(found) => assert_same_content(&format!("{context}: {key:?}"), &found.served.content, content),
            Err(CacheError::NotCached { .. } | CacheError::Damaged { .. }) if damage.entry.as_ref() == Some(key) => missed += 1,
            Err(error) => panic!("{context}: {key:?}: {error}"),
        }
    }
    missed
}

#[derive(Debug, Default)]
struct Tally {
    flips: usize,
    cuts: usize,
    of_catalog: usize,
    of_killed: usize,
    found_of_killed: usize,
    by_program: usize,
}

fn inside(pristine: &Pristine, folder: &Path, damage: &Damage, read_first: bool, tally: &mut Tally) {
    let context = format!("{damage:?}");
    let clock = Arc::new(ManualClock::at(pristine.now_us));
    let url: &SourceUrl = &pristine.lab.url;
    let cache = open(folder, &clock);
    if read_first {
        let missed = read_all(&context, &cache, &pristine.truth, damage);
        assert_eq!(missed, usize::from(damage.entry.is_some()), "{context}: damaged content was served");
    }
    let report = cache.verify(false, &|_, _| {}).expect("verify");
    match (&damage.entry, read_first) {
        (Some(key), false) => {
            assert_eq!((report.damaged.len(), report.missing.len()), (1, 0), "{context}: {report:?}");
            assert_eq!(report.damaged[0].symbol, key.symbol.as_str(), "{context}");
        }
        // Reading it took it out of the way already.
        (Some(_), true) => assert!(report.is_clean(), "{context}: {report:?}"),
        (None, _) if damage.killed => tally.found_of_killed += usize::from(!report.catalog.is_empty()),
        (None, _) => assert!(!report.catalog.is_empty(), "{context}: verify did not find it"),
    }
    read_all(&context, &cache, &pristine.truth, damage);
    let repaired = cache.verify(true, &|_, _| {}).expect("repair");
    assert!(repaired.to_restore.len() <= 1 && repaired.orphans.is_empty(), "{context}: {repaired:?}");
    preheat(&cache, url, &over_after(TimeToLive::hours(24)));
    let report = cache.verify(false, &|_, _| {}).expect("verify");
    assert!(report.is_clean(), "{context}: {report:?}");
    assert_same(&context, &held(&cache, &url.id()), &pristine.truth);
    // And it stays so for who opens it next.
    drop(cache);
    let cache = open(folder, &clock);
    assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean(), "{context}");
    assert_same(&context, &held(&cache, &url.id()), &pristine.truth);
}

/// The program itself, in a home of its own.
pub(super) fn samovar(home: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_samovar"));
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "RUST_LOG", "SAMOVAR_SOURCE_PASSWORD", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command.env("HOME", home).env("SAMOVAR_CACHE_DIR", folder).env("SAMOVAR_CONFIG", home.join("settings.toml"));
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env(name, home.join(name));
    }
    command.current_dir(home).args(arguments).output().expect("the program runs")
}

/// What `get` says of all entries.
fn said(home: &Path, folder: &Path, source: &str, context: &str) -> Vec<String> {
    let mut said = Vec::new();
    for symbol in SYMBOLS {
        for dataset in [&["--bars"][..], &[]] {
            let output = samovar(home, folder, &[&["--source", source, "get", symbol, "--format", "csv"], dataset].concat());
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{context}: get {symbol}: {errors}");
            said.push(String::from_utf8_lossy(&output.stdout).into_owned());
        }
    }
    said
}

fn by_program(pristine: &Pristine, folder: &Path, damage: &Damage, expected: &[String], get_first: bool) {
    let context = format!("{damage:?}");
    let (home, source) = (scratch(), pristine.market.url());
    let source = source.as_str();
    if get_first {
        assert_eq!(said(home.path(), folder, source, &context), expected, "{context}: get before verify");
    } else {
        let found = samovar(home.path(), folder, &["--source", source, "verify"]);
        let is_sure = !damage.killed;
        assert!(!is_sure || found.status.code() == Some(2), "{context}: {found:?}");
    }
    let repaired = samovar(home.path(), folder, &["--source", source, "verify", "--repair"]);
    assert_eq!(repaired.status.code(), Some(0), "{context}: {repaired:?}");
    let clean = samovar(home.path(), folder, &["--source", source, "verify"]);
    assert_eq!(clean.status.code(), Some(0), "{context}: {clean:?}");
    assert_eq!(said(home.path(), folder, source, &context), expected, "{context}: get after repair");
}

/// A cache as it lies on the disk when the program has ended, and its folder.
fn closed() -> (Pristine, tempfile::TempDir) {
    let mut pristine = Pristine::new();
    // Closed, as it lies there when the program has ended.
    let closed = scratch();
    let other = open(scratch().path(), &pristine.lab.clock);
    let used = std::mem::replace(&mut pristine.lab.cache, other);
    let folder = used.folders().cache_dir.clone();
    drop(used);
    copy(&folder, closed.path());
    assert!(closed.path().join("catalog.sqlite.sum").exists());
    (pristine, closed)
}

#[test]
fn no_flipped_bit_and_no_cut_of_bars_features_or_catalog_outlives_verify() {
    let seed = seed(70);
    let mut random = StdRng::seed_from_u64(seed);
    let (pristine, closed) = closed();
    let home = scratch();
    let expected = {
        let folder = scratch();
        copy(closed.path(), folder.path());
        said(home.path(), folder.path(), &pristine.market.url(), "undamaged")
    };
    let mut tally = Tally::default();
    for run in 0..runs(126) {
        let folder = scratch();
        copy(closed.path(), folder.path());
        let cut = run % 6 == 5;
        let damage = pristine.damage(folder.path(), &mut random, cut);
        println!("run {run}: {}", damage.told);
        tally.cuts += usize::from(damage.cut);
        tally.flips += usize::from(!damage.cut);
        tally.of_catalog += usize::from(damage.entry.is_none());
        tally.of_killed += usize::from(damage.killed);
        if run % 20 == 7 {
            by_program(&pristine, folder.path(), &damage, &expected, run % 40 == 7);
            tally.by_program += 1;
        } else {
            inside(&pristine, folder.path(), &damage, run % 2 == 0, &mut tally);
        }
    }
    println!("{tally:?}");
}

/// Without the sum of a catalog that was closed, some flipped bits cannot be noticed; but none may lock a user out.
#[test]
fn a_catalog_that_was_not_closed_opens_whatever_bit_was_flipped() {
    let seed = seed(75);
    let mut random = StdRng::seed_from_u64(seed);
    let (pristine, closed) = closed();
    let damage = Damage { entry: None, cut: false, killed: true, told: String::new() };
    fs::remove_file(closed.path().join("catalog.sqlite.sum")).expect("the sum of a catalog that was closed");
    let whole = fs::read(closed.path().join("catalog.sqlite")).expect("a catalog");
    let used: Vec<usize> = (0..whole.len()).filter(|byte| whole[*byte] != 0).collect();
    for run in 0..runs(60) {
        let folder = scratch();
        copy(closed.path(), folder.path());
        let mut bytes = whole.clone();
        let (byte, bit) = (*used.choose(&mut random).expect("a byte"), if run % 2 == 0 { 7 } else { random.random_range(0..8) });
        bytes[byte] ^= 1 << bit;
        fs::write(folder.path().join("catalog.sqlite"), bytes).expect("damage");
        println!("run {run}: bit {bit} of byte {byte}");
        let cache = open(folder.path(), &pristine.lab.clock);
        read_all(&format!("bit {bit} of byte {byte}"), &cache, &pristine.truth, &damage);
        cache.verify(true, &|_, _| {}).expect("repair");
        assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
        preheat(&cache, &pristine.lab.url, &over_after(TimeToLive::hours(24)));
        assert_same(&format!("bit {bit} of byte {byte}"), &held(&cache, &pristine.lab.id()), &pristine.truth);
    }
}
