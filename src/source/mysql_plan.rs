//! Statements, plans and indexes of MySQL and MariaDB.

use super::columns::ColumnRole;
use super::error::SourceError;
use super::mysql::{AS_READ, MySqlServer, asked_count, bars_query, bind_asked, glance_query, preview_query, quoted, symbols_query, text};
use super::mysql_digest::digest_query;
use super::query_plan::{IndexFinding, KnownIndex, Query, QueryPlan, finding};
use super::server::in_time;
use super::table::TablePlan;
use super::time_value::bounds;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Column, Row};

/// Fewest leading letters of a column from which on an index of them tells symbols and dates apart.
const LEAST_PREFIX: u64 = 10;
/// Letters of a text that an index has to be told to take.
const TEXT_PREFIX: u64 = 64;

impl MySqlServer {
    /// The statement of a query.
    pub(super) fn statement(&self, plan: &TablePlan, query: Query<'_>) -> String {
        match query {
            Query::Symbols => symbols_query(plan),
            Query::Glance => glance_query(plan),
            Query::Preview(limit) => preview_query(&plan.table, limit),
            Query::Bars(symbols, range) => {
                let (start, end) = bounds(plan.dates, &range);
                bars_query(plan, asked_count(plan, symbols), start.is_some(), end.is_some(), AS_READ)
            }
            Query::Digests(symbols, request) => {
                let (start, end) = bounds(plan.dates, &request.range);
                digest_query(plan, asked_count(plan, symbols), request, start.is_some(), end.is_some())
            }
        }
    }

    /// The server's plan for a query; with `analyze` the query is run for it.
    pub(super) async fn query_plan(&self, plan: &TablePlan, query: Query<'_>, analyze: bool) -> Result<QueryPlan, SourceError> {
        let doing = "planning a query";
        let explain = match (analyze, self.is_mariadb().await?) {
            (false, _) => "EXPLAIN",
            (true, true) => "ANALYZE",
            (true, false) => "EXPLAIN ANALYZE",
        };
        let sql = sqlx::query(AssertSqlSafe(format!("{explain} {}", self.statement(plan, query)))).persistent(false);
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
        let columns: Vec<String> =
            rows.first().map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect()).unwrap_or_default();
        let rows = rows.iter().map(|row| (0..columns.len()).map(|column| cell(row, column)).collect()).collect();
        Ok(QueryPlan { purpose: query.purpose(), columns, rows, analyzed: analyze })
    }

    async fn is_mariadb(&self) -> Result<bool, SourceError> {
        let rows = self.rows("SELECT VERSION()".to_owned(), &[], "asking for the server's version").await?;
        Ok(rows.first().and_then(|row| text(row, 0)).is_some_and(|version| version.to_lowercase().contains("mariadb")))
    }

    /// Whether an index begins with symbol and date.
    pub(super) async fn index_finding(&self, plan: &TablePlan) -> Result<IndexFinding, SourceError> {
        let doing = "listing the indexes";
        let table = plan.table.name.as_str();
        let sql = "SELECT CAST(table_type AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
        let kind = self.rows(sql.to_owned(), &[table], doing).await?.first().and_then(|row| text(row, 0));
        let is_view = kind.is_some_and(|kind| kind.to_uppercase().contains("VIEW"));
        // A sequential scan of a hash or a full text finds no ranges. Where not the whole of a column is in it, enough has to be.
        let sql = format!(
            "SELECT CAST(index_name AS CHAR), CAST(CASE WHEN sub_part IS NULL OR sub_part >= {LEAST_PREFIX} THEN column_name END AS CHAR) \
             FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? \
             AND index_type NOT IN ('FULLTEXT', 'SPATIAL', 'RTREE', 'HASH') ORDER BY index_name, seq_in_index"
        );
        let mut indexes = Vec::new();
        for row in self.rows(sql, &[table], doing).await? {
            KnownIndex::collect(&mut indexes, text(&row, 0).unwrap_or_default(), text(&row, 1));
        }
        Ok(finding(plan, is_view, &indexes, |name, _| create_statement(plan, name)))
    }
}

fn create_statement(plan: &TablePlan, name: &str) -> String {
    let [symbol, date] = [ColumnRole::Symbol, ColumnRole::Date].map(|role| {
        let column = quoted(plan.columns.get(role).unwrap_or_default());
        // Texts without a length of their own can only be indexed up to one.
        let is_long = plan
            .table
            .column_of(&plan.columns, role)
            .is_some_and(|column| ["text", "blob"].iter().any(|long| column.type_name.contains(long)));
        if is_long { format!("{column}({TEXT_PREFIX})") } else { column }
    });
    format!("CREATE INDEX {} ON {} ({symbol}, {date});", quoted(name), quoted(&plan.table.name))
}

/// A value of a plan as text, whatever its type.
fn cell(row: &MySqlRow, column: usize) -> String {
    if let Ok(text) = row.try_get::<Option<String>, _>(column) {
        return text.unwrap_or_default();
    }
    if let Ok(number) = row.try_get::<Option<u64>, _>(column) {
        return number.map(|number| number.to_string()).unwrap_or_default();
    }
    if let Ok(number) = row.try_get::<Option<i64>, _>(column) {
        return number.map(|number| number.to_string()).unwrap_or_default();
    }
    if let Ok(number) = row.try_get::<Option<f64>, _>(column) {
        return number.map(|number| number.to_string()).unwrap_or_default();
    }
    let bytes = row.try_get_unchecked::<Option<Vec<u8>>, _>(column).ok().flatten();
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
