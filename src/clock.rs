//! The one place that reads the time.
//!
//! Everything else is given a [`Timestamp`]. The wall clock serves for due times too, so that what fell due while the
//! machine was suspended is due when it wakes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

/// Tells the time of day; cheap to clone, and all clones agree.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Milliseconds that this clock is ahead of the system's.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self { ahead: Arc::new(AtomicI64::new(0)) }
    }

    /// A clock that shows `start` now and goes on from there at the usual pace.
    pub fn starting_at(start: Timestamp) -> Self {
        let clock = Self::system();
        clock.advance(start.duration_since(system_time()));
        clock
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        system_time().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Moves all clones of this clock: forwards, or backwards with a negative duration.
    pub fn advance(&self, by: SignedDuration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

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

/// A point to measure how long something takes from; never for what is due when.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn monotonic() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn system_time() -> Timestamp {
    Timestamp::now()
}

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

    #[test]
    fn clones_move_together() {
        let start: Timestamp = "2026-03-29T00:59:58Z".parse().unwrap();
        let clock = Clock::starting_at(start);
        let other = clock.clone();
        clock.advance(SignedDuration::from_hours(1));
        assert!(other.now() >= start + SignedDuration::from_mins(59));
    }
}
