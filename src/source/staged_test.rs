//! The connection test in stages: each says what it found or what failed and what to do; the first failure ends it.

use super::backend::{Content, Store};
use super::error::{SourceError, SourceErrorKind};
use super::kind::{SourceKind, TlsMode};
use super::server::{self, LoginInfo};
use super::sqlite::missing_file;
use super::{ColumnMap, Preview, SourceOptions, SourceUrl, no_data};
use crate::tr;
use serde::Serialize;
use std::time::{Duration, Instant};

/// One step of the way to the first rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The host's name is known, or the file exists.
    Name,
    /// Something answers at the port.
    Connection,
    /// Encryption is agreed on.
    Encryption,
    /// User and password are accepted and the database exists.
    Login,
    /// The table is there.
    Table,
    /// Its columns are recognised.
    Columns,
    /// Rows can be read.
    FirstRows,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 7] = [Self::Name, Self::Connection, Self::Encryption, Self::Login, Self::Table, Self::Columns, Self::FirstRows];

    /// A short name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => tr!("Name"),
            Self::Connection => tr!("Connection"),
            Self::Encryption => tr!("Encryption"),
            Self::Login => tr!("Login"),
            Self::Table => tr!("Table"),
            Self::Columns => tr!("Columns"),
            Self::FirstRows => tr!("First rows"),
        }
    }
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageOutcome {
    /// It worked.
    Ok {
        /// What was found.
        detail: String,
    },
    /// It does not apply here.
    Skipped {
        /// Why not.
        why: String,
    },
    /// It did not work.
    Failed {
        /// What happened, to which thing.
        what_happened: String,
        /// What the user can do.
        what_to_do: String,
    },
}

/// One finished stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageReport {
    /// Which stage.
    pub stage: Stage,
    /// How it ended.
    pub outcome: StageOutcome,
    /// How long it took.
    pub elapsed: Duration,
}

/// The whole test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestReport {
    /// The stages that were run, in order.
    pub stages: Vec<StageReport>,
    /// The table that was found.
    pub table: Option<String>,
    /// The columns of the table, whatever they are recognised as.
    pub table_columns: Vec<String>,
    /// The columns, if it got that far.
    pub columns: Option<ColumnMap>,
    /// The first rows, if it got that far.
    pub preview: Option<Preview>,
    /// The error of the stage that failed.
    pub error: Option<SourceError>,
}

impl TestReport {
    /// Whether every stage went well.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.error.is_none()
    }

    /// The stage that failed.
    #[must_use]
    pub fn failed_stage(&self) -> Option<&StageReport> {
        self.stages.iter().find(|report| matches!(report.outcome, StageOutcome::Failed { .. }))
    }
}

/// Rows of the preview.
const PREVIEW_ROWS: usize = 5;

/// Tests a source step by step; `report` hears of each stage as it ends. The first failure ends the test.
pub async fn test_source(url: &SourceUrl, options: &SourceOptions, report: &mut (dyn FnMut(StageReport) + Send)) -> TestReport {
    let mut test = Test { result: TestReport::default(), report };
    if let Err(error) = test.run(url, options).await {
        test.result.error = Some(error);
    }
    test.result
}

struct Test<'a> {
    result: TestReport,
    report: &'a mut (dyn FnMut(StageReport) + Send),
}

impl Test<'_> {
    async fn run(&mut self, url: &SourceUrl, options: &SourceOptions) -> Result<(), SourceError> {
        let began = Instant::now();
        let store = if url.kind().is_server() {
            self.reach(url, options).await?;
            let began = Instant::now();
            let store = Store::of(url, options).await?;
            match store.login().await {
                Ok(login) => self.logged_in(url, &login, began),
                Err(error) => return Err(self.login_failed(url, error, began)),
            }
            store
        } else {
            self.open(url, options, began).await?
        };

        let began = Instant::now();
        let table = match store.table(url).await {
            Ok(Some(table)) => {
                self.ok(Stage::Table, began, format!("table {}", table.shown()));
                self.result.table = Some(table.shown());
                self.result.table_columns = table.column_names();
                Some(table)
            }
            Ok(None) => {
                self.skip(Stage::Table, "files have no tables");
                None
            }
            Err(error) => return Err(self.fail(Stage::Table, began, error)),
        };

        let began = Instant::now();
        let content = match store.content(table.clone(), url).await {
            Ok(content) => content,
            Err(error) => return Err(self.fail(Stage::Columns, began, error)),
        };
        let columns = match &content {
            Content::Table(plan) => plan.columns.clone(),
            Content::Files(columns) => columns.as_ref().clone(),
        };
        let found = columns.iter().map(|(role, column)| format!("{} = {column}", role.key())).collect::<Vec<_>>().join(", ");
        self.ok(Stage::Columns, began, found);
        self.result.columns = Some(columns);

        let began = Instant::now();
        match store.preview(table.as_ref(), PREVIEW_ROWS).await {
            Ok(preview) if preview.rows.is_empty() => {
                let place = table.map_or_else(|| url.place(), |table| format!("table {}", table.shown()));
                return Err(self.fail(Stage::FirstRows, began, no_data(&place)));
            }
            Ok(preview) => {
                let more = if preview.rows.len() == PREVIEW_ROWS { "at least " } else { "" };
                self.ok(Stage::FirstRows, began, format!("{more}{} rows", preview.rows.len()));
                self.result.preview = Some(preview);
            }
            Err(error) => return Err(self.fail(Stage::FirstRows, began, error)),
        }
        store.close().await;
        Ok(())
    }

    /// Name and connection of a server.
    async fn reach(&mut self, url: &SourceUrl, options: &SourceOptions) -> Result<(), SourceError> {
        let began = Instant::now();
        let addresses = match tokio::time::timeout(options.connect_timeout, tokio::net::lookup_host((url.host(), url.port()))).await {
            Ok(Ok(addresses)) => addresses.collect::<Vec<_>>(),
            Ok(Err(error)) => return Err(self.fail(Stage::Name, began, unknown_host(url, &error.to_string()))),
            Err(_) => return Err(self.fail(Stage::Name, began, unknown_host(url, "no answer in time"))),
        };
        let Some(first) = addresses.first() else {
            return Err(self.fail(Stage::Name, began, unknown_host(url, "it has no address")));
        };
        let address = first.ip().to_string();
        let is_address = address == url.host();
        let found =
            if is_address { format!("{address} is an address and needs no lookup") } else { format!("{} is {address}", url.host()) };
        self.ok(Stage::Name, began, found);

        let began = Instant::now();
        match tokio::time::timeout(options.connect_timeout, tokio::net::TcpStream::connect(addresses.as_slice())).await {
            Ok(Ok(_)) => {
                self.ok(Stage::Connection, began, format!("something answers at {}", url.place()));
                Ok(())
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                Err(self.fail(Stage::Connection, began, server::unreachable(url, "connection refused")))
            }
            Ok(Err(error)) => Err(self.fail(Stage::Connection, began, server::unreachable(url, &error.to_string()))),
            Err(_) => Err(self.fail(Stage::Connection, began, server::unreachable(url, "no answer in time"))),
        }
    }

    fn logged_in(&mut self, url: &SourceUrl, login: &LoginInfo, began: Instant) {
        match &login.cipher {
            Some(cipher) => self.ok(Stage::Encryption, began, cipher.clone()),
            None if url.tls() == TlsMode::Off => self.skip(Stage::Encryption, "switched off with tls=off"),
            None => self.skip(Stage::Encryption, "not in use: the server offers none; tls=require (Always) insists on it"),
        }
        let session = if login.is_read_only { "a session that can only read" } else { "a session that could write" };
        self.ok(Stage::Login, began, format!("{}, {session}", login.version));
    }

    /// Encryption and login happen in one exchange; the kind of error tells them apart.
    fn login_failed(&mut self, url: &SourceUrl, error: SourceError, began: Instant) -> SourceError {
        match error.kind() {
            SourceErrorKind::Encryption => return self.fail(Stage::Encryption, began, error),
            SourceErrorKind::QueryFailed | SourceErrorKind::Timeout | SourceErrorKind::Unreachable => {
                self.skip(Stage::Encryption, "the server did not get that far");
            }
            _ if url.tls() == TlsMode::Off => self.skip(Stage::Encryption, "switched off with tls=off"),
            // With "require" a refused login means that encryption stood; with "prefer" nobody can tell.
            _ if url.tls() == TlsMode::Require => self.ok(Stage::Encryption, began, "agreed on with tls=require".to_owned()),
            _ => self.skip(Stage::Encryption, "not known: the login was refused before the server told"),
        }
        self.fail(Stage::Login, began, error)
    }

    /// A file or folder is there and can be opened; the network's stages do not apply.
    async fn open(&mut self, url: &SourceUrl, options: &SourceOptions, began: Instant) -> Result<Store, SourceError> {
        if url.kind() != SourceKind::Sample && !url.path().exists() {
            return Err(self.fail(Stage::Name, began, missing_file(url.path())));
        }
        let store = match Store::of(url, options).await {
            Ok(store) => store,
            Err(error) => return Err(self.fail(Stage::Name, began, error)),
        };
        self.ok(Stage::Name, began, url.place());
        for stage in [Stage::Connection, Stage::Encryption, Stage::Login] {
            self.skip(stage, "a local file needs no login");
        }
        Ok(store)
    }

    fn ok(&mut self, stage: Stage, began: Instant, detail: String) {
        self.ended(stage, began.elapsed(), StageOutcome::Ok { detail });
    }

    fn skip(&mut self, stage: Stage, why: &str) {
        self.ended(stage, Duration::ZERO, StageOutcome::Skipped { why: why.to_owned() });
    }

    fn fail(&mut self, stage: Stage, began: Instant, error: SourceError) -> SourceError {
        let what_to_do = error.hint().unwrap_or("look into the database's own log").to_owned();
        self.ended(stage, began.elapsed(), StageOutcome::Failed { what_happened: error.message().to_owned(), what_to_do });
        error
    }

    fn ended(&mut self, stage: Stage, elapsed: Duration, outcome: StageOutcome) {
        let ended = StageReport { stage, outcome, elapsed };
        self.result.stages.push(ended.clone());
        (self.report)(ended);
    }
}

fn unknown_host(url: &SourceUrl, detail: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Unreachable,
        format!("no machine is known by the name {} ({detail})", url.host()),
        "check the spelling of the host, and the network",
    )
}
