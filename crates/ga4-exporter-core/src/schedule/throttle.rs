//! Slowing everything down when the Cloud project itself sends too many requests a minute.

use std::time::Duration;

use jiff::Timestamp;

use crate::time::later;

/// The pace of all requests together.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// Nothing is sent before this.
    paused_until: Timestamp,
    /// The part of the planned rate that is allowed, and when it was; 1 is no limit.
    pace: f64,
    pace_at: Timestamp,
    /// The earliest time for the next request under that pace.
    next_send: Timestamp,
}

impl Throttle {
    /// Google has refused a request because the project's rate is too high.
    pub fn on_rate_limit(&mut self, now: Timestamp) {
        // Those that were on their way already tell the same thing again.
        if self.paused_until > now {
            return;
        }
        self.pace = (self.pace_at(now) / 2.0).max(SLOWEST_PACE);
        self.paused_until = later(now, PAUSE);
        self.pace_at = self.paused_until;
    }

    /// A request was sent; `planned_rate` is in requests per second.
    pub fn on_sent(&mut self, now: Timestamp, planned_rate: f64) {
        let pace = self.pace_at(now);
        if pace < 1.0 {
            let gap = Duration::try_from_secs_f64(1.0 / (planned_rate * pace).max(LOWEST_RATE)).unwrap_or(PAUSE);
            self.next_send = later(now, gap);
        }
    }

    /// Until when nothing may be sent, if that is so.
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.paused_until.max(self.next_send);
        (until > now).then_some(until)
    }

    fn pace_at(&self, now: Timestamp) -> f64 {
        let minutes = now.duration_since(self.pace_at).as_secs_f64().max(0.0) / 60.0;
        (self.pace + RECOVERY_PER_MINUTE * minutes).min(1.0)
    }
}

impl Default for Throttle {
    fn default() -> Self {
        let never = Timestamp::UNIX_EPOCH;
        Self { paused_until: never, pace: 1.0, pace_at: never, next_send: never }
    }
}

const PAUSE: Duration = Duration::from_secs(60);

const SLOWEST_PACE: f64 = 1.0 / 16.0;

/// From half pace back to full pace in ten minutes.
const RECOVERY_PER_MINUTE: f64 = 0.05;

/// In requests per second: a few properties at a slow pace are still polled once a minute.
const LOWEST_RATE: f64 = 1.0 / 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn it_pauses_goes_on_at_half_pace_and_recovers() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.closed_until(at(0)), None);
        throttle.on_rate_limit(at(0));
        throttle.on_rate_limit(at(1));
        assert_eq!(throttle.closed_until(at(1)), Some(at(60)), "a second refusal in the pause changes nothing");
        assert_eq!(throttle.closed_until(at(60)), None);
        throttle.on_sent(at(60), 1.0);
        assert_eq!(throttle.closed_until(at(60)), Some(at(62)), "half of one request a second");
        throttle.on_sent(at(60 + 600), 1.0);
        assert_eq!(throttle.closed_until(at(60 + 600)), None, "full pace after ten minutes");
    }

    #[test]
    fn repeated_refusals_halve_the_pace_again() {
        let mut throttle = Throttle::default();
        throttle.on_rate_limit(at(0));
        throttle.on_rate_limit(at(60));
        throttle.on_sent(at(120), 1.0);
        assert_eq!(throttle.closed_until(at(120)), Some(at(124)));
    }
}
