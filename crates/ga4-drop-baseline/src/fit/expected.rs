//! The pageviews expected in each minute: maps the hours of a baseline to the property's own time.
//!
//! Within an hour traffic follows a `curve`. An hour that daylight saving repeats is expected twice, one that it skips
//! not at all. On quiet days each hour is that of the day
//! of the week with the least traffic then.

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::calendar::{QuietDays, Zone};
use crate::{Baseline, LocalHour, detect::minutes::Minute, fit::curve::Curve};

/// A baseline in a property's own time.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The usual traffic.
    pub baseline: &'a Baseline,
    /// The property's time zone.
    pub zone: &'a Zone,
    /// The days on which less traffic is expected.
    pub quiet_days: &'a QuietDays,
}

impl Expected<'_> {
    /// Returns the expected pageviews of `length` minutes, the last of which is `newest`, oldest first.
    pub fn minutes(&self, length: usize, newest: Minute) -> Vec<f64> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let mut hours = Hours::new(self);
        (0..length).rev().map(|ago| hours.minute(newest.later(-ago).start())).collect()
    }

    /// Returns the expected pageviews of a whole day of the property, which may have 23 or 25 hours.
    pub fn day(&self, date: Date) -> f64 {
        let Some((midnight, next)) = self.zone.bounds(date) else { return 0.0 };
        let mut sum = 0.0;
        let mut at = midnight;
        while at < next {
            let end = self.zone.hour_start(at).saturating_add(HOUR).map_or(next, |end| end.min(next));
            sum += self.baseline.rate(self.hour(at)) * end.duration_since(at).as_secs_f64() / HOUR.as_secs_f64();
            at = end;
        }
        sum
    }

    /// Returns whether this time lies in a quiet day.
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        self.quiet_days.is_quiet(self.zone.date(at))
    }

    /// Returns the hour of the week whose values apply at this time.
    pub fn hour(&self, at: Timestamp) -> LocalHour {
        let hour = LocalHour::of(self.zone.local_time(at));
        if self.quiet_days.is_quiet(hour.date()) { self.baseline.quietest(hour) } else { hour }
    }
}

/// The hour in which a time lies. Cached, since the next minute usually lies in the same hour.
struct Hours<'a, 'b> {
    expected: &'a Expected<'b>,
    start: Option<Timestamp>,
    curve: Curve,
}

impl<'a, 'b> Hours<'a, 'b> {
    fn new(expected: &'a Expected<'b>) -> Self {
        Self { expected, start: None, curve: Curve::default() }
    }

    /// Returns the expected pageviews of the minute that starts at this time.
    fn minute(&mut self, at: Timestamp) -> f64 {
        let passed = |start: Timestamp| at.duration_since(start);
        let start = match self.start {
            Some(start) if (SignedDuration::ZERO..HOUR).contains(&passed(start)) => start,
            _ => self.look_up(at),
        };
        let part = |time: SignedDuration| self.curve.until(time.as_secs_f64() / HOUR.as_secs_f64());
        (part(passed(start) + MINUTE) - part(passed(start))).max(0.0)
    }

    fn look_up(&mut self, at: Timestamp) -> Timestamp {
        let start = self.expected.zone.hour_start(at);
        let sum = |at| self.expected.baseline.rate(self.expected.hour(at));
        self.curve = Curve::new(sum(start - HOUR), sum(start), sum(start + HOUR));
        self.start = Some(start);
        start
    }
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::History;

    /// Three weeks. An hour has 60 pageviews times its hour of the day, plus 600 on all days but Sunday.
    fn baseline() -> Baseline {
        let settled = LocalHour::midnight(jiff::civil::date(2026, 3, 23));
        let count = |hour: LocalHour| {
            let of_day = f64::from(u32::try_from(hour.hour_of_day()).unwrap());
            60.0 * of_day + if hour.slot() / 24 == 6 { 0.0 } else { 600.0 }
        };
        let hours = (1..=504).map(|ago| settled.later(-ago));
        let history: History = hours.map(|hour| (hour, count(hour))).collect();
        Baseline::fit(&history, settled, 8).unwrap()
    }

    fn minute(text: &str) -> Minute {
        Minute::of(text.parse().unwrap())
    }

    /// Checks the pageviews expected in the hours that end with this minute.
    #[track_caller]
    fn check(zone: &str, last: &str, of: &Baseline, sums: &[f64]) {
        let zone = Zone::named(zone).unwrap();
        let quiet_days = QuietDays::default();
        let each =
            Expected { baseline: of, zone: &zone, quiet_days: &quiet_days }.minutes(60 * sums.len(), minute(last));
        for (hour, sum) in each.chunks(60).zip(sums) {
            let found: f64 = hour.iter().sum();
            assert!((found - sum).abs() < 1e-6, "{last}: {found} and not {sum}");
        }
    }

    #[test]
    fn the_minutes_of_an_hour_add_up_to_it() {
        let of = baseline();
        let rate = |hour: usize| of.rates[24 + hour];
        check("UTC", "2026-03-24T14:59:00Z", &of, &[rate(12), rate(13), rate(14)]);
        check("Asia/Kathmandu", "2026-03-24T09:14:00Z", &of, &[rate(12), rate(13), rate(14)]);
    }

    #[test]
    fn minutes_run_towards_the_hours_beside_them() {
        let of = baseline();
        let (zone, quiet_days) = (Zone::utc(), QuietDays::default());
        let each = Expected { baseline: &of, zone: &zone, quiet_days: &quiet_days }
            .minutes(60, minute("2026-03-24T12:59:00Z"));
        assert!(each.is_sorted(), "traffic rises all day: {each:?}");
        let edges =
            [f64::midpoint(of.rates[24 + 11], of.rates[24 + 12]), f64::midpoint(of.rates[24 + 12], of.rates[24 + 13])];
        assert!((60.0 * each[0] - edges[0]).abs() < 1.0 && (60.0 * each[59] - edges[1]).abs() < 1.0, "{each:?}");
    }

    #[test]
    fn an_hour_that_clocks_skip_is_not_expected_and_one_that_they_repeat_is_twice() {
        let of = baseline();
        let rate = |hour: usize| of.rates[6 * 24 + hour];
        check("Europe/Berlin", "2026-03-29T01:59:00Z", &of, &[rate(0), rate(1), rate(3)]);
        check("Europe/Berlin", "2026-10-25T01:59:00Z", &of, &[rate(1), rate(2), rate(2)]);
        let zone = Zone::named("Europe/Berlin").unwrap();
        let quiet_days = QuietDays::default();
        let day = |date| Expected { baseline: &of, zone: &zone, quiet_days: &quiet_days }.day(date);
        let sunday: f64 = of.rates[6 * 24..].iter().sum();
        let usual = day(jiff::civil::date(2026, 3, 22));
        assert!((usual - sunday).abs() < 1e-6, "{usual} and not {sunday}");
        assert!((day(jiff::civil::date(2026, 3, 29)) - (sunday - rate(2))).abs() < 1e-6);
        assert!((day(jiff::civil::date(2026, 10, 25)) - (sunday + rate(2))).abs() < 1e-6);
    }

    #[test]
    fn the_quietest_hour_of_the_week_is_found() {
        let of = baseline();
        let hour = LocalHour::of(jiff::civil::date(2026, 3, 25).at(15, 0, 0, 0));
        assert_eq!(of.quietest(hour).slot(), 6 * 24 + 15);
        assert!(of.rate(of.quietest(hour)) < of.rate(hour));
    }

    #[test]
    fn each_hour_of_a_quiet_day_has_the_least_traffic_of_the_week() {
        let settled = LocalHour::midnight(jiff::civil::date(2026, 3, 23));
        // People stay up on Saturday night, and Sunday is quiet otherwise.
        let count = |hour: LocalHour| match (hour.slot() / 24, hour.hour_of_day()) {
            (6, 0..3) => 300.0,
            (6, _) => 100.0,
            (_, 0..6) => 120.0,
            _ => 900.0,
        };
        let history: History = (1..=1344).map(|ago| settled.later(-ago)).map(|hour| (hour, count(hour))).collect();
        let of = Baseline::fit(&history, settled, 8).unwrap();
        let (zone, quiet_days) = (Zone::utc(), QuietDays::new(vec!["2026-03-25".parse().unwrap()]));
        let hour = |time: &str| {
            let expected = Expected { baseline: &of, zone: &zone, quiet_days: &quiet_days };
            expected.hour(time.parse().unwrap()).slot()
        };
        assert_ne!(hour("2026-03-25T01:30:00Z") / 24, 6, "a night without the late hours of Saturday");
        assert_eq!(hour("2026-03-25T12:00:00Z"), 6 * 24 + 12);
    }
}
