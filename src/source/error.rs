//! What can go wrong with a source, told so that a user knows what happened, to which thing, and what to do.
//!
//! Not a dump of driver errors: every error has a [`SourceErrorKind`] for the program and two sentences for people.
//! No error ever contains a password.

use std::fmt;

/// Which sort of trouble it is; what callers decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The source URL cannot be read.
    InvalidUrl,
    /// No machine of this name, or nothing listens there, or the connection broke.
    Unreachable,
    /// Encryption was asked for and could not be agreed on.
    Encryption,
    /// User or password was refused.
    WrongPassword,
    /// The user may not read this database or table.
    NotAllowed,
    /// The server has no database of this name.
    UnknownDatabase,
    /// No table of this name, or none that looks like price bars.
    MissingTable,
    /// A column that is needed was not found.
    MissingColumn,
    /// There is nothing to read.
    NoData,
    /// No answer in time.
    Timeout,
    /// The file or folder does not exist.
    MissingFile,
    /// The file exists and cannot be read as what it should be.
    BadFile,
    /// A value cannot be read, such as a date that is none.
    BadValue,
    /// The database refused or failed a query.
    QueryFailed,
}

/// An explained error of a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SourceError {
    kind: SourceErrorKind,
    message: String,
    hint: Option<String>,
}

impl fmt::Display for SourceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl SourceError {
    /// An error with advice.
    #[must_use]
    pub fn new(kind: SourceErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: Some(hint.into()) }
    }

    /// An error with nothing to advise.
    #[must_use]
    pub fn plain(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// The sort of trouble.
    #[must_use]
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }

    /// What happened, to which thing, without the advice.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether the same request may well succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, SourceErrorKind::Unreachable | SourceErrorKind::Timeout)
    }

    /// The same error with every occurrence of a secret blotted out, should a server have repeated it.
    #[must_use]
    pub(super) fn without(mut self, secret: Option<&str>) -> Self {
        // A secret of one or two characters would blot out half of every sentence and cannot be hidden that way.
        if let Some(secret) = secret.filter(|secret| secret.chars().count() >= 3) {
            self.message = self.message.replace(secret, "•••");
            self.hint = self.hint.map(|hint| hint.replace(secret, "•••"));
        }
        self
    }
}

/// A list for a sentence: `a, b, c`, cut where it gets too long to read.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const LONGEST: usize = 20;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(LONGEST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > LONGEST { format!("{shown} and {} more", names.len() - LONGEST) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_a_server_repeats_is_blotted_out() {
        let error = SourceError::new(SourceErrorKind::QueryFailed, "near 'hunter2'", "not hunter2").without(Some("hunter2"));
        assert_eq!(error.to_string(), "near '•••'; not •••");
    }
}
