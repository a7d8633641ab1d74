//! On which days a market's symbols are expected to have a bar: by its calendar, and by what other symbols have.
//!
//! Contract: a day is expected when at least half of the peers that span the day have a bar, and at least three do; or when the
//! exchange's calendar has a session on it (only within the years the calendar knows), unless there are enough peers and not one
//! of them has a bar: that is no gap of a symbol but a hole in the whole source, or a day the calendar is wrong about, and told
//! apart ([`MarketDays::holes`]). Where no calendar is known the peers decide alone, and with fewer than three of them nothing is
//! expected.

use crate::market::bars::Bars;
use crate::market::calendar::Exchange;
use crate::market::time::{DAY_US, date_of};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Fewest peers that make a market day.
const FEWEST_PEERS: u32 = 3;

/// A day on which a bar is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The day.
    pub day: NaiveDate,
    /// Whether most peers have a bar on it.
    pub others_have: bool,
}

/// The days of one market.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketDays {
    exchange: Exchange,
    /// Days on which most peers have a bar, sorted, as days since 1970-01-01.
    peer_days: Vec<i64>,
    /// Other days on which some peer has a bar.
    odd_days: Vec<i64>,
    /// From which to before which day enough peers have bars.
    spans: Vec<(i64, i64)>,
}

impl MarketDays {
    /// What the calendar of an exchange and the bars of some of its symbols say.
    #[must_use]
    pub fn new<'bars>(exchange: Exchange, peers: impl IntoIterator<Item = &'bars Bars>) -> Self {
        let mut tally = PeerTally::default();
        for bars in peers {
            tally.add(&bars.time_us);
        }
        tally.days_of(exchange)
    }

    /// The market.
    #[must_use]
    pub fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// The first and the last day of which the calendar says whether they are sessions: all, where there are no holidays.
    fn calendar_span(&self) -> Option<(NaiveDate, NaiveDate)> {
        if self.exchange == Exchange::Continuous { Some((NaiveDate::MIN, NaiveDate::MAX)) } else { self.exchange.covered() }
    }

    /// Whether anything is known of when it is open.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.peer_days.is_empty() || self.calendar_span().is_some()
    }

    /// The days from `from_day` to before `to_day` (since 1970-01-01) on which a bar is expected.
    pub fn expected(&self, from_day: i64, to_day: i64) -> impl Iterator<Item = Expected> + '_ {
        let known = self.calendar_span();
        (from_day..to_day).filter_map(move |number| {
            let others_have = self.peer_days.binary_search(&number).is_ok();
            let day = date_of(number.saturating_mul(DAY_US));
            let by_calendar = || {
                known.is_some_and(|(first, last)| (first..=last).contains(&day) && self.exchange.is_session(day)) && !self.is_hole(number)
            };
            (others_have || by_calendar()).then_some(Expected { day, others_have })
        })
    }

    /// Whether enough peers could have a bar on a day, and none has.
    fn is_hole(&self, day: i64) -> bool {
        let by_enough = self.spans.iter().any(|(from, to)| (*from..*to).contains(&day));
        by_enough && self.peer_days.binary_search(&day).is_err() && self.odd_days.binary_search(&day).is_err()
    }

    /// Sessions of the calendar on which no symbol has a bar, from `from_day` to before `to_day` (since 1970-01-01).
    #[must_use]
    pub fn holes(&self, from_day: i64, to_day: i64) -> Vec<NaiveDate> {
        let Some((first, last)) = self.calendar_span() else { return Vec::new() };
        let days = (from_day..to_day).filter(|number| self.is_hole(*number)).map(|number| date_of(number.saturating_mul(DAY_US)));
        days.filter(|day| (first..=last).contains(day) && self.exchange.is_session(*day)).collect()
    }

    /// How many sessions a last bar is behind: expected days after it and before `settled_before`.
    #[must_use]
    pub fn sessions_behind(&self, last_us: i64, settled_before: NaiveDate) -> usize {
        let end = crate::market::micros_of_date(settled_before).div_euclid(DAY_US);
        self.expected(last_us.div_euclid(DAY_US) + 1, end).count()
    }
}

/// Who has a bar when, counted.
#[derive(Debug, Default)]
struct PeerTally {
    /// Peers with a bar, by day.
    with_bar: BTreeMap<i64, u32>,
    /// How many peers begin (or have ended) on a day.
    steps: BTreeMap<i64, i64>,
}

impl PeerTally {
    fn add(&mut self, time_us: &[i64]) {
        let (Some(first), Some(last)) = (time_us.first(), time_us.last()) else { return };
        *self.steps.entry(first.div_euclid(DAY_US)).or_default() += 1;
        *self.steps.entry(last.div_euclid(DAY_US) + 1).or_default() -= 1;
        let mut previous = None;
        for time in time_us {
            let day = time.div_euclid(DAY_US);
            if previous != Some(day) {
                *self.with_bar.entry(day).or_default() += 1;
                previous = Some(day);
            }
        }
    }

    fn days_of(&self, exchange: Exchange) -> MarketDays {
        let mut days = MarketDays { exchange, ..MarketDays::default() };
        let mut alive = 0;
        let mut enough_from = None;
        let mut steps = self.steps.iter().peekable();
        let mut step_to = |day: i64, days: &mut MarketDays| {
            while let Some((from, step)) = steps.next_if(|(from, _)| **from <= day) {
                alive += step;
                match (enough_from, alive >= i64::from(FEWEST_PEERS)) {
                    (None, true) => enough_from = Some(*from),
                    (Some(since), false) => {
                        days.spans.push((since, *from));
                        enough_from = None;
                    }
                    _ => {}
                }
            }
            alive
        };
        for (day, with_bar) in &self.with_bar {
            let alive = step_to(*day, &mut days);
            let most = *with_bar >= FEWEST_PEERS && i64::from(*with_bar) * 2 >= alive;
            if most { days.peer_days.push(*day) } else { days.odd_days.push(*day) }
        }
        step_to(i64::MAX, &mut days);
        days
    }
}
