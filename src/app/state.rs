//! The state of the window: what the worker last told, and what the user is looking at.

use super::action::Closing;
use super::bench::BenchForm;
use super::chart::{ChartState, KeptLayouts, TemplateForm, Templates};
use super::connect::ConnectForm;
use super::features::{FeaturesState, FeaturesWorkspace};
use super::free::FreeForm;
use super::jobs::{JobStage, JobView};
use super::look::{InspectorState, OverviewState};
use super::notices::Notices;
use super::recent::Recent;
use super::schedules::ScheduleForm;
use super::symbols::{ColumnLayout, ExportForm, Exporting, ListForm, ListsState, SortOrder, SparkState, SymbolList};
use super::visits::Visits;
use crate::config::{SetAside, Settings};
use crate::feature::SetLibrary;
use crate::language::Language;
use crate::market::Symbol;
use crate::worker::{JobId, ScheduleState, Snapshot, SourceContact, SymbolRow};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// What fills the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum View {
    /// Symbols and chart.
    #[default]
    Symbols,
    /// Size, states, expiry and hit rate.
    Overview,
    /// Running and past jobs.
    Jobs,
    /// Sources and settings.
    Settings,
}

/// A question or form in front of everything.
#[derive(Debug, Clone)]
pub enum Dialog {
    /// Connect a source.
    Connect(Box<ConnectForm>),
    /// Clear so much?
    ConfirmClear {
        /// What is cleared.
        selection: crate::cache::Selection,
        /// In words: "412 symbols", "everything that is not fresh".
        what: String,
        /// Entries.
        entries: usize,
        /// Bytes.
        size_bytes: u64,
    },
    /// Free how much room?
    Free(FreeForm),
    /// Save the formula, which makes so much outdated?
    SaveFormula,
    /// Measure the speed.
    Bench(Box<BenchForm>),
    /// All commands and symbols.
    Palette,
    /// All chart templates.
    Templates,
    /// What a chart template is called.
    NameTemplate(TemplateForm),
    /// Symbols alone, beginning with this text.
    FindSymbol(String),
    /// A list or filter that gets a name.
    List(Box<ListForm>),
    /// What to export.
    Export(ExportForm),
    /// Every shortcut.
    Help,
    /// Which version this is, and where it keeps things.
    About,
    /// Where to put the diagnostics.
    Diagnostics {
        /// The file.
        path: String,
        /// How it went: `None` before, the file's bytes or what went wrong after.
        saved: Option<Result<u64, String>>,
    },
    /// The window is to close, and a job runs.
    ConfirmClose,
    /// The settings could not be read.
    SettingsSetAside(SetAside),
}

/// Whether the cache could be opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OpenState {
    /// It is being opened.
    #[default]
    Opening,
    /// It is open, and the first snapshot is here.
    Ready,
    /// It cannot be opened.
    Failed(String),
}

/// What a check of all files found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// When, by the last snapshot's clock.
    pub at_us: i64,
    /// Files that were checked.
    pub checked: usize,
    /// Those that failed their checksum.
    pub damaged: usize,
    /// Those that were gone.
    pub missing: usize,
}

/// What is remembered from one start to the next, besides the settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Workspace {
    /// The view.
    pub view: View,
    /// The order of the list. Under another name than the single column of earlier versions.
    #[serde(rename = "order")]
    pub sort: SortOrder,
    /// Columns of the list.
    pub columns: ColumnLayout,
    /// The symbol on the chart.
    pub focus: Option<Symbol>,
    /// Whether the inspector is shown.
    pub inspector: bool,
    /// The features panel and the formula being written.
    pub features: FeaturesWorkspace,
    /// Chart templates.
    pub templates: Templates,
    /// Charts that belong to one symbol.
    pub kept_charts: KeptLayouts,
    /// How far back the overview looks.
    pub span: crate::cache::LookupSpan,
    /// Commands and symbols that were searched for last.
    pub recent: Recent,
    /// Symbols that are selected, in order.
    pub selected: Vec<Symbol>,
}

/// Everything the window draws.
#[derive(Debug, Clone, Default)]
pub struct AppState {
    /// The settings in force.
    pub settings: Settings,
    /// Whether the cache is open.
    pub open: OpenState,
    /// The cache as last seen.
    pub snapshot: Arc<Snapshot>,
    /// The feature sets there are; empty until the worker has told.
    pub sets: Arc<SetLibrary>,
    /// What fills the window.
    pub view: View,
    /// The list of symbols.
    pub list: SymbolList,
    /// Closes for its rows.
    pub sparks: SparkState,
    /// The user's own lists and saved filters.
    pub lists: ListsState,
    /// The export that runs.
    pub exporting: Option<Exporting>,
    /// The chart.
    pub chart: ChartState,
    /// The inspector beside it.
    pub inspector: InspectorState,
    /// The features panel and the formula editor.
    pub features: FeaturesState,
    /// The overview.
    pub overview: OverviewState,
    /// Jobs of this session, newest first.
    pub jobs: Vec<JobView>,
    /// Jobs that wait, in the order in which they will run.
    pub waiting: Vec<JobId>,
    /// Schedules and how they stand.
    pub schedules: Arc<Vec<ScheduleState>>,
    /// The schedule that is being written.
    pub schedule_form: Option<ScheduleForm>,
    /// Symbols a job has now.
    pub working: HashSet<Symbol>,
    /// Messages.
    pub notices: Notices,
    /// What came of the last query to a source.
    pub contact: Option<SourceContact>,
    /// Where one was.
    pub visits: Visits,
    /// Commands and symbols that were searched for last.
    pub recent: Recent,
    /// Where a user looks for files that were saved for him.
    pub documents_dir: PathBuf,
    /// Whether the window is about to close.
    pub closing: Closing,
    /// What stands in front.
    pub dialog: Option<Dialog>,
    /// Whether room is being freed, whatever dialog is shown.
    pub is_freeing: bool,
    /// A check of all files: files done, files in all.
    pub verifying: Option<(usize, usize)>,
    /// What the last check of all files found, and when; of this session.
    pub verified: Option<Verified>,
    /// Whether the filter wants the cursor.
    pub focus_filter: bool,
    /// Text for the clipboard.
    pub clipboard: Option<String>,
    /// Whether the window is dark now, whatever the settings leave to the desktop.
    pub is_dark: bool,
    /// The language of the desktop, or English where it is one the window does not speak.
    pub desktop_language: Language,
    /// Whether the source was chosen on the command line and so is not to be changed in the settings.
    pub fixed_source: bool,
    pub(super) next_job: JobId,
    pub(super) next_test: u64,
    pub(super) next_bench: u64,
    /// What was exported last: the next time it is offered again.
    pub(super) last_export: ExportForm,
    /// Jobs that bring a new source in: when one begins, its first symbol is shown.
    pub(super) greet: bool,
}

impl AppState {
    /// The state at the start.
    #[must_use]
    pub fn new(settings: Settings, workspace: &Workspace, fixed_source: bool) -> Self {
        let mut state = Self { settings, view: workspace.view, fixed_source, ..Self::default() };
        state.list.restore(workspace.sort.clone(), workspace.columns.clone(), workspace.focus.clone());
        state.list.restore_selected(workspace.selected.iter().cloned());
        state.inspector.open = workspace.inspector;
        state.features.restore(&workspace.features);
        state.chart.templates = workspace.templates.clone();
        state.chart.kept = workspace.kept_charts.clone();
        state.overview.span = workspace.span;
        state.recent = workspace.recent.clone();
        state
    }

    /// What to remember for the next start.
    #[must_use]
    pub fn workspace(&self) -> Workspace {
        let focus = self.list.focus().cloned();
        let mut selected: Vec<Symbol> = self.list.selected().iter().cloned().collect();
        selected.sort();
        Workspace {
            view: self.view,
            sort: self.list.sort().clone(),
            columns: self.list.columns().clone(),
            focus,
            inspector: self.inspector.open,
            features: self.features.workspace(),
            templates: self.chart.templates.clone(),
            kept_charts: self.chart.kept_layouts(),
            span: self.overview.span,
            recent: self.recent.clone(),
            selected,
        }
    }

    /// The language the window speaks.
    #[must_use]
    pub fn language(&self) -> Language {
        self.settings.appearance.language.unwrap_or(self.desktop_language)
    }

    /// Whether a source is configured.
    #[must_use]
    pub fn has_source(&self) -> bool {
        self.fixed_source || self.settings.source_url().is_some()
    }

    /// The job that runs, or waits while paused.
    #[must_use]
    pub fn active_job(&self) -> Option<&JobView> {
        self.jobs.iter().rev().find(|job| !job.stage.is_over() && job.stage != JobStage::Queued).or_else(|| self.waiting_jobs().next())
    }

    /// The jobs that wait, in the order in which they will run.
    pub fn waiting_jobs(&self) -> impl Iterator<Item = &JobView> {
        self.waiting.iter().filter_map(|id| self.jobs.iter().find(|job| job.id == *id))
    }

    /// The row of a symbol.
    #[must_use]
    pub fn row(&self, symbol: &Symbol) -> Option<&SymbolRow> {
        let position = self.snapshot.rows.binary_search_by(|row| row.symbol.cmp(symbol)).ok()?;
        self.snapshot.rows.get(position)
    }

    /// The focused symbol's row.
    #[must_use]
    pub fn focused_row(&self) -> Option<&SymbolRow> {
        self.row(self.list.focus()?)
    }

    /// Entries with files, and their bytes, of the selected symbols.
    #[must_use]
    pub fn selected_size(&self) -> (usize, u64) {
        let totals = self.list.totals();
        (totals.entries, totals.size_bytes)
    }

    /// Symbols whose last attempt failed.
    #[must_use]
    pub fn failed_symbols(&self) -> Vec<Symbol> {
        self.snapshot.rows.iter().filter(|row| row.failure.is_some()).map(|row| row.symbol.clone()).collect()
    }
}
