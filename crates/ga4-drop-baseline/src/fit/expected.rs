//! The pageviews expected in each minute: maps the hours of a baseline to the property's own time.
//!
//! The rate is interpolated linearly between the middles of two local hours. An hour that daylight saving repeats is
//! expected twice, one that it skips not at all. On quiet days the hours of the quietest day of the week are used.

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::calendar::{QuietDays, Zone};
use crate::{Baseline, LocalHour, detect::minutes::Minute};

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
        let middle = |ago: i64| newest.later(-ago).start() + HALF_MINUTE;
        (0..length).rev().map(|ago| hours.rate(middle(ago)) / MINUTES_AN_HOUR).collect()
    }

    /// Returns the expected pageviews per hour at this time.
    pub fn rate(&self, at: Timestamp) -> f64 {
        Hours::new(self).rate(at)
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

    /// Returns the hour of the week whose values apply at this time.
    pub fn hour(&self, at: Timestamp) -> LocalHour {
        let hour = LocalHour::of(self.zone.local_time(at));
        if self.quiet_days.is_quiet(hour.date()) { self.baseline.quietest(hour) } else { hour }
    }
}

/// The two hours between whose middles a time lies. Cached, since the next minute usually lies between the same hours.
struct Hours<'a, 'b> {
    expected: &'a Expected<'b>,
    /// The middle of the earlier hour.
    from: Option<Timestamp>,
    before: f64,
    after: f64,
}

impl<'a, 'b> Hours<'a, 'b> {
    fn new(expected: &'a Expected<'b>) -> Self {
        Self { expected, from: None, before: 0.0, after: 0.0 }
    }

    /// Returns the expected pageviews per hour at a time.
    fn rate(&mut self, at: Timestamp) -> f64 {
        let passed = |from: Timestamp| at.duration_since(from);
        let from = match self.from {
            Some(from) if (SignedDuration::ZERO..HOUR).contains(&passed(from)) => from,
            _ => self.look_up(at),
        };
        let share = passed(from).as_secs_f64() / HOUR.as_secs_f64();
        self.before + (self.after - self.before) * share
    }

    fn look_up(&mut self, at: Timestamp) -> Timestamp {
        let half_past = self.expected.zone.hour_start(at) + HALF_HOUR;
        let from = if half_past <= at { half_past } else { half_past - HOUR };
        let rate = |at| self.expected.baseline.rate(self.expected.hour(at));
        (self.before, self.after) = (rate(from), rate(from + HOUR));
        self.from = Some(from);
        from
    }
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

const HALF_HOUR: SignedDuration = SignedDuration::from_mins(30);

const HALF_MINUTE: SignedDuration = SignedDuration::from_secs(30);

const MINUTES_AN_HOUR: f64 = 60.0;

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

    #[track_caller]
    fn check(zone: &str, at: &str, of: &Baseline, expected: f64) {
        let zone = Zone::named(zone).unwrap();
        let quiet_days = QuietDays::default();
        let each = Expected { baseline: of, zone: &zone, quiet_days: &quiet_days }.minutes(3, minute(at));
        assert!((each[2] - expected).abs() < 1e-6, "{at}: {} and not {expected}", each[2]);
    }

    #[test]
    fn the_rate_runs_straight_between_the_middles_of_hours() {
        let of = baseline();
        let rate = |hour: usize| of.rates[24 + hour];
        let between =
            |before: usize, minutes: f64| (rate(before) + (rate(before + 1) - rate(before)) * minutes / 60.0) / 60.0;
        check("UTC", "2026-03-24T12:30:00Z", &of, between(12, 0.5));
        check("UTC", "2026-03-24T12:29:00Z", &of, between(11, 59.5));
        check("UTC", "2026-03-24T13:00:00Z", &of, between(12, 30.5));
        check("Asia/Kathmandu", "2026-03-24T06:45:00Z", &of, between(12, 0.5));
    }

    #[test]
    fn an_hour_that_clocks_skip_is_not_expected_and_one_that_they_repeat_is_twice() {
        let of = baseline();
        let rate = |hour: usize| of.rates[6 * 24 + hour];
        // 01:30 and 03:30 are the middles of adjacent hours on 29 March 2026 in Berlin.
        check(
            "Europe/Berlin",
            "2026-03-29T01:00:00Z",
            &of,
            f64::midpoint(rate(1), rate(3)) / 60.0 + (rate(3) - rate(1)) / 7200.0,
        );
        check("Europe/Berlin", "2026-10-25T00:59:00Z", &of, rate(2) / 60.0);
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
    fn the_quietest_day_of_the_week_is_found() {
        let of = baseline();
        let hour = LocalHour::of(jiff::civil::date(2026, 3, 25).at(15, 0, 0, 0));
        assert_eq!(of.quietest(hour).slot(), 6 * 24 + 15);
        assert!(of.rate(of.quietest(hour)) < of.rate(hour));
    }
}
