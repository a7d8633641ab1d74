//! Tests of limits, of the rule of eviction, of making room, and of what everything costs.

use super::*;
use crate::cache::entry::{FileFacts, Selection, Synced};
use crate::cache::test_cache::{NOW, TestCache, bars_of, features_of};
use crate::market::{DateRange, HOUR_US, Quality, Resolution};
use crate::source::YearDigest;
use proptest::prelude::*;

const GB: u64 = 1_000_000_000;

fn entry(symbol: &str, size_bytes: u64, cost_us: u64, unused_days: i64) -> Entry {
    let used_us = NOW - unused_days * DAY_US;
    Entry {
        key: bars_of(symbol),
        file: Some(FileFacts {
            path: "x.parquet".into(),
            size_bytes,
            modified_us: 0,
            checksum: 1,
            fingerprint: 1,
            rows: 100,
            first_us: 0,
            last_us: 0,
            resolution: Resolution::Daily,
            years: Vec::new(),
        }),
        kept_years: Vec::new(),
        provenance: None,
        range: DateRange::ALL,
        fetched_at_us: used_us,
        invalidated_at_us: None,
        failure: None,
        damaged_at_us: None,
        pinned: false,
        quality: Quality::default(),
        synced: None,
        provisional_from_us: None,
        cost_us,
        hits: 0,
        last_used_us: Some(used_us),
    }
}

fn symbols(plan: &[Eviction]) -> Vec<&str> {
    plan.iter().map(|eviction| eviction.key.symbol.as_str()).collect()
}

#[test]
fn users_are_warned_at_80_percent_of_either_limit() {
    let limits = Limits { disk_budget_bytes: 10 * GB, free_reserve_bytes: GB };
    let disk = |free_bytes| DiskSpace { free_bytes, total_bytes: 40 * GB };
    let level = |used, free| BudgetStatus::of(used, &limits, Some(&disk(free))).level;
    assert_eq!(level(8 * GB - 1, 20 * GB), BudgetLevel::Ok);
    assert_eq!(level(8 * GB, 20 * GB), BudgetLevel::Warning);
    assert_eq!(level(10 * GB, 20 * GB), BudgetLevel::Full);
    // 1 GB of 1.25 GB.
    assert_eq!(level(GB, 1_250_000_001), BudgetLevel::Ok);
    assert_eq!(level(GB, 1_250_000_000), BudgetLevel::Warning);
    assert_eq!(level(GB, GB), BudgetLevel::Full);
    assert_eq!(level(GB, 0), BudgetLevel::Full);
    let unlimited = Limits { disk_budget_bytes: 0, free_reserve_bytes: 0 };
    assert_eq!(BudgetStatus::of(500 * GB, &unlimited, Some(&disk(0))).level, BudgetLevel::Ok);
    let text = BudgetStatus::of(9 * GB, &limits, None).text;
    assert!(text.contains("9 GB of the 10 GB") && text.contains("Allow more"), "{text}");
    let text = BudgetStatus::of(9 * GB, &limits, Some(&disk(GB / 2))).text;
    assert!(text.contains("500 MB free") && text.contains("1 GB are kept free"), "{text}");
}

#[test]
fn at_least_2_percent_and_at_most_half_of_a_disk_is_kept_free() {
    let limits = Limits::default();
    let reserve = |total_bytes| limits.reserve_of(&DiskSpace { free_bytes: 0, total_bytes });
    assert_eq!([reserve(20 * GB), reserve(1_000 * GB), reserve(GB / 2)], [GB, 20 * GB, GB / 4]);
    assert_eq!(Limits { free_reserve_bytes: 0, ..limits }.reserve_of(&DiskSpace { free_bytes: 0, total_bytes: GB }), 0);
}

#[test]
fn what_has_to_go_is_the_larger_of_both_shortfalls() {
    let limits = Limits { disk_budget_bytes: 1_000, free_reserve_bytes: 300 };
    let disk = |free_bytes| DiskSpace { free_bytes, total_bytes: 10_000 };
    assert_eq!(limits.shortfall(500, 500, Some(&disk(5_000))), 0);
    assert_eq!(limits.shortfall(900, 500, Some(&disk(5_000))), 400);
    assert_eq!(limits.shortfall(900, 500, Some(&disk(100))), 700);
    assert_eq!(limits.shortfall(1_200, 0, None), 200);
}

#[test]
fn value_halves_each_week_and_counts_cost_against_bytes() {
    let day = DAY_US;
    assert_eq!(value_of(1_000, 0, 100), 10.0);
    assert_eq!(value_of(1_000, 7 * day, 100), 5.0);
    assert_eq!(value_of(1_000, 21 * day, 50), 2.5);
    assert_eq!(value_of(1_000, -day, 100), 10.0, "a clock that was set back makes nothing more valuable");
    let entries = [entry("OLD", 100, 1_000, 30), entry("BIG", 1_000, 1_000, 0), entry("DEAR", 100, 50_000, 8), entry("NEW", 100, 1_000, 0)];
    let plan = plan_evictions(&entries, u64::MAX, NOW, &|_key| false);
    assert_eq!(symbols(&plan), ["OLD", "BIG", "NEW", "DEAR"]);
    assert_eq!(plan[0].reason, "the least valuable of 4 entries: not used for 30 d, 1 ms to bring back, 100 B");
}

#[test]
fn of_equals_features_go_before_their_bars() {
    let bars = entry("A", 100, 1_000, 1);
    let features = Entry { key: features_of("A"), ..bars.clone() };
    let plan = plan_evictions(&[bars, features], 100, NOW, &|_key| false);
    assert_eq!(plan.iter().map(|eviction| eviction.key.clone()).collect::<Vec<_>>(), [features_of("A")]);
}

#[test]
fn a_cost_that_is_not_known_is_that_of_the_others() {
    // 100 rows each: 10 µs a row are measured, so the unknown one is taken for 1,000 µs and not for nothing.
    let entries = [entry("A", 100, 1_000, 1), entry("B", 100, 0, 0), entry("C", 100, 1_000, 2)];
    assert_eq!(symbols(&plan_evictions(&entries, 150, NOW, &|_key| false)), ["C", "A"]);
}

proptest! {
    #[test]
    fn plans_keep_the_rule(
        rows in prop::collection::vec((1_u64..10_000, 0_u64..100_000, 0_i64..100, prop::bool::ANY, prop::bool::ANY, prop::bool::ANY), 0..60),
        needed_bytes in 0_u64..400_000,
    ) {
        let entries: Vec<Entry> = rows
            .iter()
            .enumerate()
            .map(|(number, (size_bytes, cost_us, days, pinned, _, is_bars))| {
                let name = format!("S{number}");
                let key = if *is_bars { bars_of(&name) } else { features_of(&name) };
                Entry { key, pinned: *pinned, ..entry(&name, *size_bytes, *cost_us, *days) }
            })
            .collect();
        let is_protected = |key: &EntryKey| {
            let number: usize = key.symbol.as_str()[1..].parse().expect("a number");
            rows[number].4
        };
        let plan = plan_evictions(&entries, needed_bytes, NOW, &is_protected);
        let by_key: HashMap<&EntryKey, &Entry> = entries.iter().map(|entry| (&entry.key, entry)).collect();
        for eviction in &plan {
            prop_assert!(!by_key[&eviction.key].pinned && !is_protected(&eviction.key));
        }
        // It frees enough, or everything it may; and not more than it must.
        let freed: u64 = plan.iter().map(|eviction| eviction.size_bytes).sum();
        let allowed: u64 = entries.iter().filter(|entry| !entry.pinned && !is_protected(&entry.key)).map(Entry::size_bytes).sum();
        prop_assert!(freed >= needed_bytes.min(allowed));
        if let Some(last) = plan.last() {
            prop_assert!(freed - last.size_bytes < needed_bytes);
        }
        // No entry that stays was worth less than one that went.
        let costs = Costs::of(&entries);
        let value = |entry: &Entry| value_of(costs.cost_us(entry), unused_us(entry, NOW), entry.size_bytes());
        let went: std::collections::HashSet<&EntryKey> = plan.iter().map(|eviction| &eviction.key).collect();
        let dearest = plan.iter().map(|eviction| value(by_key[&eviction.key])).fold(0.0, f64::max);
        for entry in entries.iter().filter(|entry| !entry.pinned && !is_protected(&entry.key) && !went.contains(&entry.key)) {
            prop_assert!(value(entry) >= dearest);
        }
        // Whatever the order of the rows.
        let reversed: Vec<Entry> = entries.iter().rev().cloned().collect();
        prop_assert_eq!(&plan_evictions(&reversed, needed_bytes, NOW, &is_protected), &plan);
    }

    #[test]
    fn bytes_are_shared_out_to_the_last_one(size_bytes in 0_u64..1_000_000_000, weights in prop::collection::vec(0.0_f64..1e6, 1..30)) {
        let weights: Vec<(i32, f64)> = weights.into_iter().enumerate().map(|(year, weight)| (year as i32, weight)).collect();
        let shares = share_out(size_bytes, &weights);
        prop_assert_eq!(shares.iter().map(|(_year, bytes)| bytes).sum::<u64>(), size_bytes);
    }
}

/// A cache with a budget, no reserve, and four symbols of which `A` was used last.
fn with_four() -> TestCache {
    let test = TestCache::with(|options| options.limits = Limits { disk_budget_bytes: 0, free_reserve_bytes: 0 });
    for symbol in ["D", "C", "B", "A"] {
        test.put_bars(symbol, 200, 1.0, 1_000);
        test.clock.advance(HOUR_US);
    }
    test
}

fn used(test: &TestCache) -> u64 {
    test.cache.budget_status().expect("status").used_bytes
}

fn allow(test: &TestCache, disk_budget_bytes: u64) {
    test.cache.set_limits(Limits { disk_budget_bytes, free_reserve_bytes: 0 });
}

#[test]
fn nothing_goes_while_there_is_room() {
    let test = with_four();
    allow(&test, used(&test) + 1_000);
    let room = test.cache.make_room(1_000, &|_key| false).expect("room");
    assert_eq!(room, Room { enough: true, ..Room::default() });
}

#[test]
fn the_least_valuable_go_with_their_files_and_are_remembered() {
    let test = with_four();
    test.cache.set_pinned(&[bars_of("D")], true).expect("pinned");
    test.read(&bars_of("C")).expect("used just now, and so more valuable than B");
    let (file_b, file_a) = (test.file_of(&bars_of("B")), test.file_of(&bars_of("A")));
    let before = used(&test);
    allow(&test, before);
    let room = test.cache.make_room(10, &|key| key.symbol.as_str() == "A").expect("room");
    assert_eq!((symbols(&room.evicted), room.enough, room.shortfall_bytes), (vec!["B"], true, 10));
    assert!(!file_b.exists() && file_a.exists());
    assert!(matches!(test.read(&bars_of("B")), Err(CacheError::NotCached { .. })));
    for symbol in ["A", "C", "D"] {
        test.read(&bars_of(symbol)).expect(symbol);
    }
    assert_eq!(test.cache.evictions(10).expect("evictions"), room.evicted);
    assert!(used(&test) < before);
    // Nothing is left over for a later start to take in again.
    assert!(test.cache.verify(false, &|_done, _of| {}).expect("verified").is_clean());
}

#[test]
fn when_all_that_may_go_is_not_enough_that_is_said() {
    let test = with_four();
    allow(&test, 1);
    test.cache.set_pinned(&[bars_of("A")], true).expect("pinned");
    let room = test.cache.make_room(100, &|key| key.symbol.as_str() == "B").expect("room");
    assert_eq!((symbols(&room.evicted), room.enough), (vec!["D", "C"], false));
    assert_eq!(room.missing_bytes, used(&test) + 100 - 1);
    test.read(&bars_of("A")).expect("pinned");
    test.read(&bars_of("B")).expect("protected");
}

#[test]
fn the_trash_goes_first_and_the_oldest_of_it() {
    let test = with_four();
    for symbol in ["A", "B"] {
        let selection = Selection { symbols: Some(vec![Symbol::new(symbol)]), ..Selection::default() };
        test.cache.clear(&selection, &test.judge).expect("cleared");
        test.clock.advance(HOUR_US);
    }
    let before = used(&test);
    allow(&test, before);
    let room = test.cache.make_room(10, &|_key| false).expect("room");
    assert!(room.enough && room.evicted.is_empty() && room.trash_bytes > 0);
    assert_eq!(used(&test), before - room.trash_bytes);
    // A was cleared first; B can still be restored.
    assert_eq!(test.cache.undo_clear(None).expect("restored").entries, 1);
    test.read(&bars_of("B")).expect("restored");
    test.read(&bars_of("A")).expect_err("gone for good");
}

#[test]
fn what_somebody_works_on_never_goes() {
    let test = with_four();
    let other = test.another();
    let lease = other.lease(&SourceId::new("test"), &[Symbol::new("D")]).expect("leased");
    assert!(lease.refused().is_empty());
    allow(&test, 1);
    let room = test.cache.make_room(0, &|_key| false).expect("room");
    assert_eq!((symbols(&room.evicted), room.enough), (vec!["C", "B", "A"], false));
    test.read(&bars_of("D")).expect("still there");
    drop(lease);
    assert_eq!(symbols(&test.cache.make_room(0, &|_key| false).expect("room").evicted), ["D"]);
}

#[test]
fn what_was_written_anew_meanwhile_is_not_removed() {
    let test = with_four();
    let old = test.cache.catalog().entry(&bars_of("D")).expect("catalog").expect("entry");
    let path = test.put_bars("D", 300, 5.0, 1_000);
    let eviction = plan_evictions(std::slice::from_ref(&old), 1, NOW, &|_key| false).remove(0);
    assert!(test.cache.catalog.evict(vec![(old.clone(), eviction)]).expect("nothing evicted").is_empty());
    test.cache.remove_evicted(&old);
    assert!(path.exists());
    assert_eq!(test.read(&bars_of("D")).expect("the new one").served.content.bars().len(), 300);
}

#[test]
fn what_somebody_else_had_staged_without_a_lease_goes_with_the_entry() {
    let test = with_four();
    test.put_features("D", 200, 1.0, 1_000);
    let other = test.another();
    let lease = std::sync::Arc::new(other.lease(&SourceId::new("test"), &[Symbol::new("D")]).expect("leased"));
    // A clear takes the lease away, and an undo brings the entry back; then the new file is staged in its place, …
    let selection = Selection { symbols: Some(vec![Symbol::new("D")]), ..Selection::default() };
    test.cache.clear(&selection, &test.judge).expect("cleared");
    test.cache.undo_clear(None).expect("restored");
    let staged = test.stage_features("D", 300, 2.0, 1_000, 1);
    let path = test.file_of(&features_of("D"));
    // … is not committed, and stays, because there is a row that speaks for it, …
    let batch = crate::cache::Batch { staged: vec![staged], leases: vec![lease], ..crate::cache::Batch::default() };
    assert_eq!(other.commit_batch(&batch).expect("committed").lost.len(), 1);
    assert!(path.exists());
    // … until that row goes.
    allow(&test, 1);
    test.cache.make_room(0, &|_key| false).expect("room");
    assert!(!path.exists(), "no row knows it any more");
}

#[test]
fn a_reader_keeps_what_it_has() {
    let test = with_four();
    let found = test.read(&bars_of("D")).expect("read");
    allow(&test, 1);
    test.cache.make_room(0, &|_key| false).expect("room");
    assert_eq!(found.served.content.bars().len(), 200);
    test.read(&bars_of("D")).expect_err("evicted from memory too");
}

#[test]
fn costs_add_up_to_all_bytes_three_times() {
    let test = with_four();
    test.put_bars("LONG", 800, 1.0, 7_000);
    test.put_features("LONG", 800, 1.0, 3_000);
    let costs = test.cache.costs().expect("costs");
    let total = used(&test);
    assert_eq!(costs.symbols.iter().map(|cost| cost.bars_bytes + cost.features_bytes).sum::<u64>(), total);
    assert_eq!(costs.datasets.values().map(|cost| cost.size_bytes).sum::<u64>(), total);
    assert_eq!(costs.years.values().sum::<u64>(), total);
    assert_eq!((costs.symbols[0].symbol.as_str(), costs.symbols[0].cost_us), ("LONG", 10_000));
    assert_eq!(costs.datasets["bars"].rows, 4 * 200 + 800);
    // 800 days from 2020-01-01 on.
    assert_eq!(costs.years.keys().copied().collect::<Vec<_>>(), [2020, 2021, 2022]);
    assert!(costs.years[&2020] > costs.years[&2021] && costs.years[&2021] > costs.years[&2022]);
}

#[test]
fn years_are_shared_by_what_the_source_counted() {
    let digest = |year, rows| YearDigest { year, rows, checksum: 0 };
    let synced = Some(Synced { settled_before: None, last_day: None, years: vec![digest(2019, 1), digest(2021, 3)], ..Synced::default() });
    let costs = costs_of(&[Entry { synced, ..entry("A", 400, 0, 0) }]);
    assert_eq!(costs.years, BTreeMap::from([(2019, 100), (2021, 300)]));
}
