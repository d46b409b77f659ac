//! The request log, and the end of a simulator.

use std::sync::Arc;

use ga4_simulator::{Effect, Fault, Method, Simulator, World};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinSet};

use crate::support::{Bench, SHOP, shop, soon, world};

fn realtime() -> Value {
    json!({"metrics": [{"name": "eventCount"}]})
}

#[tokio::test]
async fn the_log_tells_what_was_asked_and_answered() {
    let bench = Bench::new(world(shop())).await;
    bench.advance(5);
    bench.realtime(realtime()).await;
    let requests = bench.simulator.requests();
    let [token, report] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((token.method, token.status), (Some(Method::Token), Some(200)));
    assert_eq!((report.number, report.http_method.as_str(), report.status), (1, "POST", Some(200)));
    assert_eq!(report.path, format!("/v1beta/properties/{SHOP}:runRealtimeReport"));
    assert_eq!((report.property.as_deref(), &report.body), (Some(SHOP), &realtime()));
    assert_eq!((report.at, report.answered_at), (bench.now(), Some(bench.now())));
}

#[tokio::test]
async fn tests_wait_for_requests_and_for_answers() {
    let bench = Arc::new(Bench::new(world(shop())).await);
    let fault = bench.simulator.inject(Fault::new(Effect::Hang).on(Method::RunRealtimeReport));
    let client = Arc::clone(&bench);
    let mut asking = JoinSet::new();
    asking.spawn(async move { client.realtime(realtime()).await.status });
    let arrived = soon(bench.simulator.wait_for(|request| request.method == Some(Method::RunRealtimeReport))).await;
    assert_eq!(arrived.unwrap().status, None);
    asking.abort_all();
    bench.simulator.clear(fault);
    bench.realtime(realtime()).await;
    let answered = |request: &ga4_simulator::Request| request.status == Some(200);
    assert_eq!(soon(bench.simulator.wait_for_many(2, answered)).await.len(), 2);
}

#[tokio::test]
async fn the_log_is_bounded() {
    let bench = Bench::new(world(shop()).log_length(3)).await;
    for _ in 0..5 {
        bench.realtime(realtime()).await;
    }
    let numbers: Vec<u64> = bench.simulator.requests().iter().map(|request| request.number).collect();
    assert_eq!(numbers, [3, 4, 5]);
}

#[tokio::test]
async fn shutdown_cuts_hanging_requests_and_closes_the_listener() {
    let bench = Bench::new(world(shop())).await;
    for effect in [Effect::Hang, Effect::HangMidBody] {
        bench.simulator.inject(Fault::new(effect).on(Method::RunRealtimeReport).once());
    }
    let path = format!("/v1beta/properties/{SHOP}:runRealtimeReport");
    let mut asking = JoinSet::new();
    for _ in 0..2 {
        asking.spawn(bench.post(&path, &realtime()).send());
    }
    soon(bench.simulator.wait_for_many(2, |request| request.method == Some(Method::RunRealtimeReport))).await;
    let address = bench.simulator.address();
    soon(bench.simulator.shutdown()).await;
    assert!(TcpStream::connect(address).await.is_err());
    let mut failed = 0;
    while let Some(answer) = asking.join_next().await {
        failed += match answer.unwrap() {
            Ok(response) => usize::from(response.bytes().await.is_err()),
            Err(_) => 1,
        };
    }
    assert_eq!(failed, 2);
}

#[tokio::test]
async fn dropping_it_is_enough() {
    let now: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
    let simulator = Simulator::on_loopback(World::demo(now), move || now).await.unwrap();
    let address = simulator.address();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    assert!(http.get(format!("http://{address}/")).send().await.unwrap().status().is_success());
    drop(simulator);
    soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
}

#[tokio::test]
async fn the_same_world_has_the_same_traffic() {
    let now: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
    let (first, second) = (Bench::new(World::demo(now)).await, Bench::new(World::demo(now)).await);
    for id in World::demo(now).property_ids() {
        let of = |bench: &Bench| bench.simulator.truth(id).unwrap().days_ago(28, 0, now);
        assert_eq!(of(&first), of(&second), "{id}");
        assert_eq!(of(&first).pageviews() == 0, id == World::DEMO_SILENT, "{id}");
    }
}

#[tokio::test]
async fn answers_are_compressed_as_google_does() {
    let bench = Bench::new(world(shop())).await;
    let ask = async |agent: &str| {
        let path = format!("/v1beta/properties/{SHOP}:runRealtimeReport");
        let request = bench.post(&path, &realtime()).header("user-agent", agent);
        let request = request.header("accept-encoding", "gzip");
        let response = request.send().await.unwrap();
        let encoding = response.headers().get("content-encoding").cloned();
        (encoding, response.bytes().await.unwrap())
    };
    let (none, plain) = ask("exporter").await;
    let (gzip, zipped) = ask("exporter (gzip)").await;
    assert_eq!((none, gzip.unwrap().as_bytes()), (None, &b"gzip"[..]));
    let mut unzipped = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&zipped[..]), &mut unzipped).unwrap();
    assert_eq!(unzipped.as_bytes(), plain);
}
