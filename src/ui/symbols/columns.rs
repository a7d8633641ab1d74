//! How wide the columns of the list are, and which there is room for.

use crate::app::{AppState, Column};

/// What the box of a row takes.
pub(super) const BOX_POINTS: f32 = 24.0;
/// How wide the picture of closes may grow where there is room.
const WIDEST_TREND: f32 = 150.0;

/// The usual columns that can be missed, first those that say most.
const BY_WORTH: [Column; 6] = [Column::Trend, Column::Range, Column::Bars, Column::BarsSize, Column::Hits, Column::FeaturesSize];

/// Width of a column at first, in points.
pub(super) fn usual_width(column: Column) -> f32 {
    match column {
        Column::Symbol => 96.0,
        Column::LastBar => 86.0,
        Column::State => 128.0,
        Column::TimeLeft | Column::HitRate | Column::Change => 76.0,
        Column::Trend => 64.0,
        Column::Close => 80.0,
        Column::Range => 166.0,
        Column::Bars => 58.0,
        Column::MissingSessions => 124.0,
        Column::BarsSize | Column::Size => 66.0,
        Column::FeaturesSize => 86.0,
        Column::Hits => 44.0,
        Column::LastUsed | Column::Fetched => 108.0,
        Column::Attempts => 72.0,
        Column::Error => 240.0,
        Column::Exchange => 104.0,
        Column::Pinned => 60.0,
    }
}

/// Whether its values stand right.
pub(super) fn is_number(column: Column) -> bool {
    matches!(
        column,
        Column::TimeLeft
            | Column::Close
            | Column::Change
            | Column::Bars
            | Column::MissingSessions
            | Column::BarsSize
            | Column::FeaturesSize
            | Column::Size
            | Column::Hits
            | Column::HitRate
            | Column::LastUsed
            | Column::Fetched
            | Column::Attempts
    )
}

/// A column where it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LaidColumn {
    pub column: Column,
    /// Its left edge, from that of the table.
    pub left: f32,
    pub width: f32,
}

/// The columns that are drawn: the box and the symbol stand still, the others are scrolled past them.
pub(super) fn lay_out(state: &AppState, room: f32) -> Vec<LaidColumn> {
    let layout = state.list.columns();
    let width = |column: Column| layout.width(column).unwrap_or_else(|| usual_width(column));
    let mut columns: Vec<Column> = layout.shown().collect();
    let needed = |columns: &[Column]| BOX_POINTS + columns.iter().map(|column| width(*column)).sum::<f32>();
    // Nobody has chosen: where there is not enough room for all, what says most comes first, and nothing has to be scrolled for.
    if layout.is_usual() {
        let mut left = room - needed(&columns.iter().copied().filter(|column| !BY_WORTH.contains(column)).collect::<Vec<_>>());
        // Dates are wide and may be passed over; nothing else makes place for what says less.
        let mut is_full = false;
        let kept = BY_WORTH.map(|column| {
            let fits = !is_full && width(column) <= left;
            left -= if fits { width(column) } else { 0.0 };
            is_full |= !fits && column != Column::Range;
            (column, fits)
        });
        columns.retain(|column| kept.iter().all(|(candidate, fits)| candidate != column || *fits));
    }
    let spare = (room - needed(&columns)).max(0.0);
    let mut left = BOX_POINTS;
    let mut laid = Vec::with_capacity(columns.len());
    for column in columns {
        let mut width = width(column);
        if column == Column::Trend && layout.width(column).is_none() {
            width = (width + spare).min(WIDEST_TREND.max(width));
        }
        laid.push(LaidColumn { column, left, width });
        left += width;
    }
    laid
}
