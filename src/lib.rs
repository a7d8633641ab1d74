//! Samovar keeps market data hot: price bars from a database in a local Parquet cache, with indicators computed from them.
//!
//! The rooms, from the lowest floor up; a room imports only from floors below its own:
//! `market`, `indicator`, `format`, `here`, `language`, `log`, `fault` → `config`, `desktop`, `source`, `feature` → `cache` → `preheat` → `worker` → `app` → `cli`, `ui`.

/// Keeps the room of freed columns for the next ones.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod app;
pub mod cache;
pub mod cli;
pub mod config;
pub mod desktop;
pub mod fault;
pub mod feature;
pub mod format;
pub mod here;
pub mod indicator;
pub mod language;
pub mod log;
pub mod market;
pub mod preheat;
pub mod source;
pub mod ui;
pub mod worker;
