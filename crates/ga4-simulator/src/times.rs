//! Dimensions of time: how they divide it, and Google's format of their values.

use jiff::civil::{Date, DateTime, Weekday};

use super::dates::Granularity;

/// A dimension of time in the property's zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TimePart {
    /// A pattern of `strftime`, and the unit into which it divides time.
    Written(&'static str, Granularity),
    /// Weeks of the year, from Sunday to Saturday; the first one contains January 1.
    Week,
    YearWeek,
    /// Counted from the start of the range.
    Nth(Unit),
    /// Whole minutes before now; only in realtime reports.
    MinutesAgo,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Returns the dimension of time with this name.
pub(super) fn part(name: &str) -> Option<TimePart> {
    PARTS.iter().find(|(other, _)| *other == name).map(|(_, part)| *part)
}

impl TimePart {
    pub(super) fn granularity(self) -> Granularity {
        match self {
            Self::Written(_, granularity) => granularity,
            Self::Week | Self::YearWeek => Granularity::Day,
            Self::Nth(Unit::Minute) | Self::MinutesAgo => Granularity::Minute,
            Self::Nth(Unit::Hour) => Granularity::Hour,
            Self::Nth(Unit::Day | Unit::Week | Unit::Month | Unit::Year) => Granularity::Day,
        }
    }

    /// Returns the value at a local time in a range that starts with the day `first`.
    pub(super) fn text(self, local: DateTime, first: Date, minutes_ago: i64) -> String {
        match self {
            Self::Written(pattern, _) => local.strftime(pattern).to_string(),
            Self::Week => format!("{:02}", week(local.date())),
            Self::YearWeek => format!("{:04}{:02}", local.year(), week(local.date())),
            Self::Nth(unit) => format!("{:04}", unit.since(first, local)),
            Self::MinutesAgo => format!("{minutes_ago:02}"),
        }
    }
}

impl Unit {
    fn since(self, first: Date, local: DateTime) -> i64 {
        let date = local.date();
        let days = days_between(first, date);
        let hours = days * 24 + i64::from(local.hour());
        let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
        match self {
            Self::Minute => hours * 60 + i64::from(local.minute()),
            Self::Hour => hours,
            Self::Day => days,
            Self::Week => (days + since_sunday(first)) / 7,
            Self::Month => months(date) - months(first),
            Self::Year => i64::from(date.year() - first.year()),
        }
    }
}

fn week(date: Date) -> i64 {
    (i64::from(date.day_of_year()) - 1 + since_sunday(date.first_of_year())) / 7 + 1
}

fn since_sunday(date: Date) -> i64 {
    i64::from(date.weekday().since(Weekday::Sunday))
}

fn days_between(first: Date, date: Date) -> i64 {
    first.until(date).map_or(0, |span| i64::from(span.get_days()))
}

#[rustfmt::skip] // a table
const PARTS: &[(&str, TimePart)] = &[
    ("date", TimePart::Written("%Y%m%d", Granularity::Day)),
    ("dateHour", TimePart::Written("%Y%m%d%H", Granularity::Hour)),
    ("dateHourMinute", TimePart::Written("%Y%m%d%H%M", Granularity::Minute)),
    ("day", TimePart::Written("%d", Granularity::Day)),
    ("dayOfWeek", TimePart::Written("%w", Granularity::Day)), // Sunday is 0
    ("dayOfWeekName", TimePart::Written("%A", Granularity::Day)),
    ("hour", TimePart::Written("%H", Granularity::Hour)),
    ("isoWeek", TimePart::Written("%V", Granularity::Day)),
    ("isoYear", TimePart::Written("%G", Granularity::Day)),
    ("isoYearIsoWeek", TimePart::Written("%G%V", Granularity::Day)),
    ("minute", TimePart::Written("%M", Granularity::Minute)),
    ("minutesAgo", TimePart::MinutesAgo),
    ("month", TimePart::Written("%m", Granularity::Day)),
    ("nthDay", TimePart::Nth(Unit::Day)),
    ("nthHour", TimePart::Nth(Unit::Hour)),
    ("nthMinute", TimePart::Nth(Unit::Minute)),
    ("nthMonth", TimePart::Nth(Unit::Month)),
    ("nthWeek", TimePart::Nth(Unit::Week)),
    ("nthYear", TimePart::Nth(Unit::Year)),
    ("week", TimePart::Week),
    ("year", TimePart::Written("%Y", Granularity::Day)),
    ("yearMonth", TimePart::Written("%Y%m", Granularity::Day)),
    ("yearWeek", TimePart::YearWeek),
];

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};

    use super::*;

    #[test]
    fn times_are_written_as_google_writes_them() {
        let local = datetime(2026, 1, 4, 5, 7, 42, 0); // a Sunday
        let first = date(2025, 12, 30);
        for (name, expected) in [
            ("date", "20260104"),
            ("dateHour", "2026010405"),
            ("dateHourMinute", "202601040507"),
            ("day", "04"),
            ("dayOfWeek", "0"),
            ("dayOfWeekName", "Sunday"),
            ("week", "02"),
            ("yearWeek", "202602"),
            ("isoWeek", "01"),
            ("isoYearIsoWeek", "202601"),
            ("yearMonth", "202601"),
            ("nthDay", "0005"),
            ("nthHour", "0125"),
            ("nthWeek", "0001"),
            ("nthMonth", "0001"),
            ("nthYear", "0001"),
            ("minutesAgo", "03"),
        ] {
            assert_eq!(part(name).unwrap().text(local, first, 3), expected, "{name}");
        }
    }
}
