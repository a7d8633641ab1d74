//! The list of kill points is what the source text has.

use samovar::fault::KILL_POINTS;
use std::collections::BTreeSet;
use std::path::Path;

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for item in std::fs::read_dir(folder).expect("folder") {
        let path = item.expect("item").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            for call in text.split("kill_point(\"").skip(1) {
                found.insert(call.split('"').next().expect("a name").to_owned());
            }
        }
    }
}

#[test]
fn every_kill_point_is_listed_and_every_listed_one_exists() {
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let listed: BTreeSet<String> = KILL_POINTS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, listed);
    assert_eq!(listed.len(), KILL_POINTS.len(), "no name twice");
}
