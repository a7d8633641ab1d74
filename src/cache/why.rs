//! Why an entry is in its state: the facts that decided, and the one sentence that says them.
//!
//! Not the decision itself ([`super::state_of`] makes it); both look at the same things in the same order, which is tested.
//! Contract: pure functions; the clock and the reader's time zone are handed in.

use super::entry::{Dataset, Entry, EntryKey};
use super::freshness::{EntryState, Policy, Rule, TimeToLive};
use super::judge::{Judge, as_pinned};
use crate::format;
use crate::market::{Exchange, GRACE_US, HOUR_US, SECOND_US, date_of};
use crate::{tr, tr_n};
use chrono::TimeZone;

/// What decided on an entry's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nothing is cached.
    NotCached,
    /// It is pinned, and nothing else is wrong with it.
    Pinned,
    /// Its time is not over.
    InTime {
        /// When it will be.
        until_us: i64,
        /// What sets the end.
        end: End,
    },
    /// Its time is over.
    TimeOver {
        /// When it ended.
        at_us: i64,
        /// What set the end.
        end: End,
    },
    /// It was marked as not fresh.
    Invalidated {
        /// When.
        at_us: i64,
    },
    /// It was fetched at a time that is still to come: the clock was set back, and its age is unknown.
    FromTheFuture {
        /// When it says it was fetched.
        fetched_at_us: i64,
    },
    /// What it was computed from or by is not what it was.
    Outdated {
        /// The cached bars are others.
        bars: bool,
        /// The set's definition is another.
        definition: bool,
    },
    /// The last attempt failed.
    Failed {
        /// When.
        at_us: i64,
        /// Failed attempts in a row.
        attempts: u32,
        /// What happened and what to do.
        message: String,
        /// When it is tried again.
        next_attempt_us: Option<i64>,
        /// When what is still served was fetched, if anything is.
        served_from_us: Option<i64>,
    },
    /// Its file failed the checksum and is in quarantine.
    Damaged {
        /// When that was found.
        at_us: i64,
    },
}

/// What sets the end of an entry's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// So many seconds after fetching.
    Secs(u64),
    /// The next close of a market.
    Close(Exchange),
    /// The bar of this day is provisional: its end is when that bar becomes final.
    Final {
        /// Time of the provisional bar.
        bar_us: i64,
        /// Whose close makes it final.
        exchange: Exchange,
    },
}

impl End {
    fn of(entry: &Entry, rule: Rule) -> Self {
        let by_rule = match rule.ttl {
            TimeToLive::Secs(secs) => Self::Secs(secs),
            TimeToLive::MarketClose => Self::Close(rule.exchange),
        };
        let with = rule.expires_at_us(entry.fetched_at_us, entry.provisional_from_us);
        match entry.provisional_from_us {
            // The same end by both is told by the rule, which is the more usual reason.
            Some(bar_us) if with != rule.expires_at_us(entry.fetched_at_us, None) => Self::Final { bar_us, exchange: rule.exchange },
            _ => by_rule,
        }
    }
}

impl Why {
    /// What decided on the state of an entry.
    #[must_use]
    pub fn of(entry: Option<&Entry>, policy: &Policy) -> Self {
        let Some(entry) = entry else { return Self::NotCached };
        if let Some(at_us) = entry.damaged_at_us {
            return Self::Damaged { at_us };
        }
        if let Some(failure) = &entry.failure {
            return Self::Failed {
                at_us: failure.at_us,
                attempts: failure.attempts,
                message: failure.message.clone(),
                next_attempt_us: failure.next_attempt_us,
                served_from_us: entry.file.as_ref().map(|_| entry.fetched_at_us),
            };
        }
        if entry.file.is_none() {
            return Self::NotCached;
        }
        if let Some(provenance) = &entry.provenance {
            let definition = policy.definition.is_some_and(|now| now != provenance.definition);
            let bars = policy.bars_fingerprint.is_some_and(|now| now != provenance.inputs);
            if definition || bars {
                return Self::Outdated { bars, definition };
            }
        }
        if let Some(at_us) = entry.invalidated_at_us {
            return Self::Invalidated { at_us };
        }
        if entry.pinned {
            return Self::Pinned;
        }
        let (end_us, end) = (policy.rule.expires_at_us(entry.fetched_at_us, entry.provisional_from_us), End::of(entry, policy.rule));
        if policy.now_us >= end_us {
            Self::TimeOver { at_us: end_us, end }
        } else if entry.fetched_at_us > policy.now_us.saturating_add(HOUR_US) {
            Self::FromTheFuture { fetched_at_us: entry.fetched_at_us }
        } else {
            Self::InTime { until_us: end_us, end }
        }
    }

    /// The state it makes.
    #[must_use]
    pub fn state(&self) -> EntryState {
        match self {
            Self::NotCached => EntryState::Missing,
            Self::Pinned | Self::InTime { .. } => EntryState::Fresh,
            Self::TimeOver { .. } | Self::Invalidated { .. } | Self::FromTheFuture { .. } => EntryState::Stale,
            Self::Outdated { .. } => EntryState::Outdated,
            Self::Failed { .. } => EntryState::Failed,
            Self::Damaged { .. } => EntryState::Damaged,
        }
    }

    /// The sentence that says it, beginning with the state's word; times are told on the clock of `zone`.
    #[must_use]
    pub fn sentence<Zone: TimeZone>(&self, now_us: i64, zone: &Zone) -> String {
        let ago = |time_us: i64| match now_us.saturating_sub(time_us) {
            ..SECOND_US => tr!("just now").to_owned(),
            _ => format::relative(time_us, now_us),
        };
        let moment = |time_us: i64| format::moment(time_us, now_us, zone);
        match self {
            Self::NotCached => tr!("Missing: nothing is cached; preheat to fetch it").to_owned(),
            Self::Pinned => tr!("Fresh: it is pinned, so it never expires and is never evicted").to_owned(),
            Self::InTime { until_us, end } => {
                let time = moment(*until_us);
                match end {
                    End::Secs(secs) => tr!("Fresh until {time}, {length} after it was fetched", time = time, length = ttl_words(*secs)),
                    End::Close(exchange) => tr!("Fresh until {time} ({close})", time = time, close = closing_words(*exchange)),
                    End::Final { bar_us, .. } => {
                        tr!("Fresh until {time}, when the bar of {day} is final", time = time, day = format::date(*bar_us))
                    }
                }
            }
            Self::TimeOver { at_us, end } => {
                let ago = ago(*at_us);
                match end {
                    End::Secs(secs) => tr!("Stale: its {length} ended {ago}", length = ttl_words(*secs), ago = ago),
                    End::Close(Exchange::Unknown | Exchange::Continuous) => {
                        tr!("Stale: the day ended at midnight UTC, and the new bar was final {ago}", ago = ago)
                    }
                    End::Close(exchange) => {
                        tr!("Stale: {exchange} closed, and the new bar was final {ago}", exchange = exchange.name(), ago = ago)
                    }
                    End::Final { bar_us, .. } => {
                        tr!("Stale: the bar of {day} was provisional and became final {ago}", day = format::date(*bar_us), ago = ago)
                    }
                }
            }
            Self::Invalidated { at_us } => tr!("Stale: invalidated {ago}", ago = ago(*at_us)),
            Self::FromTheFuture { fetched_at_us } => {
                tr!("Stale: it was fetched {time}, which is still to come; the clock was set back", time = moment(*fetched_at_us))
            }
            Self::Outdated { bars: true, definition: false } => tr!("Outdated: the bars changed after it was computed").to_owned(),
            Self::Outdated { bars: false, definition: true } => tr!("Outdated: the set's definition changed").to_owned(),
            Self::Outdated { .. } => tr!("Outdated: the bars and the set's definition changed after it was computed").to_owned(),
            Self::Failed { at_us, attempts, message, next_attempt_us, served_from_us } => {
                let (ago_text, reason) = (ago(*at_us), message.trim_end_matches('.'));
                let mut text = if *attempts > 1 {
                    tr_n!(
                        u64::from(*attempts),
                        "Failed {ago}, {count} time in a row: {reason}",
                        "Failed {ago}, {count} times in a row: {reason}",
                        ago = ago_text,
                        reason = reason,
                    )
                } else {
                    tr!("Failed {ago}: {reason}", ago = ago_text, reason = reason)
                };
                text += &match served_from_us {
                    Some(at_us) => tr!(". Served meanwhile: what was fetched {ago}", ago = ago(*at_us)),
                    None => tr!(". Nothing is cached").to_owned(),
                };
                text += &match next_attempt_us {
                    Some(next_us) if *next_us > now_us => {
                        tr!(". Next attempt {time}", time = format::relative(*next_us, now_us))
                    }
                    _ => tr!(". The next preheat tries again").to_owned(),
                };
                text
            }
            Self::Damaged { at_us } => {
                tr!("Damaged, found {ago}; its file is in quarantine, and preheating fetches it again", ago = ago(*at_us))
            }
        }
    }
}

impl Judge {
    /// What decides on the state of an entry; `bars_fingerprint` is that of the symbol's bars cached now, if there are any.
    #[must_use]
    pub fn why(&self, entry: Option<&Entry>, key: &EntryKey, bars_fingerprint: Option<u128>, now_us: i64) -> Why {
        let (definition, bars_fingerprint) = match &key.dataset {
            Dataset::Bars => (None, None),
            Dataset::Features(set) => (self.definitions.get(set).copied(), bars_fingerprint),
            Dataset::Older(_) => return Why::of(entry.map(as_pinned).as_ref(), &Policy::ageless(now_us)),
        };
        Why::of(entry, &Policy { now_us, rule: self.rule_of(key), definition, bars_fingerprint })
    }
}

/// What makes an entry's last bars provisional and until when; `None` where all are final.
#[must_use]
pub fn provisional_sentence<Zone: TimeZone>(entry: &Entry, rule: Rule, now_us: i64, zone: &Zone) -> Option<String> {
    let bar_us = entry.provisional_from_us.filter(|_| entry.file.is_some())?;
    let last_us = entry.file.as_ref().map_or(bar_us, |file| file.last_us);
    let final_us = rule.exchange.settles_at_us(date_of(bar_us));
    let (several, day) = (date_of(last_us) > date_of(bar_us), format::date(bar_us));
    if final_us <= now_us {
        return Some(if several {
            tr!("The bars from {day} on are provisional: the session is closed now, and the next preheat fetches what is final", day = day)
        } else {
            tr!("The bar of {day} is provisional: the session is closed now, and the next preheat fetches what is final", day = day)
        });
    }
    let time = format::moment(final_us - GRACE_US, now_us, zone);
    let close = match rule.exchange {
        Exchange::Unknown | Exchange::Continuous => tr!("the day ends {time}", time = time),
        Exchange::Shanghai => tr!("{exchange} close {time}", exchange = Exchange::Shanghai.name(), time = time),
        exchange => tr!("{exchange} closes {time}", exchange = exchange.name(), time = time),
    };
    Some(if several {
        tr!("The bars from {day} on are provisional: {close}", day = day, close = close)
    } else {
        tr!("The bar of {day} is provisional: {close}", day = day, close = close)
    })
}

/// `24 h after each fetch`, `until New York closes, then 15 min`: a rule in words.
#[must_use]
pub fn rule_words(rule: Rule) -> String {
    match rule.ttl {
        TimeToLive::Secs(secs) => tr!("{length} after each fetch", length = ttl_words(secs)),
        TimeToLive::MarketClose => tr!("until {close}", close = closing_words(rule.exchange)),
    }
}

/// A time to live as people say it: hours up to two days, then the two largest units.
fn ttl_words(secs: u64) -> String {
    if secs.is_multiple_of(3_600) && secs <= 48 * 3_600 { format::hours(secs / 3_600) } else { format::duration(secs as f64) }
}

fn closing_words(exchange: Exchange) -> String {
    let grace = format::duration((GRACE_US / SECOND_US) as f64);
    match exchange {
        Exchange::Unknown | Exchange::Continuous => tr!("the day ends at midnight UTC, then {grace}", grace = grace),
        Exchange::Shanghai => tr!("{exchange} close, then {grace}", exchange = exchange.name(), grace = grace),
        exchange => tr!("{exchange} closes, then {grace}", exchange = exchange.name(), grace = grace),
    }
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
