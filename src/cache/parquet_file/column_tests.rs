//! Columns of every kind come back bit for bit, read by this program and by the Parquet library.

use super::decode::{columns_by_arrow, columns_of};
use super::*;
use crate::feature::FeatureTable;
use crate::market::{DAY_US, Resolution, Symbol};
use crate::source::SourceId;

/// Numbers that look random and are the same every time.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn columns(rows: usize) -> Vec<(&'static str, Vec<f64>)> {
    let mut random = noise(rows as u64 + 1);
    let mut column = |of: &mut dyn FnMut(usize, f64) -> f64| (0..rows).map(|row| of(row, random())).collect::<Vec<f64>>();
    vec![
        ("computed", column(&mut |row, random| if row < 9 { f64::NAN } else { random * 3.0 - 1.0 })),
        ("cents", column(&mut |_, random| (random * 1e4).round() / 100.0)),
        ("whole", column(&mut |_, random| (random * 1e9).round())),
        ("flags", column(&mut |row, random| if row % 97 == 3 { f64::NAN } else { (random * 5.0).floor() })),
        ("constant", column(&mut |_, _| 0.1)),
        ("zeros", column(&mut |row, _| if row % 2 == 0 { 0.0 } else { -0.0 })),
        ("nothing", column(&mut |_, _| f64::NAN)),
        ("gaps", column(&mut |_, random| if random < 0.3 { f64::NAN } else { random })),
        ("rare", column(&mut |row, random| if row % 50 == 7 { random } else { f64::NAN })),
        ("extreme", column(&mut |row, random| [f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, random, 5e-324][row % 6])),
        ("slow", column(&mut |row, _| (row as f64 * 1e-3).sin())),
        ("late", column(&mut |row, random| if row < 70_000.min(rows) { f64::NAN } else { random })),
        (
            "promising",
            column(&mut |row, random| if row % rows.div_ceil(128).max(1) == 0 { (random * 100.0).round() / 8.1 } else { random }),
        ),
    ]
}

fn content(rows: usize, resolution: Resolution) -> Content {
    let step = if resolution == Resolution::Daily { DAY_US } else { 61_000_001 };
    let columns = columns(rows);
    let of = |name: &str| columns.iter().find(|(known, _)| *known == name).expect("known").1.clone();
    let bars = Bars {
        resolution,
        time_us: (0..rows as i64).map(|row| (row + row / 5 * 2) * step - 400 * DAY_US).collect(),
        open: of("cents"),
        high: of("whole"),
        low: of("zeros"),
        close: of("slow"),
        volume: of("constant"),
        amount: Some(of("gaps")),
        turnover: (rows.is_multiple_of(2)).then(|| of("flags")),
    };
    let (names, columns) = columns.into_iter().map(|(name, column)| (Arc::from(name), column)).unzip();
    let table = FeatureTable { resolution, time_us: bars.time_us.clone(), names, columns };
    Content::Features { bars: Arc::new(bars), table: Arc::new(table) }
}

fn footer(precision: Precision) -> Footer {
    Footer {
        key: EntryKey::features(&SourceId::new("test"), &Symbol::new("X"), "all"),
        provenance: None,
        range: DateRange::default(),
        fetched_at_us: 1,
        quality: Quality::default(),
        synced: None,
        provisional_from_us: Some(0),
        cost_us: 0,
        state: None,
        precision,
        rounding: None,
        years: None,
    }
}

fn same(left: &[f64], right: &[f64], precision: Precision) -> bool {
    let kept = |value: f64| match precision {
        Precision::F64 => value,
        Precision::F32 => column::narrowed(value).map_or(f64::NAN, f64::from),
    };
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| kept(*a).to_bits() == b.to_bits() || (kept(*a).is_nan() && b.is_nan()))
}

#[test]
fn columns_of_every_kind_come_back_by_both_readers() {
    for rows in [1, 2, 15, 16, 17, 130, 1_209, 2_500, 66_000] {
        for (resolution, precision) in [(Resolution::Daily, Precision::F64), (Resolution::Intraday, Precision::F32)] {
            let written = content(rows, resolution);
            let bytes = encode(&written, &footer(precision)).expect("encoded").bytes;
            assert_eq!(bytes, encode(&written, &footer(precision)).expect("again").bytes, "the same bytes");
            let outline = outline(&bytes).expect("outline");
            let own = columns_of(&bytes, &outline.metadata, None, resolution, rows).expect("read without the library");
            let theirs = columns_by_arrow(bytes.into(), resolution, rows).expect("read with the library");
            let Content::Features { bars, table } = &written else { panic!("features") };
            for (by, (found, found_table)) in [("own", own), ("theirs", theirs)] {
                assert_eq!(found.time_us, bars.time_us, "{rows} {by}");
                assert!(found.amount.is_some(), "{rows} {by}");
                for ((name, wanted), (_, found)) in raw_columns(bars).zip(raw_columns(&found)) {
                    assert!(same(wanted, found, Precision::F64), "{rows} {name} {by}");
                }
                assert_eq!(found_table.names, table.names);
                for ((name, wanted), found) in table.names.iter().zip(&table.columns).zip(&found_table.columns) {
                    assert!(same(wanted, found, precision), "{rows} {name} {by}");
                }
            }
        }
    }
}

#[test]
fn bars_that_were_encoded_before_are_taken_as_they_are() {
    for provisional_from_us in [None, Some(300 * DAY_US)] {
        let whole = content(1_000, Resolution::Daily);
        let footer = Footer { provisional_from_us, ..footer(Precision::F64) };
        let bars = Content::Bars(Arc::clone(whole.bars()));
        let (_, known) = encode_beside(&bars, &footer, None).expect("bars");
        let (beside, none) = encode_beside(&whole, &footer, known.as_ref()).expect("features");
        assert!(none.is_none());
        assert_eq!(beside.bytes, encode(&whole, &footer).expect("alone").bytes);
        // Of other rows nothing is taken.
        let other = Footer { provisional_from_us: Some(500 * DAY_US), ..footer.clone() };
        assert_eq!(encode_beside(&whole, &other, known.as_ref()).expect("other").0.bytes, encode(&whole, &other).expect("alone").bytes);
    }
}

#[test]
fn only_wanted_columns_are_read() {
    let whole = content(500, Resolution::Daily);
    let bytes = encode(&whole, &footer(Precision::F64)).expect("encoded").bytes;
    let (found, _) = decode_wanted(bytes, Some(&["slow", "gaps", "no such"])).expect("decoded");
    let names: Vec<&str> = found.features().expect("features").names.iter().map(|name| &**name).collect();
    assert_eq!(names, ["gaps", "slow"]);
    assert_eq!(found.fingerprint(), whole.only(&["slow", "gaps"]).fingerprint());
}

#[test]
fn damaged_columns_are_an_error_or_other_values_but_never_a_panic() {
    let bytes = encode(&content(300, Resolution::Daily), &footer(Precision::F64)).expect("encoded").bytes;
    let mut random = noise(5);
    for _ in 0..3_000 {
        let mut damaged = bytes.clone();
        let place = (random() * bytes.len() as f64) as usize;
        damaged[place] ^= 1 << (random() * 8.0) as u8;
        if let Ok(outline) = outline(&damaged) {
            // Whether it is noticed is for checksums to say.
            let _found = columns_of(&damaged, &outline.metadata, None, Resolution::Daily, outline.rows);
        }
    }
}
