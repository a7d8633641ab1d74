//! The market's own vocabulary: symbols, bars, date ranges, time and markets' calendars. Knows no database, no file and no formula.
//!
//! Contract: bars that left [`Bars::normalise`] are sorted by time with one bar per time, and every price and volume in
//! them is finite. Times are microseconds since 1970-01-01 on the source's own wall clock (no zone is applied).

mod bars;
pub mod calendar;
mod date_range;
pub mod pyramid;
pub mod quality;
mod symbol;
mod time;

pub use bars::{Bars, Quality, RawBars, Resolution};
pub use calendar::{Exchange, GRACE_US, Session};
pub use date_range::{DateRange, DateRangeError};
pub use symbol::Symbol;
pub use time::{
    Clock, DAY_US, HOUR_US, ManualClock, SECOND_US, SystemClock, date_of, format_date, format_time, micros_of_date, parse_date,
};
