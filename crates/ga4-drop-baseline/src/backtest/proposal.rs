//! Proposes quiet days: days that paged and had less traffic than usual from morning to night, as holidays have.
//!
//! Whether a day was a holiday is for a person to say. A day with an outage is not proposed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date};

use super::{Outcome, Point};
use crate::calendar::quiet_days::{Days, Entry, joined};

/// Returns the days to propose, each as an entry of `quiet_days`; consecutive days are one entry.
pub(super) fn proposed(outcome: &Outcome) -> Vec<Entry> {
    let mut days: BTreeMap<Date, Vec<&Point>> = BTreeMap::new();
    for point in &outcome.points {
        days.entry((point.at - HALF_HOUR).date()).or_default().push(point);
    }
    let low = days.iter().filter(|(date, points)| has_paged(outcome, **date) && is_low_all_day(points));
    joined(low.map(|(date, _)| Days { first: *date, last: *date }).collect()).into_iter().map(Entry::Days).collect()
}

fn has_paged(outcome: &Outcome, date: Date) -> bool {
    outcome.pages.iter().any(|page| page.at.date() <= date && page.until.is_none_or(|until| until.date() >= date))
}

fn is_low_all_day(points: &[&Point]) -> bool {
    let judged = || points.iter().filter(|point| point.expected >= LEAST_EXPECTED);
    let (all, low) = (judged().count(), judged().filter(|point| point.pageviews <= LOW * point.expected).count());
    let is_outage = judged().any(|point| point.pageviews < OUTAGE * point.expected);
    all >= LEAST_JUDGED && 4 * low >= 3 * all && !is_outage
}

const HALF_HOUR: SignedDuration = SignedDuration::from_mins(30);

/// With fewer pageviews in half an hour, chance decides whether it is low.
const LEAST_EXPECTED: f64 = 10.0;

/// A quarter of a day.
const LEAST_JUDGED: usize = 12;

const LOW: f64 = 0.9;

const OUTAGE: f64 = 0.1;

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};

    use super::*;
    use crate::{TrafficDrop, backtest::Page};

    const FIRST: Date = date(2025, 12, 23);

    /// The entries proposed where the half hours of a week have this part of 100 pageviews, and these days page at noon.
    fn entries(part: impl Fn(Date, i8) -> f64, paged: &[Date]) -> Vec<String> {
        let half_hours = FIRST.at(0, 30, 0, 0).series(30.minutes()).take(7 * 48);
        let points = half_hours.map(|at| {
            let begins = at - HALF_HOUR;
            Point { at, pageviews: 100.0 * part(begins.date(), begins.hour()), expected: 100.0, low: 60.0 }
        });
        let page = |day: &Date| {
            let (at, until) = (day.at(12, 0, 0, 0), day.at(15, 0, 0, 0));
            let deepest = TrafficDrop { depth: 0.5, window: None };
            Page { at, until: Some(until), is_withdrawn: false, deepest }
        };
        let outcome =
            Outcome { points: points.collect(), pages: paged.iter().map(page).collect(), ..Outcome::default() };
        proposed(&outcome).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn days_that_were_low_all_day_and_paged_are_proposed() {
        let holidays = [date(2025, 12, 25), date(2025, 12, 26), date(2025, 12, 28)];
        let part = |day: Date, _: i8| if holidays.contains(&day) { 0.5 } else { 1.0 };
        assert_eq!(entries(part, &holidays), ["2025-12-25..2025-12-26", "2025-12-28"]);
        assert_eq!(entries(part, &holidays[..1]), ["2025-12-25"], "the others did not page");
    }

    #[test]
    fn a_day_with_an_outage_is_not() {
        let day = date(2025, 12, 25);
        let part = |of: Date, hour: i8| if of == day && (8..16).contains(&hour) { 0.3 } else { 1.0 };
        assert_eq!(entries(part, &[day]), [""; 0], "the rest of the day was as usual");
        let part = |of: Date, hour: i8| if of == day && hour > 1 { 0.02 } else { 1.0 };
        assert_eq!(entries(part, &[day]), [""; 0], "no holiday is without any traffic");
    }
}
