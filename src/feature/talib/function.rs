//! The registry: every TA-Lib function with its inputs, parameters and outputs under the names that formulas use.
//!
//! Not calls (`call`). Contract: names of functions are unique, and so are the names of the inputs, of the parameters and of
//! the outputs within a function; the order is TA-Lib's.

use super::call::TalibParameter;
use super::description::{describe, describe_parameter};
use super::moving_average::{moving_average_name, moving_average_number};
use std::fmt::Write;
use std::sync::LazyLock;
use ta_lib::abstract_api::{
    FUNCS, FuncFlags, FuncId, FuncInfo, Group, InputFlags, InputInfo, InputType, OptInputInfo, OptInputType, OutputType, get_func_handle,
};

/// What stands before TA-Lib's own names in formulas.
const PREFIX: &str = "TA_";

/// A function of TA-Lib.
#[derive(Debug, Clone, PartialEq)]
pub struct TalibFunction {
    /// TA-Lib's handle.
    pub id: FuncId,
    /// Its name in formulas: `TA_RSI`.
    pub name: String,
    /// TA-Lib's group, such as `Momentum indicators`.
    pub group: &'static str,
    /// One line for people, without a full stop.
    pub description: String,
    /// What it is computed from: at least one.
    pub inputs: Vec<TalibInput>,
    /// Its parameters, all with defaults.
    pub parameters: Vec<TalibSetting>,
    /// What it gives: at least one.
    pub outputs: Vec<TalibOutput>,
    /// Whether its values are prices, to be drawn over the candles.
    pub is_overlay: bool,
}

/// One input of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TalibInput {
    /// `high`, `volume`, …, or `series`; `first` and `second` where there are two; `periods`.
    pub name: &'static str,
    /// Whether it is meant to be the bars' column of its name; else any series will do.
    pub is_field: bool,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TalibKind {
    /// A whole number.
    Integer {
        /// Smallest.
        least: i32,
        /// Largest.
        most: i32,
    },
    /// Any number.
    Real {
        /// Smallest.
        least: f64,
        /// Largest.
        most: f64,
    },
    /// The kind of a moving average: `ema`, or its number.
    MovingAverage,
}

/// A parameter of a function, before it has a value.
#[derive(Debug, Clone, PartialEq)]
pub struct TalibSetting {
    /// Lower case: `timeperiod`, `fastk_period`.
    pub name: String,
    /// One line for people, without a full stop.
    pub description: String,
    /// What it may be.
    pub kind: TalibKind,
    /// What it is when it is left out.
    pub default: TalibParameter,
}

impl TalibSetting {
    /// The default as formulas write it: `14`, `2.0`, `ema`.
    #[must_use]
    pub fn default_text(&self) -> String {
        self.text(self.default)
    }

    /// A value as formulas write it.
    #[must_use]
    pub fn text(&self, value: TalibParameter) -> String {
        match (self.kind, value) {
            (TalibKind::MovingAverage, TalibParameter::Integer(number)) => {
                moving_average_name(number).map_or_else(|| number.to_string(), str::to_owned)
            }
            (_, value) => value.to_string(),
        }
    }
}

/// One output of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TalibOutput {
    /// Short and lower case: `macd`, `signal`, `hist`, `upper`; `value` where there is only one.
    pub name: String,
    /// TA-Lib's name for it in Python: `macdsignal`, `upperband`, `real`. Formulas may use it too.
    pub long_name: String,
    /// Whether its values count bars from the first.
    pub is_position: bool,
    /// Whether TA-Lib computes it in whole numbers.
    pub(super) is_whole: bool,
}

impl TalibFunction {
    /// The output of this name, short or long.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<usize> {
        let short = self.outputs.iter().position(|output| output.name == name);
        short.or_else(|| self.outputs.iter().position(|output| output.long_name == name))
    }

    /// The parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == name)
    }

    /// How it is called: `TA_MACD(series, fastperiod=12, slowperiod=26, signalperiod=9)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (place, input) in self.inputs.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            let dollar = if input.is_field { "$" } else { "" };
            // Writing to a String cannot fail.
            write!(text, "{separator}{dollar}{}", input.name).unwrap_or_default();
        }
        for parameter in &self.parameters {
            write!(text, ", {}={}", parameter.name, parameter.default_text()).unwrap_or_default();
        }
        text.push(')');
        text
    }
}

static REGISTRY: LazyLock<Vec<TalibFunction>> = LazyLock::new(|| FUNCS.iter().map(read).collect());

/// All functions, ordered by name.
#[must_use]
pub fn functions() -> &'static [TalibFunction] {
    &REGISTRY
}

/// The function of this name in formulas, exactly: `TA_RSI`.
#[must_use]
pub fn find(name: &str) -> Option<&'static TalibFunction> {
    let id = get_func_handle(name.strip_prefix(PREFIX)?)?;
    of(id).filter(|function| function.name == name)
}

/// The function of this handle.
pub(super) fn of(id: FuncId) -> Option<&'static TalibFunction> {
    REGISTRY.get(id as usize)
}

fn read(info: &'static FuncInfo) -> TalibFunction {
    let mut outputs: Vec<TalibOutput> = info
        .outputs
        .iter()
        .map(|output| {
            let long_name = long_output_name(output.param_name);
            TalibOutput {
                name: String::new(),
                is_position: long_name.ends_with("idx") || info.name.ends_with("INDEX"),
                is_whole: output.kind == OutputType::Integer,
                long_name,
            }
        })
        .collect();
    let stems: Vec<String> = outputs.iter().map(|output| output.long_name.clone()).chain([info.name.to_ascii_lowercase()]).collect();
    for output in &mut outputs {
        output.name = short_output_name(&output.long_name, &stems);
    }
    TalibFunction {
        id: info.id,
        name: format!("{PREFIX}{}", info.name),
        group: group_name(info.group),
        description: describe(info),
        inputs: info.inputs.iter().flat_map(inputs_of).collect(),
        parameters: info.opt_inputs.iter().map(|input| setting_of(info.name, input)).collect(),
        outputs,
        is_overlay: info.flags.contains(FuncFlags::OVERLAP),
    }
}

fn group_name(group: Group) -> &'static str {
    match group {
        Group::CycleIndicators => "Cycle indicators",
        Group::MathOperators => "Math operators",
        Group::MathTransform => "Math transform",
        Group::MomentumIndicators => "Momentum indicators",
        Group::OverlapStudies => "Overlap studies",
        Group::PatternRecognition => "Pattern recognition",
        Group::PriceTransform => "Price transform",
        Group::StatisticFunctions => "Statistic functions",
        Group::VolatilityIndicators => "Volatility indicators",
        Group::VolumeIndicators => "Volume indicators",
        _ => "Other",
    }
}

/// The columns that a price input reads, in TA-Lib's order.
const FIELDS: [(InputFlags, &str); 5] = [
    (InputFlags::PRICE_OPEN, "open"),
    (InputFlags::PRICE_HIGH, "high"),
    (InputFlags::PRICE_LOW, "low"),
    (InputFlags::PRICE_CLOSE, "close"),
    (InputFlags::PRICE_VOLUME, "volume"),
];

fn inputs_of(input: &'static InputInfo) -> Vec<TalibInput> {
    if input.kind == InputType::Price {
        let read = FIELDS.iter().filter(|(flag, _)| input.flags.contains(*flag));
        return read.map(|(_, name)| TalibInput { name, is_field: true }).collect();
    }
    let name = match input.param_name {
        "inReal0" => "first",
        "inReal1" => "second",
        "inPeriods" => "periods",
        _ => "series",
    };
    vec![TalibInput { name, is_field: false }]
}

fn setting_of(function: &str, input: &'static OptInputInfo) -> TalibSetting {
    let (kind, default) = match input.kind {
        OptInputType::IntegerRange { min, max, default, .. } => {
            (TalibKind::Integer { least: min, most: max }, TalibParameter::Integer(default))
        }
        OptInputType::RealRange { min, max, default, .. } => (TalibKind::Real { least: min, most: max }, TalibParameter::Real(default)),
        // TA-Lib's only lists are of moving averages.
        OptInputType::IntegerList { default, .. } => {
            let number = i32::try_from(default).ok().or_else(|| moving_average_number("sma")).unwrap_or_default();
            (TalibKind::MovingAverage, TalibParameter::Integer(number))
        }
        OptInputType::RealList { default, .. } => (TalibKind::Real { least: f64::MIN, most: f64::MAX }, TalibParameter::Real(default)),
    };
    TalibSetting {
        name: input.param_name.trim_start_matches("optIn").to_ascii_lowercase(),
        description: describe_parameter(function, input.hint),
        kind,
        default,
    }
}

/// `outRealUpperBand` → `upperband`, `outReal` → `real`.
fn long_output_name(name: &str) -> String {
    let name = name.trim_start_matches("out");
    let name = if name == "Real" { name } else { name.trim_start_matches("Real") };
    name.to_ascii_lowercase()
}

/// Without what it shares with the function or with the main output: `macdsignal` → `signal`, `upperband` → `upper`.
fn short_output_name(name: &str, stems: &[String]) -> String {
    if name == "real" || name == "integer" {
        return "value".to_owned();
    }
    let name = name.strip_suffix("band").unwrap_or(name);
    let rest = stems.iter().filter_map(|stem| name.strip_prefix(stem.as_str())).find(|rest| !rest.is_empty());
    rest.unwrap_or(name).to_owned()
}
