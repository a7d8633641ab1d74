//! How a database goes about a source's queries: their statements, its plans for them, and whether an index serves them.
//!
//! Nothing is ever changed: the statement that would make a missing index is told, and left to whoever may run it. Files have
//! neither plans nor indexes.

use super::backend::{Content, Store, blocking};
use super::columns::ColumnRole;
use super::digest::DigestRequest;
use super::error::SourceError;
use super::sqlite::SqliteFile;
use super::table::TablePlan;
use super::timing::QueryPurpose;
use crate::market::{DateRange, Symbol};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A database's plan for one query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueryPlan {
    /// What the query is for.
    pub purpose: QueryPurpose,
    /// Heads of the plan's columns, as the database calls them.
    pub columns: Vec<String>,
    /// Its rows as text.
    pub rows: Vec<Vec<String>>,
    /// Whether the query was run for it, instead of being planned only.
    pub analyzed: bool,
}

/// Whether an index serves the queries of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFinding {
    /// The table, for people.
    pub table: String,
    /// The column of symbols.
    pub symbol: String,
    /// The column of dates.
    pub date: String,
    /// What there is.
    #[serde(flatten)]
    pub state: IndexState,
}

/// What there is of an index that begins with symbol and date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "index", rename_all = "snake_case")]
pub enum IndexState {
    /// One is there; a primary key counts.
    Present {
        /// Its name.
        name: String,
    },
    /// None is there.
    Missing {
        /// The statement that would make one, quoted for this database. Never run by Samovar.
        create: String,
        /// An index that begins with the symbol, and goes on with something else than the date or not at all.
        symbol_only: Option<String>,
    },
    /// It is a view (or another server's table), which has no indexes of its own.
    View,
}

impl IndexFinding {
    /// The statement that would make the missing index.
    #[must_use]
    pub fn create_statement(&self) -> Option<&str> {
        match &self.state {
            IndexState::Missing { create, .. } => Some(create),
            IndexState::Present { .. } | IndexState::View => None,
        }
    }

    /// What was found, and what it means, in a sentence or two without a full stop.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { table, symbol, date, state } = self;
        match state {
            IndexState::Present { name } => format!("{table} has an index that begins with ({symbol}, {date}): {name}"),
            IndexState::View => {
                format!(
                    "{table} is a view and has no index of its own; what counts is an index on ({symbol}, {date}) of the tables below it"
                )
            }
            IndexState::Missing { symbol_only: None, .. } => {
                format!("{table} has no index on ({symbol}, {date}): the database goes through the whole table whatever is asked for")
            }
            IndexState::Missing { symbol_only: Some(name), .. } => format!(
                "{table} has no index on ({symbol}, {date}), only {name}, which does not go on with {date}: single days are not found directly, and rows have to be sorted"
            ),
        }
    }
}

/// An index as a database tells it: the leading columns in their order, nothing where a column is an expression.
pub(super) struct KnownIndex {
    pub(super) name: String,
    pub(super) columns: Vec<Option<String>>,
}

impl KnownIndex {
    /// Adds a column of an index to a list that is sorted by index.
    pub(super) fn collect(indexes: &mut Vec<Self>, name: String, column: Option<String>) {
        match indexes.last_mut() {
            Some(index) if index.name == name => index.columns.push(column),
            _ => indexes.push(Self { name, columns: vec![column] }),
        }
    }
}

/// What the indexes of a table mean; `create` writes the statement for an index of a name that is not taken.
pub(super) fn finding(
    plan: &TablePlan,
    is_view: bool,
    indexes: &[KnownIndex],
    create: impl FnOnce(&str, [&str; 2]) -> String,
) -> IndexFinding {
    let [symbol, date] = [ColumnRole::Symbol, ColumnRole::Date].map(|role| plan.columns.get(role).unwrap_or_default());
    let leads = |index: &KnownIndex, wanted: &[&str]| {
        let leading = index.columns.iter().map(Option::as_deref).take(wanted.len());
        index.columns.len() >= wanted.len() && leading.eq(wanted.iter().map(|name| Some(*name)))
    };
    let named = |wanted: &[&str]| indexes.iter().find(|index| leads(index, wanted)).map(|index| index.name.clone());
    let state = if is_view {
        IndexState::View
    } else if let Some(name) = named(&[symbol, date]) {
        IndexState::Present { name }
    } else {
        let name = free_name(&plan.table.name, symbol, date, indexes);
        IndexState::Missing { create: create(&name, [symbol, date]), symbol_only: named(&[symbol]) }
    };
    IndexFinding { table: plan.table.shown(), symbol: symbol.to_owned(), date: date.to_owned(), state }
}

/// A name for an index that no other of the table has, of a length every database takes.
fn free_name(table: &str, symbol: &str, date: &str, indexes: &[KnownIndex]) -> String {
    /// PostgreSQL cuts names at 63 bytes, MySQL refuses more than 64 characters.
    const LONGEST: usize = 58;
    let mut base = format!("{table}_{symbol}_{date}");
    while base.len() > LONGEST {
        base.pop();
    }
    let taken = |name: &str| indexes.iter().any(|index| index.name.eq_ignore_ascii_case(name));
    let numbered = (2..1_000).map(|number| format!("{base}_{number}"));
    std::iter::once(base.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(base)
}

/// One of a source's queries, as far as its statement depends on it.
#[derive(Clone, Copy)]
pub(super) enum Query<'q> {
    Symbols,
    /// Symbols and their times, rows not counted.
    Glance,
    Digests(&'q [Symbol], &'q DigestRequest),
    Bars(&'q [Symbol], DateRange),
    Preview(usize),
}

impl<'q> Query<'q> {
    /// The symbols and days that its parameters are; `None` for a query without any.
    pub(super) fn asked(self) -> Option<(&'q [Symbol], DateRange)> {
        match self {
            Self::Symbols | Self::Glance | Self::Preview(_) => None,
            Self::Bars(symbols, range) => Some((symbols, range)),
            Self::Digests(symbols, request) => Some((symbols, request.range)),
        }
    }

    pub(super) fn purpose(self) -> QueryPurpose {
        match self {
            Self::Symbols | Self::Glance => QueryPurpose::Symbols,
            Self::Digests(..) => QueryPurpose::Digests,
            Self::Bars(..) => QueryPurpose::Bars,
            Self::Preview(_) => QueryPurpose::Preview,
        }
    }

    /// Whose rows are asked for, in words.
    pub(super) fn about(self) -> String {
        let (Self::Digests(symbols, _) | Self::Bars(symbols, _)) = self else { return String::new() };
        match symbols {
            [] => String::new(),
            [only] => only.to_string(),
            [first, .., last] => format!("{first} … {last} ({})", crate::format::counted(symbols.len() as u64, "symbol", "symbols")),
        }
    }
}

impl Store {
    /// The statement of a query; for files, what is read.
    pub(super) fn statement(&self, content: &Content, query: Query<'_>) -> String {
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.statement(plan, query),
            (Self::Postgres(server), Content::Table(plan)) => server.statement(plan, query),
            (Self::Sqlite(_), Content::Table(plan)) => SqliteFile::statement(plan, query),
            (Self::Files(files), _) => files.told(),
            (_, Content::Files(_)) => String::new(),
        }
    }

    /// The database's plan; nothing for files.
    pub(super) async fn query_plan(&self, content: &Content, query: Query<'_>, analyze: bool) -> Result<Option<QueryPlan>, SourceError> {
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.query_plan(plan, query, analyze).await.map(Some),
            (Self::Postgres(server), Content::Table(plan)) => server.query_plan(plan, query, analyze).await.map(Some),
            (Self::Sqlite(file), Content::Table(plan)) => {
                let (file, plan) = (file.clone(), Arc::clone(plan));
                let (purpose, symbols, range) = match query {
                    Query::Digests(symbols, request) => (query.purpose(), symbols.to_vec(), request.range),
                    Query::Bars(symbols, range) => (query.purpose(), symbols.to_vec(), range),
                    Query::Symbols | Query::Glance | Query::Preview(_) => (query.purpose(), Vec::new(), DateRange::ALL),
                };
                blocking(move || file.query_plan(&plan, purpose, &symbols, range)).await.map(Some)
            }
            (Self::Files(_), _) | (_, Content::Files(_)) => Ok(None),
        }
    }

    /// Whether an index serves the queries; nothing for files.
    pub(super) async fn index_finding(&self, content: &Content) -> Result<Option<IndexFinding>, SourceError> {
        match (self, content) {
            (Self::MySql(server), Content::Table(plan)) => server.index_finding(plan).await.map(Some),
            (Self::Postgres(server), Content::Table(plan)) => server.index_finding(plan).await.map(Some),
            (Self::Sqlite(file), Content::Table(plan)) => {
                let (file, plan) = (file.clone(), Arc::clone(plan));
                blocking(move || file.index_finding(&plan)).await.map(Some)
            }
            (Self::Files(_), _) | (_, Content::Files(_)) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::ColumnMap;
    use super::super::table::{ColumnInfo, TableInfo};
    use super::super::time_value::DateStyle;
    use super::*;

    fn plan(table: &str) -> TablePlan {
        let names = ["code", "day", "open", "high", "low", "close", "volume"];
        let columns =
            names.iter().map(|name| ColumnInfo { name: (*name).to_owned(), type_name: "double".to_owned(), collation: None }).collect();
        let table = TableInfo { schema: None, name: table.to_owned(), columns };
        let mut told = ColumnMap::default();
        told.set(ColumnRole::Symbol, Some("code".to_owned()));
        told.set(ColumnRole::Date, Some("day".to_owned()));
        let columns = table.detect(&told).expect("columns");
        TablePlan::new(table, columns, DateStyle::Date, |_| false, |_| false)
    }

    fn index(name: &str, columns: &[&str]) -> KnownIndex {
        KnownIndex { name: name.to_owned(), columns: columns.iter().map(|name| Some((*name).to_owned())).collect() }
    }

    fn found(indexes: &[KnownIndex]) -> IndexState {
        finding(&plan("bars"), false, indexes, |name, [symbol, date]| format!("{name}: {symbol}, {date}")).state
    }

    #[test]
    fn only_the_leading_columns_of_an_index_count() {
        let missing = |symbol_only: Option<&str>| IndexState::Missing {
            create: "bars_code_day: code, day".to_owned(),
            symbol_only: symbol_only.map(str::to_owned),
        };
        assert_eq!(found(&[]), missing(None));
        assert_eq!(found(&[index("late", &["day", "code"]), index("inner", &["close", "code", "day"])]), missing(None));
        assert_eq!(found(&[index("by_code", &["code"])]), missing(Some("by_code")));
        assert_eq!(found(&[index("by_code", &["code", "close", "day"])]), missing(Some("by_code")));
        let expression = KnownIndex { name: "lower".to_owned(), columns: vec![None, Some("day".to_owned())] };
        assert_eq!(found(&[expression]), missing(None));
        let wide = index("PRIMARY", &["code", "day", "close"]);
        assert_eq!(found(&[index("late", &["day"]), wide]), IndexState::Present { name: "PRIMARY".to_owned() });
        assert_eq!(finding(&plan("v"), true, &[], |_, _| String::new()).state, IndexState::View);
    }

    #[test]
    fn the_name_of_a_new_index_is_free_and_not_too_long() {
        let taken = [index("bars_code_day", &["day"]), index("BARS_CODE_DAY_2", &["day"])];
        let IndexState::Missing { create, .. } = found(&taken) else { panic!("missing") };
        assert!(create.starts_with("bars_code_day_3:"), "{create}");
        let name = free_name(&"表".repeat(40), "code", "day", &[]);
        assert!(name.len() <= 58 && name.chars().all(|letter| letter == '表'), "{name}");
    }

    #[test]
    fn a_finding_is_kept_as_json() {
        let state = IndexState::Missing { create: "CREATE INDEX …".to_owned(), symbol_only: None };
        let finding = IndexFinding { table: "t".to_owned(), symbol: "s".to_owned(), date: "d".to_owned(), state };
        let json = serde_json::to_value(&finding).expect("json");
        assert_eq!((json["index"].as_str(), json["create"].as_str()), (Some("missing"), Some("CREATE INDEX …")));
        assert_eq!(serde_json::from_value::<IndexFinding>(json).expect("back"), finding);
        for state in [finding.state.clone(), IndexState::View, IndexState::Present { name: "p".to_owned() }] {
            assert!(!IndexFinding { state, ..finding.clone() }.words().ends_with('.'));
        }
    }
}
