//! Which column of a table plays which part in a bar, found by its name or told by the user.
//!
//! Pure: knows names, no database. What a column's values look like is decided where they are read.

use super::error::{SourceError, SourceErrorKind, listed};
use serde::{Deserialize, Serialize};

/// A part in a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// The instrument's name.
    Symbol,
    /// The day or time of the bar.
    Date,
    /// Opening price.
    Open,
    /// Highest price.
    High,
    /// Lowest price.
    Low,
    /// Closing price.
    Close,
    /// Traded volume.
    Volume,
    /// Traded money.
    Amount,
    /// Turnover rate in percent.
    Turnover,
    /// Shares in free float.
    FloatShares,
}

impl ColumnRole {
    /// Every role, in the order of a bar.
    pub const ALL: [Self; 10] = [
        Self::Symbol,
        Self::Date,
        Self::Open,
        Self::High,
        Self::Low,
        Self::Close,
        Self::Volume,
        Self::Amount,
        Self::Turnover,
        Self::FloatShares,
    ];
    /// The roles whose values are numbers, in the order of [`crate::market::RawBars`].
    pub(super) const NUMBERS: [Self; 8] =
        [Self::Open, Self::High, Self::Low, Self::Close, Self::Volume, Self::Amount, Self::Turnover, Self::FloatShares];

    /// The role's name in a source URL, as in `&close=adj_close`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Date => "date",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::Amount => "amount",
            Self::Turnover => "turnover",
            Self::FloatShares => "float_shares",
        }
    }

    /// The role of a key in a source URL.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }

    /// Whether there can be no bar without it.
    #[must_use]
    pub fn is_required(self) -> bool {
        matches!(self, Self::Symbol | Self::Date | Self::Open | Self::High | Self::Low | Self::Close)
    }

    /// How well a column's name says that it is this, 0 is best; `None` where it does not.
    #[must_use]
    pub fn rank_of(self, name: &str) -> Option<usize> {
        let name = plain_name(name);
        self.names().iter().position(|known| *known == name)
    }

    /// Names that are recognised, best first; compared without case, spaces and underscores.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Symbol => &[
                "symbol",
                "code",
                "ticker",
                "tscode",
                "stockcode",
                "seccode",
                "instrument",
                "代码",
                "股票代码",
                "证券代码",
                "symbolid",
                "instrumentid",
                "sid",
                "name",
            ],
            Self::Date => &[
                "date",
                "tradedate",
                "day",
                "datetime",
                "dt",
                "time",
                "timestamp",
                "tradetime",
                "tradingdate",
                "tradingday",
                "ts",
                "日期",
                "交易日期",
                "时间",
                "indexlevel0",
            ],
            Self::Open => &["open", "openprice", "o", "开盘", "开盘价"],
            Self::High => &["high", "highprice", "h", "最高", "最高价"],
            Self::Low => &["low", "lowprice", "l", "最低", "最低价"],
            Self::Close => &["close", "closeprice", "c", "收盘", "收盘价"],
            Self::Volume => &["volume", "vol", "v", "tradevolume", "成交量"],
            Self::Amount => &["amount", "money", "turnovervalue", "成交额", "成交金额"],
            Self::Turnover => &["turnover", "turnoverrate", "turn", "换手率"],
            Self::FloatShares => &["floatshares", "freefloat", "floatshare", "流通股", "流通股本"],
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Which column plays which role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ColumnMap {
    names: [Option<String>; 10],
}

impl ColumnMap {
    /// The column of a role.
    #[must_use]
    pub fn get(&self, role: ColumnRole) -> Option<&str> {
        self.names.get(role.index()).and_then(|name| name.as_deref())
    }

    /// Gives a role a column, or takes it away.
    pub fn set(&mut self, role: ColumnRole, column: Option<String>) {
        if let Some(name) = self.names.get_mut(role.index()) {
            *name = column.filter(|column| !column.is_empty());
        }
    }

    /// The roles that have a column.
    pub fn iter(&self) -> impl Iterator<Item = (ColumnRole, &str)> {
        ColumnRole::ALL.into_iter().filter_map(|role| Some((role, self.get(role)?)))
    }

    /// Whether no role has a column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(Option::is_none)
    }

    /// Finds the roles among a table's columns: what `overrides` says, the rest by name.
    ///
    /// # Errors
    /// When an override names no column, or a required role finds none (the symbol only where `needs_symbol`).
    pub fn detect(columns: &[String], overrides: &Self, table: &str, needs_symbol: bool) -> Result<Self, SourceError> {
        let mut found = Self::default();
        for (role, wanted) in overrides.iter() {
            let column = columns
                .iter()
                .find(|column| *column == wanted)
                .or_else(|| columns.iter().find(|column| column.to_lowercase() == wanted.to_lowercase()))
                .ok_or_else(|| {
                    SourceError::new(
                        SourceErrorKind::MissingColumn,
                        format!("{table} has no column \"{wanted}\" for the {}", role.key()),
                        format!("its columns are {}", listed(columns.iter().map(String::as_str))),
                    )
                })?;
            found.set(role, Some(column.clone()));
        }
        let taken: Vec<String> = found.iter().map(|(_, column)| column.to_owned()).collect();
        let plain: Vec<(String, &String)> =
            columns.iter().filter(|column| !taken.contains(column)).map(|column| (plain_name(column), column)).collect();
        for role in ColumnRole::ALL {
            if found.get(role).is_some() {
                continue;
            }
            let by_name = role.names().iter().find_map(|name| plain.iter().find(|(plain, _)| plain == name));
            found.set(role, by_name.map(|(_, column)| (*column).clone()));
        }
        let missing: Vec<ColumnRole> = ColumnRole::ALL
            .into_iter()
            .filter(|role| role.is_required() && found.get(*role).is_none() && (needs_symbol || *role != ColumnRole::Symbol))
            .collect();
        match missing.first() {
            None => Ok(found),
            Some(first) => Err(SourceError::new(
                SourceErrorKind::MissingColumn,
                format!("{table} has no column for {}", listed(missing.iter().map(|role| role.key()))),
                format!(
                    "say which one it is with &{}=COLUMN in the source URL; its columns are {}",
                    first.key(),
                    listed(columns.iter().map(String::as_str))
                ),
            )),
        }
    }
}

/// A name without what writers vary: case, spaces, underscores, quotes.
fn plain_name(name: &str) -> String {
    name.trim_start_matches('\u{feff}')
        .chars()
        .filter(|character| !matches!(character, '_' | '-' | ' ' | '"' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_under_the_names_people_use() {
        let tushare = owned(&["ts_code", "trade_date", "OPEN", "High", "low", "close", "pre_close", "vol", "amount"]);
        let map = ColumnMap::detect(&tushare, &ColumnMap::default(), "t", true).expect("columns");
        assert_eq!(map.get(ColumnRole::Symbol), Some("ts_code"));
        assert_eq!(map.get(ColumnRole::Date), Some("trade_date"));
        assert_eq!(map.get(ColumnRole::Open), Some("OPEN"));
        assert_eq!(map.get(ColumnRole::Volume), Some("vol"));
        assert_eq!(map.get(ColumnRole::Turnover), None);
        let chinese = owned(&["股票代码", "日期", "开盘", "最高", "最低", "收盘", "成交量", "成交额", "换手率"]);
        let map = ColumnMap::detect(&chinese, &ColumnMap::default(), "t", true).expect("columns");
        assert_eq!(map.iter().count(), 9);
    }

    #[test]
    fn a_name_is_the_symbol_only_when_nothing_better_is_there() {
        let both = owned(&["name", "code", "date", "open", "high", "low", "close"]);
        assert_eq!(ColumnMap::detect(&both, &ColumnMap::default(), "t", true).expect("columns").get(ColumnRole::Symbol), Some("code"));
        let only = owned(&["Name", "date", "open", "high", "low", "close"]);
        assert_eq!(ColumnMap::detect(&only, &ColumnMap::default(), "t", true).expect("columns").get(ColumnRole::Symbol), Some("Name"));
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_there() {
        let columns = owned(&["code", "date", "open", "high", "low", "last"]);
        let error = ColumnMap::detect(&columns, &ColumnMap::default(), "table \"bars\"", true).expect_err("no close");
        assert_eq!(error.kind(), SourceErrorKind::MissingColumn);
        let text = error.to_string();
        assert!(text.contains("close") && text.contains("last") && text.contains("&close=COLUMN"), "{text}");
        let mut overrides = ColumnMap::default();
        overrides.set(ColumnRole::Close, Some("LAST".to_owned()));
        let map = ColumnMap::detect(&columns, &overrides, "t", true).expect("columns");
        assert_eq!(map.get(ColumnRole::Close), Some("last"));
        overrides.set(ColumnRole::Close, Some("adj".to_owned()));
        assert!(ColumnMap::detect(&columns, &overrides, "t", true).expect_err("adj").message().contains("adj"));
    }
}
