//! Minute bars of several years through the real pipeline: which files a preheat touches and what it fetches, when a day comes, when
//! an old year is rewritten, and when the file of a year is damaged or gone.

use super::flips::samovar;
use super::lab::{Lab, assert_same, check, over_after, scratch};
use super::market::{Market, day_of};
use super::rewritten::values;
use super::support::tables::Kind;
use chrono::{Datelike, Days, NaiveDate};
use rand::SeedableRng;
use rand::rngs::StdRng;
use samovar::cache::{BARS_TREE, TimeToLive};
use samovar::market::{Clock, DAY_US, micros_of_date};
use samovar::preheat::PreheatReport;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const SYMBOL: &str = "AAPL";
const BARS_PER_DAY: u64 = 6;

struct Years {
    market: Market,
    lab: Lab,
    random: StdRng,
    next: NaiveDate,
}

impl Years {
    /// Bars of some days of each year from 2020 to the end of 2023, and a cache of them.
    fn new() -> Self {
        let mut market = Market::new(Kind::Sqlite, true, true, true).expect("a market");
        let mut random = StdRng::seed_from_u64(11);
        for year in 2020..=2023 {
            for number in 0..40 {
                insert(&mut market, &mut random, day_of(&format!("{year}-11-22")) + Days::new(number));
            }
        }
        market.flush();
        let next = day_of("2024-01-01");
        let lab = Lab::new(&market.url(), micros_of_date(next) + DAY_US / 2);
        lab.preheat(&check());
        Self { market, lab, random, next }
    }

    /// One day more, and a preheat that notices it.
    fn day(&mut self) -> PreheatReport {
        insert(&mut self.market, &mut self.random, self.next);
        self.next = self.next + Days::new(1);
        self.lab.clock.advance(DAY_US);
        self.preheat()
    }

    fn preheat(&mut self) -> PreheatReport {
        self.market.flush();
        let report = self.lab.preheat(&check());
        assert!(report.failed.is_empty(), "{report:?}");
        assert_same("as a new cache", &self.lab.held(), &self.lab.fresh(&check()));
        assert!(self.lab.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
        report
    }

    fn folder(&self) -> PathBuf {
        self.lab.cache.folders().cache_dir.join(BARS_TREE).join(self.lab.id().as_str()).join(SYMBOL)
    }

    fn rows_of(&self, year: i32) -> u64 {
        self.market.rows_of(SYMBOL).iter().filter(|row| row.year() == year).count() as u64
    }
}

fn insert(market: &mut Market, random: &mut StdRng, day: NaiveDate) {
    for bar in 0..BARS_PER_DAY {
        let row = values(random);
        market.insert(SYMBOL, &format!("{day} {:02}:30:00", 9 + bar), row);
    }
}

type Seen = BTreeMap<String, (Vec<u8>, SystemTime)>;

fn seen(folder: &Path) -> Seen {
    let items = fs::read_dir(folder).expect("folder").flatten();
    let of = |item: fs::DirEntry| {
        let date = item.metadata().and_then(|metadata| metadata.modified()).expect("a date");
        (item.file_name().to_string_lossy().into_owned(), (fs::read(item.path()).expect("read"), date))
    };
    items.map(of).collect()
}

fn touched(before: &Seen, after: &Seen) -> Vec<String> {
    after.iter().filter(|(name, file)| before.get(*name) != Some(file)).map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_new_day_writes_to_its_own_year_only() {
    let mut years = Years::new();
    assert_eq!(seen(&years.folder()).keys().collect::<Vec<_>>(), ["2020.parquet", "2021.parquet", "2022.parquet", "2023.parquet"]);
    for number in 0..6 {
        let before = seen(&years.folder());
        let report = years.day();
        assert_eq!(report.counted.rows_fetched, BARS_PER_DAY);
        assert_eq!(touched(&before, &seen(&years.folder())), ["2024.parquet"], "day {number}");
    }
}

#[test]
fn a_rewritten_year_is_fetched_and_written_alone() {
    let mut years = Years::new();
    for year in [2021, 2020, 2023] {
        let before = seen(&years.folder());
        let row = years.market.rows_of(SYMBOL).iter().find(|row| row.year() == year).expect("a row").clone();
        let other = values(&mut years.random);
        years.market.update(SYMBOL, row.id, other);
        let report = years.preheat();
        assert_eq!(report.counted.rows_fetched, years.rows_of(year), "{year}");
        assert_eq!(touched(&before, &seen(&years.folder())), [format!("{year}.parquet")]);
    }
    // All of a year goes at the source.
    let before = seen(&years.folder());
    let gone: Vec<u64> = years.market.rows_of(SYMBOL).iter().filter(|row| row.year() == 2022).map(|row| row.id).collect();
    for id in gone {
        years.market.delete(SYMBOL, id);
    }
    years.preheat();
    let after = seen(&years.folder());
    assert_eq!(after.keys().collect::<Vec<_>>(), ["2020.parquet", "2021.parquet", "2023.parquet"]);
    assert_eq!(touched(&before, &after), ["2023.parquet"], "which tells of which years there are");
}

#[test]
fn a_damaged_or_deleted_year_is_fetched_again_alone() {
    for (year, deleted) in [(2021, false), (2020, true), (2023, false), (2022, true)] {
        let mut years = Years::new();
        years.day();
        let before = seen(&years.folder());
        let path = years.folder().join(format!("{year}.parquet"));
        if deleted {
            fs::remove_file(&path).expect("deleted");
        } else {
            let mut bytes = fs::read(&path).expect("read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 16;
            fs::write(&path, bytes).expect("flipped");
        }
        let found = years.lab.cache.verify(true, &|_, _| {}).expect("repair");
        assert_eq!((found.damaged.len(), found.missing.len(), found.orphans.len()), (usize::from(!deleted), usize::from(deleted), 0));
        assert_eq!(found.to_restore.len(), 1);
        let state = years.lab.entry(SYMBOL).expect("a row");
        assert_eq!((state.file.is_none(), state.kept_years.len()), (true, 4));
        // Not asked to look at what is fresh: what is not served is not fresh.
        let report = years.lab.preheat(&over_after(TimeToLive::hours(24)));
        assert!(report.failed.is_empty() && report.changed.is_empty(), "{report:?}");
        assert_eq!(report.counted.rows_fetched, years.rows_of(year), "{year}");
        assert_same("as a new cache", &years.lab.held(), &years.lab.fresh(&check()));
        assert_eq!(touched(&before, &seen(&years.folder())), [format!("{year}.parquet")]);
        assert!(years.lab.cache.verify(false, &|_, _| {}).expect("verify").is_clean());
        years.day();
    }
}

#[test]
fn what_is_left_of_damaged_years_and_was_changed_meanwhile_is_fetched_too() {
    let mut years = Years::new();
    fs::remove_file(years.folder().join("2021.parquet")).expect("deleted");
    let row = years.market.rows_of(SYMBOL).iter().find(|row| row.year() == 2022).expect("a row").clone();
    let other = values(&mut years.random);
    years.market.update(SYMBOL, row.id, other);
    years.day();
}

#[test]
fn the_program_gives_the_rows_of_days_from_their_years() {
    let mut years = Years::new();
    years.day();
    let (home, folder) = (scratch(), years.lab.cache.folders().cache_dir.clone());
    let url = years.market.url();
    let get = |more: &[&str]| {
        let output = samovar(home.path(), &folder, &[&["--source", &url, "get", SYMBOL, "--bars", "--format", "csv"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let all = get(&[]);
    let within = |start: &str, end: &str| {
        let mut lines = all.lines();
        let head = lines.next().expect("a head");
        let rows = lines.filter(|line| (start..=end).contains(&&line[..10]));
        [head].into_iter().chain(rows).map(|line| format!("{line}\n")).collect::<String>()
    };
    for (start, end) in
        [("2021-12-30", "2022-11-23"), ("2023-12-31", "2024-01-01"), ("2022-01-01", "2022-02-01"), ("2020-01-01", "2024-01-05")]
    {
        assert_eq!(get(&["--start-date", start, "--end-date", end]), within(start, end), "{start} to {end}");
    }
    // And the file of a year that is not asked for is not needed.
    fs::remove_file(years.folder().join("2020.parquet")).expect("removed");
    assert_eq!(get(&["--start-date", "2023-12-01"]), within("2023-12-01", "2024-12-31"));
    assert_eq!(years.lab.clock.now_us(), micros_of_date(years.next) + DAY_US / 2);
    assert_eq!(years.next.year(), 2024);
}
