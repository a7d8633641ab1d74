//! What happens to a cache from outside: an older program's catalog, damaged files, a catalog that is damaged or gone.

use super::{Known, Life, Slot};
use rand::Rng;
use rusqlite::Connection;

impl Life {
    /// Makes the catalog one of format 1, with the same files, and lets the program bring it to the newest.
    pub(super) fn migrate(&mut self) {
        drop(self.open());
        let path = self.place.cache.join("catalog.sqlite");
        let old = self.place.path("catalog-1.sqlite");
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/catalog-1.sqlite"), &old).expect("fixture");
        let database = Connection::open(&old).expect("database");
        database.execute_batch("DELETE FROM entries; DELETE FROM trash; DELETE FROM sources; DELETE FROM source_symbols;").expect("empty");
        database.execute("ATTACH ?1 AS new", [path.to_string_lossy()]).expect("attach");
        for table in ["entries", "trash", "sources", "source_symbols"] {
            let columns: Vec<String> = database
                .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
                .expect("columns")
                .query_map([], |row| row.get::<_, String>(0))
                .expect("columns")
                .map(|name| format!("\"{}\"", name.expect("name")))
                .collect();
            let columns = columns.join(", ");
            database.execute_batch(&format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")).expect("copied");
        }
        database.execute_batch("DETACH new").expect("detach");
        drop(database);
        for name in ["catalog.sqlite-wal", "catalog.sqlite-shm", "catalog.sqlite.sum", "catalog.sqlite.format-1"] {
            drop(std::fs::remove_file(self.place.cache.join(name)));
        }
        std::fs::rename(&old, &path).expect("in place");
        self.told("the catalog is one of format 1".to_owned());
        let ended = self.run(&["status", "--json"], "status", &["migration"]);
        self.is_acknowledged(&ended, &[]);
    }

    /// Damages files and lets the program mend them.
    pub(super) fn repair(&mut self) {
        let here = self.read("before damage");
        let keys: Vec<Slot> = here.keys().copied().collect();
        let mut damaged = Vec::new();
        for key in keys {
            if !self.random.random_bool(0.2) {
                continue;
            }
            let cache = self.open();
            let entry = cache.catalog().entry(&self.key(key)).expect("catalog").expect("a row");
            let path = cache.folders().absolute(&entry.key.dataset, &entry.file.expect("a file").path);
            drop(cache);
            let mut bytes = std::fs::read(&path).expect("file");
            match self.random.random_range(0..3) {
                0 => {
                    let (place, bit) = (self.random.random_range(0..bytes.len()), self.random.random_range(0..8));
                    bytes[place] ^= 1 << bit;
                    std::fs::write(&path, bytes).expect("flipped");
                }
                1 => {
                    bytes.truncate(self.random.random_range(0..bytes.len()));
                    std::fs::write(&path, bytes).expect("cut");
                }
                _ => std::fs::remove_file(&path).expect("removed"),
            }
            damaged.push(key);
        }
        self.told(format!("damaged {damaged:?}"));
        self.has_damage |= !damaged.is_empty();
        for key in &damaged {
            self.known.insert(*key, Known { oldest: 0, may_miss: true, must_miss: false });
        }
        let ended = self.run(
            &["verify", "--repair", "--json"],
            "repair",
            &[
                "quarantine_before_move",
                "quarantine_before_catalog",
                "commit_before_catalog",
                "stage_after_rename",
                "recovery_before_catalog",
            ],
        );
        if self.is_acknowledged(&ended, &[]) {
            for key in damaged {
                self.known.insert(key, Known { oldest: here[&key], may_miss: false, must_miss: false });
            }
        }
    }

    /// Takes the catalog away, or damages it, and lets the program rebuild it from files.
    pub(super) fn rebuild(&mut self) {
        drop(self.open());
        let catalog = self.place.cache.join("catalog.sqlite");
        let with_copies = self.random.random_bool(0.5);
        if !with_copies {
            drop(std::fs::remove_dir_all(self.place.cache.join("backups")));
        }
        let removed = self.random.random_bool(0.5);
        if removed {
            for suffix in ["", "-wal", "-shm", ".sum"] {
                drop(std::fs::remove_file(self.place.cache.join(format!("catalog.sqlite{suffix}"))));
            }
        } else {
            let mut bytes = std::fs::read(&catalog).expect("catalog");
            for _ in 0..20 {
                let place = self.random.random_range(0..bytes.len());
                bytes[place] = self.random.random();
            }
            std::fs::write(&catalog, bytes).expect("damage");
        }
        self.told(format!(
            "the catalog is {}, copies are {}",
            if removed { "gone" } else { "damaged" },
            if with_copies { "there" } else { "gone" }
        ));
        // The list of what is in the trash is as old as the copy it comes from.
        self.cleared = None;
        let ended = self.run(&["status", "--json"], "rebuild", &["recovery_before_catalog"]);
        self.is_acknowledged(&ended, &[]);
    }
}
