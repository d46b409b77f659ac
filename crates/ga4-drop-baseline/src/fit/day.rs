//! Expectations for whole days: whether today is a quiet day, which ones come, and the pageviews expected yesterday.

use std::time::Duration;

use jiff::{Timestamp, civil::Date};

use crate::calendar::{QuietDays, Zone};
use crate::{Baseline, Test, fit::expected::Expected, lower_bound};

/// Facts about the current day of a property.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayView {
    /// Whether today is a quiet day.
    pub is_quiet: bool,
    /// The next quiet day within a week.
    pub next_quiet: Option<DayAhead>,
    /// The next day within a week that was quiet last year and is not this year, because the configured dates ran out.
    pub next_lapsed: Option<DayAhead>,
    /// The expectation of yesterday; absent without a baseline.
    pub yesterday: Option<YesterdayView>,
    /// The end of the day.
    pub until: Timestamp,
}

/// A day that comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayAhead {
    /// Its date.
    pub date: Date,
    /// Its first instant in the property's time zone.
    pub begins: Timestamp,
}

/// The expectation of yesterday.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YesterdayView {
    /// Expected pageviews.
    pub expected: f64,
    /// Lower bound, which allows for chance and for the usual differences between weeks.
    pub low: f64,
    /// The time from which the expectation can be compared with Google's figures; before that, yesterday is incomplete.
    pub from: Timestamp,
}

impl DayView {
    /// Returns the day of this time; `None` at the ends of the calendar.
    pub fn new(baseline: Option<&Baseline>, zone: &Zone, quiet_days: &QuietDays, now: Timestamp) -> Option<Self> {
        let today = zone.date(now);
        let (midnight, until) = zone.bounds(today)?;
        let from = midnight.saturating_add(PROCESSED_AFTER).unwrap_or(until);
        let date = today.yesterday().ok()?;
        let yesterday = baseline.map(|baseline| {
            let expected = Expected { baseline, zone, quiet_days }.day(date);
            let low = lower_bound(expected, baseline.dispersion, baseline.daily_error, YESTERDAY);
            YesterdayView { expected, low, from }
        });
        let ahead = |date: Date| Some(DayAhead { date, begins: zone.bounds(date)?.0 });
        let tomorrow = today.tomorrow().ok()?;
        Some(Self {
            is_quiet: quiet_days.is_quiet(today),
            next_quiet: quiet_days.among(tomorrow, DAYS_AHEAD).next().and_then(ahead),
            next_lapsed: quiet_days.lapsed(tomorrow, DAYS_AHEAD).next().and_then(ahead),
            yesterday,
            until,
        })
    }
}

/// A week is enough to write a day down.
const DAYS_AHEAD: i32 = 7;

/// Google has processed a day of all but the largest properties after this time
/// (support.google.com/analytics/answer/11198161).
const PROCESSED_AFTER: Duration = Duration::from_hours(12);

/// Decides when the count of a day is too low.
const YESTERDAY: Test = Test { alpha: 1e-4, rho: 0.7 };

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// The day of 2026-12-19 at 22:00 UTC, which is the 20th in Tokyo.
    fn view(entries: &[&str]) -> DayView {
        let quiet_days = QuietDays::new(entries.iter().map(|text| text.parse().unwrap()).collect());
        let zone = Zone::named("Asia/Tokyo").unwrap();
        DayView::new(None, &zone, &quiet_days, "2026-12-19T22:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_quiet_day_is_seen_a_week_ahead() {
        let day = DayAhead { date: date(2026, 12, 27), begins: "2026-12-26T15:00:00Z".parse().unwrap() };
        assert_eq!(view(&["2026-12-27..2026-12-30"]).next_quiet, Some(day));
        assert_eq!(view(&["2026-12-28"]).next_quiet, None);
        assert_eq!(view(&["2026-12-20"]).next_quiet, None, "that is today");
        assert!(view(&["2026-12-20"]).is_quiet);
    }

    #[test]
    fn so_is_one_of_last_year_that_nobody_configured_again() {
        let lapsed = |entries| view(entries).next_lapsed.map(|day| day.date);
        assert_eq!(lapsed(&["2025-12-25"]), Some(date(2026, 12, 25)));
        assert_eq!(lapsed(&["2025-12-25", "12-25"]), None);
        assert_eq!(view(&["2025-12-25"]).next_quiet, None);
    }
}
