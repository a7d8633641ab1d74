//! A table of bars that is changed row by row, known here as well as in the database.

use super::support::tables::{Cell, Holds, Kind, Store, Table};
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Open, high, low, close, volume, amount, turnover; the last two only where the market has them.
pub type Values = [Option<f64>; 7];

/// Names of the columns of [`Values`].
pub const COLUMNS: [&str; 7] = ["open", "high", "low", "close", "volume", "amount", "turnover"];

/// One row as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: u64,
    /// `2024-03-01`, or with a time of day.
    pub date: String,
    pub values: Values,
}

impl Row {
    pub fn day(&self) -> NaiveDate {
        day_of(&self.date)
    }

    pub fn year(&self) -> i32 {
        self.day().year()
    }
}

pub fn day_of(date: &str) -> NaiveDate {
    NaiveDate::parse_from_str(&date[..10], "%Y-%m-%d").expect("a date")
}

/// The table `bars` in a store of its own.
pub struct Market {
    pub store: Store,
    pub rows: BTreeMap<String, Vec<Row>>,
    columns: usize,
    /// The table without its rows.
    table: Table,
    next_id: u64,
    /// Statements that were not run yet.
    pending: String,
}

impl Market {
    /// An empty table; `None` where there is no server. With money there are an amount and a turnover.
    pub fn new(kind: Kind, intraday: bool, money: bool, index: bool) -> Option<Self> {
        let store = Store::new(kind)?;
        let columns = if money { 7 } else { 5 };
        let date = if intraday { Holds::DateTime } else { Holds::Date };
        let mut described = vec![("id", Holds::Integer), ("symbol", Holds::Symbol), ("trade_date", date)];
        described.extend(COLUMNS[..columns].iter().map(|name| (*name, Holds::Double)));
        let columns_of_table = described.into_iter().map(|(name, holds)| (name.to_owned(), holds)).collect();
        let table = Table { name: "bars".to_owned(), columns: columns_of_table, rows: Vec::new() };
        if kind.is_database() {
            store.load(&table);
            store.execute("CREATE INDEX by_id ON bars (id)");
            if index {
                store.execute("CREATE INDEX by_symbol ON bars (symbol, trade_date)");
            }
        }
        Some(Self { store, rows: BTreeMap::new(), columns, table, next_id: 1, pending: String::new() })
    }

    pub fn url(&self) -> String {
        self.store.url("bars", "")
    }

    /// Columns the table has of [`COLUMNS`].
    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn rows_of(&self, symbol: &str) -> &[Row] {
        self.rows.get(symbol).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds a row and tells its number.
    pub fn insert(&mut self, symbol: &str, date: &str, values: Values) -> u64 {
        let id = self.next_id;
        self.insert_as(id, symbol, date, values);
        id
    }

    /// Adds a row of this number.
    pub fn insert_as(&mut self, id: u64, symbol: &str, date: &str, mut values: Values) {
        values[self.columns..].fill(None);
        self.next_id = self.next_id.max(id + 1);
        let cells: Vec<String> = values[..self.columns].iter().map(|value| literal(*value)).collect();
        let line = format!("({id}, '{symbol}', '{date}', {})", cells.join(", "));
        // Rows that follow each other are one statement.
        if self.pending.ends_with(")\n") {
            self.pending.truncate(self.pending.len() - 1);
            writeln!(self.pending, ", {line}").expect("text");
        } else {
            self.end_statement();
            writeln!(self.pending, "INSERT INTO bars VALUES {line}").expect("text");
        }
        self.rows.entry(symbol.to_owned()).or_default().push(Row { id, date: date.to_owned(), values });
    }

    /// Gives a row other values.
    pub fn update(&mut self, symbol: &str, id: u64, mut values: Values) {
        values[self.columns..].fill(None);
        let before = self.row(symbol, id).values;
        for (column, (value, before)) in values.iter().zip(before).enumerate().take(self.columns) {
            if value.map(f64::to_bits) != before.map(f64::to_bits) {
                self.statement(&format!("UPDATE bars SET {} = {} WHERE id = {id}", COLUMNS[column], literal(*value)));
            }
        }
        self.row(symbol, id).values = values;
    }

    /// Moves a row to another date.
    pub fn shift(&mut self, symbol: &str, id: u64, date: &str) {
        self.statement(&format!("UPDATE bars SET trade_date = '{date}' WHERE id = {id}"));
        self.row(symbol, id).date = date.to_owned();
    }

    pub fn delete(&mut self, symbol: &str, id: u64) {
        self.statement(&format!("DELETE FROM bars WHERE id = {id}"));
        self.rows.get_mut(symbol).expect("symbol").retain(|row| row.id != id);
    }

    /// Multiplies all prices before a day, as after a split.
    pub fn split(&mut self, symbol: &str, before: &str, factor: f64) {
        let set: Vec<String> = COLUMNS[..4].iter().map(|name| format!("{name} = {name} * {factor:e}")).collect();
        let ids = self.ids(symbol, |row| row.date.as_str() < before);
        self.statement(&format!("UPDATE bars SET {} WHERE id IN ({ids})", set.join(", ")));
        for row in self.rows.get_mut(symbol).expect("symbol").iter_mut().filter(|row| row.date.as_str() < before) {
            for price in row.values[..4].iter_mut().flatten() {
                *price *= factor;
            }
        }
    }

    pub fn delete_symbol(&mut self, symbol: &str) {
        let ids = self.ids(symbol, |_| true);
        self.statement(&format!("DELETE FROM bars WHERE id IN ({ids})"));
        self.rows.insert(symbol.to_owned(), Vec::new());
    }

    /// Numbers of rows for a statement: to some databases symbols that differ in case are equal.
    fn ids(&self, symbol: &str, wanted: impl Fn(&Row) -> bool) -> String {
        let ids: Vec<String> = self.rows_of(symbol).iter().filter(|row| wanted(row)).map(|row| row.id.to_string()).collect();
        if ids.is_empty() { "0".to_owned() } else { ids.join(", ") }
    }

    pub fn row(&mut self, symbol: &str, id: u64) -> &mut Row {
        self.rows.get_mut(symbol).expect("symbol").iter_mut().find(|row| row.id == id).expect("a row")
    }

    fn statement(&mut self, sql: &str) {
        self.end_statement();
        self.pending.push_str(sql);
        self.pending.push_str(";\n");
    }

    fn end_statement(&mut self) {
        if self.pending.ends_with(")\n") {
            self.pending.truncate(self.pending.len() - 1);
            self.pending.push_str(";\n");
        }
    }

    /// Runs what was not run yet, in one transaction; a file is written anew, its rows in the order in which they came.
    pub fn flush(&mut self) {
        if self.store.kind.is_file() {
            self.pending.clear();
            let cell = |value: &Option<f64>| value.map_or(Cell::Null, Cell::Number);
            let cells = |symbol: &String, row: &Row| {
                let own = [Cell::Number(row.id as f64), Cell::Text(symbol.clone()), Cell::Text(row.date.clone())];
                own.into_iter().chain(row.values[..self.columns].iter().map(cell)).collect()
            };
            let rows = self.rows.iter().flat_map(|(symbol, rows)| rows.iter().map(move |row| cells(symbol, row))).collect();
            return self.store.load(&Table { rows, ..self.table.clone() });
        }
        self.end_statement();
        if !self.pending.is_empty() {
            self.store.execute(&format!("BEGIN;\n{}COMMIT;", self.pending));
            self.pending.clear();
        }
    }
}

fn literal(value: Option<f64>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |number| format!("{number:e}"))
}
