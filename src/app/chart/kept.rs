//! Charts that belong to one symbol, beside the one that all others share.
//!
//! Contract: what is changed while such a symbol is on the chart changes its own layout alone; the shared one is as it was left when
//! one walks on. [`ChartState::layout`] is always what is drawn.

use super::layout::ChartLayout;
use super::{ChartState, Symbol};
use crate::app::state::AppState;
use crate::tr;
use crate::worker::{Job, NoticeLevel};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Layouts of symbols that have one of their own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptLayouts(BTreeMap<Symbol, ChartLayout>);

/// Whose layout is drawn, when it is not the shared one.
#[derive(Debug, Clone, Default)]
pub(super) struct Keeping {
    /// The symbol.
    of: Option<Symbol>,
    /// The shared layout, meanwhile.
    shared: ChartLayout,
}

impl ChartState {
    /// Whether what is drawn belongs to its symbol alone.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.keeping.of.is_some()
    }

    /// The layout of every symbol without its own.
    #[must_use]
    pub fn shared_layout(&self) -> &ChartLayout {
        if self.is_kept() { &self.keeping.shared } else { &self.layout }
    }

    /// The layouts of symbols that have their own, as they are now.
    #[must_use]
    pub fn kept_layouts(&self) -> KeptLayouts {
        let mut kept = self.kept.clone();
        if let Some(symbol) = &self.keeping.of {
            kept.0.insert(symbol.clone(), self.layout.clone());
        }
        kept
    }

    /// Another symbol comes on the chart: its own layout is drawn if it has one, else the shared one.
    pub(super) fn turn_to(&mut self, symbol: Option<&Symbol>) {
        if self.keeping.of.as_ref() == symbol {
            return;
        }
        if let Some(before) = self.keeping.of.take() {
            let shared = self.keeping.shared.clone();
            let own = self.put(shared);
            self.kept.0.insert(before, own);
        }
        if let Some((symbol, own)) =
            symbol.and_then(|symbol| self.kept.0.get_key_value(symbol)).map(|(symbol, own)| (symbol.clone(), own.clone()))
        {
            self.keeping.shared = self.put(own);
            self.keeping.of = Some(symbol);
        }
    }

    /// Draws another layout and returns the one before. The stretch of time goes along; ids are never used twice.
    fn put(&mut self, mut layout: ChartLayout) -> ChartLayout {
        layout.renumber(self.layout.last_id.max(layout.last_id));
        let layout = layout.at_time_of(&self.layout);
        std::mem::replace(&mut self.layout, layout)
    }
}

impl AppState {
    /// Keeps the chart for its symbol, or lets the symbol share it again.
    pub(in crate::app) fn toggle_kept(&mut self) -> Vec<Job> {
        let Some(symbol) = self.chart.requested.clone() else { return Vec::new() };
        let chart = &mut self.chart;
        if chart.is_kept() {
            chart.turn_to(None);
            chart.kept.0.remove(&symbol);
            self.notices.tell(NoticeLevel::Info, tr!("{symbol} has the same chart as the others again", symbol = symbol));
        } else {
            chart.keeping = Keeping { of: Some(symbol.clone()), shared: chart.layout.clone() };
            chart.kept.0.insert(symbol.clone(), chart.layout.clone());
            self.notices.tell(NoticeLevel::Info, tr!("This chart is kept for {symbol}; the others go on as before", symbol = symbol));
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Placement;
    use super::*;
    use crate::worker::series::SeriesSource;

    #[test]
    fn a_kept_layout_is_drawn_for_its_symbol_alone_and_the_shared_one_stays() {
        let [own, other] = ["OWN", "OTHER"].map(Symbol::new);
        let mut chart = ChartState { layout: ChartLayout::bare(), ..ChartState::default() };
        chart.keeping = Keeping { of: Some(own.clone()), shared: chart.layout.clone() };
        chart.layout.add(SeriesSource::column("classic", "rsi14"), &Placement::Own);
        assert!(chart.is_kept() && chart.shared_layout().panes.is_empty());
        chart.turn_to(Some(&other));
        assert!(!chart.is_kept() && chart.layout.panes.is_empty());
        chart.layout.add(SeriesSource::column("classic", "ma5"), &Placement::Price);
        chart.turn_to(Some(&own));
        assert!(chart.is_kept() && chart.layout.overlays.is_empty() && chart.layout.panes.len() == 1);
        assert_eq!(chart.shared_layout().overlays.len(), 1);
        let ids: Vec<u32> = chart.layout.lines().chain(chart.shared_layout().lines()).map(|line| line.id.0).collect();
        assert!(ids.iter().all(|id| ids.iter().filter(|other| *other == id).count() == 1), "{ids:?}");
        // What is remembered is found again.
        let text = serde_json::to_string(&chart.kept_layouts()).expect("json");
        let kept: KeptLayouts = serde_json::from_str(&text).expect("json");
        let mut again = ChartState { layout: chart.shared_layout().clone(), kept, ..ChartState::default() };
        again.turn_to(Some(&own));
        assert!(again.is_kept() && again.layout.panes.len() == 1);
    }
}
