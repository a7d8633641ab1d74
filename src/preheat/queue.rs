//! What is still to be asked of the source, taken by whichever connection is free.
//!
//! Contract: a symbol is in the queue, on its way, or done. The connections end once every symbol is done, so a symbol that has
//! to be fetched again can come back from any later stage.

use super::ask::{Asked, Cut};
use super::plan::PlanItem;
use crate::cache::Lease;
use crate::market::DateRange;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// A symbol on its way through the pipeline.
#[derive(Debug)]
pub(super) struct Task {
    /// What was planned.
    pub item: PlanItem,
    /// What was decided; `None` before the source was asked, or when it could not say.
    pub asked: Option<Asked>,
    /// Where its days are cut.
    pub cut: Cut,
    /// Whether everything has to be fetched, whatever the source says has changed.
    pub whole: bool,
    /// Whether the source has to be asked what it has first: what it has could not be told from the rows as they came.
    pub ask_first: bool,
    /// Whether only its newest days were looked at; what is further back was taken to be as it was.
    pub is_recent: bool,
    /// How often the source delivered less than it had announced.
    pub short_deliveries: u32,
    /// How often a request with it broke off or was not answered in time.
    pub interruptions: u32,
    /// What fetching it took, in microseconds.
    pub fetch_us: u64,
    /// The right to write it; taken when it is begun.
    pub lease: Option<Arc<Lease>>,
    /// Since when somebody else has that right.
    pub refused_since: Option<Instant>,
}

impl Task {
    pub(super) fn new(item: PlanItem, cut: Cut, whole: bool) -> Self {
        Self {
            item,
            asked: None,
            cut,
            whole,
            ask_first: false,
            is_recent: false,
            short_deliveries: 0,
            interruptions: 0,
            fetch_us: 0,
            lease: None,
            refused_since: None,
        }
    }
}

/// One thing to ask the source.
#[derive(Debug)]
pub(super) enum Request {
    /// What it has of these symbols: all of one range and cut.
    Check(DateRange, Cut, Vec<Task>),
    /// The newest days of these symbols, some of them cached.
    Recent(DateRange, Vec<Task>),
    /// These days of these symbols. The last part completes them.
    Fetch(Vec<DateRange>, Vec<Task>),
}

impl Request {
    pub(super) fn into_tasks(self) -> Vec<Task> {
        match self {
            Self::Check(_, _, tasks) | Self::Recent(_, tasks) | Self::Fetch(_, tasks) => tasks,
        }
    }

    pub(super) fn tasks(&self) -> &[Task] {
        match self {
            Self::Check(_, _, tasks) | Self::Recent(_, tasks) | Self::Fetch(_, tasks) => tasks,
        }
    }

    pub(super) fn tasks_mut(&mut self) -> &mut [Task] {
        match self {
            Self::Check(_, _, tasks) | Self::Recent(_, tasks) | Self::Fetch(_, tasks) => tasks,
        }
    }
}

/// Requests in order, and how many symbols are not done.
#[derive(Debug, Default)]
pub(super) struct Queue {
    requests: Mutex<VecDeque<Request>>,
    open: AtomicUsize,
    changed: Notify,
}

impl Queue {
    /// These requests, and `others` symbols that are on their way without one.
    pub(super) fn new(requests: VecDeque<Request>, others: usize) -> Self {
        let open = requests.iter().map(|request| request.tasks().len());
        Self { open: AtomicUsize::new(open.sum::<usize>() + others), requests: Mutex::new(requests), changed: Notify::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts requests in front of all others, in their order; their symbols are on their way already.
    pub(super) fn put_first(&self, requests: Vec<Request>) {
        let mut queue = self.lock();
        for request in requests.into_iter().rev() {
            queue.push_front(request);
        }
        drop(queue);
        self.changed.notify_waiters();
    }

    /// Puts a request behind all others; its symbols are on their way already.
    pub(super) fn put_last(&self, request: Request) {
        self.lock().push_back(request);
        self.changed.notify_waiters();
    }

    /// Puts a check of one symbol behind all others, together with those of the same days that wait there for one already.
    pub(super) fn join_check(&self, range: DateRange, task: Task, most_together: usize) {
        let mut queue = self.lock();
        match queue.back_mut() {
            Some(Request::Check(of_range, cut, tasks)) if (*of_range, *cut) == (range, task.cut) && tasks.len() < most_together => {
                tasks.push(task);
            }
            _ => queue.push_back(Request::Check(range, task.cut, vec![task])),
        }
        drop(queue);
        self.changed.notify_waiters();
    }

    /// Symbols are done.
    pub(super) fn done(&self, symbols: usize) {
        self.open.fetch_sub(symbols, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// The next request; waits while there is none but symbols are still on their way. `None` once all are done.
    pub(super) async fn next(&self) -> Option<Request> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Enlisted before looking, so that a change in between is not missed.
            changed.as_mut().enable();
            if let Some(request) = self.lock().pop_front() {
                return Some(request);
            }
            if self.open.load(Ordering::SeqCst) == 0 {
                return None;
            }
            changed.await;
        }
    }
}
