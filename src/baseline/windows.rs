//! The four windows that the drop alert looks at: count, expectation and lower bound of each.
//!
//! They overlap on purpose: the short ones see an outage within minutes, the long ones a partial drop on a small site.
//! Minutes never seen are left out of count, expectation and bound alike.

use std::time::Duration;

use super::{
    Test,
    calibration::Calibration,
    evidence::{Observed, evidence},
    expected::Expected,
    lower_bound,
    minutes::{Minute, Minutes},
};

/// A length of time up to now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The value of the label `window`.
    pub name: &'static str,
    /// How many whole minutes it has.
    pub minutes: usize,
    /// When a count in it is too low.
    pub test: Test,
}

/// What a window says. Counts are pageviews.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowCount {
    /// Which window.
    pub window: &'static Window,
    /// What was counted in the minutes that were seen.
    pub pageviews: f64,
    /// What is usual in those minutes.
    pub expected: f64,
    /// What chance and the usual differences between weeks do not fall below.
    pub low: f64,
}

/// All that is needed for a bound.
#[derive(Clone, Copy, Debug)]
pub struct Usual<'a> {
    /// The baseline in the property's own time.
    pub expected: Expected<'a>,
    /// How realtime counts differ from it.
    pub calibration: &'a Calibration,
}

impl Window {
    /// The window of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        WINDOWS.iter().find(|window| window.name == name)
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        Duration::from_mins(u64::try_from(self.minutes).unwrap_or(u64::MAX))
    }

    /// What was counted and what was to be expected in this window, when it ends with the minute `newest`; `None` while less
    /// than [`COVERAGE`] of it were seen.
    pub fn count(&'static self, minutes: &Minutes, usual: &Usual<'_>, newest: Minute) -> Option<WindowCount> {
        let counts = minutes.last(self.minutes, newest);
        #[expect(clippy::cast_precision_loss, reason = "at most 360")]
        let coverage = counts.iter().flatten().count() as f64 / self.minutes as f64;
        if coverage < COVERAGE {
            return None;
        }
        let each = usual.expected.minutes(self.minutes, newest);
        let seen = counts.iter().zip(&each).filter_map(|(count, expected)| Some(((*count)?, expected)));
        let (pageviews, usually) = seen
            .fold((0.0, 0.0), |(counted, usually), (count, expected)| (counted + f64::from(count), usually + expected));
        let begins = newest.later(1 - i64::try_from(self.minutes).unwrap_or_default());
        let expected = usually * usual.calibration.factor(begins);
        Some(WindowCount { window: self, pageviews, expected, low: usual.bound(self, expected, newest) })
    }
}

impl Usual<'_> {
    /// What speaks for a drop in the minutes up to the newest. While nothing is known of the property's realtime counts, it
    /// takes a drop from far below what is usual.
    pub fn evidence(&self, minutes: &Minutes, newest: Minute) -> f64 {
        let baseline = self.expected.baseline;
        let learning = if self.calibration.is_learning(newest) { WHILE_LEARNING } else { 1.0 };
        let factor = self.calibration.factor(newest.later(1 - HALF_HOUR_MINUTES)) * learning;
        let expected: Vec<f64> =
            self.expected.minutes(LONGEST, newest).into_iter().map(|expected| expected * factor).collect();
        evidence(Observed {
            counts: &minutes.last(LONGEST, newest),
            expected: &expected,
            dispersion: baseline.dispersion,
            error: baseline.error(self.expected.hour(newest.start())),
        })
    }

    /// What a count may not fall below in a window that ends with this minute. While nothing is known of the property's
    /// realtime counts, only what is far below pages.
    fn bound(&self, window: &Window, expected: f64, newest: Minute) -> f64 {
        let baseline = self.expected.baseline;
        let error = baseline.error(self.expected.hour(newest.start()));
        let low = lower_bound(expected, baseline.dispersion, error, window.test);
        if self.calibration.is_learning(newest) { low * WHILE_LEARNING } else { low }
    }
}

/// Every window, the shortest first.
pub const WINDOWS: &[Window] = &[
    Window { name: "10m", minutes: 10, test: Test { alpha: 1e-4, rho: 0.45 } },
    HALF_HOUR,
    Window { name: "2h", minutes: 120, test: Test { alpha: 1e-4, rho: 0.65 } },
    Window { name: "6h", minutes: 360, test: Test { alpha: 1e-4, rho: 0.7 } },
];

/// The window that calibrations are made with.
pub const HALF_HOUR: Window = Window { name: "30m", minutes: 30, test: Test { alpha: 3e-4, rho: 0.6 } };

/// How much of a window must have been seen.
const COVERAGE: f64 = 0.8;

const WHILE_LEARNING: f64 = 0.3;

/// The minutes that evidence is looked for in.
const LONGEST: usize = 360;

const HALF_HOUR_MINUTES: i64 = 30;
