//! What stays while one walks from symbol to symbol, and from one start to the next: indicators, panes, scale and range.
//!
//! Not what the pointer does right now ([`super::ChartView`]). Contract: any layout can be deserialised from any older one;
//! names of features that a symbol does not have are kept and simply not drawn.

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// Where a feature is drawn by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Over the prices, on their scale.
    Price,
    /// Over the volume bars, on their scale.
    Volume,
    /// In a pane of this name, which it shares with all others that name it.
    Pane(String),
    /// In a pane of its own.
    #[default]
    Own,
}

impl Placement {
    /// Where a feature belongs by its name: `ma20` over prices, `macd_dif` in the pane `macd`.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let starts = |prefixes: &[&str]| {
            prefixes.iter().any(|prefix| {
                lower.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.bytes().all(|byte| byte.is_ascii_digit()))
            })
        };
        if lower.starts_with("volume_ma") {
            return Self::Volume;
        }
        if starts(&["ma", "sma", "ema", "wma", "dema", "tema", "trima", "kama", "t3", "sar", "tsf", "linearreg", "ht_trendline", "vwap"])
            || ["boll_mid", "boll_upper", "boll_lower", "bb_upper", "bb_middle", "bb_lower"].contains(&lower.as_str())
        {
            return Self::Price;
        }
        // Several lines that only make sense together, or that share a scale.
        let families = ["macd", "kdj", "stochrsi", "stochf", "stoch", "rsi", "aroon", "roc", "volume_ratio"];
        let family = families.iter().find(|family| lower.starts_with(*family));
        family.map_or(Self::Own, |family| Self::Pane((*family).to_owned()))
    }
}

/// A feature that can be put on the chart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeatureChoice {
    /// Name of its column.
    pub name: String,
    /// What it is listed under: `Trend`, `Momentum` …
    pub group: String,
    /// What it is, in a few words.
    pub description: String,
    /// Where it is drawn unless the user says otherwise.
    pub placement: Placement,
}

/// One line of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesLayout {
    /// Name of the feature's column.
    pub name: String,
    /// Which of the theme's line colours it has.
    pub color: usize,
    /// Whether it is drawn; hidden lines stay in the legend.
    pub visible: bool,
}

impl Default for SeriesLayout {
    fn default() -> Self {
        Self { name: String::new(), color: 0, visible: true }
    }
}

/// A pane below the prices.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PaneLayout {
    /// What features name to be put here.
    pub id: String,
    /// Lines in it, in the order they are drawn.
    pub features: Vec<SeriesLayout>,
    /// Share of the chart's height.
    pub height_share: f32,
}

/// Which stretch of time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeChoice {
    /// The last month.
    OneMonth,
    /// The last three months.
    ThreeMonths,
    /// The last six months.
    SixMonths,
    /// Since the year began.
    YearToDate,
    /// The last year.
    #[default]
    OneYear,
    /// The last five years.
    FiveYears,
    /// Everything.
    All,
    /// What the user zoomed or panned to, as the times at both edges.
    Custom {
        /// Time at the left edge, in microseconds.
        from_us: i64,
        /// Time at the right edge, in microseconds.
        to_us: i64,
    },
}

impl RangeChoice {
    /// The choices there are buttons for.
    pub const BUTTONS: [Self; 7] =
        [Self::OneMonth, Self::ThreeMonths, Self::SixMonths, Self::YearToDate, Self::OneYear, Self::FiveYears, Self::All];

    /// What stands on the button.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OneMonth => "1M",
            Self::ThreeMonths => "3M",
            Self::SixMonths => "6M",
            Self::YearToDate => "YTD",
            Self::OneYear => "1Y",
            Self::FiveYears => "5Y",
            Self::All => "All",
            Self::Custom { .. } => "Custom",
        }
    }

    /// The same in words, for hover.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::OneMonth => "The last month",
            Self::ThreeMonths => "The last three months",
            Self::SixMonths => "The last six months",
            Self::YearToDate => "Since the year began",
            Self::OneYear => "The last year",
            Self::FiveYears => "The last five years",
            Self::All => "Everything there is",
            Self::Custom { .. } => "What you zoomed to",
        }
    }

    /// The first day shown when `last` is the day of the last bar; `None` for everything and for custom ranges.
    #[must_use]
    pub fn first_day(self, last: NaiveDate) -> Option<NaiveDate> {
        let back = |months: u32| last.checked_sub_months(Months::new(months)).and_then(|day| day.succ_opt());
        match self {
            Self::OneMonth => back(1),
            Self::ThreeMonths => back(3),
            Self::SixMonths => back(6),
            Self::YearToDate => NaiveDate::from_ymd_opt(last.year(), 1, 1),
            Self::OneYear => back(12),
            Self::FiveYears => back(60),
            Self::All | Self::Custom { .. } => None,
        }
    }
}

/// How charts look, whichever symbol is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChartLayout {
    /// Lines over the prices.
    pub overlays: Vec<SeriesLayout>,
    /// Whether there is a pane with volume bars.
    pub show_volume: bool,
    /// Lines over the volume bars.
    pub volume: Vec<SeriesLayout>,
    /// Share of the chart's height that the volume pane has.
    pub volume_share: f32,
    /// Panes below.
    pub panes: Vec<PaneLayout>,
    /// Whether equal ratios of price have equal heights.
    pub log_scale: bool,
    /// What is shown.
    pub range: RangeChoice,
    /// What a double-click goes back to: the last range chosen by a button.
    pub home: RangeChoice,
}

/// Share of the height that a new pane gets.
const PANE_SHARE: f32 = 0.17;

impl Default for ChartLayout {
    fn default() -> Self {
        let mut layout = Self {
            overlays: Vec::new(),
            show_volume: true,
            volume: Vec::new(),
            volume_share: 0.14,
            panes: Vec::new(),
            log_scale: false,
            range: RangeChoice::default(),
            home: RangeChoice::default(),
        };
        for name in ["ma20", "ma60", "macd_dif", "macd_dea", "macd_hist"] {
            layout.add(name, &Placement::of_name(name));
        }
        layout
    }
}

impl ChartLayout {
    /// Whether a feature is on the chart, shown or hidden.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.lists().any(|list| list.iter().any(|series| series.name == name))
    }

    /// Whether a feature is drawn over the prices.
    #[must_use]
    pub fn is_over_price(&self, name: &str) -> bool {
        self.overlays.iter().any(|series| series.name == name)
    }

    /// Puts a feature on the chart, or moves it if it is there already.
    pub fn add(&mut self, name: &str, placement: &Placement) {
        self.remove(name);
        let list = match placement {
            Placement::Price => &mut self.overlays,
            Placement::Volume => {
                self.show_volume = true;
                &mut self.volume
            }
            Placement::Pane(_) | Placement::Own => {
                let id = if let Placement::Pane(id) = placement { id.as_str() } else { name };
                let position = self.panes.iter().position(|pane| pane.id == id).unwrap_or_else(|| {
                    self.panes.push(PaneLayout { id: id.to_owned(), features: Vec::new(), height_share: PANE_SHARE });
                    self.panes.len() - 1
                });
                let Some(pane) = self.panes.get_mut(position) else { return };
                &mut pane.features
            }
        };
        // The first colour nobody in the same pane has; colours of the others never change.
        let color = (0..8).find(|slot| list.iter().all(|series| series.color != *slot)).unwrap_or(list.len());
        list.push(SeriesLayout { name: name.to_owned(), color, visible: true });
    }

    /// Takes a feature off the chart, and its pane if that is empty then.
    pub fn remove(&mut self, name: &str) {
        self.overlays.retain(|series| series.name != name);
        self.volume.retain(|series| series.name != name);
        for pane in &mut self.panes {
            pane.features.retain(|series| series.name != name);
        }
        self.panes.retain(|pane| !pane.features.is_empty());
    }

    /// Shows or hides a line without taking it off the chart.
    pub fn toggle_visible(&mut self, name: &str) {
        let panes = self.panes.iter_mut().flat_map(|pane| pane.features.iter_mut());
        for series in self.overlays.iter_mut().chain(self.volume.iter_mut()).chain(panes) {
            if series.name == name {
                series.visible = !series.visible;
            }
        }
    }

    fn lists(&self) -> impl Iterator<Item = &Vec<SeriesLayout>> {
        [&self.overlays, &self.volume].into_iter().chain(self.panes.iter().map(|pane| &pane.features))
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
        for name in ["boll_width", "atr14", "obv", "mama", "amplitude"] {
            assert_eq!(Placement::of_name(name), Placement::Own, "{name}");
        }
    }

    #[test]
    fn an_empty_pane_goes_and_the_colours_of_others_stay() {
        let mut layout = ChartLayout { overlays: Vec::new(), panes: Vec::new(), ..ChartLayout::default() };
        for name in ["ma5", "ma10", "ma20"] {
            layout.add(name, &Placement::Price);
        }
        layout.remove("ma10");
        layout.add("ma60", &Placement::Price);
        let colors: Vec<_> = layout.overlays.iter().map(|series| (series.name.as_str(), series.color)).collect();
        assert_eq!(colors, [("ma5", 0), ("ma20", 2), ("ma60", 1)]);
        layout.add("rsi14", &Placement::Pane("rsi".into()));
        layout.add("rsi14", &Placement::Price);
        assert!(layout.panes.is_empty() && layout.is_over_price("rsi14"));
    }

    #[test]
    fn ranges_count_back_from_the_last_bar() {
        let last = NaiveDate::from_ymd_opt(2024, 3, 31).expect("date");
        let text = |choice: RangeChoice| choice.first_day(last).map(|day| day.to_string());
        assert_eq!(text(RangeChoice::OneMonth).as_deref(), Some("2024-03-01"));
        assert_eq!(text(RangeChoice::YearToDate).as_deref(), Some("2024-01-01"));
        assert_eq!(text(RangeChoice::OneYear).as_deref(), Some("2023-04-01"));
        assert_eq!(text(RangeChoice::All), None);
    }

    #[test]
    fn a_layout_of_an_older_version_is_read() {
        let layout: ChartLayout =
            serde_json::from_str(r#"{"range":{"custom":{"from_us":1,"to_us":2}},"panes":[{"id":"x"}]}"#).expect("json");
        assert_eq!(layout.range, RangeChoice::Custom { from_us: 1, to_us: 2 });
        assert!(layout.show_volume);
    }
}
