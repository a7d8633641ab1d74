//! Reading bars without an object per row: one prepared statement, and its binary rows decoded out of the socket's buffer.
//!
//! Only for bars; every other question goes to the general client, and so does this one where [`WireError::Unsupported`] says so.
//! Binary rows spare the server writing doubles as text, which costs it more than finding them. Dropping a fetch closes its
//! connection, which ends its statement.

use super::counting::{Counting, is_countable};
use super::login::{log_in, ping};
use super::rows::Rows;
use super::values::Column;
use super::wire::{Cursor, Wire, WireError, put_counted, sound, told_error};
use super::{MySqlServer, READING, Sent, asked_count, bars_query, send_all, server};
use crate::market::Symbol;
use crate::source::FetchRequest;
use crate::source::collect::Collector;
use crate::source::columns::ColumnRole;
use crate::source::error::SourceError;
use crate::source::server::{CONNECTING, Kept, in_time};
use crate::source::table::TablePlan;
use crate::source::time_value::{Bound, bounds};
use crate::source::timing::Outlet;
use chrono::{Datelike, NaiveDate};
use sqlx::{Connection, Row};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const CLOSE: u8 = 0x19;
/// Types of what is asked for.
const LONG_LONG: [u8; 2] = [8, 0];
const DATE: [u8; 2] = [10, 0];
const DATE_TIME: [u8; 2] = [12, 0];
const TEXT: [u8; 2] = [0xFD, 0];

/// What waiting for rows is called when it takes too long.
const WAITING: &str = "waiting for the next rows";

/// Most rows that are put in order here, which takes all of them in memory at once.
const MOST_UNSORTED: usize = 2_000_000;

/// The connections of this client, and whether it is of use with this server.
pub(super) struct FastClient {
    kept: Kept<Wire>,
    is_unsupported: AtomicBool,
    /// Whether rows are put in order here instead of in the server.
    sorts_here: AtomicBool,
}

impl FastClient {
    pub(super) fn new(connections: usize) -> Self {
        Self { kept: Kept::new(connections), is_unsupported: AtomicBool::new(false), sorts_here: AtomicBool::new(false) }
    }

    /// Gives up a connection that is not used.
    pub(super) fn drop_idle(&self) {
        drop(self.kept.take());
    }

    pub(super) fn close(&self) {
        drop(self.kept.close());
    }
}

impl MySqlServer {
    /// Whether a fetch from this table can bring digests.
    pub(in crate::source) fn counts_on_the_way(&self, plan: &TablePlan) -> bool {
        !self.fast.is_unsupported.load(Ordering::Relaxed) && is_countable(plan)
    }

    /// Looks whether the server would have to sort rows that are soon sorted here.
    ///
    /// A table whose primary key begins with the symbol gives them in order as it is. Any other it reads from end to end when many
    /// symbols are asked for, and sorting takes it as long as reading; a big one is left to it for the memory.
    pub(super) async fn look_at_size(&self, plan: &TablePlan) -> Result<(), SourceError> {
        let sql = "SELECT CAST(table_rows AS SIGNED), (SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() \
                   AND table_name = ? AND index_name = 'PRIMARY' AND seq_in_index = 1 AND column_name = ?) \
                   FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND table_type = 'BASE TABLE'";
        let (table, symbol) = (plan.table.name.as_str(), plan.columns.get(ColumnRole::Symbol).unwrap_or_default());
        let found = self.rows(sql.to_owned(), &[table, symbol, table], "looking at the table's size").await?;
        let sorts_here = found.first().is_some_and(|row| {
            let number = |column: usize| row.try_get_unchecked::<Option<i64>, _>(column).ok().flatten();
            number(0).and_then(|rows| usize::try_from(rows).ok()).is_some_and(|rows| rows <= MOST_UNSORTED) && number(1) == Some(0)
        });
        self.fast.sorts_here.store(sorts_here, Ordering::Relaxed);
        Ok(())
    }

    /// Reads the symbols of one statement. `None` when that is left to the general client; `false` when nobody listens any more.
    pub(super) async fn fetch_fast(
        &self,
        plan: &TablePlan,
        symbols: &[Symbol],
        request: &FetchRequest,
        out: &Outlet,
    ) -> Result<Option<bool>, SourceError> {
        if self.fast.is_unsupported.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut wire = match self.wire().await? {
            Ok(wire) => wire,
            Err(error) => return self.failed(error, CONNECTING),
        };
        let in_order = !self.fast.sorts_here.load(Ordering::Relaxed);
        let asking = async {
            let (statement, columns) = ask(&mut wire, plan, symbols, request, in_order).await?;
            let collector = if in_order { Collector::new } else { Collector::unsorted }(symbols, &plan.columns, request.range);
            let digest = request.digest.as_ref().filter(|_| is_countable(plan));
            let counting = digest.and_then(|digest| Counting::new(plan, symbols, digest, &columns));
            Ok((statement, Rows::new(plan, &columns, collector, counting, in_order)?))
        };
        let (statement, mut rows) = match in_time(self.query_timeout, WAITING, &self.url, asking).await? {
            Ok(rows) => rows,
            Err(error) => return self.failed(error, READING),
        };
        loop {
            while let Some(packet) = wire.arrived().map_err(|error| self.explain_wire(&error, READING))? {
                match packet {
                    [0, row @ ..] => rows.row(row).map_err(|error| self.explain_wire(&error, READING))?,
                    [0xFE, ..] if packet.len() < 9 => {
                        // Nothing is answered to that.
                        if wire.command(CLOSE, &[&statement.to_le_bytes()]).await.is_ok() {
                            self.fast.kept.give_back(wire);
                        }
                        return send_all(rows.finish(), out).await.map(Some);
                    }
                    packet => {
                        let error = told_error(packet).unwrap_or_else(|| WireError::Protocol("a row of an unknown kind".to_owned()));
                        return Err(self.explain_wire(&error, READING));
                    }
                }
                if !in_order && rows.count() > MOST_UNSORTED {
                    // The server was wrong about the size. Nothing was sent so far.
                    self.fast.sorts_here.store(false, Ordering::Relaxed);
                    return Ok(None);
                }
                if rows.has_ready() && !send_all(rows.take_ready(), out).await? {
                    return Ok(Some(false));
                }
            }
            if rows.count() > 0 {
                out.row_came();
            }
            tokio::task::consume_budget().await;
            if !wire.read_some().map_err(|error| self.explain_wire(&error, READING))? {
                let waiting = in_time(self.query_timeout, WAITING, &self.url, wire.readable());
                waiting.await?.map_err(|error| self.explain_wire(&error, READING))?;
            }
        }
    }

    /// A connection for whoever has a permit. The inner error is not yet explained.
    async fn wire(&self) -> Result<Result<Wire, WireError>, SourceError> {
        while let Some(mut wire) = self.fast.kept.take() {
            if matches!(tokio::time::timeout(self.connect_timeout, ping(&mut wire)).await, Ok(Ok(()))) {
                return Ok(Ok(wire));
            }
        }
        // So that there are never more connections than permits.
        if let Some(connection) = self.kept.take() {
            drop(tokio::time::timeout(Duration::from_secs(1), connection.close()).await);
        }
        in_time(self.connect_timeout, CONNECTING, &self.url, log_in(&self.url)).await
    }

    /// What to do about an error before the first row: `None` for asking the general client, which explains what it meets.
    fn failed(&self, error: WireError, doing: &str) -> Result<Option<bool>, SourceError> {
        match error {
            WireError::Unsupported(_) => {
                tracing::debug!("{error}");
                self.fast.is_unsupported.store(true, Ordering::Relaxed);
                Ok(None)
            }
            WireError::NotNow(_) | WireError::Encryption(_) => {
                tracing::debug!("{error}");
                Ok(None)
            }
            error => Err(self.explain_wire(&error, doing)),
        }
    }

    /// Explains an error as if the general client had met it.
    fn explain_wire(&self, error: &WireError, doing: &str) -> SourceError {
        let as_general = match error {
            WireError::Server { number, message } => {
                return self
                    .explain_number(*number, message, doing)
                    .unwrap_or_else(|| server::query_failed(&self.url, doing, message).without(self.url.password()));
            }
            WireError::Io(error) => sqlx::Error::Io(std::io::Error::new(error.kind(), error.to_string())),
            error => sqlx::Error::Protocol(error.to_string()),
        };
        self.explain(&as_general, doing)
    }
}

/// Prepares and executes the statement that reads bars; what it is called, and the columns of its rows.
async fn ask(
    wire: &mut Wire,
    plan: &TablePlan,
    symbols: &[Symbol],
    request: &FetchRequest,
    in_order: bool,
) -> Result<(u32, Vec<Column>), WireError> {
    let (start, end) = bounds(plan.dates, &request.range);
    let sql = bars_query(plan, asked_count(plan, symbols), start.is_some(), end.is_some(), Sent { as_stored: true, in_order });
    wire.command(PREPARE, &[sql.as_bytes()]).await?;
    let mut prepared = Cursor(sound(wire.packet().await?)?);
    prepared.byte()?;
    let statement = prepared.u32()?;
    let columns = prepared.u16()?;
    let asked = prepared.u16()?;
    for definitions in [asked, columns] {
        skip_definitions(wire, definitions).await?;
    }
    wire.command(EXECUTE, &[&statement.to_le_bytes(), &[0], &1_u32.to_le_bytes(), &parameters(plan, symbols, start, end)]).await?;
    let mut answer = Cursor(sound(wire.packet().await?)?);
    let count = answer.length()?;
    let mut columns = Vec::with_capacity(count.min(16));
    for _ in 0..count {
        columns.push(Column::read(sound(wire.packet().await?)?)?);
    }
    wire.packet().await?;
    Ok((statement, columns))
}

/// Definitions, with a packet behind them that says they are over.
async fn skip_definitions(wire: &mut Wire, count: u16) -> Result<(), WireError> {
    if count > 0 {
        for _ in 0..=count {
            sound(wire.packet().await?)?;
        }
    }
    Ok(())
}

/// Symbols and limits as a statement takes them: which are missing (none), types, values.
fn parameters(plan: &TablePlan, symbols: &[Symbol], start: Option<Bound>, end: Option<Bound>) -> Vec<u8> {
    let (mut types, mut values) = (Vec::new(), Vec::new());
    for symbol in symbols {
        if !plan.symbol_is_number {
            types.extend(TEXT);
            put_counted(&mut values, symbol.as_str().as_bytes());
        } else if let Ok(number) = symbol.as_str().parse::<i64>() {
            types.extend(LONG_LONG);
            values.extend(number.to_le_bytes());
        }
    }
    for bound in start.into_iter().chain(end) {
        match bound {
            Bound::Date(day) => {
                types.extend(DATE);
                put_day(&mut values, day);
            }
            Bound::DateTime(time) => {
                // Limits are midnights.
                types.extend(DATE_TIME);
                put_day(&mut values, time.date());
            }
            Bound::Text(text) => {
                types.extend(TEXT);
                put_counted(&mut values, text.as_bytes());
            }
            Bound::Number(number) => {
                types.extend(LONG_LONG);
                values.extend(number.to_le_bytes());
            }
        }
    }
    let mut parameters = vec![0; (types.len() / 2).div_ceil(8)];
    parameters.push(1);
    parameters.extend(types);
    parameters.extend(values);
    parameters
}

fn put_day(out: &mut Vec<u8>, day: NaiveDate) {
    let [low, high] = u16::try_from(day.year()).unwrap_or_default().to_le_bytes();
    out.extend([4, low, high, day.month() as u8, day.day() as u8]);
}
