//! The list of symbols: filter, chips, order, focus and selection. Works on the snapshot's rows; no widgets.
//!
//! Selection and focus are kept by symbol, so they survive a new snapshot, another order and another filter.

use super::words;
use crate::cache::EntryState;
use crate::market::Symbol;
use crate::tr;
use crate::worker::{Snapshot, SymbolRow};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

/// A column of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::EnumIter)]
pub enum Column {
    /// The symbol.
    Symbol,
    /// State and time left.
    State,
    /// First and last bar.
    Range,
    /// Bars.
    Bars,
    /// Bytes of bars.
    BarsSize,
    /// Bytes of features.
    FeaturesSize,
    /// Reads from the cache.
    Hits,
}

impl Column {
    /// The column's head.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Symbol => tr!("Symbol"),
            Self::State => tr!("State"),
            Self::Range => tr!("Range"),
            Self::Bars => tr!("Bars"),
            Self::BarsSize => tr!("Bars size"),
            Self::FeaturesSize => tr!("Features size"),
            Self::Hits => tr!("Hits"),
        }
    }

    fn compare(self, left: &SymbolRow, right: &SymbolRow) -> Ordering {
        match self {
            Self::Symbol => left.symbol.cmp(&right.symbol),
            // What needs attention last, then by time left.
            Self::State => (left.state.severity(), left.expires_at_us.unwrap_or(i64::MAX))
                .cmp(&(right.state.severity(), right.expires_at_us.unwrap_or(i64::MAX))),
            Self::Range => left.span_us.map(|(first, last)| (last, first)).cmp(&right.span_us.map(|(first, last)| (last, first))),
            Self::Bars => (left.rows, left.source_rows).cmp(&(right.rows, right.source_rows)),
            Self::BarsSize => left.bars_bytes.cmp(&right.bars_bytes),
            Self::FeaturesSize => left.features_bytes.cmp(&right.features_bytes),
            Self::Hits => left.hits.cmp(&right.hits),
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

impl Default for SortKey {
    fn default() -> Self {
        Self { column: Column::Symbol, descending: false }
    }
}

/// What a chip narrows the list to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum StateFilter {
    /// Symbols in this state.
    State(EntryState),
    /// Symbols a job has now.
    Working,
}

impl StateFilter {
    /// The chip's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::State(state) => words::state(state),
            Self::Working => tr!("working"),
        }
    }
}

/// The list and what the user does with it.
#[derive(Debug, Clone, Default)]
pub struct SymbolList {
    filter: String,
    states: BTreeSet<StateFilter>,
    sort: SortKey,
    focus: Option<Symbol>,
    anchor: Option<Symbol>,
    selected: HashSet<Symbol>,
    /// Rows of the snapshot that are shown, in order.
    visible: Vec<usize>,
    /// How many rows each chip would show, whatever chips are pressed.
    counts: HashMap<StateFilter, usize>,
    /// Goes up whenever the shown rows change.
    pub version: u64,
}

impl SymbolList {
    /// The filter's text.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The pressed chips.
    #[must_use]
    pub fn states(&self) -> &BTreeSet<StateFilter> {
        &self.states
    }

    /// The order.
    #[must_use]
    pub fn sort(&self) -> SortKey {
        self.sort
    }

    /// The symbol the chart shows.
    #[must_use]
    pub fn focus(&self) -> Option<&Symbol> {
        self.focus.as_ref()
    }

    /// The selected symbols.
    #[must_use]
    pub fn selected(&self) -> &HashSet<Symbol> {
        &self.selected
    }

    /// Rows of the snapshot that are shown, in order.
    #[must_use]
    pub fn visible(&self) -> &[usize] {
        &self.visible
    }

    /// How many symbols a chip would show.
    #[must_use]
    pub fn count(&self, chip: StateFilter) -> usize {
        self.counts.get(&chip).copied().unwrap_or(0)
    }

    /// Uses an order from an earlier session.
    pub fn restore(&mut self, sort: SortKey, focus: Option<Symbol>) {
        self.sort = sort;
        self.focus = focus;
    }

    pub(super) fn set_filter(&mut self, text: String) {
        self.filter = text;
    }

    /// Gives up the filter and the chips.
    pub(super) fn show_all(&mut self) {
        self.filter.clear();
        self.states.clear();
    }

    pub(super) fn toggle_state(&mut self, chip: StateFilter) {
        if !self.states.remove(&chip) {
            self.states.insert(chip);
        }
    }

    /// Ascending, then descending, then by symbol again.
    pub(super) fn press_head(&mut self, column: Column) {
        self.sort = if self.sort.column != column {
            SortKey { column, descending: false }
        } else if !self.sort.descending {
            SortKey { column, descending: true }
        } else {
            SortKey::default()
        };
    }

    /// Works out which rows are shown, in which order.
    pub(super) fn update(&mut self, snapshot: &Snapshot, working: &HashSet<Symbol>) {
        let needle = self.filter.trim().to_lowercase();
        self.counts.clear();
        self.visible.clear();
        for (position, row) in snapshot.rows.iter().enumerate() {
            if !needle.is_empty() && !row.symbol.as_str().to_lowercase().contains(&needle) {
                continue;
            }
            let is_working = working.contains(&row.symbol);
            *self.counts.entry(StateFilter::State(row.state)).or_default() += 1;
            if is_working {
                *self.counts.entry(StateFilter::Working).or_default() += 1;
            }
            let shown = self.states.is_empty()
                || self.states.contains(&StateFilter::State(row.state))
                || (is_working && self.states.contains(&StateFilter::Working));
            if shown {
                self.visible.push(position);
            }
        }
        let SortKey { column, descending } = self.sort;
        if column != Column::Symbol || descending {
            let row = |position: &usize| snapshot.rows.get(*position);
            self.visible.sort_by(|left, right| {
                let order = match (row(left), row(right)) {
                    (Some(left), Some(right)) => column.compare(left, right),
                    _ => Ordering::Equal,
                };
                // Equal rows stay in the order of their symbols either way.
                if descending { order.reverse() } else { order }
            });
        }
        let known: HashSet<&Symbol> = snapshot.rows.iter().map(|row| &row.symbol).collect();
        self.selected.retain(|symbol| known.contains(symbol));
        if self.focus.as_ref().is_none_or(|symbol| !known.contains(symbol)) {
            self.focus = self.visible.first().and_then(|position| snapshot.rows.get(*position)).map(|row| row.symbol.clone());
        }
        self.version += 1;
    }

    fn shown<'snapshot>(&self, snapshot: &'snapshot Snapshot, place: usize) -> Option<&'snapshot Symbol> {
        self.visible.get(place).and_then(|position| snapshot.rows.get(*position)).map(|row| &row.symbol)
    }

    /// Where a symbol stands in the shown order.
    #[must_use]
    pub fn place_of(&self, snapshot: &Snapshot, symbol: &Symbol) -> Option<usize> {
        self.visible.iter().position(|position| snapshot.rows.get(*position).is_some_and(|row| row.symbol == *symbol))
    }

    /// A click on a row: plain focuses it, Ctrl toggles it in the selection, Shift selects up to it.
    pub(super) fn click(&mut self, snapshot: &Snapshot, symbol: Symbol, toggle: bool, extend: bool) {
        if extend {
            self.extend_to(snapshot, &symbol);
        } else if toggle {
            if self.selected.is_empty()
                && let Some(focus) = &self.focus
                && *focus != symbol
            {
                // The first Ctrl+click adds to what was clicked before.
                self.selected.insert(focus.clone());
            }
            if !self.selected.remove(&symbol) {
                self.selected.insert(symbol.clone());
            }
            self.anchor = Some(symbol.clone());
        } else {
            self.selected.clear();
            self.anchor = Some(symbol.clone());
        }
        self.focus = Some(symbol);
    }

    fn extend_to(&mut self, snapshot: &Snapshot, symbol: &Symbol) {
        let from = self.anchor.clone().or_else(|| self.focus.clone()).unwrap_or_else(|| symbol.clone());
        let (Some(start), Some(end)) = (self.place_of(snapshot, &from), self.place_of(snapshot, symbol)) else { return };
        self.selected = (start.min(end)..=start.max(end)).filter_map(|place| self.shown(snapshot, place).cloned()).collect();
        self.anchor = Some(from);
    }

    /// Moves the focus; with `extend` the selection follows.
    pub(super) fn walk(&mut self, snapshot: &Snapshot, rows: isize, extend: bool) {
        if self.visible.is_empty() {
            return;
        }
        let last = self.visible.len() - 1;
        let place = self.focus.as_ref().and_then(|symbol| self.place_of(snapshot, symbol));
        let next = place.map_or(0, |place| place.saturating_add_signed(rows).min(last));
        let Some(symbol) = self.shown(snapshot, next).cloned() else { return };
        if extend {
            self.extend_to(snapshot, &symbol);
        } else {
            self.selected.clear();
            self.anchor = Some(symbol.clone());
        }
        self.focus = Some(symbol);
    }

    pub(super) fn select_only(&mut self, symbol: Symbol) {
        self.selected.clear();
        self.selected.insert(symbol.clone());
        self.anchor = Some(symbol.clone());
        self.focus = Some(symbol);
    }

    pub(super) fn focus_on(&mut self, symbol: Symbol) {
        self.anchor = Some(symbol.clone());
        self.focus = Some(symbol);
    }

    pub(super) fn select_all(&mut self, snapshot: &Snapshot) {
        self.selected = (0..self.visible.len()).filter_map(|place| self.shown(snapshot, place).cloned()).collect();
    }

    pub(super) fn select_none(&mut self) {
        self.selected.clear();
    }

    /// The selected symbols, sorted; the focused one when none is selected.
    #[must_use]
    pub fn targets(&self) -> Vec<Symbol> {
        let mut targets: Vec<Symbol> =
            if self.selected.is_empty() { self.focus.iter().cloned().collect() } else { self.selected.iter().cloned().collect() };
        targets.sort();
        targets
    }
}
