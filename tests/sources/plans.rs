//! What queries take, how a database plans them, and whether an index serves them.

use super::*;
use samovar::source::{DigestRequest, IndexFinding, IndexState, QueryPlan, QueryPurpose, QueryTiming};

const NOW_US: i64 = 1_700_000_000_000_000;

fn names(symbols: &[&str]) -> Vec<Symbol> {
    symbols.iter().map(Symbol::new).collect()
}

pub(super) fn queries_are_timed_with_their_statements(store: Store) -> Boxed {
    Box::pin(async move {
        let source = loaded(&store, &three_symbols()).await;
        assert!(source.queries(NOW_US).is_empty(), "connecting asks nothing that counts");
        source.symbols().await.expect("symbols");
        fetch_in(&source, &["AAPL", "MSFT", "NOPE"], DateRange::ALL).await;
        source.digests(&DigestRequest { symbols: names(&["AAPL"]), ..DigestRequest::default() }).await.expect("digests");
        source.preview(2).await.expect("preview");
        // Clones share the log.
        let queries = source.clone().queries(NOW_US);
        let of = |purpose: QueryPurpose| -> &QueryTiming {
            let mut found = queries.iter().filter(|query| query.purpose == purpose);
            let query = found.next().expect("recorded");
            assert!(found.next().is_none(), "{queries:?}");
            query
        };
        for purpose in QueryPurpose::ALL {
            let query = of(purpose);
            assert!(query.seconds > 0.0 && query.seconds < 60.0 && query.error.is_none(), "{query:?}");
            assert!(query.first_row_seconds.is_some_and(|first| first > 0.0), "{query:?}");
            assert!(query.bytes > 0 && query.rows_per_second() > 0.0, "{query:?}");
            assert!((NOW_US - 60_000_000..=NOW_US).contains(&query.began_us), "{query:?}");
            let words = if store.kind.is_database() { ["SELECT", "bars"] } else { ["bars", "."] };
            assert!(words.iter().all(|word| query.statement.contains(word)), "{query:?}");
            assert!(!query.statement.contains(servers::PASSWORD) && !query.statement.contains(servers::PASSWORD_IN_URL));
            assert!(!query.statement.contains("AAPL"), "places instead of values: {query:?}");
        }
        assert_eq!((of(QueryPurpose::Symbols).rows, of(QueryPurpose::Symbols).about.as_str()), (3, ""));
        assert_eq!((of(QueryPurpose::Bars).rows, of(QueryPurpose::Bars).about.as_str()), (5, "AAPL … NOPE (3 symbols)"));
        assert_eq!((of(QueryPurpose::Digests).rows, of(QueryPurpose::Digests).about.as_str()), (1, "AAPL"));
        assert_eq!(of(QueryPurpose::Preview).rows, 2);
        // Handed over once.
        assert_eq!(source.take_queries(NOW_US).len(), 4);
        assert!(source.queries(NOW_US).is_empty());
        if store.kind.is_database() {
            store.execute("DROP TABLE bars");
            source.symbols().await.expect_err("it is gone");
            let failed = source.take_queries(NOW_US).remove(0);
            assert!(failed.error.is_some_and(|error| error.contains("bars")), "the error is told");
        }
    })
}

pub(super) fn a_slow_taker_is_not_the_source_s_time(store: Store) -> Boxed {
    Box::pin(async move {
        let rows = (0..40).map(|number| bar(&format!("S{number:02}"), "2024-03-01", 1.0)).collect();
        let source = loaded(&store, &bars_table(rows)).await;
        let symbols: Vec<Symbol> = (0..40).map(|number| Symbol::new(format!("S{number:02}"))).collect();
        let (out, arriving) = async_channel::bounded::<Fetched>(1);
        let request = FetchRequest { symbols, range: DateRange::ALL, digest: None };
        let taking = async {
            let mut count = 0;
            while arriving.recv().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
                count += 1;
            }
            count
        };
        let began = std::time::Instant::now();
        let fetching = async {
            let result = source.fetch(&request, &out).await;
            out.close();
            result
        };
        let (result, count) = tokio::join!(fetching, taking);
        result.expect("fetch");
        assert_eq!(count, 40);
        let elapsed = began.elapsed().as_secs_f64();
        let slowest = source.queries(NOW_US).iter().map(|query| query.seconds).fold(0.0, f64::max);
        assert!(elapsed > 0.35 && slowest < elapsed - 0.15, "{slowest} of {elapsed}");
    })
}

async fn finding(source: &Source) -> IndexFinding {
    source.index_finding().await.expect("asked").expect("a database")
}

/// The statement that makes the missing index, and an index that begins with the symbol only.
async fn missing(source: &Source) -> (String, Option<String>) {
    match finding(source).await.state {
        IndexState::Missing { create, symbol_only } => (create, symbol_only),
        other => panic!("{other:?}"),
    }
}

pub(super) fn a_missing_index_is_told_with_the_statement_that_makes_it(store: Store) -> Boxed {
    Box::pin(async move {
        // Names that need quotes.
        let columns = ["Ticker", "Trade Date", "Open Price", "High Price", "Low Price", "Close Price", "Volume"];
        let source = loaded(&store, &table_named("daily bars", &columns, three_symbols().rows)).await;
        if store.kind.is_file() {
            assert_eq!(source.index_finding().await.expect("asked"), None);
            assert_eq!(source.query_plan(QueryPurpose::Bars, &names(&["AAPL"]), false).await.expect("asked"), None);
            return;
        }
        let (create, symbol_only) = missing(&source).await;
        assert_eq!(symbol_only, None);
        let mark = if store.kind == Kind::MariaDb { '`' } else { '"' };
        for name in ["Ticker", "Trade Date", "daily bars"] {
            assert!(create.contains(&format!("{mark}{name}{mark}")), "{create}");
        }
        assert!(finding(&source).await.words().contains("daily bars has no index on (Ticker, Trade Date)"));
        // Neither the other way round nor the symbol alone is enough.
        let quoted = |name: &str| format!("{mark}{name}{mark}");
        let (table, symbol, date) = (quoted("daily bars"), quoted("Ticker"), quoted("Trade Date"));
        store.execute(&format!("CREATE INDEX late ON {table} ({date}, {symbol})"));
        assert_eq!(missing(&source).await.1, None);
        store.execute(&format!("CREATE INDEX symbols ON {table} ({symbol})"));
        assert_eq!(missing(&source).await.1.as_deref(), Some("symbols"));
        // Asking has made nothing; the statement does.
        store.execute(&missing(&source).await.0);
        let found = finding(&source).await;
        assert!(matches!(&found.state, IndexState::Present { name } if create.contains(name)), "{found:?}");
        assert_eq!(found.create_statement(), None);
        assert_eq!(fetch(&source, "AAPL").await.close.len(), 3);
    })
}

pub(super) fn keys_count_and_views_have_none(store: Store) -> Boxed {
    Box::pin(async move {
        if store.kind.is_file() {
            return;
        }
        store.execute(
            "CREATE TABLE keyed (symbol VARCHAR(20), date DATE, open DOUBLE PRECISION, high DOUBLE PRECISION, low DOUBLE PRECISION, \
             close DOUBLE PRECISION, volume DOUBLE PRECISION, PRIMARY KEY (symbol, date));
             INSERT INTO keyed VALUES ('AAPL', '2024-03-01', 1, 2, 0.5, 1.5, 100);
             CREATE VIEW seen AS SELECT * FROM keyed;",
        );
        let keyed = connect(&store.url("keyed", "")).await.expect("connect");
        assert!(matches!(finding(&keyed).await.state, IndexState::Present { .. }));
        let view = connect(&store.url("seen", "")).await.expect("connect");
        let found = finding(&view).await;
        assert_eq!(found.state, IndexState::View);
        assert!(found.words().contains("seen is a view"), "{}", found.words());
        if store.kind != Kind::MariaDb {
            // One that holds a part of the rows serves a part of the questions.
            store.execute("CREATE TABLE part AS SELECT * FROM keyed; CREATE INDEX partly ON part (symbol, date) WHERE close > 1;");
            let part = connect(&store.url("part", "")).await.expect("connect");
            assert_eq!(missing(&part).await.1, None);
        }
    })
}

pub(super) fn plans_are_told_as_the_database_tells_them(store: Store) -> Boxed {
    Box::pin(async move {
        if store.kind.is_file() {
            return;
        }
        let source = loaded(&store, &three_symbols()).await;
        let symbols = names(&["AAPL", "MSFT"]);
        let text = |plan: &QueryPlan| format!("{:?} {:?}", plan.columns, plan.rows);
        for purpose in QueryPurpose::ALL {
            let plan = source.query_plan(purpose, &symbols, false).await.expect("asked").expect("a plan");
            assert!(plan.purpose == purpose && !plan.analyzed && !plan.rows.is_empty(), "{plan:?}");
            assert!(plan.rows.iter().all(|row| row.len() == plan.columns.len()), "{plan:?}");
            assert!(text(&plan).contains("bars"), "{plan:?}");
        }
        assert!(source.queries(NOW_US).is_empty(), "planning is no query of the source");
        let ran = source.query_plan(QueryPurpose::Bars, &symbols, true).await.expect("asked").expect("a plan");
        let words = match store.kind {
            Kind::MariaDb => "r_rows",
            Kind::Postgres => "actual",
            _ => "SCAN",
        };
        assert!(text(&ran).contains(words), "{ran:?}");
        assert_eq!(ran.analyzed, store.kind != Kind::Sqlite);
        // Numbers of the plan are numbers.
        if store.kind == Kind::MariaDb {
            let place = ran.columns.iter().position(|column| column == "rows").expect("rows");
            assert!(ran.rows[0][place].parse::<u64>().is_ok(), "{ran:?}");
        }
        store.execute(&missing(&source).await.0);
        if store.kind == Kind::Sqlite {
            let plan = source.query_plan(QueryPurpose::Bars, &symbols, false).await.expect("asked").expect("a plan");
            assert!(text(&plan).contains("USING INDEX bars_symbol_date"), "{plan:?}");
        }
    })
}
