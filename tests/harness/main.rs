//! The real program, ended, starved, cut off and run several times at once: what it had acknowledged is there afterwards, nothing
//! half done is visible, and nothing needs a hand.
//!
//! Bounded; `SAMOVAR_FAULT_RUNS` makes the random parts longer (so many kills; so many cuts; seconds of stress), `SAMOVAR_FAULT_SEED` makes
//! them others. A failure prints the seed it came from.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]
#![allow(clippy::indexing_slicing, clippy::needless_pass_by_value, reason = "tests")]

mod kills;
mod life;
mod market;
mod process;
mod processes;
mod servers;
#[path = "../support/mod.rs"]
mod support;

/// How long the random parts are: what the environment says, or the usual.
fn runs(usual: usize) -> usize {
    std::env::var("SAMOVAR_FAULT_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual).max(usual)
}

/// The seed the random parts begin with.
fn seed() -> u64 {
    std::env::var("SAMOVAR_FAULT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}
