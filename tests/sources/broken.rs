//! Connections that break, stall or are slow: no symbol comes in part, and whoever asked knows that trying again may help.

use super::digests::seed;
use super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samovar::source::DigestRequest;
use std::time::Instant;
use support::proxy::{Fate, Proxy};
use support::servers::Server;

const DAYS: usize = 60;

fn names() -> Vec<String> {
    (0..20).map(|number| format!("S{number:03}")).collect()
}

/// Twenty symbols of sixty days, some missing values among them.
fn many() -> Table {
    let first = parse_date("2024-01-01").expect("date");
    let rows = names().into_iter().enumerate().flat_map(|(number, name)| {
        let row = move |day: usize| {
            let date = (first + chrono::Days::new(day as u64)).to_string();
            let mut row = bar(&name, &date, 100.0 + number as f64 + day as f64 / 7.0);
            if (number + day).is_multiple_of(11) {
                row[6] = Cell::Null;
            }
            row
        };
        (0..DAYS).map(row).collect::<Vec<_>>()
    });
    bars_table(rows.collect())
}

/// A table of bars behind a proxy, and a source that goes through it.
async fn behind_proxy(store: &Store, connections: usize, query_timeout: Duration) -> (Proxy, Source) {
    let proxy = Proxy::to(store.server().port);
    let url = store.server().url_at(proxy.port(), &format!("{}?table=bars", store.database));
    let options = SourceOptions { query_timeout, connections, ..options() };
    let source = Source::connect(&SourceUrl::parse(&url).expect("url"), &options).await.expect("connect");
    (proxy, source)
}

/// Whatever a fetch delivers before it ends, and how it ends.
async fn whatever_comes(source: &Source, names: &[String]) -> (BTreeMap<String, RawBars>, Result<(), SourceError>) {
    let (out, arriving) = async_channel::bounded::<Fetched>(2);
    let request = FetchRequest { symbols: names.iter().map(Symbol::new).collect(), range: DateRange::ALL, digest: None };
    let gather = async {
        let mut fetched = BTreeMap::new();
        while let Ok(one) = arriving.recv().await {
            let bars = one.result.expect("every row can be read");
            assert!(fetched.insert(one.symbol.to_string(), bars).is_none(), "{} came twice", one.symbol);
        }
        fetched
    };
    let fetch = async {
        let result = source.fetch(&request, &out).await;
        out.close();
        result
    };
    let (result, fetched) = tokio::join!(fetch, gather);
    (fetched, result)
}

/// Bars in which a missing value equals a missing value.
fn shown(bars: &RawBars) -> String {
    format!("{bars:?}")
}

#[test]
fn a_connection_cut_at_any_byte_leaves_no_symbol_in_part() {
    let seed = seed();
    for_servers(async |store| {
        let mut random = StdRng::seed_from_u64(seed);
        // PostgreSQL's login is made to take its time.
        let cuts = if store.kind == Kind::MariaDb { 200 } else { 60 };
        store.load(&many());
        let (proxy, source) = behind_proxy(&store, 3, Duration::from_secs(20)).await;
        let asked = DigestRequest { symbols: names().iter().map(Symbol::new).collect(), ..DigestRequest::default() };
        proxy.cut_all();
        proxy.take_longest();
        let (whole, result) = whatever_comes(&source, &names()).await;
        result.expect("nothing is cut");
        let whole: BTreeMap<String, String> = whole.into_iter().map(|(name, bars)| (name, shown(&bars))).collect();
        assert_eq!(whole.len(), names().len());
        let digests = source.digests(&asked).await.expect("digests");
        let longest = proxy.take_longest();
        let (mut failed, mut some_came) = (0, 0);
        for number in 0..cuts {
            // The first bytes one by one; then the login, and mostly the rows that follow it.
            let after = match number {
                0..10 => number,
                _ if number % 10 == 0 => random.random_range(0..300),
                _ => random.random_range(0..longest + longest / 20),
            };
            proxy.cut_all();
            proxy.set(Fate::CutAfter(after));
            let (fetched, result) = whatever_comes(&source, &names()).await;
            for (name, bars) in &fetched {
                assert_eq!(shown(bars), whole[name], "{name}, cut after {after} bytes");
            }
            match result {
                Ok(()) => assert_eq!(fetched.len(), whole.len(), "cut after {after} bytes"),
                Err(error) => {
                    assert!(error.is_transient(), "cut after {after} bytes: {error:?}");
                    failed += 1;
                    some_came += u64::from(!fetched.is_empty());
                }
            }
            // A digest is whole, or an error.
            if number % 4 == 0 {
                match source.digests(&asked).await {
                    Ok(cut) => assert_eq!(cut, digests, "cut after {after} bytes"),
                    Err(error) => assert!(error.is_transient(), "cut after {after} bytes: {error:?}"),
                }
            }
        }
        assert!(failed > cuts / 2 && some_came > 0, "{failed} of {cuts} fetches failed, {some_came} after some symbols");
        proxy.cut_all();
        proxy.set(Fate::Pass);
        let (fetched, result) = whatever_comes(&source, &names()).await;
        result.expect("the network is back");
        assert_eq!(fetched.len(), whole.len());
    });
}

#[test]
fn a_stream_that_stalls_is_given_up_in_time() {
    for_servers(async |store| {
        store.load(&many());
        let (proxy, source) = behind_proxy(&store, 1, Duration::from_millis(400)).await;
        proxy.cut_all();
        proxy.take_longest();
        whatever_comes(&source, &names()).await.1.expect("nothing is held");
        let middle = proxy.take_longest() * 2 / 3;
        proxy.cut_all();
        proxy.set(Fate::StallAfter(middle));
        let started = Instant::now();
        let (fetched, result) = whatever_comes(&source, &names()).await;
        let error = result.expect_err("held in the middle");
        assert!(error.kind() == SourceErrorKind::Timeout && error.is_transient(), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert!(proxy.held() > 0 && fetched.values().all(|bars| bars.len() == DAYS));
        // A digest that stalls is given up as well.
        let asked = DigestRequest { symbols: names().iter().map(Symbol::new).collect(), ..DigestRequest::default() };
        proxy.set(Fate::StallAfter(middle.min(1_000)));
        assert_eq!(source.digests(&asked).await.expect_err("held").kind(), SourceErrorKind::Timeout);
        // What stalled is not used again, though it would go on.
        proxy.set(Fate::Pass);
        proxy.release();
        let (fetched, result) = whatever_comes(&source, &names()).await;
        result.expect("a new connection");
        assert_eq!(fetched.len(), names().len());
    });
}

#[test]
fn a_slow_stream_is_no_stalled_one() {
    for_servers(async |store| {
        store.load(&many());
        // Slower altogether than the limit, which is for the next rows only.
        let (proxy, source) = behind_proxy(&store, 3, Duration::from_secs(1)).await;
        proxy.cut_all();
        proxy.take_longest();
        whatever_comes(&source, &names()).await.1.expect("fast");
        let step_bytes = usize::try_from(proxy.take_longest() / 30).expect("size");
        proxy.cut_all();
        proxy.set(Fate::Slow { step_bytes, delay: Duration::from_millis(50) });
        let started = Instant::now();
        let (fetched, result) = whatever_comes(&source, &names()).await;
        result.expect("slow");
        assert_eq!(fetched.len(), names().len());
        assert!(started.elapsed() > Duration::from_secs(1), "{:?}", started.elapsed());
    });
}

#[test]
fn a_server_that_goes_away_may_come_back() {
    for_servers(async |store| {
        store.load(&many());
        let codes: &[&str] = match store.kind {
            Kind::MariaDb => &["1053", "1077", "1158", "1161", "1184", "1317", "1927", "2006", "2013", "4031"],
            _ => &["57P01", "57P02", "57P03", "57P05", "08006", "08003", "53300", "40001", "57014"],
        };
        for (number, code) in codes.iter().enumerate() {
            store.execute(&match store.kind {
                Kind::MariaDb => format!(
                    "CREATE FUNCTION boom{number}() RETURNS DOUBLE BEGIN SIGNAL SQLSTATE '08S01' \
                     SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'boom {code}'; RETURN 1; END"
                ),
                _ => format!(
                    "CREATE FUNCTION boom{number}() RETURNS FLOAT8 LANGUAGE plpgsql \
                     AS $$ BEGIN RAISE EXCEPTION 'boom {code}' USING ERRCODE = '{code}'; END $$"
                ),
            });
            assert_transient(&store, &format!("boom{number}()"), code).await;
        }
        // And for once not only pretended: a session that ends itself.
        store.execute(match store.kind {
            Kind::MariaDb => "CREATE FUNCTION suicide() RETURNS DOUBLE BEGIN KILL CONNECTION CONNECTION_ID(); RETURN 1; END",
            _ => {
                "CREATE FUNCTION suicide() RETURNS FLOAT8 LANGUAGE plpgsql \
                 AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN 1; END $$"
            }
        });
        assert_transient(&store, "suicide()", "suicide").await;
    });
}

/// Insists that fetching and counting the rows of a view whose prices are this expression fails for now only.
async fn assert_transient(store: &Store, expression: &str, name: &str) {
    let view = format!("view_{}", name.to_lowercase());
    let (one, other) = if store.kind == Kind::MariaDb { ('`', '`') } else { ('"', '"') };
    store.execute(&format!(
        "CREATE VIEW {one}{view}{other} AS SELECT symbol, date, {expression} AS open, high, low, close, volume FROM bars"
    ));
    let source = connect(&store.url(&view, "")).await.expect("connect");
    let (fetched, result) = whatever_comes(&source, &names()).await;
    let error = result.expect_err(name);
    assert!(error.is_transient() && fetched.is_empty(), "{name}: {error:?}");
    let asked = DigestRequest { symbols: names().iter().map(Symbol::new).collect(), ..DigestRequest::default() };
    let error = source.digests(&asked).await.expect_err(name);
    assert!(error.is_transient(), "{name}: {error:?}");
}

#[test]
fn a_server_behind_a_closed_door_may_open_it() {
    for_servers(async |store| {
        store.load(&many());
        let (proxy, source) = behind_proxy(&store, 3, Duration::from_secs(5)).await;
        proxy.cut_all();
        proxy.set(Fate::Refuse);
        let error = whatever_comes(&source, &names()).await.1.expect_err("refused");
        assert!(error.is_transient(), "{error:?}");
        let port = proxy.port();
        drop(proxy);
        let error = whatever_comes(&source, &names()).await.1.expect_err("nobody listens");
        assert!(error.is_transient() && error.to_string().contains(&port.to_string()), "{error:?}");
    });
}

#[test]
fn a_server_that_is_ended_in_mid_query_and_started_again_is_used_again() {
    for server in [servers::own_mariadb(), servers::own_postgres()].into_iter().flatten() {
        let database = server.new_database();
        let (sleep, running) = match server.kind {
            servers::ServerKind::MariaDb => {
                ("SLEEP(0.2)", "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%FROM `slow`%' AND id <> CONNECTION_ID()")
            }
            servers::ServerKind::Postgres => (
                "length(pg_sleep(0.2)::text)",
                "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%FROM %\"slow\"%' AND pid <> pg_backend_pid()",
            ),
        };
        let columns = "open DOUBLE PRECISION, high DOUBLE PRECISION, low DOUBLE PRECISION, close DOUBLE PRECISION";
        server.execute(&database, &format!("CREATE TABLE bars (symbol VARCHAR(20), date DATE, {columns})"));
        let rows: Vec<String> = (1..=250).map(|number| format!("('S{:03}', '2024-03-01', 1, 1, 1, {number})", number % 20)).collect();
        server.execute(&database, &format!("INSERT INTO bars VALUES {}", rows.join(", ")));
        server.execute(&database, &format!("CREATE VIEW slow AS SELECT symbol, date, {sleep} AS open, high, low, close FROM bars"));
        runtime().block_on(async {
            let slow = connect(&server.url(&format!("{database}?table=slow"))).await.expect("connect");
            let source = connect(&server.url(&format!("{database}?table=bars"))).await.expect("connect");
            for end in [Server::shut_down, Server::kill] {
                let names = names();
                let fetching = whatever_comes(&slow, &names);
                let ending = async {
                    // The query runs for ten seconds and more, so once it is seen it is in the middle.
                    while server.count(&database, running) == 0 {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    tokio::task::block_in_place(|| end(&server));
                };
                let ((fetched, result), ()) = tokio::join!(fetching, ending);
                let error = result.expect_err("the server is gone");
                assert!(error.is_transient() && fetched.is_empty(), "{error:?}");
                let error = whatever_comes(&source, &names).await.1.expect_err("the server is still gone");
                assert!(error.is_transient(), "{error:?}");
                tokio::task::block_in_place(|| server.start_again());
                let (fetched, result) = whatever_comes(&source, &names).await;
                result.expect("the server is back");
                assert_eq!(fetched.values().map(RawBars::len).sum::<usize>(), 250);
            }
        });
    }
}

/// A way to a server on which no COPY gets through: it is misspelt on its way, or the connection ends. Counts those it saw.
fn way_without_copy(server_port: u16, ends: bool) -> (u16, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    let seen = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&seen);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)) else { continue };
            let ends_of = || (client.try_clone().expect("socket"), server.try_clone().expect("socket"));
            let ((mut from_client, mut to_server), (mut to_client, mut from_server)) = (ends_of(), ends_of());
            let counter = std::sync::Arc::clone(&counter);
            std::thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(read @ 1..) = from_client.read(&mut buffer) {
                    if let Some(at) = buffer[..read].windows(6).position(|bytes| bytes == b"COPY (") {
                        counter.fetch_add(1, Ordering::SeqCst);
                        if ends {
                            break;
                        }
                        buffer[at] = b'K';
                    }
                    if to_server.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                drop(to_server.shutdown(std::net::Shutdown::Both));
            });
            std::thread::spawn(move || {
                drop(std::io::copy(&mut from_server, &mut to_client));
                drop(to_client.shutdown(std::net::Shutdown::Both));
            });
        }
    });
    (port, seen)
}

#[test]
fn where_copy_is_refused_rows_come_by_a_statement() {
    let Some(store) = Store::new(Kind::Postgres) else { return };
    runtime().block_on(async {
        store.load(&many());
        let whole = whatever_comes(&connect(&store.url("bars", "")).await.expect("connect"), &names()).await;
        let whole: BTreeMap<String, String> = whole.0.into_iter().map(|(name, bars)| (name, shown(&bars))).collect();
        for ends in [false, true] {
            let (port, seen) = way_without_copy(store.server().port, ends);
            let url = store.server().url_at(port, &format!("{}?table=bars", store.database));
            let source = connect(&url).await.expect("connect");
            for _ in 0..4 {
                let (fetched, result) = whatever_comes(&source, &names()).await;
                result.expect("a statement");
                assert_eq!(fetched.into_iter().map(|(name, bars)| (name, shown(&bars))).collect::<BTreeMap<_, _>>(), whole);
            }
            let asked = DigestRequest { symbols: names().iter().map(Symbol::new).collect(), ..DigestRequest::default() };
            assert_eq!(on_the_way::are_the_same(&source, &asked).await, 0);
            // Three statements at a time, and then it is known.
            let tried = seen.load(std::sync::atomic::Ordering::SeqCst);
            assert!((1..=6).contains(&tried), "{tried}");
        }
    });
}
