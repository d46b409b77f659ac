//! Whether a property has less traffic than usual, from its realtime counts by minute.
//!
//! 1. [`minutes`]: what was counted. [`calibration`]: how realtime counts compare with the history. `silence`: minutes that
//!    Google had no answer for.
//! 2. [`windows`]: count, expectation and bound of the last minutes and hours. [`evidence`]: a sequential test over the minutes.
//! 3. [`watch`]: all of that for one property. [`verdict`]: whether it is a drop. [`course`]: the last hours, to be drawn.

pub mod calibration;
pub mod course;
pub mod evidence;
pub mod minutes;
mod silence;
pub mod verdict;
pub mod watch;
pub mod windows;
