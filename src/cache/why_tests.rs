//! Tests of the reasons: every state is told, and never another than it is.

use super::*;
use crate::cache::entry::{Failure, FileFacts, Provenance};
use crate::cache::freshness::state_of;
use crate::feature::DefinitionHash;
use crate::market::{DAY_US, DateRange, Quality, Resolution, Symbol, micros_of_date};
use crate::source::SourceId;
use chrono::{NaiveDate, Utc};

/// 2024-05-06, a Monday, 12:00 UTC.
const NOW: i64 = 19_849 * DAY_US + 12 * HOUR_US;

fn entry() -> Entry {
    Entry {
        key: EntryKey::bars(&SourceId::new("test"), &Symbol::new("A")),
        file: Some(FileFacts {
            path: "a.parquet".into(),
            size_bytes: 1,
            modified_us: 0,
            checksum: 1,
            fingerprint: 7,
            rows: 1,
            first_us: 0,
            last_us: 0,
            resolution: Resolution::Daily,
            years: Vec::new(),
        }),
        kept_years: Vec::new(),
        provenance: None,
        range: DateRange::ALL,
        fetched_at_us: NOW,
        invalidated_at_us: None,
        failure: None,
        damaged_at_us: None,
        pinned: false,
        quality: Quality::default(),
        synced: None,
        provisional_from_us: None,
        cost_us: 0,
        hits: 0,
        last_used_us: None,
    }
}

fn policy(rule: Rule) -> Policy {
    Policy { now_us: NOW, rule, definition: Some(DefinitionHash::from(1)), bars_fingerprint: Some(7) }
}

fn told(entry: Option<&Entry>, rule: Rule) -> String {
    Why::of(entry, &policy(rule)).sentence(NOW, &Utc)
}

const CLOSE: Rule = Rule { ttl: TimeToLive::MarketClose, exchange: Exchange::NewYork };

#[test]
fn every_state_is_told_with_its_reason() {
    let rule = Rule::default();
    let hour = HOUR_US;
    assert_eq!(told(None, rule), "Missing: nothing is cached; preheat to fetch it");
    assert_eq!(told(Some(&Entry { file: None, ..entry() }), rule), "Missing: nothing is cached; preheat to fetch it");
    assert_eq!(told(Some(&entry()), rule), "Fresh until Tue 12:00, 24 h after it was fetched");
    assert_eq!(
        told(Some(&Entry { pinned: true, fetched_at_us: 0, ..entry() }), rule),
        "Fresh: it is pinned, so it never expires and is never evicted"
    );
    assert_eq!(told(Some(&Entry { fetched_at_us: NOW - 27 * hour, ..entry() }), rule), "Stale: its 24 h ended 3 h ago");
    assert_eq!(told(Some(&Entry { invalidated_at_us: Some(NOW - 2 * 60 * SECOND_US), ..entry() }), rule), "Stale: invalidated 2 min ago");
    let future = told(Some(&Entry { fetched_at_us: NOW + 48 * hour, ..entry() }), rule);
    assert_eq!(future, "Stale: it was fetched Wed 12:00, which is still to come; the clock was set back");
    let features = |definition: u128, inputs: u128| Entry {
        kept_years: Vec::new(),
        provenance: Some(Provenance { definition: DefinitionHash::from(definition), inputs }),
        ..entry()
    };
    assert_eq!(told(Some(&features(1, 8)), rule), "Outdated: the bars changed after it was computed");
    assert_eq!(told(Some(&features(2, 7)), rule), "Outdated: the set's definition changed");
    assert_eq!(told(Some(&features(2, 8)), rule), "Outdated: the bars and the set's definition changed after it was computed");
    assert_eq!(
        told(Some(&Entry { damaged_at_us: Some(NOW - 5 * 60 * SECOND_US), ..entry() }), rule),
        "Damaged, found 5 min ago; its file is in quarantine, and preheating fetches it again"
    );
}

#[test]
fn a_failure_tells_its_age_how_often_and_what_comes_next() {
    let failure = Failure { at_us: NOW - 2 * HOUR_US, message: "no route to the server.".to_owned(), attempts: 3, next_attempt_us: None };
    let failed = |failure: Failure| Entry { failure: Some(failure), fetched_at_us: NOW - 26 * HOUR_US, ..entry() };
    let next = Failure { next_attempt_us: Some(NOW + 8 * 60 * SECOND_US), ..failure.clone() };
    assert_eq!(
        told(Some(&failed(next)), Rule::default()),
        "Failed 2 h ago, 3 times in a row: no route to the server. Served meanwhile: what was fetched 1 d 2 h ago. Next attempt in 8 min"
    );
    let now = Failure { at_us: NOW, attempts: 1, ..failure.clone() };
    assert!(told(Some(&failed(now)), Rule::default()).starts_with("Failed just now: no route to the server. "));
    let first = Entry { file: None, ..failed(Failure { attempts: 1, ..failure }) };
    assert_eq!(
        told(Some(&first), Rule::default()),
        "Failed 2 h ago: no route to the server. Nothing is cached. The next preheat tries again"
    );
}

#[test]
fn closes_are_told_with_the_market_s_name() {
    let until = told(Some(&entry()), CLOSE);
    assert!(until.starts_with("Fresh until ") && until.ends_with(" (New York closes, then 15 min)"), "{until}");
    let over = told(Some(&Entry { fetched_at_us: NOW - 30 * DAY_US, ..entry() }), CLOSE);
    assert!(over.starts_with("Stale: New York closed, and the new bar was final ") && over.ends_with(" ago"), "{over}");
    let shanghai = Rule { exchange: Exchange::Shanghai, ..CLOSE };
    assert!(told(Some(&entry()), shanghai).contains("(Shanghai and Shenzhen close, then 15 min)"));
    let unknown = Rule { exchange: Exchange::Unknown, ..CLOSE };
    assert_eq!(told(Some(&entry()), unknown), "Fresh until Tue 00:15 (the day ends at midnight UTC, then 15 min)");
}

#[test]
fn a_provisional_bar_ends_the_time_early_and_is_told() {
    let today = micros_of_date(NaiveDate::from_ymd_opt(2024, 5, 6).expect("a date"));
    let mut provisional = Entry { provisional_from_us: Some(today), ..entry() };
    provisional.file.as_mut().expect("a file").last_us = today;
    let rule = Rule::default();
    assert_eq!(told(Some(&provisional), rule), "Fresh until Tue 00:15, when the bar of 2024-05-06 is final");
    let sentence = |now_us: i64| provisional_sentence(&provisional, rule, now_us, &Utc).expect("provisional");
    assert_eq!(sentence(NOW), "The bar of 2024-05-06 is provisional: the day ends Tue 00:00");
    assert!(sentence(NOW + 2 * DAY_US).ends_with("the next preheat fetches what is final"));
    let over = Why::of(Some(&provisional), &Policy { now_us: NOW + 14 * HOUR_US, ..policy(rule) });
    assert_eq!(over.sentence(NOW + 14 * HOUR_US, &Utc), "Stale: the bar of 2024-05-06 was provisional and became final 1 h 45 min ago");
    let new_york = provisional_sentence(&provisional, CLOSE, NOW, &Utc).expect("provisional");
    assert!(new_york.starts_with("The bar of 2024-05-06 is provisional: New York closes "), "{new_york}");
    provisional.file.as_mut().expect("a file").last_us = today + DAY_US;
    let several = provisional_sentence(&provisional, rule, NOW, &Utc).expect("provisional");
    assert!(several.starts_with("The bars from 2024-05-06 on are provisional"), "{several}");
    assert_eq!(provisional_sentence(&entry(), rule, NOW, &Utc), None);
}

#[test]
fn the_reason_and_the_state_never_part() {
    let some = |at: bool| at.then_some(NOW - HOUR_US);
    let mut seen = std::collections::BTreeSet::new();
    for bits in 0..1_u32 << 9 {
        let bit = |place: u32| bits >> place & 1 == 1;
        let made = Provenance { definition: DefinitionHash::from(u128::from(bit(0)) + 1), inputs: 7 + u128::from(bit(1)) };
        let failure = Failure { at_us: NOW, message: "x".to_owned(), attempts: 1, next_attempt_us: None };
        let entry = Entry {
            file: entry().file.filter(|_| !bit(2)),
            provenance: bit(3).then_some(made),
            fetched_at_us: if bit(4) { NOW - 25 * HOUR_US } else { NOW + i64::from(bit(5)) * DAY_US },
            invalidated_at_us: some(bit(6)),
            failure: bit(7).then_some(failure),
            damaged_at_us: some(bit(8) && bit(5)),
            pinned: bit(8) && !bit(5),
            provisional_from_us: some(bit(6) && bit(0)),
            ..entry()
        };
        for rule in [Rule::default(), CLOSE] {
            let policy = policy(rule);
            let why = Why::of(Some(&entry), &policy);
            assert_eq!(why.state(), state_of(Some(&entry), &policy), "{entry:?}");
            let sentence = why.sentence(NOW, &Utc);
            assert!(sentence.to_lowercase().starts_with(why.state().word()) && !sentence.ends_with('.'), "{sentence}");
            seen.insert(why.state());
        }
    }
    assert_eq!(seen.len(), 6, "every state was met");
}
