//! The words a source URL is made of: its kind, its encryption, and the identity that follows from it.
//!
//! Plain values; reading and writing URLs is `source_url`'s.

use crate::tr;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What kind of store a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// MySQL or MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
    /// A SQLite file.
    Sqlite,
    /// CSV or Parquet files.
    Files,
    /// The built-in sample market.
    Sample,
}

impl SourceKind {
    /// All kinds, in the order a dialog offers them.
    pub const ALL: [Self; 5] = [Self::MySql, Self::Postgres, Self::Sqlite, Self::Files, Self::Sample];

    /// The name people know it by.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::MySql => "MySQL / MariaDB",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::Files => tr!("CSV / Parquet files"),
            Self::Sample => tr!("Sample market"),
        }
    }

    /// The scheme of its URLs.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::Files => "files",
            Self::Sample => "sample",
        }
    }

    /// Whether it is reached over the network, with host, port and login.
    #[must_use]
    pub fn is_server(self) -> bool {
        matches!(self, Self::MySql | Self::Postgres)
    }

    /// The port a server of this kind listens on if nobody says otherwise.
    #[must_use]
    pub fn default_port(self) -> u16 {
        if self == Self::Postgres { 5432 } else { 3306 }
    }
}

/// Whether the connection to a server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Never.
    Off,
    /// If the server can.
    #[default]
    Prefer,
    /// Always, or not at all.
    Require,
}

impl TlsMode {
    /// Its name in a source URL.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Prefer => "prefer",
            Self::Require => "require",
        }
    }
}

/// The stable identity of a source: names folders and catalog rows, has no user and no password in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(Arc<str>);

impl SourceId {
    /// An identity that was stored before.
    #[must_use]
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    /// The identity as text, of `A-Z a-z 0-9 . _ -` only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}
