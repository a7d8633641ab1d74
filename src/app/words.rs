//! The words of the rooms below in the language of the window.
//!
//! Down there they are English, because they are stored, written to `--json` and compared; here each is said as a user reads it.

use crate::cache::{ChangeKind, EntryState, LookupReason, Tier};
use crate::market::Exchange;
use crate::tr;

/// The word for a state.
#[must_use]
pub fn state(state: EntryState) -> &'static str {
    match state {
        EntryState::Fresh => tr!("fresh"),
        EntryState::Stale => tr!("stale"),
        EntryState::Outdated => tr!("outdated"),
        EntryState::Damaged => tr!("damaged"),
        EntryState::Failed => tr!("failed"),
        EntryState::Missing => tr!("missing"),
    }
}

/// The word for where a lookup was answered.
#[must_use]
pub fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Memory => tr!("memory"),
        Tier::Disk => tr!("disk"),
        Tier::Shared => tr!("shared"),
        Tier::Miss => tr!("miss"),
    }
}

/// The word for why a lookup was answered as it was.
#[must_use]
pub fn reason(reason: LookupReason) -> &'static str {
    match reason {
        LookupReason::Fresh => tr!("fresh"),
        LookupReason::Missing => tr!("missing"),
        LookupReason::Stale => tr!("stale"),
        LookupReason::Outdated => tr!("outdated"),
        LookupReason::Damaged => tr!("damaged"),
        LookupReason::Failed => tr!("failed"),
        LookupReason::Forced => tr!("forced"),
    }
}

/// The word for what became of a symbol's bars at the source.
#[must_use]
pub fn change(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Appended => tr!("appended"),
        ChangeKind::Rewritten => tr!("rewritten"),
        ChangeKind::Removed => tr!("removed"),
    }
}

/// What people call an exchange.
#[must_use]
pub fn exchange(exchange: Exchange) -> &'static str {
    match exchange {
        Exchange::Unknown => tr!(in "exchange", "unknown"),
        Exchange::Continuous => tr!("24/7"),
        Exchange::NewYork => tr!("New York"),
        Exchange::Shanghai => tr!("Shanghai and Shenzhen"),
        Exchange::HongKong => tr!("Hong Kong"),
        Exchange::London => tr!("London"),
        Exchange::Frankfurt => tr!("Frankfurt"),
        Exchange::Tokyo => tr!("Tokyo"),
        Exchange::Seoul => tr!("Seoul"),
        Exchange::Moscow => tr!("Moscow"),
    }
}
