//! The real program, as a user runs it: results, exit codes, and what it says when something is wrong.

mod changes;
mod errors;
mod get;
mod home;
mod killed;
mod market;
mod preheat;
mod servers;
#[path = "../support/mod.rs"]
mod support;
mod usage;
mod verify;
