//! Waiting for what is out of order to get better: a source that cannot be reached, a disk that is full.
//!
//! Waits grow and are jittered, so that many preheats that lost the same server do not come back to it all at once; only one
//! connection of a preheat tries, the others wait for it.

use std::time::Duration;

/// The first wait for a source that cannot be reached.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait between two attempts of a running preheat.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The first wait before a failed symbol is tried again by itself.
const FIRST_RETRY_US: i64 = 60 * 1_000_000;
/// The longest such wait.
const LONGEST_RETRY_US: i64 = 6 * 3_600 * 1_000_000;

/// What a running preheat waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// What is out of order and what to do.
    pub reason: String,
    /// Whether it is the source; else it is the disk.
    pub for_source: bool,
    /// Attempts made so far.
    pub attempts: u32,
    /// When the next attempt is made, by the cache's clock.
    pub next_attempt_us: i64,
}

/// How long to wait before the attempt after this many failed ones, ±25 % by `jitter` in 0…1.
#[must_use]
pub fn wait_before(attempts: u32, jitter: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    doubled.mul_f64(0.75 + 0.5 * jitter.clamp(0.0, 1.0))
}

/// When a symbol that failed this many times in a row is tried again without being asked: after 1, 2, 4 … minutes, at most
/// 6 hours, ±25 % by `jitter` in 0…1.
#[must_use]
pub fn next_attempt_us(now_us: i64, attempts: u32, jitter: f64) -> i64 {
    let doubled = FIRST_RETRY_US.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_RETRY_US);
    let jittered = doubled as f64 * (0.75 + 0.5 * jitter.clamp(0.0, 1.0));
    now_us.saturating_add(jittered as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_are_jittered() {
        assert_eq!(wait_before(1, 0.5), FIRST_WAIT);
        assert_eq!(wait_before(3, 0.5), FIRST_WAIT * 4);
        assert_eq!(wait_before(60, 0.5), LONGEST_WAIT);
        assert!(wait_before(60, 1.0) > wait_before(60, 0.0));
        assert_eq!(next_attempt_us(0, 1, 0.5), FIRST_RETRY_US);
        assert_eq!(next_attempt_us(7, 40, 0.5), 7 + LONGEST_RETRY_US);
    }
}
