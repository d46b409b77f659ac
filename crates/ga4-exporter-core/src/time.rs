//! Arithmetic on times, without a clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Adds a duration to a time, saturating.
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

/// Detects that the clock was set back: due times would otherwise come too late.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    last_seen: Timestamp,
}

impl Steps {
    /// Creates it with the current reading of the clock.
    pub fn new(now: Timestamp) -> Self {
        Self { last_seen: now }
    }

    /// Returns how far the clock was set back since the last reading.
    pub fn back(&mut self, now: Timestamp) -> Option<SignedDuration> {
        let back = self.last_seen.duration_since(now);
        self.last_seen = now;
        (back > SMALLEST_STEP).then_some(back)
    }
}

/// Smaller steps back are normal work of NTP.
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
