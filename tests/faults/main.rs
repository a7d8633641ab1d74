//! What the disk does to the cache, done on purpose: failing operations, power loss, flipped bits, cut-off files.
//!
//! Everything is bounded; `SAMOVAR_FAULT_RUNS` makes the random parts longer.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

#[path = "../support/faulty_files.rs"]
mod faulty_files;

mod damage;
mod failing;
mod kill_points;
mod kills;
mod power_loss;
mod scenario;
mod together;
