//! The profile of the week: the hours of the week relative to each other, whatever the level of each week.
//!
//! Weeks are scaled to one level before they are compared, and the highest and lowest values of each hour are
//! excluded, so that a campaign, a holiday or an outage in up to a quarter of the weeks has no effect.

use crate::{
    History, LocalHour,
    fit::statistics::{median, median_of_sorted, number},
};

/// The hours of the last whole weeks: one row per week, with the 168 hours from the settled midnight on as columns.
pub(super) struct Weeks(pub(super) Vec<Vec<Option<f64>>>);

impl Weeks {
    /// Reads `weeks` weeks of the history, which end with the hour before `settled`. Hours for which `is_usual` is
    /// false count as missing.
    pub(super) fn new(
        history: &History,
        settled: LocalHour,
        weeks: usize,
        is_usual: impl Fn(LocalHour) -> bool,
    ) -> Self {
        let first = |week: usize| settled.later(-HOURS * i64::try_from(weeks - week).unwrap_or_default());
        let count = |hour: LocalHour| history.get(hour).filter(|_| is_usual(hour));
        let row = |week: usize| (0..HOURS).map(|hour| count(first(week).later(hour))).collect();
        Self((0..weeks).map(row).collect())
    }

    /// Returns the sum of each hour of the week over all weeks; `None` if it is missing in all of them.
    pub(super) fn sums(&self) -> Vec<Option<f64>> {
        self.columns(None, |column| column.iter().copied().flatten().reduce(|sum, count| sum + count))
    }

    /// Returns the median of each hour of the week; 0 if it is missing in all weeks.
    pub(super) fn medians(&self) -> Vec<f64> {
        self.columns(None, |column| median(column.iter().copied().flatten()).unwrap_or_default())
    }

    /// Returns each day divided by the profile, one row per week; `None` if nothing was expected or no hour is known.
    pub(super) fn days_against(&self, profile: &[f64]) -> Vec<Vec<Option<f64>>> {
        let day = |(counts, usual): (&[Option<f64>], &[f64])| {
            let seen = counts.iter().zip(usual).filter_map(|(count, usual)| Some(((*count)?, usual)));
            let (sum, usually) = seen.fold((0.0, 0.0), |(sum, all), (count, usual)| (sum + count, all + usual));
            (usually > 0.0).then(|| sum / usually)
        };
        self.0.iter().map(|week| week.chunks(24).zip(profile.chunks(24)).map(day).collect()).collect()
    }

    /// Returns the weeks, each scaled to the level of the profile.
    pub(super) fn levelled(&self, profile: &[f64]) -> Self {
        let days = self.days_against(profile);
        let level = |days: &Vec<Option<f64>>| {
            median(days.iter().flatten().copied()).map(|level| level.clamp(LOWEST_LEVEL, HIGHEST_LEVEL))
        };
        let rows = self.0.iter().zip(&days).map(|(week, days)| {
            let level = level(days);
            week.iter().map(|count| Some((*count)? / level?)).collect()
        });
        Self(rows.collect())
    }

    /// Returns the mean of each hour of the week without its extremes, over all weeks except `left_out`.
    pub(super) fn midmeans(&self, left_out: Option<usize>) -> Vec<f64> {
        self.columns(left_out, midmean)
    }

    /// Computes a value from each hour of the week, over all weeks except `left_out`.
    fn columns<T>(&self, left_out: Option<usize>, value: impl Fn(&[Option<f64>]) -> T) -> Vec<T> {
        let rows: Vec<&[Option<f64>]> =
            self.0.iter().enumerate().filter(|(week, _)| Some(*week) != left_out).map(|(_, row)| &**row).collect();
        let hours = rows.first().map_or(0, |row| row.len());
        let mut column = Vec::with_capacity(rows.len());
        (0..hours)
            .map(|hour| {
                column.clear();
                column.extend(rows.iter().map(|row| row.get(hour).copied().flatten()));
                value(&column)
            })
            .collect()
    }
}

/// Returns the profile, and the weeks scaled to its level.
pub(super) fn profile(weeks: &Weeks) -> (Vec<f64>, Weeks) {
    let mut profile = weeks.medians();
    let mut levelled = weeks.levelled(&profile);
    for round in 0..ROUNDS {
        if round > 0 {
            levelled = weeks.levelled(&profile);
        }
        profile = levelled.midmeans(None);
    }
    (profile, levelled)
}

/// Returns the mean without the lowest and highest quarter. Missing values count as the median; returns 0 if all are missing.
fn midmean(column: &[Option<f64>]) -> f64 {
    let mut filled: Vec<f64> = column.iter().flatten().copied().collect();
    filled.sort_unstable_by(f64::total_cmp);
    let Some(middle) = median_of_sorted(&filled) else { return 0.0 };
    if filled.len() < column.len() {
        filled.resize(column.len(), middle);
        filled.sort_unstable_by(f64::total_cmp);
    }
    let cut = match filled.len() {
        weeks @ 4.. => weeks / 4,
        3 => 1,
        _ => 0,
    };
    let kept = filled.get(cut..filled.len() - cut).unwrap_or_default();
    kept.iter().sum::<f64>() / number(kept.len())
}

const HOURS: i64 = 168;

const ROUNDS: usize = 3;

const LOWEST_LEVEL: f64 = 0.05;

const HIGHEST_LEVEL: f64 = 20.0;
