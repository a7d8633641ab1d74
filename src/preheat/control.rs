//! Pause, resume and cancel, seen by every thread of a job.

use std::sync::{Condvar, Mutex, PoisonError};

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

/// The switch of one job. Share it by `Arc`.
#[derive(Debug, Default)]
pub struct Control {
    state: Mutex<RunState>,
    changed: Condvar,
}

impl Control {
    fn set(&self, next: RunState) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A cancelled job stays cancelled.
        if *state != RunState::Cancelled {
            *state = next;
        }
        self.changed.notify_all();
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
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the job was told to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state() == RunState::Cancelled
    }

    /// Waits while paused. Returns whether to go on. Blocks its thread.
    pub fn proceed(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while *state == RunState::Paused {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        *state == RunState::Running
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

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
}
