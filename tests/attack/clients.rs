//! Clients that hold on to what they get.

use ga4_simulator::Method;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    program::{MOST_MEBIBYTES, Target, simulator},
    troubles::slow_reader,
};

#[tokio::test]
#[ignore = "`make attack` runs it"]
async fn slow_readers_cost_a_bounded_amount_of_memory() {
    let google = simulator(1000).await;
    let target = Target::start(&google, "").await;
    let mut readers = Vec::new();
    // While the first polls come in, each of them gets a version of its own.
    for round in 0..160 {
        google.wait_for_many(round * 6, |request| request.method == Some(Method::RunRealtimeReport)).await;
        readers.extend(slow_reader(&target.address, "/metrics").await);
    }
    target.shows("google_analytics_exporter_web_connections", |connections| connections > 1.0).await;
    let peak = target.peak_mebibytes();
    assert!(peak <= MOST_MEBIBYTES, "{peak} MiB");
}

#[tokio::test]
#[ignore = "`make attack` runs it"]
async fn the_list_of_targets_is_not_kept_for_each_client() {
    let google = simulator(2000).await;
    // Nothing else is to grow meanwhile.
    let config = "{reports: {realtime: {interval: 1h}, traffic: {enabled: false}}, baseline: {enabled: false}}";
    let target = Target::start(&google, config).await;
    google.wait_for_many(2000, |request| request.method == Some(Method::RunRealtimeReport)).await;
    target.shows("google_analytics_exporter_known_properties", |properties| properties >= 2000.0).await;
    assert!(target.ask("GET", "/sd").await.is_some());
    let before = target.peak_mebibytes();
    for client in 0..2000 {
        let path = format!("/sd?client={client}");
        assert!(target.ask("GET", &path).await.is_some());
    }
    let grown = target.peak_mebibytes() - before;
    assert!(grown <= 64, "{grown} MiB more");
}

#[tokio::test]
async fn clients_that_never_finish_a_header_keep_nobody_out_for_good() {
    let google = simulator(3).await;
    let target = Target::start(&google, "").await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(&target.address).await.unwrap();
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nX: ").await;
        slow.push(stream);
    }
    target.shows("google_analytics_realtime_pageviews", |_| true).await;
    drop(slow);
}

#[tokio::test]
async fn readers_that_hang_do_not_keep_it_from_ending() {
    let google = simulator(300).await;
    let target = Target::start(&google, "").await;
    target.shows("google_analytics_exporter_known_properties", |properties| properties >= 300.0).await;
    let mut readers = Vec::new();
    for _ in 0..60 {
        readers.extend(slow_reader(&target.address, "/metrics").await);
    }
    let status = target.stopped().await;
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    drop(readers);
}

#[tokio::test]
async fn a_storm_of_reloads_asks_google_once_a_minute_at_most() {
    let google = simulator(3).await;
    let target = Target::start(&google, "").await;
    target.shows("google_analytics_exporter_known_properties", |properties| properties >= 3.0).await;
    for _ in 0..500 {
        assert!(target.ask("POST", "/-/reload").await.is_some());
    }
    let listings = google.requests().iter().filter(|request| request.method == Some(Method::AccountSummaries)).count();
    assert!(listings <= 4, "{listings} listings");
}
