//! Flipped bits and cut-off files: never served, all found, all repaired.

use super::scenario::{Step, bars, bars_key, features_key, open, redefined, same, steps};
use samovar::cache::{Cache, CacheError, Content, EntryKey, Found, Judge, SystemFiles};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many random runs: `SAMOVAR_FAULT_RUNS`, or so many.
pub fn runs(usual: usize) -> usize {
    std::env::var("SAMOVAR_FAULT_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual).max(usual)
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

/// A cache with whole, appended and rewritten files, and what each holds.
fn filled(folder: &Path) -> (Cache, Vec<(EntryKey, Content)>) {
    let cache = open(folder, Arc::new(SystemFiles));
    for step in steps() {
        step.run(&cache).expect("step");
    }
    (cache, vec![(bars_key("A"), bars(52, 3)), (bars_key("B"), bars(40, 2)), (bars_key("C"), bars(40, 1)), (features_key(), redefined(46))])
}

fn path_of(cache: &Cache, key: &EntryKey) -> PathBuf {
    let entry = cache.catalog().entry(key).expect("catalog").expect("a row");
    cache.folders().absolute(&key.dataset, &entry.file.expect("a file").path)
}

#[test]
fn no_flipped_bit_and_no_cut_is_ever_served_and_verify_finds_and_repairs_all() {
    let folder = tempfile::tempdir().expect("folder");
    let (cache, contents) = filled(folder.path());
    let mut chance = Chance(7);
    for run in 0..runs(300) {
        let (key, content) = &contents[chance.below(contents.len())];
        let path = path_of(&cache, key);
        let whole = fs::read(&path).expect("file");
        let mut damaged = whole.clone();
        let cut = run % 10 == 9;
        if cut {
            damaged.truncate(chance.below(whole.len()));
        } else {
            damaged[chance.below(whole.len())] ^= 1 << chance.below(8);
        }
        fs::write(&path, &damaged).expect("damage");
        let context = format!("run {run} of {key:?}");
        let report = cache.verify(false, &|_, _| {}).expect("verify");
        assert_eq!((report.damaged.len(), report.missing.len()), (1, 0), "{context}: {report:?}");
        if run % 2 == 0 {
            assert!(matches!(cache.read_from_disk(key), Err(CacheError::Damaged { .. })), "{context} was served");
        } else {
            assert_eq!(cache.verify(true, &|_, _| {}).expect("repair").to_restore, std::slice::from_ref(key), "{context}");
        }
        assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean(), "{context}");
        assert!(matches!(cache.read_from_disk(key), Err(CacheError::NotCached { .. })), "{context}");
        // What a preheat does then; every other time as it came to be, in steps.
        Step::Put(vec![(key.clone(), content.clone())]).run(&cache).expect("again");
        if run % 4 == 0 {
            let rows = content.bars().len();
            Step::Append(key.clone(), content.clone(), rows - 1).run(&cache).expect("append");
            assert!(fs::metadata(&path).expect("file").len() != whole.len() as u64 || !cut);
        }
        assert!(same(Some(&cache.read(key, &Judge::default()).expect("read").served.content), Some(content)), "{context}");
    }
    assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}

#[test]
fn a_rebuilt_catalog_takes_in_no_damaged_file() {
    for run in 0..runs(300) / 10 {
        let folder = tempfile::tempdir().expect("folder");
        let (cache, contents) = filled(folder.path());
        let mut chance = Chance(1_000 + run as u64);
        let (key, content) = &contents[chance.below(contents.len())];
        let path = path_of(&cache, key);
        drop(cache);
        let mut bytes = fs::read(&path).expect("file");
        let at = chance.below(bytes.len());
        bytes[at] ^= 1 << chance.below(8);
        fs::write(&path, &bytes).expect("damage");
        for suffix in ["", "-wal", "-shm"] {
            drop(fs::remove_file(folder.path().join(format!("catalog.sqlite{suffix}"))));
        }
        // A copy would take its place; here the files are all there is.
        drop(fs::remove_dir_all(folder.path().join("backups")));
        let cache = open(folder.path(), Arc::new(SystemFiles));
        for (other, expected) in &contents {
            match cache.read(other, &Judge::default()) {
                Ok(Found { served, .. }) if other != key => assert!(same(Some(&served.content), Some(expected)), "{other:?}"),
                // Of an appended file, the version before the damaged rows may be found.
                Ok(Found { served, .. }) => assert!(is_beginning(&served.content, content), "byte {at} of {key:?}"),
                Err(CacheError::NotCached { .. }) if other == key => {}
                Err(error) => panic!("{other:?}: {error}"),
            }
        }
    }
}

/// Whether one has the first rows of the other, or all but the last few that an append replaced.
fn is_beginning(found: &Content, whole: &Content) -> bool {
    let rows = found.bars().len();
    rows <= whole.bars().len() && found.bars().close[..rows - 1] == whole.bars().close[..rows - 1]
}
