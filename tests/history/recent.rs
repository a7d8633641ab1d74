//! The daily look at the newest days: what it costs, what it notices by itself, and that what it cannot see is noticed by a check of
//! whole histories, asked for or due.

use super::lab::{Lab, assert_same, check, over_after, preheat_from};
use super::market::{Market, day_of};
use super::rewritten::values;
use super::support::tables::Kind;
use chrono::{Days, NaiveDate};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use samovar::cache::{DatasetFilter, Selection, TimeToLive};
use samovar::market::{Clock, DAY_US, HOUR_US, Symbol, micros_of_date};
use samovar::preheat::{HISTORY_CHECK_DAYS, PreheatReport, PreheatRequest};
use samovar::source::QueryPurpose;
use std::collections::BTreeSet;

const BARS: u64 = 90;

fn first_day() -> NaiveDate {
    day_of("2023-09-04")
}

/// A preheat because the time to live is over.
fn daily() -> PreheatRequest {
    over_after(TimeToLive::Secs(60))
}

struct Days90 {
    market: Market,
    lab: Lab,
    random: StdRng,
    symbols: Vec<String>,
    intraday: bool,
    /// Days there are bars of.
    days: u64,
}

impl Days90 {
    fn new(kind: Kind, symbols: usize, intraday: bool) -> Option<Self> {
        let mut market = Market::new(kind, intraday, symbols.is_multiple_of(2), true)?;
        let mut random = StdRng::seed_from_u64(symbols as u64);
        let symbols: Vec<String> = (0..symbols).map(|number| format!("S{number:03}")).collect();
        for symbol in &symbols {
            for day in 0..BARS {
                for date in dates(day, intraday) {
                    let row = values(&mut random);
                    market.insert(symbol, &date, row);
                }
            }
        }
        market.flush();
        let lab = Lab::new(&market.url(), micros_of_date(first_day() + Days::new(BARS)) + 12 * HOUR_US);
        let first = lab.preheat(&daily());
        assert_eq!(first.ok, symbols.len(), "{first:?}");
        Some(Self { market, lab, random, symbols, intraday, days: BARS })
    }

    /// One more bar (or day of bars) of every symbol but these.
    fn add_day(&mut self, without: &[&str]) {
        for symbol in self.symbols.clone() {
            for date in dates(self.days, self.intraday) {
                let row = values(&mut self.random);
                if !without.contains(&symbol.as_str()) {
                    self.market.insert(&symbol, &date, row);
                }
            }
        }
        self.days += 1;
        self.market.flush();
    }

    /// Gives a bar some days before the last another close.
    fn change(&mut self, symbol: &str, days_before_last: usize) {
        let rows = self.market.rows_of(symbol);
        let row = rows[rows.len() - 1 - days_before_last].clone();
        let other = values(&mut self.random);
        self.market.update(symbol, row.id, other);
        self.market.flush();
    }

    fn tomorrow(&self) {
        self.lab.clock.advance(DAY_US);
    }

    /// Preheats once the time is over; what comes of it is what a new cache has.
    #[track_caller]
    fn preheat_exactly(&self, context: &str) -> PreheatReport {
        let report = self.lab.preheat(&daily());
        assert!(report.failed.is_empty(), "{context}: {report:?}");
        assert_same(context, &self.lab.held(), &self.lab.fresh(&check()));
        report
    }

    fn changed(report: &PreheatReport) -> Vec<&str> {
        report.changed.iter().map(Symbol::as_str).collect()
    }
}

fn dates(day: u64, intraday: bool) -> Vec<String> {
    let day = first_day() + Days::new(day);
    if intraday { ["09:30", "11:00", "14:30"].map(|time| format!("{day} {time}:00")).to_vec() } else { vec![day.to_string()] }
}

/// Within the days in which no symbol's history is due: right after it was fetched or verified.
const NOT_DUE: u32 = 3_000;

fn rarely() -> PreheatRequest {
    PreheatRequest { history_check_days: NOT_DUE, ..daily() }
}

#[test]
fn a_new_day_is_one_statement_that_counts_nothing() {
    for kind in [Kind::Sqlite, Kind::MariaDb, Kind::Postgres] {
        let Some(mut world) = Days90::new(kind, 12, false) else { continue };
        for round in 0..3 {
            world.add_day(&["S003", "S007"]);
            world.tomorrow();
            let (report, queries) = preheat_from(&world.lab.cache, &world.lab.url, &rarely(), 1);
            let of = |purpose| queries.iter().filter(|query| query.purpose == purpose).count();
            assert_eq!((of(QueryPurpose::Digests), of(QueryPurpose::Bars)), (0, if round == 0 { 1 } else { 2 }), "{kind:?}: {queries:?}");
            assert_eq!((report.appended, report.unchanged, report.counted.digest_rows), (10, 2, 0), "{kind:?}: {report:?}");
            assert_eq!(report.counted.rows_computed, 10, "{kind:?}");
            let most = 12 * 16 + 2 * (round + 1);
            assert!(report.counted.rows_fetched <= most, "{kind:?}: {} rows", report.counted.rows_fetched);
            assert_same(&format!("{kind:?}, day {round}"), &world.lab.held(), &world.lab.fresh(&check()));
        }
        // What was added up day by day is what the source says of everything.
        let report = world.lab.preheat(&check());
        assert_eq!((report.unchanged, report.counted.rows_fetched, report.counted.bytes_written), (12, 0, 0), "{kind:?}: {report:?}");
    }
}

#[test]
fn what_changes_in_the_newest_days_is_noticed_at_once() {
    for kind in [Kind::Sqlite, Kind::MariaDb, Kind::Postgres] {
        let Some(mut world) = Days90::new(kind, 5, false) else { continue };
        world.change("S001", 0);
        world.change("S002", 7);
        world.tomorrow();
        let report = world.preheat_exactly("two bars");
        assert_eq!(Days90::changed(&report), ["S001", "S002"], "{kind:?}");
        // With a new day beside it.
        world.change("S000", 3);
        world.add_day(&[]);
        world.tomorrow();
        assert_eq!(Days90::changed(&world.preheat_exactly("a bar and a day")), ["S000"], "{kind:?}");
        // Rows that go: the newest, and one in between; and one that comes in between.
        let id = |world: &Days90, symbol: &str, from_end: usize| {
            let rows = world.market.rows_of(symbol);
            rows[rows.len() - 1 - from_end].id
        };
        let (newest, inner) = (id(&world, "S003", 0), id(&world, "S004", 4));
        world.market.delete("S003", newest);
        world.market.delete("S004", inner);
        world.market.flush();
        world.tomorrow();
        assert_eq!(Days90::changed(&world.preheat_exactly("two rows gone")), ["S003", "S004"], "{kind:?}");
        let (row, date) = (values(&mut world.random), (first_day() + Days::new(world.days - 5)).to_string());
        world.market.insert("S004", &date, row);
        world.market.flush();
        world.tomorrow();
        assert_eq!(Days90::changed(&world.preheat_exactly("a row in between")), ["S004"], "{kind:?}");
        // A split alters all earlier prices, the newest among them.
        world.market.split("S002", "2099-01-01", 0.5);
        world.market.flush();
        world.tomorrow();
        assert_eq!(Days90::changed(&world.preheat_exactly("a split")), ["S002"], "{kind:?}");
    }
}

#[test]
fn what_changes_further_back_is_noticed_by_a_check() {
    let mut world = Days90::new(Kind::Sqlite, 4, false).expect("a world");
    world.change("S001", 60);
    world.add_day(&[]);
    world.tomorrow();
    let report = world.lab.preheat(&rarely());
    assert_eq!((report.appended, report.changed.len()), (4, 0), "not seen by a look at the newest days: {report:?}");
    let verified = |world: &Days90| world.lab.entry("S001").expect("entry").verified_us();
    assert_eq!(verified(&world), Some(world.lab.clock.now_us() - DAY_US), "when it was fetched");
    let report = world.lab.preheat(&check());
    assert_eq!(Days90::changed(&report), ["S001"]);
    assert_eq!(verified(&world), Some(world.lab.clock.now_us()));
    assert_same("after the check", &world.lab.held(), &world.lab.fresh(&check()));
    // The same when every check is to be one of everything, and when somebody marked it as not fresh.
    world.change("S002", 70);
    world.tomorrow();
    let always = PreheatRequest { history_check_days: 0, ..daily() };
    assert_eq!(Days90::changed(&world.lab.preheat(&always)), ["S002"]);
    world.change("S003", 70);
    let symbols = Some(vec![Symbol::new("S003")]);
    let selection = Selection { source: Some(world.lab.id()), symbols, datasets: DatasetFilter::All, expired_only: false };
    world.lab.cache.invalidate(&selection, &daily().judge).expect("invalidated");
    assert_eq!(Days90::changed(&world.lab.preheat(&rarely())), ["S003"]);
    assert_same("at the end", &world.lab.held(), &world.lab.fresh(&check()));
}

#[test]
fn every_history_is_verified_in_time_and_not_all_on_one_day() {
    let mut world = Days90::new(Kind::Sqlite, 30, false).expect("a world");
    for symbol in world.symbols.clone() {
        world.change(&symbol, 80);
    }
    let mut noticed: Vec<BTreeSet<String>> = Vec::new();
    for _ in 0..HISTORY_CHECK_DAYS {
        world.add_day(&[]);
        world.tomorrow();
        let report = world.lab.preheat(&daily());
        noticed.push(report.changed.iter().map(ToString::to_string).collect());
    }
    let all: BTreeSet<String> = noticed.iter().flatten().cloned().collect();
    assert_eq!(all.len(), 30, "each within the days of the setting: {noticed:?}");
    assert!(noticed.iter().all(|day| day.len() <= 12), "spread over the days: {noticed:?}");
    assert_same("after a cycle", &world.lab.held(), &world.lab.fresh(&check()));
    for _ in 0..HISTORY_CHECK_DAYS {
        world.tomorrow();
        world.lab.preheat(&daily());
        let oldest = world.symbols.iter().filter_map(|symbol| world.lab.entry(symbol)?.verified_us()).min().expect("verified");
        assert!(world.lab.clock.now_us() - oldest < i64::from(HISTORY_CHECK_DAYS) * DAY_US);
    }
}

#[test]
fn symbols_that_go_come_late_or_end_are_told_as_ever() {
    let mut world = Days90::new(Kind::Sqlite, 6, false).expect("a world");
    // One ended long ago: it is looked at where it ended.
    for _ in 0..40 {
        world.add_day(&["S005"]);
        world.lab.clock.advance(DAY_US);
    }
    let report = world.preheat_exactly("weeks without a look");
    assert_eq!((report.appended, report.unchanged), (5, 1), "{report:?}");
    let row = values(&mut world.random);
    world.market.insert("LATE", &(first_day() + Days::new(world.days - 1)).to_string(), row);
    world.add_day(&["S005"]);
    world.tomorrow();
    let report = world.preheat_exactly("a late symbol");
    assert_eq!((report.appended, report.unchanged, report.ok), (5, 1, 7), "{report:?}");
    world.market.delete_symbol("S002");
    world.market.flush();
    world.tomorrow();
    let report = world.lab.preheat(&rarely());
    assert_eq!(report.no_data, [Symbol::new("S002")], "{report:?}");
    let entry = world.lab.entry("S002").expect("kept");
    assert!(entry.file.is_some() && entry.failure.is_some(), "{entry:?}");
}

#[test]
fn provisional_and_intraday_bars_are_looked_at_alike() {
    for intraday in [false, true] {
        let mut world = Days90::new(Kind::Sqlite, 4, intraday).expect("a world");
        for round in 0..4 {
            // The day of today comes, changes, and settles.
            let context = format!("intraday {intraday}, round {round}");
            world.lab.clock.advance(if round == 0 { HOUR_US } else { 0 });
            world.add_day(&["S003"]);
            world.lab.clock.advance(HOUR_US);
            let looked = world.preheat_exactly(&format!("{context}: provisional"));
            assert_eq!(looked.appended, 3, "{context}: {looked:?}");
            world.change("S001", 0);
            world.lab.clock.advance(HOUR_US);
            let looked = world.preheat_exactly(&format!("{context}: changed"));
            assert!(looked.changed.is_empty(), "{context}: it was not final: {looked:?}");
            world.lab.clock.advance(DAY_US - 2 * HOUR_US);
            let looked = world.preheat_exactly(&format!("{context}: settled"));
            assert!(looked.changed.is_empty() && looked.appended == 0, "{context}: {looked:?}");
        }
        assert!(world.lab.entry("S000").expect("entry").provisional_from_us.is_none());
    }
}

#[test]
fn whatever_happens_within_the_newest_days_needs_no_check() {
    let seed = super::seed(900);
    for run in 0..super::runs(2) as u64 {
        let mut world = Days90::new(Kind::Sqlite, 8, run.is_multiple_of(2)).expect("a world");
        world.random = StdRng::seed_from_u64(seed + run);
        for round in 0..6 {
            let mut context = format!("run {run}, round {round}:");
            for symbol in world.symbols.clone().choose_multiple(&mut StdRng::seed_from_u64(seed ^ (run * 97 + round)), 3) {
                let rows = world.market.rows_of(symbol);
                let place = rows.len() - 1 - world.random.random_range(0..3);
                let (id, date) = (rows[place].id, rows[place].date.clone());
                let mut row = values(&mut world.random);
                let edit = world.random.random_range(0..5);
                context.push_str(&format!(" {symbol} {edit}"));
                match edit {
                    0 => world.market.update(symbol, id, row),
                    1 => world.market.delete(symbol, id),
                    2 => drop(world.market.insert(symbol, &date, row)),
                    3 => {
                        row[3] = None;
                        world.market.update(symbol, id, row);
                    }
                    _ => world.change(symbol, 0),
                }
            }
            world.market.flush();
            world.add_day(&["S006"]);
            world.tomorrow();
            world.preheat_exactly(&context);
        }
    }
}
