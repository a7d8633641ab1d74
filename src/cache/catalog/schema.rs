//! The catalog's tables and how older catalogs become today's. One step per format, each in one transaction.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as Samovar's ("SMVR").
pub(super) const APPLICATION_ID: i64 = 0x534d_5652;

/// What each format added; a catalog of format N has run the first N steps.
const MIGRATIONS: [&str; 2] = [
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
    ALTER TABLE trash ADD COLUMN synced TEXT;
    ALTER TABLE trash ADD COLUMN provisional_from_us INTEGER;
    ALTER TABLE trash ADD COLUMN cost_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trash ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE trash ADD COLUMN next_attempt_us INTEGER;
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
