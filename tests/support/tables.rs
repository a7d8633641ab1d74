//! One way to put a table of bars into every kind of source: MariaDB, PostgreSQL, SQLite, a CSV file, a Parquet file.

use super::servers::{self, Server};
use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::record_batch::RecordBatch;
use samovar::market::{DAY_US, micros_of_date, parse_date};
use std::fmt::Write as _;
use std::sync::Arc;
use tempfile::TempDir;

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    MariaDb,
    Postgres,
    Sqlite,
    Csv,
    Parquet,
}

impl Kind {
    pub fn is_database(self) -> bool {
        !self.is_file()
    }

    pub fn is_file(self) -> bool {
        matches!(self, Self::Csv | Self::Parquet)
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Symbol,
    Date,
    DateTime,
    Double,
    Decimal,
    Integer,
    Text,
}

/// A value.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Cell {
    Null,
    Text(String),
    Number(f64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// A table to be.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub columns: Vec<(String, Holds)>,
    pub rows: Vec<Vec<Cell>>,
}

/// A store with a table in it; goes away with its folder.
pub struct Store {
    pub kind: Kind,
    pub database: String,
    server: Option<&'static Server>,
    pub folder: TempDir,
}

impl Store {
    /// A new, empty store; `None` where it needs a server that is not there.
    pub fn new(kind: Kind) -> Option<Self> {
        let server = match kind {
            Kind::MariaDb => Some(servers::mariadb()?),
            Kind::Postgres => Some(servers::postgres()?),
            _ => None,
        };
        let database = server.map_or_else(String::new, Server::new_database);
        Some(Self { kind, database, server, folder: TempDir::new().expect("folder") })
    }

    pub fn server(&self) -> &'static Server {
        self.server.expect("a server")
    }

    /// The source URL of a table in it; `parameters` like `&close=last`.
    pub fn url(&self, table: &str, parameters: &str) -> String {
        let folder = self.folder.path().display();
        let text = match self.kind {
            Kind::MariaDb | Kind::Postgres => self.server().url(&format!("{}?table={table}{parameters}", self.database)),
            Kind::Sqlite => format!("sqlite:{folder}/market data.db?table={table}{parameters}"),
            Kind::Csv => format!("files:{folder}/{table}.csv?{parameters}"),
            Kind::Parquet => format!("files:{folder}/{table}.parquet?{parameters}"),
        };
        if table.is_empty() { text.replace("table=&", "").replace("table=", "") } else { text }
    }

    /// Runs SQL in it.
    pub fn execute(&self, sql: &str) {
        match self.kind {
            Kind::MariaDb | Kind::Postgres => self.server().execute(&self.database, sql),
            Kind::Sqlite => {
                let database = rusqlite::Connection::open(self.folder.path().join("market data.db")).expect("database");
                // Nothing here outlives the test, let alone a power cut.
                database.pragma_update(None, "synchronous", "OFF").expect("pragma");
                database.execute_batch(sql).expect(sql);
            }
            Kind::Csv | Kind::Parquet => panic!("no SQL in files"),
        }
    }

    /// Puts a table into it.
    pub fn load(&self, table: &Table) {
        match self.kind {
            Kind::MariaDb | Kind::Postgres | Kind::Sqlite => self.execute(&self.sql(table)),
            Kind::Csv => std::fs::write(self.folder.path().join(format!("{}.csv", table.name)), csv(table)).expect("file"),
            Kind::Parquet => {
                let file = std::fs::File::create(self.folder.path().join(format!("{}.parquet", table.name))).expect("file");
                write_parquet(table, file);
            }
        }
    }

    /// Puts other rows into a table that is there.
    pub fn refill(&self, table: &Table) {
        if self.kind.is_file() {
            return self.load(table);
        }
        let mark = if self.kind == Kind::MariaDb { '`' } else { '"' };
        let row = |row: &Vec<Cell>| format!("({})", row.iter().map(|cell| self.literal(cell)).collect::<Vec<_>>().join(", "));
        let rows = table.rows.iter().map(row).collect::<Vec<_>>();
        let mut sql = format!("DELETE FROM {mark}{}{mark};", table.name);
        if !rows.is_empty() {
            write!(sql, "INSERT INTO {mark}{}{mark} VALUES {};", table.name, rows.join(", ")).expect("text");
        }
        self.execute(&sql);
    }

    fn sql(&self, table: &Table) -> String {
        let mark = if self.kind == Kind::MariaDb { '`' } else { '"' };
        let type_of = |holds: Holds| match (self.kind, holds) {
            (Kind::MariaDb | Kind::Postgres, Holds::Symbol) => "VARCHAR(255)",
            (_, Holds::Date) => "DATE",
            (Kind::MariaDb, Holds::DateTime) => "DATETIME",
            (_, Holds::DateTime) => "TIMESTAMP",
            (Kind::Postgres, Holds::Double) => "DOUBLE PRECISION",
            (_, Holds::Double) => "DOUBLE",
            (_, Holds::Decimal) => "DECIMAL(18, 4)",
            (_, Holds::Integer) => "BIGINT",
            (_, Holds::Text | Holds::Symbol) => "TEXT",
        };
        let columns: Vec<String> = table.columns.iter().map(|(name, holds)| format!("{mark}{name}{mark} {}", type_of(*holds))).collect();
        let mut sql = format!("CREATE TABLE {mark}{}{mark} ({});\n", table.name, columns.join(", "));
        for row in &table.rows {
            let values: Vec<String> = row.iter().map(|cell| self.literal(cell)).collect();
            writeln!(sql, "INSERT INTO {mark}{}{mark} VALUES ({});", table.name, values.join(", ")).expect("text");
        }
        sql
    }

    fn literal(&self, cell: &Cell) -> String {
        match cell {
            Cell::Null => "NULL".to_owned(),
            // So many zeros would make a decimal of it, and that a zero.
            Cell::Number(number) if *number != 0.0 && number.abs() < 1e-10 => format!("{number:e}"),
            Cell::Number(number) => format!("{number}"),
            Cell::Text(text) if self.kind == Kind::MariaDb => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        }
    }
}

/// A table as CSV.
pub fn csv(table: &Table) -> String {
    let mut text = table.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(",");
    text.push('\n');
    for row in &table.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Cell::Null => String::new(),
                Cell::Number(number) => format!("{number}"),
                Cell::Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
            })
            .collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// A table as Parquet, with a type of its own for every kind of column.
pub fn write_parquet(table: &Table, file: std::fs::File) {
    let arrays = table.columns.iter().enumerate().map(|(position, (name, holds))| {
        let cells: Vec<&Cell> = table.rows.iter().map(|row| &row[position]).collect();
        let number = |cell: &&Cell| match cell {
            Cell::Number(number) => Some(*number),
            _ => None,
        };
        let text = |cell: &&Cell| match cell {
            Cell::Text(text) => Some(text.clone()),
            Cell::Number(number) => Some(number.to_string()),
            Cell::Null => None,
        };
        let array: ArrayRef = match holds {
            Holds::Symbol | Holds::Text => Arc::new(cells.iter().map(text).collect::<StringArray>()),
            Holds::Date => Arc::new(
                cells
                    .iter()
                    .map(|cell| text(cell).map(|text| i32::try_from(micros(&text) / DAY_US).expect("day")))
                    .collect::<Date32Array>(),
            ),
            Holds::DateTime => {
                Arc::new(cells.iter().map(|cell| text(cell).map(|text| micros(&text))).collect::<TimestampMicrosecondArray>())
            }
            Holds::Double => Arc::new(cells.iter().map(number).collect::<Float64Array>()),
            Holds::Integer => Arc::new(cells.iter().map(|cell| number(cell).map(|number| number as i64)).collect::<Int64Array>()),
            Holds::Decimal => Arc::new(
                cells
                    .iter()
                    .map(|cell| number(cell).map(|number| (number * 10_000.0).round() as i128))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(18, 4)
                    .expect("decimal"),
            ),
        };
        (name.clone(), array, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).expect("batch");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("file");
}

/// `2024-03-01` or `2024-03-01 09:31:00` in microseconds.
pub fn micros(text: &str) -> i64 {
    match text.split_once(' ') {
        None => micros_of_date(parse_date(text).expect(text)),
        Some(_) => chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect(text).and_utc().timestamp_micros(),
    }
}
