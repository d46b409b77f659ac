//! Pageviews by minute of the property's local time, read or interpolated.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration,
    civil::{Date, DateTime},
};

use crate::{History, LocalHour, detect::minutes::as_number};

/// Pageviews by minute. Absent minutes were not seen, which does not mean zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic(BTreeMap<DateTime, u64>);

impl Traffic {
    /// Spreads every hour over its minutes, interpolated towards the neighbouring hours. The result is deterministic,
    /// and the minutes add up to the hour.
    pub fn spread(history: &History) -> Self {
        let hours = history.iter().flat_map(|(hour, pageviews)| {
            let beside = |hours| history.get(hour.later(hours)).unwrap_or(pageviews);
            minutes(hour, pageviews, &shape(beside(-1), pageviews, beside(1)))
        });
        Self(hours.collect())
    }

    /// Computes the minutes from the pageviews of the half hour that ends with each: a minute has the sum minus the
    /// minutes before it. If several minutes are unknown, they share the rest equally.
    pub fn of_half_hours(sums: impl IntoIterator<Item = (DateTime, u64)>) -> Self {
        let mut minutes: BTreeMap<DateTime, u64> = BTreeMap::new();
        for (time, sum) in sums {
            let first = time - MINUTE * (HALF_HOUR - 1);
            let known: u64 = minutes.range(first..time).map(|(_, count)| *count).fold(0, u64::saturating_add);
            let rest = sum.saturating_sub(known);
            let mut unknown: Vec<DateTime> = (0..HALF_HOUR).map(|passed| first + MINUTE * passed).collect();
            unknown.retain(|minute| !minutes.contains_key(minute));
            let even = vec![1.0; unknown.len()];
            minutes.extend(unknown.into_iter().zip(parts(as_number(rest), &even)));
        }
        Self(minutes)
    }

    /// Returns the pageviews of a minute, if it was seen.
    pub fn get(&self, minute: DateTime) -> Option<u64> {
        self.0.get(&minute).copied()
    }

    /// Returns the first and the last date of the traffic.
    pub fn dates(&self) -> Option<(Date, Date)> {
        let (first, _) = self.0.first_key_value()?;
        let (last, _) = self.0.last_key_value()?;
        Some((first.date(), last.date()))
    }
}

impl FromIterator<(DateTime, u64)> for Traffic {
    fn from_iter<I: IntoIterator<Item = (DateTime, u64)>>(minutes: I) -> Self {
        Self(minutes.into_iter().collect())
    }
}

/// Returns the shape of traffic within an hour, interpolated linearly between the middles of hours and sampled in the
/// middle of each minute.
fn shape(before: f64, here: f64, after: f64) -> Vec<f64> {
    let half_minutes = (1..MINUTES_AN_HOUR * 2).step_by(2).map(|half| f64::from(half) / f64::from(MINUTES_AN_HOUR * 2));
    let rate = |passed: f64| {
        let (other, share) = if passed < 0.5 { (before, 0.5 - passed) } else { (after, passed - 0.5) };
        here + (other - here) * share
    };
    half_minutes.map(rate).collect()
}

fn minutes(hour: LocalHour, pageviews: f64, shape: &[f64]) -> Vec<(DateTime, u64)> {
    let times = (0..MINUTES_AN_HOUR).map(|minute| hour.start() + MINUTE * minute);
    times.zip(parts(pageviews, shape)).collect()
}

/// Splits a count into whole numbers in proportion to `sizes`, which add up to the count.
fn parts(count: f64, sizes: &[f64]) -> Vec<u64> {
    let all: f64 = sizes.iter().sum();
    let (mut passed, mut given) = (0.0, 0);
    let part = |size: &f64| {
        passed += size;
        let due = whole(if all > 0.0 { count * passed / all } else { 0.0 });
        let part = due.saturating_sub(given);
        given = given.max(due);
        part
    };
    sizes.iter().map(part).collect()
}

fn whole(count: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "neither negative nor near 2^63")]
    let whole = count.round() as u64;
    whole
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

const HALF_HOUR: i32 = 30;

const MINUTES_AN_HOUR: i32 = 60;

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn start() -> LocalHour {
        LocalHour::midnight(date(2026, 1, 5))
    }

    fn history(counts: &[f64]) -> History {
        (0..).zip(counts).map(|(hour, count)| (start().later(hour), *count)).collect()
    }

    fn hour(traffic: &Traffic, hour: i64) -> Vec<u64> {
        (0..60).filter_map(|minute| traffic.get(start().later(hour).start() + MINUTE * minute)).collect()
    }

    #[test]
    fn hours_are_spread_without_loss_and_run_towards_each_other() {
        let traffic = Traffic::spread(&history(&[600.0, 1200.0, 7.0, 0.0, 60.0]));
        for (number, sum) in [(0, 600), (1, 1200), (2, 7), (3, 0), (4, 60)] {
            let minutes = hour(&traffic, number);
            assert_eq!((minutes.len(), minutes.iter().sum::<u64>()), (60, sum));
        }
        let (first, second) = (hour(&traffic, 0), hour(&traffic, 1));
        assert!(first[0] < first[59] && first[59].abs_diff(second[0]) < 8, "{first:?} {second:?}");
        assert_eq!(traffic.dates(), Some((date(2026, 1, 5), date(2026, 1, 5))));
    }

    #[test]
    fn hours_that_are_missing_are_not_made_up() {
        let mut history = history(&[60.0, 60.0, 60.0]);
        history.retain(|hour| hour != start().later(1));
        let traffic = Traffic::spread(&history);
        assert_eq!([hour(&traffic, 0).len(), hour(&traffic, 1).len(), hour(&traffic, 2).len()], [60, 0, 60]);
        assert!(hour(&traffic, 0).iter().all(|minute| *minute == 1));
    }

    #[test]
    fn minutes_are_found_in_the_sums_of_half_hours() {
        let minutes: Vec<u64> =
            (0..200).map(|minute| if (90..130).contains(&minute) { 0 } else { minute % 7 }).collect();
        let time = |minute: usize| start().start() + MINUTE * i32::try_from(minute).unwrap();
        let sum = |minute: usize| minutes[minute.saturating_sub(29)..=minute].iter().sum::<u64>();
        // An exporter started together with the traffic: the first half hours have no earlier pageviews.
        let traffic = Traffic::of_half_hours((0..200).map(|minute| (time(minute), sum(minute))));
        assert!((0..200).all(|minute| traffic.get(time(minute)) == Some(minutes[minute])));
        // An exporter started later, with a gap: every later sum of half an hour is exact again.
        let seen = (40..200).filter(|minute| !(150..160).contains(minute));
        let traffic = Traffic::of_half_hours(seen.map(|minute| (time(minute), sum(minute))));
        for minute in [69, 75, 89, 139, 160, 180, 199] {
            let found: u64 = (minute - 29..=minute).filter_map(|minute| traffic.get(time(minute))).sum();
            assert_eq!(found, sum(minute), "{minute}");
        }
    }
}
