//! What changed flashes once: the state of a row in view is tinted for a moment when it becomes another.
//!
//! Not an animation: one tint that comes and goes, so that two frames are drawn for it and no more. Contract: rows that come into view
//! flash only when they change there, and nothing does where motion is reduced.

use crate::cache::EntryState;
use crate::market::Symbol;
use crate::ui::theme::may_flash;
use eframe::egui::Ui;
use std::collections::HashMap;
use std::time::Duration;

/// How long a change is tinted, in seconds.
const FLASH_SECS: f64 = 0.7;

/// The states that were drawn last, and when some of them changed.
#[derive(Debug, Default)]
pub(super) struct Flashes {
    drawn: HashMap<Symbol, (EntryState, Option<f64>)>,
}

impl Flashes {
    /// Takes in the states that are drawn now, and sees to it that what is tinted does not stay so.
    pub(super) fn look<'row>(&mut self, ui: &Ui, rows: impl Iterator<Item = (&'row Symbol, EntryState)>) {
        let now = ui.input(|input| input.time);
        self.take_in(rows, now, may_flash(ui));
        let ends = self.drawn.values().filter_map(|(_, since)| since.map(|since| since + FLASH_SECS));
        if let Some(next) = ends.min_by(f64::total_cmp) {
            ui.request_repaint_after(Duration::from_secs_f64((next - now).max(0.0) + 0.01));
        }
    }

    fn take_in<'row>(&mut self, rows: impl Iterator<Item = (&'row Symbol, EntryState)>, now: f64, may_flash: bool) {
        let before = std::mem::take(&mut self.drawn);
        for (symbol, state) in rows {
            let since = match before.get(symbol) {
                Some((old, _)) if *old != state => Some(now),
                Some((_, since)) => since.filter(|since| now < since + FLASH_SECS),
                None => None,
            };
            self.drawn.insert(symbol.clone(), (state, since.filter(|_| may_flash)));
        }
    }

    /// Whether a row's state is tinted now.
    pub(super) fn is_on(&self, symbol: &Symbol) -> bool {
        self.drawn.get(symbol).is_some_and(|(_, since)| since.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_in_view_flashes_once_and_for_a_moment() {
        let symbols = ["A", "B"].map(Symbol::new);
        let mut flashes = Flashes::default();
        let mut look = |states: [EntryState; 2], now: f64, may_flash: bool| {
            flashes.take_in(symbols.iter().zip(states), now, may_flash);
            symbols.each_ref().map(|symbol| flashes.is_on(symbol))
        };
        assert_eq!(look([EntryState::Fresh, EntryState::Fresh], 0.0, true), [false, false], "what appears has not changed");
        assert_eq!(look([EntryState::Stale, EntryState::Fresh], 1.0, true), [true, false]);
        assert_eq!(look([EntryState::Stale, EntryState::Fresh], 1.0 + FLASH_SECS / 2.0, true), [true, false]);
        assert_eq!(look([EntryState::Stale, EntryState::Fresh], 1.0 + FLASH_SECS, true), [false, false]);
        assert_eq!(look([EntryState::Fresh, EntryState::Fresh], 9.0, false), [false, false], "nothing where motion is reduced");
        assert_eq!(look([EntryState::Fresh, EntryState::Fresh], 9.1, true), [false, false], "nor later");
    }
}
