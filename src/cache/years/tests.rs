//! Years of one entry: what a commit touches, what is found when one of them is damaged or gone, and what files alone tell.

use super::super::test_cache::{TestCache, bars_of};
use super::super::{Batch, Cache, CacheError, Content, DatasetFilter, Entry, EntryKey, EntryState, Footer, Selection, Staged, batch_of};
use super::*;
use crate::market::{DAY_US, DateRange, HOUR_US, Quality, RawBars, parse_date};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// Four bars a day, on some days of these years: as many as are asked for, the last one of them at a price of its own.
fn bars(years: std::ops::RangeInclusive<i32>, days: i64, last_close: f64) -> Arc<Bars> {
    let mut times = Vec::new();
    for year in years {
        let start_us = micros_of_date(NaiveDate::from_ymd_opt(year, 1, 1).expect("a year"));
        times.extend((0..days * 4).map(|bar| start_us + bar / 4 * DAY_US + (10 + bar % 4) * HOUR_US));
    }
    with_times(times, last_close)
}

fn with_times(times: Vec<i64>, last_close: f64) -> Arc<Bars> {
    let price = |time: &i64| 10.0 + (time / HOUR_US % 97) as f64 / 8.0;
    let mut close: Vec<f64> = times.iter().map(price).collect();
    if let Some(last) = close.last_mut() {
        *last = last_close;
    }
    let amount = times.iter().map(|time| if time % (5 * HOUR_US) == 0 { f64::NAN } else { price(time) * 100.0 }).collect();
    let raw = RawBars {
        open: close.clone(),
        high: close.clone(),
        low: close.clone(),
        volume: vec![1.0; times.len()],
        amount,
        close,
        time_us: times,
        ..RawBars::default()
    };
    Arc::new(Bars::normalise(raw).0)
}

/// The same bars with some more behind them.
fn longer(bars: &Bars, times: Vec<i64>) -> Arc<Bars> {
    let more = with_times(times, 4.0);
    let mut longer = bars.clone();
    longer.time_us.extend(&more.time_us);
    let Bars { open, high, low, close, volume, .. } = &mut longer;
    for (column, more) in [(open, &more.open), (high, &more.high), (low, &more.low), (close, &more.close), (volume, &more.volume)] {
        column.extend(more);
    }
    longer.amount.as_mut().expect("amounts").extend(more.amount.as_ref().expect("amounts"));
    Arc::new(longer)
}

/// The same bars with another close in the middle of a year.
fn changed_in(bars: &Bars, year: i32) -> Arc<Bars> {
    let mut bars = bars.clone();
    let rows = years_of(&bars.time_us).into_iter().find(|(of, _)| *of == year).expect("the year").1;
    bars.close[rows.start + rows.len() / 2] += 1.0;
    Arc::new(bars)
}

fn footer(cache: &Cache, symbol: &str) -> Footer {
    Footer {
        key: bars_of(symbol),
        provenance: None,
        range: DateRange::ALL,
        fetched_at_us: cache.now_us(),
        quality: Quality::default(),
        synced: None,
        provisional_from_us: None,
        cost_us: 7,
        state: None,
        precision: crate::feature::Precision::F64,
        rounding: None,
        years: None,
    }
}

fn stage(cache: &Cache, symbol: &str, bars: &Arc<Bars>) -> Staged {
    cache.stage(&Content::Bars(Arc::clone(bars)), footer(cache, symbol)).expect("staged")
}

fn put(cache: &Cache, symbol: &str, bars: &Arc<Bars>) {
    let staged = stage(cache, symbol, bars);
    cache.commit(&[staged]).expect("committed");
}

fn entry(cache: &Cache, symbol: &str) -> Entry {
    cache.catalog().entry(&bars_of(symbol)).expect("catalog").expect("an entry")
}

/// Adds to what is cached, not yet committed.
fn staged_append(cache: &Cache, symbol: &str, bars: &Arc<Bars>, from_row: usize) -> Staged {
    let open = cache.open_for_append(&entry(cache, symbol)).expect("open");
    cache.stage_append(open, bars, from_row, None, footer(cache, symbol)).expect("staged")
}

fn append(cache: &Cache, symbol: &str, bars: &Arc<Bars>, from_row: usize) -> u64 {
    let staged = staged_append(cache, symbol, bars, from_row);
    let written = staged.bytes_written();
    cache.commit(&[staged]).expect("committed");
    written
}

fn folder(cache: &Cache, symbol: &str) -> PathBuf {
    cache.folder_of(&bars_of(symbol))
}

/// Name, bytes, date and inode of every file in a folder.
fn files_in(folder: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime, u64)> {
    let mut found = BTreeMap::new();
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let metadata = item.metadata().expect("metadata");
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let bytes = fs::read(item.path()).expect("read");
        found.insert(item.file_name().to_string_lossy().into_owned(), (bytes, metadata.modified().expect("a date"), inode));
    }
    found
}

/// The names of files that are not what they were.
fn differing(before: &BTreeMap<String, (Vec<u8>, std::time::SystemTime, u64)>, folder: &Path) -> Vec<String> {
    let now = files_in(folder);
    let names: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != now.get(*name)).cloned().collect()
}

#[track_caller]
fn assert_has(cache: &Cache, symbol: &str, bars: &Bars) {
    let served = cache.read_from_disk(&bars_of(symbol)).expect("read");
    // NaN equals itself here.
    assert_eq!(served.content.fingerprint(), Content::Bars(Arc::new(bars.clone())).fingerprint());
    assert_eq!(served.content.bars().time_us, bars.time_us);
    assert_eq!(served.entry.file.as_ref().expect("a file").fingerprint, served.content.fingerprint());
    assert_eq!(served.entry.rows(), bars.len() as u64);
}

#[track_caller]
fn assert_clean(cache: &Cache) {
    let report = cache.verify(false, &|_, _| {}).expect("verify");
    assert!(report.is_clean(), "{report:?}");
}

fn flip(path: &Path, byte: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[byte] ^= 8;
    fs::write(path, bytes).expect("flipped");
}

fn cleared(test: &TestCache) {
    test.cache.clear(&Selection { datasets: DatasetFilter::Bars, ..Selection::default() }, &test.judge).expect("clear");
}

#[test]
fn intraday_bars_have_a_file_per_year_and_daily_ones_a_single_one() {
    let test = TestCache::new();
    let bars = bars(2020..=2022, 200, 1.5);
    put(&test.cache, "A", &bars);
    test.put_bars("D", 900, 1.0, 0);
    assert_has(&test.cache, "A", &bars);
    assert_eq!(files_in(&folder(&test.cache, "A")).keys().collect::<Vec<_>>(), ["2020.parquet", "2021.parquet", "2022.parquet"]);
    let entry_of_a = entry(&test.cache, "A");
    let facts = entry_of_a.file.as_ref().expect("files");
    assert_eq!(facts.path, Path::new("test/A"));
    assert_eq!(facts.years.iter().map(|file| (file.year, file.rows)).collect::<Vec<_>>(), [(2020, 800), (2021, 800), (2022, 800)]);
    let on_disk: usize = files_in(&folder(&test.cache, "A")).values().map(|(bytes, ..)| bytes.len()).sum();
    assert_eq!(facts.size_bytes, on_disk as u64);
    assert!(entry(&test.cache, "D").file.expect("a file").years.is_empty());
    assert_clean(&test.cache);
    // Another process reads the same, and by the hand of others each file is plain Parquet of its year.
    assert_has(&test.another(), "A", &bars);
    let year = parquet_bars(&folder(&test.cache, "A").join("2021.parquet"));
    assert_eq!(year, batch_of(&Content::Bars(Arc::new(rows_of(&bars, &(800..1600))))).expect("a batch").num_rows());
    assert_eq!(test.cache.costs().expect("costs").years.get(&2021).copied(), Some(facts.years[1].size_bytes + daily_share(&test, 2021)));
}

fn daily_share(test: &TestCache, year: i32) -> u64 {
    let daily = super::super::costs_of(&[entry(&test.cache, "D")]);
    daily.years.get(&year).copied().unwrap_or_default()
}

fn parquet_bars(path: &Path) -> usize {
    let file = fs::File::open(path).expect("file");
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("parquet").build().expect("reader");
    reader.map(|batch| batch.expect("a batch").num_rows()).sum()
}

#[test]
fn adding_within_a_year_writes_behind_its_file_and_touches_no_other() {
    let test = TestCache::new();
    let before = bars(2020..=2022, 300, 1.5);
    put(&test.cache, "A", &before);
    let files = files_in(&folder(&test.cache, "A"));
    let last = before.last_us().expect("bars");
    let after = longer(&before, (0..4).map(|bar| last + DAY_US - 3 * HOUR_US + bar * HOUR_US).collect());
    let staged = staged_append(&test.cache, "A", &after, before.len());
    assert!(staged.was_appended() && staged.waiting.is_empty());
    let written = staged.bytes_written();
    assert!(written < files["2022.parquet"].0.len() as u64 / 2, "{written} bytes");
    test.cache.commit(&[staged]).expect("committed");
    assert_eq!(differing(&files, &folder(&test.cache, "A")), ["2022.parquet"]);
    let now = &files_in(&folder(&test.cache, "A"))["2022.parquet"];
    assert_eq!(now.2, files["2022.parquet"].2, "the same file");
    assert!(now.0.starts_with(&files["2022.parquet"].0), "what was there stands");
    assert_has(&test.cache, "A", &after);
    assert_clean(&test.cache);
}

#[test]
fn adding_across_new_year_adds_a_file() {
    let test = TestCache::new();
    let before = bars(2020..=2021, 365, 1.5);
    put(&test.cache, "A", &before);
    let files = files_in(&folder(&test.cache, "A"));
    let after = longer(&before, bars(2022..=2022, 1, 1.0).time_us.clone());
    append(&test.cache, "A", &after, before.len());
    assert_eq!(differing(&files, &folder(&test.cache, "A")), ["2022.parquet"]);
    assert_has(&test.cache, "A", &after);
    // And the next day is added behind that one.
    let longer = longer(&after, vec![after.last_us().expect("bars") + HOUR_US]);
    let staged = staged_append(&test.cache, "A", &longer, after.len());
    assert!(staged.waiting.is_empty());
    test.cache.commit(&[staged]).expect("committed");
    assert_has(&test.another(), "A", &longer);
    assert_clean(&test.cache);
}

#[test]
fn a_rewritten_year_replaces_its_file_only() {
    let test = TestCache::new();
    let before = bars(2019..=2023, 100, 1.5);
    put(&test.cache, "A", &before);
    for year in [2021, 2019, 2023] {
        let files = files_in(&folder(&test.cache, "A"));
        let now = changed_in(test.cache.read_from_disk(&bars_of("A")).expect("read").content.bars(), year);
        let from_row = years_of(&now.time_us).into_iter().find(|(of, _)| *of == year).expect("year").1.start;
        append(&test.cache, "A", &now, from_row);
        assert_eq!(differing(&files, &folder(&test.cache, "A")), [format!("{year}.parquet")]);
        assert_has(&test.cache, "A", &now);
        assert_clean(&test.cache);
    }
    // A year that is gone takes its file with it.
    let present = test.cache.read_from_disk(&bars_of("A")).expect("read");
    let bars = present.content.bars();
    let without: Vec<i64> = bars.time_us.iter().copied().filter(|time| date_of(*time).year() != 2020).collect();
    let rows: Vec<usize> = bars.time_us.iter().enumerate().filter(|(_, time)| without.contains(time)).map(|(row, _)| row).collect();
    let pick = |column: &[f64]| rows.iter().map(|row| column[*row]).collect::<Vec<_>>();
    let now = Arc::new(Bars {
        resolution: bars.resolution,
        open: pick(&bars.open),
        high: pick(&bars.high),
        low: pick(&bars.low),
        close: pick(&bars.close),
        volume: pick(&bars.volume),
        amount: bars.amount.as_deref().map(pick),
        turnover: None,
        time_us: without,
    });
    append(&test.cache, "A", &now, 400);
    let names: Vec<String> = files_in(&folder(&test.cache, "A")).into_keys().collect();
    assert_eq!(names, ["2019.parquet", "2021.parquet", "2022.parquet", "2023.parquet"]);
    assert_has(&test.cache, "A", &now);
    assert_clean(&test.cache);
    rebuilt_is_the_same(&test, "A", &now);
}

/// Without its catalog the cache has the same.
fn rebuilt_is_the_same(test: &TestCache, symbol: &str, bars: &Bars) {
    let before = entry(&test.cache, symbol).file;
    let copy = tempfile::tempdir().expect("a folder");
    copy_folder(&test.cache.folders().tree(&super::super::Dataset::Bars), &copy.path().join("bars-v1"));
    let options = super::super::CacheOptions::new(Folders::new(copy.path()), 1_000_000, Arc::clone(&test.clock) as _);
    let (cache, recovery) = Cache::open(options).expect("rebuilt");
    assert!(recovery.adopted > 0);
    assert_has(&cache, symbol, bars);
    let without_dates = |facts: Option<FileFacts>| {
        facts.map(|facts| {
            let years = facts.years.into_iter().map(|file| YearFile { modified_us: 0, ..file }).collect();
            FileFacts { modified_us: 0, years, ..facts }
        })
    };
    assert_eq!(without_dates(entry(&cache, symbol).file), without_dates(before));
    assert_clean(&cache);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for item in fs::read_dir(from).expect("folder").flatten() {
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy_folder(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).expect("copy");
        }
    }
}

#[test]
fn a_flipped_bit_in_one_year_is_found_and_the_others_are_kept() {
    let test = TestCache::new();
    let bars = bars(2020..=2023, 50, 1.5);
    put(&test.cache, "A", &bars);
    let folder = folder(&test.cache, "A");
    let files = files_in(&folder);
    flip(&folder.join("2021.parquet"), 300);
    let report = test.cache.verify(false, &|_, _| {}).expect("verify");
    assert!(report.damaged.len() == 1 && report.damaged[0].reason.starts_with("2021.parquet"), "{report:?}");
    assert!(matches!(test.read(&bars_of("A")), Err(CacheError::Damaged { .. })));
    let damaged = entry(&test.cache, "A");
    assert!(damaged.file.is_none() && damaged.damaged_at_us.is_some());
    assert_eq!(damaged.kept_years.iter().map(|file| file.year).collect::<Vec<_>>(), [2020, 2022, 2023]);
    assert!(matches!(test.read(&bars_of("A")), Err(CacheError::NotCached { .. })), "what is left is not served");
    assert_eq!(test.cache.state_now(&bars_of("A"), &test.judge).expect("state"), EntryState::Damaged);
    assert_clean(&test.cache);
    // Only that year is written again; what a preheat does with what is left is tested with it.
    append(&test.cache, "A", &bars, 200);
    assert_eq!(differing(&files, &folder), ["2021.parquet"]);
    assert_has(&test.cache, "A", &bars);
    assert!(entry(&test.cache, "A").kept_years.is_empty() && entry(&test.cache, "A").damaged_at_us.is_none());
    assert_clean(&test.cache);
}

#[test]
fn a_deleted_year_is_noticed_by_reads_plans_and_checks() {
    let test = TestCache::new();
    let bars = bars(2020..=2022, 50, 1.5);
    for (number, symbol) in ["A", "B", "C", "D"].iter().enumerate() {
        put(&test.cache, symbol, &bars);
        fs::remove_file(folder(&test.cache, symbol).join("2020.parquet")).expect("deleted");
        match number {
            0 => assert!(matches!(test.read(&bars_of(symbol)), Err(CacheError::NotCached { .. }))),
            1 => {
                let mut entries = vec![entry(&test.cache, symbol)];
                test.cache.notice_lost_files(&mut entries).expect("noticed");
                assert_eq!((entries[0].file.is_none(), entries[0].kept_years.len()), (true, 2));
            }
            2 => {
                let report = test.cache.verify(true, &|_, _| {}).expect("verify");
                assert_eq!((report.missing.len(), report.orphans.len()), (1, 0), "{report:?}");
            }
            _ => while test.cache.scrub_step(u64::MAX).expect("scrub").next_due_us.is_none() {},
        }
        let left = entry(&test.cache, symbol);
        assert_eq!((left.file.is_none(), left.kept_years.len()), (true, 2), "{symbol}");
        assert_clean(&test.cache);
    }
    // Clearing takes what is left, too.
    cleared(&test);
    assert!(!folder(&test.cache, "A").exists());
    assert_clean(&test.cache);
}

#[test]
fn clearing_moves_all_years_and_undoing_brings_them_back() {
    let test = TestCache::new();
    let bars = bars(2020..=2022, 50, 1.5);
    put(&test.cache, "A", &bars);
    test.put_bars("D", 20, 1.0, 0);
    let files = files_in(&folder(&test.cache, "A"));
    cleared(&test);
    assert!(!folder(&test.cache, "A").exists());
    assert!(matches!(test.read(&bars_of("A")), Err(CacheError::NotCached { .. })));
    test.cache.undo_clear(None).expect("undone");
    assert_eq!(differing(&files, &folder(&test.cache, "A")), [] as [String; 0]);
    assert_has(&test.cache, "A", &bars);
    assert_clean(&test.cache);
    // Cached anew meanwhile: the old copy has no use any more.
    cleared(&test);
    let newer = changed_in(&bars, 2021);
    put(&test.cache, "A", &newer);
    test.cache.undo_clear(None).expect("undone");
    assert_has(&test.cache, "A", &newer);
    cleared(&test);
    test.clock.advance(2 * DAY_US);
    let again = test.another();
    assert!(fs::read_dir(again.folders().trash()).expect("trash").next().is_none(), "purged");
    assert_clean(&again);
}

#[test]
fn evicting_removes_all_years() {
    let test = TestCache::new();
    let bars = bars(2020..=2022, 50, 1.5);
    put(&test.cache, "A", &bars);
    let size_bytes = entry(&test.cache, "A").size_bytes();
    test.cache.set_limits(super::super::Limits { disk_budget_bytes: size_bytes / 2, ..super::super::Limits::default() });
    test.cache.make_room(1, &|_| false).expect("room");
    assert!(!folder(&test.cache, "A").exists());
    assert_eq!(test.cache.evictions(1).expect("evictions")[0].size_bytes, size_bytes);
    assert_clean(&test.cache);
}

#[test]
fn some_days_are_read_from_their_years_only() {
    let test = TestCache::new();
    let bars = bars(2019..=2023, 60, 1.5);
    put(&test.cache, "A", &bars);
    // What is not read cannot be found damaged.
    for year in [2019, 2020, 2023] {
        fs::remove_file(folder(&test.cache, "A").join(format!("{year}.parquet"))).expect("removed");
    }
    let days = |start: &str, end: &str| DateRange { start: parse_date(start), end: parse_date(end) };
    for (start, end) in [("2021-01-05", "2022-01-03"), ("2021-12-01", "2022-12-31"), ("2021-02-01", "2021-02-02")] {
        let days = days(start, end);
        let found = test.cache.read_days(&bars_of("A"), &days, &test.judge).expect("read");
        let content = found.served.content.clone();
        let (some, all) = (content.bars().span_of(&days), bars.span_of(&days));
        let (some, all) = (rows_of(content.bars(), &some), rows_of(&bars, &all));
        assert_eq!(Content::Bars(Arc::new(some)).fingerprint(), Content::Bars(Arc::new(all)).fingerprint());
        assert_eq!(found.served.entry.rows(), bars.len() as u64);
    }
    assert!(matches!(
        test.cache.read_days(&bars_of("A"), &days("2020-02-01", "2021-06-01"), &test.judge),
        Err(CacheError::NotCached { .. })
    ));
    // Days without rows, and everything.
    put(&test.cache, "B", &bars);
    let nothing = test.cache.read_days(&bars_of("B"), &days("2030-01-01", "2030-02-01"), &test.judge).expect("read");
    assert!(nothing.served.content.bars().span_of(&days("2030-01-01", "2030-02-01")).is_empty());
    let all = test.cache.read_days(&bars_of("B"), &DateRange::ALL, &test.judge).expect("read");
    assert_eq!(all.served.content.bars().len(), bars.len());
    let in_memory = test.cache.read_days(&bars_of("B"), &days("2021-01-01", "2021-02-01"), &test.judge).expect("read");
    assert_eq!(in_memory.served.content.bars().len(), bars.len(), "what is in memory is there already");
}

#[test]
fn what_was_one_file_becomes_years_and_back() {
    let test = TestCache::new();
    let bars = bars(2020..=2022, 50, 1.5);
    // As earlier versions kept it.
    let content = Content::Bars(Arc::clone(&bars));
    let (encoded, _) = super::super::parquet_file::encode_beside(&content, &footer(&test.cache, "A"), None).expect("encoded");
    let old = test.cache.stage_encoded(&encoded, footer(&test.cache, "A"), &facts_of(&bars, unknown())).expect("staged");
    let single = old.path.clone();
    test.cache.commit(&[old]).expect("committed");
    assert!(single.ends_with("A.parquet") && single.exists());
    assert_has(&test.cache, "A", &bars);
    let one_read = test.cache.read_from_disk(&bars_of("A")).expect("read").content.clone();
    test.cache.set_pinned(&[bars_of("A")], true).expect("pinned");
    let longer = changed_in(&bars, 2022);
    append(&test.cache, "A", &longer, 500);
    assert!(!single.exists());
    assert_eq!(files_in(&folder(&test.cache, "A")).len(), 3);
    assert_has(&test.cache, "A", &longer);
    assert!(entry(&test.cache, "A").pinned);
    append(&test.cache, "A", &bars, 400);
    // Years give the same values as one file gave.
    assert_eq!(test.cache.read_from_disk(&bars_of("A")).expect("read").content.fingerprint(), one_read.fingerprint());
    assert_clean(&test.cache);
    // The only times of day are gone: daily bars again.
    test.put_bars("A", 30, 2.0, 0);
    assert!(single.exists() && !folder(&test.cache, "A").exists());
    assert_clean(&test.cache);
}

#[test]
fn what_was_committed_but_has_not_its_place_is_read_added_to_cleared_and_set_right() {
    let bars = bars(2020..=2022, 80, 1.5);
    let changed = changed_in(&changed_in(&bars, 2020), 2022);
    // As a process that ends between the commit and the first new name leaves it.
    let begun = || {
        let test = TestCache::new();
        put(&test.cache, "A", &bars);
        let mut staged = stage(&test.cache, "A", &changed);
        staged.waiting.clear();
        test.cache.commit(&[staged]).expect("committed");
        assert_eq!(files_in(&folder(&test.cache, "A")).len(), 6);
        assert_has(&test.cache, "A", &changed);
        assert_clean(&test.cache);
        test
    };
    let test = begun();
    let again = changed_in(&changed, 2021);
    append(&test.cache, "A", &again, 400);
    assert_eq!(files_in(&folder(&test.cache, "A")).len(), 3);
    assert_has(&test.cache, "A", &again);
    let test = begun();
    cleared(&test);
    assert!(!folder(&test.cache, "A").exists());
    test.cache.undo_clear(None).expect("undone");
    assert_has(&test.cache, "A", &changed);
    let test = begun();
    test.cache.reconcile().expect("set right");
    assert_eq!(files_in(&folder(&test.cache, "A")).len(), 3);
    assert_has(&test.cache, "A", &changed);
    rebuilt_is_the_same(&test, "A", &changed);
    let test = begun();
    rebuilt_is_the_same(&test, "A", &changed);
    let test = begun();
    put(&test.cache, "A", &bars);
    assert_eq!(files_in(&folder(&test.cache, "A")).len(), 3);
    assert_has(&test.cache, "A", &bars);
    assert_clean(&test.cache);
}

#[test]
fn what_was_staged_and_not_committed_does_not_count_and_goes() {
    let test = TestCache::new();
    let bars = bars(2020..=2022, 80, 1.5);
    put(&test.cache, "A", &bars);
    let files = files_in(&folder(&test.cache, "A"));
    // Given up in good order.
    let staged = stage(&test.cache, "A", &changed_in(&bars, 2021));
    assert_has(&test.another(), "A", &bars);
    test.cache.give_up(&[staged]);
    assert_eq!(differing(&files, &folder(&test.cache, "A")), [] as [String; 0]);
    let staged = stage(&test.cache, "NEW", &bars);
    test.cache.give_up(&[staged]);
    assert!(!folder(&test.cache, "NEW").exists());
    // Left behind: one year of what was to come is missing, so the whole of it is not known.
    let staged = stage(&test.cache, "A", &changed_in(&changed_in(&bars, 2021), 2022));
    fs::remove_file(&staged.waiting[1].next).expect("as if it had never been written");
    drop(staged);
    assert_has(&test.cache, "A", &bars);
    test.cache.reconcile().expect("set right");
    assert_eq!(differing(&files, &folder(&test.cache, "A")), [] as [String; 0]);
    assert_has(&test.cache, "A", &bars);
    // Rows added behind the end, and never committed: taken in whole by a start, as one file's are.
    let longer = longer(&bars, vec![bars.last_us().expect("bars") + HOUR_US]);
    drop(staged_append(&test.cache, "A", &longer, bars.len()));
    assert_has(&test.cache, "A", &bars);
    test.cache.reconcile().expect("set right");
    assert_has(&test.cache, "A", &longer);
    assert_clean(&test.cache);
}

#[test]
fn who_lost_the_lease_commits_no_year() {
    let test = TestCache::new();
    let bars = bars(2020..=2022, 80, 1.5);
    put(&test.cache, "A", &bars);
    let symbols = [crate::market::Symbol::new("A")].into();
    let lease = Arc::new(test.cache.take_lease(&crate::source::SourceId::new("test"), symbols, "preheat", false).expect("lease"));
    let staged = staged_append(&test.cache, "A", &changed_in(&bars, 2021), 400);
    cleared(&test);
    let batch = Batch { staged: vec![staged], leases: vec![lease], ..Batch::default() };
    assert_eq!(test.cache.commit_batch(&batch).expect("committed").lost.len(), 1);
    assert!(!folder(&test.cache, "A").exists());
    test.cache.undo_clear(None).expect("undone");
    assert_has(&test.cache, "A", &bars);
    assert_clean(&test.cache);
}

#[test]
fn names_of_years_are_told_from_those_of_symbols() {
    let year = |name: &str| year_of_name(Path::new(name));
    assert_eq!((year("2024.parquet"), year("-5.parquet")), (Some(2024), Some(-5)));
    assert_eq!(year(&next_name_of(2024, 7)), Some(2024));
    for other in ["02024.parquet", "2024.parquet.next-12", "2024.parquet.tmp-1-1", "A.parquet", "2024", "+2024.parquet", "set.toml"] {
        assert_eq!(year(other), None, "{other}");
    }
    assert!(is_year_path(Path::new("mysql/A/2024.parquet")) && !is_year_path(Path::new("mysql/2024.parquet")));
    let key = |symbol: &str| EntryKey::bars(&crate::source::SourceId::new("s"), &crate::market::Symbol::new(symbol));
    assert_ne!(Folders::years_path(&key("X.PARQUET")), Folders::relative_path(&key("X"), None));
}
