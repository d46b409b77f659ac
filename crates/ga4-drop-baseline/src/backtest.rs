//! Shows what the drop alert would have done: replays past traffic minute by minute, each day with the data
//! known on that day.
//!
//! Knows the rule of the alert as deploy/prometheus/rules defines it. Refuses to know files, the network and the
//! current time. The bounds are computed by the code that the exporter serves. Traffic is in the property's local
//! time: hours that daylight saving skips are missing, and those that it repeats are merged into one.
//!
//! 1. [`traffic`]: pageviews by minute, or by hour and spread over the minutes.
//! 2. [`replay`]: the days in order. [`crate::detect::verdict`]: whether a minute is too low. [`alert`]: whether that pages.
//! 3. [`summary`]: the result as text, with a `proposal` of quiet days.

pub use alert::Alert;
pub use replay::{Outcome, Page, Point, Replay};
pub use traffic::Traffic;

pub mod alert;
mod proposal;
pub mod replay;
pub mod summary;
pub mod traffic;
