//! MySQL and MariaDB: sessions that cannot write, one statement for many symbols, rows decoded straight into columns.
//!
//! Times are the server's wall clock: the session keeps the server's time zone, so a `TIMESTAMP` reads as any other client
//! shows it.

mod counting;
mod fast;
mod login;
mod rows;
mod server_text;
mod tls;
mod values;
mod wire;

use super::collect::{Collector, NoTime};
use super::columns::{ColumnMap, ColumnRole};
use super::error::SourceError;
use super::kind::TlsMode;
use super::server::{self, CONNECTING, Kept, LoginInfo, in_time, next_in_time};
use super::source_url::SourceUrl;
use super::table::{ColumnInfo, NumberKind, TableInfo, TablePlan};
use super::time_value::{Bound, DateStyle, bounds, micros_of_number, micros_of_text, number_of_text, style_of_number, style_of_text};
use super::timing::Outlet;
use super::{FetchRequest, Fetched, Preview, SourceOptions, SymbolInfo};
use crate::market::{Symbol, micros_of_date};
use chrono::{NaiveDate, NaiveDateTime};
use fast::FastClient;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, MySql, Row};
use std::time::Duration;
use tokio::sync::SemaphorePermit;

/// What a plan says that goes from group to group in an index.
const JUMPS: &str = "Using index for group-by";
/// What it says besides where it goes through all of the index nevertheless.
const SCANS: &str = "(scanning)";
/// What is being done while rows come.
const READING: &str = "reading bars";

/// A MySQL or MariaDB server, one database of it.
pub(super) struct MySqlServer {
    url: SourceUrl,
    options: MySqlConnectOptions,
    connect_timeout: Duration,
    query_timeout: Duration,
    kept: Kept<MySqlConnection>,
    fast: FastClient,
}

impl MySqlServer {
    pub(super) fn new(url: &SourceUrl, options: &SourceOptions) -> Self {
        let mut connect = MySqlConnectOptions::new()
            .host(url.host())
            .port(url.port())
            .username(url.user().unwrap_or("root"))
            .ssl_mode(match url.tls() {
                TlsMode::Off => MySqlSslMode::Disabled,
                TlsMode::Prefer => MySqlSslMode::Preferred,
                TlsMode::Require => MySqlSslMode::Required,
            })
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None);
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
            fast: FastClient::new(options.connections),
        }
    }

    /// A new connection whose session cannot write and does not mind a reader that pauses.
    async fn open(&self) -> Result<MySqlConnection, SourceError> {
        // So that there are never more connections than permits.
        self.fast.drop_idle();
        let opening = async {
            let mut connection = MySqlConnection::connect_with(&self.options).await?;
            for statement in ["SET SESSION TRANSACTION READ ONLY", "SET SESSION net_write_timeout = 3600"] {
                sqlx::raw_sql(statement).execute(&mut connection).await?;
            }
            Ok(connection)
        };
        in_time(self.connect_timeout, CONNECTING, &self.url, opening).await?.map_err(|error| self.explain(&error, CONNECTING))
    }

    pub(super) async fn session(&self) -> Result<(SemaphorePermit<'_>, MySqlConnection), SourceError> {
        let permit = self.kept.permit().await?;
        Ok((permit, self.connection().await?))
    }

    /// A connection for whoever has a permit.
    async fn connection(&self) -> Result<MySqlConnection, SourceError> {
        while let Some(mut connection) = self.kept.take() {
            if matches!(tokio::time::timeout(self.connect_timeout, connection.ping()).await, Ok(Ok(()))) {
                return Ok(connection);
            }
        }
        self.open().await
    }

    pub(super) fn url(&self) -> &SourceUrl {
        &self.url
    }

    pub(super) fn query_timeout(&self) -> Duration {
        self.query_timeout
    }

    pub(super) fn give_back(&self, connection: MySqlConnection) {
        self.kept.give_back(connection);
    }

    /// All rows of a query with a short answer.
    pub(super) async fn rows(&self, sql: String, texts: &[&str], doing: &str) -> Result<Vec<MySqlRow>, SourceError> {
        let (_permit, mut connection) = self.session().await?;
        let query = texts.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, text| query.bind(*text));
        let rows = in_time(self.query_timeout, doing, &self.url, query.fetch_all(&mut connection))
            .await?
            .map_err(|error| self.explain(&error, doing))?;
        self.kept.give_back(connection);
        Ok(rows)
    }

    pub(super) async fn login(&self) -> Result<LoginInfo, SourceError> {
        let doing = "asking for the server's version";
        let version = self.rows("SELECT VERSION()".to_owned(), &[], doing).await?;
        let status = self.rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'".to_owned(), &[], doing).await?;
        let variables = "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_read_only', 'transaction_read_only')";
        let read_only = self.rows(variables.to_owned(), &[], doing).await?;
        Ok(LoginInfo {
            version: version.first().and_then(|row| text(row, 0)).unwrap_or_default(),
            cipher: status.first().and_then(|row| text(row, 1)).filter(|cipher| !cipher.is_empty()),
            is_read_only: read_only.iter().any(|row| text(row, 1).is_some_and(|value| value == "ON" || value == "1")),
        })
    }

    /// Every table and view of the database with its columns.
    pub(super) async fn tables(&self) -> Result<Vec<TableInfo>, SourceError> {
        if self.url.database().is_none() {
            let shown = self.rows("SHOW DATABASES".to_owned(), &[], "listing the databases").await?;
            let names: Vec<String> = shown.iter().filter_map(|row| text(row, 0)).collect();
            return Err(SourceError::new(
                super::SourceErrorKind::UnknownDatabase,
                format!("the source URL names no database of {}", self.url.place()),
                format!(
                    "its databases are {}; write one behind the host, as in mysql://…/DATABASE",
                    super::error::listed(names.iter().map(String::as_str))
                ),
            ));
        }
        let sql = "SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns \
                   WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position";
        let rows = self.rows(sql.to_owned(), &[], "listing the tables").await?;
        let mut tables: Vec<TableInfo> = Vec::new();
        for row in &rows {
            let (Some(name), Some(column), Some(type_name)) = (text(row, 0), text(row, 1), text(row, 2)) else { continue };
            let column = ColumnInfo { name: column, type_name: type_name.to_lowercase(), collation: text(row, 3) };
            match tables.last_mut() {
                Some(table) if table.name == name => table.columns.push(column),
                _ => tables.push(TableInfo { schema: None, name, columns: vec![column] }),
            }
        }
        Ok(tables)
    }

    /// Why a table that was not listed cannot be read: the server leaves out views it cannot open without saying so.
    pub(super) async fn why_unlisted(&self, table: &str) -> Result<(), SourceError> {
        match self.rows(format!("SELECT * FROM {} LIMIT 0", quoted(table)), &[], "opening the table").await {
            Err(error) if error.kind() != super::SourceErrorKind::MissingTable => Err(error),
            _ => Ok(()),
        }
    }

    /// Decides how the columns are read; looks at one date where the type does not tell.
    pub(super) async fn plan(&self, table: TableInfo, columns: ColumnMap) -> Result<TablePlan, SourceError> {
        let date = table.column_of(&columns, ColumnRole::Date).map(|column| (column.name.clone(), column.type_name.clone()));
        let (date, type_name) = date.unwrap_or_default();
        let dates = match type_name.as_str() {
            "date" => DateStyle::Date,
            "datetime" | "timestamp" => DateStyle::DateTime,
            _ => {
                let (date, name) = (quoted(&date), quoted(&table.name));
                let sql = format!("SELECT CAST({date} AS CHAR) FROM {name} WHERE {date} IS NOT NULL LIMIT 1");
                let example = self.rows(sql, &[], "looking at a date").await?.first().and_then(|row| text(row, 0));
                if is_text(&type_name) {
                    example.map_or(DateStyle::OtherText, |example| style_of_text(&example))
                } else {
                    let number = example.and_then(|example| example.split('.').next().and_then(|whole| whole.parse().ok()));
                    number.map_or(DateStyle::OtherNumber, style_of_number)
                }
            }
        };
        let plan = TablePlan::new(table, columns, dates, is_number, is_text);
        self.look_at_size(&plan).await?;
        Ok(plan)
    }

    pub(super) async fn symbols(&self, plan: &TablePlan) -> Result<Vec<SymbolInfo>, SourceError> {
        let mut symbols = Vec::new();
        for row in self.rows(symbols_query(plan), &[], "listing the symbols").await? {
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

    /// Symbols with first and last date, where the server jumps from symbol to symbol in an index; `None` where it would go through
    /// all of it.
    pub(super) async fn symbols_at_a_glance(&self, plan: &TablePlan) -> Result<Option<Vec<SymbolInfo>>, SourceError> {
        let doing = "listing the symbols";
        let sql = glance_query(plan);
        let told = self.rows(format!("EXPLAIN {sql}"), &[], "planning a query").await?;
        let jumps = told
            .iter()
            .any(|row| (0..row.len()).any(|column| text(row, column).is_some_and(|text| text.contains(JUMPS) && !text.contains(SCANS))));
        if !jumps {
            return Ok(None);
        }
        let mut symbols = Vec::new();
        for row in self.rows(sql, &[], doing).await? {
            let Some(symbol) = text(&row, 0).filter(|symbol| !symbol.is_empty()) else { continue };
            let failed = |error: sqlx::Error| self.explain(&error, doing);
            let [first_us, last_us] = [1, 2].map(|column| read_time(&row, column, plan.dates));
            symbols.push(SymbolInfo {
                symbol: Symbol::from(symbol),
                first_us: first_us.map_err(failed)?.ok(),
                last_us: last_us.map_err(failed)?.ok(),
                bar_count: 0,
            });
        }
        symbols.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        Ok(Some(symbols))
    }

    /// Reads the symbols of one statement and sends each as soon as it is complete. `false` when nobody listens any more.
    pub(super) async fn fetch(
        &self,
        plan: &TablePlan,
        symbols: &[Symbol],
        request: &FetchRequest,
        out: &Outlet,
    ) -> Result<bool, SourceError> {
        let asked = asked_count(plan, symbols);
        if asked > 0 {
            let _permit = self.kept.permit().await?;
            return match self.fetch_fast(plan, symbols, request, out).await? {
                Some(is_wanted) => Ok(is_wanted),
                None => self.fetch_row_by_row(plan, symbols, request, out).await,
            };
        }
        send_all(Collector::new(symbols, &plan.columns, request.range).finish(), out).await
    }

    /// Reads the symbols of one statement with the general client.
    async fn fetch_row_by_row(
        &self,
        plan: &TablePlan,
        symbols: &[Symbol],
        request: &FetchRequest,
        out: &Outlet,
    ) -> Result<bool, SourceError> {
        let doing = READING;
        let mut collector = Collector::new(symbols, &plan.columns, request.range);
        let (start, end) = bounds(plan.dates, &request.range);
        let sql = bars_query(plan, asked_count(plan, symbols), start.is_some(), end.is_some(), Sent { as_stored: false, in_order: true });
        let query = bind_asked(sqlx::query(AssertSqlSafe(sql)).persistent(false), plan, symbols, start, end);
        let mut connection = self.connection().await?;
        {
            let mut rows = query.fetch(&mut connection);
            while let Some(row) = next_in_time(&mut rows, self.query_timeout, &self.url).await? {
                out.row_came();
                row.and_then(|row| push_row(&row, plan, &mut collector)).map_err(|error| self.explain(&error, doing))?;
                if collector.has_ready() && !send_all(collector.take_ready(), out).await? {
                    return Ok(false);
                }
            }
        }
        self.kept.give_back(connection);
        send_all(collector.finish(), out).await
    }

    pub(super) async fn preview(&self, table: &TableInfo, limit: usize) -> Result<Preview, SourceError> {
        let columns = table.column_names();
        let rows = self.rows(preview_query(table, limit), &[], "reading the first rows").await?;
        let rows = rows.iter().map(|row| (0..columns.len()).map(|column| text(row, column).unwrap_or_default()).collect()).collect();
        Ok(Preview { columns, rows })
    }

    pub(super) async fn close(&self) {
        self.fast.close();
        for connection in self.kept.close() {
            // Best effort: the server notices a closed socket as well.
            let closing = tokio::time::timeout(Duration::from_secs(1), connection.close()).await;
            if let Ok(Err(error)) = closing {
                tracing::debug!("closing a MySQL connection: {error}");
            }
        }
    }

    pub(super) fn explain(&self, error: &sqlx::Error, doing: &str) -> SourceError {
        let number =
            error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>()).map(MySqlDatabaseError::number);
        let detail = error.as_database_error().map_or_else(String::new, |error| error.message().to_owned());
        let explained = number.and_then(|number| self.explain_number(number, &detail, doing));
        explained.unwrap_or_else(|| server::explain(error, doing, &self.url))
    }

    /// Explains an error of the server by its number; `None` where the number says nothing special.
    fn explain_number(&self, number: u16, detail: &str, doing: &str) -> Option<SourceError> {
        let url = &self.url;
        let explained = match number {
            1045 | 1698 | 1251 | 1524 | 1862 => server::wrong_password(url, detail),
            1049 => server::unknown_database(url),
            1044 | 1142 | 1143 | 1227 | 1370 => server::not_allowed(url, detail),
            1146 => SourceError::plain(super::SourceErrorKind::MissingTable, format!("{} has no such table ({detail})", url.place())),
            1129 | 1130 | 1040 | 1203 => server::unreachable(url, detail),
            // Shutdown, killed, aborted, lost on the way, idle too long; 2006 and 2013 are what proxies in between say.
            1053 | 1077 | 1079 | 1080 | 1152 | 1158..=1161 | 1184 | 1317 | 1927 | 2006 | 2013 | 2055 | 3169 | 4031 => {
                server::broke(url, doing, detail)
            }
            1969 | 3024 | 1205 => server::timed_out(self.query_timeout, doing, url),
            _ => return None,
        };
        Some(explained.without(url.password()))
    }
}

/// Sends what is ready. `false` when nobody listens any more.
async fn send_all(ready: Vec<Fetched>, out: &Outlet) -> Result<bool, SourceError> {
    for fetched in ready {
        if out.send(fetched).await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many of the symbols the column can hold.
pub(super) fn asked_count(plan: &TablePlan, symbols: &[Symbol]) -> usize {
    symbols.iter().filter(|symbol| !plan.symbol_is_number || symbol.as_str().parse::<i64>().is_ok()).count()
}

/// Binds [`asked_count`] symbols and the limits of the dates.
pub(super) fn bind_asked<'q>(
    query: Query<'q, MySql, MySqlArguments>,
    plan: &TablePlan,
    symbols: &'q [Symbol],
    start: Option<Bound>,
    end: Option<Bound>,
) -> Query<'q, MySql, MySqlArguments> {
    let query = if plan.symbol_is_number {
        symbols.iter().filter_map(|symbol| symbol.as_str().parse::<i64>().ok()).fold(query, Query::bind)
    } else {
        symbols.iter().map(Symbol::as_str).fold(query, Query::bind)
    };
    start.into_iter().chain(end).fold(query, bind)
}

fn bind<'q>(query: Query<'q, MySql, MySqlArguments>, bound: Bound) -> Query<'q, MySql, MySqlArguments> {
    match bound {
        Bound::Date(day) => query.bind(day),
        Bound::DateTime(time) => query.bind(time),
        Bound::Text(text) => query.bind(text),
        Bound::Number(number) => query.bind(number),
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn is_text(type_name: &str) -> bool {
    ["char", "text", "binary", "blob", "enum", "set", "json"].iter().any(|part| type_name.contains(part))
}

fn is_number(type_name: &str) -> bool {
    type_name.contains("int") || matches!(type_name, "decimal" | "numeric" | "double" | "float" | "year")
}

/// Whether the database itself tells apart all symbols that differ.
pub(super) fn is_exact(plan: &TablePlan) -> bool {
    let column = plan.table.column_of(&plan.columns, ColumnRole::Symbol);
    column.is_some_and(|column| match &column.collation {
        Some(collation) => collation == "binary",
        None => column.type_name.contains("binary") || column.type_name.contains("blob"),
    })
}

pub(super) fn symbol_expression(plan: &TablePlan) -> String {
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    if plan.symbol_is_number { format!("CAST({symbol} AS CHAR)") } else { symbol }
}

pub(super) fn date_expression(plan: &TablePlan) -> String {
    let date = quoted(plan.columns.get(ColumnRole::Date).unwrap_or_default());
    match plan.dates {
        DateStyle::Date | DateStyle::DateTime | DateStyle::Instant => date,
        DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => date,
        DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) | DateStyle::OtherNumber => format!("CAST({date} AS SIGNED)"),
    }
}

/// Every symbol with first and last date and number of rows.
pub(super) fn symbols_query(plan: &TablePlan) -> String {
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    let (shown, date) = (symbol_expression(plan), date_expression(plan));
    // Collations without case put `abc` and `ABC` into one group; bytes do not.
    let group = if plan.symbol_is_number || is_exact(plan) { symbol.clone() } else { format!("BINARY {symbol}") };
    format!(
        "SELECT MIN({shown}), MIN({date}), MAX({date}), COUNT(*) FROM {} WHERE {symbol} IS NOT NULL GROUP BY {group}",
        quoted(&plan.table.name)
    )
}

/// Every symbol (those a collation takes for one together) with first and last date.
pub(super) fn glance_query(plan: &TablePlan) -> String {
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    let date = quoted(plan.columns.get(ColumnRole::Date).unwrap_or_default());
    let shown = symbol_expression(plan);
    let [first, last] = ["MIN", "MAX"].map(|end| match date_expression(plan) {
        // Numbers of all lengths come as one type.
        cast if cast != date => format!("CAST({end}({date}) AS SIGNED)"),
        _ => format!("{end}({date})"),
    });
    format!("SELECT {shown}, {first}, {last} FROM {} GROUP BY {symbol}", quoted(&plan.table.name))
}

/// The first rows, every column as text.
pub(super) fn preview_query(table: &TableInfo, limit: usize) -> String {
    let shown = table.columns.iter().map(|column| format!("CAST({} AS CHAR)", quoted(&column.name))).collect::<Vec<_>>().join(", ");
    format!("SELECT {shown} FROM {} LIMIT {limit}", quoted(&table.name))
}

/// How rows are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    /// Whole numbers as they are stored, not as doubles.
    pub(super) as_stored: bool,
    /// By symbol and date.
    pub(super) in_order: bool,
}

/// As rows are usually read.
pub(super) const AS_READ: Sent = Sent { as_stored: true, in_order: true };

/// `SELECT symbol, date, numbers… FROM table WHERE symbol IN (?, …) … ORDER BY symbol, date`
pub(super) fn bars_query(plan: &TablePlan, symbols: usize, has_start: bool, has_end: bool, sent: Sent) -> String {
    let symbol = quoted(plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
    let date = quoted(plan.columns.get(ColumnRole::Date).unwrap_or_default());
    let mut sql = format!("SELECT {}, {}", symbol_expression(plan), date_expression(plan));
    for (role, number) in ColumnRole::NUMBERS.into_iter().zip(plan.numbers) {
        let Some((_, kind)) = number else { continue };
        let column = quoted(plan.columns.get(role).unwrap_or_default());
        let type_name = plan.table.column_of(&plan.columns, role).map_or("", |column| column.type_name.as_str());
        let is_as_wanted = type_name == "double" || (sent.as_stored && type_name.contains("int"));
        sql.push_str(&if kind == NumberKind::Text || is_as_wanted {
            format!(", {column}")
        } else if sent.as_stored {
            // As digests have it.
            format!(", {column} * 1E0")
        } else {
            // Adding a double makes a double of every number, on servers whose CAST cannot.
            format!(", {column} + 0E0")
        });
    }
    sql.push_str(&format!(" FROM {} WHERE {symbol} IN ({})", quoted(&plan.table.name), vec!["?"; symbols].join(",")));
    if has_start {
        sql.push_str(&format!(" AND {date} >= ?"));
    }
    if has_end {
        sql.push_str(&format!(" AND {date} < ?"));
    }
    if sent.in_order {
        sql.push_str(&format!(" ORDER BY {symbol}, {date}"));
    }
    sql
}

#[inline]
fn push_row(row: &MySqlRow, plan: &TablePlan, collector: &mut Collector) -> Result<(), sqlx::Error> {
    let Some(symbol) = row.try_get_unchecked::<Option<&str>, _>(0)? else { return Ok(()) };
    if symbol.is_empty() {
        return Ok(());
    }
    let Some(slot) = collector.slot(symbol) else { return Ok(()) };
    let time = read_time(row, 1, plan.dates)?;
    let mut numbers = [f64::NAN; 8];
    for (value, number) in numbers.iter_mut().zip(&plan.numbers) {
        *value = match number {
            None => continue,
            Some((position, NumberKind::Double)) => row.try_get_unchecked::<Option<f64>, _>(*position)?.unwrap_or(f64::NAN),
            Some((position, NumberKind::Text)) => row.try_get_unchecked::<Option<&str>, _>(*position)?.map_or(f64::NAN, number_of_text),
        };
    }
    collector.push(slot, time, &numbers);
    Ok(())
}

/// The time of a row. The outer error is the connection's, the inner one the value's.
#[inline]
pub(super) fn read_time(row: &MySqlRow, column: usize, style: DateStyle) -> Result<Result<i64, NoTime>, sqlx::Error> {
    let missing = || NoTime("NULL".to_owned());
    let impossible = |error: sqlx::Error| match error {
        sqlx::Error::ColumnDecode { .. } => Ok(Err(NoTime("0000-00-00".to_owned()))),
        other => Err(other),
    };
    match style {
        DateStyle::Date => match row.try_get_unchecked::<Option<NaiveDate>, _>(column) {
            Ok(day) => Ok(day.map(micros_of_date).ok_or_else(missing)),
            Err(error) => impossible(error),
        },
        DateStyle::DateTime | DateStyle::Instant => match row.try_get_unchecked::<Option<NaiveDateTime>, _>(column) {
            Ok(time) => Ok(time.map(|time| time.and_utc().timestamp_micros()).ok_or_else(missing)),
            Err(error) => impossible(error),
        },
        DateStyle::SeparatedText(_) | DateStyle::CompactText | DateStyle::OtherText => {
            let text = row.try_get_unchecked::<Option<&str>, _>(column)?;
            Ok(text.ok_or_else(missing).and_then(|text| micros_of_text(text).ok_or_else(|| NoTime(text.to_owned()))))
        }
        DateStyle::DayNumber | DateStyle::SecondNumber | DateStyle::Epoch(_) | DateStyle::OtherNumber => {
            let number = row.try_get_unchecked::<Option<i64>, _>(column)?;
            Ok(number.ok_or_else(missing).and_then(|number| micros_of_number(number).ok_or_else(|| NoTime(number.to_string()))))
        }
    }
}

pub(super) fn text(row: &MySqlRow, column: usize) -> Option<String> {
    row.try_get_unchecked::<Option<String>, _>(column).ok().flatten()
}
