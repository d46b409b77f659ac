//! What is expected of whole days: whether today is a quiet one, and what yesterday should have brought.

use std::time::Duration;

use jiff::Timestamp;

use crate::calendar::{QuietDays, Zone};
use crate::{Baseline, Test, fit::expected::Expected, lower_bound};

/// What concerns one day of a property.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayView {
    /// Whether today is one of the quiet days.
    pub is_quiet: bool,
    /// What the day before should have brought; absent without a baseline.
    pub yesterday: Option<YesterdayView>,
    /// When the day ends.
    pub until: Timestamp,
}

/// What yesterday should have brought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YesterdayView {
    /// Pageviews.
    pub expected: f64,
    /// What chance and the usual differences between weeks do not fall below.
    pub low: f64,
    /// From when on it can be compared with what Google says: before that, yesterday is not all there.
    pub from: Timestamp,
}

impl DayView {
    /// The day of this time; `None` at the ends of the calendar.
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

/// By then Google has processed a day of all but the largest properties
/// (support.google.com/analytics/answer/11198161).
const PROCESSED_AFTER: Duration = Duration::from_hours(12);

/// When the count of a day is too low.
const YESTERDAY: Test = Test { alpha: 1e-4, rho: 0.7 };
