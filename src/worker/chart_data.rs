//! What a chart shows: one symbol's bars and features, with the pyramids to draw them from.
//!
//! Not how it is shown (that is the window's business). Contract: immutable once built, shared by `Arc`; building reads every row once
//! and belongs on a worker, never on the window's thread.

use crate::feature::FeatureTable;
use crate::market::pyramid::{Extent, Pyramid};
use crate::market::{Bars, Symbol};
use std::ops::Range;
use std::sync::Arc;

/// One symbol, ready to be drawn.
#[derive(Debug, Clone)]
pub struct ChartData {
    /// Whose bars these are.
    pub symbol: Symbol,
    /// The bars.
    pub bars: Arc<Bars>,
    /// Features of the bars, if any are cached.
    pub features: Option<Arc<FeatureTable>>,
    /// Levels of detail of both.
    pub lod: Arc<ChartLod>,
    /// Time of the first bar that is not final: its session was not over when it was fetched.
    pub provisional_from_us: Option<i64>,
}

impl ChartData {
    /// Bars and features with their levels of detail. Reads every row: call it on a worker.
    #[must_use]
    pub fn new(symbol: Symbol, bars: Arc<Bars>, features: Option<Arc<FeatureTable>>) -> Self {
        let lod = Arc::new(ChartLod::build(&bars, features.as_deref()));
        Self { symbol, bars, features, lod, provisional_from_us: None }
    }

    /// The same, with the bars from this time on known to be provisional.
    #[must_use]
    pub fn with_provisional(self, from_us: Option<i64>) -> Self {
        Self { provisional_from_us: from_us, ..self }
    }

    /// Whether a bar may still change.
    #[must_use]
    pub fn is_provisional(&self, row: usize) -> bool {
        self.provisional_from_us.is_some_and(|from_us| self.bars.time_us.get(row).is_some_and(|time_us| *time_us >= from_us))
    }

    /// The feature of this name, row by row beside the bars.
    #[must_use]
    pub fn series(&self, name: &str) -> Option<Series<'_>> {
        let table = self.features.as_deref()?;
        let position = table.names.iter().position(|candidate| &**candidate == name)?;
        let values = match &self.lod.aligned {
            Some(columns) => columns.get(position)?,
            None => table.columns.get(position)?,
        };
        Some(Series { values, pyramid: self.lod.features.get(position)? })
    }

    /// Lowest low and highest high of some bars.
    #[must_use]
    pub fn price_extent(&self, rows: Range<usize>) -> Option<Extent> {
        self.lod.price.extent_of_ranges(&self.bars.low, &self.bars.high, rows)
    }

    /// The volumes.
    #[must_use]
    pub fn volume(&self) -> Series<'_> {
        Series { values: &self.bars.volume, pyramid: &self.lod.volume }
    }

    /// Tells one piece of data from another without looking inside.
    pub(crate) fn identity(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.bars) as usize, Arc::as_ptr(&self.lod) as usize)
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

    /// Lowest and highest of some rows.
    #[must_use]
    pub fn extent(&self, rows: Range<usize>) -> Option<Extent> {
        self.pyramid.extent(self.values, rows)
    }
}

/// Levels of detail of bars and features.
#[derive(Debug, Clone, Default)]
pub struct ChartLod {
    price: Pyramid,
    volume: Pyramid,
    features: Vec<Pyramid>,
    /// The feature columns moved to the rows of the bars, where the two do not have the same times: features of yesterday
    /// beside bars of today.
    aligned: Option<Vec<Vec<f64>>>,
}

impl ChartLod {
    /// Reads every row once: call it on a worker.
    #[must_use]
    pub fn build(bars: &Bars, features: Option<&FeatureTable>) -> Self {
        let aligned = features.filter(|table| table.time_us != bars.time_us).map(|table| align(bars, table));
        let columns = aligned.as_ref().or(features.map(|table| &table.columns));
        Self {
            price: Pyramid::of_ranges(&bars.low, &bars.high),
            volume: Pyramid::of_series(&bars.volume),
            features: columns.map(|columns| columns.iter().map(|column| Pyramid::of_series(column)).collect()).unwrap_or_default(),
            aligned,
        }
    }

    /// Bytes taken in memory beside the bars and features themselves.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let pyramids = self.features.iter().chain([&self.price, &self.volume]).map(Pyramid::size_bytes).sum::<usize>();
        pyramids + self.aligned.iter().flatten().map(|column| column.len() * 8).sum::<usize>()
    }
}

/// The columns of a table at the times of the bars; NaN where the table has no such time.
fn align(bars: &Bars, table: &FeatureTable) -> Vec<Vec<f64>> {
    let mut source_rows = Vec::with_capacity(bars.len());
    let mut next = 0;
    for time in &bars.time_us {
        while table.time_us.get(next).is_some_and(|candidate| candidate < time) {
            next += 1;
        }
        source_rows.push((table.time_us.get(next) == Some(time)).then_some(next));
    }
    let pick = |column: &Vec<f64>| {
        source_rows.iter().map(|row| row.and_then(|row| column.get(row)).copied().unwrap_or(f64::NAN)).collect::<Vec<f64>>()
    };
    table.columns.iter().map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::DAY_US;

    #[test]
    fn features_stand_at_the_bars_of_their_own_times() {
        let day = |day: i64| day * DAY_US;
        let flat = vec![1.0; 4];
        let bars = Bars {
            time_us: vec![day(1), day(2), day(3), day(5)],
            open: flat.clone(),
            high: flat.clone(),
            low: flat.clone(),
            close: flat.clone(),
            volume: flat,
            ..Bars::default()
        };
        let table = FeatureTable {
            time_us: vec![day(2), day(4), day(5)],
            names: vec!["ma5".into()],
            columns: vec![vec![20.0, 40.0, 50.0]],
            ..FeatureTable::default()
        };
        let data = ChartData::new(Symbol::new("A"), Arc::new(bars), Some(Arc::new(table)));
        let series = data.series("ma5").expect("the column is there");
        assert_eq!([0, 1, 2, 3].map(|row| series.at(row)), [None, Some(20.0), None, Some(50.0)]);
        assert!(data.series("ma10").is_none());
    }
}
