//! What has to be fetched of a symbol, decided from what the source says it has. Pure: asks nobody and reads nothing.
//!
//! The digests of the days that were settled at the last fetch tell whether history was rewritten, and in which years; later
//! days are new. So that nothing changed means that nothing is transferred, one new day means one row, and a corrected bar
//! means its year.

use crate::cache::{Entry, Synced};
use crate::market::{DateRange, date_of};
use crate::source::{SymbolDigest, YearDigest};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// What to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Nothing: the source has what is cached.
    Nothing,
    /// Nothing: the source has no rows.
    NoRows,
    /// All days of the range.
    Whole,
    /// Only these days, in order and without overlap; the rest of what is cached stands.
    Parts(Vec<DateRange>),
}

/// What to fetch, and what will be known of the source afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What to fetch.
    pub ask: Ask,
    /// What the source said it has; kept with the entry.
    pub synced: Synced,
    /// Rows the source has in the days that are fetched.
    pub expected_rows: u64,
    /// Settled years that are not what they were.
    pub changed_years: Vec<i32>,
}

/// The first day that is not settled, and where the days end that were counted at the last fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cut {
    /// Days before this one were counted when the entry was fetched; `None` asks for everything alike.
    pub split: Option<NaiveDate>,
    /// The first day whose session is not closed.
    pub until: Option<NaiveDate>,
}

impl Cut {
    /// The same cut at the end of the days that were counted, behind the last row: the same for more symbols, but rows that
    /// came in between count as history.
    #[must_use]
    pub fn coarse(self, previous: Option<&Entry>) -> Self {
        let counted_before = previous.and_then(|entry| entry.synced.as_ref()).and_then(|synced| synced.settled_before);
        Self { split: self.split.and(counted_before), ..self }
    }

    /// Where to cut for an entry as it is, when days from `settled_before` on are provisional.
    ///
    /// What was settled once stays settled, whatever the clock says now.
    #[must_use]
    pub fn of(previous: Option<&Entry>, settled_before: NaiveDate) -> Self {
        let synced = previous.filter(|entry| entry.has_files()).and_then(|entry| entry.synced.as_ref());
        let counted_before = synced.and_then(|synced| synced.settled_before);
        // Behind the last row there was nothing: what is there now is new, however long ago its day is.
        let split = synced.and_then(|synced| synced.last_day?.succ_opt()).or(counted_before);
        let until = counted_before.map_or(settled_before, |before| before.max(settled_before));
        Self { split, until: Some(until) }
    }
}

/// Decides what to fetch of `range` for an entry as it is.
#[must_use]
pub fn decide(previous: Option<&Entry>, range: &DateRange, cut: Cut, digest: &SymbolDigest) -> Asked {
    let last_day = digest.last_us.map(date_of).filter(|day| cut.until.is_none_or(|until| *day < until));
    let synced = Synced { settled_before: cut.until, last_day, years: sum_by_year(digest), quality: None, verified_us: None };
    let all_rows = rows_of(&synced.years) + digest.provisional_rows;
    let asked = |ask, expected_rows, changed_years| Asked { ask, synced: synced.clone(), expected_rows, changed_years };
    if all_rows == 0 {
        return asked(Ask::NoRows, 0, Vec::new());
    }
    // Rows whose day the database cannot tell are counted whatever the range: how many of them will come is not known.
    let is_vague = (range.start.is_some() || range.end.is_some()) && digest.before.iter().any(|year| year.year == 0);
    let all_rows = if is_vague { 0 } else { all_rows };
    let known = previous.filter(|entry| entry.has_files() && entry.range == *range);
    let Some((entry, before)) = known.and_then(|entry| Some((entry, entry.synced.as_ref()?))) else {
        return asked(Ask::Whole, all_rows, Vec::new());
    };
    let Some(split) = cut.split.filter(|split| before.counts_the_same_before(*split)) else {
        return asked(Ask::Whole, all_rows, Vec::new());
    };
    let lost_years = lost(entry, before);
    let mut changed_years = changed(&before.years, &digest.before);
    changed_years.extend(lost_years.iter().filter(|year| digest.before.iter().any(|has| has.year == **year)));
    changed_years.sort_unstable();
    changed_years.dedup();
    let has_tail = !digest.after.is_empty() || digest.provisional_rows > 0 || entry.provisional_from_us.is_some();
    if changed_years.is_empty() && !has_tail {
        let ask = if entry.file.is_some() { Ask::Nothing } else { Ask::Whole };
        return asked(ask, if entry.file.is_some() { 0 } else { all_rows }, changed_years);
    }
    // What was noticed in the rows that are replaced cannot be told from what was noticed in the others.
    let is_told_apart = entry.provisional_from_us.is_none() || before.quality.is_some();
    let settled = entry.settled_quality();
    // The order of rows is noticed between neighbours, and counts for all of them together.
    let is_mixed_in_settled = settled.unsorted > 0 || (!settled.is_clean() && !changed_years.is_empty());
    let quality_is_mixed = if is_told_apart { is_mixed_in_settled } else { !entry.quality.is_clean() };
    let changed_rows: u64 = digest.before.iter().filter(|year| changed_years.contains(&year.year)).map(|year| year.rows).sum();
    // Many statements for little are slower than one for all.
    let is_most = changed_rows * 2 > all_rows || changed_years.len() > 3;
    if changed_years.contains(&0) || quality_is_mixed || is_most {
        return asked(Ask::Whole, all_rows, changed_years);
    }
    let tail = has_tail.then(|| DateRange { start: later(range.start, Some(split)), end: range.end });
    let tail_rows = if has_tail { rows_of(&digest.after) + digest.provisional_rows } else { 0 };
    let mut parts: Vec<DateRange> = changed_years.iter().filter_map(|year| days_of_year(*year, range, split)).collect();
    parts.extend(tail);
    if parts.is_empty() {
        return asked(Ask::Whole, all_rows, changed_years);
    }
    asked(Ask::Parts(join(parts)), changed_rows + tail_rows, changed_years)
}

/// Years that were cached and whose files are damaged or gone, while those of others are left.
fn lost(entry: &Entry, before: &Synced) -> Vec<i32> {
    let is_left = |year: i32| entry.file.is_some() || entry.kept_years.iter().any(|file| file.year == year);
    before.years.iter().map(|digest| digest.year).filter(|year| !is_left(*year)).collect()
}

fn rows_of(years: &[YearDigest]) -> u64 {
    years.iter().map(|year| year.rows).sum()
}

/// Settled rows before and after the split, added up by year.
fn sum_by_year(digest: &SymbolDigest) -> Vec<YearDigest> {
    let mut years: BTreeMap<i32, YearDigest> = BTreeMap::new();
    for part in digest.before.iter().chain(&digest.after) {
        let sum = years.entry(part.year).or_insert(YearDigest { year: part.year, rows: 0, checksum: 0 });
        sum.rows += part.rows;
        sum.checksum = sum.checksum.wrapping_add(part.checksum);
    }
    years.into_values().collect()
}

/// Years that only one of the two has, or that differ.
fn changed(before: &[YearDigest], now: &[YearDigest]) -> Vec<i32> {
    let by_year = |years: &[YearDigest]| years.iter().map(|year| (year.year, *year)).collect::<BTreeMap<_, _>>();
    let (before, now) = (by_year(before), by_year(now));
    let mut years: Vec<i32> = before.keys().chain(now.keys()).copied().filter(|year| before.get(year) != now.get(year)).collect();
    years.sort_unstable();
    years.dedup();
    years
}

fn later(one: Option<NaiveDate>, other: Option<NaiveDate>) -> Option<NaiveDate> {
    // None is the earliest of all.
    one.max(other)
}

/// The days of a year inside the range and before the split; `None` when there are none.
fn days_of_year(year: i32, range: &DateRange, split: NaiveDate) -> Option<DateRange> {
    let start = NaiveDate::from_ymd_opt(year, 1, 1)?;
    let end = NaiveDate::from_ymd_opt(year, 12, 31)?.min(split.pred_opt()?);
    let start = range.start.map_or(start, |first| first.max(start));
    let end = range.end.map_or(end, |last| last.min(end));
    (start <= end).then_some(DateRange { start: Some(start), end: Some(end) })
}

/// Puts ranges together that follow each other without a gap.
fn join(parts: Vec<DateRange>) -> Vec<DateRange> {
    let mut joined: Vec<DateRange> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(open) if open.end.and_then(|end| end.succ_opt()).is_some_and(|next| part.start == Some(next)) => open.end = part.end,
            _ => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{EntryKey, FileFacts};
    use crate::market::{Quality, Resolution, Symbol, parse_date};
    use crate::source::SourceId;

    fn day(text: &str) -> NaiveDate {
        parse_date(text).unwrap()
    }

    fn year(year: i32, rows: u64, checksum: u64) -> YearDigest {
        YearDigest { year, rows, checksum }
    }

    fn entry(years: Vec<YearDigest>, settled_before: &str) -> Entry {
        Entry {
            key: EntryKey::bars(&SourceId::new("test"), &Symbol::new("A")),
            file: Some(FileFacts {
                path: "a.parquet".into(),
                size_bytes: 1,
                modified_us: 0,
                checksum: 1,
                fingerprint: 7,
                rows: 500,
                first_us: 0,
                last_us: 0,
                resolution: Resolution::Daily,
                years: Vec::new(),
            }),
            kept_years: Vec::new(),
            provenance: None,
            range: DateRange::ALL,
            fetched_at_us: 0,
            invalidated_at_us: None,
            failure: None,
            damaged_at_us: None,
            pinned: false,
            quality: Quality::default(),
            synced: Some(Synced { settled_before: Some(day(settled_before)), last_day: None, years, ..Synced::default() }),
            provisional_from_us: None,
            cost_us: 0,
            hits: 0,
            last_used_us: None,
        }
    }

    fn history() -> Vec<YearDigest> {
        vec![year(2018, 250, 1), year(2019, 250, 2), year(2020, 250, 3), year(2021, 100, 4)]
    }

    fn asked(entry: &Entry, until: &str, digest: &SymbolDigest) -> Asked {
        decide(Some(entry), &DateRange::ALL, Cut::of(Some(entry), day(until)), digest)
    }

    #[test]
    fn nothing_new_transfers_nothing() {
        let entry = entry(history(), "2021-06-01");
        let digest = SymbolDigest { before: history(), ..SymbolDigest::default() };
        let asked = asked(&entry, "2021-06-02", &digest);
        assert_eq!((asked.ask, asked.expected_rows), (Ask::Nothing, 0));
        assert_eq!(asked.synced, Synced { settled_before: Some(day("2021-06-02")), last_day: None, years: history(), ..Synced::default() });
    }

    #[test]
    fn new_days_are_fetched_alone_and_counted_with_their_year() {
        let entry = entry(history(), "2021-06-01");
        let digest = SymbolDigest { before: history(), after: vec![year(2021, 2, 40)], provisional_rows: 1, last_us: None };
        let asked = asked(&entry, "2021-06-03", &digest);
        assert_eq!(asked.ask, Ask::Parts(vec![DateRange { start: Some(day("2021-06-01")), end: None }]));
        assert_eq!(asked.expected_rows, 3);
        assert_eq!(asked.synced.years.last(), Some(&year(2021, 102, 44)));
    }

    #[test]
    fn a_changed_year_is_fetched_alone() {
        let entry = entry(history(), "2021-06-01");
        let mut digest = SymbolDigest { before: history(), ..SymbolDigest::default() };
        digest.before[1].checksum = 9;
        let asked = asked(&entry, "2021-06-01", &digest);
        assert_eq!(asked.ask, Ask::Parts(vec![DateRange { start: Some(day("2019-01-01")), end: Some(day("2019-12-31")) }]));
        assert_eq!((asked.expected_rows, asked.changed_years), (250, vec![2019]));
    }

    #[test]
    fn a_year_that_vanished_counts_as_changed_and_neighbours_are_joined() {
        let entry = entry(history(), "2021-06-01");
        let mut digest = SymbolDigest { before: history(), after: vec![year(2021, 1, 5)], ..SymbolDigest::default() };
        digest.before.remove(3);
        let asked = asked(&entry, "2021-06-02", &digest);
        assert_eq!(asked.ask, Ask::Parts(vec![DateRange { start: Some(day("2021-01-01")), end: None }]), "the year and the days after it");
        assert_eq!((asked.expected_rows, asked.changed_years), (1, vec![2021]));
    }

    #[test]
    fn a_split_over_all_earlier_rows_fetches_everything() {
        let entry = entry(history(), "2021-06-01");
        let digest = SymbolDigest { before: history().iter().map(|old| year(old.year, old.rows, 77)).collect(), ..SymbolDigest::default() };
        assert_eq!(asked(&entry, "2021-06-01", &digest).ask, Ask::Whole);
    }

    #[test]
    fn what_is_not_known_is_fetched_whole() {
        let digest = SymbolDigest { before: history(), ..SymbolDigest::default() };
        let settled = day("2021-06-01");
        let never = decide(None, &DateRange::ALL, Cut::of(None, settled), &digest);
        assert_eq!((never.ask, never.expected_rows), (Ask::Whole, 850));
        let mut cleared = entry(history(), "2021-06-01");
        cleared.file = None;
        assert_eq!(decide(Some(&cleared), &DateRange::ALL, Cut::of(Some(&cleared), settled), &digest).ask, Ask::Whole);
        let wider = DateRange { start: Some(day("2010-01-01")), end: None };
        let known = entry(history(), "2021-06-01");
        assert_eq!(decide(Some(&known), &wider, Cut::of(Some(&known), settled), &digest).ask, Ask::Whole);
        let empty = decide(Some(&known), &DateRange::ALL, Cut::of(Some(&known), settled), &SymbolDigest::default());
        assert_eq!(empty.ask, Ask::NoRows);
    }

    #[test]
    fn provisional_bars_are_fetched_again_even_if_the_source_has_none_any_more() {
        let mut entry = entry(history(), "2021-06-01");
        entry.provisional_from_us = Some(1);
        let digest = SymbolDigest { before: history(), ..SymbolDigest::default() };
        assert!(matches!(asked(&entry, "2021-06-01", &digest).ask, Ask::Parts(parts) if parts.len() == 1));
        entry.quality.duplicate_time = 1;
        assert_eq!(asked(&entry, "2021-06-01", &digest).ask, Ask::Whole, "which duplicates were provisional is not known");
        if let Some(synced) = &mut entry.synced {
            synced.quality = Some(entry.quality);
        }
        assert!(matches!(asked(&entry, "2021-06-01", &digest).ask, Ask::Parts(parts) if parts.len() == 1), "now it is: none was");
    }

    #[test]
    fn a_day_behind_the_last_row_is_new_though_it_was_long_ago() {
        let mut entry = entry(history(), "2026-11-20");
        if let Some(synced) = &mut entry.synced {
            synced.last_day = Some(day("2021-05-28"));
        }
        let digest = SymbolDigest { before: history(), after: vec![year(2021, 1, 40)], ..SymbolDigest::default() };
        let cut = Cut::of(Some(&entry), day("2026-11-21"));
        assert_eq!(cut, Cut { split: Some(day("2021-05-29")), until: Some(day("2026-11-21")) });
        let asked = decide(Some(&entry), &DateRange::ALL, cut, &digest);
        assert_eq!((asked.expected_rows, asked.changed_years), (1, vec![]));
        assert_eq!(asked.ask, Ask::Parts(vec![DateRange { start: Some(day("2021-05-29")), end: None }]));
        assert_eq!(cut.coarse(Some(&entry)).split, Some(day("2026-11-20")));
        assert!(!Synced::default().counts_the_same_before(day("2021-05-29")));
    }

    #[test]
    fn a_clock_set_back_unsettles_nothing() {
        let entry = entry(history(), "2021-06-01");
        let cut = Cut::of(Some(&entry), day("2020-01-01"));
        assert_eq!(cut, Cut { split: Some(day("2021-06-01")), until: Some(day("2021-06-01")) });
    }
}
