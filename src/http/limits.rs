//! The limits for clients.

use std::time::Duration;

/// Numbers, sizes and durations. Production uses the default; tests shorten it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Open connections. Further ones are answered with 503 and closed.
    pub connections: usize,
    /// Open connections per client address, unless it is a loopback address.
    pub connections_per_address: usize,
    /// Bytes of text held for clients, unless twice the newest rendering is more.
    pub memory: u64,
    /// From accepting a connection, or from the first byte of a further request, to the end of the request's header.
    pub header: Duration,
    /// From the end of a response to the first byte of the next request.
    pub idle: Duration,
    /// From the end of a request's header until the system has accepted the last byte of the response.
    pub response: Duration,
    /// How often a client's reading rate is checked; the first period is its grace.
    pub pace: Duration,
    /// Bytes per second that a client has to read on average in each such period.
    pub least_rate: u64,
    /// For running responses when the server stops.
    pub drain: Duration,
    /// For answering a connection over the limit.
    pub refusal: Duration,
    /// The highest age of a rendering if nothing has changed: some values change without notice.
    pub reuse: Duration,
    /// The highest age of a rendering once something has changed. With zero, every scrape sees every change.
    pub reuse_changed: Duration,
    /// How long before either limit the next rendering is started at the earliest, while the current one is served.
    pub renewal: Duration,
    /// Pause after the system lacked resources to accept a connection.
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

/// The default of [`Limits::renewal`]: rendering and compressing 100,000 series takes about a tenth of it on one core.
const RENEWAL: Duration = Duration::from_millis(250);

/// The default of [`Limits::accept_pause`].
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
