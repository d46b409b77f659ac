//! What traffic is usual, and below which it hardly ever falls by chance: the arithmetic of the drop alert.
//!
//! Knows hourly history and minutes. Refuses to know Google, the network, Prometheus and the time: that is an argument. Figures
//! and reasons are in docs/DROP-DETECTION.md.
//!
//! 1. [`fit`]: what is usual, from the history by hour.
//! 2. [`detect`]: whether there is less than that, from the minutes.
//! 3. [`calendar`]: zones, and the days on which less is usual. [`backtest`]: the alert replayed on the past.
//!
//! Invariant: no expectation and no bound is negative, infinite or not a number.

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
    day::{DayView, YesterdayView},
    expected::Expected,
    forecast::Forecast,
    hours::{History, LocalHour},
};

pub mod backtest;
pub mod calendar;
pub mod detect;
pub mod fit;

/// Weeks of history in a baseline, unless configured otherwise. Measured: with fewer, a campaign or a holiday passes for
/// what is usual.
pub const DEFAULT_WEEKS: usize = 8;

#[cfg(test)]
mod tests;
