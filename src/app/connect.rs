//! The connection dialog without its widgets: fields as typed, the URL they make, and the staged test.

use crate::config::Password;
use crate::source::{ColumnMap, ColumnRole, SourceKind, SourceUrl, StageReport, TestReport, TlsMode};
use crate::tr;

/// What the connection dialog holds.
#[derive(Debug, Clone)]
pub struct ConnectForm {
    /// The name of the source that is edited; `None` for a new one.
    pub editing: Option<String>,
    /// The name in lists.
    pub name: String,
    /// MySQL, PostgreSQL, SQLite, files or the sample.
    pub kind: SourceKind,
    /// Host, for servers.
    pub host: String,
    /// Port as typed; empty is the usual one.
    pub port: String,
    /// User, for servers.
    pub user: String,
    /// Password as typed; never saved with the settings.
    pub password: Password,
    /// Database, for servers.
    pub database: String,
    /// Table; empty is found.
    pub table: String,
    /// File or folder.
    pub path: String,
    /// Encryption.
    pub tls: TlsMode,
    /// Columns that the user told.
    pub columns: ColumnMap,
    /// A URL that was pasted, without its password once it was understood.
    pub pasted: String,
    /// What is wrong with it.
    pub pasted_problem: Option<String>,
    /// How many files were let fall on the window for this.
    pub dropped: usize,
    /// The test of what is typed.
    pub test: TestState,
    /// Whether to connect as soon as the test has passed.
    pub connects: bool,
}

/// How far the test of a connection is.
#[derive(Debug, Clone, Default)]
pub enum TestState {
    /// Not begun, or something was changed since.
    #[default]
    Idle,
    /// Under way.
    Running {
        /// Its number.
        generation: u64,
        /// Stages that have ended.
        stages: Vec<StageReport>,
    },
    /// Ended.
    Done(Box<TestReport>),
}

impl TestState {
    /// The stages that have ended.
    #[must_use]
    pub fn stages(&self) -> &[StageReport] {
        match self {
            Self::Idle => &[],
            Self::Running { stages, .. } => stages,
            Self::Done(report) => &report.stages,
        }
    }

    /// Whether it is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }

    /// The report, once there is one.
    #[must_use]
    pub fn report(&self) -> Option<&TestReport> {
        match self {
            Self::Done(report) => Some(report),
            _ => None,
        }
    }
}

impl Default for ConnectForm {
    fn default() -> Self {
        Self {
            editing: None,
            name: String::new(),
            kind: SourceKind::MySql,
            host: "127.0.0.1".to_owned(),
            port: String::new(),
            user: String::new(),
            password: Password::default(),
            database: String::new(),
            table: String::new(),
            path: String::new(),
            tls: TlsMode::default(),
            columns: ColumnMap::default(),
            pasted: String::new(),
            pasted_problem: None,
            dropped: 0,
            connects: false,
            test: TestState::Idle,
        }
    }
}

impl ConnectForm {
    /// The fields of a known source.
    #[must_use]
    pub fn of(name: &str, url: &SourceUrl) -> Self {
        let path = url.path().to_string_lossy().into_owned();
        Self {
            editing: Some(name.to_owned()),
            name: name.to_owned(),
            kind: url.kind(),
            host: url.host().to_owned(),
            port: if url.kind().is_server() && url.port() != url.kind().default_port() { url.port().to_string() } else { String::new() },
            user: url.user().unwrap_or_default().to_owned(),
            password: Password::default(),
            database: url.database().unwrap_or_default().to_owned(),
            table: url.table().unwrap_or_default().to_owned(),
            path,
            tls: url.tls(),
            columns: url.columns().clone(),
            ..Self::default()
        }
    }

    /// The URL the fields make, with the password.
    ///
    /// # Errors
    /// What is missing or wrong, in one sentence.
    pub fn url(&self) -> Result<SourceUrl, String> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut url = SourceUrl::new(self.kind);
        if self.kind.is_server() {
            let host = given(&self.host).ok_or(tr!("Enter the host, such as 127.0.0.1 or db.example.com"))?;
            let port = match given(&self.port) {
                None => None,
                Some(port) => Some(port.parse::<u16>().map_err(|_error| tr!("The port is a number from 1 to 65535"))?),
            };
            let database = given(&self.database).ok_or(tr!("Enter the database"))?;
            url = url
                .with_host(host)
                .with_port(port)
                .with_user(given(&self.user))
                .with_password(Some(self.password.reveal().to_owned()))
                .with_database(Some(database))
                .with_tls(self.tls);
        } else if self.kind != SourceKind::Sample {
            url = url.with_path(given(&self.path).ok_or(tr!("Choose a file or folder"))?);
        }
        url = url.with_table(given(&self.table));
        for (role, column) in self.columns.iter() {
            url = url.with_column(role, Some(column.to_owned()));
        }
        Ok(url)
    }

    /// The name to save it under: as typed, or made from where it is.
    #[must_use]
    pub fn name_to_save(&self) -> String {
        let typed = self.name.trim();
        if !typed.is_empty() {
            return typed.to_owned();
        }
        match self.kind {
            SourceKind::Sample => tr!("Sample market").to_owned(),
            kind if kind.is_server() && self.database.trim().is_empty() => kind.label().to_owned(),
            kind if kind.is_server() => tr!("{database} on {host}", database = self.database.trim(), host = self.host.trim()),
            _ => std::path::Path::new(self.path.trim())
                .file_stem()
                .map_or_else(|| self.kind.label().to_owned(), |stem| stem.to_string_lossy().into_owned()),
        }
    }

    /// Which column plays a role: as told, or as found by the last test.
    #[must_use]
    pub fn column(&self, role: ColumnRole) -> Option<&str> {
        self.columns.get(role).or_else(|| self.test.report()?.columns.as_ref()?.get(role))
    }
}
