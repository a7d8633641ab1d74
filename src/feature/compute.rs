//! Computing a set over bars: which kernels run, and what they share.
//!
//! Not the arithmetic (`indicator`). Contract: every intermediate result that several features need (the averages in MACD,
//! the mean in Bollinger's bands, the changes in volatility) is computed once; sharing never changes a value.

use super::definition::{BollingerLine, Input, KdjLine, Kernel, MacdLine};
use super::{FeatureSet, FeatureTable};
use crate::indicator::smooth::{Macd, Smoothing, exponential_averages};
use crate::indicator::volatility::{self, Bollinger};
use crate::indicator::window::{Blocks, Spread};
use crate::indicator::{Obv, finite_or_nan, momentum, price, volume};
use crate::market::Bars;
use std::sync::Arc;

/// All features of a set over bars.
///
/// The table has a row for every bar; a value that is not defined is NaN, and none is infinite.
#[must_use]
pub fn compute(set: &FeatureSet, bars: &Bars) -> FeatureTable {
    let mut shared = Shared::new(set, bars);
    let columns = set.definitions().iter().map(|definition| shared.column(&definition.kernel)).collect();
    FeatureTable {
        resolution: bars.resolution,
        time_us: bars.time_us.clone(),
        names: set.definitions().iter().map(|definition| Arc::clone(&definition.name)).collect(),
        columns,
    }
}

/// Results by what they were made from. Sets are short: a list is faster than a map and keeps an order.
type Known<Key, Value> = Vec<(Key, Value)>;

/// What the features of one run share.
struct Shared<'a> {
    bars: &'a Bars,
    close_sums: Blocks<'a>,
    volume_sums: Blocks<'a>,
    highs: Blocks<'a>,
    lows: Blocks<'a>,
    averages: Known<usize, Vec<f64>>,
    strengths: Known<usize, Vec<f64>>,
    macds: Known<(usize, usize, usize), Macd>,
    bands: Known<usize, Bollinger>,
    kdjs: Known<usize, [Vec<f64>; 3]>,
    changes: Option<Vec<f64>>,
}

fn find<'known, Key: PartialEq, Value>(known: &'known Known<Key, Value>, key: &Key) -> Option<&'known Value> {
    known.iter().find(|(candidate, _)| candidate == key).map(|(_, value)| value)
}

/// Distinct windows in the order they first occur.
fn distinct(windows: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen = Vec::new();
    for window in windows {
        if !seen.contains(&window) {
            seen.push(window);
        }
    }
    seen
}

impl<'a> Shared<'a> {
    fn new(set: &FeatureSet, bars: &'a Bars) -> Self {
        let kernels = || set.definitions().iter().map(|definition| &definition.kernel);
        let longest = |pick: fn(&Kernel) -> Option<usize>| kernels().filter_map(pick).max().unwrap_or(0);
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
        let averages = distinct(kernels().flat_map(|kernel| match *kernel {
            Kernel::ExponentialAverage { window } => vec![window],
            Kernel::Macd { fast, slow, .. } => vec![fast, slow],
            _ => Vec::new(),
        }));
        let strengths = distinct(kernels().filter_map(|kernel| match *kernel {
            Kernel::Rsi { window } => Some(window),
            _ => None,
        }));
        Self {
            bars,
            close_sums: Blocks::sums(&bars.close, close),
            volume_sums: Blocks::sums(&bars.volume, volume),
            highs: Blocks::maxima(&bars.high, range),
            lows: Blocks::minima(&bars.low, range),
            averages: averages.iter().copied().zip(exponential_averages(&bars.close, &averages)).collect(),
            strengths: strengths.iter().copied().zip(momentum::relative_strengths(&bars.close, &strengths)).collect(),
            macds: Vec::new(),
            bands: Vec::new(),
            kdjs: Vec::new(),
            changes: None,
        }
    }

    /// A warm-only result as a whole column.
    fn whole(&self, lead: usize, warm: &[f64]) -> Vec<f64> {
        let len = self.bars.len();
        let mut out = Vec::with_capacity(len);
        out.resize(lead.min(len), f64::NAN);
        out.extend(warm.iter().map(|value| finite_or_nan(*value)));
        out.resize(len, f64::NAN);
        out
    }

    /// A copy of a shared result; null where there is none.
    fn copy(&self, values: Option<&Vec<f64>>) -> Vec<f64> {
        values.cloned().unwrap_or_else(|| vec![f64::NAN; self.bars.len()])
    }

    fn column(&mut self, kernel: &Kernel) -> Vec<f64> {
        let Bars { open, high, low, close, volume, .. } = self.bars;
        match *kernel {
            Kernel::MovingAverage { input, window } => {
                let sums = if input == Input::Close { &self.close_sums } else { &self.volume_sums };
                self.whole(window.saturating_sub(1), &sums.mean(window))
            }
            Kernel::ExponentialAverage { window } => self.copy(find(&self.averages, &window)),
            Kernel::Macd { fast, slow, signal, line } => self.macd((fast, slow, signal), line),
            Kernel::Rsi { window } => self.copy(find(&self.strengths, &window)),
            Kernel::Bollinger { window, line } => self.bollinger(window, line),
            Kernel::Kdj { window, line } => self.kdj(window, line),
            Kernel::AverageTrueRange { window } => volatility::average_true_range(high, low, close, window),
            Kernel::Cci { window } => momentum::commodity_channel(&price::typical_price(high, low, close), window),
            Kernel::WilliamsR { window } => momentum::williams(close, &self.highs.extremes(window), &self.lows.extremes(window), window),
            Kernel::OnBalanceVolume => Obv::default().extend(close, volume),
            Kernel::Momentum { window } => price::difference(close, window),
            Kernel::RateOfChange { window: 1 } => self.changes().to_vec(),
            Kernel::RateOfChange { window } => price::percent_change(close, window),
            Kernel::LogReturn => price::log_return(close),
            Kernel::Amplitude => price::amplitude(high, low, close),
            Kernel::Gap => price::percent_of_previous(open, close),
            Kernel::Volatility { window } => volatility::deviation_of_changes(self.changes(), window),
            Kernel::VolumeRatioToPrevious { window } => volume::ratio_to_previous(volume, &self.volume_sums, window),
            Kernel::VolumeRatio { window } => volume::ratio_to_mean(volume, &self.volume_sums, window),
            Kernel::VolumeChange => price::percent_change(volume, 1),
            Kernel::TurnoverRate => match &self.bars.turnover {
                Some(turnover) => self.whole(0, turnover),
                None => self.copy(None),
            },
            Kernel::Bias { window } => momentum::bias(close, &self.close_sums, window),
            Kernel::PsychologicalLine { window } => momentum::psychological_line(close, window),
        }
    }

    fn changes(&mut self) -> &[f64] {
        self.changes.get_or_insert_with(|| price::percent_change(&self.bars.close, 1))
    }

    fn macd(&mut self, windows: (usize, usize, usize), line: MacdLine) -> Vec<f64> {
        if find(&self.macds, &windows).is_none()
            && let (Some(fast), Some(slow)) = (find(&self.averages, &windows.0), find(&self.averages, &windows.1))
        {
            let macd = Macd::of(fast, slow, &mut Smoothing::exponential([windows.2]));
            self.macds.push((windows, macd));
        }
        self.copy(find(&self.macds, &windows).map(|macd| match line {
            MacdLine::Dif => &macd.dif,
            MacdLine::Dea => &macd.dea,
            MacdLine::Histogram => &macd.histogram,
        }))
    }

    fn bollinger(&mut self, window: usize, line: BollingerLine) -> Vec<f64> {
        if find(&self.bands, &window).is_none() {
            let spread = Spread::of(&self.bars.close, window);
            let bands = Bollinger::of(self.bars.len(), &self.close_sums.mean(window), &spread, window);
            self.bands.push((window, bands));
        }
        self.copy(find(&self.bands, &window).map(|bands| match line {
            BollingerLine::Middle => &bands.middle,
            BollingerLine::Upper => &bands.upper,
            BollingerLine::Lower => &bands.lower,
            BollingerLine::Width => &bands.width,
            BollingerLine::PercentB => &bands.percent_b,
        }))
    }

    fn kdj(&mut self, window: usize, line: KdjLine) -> Vec<f64> {
        if find(&self.kdjs, &window).is_none() {
            let rsv = momentum::raw_stochastic(&self.bars.close, &self.highs.extremes(window), &self.lows.extremes(window), window);
            let lead = window.saturating_sub(1);
            let lines = momentum::Kdj::default().extend(&rsv).map(|warm| self.whole(lead, &warm));
            self.kdjs.push((window, lines));
        }
        self.copy(find(&self.kdjs, &window).map(|[k, d, j]| match line {
            KdjLine::K => k,
            KdjLine::D => d,
            KdjLine::J => j,
        }))
    }
}
