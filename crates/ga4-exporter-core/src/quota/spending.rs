//! The tokens that this exporter has spent for one property and category.
//!
//! The hour is counted in steps of five minutes, and one step longer than it is: Google refills "within an hour, not
//! necessarily on the hour boundary", so tokens count as long as they may.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use ga4_drop_baseline::calendar::next_pacific_midnight;

/// Tokens spent since Pacific midnight, and within the last hour.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Spending {
    /// The midnight until which `day` counts, in Unix time.
    day_ends: i64,
    day: u64,
    /// The last step of `steps`, counted from 1970.
    newest: i64,
    /// Oldest first.
    steps: [u32; STEPS],
}

impl Spending {
    /// Adds spent tokens.
    pub fn spend(&mut self, tokens: u32, now: Timestamp) {
        self.pass(now);
        self.day = self.day.saturating_add(tokens.into());
        if let Some(last) = self.steps.last_mut() {
            *last = last.saturating_add(tokens);
        }
    }

    /// Tokens that count for the day's bucket.
    pub fn of_day(&self, now: Timestamp) -> u64 {
        if self.day_ends > now.as_second() { self.day } else { 0 }
    }

    /// Tokens that count for the hour's buckets.
    pub fn of_hour(&self, now: Timestamp) -> u64 {
        let gone = usize::try_from(step(now).saturating_sub(self.newest).max(0)).unwrap_or(STEPS);
        self.steps.iter().skip(gone).map(|tokens| u64::from(*tokens)).sum()
    }

    /// When the oldest tokens stop counting for the hour, if there are any.
    pub fn hour_eases_at(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_second((step(now) + 1) * STEP_SECONDS).unwrap_or(Timestamp::MAX)
    }

    /// Drops tokens that no longer count. Tokens spent by a clock that was ahead count as spent now.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.newest = self.newest.min(step(now));
        self.pass_midnight(now);
        let further = step(now).saturating_sub(self.newest);
        if further > 0 {
            let gone = usize::try_from(further).unwrap_or(STEPS).min(STEPS);
            self.steps.rotate_left(gone);
            self.steps.iter_mut().rev().take(gone).for_each(|tokens| *tokens = 0);
            self.newest = step(now);
        }
    }

    fn pass_midnight(&mut self, now: Timestamp) {
        // A midnight that is nearer than the shortest day is long is the next one, which takes a time zone to look up.
        if (1..=SHORTEST_DAY_SECONDS).contains(&self.day_ends.saturating_sub(now.as_second())) {
            return;
        }
        let next = next_pacific_midnight(now).as_second();
        if self.day_ends <= now.as_second() {
            self.day = 0;
        }
        self.day_ends = next;
    }
}

fn step(at: Timestamp) -> i64 {
    at.as_second().div_euclid(STEP_SECONDS)
}

/// Length of the day on which daylight saving time begins, in seconds.
const SHORTEST_DAY_SECONDS: i64 = 23 * 3600;

const STEP_SECONDS: i64 = 300;

/// The steps of an hour, plus the one that the hour begins in.
const STEPS: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_forgets_step_by_step() {
        let mut spending = Spending::default();
        spending.spend(10, at("2026-11-24T12:01:00Z"));
        spending.spend(5, at("2026-11-24T12:34:00Z"));
        for (now, expected) in [
            ("2026-11-24T12:34:00Z", 15),
            ("2026-11-24T13:01:00Z", 15),
            ("2026-11-24T13:05:00Z", 5),
            ("2026-11-24T13:34:59Z", 5),
            ("2026-11-24T13:40:00Z", 0),
            ("2026-11-25T13:40:00Z", 0),
        ] {
            assert_eq!(spending.of_hour(at(now)), expected, "{now}");
        }
        spending.spend(1, at("2026-11-24T13:10:00Z"));
        assert_eq!(spending.of_hour(at("2026-11-24T13:10:00Z")), 6);
        assert_eq!(spending.hour_eases_at(at("2026-11-24T13:11:00Z")), at("2026-11-24T13:15:00Z"));
    }

    #[test]
    fn a_day_ends_at_pacific_midnight_whatever_its_length() {
        let mut spending = Spending::default();
        // The day on which California puts its clocks back: it has 25 hours.
        spending.spend(10, at("2026-11-01T07:30:00Z"));
        spending.spend(5, at("2026-11-02T07:59:00Z"));
        assert_eq!(spending.of_day(at("2026-11-02T07:59:59Z")), 15);
        assert_eq!(spending.of_day(at("2026-11-02T08:00:00Z")), 0);
        spending.spend(1, at("2026-11-02T08:00:00Z"));
        assert_eq!(spending.of_day(at("2026-11-02T08:00:00Z")), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_forgets_nothing() {
        let mut spending = Spending::default();
        spending.spend(10, at("2026-11-24T12:00:00Z"));
        spending.spend(5, at("2026-11-24T11:00:00Z"));
        assert_eq!(spending.of_hour(at("2026-11-24T11:00:00Z")), 15);
        assert_eq!(spending.of_day(at("2026-11-24T11:00:00Z")), 15);
        assert_eq!(spending.of_hour(at("2026-11-24T12:10:00Z")), 0, "and holds nothing for longer");
        // Back to before the midnight at which a day of 23 hours began.
        let mut spending = Spending::default();
        spending.spend(10, at("2026-03-08T09:00:00Z"));
        spending.spend(5, at("2026-03-08T07:30:00Z"));
        assert_eq!(spending.of_day(at("2026-03-08T07:30:00Z")), 15);
        assert_eq!(spending.of_day(at("2026-03-08T08:00:00Z")), 0, "that midnight is the next one again");
        let mut spending = Spending::default();
        spending.spend(10, at("2027-11-24T12:00:00Z"));
        spending.pass(at("2026-11-24T12:00:00Z"));
        assert_eq!(spending.of_day(at("2026-11-25T08:00:00Z")), 0, "a clock that was a year ahead");
    }
}
