//! Round trips, flipped bits, truncations, and files of earlier formats.

use super::*;
use crate::cache::entry::Dataset;
use crate::feature::DefinitionHash;
use crate::market::{DAY_US, RawBars, Symbol, parse_date};
use crate::source::SourceId;
use rayon::prelude::*;

fn sample(rows: usize) -> (Content, Footer) {
    let wave = |phase: f64| (0..rows).map(|row| 100.0 + (row as f64 * 0.1 + phase).sin()).collect::<Vec<_>>();
    let raw = RawBars {
        time_us: (0..rows as i64).map(|day| day * DAY_US).collect(),
        open: wave(0.0),
        high: wave(0.1).iter().map(|price| price + 2.0).collect(),
        low: wave(0.2).iter().map(|price| price - 2.0).collect(),
        close: wave(0.3),
        volume: wave(0.4),
        ..RawBars::default()
    };
    let (bars, quality) = Bars::normalise(raw);
    let table = FeatureTable {
        resolution: bars.resolution,
        time_us: bars.time_us.clone(),
        names: vec![Arc::from("ma5"), Arc::from("none")],
        columns: vec![(0..rows).map(|row| if row < 4 { f64::NAN } else { row as f64 }).collect(), vec![-f64::NAN; rows]],
    };
    let footer = Footer {
        key: EntryKey::features(&SourceId::new("test"), &Symbol::new("ß/„x"), "classic"),
        provenance: Some(Provenance { definition: DefinitionHash::from(5), inputs: 6 }),
        range: DateRange { start: parse_date("2020-01-01"), end: None },
        fetched_at_us: 1_234_567,
        quality,
        synced: None,
        provisional_from_us: Some(7 * DAY_US),
        cost_us: 1_500,
        state: Some("ema7=1".to_owned()),
        precision: Precision::F64,
        rounding: None,
        years: None,
    };
    (Content::Features { bars: Arc::new(bars), table: Arc::new(table) }, footer)
}

fn same_bits(left: &[f64], right: &[f64]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// What an append knows of the bytes before it.
fn hashed(bytes: &[u8]) -> xxhash_rust::xxh3::Xxh3 {
    let mut hashed = xxhash_rust::xxh3::Xxh3::new();
    hashed.update(bytes);
    hashed
}

#[test]
fn content_and_footer_come_back_as_they_went() {
    let (content, footer) = sample(300);
    let encoded = encode(&content, &footer).expect("encode");
    let (back, footer_back) = decode(encoded.bytes.clone()).expect("decode");
    assert_eq!(footer_back, footer);
    assert_same(&back, &content);
    assert_eq!(encoded.checksum, xxhash_rust::xxh3::xxh3_128(&encoded.bytes));
    let found = sealed(&encoded.bytes).expect("whole");
    assert_eq!((found.footer, found.fingerprint), (footer, encoded.fingerprint));
    let outline = outline(&encoded.bytes).expect("outline");
    assert_eq!((outline.rows, outline.base_rows), (300, 7), "provisional rows lie apart");
}

/// Bit for bit, but for the sign and payload of NaN: every NaN is one null.
fn assert_same(left: &Content, right: &Content) {
    assert_eq!(left.bars(), right.bars());
    assert_eq!(left.fingerprint(), right.fingerprint());
    let (Content::Features { table, .. }, Content::Features { table: other, .. }) = (left, right) else { panic!("features") };
    assert_eq!(table.names, other.names);
    assert!(table.columns.iter().zip(&other.columns).all(|(left, right)| same_bits(left, right)));
}

#[test]
fn every_flipped_bit_is_noticed_without_the_catalog() {
    let (content, footer) = sample(12);
    let bytes = encode(&content, &footer).expect("encode").bytes;
    assert!(sealed(&bytes).is_some());
    (0..bytes.len()).into_par_iter().for_each(|position| {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1 << bit;
            assert!(sealed(&flipped).is_none(), "bit {bit} of byte {position} of {}", bytes.len());
        }
    });
}

#[test]
fn a_truncated_file_is_noticed_at_every_length() {
    let (content, footer) = sample(12);
    let bytes = encode(&content, &footer).expect("encode").bytes;
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err() && longest_sealed(&bytes[..length]).is_none(), "{length}");
    }
}

#[test]
fn a_symbol_that_looks_like_a_seal_does_not_confuse_it() {
    let (content, mut footer) = sample(3);
    footer.state = Some(format!("\u{c}samovar.seal\u{18} {}", "0".repeat(32)));
    let bytes = encode(&content, &footer).expect("encode").bytes;
    assert_eq!(sealed(&bytes).expect("whole").footer, footer);
}

#[test]
fn features_are_known_by_definition_and_inputs_and_bars_by_their_values() {
    let (content, footer) = sample(3);
    let before = fingerprint_of(&content, &footer);
    let provenance = |definition: u128, inputs| Some(Provenance { definition: DefinitionHash::from(definition), inputs });
    assert_ne!(fingerprint_of(&content, &Footer { provenance: provenance(5, 7), ..footer.clone() }), before);
    assert_ne!(fingerprint_of(&content, &Footer { provenance: provenance(6, 6), ..footer.clone() }), before);
    let mut bars = (**content.bars()).clone();
    let bars_before = fingerprint_of(&Content::Bars(Arc::new(bars.clone())), &footer);
    bars.volume[2] += 1.0;
    assert_ne!(fingerprint_of(&Content::Bars(Arc::new(bars)), &footer), bars_before);
}

#[test]
fn files_of_format_1_are_still_read_and_adopted() {
    let bars: &[u8] = include_bytes!("../../../tests/data/format-1/bars.parquet");
    let features: &[u8] = include_bytes!("../../../tests/data/format-1/features.parquet");
    let found = sealed(bars).expect("bars");
    assert_eq!(found.footer.key, EntryKey::bars(&SourceId::new("test"), &Symbol::new("OLD")));
    assert_eq!((found.footer.range.start, found.footer.fetched_at_us), (parse_date("2020-01-01"), 1_234_567));
    let amount = found.content.bars().amount.as_ref().expect("amount");
    assert!(amount[3].is_nan() && amount[39] == 390.0);
    assert_eq!(found.fingerprint, found.content.fingerprint());
    let found = sealed(features).expect("features");
    assert_eq!(found.footer.key.dataset, Dataset::features("classic"));
    assert_same(&found.content, &sample(40).0);
    // Whatever bit is flipped: the file is refused, or holds the same values.
    for bytes in [bars, features] {
        let whole = sealed(bytes).expect("whole").content.fingerprint();
        for position in 0..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[position] ^= 1 << (position % 8);
            assert!(sealed(&flipped).is_none_or(|found| found.content.fingerprint() == whole), "byte {position}");
        }
    }
}

/// The rows from `from` on.
fn rows_from(content: &Content, from: usize) -> Content {
    let Content::Features { bars, table } = content else { panic!("features") };
    let cut = |column: &Vec<f64>| column[from..].to_vec();
    let table =
        FeatureTable { time_us: table.time_us[from..].to_vec(), columns: table.columns.iter().map(cut).collect(), ..(**table).clone() };
    Content::Features { bars: Arc::new(bars_from(bars, from)), table: Arc::new(table) }
}

#[test]
fn an_added_tail_reads_as_if_written_whole_and_replaces_the_one_before() {
    let (long, _) = sample(60);
    let (first, mut footer) = sample(50);
    footer.provisional_from_us = None;
    let mut bytes = encode(&first, &footer).expect("encode").bytes;
    let mut ends = vec![bytes.len()];
    for rows in [51, 53, 60] {
        let grown = sample(rows).0;
        let found = outline(&bytes).expect("outline");
        assert_eq!(found.base_rows, 50);
        let fingerprint = fingerprint_of(&grown, &footer);
        let addition = encode_addition((&hashed(&bytes), bytes.len()), &found, &rows_from(&grown, 50), &footer, fingerprint)
            .expect("encode")
            .expect("same columns");
        bytes.extend_from_slice(&addition.bytes);
        ends.push(bytes.len());
        assert_eq!((addition.size_bytes, addition.checksum), (bytes.len() as u64, xxhash_rust::xxh3::xxh3_128(&bytes)));
        let found = sealed(&bytes).expect("whole");
        assert_same(&found.content, &grown);
        assert!(addition.dead_bytes > 0);
    }
    assert_same(&decode(bytes.clone()).expect("decode").0, &long);
    // Cut off anywhere, the longest whole file is found again.
    for length in ends[0]..bytes.len() {
        let (found, _) = longest_sealed(&bytes[..length]).expect("at least the first");
        assert_eq!(Some(&found), ends.iter().rev().find(|end| **end <= length), "{length}");
    }
}

/// The same bars with three features, of which `ma5` means what it does in [`sample`].
fn other_features(rows: usize) -> (Content, Footer) {
    let (content, footer) = sample(rows);
    let Content::Features { bars, table } = content else { panic!("features") };
    let new = |step: f64| (0..rows).map(|row| if row % 3 == 0 { f64::NAN } else { row as f64 * step }).collect::<Vec<f64>>();
    let names = ["first", "average", "last"].map(Arc::from).to_vec();
    let table = FeatureTable { names, columns: vec![new(0.1), table.columns[0].clone(), new(-7.0)], ..(*table).clone() };
    let provenance = Some(Provenance { definition: DefinitionHash::from(9), inputs: 6 });
    (Content::Features { bars, table: Arc::new(table) }, Footer { provenance, state: Some("other".to_owned()), ..footer })
}

/// Which columns of [`other_features`] are taken from the file of [`sample`], and the table of the others.
fn parts_of(content: &Content) -> (Vec<(Arc<str>, ColumnFrom<'static>)>, FeatureTable) {
    let Content::Features { table, .. } = content else { panic!("features") };
    let from = [ColumnFrom::Computed(0), ColumnFrom::Present("ma5"), ColumnFrom::Computed(1)];
    let features = table.names.iter().cloned().zip(from).collect();
    let computed = FeatureTable {
        names: vec![table.names[0].clone(), table.names[2].clone()],
        columns: vec![table.columns[0].clone(), table.columns[2].clone()],
        ..(**table).clone()
    };
    (features, computed)
}

#[test]
fn a_file_with_columns_of_another_has_the_pages_of_one_encoded_whole() {
    for rows in [1, 5, 8, 15, 16, 23, 300, 30_000] {
        let (before, footer) = sample(rows);
        let present = encode(&before, &footer).expect("encode").bytes;
        let (after, footer) = other_features(rows);
        let whole = encode(&after, &footer).expect("encode");
        let (features, computed) = parts_of(&after);
        let found = encode_with(&present, &outline(&present).expect("outline"), &features, &computed, &footer);
        let found = found.expect("encode").expect("the columns are there");
        // Every page, and where it is; but for a way of writing the time column's bounds that readers of old need.
        let pages = |bytes: &[u8]| bytes[..seal::metadata_start(bytes).expect("a footer")].to_vec();
        assert!(pages(&found.bytes) == pages(&whole.bytes), "{rows} rows");
        let groups = |bytes: &[u8]| format!("{:?}", outline(bytes).expect("outline").metadata.row_groups());
        assert_eq!(groups(&found.bytes), groups(&whole.bytes));
        assert_eq!(sealed(&found.bytes).expect("whole").footer, footer);
        assert_eq!(found.fingerprint, whole.fingerprint);
    }
}

#[test]
fn columns_are_taken_from_a_file_that_rows_were_added_to() {
    let (first, mut footer) = sample(50);
    footer.provisional_from_us = None;
    let mut bytes = encode(&first, &footer).expect("encode").bytes;
    for rows in [53, 70] {
        let grown = sample(rows).0;
        let tail = rows_from(&grown, 50);
        let addition = encode_addition((&hashed(&bytes), bytes.len()), &outline(&bytes).expect("outline"), &tail, &footer, 1)
            .expect("encode")
            .expect("same");
        bytes.extend_from_slice(&addition.bytes);
    }
    let (after, footer) = other_features(70);
    let (features, computed) = parts_of(&after);
    let present = outline(&bytes).expect("outline");
    let found = encode_with(&bytes, &present, &features, &computed, &footer).expect("encode").expect("the columns are there");
    assert!(found.bytes.len() < bytes.len(), "nothing dead is taken along");
    let whole = sealed(&found.bytes).expect("whole");
    assert_same(&whole.content, &after);
    assert_eq!(whole.footer, footer);
    // Rows can be added to it in turn.
    let longer = other_features(75).0;
    let found_outline = outline(&found.bytes).expect("outline");
    let tail = rows_from(&longer, found_outline.base_rows);
    let addition = encode_addition((&hashed(&found.bytes), found.bytes.len()), &found_outline, &tail, &footer, 1)
        .expect("encode")
        .expect("same columns");
    let bytes = [found.bytes, addition.bytes].concat();
    assert_same(&sealed(&bytes).expect("whole").content, &longer);
}

#[test]
fn columns_that_a_file_does_not_have_are_not_taken() {
    let (before, footer) = sample(30);
    let bytes = encode(&before, &footer).expect("encode").bytes;
    let present = outline(&bytes).expect("outline");
    let none = FeatureTable { names: Vec::new(), columns: Vec::new(), ..FeatureTable::default() };
    let take = |name: &'static str, footer: &Footer| {
        encode_with(&bytes, &present, &[(Arc::from("x"), ColumnFrom::Present(name))], &none, footer).expect("encode")
    };
    assert!(take("ma5", &footer).is_some() && take("ma6", &footer).is_none());
    assert!(take("ma5", &Footer { precision: Precision::F32, ..footer.clone() }).is_none(), "another type");
    let short = FeatureTable { columns: vec![vec![1.0]], ..none.clone() };
    encode_with(&bytes, &present, &[(Arc::from("x"), ColumnFrom::Computed(0))], &short, &footer).expect_err("too few rows");
}

fn first_rows(bars: &Bars, rows: usize) -> Bars {
    let cut = |column: &Vec<f64>| column[..rows].to_vec();
    Bars {
        time_us: bars.time_us[..rows].to_vec(),
        open: cut(&bars.open),
        high: cut(&bars.high),
        low: cut(&bars.low),
        close: cut(&bars.close),
        volume: cut(&bars.volume),
        ..Bars::default()
    }
}

#[test]
fn features_kept_rounded_take_half_the_room_and_stay_what_they_are_when_rows_are_added() {
    let rows = 3_000;
    let noise = |row: usize| (row as f64 * 12.9898).sin() * 43_758.545;
    let (content, mut footer) = sample(rows);
    let Content::Features { bars, table } = content else { panic!("features") };
    let column = |shift: usize| (0..rows).map(|row| if row < 20 { f64::NAN } else { noise(row + shift) }).collect::<Vec<f64>>();
    let names = (0..40).map(|number| Arc::from(format!("f{number}"))).collect();
    let table = FeatureTable { names, columns: (0..40).map(|number| column(number * 7)).collect(), ..(*table).clone() };
    let rounded = |table: &FeatureTable| FeatureTable {
        columns: table.columns.iter().map(|column| column.iter().map(|value| f64::from(*value as f32)).collect()).collect(),
        ..table.clone()
    };
    let largest = rounding_of(&table.columns);
    assert!(largest > 1e-9 && largest <= f64::from(f32::EPSILON) / 2.0, "{largest}");
    let whole = Content::Features { bars: Arc::clone(&bars), table: Arc::new(table.clone()) };
    footer.provisional_from_us = None;
    let wide = encode(&whole, &footer).expect("encode").bytes;
    (footer.precision, footer.rounding) = (Precision::F32, Some(largest));
    let narrow = encode(&whole, &footer).expect("encode").bytes;
    assert!(narrow.len() * 10 < wide.len() * 6, "{} of {}", narrow.len(), wide.len());
    let expected = Content::Features { bars, table: Arc::new(rounded(&table)) };
    let found = sealed(&narrow).expect("whole");
    assert_same(&found.content, &expected);
    assert_eq!((found.footer.precision, found.footer.rounding), (Precision::F32, Some(largest)));
    let start = rows_from(&whole, 0);
    let Content::Features { bars: first_bars, table: first } = &start else { panic!("features") };
    let cut = |column: &Vec<f64>| column[..2_000].to_vec();
    let first =
        FeatureTable { time_us: first.time_us[..2_000].to_vec(), columns: first.columns.iter().map(cut).collect(), ..(**first).clone() };
    let first_bars = Arc::new(first_rows(first_bars, 2_000));
    let bytes = encode(&Content::Features { bars: first_bars, table: Arc::new(first) }, &footer).expect("encode").bytes;
    let found = outline(&bytes).expect("outline");
    let addition = encode_addition((&hashed(&bytes), bytes.len()), &found, &rows_from(&whole, 2_000), &footer, 1)
        .expect("encode")
        .expect("same columns");
    assert_same(&sealed(&[bytes, addition.bytes].concat()).expect("whole").content, &expected);
}

#[test]
fn what_no_float32_holds_is_null_and_told() {
    let columns = [vec![1.0, f64::NAN, 0.0], vec![1e300, 0.1, 1e-60]];
    assert_eq!(rounding_of(&columns[..1]), 0.0);
    assert_eq!(rounding_of(&columns), 1.0);
    assert_eq!(rounding_of(&[vec![0.1]]), ((0.1_f64 - f64::from(0.1_f32)) / 0.1).abs());
    assert_eq!(columns[1].iter().filter(|value| column::narrowed(**value).is_none()).count(), 1);
}

#[test]
fn a_tail_with_other_columns_is_refused() {
    let (content, footer) = sample(20);
    let bytes = encode(&content, &footer).expect("encode").bytes;
    let mut bars = bars_from(content.bars(), 18);
    bars.amount = Some(vec![1.0, 2.0]);
    let tail = Content::Bars(Arc::new(bars));
    assert!(
        encode_addition((&hashed(&bytes), bytes.len()), &outline(&bytes).expect("outline"), &tail, &footer, 0).expect("encode").is_none()
    );
}
