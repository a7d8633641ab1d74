//! Bringing entries that are not fresh to fresh: a plan of what is to do, and a pipeline that does it.
//!
//! Not a scheduler and no front end: it is told what to preheat, reports progress through a closure, and returns a report.
//! Partial failure is a result: a preheat ends with lists of ok, no data and failed symbols.

mod ask;
mod committing;
mod control;
mod features;
mod fetching;
mod leasing;
mod merge;
mod pace;
mod patience;
mod plan;
mod queue;
mod recent;
mod report;
mod requests;
mod reuse;
mod run;
mod working;

pub use ask::{Ask, Asked, Cut, decide};
pub use control::{Control, RunState};
pub use merge::{Difference, Merged, merge};
pub use pace::Pace;
pub use patience::Waiting;
pub use plan::{BarsTask, FeatureTask, HISTORY_CHECK_DAYS, KEPT_VERSIONS, Plan, PlanItem, Plenty, PreheatRequest, Scope, make_plan};
pub use report::{Counted, FeatureCounts, PreheatReport, Progress, StageSeconds, SymbolOutcome};
pub use run::{PreheatError, run_plan};
