//! Source URLs: what a user types to say where bars are, and the stable identity that follows from it.
//!
//! Not a general URL: `mysql://`, `mariadb://`, `postgres://`, `sqlite:`, `files:` and `sample:`, each with `table`, `tls`
//! and column names as parameters. Neither `Debug` nor `Display` ever shows the password.

use super::columns::{ColumnMap, ColumnRole};
use super::error::{SourceError, SourceErrorKind};
use super::kind::{SourceId, SourceKind, TlsMode};
use super::percent::{decode, encode};
use std::fmt;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// Longest identity, in bytes; a longer one ends in a hash.
const LONGEST_ID: usize = 96;

/// A source URL, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceUrl {
    kind: SourceKind,
    user: Option<String>,
    password: Option<String>,
    host: String,
    port: Option<u16>,
    database: Option<String>,
    path: PathBuf,
    table: Option<String>,
    tls: TlsMode,
    columns: ColumnMap,
}

impl SourceUrl {
    /// An empty URL of a kind, to be filled in; servers begin at `127.0.0.1`.
    #[must_use]
    pub fn new(kind: SourceKind) -> Self {
        Self {
            kind,
            user: None,
            password: None,
            host: if kind.is_server() { "127.0.0.1".to_owned() } else { String::new() },
            port: None,
            database: None,
            path: PathBuf::new(),
            table: None,
            tls: TlsMode::default(),
            columns: ColumnMap::default(),
        }
    }

    /// Reads a source URL; a relative path is taken from the current folder.
    ///
    /// # Errors
    /// When it is none, with what a right one looks like. The text itself is never repeated: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or_else(|| {
            invalid(
                "this is no source URL: it does not begin with a kind such as mysql:",
                "write mysql://user@host/database, postgres://user@host/database, sqlite:FILE, files:FOLDER or sample:",
            )
        })?;
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => SourceKind::MySql,
            "postgres" | "postgresql" => SourceKind::Postgres,
            "sqlite" | "sqlite3" => SourceKind::Sqlite,
            "files" | "file" => SourceKind::Files,
            "sample" => SourceKind::Sample,
            _ => {
                return Err(invalid(
                    "this kind of source is not known",
                    "a source URL begins with mysql://, mariadb://, postgres://, sqlite:, files: or sample:",
                ));
            }
        };
        let mut url = Self::new(kind);
        let query = match kind {
            SourceKind::MySql | SourceKind::Postgres => url.read_server(rest)?,
            SourceKind::Sqlite | SourceKind::Files => url.read_path(rest)?,
            SourceKind::Sample => rest.split_once('?').map_or("", |(_, query)| query),
        };
        url.read_query(query)?;
        Ok(url)
    }

    /// Reads `//user:password@host:port/database`; gives back the query.
    fn read_server<'a>(&mut self, rest: &'a str) -> Result<&'a str, SourceError> {
        let hint = "write it as mysql://user:password@host:3306/database?table=TABLE; in a password % is %25, @ is %40, / is %2F, ? is %3F, # is %23";
        let rest = rest.strip_prefix("//").ok_or_else(|| invalid("the source URL has no // after its kind", hint))?;
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(authority_end);
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let (login, place) = authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
        if let Some(login) = login {
            let (user, password) = login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
            self.user = Some(decode(user)).filter(|user| !user.is_empty());
            self.password = password.map(decode).filter(|password| !password.is_empty());
        }
        // Behind the host's own colons (IPv6 stands in brackets) comes the port.
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (place, None),
        };
        self.host = match url::Host::parse(host) {
            Ok(url::Host::Ipv6(address)) => address.to_string(),
            Ok(host) => host.to_string(),
            Err(_) => return Err(invalid("the source URL names no host that can be one", hint)),
        };
        self.port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse().map_err(|_| invalid("the port in the source URL is no number from 1 to 65535", hint))?),
        };
        let path = path.trim_start_matches('/').trim_end_matches('/');
        if path.contains(['/', '@']) {
            return Err(invalid("the source URL has more than a database name behind the host", hint));
        }
        self.database = Some(decode(path)).filter(|database| !database.is_empty());
        Ok(query)
    }

    /// Reads a file or folder; gives back the query.
    fn read_path<'a>(&mut self, rest: &'a str) -> Result<&'a str, SourceError> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = decode(path);
        if path.is_empty() {
            return Err(invalid("the source URL names no file", format!("write {}:PATH", self.kind.scheme())));
        }
        self.path = std::path::absolute(&path).unwrap_or_else(|_| PathBuf::from(path));
        Ok(query)
    }

    fn read_query(&mut self, query: &str) -> Result<(), SourceError> {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(&value.replace('+', "%20"));
            match (key, ColumnRole::from_key(key)) {
                (_, Some(role)) => self.columns.set(role, Some(value)),
                ("table", _) => self.table = Some(value).filter(|table| !table.is_empty()),
                ("tls", _) => {
                    self.tls = [TlsMode::Off, TlsMode::Prefer, TlsMode::Require].into_iter().find(|mode| mode.key() == value).ok_or_else(
                        || {
                            invalid(
                                "the source URL asks for a kind of encryption that is not known",
                                "write tls=off, tls=prefer or tls=require",
                            )
                        },
                    )?;
                }
                _ => {
                    return Err(invalid(
                        format!("the source URL has a parameter that is not known: {}", key.chars().take(40).collect::<String>()),
                        "known are table, tls, symbol, date, open, high, low, close, volume, amount, turnover and float_shares",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The identity that names folders and catalog rows.
    ///
    /// It follows from where the data is and how its columns are read, so other columns are another source. It has no user
    /// and no password.
    #[must_use]
    pub fn id(&self) -> SourceId {
        let mut parts: Vec<String> = vec![self.kind.scheme().to_owned()];
        match self.kind {
            SourceKind::MySql | SourceKind::Postgres => {
                parts.push(self.host.clone());
                parts.push(self.port().to_string());
                parts.extend(self.database.clone());
            }
            SourceKind::Sqlite | SourceKind::Files => {
                let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                parts.push(stem);
                parts.push(short_hash(self.path.to_string_lossy().as_bytes()));
            }
            SourceKind::Sample => return SourceId::new("sample"),
        }
        parts.extend(self.table.clone());
        let readable = parts.join("-");
        let mut text: String = readable
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' })
            .collect();
        // Two sources must never share a folder: wherever the readable form could be another source's too (letters replaced,
        // a dash inside a part, upper case on a file system without case), a hash of the exact parts tells them apart.
        let exact = !self.kind.is_server()
            || (text == readable
                && parts.iter().skip(2).all(|part| !part.contains('-'))
                && !text.chars().any(|letter| letter.is_ascii_uppercase()));
        let columns: Vec<String> = self.columns.iter().map(|(role, column)| format!("{}={column}", role.key())).collect();
        if !exact || !columns.is_empty() || text.len() > LONGEST_ID {
            let identity = format!("{}\u{0}{}", parts.join("\u{0}"), columns.join("\u{0}"));
            text.truncate(LONGEST_ID - 13);
            text.push('-');
            text.push_str(&short_hash(identity.as_bytes()));
        }
        SourceId::new(text)
    }

    /// The kind of store.
    #[must_use]
    pub fn kind(&self) -> SourceKind {
        self.kind
    }

    /// The host of a server.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port of a server, the usual one if none is given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.kind.default_port())
    }

    /// The user to log in as.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The database on the server.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The table; found by itself when there is none.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// The SQLite file, or the file or folder of bars.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether to encrypt.
    #[must_use]
    pub fn tls(&self) -> TlsMode {
        self.tls
    }

    /// Columns that are told rather than found.
    #[must_use]
    pub fn columns(&self) -> &ColumnMap {
        &self.columns
    }

    /// The same with another host.
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The same with another port; `None` is the usual one.
    #[must_use]
    pub fn with_port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    /// The same with another user.
    #[must_use]
    pub fn with_user(mut self, user: Option<String>) -> Self {
        self.user = user.filter(|user| !user.is_empty());
        self
    }

    /// The same with another password.
    #[must_use]
    pub fn with_password(mut self, password: Option<String>) -> Self {
        self.password = password.filter(|password| !password.is_empty());
        self
    }

    /// The same with another database.
    #[must_use]
    pub fn with_database(mut self, database: Option<String>) -> Self {
        self.database = database.filter(|database| !database.is_empty());
        self
    }

    /// The same with another file or folder.
    #[must_use]
    pub fn with_path(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        self.path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        self
    }

    /// The same with another table; `None` finds it.
    #[must_use]
    pub fn with_table(mut self, table: Option<String>) -> Self {
        self.table = table.filter(|table| !table.is_empty());
        self
    }

    /// The same with other encryption.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsMode) -> Self {
        self.tls = tls;
        self
    }

    /// The same with a column told for a role; `None` finds it.
    #[must_use]
    pub fn with_column(mut self, role: ColumnRole, column: Option<String>) -> Self {
        self.columns.set(role, column);
        self
    }

    /// The URL without its password, for display and the settings file.
    #[must_use]
    pub fn redacted(&self) -> String {
        self.written(false)
    }

    /// The URL with its password: only for handing it to another process of the same user.
    #[must_use]
    pub fn to_string_with_password(&self) -> String {
        self.written(true)
    }

    /// Where it is, for a sentence: `127.0.0.1:3306`, or the path.
    pub(super) fn place(&self) -> String {
        match self.kind {
            SourceKind::MySql | SourceKind::Postgres if self.host.contains(':') => format!("[{}]:{}", self.host, self.port()),
            SourceKind::MySql | SourceKind::Postgres => format!("{}:{}", self.host, self.port()),
            SourceKind::Sqlite | SourceKind::Files => self.path.display().to_string(),
            SourceKind::Sample => "the sample market".to_owned(),
        }
    }

    fn written(&self, with_password: bool) -> String {
        let mut text = format!("{}:", self.kind.scheme());
        match self.kind {
            SourceKind::MySql | SourceKind::Postgres => {
                text.push_str("//");
                let password = self.password.as_deref().filter(|_| with_password);
                if self.user.is_some() || password.is_some() {
                    text.push_str(&encode(self.user.as_deref().unwrap_or_default(), "@:/?#%"));
                    if let Some(password) = password {
                        text.push(':');
                        text.push_str(&encode(password, "@:/?#%"));
                    }
                    text.push('@');
                }
                if self.host.contains(':') {
                    text.push_str(&format!("[{}]", self.host));
                } else {
                    text.push_str(&self.host);
                }
                if let Some(port) = self.port {
                    text.push_str(&format!(":{port}"));
                }
                if let Some(database) = &self.database {
                    text.push('/');
                    text.push_str(&encode(database, "@/?#%"));
                }
            }
            SourceKind::Sqlite | SourceKind::Files => text.push_str(&encode(&self.path.to_string_lossy(), "?%")),
            SourceKind::Sample => {}
        }
        let table = self.table.as_deref().map(|table| ("table", table));
        let tls = (self.tls != TlsMode::default()).then(|| ("tls", self.tls.key()));
        let columns = self.columns.iter().map(|(role, column)| (role.key(), column));
        for (position, (key, value)) in table.into_iter().chain(tls).chain(columns).enumerate() {
            text.push(if position == 0 { '?' } else { '&' });
            text.push_str(key);
            text.push('=');
            text.push_str(&encode(value, "&+%# "));
        }
        text
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.redacted())
    }
}

impl fmt::Debug for SourceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SourceUrl({})", self.redacted())
    }
}

impl std::str::FromStr for SourceUrl {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        Self::parse(text)
    }
}

fn invalid(message: impl Into<String>, hint: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidUrl, message, hint)
}

fn short_hash(bytes: &[u8]) -> String {
    format!("{:012x}", xxh3_64(bytes) & 0xffff_ffff_ffff)
}

#[cfg(test)]
#[path = "source_url_tests.rs"]
mod tests;
