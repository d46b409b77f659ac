//! Evidence of a drop: a sequential test on the minutes, in addition to the bounds of the windows.
//!
//! For every minute in which a drop may have begun, it compares the most likely level of a drop with the usual level.
//! The result is the logarithm of the likelihood ratio, divided by the value that is enough for a page. The maximum
//! over all starting minutes is a CUSUM test for a drop of unknown size. It is computed again every minute, so it has
//! no state that a restart could lose. Figures and reasons are in docs/DROP-DETECTION.md.

use crate::detect::minutes::as_number;

/// The last minutes of a property, oldest first, and how its counts vary.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Pageviews; `None` for minutes that were not polled or for which Google had no answer.
    pub counts: &'a [Option<u64>],
    /// The usual pageviews of the same minutes.
    pub expected: &'a [f64],
    /// Variance of pageviews divided by their mean. It is more than 1, because pageviews come in sessions.
    pub dispersion: f64,
    /// Relative error of the expectation of this hour.
    pub error: f64,
}

/// Returns the evidence of an ongoing drop: 0 is none, 1 is enough to page if it lasts for six more minutes.
pub fn evidence(observed: Observed<'_>) -> f64 {
    let sums = observed.sums();
    let mut largest = 0.0_f64;
    for length in LENGTHS {
        let recent = sums.get((length / 4).clamp(SHORTEST_RECENT, LONGEST_RECENT));
        let (Some(sum), Some(recent)) = (sums.get(length), recent) else { break };
        let goes_on = recent.count <= RECENT_LEVEL * recent.expected;
        if sum.seen >= LEAST_SEEN && goes_on {
            largest = largest.max(observed.ratio(sum.count, sum.expected) / ENOUGH);
        }
    }
    largest
}

/// Sum over the last minutes; the index of a sum is the number of minutes.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: f64,
    expected: f64,
    seen: usize,
}

impl Observed<'_> {
    /// Returns the sums over the last 0, 1, 2… minutes.
    fn sums(&self) -> Vec<Sum> {
        let mut sum = Sum::default();
        let minutes = self.counts.iter().zip(self.expected).rev().map(|(count, expected)| {
            if let Some(count) = count.filter(|_| *expected > 0.0) {
                sum.count += as_number(count);
                sum.expected += expected;
                sum.seen += 1;
            }
            sum
        });
        std::iter::once(Sum::default()).chain(minutes).collect()
    }

    /// Returns the log-likelihood ratio of the most likely level of a drop to the usual level; negative values are
    /// evidence against a drop.
    fn ratio(&self, count: f64, expected: f64) -> f64 {
        // A negative binomial distribution of this size includes the variance of sessions and of the error of
        // the expectation.
        let size = expected / (self.dispersion - 1.0 + self.error * self.error * expected);
        let dropped = count.min(HIGHEST_LEVEL * expected);
        let of_count = if count > 0.0 { count * (dropped / expected).ln() } else { 0.0 };
        let ratio = of_count - (count + size) * ((dropped + size) / (expected + size)).ln();
        ratio * self.silence_of_sessions()
    }

    /// Corrects for empty minutes: random sessions leave more of them than a negative binomial distribution of the
    /// same variance.
    fn silence_of_sessions(&self) -> f64 {
        2.0 * (self.dispersion - 1.0) / ((self.dispersion + 1.0) * self.dispersion.ln())
    }
}

/// How long ago a drop may have begun, in minutes.
const LENGTHS: [usize; 22] = [3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300, 360];

/// Smallest number of seen minutes that is evaluated.
const LEAST_SEEN: usize = 3;

/// A drop must be ongoing: its last quarter, but at least this many minutes, must itself be at or below
/// `RECENT_LEVEL` of the usual traffic.
const SHORTEST_RECENT: usize = 3;

const LONGEST_RECENT: usize = 30;

const RECENT_LEVEL: f64 = 0.7;

/// Only drops to at most this fraction of the usual level are worth a page.
const HIGHEST_LEVEL: f64 = 0.6;

/// The log-likelihood ratio, as a natural logarithm, that is enough for a page.
const ENOUGH: f64 = 8.5;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::detect::silence::unanswered;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        counts: Vec<Option<u64>>,
        /// `null` where nothing is expected.
        expected: Vec<Option<f64>>,
        phi: f64,
        sigma: f64,
        calibration: f64,
        evidence: f64,
        /// The evidence relative to three tenths of the expectation.
        learning: f64,
        unanswered: Vec<usize>,
    }

    impl Case {
        /// Returns the evidence relative to this fraction of the expectation, and the minutes that were excluded.
        fn evidence(&self, part: f64) -> (f64, Vec<usize>) {
            let expected: Vec<f64> = self.expected.iter().map(|expected| expected.unwrap_or_default() * part).collect();
            let left_out = unanswered(&self.counts, &expected);
            let mut counts = self.counts.clone();
            left_out.iter().for_each(|place| counts[*place] = None);
            let observed = Observed { counts: &counts, expected: &expected, dispersion: self.phi, error: self.sigma };
            (evidence(observed), left_out)
        }
    }

    #[test]
    fn every_case_agrees_with_the_reference() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/fixtures/baseline/evidence.json")).unwrap();
        let agree = |ours: f64, theirs: f64| (ours - theirs).abs() < 1e-6 * theirs.max(1.0);
        for case in cases {
            let (ours, left_out) = case.evidence(case.calibration);
            assert!(agree(ours, case.evidence), "{}: {ours} and not {}", case.name, case.evidence);
            assert_eq!(left_out, case.unanswered, "{}", case.name);
            let learning = case.evidence(0.3).0;
            assert!(agree(learning, case.learning), "{}, learning: {learning} and not {}", case.name, case.learning);
        }
    }
}
