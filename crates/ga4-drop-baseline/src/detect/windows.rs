//! The four windows of the drop alert: count, expectation and lower bound of each.
//!
//! They overlap on purpose: short ones detect an outage within minutes, long ones a partial drop on a small site.
//! Minutes that were not seen are excluded from count, expectation and bound.

use std::time::Duration;

use crate::{
    Test,
    detect::{
        calibration::Calibration,
        evidence::{Observed, evidence},
        minutes::{Minute, Minutes, as_number},
        silence::unanswered,
    },
    fit::{expected::Expected, statistics::number},
    lower_bound,
};

/// A span of time that ends now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The value of the label `window`.
    pub name: &'static str,
    /// Its length in whole minutes.
    pub minutes: usize,
    /// Decides when a count in the window is too low.
    pub test: Test,
}

/// The figures of a window. Counts are pageviews.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowCount {
    /// The window.
    pub window: &'static Window,
    /// The pageviews of the minutes that were seen.
    pub pageviews: f64,
    /// The usual pageviews of those minutes.
    pub expected: f64,
    /// Lower bound, which allows for chance and for the usual differences between weeks.
    pub low: f64,
}

/// The inputs of a bound.
#[derive(Clone, Copy, Debug)]
pub struct Usual<'a> {
    /// The baseline in the property's own time.
    pub expected: Expected<'a>,
    /// The ratio of realtime counts to the baseline.
    pub calibration: &'a Calibration,
}

impl Window {
    /// Returns the window with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        WINDOWS.iter().find(|window| window.name == name)
    }

    /// Returns the length as text for people.
    pub fn length_in_words(&self) -> String {
        match self.minutes {
            minutes @ ..60 => format!("{minutes} minutes"),
            minutes => format!("{} hours", minutes / 60),
        }
    }

    /// Returns the length.
    pub fn length(&self) -> Duration {
        Duration::from_mins(u64::try_from(self.minutes).unwrap_or(u64::MAX))
    }

    /// Returns the count and the expectation of this window, which ends with the last of these minutes; `None` if
    /// less than four fifths of it were seen.
    pub fn count(&'static self, recent: &Recent<'_>) -> Option<WindowCount> {
        let seen = recent.seen.iter().rev().take(self.minutes).flatten().count();
        if number(seen) < COVERAGE * number(self.minutes) {
            return None;
        }
        let minutes = recent.counts.iter().zip(&recent.expected).rev().take(self.minutes);
        let (mut pageviews, mut expected) = (0.0, 0.0);
        for (count, usual) in minutes.filter_map(|(count, usual)| Some(((*count)?, usual))) {
            pageviews += as_number(count);
            expected += usual;
        }
        expected *= recent.usual.factor(self.minutes, recent.newest);
        Some(WindowCount { window: self, pageviews, expected, low: recent.usual.bound(self, expected, recent.newest) })
    }
}

/// The last minutes of a property with their usual traffic, oldest first.
pub struct Recent<'a> {
    usual: Usual<'a>,
    newest: Minute,
    /// The counts that were seen.
    seen: Vec<Option<u64>>,
    /// The counts, without the minutes for which Google had no answer.
    counts: Vec<Option<u64>>,
    /// The expectation before calibration.
    expected: Vec<f64>,
    /// The expected realtime counts.
    usually: Vec<f64>,
}

impl<'a> Recent<'a> {
    /// Selects `length` minutes, the last of which is `newest`.
    pub fn new(minutes: &Minutes, usual: Usual<'a>, length: usize, newest: Minute) -> Self {
        let seen = minutes.last(length, newest);
        let expected = usual.expected.minutes(length, newest);
        let factor = usual.realtime_factor(newest);
        let usually: Vec<f64> = expected.iter().map(|expected| expected * factor).collect();
        let mut counts = seen.clone();
        for place in unanswered(&seen, &usually) {
            if let Some(count) = counts.get_mut(place) {
                *count = None;
            }
        }
        Self { usual, newest, seen, counts, expected, usually }
    }

    /// Returns the evidence of an ongoing drop. During the learning period, only traffic far below the usual
    /// counts as evidence.
    pub fn evidence(&self) -> f64 {
        let baseline = self.usual.expected.baseline;
        evidence(Observed {
            counts: &self.counts,
            expected: &self.usually,
            dispersion: baseline.dispersion,
            error: baseline.error(self.usual.expected.hour(self.newest.start())),
        })
    }

    /// Returns the count and the usual traffic of each minute, oldest first.
    pub fn minutes(&self) -> impl Iterator<Item = (Option<u64>, f64)> {
        let factor = self.usual.factor(HALF_HOUR.minutes, self.newest);
        self.seen.iter().zip(&self.expected).map(move |(count, expected)| (*count, expected * factor))
    }
}

impl Usual<'_> {
    /// Returns the factor for the expectation of a window with this length and end.
    pub(super) fn factor(&self, minutes: usize, newest: Minute) -> f64 {
        if self.expected.is_quiet(newest.start()) {
            return self.calibration.factor_on_quiet_day();
        }
        let begins = newest.later(1 - i64::try_from(minutes).unwrap_or_default());
        self.calibration.factor(begins)
    }

    /// Returns the factor for the realtime counts of the last minutes. During the learning period, only counts far below the
    /// usual traffic page.
    fn realtime_factor(&self, newest: Minute) -> f64 {
        if self.calibration.is_learning(newest) { WHILE_LEARNING } else { self.factor(HALF_HOUR.minutes, newest) }
    }

    /// Returns the lower bound of a window that ends with this minute. During the learning period, only counts far
    /// below the usual traffic page.
    fn bound(&self, window: &Window, expected: f64, newest: Minute) -> f64 {
        let baseline = self.expected.baseline;
        let error = baseline.error(self.expected.hour(newest.start()));
        let low = lower_bound(expected, baseline.dispersion, error, window.test);
        if self.calibration.is_learning(newest) { low * WHILE_LEARNING } else { low }
    }
}

/// All windows, shortest first.
pub const WINDOWS: &[Window] = &[
    Window { name: "10m", minutes: 10, test: Test { alpha: 1e-4, rho: 0.45 } },
    HALF_HOUR,
    Window { name: "2h", minutes: 120, test: Test { alpha: 1e-4, rho: 0.65 } },
    Window { name: "6h", minutes: 360, test: Test { alpha: 1e-4, rho: 0.7 } },
];

/// The window of the calibration samples.
pub const HALF_HOUR: Window = Window { name: "30m", minutes: 30, test: Test { alpha: 3e-4, rho: 0.6 } };

/// The fraction of a window that must have been seen.
const COVERAGE: f64 = 0.8;

const WHILE_LEARNING: f64 = 0.3;

/// The longest window, in minutes.
pub const LONGEST: usize = 360;
