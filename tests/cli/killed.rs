//! `kill -9` in the middle of a preheat: nothing is damaged, and the next preheat goes on where it was.

use super::home::{Home, number};
use super::market;
use std::process::Stdio;
use std::time::{Duration, Instant};

const SYMBOLS: usize = 300;

#[test]
fn a_killed_preheat_leaves_nothing_damaged_and_goes_on_where_it_was() {
    let names = market::names(SYMBOLS);
    let symbols: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = Home::with_market(&symbols, 200);
    let source = home.source();
    let mut moments_in_the_middle = 0;
    // One more file each time, from right at the start to nearly the end.
    for moment in 0..8 {
        let wanted_files = 1 + moment * (2 * SYMBOLS - 60) / 8;
        if home.cache().exists() {
            std::fs::remove_dir_all(home.cache()).expect("a new cache");
        }
        let mut child = home
            .command(&["--source", &source, "preheat", "-q", "--json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("spawn");
        let began = Instant::now();
        while count_files(&home) < wanted_files && child.try_wait().expect("child").is_none() {
            assert!(began.elapsed() < Duration::from_secs(120), "it never got to {wanted_files} files");
            std::thread::yield_now();
        }
        child.kill().expect("kill -9");
        child.wait().expect("end");

        let status = home.status(&[]);
        let done = number(&status, "/symbols");
        moments_in_the_middle += usize::from(done > 0 && done < SYMBOLS as u64);
        for state in ["damaged", "failed", "outdated", "missing", "stale"] {
            assert_eq!(number(&status, &format!("/states/{state}")), 0, "moment {moment}: {status:#}");
        }
        let report = home.run(&["verify", "--json"]).ended(0).json();
        assert_eq!((number(&report, "/checked"), &report["orphans"]), (number(&report, "/ok"), &serde_json::json!([])));
        let leftovers = home.files("").into_iter().filter(|path| path.to_string_lossy().contains(".tmp-")).count();
        assert_eq!(leftovers, 0, "half-written files are removed");

        let complete = number(&status, "/states/fresh");
        let report = home.preheat(&[]);
        let (ok, skipped) = (number(&report, "/symbols/ok"), number(&report, "/symbols/skipped_fresh"));
        assert_eq!(ok + skipped, SYMBOLS as u64);
        // Symbols that had both bars and features are not touched again; those with bars only need no fetching.
        assert!(skipped >= complete - done && skipped <= done, "moment {moment}: {skipped} skipped of {done} with {complete} entries");
        assert_eq!(number(&home.status(&[]), "/states/fresh"), 2 * SYMBOLS as u64);
        home.run(&["verify"]).ended(0);
    }
    assert!(moments_in_the_middle >= 4, "only {moments_in_the_middle} of the kills came in the middle");
}

fn count_files(home: &Home) -> usize {
    home.files("bars-v1").len() + home.files("features-v1").len()
}
