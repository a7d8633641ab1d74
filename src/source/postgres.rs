//! PostgreSQL: sessions that cannot write, one COPY (or, where that cannot be, one statement) for many symbols.
//!
//! How rows are taken apart is `postgres_copy`'s and `postgres_rows`'.
//! Times without a zone are the wall clock; times with one are instants and are shown in UTC, as no other zone is known here.

use super::collect::{Collector, NoTime};
use super::columns::{ColumnMap, ColumnRole};
use super::error::{SourceError, SourceErrorKind, listed};
use super::kind::TlsMode;
use super::postgres_copy::{Copied, copy_query};
use super::postgres_rows::{Fields, Malformed, RowReader, casts, has_exact_digests, time_of};
use super::postgres_text::{PROBE, probe_hash};
use super::server::{self, CONNECTING, Kept, LoginInfo, in_time, next_in_time};
use super::source_url::SourceUrl;
use super::table::{ColumnInfo, TableInfo, TablePlan};
use super::tally::Tally;
use super::time_value::{Bound, DateStyle, bounds, style_of_number, style_of_text};
use super::timing::Outlet;
use super::{FetchRequest, Fetched, Preview, SourceOptions, SymbolInfo};
use crate::market::Symbol;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Postgres, Row};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::SemaphorePermit;

/// So many refusals are no accident.
const GIVE_UP_COPY: u32 = 2;

/// A PostgreSQL server, one database of it.
pub(super) struct PostgresServer {
    url: SourceUrl,
    options: PgConnectOptions,
    connect_timeout: Duration,
    query_timeout: Duration,
    kept: Kept<PgConnection>,
    has_hash: OnceLock<bool>,
    /// Whether what the server hashes is known to be hashed here alike.
    hashes_alike: OnceLock<bool>,
    /// How often COPY was refused where the statement was not; from [`GIVE_UP_COPY`] on it is not tried again.
    copy_refusals: AtomicU32,
}

impl PostgresServer {
    pub(super) fn new(url: &SourceUrl, options: &SourceOptions) -> Self {
        let mut connect = PgConnectOptions::new_without_pgpass()
            .host(url.host())
            .port(url.port())
            .username(url.user().unwrap_or("postgres"))
            .application_name("samovar")
            // Before PostgreSQL 12 two neighbouring doubles may look alike as text with fewer digits; digests hash the text.
            .extra_float_digits(3)
            .ssl_mode(match url.tls() {
                TlsMode::Off => PgSslMode::Disable,
                TlsMode::Prefer => PgSslMode::Prefer,
                TlsMode::Require => PgSslMode::Require,
            });
        if let Some(password) = url.password() {
            connect = connect.password(password);
        }
        if let Some(database) = url.database() {
            connect = connect.database(database);
        }
        Self {
            url: url.clone(),
            options: connect,
            connect_timeout: options.connect_timeout,
            query_timeout: options.query_timeout,
            kept: Kept::new(options.connections),
            has_hash: OnceLock::new(),
            hashes_alike: OnceLock::new(),
            copy_refusals: AtomicU32::new(0),
        }
    }

    /// A new connection whose session cannot write.
    async fn open(&self) -> Result<PgConnection, SourceError> {
        let opening = async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            sqlx::raw_sql("SET default_transaction_read_only = on").execute(&mut connection).await?;
            Ok(connection)
        };
        in_time(self.connect_timeout, CONNECTING, &self.url, opening).await?.map_err(|error| self.explain(&error, CONNECTING))
    }

    pub(super) async fn session(&self) -> Result<(SemaphorePermit<'_>, PgConnection), SourceError> {
        let permit = self.kept.permit().await?;
        while let Some(mut connection) = self.kept.take() {
            if matches!(tokio::time::timeout(self.connect_timeout, connection.ping()).await, Ok(Ok(()))) {
                return Ok((permit, connection));
            }
        }
        Ok((permit, self.open().await?))
    }

    pub(super) fn url(&self) -> &SourceUrl {
        &self.url
    }

    pub(super) fn query_timeout(&self) -> Duration {
        self.query_timeout
    }

    pub(super) fn give_back(&self, connection: PgConnection) {
        self.kept.give_back(connection);
    }

    /// Whether the server has a 64-bit hash of texts, as PostgreSQL has since version 11; asked once.
    pub(super) async fn has_hash(&self) -> Result<bool, SourceError> {
        if let Some(has_hash) = self.has_hash.get() {
            return Ok(*has_hash);
        }
        let sql = "SELECT 1 FROM pg_catalog.pg_proc WHERE proname = 'hashtextextended'";
        let has_hash = !self.rows(sql.to_owned(), "asking for a hash function").await?.is_empty();
        Ok(*self.has_hash.get_or_init(|| has_hash))
    }

    /// The answer of [`has_hash`](Self::has_hash), where it was asked already.
    pub(super) fn known_hash(&self) -> Option<bool> {
        self.has_hash.get().copied()
    }

    /// All rows of a query with a short answer.
    pub(super) async fn rows(&self, sql: String, doing: &str) -> Result<Vec<PgRow>, SourceError> {
        let (_permit, mut connection) = self.session().await?;
        let rows = in_time(self.query_timeout, doing, &self.url, sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection))
            .await?
            .map_err(|error| self.explain(&error, doing))?;
        self.kept.give_back(connection);
        Ok(rows)
    }

    pub(super) async fn login(&self) -> Result<LoginInfo, SourceError> {
        let doing = "asking for the server's version";
        let sql = "SELECT 'PostgreSQL ' || current_setting('server_version'), current_setting('default_transaction_read_only'), \
                   (SELECT version || ' ' || cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl)";
        let rows = self.rows(sql.to_owned(), doing).await?;
        let row = rows.first();
        Ok(LoginInfo {
            version: row.and_then(|row| text(row, 0)).unwrap_or_default(),
            cipher: row.and_then(|row| text(row, 2)),
            is_read_only: row.and_then(|row| text(row, 1)).is_some_and(|value| value == "on"),
        })
    }

    /// Every table and view this user may read, with its columns.
    pub(super) async fn tables(&self) -> Result<Vec<TableInfo>, SourceError> {
        let sql = "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname::text END, c.relname::text, a.attname::text, \
                   CASE WHEN t.typtype = 'd' THEN bt.typname::text ELSE t.typname::text END \
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
                   JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type bt ON bt.oid = t.typbasetype \
                   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped \
                   AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(n.oid, 'USAGE') \
                   ORDER BY 1, 2, a.attnum";
        let rows = self.rows(sql.to_owned(), "listing the tables").await?;
        if rows.is_empty() && self.url.database().is_none() {
            let shown =
                self.rows("SELECT datname::text FROM pg_database WHERE NOT datistemplate".to_owned(), "listing the databases").await?;
            let names: Vec<String> = shown.iter().filter_map(|row| text(row, 0)).collect();
            return Err(SourceError::new(
                SourceErrorKind::UnknownDatabase,
                format!("the source URL names no database of {}", self.url.place()),
                format!("its databases are {}; write one behind the host", listed(names.iter().map(String::as_str))),
            ));
        }
        let mut tables: Vec<TableInfo> = Vec::new();
        for row in &rows {
            let (Some(schema), Some(name), Some(column), Some(type_name)) = (text(row, 0), text(row, 1), text(row, 2), text(row, 3)) else {
                continue;
            };
            let schema = Some(schema).filter(|schema| !schema.is_empty());
            let column = ColumnInfo { name: column, type_name, collation: None };
            match tables.last_mut() {
                Some(table) if table.name == name && table.schema == schema => table.columns.push(column),
                _ => tables.push(TableInfo { schema, name, columns: vec![column] }),
            }
        }
        Ok(tables)
    }

    /// Decides how the columns are read; looks at one date where the type does not tell.
    pub(super) async fn plan(&self, table: TableInfo, columns: ColumnMap) -> Result<TablePlan, SourceError> {
        let date = table.column_of(&columns, ColumnRole::Date).map(|column| (column.name.clone(), column.type_name.clone()));
        let (date, type_name) = date.unwrap_or_default();
        let dates = match type_name.as_str() {
            "date" => DateStyle::Date,
            "timestamp" => DateStyle::DateTime,
            "timestamptz" => DateStyle::Instant,
            _ => {
                let date = quoted(&date);
                let sql = format!("SELECT {date}::text FROM {} WHERE {date} IS NOT NULL LIMIT 1", place_of(&table));
                let example = self.rows(sql, "looking at a date").await?.first().and_then(|row| text(row, 0));
                if is_number(&type_name) {
                    let number = example.and_then(|example| example.split('.').next().and_then(|whole| whole.parse().ok()));
                    number.map_or(DateStyle::OtherNumber, style_of_number)
                } else {
                    example.map_or(DateStyle::OtherText, |example| style_of_text(&example))
                }
            }
        };
        self.compare_hashes().await;
        Ok(TablePlan::new(table, columns, dates, is_number, |type_name| !is_number(type_name)))
    }

    /// Finds out whether the server writes and hashes as it is done here. One that cannot say does not.
    async fn compare_hashes(&self) {
        if self.hashes_alike.get().is_some() {
            return;
        }
        let answer = self.rows(PROBE.to_owned(), "asking for a hash").await;
        let hashed = answer.ok().as_deref().and_then(<[PgRow]>::first).and_then(|row| row.try_get_unchecked::<i64, _>(0).ok());
        let is_alike = *self.hashes_alike.get_or_init(|| hashed == Some(probe_hash()));
        tracing::debug!(is_alike, "compared hashes with {}", self.url.place());
    }

    /// Whether rows can be counted and hashed here as the server would.
    pub(super) fn digests_on_the_way(&self, plan: &TablePlan) -> bool {
        self.hashes_alike.get() == Some(&true) && has_exact_digests(plan)
    }

    pub(super) async fn symbols(&self, plan: &TablePlan) -> Result<Vec<SymbolInfo>, SourceError> {
        let mut symbols = Vec::new();
        for row in self.rows(symbols_query(plan), "listing the symbols").await? {
            let Some(symbol) = text(&row, 0).filter(|symbol| !symbol.is_empty()) else { continue };
            let failed = |error: sqlx::Error| self.explain(&error, "listing the symbols");
            symbols.push(SymbolInfo {
                symbol: Symbol::from(symbol),
                first_us: read_time(&row, 1, plan.dates).map_err(failed)?.ok(),
                last_us: read_time(&row, 2, plan.dates).map_err(failed)?.ok(),
                bar_count: row.try_get_unchecked::<i64, _>(3).map_err(failed)?.unsigned_abs(),
            });
        }
        symbols.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        Ok(symbols)
    }

    /// Reads the symbols of one statement and sends each as soon as it is complete. `false` when nobody listens any more.
    pub(super) async fn fetch(
        &self,
        plan: &TablePlan,
        symbols: &[Symbol],
        request: &FetchRequest,
        out: &Outlet,
    ) -> Result<bool, SourceError> {
        let begin = || {
            let digest = request.digest.as_ref().filter(|_| self.digests_on_the_way(plan));
            let tally = digest.map(|digest| Tally::on_the_way(symbols, request.range, digest));
            (Collector::new(symbols, &plan.columns, request.range).counting(tally), RowReader::new(plan))
        };
        let (start, end) = bounds(plan.dates, &request.range);
        let (_permit, mut connection) = self.session().await?;
        let mut refused = None;
        if self.copy_refusals.load(Ordering::Relaxed) < GIVE_UP_COPY {
            let (mut collector, mut reader) = begin();
            let sql = copy_query(plan, symbols, start.as_ref(), end.as_ref());
            match self.copy(&sql, &mut connection, &mut reader, &mut collector, out).await? {
                Copied::Unwanted => return Ok(false),
                Copied::All => {
                    self.kept.give_back(connection);
                    return Ok(send_all(collector.finish(), out).await);
                }
                Copied::Refused(error) => {
                    connection = self.open().await?;
                    refused = Some(error);
                }
            }
        }
        let (mut collector, mut reader) = begin();
        let limits = where_asked(plan, start.is_some(), end.is_some());
        let query = sqlx::query(AssertSqlSafe(bars_query(plan, &limits))).persistent(false);
        if !self.stream(bind_asked(query, plan, symbols, start, end), &mut connection, &mut reader, &mut collector, out).await? {
            return Ok(false);
        }
        if let Some(error) = refused {
            tracing::info!("{} sent no COPY, so rows were read by a statement: {error}", self.url.place());
            // A connection that breaks may do so for another reason.
            let weight = if error.is_transient() { 1 } else { GIVE_UP_COPY };
            self.copy_refusals.fetch_add(weight, Ordering::Relaxed);
        }
        self.kept.give_back(connection);
        Ok(send_all(collector.finish(), out).await)
    }

    /// Reads the rows of a statement and sends each symbol as soon as it is complete. `false` when nobody listens any more.
    async fn stream(
        &self,
        query: Query<'_, Postgres, PgArguments>,
        connection: &mut PgConnection,
        reader: &mut RowReader,
        collector: &mut Collector,
        out: &Outlet,
    ) -> Result<bool, SourceError> {
        let doing = "reading bars";
        let malformed = |error: Malformed| server::query_failed(&self.url, doing, &error.to_string());
        let mut rows = query.fetch(connection);
        while let Some(row) = next_in_time(&mut rows, self.query_timeout, &self.url).await? {
            let row = row.map_err(|error| self.explain(&error, doing))?;
            let mut fields = Fields::default();
            for (column, field) in fields.iter_mut().take(reader.fields()).enumerate() {
                let value = row.try_get_raw(column).map_err(|error| self.explain(&error, doing))?;
                *field = value.as_bytes().ok();
            }
            out.row_came();
            reader.push(&fields, collector).map_err(malformed)?;
            if collector.has_ready() && !send_all(collector.take_ready(), out).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) async fn preview(&self, table: &TableInfo, limit: usize) -> Result<Preview, SourceError> {
        let columns = table.column_names();
        let rows = self.rows(preview_query(table, limit), "reading the first rows").await?;
        let rows = rows.iter().map(|row| (0..columns.len()).map(|column| text(row, column).unwrap_or_default()).collect()).collect();
        Ok(Preview { columns, rows })
    }

    pub(super) async fn close(&self) {
        for connection in self.kept.close() {
            // Best effort: the server notices a closed socket as well.
            let closing = tokio::time::timeout(Duration::from_secs(1), connection.close()).await;
            if let Ok(Err(error)) = closing {
                tracing::debug!("closing a PostgreSQL connection: {error}");
            }
        }
    }

    pub(super) fn explain(&self, error: &sqlx::Error, doing: &str) -> SourceError {
        let database_error = error.as_database_error();
        let code = database_error.and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
        let detail = database_error.map_or_else(String::new, |error| error.message().to_owned());
        let url = &self.url;
        if let sqlx::Error::Protocol(detail) = error
            && detail.contains("SSLRequest: 0x00")
        {
            // How the driver reads a connection that ended before the first byte; no server answers so.
            return server::unreachable(url, "it closed the connection").without(url.password());
        }
        match code.as_str() {
            "28P01" | "28000" => server::wrong_password(url, &detail),
            "3D000" => server::unknown_database(url),
            "42501" => server::not_allowed(url, &detail),
            "53300" | "57P03" => server::unreachable(url, &detail),
            // Shutdown, crash, idle too long, and a standby that cancels queries in its way.
            "57P01" | "57P02" | "57P05" | "25P03" | "40001" => server::broke(url, doing, &detail),
            code if code.starts_with("08") => server::broke(url, doing, &detail),
            "57014" => server::timed_out(self.query_timeout, doing, url),
            _ => return server::explain(error, doing, url),
        }
        .without(url.password())
    }
}

/// Binds the symbols the column can hold, and the limits of the dates.
pub(super) fn bind_asked<'q>(
    query: Query<'q, Postgres, PgArguments>,
    plan: &TablePlan,
    symbols: &'q [Symbol],
    start: Option<Bound>,
    end: Option<Bound>,
) -> Query<'q, Postgres, PgArguments> {
    let query = if plan.symbol_is_number {
        query.bind(symbols.iter().filter_map(|symbol| symbol.as_str().parse().ok()).collect::<Vec<i64>>())
    } else {
        // A text with a zero byte is a symbol PostgreSQL cannot hold, and an error if asked for.
        query.bind(symbols.iter().map(Symbol::as_str).filter(|symbol| !symbol.contains('\0')).collect::<Vec<&str>>())
    };
    start.into_iter().chain(end).fold(query, bind)
}

fn bind(query: Query<'_, Postgres, PgArguments>, bound: Bound) -> Query<'_, Postgres, PgArguments> {
    match bound {
        Bound::Date(day) => query.bind(day),
        Bound::DateTime(time) => query.bind(time),
        Bound::Text(text) => query.bind(text),
        Bound::Number(number) => query.bind(number),
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn place_of(table: &TableInfo) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&table.name)),
        None => quoted(&table.name),
    }
}

fn is_number(type_name: &str) -> bool {
    matches!(type_name, "int2" | "int4" | "int8" | "float4" | "float8" | "numeric")
}

pub(super) fn date_expression(plan: &TablePlan) -> String {
    let date = quoted(plan.columns.get(ColumnRole::Date).unwrap_or_default());
    match plan.dates {
        DateStyle::Date | DateStyle::DateTime => date,
        DateStyle::Instant => format!("({date} AT TIME ZONE 'UTC')"),
        DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => format!("{date}::text"),
        DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) | DateStyle::OtherNumber => {
            let is_whole = plan.table.column_of(&plan.columns, ColumnRole::Date).is_some_and(|column| column.type_name.starts_with("int"));
            // A NaN that became no whole number would fail the statement, and with it every other symbol.
            if is_whole { format!("{date}::int8") } else { format!("(CASE WHEN {date} BETWEEN -9e18 AND 9e18 THEN {date}::int8 END)") }
        }
    }
}

/// Every symbol with first and last date and number of rows.
pub(super) fn symbols_query(plan: &TablePlan) -> String {
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    // The collation "C" tells apart what a collation without case does not, and needs no sorting by language.
    let group = if plan.symbol_is_number { symbol.clone() } else { format!("{symbol}::text COLLATE \"C\"") };
    let date = date_expression(plan);
    format!(
        "SELECT ({group})::text, MIN({date}), MAX({date}), COUNT(*) FROM {} WHERE {symbol} IS NOT NULL GROUP BY {group}",
        place_of(&plan.table)
    )
}

/// The first rows, every column as text.
pub(super) fn preview_query(table: &TableInfo, limit: usize) -> String {
    let shown = table.columns.iter().map(|column| format!("{}::text", quoted(&column.name))).collect::<Vec<_>>().join(", ");
    format!("SELECT {shown} FROM {} LIMIT {limit}", place_of(table))
}

/// `SELECT symbol, date, numbers… FROM table WHERE … ORDER BY symbol, date`
pub(super) fn bars_query(plan: &TablePlan, limits: &str) -> String {
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    let date = quoted(plan.columns.get(ColumnRole::Date).unwrap_or_default());
    let mut sql = format!("SELECT {symbol}::text, {}", date_expression(plan));
    for (role, cast) in casts(plan) {
        sql.push_str(&format!(", {}{cast}", quoted(plan.columns.get(role).unwrap_or_default())));
    }
    sql.push_str(&format!(" FROM {}{limits} ORDER BY {symbol}, {date}", place_of(&plan.table)));
    sql
}

/// ` WHERE symbol = ANY($1) AND date >= $2 AND date < $3`
pub(super) fn where_asked(plan: &TablePlan, has_start: bool, has_end: bool) -> String {
    let (asked, bound) = (if plan.symbol_is_number { "$1::int8[]" } else { "$1::text[]" }, bound_type(plan.dates));
    let start = format!("$2{bound}");
    let end = format!("${}{bound}", 2 + usize::from(has_start));
    where_with(plan, asked, Some(start.as_str()).filter(|_| has_start), Some(end.as_str()).filter(|_| has_end))
}

/// ` WHERE symbol = ANY(asked) AND date >= start AND date < end`
pub(super) fn where_with(plan: &TablePlan, asked: &str, start: Option<&str>, end: Option<&str>) -> String {
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    let date = quoted(plan.columns.get(ColumnRole::Date).unwrap_or_default());
    let symbol_type = plan.table.column_of(&plan.columns, ColumnRole::Symbol).map(|column| column.type_name.as_str());
    let is_plain = plan.symbol_is_number || matches!(symbol_type, Some("text" | "varchar" | "bpchar" | "name" | "citext"));
    let compared = if is_plain { symbol } else { format!("{symbol}::text") };
    let mut sql = format!(" WHERE {compared} = ANY({asked})");
    for (sign, limit) in [(">=", start), ("<", end)] {
        if let Some(limit) = limit {
            sql.push_str(&format!(" AND {date} {sign} {limit}"));
        }
    }
    sql
}

/// What a limit must be cast to, to be compared with the column as it is.
pub(super) fn bound_type(style: DateStyle) -> &'static str {
    match style {
        DateStyle::Date => "::date",
        DateStyle::DateTime => "::timestamp",
        DateStyle::Instant => "::timestamp AT TIME ZONE 'UTC'",
        DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => "::text",
        DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) | DateStyle::OtherNumber => "::int8",
    }
}

/// The time of a row. The outer error is the connection's, the inner one the value's.
pub(super) fn read_time(row: &PgRow, column: usize, style: DateStyle) -> Result<Result<i64, NoTime>, sqlx::Error> {
    let date = row.try_get_raw(column)?.as_bytes().ok();
    time_of(date, style).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(super) fn text(row: &PgRow, column: usize) -> Option<String> {
    row.try_get_unchecked::<Option<String>, _>(column).ok().flatten()
}

/// Sends symbols; `false` when nobody listens any more.
pub(super) async fn send_all(fetched: Vec<Fetched>, out: &Outlet) -> bool {
    for fetched in fetched {
        if out.send(fetched).await.is_err() {
            return false;
        }
    }
    true
}
