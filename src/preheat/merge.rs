//! Cached bars and newly fetched days put together, and what is different afterwards. Pure.
//!
//! Contract: the merged bars are those that a fetch of everything would have given, as long as the days that were not fetched
//! are unchanged at the source.

use crate::cache::{Change, ChangeKind};
use crate::format::count;
use crate::market::{Bars, DateRange, Quality, RawBars, Resolution, format_date};
use std::cmp::Ordering;

/// Merged bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// All bars.
    pub bars: Bars,
    /// What was noticed in the fetched rows.
    pub quality: Quality,
    /// The first row that may differ from what was cached; rows before it are the same bits.
    pub from_row: usize,
}

/// Takes the days of `parts` from the source's rows and all others from the cache.
#[must_use]
pub fn merge(cached: &Bars, parts: &[DateRange], fetched: RawBars) -> Merged {
    let (fresh, quality) = Bars::normalise(fetched);
    let mut bars = Bars::default();
    if cached.amount.is_some() || fresh.amount.is_some() {
        bars.amount = Some(Vec::new());
    }
    if cached.turnover.is_some() || fresh.turnover.is_some() {
        bars.turnover = Some(Vec::new());
    }
    let (mut done_cached, mut done_fresh) = (0, 0);
    let mut from_row = None;
    for part in parts {
        let span = cached.span_of(part);
        append(&mut bars, cached, done_cached..span.start.max(done_cached));
        from_row.get_or_insert(bars.len());
        let end = part.end_us_exclusive().map_or(fresh.len(), |end| fresh.time_us.partition_point(|time| *time < end));
        append(&mut bars, &fresh, done_fresh..end.max(done_fresh));
        done_cached = span.end.max(done_cached);
        done_fresh = end.max(done_fresh);
    }
    append(&mut bars, cached, done_cached..cached.len());
    // Of the bars that are left: the only one with a time of day may be gone.
    bars.resolution = Resolution::of_times(&bars.time_us);
    let same_shape = bars.resolution == cached.resolution
        && bars.amount.is_some() == cached.amount.is_some()
        && bars.turnover.is_some() == cached.turnover.is_some();
    let from_row = if same_shape || cached.is_empty() { from_row.unwrap_or(bars.len()) } else { 0 };
    Merged { bars, quality, from_row }
}

fn append(to: &mut Bars, from: &Bars, rows: std::ops::Range<usize>) {
    let take = |to: &mut Vec<f64>, from: &[f64]| to.extend_from_slice(from.get(rows.clone()).unwrap_or_default());
    to.time_us.extend_from_slice(from.time_us.get(rows.clone()).unwrap_or_default());
    take(&mut to.open, &from.open);
    take(&mut to.high, &from.high);
    take(&mut to.low, &from.low);
    take(&mut to.close, &from.close);
    take(&mut to.volume, &from.volume);
    for (to, from) in [(&mut to.amount, &from.amount), (&mut to.turnover, &from.turnover)] {
        match (to, from) {
            (Some(to), Some(from)) => take(to, from),
            (Some(to), None) => to.extend(std::iter::repeat_n(f64::NAN, rows.len())),
            (None, _) => {}
        }
    }
}

/// How two histories of one symbol differ.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Difference {
    /// Bars that only the new one has, up to the last bar of the old one.
    pub inserted: u64,
    /// Bars that only the new one has, after the last bar of the old one.
    pub appended: u64,
    /// Bars that only the old one has.
    pub removed: u64,
    /// Bars of the same time with another value.
    pub altered: u64,
    /// Provisional bars that were brought up to date: changed, settled or gone.
    pub updated: u64,
    /// Time of the first bar that differs.
    pub first_us: Option<i64>,
    /// What all altered closes were multiplied by, if by the same.
    pub ratio: Option<f64>,
}

impl Difference {
    /// Compares two histories. Bars of the old one from `provisional_from_us` on were expected to change.
    #[must_use]
    pub fn between(old: &Bars, new: &Bars, provisional_from_us: Option<i64>) -> Self {
        let mut found = Self::default();
        let mut ratio = Ratio::default();
        let (mut left, mut right) = (0, 0);
        let last_old = old.last_us().unwrap_or(i64::MIN);
        loop {
            let (old_us, new_us) = (old.time_us.get(left), new.time_us.get(right));
            let (order, time_us) = match (old_us, new_us) {
                (None, None) => break,
                (Some(old_us), None) => (Ordering::Less, *old_us),
                (None, Some(new_us)) => (Ordering::Greater, *new_us),
                (Some(old_us), Some(new_us)) => (old_us.cmp(new_us), *old_us.min(new_us)),
            };
            let is_provisional = provisional_from_us.is_some_and(|from_us| time_us >= from_us);
            let differs = match order {
                Ordering::Less => {
                    if is_provisional {
                        found.updated += 1;
                    } else {
                        found.removed += 1;
                    }
                    left += 1;
                    true
                }
                Ordering::Greater => {
                    if time_us > last_old || is_provisional {
                        found.appended += 1;
                    } else {
                        found.inserted += 1;
                    }
                    right += 1;
                    true
                }
                Ordering::Equal => {
                    let altered = !old.has_same_rows(left..left + 1, new, right);
                    if altered && is_provisional {
                        found.updated += 1;
                    } else if altered {
                        found.altered += 1;
                        ratio.see(old.close.get(left), new.close.get(right));
                    }
                    left += 1;
                    right += 1;
                    altered
                }
            };
            if differs {
                found.first_us.get_or_insert(time_us);
            }
        }
        found.ratio = ratio.common();
        found
    }

    /// Whether history that was cached is not what it was.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        self.inserted + self.removed + self.altered > 0
    }

    /// In words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut parts = Vec::new();
        let mut say = |number: u64, what: &str| {
            if number > 0 {
                parts.push(format!("{} {} {what}", count(number), if number == 1 { "bar" } else { "bars" }));
            }
        };
        say(self.appended, "added at the end");
        say(self.updated, "of an open session brought up to date");
        say(self.altered, "changed");
        say(self.inserted, "inserted");
        say(self.removed, "removed");
        let mut text = parts.join(", ");
        if let Some(ratio) = self.ratio {
            text.push_str(&format!("; every changed close × {}, as after a split or an adjustment", crate::format::price(ratio)));
        }
        if let (Some(first_us), true) = (self.first_us, self.is_rewritten()) {
            text.push_str(&format!("; first {}", format_date(first_us)));
        }
        text
    }

    /// The line for the history of changes; `None` when nothing differs.
    #[must_use]
    pub fn into_change(self, key: &crate::cache::EntryKey, noticed_us: i64, years: Vec<i32>) -> Option<Change> {
        let kind = if self.is_rewritten() {
            ChangeKind::Rewritten
        } else if self.appended + self.updated > 0 {
            ChangeKind::Appended
        } else {
            return None;
        };
        Some(Change {
            source: key.source.clone(),
            symbol: key.symbol.clone(),
            noticed_us,
            kind,
            years,
            first_us: self.first_us,
            inserted: self.inserted + self.appended,
            removed: self.removed,
            altered: self.altered,
            detail: self.in_words(),
        })
    }
}

/// Finds out whether all altered closes were multiplied by the same number.
#[derive(Default)]
struct Ratio {
    seen: u64,
    first: Option<f64>,
    broken: bool,
}

impl Ratio {
    fn see(&mut self, old: Option<&f64>, new: Option<&f64>) {
        let (Some(old), Some(new)) = (old, new) else { return };
        let ratio = new / old;
        self.seen += 1;
        match self.first {
            None if ratio.is_finite() && ratio > 0.0 => self.first = Some(ratio),
            // Prices are rounded after a split, by a cent or so.
            Some(first) if (ratio / first - 1.0).abs() < 2e-3 => {}
            _ => self.broken = true,
        }
    }

    fn common(&self) -> Option<f64> {
        self.first.filter(|ratio| !self.broken && self.seen >= 5 && (ratio - 1.0).abs() > 5e-3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{DAY_US, date_of, parse_date};
    use proptest::prelude::*;

    fn raw(rows: &[(i64, f64)]) -> RawBars {
        let close: Vec<f64> = rows.iter().map(|row| row.1).collect();
        RawBars {
            time_us: rows.iter().map(|row| row.0 * DAY_US).collect(),
            open: close.clone(),
            high: close.clone(),
            low: close.clone(),
            volume: close.clone(),
            close,
            ..RawBars::default()
        }
    }

    fn bars(rows: &[(i64, f64)]) -> Bars {
        Bars::normalise(raw(rows)).0
    }

    fn days(start: Option<i64>, end: Option<i64>) -> DateRange {
        DateRange { start: start.map(|day| date_of(day * DAY_US)), end: end.map(|day| date_of(day * DAY_US)) }
    }

    #[test]
    fn a_tail_replaces_what_follows_it() {
        let cached = bars(&[(1, 1.0), (2, 2.0), (3, 3.5)]);
        let merged = merge(&cached, &[days(Some(3), None)], raw(&[(3, 3.0), (4, 4.0)]));
        assert_eq!(merged.bars, bars(&[(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]));
        assert_eq!(merged.from_row, 2);
        let gone = merge(&cached, &[days(Some(3), None)], RawBars::default());
        assert_eq!(gone.bars, bars(&[(1, 1.0), (2, 2.0)]));
    }

    #[test]
    fn a_provisional_bar_that_moves_rewrites_no_history() {
        let old = bars(&[(1, 10.0), (2, 20.0), (3, 30.0)]);
        let found = Difference::between(&old, &bars(&[(1, 10.0), (2, 20.0), (3, 31.0), (4, 40.0)]), Some(3 * DAY_US));
        assert_eq!((found.updated, found.appended, found.is_rewritten()), (1, 1, false));
        let rewritten = Difference::between(&old, &bars(&[(1, 10.0), (2, 21.0), (3, 31.0)]), Some(3 * DAY_US));
        assert_eq!((rewritten.updated, rewritten.altered, rewritten.is_rewritten()), (1, 1, true));
    }

    #[test]
    fn bars_are_daily_again_when_the_only_time_of_day_is_gone() {
        let mut rows = raw(&[(1, 1.0), (2, 2.0)]);
        rows.time_us[1] += 60;
        let cached = Bars::normalise(rows).0;
        assert_eq!(cached.resolution, Resolution::Intraday);
        let merged = merge(&cached, &[days(Some(2), None)], raw(&[(2, 2.0)]));
        assert_eq!(merged.bars, bars(&[(1, 1.0), (2, 2.0)]));
        assert_eq!(merged.from_row, 0, "a file of another resolution is not added to");
    }

    #[test]
    fn differences_are_counted_and_named() {
        let old = bars(&[(1, 10.0), (2, 20.0), (3, 30.0), (4, 40.0), (5, 50.0), (6, 60.0)]);
        let split = bars(&[(1, 5.0), (2, 10.0), (3, 15.0), (4, 20.0), (5, 25.0), (6, 30.0), (7, 31.0)]);
        let found = Difference::between(&old, &split, None);
        assert_eq!((found.altered, found.appended, found.ratio), (6, 1, Some(0.5)));
        assert!(found.in_words().contains("split"), "{}", found.in_words());
        let mixed = Difference::between(&old, &bars(&[(0, 1.0), (1, 10.0), (3, 31.0), (4, 40.0), (5, 50.0), (6, 60.0)]), None);
        assert_eq!((mixed.inserted, mixed.removed, mixed.altered, mixed.first_us), (1, 1, 1, Some(0)));
        assert!(!Difference::between(&old, &old, None).is_rewritten());
        assert_eq!(
            parse_date("1970-01-02").map(|day| Difference::between(&old, &bars(&[]), None).in_words().contains(&day.to_string())),
            Some(true)
        );
    }

    proptest! {
        #[test]
        fn a_merge_is_what_a_whole_fetch_gives(
            before in proptest::collection::btree_map(0_i64..60, 1.0_f64..99.0, 0..40),
            inside in proptest::collection::btree_map(0_i64..60, 1.0_f64..99.0, 0..40),
            cuts in proptest::collection::btree_set(0_i64..60, 2..6),
            open_end in any::<bool>(),
        ) {
            let cuts: Vec<i64> = cuts.into_iter().collect();
            let mut parts: Vec<DateRange> = cuts.chunks_exact(2).map(|pair| days(Some(pair[0]), Some(pair[1] - 1))).collect();
            if let (true, Some(last)) = (open_end, parts.last_mut()) {
                last.end = None;
            }
            let within = |day: i64| parts.iter().any(|part| {
                let date = date_of(day * DAY_US);
                part.start.is_none_or(|start| start <= date) && part.end.is_none_or(|end| date <= end)
            });
            // The new truth: inside the parts other rows, outside the old ones.
            let fetched: Vec<(i64, f64)> = inside.iter().filter(|row| within(*row.0)).map(|(day, close)| (*day, *close)).collect();
            let mut truth: Vec<(i64, f64)> = before.iter().filter(|row| !within(*row.0)).map(|(day, close)| (*day, *close)).collect();
            truth.extend(&fetched);
            truth.sort_by_key(|row| row.0);
            let cached = bars(&before.into_iter().collect::<Vec<_>>());
            let merged = merge(&cached, &parts, raw(&fetched));
            prop_assert_eq!(&merged.bars, &bars(&truth));
            let kept = merged.from_row.min(cached.len());
            prop_assert_eq!(merged.bars.time_us.get(..kept), cached.time_us.get(..kept));
        }
    }
}
