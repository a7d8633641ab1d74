//! `samovar sets`: the feature sets there are, what they mean and were, a check of what somebody writes, and the functions of
//! formulas.

mod check;
mod functions;
mod list;
mod show;

pub(super) use check::marked;

use super::arguments::{GlobalOptions, SetsCommand};
use super::console::Console;
use super::failure::Outcome;
use super::session::Session;

pub(super) fn run(console: &Console, global: &GlobalOptions, command: &SetsCommand) -> Outcome {
    match command {
        // These need neither settings nor a cache.
        SetsCommand::Check(options) => check::run(console, options),
        SetsCommand::Functions(options) => functions::run(console, options),
        SetsCommand::List => list::run(&Session::open(console, global)?),
        SetsCommand::Show(options) => show::run(&Session::open(console, global)?, options),
    }
}
