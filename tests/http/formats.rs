//! Which text a scraper gets, and how it is packed.

use crate::support::Server;

#[tokio::test]
async fn each_scraper_gets_its_format() {
    let server = Server::start();
    let text = "text/plain; version=0.0.4; charset=utf-8";
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
    for (accept, content_type, first) in [
        ("", text, "# Text All"),
        ("Accept: */*\r\n", text, "# Text All"),
        ("Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n", open_metrics, "# OpenMetrics All"),
        ("Accept: application/openmetrics-text;q=0.4,text/plain;q=0.5\r\n", text, "# Text All"),
        ("Accept: text/plain;q=0.5\r\nAccept: application/openmetrics-text\r\n", open_metrics, "# OpenMetrics All"),
        ("Accept: image/png\r\n", text, "# Text All"),
        ("Accept: \u{e9}\r\n", text, "# Text All"),
    ] {
        let answer = server.scrape(accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{accept}");
        assert!(answer.text().starts_with(first), "{accept}: {}", answer.text());
        assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn the_scope_leaves_away_the_properties() {
    let answer = Server::start().get("/metrics?scope=exporter").await;
    assert!(answer.text().starts_with("# Text Exporter"), "{}", answer.text());
}

#[tokio::test]
async fn gzip_is_the_same_text_in_one_member() {
    let server = Server::start();
    *server.exporter.padding.lock().unwrap() = b"some_metric{label=\"value\"} 1\n".repeat(100_000);
    let plain = server.scrape("").await;
    let packed = server.scrape("Accept-Encoding: deflate, gzip;q=0.5\r\n").await;
    assert_eq!(packed.unpacked(), plain.body);
    assert!(packed.body.len() * 20 < plain.body.len());
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(server.exporter.rendered(), 1, "both come from one rendering");
    let refused = server.scrape("Accept-Encoding: gzip;q=0, *\r\n").await;
    assert_eq!((refused.header("content-encoding"), &refused.body), (None, &plain.body));
}

#[tokio::test]
async fn head_is_packed_as_get_would_be() {
    let server = Server::start();
    let head = "HEAD /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";
    let mut client = server.connect().await;
    client.send(head).await;
    let head = client.head().await;
    let get = server.scrape("Accept-Encoding: gzip\r\n").await;
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("content-encoding"), Some("gzip"));
}
