//! Preheats in a row: one runs, the others wait in an order that can be changed.
//!
//! Not what a preheat does ([`super::preheating`]). Contract: a job is about the source that was in use when it was asked for;
//! its events come in the order queued, planning, …, finished, and finished comes for every one that was queued.

use super::event::{JobEvent, JobId, JobOutcome, PreheatOrder, Turn};
use super::preheating::run;
use super::service::Service;
use crate::preheat::{Control, PreheatReport, RunState};
use crate::source::SourceUrl;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// Longest wait for jobs to end when the program does.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);

/// A preheat that waits for its turn.
struct Ticket {
    id: JobId,
    order: PreheatOrder,
    url: Option<SourceUrl>,
    control: Arc<Control>,
    /// Answered once the front end was told that it waits.
    announced: oneshot::Receiver<()>,
}

/// The preheats that run or wait.
#[derive(Clone)]
pub(super) struct Queue {
    service: Arc<Service>,
    line: Arc<Mutex<VecDeque<Ticket>>>,
    controls: Arc<Mutex<BTreeMap<JobId, Arc<Control>>>>,
    /// Told when the line is longer than it was.
    longer: Arc<Notify>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// An empty line, worked off from now on.
    pub(super) fn new(service: Arc<Service>) -> Self {
        let queue = Self { service, line: Arc::default(), controls: Arc::default(), longer: Arc::default() };
        tokio::spawn(queue.clone().work_off());
        queue
    }

    /// Takes a preheat; it begins once those before it have ended.
    pub(super) fn add(&self, id: JobId, order: PreheatOrder) {
        let control = Arc::new(Control::paced(Arc::clone(&self.service.pace)));
        locked(&self.controls).insert(id, Arc::clone(&control));
        let (told, announced) = oneshot::channel();
        let title = order.title.clone();
        let url = self.service.configuration().source;
        locked(&self.line).push_back(Ticket { id, order, url, control, announced });
        let service = Arc::clone(&self.service);
        tokio::spawn(async move {
            service.reporter.send(JobEvent::Queued { id, title }).await;
            // Nobody listens any more when the worker has ended.
            let _worker_ended = told.send(());
        });
        self.longer.notify_one();
    }

    async fn work_off(self) {
        loop {
            let next = locked(&self.line).pop_front();
            match next {
                Some(ticket) => self.serve(ticket).await,
                None => self.longer.notified().await,
            }
        }
    }

    /// Runs one preheat to its end.
    async fn serve(&self, ticket: Ticket) {
        let Ticket { id, order, url, control, announced } = ticket;
        // However this ends, the job is over for those who wait for it.
        let _registered = Registered { id, controls: Arc::clone(&self.controls) };
        let _announced = announced.await;
        let service = Arc::clone(&self.service);
        let outcome = if control.is_cancelled() {
            cancelled()
        } else {
            service.reporter.send(JobEvent::Planning { id }).await;
            let running = Arc::clone(&service);
            tokio::spawn(async move { run(&running, id, order, url, &control).await }).await.unwrap_or_else(|error| {
                tracing::error!(%error, "a preheat stopped unexpectedly");
                JobOutcome::Failed("it stopped unexpectedly; please report this".to_owned())
            })
        };
        service.mark_dirty();
        service.reporter.send(JobEvent::Finished { id, outcome }).await;
    }

    /// Whether no preheat runs or waits.
    pub(super) fn is_idle(&self) -> bool {
        locked(&self.controls).is_empty()
    }

    /// Whether a preheat runs or waits.
    pub(super) fn has(&self, id: JobId) -> bool {
        locked(&self.controls).contains_key(&id)
    }

    /// Gives a waiting preheat another turn, and tells of the order.
    pub(super) fn turn(&self, id: JobId, turn: Turn) {
        let order: Vec<JobId> = {
            let mut line = locked(&self.line);
            if let Some(place) = line.iter().position(|ticket| ticket.id == id) {
                let wanted = match turn {
                    Turn::Next => 0,
                    Turn::Earlier => place.saturating_sub(1),
                    Turn::Later => (place + 1).min(line.len().saturating_sub(1)),
                };
                if let Some(ticket) = line.remove(place) {
                    line.insert(wanted, ticket);
                }
            }
            line.iter().map(|ticket| ticket.id).collect()
        };
        let service = Arc::clone(&self.service);
        tokio::spawn(async move { service.reporter.send(JobEvent::Waiting(order)).await });
    }

    /// Pauses, resumes or cancels a preheat. One that waits and is cancelled leaves the line at once.
    pub(super) fn control(&self, id: JobId, state: RunState) {
        let control = locked(&self.controls).get(&id).cloned();
        let Some(control) = control else { return };
        match state {
            RunState::Running => control.resume(),
            RunState::Paused => control.pause(),
            RunState::Cancelled => control.cancel(),
        }
        let left = if state == RunState::Cancelled {
            let mut line = locked(&self.line);
            let place = line.iter().position(|ticket| ticket.id == id);
            place.and_then(|place| line.remove(place))
        } else {
            None
        };
        let (service, state) = (Arc::clone(&self.service), control.state());
        let queue = self.clone();
        tokio::spawn(async move {
            service.reporter.send(JobEvent::StateChanged { id, state }).await;
            if let Some(ticket) = left {
                queue.serve(ticket).await;
            }
        });
    }

    /// Cancels everything and waits until the last one has ended.
    pub(super) async fn cancel_all(&self) {
        for control in locked(&self.controls).values() {
            control.cancel();
        }
        let all_over = async {
            while !self.is_idle() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(LONGEST_FAREWELL, all_over).await.is_err() {
            tracing::warn!("a job did not end in time; what it had committed is safe");
        }
    }
}

fn cancelled() -> JobOutcome {
    JobOutcome::Preheated(Box::new(PreheatReport { cancelled: true, ..PreheatReport::default() }))
}

/// A job's place among those that run or wait; given up when dropped.
struct Registered {
    id: JobId,
    controls: Arc<Mutex<BTreeMap<JobId, Arc<Control>>>>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        locked(&self.controls).remove(&self.id);
    }
}
