//! Rows added to cached files where they lie: what is read back equals a whole write bit for bit, other programs can read it,
//! and what an append that was not committed leaves behind harms nobody.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

use samovar::cache::{Cache, CacheError, CacheOptions, Content, Entry, EntryKey, Folders, Footer, Found, Judge, Provenance};
use samovar::feature::{self, FeatureSet, FeatureTable};
use samovar::market::{Bars, DAY_US, DateRange, ManualClock, Quality, RawBars, Symbol};
use samovar::source::SourceId;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const START_US: i64 = 1_700_000_000_000_000;

fn open(folder: &Path) -> Cache {
    let options = CacheOptions::new(Folders::new(folder), 50_000_000, Arc::new(ManualClock::at(START_US)));
    Cache::open(options).expect("cache").0
}

/// A walk of so many daily bars; the first bars of a longer walk are the shorter walk.
fn bars(rows: usize) -> Arc<Bars> {
    let mut noise = 0x1234_5678_9abc_def1_u64;
    let mut next = || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        (noise >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut raw = RawBars::default();
    let mut close = 50.0;
    for row in 0..rows {
        let open = (close * (0.99 + 0.02 * next()) * 100.0_f64).round() / 100.0;
        close = (open * (0.98 + 0.04 * next()) * 100.0_f64).round() / 100.0;
        raw.time_us.push(row as i64 * DAY_US);
        raw.open.push(open);
        raw.close.push(close);
        raw.high.push(open.max(close) + 0.25);
        raw.low.push(open.min(close) - 0.25);
        raw.volume.push((1e6 * next()).round());
    }
    Arc::new(Bars::normalise(raw).0)
}

fn footer(key: EntryKey, provenance: Option<Provenance>) -> Footer {
    Footer {
        key,
        provenance,
        range: DateRange::ALL,
        fetched_at_us: START_US,
        quality: Quality::default(),
        synced: None,
        provisional_from_us: None,
        cost_us: 0,
        state: None,
        precision: samovar::feature::Precision::F64,
        rounding: None,
        years: None,
    }
}

fn bars_footer(symbol: &str) -> Footer {
    footer(EntryKey::bars(&SourceId::new("test"), &Symbol::new(symbol)), None)
}

fn features_footer(symbol: &str, set: &FeatureSet, bars: &Arc<Bars>) -> Footer {
    let key = EntryKey::features(&SourceId::new("test"), &Symbol::new(symbol), set.name());
    let inputs = Content::Bars(Arc::clone(bars)).fingerprint();
    footer(key, Some(Provenance { definition: set.definition_hash(), inputs }))
}

fn features(set: &FeatureSet, bars: &Arc<Bars>) -> Content {
    Content::Features { bars: Arc::clone(bars), table: Arc::new(feature::compute(set, bars)) }
}

fn put(cache: &Cache, content: &Content, footer: Footer) -> Entry {
    let staged = cache.stage(content, footer).expect("stage");
    assert!(!staged.was_appended());
    let entry = staged.entry.clone();
    cache.commit(&[staged]).expect("commit");
    entry
}

fn present(cache: &Cache, key: &EntryKey) -> Entry {
    cache.catalog().entry(key).expect("catalog").expect("a row")
}

fn path_of(cache: &Cache, entry: &Entry) -> PathBuf {
    cache.folders().absolute(&entry.key.dataset, &entry.file.as_ref().expect("a file").path)
}

fn tail_of(table: &FeatureTable, from: usize) -> FeatureTable {
    let columns = table.columns.iter().map(|column| column[from..].to_vec()).collect();
    FeatureTable { time_us: table.time_us[from..].to_vec(), columns, ..table.clone() }
}

/// Adds the rows of `bars` from `from` on to both files. Returns the bytes written, and whether they were appended.
fn append(cache: &Cache, set: &FeatureSet, bars: &Arc<Bars>, from: usize) -> [(u64, bool); 2] {
    let bars_footer = bars_footer("A");
    let features_footer = features_footer("A", set, bars);
    let entry = present(cache, &bars_footer.key);
    let opened = cache.open_for_append(&entry).expect("open");
    assert_eq!(opened.footer().key, bars_footer.key);
    let one = cache.stage_append(opened, bars, from, None, bars_footer).expect("bars");
    let Content::Features { table, .. } = features(set, bars) else { unreachable!() };
    let opened = cache.open_for_append(&present(cache, &features_footer.key)).expect("open");
    let two = cache.stage_append(opened, bars, from, Some(&tail_of(&table, from)), features_footer).expect("features");
    let written = [(one.bytes_written(), one.was_appended()), (two.bytes_written(), two.was_appended())];
    cache.commit(&[one, two]).expect("commit");
    written
}

fn assert_cached(cache: &Cache, set: &FeatureSet, bars: &Arc<Bars>) {
    let Found { served, .. } = cache.read(&bars_footer("A").key, &Judge::default()).expect("bars");
    assert_eq!(served.content, Content::Bars(Arc::clone(bars)));
    assert_eq!(served.entry.file.as_ref().expect("file").fingerprint, served.content.fingerprint());
    let expected = features(set, bars);
    let Found { served, .. } = cache.read(&features_footer("A", set, bars).key, &Judge::default()).expect("features");
    assert_eq!(served.content.fingerprint(), expected.fingerprint(), "{} rows", bars.len());
    let rows = served.entry.file.as_ref().expect("file").rows;
    assert_eq!(rows, bars.len() as u64);
}

fn filled(folder: &Path, set: &FeatureSet, rows: usize) -> Cache {
    let cache = open(folder);
    let bars = bars(rows);
    put(&cache, &Content::Bars(Arc::clone(&bars)), bars_footer("A"));
    put(&cache, &features(set, &bars), features_footer("A", set, &bars));
    cache
}

#[test]
fn one_row_writes_a_small_part_of_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let set = FeatureSet::classic();
    let cache = filled(folder.path(), &set, 1_259);
    let whole = |footer: &Footer| present(&cache, &footer.key).size_bytes();
    let grown = bars(1_260);
    let (bars_bytes, features_bytes) = (whole(&bars_footer("A")), whole(&features_footer("A", &set, &grown)));
    let [(bars_written, bars_appended), (features_written, features_appended)] = append(&cache, &set, &grown, 1_259);
    println!("bars: {bars_written} of {bars_bytes} bytes, features: {features_written} of {features_bytes} bytes");
    assert!(bars_appended && features_appended);
    assert!(features_written * 20 < features_bytes, "{features_written} of {features_bytes}");
    assert!(bars_written * 15 < bars_bytes, "{bars_written} of {bars_bytes}");
    assert_cached(&cache, &set, &grown);
    assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
    drop(cache);
    assert_cached(&open(folder.path()), &set, &grown);
}

#[test]
fn appended_day_by_day_in_batches_or_with_the_last_rows_replaced_it_equals_a_whole_write() {
    let set = FeatureSet::classic();
    for steps in [vec![1; 60], vec![7, 1, 20, 3, 1, 1, 1], vec![200]] {
        let folder = tempfile::tempdir().expect("folder");
        let cache = filled(folder.path(), &set, 100);
        let (mut rows, mut appended, mut anew) = (100, 0, 0);
        for step in steps {
            // The last row before was provisional: it comes again.
            let from = if rows > 100 && rows % 2 == 0 { rows - 1 } else { rows };
            rows += step;
            for (_, was_appended) in append(&cache, &set, &bars(rows), from) {
                *(if was_appended { &mut appended } else { &mut anew }) += 1;
            }
            assert_cached(&cache, &set, &bars(rows));
        }
        assert!(appended > 0, "nothing was appended");
        assert!(anew < appended, "{anew} files written anew, {appended} appended");
        assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
    }
}

#[test]
fn replaced_rows_count_and_rows_in_the_base_are_written_anew() {
    let folder = tempfile::tempdir().expect("folder");
    let cache = filled(folder.path(), &FeatureSet::classic(), 300);
    let mut changed = (*bars(302)).clone();
    changed.close[300] += 0.5;
    let changed = Arc::new(changed);
    let key = bars_footer("A").key;
    let add = |bars: &Arc<Bars>, from| {
        let staged = cache.stage_append(cache.open_for_append(&present(&cache, &key)).expect("open"), bars, from, None, bars_footer("A"));
        let staged = staged.expect("stage");
        let was_appended = staged.was_appended();
        cache.commit(&[staged]).expect("commit");
        assert_eq!(cache.read(&key, &Judge::default()).expect("read").served.content.bars(), bars);
        was_appended
    };
    assert!(add(&bars(302), 300));
    assert!(add(&changed, 300), "tail rows are replaced in place");
    let mut rewritten = (*changed).clone();
    rewritten.open[10] += 1.0;
    let rewritten = Arc::new(rewritten);
    assert!(!add(&rewritten, 10), "base rows are not");
    // A caller who is wrong about what is unchanged does not get a mixture.
    assert!(!add(&changed, 302));
}

#[test]
fn the_provisional_rows_of_a_whole_write_can_be_replaced_in_place() {
    let folder = tempfile::tempdir().expect("folder");
    let cache = open(folder.path());
    let provisional = Footer { provisional_from_us: Some(299 * DAY_US), ..bars_footer("A") };
    let entry = put(&cache, &Content::Bars(bars(300)), provisional);
    let opened = cache.open_for_append(&entry).expect("open");
    assert_eq!((opened.rows(), opened.base_rows()), (300, 299));
    let mut changed = (*bars(301)).clone();
    changed.close[299] += 0.25;
    let staged = cache.stage_append(opened, &Arc::new(changed.clone()), 299, None, bars_footer("A")).expect("stage");
    assert!(staged.was_appended());
    cache.commit(&[staged]).expect("commit");
    assert_eq!(**cache.read(&entry.key, &Judge::default()).expect("read").served.content.bars(), changed);
}

#[test]
fn an_append_that_was_given_up_or_cut_off_is_not_seen_and_does_not_last() {
    let folder = tempfile::tempdir().expect("folder");
    let cache = filled(folder.path(), &FeatureSet::classic(), 300);
    let key = bars_footer("A").key;
    let entry = present(&cache, &key);
    let path = path_of(&cache, &entry);
    let before = fs::read(&path).expect("file");
    let staged = cache.stage_append(cache.open_for_append(&entry).expect("open"), &bars(301), 300, None, bars_footer("A"));
    drop(staged.expect("staged, and given up"));
    let longer = fs::read(&path).expect("file");
    assert!(longer.len() > before.len() && longer.starts_with(&before));
    for rest in [longer.clone(), longer[..longer.len() - 5].to_vec()] {
        fs::write(&path, &rest).expect("write");
        assert_eq!(cache.read_from_disk(&key).expect("the committed version").content.bars().len(), 300);
        let report = cache.verify(false, &|_, _| {}).expect("verify");
        assert!(report.is_clean() && report.ok == 2, "{report:?}");
        assert_eq!(fs::read(&path).expect("file"), rest, "looking changes nothing");
    }
    assert!(cache.verify(true, &|_, _| {}).expect("repair").is_clean());
    assert_eq!(fs::read(&path).expect("file"), before, "what was cut off is cut away");
    fs::write(&path, &longer).expect("write");
    assert!(cache.verify(true, &|_, _| {}).expect("repair").is_clean());
    assert_eq!(cache.read(&key, &Judge::default()).expect("read").served.content.bars().len(), 301, "what was whole is taken in");
}

#[test]
fn without_the_catalog_the_longest_whole_version_is_found() {
    let folder = tempfile::tempdir().expect("folder");
    let set = FeatureSet::classic();
    let cache = filled(folder.path(), &set, 300);
    append(&cache, &set, &bars(301), 300);
    append(&cache, &set, &bars(302), 301);
    let path = path_of(&cache, &present(&cache, &bars_footer("A").key));
    drop(cache);
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(folder.path().join(format!("catalog.sqlite{suffix}"))));
    }
    let bytes = fs::read(&path).expect("file");
    fs::write(&path, &bytes[..bytes.len() - 100]).expect("cut");
    let cache = open(folder.path());
    assert_eq!(cache.read(&bars_footer("A").key, &Judge::default()).expect("bars").served.content.bars(), &bars(301));
    assert_eq!(
        cache.read(&features_footer("A", &set, &bars(302)).key, &Judge::default()).expect("features").served.content.bars(),
        &bars(302)
    );
    assert!(cache.verify(true, &|_, _| {}).expect("repair").is_clean());
    assert!(append(&cache, &set, &bars(302), 301)[0].1, "and can be added to");
}

#[test]
fn a_flipped_bit_in_an_appended_file_is_damage_not_an_older_version() {
    let folder = tempfile::tempdir().expect("folder");
    let set = FeatureSet::classic();
    let cache = filled(folder.path(), &set, 300);
    let before = present(&cache, &bars_footer("A").key).size_bytes();
    append(&cache, &set, &bars(301), 300);
    let entry = present(&cache, &bars_footer("A").key);
    let path = path_of(&cache, &entry);
    let mut bytes = fs::read(&path).expect("file");
    bytes[usize::try_from(before).expect("small") + 10] ^= 1;
    fs::write(&path, bytes).expect("write");
    assert!(matches!(cache.read(&entry.key, &Judge::default()), Err(CacheError::Damaged { .. })));
}

#[test]
fn two_writers_do_not_write_to_the_same_place() {
    let folder = tempfile::tempdir().expect("folder");
    let (one, two) = (filled(folder.path(), &FeatureSet::classic(), 300), open(folder.path()));
    let key = bars_footer("A").key;
    let entry = present(&one, &key);
    let first = one.open_for_append(&entry).expect("open");
    let second = two.open_for_append(&entry).expect("it can be read");
    let first = one.stage_append(first, &bars(301), 300, None, bars_footer("A")).expect("stage");
    assert!(first.was_appended());
    one.commit(&[first]).expect("commit");
    let second = two.stage_append(second, &bars(302), 300, None, bars_footer("A")).expect("stage");
    assert!(!second.was_appended(), "without the lock a new file is written");
    two.commit(&[second]).expect("commit");
    assert_eq!(one.read_from_disk(&key).expect("read").content.bars(), &bars(302));
    assert!(matches!(one.open_for_append(&entry), Err(CacheError::Changed { .. })), "a row of before is noticed");
}

#[test]
fn a_file_of_the_format_before_is_taken_in_and_added_to() {
    let folder = tempfile::tempdir().expect("folder");
    let place = folder.path().join("bars-v1/test");
    fs::create_dir_all(&place).expect("folder");
    fs::copy("tests/data/format-1/bars.parquet", place.join("OLD.parquet")).expect("copy");
    let cache = open(folder.path());
    let key = bars_footer("OLD").key;
    let Found { served, .. } = cache.read(&key, &Judge::default()).expect("adopted");
    let mut grown = (**served.content.bars()).clone();
    for column in [&mut grown.open, &mut grown.high, &mut grown.low, &mut grown.close, &mut grown.volume] {
        column.push(99.0);
    }
    grown.amount.as_mut().expect("amount").push(f64::NAN);
    grown.time_us.push(40 * DAY_US);
    let opened = cache.open_for_append(&present(&cache, &key)).expect("open");
    let staged = cache.stage_append(opened, &Arc::new(grown.clone()), 40, None, bars_footer("OLD")).expect("stage");
    assert!(staged.was_appended());
    cache.commit(&[staged]).expect("commit");
    let now = Content::Bars(Arc::new(grown)).fingerprint();
    assert_eq!(cache.read(&key, &Judge::default()).expect("read").served.content.fingerprint(), now);
}

/// A cache as the version before yearly files left it: `MIN` has intraday bars in one file, and features of them; `GONE`, the same
/// bars, was cleared; `DAY` is daily.
fn cache_of_format_4() -> (tempfile::TempDir, Cache, SourceId) {
    let folder = tempfile::tempdir().expect("folder");
    copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cache-4")), folder.path());
    let an_hour_later = Arc::new(ManualClock::at(1_795_292_799_840_096 + samovar::market::HOUR_US));
    let cache = Cache::open(CacheOptions::new(Folders::new(folder.path()), 50_000_000, an_hour_later)).expect("cache").0;
    (folder, cache, SourceId::new("files-data-d44ca93e2c00"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for item in fs::read_dir(from).expect("folder").flatten() {
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).expect("copy");
        }
    }
}

#[test]
fn intraday_bars_of_an_older_cache_are_read_and_become_years_when_they_are_written() {
    let (folder, cache, source) = cache_of_format_4();
    assert!(folder.path().join("catalog.sqlite.format-4").exists(), "a copy of the catalog as it was");
    assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
    let key = |symbol: &str| EntryKey::bars(&source, &Symbol::new(symbol));
    let features = EntryKey::features(&source, &Symbol::new("MIN"), "classic");
    let before = cache.read_from_disk(&key("MIN")).expect("read");
    let before_bars = Arc::clone(before.content.bars());
    assert_eq!((before_bars.len(), before.entry.file.as_ref().expect("a file").years.len()), (54, 0));
    let (day, features_before) = (present(&cache, &key("DAY")), present(&cache, &features));
    assert_eq!(cache.read_from_disk(&features).expect("features").content.features().expect("a table").names.len(), 45);
    cache.set_pinned(&[key("MIN")], true).expect("pinned");
    let single = path_of(&cache, &before.entry);
    // One bar more.
    let mut longer = (*before_bars).clone();
    longer.time_us.push(longer.last_us().expect("bars") + samovar::market::HOUR_US);
    for column in [&mut longer.open, &mut longer.high, &mut longer.low, &mut longer.close, &mut longer.volume] {
        column.push(*column.last().expect("a value"));
    }
    let longer = Arc::new(longer);
    let open = cache.open_for_append(&present(&cache, &key("MIN"))).expect("open");
    let footer = footer(key("MIN"), None);
    let staged = cache.stage_append(open, &longer, before_bars.len(), None, Footer { fetched_at_us: cache.now_us(), ..footer });
    cache.commit(&[staged.expect("staged")]).expect("committed");
    let entry = present(&cache, &key("MIN"));
    let years: Vec<(i32, u64)> = entry.file.as_ref().expect("files").years.iter().map(|file| (file.year, file.rows)).collect();
    assert_eq!(years, [(2021, 18), (2022, 18), (2023, 19)]);
    assert!(entry.pinned && !single.exists());
    assert_eq!(cache.read_from_disk(&key("MIN")).expect("read").content, Content::Bars(longer));
    // Everything else is as it was, and what was cleared comes back as it was kept then.
    assert_eq!((present(&cache, &key("DAY")), present(&cache, &features)), (day, features_before));
    cache.undo_clear(None).expect("undone");
    let back = cache.read_from_disk(&key("GONE")).expect("read");
    assert_eq!((back.content.bars().len(), &back.content.bars().close), (54, &before_bars.close));
    assert!(cache.verify(false, &|_, _| {}).expect("verify").is_clean());
}
