//! One line of the chart: where its values come from and how it is drawn.
//!
//! Contract: any line can be deserialised from one of any older version; a line that only had a name was a column of
//! `classic`.

use crate::tr;
use crate::worker::series::SeriesSource;
use serde::{Deserialize, Serialize};

/// The set that lines belonged to before there were others.
pub const FIRST_SET: &str = "classic";

/// Tells the lines of one layout apart; never used again for another line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeriesId(pub u32);

/// How wide a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum LineWidth {
    /// A hairline and a little.
    Thin,
    /// What most lines are.
    #[default]
    Normal,
    /// The line that matters.
    Thick,
    /// To be seen from across the desk.
    Heavy,
}

impl LineWidth {
    /// What it is called.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Thin => tr!("Thin"),
            Self::Normal => tr!("Normal"),
            Self::Thick => tr!("Thick"),
            Self::Heavy => tr!("Heavy"),
        }
    }
}

/// How values become marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum SeriesStyle {
    /// From value to value.
    Line,
    /// Level until the next value.
    Step,
    /// Columns from zero.
    Histogram,
    /// A line, filled down to zero or to the pane's foot.
    Area,
    /// A dot per value.
    Dots,
}

impl SeriesStyle {
    /// What it is called.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Line => tr!("Line"),
            Self::Step => tr!("Step"),
            Self::Histogram => tr!("Histogram"),
            Self::Area => tr!("Area"),
            Self::Dots => tr!("Dots"),
        }
    }
}

/// One line of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredSeries")]
pub struct SeriesLayout {
    /// Tells it from the other lines of the layout.
    pub id: SeriesId,
    /// Where its values come from.
    pub source: SeriesSource,
    /// What the user calls it; empty for what its source is called.
    pub label: String,
    /// Which of the theme's line colours it has.
    pub color: usize,
    /// A colour of the user's own, as red, green and blue, instead.
    pub custom_color: Option<[u8; 3]>,
    /// Whether columns above and below zero have the colours of gain and loss instead; only a histogram's do.
    pub by_sign: bool,
    /// How wide it is drawn.
    pub width: LineWidth,
    /// How it is drawn; by convention and by its values where the user chose nothing.
    pub style: Option<SeriesStyle>,
    /// Whether it is drawn; hidden lines stay in the legend.
    pub visible: bool,
}

impl SeriesLayout {
    /// A line as it is drawn where the user said nothing.
    #[must_use]
    pub fn new(source: SeriesSource) -> Self {
        Self {
            id: SeriesId::default(),
            source,
            label: String::new(),
            color: 0,
            custom_color: None,
            by_sign: true,
            width: LineWidth::default(),
            style: None,
            visible: true,
        }
    }

    /// What the legend calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.label.is_empty() { self.source.label() } else { &self.label }
    }
}

/// A line as it was stored by this version or an older one.
#[derive(Deserialize)]
#[serde(default)]
struct StoredSeries {
    id: SeriesId,
    /// All there was before lines had sources: the name of a column.
    name: String,
    source: SeriesSource,
    label: String,
    color: usize,
    custom_color: Option<[u8; 3]>,
    by_sign: bool,
    width: LineWidth,
    style: Option<SeriesStyle>,
    visible: bool,
}

impl Default for StoredSeries {
    fn default() -> Self {
        let SeriesLayout { id, source, label, color, custom_color, by_sign, width, style, visible } =
            SeriesLayout::new(SeriesSource::column(FIRST_SET, ""));
        Self { id, name: String::new(), source, label, color, custom_color, by_sign, width, style, visible }
    }
}

impl From<StoredSeries> for SeriesLayout {
    fn from(stored: StoredSeries) -> Self {
        let StoredSeries { id, name, source, label, color, custom_color, by_sign, width, style, visible } = stored;
        let source = if name.is_empty() { source } else { SeriesSource::column(FIRST_SET, name) };
        Self { id, source, label, color, custom_color, by_sign, width, style, visible }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_first_version_is_a_column_of_classic() {
        let line: SeriesLayout = serde_json::from_str(r#"{"name":"ma20","color":3,"visible":false}"#).expect("json");
        let wanted = SeriesLayout { color: 3, visible: false, ..SeriesLayout::new(SeriesSource::column("classic", "ma20")) };
        assert_eq!(line, wanted);
    }

    #[test]
    fn a_line_is_read_back_as_it_was_written() {
        let line = SeriesLayout {
            id: SeriesId(7),
            label: "fast".to_owned(),
            custom_color: Some([1, 2, 3]),
            by_sign: false,
            width: LineWidth::Heavy,
            style: Some(SeriesStyle::Area),
            ..SeriesLayout::new(SeriesSource::formula("EMA($close, 12)"))
        };
        let text = serde_json::to_string(&line).expect("json");
        assert_eq!(serde_json::from_str::<SeriesLayout>(&text).expect("json"), line);
        assert_eq!((line.name(), SeriesLayout { label: String::new(), ..line.clone() }.name()), ("fast", "EMA($close, 12)"));
    }
}
