//! Expectations for whole days: whether today is a quiet day, and the pageviews expected yesterday.

use std::time::Duration;

use jiff::Timestamp;

use crate::calendar::{QuietDays, Zone};
use crate::{Baseline, Test, fit::expected::Expected, lower_bound};

/// Facts about the current day of a property.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayView {
    /// Whether today is a quiet day.
    pub is_quiet: bool,
    /// The expectation of yesterday; absent without a baseline.
    pub yesterday: Option<YesterdayView>,
    /// The end of the day.
    pub until: Timestamp,
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
        Some(Self { is_quiet: quiet_days.is_quiet(today), yesterday, until })
    }
}

/// Google has processed a day of all but the largest properties after this time
/// (support.google.com/analytics/answer/11198161).
const PROCESSED_AFTER: Duration = Duration::from_hours(12);

/// Decides when the count of a day is too low.
const YESTERDAY: Test = Test { alpha: 1e-4, rho: 0.7 };
