//! Times to live by market: states around closes, holidays, weekends, daylight saving, leap days and clocks that jump.

use super::tests::{entry, policy};
use super::*;
use crate::market::calendar::GRACE_US;
use crate::market::{Clock, DAY_US, ManualClock, micros_of_date};
use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;

const BY_CLOSE: TimeToLive = TimeToLive::MarketClose;

fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(&format!("{}:00Z", text.replace(' ', "T"))).expect(text).timestamp_micros()
}

fn day_us(text: &str) -> i64 {
    micros_of_date(text.parse::<NaiveDate>().expect(text))
}

fn state_at(entry: &Entry, rule: Rule, now_us: i64) -> EntryState {
    state_of(Some(entry), &Policy { rule, ..policy(now_us) })
}

/// Asserts that what is fetched at a time is fresh up to the microsecond before another, and stale from then on.
#[track_caller]
fn assert_lives(rule: Rule, fetched_at_us: i64, provisional_from_us: Option<i64>, until_us: i64) {
    let entry = Entry { fetched_at_us, provisional_from_us, ..entry() };
    assert_eq!(expires_at_us(&entry, rule), Some(until_us), "{rule:?}: it ends {:?}", DateTime::from_timestamp_micros(until_us));
    assert_eq!(state_at(&entry, rule, fetched_at_us), EntryState::Fresh, "{rule:?}: when it is fetched");
    assert_eq!(state_at(&entry, rule, until_us - 1), EntryState::Fresh, "{rule:?}: the microsecond before");
    assert_eq!(state_at(&entry, rule, until_us), EntryState::Stale, "{rule:?}: at the time");
    assert_eq!(state_at(&entry, rule, until_us + 400 * DAY_US), EntryState::Stale, "{rule:?}: long after");
}

#[test]
fn until_the_next_close_means_a_grace_after_it() {
    use Exchange::{Continuous, Frankfurt, HongKong, London, Moscow, NewYork, Seoul, Shanghai, Tokyo};
    for (exchange, fetched, close) in [
        // Before, in and after a session; a minute before the grace is over, and when it is.
        (NewYork, "2024-03-05 10:00", "2024-03-05 21:00"),
        (NewYork, "2024-03-05 18:00", "2024-03-05 21:00"),
        (NewYork, "2024-03-05 21:00", "2024-03-05 21:00"),
        (NewYork, "2024-03-05 21:14", "2024-03-05 21:00"),
        (NewYork, "2024-03-05 21:15", "2024-03-06 21:00"),
        // Weekends.
        (NewYork, "2024-03-01 22:00", "2024-03-04 21:00"),
        (NewYork, "2024-03-03 12:00", "2024-03-04 21:00"),
        (London, "2024-03-01 17:00", "2024-03-04 16:30"),
        // Clocks set forward and back between the fetch and the close: an hour earlier or later than 24 hours.
        (NewYork, "2024-03-08 21:30", "2024-03-11 20:00"),
        (NewYork, "2024-11-01 20:30", "2024-11-04 21:00"),
        (London, "2024-03-28 17:00", "2024-04-02 15:30"),
        (London, "2024-10-25 16:00", "2024-10-28 16:30"),
        (Frankfurt, "2024-10-25 16:00", "2024-10-28 16:30"),
        (Shanghai, "2024-03-29 08:00", "2024-04-01 07:00"),
        // Half days, and what follows them.
        (NewYork, "2024-11-27 22:00", "2024-11-29 18:00"),
        (NewYork, "2024-11-29 18:15", "2024-12-02 21:00"),
        (NewYork, "2024-12-24 12:00", "2024-12-24 18:00"),
        (HongKong, "2024-12-24 03:00", "2024-12-24 04:00"),
        (HongKong, "2024-12-24 04:15", "2024-12-27 08:00"),
        // Chinese New Year, Golden Week in Shanghai and in Tokyo, Chuseok in Seoul.
        (Shanghai, "2024-02-08 08:00", "2024-02-19 07:00"),
        (Shanghai, "2024-09-30 08:00", "2024-10-08 07:00"),
        (Tokyo, "2024-05-02 07:00", "2024-05-07 06:00"),
        (Seoul, "2024-09-13 07:00", "2024-09-19 06:30"),
        // A leap day, year ends, and Moscow's long ones.
        (NewYork, "2024-02-28 22:00", "2024-02-29 21:00"),
        (Tokyo, "2024-02-28 07:00", "2024-02-29 06:00"),
        (NewYork, "2024-12-31 22:00", "2025-01-02 21:00"),
        (Moscow, "2024-05-08 16:00", "2024-05-10 15:45"),
        (Continuous, "2024-02-28 12:00", "2024-02-29 00:00"),
        (Continuous, "2024-12-31 12:00", "2025-01-01 00:00"),
    ] {
        assert_lives(Rule { ttl: BY_CLOSE, exchange }, utc(fetched), None, utc(close) + GRACE_US);
    }
}

#[test]
fn a_provisional_bar_ends_the_time_with_its_session() {
    let hours = |hours, exchange| Rule { ttl: TimeToLive::hours(hours), exchange };
    let (fetched, provisional) = (utc("2024-03-05 18:00"), Some(day_us("2024-03-05")));
    // The time to live is longer than the session, as long to the minute, and shorter.
    assert_lives(hours(24, Exchange::NewYork), fetched, provisional, utc("2024-03-05 21:15"));
    assert_lives(Rule { ttl: TimeToLive::Secs(195 * 60), exchange: Exchange::NewYork }, fetched, provisional, utc("2024-03-05 21:15"));
    assert_lives(hours(3, Exchange::NewYork), fetched, provisional, utc("2024-03-05 21:00"));
    assert_lives(hours(24, Exchange::NewYork), fetched, None, fetched + DAY_US);
    // A bar with a time of day belongs to the session of its day.
    assert_lives(hours(24, Exchange::NewYork), fetched, Some(utc("2024-03-05 09:31")), utc("2024-03-05 21:15"));
    // A half day; a market that is not known; a bar on a holiday, which is over with the day.
    assert_lives(hours(24, Exchange::NewYork), utc("2024-11-29 15:00"), Some(day_us("2024-11-29")), utc("2024-11-29 18:15"));
    assert_lives(hours(24, Exchange::Unknown), fetched, provisional, utc("2024-03-06 00:15"));
    assert_lives(hours(240, Exchange::Moscow), utc("2024-03-09 12:00"), Some(day_us("2024-03-09")), utc("2024-03-09 21:00"));
    assert_lives(Rule { ttl: BY_CLOSE, exchange: Exchange::Tokyo }, utc("2024-03-05 03:00"), provisional, utc("2024-03-05 06:15"));
}

#[test]
fn what_was_provisional_when_it_was_fetched_is_stale_when_it_is_settled() {
    // The day a fetch finds open is the day whose settling ends its time: no bar is served as fresh that may have changed since.
    for exchange in Exchange::all() {
        for hour in 0..2_000 {
            let now_us = utc("2024-01-01 00:07") + hour * 5 * HOUR_US;
            let open_day = exchange.settled_before(now_us);
            let entry = Entry { fetched_at_us: now_us, provisional_from_us: Some(micros_of_date(open_day)), ..entry() };
            let rule = Rule { ttl: TimeToLive::hours(10_000), exchange };
            let end_us = expires_at_us(&entry, rule).expect("it has a file");
            assert!(end_us > now_us && exchange.settled_before(end_us) > open_day && exchange.settled_before(end_us - 1) <= open_day);
        }
    }
}

#[test]
fn pinned_entries_outlive_every_close() {
    let pinned = Entry { pinned: true, provisional_from_us: Some(day_us("2024-03-05")), ..entry() };
    let rule = Rule { ttl: BY_CLOSE, exchange: Exchange::NewYork };
    assert_eq!(expires_at_us(&pinned, rule), None);
    assert_eq!(state_at(&pinned, rule, pinned.fetched_at_us + 9_999 * DAY_US), EntryState::Fresh);
}

#[test]
fn a_clock_that_jumps_back_is_not_believed() {
    let rule = Rule { ttl: BY_CLOSE, exchange: Exchange::NewYork };
    let clock = ManualClock::at(utc("2024-03-05 21:20"));
    let entry = Entry { fetched_at_us: clock.now_us(), ..entry() };
    let state = || state_at(&entry, rule, clock.now_us());
    assert_eq!(state(), EntryState::Fresh);
    // Less than an hour is a correction; the close is not awaited a second time.
    clock.advance(-HOUR_US);
    assert_eq!(state(), EntryState::Fresh);
    clock.advance(-1);
    assert_eq!(state(), EntryState::Stale, "fetched more than an hour in the future");
    clock.advance(-3 * DAY_US);
    assert_eq!(state(), EntryState::Stale);
    clock.advance(4 * DAY_US + HOUR_US);
    assert_eq!(state(), EntryState::Stale, "the next close has passed");
    clock.advance(-DAY_US);
    assert_eq!(state(), EntryState::Fresh, "back at the time it was fetched");
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let ttl = prop_oneof![Just(BY_CLOSE), (0_u64..1_000_000).prop_map(TimeToLive::Secs)];
    (ttl, proptest::sample::select(Exchange::all().collect::<Vec<_>>())).prop_map(|(ttl, exchange)| Rule { ttl, exchange })
}

proptest! {
    #[test]
    fn a_fresh_entry_becomes_stale_once_and_for_good(
        rule in any_rule(),
        fetched_secs in 946_684_800_i64..1_893_456_000,
        provisional_days in proptest::option::of(-3_i64..3),
        mut steps_us in proptest::collection::vec(0..20 * DAY_US, 1..20),
    ) {
        let fetched_at_us = fetched_secs * SECOND_US;
        let provisional_from_us = provisional_days.map(|days| micros_of_date(date_of(fetched_at_us + days * DAY_US)));
        let entry = Entry { fetched_at_us, provisional_from_us, ..entry() };
        let end_us = expires_at_us(&entry, rule).expect("it has a file");
        steps_us.extend([0, (end_us - fetched_at_us).max(1) - 1, (end_us - fetched_at_us).max(0)]);
        steps_us.sort_unstable();
        let states: Vec<EntryState> = steps_us.iter().map(|step_us| state_at(&entry, rule, fetched_at_us + step_us)).collect();
        let fresh = states.iter().take_while(|state| **state == EntryState::Fresh).count();
        prop_assert!(states[fresh..].iter().all(|state| *state == EntryState::Stale), "{:?}", states);
        for (step_us, state) in steps_us.iter().zip(&states) {
            prop_assert_eq!(*state == EntryState::Stale, fetched_at_us + step_us >= end_us);
        }
    }

    #[test]
    fn nothing_outlives_a_close(
        exchange in proptest::sample::select(Exchange::all().collect::<Vec<_>>()),
        fetched_secs in 946_684_800_i64..1_893_456_000,
    ) {
        let fetched_at_us = fetched_secs * SECOND_US;
        let end_us = Rule { ttl: BY_CLOSE, exchange }.expires_at_us(fetched_at_us, None);
        prop_assert!(end_us > fetched_at_us);
        // Whatever settles between fetching and the end would have been missed.
        prop_assert!(exchange.next_settling_us(fetched_at_us) == end_us);
        prop_assert!(exchange.settled_before(end_us) > exchange.settled_before(fetched_at_us));
    }
}
