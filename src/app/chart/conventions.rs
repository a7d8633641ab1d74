//! What every chart program does with a feature unless it is told otherwise: where it goes, what its pane is read by.
//!
//! Goes by names, and by the outermost function of a formula. Not by values: those decide how a line is drawn, not where.

use super::layout::Placement;
use crate::feature::{self, Definition};
use crate::worker::series::SeriesSource;

/// Averages and bands, and what else has the prices' scale.
const OVER_PRICE: [&str; 20] = [
    "ma",
    "sma",
    "ema",
    "wma",
    "rma",
    "dema",
    "tema",
    "trima",
    "kama",
    "t3",
    "sar",
    "sarext",
    "tsf",
    "linearreg",
    "linearreg_intercept",
    "ht_trendline",
    "midpoint",
    "midprice",
    "vwap",
    "bbands",
];
/// Their outputs and sets' names for them.
const BANDS: [&str; 6] = ["boll_mid", "boll_upper", "boll_lower", "bb_upper", "bb_middle", "bb_lower"];
/// Beginnings of names of lines that only make sense together, or that share a scale, with their pane.
const FAMILIES: [(&str, &str); 14] = [
    ("macd", "macd"),
    ("kdj", "kdj"),
    ("stochrsi", "stochrsi"),
    ("stochf", "stochf"),
    ("stoch", "stoch"),
    ("rsi", "rsi"),
    ("aroonosc", "aroonosc"),
    ("aroon", "aroon"),
    ("roc", "roc"),
    ("volume_ratio", "volume_ratio"),
    ("adx", "adx"),
    ("dx", "adx"),
    ("plus_di", "adx"),
    ("minus_di", "adx"),
];
/// Functions that keep the scale of what they are given.
const SCALE_KEEPING: [&str; 13] =
    ["mean", "ema", "sma", "rma", "wma", "max", "min", "med", "quantile", "ref", "ma", "midpoint", "midprice"];

/// The name that conventions go by: a column's, or a formula's outermost function without TA-Lib's prefix.
#[must_use]
pub fn family_of(source: &SeriesSource) -> String {
    match source {
        SeriesSource::Column { name, .. } => name.to_ascii_lowercase(),
        SeriesSource::Formula { text, .. } => outer_call(text).map(|(function, _)| function).unwrap_or_default(),
        SeriesSource::Symbol(_) => String::new(),
    }
}

/// Function and arguments of a formula that is one call: `TA_RSI($close, 14)` is `rsi` of `$close, 14`.
fn outer_call(text: &str) -> Option<(String, &str)> {
    let text = text.trim();
    let (function, rest) = text.split_once('(')?;
    let function = function.trim();
    if function.is_empty() || !function.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
        return None;
    }
    let mut depth = 1;
    let end = rest.char_indices().find_map(|(place, letter)| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(place)
    })?;
    // After the call there may be the name of one of its outputs, and nothing else.
    let output = rest.get(end + 1..)?.trim();
    let is_output = |name: &str| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if !(output.is_empty() || output.strip_prefix('.').is_some_and(is_output)) {
        return None;
    }
    let lower = function.to_ascii_lowercase();
    Some((lower.strip_prefix("ta_").unwrap_or(&lower).to_owned(), rest.get(..end)?))
}

impl Placement {
    /// Where a line belongs by what it is.
    #[must_use]
    pub fn of_source(source: &SeriesSource) -> Self {
        match source {
            SeriesSource::Column { name, .. } => Self::of_name(name),
            SeriesSource::Formula { text, .. } => Self::of_formula(text),
            SeriesSource::Symbol(_) => Self::Price,
        }
    }

    /// Where a feature is drawn by its set's own word.
    #[must_use]
    pub fn of_definition(definition: &Definition) -> Self {
        match &definition.placement {
            feature::Placement::OverPrice => Self::Price,
            feature::Placement::OwnPane(pane) if &**pane == "volume" => Self::Volume,
            feature::Placement::OwnPane(pane) => Self::Pane(pane.to_string()),
        }
    }

    /// Where a feature belongs by its name: `ma20` over prices, `macd_dif` in the pane `macd`.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let is_numbered = |prefix: &&str| lower.strip_prefix(*prefix).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        if lower.starts_with("volume_ma") {
            return Self::Volume;
        }
        if OVER_PRICE.iter().any(is_numbered) || BANDS.contains(&lower.as_str()) {
            return Self::Price;
        }
        let family = FAMILIES.iter().find(|(beginning, _)| lower.starts_with(beginning));
        family.map_or(Self::Own, |(_, pane)| Self::Pane((*pane).to_owned()))
    }

    /// Where a formula belongs: averages of prices over the prices, of volumes over the volumes, oscillators with their own.
    fn of_formula(text: &str) -> Self {
        let trimmed = text.trim();
        if ["$open", "$high", "$low", "$close", "$vwap"].contains(&trimmed) {
            return Self::Price;
        }
        if trimmed == "$volume" {
            return Self::Volume;
        }
        let Some((function, arguments)) = outer_call(text) else { return Self::Own };
        if SCALE_KEEPING.contains(&function.as_str()) || OVER_PRICE.contains(&function.as_str()) {
            let first = first_argument(arguments);
            return Self::of_formula(first);
        }
        match Self::of_name(&function) {
            // TA-Lib's own functions of highs and lows that are given no single price.
            Self::Price | Self::Own => Self::Own,
            other => other,
        }
    }
}

/// What stands before the first comma that is not inside parentheses.
fn first_argument(arguments: &str) -> &str {
    let mut depth = 0;
    let end = arguments.char_indices().find_map(|(place, letter)| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0 && letter == ',').then_some(place)
    });
    end.and_then(|end| arguments.get(..end)).unwrap_or(arguments)
}

/// Values that have a meaning of their own for a family: overbought, oversold, zero.
#[must_use]
pub fn guides_of(family: &str) -> &'static [f64] {
    let id = family.to_ascii_lowercase();
    let starts = |names: &[&str]| names.iter().any(|name| id.starts_with(name));
    if starts(&["rsi"]) {
        &[30.0, 70.0]
    } else if starts(&["kdj", "stoch", "mfi"]) || id == "wr" || id.strip_prefix("wr").is_some_and(|rest| rest.parse::<u32>().is_ok()) {
        &[20.0, 80.0]
    } else if starts(&["willr"]) {
        &[-80.0, -20.0]
    } else if starts(&["cci"]) {
        &[-100.0, 100.0]
    } else if starts(&["psy"]) {
        &[25.0, 75.0]
    } else if starts(&["adx"]) {
        &[25.0]
    } else if starts(&["boll_pct_b"]) {
        &[0.0, 1.0]
    } else if starts(&[
        "macd",
        "roc",
        "mom",
        "bias",
        "pct_change",
        "log_return",
        "gap",
        "ppo",
        "apo",
        "volume_change",
        "aroonosc",
        "cmo",
        "trix",
        "bop",
    ]) {
        &[0.0]
    } else {
        &[]
    }
}

/// Whether a line is drawn as columns from zero by its name alone.
#[must_use]
pub fn is_histogram(source: &SeriesSource) -> bool {
    let ends = |text: &str| text.trim_end().to_ascii_lowercase().ends_with("hist");
    !matches!(source, SeriesSource::Symbol(_)) && ends(source.label())
}

/// The line that is the lower edge of the band whose upper edge this is.
#[must_use]
pub fn lower_edge_of(upper: &SeriesSource) -> Option<SeriesSource> {
    match upper {
        SeriesSource::Column { set, name } => {
            name.strip_suffix("_upper").map(|stem| SeriesSource::column(set.clone(), format!("{stem}_lower")))
        }
        SeriesSource::Formula { text, warm_up } => {
            text.trim_end().strip_suffix(".upper").map(|stem| SeriesSource::Formula { text: format!("{stem}.lower"), warm_up: *warm_up })
        }
        SeriesSource::Symbol(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_find_their_place_by_name() {
        for name in ["ma5", "ema26", "boll_upper", "t3", "sar"] {
            assert_eq!(Placement::of_name(name), Placement::Price, "{name}");
        }
        assert_eq!(Placement::of_name("macd_hist"), Placement::Pane("macd".into()));
        assert_eq!(Placement::of_name("kdj_j"), Placement::Pane("kdj".into()));
        assert_eq!(Placement::of_name("volume_ma5"), Placement::Volume);
        for name in ["boll_width", "atr14", "obv", "mama", "amplitude", "MA5x"] {
            assert_eq!(Placement::of_name(name), Placement::Own, "{name}");
        }
    }

    #[test]
    fn formulas_find_their_place_by_what_they_are_made_of() {
        let place = |text: &str| Placement::of_source(&SeriesSource::formula(text));
        for text in
            ["Mean($close, 5)", "EMA(EMA($close, 5), 3)", "TA_SMA($high, 10)", "Max($high, 20)", " $vwap ", "TA_BBANDS($close, 20).upper"]
        {
            assert_eq!(place(text), Placement::Price, "{text}");
        }
        assert_eq!(place("Mean($volume, 5)"), Placement::Volume);
        assert_eq!(place("TA_RSI($close, 14)"), Placement::Pane("rsi".into()));
        assert_eq!(place("TA_MACD($close, 12, 26, 9).hist"), Placement::Pane("macd".into()));
        for text in ["Mean($close, 5) / $close", "Std($close, 20)", "Mean($close > Ref($close, 1), 12)", "nonsense(", "", "Rank($close, 5)"]
        {
            assert_eq!(place(text), Placement::Own, "{text}");
        }
    }

    #[test]
    fn conventions_follow_names() {
        assert!(is_histogram(&SeriesSource::column("talib", "macd_hist")) && is_histogram(&SeriesSource::formula("TA_MACD($close).hist")));
        assert!(!is_histogram(&SeriesSource::column("classic", "macd_dif")));
        assert_eq!(guides_of("rsi"), [30.0, 70.0]);
        assert_eq!(guides_of(&family_of(&SeriesSource::formula("TA_CCI($high, $low, $close, 14)"))), [-100.0, 100.0]);
        assert!(guides_of("obv").is_empty() && guides_of("wrx").is_empty());
        let lower = lower_edge_of(&SeriesSource::column("classic", "boll_upper"));
        assert_eq!(lower, Some(SeriesSource::column("classic", "boll_lower")));
        assert_eq!(lower_edge_of(&SeriesSource::column("classic", "boll_mid")), None);
    }
}
