//! What one more day costs, counted: rows that come from the source, rows that are computed, bytes that are written.

use super::lab::{Lab, assert_same, check};
use super::market::{Market, day_of};
use super::rewritten::values;
use super::support::tables::Kind;
use chrono::Days;
use rand::SeedableRng;
use rand::rngs::StdRng;
use samovar::market::{DAY_US, micros_of_date};

#[test]
fn one_more_day_of_a_hundred_symbols_costs_less_than_a_twentieth() {
    const SYMBOLS: usize = 100;
    const BARS: u64 = 1_200;
    let first = day_of("2020-01-01");
    let mut random = StdRng::seed_from_u64(1);
    let mut market = Market::new(Kind::Sqlite, false, false, true).expect("a market");
    for number in 0..SYMBOLS {
        for day in 0..BARS {
            let row = values(&mut random);
            market.insert(&format!("S{number:03}"), &(first + Days::new(day)).to_string(), row);
        }
    }
    market.flush();
    let lab = Lab::new(&market.url(), micros_of_date(first + Days::new(BARS)) + DAY_US / 2);
    let full = lab.preheat(&check()).counted;
    assert_eq!((full.rows_fetched, full.rows_computed), (SYMBOLS as u64 * BARS, SYMBOLS as u64 * BARS));
    for day in 0..3 {
        for number in 0..SYMBOLS {
            let row = values(&mut random);
            market.insert(&format!("S{number:03}"), &(first + Days::new(BARS + day)).to_string(), row);
        }
        market.flush();
        lab.clock.advance(DAY_US);
        let one = lab.preheat(&check()).counted;
        println!("full: {full:?}\n day: {one:?}");
        assert_eq!((one.rows_fetched, one.rows_computed), (SYMBOLS as u64, SYMBOLS as u64));
        let share = one.bytes_written as f64 / full.bytes_written as f64;
        assert!(share < 0.05, "{share} of the bytes");
    }
    assert_same("three days later", &lab.held(), &lab.fresh(&check()));
}
