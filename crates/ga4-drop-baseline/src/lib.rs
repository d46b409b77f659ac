//! What traffic is usual, and below which it hardly ever falls by chance: the arithmetic of the drop alert.
//!
//! Knows hourly history and minutes. Refuses to know Google, the network, Prometheus and the time: that is an argument. Figures
//! and reasons are in docs/DROP-DETECTION.md.
//!
//! 1. [`hours`]: history by hour of local time.
//! 2. [`Baseline::fit`]: `profile` (an hour of the week against others), `level` (the last days against the profile),
//!    `smoothing` (small sites), `residuals` (how wrong this would have been).
//! 3. [`expected`]: the baseline laid over a property's own time. [`bound`]: the lowest count that chance explains.
//! 4. [`minutes`] and [`calibration`]: what realtime counts, and how that compares; `silence`: what it missed. [`windows`],
//!    [`evidence`], [`watch`]: what follows; [`verdict`]: whether that is a drop. [`course`]: the same as a line.
//!
//! 5. [`calendar`]: zones, and the days on which less is usual. [`backtest`]: the alert replayed on the past.
//!
//! Invariant: no expectation and no bound is negative, infinite or not a number.

pub use bound::{Test, lower_bound};
pub use course::Slice;
pub use day::{DayView, YesterdayView};
pub use expected::Expected;
pub use fit::{Baseline, NoBaseline};
pub use forecast::Forecast;
pub use hours::{History, LocalHour};
pub use minutes::{Minute, Minutes, MinutesAgo};
pub use verdict::{TrafficDrop, Verdict};
pub use watch::{Assessment, Watch};
pub use windows::{Usual, WINDOWS, Window, WindowCount};

pub mod backtest;
pub mod bound;
pub mod calendar;
pub mod calibration;
pub mod course;
pub mod day;
pub mod evidence;
pub mod expected;
mod fit;
pub mod forecast;
pub mod hours;
mod level;
pub mod minutes;
mod profile;
mod residuals;
mod silence;
mod smoothing;
mod statistics;
pub mod verdict;
pub mod watch;
pub mod windows;

/// Weeks of history in a baseline, unless configured otherwise. Measured: with fewer, a campaign or a holiday passes for
/// what is usual.
pub const DEFAULT_WEEKS: usize = 8;

#[cfg(test)]
mod tests;
