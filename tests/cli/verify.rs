//! What `verify` notices and repairs.

use super::home::{Home, number};
use std::path::Path;

fn flip(path: &Path, position: usize) {
    let mut bytes = std::fs::read(path).expect("file");
    bytes[position] ^= 4;
    std::fs::write(path, bytes).expect("write");
}

#[test]
fn a_clean_cache_is_clean() {
    let home = Home::with_market(&["A", "B"], 30);
    home.preheat(&[]);
    let report = home.run(&["verify", "--json"]).ended(0).json();
    assert_eq!((number(&report, "/checked"), number(&report, "/ok")), (4, 4));
    for list in ["damaged", "missing", "orphans"] {
        assert_eq!(report[list].as_array().map(Vec::len), Some(0));
    }
}

#[test]
fn damage_is_noticed_never_served_and_repaired() {
    let home = Home::with_market(&["A", "B", "C", "D"], 60);
    home.preheat(&[]);
    let before = std::fs::read(home.file("bars-v1", "A")).expect("file");
    flip(&home.file("bars-v1", "A"), 700);
    let truncated = home.file("features-v1", "B");
    let half = std::fs::read(&truncated).expect("file");
    std::fs::write(&truncated, &half[..half.len() / 2]).expect("write");
    std::fs::remove_file(home.file("bars-v1", "C")).expect("remove");
    let orphan = home.cache().join("bars-v1/stranger.parquet");
    std::fs::write(&orphan, b"no parquet at all").expect("orphan");

    let report = home.run(&["verify", "--json"]).ended(2).says(&["--repair"]).json();
    assert_eq!((number(&report, "/checked"), number(&report, "/ok")), (8, 5));
    let found = |list: &str| {
        let findings = report[list].as_array().expect("list");
        findings
            .iter()
            .map(|found| format!("{}/{}", found["symbol"].as_str().unwrap_or_default(), found["dataset"].as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    assert_eq!((found("damaged"), found("missing")), (vec!["A/bars".to_owned(), "B/classic".to_owned()], vec!["C/bars".to_owned()]));
    assert_eq!(report["orphans"][0].as_str(), orphan.to_str());

    let report = home.run(&["verify", "--repair", "--json"]).ended(0).json();
    assert_eq!((number(&report, "/restored"), report["repaired"].as_bool()), (3, Some(true)));
    let report = home.run(&["verify", "--json"]).ended(0).json();
    assert_eq!(number(&report, "/ok"), 8);
    assert_eq!(number(&home.status(&[]), "/states/fresh"), 8);
    assert!(home.files("quarantine").len() >= 3, "nothing is thrown away: {:?}", home.files("quarantine"));
    // The footer says how long fetching took, which may have a digit more or less.
    let now = std::fs::read(home.file("bars-v1", "A")).expect("file");
    assert!(now.len().abs_diff(before.len()) <= 4, "{} bytes, not {}", now.len(), before.len());
}

#[test]
fn a_damaged_file_is_fetched_again_when_it_is_read() {
    let home = Home::with_market(&["A"], 60);
    home.preheat(&[]);
    flip(&home.file("features-v1", "A"), 900);
    let ran = home.run(&["get", "A", "--format", "csv"]).ended(0);
    assert_eq!(ran.out.lines().count(), 61);
    assert_eq!(home.files("quarantine").len(), 1);
    home.run(&["verify"]).ended(0);
}

#[test]
fn what_cannot_be_fetched_again_is_told() {
    let home = Home::with_market(&["A", "B"], 60);
    home.preheat(&[]);
    flip(&home.file("bars-v1", "B"), 500);
    std::fs::remove_file(home.market()).expect("the source goes away");
    home.run(&["verify", "--repair"]).ended(2);
    assert_eq!(number(&home.status(&[]), "/states/damaged"), 1);
    home.run(&["get", "A"]).ended(0);
    home.run(&["get", "B"]).ended(0);
    home.run(&["get", "B", "--bars"]).ended(1).says(&["market.db"]);
}

#[test]
fn a_lost_or_damaged_catalog_is_rebuilt_from_the_files() {
    let home = Home::with_market(&["A", "B/C", "ß"], 30);
    home.preheat(&[]);
    let before = home.status(&[]);
    for damage in [false, true] {
        let catalog = home.cache().join("catalog.sqlite");
        std::fs::remove_file(&catalog).expect("remove");
        for log in ["catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let log = home.cache().join(log);
            if log.exists() {
                std::fs::remove_file(log).expect("remove");
            }
        }
        if damage {
            std::fs::write(&catalog, vec![7_u8; 8_192]).expect("write");
        }
        let after = home.status(&[]);
        assert_eq!((&after["symbols"], &after["rows"], &after["states"]), (&before["symbols"], &before["rows"], &before["states"]));
        home.run(&["verify"]).ended(0);
    }
    assert_eq!(number(&home.preheat(&[]), "/symbols/skipped_fresh"), 3);
}

#[test]
fn a_single_flipped_bit_of_the_catalog_is_found_and_mended() {
    let home = Home::with_market(&["A", "B/C", "ß"], 30);
    home.preheat(&[]);
    let before = home.status(&[]);
    let catalog = home.cache().join("catalog.sqlite");
    for (repair, ends_with) in [(false, 2), (true, 0)] {
        let mut bytes = std::fs::read(&catalog).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&catalog, bytes).expect("write");
        let arguments: &[&str] = if repair { &["verify", "--repair"] } else { &["verify"] };
        home.run(arguments).ended(ends_with).says(&["the catalog was damaged"]);
        home.run(&["verify"]).ended(0);
        let after = home.status(&[]);
        assert_eq!((&after["symbols"], &after["rows"], &after["states"]), (&before["symbols"], &before["rows"], &before["states"]));
    }
}
