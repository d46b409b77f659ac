//! What the attacks on memory cost with 1,000 properties, each by itself and all at once.

use std::time::Duration;

use ga4_simulator::{Method, Simulator};
use tokio::{task::JoinSet, time};

use crate::{
    program::{MOST_MEBIBYTES, Target, simulator},
    troubles::{endless_listing, endless_texts, packed_answers, slow_readers},
};

/// Attacks a program that knows 1,000 properties, for two minutes.
async fn attack(name: &str, begin: impl FnOnce(&Simulator, &Target) -> Option<JoinSet<()>>) {
    let google = simulator(1000).await;
    let target = Target::start(&google, "discovery:\n  interval: 1m\n").await;
    target.shows("google_analytics_exporter_known_properties", |properties| properties >= 1000.0).await;
    google.wait_for_many(1000, |request| request.method == Some(Method::RunRealtimeReport)).await;
    let before = target.resident_mebibytes();
    let clients = begin(&google, &target);
    for _ in 0..SECONDS {
        time::sleep(Duration::from_secs(1)).await;
        // Prometheus may be refused while slow readers have all texts; it is not kept waiting.
        let _ = target.scrape().await;
    }
    let (after, peak) = (target.resident_mebibytes(), target.peak_mebibytes());
    println!("| {name} | {before} | {after} | {peak} |");
    drop(clients);
    assert!(peak <= MOST_MEBIBYTES, "{peak} MiB");
    assert_eq!(target.stopped().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "`make attack` runs it"]
async fn of_no_attack() {
    attack("none", |_, _| None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "`make attack` runs it"]
async fn of_slow_readers() {
    attack("slow readers", |_, target| Some(slow_readers(&target.address))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "`make attack` runs it"]
async fn of_packed_answers() {
    attack("packed answers", |google, _| {
        packed_answers(google);
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "`make attack` runs it"]
async fn of_a_listing_without_end() {
    attack("a listing without end", |google, _| {
        endless_listing(google);
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "`make attack` runs it"]
async fn of_texts_without_end() {
    attack("texts without end", |google, _| {
        endless_texts(google);
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "`make attack` runs it"]
async fn of_all_attacks_at_once() {
    attack("all at once", |google, target| {
        packed_answers(google);
        endless_listing(google);
        endless_texts(google);
        Some(slow_readers(&target.address))
    })
    .await;
}

const SECONDS: u32 = 120;
