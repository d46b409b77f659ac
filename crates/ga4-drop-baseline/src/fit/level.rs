//! The level of the last days relative to the profile.
//!
//! Seven days cover every weekday, and their median is not affected by three bad ones.

use crate::fit::statistics::{number, weighted_median};

/// Returns the current level: that of the last days or, if most of them are missing, of the last known ones. Days are
/// missing after a long holiday that was excluded, for example.
pub(super) fn level_now(days: &[Vec<Option<f64>>]) -> Option<f64> {
    let all: Vec<Option<f64>> = days.iter().flatten().copied().collect();
    let last = all.get(all.len().saturating_sub(DAYS)..).unwrap_or_default();
    if last.iter().flatten().count() > DAYS / 2 {
        return level(&logarithms(days));
    }
    let known: Vec<Option<f64>> = all.into_iter().filter(Option::is_some).collect();
    level(&logarithms(&[known]))
}

/// Returns the logarithm of each day's level. Missing days count as level 1.
pub(super) fn logarithms(days: &[Vec<Option<f64>>]) -> Vec<f64> {
    let log = |level: &Option<f64>| level.unwrap_or(1.0).clamp(LOWEST, HIGHEST).ln();
    days.iter().flatten().map(log).collect()
}

/// Returns the level after these days, the newest last.
pub(super) fn level(logarithms: &[f64]) -> Option<f64> {
    let last = logarithms.get(logarithms.len().saturating_sub(DAYS)..)?;
    let weights: Vec<f64> = (0..last.len()).rev().map(|age| 0.5_f64.powf(number(age) / HALF_LIFE)).collect();
    weighted_median(last, &weights).map(f64::exp)
}

/// Returns for each day the level that was known then, from the days up to two days before it. `None` for the first days.
pub(super) fn levels_known(logarithms: &[f64]) -> Vec<Option<f64>> {
    let known = |day: usize| if day < FIRST { None } else { level(logarithms.get(..day - 1)?) };
    (0..logarithms.len()).map(known).collect()
}

/// The number of days that the level is computed from.
const DAYS: usize = 7;

/// The age in days at which a day has half the weight.
const HALF_LIFE: f64 = 4.0;

/// The first day for which a level is computed.
const FIRST: usize = 5;

const LOWEST: f64 = 0.02;

const HIGHEST: f64 = 50.0;
