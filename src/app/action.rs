//! What the window can return from drawing a frame.

use super::bench::BenchAction;
use super::chart::ChartAction;
use super::command::Command;
use super::features::FeatureAction;
use super::schedules::ScheduleAction;
use super::state::View;
use super::symbols::{ExportAction, ListFilter, ListsAction, StateFilter};
use crate::cache::LookupSpan;
use crate::config::{Password, Settings, SourceSetting};
use crate::market::Symbol;
use crate::preheat::RunState;
use crate::source::{ColumnRole, SourceKind, TlsMode};
use crate::worker::{Column, JobId, Turn};
use std::path::PathBuf;

/// One thing a user did.
#[derive(Debug, Clone)]
pub enum Action {
    /// A command of the menus.
    Run(Command),
    /// Look at another view.
    Show(View),
    /// Something about the list of symbols.
    List(ListAction),
    /// Something about the user's own lists and saved filters.
    Lists(ListsAction),
    /// Something about exports.
    Export(ExportAction),
    /// Show a file in the desktop's file manager.
    RevealPath(PathBuf),
    /// Something about sources and their dialog.
    Source(SourceAction),
    /// Something about the chart.
    Chart(ChartAction),
    /// Something about settings.
    Settings(SettingsAction),
    /// Something about features and formulas.
    Features(FeatureAction),
    /// Something about measuring the speed.
    Bench(BenchAction),
    /// Pause, resume or cancel a job.
    ControlJob(JobId, RunState),
    /// Preheat these symbols again (the failed ones of a job).
    Retry(Vec<Symbol>),
    /// Preheat one symbol.
    Preheat(Symbol),
    /// Show a symbol with everything that is known of it.
    Inspect(Symbol),
    /// Show a symbol: its row and its chart.
    Reveal(Symbol),
    /// Narrow the list to a symbol and show it.
    Find(Symbol),
    /// Look so far back in the overview.
    LookBack(LookupSpan),
    /// Put a text on the clipboard.
    Copy(String),
    /// Restore a cleared batch.
    Restore(i64),
    /// Narrow the list to exactly these symbols, and show it.
    ShowSymbols {
        /// What they have in common, for the chip that stands for them: "7 failed".
        title: String,
        /// Which.
        symbols: Vec<Symbol>,
    },
    /// Give a waiting job another turn.
    Turn(JobId, Turn),
    /// Something about schedules.
    Schedule(ScheduleAction),
    /// Close a notice.
    DismissNotice(u64),
    /// The history of notices is looked at.
    ReadNotices,
    /// Empty the history of notices.
    ForgetNotices,
    /// Search the symbols, beginning with this text.
    FindSymbol(String),
    /// A command was found in the palette: run it, and offer it first next time.
    Found(Command),
    /// A symbol was found in the palette: show it, and offer it first next time.
    FoundSymbol(Symbol),
    /// Show a file or folder in the desktop's own file manager.
    ShowFile(PathBuf),
    /// Put what helps to find a fault into this file.
    SaveDiagnostics(PathBuf),
    /// The window is asked to close.
    AskToClose,
    /// How to close while a job runs.
    Close(Closing),
    /// Another start of the program asked for this window.
    ComeBack,
    /// The amount of room to be freed was typed.
    AmountToFree(String),
    /// Close the open dialog.
    CloseDialog,
    /// Yes to the question of the open dialog.
    Confirm,
}

/// How the window closes while a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Closing {
    /// It does not.
    #[default]
    Stay,
    /// Out of sight now, and at an end when the jobs are.
    WhenDone,
    /// At once; jobs are stopped first.
    Now,
}

/// Something about the list of symbols.
#[derive(Debug, Clone)]
pub enum ListAction {
    /// The filter's text changed.
    Filter(String),
    /// A chip was pressed.
    ToggleState(StateFilter),
    /// No chip is pressed any more.
    ClearChips,
    /// Nothing narrows the list any more.
    ShowAll,
    /// Exactly this narrows the list, and it is shown.
    Narrow(Box<ListFilter>),
    /// A column's head was pressed.
    Sort {
        /// Which.
        column: Column,
        /// With Shift: the other columns go on to count.
        add: bool,
    },
    /// Order by a column in this direction, or no more by it.
    SetSort {
        /// Which.
        column: Column,
        /// Largest first; no more by it where this is left out.
        descending: Option<bool>,
        /// Whether the other columns go on to count.
        add: bool,
    },
    /// Work the order out now, although a job is under way.
    SortNow,
    /// Show or hide a column.
    ToggleColumn(Column),
    /// A column was made so wide; its usual width where this is left out.
    WidenColumn(Column, Option<f32>),
    /// A column was dragged before another, or to the end.
    MoveColumn {
        /// Which.
        column: Column,
        /// Before which; behind the last where this is left out.
        before: Option<Column>,
    },
    /// Move a column by one.
    StepColumn {
        /// Which.
        column: Column,
        /// To the right; else to the left.
        to_right: bool,
    },
    /// Columns, their order and widths as at the first start.
    UsualColumns,
    /// These rows are in view.
    See(std::ops::Range<usize>),
    /// A row was clicked.
    Click {
        /// Which.
        symbol: Symbol,
        /// With Ctrl: add it to or take it from the selection.
        toggle: bool,
        /// With Shift: select from the last clicked row to this.
        extend: bool,
    },
    /// The box of a row was pressed.
    Check {
        /// Which.
        symbol: Symbol,
        /// With Shift: everything from the last pressed box to this.
        extend: bool,
    },
    /// The focused row is added to the selection or taken from it.
    CheckFocus,
    /// Every shown row is selected, or none.
    CheckAll,
    /// Only this symbol is selected: a command of its menu follows.
    SelectOnly(Symbol),
    /// The arrow keys moved the focus by so many rows.
    Move {
        /// How many rows, downwards positive.
        rows: isize,
        /// With Shift: the selection follows.
        extend: bool,
    },
    /// To the first or last row.
    Jump {
        /// To the first; else to the last.
        to_first: bool,
        /// With Shift: the selection follows.
        extend: bool,
    },
}

/// Something about sources.
#[derive(Debug, Clone)]
pub enum SourceAction {
    /// Use the source of this name.
    Use(String),
    /// Forget the source of this name; what was cached from it stays.
    Forget(String),
    /// Bring a source back that was forgotten.
    PutBack {
        /// The source.
        setting: SourceSetting,
        /// Its place among the others.
        place: usize,
        /// Whether it was in use.
        in_use: bool,
    },
    /// Give a source another name; everything cached from it stays its own.
    Rename {
        /// The name it has.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// Open the dialog for a new source that begins as a copy of this.
    Copy(String),
    /// Fill the dialog from a URL.
    PasteUrl(String),
    /// Files or folders were let fall on the window.
    Dropped(Vec<PathBuf>),
    /// Open the dialog for the source of this name, or a new one.
    Edit(Option<String>),
    /// A field of the dialog changed.
    Name(String),
    /// The kind was chosen.
    Kind(SourceKind),
    /// A field of the dialog changed.
    Host(String),
    /// A field of the dialog changed.
    Port(String),
    /// A field of the dialog changed.
    User(String),
    /// A field of the dialog changed.
    Password(Password),
    /// A field of the dialog changed.
    Database(String),
    /// A field of the dialog changed.
    Table(String),
    /// A file or folder was chosen.
    Path(String),
    /// Encryption was chosen.
    Tls(TlsMode),
    /// A column was chosen for a role, or left to be found.
    MapColumn(ColumnRole, Option<String>),
    /// Test the connection.
    Test,
    /// Save and use it; preheat it if it has nothing cached.
    Connect,
}

/// Something about settings.
#[derive(Debug, Clone)]
pub enum SettingsAction {
    /// Use and save these.
    Save(Box<Settings>),
    /// A folder was chosen for the cache.
    CacheDir(Option<PathBuf>),
    /// A folder was chosen for bars.
    BarsDir(Option<PathBuf>),
    /// A folder was chosen for features.
    FeaturesDir(Option<PathBuf>),
}
