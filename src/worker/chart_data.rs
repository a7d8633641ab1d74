//! What a chart shows: one symbol's bars and the lines that were asked for, with the pyramids to draw them from.
//!
//! Not how it is shown (that is the window's business). Contract: immutable once built, shared by `Arc`; building reads every row once
//! and belongs on a worker, never on the window's thread. A line that cannot be had is an answer too, with its reason, and takes
//! nothing from the others.

use super::chart_findings::{ChartFinding, findings_of};
use super::series::{Series, SeriesColumn, SeriesFigures, SeriesOrigin, SeriesSource};
use crate::feature::FeatureTable;
use crate::market::pyramid::{Extent, Pyramid};
use crate::market::quality::MarketDays;
use crate::market::{Bars, Symbol};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What came of a line: its values, or why there are none.
pub type SeriesAnswer = Result<Arc<SeriesColumn>, Arc<str>>;

/// One symbol, ready to be drawn.
#[derive(Debug, Clone)]
pub struct ChartData {
    /// Whose bars these are.
    pub symbol: Symbol,
    /// The bars.
    pub bars: Arc<Bars>,
    /// Time of the first bar that is not final: its session was not over when it was fetched.
    pub provisional_from_us: Option<i64>,
    lod: Arc<BarsLod>,
    findings: Arc<[ChartFinding]>,
    answers: Vec<(SeriesSource, SeriesAnswer)>,
    /// Differs from that of every other piece of data.
    number: u64,
}

/// Levels of detail of the bars.
#[derive(Debug, Default)]
struct BarsLod {
    price: Pyramid,
    volume: Pyramid,
}

fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl ChartData {
    /// Bars with their levels of detail. Reads every row: call it on a worker.
    #[must_use]
    pub fn new(symbol: Symbol, bars: Arc<Bars>) -> Self {
        let lod = BarsLod { price: Pyramid::of_ranges(&bars.low, &bars.high), volume: Pyramid::of_series(&bars.volume) };
        Self {
            symbol,
            bars,
            provisional_from_us: None,
            lod: Arc::new(lod),
            findings: Arc::default(),
            answers: Vec::new(),
            number: next_number(),
        }
    }

    /// The same bars with other answers; those of lines that are on already stay beside them.
    #[must_use]
    pub fn with_answers(&self, answers: Vec<(SeriesSource, SeriesAnswer)>) -> Self {
        Self { answers, number: next_number(), ..self.clone() }
    }

    /// The same, with every column of a table as columns of a set. Reads every row.
    #[must_use]
    pub fn with_table(&self, set: &str, table: &Arc<FeatureTable>) -> Self {
        let table = aligned(&self.bars, table);
        let mut answers = self.answers.clone();
        answers.extend(table.names.iter().enumerate().map(|(position, name)| {
            let column = SeriesColumn::of_table(&table, position, SeriesOrigin::Cached);
            (SeriesSource::column(set, &**name), Ok(Arc::new(column)))
        }));
        self.with_answers(answers)
    }

    /// The same, with the bars from this time on known to be provisional.
    #[must_use]
    pub fn with_provisional(self, from_us: Option<i64>) -> Self {
        Self { provisional_from_us: from_us, ..self }
    }

    /// The same, with what is worth a look by the days of its market. Reads every row.
    #[must_use]
    pub fn with_findings(self, days: &MarketDays) -> Self {
        let findings = findings_of(&self.bars, days).into();
        Self { findings, ..self }
    }

    /// What is worth a look, in the order of rows.
    #[must_use]
    pub fn findings(&self) -> &[ChartFinding] {
        &self.findings
    }

    /// What is worth a look at a bar.
    #[must_use]
    pub fn findings_at(&self, row: usize) -> &[ChartFinding] {
        let from = self.findings.partition_point(|finding| finding.row < row);
        let to = self.findings.partition_point(|finding| finding.row <= row);
        self.findings.get(from..to).unwrap_or_default()
    }

    /// Whether a bar may still change.
    #[must_use]
    pub fn is_provisional(&self, row: usize) -> bool {
        self.provisional_from_us.is_some_and(|from_us| self.bars.time_us.get(row).is_some_and(|time_us| *time_us >= from_us))
    }

    /// What came of a line; `None` where it was not asked for.
    #[must_use]
    pub fn answer(&self, source: &SeriesSource) -> Option<&SeriesAnswer> {
        self.answers.iter().find(|(candidate, _)| candidate == source).map(|(_, answer)| answer)
    }

    /// All lines there are answers to.
    pub fn answers(&self) -> &[(SeriesSource, SeriesAnswer)] {
        &self.answers
    }

    /// The values of a line, row by row beside the bars.
    #[must_use]
    pub fn series(&self, source: &SeriesSource) -> Option<Series<'_>> {
        self.answer(source)?.as_ref().ok().map(|column| column.series())
    }

    /// A line at a glance.
    #[must_use]
    pub fn figures(&self, source: &SeriesSource) -> Option<&SeriesFigures> {
        self.answer(source)?.as_ref().ok().map(|column| column.figures())
    }

    /// Why a line cannot be shown.
    #[must_use]
    pub fn problem(&self, source: &SeriesSource) -> Option<&str> {
        self.answer(source)?.as_ref().err().map(|reason| &**reason)
    }

    /// Whether columns of a set had to be worked out for this view, because no cached file has them as they are defined now.
    #[must_use]
    pub fn features_computed(&self) -> bool {
        let computed = |answer: &SeriesAnswer| answer.as_ref().is_ok_and(|column| column.origin() == SeriesOrigin::Computed);
        self.answers.iter().any(|(source, answer)| matches!(source, SeriesSource::Column { .. }) && computed(answer))
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
    pub(crate) fn identity(&self) -> u64 {
        self.number
    }

    /// The same for all data over the same bars, whatever lines are with them.
    pub(crate) fn bars_identity(&self) -> usize {
        Arc::as_ptr(&self.lod) as usize
    }
}

/// The closes of other bars at the times of these, NaN where they have no such time; and how many of them, between the first and
/// the last of these, stand at other times.
pub(super) fn closes_beside(bars: &Bars, other: &Bars) -> (Vec<f64>, usize) {
    let mut values = Vec::with_capacity(bars.len());
    let first = bars.first_us().unwrap_or(i64::MAX);
    let mut next = other.time_us.partition_point(|time| *time < first);
    let mut apart = 0;
    for time in &bars.time_us {
        while other.time_us.get(next).is_some_and(|candidate| candidate < time) {
            next += 1;
            apart += 1;
        }
        let is_here = other.time_us.get(next) == Some(time);
        values.push(if is_here { other.close.get(next).copied().unwrap_or(f64::NAN) } else { f64::NAN });
        next += usize::from(is_here);
    }
    (values, apart)
}

/// A table at the times of the bars: itself, or with its rows moved to them and NaN where it has no such time (features of
/// yesterday beside bars of today).
pub(super) fn aligned(bars: &Bars, table: &Arc<FeatureTable>) -> Arc<FeatureTable> {
    if table.time_us == bars.time_us {
        return Arc::clone(table);
    }
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
    let columns = table.columns.iter().map(pick).collect();
    Arc::new(FeatureTable { resolution: table.resolution, time_us: bars.time_us.clone(), names: table.names.clone(), columns })
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
        let data = ChartData::new(Symbol::new("A"), Arc::new(bars)).with_table("classic", &Arc::new(table));
        let series = data.series(&SeriesSource::column("classic", "ma5")).expect("the column is there");
        assert_eq!([0, 1, 2, 3].map(|row| series.at(row)), [None, Some(20.0), None, Some(50.0)]);
        assert!(data.answer(&SeriesSource::column("classic", "ma10")).is_none());
        assert!(data.answer(&SeriesSource::column("talib", "ma5")).is_none(), "another set's column of the same name is another line");
    }

    #[test]
    fn another_symbol_stands_at_the_times_of_the_bars_and_nowhere_else() {
        let of = |days: &[i64]| Bars {
            time_us: days.iter().map(|day| day * DAY_US).collect(),
            close: days.iter().map(|day| *day as f64).collect(),
            ..Bars::default()
        };
        let (values, apart) = closes_beside(&of(&[3, 4, 6, 9]), &of(&[1, 2, 3, 5, 6, 7, 8, 20]));
        assert_eq!(values.iter().map(|value| value.is_nan()).collect::<Vec<_>>(), [false, true, false, true]);
        assert_eq!((values[0], values[2], apart), (3.0, 6.0, 3), "5, 7 and 8 have no place");
    }

    #[test]
    fn a_line_that_cannot_be_had_is_an_answer_with_its_reason() {
        let bars = ChartData::new(Symbol::new("A"), Arc::new(Bars::default()));
        let bad = SeriesSource::formula("Mean($clos, 5)");
        let data = bars.with_answers(vec![(bad.clone(), Err("there is no field $clos".into()))]);
        assert_eq!(data.problem(&bad), Some("there is no field $clos"));
        assert!(data.series(&bad).is_none() && data.figures(&bad).is_none() && !data.features_computed());
        assert_ne!(data.identity(), bars.identity());
        assert_eq!(data.bars_identity(), bars.bars_identity());
    }
}
