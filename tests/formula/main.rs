//! The language of formulas as a whole: any text is answered, printing and reading are inverse, hashes follow the meaning.
//!
//! `SAMOVAR_FUZZ_SECS` lets the search for texts that break it run so many seconds instead of three.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod checks;
mod fuzz;
mod properties;
mod writer;
