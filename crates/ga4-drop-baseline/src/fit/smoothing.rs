//! Smooths the profile of a small site where chance explains the differences between hours.

use crate::fit::statistics::{MEDIAN_OF_CHI_SQUARE, median, number};

/// A smoother profile, and the weight of each hour's own value.
pub(super) struct Smoothing {
    smooth: Vec<f64>,
    own_weights: Vec<f64>,
}

impl Smoothing {
    /// `sums` are the counts of all weeks in the profile, `None` for an hour without data: a site that is closed at
    /// night must not be expected to be open. `first_day` is the first day of the week in the profile, 0 for Monday.
    pub(super) fn new(profile: &[f64], sums: &[Option<f64>], first_day: usize) -> Self {
        let smooth = smooth(profile, first_day);
        let chance = |sum: f64| MEAN_OF_TRIMMED * DISPERSION / sum.max(1.0);
        let counted = || profile.iter().zip(&smooth).zip(sums).filter_map(|(pair, sum)| Some((pair, (*sum)?)));
        let differences = counted().map(|((own, smooth), _)| (own / smooth.max(TINY) - 1.0).powi(2));
        let all = median(differences).unwrap_or_default() / MEDIAN_OF_CHI_SQUARE;
        let by_chance = median(counted().map(|(_, sum)| chance(sum))).unwrap_or_default();
        let real = (all - by_chance).max(0.0);
        let own_weights = sums.iter().map(|sum| sum.map_or(1.0, |sum| real / (real + chance(sum)))).collect();
        Self { smooth, own_weights }
    }

    /// Returns the profile combined with the smoother one.
    pub(super) fn apply(&self, profile: &[f64]) -> Vec<f64> {
        let each = profile.iter().zip(&self.smooth).zip(&self.own_weights);
        each.map(|((own, smooth), weight)| weight * own + (1.0 - weight) * smooth).collect()
    }
}

/// Returns the smoother profile: half from the neighbouring hours, half from the shape of the other working days or
/// of the other weekend day.
fn smooth(profile: &[f64], first_day: usize) -> Vec<f64> {
    let near = neighbours(profile);
    let days: Vec<&[f64]> = near.chunks(24).collect();
    let totals: Vec<f64> = days.iter().map(|day| day.iter().sum()).collect();
    let is_working = |day: usize| (first_day + day) % 7 < WORKING_DAYS;
    let shape = |working: bool| -> Vec<f64> {
        let alike = (0..days.len()).filter(|day| is_working(*day) == working);
        let shares: Vec<Vec<f64>> = alike.filter_map(|day| Some(shares(days.get(day)?, *totals.get(day)?))).collect();
        let mean = |hour: usize| {
            let all = shares.iter().filter_map(|shares| shares.get(hour));
            all.sum::<f64>() / number(shares.len().max(1))
        };
        (0..24).map(mean).collect()
    };
    let shapes = [shape(false), shape(true)];
    let mut smooth = Vec::with_capacity(near.len());
    for (day, (hours, total)) in days.iter().zip(&totals).enumerate() {
        let [weekend, working] = &shapes;
        let shape = if is_working(day) { working } else { weekend };
        smooth.extend(hours.iter().zip(shape).map(|(near, share)| 0.5 * total * share + 0.5 * near));
    }
    smooth
}

fn shares(hours: &[f64], total: f64) -> Vec<f64> {
    hours.iter().map(|hour| hour / if total > 0.0 { total } else { 1.0 }).collect()
}

/// Returns each hour averaged with its neighbours, which have half its weight; the week wraps around.
fn neighbours(profile: &[f64]) -> Vec<f64> {
    let before = profile.iter().cycle().skip(profile.len().saturating_sub(1));
    let after = profile.iter().cycle().skip(1);
    let each = profile.iter().zip(before).zip(after);
    each.map(|((own, before), after)| 0.25 * before + 0.5 * own + 0.25 * after).collect()
}

/// Monday to Friday.
const WORKING_DAYS: usize = 5;

/// Variance of the mean of the middle weeks, divided by that of the mean of all weeks.
const MEAN_OF_TRIMMED: f64 = 1.3;

/// Dispersion of pageviews, which come in sessions, before it is measured.
const DISPERSION: f64 = 2.5;

const TINY: f64 = 1e-9;
