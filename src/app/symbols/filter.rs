//! What narrows the list: words that are typed, chips that are pressed, a list that is chosen.
//!
//! Words of letters match fuzzily (`apl` finds AAPL), words with a digit as they stand, since numbers with digits left out are other
//! numbers. Every word must match; a word behind a minus must not.

use crate::cache::EntryState;
use crate::config::NamedFilter;
use crate::tr;
use crate::worker::SymbolRow;
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use serde::Serialize;
use std::collections::BTreeSet;

/// From so many bytes on a symbol is large.
pub const LARGE_BYTES: u64 = 10_000_000;

/// What a chip narrows the list to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum StateFilter {
    /// Symbols in this state.
    State(EntryState),
    /// Symbols a job has now.
    Working,
    /// Pinned symbols.
    Pinned,
    /// Symbols of more than [`LARGE_BYTES`].
    Large,
    /// Symbols with sessions missing among their bars.
    Gaps,
    /// Symbols in whose rows something was noticed.
    Flawed,
}

impl StateFilter {
    /// Every chip, in the order they stand.
    pub const ALL: [Self; 11] = [
        Self::State(EntryState::Fresh),
        Self::State(EntryState::Stale),
        Self::State(EntryState::Outdated),
        Self::State(EntryState::Missing),
        Self::State(EntryState::Failed),
        Self::State(EntryState::Damaged),
        Self::Working,
        Self::Pinned,
        Self::Large,
        Self::Gaps,
        Self::Flawed,
    ];

    /// The chip's word in files; never translated.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::State(state) => state.word(),
            Self::Working => "working",
            Self::Pinned => "pinned",
            Self::Large => "large",
            Self::Gaps => "gaps",
            Self::Flawed => "flawed",
        }
    }

    /// The chip of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chip| chip.word() == word)
    }

    /// What the chip narrows to, in one sentence.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::State(EntryState::Fresh) => tr!("As good as the source"),
            Self::State(EntryState::Stale) => tr!("Their time is over, or they were invalidated"),
            Self::State(EntryState::Outdated) => tr!("Their bars or the definition of a feature changed"),
            Self::State(EntryState::Missing) => tr!("The source lists them, and nothing is cached"),
            Self::State(EntryState::Failed) => tr!("The last attempt failed; what was cached before is still served"),
            Self::State(EntryState::Damaged) => tr!("A file failed its checksum and is in quarantine"),
            Self::Working => tr!("A job has them now"),
            Self::Pinned => tr!("They never expire and are never evicted"),
            Self::Large => tr!("They take more than 10 MB"),
            Self::Gaps => tr!("Sessions of their market have no bar"),
            Self::Flawed => tr!("Rows were dropped or look wrong: gaps, missing prices, repeated times, broken ranges, outliers"),
        }
    }

    /// Whether chips of this kind add up (states), or each narrows further.
    fn adds_up(self) -> bool {
        matches!(self, Self::State(_) | Self::Working)
    }

    /// Its place among all chips.
    pub(super) fn place(self) -> usize {
        Self::ALL.iter().position(|chip| *chip == self).unwrap_or(0)
    }

    fn holds(self, row: &SymbolRow, is_working: bool) -> bool {
        match self {
            Self::State(state) => row.state == state,
            Self::Working => is_working,
            Self::Pinned => row.pinned,
            Self::Large => row.size_bytes() > LARGE_BYTES,
            Self::Gaps => row.has_gaps(),
            Self::Flawed => row.has_findings(),
        }
    }
}

/// Counts a row under each chip that holds for it, and says whether it is shown under those that are pressed.
pub(super) fn pass_chips(
    row: &SymbolRow,
    is_working: bool,
    pressed: &BTreeSet<StateFilter>,
    counts: &mut [usize; StateFilter::ALL.len()],
) -> bool {
    let (mut of_states, mut no_states, mut narrowed) = (false, true, true);
    for (chip, count) in StateFilter::ALL.into_iter().zip(counts) {
        let holds = chip.holds(row, is_working);
        *count += usize::from(holds);
        if !pressed.is_empty() && pressed.contains(&chip) {
            if chip.adds_up() {
                no_states = false;
                of_states |= holds;
            } else {
                narrowed &= holds;
            }
        }
    }
    (no_states || of_states) && narrowed
}

/// Everything that narrows the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListFilter {
    /// What is typed.
    pub text: String,
    /// The pressed chips.
    pub chips: BTreeSet<StateFilter>,
    /// The chosen list; all symbols without one.
    pub list: Option<String>,
}

impl ListFilter {
    /// Whether everything is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.chips.is_empty() && self.list.is_none()
    }

    /// As it is kept under a name.
    #[must_use]
    pub fn named(&self, name: &str) -> NamedFilter {
        NamedFilter {
            name: name.to_owned(),
            text: self.text.trim().to_owned(),
            chips: self.chips.iter().map(|chip| chip.word().to_owned()).collect(),
            list: self.list.clone(),
        }
    }
}

impl From<&NamedFilter> for ListFilter {
    /// Chips that are not known are left out.
    fn from(kept: &NamedFilter) -> Self {
        let chips = kept.chips.iter().filter_map(|word| StateFilter::of_word(word)).collect();
        Self { text: kept.text.clone(), chips, list: kept.list.clone() }
    }
}

/// What is typed, ready to be looked for.
#[derive(Debug)]
pub struct Needle {
    wanted: Vec<Atom>,
    unwanted: Vec<Atom>,
    matcher: Matcher,
    letters: Vec<char>,
}

impl Needle {
    /// What a text looks for.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for word in text.split_whitespace() {
            let atom = |word: &str, kind| Atom::new(word, CaseMatching::Ignore, Normalization::Smart, kind, false);
            match word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                // What must not be there is meant as it stands.
                Some(rest) => unwanted.push(atom(rest, AtomKind::Substring)),
                None if word.chars().all(char::is_alphabetic) => wanted.push(atom(word, AtomKind::Fuzzy)),
                None => wanted.push(atom(word, AtomKind::Substring)),
            }
        }
        Self { wanted, unwanted, matcher: Matcher::new(Config::DEFAULT), letters: Vec::new() }
    }

    /// Whether it looks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }

    /// How well a name fits, more is better; `None` when it does not.
    pub fn score(&mut self, name: &str) -> Option<u32> {
        let Self { wanted, unwanted, matcher, letters } = self;
        let name = Utf32Str::new(name, letters);
        if unwanted.iter().any(|atom| atom.score(name, matcher).is_some()) {
            return None;
        }
        wanted.iter().map(|atom| atom.score(name, matcher).map(u32::from)).sum()
    }

    /// Which letters of a name that fits were looked for, by their numbers, sorted.
    pub fn places(&mut self, name: &str) -> Vec<u32> {
        let Self { wanted, matcher, letters, .. } = self;
        let name = Utf32Str::new(name, letters);
        let mut places = Vec::new();
        for atom in wanted {
            let _score = atom.indices(name, matcher, &mut places);
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'names>(text: &str, names: &[&'names str]) -> Vec<&'names str> {
        let mut needle = Needle::new(text);
        let mut scored: Vec<(u32, &str)> = names.iter().filter_map(|name| Some((needle.score(name)?, *name))).collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn letters_match_fuzzily_and_numbers_as_they_stand() {
        assert_eq!(found("apl", &["MSFT", "AAPL", "AMPLITUDE"]), ["AAPL", "AMPLITUDE"]);
        assert_eq!(found("601", &["600011", "601318", "000601"]), ["601318", "000601"]);
        assert_eq!(found("n0999", &["N00999", "N09990"]), ["N09990"]);
        assert_eq!(found("^gs", &["GSPC", "^GSPC"]), ["^GSPC"]);
        assert_eq!(found("brk b", &["BRK/A", "BRK/B", "B"]), ["BRK/A", "BRK/B"], "every word, wherever it is");
        assert_eq!(found("brk -/b", &["BRK/A", "BRK/B"]), ["BRK/A"]);
        assert_eq!(found("-brk", &["BRK/A", "AAPL"]), ["AAPL"]);
        assert_eq!(found("茅", &["贵州茅台", "AAPL"]), ["贵州茅台"]);
        assert_eq!(found("  ", &["A", "B"]).len(), 2);
    }

    #[test]
    fn matched_letters_are_known() {
        assert_eq!(Needle::new("apl").places("AAPL"), [0, 2, 3], "a beginning counts most");
        assert_eq!(Needle::new("台").places("贵州茅台"), [3]);
        assert!(Needle::new("").places("AAPL").is_empty());
    }

    #[test]
    fn filters_are_kept_by_the_words_of_their_chips() {
        let filter = ListFilter {
            text: " bank ".to_owned(),
            chips: [StateFilter::Pinned, StateFilter::State(EntryState::Stale)].into(),
            list: Some("mine".to_owned()),
        };
        let mut kept = filter.named("banks");
        assert_eq!(kept.text, "bank");
        kept.chips.push("from a newer version".to_owned());
        assert_eq!(ListFilter::from(&kept), ListFilter { text: "bank".to_owned(), ..filter });
    }
}
