//! One connection: HTTP/1 under its deadlines, or a short refusal.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    time,
};
use tracing::debug;

use super::{
    Site,
    answers::answer,
    deadlines::{Deadlines, TimedBody, TimedStream},
    listener::stopped,
};

/// Answers a connection's requests until its client leaves or is too slow, or until the server stops: then only the
/// response under way is brought to its end.
pub(super) async fn serve<S>(stream: S, client: SocketAddr, site: Arc<Site>, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deadlines = Arc::new(Deadlines::new(site.settings.limits));
    let service = service_fn(|request| {
        deadlines.request_came();
        let (site, deadlines) = (Arc::clone(&site), Arc::clone(&deadlines));
        async move {
            let response = answer(&site, &request).await;
            Ok::<_, Infallible>(response.map(|body| TimedBody::new(body, deadlines)))
        }
    });
    let stream = TimedStream::new(stream, Arc::clone(&deadlines));
    let mut connection = pin!(
        http1::Builder::new()
            .header_read_timeout(None) // the deadlines know better
            .half_close(true) // `printf 'GET …' | nc` gets its answer
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
    );
    let whole = async {
        tokio::select! {
            biased;
            result = connection.as_mut() => return result,
            () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
        }
        if deadlines.is_busy() { connection.await } else { Ok(()) }
    };
    match deadlines.enforce(whole).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(client.address = %client, %error, "connection failed"),
        Err(phase) => debug!(client.address = %client, "connection closed: {phase}"),
    }
}

/// Answers a connection that is one too many. What it asks is read first, and what follows until it closes, because a
/// client that is answered before it has asked, or cut off while it sends, may never see the answer.
pub(super) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, limit: Duration) {
    let mut buffer = [0; 1024];
    let refused = async {
        if stream.read(&mut buffer).await? > 0 {
            stream.write_all(REFUSAL).await?;
            stream.shutdown().await?;
            while stream.read(&mut buffer).await? > 0 {}
        }
        io::Result::Ok(())
    };
    // Whether it heard us or not, there is no more to do for it.
    let _ = time::timeout(limit, refused).await;
}

/// A longer header is answered with 431.
const MAX_HEADER_BYTES: usize = 16 * 1024;

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 39\r\n\
    Retry-After: 5\r\n\
    Connection: close\r\n\
    \r\n\
    Too many connections; try again later.\n";
