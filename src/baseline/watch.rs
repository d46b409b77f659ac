//! One property under watch: its last minutes, how they compare with the processed data, and what follows.
//!
//! This is what a restart should not forget. Invariant: whatever is published of a window is of whole minutes that were
//! seen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    calibration::{self, Calibration, Sample},
    expected::Expected,
    minutes::{Minute, Minutes, MinutesAgo},
    windows::{HALF_HOUR, Usual, WINDOWS, WindowCount},
};

/// What is kept of a property from poll to poll.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Watch {
    minutes: Minutes,
    calibration: Calibration,
}

/// What the last minutes say, against what was expected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    /// Those windows that enough was seen of, the shortest first.
    pub windows: Vec<WindowCount>,
    /// The median of count by expectation over the last day; `None` before three hours of samples.
    pub calibration_ratio: Option<f64>,
    /// Whether the realtime counts can be held against the expectation at all. If not, the bounds are not to be used.
    pub is_fit: bool,
}

impl Watch {
    /// Takes an answer to a request that was sent and answered at these times.
    pub fn take(&mut self, answer: &MinutesAgo, sent_at: Timestamp, received_at: Timestamp) {
        self.minutes.take(answer, sent_at, received_at);
    }

    /// The clock was set back to this time.
    pub fn forget_after(&mut self, now: Timestamp) {
        self.minutes.forget_after(Minute::of(now));
    }

    /// The last minute that was counted.
    pub fn newest(&self) -> Option<Minute> {
        self.minutes.newest()
    }

    /// Holds the minutes up to the newest against what was expected in them, and learns from them.
    pub fn assess(&mut self, expected: Expected<'_>) -> Assessment {
        let Some(newest) = self.minutes.newest() else { return Assessment::default() };
        self.calibration.begin(newest);
        self.calibrate(expected, newest);
        let usual = Usual { expected, calibration: &self.calibration };
        Assessment {
            windows: WINDOWS.iter().filter_map(|window| window.count(&self.minutes, &usual, newest)).collect(),
            calibration_ratio: self.calibration.ratio(newest),
            is_fit: !self.calibration.is_unfit(newest),
        }
    }

    /// Takes the samples that have come about since the last one.
    fn calibrate(&mut self, expected: Expected<'_>, newest: Minute) {
        let settled = newest.later(1 - SETTLING);
        let oldest = newest.later(-LONGEST_GAP);
        let mut at = self.calibration.last_sample().map_or(oldest, |last| last.later(1).max(oldest));
        at = at.later((EVERY - at.of_ten()) % EVERY);
        while at <= settled {
            if let Some(sample) = self.sample(expected, at) {
                self.calibration.add(sample);
            }
            at = at.later(EVERY);
        }
    }

    /// The half hour before a minute as a sample, if enough of it was seen and expected.
    fn sample(&self, expected: Expected<'_>, at: Minute) -> Option<Sample> {
        let usual = Usual { expected, calibration: &self.calibration };
        let count = HALF_HOUR.count(&self.minutes, &usual, at.later(-1))?;
        let uncalibrated = count.expected / self.calibration.factor(at.later(-HALF_HOUR_MINUTES));
        if uncalibrated < calibration::LEAST_EXPECTED {
            return None;
        }
        let teaches = self.calibration.is_learning(at) || count.pageviews >= count.low;
        #[expect(clippy::cast_possible_truncation, reason = "six digits of a ratio are enough")]
        let ratio = (count.pageviews / uncalibrated) as f32;
        Some(Sample { at, ratio, teaches })
    }
}

/// A minute is as good as complete when so many minutes have passed since its end.
const SETTLING: i64 = 2;

/// Samples further back are not made up for.
const LONGEST_GAP: i64 = 180;

const EVERY: i64 = 10;

const HALF_HOUR_MINUTES: i64 = 30;
