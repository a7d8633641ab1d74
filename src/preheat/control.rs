//! Pause, resume and cancel, seen by every thread of a job.

use super::pace::Pace;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What a job is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunState {
    /// Go on.
    #[default]
    Running,
    /// Wait until told otherwise; what is under way is finished first.
    Paused,
    /// Stop as soon as what is under way is safe; finished symbols stay.
    Cancelled,
}

#[derive(Debug, Default)]
struct Switch {
    state: RunState,
    paused_since: Option<Instant>,
    paused: Duration,
}

/// The switch of one job. Share it by `Arc`.
#[derive(Debug, Default)]
pub struct Control {
    switch: Mutex<Switch>,
    changed: Condvar,
    cancelled: Notify,
    /// How fast it may go, where that is limited.
    pace: Option<Arc<Pace>>,
}

impl Control {
    /// A switch for a job that keeps to a pace.
    #[must_use]
    pub fn paced(pace: Arc<Pace>) -> Self {
        Self { pace: Some(pace), ..Self::default() }
    }

    /// So many rows came: rests for as long as the pace asks for.
    pub async fn rest(&self, rows: u64) {
        if let Some(pace) = &self.pace {
            pace.rest(rows).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Switch> {
        self.switch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, next: RunState) {
        let mut switch = self.lock();
        // A cancelled job stays cancelled.
        if switch.state != RunState::Cancelled {
            if let Some(since) = switch.paused_since.take() {
                switch.paused += since.elapsed();
            }
            switch.paused_since = (next == RunState::Paused).then(Instant::now);
            switch.state = next;
        }
        drop(switch);
        self.changed.notify_all();
        if next == RunState::Cancelled {
            self.cancelled.notify_waiters();
        }
    }

    /// Makes the job wait.
    pub fn pause(&self) {
        self.set(RunState::Paused);
    }

    /// Makes a waiting job go on.
    pub fn resume(&self) {
        self.set(RunState::Running);
    }

    /// Makes the job stop.
    pub fn cancel(&self) {
        self.set(RunState::Cancelled);
    }

    /// What the job is told at the moment.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.lock().state
    }

    /// Whether the job was told to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state() == RunState::Cancelled
    }

    /// How long the job has been paused altogether.
    #[must_use]
    pub fn paused(&self) -> Duration {
        let switch = self.lock();
        switch.paused + switch.paused_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits until the job is told to stop.
    pub async fn cancelled(&self) {
        loop {
            let told = self.cancelled.notified();
            tokio::pin!(told);
            // Enlisted before looking, so that a cancel in between is not missed.
            told.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            told.await;
        }
    }

    /// Waits while paused. Returns whether to go on. Blocks its thread.
    pub fn proceed(&self) -> bool {
        let mut switch = self.lock();
        while switch.state == RunState::Paused {
            switch = self.changed.wait(switch).unwrap_or_else(PoisonError::into_inner);
        }
        switch.state == RunState::Running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_thread_goes_on_when_resumed_and_ends_when_cancelled() {
        let control = Arc::new(Control::default());
        control.pause();
        let waiting = std::thread::spawn({
            let control = Arc::clone(&control);
            move || control.proceed()
        });
        control.resume();
        assert!(waiting.join().expect("thread"));
        control.cancel();
        control.resume();
        assert!(control.is_cancelled() && !control.proceed());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_cancel_hears_of_it_before_and_after() {
        let control = Arc::new(Control::default());
        let waiting = tokio::spawn({
            let control = Arc::clone(&control);
            async move { control.cancelled().await }
        });
        tokio::task::yield_now().await;
        control.cancel();
        waiting.await.expect("told");
        control.cancelled().await;
    }
}
