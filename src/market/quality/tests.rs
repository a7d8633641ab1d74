//! The rules of quality, each on bars made for it.

use super::*;
use crate::market::{Exchange, format_date, parse_date};

/// Bars on some days of 2024, given as day of the year from 1, that rise by about a hundredth each way.
fn bars(days: impl IntoIterator<Item = i64>) -> Bars {
    let start = micros_of_date(parse_date("2024-01-01").expect("a day"));
    let time_us: Vec<i64> = days.into_iter().map(|day| start + (day - 1) * DAY_US).collect();
    let close: Vec<f64> = (0..time_us.len()).map(|row| 100.0 * (1.0 + 0.01 * (row as f64 * 1.7).sin())).collect();
    Bars {
        open: close.clone(),
        high: close.iter().map(|price| price + 1.0).collect(),
        low: close.iter().map(|price| price - 1.0).collect(),
        volume: vec![1_000.0; time_us.len()],
        close,
        time_us,
        ..Bars::default()
    }
}

fn weekdays(from: i64, to: i64) -> Vec<i64> {
    // 2024-01-01 was a Monday.
    (from..=to).filter(|day| (day - 1) % 7 < 5).collect()
}

fn told(findings: &[Finding]) -> Vec<(FindingKind, String, usize)> {
    findings.iter().map(|finding| (finding.kind, format_date(finding.from_us), finding.count)).collect()
}

#[test]
fn clean_bars_have_no_findings() {
    let clean = bars(weekdays(1, 200));
    let days = MarketDays::new(Exchange::Unknown, [&clean, &clean, &clean]);
    assert_eq!(examine(&clean, &days), []);
    assert!(FindingCounts::of(&[]).is_clean());
    assert_eq!(examine(&Bars::default(), &MarketDays::default()), []);
}

#[test]
fn missing_sessions_are_known_from_the_calendar_and_holidays_are_none() {
    // New York was closed on 1 January and on the 15th; the 17th and 18th are missing here.
    let some = bars(weekdays(2, 60).into_iter().filter(|day| ![15, 17, 18].contains(day)));
    let found = examine(&some, &MarketDays::new(Exchange::NewYork, []));
    // Presidents' day, 19 February, is a bar too many, not a gap.
    assert_eq!(told(&found), [(FindingKind::Gap, "2024-01-17".to_owned(), 2)]);
    assert_eq!((found[0].others_have, found[0].is_hole()), (0, true));
    // Without a calendar and without peers nothing is expected.
    assert_eq!(examine(&some, &MarketDays::new(Exchange::Unknown, [])), []);
}

#[test]
fn a_market_that_never_closes_misses_every_day() {
    let some = bars((1..=30).filter(|day| ![6, 7, 20].contains(day)));
    let found = examine(&some, &MarketDays::new(Exchange::Continuous, []));
    assert_eq!(told(&found), [(FindingKind::Gap, "2024-01-06".to_owned(), 2), (FindingKind::Gap, "2024-01-20".to_owned(), 1)]);
    // A long hole is a halt, and misses its days all the same.
    let halted = bars((1..=60).filter(|day| !(20..=40).contains(day)));
    let counts = FindingCounts::of(&examine(&halted, &MarketDays::new(Exchange::Continuous, [])));
    assert_eq!((counts.gaps, counts.missing_sessions, counts.halts, counts.halted_sessions), (0, 0, 1, 21));
}

#[test]
fn missing_sessions_are_known_from_the_other_symbols() {
    let whole = bars(weekdays(1, 100));
    let some = bars(weekdays(1, 100).into_iter().filter(|day| ![10, 11, 29].contains(day)));
    let days = MarketDays::new(Exchange::Unknown, [&whole, &whole, &whole, &some]);
    let found = examine(&some, &days);
    let expected = [(FindingKind::Gap, "2024-01-10".to_owned(), 2), (FindingKind::Gap, "2024-01-29".to_owned(), 1)];
    assert_eq!(told(&found), expected);
    assert_eq!(found[0].others_have, 2);
    let counts = FindingCounts::of(&found);
    assert_eq!((counts.gaps, counts.missing_sessions, counts.total()), (2, 3, 2));
    // Two are no market, and peers that had not begun yet are not asked.
    assert_eq!(examine(&some, &MarketDays::new(Exchange::Unknown, [&whole, &whole])), []);
    let late = bars(weekdays(50, 100));
    let days = MarketDays::new(Exchange::Unknown, [&whole, &whole, &whole, &late, &late, &late, &late, &late]);
    assert_eq!(told(&examine(&some, &days)).len(), 2);
}

#[test]
fn a_day_that_no_symbol_has_is_a_hole_of_the_source_and_of_no_symbol() {
    // 2024-01-10, a Wednesday, is missing everywhere; the 11th in one symbol.
    let whole = bars(weekdays(2, 60).into_iter().filter(|day| *day != 10));
    let some = bars(weekdays(2, 60).into_iter().filter(|day| ![10, 11].contains(day)));
    let days = MarketDays::new(Exchange::NewYork, [&whole, &whole, &whole, &some]);
    assert_eq!(told(&examine(&some, &days)), [(FindingKind::Gap, "2024-01-11".to_owned(), 1)]);
    let number = |text: &str| micros_of_date(parse_date(text).expect("a day")) / DAY_US;
    let holes = days.holes(number("2024-01-02"), number("2024-02-29"));
    assert_eq!(holes, [parse_date("2024-01-10").expect("a day")]);
    // What comes after the last bar of all is not a hole but late.
    assert_eq!(days.holes(number("2024-03-01"), number("2024-04-01")), []);
    assert_eq!(days.sessions_behind(micros_of_date(parse_date("2024-02-29").expect("a day")), parse_date("2024-03-08").expect("a day")), 5);
}

#[test]
fn a_long_run_without_trade_is_a_halt() {
    let whole = bars(weekdays(1, 200));
    let days = MarketDays::new(Exchange::Unknown, [&whole, &whole, &whole]);
    let some = bars(weekdays(1, 200).into_iter().filter(|day| !(50..70).contains(day)));
    let found = examine(&some, &days);
    assert_eq!(told(&found), [(FindingKind::Halt, "2024-02-19".to_owned(), 15)]);
    assert!(found[0].is_hole());
    let mut silent = whole.clone();
    silent.volume[20..23].fill(0.0);
    silent.volume[60..75].fill(0.0);
    let found = examine(&silent, &days);
    assert_eq!(
        found.iter().map(|finding| (finding.kind, finding.count)).collect::<Vec<_>>(),
        [(FindingKind::ZeroVolume, 3), (FindingKind::Halt, 15)]
    );
    assert!(!found[1].is_hole());
    assert_eq!(FindingCounts::of(&found).zero_volume, 3);
    // An index has no volume at all, which is not worth a word.
    silent.volume.fill(0.0);
    assert_eq!(examine(&silent, &days), []);
}

#[test]
fn prices_that_cannot_be_are_found_with_their_value() {
    let mut broken = bars(weekdays(1, 20));
    broken.high[3] = broken.close[3] - 0.5;
    broken.low[5] = broken.close[5] + 0.5;
    broken.low[7] = -1.0;
    let found = examine(&broken, &MarketDays::default());
    let kinds: Vec<(FindingKind, Option<f64>)> = found.iter().map(|finding| (finding.kind, finding.value)).collect();
    assert_eq!(
        kinds,
        [
            (FindingKind::BrokenRange, Some(broken.high[3])),
            (FindingKind::BrokenRange, Some(broken.low[5])),
            (FindingKind::NonPositive, Some(-1.0))
        ]
    );
}

#[test]
fn outliers_are_told_from_the_spread_of_all_returns() {
    let mut jumpy = bars(weekdays(1, 200));
    // One wrong price, and a split of 2:1 from the hundredth bar on.
    jumpy.close[40] *= 10.0;
    for price in &mut jumpy.close[100..] {
        *price /= 2.0;
    }
    let found = outliers(&jumpy);
    let told: Vec<(i64, bool)> = found.iter().map(|finding| (finding.from_us, finding.reverts)).collect();
    assert_eq!(told, [(jumpy.time_us[40], true), (jumpy.time_us[100], false)]);
    let split = found[1].value.expect("a return");
    assert!((split + 0.5).abs() < 0.02, "{split}");
    // Too few returns, or none that move.
    assert_eq!(outliers(&bars(weekdays(1, 20))), []);
    jumpy.close.fill(5.0);
    jumpy.close[40] = 50.0;
    assert_eq!(outliers(&jumpy), []);
    jumpy.close.fill(0.0);
    assert_eq!(outliers(&jumpy), [], "no logarithm, no return");
}

#[test]
fn a_last_bar_is_so_many_sessions_behind() {
    let whole = bars(weekdays(1, 100));
    let days = MarketDays::new(Exchange::NewYork, [&whole]);
    let day = |text: &str| parse_date(text).expect("a day");
    let last_us = |text: &str| micros_of_date(day(text));
    assert_eq!(days.sessions_behind(last_us("2024-03-01"), day("2024-03-02")), 0);
    assert_eq!(days.sessions_behind(last_us("2024-03-01"), day("2024-03-05")), 1);
    // Good Friday.
    assert_eq!(days.sessions_behind(last_us("2024-03-28"), day("2024-04-02")), 1);
    assert_eq!(days.sessions_behind(last_us("2024-04-02"), day("2024-03-01")), 0);
}

#[test]
fn a_median_is_the_middle_or_between_the_two() {
    assert_eq!(median(&mut []), None);
    assert_eq!(median(&mut [3.0]), Some(3.0));
    assert_eq!(median(&mut [4.0, 1.0, 3.0]), Some(3.0));
    assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
}
