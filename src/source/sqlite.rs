//! SQLite files, opened read-only, read in a blocking thread with no hop per row.
//!
//! SQLite's types belong to values, not columns, so every value is read as what it is: a number, a text that may be one.

use super::collect::{Collector, NoTime};
use super::columns::{ColumnMap, ColumnRole};
use super::digest::{DigestRequest, SymbolDigest};
use super::error::{SourceError, SourceErrorKind};
use super::table::{ColumnInfo, TableInfo, TablePlan};
use super::tally::{RowHash, Tally};
use super::time_value::{
    Bound, DateStyle, bounds, is_in_style, micros_of_number, micros_of_text, number_of_text, style_of_number, style_of_text,
};
use super::{FetchRequest, Fetched, Preview, SymbolInfo};
use crate::market::{DateRange, Symbol, format_date, micros_of_date};
use chrono::NaiveDate;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A SQLite file. Opened anew for every use, which costs microseconds and leaves no lock behind.
#[derive(Debug, Clone)]
pub(super) struct SqliteFile {
    path: PathBuf,
}

impl SqliteFile {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Opens the file, which must exist and be a database.
    pub(super) fn open(&self) -> Result<Connection, SourceError> {
        if !self.path.exists() {
            return Err(missing_file(&self.path));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opening = || {
            let connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            connection.pragma_update(None, "query_only", true)?;
            // Reading the schema is what finds out that a file is no database.
            connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |_| Ok(()))?;
            Ok(connection)
        };
        opening().map_err(|error| self.explain(&error, "opening it"))
    }

    pub(super) fn version() -> String {
        format!("SQLite {}", rusqlite::version())
    }

    pub(super) fn is_read_only(&self) -> Result<bool, SourceError> {
        self.open()?.is_readonly("main").map_err(|error| self.explain(&error, "asking whether it can be written"))
    }

    /// Every table and view with its columns.
    pub(super) fn tables(&self) -> Result<Vec<TableInfo>, SourceError> {
        let connection = self.open()?;
        let listing = || {
            let mut statement = connection.prepare(
                "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c \
                 WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden <> 1 ORDER BY m.name, c.cid",
            )?;
            let mut rows = statement.query([])?;
            let mut tables: Vec<TableInfo> = Vec::new();
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                let type_name = row.get::<_, Option<String>>(2)?.unwrap_or_default().to_lowercase();
                let column = ColumnInfo { name: row.get(1)?, type_name, collation: None };
                match tables.last_mut() {
                    Some(table) if table.name == name => table.columns.push(column),
                    _ => tables.push(TableInfo { schema: None, name, columns: vec![column] }),
                }
            }
            Ok(tables)
        };
        listing().map_err(|error| self.explain(&error, "listing its tables"))
    }

    /// Decides how dates are written, by looking at one.
    pub(super) fn plan(&self, table: TableInfo, columns: ColumnMap) -> Result<TablePlan, SourceError> {
        let connection = self.open()?;
        let date = quoted(columns.get(ColumnRole::Date).unwrap_or_default());
        let sql = format!("SELECT {date} FROM {} WHERE {date} IS NOT NULL LIMIT 1", quoted(&table.name));
        let example = connection.query_row(&sql, [], |row| row.get::<_, Value>(0));
        let dates = match example {
            Ok(Value::Text(text)) => style_of_text(&text),
            Ok(Value::Integer(number)) => style_of_number(number),
            Ok(_) | Err(rusqlite::Error::QueryReturnedNoRows) => DateStyle::OtherNumber,
            Err(error) => return Err(self.explain(&error, "looking at a date")),
        };
        Ok(TablePlan::new(table, columns, dates, |_| false, |_| false))
    }

    pub(super) fn symbols(&self, plan: &TablePlan) -> Result<Vec<SymbolInfo>, SourceError> {
        let connection = self.open()?;
        let listing = || {
            let mut statement = connection.prepare(&symbols_query(plan))?;
            let mut rows = statement.query([])?;
            let mut symbols: Vec<SymbolInfo> = Vec::new();
            while let Some(row) = rows.next()? {
                let name = symbol_of(row.get_ref(0)?).unwrap_or_default();
                if name.is_empty() {
                    continue;
                }
                symbols.push(SymbolInfo {
                    symbol: Symbol::from(name),
                    first_us: read_time(row.get_ref(1)?).ok(),
                    last_us: read_time(row.get_ref(2)?).ok(),
                    bar_count: row.get::<_, i64>(3)?.unsigned_abs(),
                });
            }
            symbols.sort_by(|a, b| a.symbol.cmp(&b.symbol));
            // A column that holds both 600519 and '600519' groups them apart; they are one symbol.
            symbols.dedup_by(|next, kept| {
                let same = next.symbol == kept.symbol;
                if same {
                    kept.first_us = kept.first_us.into_iter().chain(next.first_us).min();
                    kept.last_us = kept.last_us.max(next.last_us);
                    kept.bar_count += next.bar_count;
                }
                same
            });
            Ok(symbols)
        };
        listing().map_err(|error| self.explain(&error, "listing the symbols"))
    }

    /// Reads the symbols of one statement and gives each to `send` as soon as it is complete; ends early once that is `false`.
    pub(super) fn fetch(
        &self,
        plan: &TablePlan,
        symbols: &[Symbol],
        request: &FetchRequest,
        send: &mut dyn FnMut(Fetched) -> bool,
    ) -> Result<(), SourceError> {
        let connection = self.open()?;
        let tally = request.digest.as_ref().map(|digest| Tally::on_the_way(symbols, request.range, digest));
        let mut collector = Collector::new(symbols, &plan.columns, request.range).counting(tally);
        let (mut sql, asked) = bars_query(plan, symbols, request.range);
        sql.push_str(&in_order(plan));
        let mut reading = || {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(&asked))?;
            let mut hash = RowHash::default();
            while let Some(row) = rows.next()? {
                push_row(row, plan, &mut collector, &mut hash)?;
                if collector.has_ready() && !collector.take_ready().into_iter().all(&mut *send) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        if reading().map_err(|error| self.explain(&error, "reading bars"))? {
            // Ends at the first that is not taken.
            collector.finish().into_iter().all(send);
        }
        Ok(())
    }

    /// Counts and hashes the rows of the symbols of one statement, in whatever order they are found; nothing leaves the process.
    pub(super) fn digests(
        &self,
        plan: &TablePlan,
        symbols: &[Symbol],
        request: &DigestRequest,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Vec<(Symbol, SymbolDigest)>, SourceError> {
        let connection = self.open()?;
        let mut tally = Tally::new(symbols, request);
        let (sql, asked) = bars_query(plan, symbols, request.range);
        let mut reading = || {
            let mut statement = connection.prepare(&sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(&asked))?;
            let mut hash = RowHash::default();
            while let Some(row) = rows.next()? {
                let Some(slot) = name_of(row.get_ref(0)?).and_then(|name| tally.slot(&name)) else { continue };
                hash.begin();
                for column in 1..columns {
                    hash_value(&mut hash, row.get_ref(column)?);
                }
                let date = row.get_ref(1)?;
                tally.row(slot, &read_time(date), has_limits(plan.dates, date), hash.end());
                if !is_wanted() {
                    break;
                }
            }
            Ok(())
        };
        reading().map_err(|error| self.explain(&error, "counting bars"))?;
        Ok(tally.finish())
    }

    pub(super) fn preview(&self, table: &TableInfo, limit: usize) -> Result<Preview, SourceError> {
        let connection = self.open()?;
        let columns = table.column_names();
        let reading = || {
            let mut statement = connection.prepare(&preview_query(table, limit))?;
            let mut rows = statement.query([])?;
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                let line: Result<Vec<String>, rusqlite::Error> =
                    (0..columns.len()).map(|column| row.get_ref(column).map(shown_value)).collect();
                lines.push(line?);
            }
            Ok(lines)
        };
        let rows = reading().map_err(|error| self.explain(&error, "reading the first rows"))?;
        Ok(Preview { columns, rows })
    }

    pub(super) fn explain(&self, error: &rusqlite::Error, doing: &str) -> SourceError {
        let path = self.path.display();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => SourceError::new(
                SourceErrorKind::BadFile,
                format!("{path} is no SQLite database, or a damaged one ({error})"),
                "choose another file, or restore this one from a backup",
            ),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => SourceError::new(
                SourceErrorKind::NotAllowed,
                format!("cannot open {path} ({error})"),
                "check that this user may read the file and enter its folder",
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SourceError::new(
                SourceErrorKind::Timeout,
                format!("{path} is locked by another program ({error})"),
                "try again when the other program has finished writing",
            ),
            _ => SourceError::plain(SourceErrorKind::QueryFailed, format!("{path} failed while {doing}: {error}")),
        }
    }
}

pub(super) fn missing_file(path: &Path) -> SourceError {
    SourceError::new(
        SourceErrorKind::MissingFile,
        format!("there is no file or folder {}", path.display()),
        "check the path; a relative one begins at the current folder",
    )
}

fn bound_value(bound: Bound) -> Value {
    match bound {
        Bound::Number(number) => Value::Integer(number),
        Bound::Text(text) => Value::Text(text),
        Bound::Date(day) => Value::Text(format_date(micros_of_date(day))),
        Bound::DateTime(time) => Value::Text(time.format("%Y-%m-%d %H:%M:%S").to_string()),
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Every symbol with first and last date and number of rows.
pub(super) fn symbols_query(plan: &TablePlan) -> String {
    let [symbol, date] = [ColumnRole::Symbol, ColumnRole::Date].map(|role| quoted(plan.columns.get(role).unwrap_or_default()));
    format!(
        "SELECT {symbol}, MIN({date}), MAX({date}), COUNT(*) FROM {} WHERE {symbol} IS NOT NULL GROUP BY {symbol} COLLATE BINARY",
        quoted(&plan.table.name)
    )
}

/// The first rows.
pub(super) fn preview_query(table: &TableInfo, limit: usize) -> String {
    let shown = table.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
    format!("SELECT {shown} FROM {} LIMIT {limit}", quoted(&table.name))
}

/// What makes the rows of [`bars_query`] come by symbol and date.
pub(super) fn in_order(plan: &TablePlan) -> String {
    let [symbol, date] = [ColumnRole::Symbol, ColumnRole::Date].map(|role| quoted(plan.columns.get(role).unwrap_or_default()));
    format!(" ORDER BY {symbol}, {date}")
}

/// `SELECT symbol, date, numbers… FROM table WHERE symbol IN (?, …) …` and its parameters.
pub(super) fn bars_query(plan: &TablePlan, symbols: &[Symbol], range: DateRange) -> (String, Vec<Value>) {
    let (start, end) = bounds(plan.dates, &range);
    let mut asked: Vec<Value> = Vec::with_capacity(symbols.len() + 2);
    for symbol in symbols {
        asked.push(Value::Text(symbol.as_str().to_owned()));
        // Numbers in a column without a type equal no text.
        if let Some(number) = symbol.as_str().parse::<i64>().ok().filter(|number| number.to_string() == symbol.as_str()) {
            asked.push(Value::Integer(number));
        }
    }
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    let date = quoted(plan.columns.get(ColumnRole::Date).unwrap_or_default());
    let mut sql = format!("SELECT {symbol}, {date}");
    for role in ColumnRole::NUMBERS {
        if let Some(column) = plan.columns.get(role) {
            sql.push_str(&format!(", {}", quoted(column)));
        }
    }
    sql.push_str(&format!(" FROM {} WHERE {symbol} IN ({})", quoted(&plan.table.name), vec!["?"; asked.len()].join(",")));
    if start.is_some() {
        sql.push_str(&format!(" AND {date} >= ?"));
    }
    if end.is_some() {
        sql.push_str(&format!(" AND {date} < ?"));
    }
    asked.extend(start.into_iter().chain(end).map(bound_value));
    (sql, asked)
}

/// Puts a row where it belongs, and counts it where rows are counted. Every value is looked at once.
#[inline]
fn push_row(row: &Row<'_>, plan: &TablePlan, collector: &mut Collector, hash: &mut RowHash) -> Result<(), rusqlite::Error> {
    let Some(slot) = name_of(row.get_ref(0)?).and_then(|name| collector.slot(&name)) else { return Ok(()) };
    let is_counted = collector.tally().is_some();
    let date = row.get_ref(1)?;
    let time = read_time(date);
    if is_counted {
        hash.begin();
        hash_value(hash, date);
    }
    let mut numbers = [f64::NAN; 8];
    // In the order of the columns, which is the order of the hash.
    for (value, number) in numbers.iter_mut().zip(&plan.numbers) {
        let Some((position, _)) = number else { continue };
        let stored = row.get_ref(*position)?;
        if is_counted {
            hash_value(hash, stored);
        }
        *value = match stored {
            ValueRef::Real(number) => number,
            ValueRef::Integer(number) => number as f64,
            ValueRef::Text(text) => std::str::from_utf8(text).map_or(f64::NAN, number_of_text),
            ValueRef::Null | ValueRef::Blob(_) => f64::NAN,
        };
    }
    if is_counted && let Some(tally) = collector.tally() {
        tally.row(slot, &time, has_limits(plan.dates, date), hash.end());
    }
    collector.push(slot, time, &numbers);
    Ok(())
}

#[inline]
fn hash_value(hash: &mut RowHash, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => hash.missing(),
        ValueRef::Integer(number) => hash.integer(number),
        ValueRef::Real(number) => hash.number(number),
        ValueRef::Text(text) => hash.text(text),
        ValueRef::Blob(blob) => hash.blob(blob),
    }
}

/// Whether a range finds a value of a column in this style where its time is.
fn has_limits(style: DateStyle, value: ValueRef<'_>) -> bool {
    match (style, value) {
        // Such columns have no limits in SQL; times are compared here.
        (DateStyle::OtherText | DateStyle::OtherNumber, _) => true,
        (DateStyle::SeparatedText(_) | DateStyle::CompactText, ValueRef::Text(text)) => is_in_style(style, text),
        (_, ValueRef::Integer(_) | ValueRef::Real(_)) => true,
        _ => false,
    }
}

/// The symbol of a row of bars; `None` where it is none that can be asked for.
#[inline]
fn name_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Text(text) => std::str::from_utf8(text).ok().filter(|name| !name.is_empty()).map(Cow::Borrowed),
        other => symbol_of(other).map(Cow::Owned),
    }
}

fn symbol_of(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
    }
}

/// `2024-03-01` alone, which is what most texts of dates are; `None` for whatever else it may be.
#[inline]
fn plain_day(text: &[u8]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *<&[u8; 10]>::try_from(text).ok()? else { return None };
    let digit = |byte: u8| u32::from(byte.wrapping_sub(b'0'));
    let digits = [y0, y1, y2, y3, m0, m1, d0, d1].map(digit);
    let [y0, y1, y2, y3, m0, m1, d0, d1] = digits;
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let year = i32::try_from(y0 * 1_000 + y1 * 100 + y2 * 10 + y3).ok()?;
    NaiveDate::from_ymd_opt(year, m0 * 10 + m1, d0 * 10 + d1).map(micros_of_date)
}

#[inline]
fn read_time(value: ValueRef<'_>) -> Result<i64, NoTime> {
    let time = match value {
        ValueRef::Text(text) => plain_day(text).or_else(|| std::str::from_utf8(text).ok().and_then(micros_of_text)),
        ValueRef::Integer(number) => micros_of_number(number),
        // Whole numbers only: a fraction may be a Julian day, and there is no telling.
        ValueRef::Real(number) if number.fract() == 0.0 && number.abs() < 9e18 => micros_of_number(number as i64),
        ValueRef::Real(_) | ValueRef::Null | ValueRef::Blob(_) => None,
    };
    time.ok_or_else(|| NoTime(if value == ValueRef::Null { "NULL".to_owned() } else { shown_value(value) }))
}

fn shown_value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("({} bytes)", bytes.len()),
    }
}
