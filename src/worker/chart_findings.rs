//! Places on a chart that are worth a look: sessions without bars, and bars whose prices cannot be.
//!
//! Not the judgement of a symbol's quality: this is what the chart marks and what one jumps to. Contract: findings are in the
//! order of their rows; the days between two bars count as missing only where the market's calendar says that it traded; one pass
//! over the bars, on a worker.

use crate::market::{Bars, DAY_US, Exchange, date_of};

/// What there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartFindingKind {
    /// So many sessions have no bar, just before the row.
    Missing(u32),
    /// The high is below, or the low above, another price of the bar.
    BrokenRange,
    /// A price of zero or below.
    NonPositive,
}

/// One place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartFinding {
    /// The bar it is at.
    pub row: usize,
    /// What it is.
    pub kind: ChartFindingKind,
}

/// Longest hole that is counted day by day; a longer one is a listing that ended and began anew.
const LONGEST_HOLE_DAYS: i64 = 3_660;

/// Everything worth a look, in the order of rows.
#[must_use]
pub fn findings_of(bars: &Bars, exchange: Exchange) -> Vec<ChartFinding> {
    // Without a calendar nobody knows which days are sessions: weekends would be holes.
    let has_calendar = exchange != Exchange::Unknown;
    let mut found = Vec::new();
    let mut before: Option<i64> = None;
    for (row, time_us) in bars.time_us.iter().enumerate() {
        let day = time_us.div_euclid(DAY_US);
        if let Some(last) = before.filter(|last| has_calendar && day - last > 1) {
            let missing = missing_sessions(exchange, last + 1, day);
            if missing > 0 {
                found.push(ChartFinding { row, kind: ChartFindingKind::Missing(missing) });
            }
        }
        before = Some(day);
        let [open, high, low, close] =
            [&bars.open, &bars.high, &bars.low, &bars.close].map(|column| column.get(row).copied().unwrap_or(f64::NAN));
        if low <= 0.0 || open <= 0.0 || close <= 0.0 {
            found.push(ChartFinding { row, kind: ChartFindingKind::NonPositive });
        }
        if high < low || high < open.max(close) || low > open.min(close) {
            found.push(ChartFinding { row, kind: ChartFindingKind::BrokenRange });
        }
    }
    found
}

/// How many days from one to before another the market traded on.
fn missing_sessions(exchange: Exchange, from_day: i64, to_day: i64) -> u32 {
    let to_day = to_day.min(from_day + LONGEST_HOLE_DAYS);
    let sessions = (from_day..to_day).filter(|day| exchange.is_session(date_of(day.saturating_mul(DAY_US)))).count();
    u32::try_from(sessions).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{micros_of_date, parse_date};

    fn bars(days: &[&str]) -> Bars {
        let time_us: Vec<i64> = days.iter().map(|day| micros_of_date(parse_date(day).expect("a date"))).collect();
        let flat = |value: f64| vec![value; time_us.len()];
        Bars { open: flat(10.0), high: flat(11.0), low: flat(9.0), close: flat(10.0), volume: flat(1.0), time_us, ..Bars::default() }
    }

    #[test]
    fn only_sessions_are_missed_not_weekends_and_holidays() {
        // 2024-07-04 is a holiday in New York, 6 and 7 are a weekend, 9 and 10 were sessions.
        let bars = bars(&["2024-07-03", "2024-07-05", "2024-07-08", "2024-07-11"]);
        let expected = ChartFinding { row: 3, kind: ChartFindingKind::Missing(2) };
        assert_eq!(findings_of(&bars, Exchange::NewYork), [expected]);
        assert!(findings_of(&bars, Exchange::Unknown).is_empty());
    }

    #[test]
    fn impossible_prices_are_found_at_their_bars() {
        let mut bars = bars(&["2024-07-01", "2024-07-02", "2024-07-03"]);
        bars.high[1] = 9.5;
        bars.low[2] = -1.0;
        let kinds: Vec<(usize, ChartFindingKind)> =
            findings_of(&bars, Exchange::NewYork).iter().map(|finding| (finding.row, finding.kind)).collect();
        assert_eq!(kinds, [(1, ChartFindingKind::BrokenRange), (2, ChartFindingKind::NonPositive)]);
    }
}
