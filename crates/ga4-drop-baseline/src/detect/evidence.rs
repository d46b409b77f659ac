//! How much speaks for a drop: a sequential test on minutes, beside the bounds of the windows.
//!
//! For every minute that a drop may have begun in, it holds the likeliest level of a drop against the usual one: the
//! logarithm of the likelihood ratio, in parts of what is enough for a page. The maximum over all beginnings is a CUSUM test
//! whose size of drop is not known, restarted every minute: it has no state that a restart could lose. Figures and reasons
//! are in docs/DROP-DETECTION.md.

use crate::detect::minutes::as_number;

/// The last minutes of a property, oldest first, and what is known of how its counts vary.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Pageviews; `None` where nobody has looked, or Google had no answer.
    pub counts: &'a [Option<u64>],
    /// What is usual in the same minutes.
    pub expected: &'a [f64],
    /// Variance by mean of pageviews, which come in sessions; more than 1.
    pub dispersion: f64,
    /// By which part the expectation of this hour may be wrong.
    pub error: f64,
}

/// Evidence for a drop that goes on now: 0 is none, 1 is enough to page when it stays for six minutes more.
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

/// The last minutes, this many as its place says.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: f64,
    expected: f64,
    seen: usize,
}

impl Observed<'_> {
    /// Sums over the last 0, 1, 2… minutes.
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

    /// The logarithm of how much likelier the count is at the likeliest level of a drop than at the usual one; negative
    /// where it speaks against a drop.
    fn ratio(&self, count: f64, expected: f64) -> f64 {
        // A negative binomial of this size has the variance of sessions and of an expectation that may be wrong.
        let size = expected / (self.dispersion - 1.0 + self.error * self.error * expected);
        let dropped = count.min(HIGHEST_LEVEL * expected);
        let of_count = if count > 0.0 { count * (dropped / expected).ln() } else { 0.0 };
        let ratio = of_count - (count + size) * ((dropped + size) / (expected + size)).ln();
        ratio * self.silence_of_sessions()
    }

    /// Sessions that come at random leave more minutes empty than a negative binomial of the same variance says.
    fn silence_of_sessions(&self) -> f64 {
        2.0 * (self.dispersion - 1.0) / ((self.dispersion + 1.0) * self.dispersion.ln())
    }
}

/// In minutes: how long ago a drop may have begun.
const LENGTHS: [usize; 22] = [3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300, 360];

/// In minutes; fewer say nothing.
const LEAST_SEEN: usize = 3;

/// An outage that is over is none that goes on: the last quarter, of this many minutes, must be low itself, to this part of
/// the usual.
const SHORTEST_RECENT: usize = 3;

const LONGEST_RECENT: usize = 30;

const RECENT_LEVEL: f64 = 0.7;

/// Only what is worth a page is a drop: to this part of the usual level or less.
const HIGHEST_LEVEL: f64 = 0.6;

/// As a natural logarithm.
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
        /// The same against three tenths of the expectation.
        learning: f64,
        unanswered: Vec<usize>,
    }

    impl Case {
        /// Evidence against a part of what is expected, and the minutes that were left out.
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
