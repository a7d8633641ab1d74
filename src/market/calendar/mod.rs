//! When markets close: sessions, closes and the days whose daily bar is final. Knows no entry, no source and no time to live.
//!
//! Contract: all times are microseconds since 1970-01-01 UTC; dates are the exchange's own local days. Every answer is a pure
//! function of its arguments, monotone in time, and defined for every time.

use super::time::{DAY_US, SECOND_US, date_of, micros_of_date};
use chrono::NaiveDate;

/// How long after a close the day's bar may still change: closing auctions, late prints, the source's own loading.
pub const GRACE_US: i64 = 15 * 60 * SECOND_US;

/// A market by its calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, strum::EnumIter)]
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

    /// The first day whose daily bar is not final at `now_us`: earlier days' sessions are closed, and [`GRACE_US`] is over.
    #[must_use]
    pub fn settled_before(self, now_us: i64) -> NaiveDate {
        date_of(now_us.saturating_sub(GRACE_US))
    }

    /// When the daily bar of a day becomes final: the first time at which [`Exchange::settled_before`] is a later day.
    #[must_use]
    pub fn settles_at_us(self, day: NaiveDate) -> i64 {
        micros_of_date(day).saturating_add(DAY_US).saturating_add(GRACE_US)
    }

    /// The first close strictly after `after_us`.
    #[must_use]
    pub fn next_close_us(self, after_us: i64) -> i64 {
        after_us.div_euclid(DAY_US).saturating_add(1).saturating_mul(DAY_US)
    }

    /// The last close at or before `at_or_before_us`.
    #[must_use]
    pub fn last_close_us(self, at_or_before_us: i64) -> i64 {
        at_or_before_us.div_euclid(DAY_US).saturating_mul(DAY_US)
    }

    /// The first time strictly after `after_us` at which a session's bar becomes final: a close and [`GRACE_US`].
    #[must_use]
    pub fn next_settling_us(self, after_us: i64) -> i64 {
        self.next_close_us(after_us.saturating_sub(GRACE_US)).saturating_add(GRACE_US)
    }

    /// The session of a day, if there is one.
    #[must_use]
    pub fn session_on(self, day: NaiveDate) -> Option<Session> {
        let open_us = micros_of_date(day);
        Some(Session { open_us, close_us: open_us.saturating_add(DAY_US) })
    }

    /// Whether the market trades on a day.
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

#[cfg(test)]
mod tests {
    use super::*;
    use strum::IntoEnumIterator;

    #[test]
    fn names_and_codes_are_read_back() {
        for exchange in Exchange::iter() {
            assert_eq!(Exchange::parse(exchange.name()), Some(exchange));
            assert_eq!(Exchange::parse(exchange.code()), Some(exchange));
        }
        assert_eq!(Exchange::parse(" Nasdaq "), Some(Exchange::NewYork));
        assert_eq!(Exchange::parse("XSHE"), Some(Exchange::Shanghai));
        assert_eq!(Exchange::parse("the moon"), None);
    }
}
