//! Deadlines of connections.
//!
//! Derives a connection's phase from what is read and written ([`TimedStream`]), and from when a request is complete and its
//! response is handed over ([`TimedBody`]). Refuses to know HTTP. Invariant: a connection always has a deadline.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    time::{self, Instant},
};

use super::{Limits, content::Content};

/// The deadlines of one connection.
#[derive(Debug)]
pub(super) struct Deadlines {
    limits: Limits,
    state: Mutex<State>,
    /// Notified when another client needs its slot.
    evicted: Notify,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    until: Instant,
    /// While a response is being sent.
    pace: Option<Pace>,
    is_evicted: bool,
}

/// The rate at which the client has to read.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// The next check.
    until: Instant,
    /// Bytes that have to be sent by then.
    least: u64,
    /// Bytes that are sent.
    written: u64,
}

/// The phase of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// The client sends a request's header.
    Header,
    /// The response is being made or written.
    Response,
    /// The response is complete but not fully written.
    Flush,
    /// The client may send another request.
    Idle,
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// It took too long in a phase.
    Late(Phase),
    /// The client reads too slowly.
    Slow,
    /// It was idle, and another client needed its slot.
    Evicted,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late(Phase::Header) => "the request's header took too long",
            Self::Late(Phase::Response | Phase::Flush) => "the response took too long",
            Self::Late(Phase::Idle) => "there was no further request",
            Self::Slow => "the client reads too slowly",
            Self::Evicted => "evicted while idle: another client needed the slot",
        })
    }
}

impl Deadlines {
    /// Creates the deadlines of a connection that was just accepted.
    pub(super) fn new(limits: Limits) -> Self {
        let state = State { phase: Phase::Header, until: now() + limits.header, pace: None, is_evicted: false };
        Self { limits, state: Mutex::new(state), evicted: Notify::new() }
    }

    /// Runs a connection until it ends, is too slow, or is evicted.
    pub(super) async fn enforce<T>(&self, connection: impl Future<Output = T>) -> Result<T, Ending> {
        tokio::select! {
            biased; // an evicted client gets no answer to a late request
            () = self.evicted.notified() => Err(Ending::Evicted),
            ended = self.enforce_times(connection) => ended,
        }
    }

    async fn enforce_times<T>(&self, connection: impl Future<Output = T>) -> Result<T, Ending> {
        let mut connection = pin!(connection);
        let mut alarm = pin!(time::sleep_until(self.state().next_look()));
        std::future::poll_fn(|context| {
            if let Poll::Ready(output) = connection.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            // The deadline only moves while the connection is polled, mostly to a later time. The timer then stays until it
            // fires: setting it twice per request would cost more than everything else.
            loop {
                let next = self.state().next_look();
                if next < alarm.deadline() {
                    alarm.as_mut().reset(next);
                }
                ready!(alarm.as_mut().poll(context));
                if alarm.deadline() == next
                    && let Err(ending) = self.state().look(self.limits.pace)
                {
                    return Poll::Ready(Err(ending));
                }
                alarm.as_mut().reset(self.state().next_look());
            }
        })
        .await
    }

    /// Closes the connection if it is idle. Returns whether it is.
    pub(super) fn evict(&self) -> bool {
        let mut state = self.state();
        let is_idle = state.phase == Phase::Idle && !state.is_evicted;
        if is_idle {
            state.is_evicted = true;
            self.evicted.notify_one();
        }
        is_idle
    }

    /// Returns how long it may still be idle, if it is.
    pub(super) fn idle_until(&self) -> Option<Instant> {
        let state = self.state();
        (state.phase == Phase::Idle).then_some(state.until)
    }

    /// A request's header is complete.
    pub(super) fn request_came(&self) {
        let mut state = self.state();
        // A client that pipelines requests gets no extra time.
        if !state.phase.is_busy() {
            state.until = now() + self.limits.response;
        }
        state.phase = Phase::Response;
    }

    /// Whether there is a response under way.
    pub(super) fn is_busy(&self) -> bool {
        self.state().phase.is_busy()
    }

    /// A response of this many bytes is ready to be sent. The client has to read at least at half of an even pace: a slower one
    /// is unlikely to finish in time, and holds the whole response in memory.
    fn response_made(&self, bytes: u64) {
        let (pace, whole) = (millis(self.limits.pace), millis(self.limits.response));
        let even = bytes.saturating_mul(pace) / whole.max(pace);
        let least = (self.limits.least_rate.saturating_mul(pace) / 1000).max(even / 2);
        self.state().pace = Some(Pace { until: now() + self.limits.pace, least, written: 0 });
    }

    fn response_handed_over(&self) {
        self.state().phase = Phase::Flush;
    }

    fn sent(&self, bytes: usize) {
        if let Some(pace) = &mut self.state().pace {
            pace.written += bytes as u64;
        }
    }

    fn flushed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Flush {
            *state = State { phase: Phase::Idle, until: now() + self.limits.idle, pace: None, ..*state };
        }
    }

    fn received(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            *state = State { phase: Phase::Header, until: now() + self.limits.header, ..*state };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the time of the next decision.
    fn next_look(&self) -> Instant {
        self.pace.map_or(self.until, |pace| pace.until.min(self.until))
    }

    /// Decides whether the connection continues.
    fn look(&mut self, window: Duration) -> Result<(), Ending> {
        let next = self.next_look();
        if self.until <= next {
            return Err(Ending::Late(self.phase));
        }
        if let Some(pace) = &mut self.pace {
            if pace.written < pace.least {
                return Err(Ending::Slow);
            }
            *pace = Pace { until: pace.until + window, least: pace.least, written: 0 };
        }
        Ok(())
    }
}

impl Phase {
    fn is_busy(self) -> bool {
        matches!(self, Self::Response | Self::Flush)
    }
}

/// A connection's stream with observation.
#[derive(Debug)]
pub(super) struct TimedStream<S> {
    stream: S,
    deadlines: Arc<Deadlines>,
}

impl<S> TimedStream<S> {
    /// Reports reads and writes to the deadlines.
    pub(super) fn new(stream: S, deadlines: Arc<Deadlines>) -> Self {
        Self { stream, deadlines }
    }

    fn note_written(&self, result: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = result {
            self.deadlines.sent(*count);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.deadlines.received();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_written(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_written(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes once its buffer is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(result, Poll::Ready(Ok(()))) {
            self.deadlines.flushed();
        }
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A response's body with observation: once hyper drops it, all of it is in hyper's buffer.
#[derive(Debug)]
pub(super) struct TimedBody {
    body: Content,
    deadlines: Arc<Deadlines>,
}

impl TimedBody {
    /// Reports to the deadlines that the body was handed over.
    pub(super) fn new(body: Content, deadlines: Arc<Deadlines>) -> Self {
        deadlines.response_made(body.size_hint().lower());
        Self { body, deadlines }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        self.deadlines.response_handed_over();
    }
}

/// The monotonic time, which only deadlines use: waiting belongs to the runtime.
fn now() -> Instant {
    Instant::now()
}

/// At least one, since it is a divisor.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
impl Deadlines {
    /// As after a first response.
    pub(super) fn become_idle(&self) {
        self.request_came();
        self.response_handed_over();
        self.flushed();
    }

    pub(super) fn is_evicted(&self) -> bool {
        self.state().is_evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_comes_before_the_last_response_is_gone_gets_no_more_time() {
        let deadlines = Deadlines::new(Limits::default());
        deadlines.request_came();
        let until = deadlines.state().until;
        time::advance(Duration::from_secs(20)).await;
        deadlines.response_handed_over();
        deadlines.request_came();
        assert_eq!(deadlines.state().until, until);
        assert!(deadlines.is_busy());
    }

    #[tokio::test(start_paused = true)]
    async fn long_responses_have_to_be_read_faster() {
        let least = |bytes| {
            let deadlines = Deadlines::new(Limits::default());
            deadlines.response_made(bytes);
            deadlines.state().pace.unwrap().least
        };
        assert_eq!([0, 600_000, 12_000_000].map(least), [50_000, 50_000, 1_000_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_idle_are_evicted_and_then_at_once() {
        let deadlines = Deadlines::new(Limits::default());
        assert!(!deadlines.evict());
        deadlines.become_idle();
        assert!(deadlines.evict() && !deadlines.evict());
        assert_eq!(deadlines.enforce(std::future::ready(())).await, Err(Ending::Evicted));
        deadlines.become_idle();
        deadlines.received();
        assert!(!deadlines.evict());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_flushed_before_it_is_handed_over() {
        let deadlines = Deadlines::new(Limits::default());
        deadlines.flushed();
        assert_eq!(deadlines.state().phase, Phase::Header);
        deadlines.request_came();
        deadlines.flushed();
        deadlines.received();
        assert_eq!(deadlines.state().phase, Phase::Response);
        deadlines.response_handed_over();
        deadlines.flushed();
        assert_eq!(deadlines.state().phase, Phase::Idle);
        assert!(!deadlines.is_busy());
    }
}
