//! Digests: whatever changes in a source changes the digest of its symbol and year, and nothing else does.

use super::*;
use chrono::NaiveDate;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use samovar::source::{DigestRequest, SymbolDigest, YearDigest};
use std::collections::BTreeSet;

type Digests = BTreeMap<Symbol, SymbolDigest>;

const SYMBOLS: [&str; 4] = ["AAPL", "aapl", "600519.SH", "株式"];
const FIRST_YEAR: i32 = 2021;
const LAST_YEAR: i32 = 2024;

fn day(text: &str) -> Option<NaiveDate> {
    parse_date(text)
}

fn request(symbols: &[&str]) -> DigestRequest {
    DigestRequest { symbols: symbols.iter().map(Symbol::new).collect(), ..DigestRequest::default() }
}

/// Asks, and insists on an entry for every symbol and no other.
async fn digests_of(source: &Source, request: &DigestRequest) -> Digests {
    let digests = source.digests(request).await.expect("digests");
    let asked: BTreeSet<&Symbol> = request.symbols.iter().collect();
    assert_eq!(digests.keys().collect::<BTreeSet<_>>(), asked);
    on_the_way::are_the_same(source, request).await;
    for digest in digests.values() {
        for part in [&digest.before, &digest.after] {
            assert!(part.windows(2).all(|pair| pair[0].year < pair[1].year), "{part:?}");
        }
    }
    digests
}

async fn all(source: &Source) -> Digests {
    digests_of(source, &request(&SYMBOLS)).await
}

/// The symbols and years in which two digests differ.
fn differing(before: &Digests, now: &Digests) -> BTreeSet<(String, i32)> {
    let mut differing = BTreeSet::new();
    for (symbol, was) in before {
        let (was, is) = (was.settled(), now[symbol].settled());
        for year in was.iter().chain(&is) {
            let of = |years: &[YearDigest]| years.iter().find(|one| one.year == year.year).copied();
            if of(&was) != of(&is) {
                differing.insert((symbol.to_string(), year.year));
            }
        }
    }
    differing
}

/// Four symbols over four years, with doubles that need all their digits, and two missing values.
fn market() -> Table {
    let mut random = StdRng::seed_from_u64(3);
    let mut rows = Vec::new();
    for symbol in SYMBOLS {
        for year in FIRST_YEAR..=LAST_YEAR {
            for month in [1, 4, 7, 12] {
                rows.push(bar(symbol, &format!("{year}-{month:02}-15"), random.random_range(1.0..500.0)));
            }
        }
    }
    let mut table = bars_table(rows);
    let missing = [(place(&table, "AAPL", "2023-04-15"), 6), (place(&table, "AAPL", "2022-07-15"), 2)];
    for (row, column) in missing {
        table.rows[row][column] = Cell::Null;
    }
    table
}

fn place(table: &Table, symbol: &str, date: &str) -> usize {
    table.rows.iter().position(|row| row[0] == Cell::from(symbol) && row[1] == Cell::from(date)).expect("a row")
}

fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Number(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// The same number with its last bit turned over.
fn nudged(cell: &Cell) -> Cell {
    Cell::Number(f64::from_bits(number(cell).to_bits() ^ 1))
}

pub(super) fn equal_rows_have_equal_digests_in_any_order(store: Store) -> Boxed {
    Box::pin(async move {
        let mut table = market();
        let source = loaded(&store, &table).await;
        let first = all(&source).await;
        assert_eq!(all(&source).await, first);
        for digest in first.values() {
            let years: Vec<(i32, u64)> = digest.before.iter().map(|year| (year.year, year.rows)).collect();
            assert_eq!(years, [(2021, 4), (2022, 4), (2023, 4), (2024, 4)]);
            assert_eq!((digest.after.len(), digest.provisional_rows, digest.last_us), (0, 0, Some(micros("2024-12-15"))));
        }
        table.rows.shuffle(&mut StdRng::seed_from_u64(5));
        store.refill(&table);
        assert_eq!(all(&source).await, first);
        assert_eq!(all(&connect(&store.url("bars", "")).await.expect("connect")).await, first);
    })
}

pub(super) fn every_change_shows_in_its_year_and_nowhere_else(store: Store) -> Boxed {
    Box::pin(async move {
        type Change = fn(&mut Table);
        let changes: [(&str, Change, &[i32]); 14] = [
            ("last bit", |table| change(table, "2022-01-15", 5, nudged), &[2022]),
            ("first price's last bit", |table| change(table, "2021-04-15", 2, nudged), &[2021]),
            ("volume", |table| change(table, "2024-12-15", 6, |cell| Cell::Number(number(cell) + 1.0)), &[2024]),
            ("no volume", |table| change(table, "2023-04-15", 6, |_| Cell::Number(0.0)), &[2023]),
            ("no price", |table| change(table, "2022-07-15", 2, |_| Cell::Number(0.0)), &[2022]),
            ("price gone", |table| change(table, "2022-12-15", 4, |_| Cell::Null), &[2022]),
            ("moved", |table| change(table, "2023-07-15", 1, |_| "2023-07-16".into()), &[2023]),
            ("moved to another year", |table| change(table, "2023-01-15", 1, |_| "2022-12-31".into()), &[2022, 2023]),
            ("inserted", |table| table.rows.push(bar("AAPL", "2021-06-01", 3.0)), &[2021]),
            (
                "deleted",
                |table| {
                    table.rows.remove(place(table, "AAPL", "2024-01-15"));
                },
                &[2024],
            ),
            ("duplicated", |table| table.rows.push(table.rows[place(table, "AAPL", "2021-01-15")].clone()), &[2021]),
            (
                "swapped between rows",
                |table| {
                    let (one, other) = (place(table, "AAPL", "2023-01-15"), place(table, "AAPL", "2023-07-15"));
                    let price = table.rows[one][5].clone();
                    table.rows[one][5] = std::mem::replace(&mut table.rows[other][5], price);
                },
                &[2023],
            ),
            (
                "swapped between columns",
                |table| {
                    let row = place(table, "AAPL", "2023-04-15");
                    table.rows[row].swap(6, 3);
                },
                &[2023],
            ),
            (
                "split",
                |table| {
                    for row in table.rows.iter_mut().filter(|row| row[0] == "AAPL".into() && row[1] < "2023-06-01".into()) {
                        for cell in &mut row[2..6] {
                            if let Cell::Number(price) = cell {
                                *price /= 2.0;
                            }
                        }
                    }
                },
                &[2021, 2022, 2023],
            ),
        ];
        let table = market();
        let source = loaded(&store, &table).await;
        let first = all(&source).await;
        for (name, change, years) in changes {
            let mut changed = table.clone();
            change(&mut changed);
            store.refill(&changed);
            let expected: BTreeSet<(String, i32)> = years.iter().map(|year| ("AAPL".to_owned(), *year)).collect();
            assert_eq!(differing(&first, &all(&source).await), expected, "{name}");
        }
        // Two equal rows more do not cancel each other out.
        let mut twice = table.clone();
        let row = table.rows[place(&table, "aapl", "2022-04-15")].clone();
        twice.rows.extend([row.clone(), row]);
        store.refill(&twice);
        assert_eq!(differing(&first, &all(&source).await), BTreeSet::from([("aapl".to_owned(), 2022)]));
        // And what is as it was has the digest it had.
        store.refill(&table);
        assert_eq!(all(&source).await, first);
    })
}

/// Changes a value of AAPL.
fn change(table: &mut Table, date: &str, column: usize, to: impl FnOnce(&Cell) -> Cell) {
    let row = place(table, "AAPL", date);
    table.rows[row][column] = to(&table.rows[row][column]);
}

/// Seed of a random test: a new one every time, or the one of a failure.
pub(super) fn seed() -> u64 {
    let seed = std::env::var("SAMOVAR_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0));
    println!("SAMOVAR_TEST_SEED={seed}");
    seed
}

/// Rows by symbol and year, in an order of their own: what a change is measured by.
fn rows_by_year(table: &Table) -> BTreeMap<(String, i32), Vec<String>> {
    let mut years: BTreeMap<(String, i32), Vec<String>> = BTreeMap::new();
    for row in &table.rows {
        let (Cell::Text(symbol), Cell::Text(date)) = (&row[0], &row[1]) else { panic!("{row:?}") };
        years.entry((symbol.clone(), date[..4].parse().expect("year"))).or_default().push(format!("{row:?}"));
    }
    years.values_mut().for_each(|rows| rows.sort());
    years
}

fn random_change(table: &mut Table, random: &mut StdRng) -> String {
    let row = random.random_range(0..table.rows.len());
    let column = random.random_range(2..7);
    let kind = random.random_range(0..8);
    match kind {
        0 => {
            let bit = random.random_range(0..52);
            if let Cell::Number(number) = &mut table.rows[row][column] {
                *number = f64::from_bits(number.to_bits() ^ (1 << bit));
            }
        }
        1 => {
            let cell = &mut table.rows[row][column];
            *cell = if *cell == Cell::Null { Cell::Number(0.0) } else { Cell::Null };
        }
        2 => table.rows[row][1] = random_date(random),
        3 => {
            let symbol = SYMBOLS[random.random_range(0..SYMBOLS.len())];
            let Cell::Text(date) = random_date(random) else { unreachable!() };
            table.rows.push(bar(symbol, &date, random.random_range(1.0..500.0)));
        }
        4 if table.rows.len() > 40 => {
            table.rows.swap_remove(row);
        }
        5 => table.rows.push(table.rows[row].clone()),
        6 => {
            let other = random.random_range(0..table.rows.len());
            let cell = table.rows[row][column].clone();
            table.rows[row][column] = std::mem::replace(&mut table.rows[other][column], cell);
        }
        _ => {
            let (symbol, date) = (table.rows[row][0].clone(), random_date(random));
            let factor = [0.5, 2.0, 0.1, 1.0 + f64::EPSILON][random.random_range(0..4)];
            for earlier in table.rows.iter_mut().filter(|one| one[0] == symbol && one[1] < date) {
                for cell in &mut earlier[2..6] {
                    if let Cell::Number(price) = cell {
                        *price *= factor;
                    }
                }
            }
        }
    }
    format!("kind {kind}, row {row}, column {column}")
}

fn random_date(random: &mut StdRng) -> Cell {
    let (year, month) = (random.random_range(FIRST_YEAR..=LAST_YEAR), random.random_range(1..=12));
    format!("{year}-{month:02}-{:02}", random.random_range(1..=28)).as_str().into()
}

pub(super) fn random_changes_are_all_noticed(store: Store) -> Boxed {
    const CHANGES: usize = 300;
    Box::pin(async move {
        let mut random = StdRng::seed_from_u64(seed());
        let mut table = market();
        let source = loaded(&store, &table).await;
        let mut digests = all(&source).await;
        let mut noticed = 0;
        while noticed < CHANGES {
            let (before, was) = (rows_by_year(&table), digests);
            let what = random_change(&mut table, &mut random);
            let after = rows_by_year(&table);
            let changed: BTreeSet<(String, i32)> =
                before.keys().chain(after.keys()).filter(|year| before.get(year) != after.get(year)).cloned().collect();
            if changed.is_empty() {
                digests = was;
                continue;
            }
            store.refill(&table);
            digests = all(&source).await;
            assert_eq!(differing(&was, &digests), changed, "change {noticed}: {what}");
            noticed += 1;
        }
    })
}

pub(super) fn parts_of_a_digest_add_up(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &market()).await;
        let whole = all(&source).await;
        for split in ["2020-01-01", "2022-01-01", "2023-04-15", "2023-04-16", "2024-12-15", "2030-01-01"] {
            let parted = digests_of(&source, &DigestRequest { split: day(split), ..request(&SYMBOLS) }).await;
            for (symbol, digest) in &parted {
                assert_eq!(digest.settled(), whole[symbol].before, "{split}");
                assert_eq!((digest.provisional_rows, digest.last_us), (0, whole[symbol].last_us));
            }
            // What is before the split is what a range up to it has.
            let until_split = DateRange { start: None, end: day(split).and_then(|day| day.pred_opt()) };
            let earlier = digests_of(&source, &DigestRequest { range: until_split, ..request(&SYMBOLS) }).await;
            for (symbol, digest) in &parted {
                assert_eq!(digest.before, earlier[symbol].before, "{split}");
            }
        }
        let both = DigestRequest { split: day("2023-04-15"), until: day("2024-07-15"), ..request(&SYMBOLS) };
        let parted = digests_of(&source, &both).await;
        let settled = digests_of(&source, &DigestRequest { range: range("", "2024-07-14"), ..request(&SYMBOLS) }).await;
        for (symbol, digest) in &parted {
            assert_eq!(digest.before.iter().map(|year| (year.year, year.rows)).collect::<Vec<_>>(), [(2021, 4), (2022, 4), (2023, 1)]);
            assert_eq!(digest.after.iter().map(|year| (year.year, year.rows)).collect::<Vec<_>>(), [(2023, 3), (2024, 2)]);
            assert_eq!((digest.provisional_rows, digest.settled_rows(), digest.rows()), (2, 14, 16));
            assert_eq!(digest.settled(), settled[symbol].before);
            assert_eq!(digest.last_us, Some(micros("2024-12-15")));
        }
        // An end before the split leaves nothing in between.
        let crossed = DigestRequest { split: day("2024-07-15"), until: day("2023-04-15"), ..request(&SYMBOLS) };
        for digest in digests_of(&source, &crossed).await.values() {
            assert_eq!((digest.settled_rows(), digest.after.len(), digest.provisional_rows), (9, 0, 7));
        }
    })
}

pub(super) fn a_fetch_delivers_the_rows_a_digest_counts(store: Store) -> Boxed {
    Box::pin(async move {
        let mut table = market();
        table.rows.push(table.rows[0].clone());
        let source = loaded(&store, &table).await;
        let symbols = ["AAPL", "aapl", "nobody", "AAPL"];
        for days in [DateRange::ALL, range("2022-01-01", "2022-12-31"), range("2024-12-15", ""), range("", "2021-01-15")] {
            let fetched = fetch_in(&source, &symbols, days).await;
            let asked = DigestRequest { range: days, split: day("2022-06-01"), until: day("2024-12-01"), ..request(&symbols) };
            for (symbol, digest) in digests_of(&source, &asked).await {
                let bars = fetched[symbol.as_str()].as_ref().expect("bars");
                assert_eq!(digest.rows(), bars.len() as u64, "{symbol} {days:?}");
                assert_eq!(digest.last_us, bars.time_us.iter().max().copied(), "{symbol} {days:?}");
            }
        }
        assert_eq!(digests_of(&source, &request(&["nobody"])).await[&Symbol::new("nobody")], SymbolDigest::default());
        assert!(digests_of(&source, &request(&[])).await.is_empty());
    })
}

pub(super) fn digests_know_every_spelling_of_a_date(store: Store) -> Boxed {
    Box::pin(async move {
        // The last second of a year and the first of the next, which no time zone may move.
        let times = ["2022-12-31 23:59:59", "2023-01-01 00:00:00", "2023-06-01 00:00:00", "2023-12-31 23:59:59", "2024-01-01 00:00:00"];
        let seconds = |time: &str| micros(time) / 1_000_000;
        let digits = |time: &str| time.chars().filter(char::is_ascii_digit).collect::<String>();
        type Write<'a> = &'a dyn Fn(&str) -> String;
        let spellings: [(&str, Holds, Write); 9] = [
            ("times", Holds::DateTime, &str::to_owned),
            ("dashes", Holds::Text, &str::to_owned),
            ("slashes", Holds::Text, &|time| time.replace('-', "/")),
            ("compact", Holds::Text, &|time| digits(time)[..8].to_owned()),
            ("days", Holds::Integer, &|time| digits(time)[..8].to_owned()),
            ("moments", Holds::Integer, &digits),
            ("seconds", Holds::Integer, &|time| seconds(time).to_string()),
            ("millis", Holds::Integer, &|time| (seconds(time) * 1_000).to_string()),
            ("nanos", Holds::Integer, &|time| (seconds(time) * 1_000_000_000).to_string()),
        ];
        for (name, holds, write) in spellings {
            let mut table = bars_table(times.iter().enumerate().map(|(number, time)| bar("A", time, number as f64 + 1.0)).collect());
            table.name = name.to_owned();
            table.columns[1].1 = holds;
            for (row, time) in table.rows.iter_mut().zip(times) {
                let written = write(time);
                row[1] = if holds == Holds::Integer { written.parse::<f64>().expect("number").into() } else { written.as_str().into() };
            }
            let source = loaded(&store, &table).await;
            let parts = DigestRequest { split: day("2023-06-01"), until: day("2024-01-01"), ..request(&["A"]) };
            let digest = digests_of(&source, &parts).await.remove("A").expect("A");
            let rows = |years: &[YearDigest]| years.iter().map(|year| (year.year, year.rows)).collect::<Vec<_>>();
            assert_eq!(rows(&digest.before), [(2022, 1), (2023, 1)], "{name}");
            assert_eq!((rows(&digest.after), digest.provisional_rows), (vec![(2023, 2)], 1), "{name}");
            assert_eq!(digest.last_us, Some(micros("2024-01-01")), "{name}");
            let year = DigestRequest { range: range("2023-01-01", "2023-12-31"), ..request(&["A"]) };
            let year = digests_of(&source, &year).await.remove("A").expect("A");
            assert_eq!((year.before, year.after), (digest.settled()[1..].to_vec(), Vec::new()), "{name}");
            // A second more is another row, in every spelling that has seconds.
            let digest = digests_of(&source, &request(&["A"])).await;
            let moved = write("2023-06-01 00:00:01");
            if moved != write(times[2]) {
                table.rows[2][1] =
                    if holds == Holds::Integer { moved.parse::<f64>().expect("number").into() } else { moved.as_str().into() };
                store.refill(&table);
                let now = digests_of(&source, &request(&["A"])).await;
                assert_eq!(differing(&digest, &now), BTreeSet::from([("A".to_owned(), 2023)]), "{name}");
            }
        }
    })
}

pub(super) fn rows_without_a_date_are_counted(store: Store) -> Boxed {
    Box::pin(async move {
        let mut table = three_symbols();
        table.columns[1].1 = Holds::Text;
        table.rows.push(bar("AAPL", "someday", 1.0));
        table.rows.push(bar("AAPL", "", 2.0));
        table.rows[7][1] = Cell::Null;
        let asked = DigestRequest { split: day("2023-01-01"), until: day("2024-03-05"), ..request(&["AAPL", "MSFT"]) };
        let source = loaded(&store, &table).await;
        let first = digests_of(&source, &asked).await;
        let years =
            |digests: &Digests, symbol: &str| digests[symbol].settled().iter().map(|year| (year.year, year.rows)).collect::<Vec<_>>();
        assert_eq!((years(&first, "AAPL"), years(&first, "MSFT")), (vec![(0, 2), (2024, 2)], vec![(2023, 1)]));
        assert!(first["AAPL"].before[0].year == 0 && first["AAPL"].provisional_rows == 1);
        assert_eq!(first["MSFT"].last_us, Some(micros("2024-03-05")));
        for row in [6, 7] {
            let mut changed = table.clone();
            changed.rows[row][5] = nudged(&changed.rows[row][5]);
            store.refill(&changed);
            assert_eq!(differing(&first, &digests_of(&source, &asked).await), BTreeSet::from([("AAPL".to_owned(), 0)]));
        }
        // Dates of no known style: no years, and every change is noticed all the same.
        for row in &mut table.rows {
            if let Cell::Text(date) = &mut row[1] {
                *date = format!("on {date}");
            }
        }
        table.name = "other".to_owned();
        let source = loaded(&store, &table).await;
        let first = digests_of(&source, &asked).await;
        assert_eq!((years(&first, "AAPL"), years(&first, "MSFT")), (vec![(0, 5)], vec![(0, 2)]));
        assert_eq!((first["MSFT"].provisional_rows, first["MSFT"].last_us), (0, None));
        table.rows[5][1] = "on 2024-03-06".into();
        store.refill(&table);
        assert_eq!(differing(&first, &digests_of(&source, &asked).await), BTreeSet::from([("MSFT".to_owned(), 0)]));
    })
}

pub(super) fn digests_keep_odd_symbols_apart(store: Store) -> Boxed {
    Box::pin(async move {
        let names = ["CON", "con", "Con", "ß", "ss", "naïve", "naive", "x'y", "x\\y", "%", "👍", "a b"];
        let rows = names.iter().flat_map(|name| [bar(name, "2023-03-01", 1.0), bar(name, "2024-03-01", 2.0)]).collect();
        let mut table = bars_table(rows);
        let source = loaded(&store, &table).await;
        let mut asked = names.to_vec();
        asked.extend(["cOn", "", "' OR 1=1 --"]);
        let first = digests_of(&source, &request(&asked)).await;
        let one = first["con"].clone();
        assert_eq!(one.before.iter().map(|year| (year.year, year.rows)).collect::<Vec<_>>(), [(2023, 1), (2024, 1)]);
        for (symbol, digest) in &first {
            // Equal rows have equal digests, whoever's they are.
            assert_eq!(*digest, if names.contains(&symbol.as_str()) { one.clone() } else { SymbolDigest::default() }, "{symbol}");
        }
        table.rows[3][5] = 2.5.into();
        store.refill(&table);
        assert_eq!(differing(&first, &digests_of(&source, &request(&asked)).await), BTreeSet::from([("con".to_owned(), 2024)]));
        assert_eq!(digests_of(&source, &request(&["CON"])).await["CON"], one);
    })
}

pub(super) fn digests_of_thousands_of_symbols_come(store: Store) -> Boxed {
    Box::pin(async move {
        let names: Vec<String> = (0..5_000).map(|number| format!("{number:06}")).collect();
        let mut table = bars_table(Vec::new());
        store.load(&table);
        table.rows = names
            .iter()
            .enumerate()
            .flat_map(|(number, name)| ["2023-05-02", "2024-05-02"].map(|date| bar(name, date, number as f64)))
            .collect();
        store.refill(&table);
        let source = connect(&store.url("bars", "")).await.expect("connect");
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let first = digests_of(&source, &request(&asked)).await;
        assert!(first.values().all(|digest| digest.before.len() == 2 && digest.rows() == 2));
        let checksums: BTreeSet<u64> = first.values().flat_map(|digest| &digest.before).map(|year| year.checksum).collect();
        assert_eq!(checksums.len(), 10_000);
        table.rows[6_421][3] = nudged(&table.rows[6_421][3]);
        store.refill(&table);
        assert_eq!(differing(&first, &digests_of(&source, &request(&asked)).await), BTreeSet::from([("003210".to_owned(), 2024)]));
    })
}

// What only servers can get wrong.

#[test]
fn a_float_differs_in_its_last_bit() {
    for_servers(async |store| {
        let real = if store.kind == Kind::MariaDb { "FLOAT" } else { "REAL" };
        store.execute(&format!(
            "CREATE TABLE bars (symbol VARCHAR(20), date DATE, open {real}, high {real}, low {real}, close {real}, volume NUMERIC(30, 2))"
        ));
        store.execute("INSERT INTO bars VALUES ('A', '2024-03-01', 16777214, 1.1, 1.1, 1.1, 123456789012.25)");
        let source = connect(&store.url("bars", "")).await.expect("connect");
        let mut seen = vec![digests_of(&source, &request(&["A"])).await];
        // The next float, the next but one, and a cent; six digits show none of them.
        for change in ["open = 16777215", "close = 1.10000014", "close = 1.10000026", "volume = 123456789012.26"] {
            store.execute(&format!("UPDATE bars SET {change}"));
            let now = digests_of(&source, &request(&["A"])).await;
            assert!(!seen.contains(&now), "{change}");
            seen.push(now);
        }
    });
}

#[test]
fn impossible_dates_and_instants_have_a_place() {
    for_servers(async |store| {
        let columns = "open DOUBLE PRECISION, high DOUBLE PRECISION, low DOUBLE PRECISION, close DOUBLE PRECISION";
        let dates = if store.kind == Kind::MariaDb {
            store.execute(&format!("CREATE TABLE bars (symbol VARCHAR(20), date DATE, {columns})"));
            store.execute("SET sql_mode = ''; INSERT INTO bars VALUES ('A', '0000-00-00', 1, 1, 1, 1), ('A', '2024-00-00', 1, 1, 1, 1)");
            store.execute("INSERT INTO bars VALUES ('A', '2024-01-01', 1, 1, 1, 1)");
            [(0, 2), (2024, 1)]
        } else {
            store.execute(&format!("CREATE TABLE bars (symbol VARCHAR(20), date TIMESTAMPTZ, {columns})"));
            store.execute("INSERT INTO bars VALUES ('A', 'infinity', 1, 1, 1, 1), ('A', '-infinity', 1, 1, 1, 1)");
            // Already the next year in Greenwich.
            store.execute("INSERT INTO bars VALUES ('A', '2023-12-31 22:30:00-02', 1, 1, 1, 1)");
            [(0, 2), (2024, 1)]
        };
        let source = connect(&store.url("bars", "")).await.expect("connect");
        let asked = DigestRequest { split: day("2024-01-01"), until: day("2024-01-02"), ..request(&["A"]) };
        let digest = digests_of(&source, &asked).await.remove("A").expect("A");
        assert_eq!(digest.settled().iter().map(|year| (year.year, year.rows)).collect::<Vec<_>>(), dates);
        assert_eq!((digest.before.len(), digest.after.len(), digest.provisional_rows), (1, 1, 0));
    });
}

#[test]
fn seconds_before_1970_and_decimal_days_have_their_year() {
    for_servers(async |store| {
        let columns = "open DOUBLE PRECISION, high DOUBLE PRECISION, low DOUBLE PRECISION, close DOUBLE PRECISION";
        store.execute(&format!("CREATE TABLE bars (symbol VARCHAR(20), date BIGINT, {columns})"));
        let seconds = ["1900-01-01", "1969-12-31 23:59:59", "1970-01-01", "2000-02-29"].map(|time| micros(time) / 1_000_000);
        for second in seconds {
            store.execute(&format!("INSERT INTO bars VALUES ('A', {second}, 1, 1, 1, 1)"));
        }
        store.execute("INSERT INTO bars VALUES ('A', 9223372036854775807, 1, 1, 1, 1), ('A', -9223372036854775808, 1, 1, 1, 1)");
        let source = connect(&store.url("bars", "")).await.expect("connect");
        let digest = digests_of(&source, &request(&["A"])).await.remove("A").expect("A");
        let years = |digest: &SymbolDigest| digest.before.iter().map(|year| (year.year, year.rows)).collect::<Vec<_>>();
        assert_eq!(years(&digest), [(0, 2), (1900, 1), (1969, 1), (1970, 1), (2000, 1)]);
        store.execute(&format!("CREATE TABLE days (symbol INT, date DECIMAL(12, 1), {columns})"));
        store.execute("INSERT INTO days VALUES (7, 20240301, 1, 1, 1, 1), (7, 20231229, 1, 1, 1, 1), (8, 20231229, 1, 1, 1, 1)");
        let source = connect(&store.url("days", "")).await.expect("connect");
        let digests = digests_of(&source, &request(&["7", "8", "eight"])).await;
        assert_eq!((years(&digests["7"]), years(&digests["8"])), (vec![(2023, 1), (2024, 1)], vec![(2023, 1)]));
    });
}

// What only files can get wrong.

#[test]
fn a_file_that_cannot_be_read_has_a_digest_of_its_own() {
    let folder = tempfile::TempDir::new().expect("folder");
    let path = folder.path();
    let rows = "date,open,high,low,close,volume\n2024-03-01,1,2,0.5,1.5,100\n";
    for name in ["A.csv", "B.csv"] {
        std::fs::write(path.join(name), rows).expect("file");
    }
    runtime().block_on(async {
        let source = connect(&format!("files:{}", path.display())).await.expect("connect");
        let first = digests_of(&source, &request(&["A", "B", "C"])).await;
        assert_eq!((first["A"].rows(), &first["A"], &first["C"]), (1, &first["B"], &SymbolDigest::default()));
        std::fs::write(path.join("B.csv"), "date,open\n2024-03-01,1\n").expect("file");
        let now = digests_of(&source, &request(&["A", "B", "C"])).await;
        assert_eq!((&now["A"], &now["C"]), (&first["A"], &first["C"]));
        assert!(now["B"] != first["B"] && now["B"] != SymbolDigest::default() && now["B"].before[0].year == 0, "{:?}", now["B"]);
    });
}

#[test]
fn the_sample_market_has_the_same_digests_everywhere() {
    let folder = tempfile::TempDir::new().expect("folder");
    runtime().block_on(async {
        let source =
            Source::connect(&SourceUrl::parse("sample:").expect("url"), &SourceOptions::new(folder.path())).await.expect("connect");
        let infos = source.symbols().await.expect("symbols");
        let asked = DigestRequest { symbols: infos.iter().map(|info| info.symbol.clone()).collect(), ..DigestRequest::default() };
        let digests = digests_of(&source, &asked).await;
        for info in infos {
            let digest = &digests[&info.symbol];
            assert_eq!((digest.rows(), digest.last_us), (info.bar_count, info.last_us));
        }
    });
}
