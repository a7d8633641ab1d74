//! A process of its own lives through the steps and is ended at every kill point; what it had acknowledged must be there.

use super::damage::runs;
use super::scenario::{Oracle, assert_before_or_after, assert_repairs_cleanly, bars_key, open, read, same, steps};
use samovar::cache::{CacheError, Judge, SystemFiles};
use samovar::fault::KILL_POINTS;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Where the process of its own finds its folder, and what it is to do.
const FOLDER: &str = "SAMOVAR_FAULT_FOLDER";
const DAMAGE: &str = "SAMOVAR_FAULT_DAMAGE";

/// Does something only in the process that the test below starts for it.
#[test]
fn process_of_its_own() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let cache = open(&folder.join("cache"), Arc::new(SystemFiles));
    cache.catalog().begin_job("Preheat", 0).expect("job");
    for (number, step) in steps().iter().enumerate() {
        step.run(&cache).expect("step");
        fs::write(folder.join("acknowledged"), (number + 1).to_string()).expect("note");
    }
    if std::env::var(DAMAGE).is_ok() {
        let entry = cache.catalog().entry(&bars_key("B")).expect("catalog").expect("a row");
        let path = cache.folders().absolute(&entry.key.dataset, &entry.file.expect("a file").path);
        let mut bytes = fs::read(&path).expect("file");
        bytes[100] ^= 4;
        fs::write(&path, bytes).expect("damage");
        assert!(matches!(cache.read_from_disk(&entry.key), Err(CacheError::Damaged { .. })));
    }
}

/// Runs the process. Returns whether it came to its end.
fn lives_through(folder: &Path, kill_at: &str) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["kills::process_of_its_own", "--exact", "--test-threads=1"]);
    command.env(FOLDER, folder).env("SAMOVAR_KILL_AT", kill_at).stdout(Stdio::null()).stderr(Stdio::piped());
    if kill_at.starts_with("quarantine") {
        command.env(DAMAGE, "1");
    }
    let output = command.output().expect("run");
    let ended_here = cfg!(unix) && output.status.code().is_none();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || ended_here, "{kill_at}: {text}");
    output.status.success()
}

/// What there must be before and after the step in which the process was ended.
fn reached(folder: &Path) -> (Oracle, Oracle) {
    let done = fs::read_to_string(folder.join("acknowledged")).map_or(0, |text| text.parse().expect("a number"));
    let (mut before, mut cleared) = (Oracle::new(), Oracle::new());
    let steps = steps();
    for step in &steps[..done] {
        before = step.outcome(&before, &mut cleared);
    }
    let after = steps.get(done).map_or_else(|| before.clone(), |step| step.outcome(&before, &mut cleared));
    (before, after)
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "kill points are not in releases")]
fn a_process_ended_at_any_point_loses_nothing_and_leaves_nothing_half_done() {
    let mut kills = 0;
    for point in KILL_POINTS {
        let mut passes = 0;
        for pass in 1..=runs(2).min(50) {
            let folder = tempfile::tempdir().expect("folder");
            let context = format!("{point}:{pass}");
            if point.starts_with("recovery") {
                // There is something to recover only after another end.
                assert!(!lives_through(folder.path(), "commit_before_catalog:2"), "{context}");
            }
            if lives_through(folder.path(), &context) {
                break;
            }
            passes += 1;
            let (before, after) = reached(folder.path());
            let cache = open(&folder.path().join("cache"), Arc::new(SystemFiles));
            if point.starts_with("quarantine") {
                let damaged = bars_key("B");
                assert!(cache.read(&damaged, &Judge::default()).is_err(), "{context}: the damaged file was served");
                for (key, content) in before.iter().filter(|(key, _)| **key != damaged) {
                    assert!(same(read(&cache, key).as_ref(), Some(content)), "{context}: {key:?}");
                }
                cache.verify(true, &|_, _| {}).expect("repair");
                assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean(), "{context}");
            } else {
                assert_before_or_after(&cache, &before, &after, &context);
                assert_repairs_cleanly(&cache, &context);
            }
        }
        assert!(passes > 0, "{point} is never passed");
        kills += passes;
    }
    assert!(kills >= KILL_POINTS.len());
}
