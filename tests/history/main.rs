//! Whatever happens to the rows at a source, what is cached afterwards is what a new cache would have: bars, features, quality.
//!
//! The real pipeline over real databases, with a clock that is moved. Every random test prints its seed; `SAMOVAR_TEST_SEED` runs
//! that one again, and `SAMOVAR_FAULT_RUNS` makes all of them longer.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod appending;
mod flips;
mod lab;
mod market;
mod recent;
mod rewritten;
mod share;
mod yearly;

/// How many random runs: `SAMOVAR_FAULT_RUNS`, or so many.
fn runs(usual: usize) -> usize {
    std::env::var("SAMOVAR_FAULT_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The seed of a random test: a fixed one, or that of `SAMOVAR_TEST_SEED`.
fn seed(usual: u64) -> u64 {
    let seed = std::env::var("SAMOVAR_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    println!("SAMOVAR_TEST_SEED={seed}");
    seed
}
