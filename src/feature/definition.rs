//! What a feature is: its kernel with parameters, and how a person finds and reads it.
//!
//! Not how it is computed (`compute`). Contract: a definition's hash depends on its kernel, its parameters and the engine's
//! version only; names, groups and descriptions may be reworded freely.

use super::hash::ENGINE_VERSION;
use std::fmt;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// Under which heading a feature is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Where the price is going: averages and what is made of them.
    Trend,
    /// How fast it goes, and whether it went too far.
    Momentum,
    /// How widely it swings.
    Volatility,
    /// How much was traded.
    Volume,
    /// One bar against another.
    Price,
}

impl Group {
    /// All groups, in the order they are listed.
    pub const ALL: [Self; 5] = [Self::Trend, Self::Momentum, Self::Volatility, Self::Volume, Self::Price];

    /// The heading.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Trend => "Trend",
            Self::Momentum => "Momentum",
            Self::Volatility => "Volatility",
            Self::Volume => "Volume",
            Self::Price => "Price",
        }
    }
}

/// Where a chart draws a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placement {
    /// Over the candles, on the price's own scale.
    OverPrice,
    /// In the pane with this name; features that name the same pane share it and its scale.
    OwnPane(&'static str),
}

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
            Self::OnBalanceVolume | Self::LogReturn | Self::Amplitude | Self::Gap | Self::VolumeChange | Self::TurnoverRate => Vec::new(),
        }
    }

    /// Index of the first bar that can have a value.
    #[must_use]
    pub fn first_value(&self) -> usize {
        match *self {
            Self::ExponentialAverage { .. } | Self::Macd { .. } | Self::OnBalanceVolume | Self::TurnoverRate => 0,
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
            Self::ExponentialAverage { .. } | Self::Macd { .. } | Self::TurnoverRate => 0,
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

    /// Group, placement and one line of description.
    fn about(&self) -> (Group, Placement, String) {
        use {Group as G, Placement::OverPrice, Placement::OwnPane as Pane};
        match self {
            Self::MovingAverage { input: Input::Close, window } => (G::Trend, OverPrice, format!("Mean of the last {window} closes")),
            Self::MovingAverage { input: Input::Volume, window } => {
                (G::Volume, Pane("volume"), format!("Mean of the last {window} volumes"))
            }
            Self::ExponentialAverage { window } => (G::Trend, OverPrice, format!("Exponential average of the close over {window}")),
            Self::Macd { fast, slow, signal, line } => {
                let text = match line {
                    MacdLine::Dif => format!("MACD: average over {fast} minus average over {slow}"),
                    MacdLine::Dea => format!("MACD: average of the difference over {signal}"),
                    MacdLine::Histogram => "MACD: twice the difference from its average".to_owned(),
                };
                (G::Trend, Pane("macd"), text)
            }
            Self::Rsi { window } => (G::Momentum, Pane("rsi"), format!("Share of rises in all changes, smoothed over {window}")),
            Self::Bollinger { window, line } => match line {
                BollingerLine::Middle => (G::Volatility, OverPrice, format!("Bollinger: mean of the last {window} closes")),
                BollingerLine::Upper => (G::Volatility, OverPrice, "Bollinger: two deviations above the mean".to_owned()),
                BollingerLine::Lower => (G::Volatility, OverPrice, "Bollinger: two deviations below the mean".to_owned()),
                BollingerLine::Width => (G::Volatility, Pane("boll_width"), "Bollinger: distance of the bands over the mean".to_owned()),
                BollingerLine::PercentB => (G::Volatility, Pane("boll_pct_b"), "Bollinger: the close between the bands, 0 to 1".to_owned()),
            },
            Self::Kdj { window, line } => {
                let text = match line {
                    KdjLine::K => format!("KDJ: place of the close in the range of {window} bars, smoothed"),
                    KdjLine::D => "KDJ: K smoothed again".to_owned(),
                    KdjLine::J => "KDJ: how far K runs ahead of D".to_owned(),
                };
                (G::Momentum, Pane("kdj"), text)
            }
            Self::AverageTrueRange { window } => (G::Volatility, Pane("atr"), format!("Wilder's average true range over {window}")),
            Self::Cci { window } => {
                (G::Momentum, Pane("cci"), format!("Distance of the typical price from its mean over {window}, in deviations"))
            }
            Self::WilliamsR { window } => (G::Momentum, Pane("wr"), format!("Distance from the high of {window} bars, 0 to 100")),
            Self::OnBalanceVolume => (G::Volume, Pane("obv"), "Volume added on rising bars and taken away on falling ones".to_owned()),
            Self::Momentum { window } => (G::Momentum, Pane("mom"), format!("Change of the close over {window} bars")),
            Self::RateOfChange { window: 1 } => (G::Price, Pane("change"), "Change of the close in percent".to_owned()),
            Self::RateOfChange { window } => (G::Momentum, Pane("roc"), format!("Change of the close over {window} bars in percent")),
            Self::LogReturn => (G::Price, Pane("log_return"), "Logarithm of the close over the previous close".to_owned()),
            Self::Amplitude => (G::Price, Pane("change"), "High to low in percent of the previous close".to_owned()),
            Self::Gap => (G::Price, Pane("change"), "Open against the previous close in percent".to_owned()),
            Self::Volatility { window } => {
                (G::Volatility, Pane("volatility"), format!("Standard deviation of the last {window} percentage changes"))
            }
            Self::VolumeRatioToPrevious { window } => {
                (G::Volume, Pane("volume_ratio"), format!("Volume over the mean of the {window} volumes before it"))
            }
            Self::VolumeRatio { window } => (G::Volume, Pane("volume_ratio"), format!("Volume over the mean of the last {window} volumes")),
            Self::VolumeChange => (G::Volume, Pane("volume_change"), "Change of the volume in percent".to_owned()),
            Self::TurnoverRate => (G::Volume, Pane("turnover"), "Traded share of the float in percent".to_owned()),
            Self::Bias { window } => (G::Momentum, Pane("bias"), format!("Close against its mean over {window} in percent")),
            Self::PsychologicalLine { window } => (G::Momentum, Pane("psy"), format!("Share of rising bars among the last {window}")),
        }
    }

    /// The formula as a person reads it. c, o, h, l, v are this bar's columns, a prime is the previous bar's.
    fn formula(&self) -> String {
        match self {
            Self::MovingAverage { input, window } => format!("mean({input}, {window})"),
            Self::ExponentialAverage { window } => format!("y = y' + 2/({window}+1)·(c − y'), y₀ = c₀"),
            Self::Macd { fast, slow, signal, line } => match line {
                MacdLine::Dif => format!("ema{fast} − ema{slow}"),
                MacdLine::Dea => format!("ema(dif, {signal}), dea₀ = dif₀"),
                MacdLine::Histogram => "2·(dif − dea)".to_owned(),
            },
            Self::Rsi { window } => format!("100·S(max(Δ,0))/S(|Δ|), S: y = y' + (x − y')/{window}, y₁ = x₁; 50 when S(|Δ|) = 0"),
            Self::Bollinger { window, line } => match line {
                BollingerLine::Middle => format!("mean(c, {window})"),
                BollingerLine::Upper => format!("mean(c, {window}) + 2σ, σ = population deviation(c, {window})"),
                BollingerLine::Lower => format!("mean(c, {window}) − 2σ, σ = population deviation(c, {window})"),
                BollingerLine::Width => "(upper − lower)/mid".to_owned(),
                BollingerLine::PercentB => "(c − lower)/(upper − lower)".to_owned(),
            },
            Self::Kdj { window, line } => match line {
                KdjLine::K => format!("k = ⅔k' + ⅓rsv, rsv = 100·(c − min(l, {window}))/(max(h, {window}) − min(l, {window})), seed 50"),
                KdjLine::D => "d = ⅔d' + ⅓k, seed 50".to_owned(),
                KdjLine::J => "3k − 2d".to_owned(),
            },
            Self::AverageTrueRange { window } => {
                let before = window.saturating_sub(1);
                format!("({before}·atr' + TR)/{window}, TR = max(h, c') − min(l, c'), first = mean of TR₁…TR of bar {window}")
            }
            Self::Cci { window } => format!("(tp − mean(tp, {window}))/(0.015·mean |tp − mean|), tp = (h + l + c)/3; 0 when flat"),
            Self::WilliamsR { window } => format!("100·(max(h, {window}) − c)/(max(h, {window}) − min(l, {window}))"),
            Self::OnBalanceVolume => "obv' + v if c > c', obv' − v if c < c', first v₀".to_owned(),
            Self::Momentum { window } => format!("c − c {window} bars ago"),
            Self::RateOfChange { window: 1 } => "100·(c/c' − 1)".to_owned(),
            Self::RateOfChange { window } => format!("100·(c/c {window} bars ago − 1)"),
            Self::LogReturn => "ln(c/c')".to_owned(),
            Self::Amplitude => "100·(h − l)/c'".to_owned(),
            Self::Gap => "100·(o/c' − 1)".to_owned(),
            Self::Volatility { window } => format!("sample deviation(100·(c/c' − 1), {window})"),
            Self::VolumeRatioToPrevious { window } => format!("v/mean(v', {window})"),
            Self::VolumeRatio { window } => format!("v/mean(v, {window})"),
            Self::VolumeChange => "100·(v/v' − 1)".to_owned(),
            Self::TurnoverRate => "the source's turnover, or 100·v/float shares".to_owned(),
            Self::Bias { window } => format!("100·(c/mean(c, {window}) − 1)"),
            Self::PsychologicalLine { window } => format!("100·count(c > c', {window})/{window}"),
        }
    }
}

/// One named feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The column's name.
    pub name: Arc<str>,
    /// Heading it is listed under.
    pub group: Group,
    /// Where a chart draws it.
    pub placement: Placement,
    /// One line for people.
    pub description: String,
    /// The formula for people.
    pub formula: String,
    /// What is computed.
    pub kernel: Kernel,
}

impl Definition {
    /// A feature of this name; group, placement and texts follow from the kernel.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, kernel: Kernel) -> Self {
        let (group, placement, description) = kernel.about();
        Self { name: name.into(), group, placement, description, formula: kernel.formula(), kernel }
    }

    /// Hash of the meaning: kernel, parameters and engine version, whatever the name and the texts.
    #[must_use]
    pub fn hash(&self) -> u128 {
        xxh3_128(format!("v{ENGINE_VERSION};{}", self.kernel).as_bytes())
    }
}
