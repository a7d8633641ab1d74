//! The stores behind a source, one arm each: what is the same for all of them is told once, in `mod.rs`.

use super::columns::ColumnMap;
use super::digest::{DigestRequest, SymbolDigest};
use super::error::{SourceError, SourceErrorKind};
use super::files::FileSet;
use super::kind::SourceKind;
use super::mysql::MySqlServer;
use super::postgres::PostgresServer;
use super::server::LoginInfo;
use super::source_url::SourceUrl;
use super::sqlite::SqliteFile;
use super::table::{TableInfo, TablePlan, choose_table};
use super::timing::Outlet;
use super::{FetchRequest, Preview, SourceOptions, SymbolInfo, sample};
use crate::market::Symbol;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A store that can be asked for its tables.
#[derive(Clone)]
pub(super) enum Store {
    MySql(Arc<MySqlServer>),
    Postgres(Arc<PostgresServer>),
    Sqlite(SqliteFile),
    Files(Arc<FileSet>),
}

/// What is read from a store: a table of a database, or files.
#[derive(Clone)]
pub(super) enum Content {
    Table(Arc<TablePlan>),
    Files(Box<ColumnMap>),
}

impl Store {
    /// The store of a URL. Makes the sample market where it is asked for; connects to nothing.
    pub(super) async fn of(url: &SourceUrl, options: &SourceOptions) -> Result<Self, SourceError> {
        Ok(match url.kind() {
            SourceKind::MySql => Self::MySql(Arc::new(MySqlServer::new(url, options))),
            SourceKind::Postgres => Self::Postgres(Arc::new(PostgresServer::new(url, options))),
            SourceKind::Sqlite => Self::Sqlite(SqliteFile::new(url.path())),
            SourceKind::Files => Self::Files(Arc::new(FileSet::new(url.path(), url.columns().clone()))),
            SourceKind::Sample => {
                let data_dir = options.data_dir.clone();
                Self::Sqlite(SqliteFile::new(blocking(move || sample::ensure(&data_dir)).await?))
            }
        })
    }

    pub(super) async fn login(&self) -> Result<LoginInfo, SourceError> {
        match self {
            Self::MySql(server) => server.login().await,
            Self::Postgres(server) => server.login().await,
            Self::Sqlite(file) => {
                let file = file.clone();
                let is_read_only = blocking(move || file.is_read_only()).await?;
                Ok(LoginInfo { version: SqliteFile::version(), cipher: None, is_read_only })
            }
            // Files are opened for reading only, which the system holds to.
            Self::Files(_) => Ok(LoginInfo { version: "files".to_owned(), cipher: None, is_read_only: true }),
        }
    }

    /// The table that is named, or found; `None` for files, which have none.
    pub(super) async fn table(&self, url: &SourceUrl) -> Result<Option<TableInfo>, SourceError> {
        let tables = match self {
            Self::MySql(server) => server.tables().await?,
            Self::Postgres(server) => server.tables().await?,
            Self::Sqlite(file) => {
                let file = file.clone();
                blocking(move || file.tables()).await?
            }
            Self::Files(_) => return Ok(None),
        };
        let place = match url.database() {
            Some(database) => format!("database \"{database}\" at {}", url.place()),
            None => url.place(),
        };
        if let (Self::MySql(server), Some(wanted)) = (self, url.table())
            && !tables.iter().any(|table| table.name.eq_ignore_ascii_case(wanted))
        {
            server.why_unlisted(wanted).await?;
        }
        choose_table(tables, url.table(), url.columns(), &place).map(Some)
    }

    /// Finds the columns and decides how they are read.
    pub(super) async fn content(&self, table: Option<TableInfo>, url: &SourceUrl) -> Result<Content, SourceError> {
        if let Self::Files(files) = self {
            let files = Arc::clone(files);
            return blocking(move || files.columns()).await.map(|columns| Content::Files(Box::new(columns)));
        }
        let table = table.ok_or_else(|| SourceError::plain(SourceErrorKind::MissingTable, "no table was chosen"))?;
        let columns = table.detect(url.columns())?;
        let plan = match self {
            Self::MySql(server) => server.plan(table, columns).await?,
            Self::Postgres(server) => server.plan(table, columns).await?,
            Self::Sqlite(file) => {
                let file = file.clone();
                blocking(move || file.plan(table, columns)).await?
            }
            Self::Files(_) => return Err(SourceError::plain(SourceErrorKind::MissingTable, "files have no tables")),
        };
        Ok(Content::Table(Arc::new(plan)))
    }

    pub(super) async fn symbols(&self, content: &Content) -> Result<Vec<SymbolInfo>, SourceError> {
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.symbols(plan).await,
            (Self::Postgres(server), Content::Table(plan)) => server.symbols(plan).await,
            (Self::Sqlite(file), Content::Table(plan)) => {
                let (file, plan) = (file.clone(), Arc::clone(plan));
                blocking(move || file.symbols(&plan)).await
            }
            (Self::Files(files), _) => {
                let files = Arc::clone(files);
                blocking(move || files.symbols()).await
            }
            (_, Content::Files(_)) => Err(mismatch()),
        }
    }

    /// Symbols with their times, by symbol, rows not counted; `None` where that takes going through all rows.
    pub(super) async fn symbols_at_a_glance(&self, content: &Content) -> Result<Option<Vec<SymbolInfo>>, SourceError> {
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.symbols_at_a_glance(plan).await,
            // Nothing finds the symbols of an index one by one there.
            _ => Ok(None),
        }
    }

    /// Reads one statement's worth of symbols.
    pub(super) async fn fetch(
        &self,
        content: &Content,
        symbols: Vec<Symbol>,
        limits: Arc<FetchRequest>,
        out: &Outlet,
    ) -> Result<(), SourceError> {
        let stop = StopOnDrop::default();
        let send = {
            let (out, stop) = (out.clone(), Arc::clone(&stop.0));
            move |fetched| !stop.load(Ordering::Relaxed) && out.send_blocking(fetched).is_ok()
        };
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.fetch(plan, &symbols, &limits, out).await.map(|_| ()),
            (Self::Postgres(server), Content::Table(plan)) => server.fetch(plan, &symbols, &limits, out).await.map(|_| ()),
            (Self::Sqlite(file), Content::Table(plan)) => {
                let (file, plan, mut send) = (file.clone(), Arc::clone(plan), send);
                blocking(move || file.fetch(&plan, &symbols, &limits, &mut send)).await
            }
            (Self::Files(files), _) => {
                let (files, mut send) = (Arc::clone(files), send);
                blocking(move || files.fetch(&symbols, &limits, &mut send)).await
            }
            (_, Content::Files(_)) => Err(mismatch()),
        }
    }

    /// Whether rows are counted and hashed as they are fetched, where that is asked for.
    pub(super) fn digests_on_the_way(&self, content: &Content) -> bool {
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.counts_on_the_way(plan),
            (Self::Postgres(server), Content::Table(plan)) => server.digests_on_the_way(plan),
            (Self::MySql(_) | Self::Postgres(_), Content::Files(_)) => false,
            // Their digests are made here anyway.
            (Self::Sqlite(_) | Self::Files(_), _) => true,
        }
    }

    /// Digests of one statement's worth of symbols.
    pub(super) async fn digests(
        &self,
        content: &Content,
        symbols: Vec<Symbol>,
        request: Arc<DigestRequest>,
    ) -> Result<Vec<(Symbol, SymbolDigest)>, SourceError> {
        let stop = StopOnDrop::default();
        let is_wanted = {
            let stop = Arc::clone(&stop.0);
            move || !stop.load(Ordering::Relaxed)
        };
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.digests(plan, &symbols, &request).await,
            (Self::Postgres(server), Content::Table(plan)) => server.digests(plan, &symbols, &request).await,
            (Self::Sqlite(file), Content::Table(plan)) => {
                let (file, plan) = (file.clone(), Arc::clone(plan));
                blocking(move || file.digests(&plan, &symbols, &request, &is_wanted)).await
            }
            (Self::Files(files), _) => {
                let files = Arc::clone(files);
                blocking(move || files.digests(&symbols, &request, &is_wanted)).await
            }
            (_, Content::Files(_)) => Err(mismatch()),
        }
    }

    /// Whether reading a few symbols costs as much as reading all.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Files(files) if files.is_shared())
    }

    pub(super) async fn preview(&self, table: Option<&TableInfo>, limit: usize) -> Result<Preview, SourceError> {
        match (self, table) {
            (Self::MySql(server), Some(table)) => server.preview(table, limit).await,
            (Self::Postgres(server), Some(table)) => server.preview(table, limit).await,
            (Self::Sqlite(file), Some(table)) => {
                let (file, table) = (file.clone(), table.clone());
                blocking(move || file.preview(&table, limit)).await
            }
            (Self::Files(files), _) => {
                let files = Arc::clone(files);
                blocking(move || files.preview(limit)).await
            }
            (_, None) => Err(mismatch()),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::MySql(server) => server.close().await,
            Self::Postgres(server) => server.close().await,
            Self::Sqlite(_) | Self::Files(_) => {}
        }
    }
}

/// Tells a blocking reader to end when the future that waits for it is dropped.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs something that blocks where it may.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, SourceError> + Send + 'static) -> Result<T, SourceError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(SourceError::plain(SourceErrorKind::QueryFailed, format!("reading the source was broken off ({error})")))
    })
}

fn mismatch() -> SourceError {
    SourceError::plain(SourceErrorKind::MissingTable, "this source has no table")
}
