//! How many requests may be in flight at once.

use std::time::Duration;

/// The configured limits of requests in flight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// In total; by default as many as the planned rate needs.
    pub in_flight: Option<usize>,
    /// Per property.
    pub per_property: usize,
}

/// The limits, and the number of requests in flight that the plan needs.
#[derive(Debug)]
pub(super) struct Concurrency {
    /// The configured limits.
    pub(super) limits: Limits,
    /// The limit whatever the plan needs, since each request takes a connection.
    pub(super) connections: usize,
    /// The recent average duration of polls, in seconds.
    latency: f64,
}

impl Concurrency {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, connections: usize::MAX, latency: 0.0 }
    }

    /// Enters the duration of a poll. When polls take longer, more have to be in flight, or slow ones hold up the others.
    pub(super) fn on_latency(&mut self, took: Duration) {
        self.latency += LATENCY_WEIGHT * (took.as_secs_f64() - self.latency);
    }

    /// Returns the total limit for this planned rate per second.
    pub(super) fn in_flight(&self, rate: f64) -> usize {
        self.limits.in_flight.unwrap_or_else(|| self.planned(rate)).min(self.connections)
    }

    /// As many as keep the planned rate when each takes [`PLANNED_LATENCY`], or the recent average if that is longer.
    pub(super) fn planned(&self, rate: f64) -> usize {
        let latency = PLANNED_LATENCY.as_secs_f64().max(LATENCY_ROOM * self.latency);
        let needed = (rate * latency).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and small enough")]
        let needed = needed as usize;
        needed.max(LEAST_IN_FLIGHT)
    }
}

/// The latency that the default limit is made for.
const PLANNED_LATENCY: Duration = Duration::from_secs(2);

/// The weight of one poll in the average.
const LATENCY_WEIGHT: f64 = 0.02;

/// Headroom, since some polls take longer than the average.
const LATENCY_ROOM: f64 = 1.5;

/// The lowest default limit.
const LEAST_IN_FLIGHT: usize = 32;
