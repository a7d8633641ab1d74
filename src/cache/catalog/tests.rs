//! Tests of the catalog: its queue, its readers, its migrations, and what it does with damage.

use super::*;
use crate::cache::counters::{Counters, Lookup, LookupReason, Tier};
use crate::cache::entry::{Dataset, Entry, EntryKey, Failure, FileFacts};
use crate::market::{Resolution, Symbol, parse_date};
use crate::source::{SourceId, SymbolInfo};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::mpsc::channel;

pub(super) fn key(symbol: &str) -> EntryKey {
    EntryKey::bars(&SourceId::new("test"), &Symbol::new(symbol))
}

pub(super) fn entry(symbol: &str, number: u64) -> Entry {
    let file = FileFacts {
        path: format!("test/{symbol}.parquet").into(),
        size_bytes: 1_000 + number,
        modified_us: 5,
        checksum: u128::from(number) << 70 | 1,
        fingerprint: u128::from(number) << 60 | 1,
        rows: number,
        first_us: 0,
        last_us: 86_400_000_000,
        resolution: Resolution::Daily,
        years: Vec::new(),
    };
    Entry { file: Some(file), fetched_at_us: 1_700_000_000_000_000, ..Entry::without_file(key(symbol)) }
}

fn path_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("catalog.sqlite")
}

#[test]
fn one_failing_or_panicking_request_takes_no_other_with_it() {
    let folder = tempfile::tempdir().expect("folder");
    let catalog = Catalog::open(&path_in(&folder)).expect("open");
    // The queue is kept busy until all the others wait, so that they share one transaction.
    let (go, wait) = channel::<()>();
    std::thread::scope(|scope| {
        let catalog = &catalog;
        let (started, has_started) = channel();
        scope.spawn(move || {
            catalog.write(move |_| {
                started.send(()).expect("told");
                wait.recv().expect("go");
                Ok(())
            })
        });
        has_started.recv().expect("the first is running");
        let good: Vec<_> =
            (0..8).map(|number| scope.spawn(move || catalog.put_entries(&[entry(&format!("GOOD{number}"), number)]))).collect();
        let refused = scope.spawn(move || {
            catalog.write(|connection| {
                connection.execute("INSERT INTO jobs (title, started_at_us, process_id) VALUES ('half', 0, 0)", [])?;
                connection.execute("INSERT INTO no_such_table VALUES (1)", []).map(|_| ())
            })
        });
        let panicking = scope.spawn(move || {
            catalog.write(|connection| -> rusqlite::Result<()> {
                connection.execute("INSERT INTO jobs (title, started_at_us, process_id) VALUES ('half', 0, 0)", [])?;
                std::panic::resume_unwind(Box::new("a mistake"))
            })
        });
        go.send(()).expect("still waiting");
        for one in good {
            one.join().expect("no panic").expect("written");
        }
        assert!(refused.join().expect("no panic").expect_err("refused").to_string().contains("no_such_table"));
        assert!(panicking.join().expect("the panic stays there").expect_err("told").to_string().contains("mistake"));
    });
    assert_eq!(catalog.entries(None).expect("read").len(), 8);
    assert!(catalog.jobs().expect("read").is_empty(), "what the failing ones began was taken back");
    catalog.put_entries(&[entry("AFTER", 9)]).expect("the queue lives on");
}

#[test]
fn readers_do_not_wait_for_a_writer_and_see_whole_commits_only() {
    let folder = tempfile::tempdir().expect("folder");
    let catalog = Catalog::open(&path_in(&folder)).expect("open");
    catalog.put_entries(&[entry("OLD", 1)]).expect("write");
    let before = catalog.data_version().expect("version");
    let (go, wait) = channel::<()>();
    std::thread::scope(|scope| {
        let (catalog, (half, is_half)) = (&catalog, channel());
        scope.spawn(move || {
            catalog.write(move |connection| {
                connection.execute("DELETE FROM entries", [])?;
                half.send(()).expect("told");
                wait.recv().expect("go");
                Ok(())
            })
        });
        is_half.recv().expect("half done");
        let readers: Vec<_> = (0..12).map(|_| scope.spawn(|| catalog.entries(None).expect("read").len())).collect();
        assert!(readers.into_iter().all(|reader| reader.join().expect("no panic") == 1));
        assert_eq!(catalog.data_version().expect("version"), before);
        go.send(()).expect("still waiting");
    });
    assert!(catalog.entries(None).expect("read").is_empty());
    assert_ne!(catalog.data_version().expect("version"), before);
}

#[test]
fn a_lock_of_another_program_is_told_as_such() {
    let folder = tempfile::tempdir().expect("folder");
    let catalog = Catalog::open_with(&path_in(&folder), Duration::from_millis(20)).expect("open");
    let other = Connection::open(path_in(&folder)).expect("another program");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    assert!(matches!(catalog.put_entries(&[entry("A", 1)]), Err(CacheError::CatalogBusy { .. })));
    other.execute_batch("ROLLBACK").expect("free again");
    catalog.put_entries(&[entry("A", 1)]).expect("written");
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    for sql in ["CREATE TABLE songs (title TEXT)", "PRAGMA application_id = 77; CREATE TABLE songs (title TEXT)"] {
        let path = folder.path().join(format!("{}.sqlite", sql.len()));
        Connection::open(&path).and_then(|other| other.execute_batch(sql)).expect("made");
        let before = std::fs::read(&path).expect("read");
        assert!(matches!(Catalog::open(&path), Err(CacheError::CatalogForeign { .. })), "{sql}");
        assert!(std::fs::read(&path).expect("read") == before);
    }
}

#[test]
fn a_newer_catalog_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    drop(Catalog::open(&path).expect("made"));
    at_rest::forget_sum(&path).expect("as a newer program would");
    Connection::open(&path).and_then(|other| other.pragma_update(None, "user_version", 99)).expect("newer");
    assert!(matches!(Catalog::open(&path), Err(CacheError::CatalogTooNew { found: 99, .. })));
}

/// A catalog of format 1 with what there was then: entries, trash, lookups, jobs, symbols.
fn format_1(folder: &tempfile::TempDir) -> PathBuf {
    let path = path_in(folder);
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/catalog-1.sqlite"), &path).expect("copied");
    path
}

#[test]
fn a_catalog_of_format_1_keeps_everything_and_a_copy() {
    let folder = tempfile::tempdir().expect("folder");
    let path = format_1(&folder);
    let catalog = Catalog::open(&path).expect("brought to the newest format");
    let entries = catalog.entries(None).expect("entries");
    assert_eq!(entries.len(), 5);
    let of = |symbol: &str, dataset: &str| {
        let key = EntryKey { source: SourceId::new("mysql-db-7"), symbol: Symbol::new(symbol), dataset: Dataset::from_name(dataset) };
        catalog.entry(&key).expect("read").expect(symbol)
    };
    let first = of("000001", "bars");
    let file = first.file.expect("a file");
    assert_eq!((first.pinned, first.hits, first.last_used_us), (true, 12, Some(1_700_000_001_000_000)));
    assert_eq!((file.rows, file.size_bytes, file.checksum, file.resolution), (251, 1_001, (1 << 120) + 1, Resolution::Daily));
    let second = of("BRK/B", "bars");
    assert_eq!((second.quality.missing_price, second.quality.broken_range), (3, 2));
    assert_eq!((second.range.start, second.range.end), (parse_date("2020-01-01"), parse_date("2023-12-31")));
    let third = of("贵州茅台", "bars");
    assert_eq!(third.invalidated_at_us, Some(1_700_000_002_000_000));
    assert_eq!(third.file.expect("a file").resolution, Resolution::Intraday);
    assert_eq!(of("000001", "classic").provenance.expect("provenance").inputs, (1 << 121) + 1);
    let failed = of("GONE 🫖", "bars");
    assert!(failed.file.is_none() && failed.failure.expect("failure").message.contains("verweigert"));
    let trash = catalog.trash_of_batch(1_700_000_004_000_000).expect("trash");
    assert_eq!(trash.iter().map(|(entry, _)| entry.key.symbol.as_str()).collect::<Vec<_>>(), ["ÅÄÖ", "ÅÄÖ"]);
    assert_eq!(catalog.trash_batches().expect("batches").first().map(|batch| batch.size_bytes), Some(1_006 + 1_007));
    assert_eq!(catalog.lookups_since(0, 1).expect("lookups").iter().map(|lookup| lookup.totals.count).sum::<u64>(), 8);
    assert_eq!(catalog.jobs().expect("jobs").iter().map(|job| job.title.as_str()).collect::<Vec<_>>(), ["Preheat", "Preheat 4 symbols"]);
    let (_, symbols) = catalog.symbols(&SourceId::new("mysql-db-7")).expect("symbols").expect("listed");
    assert_eq!(symbols.iter().map(|info| info.symbol.as_str()).collect::<Vec<_>>(), ["000001", "BRK/B", "贵州茅台"]);
    assert_eq!(catalog.symbols_counted_at_us(&SourceId::new("mysql-db-7")).expect("counted"), Some(0), "nobody wrote down when");
    assert!(catalog.check().expect("check").is_clean());
    drop(catalog);
    let copy = folder.path().join("catalog.sqlite.format-1");
    let kept = Connection::open(&copy).expect("the copy");
    assert_eq!(schema::format_of(&kept).expect("format"), 1);
    let count: i64 = kept.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).expect("count");
    assert_eq!(count, 5);
    drop(kept);
    let before = std::fs::read(&copy).expect("read");
    assert_eq!(Catalog::open(&path).expect("again").entries(None).expect("entries"), entries);
    assert!(std::fs::read(&copy).expect("read") == before, "made once");
}

#[test]
fn a_catalog_of_format_2_keeps_everything_and_knows_its_versions() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/catalog-2.sqlite"), &path).expect("copied");
    let catalog = Catalog::open(&path).expect("brought to the newest format");
    assert!(catalog.check().expect("check").is_clean());
    let (source, at_us) = (SourceId::new("mysql-db-7"), 1_700_000_000_000_000);
    let of = |symbol: &str, dataset: &str| {
        let key = EntryKey { source: source.clone(), symbol: Symbol::new(symbol), dataset: Dataset::from_name(dataset) };
        catalog.entry(&key).expect("read")
    };
    assert_eq!(catalog.entries(None).expect("entries").len(), 4);
    let bars = of("AAPL", "bars").expect("bars");
    assert!(bars.pinned);
    assert_eq!((bars.provisional_from_us, bars.cost_us), (Some(at_us), 2_510));
    assert_eq!(bars.synced.expect("synced").years.iter().map(|year| year.checksum).collect::<Vec<_>>(), [77]);
    let features = of("AAPL", "classic").expect("features");
    assert_eq!((features.hits, features.rows(), of("贵州茅台", "bars").expect("bars").failure.expect("failure").attempts), (3, 251, 4));
    assert_eq!(catalog.trash_batches().expect("trash").len(), 1);
    assert_eq!(catalog.changes(None, None, 9).expect("changes")[0].detail, "a split of 2:1");
    assert_eq!(catalog.quality_history(&source, &Symbol::new("AAPL")).expect("quality").len(), 1);
    assert_eq!(catalog.lookups_since(0, i64::MAX).expect("lookups").iter().map(|lookup| lookup.totals.count).sum::<u64>(), 3);
    assert_eq!(catalog.jobs().expect("jobs").iter().map(|job| job.title.as_str()).collect::<Vec<_>>(), ["Preheat 3 symbols"]);
    assert!(catalog.open_scrub().expect("scrubs").is_some());
    let versions = catalog.set_versions().expect("versions");
    let [classic] = &versions[..] else { panic!("{versions:?}") };
    assert_eq!(Some(classic.version.definition), features.provenance.map(|made| made.definition));
    assert_eq!((&*classic.version.set, &*classic.version.text, classic.entries_computed, classic.rows_computed), ("classic", "", 2, 350));
    assert_eq!((classic.first_used_us, classic.last_used_us, classic.rounding), (at_us, at_us, None));
    drop(catalog);
    let kept = Connection::open(folder.path().join("catalog.sqlite.format-2")).expect("the copy");
    assert_eq!(schema::format_of(&kept).expect("format"), 2);
}

#[test]
fn a_migration_that_ends_in_the_middle_leaves_the_old_format() {
    let folder = tempfile::tempdir().expect("folder");
    let path = format_1(&folder);
    // This test run once more, as a process that is to be killed; `cargo test` built it with debug assertions.
    let victim = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "cache::catalog::tests::migrates_in_a_process_of_its_own"])
        .env("SAMOVAR_KILL_AT", "migration")
        .env("SAMOVAR_TEST_CATALOG", &path)
        .output()
        .expect("ran");
    assert!(!victim.status.success(), "it was killed: {victim:?}");
    let old = Connection::open(&path).expect("open");
    assert_eq!(schema::format_of(&old).expect("format"), 1);
    assert!(old.prepare("SELECT seal FROM entries").is_err(), "none of the step is there");
    drop(old);
    assert_eq!(Catalog::open(&path).expect("migrated now").entries(None).expect("entries").len(), 5);
}

/// Does something only where the test above runs it, in a process that is killed.
#[test]
fn migrates_in_a_process_of_its_own() {
    let Some(path) = std::env::var_os("SAMOVAR_TEST_CATALOG") else { return };
    drop(Catalog::open(Path::new(&path)));
}

#[test]
fn entries_keep_their_seals_through_every_change() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    let catalog = Catalog::open(&path).expect("open");
    let keys: Vec<EntryKey> = ["A", "B", "C"].map(key).to_vec();
    catalog.put_entries(&["A", "B", "C"].map(|symbol| entry(symbol, 7))).expect("put");
    catalog.set_pinned(&keys[..1], true).expect("pin");
    catalog.put_entries(&[entry("A", 8)]).expect("put again");
    assert!(catalog.entry(&keys[0]).expect("read").expect("there").pinned, "a pin outlives new content");
    let counters = Counters::new(true);
    for _ in 0..3 {
        let (tier, reason, elapsed) = (Tier::Disk, LookupReason::Fresh, Duration::from_micros(5));
        counters.count(&Lookup { key: &keys[0], tier, reason, size_bytes: 1, elapsed, source_cost_us: 0, now_us: 77 });
    }
    catalog.add_lookups(&std::sync::Arc::new(counters.take().expect("counted")), 77).expect("hits");
    catalog.invalidate(&keys[1..2], 5).expect("invalidate");
    let failure = Failure { at_us: 1, message: "no".to_owned(), attempts: 2, next_attempt_us: Some(9) };
    catalog.put_failures(&[(keys[0].clone(), failure.clone()), (key("D"), failure.clone())]).expect("failures");
    let first = catalog.entry(&keys[0]).expect("read").expect("there");
    assert_eq!((first.hits, first.last_used_us, first.failure), (3, Some(77), Some(failure)));
    let touched = Touched {
        key: keys[1].clone(),
        fetched_at_us: 10,
        range: crate::market::DateRange::ALL,
        quality: first.quality,
        synced: None,
        provisional_from_us: None,
    };
    let unknown = Touched { key: key("D"), ..touched.clone() };
    assert_eq!(catalog.touch_entries(&[touched, unknown]).expect("touch"), [key("D")]);
    assert_eq!(catalog.entry(&keys[1]).expect("read").expect("there").invalidated_at_us, None);
    catalog.mark_damaged(&entry("C", 6), 5).expect("another file by now");
    assert!(catalog.entry(&keys[2]).expect("read").expect("there").file.is_some());
    catalog.mark_damaged(&entry("C", 7), 5).expect("damaged");
    let third = catalog.entry(&keys[2]).expect("read").expect("there");
    assert_eq!((third.file, third.damaged_at_us), (None, Some(5)));
    let batch = catalog.trash_entries(&[(keys[0].clone(), "one".to_owned())], 3).expect("trash");
    let waiting = catalog.trash_of_batch(batch).expect("trash");
    catalog.untrash(batch, &waiting, &[]).expect("back");
    assert!(catalog.entry(&keys[0]).expect("read").expect("there").pinned);
    assert!(catalog.check().expect("check").is_clean());
    assert_eq!(catalog.entries(None).expect("read").len(), 4);
}

fn filled(path: &Path) -> Vec<Entry> {
    let catalog = Catalog::open(path).expect("open");
    let entries: Vec<Entry> = (0..60).map(|number| entry(&format!("S{number:03}"), number)).collect();
    catalog.put_entries(&entries).expect("put");
    catalog.trash_entries(&[(key("S000"), "a".to_owned()), (key("S001"), "b".to_owned())], 9).expect("trash");
    catalog.entries(None).expect("read")
}

#[test]
fn every_flipped_bit_of_a_closed_catalog_is_noticed_when_it_is_opened() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    let entries = filled(&path);
    let good = std::fs::read(&path).expect("read");
    assert!(!folder.path().join("catalog.sqlite-wal").exists() && folder.path().join("catalog.sqlite.sum").exists());
    let mut random = StdRng::seed_from_u64(3);
    for _ in 0..400 {
        let mut bad = good.clone();
        let byte = random.random_range(0..bad.len());
        bad[byte] ^= 1 << random.random_range(0..8);
        std::fs::write(&path, &bad).expect("write");
        assert!(matches!(Catalog::open(&path), Err(CacheError::CatalogDamaged { .. })), "byte {byte}");
        assert!(std::fs::read(&path).expect("read") == bad, "left as it was found");
    }
    for length in [0, 1, 100, 4_096, good.len() - 1] {
        std::fs::write(&path, &good[..length]).expect("write");
        assert!(matches!(Catalog::open(&path), Err(CacheError::CatalogDamaged { .. })), "{length} bytes");
    }
    std::fs::write(&path, &good).expect("write");
    let catalog = Catalog::open(&path).expect("whole again");
    assert!(catalog.was_closed_well());
    assert_eq!(catalog.entries(None).expect("read"), entries);
}

#[test]
fn a_flipped_bit_of_a_catalog_that_was_not_closed_is_never_served() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    let entries = filled(&path);
    let good = std::fs::read(&path).expect("read");
    let mut random = StdRng::seed_from_u64(4);
    let (mut at_opening, mut harmless) = (0, 0);
    for turn in 0..300 {
        let mut bad = good.clone();
        let byte = random.random_range(0..bad.len());
        bad[byte] ^= 1 << random.random_range(0..8);
        for suffix in [".sum", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_os_string();
            name.push(suffix);
            if Path::new(&name).exists() {
                std::fs::remove_file(name).expect("as after a kill");
            }
        }
        std::fs::write(&path, &bad).expect("write");
        match Catalog::open(&path) {
            // The format's number or the owner's mark: refused, nothing is served.
            Err(CacheError::CatalogDamaged { .. } | CacheError::CatalogTooNew { .. } | CacheError::CatalogForeign { .. }) => {
                at_opening += 1;
            }
            Err(other) => panic!("turn {turn}, byte {byte}: {other}"),
            Ok(catalog) => {
                harmless += 1;
                let found: Vec<Entry> =
                    catalog.entries(None).expect("read").into_iter().map(|entry| Entry { hits: 0, last_used_us: None, ..entry }).collect();
                assert_eq!(found, entries, "turn {turn}, byte {byte}");
            }
        }
    }
    assert!(at_opening > 20 && harmless > 20, "{at_opening} at opening, {harmless} harmless");
}

#[test]
fn rows_damaged_while_the_catalog_is_open_are_not_served_and_can_be_removed() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    let entries = filled(&path);
    let catalog = Catalog::open(&path).expect("open");
    // What a flipped bit on the disk does to what is read later, done by another program.
    let other = Connection::open(&path).expect("another program");
    other.execute("UPDATE entries SET fetched_at_us = fetched_at_us + 4096 WHERE symbol = 'S010'", []).expect("damaged");
    other.execute("UPDATE trash SET trashed_at_us = trashed_at_us - 512 WHERE symbol = 'S001'", []).expect("damaged");
    drop(other);
    assert_eq!(catalog.entry(&key("S010")).expect("read"), None);
    assert_eq!(catalog.entries(None).expect("read").len(), entries.len() - 1);
    catalog.invalidate(&[key("S010")], 1).expect("damage gets no valid seal");
    assert_eq!(catalog.entry(&key("S010")).expect("read"), None);
    let check = catalog.check().expect("check");
    assert_eq!(check.rows.len(), 2, "{check:?}");
    assert!(check.rows[0].contains("test S010 bars"), "{check:?}");
    assert_eq!(catalog.remove_broken_rows().expect("removed"), 2);
    assert!(catalog.check().expect("check").is_clean());
    catalog.put_entries(&[entry("S010", 10)]).expect("from its file");
    assert_eq!(catalog.entries(None).expect("read").len(), entries.len());
}

#[test]
fn the_sum_is_written_by_the_last_to_close_and_gone_once_somebody_writes() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    let sum = folder.path().join("catalog.sqlite.sum");
    let one = Catalog::open(&path).expect("one");
    let two = Catalog::open(&path).expect("two");
    assert!(!sum.exists());
    drop(one);
    assert!(!sum.exists(), "the other may still write");
    drop(two);
    assert!(sum.exists());
    let reading = Catalog::open(&path).expect("reading");
    assert!(reading.was_closed_well() && reading.entries(None).expect("read").is_empty());
    drop(reading);
    let before = std::fs::metadata(&sum).expect("there").modified().expect("a time");
    assert!(sum.exists());
    assert_eq!(std::fs::metadata(&sum).expect("there").modified().expect("a time"), before, "who only reads leaves it");
    let writing = Catalog::open(&path).expect("writing");
    writing.put_entries(&[entry("A", 1)]).expect("put");
    assert!(!sum.exists());
    drop(writing);
    assert!(sum.exists());
    // A damaged sum is no damaged catalog.
    let mut text = std::fs::read(&sum).expect("read");
    text[30] ^= 4;
    std::fs::write(&sum, text).expect("write");
    let again = Catalog::open(&path).expect("checked row by row");
    assert!(!again.was_closed_well());
    assert_eq!(again.entries(None).expect("read").len(), 1);
}

#[test]
fn many_may_open_a_new_or_an_old_catalog_at_once() {
    for old in [false, true] {
        for _ in 0..5 {
            let folder = tempfile::tempdir().expect("folder");
            let path = if old { format_1(&folder) } else { path_in(&folder) };
            let together = std::sync::Barrier::new(6);
            std::thread::scope(|scope| {
                for number in 0..6 {
                    let (path, together) = (&path, &together);
                    scope.spawn(move || {
                        together.wait();
                        let catalog = Catalog::open(path).expect("open");
                        catalog.put_entries(&[entry(&format!("N{number}"), number)]).expect("put");
                        assert!(catalog.entry(&key(&format!("N{number}"))).expect("read").is_some());
                    });
                }
            });
            let catalog = Catalog::open(&path).expect("open");
            assert_eq!(catalog.entries(None).expect("read").len(), if old { 11 } else { 6 });
            let copies: Vec<_> = std::fs::read_dir(folder.path())
                .expect("list")
                .map(|item| item.expect("an item").file_name().to_string_lossy().into_owned())
                .filter(|name| name.contains("format"))
                .collect();
            if old {
                assert_eq!(copies, ["catalog.sqlite.format-1"]);
                let copy = Connection::open(folder.path().join("catalog.sqlite.format-1")).expect("copy");
                assert_eq!(schema::format_of(&copy).expect("format"), 1);
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_catalog_that_was_replaced_takes_nothing_that_would_be_lost() {
    let folder = tempfile::tempdir().expect("folder");
    let path = path_in(&folder);
    let catalog = Catalog::open(&path).expect("open");
    catalog.put_entries(&[entry("A", 1)]).expect("put");
    assert!(!catalog.was_replaced());
    std::fs::rename(&path, folder.path().join("aside")).expect("moved aside");
    assert!(catalog.was_replaced());
    let refused = catalog.put_entries(&[entry("B", 1)]).expect_err("refused").to_string();
    assert!(refused.contains("removed or replaced while it was open"), "{refused}");
    assert_eq!(catalog.entries(None).expect("what was there").len(), 1);
}

#[test]
fn symbols_that_were_looked_at_keep_their_counts() {
    let folder = tempfile::tempdir().expect("folder");
    let catalog = Catalog::open(&path_in(&folder)).expect("catalog");
    let source = SourceId::new("test");
    let info = |symbol: &str, last_us| SymbolInfo { symbol: Symbol::new(symbol), first_us: Some(1), last_us: Some(last_us), bar_count: 3 };
    assert_eq!(catalog.symbols_counted_at_us(&source).expect("read"), None);
    catalog.put_symbols(&source, "sample:", &[info("A", 5), info("B", 6)], 100).expect("listed");
    catalog.touch_symbols(&source, &[info("A", 5), info("B", 9)], 200).expect("looked at");
    assert_eq!(catalog.symbols(&source).expect("read"), Some((200, vec![info("A", 5), info("B", 9)])));
    assert_eq!(catalog.symbols_counted_at_us(&source).expect("read"), Some(100));
}
