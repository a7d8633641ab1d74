//! What the catalog costs: committing and reading many entries. Goals: 10,000 committed within 100 ms, 7,000 read within 20 ms.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot work has failed")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use samovar::cache::{Catalog, Entry, EntryKey, FileFacts, Provenance, Synced};
use samovar::feature::DefinitionHash;
use samovar::market::{Resolution, Symbol};
use samovar::source::{SourceId, YearDigest};
use std::hint::black_box;

/// Entries as ten years of daily bars leave them: of each symbol its bars, with what the source said of every year, and its features.
fn entries(count: u64) -> Vec<Entry> {
    let source = SourceId::new("mysql-database-market-0123456789abcdef");
    let entry = |number: u64| {
        let symbol = Symbol::new(format!("{:06}", number / 2));
        let is_bars = number.is_multiple_of(2);
        let key = if is_bars { EntryKey::bars(&source, &symbol) } else { EntryKey::features(&source, &symbol, "classic") };
        let folder = if is_bars { String::new() } else { "classic@212548a1d39c8b3e/".to_owned() };
        let file = FileFacts {
            path: format!("{source}/{folder}{symbol}.parquet").into(),
            size_bytes: 100_000 + number,
            modified_us: 1_700_000_000_000_000,
            checksum: u128::from(number) << 64 | 7,
            fingerprint: u128::from(number) << 64 | 9,
            rows: 2_500,
            first_us: 1_400_000_000_000_000,
            last_us: 1_700_000_000_000_000,
            resolution: Resolution::Daily,
            years: Vec::new(),
        };
        let years = (2014..2024).map(|year| YearDigest { year, rows: 250, checksum: u64::MAX / 3 + number }).collect();
        let day = chrono::NaiveDate::from_ymd_opt(2023, 11, 15);
        let synced = Synced { settled_before: day, last_day: day, years, quality: None, verified_us: None };
        Entry {
            file: Some(file),
            fetched_at_us: 1_700_000_000_000_000,
            synced: is_bars.then_some(synced),
            provenance: (!is_bars).then_some(Provenance { definition: DefinitionHash::from(1), inputs: u128::from(number) }),
            cost_us: 800,
            ..Entry::without_file(key)
        }
    };
    (0..count).map(entry).collect()
}

fn catalog(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("catalog");
    group.sample_size(20);
    let ten_thousand = entries(10_000);
    group.bench_function("commit 10,000 new entries", |bencher| {
        bencher.iter_batched_ref(
            || {
                let folder = tempfile::tempdir().expect("folder");
                let catalog = Catalog::open(&folder.path().join("catalog.sqlite")).expect("catalog");
                (catalog, folder)
            },
            |(catalog, _folder)| catalog.put_entries(&ten_thousand).expect("committed"),
            BatchSize::PerIteration,
        );
    });
    let folder = tempfile::tempdir().expect("folder");
    let catalog = Catalog::open(&folder.path().join("catalog.sqlite")).expect("catalog");
    catalog.put_entries(&entries(7_000)).expect("committed");
    group.bench_function("read 7,000 entries", |bencher| bencher.iter(|| black_box(catalog.entries(None).expect("read")).len()));
    let seven_thousand = entries(7_000);
    group.bench_function("commit 7,000 entries again", |bencher| {
        bencher.iter(|| catalog.put_entries(&seven_thousand).expect("committed"));
    });
    let one = entries(1);
    group.bench_function("commit one entry", |bencher| bencher.iter(|| catalog.put_entries(&one).expect("committed")));
    group.finish();
}

criterion_group!(benches, catalog);
criterion_main!(benches);
