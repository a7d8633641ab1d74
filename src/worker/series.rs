//! One line of a chart as it is asked for and as it is answered: a set's column or a formula, its values, its figures.
//!
//! Not how it is drawn. Contract: a source names its values completely, so two lines of the same source share one answer; a
//! value that is not defined is NaN; figures are worked out on the worker, one pass for the extent and one for the histogram.

use crate::feature::FeatureTable;
use crate::feature::graph::WarmUp;
use crate::market::Symbol;
use crate::market::pyramid::{Extent, Pyramid};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Where the values of a line come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesSource {
    /// A column of a feature set.
    Column {
        /// The set's name.
        set: String,
        /// The feature's name.
        name: String,
    },
    /// A formula of its own.
    Formula {
        /// As it was written.
        text: String,
        /// What windows that are not full give.
        #[serde(default, with = "warm_up_word")]
        warm_up: WarmUp,
    },
    /// The closes of another symbol, at the times of the bars.
    Symbol(Symbol),
}

impl SeriesSource {
    /// A column of a set.
    #[must_use]
    pub fn column(set: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Column { set: set.into(), name: name.into() }
    }

    /// A formula; windows that are not full give null.
    #[must_use]
    pub fn formula(text: impl Into<String>) -> Self {
        Self::Formula { text: text.into(), warm_up: WarmUp::Strict }
    }

    /// What stands in a legend unless the user named the line: the column, or the formula.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Column { name, .. } => name,
            Self::Formula { text, .. } => text,
            Self::Symbol(symbol) => symbol.as_str(),
        }
    }
}

/// [`WarmUp`] as a word.
mod warm_up_word {
    use super::WarmUp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(warm_up: &WarmUp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(warm_up)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WarmUp, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(if word == "partial" { WarmUp::Partial } else { WarmUp::Strict })
    }
}

/// Bins of the histogram of a column.
pub const HISTOGRAM_BINS: usize = 24;

/// What values a column has, beyond their size: it says how they are best drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValueKind {
    /// Numbers.
    #[default]
    Number,
    /// Nothing but 0 and 1: truths.
    Truth,
    /// Nothing but multiples of 100 around 0, mostly 0: candlestick patterns as TA-Lib counts them.
    Pattern,
}

/// A column at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFigures {
    /// Rows, those without a value included.
    pub rows: usize,
    /// Rows without a value.
    pub nulls: usize,
    /// Smallest value, if there is any.
    pub min: Option<f64>,
    /// Largest value, if there is any.
    pub max: Option<f64>,
    /// Mean of the values, if there is any.
    pub mean: Option<f64>,
    /// Value of the last row, if it has one.
    pub last: Option<f64>,
    /// How many values lie in each of equal parts of the way from the smallest to the largest; all in the first where they are equal.
    pub histogram: [u32; HISTOGRAM_BINS],
    /// What the values are.
    pub kind: ValueKind,
}

impl SeriesFigures {
    /// The figures of some values, in which NaN is null. Reads every value twice: call it on a worker.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let (mut min, mut max, mut mean, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0_usize);
        let (mut truths, mut hundreds, mut zeros) = (true, true, 0_usize);
        for value in values.iter().copied().filter(|value| !value.is_nan()) {
            (min, max) = (min.min(value), max.max(value));
            count += 1;
            // Halves, so that the difference of two large values of opposite sign cannot overflow.
            mean += 2.0 * ((value / 2.0 - mean / 2.0) / count as f64);
            truths &= value == 0.0 || value == 1.0;
            hundreds &= value % 100.0 == 0.0 && value.abs() <= 300.0;
            zeros += usize::from(value == 0.0);
        }
        let known = |value: f64| (count > 0).then_some(value);
        let kind = match count {
            0 => ValueKind::Number,
            _ if truths => ValueKind::Truth,
            _ if hundreds && zeros * 2 > count => ValueKind::Pattern,
            _ => ValueKind::Number,
        };
        Self {
            rows: values.len(),
            nulls: values.len() - count,
            min: known(min),
            max: known(max),
            mean: known(mean),
            last: values.last().copied().filter(|value| !value.is_nan()),
            histogram: histogram(values, Extent { min, max }),
            kind,
        }
    }
}

fn histogram(values: &[f64], extent: Extent) -> [u32; HISTOGRAM_BINS] {
    let mut bins = [0_u32; HISTOGRAM_BINS];
    // Halves here too: the whole way may be longer than a number can be.
    let way = extent.max / 2.0 - extent.min / 2.0;
    for value in values.iter().filter(|value| !value.is_nan()) {
        let share = if way > 0.0 { (value / 2.0 - extent.min / 2.0) / way } else { 0.0 };
        let place = ((share * HISTOGRAM_BINS as f64) as usize).min(HISTOGRAM_BINS - 1);
        if let Some(bin) = bins.get_mut(place) {
            *bin = bin.saturating_add(1);
        }
    }
    bins
}

/// Where the values of an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesOrigin {
    /// A cached file, or its copy in memory.
    Cached,
    /// Worked out from the bars, for this view only.
    Computed,
}

/// Values without a copy where they lie in a table already.
#[derive(Debug, Clone)]
enum Values {
    OfTable(Arc<FeatureTable>, usize),
    Own(Vec<f64>),
}

/// The values of a line, row by row beside the bars, with their levels of detail.
#[derive(Debug, Clone)]
pub struct SeriesColumn {
    values: Values,
    pyramid: Pyramid,
    figures: SeriesFigures,
    origin: SeriesOrigin,
    apart: usize,
}

impl SeriesColumn {
    /// A column of values. Reads every row: call it on a worker.
    #[must_use]
    pub fn new(values: Vec<f64>, origin: SeriesOrigin) -> Self {
        Self { pyramid: Pyramid::of_series(&values), figures: SeriesFigures::of(&values), values: Values::Own(values), origin, apart: 0 }
    }

    /// The column at this place of a table that has the times of the bars; empty where there is none. Reads every row.
    #[must_use]
    pub fn of_table(table: &Arc<FeatureTable>, position: usize, origin: SeriesOrigin) -> Self {
        let values = table.columns.get(position).map(Vec::as_slice).unwrap_or_default();
        let (pyramid, figures) = (Pyramid::of_series(values), SeriesFigures::of(values));
        Self { values: Values::OfTable(Arc::clone(table), position), pyramid, figures, origin, apart: 0 }
    }

    /// A value per bar; NaN is a gap.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        match &self.values {
            Values::OfTable(table, position) => table.columns.get(*position).map(Vec::as_slice).unwrap_or_default(),
            Values::Own(values) => values,
        }
    }

    /// What is drawn.
    #[must_use]
    pub fn series(&self) -> Series<'_> {
        Series { values: self.values(), pyramid: &self.pyramid }
    }

    /// What it looks like at a glance.
    #[must_use]
    pub fn figures(&self) -> &SeriesFigures {
        &self.figures
    }

    /// The same, with the number of its own bars that have no place among the chart's.
    #[must_use]
    pub(super) fn with_apart(self, apart: usize) -> Self {
        Self { apart, ..self }
    }

    /// Bars of another symbol, in the time of the chart's, at whose times the chart has none.
    #[must_use]
    pub fn apart(&self) -> usize {
        self.apart
    }

    /// Where the values came from.
    #[must_use]
    pub fn origin(&self) -> SeriesOrigin {
        self.origin
    }
}

/// One column and its pyramid.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// A value per bar; NaN is a gap.
    pub values: &'a [f64],
    /// Its levels of detail.
    pub pyramid: &'a Pyramid,
}

impl Series<'_> {
    /// The value at a bar, unless there is a gap.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<f64> {
        self.values.get(row).copied().filter(|value| !value.is_nan())
    }

    /// The first of some rows that has a value; a few dozen steps, whatever the number of rows.
    #[must_use]
    pub fn first_row(&self, rows: Range<usize>) -> Option<usize> {
        self.extent(rows.clone())?;
        let (mut low, mut high) = (rows.start, rows.end);
        // There is a value before `high`, and none before `low`.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.extent(low..middle).is_some() { high = middle } else { low = middle }
        }
        Some(low)
    }

    /// Lowest and highest of some rows.
    #[must_use]
    pub fn extent(&self, rows: Range<usize>) -> Option<Extent> {
        self.pyramid.extent(self.values, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_leave_nulls_out_and_count_every_value_once() {
        let mut values: Vec<f64> = (0..240).map(f64::from).collect();
        values.extend([f64::NAN, f64::NAN]);
        let figures = SeriesFigures::of(&values);
        assert_eq!((figures.rows, figures.nulls, figures.last), (242, 2, None));
        assert_eq!((figures.min, figures.max, figures.mean), (Some(0.0), Some(239.0), Some(119.5)));
        assert_eq!(figures.histogram.iter().sum::<u32>(), 240);
        assert!(figures.histogram.iter().all(|count| (9..=11).contains(count)), "{:?}", figures.histogram);
    }

    #[test]
    fn figures_of_nothing_of_one_value_and_of_huge_values_are_calm() {
        let nothing = SeriesFigures::of(&[f64::NAN]);
        assert_eq!((nothing.min, nothing.mean, nothing.histogram), (None, None, [0; HISTOGRAM_BINS]));
        assert_eq!(SeriesFigures::of(&[7.0, 7.0]).histogram[0], 2);
        let huge = SeriesFigures::of(&[f64::MIN, f64::MAX]);
        assert_eq!((huge.histogram[0], huge.histogram[HISTOGRAM_BINS - 1]), (1, 1));
        assert!(huge.mean.is_some_and(f64::is_finite));
    }

    #[test]
    fn truths_and_patterns_are_told_from_numbers() {
        let kind = |values: &[f64]| SeriesFigures::of(values).kind;
        assert_eq!(kind(&[f64::NAN, 0.0, 1.0, 1.0]), ValueKind::Truth);
        assert_eq!(kind(&[0.0, 0.0, -100.0, 0.0, 0.0, 100.0]), ValueKind::Pattern);
        assert_eq!(kind(&[0.0, 0.5, 1.0]), ValueKind::Number);
        assert_eq!(kind(&[100.0, 0.0, 100.0, 100.0]), ValueKind::Number, "a stochastic at its ends is no pattern");
        assert_eq!(kind(&[]), ValueKind::Number);
    }

    #[test]
    fn the_first_value_is_found_wherever_gaps_are() {
        let mut values = vec![f64::NAN; 10_000];
        let column = SeriesColumn::new(values.clone(), SeriesOrigin::Computed);
        assert_eq!(column.series().first_row(0..10_000), None);
        values[7_321] = 1.0;
        values[9_000] = 2.0;
        let column = SeriesColumn::new(values, SeriesOrigin::Computed);
        assert_eq!(column.series().first_row(0..10_000), Some(7_321));
        assert_eq!(column.series().first_row(7_321..7_322), Some(7_321));
        assert_eq!(column.series().first_row(7_322..10_000), Some(9_000));
        assert_eq!(column.series().first_row(0..7_321), None);
    }

    #[test]
    fn sources_are_written_and_read_back() {
        let sources = [
            SeriesSource::column("alpha158", "KMID"),
            SeriesSource::formula("Mean($close, 5)"),
            SeriesSource::Formula { text: "EMA($close, 5)".into(), warm_up: WarmUp::Partial },
            SeriesSource::Symbol(Symbol::new("BRK/B")),
        ];
        let text = serde_json::to_string(&sources).expect("json");
        assert_eq!(serde_json::from_str::<[SeriesSource; 4]>(&text).expect("json"), sources);
        let short: SeriesSource = serde_json::from_str(r#"{"formula":{"text":"$close"}}"#).expect("json");
        assert_eq!(short, SeriesSource::formula("$close"));
    }
}
