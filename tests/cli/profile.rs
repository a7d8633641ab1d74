//! `samovar source profile`: timings, plans and advice, from a small read and from what was recorded.

use super::home::Home;
use super::market;
use serde_json::Value;

fn purposes(json: &Value) -> Vec<&str> {
    let mut found: Vec<&str> = json["queries"].as_array().expect("queries").iter().filter_map(|query| query["purpose"].as_str()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn a_profile_times_each_query_and_says_that_an_index_serves_them() {
    let names = market::names(20);
    let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = Home::with_market(&symbols, 60);
    let json = home.run_on_market(&["source", "profile", "--json"]).ended(0).json();
    assert_eq!(purposes(&json), ["bars", "digests", "preview", "symbols"]);
    let queries = json["queries"].as_array().expect("queries");
    let seconds: Vec<f64> = queries.iter().map(|query| query["seconds"].as_f64().expect("seconds")).collect();
    assert!(seconds.windows(2).all(|pair| pair[0] >= pair[1]), "slowest first: {seconds:?}");
    let bars = queries.iter().find(|query| query["purpose"] == "bars").expect("bars");
    assert_eq!(bars["rows"], 8 * 60, "eight symbols unless told otherwise");
    for field in ["statement", "about", "began", "first_row_seconds", "bytes", "rows_per_second", "bytes_per_second"] {
        assert!(!bars[field].is_null(), "{field}: {bars:#}");
    }
    assert!(bars["error"].is_null());
    // Spread over the list, not its beginning.
    assert_eq!((json["symbols"][0].as_str(), json["symbols"][7].as_str()), (Some("S0000"), Some("S0017")));
    assert_eq!(json["index"]["index"], "present", "{json:#}");
    assert_eq!(json["plans"].as_array().expect("plans").len(), 3);

    let named = home.run_on_market(&["source", "profile", "--json", "--symbols", "S0003,S0004,S0005", "--limit", "2"]).ended(0).json();
    assert_eq!(named["symbols"], serde_json::json!(["S0003", "S0004"]));
    assert_eq!(purposes(&named), ["bars", "digests", "preview"], "named symbols need no list");

    let text = home.run_on_market(&["source", "profile"]).ended(0).out;
    for part in ["rows/s", "Read bars", "SELECT", "as the database plans it", "has an index that begins with (symbol, trade_date)"] {
        assert!(text.contains(part), "`{part}`: {text}");
    }
    home.run_on_market(&["source", "profile", "--symbols", ","]).ended(64);
}

#[test]
fn a_missing_index_is_told_with_its_statement_and_never_made() {
    let home = Home::with_market(&["A", "B"], 30);
    market::execute(&home.market(), "DROP INDEX by_symbol");
    let before = std::fs::read(home.market()).expect("market");
    let text = home.run_on_market(&["source", "profile"]).ended(0).out;
    let create = "CREATE INDEX \"stock_kline_data_symbol_trade_date\" ON \"stock_kline_data\" (\"symbol\", \"trade_date\");";
    assert!(text.contains(create) && text.contains("has no index on (symbol, trade_date)"), "{text}");
    assert_eq!(std::fs::read(home.market()).expect("market"), before, "the source is as it was");
    market::execute(&home.market(), create);
    let json = home.run_on_market(&["source", "profile", "--json"]).ended(0).json();
    assert_eq!(json["index"]["index"], "present", "{json:#}");
}

#[test]
fn what_preheats_asked_is_recorded() {
    let home = Home::with_market(&["A", "B", "C"], 30);
    let empty = home.run_on_market(&["source", "profile", "--recorded", "--json"]).ended(0).json();
    assert_eq!(empty["queries"], serde_json::json!([]));
    home.run_on_market(&["source", "profile", "--recorded"]).ended(0).says(&["nothing was recorded"]);
    home.preheat(&[]);
    let json = home.run_on_market(&["source", "profile", "--recorded", "--json"]).ended(0).json();
    assert!(purposes(&json).contains(&"bars") && purposes(&json).contains(&"symbols"), "{json:#}");
    assert_eq!(json["index"]["index"], "present", "{json:#}");
    let one = home.run_on_market(&["source", "profile", "--recorded", "--limit", "1", "--json"]).ended(0).json();
    assert_eq!(one["queries"].as_array().expect("queries").len(), 1);
    let text = home.run_on_market(&["source", "profile", "--recorded"]).ended(0).out;
    assert!(text.contains("Read bars") && text.contains("SELECT"), "{text}");
    // With everything fresh nothing is asked, and nothing recorded.
    home.preheat(&[]);
    assert_eq!(home.run_on_market(&["source", "profile", "--recorded", "--json"]).ended(0).json(), json);
}

#[test]
fn files_and_the_sample_have_their_timings_too() {
    let home = Home::new();
    let sample = home.run(&["source", "profile", "--source", "sample:", "--json"]).ended(0).json();
    assert_eq!(sample["index"]["index"], "present", "{sample:#}");
    let rows: String = (1..=9).map(|day| format!("2024-01-0{day},1,2,0.5,1.5,100\n")).collect();
    std::fs::write(home.path("AAPL.csv"), format!("date,open,high,low,close,volume\n{rows}")).expect("file");
    let source = format!("files:{}", home.path("AAPL.csv").display());
    let files = home.run(&["source", "profile", "--source", &source, "--json"]).ended(0).json();
    assert!(files["index"].is_null() && files["plans"].as_array().expect("plans").is_empty(), "{files:#}");
    assert!(files["queries"].as_array().expect("queries").iter().any(|query| query["rows"] == 9), "{files:#}");
}
