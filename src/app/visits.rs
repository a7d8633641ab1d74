//! Back and forward: the views and symbols that were looked at, as a browser keeps pages.
//!
//! Walking the list with the keys is one visit, of the symbol it ends at: going back leads to where the walk began.

use super::state::{AppState, View};
use crate::market::Symbol;
use crate::worker::Job;

/// How many places are remembered.
const KEPT: usize = 200;

/// A place that can be gone back to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    view: View,
    /// The symbol on the chart, where the view has one.
    symbol: Option<Symbol>,
}

/// How one came to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coming {
    /// Went there.
    Went,
    /// Passed it with the keys.
    Walked,
    /// It became so by itself: the first symbol of a list, or another one because this is gone.
    Settled,
}

/// The places behind and ahead.
#[derive(Debug, Clone, Default)]
pub struct Visits {
    behind: Vec<Place>,
    here: Option<Place>,
    ahead: Vec<Place>,
    walking: bool,
}

impl Visits {
    /// Whether there is something behind.
    #[must_use]
    pub fn can_go_back(&self) -> bool {
        !self.behind.is_empty()
    }

    /// Whether there is something ahead.
    #[must_use]
    pub fn can_go_forward(&self) -> bool {
        !self.ahead.is_empty()
    }

    fn note(&mut self, place: Place, coming: Coming) {
        if self.here.as_ref() == Some(&place) {
            self.walking &= coming != Coming::Went;
            return;
        }
        // A chart without a symbol yet is no place to go back to.
        let is_empty = self.here.as_ref().is_none_or(|here| here.view == View::Symbols && here.symbol.is_none());
        let passed = coming == Coming::Settled || is_empty || (coming == Coming::Walked && self.walking);
        let before = self.here.replace(place);
        if !passed {
            self.behind.extend(before);
            self.ahead.clear();
            if self.behind.len() > KEPT {
                self.behind.remove(0);
            }
        }
        self.walking = coming == Coming::Walked;
    }
}

impl AppState {
    /// Remembers what is looked at now.
    pub(super) fn note_visit(&mut self, coming: Coming) {
        let symbol = if self.view == View::Symbols { self.list.focus().cloned() } else { None };
        self.visits.note(Place { view: self.view, symbol }, coming);
    }

    /// Back to what was looked at before, or forward again. Symbols that are gone are passed over.
    pub(super) fn travel(&mut self, back: bool) -> Vec<Job> {
        loop {
            let visits = &mut self.visits;
            let Some(place) = (if back { visits.behind.pop() } else { visits.ahead.pop() }) else { return Vec::new() };
            let gone = place.symbol.as_ref().is_some_and(|symbol| self.row(symbol).is_none());
            if gone {
                continue;
            }
            let visits = &mut self.visits;
            let left = visits.here.replace(place.clone());
            if back {
                visits.ahead.extend(left);
            } else {
                visits.behind.extend(left);
            }
            visits.walking = false;
            self.view = place.view;
            return match place.symbol {
                Some(symbol) if self.list.focus() != Some(&symbol) => self.reveal(symbol),
                _ => Vec::new(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(symbol: &str) -> Place {
        Place { view: View::Symbols, symbol: Some(Symbol::new(symbol)) }
    }

    #[test]
    fn a_walk_is_one_visit_and_what_settles_is_none() {
        let mut visits = Visits::default();
        visits.note(Place { view: View::Symbols, symbol: None }, Coming::Settled);
        visits.note(chart("A"), Coming::Settled);
        assert!(!visits.can_go_back());
        for symbol in ["B", "C", "D"] {
            visits.note(chart(symbol), Coming::Walked);
        }
        assert_eq!(visits.behind, [chart("A")]);
        visits.note(chart("X"), Coming::Went);
        visits.note(chart("Y"), Coming::Walked);
        assert_eq!(visits.behind, [chart("A"), chart("D"), chart("X")]);
    }

    #[test]
    fn only_so_many_places_are_kept() {
        let mut visits = Visits::default();
        for number in 0..500 {
            visits.note(chart(&number.to_string()), Coming::Went);
        }
        assert_eq!(visits.behind.len(), KEPT);
    }
}
