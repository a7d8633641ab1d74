//! The line of the formula that is being written, on the chart while it is written.
//!
//! Contract: it is only lent to the chart; whatever the user does to the chart's layout, it is not part of what is kept.

use crate::app::chart::{ChartLayout, LineWidth, SeriesId};
use crate::app::features::{PREVIEW_SET, placement_of};
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
    let shown = editor.preview.as_ref()?;
    shown.column()?;
    let source = SeriesSource::column(PREVIEW_SET, &*shown.name);
    let pane = match &editor.draft.pane {
        // Not into a pane that another line of this name has.
        Pane::Own => Pane::Named(PREVIEW_SET.to_owned()),
        pane => pane.clone(),
    };
    let (maximised, last_id) = (layout.maximised.clone(), layout.last_id);
    let id = layout.add(source.clone(), &placement_of(&pane, &shown.name));
    if let Some(line) = layout.line_mut(id) {
        line.color = COLOR;
        line.width = LineWidth::Thick;
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
