//! Statements, plans and indexes of PostgreSQL.

use super::error::SourceError;
use super::postgres::{PostgresServer, bars_query, bind_asked, place_of, preview_query, quoted, symbols_query, text, where_asked};
use super::postgres_digest::digest_query;
use super::query_plan::{IndexFinding, KnownIndex, Query, QueryPlan, finding};
use super::server::in_time;
use super::table::TablePlan;
use super::time_value::bounds;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;

impl PostgresServer {
    /// The statement of a query.
    pub(super) fn statement(&self, plan: &TablePlan, query: Query<'_>) -> String {
        match query {
            Query::Symbols | Query::Glance => symbols_query(plan),
            Query::Preview(limit) => preview_query(&plan.table, limit),
            Query::Bars(_, range) => {
                let (start, end) = bounds(plan.dates, &range);
                bars_query(plan, &where_asked(plan, start.is_some(), end.is_some()))
            }
            Query::Digests(_, request) => {
                let (start, end) = bounds(plan.dates, &request.range);
                // Not asked for the words of a statement that failed; all servers that are not very old have it.
                let has_hash = self.known_hash().unwrap_or(true);
                digest_query(plan, request, has_hash, start.is_some(), end.is_some())
            }
        }
    }

    /// The server's plan for a query; with `analyze` the query is run for it.
    pub(super) async fn query_plan(&self, plan: &TablePlan, query: Query<'_>, analyze: bool) -> Result<QueryPlan, SourceError> {
        let doing = "planning a query";
        let explain = if analyze { "EXPLAIN (ANALYZE, BUFFERS)" } else { "EXPLAIN" };
        self.has_hash().await?;
        let statement = self.statement(plan, query);
        let sql = sqlx::query(AssertSqlSafe(format!("{explain} {statement}"))).persistent(false);
        let sql = match query.asked() {
            None => sql,
            Some((symbols, range)) => {
                let (start, end) = bounds(plan.dates, &range);
                bind_asked(sql, plan, symbols, start, end)
            }
        };
        let (_permit, mut connection) = self.session().await?;
        let rows = in_time(self.query_timeout(), doing, self.url(), sql.fetch_all(&mut connection))
            .await?
            .map_err(|error| self.explain(&error, doing))?;
        self.give_back(connection);
        let rows = rows.iter().map(|row| vec![text(row, 0).unwrap_or_default()]).collect();
        Ok(QueryPlan { purpose: query.purpose(), columns: vec!["QUERY PLAN".to_owned()], rows, analyzed: analyze })
    }

    /// Whether an index begins with symbol and date.
    pub(super) async fn index_finding(&self, plan: &TablePlan) -> Result<IndexFinding, SourceError> {
        let place = place_of(&plan.table);
        let kind = self.rows_about("SELECT relkind::text FROM pg_class WHERE oid = $1::text::regclass", &place).await?;
        let is_view = kind.first().and_then(|row| text(row, 0)).is_some_and(|kind| kind == "v" || kind == "f");
        // Only what can serve every row counts: no partial index, none that is still being built, and of the columns those that
        // are keys (older servers have no others, and no number of them).
        let sql = "SELECT c.relname::text, a.attname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                   JOIN pg_am m ON m.oid = c.relam CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) \
                   LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0 \
                   WHERE i.indrelid = $1::text::regclass AND m.amname = 'btree' AND i.indpred IS NULL AND i.indisvalid \
                   AND k.place <= COALESCE((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts) ORDER BY c.relname, k.place";
        let mut indexes = Vec::new();
        for row in self.rows_about(sql, &place).await? {
            KnownIndex::collect(&mut indexes, text(&row, 0).unwrap_or_default(), text(&row, 1));
        }
        Ok(finding(plan, is_view, &indexes, |name, [symbol, date]| {
            format!("CREATE INDEX {} ON {place} ({}, {});", quoted(name), quoted(symbol), quoted(date))
        }))
    }

    /// The rows of a question about a table.
    async fn rows_about(&self, sql: &'static str, place: &str) -> Result<Vec<PgRow>, SourceError> {
        let doing = "listing the indexes";
        let (_permit, mut connection) = self.session().await?;
        let rows = in_time(self.query_timeout(), doing, self.url(), sqlx::query(sql).bind(place).fetch_all(&mut connection))
            .await?
            .map_err(|error| self.explain(&error, doing))?;
        self.give_back(connection);
        Ok(rows)
    }
}
