//! The time zone of this machine, without a look at the disk for every time that is told.
//!
//! `chrono::Local` asks the file system once a second whether the machine has moved, on whatever thread tells a time. [`Here`] knows the
//! rules of the zone from the program's own tables; [`look_around`] finds out anew where the machine is, on a thread that may wait.

use chrono::{FixedOffset, Local, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use std::sync::{PoisonError, RwLock};

/// Where the zones of most systems lie.
const ZONES: &str = "/usr/share/zoneinfo/";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Named(Tz),
    /// A zone without a name: the system knows its rules, and looks at the disk for them.
    System,
}

static ZONE: RwLock<Option<Zone>> = RwLock::new(None);

/// The time zone of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Here;

/// Finds out where the machine is. Reads files.
pub fn look_around() {
    let found = find();
    *ZONE.write().unwrap_or_else(PoisonError::into_inner) = Some(found);
}

/// The zone of a name, as the environment or the system have it.
fn named(name: &str) -> Option<Tz> {
    name.trim_start_matches(':').trim_start_matches(ZONES).parse().ok()
}

fn find() -> Zone {
    let told = std::env::var("TZ").ok().filter(|name| !name.is_empty());
    let zone = match &told {
        Some(name) => named(name),
        None => iana_time_zone::get_timezone().ok().and_then(|name| named(&name)),
    };
    zone.map_or(Zone::System, Zone::Named)
}

/// The zone; looked for by whoever asks first.
fn zone() -> Zone {
    let known = *ZONE.read().unwrap_or_else(PoisonError::into_inner);
    known.unwrap_or_else(|| {
        let found = find();
        *ZONE.write().unwrap_or_else(PoisonError::into_inner) = Some(found);
        found
    })
}

impl TimeZone for Here {
    type Offset = FixedOffset;

    fn from_offset(_offset: &FixedOffset) -> Self {
        Self
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<FixedOffset> {
        match zone() {
            Zone::Named(zone) => zone.offset_from_local_date(local).map(|offset| offset.fix()),
            Zone::System => Local.offset_from_local_date(local),
        }
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<FixedOffset> {
        match zone() {
            Zone::Named(zone) => zone.offset_from_local_datetime(local).map(|offset| offset.fix()),
            Zone::System => Local.offset_from_local_datetime(local),
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> FixedOffset {
        match zone() {
            Zone::Named(zone) => zone.offset_from_utc_date(utc).fix(),
            Zone::System => Local.offset_from_utc_date(utc),
        }
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> FixedOffset {
        match zone() {
            Zone::Named(zone) => zone.offset_from_utc_datetime(utc).fix(),
            Zone::System => Local.offset_from_utc_datetime(utc),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_and_by_its_file() {
        for name in ["Asia/Shanghai", ":America/New_York", "/usr/share/zoneinfo/Europe/Berlin", ":/usr/share/zoneinfo/UTC"] {
            assert!(named(name).is_some(), "{name}");
        }
        assert_eq!(named("half past nine"), None);
    }

    #[test]
    fn it_is_as_late_here_as_the_system_says() {
        look_around();
        // Summer and winter of the last years, at several hours: clocks are changed at night.
        for day in (16_500..20_600).step_by(37) {
            for hour in [0, 5, 12, 23] {
                let utc = chrono::DateTime::from_timestamp(i64::from(day) * 86_400 + hour * 3_600, 0).expect("a time").naive_utc();
                let ours = Here.offset_from_utc_datetime(&utc);
                assert_eq!(ours, *Local.from_utc_datetime(&utc).offset(), "at {utc}");
                assert_eq!(Here.from_utc_datetime(&utc).naive_utc(), utc);
                let told = Here.from_utc_datetime(&utc).naive_local();
                assert!(Here.from_local_datetime(&told).earliest().is_some(), "at {utc}");
            }
        }
    }
}
