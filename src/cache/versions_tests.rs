//! Tests of older versions: what becomes one, how it is read, cleared, evicted, trimmed, and found again after a loss.

use super::*;
use crate::cache::test_cache::{NOW, TestCache, bars_of, definition_of, features_of};
use crate::cache::{Batch, CacheOptions, DatasetFilter, Limits, Selection};
use crate::market::SECOND_US;

fn version(definition: u64) -> Arc<SetVersion> {
    Arc::new(SetVersion {
        set: Arc::from("mine"),
        definition: definition_of(definition),
        text: Arc::from(format!("name = \"mine\"\n# version {definition}\n")),
        engine_version: "1".to_owned(),
        precision: Precision::F64,
        features: vec![(Arc::from("double"), u128::from(definition))],
    })
}

fn older(symbol: &str, definition: u64) -> EntryKey {
    features_of(symbol).older(definition_of(definition)).expect("features have versions")
}

/// Caches features made by a definition, as a preheat does.
fn put(test: &TestCache, symbols: &[&str], definition: u64) {
    test.clock.advance(SECOND_US);
    let staged: Vec<Staged> = symbols.iter().map(|symbol| test.stage_features(symbol, 10, 1.0, 5, definition)).collect();
    let used = VersionUse { version: version(definition), entries: staged.len() as u64, rows: 10 * staged.len() as u64, rounding: None };
    let committed = test.cache.commit_batch(&Batch { staged, versions: vec![used], ..Batch::default() }).expect("committed");
    assert!(committed.lost.is_empty());
}

/// What is read of an entry's only column at its first row.
fn value(test: &TestCache, key: &EntryKey) -> Option<f64> {
    match test.read(key) {
        Ok(found) => match &found.served.content {
            crate::cache::Content::Features { table, .. } => Some(table.columns[0][0]),
            crate::cache::Content::Bars(_) => panic!("features"),
        },
        Err(CacheError::NotCached { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn selection(datasets: DatasetFilter) -> Selection {
    Selection { datasets, ..Selection::default() }
}

#[test]
fn what_another_definition_computed_stays_readable_and_is_in_nobodys_way() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    put(&test, &["A"], 2);
    assert_eq!(test.cache.set_versions().expect("versions")[0].entries, 1);
    put(&test, &["A"], 1);
    assert_eq!((value(&test, &features_of("A")), value(&test, &older("A", 2))), (Some(2.0), Some(3.0)));
    // Twice, so that it also comes from memory; in any case it has no age.
    test.clock.advance(1_000 * crate::market::DAY_US);
    assert_eq!(value(&test, &older("A", 2)), Some(3.0));
    let states = test.cache.states(None, &test.judge).expect("states");
    assert_eq!(states.iter().map(|(entry, _)| entry.key.dataset.name()).collect::<Vec<_>>(), ["bars", "mine"]);
    assert_eq!(test.cache.older_entries(None).expect("older").len(), 1);
    let (invalidated, _) = test.cache.invalidate(&Selection::default(), &test.judge).expect("invalidated");
    assert_eq!(invalidated, 2);
    let read = test.read(&older("A", 2)).expect("read");
    assert_eq!(read.state, crate::cache::EntryState::Fresh);
    assert!(test.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn every_version_is_written_down_with_what_it_computed() {
    let test = TestCache::new();
    put(&test, &["A", "B"], 2);
    put(&test, &["A", "B"], 1);
    put(&test, &["A"], 2);
    let versions = test.cache.set_versions().expect("versions");
    let told: Vec<_> = versions
        .iter()
        .map(|facts| (facts.record.version.definition, facts.record.entries_computed, facts.record.rows_computed, facts.entries))
        .collect();
    assert_eq!(told, [(definition_of(2), 3, 30, 2), (definition_of(1), 2, 20, 2)]);
    let first = &versions[0].record;
    assert_eq!((first.first_used_us, first.last_used_us), (NOW + SECOND_US, NOW + 3 * SECOND_US));
    assert_eq!(first.version, *version(2));
    assert_eq!(test.cache.catalog().set_version("mine", definition_of(2)).expect("catalog").as_ref(), Some(first));
    assert_eq!(test.cache.catalog().set_version("mine", definition_of(9)).expect("catalog"), None);
    let path = Folders::version_text_path(&SourceId::new("test"), "mine", definition_of(2));
    let text = std::fs::read_to_string(test.cache.folders().absolute(&features_of("A").dataset, &path)).expect("beside the files");
    assert_eq!(*text, *version(2).text);
}

#[test]
fn a_definition_that_comes_back_has_its_files_back() {
    let test = TestCache::new();
    put(&test, &["A"], 2);
    put(&test, &["A"], 1);
    let entry = test.cache.catalog().entry(&older("A", 2)).expect("catalog").expect("older");
    let staged = test.stage_features("A", 10, 1.0, 0, 3);
    let footer = Footer {
        key: features_of("A"),
        provenance: entry.provenance,
        range: entry.range,
        fetched_at_us: test.cache.now_us(),
        quality: entry.quality,
        synced: None,
        provisional_from_us: None,
        cost_us: 0,
        state: None,
        precision: crate::feature::Precision::F64,
        rounding: None,
        years: None,
    };
    drop(staged);
    let back = test.cache.stage_older(&entry, &footer);
    assert_eq!(back.bytes_written(), 0);
    test.cache.commit(&[back]).expect("committed");
    assert_eq!((value(&test, &features_of("A")), value(&test, &older("A", 1))), (Some(3.0), Some(2.0)));
    assert_eq!(value(&test, &older("A", 2)), None);
    assert_eq!(test.cache.older_entries(None).expect("older").len(), 1);
}

#[test]
fn a_clear_of_a_set_takes_its_versions_and_brings_them_back() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    put(&test, &["A"], 2);
    put(&test, &["A"], 1);
    let only = DatasetFilter::Sets(vec![older("A", 2).dataset.name().to_owned()]);
    assert_eq!(test.cache.clear(&selection(only), &test.judge).expect("cleared").entries, 1);
    assert_eq!((value(&test, &features_of("A")), value(&test, &older("A", 2))), (Some(2.0), None));
    test.cache.undo_clear(None).expect("undone");
    let cleared = test.cache.clear(&selection(DatasetFilter::Sets(vec!["mine".to_owned()])), &test.judge).expect("cleared");
    assert_eq!(cleared.entries, 2);
    assert_eq!((value(&test, &features_of("A")), value(&test, &older("A", 2))), (None, None));
    assert_eq!(test.cache.undo_clear(None).expect("undone").entries, 2);
    assert_eq!((value(&test, &features_of("A")), value(&test, &older("A", 2))), (Some(2.0), Some(3.0)));
    // What another definition has taken the place of meanwhile comes back as an older version.
    test.cache.clear(&selection(DatasetFilter::Features), &test.judge).expect("cleared");
    put(&test, &["A"], 2);
    assert_eq!(test.cache.undo_clear(None).expect("undone").entries, 1);
    assert_eq!((value(&test, &features_of("A")), value(&test, &older("A", 1))), (Some(3.0), Some(2.0)));
    assert!(test.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn only_so_many_versions_of_a_set_are_kept() {
    let test = TestCache::new();
    for definition in [5, 4, 3, 2] {
        put(&test, &["A", "B"], definition);
    }
    put(&test, &["A"], 1);
    assert_eq!(test.cache.older_entries(None).expect("older").len(), 7);
    assert_eq!(test.cache.trim_versions(4).expect("trimmed").entries, 0);
    let trimmed = test.cache.trim_versions(2).expect("trimmed");
    assert_eq!(trimmed.entries, 4);
    let left: Vec<String> =
        test.cache.older_entries(None).expect("older").iter().map(|entry| entry.key.dataset.name().to_owned()).collect();
    let name = |definition| older("A", definition).dataset.name().to_owned();
    assert_eq!(left, [name(2), name(3), name(3)]);
    assert_eq!(test.cache.undo_clear(None).expect("undone").entries, 4);
    assert_eq!(value(&test, &older("B", 5)), Some(6.0));
    let lease = test.another().lease(&SourceId::new("test"), &[Symbol::new("B")]).expect("lease");
    assert_eq!(test.cache.trim_versions(0).expect("trimmed").entries, 4, "somebody writes B at the moment");
    drop(lease);
    assert_eq!(test.cache.trim_versions(0).expect("trimmed").entries, 3);
}

#[test]
fn older_versions_go_before_anything_else() {
    let test = TestCache::with(|options: &mut CacheOptions| options.limits = Limits { disk_budget_bytes: 0, free_reserve_bytes: 0 });
    test.put_bars("A", 10, 1.0, 0);
    put(&test, &["A"], 2);
    put(&test, &["A"], 1);
    let used: u64 = test.cache.catalog().entries(None).expect("entries").iter().map(Entry::size_bytes).sum();
    test.cache.set_limits(Limits { disk_budget_bytes: used, free_reserve_bytes: 0 });
    let room = test.cache.make_room(1, &|_key| false).expect("room");
    assert_eq!(room.evicted.iter().map(|eviction| eviction.key.clone()).collect::<Vec<_>>(), [older("A", 2)]);
    assert!(room.evicted[0].reason.starts_with("an older version"), "{}", room.evicted[0].reason);
    assert_eq!(test.cache.catalog().entry(&older("A", 2)).expect("catalog"), None, "nothing is left of it");
    assert_eq!(value(&test, &features_of("A")), Some(2.0));
}

#[test]
fn a_damaged_older_version_is_never_served_and_not_missed() {
    let test = TestCache::new();
    put(&test, &["A", "B"], 2);
    put(&test, &["A", "B"], 1);
    for symbol in ["A", "B"] {
        let path = test.file_of(&older(symbol, 2));
        let mut bytes = std::fs::read(&path).expect("file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("one bit flipped");
    }
    assert!(matches!(test.read(&older("A", 2)), Err(CacheError::Damaged { .. })));
    let report = test.cache.verify(true, &|_, _| {}).expect("verify");
    assert_eq!((report.damaged.len(), report.to_restore.len()), (1, 0));
    assert_eq!(test.cache.older_entries(None).expect("older").len(), 0);
    assert!(test.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn versions_are_found_again_without_the_catalog() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    put(&test, &["A"], 3);
    put(&test, &["A"], 2);
    put(&test, &["A"], 1);
    let TestCache { folder, clock, cache, judge } = test;
    drop(cache);
    for file in ["catalog.sqlite", "catalog.sqlite.sum"] {
        std::fs::remove_file(folder.path().join("cache").join(file)).expect("removed");
    }
    std::fs::remove_dir_all(folder.path().join("cache/backups")).expect("no copies");
    let cache = Cache::open(CacheOptions::new(Folders::new(folder.path().join("cache")), 1_000_000, Arc::clone(&clock) as _));
    let test = TestCache { folder, clock, cache: cache.expect("a cache").0, judge };
    assert_eq!(value(&test, &features_of("A")), Some(2.0), "fetched last");
    assert_eq!((value(&test, &older("A", 2)), value(&test, &older("A", 3))), (Some(3.0), Some(4.0)));
    let texts: Vec<Arc<str>> = test.cache.set_versions().expect("versions").into_iter().map(|facts| facts.record.version.text).collect();
    assert_eq!(texts.len(), 3);
    assert!([1, 2, 3].iter().all(|definition| texts.contains(&version(*definition).text)));
    assert!(test.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn a_whole_file_that_no_row_knows_is_an_older_version_beside_a_present_one() {
    let test = TestCache::new();
    put(&test, &["A"], 1);
    // As a process leaves it that is killed before it can commit.
    drop(test.stage_features("A", 10, 1.0, 0, 2));
    let report = test.cache.verify(false, &|_, _| {}).expect("verify");
    assert_eq!(report.orphans.len(), 1);
    test.cache.verify(true, &|_, _| {}).expect("repair");
    assert_eq!((value(&test, &features_of("A")), value(&test, &older("A", 2))), (Some(2.0), Some(3.0)));
    assert!(test.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn the_entry_of_a_version_is_found_wherever_it_stands() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    put(&test, &["A"], 2);
    put(&test, &["A"], 1);
    let find = |definition| {
        let source = SourceId::new("test");
        test.cache.entry_of_version(&source, &bars_of("A").symbol, "mine", definition_of(definition)).expect("catalog")
    };
    assert_eq!((find(1), find(2), find(3)), (Some(features_of("A")), Some(older("A", 2)), None));
}
