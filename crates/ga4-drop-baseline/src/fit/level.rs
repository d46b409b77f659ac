//! The level of the last days against the profile.
//!
//! Seven days cover every weekday, and their median survives three bad ones.

use crate::fit::statistics::{number, weighted_median};

/// The level now: of the last days, or of the last known ones when most of those are missing, as after a long holiday that
/// was left out.
pub(super) fn level_now(days: &[Vec<Option<f64>>]) -> Option<f64> {
    let all: Vec<Option<f64>> = days.iter().flatten().copied().collect();
    let last = all.get(all.len().saturating_sub(DAYS)..).unwrap_or_default();
    if last.iter().flatten().count() > DAYS / 2 {
        return level(&logarithms(days));
    }
    let known: Vec<Option<f64>> = all.into_iter().filter(Option::is_some).collect();
    level(&logarithms(&[known]))
}

/// The logarithm of each day's level. A day of which nothing is known counts as usual.
pub(super) fn logarithms(days: &[Vec<Option<f64>>]) -> Vec<f64> {
    let log = |level: &Option<f64>| level.unwrap_or(1.0).clamp(LOWEST, HIGHEST).ln();
    days.iter().flatten().map(log).collect()
}

/// The level after these days, the newest last.
pub(super) fn level(logarithms: &[f64]) -> Option<f64> {
    let last = logarithms.get(logarithms.len().saturating_sub(DAYS)..)?;
    let weights: Vec<f64> = (0..last.len()).rev().map(|age| 0.5_f64.powf(number(age) / HALF_LIFE)).collect();
    weighted_median(last, &weights).map(f64::exp)
}

/// For each day the level that was known then: of the days up to the second before it. `None` for the first days.
pub(super) fn levels_known(logarithms: &[f64]) -> Vec<Option<f64>> {
    let known = |day: usize| if day < FIRST { None } else { level(logarithms.get(..day - 1)?) };
    (0..logarithms.len()).map(known).collect()
}

/// How many days the level is made of.
const DAYS: usize = 7;

/// In days: how old a day is that counts half.
const HALF_LIFE: f64 = 4.0;

/// The first day for which there is a level.
const FIRST: usize = 5;

const LOWEST: f64 = 0.02;

const HIGHEST: f64 = 50.0;
