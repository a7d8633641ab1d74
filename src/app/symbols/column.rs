//! Which columns the list shows, in which order and how wide; and in which order its rows are.
//!
//! What stands in a column is the worker's ([`Column`]). Contract: the symbol is always shown and always first; a column a newer version
//! brings is hidden until it is chosen.

use crate::tr;
use crate::worker::Column;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

/// Most columns a list is ordered by.
const MOST_KEYS: usize = 3;
/// Widths a column can have.
const WIDTHS: std::ops::RangeInclusive<f32> = 32.0..=640.0;

impl Column {
    /// The column's head.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Symbol => tr!("Symbol"),
            Self::State => tr!("State"),
            Self::TimeLeft => tr!("Time left"),
            Self::Trend => tr!("Trend"),
            Self::Close => tr!(in "price", "Close"),
            Self::Change => tr!("Change"),
            Self::Range => tr!("Range"),
            Self::LastBar => tr!("Last bar"),
            Self::Bars => tr!("Bars"),
            Self::MissingSessions => tr!("Missing sessions"),
            Self::BarsSize => tr!("Bars size"),
            Self::FeaturesSize => tr!("Features size"),
            Self::Size => tr!("Size"),
            Self::Hits => tr!("Hits"),
            Self::HitRate => tr!("Hit rate"),
            Self::LastUsed => tr!("Last used"),
            Self::Fetched => tr!("Fetched"),
            Self::Attempts => tr!("Attempts"),
            Self::Error => tr!("Error"),
            Self::Exchange => tr!("Exchange"),
            Self::Pinned => tr!("Pinned"),
        }
    }

    /// What it shows, in one sentence.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Symbol => tr!("The source's own name of the instrument"),
            Self::State => tr!("The worst state among its bars and features, and how long it stays fresh or has been stale"),
            Self::TimeLeft => tr!("How long the first of its entries stays fresh"),
            Self::Trend => tr!("The last 60 closes; sorts by the last change"),
            Self::Close => tr!("The last cached close"),
            Self::Change => tr!("The last close against the one before"),
            Self::Range => tr!("First and last bar; as the source lists them where nothing is cached"),
            Self::LastBar => tr!("The date of the last bar"),
            Self::Bars => tr!("Cached bars; those the source lists where nothing is cached"),
            Self::MissingSessions => tr!("Sessions of its market for which it has no bar"),
            Self::BarsSize => tr!("Bytes of its file of bars"),
            Self::FeaturesSize => tr!("Bytes of its files of features"),
            Self::Size => tr!("Bytes of all its files"),
            Self::Hits => tr!("How often it was read from the cache"),
            Self::HitRate => tr!("The share of lookups of 30 days that the cache answered"),
            Self::LastUsed => tr!("When it was last read from the cache"),
            Self::Fetched => tr!("When its bars were last fetched"),
            Self::Attempts => tr!("Failed attempts in a row"),
            Self::Error => tr!("Why the last attempt failed"),
            Self::Exchange => tr!("The market whose calendar says when its bars are over"),
            Self::Pinned => tr!("Whether it never expires and is never evicted"),
        }
    }

    /// Whether it is shown at the first start.
    fn is_usual(self) -> bool {
        matches!(
            self,
            Self::Symbol | Self::State | Self::Trend | Self::Range | Self::Bars | Self::BarsSize | Self::FeaturesSize | Self::Hits
        )
    }
}

/// A column and how wide the user made it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ColumnPlace {
    /// Which.
    pub column: Column,
    /// Its width in points; its usual one where this is left out.
    pub width: Option<f32>,
    /// Whether it is shown.
    pub shown: bool,
}

/// Every column in the user's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<ColumnPlace>", into = "Vec<ColumnPlace>")]
pub struct ColumnLayout {
    places: Vec<ColumnPlace>,
}

impl Default for ColumnLayout {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<ColumnPlace>> for ColumnLayout {
    /// Columns that are missing are put at the end; those that are there twice, or too wide, are set right.
    fn from(kept: Vec<ColumnPlace>) -> Self {
        let is_new = kept.is_empty();
        let mut places: Vec<ColumnPlace> = vec![ColumnPlace { column: Column::Symbol, width: None, shown: true }];
        for place in kept {
            let width = place.width.filter(|width| width.is_finite()).map(|width| width.clamp(*WIDTHS.start(), *WIDTHS.end()));
            match places.iter_mut().find(|known| known.column == place.column) {
                Some(symbol) if symbol.column == Column::Symbol => symbol.width = width,
                Some(_) => {}
                None => places.push(ColumnPlace { width, ..place }),
            }
        }
        for column in Column::iter() {
            if !places.iter().any(|place| place.column == column) {
                places.push(ColumnPlace { column, width: None, shown: is_new && column.is_usual() });
            }
        }
        Self { places }
    }
}

impl From<ColumnLayout> for Vec<ColumnPlace> {
    fn from(layout: ColumnLayout) -> Self {
        layout.places
    }
}

impl ColumnLayout {
    /// Every column, in the user's order.
    #[must_use]
    pub fn places(&self) -> &[ColumnPlace] {
        &self.places
    }

    /// The shown columns, in the user's order.
    pub fn shown(&self) -> impl Iterator<Item = Column> {
        self.places.iter().filter(|place| place.shown).map(|place| place.column)
    }

    /// Whether a column is shown.
    #[must_use]
    pub fn is_shown(&self, column: Column) -> bool {
        self.places.iter().any(|place| place.column == column && place.shown)
    }

    /// How wide the user made a column.
    #[must_use]
    pub fn width(&self, column: Column) -> Option<f32> {
        self.places.iter().find(|place| place.column == column)?.width
    }

    /// Whether nothing was chosen: which columns there is room for may then be decided by the window.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        let usual = Self::default();
        self.places.iter().map(|place| (place.column, place.shown)).eq(usual.places.iter().map(|place| (place.column, place.shown)))
    }

    pub(super) fn toggle(&mut self, column: Column) {
        if let Some(place) = self.places.iter_mut().find(|place| place.column == column && column != Column::Symbol) {
            place.shown = !place.shown;
        }
    }

    pub(super) fn set_width(&mut self, column: Column, width: Option<f32>) {
        if let Some(place) = self.places.iter_mut().find(|place| place.column == column) {
            place.width = width.filter(|width| width.is_finite()).map(|width| width.clamp(*WIDTHS.start(), *WIDTHS.end()));
        }
    }

    /// Puts a column before another, or last.
    pub(super) fn put_before(&mut self, column: Column, before: Option<Column>) {
        if column == Column::Symbol || before == Some(column) {
            return;
        }
        let Some(from) = self.places.iter().position(|place| place.column == column) else { return };
        let place = self.places.remove(from);
        let to = match before {
            // Nothing comes before the symbol.
            Some(Column::Symbol) => 1,
            Some(before) => self.places.iter().position(|place| place.column == before).unwrap_or(self.places.len()),
            // Behind the last one shown: the hidden ones are not seen.
            None => self.places.iter().rposition(|place| place.shown).map_or(self.places.len(), |last| last + 1),
        };
        self.places.insert(to, place);
    }

    /// Moves a shown column by one to the left or right.
    pub(super) fn step(&mut self, column: Column, to_right: bool) {
        let shown: Vec<Column> = self.shown().collect();
        let Some(place) = shown.iter().position(|candidate| *candidate == column) else { return };
        if to_right {
            if place + 1 < shown.len() {
                self.put_before(column, shown.get(place + 2).copied());
            }
        } else if place > 1 {
            self.put_before(column, shown.get(place - 1).copied());
        }
    }
}

/// In which order the list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    /// By which column.
    pub column: Column,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// The columns the list is ordered by, first the one that decides; by symbol without any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SortOrder(Vec<SortKey>);

impl SortOrder {
    /// The columns that decide, first to last.
    #[must_use]
    pub fn keys(&self) -> &[SortKey] {
        &self.0
    }

    /// Which number a column has among those that decide, and its direction.
    #[must_use]
    pub fn place_of(&self, column: Column) -> Option<(usize, bool)> {
        self.0.iter().position(|key| key.column == column).and_then(|place| Some((place, self.0.get(place)?.descending)))
    }

    /// A head was pressed: ascending, then descending, then no more; of the state, what needs attention first. With `add` the other
    /// columns stay.
    pub(super) fn press(&mut self, column: Column, add: bool) {
        let first = column == Column::State;
        // By symbol it is ordered anyway.
        let now = self.place_of(column).or((self.0.is_empty() && column == Column::Symbol).then_some((0, false)));
        if !add && self.0.iter().any(|key| key.column != column) {
            self.0 = vec![SortKey { column, descending: first }];
            return;
        }
        match now {
            None => {
                self.0.truncate(MOST_KEYS - 1);
                self.0.push(SortKey { column, descending: first });
            }
            Some((_, now)) if now == first => self.set(column, Some(!first), add),
            Some(_) => self.set(column, None, add),
        }
    }

    /// Sorts by a column in this direction, or no more by it; with `add` the other columns stay.
    pub(super) fn set(&mut self, column: Column, descending: Option<bool>, add: bool) {
        if !add {
            self.0.retain(|key| key.column == column);
        }
        match (descending, self.0.iter().position(|key| key.column == column)) {
            (Some(descending), Some(place)) => {
                if let Some(key) = self.0.get_mut(place) {
                    key.descending = descending;
                }
            }
            (Some(descending), None) => {
                self.0.truncate(MOST_KEYS - 1);
                self.0.push(SortKey { column, descending });
            }
            (None, Some(place)) => {
                self.0.remove(place);
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(layout: &ColumnLayout) -> Vec<Column> {
        layout.shown().collect()
    }

    #[test]
    fn columns_are_hidden_shown_moved_and_kept() {
        let mut layout = ColumnLayout::default();
        assert!(layout.is_usual());
        layout.toggle(Column::Hits);
        layout.toggle(Column::Symbol);
        layout.toggle(Column::Error);
        assert!(!layout.is_usual() && layout.is_shown(Column::Symbol) && !layout.is_shown(Column::Hits));
        layout.put_before(Column::Error, Some(Column::State));
        layout.put_before(Column::Bars, Some(Column::Symbol));
        layout.put_before(Column::Symbol, None);
        assert_eq!(shown(&layout)[..4], [Column::Symbol, Column::Bars, Column::Error, Column::State]);
        layout.step(Column::Error, false);
        layout.step(Column::Error, false);
        assert_eq!(shown(&layout)[..3], [Column::Symbol, Column::Error, Column::Bars], "never before the symbol");
        layout.put_before(Column::Error, None);
        assert_eq!(shown(&layout).last(), Some(&Column::Error));
        layout.step(Column::Error, true);
        layout.set_width(Column::Error, Some(10_000.0));
        let text = serde_json::to_string(&layout).expect("text");
        let back: ColumnLayout = serde_json::from_str(&text).expect("back");
        assert_eq!(back, layout);
        assert_eq!(back.width(Column::Error), Some(640.0));
    }

    #[test]
    fn a_layout_of_another_version_is_set_right() {
        let place = |column, shown| ColumnPlace { column, width: Some(f32::NAN), shown };
        let layout = ColumnLayout::from(vec![place(Column::Hits, true), place(Column::Symbol, false), place(Column::Hits, false)]);
        assert_eq!(shown(&layout), [Column::Symbol, Column::Hits]);
        assert_eq!(layout.places().len(), Column::iter().count());
        assert_eq!(layout.width(Column::Hits), None);
    }

    #[test]
    fn heads_go_round_and_more_columns_are_added() {
        let keys = |order: &SortOrder| order.keys().iter().map(|key| (key.column, key.descending)).collect::<Vec<_>>();
        let mut order = SortOrder::default();
        order.press(Column::Symbol, false);
        assert_eq!(keys(&order), [(Column::Symbol, true)]);
        order.press(Column::Bars, false);
        order.press(Column::State, true);
        assert_eq!(keys(&order), [(Column::Bars, false), (Column::State, true)], "what needs attention first");
        order.press(Column::Size, true);
        order.press(Column::Hits, true);
        assert_eq!(keys(&order).len(), 3, "three are enough");
        assert_eq!(order.place_of(Column::Hits), Some((2, false)));
        order.press(Column::State, true);
        assert_eq!(order.place_of(Column::State), Some((1, false)));
        order.press(Column::State, true);
        assert_eq!(order.place_of(Column::State), None);
        order.press(Column::Hits, false);
        assert_eq!(keys(&order), [(Column::Hits, false)], "without Shift it is the only one");
        order.press(Column::Hits, false);
        order.press(Column::Hits, false);
        assert!(order.keys().is_empty());
    }
}
