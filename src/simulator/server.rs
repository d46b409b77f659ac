//! The listener and its connections: one task that owns all others, so that stopping it stops everything.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http_body_util::{BodyExt, Limited};
use hyper::{
    Response, body::Incoming, header::CONTENT_TYPE, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{
    api::{Call, Outcome, State},
    body::{Answer, Cut, Then},
    errors::ApiError,
};

/// Accepts connections until `stop` is closed, then cuts them all.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&state)));
                }
                // Out of descriptors, or a client that left at once: others may still come.
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
    // Answers are small and whole; waiting for more to send would only add 40 ms.
    let _ = stream.set_nodelay(true);
    let cut = Arc::new(AtomicBool::new(false));
    let wire = Wire {
        stream,
        cut: Arc::clone(&cut),
    };
    let service = service_fn(move |request| {
        let (state, cut) = (Arc::clone(&state), Arc::clone(&cut));
        async move { respond(&state, &cut, request).await }
    });
    // A client that leaves, or a cut on purpose: nothing to tell anybody.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(wire), service)
        .await;
}

async fn respond(
    state: &Arc<State>,
    cut: &AtomicBool,
    request: hyper::Request<Incoming>,
) -> Result<Response<Answer>, Cut> {
    let (head, body) = request.into_parts();
    let outcome = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => {
            let call = Call {
                head,
                body: body.to_bytes(),
            };
            state.answer(call).await
        }
        Err(_) => Outcome::json(413, &ApiError::too_large().body()),
    };
    if outcome.then == Then::Cut {
        cut.store(true, Ordering::Relaxed);
    }
    if outcome.is_silent() {
        return Err(Cut);
    }
    Ok(response(outcome).unwrap_or_else(|never| match never {}))
}

fn response(outcome: Outcome) -> Result<Response<Answer>, Infallible> {
    let Outcome {
        status,
        content_type,
        flavor,
        body,
        then,
    } = outcome;
    let mut response = Response::new(Answer::new(body, then));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static(content_type),
    );
    if flavor {
        headers.insert(
            "metadata-flavor",
            hyper::header::HeaderValue::from_static("Google"),
        );
    }
    Ok(response)
}

/// A connection that can be reset, so that the other side sees an error rather than an end.
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
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Requests of the Data API are far smaller.
const MAX_BODY_BYTES: usize = 1 << 20;

/// After an error of `accept`.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
