//! Computing a set over bars: which kernels run, and what they share.
//!
//! Not the arithmetic (`indicator`). Contract: every intermediate result that several features need (the averages in MACD,
//! the mean in Bollinger's bands, the changes in volatility) is computed once; sharing never changes a value.

use super::definition::{BollingerLine, Definition, Input, KdjLine, Kernel, MacdLine};
use super::{FeatureSet, FeatureTable};
use crate::indicator::momentum::Kdj;
use crate::indicator::smooth::{Macd, Smoothing, exponential_averages};
use crate::indicator::volatility::{self, Bollinger};
use crate::indicator::window::{Blocks, Spread};
use crate::indicator::{Obv, column, momentum, price, volume};
use crate::market::Bars;
use std::sync::Arc;

/// All features of a set over bars.
///
/// The table has a row for every bar; a value that is not defined is NaN, and none is infinite.
#[must_use]
pub fn compute(set: &FeatureSet, bars: &Bars) -> FeatureTable {
    let mut run = Run::new(set.definitions(), bars);
    for definition in set.definitions() {
        if run.is_missing(&definition.kernel) {
            run.family(&definition.kernel);
        }
    }
    FeatureTable {
        resolution: bars.resolution,
        time_us: bars.time_us.clone(),
        names: set.definitions().iter().map(|definition| Arc::clone(&definition.name)).collect(),
        columns: run.columns.into_iter().map(|column| column.unwrap_or_else(|| vec![f64::NAN; bars.len()])).collect(),
    }
}

/// One run over one symbol's bars: the columns so far and what several of them share.
struct Run<'a> {
    definitions: &'a [Definition],
    bars: &'a Bars,
    columns: Vec<Option<Vec<f64>>>,
    close_sums: Blocks<'a>,
    volume_sums: Blocks<'a>,
    highs: Blocks<'a>,
    lows: Blocks<'a>,
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
    fn new(definitions: &'a [Definition], bars: &'a Bars) -> Self {
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
            bars,
            columns: definitions.iter().map(|_| None).collect(),
            close_sums: Blocks::sums(&bars.close, close),
            volume_sums: Blocks::sums(&bars.volume, volume),
            highs: Blocks::maxima(&bars.high, range),
            lows: Blocks::minima(&bars.low, range),
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
        let averages = exponential_averages(&self.bars.close, &windows);
        let average = |window: usize| windows.iter().zip(&averages).find(|(candidate, _)| **candidate == window).map(|(_, values)| values);
        for (fast, slow, signal) in macds {
            let (Some(fast_average), Some(slow_average)) = (average(fast), average(slow)) else { continue };
            let Macd { dif, dea, histogram } = Macd::of(fast_average, slow_average, &mut Smoothing::exponential([signal]));
            for (line, values) in [(MacdLine::Dif, dif), (MacdLine::Dea, dea), (MacdLine::Histogram, histogram)] {
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
        let strengths = momentum::relative_strengths(&self.bars.close, &windows);
        for (window, values) in windows.into_iter().zip(strengths) {
            self.put(&Kernel::Rsi { window }, values);
        }
    }

    /// Changes from bar to bar, and their deviations.
    fn changes(&mut self) {
        let changes = price::percent_change(&self.bars.close, 1);
        for kernel in distinct(self.kernels()) {
            if let Kernel::Volatility { window } = *kernel {
                self.put(kernel, volatility::deviation_of_changes(&changes, window));
            }
        }
        self.put(&Kernel::RateOfChange { window: 1 }, changes);
    }

    fn bollinger(&mut self, window: usize) {
        let spread = Spread::of(&self.bars.close, window);
        let Bollinger { middle, upper, lower, width, percent_b } =
            Bollinger::of(self.bars.len(), &self.close_sums.mean(window), &spread, window);
        for (line, values) in [
            (BollingerLine::Middle, middle),
            (BollingerLine::Upper, upper),
            (BollingerLine::Lower, lower),
            (BollingerLine::Width, width),
            (BollingerLine::PercentB, percent_b),
        ] {
            self.put(&Kernel::Bollinger { window, line }, values);
        }
    }

    fn kdj(&mut self, window: usize) {
        let rsv = momentum::raw_stochastic(&self.bars.close, &self.highs.extremes(window), &self.lows.extremes(window), window);
        let [k, d, j] = Kdj::default().extend(&rsv).map(|warm| column(self.bars.len(), window.saturating_sub(1), warm.into_iter()));
        for (line, values) in [(KdjLine::K, k), (KdjLine::D, d), (KdjLine::J, j)] {
            self.put(&Kernel::Kdj { window, line }, values);
        }
    }

    /// Computes a kernel, and with it all that comes from the same work.
    fn family(&mut self, kernel: &Kernel) {
        let Bars { open, high, low, close, volume, .. } = self.bars;
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
            Kernel::AverageTrueRange { window } => volatility::average_true_range(high, low, close, window),
            Kernel::Cci { window } => momentum::commodity_channel(high, low, close, window),
            Kernel::WilliamsR { window } => momentum::williams(close, &self.highs.extremes(window), &self.lows.extremes(window), window),
            Kernel::OnBalanceVolume => Obv::default().extend(close, volume),
            Kernel::Momentum { window } => price::difference(close, window),
            Kernel::RateOfChange { window } => price::percent_change(close, window),
            Kernel::LogReturn => price::log_return(close),
            Kernel::Amplitude => price::amplitude(high, low, close),
            Kernel::Gap => price::percent_of_previous(open, close),
            Kernel::VolumeRatioToPrevious { window } => volume::ratio_to_previous(volume, &self.volume_sums, window),
            Kernel::VolumeRatio { window } => volume::ratio_to_mean(volume, &self.volume_sums, window),
            Kernel::VolumeChange => price::percent_change(volume, 1),
            Kernel::TurnoverRate => column(close.len(), 0, self.bars.turnover.iter().flatten().copied()),
            Kernel::Bias { window } => momentum::bias(close, &self.close_sums, window),
            Kernel::PsychologicalLine { window } => momentum::psychological_line(close, window),
        };
        self.put(kernel, values);
    }
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
            let alone = FeatureSet::with_definitions("one", vec![definition.clone()]).unwrap();
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
