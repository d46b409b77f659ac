//! The listener and its connections. One task owns all others, so stopping it stops everything.

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, Limited};
use hyper::{
    Response,
    body::{Bytes, Incoming},
    header::{ACCEPT_ENCODING, AGE, CONTENT_ENCODING, DATE, HeaderValue, USER_AGENT, WWW_AUTHENTICATE},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{
    api::{Call, State},
    body::{Answer, Cut, Then},
    errors::ApiError,
    headers,
    outcome::Outcome,
};

/// Accepts connections until `stop` is closed, then closes all of them.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&state)));
                }
                // No descriptor is left, or a client closed its connection at once; later connections may succeed.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    // Answers are small and complete; waiting for more data would only add 40 ms.
    let _ = stream.set_nodelay(true);
    let cut = Arc::new(AtomicBool::new(false));
    let wire = Wire { stream, cut: Arc::clone(&cut) };
    let service = service_fn(move |request| {
        let (state, cut) = (Arc::clone(&state), Arc::clone(&cut));
        async move { respond(&state, &cut, request).await }
    });
    // Google keeps idle connections for minutes, longer than its clients do, so no connection is closed while a
    // client sends its next request.
    let connection = http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(wire), service);
    // The client has closed the connection, or it was reset on purpose; neither is reported.
    let _ = connection.await;
}

async fn respond(
    state: &Arc<State>,
    cut: &AtomicBool,
    request: hyper::Request<Incoming>,
) -> Result<Response<Answer>, Cut> {
    let (head, body) = request.into_parts();
    let wants_gzip = accepts_gzip(&head);
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect());
    let outcome = match read.await {
        Ok(Ok(body)) => {
            let call = Call { head, body: body.to_bytes() };
            state.answer(call).await
        }
        Ok(Err(_)) => Outcome::error(&ApiError::too_large()),
        Err(_) => Outcome::text(408, headers::PAGE, "<p>Request Timeout\n"),
    };
    if outcome.then == Then::Cut {
        cut.store(true, Ordering::Relaxed);
    }
    if outcome.is_silent() {
        return Err(Cut);
    }
    Ok(response(outcome, wants_gzip, state.now()))
}

/// Google compresses answers for clients that accept gzip and also name it in `User-Agent` (its pages on performance).
fn accepts_gzip(head: &Parts) -> bool {
    [ACCEPT_ENCODING, USER_AGENT].iter().all(|name| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains("gzip"))
    })
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn response(outcome: Outcome, wants_gzip: bool, now: Timestamp) -> Response<Answer> {
    let Outcome { status, headers: own, challenge, body, then, date } = outcome;
    // Broken answers are not compressed, so that they break at the intended place.
    let zipped = (wants_gzip && then == Then::End).then(|| gzip(&body)).and_then(Result::ok);
    let is_zipped = zipped.is_some();
    let mut response = Response::new(Answer::new(zipped.map_or(body, Bytes::from), then));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    for (name, value) in own {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    let made_at = now.saturating_add(date.ahead).unwrap_or(now);
    if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&made_at)
        && let Ok(date) = HeaderValue::from_str(&date)
    {
        headers.insert(DATE, date);
    }
    if let Some(age) = date.age {
        headers.insert(AGE, HeaderValue::from(age));
    }
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if is_zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A connection that can be reset, so that the client sees an error rather than an end.
struct Wire {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.cut.load(Ordering::Relaxed) {
            // Closing without lingering sends RST instead of FIN.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Requests of the Data API are much smaller.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Deadline for receiving the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause after an error of `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
