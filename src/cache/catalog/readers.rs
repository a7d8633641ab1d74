//! The pool of reading connections: in WAL mode they never wait for the writer, and see whole commits only.

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Connections kept for the next reader; more are opened when more read at once, and closed afterwards. As many as threads of a preheat
/// read at once: opening one takes as long as reading dozens of entries.
const KEPT: usize = 20;

/// Reading connections to one catalog.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Never used to read anything else: its `data_version` is compared with its own earlier one.
    watching: Mutex<Connection>,
}

impl Readers {
    /// Opens the first two connections.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let watching = Mutex::new(connect(path)?);
        Ok(Self { path: path.to_path_buf(), idle: Mutex::new(vec![connect(path)?]), watching })
    }

    /// Runs `work` on a connection that nobody else uses meanwhile.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let free = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match free {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let value = work(&connection)?;
        // Only what worked is used again.
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
        Ok(value)
    }

    /// A number that differs from the one before when anybody else has committed since.
    pub(super) fn data_version(&self) -> rusqlite::Result<i64> {
        let connection = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        connection.pragma_query_value(None, "data_version", |row| row.get(0))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // Little: several connections would each keep a large catalog's pages, which the system has in memory anyway.
    connection.pragma_update(None, "cache_size", -4_096)?;
    // Read only; copies of the catalog are written with it, and are made durable when they are whole.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
