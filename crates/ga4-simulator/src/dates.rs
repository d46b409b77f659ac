//! Parses dates of requests and converts them to spans of time in a property's zone.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A span of time with the local time of its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slice {
    /// Unix seconds, inclusive.
    pub(super) from: i64,
    /// Unix seconds, exclusive.
    pub(super) until: i64,
    pub(super) local: DateTime,
}

/// The unit into which a report divides time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Granularity {
    Day,
    Hour,
    Minute,
}

impl Granularity {
    /// Returns the seconds from `local` to the end of the unit that contains it.
    fn rest(self, local: DateTime) -> Option<i64> {
        let second = i64::from(local.second());
        match self {
            Self::Day => None,
            Self::Hour => Some(3600 - i64::from(local.minute()) * 60 - second),
            Self::Minute => Some(60 - second),
        }
    }
}

/// Parses `YYYY-MM-DD`, `NdaysAgo`, `yesterday` or `today`; returns `None` for other texts.
pub(super) fn parse(text: &str, today: Date) -> Option<Date> {
    if text == "today" {
        return Some(today);
    }
    if text == "yesterday" {
        return today.checked_sub(1.day()).ok();
    }
    if let Some(days) = text.strip_suffix("daysAgo") {
        let digits = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
        let days: i64 = days.parse().ok().filter(|_| digits)?;
        return today.checked_sub(days.min(100_000).days()).ok();
    }
    let shape = text.len() == 10 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    text.parse().ok().filter(|_| shape)
}

/// Returns the local date at this time.
pub(super) fn today(zone: &TimeZone, now: Timestamp) -> Date {
    zone.to_datetime(now).date()
}

/// Returns the first instant of a local day, which is not midnight if summer time starts at midnight.
pub(super) fn day_start(zone: &TimeZone, date: Date) -> i64 {
    date.to_zoned(zone.clone()).map_or(i64::MAX, |zoned| zoned.timestamp().as_second())
}

/// Splits the days `first..=last` into slices, up to `now` (Unix seconds).
pub(super) fn slices(zone: &TimeZone, (first, last): (Date, Date), granularity: Granularity, now: i64) -> Vec<Slice> {
    let mut slices = Vec::new();
    let mut date = first;
    while date <= last {
        let next = date.saturating_add(1.day());
        let start = day_start(zone, date);
        if start >= now {
            break;
        }
        let until = day_start(zone, next).min(now);
        cut(zone, (start, until), granularity, &mut slices);
        if next == date {
            break;
        }
        date = next;
    }
    slices
}

fn cut(zone: &TimeZone, (start, until): (i64, i64), step: Granularity, slices: &mut Vec<Slice>) {
    let mut from = start;
    while from < until {
        let Ok(instant) = Timestamp::from_second(from) else {
            return;
        };
        let local = zone.to_datetime(instant);
        let end = step.rest(local).map_or(until, |rest| until.min(from + rest));
        slices.push(Slice { from, until: end, local });
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn dates_have_four_forms_and_no_other() {
        let today = date(2026, 3, 1);
        for (text, expected) in [
            ("today", Some(date(2026, 3, 1))),
            ("yesterday", Some(date(2026, 2, 28))),
            ("0daysAgo", Some(date(2026, 3, 1))),
            ("28daysAgo", Some(date(2026, 2, 1))),
            ("2024-02-29", Some(date(2024, 2, 29))),
            ("2025-02-29", None),
            ("20240229", None),
            ("+1daysAgo", None),
            ("daysAgo", None),
            ("Today", None),
            ("tomorrow", None),
            ("2024-02-29T00", None),
            ("", None),
        ] {
            assert_eq!(parse(text, today), expected, "{text}");
        }
    }

    #[test]
    fn days_have_23_24_and_25_hours() {
        for (name, day, hours) in [
            ("Europe/Berlin", date(2026, 3, 29), 23),
            ("Europe/Berlin", date(2026, 10, 25), 25),
            ("Africa/Cairo", date(2026, 4, 24), 23),
            ("America/Havana", date(2026, 11, 1), 25),
            ("Asia/Kolkata", date(2026, 3, 29), 24),
        ] {
            let slices = slices(&zone(name), (day, day), Granularity::Hour, i64::MAX);
            assert_eq!(slices.len(), hours, "{name} {day}");
            let seconds: i64 = slices.iter().map(|slice| slice.until - slice.from).sum();
            assert_eq!(seconds, 3600 * i64::try_from(hours).unwrap(), "{name} {day}");
            assert!(slices.iter().all(|slice| slice.local.date() == day), "{name} {day}");
        }
    }

    #[test]
    fn hours_begin_on_the_hour_after_half_an_hour_of_summer_time_too() {
        let day = date(2026, 4, 5);
        let zone = zone("Australia/Lord_Howe");
        let slices = slices(&zone, (day, day), Granularity::Hour, i64::MAX);
        let odd: Vec<i8> = slices.iter().map(|slice| slice.local.minute()).filter(|minute| *minute != 0).collect();
        assert_eq!((slices.len(), odd), (25, vec![30]));
        let seconds: i64 = slices.iter().map(|slice| slice.until - slice.from).sum();
        assert_eq!(seconds, 49 * 1800);
    }

    #[test]
    fn nothing_is_counted_after_now() {
        let day = date(2026, 7, 1);
        let start = day_start(&zone("UTC"), day);
        let until = |slices: Vec<Slice>| slices.last().map(|slice| slice.until - start);
        let cut = |now| until(slices(&zone("UTC"), (day, day), Granularity::Minute, start + now));
        assert_eq!((cut(90), cut(0), cut(-5)), (Some(90), None, None));
    }
}
