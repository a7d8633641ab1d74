//! When markets close: sessions, closes and the days whose daily bar is final. Knows no entry, no source and no time to live.
//!
//! Contract: all times are microseconds since 1970-01-01 UTC; dates are the exchange's own local days. Every answer is a pure
//! function of its arguments, monotone in time, and defined for every time.

mod table;
#[cfg(test)]
mod tests;

use super::time::{DAY_US, SECOND_US, date_of, micros_of_date};
use chrono::{NaiveDate, NaiveTime};
use std::sync::LazyLock;
use table::Calendar;

/// How long after a close the day's bar may still change: closing auctions, late prints, the source's own loading.
pub const GRACE_US: i64 = 15 * 60 * SECOND_US;

/// Midnight of 0001-01-01.
const FIRST_US: i64 = -719_162 * DAY_US;
/// Midnight of 9999-01-01. Beyond these, dates and time zones cannot be reckoned with.
const LAST_US: i64 = 2_932_532 * DAY_US;

/// A calendar of `assets/calendars`, worked out when it is first asked.
macro_rules! calendar {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Calendar> = LazyLock::new(|| {
            Calendar::read(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/calendars/", $file)))
                .unwrap_or_else(|_error| Calendar::weekdays_in_utc())
        });
    };
}

calendar!(NEW_YORK, "XNYS.txt");
calendar!(SHANGHAI, "XSHG.txt");
calendar!(HONG_KONG, "XHKG.txt");
calendar!(LONDON, "XLON.txt");
calendar!(FRANKFURT, "XFRA.txt");
calendar!(TOKYO, "XTKS.txt");
calendar!(SEOUL, "XKRX.txt");
calendar!(MOSCOW, "XMOS.txt");

/// A market by its calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Exchange {
    /// Not known: a day ends at midnight UTC.
    #[default]
    Unknown,
    /// Never closed, such as crypto markets: a day ends at midnight UTC.
    Continuous,
    /// New York Stock Exchange and Nasdaq.
    NewYork,
    /// Shanghai and Shenzhen, which close on the same days.
    Shanghai,
    /// Hong Kong.
    HongKong,
    /// London.
    London,
    /// Frankfurt.
    Frankfurt,
    /// Tokyo.
    Tokyo,
    /// Seoul.
    Seoul,
    /// Moscow.
    Moscow,
}

/// One day's trading, from the opening to the close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// When it opens.
    pub open_us: i64,
    /// When it closes.
    pub close_us: i64,
}

impl Exchange {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Continuous => "24/7",
            Self::NewYork => "New York",
            Self::Shanghai => "Shanghai and Shenzhen",
            Self::HongKong => "Hong Kong",
            Self::London => "London",
            Self::Frankfurt => "Frankfurt",
            Self::Tokyo => "Tokyo",
            Self::Seoul => "Seoul",
            Self::Moscow => "Moscow",
        }
    }

    /// Its market identifier code (ISO 10383); `24/7` and `unknown` have none and stand for themselves.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Continuous => "24/7",
            Self::NewYork => "XNYS",
            Self::Shanghai => "XSHG",
            Self::HongKong => "XHKG",
            Self::London => "XLON",
            Self::Frankfurt => "XFRA",
            Self::Tokyo => "XTKS",
            Self::Seoul => "XKRX",
            Self::Moscow => "XMOS",
        }
    }

    /// Reads a code, a city or a usual short name, in any case: `XNYS`, `New York`, `nasdaq`, `24/7`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let exchange = match text.trim().to_ascii_lowercase().as_str() {
            "unknown" => Self::Unknown,
            "24/7" | "crypto" => Self::Continuous,
            "xnys" | "xnas" | "xase" | "arcx" | "nyse" | "nasdaq" | "new york" => Self::NewYork,
            "xshg" | "xshe" | "sse" | "szse" | "shanghai" | "shenzhen" | "shanghai and shenzhen" => Self::Shanghai,
            "xhkg" | "hkex" | "hong kong" => Self::HongKong,
            "xlon" | "lse" | "london" => Self::London,
            "xfra" | "xetr" | "xetra" | "frankfurt" => Self::Frankfurt,
            "xtks" | "tse" | "jpx" | "tokyo" => Self::Tokyo,
            "xkrx" | "krx" | "kosdaq" | "seoul" => Self::Seoul,
            "xmos" | "misx" | "moex" | "moscow" => Self::Moscow,
            _ => return None,
        };
        Some(exchange)
    }

    /// Every exchange with a calendar of its own, then the two without.
    pub fn all() -> impl Iterator<Item = Self> {
        use Exchange::{Continuous, Frankfurt, HongKong, London, Moscow, NewYork, Seoul, Shanghai, Tokyo, Unknown};
        [NewYork, Shanghai, HongKong, London, Frankfurt, Tokyo, Seoul, Moscow, Continuous, Unknown].into_iter()
    }

    /// Its sessions; `None` where every day is one, from midnight to midnight UTC.
    fn calendar(self) -> Option<&'static Calendar> {
        let calendar = match self {
            Self::Unknown | Self::Continuous => return None,
            Self::NewYork => &*NEW_YORK,
            Self::Shanghai => &*SHANGHAI,
            Self::HongKong => &*HONG_KONG,
            Self::London => &*LONDON,
            Self::Frankfurt => &*FRANKFURT,
            Self::Tokyo => &*TOKYO,
            Self::Seoul => &*SEOUL,
            Self::Moscow => &*MOSCOW,
        };
        Some(calendar)
    }

    /// The calendar, for times that have one. Outside the years 1 to 9998 days are as for a market that never closes.
    fn calendar_at(self, time_us: i64) -> Option<&'static Calendar> {
        if (FIRST_US..LAST_US).contains(&time_us) { self.calendar() } else { None }
    }

    /// The last day whose holidays are known; later weekdays all count as sessions. `None` where there are no holidays.
    #[must_use]
    pub fn coverage_end(self) -> Option<NaiveDate> {
        self.calendar().map(Calendar::last_day)
    }

    /// A time of day on the exchange's own clock as an instant; of UTC where no clock is known.
    #[must_use]
    pub fn instant_us(self, day: NaiveDate, time: NaiveTime) -> i64 {
        match self.calendar() {
            Some(calendar) => calendar.instant_us(day, time),
            None => day.and_time(time).and_utc().timestamp_micros(),
        }
    }

    /// The first and the last day whose holidays are known; `None` where there are no holidays.
    #[must_use]
    pub fn covered(self) -> Option<(NaiveDate, NaiveDate)> {
        self.calendar().map(|calendar| (calendar.first_day(), calendar.last_day()))
    }

    /// The first day whose daily bar is not final at `now_us`.
    ///
    /// The bar of a session is final [`GRACE_US`] after its close. A day without a session is over at the local midnight after it:
    /// a bar that a source has for such a day all the same is not trusted before.
    #[must_use]
    pub fn settled_before(self, now_us: i64) -> NaiveDate {
        let closed_by_us = now_us.saturating_sub(GRACE_US);
        let Some(calendar) = self.calendar_at(closed_by_us) else { return date_of(closed_by_us) };
        let today = calendar.local_day(now_us);
        let next = calendar.first_closing_after(closed_by_us).map_or(today, |dated| dated.day.min(today));
        let after_last = calendar.last_closed_at(closed_by_us).and_then(|dated| dated.day.succ_opt());
        after_last.map_or(next, |day| day.max(next))
    }

    /// When the daily bar of a day becomes final: the first time at which [`Exchange::settled_before`] is a later day.
    #[must_use]
    pub fn settles_at_us(self, day: NaiveDate) -> i64 {
        let midnight_us = micros_of_date(day);
        let of_any_day = || midnight_us.saturating_add(DAY_US).saturating_add(GRACE_US);
        let Some(calendar) = self.calendar_at(midnight_us) else { return of_any_day() };
        match (calendar.session_on(day), day.succ_opt()) {
            (Some(session), _) => session.close_us.saturating_add(GRACE_US),
            (None, Some(next)) => calendar.midnight_us(next),
            (None, None) => of_any_day(),
        }
    }

    /// The first close strictly after `after_us`.
    #[must_use]
    pub fn next_close_us(self, after_us: i64) -> i64 {
        self.calendar_at(after_us)
            .and_then(|calendar| calendar.first_closing_after(after_us))
            .map_or_else(|| after_us.div_euclid(DAY_US).saturating_add(1).saturating_mul(DAY_US), |dated| dated.session.close_us)
    }

    /// The last close at or before `at_or_before_us`.
    #[must_use]
    pub fn last_close_us(self, at_or_before_us: i64) -> i64 {
        self.calendar_at(at_or_before_us)
            .and_then(|calendar| calendar.last_closed_at(at_or_before_us))
            .map_or_else(|| at_or_before_us.div_euclid(DAY_US).saturating_mul(DAY_US), |dated| dated.session.close_us)
    }

    /// The first time strictly after `after_us` at which a session's bar becomes final: a close and [`GRACE_US`].
    #[must_use]
    pub fn next_settling_us(self, after_us: i64) -> i64 {
        self.next_close_us(after_us.saturating_sub(GRACE_US)).saturating_add(GRACE_US)
    }

    /// The session of one of the exchange's own days, if there is one.
    #[must_use]
    pub fn session_on(self, day: NaiveDate) -> Option<Session> {
        let open_us = micros_of_date(day);
        match self.calendar_at(open_us) {
            Some(calendar) => calendar.session_on(day),
            None => Some(Session { open_us, close_us: open_us.saturating_add(DAY_US) }),
        }
    }

    /// Whether the market trades on one of its own days.
    #[must_use]
    pub fn is_session(self, day: NaiveDate) -> bool {
        self.session_on(day).is_some()
    }
}

impl std::fmt::Display for Exchange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}
