//! What goes to the worker and what comes back.

use super::bench::{BenchProgress, BenchReport, BenchRequest};
use super::chart_data::ChartData;
use super::chart_export::{CopyRequest, Picture};
use super::contact::SourceContact;
use super::dossier::{Dossier, InspectRequest};
use super::export::{ExportFormat, ExportOrder, Exported};
use super::profile::{ProfileReport, ProfileRequest};
use super::schedule::ScheduleState;
use super::series::SeriesSource;
use super::sets::{Outdate, OutdateRequest, Preview, PreviewError, PreviewRequest, SetFileChange, SetRefusal};
use super::sparks::{Spark, SparkRequest};
use super::survey::{Survey, SurveyRequest};
use super::table::Table;
use crate::cache::{Cleared, FreePlan, Room, Selection, TimeToLive, VerifyReport, VersionFacts};
use crate::config::{Password, Settings, SymbolLists};
use crate::feature::SetLibrary;
use crate::market::{DateRange, Symbol};
use crate::preheat::{PreheatReport, Progress, RunState, Scope, SymbolOutcome};
use crate::source::{SourceUrl, StageReport, TestReport};
use crate::worker::snapshot::Snapshot;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The number of a job within this process.
pub type JobId = u64;

/// A preheat as a front end asks for it; the rest comes from the settings.
#[derive(Debug, Clone, Default)]
pub struct PreheatOrder {
    /// What it is called in lists.
    pub title: String,
    /// These symbols; all when left out.
    pub symbols: Option<Vec<Symbol>>,
    /// Only these days.
    pub range: DateRange,
    /// At most so many symbols.
    pub limit: Option<usize>,
    /// Bars, features or both.
    pub scope: Scope,
    /// These sets; those of the settings when left out.
    pub sets: Option<Vec<String>>,
    /// Fetch and compute whatever the state.
    pub force: bool,
    /// Ask the source about fresh entries too.
    pub check: bool,
    /// Another number of days between two comparisons of a whole history than the settings'.
    pub history_check_days: Option<u32>,
    /// Another time to live than the settings'.
    pub ttl: Option<TimeToLive>,
    /// Another number of threads than the settings'.
    pub jobs: Option<usize>,
    /// How long a source that cannot be reached or a full disk is waited for; for ever when left out.
    pub patience: Option<Duration>,
}

/// A symbol to be shown.
#[derive(Debug, Clone)]
pub struct LoadRequest {
    /// Counts up; an answer to an older request than the last is dropped by the front end.
    pub generation: u64,
    /// Which symbol.
    pub symbol: Symbol,
    /// With which lines.
    pub series: Vec<SeriesSource>,
    /// What was read of it before: its bars and its answers are kept, and only what it lacks is read or computed.
    pub base: Option<Arc<ChartData>>,
}

/// Another turn for a preheat that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Before all others that wait.
    Next,
    /// One earlier.
    Earlier,
    /// One later.
    Later,
}

/// What a front end can ask for.
#[derive(Debug, Clone)]
pub enum Job {
    /// Bring what is not fresh to fresh (or everything, with `force`).
    Preheat {
        /// The number the front end gave it.
        id: JobId,
        /// What to preheat.
        order: Box<PreheatOrder>,
    },
    /// Pause, resume or cancel a preheat.
    Control {
        /// Which.
        id: JobId,
        /// What it shall do.
        state: RunState,
    },
    /// Give a waiting preheat another turn; answered by [`JobEvent::Waiting`].
    Turn {
        /// Which.
        id: JobId,
        /// When it shall run.
        turn: Turn,
    },
    /// Run the schedule of this name now, besides its times.
    RunSchedule(String),
    /// Mark entries as not fresh.
    Invalidate(Selection),
    /// Move entries to the trash.
    Clear(Selection),
    /// Bring a cleared batch back; the newest when left out.
    UndoClear(Option<i64>),
    /// Tell what would go to free so many bytes; answered by [`JobEvent::FreePlanned`].
    PlanFree(u64),
    /// Free so many bytes, the least valuable entries first; answered by [`JobEvent::Freed`].
    Free(u64),
    /// Pin or unpin the entries of symbols.
    Pin {
        /// Which symbols.
        symbols: Vec<Symbol>,
        /// Whether they shall be pinned.
        pinned: bool,
    },
    /// Check every file.
    Verify {
        /// Also repair.
        repair: bool,
    },
    /// Ask the source for its symbols again.
    ListSymbols,
    /// Keep a copy of what the window remembers from one start to the next.
    KeepWorkspace(String),
    /// Say whether this is a folder; answered by [`JobEvent::LookedForFolder`].
    LookForFolder(PathBuf),
    /// Read a symbol for the chart.
    Load(LoadRequest),
    /// Tell rows of the chart as text; answered by [`JobEvent::ChartCopied`].
    CopyChart(Box<CopyRequest>),
    /// Write a picture of the chart to a PNG file.
    SavePicture {
        /// The file.
        path: PathBuf,
        /// The picture.
        picture: Arc<Picture>,
    },
    /// Tell everything about a symbol.
    Inspect(InspectRequest),
    /// Work out the overview's numbers.
    Survey(SurveyRequest),
    /// Tell which versions of feature sets the catalog keeps, and what is cached of each; answered by [`JobEvent::Versions`].
    ListVersions,
    /// Read a little from the source in use and tell what that took; answered by [`JobEvent::Profiled`].
    ProfileSource(ProfileRequest),
    /// Measure the cache against reading and computing anew; answered by [`JobEvent::BenchFinished`]. One that runs is stopped first.
    Bench(BenchRequest),
    /// Stop the measurement that runs.
    StopBench,
    /// Test a connection step by step.
    TestSource {
        /// Counts up, so that answers to an older test can be told apart.
        generation: u64,
        /// What to connect to, with its password.
        url: Box<SourceUrl>,
    },
    /// Use these settings from now on, and save them.
    Configure {
        /// The settings.
        settings: Box<Settings>,
        /// A password to keep, with the id of its source.
        password: Option<(String, Password)>,
    },
    /// Save a user's set: its text is checked, what the file held before is kept as a copy, and the file is replaced whole. Answered
    /// by [`JobEvent::SetSaved`] and [`JobEvent::Sets`], or by [`JobEvent::SetRefused`].
    SaveSet {
        /// The name of the set, which the text says too.
        name: String,
        /// Its text.
        text: String,
    },
    /// Delete a user's set: its file becomes a copy, from which it can be brought back. Answered by [`JobEvent::SetDeleted`] and
    /// [`JobEvent::Sets`], or by [`JobEvent::SetRefused`]. To undo it, save the text that the event brings.
    DeleteSet {
        /// The name of the set.
        name: String,
    },
    /// Try formulas on a symbol; answered by [`JobEvent::Previewed`].
    Preview(PreviewRequest),
    /// Tell what saving a set's text would make outdated; answered by [`JobEvent::OutdateKnown`].
    Outdate(OutdateRequest),
    /// Put what helps to find a fault into a file; answered by [`JobEvent::DiagnosticsSaved`].
    SaveDiagnostics {
        /// The file.
        path: PathBuf,
        /// What the user was told in this session.
        told: Vec<String>,
    },
    /// Read closes for rows of the list; answered by [`JobEvent::Sparks`].
    Sparks(SparkRequest),
    /// Make a table into text for the clipboard; answered by [`JobEvent::TableText`].
    CopyTable(Box<Table>),
    /// Write a table into a file; answered by [`JobEvent::Exported`].
    ExportTable {
        /// What.
        table: Box<Table>,
        /// Where to.
        path: PathBuf,
        /// As what.
        format: ExportFormat,
    },
    /// Write bars and features of symbols into a folder; answered by [`JobEvent::Exported`] or [`JobEvent::ExportFailed`].
    ExportSymbols(Box<ExportOrder>),
    /// Stop the export that runs; files that are finished stay.
    StopExport,
    /// These are the user's lists of symbols from now on; save them.
    SaveLists(Box<SymbolLists>),
    /// Read a text of symbols; answered by [`JobEvent::ListRead`].
    ReadList(PathBuf),
    /// Show a file in the desktop's file manager.
    Reveal(PathBuf),
    /// Bring the snapshot up to date now.
    Refresh,
    /// Finish what must be finished and end.
    Shutdown,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeLevel {
    /// Something went as wished.
    Success,
    /// Worth knowing.
    Info,
    /// Needs attention some time.
    Warning,
    /// Something failed.
    Error,
}

/// Something to tell the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: NoticeLevel,
    /// One sentence.
    pub text: String,
    /// A batch of the trash that can be restored from here.
    pub undo_batch: Option<i64>,
}

/// How a job ended.
#[derive(Debug, Clone)]
pub enum JobOutcome {
    /// A preheat ran; single symbols may have failed.
    Preheated(Box<PreheatReport>),
    /// It could not run at all.
    Failed(String),
}

/// How a measurement ended.
#[derive(Debug, Clone)]
pub enum BenchOutcome {
    /// With these figures.
    Done(Arc<BenchReport>),
    /// The user stopped it.
    Stopped,
    /// It could not be done.
    Failed(String),
}

/// A symbol that was read for the chart.
#[derive(Debug, Clone)]
pub struct LoadedSymbol {
    /// Its columns, with levels of detail.
    pub data: Arc<ChartData>,
    /// Which tier answered.
    pub tier: crate::cache::Tier,
    /// Seconds it took.
    pub seconds: f64,
}

/// Why a symbol cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// Nothing is cached.
    NotCached,
    /// Reading failed.
    Failed(String),
}

/// What the worker reports.
#[derive(Debug, Clone)]
pub enum JobEvent {
    /// The cache is open.
    Opened,
    /// The answer to [`Job::LookForFolder`].
    LookedForFolder {
        /// What was looked at.
        path: PathBuf,
        /// Whether it is a folder.
        is_folder: bool,
    },
    /// The cache cannot be opened; jobs that need it will be refused.
    OpenFailed(String),
    /// The state of everything, whenever it changed.
    Snapshot(Arc<Snapshot>),
    /// A preheat waits for the one before it.
    Queued {
        /// Which.
        id: JobId,
        /// What it is called.
        title: String,
    },
    /// The preheats that wait, in the order in which they will run.
    Waiting(Vec<JobId>),
    /// The schedules and how they stand, whenever that changed.
    Schedules(Arc<Vec<ScheduleState>>),
    /// A preheat finds out what is to do.
    Planning {
        /// Which.
        id: JobId,
    },
    /// A preheat began.
    Started {
        /// Which.
        id: JobId,
        /// Its row in the history.
        record_id: i64,
        /// The symbols it works on.
        symbols: Arc<Vec<Symbol>>,
        /// Symbols asked for.
        requested: usize,
        /// Symbols with nothing to do.
        skipped_fresh: usize,
    },
    /// A preheat came further.
    Progress {
        /// Which.
        id: JobId,
        /// How far it is.
        progress: Progress,
        /// Symbols finished since the last such event.
        finished: Vec<(Symbol, SymbolOutcome)>,
    },
    /// A preheat was paused or goes on.
    StateChanged {
        /// Which.
        id: JobId,
        /// What it does now.
        state: RunState,
    },
    /// A preheat ended.
    Finished {
        /// Which.
        id: JobId,
        /// How.
        outcome: JobOutcome,
    },
    /// Entries were invalidated.
    Invalidated {
        /// How many.
        entries: usize,
        /// Their bytes.
        size_bytes: u64,
    },
    /// Entries were cleared.
    Cleared(Cleared),
    /// Cleared entries came back.
    Restored(Cleared),
    /// What would go to free so many bytes.
    FreePlanned(Box<FreePlan>),
    /// Room was made.
    Freed(Box<Room>),
    /// It could not be done, or not to the end.
    FreeFailed(String),
    /// A check of all files came further.
    VerifyProgress {
        /// Files done.
        done: usize,
        /// Files in all.
        total: usize,
    },
    /// A check of all files ended.
    Verified(Box<VerifyReport>),
    /// A symbol was read, or not.
    Loaded {
        /// The request.
        request: LoadRequest,
        /// What came of it.
        result: Result<LoadedSymbol, LoadError>,
    },
    /// Rows of the chart as text, for the clipboard.
    ChartCopied {
        /// The text.
        text: String,
        /// How many rows, without the head.
        rows: usize,
        /// Rows before them that were too many.
        left_out: usize,
    },
    /// Everything about a symbol.
    Inspected {
        /// The request.
        request: InspectRequest,
        /// What is known; `None` when it cannot be read (that is told besides).
        dossier: Option<Arc<Dossier>>,
    },
    /// The overview's numbers.
    Surveyed {
        /// The request.
        request: SurveyRequest,
        /// The numbers; `None` when they cannot be read.
        survey: Option<Arc<Survey>>,
    },
    /// The versions of feature sets that something was computed with: by set, last used first.
    Versions(Arc<Vec<VersionFacts>>),
    /// The feature sets there are: once at the start, and whenever one of them or a file with mistakes is another.
    Sets(Arc<SetLibrary>),
    /// A user's set was saved.
    SetSaved(SetFileChange),
    /// A user's set was deleted.
    SetDeleted(SetFileChange),
    /// A set was neither saved nor deleted; nothing was changed.
    SetRefused {
        /// The name of the set.
        name: String,
        /// Why.
        refusal: SetRefusal,
    },
    /// Formulas were tried on a symbol, or could not be.
    Previewed {
        /// The request.
        request: PreviewRequest,
        /// What came of it.
        result: Result<Preview, PreviewError>,
    },
    /// What saving a set's text would make outdated.
    OutdateKnown {
        /// The request.
        request: OutdateRequest,
        /// What would change; as text, why that could not be found out.
        result: Result<Outdate, String>,
    },
    /// What a query to a source came to.
    Contact(SourceContact),
    /// The diagnostics were saved, or why they could not be.
    DiagnosticsSaved {
        /// The file.
        path: PathBuf,
        /// Its bytes; as text, what went wrong.
        result: Result<u64, String>,
    },
    /// Closes of symbols; without any of those whose bars cannot be read.
    Sparks(Vec<(Symbol, Arc<Spark>)>),
    /// A table as text for the clipboard.
    TableText {
        /// How many rows it has.
        rows: usize,
        /// The text.
        text: Arc<str>,
    },
    /// Something was exported.
    Exported(Exported),
    /// An export came further.
    ExportProgress {
        /// Symbols done.
        done: usize,
        /// Symbols in all.
        total: usize,
    },
    /// An export of symbols could not be begun.
    ExportFailed(String),
    /// The user's lists of symbols, at the start.
    Lists(Box<SymbolLists>),
    /// A text of symbols was read.
    ListRead {
        /// What the file is called.
        name: String,
        /// What stands in it.
        text: String,
    },
    /// The source was profiled, or why it could not be.
    Profiled(Result<Arc<ProfileReport>, String>),
    /// A measurement came further.
    BenchProgress {
        /// Which.
        generation: u64,
        /// How far it is.
        progress: BenchProgress,
    },
    /// A measurement ended.
    BenchFinished {
        /// Which.
        generation: u64,
        /// How.
        outcome: BenchOutcome,
    },
    /// One stage of a connection test ended.
    TestStage {
        /// Which test.
        generation: u64,
        /// The stage.
        stage: StageReport,
    },
    /// A connection test ended.
    TestFinished {
        /// Which test.
        generation: u64,
        /// Everything it found.
        report: Box<TestReport>,
    },
    /// An action failed as a whole.
    ActionFailed(String),
    /// Something to tell.
    Notice(Notice),
    /// The worker has ended; nothing follows.
    Ended,
}
