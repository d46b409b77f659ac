//! What is expected in each minute: the baseline's hours laid over a property's own time.
//!
//! Between the middles of two hours of local time the rate runs straight. An hour that daylight saving repeats is expected
//! twice, one that it skips not at all. On quiet days the hours are those of the quietest day of the week.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Baseline, LocalHour, minutes::Minute};
use crate::calendar::{QuietDays, Zone};

/// A baseline in a property's own time.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What is usual.
    pub baseline: &'a Baseline,
    /// Whose days these are.
    pub zone: &'a Zone,
    /// The days that are not usual.
    pub quiet_days: &'a QuietDays,
}

impl Expected<'_> {
    /// Pageviews of so many minutes up to and with this one, oldest first.
    pub fn minutes(&self, length: usize, newest: Minute) -> Vec<f64> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let mut hours = Hours::new(self);
        let middle = |ago: i64| newest.later(-ago).start() + HALF_MINUTE;
        (0..length).rev().map(|ago| hours.rate(middle(ago)) / MINUTES_AN_HOUR).collect()
    }

    /// Pageviews an hour at this time.
    pub fn rate(&self, at: Timestamp) -> f64 {
        Hours::new(self).rate(at)
    }

    /// Pageviews of a whole day of the property, which may have 23 or 25 hours.
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

    /// The hour of the week whose figures hold at this time.
    pub fn hour(&self, at: Timestamp) -> LocalHour {
        let hour = LocalHour::of(self.zone.local_time(at));
        if self.quiet_days.is_quiet(hour.date()) { self.baseline.quietest(hour) } else { hour }
    }
}

/// The two hours between whose middles a time lies; kept, since the next minute mostly lies between the same.
struct Hours<'a, 'b> {
    expected: &'a Expected<'b>,
    /// The middle of the earlier one.
    from: Option<Timestamp>,
    before: f64,
    after: f64,
}

impl<'a, 'b> Hours<'a, 'b> {
    fn new(expected: &'a Expected<'b>) -> Self {
        Self { expected, from: None, before: 0.0, after: 0.0 }
    }

    /// Pageviews an hour at a time.
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
