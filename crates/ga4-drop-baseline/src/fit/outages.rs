//! Past outages: hours in a row with far less traffic than was predicted, between hours that were about as usual.
//!
//! They show that a site fails, not that its traffic is hard to predict. So they are left out of the error and the
//! dispersion; otherwise, the more often a site failed, the less of its next outage would be seen.

use std::ops::Range;

use super::residuals::Residual;
use crate::{LocalHour, Test, lower_bound};

/// A past outage.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PastOutage {
    /// The first hour with too little traffic.
    pub first: LocalHour,
    /// The number of such hours in a row.
    pub hours: usize,
}

/// Returns the places of all outages in consecutive hours.
pub(super) fn outages(hours: &[Residual]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(rest) = hours.get(place..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().take_while(|hour| is_low(hour)).count();
        let run = place..place + length;
        if (SHORTEST..=LONGEST).contains(&length) && is_outage(hours, &run) {
            found.push(run);
        }
        place += length.max(1);
    }
    found
}

fn is_low(hour: &Residual) -> bool {
    hour.error().is_some_and(|error| 1.0 + error < LOW)
}

/// Returns whether chance does not explain these hours and those beside them were about as usual. If they were low too,
/// the prediction was wrong, as after a campaign or on a holiday.
fn is_outage(hours: &[Residual], run: &Range<usize>) -> bool {
    let sum = |part: Range<usize>| {
        let known = hours.get(part).unwrap_or_default().iter().filter(|hour| hour.error().is_some());
        known.fold((0.0, 0.0), |(count, predicted), hour| {
            (count + hour.count.unwrap_or_default(), predicted + hour.predicted)
        })
    };
    let (count, predicted) = sum(run.clone());
    let is_usual = |part| {
        let (count, predicted) = sum(part);
        count >= USUAL * predicted
    };
    count < lower_bound(predicted, DISPERSION, ERROR, UNLIKELY)
        && is_usual(run.start.saturating_sub(BESIDE)..run.start)
        && is_usual(run.end..(run.end + BESIDE).min(hours.len()))
}

/// In hours. A shorter one hardly shows in the error.
const SHORTEST: usize = 2;

/// In hours. What lasts longer may be a change for good.
const LONGEST: usize = 24;

/// The fraction of the prediction below which an hour may belong to an outage.
const LOW: f64 = 0.5;

/// The number of hours on each side that must be about as usual, and the least fraction of the prediction for that.
const BESIDE: usize = 6;

const USUAL: f64 = 0.7;

/// The dispersion and the error are not known yet, so the largest dispersion is assumed.
const DISPERSION: f64 = 6.0;

const ERROR: f64 = 0.1;

const UNLIKELY: Test = Test { alpha: 1e-3, rho: 1.0 };

#[cfg(test)]
mod tests {
    use super::*;

    /// The outages in 40 hours with 100 predicted pageviews each and these counts from the tenth hour on.
    fn found(counts: &[f64]) -> Vec<(usize, usize)> {
        let count = |hour: usize| hour.checked_sub(10).and_then(|place| counts.get(place)).copied().unwrap_or(100.0);
        let hours: Vec<Residual> = (0..40).map(|hour| Residual::new(hour, Some(count(hour)), Some(100.0))).collect();
        outages(&hours).iter().map(|run| (run.start, run.end)).collect()
    }

    #[test]
    fn two_hours_below_half_of_the_usual_are_an_outage() {
        assert_eq!(found(&[0.0, 20.0]), [(10, 12)]);
        assert_eq!(found(&[49.0, 30.0, 10.0, 49.0]), [(10, 14)]);
        assert_eq!(found(&[0.0]), [], "one hour hardly shows");
        assert_eq!(found(&[50.0, 50.0, 60.0]), [], "that is half");
        assert_eq!(found(&[10.0, 10.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0, 10.0, 10.0]), [(10, 12), (18, 20)]);
    }

    #[test]
    fn a_wrong_prediction_is_no_outage() {
        assert_eq!(found(&[60.0, 60.0, 60.0, 60.0, 60.0, 60.0, 40.0, 40.0]), [], "it was low before");
        assert_eq!(found(&[40.0, 40.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0]), [], "and after");
        assert_eq!(found(&[10.0; 25]), [], "traffic has changed");
    }

    #[test]
    fn chance_is_no_outage() {
        let quiet = |count: f64| {
            let counts = (0..40).map(|hour| Some(if (10..12).contains(&hour) { count } else { 2.0 }));
            let hours: Vec<Residual> =
                counts.enumerate().map(|(hour, count)| Residual::new(hour, count, Some(2.0))).collect();
            outages(&hours)
        };
        assert!(quiet(0.0).is_empty(), "four pageviews are missing");
    }
}
