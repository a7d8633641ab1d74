//! What queries to the source in use come to, told as they end: so the window knows whether it answers without asking.
//!
//! Contract: nothing is asked for its own sake, except one short question right after a connection was made. The command line,
//! which shows no such thing, is told nothing and asks nothing.

use super::event::JobEvent;
use super::service::Service;
use crate::preheat::Waiting;
use crate::source::{Source, SourceError, SourceId, SourceUrl};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A source that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// How long a short question took, there and back.
    pub ping: Duration,
    /// Whether the database itself refuses to write in our sessions.
    pub is_read_only: bool,
}

/// What a query to a source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceContact {
    /// Which source.
    pub source: SourceId,
    /// When.
    pub at_us: i64,
    /// That it answered, or why not.
    pub outcome: Result<Reached, String>,
}

/// Tells what came of connecting; a connected source is asked one short question, beside whatever it is wanted for.
pub(super) fn tell(service: &Arc<Service>, url: &SourceUrl, connected: &Result<Source, SourceError>) {
    match connected {
        Ok(source) => ask(service, url.id(), source.clone()),
        Err(error) => tell_failure(service, &url.id(), error.to_string()),
    }
}

pub(super) fn tell_failure(service: &Arc<Service>, source: &SourceId, reason: String) {
    put(service, SourceContact { source: source.clone(), at_us: service.context.clock.now_us(), outcome: Err(reason) });
}

fn put(service: &Arc<Service>, contact: SourceContact) {
    if service.context.snapshots {
        let reporter = service.reporter.clone();
        tokio::spawn(async move { reporter.send(JobEvent::Contact(contact)).await });
    }
}

fn ask(service: &Arc<Service>, id: SourceId, source: Source) {
    if !service.context.snapshots {
        return;
    }
    let service = Arc::clone(service);
    tokio::spawn(async move {
        let began = Instant::now();
        match source.is_read_only().await {
            Ok(is_read_only) => {
                let outcome = Ok(Reached { ping: began.elapsed(), is_read_only });
                put(&service, SourceContact { source: id, at_us: service.context.clock.now_us(), outcome });
            }
            // A job that ended meanwhile has closed the connection; if something is wrong, its own queries tell.
            Err(error) => tracing::debug!(%error, "the source did not answer a short question"),
        }
    });
}

/// Follows a job: tells once when its source is lost, and asks again once it is back.
pub(super) struct Watch {
    service: Arc<Service>,
    id: SourceId,
    source: Option<Source>,
    runtime: tokio::runtime::Handle,
    is_lost: AtomicBool,
}

impl Watch {
    pub(super) fn new(service: &Arc<Service>, id: SourceId, source: Option<Source>) -> Self {
        Self { service: Arc::clone(service), id, source, runtime: tokio::runtime::Handle::current(), is_lost: AtomicBool::new(false) }
    }

    pub(super) fn look(&self, waiting: Option<&Waiting>) {
        let waiting = waiting.filter(|waiting| waiting.for_source);
        let was_lost = self.is_lost.swap(waiting.is_some(), Ordering::Relaxed);
        // The job's steps are told from threads of its own.
        let _entered = self.runtime.enter();
        match (waiting, &self.source) {
            (Some(waiting), _) if !was_lost => tell_failure(&self.service, &self.id, waiting.reason.clone()),
            (None, Some(source)) if was_lost => ask(&self.service, self.id.clone(), source.clone()),
            _ => {}
        }
    }
}
