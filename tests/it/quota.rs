//! Quotas as Google reports them, and what is not sent while a bucket is empty.

use std::{fs, time::Duration};

use ga4_simulator::{Bucket, Effect, Fault, Method, Refusal};
use google_analytics_exporter::transport::Deadlines;

use jiff::SignedDuration;

use crate::support::{EVERY_SECOND, Metrics, NEWS, Pair, SHOP, Setup};

const HOUR: i64 = 3600;

fn exhausted(bucket: Bucket) -> Fault {
    Fault::new(Effect::Refuse(Refusal::Exhausted(bucket))).on(Method::RunReport).property(SHOP)
}

/// Some time passes, by what others do; whether the property's core reports were asked for meanwhile.
async fn asks_meanwhile(pair: &Pair) -> bool {
    let before = pair.count(Method::RunReport, SHOP);
    for _ in 0..2 {
        pair.next_request(Method::RunReport, NEWS).await;
        pair.next_request(Method::RunRealtimeReport, SHOP).await;
    }
    pair.count(Method::RunReport, SHOP) > before
}

#[tokio::test]
async fn what_is_left_and_spent_is_shown() {
    let pair = Setup::new().start().await;
    let metrics = pair.all_up(&[SHOP]).await;
    for category in ["core", "realtime"] {
        for (bucket, limit) in [("day", 200_000.0), ("hour", 40_000.0), ("project_hour", 14_000.0)] {
            let labels = format!("category=\"{category}\",bucket=\"{bucket}\"");
            assert_eq!(metrics.of(SHOP, "quota_tokens_limit", &labels), Some(limit));
            let remaining = metrics.of(SHOP, "quota_tokens_remaining", &labels).unwrap();
            assert!(remaining < limit && remaining > limit - 100.0, "{labels}: {remaining}");
        }
        let labels = format!("category=\"{category}\"");
        for family in ["concurrent_requests", "server_errors", "thresholded_requests"] {
            assert!(metrics.of(SHOP, &format!("quota_{family}_remaining"), &labels) > Some(0.0), "{family}");
        }
    }
    assert!(metrics.of(SHOP, "quota_tokens_spent_total", "report=\"traffic\"") >= Some(1.0));
    assert!(!metrics.has(SHOP, "quota_closed_until_timestamp_seconds"));
}

#[tokio::test]
async fn an_empty_bucket_is_left_alone_until_it_refills() {
    for (bucket, reason, label, seconds) in [
        (Bucket::Concurrent, "quota_concurrent", "concurrent", 30),
        (Bucket::Hour, "quota_hour", "hour", HOUR / 2),
        (Bucket::ProjectHour, "quota_project_hour", "project_hour", HOUR / 2),
        (Bucket::Thresholded, "quota_thresholded", "thresholded", HOUR / 2),
        // It is 01:00 in California.
        (Bucket::Day, "quota_day", "day", 23 * HOUR),
    ] {
        let pair = Setup::new().fault(exhausted(bucket).once()).start().await;
        let metrics = pair.until(reason, |metrics| metrics.fails_with(SHOP, "traffic", reason)).await;
        let labels = format!("category=\"core\",bucket=\"{label}\"");
        let until = metrics.of(SHOP, "quota_closed_until_timestamp_seconds", &labels).unwrap();
        let refused = pair.requests(Method::RunReport, SHOP)[0].at.as_second();
        assert!((until - as_number(refused + seconds)).abs() < 60.0, "{reason}: until {until}");
        assert!(!asks_meanwhile(&pair).await, "{reason}: asked while closed");
        let metrics = pair.metrics().await;
        assert!(metrics.is_up(SHOP, "realtime"), "{reason}: the other category goes on");
        match bucket {
            Bucket::Concurrent => {
                assert_eq!(metrics.of(SHOP, "quota_concurrent_requests_remaining", "category=\"core\""), Some(0.0));
            }
            Bucket::Thresholded => {
                assert_eq!(metrics.of(SHOP, "quota_thresholded_requests_remaining", "category=\"core\""), Some(0.0));
            }
            Bucket::Day | Bucket::Hour | Bucket::ProjectHour | Bucket::ServerErrors => {
                assert_eq!(metrics.of(SHOP, "quota_tokens_remaining", &labels), Some(0.0), "{reason}");
            }
        }
        pair.advance(seconds + 15);
        let metrics = pair.until("open again", |metrics| metrics.is_up(SHOP, "traffic")).await;
        assert!(!metrics.has(SHOP, "quota_closed_until_timestamp_seconds"), "{reason}");
    }
}

#[tokio::test]
async fn a_bucket_that_stays_empty_is_tried_every_ten_minutes() {
    let pair = Setup::new().fault(exhausted(Bucket::Hour)).start().await;
    pair.until("closed", |metrics| metrics.fails_with(SHOP, "traffic", "quota_hour")).await;
    pair.advance(HOUR / 2 + 15);
    pair.wait_for_many(2, is_core_of_shop).await;
    assert!(!asks_meanwhile(&pair).await, "the trial has failed");
    pair.advance(550);
    assert!(!asks_meanwhile(&pair).await, "too early for the next");
    pair.advance(100);
    pair.wait_for_many(3, is_core_of_shop).await;
}

#[tokio::test]
async fn a_trial_whose_report_goes_meanwhile_does_not_close_the_bucket_for_ever() {
    let deadlines = Deadlines { request: Duration::from_secs(2), ..Deadlines::default() };
    let setup = Setup { lifecycle: true, deadlines, ..Setup::new() };
    let pair = setup.fault(exhausted(Bucket::Hour).once()).start().await;
    pair.until("closed", |metrics| metrics.fails_with(SHOP, "traffic", "quota_hour")).await;
    let config = pair.directory.path().join("config.yml");
    let hang = pair.simulator.inject(Fault::new(Effect::Hang).on(Method::RunReport).property(SHOP));
    pair.advance(HOUR / 2 + 15);
    pair.wait_for_many(2, is_core_of_shop).await;
    for yaml in [EVERY_SECOND.replace("traffic: {", "traffic: {enabled: false, "), EVERY_SECOND.to_owned()] {
        fs::write(&config, yaml).unwrap();
        assert_eq!(pair.post("/-/reload").await.0, 200);
    }
    pair.simulator.clear(hang);
    pair.until("the trial fails", |metrics| metrics.fails_with(SHOP, "traffic", "timeout")).await;
    pair.advance(620);
    pair.until("another trial", |metrics| metrics.is_up(SHOP, "traffic")).await;
}

#[tokio::test]
async fn an_unknown_quota_is_a_quota() {
    let unknown = Effect::Raw(429, r#"{"error": {"code": 429, "message": "Too much.", "status": "X"}}"#.to_owned());
    let pair = Setup::new().fault(Fault::new(unknown).on(Method::RunReport).property(SHOP).once()).start().await;
    pair.until("unknown", |metrics| metrics.fails_with(SHOP, "traffic", "quota_unknown")).await;
    assert!(!asks_meanwhile(&pair).await);
}

#[tokio::test]
async fn a_project_that_asks_too_fast_pauses_altogether() {
    for refusal in [Refusal::RateLimitExceeded, Refusal::RateLimitExceededForbidden] {
        let fault = |property| Fault::new(Effect::Refuse(refusal)).on(Method::RunReport).property(property).once();
        let pair = Setup::new().fault(fault(SHOP)).fault(fault(NEWS)).start().await;
        pauses_altogether(&pair, &[SHOP, NEWS]).await;
    }
    let sorry = Fault::new(Effect::Raw(429, "<html>".to_owned())).on(Method::RunReport).property(SHOP).once();
    let pair = Setup::new().fault(sorry).start().await;
    pauses_altogether(&pair, &[SHOP]).await;
}

async fn pauses_altogether(pair: &Pair, refused: &[&str]) {
    let is_refused = |metrics: &Metrics| refused.iter().all(|id| metrics.fails_with(id, "traffic", "rate_limit"));
    pair.until("refused", is_refused).await;
    let before = pair.simulator.requests().len();
    pair.advance(50);
    let later = pair.clock.now() + SignedDuration::from_secs(3);
    let metrics = pair.until("some seconds have passed", |_| pair.clock.now() >= later).await;
    assert!(metrics.is_up(NEWS, "realtime"), "values hold meanwhile");
    assert_eq!(pair.simulator.requests().len(), before, "something was sent in the pause");
    pair.advance(11);
    pair.until("it goes on", |metrics| metrics.is_up(SHOP, "traffic")).await;
}

#[tokio::test]
async fn a_property_whose_rate_is_always_limited_costs_no_other_a_value() {
    let fault = Fault::new(Effect::Refuse(Refusal::RateLimitExceeded)).property(SHOP);
    let pair = Setup::new().fault(fault).start().await;
    pair.until("refused", |metrics| metrics.fails_with(SHOP, "traffic", "rate_limit")).await;
    pair.all_up(&[NEWS]).await;
    for _ in 0..10 {
        let polled = pair.next_request(Method::RunReport, NEWS);
        let asked = pair.count(Method::RunReport, SHOP);
        polled.await;
        assert_eq!(pair.count(Method::RunReport, SHOP), asked, "it waits for a minute");
        pair.advance(5);
        assert!(pair.metrics().await.has(NEWS, "today_pageviews"));
    }
    pair.advance(20);
    pair.next_request(Method::RunReport, SHOP).await;
    assert!(pair.metrics().await.is_up(NEWS, "traffic"));
}

#[tokio::test]
async fn server_errors_stop_long_before_google_blocks() {
    for refusal in [Refusal::Internal, Refusal::Unavailable] {
        let fault = Fault::new(Effect::Refuse(refusal)).on(Method::RunReport).property(SHOP);
        let pair = Setup::new().fault(fault).start().await;
        for errors in 1..=8 {
            pair.wait_for_many(errors, is_core_of_shop).await;
            pair.until("noted", |metrics| metrics.fails_with(SHOP, "traffic", "server_error")).await;
            pair.advance(400);
        }
        assert!(!asks_meanwhile(&pair).await, "eight in an hour are enough");
        let metrics = pair.metrics().await;
        let labels = "category=\"core\",bucket=\"server_errors\"";
        assert!(metrics.of(SHOP, "quota_closed_until_timestamp_seconds", labels).is_some());
        pair.simulator.clear_faults();
        pair.advance(HOUR);
        pair.until("after the hour", |metrics| metrics.is_up(SHOP, "traffic")).await;
    }
}

fn is_core_of_shop(request: &ga4_simulator::Request) -> bool {
    request.method == Some(Method::RunReport) && request.property.as_deref() == Some(SHOP)
}

fn as_number(second: i64) -> f64 {
    f64::from(u32::try_from(second).unwrap())
}

#[tokio::test]
async fn a_report_that_would_spend_more_than_the_share_is_polled_less_often() {
    let config = "{discovery: {enabled: true}, reports: {realtime: {interval: 1s}}, baseline: {enabled: false}}";
    let pair = Setup::new().config(config).start().await;
    // One request of a token costs 3,600 an hour, and 25 % of the day's 200,000 are less than 2,200 an hour.
    let metrics = pair
        .until("a planned pace", |metrics| {
            let planned = metrics.of(SHOP, "report_interval_seconds", "report=\"realtime\"");
            metrics.is_up(SHOP, "realtime") && planned.is_some_and(|seconds| (2.0..10.0).contains(&seconds))
        })
        .await;
    assert_eq!(metrics.of(SHOP, "report_interval_seconds", "report=\"traffic\""), Some(900.0), "it is another bucket");
    let planned = metrics.of(SHOP, "report_interval_seconds", "report=\"realtime\"").unwrap();
    let before = pair.count(Method::RunRealtimeReport, SHOP);
    let begun = pair.clock.now();
    pair.wait_for_many(before + 3, |request| {
        request.method == Some(Method::RunRealtimeReport) && request.property.as_deref() == Some(SHOP)
    })
    .await;
    let took = pair.clock.now().duration_since(begun).as_secs_f64();
    assert!(took > 1.5 * planned, "three polls in {took} s, planned every {planned} s");
}

#[tokio::test]
async fn the_whole_share_lets_reports_be_as_fast_as_they_can() {
    let pair = Setup::new().start().await;
    let metrics = pair.all_up(&[SHOP, NEWS]).await;
    assert_eq!(metrics.of(SHOP, "report_interval_seconds", "report=\"realtime\""), Some(1.0));
}
