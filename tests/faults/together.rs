//! Several openers of one cache, as several processes are: two add rows to the same file, one writes it anew now and then, two
//! read. Every read is a version that was written; no acknowledged row is lost.

use super::damage::runs;
use super::scenario::{bars, bars_key, footer, open};
use samovar::cache::{Cache, CacheError, SystemFiles};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const ROWS: usize = 20;

fn cache(folder: &Path) -> Cache {
    open(folder, Arc::new(SystemFiles))
}

#[test]
fn readers_see_whole_versions_only_and_writers_lose_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let key = bars_key("A");
    let first = cache(folder.path());
    let staged = first.stage(&bars(ROWS, 1), footer(key.clone(), &bars(ROWS, 1))).expect("stage");
    first.commit(&[staged]).expect("commit");
    let target = ROWS + runs(120).min(2_000);
    let (done, acknowledged, appended) = (AtomicBool::new(false), AtomicUsize::new(ROWS), AtomicUsize::new(0));
    // One writer of an entry at a time, as its lease sees to; only who adds and who writes anew changes.
    let lease = Mutex::new(());
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (key, folder) = (key.clone(), folder.path());
            let (done, acknowledged, appended, lease) = (&done, &acknowledged, &appended, &lease);
            scope.spawn(move || {
                let cache = cache(folder);
                while !done.load(Ordering::SeqCst) {
                    let _alone = lease.lock().expect("lease");
                    let entry = cache.catalog().entry(&key).expect("catalog").expect("a row");
                    let rows = usize::try_from(entry.rows()).expect("small");
                    assert_eq!(rows, acknowledged.load(Ordering::SeqCst), "an acknowledged row was lost");
                    if rows >= target {
                        done.store(true, Ordering::SeqCst);
                        break;
                    }
                    let content = bars(rows + 1, 1);
                    let staged = if writer == 1 && rows % 10 == 0 {
                        cache.stage(&content, footer(key.clone(), &content)).expect("stage")
                    } else {
                        let opened = cache.open_for_append(&entry).expect("open");
                        cache.stage_append(opened, content.bars(), rows, None, footer(key.clone(), &content)).expect("append")
                    };
                    appended.fetch_add(usize::from(staged.was_appended()), Ordering::SeqCst);
                    cache.commit(&[staged]).expect("commit");
                    acknowledged.store(rows + 1, Ordering::SeqCst);
                }
            });
        }
        for _reader in 0..2 {
            let (key, folder) = (key.clone(), folder.path());
            let (done, acknowledged) = (&done, &acknowledged);
            scope.spawn(move || {
                let cache = cache(folder);
                while !done.load(Ordering::SeqCst) {
                    let least = acknowledged.load(Ordering::SeqCst);
                    match cache.read_from_disk(&key) {
                        Ok(served) => {
                            let rows = served.content.bars().len();
                            assert_eq!(served.content, bars(rows, 1), "a mixture was served");
                            assert!(rows >= least, "{rows} rows were served after {least} had been acknowledged");
                        }
                        Err(CacheError::NotCached { .. }) => panic!("it was there"),
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert!(appended.load(Ordering::SeqCst) > (target - ROWS) / 2);
    let last = cache(folder.path());
    assert_eq!(last.read_from_disk(&key).expect("read").content, bars(target, 1));
    assert!(last.verify(false, &|_, _| {}).expect("verify").is_clean());
}
