//! The arithmetic of the drop alert: which traffic is usual, and the lower bound that chance hardly ever crosses.
//!
//! Knows the hourly history and the counts by minute. Refuses to know Google, the network, Prometheus and the current
//! time, which is an argument. Figures and reasons are in docs/DROP-DETECTION.md.
//!
//! 1. [`fit`]: computes the usual traffic from the hourly history.
//! 2. [`detect`]: decides from the minutes whether there is less than that.
//! 3. [`calendar`]: time zones, and days on which less traffic is usual. [`backtest`]: replays the alert on past traffic.
//!
//! Invariant: no expectation and no bound is negative, infinite or NaN.

pub use detect::{
    course::Slice,
    minutes::{Minute, Minutes, MinutesAgo},
    verdict::{TrafficDrop, Verdict},
    watch::{Assessment, Watch},
    windows::{Usual, WINDOWS, Window, WindowCount},
};
pub use fit::{
    Baseline, NoBaseline,
    bound::{Test, lower_bound},
    day::{DayAhead, DayView, YesterdayView},
    expected::Expected,
    forecast::Forecast,
    hours::{History, LocalHour},
    outages::PastOutage,
};

pub mod backtest;
pub mod calendar;
pub mod detect;
pub mod fit;

/// Weeks of history in a baseline, unless configured otherwise. Measured: with fewer weeks, a campaign or a holiday
/// is mistaken for usual traffic.
pub const DEFAULT_WEEKS: usize = 8;

#[cfg(test)]
mod tests;
