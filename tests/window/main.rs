//! The real window with its real worker, cache and sources, driven by the words a user sees, and what became of the disk.
//!
//! Where a new test goes: what a newcomer sees → `first_start`; the list, its filter, order and keys → `list`; own lists and exports → `lists`; what is done to
//! cached files → `selection`; bars, menus, palette and help → `chrome`; progress, pause, cancel, failures → `jobs`; what is known of one symbol → `inspector`; the
//! numbers of all → `overview`; lines and templates of the chart → `chart`; features and formulas → `features`; settings →
//! `settings`; its languages → `languages`; the connection dialog → `connect`; what is around every view → `shell`; names, keys and every command → `access`; slow
//! disks and sources → `stall`, by the time of the window's thread (`thread_time`); what analysts come for, from beginning to end and with its
//! inputs counted → `tasks`; broken folders, files and symbols → `trouble`; what a frame may cost →
//! `idle`. Helpers live in `desk`. The chart alone is tested in `tests/ui_chart`. Nothing sleeps and hopes: `Desk::wait`
//! draws frames until something holds.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used, reason = "helpers of tests may fail tests")]

mod access;
mod bench;
mod chart;
mod chrome;
mod connect;
mod desk;
mod features;
mod first_start;
mod hand;
mod idle;
mod inspector;
mod jobs;
mod languages;
mod list;
mod lists;
mod overview;
mod queries;
mod selection;
#[allow(dead_code)]
#[path = "../support/servers.rs"]
mod servers;
mod settings;
mod shell;
mod stall;
#[path = "../support/stalling_files.rs"]
mod stalling_files;
mod tasks;
mod thread_time;
mod trouble;
