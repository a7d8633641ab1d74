//! How fast rows may be taken from a source, over all connections of a process.
//!
//! Contract: of rows per second on average from the moment a limit is set, counted as they come; 0 is no limit. Another limit
//! is followed within [`STEP`], by jobs that run, too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest rest before it is looked whether the limit is another.
const STEP: Duration = Duration::from_millis(100);

/// A limit that jobs share. Share it by `Arc`.
#[derive(Debug, Default)]
pub struct Pace {
    rows_per_sec: AtomicU64,
    /// When what has come so far is paid off.
    paid_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// Takes so many rows per second from now on; 0 is as many as come.
    pub fn limit(&self, rows_per_sec: u64) {
        if self.rows_per_sec.swap(rows_per_sec, Ordering::Relaxed) != rows_per_sec {
            *self.paid_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Rows per second; 0 is no limit.
    #[must_use]
    pub fn rows_per_sec(&self) -> u64 {
        self.rows_per_sec.load(Ordering::Relaxed)
    }

    /// So many rows came: how long until as many are allowed again, from `now` on.
    fn owe(&self, rows: u64, now: Instant) -> Option<Instant> {
        let limit = self.rows_per_sec();
        if limit == 0 {
            return None;
        }
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        let from = paid_at.map_or(now, |at| at.max(now));
        let at = from + Duration::from_secs_f64(rows as f64 / limit as f64);
        *paid_at = Some(at);
        Some(at)
    }

    /// Rests for as long as these rows are worth.
    pub async fn rest(&self, rows: u64) {
        let limit = self.rows_per_sec();
        let Some(until) = self.owe(rows, Instant::now()) else { return };
        while self.rows_per_sec() == limit {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(STEP)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_faster_than_allowed_is_owed() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert_eq!(pace.owe(1_000, now), None, "no limit");
        pace.limit(100);
        assert_eq!(pace.owe(50, now), Some(now + Duration::from_millis(500)));
        assert_eq!(pace.owe(50, now), Some(now + Duration::from_secs(1)), "shared by all connections");
        // What was not used is not saved up.
        let later = now + Duration::from_secs(10);
        assert_eq!(pace.owe(100, later), Some(later + Duration::from_secs(1)));
        pace.limit(1_000);
        assert_eq!(pace.owe(100, later), Some(later + Duration::from_millis(100)), "a new limit begins anew");
    }

    #[tokio::test]
    async fn whoever_rests_goes_on_when_the_limit_is_lifted() {
        let pace = std::sync::Arc::new(Pace::default());
        pace.limit(1);
        let resting = tokio::spawn({
            let pace = std::sync::Arc::clone(&pace);
            async move { pace.rest(1_000_000).await }
        });
        tokio::task::yield_now().await;
        pace.limit(0);
        resting.await.expect("at once, not in eleven days");
    }
}
