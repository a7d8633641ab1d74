//! Preheating: counts, reports, and that only what is not fresh is worked on.

use super::home::{Home, number};
use super::market;

#[test]
fn nothing_configured_and_no_display_preheats_the_sample_market_and_then_finds_it_fresh() {
    let home = Home::new();
    let first = home.run(&[]).ended(0);
    for word in [
        "sample:",
        "requested",
        "ok",
        "skipped",
        "without data",
        "failed",
        "rows",
        "bars",
        "features",
        "fetch",
        "compute",
        "write",
        "fresh",
        "cache",
    ] {
        assert!(first.out.contains(word), "`{word}` is not in the report: {}", first.out);
    }
    assert!(first.err.contains("preheating"), "progress is told on stderr: {}", first.err);
    let again = home.run(&["--json"]).ended(0).json();
    let symbols = number(&again, "/symbols/requested");
    assert!(symbols > 200, "{again:#}");
    assert_eq!(number(&again, "/symbols/skipped_fresh") + number(&again, "/symbols/no_data"), symbols, "{again:#}");
    assert_eq!((number(&again, "/symbols/ok"), number(&again, "/rows")), (0, 0));
    assert_eq!(number(&home.status(&[]), "/symbols"), number(&again, "/symbols/skipped_fresh"));
}

#[test]
fn the_json_of_preheat_and_status_agree() {
    let home = Home::with_market(&["AAPL", "BRK/B", "600519"], 90);
    let report = home.preheat(&["--symbols", "all"]);
    assert_eq!(number(&report, "/symbols/requested"), 3);
    assert_eq!(number(&report, "/symbols/ok"), 3);
    assert_eq!(number(&report, "/rows"), 270);
    for zero in ["skipped_fresh", "no_data", "failed"] {
        assert_eq!(number(&report, &format!("/symbols/{zero}")), 0);
    }
    for stage in ["total", "fetch", "compute", "write"] {
        assert!(report["seconds"][stage].as_f64().is_some_and(|seconds| seconds >= 0.0), "{report:#}");
    }
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(0));

    let status = home.status(&[]);
    assert_eq!((number(&status, "/symbols"), number(&status, "/rows")), (3, 270));
    assert_eq!(number(&status, "/bytes/bars"), number(&report, "/bytes/bars"));
    assert_eq!(number(&status, "/bytes/features"), number(&report, "/bytes/features"));
    assert_eq!(number(&status, "/bytes/total"), number(&report, "/bytes/bars") + number(&report, "/bytes/features"));
    assert!(number(&status, "/bytes/budget") > 0);
    assert_eq!((number(&status, "/ttl_secs"), status["ttl"].as_str()), (86_400, Some("24h")));
    assert_eq!(number(&status, "/states/fresh"), 6);
    for state in ["stale", "outdated", "damaged", "failed", "missing"] {
        assert_eq!(number(&status, &format!("/states/{state}")), 0);
    }
    for tier in ["memory", "disk", "shared", "miss"] {
        assert_eq!(number(&status, &format!("/hits/{tier}")), 0);
    }
    assert!(status["hits"]["rate"].is_null() && status["cache_dir"].is_string() && status.get("entries").is_none(), "{status:#}");
    let on_disk: u64 =
        ["bars-v1", "features-v1"].iter().flat_map(|tree| home.files(tree)).map(|path| path.metadata().expect("file").len()).sum();
    assert_eq!(number(&status, "/bytes/total"), on_disk);

    let status = home.status(&["BRK/B", "NOSUCH"]);
    let entries = status["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), 3);
    assert_eq!((entries[0]["dataset"].as_str(), entries[0]["state"].as_str()), (Some("bars"), Some("fresh")));
    assert_eq!((entries[0]["first"].as_str(), entries[0]["last"].as_str()), (Some("2020-01-01"), Some("2020-03-30")));
    assert_eq!((number(&entries[1], "/rows"), entries[1]["dataset"].as_str()), (90, Some("classic")));
    assert!(entries[0]["history_verified_at"].is_string() && entries[1]["history_verified_at"].is_null());
    assert!(entries[1]["definition_hash"].is_string() && number(&entries[1], "/ttl_left_secs") > 80_000);
    assert!(std::path::Path::new(entries[1]["path"].as_str().expect("path")).exists());
    assert_eq!((entries[2]["symbol"].as_str(), entries[2]["state"].as_str()), (Some("NOSUCH"), Some("missing")));
}

#[test]
fn only_what_is_not_fresh_is_worked_on() {
    let names = market::names(10);
    let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = Home::with_market(&symbols, 40);
    let ok_and_skipped = |report: &serde_json::Value| (number(report, "/symbols/ok"), number(report, "/symbols/skipped_fresh"));
    assert_eq!(ok_and_skipped(&home.preheat(&[])), (10, 0));
    assert_eq!(ok_and_skipped(&home.preheat(&[])), (0, 10), "the second run finds everything fresh");

    let changed = home.run(&["invalidate", "S0001", "S0004", "S0007", "--json"]).ended(0).json();
    assert_eq!(number(&changed, "/entries"), 6);
    assert_eq!(number(&home.status(&[]), "/states/stale"), 6);
    assert_eq!(ok_and_skipped(&home.preheat(&[])), (3, 7), "three were invalidated");

    std::fs::remove_file(home.file("bars-v1", "S0002")).expect("remove");
    assert_eq!(ok_and_skipped(&home.preheat(&[])), (1, 9), "one bars file was removed");
    std::fs::remove_file(home.file("features-v1", "S0003")).expect("remove");
    let report = home.preheat(&[]);
    assert_eq!((ok_and_skipped(&report), number(&report, "/bytes/bars")), ((1, 9), 0), "one features file was removed");

    assert_eq!(ok_and_skipped(&home.preheat(&["--ttl", "0s"])), (10, 0), "no time to live: everything is over");
    assert_eq!(ok_and_skipped(&home.preheat(&["--force"])), (10, 0));
    assert_eq!(number(&home.status(&["--ttl", "0s"]), "/states/stale"), 20);
    assert_eq!(number(&home.status(&[]), "/states/fresh"), 20);
}

#[test]
fn check_asks_the_source_and_writes_only_what_changed() {
    let home = Home::with_market(&["A", "B"], 50);
    home.preheat(&[]);
    market::execute(
        &home.market(),
        &format!("UPDATE {} SET close = close + 0.25 WHERE symbol = 'B' AND trade_date = '2020-01-20'", market::TABLE),
    );
    let before = std::fs::read(home.file("bars-v1", "A")).expect("bars");
    let report = home.preheat(&["--check"]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/symbols/skipped_fresh")), (2, 0));
    let written = std::fs::metadata(home.file("bars-v1", "B")).expect("bars").len();
    assert_eq!(number(&report, "/bytes/bars"), written, "only B is written again");
    assert_eq!(std::fs::read(home.file("bars-v1", "A")).expect("bars"), before);
    assert_eq!(number(&home.status(&[]), "/states/fresh"), 4);
}

#[test]
fn bars_only_features_only_limit_symbols_and_dates_do_what_they_say() {
    let home = Home::with_market(&["ALL", "B", "C", "D"], 60);
    let report = home.preheat(&["--kline-only", "--limit", "2"]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/bytes/features")), (2, 0));
    let report = home.preheat(&["--features-only"]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/bytes/bars")), (2, 0), "those with bars get features: {report:#}");
    let report = home.preheat(&["--symbols", "ALL,C"]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/symbols/skipped_fresh")), (1, 1), "ALL is a ticker, all is everything");
    let report = home.preheat(&["--symbols", "D", "--start-date", "2020-02-01", "--end-date", "2020-02-10"]);
    assert_eq!(number(&report, "/rows"), 10);
    let entries = home.status(&["D"]);
    assert_eq!((entries["entries"][0]["first"].as_str(), entries["entries"][0]["last"].as_str()), (Some("2020-02-01"), Some("2020-02-10")));
    // A wider range than the cached one has to be fetched, a narrower one has not.
    assert_eq!(number(&home.preheat(&["--symbols", "D", "--start-date", "2020-02-03"]), "/symbols/ok"), 1);
    assert_eq!(number(&home.preheat(&["--symbols", "D", "--start-date", "2020-02-05"]), "/symbols/skipped_fresh"), 1);
    assert_eq!(number(&home.preheat(&[]), "/rows"), 60, "only D was there in part");
}

#[test]
fn one_bad_symbol_is_listed_and_never_stops_the_rest() {
    let home = Home::with_market(&["GOOD", "BAD", "LATE"], 30);
    market::execute(&home.market(), &format!("UPDATE {} SET close = NULL WHERE symbol = 'BAD'", market::TABLE));
    let ran = home.run_on_market(&["preheat", "--json"]).ended(2);
    let report = ran.json();
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/symbols/failed")), (2, 1));
    assert_eq!(report["failures"][0]["symbol"], "BAD");
    assert!(report["failures"][0]["error"].as_str().is_some_and(|error| error.contains("price")), "{report:#}");
    assert_eq!(number(&home.status(&[]), "/states/failed"), 1);
    let text = home.run_on_market(&["preheat"]).ended(2).out;
    assert!(text.contains("BAD: ") && text.contains("1 failed"), "{text}");

    let ran = home.run_on_market(&["preheat", "--symbols", "GOOD,NOSUCH", "--json"]).ended(0).json();
    assert_eq!((number(&ran, "/symbols/skipped_fresh"), number(&ran, "/symbols/no_data")), (1, 1));
}

#[test]
fn the_trees_can_lie_elsewhere_under_both_names() {
    let home = Home::with_market(&["A"], 30);
    let (bars, features) = (home.path("fast bars"), home.path("fast features"));
    let folders = ["--kline-cache-dir", bars.to_str().expect("text"), "--features-cache-dir", features.to_str().expect("text")];
    home.preheat(&folders);
    assert!(bars.join("bars-v1").is_dir() && features.join("features-v1").is_dir());
    assert!(!home.cache().join("bars-v1").exists());
    home.run(&[&["get", "A", "--format", "csv"][..], &folders].concat()).ended(0);
    home.run(&[&["verify"][..], &folders].concat()).ended(0);
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_cleanly_and_what_was_finished_stays() {
    let names = market::names(400);
    let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = Home::with_market(&symbols, 250);
    let source = home.source();
    let mut child = home
        .command(&["--source", &source, "preheat", "--json", "--jobs", "1"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("spawn");
    while home.files("features-v1").len() < 5 {
        assert!(child.try_wait().expect("child").is_none(), "it ended before it could be interrupted");
        std::thread::yield_now();
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let output = child.wait_with_output().expect("end");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one report");
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cancelled"));
    let done = number(&report, "/symbols/ok");
    assert!(done > 0 && done < 400 && report["cancelled"] == true, "{report:#}");
    assert_eq!(number(&home.status(&[]), "/symbols"), done);
    home.run(&["verify"]).ended(0);
    let report = home.preheat(&[]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/symbols/skipped_fresh")), (400 - done, done));
}

#[test]
fn one_of_the_users_lists_is_preheated_and_refreshed() {
    let home = Home::with_market(&["AAPL", "BRK/B", "600519"], 30);
    std::fs::write(home.path("lists.toml"), "[[lists]]\nname = \"mine\"\nsymbols = [\"BRK/B\", \"600519\"]\n").expect("lists");
    let report = home.preheat(&["--list", "mine"]);
    assert_eq!((number(&report, "/symbols/requested"), number(&report, "/symbols/ok")), (2, 2), "{report:#}");
    let again = home.run_on_market(&["--json", "refresh", "--list", "mine"]).ended(0).json();
    assert_eq!(number(&again, "/entries"), 4, "{again:#}");
    home.run_on_market(&["preheat", "--list", "nothing"]).ended(64).says(&["there is no list nothing", "mine"]);
    home.run_on_market(&["clear", "--list", "mine", "--all"]).ended(64);
    let cleared = home.run_on_market(&["--json", "clear", "--list", "mine"]).ended(0).json();
    assert_eq!(number(&cleared, "/entries"), 4, "{cleared:#}");
}
