//! Time zones and their days.
//!
//! Knows the start of a zone's days, also where daylight saving skips or repeats midnight, the earliest next midnight
//! of any zone, and the time at which Google refills the day buckets. Refuses to know everything else. Invariant:
//! [`Zone::date`] changes exactly at [`Zone::next_midnight`].

use jiff::{
    SignedDuration, Timestamp, Zoned,
    civil::{Date, DateTime},
    tz::{self, AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase},
};
use thiserror::Error as ThisError;

pub use quiet_days::QuietDays;

pub mod icalendar;
pub mod quiet_days;

/// A property's reporting time zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// The time-zone database does not contain the zone.
#[derive(Debug, ThisError)]
#[error("the time zone `{name}` is not known here; update the system's time-zone database or the exporter")]
pub struct UnknownZone {
    name: String,
    source: jiff::Error,
}

impl Zone {
    /// Returns the zone with this IANA name, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// Neither the system's database nor the embedded one contains it.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        Self::found(name, tz::db())
    }

    /// Looks the zone up in this database, then in the embedded one. Google uses CLDR's names, such as
    /// `Asia/Calcutta`, which many systems no longer have (Debian and Ubuntu have moved them to `tzdata-legacy`).
    fn found(name: &str, system: &TimeZoneDatabase) -> Result<Self, UnknownZone> {
        let rules = system.get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
        let rules = rules.map_err(|source| UnknownZone { name: name.to_owned(), source })?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// Returns UTC.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// Returns the zone's IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the local date at this time.
    pub fn date(&self, now: Timestamp) -> Date {
        self.local(now).date()
    }

    /// Returns the time of the next change of the local date: the first instant of tomorrow. If daylight saving skips
    /// midnight, that is 01:00; if it repeats midnight, the first of the two.
    pub fn next_midnight(&self, now: Timestamp) -> Timestamp {
        let tomorrow = self.date(now).tomorrow().and_then(|date| date.to_zoned(self.rules.clone()));
        tomorrow.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
    }

    /// Returns the local time at this time.
    pub fn local_time(&self, now: Timestamp) -> DateTime {
        self.local(now).datetime()
    }

    /// Returns the instant of this local time; `None` at the end of time. If the local time is repeated, returns the
    /// first instant; if it is skipped, the instant that is later by the length of the gap.
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.rules.to_timestamp(local).ok()
    }

    /// Returns the start of the current local hour, which is not on the hour of UTC in every zone.
    pub fn hour_start(&self, now: Timestamp) -> Timestamp {
        let local = self.local_time(now);
        let passed = SignedDuration::from_mins(i64::from(local.minute()))
            + SignedDuration::new(i64::from(local.second()), local.subsec_nanosecond());
        now.saturating_sub(passed).unwrap_or(now)
    }

    /// Returns whether daylight saving repeats or skips part of this hour, so that its count is not that of one hour.
    pub fn is_irregular(&self, hour: DateTime) -> bool {
        let half_past = hour.saturating_add(SignedDuration::from_mins(30));
        let is_regular =
            |time| matches!(self.rules.to_ambiguous_timestamp(time).offset(), AmbiguousOffset::Unambiguous { .. });
        !is_regular(hour) || !is_regular(half_past)
    }

    /// Returns the first instants of a date and of the next date; `None` at the end of time.
    pub fn bounds(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let start = |date: Date| Some(date.to_zoned(self.rules.clone()).ok()?.timestamp());
        Some((start(date)?, start(date.tomorrow().ok()?)?))
    }

    fn local(&self, now: Timestamp) -> Zoned {
        now.to_zoned(self.rules.clone())
    }
}

/// Returns the time at which Google refills the day buckets: the next midnight in Pacific time
/// (developers.google.com/analytics/devguides/reporting/data/v1/quotas).
pub fn next_pacific_midnight(now: Timestamp) -> Timestamp {
    // Every embedded database has this zone; otherwise winter time would be close.
    let winter = || Zone { name: PACIFIC.to_owned(), rules: TimeZone::fixed(Offset::constant(-8)) };
    Zone::named(PACIFIC).unwrap_or_else(|_| winter()).next_midnight(now)
}

/// Returns the next midnight of any zone. The local date of a property with an unknown zone does not change before it.
pub fn soonest_midnight(now: Timestamp) -> Timestamp {
    let next = |offset: i32| {
        let passed = (now.as_second() + i64::from(offset) * 60).rem_euclid(SECONDS_A_DAY);
        now.as_second() + SECONDS_A_DAY - passed
    };
    let whole_hours = (0..24).map(|hours| hours * 60);
    let soonest = whole_hours.chain(OFFSETS_WITH_MINUTES.iter().copied()).map(next).min();
    soonest.and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(Timestamp::MAX)
}

/// The offsets from UTC in current use that are not whole hours, in minutes, from the Marquesas to the Chatham
/// Islands, including those of summer time. A test fails if the database has another one.
const OFFSETS_WITH_MINUTES: &[i32] = &[-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];

const SECONDS_A_DAY: i64 = 86_400;

const PACIFIC: &str = "America/Los_Angeles";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// CLDR keeps its original names (common/bcp47/timezone.xml), even if IANA has renamed the zone since.
    const CLDR_NAMES: &[&str] = &[
        "Africa/Asmera",
        "America/Buenos_Aires",
        "America/Catamarca",
        "America/Coral_Harbour",
        "America/Cordoba",
        "America/Godthab",
        "America/Indianapolis",
        "America/Jujuy",
        "America/Louisville",
        "America/Mendoza",
        "Asia/Calcutta",
        "Asia/Katmandu",
        "Asia/Rangoon",
        "Asia/Saigon",
        "Atlantic/Faeroe",
        "Europe/Kiev",
        "Pacific/Enderbury",
        "Pacific/Ponape",
        "Pacific/Truk",
    ];

    /// A file of zone rules (RFC 8536, version 2) that is always nine hours behind UTC.
    fn nine_hours_before() -> Vec<u8> {
        let counts = [0, 0, 0, 1, 0, 0, 0, 4];
        let block = [b"TZif2".as_slice(), &[0; 31], &counts, &32_400_i32.to_be_bytes(), &[0; 2], b"JST\0"].concat();
        [block.as_slice(), &block, b"\nJST-9\n"].concat()
    }

    #[track_caller]
    fn check(zone: &str, now: &str, midnight: &str) {
        let zone = Zone::named(zone).unwrap();
        let now: Timestamp = now.parse().unwrap();
        let expected: Timestamp = midnight.parse().unwrap();
        assert_eq!(zone.next_midnight(now), expected);
        let moment = SignedDuration::from_nanos(1);
        assert_eq!(zone.date(expected - moment), zone.date(now), "the date holds until midnight");
        assert_eq!(zone.date(expected), zone.date(now).tomorrow().unwrap(), "the date changes at midnight");
    }

    #[test]
    fn days_have_23_24_or_25_hours() {
        check("Europe/Berlin", "2026-11-23T12:00:00Z", "2026-11-23T23:00:00Z");
        check("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        check("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        check("Asia/Kolkata", "2026-11-23T18:29:59Z", "2026-11-23T18:30:00Z");
        check("Australia/Lord_Howe", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z");
    }

    #[test]
    fn daylight_saving_that_begins_at_midnight_skips_it() {
        // 00:00 becomes 01:00.
        check("Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00Z");
        check("America/Havana", "2026-03-07T12:00:00Z", "2026-03-08T05:00:00Z");
    }

    #[test]
    fn daylight_saving_that_ends_at_midnight_repeats_an_hour() {
        // Cairo: 24:00 becomes 23:00 of the same day. Havana: 01:00 becomes 00:00 of the same day.
        check("Africa/Cairo", "2026-10-29T12:00:00Z", "2026-10-29T22:00:00Z");
        check("America/Havana", "2026-10-31T12:00:00Z", "2026-11-01T04:00:00Z");
        check("America/Havana", "2026-11-01T04:30:00Z", "2026-11-02T05:00:00Z");
    }

    #[test]
    fn the_date_line_can_be_crossed() {
        // Samoa skipped 30 December 2011: the day after the 29th was the 31st.
        let zone = Zone::named("Pacific/Apia").unwrap();
        let midnight = zone.next_midnight("2011-12-29T12:00:00Z".parse().unwrap());
        assert_eq!(midnight, "2011-12-30T10:00:00Z".parse().unwrap());
    }

    #[test]
    fn google_refills_at_midnight_pacific_in_summer_and_winter() {
        for (now, midnight) in [
            ("2026-01-10T12:00:00Z", "2026-01-11T08:00:00Z"),
            ("2026-07-10T12:00:00Z", "2026-07-11T07:00:00Z"),
            ("2026-03-08T09:00:00Z", "2026-03-09T07:00:00Z"),
            ("2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z"),
        ] {
            let now: Timestamp = now.parse().unwrap();
            assert_eq!(next_pacific_midnight(now), midnight.parse::<Timestamp>().unwrap());
        }
    }

    #[test]
    fn hours_begin_where_the_clocks_of_the_zone_say() {
        for (zone, now, start) in [
            ("Europe/Berlin", "2026-11-23T12:34:56.5Z", "2026-11-23T12:00:00Z"),
            ("Asia/Kathmandu", "2026-11-23T12:34:56Z", "2026-11-23T12:15:00Z"),
            ("Australia/Lord_Howe", "2026-10-03T15:20:00Z", "2026-10-03T14:30:00Z"),
        ] {
            let (zone, now): (_, Timestamp) = (Zone::named(zone).unwrap(), now.parse().unwrap());
            assert_eq!(zone.hour_start(now), start.parse::<Timestamp>().unwrap(), "{}", zone.name());
        }
    }

    #[test]
    fn names_that_the_system_lacks_are_those_of_the_database_built_in() {
        let system = tempfile::tempdir().unwrap();
        for (name, place) in [("Asia/Kolkata", "Asia"), ("Europe/Berlin", "Europe")] {
            fs::create_dir_all(system.path().join(place)).unwrap();
            fs::write(system.path().join(name), nine_hours_before()).unwrap();
        }
        fs::write(system.path().join("Europe/Kyiv"), "no rules").unwrap();
        let database = TimeZoneDatabase::from_dir(system.path()).unwrap();
        let hour = |name: &str, database: &TimeZoneDatabase| {
            Zone::found(name, database).unwrap().local_time("2026-01-15T12:00:00Z".parse().unwrap()).hour()
        };
        assert_eq!(hour("Europe/Berlin", &database), 21, "the system's database is the newer one, usually");
        // The database has the last zone, but its file cannot be read.
        for (name, expected) in [("Asia/Calcutta", 17), ("Europe/Kiev", 14), ("Asia/Saigon", 19), ("Europe/Kyiv", 14)] {
            assert_eq!(hour(name, &database), expected, "{name}");
        }
        assert_eq!(hour("Asia/Katmandu", &TimeZoneDatabase::none()), 17, "a system without any database");
        assert!(Zone::found("Mars/Olympus", &database).is_err());
    }

    #[test]
    fn the_names_that_google_uses_are_all_known() {
        for name in CLDR_NAMES {
            let zone = Zone::found(name, &TimeZoneDatabase::none()).unwrap();
            assert_eq!(zone.name(), *name);
        }
    }

    #[test]
    fn no_zone_has_a_midnight_before_the_soonest() {
        let database = TimeZoneDatabase::bundled();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut zones = 0;
        for name in database.available() {
            let zone = Zone { name: name.to_string(), rules: database.get(name.as_str()).unwrap() };
            // Steps of a week, an hour and seven minutes cover every hour of the day, in summer and in winter.
            for step in 0..400 {
                let now = start + SignedDuration::from_mins(step * (7 * 1440 + 67));
                let (any, soonest) = (zone.next_midnight(now), soonest_midnight(now));
                assert!(soonest <= any && soonest > now, "{name} at {now}: {any} is before {soonest}");
            }
            zones += 1;
        }
        assert!(zones > 400);
    }

    #[test]
    fn the_soonest_midnight_is_at_most_an_hour_away() {
        for (now, expected) in [
            ("2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"),
            ("2026-11-23T12:59:59.999Z", "2026-11-23T13:00:00Z"),
            ("2026-11-23T18:00:00Z", "2026-11-23T18:15:00Z"),
            ("2026-11-23T18:15:00Z", "2026-11-23T18:30:00Z"),
            ("2026-11-23T18:30:00Z", "2026-11-23T19:00:00Z"),
        ] {
            assert_eq!(soonest_midnight(now.parse().unwrap()), expected.parse::<Timestamp>().unwrap(), "{now}");
        }
    }

    #[test]
    fn an_unknown_zone_is_an_error() {
        let error = Zone::named("Mars/Olympus").unwrap_err();
        assert!(error.to_string().contains("`Mars/Olympus`"));
    }
}
