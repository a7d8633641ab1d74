//! Definitions that change: what is computed again and what is not, older versions, and features kept as Float32.

use super::fixture::Fixture;
use super::market;
use parquet::file::metadata::ParquetMetaDataReader;
use samovar::cache::{Cache, Content, Dataset, Entry, EntryKey, EntryState, Judge, Limits};
use samovar::feature::{self, FeatureSet, FeatureTable};
use samovar::market::{DAY_US, HOUR_US, Symbol};
use samovar::preheat::{FeatureCounts, PreheatReport, PreheatRequest, Scope};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// The classic features under another name, one part of their text replaced by another.
fn classic_with(from: &str, to: &str) -> FeatureSet {
    let text = FeatureSet::built_in_text("classic").expect("built in").replace("name = \"classic\"", "name = \"mine\"");
    assert!(text.contains(from), "{from}");
    FeatureSet::from_toml(&text.replace(from, to)).expect("a set")
}

fn request(set: &FeatureSet) -> PreheatRequest {
    PreheatRequest { sets: vec![set.clone()], ..PreheatRequest::default() }
}

fn entry(cache: &Cache, key: &EntryKey) -> Entry {
    cache.catalog().entry(key).expect("catalog").unwrap_or_else(|| panic!("{key:?} is not there"))
}

fn key(fixture: &Fixture, symbol: &str) -> EntryKey {
    EntryKey::features(&fixture.id(), &Symbol::new(symbol), "mine")
}

fn bytes_of(cache: &Cache, entry: &Entry) -> Vec<u8> {
    fs::read(cache.folders().absolute(&entry.key.dataset, &entry.file.as_ref().expect("a file").path)).expect("read")
}

/// The encoded bytes of every column, by name.
fn columns(cache: &Cache, entry: &Entry) -> BTreeMap<String, Vec<u8>> {
    let bytes = bytes_of(cache, entry);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone())).expect("a Parquet file");
    let mut found: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for chunk in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let (start, length) = chunk.byte_range();
        found.entry(chunk.column_path().string()).or_default().extend(&bytes[start as usize..(start + length) as usize]);
    }
    found
}

fn table(cache: &Cache, key: &EntryKey) -> Arc<FeatureTable> {
    match &cache.read_from_disk(key).expect("read").content {
        Content::Features { table, .. } => Arc::clone(table),
        Content::Bars(_) => panic!("features"),
    }
}

fn assert_same(found: &FeatureTable, expected: &FeatureTable) {
    assert_eq!((&found.names, &found.time_us), (&expected.names, &expected.time_us));
    for (name, (found, expected)) in found.names.iter().zip(found.columns.iter().zip(&expected.columns)) {
        let same = found.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()));
        assert!(same && found.len() == expected.len(), "{name}");
    }
}

/// Every symbol's features are what computing everything from its cached bars gives.
fn assert_whole(fixture: &Fixture, set: &FeatureSet, symbols: usize) {
    for symbol in market::names(symbols) {
        let bars = fixture.cache.read_from_disk(&EntryKey::bars(&fixture.id(), &Symbol::new(&symbol))).expect("bars");
        assert_same(&table(&fixture.cache, &key(fixture, &symbol)), &feature::compute(set, bars.content.bars()));
    }
}

fn insert(fixture: &Fixture, symbols: usize, days: std::ops::Range<usize>) {
    let connection = rusqlite::Connection::open(fixture.market()).expect("market");
    for symbol in market::names(symbols) {
        market::insert(&connection, &symbol, days.clone());
    }
}

/// A market whose last bar is yesterday's.
fn fixture(symbols: usize, bars: usize) -> Fixture {
    let fixture = Fixture::new(symbols, bars);
    fixture.clock.advance(FIRST_DAY_US + bars as i64 * DAY_US - fixture.cache.now_us());
    fixture
}

/// 2020-01-01, a while after midnight.
const FIRST_DAY_US: i64 = 18_262 * DAY_US + 3 * HOUR_US;

/// Asks the source what it has, so that what it gets later is known to be new.
fn ask(fixture: &Fixture, set: &FeatureSet) {
    fixture.preheat(&PreheatRequest { check: true, ..request(set) });
}

fn counts(report: &PreheatReport) -> (u64, u64, u64, u64) {
    let FeatureCounts { computed, continued, reused, restored, .. } = report.features;
    (computed, continued, reused, restored)
}

#[test]
fn of_45_features_with_one_formula_changed_44_are_the_same_bytes_and_uncomputed() {
    let fixture = fixture(3, 200);
    let before = classic_with("Mean($close, 5)\"", "Mean($close, 5)\"");
    let after = classic_with("EMA($close, 25)", "EMA($close, 24)");
    assert_eq!(counts(&fixture.preheat(&request(&before))), (135, 0, 0, 0));
    let old: Vec<Entry> = market::names(3).iter().map(|symbol| entry(&fixture.cache, &key(&fixture, symbol))).collect();
    let old_columns: Vec<_> = old.iter().map(|entry| columns(&fixture.cache, entry)).collect();
    let old_bytes: Vec<_> = old.iter().map(|entry| bytes_of(&fixture.cache, entry)).collect();
    assert_eq!(fixture.count(EntryState::Outdated, &request(&after)), 3);
    let report = fixture.preheat(&request(&after));
    assert_eq!(counts(&report), (3, 0, 132, 0));
    let features = report.features;
    assert_eq!((features.values_computed, features.values_reused, features.kept_older), (3 * 200, 3 * 44 * 200, 3));
    assert_eq!((report.counted.rows_fetched, report.bars_bytes), (0, 0));
    for ((symbol, old_columns), (old, old_bytes)) in market::names(3).iter().zip(&old_columns).zip(old.iter().zip(&old_bytes)) {
        let now = columns(&fixture.cache, &entry(&fixture.cache, &key(&fixture, symbol)));
        assert_eq!(now.len(), 6 + 45);
        let changed: Vec<&String> =
            now.iter().filter(|(name, bytes)| old_columns.get(*name) != Some(bytes)).map(|(name, _)| name).collect();
        assert_eq!(changed, ["ema25"]);
        let older = key(&fixture, symbol).older(before.definition_hash()).expect("features");
        assert!(bytes_of(&fixture.cache, &entry(&fixture.cache, &older)) == *old_bytes, "the older version is as it was");
        assert_eq!(entry(&fixture.cache, &older).file, old.file);
    }
    assert_whole(&fixture, &after, 3);
    assert!(fixture.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
    // What is added later goes on from a state that was put together.
    ask(&fixture, &after);
    insert(&fixture, 3, 200..203);
    fixture.clock.advance(3 * DAY_US);
    let report = fixture.preheat(&request(&after));
    assert_eq!(counts(&report), (0, 135, 0, 0));
    assert_eq!(report.features.values_computed, 3 * 3 * 45);
    assert_whole(&fixture, &after, 3);
}

#[test]
fn names_and_order_may_change_without_anything_being_computed() {
    let fixture = fixture(2, 100);
    let before = classic_with("EMA($close, 25)", "EMA($close, 25)");
    fixture.preheat(&request(&before));
    let renamed = classic_with("psy12 = ", "psychology = ");
    let report = fixture.preheat(&request(&renamed));
    assert_eq!((counts(&report), report.features.values_computed), ((0, 0, 90, 0), 0));
    assert_whole(&fixture, &renamed, 2);
    // Another order is no other definition: nothing is outdated, and the columns stay where they are.
    let mut parts = renamed.parts().clone();
    parts.features.reverse();
    let turned = FeatureSet::of_parts(parts).expect("a set");
    assert_eq!(turned.definition_hash(), renamed.definition_hash());
    assert_eq!(fixture.preheat(&request(&turned)).skipped_fresh, 2);
}

#[test]
fn a_definition_that_is_taken_back_costs_nothing() {
    let fixture = fixture(3, 100);
    let (one, other) = (classic_with("EMA($close, 25)", "EMA($close, 25)"), classic_with("EMA($close, 25)", "EMA($close, 24)"));
    fixture.preheat(&request(&one));
    fixture.preheat(&request(&other));
    let report = fixture.preheat(&request(&one));
    assert_eq!((counts(&report), report.counted.bytes_written, report.counted.rows_computed), ((0, 0, 0, 135), 0, 0));
    assert_eq!(fixture.count(EntryState::Fresh, &request(&one)), 6);
    assert_whole(&fixture, &one, 3);
    // Taken back after bars were added: it goes on from where it was.
    ask(&fixture, &one);
    insert(&fixture, 3, 100..102);
    fixture.clock.advance(2 * DAY_US);
    let report = fixture.preheat(&request(&other));
    assert_eq!((counts(&report), report.features.values_computed), ((0, 135, 0, 0), 3 * 2 * 45));
    assert_whole(&fixture, &other, 3);
    assert_eq!(fixture.cache.older_entries(None).expect("older").len(), 3);
    assert!(fixture.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn two_older_versions_are_kept_and_what_they_were_is_written_down() {
    let fixture = fixture(2, 80);
    let versions: Vec<FeatureSet> = (20..25).map(|window| classic_with("EMA($close, 25)", &format!("EMA($close, {window})"))).collect();
    for set in &versions {
        fixture.clock.advance(1);
        fixture.preheat(&request(set));
    }
    let older: Vec<Dataset> = fixture.cache.older_entries(None).expect("older").into_iter().map(|entry| entry.key.dataset).collect();
    let mut expected: Vec<Dataset> = [2, 3, 2, 3].map(|place: usize| Dataset::older("mine", versions[place].definition_hash())).to_vec();
    expected.sort();
    let mut found = older.clone();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(fixture.cache.catalog().trash_batches().expect("trash").iter().map(|batch| batch.entries).sum::<u64>(), 4);
    let known = fixture.cache.set_versions().expect("versions");
    assert_eq!(known.len(), 5);
    assert!(known.iter().zip(versions.iter().rev()).all(|(facts, set)| *facts.record.version.text == *set.source_text()));
    assert_eq!(known.iter().map(|facts| facts.entries).collect::<Vec<_>>(), [2, 2, 2, 0, 0]);
    let judge = Judge::default();
    let read = fixture.cache.read(&key(&fixture, "S0001").older(versions[2].definition_hash()).expect("features"), &judge).expect("read");
    assert_eq!(read.state, EntryState::Fresh);
    // Who wants none keeps none.
    let none = PreheatRequest { kept_versions: 0, ..request(&versions[0]) };
    let report = fixture.preheat(&none);
    assert_eq!(report.features.kept_older, 0);
    assert_eq!(fixture.cache.older_entries(None).expect("older").len(), 4, "those that were there are not this run's to remove");
}

#[test]
fn where_there_is_room_for_one_version_only_the_older_one_goes() {
    let fixture = fixture(4, 400);
    let (one, other) = (classic_with("EMA($close, 25)", "EMA($close, 25)"), classic_with("EMA($close, 25)", "EMA($close, 24)"));
    fixture.preheat(&request(&one));
    let used: u64 = fixture.cache.catalog().entries(None).expect("entries").iter().map(Entry::size_bytes).sum();
    fixture.cache.set_limits(Limits { disk_budget_bytes: used + used / 50, free_reserve_bytes: 0 });
    let report = fixture.preheat(&request(&other));
    assert_eq!((report.ok, report.stopped_by), (4, None));
    assert_eq!(fixture.count(EntryState::Fresh, &request(&other)), 8);
    assert_eq!(fixture.cache.older_entries(None).expect("older").len(), 0);
    assert!(fixture.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn features_kept_as_float32_are_the_others_rounded_whatever_way_they_came() {
    let fixture = fixture(2, 500);
    let exact = classic_with("EMA($close, 25)", "EMA($close, 25)");
    let rounded = classic_with("precision = \"f64\"", "precision = \"f32\"");
    let report = fixture.preheat(&request(&exact));
    assert_eq!(report.features.rounding, None);
    let size = |fixture: &Fixture| entry(&fixture.cache, &key(fixture, "S0000")).size_bytes();
    let wide = size(&fixture);
    // Exact values are there: they are rounded, not computed.
    let report = fixture.preheat(&request(&rounded));
    assert_eq!(counts(&report), (0, 0, 90, 0));
    let largest = report.features.rounding.expect("values were rounded");
    assert!(largest > 1e-9 && largest < 6e-8, "{largest}");
    assert!(size(&fixture) * 3 < wide * 2, "{} of {wide}", size(&fixture));
    let expected = |fixture: &Fixture, symbol: &str| {
        let bars = fixture.cache.read_from_disk(&EntryKey::bars(&fixture.id(), &Symbol::new(symbol))).expect("bars");
        let mut table = feature::compute(&rounded, bars.content.bars());
        for column in &mut table.columns {
            column.iter_mut().for_each(|value| *value = f64::from(*value as f32));
        }
        table
    };
    let assert_rounded = |fixture: &Fixture| {
        for symbol in ["S0000", "S0001"] {
            assert_same(&table(&fixture.cache, &key(fixture, symbol)), &expected(fixture, symbol));
        }
    };
    assert_rounded(&fixture);
    ask(&fixture, &rounded);
    for days in [500..501, 501..504] {
        fixture.clock.advance(days.len() as i64 * DAY_US);
        insert(&fixture, 2, days);
        let report = fixture.preheat(&request(&rounded));
        assert_eq!(counts(&report), (0, 90, 0, 0));
        assert!(report.features.rounding.is_some_and(|now| now >= largest));
        assert_rounded(&fixture);
    }
    let record = fixture.cache.catalog().set_version("mine", rounded.definition_hash()).expect("catalog").expect("written down");
    assert!(record.rounding.is_some_and(|now| now >= largest));
    // Computed from the first bar on, it is the same.
    fixture.preheat(&PreheatRequest { force: true, scope: Scope::FeaturesOnly, ..request(&rounded) });
    assert_rounded(&fixture);
    // Rounded values are not taken for exact ones.
    let report = fixture.preheat(&request(&classic_with("EMA($close, 25)", "EMA($close, 23)")));
    assert_eq!(counts(&report), (90, 0, 0, 0));
    assert!(fixture.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn several_sets_are_brought_up_to_date_together_and_apart() {
    let fixture = fixture(2, 60);
    let sets: Vec<FeatureSet> = FeatureSet::names().iter().filter_map(|name| FeatureSet::by_name(name)).collect();
    let all = PreheatRequest { sets: sets.clone(), ..PreheatRequest::default() };
    let features: usize = sets.iter().map(|set| set.definitions().len()).sum();
    let report = fixture.preheat(&all);
    assert_eq!((report.ok, report.features.computed), (2, 2 * features as u64));
    assert_eq!(fixture.preheat(&all).skipped_fresh, 2);
    assert_eq!(fixture.cache.set_versions().expect("versions").len(), sets.len());
}
