//! What the drop alert would have done: past traffic replayed minute by minute, each day with what was known on it.
//!
//! Knows the alert's rule as deploy/prometheus/rules has it. Refuses to know files, the network and the time. The bounds are
//! those of the crate itself, the very code that the exporter serves. Traffic is on the clocks of the property: hours that
//! daylight saving skips are missing, and those that it repeats are one.
//!
//! 1. [`traffic`]: pageviews by minute, or by hour and spread over the minutes.
//! 2. [`replay`]: the days, one after the other. [`crate::detect::verdict`]: whether a minute is too low. [`alert`]: whether that pages.
//! 3. [`summary`]: what came of it, as text.

pub use alert::Alert;
pub use replay::{Outcome, Page, Point, Replay};
pub use traffic::Traffic;

pub mod alert;
pub mod replay;
pub mod summary;
pub mod traffic;
