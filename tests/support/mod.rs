//! What several test files share. Each file uses a part of it.
#![allow(dead_code, missing_docs, clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

pub mod proxy;
pub mod servers;
pub mod tables;
