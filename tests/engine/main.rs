//! The engine through the library: what is worked on and what is left alone, cancelling and pausing, tiers, and the worker.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests may fail tests")]

mod fixture;
#[path = "../cli/market.rs"]
mod market;
mod own_sets;
mod versions;
mod working;

use fixture::{Fixture, set_of};
use samovar::cache::{Content, Definitions, EntryKey, EntryState, Judge, Tier, TimeToLive};
use samovar::feature::FeatureSet;
use samovar::market::{HOUR_US, SECOND_US, Symbol};
use samovar::preheat::{Control, PreheatRequest, Scope};
use std::sync::{Arc, mpsc};

fn counts(report: &samovar::preheat::PreheatReport) -> (usize, usize) {
    (report.ok, report.skipped_fresh)
}

#[test]
fn everything_is_fresh_until_its_time_is_over_to_the_second() {
    let fixture = Fixture::new(4, 30);
    let request =
        PreheatRequest { judge: Arc::new(Judge::new(TimeToLive::hours(24), Definitions::default())), ..PreheatRequest::default() };
    assert_eq!(counts(&fixture.preheat(&request)), (4, 0));
    fixture.clock.advance(24 * HOUR_US - SECOND_US);
    assert_eq!(fixture.count(EntryState::Fresh, &request), 8);
    assert_eq!(counts(&fixture.preheat(&request)), (0, 4));
    fixture.clock.advance(SECOND_US);
    assert_eq!(fixture.count(EntryState::Stale, &request), 8);
    let before = fixture.files("");
    let report = fixture.preheat(&request);
    assert_eq!((counts(&report), report.bars_bytes, report.features_bytes), ((4, 0), 0, 0));
    assert_eq!(fixture.count(EntryState::Fresh, &request), 8);
    let parquet = |files: Vec<(std::path::PathBuf, Vec<u8>, std::time::SystemTime)>| {
        files.into_iter().filter(|(path, ..)| path.extension().is_some_and(|ending| ending == "parquet")).collect::<Vec<_>>()
    };
    assert!(parquet(before) == parquet(fixture.files("")), "what came back unchanged is not written again");
}

#[test]
fn another_definition_redoes_its_features_and_no_bars() {
    let fixture = Fixture::new(5, 60);
    let with = |set: FeatureSet| PreheatRequest { sets: vec![FeatureSet::classic(), set], ..PreheatRequest::default() };
    assert_eq!(counts(&fixture.preheat(&with(set_of(3)))), (5, 0));
    assert_eq!(counts(&fixture.preheat(&with(set_of(3)))), (0, 5));
    let (bars, features) = (fixture.files("bars-v1"), fixture.files("features-v1"));
    let changed = with(set_of(4));
    assert_eq!(fixture.count(EntryState::Outdated, &changed), 5, "only the changed set is outdated");
    assert_eq!(fixture.count(EntryState::Fresh, &changed), 10);
    let report = fixture.preheat(&changed);
    assert_eq!((counts(&report), report.bars_bytes), ((5, 0), 0));
    assert!(fixture.files("bars-v1") == bars, "no bars file was touched");
    let classic = |files: &[(std::path::PathBuf, Vec<u8>, std::time::SystemTime)]| {
        files.iter().filter(|(path, ..)| path.to_string_lossy().contains("classic@")).cloned().collect::<Vec<_>>()
    };
    assert!(classic(&fixture.files("features-v1")) == classic(&features), "no file of the other set was touched");
    let parquet = |files: &[(std::path::PathBuf, Vec<u8>, std::time::SystemTime)]| {
        files.iter().filter(|(path, ..)| path.extension().is_some_and(|ending| ending == "parquet")).count()
    };
    assert_eq!(parquet(&fixture.files("features-v1")), 15, "files of the old definition are an older version");
    assert_eq!(fixture.cache.older_entries(None).expect("older").len(), 5);
    assert_eq!(fixture.count(EntryState::Fresh, &changed), 15);
}

#[test]
fn changed_bars_make_their_features_anew_and_nothing_else() {
    let fixture = Fixture::new(3, 40);
    let request = PreheatRequest::default();
    fixture.preheat(&request);
    let before = fixture.files("");
    let connection = rusqlite::Connection::open(fixture.market()).expect("market");
    market::insert(&connection, "S0001", 40..41);
    fixture.clock.advance(25 * HOUR_US);
    let report = fixture.preheat(&request);
    assert_eq!((report.ok, report.unchanged, report.rows), (3, 2, 1), "only the late bar is new");
    let touched: Vec<String> = fixture
        .files("")
        .iter()
        .filter(|file| !before.contains(file))
        .map(|(path, ..)| path.file_name().expect("name").to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".parquet"))
        .collect();
    assert_eq!(touched, ["S0001.parquet", "S0001.parquet"]);
    assert_eq!(fixture.count(EntryState::Fresh, &request), 6);
}

#[test]
fn features_alone_need_no_source_and_are_outdated_when_bars_change_under_them() {
    let fixture = Fixture::new(3, 40);
    let bars_only = PreheatRequest { scope: Scope::BarsOnly, ..PreheatRequest::default() };
    fixture.preheat(&bars_only);
    let features_only = PreheatRequest { scope: Scope::FeaturesOnly, ..PreheatRequest::default() };
    let report = fixture.preheat(&features_only);
    assert_eq!((report.ok, report.bars_bytes), (3, 0));
    market::execute(&fixture.market(), &format!("UPDATE {} SET close = close + 0.5 WHERE symbol = 'S0002'", market::TABLE));
    let report = fixture.preheat(&PreheatRequest { check: true, ..bars_only });
    assert_eq!(report.features_bytes, 0);
    assert_eq!(fixture.count(EntryState::Outdated, &features_only), 1);
    assert_eq!(counts(&fixture.preheat(&features_only)), (1, 2));
    assert_eq!(fixture.count(EntryState::Fresh, &features_only), 6);
}

#[test]
fn a_cancelled_preheat_keeps_what_was_finished_and_the_next_goes_on() {
    let fixture = Fixture::new(120, 30);
    let request = PreheatRequest { jobs: 1, ..PreheatRequest::default() };
    let control = Arc::new(Control::default());
    let switch = Arc::clone(&control);
    let report = fixture.preheat_watched(&request, &control, move |progress, _finished| {
        if progress.symbols_done > 0 {
            switch.cancel();
        }
    });
    assert!(report.cancelled && report.ok > 0 && report.not_reached > 0, "{report:?}");
    assert_eq!(report.ok + report.not_reached, 120);
    assert_eq!(fixture.count(EntryState::Fresh, &request), 2 * report.ok);
    assert_eq!(fixture.files("bars-v1").len(), report.ok, "nothing lies there that does not count");
    assert_eq!(counts(&fixture.preheat(&request)), (report.not_reached, report.ok));
}

#[test]
fn a_paused_preheat_waits_and_goes_on_when_resumed() {
    let fixture = Fixture::new(20, 30);
    let request = PreheatRequest::default();
    let control = Arc::new(Control::default());
    control.pause();
    let (seen, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            fixture.preheat_watched(&request, &control, move |progress, _| {
                seen.send(progress.symbols_done).expect("somebody listens");
            })
        });
        assert_eq!(heard.recv(), Ok(0), "it has begun");
        assert_eq!(fixture.count(EntryState::Fresh, &request), 0);
        control.resume();
        let report = running.join().expect("no panic");
        assert_eq!((report.ok, report.cancelled), (20, false));
    });
    assert_eq!(heard.iter().last(), Some(20));
}

#[test]
fn a_second_read_comes_from_memory_and_both_are_counted() {
    let fixture = Fixture::new(1, 30);
    fixture.preheat(&PreheatRequest::default());
    let key = EntryKey::features(&fixture.id(), &Symbol::new("S0000"), "classic");
    let judge = Judge::default();
    let tier = || fixture.cache.read(&key, &judge).expect("read").tier;
    assert_eq!((tier(), tier(), tier()), (Tier::Disk, Tier::Memory, Tier::Memory));
    fixture.cache.read(&EntryKey::bars(&fixture.id(), &Symbol::new("nosuch")), &judge).expect_err("not cached");
    let hits = fixture.cache.hit_counts().expect("counts");
    assert_eq!((hits.memory, hits.disk, hits.miss, hits.rate()), (2, 1, 1, Some(0.75)));
    assert_eq!(fixture.cache.catalog().entry(&key).expect("catalog").expect("entry").hits, 3);
    // What is written again is read again.
    fixture.preheat(&PreheatRequest { force: true, ..PreheatRequest::default() });
    assert_eq!(tier(), Tier::Disk);
}

#[test]
fn features_lie_beside_the_bars_they_were_computed_from() {
    let fixture = Fixture::new(1, 100);
    fixture.preheat(&PreheatRequest::default());
    let read = |key: EntryKey| fixture.cache.read(&key, &Judge::default()).expect("read").served;
    let symbol = Symbol::new("S0000");
    let bars = read(EntryKey::bars(&fixture.id(), &symbol));
    let features = read(EntryKey::features(&fixture.id(), &symbol, "classic"));
    let Content::Features { bars: beside, table } = &features.content else { panic!("features") };
    assert_eq!(beside, bars.content.bars());
    assert_eq!(features.entry.provenance.expect("provenance").inputs, bars.entry.file.as_ref().expect("file").fingerprint);
    assert_eq!(table.names.len(), 45);
    let classic = FeatureSet::classic();
    for (place, definition) in classic.definitions().iter().enumerate() {
        let column = table.column(&definition.name).expect("column");
        let first = column.iter().position(|value| !value.is_nan());
        let expected = if &*definition.name == "turnover_rate" { None } else { classic.first_value(place) };
        assert_eq!(first, expected, "{}", definition.name);
    }
}
