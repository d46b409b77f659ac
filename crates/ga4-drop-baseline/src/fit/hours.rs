//! Hours of local time, and the pageviews of each.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration,
    civil::{Date, DateTime, date},
};

/// An hour of local time, counted from Monday 1970-01-05 00:00, without a time zone.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LocalHour(i64);

/// Pageviews by hour of local time. Absent hours are missing, not zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(BTreeMap<LocalHour, f64>);

impl LocalHour {
    /// Returns the hour that contains this local time.
    pub fn of(local: DateTime) -> Self {
        let since = local.duration_since(MONDAY);
        Self(since.as_secs().div_euclid(3600))
    }

    /// Returns the first hour of a date.
    pub fn midnight(date: Date) -> Self {
        Self::of(date.at(0, 0, 0, 0))
    }

    /// Returns the hour before which all data is final, as seen on a date: the first hour of the day before
    /// (support.google.com/analytics/answer/11198161).
    pub fn settled(today: Date) -> Self {
        Self::midnight(today).later(-24)
    }

    /// Returns the start of the hour.
    pub fn start(self) -> DateTime {
        MONDAY.saturating_add(SignedDuration::from_hours(self.0.clamp(-FARTHEST, FARTHEST)))
    }

    /// Returns the date of the hour.
    pub fn date(self) -> Date {
        self.start().date()
    }

    /// Returns the hour of the week, 0 to 167, starting on Monday.
    pub fn slot(self) -> usize {
        usize::try_from(self.0.rem_euclid(168)).unwrap_or_default()
    }

    /// Returns the hour of the day, 0 to 23.
    pub fn hour_of_day(self) -> usize {
        self.slot() % 24
    }

    /// Returns the hour that is this many hours later; a negative number gives an earlier one.
    #[must_use]
    pub fn later(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours))
    }

    /// Returns the number of hours from this one to another.
    pub fn until(self, other: Self) -> i64 {
        other.0.saturating_sub(self.0)
    }
}

impl History {
    /// Sets the pageviews of an hour and returns the previous value.
    pub fn insert(&mut self, hour: LocalHour, pageviews: f64) -> Option<f64> {
        self.0.insert(hour, pageviews)
    }

    /// Returns the pageviews of an hour; `None` if it is missing.
    pub fn get(&self, hour: LocalHour) -> Option<f64> {
        self.0.get(&hour).copied()
    }

    /// Returns whether the history has no hours.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the hours for which `keep` is false.
    pub fn retain(&mut self, keep: impl Fn(LocalHour) -> bool) {
        self.0.retain(|hour, _| keep(*hour));
    }

    /// Returns the first hour of the history.
    pub fn first(&self) -> Option<LocalHour> {
        self.0.keys().next().copied()
    }

    /// Returns the last hour of the history.
    pub fn last(&self) -> Option<LocalHour> {
        self.0.keys().next_back().copied()
    }

    /// Returns every hour with its pageviews, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (LocalHour, f64)> {
        self.0.iter().map(|(hour, pageviews)| (*hour, *pageviews))
    }

    /// Returns the part of the history before this hour.
    #[must_use]
    pub fn before(&self, end: LocalHour) -> Self {
        Self(self.0.range(..end).map(|(hour, pageviews)| (*hour, *pageviews)).collect())
    }
}

impl FromIterator<(LocalHour, f64)> for History {
    fn from_iter<I: IntoIterator<Item = (LocalHour, f64)>>(hours: I) -> Self {
        Self(hours.into_iter().collect())
    }
}

const MONDAY: DateTime = date(1970, 1, 5).at(0, 0, 0, 0);

/// Slightly fewer hours than to the ends of the calendar.
const FARTHEST: i64 = 70_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_a_place_in_the_week() {
        for (local, slot, hour_of_day) in [
            (date(1970, 1, 5).at(0, 0, 0, 0), 0, 0),
            (date(2026, 11, 24).at(13, 59, 59, 0), 24 + 13, 13),
            (date(1969, 12, 31).at(23, 0, 0, 0), 2 * 24 + 23, 23),
            (date(2026, 11, 29).at(23, 0, 0, 0), 167, 23),
        ] {
            let hour = LocalHour::of(local);
            assert_eq!((hour.slot(), hour.hour_of_day(), hour.date()), (slot, hour_of_day, local.date()));
            assert_eq!(LocalHour::of(hour.start()), hour);
        }
        let midnight = LocalHour::midnight(date(2026, 11, 24));
        assert_eq!(midnight.until(LocalHour::of(date(2026, 11, 25).at(1, 30, 0, 0))), 25);
        assert_eq!(midnight.later(-1).date(), date(2026, 11, 23));
        assert_eq!(LocalHour::settled(date(2026, 11, 25)), midnight);
    }
}
