//! Computing a set over bars: which kernels run, what they share, and how they go on from a row.
//!
//! Not the arithmetic (`indicator`) and not the state's text (`state`). Contract: every intermediate result that several
//! features need (the averages in MACD, the mean in Bollinger's bands, the changes in volatility) is computed once; sharing
//! never changes a value. Rows that are computed by going on from a state are bit for bit what they are when all rows are
//! computed: windowed kernels see their whole window again, recursive ones start from their numbers.

use super::definition::Definition;
use super::kernel::{BollingerLine, Input, KdjLine, Kernel, MacdLine};
use super::state::{FeatureState, Recursion, Registers};
use super::{FeatureSet, FeatureTable};
use crate::indicator::momentum::{Kdj, RelativeStrengths};
use crate::indicator::smooth::{ExponentialAverages, Macd, SeededSmoothing, Smoothing};
use crate::indicator::volatility::{self, Bollinger};
use crate::indicator::window::{Blocks, Spread};
use crate::indicator::{Obv, column, momentum, price, volume};
use crate::market::Bars;
use std::ops::Range;
use std::sync::Arc;

/// All features of a set over bars.
///
/// The table has a row for every bar; a value that is not defined is NaN, and none is infinite.
#[must_use]
pub fn compute(set: &FeatureSet, bars: &Bars) -> FeatureTable {
    rows_from(set, bars, 0, bars.len(), Registers::before_first_row(set.definitions())).0
}

/// All features of a set over bars, and the state before row `state_at` (`bars.len()`, or anything above it, is the end).
#[must_use]
pub fn compute_with_state(set: &FeatureSet, bars: &Bars, state_at: usize) -> (FeatureTable, FeatureState) {
    let state_at = state_at.min(bars.len());
    let (table, registers) = rows_from(set, bars, 0, state_at, Registers::before_first_row(set.definitions()));
    (table, FeatureState::noted(set, bars, state_at, &registers))
}

/// The rows from `from_row` on of what [`compute`] gives for all these bars, without computing the rows before; and the
/// state before row `state_at` (anything above `bars.len()` is the end).
///
/// Of the bars before `from_row` only the last [`look_back`] are read; that all of them are those the state was made from
/// is the caller's to know. `None` when the state is of other definitions, of another row or of another last bar, or
/// `state_at` is before `from_row`: then everything is to be computed.
#[must_use]
pub fn continue_from(
    set: &FeatureSet,
    bars: &Bars,
    from_row: usize,
    state: &FeatureState,
    state_at: usize,
) -> Option<(FeatureTable, FeatureState)> {
    let state_at = state_at.min(bars.len());
    if state.rows() != from_row || state_at < from_row || !state.fits(set, bars) {
        return None;
    }
    let (table, registers) = rows_from(set, bars, from_row, state_at, state.registers(set.definitions())?);
    Some((table, FeatureState::noted(set, bars, state_at, &registers)))
}

/// How many bars before a row [`continue_from`] reads; at least one, by which a state knows its place.
#[must_use]
pub fn look_back(set: &FeatureSet) -> usize {
    set.definitions().iter().map(|definition| definition.kernel.look_back()).max().unwrap_or(0).max(1)
}

/// The rows from `from_row` on, and the numbers before row `state_at`, given those before `from_row`.
fn rows_from(set: &FeatureSet, bars: &Bars, from_row: usize, state_at: usize, registers: Registers) -> (FeatureTable, Registers) {
    let mut run = Run::new(set, bars, from_row, state_at, registers);
    for definition in set.definitions() {
        if run.is_missing(&definition.kernel) {
            run.family(&definition.kernel);
        }
    }
    let time_us = part(&bars.time_us, from_row..bars.len()).to_vec();
    let columns = run.columns.into_iter().map(|column| column.unwrap_or_else(|| vec![f64::NAN; time_us.len()])).collect();
    let names = set.definitions().iter().map(|definition| Arc::clone(&definition.name)).collect();
    (FeatureTable { resolution: bars.resolution, time_us, names, columns }, run.leaving)
}

/// The bars a run sees: those that are wanted, and before them those that windows reach back to.
struct Seen<'a> {
    open: &'a [f64],
    high: &'a [f64],
    low: &'a [f64],
    close: &'a [f64],
    volume: &'a [f64],
    turnover: Option<&'a [f64]>,
}

/// One run over one symbol's bars: the columns so far and what several of them share.
struct Run<'a> {
    definitions: &'a [Definition],
    seen: Seen<'a>,
    /// How many of the seen bars are only looked back to; fewer than the look-back only where there are no more.
    before: usize,
    /// Number of wanted rows before the state is noted.
    noted_at: usize,
    /// Rows of the whole table before the first wanted one.
    from_row: usize,
    entering: Registers,
    leaving: Registers,
    columns: Vec<Option<Vec<f64>>>,
    close_sums: Blocks<'a>,
    volume_sums: Blocks<'a>,
    highs: Blocks<'a>,
    lows: Blocks<'a>,
}

/// Some of the values; none where the range does not lie within them.
fn part<Value>(values: &[Value], rows: Range<usize>) -> &[Value] {
    values.get(rows).unwrap_or_default()
}

/// Distinct values in the order they first occur.
fn distinct<Value: PartialEq>(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

impl<'a> Run<'a> {
    fn new(set: &'a FeatureSet, bars: &'a Bars, from_row: usize, state_at: usize, registers: Registers) -> Self {
        let definitions = set.definitions();
        let first_seen = from_row.saturating_sub(look_back(set));
        let seen = |column: &'a Vec<f64>| column.get(first_seen..).unwrap_or_default();
        let seen = Seen {
            open: seen(&bars.open),
            high: seen(&bars.high),
            low: seen(&bars.low),
            close: seen(&bars.close),
            volume: seen(&bars.volume),
            turnover: bars.turnover.as_ref().map(seen),
        };
        let longest =
            |pick: fn(&Kernel) -> Option<usize>| definitions.iter().filter_map(|definition| pick(&definition.kernel)).max().unwrap_or(0);
        let close = longest(|kernel| match *kernel {
            Kernel::MovingAverage { input: Input::Close, window } | Kernel::Bollinger { window, .. } | Kernel::Bias { window } => {
                Some(window)
            }
            _ => None,
        });
        let volume = longest(|kernel| match *kernel {
            Kernel::MovingAverage { input: Input::Volume, window }
            | Kernel::VolumeRatio { window }
            | Kernel::VolumeRatioToPrevious { window } => Some(window),
            _ => None,
        });
        let range = longest(|kernel| match *kernel {
            Kernel::Kdj { window, .. } | Kernel::WilliamsR { window } => Some(window),
            _ => None,
        });
        Self {
            definitions,
            before: from_row - first_seen,
            noted_at: state_at.saturating_sub(from_row),
            from_row,
            leaving: registers.clone(),
            entering: registers,
            columns: definitions.iter().map(|_| None).collect(),
            close_sums: Blocks::sums(seen.close, close),
            volume_sums: Blocks::sums(seen.volume, volume),
            highs: Blocks::maxima(seen.high, range),
            lows: Blocks::minima(seen.low, range),
            seen,
        }
    }

    fn kernels(&self) -> impl Iterator<Item = &'a Kernel> + use<'a> {
        self.definitions.iter().map(|definition| &definition.kernel)
    }

    fn is_missing(&self, kernel: &Kernel) -> bool {
        self.kernels().zip(&self.columns).any(|(candidate, column)| candidate == kernel && column.is_none())
    }

    /// Gives a kernel's values to every feature that is made of it; they are copied only where there are several.
    fn put(&mut self, kernel: &Kernel, values: Vec<f64>) {
        let mut columns = self.definitions.iter().zip(&mut self.columns).filter(|(definition, _)| definition.kernel == *kernel);
        if let Some((_, first)) = columns.next() {
            for (_, column) in columns {
                *column = Some(values.clone());
            }
            *first = Some(values);
        }
    }

    /// The wanted rows of a column over all that is seen.
    fn wanted(&self, values: Vec<f64>) -> Vec<f64> {
        if self.before == 0 { values } else { values.get(self.before..).unwrap_or_default().to_vec() }
    }

    /// Gives a windowed kernel its wanted rows of a column over all that is seen.
    fn put_windowed(&mut self, kernel: &Kernel, values: Vec<f64>) {
        let values = self.wanted(values);
        self.put(kernel, values);
    }

    /// The bar before the first wanted one: its close. `None` where the first wanted bar is the first of all.
    fn last_close(&self) -> Option<f64> {
        self.seen.close.get(self.before.checked_sub(1)?).copied()
    }

    /// Runs a recursion over the wanted rows (counted from the first of them) and gives its columns, and itself as it is
    /// where the state is to be noted.
    fn through<State: Clone>(
        &self,
        mut state: State,
        mut extend: impl FnMut(&mut State, Range<usize>) -> Vec<Vec<f64>>,
    ) -> (Vec<Vec<f64>>, State) {
        let rows = self.seen.close.len().saturating_sub(self.before);
        let mut columns = extend(&mut state, 0..self.noted_at);
        let noted = state.clone();
        if self.noted_at < rows {
            for (column, mut rest) in columns.iter_mut().zip(extend(&mut state, self.noted_at..rows)) {
                column.append(&mut rest);
            }
        }
        (columns, noted)
    }

    /// Exponential averages, all in one go, and the MACDs made of them.
    fn averages(&mut self) {
        let windows = distinct(self.kernels().flat_map(|kernel| match *kernel {
            Kernel::ExponentialAverage { window } => vec![window],
            Kernel::Macd { fast, slow, .. } => vec![fast, slow],
            _ => Vec::new(),
        }));
        let macds = distinct(self.kernels().filter_map(|kernel| match *kernel {
            Kernel::Macd { fast, slow, signal, .. } => Some((fast, slow, signal)),
            _ => None,
        }));
        let is_first = self.from_row == 0;
        let mut state = ExponentialAverages::new(&windows);
        if !is_first {
            let last = windows.iter().map(|window| first(self.entering.get(Recursion::Average { window: *window })));
            state = state.continued(&last.collect::<Vec<_>>());
        }
        let close = self.seen.close.get(self.before..).unwrap_or_default();
        let (averages, state) = self.through(state, |state, rows| state.extend(part(close, rows)));
        for (window, value) in windows.iter().zip(state.values()) {
            self.leaving.set(Recursion::Average { window: *window }, [*value, 0.0]);
        }
        let average = |window: usize| windows.iter().zip(&averages).find(|(candidate, _)| **candidate == window).map(|(_, values)| values);
        for (fast, slow, signal) in macds {
            let (Some(fast_average), Some(slow_average)) = (average(fast), average(slow)) else { continue };
            let recursion = Recursion::Signal { fast, slow, signal };
            let mut state = Smoothing::exponential([signal]);
            if !is_first {
                state = state.continued([first(self.entering.get(recursion))]);
            }
            let (lines, state) = self.through(state, |state, rows| {
                let Macd { dif, dea, histogram } = Macd::of(part(fast_average, rows.clone()), part(slow_average, rows), state);
                vec![dif, dea, histogram]
            });
            let [value] = state.values();
            self.leaving.set(recursion, [value, 0.0]);
            for (line, values) in [MacdLine::Dif, MacdLine::Dea, MacdLine::Histogram].into_iter().zip(lines) {
                self.put(&Kernel::Macd { fast, slow, signal, line }, values);
            }
        }
        for (window, values) in windows.into_iter().zip(averages) {
            self.put(&Kernel::ExponentialAverage { window }, values);
        }
    }

    /// Relative strengths, all in one go.
    fn strengths(&mut self) {
        let windows = distinct(self.kernels().filter_map(|kernel| match *kernel {
            Kernel::Rsi { window } => Some(window),
            _ => None,
        }));
        let mut state = RelativeStrengths::new(&windows);
        if let Some(last) = self.last_close() {
            let numbers: Vec<[f64; 2]> = windows.iter().map(|window| self.entering.get(Recursion::Strength { window: *window })).collect();
            // One bar is seen, but has no change yet: the first change is still to seed the averages.
            state = state.continued(last, (self.from_row > 1).then_some(&numbers));
        }
        let close = self.seen.close.get(self.before..).unwrap_or_default();
        let (strengths, state) = self.through(state, |state, rows| state.extend(part(close, rows)));
        for (window, numbers) in windows.iter().zip(state.values()) {
            self.leaving.set(Recursion::Strength { window: *window }, *numbers);
        }
        for (window, values) in windows.into_iter().zip(strengths) {
            self.put(&Kernel::Rsi { window }, values);
        }
    }

    /// Changes from bar to bar, and their deviations.
    fn changes(&mut self) {
        let changes = price::percent_change(self.seen.close, 1);
        for kernel in distinct(self.kernels()) {
            if let Kernel::Volatility { window } = *kernel {
                self.put_windowed(kernel, volatility::deviation_of_changes(&changes, window));
            }
        }
        self.put_windowed(&Kernel::RateOfChange { window: 1 }, changes);
    }

    fn bollinger(&mut self, window: usize) {
        let spread = Spread::of(self.seen.close, window);
        let Bollinger { middle, upper, lower, width, percent_b } =
            Bollinger::of(self.seen.close.len(), &self.close_sums.mean(window), &spread, window);
        for (line, values) in [
            (BollingerLine::Middle, middle),
            (BollingerLine::Upper, upper),
            (BollingerLine::Lower, lower),
            (BollingerLine::Width, width),
            (BollingerLine::PercentB, percent_b),
        ] {
            self.put_windowed(&Kernel::Bollinger { window, line }, values);
        }
    }

    /// Cuts what a recursion is fed out of values that are warm only: the first `lead` bars have none. Gives the values of
    /// these wanted rows, and how many of the rows are without.
    fn warm<'v>(&self, values: &'v [f64], lead: usize, rows: &Range<usize>) -> (&'v [f64], usize) {
        let place = |row: usize| (row + self.before).saturating_sub(lead);
        let values = part(values, place(rows.start)..place(rows.end).min(values.len()));
        (values, rows.len().saturating_sub(values.len()))
    }

    fn kdj(&mut self, window: usize) {
        let rsv = momentum::raw_stochastic(self.seen.close, &self.highs.extremes(window), &self.lows.extremes(window), window);
        let recursion = Recursion::Stochastic { window };
        let (lines, state) = self.through(Kdj::continued(self.entering.get(recursion)), |state, rows| {
            let (rsv, lead) = self.warm(&rsv, window.saturating_sub(1), &rows);
            state.extend(rsv).map(|warm| column(rows.len(), lead, warm.into_iter())).to_vec()
        });
        self.leaving.set(recursion, state.values());
        for (line, values) in [KdjLine::K, KdjLine::D, KdjLine::J].into_iter().zip(lines) {
            self.put(&Kernel::Kdj { window, line }, values);
        }
    }

    fn true_range(&mut self, window: usize) {
        let ranges = volatility::true_ranges(self.seen.high, self.seen.low, self.seen.close);
        let recursion = Recursion::TrueRange { window };
        let seen = self.from_row.saturating_sub(1);
        let state = SeededSmoothing::wilder(window).continued(seen, first(self.entering.get(recursion)));
        let (mut lines, state) = self.through(state, |state, rows| {
            let (ranges, lead) = self.warm(&ranges, 1, &rows);
            vec![column(rows.len(), lead, state.extend(ranges).into_iter())]
        });
        self.leaving.set(recursion, [state.value(), 0.0]);
        self.put(&Kernel::AverageTrueRange { window }, lines.pop().unwrap_or_default());
    }

    fn on_balance(&mut self) {
        let value = first(self.entering.get(Recursion::OnBalance));
        let state = self.last_close().map_or_else(Obv::default, |close| Obv::continued(close, value));
        let close = self.seen.close.get(self.before..).unwrap_or_default();
        let volume = self.seen.volume.get(self.before..).unwrap_or_default();
        let (mut lines, state) = self.through(state, |state, rows| vec![state.extend(part(close, rows.clone()), part(volume, rows))]);
        self.leaving.set(Recursion::OnBalance, [state.value(), 0.0]);
        self.put(&Kernel::OnBalanceVolume, lines.pop().unwrap_or_default());
    }

    /// Computes a kernel, and with it all that comes from the same work.
    fn family(&mut self, kernel: &Kernel) {
        let Seen { open, high, low, close, volume, turnover } = self.seen;
        let values = match *kernel {
            Kernel::MovingAverage { input, window } => {
                let sums = if input == Input::Close { &self.close_sums } else { &self.volume_sums };
                column(close.len(), window.saturating_sub(1), sums.mean(window).into_iter())
            }
            Kernel::ExponentialAverage { .. } | Kernel::Macd { .. } => return self.averages(),
            Kernel::Rsi { .. } => return self.strengths(),
            Kernel::Bollinger { window, .. } => return self.bollinger(window),
            Kernel::Kdj { window, .. } => return self.kdj(window),
            Kernel::RateOfChange { window: 1 } | Kernel::Volatility { .. } => return self.changes(),
            Kernel::AverageTrueRange { window } => return self.true_range(window),
            Kernel::OnBalanceVolume => return self.on_balance(),
            Kernel::Formula => Vec::new(),
            Kernel::Cci { window } => momentum::commodity_channel(high, low, close, window),
            Kernel::WilliamsR { window } => momentum::williams(close, &self.highs.extremes(window), &self.lows.extremes(window), window),
            Kernel::Momentum { window } => price::difference(close, window),
            Kernel::RateOfChange { window } => price::percent_change(close, window),
            Kernel::LogReturn => price::log_return(close),
            Kernel::Amplitude => price::amplitude(high, low, close),
            Kernel::Gap => price::percent_of_previous(open, close),
            Kernel::VolumeRatioToPrevious { window } => volume::ratio_to_previous(volume, &self.volume_sums, window),
            Kernel::VolumeRatio { window } => volume::ratio_to_mean(volume, &self.volume_sums, window),
            Kernel::VolumeChange => price::percent_change(volume, 1),
            Kernel::TurnoverRate => column(close.len(), 0, turnover.unwrap_or_default().iter().copied()),
            Kernel::Bias { window } => momentum::bias(close, &self.close_sums, window),
            Kernel::PsychologicalLine { window } => momentum::psychological_line(close, window),
        };
        self.put_windowed(kernel, values);
    }
}

fn first([number, _]: [f64; 2]) -> f64 {
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::DAY_US;

    fn bars(len: usize) -> Bars {
        let close: Vec<f64> = (0..len).map(|day| 50.0 + ((day * 7) % 11) as f64 + day as f64 / 10.0).collect();
        Bars {
            time_us: (0..len as i64).map(|day| day * DAY_US).collect(),
            open: close.iter().map(|close| close - 0.5).collect(),
            high: close.iter().map(|close| close + 1.0).collect(),
            low: close.iter().map(|close| close - 1.5).collect(),
            volume: close.iter().map(|close| 1_000.0 + close.floor()).collect(),
            close,
            ..Bars::default()
        }
    }

    #[test]
    fn a_feature_alone_is_what_it_is_among_all() {
        let (set, bars) = (FeatureSet::classic(), bars(150));
        let all = compute(&set, &bars);
        for definition in set.definitions() {
            let alone = set.part("one", |other| other == definition);
            let column = compute(&alone, &bars).columns.remove(0);
            let among = all.column(&definition.name).unwrap();
            assert!(column.iter().zip(among).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", definition.name);
            let first = among.iter().position(|value| !value.is_nan()).unwrap_or(0);
            assert_eq!(first, definition.kernel.first_value(), "{}", definition.name);
        }
    }

    #[test]
    fn two_names_of_one_kernel_have_the_same_values() {
        let kernel = Kernel::Kdj { window: 9, line: KdjLine::K };
        let set = FeatureSet::with_definitions("two", vec![Definition::new("a", kernel), Definition::new("b", kernel)]).unwrap();
        let table = compute(&set, &bars(30));
        assert_eq!(table.columns[0][8..], table.columns[1][8..]);
        assert!(table.columns[0][8..].iter().all(|value| value.is_finite()));
    }

    #[test]
    fn no_bars_give_a_table_without_rows() {
        let table = compute(&FeatureSet::classic(), &Bars::default());
        assert_eq!((table.len(), table.columns.len()), (0, 45));
    }

    #[test]
    fn turnover_is_the_source_s_or_null() {
        let mut bars = bars(3);
        assert!(compute(&FeatureSet::classic(), &bars).column("turnover_rate").unwrap().iter().all(|value| value.is_nan()));
        bars.turnover = Some(vec![1.5, f64::NAN, f64::INFINITY]);
        let table = compute(&FeatureSet::classic(), &bars);
        let column = table.column("turnover_rate").unwrap();
        assert_eq!(column[0], 1.5);
        assert!(column[1].is_nan() && column[2].is_nan());
    }
}
