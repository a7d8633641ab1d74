//! The chart: candles, volume and indicators over one shared axis of bars.
//!
//! ```text
//! 1M 3M 6M YTD 1Y 5Y All  ▦        Linear  Compare  Indicators  Template  ⋮
//! AAPL  O 101.20  H 103.40  L 100.90  C 102.75  +1.20 %
//! ● ma20 99.87  ● ma60 96.10
//!   ┃▌  ▐┃                                          │ 104.00
//! ▌ ┃▌▐┃▐┃   candles, lines                        [│ 102.75]
//! ────────────────────────────────────────────────── drag here
//! Volume 1.2 M                                      │ 2 M
//! ▂▅▃▂▇▅▂                                           │
//! 2024      Feb       Mar       Apr       May       │
//! ```
//!
//! Painted by its own code: meshes with level of detail (`candles`, `line`), so that a million bars cost what a
//! thousand do. Geometry (`geometry`, `axis`) knows no widgets. Contract: [`chart_ui`] does no I/O, reads only visible
//! bars, keeps what it built until something it depends on changes, and never asks for a repaint by itself. The x axis
//! counts bars, so that weekends and halts leave no gaps, until time itself is asked for (`x_scale`).

mod axis;
mod candles;
mod compare;
mod entry;
mod findings;
use crate::worker::chart_data as data;
mod geometry;
mod go_to;
mod head;
mod help;
mod indicators;
mod input;
mod legend;
mod line;
mod measure;
mod menu;
mod paint;
mod panes;
mod picture;
mod scale;
mod settings;
mod style;
mod tags;
mod templates;
mod view;
mod x_scale;

pub use crate::app::chart::{
    ChartLayout, ChartWish, LineWidth, PaneLayout, PanePlace, Placement, PriceScale, RangeChoice, SeriesId, SeriesLayout, SeriesStyle,
};
pub use crate::worker::series::{Series, SeriesFigures, SeriesSource};
pub use data::ChartData;
pub use geometry::IndexRange;
pub use help::gestures;
pub use indicators::{FeatureChoice, FeatureChoices};
pub use templates::name_template_ui;
pub use view::{ChartKeys, ChartNotice, ChartOffer, ChartResponse, ChartView, chart_ui};
