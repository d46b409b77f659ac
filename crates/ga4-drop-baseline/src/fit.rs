//! What is usual for a property, from its history by hour, and what follows from that for a time.
//!
//! 1. [`hours`]: history by hour of local time.
//! 2. [`Baseline::fit`]: `profile` (an hour of the week against others), `level` (the last days against the profile),
//!    `smoothing` (small sites), `residuals` (how wrong this would have been).
//! 3. [`expected`]: the baseline at a property's own time. [`bound`]: the lowest count that chance explains. [`forecast`]: the
//!    next hours. [`day`]: today and yesterday as a whole.

use thiserror::Error as ThisError;

use crate::{
    History, LocalHour,
    fit::{
        level::{level_now, levels_known, logarithms},
        profile::{Weeks, profile},
        residuals::Residuals,
        smoothing::Smoothing,
    },
};

pub mod bound;
pub mod day;
pub mod expected;
pub mod forecast;
pub mod hours;
mod level;
mod profile;
mod residuals;
mod smoothing;
pub(crate) mod statistics;

/// What is usual for a property, as its last weeks show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Pageviews an hour, by hour of the week, Monday first: 168.
    pub rates: Box<[f64]>,
    /// By which part a rate may be wrong, by hour of day.
    pub errors: [f64; 24],
    /// The same of a whole day's sum.
    pub daily_error: f64,
    /// Variance by mean of pageviews, which come in sessions.
    pub dispersion: f64,
    /// The last week's level against that of all weeks.
    pub level: f64,
    /// How long the history is that this was made of, in seconds.
    pub history_seconds: f64,
    /// Which day of the week has the least, Monday 0.
    quietest_day: usize,
}

/// There is no baseline: the history is shorter than two weeks, or nothing happened in it.
#[derive(Clone, Copy, Debug, PartialEq, ThisError)]
#[error("there is no baseline: two whole weeks of hours with traffic are needed, and there are {:.1} days", history_seconds / 86_400.0)]
pub struct NoBaseline {
    /// How long the history is, in seconds; 0 where nothing happened in it.
    pub history_seconds: f64,
}

impl Baseline {
    /// The baseline of the last `weeks` whole weeks, or as many as there are, before a midnight.
    ///
    /// # Errors
    /// The history is shorter than two weeks, or without any traffic.
    pub fn fit(history: &History, settled: LocalHour, weeks: usize) -> Result<Self, NoBaseline> {
        Self::fit_usual(history, settled, weeks, |_| true)
    }

    /// The same of those hours that say what is usual; the others are missing. They count in the length of the history.
    ///
    /// # Errors
    /// The history is shorter than two weeks, or without any traffic.
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
        let days = counts.days_against(&profile);
        let level = level_now(&days).unwrap_or(1.0);
        let smoothing = Smoothing::new(&profile, &counts.sums(), settled.slot() / 24);
        let usual = smoothing.apply(&profile);
        let residuals = residuals(&counts, &levelled, &smoothing, &levels_known(&logarithms(&days)));
        let dispersion = residuals.dispersion();
        let rates = by_slot(settled, usual.iter().map(|rate| level * rate));
        Ok(Self {
            quietest_day: quietest_day(&rates),
            rates,
            errors: residuals.errors(dispersion),
            daily_error: residuals.daily_error(dispersion),
            dispersion,
            level,
            history_seconds: seconds(i64::try_from(weeks).unwrap_or_default() * 168),
        })
    }

    /// Pageviews an hour in the middle of this hour.
    pub fn rate(&self, hour: LocalHour) -> f64 {
        self.rates.get(hour.slot()).copied().unwrap_or_default()
    }

    /// By which part the expectation of this hour may be wrong.
    pub fn error(&self, hour: LocalHour) -> f64 {
        self.errors.get(hour.hour_of_day()).copied().unwrap_or(1.0)
    }

    /// The same hour of the quietest day of the week.
    pub fn quietest(&self, hour: LocalHour) -> LocalHour {
        let days =
            i64::try_from(self.quietest_day).unwrap_or_default() - i64::try_from(hour.slot() / 24).unwrap_or_default();
        hour.later(24 * days)
    }
}

/// Each week predicted from the others.
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

/// Values that begin with the hour `first`, by hour of the week.
fn by_slot(first: LocalHour, values: impl Iterator<Item = f64>) -> Box<[f64]> {
    let mut slots: Vec<f64> = values.collect();
    let places = first.slot().min(slots.len());
    slots.rotate_right(places);
    slots.into_boxed_slice()
}

fn quietest_day(rates: &[f64]) -> usize {
    let totals = rates.chunks(24).map(|day| day.iter().sum::<f64>()).enumerate();
    totals.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(day, _)| day)
}

fn seconds(hours: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    let hours = hours as f64;
    hours * 3600.0
}

/// Fewer say nothing of what is usual.
const LEAST_WEEKS: usize = 2;
