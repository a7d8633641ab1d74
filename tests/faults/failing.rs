//! Every single file operation fails once, in every way.

use super::faulty_files::{FailingFiles, Fault};
use super::scenario::{Oracle, assert_before_or_after, assert_repairs_cleanly, open, read, same, steps};
use samovar::cache::{CacheError, SystemFiles};
use std::sync::Arc;

#[test]
fn whatever_operation_fails_what_was_acknowledged_stays_and_nothing_half_done_is_seen() {
    std::thread::scope(|scope| {
        for fault in Fault::ALL {
            scope.spawn(move || {
                let mut failures = 0;
                for number in 0.. {
                    if !fail_operation(number, fault, &mut failures) {
                        break;
                    }
                }
                assert!(failures > 40, "{fault:?}: only {failures} operations failed");
            });
        }
    });
}

/// Runs all steps with one failing operation. Returns whether there was such an operation.
fn fail_operation(number: usize, fault: Fault, failures: &mut usize) -> bool {
    let folder = tempfile::tempdir().expect("folder");
    let files = Arc::new(FailingFiles::default());
    let cache = open(folder.path(), Arc::clone(&files) as _);
    cache.catalog().begin_job("Preheat", 0).expect("job");
    let (mut before, mut cleared) = (Oracle::new(), Oracle::new());
    files.fail_after(number, fault);
    let mut hit = false;
    for step in steps() {
        let context = format!("{fault:?} of operation {number} in {}", step.name());
        let after = step.outcome(&before, &mut cleared);
        let result = step.run(&cache);
        let failed_here = files.heal_if_hit();
        hit |= failed_here;
        assert!(!files.synced_again_after_failure(), "{context}: a file was synchronised again after that had failed");
        match result {
            Ok(()) => {
                for (key, content) in &after {
                    assert!(same(read(&cache, key).as_ref(), Some(content)), "{context}: {key:?} was acknowledged");
                }
                before = after;
            }
            Err(error) => {
                assert!(failed_here, "{context}: {error}");
                if fault == Fault::Full {
                    let CacheError::DiskFull { folder: named, needed_bytes } = &error else { panic!("{context}: {error}") };
                    assert!(named.starts_with(folder.path()) && *needed_bytes > 0, "{context}: {error}");
                }
                *failures += 1;
                assert_before_or_after(&cache, &before, &after, &context);
                drop(cache);
                let cache = open(folder.path(), Arc::new(SystemFiles));
                assert_before_or_after(&cache, &before, &after, &context);
                assert_repairs_cleanly(&cache, &context);
                // And it goes on.
                let (key, content) = (super::scenario::bars_key("Z"), super::scenario::bars(5, 1));
                super::scenario::Step::Put(vec![(key.clone(), content.clone())]).run(&cache).expect("the next write");
                assert!(same(read(&cache, &key).as_ref(), Some(&content)));
                return true;
            }
        }
    }
    hit
}
