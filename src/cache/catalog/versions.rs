//! Versions of feature sets in the catalog. They are never forgotten: a version is small, and its text may be all that is left
//! of what a user once wrote.

use super::Catalog;
use super::rows::{signed, unsigned_at};
use crate::cache::error::CacheError;
use crate::cache::versions::{SetVersion, VersionRecord, VersionUse};
use crate::feature::{DefinitionHash, Precision};
use rusqlite::{Connection, Row, params};
use std::sync::Arc;

/// What [`record_of`] reads.
const COLUMNS: &str =
    "set_name, definition_hash, text, engine_version, precision, features, first_used_us, last_used_us, entries, rows, rounding";

/// Counts what was computed with versions, and writes down those that are new. Returns whether any was.
pub(super) fn put_versions(transaction: &Connection, versions: &[VersionUse], at_us: i64) -> rusqlite::Result<bool> {
    if versions.is_empty() {
        return Ok(false);
    }
    let mut known = transaction.prepare_cached("SELECT text <> '' FROM set_versions WHERE set_name = ?1 AND definition_hash = ?2")?;
    let mut put = transaction.prepare_cached(
        "INSERT INTO set_versions (set_name, definition_hash, text, engine_version, precision, features, first_used_us, last_used_us,
            entries, rows, rounding) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10)
         ON CONFLICT (set_name, definition_hash) DO UPDATE SET text = excluded.text, engine_version = excluded.engine_version,
            precision = excluded.precision, features = excluded.features,
            first_used_us = min(first_used_us, excluded.first_used_us), last_used_us = max(last_used_us, excluded.last_used_us),
            entries = entries + excluded.entries, rows = rows + excluded.rows,
            rounding = CASE WHEN rounding IS NULL OR excluded.rounding > rounding THEN excluded.rounding ELSE rounding END",
    )?;
    let mut any_new = false;
    for used in versions {
        let version = &used.version;
        let hash = version.definition.value().to_be_bytes();
        let is_known: Option<bool> = known.query_map(params![&*version.set, hash], |row| row.get(0))?.next().transpose()?;
        any_new |= is_known != Some(true);
        put.execute(params![
            &*version.set,
            hash,
            &*version.text,
            version.engine_version,
            version.precision.key(),
            features_text(&version.features),
            at_us,
            signed(used.entries),
            signed(used.rows),
            used.rounding,
        ])?;
    }
    Ok(any_new)
}

fn features_text(features: &[(Arc<str>, u128)]) -> String {
    let pairs: Vec<(&str, String)> = features.iter().map(|(name, hash)| (&**name, format!("{hash:032x}"))).collect();
    serde_json::to_string(&pairs).unwrap_or_default()
}

/// Nothing where the text is not what was written: then nothing is known of the columns.
fn features_of_text(text: &str) -> Vec<(Arc<str>, u128)> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    let read = |(name, hash): (String, String)| Some((Arc::from(name), u128::from_str_radix(&hash, 16).ok()?));
    pairs.into_iter().map(read).collect::<Option<_>>().unwrap_or_default()
}

fn record_of(row: &Row<'_>) -> rusqlite::Result<VersionRecord> {
    let hash: [u8; 16] = row.get(1)?;
    Ok(VersionRecord {
        version: SetVersion {
            set: Arc::from(row.get::<_, String>(0)?),
            definition: DefinitionHash::from(u128::from_be_bytes(hash)),
            text: Arc::from(row.get::<_, String>(2)?),
            engine_version: row.get(3)?,
            precision: if row.get_ref(4)?.as_str()? == Precision::F32.key() { Precision::F32 } else { Precision::F64 },
            features: features_of_text(&row.get::<_, String>(5)?),
        },
        first_used_us: row.get(6)?,
        last_used_us: row.get(7)?,
        entries_computed: unsigned_at(row, 8)?,
        rows_computed: unsigned_at(row, 9)?,
        rounding: row.get(10)?,
    })
}

impl Catalog {
    /// Every version that something was computed with: by set, last used first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn set_versions(&self) -> Result<Vec<VersionRecord>, CacheError> {
        self.read(|connection| {
            let sql =
                format!("SELECT {COLUMNS} FROM set_versions ORDER BY set_name, last_used_us DESC, first_used_us DESC, definition_hash");
            connection.prepare_cached(&sql)?.query_map([], record_of)?.collect()
        })
    }

    /// One version, by its whole hash.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn set_version(&self, set: &str, definition: DefinitionHash) -> Result<Option<VersionRecord>, CacheError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM set_versions WHERE set_name = ?1 AND definition_hash = ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query_map(params![set, definition.value().to_be_bytes()], record_of)?;
            found.next().transpose()
        })
    }

    /// Takes in versions that only files told of, each with when it was first and last used; what is known of one already stays.
    pub(in crate::cache) fn complete_versions(&self, found: Vec<(SetVersion, i64, i64)>) -> Result<(), CacheError> {
        self.write(move |transaction| {
            for (version, first_us, last_us) in found {
                let used = |version| VersionUse { version, entries: 0, rows: 0, rounding: None };
                let version = Arc::new(version);
                put_versions(transaction, &[used(Arc::clone(&version))], first_us)?;
                put_versions(transaction, &[used(version)], last_us)?;
            }
            Ok(())
        })?;
        self.note_user_made();
        Ok(())
    }
}
