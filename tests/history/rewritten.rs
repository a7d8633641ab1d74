//! Random changes at the source: every one is noticed by the next check, and what is cached then is what a new cache has.

use super::lab::{Held, Lab, assert_same_entry, check};
use super::market::{COLUMNS, Market, Row, Values, day_of};
use super::support::tables::Kind;
use super::{runs, seed};
use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use samovar::cache::{Change, ChangeKind, Content, EntryKey};
use samovar::market::{Bars, Clock, DAY_US, HOUR_US, SECOND_US, Symbol, micros_of_date};
use samovar::preheat::PreheatReport;
use std::collections::{BTreeMap, BTreeSet};

/// Days between two bars.
const STEP_DAYS: u64 = 5;

fn first_day() -> NaiveDate {
    day_of("2019-01-02")
}

/// Noon of a day in the middle of the last year there are bars of.
fn start_us() -> i64 {
    micros_of_date(day_of("2024-06-14")) + 12 * HOUR_US
}

/// Values no two bars have in common.
pub fn values(random: &mut StdRng) -> Values {
    let close: f64 = random.random_range(1.0..400.0);
    let open = close * random.random_range(0.98..1.02);
    let high = open.max(close) * random.random_range(1.0..1.02);
    let low = open.min(close) * random.random_range(0.98..1.0);
    let volume = f64::from(random.random_range(1_u32..50_000_000));
    [Some(open), Some(high), Some(low), Some(close), Some(volume), Some(volume * close), Some(random.random_range(0.0..9.0))]
}

/// What can be done to the rows of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    TinyValue,
    LargeValue,
    Volume,
    NoValue,
    Delete,
    Insert,
    InsertWithoutPrice,
    Duplicate,
    DuplicateWithOtherValues,
    Move,
    MoveToTheEnd,
    Split,
    Vanish,
    Append,
    AppendWithoutPrice,
    TwoYears,
    FourYears,
    ChangeAndAppend,
    Provisional,
    ProvisionalAgain,
    ProvisionalGone,
}

/// As often as they come; whole symbols vanish seldom.
const EDITS: [Edit; 33] = [
    Edit::TinyValue,
    Edit::TinyValue,
    Edit::TinyValue,
    Edit::LargeValue,
    Edit::LargeValue,
    Edit::Volume,
    Edit::Volume,
    Edit::NoValue,
    Edit::NoValue,
    Edit::Delete,
    Edit::Delete,
    Edit::Delete,
    Edit::Insert,
    Edit::Insert,
    Edit::Insert,
    Edit::InsertWithoutPrice,
    Edit::Duplicate,
    Edit::DuplicateWithOtherValues,
    Edit::Move,
    Edit::Move,
    Edit::MoveToTheEnd,
    Edit::Split,
    Edit::Split,
    Edit::Vanish,
    Edit::Append,
    Edit::Append,
    Edit::AppendWithoutPrice,
    Edit::TwoYears,
    Edit::FourYears,
    Edit::ChangeAndAppend,
    Edit::Provisional,
    Edit::ProvisionalAgain,
    Edit::ProvisionalGone,
];

struct World {
    market: Market,
    lab: Lab,
    random: StdRng,
    intraday: bool,
    /// The source is no more asked about these days than so.
    request: samovar::preheat::PreheatRequest,
}

impl World {
    fn new(kind: Kind, intraday: bool, seed: u64) -> Option<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut market = Market::new(kind, intraday, seed.is_multiple_of(2), !seed.is_multiple_of(3))?;
        for symbol in ["AAPL", "600519.SH", "0700.HK", "BTC", "株式", "aapl", "A'B".replace('\'', "-").as_str(), "Z"] {
            let years = random.random_range(3..=5);
            for number in 0..years * 73 {
                let day = first_day() + Days::new(number * STEP_DAYS);
                let row = values(&mut random);
                market.insert(symbol, &date_of(day, intraday, &mut random), row);
            }
        }
        market.flush();
        let lab = Lab::new(&market.url(), start_us());
        Some(Self { market, lab, random, intraday, request: check() })
    }

    fn today(&self) -> NaiveDate {
        samovar::market::date_of(self.lab.clock.now_us())
    }

    /// A row of a symbol that belongs to the past.
    fn some_row(&mut self, symbol: &str) -> Option<Row> {
        let today = self.today();
        let rows: Vec<&Row> = self.market.rows_of(symbol).iter().filter(|row| row.day() < today).collect();
        rows.choose(&mut self.random).map(|row| (*row).clone())
    }

    /// A date between the bars, or at one of them where there is a time of day.
    fn free_date(&mut self, symbol: &str) -> String {
        let days = self.market.rows_of(symbol).len() as u64 * STEP_DAYS;
        loop {
            let day = first_day() + Days::new(self.random.random_range(0..days.max(STEP_DAYS)));
            let date = date_of(day, self.intraday, &mut self.random);
            if day < self.today() && !self.market.rows_of(symbol).iter().any(|row| row.date == date) {
                return date;
            }
        }
    }

    /// The date behind the last row of a symbol, before today; `None` when there is none.
    fn next_date(&mut self, symbol: &str) -> Option<String> {
        let last = self.market.rows_of(symbol).iter().map(Row::day).max();
        let next = last.map_or(first_day(), |last| last + Days::new(self.random.random_range(1..STEP_DAYS)));
        let date = date_of(next, self.intraday, &mut self.random);
        (next < self.today()).then_some(date)
    }

    fn edit(&mut self, symbol: &str, edit: Edit) -> bool {
        let Some(row) = self.some_row(symbol) else {
            // It vanished before: it comes back, or is new.
            for number in 0..self.random.random_range(1..200) {
                let date = date_of(first_day() + Days::new(number * STEP_DAYS), self.intraday, &mut self.random);
                let row = values(&mut self.random);
                self.market.insert(symbol, &date, row);
            }
            return true;
        };
        let today = date_of(self.today(), self.intraday, &mut self.random);
        let mut changed = row.values;
        let price = self.random.random_range(0..4);
        match edit {
            Edit::TinyValue => {
                let column = self.random.random_range(0..self.market.columns());
                changed[column] = changed[column].map(|value| f64::from_bits(value.to_bits() ^ 1));
                self.market.update(symbol, row.id, changed);
            }
            Edit::LargeValue => {
                let column = self.random.random_range(0..self.market.columns());
                changed[column] = Some(self.random.random_range(1.0..1e6));
                self.market.update(symbol, row.id, changed);
            }
            Edit::Volume => {
                changed[4] = Some(changed[4].unwrap_or_default() + 1.0);
                self.market.update(symbol, row.id, changed);
            }
            Edit::NoValue => {
                let column = if self.random.random_bool(0.5) { price } else { self.random.random_range(4..self.market.columns()) };
                changed[column] = None;
                self.market.update(symbol, row.id, changed);
            }
            Edit::Delete => self.market.delete(symbol, row.id),
            Edit::Insert | Edit::InsertWithoutPrice => {
                let date = self.free_date(symbol);
                let mut row = values(&mut self.random);
                if edit == Edit::InsertWithoutPrice {
                    row[price] = None;
                }
                self.market.insert(symbol, &date, row);
            }
            Edit::Duplicate => drop(self.market.insert(symbol, &row.date, row.values)),
            Edit::DuplicateWithOtherValues => {
                let other = values(&mut self.random);
                self.market.insert(symbol, &row.date, other);
            }
            Edit::Move => {
                let date = self.free_date(symbol);
                self.market.shift(symbol, row.id, &date);
            }
            Edit::MoveToTheEnd => {
                let Some(date) = self.next_date(symbol) else { return false };
                self.market.shift(symbol, row.id, &date);
            }
            Edit::Split => {
                let factor = *[0.5, 0.1, 2.0, 0.97].choose(&mut self.random).expect("a factor");
                self.market.split(symbol, &row.date, factor);
            }
            Edit::Vanish => self.market.delete_symbol(symbol),
            Edit::Append | Edit::AppendWithoutPrice => {
                for _ in 0..self.random.random_range(1..4) {
                    let Some(date) = self.next_date(symbol) else { return false };
                    let mut row = values(&mut self.random);
                    if edit == Edit::AppendWithoutPrice {
                        row[price] = None;
                    }
                    self.market.insert(symbol, &date, row);
                }
            }
            Edit::TwoYears | Edit::FourYears => {
                for _ in 0..if edit == Edit::TwoYears { 2 } else { 6 } {
                    let Some(row) = self.some_row(symbol) else { continue };
                    let other = values(&mut self.random);
                    self.market.update(symbol, row.id, other);
                }
            }
            Edit::ChangeAndAppend => {
                let other = values(&mut self.random);
                self.market.update(symbol, row.id, other);
                self.edit(symbol, Edit::Append);
            }
            Edit::Provisional => {
                let mut other = values(&mut self.random);
                if self.random.random_bool(0.2) {
                    other[price] = None;
                }
                self.market.insert(symbol, &today, other);
            }
            Edit::ProvisionalAgain | Edit::ProvisionalGone => {
                let today = self.today();
                let rows: Vec<u64> = self.market.rows_of(symbol).iter().filter(|row| row.day() >= today).map(|row| row.id).collect();
                let Some(id) = rows.choose(&mut self.random).copied() else { return self.edit(symbol, Edit::Provisional) };
                if edit == Edit::ProvisionalGone {
                    self.market.delete(symbol, id);
                } else {
                    let other = values(&mut self.random);
                    self.market.update(symbol, id, other);
                }
            }
        }
        true
    }
}

fn date_of(day: NaiveDate, intraday: bool, random: &mut StdRng) -> String {
    if intraday && random.random_bool(0.9) {
        format!("{day} {:02}:{:02}:00", random.random_range(9..16), random.random_range(0..60))
    } else if intraday {
        format!("{day} 00:00:00")
    } else {
        day.to_string()
    }
}

/// A bar as bits.
type Bits = Vec<u64>;

/// Bars by time, as bits: a second opinion on what differs.
fn by_time(bars: &Bars) -> BTreeMap<i64, Bits> {
    let columns = [Some(&bars.open), Some(&bars.high), Some(&bars.low), Some(&bars.close), Some(&bars.volume)];
    let columns: Vec<&Vec<f64>> = columns.into_iter().chain([bars.amount.as_ref(), bars.turnover.as_ref()]).flatten().collect();
    let bits = |row: usize| columns.iter().map(|column| column[row].to_bits()).collect();
    bars.time_us.iter().enumerate().map(|(row, time)| (*time, bits(row))).collect()
}

fn bars_of(held: &Held, key: &EntryKey) -> BTreeMap<i64, Bits> {
    held.get(key).map(|(_, content)| by_time(content.bars())).unwrap_or_default()
}

/// Fails unless a change tells what differs between bars before and now. Those from `provisional_us` on were expected to change.
fn assert_told(
    context: &str,
    change: &Change,
    (before, now): (&BTreeMap<i64, Bits>, &BTreeMap<i64, Bits>),
    provisional_us: Option<i64>,
    years: &BTreeSet<i32>,
) {
    let is_settled = |time: &i64| provisional_us.is_none_or(|from_us| *time < from_us);
    let differing: BTreeSet<i64> = before.keys().chain(now.keys()).filter(|time| before.get(time) != now.get(time)).copied().collect();
    assert_eq!(change.first_us, differing.first().copied(), "{context}: {change:?}");
    let (inserted, known): (BTreeSet<i64>, BTreeSet<i64>) = differing.iter().partition(|time| !before.contains_key(time));
    let known: BTreeSet<i64> = known.into_iter().filter(is_settled).collect();
    let removed = known.iter().filter(|time| !now.contains_key(time)).count();
    let counts = (change.altered, change.removed, change.inserted);
    assert_eq!(counts, ((known.len() - removed) as u64, removed as u64, inserted.len() as u64), "{context}: {change:?}");
    let last = before.keys().next_back().copied().unwrap_or(i64::MIN);
    let rewritten = !known.is_empty() || inserted.iter().any(|time| *time <= last && is_settled(time));
    assert_eq!(change.kind, if rewritten { ChangeKind::Rewritten } else { ChangeKind::Appended }, "{context}: {change:?}");
    let told: BTreeSet<i32> = change.years.iter().copied().collect();
    assert!(told.is_superset(years), "{context}: years {years:?} changed: {change:?}");
}

/// Rows of a symbol by year, in an order of their own, as far as they are history on this day: before it, not behind the last row.
fn settled(rows: &[Row], until: NaiveDate, last: Option<NaiveDate>) -> BTreeMap<i32, Vec<String>> {
    let mut years: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.day() < until && last.is_none_or(|last| row.day() <= last)) {
        let values: Vec<Option<u64>> = row.values.iter().map(|value| value.map(f64::to_bits)).collect();
        years.entry(row.year()).or_default().push(format!("{} {values:?}", row.date));
    }
    for rows in years.values_mut() {
        rows.sort();
    }
    years
}

struct Tally {
    changes: usize,
    rounds: usize,
    told: usize,
    invisible: usize,
    vanished: usize,
    fetched: u64,
    stored: u64,
}

fn play(kind: Kind, intraday: bool, changes: usize, seed: u64) {
    let Some(mut world) = World::new(kind, intraday, seed) else { return };
    let context = format!("{kind:?}, seed {seed}");
    let first = world.lab.preheat(&world.request);
    assert!(first.failed.is_empty(), "{context}: {first:?}");
    let mut tally = Tally { changes: 0, rounds: 0, told: 0, invisible: 0, vanished: 0, fetched: 0, stored: 0 };
    let mut settled_before = world.today();
    let mut before = world.lab.held();
    while tally.changes < changes {
        tally.rounds += 1;
        let rows_before = world.market.rows.clone();
        let names: Vec<String> = rows_before.keys().cloned().collect();
        let number = world.random.random_range(1..=4);
        let chosen: Vec<String> = names.choose_multiple(&mut world.random, number).cloned().collect();
        let mut edits: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
        for symbol in &chosen {
            for _ in 0..if world.random.random_bool(0.2) { 2 } else { 1 } {
                let edit = *EDITS.choose(&mut world.random).expect("an edit");
                if world.edit(symbol, edit) {
                    edits.entry(symbol.clone()).or_default().push(edit);
                    tally.changes += 1;
                }
            }
        }
        world.market.flush();
        // Mostly on the same day; now and then another begins, and what was provisional settles.
        let wait = if world.random.random_bool(0.25) { DAY_US } else { SECOND_US * 60 };
        world.lab.clock.advance(wait);
        let context = format!("{context}, round {}: {edits:?}", tally.rounds);
        let report = world.lab.preheat(&world.request);
        let fresh = world.lab.fresh(&world.request);
        let now = world.lab.held();
        settled_before = compare(&context, &world, &report, &rows_before, settled_before, (&before, &now, &fresh), &mut tally);
        if tally.rounds.is_multiple_of(4) {
            assert_nothing_to_do(&context, &world, &now);
        }
        before = world.lab.held();
    }
    println!(
        "{context}: {} changes in {} rounds, {} told, {} that alter no bar, {} symbols gone; {} rows fetched of {} stored",
        tally.changes, tally.rounds, tally.told, tally.invisible, tally.vanished, tally.fetched, tally.stored
    );
}

fn compare(
    context: &str,
    world: &World,
    report: &PreheatReport,
    rows_before: &BTreeMap<String, Vec<Row>>,
    settled_before: NaiveDate,
    (before, now, fresh): (&Held, &Held, &Held),
    tally: &mut Tally,
) -> NaiveDate {
    let now_us = world.lab.clock.now_us();
    let today = world.today();
    let mut most_fetched = 0;
    for (symbol, rows) in &world.market.rows {
        let context = format!("{context}: {symbol}");
        let key = EntryKey::bars(&world.lab.id(), &Symbol::new(symbol));
        let features = |held: &Held| held.keys().filter(|other| other.symbol == key.symbol).cloned().collect::<Vec<_>>();
        let entry = world.lab.entry(symbol);
        let changes = world.lab.cache.catalog().changes(Some(&key.source), Some(&key.symbol), 1).expect("changes");
        let news = changes.first().filter(|change| change.noticed_us == now_us);
        if fresh.contains_key(&key) {
            assert_eq!(features(now), features(fresh), "{context}: other entries");
            for key in features(fresh) {
                assert_same_entry(&format!("{context}, {}", key.dataset), &now[&key], &fresh[&key]);
            }
        } else if before.contains_key(&key) {
            // Nothing good at the source: the last good version stays, and says so.
            let entry = entry.as_ref().expect("an entry");
            assert!(entry.failure.is_some(), "{context}: {entry:?}");
            for key in features(before) {
                super::lab::assert_same_content(&context, &now[&key].1, &before[&key].1);
            }
            let had_rows = rows_before.get(symbol).is_some_and(|rows| !rows.is_empty());
            if rows.is_empty() && had_rows && before[&key].0.failure.is_none() {
                assert_eq!(news.map(|change| change.kind), Some(ChangeKind::Removed), "{context}");
                tally.vanished += 1;
            }
            most_fetched += rows.len() as u64;
            continue;
        }
        let (old, new) = (bars_of(before, &key), bars_of(now, &key));
        let old_rows = rows_before.get(symbol).map(Vec::as_slice).unwrap_or_default();
        let last = old_rows.iter().map(Row::day).filter(|day| *day < settled_before).max();
        let (was, is) = (settled(old_rows, settled_before, last), settled(rows, settled_before, last));
        let years: BTreeSet<i32> = was.keys().chain(is.keys()).filter(|year| was.get(year) != is.get(year)).copied().collect();
        if old == new {
            assert!(!report.changed.contains(&key.symbol) && news.is_none(), "{context}: nothing differs, and {news:?} is told");
            let files = |held: &Held| held.get(&key).map(|(entry, _)| entry.file.clone());
            assert_eq!(files(now), files(before), "{context}: a file was written for nothing");
            tally.invisible += usize::from(rows.as_slice() != old_rows);
        } else if before.contains_key(&key) {
            let change = news.unwrap_or_else(|| panic!("{context}: no change was written down"));
            let is_rewritten = change.kind == ChangeKind::Rewritten;
            assert_eq!(report.changed.contains(&key.symbol), is_rewritten, "{context}: {report:?}");
            assert_told(&context, change, (&old, &new), before[&key].0.provisional_from_us, &years);
            tally.told += 1;
        }
        // Years that changed, days that are new, and the last day; a little more where symbols that ended on different days were
        // asked about together.
        let all = rows.len() as u64;
        let was_clean = before.get(&key).is_some_and(|(entry, _)| entry.quality.is_clean());
        let new_from = last.unwrap_or(first_day());
        let told = news.map(|change| change.years.clone()).unwrap_or_default();
        let part = rows.iter().filter(|row| years.contains(&row.year()) || told.contains(&row.year()) || row.day() >= new_from);
        let few = years.len() <= 2 && was_clean && (part.clone().count() as u64) * 2 <= all;
        let has_settled = rows != old_rows || rows.iter().any(|row| row.day() >= settled_before);
        most_fetched += if few {
            part.count() as u64
        } else if has_settled || !was_clean {
            all
        } else {
            0
        };
        tally.stored += all;
    }
    assert!(report.counted.rows_fetched <= most_fetched, "{context}: {} rows fetched, {most_fetched} needed", report.counted.rows_fetched);
    tally.fetched += report.counted.rows_fetched;
    today
}

/// Checks again: nothing may be transferred but what is provisional, and nothing written.
fn assert_nothing_to_do(context: &str, world: &World, held: &Held) {
    world.lab.clock.advance(SECOND_US);
    let today = world.today();
    let report = world.lab.preheat(&world.request);
    let provisional: usize =
        world.market.rows.values().map(|rows| if rows.iter().any(|row| row.day() >= today) { rows.len() } else { 0 }).sum();
    let unusable: usize = report.failed.iter().map(|(symbol, _)| world.market.rows_of(symbol.as_str()).len()).sum();
    let most = (provisional + unusable) as u64;
    assert!(report.counted.rows_fetched <= most, "{context}: {} rows for nothing", report.counted.rows_fetched);
    assert_eq!((report.counted.bytes_written, report.counted.rows_computed), (0, 0), "{context}: {report:?}");
    assert!(report.changed.is_empty(), "{context}: {report:?}");
    for (key, (entry, _)) in world.lab.held() {
        assert_eq!(entry.file, held[&key].0.file, "{context}: {key:?} was written");
    }
}

#[test]
fn every_change_in_sqlite_is_noticed_and_taken_over() {
    let seed = seed(20);
    play(Kind::Sqlite, false, runs(100), seed);
    play(Kind::Sqlite, true, runs(50), seed + 1);
}

#[test]
fn every_change_in_mariadb_is_noticed_and_taken_over() {
    let seed = seed(40);
    play(Kind::MariaDb, false, runs(40), seed);
    play(Kind::MariaDb, true, runs(20), seed + 1);
}

#[test]
fn every_change_in_postgres_is_noticed_and_taken_over() {
    let seed = seed(60);
    play(Kind::Postgres, false, runs(40), seed);
    play(Kind::Postgres, true, runs(20), seed + 1);
}

#[test]
fn every_change_in_files_is_noticed_and_taken_over() {
    let seed = seed(80);
    play(Kind::Csv, false, runs(30), seed);
    play(Kind::Parquet, true, runs(30), seed + 1);
}

/// One bar is changed, others stay: what is fetched, computed and written is counted exactly.
#[test]
fn one_changed_bar_costs_its_year_and_the_features_of_its_symbol() {
    let mut random = StdRng::seed_from_u64(1);
    let mut market = Market::new(Kind::Sqlite, false, true, true).expect("a market");
    for symbol in ["A", "B", "C"] {
        for number in 0..365 {
            let row = values(&mut random);
            market.insert(symbol, &(first_day() + Days::new(number * STEP_DAYS)).to_string(), row);
        }
    }
    market.flush();
    let lab = Lab::new(&market.url(), start_us());
    lab.preheat(&check());
    let report = lab.preheat(&check());
    assert_eq!((report.unchanged, report.counted.rows_fetched, report.counted.bytes_written), (3, 0, 0), "{report:?}");
    assert_eq!(report.counted.digest_rows, 15);
    let before = lab.held();
    let years = |rows: &[Row]| rows.iter().filter(|row| [2020, 2022].contains(&row.year())).count() as u64;
    for (date, year) in [("2020-03", 2020), ("2022-08", 2022)] {
        let row = market.rows_of("B").iter().find(|row| row.date.starts_with(date)).expect("a row").clone();
        assert_eq!(row.year(), year);
        let mut changed = row.values;
        changed[3] = changed[3].map(|close| close * 1.01);
        market.update("B", row.id, changed);
    }
    market.flush();
    lab.clock.advance(SECOND_US);
    let report = lab.preheat(&check());
    assert_eq!((report.unchanged, &report.changed), (2, &vec![Symbol::new("B")]));
    assert_eq!(report.counted.rows_fetched, years(market.rows_of("B")), "two years of one symbol");
    assert_eq!(report.counted.rows_computed, 365, "features of one symbol");
    let now = lab.held();
    for (key, (entry, _)) in &now {
        assert_eq!(entry.file == before[key].0.file, key.symbol.as_str() != "B", "{key:?}");
    }
    super::lab::assert_same("two years", &now, &lab.fresh(&check()));
    let change = &lab.cache.catalog().changes(None, None, 1).expect("changes")[0];
    assert_eq!((change.kind, &change.years[..], change.altered), (ChangeKind::Rewritten, &[2020, 2022][..], 2));
    assert!(matches!(now.values().next(), Some((_, Content::Bars(_)))));
    assert_eq!(COLUMNS.len(), 7);
}

/// Entries that begin with a day know nothing of what is before it, and are asked about nothing before it.
#[test]
fn entries_of_limited_days_notice_changes_in_their_days_only() {
    let mut random = StdRng::seed_from_u64(2);
    let mut market = Market::new(Kind::Sqlite, false, false, true).expect("a market");
    for symbol in ["A", "B"] {
        for number in 0..365 {
            let row = values(&mut random);
            market.insert(symbol, &(first_day() + Days::new(number * STEP_DAYS)).to_string(), row);
        }
    }
    market.flush();
    let lab = Lab::new(&market.url(), start_us());
    let start = Some(day_of("2021-07-01"));
    let limited = samovar::preheat::PreheatRequest { range: samovar::market::DateRange { start, end: None }, ..check() };
    lab.preheat(&limited);
    let mut change = |market: &mut Market, date: &str| {
        let row = market.rows_of("A").iter().find(|row| row.date.starts_with(date)).expect("a row").clone();
        let other = values(&mut random);
        market.update("A", row.id, other);
        market.flush();
        lab.clock.advance(SECOND_US);
        let report = lab.preheat(&limited);
        super::lab::assert_same(date, &lab.held(), &lab.fresh(&limited));
        (report.changed.len(), report.counted.rows_fetched)
    };
    assert_eq!(change(&mut market, "2021-06"), (0, 0), "before the first day");
    let (changed, fetched) = change(&mut market, "2021-07");
    let in_half_a_year = market.rows_of("A").iter().filter(|row| row.year() == 2021 && Some(row.day()) >= start).count() as u64;
    assert_eq!((changed, fetched), (1, in_half_a_year), "of the first year, its cached half");
    assert_eq!(change(&mut market, "2023-01").0, 1);
    // More days are asked for: everything comes, also what was changed in between.
    lab.clock.advance(SECOND_US);
    let report = lab.preheat(&check());
    assert_eq!(report.counted.rows_fetched, 730);
    super::lab::assert_same("all days", &lab.held(), &lab.fresh(&check()));
}
