//! What each path answers, and what becomes of odd requests.

use std::sync::atomic::Ordering;

use ga4_exporter_core::names::Handler;
use google_analytics_exporter::http::{Base, ExternalUrl};
use tokio::io::AsyncWriteExt;

use crate::support::{Server, within};

#[tokio::test]
async fn the_page_for_people_is_html_that_may_load_nothing() {
    let server = Server::with(|settings| settings.telemetry_path = "/numbers".parse().unwrap());
    let answer = server.get("/?q=caf%C3%A9&sort=drop&page=2").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.text(), "Selection { text: \"café\", sort: Drop, page: 2 } /numbers");
    assert_eq!(server.get("/numbers").await.status, 200);
    assert_eq!(server.get("/metrics").await.status, 404);
    let packed = server.ask("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n").await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
}

#[tokio::test]
async fn the_documents_are_there() {
    let server = Server::start();
    let index = server.get("/docs/").await;
    assert!(index.status == 200 && index.text().contains("href=\"RUNBOOK.md\""), "{}", index.text());
    let runbook = server.get("/docs/RUNBOOK.md").await;
    assert!(runbook.status == 200 && runbook.text().contains("id=\"googleanalyticstrafficdrop\""));
    assert!(runbook.header("content-security-policy").unwrap().contains("style-src"));
    assert_eq!(server.get("/docs/Cargo.toml").await.status, 404);
}

#[tokio::test]
async fn health_is_always_good_and_readiness_says_what_is_missing() {
    let server = Server::start();
    *server.exporter.missing.lock().unwrap() = Some("2 of 3 reports have had no outcome yet".to_owned());
    assert_eq!(server.get("/-/healthy").await.status, 200);
    let answer = server.get("/-/ready").await;
    assert_eq!((answer.status, answer.text()), (503, "Not ready: 2 of 3 reports have had no outcome yet\n"));
    *server.exporter.missing.lock().unwrap() = None;
    assert_eq!(server.get("/-/ready").await.status, 200);
}

#[tokio::test]
async fn a_reload_works_or_says_why_not() {
    let server = Server::start();
    for method in ["POST", "PUT"] {
        assert_eq!(server.ask(&format!("{method} /-/reload HTTP/1.1\r\nHost: x\r\n\r\n")).await.status, 200);
    }
    assert_eq!(server.exporter.reloads.load(Ordering::SeqCst), 2);
    *server.exporter.complaint.lock().unwrap() = Some("config.yml:3:7: unknown key `intervall`".to_owned());
    let answer = server.ask("POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("config.yml:3:7: unknown key `intervall`"), "{}", answer.text());
}

#[tokio::test]
async fn a_reload_that_is_not_allowed_is_not_done() {
    let server = Server::with(|settings| settings.lifecycle = false);
    let answer = server.ask("POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("--web.enable-lifecycle"), "{}", answer.text());
    assert_eq!(server.exporter.reloads.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_configuration_is_shown_as_text() {
    let answer = Server::start().get("/config").await;
    assert_eq!((answer.status, answer.text()), (200, "properties: []\n"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn a_probe_shows_one_known_property_in_the_format_that_is_asked_for() {
    let server = Server::start();
    let answer = server.get("/probe?target=123456789").await;
    assert_eq!((answer.status, answer.text()), (200, "# Text 123456789\n"));
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let open_metrics =
        "GET /probe?target=123456789 HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n";
    assert_eq!(server.ask(open_metrics).await.text(), "# OpenMetrics 123456789\n");
    let packed = "GET /probe?target=123456789 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n";
    assert_eq!(server.ask(packed).await.header("content-encoding"), Some("gzip"));
    for (query, expected) in [
        ("?target=987654321", "property 987654321 is not exported; /sd lists those that are"),
        ("", "name a property"),
        ("?target=http://example.com", "Bad request"),
    ] {
        let answer = server.get(&format!("/probe{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains(expected), "{query}: {}", answer.text());
    }
    *server.exporter.missing.lock().unwrap() = Some("the properties have not been listed yet".to_owned());
    let answer = server.get("/probe?target=987654321").await;
    let expected = "Property 987654321 is not known yet: the properties have not been listed yet\n";
    assert_eq!((answer.status, answer.text()), (503, expected));
    assert_eq!(server.exporter.rendered(), 0, "the other properties have no part in it");
}

#[tokio::test]
async fn targets_are_where_prometheus_has_asked_and_known_or_unavailable() {
    let server = Server::start();
    let answer = server.ask("GET /sd HTTP/1.1\r\nHost: exporter.example:9674\r\n\r\n").await;
    assert_eq!((answer.status, answer.text()), (200, &*target("exporter.example:9674", "")));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let absolute = server.ask("GET http://exporter:80/sd HTTP/1.1\r\nHost: proxy\r\n\r\n").await;
    assert_eq!(absolute.text(), target("exporter:80", ""));
    assert_eq!(server.ask("GET /sd HTTP/1.0\r\n\r\n").await.status, 400, "nobody knows where");
    assert_eq!(server.exporter.lists.load(Ordering::SeqCst), 1, "all share the list");
    *server.exporter.missing.lock().unwrap() = Some("a listing".to_owned());
    server.exporter.change();
    assert_eq!(server.get("/sd").await.status, 503);
}

/// The one target of the made-up exporter.
fn target(host: &str, below: &str) -> String {
    format!("[{{\"targets\":[\"{host}\"],\"labels\":{{\"below\":\"{below}\"}}}}]")
}

#[tokio::test]
async fn a_long_list_of_targets_is_the_same_packed_or_not() {
    let server = Server::start();
    server.exporter.further.store(10_000, Ordering::SeqCst);
    let plain = server.get("/sd").await;
    assert!(plain.body.len() > 400_000 && plain.text().ends_with("\"}}]"), "{}", plain.body.len());
    let packed = server.ask("GET /sd HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n").await;
    assert_eq!(packed.unpacked(), plain.body);
    let mut client = server.connect().await;
    client.send("HEAD /sd HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(client.head().await.header("content-length"), Some(&*plain.body.len().to_string()));
}

#[tokio::test]
async fn a_request_names_one_host() {
    let server = Server::start();
    for head in [
        "GET /metrics HTTP/1.1\r\n\r\n",
        "GET http://x/metrics HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nhost: evil.example\r\n\r\n",
        "GET /metrics HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x y\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x/y\r\n\r\n",
        "POST /-/reload HTTP/1.1\r\n\r\n",
    ] {
        let answer = server.ask(head).await;
        assert_eq!(answer.status, 400, "{head}");
        assert!(answer.text().starts_with("Bad request: "), "{head}: {}", answer.text());
    }
    assert_eq!((server.exporter.rendered(), server.exporter.reloads.load(Ordering::SeqCst)), (0, 0));
    for head in ["GET /-/healthy HTTP/1.0\r\n\r\n", "GET /-/healthy HTTP/1.1\r\nHost:\r\n\r\n"] {
        assert_eq!(server.ask(head).await.status, 200, "{head}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_reload_nothing() {
    let server = Server::start();
    let reload = |headers: &str| format!("POST /-/reload HTTP/1.1\r\nHost: x:9674\r\n{headers}\r\n");
    for headers in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Origin: http://x:9674\r\nSec-Fetch-Site: same-site\r\n",
    ] {
        let answer = server.ask(&reload(headers)).await;
        assert_eq!(answer.status, 403, "{headers}: {}", answer.text());
    }
    assert_eq!(server.exporter.reloads.load(Ordering::SeqCst), 0);
    for headers in ["", "Origin: http://x:9674\r\nSec-Fetch-Site: same-origin\r\n"] {
        assert_eq!(server.ask(&reload(headers)).await.status, 200, "{headers}");
    }
}

#[tokio::test]
async fn every_answer_is_counted_by_handler_and_code() {
    let server = Server::start();
    for path in ["/metrics", "/metrics?scope=x", "/probe", "/sd", "/", "/docs/", "/docs/none", "/config", "/nothing"] {
        server.get(path).await;
    }
    server.ask("POST /-/ready HTTP/1.1\r\nHost: x\r\n\r\n").await;
    server.ask("GET /-/healthy HTTP/1.1\r\n\r\n").await;
    server.ask("no request\r\n\r\n").await;
    server.ask(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000))).await;
    let expected = [
        (Handler::Metrics, 200),
        (Handler::Metrics, 400),
        (Handler::Probe, 400),
        (Handler::Sd, 200),
        (Handler::Status, 200),
        (Handler::Docs, 200),
        (Handler::Docs, 404),
        (Handler::Config, 200),
        (Handler::Other, 404),
        (Handler::Ready, 405),
        (Handler::Healthy, 400),
        (Handler::Other, 400),
        (Handler::Other, 431),
    ];
    assert_eq!(*server.exporter.seen.answers.lock().unwrap(), expected);
}

#[tokio::test]
async fn with_a_prefix_every_path_is_below_it_and_the_root_leads_there() {
    let server = Server::with(|settings| {
        settings.base = Base::new(ExternalUrl::default(), "a/b/".parse().unwrap());
        settings.telemetry_path = "/numbers".parse().unwrap();
    });
    for path in
        ["/", "/numbers", "/config", "/sd", "/docs/", "/docs/README.md", "/-/healthy", "/-/ready", "/probe?target=1"]
    {
        let answer = server.get(&format!("/a/b{path}")).await;
        assert_eq!(answer.status, if path.starts_with("/probe") { 400 } else { 200 }, "{path}");
        assert!(path == "/" || server.get(path).await.status == 404, "{path}");
    }
    for path in ["/", "/a/b", "/?q=x"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (302, Some("/a/b/")), "{path}");
    }
    assert_eq!(server.ask("POST /a/b/-/reload HTTP/1.1\r\nHost: x\r\n\r\n").await.status, 200);
    assert_eq!(server.ask("POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n").await.status, 404);
    let answer = server.ask("POST / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
    assert_eq!(server.get("/numbers").await.text(), "Not found; /a/b/ lists what there is.\n");
    assert!(server.get("/a/b/probe").await.text().contains("`/a/b/probe?target=123456789`; /a/b/sd lists them"));
    assert_eq!(server.get("/a/b/sd").await.text(), target("x", "/a/b"));
}

#[tokio::test]
async fn an_external_url_is_where_targets_and_redirects_lead_whatever_a_request_says() {
    let external = |prefix: &str| {
        let base = Base::new("https://example.com:8443/ga/".parse().unwrap(), prefix.parse().unwrap());
        Server::with(|settings| settings.base = base)
    };
    let lies = "Host: evil.example\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: ftp\r\nX-Forwarded-Prefix: /evil\r\n\
                Forwarded: host=evil.example;proto=ftp\r\n\r\n";
    // The proxy may pass paths on as they are, take its own away, or put another in front.
    for (prefix, served, location) in [("", "/ga", Some("/ga/")), ("/", "", None), ("/inside", "/inside", Some("/ga/"))]
    {
        let server = external(prefix);
        let answer = server.ask(&format!("GET {served}/sd HTTP/1.1\r\n{lies}")).await;
        assert_eq!(answer.text(), target("example.com:8443", "https:/ga"), "{prefix}");
        assert_eq!(server.ask(&format!("GET {served}/sd HTTP/1.0\r\n\r\n")).await.status, 200, "needs no Host");
        if location.is_some() {
            let answer = server.ask(&format!("GET {served} HTTP/1.1\r\n{lies}")).await;
            assert_eq!((answer.status, answer.header("location")), (302, location), "{prefix}");
        }
    }
    let server = Server::start();
    let answer = server.ask("GET /sd HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: evil.example\r\n\r\n").await;
    assert_eq!(answer.text(), target("x", ""));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let server = Server::start();
    for path in ["/nothing", "//metrics", "/metrics/", "/metrics%20", "/-/quit"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    for (method, path, allowed) in
        [("POST", "/metrics", "GET, HEAD"), ("DELETE", "/", "GET, HEAD"), ("GET", "/-/reload", "POST, PUT")]
    {
        let answer = server.ask(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method} {path}");
    }
    assert_eq!(server.get("/metrics?scope=all").await.status, 400);
}

#[tokio::test]
async fn head_tells_the_length_that_get_would_have() {
    let server = Server::start();
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/config", "/nothing"] {
        let get = server.get(path).await;
        let mut client = server.connect().await;
        client.send(&format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
        let head = client.head().await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(client.rest().await, b"", "{path}");
    }
}

#[tokio::test]
async fn odd_but_legal_requests_are_answered() {
    let server = Server::start();
    for request in [
        "GET http://example.org/metrics HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "GET /metrics HTTP/1.0\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n",
        "POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nthe rest never comes",
    ] {
        assert_eq!(server.ask(request).await.status, 200, "{request}");
    }
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let server = Server::start();
    let long = "x".repeat(20_000);
    for (request, expected) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(200)), 431),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 404),
        ("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n".to_owned(), 404),
    ] {
        assert_eq!(server.ask(&request).await.status, expected, "{:.60}", request);
    }
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let server = Server::start();
    let mut client = server.connect().await;
    for path in ["/metrics", "/nothing", "/-/healthy"] {
        client.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        client.answer().await;
    }
    // several at once
    client.send(&"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(client.answer().await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_has_closed_its_half_gets_its_answer() {
    let server = Server::start();
    let gate = server.exporter.close_gate();
    let mut client = server.connect().await;
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    within(gate.entered).await.unwrap();
    client.stream.shutdown().await.unwrap();
    drop(gate.open);
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.rest().await, b"");
}
