//! What MySQL and PostgreSQL sources share: kept connections, waiting with a limit, and explaining what went wrong.
//!
//! Connections that end a query early are dropped, not kept: draining a big result nobody wants would take as long as
//! reading it. That is the reason for keeping them here instead of in a general pool.

use super::error::{SourceError, SourceErrorKind};
use super::kind::TlsMode;
use super::source_url::SourceUrl;
use futures_util::{FutureExt, Stream, StreamExt};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections that wait for the next query, and the right to use so many at a time.
pub(super) struct Kept<C> {
    idle: Mutex<Vec<C>>,
    permits: Semaphore,
}

impl<C> Kept<C> {
    pub(super) fn new(connections: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), permits: Semaphore::new(connections.max(1)) }
    }

    /// Waits for the right to use a connection.
    pub(super) async fn permit(&self) -> Result<SemaphorePermit<'_>, SourceError> {
        self.permits.acquire().await.map_err(|_| SourceError::plain(SourceErrorKind::Unreachable, "the source was closed"))
    }

    pub(super) fn take(&self) -> Option<C> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(super) fn give_back(&self, connection: C) {
        if !self.permits.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    /// Ends waiting and gives out what is left to be closed.
    pub(super) fn close(&self) -> Vec<C> {
        self.permits.close();
        std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is being done while a connection is made.
pub(super) const CONNECTING: &str = "connecting";

/// What a login found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoginInfo {
    /// Name and version of the server.
    pub(super) version: String,
    /// How the connection is encrypted, if it is.
    pub(super) cipher: Option<String>,
    /// Whether the session refuses to write.
    pub(super) is_read_only: bool,
}

/// Waits for an answer, but not for ever.
pub(super) async fn in_time<T>(wait: Duration, doing: &str, url: &SourceUrl, answer: impl Future<Output = T>) -> Result<T, SourceError> {
    tokio::time::timeout(wait, answer).await.map_err(|_| timed_out(wait, doing, url))
}

/// The next row, waiting no longer than `wait`; a row that is already here costs no timer.
pub(super) async fn next_in_time<S: Stream + Unpin>(rows: &mut S, wait: Duration, url: &SourceUrl) -> Result<Option<S::Item>, SourceError> {
    if let Some(row) = rows.next().now_or_never() {
        return Ok(row);
    }
    in_time(wait, "waiting for the next rows", url, rows.next()).await
}

pub(super) fn timed_out(wait: Duration, doing: &str, url: &SourceUrl) -> SourceError {
    // Before anything was asked, no index can help.
    let hint = if doing == CONNECTING {
        "check that host and port are those of the database and that nothing in between holds the connection up, then try again"
    } else {
        "try again when the server is less busy, or give it an index on symbol and date"
    };
    let message = format!("{} did not answer within {} s while {doing}", url.place(), wait.as_secs_f64().ceil());
    SourceError::new(SourceErrorKind::Timeout, message, hint)
}

pub(super) fn unreachable(url: &SourceUrl, detail: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Unreachable,
        format!("cannot reach {} at {} ({detail})", url.kind().label(), url.place()),
        "check that the server is running, that host and port are right, and that no firewall is in between",
    )
}

/// The connection ended while it was used: by the network, or by a server that stops.
pub(super) fn broke(url: &SourceUrl, doing: &str, detail: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Unreachable,
        format!("the connection to {} broke while {doing} ({detail})", url.place()),
        "check the network and whether the server is still running, then try again",
    )
}

pub(super) fn wrong_password(url: &SourceUrl, detail: &str) -> SourceError {
    let user = url.user().map_or_else(|| "a login without a user name".to_owned(), |user| format!("user \"{user}\""));
    let hint = if url.password().is_some() {
        "check the user name and the password"
    } else {
        "no password was given; enter one, and check the user name"
    };
    SourceError::new(SourceErrorKind::WrongPassword, format!("{} refused {user} ({detail})", url.place()), hint)
}

pub(super) fn unknown_database(url: &SourceUrl) -> SourceError {
    let database = url.database().unwrap_or_default();
    SourceError::new(
        SourceErrorKind::UnknownDatabase,
        format!("{} has no database \"{database}\"", url.place()),
        "check the name of the database; case may count",
    )
}

pub(super) fn not_allowed(url: &SourceUrl, detail: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::NotAllowed,
        format!("{} does not let user \"{}\" read this ({detail})", url.place(), url.user().unwrap_or_default()),
        "grant the user SELECT on the table, or use another user",
    )
}

pub(super) fn query_failed(url: &SourceUrl, doing: &str, detail: &str) -> SourceError {
    SourceError::plain(SourceErrorKind::QueryFailed, format!("{} failed while {doing}: {detail}", url.place()))
}

/// Explains the errors that are the same for every server; those with a number are explained before.
pub(super) fn explain(error: &sqlx::Error, doing: &str, url: &SourceUrl) -> SourceError {
    let explained = match error {
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => unreachable(url, "connection refused"),
        sqlx::Error::Io(error) if doing == CONNECTING => unreachable(url, &error.to_string()),
        sqlx::Error::Io(error) => broke(url, doing, &error.to_string()),
        sqlx::Error::Tls(error) => encryption_failed(url, &error.to_string()),
        sqlx::Error::Configuration(error) => encryption_failed(url, &error.to_string()),
        sqlx::Error::Protocol(detail) => SourceError::new(
            SourceErrorKind::QueryFailed,
            format!("{} does not answer as {} does ({detail})", url.place(), url.kind().label()),
            "check that the port belongs to this kind of database",
        ),
        sqlx::Error::Database(error) => query_failed(url, doing, error.message()),
        other => query_failed(url, doing, &other.to_string()),
    };
    explained.without(url.password())
}

pub(super) fn encryption_failed(url: &SourceUrl, detail: &str) -> SourceError {
    let hint = if url.tls() == TlsMode::Require {
        "switch encryption on at the server, or connect with tls=prefer"
    } else {
        "connect with tls=off if the network can be trusted"
    };
    SourceError::new(SourceErrorKind::Encryption, format!("{} and Samovar could not agree on encryption ({detail})", url.place()), hint)
}
