//! Trouble a user meets: each gets a message that says what, which thing, and what to do; the rest of the job goes on.

use super::home::{Home, number};
use super::market;

#[test]
fn a_missing_table_column_file_or_an_empty_table_is_explained() {
    let home = Home::with_market(&["A"], 10);
    let database = home.market();
    market::execute(
        &database,
        "CREATE TABLE hollow AS SELECT * FROM stock_kline_data WHERE 0; CREATE TABLE lame AS SELECT symbol, trade_date, open, high, low, volume FROM stock_kline_data;",
    );
    let cases = [
        (format!("sqlite:{}?table=nosuch", database.display()), "nosuch"),
        (format!("sqlite:{}?table=lame", database.display()), "close"),
        (format!("sqlite:{}?table=hollow", database.display()), "hollow"),
        (format!("sqlite:{}?table=stock_kline_data&close=px_last", database.display()), "px_last"),
        (format!("sqlite:{}", home.path("nosuch.db").display()), "nosuch.db"),
        (format!("files:{}", home.path("nosuch").display()), "nosuch"),
    ];
    for (source, thing) in cases {
        let ran = home.run(&["preheat", "--source", &source]).ended(1).says(&["error: ", thing, ";"]);
        assert!(!ran.err.contains("panicked"), "{ran:?}");
        let test = home.run(&["source", "test", "--source", &source, "--json"]);
        if !source.contains("hollow") {
            let test = test.ended(1).json();
            assert_eq!(test["passed"], false, "{test:#}");
            assert!(test["stages"].as_array().expect("stages").iter().any(|stage| stage["what_to_do"].is_string()), "{test:#}");
        }
    }
}

#[test]
fn a_working_source_passes_its_test_and_lists_its_symbols() {
    let home = Home::with_market(&["A", "B/C"], 10);
    let passed = home.run_on_market(&["source", "test", "--json"]).ended(0).json();
    assert_eq!((passed["passed"].as_bool(), passed["table"].as_str()), (Some(true), Some("stock_kline_data")));
    assert_eq!(passed["columns"]["close"], "close");
    assert!(passed["preview"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()));
    let text = home.run(&["source", "test", &home.source()]).ended(0).out;
    assert!(text.contains("ok") && text.contains("stock_kline_data") && !text.contains('✓'), "{text}");
    let symbols = home.run_on_market(&["source", "symbols", "--json"]).ended(0).json();
    assert_eq!(symbols[1], serde_json::json!({ "symbol": "B/C", "first": "2020-01-01", "last": "2020-01-10", "bars": 10 }));
    assert!(home.run_on_market(&["source", "symbols"]).ended(0).out.contains("B/C"));
}

#[test]
fn bad_rows_are_dropped_and_counted_and_odd_names_are_names() {
    let long = "株".repeat(200);
    let names = ["CON", "a/b", "..", "ß", long.as_str(), "GAPS", "MESS", "con", "A.", "-x"];
    let home = Home::with_market(&names, 20);
    market::execute(
        &home.market(),
        &format!(
            "UPDATE {table} SET open = NULL WHERE symbol = 'GAPS' AND trade_date = '2020-01-05';
             UPDATE {table} SET high = 'NaN' WHERE symbol = 'GAPS' AND trade_date = '2020-01-06';
             INSERT INTO {table} SELECT symbol, trade_date, open, high, low, close + 0.125, volume FROM {table}
                 WHERE symbol = 'MESS' AND trade_date IN ('2020-01-03', '2020-01-04');
             UPDATE {table} SET volume = NULL WHERE symbol = 'MESS' AND trade_date = '2020-01-09';",
            table = market::TABLE
        ),
    );
    let report = home.preheat(&[]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/symbols/failed")), (10, 0), "{report:#}");
    for name in names {
        let rows = home.run(&["get", "--bars", "--json", "--", name]).ended(0).json();
        let expected = if name == "GAPS" { 18 } else { 20 };
        assert_eq!(rows.as_array().map(Vec::len), Some(expected), "{name}");
    }
    let status = home.status(&["GAPS", "MESS"]);
    assert_eq!(number(&status, "/entries/0/quality/missing_price"), 2, "{status:#}");
    assert_eq!(
        (number(&status, "/entries/2/quality/duplicate_time"), number(&status, "/entries/2/quality/missing_volume")),
        (2, 1),
        "{status:#}"
    );
    assert_eq!(home.files("bars-v1").len(), 10);
    let outside = std::fs::read_dir(home.folder.path()).expect("home").count();
    assert!(outside <= 6, "no file left the cache folder");
    home.run(&["verify"]).ended(0);
}

#[test]
fn a_cache_folder_that_cannot_be_written_is_explained() {
    let home = Home::with_market(&["A"], 10);
    std::fs::write(home.path("a-file"), b"in the way").expect("write");
    let folder = home.path("a-file").join("cache");
    let folder = folder.to_str().expect("text");
    for command in [&["preheat"][..], &["status"], &["verify"], &["get", "A"]] {
        home.run_on_market(&[command, &["--cache-dir", folder]].concat()).ended(1).says(&[
            "error: ",
            "a-file",
            "cannot be written",
            "--cache-dir",
        ]);
    }
    // A features tree that cannot be written: the job stops with the reason, bars written before stay good.
    home.run_on_market(&["preheat", "--features-cache-dir", folder]).ended(1).says(&["a-file"]);
}

#[test]
fn a_damaged_settings_file_is_explained_and_left_alone() {
    let home = Home::with_market(&["A"], 10);
    let settings = home.path("settings.toml");
    let damaged = "ttl = \"24h\"\nsource = [broken\n";
    std::fs::write(&settings, damaged).expect("write");
    for command in [&["preheat"][..], &["status"], &["get", "A"], &[]] {
        home.run_on_market(command).ended(1).says(&["settings.toml", "line 2", "Fix it"]);
    }
    assert_eq!(std::fs::read_to_string(&settings).expect("settings"), damaged);
    std::fs::write(&settings, "ttl = \"soon\"\n").expect("write");
    home.run(&["status"]).ended(1).says(&["settings.toml", "24h"]);
    std::fs::write(&settings, "source = \"gone\"\n").expect("write");
    home.run(&["preheat"]).ended(1).says(&["gone", "--source"]);
}

#[test]
fn settings_are_used() {
    let home = Home::with_market(&["A"], 10);
    let text = format!(
        "source = \"mine\"\nttl = \"7d\"\ndisk_budget_bytes = 5000000\n[[sources]]\nname = \"mine\"\nurl = \"{}\"\n",
        home.source()
    );
    std::fs::write(home.path("settings.toml"), text).expect("write");
    assert_eq!(number(&home.run(&["--json"]).ended(0).json(), "/symbols/ok"), 1, "`samovar` alone preheats what is configured");
    let status = home.status(&[]);
    assert_eq!((number(&status, "/ttl_secs"), number(&status, "/bytes/budget")), (7 * 86_400, 5_000_000));
    // A budget that cannot hold what is asked for: it stops there, says what to do, and keeps to the budget.
    let settings = home.path("settings.toml");
    let small = std::fs::read_to_string(&settings).expect("settings").replace("5000000", "5");
    std::fs::write(&settings, small).expect("write");
    home.run(&["clear", "--all"]).ended(0);
    home.run(&["preheat"]).ended(1).says(&["budget", "5 B", "settings"]);
    assert_eq!(number(&home.status(&[]), "/symbols"), 0);
}

#[test]
fn times_to_live_follow_rules_and_wrong_rules_are_explained() {
    let home = Home::with_market(&["0700.HK", "AAPL", "000001"], 10);
    let text = format!(
        "source = \"mine\"\n[[sources]]\nname = \"mine\"\nurl = \"{}\"\n\
         [[ttl_rules]]\nsymbols = \"*.hk\"\nttl = \"market-close\"\n\
         [[ttl_rules]]\nsource = \"mine\"\nsymbols = \"A*\"\nttl = 48\nexchange = \"XNYS\"\n\
         [[ttl_rules]]\nsymbols = \"*\"\nexchange = \"Atlantis\"\n",
        home.source()
    );
    std::fs::write(home.path("settings.toml"), text).expect("write");
    let ran = home.run(&["preheat", "--json"]).ended(0).says(&["Rule 3", "Atlantis", "XNYS", "settings.toml"]);
    assert_eq!(ran.err.matches("Rule 3").count(), 1, "told once: {}", ran.err);
    let status = home.status(&["0700.HK", "AAPL", "000001"]);
    assert_eq!((number(&status, "/ttl_secs"), status["ttl"].as_str()), (86_400, Some("24h")));
    let of = |symbol: &str| {
        let entries = status["entries"].as_array().expect("entries");
        let entry = entries.iter().find(|entry| entry["symbol"] == symbol && entry["dataset"] == "bars").expect(symbol);
        (entry["ttl"].as_str().expect("ttl").to_owned(), entry["exchange"].as_str().expect("exchange").to_owned())
    };
    assert_eq!(of("0700.HK"), ("market-close".to_owned(), "XHKG".to_owned()));
    assert_eq!(of("AAPL"), ("2d".to_owned(), "XNYS".to_owned()));
    assert_eq!(of("000001"), ("24h".to_owned(), "XSHG".to_owned()));
    // What is said on the command line stands above the rules.
    let status = home.status(&["--ttl", "market-close", "AAPL"]);
    assert_eq!((status["ttl"].as_str(), status["ttl_secs"].as_u64()), (Some("market-close"), None));
    assert_eq!(status["entries"][0]["ttl"], "market-close");
    let expires = status["entries"][0]["expires_at"].as_str().expect("a time");
    // New York closes at 16:00 or 13:00; fifteen minutes later is 17:15, 18:15, 20:15 or 21:15 in UTC.
    assert!(["T17:15:00Z", "T18:15:00Z", "T20:15:00Z", "T21:15:00Z"].iter().any(|time| expires.ends_with(time)), "{expires}");
}

#[test]
fn a_truncated_cached_file_is_made_again_and_the_rest_is_left_alone() {
    let home = Home::with_market(&["A", "B"], 60);
    home.preheat(&[]);
    let path = home.file("bars-v1", "A");
    let bytes = std::fs::read(&path).expect("file");
    std::fs::write(&path, &bytes[..bytes.len() / 3]).expect("write");
    let report = home.preheat(&[]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/symbols/skipped_fresh")), (1, 1));
    home.run(&["verify"]).ended(0);
}
