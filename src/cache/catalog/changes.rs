//! What changed at the sources, and what was noticed in their rows: histories that only grow, up to a bound.

use super::{Catalog, rows};
use crate::cache::change::{Change, ChangeKind};
use crate::cache::error::CacheError;
use crate::market::{Quality, Symbol};
use crate::source::SourceId;
use rusqlite::{Connection, Row, params};

/// Most changes kept. Bars that were only added are forgotten before history that was rewritten.
const CHANGES_KEPT: i64 = 10_000;
/// Most findings kept per symbol.
const FINDINGS_KEPT: i64 = 100;

/// What was noticed in a symbol's rows at one time; written down when it was another than the time before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityFinding {
    /// Where.
    pub source: SourceId,
    /// Of which symbol.
    pub symbol: Symbol,
    /// When, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
    /// What.
    pub quality: Quality,
}

impl Catalog {
    /// Writes changes down, and forgets the oldest beyond the bound: first those that only added bars.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of them is.
    pub fn add_changes(&self, changes: Vec<Change>) -> Result<(), CacheError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.write(move |transaction| insert_changes(transaction, &changes))?;
        self.note_user_made();
        Ok(())
    }

    /// The newest changes (of one source or symbol, if given), newest first, at most `limit`.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn changes(&self, source: Option<&SourceId>, symbol: Option<&Symbol>, limit: usize) -> Result<Vec<Change>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT source, symbol, noticed_us, kind, years, first_us, inserted, removed, altered, detail FROM changes
                 WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR symbol = ?2) ORDER BY id DESC LIMIT ?3",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            statement.query_map(params![source.map(SourceId::as_str), symbol.map(Symbol::as_str), limit], change_from_row)?.collect()
        })
    }

    /// Writes down what was noticed in symbols' rows, where it is another than what was written down last.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of it is.
    pub fn add_quality(&self, findings: Vec<QualityFinding>) -> Result<(), CacheError> {
        if findings.is_empty() {
            return Ok(());
        }
        self.write(move |transaction| insert_findings(transaction, &findings))?;
        self.note_user_made();
        Ok(())
    }

    /// What was noticed in a symbol's rows over time, newest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn quality_history(&self, source: &SourceId, symbol: &Symbol) -> Result<Vec<QualityFinding>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT source, symbol, at_us, quality FROM quality_history WHERE source = ?1 AND symbol = ?2 ORDER BY id DESC",
            )?;
            statement.query_map([source.as_str(), symbol.as_str()], finding_from_row)?.collect()
        })
    }
}

/// Writes changes within a transaction.
pub(super) fn insert_changes(transaction: &Connection, changes: &[Change]) -> rusqlite::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO changes (source, symbol, noticed_us, kind, years, first_us, inserted, removed, altered, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for change in changes {
        statement.execute(params![
            change.source.as_str(),
            change.symbol.as_str(),
            change.noticed_us,
            change.kind.word(),
            serde_json::to_string(&change.years).unwrap_or_default(),
            change.first_us,
            rows::signed(change.inserted),
            rows::signed(change.removed),
            rows::signed(change.altered),
            change.detail,
        ])?;
    }
    let count: i64 = transaction.query_row("SELECT count(*) FROM changes", [], |row| row.get(0))?;
    if count > CHANGES_KEPT {
        transaction.execute(
            "DELETE FROM changes WHERE id IN (SELECT id FROM changes ORDER BY kind <> 'appended', id LIMIT ?1)",
            [count - CHANGES_KEPT],
        )?;
    }
    Ok(())
}

/// Writes findings within a transaction.
pub(super) fn insert_findings(transaction: &Connection, findings: &[QualityFinding]) -> rusqlite::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let condition = "source = ?1 AND symbol = ?2 ORDER BY id DESC LIMIT";
    let mut last = transaction.prepare_cached(&format!("SELECT quality FROM quality_history WHERE {condition} 1"))?;
    let mut insert = transaction.prepare_cached("INSERT INTO quality_history (source, symbol, at_us, quality) VALUES (?1, ?2, ?3, ?4)")?;
    let mut bound = transaction.prepare_cached(&format!(
        "DELETE FROM quality_history WHERE id IN (SELECT id FROM quality_history WHERE {condition} -1 OFFSET ?3)"
    ))?;
    for finding in findings {
        let names = (finding.source.as_str(), finding.symbol.as_str());
        let text = serde_json::to_string(&finding.quality).unwrap_or_default();
        let before: Option<String> = last.query_map(names, |row| row.get(0))?.next().transpose()?;
        // The first finding is worth a line only if there is something to find.
        let is_news = before.map_or(!finding.quality.is_clean(), |before| before != text);
        if is_news {
            insert.execute(params![names.0, names.1, finding.at_us, text])?;
            bound.execute(params![names.0, names.1, FINDINGS_KEPT])?;
        }
    }
    Ok(())
}

fn change_from_row(row: &Row<'_>) -> rusqlite::Result<Change> {
    Ok(Change {
        source: SourceId::new(row.get::<_, String>(0)?),
        symbol: Symbol::from(row.get::<_, String>(1)?),
        noticed_us: row.get(2)?,
        kind: ChangeKind::from_word(&row.get::<_, String>(3)?),
        years: serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default(),
        first_us: row.get(5)?,
        inserted: rows::unsigned_at(row, 6)?,
        removed: rows::unsigned_at(row, 7)?,
        altered: rows::unsigned_at(row, 8)?,
        detail: row.get(9)?,
    })
}

fn finding_from_row(row: &Row<'_>) -> rusqlite::Result<QualityFinding> {
    Ok(QualityFinding {
        source: SourceId::new(row.get::<_, String>(0)?),
        symbol: Symbol::from(row.get::<_, String>(1)?),
        at_us: row.get(2)?,
        quality: serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(symbol: &str, kind: ChangeKind, noticed_us: i64) -> Change {
        Change {
            source: SourceId::new("test"),
            symbol: Symbol::new(symbol),
            noticed_us,
            kind,
            years: vec![2019, 2021],
            first_us: Some(-5),
            inserted: 1,
            removed: 2,
            altered: 3,
            detail: "a split of 2:1 \u{2013} 拆股".to_owned(),
        }
    }

    #[test]
    fn changes_come_back_and_the_least_worth_are_forgotten_first() {
        let folder = tempfile::tempdir().expect("folder");
        let catalog = Catalog::open(&folder.path().join("catalog.sqlite")).expect("open");
        let rewritten = change("OLDEST", ChangeKind::Rewritten, 1);
        catalog.add_changes(vec![rewritten.clone()]).expect("add");
        catalog.add_changes((0..9_999).map(|at| change("A", ChangeKind::Appended, at)).collect()).expect("add");
        catalog.add_changes(vec![change("B", ChangeKind::Removed, 7), change("B", ChangeKind::Appended, 8)]).expect("add");
        let all = catalog.changes(None, None, usize::MAX).expect("read");
        assert_eq!(all.len(), 10_000);
        assert_eq!(all.last(), Some(&rewritten), "history that was rewritten stays");
        let of_b = catalog.changes(Some(&SourceId::new("test")), Some(&Symbol::new("B")), 1).expect("read");
        assert_eq!(of_b, [change("B", ChangeKind::Appended, 8)]);
    }

    #[test]
    fn quality_is_written_down_when_it_is_another() {
        let folder = tempfile::tempdir().expect("folder");
        let catalog = Catalog::open(&folder.path().join("catalog.sqlite")).expect("open");
        let finding = |at_us, missing_price| QualityFinding {
            source: SourceId::new("test"),
            symbol: Symbol::new("A"),
            at_us,
            quality: Quality { missing_price, ..Quality::default() },
        };
        for (at_us, missing) in [(1, 0), (2, 3), (3, 3), (4, 0), (5, 0)] {
            catalog.add_quality(vec![finding(at_us, missing)]).expect("add");
        }
        let history = catalog.quality_history(&SourceId::new("test"), &Symbol::new("A")).expect("read");
        assert_eq!(history, [finding(4, 0), finding(2, 3)]);
    }
}
