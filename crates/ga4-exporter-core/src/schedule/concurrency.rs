//! How many requests may be on their way at once.

use std::time::Duration;

/// How many requests may be on their way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Altogether; by default as many as the planned rate needs.
    pub in_flight: Option<usize>,
    /// On one property.
    pub per_property: usize,
}

/// What is allowed, and what is needed.
#[derive(Debug)]
pub(super) struct Concurrency {
    /// As configured.
    pub(super) limits: Limits,
    /// How many there may be whatever is planned: each takes a connection.
    pub(super) connections: usize,
    /// How long polls have taken lately, in seconds.
    latency: f64,
}

impl Concurrency {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, connections: usize::MAX, latency: 0.0 }
    }

    /// A poll has taken so long. When many take longer, more have to be on their way, or those that hang hold up the others.
    pub(super) fn on_latency(&mut self, took: Duration) {
        self.latency += LATENCY_WEIGHT * (took.as_secs_f64() - self.latency);
    }

    /// How many may be on their way altogether when this many a second are planned.
    pub(super) fn in_flight(&self, rate: f64) -> usize {
        self.limits.in_flight.unwrap_or_else(|| self.planned(rate)).min(self.connections)
    }

    /// As many as keep the planned rate when each takes [`PLANNED_LATENCY`], or as long as they take lately.
    pub(super) fn planned(&self, rate: f64) -> usize {
        let latency = PLANNED_LATENCY.as_secs_f64().max(LATENCY_ROOM * self.latency);
        let needed = (rate * latency).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and small enough")]
        let needed = needed as usize;
        needed.max(LEAST_IN_FLIGHT)
    }
}

/// The latency that the default number of requests on their way is planned for.
const PLANNED_LATENCY: Duration = Duration::from_secs(2);

/// How much one poll counts in the latency.
const LATENCY_WEIGHT: f64 = 0.02;

/// Not all take as long as the average.
const LATENCY_ROOM: f64 = 1.5;

/// The least default number of requests on their way.
const LEAST_IN_FLIGHT: usize = 32;
