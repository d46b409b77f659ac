//! Decides from realtime counts by minute whether a property has less traffic than usual.
//!
//! 1. [`minutes`]: the counts. [`calibration`]: the ratio of realtime counts to the history. `silence`: minutes for
//!    which Google had no answer.
//! 2. [`windows`]: count, expectation and bound of the last minutes and hours. [`evidence`]: a sequential test
//!    over the minutes.
//! 3. [`watch`]: combines these for one property. [`verdict`]: decides whether there is a drop. [`course`]: the last
//!    hours for the chart.

pub mod calibration;
pub mod course;
pub mod evidence;
pub mod minutes;
mod silence;
pub mod verdict;
pub mod watch;
pub mod windows;
