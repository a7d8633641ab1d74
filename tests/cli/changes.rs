//! Invalidate, refresh, clear and undo.

use super::home::{Home, number};
use super::market;

#[test]
fn cleared_entries_come_back() {
    let home = Home::with_market(&["A", "B", "C"], 30);
    home.preheat(&[]);
    let before = home.status(&[]);
    let cleared = home.run(&["clear", "A", "B", "--json"]).ended(0).json();
    assert_eq!(number(&cleared, "/entries"), 4);
    assert!(number(&cleared, "/bytes") > 0);
    assert_eq!(number(&home.status(&[]), "/symbols"), 1);
    assert_eq!(home.files("bars-v1").len(), 1);
    home.run(&["get", "A"]).ended(1).says(&["not cached"]);
    let restored = home.run(&["clear", "--undo", "--json"]).ended(0).json();
    assert_eq!((number(&restored, "/entries"), number(&restored, "/bytes")), (4, number(&cleared, "/bytes")));
    let after = home.status(&[]);
    assert_eq!(
        (&after["symbols"], &after["bytes"]["total"], &after["states"]),
        (&before["symbols"], &before["bytes"]["total"], &before["states"])
    );
    home.run(&["verify"]).ended(0);
    home.run(&["clear", "--undo"]).ended(1).says(&["nothing to restore"]);
}

#[test]
fn parts_can_be_chosen() {
    let home = Home::with_market(&["A", "B"], 30);
    home.preheat(&[]);
    let entries = |arguments: &[&str]| number(&home.run(&[arguments, &["--json"]].concat()).ended(0).json(), "/entries");
    assert_eq!(entries(&["invalidate", "A", "--bars"]), 1);
    assert_eq!(entries(&["invalidate", "--all", "--features"]), 2);
    assert_eq!(entries(&["invalidate", "--all"]), 4);
    assert_eq!(entries(&["clear", "--all", "--set", "classic"]), 2);
    assert_eq!(entries(&["clear", "--all", "--set", "nosuch"]), 0);
    assert_eq!(home.files("features-v1").len(), 0);
    assert_eq!(number(&home.status(&[]), "/symbols"), 2);
}

#[test]
fn only_expired_entries_are_cleared_when_asked() {
    let home = Home::with_market(&["A", "B"], 30);
    home.preheat(&[]);
    home.run(&["invalidate", "B"]).ended(0);
    assert_eq!(number(&home.run(&["clear", "--expired", "--json"]).ended(0).json(), "/entries"), 2);
    assert_eq!(number(&home.status(&[]), "/states/fresh"), 2);
    assert_eq!(number(&home.run(&["clear", "--expired", "--ttl", "0s", "--json"]).ended(0).json(), "/entries"), 2);
}

#[test]
fn unknown_symbols_are_named_and_the_others_still_done() {
    let home = Home::with_market(&["AAPL", "B"], 30);
    home.preheat(&[]);
    for command in ["invalidate", "clear"] {
        let ran = home.run(&[command, "AAPLE", "B", "--json"]).ended(1).says(&["AAPLE is not cached", "did you mean AAPL?"]);
        let json = ran.json();
        assert_eq!(number(&json, "/entries"), 2, "{command}");
        assert_eq!(json["errors"].as_array().map(Vec::len), Some(1));
    }
    let ran = home.run_on_market(&["refresh", "NOSUCH", "AAPL", "--json"]).ended(1).says(&["NOSUCH"]);
    assert_eq!(number(&ran.json(), "/entries"), 2);
}

#[test]
fn the_trash_can_be_emptied_and_is_gone_then() {
    let home = Home::with_market(&["A", "B"], 30);
    home.preheat(&[]);
    home.run(&["clear", "A"]).ended(0).says(&["--undo", "--empty-trash"]);
    let emptied = home.run(&["clear", "--empty-trash", "--json"]).ended(0).json();
    assert_eq!(number(&emptied, "/entries"), 2);
    assert!(number(&emptied, "/bytes") > 1_000);
    assert_eq!(number(&home.status(&[]), "/bytes/trash"), 0);
    home.run(&["clear", "--undo"]).ended(1).says(&["nothing to restore"]);
    home.run(&["get", "B", "--bars"]).ended(0);
    home.run(&["verify"]).ended(0);
}

#[test]
fn refresh_fetches_again_whatever_the_state() {
    let home = Home::with_market(&["A", "B"], 30);
    home.preheat(&[]);
    market::execute(&home.market(), &format!("UPDATE {} SET close = close + 0.25 WHERE trade_date = '2020-01-30'", market::TABLE));
    // The source is remembered from the first preheat.
    let ran = home.run(&["refresh", "A", "--json"]).ended(0).json();
    assert_eq!(number(&ran, "/entries"), 2);
    let last = |symbol: &str| {
        let rows = home.run(&["get", symbol, "--json"]).ended(0).json();
        rows[29]["close"].as_f64().expect("close")
    };
    assert_eq!(last("A"), market::bar_of("A", 29).3 + 0.25);
    assert_eq!(last("B"), market::bar_of("B", 29).3, "B was not meant");
    let features = home.file("features-v1", "B");
    std::fs::remove_file(&features).expect("remove");
    assert_eq!(number(&home.run(&["refresh", "--all", "--features", "--json"]).ended(0).json(), "/entries"), 2);
    assert!(features.exists());
    assert_eq!(number(&home.run(&["refresh", "--all", "--json"]).ended(0).json(), "/entries"), 4);
    assert_eq!(last("B"), market::bar_of("B", 29).3 + 0.25);
}

#[test]
fn a_refresh_that_fails_keeps_what_is_there() {
    let home = Home::with_market(&["A", "B"], 30);
    home.preheat(&[]);
    market::execute(&home.market(), &format!("UPDATE {} SET close = NULL WHERE symbol = 'A'", market::TABLE));
    home.run(&["refresh", "--all"]).ended(2).says(&["A: ", "price"]);
    let status = home.status(&["A"]);
    assert_eq!(status["entries"][0]["state"], "failed");
    assert!(status["entries"][0]["failure"].as_str().is_some_and(|reason| reason.contains("price")));
    assert_eq!(number(&status, "/symbols"), 2);
    let ran = home.run(&["get", "A", "--bars", "--format", "csv"]).ended(0).says(&["warning", "failed"]);
    assert_eq!(ran.out.lines().count(), 31);
}

#[test]
fn status_of_a_symbol_tells_what_is_worth_a_look_in_its_bars() {
    let home = Home::with_market(&["A", "B", "C", "D"], 60);
    let day = market::date_of(20);
    rusqlite::Connection::open(home.market())
        .and_then(|market| market.execute(&format!("DELETE FROM {} WHERE symbol = 'B' AND trade_date = '{day}'", market::TABLE), []))
        .expect("deleted");
    home.preheat(&[]);
    let found = &home.status(&["B"])["findings"][0];
    assert_eq!((found["symbol"].as_str(), number(found, "/counts/gaps"), number(found, "/sessions_behind")), (Some("B"), 1, 0));
    let first = &found["findings"][0];
    assert_eq!((first["kind"].as_str(), first["from"].as_str(), number(first, "/others_have")), (Some("gap"), Some(day.as_str()), 1));
    let told = home.run(&["status", "A", "B"]).ended(0).out;
    assert!(told.contains("A bars: nothing to note") && told.contains(&format!("{day}  1 session without a bar")), "{told}");
    assert!(home.status(&[]).get("findings").is_none());
}
