//! Forecasts the next hours as the drop alert would compare counts with them.

use std::time::Duration;

use jiff::{SignedDuration, civil::DateTime};

use crate::calendar::{QuietDays, Zone};
use crate::{Baseline, LocalHour, Window, detect::minutes::Minute, fit::expected::Expected, lower_bound};

/// The expectation of a window that ends at a certain time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// The end of the window, in the property's local time.
    pub time: DateTime,
    /// Expected pageviews.
    pub expected: f64,
    /// Lower bound, which allows for chance and for the usual differences between weeks.
    pub low: f64,
}

impl Forecast {
    /// Returns the expectation of a window that ends at this local time; `None` at the ends of the calendar. Ignores
    /// daylight saving.
    pub fn new(baseline: &Baseline, window: &Window, time: DateTime) -> Option<Self> {
        let (zone, quiet_days) = (Zone::utc(), QuietDays::default());
        let end = zone.instant(time)?;
        let minutes = Expected { baseline, zone: &zone, quiet_days: &quiet_days };
        let expected = minutes.minutes(window.minutes, Minute::of(end).later(-1)).iter().sum();
        let low = lower_bound(expected, baseline.dispersion, baseline.error(LocalHour::of(time)), window.test);
        Some(Self { time, expected, low })
    }

    /// Returns the next 24 hours from this local time on, including both ends.
    pub fn next_day(baseline: &Baseline, window: &Window, from: DateTime, step: Duration) -> Vec<Self> {
        let step = SignedDuration::try_from(step).unwrap_or(SignedDuration::MAX).max(SignedDuration::from_mins(1));
        let steps = DAY.as_secs() / step.as_secs();
        let after = |steps: i64| from.checked_add(SignedDuration::from_secs(steps * step.as_secs())).ok();
        (0..=steps).filter_map(after).filter_map(|time| Self::new(baseline, window, time)).collect()
    }

    /// Returns the smallest detectable drop as a fraction of the traffic, or `None` if even a total outage
    /// cannot be detected.
    pub fn smallest_drop(&self) -> Option<f64> {
        (self.low > 0.0).then(|| 1.0 - self.low / self.expected)
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{History, Window};

    /// Six weeks of a site with more traffic during the day.
    fn baseline() -> Baseline {
        let settled = LocalHour::midnight(date(2026, 1, 4));
        let count = |hour: LocalHour| if (8..20).contains(&hour.hour_of_day()) { 600.0 } else { 60.0 };
        let history: History = (1..=6 * 168).map(|ago| settled.later(-ago)).map(|hour| (hour, count(hour))).collect();
        Baseline::fit(&history, settled, 8).unwrap()
    }

    fn rows(window: &str, step: u64) -> Vec<Forecast> {
        let from = date(2026, 1, 5).at(6, 0, 0, 0);
        Forecast::next_day(&baseline(), Window::named(window).unwrap(), from, Duration::from_mins(step))
    }

    #[test]
    fn a_day_has_a_row_for_every_step_and_one_more() {
        let every_five = rows("30m", 5);
        assert_eq!(every_five.len(), 289);
        assert_eq!(every_five[0].time, date(2026, 1, 5).at(6, 0, 0, 0));
        assert_eq!(every_five[288].time, date(2026, 1, 6).at(6, 0, 0, 0));
        assert_eq!(rows("30m", 1000).len(), 2, "only whole steps");
    }

    #[test]
    fn the_smallest_drop_is_what_is_missing_at_the_bound() {
        let time = date(2026, 1, 5).at(6, 0, 0, 0);
        let drop = |expected, low| Forecast { time, expected, low }.smallest_drop();
        assert_eq!((drop(100.0, 40.0), drop(5.0, 0.0), drop(0.0, 0.0)), (Some(0.6), None, None));
    }

    #[test]
    fn every_window_expects_the_pageviews_of_its_length() {
        // Noon, when the rate does not change.
        for (window, hours) in [("10m", 1.0 / 6.0), ("30m", 0.5), ("2h", 2.0)] {
            let row = rows(window, 60)[7];
            assert_eq!(row.time.hour(), 13);
            assert!((row.expected / hours - 600.0).abs() < 20.0, "{window}: {row:?}");
            assert!(row.low > 0.0 && row.low < row.expected * 0.7, "{window}: {row:?}");
        }
    }
}
