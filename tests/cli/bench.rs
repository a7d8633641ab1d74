//! `samovar bench`: every stage measured, and nothing left behind.

use super::home::Home;
use super::market;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const STAGES: [&str; 10] =
    ["source_rows", "features", "both", "preheat", "disk", "disk_again", "memory", "one_source", "one_disk", "one_memory"];

/// Every file below a folder with its bytes and the time it was changed.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    let Ok(listing) = std::fs::read_dir(folder) else { return found };
    for item in listing.flatten() {
        let path = item.path();
        if path.is_dir() {
            found.extend(everything(&path));
        } else {
            let changed = item.metadata().and_then(|about| about.modified()).expect("a time");
            found.insert(path.clone(), (std::fs::read(&path).expect("file"), changed));
        }
    }
    found
}

fn left_behind(home: &Home) -> Vec<String> {
    let names = std::fs::read_dir(home.folder.path()).expect("home").flatten().map(|item| item.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("bench")).collect()
}

fn stage<'json>(json: &'json Value, key: &str) -> &'json Value {
    json["stages"].as_array().expect("stages").iter().find(|stage| stage["stage"] == key).unwrap_or_else(|| panic!("no {key}: {json:#}"))
}

#[test]
fn every_stage_is_measured_and_the_cache_is_left_alone() {
    let names = market::names(12);
    let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = Home::with_market(&symbols, 120);
    home.preheat(&["--limit", "3"]);
    let before = everything(&home.cache());
    assert!(!before.is_empty());
    let json = home.run_on_market(&["bench", "--runs", "2", "--limit", "5", "--json"]).ended(0).json();
    assert_eq!(everything(&home.cache()), before, "byte for byte");
    assert_eq!(left_behind(&home), [""; 0]);
    assert_eq!((json["symbols"].as_u64(), json["rows"].as_u64(), json["runs"].as_u64()), (Some(5), Some(600), Some(2)));
    assert_eq!((json["sets"].clone(), json["features"].as_u64()), (serde_json::json!(["classic"]), Some(45)));
    assert!(
        json["bytes"]["bars"].as_u64().is_some_and(|bytes| bytes > 0) && json["bytes"]["features"].as_u64().is_some_and(|bytes| bytes > 0)
    );
    assert!(["dropped", "warm"].contains(&json["page_cache"].as_str().expect("page cache")));
    assert_eq!(json["fits_memory"], true);
    let keys: Vec<&str> = json["stages"].as_array().expect("stages").iter().filter_map(|stage| stage["stage"].as_str()).collect();
    assert_eq!(keys, STAGES);
    for key in STAGES {
        let stage = stage(&json, key);
        let seconds = |name: &str| stage["seconds"][name].as_f64().expect("seconds");
        assert!(0.0 < seconds("min") && seconds("min") <= seconds("median") && seconds("median") <= seconds("max"), "{stage:#}");
        assert_eq!(stage["rows"].as_u64(), Some(if key.starts_with("one") { 120 } else { 600 }), "{stage:#}");
        assert!(stage["rows_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{stage:#}");
    }
    assert_eq!((stage(&json, "both")["ratio"].as_f64(), stage(&json, "one_source")["ratio"].as_f64()), (Some(1.0), Some(1.0)));
    let ratio = stage(&json, "both")["seconds"]["median"].as_f64().expect("both")
        / stage(&json, "memory")["seconds"]["median"].as_f64().expect("memory");
    assert!((stage(&json, "memory")["ratio"].as_f64().expect("ratio") / ratio - 1.0).abs() < 1e-9);
}

#[test]
fn without_a_cache_none_is_made() {
    let home = Home::with_market(&["A", "B"], 60);
    let ran = home.run_on_market(&["bench", "--runs", "1", "--symbols", "A,NOPE"]).ended(0);
    for part in ["Read rows from the source", "Preheat an empty cache", "Read from memory", "One symbol from disk", "rows/s", " ×"] {
        assert!(ran.out.contains(part), "`{part}`: {ran:#?}");
    }
    let ran = ran.says(&["60 rows of 1 symbol", "First time", "The source has no rows of 1 symbol"]);
    assert!(!home.cache().exists() && left_behind(&home).is_empty(), "{ran:?}");
}

#[test]
fn the_sample_and_other_sets_can_be_measured() {
    let home = Home::new();
    let json =
        home.run(&["bench", "--source", "sample:", "--limit", "2", "--runs", "1", "--set", "classic,alpha158", "--json"]).ended(0).json();
    assert_eq!(json["sets"], serde_json::json!(["classic", "alpha158"]));
    assert!(json["features"].as_u64().is_some_and(|features| features > 200), "{json:#}");
    assert!(!home.cache().exists());
}

#[test]
fn what_cannot_be_measured_is_explained_and_leaves_nothing_behind() {
    let home = Home::with_market(&["A"], 30);
    home.run(&["bench"]).ended(1).says(&["no source is configured"]);
    home.run_on_market(&["bench", "--runs", "0"]).ended(64);
    home.run_on_market(&["bench", "--symbols", ","]).ended(64);
    home.run_on_market(&["bench", "--set", "nothing"]).ended(1).says(&["nothing"]);
    home.run_on_market(&["bench", "--symbols", "NOPE"]).ended(1).says(&["has no rows"]);
    home.run(&["bench", "--source", "sqlite:gone.db"]).ended(1).says(&["gone.db"]);
    assert_eq!(left_behind(&home), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_cancelled_measurement_takes_its_folder_away() {
    let names = market::names(40);
    let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = Home::with_market(&symbols, 400);
    let source = home.source();
    let mut command = home.command(&["bench", "--source", &source, "--runs", "99"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("runs");
    let began = std::time::Instant::now();
    while left_behind(&home).is_empty() {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "it never began");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(told.success());
    let status = child.wait().expect("ends");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("stderr"), &mut text).expect("text");
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.contains("cancelled; nothing was left behind"), "{text}");
    assert_eq!(left_behind(&home), [""; 0]);
}
