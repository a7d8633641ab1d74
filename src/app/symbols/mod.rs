//! The list of symbols: filter, chips, order, focus and selection. Works on the snapshot's rows; no widgets.
//!
//! Selection and focus are kept by symbol, so they survive a new snapshot, another order and another filter. Contract: which rows are
//! shown is worked out when something changes, never while a frame is drawn; nothing moves under the user's hands: while a job works,
//! rows stay where they are, and an order by what reading changes is worked out when it is asked for.

mod act;
mod column;
mod export;
mod filter;
mod lists;
mod paste;
mod sparks;

pub use act::RowProgress;
pub use column::{ColumnLayout, ColumnPlace, SortKey, SortOrder};
pub use export::{ExportAction, ExportForm, ExportWhat, Exporting};
pub use filter::{LARGE_BYTES, ListFilter, Needle, StateFilter};
pub use lists::{ListForm, ListPurpose, ListsAction, ListsState};
pub use paste::{Pasted, symbols_in};
pub use sparks::SparkState;

use crate::config::NamedList;
use crate::market::Symbol;
use crate::worker::{Snapshot, Sparks, SymbolRow};
use filter::pass_chips;
use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};

/// What is selected, in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelectionTotals {
    /// Entries with files.
    pub entries: usize,
    /// Their bytes.
    pub size_bytes: u64,
    /// Symbols that are pinned.
    pub pinned: usize,
    /// Selected symbols that the filter hides.
    pub hidden: usize,
}

/// What the shown rows are made from.
pub(super) struct Sources<'state> {
    pub snapshot: &'state Snapshot,
    pub working: &'state HashSet<Symbol>,
    /// The chosen list, if it is there.
    pub list: Option<&'state NamedList>,
    pub sparks: &'state Sparks,
}

/// The list and what the user does with it.
#[derive(Debug, Clone, Default)]
pub struct SymbolList {
    filter: ListFilter,
    /// The only symbols that are shown, and what they have in common; where a figure led here.
    only: Option<(String, HashSet<Symbol>)>,
    columns: ColumnLayout,
    sort: SortOrder,
    focus: Option<Symbol>,
    anchor: Option<Symbol>,
    selected: HashSet<Symbol>,
    totals: SelectionTotals,
    /// Rows of the snapshot that are shown, in order.
    visible: Vec<usize>,
    /// Symbols the shown rows are of; tells whether another snapshot has the same.
    rows_of: usize,
    /// How many rows each chip would show, whatever chips are pressed.
    counts: [usize; StateFilter::ALL.len()],
    /// How many of the shown rows are cached.
    cached_shown: usize,
    /// Whether rows stay where they are although they would stand elsewhere by now.
    held: bool,
    /// Goes up whenever the shown rows change.
    pub version: u64,
}

impl SymbolList {
    /// What is typed into the filter.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter.text
    }

    /// Everything that narrows the list.
    #[must_use]
    pub fn narrowed_by(&self) -> &ListFilter {
        &self.filter
    }

    /// The pressed chips.
    #[must_use]
    pub fn states(&self) -> &std::collections::BTreeSet<StateFilter> {
        &self.filter.chips
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &ColumnLayout {
        &self.columns
    }

    /// The order.
    #[must_use]
    pub fn sort(&self) -> &SortOrder {
        &self.sort
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

    /// The selection in figures.
    #[must_use]
    pub fn totals(&self) -> SelectionTotals {
        self.totals
    }

    /// Rows of the snapshot that are shown, in order.
    #[must_use]
    pub fn visible(&self) -> &[usize] {
        &self.visible
    }

    /// How many of the shown rows have cached bars.
    #[must_use]
    pub fn cached_shown(&self) -> usize {
        self.cached_shown
    }

    /// Whether rows stay where they are, until the job that changes them is over.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether every shown row is selected.
    #[must_use]
    pub fn all_selected(&self) -> bool {
        !self.visible.is_empty() && self.selected.len() - self.totals.hidden.min(self.selected.len()) == self.visible.len()
    }

    /// How many symbols a chip would show.
    #[must_use]
    pub fn count(&self, chip: StateFilter) -> usize {
        self.counts.get(chip.place()).copied().unwrap_or(0)
    }

    /// Selects what was selected in an earlier session; what is gone by now falls out with the first snapshot.
    pub fn restore_selected(&mut self, symbols: impl IntoIterator<Item = Symbol>) {
        self.selected = symbols.into_iter().collect();
    }

    /// Uses order, columns and focus from an earlier session.
    pub fn restore(&mut self, sort: SortOrder, columns: ColumnLayout, focus: Option<Symbol>) {
        self.sort = sort;
        self.columns = columns;
        self.focus = focus;
    }

    /// What the only symbols that are shown have in common, and how many they are.
    #[must_use]
    pub fn only(&self) -> Option<(&str, usize)> {
        self.only.as_ref().map(|(title, symbols)| (title.as_str(), symbols.len()))
    }

    /// Shows exactly these symbols.
    pub fn show_only(&mut self, title: String, symbols: impl IntoIterator<Item = Symbol>) {
        self.show_all();
        self.selected.clear();
        self.only = Some((title, symbols.into_iter().collect()));
    }

    /// Whether a row is among what the list was narrowed to from elsewhere and on the chosen list.
    fn is_listed(&self, of_list: Option<&HashSet<&str>>, symbol: &Symbol) -> bool {
        of_list.is_none_or(|symbols| symbols.contains(symbol.as_str())) && self.only.as_ref().is_none_or(|(_, only)| only.contains(symbol))
    }

    pub(super) fn set_filter(&mut self, text: String) {
        self.filter.text = text;
    }

    /// Gives up the filter, the chips, the list and whatever else it was narrowed to.
    pub(super) fn show_all(&mut self) {
        self.only = None;
        self.filter = ListFilter::default();
    }

    /// Works out which rows are shown, in which order.
    pub(super) fn update(&mut self, sources: &Sources<'_>) {
        let snapshot = sources.snapshot;
        let mut needle = Needle::new(&self.filter.text);
        let of_list: Option<HashSet<&str>> = sources.list.map(|list| list.symbols.iter().map(String::as_str).collect());
        self.counts = [0; StateFilter::ALL.len()];
        self.visible.clear();
        self.cached_shown = 0;
        let mut scores: Vec<(Reverse<u32>, usize)> = Vec::new();
        let by_score = !needle.is_empty() && self.sort.keys().is_empty();
        for (position, row) in snapshot.rows.iter().enumerate() {
            if !self.is_listed(of_list.as_ref(), &row.symbol) {
                continue;
            }
            let score = if needle.is_empty() { 0 } else { needle.score(row.symbol.as_str()).unwrap_or(u32::MAX) };
            if score == u32::MAX {
                continue;
            }
            let is_working = !sources.working.is_empty() && sources.working.contains(&row.symbol);
            if pass_chips(row, is_working, &self.filter.chips, &mut self.counts) {
                self.cached_shown += usize::from(row.rows > 0);
                if by_score {
                    scores.push((Reverse(score), position));
                } else {
                    self.visible.push(position);
                }
            }
        }
        if by_score {
            scores.sort_unstable();
            self.visible.extend(scores.iter().map(|(_, position)| *position));
        } else {
            self.order(snapshot, sources.sparks);
        }
        self.rows_of = snapshot.rows.len();
        self.held = false;
        self.keep_known(snapshot);
        self.version += 1;
    }

    fn order(&mut self, snapshot: &Snapshot, sparks: &Sparks) {
        let keys = self.sort.keys();
        if keys.is_empty() {
            return;
        }
        let row = |position: &usize| snapshot.rows.get(*position);
        // Equal rows stay in the order of their symbols.
        self.visible.sort_by(|left, right| {
            let (Some(left), Some(right)) = (row(left), row(right)) else { return Ordering::Equal };
            keys.iter()
                .map(|key| {
                    let order = key.column.compare(left, right, sparks);
                    if key.descending { order.reverse() } else { order }
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
    }

    /// Counts anew and leaves the rows where they are, if the new snapshot has the same symbols at the same places. Returns whether.
    pub(super) fn hold(&mut self, before: &Snapshot, sources: &Sources<'_>) -> bool {
        let snapshot = sources.snapshot;
        let is_same = self.rows_of == snapshot.rows.len()
            && before.rows.len() == snapshot.rows.len()
            && before.rows.iter().zip(&snapshot.rows).all(|(old, new)| old.symbol == new.symbol);
        if !is_same {
            return false;
        }
        let mut needle = Needle::new(&self.filter.text);
        let of_list: Option<HashSet<&str>> = sources.list.map(|list| list.symbols.iter().map(String::as_str).collect());
        self.counts = [0; StateFilter::ALL.len()];
        for row in &snapshot.rows {
            let name = row.symbol.as_str();
            if self.is_listed(of_list.as_ref(), &row.symbol) && (needle.is_empty() || needle.score(name).is_some()) {
                let is_working = !sources.working.is_empty() && sources.working.contains(&row.symbol);
                pass_chips(row, is_working, &self.filter.chips, &mut self.counts);
            }
        }
        let shown = self.visible.iter().filter_map(|position| snapshot.rows.get(*position));
        self.cached_shown = shown.filter(|row| row.rows > 0).count();
        // By symbol nothing would move, and without chips nothing would go.
        self.held = !self.filter.chips.is_empty() || self.sort.keys().iter().any(|key| key.column != crate::worker::Column::Symbol);
        self.keep_known(snapshot);
        self.version += 1;
        true
    }

    /// Forgets what is not there any more.
    fn keep_known(&mut self, snapshot: &Snapshot) {
        self.selected.retain(|symbol| row_of(snapshot, symbol).is_some());
        let left_out = |symbol: &Symbol| self.only.as_ref().is_some_and(|(_, only)| !only.contains(symbol));
        if self.focus.as_ref().is_none_or(|symbol| row_of(snapshot, symbol).is_none() || left_out(symbol)) {
            self.focus = self.visible.first().and_then(|position| snapshot.rows.get(*position)).map(|row| row.symbol.clone());
        }
        self.count_selection(snapshot);
    }

    /// Works out the figures of the selection; after anything that changes it.
    pub(super) fn count_selection(&mut self, snapshot: &Snapshot) {
        let mut totals = SelectionTotals::default();
        if !self.selected.is_empty() {
            let shown = self.visible.iter().filter_map(|position| snapshot.rows.get(*position));
            let mut shown_selected = 0;
            for row in shown.filter(|row| self.selected.contains(&row.symbol)) {
                shown_selected += 1;
                totals.add(row);
            }
            totals.hidden = self.selected.len() - shown_selected;
            if totals.hidden > 0 {
                totals = SelectionTotals { hidden: totals.hidden, ..SelectionTotals::default() };
                #[allow(clippy::iter_over_hash_type, reason = "sums do not depend on the order")]
                for row in self.selected.iter().filter_map(|symbol| row_of(snapshot, symbol)) {
                    totals.add(row);
                }
            }
        }
        self.totals = totals;
    }

    fn shown<'snapshot>(&self, snapshot: &'snapshot Snapshot, place: usize) -> Option<&'snapshot Symbol> {
        self.visible.get(place).and_then(|position| snapshot.rows.get(*position)).map(|row| &row.symbol)
    }

    /// Where a symbol stands in the shown order.
    #[must_use]
    pub fn place_of(&self, snapshot: &Snapshot, symbol: &Symbol) -> Option<usize> {
        let wanted = snapshot.rows.binary_search_by(|row| row.symbol.cmp(symbol)).ok()?;
        self.visible.iter().position(|position| *position == wanted)
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
            self.toggle(symbol.clone());
        } else {
            self.selected.clear();
            self.anchor = Some(symbol.clone());
        }
        self.focus = Some(symbol);
        self.count_selection(snapshot);
    }

    /// The box of a row was pressed: it alone is added or taken away, and the chart stays.
    pub(super) fn check(&mut self, snapshot: &Snapshot, symbol: &Symbol, extend: bool) {
        if extend {
            self.extend_to(snapshot, symbol);
        } else {
            self.toggle(symbol.clone());
        }
        self.count_selection(snapshot);
    }

    fn toggle(&mut self, symbol: Symbol) {
        if !self.selected.remove(&symbol) {
            self.selected.insert(symbol.clone());
        }
        self.anchor = Some(symbol);
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
        self.count_selection(snapshot);
    }

    pub(super) fn select_only(&mut self, snapshot: &Snapshot, symbol: Symbol) {
        self.selected.clear();
        self.selected.insert(symbol.clone());
        self.anchor = Some(symbol.clone());
        self.focus = Some(symbol);
        self.count_selection(snapshot);
    }

    pub(super) fn focus_on(&mut self, symbol: Symbol) {
        self.anchor = Some(symbol.clone());
        self.focus = Some(symbol);
    }

    pub(super) fn select_all(&mut self, snapshot: &Snapshot) {
        self.selected = (0..self.visible.len()).filter_map(|place| self.shown(snapshot, place).cloned()).collect();
        self.count_selection(snapshot);
    }

    pub(super) fn select_none(&mut self) {
        self.selected.clear();
        self.totals = SelectionTotals::default();
    }

    /// The selected symbols, sorted; the focused one when none is selected.
    #[must_use]
    pub fn targets(&self) -> Vec<Symbol> {
        let mut targets: Vec<Symbol> =
            if self.selected.is_empty() { self.focus.iter().cloned().collect() } else { self.selected.iter().cloned().collect() };
        targets.sort();
        targets
    }

    /// The places of the selected rows in the order they are shown; hidden ones behind them. The focused one when none is selected.
    pub(super) fn target_rows(&self, snapshot: &Snapshot) -> Vec<usize> {
        if self.selected.is_empty() {
            return self.focus.iter().filter_map(|symbol| snapshot.rows.binary_search_by(|row| row.symbol.cmp(symbol)).ok()).collect();
        }
        let is_selected = |position: &&usize| snapshot.rows.get(**position).is_some_and(|row| self.selected.contains(&row.symbol));
        let mut rows: Vec<usize> = self.visible.iter().filter(is_selected).copied().collect();
        if rows.len() < self.selected.len() {
            let shown: HashMap<usize, ()> = rows.iter().map(|row| (*row, ())).collect();
            let hidden =
                snapshot.rows.iter().enumerate().filter(|(place, row)| !shown.contains_key(place) && self.selected.contains(&row.symbol));
            rows.extend(hidden.map(|(place, _)| place));
        }
        rows
    }
}

impl SelectionTotals {
    fn add(&mut self, row: &SymbolRow) {
        self.entries += row.datasets.iter().filter(|dataset| dataset.entry.file.is_some()).count();
        self.size_bytes += row.size_bytes();
        self.pinned += usize::from(row.pinned);
    }
}

fn row_of<'snapshot>(snapshot: &'snapshot Snapshot, symbol: &Symbol) -> Option<&'snapshot SymbolRow> {
    let position = snapshot.rows.binary_search_by(|row| row.symbol.cmp(symbol)).ok()?;
    snapshot.rows.get(position)
}
