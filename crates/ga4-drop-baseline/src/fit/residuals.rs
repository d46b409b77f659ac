//! Measures how wrong the baseline would have been: predicts each week from the others and from the level known at the time.
//!
//! Hours of past outages are left out.

use std::ops::Range;

use crate::fit::{
    outages::outages,
    statistics::{MEDIAN_OF_CHI_SQUARE, median, quantile},
};

/// Every hour of the history with its prediction, in order of time.
pub(super) struct Residuals {
    hours: Vec<Residual>,
    /// The places of past outages.
    pub(super) outages: Vec<Range<usize>>,
}

/// One hour with its prediction.
#[derive(Clone, Copy)]
pub(super) struct Residual {
    pub(super) count: Option<f64>,
    pub(super) predicted: f64,
    hour_of_day: usize,
}

impl Residual {
    /// Creates the residual of the hour with this place; the first hour starts at midnight.
    pub(super) fn new(place: usize, count: Option<f64>, predicted: Option<f64>) -> Self {
        Self { count, predicted: predicted.unwrap_or_default(), hour_of_day: place % 24 }
    }

    /// Returns the count divided by the prediction, minus 1; `None` if the count is missing or the prediction is too small.
    pub(super) fn error(&self) -> Option<f64> {
        (self.predicted > LEAST_PREDICTED).then(|| self.count.map(|count| count / self.predicted - 1.0)).flatten()
    }
}

impl Residuals {
    /// Creates residuals from counts and predictions of whole days, starting at midnight.
    pub(super) fn new(each: impl Iterator<Item = (Option<f64>, Option<f64>)>) -> Self {
        let hours = each.enumerate().map(|(hour, (count, predicted))| Residual::new(hour, count, predicted));
        let mut hours: Vec<Residual> = hours.collect();
        let outages = outages(&hours);
        for outage in &outages {
            hours.get_mut(outage.clone()).unwrap_or_default().iter_mut().for_each(|hour| hour.count = None);
        }
        Self { hours, outages }
    }

    /// Returns the variance divided by the mean, which exceeds 1 because pageviews come in sessions. Subtracts the
    /// mean of the neighbours from each hour to remove longer errors, and compares busy hours with quiet ones.
    pub(super) fn dispersion(&self) -> f64 {
        let with_neighbours = self.hours.windows(3).filter_map(|window| {
            let [before, hour, after] = window else { return None };
            let bend = hour.error()? - 0.5 * (before.error()? + after.error()?);
            Some((hour.predicted, bend * bend / BEND_VARIANCE / MEDIAN_OF_CHI_SQUARE))
        });
        let bends: Vec<(f64, f64)> = with_neighbours.collect();
        if bends.len() < LEAST_BENDS {
            return LEAST_DISPERSION;
        }
        let sizes = || bends.iter().map(|(size, _)| *size);
        let third = |part| quantile(sizes(), part).unwrap_or_default();
        let (small, large) = (third(1.0 / 3.0), third(2.0 / 3.0));
        let quiet = || bends.iter().filter(|(size, _)| *size <= small);
        let busy = || bends.iter().filter(|(size, _)| *size >= large);
        let of = |middle: Option<f64>| middle.unwrap_or_default();
        let quiet_variance = of(median(quiet().map(|(_, variance)| *variance)));
        let busy_variance = of(median(busy().map(|(_, variance)| *variance)));
        let quiet_inverse = of(median(quiet().map(|(size, _)| 1.0 / size)));
        let busy_inverse = of(median(busy().map(|(size, _)| 1.0 / size)));
        let dispersion = if quiet_inverse > CLEAR_DIFFERENCE * busy_inverse {
            (quiet_variance - busy_variance) / (quiet_inverse - busy_inverse)
        } else {
            quiet_variance / quiet_inverse
        };
        if dispersion.is_finite() { dispersion.clamp(LEAST_DISPERSION, MOST_DISPERSION) } else { LEAST_DISPERSION }
    }

    /// Returns the relative error by hour of the day, combined in equal parts from all hours and from the hours around it.
    pub(super) fn errors(&self, dispersion: f64) -> [f64; 24] {
        let all = self.error(dispersion, |_| true).unwrap_or(UNKNOWN_ERROR).max(LEAST_ERROR);
        std::array::from_fn(|hour| {
            let near = [hour, (hour + 1) % 24, (hour + 23) % 24];
            let own = self.error(dispersion, |other| near.contains(&other)).unwrap_or(all);
            let own = own.max((0.5 * all).max(LEAST_ERROR));
            f64::midpoint(all * all, own * own).sqrt()
        })
    }

    /// Returns the relative error of whole days.
    pub(super) fn daily_error(&self, dispersion: f64) -> f64 {
        let days = self.hours.chunks(24).filter_map(|day| {
            let good = || day.iter().filter(|hour| hour.error().is_some());
            let predicted: f64 = good().map(|hour| hour.predicted).sum();
            let count: f64 = good().filter_map(|hour| hour.count).sum();
            (good().count() >= LEAST_HOURS).then(|| (count / predicted - 1.0, predicted))
        });
        let days: Vec<(f64, f64)> = days.collect();
        let error = if days.len() < LEAST_DAYS { UNKNOWN_ERROR } else { lower_error(&days, dispersion) };
        error.max(LEAST_ERROR)
    }

    fn error(&self, dispersion: f64, is_meant: impl Fn(usize) -> bool) -> Option<f64> {
        let meant = self.hours.iter().filter(|hour| is_meant(hour.hour_of_day));
        let errors: Vec<(f64, f64)> = meant.filter_map(|hour| Some((hour.error()?, hour.predicted))).collect();
        (errors.len() >= LEAST_ERRORS).then(|| lower_error(&errors, dispersion))
    }
}

/// Returns the smallest relative error for which at most 5% of the values lie below their prediction by more than
/// chance and this error explain. Uses only values below their prediction, because real values are skewed.
fn lower_error(errors: &[(f64, f64)], dispersion: f64) -> f64 {
    let excess =
        errors.iter().map(
            |(error, predicted)| {
                if *error < 0.0 { (error / NORMAL_QUANTILE).powi(2) - dispersion / predicted } else { -1.0 }
            },
        );
    quantile(excess, 1.0 - TAIL).unwrap_or_default().max(0.0).sqrt()
}

/// Smaller predictions are too uncertain to use.
const LEAST_PREDICTED: f64 = 0.5;

/// The variance of an hour minus the mean of its two neighbours, relative to that of the hour.
const BEND_VARIANCE: f64 = 1.5;

const LEAST_BENDS: usize = 100;

/// Smallest ratio between the inverses of quiet and busy hours that separates chance from error.
const CLEAR_DIFFERENCE: f64 = 1.3;

/// With smaller estimates, noise at 20 pageviews per hour caused pages.
const LEAST_DISPERSION: f64 = 2.5;

const MOST_DISPERSION: f64 = 6.0;

/// With a smaller error, drift that no past week has shown causes pages.
const LEAST_ERROR: f64 = 0.10;

const UNKNOWN_ERROR: f64 = 0.3;

const LEAST_ERRORS: usize = 40;

const LEAST_HOURS: usize = 12;

const LEAST_DAYS: usize = 14;

/// The fraction of the backtest that may lie lower.
const TAIL: f64 = 0.05;

/// The value that a standard normal variable exceeds with a probability of 5%.
const NORMAL_QUANTILE: f64 = 1.644_853_626_951_472_2;
