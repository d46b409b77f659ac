//! The only place that reads the time.
//!
//! Everything else gets a [`Timestamp`] as an argument. Due times use the wall clock too, so that what became due while the
//! machine was suspended is due when it wakes up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use jiff::{SignedDuration, Timestamp};

pub use ga4_exporter_core::time::{Steps, later, unix_seconds};

/// Reads the wall clock; cheap to clone, and all clones agree.
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

    /// Creates a clock that shows `start` now and continues at the normal pace.
    pub fn starting_at(start: Timestamp) -> Self {
        let clock = Self::system();
        clock.advance(start.duration_since(system_time()));
        clock
    }

    /// Returns the current time.
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

/// Returns a monotonic instant for measuring durations; not for due times.
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
    fn clones_move_together() {
        let start: Timestamp = "2026-03-29T00:59:58Z".parse().unwrap();
        let clock = Clock::starting_at(start);
        let other = clock.clone();
        clock.advance(SignedDuration::from_hours(1));
        assert!(other.now() >= start + SignedDuration::from_mins(59));
    }
}
