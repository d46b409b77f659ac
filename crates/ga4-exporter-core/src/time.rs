//! Arithmetic of times. Nothing here reads a clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A time so much later; the end of time at the latest.
pub fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Unix time in seconds, to the millisecond.
pub fn unix_seconds(at: Timestamp) -> f64 {
    let milliseconds = at.as_millisecond();
    #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
    let seconds = milliseconds as f64 / 1000.0;
    seconds
}

/// Notices that the clock was set back: what was planned by it would come too late.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    last_seen: Timestamp,
}

impl Steps {
    /// The clock shows this now.
    pub fn new(now: Timestamp) -> Self {
        Self { last_seen: now }
    }

    /// By how much the clock was set back since it was looked at last.
    pub fn back(&mut self, now: Timestamp) -> Option<SignedDuration> {
        let back = self.last_seen.duration_since(now);
        self.last_seen = now;
        (back > SMALLEST_STEP).then_some(back)
    }
}

/// Smaller steps back are the daily work of NTP.
const SMALLEST_STEP: SignedDuration = SignedDuration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_steps_back_are_noticed() {
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut steps = Steps::new(start);
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        assert_eq!(steps.back(after(3600)), None);
        assert_eq!(steps.back(after(3595)), None);
        assert_eq!(steps.back(after(3000)), Some(SignedDuration::from_secs(595)));
        assert_eq!(steps.back(after(3001)), None);
    }
}
