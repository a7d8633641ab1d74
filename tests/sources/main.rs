//! Sources: the same cases over MariaDB, PostgreSQL, SQLite, CSV and Parquet, and what only some of them can get wrong.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod broken;
mod digests;
mod glance;
mod on_the_way;
mod on_the_way_mysql;
mod plans;
#[path = "../support/mod.rs"]
mod support;

use digests::*;
use plans::*;
use samovar::market::{DateRange, RawBars, Symbol, parse_date};
use samovar::source::{
    ColumnRole, FetchRequest, Fetched, Source, SourceError, SourceErrorKind, SourceOptions, SourceUrl, Stage, StageOutcome, SymbolInfo,
    TestReport, test_source,
};
use std::collections::BTreeMap;
use std::time::Duration;
use support::servers;
use support::tables::{Cell, Holds, Kind, Store, Table, micros};

/// The same test for every kind of source; a kind whose server is not there says so and passes.
macro_rules! for_every_source {
    ($($case:ident),* $(,)?) => {
        mod mariadb { $(#[test] fn $case() { super::run(super::Kind::MariaDb, super::$case) })* }
        mod postgres { $(#[test] fn $case() { super::run(super::Kind::Postgres, super::$case) })* }
        mod sqlite { $(#[test] fn $case() { super::run(super::Kind::Sqlite, super::$case) })* }
        mod csv { $(#[test] fn $case() { super::run(super::Kind::Csv, super::$case) })* }
        mod parquet { $(#[test] fn $case() { super::run(super::Kind::Parquet, super::$case) })* }
    };
}

for_every_source![
    symbols_are_listed_with_first_last_and_count,
    what_was_put_in_comes_out,
    a_date_range_has_both_its_ends,
    columns_are_found_under_other_names,
    columns_can_be_told,
    a_missing_price_is_nan,
    duplicate_and_unsorted_dates_come_through,
    odd_symbols_are_kept_apart,
    an_unknown_symbol_has_no_bars,
    a_missing_table_is_explained,
    a_missing_column_is_explained,
    an_empty_table_has_no_symbols,
    decimals_and_texts_are_numbers,
    times_of_day_are_kept,
    dates_may_be_texts_and_numbers,
    a_value_that_is_no_date_fails_its_symbol_only,
    symbols_may_be_numbers,
    the_first_rows_can_be_seen,
    a_session_can_only_read,
    the_staged_test_goes_through,
    nobody_listening_ends_a_fetch,
    the_table_is_found_by_itself,
    equal_rows_have_equal_digests_in_any_order,
    every_change_shows_in_its_year_and_nowhere_else,
    random_changes_are_all_noticed,
    parts_of_a_digest_add_up,
    a_fetch_delivers_the_rows_a_digest_counts,
    digests_know_every_spelling_of_a_date,
    rows_without_a_date_are_counted,
    digests_keep_odd_symbols_apart,
    digests_of_thousands_of_symbols_come,
    queries_are_timed_with_their_statements,
    a_slow_taker_is_not_the_source_s_time,
    a_missing_index_is_told_with_the_statement_that_makes_it,
    keys_count_and_views_have_none,
    plans_are_told_as_the_database_tells_them,
];

fn run(kind: Kind, case: fn(Store) -> Boxed) {
    if let Some(store) = Store::new(kind) {
        runtime().block_on(case(store));
    } else {
        println!("not run: {kind:?} is not there");
    }
}

type Boxed = std::pin::Pin<Box<dyn Future<Output = ()>>>;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime")
}

fn options() -> SourceOptions {
    SourceOptions { connections: 3, connect_timeout: Duration::from_secs(5), ..SourceOptions::default() }
}

async fn connect(url: &str) -> Result<Source, SourceError> {
    Source::connect(&SourceUrl::parse(url)?, &options()).await
}

fn range(start: &str, end: &str) -> DateRange {
    DateRange { start: parse_date(start), end: parse_date(end) }
}

/// Fetches, and insists on exactly one answer for every symbol.
async fn fetch_in(source: &Source, symbols: &[&str], range: DateRange) -> BTreeMap<String, Result<RawBars, SourceError>> {
    let (out, arriving) = async_channel::bounded::<Fetched>(2);
    let request = FetchRequest { symbols: symbols.iter().map(Symbol::new).collect(), range, digest: None };
    let gather = async {
        let mut fetched = BTreeMap::new();
        while let Ok(one) = arriving.recv().await {
            assert!(fetched.insert(one.symbol.to_string(), one.result).is_none(), "{} came twice", one.symbol);
        }
        fetched
    };
    let fetch = async {
        let result = source.fetch(&request, &out).await;
        out.close();
        result
    };
    let (result, fetched) = tokio::join!(fetch, gather);
    result.expect("fetch");
    let mut asked: Vec<&str> = symbols.to_vec();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(fetched.keys().map(String::as_str).collect::<Vec<_>>(), asked);
    fetched
}

async fn fetch(source: &Source, symbol: &str) -> RawBars {
    fetch_in(source, &[symbol], DateRange::ALL).await.remove(symbol).expect("one answer").expect("bars")
}

/// Rows as `(date, open, high, low, close, volume)`, all prices around `close`.
fn bar(symbol: &str, date: &str, close: f64) -> Vec<Cell> {
    vec![
        symbol.into(),
        date.into(),
        (close - 0.25).into(),
        (close + 0.5).into(),
        (close - 0.5).into(),
        close.into(),
        (close * 100.0).into(),
    ]
}

fn table_named(name: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    let holds = [Holds::Symbol, Holds::Date, Holds::Double, Holds::Double, Holds::Double, Holds::Double, Holds::Double];
    let columns = columns.iter().zip(holds).map(|(name, holds)| ((*name).to_owned(), holds)).collect();
    Table { name: name.to_owned(), columns, rows }
}

fn bars_table(rows: Vec<Vec<Cell>>) -> Table {
    table_named("bars", &["symbol", "date", "open", "high", "low", "close", "volume"], rows)
}

fn three_symbols() -> Table {
    bars_table(vec![
        bar("AAPL", "2024-03-01", 10.0),
        bar("AAPL", "2024-03-04", 11.5),
        bar("AAPL", "2024-03-05", 12.25),
        bar("000001", "2024-03-01", 8.75),
        bar("MSFT", "2023-12-29", 400.0),
        bar("MSFT", "2024-03-05", 401.5),
    ])
}

async fn loaded(store: &Store, table: &Table) -> Source {
    store.load(table);
    let source = connect(&store.url(&table.name, "")).await.expect("connect");
    on_the_way::of_all_symbols_are_the_same(&source).await;
    // One of which nothing was asked yet.
    connect(&store.url(&table.name, "")).await.expect("connect")
}

fn closes(bars: &RawBars) -> Vec<(i64, f64)> {
    bars.time_us.iter().copied().zip(bars.close.iter().copied()).collect()
}

fn symbols_are_listed_with_first_last_and_count(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &three_symbols()).await;
        let info = |symbol: &str, first: &str, last: &str, bar_count| SymbolInfo {
            symbol: Symbol::new(symbol),
            first_us: Some(micros(first)),
            last_us: Some(micros(last)),
            bar_count,
        };
        let expected = [
            info("000001", "2024-03-01", "2024-03-01", 1),
            info("AAPL", "2024-03-01", "2024-03-05", 3),
            info("MSFT", "2023-12-29", "2024-03-05", 2),
        ];
        assert_eq!(source.symbols().await.expect("symbols"), expected);
        source.close().await;
    })
}

fn what_was_put_in_comes_out(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &three_symbols()).await;
        let fetched = fetch_in(&source, &["AAPL", "MSFT", "000001", "AAPL"], DateRange::ALL).await;
        let aapl = RawBars {
            time_us: ["2024-03-01", "2024-03-04", "2024-03-05"].map(micros).to_vec(),
            open: vec![9.75, 11.25, 12.0],
            high: vec![10.5, 12.0, 12.75],
            low: vec![9.5, 11.0, 11.75],
            close: vec![10.0, 11.5, 12.25],
            volume: vec![1000.0, 1150.0, 1225.0],
            ..RawBars::default()
        };
        assert_eq!(fetched["AAPL"].as_ref().expect("bars"), &aapl);
        assert_eq!(fetched["MSFT"].as_ref().expect("bars").close, [400.0, 401.5]);
        assert_eq!(fetched["000001"].as_ref().expect("bars").close, [8.75]);
    })
}

fn a_date_range_has_both_its_ends(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &three_symbols()).await;
        let both = fetch_in(&source, &["AAPL", "MSFT"], range("2024-03-01", "2024-03-04")).await;
        assert_eq!(both["AAPL"].as_ref().expect("bars").close, [10.0, 11.5]);
        assert!(both["MSFT"].as_ref().expect("bars").is_empty());
        let from = fetch_in(&source, &["AAPL"], range("2024-03-04", "")).await;
        assert_eq!(from["AAPL"].as_ref().expect("bars").close, [11.5, 12.25]);
        let until = fetch_in(&source, &["MSFT"], range("", "2023-12-31")).await;
        assert_eq!(until["MSFT"].as_ref().expect("bars").close, [400.0]);
    })
}

fn columns_are_found_under_other_names(store: Store) -> Boxed {
    Box::pin(async move {
        for (name, columns) in [
            ("tushare", ["ts_code", "trade_date", "open", "HIGH", "Low", "close", "vol"]),
            ("chinese", ["股票代码", "日期", "开盘", "最高", "最低", "收盘", "成交量"]),
            ("spaced", ["Ticker", "Trade Date", "Open Price", "High Price", "Low Price", "Close Price", "Volume"]),
        ] {
            let source = loaded(&store, &table_named(name, &columns, three_symbols().rows)).await;
            assert_eq!(source.columns().get(ColumnRole::Symbol), Some(columns[0]));
            let bars = fetch(&source, "AAPL").await;
            assert_eq!((bars.close[2], bars.volume[2]), (12.25, 1225.0), "{name}");
        }
    })
}

fn columns_can_be_told(store: Store) -> Boxed {
    Box::pin(async move {
        let mut table = table_named("told", &["symbol", "date", "open", "high", "low", "last", "close"], three_symbols().rows);
        table.rows.truncate(3);
        store.load(&table);
        let source = connect(&store.url("told", "&close=last&volume=close")).await.expect("connect");
        let bars = fetch(&source, "AAPL").await;
        assert_eq!((bars.close[0], bars.volume[0]), (10.0, 1000.0));
        // Without a volume every volume is zero, and other columns are another source.
        let plain = connect(&store.url("told", "")).await.expect("connect");
        assert_eq!(fetch(&plain, "AAPL").await.volume, [0.0; 3]);
        assert_ne!(plain.id(), source.id());
    })
}

fn a_missing_price_is_nan(store: Store) -> Boxed {
    Box::pin(async move {
        let mut table = three_symbols();
        table.rows[1][5] = Cell::Null;
        table.rows[2][6] = Cell::Null;
        let bars = fetch(&loaded(&store, &table).await, "AAPL").await;
        assert_eq!(bars.len(), 3);
        assert!(bars.close[1].is_nan() && bars.volume[2].is_nan());
        assert_eq!((bars.close[0], bars.open[1]), (10.0, 11.25));
    })
}

fn duplicate_and_unsorted_dates_come_through(store: Store) -> Boxed {
    Box::pin(async move {
        let rows = vec![
            bar("A", "2024-03-05", 5.0),
            bar("A", "2024-03-01", 1.0),
            bar("B", "2024-03-01", 2.0),
            bar("A", "2024-03-05", 5.5),
            bar("A", "2024-03-04", 4.0),
        ];
        let mut rows = closes(&fetch(&loaded(&store, &bars_table(rows)).await, "A").await);
        rows.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        let day = |day: &str| micros(day);
        assert_eq!(rows, [(day("2024-03-01"), 1.0), (day("2024-03-04"), 4.0), (day("2024-03-05"), 5.0), (day("2024-03-05"), 5.5)]);
    })
}

fn odd_symbols_are_kept_apart(store: Store) -> Boxed {
    Box::pin(async move {
        let long = "X".repeat(200);
        let names = [
            "CON", "con", "Con", "a/b", "A/B", "..", ".", "ß", "ss", "SS", &long, "^GSPC", "BRK/B", "x'y", "x\"y", "x`y", "x\\y", "%", "_",
            "naïve", "naive", "株式", "000001", "1", "👍", "a b",
        ];
        let mut rows = Vec::new();
        for (day, date) in ["2024-03-01", "2024-03-04", "2024-03-05"].iter().enumerate() {
            for (number, name) in names.iter().enumerate() {
                rows.push(bar(name, date, (1000 * (number + 1) + day) as f64));
            }
        }
        let source = loaded(&store, &bars_table(rows)).await;
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        let listed = source.symbols().await.expect("symbols");
        assert_eq!(listed.iter().map(|info| info.symbol.as_str()).collect::<Vec<_>>(), sorted);
        assert!(listed.iter().all(|info| info.bar_count == 3), "{listed:?}");
        let fetched = fetch_in(&source, &names, DateRange::ALL).await;
        for (number, name) in names.iter().enumerate() {
            let first = (1000 * (number + 1)) as f64;
            assert_eq!(fetched[*name].as_ref().expect("bars").close, [first, first + 1.0, first + 2.0], "{name}");
        }
        // Asked for one of several that differ by case only.
        assert_eq!(fetch(&source, "con").await.close, [2000.0, 2001.0, 2002.0]);
        assert!(fetch(&source, "cON").await.is_empty());
    })
}

fn an_unknown_symbol_has_no_bars(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &three_symbols()).await;
        let fetched = fetch_in(&source, &["NOPE", "AAPL", "' OR 1=1 --", ""], DateRange::ALL).await;
        assert_eq!(fetched.values().map(|bars| bars.as_ref().expect("bars").len()).sum::<usize>(), 3);
    })
}

fn a_missing_table_is_explained(store: Store) -> Boxed {
    Box::pin(async move {
        store.load(&three_symbols());
        let error = connect(&store.url("nothing", "")).await.expect_err("no such table");
        let (kind, named) =
            if store.kind.is_file() { (SourceErrorKind::MissingFile, "nothing.") } else { (SourceErrorKind::MissingTable, "bars") };
        assert_eq!(error.kind(), kind);
        let text = error.to_string();
        assert!(text.contains("nothing") && text.contains(named), "{text}");
        assert!(error.hint().is_some());
    })
}

fn a_missing_column_is_explained(store: Store) -> Boxed {
    Box::pin(async move {
        let table = table_named("bars", &["symbol", "date", "open", "high", "low", "last", "volume"], three_symbols().rows);
        store.load(&table);
        let error = connect(&store.url("bars", "")).await.expect_err("no close");
        assert_eq!(error.kind(), SourceErrorKind::MissingColumn);
        let text = error.to_string();
        assert!(["bars", "close", "last", "&close=COLUMN"].iter().all(|part| text.contains(part)), "{text}");
        let error = connect(&store.url("bars", "&close=adjusted")).await.expect_err("no adjusted");
        assert!(error.to_string().contains("adjusted"), "{error}");
        assert_eq!(failed_stage(&staged(&store.url("bars", "")).await), Some(Stage::Columns));
    })
}

fn an_empty_table_has_no_symbols(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &bars_table(Vec::new())).await;
        assert_eq!(source.symbols().await.expect("symbols"), []);
        assert!(source.preview(5).await.expect("preview").rows.is_empty());
        assert!(fetch(&source, "AAPL").await.is_empty());
        assert_eq!(source.no_data_error().kind(), SourceErrorKind::NoData);
        let report = staged(&store.url("bars", "")).await;
        assert_eq!(failed_stage(&report), Some(Stage::FirstRows));
        assert!(report.error.expect("error").to_string().contains("no rows"));
    })
}

fn decimals_and_texts_are_numbers(store: Store) -> Boxed {
    Box::pin(async move {
        let mut table = three_symbols();
        table.columns[2].1 = Holds::Text;
        table.columns[3].1 = Holds::Decimal;
        table.columns[6].1 = Holds::Integer;
        table.rows[0][2] = " 9.75 ".into();
        table.rows[1][2] = "none".into();
        table.rows[2][2] = "1.2e1".into();
        for row in &mut table.rows[3..] {
            row[2] = "1".into();
        }
        let bars = fetch(&loaded(&store, &table).await, "AAPL").await;
        assert_eq!((bars.open[0], bars.open[2]), (9.75, 12.0));
        assert!(bars.open[1].is_nan());
        assert_eq!(bars.high, [10.5, 12.0, 12.75]);
        assert_eq!(bars.volume, [1000.0, 1150.0, 1225.0]);
    })
}

fn times_of_day_are_kept(store: Store) -> Boxed {
    Box::pin(async move {
        let times = ["2024-03-01 09:31:00", "2024-03-01 09:32:00", "2024-03-01 23:59:59", "2024-03-04 00:00:00"];
        let mut table = bars_table(times.iter().enumerate().map(|(number, time)| bar("A", time, number as f64 + 1.0)).collect());
        table.columns[1] = ("trade_time".to_owned(), Holds::DateTime);
        let source = loaded(&store, &table).await;
        assert_eq!(fetch(&source, "A").await.time_us, times.map(micros));
        let first_day = fetch_in(&source, &["A"], range("2024-03-01", "2024-03-01")).await;
        assert_eq!(first_day["A"].as_ref().expect("bars").close, [1.0, 2.0, 3.0]);
        assert_eq!(source.symbols().await.expect("symbols")[0].last_us, Some(micros("2024-03-04")));
    })
}

fn dates_may_be_texts_and_numbers(store: Store) -> Boxed {
    Box::pin(async move {
        let days = ["2024-02-28", "2024-02-29", "2024-03-01"];
        let seconds = |day: &str| micros(day) / 1_000_000;
        type Write = fn(&str) -> String;
        let spellings: [(&str, Holds, Write); 5] = [
            ("dashes", Holds::Text, |day| day.to_owned()),
            ("compact", Holds::Text, |day| day.replace('-', "")),
            ("slashes", Holds::Text, |day| format!("{} 00:00:00", day.replace('-', "/"))),
            ("numbers", Holds::Integer, |day| day.replace('-', "")),
            ("epoch", Holds::Integer, str::to_owned),
        ];
        for (name, holds, write) in spellings {
            let mut table = bars_table(days.iter().enumerate().map(|(number, day)| bar("A", day, number as f64 + 1.0)).collect());
            table.name = name.to_owned();
            table.columns[1].1 = holds;
            for (row, day) in table.rows.iter_mut().zip(days) {
                let written = if name == "epoch" { (seconds(day) * 1000).to_string() } else { write(day) };
                row[1] = if holds == Holds::Integer { written.parse::<f64>().expect("number").into() } else { written.as_str().into() };
            }
            let source = loaded(&store, &table).await;
            assert_eq!(fetch(&source, "A").await.time_us, days.map(micros), "{name}");
            let leap = fetch_in(&source, &["A"], range("2024-02-29", "2024-02-29")).await;
            assert_eq!(leap["A"].as_ref().expect("bars").close, [2.0], "{name}");
            assert_eq!(source.symbols().await.expect("symbols")[0].first_us, Some(micros("2024-02-28")), "{name}");
        }
    })
}

fn a_value_that_is_no_date_fails_its_symbol_only(store: Store) -> Boxed {
    Box::pin(async move {
        let mut table = three_symbols();
        table.columns[1].1 = Holds::Text;
        table.rows[4][1] = "someday".into();
        let source = loaded(&store, &table).await;
        let fetched = fetch_in(&source, &["AAPL", "MSFT"], DateRange::ALL).await;
        assert_eq!(fetched["AAPL"].as_ref().expect("bars").len(), 3);
        let error = fetched["MSFT"].as_ref().expect_err("no date");
        assert_eq!(error.kind(), SourceErrorKind::BadValue);
        assert!(error.to_string().contains("MSFT") && error.to_string().contains("someday"), "{error}");
    })
}

fn symbols_may_be_numbers(store: Store) -> Boxed {
    Box::pin(async move {
        let mut rows = vec![bar("", "2024-03-01", 1.0), bar("", "2024-03-01", 2.0), bar("", "2024-03-04", 2.5), bar("", "2024-03-04", 3.0)];
        for (row, symbol) in rows.iter_mut().zip([600_519.0, 1.0, 1.0, 0.0]) {
            row[0] = symbol.into();
        }
        rows[3][0] = Cell::Null;
        let mut table = bars_table(rows);
        table.columns[0].1 = Holds::Integer;
        let source = loaded(&store, &table).await;
        let symbols = source.symbols().await.expect("symbols");
        assert_eq!(symbols.iter().map(|info| (info.symbol.as_str(), info.bar_count)).collect::<Vec<_>>(), [("1", 2), ("600519", 1)]);
        let fetched = fetch_in(&source, &["1", "600519", "000001", "AAPL"], DateRange::ALL).await;
        let lengths: Vec<usize> = fetched.values().map(|bars| bars.as_ref().expect("bars").len()).collect();
        assert_eq!(lengths, [0, 2, 1, 0]);
    })
}

fn the_first_rows_can_be_seen(store: Store) -> Boxed {
    Box::pin(async move {
        let preview = loaded(&store, &three_symbols()).await.preview(2).await.expect("preview");
        assert_eq!(preview.columns, ["symbol", "date", "open", "high", "low", "close", "volume"]);
        assert_eq!(preview.rows.len(), 2);
        assert_eq!(preview.rows[0][..2], ["AAPL", "2024-03-01"]);
        assert_eq!(preview.rows[0][5].parse::<f64>().expect("number"), 10.0);
    })
}

fn a_session_can_only_read(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &three_symbols()).await;
        assert!(source.is_read_only().await.expect("an answer"));
        // A view that writes whenever it is read shows that the session itself refuses.
        let spy = match store.kind {
            Kind::MariaDb => "CREATE FUNCTION spy() RETURNS DOUBLE MODIFIES SQL DATA BEGIN INSERT INTO log VALUES (1); RETURN 1; END",
            Kind::Postgres => "CREATE FUNCTION spy() RETURNS FLOAT8 LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (1); RETURN 1; END'",
            _ => return,
        };
        store.execute("CREATE TABLE log (line INT)");
        store.execute(spy);
        store.execute("CREATE VIEW spying AS SELECT symbol, date, spy() AS open, high, low, close, volume FROM bars");
        let error = match connect(&store.url("spying", "")).await {
            Ok(spying) => spying.preview(5).await.expect_err("a write is refused"),
            Err(error) => error,
        };
        assert!(error.to_string().to_lowercase().contains("read"), "{error}");
    })
}

async fn staged(url: &str) -> TestReport {
    let mut heard = Vec::new();
    let report = test_source(&SourceUrl::parse(url).expect("url"), &options(), &mut |stage| heard.push(stage)).await;
    assert_eq!(heard, report.stages);
    if let Some(StageOutcome::Failed { what_happened, what_to_do }) = report.failed_stage().map(|stage| &stage.outcome) {
        assert!(!what_happened.is_empty() && !what_to_do.is_empty());
    }
    assert_eq!(report.passed(), report.failed_stage().is_none());
    report
}

fn failed_stage(report: &TestReport) -> Option<Stage> {
    report.failed_stage().map(|report| report.stage)
}

fn the_staged_test_goes_through(store: Store) -> Boxed {
    Box::pin(async move {
        store.load(&three_symbols());
        let report = staged(&store.url("bars", "")).await;
        assert!(report.passed(), "{report:?}");
        assert_eq!(report.stages.iter().map(|report| report.stage).collect::<Vec<_>>(), Stage::ALL);
        let skipped =
            |stage: Stage| report.stages.iter().any(|one| one.stage == stage && matches!(one.outcome, StageOutcome::Skipped { .. }));
        assert_eq!(skipped(Stage::Connection), !matches!(store.kind, Kind::MariaDb | Kind::Postgres));
        assert_eq!(report.columns.expect("columns").get(ColumnRole::Close), Some("close"));
        assert_eq!(report.preview.expect("preview").rows.len(), 5);
    })
}

fn nobody_listening_ends_a_fetch(store: Store) -> Boxed {
    Box::pin(async move {
        let names: Vec<String> = (0..60).map(|number| format!("S{number:03}")).collect();
        let source = loaded(&store, &bars_table(names.iter().map(|name| bar(name, "2024-03-01", 1.0)).collect())).await;
        let (out, arriving) = async_channel::bounded::<Fetched>(1);
        let request = FetchRequest { symbols: names.iter().map(Symbol::new).collect(), range: DateRange::ALL, digest: None };
        let listen = async {
            arriving.recv().await.expect("one symbol");
            arriving.close();
        };
        let (result, ()) = tokio::join!(source.fetch(&request, &out), listen);
        result.expect("ending early is no error");
        // The source is as good as before.
        assert_eq!(source.symbols().await.expect("symbols").len(), 60);
    })
}

fn the_table_is_found_by_itself(store: Store) -> Boxed {
    Box::pin(async move {
        if !store.kind.is_database() {
            return;
        }
        store.execute("CREATE TABLE users (id INT, name VARCHAR(20))");
        store.load(&three_symbols());
        assert_eq!(connect(&store.url("", "")).await.expect("connect").table(), "bars");
        store.load(&Table { name: "other".to_owned(), ..three_symbols() });
        let error = connect(&store.url("", "")).await.expect_err("two tables");
        assert!(error.to_string().contains("bars, other"), "{error}");
        store.load(&Table { name: "stock_kline_data".to_owned(), ..three_symbols() });
        assert_eq!(connect(&store.url("", "")).await.expect("connect").table(), "stock_kline_data");
    })
}

// What only servers can get wrong.

fn for_servers(case: impl AsyncFn(Store)) {
    for kind in [Kind::MariaDb, Kind::Postgres] {
        if let Some(store) = Store::new(kind) {
            runtime().block_on(case(store));
        }
    }
}

/// The error of connecting and the stage at which the test fails; neither may show the password.
async fn refused(url: &str) -> (SourceError, Option<Stage>) {
    let report = staged(url).await;
    let error = connect(url).await.expect_err("refused");
    let parsed = SourceUrl::parse(url).expect("url");
    let shown = format!("{error} {error:?} {report:?} {parsed} {parsed:?}");
    for secret in [servers::PASSWORD, servers::PASSWORD_IN_URL, "not-the-password"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    (error, failed_stage(&report))
}

#[test]
fn a_wrong_password_is_explained() {
    for_servers(async |store| {
        let url = store.url("bars", "").replace(servers::PASSWORD_IN_URL, "not-the-password");
        let (error, stage) = refused(&url).await;
        assert_eq!((error.kind(), stage), (SourceErrorKind::WrongPassword, Some(Stage::Login)), "{error}");
        assert!(error.to_string().contains(servers::USER) && error.hint().is_some_and(|hint| hint.contains("password")), "{error}");
    });
}

#[test]
fn an_unknown_database_is_explained() {
    for_servers(async |store| {
        let url = store.server().url("nowhere?table=bars");
        let (error, stage) = refused(&url).await;
        assert_eq!((error.kind(), stage), (SourceErrorKind::UnknownDatabase, Some(Stage::Login)), "{error}");
        assert!(error.to_string().contains("nowhere"), "{error}");
    });
}

#[test]
fn a_server_that_is_not_there_is_explained() {
    runtime().block_on(async {
        for scheme in ["mysql", "postgres"] {
            let url = format!("{scheme}://tester:not-the-password@127.0.0.1:{}/market", servers::free_port());
            let (error, stage) = refused(&url).await;
            assert_eq!((error.kind(), stage), (SourceErrorKind::Unreachable, Some(Stage::Connection)), "{error}");
            assert!(error.to_string().contains("127.0.0.1") && error.is_transient(), "{error}");
            let (error, stage) = refused(&format!("{scheme}://tester:not-the-password@no-such-host.invalid/market")).await;
            assert_eq!((error.kind(), stage), (SourceErrorKind::Unreachable, Some(Stage::Name)), "{error}");
        }
    });
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let port = listener.local_addr().expect("address").port();
    runtime().block_on(async {
        let url = SourceUrl::parse(&format!("mysql://tester@127.0.0.1:{port}/market")).expect("url");
        let options = SourceOptions { connect_timeout: Duration::from_millis(200), ..options() };
        let error = Source::connect(&url, &options).await.expect_err("silence");
        assert_eq!(error.kind(), SourceErrorKind::Timeout, "{error}");
    });
}

#[test]
fn encryption_that_cannot_be_had_is_explained() {
    for_servers(async |store| {
        let (error, stage) = refused(&store.url("bars", "&tls=require")).await;
        assert_eq!((error.kind(), stage), (SourceErrorKind::Encryption, Some(Stage::Encryption)), "{error}");
    });
}

#[test]
fn a_user_without_rights_is_told_so() {
    for_servers(async |store| {
        store.load(&three_symbols());
        match store.kind {
            Kind::MariaDb => store.execute("CREATE USER guest IDENTIFIED BY 'guest-secret'; GRANT SELECT ON mysql.help_topic TO guest"),
            _ => store.execute("CREATE USER guest PASSWORD 'guest-secret'"),
        }
        let url = store.url("bars", "").replace(servers::PASSWORD_IN_URL, "guest-secret").replace(servers::USER, "guest");
        let source = connect(&url).await;
        let error = match source {
            Ok(source) => source.symbols().await.expect_err("no rights"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), SourceErrorKind::NotAllowed, "{error}");
        assert!(error.to_string().contains("guest") && !error.to_string().contains("guest-secret"), "{error}");
    });
}

#[test]
fn a_kept_connection_the_server_closed_is_replaced() {
    for_servers(async |store| {
        let source = loaded(&store, &three_symbols()).await;
        if store.kind == Kind::Postgres {
            store.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
            );
        } else {
            // KILL takes no subquery, so a procedure goes through the list.
            store.execute(
                "CREATE PROCEDURE end_all() BEGIN
                   FOR one IN (SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE())
                   DO EXECUTE IMMEDIATE CONCAT('KILL ', one.id); END FOR; END",
            );
            store.execute("CALL end_all()");
        }
        // A kept connection the server has closed is noticed and replaced.
        assert_eq!(fetch(&source, "AAPL").await.len(), 3);
    });
}

#[test]
fn more_symbols_than_one_statement_takes_all_come() {
    for_servers(async |store| {
        let names: Vec<String> = (0..1000).map(|number| format!("{number:06}")).collect();
        let rows = names.iter().map(|name| format!("('{name}', '2024-03-01', 1, 1, 1, {name}, 0)")).collect::<Vec<_>>().join(",");
        store.load(&bars_table(Vec::new()));
        store.execute(&format!("INSERT INTO bars VALUES {rows}"));
        let source = connect(&store.url("bars", "")).await.expect("connect");
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let fetched = fetch_in(&source, &asked, DateRange::ALL).await;
        assert!(fetched.iter().all(|(name, bars)| bars.as_ref().expect("bars").close == [name.parse::<f64>().expect("number")]));
    });
}

// What only files can get wrong.

#[test]
fn a_folder_has_one_file_per_symbol() {
    let folder = tempfile::TempDir::new().expect("folder");
    let path = folder.path();
    let rows = "date,open,high,low,close,volume\n2024-03-01,1,2,0.5,1.5,100\n2024-03-04,2,3,1.5,2.5,200\n";
    std::fs::write(path.join("AAPL.csv"), rows).expect("file");
    std::fs::write(path.join(format!("{}.csv", Symbol::new("BRK/B").file_stem())), rows).expect("file");
    std::fs::create_dir(path.join("more")).expect("folder");
    std::fs::write(path.join("more/600519.SH.tsv"), format!("\u{feff}{}", rows.replace(',', "\t"))).expect("file");
    std::fs::write(path.join("more/semicolon.csv"), rows.replace(',', ";")).expect("file");
    std::fs::write(path.join("broken.csv"), "date,open\n2024-03-01,1\n").expect("file");
    std::fs::write(path.join("half.parquet"), b"PAR1 and then nothing").expect("file");
    std::fs::write(path.join("notes.md"), "no bars").expect("file");
    runtime().block_on(async {
        let source = connect(&format!("files:{}", path.display())).await.expect("connect");
        let listed: Vec<(String, u64)> =
            source.symbols().await.expect("symbols").into_iter().map(|info| (info.symbol.to_string(), info.bar_count)).collect();
        let expected = [("600519.SH", 2), ("AAPL", 2), ("BRK/B", 2), ("broken", 0), ("half", 0), ("semicolon", 2)];
        assert_eq!(listed, expected.map(|(name, count)| (name.to_owned(), count)));
        let fetched = fetch_in(&source, &["AAPL", "BRK/B", "600519.SH", "semicolon", "broken", "half", "nope"], DateRange::ALL).await;
        for good in ["AAPL", "BRK/B", "600519.SH", "semicolon"] {
            assert_eq!(fetched[good].as_ref().expect(good).close, [1.5, 2.5]);
        }
        assert_eq!(fetched["broken"].as_ref().expect_err("no prices").kind(), SourceErrorKind::MissingColumn);
        let half = fetched["half"].as_ref().expect_err("half a file");
        assert!(half.kind() == SourceErrorKind::BadFile && half.to_string().contains("half.parquet"), "{half}");
        assert!(fetched["nope"].as_ref().expect("no bars").is_empty());
        // A file that grows is read anew.
        std::fs::write(path.join("AAPL.csv"), format!("{rows}2024-03-05,3,4,2.5,3.5,300\n")).expect("file");
        assert_eq!(fetch(&source, "AAPL").await.len(), 3);
    });
}

#[test]
fn an_empty_folder_and_a_file_that_is_no_database_are_explained() {
    let folder = tempfile::TempDir::new().expect("folder");
    std::fs::write(folder.path().join("text.db"), "this is no database, and long enough to be looked at as one: ".repeat(20))
        .expect("file");
    runtime().block_on(async {
        let error = connect(&format!("files:{}", folder.path().display())).await.expect_err("empty");
        assert_eq!(error.kind(), SourceErrorKind::NoData, "{error}");
        let url = format!("sqlite:{}/text.db", folder.path().display());
        let error = connect(&url).await.expect_err("no database");
        assert_eq!(error.kind(), SourceErrorKind::BadFile, "{error}");
        let url = format!("sqlite:{}/missing.db", folder.path().display());
        assert_eq!(connect(&url).await.expect_err("no file").kind(), SourceErrorKind::MissingFile);
        assert_eq!(failed_stage(&staged(&url).await), Some(Stage::Name));
        assert!(!folder.path().join("missing.db").exists());
    });
}

// The sample market.

#[test]
fn the_sample_market_is_made_once_and_always_the_same() {
    let folders = [tempfile::TempDir::new().expect("folder"), tempfile::TempDir::new().expect("folder")];
    runtime().block_on(async {
        let url = SourceUrl::parse("sample:").expect("url");
        let mut seen = Vec::new();
        for folder in [&folders[0], &folders[1], &folders[0]] {
            let source = Source::connect(&url, &SourceOptions::new(folder.path())).await.expect("connect");
            seen.push((source.symbols().await.expect("symbols"), fetch(&source, "NVDA").await));
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0], seen[2]);
        let (symbols, split) = &seen[0];
        assert_eq!(symbols.len(), 300);
        let (first, last) = (micros("2023-07-03"), micros("2026-06-30"));
        assert!(symbols.iter().any(|info| info.first_us > Some(first)) && symbols.iter().any(|info| info.last_us < Some(last)));
        assert!(symbols.iter().filter(|info| info.first_us == Some(first) && info.last_us == Some(last)).count() > 200);
        assert!(symbols.iter().any(|info| info.first_us == Some(first) && info.last_us == Some(last) && info.bar_count < 740));
        let halved = split.close.windows(2).filter(|pair| pair[1] / pair[0] < 0.65).count();
        assert_eq!(halved, 1, "one split");
        let (bars, quality) = samovar::market::Bars::normalise(split.clone());
        assert!(quality.is_clean() && bars.turnover.is_some() && bars.amount.is_some());
        let report = test_source(&url, &SourceOptions::new(folders[0].path()), &mut |_| ()).await;
        assert!(report.passed(), "{report:?}");
    });
    assert_eq!(std::fs::read_dir(folders[0].path()).expect("folder").count(), 1, "no temporary file is left");
}
