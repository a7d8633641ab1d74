//! The application without its widgets: state, commands, and the one place where events are applied to state.
//!
//! Knows no egui. One round trip, always the same way: the window returns [`Action`]s; [`AppState::execute`] turns them into
//! jobs for the worker; the worker's events come back through [`AppState::apply`]; the window draws the state.

mod action;
mod apply;
mod availability;
mod bench;
pub mod chart;
mod command;
mod connect;
mod execute;
pub mod features;
mod free;
mod jobs;
mod leave;
mod look;
mod notices;
mod recent;
mod said;
mod schedules;
mod shortcut;
mod sources;
mod state;
mod symbols;
mod visits;
pub mod words;

pub use crate::worker::Column;
pub use action::{Action, Closing, ListAction, SettingsAction, SourceAction};
pub use bench::{BenchAction, BenchForm, BenchPhase};
pub use chart::{ChartAction, ChartState};
pub use command::{Command, CommandGroup};
pub use connect::{ConnectForm, TestState};
pub use features::{
    Draft, DraftMistake, DraftPreview, Editor, FeatureAction, FeatureKey, FeaturesState, FeaturesTab, FeaturesWorkspace, ListedFeature,
    Pane, PreviewState, Row, Saving,
};
pub use free::FreeForm;
pub use jobs::{JobStage, JobView};
pub use look::{InspectorState, OverviewState};
pub use notices::{LiveNotice, Notices, Offer, PastNotice, in_short};
pub use recent::Recent;
pub use said::{SENTENCES, said};
pub use schedules::{ScheduleAction, ScheduleForm, rhythm_words, task_word};
pub use shortcut::{Key, Shortcut};
pub use sources::Connection;
pub use state::{AppState, Dialog, OpenState, Verified, View, Workspace};
pub use symbols::{
    ColumnLayout, ColumnPlace, ExportAction, ExportForm, ExportWhat, Exporting, LARGE_BYTES, ListFilter, ListForm, ListPurpose,
    ListsAction, ListsState, Needle, Pasted, RowProgress, SelectionTotals, SortKey, SortOrder, SparkState, StateFilter, SymbolList,
    symbols_in,
};
pub use visits::Visits;
