//! The power goes before every single file operation; what was not synchronised is kept, lost or torn by chance.

use super::faulty_files::{BeforeEach, CrashFiles};
use super::scenario::{Oracle, assert_before_or_after, assert_repairs_cleanly, open, steps};
use samovar::cache::SystemFiles;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Keeps the catalog as it was before each operation: its commits are durable, SQLite sees to that.
#[derive(Debug)]
struct KeepCatalog {
    cache: PathBuf,
    kept: PathBuf,
}

impl BeforeEach for KeepCatalog {
    fn tell(&self, done: usize) {
        copy_catalog(&self.cache, &self.kept.join(done.to_string()));
    }
}

fn copy_catalog(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for name in ["catalog.sqlite", "catalog.sqlite-wal"] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).expect("copy");
        }
    }
}

#[test]
fn after_a_power_loss_everything_acknowledged_is_there_and_nothing_is_torn() {
    let folder = tempfile::tempdir().expect("folder");
    let (root, kept) = (folder.path().join("disk"), folder.path().join("catalogs"));
    fs::create_dir_all(&root).expect("root");
    let keep = Arc::new(KeepCatalog { cache: root.join("cache"), kept: kept.clone() });
    let files = CrashFiles::below(&root, Arc::clone(&keep) as _);
    let cache = open(&root.join("cache"), Arc::new(files.clone()));
    cache.catalog().begin_job("Preheat", 0).expect("job");
    // How many operations were done when each state was acknowledged, the steps' order.
    let mut acknowledged = vec![(files.operations(), Oracle::new())];
    let mut cleared = Oracle::new();
    for step in steps() {
        let after = step.outcome(&acknowledged.last().expect("a state").1, &mut cleared);
        step.run(&cache).expect("step");
        acknowledged.push((files.operations(), after));
    }
    let operations = files.operations();
    keep.tell(operations);
    drop(cache);
    let first = acknowledged[0].0;
    let seeds = super::damage::runs(400) / 120;
    let mut laid_out = 0;
    for done in first..=operations {
        let reached = acknowledged.iter().rposition(|(at, _)| *at <= done).expect("a state");
        let before = &acknowledged[reached].1;
        let after = acknowledged.get(reached + 1).map_or(before, |(_, oracle)| oracle);
        for seed in 0..seeds as u64 {
            let context = format!("power loss before operation {done}, after step {reached}, seed {seed}");
            let disk = tempfile::tempdir().expect("folder");
            files.lay_out(done, seed * 1_000 + done as u64, disk.path());
            let place = disk.path().join("cache");
            copy_catalog(&kept.join(done.to_string()), &place);
            let cache = open(&place, Arc::new(SystemFiles));
            assert_before_or_after(&cache, before, after, &context);
            assert_repairs_cleanly(&cache, &context);
            laid_out += 1;
        }
    }
    assert!(laid_out >= 200, "{laid_out} disks from {operations} operations");
}
