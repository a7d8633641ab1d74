//! The command line: arguments, one file per command, and what they print.
//!
//! The same jobs as the window, on the same worker; commands that only read open the cache themselves. Results go to stdout,
//! everything else to stderr. Exit codes: 0 all well, 1 the command failed, 2 some symbols failed, 64 wrong usage.

mod arguments;
mod bench;
mod change;
mod completions;
mod console;
mod desktop;
mod engine;
mod failure;
mod findings;
mod formulas;
mod get;
mod headless;
mod interrupt;
mod lists;
mod preheat;
mod profile;
mod progress;
mod report;
mod rows;
mod session;
mod sets;
mod source;
mod status;
mod table;
mod verify;
mod wanted;

pub use arguments::{Arguments, Command};
pub use session::WindowStart;

use console::Console;
use failure::Outcome;
use session::Session;
use std::process::ExitCode;

impl Arguments {
    /// Runs the command, or opens the window when there is none and a display to open it on.
    #[must_use]
    pub fn run(self, open_window: impl FnOnce(WindowStart) -> anyhow::Result<()>) -> ExitCode {
        let console = Console::new(&self.global);
        let outcome = match self.command {
            None if !self.global.json && session::has_display() => {
                open_window(WindowStart::new(&self.global)).map(|()| failure::Code::AllWell)
            }
            command => run_command(&console, &self.global, command),
        };
        failure::exit_code(&console, outcome)
    }
}

fn run_command(console: &Console, global: &arguments::GlobalOptions, command: Option<Command>) -> Outcome {
    // Completions, the desktop's menu and some of what is about sets need neither settings nor a cache.
    match command {
        Some(Command::Completions(options)) => return completions::run(console, global, &options),
        Some(Command::Desktop(command)) => return desktop::run(console, command),
        Some(Command::Sets(command)) => return sets::run(console, global, &command),
        _ => {}
    }
    let session = Session::open(console, global)?;
    match command {
        None => headless::run(&session),
        Some(Command::Preheat(options)) => preheat::run(&session, options),
        Some(Command::Status(options)) => status::run(&session, &options),
        Some(Command::Get(options)) => get::run(&session, &options),
        Some(Command::Invalidate(options)) => change::invalidate(&session, &options),
        Some(Command::Refresh(options)) => change::refresh(&session, &options),
        Some(Command::Clear(options)) => change::clear(&session, &options),
        Some(Command::Verify(options)) => verify::run(&session, &options),
        Some(Command::Bench(options)) => bench::run(&session, &options),
        Some(Command::Source(command)) => source::run(&session, &command),
        Some(Command::Completions(_) | Command::Desktop(_) | Command::Sets(_)) => Ok(failure::Code::AllWell),
    }
}
