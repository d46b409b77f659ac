//! How reports are polled, as configured.

use std::time::Duration;

use ga4_drop_baseline::calendar::QuietDays;

use super::fields::{self, Field};

/// How a report is polled, as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportSettings {
    /// Whether it is polled at all.
    pub enabled: bool,
    /// From one poll to the next.
    pub interval: Duration,
    /// How long its values hold.
    pub stale_after: StaleAfter,
    /// Which of the report's metrics, by our name, in the order of [`super::fields`]; never empty.
    pub metrics: Vec<&'static str>,
}

impl ReportSettings {
    /// Of the report `realtime`, where nothing is configured.
    pub fn realtime() -> Self {
        Self::all(Duration::from_mins(1), fields::REALTIME)
    }

    /// Of the report `traffic`, where nothing is configured.
    pub fn traffic() -> Self {
        Self::all(Duration::from_mins(15), fields::TRAFFIC)
    }

    fn all(interval: Duration, known: &[Field]) -> Self {
        Self {
            enabled: true,
            interval,
            stale_after: STALE_AFTER,
            metrics: known.iter().map(|field| field.name).collect(),
        }
    }
}

/// How long values hold, counted from the sending of the request that brought them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StaleAfter {
    /// This number of intervals, but at least [`LEAST_STALE_AFTER`].
    Intervals(f64),
    /// A fixed time.
    Fixed(Duration),
}

impl StaleAfter {
    /// The time that values of a report with this interval hold.
    pub fn for_interval(self, interval: Duration) -> Duration {
        match self {
            Self::Intervals(times) => interval.mul_f64(times).max(LEAST_STALE_AFTER),
            Self::Fixed(duration) => duration,
        }
    }
}

/// How the report is polled that the baseline is made of: once a day, in the property's morning.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineSettings {
    /// Whether there is a baseline at all.
    pub enabled: bool,
    /// How many weeks of history it is made of.
    pub weeks: usize,
    /// How long it holds without a successful poll; its interval is one day.
    pub stale_after: StaleAfter,
    /// Days on which less is expected, and which are left out of the history.
    pub quiet_days: QuietDays,
}

impl Default for BaselineSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            weeks: ga4_drop_baseline::DEFAULT_WEEKS,
            stale_after: STALE_AFTER,
            quiet_days: QuietDays::default(),
        }
    }
}

const STALE_AFTER: StaleAfter = StaleAfter::Intervals(3.0);

/// Values of a report with a short interval hold at least this long, unless a time is configured.
pub const LEAST_STALE_AFTER: Duration = Duration::from_secs(120);
