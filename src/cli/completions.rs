//! `samovar completions SHELL`

use super::arguments::{Arguments, CompletionsOptions};
use super::console::Console;
use super::failure::{Code, Outcome};
use clap::CommandFactory;

pub(super) fn run(console: &Console, options: &CompletionsOptions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "samovar", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(Code::AllWell)
}
