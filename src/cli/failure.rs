//! How a command ends: its exit code, and errors as people read them. No error shows a password.

use super::console::{Console, complain};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// Everything asked for was done.
    AllWell,
    /// The work could not be finished; it was said why.
    Failed,
    /// Some symbols failed (or something was found), the rest was done.
    SomeFailed,
}

/// What a command gives back.
pub(super) type Outcome = anyhow::Result<Code>;

/// Arguments that make no sense together or at all.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

const USAGE: u8 = 64;

/// An error that ends with exit code 64.
pub(super) fn usage(text: impl Into<String>) -> anyhow::Error {
    UsageError(text.into()).into()
}

/// Tells about an error and gives the exit code.
pub(super) fn exit_code(console: &Console, outcome: Outcome) -> ExitCode {
    let error = match outcome.and_then(|code| console.flush().map(|()| code)) {
        Ok(Code::AllWell) => return ExitCode::SUCCESS,
        Ok(Code::Failed) => return ExitCode::from(1),
        Ok(Code::SomeFailed) => return ExitCode::from(2),
        Err(error) => error,
    };
    if is_broken_pipe(&error) {
        // Whoever reads our output has seen enough (`| head`).
        return ExitCode::SUCCESS;
    }
    let text = without_passwords(&format!("{error:#}"));
    complain(&format!("error: {text}"));
    if error.is::<UsageError>() {
        complain("For more information, try '--help'.");
        return ExitCode::from(USAGE);
    }
    if console.is_json()
        && let Err(error) = console.json(&serde_json::json!({ "error": text })).and_then(|()| console.flush())
    {
        tracing::debug!(%error, "the error could not be written to stdout");
    }
    ExitCode::from(1)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let own = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let wrapped = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        own.or(wrapped) == Some(ErrorKind::BrokenPipe)
    })
}

/// Prints what clap has to say and gives the exit code.
pub(super) fn end_of_parsing(text: &str, is_error: bool) -> ExitCode {
    if is_error {
        complain(without_passwords(text).trim_end());
        return ExitCode::from(USAGE);
    }
    match write!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    }
}

/// Blots out the password of every URL in a text, should an argument be repeated in an error.
fn without_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        clean.push_str(before);
        let authority_end = after.find(|letter: char| letter.is_whitespace() || "'\"`".contains(letter)).unwrap_or(after.len());
        let authority = after.get(..authority_end).unwrap_or_default();
        rest = match (authority.find(':'), authority.rfind('@')) {
            (Some(colon), Some(at)) if colon < at => {
                clean.push_str(authority.get(..=colon).unwrap_or_default());
                clean.push_str("•••");
                after.get(at..).unwrap_or_default()
            }
            _ => after,
        };
    }
    clean + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_blotted_out() {
        assert_eq!(without_passwords("unexpected 'mysql://root:s3c@ret@h/db' found"), "unexpected 'mysql://root:•••@h/db' found");
        assert_eq!(without_passwords("a://u@h:3306/x b://u:p@h"), "a://u@h:3306/x b://u:•••@h");
        assert_eq!(without_passwords("https://example.org/x: y"), "https://example.org/x: y");
    }
}
