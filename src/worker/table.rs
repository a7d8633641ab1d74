//! The table of symbols: which columns it has, what stands in each for a symbol, and the table as text or as columns of a file.
//!
//! Not how a column looks or how wide it is: that is the window's. Contract: names of fields are for machines and never translated;
//! times are UTC; what is not known is empty, never 0.

use super::snapshot::{Snapshot, SymbolRow};
use super::sparks::Spark;
use crate::cache::EntryState;
use crate::market::{Symbol, format_time};
use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, TimeUnit};
use serde::{Deserialize, Serialize};
use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

/// A column of the list of symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::EnumIter)]
pub enum Column {
    /// The symbol.
    Symbol,
    /// State, with the time it stays fresh.
    State,
    /// How long the first of its entries stays fresh.
    TimeLeft,
    /// The last closes as a small line.
    Trend,
    /// The last close.
    Close,
    /// By how much the last close is another than the one before.
    Change,
    /// First and last bar.
    Range,
    /// The last bar.
    LastBar,
    /// Bars.
    Bars,
    /// Sessions without a bar.
    MissingSessions,
    /// Bytes of bars.
    BarsSize,
    /// Bytes of features.
    FeaturesSize,
    /// Bytes of bars and features.
    Size,
    /// Reads from the cache.
    Hits,
    /// Which share of lookups the cache answered.
    HitRate,
    /// When it was last read.
    LastUsed,
    /// When its bars were fetched.
    Fetched,
    /// Failed attempts in a row.
    Attempts,
    /// Why the last attempt failed.
    Error,
    /// The market whose calendar it follows.
    Exchange,
    /// Whether it is pinned.
    Pinned,
}

/// What is known of closes, by symbol.
pub type Sparks = HashMap<Symbol, Arc<Spark>>;

/// One value of a field.
#[derive(Debug, Clone, PartialEq)]
enum Value<'row> {
    Text(&'row str),
    Count(Option<u64>),
    Number(Option<f64>),
    TimeUs(Option<i64>),
    Flag(bool),
}

type Getter = for<'row> fn(&'row SymbolRow, Option<&Spark>) -> Value<'row>;

/// A field of a file: its name and what stands in it.
type Field = (&'static str, Getter);

impl Column {
    /// Whether it is made of closes, which are read on their own.
    #[must_use]
    pub fn needs_closes(self) -> bool {
        matches!(self, Self::Close | Self::Change)
    }

    /// Whether looking at a symbol changes it.
    #[must_use]
    pub fn changes_by_reading(self) -> bool {
        matches!(self, Self::Hits | Self::HitRate | Self::LastUsed)
    }

    /// What it is in a file: no field for what is only a picture, two for a range.
    fn fields(self) -> &'static [Field] {
        match self {
            Self::Symbol => &[("symbol", |row, _| Value::Text(row.symbol.as_str()))],
            Self::State => &[("state", |row, _| Value::Text(row.state.word()))],
            Self::TimeLeft => &[("fresh_until", |row, _| Value::TimeUs(row.expires_at_us))],
            Self::Trend => &[],
            Self::Close => &[("close", |_, spark| Value::Number(spark.and_then(Spark::last)))],
            Self::Change => &[("change_percent", |_, spark| Value::Number(spark.and_then(Spark::change_percent)))],
            Self::Range => &[
                ("first", |row, _| Value::TimeUs(row.span_us.map(|(first, _)| first))),
                ("last", |row, _| Value::TimeUs(row.span_us.map(|(_, last)| last))),
            ],
            Self::LastBar => &[("last_bar", |row, _| Value::TimeUs(row.span_us.map(|(_, last)| last)))],
            Self::Bars => &[("bars", |row, _| Value::Count(Some(row.rows)))],
            Self::MissingSessions => &[("missing_sessions", |row, _| Value::Count(row.missing_sessions()))],
            Self::BarsSize => &[("bars_bytes", |row, _| Value::Count(Some(row.bars_bytes)))],
            Self::FeaturesSize => &[("features_bytes", |row, _| Value::Count(Some(row.features_bytes)))],
            Self::Size => &[("bytes", |row, _| Value::Count(Some(row.size_bytes())))],
            Self::Hits => &[("hits", |row, _| Value::Count(Some(row.hits)))],
            Self::HitRate => &[("hit_rate", |row, _| Value::Number(row.hit_rate))],
            Self::LastUsed => &[("last_used", |row, _| Value::TimeUs(row.last_used_us))],
            Self::Fetched => &[("fetched_at", |row, _| Value::TimeUs(row.fetched_at_us))],
            Self::Attempts => &[("failed_attempts", |row, _| Value::Count(Some(u64::from(row.attempts))))],
            Self::Error => &[("error", |row, _| Value::Text(row.failure.as_deref().unwrap_or_default()))],
            Self::Exchange => &[("exchange", |row, _| Value::Text(row.exchange.name()))],
            Self::Pinned => &[("pinned", |row, _| Value::Flag(row.pinned))],
        }
    }

    /// Which of two rows comes first; what is not known comes before what is.
    #[must_use]
    pub fn compare(self, left: &SymbolRow, right: &SymbolRow, sparks: &Sparks) -> Ordering {
        let spark = |row: &SymbolRow| sparks.get(&row.symbol).cloned();
        let numbers = |left: Option<f64>, right: Option<f64>| match (left, right) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        };
        match self {
            Self::Symbol => left.symbol.cmp(&right.symbol),
            // What needs attention last: within a state, what is over soonest, or has been over for longest.
            Self::State => {
                let key = |row: &SymbolRow| {
                    let over_us = if row.state == EntryState::Stale { row.stale_since_us } else { row.expires_at_us };
                    (row.state.severity(), Reverse(over_us.unwrap_or(i64::MAX)))
                };
                key(left).cmp(&key(right))
            }
            Self::TimeLeft => left.expires_at_us.cmp(&right.expires_at_us),
            Self::Close => numbers(spark(left).and_then(|spark| spark.last()), spark(right).and_then(|spark| spark.last())),
            Self::Trend | Self::Change => {
                numbers(spark(left).and_then(|spark| spark.change_percent()), spark(right).and_then(|spark| spark.change_percent()))
            }
            Self::Range => left.span_us.map(|(first, last)| (last, first)).cmp(&right.span_us.map(|(first, last)| (last, first))),
            Self::LastBar => left.span_us.map(|(_, last)| last).cmp(&right.span_us.map(|(_, last)| last)),
            Self::Bars => (left.rows, left.source_rows).cmp(&(right.rows, right.source_rows)),
            Self::MissingSessions => left.missing_sessions().cmp(&right.missing_sessions()),
            Self::BarsSize => left.bars_bytes.cmp(&right.bars_bytes),
            Self::FeaturesSize => left.features_bytes.cmp(&right.features_bytes),
            Self::Size => left.size_bytes().cmp(&right.size_bytes()),
            Self::Hits => left.hits.cmp(&right.hits),
            Self::HitRate => numbers(left.hit_rate, right.hit_rate),
            Self::LastUsed => left.last_used_us.cmp(&right.last_used_us),
            Self::Fetched => left.fetched_at_us.cmp(&right.fetched_at_us),
            Self::Attempts => left.attempts.cmp(&right.attempts),
            Self::Error => left.failure.cmp(&right.failure),
            Self::Exchange => left.exchange.name().cmp(right.exchange.name()),
            Self::Pinned => left.pinned.cmp(&right.pinned),
        }
    }
}

/// Rows and columns of the list, in their order.
#[derive(Debug, Clone)]
pub struct Table {
    /// What the rows are of.
    pub snapshot: Arc<Snapshot>,
    /// Which rows of it.
    pub rows: Vec<usize>,
    /// Which columns.
    pub columns: Vec<Column>,
    /// What is known of closes.
    pub sparks: Arc<Sparks>,
}

impl Table {
    fn fields(&self) -> Vec<Field> {
        self.columns.iter().flat_map(|column| column.fields().iter().copied()).collect()
    }

    fn values<'table>(&'table self, get: Getter) -> impl Iterator<Item = Value<'table>> {
        let rows = self.rows.iter().filter_map(|place| self.snapshot.rows.get(*place));
        rows.map(move |row| get(row, self.sparks.get(&row.symbol).map(|spark| &**spark)))
    }

    /// As lines with tabs between, with a line of names first, for spreadsheets: what would break a line is a space.
    #[must_use]
    pub fn to_tsv(&self) -> String {
        let fields = self.fields();
        let mut text = fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("\t");
        text.push('\n');
        for row in self.rows.iter().filter_map(|place| self.snapshot.rows.get(*place)) {
            let spark = self.sparks.get(&row.symbol).map(|spark| &**spark);
            for (place, (_, get)) in fields.iter().enumerate() {
                if place > 0 {
                    text.push('\t');
                }
                match get(row, spark) {
                    Value::Text(value) => {
                        text.extend(value.chars().map(|char| if matches!(char, '\t' | '\n' | '\r') { ' ' } else { char }));
                    }
                    Value::Count(value) => text += &value.map(|value| value.to_string()).unwrap_or_default(),
                    Value::Number(value) => text += &value.map(|value| value.to_string()).unwrap_or_default(),
                    Value::TimeUs(value) => text += &value.map(format_time).unwrap_or_default(),
                    Value::Flag(value) => text += if value { "true" } else { "false" },
                }
            }
            text.push('\n');
        }
        text
    }

    /// As columns of a file.
    ///
    /// # Errors
    /// When no column has a field.
    pub fn to_batch(&self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut fields = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for (name, get) in self.fields() {
            // The kind of a field is that of its values; without rows it does not matter.
            let kind = self.values(get).next();
            let array: ArrayRef = match kind {
                Some(Value::Text(_)) | None => Arc::new(
                    self.values(get).map(|value| if let Value::Text(text) = value { Some(text) } else { None }).collect::<StringArray>(),
                ),
                Some(Value::Count(_)) => Arc::new(
                    self.values(get).map(|value| if let Value::Count(count) = value { count } else { None }).collect::<UInt64Array>(),
                ),
                Some(Value::Number(_)) => Arc::new(
                    self.values(get).map(|value| if let Value::Number(number) = value { number } else { None }).collect::<Float64Array>(),
                ),
                Some(Value::TimeUs(_)) => Arc::new(
                    self.values(get)
                        .map(|value| if let Value::TimeUs(time_us) = value { time_us } else { None })
                        .collect::<TimestampMicrosecondArray>(),
                ),
                Some(Value::Flag(_)) => Arc::new(self.values(get).map(|value| Some(value == Value::Flag(true))).collect::<BooleanArray>()),
            };
            let data_type = match array.data_type() {
                DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, None),
                other => other.clone(),
            };
            fields.push(ArrowField::new(name, data_type, true));
            arrays.push(array);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator;

    fn table(names: &[&str], columns: Vec<Column>) -> Table {
        let rows = names.iter().map(|name| SymbolRow::empty(Symbol::new(name))).collect();
        let mut snapshot = Snapshot { rows, ..Snapshot::default() };
        for (place, row) in snapshot.rows.iter_mut().enumerate() {
            (row.rows, row.span_us) = (10 * place as u64, Some((0, 86_400_000_000)));
        }
        let spark = Spark { fingerprint: None, closes: vec![4.0, 5.0] };
        let sparks = names.first().map(|name| (Symbol::new(name), Arc::new(spark))).into_iter().collect();
        Table { rows: (0..names.len()).rev().collect(), snapshot: Arc::new(snapshot), columns, sparks: Arc::new(sparks) }
    }

    #[test]
    fn rows_and_columns_stand_in_the_order_asked_for() {
        let columns = vec![Column::Bars, Column::Symbol, Column::Trend, Column::Range, Column::Change, Column::Pinned];
        let text = table(&["A", "B\tC"], columns).to_tsv();
        assert_eq!(
            text,
            "bars\tsymbol\tfirst\tlast\tchange_percent\tpinned\n\
             10\tB C\t1970-01-01\t1970-01-02\t\tfalse\n\
             0\tA\t1970-01-01\t1970-01-02\t25\tfalse\n"
        );
    }

    #[test]
    fn every_column_has_a_field_of_its_own_in_a_file() {
        let batch = table(&["A", "B"], Column::iter().collect()).to_batch().expect("columns");
        let schema = batch.schema();
        let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let fields = Column::iter().count();
        assert_eq!((batch.num_rows(), names.len()), (2, fields), "a range is two fields, a picture is none");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), fields);
        assert_eq!(table(&[], vec![Column::Symbol]).to_batch().expect("no rows").num_rows(), 0);
        assert!(table(&["A"], vec![Column::Trend]).to_batch().is_err(), "nothing but a picture");
    }

    #[test]
    fn what_is_not_known_comes_first() {
        let table = table(&["A", "B"], Vec::new());
        let [known, unknown] = &table.snapshot.rows[..] else { panic!("two rows") };
        assert_eq!(Column::Close.compare(unknown, known, &table.sparks), Ordering::Less);
        assert_eq!(Column::Change.compare(known, known, &table.sparks), Ordering::Equal);
        for column in Column::iter() {
            assert_eq!(
                column.compare(known, unknown, &table.sparks),
                column.compare(unknown, known, &table.sparks).reverse(),
                "{column:?}"
            );
        }
    }
}
