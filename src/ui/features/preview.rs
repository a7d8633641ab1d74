//! The line of the formula that is being written, on the chart while it is written.
//!
//! Contract: it is only lent to the chart; whatever the user does to the chart's layout, it is not part of what is kept.

use crate::app::chart::{ChartLayout, PanePlace, SeriesId};
use crate::app::features::{PREVIEW_SET, placement_of, source_of};
use crate::app::{AppState, Pane};
use crate::worker::series::SeriesSource;

/// Which of the line colours it has: the copper, for what is in hand.
const COLOR: usize = 6;

/// An id that no other line comes to have.
const LENT_ID: SeriesId = SeriesId(u32::MAX);

/// Adds the line to a copy of the chart's layout, if there is one to be shown; returns it, to be taken off again.
#[must_use]
pub fn lend(state: &AppState, layout: &mut ChartLayout) -> Option<SeriesSource> {
    let editor = state.features.editor.as_ref().filter(|_| state.features.open)?;
    // A saved feature that is on the chart is drawn already.
    let is_there = |key| state.chart.layout.contains(&source_of(key));
    if !editor.is_unsaved() && editor.draft.origin.as_ref().is_some_and(is_there) {
        return None;
    }
    let shown = editor.preview.as_ref()?;
    shown.column()?;
    let source = SeriesSource::column(PREVIEW_SET, &*shown.name);
    // Beside the line it will replace, so that both can be compared; else not into a pane that another line of this name has.
    let replaced = editor.draft.origin.as_ref().and_then(|key| layout.line_of(&source_of(key)));
    let pane = match (&editor.draft.pane, replaced.and_then(|line| layout.place_of(line.id))) {
        (Pane::Own, Some(PanePlace::Pane(id))) => Pane::Named(id),
        (Pane::Own, _) => Pane::Named(PREVIEW_SET.to_owned()),
        (pane, _) => pane.clone(),
    };
    let (maximised, last_id) = (layout.maximised.clone(), layout.last_id);
    let id = layout.add(source.clone(), &placement_of(&pane, &shown.name));
    if let Some(line) = layout.line_mut(id) {
        line.color = COLOR;
        line.id = LENT_ID;
    }
    layout.maximised = maximised;
    layout.last_id = last_id;
    Some(source)
}

/// Takes the line off a layout that is to be kept.
pub fn take_back(layout: &mut ChartLayout, lent: &SeriesSource) {
    layout.remove_source(lent);
}
