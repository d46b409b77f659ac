//! What the server makes of bytes that are no request, or almost one.

use std::sync::LazyLock;

use proptest::{collection, prelude::*, sample};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};

use crate::support::{Server, within};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered_or_hung_up_on(bytes in collection::vec(any::<u8>(), 0..300)) {
        check(&bytes)?;
    }

    #[test]
    fn anything_like_a_request_is_answered_or_hung_up_on(pieces in collection::vec(sample::select(PIECES), 0..30)) {
        check(pieces.concat().as_bytes())?;
    }
}

/// Sends all of it, and then nothing; each answer begins as one, and the server goes on.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let answer = RUNTIME.block_on(async {
        let mut stream = within(TcpStream::connect(SERVER.address)).await.unwrap();
        // Whoever has read enough may have closed.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = within(stream.read_to_end(&mut answer)).await;
        answer
    });
    prop_assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{:?}", String::from_utf8_lossy(&answer));
    let status = answer.get(9..12).map(String::from_utf8_lossy);
    prop_assert!(status.is_none_or(|status| status.parse().is_ok_and(|status: u16| (100..=505).contains(&status))));
    let healthy = RUNTIME.block_on(SERVER.get("/-/healthy"));
    prop_assert_eq!(healthy.status, 200);
    Ok(())
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let _entered = RUNTIME.enter();
    Server::start()
});

const PIECES: &[&str] = &[
    "GET ",
    "HEAD ",
    "POST ",
    "OPTIONS * ",
    "/metrics",
    "/probe?target=123456789",
    "/sd",
    "/",
    "/-/healthy",
    "//../%00%ff",
    "http://x/metrics",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/2.0\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "Host: x\r\n",
    "Host:\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Accept: application/openmetrics-text;version=1.0.0;q=0.5\r\n",
    "Accept-Encoding: gzip;q=1e9, *;q=0\r\n",
    "Range: bytes=0-\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "X-Forwarded-Prefix: /a\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "hello",
    "\0",
    "\u{ff}",
    ": ",
    "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
];
