//! The four windows that the drop alert looks at: count, expectation and lower bound of each.
//!
//! They overlap on purpose: the short ones see an outage within minutes, the long ones a partial drop on a small site.
//! Minutes never seen are left out of count, expectation and bound alike.

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

    /// How long it is, for people.
    pub fn length_in_words(&self) -> String {
        match self.minutes {
            minutes @ ..60 => format!("{minutes} minutes"),
            minutes => format!("{} hours", minutes / 60),
        }
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        Duration::from_mins(u64::try_from(self.minutes).unwrap_or(u64::MAX))
    }

    /// What was counted and what was to be expected in this window, when it ends with the last of these minutes; `None`
    /// while less than four fifths of it were seen.
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

/// The last minutes of a property beside what is usual in them, oldest first.
pub struct Recent<'a> {
    usual: Usual<'a>,
    newest: Minute,
    /// What was seen.
    seen: Vec<Option<u64>>,
    /// The same without the minutes that Google had no answer for.
    counts: Vec<Option<u64>>,
    /// Not calibrated.
    expected: Vec<f64>,
}

impl<'a> Recent<'a> {
    /// So many minutes up to and with the newest.
    pub fn new(minutes: &Minutes, usual: Usual<'a>, length: usize, newest: Minute) -> Self {
        let seen = minutes.last(length, newest);
        let expected = usual.expected.minutes(length, newest);
        let mut recent = Self { usual, newest, counts: seen.clone(), seen, expected };
        for place in unanswered(&recent.seen, &recent.usually()) {
            if let Some(count) = recent.counts.get_mut(place) {
                *count = None;
            }
        }
        recent
    }

    /// What speaks for a drop that goes on. While nothing is known of the property's realtime counts, only what is far
    /// below the usual does.
    pub fn evidence(&self) -> f64 {
        let baseline = self.usual.expected.baseline;
        evidence(Observed {
            counts: &self.counts,
            expected: &self.usually(),
            dispersion: baseline.dispersion,
            error: baseline.error(self.usual.expected.hour(self.newest.start())),
        })
    }

    /// What was seen of each minute, and what is usual in it, oldest first.
    pub fn minutes(&self) -> impl Iterator<Item = (Option<u64>, f64)> {
        let factor = self.usual.factor(HALF_HOUR.minutes, self.newest);
        self.seen.iter().zip(&self.expected).map(move |(count, expected)| (*count, expected * factor))
    }

    /// What is expected of the realtime counts.
    fn usually(&self) -> Vec<f64> {
        let is_learning = self.usual.calibration.is_learning(self.newest);
        let factor = if is_learning { WHILE_LEARNING } else { self.usual.factor(HALF_HOUR.minutes, self.newest) };
        self.expected.iter().map(|expected| expected * factor).collect()
    }
}

impl Usual<'_> {
    /// What the expectation of a window with this length and end is to be multiplied by.
    fn factor(&self, minutes: usize, newest: Minute) -> f64 {
        let begins = newest.later(1 - i64::try_from(minutes).unwrap_or_default());
        self.calibration.factor(begins)
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

/// The longest window, in minutes.
pub const LONGEST: usize = 360;
