//! Answers in Google's place.

use ga4_simulator::{Effect, Fault, Method};

use crate::{
    program::{MOST_MEBIBYTES, Target, eventually, simulator},
    troubles::{long, rows},
};

/// The first property answers so, in every way; the others go on, and the program stays small.
async fn check(status: u16, body: String) {
    let google = simulator(3).await;
    google.inject(Fault::new(Effect::Raw(status, body)).property("1001"));
    let target = Target::start(&google, "").await;
    target.shows("google_analytics_realtime_pageviews{property_id=\"1002\"}", |_| true).await;
    target.shows("google_analytics_report_failure{property_id=\"1001\"", |_| true).await;
    let peak = target.peak_mebibytes();
    assert!(peak <= MOST_MEBIBYTES, "{peak} MiB");
    let longest = target.log().lines().map(str::len).max().unwrap_or_default();
    assert!(longest < 10_000, "a line of {longest} bytes");
    assert_eq!(target.stopped().await.code(), Some(0));
}

#[tokio::test]
async fn empty_rows_without_end_are_refused() {
    check(200, rows("runRealtimeReport", MUCH)).await;
}

#[tokio::test]
async fn empty_details_without_end_are_refused() {
    check(403, long("{\"error\":{\"code\":403,\"details\":[", "{}", "]}}", MUCH)).await;
}

#[tokio::test]
async fn words_without_end_are_refused() {
    check(429, format!("{{\"error\":{{\"code\":429,\"message\":\"{}\"}}}}", "a ".repeat(30 << 20))).await;
}

#[tokio::test]
async fn texts_without_end_are_cut() {
    let url = "https://console.developers.google.com/".to_owned() + &"x".repeat(40_000);
    let body = serde_json::json!({"error": {"code": 403, "message": url, "status": "PERMISSION_DENIED", "details": [{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
        "metadata": {"activationUrl": url, "consumer": url, "service": url},
    }]}});
    check(403, body.to_string()).await;
}

#[tokio::test]
async fn a_listing_in_a_circle_ends() {
    let google = simulator(3).await;
    for round in 0..2_000 {
        let token = if round % 2 == 0 { "A" } else { "B" };
        let page = format!("{{\"accountSummaries\":[],\"nextPageToken\":\"{token}\"}}");
        google.inject(Fault::new(Effect::Raw(200, page)).on(Method::AccountSummaries).once());
    }
    let target = Target::start(&google, "").await;
    eventually("a word on the listing", async || target.log().contains("the listing").then_some(())).await;
    let pages = google.requests().iter().filter(|request| request.method == Some(Method::AccountSummaries)).count();
    assert!(pages <= 20, "{pages} pages");
}

#[tokio::test]
async fn a_listing_without_end_ends() {
    let google = simulator(3).await;
    for page in 0..2_000 {
        let page = format!("{{\"accountSummaries\":[],\"nextPageToken\":\"{page}\"}}");
        google.inject(Fault::new(Effect::Raw(200, page)).on(Method::AccountSummaries).once());
    }
    let target = Target::start(&google, "").await;
    eventually("a word on the listing", async || target.log().contains("more than 1000 pages").then_some(())).await;
    let pages = google.requests().iter().filter(|request| request.method == Some(Method::AccountSummaries)).count();
    assert!(pages <= 1_000, "{pages} pages");
}

#[tokio::test]
async fn a_long_error_of_one_property_slows_down_no_other() {
    let google = simulator(3).await;
    let body = format!("{{\"error\":{{\"code\":429,\"message\":\"{}\"}}}}", "a ".repeat(1 << 20));
    google.inject(Fault::new(Effect::Raw(429, body)).property("1001"));
    let target = Target::start(&google, "").await;
    target.shows("google_analytics_report_failure{property_id=\"1001\"", |_| true).await;
    let log = target.log();
    assert!(!log.contains("from this address"), "{log}");
    target.shows("google_analytics_report_up{property_id=\"1002\",report=\"baseline\"}", |up| up == 1.0).await;
}

#[tokio::test]
async fn a_listing_of_unknown_numbers_is_refused() {
    let google = simulator(3).await;
    let page = long("{\"accountSummaries\":[{\"_\":[", "1", "]}]}", MUCH);
    google.inject(Fault::new(Effect::Raw(200, page)).on(Method::AccountSummaries));
    let target = Target::start(&google, "").await;
    target
        .shows("google_analytics_exporter_api_request_failures_total{api=\"admin\",reason=\"protocol\"}", |count| {
            count >= 1.0
        })
        .await;
    let peak = target.peak_mebibytes();
    assert!(peak <= MOST_MEBIBYTES, "{peak} MiB");
}

/// In bytes; a few KiB of gzip.
const MUCH: usize = 60 << 20;
