//! What several test files share. Each file uses a part of it.
#![allow(dead_code)]

pub mod servers;
pub mod tables;
