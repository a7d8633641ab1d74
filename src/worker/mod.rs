//! The background worker: one thread with a tokio runtime that takes [`Job`]s and reports [`JobEvent`]s.
//!
//! The window and the command line use the same worker and the same jobs. It never sees a widget: after each event it calls a
//! waker closure, and that is all it knows of the front end. Channels are bounded. Preheats run one after another; everything
//! else runs beside them.

mod actions;
mod bench;
pub mod chart_data;
mod chart_export;
mod chart_findings;
mod contact;
mod diagnostics;
mod dossier;
mod event;
mod examining;
mod export;
mod lists;
mod loading;
mod own_sets;
mod preheating;
mod preview;
mod profile;
mod queue;
mod schedule;
pub mod series;
mod service;
mod sets;
mod snapshot;
mod sparks;
mod survey;
mod table;
mod upkeep;
mod watching;
mod workspace;

pub use bench::{
    BENCH_RUNS, BENCH_SYMBOLS, BenchError, BenchInput, BenchProgress, BenchReport, BenchRequest, BenchStage, MOST_BENCH_RUNS, Spread,
    StageResult, run_bench,
};
pub use chart_export::{CopyRequest, MOST_COPIED_ROWS, Picture, rows_text};
pub use chart_findings::{ChartFinding, findings_of};
pub use contact::{Reached, SourceContact};
pub use dossier::{Dossier, EntryDossier, InspectRequest};
pub use event::{
    BenchOutcome, Job, JobEvent, JobId, JobOutcome, LoadError, LoadRequest, LoadedSymbol, Notice, NoticeLevel, PreheatOrder, Turn,
};
pub use export::{ExportFormat, ExportOrder, Exported};
pub use own_sets::load_library;
pub use profile::{PROFILED_SYMBOLS, ProfileReport, ProfileRequest};
pub use schedule::{ScheduleState, ScheduledRun};
pub use service::{Overrides, Worker, WorkerContext, limits};
pub use sets::{Outdate, OutdateRequest, Preview, PreviewError, PreviewMistake, PreviewRequest, SetFileChange, SetRefusal};
pub use snapshot::{DatasetFacts, HitHistory, PastJob, Snapshot, SourceFacts, SymbolRow, TrashFacts, WorkFacts};
pub use sparks::{SPARK_BARS, Spark, SparkRequest};
pub use survey::{Survey, SurveyRequest};
pub use table::{Column, Sparks, Table};
pub use workspace::kept_workspace;
