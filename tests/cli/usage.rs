//! Wrong usage ends with 64 and an explanation; help, completions and sets.

use super::home::{Home, number};

#[test]
fn wrong_usage_ends_with_64_and_says_what_is_wrong() {
    let home = Home::with_market(&["A"], 10);
    let cases: [(&[&str], &str); 17] = [
        (&["nosuch"], "nosuch"),
        (&["preheat", "--nosuch"], "--nosuch"),
        (&["preheat", "--ttl", "soon"], "24h"),
        (&["preheat", "--start-date", "tomorrow"], "2024-03-01"),
        (&["preheat", "--start-date", "2021-01-01", "--end-date", "2020-01-01"], "after the end date"),
        (&["preheat", "--limit", "0"], "--limit"),
        (&["preheat", "--jobs", "many"], "--jobs"),
        (&["preheat", "--kline-only", "--features-only"], "--features-only"),
        (&["preheat", "--symbols", "all,A"], "not both"),
        (&["get"], "SYMBOL"),
        (&["get", "A", "--format", "xls"], "xls"),
        (&["get", "A", "--end-date", "2020-02-30"], "no date"),
        (&["get", "A", "--json", "--format", "csv"], "--output"),
        (&["invalidate"], "--all"),
        (&["refresh"], "--all"),
        (&["clear"], "--all"),
        (&["clear", "--undo", "A"], "--undo"),
    ];
    for (arguments, word) in cases {
        let ran = home.run_on_market(arguments).ended(64).says(&["error", word]);
        assert_eq!(ran.out, "", "{arguments:?}");
    }
    home.run(&["preheat", "--source", "market.db"]).ended(64).says(&["no source URL", "sqlite:FILE"]);
    home.run(&["preheat"]).ended(1).says(&["no source is configured", "--source sample:"]);
}

#[test]
fn help_and_version_go_to_stdout_and_end_well() {
    let home = Home::new();
    let help = home.run(&["--help"]).ended(0);
    for word in [
        "preheat",
        "status",
        "get",
        "invalidate",
        "refresh",
        "clear",
        "verify",
        "sets",
        "source",
        "completions",
        "SAMOVAR_SOURCE_PASSWORD",
        "64",
    ] {
        assert!(help.out.contains(word), "{word}");
    }
    assert!(home.run(&["--version"]).ended(0).out.starts_with("samovar "));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(home.run(&["completions", shell]).ended(0).out.contains("samovar"));
    }
}

#[test]
fn a_password_is_never_repeated() {
    let home = Home::new();
    let secret = "mysql://root:hunter2secret@127.0.0.1:1/market";
    let lines: [&[&str]; 5] = [
        &["preheat", secret],
        &["source", "test", secret],
        &["preheat", "--source", secret],
        &["-vvv", "source", "symbols", secret],
        &["preheat", "--source", "mysql://root:hunter2secret@127.0.0.1:99999/market"],
    ];
    for arguments in lines {
        let ran = home.run(arguments);
        assert_ne!(ran.code, 0);
        assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"), "{ran:#?}");
    }
}

#[test]
fn sets_are_listed_shown_and_checked() {
    let home = Home::new();
    let sets = home.run(&["sets", "list", "--json"]).ended(0).json();
    assert_eq!((sets[0]["name"].as_str(), number(&sets, "/0/features")), (Some("classic"), 45));
    let shown = home.run(&["sets", "show", "classic"]).ended(0).out;
    assert!(shown.contains("macd_hist") && shown.contains("psy12"));
    home.run(&["sets", "show", "clasic"]).ended(1).says(&["did you mean classic?"]);
    home.run(&["get", "A", "--set", "clasic"]).ended(1).says(&["did you mean classic?"]);

    let good = "name = \"mine\"\n[features]\nfast = \"Mean($close, 5)\"\nslow = \"fast - Mean($close, 60)\"\n";
    std::fs::write(home.path("good.toml"), good).expect("write");
    let good = home.run(&["sets", "check", "good.toml", "--json"]).ended(0).json();
    assert_eq!((good["ok"].as_bool(), number(&good, "/set/features")), (Some(true), 2));
    std::fs::write(home.path("broken.toml"), "name = \n").expect("write");
    let broken = home.run(&["sets", "check", "broken.toml"]).ended(1);
    assert!(broken.out.contains("broken.toml, line 1"), "{broken:?}");
    home.run(&["sets", "check", "nosuch.toml"]).ended(1).says(&["nosuch.toml"]);
}

#[test]
fn quiet_says_nothing_but_errors_and_json_is_one_document() {
    let home = Home::with_market(&["A"], 10);
    let ran = home.run_on_market(&["-q", "--json", "preheat"]).ended(0);
    assert_eq!(ran.err, "");
    assert_eq!(number(&ran.json(), "/symbols/ok"), 1);
    let failed = home.run(&["--json", "get", "NOSUCH"]).ended(1);
    assert!(failed.json()["error"].as_str().is_some_and(|error| error.contains("NOSUCH")));
}
