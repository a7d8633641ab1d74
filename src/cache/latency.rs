//! How long lookups took, counted in classes: small enough to keep per hour and tier, fine enough for percentiles.
//!
//! A class's upper bound is 2^(1/4) times (19 %) the one before, beginning with 1 µs. A percentile is the upper bound of the
//! class it falls into: never under what was measured, and over it by less than 19 %; what took under 1 µs is told as 1 µs.

use serde::Serialize;
use std::time::Duration;

/// Number of classes; the last takes everything over 19 hours.
const CLASSES: usize = 145;
/// Classes per doubling.
const PER_DOUBLING: f64 = 4.0;

/// The class a time falls into: the first whose upper bound is not under it.
#[must_use]
pub(super) fn class_of(elapsed: Duration) -> usize {
    let micros = elapsed.as_nanos() as f64 / 1_000.0;
    if micros <= 1.0 {
        return 0;
    }
    // The logarithm may err in its last digit; the bounds decide.
    let mut class = (PER_DOUBLING * micros.log2()).ceil().max(0.0) as usize;
    while class > 0 && bound_us(class - 1) >= micros {
        class -= 1;
    }
    while bound_us(class) < micros {
        class += 1;
    }
    class.min(CLASSES - 1)
}

/// The upper bound of a class, in microseconds.
#[must_use]
pub(super) fn bound_us(class: usize) -> f64 {
    (class as f64 / PER_DOUBLING).exp2()
}

/// Percentiles of how long lookups took, in microseconds; each at most 19 % over the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the lookups took no longer.
    pub p50_us: f64,
    /// 95 of 100 took no longer.
    pub p95_us: f64,
    /// 99 of 100 took no longer.
    pub p99_us: f64,
}

/// How many lookups fell into each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Histogram([u64; CLASSES]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; CLASSES])
    }
}

impl Histogram {
    /// Adds lookups of one class; classes that are not known count as the slowest.
    pub(super) fn add(&mut self, class: usize, count: u64) {
        if let Some(slot) = self.0.get_mut(class.min(CLASSES - 1)) {
            *slot += count;
        }
    }

    /// The classes that are not empty.
    pub(super) fn classes(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.iter().copied().enumerate().filter(|(_class, count)| *count > 0)
    }

    /// The time that this share (0…1) of the lookups did not exceed; `None` when there were none.
    #[must_use]
    pub(super) fn percentile_us(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        let wanted = ((total as f64 * share).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        self.classes()
            .find(|(_class, count)| {
                seen += count;
                seen >= wanted
            })
            .map(|(class, _count)| bound_us(class))
    }

    /// The usual percentiles; `None` when there were no lookups.
    #[must_use]
    pub(super) fn latency(&self) -> Option<Latency> {
        Some(Latency { p50_us: self.percentile_us(0.5)?, p95_us: self.percentile_us(0.95)?, p99_us: self.percentile_us(0.99)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_doublings_are_bounds_themselves() {
        for doubling in 0..30 {
            let elapsed = Duration::from_micros(1 << doubling);
            assert_eq!(class_of(elapsed), 4 * doubling);
            assert_eq!(class_of(elapsed + Duration::from_nanos(1)), 4 * doubling + 1);
        }
        assert_eq!(class_of(Duration::ZERO), 0);
        assert_eq!(class_of(Duration::MAX), CLASSES - 1);
    }

    #[test]
    fn percentiles_are_ranks_and_not_averages() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.latency(), None);
        histogram.add(class_of(Duration::from_micros(2)), 94);
        histogram.add(class_of(Duration::from_micros(1_024)), 4);
        histogram.add(class_of(Duration::from_micros(1 << 20)), 2);
        let latency = histogram.latency().expect("lookups");
        assert_eq!((latency.p50_us, latency.p95_us, latency.p99_us), (2.0, 1_024.0, 1_048_576.0));
    }

    proptest! {
        #[test]
        fn a_percentile_is_never_under_the_truth_and_under_a_fifth_over_it(mut nanos in prop::collection::vec(1_000_u64..10_000_000_000, 1..200), share in 0.01_f64..1.0) {
            let mut histogram = Histogram::default();
            for elapsed in &nanos {
                histogram.add(class_of(Duration::from_nanos(*elapsed)), 1);
            }
            nanos.sort_unstable();
            let rank = ((nanos.len() as f64 * share).ceil() as usize).clamp(1, nanos.len());
            let truth_us = nanos[rank - 1] as f64 / 1_000.0;
            let told_us = histogram.percentile_us(share).expect("lookups");
            prop_assert!(told_us >= truth_us && told_us <= truth_us * 1.19, "{told_us} for {truth_us}");
        }
    }
}
