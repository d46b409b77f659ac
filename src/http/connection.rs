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
    deadlines::{Deadlines, Ending, Phase, TimedBody, TimedStream},
    listener::stopped,
};
use ga4_exporter_core::names::{Handler, RefusedReason};

/// Serves a connection until its client disconnects or is too slow, or until the server stops: then only the running
/// response is finished.
pub(super) async fn serve<S>(
    stream: S,
    client: SocketAddr,
    deadlines: Arc<Deadlines>,
    site: Arc<Site>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let observer = Arc::clone(&site.observer);
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
        Ok(Err(error)) => {
            if let Some(code) = refused_with(&error) {
                observer.answered(Handler::Other, code);
            }
            debug!(client.address = %client, %error, "connection failed");
        }
        Err(ending) => {
            if ending == Ending::Late(Phase::Header) {
                observer.refused(RefusedReason::HeaderTimeout);
            }
            debug!(client.address = %client, "connection closed: {ending}");
        }
    }
}

/// Returns the status that hyper sent for an invalid request. For HTTP/2 it just closes the connection. A URL that is too
/// long (414) cannot occur: its header would be too long first.
fn refused_with(error: &hyper::Error) -> Option<u16> {
    match () {
        () if error.is_parse_version_h2() || !error.is_parse() => None,
        () if error.is_parse_too_large() => Some(431),
        () => Some(400),
    }
}

/// Answers a connection over the limit. Reads its request first, and the rest until it closes: a client that is answered
/// too early or cut off while it sends may never see the answer.
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
    // Whether it received the answer or not, nothing more can be done.
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

#[cfg(test)]
mod tests {
    use std::{future, pin::Pin};

    use jiff::Timestamp;
    use tokio::{io::DuplexStream, time::Instant};

    use super::{
        super::{
            Backend, Base, Format, Limits, Metrics, Readiness, Rendering, Scope, Settings, TelemetryPath, Unobserved,
            WebObserver,
        },
        *,
    };
    use ga4_exporter_core::names::PropertyId;

    use crate::{clock::Clock, status::Selection};

    /// Has nothing but a long configuration.
    struct Fake;

    impl Metrics for Fake {
        fn version(&self) -> u64 {
            0
        }

        fn render(&self, _format: Format, _scope: Scope, _now: Timestamp) -> Rendering {
            Rendering { text: Vec::new(), valid_until: None }
        }
    }

    impl Backend for Fake {
        fn render_property(&self, _property: PropertyId, _format: Format, _now: Timestamp) -> Option<Rendering> {
            None
        }

        fn status_page(&self, _selection: &Selection, _telemetry_path: &TelemetryPath, _now: Timestamp) -> String {
            String::new()
        }

        fn targets(&self, _scheme: Option<&str>, _prefix: &str, _now: Timestamp) -> Option<String> {
            None
        }

        fn readiness(&self, _now: Timestamp) -> Readiness {
            Readiness::Ready
        }

        fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
            Box::pin(future::pending())
        }

        fn config_yaml(&self) -> String {
            "#".repeat(CONFIG_LENGTH)
        }

        fn observer(&self) -> Arc<dyn WebObserver> {
            Arc::new(Unobserved)
        }
    }

    /// Serves a client that keeps to the protocol, and returns after how many seconds the connection was closed. Time is
    /// the runtime's, which jumps to the next event whenever all wait.
    async fn closed_after<F: Future<Output = ()>>(client: impl FnOnce(DuplexStream) -> F) -> u64 {
        closed_after_with_stop(client, Duration::from_secs(3600)).await
    }

    async fn closed_after_with_stop<F: Future<Output = ()>>(
        client: impl FnOnce(DuplexStream) -> F,
        stop_after: Duration,
    ) -> u64 {
        let (near, far) = tokio::io::duplex(1000);
        let (stop, stopped) = watch::channel(false);
        let start = Instant::now();
        let served = async {
            let deadlines = Arc::new(Deadlines::new(Limits::default()));
            serve(far, SocketAddr::from(([127, 0, 0, 1], 1)), deadlines, site(), stopped).await;
            start.elapsed().as_secs()
        };
        let stopping = async {
            time::sleep(stop_after).await;
            stop.send_replace(true);
        };
        tokio::join!(served, client(near), stopping).0
    }

    fn site() -> Arc<Site> {
        let limits = Limits::default();
        let exporter: Arc<dyn Backend> = Arc::new(Fake);
        let (telemetry_path, clock) = (TelemetryPath::default(), Clock::system());
        let settings = Settings { base: Base::default(), telemetry_path, lifecycle: true, limits };
        Arc::new(Site::new(exporter, settings, clock))
    }

    /// Reads this many bytes each second until the server closes, and returns how many there were.
    async fn read_slowly(client: &mut DuplexStream, bytes: usize) -> usize {
        let mut received = Vec::new();
        loop {
            let count = client.take(bytes as u64).read_to_end(&mut received).await.unwrap();
            if count < bytes {
                return received.len();
            }
            time::sleep(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_has_ten_seconds() {
        let client = |mut client: DuplexStream| async move {
            assert_eq!(read_slowly(&mut client, 100).await, 0);
        };
        assert_eq!(closed_after(client).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickling_header_has_ten_seconds_in_all() {
        let client = |mut client: DuplexStream| async move {
            for byte in HEALTHY {
                if client.write_all(&[*byte]).await.is_err() {
                    return;
                }
                time::sleep(Duration::from_secs(1)).await;
            }
            unreachable!("the header is longer than ten bytes");
        };
        assert_eq!(closed_after(client).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_client_has_75_seconds_after_each_response() {
        let client = |mut client: DuplexStream| async move {
            for _ in 0..2 {
                client.write_all(HEALTHY).await.unwrap();
                time::sleep(Duration::from_secs(50)).await;
            }
            read_slowly(&mut client, 1000).await;
        };
        assert_eq!(closed_after(client).await, 125);
    }

    #[tokio::test(start_paused = true)]
    async fn a_further_header_has_ten_seconds_too() {
        let client = |mut client: DuplexStream| async move {
            client.write_all(HEALTHY).await.unwrap();
            time::sleep(Duration::from_secs(70)).await;
            client.write_all(b"GET").await.unwrap();
            read_slowly(&mut client, 1000).await;
        };
        assert_eq!(closed_after(client).await, 80);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_has_thirty_seconds_in_all() {
        let client = |mut client: DuplexStream| async move {
            client.write_all(CONFIG).await.unwrap();
            assert!(read_slowly(&mut client, 11_000).await < CONFIG_LENGTH);
        };
        assert_eq!(closed_after(client).await, 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_is_slower_than_the_least_rate_has_five_seconds() {
        for bytes in [1, 1000, 5_000] {
            let client = |mut client: DuplexStream| async move {
                client.write_all(CONFIG).await.unwrap();
                assert!(read_slowly(&mut client, bytes).await < CONFIG_LENGTH);
            };
            assert_eq!(closed_after(client).await, 5, "{bytes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stops_half_way_is_cut_off_soon_after() {
        let client = |mut client: DuplexStream| async move {
            client.write_all(CONFIG).await.unwrap();
            client.read_exact(&mut vec![0; CONFIG_LENGTH / 2]).await.unwrap();
            time::sleep(Duration::from_secs(60)).await;
        };
        assert_eq!(closed_after(client).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn each_response_has_its_own_thirty_seconds() {
        let client = |mut client: DuplexStream| async move {
            client.write_all(&CONFIG.repeat(3)).await.unwrap();
            assert!(read_slowly(&mut client, 40_000).await > 3 * CONFIG_LENGTH);
        };
        assert_eq!(closed_after(client).await, 37 + 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_is_fast_enough_gets_everything() {
        let client = |mut client: DuplexStream| async move {
            client.write_all(CONFIG).await.unwrap();
            assert!(read_slowly(&mut client, CONFIG_LENGTH).await > CONFIG_LENGTH);
        };
        assert_eq!(closed_after(client).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reload_that_hangs_has_thirty_seconds() {
        let client = |mut client: DuplexStream| async move {
            client.write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            assert_eq!(read_slowly(&mut client, 100).await, 0);
        };
        assert_eq!(closed_after(client).await, 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_waits_for_a_response_but_not_for_a_header() {
        let asking = |mut client: DuplexStream| async move {
            client.write_all(b"GET /").await.unwrap();
            read_slowly(&mut client, 100).await;
        };
        assert_eq!(closed_after_with_stop(asking, Duration::from_secs(3)).await, 3);
        let reading = |mut client: DuplexStream| async move {
            client.write_all(CONFIG).await.unwrap();
            assert!(read_slowly(&mut client, 40_000).await > CONFIG_LENGTH);
        };
        assert_eq!(closed_after_with_stop(reading, Duration::from_secs(3)).await, 12);
    }

    const CONFIG: &[u8] = b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n";

    const HEALTHY: &[u8] = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";

    const CONFIG_LENGTH: usize = 500_000;
}
