//! Digests that are made while rows are fetched: the same as those the source makes, bit for bit, whatever is in the table.
//!
//! [`are_the_same`] is called wherever another test asks for digests or loads a table; what is here are values no other test has.

use super::digests::seed;
use super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::source::{DigestOnTheWay, DigestRequest, SymbolDigest};
use std::sync::Arc;

/// What a fetch counts on its way; `None` for symbols it has doubts about.
async fn counted(source: &Source, request: &DigestRequest) -> BTreeMap<Symbol, Option<SymbolDigest>> {
    let (out, arriving) = async_channel::unbounded::<Fetched>();
    let splits = request.split.iter().flat_map(|split| request.symbols.iter().map(|symbol| (symbol.clone(), *split)));
    let digest = Some(DigestOnTheWay { until: request.until, splits: Arc::new(splits.collect()) });
    let fetch = FetchRequest { symbols: request.symbols.clone(), range: request.range, digest };
    source.fetch(&fetch, &out).await.expect("fetch");
    out.close();
    let mut counted = BTreeMap::new();
    while let Ok(one) = arriving.recv().await {
        counted.insert(one.symbol, one.digest);
    }
    counted
}

/// Insists that a fetch counts what the source counts. Tells of how many symbols it does not say what it counted.
pub(super) async fn are_the_same(source: &Source, request: &DigestRequest) -> usize {
    let counted = counted(source, request).await;
    if !source.digests_on_the_way() {
        assert!(counted.values().all(Option::is_none));
        return counted.len();
    }
    let asked = source.digests(request).await.expect("digests");
    assert_eq!(counted.keys().collect::<Vec<_>>(), asked.keys().collect::<Vec<_>>());
    for (symbol, counted) in &counted {
        if let Some(counted) = counted {
            assert_eq!(*counted, asked[symbol], "{symbol} of {}", source.table());
        }
    }
    counted.values().filter(|digest| digest.is_none()).count()
}

/// The same for all symbols there are, and some days.
pub(super) async fn of_all_symbols_are_the_same(source: &Source) {
    let mut symbols: Vec<Symbol> = source.symbols().await.expect("symbols").into_iter().map(|info| info.symbol).collect();
    symbols.push(Symbol::new("NOBODY"));
    for (range, split, until) in [
        (DateRange::ALL, "", ""),
        (DateRange::ALL, "2024-03-01", ""),
        (range("2024-02-29", ""), "2024-03-01", "2024-03-04"),
        (range("2023-06-01", "2024-03-01"), "", "2023-01-01"),
    ] {
        are_the_same(source, &DigestRequest { symbols: symbols.clone(), range, split: parse_date(split), until: parse_date(until) }).await;
    }
}

#[test]
fn plain_tables_leave_no_doubts() {
    for kind in [Kind::Postgres, Kind::Sqlite, Kind::Csv, Kind::Parquet] {
        let Some(store) = Store::new(kind) else { continue };
        runtime().block_on(async {
            for (name, holds) in [("days", Holds::Date), ("moments", Holds::DateTime), ("texts", Holds::Text)] {
                let mut table = three_symbols();
                table.name = name.to_owned();
                table.columns[1].1 = holds;
                table.columns[6].1 = Holds::Integer;
                table.columns[5].1 = Holds::Decimal;
                store.load(&table);
                let source = connect(&store.url(name, "")).await.expect("connect");
                assert!(source.digests_on_the_way(), "{kind:?} {name}");
                let symbols = ["AAPL", "MSFT", "000001", "nobody"].iter().map(Symbol::new).collect();
                let asked = DigestRequest { symbols, until: parse_date("2024-03-05"), ..DigestRequest::default() };
                assert_eq!(are_the_same(&source, &asked).await, 0, "{kind:?} {name}");
            }
        });
    }
}

// What only files can get wrong.

#[test]
fn portions_of_one_file_come_as_if_each_were_read() {
    for kind in [Kind::Csv, Kind::Parquet] {
        let Some(store) = Store::new(kind) else { continue };
        runtime().block_on(async {
            let names: Vec<String> = (0..60).map(|number| format!("S{number:02}")).collect();
            let mut rows: Vec<Vec<Cell>> = names
                .iter()
                .enumerate()
                .flat_map(|(number, name)| ["2023-12-29", "2024-03-01", "2024-03-04"].map(|date| bar(name, date, number as f64 + 1.0)))
                .collect();
            let mut table = bars_table(rows.clone());
            store.load(&table);
            let source = connect(&store.url("bars", "")).await.expect("connect");
            let portion = |names: &[String], range, until| DigestRequest {
                symbols: names.iter().map(Symbol::new).collect(),
                range,
                split: None,
                until: parse_date(until),
            };
            for round in 0..3 {
                // The same days, other days and other limits, one portion twice, and in between a file that has changed.
                for (part, days, until) in [
                    (0..20, DateRange::ALL, ""),
                    (20..40, DateRange::ALL, ""),
                    (20..40, DateRange::ALL, ""),
                    (30..50, range("2024-01-01", ""), ""),
                    (40..60, range("2024-01-01", ""), "2024-03-04"),
                    (0..60, DateRange::ALL, "2024-03-04"),
                ] {
                    assert_eq!(are_the_same(&source, &portion(&names[part.clone()], days, until)).await, 0);
                    let asked: Vec<&str> = names[part.clone()].iter().map(String::as_str).collect();
                    let fetched = fetch_in(&source, &asked, days).await;
                    for number in part {
                        let bars = fetched[&names[number]].as_ref().expect("bars");
                        let expected = if days == DateRange::ALL { 3 } else { 2 } + usize::from(number == 25) * round;
                        assert_eq!((bars.len(), bars.close[0]), (expected, number as f64 + 1.0), "{number} in round {round}");
                    }
                }
                rows.push(bar(&names[25], &format!("2024-04-0{}", round + 1), 9.0));
                table.rows.clone_from(&rows);
                store.load(&table);
            }
        });
    }
}

// What only PostgreSQL can get wrong, because there the hash is made of texts it writes.

/// Prices as they are, random bits, numbers of all sizes, and middles between two doubles that have few digits.
fn random_double(random: &mut StdRng) -> f64 {
    let bits = |random: &mut StdRng| f64::from_bits(random.random());
    match random.random_range(0..10) {
        0 | 1 => f64::from(random.random_range(0..2_000_000)) / [1.0, 10.0, 100.0, 1_000.0, 10_000.0][random.random_range(0..5)],
        2 => bits(random),
        3 => random.random_range(-1.0..1.0) * 10_f64.powi(random.random_range(-330..309)),
        4 => (random.random::<u64>() >> random.random_range(0..64)) as f64,
        5 => random.random_range(1..1_000) as f64 * 10_f64.powi(random.random_range(-30..40)),
        6 => [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1e15, 1e-4]
            [random.random_range(0..10)],
        // A quarter behind so many digits that only one of two is left of it.
        7 => random.random_range(1_u64 << 50..1 << 51) as f64 + [0.25, 0.5, 0.75][random.random_range(0..3)],
        // So near to a power of two or ten that a digit more or less may do.
        8 => {
            let power =
                if random.random() { 2_f64.powi(random.random_range(-1_070..1_023)) } else { 10_f64.powi(random.random_range(-320..308)) };
            f64::from_bits(power.to_bits().wrapping_add_signed(random.random_range(-3..=3)))
        }
        _ => half_way(random),
    }
}

/// A double beside a middle that is a number of few digits times a power of ten.
fn half_way(random: &mut StdRng) -> f64 {
    let fives: u32 = random.random_range(1..=22);
    let power = 5_u64.pow(fives);
    let factor = random.random_range((1_u64 << 53) / power..=((1_u64 << 54) - 1) / power) | 1;
    let middle = power * factor;
    // The middle is between these two, once they are halved.
    let mantissa = if random.random() { middle + 1 } else { middle - 1 } / 2;
    let twos = i32::try_from(fives).expect("small") + random.random_range(0..8);
    mantissa as f64 * 2_f64.powi(twos + 1)
}

#[test]
fn every_double_is_hashed_as_the_server_hashes_it() {
    const ROWS: usize = 120_000;
    let Some(store) = Store::new(Kind::Postgres) else { return };
    let seed = seed();
    runtime().block_on(async {
        let mut random = StdRng::seed_from_u64(seed);
        store.execute(
            "CREATE TABLE bars (symbol VARCHAR(20), date DATE, open FLOAT8, high FLOAT8, low FLOAT8, close FLOAT8, volume INT8, amount NUMERIC, \
             turnover REAL)",
        );
        let number = |number: f64| format!("'{number:e}'").replace("inf", "Infinity");
        for part in 0..ROWS / 4_000 {
            let rows: Vec<String> = (0..4_000)
                .map(|row| {
                    let prices: Vec<String> = (0..4).map(|_| number(random_double(&mut random))).collect();
                    let volume = random.random::<i64>() >> random.random_range(0..64);
                    let amount = random.random_range(0..1_000_000_000_000_i64);
                    let turnover = f64::from(f32::from_bits(random.random_range(0..0x7f80_0000)));
                    let day = chrono::NaiveDate::from_ymd_opt(1, 1, 1).expect("day") + chrono::Days::new(random.random_range(0..4_000_000));
                    // So few a symbol that a wrong one can be told.
                    format!("('S{}', '{day}', {}, {volume}, {amount}.{:03}, '{turnover:e}')", part * 200 + row / 20, prices.join(", "), row % 1_000)
                })
                .map(|row| row.replacen("'+", "'", 1))
                .collect();
            store.execute(&format!("INSERT INTO bars VALUES {}", rows.join(", ")));
        }
        let source = connect(&store.url("bars", "")).await.expect("connect");
        assert!(source.digests_on_the_way());
        let symbols = source.symbols().await.expect("symbols").into_iter().map(|info| info.symbol).collect();
        assert_eq!(are_the_same(&source, &DigestRequest { symbols, ..DigestRequest::default() }).await, 0);
    });
}

#[test]
fn every_date_and_text_is_hashed_as_the_server_hashes_it() {
    let Some(store) = Store::new(Kind::Postgres) else { return };
    let prices = "open FLOAT8, high FLOAT4, low NUMERIC(30, 4), close INT2, volume TEXT";
    let texts = ["' '", "''", "'1.5'", "'a\"b\\c'", "'(1,2)'", "NULL", "E'\\t'", "'ü'"];
    let dates = [
        ("DATE", ["'2024-03-01'", "'0044-03-15 BC'", "'12024-01-01'", "'infinity'", "'-infinity'", "NULL", "'5874897-12-31'"]),
        (
            "TIMESTAMP",
            [
                "'2024-03-01'",
                "'0044-03-15 23:59:59.5 BC'",
                "'12024-01-01 12:00'",
                "'infinity'",
                "'-infinity'",
                "NULL",
                "'1999-12-31 23:59:59.999999'",
            ],
        ),
        (
            "TIMESTAMPTZ",
            ["'2024-03-01 00:30+02'", "'0044-03-15 BC'", "'12024-01-01Z'", "'infinity'", "'-infinity'", "NULL", "'1969-12-31 23:59:59.1Z'"],
        ),
        ("TEXT", ["'2024-03-01'", "'2024-03-01 09:31'", "'2024-03-01T09:31'", "'2024-3-1'", "'someday'", "NULL", "'2024-02-30'"]),
        ("VARCHAR(40)", ["'20240301'", "'20240301093100'", "'1709251200'", "'20240230'", "''", "NULL", "'20240301 09:31'"]),
        ("INT4", ["20240301", "20240230", "0", "-5", "99999999", "NULL", "1709251200"]),
        ("INT8", ["1709251200000", "20240301", "-1", "9223372036854775807", "0", "NULL", "20240301093100"]),
        ("NUMERIC", ["20240301", "20240301.5", "0.4", "1e30", "'NaN'", "NULL", "20240302"]),
    ];
    runtime().block_on(async {
        for (number, (type_name, dates)) in dates.iter().enumerate() {
            let table = format!("bars{number}");
            store.execute(&format!("CREATE TABLE {table} (symbol TEXT, date {type_name}, {prices})"));
            let mut rows = Vec::new();
            for (symbol, date) in dates.iter().enumerate() {
                // Each date alone, each beside a plain one, and all together.
                for (name, date) in [("one", date), ("two", date), ("two", &dates[0])] {
                    rows.push(format!("('{name}{symbol}', {date}, 1.1, 1.1, 12345.6789, -7, '1')"));
                }
                rows.push(format!("('all', {date}, NULL, NULL, 'NaN', NULL, NULL)"));
            }
            for (symbol, text) in texts.iter().enumerate() {
                rows.push(format!("('text{symbol}', {}, 0, 1e-30, -0.5, 32767, {text})", dates[0]));
            }
            store.execute(&format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
            let source = connect(&store.url(&table, "")).await.expect("connect");
            assert_eq!(source.digests_on_the_way(), *type_name != "NUMERIC", "{type_name}");
            let symbols: Vec<Symbol> = source.symbols().await.expect("symbols").into_iter().map(|info| info.symbol).collect();
            assert_eq!(symbols.len(), 2 * dates.len() + texts.len() + 1);
            for (range, until) in [
                (DateRange::ALL, ""),
                (DateRange::ALL, "2024-03-01"),
                (range("2024-03-01", "2024-03-01"), ""),
                (range("1000-01-01", ""), "2024-03-02"),
            ] {
                let asked = DigestRequest { symbols: symbols.clone(), range, split: None, until: parse_date(until) };
                let doubts = are_the_same(&source, &asked).await;
                println!("{type_name} {range:?}: {doubts} doubts of {}", symbols.len());
            }
        }
    });
}
