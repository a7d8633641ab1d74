//! Symbols at a glance: what was listed before, with the times it has now, or nothing where there may be more to it.

use super::*;

const COLUMNS: &str = "open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE";

#[test]
fn the_same_symbols_are_seen_without_counting_and_others_are_not_missed() {
    let Some(store) = Store::new(Kind::MariaDb) else { return };
    let make = |name: &str, symbol: &str, date: &str, index: bool| {
        store.execute(&format!("CREATE TABLE {name} (symbol {symbol}, trade_date {date}, {COLUMNS})"));
        if index {
            store.execute(&format!("CREATE INDEX by_symbol ON {name} (symbol, trade_date)"));
        }
        for number in 0..40 {
            let days = if date == "INT" { ["20240301", "20240304", "20240305"] } else { ["'2024-03-01'", "'2024-03-04'", "'2024-03-05'"] };
            let rows = days.map(|day| format!("('S{number:02}', {day}, 1, 2, 0.5, 1.5, 100)")).join(", ");
            store.execute(&format!("INSERT INTO {name} VALUES {rows}"));
        }
        store.execute(&format!("ANALYZE TABLE {name}"));
    };
    runtime().block_on(async {
        for (name, date, next) in [("days", "DATE", "'2024-03-06'"), ("numbers", "INT", "20240306")] {
            make(name, "VARCHAR(20)", date, true);
            let source = connect(&store.url(name, "")).await.expect("connect");
            let listed = source.symbols().await.expect("symbols");
            assert_eq!(source.symbols_at_a_glance(&listed).await.expect("glance").as_ref(), Some(&listed), "{name}");
            store.execute(&format!("INSERT INTO {name} VALUES ('S07', {next}, 1, 2, 0.5, 1.5, 100)"));
            let seen = source.symbols_at_a_glance(&listed).await.expect("glance").expect("the same symbols");
            let changed: Vec<_> = seen.iter().zip(&listed).filter(|(now, before)| now != before).collect();
            let [(now, before)] = changed[..] else { panic!("one has another last day: {changed:?}") };
            assert_eq!((now.symbol.as_str(), now.bar_count, now.first_us), ("S07", before.bar_count, before.first_us));
            assert_eq!(now.last_us, Some(micros("2024-03-06")));
            // One more, one less, and one that the collation takes for another.
            store.execute(&format!("INSERT INTO {name} VALUES ('NEW', {next}, 1, 2, 0.5, 1.5, 100)"));
            assert_eq!(source.symbols_at_a_glance(&listed).await.expect("glance"), None, "{name}");
            store.execute(&format!("DELETE FROM {name} WHERE symbol IN ('NEW', 'S09')"));
            assert_eq!(source.symbols_at_a_glance(&listed).await.expect("glance"), None, "{name}");
            store.execute(&format!("INSERT INTO {name} VALUES ('s11', {next}, 1, 2, 0.5, 1.5, 100)"));
            let alike = source.symbols().await.expect("symbols");
            assert_eq!(alike.len(), 40, "{name}: S11 and s11 are two");
            assert_eq!(source.symbols_at_a_glance(&alike).await.expect("glance"), None, "{name}");
        }
        make("scanned", "VARCHAR(20)", "DATE", false);
        let source = connect(&store.url("scanned", "")).await.expect("connect");
        let listed = source.symbols().await.expect("symbols");
        assert_eq!(source.symbols_at_a_glance(&listed).await.expect("glance"), None, "without an index it would take as long as counting");
    });
}
