//! Tests of counting lookups: reasons, states of what memory serves, buckets, pruning and time saved.

use super::*;
use crate::cache::entry::{Failure, Selection};
use crate::cache::test_cache::{NOW, TestCache, bars_of, features_of};

fn logged(test: &TestCache) -> Vec<(Tier, LookupReason)> {
    let log = test.cache.logged_lookups(None, 100).expect("log");
    log.iter().rev().map(|lookup| (lookup.tier, lookup.reason)).collect()
}

fn state(test: &TestCache, key: &EntryKey) -> (Tier, EntryState) {
    let found = test.read(key).expect("read");
    (found.tier, found.state)
}

#[test]
fn every_lookup_is_logged_with_its_reason() {
    let test = TestCache::new();
    let key = bars_of("A");
    test.read(&key).expect_err("nothing there");
    let path = test.put_bars("A", 10, 1.0, 0);
    test.read(&key).expect("from disk");
    test.read(&key).expect("from memory");
    test.clock.advance(25 * HOUR_US);
    test.read(&key).expect("too old, served all the same");
    test.cache.count_miss(&key, LookupReason::Forced);
    test.cache.memory.invalidate(&key);
    std::fs::write(&path, b"no Parquet").expect("damage");
    test.read(&key).expect_err("damaged");
    test.read(&key).expect_err("in quarantine");
    let expected = [
        (Tier::Miss, LookupReason::Missing),
        (Tier::Disk, LookupReason::Fresh),
        (Tier::Memory, LookupReason::Fresh),
        (Tier::Memory, LookupReason::Stale),
        (Tier::Miss, LookupReason::Forced),
        (Tier::Miss, LookupReason::Damaged),
        (Tier::Miss, LookupReason::Damaged),
    ];
    assert_eq!(logged(&test), expected);
    let stats = test.cache.lookup_stats(LookupSpan::Month).expect("stats");
    assert_eq!((stats.counts(), stats.totals().stale), (HitCounts { memory: 2, disk: 1, shared: 0, miss: 4 }, 1));
    assert!(test.cache.logged_lookups(Some(&Symbol::new("B")), 10).expect("log").is_empty());
}

#[test]
fn nothing_is_logged_when_that_is_not_wanted_but_all_is_counted() {
    let test = TestCache::with(|options| options.log_lookups = false);
    test.read(&bars_of("A")).expect_err("missing");
    assert!(logged(&test).is_empty());
    assert_eq!(test.cache.hit_counts().expect("counts").miss, 1);
}

#[test]
fn what_memory_serves_has_the_state_it_has_now() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    test.put_features("A", 10, 1.0, 0);
    let (bars, features) = (bars_of("A"), features_of("A"));
    assert_eq!(state(&test, &bars), (Tier::Disk, EntryState::Fresh));
    assert_eq!(state(&test, &features), (Tier::Disk, EntryState::Fresh));
    assert_eq!(state(&test, &features), (Tier::Memory, EntryState::Fresh));
    // Failed, and mended again.
    let failure = Failure { at_us: NOW, message: "no route".to_owned(), ..Failure::default() };
    test.cache.put_failures(&[(bars.clone(), failure)]).expect("failed");
    assert_eq!(state(&test, &bars), (Tier::Memory, EntryState::Failed));
    test.cache.forget_failures(std::slice::from_ref(&bars)).expect("mended");
    assert_eq!(state(&test, &bars), (Tier::Memory, EntryState::Fresh));
    // Pinned entries do not expire.
    test.cache.set_pinned(std::slice::from_ref(&features), true).expect("pinned");
    test.clock.advance(48 * HOUR_US);
    assert_eq!(state(&test, &features), (Tier::Memory, EntryState::Fresh));
    assert_eq!(state(&test, &bars), (Tier::Memory, EntryState::Stale));
    test.cache.invalidate(&Selection::default(), &test.judge).expect("invalidated");
    assert_eq!(state(&test, &features).1, EntryState::Stale);
}

#[test]
fn features_in_memory_become_outdated_with_their_bars() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    test.put_features("A", 10, 1.0, 0);
    assert_eq!(state(&test, &features_of("A")), (Tier::Disk, EntryState::Fresh));
    test.put_bars("A", 10, 2.0, 0);
    assert_eq!(state(&test, &features_of("A")), (Tier::Disk, EntryState::Outdated));
    assert_eq!(state(&test, &features_of("A")), (Tier::Memory, EntryState::Outdated));
}

#[test]
fn what_another_process_changed_is_seen_once_memory_is_compared() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    assert_eq!(state(&test, &bars_of("A")), (Tier::Disk, EntryState::Fresh));
    let other = test.another();
    other.catalog().invalidate(&[bars_of("A")], NOW).expect("invalidated elsewhere");
    test.cache.forget_replaced().expect("compared");
    assert_eq!(state(&test, &bars_of("A")), (Tier::Memory, EntryState::Stale));
    other.clear(&Selection::default(), &test.judge).expect("cleared elsewhere");
    test.cache.forget_replaced().expect("compared");
    test.read(&bars_of("A")).expect_err("cleared");
}

#[test]
fn time_saved_is_the_measured_cost_of_what_was_served() {
    let test = TestCache::new();
    let hour = 3_600_000_000;
    test.put_bars("A", 10, 1.0, hour);
    test.put_features("A", 10, 1.0, hour);
    test.read(&bars_of("A")).expect("read");
    let saved = |test: &TestCache| test.cache.lookup_stats(LookupSpan::Hour).expect("stats").totals().saved_us;
    let of_bars = saved(&test);
    assert!(of_bars > hour * 9 / 10 && of_bars <= hour, "{of_bars}");
    // Features would have to be fetched and computed.
    test.read(&features_of("A")).expect("read");
    let of_features = saved(&test) - of_bars;
    assert!(of_features > hour * 19 / 10 && of_features <= 2 * hour, "{of_features}");
    // A miss saves nothing.
    let before = saved(&test);
    test.read(&bars_of("NONE")).expect_err("missing");
    assert_eq!(saved(&test), before);
    let by_tier = test.cache.lookup_totals().expect("totals");
    assert_eq!(by_tier.get(&Tier::Disk).map(|totals| totals.saved_us), Some(before));
}

#[test]
fn a_cost_that_is_not_known_is_taken_from_rows_of_the_same_source() {
    let test = TestCache::new();
    for (symbol, rows, cost_us) in [("A", 10, 10_000), ("B", 10, 30_000), ("C", 10, 90_000)] {
        test.put_bars(symbol, rows, 1.0, cost_us);
    }
    test.put_bars("D", 20, 1.0, 0);
    let entry = test.cache.catalog.entry(&bars_of("D")).expect("catalog").expect("entry");
    assert_eq!(test.cache.source_cost_us(&entry, None).expect("cost"), 60_000);
    let nobody = TestCache::new();
    nobody.put_bars("A", 10, 1.0, 0);
    let entry = nobody.cache.catalog.entry(&bars_of("A")).expect("catalog").expect("entry");
    assert_eq!(nobody.cache.source_cost_us(&entry, None).expect("cost"), 0);
}

#[test]
fn series_have_every_bucket_and_end_now() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    test.read(&bars_of("A")).expect("disk");
    test.clock.advance(3 * HOUR_US + 1);
    test.read(&bars_of("A")).expect("memory");
    test.read(&features_of("A")).expect_err("missing");
    for span in <LookupSpan as strum::IntoEnumIterator>::iter() {
        let stats = test.cache.lookup_stats(span).expect("stats");
        assert_eq!(stats.series.len() as i64 * span.bucket_us(), span.length_us(), "{span:?}");
        assert!(stats.series.windows(2).all(|pair| pair[1].start_us - pair[0].start_us == span.bucket_us()));
        let last = stats.series.last().expect("buckets");
        let now_us = test.cache.now_us();
        assert!(last.start_us <= now_us && now_us < last.start_us + span.bucket_us(), "{span:?}");
        let counted: u64 = stats.series.iter().map(|bucket| bucket.lookups.counts.total()).sum();
        assert_eq!((counted, stats.counts().total()), if span == LookupSpan::Hour { (2, 2) } else { (3, 3) }, "{span:?}");
        let of_sets = stats.datasets.get("mine").expect("the set").counts;
        assert_eq!((of_sets.miss, of_sets.total()), (1, 1));
    }
    let day = test.cache.lookup_stats(LookupSpan::Day).expect("stats");
    assert!(day.tiers.get(&Tier::Disk).expect("disk").latency.is_some_and(|latency| latency.p50_us <= latency.p99_us));
    assert_eq!(day.rate(), Some(2.0 / 3.0));
}

#[test]
fn after_thirty_days_only_the_sums_are_left() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 50_000_000);
    test.read(&bars_of("A")).expect("disk");
    test.cache.flush_counters().expect("handed over");
    let saved = test.cache.lookup_totals().expect("totals").get(&Tier::Disk).expect("disk").saved_us;
    assert!(saved > 0);
    for _ in 0..2 {
        test.clock.advance(32 * DAY_US);
        test.read(&bars_of("A")).expect("memory");
        test.cache.flush_counters().expect("handed over, and old ones dropped");
    }
    let stats = test.cache.lookup_stats(LookupSpan::Month).expect("stats");
    assert_eq!(stats.counts(), HitCounts { memory: 1, ..HitCounts::default() });
    assert!(!stats.tiers.contains_key(&Tier::Disk));
    let totals = test.cache.lookup_totals().expect("totals");
    assert_eq!((totals[&Tier::Disk].count, totals[&Tier::Disk].saved_us, totals[&Tier::Memory].count), (1, saved, 2));
    assert_eq!(test.cache.lookups_by_entry(LookupSpan::Month, None, None, 10).expect("entries")[0].lookups.counts.total(), 1);
    assert_eq!(test.cache.catalog.latencies_since(0).expect("latencies").len(), 1);
}

#[test]
fn hours_of_symbols_become_days_without_losing_a_lookup() {
    let test = TestCache::new();
    for symbol in ["A", "B"] {
        test.put_bars(symbol, 10, 1.0, 0);
    }
    for hour in 0..100 {
        test.read(&bars_of("A")).expect("read");
        if hour % 4 == 0 {
            test.read(&bars_of("B")).expect("read");
        }
        test.cache.flush_counters().expect("handed over");
        test.clock.advance(HOUR_US);
    }
    let source = SourceId::new("test");
    let top = test.cache.lookups_by_entry(LookupSpan::Week, None, None, 10).expect("entries");
    let counted: Vec<_> = top.iter().map(|one| (one.key.symbol.as_str(), one.lookups.counts.total())).collect();
    assert_eq!(counted, [("A", 100), ("B", 25)]);
    let one = test.cache.lookups_by_entry(LookupSpan::Week, Some(&source), Some(&Symbol::new("B")), 10).expect("entries");
    assert_eq!(one, [top[1].clone()]);
    let day = test.cache.lookups_by_entry(LookupSpan::Day, Some(&source), Some(&Symbol::new("A")), 10).expect("entries");
    assert!((22..=24).contains(&day[0].lookups.counts.total()), "{day:?}");
    let catalog = rusqlite::Connection::open(test.cache.folders().catalog()).expect("catalog");
    let buckets: i64 = catalog.query_row("SELECT count(DISTINCT bucket_us) FROM symbol_lookups", [], |row| row.get(0)).expect("buckets");
    assert!(buckets < 80, "{buckets} buckets for 100 hours");
}

#[test]
fn lookups_of_several_processes_add_up() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    let other = test.another();
    for cache in [&test.cache, &other, &other] {
        cache.read(&bars_of("A"), &test.judge).expect("read");
        cache.flush_counters().expect("handed over");
    }
    assert_eq!(test.cache.hit_counts().expect("counts"), HitCounts { memory: 1, disk: 2, ..HitCounts::default() });
    assert_eq!(test.cache.catalog.entry(&bars_of("A")).expect("catalog").expect("entry").hits, 3);
}

#[test]
fn a_clock_that_jumps_back_loses_no_lookup() {
    let test = TestCache::new();
    test.put_bars("A", 10, 1.0, 0);
    test.read(&bars_of("A")).expect("read");
    test.clock.advance(-5 * HOUR_US);
    test.read(&bars_of("A")).expect("read");
    let stats = test.cache.lookup_stats(LookupSpan::Hour).expect("stats");
    let in_series: u64 = stats.series.iter().map(|bucket| bucket.lookups.counts.total()).sum();
    assert_eq!((stats.counts().total(), in_series), (2, 2));
}
