//! One exchange's calendar out of its data file: every session it knows, and a rule for the days it does not. No exchange is
//! named here, and nothing is known of a grace.
//!
//! A file has a line per fact: `zone`, `covers` (first and last day), `hours` (from a day on, local), `closed` (a year and its days)
//! and `special` (hours, then days). Weekdays not mentioned are sessions with regular hours, before and after the years covered too.

use super::Session;
use crate::market::time::{SECOND_US, date_of, micros_of_date};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};

/// More days than any market of the data was ever closed at a stretch: Shanghai was for twenty, in February 1999.
const LONGEST_CLOSURE_DAYS: u64 = 40;

/// How many days after the last known one are worked out with the others: ten years, so that an old program is not a slow one.
const DAYS_AHEAD: u64 = 3_653;

/// A session and its local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DatedSession {
    pub day: NaiveDate,
    pub session: Session,
}

/// A market's sessions.
#[derive(Debug)]
pub(super) struct Calendar {
    zone: Tz,
    first_day: NaiveDate,
    last_day: NaiveDate,
    /// Regular opening and close, by the day from which they hold; the first holds before, too.
    hours: Vec<(NaiveDate, Hours)>,
    /// Up to this day, sessions are worked out.
    worked_out_to: NaiveDate,
    /// Every session from `first_day` to `worked_out_to`, by day. Worked out once (2 ms), so that a question is a binary search:
    /// the expiries of ten thousand entries take 1 ms, where going through the time zone for each took 9 ms.
    sessions: Vec<DatedSession>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hours {
    open: NaiveTime,
    close: NaiveTime,
}

/// Why a calendar's text cannot be used; the texts are part of the program, and a test reads them all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of a calendar: {reason}")]
pub(super) struct CalendarError {
    line: usize,
    reason: &'static str,
}

/// The lines of a file, read but not yet worked out.
#[derive(Debug, Default)]
struct Facts {
    zone: Option<Tz>,
    covers: Option<(NaiveDate, NaiveDate)>,
    hours: Vec<(NaiveDate, Hours)>,
    closed: HashSet<NaiveDate>,
    special: HashMap<NaiveDate, Hours>,
}

impl Facts {
    fn read_line(&mut self, line: &str) -> Result<(), &'static str> {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            None | Some("#") => return Ok(()),
            Some("zone") => self.zone = Some(words.next().and_then(|name| name.parse().ok()).ok_or("no known time zone")?),
            Some("covers") => self.covers = Some((day_of(words.next(), "%Y-%m-%d")?, day_of(words.next(), "%Y-%m-%d")?)),
            Some("hours") => self.hours.push((day_of(words.next(), "%Y-%m-%d")?, hours_of(&mut words)?)),
            Some("closed") => {
                let year = words.next().ok_or("no year")?;
                for word in words.by_ref() {
                    self.closed.insert(day_of(Some(&format!("{year}{word}")), "%Y%m%d")?);
                }
            }
            Some("special") => {
                let hours = hours_of(&mut words)?;
                for word in words.by_ref() {
                    self.special.insert(day_of(Some(word), "%Y%m%d")?, hours);
                }
            }
            Some(_) => return Err("an unknown word"),
        }
        if words.next().is_some() { Err("more than belongs there") } else { Ok(()) }
    }
}

fn day_of(word: Option<&str>, format: &str) -> Result<NaiveDate, &'static str> {
    word.and_then(|word| NaiveDate::parse_from_str(word, format).ok()).ok_or("no day")
}

fn hours_of<'line>(words: &mut impl Iterator<Item = &'line str>) -> Result<Hours, &'static str> {
    let mut time = || words.next().and_then(|word| NaiveTime::parse_from_str(word, "%H:%M").ok()).ok_or("no time of day");
    let hours = Hours { open: time()?, close: time()? };
    if hours.open < hours.close { Ok(hours) } else { Err("a close before its opening") }
}

impl Calendar {
    /// Reads a calendar's text.
    pub(super) fn read(text: &str) -> Result<Self, CalendarError> {
        let mut facts = Facts::default();
        for (number, line) in text.lines().enumerate() {
            facts.read_line(line).map_err(|reason| CalendarError { line: number + 1, reason })?;
        }
        let at_end = |reason| CalendarError { line: text.lines().count(), reason };
        let (first_day, last_day) = facts.covers.filter(|(first, last)| first <= last).ok_or_else(|| at_end("no years"))?;
        if facts.hours.is_empty() || !facts.hours.is_sorted_by_key(|(from, _)| *from) {
            return Err(at_end("no regular hours in order"));
        }
        let zone = facts.zone.ok_or_else(|| at_end("no time zone"))?;
        let worked_out_to = last_day.checked_add_days(Days::new(DAYS_AHEAD)).unwrap_or(last_day);
        let mut calendar = Self { zone, first_day, last_day, worked_out_to, hours: facts.hours, sessions: Vec::new() };
        calendar.sessions = first_day
            .iter_days()
            .take_while(|day| *day <= worked_out_to)
            .filter(|day| is_weekday(*day) && !facts.closed.contains(day))
            .filter_map(|day| calendar.session_with(day, facts.special.get(&day).copied().or_else(|| calendar.regular_hours(day))?))
            .collect();
        Ok(calendar)
    }

    /// What stands in for a calendar that cannot be read, which no test lets happen: weekdays in UTC.
    pub(super) fn weekdays_in_utc() -> Self {
        let hours = Hours { open: NaiveTime::MIN, close: NaiveTime::from_hms_opt(23, 59, 0).unwrap_or(NaiveTime::MIN) };
        let day = NaiveDate::default();
        Self { zone: Tz::UTC, first_day: day, last_day: day, worked_out_to: day, hours: vec![(day, hours)], sessions: Vec::new() }
    }

    /// The first day whose holidays are known.
    pub(super) fn first_day(&self) -> NaiveDate {
        self.first_day
    }

    /// The last day whose holidays are known.
    pub(super) fn last_day(&self) -> NaiveDate {
        self.last_day
    }

    /// The local day of a time.
    pub(super) fn local_day(&self, time_us: i64) -> NaiveDate {
        DateTime::from_timestamp_micros(time_us).map_or_else(|| date_of(time_us), |time| time.with_timezone(&self.zone).date_naive())
    }

    /// When a local day begins.
    pub(super) fn midnight_us(&self, day: NaiveDate) -> i64 {
        self.instant_us(day, NaiveTime::MIN)
    }

    /// The session of a local day.
    pub(super) fn session_on(&self, day: NaiveDate) -> Option<Session> {
        if (self.first_day..=self.worked_out_to).contains(&day) {
            let place = self.sessions.binary_search_by_key(&day, |dated| dated.day).ok()?;
            return self.sessions.get(place).map(|dated| dated.session);
        }
        let usual = is_weekday(day).then(|| self.regular_hours(day)).flatten()?;
        self.session_with(day, usual).map(|dated| dated.session)
    }

    /// The first session that closes after `after_us`.
    pub(super) fn first_closing_after(&self, after_us: i64) -> Option<DatedSession> {
        let place = self.sessions.partition_point(|dated| dated.session.close_us <= after_us);
        if let Some(found) = self.sessions.get(place)
            && place > 0
        {
            return Some(*found);
        }
        // Before or after the years worked out, or across their edges.
        let from = self.local_day(after_us).checked_sub_days(Days::new(1))?;
        self.walk(from.iter_days()).find(|dated| dated.session.close_us > after_us)
    }

    /// The last session that closed at or before `at_us`.
    pub(super) fn last_closed_at(&self, at_us: i64) -> Option<DatedSession> {
        let place = self.sessions.partition_point(|dated| dated.session.close_us <= at_us);
        if place < self.sessions.len()
            && let Some(found) = place.checked_sub(1).and_then(|before| self.sessions.get(before))
        {
            return Some(*found);
        }
        let from = self.local_day(at_us).checked_add_days(Days::new(1))?;
        self.walk(from.iter_days().rev()).find(|dated| dated.session.close_us <= at_us)
    }

    fn walk(&self, days: impl Iterator<Item = NaiveDate>) -> impl Iterator<Item = DatedSession> {
        days.take(usize::try_from(LONGEST_CLOSURE_DAYS).unwrap_or(usize::MAX))
            .filter_map(|day| self.session_on(day).map(|session| DatedSession { day, session }))
    }

    fn regular_hours(&self, day: NaiveDate) -> Option<Hours> {
        let place = self.hours.partition_point(|(from, _)| *from <= day);
        self.hours.get(place.saturating_sub(1)).map(|(_, hours)| *hours)
    }

    fn session_with(&self, day: NaiveDate, hours: Hours) -> Option<DatedSession> {
        let session = Session { open_us: self.instant_us(day, hours.open), close_us: self.instant_us(day, hours.close) };
        (session.open_us < session.close_us).then_some(DatedSession { day, session })
    }

    /// A local time of day as an instant. Where clocks are set forward over it, the hour they skip is taken as before the change;
    /// where they are set back, the first of the two.
    pub(super) fn instant_us(&self, day: NaiveDate, time: NaiveTime) -> i64 {
        let local = day.and_time(time);
        let at = |local: chrono::NaiveDateTime| self.zone.from_local_datetime(&local).earliest().map(|found| found.timestamp_micros());
        let hour = chrono::TimeDelta::hours(1);
        at(local)
            .or_else(|| local.checked_add_signed(hour).and_then(at))
            .unwrap_or_else(|| micros_of_date(day).saturating_add(i64::from(seconds_of(time)) * SECOND_US))
    }
}

fn seconds_of(time: NaiveTime) -> u32 {
    chrono::Timelike::num_seconds_from_midnight(&time)
}

fn is_weekday(day: NaiveDate) -> bool {
    day.weekday().number_from_monday() <= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment\nzone Europe/London\ncovers 2024-01-01 2024-12-31\nhours 2024-01-01 08:00 16:30\n\
                        closed 2024 0101\nspecial 08:00 12:30 20241224\n";

    #[test]
    fn a_calendar_is_read_line_by_line() {
        let calendar = Calendar::read(TEXT).expect("a calendar");
        let in_2024 = calendar.sessions.iter().filter(|dated| dated.day.year() == 2024).count();
        assert_eq!(in_2024, 261, "262 weekdays, one of them closed");
        let day = |text: &str| text.parse::<NaiveDate>().expect("day");
        assert_eq!(calendar.session_on(day("2024-01-01")), None);
        let hours = |text: &str| calendar.session_on(day(text)).map(|session| (session.close_us - session.open_us) / (60 * SECOND_US));
        assert_eq!((hours("2024-12-23"), hours("2024-12-24")), (Some(510), Some(270)));
    }

    #[test]
    fn a_damaged_calendar_is_refused_by_line() {
        for (line, damaged) in [
            (2, TEXT.replace("Europe/London", "Europe/Atlantis")),
            (3, TEXT.replace("2024-12-31", "2024-13-31")),
            (4, TEXT.replace("16:30", "07:00")),
            (5, TEXT.replace("0101", "0230")),
            (6, TEXT.replace("special", "spezial")),
            (6, TEXT.replace("covers", "#")),
            (3, TEXT.replace("2024-12-31", "2024-12-31 2025-12-31")),
        ] {
            assert_eq!(Calendar::read(&damaged).map_err(|error| error.line).expect_err("damaged"), line, "{damaged}");
        }
    }
}
