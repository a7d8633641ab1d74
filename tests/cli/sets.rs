//! Sets of one's own, their versions, formulas and functions, from the command line.

use super::home::{Home, number};
use serde_json::Value;

const MINE: &str =
    "name = \"mine\"\n[helpers]\nmid = \"($high + $low) / 2\"\n[features]\nratio = \"$close / Mean($close, 5)\"\nfast = \"EMA(mid, 7)\"\n";

fn write(home: &Home, name: &str, text: &str) {
    std::fs::create_dir_all(home.path("sets")).expect("folder");
    std::fs::write(home.path("sets").join(name), text).expect("written");
}

fn listed(home: &Home, name: &str) -> Value {
    let sets = home.run(&["sets", "list", "--json"]).ended(0).json();
    sets.as_array().expect("a list").iter().find(|set| set["name"] == name).cloned().unwrap_or_else(|| panic!("{name}: {sets:#}"))
}

fn versions(home: &Home, name: &str) -> Vec<Value> {
    home.run(&["sets", "show", name, "--versions", "--json"]).ended(0).json()["versions"].as_array().expect("a list").clone()
}

/// A column of what `get` gives.
fn column(home: &Home, arguments: &[&str], name: &str) -> Vec<Option<f64>> {
    let rows = home.run(&[&["get"], arguments, &["--json"]].concat()).ended(0).json();
    rows.as_array().expect("rows").iter().map(|row| row[name].as_f64()).collect()
}

#[test]
fn a_set_of_ones_own_is_preheated_changed_and_read_in_every_version() {
    let home = Home::with_market(&["A", "B"], 60);
    write(&home, "mine.toml", MINE);
    let report = home.preheat(&["--set", "mine", "classic"]);
    assert_eq!((number(&report, "/symbols/ok"), number(&report, "/features/computed")), (2, 2 * 47));
    let before = column(&home, &["A", "--set", "mine"], "fast");
    let first = listed(&home, "mine");
    assert_eq!((number(&first, "/entries"), first["built_in"].as_bool(), number(&first, "/older/entries")), (2, Some(false), 0));
    assert!(first["file"].as_str().is_some_and(|file| file.ends_with("mine.toml")));

    write(&home, "mine.toml", &MINE.replace("EMA(mid, 7)", "EMA(mid, 8)"));
    assert_eq!(number(&home.status(&[]), "/states/outdated"), 2, "exactly what the changed set had");
    let report = home.preheat(&["--set", "mine"]);
    let counted = ["computed", "reused", "continued", "restored"].map(|what| number(&report, &format!("/features/{what}")));
    assert_eq!((counted, number(&report, "/features/kept_older")), ([2, 2, 0, 0], 2));
    let status = home.status(&["A"]);
    assert_eq!(
        (number(&status, "/states/fresh"), number(&status, "/states/outdated"), number(&status, "/older_versions/entries")),
        (6, 0, 2)
    );
    let entries = status["entries"].as_array().expect("entries");
    let older: Vec<&Value> = entries.iter().filter(|entry| entry["older_version"] == true).collect();
    assert_eq!((entries.len(), older.len()), (4, 1));

    let known = versions(&home, "mine");
    assert_eq!(known.iter().map(|version| version["present"].as_bool()).collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert!(known.iter().all(|version| number(version, "/entries") == 2 && number(version, "/computed/rows") == 120));
    assert!(known[1]["toml"].as_str().is_some_and(|text| text == MINE));
    let hash = known[1]["definition_hash"].as_str().expect("hash").to_owned();
    let version = format!("mine@{hash}");
    assert_eq!(column(&home, &["A", "--set", &version], "fast"), before);
    assert_eq!(column(&home, &["A", "--set", &version[..9]], "fast"), before, "four digits do");
    assert_ne!(column(&home, &["A", "--set", "mine"], "fast"), before);
    let shown = home.run(&["sets", "show", &version]).ended(0).out;
    assert!(shown.contains("EMA(mid, 7)") && shown.contains("mid"), "{shown}");
    assert_eq!(home.run(&["sets", "show", &version, "--toml"]).ended(0).out, MINE);
    home.run(&["get", "A", "--set", "mine@ffff"]).ended(1).says(&["there is no version ffff of mine", "--versions"]);
    home.run(&["get", "A", "--set", "mine@x"]).ended(64).says(&["names no version"]);
    home.run(&["get", "A", "--set", &version, "--force"]).ended(64).says(&["cannot be refreshed"]);

    // A clear of the set takes its versions, too; of one version, only that.
    assert_eq!(number(&home.run(&["clear", "--all", "--set", &version, "--json"]).ended(0).json(), "/entries"), 2);
    home.run(&["get", "A", "--set", &version]).ended(1).says(&["nothing of mine@"]);
    home.run(&["clear", "--undo"]).ended(0);
    assert_eq!(number(&home.run(&["clear", "--all", "--set", "mine", "--json"]).ended(0).json(), "/entries"), 4);
    home.run(&["clear", "--undo"]).ended(0);
    assert_eq!(column(&home, &["A", "--set", &version], "fast"), before);

    // What the definition was is there at once when it comes back.
    write(&home, "mine.toml", &format!("# the same in other words\n{}", MINE.replace("mid", "middle")));
    let report = home.preheat(&["--set", "mine"]);
    assert_eq!((number(&report, "/features/restored"), number(&report, "/bytes/features")), (4, 0));
    assert_eq!(column(&home, &["A", "--set", "mine"], "fast"), before);
    home.run(&["verify"]).ended(0);
}

#[test]
fn columns_come_in_the_order_that_the_set_has_now() {
    let home = Home::with_market(&["A"], 30);
    write(&home, "mine.toml", MINE);
    home.preheat(&["--set", "mine"]);
    let head = |home: &Home| home.run(&["get", "A", "--set", "mine", "--format", "csv"]).ended(0).out.lines().next().map(str::to_owned);
    assert_eq!(head(&home).as_deref(), Some("date,open,high,low,close,volume,ratio,fast"));
    let turned = "name = \"mine\"\n[features]\nfast = \"EMA(($high + $low) / 2, 7)\"\nratio = \"$close / Mean($close, 5)\"\n";
    write(&home, "mine.toml", turned);
    assert_eq!(number(&home.status(&[]), "/states/outdated"), 0);
    assert_eq!(head(&home).as_deref(), Some("date,open,high,low,close,volume,fast,ratio"));
}

#[test]
fn float32_halves_the_files_and_says_what_it_costs() {
    let home = Home::with_market(&["A", "B"], 600);
    let formulas: String = (2..30).map(|window| format!("std{window} = \"Std($close, {window})\"\n")).collect();
    let text = |precision: &str| format!("name = \"mine\"\nprecision = \"{precision}\"\n[features]\n{formulas}");
    write(&home, "mine.toml", &text("f64"));
    let wide = number(&home.preheat(&["--set", "mine"]), "/bytes/features");
    let exact = column(&home, &["A", "--set", "mine"], "std9");
    write(&home, "mine.toml", &text("f32"));
    let report = home.preheat(&["--set", "mine"]);
    let narrow = number(&report, "/bytes/features");
    assert!(narrow * 10 < wide * 6, "{narrow} of {wide}");
    let largest = report["features"]["rounding"].as_f64().expect("it is told");
    assert!(largest > 0.0 && largest < 6e-8, "{largest}");
    let rounded = column(&home, &["A", "--set", "mine"], "std9");
    for (exact, rounded) in exact.iter().zip(&rounded) {
        let (Some(exact), Some(rounded)) = (exact, rounded) else { continue };
        assert!(((exact - f64::from(*rounded as f32)) / exact).abs() <= largest);
    }
    let csv = home.run(&["get", "A", "--set", "mine", "--format", "csv", "--columns", "std9"]).ended(0).out;
    assert!(csv.lines().all(|line| line.len() < 13), "no digits that nobody stored: {csv}");
    assert_eq!(versions(&home, "mine")[0]["rounding"].as_f64(), Some(largest));
    let status = home.status(&["A"]);
    let mine = status["entries"].as_array().expect("entries").iter().find(|entry| entry["dataset"] == "mine").expect("mine").clone();
    assert!(mine["rounding"].as_f64().is_some_and(|of_a| of_a > 0.0 && of_a <= largest));
    home.run_on_market(&["preheat", "--set", "mine", "--force"]).ended(0);
    let text = home.run(&["status", "A"]).ended(0).out;
    assert!(text.contains("kept as Float32"), "{text}");
}

#[test]
fn formulas_are_computed_from_bars_on_the_spot() {
    let home = Home::with_market(&["A"], 40);
    // Read through: the bars are fetched first.
    let rows =
        home.run_on_market(&["get", "A", "--formula", "ma3=Mean($close, 3)", "--formula", "$close > $open", "--json"]).ended(0).json();
    let rows = rows.as_array().expect("rows");
    assert_eq!((rows.len(), rows[0]["ma3"].as_f64(), rows[0]["formula2"].as_f64().is_some()), (40, None, true));
    let close: Vec<f64> = rows.iter().map(|row| row["close"].as_f64().expect("close")).collect();
    let ma3: Vec<f64> = rows.iter().filter_map(|row| row["ma3"].as_f64()).collect();
    assert!(ma3.iter().zip(close.windows(3)).all(|(mean, three)| (mean - three.iter().sum::<f64>() / 3.0).abs() < 1e-9));
    assert_eq!(home.files("features-v1").len(), 0, "nothing is kept of it");
    // Days are cut afterwards, so that windows reach back.
    let cut = column(&home, &["A", "--formula", "x=Mean($close, 3)", "--start-date", "2020-02-01"], "x");
    assert_eq!(cut.first().copied().flatten(), ma3.get(29).copied());
    let partial = column(&home, &["A", "--formula", "x=Mean($close, 3)", "--warmup", "partial"], "x");
    assert_eq!(partial[0], Some(close[0]));
    write(&home, "mine.toml", MINE);
    let twice = column(&home, &["A", "--set", "mine", "--formula", "twice = ratio * 2 + 0 * mid"], "twice");
    assert_eq!(twice.iter().filter(|value| value.is_some()).count(), 36);

    let wrong = home.run(&["get", "A", "--formula", "x=Maen($close, 3)"]).ended(1);
    wrong.says(&["x: there is no function Maen; did you mean Mean?", "  1 | Maen($close, 3)\n    | ^^^^"]);
    home.run(&["get", "A", "--formula", "a=$close", "--formula", "a=$open"]).ended(64).says(&["two formulas are named a"]);
    home.run(&["get", "A", "--bars", "--formula", "$close"]).ended(64);
    home.run(&["get", "A", "--warmup", "partial"]).ended(64);
}

#[test]
fn mistakes_are_shown_under_their_places() {
    let home = Home::new();
    let text = "name = \"bad\"\n[features]\n\"均线\" = \"Maen($close, 5)\"\nb = { formula = \"Mean($clse, 5)\", grup = \"x\" }\n";
    std::fs::write(home.path("bad.toml"), text).expect("written");
    let ran = home.run(&["sets", "check", "bad.toml"]).ended(1);
    for words in [
        "bad.toml, line 3, column 9: there is no function Maen; did you mean Mean?\n  3 | \"均线\" = \"Maen($close, 5)\"\n    |           ^^^^",
        "line 4, column 23: there is no field $clse; did you mean $close?",
        "line 4, column 35: ",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    let json = home.run(&["sets", "check", "bad.toml", "--json"]).ended(1).json();
    assert_eq!((json["ok"].as_bool(), json["mistakes"].as_array().map(Vec::len)), (Some(false), Some(3)));
    assert_eq!((number(&json, "/mistakes/0/line"), number(&json, "/mistakes/0/column")), (3, 9));
    let (start, end) = (number(&json, "/mistakes/0/start") as usize, number(&json, "/mistakes/0/end") as usize);
    assert_eq!((&text[start..end], json["mistakes"][0]["suggestion"].as_str()), ("Maen", Some("Mean")));
    let good = home.run(&["sets", "check", "--formula", "a=Mean($close, 5)", "--formula", "b=a*2", "--json"]).ended(0).json();
    assert_eq!((number(&good, "/set/features"), good["set"]["names"][1].as_str()), (2, Some("b")));
    let ran = home.run(&["sets", "check", "--formula", "$close +"]).ended(1);
    assert!(ran.out.contains("  1 | $close +\n    |         ^"), "{}", ran.out);
    home.run(&["sets", "check"]).ended(64).says(&["name a file"]);
    std::fs::write(
        home.path("taken.toml"),
        text.replace("bad", "classic").replace("Maen", "Mean").replace("clse", "close").replace(", grup = \"x\"", ""),
    )
    .expect("written");
    home.run(&["sets", "check", "taken.toml"]).ended(0).says(&["built-in set"]);
}

#[test]
fn functions_are_listed_by_group_and_found_by_words() {
    let home = Home::new();
    let all = home.run(&["sets", "functions", "--json"]).ended(0).json();
    let all = all.as_array().expect("functions");
    assert!(all.len() > 200 && all.iter().all(|function| function["description"].as_str().is_some_and(|text| !text.is_empty())));
    let macd = all.iter().find(|function| function["name"] == "TA_MACD").expect("TA_MACD");
    assert_eq!(macd["outputs"].as_array().map(Vec::len), Some(3));
    assert!(macd["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(|one| one["default"] == 26.0)));
    let text = home.run(&["sets", "functions", "quantile"]).ended(0).out;
    assert!(text.starts_with("Window\n  Quantile(x, n, q)"), "{text}");
    let patterns = home.run(&["sets", "functions", "--group", "pattern"]).ended(0).out;
    assert!(patterns.contains("TA_CDLDOJI") && !patterns.contains("Mean("), "{patterns}");
    home.run(&["sets", "functions", "Quantlie"]).ended(1).says(&["did you mean Quantile?"]);
    home.run(&["sets", "functions", "--group", "nosuch"]).ended(1).says(&["there is no group nosuch"]);
}

#[test]
fn files_with_mistakes_are_told_and_hold_nothing_up() {
    let home = Home::with_market(&["A"], 20);
    write(&home, "mine.toml", MINE);
    write(&home, "bad.toml", "name = \"bad\"\n[features]\nx = \"Maen($close, 5)\"\n");
    let ran = home.run(&["sets", "list"]).ended(0).says(&["bad.toml, line 3, column 6", "did you mean Mean?"]);
    assert!(ran.out.contains("mine.toml"));
    home.preheat(&["--set", "mine"]);
    home.run_on_market(&["preheat", "--set", "bad"]).ended(1).says(&["there is no feature set bad"]);
    let settings = "sets = [\"mine\", \"alpha158\"]\n";
    std::fs::write(home.path("settings.toml"), settings).expect("written");
    let report = home.preheat(&[]);
    assert_eq!(number(&report, "/features/computed"), 158);
}

#[test]
fn completions_know_the_names_of_sets() {
    let home = Home::new();
    write(&home, "mine.toml", MINE);
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&["completions", shell]).ended(0).out;
        assert!(script.contains("alpha158") && script.contains("mine"), "{shell}");
    }
}
