//! Computes the usual traffic of a property from its hourly history, and the expectation of a time.
//!
//! 1. [`hours`]: the history by hour of local time.
//! 2. [`Baseline::fit`]: `profile` (the hours of the week relative to each other), `level` (the last days relative to
//!    the profile), `smoothing` (for small sites), `residuals` (how wrong past predictions would have been,
//!    without [`PastOutage`]s).
//! 3. [`expected`]: the baseline in a property's own time, and `curve`: within an hour. [`bound`]: the lowest count that chance explains.
//!    [`forecast`]: the next hours. [`day`]: today and yesterday as whole days.

use std::ops::Range;

use thiserror::Error as ThisError;

use crate::{
    History, LocalHour,
    fit::{
        level::{level, levels_known, logarithms},
        outages::PastOutage,
        profile::{Weeks, profile},
        residuals::Residuals,
        smoothing::Smoothing,
    },
};

pub mod bound;
mod curve;
pub mod day;
pub mod expected;
pub mod forecast;
pub mod hours;
mod level;
pub mod outages;
mod profile;
mod residuals;
mod smoothing;
pub(crate) mod statistics;

/// The usual traffic of a property, computed from its last weeks.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Pageviews per hour, by hour of the week, starting on Monday: 168 values.
    pub rates: Box<[f64]>,
    /// Relative error of the rates, by hour of the day.
    pub errors: [f64; 24],
    /// Relative error of the sum of a whole day.
    pub daily_error: f64,
    /// Variance of pageviews divided by their mean. It exceeds 1 because pageviews come in sessions.
    pub dispersion: f64,
    /// Level of the last week divided by the level of all weeks.
    pub level: f64,
    /// Length of the history that the baseline is computed from, in seconds.
    pub history_seconds: f64,
    /// Outages in the history, in order.
    pub past_outages: Box<[PastOutage]>,
}

/// There is no baseline: the history is shorter than two weeks, or has no traffic.
#[derive(Clone, Copy, Debug, PartialEq, ThisError)]
#[error("there is no baseline: two whole weeks of hours with traffic are needed, and there are {:.1} days", history_seconds / 86_400.0)]
pub struct NoBaseline {
    /// Length of the history, in seconds; 0 if it has no traffic.
    pub history_seconds: f64,
}

impl Baseline {
    /// Computes the baseline of the last `weeks` whole weeks before the midnight `settled`, or of fewer if the
    /// history is shorter.
    ///
    /// # Errors
    /// The history is shorter than two weeks, or has no traffic.
    pub fn fit(history: &History, settled: LocalHour, weeks: usize) -> Result<Self, NoBaseline> {
        Self::fit_usual(history, settled, weeks, |_| true)
    }

    /// Computes the baseline from the hours for which `is_usual` is true. Other hours count as missing, but still as
    /// part of the length of the history.
    ///
    /// # Errors
    /// The history is shorter than two weeks, or has no traffic.
    pub fn fit_usual(
        history: &History,
        settled: LocalHour,
        weeks: usize,
        is_usual: impl Fn(LocalHour) -> bool,
    ) -> Result<Self, NoBaseline> {
        let hours = history.first().map_or(0, |first| first.until(settled)).max(0);
        let none = NoBaseline { history_seconds: seconds(hours) };
        let weeks = weeks.min(usize::try_from(hours / 168).unwrap_or_default());
        if weeks < LEAST_WEEKS {
            return Err(none);
        }
        let counts = Weeks::new(history, settled, weeks, is_usual);
        let is_silent = counts.medians().iter().all(|median| *median <= 0.0);
        if is_silent {
            return Err(NoBaseline { history_seconds: 0.0 });
        }
        let (profile, levelled) = profile(&counts);
        let levels = logarithms(&counts.days_against(&profile));
        let level = level(&levels).unwrap_or(1.0);
        let smoothing = Smoothing::new(&profile, &counts.sums(), settled.slot() / 24);
        let usual = smoothing.apply(&profile);
        let residuals = residuals(&counts, &levelled, &smoothing, &levels_known(&levels));
        let dispersion = residuals.dispersion();
        let weeks_in_history = i64::try_from(weeks).unwrap_or_default();
        let rates = by_slot(settled, usual.iter().map(|rate| level * rate));
        Ok(Self {
            rates,
            past_outages: past_outages(settled.later(-168 * weeks_in_history), &residuals),
            errors: residuals.errors(dispersion),
            daily_error: residuals.daily_error(dispersion),
            dispersion,
            level,
            history_seconds: seconds(168 * weeks_in_history),
        })
    }

    /// Returns the pageviews per hour in the middle of this hour.
    pub fn rate(&self, hour: LocalHour) -> f64 {
        self.rates.get(hour.slot()).copied().unwrap_or_default()
    }

    /// Returns the relative error of the expectation of this hour.
    pub fn error(&self, hour: LocalHour) -> f64 {
        self.errors.get(hour.hour_of_day()).copied().unwrap_or(1.0)
    }

    /// Returns the hour that one of a quiet day is expected to be like: the same hour on the day of the week that has the
    /// least traffic then. The nights of Sundays are often busy, and the mornings of the quietest working day.
    pub fn quietest(&self, hour: LocalHour) -> LocalHour {
        let days = (0..7).map(|days| hour.later(24 * days));
        days.min_by(|one, other| self.rate(*one).total_cmp(&self.rate(*other))).unwrap_or(hour)
    }
}

/// Predicts each week from the others and returns the residuals.
fn residuals(counts: &Weeks, levelled: &Weeks, smoothing: &Smoothing, levels: &[Option<f64>]) -> Residuals {
    let weeks = counts.0.iter().zip(levels.chunks(7)).enumerate();
    let hours = weeks.flat_map(|(week, (counts, levels))| {
        let usual = smoothing.apply(&levelled.midmeans(Some(week)));
        let levels: Vec<Option<f64>> = levels.iter().flat_map(|level| [*level; 24]).collect();
        let predicted = usual.into_iter().zip(levels).map(|(usual, level)| level.map(|level| level * usual));
        counts.iter().copied().zip(predicted).collect::<Vec<_>>()
    });
    Residuals::new(hours)
}

/// Returns the outages in residuals that start with the hour `first`.
fn past_outages(first: LocalHour, residuals: &Residuals) -> Box<[PastOutage]> {
    let place = |hours: usize| i64::try_from(hours).unwrap_or(i64::MAX);
    let outage = |range: &Range<usize>| PastOutage { first: first.later(place(range.start)), hours: range.len() };
    residuals.outages.iter().map(outage).collect()
}

/// Reorders values that start with the hour `first` by hour of the week.
fn by_slot(first: LocalHour, values: impl Iterator<Item = f64>) -> Box<[f64]> {
    let mut slots: Vec<f64> = values.collect();
    let places = first.slot().min(slots.len());
    slots.rotate_right(places);
    slots.into_boxed_slice()
}

fn seconds(hours: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    let hours = hours as f64;
    hours * 3600.0
}

/// With fewer weeks, the usual traffic cannot be estimated.
const LEAST_WEEKS: usize = 2;
