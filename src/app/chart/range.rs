//! Which stretch of time the chart shows, by choice or by hand.

use crate::tr;
use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};

/// Which stretch of time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeChoice {
    /// The last month.
    OneMonth,
    /// The last three months.
    ThreeMonths,
    /// The last six months.
    SixMonths,
    /// Since the year began.
    YearToDate,
    /// The last year.
    #[default]
    OneYear,
    /// The last five years.
    FiveYears,
    /// Everything.
    All,
    /// What the user zoomed or panned to, as the times at both edges.
    Custom {
        /// Time at the left edge, in microseconds.
        from_us: i64,
        /// Time at the right edge, in microseconds.
        to_us: i64,
    },
}

impl RangeChoice {
    /// The choices there are buttons for.
    pub const BUTTONS: [Self; 7] =
        [Self::OneMonth, Self::ThreeMonths, Self::SixMonths, Self::YearToDate, Self::OneYear, Self::FiveYears, Self::All];

    /// What stands on the button.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OneMonth => tr!("1M"),
            Self::ThreeMonths => tr!("3M"),
            Self::SixMonths => tr!("6M"),
            Self::YearToDate => tr!("YTD"),
            Self::OneYear => tr!("1Y"),
            Self::FiveYears => tr!("5Y"),
            Self::All => tr!("All"),
            Self::Custom { .. } => tr!("Custom"),
        }
    }

    /// The same in words, for hover.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::OneMonth => "The last month",
            Self::ThreeMonths => "The last three months",
            Self::SixMonths => "The last six months",
            Self::YearToDate => "Since the year began",
            Self::OneYear => "The last year",
            Self::FiveYears => "The last five years",
            Self::All => "Everything there is",
            Self::Custom { .. } => "What you zoomed to",
        }
    }

    /// The first day shown when `last` is the day of the last bar; `None` for everything and for custom ranges.
    #[must_use]
    pub fn first_day(self, last: NaiveDate) -> Option<NaiveDate> {
        let back = |months: u32| last.checked_sub_months(Months::new(months)).and_then(|day| day.succ_opt());
        match self {
            Self::OneMonth => back(1),
            Self::ThreeMonths => back(3),
            Self::SixMonths => back(6),
            Self::YearToDate => NaiveDate::from_ymd_opt(last.year(), 1, 1),
            Self::OneYear => back(12),
            Self::FiveYears => back(60),
            Self::All | Self::Custom { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_back_from_the_last_bar() {
        let last = NaiveDate::from_ymd_opt(2024, 3, 31).expect("date");
        let text = |choice: RangeChoice| choice.first_day(last).map(|day| day.to_string());
        assert_eq!(text(RangeChoice::OneMonth).as_deref(), Some("2024-03-01"));
        assert_eq!(text(RangeChoice::YearToDate).as_deref(), Some("2024-01-01"));
        assert_eq!(text(RangeChoice::OneYear).as_deref(), Some("2023-04-01"));
        assert_eq!(text(RangeChoice::All), None);
    }
}
