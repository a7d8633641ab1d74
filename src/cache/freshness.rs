//! The state of an entry: a pure function of its catalog row, the clock and the policy, decided here and nowhere else.

use super::entry::Entry;
use crate::feature::DefinitionHash;
use crate::market::{Exchange, HOUR_US, SECOND_US, date_of};
use serde::{Deserialize, Serialize};

/// How warm an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, strum::EnumIter)]
#[serde(rename_all = "lowercase")]
pub enum EntryState {
    /// In its time to live, inputs and definition unchanged.
    Fresh,
    /// Its time is over, or it was invalidated.
    Stale,
    /// Its bars or its definition changed.
    Outdated,
    /// Its file failed the checksum; it is in quarantine and never served.
    Damaged,
    /// The last attempt failed; the last good version, if there is one, is still served.
    Failed,
    /// Nothing is cached.
    Missing,
}

impl EntryState {
    /// The word for it, everywhere.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Outdated => "outdated",
            Self::Damaged => "damaged",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }

    /// How much it needs attention; the larger wins when several entries are shown as one.
    #[must_use]
    pub fn severity(self) -> u8 {
        match self {
            Self::Fresh => 0,
            Self::Missing => 1,
            Self::Stale => 2,
            Self::Outdated => 3,
            Self::Failed => 4,
            Self::Damaged => 5,
        }
    }
}

impl std::fmt::Display for EntryState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.word())
    }
}

/// How long what was fetched counts as fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TimeToLive {
    /// So many seconds from fetching.
    Secs(u64),
    /// Until the bar of the next session is final.
    MarketClose,
}

/// Why a text is no time to live.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time to live: write a number and a unit, such as 90s, 30m, 24h or 7d, or market-close")]
pub struct TimeToLiveError(String);

impl TimeToLive {
    /// How it is written when it lasts until the next close.
    pub const MARKET_CLOSE: &'static str = "market-close";

    /// This many hours.
    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self::Secs(hours * 3_600)
    }

    /// Reads `90s`, `30m`, `24h`, `7d` or `market-close`; a bare number counts hours.
    ///
    /// # Errors
    /// When the text is neither a number with one of these units nor `market-close`, or longer than a century.
    pub fn parse(text: &str) -> Result<Self, TimeToLiveError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case(Self::MARKET_CLOSE) {
            return Ok(Self::MarketClose);
        }
        let digits = trimmed.trim_end_matches(|last: char| last.is_ascii_alphabetic() || last == ' ');
        let unit_secs = match trimmed.get(digits.len()..).unwrap_or_default().trim() {
            "s" => 1,
            "m" | "min" => 60,
            "" | "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(TimeToLiveError(text.to_owned())),
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(unit_secs))
            .filter(|secs| *secs <= 100 * 366 * 86_400)
            .map(Self::Secs)
            .ok_or_else(|| TimeToLiveError(text.to_owned()))
    }

    /// Its seconds; `None` when it lasts until the next close.
    #[must_use]
    pub fn secs(self) -> Option<u64> {
        match self {
            Self::Secs(secs) => Some(secs),
            Self::MarketClose => None,
        }
    }
}

impl Default for TimeToLive {
    fn default() -> Self {
        Self::hours(24)
    }
}

impl std::fmt::Display for TimeToLive {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secs = match *self {
            Self::MarketClose => return formatter.pad(Self::MARKET_CLOSE),
            Self::Secs(secs) => secs,
        };
        let text = if secs.is_multiple_of(86_400) && secs > 86_400 {
            format!("{}d", secs / 86_400)
        } else if secs.is_multiple_of(3_600) {
            format!("{}h", secs / 3_600)
        } else if secs.is_multiple_of(60) {
            format!("{}m", secs / 60)
        } else {
            format!("{secs}s")
        };
        formatter.pad(&text)
    }
}

impl std::str::FromStr for TimeToLive {
    type Err = TimeToLiveError;

    fn from_str(text: &str) -> Result<Self, TimeToLiveError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for TimeToLive {
    type Error = TimeToLiveError;

    fn try_from(text: String) -> Result<Self, TimeToLiveError> {
        Self::parse(&text)
    }
}

impl From<TimeToLive> for String {
    fn from(ttl: TimeToLive) -> Self {
        ttl.to_string()
    }
}

/// What holds for one entry: how long it lives, and by which market's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rule {
    /// Time to live.
    pub ttl: TimeToLive,
    /// The market that says when a day is over.
    pub exchange: Exchange,
}

impl Rule {
    /// When something fetched at `fetched_at_us` stops being fresh. Bars from `provisional_from_us` on belong to a session that
    /// was not over then: they count no longer than until that session's bar is final.
    #[must_use]
    pub fn expires_at_us(&self, fetched_at_us: i64, provisional_from_us: Option<i64>) -> i64 {
        let by_ttl_us = match self.ttl {
            TimeToLive::Secs(secs) => fetched_at_us.saturating_add(i64::try_from(secs).unwrap_or(i64::MAX).saturating_mul(SECOND_US)),
            TimeToLive::MarketClose => self.exchange.next_settling_us(fetched_at_us),
        };
        let by_session_us = provisional_from_us.map(|time_us| self.exchange.settles_at_us(date_of(time_us)));
        by_session_us.map_or(by_ttl_us, |settles_at_us| settles_at_us.min(by_ttl_us))
    }
}

/// What a state depends on besides the row.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Now.
    pub now_us: i64,
    /// Time to live and calendar.
    pub rule: Rule,
    /// For features: the hash of the set's present definitions; `None` when the set is not known any more.
    pub definition: Option<DefinitionHash>,
    /// For features: the fingerprint of the bars cached now; `None` when there are none.
    pub bars_fingerprint: Option<u128>,
}

impl Policy {
    /// For what neither ages nor depends on anything.
    #[must_use]
    pub fn ageless(now_us: i64) -> Self {
        Self { now_us, rule: Rule::default(), definition: None, bars_fingerprint: None }
    }
}

/// When the entry stops being fresh, if nothing else happens to it; `None` for pinned entries and those without a file.
#[must_use]
pub fn expires_at_us(entry: &Entry, rule: Rule) -> Option<i64> {
    (entry.file.is_some() && !entry.pinned).then(|| rule.expires_at_us(entry.fetched_at_us, entry.provisional_from_us))
}

/// The state of an entry.
#[must_use]
pub fn state_of(entry: Option<&Entry>, policy: &Policy) -> EntryState {
    let Some(entry) = entry else { return EntryState::Missing };
    if entry.damaged_at_us.is_some() {
        return EntryState::Damaged;
    }
    if entry.failure.is_some() {
        return EntryState::Failed;
    }
    if entry.file.is_none() {
        return EntryState::Missing;
    }
    if let Some(provenance) = &entry.provenance {
        let definition_changed = policy.definition.is_some_and(|now| now != provenance.definition);
        let bars_changed = policy.bars_fingerprint.is_some_and(|now| now != provenance.inputs);
        if definition_changed || bars_changed {
            return EntryState::Outdated;
        }
    }
    if entry.invalidated_at_us.is_some() {
        return EntryState::Stale;
    }
    if entry.pinned {
        return EntryState::Fresh;
    }
    // A fetch time well in the future means that the clock was set back: its age is unknown, so it is not trusted.
    let from_the_future = entry.fetched_at_us > policy.now_us.saturating_add(HOUR_US);
    let over = expires_at_us(entry, policy.rule).is_some_and(|end| policy.now_us >= end);
    if over || from_the_future { EntryState::Stale } else { EntryState::Fresh }
}

#[cfg(test)]
#[path = "freshness_market_tests.rs"]
mod market_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::entry::{EntryKey, Failure, FileFacts, Provenance};
    use crate::market::{DateRange, Quality, Resolution, Symbol};
    use crate::source::SourceId;

    pub(super) const NOW: i64 = 1_700_000_000 * SECOND_US;

    pub(super) fn entry() -> Entry {
        Entry {
            key: EntryKey::bars(&SourceId::new("test"), &Symbol::new("A")),
            file: Some(FileFacts {
                path: "a.parquet".into(),
                size_bytes: 1,
                modified_us: 0,
                checksum: 1,
                fingerprint: 7,
                rows: 1,
                first_us: 0,
                last_us: 0,
                resolution: Resolution::Daily,
                years: Vec::new(),
            }),
            kept_years: Vec::new(),
            provenance: None,
            range: DateRange::ALL,
            fetched_at_us: NOW,
            invalidated_at_us: None,
            failure: None,
            damaged_at_us: None,
            pinned: false,
            quality: Quality::default(),
            synced: None,
            provisional_from_us: None,
            cost_us: 0,
            hits: 0,
            last_used_us: None,
        }
    }

    pub(super) fn policy(now_us: i64) -> Policy {
        Policy { now_us, rule: Rule::default(), definition: None, bars_fingerprint: None }
    }

    #[test]
    fn an_entry_is_fresh_until_the_last_microsecond_of_its_time() {
        let day = 24 * HOUR_US;
        assert_eq!(state_of(Some(&entry()), &policy(NOW)), EntryState::Fresh);
        assert_eq!(state_of(Some(&entry()), &policy(NOW + day - 1)), EntryState::Fresh);
        assert_eq!(state_of(Some(&entry()), &policy(NOW + day)), EntryState::Stale);
        assert_eq!(state_of(None, &policy(NOW)), EntryState::Missing);
    }

    #[test]
    fn pinned_entries_never_expire_but_can_be_invalidated() {
        let mut pinned = Entry { pinned: true, ..entry() };
        assert_eq!(state_of(Some(&pinned), &policy(NOW + 9_999 * HOUR_US)), EntryState::Fresh);
        assert_eq!(expires_at_us(&pinned, Rule::default()), None);
        pinned.invalidated_at_us = Some(NOW);
        assert_eq!(state_of(Some(&pinned), &policy(NOW)), EntryState::Stale);
    }

    #[test]
    fn features_are_outdated_by_another_definition_or_other_bars() {
        let made_by = DefinitionHash::from(1);
        let features = Entry { provenance: Some(Provenance { definition: made_by, inputs: 7 }), ..entry() };
        let with = |definition, bars| Policy { definition, bars_fingerprint: bars, ..policy(NOW) };
        assert_eq!(state_of(Some(&features), &with(Some(made_by), Some(7))), EntryState::Fresh);
        assert_eq!(state_of(Some(&features), &with(Some(DefinitionHash::from(2)), Some(7))), EntryState::Outdated);
        assert_eq!(state_of(Some(&features), &with(Some(made_by), Some(8))), EntryState::Outdated);
        assert_eq!(state_of(Some(&features), &with(None, None)), EntryState::Fresh);
    }

    #[test]
    fn damage_and_failure_come_before_age() {
        let failure = Some(Failure { at_us: NOW, message: "no route".to_owned(), ..Failure::default() });
        let failed = Entry { failure: failure.clone(), ..entry() };
        assert_eq!(state_of(Some(&failed), &policy(NOW)), EntryState::Failed);
        let damaged = Entry { failure, damaged_at_us: Some(NOW), ..entry() };
        assert_eq!(state_of(Some(&damaged), &policy(NOW)), EntryState::Damaged);
        assert_eq!(state_of(Some(&Entry { file: None, ..entry() }), &policy(NOW)), EntryState::Missing);
    }

    #[test]
    fn a_clock_set_back_makes_no_entry_fresh_for_ever() {
        assert_eq!(state_of(Some(&entry()), &policy(NOW - 2 * HOUR_US)), EntryState::Stale);
        assert_eq!(state_of(Some(&entry()), &policy(NOW - 5 * SECOND_US)), EntryState::Fresh);
    }

    #[test]
    fn times_to_live_are_read_with_units() {
        for (text, secs) in [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("24", 86_400), ("7d", 604_800), ("1 w", 604_800)] {
            assert_eq!(TimeToLive::parse(text), Ok(TimeToLive::Secs(secs)), "{text}");
        }
        for text in ["", "h", "-1h", "1y", "99999999999999999d", "1.5h"] {
            assert!(TimeToLive::parse(text).is_err(), "{text}");
        }
        assert_eq!(TimeToLive::parse("Market-Close"), Ok(TimeToLive::MarketClose));
        assert_eq!(TimeToLive::MarketClose.to_string(), "market-close");
        assert_eq!(TimeToLive::hours(24).to_string(), "24h");
        assert_eq!(TimeToLive::parse("7d").expect("7d").to_string(), "7d");
    }
}
