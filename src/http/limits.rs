//! What clients may take of the server.

use std::time::Duration;

/// How many, and for how long. The default is what [`serve`](super::serve) is meant to run with; tests shorten it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Connections open at once. Further ones are answered with 503 and closed.
    pub connections: usize,
    /// Those of one client address, unless it is a loopback address.
    pub connections_per_address: usize,
    /// Bytes of text that are kept for clients, if twice the newest rendering is not more.
    pub memory: u64,
    /// From accepting a connection, or from the first byte of a further request, to the end of the request's header.
    pub header: Duration,
    /// From the end of a response to the first byte of the next request.
    pub idle: Duration,
    /// From the end of a request's header to the moment when the system has taken the last byte of the response.
    pub response: Duration,
    /// How often it is looked at whether a client reads fast enough; the first such time is its grace.
    pub pace: Duration,
    /// Bytes a second that a client has to read on average in each such time.
    pub least_rate: u64,
    /// For the responses under way when the server is to stop.
    pub drain: Duration,
    /// For telling a connection beyond the limit that it is one too many.
    pub refusal: Duration,
    /// How old a rendering gets at most, even if nothing has changed: some values change without notice.
    pub reuse: Duration,
    /// How old a rendering gets at most once something has changed. With zero every scrape sees every change.
    pub reuse_changed: Duration,
    /// How long before either end the next rendering is begun, at most, while the present one serves.
    pub renewal: Duration,
    /// Pause after the system could not accept a connection for want of something.
    pub accept_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            connections_per_address: MAX_CONNECTIONS_PER_ADDRESS,
            memory: MEMORY,
            header: HEADER_DEADLINE,
            idle: IDLE_DEADLINE,
            response: RESPONSE_DEADLINE,
            pace: PACE,
            least_rate: LEAST_RATE,
            drain: DRAIN_DEADLINE,
            refusal: REFUSAL_DEADLINE,
            reuse: MAX_REUSE,
            reuse_changed: MAX_REUSE_CHANGED,
            renewal: RENEWAL,
            accept_pause: ACCEPT_PAUSE,
        }
    }
}

/// The default of [`Limits::connections`].
const MAX_CONNECTIONS: usize = 256;

/// The default of [`Limits::connections_per_address`].
const MAX_CONNECTIONS_PER_ADDRESS: usize = 64;

/// The default of [`Limits::memory`].
const MEMORY: u64 = 64 << 20;

/// The default of [`Limits::header`].
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// The default of [`Limits::idle`]: longer than Prometheus' usual scrape intervals, so that it keeps its connection.
const IDLE_DEADLINE: Duration = Duration::from_secs(75);

/// The default of [`Limits::response`].
const RESPONSE_DEADLINE: Duration = Duration::from_secs(30);

/// The default of [`Limits::pace`].
const PACE: Duration = Duration::from_secs(5);

/// The default of [`Limits::least_rate`].
const LEAST_RATE: u64 = 10_000;

/// The default of [`Limits::drain`].
const DRAIN_DEADLINE: Duration = Duration::from_secs(5);

/// The default of [`Limits::refusal`].
const REFUSAL_DEADLINE: Duration = Duration::from_secs(1);

/// The default of [`Limits::reuse`].
const MAX_REUSE: Duration = Duration::from_secs(1);

/// The default of [`Limits::reuse_changed`].
const MAX_REUSE_CHANGED: Duration = Duration::from_millis(500);

/// The default of [`Limits::renewal`]: ten times what rendering and packing 100,000 series takes, with a core to itself.
const RENEWAL: Duration = Duration::from_millis(250);

/// The default of [`Limits::accept_pause`].
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
