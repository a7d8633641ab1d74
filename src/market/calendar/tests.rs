//! The calendars against an independent reference, around the days that are easily got wrong, and by their laws.

use super::*;
use crate::market::HOUR_US;
use chrono::{DateTime, Datelike};
use proptest::prelude::*;
use std::collections::BTreeMap;

const WITH_CALENDAR: [Exchange; 8] = [
    Exchange::NewYork,
    Exchange::Shanghai,
    Exchange::HongKong,
    Exchange::London,
    Exchange::Frankfurt,
    Exchange::Tokyo,
    Exchange::Seoul,
    Exchange::Moscow,
];

fn day(text: &str) -> NaiveDate {
    text.parse().expect(text)
}

/// `2024-07-03 17:00` in UTC.
fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(&format!("{}:00Z", text.replace(' ', "T"))).expect(text).timestamp_micros()
}

fn close_of(exchange: Exchange, text: &str) -> Option<i64> {
    exchange.session_on(day(text)).map(|session| session.close_us)
}

#[test]
fn names_and_codes_are_read_back() {
    assert_eq!(Exchange::all().count(), 10);
    for exchange in Exchange::all() {
        assert_eq!(Exchange::parse(exchange.name()), Some(exchange));
        assert_eq!(Exchange::parse(exchange.code()), Some(exchange));
    }
    assert_eq!(Exchange::parse(" Nasdaq "), Some(Exchange::NewYork));
    assert_eq!(Exchange::parse("XSHE"), Some(Exchange::Shanghai));
    assert_eq!(Exchange::parse("the moon"), None);
}

#[test]
fn every_calendar_in_the_program_is_read() {
    for exchange in WITH_CALENDAR {
        let text = std::fs::read_to_string(format!("{}/assets/calendars/{}.txt", env!("CARGO_MANIFEST_DIR"), exchange.code()));
        let read = Calendar::read(&text.expect("the file of its code")).expect("a calendar");
        assert_eq!(exchange.coverage_end(), Some(read.last_day()), "{exchange}: not its own file, or not read");
    }
    assert_eq!(Exchange::NewYork.coverage_end(), Some(day("2030-12-31")));
    assert_eq!(Exchange::Shanghai.coverage_end(), Some(day("2026-12-31")));
    assert_eq!(Exchange::Continuous.coverage_end(), None);
}

/// Sessions per year, and the sums of their opens and closes, as another program with another time zone database reckons them.
#[test]
fn every_session_of_every_year_is_as_the_reference_has_it() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sessions_by_year.csv")).expect("golden");
    let mut compared = BTreeMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [code, year, sessions, opens, closes] = fields[..] else { panic!("{line}") };
        let exchange = Exchange::parse(code).expect(code);
        let year: i32 = year.parse().expect(line);
        let days = NaiveDate::from_ymd_opt(year, 1, 1).expect(line).iter_days().take_while(|day| day.year() == year);
        let found: Vec<Session> = days.filter_map(|day| exchange.session_on(day)).collect();
        let minutes = |of: fn(&Session) -> i64| found.iter().map(|session| of(session) / (60 * SECOND_US)).sum::<i64>().to_string();
        let told = (found.len().to_string(), minutes(|session| session.open_us), minutes(|session| session.close_us));
        assert_eq!((told.0.as_str(), told.1.as_str(), told.2.as_str()), (sessions, opens, closes), "{code} {year}");
        *compared.entry(exchange).or_insert(0) += 1;
    }
    assert_eq!(compared.len(), WITH_CALENDAR.len());
    assert!(compared.values().all(|years| *years >= 34), "{compared:?}");
}

#[test]
fn closes_follow_daylight_saving_of_their_own_city() {
    use Exchange::{Frankfurt, HongKong, London, Moscow, NewYork, Seoul, Shanghai, Tokyo};
    // America changes on 2024-03-10 and 2024-11-03, Europe on 2024-03-31 and 2024-10-27, Asia never.
    for (exchange, date, close) in [
        (NewYork, "2024-03-08", "2024-03-08 21:00"),
        (NewYork, "2024-03-11", "2024-03-11 20:00"),
        (London, "2024-03-11", "2024-03-11 16:30"),
        (London, "2024-03-28", "2024-03-28 16:30"),
        (London, "2024-04-02", "2024-04-02 15:30"),
        (Frankfurt, "2024-03-28", "2024-03-28 16:30"),
        (Frankfurt, "2024-04-02", "2024-04-02 15:30"),
        (London, "2024-10-25", "2024-10-25 15:30"),
        (London, "2024-10-28", "2024-10-28 16:30"),
        (NewYork, "2024-10-28", "2024-10-28 20:00"),
        (NewYork, "2024-11-01", "2024-11-01 20:00"),
        (NewYork, "2024-11-04", "2024-11-04 21:00"),
        (Shanghai, "2024-03-08", "2024-03-08 07:00"),
        (Shanghai, "2024-11-04", "2024-11-04 07:00"),
        (HongKong, "2024-07-02", "2024-07-02 08:00"),
        (Tokyo, "2024-11-01", "2024-11-01 06:00"),
        (Tokyo, "2024-11-05", "2024-11-05 06:30"),
        (Seoul, "2024-11-04", "2024-11-04 06:30"),
        (Moscow, "2024-07-02", "2024-07-02 15:45"),
        // Moscow lived at +4 from 2011 to 2014.
        (Moscow, "2013-07-02", "2013-07-02 14:45"),
    ] {
        assert_eq!(close_of(exchange, date), Some(utc(close)), "{exchange} {date}");
    }
}

#[test]
fn holidays_and_leap_days_are_known() {
    use Exchange::{Frankfurt, HongKong, London, Moscow, NewYork, Seoul, Shanghai, Tokyo};
    for (exchange, closed) in [
        (NewYork, &["2024-01-01", "2024-03-29", "2024-07-04", "2024-11-28", "2024-12-25", "2025-01-09", "2001-09-11", "2012-10-29"][..]),
        (Shanghai, &["2024-02-09", "2024-02-12", "2024-02-16", "2024-10-01", "2024-10-07", "2026-02-16"]),
        (HongKong, &["2024-02-12", "2024-02-13", "2024-05-15", "2024-12-26"]),
        (London, &["2022-09-19", "2023-05-08", "2024-08-26", "2024-12-26"]),
        (Frankfurt, &["2024-05-01", "2024-12-24", "2024-12-31"]),
        (Tokyo, &["2024-01-02", "2024-01-03", "2024-05-06", "2024-12-31", "2019-05-01"]),
        (Seoul, &["2024-02-09", "2024-04-10", "2024-09-16", "2024-12-31"]),
        (Moscow, &["2024-01-01", "2024-05-09", "2024-06-12"]),
    ] {
        for date in closed {
            assert!(!exchange.is_session(day(date)), "{exchange} {date}");
        }
    }
    for exchange in WITH_CALENDAR {
        assert!(exchange.is_session(day("2024-02-29")), "{exchange}: a leap day like any Thursday");
        assert!(!exchange.is_session(day("2020-02-29")), "{exchange}: a leap day on a Saturday");
        assert!(!exchange.is_session(day("2024-03-02")) && !exchange.is_session(day("2024-03-03")), "{exchange}: a weekend");
    }
    assert!(Exchange::Continuous.is_session(day("2024-12-25")));
}

#[test]
fn half_days_close_early() {
    use Exchange::{HongKong, London, NewYork};
    for (exchange, date, close) in [
        (NewYork, "2024-11-29", "2024-11-29 18:00"),
        (NewYork, "2024-12-24", "2024-12-24 18:00"),
        (NewYork, "2024-07-03", "2024-07-03 17:00"),
        (HongKong, "2024-02-09", "2024-02-09 04:00"),
        (HongKong, "2024-12-24", "2024-12-24 04:00"),
        (HongKong, "2024-12-31", "2024-12-31 04:00"),
        (London, "2024-12-24", "2024-12-24 12:30"),
        (London, "2024-12-31", "2024-12-31 12:30"),
    ] {
        assert_eq!(close_of(exchange, date), Some(utc(close)), "{exchange} {date}");
    }
}

#[test]
fn a_bar_is_final_a_grace_after_its_close_to_the_microsecond() {
    // Friday; then the weekend, day by day, and Monday until its own close.
    let friday = utc("2024-03-01 21:00") + GRACE_US;
    let at = |now_us| Exchange::NewYork.settled_before(now_us).to_string();
    assert_eq!(at(friday - GRACE_US), "2024-03-01");
    assert_eq!(at(friday - 1), "2024-03-01");
    assert_eq!(at(friday), "2024-03-02");
    assert_eq!(at(utc("2024-03-02 04:59") + HOUR_US / 60 - 1), "2024-03-02", "still Friday in New York");
    assert_eq!(at(utc("2024-03-03 05:00") - 1), "2024-03-02");
    assert_eq!(at(utc("2024-03-03 05:00")), "2024-03-03");
    assert_eq!(at(utc("2024-03-04 05:00")), "2024-03-04");
    assert_eq!(at(utc("2024-03-04 21:14")), "2024-03-04");
    assert_eq!(at(utc("2024-03-04 21:15")), "2024-03-05");
    // In Tokyo it is already the next day when New York closes.
    assert_eq!(Exchange::Tokyo.settled_before(utc("2024-03-04 21:15")), day("2024-03-05"));
    assert_eq!(Exchange::Tokyo.settled_before(utc("2024-03-05 06:15") - 1), day("2024-03-05"));
    assert_eq!(Exchange::Tokyo.settled_before(utc("2024-03-05 06:15")), day("2024-03-06"));
    for exchange in [Exchange::Continuous, Exchange::Unknown] {
        assert_eq!(exchange.settled_before(utc("2024-03-01 00:15") - 1), day("2024-02-29"));
        assert_eq!(exchange.settled_before(utc("2024-03-01 00:15")), day("2024-03-01"));
    }
}

#[test]
fn closes_leap_over_weekends_holidays_and_year_ends() {
    use Exchange::{Continuous, Frankfurt, NewYork, Seoul, Shanghai, Tokyo};
    for (exchange, after, close) in [
        (NewYork, "2024-03-01 20:59", "2024-03-01 21:00"),
        (NewYork, "2024-03-01 21:00", "2024-03-04 21:00"),
        (NewYork, "2024-11-27 21:00", "2024-11-29 18:00"),
        (NewYork, "2024-12-31 21:00", "2025-01-02 21:00"),
        (NewYork, "2024-03-08 21:00", "2024-03-11 20:00"),
        (Shanghai, "2024-02-08 07:00", "2024-02-19 07:00"),
        (Shanghai, "2024-09-30 07:00", "2024-10-08 07:00"),
        (Tokyo, "2024-12-30 06:30", "2025-01-06 06:30"),
        (Frankfurt, "2024-12-23 16:30", "2024-12-27 16:30"),
        (Seoul, "2024-12-30 06:30", "2025-01-02 06:30"),
        (Continuous, "2024-12-31 23:59", "2025-01-01 00:00"),
        // Across the end of what is known: the days after it are sessions when they are weekdays.
        (NewYork, "2030-12-31 21:00", "2031-01-01 21:00"),
        (Shanghai, "2026-12-31 07:00", "2027-01-01 07:00"),
        (Shanghai, "2036-12-31 07:00", "2037-01-01 07:00"),
        (NewYork, "2040-12-31 21:00", "2041-01-01 21:00"),
        // And before its beginning.
        (Tokyo, "1996-12-31 06:00", "1997-01-06 06:00"),
        (NewYork, "1985-07-05 20:00", "1985-07-08 20:00"),
    ] {
        assert_eq!(exchange.next_close_us(utc(after)), utc(close), "{exchange} after {after}");
        assert_eq!(exchange.last_close_us(utc(close) - 1), exchange.last_close_us(utc(after)), "{exchange}: none between");
        assert_eq!(exchange.last_close_us(utc(close)), utc(close), "{exchange}");
    }
}

#[test]
fn no_time_is_too_far_for_an_answer() {
    for exchange in Exchange::all() {
        for time_us in [i64::MIN, i64::MIN + 1, -1, 0, FIRST_US - 1, FIRST_US, LAST_US - 1, LAST_US, i64::MAX - 1, i64::MAX] {
            assert!(exchange.next_close_us(time_us) > time_us || time_us > i64::MAX - DAY_US, "{exchange} {time_us}");
            assert!(exchange.last_close_us(time_us) <= time_us || time_us < i64::MIN + DAY_US, "{exchange} {time_us}");
            assert!(exchange.next_settling_us(time_us) > time_us || time_us > i64::MAX - DAY_US);
            assert!(exchange.settled_before(time_us) <= date_of(time_us.saturating_add(DAY_US)).max(date_of(0)), "{exchange} {time_us}");
        }
        for far in [NaiveDate::MIN, NaiveDate::MAX, day("0001-01-01"), day("9999-12-31")] {
            let settles_at_us = exchange.settles_at_us(far);
            assert!(exchange.session_on(far).is_none_or(|session| session.close_us < settles_at_us), "{exchange} {far}");
        }
    }
    assert_eq!((date_of(FIRST_US), date_of(LAST_US)), (day("0001-01-01"), day("9999-01-01")));
}

/// From 1985 to 2045: before, in and after the years of the data, and of what is worked out ahead.
fn any_time() -> impl Strategy<Value = i64> {
    (473_385_600_i64..2_366_841_600).prop_flat_map(|secs| (-2_i64..3).prop_map(move |step| secs * SECOND_US + step))
}

fn any_exchange() -> impl Strategy<Value = Exchange> {
    proptest::sample::select(Exchange::all().collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn closes_before_and_after_a_time_fit_together(exchange in any_exchange(), now_us in any_time()) {
        let (last, next) = (exchange.last_close_us(now_us), exchange.next_close_us(now_us));
        prop_assert!(last <= now_us && now_us < next);
        prop_assert_eq!(exchange.next_close_us(last - 1), last);
        prop_assert_eq!(exchange.next_close_us(last), next);
        prop_assert_eq!(exchange.last_close_us(next - 1), last);
        prop_assert_eq!(exchange.last_close_us(next), next);
        prop_assert!(next - last <= 20 * DAY_US, "closed for {} days", (next - last) / DAY_US);
    }

    #[test]
    fn settled_days_only_become_more(exchange in any_exchange(), now_us in any_time(), step_us in 0..20 * DAY_US) {
        prop_assert!(exchange.settled_before(now_us) <= exchange.settled_before(now_us + step_us));
    }

    #[test]
    fn a_day_settles_at_one_moment(exchange in any_exchange(), now_us in any_time()) {
        let day = date_of(now_us);
        let settles_at_us = exchange.settles_at_us(day);
        prop_assert!(exchange.settled_before(settles_at_us - 1) <= day);
        prop_assert!(exchange.settled_before(settles_at_us) > day);
        if let Some(session) = exchange.session_on(day) {
            prop_assert_eq!(settles_at_us, session.close_us + GRACE_US);
            prop_assert!(exchange.next_settling_us(settles_at_us - 1) == settles_at_us);
            prop_assert!(exchange.next_settling_us(settles_at_us) > settles_at_us);
        }
    }
}
