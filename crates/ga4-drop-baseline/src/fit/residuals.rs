//! How wrong the baseline would have been: each week predicted from the others and from the level known at the time.

use crate::fit::statistics::{MEDIAN_OF_CHI_SQUARE, median, quantile};

/// Every hour of the history against its prediction, in order of time.
pub(super) struct Residuals {
    hours: Vec<Residual>,
}

/// One hour.
#[derive(Clone, Copy)]
struct Residual {
    count: Option<f64>,
    predicted: f64,
    hour_of_day: usize,
}

impl Residual {
    /// Count by prediction, less 1; `None` where either says nothing.
    fn error(&self) -> Option<f64> {
        (self.predicted > LEAST_PREDICTED).then(|| self.count.map(|count| count / self.predicted - 1.0)).flatten()
    }
}

impl Residuals {
    /// Counts and predictions of whole days, from a midnight on.
    pub(super) fn new(each: impl Iterator<Item = (Option<f64>, Option<f64>)>) -> Self {
        let hours = each.enumerate().map(|(hour, (count, predicted))| Residual {
            count,
            predicted: predicted.unwrap_or_default(),
            hour_of_day: hour % 24,
        });
        Self { hours: hours.collect() }
    }

    /// Variance by mean: pageviews come in sessions. Of each hour the middle of its neighbours is taken off, since that
    /// removes what is wrong for longer, and busy hours are compared with quiet ones.
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

    /// The relative error by hour of day, half of it the day's as a whole.
    pub(super) fn errors(&self, dispersion: f64) -> [f64; 24] {
        let all = self.error(dispersion, |_| true).unwrap_or(UNKNOWN_ERROR).max(LEAST_ERROR);
        std::array::from_fn(|hour| {
            let near = [hour, (hour + 1) % 24, (hour + 23) % 24];
            let own = self.error(dispersion, |other| near.contains(&other)).unwrap_or(all);
            let own = own.max((0.5 * all).max(LEAST_ERROR));
            f64::midpoint(all * all, own * own).sqrt()
        })
    }

    /// The relative error of whole days.
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

/// The smallest relative error with which at most a twentieth of the values lie further below their prediction than chance
/// and it explain. Of the lower side only: real values are skewed.
fn lower_error(errors: &[(f64, f64)], dispersion: f64) -> f64 {
    let excess =
        errors.iter().map(
            |(error, predicted)| {
                if *error < 0.0 { (error / NORMAL_QUANTILE).powi(2) - dispersion / predicted } else { -1.0 }
            },
        );
    quantile(excess, 1.0 - TAIL).unwrap_or_default().max(0.0).sqrt()
}

/// Predictions below say nothing.
const LEAST_PREDICTED: f64 = 0.5;

/// The variance of an hour less the mean of its two neighbours.
const BEND_VARIANCE: f64 = 1.5;

const LEAST_BENDS: usize = 100;

/// By how much the inverses of busy and quiet hours must differ to tell chance from error.
const CLEAR_DIFFERENCE: f64 = 1.3;

/// A smaller estimate at 20 pageviews an hour was noise, and paged.
const LEAST_DISPERSION: f64 = 2.5;

const MOST_DISPERSION: f64 = 6.0;

/// Below it drift that no week has shown yet pages.
const LEAST_ERROR: f64 = 0.10;

const UNKNOWN_ERROR: f64 = 0.3;

const LEAST_ERRORS: usize = 40;

const LEAST_HOURS: usize = 12;

const LEAST_DAYS: usize = 14;

/// How much of the backtest may lie lower.
const TAIL: f64 = 0.05;

/// The value that a standard normal one exceeds in a twentieth of all cases.
const NORMAL_QUANTILE: f64 = 1.644_853_626_951_472_2;
