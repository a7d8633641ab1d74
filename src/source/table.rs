//! Which table of a database holds the bars, and how its columns are to be read.
//!
//! Pure: works on lists of tables and columns, however a database told them.

use super::columns::{ColumnMap, ColumnRole};
use super::error::{SourceError, SourceErrorKind, listed};
use super::time_value::DateStyle;

/// The table that is taken first when none is named.
const USUAL_TABLE: &str = "stock_kline_data";

/// A column as the database declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnInfo {
    pub(super) name: String,
    /// The declared type in lower case, without sizes: `varchar`, `double`, `timestamp with time zone`.
    pub(super) type_name: String,
    /// The collation, where a database tells it.
    pub(super) collation: Option<String>,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableInfo {
    /// The schema it must be called by, if any.
    pub(super) schema: Option<String>,
    pub(super) name: String,
    pub(super) columns: Vec<ColumnInfo>,
}

impl TableInfo {
    /// The name a user would write.
    pub(super) fn shown(&self) -> String {
        self.schema.as_ref().map_or_else(|| self.name.clone(), |schema| format!("{schema}.{}", self.name))
    }

    pub(super) fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The declared column of a role.
    pub(super) fn column_of(&self, map: &ColumnMap, role: ColumnRole) -> Option<&ColumnInfo> {
        let name = map.get(role)?;
        self.columns.iter().find(|column| column.name == name)
    }

    /// The roles of its columns.
    pub(super) fn detect(&self, overrides: &ColumnMap) -> Result<ColumnMap, SourceError> {
        ColumnMap::detect(&self.column_names(), overrides, &format!("table {}", self.shown()), true)
    }
}

/// How a number is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberKind {
    /// As a double (perhaps cast to one by the server).
    Double,
    /// As text, read here.
    Text,
}

/// A table with everything decided that a query needs to know.
#[derive(Debug, Clone)]
pub(super) struct TablePlan {
    pub(super) table: TableInfo,
    pub(super) columns: ColumnMap,
    pub(super) dates: DateStyle,
    pub(super) symbol_is_number: bool,
    /// Per number of a bar: its position among the selected columns and how it is sent.
    pub(super) numbers: [Option<(usize, NumberKind)>; 8],
}

impl TablePlan {
    pub(super) fn new(
        table: TableInfo,
        columns: ColumnMap,
        dates: DateStyle,
        is_number: fn(&str) -> bool,
        is_text: fn(&str) -> bool,
    ) -> Self {
        let mut position = 2;
        let numbers = ColumnRole::NUMBERS.map(|role| {
            let column = table.column_of(&columns, role)?;
            let kind = if is_text(&column.type_name) { NumberKind::Text } else { NumberKind::Double };
            position += 1;
            Some((position - 1, kind))
        });
        let symbol_is_number = table.column_of(&columns, ColumnRole::Symbol).is_some_and(|column| is_number(&column.type_name));
        Self { table, columns, dates, symbol_is_number, numbers }
    }
}

/// Chooses the table that is named, or finds the one that holds bars.
pub(super) fn choose_table(
    tables: Vec<TableInfo>,
    wanted: Option<&str>,
    overrides: &ColumnMap,
    place: &str,
) -> Result<TableInfo, SourceError> {
    let names = tables.iter().map(TableInfo::shown).collect::<Vec<_>>();
    let known = || listed(names.iter().map(String::as_str));
    if let Some(wanted) = wanted {
        let exact = |table: &&TableInfo| table.name == wanted || table.shown() == wanted;
        let loose = |table: &&TableInfo| {
            table.name.to_lowercase() == wanted.to_lowercase() || table.shown().to_lowercase() == wanted.to_lowercase()
        };
        let found = tables.iter().find(exact).or_else(|| tables.iter().find(loose)).cloned();
        return found.ok_or_else(|| {
            let hint = if names.is_empty() {
                "it has no tables that this user may read".to_owned()
            } else {
                format!("its tables are {}; choose one of them (table=TABLE in a source URL)", known())
            };
            SourceError::new(SourceErrorKind::MissingTable, format!("{place} has no table \"{wanted}\""), hint)
        });
    }
    if let Some(usual) = tables.iter().find(|table| table.name.eq_ignore_ascii_case(USUAL_TABLE)) {
        return Ok(usual.clone());
    }
    let mut scored: Vec<(usize, &TableInfo)> =
        tables.iter().filter_map(|table| Some((table.detect(overrides).ok()?.iter().count(), table))).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match scored.as_slice() {
        [(best, table), rest @ ..] if rest.first().is_none_or(|(second, _)| second < best) => Ok((*table).clone()),
        [(best, _), ..] => {
            let alike = scored.iter().filter(|(score, _)| score == best).map(|(_, table)| table.shown()).collect::<Vec<_>>();
            Err(SourceError::new(
                SourceErrorKind::MissingTable,
                format!("{place} has several tables that look like price bars: {}", listed(alike.iter().map(String::as_str))),
                "choose one of them as the table (table=TABLE in a source URL)",
            ))
        }
        [] if tables.len() == 1 => tables.into_iter().next().ok_or_else(|| SourceError::plain(SourceErrorKind::MissingTable, "no table")),
        [] => {
            let hint = if names.is_empty() {
                "load some bars into it, or check the user's rights".to_owned()
            } else {
                format!("its tables are {}; name one with table=TABLE and its columns with &close=COLUMN and the like", known())
            };
            Err(SourceError::new(SourceErrorKind::MissingTable, format!("{place} has no table that looks like price bars"), hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: &str) -> TableInfo {
        let columns =
            columns.split(' ').map(|name| ColumnInfo { name: name.to_owned(), type_name: "double".to_owned(), collation: None }).collect();
        TableInfo { schema: None, name: name.to_owned(), columns }
    }

    #[test]
    fn the_only_table_of_bars_is_found() {
        let tables = vec![table("users", "id name"), table("daily", "code date open high low close vol")];
        assert_eq!(choose_table(tables, None, &ColumnMap::default(), "db").expect("table").name, "daily");
    }

    #[test]
    fn tables_that_are_alike_are_named_instead_of_guessed() {
        let tables = vec![table("daily", "code date open high low close"), table("weekly", "code date open high low close")];
        let error = choose_table(tables.clone(), None, &ColumnMap::default(), "db").expect_err("two").to_string();
        assert!(error.contains("daily, weekly"), "{error}");
        assert_eq!(choose_table(tables, Some("WEEKLY"), &ColumnMap::default(), "db").expect("table").name, "weekly");
    }

    #[test]
    fn a_missing_table_is_told_with_those_there_are() {
        let error = choose_table(vec![table("users", "id name")], Some("bars"), &ColumnMap::default(), "database \"m\"").expect_err("none");
        assert_eq!(error.kind(), SourceErrorKind::MissingTable);
        assert!(error.to_string().contains("bars") && error.to_string().contains("users"), "{error}");
    }
}
