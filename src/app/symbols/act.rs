//! What users do to the list, applied to it.

use super::{ListsState, Sources};
use crate::app::action::ListAction;
use crate::app::state::AppState;
use crate::market::Symbol;
use crate::preheat::SymbolOutcome;
use crate::worker::{Job, PreheatOrder, Snapshot};
use std::sync::Arc;

/// What a job has done so far with a symbol it works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowProgress {
    /// The job has taken it up.
    Working,
    /// Its turn has not come yet, or the job is paused before it.
    Waiting,
    /// It is done; the list shows what became of it when the cache has told.
    Done,
    /// It failed.
    Failed,
}

impl AppState {
    fn sources<'state>(
        snapshot: &'state Snapshot,
        working: &'state std::collections::HashSet<Symbol>,
        lists: &'state ListsState,
        chosen: Option<&str>,
        sparks: &'state super::SparkState,
    ) -> Sources<'state> {
        Sources { snapshot, working, list: chosen.and_then(|name| lists.list(name)), sparks: sparks.known() }
    }

    /// Works out the shown rows again; after what the user did.
    pub(in crate::app) fn update_list(&mut self) {
        let chosen = self.list.narrowed_by().list.clone();
        let sources = Self::sources(&self.snapshot, &self.working, &self.lists, chosen.as_deref(), &self.sparks);
        self.list.update(&sources);
    }

    /// Takes a new snapshot into the list. While a job works, and where reading alone would change the order, rows stay where they are.
    pub(in crate::app) fn refresh_list(&mut self, before: &Arc<Snapshot>) {
        let by_reading = self.list.sort().keys().iter().any(|key| key.column.changes_by_reading());
        if !self.working.is_empty() || by_reading {
            let chosen = self.list.narrowed_by().list.clone();
            let sources = Self::sources(&self.snapshot, &self.working, &self.lists, chosen.as_deref(), &self.sparks);
            if self.list.hold(before, &sources) {
                return;
            }
        }
        self.update_list();
    }

    /// What a job that works has done with a symbol; `None` where none has it.
    #[must_use]
    pub fn progress_of(&self, symbol: &Symbol) -> Option<RowProgress> {
        if !self.working.contains(symbol) {
            return None;
        }
        let job = self.jobs.iter().find(|job| !job.stage.is_over() && job.touched(symbol))?;
        Some(match job.outcome_of(symbol) {
            Some(SymbolOutcome::Failed(_)) => RowProgress::Failed,
            Some(_) => RowProgress::Done,
            None if job.stage == crate::app::jobs::JobStage::Paused || !job.begun.contains(symbol) => RowProgress::Waiting,
            None => RowProgress::Working,
        })
    }

    pub(in crate::app) fn change_list(&mut self, action: ListAction) -> Vec<Job> {
        match action {
            ListAction::Filter(text) => self.list.set_filter(text),
            ListAction::ToggleState(chip) => {
                let chips = &mut self.list.filter.chips;
                if !chips.remove(&chip) {
                    chips.insert(chip);
                }
            }
            ListAction::ClearChips => self.list.filter.chips.clear(),
            ListAction::ShowAll => self.list.show_all(),
            ListAction::Narrow(filter) => return self.narrow(*filter),
            ListAction::Sort { column, add } => self.list.sort.press(column, add),
            ListAction::SetSort { column, descending, add } => self.list.sort.set(column, descending, add),
            ListAction::SortNow => {}
            ListAction::ToggleColumn(column) => {
                self.list.columns.toggle(column);
                self.sparks.forget_completeness();
                return Vec::new();
            }
            ListAction::WidenColumn(column, width) => {
                self.list.columns.set_width(column, width);
                return Vec::new();
            }
            ListAction::MoveColumn { column, before } => {
                self.list.columns.put_before(column, before);
                return Vec::new();
            }
            ListAction::StepColumn { column, to_right } => {
                self.list.columns.step(column, to_right);
                return Vec::new();
            }
            ListAction::UsualColumns => {
                self.list.columns = super::ColumnLayout::default();
                return Vec::new();
            }
            ListAction::See(rows) => {
                self.see_rows(rows);
                return Vec::new();
            }
            ListAction::Click { symbol, toggle, extend } => {
                self.list.click(&self.snapshot, symbol, toggle, extend);
                return self.load_focus_if_new();
            }
            ListAction::Check { symbol, extend } => {
                self.list.check(&self.snapshot, &symbol, extend);
                return Vec::new();
            }
            ListAction::CheckFocus => {
                if let Some(symbol) = self.list.focus().cloned() {
                    self.list.check(&self.snapshot, &symbol, false);
                }
                return Vec::new();
            }
            ListAction::CheckAll => {
                if self.list.all_selected() {
                    self.list.select_none();
                } else {
                    self.list.select_all(&self.snapshot);
                }
                return Vec::new();
            }
            ListAction::SelectOnly(symbol) => {
                self.list.select_only(&self.snapshot, symbol);
                return self.load_focus_if_new();
            }
            ListAction::Move { rows, extend } => {
                self.list.walk(&self.snapshot, rows, extend);
                return self.load_focus_if_new();
            }
            ListAction::Jump { to_first, extend } => {
                let rows = isize::try_from(self.list.visible().len()).unwrap_or(isize::MAX);
                self.list.walk(&self.snapshot, if to_first { -rows } else { rows }, extend);
                return self.load_focus_if_new();
            }
        }
        self.sparks.forget_completeness();
        self.update_list();
        self.load_focus_if_new()
    }

    /// A preheat of these symbols under a name of its own.
    pub(in crate::app) fn preheat_named(&mut self, title: String, symbols: Vec<Symbol>) -> Job {
        self.preheat(PreheatOrder { title, symbols: Some(symbols), ..PreheatOrder::default() })
    }
}
