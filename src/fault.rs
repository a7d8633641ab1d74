//! Named places where a test may end the process, as a power cut would.
//!
//! Active only in programs built with debug assertions, and only while `SAMOVAR_KILL_AT=name` or `name:N` (the N-th pass) is set.

/// Ends the process at once, without any clean-up, if it is to be killed here.
pub fn kill_point(name: &str) {
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicU64, Ordering};
        static PASSES: AtomicU64 = AtomicU64::new(0);
        let Ok(wanted) = std::env::var("SAMOVAR_KILL_AT") else { return };
        let (place, pass) = wanted.split_once(':').map_or((wanted.as_str(), 1), |(place, pass)| (place, pass.parse().unwrap_or(1)));
        if place == name && PASSES.fetch_add(1, Ordering::Relaxed) + 1 == pass {
            std::process::abort();
        }
    }
    #[cfg(not(debug_assertions))]
    let _inactive = name;
}
