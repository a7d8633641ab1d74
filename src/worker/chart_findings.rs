//! Where on a chart the findings of [`crate::market::quality`] stand, so that the chart marks, and one jumps to, what the inspector
//! and the list count.
//!
//! Contract: in the order of rows; what is missing stands at the bar behind it; one look at the bars, on a worker.

use crate::market::Bars;
use crate::market::quality::{Finding, MarketDays, examine};

/// One place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartFinding {
    /// The bar it is at.
    pub row: usize,
    /// What it is.
    pub finding: Finding,
}

/// Everything worth a look, in the order of rows.
#[must_use]
pub fn findings_of(bars: &Bars, days: &MarketDays) -> Vec<ChartFinding> {
    let at = |finding: Finding| ChartFinding { row: bars.time_us.partition_point(|time_us| *time_us < finding.from_us), finding };
    let mut found: Vec<ChartFinding> = examine(bars, days).into_iter().map(at).collect();
    // A hole within a day of minutes stands behind bars that are found later.
    found.sort_by_key(|one| one.row);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::quality::FindingKind;
    use crate::market::{Exchange, micros_of_date, parse_date};

    fn bars(days: &[&str]) -> Bars {
        let time_us: Vec<i64> = days.iter().map(|day| micros_of_date(parse_date(day).expect("a date"))).collect();
        let flat = |value: f64| vec![value; time_us.len()];
        Bars { open: flat(10.0), high: flat(11.0), low: flat(9.0), close: flat(10.0), volume: flat(1.0), time_us, ..Bars::default() }
    }

    fn found(bars: &Bars, days: &MarketDays) -> Vec<(usize, FindingKind, usize)> {
        findings_of(bars, days).iter().map(|one| (one.row, one.finding.kind, one.finding.count)).collect()
    }

    #[test]
    fn missing_sessions_stand_at_the_bar_behind_them() {
        // 2024-07-04 is a holiday in New York, 6 and 7 are a weekend, 9 and 10 were sessions.
        let bars = bars(&["2024-07-03", "2024-07-05", "2024-07-08", "2024-07-11"]);
        assert_eq!(found(&bars, &MarketDays::new(Exchange::NewYork, [])), [(3, FindingKind::Gap, 2)]);
        assert_eq!(found(&bars, &MarketDays::new(Exchange::Unknown, [])), []);
    }

    #[test]
    fn impossible_prices_stand_at_their_bars() {
        let mut bars = bars(&["2024-07-01", "2024-07-02", "2024-07-03"]);
        bars.high[1] = 9.5;
        bars.low[2] = -1.0;
        let days = MarketDays::new(Exchange::NewYork, []);
        assert_eq!(found(&bars, &days), [(1, FindingKind::BrokenRange, 1), (2, FindingKind::NonPositive, 1)]);
    }
}
