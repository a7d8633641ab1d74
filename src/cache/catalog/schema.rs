//! The catalog's tables and how older catalogs become today's. One step per format, each in one transaction.

use super::rows;
use crate::cache::error::CacheError;
use rusqlite::{Connection, TransactionBehavior};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Marks the file as Samovar's ("SMVR").
pub(super) const APPLICATION_ID: i64 = 0x534d_5652;

/// What each format added; a catalog of format N has run the first N steps.
const MIGRATIONS: [&str; 7] = [
    // 1: entries, symbols of sources, lookups in time buckets, jobs, trash.
    "CREATE TABLE entries (
        id                 INTEGER PRIMARY KEY,
        source             TEXT NOT NULL,
        symbol             TEXT NOT NULL,
        dataset            TEXT NOT NULL,          -- 'bars' or the feature set's name
        path               TEXT,                   -- below the root of its tree; NULL: no file to serve
        size_bytes         INTEGER NOT NULL DEFAULT 0,
        modified_us        INTEGER NOT NULL DEFAULT 0,
        checksum           BLOB,                   -- xxh3-128 of the file, big-endian
        fingerprint        BLOB,                   -- xxh3-128 of the values, big-endian
        rows               INTEGER NOT NULL DEFAULT 0,
        first_us           INTEGER NOT NULL DEFAULT 0,
        last_us            INTEGER NOT NULL DEFAULT 0,
        intraday           INTEGER NOT NULL DEFAULT 0,
        definition_hash    BLOB,
        inputs_fingerprint BLOB,
        range_start        TEXT,
        range_end          TEXT,
        fetched_at_us      INTEGER NOT NULL DEFAULT 0,
        invalidated_at_us  INTEGER,
        failed_at_us       INTEGER,
        failure            TEXT,
        damaged_at_us      INTEGER,
        pinned             INTEGER NOT NULL DEFAULT 0,
        quality            TEXT,                   -- JSON; NULL: nothing was noticed
        hits               INTEGER NOT NULL DEFAULT 0,
        last_used_us       INTEGER,
        UNIQUE (source, symbol, dataset)
    ) STRICT;
    CREATE TABLE source_symbols (
        source    TEXT NOT NULL,
        symbol    TEXT NOT NULL,
        first_us  INTEGER,
        last_us   INTEGER,
        bar_count INTEGER NOT NULL,
        PRIMARY KEY (source, symbol)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sources (
        source       TEXT PRIMARY KEY,
        url          TEXT NOT NULL,                -- without a password
        listed_at_us INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE lookups (
        bucket_us INTEGER NOT NULL,                -- start of the minute
        tier      TEXT NOT NULL,                   -- memory, disk, shared, miss
        dataset   TEXT NOT NULL,                   -- bars, features
        count     INTEGER NOT NULL,
        PRIMARY KEY (bucket_us, tier, dataset)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE jobs (
        id             INTEGER PRIMARY KEY,
        title          TEXT NOT NULL,
        started_at_us  INTEGER NOT NULL,
        finished_at_us INTEGER,                    -- NULL: running, or its process was killed
        process_id     INTEGER NOT NULL,
        report         TEXT                        -- JSON
    ) STRICT;
    -- Cleared entries: a row of the table above, and where its file waits.
    CREATE TABLE trash AS SELECT * FROM entries WHERE 0;
    ALTER TABLE trash ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trash ADD COLUMN trashed_at_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trash ADD COLUMN file_name TEXT NOT NULL DEFAULT '';",
    // 2: what the source said it had, provisional bars, retries, costs; changes, evictions, leases, lookups in more detail.
    "ALTER TABLE entries ADD COLUMN synced TEXT;                      -- JSON; NULL: the source was not asked
    ALTER TABLE entries ADD COLUMN provisional_from_us INTEGER;
    ALTER TABLE entries ADD COLUMN cost_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE entries ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE entries ADD COLUMN next_attempt_us INTEGER;
    ALTER TABLE entries ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;   -- xxh3-64 of the row but hits, last_used_us
    ALTER TABLE trash ADD COLUMN synced TEXT;
    ALTER TABLE trash ADD COLUMN provisional_from_us INTEGER;
    ALTER TABLE trash ADD COLUMN cost_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trash ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trash ADD COLUMN next_attempt_us INTEGER;
    ALTER TABLE trash ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trash ADD COLUMN trash_seal INTEGER NOT NULL DEFAULT 0; -- of seal, batch, trashed_at_us, file_name
    -- What changed at the source, newest last.
    CREATE TABLE changes (
        id           INTEGER PRIMARY KEY,
        source       TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        noticed_us   INTEGER NOT NULL,
        kind         TEXT NOT NULL,               -- appended, rewritten, removed
        years        TEXT NOT NULL,               -- JSON: the years that changed
        first_us     INTEGER,                     -- time of the first bar that differs
        inserted     INTEGER NOT NULL,            -- bars
        removed      INTEGER NOT NULL,
        altered      INTEGER NOT NULL,
        detail       TEXT NOT NULL                -- in words
    ) STRICT;
    CREATE INDEX changes_of_symbol ON changes (source, symbol, id);
    -- What was evicted and why, newest last.
    CREATE TABLE evictions (
        id           INTEGER PRIMARY KEY,
        source       TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        dataset      TEXT NOT NULL,
        at_us        INTEGER NOT NULL,
        size_bytes   INTEGER NOT NULL,
        last_used_us INTEGER,
        cost_us      INTEGER NOT NULL,
        reason       TEXT NOT NULL
    ) STRICT;
    -- Who may write an entry's files at the moment. The fencing number only ever grows.
    CREATE TABLE leases (
        source       TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        owner        TEXT NOT NULL,
        fence        INTEGER NOT NULL,
        expires_us   INTEGER NOT NULL,            -- 0: given back
        PRIMARY KEY (source, symbol)
    ) STRICT, WITHOUT ROWID;
    -- Lookups per minute with bytes; `stale` counts those answered with what was not fresh.
    ALTER TABLE lookups RENAME TO lookups_1;
    CREATE TABLE lookups (
        bucket_us    INTEGER NOT NULL,            -- start of the minute; 0: all that is older than 30 days
        tier         TEXT NOT NULL,               -- memory, disk, shared, miss
        dataset      TEXT NOT NULL,               -- bars, or the set's name
        count        INTEGER NOT NULL,
        stale        INTEGER NOT NULL DEFAULT 0,
        size_bytes   INTEGER NOT NULL DEFAULT 0,
        elapsed_us   INTEGER NOT NULL DEFAULT 0,  -- spent answering
        saved_us     INTEGER NOT NULL DEFAULT 0,  -- what the source would have taken
        PRIMARY KEY (bucket_us, tier, dataset)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO lookups (bucket_us, tier, dataset, count) SELECT bucket_us, tier, dataset, count FROM lookups_1;
    DROP TABLE lookups_1;
    -- The same per entry and hour; after two days per day. By time first: old ones are dropped, and there are few buckets.
    CREATE TABLE symbol_lookups (
        bucket_us    INTEGER NOT NULL,            -- start of the hour or day
        source       TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        dataset      TEXT NOT NULL,
        memory       INTEGER NOT NULL DEFAULT 0,
        disk         INTEGER NOT NULL DEFAULT 0,
        shared       INTEGER NOT NULL DEFAULT 0,
        miss         INTEGER NOT NULL DEFAULT 0,
        stale        INTEGER NOT NULL DEFAULT 0,
        size_bytes   INTEGER NOT NULL DEFAULT 0,
        saved_us     INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (bucket_us, source, symbol, dataset)
    ) STRICT, WITHOUT ROWID;
    -- How long lookups took: per hour and tier, how many fell into each class (the upper bound grows by a quarter power of two).
    CREATE TABLE latencies (
        bucket_us    INTEGER NOT NULL,            -- start of the hour
        tier         TEXT NOT NULL,
        class        INTEGER NOT NULL,
        count        INTEGER NOT NULL,
        PRIMARY KEY (bucket_us, tier, class)
    ) STRICT, WITHOUT ROWID;
    -- The newest single lookups with their reasons.
    CREATE TABLE lookup_log (
        id           INTEGER PRIMARY KEY,
        at_us        INTEGER NOT NULL,
        source       TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        dataset      TEXT NOT NULL,
        tier         TEXT NOT NULL,
        reason       TEXT NOT NULL,               -- fresh, missing, stale, outdated, damaged, failed, forced
        elapsed_us   INTEGER NOT NULL,
        size_bytes   INTEGER NOT NULL
    ) STRICT;
    -- What was noticed in a symbol's rows, each time it was another than before.
    CREATE TABLE quality_history (
        id           INTEGER PRIMARY KEY,
        source       TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        at_us        INTEGER NOT NULL,
        quality      TEXT NOT NULL                -- JSON
    ) STRICT;
    CREATE INDEX quality_of_symbol ON quality_history (source, symbol, id);
    -- Passes of the scrub, which reads every file whole and compares it with its checksum; newest last.
    CREATE TABLE scrubs (
        id           INTEGER PRIMARY KEY,
        started_us   INTEGER NOT NULL,
        finished_us  INTEGER,                     -- NULL: still under way
        files        INTEGER NOT NULL DEFAULT 0,
        size_bytes   INTEGER NOT NULL DEFAULT 0,
        damaged      INTEGER NOT NULL DEFAULT 0,
        missing      INTEGER NOT NULL DEFAULT 0,
        at_source    TEXT NOT NULL DEFAULT '',    -- the last entry that was read
        at_symbol    TEXT NOT NULL DEFAULT '',
        at_dataset   TEXT NOT NULL DEFAULT ''
    ) STRICT;",
    // 3: versions of feature sets. Datasets may be older versions by now: a set's name and the definition's upper half.
    "-- Every version of a set that something was computed with.
    CREATE TABLE set_versions (
        set_name        TEXT NOT NULL,
        definition_hash BLOB NOT NULL,            -- 128 bits, big-endian
        text            TEXT NOT NULL,            -- the set as it was written (TOML); empty: only files tell of it
        engine_version  TEXT NOT NULL,
        precision       TEXT NOT NULL,            -- f64 or f32
        features        TEXT NOT NULL,            -- JSON: [column, 32 hex digits of its feature's hash] each
        first_used_us   INTEGER NOT NULL,
        last_used_us    INTEGER NOT NULL,
        entries         INTEGER NOT NULL,         -- computed with it, each time counted
        rows            INTEGER NOT NULL,
        rounding        REAL,                     -- largest relative error of a value that was stored rounded
        PRIMARY KEY (set_name, definition_hash)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO set_versions
        SELECT dataset, definition_hash, '', '', 'f64', '[]', min(fetched_at_us), max(fetched_at_us), count(*), sum(rows), NULL
        FROM entries WHERE dataset <> 'bars' AND definition_hash IS NOT NULL AND path IS NOT NULL GROUP BY dataset, definition_hash;",
    // 4: what the queries of sources took, and whether an index serves them.
    "CREATE TABLE slow_queries (
        id           INTEGER PRIMARY KEY,
        source       TEXT NOT NULL,
        purpose      TEXT NOT NULL,               -- symbols, digests, bars, preview
        statement    TEXT NOT NULL,               -- with places instead of values
        about        TEXT NOT NULL,               -- whose rows, in words
        began_us     INTEGER NOT NULL,
        elapsed_us   INTEGER NOT NULL,            -- the source's own time
        first_row_us INTEGER,
        rows         INTEGER NOT NULL,
        size_bytes   INTEGER NOT NULL,            -- estimated
        error        TEXT
    ) STRICT;
    CREATE INDEX slow_queries_of_source ON slow_queries (source, elapsed_us);
    CREATE TABLE source_indexes (
        source       TEXT PRIMARY KEY,
        checked_us   INTEGER NOT NULL,
        finding      TEXT NOT NULL                -- JSON
    ) STRICT, WITHOUT ROWID;",
    // 5: when the rows of a source's symbols were counted; looking for new symbols only does not count them.
    "ALTER TABLE sources ADD COLUMN counted_at_us INTEGER NOT NULL DEFAULT 0;",
    // 6: how much was found in each symbol's bars.
    "CREATE TABLE examined (
        source       TEXT NOT NULL,
        symbol       TEXT NOT NULL,
        fingerprint  BLOB NOT NULL,               -- of the bars, xxh3-128, big-endian
        rules        TEXT NOT NULL,               -- by which rules, and of which market
        counts       TEXT NOT NULL,               -- JSON
        PRIMARY KEY (source, symbol)
    ) STRICT, WITHOUT ROWID;",
    // 7: entries that are kept by years: their files. Without a path, those that are left of them.
    "ALTER TABLE entries ADD COLUMN years TEXT;                       -- JSON; NULL: one file
    ALTER TABLE trash ADD COLUMN years TEXT;",
];

/// The format this program writes.
pub(super) fn newest_format() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The format of an open catalog; 0 for a new file.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Every table's columns, with types and defaults, as lines of text. Unlike the statements that made them they read the same
/// whatever version of SQLite wrote them.
pub(super) fn columns(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT format('%s %s %s %d %s %d', tables.name, columns.name, columns.type, columns.\"notnull\", columns.dflt_value, columns.pk)
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT GLOB 'sqlite_*' ORDER BY tables.name, columns.cid",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// What [`columns`] should be in a catalog of a format.
pub(super) fn columns_of_format(format: i64) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open_in_memory()?;
    for step in MIGRATIONS.iter().take(usize::try_from(format).unwrap_or(0)) {
        connection.execute_batch(step)?;
    }
    columns(&connection)
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A catalog of this format or an earlier one, or an empty file.
    Ours,
    /// Another program's database.
    Foreign,
    /// A catalog of a newer Samovar, of this format.
    TooNew(i64),
}

/// Says whose database is open, before anything is written to it.
///
/// # Errors
/// When it is no database, or the mark that says whose it is was damaged.
pub(super) fn owner_of(connection: &Connection) -> rusqlite::Result<Owner> {
    // In this order: another process may just be making it, and whoever sees its tables sees its mark afterwards.
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application == APPLICATION_ID {
        let found = format_of(connection)?;
        return Ok(if found > newest_format() { Owner::TooNew(found) } else { Owner::Ours });
    }
    if application == 0 && tables == 0 {
        return Ok(Owner::Ours);
    }
    if (application ^ APPLICATION_ID).count_ones() == 1 {
        return Err(super::check::damage("the mark of whose file it is has a flipped bit".to_owned()));
    }
    Ok(Owner::Foreign)
}

/// Brings a catalog to the newest format: all of it in one transaction, after a copy of it was put beside it
/// (`catalog.sqlite.format-1`, never removed). Several processes may try at once; one does it, the others find it done.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), CacheError> {
    let fail = |error: rusqlite::Error| super::failure_of(path, &error);
    let found = format_of(connection).map_err(fail)?;
    if found == newest_format() {
        return Ok(());
    }
    let fail_file = |error: std::io::Error| CacheError::file("copying", path, &error);
    super::at_rest::forget_sum(path).map_err(fail_file)?;
    if found > 0 {
        keep_copy(connection, path, found)?;
    }
    run_steps(connection).map_err(fail)
}

/// Copies the catalog as it is to a file beside it that names its format.
fn keep_copy(connection: &Connection, path: &Path, format: i64) -> Result<(), CacheError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let beside = |suffix: String| {
        let mut name = path.as_os_str().to_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    let (kept, unfinished) = (beside(format!(".format-{format}")), beside(format!(".format-{format}.tmp-{}-{number}", std::process::id())));
    let fail_file = |error: std::io::Error| CacheError::file("writing", &kept, &error);
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail_file(error)),
        _ => {}
    }
    let target = unfinished.to_string_lossy().into_owned();
    connection.execute("VACUUM INTO ?1", [target]).map_err(|error| super::failure_of(path, &error))?;
    let copied = Connection::open(&unfinished).and_then(|copy| format_of(&copy)).map_err(|error| super::failure_of(&unfinished, &error))?;
    if copied != format {
        // Another process has brought it to the newest format meanwhile, and has kept a copy of what was before.
        return std::fs::remove_file(&unfinished).map_err(fail_file);
    }
    // SQLite does not synchronise what it writes this way.
    File::options().write(true).open(&unfinished).and_then(|file| file.sync_all()).map_err(fail_file)?;
    std::fs::rename(&unfinished, &kept).map_err(fail_file)
}

fn run_steps(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = usize::try_from(format_of(&transaction)?).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(step)?;
        crate::fault::kill_point("migration");
    }
    // Rows have seals since format 2.
    if done < 2 {
        seal_all(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest_format())?;
    transaction.commit()
}

/// Gives every row of entries and trash its seal.
fn seal_all(connection: &Connection) -> rusqlite::Result<()> {
    let seal_of = |table: &str| -> rusqlite::Result<Vec<(i64, i64)>> {
        let mut statement = connection.prepare(&format!("SELECT {}, rowid FROM {table}", rows::ENTRY_COLUMNS))?;
        let last = statement.column_count().saturating_sub(1);
        statement.query_map([], |row| Ok((row.get(last)?, rows::seal_of_row(row)?)))?.collect()
    };
    for (rowid, seal) in seal_of("entries")? {
        connection.execute("UPDATE entries SET seal = ?2 WHERE rowid = ?1", [rowid, seal])?;
    }
    for (rowid, seal) in seal_of("trash")? {
        let (batch, at_us, file_name): (i64, i64, String) =
            connection.query_row("SELECT batch, trashed_at_us, file_name FROM trash WHERE rowid = ?1", [rowid], |row| row.try_into())?;
        let trash_seal = rows::trash_seal(seal, batch, at_us, &file_name);
        connection.execute("UPDATE trash SET seal = ?2, trash_seal = ?3 WHERE rowid = ?1", [rowid, seal, trash_seal])?;
    }
    Ok(())
}
