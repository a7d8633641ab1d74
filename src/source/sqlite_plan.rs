//! Statements, plans and indexes of SQLite files.

use super::error::SourceError;
use super::query_plan::{IndexFinding, KnownIndex, Query, QueryPlan, finding};
use super::sqlite::{SqliteFile, bars_query, in_order, preview_query, quoted, symbols_query};
use super::table::TablePlan;
use super::timing::QueryPurpose;
use crate::market::{DateRange, Symbol};
use rusqlite::OptionalExtension;
use std::collections::HashMap;

impl SqliteFile {
    /// The statement of a query.
    pub(super) fn statement(plan: &TablePlan, query: Query<'_>) -> String {
        match query {
            Query::Symbols | Query::Glance => symbols_query(plan),
            Query::Preview(limit) => preview_query(&plan.table, limit),
            Query::Bars(symbols, range) => bars_query(plan, symbols, range).0 + &in_order(plan),
            Query::Digests(symbols, request) => bars_query(plan, symbols, request.range).0,
        }
    }

    /// SQLite's plan for a query, which is never run for it.
    pub(super) fn query_plan(
        &self,
        plan: &TablePlan,
        purpose: QueryPurpose,
        symbols: &[Symbol],
        range: DateRange,
    ) -> Result<QueryPlan, SourceError> {
        let connection = self.open()?;
        let (sql, asked) = match purpose {
            QueryPurpose::Symbols => (symbols_query(plan), Vec::new()),
            QueryPurpose::Preview => (preview_query(&plan.table, 1), Vec::new()),
            QueryPurpose::Digests => bars_query(plan, symbols, range),
            QueryPurpose::Bars => {
                let (sql, asked) = bars_query(plan, symbols, range);
                (sql + &in_order(plan), asked)
            }
        };
        let planning = || {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let mut rows = statement.query(rusqlite::params_from_iter(&asked))?;
            let mut depths: HashMap<i64, usize> = HashMap::new();
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                let (id, parent, detail): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
                let depth = depths.get(&parent).map_or(0, |depth| depth + 1);
                depths.insert(id, depth);
                lines.push(vec![format!("{}{detail}", "  ".repeat(depth))]);
            }
            Ok(lines)
        };
        let rows = planning().map_err(|error| self.explain(&error, "planning a query"))?;
        Ok(QueryPlan { purpose, columns: vec!["QUERY PLAN".to_owned()], rows, analyzed: false })
    }

    /// Whether an index begins with symbol and date.
    pub(super) fn index_finding(&self, plan: &TablePlan) -> Result<IndexFinding, SourceError> {
        let connection = self.open()?;
        let table = plan.table.name.as_str();
        let listing = || {
            let kind: Option<String> =
                connection.query_row("SELECT type FROM sqlite_master WHERE name = ?1", [table], |row| row.get(0)).optional()?;
            // An index on expressions has columns without names; a partial one does not serve every row.
            let mut statement = connection.prepare(
                "SELECT l.name, i.name FROM pragma_index_list(?1) l JOIN pragma_index_info(l.name) i \
                 WHERE l.partial = 0 ORDER BY l.seq, i.seqno",
            )?;
            let mut rows = statement.query([table])?;
            let mut indexes = Vec::new();
            while let Some(row) = rows.next()? {
                KnownIndex::collect(&mut indexes, row.get(0)?, row.get(1)?);
            }
            Ok((kind.is_some_and(|kind| kind == "view"), indexes))
        };
        let (is_view, indexes) = listing().map_err(|error| self.explain(&error, "listing the indexes"))?;
        Ok(finding(plan, is_view, &indexes, |name, [symbol, date]| {
            format!("CREATE INDEX {} ON {} ({}, {});", quoted(name), quoted(table), quoted(symbol), quoted(date))
        }))
    }
}
