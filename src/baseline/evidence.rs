//! How much speaks for a drop: a sequential test on minutes, beside the bounds of the windows.
//!
//! It asks which explanation without a drop is the cheapest, over windows of many lengths: the site runs at a lower level
//! than expected, for which the history names the price, and chance does the rest. The logarithm of how unlikely that is is
//! the evidence, in parts of what is enough for a page. A maximum over window lengths is a CUSUM test restarted every
//! minute: it has no state that a restart could lose. Figures and reasons: docs/DROP-DETECTION.md.

/// The last minutes of a property, oldest first, and what is known of how its counts vary.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Pageviews; `None` where nobody has looked.
    pub counts: &'a [Option<u32>],
    /// What is usual in the same minutes.
    pub expected: &'a [f64],
    /// Variance by mean of pageviews, which come in sessions.
    pub dispersion: f64,
    /// By which part the expectation of this hour may be wrong.
    pub error: f64,
}

/// Evidence for a drop that goes on now: 0 is none, 1 is enough to page if it stays for [`HOLD`] more minutes.
pub fn evidence(observed: Observed<'_>) -> f64 {
    let usual = Usual::new(observed.dispersion, observed.error);
    let latest = observed.expected.last().copied().unwrap_or_default();
    let mut window = Window::default();
    let mut largest = 0.0_f64;
    for (count, expected) in observed.counts.iter().zip(observed.expected).rev() {
        window.extend(*count, *expected);
        if WINDOWS.contains(&window.minutes) && 2 * window.seen >= window.minutes {
            largest = largest.max(window.evidence(latest, &usual));
        }
    }
    largest
}

/// A window that grows back in time.
#[derive(Clone, Copy, Default)]
struct Window {
    minutes: u32,
    /// Those that were seen.
    seen: u32,
    count: f64,
    expected: f64,
    /// Minutes without a pageview in a row: those that the oldest minute belongs to, and the longest.
    silent: u32,
    longest_silence: u32,
}

impl Window {
    fn extend(&mut self, count: Option<u32>, expected: f64) {
        self.minutes += 1;
        let Some(count) = count else { return };
        self.seen += 1;
        self.count += f64::from(count);
        self.expected += expected;
        self.silent = if count == 0 { self.silent + 1 } else { 0 };
        self.longest_silence = self.longest_silence.max(self.silent);
    }

    fn evidence(&self, latest: f64, usual: &Usual) -> f64 {
        // A gap in the answers looks like silence: so much of it proves nothing.
        let minutes = f64::from(self.seen - self.longest_silence.min(GAP));
        if minutes < 1.0 {
            return 0.0;
        }
        let expected = self.expected * minutes / f64::from(self.seen);
        if self.count >= usual.largest_share * expected {
            return 0.0;
        }
        // What there will be to see when the alert has waited.
        let count = self.count * (1.0 + HOLD / minutes);
        usual.cheapest_explanation(count, expected + HOLD * latest) / ENOUGH
    }
}

/// What explains low counts without a drop.
struct Usual {
    /// Mean pageviews of a session.
    pages: f64,
    error: f64,
    lowest_level: f64,
    /// A count above this part of the expectation is no drop.
    largest_share: f64,
}

impl Usual {
    fn new(dispersion: f64, error: f64) -> Self {
        let error = error.max(LEAST_ERROR);
        let lowest_level = (1.0 - LOWEST_LEVEL_ERRORS * error).clamp(LOWEST_LEVEL, 1.0);
        Self {
            pages: f64::midpoint(dispersion.max(1.0), 1.0),
            error,
            lowest_level,
            largest_share: LARGEST_SHARE.min(lowest_level),
        }
    }

    /// How unlikely the likeliest explanation is, as the negative of a natural logarithm.
    fn cheapest_explanation(&self, count: f64, expected: f64) -> f64 {
        let prices = (0..LEVELS).map(|step| {
            let level = self.lowest_level + (1.0 - self.lowest_level) * f64::from(step) / f64::from(LEVELS - 1);
            let of_level = (1.0 - level).powi(2) / (2.0 * self.error * self.error);
            of_level + self.price_of_chance(count, level * expected)
        });
        prices.fold(f64::INFINITY, f64::min)
    }

    /// The Chernoff bound on so low a count where sessions come at random and have a geometric number of pages:
    /// -log of the least `E[z^X] / z^count`. 0 when the count is not low; the missing sessions when it is 0.
    fn price_of_chance(&self, count: f64, mean: f64) -> f64 {
        if count >= mean {
            return 0.0;
        }
        let (last, more) = (1.0 / self.pages, 1.0 - 1.0 / self.pages);
        let sessions = mean * last;
        if count <= 0.0 {
            return sessions;
        }
        let half = 2.0 * more * count + sessions * last;
        let root = (half * half - 4.0 * more * more * count * count).max(0.0).sqrt();
        let z = 2.0 * count / (half + root);
        (count * z.ln() + sessions * (1.0 - last * z / (1.0 - more * z))).max(0.0)
    }
}

/// In minutes: how long the alert waits before it pages, as in the shipped rules.
pub const HOLD: f64 = 6.0;

/// Lengths in minutes; the longest is the longest window that is kept.
const WINDOWS: [u32; 14] = [6, 8, 10, 12, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360];

/// As a natural logarithm.
const ENOUGH: f64 = 8.5;

/// In minutes.
const GAP: u32 = 5;

/// The lowest level that is no drop: so many errors below the expectation, but not lower than this part of it.
const LOWEST_LEVEL_ERRORS: f64 = 2.5;

const LOWEST_LEVEL: f64 = 0.40;

/// Only what is worth a page pages.
const LARGEST_SHARE: f64 = 0.65;

/// How many levels are looked at.
const LEVELS: u32 = 9;

const LEAST_ERROR: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        counts: Vec<Option<u32>>,
        expected: Vec<f64>,
        phi: f64,
        sigma: f64,
        calibration: f64,
        evidence: f64,
    }

    #[test]
    fn every_case_agrees_with_the_reference() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/fixtures/baseline/evidence.json")).unwrap();
        for case in cases {
            let expected: Vec<f64> = case.expected.iter().map(|expected| expected * case.calibration).collect();
            let observed =
                Observed { counts: &case.counts, expected: &expected, dispersion: case.phi, error: case.sigma };
            let ours = evidence(observed);
            assert!(
                (ours - case.evidence).abs() < 1e-6 * case.evidence.max(1.0),
                "{}: {ours}, {}",
                case.name,
                case.evidence
            );
        }
    }

    /// `silent` minutes without a pageview after hours with 20 in each.
    fn after(silent: usize) -> f64 {
        let counts: Vec<Option<u32>> =
            (0..360).map(|minute| Some(if minute < 360 - silent { 20 } else { 0 })).collect();
        evidence(Observed { counts: &counts, expected: &[20.0; 360], dispersion: 2.5, error: 0.1 })
    }

    #[test]
    fn five_silent_minutes_prove_nothing_and_six_do() {
        assert!(after(5) < 0.5, "{}", after(5));
        assert!(after(6) > 1.0, "{}", after(6));
    }

    #[test]
    fn what_is_usual_is_no_evidence() {
        assert_eq!(after(0).to_bits(), 0.0_f64.to_bits());
    }
}
