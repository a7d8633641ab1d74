//! A small market in a SQLite file, the same every time.
#![allow(dead_code)]

use rusqlite::{Connection, params};
use std::path::Path;

/// The table every market has.
pub const TABLE: &str = "stock_kline_data";

/// Makes a database with so many bars of each symbol, one per day from 2020-01-01.
pub fn make(path: &Path, symbols: &[&str], bars: usize) {
    let mut database = Connection::open(path).expect("database");
    database
        .execute_batch(&format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             CREATE TABLE {TABLE} (symbol TEXT, trade_date TEXT, open REAL, high REAL, low REAL, close REAL, volume REAL);
             CREATE INDEX by_symbol ON {TABLE} (symbol, trade_date);"
        ))
        .expect("table");
    let transaction = database.transaction().expect("transaction");
    for symbol in symbols {
        insert(&transaction, symbol, 0..bars);
    }
    transaction.commit().expect("commit");
}

/// Adds the bars of these days to a symbol.
pub fn insert(database: &Connection, symbol: &str, days: std::ops::Range<usize>) {
    let mut statement = database.prepare_cached(&format!("INSERT INTO {TABLE} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")).expect("insert");
    for day in days {
        let bar = bar_of(symbol, day);
        statement.execute(params![symbol, date_of(day), bar.0, bar.1, bar.2, bar.3, bar.4]).expect("row");
    }
}

/// The day of a bar.
pub fn date_of(day: usize) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).expect("date");
    (first + chrono::Days::new(day as u64)).to_string()
}

/// Open, high, low, close, volume of a bar: a wave of its own for every symbol.
pub fn bar_of(symbol: &str, day: usize) -> (f64, f64, f64, f64, f64) {
    let seed = symbol.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let phase = (seed % 1_000) as f64 / 100.0;
    let price = |time: f64| 50.0 + (seed % 40) as f64 + 10.0 * (time / 17.0 + phase).sin() + 3.0 * (time / 5.0).cos();
    let (open, close) = (price(day as f64 - 0.4), price(day as f64));
    (open, open.max(close) + 0.5, open.min(close) - 0.5, close, 1_000.0 + ((seed % 97) as usize * (day + 3) % 5_000) as f64)
}

/// Names `S0000`, `S0001`, …
pub fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("S{number:04}")).collect()
}

/// Changes a database.
pub fn execute(path: &Path, sql: &str) {
    Connection::open(path).expect("database").execute_batch(sql).expect(sql);
}
