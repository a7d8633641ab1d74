//! Freeing an amount of room: what is typed, and what would go for it.
//!
//! Contract: what would go is asked of the worker for each amount; an answer about another amount than the one typed is dropped. Nothing
//! goes before the answer was seen.

use super::state::{AppState, Dialog};
use crate::cache::{FreePlan, Room};
use crate::format;
use crate::worker::{Job, NoticeLevel};
use crate::{tr, tr_n};
use std::sync::Arc;

/// What is offered first.
const OFFERED_BYTES: u64 = 1_000_000_000;

/// The dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeForm {
    /// The amount as typed.
    pub text: String,
    /// What would go for the amount that was asked for last; of the one before while the answer is on its way.
    pub plan: Option<Arc<FreePlan>>,
    /// Whether it is being done.
    pub is_freeing: bool,
}

impl FreeForm {
    /// The amount; `None` where what is typed is none.
    #[must_use]
    pub fn wanted_bytes(&self) -> Option<u64> {
        format::read_bytes(&self.text).filter(|bytes| *bytes > 0)
    }

    /// What would go for what is typed now, once it is known.
    #[must_use]
    pub fn known_plan(&self) -> Option<&FreePlan> {
        self.plan.as_deref().filter(|plan| Some(plan.wanted_bytes) == self.wanted_bytes())
    }

    /// Whether it can be done.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.is_freeing && self.known_plan().is_some_and(|plan| plan.freed_bytes() > 0)
    }

    fn ask(&self) -> Vec<Job> {
        self.wanted_bytes().map(Job::PlanFree).into_iter().collect()
    }
}

impl AppState {
    pub(super) fn ask_how_much_to_free(&mut self) -> Vec<Job> {
        let form = FreeForm { text: format::bytes(OFFERED_BYTES), plan: None, is_freeing: self.is_freeing };
        let jobs = form.ask();
        self.dialog = Some(Dialog::Free(form));
        jobs
    }

    pub(super) fn change_amount_to_free(&mut self, text: String) -> Vec<Job> {
        let Some(Dialog::Free(form)) = &mut self.dialog else { return Vec::new() };
        form.text = text;
        form.ask()
    }

    pub(super) fn apply_free_plan(&mut self, plan: FreePlan) {
        if let Some(Dialog::Free(form)) = &mut self.dialog
            && form.wanted_bytes() == Some(plan.wanted_bytes)
        {
            form.plan = Some(Arc::new(plan));
        }
    }

    /// Does what the dialog says, if it says something.
    pub(super) fn free_as_planned(&mut self) -> Vec<Job> {
        let Some(Dialog::Free(form)) = &mut self.dialog else { return Vec::new() };
        if !form.is_ready() || self.is_freeing {
            return Vec::new();
        }
        (self.is_freeing, form.is_freeing) = (true, true);
        form.wanted_bytes().map(Job::Free).into_iter().collect()
    }

    pub(super) fn apply_freed(&mut self, room: &Room) {
        self.is_freeing = false;
        self.dialog.take_if(|dialog| matches!(dialog, Dialog::Free(_)));
        let freed = room.trash_bytes + room.evicted.iter().map(|eviction| eviction.size_bytes).sum::<u64>();
        let entries = tr_n!(room.evicted.len() as u64, "{count} entry", "{count} entries");
        let text = tr!("Freed {size}: {entries} went", size = format::bytes(freed), entries = entries);
        if room.enough {
            self.notices.tell(NoticeLevel::Success, text);
        } else {
            let missing = tr!("{size} less than wanted: what is left is pinned or at work", size = format::bytes(room.missing_bytes));
            self.notices.warn(format!("{text} · {missing}"));
        }
    }

    /// It could not be done, or not to the end; the dialog stays.
    pub(super) fn apply_free_failed(&mut self, message: String) -> Vec<Job> {
        self.is_freeing = false;
        self.notices.tell(NoticeLevel::Error, message);
        let Some(Dialog::Free(form)) = &mut self.dialog else { return Vec::new() };
        // Something may have gone already.
        (form.is_freeing, form.plan) = (false, None);
        form.ask()
    }
}
