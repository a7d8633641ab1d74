//! `samovar`: arguments, logging, panic hook; then the window or a command.

use samovar::cli::{Arguments, WindowStart};
use samovar::desktop::Claim;
use samovar::language::Language;
use samovar::ui::Start;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    samovar::log::start(arguments.global.verbose, arguments.global.quiet);
    std::panic::set_hook(Box::new(tell_panic));
    arguments.run(open_window)
}

fn open_window(start: WindowStart) -> anyhow::Result<()> {
    match samovar::desktop::claim(&start.context.places.data_dir, &start.identity()) {
        Claim::First(instance) => {
            let WindowStart { context, problems, set_aside } = start;
            samovar::ui::run(Start { context, problems, set_aside, instance, desktop_language: desktop_language() })
        }
        Claim::Shown => Ok(()),
    }
}

/// The first language the user told the desktop that the window speaks.
fn desktop_language() -> Language {
    sys_locale::get_locales().find_map(|locale| Language::of_locale(&locale)).unwrap_or_default()
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
