//! How much was found in each symbol's bars, so that the list can tell of all symbols without reading any.
//!
//! Derived: whatever is lost here is found again. Contract: a count belongs to the bars of one fingerprint and to the rules it
//! was found by, and is stale for any other.

use super::Catalog;
use crate::cache::error::CacheError;
use crate::market::Symbol;
use crate::market::quality::FindingCounts;
use crate::source::SourceId;
use rusqlite::params;
use std::collections::HashMap;

/// What was found in a symbol's bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminedBars {
    /// The bars' fingerprint.
    pub fingerprint: u128,
    /// The rules and the market they were examined by.
    pub rules: String,
    /// How much was found.
    pub counts: FindingCounts,
}

impl Catalog {
    /// Writes down what was found in symbols' bars, in place of what was.
    ///
    /// # Errors
    /// When the catalog cannot be written; then none of it is.
    pub fn put_examined(&self, source: &SourceId, found: Vec<(Symbol, ExaminedBars)>) -> Result<(), CacheError> {
        if found.is_empty() {
            return Ok(());
        }
        let source = source.clone();
        self.write(move |transaction| {
            let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO examined VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for (symbol, examined) in &found {
                let counts = serde_json::to_string(&examined.counts).unwrap_or_default();
                let fingerprint = examined.fingerprint.to_be_bytes().to_vec();
                insert.execute(params![source.as_str(), symbol.as_str(), fingerprint, examined.rules, counts])?;
            }
            Ok(())
        })
    }

    /// What was found in the bars of a source's symbols.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub fn examined(&self, source: &SourceId) -> Result<HashMap<Symbol, ExaminedBars>, CacheError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT symbol, fingerprint, rules, counts FROM examined WHERE source = ?1")?;
            let found = statement.query_map([source.as_str()], |row| {
                let fingerprint: Vec<u8> = row.get(1)?;
                let counts: String = row.get(3)?;
                Ok((
                    Symbol::from(row.get::<_, String>(0)?),
                    ExaminedBars {
                        // One that cannot be read fits no bars, and is found again.
                        fingerprint: fingerprint.try_into().map_or(0, u128::from_be_bytes),
                        rules: row.get(2)?,
                        counts: serde_json::from_str(&counts).unwrap_or_default(),
                    },
                ))
            })?;
            found.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_comes_back_and_is_replaced() {
        let folder = tempfile::tempdir().expect("folder");
        let catalog = Catalog::open(&folder.path().join("catalog.sqlite")).expect("open");
        let (source, symbol) = (SourceId::new("test"), Symbol::new("拆股"));
        let found = |gaps| ExaminedBars {
            fingerprint: u128::MAX - 7,
            rules: "1 XNYS".to_owned(),
            counts: FindingCounts { gaps, ..FindingCounts::default() },
        };
        for gaps in [1, 2] {
            catalog.put_examined(&source, vec![(symbol.clone(), found(gaps))]).expect("written");
        }
        assert_eq!(catalog.examined(&source).expect("read"), HashMap::from([(symbol, found(2))]));
        assert_eq!(catalog.examined(&SourceId::new("other")).expect("read"), HashMap::new());
    }
}
