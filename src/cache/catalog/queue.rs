//! The writing queue: one thread owns the writing connection, and what waits for it is committed together.
//!
//! Every request runs once, in a savepoint of its own, so that one that fails takes no other with it; then all are committed by
//! one durable transaction, then all are answered. Nobody is answered "done" before the commit is on the disk.

use crate::cache::error::is_no_room;
use rusqlite::{Connection, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};

/// Most requests in one transaction: others may want to write, too.
const MOST_IN_ONE: usize = 256;

/// Why a request was not written.
#[derive(Debug, Clone)]
pub(super) enum WriteFailure {
    /// SQLite refused it.
    Database {
        /// In SQLite's words.
        reason: String,
        /// Whether the file is no healthy database any more.
        damage: bool,
    },
    /// There is no room on the disk.
    Full,
    /// Another process holds the writing lock for too long.
    Busy,
    /// The queue is closed, or the request panicked.
    Broken(&'static str),
}

impl From<rusqlite::Error> for WriteFailure {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Self::Busy,
            _ if is_no_room(&error) => Self::Full,
            _ => Self::Database { damage: super::is_damage(&error), reason: error.to_string() },
        }
    }
}

/// A request of any result, as the thread sees it.
trait Request: Send {
    /// Does the work once and keeps its result.
    fn run(&mut self, connection: &Connection) -> Result<(), WriteFailure>;
    /// Tells who waits.
    fn answer(self: Box<Self>, outcome: Result<(), WriteFailure>);
}

struct Waiting<T, F> {
    work: Option<F>,
    value: Option<T>,
    answer: SyncSender<Result<T, WriteFailure>>,
}

impl<T: Send, F: FnOnce(&Connection) -> rusqlite::Result<T> + Send> Request for Waiting<T, F> {
    fn run(&mut self, connection: &Connection) -> Result<(), WriteFailure> {
        let work = self.work.take().ok_or(WriteFailure::Broken("a request was to run twice"))?;
        self.value = Some(work(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), WriteFailure>) {
        let Self { value, answer, .. } = *self;
        if answer.send(outcome.and_then(|()| value.ok_or(WriteFailure::Broken("a request had no result")))).is_err() {
            tracing::debug!("nobody waited for what was written");
        }
    }
}

/// A request that was run, and how that went; whether it was committed is another question.
type Done = (Box<dyn Request>, Result<(), WriteFailure>);

/// The way to the writing thread.
#[derive(Debug)]
pub(super) struct Queue {
    requests: Mutex<Option<Sender<Box<dyn Request>>>>,
    thread: Option<JoinHandle<()>>,
    thread_id: ThreadId,
}

impl Queue {
    /// Starts the thread. `check` runs before (`true`) and after (`false`) every transaction and may refuse it; `at_end` gets the
    /// connection back when the queue is closed, and whether anything was written.
    pub(super) fn start(
        connection: Connection,
        check: impl FnMut(bool) -> Result<(), String> + Send + 'static,
        at_end: impl FnOnce(Connection, bool) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (requests, waiting) = channel();
        let thread = std::thread::Builder::new().name("catalog".to_owned()).spawn(move || work_off(connection, &waiting, check, at_end))?;
        Ok(Self { requests: Mutex::new(Some(requests)), thread_id: thread.thread().id(), thread: Some(thread) })
    }

    /// Runs `work` in a transaction and returns once that is durable.
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, WriteFailure> {
        if std::thread::current().id() == self.thread_id {
            return Err(WriteFailure::Broken("a request cannot wait for another one"));
        }
        let (answer, answered) = sync_channel(1);
        let request: Box<dyn Request> = Box::new(Waiting { work: Some(work), value: None, answer });
        let closed = WriteFailure::Broken("it is being closed");
        match &*self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(requests) => requests.send(request).map_err(|_gone| closed.clone())?,
            None => return Err(closed),
        }
        answered.recv().map_err(|_gone| closed)?
    }
}

impl Drop for Queue {
    /// Works off what still waits, then ends the thread.
    fn drop(&mut self) {
        drop(self.requests.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.take()
            && std::thread::current().id() != self.thread_id
            && thread.join().is_err()
        {
            tracing::error!("the catalog's writing thread panicked");
        }
    }
}

fn work_off(
    mut connection: Connection,
    waiting: &Receiver<Box<dyn Request>>,
    mut check: impl FnMut(bool) -> Result<(), String>,
    at_end: impl FnOnce(Connection, bool),
) {
    let mut has_written = false;
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(MOST_IN_ONE - 1));
        if let Err(reason) = check(true) {
            let failure = WriteFailure::Database { reason, damage: false };
            batch.into_iter().for_each(|request| request.answer(Err(failure.clone())));
            continue;
        }
        has_written = true;
        run_batch(&mut connection, batch, &mut check);
    }
    at_end(connection, has_written);
}

/// Runs requests in as few transactions as possible: one, unless SQLite itself rolled back in the middle (full disk).
fn run_batch(connection: &mut Connection, batch: Vec<Box<dyn Request>>, check: &mut impl FnMut(bool) -> Result<(), String>) {
    let mut batch = batch.into_iter().peekable();
    while batch.peek().is_some() {
        let mut done: Vec<Done> = Vec::new();
        let committed = run_transaction(connection, &mut batch, &mut done)
            .and_then(|()| check(false).map_err(|reason| WriteFailure::Database { reason, damage: false }));
        for (request, own) in done {
            request.answer(own.and_then(|()| committed.clone()));
        }
        if let Err(failure) = committed
            && matches!(failure, WriteFailure::Busy)
        {
            // Whoever waits has waited long enough; the others would wait as long again, one after the other.
            batch.by_ref().for_each(|request| request.answer(Err(failure.clone())));
        }
    }
}

fn run_transaction(
    connection: &mut Connection,
    batch: &mut impl Iterator<Item = Box<dyn Request>>,
    done: &mut Vec<Done>,
) -> Result<(), WriteFailure> {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            let failure = WriteFailure::from(error);
            done.extend(batch.map(|request| (request, Err(failure.clone()))));
            return Err(failure);
        }
    };
    for mut request in batch {
        let outcome = in_savepoint(&transaction, request.as_mut());
        let failure = outcome.as_ref().err().cloned();
        done.push((request, outcome));
        // On some errors SQLite rolls everything back, what other requests did included.
        if transaction.is_autocommit() {
            return Err(failure.unwrap_or(WriteFailure::Broken("the transaction was rolled back")));
        }
    }
    transaction.commit().map_err(WriteFailure::from)
}

fn in_savepoint(connection: &Connection, request: &mut dyn Request) -> Result<(), WriteFailure> {
    connection.execute_batch("SAVEPOINT request")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| request.run(connection)))
        .unwrap_or(Err(WriteFailure::Broken("the program made a mistake while writing; what it began was taken back")));
    if connection.is_autocommit() {
        return outcome.and(Err(WriteFailure::Broken("the transaction was rolled back")));
    }
    let end = if outcome.is_ok() { "RELEASE request" } else { "ROLLBACK TO request; RELEASE request" };
    let ended = connection.execute_batch(end).map_err(WriteFailure::from);
    outcome.and(ended)
}
