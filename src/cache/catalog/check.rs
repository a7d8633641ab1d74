//! Looking for damage in the catalog itself.
//!
//! While it is closed, the sum beside the file finds every flipped bit. While it is open, or after a kill: SQLite's own check
//! finds what breaks the structure of pages and indexes, and the seals find every other flipped bit in the rows of entries and
//! trash. Not found then: flipped bits in unused space (they mean nothing) and in values of counters, histories and lists.

use super::at_rest::Condition;
use super::{Catalog, rows};
use crate::cache::error::CacheError;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// What a check of the catalog found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogCheck {
    /// What SQLite says of pages and indexes; empty when all is well.
    pub structure: Vec<String>,
    /// Rows that fail their seal, in words; they are never served.
    pub rows: Vec<String>,
}

impl CatalogCheck {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.structure.is_empty() && self.rows.is_empty()
    }
}

impl Catalog {
    /// Checks the structure of the whole file and the seal of every row of entries and trash.
    ///
    /// # Errors
    /// When the catalog cannot be read at all.
    pub fn check(&self) -> Result<CatalogCheck, CacheError> {
        let found = self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let mut statement = transaction.prepare("PRAGMA integrity_check(20)")?;
            let structure: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let broken = broken_rows(&transaction)?;
            Ok(CatalogCheck {
                structure: structure.into_iter().filter(|line| line != "ok").collect(),
                rows: broken.into_iter().map(|row| row.name).collect(),
            })
        })?;
        if !found.is_clean() {
            self.suspect();
        }
        Ok(found)
    }

    /// Removes the rows that fail their seal and builds the indexes anew. The files of removed entries are then unknown to the
    /// catalog, and can be taken in from what their footers say. Returns how many rows were removed.
    ///
    /// # Errors
    /// When the catalog cannot be written, or is damaged in more than rows and indexes.
    pub fn remove_broken_rows(&self) -> Result<usize, CacheError> {
        self.write(|transaction| {
            // First: a row whose index entry is wrong cannot be deleted.
            transaction.execute_batch("REINDEX")?;
            let broken = broken_rows(transaction)?;
            for row in &broken {
                transaction.execute(&format!("DELETE FROM {} WHERE rowid = ?1", row.table), [row.rowid])?;
            }
            Ok(broken.len())
        })
    }
}

struct BrokenRow {
    table: &'static str,
    rowid: i64,
    name: String,
}

fn broken_rows(connection: &Connection) -> rusqlite::Result<Vec<BrokenRow>> {
    let mut broken = Vec::new();
    for (table, columns) in [("entries", rows::ENTRY_COLUMNS), ("trash", rows::TRASH_COLUMNS)] {
        // By the table itself: an index may be what is damaged.
        let mut statement = connection.prepare(&format!("SELECT {columns}, rowid FROM {table} NOT INDEXED"))?;
        let last = statement.column_count().saturating_sub(1);
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let whole = if table == "trash" { rows::is_trash_sealed(row)? } else { rows::is_sealed(row)? };
            if !whole {
                let rowid = row.get(last)?;
                broken.push(BrokenRow { table, rowid, name: format!("row {rowid} of {table} ({})", rows::label(row)) });
            }
        }
    }
    Ok(broken)
}

/// The check when a catalog is opened: quick where it was closed well, thorough where it was not.
pub(super) fn at_opening(connection: &Connection, condition: Condition) -> rusqlite::Result<()> {
    let thorough = condition == Condition::NotClosed;
    let pragma = if thorough { "PRAGMA integrity_check(1)" } else { "PRAGMA quick_check(1)" };
    let health: String = connection.query_row(pragma, [], |row| row.get(0))?;
    if health != "ok" {
        return Err(damage(health));
    }
    if !thorough {
        return Ok(());
    }
    let format = super::schema::format_of(connection)?;
    let expected = super::schema::columns_of_format(format)?;
    if super::schema::columns(connection)? != expected {
        return Err(damage(format!("its tables are not those of format {format}")));
    }
    if format == super::schema::newest_format()
        && let Some(first) = broken_rows(connection)?.first()
    {
        return Err(damage(format!("{} fails its seal", first.name)));
    }
    match table_with_broken_text(connection)? {
        Some(table) => Err(damage(format!("a text of {table} is none"))),
        None => Ok(()),
    }
}

/// A table with a text that is not UTF-8, which SQLite does not mind and nobody can read.
fn table_with_broken_text(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")?;
    let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for name in names {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\" NOT INDEXED"))?;
        let columns = statement.column_count();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            for column in 0..columns {
                if matches!(row.get_ref(column)?, ValueRef::Text(text) if std::str::from_utf8(text).is_err()) {
                    return Ok(Some(name));
                }
            }
        }
    }
    Ok(None)
}

pub(super) fn damage(reason: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(reason))
}
