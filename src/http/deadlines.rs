//! How long a connection may take for what it does.
//!
//! Knows a connection's phase by watching from outside: what is read and written ([`TimedStream`]), when a request has
//! come in and when its response has been handed over ([`TimedBody`]). Refuses to know HTTP. Invariant: a connection
//! always has a deadline.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{self, Instant},
};

use super::Limits;

/// The deadlines of one connection.
#[derive(Debug)]
pub(super) struct Deadlines {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    until: Instant,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    /// Its client sends a request's header.
    Header,
    /// The response is being made, or given to the system bit by bit.
    Response,
    /// The response is complete but not all of it has been given to the system.
    Flush,
    /// Its client may send another request.
    Idle,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the request's header took too long",
            Self::Response | Self::Flush => "the response took too long",
            Self::Idle => "there was no further request",
        })
    }
}

impl Deadlines {
    /// Those of a connection that has just been accepted.
    pub(super) fn new(limits: Limits) -> Self {
        let state = State { phase: Phase::Header, until: now() + limits.header };
        Self { limits, state: Mutex::new(state) }
    }

    /// Runs a connection until it ends or is too slow in a phase.
    pub(super) async fn enforce<T>(&self, connection: impl Future<Output = T>) -> Result<T, Phase> {
        let mut connection = pin!(connection);
        let mut alarm = pin!(time::sleep_until(self.state().until));
        std::future::poll_fn(|context| {
            if let Poll::Ready(output) = connection.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            // All that moves the deadline happens while the connection is polled. It mostly moves back, and then the
            // alarm is left as it is until it goes off: setting it twice for each request would cost more than the rest.
            loop {
                let State { phase, until } = *self.state();
                if until < alarm.deadline() {
                    alarm.as_mut().reset(until);
                }
                ready!(alarm.as_mut().poll(context));
                if alarm.deadline() == until {
                    return Poll::Ready(Err(phase));
                }
                alarm.as_mut().reset(until);
            }
        })
        .await
    }

    /// A request's header is complete.
    pub(super) fn request_came(&self) {
        let mut state = self.state();
        // A client that does not wait for one response before it asks for the next gets no more time for both.
        if !state.phase.is_busy() {
            state.until = now() + self.limits.response;
        }
        state.phase = Phase::Response;
    }

    /// Whether there is a response under way.
    pub(super) fn is_busy(&self) -> bool {
        self.state().phase.is_busy()
    }

    fn response_handed_over(&self) {
        self.state().phase = Phase::Flush;
    }

    fn flushed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Flush {
            *state = State { phase: Phase::Idle, until: now() + self.limits.idle };
        }
    }

    fn received(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            *state = State { phase: Phase::Header, until: now() + self.limits.header };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    fn is_busy(self) -> bool {
        matches!(self, Self::Response | Self::Flush)
    }
}

/// A connection's stream, watched.
#[derive(Debug)]
pub(super) struct TimedStream<S> {
    stream: S,
    deadlines: Arc<Deadlines>,
}

impl<S> TimedStream<S> {
    /// Tells the deadlines of what happens on the stream.
    pub(super) fn new(stream: S, deadlines: Arc<Deadlines>) -> Self {
        Self { stream, deadlines }
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
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all of its buffer.
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

/// A response's body, watched: once hyper has let go of it, all of it is in hyper's buffer.
#[derive(Debug)]
pub(super) struct TimedBody {
    body: Full<Bytes>,
    deadlines: Arc<Deadlines>,
}

impl TimedBody {
    /// Tells the deadlines when the body has been handed over.
    pub(super) fn new(body: Bytes, deadlines: Arc<Deadlines>) -> Self {
        Self { body: Full::new(body), deadlines }
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

/// Deadlines are the one thing that goes by the monotonic clock: waiting is the runtime's business.
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
