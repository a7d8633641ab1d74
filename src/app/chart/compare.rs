//! Other symbols beside the one on the chart.
//!
//! Contract: a compared symbol is a line over the prices like any other, and stays while one walks from symbol to symbol. With the
//! first one the scale turns to percent, where lines of any size can be compared; with the last one it turns back, unless the
//! user chose another scale meanwhile.

use super::layout::{ChartLayout, Placement};
use super::line::SeriesLayout;
use super::scale::PriceScale;
use super::wish::nothing_to_compare;
use crate::app::state::AppState;
use crate::market::Symbol;
use crate::tr_n;
use crate::worker::series::SeriesSource;
use crate::worker::{Job, NoticeLevel};

/// Most symbols that are compared at once: more lines are a tangle.
pub const MOST_COMPARED: usize = 20;

impl ChartLayout {
    /// The symbols that are compared, in the order they came.
    pub fn compared(&self) -> impl Iterator<Item = (&Symbol, &SeriesLayout)> {
        self.lines().filter_map(|line| match &line.source {
            SeriesSource::Symbol(symbol) => Some((symbol, line)),
            _ => None,
        })
    }

    /// Whether a symbol is compared.
    #[must_use]
    pub fn compares(&self, symbol: &Symbol) -> bool {
        self.compared().any(|(compared, _)| compared == symbol)
    }

    /// Puts a symbol beside the one on the chart, unless it is there. Returns whether there was room.
    pub fn compare(&mut self, symbol: &Symbol) -> bool {
        let count = self.compared().count();
        if self.compares(symbol) {
            return true;
        }
        if count >= MOST_COMPARED {
            return false;
        }
        if count == 0 && !self.price_scale.is_relative() {
            self.scale_before = Some(self.price_scale);
            self.price_scale = PriceScale::Percent;
        }
        self.add(SeriesSource::Symbol(symbol.clone()), &Placement::Price);
        true
    }

    /// Takes a compared symbol off the chart.
    pub fn stop_comparing(&mut self, symbol: &Symbol) {
        self.remove_source(&SeriesSource::Symbol(symbol.clone()));
    }

    /// Takes all compared symbols off the chart.
    pub fn stop_comparing_all(&mut self) {
        let symbols: Vec<Symbol> = self.compared().map(|(symbol, _)| symbol.clone()).collect();
        symbols.iter().for_each(|symbol| self.stop_comparing(symbol));
    }

    /// Chooses a scale; the same again goes back to the linear one.
    pub fn toggle_scale(&mut self, scale: PriceScale) {
        self.set_scale(if self.price_scale == scale { PriceScale::Linear } else { scale });
    }

    /// Chooses a scale.
    pub fn set_scale(&mut self, scale: PriceScale) {
        self.price_scale = scale;
        self.scale_before = None;
    }

    /// After lines went: without compared symbols the scale is the one there was before them.
    pub(super) fn forget_comparison(&mut self) {
        if self.compared().next().is_none()
            && let Some(before) = self.scale_before.take()
            && self.price_scale == PriceScale::Percent
        {
            self.price_scale = before;
        }
    }
}

impl AppState {
    /// Puts symbols beside the one on the chart.
    pub(super) fn compare(&mut self, symbols: &[Symbol]) -> Vec<Job> {
        let focus = self.list.focus().cloned();
        let others: Vec<&Symbol> = symbols.iter().filter(|symbol| Some(*symbol) != focus.as_ref()).collect();
        if others.is_empty() {
            return self.change_chart(nothing_to_compare());
        }
        let left_out = others.into_iter().filter(|symbol| !self.chart.layout.compare(symbol)).count();
        if left_out > 0 {
            let text = tr_n!(
                left_out as u64,
                "{count} symbol was left out: {most} can be compared at once",
                "{count} symbols were left out: {most} can be compared at once",
                most = MOST_COMPARED
            );
            self.notices.tell(NoticeLevel::Info, text);
        }
        self.view = crate::app::state::View::Symbols;
        Vec::new()
    }

    /// Compares what is selected in the list. The first of them is on the chart where the one that is was not selected.
    pub(in crate::app) fn compare_selected(&mut self) -> Vec<Job> {
        let symbols = self.list.targets();
        let mut jobs = Vec::new();
        if let (Some(focus), Some(first)) = (self.list.focus(), symbols.first())
            && !symbols.contains(focus)
        {
            self.list.focus_on(first.clone());
            self.update_list();
            jobs.extend(self.load_focus_if_new());
        }
        jobs.extend(self.compare(&symbols));
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparing_turns_to_percent_and_back_and_an_own_choice_stays() {
        let mut layout = ChartLayout::bare();
        layout.set_scale(PriceScale::Log);
        let [first, second] = ["AAPL", "MSFT"].map(Symbol::new);
        assert!(layout.compare(&first) && layout.compare(&second) && layout.compare(&first));
        assert_eq!(layout.compared().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>(), ["AAPL", "MSFT"]);
        assert_eq!(layout.price_scale, PriceScale::Percent);
        layout.stop_comparing(&first);
        assert_eq!(layout.price_scale, PriceScale::Percent);
        layout.stop_comparing_all();
        assert_eq!((layout.price_scale, layout.overlays.len()), (PriceScale::Log, 0));

        layout.compare(&first);
        layout.set_scale(PriceScale::Indexed);
        layout.stop_comparing_all();
        assert_eq!(layout.price_scale, PriceScale::Indexed);
    }

    #[test]
    fn there_is_an_end_to_what_is_compared() {
        let mut layout = ChartLayout::bare();
        let symbols: Vec<Symbol> = (0..=MOST_COMPARED).map(|number| Symbol::new(format!("S{number}"))).collect();
        let (last, others) = symbols.split_last().expect("symbols");
        assert!(others.iter().all(|symbol| layout.compare(symbol)));
        assert!(!layout.compare(last) && layout.compared().count() == MOST_COMPARED);
    }
}
