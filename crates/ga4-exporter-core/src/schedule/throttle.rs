//! Slows down when Google says that there are too many requests per minute: first one property, then everything if others are
//! refused too.
//!
//! Google counts these requests per Cloud project or per address (google/api/error_reason.proto, RATE_LIMIT_EXCEEDED), but may
//! also refuse a single property for a long time. Refuses to know reports and quota buckets.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use crate::{names::PropertyId, time::later};

/// The pace of all requests, and the properties that pause on their own.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// Properties that were refused since their last answer.
    refused: HashMap<PropertyId, Refused>,
    /// The last refusal.
    last: Option<(PropertyId, Timestamp)>,
    /// Nothing is sent before this.
    paused_until: Timestamp,
    /// The allowed fraction of the planned rate, and when it was set; 1 is no limit.
    pace: f64,
    pace_at: Timestamp,
    /// The earliest time for the next request at that pace.
    next_send: Timestamp,
}

/// The pause of a refused property.
#[derive(Clone, Copy, Debug)]
struct Refused {
    /// No request before this time.
    until: Timestamp,
    /// The length of the pause.
    pause: Duration,
}

impl Throttle {
    /// Google refused a request for this property because the project's rate is too high. The property pauses, twice as long
    /// each time. If another one was refused within a minute, the cause is the project, and everything pauses.
    pub fn on_rate_limit(&mut self, property: PropertyId, now: Timestamp) {
        // Requests that were already in flight add no information.
        if self.paused_until > now || self.refused_until(property, now).is_some() {
            return;
        }
        let another = self.last.replace((property, now));
        if another.is_some_and(|(other, at)| other != property && later(at, PAUSE) >= now) {
            self.on_address_limit(now);
            return;
        }
        let before = self.refused.get(&property).map(|refused| refused.pause);
        let pause = before.map_or(PAUSE, |pause| (2 * pause).min(LONGEST_PAUSE));
        self.refused.insert(property, Refused { until: later(now, pause), pause });
    }

    /// Google answered a request for this property. During its pause, this is a request that was sent before.
    pub fn on_answer(&mut self, property: PropertyId, now: Timestamp) {
        if self.refused_until(property, now).is_none() {
            self.refused.remove(&property);
        }
    }

    /// Forgets a property.
    pub fn remove(&mut self, property: PropertyId) {
        self.refused.remove(&property);
    }

    /// Returns the end of this property's pause, if it pauses.
    pub fn refused_until(&self, property: PropertyId, now: Timestamp) -> Option<Timestamp> {
        self.refused.get(&property).map(|refused| refused.until).filter(|until| *until > now)
    }

    /// Google refuses all requests from this address.
    pub fn on_address_limit(&mut self, now: Timestamp) {
        if self.paused_until > now {
            return;
        }
        self.pace = (self.pace_at(now) / 2.0).max(SLOWEST_PACE);
        self.paused_until = later(now, PAUSE);
        self.pace_at = self.paused_until;
    }

    /// Enters a sent request; `planned_rate` is in requests per second.
    pub fn on_sent(&mut self, now: Timestamp, planned_rate: f64) {
        let pace = self.pace_at(now);
        if pace < 1.0 {
            let gap = Duration::try_from_secs_f64(1.0 / (planned_rate * pace).max(LOWEST_RATE)).unwrap_or(PAUSE);
            self.next_send = later(now, gap);
        }
    }

    /// Returns until when no request may be sent, if that is in the future.
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
        Self { refused: HashMap::new(), last: None, paused_until: never, pace: 1.0, pace_at: never, next_send: never }
    }
}

/// The pause of everything, and the first pause of a property.
const PAUSE: Duration = Duration::from_secs(60);

/// The longest pause of a property.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

const SLOWEST_PACE: f64 = 1.0 / 16.0;

/// Recovers from half pace to full pace in ten minutes.
const RECOVERY_PER_MINUTE: f64 = 0.05;

/// The lowest rate, in requests per second, so that a few properties are still polled once a minute.
const LOWEST_RATE: f64 = 1.0 / 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn id(number: u64) -> PropertyId {
        number.to_string().parse().unwrap()
    }

    #[test]
    fn one_property_that_is_always_refused_pauses_alone_and_longer_each_time() {
        let mut throttle = Throttle::default();
        let mut now = 0;
        for pause in [60, 120, 240, 480, 600, 600] {
            throttle.on_rate_limit(id(1), at(now));
            throttle.on_rate_limit(id(1), at(now + 1));
            assert_eq!(
                throttle.refused_until(id(1), at(now + 1)),
                Some(at(now + pause)),
                "also when refused twice at once"
            );
            assert_eq!(throttle.closed_until(at(now + 1)), None, "the others go on");
            assert_eq!(throttle.refused_until(id(2), at(now + 1)), None);
            now += pause;
            assert_eq!(throttle.refused_until(id(1), at(now)), None);
        }
        throttle.on_answer(id(1), at(now));
        throttle.on_rate_limit(id(1), at(now));
        throttle.on_answer(id(1), at(now + 1));
        assert_eq!(throttle.refused_until(id(1), at(now + 1)), Some(at(now + 60)), "an answer after the pause ends it");
    }

    #[test]
    fn a_second_property_within_a_minute_pauses_the_project() {
        let mut throttle = Throttle::default();
        throttle.on_rate_limit(id(1), at(0));
        throttle.on_rate_limit(id(2), at(61));
        assert_eq!(throttle.closed_until(at(61)), None, "a minute has passed");
        throttle.on_rate_limit(id(1), at(121));
        assert_eq!(throttle.closed_until(at(121)), Some(at(181)));
        assert_eq!(throttle.refused_until(id(1), at(121)), None, "it is not the property");
    }

    #[test]
    fn it_pauses_goes_on_at_half_pace_and_recovers() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.closed_until(at(0)), None);
        throttle.on_address_limit(at(0));
        throttle.on_address_limit(at(1));
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
        throttle.on_address_limit(at(0));
        throttle.on_address_limit(at(60));
        throttle.on_sent(at(120), 1.0);
        assert_eq!(throttle.closed_until(at(120)), Some(at(124)));
    }
}
