//! What the slowest queries of sources took, and whether an index serves them.

use super::Catalog;
use super::rows::{signed, unsigned_at};
use crate::cache::error::CacheError;
use crate::market::DAY_US;
use crate::source::{IndexFinding, QueryPurpose, QueryTiming, SourceId};
use rusqlite::{OptionalExtension, params};

/// Queries kept of each source: the slowest.
const QUERIES_KEPT: i64 = 200;
/// How long they are kept.
const QUERIES_KEPT_US: i64 = 30 * DAY_US;

fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

impl Catalog {
    /// Keeps what queries of a source took; of all that are kept, only the slowest of the last 30 days stay.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn put_queries(&self, source: &SourceId, queries: Vec<QueryTiming>, now_us: i64) -> Result<(), CacheError> {
        let source = source.clone();
        self.write(move |transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO slow_queries (source, purpose, statement, about, began_us, elapsed_us, first_row_us, rows, size_bytes, error)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            for query in &queries {
                insert.execute(params![
                    source.as_str(),
                    query.purpose.key(),
                    query.statement,
                    query.about,
                    query.began_us,
                    micros(query.seconds),
                    query.first_row_seconds.map(micros),
                    signed(query.rows),
                    signed(query.bytes),
                    query.error
                ])?;
            }
            transaction.execute("DELETE FROM slow_queries WHERE began_us < ?1", [now_us - QUERIES_KEPT_US])?;
            transaction.execute(
                "DELETE FROM slow_queries WHERE source = ?1 AND id NOT IN
                    (SELECT id FROM slow_queries WHERE source = ?1 ORDER BY elapsed_us DESC, id DESC LIMIT ?2)",
                params![source.as_str(), QUERIES_KEPT],
            )?;
            Ok(())
        })
    }

    /// The slowest queries of a source in the 30 days before `now_us`, slowest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn slow_queries(&self, source: &SourceId, limit: usize, now_us: i64) -> Result<Vec<QueryTiming>, CacheError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT purpose, statement, about, began_us, elapsed_us, first_row_us, rows, size_bytes, error FROM slow_queries
                 WHERE source = ?1 AND began_us >= ?2 ORDER BY elapsed_us DESC, id DESC LIMIT ?3",
            )?;
            let found = statement.query_map(params![source.as_str(), now_us - QUERIES_KEPT_US, limit], |row| {
                let purpose: String = row.get(0)?;
                Ok(QueryTiming {
                    purpose: QueryPurpose::from_key(&purpose).unwrap_or(QueryPurpose::Bars),
                    statement: row.get(1)?,
                    about: row.get(2)?,
                    began_us: row.get(3)?,
                    seconds: seconds(row.get(4)?),
                    first_row_seconds: row.get::<_, Option<i64>>(5)?.map(seconds),
                    rows: unsigned_at(row, 6)?,
                    bytes: unsigned_at(row, 7)?,
                    error: row.get(8)?,
                })
            })?;
            found.collect()
        })
    }

    /// Remembers whether an index serves a source.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub fn put_index_finding(&self, source: &SourceId, finding: &IndexFinding, now_us: i64) -> Result<(), CacheError> {
        let (source, json) = (source.clone(), serde_json::to_string(finding).unwrap_or_default());
        self.write(move |transaction| {
            transaction.execute("INSERT OR REPLACE INTO source_indexes VALUES (?1, ?2, ?3)", params![source.as_str(), now_us, json])?;
            Ok(())
        })
    }

    /// What was last found of the indexes of a source, if it was looked at.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn index_finding(&self, source: &SourceId) -> Result<Option<IndexFinding>, CacheError> {
        let json: Option<String> = self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT finding FROM source_indexes WHERE source = ?1")?;
            statement.query_row([source.as_str()], |row| row.get(0)).optional()
        })?;
        // One that another version wrote in other words is looked at again with the next preheat.
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::IndexState;
    use tempfile::TempDir;

    fn query(seconds: f64, began_us: i64) -> QueryTiming {
        QueryTiming {
            purpose: QueryPurpose::Digests,
            statement: "SELECT 1".to_owned(),
            about: "A … Z (26 symbols)".to_owned(),
            began_us,
            seconds,
            first_row_seconds: Some(0.25),
            rows: 7,
            bytes: 70,
            error: None,
        }
    }

    #[test]
    fn the_slowest_of_each_source_stay_for_30_days() {
        let folder = TempDir::new().expect("folder");
        let catalog = Catalog::open(&folder.path().join("catalog.sqlite")).expect("catalog");
        let (one, other) = (SourceId::new("one"), SourceId::new("other"));
        let now_us = 100 * DAY_US;
        catalog.put_queries(&other, vec![query(0.5, now_us)], now_us).expect("put");
        let many: Vec<QueryTiming> = (0..300).map(|number| query(f64::from(number), now_us)).collect();
        catalog.put_queries(&one, many, now_us).expect("put");
        let kept = catalog.slow_queries(&one, 1_000, now_us).expect("read");
        assert_eq!((kept.len(), kept[0].seconds, kept[199].seconds), (200, 299.0, 100.0));
        assert_eq!(kept[0], query(299.0, now_us));
        assert_eq!(catalog.slow_queries(&one, 3, now_us).expect("read").len(), 3);
        assert_eq!(catalog.slow_queries(&other, 10, now_us).expect("read"), [query(0.5, now_us)]);
        // A quick one later drops nothing slower, and a month later everything older is gone.
        catalog.put_queries(&one, vec![query(1.0, now_us)], now_us).expect("put");
        assert_eq!(catalog.slow_queries(&one, 1_000, now_us).expect("read")[199].seconds, 100.0);
        let later_us = now_us + 31 * DAY_US;
        assert!(catalog.slow_queries(&one, 1_000, later_us).expect("read").is_empty());
        catalog.put_queries(&one, vec![query(1.0, later_us)], later_us).expect("put");
        assert_eq!(catalog.slow_queries(&one, 1_000, later_us).expect("read").len(), 1);
    }

    #[test]
    fn what_was_found_of_indexes_is_the_newest() {
        let folder = TempDir::new().expect("folder");
        let catalog = Catalog::open(&folder.path().join("catalog.sqlite")).expect("catalog");
        let source = SourceId::new("one");
        assert_eq!(catalog.index_finding(&source).expect("read"), None);
        for state in [
            IndexState::Missing { create: "CREATE INDEX i ON t (s, d);".to_owned(), symbol_only: None },
            IndexState::Present { name: "i".to_owned() },
        ] {
            let finding = IndexFinding { table: "t".to_owned(), symbol: "s".to_owned(), date: "d".to_owned(), state };
            catalog.put_index_finding(&source, &finding, 1).expect("put");
            assert_eq!(catalog.index_finding(&source).expect("read"), Some(finding));
        }
    }
}
