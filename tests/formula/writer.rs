//! Random formulas that are right, and random texts that are nearly.

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use samovar::feature::functions::{Function, ParameterKind, functions};

/// Writes right formulas.
pub struct Writer<'rng, 'names> {
    pub rng: &'rng mut SmallRng,
    /// Features and helpers that may be named.
    pub names: &'names [String],
}

const FIELDS: [&str; 8] = ["$open", "$high", "$low", "$close", "$volume", "$vwap", "$amount", "$turnover"];
const COMPARISONS: [&str; 6] = [">", ">=", "<", "<=", "==", "!="];

impl Writer<'_, '_> {
    fn space(&mut self) -> &'static str {
        ["", "", " ", "  ", "\n", "\t"].choose(self.rng).copied().unwrap()
    }

    fn number(&mut self) -> String {
        match self.rng.random_range(0..5) {
            0 => format!("{}", self.rng.random_range(0..100)),
            1 => format!("{:?}", self.rng.random_range(0.0..10.0_f64)),
            2 => format!("{:?}", f64::from_bits(self.rng.random::<u64>() & 0x7fdf_ffff_ffff_ffff)),
            3 => "1e-12".to_owned(),
            _ => format!(".{}", self.rng.random_range(1..1000)),
        }
    }

    /// Something that changes from bar to bar; not deeper than so many levels.
    pub fn series(&mut self, depth: usize) -> String {
        if depth == 0 || self.rng.random_ratio(1, 8) {
            if !self.names.is_empty() && self.rng.random_ratio(1, 3) {
                return self.names.choose(self.rng).unwrap().clone();
            }
            return (*FIELDS.choose(self.rng).unwrap()).to_owned();
        }
        let (before, after) = (self.space(), self.space());
        match self.rng.random_range(0..12) {
            0..4 => {
                let sign = ["+", "-", "*", "/"].choose(self.rng).copied().unwrap();
                let (left, right) = (self.series(depth - 1), self.value(depth - 1));
                let (left, right) = if self.rng.random() { (left, right) } else { (right, left) };
                format!("({left}){before}{sign}{after}({right})")
            }
            4 => format!("-{before}({})", self.series(depth - 1)),
            5 => format!("({before}{}{after})", self.series(depth - 1)),
            6 => self.truth(depth - 1),
            _ => self.call(depth),
        }
    }

    /// A series or a number.
    fn value(&mut self, depth: usize) -> String {
        if self.rng.random_ratio(1, 3) { self.number() } else { self.series(depth) }
    }

    /// A truth.
    pub fn truth(&mut self, depth: usize) -> String {
        let sign = COMPARISONS.choose(self.rng).copied().unwrap();
        if depth == 0 || self.rng.random_ratio(1, 2) {
            return format!("(({}) {sign} ({}))", self.series(depth.saturating_sub(1)), self.value(depth.saturating_sub(1)));
        }
        let (left, right) = (self.truth(depth - 1), self.truth(depth - 1));
        match self.rng.random_range(0..8) {
            0 => format!("({left} & {right})"),
            1 => format!("({left} | {right})"),
            2 => format!("~{left}"),
            3 => format!("And({left}, {right})"),
            4 => format!("Or({left}, Not({right}))"),
            5 => format!("If({left}, {right}, {left})"),
            6 => format!("Ref({left}, 1)"),
            _ => format!("IsNull({})", self.series(depth - 1)),
        }
    }

    /// A call of any function.
    fn call(&mut self, depth: usize) -> String {
        let all = functions();
        // TA-Lib has many more functions than there are own ones.
        let is_own = self.rng.random_ratio(2, 3);
        let own = all.iter().filter(|function| function.name.starts_with("TA_") != is_own).collect::<Vec<_>>();
        let function: &Function = own.choose(self.rng).unwrap();
        let takes_numbers = ["Arithmetic", "Logic"].contains(&function.group);
        let mut values = Vec::new();
        let mut window = 0;
        for (place, parameter) in function.parameters.iter().enumerate() {
            // What may be left out is given by its name now and then, unless only some values go together.
            let is_picky = ["TA_SQZMOM", "TA_MAVP"].contains(&&*function.name);
            if parameter.default.is_some() && !parameter.is_series() && (is_picky || self.rng.random_ratio(1, 2)) {
                continue;
            }
            let name = if parameter.is_series() || parameter.default.is_none() { String::new() } else { format!("{}=", parameter.name) };
            let value = match parameter.kind {
                ParameterKind::Series if takes_numbers && place > 0 => self.value(depth - 1),
                ParameterKind::Series => self.series(depth - 1),
                ParameterKind::Truth => self.truth(depth - 1),
                ParameterKind::Whole { least, most } if function.name == "SMA" && parameter.name == "m" => {
                    self.rng.random_range(least..=window.min(most)).to_string()
                }
                ParameterKind::Whole { least, most } => {
                    window = self.rng.random_range(least.max(2)..=most.clamp(2, 60).max(least + 1));
                    // Some of TA-Lib's need an even window.
                    window += window % 2;
                    window.to_string()
                }
                ParameterKind::Real { least, most } => format!("{:?}", self.rng.random_range(least.max(-3.0)..=most.clamp(least, 3.0))),
                ParameterKind::MovingAverage => ["sma", "ema", "wma", "1"].choose(self.rng).copied().unwrap().to_owned(),
            };
            values.push(format!("{name}{value}"));
        }
        let output = function.outputs.choose(self.rng).map(|output| format!(".{output}")).unwrap_or_default();
        let space = self.space();
        format!("{}({space}{}){output}", function.name, values.join(&format!(",{space}")))
    }
}

/// Parts of formulas, right and wrong, one after the other.
pub fn soup(rng: &mut SmallRng) -> String {
    const PARTS: [&str; 72] = [
        "(",
        ")",
        "(",
        ")",
        ",",
        ".",
        "=",
        "==",
        "!=",
        "!",
        ">",
        ">=",
        "<",
        "<=",
        "<>",
        "+",
        "-",
        "*",
        "/",
        "**",
        "//",
        "&",
        "&&",
        "|",
        "~",
        "$",
        "$close",
        "$open",
        "$closee",
        "$Close",
        "close",
        "Mean",
        "Mean(",
        "Mean($close, ",
        "Ref(",
        "If(",
        "Greater(",
        "SMA(",
        "Not",
        "Not(",
        "TA_MACD(",
        "TA_RSI($close",
        "TA_BBANDS($close, matype=ema)",
        ".hist",
        ".upper",
        "fast=",
        "n=",
        "ema",
        "x",
        "f0",
        "f1",
        "f2",
        "0",
        "1",
        "2",
        "5",
        "14",
        "100000",
        "100001",
        "-1",
        "0.5",
        "1e-12",
        "1e999",
        "1e",
        "5.",
        ".5",
        "3x",
        " ",
        "\n",
        "é",
        "均线",
        "（",
    ];
    let parts = rng.random_range(0..24);
    (0..parts).map(|_| *PARTS.choose(rng).unwrap()).collect()
}

/// The text with something done to it.
pub fn mutated(rng: &mut SmallRng, text: &str, other: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..rng.random_range(1..4) {
        let place = rng.random_range(0..=letters.len());
        let end = rng.random_range(place..=letters.len().min(place + 12));
        match rng.random_range(0..9) {
            0 => drop(letters.drain(place..end)),
            1 => {
                let copy: Vec<char> = letters[place..end].to_vec();
                letters.splice(place..place, copy);
            }
            2 => letters.truncate(place),
            3 => drop(letters.splice(place..end, soup(rng).chars())),
            4 => letters.insert(place, char::from_u32(rng.random_range(1..0x3000)).unwrap_or('(')),
            5 => letters.insert(place, *['(', ')', ',', '.', '-', '$', '~', ' ', '"', '\\', '\'', '=', '[', ']'].choose(rng).unwrap()),
            6 => {
                let other: Vec<char> = other.chars().collect();
                let from = rng.random_range(0..=other.len());
                letters.splice(place..end, other[from..].iter().copied());
            }
            7 => letters[place..end].reverse(),
            _ => {
                let again: Vec<char> = letters[place..end].iter().copied().cycle().take((end - place) * rng.random_range(1..80)).collect();
                letters.splice(place..end, again);
            }
        }
    }
    letters.into_iter().collect()
}
