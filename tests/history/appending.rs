//! Bars that are added one day at a time, in random batches and all at once give the same files' contents, bit by bit.

use super::lab::{Held, Lab, assert_same, assert_same_content, check, every_set, over_after};
use super::market::{Market, Values, day_of};
use super::rewritten::values;
use super::support::tables::Kind;
use super::{runs, seed};
use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::cache::{Content, TimeToLive};
use samovar::market::{Clock, DAY_US, HOUR_US, micros_of_date};
use std::collections::BTreeMap;

/// What the bars are like.
#[derive(Debug, Clone, Copy)]
struct Shape {
    intraday: bool,
    money: bool,
    /// Bars of the day that is not over come, change and settle.
    provisional: bool,
    /// Rows without a price, rows that are there twice, days without a row.
    untidy: bool,
    /// Every built-in set, not only the classic one.
    every_set: bool,
    /// How many days before the clock the last bars are.
    age_days: u64,
    days_before: u64,
    days_added: u64,
}

const TIDY: Shape = Shape {
    intraday: false,
    money: false,
    provisional: false,
    untidy: false,
    every_set: false,
    age_days: 1,
    days_before: 70,
    days_added: 40,
};

const SYMBOLS: [&str; 9] = ["600519.SH", "0700.HK", "AAPL", "BTC-USD", "7203.T", "SBER", "SAP.DE", "VOD.L", "005930.KS"];

enum Edit {
    Insert(&'static str, u64, String, Values),
    Update(&'static str, u64, Values),
}

/// What happens at the source, and at what time somebody looks.
struct Step {
    now_us: i64,
    edits: Vec<Edit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schedule {
    OneByOne,
    InBatches,
    AllAtOnce,
}

fn first_day() -> NaiveDate {
    day_of("2023-11-06")
}

/// All that happens: the bars there are at first, then day after day.
fn script(shape: Shape, seed: u64) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut next_id = 1;
    let mut steps = vec![Step { now_us: micros_of_date(first_day() + Days::new(shape.days_before + shape.age_days)), edits: Vec::new() }];
    for number in 0..shape.days_before + shape.days_added {
        let day = first_day() + Days::new(number);
        let is_history = number < shape.days_before;
        let mut written: Vec<Vec<Edit>> = vec![Vec::new(), Vec::new(), Vec::new()];
        for (place, symbol) in SYMBOLS.into_iter().enumerate() {
            // The last one appears late, and some days are left out.
            let is_there = place + 1 < SYMBOLS.len() || number > shape.days_before + shape.days_added / 2;
            if !is_there || shape.untidy && random.random_bool(0.15) {
                continue;
            }
            let times: Vec<String> = match shape.intraday {
                false => vec![day.to_string()],
                true => ["09:30", "11:00", "14:30"].map(|time| format!("{day} {time}:00")).to_vec(),
            };
            for time in times {
                for _ in 0..if shape.untidy && random.random_bool(0.05) { 2 } else { 1 } {
                    let mut row = values(&mut random);
                    if shape.untidy && random.random_bool(0.06) {
                        row[random.random_range(0..5)] = None;
                    }
                    if shape.provisional && !is_history && random.random_bool(0.8) {
                        // It is seen before it is final, and may already be what it will be.
                        let early = if random.random_bool(0.25) { row } else { values(&mut random) };
                        written[0].push(Edit::Insert(symbol, next_id, time.clone(), early));
                        if random.random_bool(0.5) {
                            written[1].push(Edit::Update(symbol, next_id, values(&mut random)));
                        }
                        written[2].push(Edit::Update(symbol, next_id, row));
                    } else if is_history {
                        written[0].push(Edit::Insert(symbol, next_id, time.clone(), row));
                    } else {
                        written[2].push(Edit::Insert(symbol, next_id, time.clone(), row));
                    }
                    next_id += 1;
                }
            }
        }
        if is_history {
            steps[0].edits.extend(written.into_iter().flatten());
            continue;
        }
        let noon = micros_of_date(day + Days::new(shape.age_days)) - DAY_US + 12 * HOUR_US;
        let looks = [(noon, 0), (noon + 5 * HOUR_US, 1), (noon + 37 * HOUR_US, 2)];
        for (now_us, part) in looks.into_iter().filter(|(_, part)| shape.provisional || *part == 2) {
            steps.push(Step { now_us, edits: std::mem::take(&mut written[part]) });
        }
    }
    // Looks of one day and the next overlap by an hour; the clock only goes on.
    steps.sort_by_key(|step| step.now_us);
    steps
}

/// What a cache has after the script, in contents by symbol and dataset.
fn play(shape: Shape, schedule: Schedule, seed: u64) -> BTreeMap<String, Content> {
    let context = format!("{shape:?}, {schedule:?}, seed {seed}");
    let mut random = StdRng::seed_from_u64(seed ^ schedule as u64);
    let mut market = Market::new(Kind::Sqlite, shape.intraday, shape.money, true).expect("a market");
    let mut steps = script(shape, seed).into_iter();
    let first = steps.next().expect("a beginning");
    apply(&mut market, first.edits);
    let lab = Lab::new(&market.url(), first.now_us);
    // Half of them because somebody asks, half of them because the time to live is over.
    let asked = random.random_bool(0.5);
    let mut request = if asked { check() } else { over_after(TimeToLive::Secs(60)) };
    if shape.every_set {
        request.sets = every_set();
    }
    let sets = request.sets.len();
    lab.preheat(&request);
    let mut rest: Vec<Step> = steps.collect();
    let (mut added, mut rows_fetched, mut rows_computed) = (0, 0, 0);
    while !rest.is_empty() {
        let number = match schedule {
            Schedule::OneByOne => 1,
            Schedule::InBatches => random.random_range(1..=rest.len().min(12)),
            Schedule::AllAtOnce => rest.len(),
        };
        for step in rest.drain(..number) {
            added += step.edits.len() as u64;
            apply(&mut market, step.edits);
            lab.clock.advance(step.now_us - lab.clock.now_us());
        }
        let report = lab.preheat(&request);
        assert!(report.failed.is_empty(), "{context}: {report:?}");
        rows_fetched += report.counted.rows_fetched;
        rows_computed += report.counted.rows_computed;
        if random.random_bool(0.08) {
            assert_same(&format!("{context}, {} steps left", rest.len()), &lab.held(), &lab.fresh(&request));
        }
    }
    let held = lab.held();
    assert_same(&context, &held, &lab.fresh(&request));
    if !shape.untidy && !shape.provisional && schedule == Schedule::OneByOne {
        // The symbol that appeared late is fetched and computed like any other, each row once; a look at the newest days reads some
        // of them again.
        assert_eq!(rows_computed, added * sets as u64, "{context}: only what was added");
        assert!(if asked { rows_fetched == added } else { rows_fetched > added }, "{context}: {rows_fetched} rows fetched, {added} added");
    }
    by_name(held)
}

fn by_name(held: Held) -> BTreeMap<String, Content> {
    held.into_iter().map(|(key, (_, content))| (format!("{} {}", key.symbol, key.dataset), content)).collect()
}

fn apply(market: &mut Market, edits: Vec<Edit>) {
    for edit in edits {
        match edit {
            Edit::Insert(symbol, id, date, row) => market.insert_as(id, symbol, &date, row),
            Edit::Update(symbol, id, row) => market.update(symbol, id, row),
        }
    }
    market.flush();
}

fn gives_the_same_however_it_comes(shape: Shape, usual_seed: u64) {
    let seed = seed(usual_seed);
    for run in 0..runs(1).clamp(1, 25) as u64 {
        let one_by_one = play(shape, Schedule::OneByOne, seed + run);
        assert_eq!(one_by_one.len(), (1 + if shape.every_set { every_set().len() } else { 1 }) * SYMBOLS.len());
        for schedule in [Schedule::InBatches, Schedule::AllAtOnce] {
            let other = play(shape, schedule, seed + run);
            assert_eq!(other.keys().collect::<Vec<_>>(), one_by_one.keys().collect::<Vec<_>>());
            for (name, content) in &one_by_one {
                assert_same_content(&format!("{shape:?}, {schedule:?}: {name}"), &other[name], content);
            }
        }
    }
}

#[test]
fn daily_bars() {
    gives_the_same_however_it_comes(TIDY, 100);
}

#[test]
fn every_set_that_is_built_in_and_one_that_is_kept_rounded() {
    gives_the_same_however_it_comes(Shape { every_set: true, days_added: 6, ..TIDY }, 700);
}

#[test]
fn daily_bars_with_amount_and_turnover_and_untidy_rows() {
    gives_the_same_however_it_comes(Shape { money: true, untidy: true, ..TIDY }, 200);
}

#[test]
fn provisional_bars_that_change_and_settle() {
    gives_the_same_however_it_comes(Shape { money: true, provisional: true, days_added: 25, ..TIDY }, 300);
}

#[test]
fn untidy_provisional_bars() {
    gives_the_same_however_it_comes(Shape { provisional: true, untidy: true, days_added: 25, ..TIDY }, 400);
}

#[test]
fn intraday_bars() {
    let shape = Shape { intraday: true, money: true, provisional: true, untidy: true, days_before: 45, days_added: 20, ..TIDY };
    gives_the_same_however_it_comes(shape, 500);
    gives_the_same_however_it_comes(Shape { provisional: false, untidy: false, ..shape }, 501);
}

#[test]
fn bars_that_are_added_long_after_their_days() {
    gives_the_same_however_it_comes(Shape { age_days: 1_500, untidy: true, ..TIDY }, 600);
    gives_the_same_however_it_comes(Shape { age_days: 1_500, ..TIDY }, 601);
}
