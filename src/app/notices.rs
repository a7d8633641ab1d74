//! Short messages to the user, newest last, each with a number to close it by.

use super::action::Action;
use crate::tr;
use crate::worker::{Notice, NoticeLevel};

/// How many notices are kept for the history.
const KEPT: usize = 200;

/// What can be done from a notice.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What stands on its button.
    pub label: String,
    /// What it does.
    pub action: Box<Action>,
}

/// A notice on show.
#[derive(Debug, Clone)]
pub struct LiveNotice {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub notice: Notice,
    /// What can be done from here, besides restoring a batch.
    pub offer: Option<Offer>,
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
        self.put(notice, None);
    }

    fn put(&mut self, notice: Notice, offer: Option<Offer>) {
        // The same sentence twice is one notice.
        self.live.retain(|live| live.notice.text != notice.text);
        self.next_id += 1;
        self.live.push(LiveNotice { id: self.next_id, notice: notice.clone(), offer });
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
        self.suggest(level, text, tr!("Undo"), undo);
    }

    /// Tells of something, with what could be done next.
    pub(super) fn suggest(&mut self, level: NoticeLevel, text: impl Into<String>, label: impl Into<String>, action: Action) {
        let offer = Offer { label: label.into(), action: Box::new(action) };
        self.put(Notice { level, text: text.into(), undo_batch: None }, Some(offer));
    }

    /// Takes away the offer to restore a batch that has been restored.
    pub(super) fn withdraw_undo(&mut self, batch: i64) {
        self.live.retain(|live| live.notice.undo_batch != Some(batch));
    }

    pub(super) fn dismiss(&mut self, id: u64) {
        self.live.retain(|live| live.id != id);
    }
}
