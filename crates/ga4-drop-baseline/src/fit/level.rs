//! The level of the last days relative to the profile.
//!
//! Seven days cover every weekday, and their median is not affected by three bad ones. Days without a known hour say nothing
//! of the level, so earlier ones take their place: holidays that were excluded, for example, or weekends of a site that is
//! closed then.

use crate::fit::statistics::{number, weighted_median};

/// Returns the logarithm of each day's level; `None` for a missing day.
pub(super) fn logarithms(days: &[Vec<Option<f64>>]) -> Vec<Option<f64>> {
    days.iter().flatten().map(|level| level.map(|level| level.clamp(LOWEST, HIGHEST).ln())).collect()
}

/// Returns the level after these days, the newest last; `None` if all are missing.
pub(super) fn level(logarithms: &[Option<f64>]) -> Option<f64> {
    let last: Vec<f64> = logarithms.iter().rev().flatten().take(DAYS).copied().collect();
    let weights: Vec<f64> = (0..last.len()).map(|age| 0.5_f64.powf(number(age) / HALF_LIFE)).collect();
    weighted_median(&last, &weights).map(f64::exp)
}

/// Returns for each day the level that was known then, from the days up to two days before it. `None` for the first days.
pub(super) fn levels_known(logarithms: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = |day: usize| if day < FIRST { None } else { level(logarithms.get(..day - 1)?) };
    (0..logarithms.len()).map(known).collect()
}

/// The number of days that the level is computed from.
const DAYS: usize = 7;

/// The age in days at which a day has half the weight. Missing days have no age.
const HALF_LIFE: f64 = 4.0;

/// The first day for which a level is computed.
const FIRST: usize = 5;

const LOWEST: f64 = 0.02;

const HIGHEST: f64 = 50.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(days: &[Option<f64>]) -> f64 {
        level(&logarithms(&[days.to_vec()])).unwrap()
    }

    #[test]
    fn days_that_are_missing_do_not_count_as_usual_ones() {
        let doubled = [Some(2.0); 7];
        assert!((of(&doubled) - 2.0).abs() < 1e-9);
        for missing in 1..7 {
            let mut days = doubled;
            days[7 - missing..].fill(None);
            assert!((of(&days) - 2.0).abs() < 1e-9, "{missing} holidays were left out");
        }
        let closed_at_weekends = [Some(2.0), Some(2.0), Some(2.0), Some(2.0), Some(2.0), None, None].repeat(2);
        assert!((of(&closed_at_weekends) - 2.0).abs() < 1e-9);
        assert_eq!(level(&logarithms(&[vec![None; 7]])), None);
    }

    #[test]
    fn new_days_take_the_place_of_old_ones() {
        let days: Vec<Option<f64>> = (0..8).map(|day| Some(if day < 4 { 1.0 } else { 3.0 })).collect();
        assert!((of(&days) - 3.0).abs() < 1e-9);
    }
}
