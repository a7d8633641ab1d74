//! `samovar`: arguments, logging, panic hook; then the window or a command.

use samovar::cli::{Arguments, WindowStart};
use samovar::language::Language;
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    start_logging(arguments.global.verbose, arguments.global.quiet);
    std::panic::set_hook(Box::new(tell_panic));
    arguments.run(open_window)
}

fn open_window(start: WindowStart) -> anyhow::Result<()> {
    samovar::ui::run(start.context, start.problems, desktop_language())
}

/// The first language the user told the desktop that the window speaks.
fn desktop_language() -> Language {
    sys_locale::get_locales().find_map(|locale| Language::of_locale(&locale)).unwrap_or_default()
}

fn start_logging(verbose: u8, quiet: bool) {
    let level = match (verbose, quiet) {
        (0, true) => "error",
        // A slow query of a busy server is nothing to warn of.
        (0, false) => "warn,sqlx=error",
        (1, _) => "warn,samovar=info",
        (2, _) => "info,samovar=debug",
        _ => "debug,samovar=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_not_set| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(verbose > 0)
        .init();
}

/// One readable line per panic.
fn tell_panic(info: &PanicHookInfo<'_>) {
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    // Decoding a damaged file may panic inside the Parquet library; the cache catches it and reports the file.
    if ["/parquet-", "/arrow-", "\\parquet-", "\\arrow-"].iter().any(|library| location.contains(library)) {
        tracing::debug!(%location, "a damaged file was refused");
        return;
    }
    let message = info.payload_as_str().unwrap_or("unknown reason");
    if writeln!(std::io::stderr(), "error: Samovar has a bug: {message} (at {location}). What was committed is safe; please report this")
        .is_err()
    {
        tracing::error!(message, location, "panic");
    }
}
