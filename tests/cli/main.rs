//! The real program, as a user runs it: results, exit codes, and what it says when something is wrong.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests may fail tests")]

mod bench;
mod changes;
mod errors;
mod get;
mod home;
mod killed;
mod market;
mod preheat;
mod profile;
mod servers;
mod sets;
#[path = "../support/mod.rs"]
mod support;
mod usage;
mod verify;
