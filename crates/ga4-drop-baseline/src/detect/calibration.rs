//! The calibration: the ratio of realtime counts to the later processed data. It is near 1 and differs between properties.
//!
//! It is the median of the property's own last 24 hours of samples: half-hour counts divided by their expectation,
//! one sample every ten minutes. Refuses to know the source of the counts. Invariant: [`Calibration::factor`] is
//! within [`FACTORS`].

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::detect::minutes::Minute;

mod packed;

/// The samples of a property, about a day and a half.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Calibration {
    /// The minute of the first count, if there was no earlier state.
    since: Option<Minute>,
    /// The minute of the last count.
    seen: Option<Minute>,
    /// The minute since which the ratio is below [`LEAST_CREDIBLE`].
    doubtful_since: Option<Minute>,
    /// The median of the samples when the last one was added that was not of a quiet day.
    #[serde(default)]
    before_quiet_day: Option<f32>,
    /// Oldest first; at most [`KEPT`] samples.
    #[serde(with = "packed")]
    samples: VecDeque<Sample>,
}

/// The count of one half hour, compared with its expectation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The minute after the end of the half hour.
    pub at: Minute,
    /// The count divided by the expectation.
    pub ratio: f32,
    /// Whether the calibration uses the sample. A count below the bound may be the drop to be detected, so it is not used.
    pub teaches: bool,
}

impl Calibration {
    /// Returns the time of the last sample.
    pub fn last_sample(&self) -> Option<Minute> {
        self.samples.back().map(|sample| sample.at)
    }

    /// Records that counts are available at this time. Restarts the calibration after a day without counts.
    pub fn begin(&mut self, now: Minute) {
        let is_known = self.seen.is_some_and(|seen| seen.until(now).abs() < DAY);
        if !is_known {
            *self = Self { since: Some(now), ..Self::default() };
        }
        self.seen = Some(now);
        let oldest = now.later(-SAMPLES_KEPT_FOR);
        self.samples.retain(|sample| sample.at > oldest && sample.at <= now);
    }

    /// Adds a sample; ignores samples that are out of order.
    pub fn add(&mut self, sample: Sample) {
        if self.push(sample)
            && let Some(median) = self.median(sample.at, |sample| sample.teaches)
        {
            self.before_quiet_day = Some(as_stored(median));
        }
    }

    /// Adds a sample of a quiet day. Its ratio is to the expectation of an ordinary day: as the day after a holiday is often
    /// quiet too, it lowers the factor of that day. It never raises it, and it does not make the figures doubtful.
    pub fn add_of_quiet_day(&mut self, sample: Sample) {
        let (least, _) = FACTORS;
        let most = self.before_quiet_day.unwrap_or(1.0);
        self.push(Sample { ratio: sample.ratio.max(as_stored(least)).min(most), ..sample });
    }

    /// Adds a sample, and returns whether it was in order.
    fn push(&mut self, sample: Sample) -> bool {
        if self.last_sample().is_some_and(|last| last >= sample.at) || !sample.ratio.is_finite() {
            return false;
        }
        // Reserves the exact maximum, to save memory for many properties.
        self.samples.reserve_exact(KEPT + 1 - self.samples.len());
        self.samples.push_back(sample);
        if self.samples.len() > KEPT {
            self.samples.pop_front();
        }
        let is_doubtful = self.ratio(sample.at).is_some_and(|ratio| ratio < LEAST_CREDIBLE);
        self.doubtful_since = is_doubtful.then(|| self.doubtful_since.unwrap_or(sample.at));
        true
    }

    /// Returns whether the property is still in its first three hours, in which the ratio is not known.
    pub fn is_learning(&self, now: Minute) -> bool {
        self.since.is_none_or(|since| (0..LEARNING).contains(&since.until(now)))
    }

    /// Returns the end of the learning period, while it lasts.
    pub fn learning_until(&self, now: Minute) -> Option<Minute> {
        self.since.filter(|_| self.is_learning(now)).map(|since| since.later(LEARNING))
    }

    /// Returns whether there has been so much less realtime than processed data for a day that they cannot be compared.
    /// More than usual is no reason not to see an outage, and the factor is limited.
    pub fn is_unfit(&self, now: Minute) -> bool {
        self.doubtful_since.is_some_and(|since| since.until(now) >= DAY)
    }

    /// Returns the median ratio of the samples of the last 24 hours; `None` if there are fewer than three hours of samples.
    pub fn ratio(&self, now: Minute) -> Option<f64> {
        self.median(now, |_| true)
    }

    /// Returns the factor for expectations of a window that begins at this time; 1 if there are too few samples.
    pub fn factor(&self, window_begins: Minute) -> f64 {
        let (least, most) = FACTORS;
        self.median(window_begins, |sample| sample.teaches).map_or(1.0, |ratio| ratio.clamp(least, most))
    }

    /// Returns the factor for expectations on a quiet day: the one before it, and at most 1, since a busy day says nothing
    /// of a quiet one.
    pub fn factor_on_quiet_day(&self) -> f64 {
        let (least, _) = FACTORS;
        self.before_quiet_day.map_or(1.0, |ratio| f64::from(ratio).clamp(least, 1.0))
    }

    fn median(&self, until: Minute, counts: impl Fn(&Sample) -> bool) -> Option<f64> {
        let day = until.later(-DAY);
        let within = |sample: &&Sample| sample.at > day && sample.at <= until && counts(sample);
        let mut ratios: Vec<f32> = self.samples.iter().filter(within).map(|sample| sample.ratio).collect();
        if ratios.len() < LEAST_SAMPLES {
            return None;
        }
        let is_even = ratios.len().is_multiple_of(2);
        // Only the middle is needed, so the list does not have to be sorted.
        let middle = ratios.len() / 2;
        let (below, upper, _) = ratios.select_nth_unstable_by(middle, f32::total_cmp);
        let lower = below.iter().copied().max_by(f32::total_cmp).filter(|_| is_even).unwrap_or(*upper);
        Some(f64::midpoint(f64::from(lower), f64::from(*upper)))
    }
}

/// Returns the ratio as samples have it.
#[expect(clippy::cast_possible_truncation, reason = "six digits of a ratio are enough")]
pub fn as_stored(ratio: f64) -> f32 {
    ratio as f32
}

/// Half hours with fewer expected pageviews are too uncertain for a sample.
pub const LEAST_EXPECTED: f64 = 3.0;

/// Limits of the factor; measured ratios are 0.85 to 1.05. A higher factor would expect too much of the day after a busy
/// one. Where realtime counts more, drops look less deep; learning slowly upwards instead was no better (measured).
pub const FACTORS: (f64, f64) = (0.75, 1.05);

/// With a lower ratio, the two figures do not measure the same traffic.
const LEAST_CREDIBLE: f64 = 0.6;

/// Three hours of samples.
const LEAST_SAMPLES: usize = 18;

/// In minutes.
const LEARNING: i64 = 180;

/// In minutes.
const DAY: i64 = 1440;

/// The longest window uses the samples of the day before its start.
const SAMPLES_KEPT_FOR: i64 = DAY + 390;

const KEPT: usize = 183;

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 29_399_760;

    fn minute(after: i64) -> Minute {
        Minute::of(jiff::Timestamp::from_second((START + after) * 60).unwrap())
    }

    fn filled(from: i64, to: i64, ratio: impl Fn(i64) -> f32) -> Calibration {
        let mut calibration = Calibration::default();
        for after in (from..=to).step_by(10) {
            calibration.begin(minute(after));
            calibration.add(Sample { at: minute(after), ratio: ratio(after), teaches: true });
        }
        calibration
    }

    #[test]
    fn three_hours_of_samples_are_needed() {
        assert_eq!(filled(0, 160, |_| 0.9).factor(minute(160)).to_bits(), 1.0_f64.to_bits());
        assert!((filled(0, 170, |_| 0.9).factor(minute(170)) - 0.9).abs() < 1e-6);
        let calibration = filled(0, 170, |_| 0.9);
        assert!(calibration.is_learning(minute(179)) && !calibration.is_learning(minute(180)));
        assert_eq!(calibration.learning_until(minute(0)), Some(minute(180)));
        assert_eq!(calibration.learning_until(minute(179)), Some(minute(180)));
        assert_eq!(calibration.learning_until(minute(180)), None);
    }

    #[test]
    fn the_factor_is_the_bounded_median_of_the_day_before() {
        let check = |ratio: f32, expected: f64| {
            let factor = filled(0, 1000, |_| ratio).factor(minute(1000));
            assert!((factor - expected).abs() < 1e-6, "{ratio}: {factor}");
        };
        check(0.95, 0.95);
        check(0.2, 0.75);
        check(1.2, 1.05);
        check(3.0, 1.05);
        let changed = filled(0, 3000, |after| if after <= 1560 { 0.8 } else { 1.04 });
        assert!((changed.factor(minute(3000)) - 1.04).abs() < 1e-6, "only a day counts");
        assert!((changed.factor(minute(1560)) - 0.8).abs() < 1e-6, "what comes after a window begins is not in it");
        let even = filled(0, 190, |after| if after < 100 { 0.8 } else { 1.0 });
        assert!((even.factor(minute(190)) - 0.9).abs() < 1e-6);
    }

    #[test]
    fn what_does_not_teach_shows_in_the_ratio_only() {
        let mut calibration = filled(0, 300, |_| 1.0);
        for after in (310..=1740).step_by(10) {
            calibration.add(Sample { at: minute(after), ratio: 0.1, teaches: false });
        }
        assert!((calibration.factor(minute(1500)) - 1.0).abs() < 1e-6);
        assert!((calibration.ratio(minute(1740)).unwrap() - 0.1).abs() < 1e-6);
    }

    #[test]
    fn chance_on_quiet_days_adds_up_to_nothing() {
        let mut calibration = filled(0, 1440, |_| 0.95);
        // Five quiet days with as much as on other days, but for chance. What is capped by what was capped before would
        // become ever less.
        for after in (1450..=8640).step_by(10) {
            let ratio = [0.91, 0.93, 0.95, 0.97, 0.99][usize::try_from(after / 10 % 5).unwrap()];
            calibration.begin(minute(after));
            calibration.add_of_quiet_day(Sample { at: minute(after), ratio, teaches: true });
        }
        assert!((calibration.factor(minute(8640)) - 0.95).abs() < 1e-6);
    }

    #[test]
    fn a_quiet_day_has_the_factor_of_the_day_before_and_lowers_that_of_the_day_after() {
        for (before, on_quiet_day) in [(0.7, 0.75), (0.9, 0.9), (1.04, 1.0)] {
            let mut calibration = filled(0, 1440, |_| before);
            assert!((calibration.factor_on_quiet_day() - on_quiet_day).abs() < 1e-6);
            for after in (1450..=4320).step_by(10) {
                calibration.begin(minute(after));
                calibration.add_of_quiet_day(Sample { at: minute(after), ratio: 0.2, teaches: true });
            }
            assert!((calibration.factor_on_quiet_day() - on_quiet_day).abs() < 1e-6);
            assert!((calibration.factor(minute(4320)) - 0.75).abs() < 1e-6);
            assert!(!calibration.is_unfit(minute(4320)), "a holiday of days withdraws nothing");
        }
        assert!((Calibration::default().factor_on_quiet_day() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn figures_that_differ_for_a_day_cannot_be_compared() {
        let calibration = filled(0, 170 + 1430, |_| 0.4);
        assert!(!calibration.is_unfit(minute(170 + 1430)));
        let mut calibration = filled(0, 170 + 1440, |_| 0.4);
        assert!(calibration.is_unfit(minute(170 + 1440)));
        for after in (1620..=2400).step_by(10) {
            calibration.add(Sample { at: minute(after), ratio: 1.0, teaches: true });
        }
        assert!(!calibration.is_unfit(minute(2400)), "it can again when most of a day agrees");
    }

    #[test]
    fn more_traffic_than_usual_withdraws_nothing() {
        let calibration = filled(0, 5000, |_| 3.0);
        assert!(!calibration.is_unfit(minute(5000)));
        // A state that was saved by a version that thought otherwise.
        let text = serde_json::to_string(&filled(0, 3000, |_| 3.0)).unwrap();
        let since = serde_json::to_value(minute(200)).unwrap();
        let doubtful = text.replace("\"doubtful_since\":null", &format!("\"doubtful_since\":{since}"));
        let mut saved: Calibration = serde_json::from_str(&doubtful).unwrap();
        assert!(saved.is_unfit(minute(3000)), "until the next sample");
        saved.begin(minute(3010));
        saved.add(Sample { at: minute(3010), ratio: 3.0, teaches: true });
        assert!(!saved.is_unfit(minute(3010)));
    }

    #[test]
    fn after_a_day_without_counts_it_begins_anew() {
        let mut calibration = filled(0, 1000, |_| 0.9);
        calibration.begin(minute(1000 + 1430));
        assert!(!calibration.is_learning(minute(1000 + 1430)));
        calibration.begin(minute(1000 + 1430 + 1450));
        assert!(calibration.is_learning(minute(1000 + 1430 + 1450)));
        assert_eq!(calibration.samples.len(), 0);
    }

    #[test]
    fn a_day_and_the_longest_window_are_kept() {
        let calibration = filled(0, 5000, |_| 1.0);
        assert_eq!(calibration.samples.len(), KEPT);
        assert!(calibration.factor(minute(5000 - 360)) > 0.0);
    }
}
