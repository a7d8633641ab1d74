//! Digests of rows on their way: bit for bit what the source itself would answer, whatever the columns are.

use super::digests::seed;
use super::*;
use chrono::NaiveDate;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::source::{DigestOnTheWay, DigestRequest};
use std::sync::Arc;

/// Fetches with digests; how many symbols had one. Those that have one have the source's own.
async fn compare(source: &Source, symbols: &[&str], range: DateRange, until: &str) -> usize {
    // Once as for all rows, once with the days before told apart from later ones.
    let whole = compare_split(source, symbols, range, None, until).await;
    assert_eq!(compare_split(source, symbols, range, parse_date("2024-03-01"), until).await, whole, "with a split");
    whole
}

async fn compare_split(source: &Source, symbols: &[&str], range: DateRange, split: Option<NaiveDate>, until: &str) -> usize {
    let symbols: Vec<Symbol> = symbols.iter().map(Symbol::new).collect();
    let until = parse_date(until);
    let splits = Arc::new(split.iter().flat_map(|split| symbols.iter().map(|symbol| (symbol.clone(), *split))).collect());
    let request = FetchRequest { symbols: symbols.clone(), range, digest: Some(DigestOnTheWay { until, splits }) };
    let (out, arriving) = async_channel::unbounded::<Fetched>();
    source.fetch(&request, &out).await.expect("fetch");
    out.close();
    let asked = source.digests(&DigestRequest { symbols, range, split, until }).await.expect("digests");
    let mut compared = 0;
    while let Ok(fetched) = arriving.recv().await {
        let Some(digest) = fetched.digest else { continue };
        assert_eq!(digest, asked[&fetched.symbol], "{} until {until:?} in {range:?}", fetched.symbol);
        compared += 1;
    }
    compared
}

const COLUMNS: &str = "open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE";

fn mariadb() -> Option<Store> {
    Store::new(Kind::MariaDb)
}

/// A number as a statement has it, with all its digits.
fn random_double(random: &mut StdRng) -> f64 {
    loop {
        let number = match random.random_range(0..8) {
            0 => f64::from_bits(random.random()),
            1 => (random.random_range(-1e7..1e9_f64) * 100.0).round() / 100.0,
            2 => (random.random_range(0.0..1e4_f64) * 1e6).round() / 1e6,
            3 => random.random_range(-1_000_000_i64..1_000_000_000_000).checked_mul(1_000).expect("number") as f64,
            4 => 10_f64.powi(random.random_range(-30..30)) * f64::from(random.random_range(-9..10)),
            5 => f64::from_bits(random.random_range(0..1 << 52)),
            6 => f64::from(random.random::<f32>()) * 1e5,
            _ => f64::from_bits(10_f64.powi(random.random_range(-20..20)).to_bits().wrapping_add(random.random_range(0..5)) - 2),
        };
        if number.is_finite() && number != 0.0 {
            return number;
        }
    }
}

#[test]
fn doubles_of_every_kind_are_written_as_the_server_writes_them() {
    let Some(store) = mariadb() else { return };
    let mut random = StdRng::seed_from_u64(seed());
    store.execute(&format!("CREATE TABLE bars (symbol VARCHAR(20), date DATE, {COLUMNS})"));
    let edges = [
        0.0,
        1e14,
        1e15,
        1e16,
        999_999_999_999_999.0,
        1e-14,
        1e-15,
        1e-16,
        1.5e-15,
        5e-324,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        9_007_199_254_740_993.0,
        0.1 + 0.2,
        1e22,
        1e23,
        2_f64.powi(-44),
        2_f64.powi(89),
        123_456_789_012_345.6,
        -1e-5,
    ];
    let mut numbers: Vec<f64> = edges.to_vec();
    numbers.extend((0..60_000).map(|_| random_double(&mut random)));
    // A symbol for so few rows that a difference can be found.
    for (batch, some) in numbers.chunks(5 * 400).enumerate() {
        let rows: Vec<String> = some
            .chunks(5)
            .enumerate()
            .map(|(number, row)| {
                let shown: Vec<String> =
                    (0..5).map(|place| row.get(place).map_or("NULL".to_owned(), |number| format!("{number:e}"))).collect();
                format!("('S{batch}-{}', '2024-03-01', {})", number / 4, shown.join(", "))
            })
            .collect();
        store.execute(&format!("INSERT INTO bars VALUES {}", rows.join(", ")));
    }
    runtime().block_on(async {
        let source = connect(&store.url("bars", "")).await.expect("connect");
        assert!(source.digests_on_the_way());
        let listed = source.symbols().await.expect("symbols");
        let symbols: Vec<&str> = listed.iter().map(|info| info.symbol.as_str()).collect();
        assert!(symbols.len() > 3_000);
        assert_eq!(compare(&source, &symbols, DateRange::ALL, "").await, symbols.len());
    });
}

#[test]
fn numbers_of_every_type_are_counted_as_the_server_counts_them() {
    let Some(store) = mariadb() else { return };
    let mut random = StdRng::seed_from_u64(seed());
    let mut whole = |low: i128, high: i128| {
        let mut numbers = vec![low.to_string(), high.to_string(), "0".to_owned(), "NULL".to_owned()];
        numbers.extend((0..30).map(|_| random.random_range(low..=high).to_string()));
        numbers
    };
    let bits = |bits: u32| (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1, (1_i128 << bits) - 1);
    let mut kinds: Vec<(String, Vec<String>, bool)> = Vec::new();
    for (name, width) in [("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)] {
        let (low, high, highest) = bits(width);
        kinds.push((name.to_owned(), whole(low, high), true));
        kinds.push((format!("{name} UNSIGNED"), whole(0, highest), true));
        // Zeros in front are the server's own affair.
        kinds.push((format!("{name}(12) ZEROFILL"), whole(0, high), false));
    }
    let decimals = ["0", "-0.0", "NULL", "1.10", "12345.678901", "-0.000001", "99999.999999", "0.333333", "1e-3", "16777215", "40.61"];
    for name in [
        "DOUBLE",
        "DOUBLE(20, 2)",
        "FLOAT",
        "FLOAT(10, 3)",
        "DECIMAL(20, 6)",
        "DECIMAL(12, 0)",
        "DECIMAL(65, 30)",
        "VARCHAR(30)",
        "TEXT",
        "VARCHAR(30) CHARACTER SET latin1",
        "VARCHAR(30) CHARACTER SET utf8mb3",
        "VARCHAR(30) CHARACTER SET gbk",
        "VARBINARY(30)",
        "CHAR(30)",
        "LONGBLOB",
        "VARCHAR(30) COLLATE utf8mb4_bin",
    ] {
        kinds.push((name.to_owned(), decimals.map(str::to_owned).to_vec(), true));
    }
    let texts = ["'it''s'", "'\\\\'", "X'00'", "X'1A'", "''", "'1.5'", "'株式'", "'a|b'", "'~'", "'NULL'", "NULL", "' 1 '"];
    for (name, is_counted) in [("VARCHAR(30) CHARACTER SET utf8mb4", true), ("VARCHAR(30) CHARACTER SET gbk", false)] {
        kinds.push((name.to_owned(), texts.map(str::to_owned).to_vec(), is_counted));
    }
    kinds.push(("VARCHAR(30) CHARACTER SET ucs2".to_owned(), decimals.map(str::to_owned).to_vec(), false));
    kinds.push(("YEAR".to_owned(), ["1999", "2024", "NULL"].map(str::to_owned).to_vec(), true));
    kinds.push(("BIT(12)".to_owned(), ["0", "7", "4095", "NULL"].map(str::to_owned).to_vec(), true));
    kinds.push(("ENUM('1.5', '2.5')".to_owned(), ["'1.5'", "'2.5'", "NULL"].map(str::to_owned).to_vec(), true));
    runtime().block_on(async {
        for (number, (name, values, is_counted)) in kinds.iter().enumerate() {
            let table = format!("kind{number}");
            let columns: Vec<String> = ["open", "high", "low", "close", "volume"].iter().map(|column| format!("{column} {name}")).collect();
            store.execute(&format!("CREATE TABLE {table} (symbol VARCHAR(20), date DATE, {})", columns.join(", ")));
            let rows: Vec<String> = values
                .iter()
                .enumerate()
                .map(|(day, value)| format!("('A', DATE '2023-12-20' + INTERVAL {day} DAY, {value}, {value}, {value}, {value}, {value})"))
                .collect();
            store.execute(&format!("SET sql_mode = ''; INSERT INTO {table} VALUES {}", rows.join(", ")));
            let source = connect(&store.url(&table, "")).await.expect("connect");
            let counted = compare(&source, &["A"], DateRange::ALL, "").await;
            assert_eq!(counted, usize::from(*is_counted), "{name}");
            compare(&source, &["A", "B"], range("2023-12-22", "2024-01-05"), "2023-12-28").await;
        }
    });
}

#[test]
fn dates_of_every_type_are_counted_as_the_server_counts_them() {
    let Some(store) = mariadb() else { return };
    let digits = |time: &str| time.chars().filter(char::is_ascii_digit).collect::<String>();
    let seconds = |time: &str| micros(time) / 1_000_000;
    let times = ["1971-05-03 00:00:00", "2022-12-31 23:59:59", "2023-01-01 00:00:00", "2023-06-01 09:31:00", "2024-01-01 00:00:00"];
    type Write<'a> = &'a dyn Fn(&str) -> String;
    let kinds: [(&str, Write, &[&str], bool); 14] = [
        ("DATE", &|time| format!("'{}'", &time[..10]), &["NULL", "'0000-00-00'", "'2024-00-00'"], true),
        ("DATETIME", &|time| format!("'{time}'"), &["NULL", "'0000-00-00'", "'2024-03-00 09:31:00'"], true),
        ("DATETIME(3)", &|time| format!("'{time}.125'"), &["NULL", "'2023-06-01 09:31:00.001'"], true),
        ("DATETIME(6)", &|time| format!("'{time}.000001'"), &["NULL", "'2023-06-01 09:31:00'"], true),
        ("TIMESTAMP", &|time| format!("'{time}'"), &["NULL", "'0000-00-00 00:00:00'"], true),
        ("TIMESTAMP(2)", &|time| format!("'{time}.99'"), &["NULL"], true),
        ("VARCHAR(30)", &|time| format!("'{time}'"), &["NULL", "''", "'someday'"], true),
        ("TEXT", &|time| format!("'{}'", time[..10].replace('-', "/")), &["'ß'"], true),
        ("CHAR(10)", &|time| format!("'{}'", &digits(time)[..8]), &["NULL"], true),
        ("INT", &|time| digits(time)[..8].to_owned(), &["NULL", "0", "7"], true),
        ("BIGINT", &digits, &["NULL"], true),
        ("INT UNSIGNED", &|time| seconds(time).to_string(), &["NULL"], true),
        ("BIGINT", &|time| (seconds(time) * 1_000).to_string(), &["NULL", "-86400001"], true),
        // Compared as they are and shown as whole numbers: not for two to agree about.
        ("DECIMAL(12, 1)", &|time| digits(time)[..8].to_owned(), &["NULL"], false),
    ];
    runtime().block_on(async {
        for (number, (name, write, others, is_counted)) in kinds.into_iter().enumerate() {
            let table = format!("dates{number}");
            store.execute(&format!("CREATE TABLE {table} (symbol VARCHAR(20), date {name} NULL, {COLUMNS})"));
            let rows: Vec<String> = times
                .iter()
                .map(|time| write(time))
                .chain(others.iter().map(|other| (*other).to_owned()))
                .enumerate()
                .map(|(row, date)| format!("('A', {date}, {row}, 1, 1, 1.5, 100), ('B', {date}, 0, 0, 0, 0, 0)"))
                .collect();
            store.execute(&format!("SET sql_mode = ''; INSERT INTO {table} VALUES {}", rows.join(", ")));
            let source = connect(&store.url(&table, "")).await.expect("connect");
            assert_eq!(source.digests_on_the_way(), is_counted, "{name}");
            let asked = if is_counted { 3 } else { 0 };
            for until in ["", "2023-01-01", "2023-06-01", "2023-06-02", "1960-01-01"] {
                assert_eq!(compare(&source, &["A", "B", "C"], DateRange::ALL, until).await, asked, "{name} until {until}");
                assert_eq!(compare(&source, &["A", "B", "C"], range("2022-12-31", "2023-12-31"), until).await, asked, "{name} {until}");
            }
        }
    });
}

#[test]
fn what_the_server_might_see_otherwise_is_left_to_it() {
    let Some(store) = mariadb() else { return };
    runtime().block_on(async {
        store.execute(&format!("CREATE TABLE days (symbol VARCHAR(20), date DATE, {COLUMNS})"));
        store.execute(
            "SET sql_mode = 'ALLOW_INVALID_DATES'; INSERT INTO days VALUES ('A', '2024-02-30', 1, 1, 1, 1, 1), ('B', '2024-03-01', 1, 1, 1, 1, 1)",
        );
        let source = connect(&store.url("days", "")).await.expect("connect");
        assert_eq!(compare(&source, &["A", "B"], DateRange::ALL, "").await, 1);
        store.execute("INSERT INTO days VALUES ('C', '2024-03-01', 1, 1, 1, 1, -0e0)");
        assert_eq!(compare(&source, &["A", "B", "C"], DateRange::ALL, "").await, 1, "a negative zero");
        store.execute(&format!("CREATE TABLE texts (symbol VARCHAR(20), date VARCHAR(20), {COLUMNS})"));
        store.execute("INSERT INTO texts VALUES ('B', '2024-03-01', 1, 1, 1, 1, 1), ('A', '2024-02-30', 1, 1, 1, 1, 1), ('C', '20240301', 1, 1, 1, 1, 1)");
        let source = connect(&store.url("texts", "")).await.expect("connect");
        assert_eq!(compare(&source, &["A", "B", "C"], DateRange::ALL, "").await, 1);
    });
}

#[test]
fn symbols_of_every_kind_have_their_digest() {
    let Some(store) = mariadb() else { return };
    runtime().block_on(async {
        let names = ["CON", "con", "ß", "ss", "naïve", "naive", "x'y", "株式", "👍", "a b"];
        let rows = names.iter().enumerate().map(|(number, name)| bar(name, "2024-03-01", number as f64)).collect();
        let source = loaded(&store, &bars_table(rows)).await;
        let mut asked = names.to_vec();
        asked.extend(["cOn", "", "' OR 1=1 --"]);
        assert_eq!(compare(&source, &asked, DateRange::ALL, "").await, asked.len());
        store.execute(&format!("CREATE TABLE numbers (symbol INT, date DATE, {COLUMNS})"));
        store.execute("INSERT INTO numbers VALUES (7, '2024-03-01', 1, 1, 1, 1, 1), (-8, '2024-03-01', 2, 2, 2, 2, 2)");
        let source = connect(&store.url("numbers", "")).await.expect("connect");
        assert_eq!(compare(&source, &["7", "-8", "9", "seven"], DateRange::ALL, "").await, 4);
        assert_eq!(compare(&source, &["seven"], DateRange::ALL, "").await, 0, "nothing was asked of the server");
    });
}

#[test]
fn rows_are_read_in_a_session_that_cannot_write() {
    let Some(store) = mariadb() else { return };
    runtime().block_on(async {
        store.load(&three_symbols());
        store.execute("CREATE TABLE log (line INT)");
        store.execute("CREATE FUNCTION spy() RETURNS DOUBLE RETURN 1");
        store.execute("CREATE VIEW spying AS SELECT symbol, date, spy() AS open, high, low, close, volume FROM bars");
        let source = connect(&store.url("spying", "")).await.expect("connect");
        store.execute("CREATE OR REPLACE FUNCTION spy() RETURNS DOUBLE MODIFIES SQL DATA BEGIN INSERT INTO log VALUES (1); RETURN 1; END");
        let (out, _arriving) = async_channel::unbounded::<Fetched>();
        let request = FetchRequest { symbols: vec!["AAPL".into()], range: DateRange::ALL, digest: None };
        let error = source.fetch(&request, &out).await.expect_err("a write is refused");
        assert!(error.to_string().to_lowercase().contains("read"), "{error}");
        assert_eq!(store.server().count(&store.database, "SELECT 1 FROM log"), 0);
    });
}

#[test]
fn no_more_connections_are_open_than_were_granted() {
    let Some(store) = mariadb() else { return };
    runtime().block_on(async {
        let names: Vec<String> = (0..60).map(|number| format!("S{number:03}")).collect();
        store.load(&bars_table(names.iter().map(|name| bar(name, "2024-03-01", 1.0)).collect()));
        let source = connect(&store.url("bars", "")).await.expect("connect");
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let open = format!("SELECT 1 FROM information_schema.processlist WHERE db = '{}' AND id <> CONNECTION_ID()", store.database);
        for _ in 0..3 {
            assert_eq!(compare(&source, &asked, DateRange::ALL, "").await, asked.len());
            // A connection that was closed takes the server a moment.
            for _ in 0..100 {
                if store.server().count("mysql", &open) <= options().connections {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(store.server().count("mysql", &open) <= options().connections);
        }
    });
}

#[test]
fn rows_come_over_an_encrypted_connection() {
    let Some(server) = servers::own_encrypting_mariadb() else { return };
    let database = server.new_database();
    server.execute(&database, &format!("CREATE TABLE bars (symbol VARCHAR(20), date DATE, {COLUMNS})"));
    let names: Vec<String> = (0..40).map(|number| format!("S{number:03}")).collect();
    // So many rows that they come in many records.
    for name in &names {
        let rows: Vec<String> =
            (0..500).map(|day| format!("('{name}', DATE '2020-01-01' + INTERVAL {day} DAY, {day} / 7e0, 2, 3, 4, 5)")).collect();
        server.execute(&database, &format!("INSERT INTO bars VALUES {}", rows.join(", ")));
    }
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    runtime().block_on(async {
        let mut seen = Vec::new();
        for tls in ["require", "prefer", "off"] {
            let url = server.url(&format!("{database}?table=bars&tls={tls}"));
            let report = staged(&url).await;
            assert!(report.passed(), "{report:?}");
            let source = connect(&url).await.expect("connect");
            for _ in 0..2 {
                assert_eq!(compare(&source, &asked, DateRange::ALL, "").await, asked.len(), "{tls}");
            }
            seen.push(fetch_in(&source, &asked, range("2020-03-01", "2021-01-31")).await);
        }
        assert!(seen[0] == seen[1] && seen[1] == seen[2] && seen[0]["S007"].as_ref().expect("bars").len() == 337);
        // The server is asked who reads in the open.
        server.execute(&database, &format!("ALTER USER '{}'@'%' REQUIRE SSL", servers::USER));
        let error = connect(&server.url(&format!("{database}?table=bars&tls=off"))).await.expect_err("in the open");
        assert_eq!(error.kind(), SourceErrorKind::WrongPassword, "{error}");
    });
}

/// Passes a server on as one that does not know the logins of today.
fn as_old_server(server_port: u16) -> u16 {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", server_port)) else { return };
            std::thread::spawn(move || {
                let mut greeting = [0; 1024];
                let length = server.read(&mut greeting).expect("greeting");
                let version = greeting[5..].iter().position(|byte| *byte == 0).expect("version");
                // Version, connection, nonce, capabilities, character set, status; then the upper half of the capabilities.
                greeting[5 + version + 1 + 4 + 9 + 2 + 1 + 2] &= !0b1000;
                client.write_all(&greeting[..length]).expect("client");
                let (mut from_client, mut to_server) = (client.try_clone().expect("socket"), server.try_clone().expect("socket"));
                std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
                drop(std::io::copy(&mut server, &mut client));
            });
        }
    });
    port
}

#[test]
fn a_server_the_fast_client_does_not_know_is_read_all_the_same() {
    let Some(store) = mariadb() else { return };
    runtime().block_on(async {
        store.load(&three_symbols());
        store.execute(&format!("CREATE USER old; GRANT SELECT ON {}.* TO old", store.database));
        let port = as_old_server(store.server().port);
        let source = connect(&format!("mysql://old@127.0.0.1:{port}/{}?table=bars&tls=off", store.database)).await.expect("connect");
        let new = connect(&store.url("bars", "")).await.expect("connect");
        let asked = ["AAPL", "MSFT", "nobody"];
        assert_eq!(fetch_in(&source, &asked, DateRange::ALL).await, fetch_in(&new, &asked, DateRange::ALL).await);
        assert!(!source.digests_on_the_way() && new.digests_on_the_way());
        assert_eq!(compare(&source, &asked, DateRange::ALL, "").await, 0);
        assert_eq!(compare(&new, &asked, DateRange::ALL, "").await, 3);
    });
}
