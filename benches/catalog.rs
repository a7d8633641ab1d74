//! What the catalog costs: committing and reading many entries. Goals: 10,000 committed within 100 ms, 7,000 read within 20 ms.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot work has failed")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use samovar::cache::{Catalog, Entry, EntryKey, FileFacts};
use samovar::market::{Resolution, Symbol};
use samovar::source::SourceId;
use std::hint::black_box;

fn entries(count: u64) -> Vec<Entry> {
    let source = SourceId::new("mysql-database-market-0123456789abcdef");
    let entry = |number: u64| {
        let symbol = Symbol::new(format!("{number:06}"));
        let file = FileFacts {
            path: format!("{source}/{symbol}.parquet").into(),
            size_bytes: 100_000 + number,
            modified_us: 1_700_000_000_000_000,
            checksum: u128::from(number) << 64 | 7,
            fingerprint: u128::from(number) << 64 | 9,
            rows: 2_500,
            first_us: 0,
            last_us: 1_700_000_000_000_000,
            resolution: Resolution::Daily,
            years: Vec::new(),
        };
        Entry { file: Some(file), fetched_at_us: 1_700_000_000_000_000, ..Entry::without_file(EntryKey::bars(&source, &symbol)) }
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
    let one = entries(1);
    group.bench_function("commit one entry", |bencher| bencher.iter(|| catalog.put_entries(&one).expect("committed")));
    group.finish();
}

criterion_group!(benches, catalog);
criterion_main!(benches);
