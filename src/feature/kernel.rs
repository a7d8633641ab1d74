//! The kernels of the first 45 features by name; formulas have taken their place.
//!
//! Not how they are computed (`compute`). Here until the graph is evaluated.

use std::fmt;

/// A column of the bars that a kernel reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Closing prices.
    Close,
    /// Volumes.
    Volume,
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Close => "close",
            Self::Volume => "volume",
        })
    }
}

/// One of MACD's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacdLine {
    /// Fast average minus slow average.
    Dif,
    /// Average of `Dif`.
    Dea,
    /// Twice `Dif` − `Dea`.
    Histogram,
}

/// One of the outputs of Bollinger's bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BollingerLine {
    /// Moving average.
    Middle,
    /// Average plus two deviations.
    Upper,
    /// Average minus two deviations.
    Lower,
    /// Distance between the bands over the average.
    Width,
    /// Where the close lies between the bands, 0 to 1.
    PercentB,
}

/// One of KDJ's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KdjLine {
    /// Smoothed rsv.
    K,
    /// Smoothed K.
    D,
    /// 3K − 2D.
    J,
}

/// How a feature's values come about: the kernel and its parameters. Windows count bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// None: it has a formula only.
    Formula,
    /// Mean of the last `window` values.
    MovingAverage {
        /// What is averaged.
        input: Input,
        /// Bars.
        window: usize,
    },
    /// y = y' + 2/(window+1)·(c − y'), seeded with the first close.
    ExponentialAverage {
        /// Bars.
        window: usize,
    },
    /// Moving average convergence divergence, histogram × 2.
    Macd {
        /// Window of the fast average.
        fast: usize,
        /// Window of the slow average.
        slow: usize,
        /// Window of the average of the difference.
        signal: usize,
        /// Which output.
        line: MacdLine,
    },
    /// Relative strength, smoothed by y' + (x − y')/window from the first change.
    Rsi {
        /// Bars.
        window: usize,
    },
    /// Moving average and two population deviations.
    Bollinger {
        /// Bars.
        window: usize,
        /// Which output.
        line: BollingerLine,
    },
    /// Stochastic of the Chinese market, seeded 50.
    Kdj {
        /// Window of the highest high and lowest low.
        window: usize,
        /// Which output.
        line: KdjLine,
    },
    /// Wilder's average true range.
    AverageTrueRange {
        /// Bars.
        window: usize,
    },
    /// Commodity channel index.
    Cci {
        /// Bars.
        window: usize,
    },
    /// Williams %R, 0 to 100.
    WilliamsR {
        /// Bars.
        window: usize,
    },
    /// On-balance volume.
    OnBalanceVolume,
    /// c − c `window` bars ago.
    Momentum {
        /// Bars.
        window: usize,
    },
    /// 100·(c/c `window` bars ago − 1).
    RateOfChange {
        /// Bars.
        window: usize,
    },
    /// ln(c/c').
    LogReturn,
    /// 100·(h − l)/c'.
    Amplitude,
    /// 100·(o/c' − 1).
    Gap,
    /// Sample standard deviation of the percentage changes.
    Volatility {
        /// Changes.
        window: usize,
    },
    /// Volume over the mean of the `window` volumes before it.
    VolumeRatioToPrevious {
        /// Bars before this one.
        window: usize,
    },
    /// Volume over the mean of the last `window` volumes, its own included.
    VolumeRatio {
        /// Bars, this one included.
        window: usize,
    },
    /// 100·(v/v' − 1).
    VolumeChange,
    /// The source's turnover, or volume over float shares.
    TurnoverRate,
    /// 100·(c/moving average − 1).
    Bias {
        /// Bars.
        window: usize,
    },
    /// Share of rising bars.
    PsychologicalLine {
        /// Changes.
        window: usize,
    },
}

/// The canonical text of a kernel, from which hashes are made: changing it makes every cached value outdated.
impl fmt::Display for Kernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Formula => formatter.write_str("formula"),
            Self::MovingAverage { input, window } => write!(formatter, "ma({input},{window})"),
            Self::ExponentialAverage { window } => write!(formatter, "ema(close,{window})"),
            Self::Macd { fast, slow, signal, line } => {
                let line = match line {
                    MacdLine::Dif => "dif",
                    MacdLine::Dea => "dea",
                    MacdLine::Histogram => "hist",
                };
                write!(formatter, "macd(close,{fast},{slow},{signal}).{line}")
            }
            Self::Rsi { window } => write!(formatter, "rsi(close,{window})"),
            Self::Bollinger { window, line } => {
                let line = match line {
                    BollingerLine::Middle => "mid",
                    BollingerLine::Upper => "upper",
                    BollingerLine::Lower => "lower",
                    BollingerLine::Width => "width",
                    BollingerLine::PercentB => "pct_b",
                };
                write!(formatter, "boll(close,{window},2).{line}")
            }
            Self::Kdj { window, line } => {
                let line = match line {
                    KdjLine::K => "k",
                    KdjLine::D => "d",
                    KdjLine::J => "j",
                };
                write!(formatter, "kdj(high,low,close,{window},3,3).{line}")
            }
            Self::AverageTrueRange { window } => write!(formatter, "atr(high,low,close,{window})"),
            Self::Cci { window } => write!(formatter, "cci(high,low,close,{window})"),
            Self::WilliamsR { window } => write!(formatter, "wr(high,low,close,{window})"),
            Self::OnBalanceVolume => formatter.write_str("obv(close,volume)"),
            Self::Momentum { window } => write!(formatter, "mom(close,{window})"),
            Self::RateOfChange { window } => write!(formatter, "roc(close,{window})"),
            Self::LogReturn => formatter.write_str("log_return(close)"),
            Self::Amplitude => formatter.write_str("amplitude(high,low,close)"),
            Self::Gap => formatter.write_str("gap(open,close)"),
            Self::Volatility { window } => write!(formatter, "volatility(close,{window})"),
            Self::VolumeRatioToPrevious { window } => write!(formatter, "volume_ratio(volume,{window},previous)"),
            Self::VolumeRatio { window } => write!(formatter, "volume_ratio(volume,{window})"),
            Self::VolumeChange => formatter.write_str("roc(volume,1)"),
            Self::TurnoverRate => formatter.write_str("turnover"),
            Self::Bias { window } => write!(formatter, "bias(close,{window})"),
            Self::PsychologicalLine { window } => write!(formatter, "psy(close,{window})"),
        }
    }
}

impl Kernel {
    /// The windows this kernel takes.
    #[must_use]
    pub fn windows(&self) -> Vec<usize> {
        match *self {
            Self::MovingAverage { window, .. }
            | Self::ExponentialAverage { window }
            | Self::Rsi { window }
            | Self::Bollinger { window, .. }
            | Self::Kdj { window, .. }
            | Self::AverageTrueRange { window }
            | Self::Cci { window }
            | Self::WilliamsR { window }
            | Self::Momentum { window }
            | Self::RateOfChange { window }
            | Self::Volatility { window }
            | Self::VolumeRatioToPrevious { window }
            | Self::VolumeRatio { window }
            | Self::Bias { window }
            | Self::PsychologicalLine { window } => vec![window],
            Self::Macd { fast, slow, signal, .. } => vec![fast, slow, signal],
            Self::Formula
            | Self::OnBalanceVolume
            | Self::LogReturn
            | Self::Amplitude
            | Self::Gap
            | Self::VolumeChange
            | Self::TurnoverRate => Vec::new(),
        }
    }

    /// Index of the first bar that can have a value.
    #[must_use]
    pub fn first_value(&self) -> usize {
        match *self {
            Self::Formula | Self::ExponentialAverage { .. } | Self::Macd { .. } | Self::OnBalanceVolume | Self::TurnoverRate => 0,
            Self::Rsi { .. } | Self::LogReturn | Self::Amplitude | Self::Gap | Self::VolumeChange => 1,
            Self::MovingAverage { window, .. }
            | Self::Bollinger { window, .. }
            | Self::Kdj { window, .. }
            | Self::Cci { window }
            | Self::WilliamsR { window }
            | Self::VolumeRatio { window }
            | Self::Bias { window } => window.saturating_sub(1),
            Self::AverageTrueRange { window }
            | Self::Momentum { window }
            | Self::RateOfChange { window }
            | Self::Volatility { window }
            | Self::VolumeRatioToPrevious { window }
            | Self::PsychologicalLine { window } => window,
        }
    }

    /// How many bars before a bar its value is made of, besides the state of a recursion.
    #[must_use]
    pub fn look_back(&self) -> usize {
        match *self {
            Self::Formula | Self::ExponentialAverage { .. } | Self::Macd { .. } | Self::TurnoverRate => 0,
            Self::OnBalanceVolume
            | Self::Rsi { .. }
            | Self::AverageTrueRange { .. }
            | Self::LogReturn
            | Self::Amplitude
            | Self::Gap
            | Self::VolumeChange => 1,
            Self::MovingAverage { window, .. }
            | Self::Bollinger { window, .. }
            | Self::Kdj { window, .. }
            | Self::Cci { window }
            | Self::WilliamsR { window }
            | Self::VolumeRatio { window }
            | Self::Bias { window } => window.saturating_sub(1),
            Self::Momentum { window }
            | Self::RateOfChange { window }
            | Self::Volatility { window }
            | Self::VolumeRatioToPrevious { window }
            | Self::PsychologicalLine { window } => window,
        }
    }

    /// The same as a formula of today.
    #[must_use]
    pub(super) fn formula(&self) -> String {
        match *self {
            Self::Formula => String::new(),
            Self::MovingAverage { input, window } => format!("Mean(${input}, {window})"),
            Self::ExponentialAverage { window } => format!("EMA($close, {window})"),
            Self::Macd { fast, slow, signal, line } => {
                let dif = format!("EMA($close, {fast}) - EMA($close, {slow})");
                match line {
                    MacdLine::Dif => dif,
                    MacdLine::Dea => format!("EMA({dif}, {signal})"),
                    MacdLine::Histogram => format!("2 * ({dif} - EMA({dif}, {signal}))"),
                }
            }
            Self::Rsi { window } => {
                let change = "Delta($close, 1)";
                let moves = format!("SMA(Abs({change}), {window}, 1)");
                format!("If({moves} == 0, 50, 100 * (SMA(Greater({change}, 0), {window}, 1) / {moves}))")
            }
            Self::Bollinger { window, line } => {
                let (mid, deviation) = (format!("Mean($close, {window})"), format!("StdP($close, {window})"));
                match line {
                    BollingerLine::Middle => mid,
                    BollingerLine::Upper => format!("{mid} + 2 * {deviation}"),
                    BollingerLine::Lower => format!("{mid} - 2 * {deviation}"),
                    BollingerLine::Width => format!("4 * {deviation} / {mid}"),
                    BollingerLine::PercentB => format!("(2 * {deviation} + Demean($close, {window})) / (4 * {deviation})"),
                }
            }
            Self::Kdj { window, line } => {
                let (high, low) = (format!("Max($high, {window})"), format!("Min($low, {window})"));
                let k = format!("SMA(If({high} - {low} == 0, 50, 100 * (($close - {low}) / ({high} - {low}))), 3, 1, 50)");
                match line {
                    KdjLine::K => k,
                    KdjLine::D => format!("SMA({k}, 3, 1, 50)"),
                    KdjLine::J => format!("3 * {k} - 2 * SMA({k}, 3, 1, 50)"),
                }
            }
            Self::AverageTrueRange { window } => format!("RMA(Greater($high, Ref($close, 1)) - Less($low, Ref($close, 1)), {window})"),
            Self::Cci { window } => {
                let typical = "($high + $low + $close) / 3";
                format!("If(Mad({typical}, {window}) == 0, 0, Demean({typical}, {window}) / (0.015 * Mad({typical}, {window})))")
            }
            Self::WilliamsR { window } => {
                format!("100 * ((Max($high, {window}) - $close) / (Max($high, {window}) - Min($low, {window})))")
            }
            Self::OnBalanceVolume => "CumSum(Coalesce(Sign(Delta($close, 1)), 1) * $volume)".to_owned(),
            Self::Momentum { window } => format!("Delta($close, {window})"),
            Self::RateOfChange { window } => format!("100 * (Delta($close, {window}) / Ref($close, {window}))"),
            Self::LogReturn => "Log1p(Delta($close, 1) / Ref($close, 1))".to_owned(),
            Self::Amplitude => "100 * (($high - $low) / Ref($close, 1))".to_owned(),
            Self::Gap => "100 * (($open - Ref($close, 1)) / Ref($close, 1))".to_owned(),
            Self::Volatility { window } => format!("Std(100 * (Delta($close, 1) / Ref($close, 1)), {window})"),
            Self::VolumeRatioToPrevious { window } => format!("$volume / Ref(Mean($volume, {window}), 1)"),
            Self::VolumeRatio { window } => format!("$volume / Mean($volume, {window})"),
            Self::VolumeChange => "100 * (Delta($volume, 1) / Ref($volume, 1))".to_owned(),
            Self::TurnoverRate => "$turnover".to_owned(),
            Self::Bias { window } => format!("100 * (Demean($close, {window}) / Mean($close, {window}))"),
            Self::PsychologicalLine { window } => format!("100 * Count($close > Ref($close, 1), {window}) / {window}"),
        }
    }

    /// The kernel of one of the first 45 features.
    pub(super) fn of_classic(name: &str) -> Self {
        let window = || name.trim_start_matches(|character: char| !character.is_ascii_digit()).parse().unwrap_or(0);
        match name.trim_end_matches(|character: char| character.is_ascii_digit()) {
            "ma" => Self::MovingAverage { input: Input::Close, window: window() },
            "ema" => Self::ExponentialAverage { window: window() },
            "macd_dif" => Self::Macd { fast: 12, slow: 26, signal: 9, line: MacdLine::Dif },
            "macd_dea" => Self::Macd { fast: 12, slow: 26, signal: 9, line: MacdLine::Dea },
            "macd_hist" => Self::Macd { fast: 12, slow: 26, signal: 9, line: MacdLine::Histogram },
            "rsi" => Self::Rsi { window: window() },
            "boll_mid" => Self::Bollinger { window: 20, line: BollingerLine::Middle },
            "boll_upper" => Self::Bollinger { window: 20, line: BollingerLine::Upper },
            "boll_lower" => Self::Bollinger { window: 20, line: BollingerLine::Lower },
            "boll_width" => Self::Bollinger { window: 20, line: BollingerLine::Width },
            "boll_pct_b" => Self::Bollinger { window: 20, line: BollingerLine::PercentB },
            "kdj_k" => Self::Kdj { window: 9, line: KdjLine::K },
            "kdj_d" => Self::Kdj { window: 9, line: KdjLine::D },
            "kdj_j" => Self::Kdj { window: 9, line: KdjLine::J },
            "atr" => Self::AverageTrueRange { window: window() },
            "cci" => Self::Cci { window: window() },
            "wr" => Self::WilliamsR { window: window() },
            "obv" => Self::OnBalanceVolume,
            "mom" => Self::Momentum { window: window() },
            "roc" => Self::RateOfChange { window: window() },
            "pct_change" => Self::RateOfChange { window: 1 },
            "log_return" => Self::LogReturn,
            "amplitude" => Self::Amplitude,
            "gap" => Self::Gap,
            "volatility" => Self::Volatility { window: window() },
            "volume_ma" => Self::MovingAverage { input: Input::Volume, window: window() },
            "volume_ratio" if window() == 5 => Self::VolumeRatioToPrevious { window: 5 },
            "volume_ratio" => Self::VolumeRatio { window: window() },
            "volume_change" => Self::VolumeChange,
            "turnover_rate" => Self::TurnoverRate,
            "bias" => Self::Bias { window: window() },
            "psy" => Self::PsychologicalLine { window: window() },
            _ => Self::Formula,
        }
    }
}
