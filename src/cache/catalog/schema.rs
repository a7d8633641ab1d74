//! The catalog's tables and how older catalogs become today's. One step per format, each in one transaction.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as Samovar's ("SMVR").
pub(super) const APPLICATION_ID: i64 = 0x534d_5652;

/// What each format added; a catalog of format N has run the first N steps.
const MIGRATIONS: [&str; 1] = [
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
];

/// The format this program writes.
pub(super) fn newest_format() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The format of an open catalog; 0 for a new file.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a catalog to the newest format. Several processes may try at once; one does it, the others find it done.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    if format_of(connection)? == newest_format() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = usize::try_from(format_of(&transaction)?).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest_format())?;
    transaction.commit()
}
