//! `samovar completions SHELL`: the names of sets are those there are when the script is made.

use super::arguments::{Arguments, CompletionsOptions, GlobalOptions};
use super::console::Console;
use super::failure::{Code, Outcome};
use super::session::places;
use crate::worker::load_library;
use clap::CommandFactory;
use clap::builder::PossibleValuesParser;

pub(super) fn run(console: &Console, global: &GlobalOptions, options: &CompletionsOptions) -> Outcome {
    let mut script = Vec::new();
    let library = load_library(&places(global), None);
    let names: Vec<String> = library.names().map(str::to_owned).collect();
    clap_complete::generate(options.shell, &mut with_set_names(Arguments::command(), &names), "samovar", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(Code::AllWell)
}

/// The commands, knowing the names of sets.
fn with_set_names(command: clap::Command, names: &[String]) -> clap::Command {
    let known = |argument: clap::Arg| argument.value_parser(PossibleValuesParser::new(names.to_vec()));
    let mut command = command;
    for name in ["preheat", "get", "invalidate", "refresh", "clear"] {
        command = command.mut_subcommand(name, |command| command.mut_arg("set", known));
    }
    command.mut_subcommand("sets", |sets| sets.mut_subcommand("show", |show| show.mut_arg("name", known)))
}
