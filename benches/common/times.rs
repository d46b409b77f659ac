//! What many measurements of one thing say.

use std::time::Duration;

/// The time in milliseconds that this many percent of these do not exceed; 50 is the median.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
