//! Short messages to the user, newest last, each with a number to close it by.

use super::action::Action;
use crate::worker::{Notice, NoticeLevel};

/// How many notices are kept for the history.
const KEPT: usize = 200;

/// A notice on show.
#[derive(Debug, Clone)]
pub struct LiveNotice {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub notice: Notice,
    /// What takes back what it tells of, where that is not a batch of the trash.
    pub undo: Option<Box<Action>>,
}

/// The notices on show and those of before.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    next_id: u64,
    live: Vec<LiveNotice>,
    history: Vec<Notice>,
}

impl Notices {
    /// Notices on show, oldest first.
    #[must_use]
    pub fn live(&self) -> &[LiveNotice] {
        &self.live
    }

    /// Every notice of this session, oldest first.
    #[must_use]
    pub fn history(&self) -> &[Notice] {
        &self.history
    }

    pub(super) fn add(&mut self, notice: Notice) {
        self.add_with(notice, None);
    }

    fn add_with(&mut self, notice: Notice, undo: Option<Box<Action>>) {
        // The same sentence twice is one notice.
        self.live.retain(|live| live.notice.text != notice.text);
        self.next_id += 1;
        self.live.push(LiveNotice { id: self.next_id, notice: notice.clone(), undo });
        self.history.push(notice);
        if self.history.len() > KEPT {
            self.history.remove(0);
        }
    }

    /// Adds a warning.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.tell(NoticeLevel::Warning, text);
    }

    pub(super) fn tell(&mut self, level: NoticeLevel, text: impl Into<String>) {
        self.add(Notice { level, text: text.into(), undo_batch: None });
    }

    /// Tells of something that can be taken back for as long as the notice is shown.
    pub(super) fn offer(&mut self, level: NoticeLevel, text: impl Into<String>, undo: Action) {
        self.add_with(Notice { level, text: text.into(), undo_batch: None }, Some(Box::new(undo)));
    }

    /// Takes away the offer to restore a batch that has been restored.
    pub(super) fn withdraw_undo(&mut self, batch: i64) {
        self.live.retain(|live| live.notice.undo_batch != Some(batch));
    }

    pub(super) fn dismiss(&mut self, id: u64) {
        self.live.retain(|live| live.id != id);
    }
}
