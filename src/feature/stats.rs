//! What a column of features looks like at a glance. Not a quality report: it judges nothing.

use super::FeatureTable;
use std::sync::Arc;

/// Summary of one column; null values count in `nulls` and nowhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnStats {
    /// The column.
    pub name: Arc<str>,
    /// Rows without a value.
    pub nulls: usize,
    /// Smallest value, if there is any.
    pub min: Option<f64>,
    /// Largest value, if there is any.
    pub max: Option<f64>,
    /// Mean of the values, if there is any.
    pub mean: Option<f64>,
}

/// Summaries of all columns, in order.
#[must_use]
pub fn column_stats(table: &FeatureTable) -> Vec<ColumnStats> {
    table.names.iter().zip(&table.columns).map(|(name, column)| summarise(Arc::clone(name), column)).collect()
}

fn summarise(name: Arc<str>, column: &[f64]) -> ColumnStats {
    let mut nulls = 0;
    let (mut min, mut max, mut mean, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0);
    for value in column {
        if value.is_nan() {
            nulls += 1;
            continue;
        }
        min = min.min(*value);
        max = max.max(*value);
        count += 1.0;
        // Halves, so that the difference of two large values of opposite sign cannot overflow.
        mean += 2.0 * ((value / 2.0 - mean / 2.0) / count);
    }
    let known = |value: f64| (count > 0.0).then_some(value);
    ColumnStats { name, nulls, min: known(min), max: known(max), mean: known(mean) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_counted_and_left_out() {
        let stats = summarise("x".into(), &[f64::NAN, 1.0, 4.0, f64::NAN, 1.0]);
        assert_eq!((stats.nulls, stats.min, stats.max, stats.mean), (2, Some(1.0), Some(4.0), Some(2.0)));
        let empty = summarise("x".into(), &[f64::NAN]);
        assert_eq!((empty.nulls, empty.min, empty.max, empty.mean), (1, None, None, None));
        assert!(summarise("x".into(), &[f64::MAX, f64::MIN]).mean.is_some_and(f64::is_finite));
    }
}
