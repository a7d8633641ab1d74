//! Short messages to the user: those on show, and those of before behind the bell.
//!
//! Contract: the same sentence again is one message. Warnings and errors that differ in nothing but numbers are one message with
//! a count, so that a source that is away fills neither the screen nor the history; what can be taken back is never folded.

use super::action::Action;
use crate::tr;
use crate::worker::{Notice, NoticeLevel};

/// How many messages are kept for the history.
const KEPT: usize = 200;
/// Longest text of a message on show, in characters; the rest is behind "Show details".
const SHORT: usize = 240;

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
    /// How often it was said.
    pub count: u64,
}

/// A notice of the history.
#[derive(Debug, Clone)]
pub struct PastNotice {
    /// Its number, that of the notice on show.
    pub id: u64,
    /// When it was said last, by the last snapshot's clock; 0 before there was one.
    pub at_us: i64,
    /// How much it matters.
    pub level: NoticeLevel,
    /// What it says.
    pub text: String,
    /// How often it was said.
    pub count: u64,
    /// What can be done from here.
    pub offer: Option<Offer>,
}

/// The notices on show and those of before.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    next_id: u64,
    live: Vec<LiveNotice>,
    history: Vec<PastNotice>,
    /// Numbers up to this were seen in the history.
    read_to: u64,
    /// What time it is, as far as is known here.
    now_us: i64,
}

/// A message in short, and whether there is more of it.
#[must_use]
pub fn in_short(text: &str) -> (&str, bool) {
    match text.char_indices().nth(SHORT) {
        None => (text, false),
        Some((end, _)) => {
            let cut = text.get(..end).unwrap_or(text);
            (cut.rsplit_once(' ').map_or(cut, |(words, _)| words), true)
        }
    }
}

/// What two messages that differ in numbers alone have in common.
fn without_numbers(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|letter| !letter.is_ascii_digit() && !matches!(letter, '.' | ','))
}

/// Whether a message is the one before once more.
fn is_again(before: (NoticeLevel, &str), now: (NoticeLevel, &str)) -> bool {
    let of_trouble = |level| matches!(level, NoticeLevel::Warning | NoticeLevel::Error);
    before.1 == now.1 || (before.0 == now.0 && of_trouble(now.0) && without_numbers(before.1).eq(without_numbers(now.1)))
}

impl Notices {
    /// Notices on show, oldest first.
    #[must_use]
    pub fn live(&self) -> &[LiveNotice] {
        &self.live
    }

    /// Every notice of this session, oldest first.
    #[must_use]
    pub fn history(&self) -> &[PastNotice] {
        &self.history
    }

    /// How many notices of the history were not seen there yet.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.history.iter().filter(|past| past.id > self.read_to).count()
    }

    /// The worst level among those not seen.
    #[must_use]
    pub fn worst_unread(&self) -> Option<NoticeLevel> {
        let unread = self.history.iter().filter(|past| past.id > self.read_to).map(|past| past.level);
        unread.max_by_key(|level| match level {
            NoticeLevel::Success => 0,
            NoticeLevel::Info => 1,
            NoticeLevel::Warning => 2,
            NoticeLevel::Error => 3,
        })
    }

    pub(super) fn read_all(&mut self) {
        self.read_to = self.next_id;
    }

    pub(super) fn forget_history(&mut self) {
        self.history.clear();
    }

    /// What time it is from now on.
    pub(super) fn tell_time(&mut self, now_us: i64) {
        self.now_us = now_us;
    }

    pub(super) fn add(&mut self, notice: Notice) {
        self.put(notice, None);
    }

    fn put(&mut self, notice: Notice, offer: Option<Offer>) {
        self.next_id += 1;
        let id = self.next_id;
        // A batch that can be restored is another each time, whatever is said of it.
        let takes_back = notice.undo_batch.is_some() || offer.as_ref().is_some_and(|offer| offer.label == tr!("Undo"));
        let now = (notice.level, notice.text.as_str());
        let mut count = 1;
        if !takes_back
            && let Some(place) = self.history.iter().rposition(|past| is_again((past.level, &past.text), now))
            // What was said long ago, with other things in between, is news again; trouble is not.
            && (place + 1 == self.history.len() || now.0 != NoticeLevel::Success)
        {
            count += self.history.remove(place).count;
        }
        self.live.retain(
            |live| {
                if takes_back { live.notice.text != notice.text } else { !is_again((live.notice.level, &live.notice.text), now) }
            },
        );
        let undo = notice.undo_batch.map(|batch| Offer { label: tr!("Undo").to_owned(), action: Box::new(Action::Restore(batch)) });
        self.history.push(PastNotice {
            id,
            at_us: self.now_us,
            level: notice.level,
            text: notice.text.clone(),
            count,
            offer: offer.clone().or(undo),
        });
        self.live.push(LiveNotice { id, notice, offer, count });
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
        for past in &mut self.history {
            past.offer.take_if(|offer| matches!(*offer.action, Action::Restore(restored) if restored == batch));
        }
    }

    pub(super) fn dismiss(&mut self, id: u64) {
        self.live.retain(|live| live.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_that_comes_again_is_one_message_with_a_count() {
        let mut notices = Notices::default();
        notices.warn("3 of 10 symbols failed");
        notices.tell(NoticeLevel::Success, "Copied 3 symbols");
        notices.warn("4 of 12 symbols failed");
        assert_eq!(notices.history().len(), 2);
        let last = notices.live().last().expect("on show");
        assert_eq!((last.notice.text.as_str(), last.count), ("4 of 12 symbols failed", 2));
        assert_eq!((notices.unread(), notices.worst_unread()), (2, Some(NoticeLevel::Warning)));
        notices.read_all();
        assert_eq!((notices.unread(), notices.worst_unread()), (0, None));
        // What went well is news each time it is another.
        notices.tell(NoticeLevel::Success, "Copied 4 symbols");
        notices.tell(NoticeLevel::Success, "Copied 4 symbols");
        assert_eq!((notices.history().len(), notices.unread()), (3, 1));
        assert_eq!(notices.history().last().map(|past| past.count), Some(2));
    }

    #[test]
    fn what_can_be_taken_back_stays_apart() {
        let mut notices = Notices::default();
        for batch in [1, 2] {
            let text = "Cleared 3 entries".to_owned();
            notices.add(Notice { level: NoticeLevel::Success, text, undo_batch: Some(batch) });
        }
        assert_eq!(notices.history().len(), 2);
        notices.withdraw_undo(2);
        assert!(notices.history()[0].offer.is_some() && notices.history()[1].offer.is_none());
    }

    #[test]
    fn long_messages_are_cut_between_words() {
        assert_eq!(in_short("short"), ("short", false));
        let long = "word ".repeat(100);
        let (cut, more) = in_short(&long);
        assert!(more && cut.ends_with("word") && cut.len() <= SHORT);
        assert!(in_short(&"股".repeat(500)).1, "not every language has spaces");
    }
}
